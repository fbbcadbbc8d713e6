//! `cargo xtask test`: formatting, lints, tests, documentation, in the order in which they fail fastest.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{cargo, run};

pub(crate) fn test() -> anyhow::Result<()> {
    // The crates of all targets, so that the tests find them in cargo's cache and need no network themselves.
    run(&mut cargo(&["fetch", "--locked"]))?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))?;
    // Nothing else compiles what talks to S3. Beside the crates of the lints this takes a minute or two, of which most is a C library.
    run(&mut cargo(&["check", "--workspace", "--features", "cratekeeper-server/s3", "--locked"]))?;
    let tests: &[&str] = if has_nextest() {
        &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]
    } else {
        &["test", "--workspace", "--all-targets", "--locked", "--no-fail-fast"]
    };
    let mut tests = cargo(tests);
    // What the browser's tests look at pages with, and where they keep pictures of them.
    if let Some(axe) = axe()? {
        tests.env("CRATEKEEPER_AXE", axe);
    }
    tests.env("CRATEKEEPER_SCREENSHOTS", target_directory().join("console-screenshots"));
    run(&mut tests)?;
    run(&mut cargo(&["test", "--workspace", "--doc", "--locked"]))?;
    let documentation = ["doc", "--workspace", "--no-deps", "--locked"];
    run(cargo(&documentation).env("RUSTDOCFLAGS", "--deny warnings"))?;
    println!("\nall tests and checks passed");
    Ok(())
}

/// Version of axe-core, which looks for what keeps people out of pages.
const AXE: &str = "4.14.1";

fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// axe-core as a file, out of its registry by its ordinary client; `None`, and said, where there is no such client.
fn axe() -> anyhow::Result<Option<PathBuf>> {
    let directory = target_directory().join(format!("axe-core-{AXE}"));
    let file = directory.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        std::fs::create_dir_all(&directory)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefix"]);
        npm.arg(&directory).arg(format!("axe-core@{AXE}"));
        if let Err(error) = run(&mut npm) {
            println!("not measured: what axe-core finds on the console's pages ({error:#})");
            return Ok(None);
        }
    }
    Ok(Some(std::path::absolute(file)?))
}

fn has_nextest() -> bool {
    let output = cargo(&["nextest", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}
