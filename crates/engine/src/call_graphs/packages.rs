//! Packages to read: where their text is, how they are configured, and what they depend on; and reading one.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use cratekeeper_archive::{CrateArchive, Expected, ReadError, read_crate, read_directory};
use cratekeeper_graph::{NativeLibrary, Reading, UnsafeItems, VersionEntry};
use cratekeeper_model::facts::TargetKind;
use cratekeeper_model::graph::{CallGraph, GraphTargetKind};
use cratekeeper_model::{Checksum, DependencyKind, Package};
use cratekeeper_resolve::{Analysis, CrateIndex, CrateInput, Options, Symbol, analyze};

use super::{FIRST, ReadPackage, Run, STANDARD, merge};

/// Largest file that is read as Rust. The largest real ones have 1.5 MB; generated bindings up to 20.
const FILE_BYTES: usize = 32 << 20;

/// Where a package's files are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A `.crate` file, with the checksum that it must have if one is promised.
    Archive(PathBuf, Option<Checksum>),
    /// An unpacked package.
    Directory(PathBuf),
    /// Nowhere, and why.
    Missing(String),
}

/// A dependency of a [`Unit`].
#[derive(Debug, Clone)]
pub(super) struct UnitDependency {
    /// Name in code.
    pub(super) name: String,
    /// Index of the unit.
    pub(super) unit: usize,
    pub(super) kind: DependencyKind,
}

/// A package to read.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) package: Package,
    pub(super) place: Place,
    /// Two digits.
    pub(super) edition: u8,
    /// Kind, crate name, root file.
    pub(super) targets: Vec<(TargetKind, String, String)>,
    pub(super) features: Vec<String>,
    pub(super) dependencies: Vec<UnitDependency>,
    pub(super) is_member: bool,
    /// `package.links`
    pub(super) links: Option<String>,
    /// In seconds since 1970.
    pub(super) published: Option<i64>,
    pub(super) yanked: bool,
    /// It existed at the time that is asked about.
    pub(super) takes_part: bool,
}

impl Unit {
    fn library(&self) -> Option<&(TargetKind, String, String)> {
        self.targets.iter().find(|it| matches!(it.0, TargetKind::Lib | TargetKind::ProcMacro))
    }

    pub(super) fn entry(&self) -> VersionEntry {
        let package = &self.package;
        let mut entry = VersionEntry::new(package.id.clone(), package.name.clone(), package.version.clone());
        entry.checksum = package.checksum;
        entry.published = self.published;
        entry.yanked = self.yanked;
        entry.features = self.features.join(",");
        entry.build_script = self.targets.iter().any(|it| it.0 == TargetKind::BuildScript);
        entry.proc_macro = self.targets.iter().any(|it| it.0 == TargetKind::ProcMacro);
        entry.links = self.links.clone();
        entry
    }

    fn refused(&self, reason: String) -> ReadPackage {
        let mut entry = self.entry();
        let crate_name = self.package.name.replace('-', "_");
        let graph = CallGraph { crate_name, problems: vec![reason.clone()], ..CallGraph::default() };
        entry.reading = Reading::Refused(reason);
        ReadPackage { entry, graph }
    }
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

/// The number of a unit's library.
pub(super) fn number(unit: usize) -> CrateIndex {
    CrateIndex(FIRST + unit as u32)
}

impl Run<'_> {
    /// Reads a package, all its targets. Whatever is wrong with it is in what is returned.
    pub(super) fn read(&self, number_of_unit: usize) -> ReadPackage {
        let unit = &self.units[number_of_unit];
        // One package must not end the run. What it left half done is dropped with it.
        let read = catch_unwind(AssertUnwindSafe(|| match open(unit) {
            Ok(archive) => self.read_archive(number_of_unit, &archive),
            Err(reason) => unit.refused(reason),
        }));
        read.unwrap_or_else(|_| unit.refused("reading it failed: a fault of this program".to_owned()))
    }

    fn read_archive(&self, number_of_unit: usize, archive: &CrateArchive) -> ReadPackage {
        let unit = &self.units[number_of_unit];
        let files = rust_files(archive);
        self.add_bytes(files.iter().map(|(_, text)| text.len()).sum());
        let options = Options::x86_64_linux(unit.features.iter().map(String::as_str));
        let mut graph = CallGraph::default();
        let mut items = UnsafeItems::default();
        let library = unit.library();
        if let Some((kind, name, root)) = library {
            let target = Target { index: number(number_of_unit), kind: *kind, name, root, unit_tests: false };
            let analysis = self.read_target(number_of_unit, target, &files, &options);
            add_unsafe(&mut items, &analysis);
            self.universe.set(number(number_of_unit), analysis.data);
            graph = analysis.graph;
            self.add_unit_tests(number_of_unit, target, &files, &options, &mut graph);
        }
        for (kind, name, root) in &unit.targets {
            let is_library = library.is_some_and(|it| it.2 == *root && it.0 == *kind);
            let is_test = matches!(kind, TargetKind::Test | TargetKind::Example | TargetKind::Bench);
            if is_library || is_test && !unit.is_member || !files.iter().any(|(path, _)| path == root) {
                continue;
            }
            let own = CrateIndex(FIRST + (self.units.len() + number_of_unit) as u32);
            let target = Target { index: own, kind: *kind, name, root, unit_tests: false };
            let mut analysis = self.read_target(number_of_unit, target, &files, &options);
            if !is_test {
                add_unsafe(&mut items, &analysis);
            }
            self.add_unit_tests(number_of_unit, target, &files, &options, &mut analysis.graph);
            merge::add_target(&mut graph, analysis.graph);
        }
        if graph.crate_name.is_empty() {
            graph.crate_name = unit.package.name.replace('-', "_");
        }
        merge::name_packages(&mut graph, unit, self.units);
        ReadPackage { entry: entry(unit, archive, &graph, items), graph }
    }

    /// Reads a member's library or program once more if it has unit tests: they are compiled with it, with dependencies that
    /// the build has not.
    fn add_unit_tests(
        &self,
        number_of_unit: usize,
        target: Target<'_>,
        files: &[(String, String)],
        options: &Options,
        graph: &mut CallGraph,
    ) {
        let is_built = matches!(target.kind, TargetKind::Lib | TargetKind::ProcMacro | TargetKind::Bin);
        let has_tests = graph.functions.iter().any(|it| it.attributes.test);
        if is_built && has_tests && self.units[number_of_unit].is_member {
            let index = CrateIndex(FIRST + (self.units.len() + number_of_unit) as u32);
            let target = Target { index, unit_tests: true, ..target };
            merge::take_unit_tests(graph, self.read_target(number_of_unit, target, files, options).graph);
        }
    }

    fn read_target(
        &self,
        number_of_unit: usize,
        target: Target<'_>,
        files: &[(String, String)],
        options: &Options,
    ) -> Analysis {
        let Target { index, kind, name, root, unit_tests } = target;
        let unit = &self.units[number_of_unit];
        let is_test =
            unit_tests || matches!(kind, TargetKind::Test | TargetKind::Example | TargetKind::Bench);
        let mut dependencies: Vec<(Symbol, CrateIndex)> = Vec::new();
        for dependency in &unit.dependencies {
            let fits = match dependency.kind {
                DependencyKind::Normal => kind != TargetKind::BuildScript,
                DependencyKind::Build => kind == TargetKind::BuildScript,
                DependencyKind::Dev => is_test,
            };
            let index = number(dependency.unit);
            if fits && self.universe.known(index).is_some() {
                dependencies.push((Symbol::new(&dependency.name), index));
            }
        }
        if index != number(number_of_unit)
            && kind != TargetKind::BuildScript
            && let Some((_, library, _)) = unit.library()
            && self.universe.known(number(number_of_unit)).is_some()
        {
            dependencies.push((Symbol::new(library), number(number_of_unit)));
        }
        let input = CrateInput {
            index,
            name,
            edition: unit.edition,
            root,
            files,
            configuration: options,
            dependencies: &dependencies,
            standard: Some(STANDARD),
            test_target: is_test,
            limits: &self.limits,
        };
        analyze(&input, graph_kind(kind), &self.universe)
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

fn open(unit: &Unit) -> Result<CrateArchive, String> {
    let limits = cratekeeper_archive::Limits::default();
    let read = match &unit.place {
        Place::Missing(reason) => return Err(reason.clone()),
        Place::Directory(path) => read_directory(path, &limits),
        Place::Archive(path, checksum) => File::open(path).map_err(ReadError::from).and_then(|file| {
            let expected = Expected {
                name: Some(unit.package.name.clone()),
                version: Some(unit.package.version.to_string()),
                checksum: *checksum,
            };
            read_crate(file, &expected, &limits)
        }),
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

fn add_unsafe(items: &mut UnsafeItems, analysis: &Analysis) {
    items.blocks += analysis.unsafe_blocks;
    items.implementations += analysis.unsafe_implementations;
    items.traits += analysis.unsafe_traits;
}

fn entry(unit: &Unit, archive: &CrateArchive, graph: &CallGraph, mut items: UnsafeItems) -> VersionEntry {
    let mut entry = unit.entry();
    for function in &graph.functions {
        let attributes = function.attributes;
        if attributes.test || attributes.derived {
            continue;
        }
        if attributes.foreign {
            items.foreign_functions += 1;
        } else if attributes.is_unsafe {
            items.functions += 1;
        }
    }
    entry.unsafe_items = items;
    if let Some(links) = &unit.links {
        let build = &unit.package.version.build;
        let is_c = |path: &str| [".c", ".cc", ".cpp", ".S", ".s"].iter().any(|it| path.ends_with(it));
        entry.native_libraries.push(NativeLibrary {
            name: links.clone(),
            // `libgit2-sys 0.17.0+1.8.1` wraps libgit2 1.8.1: the usual meaning of build metadata of such packages.
            version: (!build.is_empty()).then(|| build.as_str().to_owned()),
            bundled: archive.files.iter().any(|file| is_c(&file.path)),
        });
    }
    if !graph.problems.is_empty() || !archive.refused.is_empty() {
        entry.reading = Reading::Partial;
    }
    entry.checksum = Some(entry.checksum.unwrap_or(archive.checksum));
    entry
}

/// Units without a file, for tests of what is done with them.
#[cfg(test)]
pub(super) mod for_tests {
    use cratekeeper_model::{PackageId, PackageSource};
    use semver::Version;

    use super::*;

    pub(in super::super) fn unit(name: &str, version: &str) -> Unit {
        let version = Version::parse(version).unwrap();
        let source = PackageSource::Unknown;
        let package = Package {
            id: PackageId::new(&source, name, &version),
            name: name.to_owned(),
            version,
            source,
            checksum: None,
            kinds: Vec::new(),
            features: None,
            platforms: Vec::new(),
        };
        Unit {
            package,
            place: Place::Missing("it is made up".to_owned()),
            edition: 21,
            targets: vec![(TargetKind::Lib, name.replace('-', "_"), "src/lib.rs".to_owned())],
            features: Vec::new(),
            dependencies: Vec::new(),
            is_member: false,
            links: None,
            published: None,
            yanked: false,
            takes_part: true,
        }
    }

    pub(in super::super) fn depend(units: &mut [Unit], from: usize, to: usize, kind: DependencyKind) {
        let name = units[to].package.name.replace('-', "_");
        units[from].dependencies.push(UnitDependency { name, unit: to, kind });
    }
}
