//! Reads one package for its call graph, in a worker: all its targets, and its facts from the same trees where they are wanted.
//!
//! What others need of a package, its *surface*, is sent to the parent, which keeps the surfaces of a run in a directory. A
//! worker takes those that it needs from there, when something is looked up in them; its own it keeps, so that a single worker
//! decodes none at all. Numbers of crates are the same in all processes of a run.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cratekeeper_archive::{CrateArchive, Expected, ReadError, read_crate, read_directory};
use cratekeeper_graph::UnsafeItems;
use cratekeeper_model::facts::{Section, TargetKind};
use cratekeeper_model::graph::{CallGraph, GraphTargetKind};
use cratekeeper_model::{Checksum, DependencyKind};
use cratekeeper_resolve::{
    Analysis, CrateIndex, CrateInput, Limits, Options, Symbol, Universe, analyze_parsed, encoding,
};
use cratekeeper_syntax::ParsedFiles;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{FIRST, STANDARD, merge};
use crate::analysis::{Subject, structure_with_trees};
use crate::encoding::{EncodedSection, encode};
use crate::worker::Bytes;

/// Stack of the thread that reads. Inference calls itself as often as expressions nest, up to its limit, which takes below
/// 100 MiB in a debug build; only what is used becomes memory.
pub(crate) const STACK: usize = 128 << 20;

/// Largest file that is read as Rust. The largest real ones have 1.5 MB; generated bindings up to 20.
const FILE_BYTES: usize = 32 << 20;

/// Encoded bytes of surfaces that a worker keeps before it begins anew. Decoded they take some three times as much, so that this
/// stays a small part of a worker's memory. Two versions of `windows-sys` have 45 MB each, the other 284 packages of this
/// workspace 27 MB together.
const KEPT_BYTES: u64 = 128 << 20;

/// A target: kind, crate name, root file.
pub(crate) type TargetText = (TargetKind, String, String);

/// A request to read one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GraphRequest {
    pub(crate) subject: Subject,
    /// What an archive must have.
    pub(crate) checksum: Option<Checksum>,
    /// Number of the package in the run, and how many there are.
    pub(crate) unit: u32,
    pub(crate) units: u32,
    /// Directory of the surfaces that are there already, named by number.
    pub(crate) surfaces: PathBuf,
    /// Two digits.
    pub(crate) edition: u8,
    pub(crate) targets: Vec<TargetText>,
    pub(crate) features: Vec<String>,
    /// What `cfg` says of the platform: names, and names with a value.
    pub(crate) platform: Vec<(String, Option<String>)>,
    /// Name in code, number and kind of those that have a surface.
    pub(crate) dependencies: Vec<(String, u32, DependencyKind)>,
    /// A member of the workspace: its tests are read, too.
    pub(crate) is_member: bool,
    /// Others depend on it.
    pub(crate) wants_surface: bool,
    /// Facts to be sent along.
    pub(crate) sections: Vec<Section>,
}

/// A package that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GraphReply {
    pub(crate) checksum: Checksum,
    /// Other crates are numbers of the run.
    pub(crate) graph: CallGraph,
    pub(crate) unsafe_blocks: u32,
    pub(crate) unsafe_implementations: u32,
    pub(crate) unsafe_traits: u32,
    pub(crate) source_bytes: u64,
    /// Entries of the archive were refused.
    pub(crate) is_partial: bool,
    /// There is C or assembly in it.
    pub(crate) bundles_c: bool,
    /// Empty where it was not asked for, or where there is no library.
    pub(crate) surface: Bytes,
    pub(crate) facts: Vec<(Section, Bytes)>,
}

/// The file of a surface.
pub(super) fn surface_path(directory: &Path, unit: u32) -> PathBuf {
    directory.join(unit.to_string())
}

/// The number of a package's library.
fn number(unit: u32) -> CrateIndex {
    CrateIndex(FIRST + unit)
}

/// What a worker keeps from one request to the next.
#[derive(Default)]
pub(crate) struct Reader {
    run: Option<Kept>,
}

struct Kept {
    directory: PathBuf,
    universe: Universe,
    /// Encoded bytes of the surfaces in it.
    bytes: Arc<AtomicU64>,
}

impl Kept {
    fn new(request: &GraphRequest) -> Result<Kept, String> {
        let bytes = Arc::new(AtomicU64::new(0));
        let directory = request.surfaces.clone();
        let counted = Arc::clone(&bytes);
        let load = move |index: CrateIndex| {
            let encoded = std::fs::read(surface_path(&directory, index.0.checked_sub(FIRST)?)).ok()?;
            counted.fetch_add(encoded.len() as u64, Ordering::Relaxed);
            let mut data = encoding::decode_from_twin(&encoded).ok()?;
            data.index();
            Some(Arc::new(data))
        };
        // Targets other than libraries have numbers of their own, which nobody refers to.
        let room = FIRST as usize + 2 * request.units as usize;
        let universe = Universe::with_loader(room, Box::new(load));
        cratekeeper_standard::load(&universe, STANDARD).map_err(|error| error.to_string())?;
        Ok(Kept { directory: request.surfaces.clone(), universe, bytes })
    }
}

impl Reader {
    /// Reads a package; the error is why it is refused.
    pub(crate) fn read(&mut self, request: &GraphRequest) -> Result<GraphReply, String> {
        let archive = open(request)?;
        let fits = |kept: &Kept| {
            kept.directory == request.surfaces && kept.bytes.load(Ordering::Relaxed) <= KEPT_BYTES
        };
        let kept = match self.run.take().filter(fits) {
            Some(kept) => kept,
            None => Kept::new(request)?,
        };
        // What a panic leaves half done goes with the universe: the next package gets a new one.
        let read = catch_unwind(AssertUnwindSafe(|| {
            Reading::new(request, &kept.universe, &archive).read(&kept.bytes)
        }));
        match read {
            Ok(reply) => {
                self.run = Some(kept);
                reply
            }
            Err(_) => Err("reading it failed: a fault of this program".to_owned()),
        }
    }
}

fn open(request: &GraphRequest) -> Result<CrateArchive, String> {
    let limits = cratekeeper_archive::Limits::default();
    let read = match &request.subject {
        Subject::Directory(path) => read_directory(path, &limits),
        Subject::Archive { path, name, version } => {
            File::open(path).map_err(ReadError::from).and_then(|file| {
                let (name, version) = (name.clone(), version.clone());
                read_crate(file, &Expected { name, version, checksum: request.checksum }, &limits)
            })
        }
    };
    read.map_err(|error| match error {
        ReadError::Refused(refusal) => format!("the archive was refused: {refusal}"),
        ReadError::Io(error) => format!("failed to read it: {error}"),
    })
}

/// Files that Rust may be in: those that end so, and what `include!` names by custom.
fn rust_files(archive: &CrateArchive) -> Vec<(String, String)> {
    let is_rust = |path: &str| {
        path.ends_with(".rs") || path.ends_with(".in") || path.ends_with(".inc") || path.contains(".rs.")
    };
    archive
        .files
        .iter()
        .filter(|file| is_rust(&file.path) && file.contents.len() <= FILE_BYTES)
        .map(|file| (file.path.clone(), String::from_utf8_lossy(&file.contents).into_owned()))
        .collect()
}

/// A target to read.
#[derive(Clone, Copy)]
struct Target<'a> {
    /// Its number in the universe.
    index: CrateIndex,
    kind: TargetKind,
    /// Crate name.
    name: &'a str,
    /// Root file.
    root: &'a str,
    /// As it is compiled for its unit tests.
    unit_tests: bool,
}

/// A package that is being read.
struct Reading<'r> {
    request: &'r GraphRequest,
    universe: &'r Universe,
    archive: &'r CrateArchive,
    files: Vec<(String, String)>,
    options: Options,
    limits: Limits,
}

impl<'r> Reading<'r> {
    fn new(request: &'r GraphRequest, universe: &'r Universe, archive: &'r CrateArchive) -> Reading<'r> {
        Reading {
            request,
            universe,
            archive,
            files: rust_files(archive),
            options: Options::new(
                request.platform.iter().map(|(name, value)| (name.as_str(), value.as_deref())),
                request.features.iter().map(String::as_str),
            ),
            limits: Limits::default(),
        }
    }

    fn read(&self, kept_bytes: &AtomicU64) -> Result<GraphReply, String> {
        let edition = cratekeeper_resolve::edition(self.request.edition);
        let texts = self.files.iter().map(|(_, text)| text.as_str());
        let parsed = ParsedFiles::new(edition, self.limits.nesting, texts);
        let mut items = UnsafeItems::default();
        let (graph, surface) = self.read_targets(&parsed, &mut items)?;
        kept_bytes.fetch_add(surface.len() as u64, Ordering::Relaxed);
        let is_c = |path: &str| [".c", ".cc", ".cpp", ".S", ".s"].iter().any(|it| path.ends_with(it));
        Ok(GraphReply {
            checksum: self.archive.checksum,
            graph,
            unsafe_blocks: items.blocks,
            unsafe_implementations: items.implementations,
            unsafe_traits: items.traits,
            source_bytes: self.files.iter().map(|(_, text)| text.len() as u64).sum(),
            is_partial: !self.archive.refused.is_empty(),
            bundles_c: self.archive.files.iter().any(|file| is_c(&file.path)),
            surface: Bytes(surface),
            facts: self.facts(&parsed)?,
        })
    }

    /// The graph of all targets, and the library's surface.
    fn read_targets(
        &self,
        parsed: &ParsedFiles<'_>,
        items: &mut UnsafeItems,
    ) -> Result<(CallGraph, Vec<u8>), String> {
        let request = self.request;
        let mut graph = CallGraph::default();
        let mut surface = Vec::new();
        let library = self.library();
        if let Some((kind, name, root)) = library {
            let index = number(request.unit);
            let target = Target { index, kind: *kind, name, root, unit_tests: false };
            let analysis = self.read_target(target, parsed);
            add_unsafe(items, &analysis);
            if request.wants_surface {
                surface = encoding::encode_for_twin(&analysis.data)?;
            }
            self.universe.set(index, analysis.data);
            graph = analysis.graph;
            self.add_unit_tests(target, parsed, &mut graph);
        }
        for (kind, name, root) in &request.targets {
            let is_library = library.is_some_and(|it| it.2 == *root && it.0 == *kind);
            let is_test = matches!(kind, TargetKind::Test | TargetKind::Example | TargetKind::Bench);
            let is_there = self.files.iter().any(|(path, _)| path == root);
            if is_library || is_test && !request.is_member || !is_there {
                continue;
            }
            let index = self.own_number();
            let target = Target { index, kind: *kind, name, root, unit_tests: false };
            let mut analysis = self.read_target(target, parsed);
            if !is_test {
                add_unsafe(items, &analysis);
            }
            self.add_unit_tests(target, parsed, &mut analysis.graph);
            merge::add_target(&mut graph, analysis.graph);
        }
        Ok((graph, surface))
    }

    fn library(&self) -> Option<&'r TargetText> {
        self.request.targets.iter().find(|it| matches!(it.0, TargetKind::Lib | TargetKind::ProcMacro))
    }

    /// The number of targets that nobody refers to.
    fn own_number(&self) -> CrateIndex {
        number(self.request.units + self.request.unit)
    }

    /// Reads a member's library or program once more if it has unit tests: they are compiled with it, with dependencies that
    /// the build has not.
    fn add_unit_tests(&self, target: Target<'_>, parsed: &ParsedFiles<'_>, graph: &mut CallGraph) {
        let is_built = matches!(target.kind, TargetKind::Lib | TargetKind::ProcMacro | TargetKind::Bin);
        let has_tests = graph.functions.iter().any(|it| it.attributes.test);
        if is_built && has_tests && self.request.is_member {
            let target = Target { index: self.own_number(), unit_tests: true, ..target };
            merge::take_unit_tests(graph, self.read_target(target, parsed).graph);
        }
    }

    fn read_target(&self, target: Target<'_>, parsed: &ParsedFiles<'_>) -> Analysis {
        let Target { index, kind, name, root, unit_tests } = target;
        let own = number(self.request.unit);
        let is_test =
            unit_tests || matches!(kind, TargetKind::Test | TargetKind::Example | TargetKind::Bench);
        let mut dependencies: Vec<(Symbol, CrateIndex)> = Vec::new();
        for (name, unit, dependency) in &self.request.dependencies {
            let fits = match dependency {
                DependencyKind::Normal => kind != TargetKind::BuildScript,
                DependencyKind::Build => kind == TargetKind::BuildScript,
                DependencyKind::Dev => is_test,
            };
            if fits {
                dependencies.push((Symbol::new(name), number(*unit)));
            }
        }
        if index != own
            && kind != TargetKind::BuildScript
            && let Some((_, library, _)) = self.library()
        {
            dependencies.push((Symbol::new(library), own));
        }
        let input = CrateInput {
            index,
            name,
            edition: self.request.edition,
            root,
            files: &self.files,
            configuration: &self.options,
            dependencies: &dependencies,
            standard: Some(STANDARD),
            test_target: is_test,
            limits: &self.limits,
        };
        analyze_parsed(&input, graph_kind(kind), self.universe, &|number| parsed.tree(number))
    }

    fn facts(&self, parsed: &ParsedFiles<'_>) -> Result<Vec<(Section, Bytes)>, String> {
        let wanted = &self.request.sections;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let paths = self.files.iter().enumerate().map(|(number, (path, _))| (path.as_str(), number));
        let numbers: FxHashMap<&str, usize> = paths.collect();
        let edition = cratekeeper_resolve::edition(self.request.edition);
        let facts = structure_with_trees(self.archive, edition, &|path, text| {
            let number = *numbers.get(path)?;
            parsed.tree(number).ok().filter(|_| parsed.text(number) == text)
        });
        let encoded = encode(&facts).map_err(|error| format!("failed to encode facts: {error}"))?;
        let wanted = encoded.into_iter().filter(|it| wanted.contains(&it.section));
        Ok(wanted.map(|EncodedSection { section, bytes }| (section, Bytes(bytes))).collect())
    }
}

fn graph_kind(kind: TargetKind) -> GraphTargetKind {
    match kind {
        TargetKind::Lib => GraphTargetKind::Lib,
        TargetKind::ProcMacro => GraphTargetKind::ProcMacro,
        TargetKind::Bin => GraphTargetKind::Bin,
        TargetKind::BuildScript => GraphTargetKind::BuildScript,
        TargetKind::Test | TargetKind::Example | TargetKind::Bench => GraphTargetKind::Test,
    }
}

fn add_unsafe(items: &mut UnsafeItems, analysis: &Analysis) {
    items.blocks += analysis.unsafe_blocks;
    items.implementations += analysis.unsafe_implementations;
    items.traits += analysis.unsafe_traits;
}
