//! The pipeline from packages to outcomes: find, hash, analyse, judge; in parallel and cached.
//!
//! [`Engine::check`] takes the packages of a lockfile, [`Engine::inspect`] a single one. Hostile bytes are read in worker
//! processes (`worker`, `pool`), facts are kept by checksum ([`FactsCache`]), and what the rules are given is put
//! together here ([`RuleInput`](cratekeeper_model::RuleInput)). A package that cannot be found, read or analysed is an outcome
//! with a reason; it never ends a run.
//!
//! [`unresolved_dependencies`] compares manifests with a lockfile and says which names may have been meant.
//!
//! Not here: arguments, terminals, HTTP servers. A program that uses [`WorkerPool::of_this_program`] has to call
//! [`worker::run`] when its first argument is [`worker::WORKER_ARGUMENT`].

pub mod analysis;
mod cache;
mod encoding;
mod facts;
mod names;
mod pipeline;
mod pool;
mod progress;
pub mod worker;

pub use cache::FactsCache;
pub use names::unresolved_dependencies;
pub use pipeline::{Engine, InspectTarget, Requested, Setup};
pub use pool::{WorkerError, WorkerLimits, WorkerPool};
pub use progress::{NoProgress, Progress, Stage};
