//! The pipeline from packages to outcomes: find, hash, analyse, judge; in parallel and cached.
//!
//! [`Engine::check`] takes the packages of a lockfile, [`Engine::inspect`] a single one, [`Engine::diff`] two versions. Hostile bytes are read in worker
//! processes (`worker`, `pool`), facts are kept by checksum ([`FactsCache`]), and what the rules are given is put
//! together here ([`RuleInput`](cratekeeper_model::RuleInput)). A package that cannot be found, read or analysed is an outcome
//! with a reason; it never ends a run.
//!
//! [`resolution`] says which package each dependency of a lockfile leads to and which features are on, and [`Engine::resolve`]
//! finds the manifests for it. [`unresolved_dependencies`] compares manifests with a lockfile and says which names may have been meant.
//!
//! [`Engine::replay`] runs a [`Timeline`] of past events through rules and policy, with a simulated clock.
//!
//! Not here: arguments, terminals, HTTP servers. A program that uses [`WorkerPool::of_this_program`] has to call
//! [`worker::run`] when its first argument is [`worker::WORKER_ARGUMENT`].

pub mod advisory_lint;
pub mod analysis;
mod at_hand;
mod cache;
mod call_graphs;
mod cross_crate;
mod encoding;
mod facts;
mod history;
mod manifests;
mod names;
mod near_names;
mod pipeline;
mod pool;
mod progress;
pub mod reachability;
mod replay;
pub mod resolution;
mod similar;
mod submission;
mod update;
pub mod worker;

pub use at_hand::abilities;
pub use cache::FactsCache;
pub use call_graphs::{BuiltGraph, GraphError, SurveyInput, SurveyOutcome};
/// What rules are, for whoever shows them.
pub use cratekeeper_rules::{Rule, all as rules};
pub use manifests::{LocalManifest, LocalManifests};
pub use names::unresolved_dependencies;
pub use pipeline::{Engine, InspectTarget, Requested, Setup};
pub use pool::{WorkerError, WorkerLimits, WorkerPool};
pub use progress::{NoProgress, Progress, Stage};
pub use replay::{Timeline, TimelineError};
pub use similar::{IndexBuilt, SimilarError};
pub use submission::{Judged, ManifestError, Submission, registry_package};
pub use update::PreviousVersions;
