//! Reachability: whether a workspace can run what an advisory is about.
//!
//! Three answers, because a call graph made from source never knows everything. "Unknown" is an answer of its own and carries its
//! reasons; "not reachable" holds under assumptions that are listed with it.

use serde::{Deserialize, Serialize};

use crate::graph::{Certainty, EdgeKind};

/// Whether the functions of an advisory can be run from a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReachabilityAnswer {
    /// There is a way of calls, each of which is certain.
    Reachable,
    /// There is none, under the assumptions that are listed.
    NotReachable,
    /// What is known does not decide it.
    Unknown,
}

impl ReachabilityAnswer {
    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReachabilityAnswer::Reachable => "reachable",
            ReachabilityAnswer::NotReachable => "not_reachable",
            ReachabilityAnswer::Unknown => "unknown",
        }
    }
}

/// Why something is not reachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// It is compiled, and nothing that runs calls it.
    NotCalled,
    /// Nothing compiles it, with these features and for this platform.
    NotCompiled,
}

impl Absence {
    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Absence::NotCalled => "not_called",
            Absence::NotCompiled => "not_compiled",
        }
    }
}

/// When the beginning of a way runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// In what is built.
    Normal,
    /// While it is built: a build script or a procedural macro.
    Build,
    /// In tests, examples and benchmarks.
    Test,
}

impl EntryKind {
    /// All, the most serious first.
    pub const ALL: [EntryKind; 3] = [EntryKind::Normal, EntryKind::Build, EntryKind::Test];

    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Normal => "normal",
            EntryKind::Build => "build",
            EntryKind::Test => "test",
        }
    }
}

/// What was found out about one advisory and one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reachability {
    /// The answer.
    pub answer: ReachabilityAnswer,
    /// Why it is not reachable; `None` for other answers.
    pub absence: Option<Absence>,
    /// What "not reachable" rests on, as sentence fragments; empty for other answers.
    pub assumptions: Vec<String>,
    /// Why the answer is not known, as sentence fragments; empty for other answers.
    pub reasons: Vec<String>,
    /// Ways: of "reachable" the shortest for each certainty, of "unknown" the one that may exist, if there is one.
    pub paths: Vec<CallPath>,
}

impl Reachability {
    /// The answer "unknown" for one reason.
    #[must_use]
    pub fn unknown(reason: impl Into<String>) -> Reachability {
        Reachability {
            answer: ReachabilityAnswer::Unknown,
            absence: None,
            assumptions: Vec::new(),
            reasons: vec![reason.into()],
            paths: Vec::new(),
        }
    }
}

/// A way of calls from an entry point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallPath {
    /// That of its least sure step.
    pub certainty: Certainty,
    /// When its entry point runs.
    pub entry: EntryKind,
    /// The functions, the entry point first, the affected one last.
    pub steps: Vec<CallStep>,
}

/// A function on a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallStep {
    /// Path with version, `crate_name@1.2.3::module::function`.
    pub function: String,
    /// Package that has it.
    pub package: String,
    /// Version of that package; `None` for paths that no version has.
    pub version: Option<String>,
    /// Whether it belongs to the user's own packages.
    pub is_local: bool,
    /// File that defines it: inside the package; of the user's own packages with the package's directory, if that is known.
    pub file: Option<String>,
    /// Line of the definition, counted from 1.
    pub line: Option<u32>,
    /// How the step before calls it; `None` for the entry point.
    pub call: Option<CallFrom>,
}

/// How a function is called by the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFrom {
    /// Line in the caller's file; `None` for the step from a trait's method to an implementation.
    pub line: Option<u32>,
    /// Kind of call.
    pub kind: EdgeKind,
    /// How sure it is.
    pub certainty: Certainty,
}
