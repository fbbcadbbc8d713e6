//! What the manifest says about the package itself: where it comes from, who wrote it, how it is built.

use std::collections::BTreeSet;

use cratekeeper_model::ChangeKind;
use cratekeeper_model::facts::ManifestFacts;

use crate::changes::{Changes, place};

pub(crate) fn compare(older: &ManifestFacts, newer: &ManifestFacts, changes: &mut Changes) {
    let mut field = |kind, name: &str, before: &Option<String>, after: &Option<String>| {
        let excerpt = after.as_ref().or(before.as_ref()).map(|value| format!("{name} = {value:?}"));
        let (before, after) = (before.clone(), after.clone());
        changes.compare(kind, name, before, after, || vec![place("Cargo.toml", 0, excerpt.as_deref())]);
    };
    field(ChangeKind::Repository, "repository", &older.repository, &newer.repository);
    field(ChangeKind::Authors, "authors", &authors(older), &authors(newer));
    for (name, before, after) in [
        ("name", &older.name, &newer.name),
        ("links", &older.links, &newer.links),
        ("edition", &older.edition, &newer.edition),
        ("rust-version", &older.rust_version, &newer.rust_version),
        ("license", &older.license, &newer.license),
        ("license-file", &older.license_file, &newer.license_file),
        ("homepage", &older.homepage, &newer.homepage),
        ("documentation", &older.documentation, &newer.documentation),
        ("description", &older.description, &newer.description),
    ] {
        field(ChangeKind::Manifest, name, before, after);
    }
    features(older, newer, changes);
}

fn authors(manifest: &ManifestFacts) -> Option<String> {
    let authors: BTreeSet<&str> = manifest.authors.iter().map(String::as_str).collect();
    (!authors.is_empty()).then(|| authors.into_iter().collect::<Vec<_>>().join(", "))
}

fn features(older: &ManifestFacts, newer: &ManifestFacts, changes: &mut Changes) {
    let names: BTreeSet<&String> = older.features.keys().chain(newer.features.keys()).collect();
    for name in names {
        let text = |manifest: &ManifestFacts| {
            let members: Option<BTreeSet<&String>> =
                manifest.features.get(name).map(|it| it.iter().collect());
            members.map(|it| format!("[{}]", it.into_iter().cloned().collect::<Vec<_>>().join(", ")))
        };
        let (before, after) = (text(older), text(newer));
        let excerpt = after.as_ref().or(before.as_ref()).map(|it| format!("{name} = {it}"));
        changes.compare(ChangeKind::Feature, name, before, after, || {
            vec![place("Cargo.toml", 0, excerpt.as_deref())]
        });
    }
}
