//! The words of Cratekeeper as types.
//!
//! What analysis saw in one version is [`Facts`]; rules turn a [`RuleInput`] into [`Finding`]s; the
//! findings of one version, scored, are a [`Case`]. A [`Package`] says which version is meant and why
//! it is in a dependency tree.
//!
//! This crate knows nothing of files, networks, terminals or databases: no I/O, no async, no clap, no
//! SQL. Everything here can be stored, sent to another process, and judged again years later.

mod advisory;
mod case;
mod checksum;
pub mod facts;
mod finding;
pub mod graph;
mod input;
mod names;
mod outcome;
mod package;
mod reachability;

pub use advisory::{Advisory, AdvisoryClass, AffectedFunction};
pub use case::{Case, Level, NotEvaluated, ParseLevelError};
pub use checksum::{Checksum, ChecksumHasher, ParseChecksumError};
pub use facts::Facts;
pub use finding::{Confidence, Evidence, Finding, ParseSeverityError, Severity};
pub use input::{ArchiveState, IndexEntry, Known, RuleInput};
pub use names::{NameMatch, NameMatches, Suggestion, UnresolvedDependency};
pub use outcome::{AdvisoryDatabase, CheckOutcome, InspectOutcome, Outcome};
pub use package::{DependencyKind, Package, PackageId, PackageSource, PackageStatus};
pub use reachability::{Absence, CallFrom, CallPath, CallStep, EntryKind, Reachability, ReachabilityAnswer};
