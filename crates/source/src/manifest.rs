//! Reads `Cargo.toml`, `Cargo.toml.orig` and `.cargo_vcs_info.json`.
//!
//! The manifest is read as a TOML table rather than into cargo's own types: a field of the wrong type is a problem to
//! report, and must not hide the fields beside it.

mod dependencies;
mod inherited;
mod original;
mod targets;

use std::collections::BTreeMap;

use cratekeeper_model::facts::{ManifestFacts, VersionControl};
use toml::{Table, Value};

use crate::text::cut;

/// Manifests above this size are not read. The largest real ones (crates with a feature for each interface of an
/// operating system) have below 1 MiB.
const MANIFEST_BYTES: usize = 4 << 20;

/// Most problems that are listed.
const PROBLEMS: usize = 100;

/// Longest text field that is kept.
const FIELD_BYTES: usize = 4096;

/// Reads the manifest of a package that consists of `paths`.
pub(crate) fn read(
    manifest: Option<&[u8]>,
    original: Option<&[u8]>,
    version_control: Option<&[u8]>,
    paths: &[&str],
) -> ManifestFacts {
    let mut facts = ManifestFacts::default();
    let mut is_read = false;
    match manifest.map(parse) {
        Some(Ok(table)) => {
            facts = from_table(&table, paths);
            is_read = true;
        }
        Some(Err(reason)) => facts.problems.push(format!("`Cargo.toml` cannot be read: {reason}")),
        None => facts.problems.push("the package has no `Cargo.toml`".to_owned()),
    }
    if let Some(original) = original {
        facts.has_original = true;
        match parse(original) {
            Ok(table) if is_read => {
                facts.differences = original::differences(&facts, &from_table(&table, paths), &table);
            }
            Ok(_) => {}
            Err(reason) => facts.problems.push(format!("`Cargo.toml.orig` cannot be read: {reason}")),
        }
    }
    if let Some(bytes) = version_control {
        match read_version_control(bytes) {
            Ok(found) => facts.version_control = Some(found),
            Err(reason) => facts.problems.push(format!("`.cargo_vcs_info.json` cannot be read: {reason}")),
        }
    }
    facts
}

/// Reads the manifest of a member of a workspace whose root has the manifest `root`.
pub(crate) fn read_member(manifest: &[u8], root: &[u8], paths: &[&str]) -> ManifestFacts {
    let with_inherited = |manifest: &[u8]| -> Result<_, String> {
        let mut manifest = parse(manifest)?;
        match parse(root) {
            Ok(root) => inherited::inherit(&mut manifest, &root),
            Err(reason) => return Ok((manifest, Some(reason))),
        }
        Ok((manifest, None))
    };
    match with_inherited(manifest) {
        Ok((table, problem)) => {
            let mut facts = from_table(&table, paths);
            let problem =
                problem.map(|reason| format!("the workspace's `Cargo.toml` cannot be read: {reason}"));
            facts.problems.extend(problem);
            facts
        }
        Err(reason) => {
            let problem = format!("`Cargo.toml` cannot be read: {reason}");
            ManifestFacts { problems: vec![problem], ..ManifestFacts::default() }
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Table, String> {
    if bytes.len() > MANIFEST_BYTES {
        return Err(format!("it is larger than {} MiB", MANIFEST_BYTES >> 20));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    text.parse::<Table>().map_err(|error| cut(error.message().to_owned(), FIELD_BYTES))
}

/// Reads fields, and remembers those that have the wrong type.
pub(crate) struct Fields<'t, 'p> {
    table: &'t Table,
    /// What to put before a field's name in a problem.
    place: &'p str,
    problems: &'p mut Vec<String>,
}

impl<'t, 'p> Fields<'t, 'p> {
    pub(crate) fn new(table: &'t Table, place: &'p str, problems: &'p mut Vec<String>) -> Fields<'t, 'p> {
        Fields { table, place, problems }
    }

    fn wrong(&mut self, name: &str, expected: &str) {
        self.problem(format!("`{}{name}` is not {expected}", self.place));
    }

    fn inherited(&mut self, name: &str) {
        self.problem(format!(
            "`{}{name}` is inherited from a workspace, which is not in the package",
            self.place
        ));
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(cut(problem, 300));
        }
    }

    /// A field under either of two spellings; old manifests write `_` for `-`.
    fn value(&self, name: &str) -> Option<&'t Value> {
        self.table.get(name).or_else(|| self.table.get(&name.replace('-', "_")))
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(cut(text.clone(), FIELD_BYTES)),
            value if is_inherited(value) => {
                self.inherited(name);
                None
            }
            _ => {
                self.wrong(name, "a string");
                None
            }
        }
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Boolean(flag) => Some(*flag),
            _ => {
                self.wrong(name, "true or false");
                None
            }
        }
    }

    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::Array(values)) => {
                let texts: Vec<String> = values
                    .iter()
                    .filter_map(|it| it.as_str())
                    .map(|it| cut(it.to_owned(), FIELD_BYTES))
                    .collect();
                if texts.len() < values.len() {
                    self.wrong(name, "a list of strings");
                }
                texts
            }
            Some(value) if is_inherited(value) => {
                self.inherited(name);
                Vec::new()
            }
            None => Vec::new(),
            Some(_) => {
                self.wrong(name, "a list of strings");
                Vec::new()
            }
        }
    }

    pub(crate) fn table(&mut self, name: &str) -> Option<&'t Table> {
        match self.value(name)? {
            Value::Table(table) => Some(table),
            _ => {
                self.wrong(name, "a table");
                None
            }
        }
    }
}

/// `{ workspace = true }` in place of a value.
fn is_inherited(value: &Value) -> bool {
    value.as_table().is_some_and(|table| table.contains_key("workspace"))
}

fn from_table(manifest: &Table, paths: &[&str]) -> ManifestFacts {
    let mut problems = Vec::new();
    let empty = Table::new();
    let package = {
        let mut fields = Fields::new(manifest, "", &mut problems);
        // `[project]` is what `[package]` was called before 1.0.
        fields.table("package").or_else(|| fields.table("project")).unwrap_or(&empty)
    };
    let mut fields = Fields::new(package, "package.", &mut problems);
    let mut facts = ManifestFacts {
        name: fields.text("name"),
        version: fields.text("version"),
        edition: fields.text("edition"),
        rust_version: fields.text("rust-version"),
        license: fields.text("license"),
        license_file: fields.text("license-file"),
        description: fields.text("description"),
        repository: fields.text("repository"),
        homepage: fields.text("homepage"),
        documentation: fields.text("documentation"),
        authors: fields.texts("authors"),
        keywords: fields.texts("keywords"),
        categories: fields.texts("categories"),
        links: fields.text("links"),
        ..ManifestFacts::default()
    };
    facts.targets = targets::targets(manifest, package, facts.name.as_deref(), paths, &mut problems);
    facts.features = features(manifest, &mut problems);
    facts.dependencies = dependencies::dependencies(manifest, &mut problems);
    facts.documentation_arguments = documentation_arguments(package);
    facts.problems = problems;
    facts
}

/// What docs.rs gives its tools: <https://docs.rs/about/metadata>. Other keys of `metadata` are anybody's own.
fn documentation_arguments(package: &Table) -> Vec<String> {
    let docs = package.get("metadata").and_then(|metadata| metadata.get("docs"));
    let Some(settings) = docs.and_then(|docs| docs.get("rs")) else { return Vec::new() };
    let lists =
        ["rustdoc-args", "rustc-args", "cargo-args"].into_iter().filter_map(|name| settings.get(name));
    let texts = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    texts.take(PROBLEMS).map(|text| cut(text.to_owned(), FIELD_BYTES)).collect()
}

fn features(manifest: &Table, problems: &mut Vec<String>) -> BTreeMap<String, Vec<String>> {
    let Some(table) = Fields::new(manifest, "", problems).table("features") else { return BTreeMap::new() };
    let mut fields = Fields::new(table, "features.", problems);
    table.keys().map(|name| (cut(name.clone(), FIELD_BYTES), fields.texts(name))).collect()
}

/// The format is described in <https://doc.rust-lang.org/cargo/commands/cargo-package.html#cargo_vcs_infojson-format>.
fn read_version_control(bytes: &[u8]) -> Result<VersionControl, String> {
    #[derive(serde::Deserialize)]
    struct Info {
        git: Option<Git>,
        path_in_vcs: Option<String>,
    }
    #[derive(serde::Deserialize)]
    struct Git {
        sha1: Option<String>,
        dirty: Option<bool>,
    }
    if bytes.len() > MANIFEST_BYTES {
        return Err(format!("it is larger than {} MiB", MANIFEST_BYTES >> 20));
    }
    let info: Info = serde_json::from_slice(bytes).map_err(|error| cut(error.to_string(), FIELD_BYTES))?;
    let git = info.git.unwrap_or(Git { sha1: None, dirty: None });
    Ok(VersionControl {
        commit: git.sha1.map(|text| cut(text, 100)),
        dirty: git.dirty.unwrap_or(false),
        path: info.path_in_vcs.map(|text| cut(text, FIELD_BYTES)),
    })
}
