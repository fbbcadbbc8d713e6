//! Stores the call graphs of many versions in one directory and answers questions about them.
//!
//! A [`StoreWriter`] appends versions as *segments*: functions and symbolic calls, written once. A [`Resolution`]
//! says which version each dependency leads to, in a lockfile or at a point in time; a store has as many as it is
//! given. Linking one makes an index, mapped into memory, that a [`Graph`] answers from.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path();
//! use cratekeeper_graph::{Limits, Pattern, Store, StoreWriter, synthetic};
//!
//! let mut writer = StoreWriter::open(directory)?;
//! synthetic::Ecosystem::new(7, 20, 400).write(&mut writer, "today")?;
//! writer.link("today")?;
//!
//! let graph = Store::open(directory)?.graph("today")?;
//! let found = graph.find(&Pattern::parse("*::function_0")?, 10)?;
//! let callers = graph.callers(&found.nodes, &Limits::default())?;
//! assert!(!callers.links.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! [`answer`] puts questions as people ask them, by patterns, and answers with names instead of numbers.
//!
//! How calls are extracted, and what cargo would resolve, is known elsewhere.

pub mod answer;
mod entry;
mod error;
mod file;
mod graph;
mod index;
mod interner;
mod link;
mod manifest;
mod pattern;
mod query;
mod resolution;
mod segment;
mod store;
pub mod synthetic;
mod varint;

pub use entry::{NativeLibrary, Reading, UnsafeItems, VersionEntry};
pub use error::{Damage, GraphError};
pub use graph::{CallSite, Definition, Function, Graph, NodeId, Sizes, VersionId, VersionName};
pub use pattern::{Found, FoundPaths, Pattern, Search};
pub use query::blast::{Blast, BlastTarget, CallHit, CertaintyLevel, HitVersion, Level};
pub use query::dependents::{Dependents, Duplicate, TopDependents};
pub use query::diff::{Diff, DiffEdge};
pub use query::edges::{Edge, EdgeOptions, Edges};
pub use query::neighbours::{Closure, Link, Neighbourhood, Reached};
pub use query::paths::{Paths, Route, Step};
pub use query::statistics::{Statistics, UnsafeStatistics, UnsafeTotals};
pub use query::unsafe_usage::{ForeignFunction, ForeignFunctions, UnsafeUsage};
pub use query::{Filter, Limits, StepKind};
pub use resolution::{DependencyKinds, Resolution, ResolvedDependency, ResolvedVersion};
pub use segment::VersionNumber;
pub use store::{Appender, Store, StoreSummary, StoreWriter, StoredVersion};
