//! `cargo xtask bench console`: the console's pages over a large registry, on both databases.

use crate::run::{cargo, run};

/// The benchmark prints the tables itself. PostgreSQL writes durably, as it does for others.
pub(super) fn console() -> anyhow::Result<()> {
    let arguments = ["bench", "--locked", "--package", "cratekeeper", "--bench", "console"];
    run(cargo(&arguments).env("CRATEKEEPER_MEASURE", "1"))
}
