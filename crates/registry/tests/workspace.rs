//! Real cargo on tiny workspaces that need no network.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test helpers may panic and print")]

use std::path::Path;

use cratekeeper_model::DependencyKind::{Build, Dev, Normal};
use cratekeeper_model::{Checksum, PackageSource};
use cratekeeper_registry::{
    CargoConfig, CargoEnvironment, Lockfile, Network, WorkspaceError, WorkspaceMetadata,
};
use fs_err as fs;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn member(root: &Path, name: &str, rest: &str) {
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}");
    write(root, &format!("{name}/Cargo.toml"), &manifest);
    write(root, &format!("{name}/src/lib.rs"), "");
}

fn load(root: &Path) -> Result<WorkspaceMetadata, WorkspaceError> {
    let home = root.join("cargo-home");
    let environment = CargoEnvironment::new(home, std::env::vars());
    let config = CargoConfig::load(&root.join("tree"), &environment).unwrap();
    WorkspaceMetadata::load(&root.join("tree"), &config, Network::Offline)
}

fn lock(names: &[(&str, &[&str])]) -> String {
    let entry = |(name, dependencies): &(&str, &[&str])| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\ndependencies = {dependencies:?}\n")
    };
    format!("version = 4\n{}", names.iter().map(entry).collect::<String>())
}

#[test]
fn kinds_platforms_features_and_directories_come_from_cargo() {
    let directory = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(directory.path()).unwrap();
    let tree = root.join("tree");
    write(
        &tree,
        "Cargo.toml",
        "[workspace]\nresolver = \"2\"\nmembers = [\"app\"]\nexclude = [\"plain\", \"builder\", \"derive\", \"tester\", \"win\"]\n",
    );
    member(
        &tree,
        "app",
        "[dependencies]\nplain = { path = \"../plain\", features = [\"fast\"] }\nderive = { path = \"../derive\" }\n\
         [build-dependencies]\nbuilder = { path = \"../builder\" }\n[dev-dependencies]\ntester = { path = \"../tester\" }\n\
         [target.'cfg(windows)'.dependencies]\nwin = { path = \"../win\" }\n",
    );
    member(&tree, "plain", "[features]\nfast = []\nslow = []\n");
    member(&tree, "builder", "[dependencies]\nplain = { path = \"../plain\" }\n");
    member(&tree, "derive", "[lib]\nproc-macro = true\n");
    member(&tree, "tester", "");
    member(&tree, "win", "");
    write(
        &tree,
        "Cargo.lock",
        &lock(&[
            ("app", &["builder", "derive", "plain", "tester", "win"]),
            ("builder", &["plain"]),
            ("derive", &[]),
            ("plain", &[]),
            ("tester", &[]),
            ("win", &[]),
        ]),
    );
    let mut lockfile = Lockfile::read(&tree.join("Cargo.lock")).unwrap();
    load(&root).unwrap_or_else(|error| panic!("{error}")).annotate(&mut lockfile);
    let found: Vec<_> =
        lockfile.packages.iter().map(|it| (it.package.name.as_str(), it.package.kinds.as_slice())).collect();
    assert_eq!(
        found,
        [
            ("app", &[Normal][..]),
            ("builder", &[Build]),
            ("derive", &[Build]),
            ("plain", &[Normal, Build]),
            ("tester", &[Dev]),
            ("win", &[Normal]),
        ]
    );
    let plain = &lockfile.packages[3].package;
    assert_eq!(plain.features.as_deref(), Some(&["fast".to_owned()][..]));
    assert_eq!(plain.source, PackageSource::Path(tree.join("plain").to_string_lossy().into_owned()));
    assert!(plain.id.as_str().ends_with("plain#plain@0.1.0"), "{}", plain.id);
    assert_eq!(lockfile.packages[5].package.platforms, ["cfg(windows)"]);
}

#[test]
fn vendored_packages_are_found_through_the_trees_own_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    write(
        &tree,
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\ndemo = \"1\"\n",
    );
    write(&tree, "src/lib.rs", "");
    write(
        &tree,
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n",
    );
    write(
        &tree,
        "vendor/demo/Cargo.toml",
        "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
    );
    write(&tree, "vendor/demo/src/lib.rs", "");
    let checksum = Checksum::of(b"demo");
    write(&tree, "vendor/demo/.cargo-checksum.json", &format!(r#"{{"files":{{}},"package":"{checksum}"}}"#));
    let source = tame_index::CRATES_IO_INDEX;
    write(
        &tree,
        "Cargo.lock",
        &format!(
            "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"demo\"]\n[[package]]\n\
             name = \"demo\"\nversion = \"1.0.0\"\nsource = \"registry+{source}\"\nchecksum = \"{checksum}\"\n"
        ),
    );
    let mut lockfile = Lockfile::read(&tree.join("Cargo.lock")).unwrap();
    load(directory.path()).unwrap_or_else(|error| panic!("{error}")).annotate(&mut lockfile);
    assert_eq!(lockfile.packages[1].package.kinds, [Normal]);
}

#[test]
fn packages_for_other_platforms_may_be_missing() {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    let foreign = if cfg!(windows) { "cfg(unix)" } else { "cfg(windows)" };
    let manifest = format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[target.'{foreign}'.dependencies]\ndemo = \"1\"\n"
    );
    write(&tree, "Cargo.toml", &manifest);
    write(&tree, "src/lib.rs", "");
    // A local registry whose index knows the package, without the archive.
    write(
        &tree,
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"l\"\n[source.l]\nlocal-registry = \"local\"\n",
    );
    let checksum = Checksum::of(b"demo");
    let line = format!(
        r#"{{"name":"demo","vers":"1.0.0","deps":[],"cksum":"{checksum}","features":{{}},"yanked":false}}"#
    );
    write(&tree, "local/index/de/mo/demo", &line);
    write(
        &tree,
        "Cargo.lock",
        &format!(
            "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"demo\"]\n[[package]]\n\
             name = \"demo\"\nversion = \"1.0.0\"\nsource = \"registry+{}\"\nchecksum = \"{checksum}\"\n",
            tame_index::CRATES_IO_INDEX
        ),
    );
    let mut lockfile = Lockfile::read(&tree.join("Cargo.lock")).unwrap();
    let metadata = load(directory.path()).unwrap_or_else(|error| panic!("{error}"));
    assert!(metadata.only_platform().is_some());
    metadata.annotate(&mut lockfile);
    assert_eq!(lockfile.packages[0].package.kinds, [Normal]);
    assert_eq!(
        (lockfile.packages[1].package.kinds.len(), &lockfile.packages[1].package.features),
        (0, &None)
    );
}

#[test]
fn a_lockfile_that_does_not_fit_is_cargos_error_and_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    write(&tree, "Cargo.toml", "[workspace]\nmembers = [\"app\"]\n");
    member(&tree, "app", "");
    write(&tree, "Cargo.lock", "version = 4\n");
    let error = load(directory.path()).unwrap_err();
    assert!(matches!(error, WorkspaceError::Failed { .. }) && error.hint().is_some(), "{error}");
    assert!(error.to_string().contains("lock file"), "{error}");
    assert_eq!(fs::read_to_string(tree.join("Cargo.lock")).unwrap(), "version = 4\n");
    assert!(matches!(load(&directory.path().join("none")), Err(WorkspaceError::NotThere { .. })));
}
