//! From a lockfile and manifests to a graph: which entry each dependency of a manifest leads to.

use std::collections::HashMap;

use cratekeeper_model::facts::{Dependency, DependencySection};
use cratekeeper_model::{Package, PackageSource};
use cratekeeper_registry::Lockfile;
use semver::VersionReq;

use super::ResolutionInput;
use super::graph::{Edge, Node};

/// The dependencies of each package that has no manifest: all that the lockfile names, so that nothing is missed.
pub(super) fn declarations(input: &ResolutionInput<'_>, problems: &mut Vec<String>) -> Vec<Vec<Dependency>> {
    let packages = &input.lockfile.packages;
    let declared = packages.iter().enumerate().map(|(at, locked)| {
        if input.manifests.get(at).copied().flatten().is_some() {
            return Vec::new();
        }
        let Package { name, version, .. } = &locked.package;
        problems.push(format!(
            "the manifest of `{name}@{version}` is not known: all that it is locked with counts as used"
        ));
        locked.dependencies.iter().map(|to| assumed(&packages[*to].package)).collect()
    });
    declared.collect()
}

fn assumed(package: &Package) -> Dependency {
    Dependency {
        name: package.name.clone(),
        package: None,
        requirement: Some(format!("={}", package.version)),
        section: DependencySection::Normal,
        target: None,
        optional: false,
        default_features: true,
        features: Vec::new(),
        registry: None,
        git: None,
        path: None,
        workspace: false,
    }
}

/// A node for each package of the lockfile.
pub(super) fn nodes<'a>(input: &ResolutionInput<'a>, assumed: &'a [Vec<Dependency>]) -> Vec<Node<'a>> {
    let packages = input.lockfile.packages.iter().zip(assumed).enumerate();
    let nodes = packages.map(|(at, (locked, assumed))| {
        let manifest = input.manifests.get(at).copied().flatten();
        let declared = manifest.map_or(assumed, |manifest| &manifest.dependencies);
        let entries = Entries::of(input.lockfile, &locked.dependencies);
        let edges = declared.iter().map(|dependency| Edge::new(dependency, entries.find(dependency)));
        let is_member = input.members.contains(&at);
        let features = manifest.map(|manifest| &manifest.features);
        Node::new(&locked.package.name, manifest, is_member, features, edges.collect())
    });
    nodes.collect()
}

/// What one package is locked with, by name.
struct Entries<'a> {
    lockfile: &'a Lockfile,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Entries<'a> {
    fn of(lockfile: &'a Lockfile, locked: &[usize]) -> Entries<'a> {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for at in locked {
            by_name.entry(&lockfile.packages[*at].package.name).or_default().push(*at);
        }
        // The newest first: two sources may have versions that fit.
        for entries in by_name.values_mut() {
            entries.sort_by(|a, b| {
                lockfile.packages[*b].package.version.cmp(&lockfile.packages[*a].package.version)
            });
        }
        Entries { lockfile, by_name }
    }

    /// The entry that a dependency leads to. `None` when nothing switches the dependency on, or when it is for tests of a
    /// package that is no member: cargo locks neither.
    fn find(&self, dependency: &Dependency) -> Option<usize> {
        let entries = self.by_name.get(dependency.package.as_ref().unwrap_or(&dependency.name).as_str())?;
        let package = |at: &&usize| &self.lockfile.packages[**at].package;
        let fitting = || entries.iter().filter(|at| fits(dependency, package(at)));
        // `[patch]` replaces a registry by a directory or repository: that the kind of source is the same decides, if at all,
        // between entries.
        fitting().find(|at| is_from(dependency, package(at))).or_else(|| fitting().next()).copied()
    }
}

/// Whether the version is one that the dependency allows. A requirement that cannot be read allows any.
fn fits(dependency: &Dependency, package: &Package) -> bool {
    let requirement = dependency.requirement.as_deref().map(VersionReq::parse);
    match requirement {
        Some(Ok(requirement)) => requirement.matches(&package.version),
        Some(Err(_)) | None => true,
    }
}

fn is_from(dependency: &Dependency, package: &Package) -> bool {
    match package.source {
        PackageSource::Git(_) => dependency.git.is_some(),
        PackageSource::Path(_) => dependency.path.is_some(),
        _ => dependency.git.is_none(),
    }
}
