//! The project's own dependencies through the gate: every real crate in cargo's cache, from a mirror on this machine, with the machine's cargo.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::mirror::make_mirror;
use crate::world::World;

/// Longer than any version here is old.
const NOW: i64 = 1_790_000_000;

/// Fetches what the workspace's lockfile names, and builds a small program, through a gate in front of a mirror.
pub(crate) fn real_crates() -> bool {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mirror = directory.path().join("mirror");
    let count = make_mirror(&workspace, &mirror).unwrap().len();
    let index = mirror.display().to_string();
    let world = World::open(NOW, |configuration| {
        let upstream = cratekeeper_server::UpstreamConfiguration { index, ..Default::default() };
        configuration.upstream.insert("mirror".to_owned(), upstream);
        configuration.inspection_wait = 25;
    });
    let home = directory.path().join("cargo");
    fs::create_dir_all(&home).unwrap();
    let config = format!(
        "[source.crates-io]\nreplace-with = \"gate\"\n[source.gate]\nregistry = \"sparse+http://{}/proxy/mirror/index/\"\n[net]\nretry = 10\n",
        world.address
    );
    fs::write(home.join("config.toml"), config).unwrap();
    let manifest = workspace.join("Cargo.toml").display().to_string();
    succeeds(cargo(&home, directory.path()).args(["fetch", "--locked", "--manifest-path", &manifest]));
    let counts = world.administer("GET", "/admin/v1/status", &Value::Null)["versions"].clone();
    let queue = world.administer("GET", "/admin/v1/queue?state=held", &Value::Null);
    println!("{count} real crates: {counts}");
    for entry in queue["versions"].as_array().unwrap() {
        println!("    held: {entry}");
    }
    let project = directory.path().join("project");
    fs::create_dir_all(project.join("src")).unwrap();
    let manifest = "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nfastrand = \"2\"\n[workspace]\n";
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    fs::write(project.join("src/lib.rs"), "pub fn any() -> u8 { fastrand::u8(..) }\n").unwrap();
    succeeds(cargo(&home, &project).arg("build"));
    let is_held = |state: &str| counts[state].as_u64().unwrap_or(0) > 0;
    !is_held("held") && !is_held("blocked") && !is_held("failed")
}

fn cargo(home: &Path, directory: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(directory).env("CARGO_HOME", home).env_remove("CARGO_TARGET_DIR");
    command
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
