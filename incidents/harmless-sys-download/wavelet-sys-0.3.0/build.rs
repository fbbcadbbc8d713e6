//! Finds the library.

fn main() {
    println!("cargo:rerun-if-env-changed=WAVELET_LIB_DIR");
    if let Ok(directory) = std::env::var("WAVELET_LIB_DIR") {
        println!("cargo:rustc-link-search=native={directory}");
    }
    println!("cargo:rustc-link-lib=wavelet");
}
