//! What can go wrong with a store, and what to do about it.
//!
//! Damage that is met while reading an index is a [`Damage`] without the file's name: loops over millions of edges
//! carry it cheaply, and there is one index per graph.

use std::io;
use std::path::{Path, PathBuf};

/// A store could not be read, written or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The operating system refused.
    #[error("failed to {operation} `{}`: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The directory has no manifest of a store.
    #[error("`{}` is not a graph store: it has no file `manifest.ckg`", path.display())]
    NoStore {
        /// The directory.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("`{}` is not a file of a graph store: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that shows.
        reason: &'static str,
    },
    /// The file was written by another version of this program.
    #[error("`{}` has format version {found}, and this program reads version {expected}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Version that it states.
        found: u32,
        /// Version that would be read.
        expected: u32,
    },
    /// The file is one of a store, and something in it cannot be.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What cannot be.
        reason: String,
    },
    /// Something in the linked index cannot be.
    #[error("the linked index is damaged: {0}")]
    Index(#[from] Damage),
    /// Another process writes to the store.
    #[error("`{}` is being written to by another process", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// There is no resolution table of that name.
    #[error("the store has no resolution table `{name}`; it has {known}")]
    NoTable {
        /// Name that was asked for.
        name: String,
        /// Names that there are, as text.
        known: String,
    },
    /// The resolution table has no linked index yet.
    #[error("the resolution table `{name}` is not linked")]
    NotLinked {
        /// Name of the table.
        name: String,
    },
    /// A resolution table names a version that the store does not have.
    #[error("the store has no version with number {number}")]
    NoVersion {
        /// The number.
        number: u32,
    },
    /// A call graph that was given for storing refers to what it does not have.
    #[error("the call graph of `{package}` is inconsistent: {reason}")]
    Inconsistent {
        /// Package id.
        package: String,
        /// Which reference leads nowhere.
        reason: &'static str,
    },
    /// The input is larger than the format can express.
    #[error("too many {what} for one store")]
    TooLarge {
        /// Of what.
        what: &'static str,
    },
    /// A pattern stands for nothing in the graph: a question about it has no answer, not an empty one.
    #[error("nothing in this table matches `{pattern}`")]
    NothingMatches {
        /// As given.
        pattern: String,
        /// What may have been meant: patterns that stand for something.
        similar: Vec<String>,
    },
    /// A pattern stands for several versions where one is needed.
    #[error("`{pattern}` is not one version: {count} match")]
    Ambiguous {
        /// As given.
        pattern: String,
        /// How many.
        count: usize,
        /// Some of them, as patterns.
        similar: Vec<String>,
    },
    /// A pattern cannot be understood.
    #[error("`{pattern}` is not a pattern: {reason}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Something in a linked index that cannot be: a reference behind the end, a list that breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damage(pub(crate) &'static str);

impl GraphError {
    pub(crate) fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GraphError {
        // The path is copied when there is an error: columns are written a few bytes at a time.
        move |source| GraphError::File { operation, path: path.to_owned(), source }
    }

    /// What the user can do about it, if anything.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            GraphError::Damaged { .. } | GraphError::Index(_) => {
                "link the table again; if a segment is damaged, build the store anew"
            }
            GraphError::Format { .. } => "build the store anew with this version of the program",
            GraphError::Locked { .. } => "wait until the other process has finished",
            _ => return None,
        })
    }
}
