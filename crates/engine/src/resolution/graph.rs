//! Packages and their dependencies as plain nodes, with everything that the feature rules ask about looked up once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cratekeeper_model::facts::{Dependency, DependencySection, ManifestFacts, TargetKind};

use super::value::Value;
use super::{Features, ResolutionOptions, Usage};

pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// Whether members' tests are built.
    pub(super) dev_dependencies: bool,
}

/// A package.
pub(super) struct Node<'a> {
    /// Name in its registry.
    pub(super) name: &'a str,
    /// `None` when it is not known, or when an index stands for it.
    pub(super) manifest: Option<&'a ManifestFacts>,
    pub(super) is_member: bool,
    /// Its features with those that optional dependencies imply.
    pub(super) features: BTreeMap<&'a str, Vec<Value<'a>>>,
    pub(super) edges: Vec<Edge<'a>>,
    /// Edges by the key of their dependency; one key may stand in several tables.
    by_key: HashMap<&'a str, Vec<usize>>,
}

/// An entry of a manifest's dependencies.
pub(super) struct Edge<'a> {
    pub(super) dependency: &'a Dependency,
    /// The package that it leads to, if it is there.
    pub(super) to: Option<usize>,
    /// Whether the platforms, target and host, have it.
    has_platform: [bool; 2],
}

impl<'a> Edge<'a> {
    pub(super) fn new(dependency: &'a Dependency, to: Option<usize>) -> Edge<'a> {
        Edge { dependency, to, has_platform: [true; 2] }
    }

    pub(super) fn is_dev(&self) -> bool {
        self.dependency.section == DependencySection::Dev
    }

    pub(super) fn is_build(&self) -> bool {
        self.dependency.section == DependencySection::Build
    }

    pub(super) fn has_platform(&self, usage: Usage) -> bool {
        self.has_platform[usage as usize]
    }
}

impl<'a> Node<'a> {
    pub(super) fn new(
        name: &'a str,
        manifest: Option<&'a ManifestFacts>,
        is_member: bool,
        features: Option<&'a Features>,
        edges: Vec<Edge<'a>>,
    ) -> Node<'a> {
        let mut by_key: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, edge) in edges.iter().enumerate() {
            by_key.entry(&edge.dependency.name).or_default().push(at);
        }
        let features = with_implied(features, &edges);
        Node { name, manifest, is_member, features, edges, by_key }
    }

    /// The dependencies under a key.
    pub(super) fn keyed(&self, key: &str) -> impl Iterator<Item = &Edge<'a>> {
        self.by_key.get(key).into_iter().flatten().map(|at| &self.edges[*at])
    }

    /// What the package calls its library.
    pub(super) fn library(&self) -> Option<&'a str> {
        let is_library = |kind| matches!(kind, TargetKind::Lib | TargetKind::ProcMacro);
        Some(&self.manifest?.targets.iter().find(|target| is_library(target.kind))?.name)
    }

    pub(super) fn has_target(&self, kind: TargetKind) -> bool {
        self.manifest.is_some_and(|manifest| manifest.targets.iter().any(|target| target.kind == kind))
    }

    pub(super) fn is_proc_macro(&self) -> bool {
        self.has_target(TargetKind::ProcMacro)
    }
}

/// An optional dependency implies a feature of its name, unless some feature names it as `dep:…`.
fn with_implied<'a>(declared: Option<&'a Features>, edges: &[Edge<'a>]) -> BTreeMap<&'a str, Vec<Value<'a>>> {
    let mut features: BTreeMap<&str, Vec<Value<'_>>> = BTreeMap::new();
    for (name, values) in declared.into_iter().flatten() {
        features.insert(name, values.iter().map(|value| Value::parse(value)).collect());
    }
    let named: BTreeSet<&str> = features
        .values()
        .flatten()
        .filter_map(|value| if let Value::Dependency(key) = value { Some(*key) } else { None })
        .collect();
    for Edge { dependency, .. } in edges.iter().filter(|edge| edge.dependency.optional) {
        if !named.contains(dependency.name.as_str()) {
            features.entry(&dependency.name).or_insert_with(|| vec![Value::Dependency(&dependency.name)]);
        }
    }
    features
}

impl<'a> Graph<'a> {
    /// Looks the platforms of all dependencies up. One that cannot be read counts as there, and is a problem.
    pub(super) fn new(
        mut nodes: Vec<Node<'a>>,
        options: &ResolutionOptions,
        problems: &mut Vec<String>,
    ) -> Graph<'a> {
        // Most packages have the same few conditions.
        let mut known: HashMap<&str, [bool; 2]> = HashMap::new();
        for node in &mut nodes {
            for edge in &mut node.edges {
                let Some(condition) = edge.dependency.target.as_deref() else { continue };
                edge.has_platform = *known.entry(condition).or_insert_with(|| {
                    [&options.target, &options.host].map(|platform| {
                        platform.meets(condition).unwrap_or_else(|reason| {
                            problems.push(reason);
                            true
                        })
                    })
                });
            }
        }
        Graph { nodes, dev_dependencies: options.dev_dependencies }
    }

    /// What a dependency is compiled for, when its package is for `usage`: what runs while building stays apart, with all that it
    /// needs.
    pub(super) fn usage_of(&self, to: usize, edge: &Edge<'_>, usage: Usage) -> Usage {
        if usage == Usage::Host || edge.is_build() || self.nodes[to].is_proc_macro() {
            Usage::Host
        } else {
            Usage::Target
        }
    }
}
