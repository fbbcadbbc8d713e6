//! A dependency tree of hand-made crates: published in a world's registry, locked, and used by one member.

use std::fs;

use cratekeeper_archive::CrateBuilder;
use cratekeeper_model::Checksum;

use crate::world::{World, manifest, registry};

pub(crate) struct Tree {
    pub(crate) world: World,
    /// Entries of the lockfile, with what they are sorted by.
    entries: Vec<(String, String)>,
}

impl Tree {
    pub(crate) fn new() -> Tree {
        Tree { world: World::new(), entries: Vec::new() }
    }

    /// Publishes a package and locks it. `more` follows `[package]` in the manifest; `dependencies` are those of the lockfile.
    pub(crate) fn publish(
        &mut self,
        name: &str,
        version: &str,
        more: &str,
        files: &[(&str, &str)],
        dependencies: &[&str],
    ) -> &mut Tree {
        let bytes = archive(name, version, more, files);
        self.world.add(name, version, &bytes);
        let entry = format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{}\"\nchecksum = \"{}\"\n{}",
            registry(),
            Checksum::of(&bytes),
            locked(dependencies)
        );
        self.entries.push((format!("{name} {version}"), entry));
        self
    }

    /// Writes the workspace: `member` with these files, and its lockfile.
    pub(crate) fn member(&mut self, more: &str, files: &[(&str, &str)], dependencies: &[&str]) -> &mut Tree {
        let entry = format!("[[package]]\nname = \"member\"\nversion = \"0.1.0\"\n{}", locked(dependencies));
        self.entries.push(("member 0.1.0".to_owned(), entry));
        self.entries.sort();
        let entries: Vec<&str> = self.entries.iter().map(|it| it.1.as_str()).collect();
        let files = files.iter().copied();
        let manifest = format!("{}{more}", manifest("member", "0.1.0"));
        let lockfile = format!("version = 4\n\n{}", entries.join("\n"));
        for (path, text) in files.chain([("Cargo.toml", &*manifest), ("Cargo.lock", &*lockfile)]) {
            let path = self.world.path("workspace").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self
    }
}

/// A package with this manifest behind `[package]`, packed.
pub(crate) fn archive(name: &str, version: &str, more: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let manifest = format!("{}{more}", manifest(name, version));
    let builder = CrateBuilder::new(name, version).file("Cargo.toml", manifest);
    files.iter().fold(builder, |it, (path, text)| it.file(path, text)).build()
}

fn locked(dependencies: &[&str]) -> String {
    if dependencies.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = dependencies.iter().map(|it| format!(" \"{it}\",\n")).collect();
    format!("dependencies = [\n{}]\n", lines.concat())
}
