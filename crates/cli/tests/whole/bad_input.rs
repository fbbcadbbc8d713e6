//! Input that is wrong: a clear error, a hint, exit code 2, and nothing half-written.

use std::fs;

use crate::world::{World, refused};

fn world() -> World {
    let mut world = World::new();
    world.add_harmless("harmless", "1.0.0").workspace().advisories("other", "");
    world
}

#[test]
fn a_missing_lockfile() {
    let world = world();
    refused(&world.check(&["--lockfile", "no/Cargo.lock"]), &["`no/Cargo.lock`"]);
    fs::remove_file(world.path("workspace/Cargo.lock")).unwrap();
    refused(&world.check(&[]), &["no `Cargo.lock`", "cargo generate-lockfile"]);
}

#[test]
fn no_workspace_at_all() {
    let world = world();
    let mut command = world.command(&["check", "--offline"]);
    let said = world.said(&command.current_dir(world.path("registry")).output().unwrap());
    refused(&said, &["no `Cargo.toml`", "--manifest-path"]);
    refused(&world.check(&["--manifest-path", "no/Cargo.toml"]), &["`no/Cargo.toml`"]);
}

#[test]
fn a_broken_lockfile() {
    let world = world();
    for (content, expected) in [
        ("this is not toml", "`Cargo.lock`"),
        ("version = 99\n", "99"),
        ("version = 4\n[[package]]\nname = 3\n", "Cargo.lock"),
        ("version = 4\n[[package]]\nname = \"a\"\nversion = \"one\"\n", "one"),
    ] {
        fs::write(world.path("workspace/Cargo.lock"), content).unwrap();
        refused(&world.check(&[]), &[expected]);
    }
}

#[test]
fn an_advisory_database_that_is_missing_or_none() {
    let world = world();
    refused(&world.run(&["check", "--offline", "--advisory-db", "../nowhere"]), &["nowhere"]);
    refused(&world.run(&["check", "--offline", "--advisory-db", "../registry"]), &["registry"]);
    refused(&world.run(&["check", "--offline", "--advisory-db", "Cargo.lock"]), &["Cargo.lock"]);
    refused(&world.run(&["check", "--offline", "--max-advisory-age", "1"]), &["advisory-db"]);
}

#[test]
fn a_cache_that_cannot_be_written_costs_speed_only() {
    let world = world();
    fs::write(world.path("cache"), "in the way").unwrap();
    let said = world.check(&[]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains("failed to cache facts"), "{}", said.stderr);
    assert_eq!(said.json()["summary"]["checked"], 1);
    assert_eq!(fs::read_to_string(world.path("cache")).unwrap(), "in the way");
}

#[test]
fn cargo_configuration_that_is_broken_or_goes_in_circles() {
    let world = world();
    fs::write(world.path("cargo/config.toml"), "[source").unwrap();
    refused(&world.check(&[]), &["config.toml"]);
    let circle = "[source.crates-io]\nreplace-with = \"a\"\n[source.a]\nreplace-with = \"crates-io\"\n";
    fs::write(world.path("cargo/config.toml"), circle).unwrap();
    let said = world.check(&[]);
    assert_eq!(said.code, 2);
    assert_eq!(said.json()["summary"]["could_not_check"], 1, "the default registry was asked silently");
}

#[test]
fn something_to_inspect_that_is_not_there() {
    let world = world();
    refused(&world.run(&["inspect", "nothing.crate"]), &["`nothing.crate`"]);
    refused(&world.run(&["inspect", "nothing"]), &["`nothing`"]);
    refused(&world.run(&["inspect", "name@one"]), &["`one`"]);
}

#[test]
fn a_rule_that_does_not_exist() {
    let world = world();
    refused(&world.run(&["explain", "bundled-executables"]), &["did you mean `bundled-executable`"]);
    refused(&world.run(&["explain", "nonsense"]), &["lists all rules"]);
}

#[test]
fn arguments_that_do_not_exist_are_not_a_clean_result() {
    let world = world();
    for arguments in [&["check", "--no-such-option"][..], &["chek"], &[], &["check", "--jobs", "0"]] {
        assert_eq!(world.run(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn an_update_that_cannot_be_done_leaves_nothing_behind() {
    let world = world();
    let said = world.run(&["advisories", "update", "--advisory-db", "../new-db", "--offline"]);
    refused(&said, &["offline"]);
    let said =
        world.run(&["advisories", "update", "--advisory-db", "../new-db", "--url", "file:///nowhere/at/all"]);
    refused(&said, &["file:///nowhere/at/all"]);
    assert!(!world.path("new-db").exists());
    refused(&world.run(&["advisories", "status", "--advisory-db", "../new-db"]), &["new-db"]);
}
