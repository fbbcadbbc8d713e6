//! Dependencies: which crates are built along.
//!
//! Dev-dependencies are left out, because nobody who uses the crate builds them. Crates are compared by their own name, not by
//! the name that code uses, so that a renamed dependency on another crate is a removed and an added one.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::ChangeKind;
use cratekeeper_model::facts::{Dependency, DependencySection, ManifestFacts};

use crate::changes::{Changes, place};

pub(crate) fn compare(older: &ManifestFacts, newer: &ManifestFacts, changes: &mut Changes) {
    for (section, kind) in [
        (DependencySection::Normal, ChangeKind::Dependency),
        (DependencySection::Build, ChangeKind::BuildDependency),
    ] {
        let (before, after) = (written(older, section), written(newer, section));
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for name in names {
            let text = |of: &BTreeMap<&str, BTreeSet<String>>| {
                of.get(name).map(|it| it.iter().cloned().collect::<Vec<_>>().join("; "))
            };
            let (before, after) = (text(&before), text(&after));
            let excerpt = after.clone().or_else(|| before.clone());
            changes.compare(kind, name, before, after, || vec![place("Cargo.toml", 0, excerpt.as_deref())]);
        }
    }
}

/// What the manifest says of each crate in a section; a crate may be named several times, for several targets.
fn written(manifest: &ManifestFacts, section: DependencySection) -> BTreeMap<&str, BTreeSet<String>> {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for dependency in manifest.dependencies.iter().filter(|it| it.section == section) {
        let name = dependency.package.as_deref().unwrap_or(&dependency.name);
        found.entry(name).or_default().insert(describe(dependency));
    }
    found
}

/// As in a manifest, with what decides about the crate that is built.
fn describe(dependency: &Dependency) -> String {
    let Dependency { name, package, requirement, target, optional, features, registry, git, path, .. } =
        dependency;
    let mut text = format!("{name} = {:?}", requirement.as_deref().unwrap_or("*"));
    for (key, value) in
        [("package", package), ("registry", registry), ("git", git), ("path", path), ("target", target)]
    {
        if let Some(value) = value {
            text.push_str(&format!(", {key} = {value:?}"));
        }
    }
    if *optional {
        text.push_str(", optional");
    }
    if !dependency.default_features {
        text.push_str(", default-features = false");
    }
    if !features.is_empty() {
        text.push_str(&format!(", features = {features:?}"));
    }
    text
}
