//! `cargo xtask bench serve`: the gate under load, beside a file server that gives out the same bytes.

use crate::run::{cargo, run};

/// The benchmark prints the tables itself.
pub(super) fn serve() -> anyhow::Result<()> {
    run(&mut cargo(&["bench", "--locked", "--package", "cratekeeper", "--bench", "serve"]))
}
