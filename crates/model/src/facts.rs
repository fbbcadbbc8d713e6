//! Facts: what analysis saw in one version, with no opinion.
//!
//! Facts are immutable and keyed by the version's [`Checksum`](crate::Checksum). They come in *sections*
//! that are stored and versioned one by one, so that a new analysis recomputes only its own section:
//!
//! | section | type | what |
//! |---|---|---|
//! | `manifest` | [`ManifestFacts`] | `Cargo.toml`, its original, version control information |
//! | `files` | [`FileFacts`] | every file: size, kind, entropy, suspicious characters; what tools obey; refused entries |
//! | `source` | [`SourceFacts`] | Rust items, `unsafe`, FFI, literals, module tree |
//! | `calls` | [`CallFacts`] | every call site as written |
//! | `flow` | [`FlowFacts`] | what code touches, under which conditions, and what flows where |
//!
//! `cfg` stays text everywhere: one set of facts serves all targets and features.
//!
//! Fields are only ever *added at the end* of a struct, with `#[serde(default)]`, because stored sections
//! are arrays by position. Anything else raises the section's version.

mod calls;
mod capability;
mod files;
mod fingerprint;
mod flow;
mod manifest;
mod source;

pub use calls::{Call, CallFacts, CallKind};
pub use capability::CapabilityUse;
pub use files::{
    CharacterClass, CharacterContext, FileEntry, FileFacts, FileKind, RefusedEntry, Remark, RemarkKind,
    Setting, SpecialFile, SpecialRole, SuspiciousCharacter,
};
pub use fingerprint::{Fingerprint, Sketch};
pub use flow::{
    Capability, ConstantText, Decoding, ExternalCall, Flow, FlowFacts, FlowSource, FlowStep, Gate, GateKind,
    Operation, OperationKind, Phase, Quality, Topic,
};
pub use manifest::{
    Dependency, DependencySection, ManifestDifference, ManifestFacts, Target, TargetKind, VersionControl,
};
use serde::{Deserialize, Serialize};
pub use source::{
    AssemblySite, Count, ForeignBlock, ForeignItem, Function, FunctionContainer, Include, IncludeKind,
    LinkageAttribute, Literal, LiteralKind, MacroDefinition, Module, ModuleForm, SourceFacts, SourceFile,
    SourceFileStatus, UnsafeCounters, UseImport,
};

/// A stored part of [`Facts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// [`ManifestFacts`].
    Manifest,
    /// [`FileFacts`].
    Files,
    /// [`SourceFacts`].
    Source,
    /// [`CallFacts`].
    Calls,
    /// [`FlowFacts`].
    Flow,
}

impl Section {
    /// All sections, in the order in which they are stored.
    pub const ALL: [Section; 5] =
        [Section::Manifest, Section::Files, Section::Source, Section::Calls, Section::Flow];

    /// Name in documents and stored files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Section::Manifest => "manifest",
            Section::Files => "files",
            Section::Source => "source",
            Section::Calls => "calls",
            Section::Flow => "flow",
        }
    }

    /// Version of the analysis that fills this section. Raised whenever the same bytes would give other
    /// facts, or when the encoding changes by more than an added field.
    #[must_use]
    pub fn version(self) -> u32 {
        match self {
            // 2: files that tools obey, remarks, arguments of docs.rs, what assembly mentions, macros in attributes, fingerprints.
            Section::Manifest => 2,
            // 3: computed arguments of what reads files, without comments and with plain strings.
            Section::Source => 3,
            // 3: scripts, and longer values of settings.
            Section::Files => 3,
            Section::Calls => 1,
            // 2: the file that a procedural macro is called from. 3: what stands behind padding, and decoders written by hand.
            // 4: what a template shows is not hidden.
            Section::Flow => 4,
        }
    }
}

/// What analysis saw in one version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The manifest and what lies beside it.
    pub manifest: ManifestFacts,
    /// Every file of the package.
    pub files: FileFacts,
    /// The Rust source.
    pub source: SourceFacts,
    /// Call sites; `None` when they were not asked for (they are the largest section by far).
    pub calls: Option<CallFacts>,
    /// Behaviour.
    pub flow: FlowFacts,
}
