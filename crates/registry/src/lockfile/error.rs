//! Why a lockfile could not be read.

use std::io;
use std::path::{Path, PathBuf};

/// A lockfile could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockfileError {
    /// There is no file at this path.
    #[error("no lockfile at `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is there, but could not be read, or is too large.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The lockfile.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Broken TOML, or TOML that is no lockfile.
    #[error("failed to parse `{}`, line {line}: {message}", shown(path))]
    Malformed {
        /// The lockfile; `None` when only text was given.
        path: Option<PathBuf>,
        /// Line, counted from 1.
        line: u32,
        /// What is wrong there.
        message: String,
    },
    /// Written by a cargo that is newer than this program.
    #[error("failed to parse `{}`: format {format} is not known", shown(path))]
    UnknownFormat {
        /// The lockfile; `None` when only text was given.
        path: Option<PathBuf>,
        /// Its `version`.
        format: u32,
    },
}

fn shown(path: &Option<PathBuf>) -> String {
    path.as_ref().map_or_else(|| "Cargo.lock".to_owned(), |path| path.display().to_string())
}

impl LockfileError {
    pub(super) fn read(path: &Path, source: io::Error) -> LockfileError {
        match source.kind() {
            io::ErrorKind::NotFound => LockfileError::Missing { path: path.to_owned() },
            _ => LockfileError::Read { path: path.to_owned(), source },
        }
    }

    /// The same error, with the path that the parser did not know.
    pub(super) fn in_file(mut self, file: &Path) -> LockfileError {
        if let LockfileError::Malformed { path, .. } | LockfileError::UnknownFormat { path, .. } = &mut self {
            *path = Some(file.to_owned());
        }
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            LockfileError::Missing { .. } => {
                "run `cargo generate-lockfile` in a workspace that you trust, or name another lockfile"
                    .to_owned()
            }
            LockfileError::Read { .. } => "check that it is a readable text file".to_owned(),
            LockfileError::Malformed { .. } => {
                "a merge may have left it broken: restore it from version control, or delete it and run \
                 `cargo generate-lockfile`"
                    .to_owned()
            }
            LockfileError::UnknownFormat { .. } => {
                "update cratekeeper, or write the lockfile again with an older cargo".to_owned()
            }
        })
    }
}
