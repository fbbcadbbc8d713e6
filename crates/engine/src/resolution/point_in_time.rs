//! Which versions cargo would choose at a point in time, without a lockfile: the newest that fit and had been published.
//!
//! [`PointInTime::direct`] answers for one version alone: each dependency by the newest version that its requirement allows. That
//! is what an ecosystem's table holds, a line for each version. [`PointInTime::resolve`] answers for a whole tree, where a package's
//! users share one version as long as that is compatible with all of them, and features decide what is there at all.
//!
//! It differs from cargo where cargo searches: when no version suits all users of a package, cargo tries older versions of the *users*,
//! while here the first user wins and that is a problem; it never looks for versions that support an older compiler
//! (`resolver = "3"` does when asked to), nor at `links`. An index only tells what is withdrawn today, so a version that
//! was withdrawn later counts as withdrawn before too.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use cratekeeper_model::facts::{Dependency, DependencySection};
use cratekeeper_registry::IndexVersion;
use jiff::Timestamp;
use semver::{Version, VersionReq};

use super::activation::Activation;
use super::graph::{Edge, Graph, Node};
use super::{FeatureSelection, Resolver, Usage};

/// Most times that versions are chosen anew. Each time the tree gets a level deeper, or a version older.
const ROUNDS: usize = 200;

/// Most versions of one tree: many times what large workspaces lock.
const VERSIONS: usize = 20_000;

/// An index as it was then.
pub struct PointInTime<'a> {
    index: &'a HashMap<String, Vec<IndexVersion>>,
    at: Option<Timestamp>,
    /// By name and requirement: most requirements occur often.
    newest: RefCell<HashMap<(&'a str, &'a str), Option<&'a IndexVersion>>>,
}

/// A dependency with the version that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Key in the manifest, which code uses when the package is renamed.
    pub key: String,
    /// Name of the package.
    pub package: String,
    /// Version; `None` when the index has none that fits.
    pub version: Option<Version>,
    /// Table that it stands in.
    pub section: DependencySection,
    /// Whether a feature has to switch it on.
    pub optional: bool,
}

/// A whole tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PointInTimeResolution {
    /// By name and version: the dependencies that are switched on, on any platform.
    pub packages: BTreeMap<(String, Version), Vec<Chosen>>,
    /// What could not be chosen as cargo would, as sentence fragments.
    pub problems: Vec<String>,
}

/// Versions that a tree can hold only one of: those that cargo takes for compatible with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Compatible<'a> {
    name: &'a str,
    leading: (u64, u64, u64),
}

impl<'a> Compatible<'a> {
    fn of(version: &'a IndexVersion) -> Compatible<'a> {
        let Version { major, minor, patch, .. } = version.version;
        let leading = match (major, minor) {
            (0, 0) => (0, 0, patch),
            (0, minor) => (0, minor, 0),
            (major, _) => (major, 0, 0),
        };
        Compatible { name: &version.name, leading }
    }
}

impl<'a> PointInTime<'a> {
    /// `index` by name of the crate; `None` for now. Versions of which the index does not say when they were published count as
    /// published.
    #[must_use]
    pub fn new(index: &'a HashMap<String, Vec<IndexVersion>>, at: Option<Timestamp>) -> PointInTime<'a> {
        PointInTime { index, at, newest: RefCell::default() }
    }

    /// The dependencies of one version, each with the newest version that fits. Dev-dependencies are left out: nobody who uses
    /// the version has them.
    #[must_use]
    pub fn direct(&self, version: &'a IndexVersion) -> Vec<Chosen> {
        let dependencies = version.dependencies.iter().filter(|it| it.section != DependencySection::Dev);
        dependencies.map(|dependency| chosen(dependency, self.newest(dependency))).collect()
    }

    /// The tree of one version.
    #[must_use]
    pub fn resolve(&self, root: &'a IndexVersion, features: &'a FeatureSelection) -> PointInTimeResolution {
        let mut versions: BTreeMap<Compatible<'a>, &'a IndexVersion> = BTreeMap::new();
        let mut problems = Vec::new();
        for _ in 0..ROUNDS {
            let tree = Tree::new(self, root, &versions);
            let activation = tree.activate(features);
            problems.clear();
            let next = self.choose(&tree, &activation, &versions, &mut problems);
            let is_settled = next == versions;
            versions = next;
            if is_settled {
                return PointInTimeResolution { packages: tree.packages(&activation), problems };
            }
            if versions.len() > VERSIONS {
                break;
            }
        }
        let problem = format!("the dependencies of `{}@{}` do not come to an end", root.name, root.version);
        PointInTimeResolution { packages: BTreeMap::new(), problems: vec![problem] }
    }

    /// The newest version that fits.
    fn newest(&self, dependency: &'a Dependency) -> Option<&'a IndexVersion> {
        let name = dependency.package.as_ref().unwrap_or(&dependency.name).as_str();
        let requirement = dependency.requirement.as_deref().unwrap_or("*");
        if let Some(known) = self.newest.borrow().get(&(name, requirement)) {
            return *known;
        }
        let parsed = VersionReq::parse(requirement);
        let found = parsed.ok().and_then(|it| self.newest_of(name, |version| it.matches(&version.version)));
        self.newest.borrow_mut().insert((name, requirement), found);
        found
    }

    fn newest_of(&self, name: &str, fits: impl Fn(&IndexVersion) -> bool) -> Option<&'a IndexVersion> {
        let was_published = |version: &IndexVersion| match (self.at, version.published) {
            (Some(at), Some(published)) => published <= at,
            _ => true,
        };
        let versions = self.index.get(name)?.iter();
        let available = versions.filter(|version| !version.yanked && was_published(version) && fits(version));
        available.max_by(|a, b| a.version.cmp(&b.version))
    }

    /// The newest version for each group of users, never newer than before: so this comes to an end.
    fn choose(
        &self,
        tree: &Tree<'a>,
        activation: &Activation<'_, 'a>,
        before: &BTreeMap<Compatible<'a>, &'a IndexVersion>,
        problems: &mut Vec<String>,
    ) -> BTreeMap<Compatible<'a>, &'a IndexVersion> {
        let mut wanted: BTreeMap<Compatible<'a>, Vec<VersionReq>> = BTreeMap::new();
        for (at, edge) in tree.wanted(activation) {
            let requirement = edge.dependency.requirement.as_deref().unwrap_or("*");
            match self.newest(edge.dependency) {
                Some(newest) => wanted
                    .entry(Compatible::of(newest))
                    .or_default()
                    .extend(VersionReq::parse(requirement).ok()),
                None => problems.push(format!(
                    "`{}` needs `{}` {requirement}, of which no version is there",
                    tree.graph.nodes[at].name,
                    edge.dependency.package.as_ref().unwrap_or(&edge.dependency.name)
                )),
            }
        }
        let mut chosen = BTreeMap::new();
        for (group, requirements) in wanted {
            let fits = |version: &IndexVersion, requirements: &[VersionReq]| {
                Compatible::of(version).leading == group.leading
                    && before.get(&group).is_none_or(|before| version.version <= before.version)
                    && requirements.iter().all(|it| it.matches(&version.version))
            };
            let best = self.newest_of(group.name, |version| fits(version, &requirements));
            let found = best.or_else(|| {
                problems.push(format!("no version of `{}` suits all that need it", group.name));
                self.newest_of(group.name, |version| fits(version, &requirements[..1]))
            });
            chosen.extend(found.or_else(|| before.get(&group).copied()).map(|version| (group, version)));
        }
        chosen
    }
}

/// Chosen versions, linked as far as they are.
struct Tree<'a> {
    graph: Graph<'a>,
    versions: Vec<&'a IndexVersion>,
}

impl<'a> Tree<'a> {
    fn new(
        index: &PointInTime<'a>,
        root: &'a IndexVersion,
        chosen: &BTreeMap<Compatible<'a>, &'a IndexVersion>,
    ) -> Tree<'a> {
        // In a cycle the root is one of its own dependencies.
        let others = chosen.iter().filter(|(_, version)| !std::ptr::eq(**version, root));
        let (groups, others): (Vec<Compatible<'a>>, Vec<&IndexVersion>) = others.unzip();
        let mut positions: HashMap<Compatible<'a>, usize> = chosen.keys().map(|group| (*group, 0)).collect();
        positions.extend(groups.into_iter().zip(1..));
        let versions: Vec<&IndexVersion> = std::iter::once(root).chain(others).collect();
        let node = |(at, version): (usize, &&'a IndexVersion)| {
            let edges = version.dependencies.iter().map(|dependency| {
                let to = index.newest(dependency).and_then(|it| positions.get(&Compatible::of(it)));
                Edge::new(dependency, to.copied())
            });
            Node::new(&version.name, None, at == 0, Some(&version.features), edges.collect())
        };
        let nodes = versions.iter().enumerate().map(node).collect();
        Tree { graph: Graph { nodes, dev_dependencies: false }, versions }
    }

    /// Features as cargo's lockfile counts them: all platforms and roles together.
    fn activate(&self, features: &'a FeatureSelection) -> Activation<'_, 'a> {
        let mut activation = Activation::new(&self.graph, Resolver::Unified);
        activation.select(0, features);
        activation.run();
        activation
    }

    /// Dependencies that are switched on, with the node that has them.
    fn wanted<'t>(
        &'t self,
        activation: &'t Activation<'_, 'a>,
    ) -> impl Iterator<Item = (usize, &'t Edge<'a>)> {
        self.graph.nodes.iter().enumerate().flat_map(move |(at, node)| {
            let wanted = node.edges.iter().filter(move |edge| activation.is_wanted(at, edge, Usage::Target));
            wanted.map(move |edge| (at, edge))
        })
    }

    fn packages(&self, activation: &Activation<'_, 'a>) -> BTreeMap<(String, Version), Vec<Chosen>> {
        let built = (0..self.versions.len()).filter(|at| activation.features(*at, Usage::Target).is_some());
        let mut packages: BTreeMap<(String, Version), Vec<Chosen>> =
            built.map(|at| (self.key(at), Vec::new())).collect();
        for (at, edge) in self.wanted(activation) {
            let version = edge.to.map(|to| self.versions[to]);
            packages.entry(self.key(at)).or_default().push(chosen(edge.dependency, version));
        }
        packages
    }

    fn key(&self, at: usize) -> (String, Version) {
        (self.versions[at].name.clone(), self.versions[at].version.clone())
    }
}

fn chosen(dependency: &Dependency, version: Option<&IndexVersion>) -> Chosen {
    Chosen {
        key: dependency.name.clone(),
        package: dependency.package.as_ref().unwrap_or(&dependency.name).clone(),
        version: version.map(|version| version.version.clone()),
        section: dependency.section,
        optional: dependency.optional,
    }
}

#[cfg(test)]
mod tests;
