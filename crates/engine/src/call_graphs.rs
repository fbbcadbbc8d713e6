//! Call graphs of many packages: each is read after those that it depends on, in parallel, and stored as it is finished.
//!
//! A package is read for its own functions and calls, and for the types and signatures that those who use it need: its
//! surface. Reading happens in worker processes (`reading`); surfaces lie in a temporary directory until the run ends, where
//! workers find those that they need. A workspace's graph is cached as a whole under a digest of everything it was made from:
//! when nothing changed, it is only opened.

mod merge;
mod packages;
pub(crate) mod reading;
mod schedule;
mod survey;
mod workspace;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use cratekeeper_graph::{Reading, VersionEntry};
use cratekeeper_model::PackageId;
use cratekeeper_model::graph::CallGraph;
use cratekeeper_registry::Lockfile;
use cratekeeper_resolve::{CrateIndex, StandardCrates};
use tempfile::TempDir;

pub use survey::{SurveyInput, SurveyOutcome};

use crate::facts::FactsSource;
use crate::manifests::LocalManifests;
use crate::pipeline::Engine;
use crate::resolution::Platform;
use packages::Unit;

/// A call graph that is ready to be asked.
#[derive(Debug, Clone)]
pub struct BuiltGraph {
    /// Directory of the store.
    pub directory: PathBuf,
    /// Name of its resolution table.
    pub table: String,
    /// Packages in it.
    pub packages: usize,
    /// Packages that could not be read, with the reason.
    pub refused: Vec<(PackageId, String)>,
    /// Packages of which something is missing, with what.
    pub partial: Vec<(PackageId, String)>,
    /// It was made by an earlier run.
    pub from_cache: bool,
}

/// Why there is no call graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The store.
    #[error(transparent)]
    Store(#[from] cratekeeper_graph::GraphError),
    /// A directory.
    #[error("failed to read `{path}`")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Where the standard library's crates are in every universe; packages follow.
const STANDARD: StandardCrates =
    StandardCrates { core: CrateIndex(0), alloc: CrateIndex(1), std: CrateIndex(2) };

/// Number of the first package in a universe.
const FIRST: u32 = 3;

/// Most problems of one package that are named; more are counted.
const PROBLEMS: usize = 3;

/// A package that was read.
pub(crate) struct ReadPackage {
    pub(crate) entry: VersionEntry,
    pub(crate) graph: CallGraph,
}

/// What all threads share.
struct Run<'r> {
    units: &'r [Unit],
    facts: &'r FactsSource,
    /// Facts that the cache lacks are made on the way.
    keeps_facts: bool,
    /// What others need of the packages that were read, one file each.
    surfaces: TempDir,
    has_surface: Vec<AtomicBool>,
    /// By unit: others depend on it.
    is_needed: Vec<bool>,
    source_bytes: AtomicU64,
    begun: Instant,
}

impl<'r> Run<'r> {
    fn new(units: &'r [Unit], facts: &'r FactsSource, keeps_facts: bool) -> Result<Run<'r>, GraphError> {
        let surfaces = tempfile::Builder::new()
            .prefix("cratekeeper-surfaces-")
            .tempdir()
            .map_err(|source| GraphError::Directory { path: std::env::temp_dir(), source })?;
        let mut is_needed = vec![false; units.len()];
        units.iter().flat_map(|it| &it.dependencies).for_each(|it| is_needed[it.unit] = true);
        Ok(Run {
            units,
            facts,
            keeps_facts,
            surfaces,
            has_surface: units.iter().map(|_| AtomicBool::new(false)).collect(),
            is_needed,
            source_bytes: AtomicU64::new(0),
            begun: Instant::now(),
        })
    }

    fn add_bytes(&self, bytes: u64) {
        self.source_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What a package's state says, as a sentence fragment: what is missing.
fn missing(problems: &[String]) -> String {
    let mut text = problems.iter().take(PROBLEMS).cloned().collect::<Vec<_>>().join("; ");
    if problems.len() > PROBLEMS {
        text.push_str(&format!("; and {} more", problems.len() - PROBLEMS));
    }
    text
}

/// Sorts what was read into refused and partial.
fn sort_out(entry: &VersionEntry, graph: &CallGraph, built: &mut BuiltGraph) {
    match &entry.reading {
        Reading::Complete => {}
        Reading::Partial => built.partial.push((entry.id.clone(), missing(&graph.problems))),
        Reading::Refused(reason) => built.refused.push((entry.id.clone(), reason.clone())),
    }
}

impl Engine {
    /// The call graph of an archive alone: what it calls elsewhere has paths as they are written. `None` when it cannot be read.
    ///
    /// The graph is for its functions: without the signatures of what it depends on, many of its calls are not resolved.
    #[must_use]
    pub fn graph_of_archive(&self, path: &Path) -> Option<CallGraph> {
        // Workers read in a directory of their own.
        let path = std::path::absolute(path).ok()?;
        let manifest = self.manifest_of_archive(&path).ok()?;
        // Any will do: it is for the names of functions, and is the same on every machine.
        let platform = Platform::of_triple("x86_64-unknown-linux-gnu");
        let units = survey::link_newest(vec![(path, Ok(manifest))], None, &platform, &|_| Vec::new());
        let read = Run::new(&units, self.facts(), false).ok()?.read(0);
        (!matches!(read.entry.reading, Reading::Refused(_))).then_some(read.graph)
    }
}

/// Everything that a workspace's graph is made from.
#[derive(Clone, Copy)]
struct WorkspaceInput<'i> {
    lockfile: &'i Lockfile,
    local: &'i LocalManifests,
}
