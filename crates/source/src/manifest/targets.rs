//! What cargo would build: declared targets, and those that cargo finds by file names.
//!
//! Rules: <https://doc.rust-lang.org/cargo/reference/cargo-targets.html#target-auto-discovery>.

use std::collections::BTreeSet;

use cratekeeper_model::facts::{Target, TargetKind};
use toml::{Table, Value};

use super::Fields;
use crate::modules::normalize;

/// Most targets that are listed; facts number them in 16 bits.
const TARGETS: usize = u16::MAX as usize;

/// The kinds that come as lists: table, kind, directory, switch for discovery.
const LISTS: [(&str, TargetKind, &str, &str); 4] = [
    ("bin", TargetKind::Bin, "src/bin", "autobins"),
    ("example", TargetKind::Example, "examples", "autoexamples"),
    ("test", TargetKind::Test, "tests", "autotests"),
    ("bench", TargetKind::Bench, "benches", "autobenches"),
];

pub(super) fn targets(
    manifest: &Table,
    package: &Table,
    name: Option<&str>,
    paths: &[&str],
    problems: &mut Vec<String>,
) -> Vec<Target> {
    let mut finder = Finder { paths, found: Vec::new(), known: BTreeSet::new() };
    let package_name = name.unwrap_or("_");
    finder.library(manifest, package, package_name, problems);
    for (table, kind, directory, switch) in LISTS {
        finder.declared(manifest, table, kind, directory, package_name, problems);
        // In edition 2015 one declared target of a kind switches discovery of the others off.
        let is_2015 = matches!(package.get("edition"), None | Some(Value::String(_)))
            && package.get("edition").and_then(Value::as_str).unwrap_or("2015") == "2015";
        let default = !(is_2015 && manifest.contains_key(table));
        let discover = Fields::new(package, "package.", problems).flag(switch).unwrap_or(default);
        if discover {
            finder.discovered(kind, directory, package_name);
        }
    }
    finder.build_script(package, problems);
    finder.found
}

struct Finder<'p> {
    paths: &'p [&'p str],
    found: Vec<Target>,
    /// Kind with path, and kind with name, of what was found.
    known: BTreeSet<(TargetKind, String)>,
}

impl Finder<'_> {
    /// `paths` is sorted.
    fn exists(&self, path: &str) -> bool {
        self.paths.binary_search(&path).is_ok()
    }

    fn add(&mut self, kind: TargetKind, name: String, path: &str, required_features: Vec<String>) {
        // A path that leaves the package stays as written: it does not exist here.
        let path = normalize("", path).unwrap_or_else(|| path.to_owned());
        let by_path = (kind, format!("/{path}"));
        // Build scripts in two directories may share a name.
        let by_name = (kind, if kind == TargetKind::BuildScript { path.clone() } else { name.clone() });
        if self.found.len() < TARGETS && !self.known.contains(&by_path) && !self.known.contains(&by_name) {
            self.known.extend([by_path, by_name]);
            let exists = self.exists(&path);
            self.found.push(Target { kind, name, path, exists, required_features });
        }
    }

    fn library(&mut self, manifest: &Table, package: &Table, package_name: &str, problems: &mut Vec<String>) {
        let declared = Fields::new(manifest, "", problems).table("lib");
        let discover = Fields::new(package, "package.", problems).flag("autolib").unwrap_or(true);
        if declared.is_none() && !(discover && self.exists("src/lib.rs")) {
            return;
        }
        let empty = Table::new();
        let mut fields = Fields::new(declared.unwrap_or(&empty), "lib.", problems);
        let name = fields.text("name").unwrap_or_else(|| package_name.to_owned()).replace('-', "_");
        let types = fields.texts("crate-type");
        let is_macro =
            fields.flag("proc-macro").unwrap_or(false) || types.iter().any(|it| it == "proc-macro");
        let kind = if is_macro { TargetKind::ProcMacro } else { TargetKind::Lib };
        // Old packages keep the library in a file of its own name.
        let old = format!("src/{name}.rs");
        let default =
            if !self.exists("src/lib.rs") && self.exists(&old) { old } else { "src/lib.rs".to_owned() };
        let path = fields.text("path").unwrap_or(default);
        self.add(kind, name, &path, Vec::new());
    }

    fn declared(
        &mut self,
        manifest: &Table,
        table: &str,
        kind: TargetKind,
        directory: &str,
        package_name: &str,
        problems: &mut Vec<String>,
    ) {
        let entries = match manifest.get(table) {
            None => return,
            Some(Value::Array(entries)) => entries,
            Some(_) => return Fields::new(manifest, "", problems).wrong(table, "a list of tables"),
        };
        for entry in entries.iter().filter_map(Value::as_table) {
            let place = format!("{table}.");
            let mut fields = Fields::new(entry, &place, problems);
            let name = fields.text("name").unwrap_or_else(|| package_name.to_owned());
            let path =
                fields.text("path").unwrap_or_else(|| self.usual_path(kind, directory, &name, package_name));
            let features = fields.texts("required-features");
            self.add(kind, name, &path, features);
        }
    }

    fn usual_path(&self, kind: TargetKind, directory: &str, name: &str, package_name: &str) -> String {
        let file = format!("{directory}/{name}.rs");
        let main = format!("{directory}/{name}/main.rs");
        let is_main = kind == TargetKind::Bin && name == package_name && self.exists("src/main.rs");
        if self.exists(&file) {
            file
        } else if is_main {
            "src/main.rs".to_owned()
        } else if self.exists(&main) {
            main
        } else {
            file
        }
    }

    fn discovered(&mut self, kind: TargetKind, directory: &str, package_name: &str) {
        if kind == TargetKind::Bin && self.exists("src/main.rs") {
            self.add(kind, package_name.to_owned(), "src/main.rs", Vec::new());
        }
        let prefix = format!("{directory}/");
        for path in self.paths {
            let Some(rest) = path.strip_prefix(&prefix) else { continue };
            let name = match rest.split_once('/') {
                None => rest.strip_suffix(".rs"),
                Some((name, "main.rs")) => Some(name),
                Some(_) => None,
            };
            if let Some(name) = name {
                self.add(kind, name.to_owned(), path, Vec::new());
            }
        }
    }

    /// `build = "…"`, a list of such (an unstable feature), or `build.rs`; `build = false` for none.
    fn build_script(&mut self, package: &Table, problems: &mut Vec<String>) {
        let declared = match package.get("build") {
            Some(Value::Boolean(false)) => return,
            Some(Value::String(path)) => vec![path.clone()],
            Some(Value::Array(_)) => Fields::new(package, "package.", problems).texts("build"),
            _ if self.exists("build.rs") => vec!["build.rs".to_owned()],
            _ => return,
        };
        for path in declared {
            let file = path.rsplit(['/', '\\']).next().unwrap_or(&path);
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            self.add(TargetKind::BuildScript, format!("build-script-{stem}"), &path, Vec::new());
        }
    }
}
