//! Manifests of the user's own packages, from workspaces of a few files.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeSet;
use std::fs;

use cratekeeper_engine::LocalManifests;
use cratekeeper_engine::resolution::Resolver;
use cratekeeper_model::facts::TargetKind;
use cratekeeper_registry::Lockfile;
use tempfile::TempDir;

fn workspace(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

#[test]
fn members_inherit_and_their_targets_are_found() {
    let directory = workspace(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"a\"]\nresolver = \"2\"\n[workspace.package]\nversion = \"0.2.0\"\n",
        ),
        (
            "a/Cargo.toml",
            "[package]\nname = \"a\"\nversion.workspace = true\nedition = \"2021\"\n[dependencies]\nb = { path = \"../../b\" }\n[lib]\npath = \"code/root.rs\"\n",
        ),
        ("a/code/root.rs", ""),
        ("a/src/bin/tool/main.rs", ""),
        ("a/tests/all.rs", ""),
        ("a/build.rs", ""),
    ]);
    let local = LocalManifests::read(directory.path());
    assert_eq!(local.resolver, Resolver::Separate);
    assert_eq!(local.problems.len(), 1, "the package outside is not there: {:?}", local.problems);
    let [a] = &local.packages[..] else { panic!("one package: {local:?}") };
    assert!(a.is_member);
    let targets: BTreeSet<_> =
        a.manifest.targets.iter().filter(|it| it.exists).map(|it| (it.kind, it.path.as_str())).collect();
    let expect = [
        (TargetKind::Lib, "code/root.rs"),
        (TargetKind::Bin, "src/bin/tool/main.rs"),
        (TargetKind::Test, "tests/all.rs"),
        (TargetKind::BuildScript, "build.rs"),
    ];
    assert_eq!(targets, BTreeSet::from(expect));
    let lockfile = Lockfile::parse(
        "version = 4\n[[package]]\nname = \"a\"\nversion = \"0.2.0\"\n[[package]]\nname = \"a\"\nversion = \"0.2.0\"\n\
         source = \"registry+https://index.example.invalid/\"\n",
    );
    assert_eq!(local.members(&lockfile.unwrap()), BTreeSet::from([0]), "the other only has its name");
}

#[test]
fn a_lone_package_is_its_own_workspace() {
    let directory =
        workspace(&[("Cargo.toml", "[package]\nname = \"a\"\nedition = \"2021\"\n"), ("src/lib.rs", "")]);
    let local = LocalManifests::read(directory.path());
    assert_eq!((local.packages.len(), local.resolver, local.problems), (1, Resolver::Separate, Vec::new()));
    let local = LocalManifests::read(&directory.path().join("src"));
    assert_eq!((local.packages.len(), local.resolver, local.problems.len()), (0, Resolver::Unified, 1));
    let lockfile = Lockfile::parse(
        "version = 4\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry+https://index.example.invalid/\"\n\
         [[package]]\nname = \"a\"\nversion = \"0.0.0\"\n",
    );
    assert_eq!(
        local.members(&lockfile.unwrap()),
        BTreeSet::from([1]),
        "what has no source is somebody's own"
    );
}
