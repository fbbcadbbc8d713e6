//! Packages to read: where their text is, how they are configured, and what they depend on; and having one read by a worker.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cratekeeper_graph::{NativeLibrary, Reading, UnsafeItems, VersionEntry};
use cratekeeper_model::facts::{Section, TargetKind};
use cratekeeper_model::graph::CallGraph;
use cratekeeper_model::{Checksum, DependencyKind, Package};

use super::reading::{GraphReply, GraphRequest, surface_path};
use super::{ReadPackage, Run, merge};
use crate::analysis::Subject;
use crate::pipeline::with_source;
use crate::resolution::Platform;
use crate::worker::{Reply, Request};

/// Facts that are kept on the way: those that share reading and parsing with the calls. What a package does takes as long as both again,
/// and is found out when somebody asks for it.
const KEPT: [Section; 3] = [Section::Manifest, Section::Source, Section::Calls];

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
    /// What it is compiled for; shared by all that are.
    pub(super) platform: Arc<Platform>,
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
    pub(super) fn entry(&self) -> VersionEntry {
        let package = &self.package;
        let mut entry = VersionEntry::new(package.id.clone(), package.name.clone(), package.version.clone());
        entry.checksum = package.checksum;
        entry.published = self.published;
        entry.yanked = self.yanked;
        entry.features = self.features.join(",");
        entry.platform = self.platform.triple().to_owned();
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

impl Run<'_> {
    /// Has a package read by a worker, all its targets. Whatever is wrong with it is in what is returned.
    pub(super) fn read(&self, number_of_unit: usize) -> ReadPackage {
        let unit = &self.units[number_of_unit];
        let request = match self.request(number_of_unit) {
            Ok(request) => Request::Graph(Box::new(request)),
            Err(reason) => return unit.refused(reason),
        };
        match self.facts.pool.run(&request) {
            Ok(Reply::Graph(read)) => self.take(number_of_unit, *read),
            Ok(Reply::Unreadable(reason)) => unit.refused(reason),
            Ok(Reply::Facts { .. } | Reply::Refused(_)) => {
                unit.refused("analysis gave an answer to another question".to_owned())
            }
            Err(error) => unit.refused(with_source(&error)),
        }
    }

    fn request(&self, number_of_unit: usize) -> Result<GraphRequest, String> {
        let unit = &self.units[number_of_unit];
        let (subject, checksum) = match &unit.place {
            Place::Missing(reason) => return Err(reason.clone()),
            Place::Directory(path) => {
                let path =
                    std::path::absolute(path).map_err(|error| format!("failed to read it: {error}"))?;
                (Subject::Directory(path), None)
            }
            Place::Archive(path, checksum) => {
                let (name, version) = (unit.package.name.clone(), unit.package.version.to_string());
                let subject =
                    Subject::Archive { path: path.clone(), name: Some(name), version: Some(version) };
                (subject, *checksum)
            }
        };
        let wants_facts = self.keeps_facts && checksum.is_some_and(|it| self.facts.lacks(&it, &KEPT));
        let is_there = |it: &&UnitDependency| self.has_surface[it.unit].load(Ordering::Acquire);
        let dependencies = unit.dependencies.iter().filter(is_there);
        Ok(GraphRequest {
            subject,
            checksum,
            unit: number_of_unit as u32,
            units: self.units.len() as u32,
            surfaces: self.surfaces.path().to_owned(),
            edition: unit.edition,
            targets: unit.targets.clone(),
            features: unit.features.clone(),
            platform: unit.platform.facts(),
            dependencies: dependencies.map(|it| (it.name.clone(), it.unit as u32, it.kind)).collect(),
            is_member: unit.is_member,
            wants_surface: self.is_needed[number_of_unit],
            sections: if wants_facts { KEPT.to_vec() } else { Vec::new() },
        })
    }

    /// Keeps what others need of a package, and puts its entry together.
    fn take(&self, number_of_unit: usize, read: GraphReply) -> ReadPackage {
        let unit = &self.units[number_of_unit];
        self.add_bytes(read.source_bytes);
        if !read.surface.0.is_empty() {
            let path = surface_path(self.surfaces.path(), number_of_unit as u32);
            match std::fs::write(&path, &read.surface.0) {
                Ok(()) => self.has_surface[number_of_unit].store(true, Ordering::Release),
                Err(error) => tracing::warn!("failed to write `{}`: {error}", path.display()),
            }
        }
        if !read.facts.is_empty() && unit.package.checksum == Some(read.checksum) {
            self.facts.keep(&read.checksum, read.facts);
        }
        let mut items = UnsafeItems {
            blocks: read.unsafe_blocks,
            implementations: read.unsafe_implementations,
            traits: read.unsafe_traits,
            ..UnsafeItems::default()
        };
        let mut graph = read.graph;
        if graph.crate_name.is_empty() {
            graph.crate_name = unit.package.name.replace('-', "_");
        }
        merge::name_packages(&mut graph, unit, self.units);
        count_functions(&mut items, &graph);
        let mut entry = unit.entry();
        entry.unsafe_items = items;
        if let Some(links) = &unit.links {
            let build = &unit.package.version.build;
            entry.native_libraries.push(NativeLibrary {
                name: links.clone(),
                // `libgit2-sys 0.17.0+1.8.1` wraps libgit2 1.8.1: the usual meaning of build metadata of such packages.
                version: (!build.is_empty()).then(|| build.as_str().to_owned()),
                bundled: read.bundles_c,
            });
        }
        if !graph.problems.is_empty() || read.is_partial {
            entry.reading = Reading::Partial;
        }
        entry.checksum = Some(entry.checksum.unwrap_or(read.checksum));
        ReadPackage { entry, graph }
    }
}

fn count_functions(items: &mut UnsafeItems, graph: &CallGraph) {
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
            platform: Arc::new(Platform::of_triple("x86_64-unknown-linux-gnu")),
        }
    }

    pub(in super::super) fn depend(units: &mut [Unit], from: usize, to: usize, kind: DependencyKind) {
        let name = units[to].package.name.replace('-', "_");
        units[from].dependencies.push(UnitDependency { name, unit: to, kind });
    }
}
