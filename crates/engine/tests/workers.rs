//! Workers that go wrong, through the engine: the package is reported, and the others go on.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cratekeeper_archive::CrateBuilder;
use cratekeeper_engine::{Engine, InspectTarget, Setup, WorkerLimits, WorkerPool};
use cratekeeper_model::{Known, Outcome, PackageStatus};
use cratekeeper_registry::{CargoConfig, CargoEnvironment, FinderOptions, Network, PackageFinder};

/// An engine whose workers are a shell script.
fn inspect_with(script: &str, deadline: Duration) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("worker");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let archive = directory.path().join("demo-1.0.0.crate");
    fs::write(&archive, CrateBuilder::new("demo", "1.0.0").file("src/lib.rs", "").build()).unwrap();
    engine(program, directory.path(), deadline).inspect(InspectTarget::Archive(archive), false).outcome
}

fn engine(program: PathBuf, directory: &Path, deadline: Duration) -> Engine {
    let environment = CargoEnvironment::new(directory.join("cargo"), []);
    let config = CargoConfig::load(directory, &environment).unwrap();
    Engine::new(Setup {
        jobs: 1,
        finder: PackageFinder::new(config, FinderOptions::new(directory.join("cache"), Network::Offline))
            .unwrap(),
        pool: WorkerPool::new(program, WorkerLimits { deadline, ..WorkerLimits::default() }),
        cache: None,
        advisories: Known::Unknown("none in this test".to_owned()),
        policy: cratekeeper_policy::Policy::built_in(),
    })
}

#[track_caller]
fn could_not_check(outcome: &Outcome, reason: &str) {
    assert_eq!(outcome.status, PackageStatus::CouldNotCheck);
    let said = outcome.reason.as_deref().unwrap_or("");
    assert!(said.contains(reason), "`{said}` does not say `{reason}`");
    assert!(!outcome.case.not_evaluated.is_empty(), "rules that had no facts look as if they found nothing");
}

#[test]
fn a_worker_that_hangs_is_ended_at_the_deadline() {
    let outcome = inspect_with("sleep 600", Duration::from_millis(200));
    could_not_check(&outcome, "took longer than 0.2 s");
}

#[test]
fn a_worker_that_is_killed_says_by_what() {
    could_not_check(&inspect_with("kill -SEGV $$", Duration::from_secs(60)), "signal 11");
    could_not_check(&inspect_with("kill -ABRT $$", Duration::from_secs(60)), "signal 6");
}

#[test]
fn the_last_words_of_a_worker_are_kept_and_harmless() {
    let outcome = inspect_with("printf 'out of \\033[31mmemory\\n' >&2; exit 3", Duration::from_secs(60));
    could_not_check(&outcome, "out of [31mmemory");
}

#[test]
fn an_answer_that_is_none_is_not_facts() {
    could_not_check(
        &inspect_with("printf '\\005\\000\\000\\000hello'; cat >/dev/null", Duration::from_secs(60)),
        "answer",
    );
    could_not_check(
        &inspect_with("printf '\\377\\377\\377\\377'; cat >/dev/null", Duration::from_secs(60)),
        "limit",
    );
    could_not_check(
        &inspect_with("printf '\\005\\000\\000\\000he'", Duration::from_secs(60)),
        "ended unexpectedly",
    );
}

#[test]
fn a_worker_that_cannot_be_started_is_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("demo-1.0.0.crate");
    fs::write(&archive, CrateBuilder::new("demo", "1.0.0").build()).unwrap();
    let engine = engine(directory.path().join("no-such-program"), directory.path(), Duration::from_secs(60));
    let outcome = engine.inspect(InspectTarget::Archive(archive), false).outcome;
    could_not_check(&outcome, "failed to start an analysis worker");
}
