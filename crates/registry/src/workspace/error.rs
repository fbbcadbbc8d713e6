//! Why cargo could not be asked about a workspace.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Cargo could not be asked about a workspace. The text is the reason why kinds are not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// There is no such directory.
    #[error("failed to open the workspace `{}`", path.display())]
    NotThere {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Cargo could not be started.
    #[error("failed to run `cargo metadata`")]
    NotRun {
        /// What the system said.
        source: io::Error,
    },
    /// Cargo refused.
    #[error("`cargo metadata` failed: {message}")]
    Failed {
        /// What cargo said, shortened, control characters escaped.
        message: String,
        /// Whether it lacks packages that it could download.
        lacks_packages: bool,
    },
    /// Cargo did not come to an end.
    #[error("`cargo metadata` did not finish within {} s", after.as_secs())]
    TimedOut {
        /// How long it had.
        after: Duration,
    },
    /// Cargo said more than anybody could need.
    #[error("`cargo metadata` wrote more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// What cargo said is not understood.
    #[error("failed to parse what `cargo metadata` wrote")]
    Malformed {
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl WorkspaceError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            WorkspaceError::NotThere { .. } => "name the directory with the workspace's `Cargo.toml`",
            WorkspaceError::NotRun { .. } => "install cargo, or set the environment variable `CARGO`",
            WorkspaceError::Failed { lacks_packages: true, .. } => {
                "run `cargo fetch --locked` if you trust the workspace, and check again"
            }
            WorkspaceError::Failed { message, .. } if message.contains("--locked") => {
                "the lockfile does not fit the manifests: run `cargo update --workspace` if you trust the workspace"
            }
            WorkspaceError::Failed { .. } => "correct what cargo complains about",
            WorkspaceError::TimedOut { .. } | WorkspaceError::TooLarge { .. } => {
                "look at the workspace's manifests: this is not usual"
            }
            WorkspaceError::Malformed { .. } => "update cargo, or cratekeeper",
        };
        Some(hint.to_owned())
    }
}
