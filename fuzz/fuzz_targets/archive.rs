//! Any bytes as a `.crate` file, and as the tar stream inside of one.
//!
//! A fuzzer does not guess checksums, so those of gzip and of every header are made right before the second
//! reading. The limits are small: a slow input is then a mistake of ours.

#![no_main]

use cratekeeper_archive::{Expected, Limits, gzip, read_crate_bytes};
use libfuzzer_sys::fuzz_target;
use tar::Header;

const LIMITS: Limits = Limits {
    compressed: 64 << 10,
    unpacked: 256 << 10,
    entry: 64 << 10,
    entries: 200,
    path: 200,
    extension: 2 << 10,
    ratio: 50,
    ratio_floor: 64 << 10,
};

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let mut tar = bytes.to_vec();
    for block in tar.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        let mut header = Header::from_byte_slice(block).clone();
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
    }
    read(&gzip(&tar));
});

fn read(bytes: &[u8]) {
    let Ok(archive) = read_crate_bytes(bytes, &Expected::anything(), &LIMITS) else { return };
    let contents: usize = archive.files.iter().map(|file| file.contents.len()).sum();
    assert!(contents as u64 <= LIMITS.unpacked);
    assert!(archive.files.is_sorted_by(|a, b| a.path < b.path));
    for file in &archive.files {
        assert!(!file.path.starts_with('/') && !file.path.split('/').any(|component| component == ".."));
    }
}
