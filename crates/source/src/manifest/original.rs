//! Compares `Cargo.toml` with the `Cargo.toml.orig` that it claims to be the normal form of.
//!
//! Cargo rewrites a manifest when it packs a crate: it resolves what is inherited from a workspace, drops `path` and
//! `git` of dependencies, drops development dependencies that have no version, and spells out targets
//! (`prepare_for_publish` in cargo). What it never does is add a dependency or change a requirement, a feature, a name, or
//! the files that run at build time. Those are compared; the rest is not, and neither is what the original inherits.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::facts::{
    Dependency, DependencySection, ManifestDifference, ManifestFacts, TargetKind,
};
use toml::Table;

/// Most differences that are listed.
const DIFFERENCES: usize = 100;

pub(super) fn differences(
    published: &ManifestFacts,
    original: &ManifestFacts,
    original_table: &Table,
) -> Vec<ManifestDifference> {
    let mut found = Vec::new();
    package_fields(published, original, original_table, &mut found);
    dependencies(published, original, &mut found);
    features(published, original, &mut found);
    build_time_files(published, original, &mut found);
    found.truncate(DIFFERENCES);
    found
}

fn add(
    found: &mut Vec<ManifestDifference>,
    field: String,
    published: Option<String>,
    original: Option<String>,
) {
    if published != original {
        found.push(ManifestDifference { field, published, original });
    }
}

fn package_fields(
    published: &ManifestFacts,
    original: &ManifestFacts,
    table: &Table,
    found: &mut Vec<ManifestDifference>,
) {
    let package = table.get("package").or_else(|| table.get("project")).and_then(toml::Value::as_table);
    for (name, ours, theirs) in [
        ("name", &published.name, &original.name),
        ("version", &published.version, &original.version),
        ("edition", &published.edition, &original.edition),
        ("links", &published.links, &original.links),
        ("license", &published.license, &original.license),
        ("repository", &published.repository, &original.repository),
    ] {
        let inherited = package.and_then(|it| it.get(name)).is_some_and(toml::Value::is_table);
        // Cargo writes the default edition out.
        let default_edition = name == "edition" && theirs.is_none() && ours.as_deref() == Some("2015");
        if !inherited && !default_edition {
            add(found, format!("package.{name}"), ours.clone(), theirs.clone());
        }
    }
}

type Key = (DependencySection, String, String);

/// Dependencies by section, condition and name.
fn by_key(manifest: &ManifestFacts) -> BTreeMap<Key, &Dependency> {
    let key = |it: &Dependency| (it.section, condition(it.target.as_deref()), it.name.clone());
    manifest.dependencies.iter().map(|it| (key(it), it)).collect()
}

/// Cargo may print a condition with other white space.
fn condition(target: Option<&str>) -> String {
    target.unwrap_or("").chars().filter(|it| !it.is_whitespace()).collect()
}

fn dependencies(published: &ManifestFacts, original: &ManifestFacts, found: &mut Vec<ManifestDifference>) {
    let (ours, theirs) = (by_key(published), by_key(original));
    for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let field = format!("{}.{}", section(key), key.2);
        match (ours.get(key), theirs.get(key)) {
            (Some(our), Some(their)) => dependency(&field, our, their, found),
            (Some(our), None) => add(found, field, Some(summary(our)), None),
            (None, Some(their)) if is_dropped(their) => {}
            (None, Some(their)) => add(found, field, None, Some(summary(their))),
            (None, None) => {}
        }
    }
}

fn section((section, target, _): &Key) -> String {
    let table = match section {
        DependencySection::Normal => "dependencies",
        DependencySection::Build => "build-dependencies",
        DependencySection::Dev => "dev-dependencies",
    };
    if target.is_empty() { table.to_owned() } else { format!("target.{target}.{table}") }
}

/// Development dependencies without a version do not reach the registry; inherited ones may be such.
fn is_dropped(dependency: &Dependency) -> bool {
    dependency.section == DependencySection::Dev && (dependency.requirement.is_none() || dependency.workspace)
}

fn summary(dependency: &Dependency) -> String {
    let requirement = dependency.requirement.as_deref().unwrap_or("*");
    match &dependency.package {
        Some(package) => format!("{package} {requirement}"),
        None => requirement.to_owned(),
    }
}

fn dependency(field: &str, ours: &Dependency, theirs: &Dependency, found: &mut Vec<ManifestDifference>) {
    if theirs.workspace {
        return;
    }
    let requirement = |it: &Dependency| it.requirement.as_deref().unwrap_or("*").trim().to_owned();
    add(found, format!("{field}.version"), Some(requirement(ours)), Some(requirement(theirs)));
    add(found, format!("{field}.package"), ours.package.clone(), theirs.package.clone());
    let optional = |it: &Dependency| Some(it.optional.to_string());
    add(found, format!("{field}.optional"), optional(ours), optional(theirs));
    let defaults = |it: &Dependency| Some(it.default_features.to_string());
    add(found, format!("{field}.default-features"), defaults(ours), defaults(theirs));
    let added: Vec<&str> =
        ours.features.iter().filter(|it| !theirs.features.contains(it)).map(String::as_str).collect();
    if !added.is_empty() {
        add(found, format!("{field}.features"), Some(added.join(", ")), None);
    }
    // Cargo writes a registry's address for its name, and leaves `git` and `path` out; it never adds one.
    for (source, ours, theirs) in [
        ("registry", &ours.registry, &theirs.registry),
        ("git", &ours.git, &theirs.git),
        ("path", &ours.path, &theirs.path),
    ] {
        if ours.is_some() && theirs.is_none() {
            add(found, format!("{field}.{source}"), ours.clone(), None);
        }
    }
}

fn features(published: &ManifestFacts, original: &ManifestFacts, found: &mut Vec<ManifestDifference>) {
    let names = published.features.keys().chain(original.features.keys()).collect::<BTreeSet<_>>();
    for name in names {
        let (ours, theirs) = (published.features.get(name), original.features.get(name));
        let ours_set: BTreeSet<&String> = ours.into_iter().flatten().collect();
        let theirs_set: BTreeSet<&String> = theirs.into_iter().flatten().collect();
        // Cargo drops the features of dropped development dependencies, so only additions tell.
        let added: Vec<&str> = ours_set.difference(&theirs_set).map(|it| it.as_str()).collect();
        if ours.is_some() && theirs.is_none() {
            add(found, format!("features.{name}"), Some(format!("{ours_set:?}")), None);
        } else if !added.is_empty() {
            add(found, format!("features.{name}"), Some(added.join(", ")), None);
        }
    }
}

/// The library's kind and the build script: what runs on the builder's machine.
fn build_time_files(
    published: &ManifestFacts,
    original: &ManifestFacts,
    found: &mut Vec<ManifestDifference>,
) {
    let path_of = |manifest: &ManifestFacts, kind: TargetKind| {
        manifest.targets.iter().find(|it| it.kind == kind && it.exists).map(|it| it.path.clone())
    };
    for (field, kind) in [
        ("build", TargetKind::BuildScript),
        ("lib.proc-macro", TargetKind::ProcMacro),
        ("lib", TargetKind::Lib),
    ] {
        add(found, field.to_owned(), path_of(published, kind), path_of(original, kind));
    }
}
