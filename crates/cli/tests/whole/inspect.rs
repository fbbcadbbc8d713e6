//! `inspect` of files, directories and versions.

use std::fs;

use cratekeeper_archive::CrateBuilder;
use serde_json::Value;

use crate::world::{World, manifest, rules};

const SOURCE: &str = "\
pub fn outer(x: u8) -> u8 {
    println!(\"{}\", unsafe { read(x) });
    x
}
unsafe fn read(x: u8) -> u8 { x }
extern \"C\" { fn getpid() -> i32; }
";

fn crate_bytes() -> Vec<u8> {
    CrateBuilder::new("demo", "1.0.0")
        .file("Cargo.toml", manifest("demo", "1.0.0"))
        .file("src/lib.rs", SOURCE)
        .file(".hidden/tool", b"\x7fELF\x02\x01\x01\0".as_slice())
        .build()
}

fn inspect(world: &World, target: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["inspect", target, "--offline", "--format", "json", "--allow-unchecked"];
    arguments.extend(more);
    let said = world.run(&arguments);
    assert!(said.code < 2, "{}", said.stderr);
    said.json()
}

#[track_caller]
fn facts_of_the_demo(document: &Value) {
    let facts = &document["facts"];
    assert_eq!(facts["files_total"], 1, "{facts:#}");
    assert_eq!(facts["files_parsed"], 1);
    assert_eq!(facts["files_with_errors"], 0);
    assert_eq!(facts["files_unlinked"], 0);
    assert_eq!(facts["unsafe"]["functions"], serde_json::json!({"safe": 1, "unsafe": 1}));
    assert_eq!(facts["unsafe"]["exprs"], serde_json::json!({"safe": 1, "unsafe": 1}));
    assert_eq!(facts["manifest"]["name"], "demo");
    assert!(facts["functions"].as_array().unwrap().iter().any(|it| it["path"] == "outer"));
    assert!(
        facts["calls"].as_array().unwrap().iter().any(|it| it["callee"] == "read" && it["in_unsafe"] == true)
    );
}

#[test]
fn a_file_a_directory_and_a_version_give_the_same_facts() {
    let mut world = World::new();
    world.add("demo", "1.0.0", &crate_bytes());
    fs::write(world.path("workspace/demo-1.0.0.crate"), crate_bytes()).unwrap();
    let unpacked = world.path("workspace/demo");
    fs::create_dir_all(unpacked.join("src")).unwrap();
    fs::create_dir_all(unpacked.join(".hidden")).unwrap();
    fs::create_dir_all(unpacked.join("target")).unwrap();
    fs::write(unpacked.join("Cargo.toml"), manifest("demo", "1.0.0")).unwrap();
    fs::write(unpacked.join("src/lib.rs"), SOURCE).unwrap();
    fs::write(unpacked.join(".hidden/tool"), b"\x7fELF\x02\x01\x01\0").unwrap();
    fs::write(unpacked.join("target/left-out.rs"), "fn x(").unwrap();
    for target in ["demo-1.0.0.crate", "demo", "demo@1.0.0"] {
        let document = inspect(&world, target, &["--facts"]);
        assert_eq!(document["schema"], "cratekeeper.inspect/1");
        assert_eq!(document["package"]["name"], "demo", "{target}");
        assert_eq!(document["package"]["version"], "1.0.0");
        facts_of_the_demo(&document);
        assert!(rules(&document["case"]).contains(&"bundled-executable"), "{target}: dot-files count");
    }
}

#[test]
fn facts_are_left_out_unless_asked_for() {
    let world = World::new();
    fs::write(world.path("workspace/demo-1.0.0.crate"), crate_bytes()).unwrap();
    assert!(inspect(&world, "demo-1.0.0.crate", &[]).get("facts").is_none());
}

#[test]
fn a_manifest_of_another_crate_is_found() {
    let world = World::new();
    let bytes = CrateBuilder::new("demo", "1.0.0")
        .file("Cargo.toml", manifest("other", "1.0.0"))
        .file("src/lib.rs", "")
        .build();
    fs::write(world.path("workspace/demo-1.0.0.crate"), bytes).unwrap();
    let document = inspect(&world, "demo-1.0.0.crate", &[]);
    assert!(rules(&document["case"]).contains(&"archive-refused"), "{document:#}");
}

#[test]
fn people_get_text_with_what_matters() {
    let world = World::new();
    fs::write(world.path("workspace/demo-1.0.0.crate"), crate_bytes()).unwrap();
    let said = world.run(&["inspect", "demo-1.0.0.crate", "--offline", "--allow-unchecked"]);
    for text in ["demo", "1.0.0", "bundled-executable", ".hidden/tool", "next:"] {
        assert!(said.stdout.contains(text), "no `{text}` in {}", said.stdout);
    }
}
