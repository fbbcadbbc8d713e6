//! What each package of a lockfile or workspace depends on, with features as cargo would switch them on.
//!
//! Worked out from manifests and the lockfile alone, because cargo obeys the tree that it is asked about and only says what all
//! platforms and tests together switch on. The rules are those of cargo's feature resolver
//! (<https://doc.rust-lang.org/cargo/reference/features.html>, <https://doc.rust-lang.org/cargo/reference/resolver.html>); a test
//! compares the result with cargo's own for this workspace. All data is handed in: nothing here reads a file.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::facts::{Dependency, DependencySection, ManifestFacts, TargetKind};
use cratekeeper_model::{DependencyKind, Package, PackageId};
use cratekeeper_registry::Lockfile;
use semver::Version;

mod activation;
mod graph;
mod locked;
mod platform;
mod point_in_time;
mod reach;
mod value;

pub use platform::Platform;
pub use point_in_time::{Chosen, PointInTime, PointInTimeResolution};

use activation::Activation;
use graph::{Graph, Node};

/// What is compiled, and for what.
#[derive(Debug, Clone)]
pub struct ResolutionOptions {
    /// How features are unified.
    pub resolver: Resolver,
    /// What the workspace is built for.
    pub target: Platform,
    /// What build scripts and procedural macros are built for.
    pub host: Platform,
    /// Features of the workspace's members.
    pub features: FeatureSelection,
    /// Whether tests, examples and benchmarks of members are built too. Their dependencies may switch on features of packages
    /// that the rest uses.
    pub dev_dependencies: bool,
}

/// How cargo unifies the features of a package that is needed in several roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolver {
    /// `resolver = "1"`: whatever switches a feature on, anywhere and for any platform, does so for all.
    Unified,
    /// `resolver = "2"` and later: build scripts and procedural macros apart from the rest, and without what only other
    /// platforms or tests need.
    Separate,
}

impl Resolver {
    /// The one that a workspace's root asks for, by its `resolver` or else its edition.
    #[must_use]
    pub fn of(resolver: Option<&str>, edition: Option<&str>) -> Resolver {
        match (resolver, edition) {
            (Some("1"), _) | (None, None | Some("2015" | "2018")) => Resolver::Unified,
            _ => Resolver::Separate,
        }
    }
}

/// Features of members, as on cargo's command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSelection {
    /// `--features`, split: `name`, `member/name` or `dependency/name`.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all: bool,
    /// `false` for `--no-default-features`.
    pub default: bool,
}

impl Default for FeatureSelection {
    fn default() -> FeatureSelection {
        FeatureSelection { features: Vec::new(), all: false, default: true }
    }
}

/// What is known of a lockfile's packages.
#[derive(Debug, Clone, Copy)]
pub struct ResolutionInput<'a> {
    /// The lockfile.
    pub lockfile: &'a Lockfile,
    /// Manifest of each of its packages; `None` where it is not known.
    pub manifests: &'a [Option<&'a ManifestFacts>],
    /// The workspace's members, as indexes into the lockfile's packages.
    pub members: &'a BTreeSet<usize>,
}

/// The packages of a lockfile, linked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// In the order of the lockfile.
    pub packages: Vec<ResolvedPackage>,
    /// What is not known, or could not be understood, as sentence fragments. Where a manifest is not known, everything that
    /// the lockfile names is taken to be used.
    pub problems: Vec<String>,
}

/// A package as it would be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPackage {
    /// Identity.
    pub id: PackageId,
    /// Name in its registry.
    pub name: String,
    /// Version.
    pub version: Version,
    /// Edition; `2015` when the manifest names none.
    pub edition: String,
    /// Whether it is a member of the workspace.
    pub is_member: bool,
    /// Whether the manifest was there to be read.
    pub has_manifest: bool,
    /// What cargo could build of it.
    pub targets: Vec<ResolvedTarget>,
    /// Why it is compiled, sorted; empty when it is not, with these options.
    pub kinds: Vec<DependencyKind>,
    /// Features where it is compiled for the target; `None` where it is not.
    pub features: Option<BTreeSet<String>>,
    /// Features where it is compiled for build scripts and procedural macros; `None` where it is not.
    pub host_features: Option<BTreeSet<String>>,
    /// One for each entry of the manifest, in its order; dev-dependencies of members alone.
    pub dependencies: Vec<ResolvedDependency>,
}

/// Something that cargo could build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedTarget {
    /// Kind of target.
    pub kind: TargetKind,
    /// Crate name as paths print it.
    pub crate_name: String,
    /// Root file, relative to the package.
    pub path: String,
}

/// An entry of a manifest's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedDependency {
    /// Name that code uses, renames applied and with `_` for `-`.
    pub crate_name: String,
    /// Index of the package; `None` when the lockfile has none for it, because nothing switches it on.
    pub package: Option<usize>,
    /// Table that it stands in.
    pub section: DependencySection,
    /// Whether a feature has to switch it on.
    pub optional: bool,
    /// Platforms that have it, as written.
    pub condition: Option<String>,
    /// Whether it is compiled for the package as built for the target.
    pub enabled: bool,
    /// Whether it is compiled for the package as built for build scripts and procedural macros.
    pub enabled_for_host: bool,
}

/// Links the packages of a lockfile.
///
/// `manifests` has one entry for each package; missing ones count as not known.
#[must_use]
pub fn resolve(input: &ResolutionInput<'_>, options: &ResolutionOptions) -> Resolution {
    let mut problems = Vec::new();
    let declared = locked::declarations(input, &mut problems);
    let graph = Graph::new(locked::nodes(input, &declared), options, &mut problems);
    let mut activation = Activation::new(&graph, options.resolver);
    for member in input.members.iter().filter(|member| **member < graph.nodes.len()) {
        activation.select(*member, &options.features);
    }
    if !activation.run() {
        problems.push("features refer to each other too often; not all that are on were found".to_owned());
    }
    let reach = reach::reached(&graph, &activation, input.members);
    let packages = input.lockfile.packages.iter().enumerate();
    let packages =
        packages.map(|(at, locked)| package(at, &locked.package, &graph, &activation, &reach[at])).collect();
    Resolution { packages, problems }
}

fn package(
    at: usize,
    package: &Package,
    graph: &Graph<'_>,
    activation: &Activation<'_, '_>,
    reach: &reach::Reach,
) -> ResolvedPackage {
    let node = &graph.nodes[at];
    let features = |usage| {
        let names = activation.features(at, usage).into_iter().flatten();
        reach.is_built(usage).then(|| names.map(|name| (*name).to_owned()).collect())
    };
    let targets = node.manifest.map_or(&[][..], |manifest| &manifest.targets);
    ResolvedPackage {
        id: package.id.clone(),
        name: package.name.clone(),
        version: package.version.clone(),
        edition: node.manifest.and_then(|it| it.edition.clone()).unwrap_or_else(|| "2015".to_owned()),
        is_member: node.is_member,
        has_manifest: node.manifest.is_some(),
        targets: targets
            .iter()
            .map(|target| ResolvedTarget {
                kind: target.kind,
                crate_name: target.name.replace('-', "_"),
                path: target.path.clone(),
            })
            .collect(),
        kinds: reach.kinds(),
        features: features(Usage::Target),
        host_features: features(Usage::Host),
        dependencies: dependencies(at, graph, activation),
    }
}

fn dependencies(at: usize, graph: &Graph<'_>, activation: &Activation<'_, '_>) -> Vec<ResolvedDependency> {
    let node = &graph.nodes[at];
    let edges = node.edges.iter().filter(|edge| node.is_member || !edge.is_dev());
    let dependencies = edges.map(|edge| ResolvedDependency {
        crate_name: crate_name(edge.dependency, edge.to.map(|to| &graph.nodes[to])),
        package: edge.to,
        section: edge.dependency.section,
        optional: edge.dependency.optional,
        condition: edge.dependency.target.clone(),
        enabled: activation.is_enabled(at, edge, Usage::Target),
        enabled_for_host: activation.is_enabled(at, edge, Usage::Host),
    });
    dependencies.collect()
}

/// The name that code uses: the key of a renamed dependency, else what the other package calls its library.
fn crate_name(dependency: &Dependency, to: Option<&Node<'_>>) -> String {
    let library = to.filter(|_| dependency.package.is_none()).and_then(|node| node.library());
    library.unwrap_or(&dependency.name).replace('-', "_")
}

/// What a package is compiled for. The same version may be compiled for both, with other features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Usage {
    /// What the workspace builds.
    Target,
    /// Build scripts and procedural macros.
    Host,
}

/// Features by name, with what each switches on; of a manifest or an index.
type Features = BTreeMap<String, Vec<String>>;

#[cfg(test)]
mod tests;
