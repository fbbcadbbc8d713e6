//! Why cargo's configuration could not be read.

use std::io;
use std::path::PathBuf;

/// Cargo's configuration could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Neither `CARGO_HOME` nor a home directory is known.
    #[error("cargo's home directory is not known")]
    NoHome,
    /// A file could not be read, or is too large.
    #[error("failed to read cargo's configuration `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not valid TOML, or a key has the wrong type.
    #[error("failed to parse cargo's configuration `{}`, line {line}, column {column}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// An `include` that cargo would refuse as well.
    #[error("failed to include `{include}` in cargo's configuration `{}`: {message}", path.display())]
    Include {
        /// The file with the `include`.
        path: PathBuf,
        /// What it includes.
        include: String,
        /// What is wrong with it.
        message: &'static str,
    },
}

impl ConfigError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            ConfigError::NoHome => "set the environment variable `CARGO_HOME`".to_owned(),
            ConfigError::Read { path, .. } => format!("check the permissions of `{}`", path.display()),
            ConfigError::Malformed { .. } | ConfigError::Include { .. } => {
                "correct the file: cargo itself refuses to run with it".to_owned()
            }
        })
    }
}
