// Asks the compiler for its version, since newer ones have more of `proc_macro`.

use std::env;
use std::process::Command;

fn minor() -> Option<u32> {
    let compiler = env::var_os("RUSTC")?;
    let output = Command::new(compiler).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split('.').nth(1)?.parse().ok()
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(span_locations)");
    if minor().is_some_and(|it| it >= 88) {
        println!("cargo:rustc-cfg=span_locations");
    }
}
