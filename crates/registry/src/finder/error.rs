//! Why a package could not be found or downloaded.

use std::io;
use std::path::PathBuf;

use cratekeeper_model::Checksum;

use crate::{HttpError, SourceError};

/// A package could not be found or downloaded. The text is the reason that a report gives for "could not
/// check".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Source replacement leads nowhere.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The name could leave the directory it is looked for in.
    #[error("`{}` is no name of a crate", name.escape_debug())]
    UnsafeName {
        /// The name.
        name: String,
    },
    /// The directory that must have the package does not.
    #[error("`{what}` is not in `{}`", place.display())]
    NotThere {
        /// The package.
        what: String,
        /// Where cargo would look.
        place: PathBuf,
    },
    /// A package of the user's own, and only cargo would know where it is.
    #[error("the directory of `{what}` is not known")]
    NoDirectory {
        /// The package.
        what: String,
    },
    /// Not in any cache, and downloads are not allowed.
    #[error("`{what}` is not in a cache on this machine, and cratekeeper is offline")]
    Offline {
        /// The package.
        what: String,
    },
    /// Nothing says what the download should be.
    #[error("neither the lockfile nor the index has a checksum of `{what}`")]
    NoChecksum {
        /// The package.
        what: String,
    },
    /// The bytes are not those that were promised.
    #[error("`{place}` has checksum {actual}, not the promised {expected}")]
    ChecksumMismatch {
        /// Promised by the lockfile or the index.
        expected: Checksum,
        /// Of the bytes that are there.
        actual: Checksum,
        /// File or URL of the bytes.
        place: String,
    },
    /// The registry is reached by git, which this program does not do.
    #[error("`{index}` is a git index, from which cratekeeper does not download")]
    GitIndex {
        /// URL of the index.
        index: String,
    },
    /// The registry wants to know who is asking.
    #[error("the registry `{index}` needs credentials")]
    Authentication {
        /// URL of the index.
        index: String,
    },
    /// The registry's `config.json` is not usable.
    #[error("the registry `{index}` has no usable `config.json`: {message}")]
    RegistryConfig {
        /// URL of the index.
        index: String,
        /// What is wrong with it.
        message: String,
    },
    /// A request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No usable checkout of a git repository.
    #[error("no checkout of `{url}` has `{what}`: {message}")]
    Git {
        /// The package.
        what: String,
        /// URL of the repository.
        url: String,
        /// What is missing.
        message: String,
    },
    /// A vendored package is not usable.
    #[error("failed to verify the vendored package `{}`: {message}", path.display())]
    Vendored {
        /// Its directory.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file could not be read or written.
    #[error("failed to access `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FetchError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let fetch = "run `cargo fetch --locked` if you trust the workspace, and check again";
        let hint = match self {
            FetchError::Source(error) => return error.hint(),
            FetchError::Http(error) => return error.hint(),
            FetchError::UnsafeName { .. } => {
                "correct the name in `Cargo.lock`; cargo never writes such a one"
            }
            FetchError::NotThere { .. } | FetchError::Vendored { .. } => "run `cargo vendor` again",
            FetchError::NoDirectory { .. } => "see why `cargo metadata` failed",
            FetchError::Offline { .. } => {
                "run once with network access, or run `cargo fetch --locked` before"
            }
            FetchError::NoChecksum { .. } => "let a newer cargo write the lockfile again",
            FetchError::ChecksumMismatch { .. } => {
                "do not build; compare the file with the registry's, and report it if they differ"
            }
            FetchError::GitIndex { .. } | FetchError::Authentication { .. } | FetchError::Git { .. } => fetch,
            FetchError::RegistryConfig { .. } => "ask the operator of the registry",
            FetchError::Io { .. } => "check its permissions and the free space",
        };
        Some(hint.to_owned())
    }
}
