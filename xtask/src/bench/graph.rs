//! `cargo xtask bench graph`: call graphs of this workspace, cold and warm; reading on one core; a generated ecosystem.

use anyhow::Context as _;

use super::{Run, mebibytes, print_cold_and_warm, program};
use crate::run::{cargo, run};

/// Versions that the cost is extrapolated to: the size of the largest registry's newest versions, by its index.
const VERSIONS: f64 = 200_000.0;

pub(super) fn graph(quick: bool) -> anyhow::Result<()> {
    workspace_graph()?;
    one_core()?;
    let mut scale = cargo(&["bench", "--locked", "--package", "cratekeeper-graph", "--bench", "scale", "--"]);
    if quick {
        scale.arg("--quick");
    }
    run(&mut scale)
}

/// The whole lockfile, from nothing and again.
fn workspace_graph() -> anyhow::Result<()> {
    let program = program()?;
    let cache = tempfile::tempdir()?;
    let arguments =
        ["graph", "stats", "--workspace", ".", "--offline", "--allow-unchecked", "--format", "json"];
    let measure = || Run::of(&program, cache.path(), &arguments);
    let cold = measure()?;
    let warm: Vec<Run> = (0..5).map(|_| measure()).collect::<anyhow::Result<_>>()?;
    let best = warm.iter().min_by_key(|run| run.time).context("five runs were made")?;
    let crates = best.document["crates"].as_array().map_or(0, Vec::len);
    println!("\ncall graph of this workspace: {crates} packages that are compiled, offline");
    print_cold_and_warm(&cold, best);
    println!("  required: cold < 60 s, warm < 2 s, memory < 1.5 GB");
    Ok(())
}

/// Everything that a survey does, on one core: unpacking, facts, calls, storing, linking.
fn one_core() -> anyhow::Result<()> {
    let program = program()?;
    let cache = tempfile::tempdir()?;
    let store = cache.path().join("store");
    let store = store.to_str().context("the temporary directory has a name that is not text")?;
    let arguments = [
        "survey",
        "--lockfile",
        "Cargo.lock",
        "-o",
        store,
        "--jobs",
        "1",
        "--offline",
        "--allow-unchecked",
        "--format",
        "json",
    ];
    let measured = Run::of(&program, cache.path(), &arguments)?;
    let bytes = measured.document["bytes_of_source"].as_f64().context("the survey names no bytes")?;
    let versions = measured.document["added"].as_f64().context("the survey names no versions")?;
    let seconds = measured.time.as_secs_f64();
    println!("\nsurvey of this lockfile on one core: facts, calls, storing and linking");
    println!(
        "  {:.1} MB of Rust in {seconds:.1} s: {:.1} MB/s (required: 6), peak memory {}",
        bytes / 1e6,
        bytes / 1e6 / seconds,
        mebibytes(measured.memory)
    );
    let cores_seconds = seconds / versions * VERSIONS;
    println!(
        "  {VERSIONS:.0} versions of the same mean size ({:.0} KB) would take {:.1} hours of one core, or {:.1} on 16; \
         assumed: the archives are on disk, and crates are like these",
        bytes / versions / 1e3,
        cores_seconds / 3600.0,
        cores_seconds / 3600.0 / 16.0
    );
    Ok(())
}
