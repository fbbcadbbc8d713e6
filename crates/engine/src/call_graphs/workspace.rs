//! The call graph of a workspace: what its lockfile resolves to, with features as cargo would switch them on.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cratekeeper_archive::read_directory;
use cratekeeper_graph::{
    DependencyKinds, Reading, Resolution as Table, ResolvedDependency, ResolvedVersion, Store, StoreWriter,
    VersionNumber,
};
use cratekeeper_model::facts::DependencySection;
use cratekeeper_model::{Checksum, ChecksumHasher, DependencyKind, PackageId, PackageSource};
use cratekeeper_registry::{Location, Lockfile};

use super::packages::{Place, Unit, UnitDependency};
use super::{BuiltGraph, GraphError, Run, WorkspaceInput, schedule, sort_out};
use crate::manifests::LocalManifests;
use crate::pipeline::Engine;
use crate::progress::{Progress, Stage};
use crate::resolution::{Platform, Resolution, ResolutionOptions, ResolvedPackage};

/// Version of reading: raised whenever the same input would give another graph.
const READING: u32 = 2;

/// Name of the table of a workspace's graph.
pub(super) const TABLE: &str = "lockfile";

/// Workspaces whose graphs are kept.
const KEPT: usize = 8;

/// What the names of graphs that are being made begin with.
const UNFINISHED: &str = "unfinished-";

/// When a graph that was never finished is given up.
const ABANDONED: Duration = Duration::from_hours(24);

/// What code is compiled for.
pub(super) struct Platforms {
    target: Arc<Platform>,
    /// Build scripts and procedural macros.
    host: Arc<Platform>,
}

impl Engine {
    /// The call graph of what a lockfile resolves to: from the cache, if nothing that it was made from changed.
    ///
    /// Packages that are not compiled with these options are not in it. Those that cannot be read are, without functions, and
    /// are named.
    ///
    /// # Errors
    ///
    /// When the store cannot be written or read.
    pub fn workspace_graph(
        &self,
        lockfile: &Lockfile,
        local: &LocalManifests,
        options: &ResolutionOptions,
        progress: &dyn Progress,
    ) -> Result<BuiltGraph, GraphError> {
        let input = WorkspaceInput { lockfile, local };
        let resolution = self.resolve(lockfile, local, options, progress);
        let units = self.units(&input, &resolution, options);
        let root = self.graphs_directory();
        let directory = root.join(digest(&units).to_string());
        if let Some(built) = open(&directory) {
            let _ = fs::write(directory.join("used"), b"");
            return Ok(built);
        }
        // A directory of its own, so that two runs at once do not meet.
        fs::create_dir_all(&root).map_err(|source| GraphError::Directory { path: root.clone(), source })?;
        let unfinished = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempdir_in(&root)
            .map_err(|source| GraphError::Directory { path: root.clone(), source })?;
        self.build(&units, unfinished.path(), progress)?;
        let unfinished = unfinished.keep();
        if fs::rename(&unfinished, &directory).is_err() {
            // Another run was faster, or something damaged is in the way.
            if open(&directory).is_some() {
                let _ = fs::remove_dir_all(&unfinished);
            } else {
                let _ = fs::remove_dir_all(&directory);
                fs::rename(&unfinished, &directory)
                    .map_err(|source| GraphError::Directory { path: directory.clone(), source })?;
            }
        }
        forget_old(&root, &directory);
        let mut built = open(&directory).ok_or_else(|| GraphError::Directory {
            path: directory,
            source: std::io::Error::other("the store was not complete"),
        })?;
        built.from_cache = false;
        Ok(built)
    }

    fn graphs_directory(&self) -> PathBuf {
        match self.cache_root() {
            Some(facts) => facts.with_file_name("graphs"),
            None => std::env::temp_dir().join(format!("cratekeeper-graphs-{}", std::process::id())),
        }
    }

    fn build(&self, units: &[Unit], directory: &Path, progress: &dyn Progress) -> Result<(), GraphError> {
        let run = Run::new(units, self.facts(), false)?;
        let mut writer = StoreWriter::open(directory)?;
        let mut numbers: Vec<Option<VersionNumber>> = vec![None; units.len()];
        progress.begin(Stage::Graph, units.len());
        let mut appender = writer.append();
        let stored = run.all(&vec![true; units.len()], self.jobs(), progress, |unit, read| {
            numbers[unit] = Some(appender.push(&read.entry, &read.graph)?);
            Ok::<(), cratekeeper_graph::GraphError>(())
        });
        progress.end();
        stored?;
        appender.commit()?;
        writer.write_resolution(TABLE, &table(units, &numbers))?;
        writer.link(TABLE)?;
        Ok(())
    }

    /// The packages that are compiled, each with where it is.
    pub(super) fn units(
        &self,
        input: &WorkspaceInput<'_>,
        resolution: &Resolution,
        options: &ResolutionOptions,
    ) -> Vec<Unit> {
        let platforms =
            Platforms { target: Arc::new(options.target.clone()), host: Arc::new(options.host.clone()) };
        let compiled: Vec<usize> = (0..resolution.packages.len())
            .filter(|at| {
                let package = &resolution.packages[*at];
                package.features.is_some() || package.host_features.is_some() || !package.has_manifest
            })
            .collect();
        let positions: HashMap<usize, usize> =
            compiled.iter().enumerate().map(|(unit, at)| (*at, unit)).collect();
        let mut units: Vec<Unit> = compiled
            .iter()
            .map(|at| self.unit(input, *at, &resolution.packages[*at], &positions, &platforms))
            .collect();
        schedule::without_circles(&mut units);
        units
    }

    fn unit(
        &self,
        input: &WorkspaceInput<'_>,
        at: usize,
        resolved: &ResolvedPackage,
        positions: &HashMap<usize, usize>,
        platforms: &Platforms,
    ) -> Unit {
        let package = input.lockfile.packages[at].package.clone();
        let place = match input.local.of(&package) {
            Some(local) => Place::Directory(local.directory.clone()),
            None => match &package.source {
                PackageSource::Path(path) if !path.is_empty() => Place::Directory(PathBuf::from(path)),
                _ => self.place(&package),
            },
        };
        // What is compiled twice, for the target and for build scripts, is read once: for the target, with the features of both.
        // Features add by cargo's rules, so that this leaves out only what `not(feature = …)` asks for.
        let for_host = resolved.features.is_none();
        let features: BTreeSet<&String> =
            resolved.features.iter().chain(&resolved.host_features).flatten().collect();
        let dependencies = resolved
            .dependencies
            .iter()
            .filter(|it| if for_host { it.enabled_for_host } else { it.enabled || it.enabled_for_host })
            .filter_map(|it| {
                let kind = match it.section {
                    DependencySection::Normal => DependencyKind::Normal,
                    DependencySection::Build => DependencyKind::Build,
                    DependencySection::Dev => DependencyKind::Dev,
                };
                Some(UnitDependency {
                    name: it.crate_name.clone(),
                    unit: *positions.get(&it.package?)?,
                    kind,
                })
            })
            .collect();
        Unit {
            place,
            edition: edition(&resolved.edition),
            targets: resolved
                .targets
                .iter()
                .map(|it| (it.kind, it.crate_name.clone(), it.path.clone()))
                .collect(),
            features: features.into_iter().cloned().collect(),
            platform: Arc::clone(if for_host { &platforms.host } else { &platforms.target }),
            dependencies,
            is_member: resolved.is_member,
            links: None,
            published: None,
            yanked: false,
            takes_part: true,
            package,
        }
    }

    pub(super) fn place(&self, package: &cratekeeper_model::Package) -> Place {
        match self.finder().fetch(package) {
            Ok(Location::Archive { path, .. }) => Place::Archive(path, package.checksum),
            Ok(Location::Directory { path, .. }) => Place::Directory(path),
            Ok(other) => {
                Place::Missing(format!("`{}` is in a place that cannot be read", other.path().display()))
            }
            Err(error) => Place::Missing(error.to_string()),
        }
    }
}

pub(super) fn edition(text: &str) -> u8 {
    match text {
        "2018" => 18,
        "2021" => 21,
        "2024" => 24,
        _ => 15,
    }
}

/// The graph in a directory, if there is a whole one.
fn open(directory: &Path) -> Option<BuiltGraph> {
    let store = Store::open(directory).ok()?;
    store.graph(TABLE).ok()?;
    let mut built = BuiltGraph {
        directory: directory.to_owned(),
        table: TABLE.to_owned(),
        packages: 0,
        refused: Vec::new(),
        partial: Vec::new(),
        from_cache: true,
    };
    for version in store.versions().ok()? {
        built.packages += 1;
        if version.entry.reading == Reading::Complete {
            continue;
        }
        let (entry, graph) = store.call_graph(version.number).ok()?;
        sort_out(&entry, &graph, &mut built);
    }
    Some(built)
}

/// Leaves the graphs that were used last, and those that others are making.
fn forget_old(root: &Path, newest: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    let mut finished: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in entries.flatten().filter(|it| it.path() != newest) {
        let used = fs::metadata(entry.path().join("used")).or_else(|_| entry.metadata());
        let Some(used) = used.and_then(|it| it.modified()).ok() else { continue };
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            finished.push((used, entry.path()));
        } else if used.elapsed().is_ok_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    finished.sort();
    for (_, path) in finished.iter().rev().skip(KEPT) {
        let _ = fs::remove_dir_all(path);
    }
}

/// A digest over everything that the graph is made from.
fn digest(units: &[Unit]) -> Checksum {
    let mut hasher = ChecksumHasher::default();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&format!("reading {READING} of {}", env!("CARGO_PKG_VERSION")));
    for unit in units {
        add(unit.package.id.as_str());
        add(&match &unit.place {
            Place::Archive(_, Some(checksum)) => checksum.to_string(),
            Place::Archive(path, None) => path.display().to_string(),
            // Mind the gap: a directory is read twice, once for this.
            Place::Directory(path) => {
                let read = read_directory(path, &cratekeeper_archive::Limits::default());
                read.map_or_else(|error| error.to_string(), |it| it.checksum.to_string())
            }
            Place::Missing(reason) => reason.clone(),
        });
        add(&unit.features.join(","));
        add(&format!("{:?}", unit.platform.facts()));
        add(&format!("{} {} {:?}", unit.edition, unit.is_member, unit.targets));
        for dependency in &unit.dependencies {
            add(&format!("{} {:?} {}", dependency.name, dependency.kind, dependency.unit));
        }
    }
    hasher.finish()
}

/// Which version each dependency leads to.
pub(super) fn table(units: &[Unit], numbers: &[Option<VersionNumber>]) -> Table {
    let mut versions = Vec::new();
    for (unit, number) in units.iter().zip(numbers) {
        let Some(number) = number.filter(|_| unit.takes_part) else { continue };
        let mut kinds: HashMap<usize, Vec<DependencyKind>> = HashMap::new();
        for dependency in &unit.dependencies {
            kinds.entry(dependency.unit).or_default().push(dependency.kind);
        }
        let mut dependencies: Vec<ResolvedDependency> = kinds
            .into_iter()
            .filter_map(|(unit, kinds)| {
                Some(ResolvedDependency { version: numbers[unit]?, kinds: DependencyKinds::of(&kinds) })
            })
            .collect();
        dependencies.sort_by_key(|it| it.version);
        versions.push(ResolvedVersion { number, dependencies });
    }
    Table { versions }
}

/// Packages as people name them in messages.
pub(super) fn named(id: &PackageId) -> String {
    id.as_str().rsplit('#').next().unwrap_or_default().to_owned()
}
