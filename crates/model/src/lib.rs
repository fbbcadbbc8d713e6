//! The words of Cratekeeper as types.
//!
//! What analysis saw in one version is [`Facts`]; rules turn a [`RuleInput`] into [`Finding`]s; the
//! findings of one version, scored, are a [`Case`], and policy makes a [`Verdict`] of it. A [`Package`] says which version is meant and why
//! it is in a dependency tree.
//!
//! This crate knows nothing of files, networks, terminals or databases: no I/O, no async, no clap, no
//! SQL. Everything here can be stored, sent to another process, and judged again years later.

mod advisory;
mod case;
mod checksum;
mod difference;
pub mod facts;
mod finding;
pub mod graph;
mod history;
mod input;
mod measurement;
mod names;
mod outcome;
mod package;
mod reachability;
mod replay;
mod similarity;
mod verdict;

pub use advisory::{Advisory, AdvisoryClass, AffectedFunction};
pub use case::{Case, ChainStep, Contribution, Level, NotEvaluated, ParseLevelError, StepKind};
pub use checksum::{Checksum, ChecksumHasher, ParseChecksumError};
pub use difference::{Change, ChangeDirection, ChangeKind, DiffOutcome, Difference, Previous};
pub use facts::Facts;
pub use finding::{Confidence, Evidence, Finding, ParseSeverityError, Severity};
pub use history::{
    DependencyHistory, History, PublishMethod, PublishedVersion, PublisherHistory, RegistryAction,
    RegistryEvent,
};
pub use input::{
    ArchiveState, CrossCrateReach, DeclaredBy, IndexEntry, IndexedManifest, Known, ReachedOperation,
    RuleInput,
};
pub use measurement::{BenignCounts, DetectionEvaluation, DetectionTotals, Measured, Share};
pub use names::{NameMatch, NameMatches, Suggestion, UnresolvedDependency};
pub use outcome::{AdvisoryDatabase, CheckOutcome, InspectOutcome, Outcome};
pub use package::{DependencyKind, Package, PackageId, PackageSource, PackageStatus};
pub use reachability::{Absence, CallFrom, CallPath, CallStep, EntryKind, Reachability, ReachabilityAnswer};
pub use replay::{Replay, ReplayedIncident, ReplayedVersion};
pub use similarity::{SimilarCrate, repository_key};
pub use verdict::{
    ClauseAnswer, ClauseMode, ClauseOutcome, ParseVerdictError, PolicyAnswer, Verdict, WaivedClause,
    WaivedRule,
};
