//! The part of the process environment that cargo reads, as a value.
//!
//! Everything else in this crate takes it as an argument, so that tests set variables without touching
//! the process. Tokens are never taken in: nothing here sends them, so nothing here can leak them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::ConfigError;

/// Proxy settings that curl, and so cargo, reads.
const PROXY_VARIABLES: [&str; 7] =
    ["HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];

/// Cargo's home directory and the variables that configure cargo.
#[derive(Clone, PartialEq, Eq)]
pub struct CargoEnvironment {
    home: PathBuf,
    variables: BTreeMap<String, String>,
}

impl CargoEnvironment {
    /// Reads the environment of this process.
    ///
    /// # Errors
    ///
    /// When neither `CARGO_HOME` nor a home directory is known.
    pub fn from_process() -> Result<CargoEnvironment, ConfigError> {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let home = match std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()) {
            Some(home) => std::path::absolute(home).ok(),
            None => std::env::home_dir().map(|home| home.join(".cargo")),
        };
        Ok(CargoEnvironment::new(home.ok_or(ConfigError::NoHome)?, variables))
    }

    /// An environment with this cargo home and, of `variables`, those that matter here.
    pub fn new(home: PathBuf, variables: impl IntoIterator<Item = (String, String)>) -> CargoEnvironment {
        let matters = |name: &str| {
            (name.starts_with("CARGO_") && !name.ends_with("_TOKEN"))
                || PROXY_VARIABLES.contains(&name)
                || matches!(name, "CARGO" | "RUSTUP_TOOLCHAIN")
        };
        let variables = variables.into_iter().filter(|(name, _)| matters(name)).collect();
        CargoEnvironment { home, variables }
    }

    /// Cargo's home directory, absolute.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The value of a variable; an empty one counts as not set, as cargo has it.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

// By hand: values may hold a proxy's password.
impl fmt::Debug for CargoEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.keys().collect();
        f.debug_struct("CargoEnvironment").field("home", &self.home).field("variables", &names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_taken_in_and_values_are_not_printed() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment = CargoEnvironment::new(
            PathBuf::from("/home/cargo"),
            [
                pair("CARGO_REGISTRIES_PRIVATE_TOKEN", "secret-1"),
                pair("CARGO_REGISTRY_TOKEN", "secret-2"),
                pair("CARGO_HTTP_PROXY", "http://user:secret-3@proxy.example.invalid"),
            ],
        );
        assert_eq!(environment.variable("CARGO_REGISTRY_TOKEN"), None);
        assert!(environment.variable("CARGO_HTTP_PROXY").is_some());
        assert!(!format!("{environment:?}").contains("secret"), "{environment:?}");
    }
}
