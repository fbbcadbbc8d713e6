//! Cargo's configuration, read as cargo reads it.
//!
//! Files are found from a directory upward (`.cargo/config.toml`, or `.cargo/config`, which wins) and in
//! cargo's home; closer ones win; environment variables win over all files. `include` is followed. Paths
//! are made absolute while the file that holds them is still known.
//!
//! Two merged tables are kept: everything, and what did *not* come from cargo's home. The latter is what
//! a stranger's repository may have brought along; see [`WorkspaceMetadata`](crate::WorkspaceMetadata).

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::CargoEnvironment;

mod error;
mod file;

pub use error::ConfigError;
use file::{merge, read_config};

/// Cargo's merged configuration for one directory.
#[derive(Debug, Clone)]
pub struct CargoConfig {
    environment: CargoEnvironment,
    merged: Table,
    tree: Table,
    files: Vec<PathBuf>,
}

/// How cargo reaches the default registry (`registries.crates-io.protocol`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Sparse,
    Git,
}

impl CargoConfig {
    /// Reads the configuration that cargo would use in the directory `start`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or is not valid TOML; the error names the file and the position.
    pub fn load(start: &Path, environment: &CargoEnvironment) -> Result<CargoConfig, ConfigError> {
        let start = std::path::absolute(start)
            .map_err(|source| ConfigError::Read { path: start.to_owned(), source })?;
        let home = canonical(environment.home());
        let mut config = CargoConfig {
            environment: environment.clone(),
            merged: Table::new(),
            tree: Table::new(),
            files: Vec::new(),
        };
        let mut home_seen = false;
        for directory in start.ancestors().map(|ancestor| ancestor.join(".cargo")) {
            let is_home = canonical(&directory) == home;
            home_seen |= is_home;
            config.add_directory(&directory, if is_home { Origin::Home } else { Origin::Tree })?;
        }
        if !home_seen {
            config.add_directory(environment.home(), Origin::Home)?;
        }
        Ok(config)
    }

    /// The files that were read, strongest first, without included ones.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The environment that the configuration was read in.
    #[must_use]
    pub fn environment(&self) -> &CargoEnvironment {
        &self.environment
    }

    /// Whether cargo is told to stay off the network (`net.offline`).
    #[must_use]
    pub fn is_offline(&self) -> bool {
        match self.environment.variable("CARGO_NET_OFFLINE") {
            Some(value) => value == "true",
            None => self.value(&["net", "offline"]).and_then(Value::as_bool) == Some(true),
        }
    }

    /// Index of the registry `name` in `[registries]` or the environment.
    pub(crate) fn registry_index(&self, name: &str) -> Option<&str> {
        let variable = format!("CARGO_REGISTRIES_{}_INDEX", variable_name(name));
        self.environment.variable(&variable).or_else(|| self.text(&["registries", name, "index"]))
    }

    /// `registry.default`, or the variable that overrides it.
    pub(crate) fn default_registry_name(&self) -> Option<String> {
        let configured = self.environment.variable("CARGO_REGISTRY_DEFAULT");
        configured.or_else(|| self.text(&["registry", "default"])).map(str::to_owned)
    }

    pub(crate) fn default_protocol(&self) -> Protocol {
        let configured = self.environment.variable("CARGO_REGISTRIES_CRATES_IO_PROTOCOL");
        match configured.or_else(|| self.text(&["registries", "crates-io", "protocol"])) {
            Some("git") => Protocol::Git,
            _ => Protocol::Sparse,
        }
    }

    /// The `[source]` table.
    pub(crate) fn sources(&self) -> Option<&Table> {
        self.value(&["source"])?.as_table()
    }

    pub(crate) fn http_proxy(&self) -> Option<&str> {
        let variable = |name| self.environment.variable(name);
        variable("CARGO_HTTP_PROXY").or_else(|| self.text(&["http", "proxy"])).or_else(|| {
            ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(variable)
        })
    }

    /// File of extra certificate authorities.
    pub(crate) fn http_cainfo(&self) -> Option<&Path> {
        let configured = self.environment.variable("CARGO_HTTP_CAINFO");
        configured.or_else(|| self.text(&["http", "cainfo"])).map(Path::new)
    }

    /// What files outside cargo's home configure.
    pub(crate) fn tree(&self) -> &Table {
        &self.tree
    }

    fn add_directory(&mut self, directory: &Path, origin: Origin) -> Result<(), ConfigError> {
        let candidates = ["config", "config.toml"].map(|name| directory.join(name));
        let Some(path) = candidates.into_iter().find(|path| path.is_file()) else { return Ok(()) };
        let table = read_config(&path)?;
        if origin == Origin::Tree {
            merge(&mut self.tree, table.clone());
        }
        merge(&mut self.merged, table);
        self.files.push(path);
        Ok(())
    }

    fn value(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.merged.get(*first)?, |value, key| value.get(*key))
    }

    fn text(&self, path: &[&str]) -> Option<&str> {
        self.value(path)?.as_str()
    }
}

/// Where a configuration file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// In cargo's home: the user's own.
    Home,
    /// In the inspected tree, or in a directory above it.
    Tree,
}

/// `name` as cargo writes it into the names of environment variables.
pub(crate) fn variable_name(name: &str) -> String {
    name.to_uppercase().replace(['-', '.'], "_")
}

fn canonical(path: &Path) -> PathBuf {
    fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;
