//! The command line of `cargo metadata`, such that the inspected tree runs nothing.
//!
//! | what the tree could bring | why it has no effect |
//! |---|---|
//! | `.cargo/config.toml` or `.cargo/config`, there or above: `build.rustc`, `build.rustc-wrapper`, `[env]`, `[target]`, `include`, credential providers, `net.git-fetch-with-cli` | cargo looks for configuration from its *working directory* upward; that is the root of the file system |
//! | `rust-toolchain.toml` with a `path` | rustup looks for it from the working directory too |
//! | `RUSTUP_TOOLCHAIN`, `CARGO` that lead into the tree, as when started by a cargo of the tree | not passed on, not used |
//! | `cargo` or `rustc` in the tree, with `.` in `PATH` | the working directory is elsewhere |
//! | `[alias] metadata` | cargo prefers its built-in commands |
//! | `build.rs`, procedural macros | `cargo metadata` builds nothing |
//!
//! Wrappers from cargo's home are the user's own; they are switched off all the same, since no question
//! is asked that they could help with. What the tree configures about *where packages come from* is read
//! by us and passed on, because without it cargo would not find vendored packages; these tables hold names,
//! URLs and paths, and nothing that is run.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;
use toml::{Table, Value};

use super::WorkspaceError;
use crate::config::variable_name;
use crate::{CargoConfig, CargoEnvironment, Network};

/// Keys of `[source.NAME]`; all are names, URLs or paths.
const SOURCE_KEYS: [&str; 8] =
    ["replace-with", "registry", "local-registry", "directory", "git", "branch", "tag", "rev"];

/// Harmless configuration of the tree, in a file for `cargo --config`.
pub(super) struct ExtraConfig(Option<NamedTempFile>);

impl ExtraConfig {
    pub(super) fn of(config: &CargoConfig) -> Result<ExtraConfig, WorkspaceError> {
        let table = harmless(config.tree(), config.environment());
        if table.is_empty() {
            return Ok(ExtraConfig(None));
        }
        let write = || -> io::Result<NamedTempFile> {
            let mut file = tempfile::Builder::new().suffix(".toml").tempfile()?;
            file.write_all(table.to_string().as_bytes())?;
            Ok(file)
        };
        write().map(|file| ExtraConfig(Some(file))).map_err(|source| WorkspaceError::NotRun { source })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Asks about the workspace in `root`, which is canonical.
pub(super) fn metadata(root: &Path, config: &CargoConfig, extra: &ExtraConfig, network: Network) -> Command {
    let mut command = neutral(root, config);
    command
        .args(["metadata", "--format-version", "1", "--locked", "--color", "never", "--manifest-path"])
        .arg(root.join("Cargo.toml"));
    if network == Network::Offline {
        command.arg("--offline");
    }
    if let Some(file) = &extra.0 {
        command.arg("--config").arg(file.path());
    }
    command
}

/// Asks cargo about itself.
pub(super) fn version(root: &Path, config: &CargoConfig) -> Command {
    let mut command = neutral(root, config);
    command.args(["--version", "--verbose"]);
    command
}

/// The platform that cargo runs on, from what [`version`] gives.
pub(super) fn host_platform(version: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(version);
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(|host| host.trim().to_owned())
}

/// Cargo, where nothing of the tree reaches it.
fn neutral(root: &Path, config: &CargoConfig) -> Command {
    let environment = config.environment();
    let mut command = Command::new(cargo(root, environment));
    command
        .current_dir(root.ancestors().last().unwrap_or(root))
        .env("CARGO_HOME", environment.home())
        // Empty means none, and wins over every configuration file.
        .env("RUSTC_WRAPPER", "")
        .env("RUSTC_WORKSPACE_WRAPPER", "")
        .env("CARGO_BUILD_RUSTC_WRAPPER", "")
        .env("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER", "")
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdin(Stdio::null());
    if environment.variable("RUSTUP_TOOLCHAIN").is_some_and(|toolchain| is_inside(toolchain, root)) {
        command.env_remove("RUSTUP_TOOLCHAIN");
    }
    command
}

/// The cargo that started us, if any, unless it is the tree's own.
fn cargo<'a>(root: &Path, environment: &'a CargoEnvironment) -> &'a str {
    let named = environment.variable("CARGO").filter(|cargo| Path::new(cargo).is_absolute());
    named.filter(|cargo| !is_inside(cargo, root)).unwrap_or("cargo")
}

fn is_inside(path: &str, root: &Path) -> bool {
    fs_err::canonicalize(path).is_ok_and(|path| path.starts_with(root))
}

/// The part of `tree` that says where packages come from.
fn harmless(tree: &Table, environment: &CargoEnvironment) -> Table {
    let mut harmless = Table::new();
    let mut keep = |key: &str, value: Table| {
        if !value.is_empty() {
            harmless.insert(key.to_owned(), Value::Table(value));
        }
    };
    keep("source", sub_tables(tree, "source", |_, key| SOURCE_KEYS.contains(&key)));
    // `--config` is stronger than the environment, so what the environment says is left out here.
    let is_free = |name: &str, key: &str| {
        let variable = format!("CARGO_REGISTRIES_{}_{}", variable_name(name), variable_name(key));
        environment.variable(&variable).is_none()
    };
    let of_registry = |name: &str, key: &str| {
        (key == "index" || (name == "crates-io" && key == "protocol")) && is_free(name, key)
    };
    keep("registries", sub_tables(tree, "registries", of_registry));
    keep("patch", tree.get("patch").and_then(Value::as_table).cloned().unwrap_or_default());
    if let Some(paths) = tree.get("paths") {
        harmless.insert("paths".to_owned(), paths.clone());
    }
    harmless
}

/// The tables in `tree[key]`, with those of their text values that are to be kept.
fn sub_tables(tree: &Table, key: &str, is_kept: impl Fn(&str, &str) -> bool) -> Table {
    let tables = tree.get(key).and_then(Value::as_table).into_iter().flatten();
    let kept = tables.filter_map(|(name, value)| {
        let values = value.as_table()?.iter().filter(|(key, value)| value.is_str() && is_kept(name, key));
        let table: Table = values.map(|(key, value)| (key.clone(), value.clone())).collect();
        (!table.is_empty()).then(|| (name.clone(), Value::Table(table)))
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_urls_and_paths_of_sources_are_passed_on() {
        let tree: Table = toml::from_str(
            "paths = [\"/p\"]\n[build]\nrustc = \"x\"\nrustc-wrapper = \"x\"\n[env]\nRUSTC = \"x\"\n[http]\nproxy = \"x\"\n\
             [net]\ngit-fetch-with-cli = true\n[registry]\nglobal-credential-providers = [\"x\"]\n\
             [credential-alias]\na = [\"x\"]\n[target.any]\nlinker = \"x\"\n[alias]\nmetadata = \"x\"\n\
             [source.a]\ndirectory = \"/v\"\nother = \"x\"\nregistry = [\"x\"]\n\
             [registries.b]\nindex = \"sparse+https://b\"\ntoken = \"x\"\ncredential-provider = \"x\"\nprotocol = \"git\"\n\
             [registries.c]\nindex = \"sparse+https://c\"\n[registries.crates-io]\nprotocol = \"git\"\n\
             [patch.crates-io]\nd = { path = \"/d\" }\n",
        )
        .unwrap();
        let variables = [("CARGO_REGISTRIES_C_INDEX".to_owned(), "sparse+https://elsewhere".to_owned())];
        let environment = CargoEnvironment::new("/home".into(), variables);
        let expected: Table = toml::from_str(
            "paths = [\"/p\"]\n[source.a]\ndirectory = \"/v\"\n[registries.b]\nindex = \"sparse+https://b\"\n\
             [registries.crates-io]\nprotocol = \"git\"\n[patch.crates-io]\nd = { path = \"/d\" }\n",
        )
        .unwrap();
        assert_eq!(harmless(&tree, &environment), expected);
    }

    #[test]
    fn a_cargo_inside_the_tree_is_not_used() {
        let tree = tempfile::tempdir().unwrap();
        let root = fs_err::canonicalize(tree.path()).unwrap();
        let inside = root.join("cargo");
        fs_err::write(&inside, "").unwrap();
        let choose = |path: &str| {
            let variables = [("CARGO".to_owned(), path.to_owned())];
            cargo(&root, &CargoEnvironment::new("/home".into(), variables)).to_owned()
        };
        assert_eq!(choose(&inside.to_string_lossy()), "cargo");
        assert_eq!(choose("relative/cargo"), "cargo");
        assert_eq!(choose("/usr/bin/cargo"), "/usr/bin/cargo");
    }
}
