//! What can be wrong with a database as a whole, and with one of its files.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a directory cannot be used as an advisory database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is nothing at the path.
    #[error("failed to open advisory database `{}`: no such directory", path.display())]
    Missing {
        /// What was to be opened.
        path: PathBuf,
    },
    /// The directory, or its `crates` directory, cannot be listed.
    #[error("failed to open advisory database `{}`", path.display())]
    Unreadable {
        /// What was to be opened.
        path: PathBuf,
        /// What the system said, with the path that it is about.
        source: io::Error,
    },
    /// There is no `crates` directory inside, or it is a symbolic link.
    #[error("`{}` is not an advisory database: it has no `crates` directory", path.display())]
    NotADatabase {
        /// What was to be opened.
        path: PathBuf,
    },
    /// The `crates` directory holds no advisory at all.
    #[error("advisory database `{}` is empty", path.display())]
    Empty {
        /// What was to be opened.
        path: PathBuf,
    },
    /// A collection has more entries than [`Limits::crates`](crate::Limits::crates).
    #[error("`{}` has more than {limit} entries", path.display())]
    TooManyEntries {
        /// The directory with too many entries.
        path: PathBuf,
        /// The limit that was passed.
        limit: usize,
    },
}

impl OpenError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            OpenError::Missing { .. } => {
                "update the advisory database, or name the directory of your own copy"
            }
            OpenError::Unreadable { .. } => "check the permissions of the directory and of those above it",
            OpenError::NotADatabase { .. } => "name the directory that holds `crates/<name>/<id>.md`",
            OpenError::Empty { .. } => "the copy is incomplete: update it, or fetch it again",
            OpenError::TooManyEntries { .. } => "check that this directory is an advisory database",
        }
    }
}

/// A file of the database that could not be understood.
///
/// Whoever asks about the crate that it is filed under gets it with the [`Answer`](crate::Answer), since
/// the advisory that it should have been may affect any version of that crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path of the file or directory, relative to the database.
    pub file: PathBuf,
    /// What is wrong with it, as a fragment without full stop.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.file.display(), self.reason)
    }
}
