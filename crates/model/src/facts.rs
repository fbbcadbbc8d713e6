//! Facts: what analysis saw in one version, with no opinion.

use serde::{Deserialize, Serialize};

/// What analysis saw in one version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {}

/// An archive, or one entry of it, that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedEntry {
    /// Kind of refusal, for example `symlink`.
    pub code: String,
    /// What was refused and why, as one sentence fragment.
    pub message: String,
    /// Path of the entry; `None` when the archive as a whole was refused.
    pub entry: Option<String>,
}
