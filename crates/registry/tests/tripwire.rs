//! Nothing that an inspected tree configures is run.
//!
//! One test in a file of its own: it writes scripts and has them executed, which fails now and then when
//! other tests fork at the same moment.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test helpers may panic and print")]
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cratekeeper_registry::{CargoConfig, CargoEnvironment, Network, WorkspaceMetadata};
use fs_err as fs;

/// Ways to make cargo run the script `TRIP`, relative to the directory above the workspace.
const CONFIGURATIONS: [(&str, &str); 9] = [
    ("tree/.cargo/config.toml", "[build]\nrustc-wrapper = \"TRIP\"\n"),
    ("tree/.cargo/config.toml", "[build]\nrustc-workspace-wrapper = \"TRIP\"\n"),
    ("tree/.cargo/config.toml", "[build]\nrustc = \"TRIP\"\n"),
    ("tree/.cargo/config", "[build]\nrustc-wrapper = \"TRIP\"\n"),
    ("tree/.cargo/config.toml", "include = [\"more.toml\"]\n"),
    (".cargo/config.toml", "[build]\nrustc-wrapper = \"TRIP\"\n"),
    // The next ones do not trip cargo by themselves, and must not in company either.
    (
        "tree/.cargo/config.toml",
        "[env]\nRUSTC = { value = \"TRIP\", force = true }\nRUSTC_WRAPPER = { value = \"TRIP\", force = true }\n",
    ),
    (
        "tree/.cargo/config.toml",
        "[registry]\nglobal-credential-providers = [\"TRIP\"]\n[registries.r]\nindex = \"sparse+http://127.0.0.1:9/\"\n\
         credential-provider = \"TRIP\"\n[target.'cfg(all())']\nlinker = \"TRIP\"\nrunner = \"TRIP\"\n\
         [build]\nrustdoc = \"TRIP\"\n",
    ),
    ("tree/.cargo/config.toml", "[alias]\nmetadata = [\"run\"]\n[net]\ngit-fetch-with-cli = true\n"),
];

/// How many of them plain cargo falls for; `include` only in newer cargos.
const CERTAIN: [usize; 5] = [0, 1, 2, 3, 5];

struct Trap {
    root: PathBuf,
    _directory: tempfile::TempDir,
}

impl Trap {
    fn new(path: &str, text: &str) -> Trap {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        let trap = Trap { root, _directory: directory };
        trap.write("tree/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        trap.write("tree/src/lib.rs", "");
        trap.write("tree/Cargo.lock", "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n");
        let script =
            trap.write("tree/trip", &format!("#!/bin/sh\ntouch '{}'\nexit 1\n", trap.mark().display()));
        fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let wrapper = format!("[build]\nrustc-wrapper = \"{}\"\n", script.display());
        trap.write("tree/.cargo/more.toml", &wrapper);
        trap.write(path, &text.replace("TRIP", &script.to_string_lossy()));
        trap
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn mark(&self) -> PathBuf {
        self.root.join("tripped")
    }

    /// Whether something ran since the last question.
    fn has_tripped(&self) -> bool {
        fs::remove_file(self.mark()).is_ok()
    }

    fn tree(&self) -> PathBuf {
        self.root.join("tree")
    }
}

fn plain_cargo(tree: &Path, home: &Path) {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--offline", "--format-version", "1"]);
    let clean = ["RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
        .iter()
        .fold(&mut command, |it, name| it.env_remove(name));
    clean.current_dir(tree).env("CARGO_HOME", home).output().unwrap();
}

/// Set for this program when it runs as a child in a tree: the tree.
const CHILD: &str = "CRATEKEEPER_TRIPWIRE_TREE";

/// The child's part: it was started in the tree, as a user would start it there.
fn load_from_inside(tree: &Path) {
    let environment = CargoEnvironment::new(tree.join("home"), std::env::vars());
    let config = CargoConfig::load(tree, &environment).unwrap();
    if let Err(error) = WorkspaceMetadata::load(tree, &config, Network::Offline) {
        // Without a default toolchain there is no answer, and that is fine.
        eprintln!("{error}");
    }
}

/// A toolchain file, a toolchain and programs called `cargo` and `rustc` in the tree, with `.` in `PATH`.
/// In a process of its own, because the test runner's cargo has fixed the toolchain for this one.
fn check_toolchains() {
    let toolchain = "[toolchain]\npath = \"toolchain\"\n";
    let trap = Trap::new("tree/rust-toolchain.toml", toolchain);
    for copy in ["cargo", "rustc", "toolchain/bin/cargo", "toolchain/bin/rustc"] {
        let copy = trap.tree().join(copy);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(trap.tree().join("trip"), copy).unwrap();
    }
    let path = format!(".:{}", std::env::var("PATH").unwrap_or_default());
    let inside = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(trap.tree()).env("PATH", &path).env(CHILD, trap.tree());
        command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
        command
    };
    let this = std::env::current_exe().unwrap();
    let ours = |command: &mut Command| {
        let status = command.args(["--exact", "the_tree_runs_nothing"]).status().unwrap();
        assert!(status.success() && !trap.has_tripped());
    };
    ours(&mut inside(&this));
    // As when started by the tree's own toolchain.
    let own = trap.tree().join("toolchain");
    ours(inside(&this).env("RUSTUP_TOOLCHAIN", &own).env("CARGO", own.join("bin/cargo")));
    // The control.
    let shell = inside(Path::new("/bin/sh")).args(["-c", "cargo metadata --locked"]).output();
    assert!(shell.is_ok() && trap.has_tripped(), "no trap");
}

#[test]
fn the_tree_runs_nothing() {
    if let Some(tree) = std::env::var_os(CHILD) {
        return load_from_inside(Path::new(&tree));
    }
    check_toolchains();
    for (position, (path, text)) in CONFIGURATIONS.iter().enumerate() {
        let trap = Trap::new(path, text);
        let home = trap.root.join("home");
        let environment = CargoEnvironment::new(home.clone(), std::env::vars());
        let config = CargoConfig::load(&trap.tree(), &environment).unwrap();
        let result = WorkspaceMetadata::load(&trap.tree(), &config, Network::Offline);
        assert!(!trap.has_tripped(), "`{path}` ran something:\n{text}");
        assert!(result.is_ok(), "{path}: {}", result.unwrap_err());
        // The control: the same tree does trip plain cargo, so that the lines above can fail.
        plain_cargo(&trap.tree(), &home);
        if CERTAIN.contains(&position) {
            assert!(trap.has_tripped(), "`{path}` is no trap:\n{text}");
        }
    }
}
