//! A mirror on this machine: the real crates of the workspace's lockfile, out of cargo's cache, with index lines that are made of their manifests.
//!
//! It is shared by tests and the benchmark.

use std::fs;
use std::path::{Path, PathBuf};

use cratekeeper_model::Checksum;
use cratekeeper_server::protocol::{CrateName, index_path};
use serde_json::{Value, json};

/// A directory with the archives of cargo's cache that the lockfile names, and index lines made of their manifests by cargo itself. Gives names and
/// versions, or what is missing.
pub(crate) fn make_mirror(workspace: &Path, mirror: &Path) -> Result<Vec<(String, String)>, String> {
    fs::create_dir_all(mirror.join("index")).unwrap();
    let lockfile: toml::Table = fs::read_to_string(workspace.join("Cargo.lock")).unwrap().parse().unwrap();
    let caches = caches();
    let mut made = Vec::new();
    for package in lockfile["package"].as_array().unwrap() {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        let (Some(name), Some(version), Some(checksum)) = (text("name"), text("version"), text("checksum"))
        else {
            continue;
        };
        let file = format!("{name}-{version}.crate");
        let found = caches.iter().map(|it| it.join(&file)).find(|it| it.is_file());
        let source = found
            .ok_or_else(|| format!("`{file}` is not in cargo's cache; run `cargo fetch` in the workspace"))?;
        let bytes = fs::read(source).unwrap();
        assert_eq!(Checksum::of(&bytes).to_string(), checksum, "{file}");
        fs::write(mirror.join(&file), &bytes).unwrap();
        let path = mirror.join("index").join(index_path(&CrateName::parse(name).unwrap()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("{before}{}\n", line(&bytes, name, version, checksum))).unwrap();
        made.push((name.to_owned(), version.to_owned()));
    }
    Ok(made)
}

pub(crate) fn caches() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"))).unwrap();
    fs::read_dir(home.join("registry/cache")).into_iter().flatten().map(|it| it.unwrap().path()).collect()
}

/// The normalized manifest in an archive.
pub(crate) fn manifest_of(bytes: &[u8], name: &str, version: &str) -> toml::Table {
    let expected = cratekeeper_archive::Expected::package(name, version);
    let archive =
        cratekeeper_archive::read_crate_bytes(bytes, &expected, &cratekeeper_archive::Limits::default())
            .unwrap();
    let manifest = archive.file("Cargo.toml").unwrap();
    std::str::from_utf8(&manifest.contents).unwrap().parse().unwrap()
}

/// The index line of an archive, by its normalized manifest.
fn line(bytes: &[u8], name: &str, version: &str, checksum: &str) -> Value {
    let manifest = manifest_of(bytes, name, version);
    let claimed = metadata(&manifest, name, version);
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

/// What cargo would claim about a package with this manifest.
pub(crate) fn metadata(manifest: &toml::Table, name: &str, version: &str) -> Value {
    let mut deps = Vec::new();
    let mut collect = |table: Option<&toml::Value>, kind: &str, target: Option<&str>| {
        for (key, value) in table.and_then(toml::Value::as_table).into_iter().flatten() {
            let field = |key: &str| value.get(key).and_then(toml::Value::as_str);
            let requirement = value.as_str().or(field("version")).unwrap_or("*");
            let strings =
                |key: &str| value.get(key).cloned().unwrap_or_else(|| toml::Value::Array(Vec::new()));
            let flag =
                |key: &str, default: bool| value.get(key).and_then(toml::Value::as_bool).unwrap_or(default);
            deps.push(json!({
                "name": field("package").unwrap_or(key),
                "version_req": requirement,
                "features": strings("features"),
                "optional": flag("optional", false),
                "default_features": flag("default-features", true),
                "target": target,
                "kind": kind,
                "explicit_name_in_toml": field("package").map(|_| key),
            }));
        }
    };
    let sections = [("dependencies", "normal"), ("build-dependencies", "build"), ("dev-dependencies", "dev")];
    for (section, kind) in sections {
        collect(manifest.get(section), kind, None);
    }
    for (target, table) in manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten() {
        for (section, kind) in sections {
            collect(table.get(section), kind, Some(target));
        }
    }
    let package = &manifest["package"];
    json!({
        "name": name,
        "vers": version,
        "deps": deps,
        "features": manifest.get("features").cloned().unwrap_or_else(|| toml::Value::Table(toml::Table::new())),
        "links": package.get("links"),
        "rust_version": package.get("rust-version"),
    })
}
