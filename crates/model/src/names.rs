//! What names can be taken for: of a package, and of a dependency that the lockfile lacks.

use serde::{Deserialize, Serialize};

use crate::{Level, Severity};

/// What a package's name can be taken for.
///
/// Compared in every run and never stored with facts: the answer depends on the names that there are to be taken for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameMatches {
    /// Whether the name is itself one of those that others are taken for; it then has no matches.
    pub in_corpus: bool,
    /// What the best match amounts to: [`None`](Level::None), [`Review`](Level::Review) or [`Alert`](Level::Alert).
    pub level: Level,
    /// Best match first, each target once.
    pub matches: Vec<NameMatch>,
}

/// A name that another one can be taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameMatch {
    /// The name, as its registry spells it.
    pub target: String,
    /// Kind of confusion, for example `separators` or `omitted-letter`.
    pub check: String,
    /// How likely it is that the one is taken for the other, 0 to 100.
    pub score: u8,
    /// One sentence that names both: "`tracings` is `tracing` with a plural s". Not yet fit for a terminal.
    pub explanation: String,
}

/// A dependency that a manifest of the workspace names and that has no entry in the lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnresolvedDependency {
    /// Path of the manifest, beside that of the lockfile.
    pub manifest: String,
    /// Line of the dependency's key in it, counted from 1.
    pub line: u32,
    /// The key.
    pub key: String,
    /// Name of the crate that it means: the key, unless `package` says another one.
    pub name: String,
    /// What may have been meant, likeliest first; empty when nothing resembles the name, or when it is no misspelling.
    pub suggestions: Vec<Suggestion>,
}

impl UnresolvedDependency {
    /// How bad it is if it was mistyped; `None` when nothing says that it was. In any case it could not be checked.
    ///
    /// Medium, like a confusable name in the lockfile: cargo would build what stands under it, but has not yet.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        (!self.suggestions.is_empty()).then_some(Severity::Medium)
    }
}

/// A name that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The name.
    pub name: String,
    /// Whether the lockfile has it already.
    pub in_lockfile: bool,
    /// Why it may have been meant, as one sentence. Not yet fit for a terminal.
    pub explanation: String,
}
