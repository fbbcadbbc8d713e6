//! The same versions, resolved as of two points in time.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use cratekeeper_model::facts::Dependency;
use cratekeeper_registry::IndexVersion;
use semver::Version;

use super::*;

fn manifest(name: &str, version: &str, dependencies: &[(&str, &str)]) -> (PathBuf, ReadManifest) {
    let version: Version = version.parse().unwrap();
    let dependencies = dependencies
        .iter()
        .map(|(name, requirement)| Dependency {
            name: (*name).to_owned(),
            package: None,
            requirement: Some((*requirement).to_owned()),
            section: DependencySection::Normal,
            target: None,
            optional: false,
            default_features: true,
            features: Vec::new(),
            registry: None,
            git: None,
            path: None,
            workspace: false,
        })
        .collect();
    let manifest = ManifestFacts { name: Some(name.to_owned()), dependencies, ..ManifestFacts::default() };
    (
        PathBuf::from(format!("{name}-{version}.crate")),
        Ok((package(name.to_owned(), version, None), manifest)),
    )
}

/// `used` in three versions: published in January, in March, and in April but withdrawn.
fn index(name: &str) -> Vec<IndexVersion> {
    let line = |version: &str, time: &str, yanked: bool| {
        format!(
            r#"{{"name":"used","vers":"{version}","deps":[],"cksum":"{}","features":{{}},"yanked":{yanked},"pubtime":"{time}"}}"#,
            "0".repeat(64)
        )
    };
    if name != "used" {
        return Vec::new();
    }
    let lines = [
        line("1.0.0", "2026-01-01T00:00:00Z", false),
        line("1.1.0", "2026-03-01T00:00:00Z", false),
        line("1.2.0", "2026-04-01T00:00:00Z", true),
    ];
    IndexVersion::parse_all(lines.join("\n").as_bytes())
}

/// Which version of `used` the package `user` depends on, and which versions take part.
fn resolved(at: Option<&str>) -> (Option<String>, Vec<String>) {
    let read = vec![
        manifest("used", "1.0.0", &[]),
        manifest("used", "1.1.0", &[]),
        manifest("used", "1.2.0", &[]),
        manifest("user", "0.1.0", &[("used", "^1")]),
    ];
    let units = link_newest(read, at.map(|it| it.parse().unwrap()), &tests::linux(), &index);
    let chosen = units[3].dependencies.first().map(|it| units[it.unit].package.version.to_string());
    let versions = units.iter().filter(|it| it.takes_part && it.package.name == "used");
    (chosen, versions.map(|it| it.package.version.to_string()).collect())
}

#[test]
fn dependencies_lead_to_what_was_there_at_the_time() {
    let versions = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<String>>();
    assert_eq!(resolved(Some("2025-12-31T00:00:00Z")), (None, versions(&[])));
    assert_eq!(resolved(Some("2026-02-01T00:00:00Z")), (Some("1.0.0".to_owned()), versions(&["1.0.0"])));
    assert_eq!(
        resolved(Some("2026-03-01T00:00:00Z")),
        (Some("1.1.0".to_owned()), versions(&["1.0.0", "1.1.0"]))
    );
}

#[test]
fn what_is_withdrawn_is_chosen_by_nobody_but_is_still_there() {
    let (chosen, versions) = resolved(None);
    assert_eq!(chosen.as_deref(), Some("1.1.0"));
    assert_eq!(versions, ["1.0.0", "1.1.0", "1.2.0"]);
}
