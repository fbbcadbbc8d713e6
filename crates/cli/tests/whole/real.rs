//! The main job on real input: the packages of this very workspace, from the machine's cargo cache.

use std::path::Path;
use std::process::Command;

use crate::world::World;

#[test]
fn every_package_of_this_workspace_is_checked() {
    let world = World::new();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO_BIN_EXE_cratekeeper"))
        .args(["check", "--offline", "--format", "json", "--allow-unchecked", "--fail-on", "critical"])
        .current_dir(workspace)
        .env("CRATEKEEPER_CACHE_DIR", world.path("cache"))
        .env_remove("CRATEKEEPER_ADVISORY_DB")
        .output()
        .unwrap();
    let said = world.said(&output);
    let document = said.json();
    let summary = &document["summary"];
    let missing: Vec<&serde_json::Value> = document["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| package["status"] == "could_not_check")
        .collect();
    assert_eq!(summary["could_not_check"], 0, "run `cargo fetch --locked` first: {missing:#?}");
    assert!(summary["checked"].as_u64().unwrap() > 200, "{summary}");
    assert_eq!(said.code, 0, "a package of this workspace has a critical finding: {}", said.stdout);
    assert_eq!(document["notes"], serde_json::json!([]), "cargo could not be asked for kinds");
}
