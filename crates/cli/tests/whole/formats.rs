//! The same data in every format; colours, quietness and closed pipes.

use std::io::Read as _;
use std::process::Stdio;

use cratekeeper_archive::CrateBuilder;

use crate::world::{World, manifest};

fn world() -> World {
    let mut world = World::new();
    world.add_harmless("harmless", "1.0.0").add_harmless("vulnerable", "1.2.3");
    world.workspace().advisories("vulnerable", "");
    world
}

const CHECK: [&str; 4] = ["check", "--offline", "--advisory-db", "../advisory-db"];

fn check(world: &World, more: &[&str]) -> crate::world::Said {
    world.run(&[&CHECK[..], more].concat())
}

#[test]
fn sarif_is_anchored_at_the_packages_line_in_the_lockfile() {
    let world = world();
    let said = check(&world, &["--format", "sarif"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let document = said.json();
    assert_eq!(document["version"], "2.1.0");
    let result = &document["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "vulnerable-version");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "Cargo.lock");
    let lockfile = std::fs::read_to_string(world.path("workspace/Cargo.lock")).unwrap();
    let name = lockfile.lines().position(|line| line == "name = \"vulnerable\"").unwrap();
    // `[[package]]` stands one line above the name, and lines count from 1.
    assert_eq!(place["region"]["startLine"], name);
}

#[test]
fn people_are_told_what_is_wrong_and_what_to_do_next() {
    let said = check(&world(), &[]);
    assert_eq!(said.code, 1);
    for text in
        ["vulnerable", "1.2.3", "RUSTSEC-2026-9001", "A made-up problem", "next:", "cratekeeper explain"]
    {
        assert!(said.stdout.contains(text), "no `{text}` in {}", said.stdout);
    }
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let world = world();
    assert!(!check(&world, &[]).stdout.contains('\u{1b}'));
    assert!(check(&world, &["--color", "always"]).stdout.contains('\u{1b}'));
    let mut command = world.command(&CHECK);
    let said = world.said(&command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "0").output().unwrap());
    assert!(!said.stdout.contains('\u{1b}'));
}

#[test]
fn quiet_prints_only_what_fails() {
    let mut world = World::new();
    world.add_harmless("harmless", "1.0.0").workspace().advisories("other", "");
    let said = check(&world, &["--quiet"]);
    assert_eq!(said.code, 0);
    assert!(said.stdout.lines().count() <= 2, "{}", said.stdout);
    assert_eq!(said.stderr, "");
}

#[test]
fn no_progress_is_drawn_where_nobody_watches() {
    let said = check(&world(), &[]);
    assert!(!said.stderr.contains("Fetching") && !said.stderr.contains('\r'), "{}", said.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = world();
    let source: String =
        (0..50_000).map(|number| format!("pub fn f{number}() {{ g({number}) }}\n")).collect();
    let bytes = CrateBuilder::new("long", "1.0.0")
        .file("Cargo.toml", manifest("long", "1.0.0"))
        .file("src/lib.rs", source)
        .build();
    std::fs::write(world.path("workspace/long-1.0.0.crate"), bytes).unwrap();
    let arguments =
        ["inspect", "long-1.0.0.crate", "--offline", "--allow-unchecked", "--facts", "--format", "json"];
    let mut child = world.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut beginning = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut beginning).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn every_rule_can_be_explained_in_every_format() {
    let world = world();
    let listed = world.run(&["explain"]);
    assert_eq!(listed.code, 0);
    let document = world.run(&["explain", "--format", "json"]).json();
    let rules = document["rules"].as_array().unwrap().clone();
    assert!(rules.len() >= 14);
    for rule in &rules {
        let id = rule["id"].as_str().unwrap();
        assert!(listed.stdout.contains(id));
        let said = world.run(&["explain", id]);
        assert_eq!(said.code, 0);
        assert!(said.stdout.starts_with(id), "{}", said.stdout);
    }
    let sarif = world.run(&["explain", "--format", "sarif"]).json();
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), rules.len());
}

#[test]
fn the_state_of_the_database_is_told() {
    let world = world();
    let said = world.run(&["advisories", "status", "--advisory-db", "../advisory-db"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("2026-01-01"), "{}", said.stdout);
    let document =
        world.run(&["advisories", "status", "--advisory-db", "../advisory-db", "--format", "json"]).json();
    assert_eq!(document["advisories"], 1);
}
