//! The project's own dependencies through the gate: every real crate in cargo's cache, from a mirror on this machine, with the machine's cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cratekeeper_model::Checksum;
use cratekeeper_server::protocol::{CrateName, index_path};
use serde_json::{Value, json};

use crate::world::World;

/// Longer than any version here is old.
const NOW: i64 = 1_790_000_000;

/// Fetches what the workspace's lockfile names, and builds a small program, through a gate in front of a mirror.
pub(crate) fn real_crates() -> bool {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mirror = directory.path().join("mirror");
    let count = make_mirror(&workspace, &mirror);
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

/// A directory with the archives of cargo's cache that the lockfile names, and index lines made of their manifests by cargo itself.
fn make_mirror(workspace: &Path, mirror: &Path) -> usize {
    fs::create_dir_all(mirror.join("index")).unwrap();
    let lockfile: toml::Table = fs::read_to_string(workspace.join("Cargo.lock")).unwrap().parse().unwrap();
    let caches = caches();
    let mut count = 0;
    for package in lockfile["package"].as_array().unwrap() {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        let (Some(name), Some(version), Some(checksum)) = (text("name"), text("version"), text("checksum"))
        else {
            continue;
        };
        let file = format!("{name}-{version}.crate");
        let found = caches.iter().map(|it| it.join(&file)).find(|it| it.is_file());
        let source = found.unwrap_or_else(|| {
            panic!("`{file}` is not in cargo's cache; run `cargo fetch` in the workspace")
        });
        let bytes = fs::read(source).unwrap();
        assert_eq!(Checksum::of(&bytes).to_string(), checksum, "{file}");
        fs::write(mirror.join(&file), &bytes).unwrap();
        let path = mirror.join("index").join(index_path(&CrateName::parse(name).unwrap()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("{before}{}\n", line(&bytes, name, version, checksum))).unwrap();
        count += 1;
    }
    count
}

fn caches() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"))).unwrap();
    fs::read_dir(home.join("registry/cache")).into_iter().flatten().map(|it| it.unwrap().path()).collect()
}

/// The index line of an archive, by its normalized manifest.
fn line(bytes: &[u8], name: &str, version: &str, checksum: &str) -> Value {
    let expected = cratekeeper_archive::Expected::package(name, version);
    let archive =
        cratekeeper_archive::read_crate_bytes(bytes, &expected, &cratekeeper_archive::Limits::default())
            .unwrap();
    let manifest = archive.file("Cargo.toml").unwrap();
    let manifest: toml::Table = std::str::from_utf8(&manifest.contents).unwrap().parse().unwrap();
    let claimed = crate::incidents::metadata(&manifest, name, version);
    let deps: Vec<Value> = claimed["deps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let renamed = it["explicit_name_in_toml"].as_str();
            json!({
                "name": renamed.map_or_else(|| it["name"].clone(), Value::from),
                "package": renamed.map_or(Value::Null, |_| it["name"].clone()),
                "req": it["version_req"], "features": it["features"], "optional": it["optional"],
                "default_features": it["default_features"], "target": it["target"], "kind": it["kind"], "registry": Value::Null,
            })
        })
        .collect();
    json!({
        "name": name, "vers": version, "deps": deps, "cksum": checksum, "features": {}, "features2": claimed["features"], "yanked": false,
        "links": claimed["links"], "v": 2, "pubtime": "2020-01-01T00:00:00Z",
    })
}
