//! A small world: a home directory, a registry of hand-made crates, a workspace, an advisory database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cratekeeper_archive::{CrateBuilder, Expected, Limits};
use cratekeeper_model::Checksum;
use serde_json::Value;
use tempfile::TempDir;

/// Source of packages in the lockfiles of these tests: the registry that cargo means when none is named, which every world
/// replaces with a local one.
pub(crate) fn registry() -> String {
    let environment = cratekeeper_registry::CargoEnvironment::new("/nowhere".into(), []);
    let config = cratekeeper_registry::CargoConfig::load(Path::new("/"), &environment).unwrap();
    config.default_registry().unwrap().to_string()
}

pub(crate) struct World {
    directory: TempDir,
    packages: Vec<(String, String, Checksum)>,
}

/// What the program said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The answer as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }
}

impl World {
    pub(crate) fn new() -> World {
        let directory = tempfile::tempdir().unwrap();
        let world = World { directory, packages: Vec::new() };
        fs::create_dir_all(world.path("registry/index")).unwrap();
        fs::create_dir_all(world.path("workspace/src")).unwrap();
        fs::create_dir_all(world.path("cargo")).unwrap();
        let registry = world.path("registry");
        let config = format!(
            "[source.crates-io]\nreplace-with = \"local\"\n[source.local]\nlocal-registry = {:?}\n",
            registry.to_str().unwrap()
        );
        fs::write(world.path("cargo/config.toml"), config).unwrap();
        fs::write(world.path("workspace/src/lib.rs"), "").unwrap();
        world
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        // Canonical, because the program prints canonical paths on platforms whose temporary directory is a link.
        fs::canonicalize(self.directory.path()).unwrap().join(relative)
    }

    /// Puts a crate into the registry and the lockfile.
    pub(crate) fn add(&mut self, name: &str, version: &str, bytes: &[u8]) -> &mut World {
        self.add_yankable(name, version, bytes, false)
    }

    pub(crate) fn add_yankable(
        &mut self,
        name: &str,
        version: &str,
        bytes: &[u8],
        yanked: bool,
    ) -> &mut World {
        let checksum = Checksum::of(bytes);
        fs::write(self.path(&format!("registry/{name}-{version}.crate")), bytes).unwrap();
        let directory = match name.len() {
            1 | 2 => name.len().to_string(),
            3 => format!("3/{}", &name[..1]),
            _ => format!("{}/{}", &name[..2], &name[2..4]),
        };
        let directory = self.path(&format!("registry/index/{directory}"));
        fs::create_dir_all(&directory).unwrap();
        let (dependencies, features) = declared(bytes);
        let line = serde_json::json!({
            "name": name, "vers": version, "deps": dependencies, "cksum": checksum.to_string(), "features": features,
            "yanked": yanked
        });
        let file = directory.join(name);
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, format!("{before}{line}\n")).unwrap();
        self.packages.push((name.to_owned(), version.to_owned(), checksum));
        self
    }

    /// Adds a harmless crate.
    pub(crate) fn add_harmless(&mut self, name: &str, version: &str) -> &mut World {
        let bytes = CrateBuilder::new(name, version)
            .file("Cargo.toml", manifest(name, version))
            .file("src/lib.rs", "pub fn answer() -> u8 { 42 }\n")
            .build();
        self.add(name, version, &bytes)
    }

    /// Writes the workspace: a member that depends on everything in the registry.
    pub(crate) fn workspace(&self) -> &World {
        let mut manifest = manifest("member", "0.1.0");
        manifest.push_str("[dependencies]\n");
        for (name, version, _) in &self.packages {
            manifest.push_str(&format!("{name} = \"={version}\"\n"));
        }
        fs::write(self.path("workspace/Cargo.toml"), manifest).unwrap();
        fs::write(self.path("workspace/Cargo.lock"), self.lockfile()).unwrap();
        self
    }

    fn lockfile(&self) -> String {
        let mut sorted = self.packages.clone();
        sorted.sort();
        let names: String = sorted.iter().map(|(name, ..)| format!(" \"{name}\",\n")).collect();
        let member =
            format!("[[package]]\nname = \"member\"\nversion = \"0.1.0\"\ndependencies = [\n{names}]\n");
        let mut entries: Vec<(String, String)> = vec![("member".to_owned(), member)];
        for (name, version, checksum) in sorted {
            let source = registry();
            let entry = format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\nchecksum = \"{checksum}\"\n"
            );
            entries.push((name, entry));
        }
        entries.sort();
        let entries: Vec<String> = entries.into_iter().map(|(_, entry)| entry).collect();
        format!("version = 4\n\n{}", entries.join("\n"))
    }

    /// An advisory database with one advisory against `name` below 2.0.0.
    pub(crate) fn advisories(&self, name: &str, extra: &str) -> &World {
        let directory = self.path(&format!("advisory-db/crates/{name}"));
        fs::create_dir_all(&directory).unwrap();
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-9001\"\npackage = \"{name}\"\ndate = \"2026-01-01\"\n{extra}\n\
             [versions]\npatched = [\">= 2.0.0\"]\n```\n\n# A made-up problem\n\nFor tests.\n"
        );
        fs::write(directory.join("RUSTSEC-2026-9001.md"), text).unwrap();
        self
    }

    /// The program, in the workspace.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_cratekeeper"), arguments)
    }

    pub(crate) fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path("workspace")).env_clear();
        for (variable, directory) in
            [("HOME", "home"), ("CARGO_HOME", "cargo"), ("CRATEKEEPER_CACHE_DIR", "cache")]
        {
            command.env(variable, self.path(directory));
        }
        // The machine's cargo, which may be a proxy that has to find its toolchains.
        for variable in ["PATH", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        if std::env::var_os("RUSTUP_HOME").is_none()
            && let Some(home) = std::env::var_os("HOME")
        {
            command.env("RUSTUP_HOME", Path::new(&home).join(".rustup"));
        }
        command
    }

    /// Runs the program. Paths of this world become `[world]` in what it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.said(&self.command(arguments).output().unwrap())
    }

    pub(crate) fn said(&self, output: &Output) -> Said {
        let root = self.path("");
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.replace(root.to_str().unwrap().trim_end_matches('/'), "[world]")
        };
        Said {
            code: output.status.code().unwrap(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// `check` with the world's advisory database, offline, as JSON.
    pub(crate) fn check(&self, arguments: &[&str]) -> Said {
        let mut all = vec!["check", "--offline", "--format", "json", "--advisory-db", "../advisory-db"];
        all.extend(arguments);
        self.run(&all)
    }
}

pub(crate) fn manifest(name: &str, version: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\n")
}

/// What a registry that compares puts into its index: dependencies and features of the manifest in an archive. Nothing where
/// there is none.
fn declared(bytes: &[u8]) -> (Value, Value) {
    let read = cratekeeper_archive::read_crate_bytes(bytes, &Expected::anything(), &Limits::default());
    let manifest = read.ok().and_then(|it| {
        let file = it.files.iter().find(|it| it.path == "Cargo.toml")?;
        toml::from_str::<toml::Table>(std::str::from_utf8(&file.contents).ok()?).ok()
    });
    let manifest = manifest.unwrap_or_default();
    let mut lines = Vec::new();
    for (section, kind) in
        [("dependencies", "normal"), ("build-dependencies", "build"), ("dev-dependencies", "dev")]
    {
        lines.extend(lines_of(&manifest, section, kind, None));
        for (target, tables) in manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten() {
            lines.extend(
                tables.as_table().into_iter().flat_map(|it| lines_of(it, section, kind, Some(target))),
            );
        }
    }
    let features = manifest.get("features").map(|it| serde_json::to_value(it).unwrap());
    (Value::Array(lines), features.unwrap_or_else(|| serde_json::json!({})))
}

fn lines_of(tables: &toml::Table, section: &str, kind: &str, target: Option<&str>) -> Vec<Value> {
    let all = tables.get(section).and_then(toml::Value::as_table).into_iter().flatten();
    let line = |(name, asked): (&String, &toml::Value)| {
        let flag = |key: &str, usual| asked.get(key).and_then(toml::Value::as_bool).unwrap_or(usual);
        let text = |key: &str| asked.get(key).and_then(toml::Value::as_str);
        let features = asked.get("features").map(|it| serde_json::to_value(it).unwrap());
        serde_json::json!({
            "name": name, "req": asked.as_str().or(text("version")).unwrap_or("*"), "kind": kind, "target": target,
            "package": text("package"), "optional": flag("optional", false),
            "default_features": flag("default-features", true),
            "features": features.unwrap_or_else(|| serde_json::json!([])),
        })
    };
    all.map(line).collect()
}

/// The entry of a package in a `check` document.
pub(crate) fn package<'a>(document: &'a Value, name: &str) -> &'a Value {
    let packages = document["packages"].as_array().unwrap();
    packages
        .iter()
        .find(|package| package["name"] == name)
        .unwrap_or_else(|| panic!("no `{name}` in {document:#}"))
}

/// Ids of the rules that found something.
pub(crate) fn rules(case: &Value) -> Vec<&str> {
    let findings = case["findings"].as_array().unwrap();
    let mut rules: Vec<&str> = findings.iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    rules.sort_unstable();
    rules
}

/// Asserts a clear error with a hint, exit code 2, and nothing half-written.
#[track_caller]
pub(crate) fn refused(said: &Said, expected: &[&str]) {
    assert_eq!(said.code, 2, "{}\n{}", said.stdout, said.stderr);
    assert_eq!(said.stdout, "", "something was written before the error");
    assert!(said.stderr.starts_with("error: "), "{}", said.stderr);
    assert!(said.stderr.contains("\nhint: "), "no hint: {}", said.stderr);
    for text in expected {
        assert!(said.stderr.contains(text), "no `{text}` in: {}", said.stderr);
    }
}
