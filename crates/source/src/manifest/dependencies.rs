//! `[dependencies]` and its kin.

use cratekeeper_model::facts::{Dependency, DependencySection};
use toml::{Table, Value};

use super::{FIELD_BYTES, Fields};
use crate::text::cut;

/// The tables, with the name that old manifests use.
const SECTIONS: [(&str, DependencySection); 3] = [
    ("dependencies", DependencySection::Normal),
    ("build-dependencies", DependencySection::Build),
    ("dev-dependencies", DependencySection::Dev),
];

pub(super) fn dependencies(manifest: &Table, problems: &mut Vec<String>) -> Vec<Dependency> {
    let mut found = Vec::new();
    sections(manifest, None, &mut found, problems);
    let targets = Fields::new(manifest, "", problems).table("target");
    for (target, value) in targets.into_iter().flatten() {
        match value {
            Value::Table(table) => sections(table, Some(target), &mut found, problems),
            _ => Fields::new(manifest, "", problems).wrong(&format!("target.{target}"), "a table"),
        }
    }
    found
}

fn sections(table: &Table, target: Option<&str>, found: &mut Vec<Dependency>, problems: &mut Vec<String>) {
    for (name, section) in SECTIONS {
        let Some(entries) = Fields::new(table, "", problems).table(name) else { continue };
        found.extend(entries.iter().map(|(key, value)| dependency(key, value, section, target, problems)));
    }
}

fn dependency(
    name: &str,
    value: &Value,
    section: DependencySection,
    target: Option<&str>,
    problems: &mut Vec<String>,
) -> Dependency {
    let place = format!("dependencies.{name}.");
    let short = Table::from_iter([("version".to_owned(), value.clone())]);
    let table = value.as_table().unwrap_or(&short);
    let mut fields = Fields::new(table, &place, problems);
    Dependency {
        name: cut(name.to_owned(), FIELD_BYTES),
        package: fields.text("package"),
        requirement: fields.text("version"),
        section,
        target: target.map(|it| cut(it.to_owned(), FIELD_BYTES)),
        optional: fields.flag("optional").unwrap_or(false),
        default_features: fields.flag("default-features").unwrap_or(true),
        features: fields.texts("features"),
        registry: fields.text("registry-index").or_else(|| fields.text("registry")),
        git: fields.text("git"),
        path: fields.text("path"),
        workspace: fields.flag("workspace").unwrap_or(false),
    }
}
