//! Compiles the vector version where a C compiler is at hand and wanted.

fn main() {
    println!("cargo:rerun-if-changed=native/adler.c");
    println!("cargo:rerun-if-env-changed=ADLER_FAST_PURE");
    println!("cargo:rustc-check-cfg=cfg(adler_native)");
    if std::env::var_os("ADLER_FAST_PURE").is_some() {
        return;
    }
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if arch == "x86_64" || arch == "aarch64" {
        cc::Build::new().file("native/adler.c").opt_level(3).warnings(true).compile("adler_fast");
        println!("cargo:rustc-cfg=adler_native");
    }
}
