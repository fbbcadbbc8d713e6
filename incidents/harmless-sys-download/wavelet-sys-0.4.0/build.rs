//! Finds the library, or downloads the release that these bindings were made for.

use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{env, fs};

const RELEASE: &str = "3.2.1";
const ADDRESS: &str = "https://downloads.wavelet.example.invalid/releases";

/// Target and SHA-256 of each archive, from the signed list of the release.
const ARCHIVES: &[(&str, &str)] = &[
    ("x86_64-unknown-linux-gnu", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("aarch64-apple-darwin", "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"),
    ("x86_64-pc-windows-msvc", "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=WAVELET_LIB_DIR");
    println!("cargo:rustc-link-lib=static=wavelet");
    let directory = match env::var("WAVELET_LIB_DIR") {
        Ok(directory) => PathBuf::from(directory),
        Err(_) => downloaded(),
    };
    println!("cargo:rustc-link-search=native={}", directory.display());
}

fn downloaded() -> PathBuf {
    let target = env::var("TARGET").expect("cargo sets it");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let Some((_, expected)) = ARCHIVES.iter().find(|(name, _)| *name == target) else {
        panic!("there is no prebuilt library for {target}: set WAVELET_LIB_DIR");
    };
    let file = out.join("libwavelet.a");
    if !file.exists() {
        let bytes = fetch(&format!("{ADDRESS}/{RELEASE}/libwavelet-{target}.a"));
        check(&bytes, expected);
        fs::write(&file, bytes).expect("OUT_DIR can be written");
    }
    Path::to_owned(&out)
}

fn fetch(address: &str) -> Vec<u8> {
    let response = ureq::get(address).call().unwrap_or_else(|error| panic!("failed to fetch {address}: {error}"));
    let mut bytes = Vec::new();
    response.into_reader().take(64 << 20).read_to_end(&mut bytes).expect("the library can be read");
    bytes
}

fn check(bytes: &[u8], expected: &str) {
    let found: String = Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(found, expected, "the library is not the one that was released");
}
