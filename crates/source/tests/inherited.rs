//! Manifests of members: what they inherit is filled in.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use cratekeeper_model::facts::{Dependency, ManifestFacts};
use cratekeeper_source::read_manifest;

const ROOT: &str = "
[workspace.package]
version = \"1.2.3\"
edition = \"2024\"
authors = [\"somebody\"]
[workspace.dependencies]
plain = \"1\"
bare = { version = \"2\", default-features = false, features = [\"a\"] }
renamed = { package = \"other\", version = \"3\", git = \"https://git.example.invalid/other\" }
";

fn read(manifest: &str) -> ManifestFacts {
    read_manifest(manifest.as_bytes(), ROOT.as_bytes(), &["src/main.rs", "src/lib.rs"])
}

fn dependency(facts: &ManifestFacts, name: &str) -> Dependency {
    facts.dependencies.iter().find(|it| it.name == name).unwrap().clone()
}

#[test]
fn fields_and_dependencies_come_from_the_root() {
    let facts = read(
        "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\nauthors.workspace = true\n\
         [dependencies]\nplain = { workspace = true, optional = true, features = [\"x\"] }\n\
         bare.workspace = true\n[target.'cfg(unix)'.build-dependencies]\nrenamed.workspace = true\n",
    );
    assert_eq!(facts.problems, [""; 0]);
    assert_eq!((facts.version.as_deref(), facts.edition.as_deref()), (Some("1.2.3"), Some("2024")));
    assert_eq!(facts.authors, ["somebody"]);
    assert_eq!(facts.targets.len(), 2);
    let plain = dependency(&facts, "plain");
    assert_eq!((plain.requirement.as_deref(), plain.optional, plain.workspace), (Some("1"), true, false));
    assert_eq!(plain.features, ["x"]);
    let bare = dependency(&facts, "bare");
    assert_eq!((bare.default_features, &bare.features[..]), (false, &["a".to_owned()][..]));
    let renamed = dependency(&facts, "renamed");
    assert_eq!((renamed.package.as_deref(), renamed.target.as_deref()), (Some("other"), Some("cfg(unix)")));
    assert!(renamed.git.is_some());
}

#[test]
fn default_features_are_switched_on_but_not_off() {
    let facts = read(
        "[package]\nname = \"a\"\n[dependencies]\nplain = { workspace = true, default-features = false }\n\
         bare = { workspace = true, default-features = true, features = [\"b\"] }\n",
    );
    assert!(dependency(&facts, "plain").default_features);
    let bare = dependency(&facts, "bare");
    assert!(bare.default_features);
    assert_eq!(bare.features, ["a", "b"]);
}

#[test]
fn what_the_root_lacks_is_a_problem_and_hides_nothing() {
    let facts = read(
        "[package]\nname = \"a\"\nlicense.workspace = true\n[dependencies]\nmissing.workspace = true\nplain = \"7\"\n",
    );
    assert!(facts.problems.iter().any(|problem| problem.contains("license")), "{:?}", facts.problems);
    assert!(dependency(&facts, "missing").workspace);
    assert_eq!(dependency(&facts, "plain").requirement.as_deref(), Some("7"));
    let broken = read_manifest(b"[package]\nname = \"a\"", b"[", &[]);
    assert_eq!((broken.name.as_deref(), broken.problems.len()), (Some("a"), 1));
    assert_eq!(read_manifest(b"[", b"", &[]).problems.len(), 1);
}
