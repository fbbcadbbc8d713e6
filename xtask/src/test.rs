//! `cargo xtask test`: formatting, lints, tests, documentation, in the order in which they fail fastest.

use crate::run::{cargo, run};

pub(crate) fn test() -> anyhow::Result<()> {
    // The crates of all targets, so that the tests find them in cargo's cache and need no network themselves.
    run(&mut cargo(&["fetch", "--locked"]))?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))?;
    // Nothing else compiles what talks to S3. Beside the crates of the lints this takes a minute or two, of which most is a C library.
    run(&mut cargo(&["check", "--workspace", "--features", "cratekeeper-server/s3", "--locked"]))?;
    if has_nextest() {
        run(&mut cargo(&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]))?;
    } else {
        run(&mut cargo(&["test", "--workspace", "--all-targets", "--locked", "--no-fail-fast"]))?;
    }
    run(&mut cargo(&["test", "--workspace", "--doc", "--locked"]))?;
    let documentation = ["doc", "--workspace", "--no-deps", "--locked"];
    run(cargo(&documentation).env("RUSTDOCFLAGS", "--deny warnings"))?;
    println!("\nall tests and checks passed");
    Ok(())
}

fn has_nextest() -> bool {
    let output = cargo(&["nextest", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}
