//! `diff` of files, directories and versions, and what `check` and `inspect` make of the version before.

use std::fs;

use cratekeeper_archive::CrateBuilder;
use serde_json::Value;

use crate::world::{World, manifest, rules};

/// An update that brings a build script and the first dependency.
fn world() -> World {
    let mut world = World::new();
    let older = CrateBuilder::new("demo", "1.0.0")
        .file("Cargo.toml", manifest("demo", "1.0.0"))
        .file("src/lib.rs", "pub fn answer() -> u8 { 42 }\n")
        .build();
    let newer = CrateBuilder::new("demo", "1.0.1")
        .file("Cargo.toml", format!("{}[dependencies]\nnewborn = \"1\"\n", manifest("demo", "1.0.1")))
        .file("build.rs", "fn main() {}\n")
        .file("src/lib.rs", "pub fn answer() -> u8 { unsafe { std::mem::zeroed() } }\n")
        .build();
    fs::write(world.path("workspace/older.crate"), &older).unwrap();
    fs::write(world.path("workspace/newer.crate"), &newer).unwrap();
    world.add("demo", "1.0.0", &older).add("demo", "1.0.1", &newer);
    world
}

fn json(world: &World, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.extend(["--offline", "--format", "json", "--allow-unchecked"]);
    let said = world.run(&all);
    assert!(said.code < 2, "{}", said.stderr);
    said.json()
}

fn kinds(document: &Value) -> Vec<&str> {
    let changes = document["difference"]["changes"].as_array().unwrap();
    changes.iter().map(|it| it["kind"].as_str().unwrap()).collect()
}

#[test]
fn files_and_versions_differ_alike() {
    let world = world();
    for (older, newer) in
        [("older.crate", "newer.crate"), ("demo@1.0.0", "demo@1.0.1"), ("older.crate", "demo@1.0.1")]
    {
        let document = json(&world, &["diff", older, newer]);
        assert_eq!(document["schema"], "cratekeeper.diff/1");
        assert_eq!(
            (&document["older"]["version"], &document["package"]["version"]),
            (&"1.0.0".into(), &"1.0.1".into())
        );
        assert_eq!(
            kinds(&document),
            ["build-script", "dependency", "unsafe", "code-volume"],
            "{older} {newer}"
        );
        let found = rules(&document["case"]);
        assert!(found.contains(&"gains-first-dependency"), "{found:?}");
        assert!(found.contains(&"update-gains-build-code"), "{found:?}");
        assert!(document.get("facts").is_none());
    }
    assert!(json(&world, &["diff", "demo@1.0.0", "demo@1.0.1", "--facts"]).get("facts").is_some());
}

#[test]
fn directories_are_compared_too() {
    let world = World::new();
    for (name, text) in [("a", "pub fn f() {}\n"), ("b", "pub fn f() { unsafe { g() } }\n")] {
        let directory = world.path(&format!("workspace/{name}"));
        fs::create_dir_all(directory.join("src")).unwrap();
        fs::write(directory.join("Cargo.toml"), manifest("demo", "1.0.0")).unwrap();
        fs::write(directory.join("src/lib.rs"), text).unwrap();
    }
    assert_eq!(kinds(&json(&world, &["diff", "a", "b"])), ["unsafe"]);
    assert_eq!(kinds(&json(&world, &["diff", "a", "a"])), [""; 0]);
}

#[test]
fn people_see_what_changed_and_fail_on_decides() {
    let world = world();
    let said = world.run(&["diff", "demo@1.0.0", "demo@1.0.1", "--offline", "--allow-unchecked"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for text in
        ["demo 1.0.0", "demo 1.0.1", "+ build-script: build.rs", "+ dependency: newborn = \"1\"", "next:"]
    {
        assert!(said.stdout.contains(text), "no `{text}` in {}", said.stdout);
    }
    let strict =
        ["diff", "demo@1.0.0", "demo@1.0.1", "--offline", "--allow-unchecked", "--fail-on", "medium"];
    assert_eq!(world.run(&strict).code, 1);
}

#[test]
fn what_cannot_be_compared_is_not_clean() {
    let world = world();
    let arguments = ["diff", "demo@0.9.0", "demo@1.0.1", "--offline"];
    let said = world.run(&arguments);
    assert_eq!(said.code, 2, "{}", said.stdout);
    assert!(said.stdout.contains("not compared"), "{}", said.stdout);
    assert_eq!(world.run(&["diff", "nowhere.crate", "demo@1.0.1", "--offline"]).code, 2);
}

#[test]
fn inspect_and_check_look_at_the_version_before() {
    let world = world();
    let document = json(&world, &["inspect", "demo@1.0.1"]);
    assert!(rules(&document["case"]).contains(&"update-gains-build-code"), "{document:#}");
    let first = json(&world, &["inspect", "demo@1.0.0"]);
    let unknown = first["case"]["not_evaluated"].as_array().unwrap();
    let of_rule = unknown.iter().find(|it| it["rule"] == "update-gains-build-code").unwrap();
    assert!(of_rule["reason"].as_str().unwrap().contains("version before"), "{of_rule}");
    let checked = json(
        &world,
        &["check", "--lockfile", world.workspace().path("workspace/Cargo.lock").to_str().unwrap()],
    );
    let packages = checked["packages"].as_array().unwrap();
    let newer = packages.iter().find(|it| it["version"] == "1.0.1").unwrap();
    assert!(rules(&newer["case"]).contains(&"update-gains-build-code"), "{newer:#}");
}
