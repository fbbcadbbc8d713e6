//! Small ecosystems written as a few lines of text.

#![allow(dead_code, reason = "each test file uses a part of it")]

use cratekeeper_graph::{
    DependencyKinds, Found, Graph, NodeId, Pattern, Resolution, ResolvedDependency, ResolvedVersion, Store,
    StoreWriter, VersionEntry, VersionNumber,
};
use cratekeeper_model::graph::{
    CallEdge, CallGraph, Callee, Certainty, EdgeKind, ExternalCrate, FunctionAttributes, FunctionNode,
    GraphTarget, GraphTargetKind,
};
use cratekeeper_model::{DependencyKind, PackageId, PackageSource};
use tempfile::TempDir;

/// A version: `name@version`, then lines of the form
///
/// - `fn PATH [unsafe] [foreign] [test] [inactive]`
/// - `CALLER -> CALLEE [exact|typed|candidate|name] [KIND] [inactive]`; the line of the call is that of the text
/// - `METHOD => IMPLEMENTATION`
///
/// Paths without `::` are in the crate itself; `~` stands for a space. The crate of an external path is its first word, and its package the
/// same with `-`.
pub(crate) fn version(name: &str, text: &str) -> (VersionEntry, CallGraph) {
    let (package, number) = name.split_once('@').unwrap();
    let number: semver::Version = number.parse().unwrap();
    let id = PackageId::new(&PackageSource::Unknown, package, &number);
    let crate_name = package.replace('-', "_");
    let mut graph = CallGraph {
        targets: vec![GraphTarget { kind: GraphTargetKind::Lib, name: crate_name.clone() }],
        files: vec!["src/lib.rs".to_owned()],
        crate_name,
        ..CallGraph::default()
    };
    let lines: Vec<(u32, Vec<&str>)> =
        (1..).zip(text.lines()).map(|(number, it)| (number, it.split_whitespace().collect())).collect();
    for (line, words) in &lines {
        if let ["fn", path, rest @ ..] = words.as_slice() {
            graph.functions.push(function(&qualified(&graph.crate_name, path), *line, rest));
        }
    }
    for (line, words) in &lines {
        match words.as_slice() {
            [caller, "->", callee, rest @ ..] => {
                let Callee::Local(caller) = callee_of(&mut graph, caller) else {
                    panic!("{caller} is not here")
                };
                let callee = callee_of(&mut graph, callee);
                let certainty = Certainty::ALL.into_iter().find(|it| rest.contains(&it.as_str()));
                let kind = EdgeKind::ALL.into_iter().find(|it| rest.contains(&it.as_str()));
                graph.edges.push(CallEdge {
                    caller,
                    callee,
                    kind: kind.unwrap_or(EdgeKind::Call),
                    certainty: certainty.unwrap_or(Certainty::Exact),
                    line: *line,
                    in_unsafe: rest.contains(&"unsafe"),
                    active: !rest.contains(&"inactive"),
                });
            }
            [method, "=>", implementation] => {
                let method = callee_of(&mut graph, method);
                let Callee::Local(it) = callee_of(&mut graph, implementation) else { panic!("not here") };
                graph.implementations.push((method, it));
            }
            _ => {}
        }
    }
    graph.edges.sort_by_key(|it| it.caller);
    (VersionEntry::new(id, package.to_owned(), number), graph)
}

fn qualified(crate_name: &str, path: &str) -> String {
    if path.contains("::") { path.replace('~', " ") } else { format!("{crate_name}::{path}") }
}

fn function(path: &str, line: u32, words: &[&str]) -> FunctionNode {
    FunctionNode {
        path: path.to_owned(),
        target: 0,
        file: 0,
        line,
        attributes: FunctionAttributes {
            uses_unsafe: words.contains(&"unsafe"),
            foreign: words.contains(&"foreign"),
            test: words.contains(&"test"),
            active: !words.contains(&"inactive"),
            has_body: true,
            ..FunctionAttributes::default()
        },
        cfg: words.contains(&"inactive").then(|| "windows".to_owned()),
    }
}

fn callee_of(graph: &mut CallGraph, path: &str) -> Callee {
    let path = qualified(&graph.crate_name, path);
    if let Some(local) = graph.functions.iter().position(|it| it.path == path) {
        return Callee::Local(local as u32);
    }
    let crate_name = path.trim_start_matches('<').split("::").next().unwrap().to_owned();
    let external = ExternalCrate { package: crate_name.replace('_', "-"), seen: None, crate_name };
    let krate = graph.externals.iter().position(|it| *it == external).unwrap_or_else(|| {
        graph.externals.push(external);
        graph.externals.len() - 1
    });
    graph.external_paths.push(path);
    Callee::External { krate: krate as u32, path: graph.external_paths.len() as u32 - 1 }
}

/// A store in a directory of its own.
pub(crate) struct Fixture {
    pub(crate) directory: TempDir,
    pub(crate) writer: StoreWriter,
}

impl Fixture {
    pub(crate) fn new(versions: &[(&str, &str)]) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let writer = StoreWriter::open(directory.path()).unwrap();
        let mut fixture = Fixture { directory, writer };
        fixture.append(versions);
        fixture
    }

    pub(crate) fn append(&mut self, versions: &[(&str, &str)]) {
        let mut appender = self.writer.append();
        for (name, text) in versions {
            let (entry, graph) = version(name, text);
            appender.push(&entry, &graph).unwrap();
        }
        appender.commit().unwrap();
    }

    pub(crate) fn number(&self, name: &str) -> VersionNumber {
        self.writer.store().numbers().unwrap()[name]
    }

    /// Links a table: each line is a version and what it depends on; `dev:` stands before what tests alone use.
    pub(crate) fn link(&mut self, table: &str, dependencies: &str) -> Graph {
        let versions = dependencies.lines().map(str::split_whitespace).filter_map(|mut words| {
            let number = self.number(words.next()?);
            let dependencies = words.map(|it| match it.strip_prefix("dev:") {
                Some(it) => self.dependency(it, DependencyKinds::of(&[DependencyKind::Dev])),
                None => self.dependency(it, DependencyKinds::NORMAL),
            });
            Some(ResolvedVersion { number, dependencies: dependencies.collect() })
        });
        let resolution = Resolution { versions: versions.collect() };
        self.writer.write_resolution(table, &resolution).unwrap();
        self.writer.link(table).unwrap();
        self.writer.store().verify().unwrap();
        Store::open(self.directory.path()).unwrap().graph(table).unwrap()
    }

    fn dependency(&self, name: &str, kinds: DependencyKinds) -> ResolvedDependency {
        ResolvedDependency { version: self.number(name), kinds }
    }
}

/// Nodes of a pattern.
pub(crate) fn nodes(graph: &Graph, pattern: &str) -> Vec<NodeId> {
    let Found { nodes, truncated } = graph.find(&Pattern::parse(pattern).unwrap(), 1_000).unwrap();
    assert!(!truncated);
    nodes
}

/// Paths with versions, sorted.
pub(crate) fn names(graph: &Graph, nodes: impl IntoIterator<Item = NodeId>) -> Vec<String> {
    let mut names: Vec<String> = nodes.into_iter().map(|it| graph.path_with_version(it).unwrap()).collect();
    names.sort();
    names
}

/// The one version that a pattern stands for.
pub(crate) fn version_id(graph: &Graph, pattern: &str) -> cratekeeper_graph::VersionId {
    let versions = graph.find_versions(&Pattern::parse(pattern).unwrap()).unwrap();
    assert_eq!(versions.len(), 1, "{pattern}");
    versions[0]
}
