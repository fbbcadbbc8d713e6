//! Call graphs of many packages: each is read after those that it depends on, in parallel, and stored as it is finished.
//!
//! A package is read for its own functions and calls, and for the types and signatures that those who use it need. What is
//! kept for them stays in memory until the run ends. A workspace's graph is cached as a whole under a digest of everything it
//! was made from: when nothing changed, it is only opened.
//!
//! Reading happens in this process, on threads with a large stack and under limits of steps and bytes; a panic costs the
//! package it happened in. Mind the gap: unlike facts, call graphs are not yet made in worker processes.

mod merge;
mod packages;
mod schedule;
mod survey;
mod workspace;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cratekeeper_graph::{Reading, VersionEntry};
use cratekeeper_model::PackageId;
use cratekeeper_model::graph::CallGraph;
use cratekeeper_registry::Lockfile;
use cratekeeper_resolve::{CrateIndex, Limits, StandardCrates, Universe};

pub use survey::{SurveyInput, SurveyOutcome};

use crate::manifests::LocalManifests;
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
    /// The index of the standard library.
    #[error(transparent)]
    StandardLibrary(#[from] cratekeeper_standard::IndexError),
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
    universe: Universe,
    units: &'r [Unit],
    limits: Limits,
    source_bytes: AtomicU64,
    begun: Instant,
}

impl<'r> Run<'r> {
    fn new(units: &'r [Unit]) -> Result<Run<'r>, GraphError> {
        // Targets other than libraries have numbers of their own, which nobody refers to.
        let universe = Universe::with_room(FIRST as usize + 2 * units.len());
        cratekeeper_standard::load(&universe, STANDARD)?;
        Ok(Run {
            universe,
            units,
            limits: Limits::default(),
            source_bytes: AtomicU64::new(0),
            begun: Instant::now(),
        })
    }

    fn add_bytes(&self, bytes: usize) {
        self.source_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
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

/// The call graph of an archive alone: what it calls elsewhere has paths as they are written. `None` when it cannot be read.
///
/// The graph is for its functions: without the signatures of what it depends on, many of its calls are not resolved.
#[must_use]
pub fn graph_of_archive(path: &Path) -> Option<CallGraph> {
    let manifest = manifest_of(path)?;
    let units = survey::link_newest(vec![(path.to_owned(), Ok(manifest))], None, &|_| Vec::new());
    let run = Run::new(&units).ok()?;
    let read = std::thread::scope(|scope| {
        let work =
            std::thread::Builder::new().stack_size(schedule::STACK).spawn_scoped(scope, || run.read(0));
        work.ok()?.join().ok()
    })?;
    (!matches!(read.entry.reading, Reading::Refused(_))).then_some(read.graph)
}

fn manifest_of(path: &Path) -> Option<(cratekeeper_model::Package, cratekeeper_model::facts::ManifestFacts)> {
    let file = std::fs::File::open(path).ok()?;
    let expected = cratekeeper_archive::Expected { name: None, version: None, checksum: None };
    let archive =
        cratekeeper_archive::read_crate(file, &expected, &cratekeeper_archive::Limits::default()).ok()?;
    let paths: Vec<&str> = archive.files.iter().map(|it| it.path.as_str()).collect();
    let text = &archive.file("Cargo.toml")?.contents;
    let manifest = cratekeeper_source::read_manifest(text, text, &paths);
    let version = semver::Version::parse(manifest.version.as_deref()?).ok()?;
    Some((survey::package(manifest.name.clone()?, version, Some(archive.checksum)), manifest))
}

/// Everything that a workspace's graph is made from.
#[derive(Clone, Copy)]
struct WorkspaceInput<'i> {
    lockfile: &'i Lockfile,
    local: &'i LocalManifests,
}
