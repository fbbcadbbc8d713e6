//! What is different between two versions of a crate.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::facts::{Capability, Phase};
use crate::{Evidence, InspectOutcome, Known, Outcome};

/// The version before the one that is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Previous {
    /// Which.
    pub version: Version,
    /// What is different.
    pub difference: Difference,
}

/// What a comparison of two versions says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiffOutcome {
    /// The older version, judged by itself.
    pub older: Outcome,
    /// What changed, or why that is not known.
    pub difference: Known<Difference>,
    /// The newer version, judged with what changed.
    pub newer: InspectOutcome,
}

/// What changed from an older to a newer version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Changes, gravest kind first.
    pub changes: Vec<Change>,
    /// Lines of Rust in the older and the newer version.
    pub rust_lines: (u64, u64),
    /// Files that were added, removed, and changed in content.
    pub files: (u32, u32, u32),
    /// Changes that are not listed, because there are too many of their kind.
    #[serde(default)]
    pub left_out: u64,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What kind of thing changed.
    pub kind: ChangeKind,
    /// Whether it came, went, or became another.
    pub direction: ChangeDirection,
    /// What: a dependency's name, a capability, a path, a field.
    pub subject: String,
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
    /// Capability and phase, for [`ChangeKind::Capability`].
    pub capability: Option<(Capability, Phase)>,
    /// Where it shows in the newer version; in the older one for what went.
    pub evidence: Vec<Evidence>,
}

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// The build script.
    BuildScript,
    /// That it is a procedural macro.
    ProcMacro,
    /// A capability in a phase.
    Capability,
    /// A dependency that is used or built.
    Dependency,
    /// A build dependency.
    BuildDependency,
    /// Compiled code, or another opaque file.
    Binary,
    /// A file or directory whose name begins with a dot.
    HiddenFile,
    /// Unsafe code.
    Unsafe,
    /// Foreign functions.
    Ffi,
    /// `package.repository`.
    Repository,
    /// `package.authors`.
    Authors,
    /// Another field of the manifest.
    Manifest,
    /// A feature.
    Feature,
    /// Amount of code.
    CodeVolume,
    /// A constant address, host or path.
    ConstantText,
}

impl ChangeKind {
    /// The word in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::BuildScript => "build-script",
            ChangeKind::ProcMacro => "proc-macro",
            ChangeKind::Capability => "capability",
            ChangeKind::Dependency => "dependency",
            ChangeKind::BuildDependency => "build-dependency",
            ChangeKind::Binary => "binary",
            ChangeKind::HiddenFile => "hidden-file",
            ChangeKind::Unsafe => "unsafe",
            ChangeKind::Ffi => "ffi",
            ChangeKind::Repository => "repository",
            ChangeKind::Authors => "authors",
            ChangeKind::Manifest => "manifest",
            ChangeKind::Feature => "feature",
            ChangeKind::CodeVolume => "code-volume",
            ChangeKind::ConstantText => "constant-text",
        }
    }
}

/// Direction of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeDirection {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It became another.
    Changed,
}

impl ChangeDirection {
    /// The word in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeDirection::Added => "added",
            ChangeDirection::Removed => "removed",
            ChangeDirection::Changed => "changed",
        }
    }
}
