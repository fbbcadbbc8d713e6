//! Why the index says nothing about a version.

use crate::{HttpError, SourceError};

/// The index says nothing about a version. The text is the reason that a report gives.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Source replacement leads nowhere.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The name could leave the directory it is looked for in.
    #[error("`{}` is no name of a crate", name.escape_debug())]
    UnsafeName {
        /// The name.
        name: String,
    },
    /// Packages of this kind are in no index.
    #[error("{what} has no index")]
    NoIndex {
        /// Where the package comes from.
        what: &'static str,
    },
    /// No data, and asking is not allowed.
    #[error("no index data about `{name}` on this machine")]
    NotCached {
        /// The crate.
        name: String,
    },
    /// The registry is reached by git, which this program does not do.
    #[error("a git index is not asked, only what cargo remembers of it")]
    GitIndex,
    /// The registry does not have the crate any more.
    #[error("`{name}` is no longer in the index `{index}`")]
    Removed {
        /// The crate.
        name: String,
        /// URL of the index.
        index: String,
    },
    /// The crate is in the index, the version is not.
    #[error("`{name}@{version}` is not in the index `{place}`")]
    NoVersion {
        /// The crate.
        name: String,
        /// The version.
        version: String,
        /// File or URL of the data.
        place: String,
    },
    /// The data cannot be read.
    #[error("index data in `{place}` cannot be read: {message}")]
    Malformed {
        /// File or URL of the data.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// A request failed, and there is no older data.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl IndexError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            IndexError::Source(error) => return error.hint(),
            IndexError::Http(error) => return error.hint(),
            IndexError::NoIndex { .. } => return None,
            IndexError::UnsafeName { .. } => {
                "correct the name in `Cargo.lock`; cargo never writes such a one"
            }
            IndexError::NotCached { .. } => "run once with network access",
            IndexError::GitIndex => {
                "use a sparse index: `registries.crates-io.protocol` or `sparse+https://…`"
            }
            IndexError::Removed { .. } | IndexError::NoVersion { .. } => {
                "find out why the registry withdrew it before you build"
            }
            IndexError::Malformed { .. } => {
                "delete the file, or run `cargo update --dry-run` in a trusted workspace"
            }
        };
        Some(hint.to_owned())
    }
}
