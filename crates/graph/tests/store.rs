//! What a store promises about its files: nothing written changes, a crash loses nothing, damage is refused.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cratekeeper_graph::synthetic::Ecosystem;
use cratekeeper_graph::{
    DependencyKinds, GraphError, Limits, Resolution, ResolvedDependency, ResolvedVersion, Store, StoreWriter,
};
use cratekeeper_model::graph::Callee;

use support::{Fixture, names, nodes, version};

/// Content of every file but the manifest, by name.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|it| it.unwrap());
    entries
        .map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap()))
        .filter(|(name, _)| name != "manifest.ckg" && name != "lock")
        .collect()
}

#[test]
fn a_call_graph_is_read_back_as_it_was_appended() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = StoreWriter::open(directory.path()).unwrap();
    let ecosystem = Ecosystem::new(3, 40, 2_000);
    let numbers = ecosystem.write(&mut writer, "all").unwrap();
    let store = Store::open(directory.path()).unwrap();
    for (version, number) in numbers.into_iter().enumerate() {
        let (entry, graph) = store.call_graph(number).unwrap();
        assert_eq!(entry, ecosystem.entry(version));
        assert_eq!(graph, ecosystem.graph(version));
    }
    assert_eq!(store.versions().unwrap().len(), 40);
    assert!(matches!(store.call_graph(40), Err(GraphError::NoVersion { number: 40 })));
}

#[test]
fn two_points_in_time_answer_differently_from_the_same_segments() {
    let mut fixture = Fixture::new(&[
        ("library@1.0.0", "fn f"),
        ("library@1.1.0", "fn f\nfn g\nf -> g"),
        ("program@0.1.0", "fn main\nmain -> library::f"),
    ]);
    let segments = files(fixture.directory.path());
    let earlier = fixture.link("earlier", "library@1.0.0\nprogram@0.1.0 library@1.0.0");
    let later = fixture.link("later", "library@1.0.0\nlibrary@1.1.0\nprogram@0.1.0 library@1.1.0");
    let callers = |graph: &cratekeeper_graph::Graph, pattern| {
        let reached = graph.callers(&nodes(graph, pattern), &Limits::default()).unwrap().reached;
        names(graph, reached.into_iter().filter(|it| it.distance > 0).map(|it| it.node))
    };
    assert_eq!(callers(&earlier, "library@1.0.0::f"), ["program@0.1.0::main"]);
    assert_eq!(callers(&later, "library@1.0.0::f"), [""; 0]);
    assert_eq!(callers(&later, "library@1.1.0::f"), ["program@0.1.0::main"]);
    let after = files(fixture.directory.path());
    assert!(segments.iter().all(|(name, content)| after.get(name) == Some(content)));
}

#[test]
fn adding_a_version_with_ten_thousand_dependents_writes_that_version() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = StoreWriter::open(directory.path()).unwrap();
    let mut appender = writer.append();
    let (entry, graph) = version("popular@1.0.0", "fn f");
    let old = appender.push(&entry, &graph).unwrap();
    let mut versions = vec![ResolvedVersion { number: old, dependencies: Vec::new() }];
    for dependent in 0..10_000 {
        let (entry, graph) = version(&format!("dependent-{dependent}@1.0.0"), "fn g\ng -> popular::f");
        let number = appender.push(&entry, &graph).unwrap();
        let dependency = ResolvedDependency { version: old, kinds: DependencyKinds::NORMAL };
        versions.push(ResolvedVersion { number, dependencies: vec![dependency] });
    }
    appender.commit().unwrap();
    let resolution = Resolution { versions };
    writer.write_resolution("base", &resolution).unwrap();
    writer.link("base").unwrap();
    let before = files(directory.path());

    let mut appender = writer.append();
    let (entry, graph) = version("popular@1.1.0", "fn f\nfn g\nf -> g");
    let new = appender.push(&entry, &graph).unwrap();
    let written = appender.commit().unwrap();
    assert!(written < 4_096, "{written} bytes were written for one version");
    let after = files(directory.path());
    assert_eq!(after.len(), before.len() + 1, "the version has a segment of its own");
    assert!(before.iter().all(|(name, content)| after.get(name) == Some(content)));

    // All dependents move over: a new table, and still the same segments.
    let mut later = resolution.clone();
    later.versions.push(ResolvedVersion { number: new, dependencies: Vec::new() });
    for dependency in later.versions.iter_mut().flat_map(|it| &mut it.dependencies) {
        dependency.version = new;
    }
    writer.write_resolution("later", &later).unwrap();
    writer.link("later").unwrap();
    let graph = writer.store().graph("later").unwrap();
    let limits = Limits { nodes: 20_000, links: 20_000, ..Limits::default() };
    assert_eq!(graph.callers(&nodes(&graph, "popular@1.1::f"), &limits).unwrap().links.len(), 10_000);
    assert_eq!(graph.callers(&nodes(&graph, "popular@1.0.0::f"), &limits).unwrap().links.len(), 0);
    let after = files(directory.path());
    assert!(before.iter().all(|(name, content)| after.get(name) == Some(content)));
}

#[test]
fn what_is_not_committed_is_not_there_and_what_a_crash_leaves_is_removed() {
    let mut fixture = Fixture::new(&[("a@1.0.0", "fn f")]);
    let graph = fixture.link("base", "a@1.0.0");
    let path = fixture.directory.path().to_owned();
    {
        let mut appender = fixture.writer.append();
        let (entry, graph) = version("b@1.0.0", "fn f");
        appender.push(&entry, &graph).unwrap();
    }
    // What a process that dies while it writes leaves: a segment that no manifest lists, and parts of files.
    let segment = files(&path).into_iter().find(|it| it.0.starts_with("segment-")).unwrap().1;
    fs::write(path.join("segment-999999.ckg"), &segment[..segment.len() / 2]).unwrap();
    fs::write(path.join(".writing-abc"), &segment[..100]).unwrap();
    fs::write(path.join("notes.txt"), "mine").unwrap();
    let store = Store::open(&path).unwrap();
    store.verify().unwrap();
    assert_eq!(store.versions().unwrap().len(), 1);
    assert_eq!(store.graph("base").unwrap().function_count(), graph.function_count());

    drop(fixture.writer);
    let writer = StoreWriter::open(&path).unwrap();
    let left = files(&path);
    assert!(!left.contains_key("segment-999999.ckg") && !left.contains_key(".writing-abc"));
    assert!(left.contains_key("notes.txt"), "files of others are left alone");
    assert_eq!(writer.store().versions().unwrap().len(), 1);
}

#[test]
fn one_process_writes_at_a_time() {
    let fixture = Fixture::new(&[("a@1.0.0", "fn f")]);
    let path = fixture.directory.path();
    assert!(matches!(StoreWriter::open(path), Err(GraphError::Locked { .. })));
    Store::open(path).unwrap().verify().unwrap();
}

#[test]
fn merging_keeps_numbers_tables_and_answers() {
    let mut fixture = Fixture::new(&[("a@1.0.0", "fn f")]);
    fixture.append(&[("b@1.0.0", "fn g\ng -> a::f typed")]);
    fixture.append(&[("c@1.0.0", "fn h\nh -> b::g\nh -> std::process::exit")]);
    let graph = fixture.link("base", "a@1.0.0\nb@1.0.0 a@1.0.0\nc@1.0.0 b@1.0.0");
    let before: Vec<_> = (0..3).map(|it| fixture.writer.store().call_graph(it).unwrap()).collect();
    assert_eq!(fixture.writer.store().summary().segments, 3);
    assert!(fixture.writer.merge().unwrap() > 0);
    assert_eq!(fixture.writer.merge().unwrap(), 0, "there is nothing left to merge");
    let store = fixture.writer.store();
    assert_eq!(store.summary().segments, 1);
    let after: Vec<_> = (0..3).map(|it| store.call_graph(it).unwrap()).collect();
    assert_eq!(before, after);
    let again = store.graph("base").unwrap();
    assert_eq!(again.edge_count(), graph.edge_count());
    fixture.writer.link("base").unwrap();
    assert_eq!(fixture.writer.store().graph("base").unwrap().edge_count(), graph.edge_count());
}

#[test]
fn inconsistent_call_graphs_are_refused() {
    let mut fixture = Fixture::new(&[]);
    let (entry, good) = version("a@1.0.0", "fn f\nfn g\nf -> g\nf -> std::x\nf => g");
    let mut bad = Vec::new();
    let mut with = |change: &dyn Fn(&mut cratekeeper_model::graph::CallGraph)| {
        let mut graph = good.clone();
        change(&mut graph);
        bad.push(graph);
    };
    with(&|it| it.edges[0].caller = 2);
    with(&|it| it.edges[0].callee = Callee::Local(u32::MAX));
    with(&|it| it.edges[0].callee = Callee::External { krate: 1, path: 0 });
    with(&|it| it.functions[0].file = 1);
    with(&|it| it.functions[0].target = 1);
    with(&|it| it.implementations[0].1 = 2);
    let mut appender = fixture.writer.append();
    for graph in bad {
        let error = appender.push(&entry, &graph).unwrap_err();
        assert!(matches!(error, GraphError::Inconsistent { .. }), "{error}");
    }
    appender.push(&entry, &good).unwrap();
    appender.commit().unwrap();
    assert_eq!(fixture.writer.store().versions().unwrap().len(), 1);
}

#[test]
fn missing_tables_and_versions_are_named() {
    let mut fixture = Fixture::new(&[("a@1.0.0", "fn f")]);
    let graph = fixture.writer.store().graph("x").unwrap_err();
    assert_eq!(graph.to_string(), "the store has no resolution table `x`; it has none");
    let unknown = ResolvedVersion { number: 7, dependencies: Vec::new() };
    fixture.writer.write_resolution("x", &Resolution { versions: vec![unknown] }).unwrap();
    assert!(matches!(fixture.writer.store().graph("x"), Err(GraphError::NotLinked { .. })));
    assert!(matches!(fixture.writer.link("x"), Err(GraphError::NoVersion { number: 7 })));
    fixture.writer.remove_table("x").unwrap();
    assert!(fixture.writer.store().summary().tables.is_empty());
}

#[test]
fn foreign_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open(directory.path()), Err(GraphError::NoStore { .. })));
    let manifest = directory.path().join("manifest.ckg");
    for content in ["", "short", "{\"segments\": [], \"tables\": []} and so on, as text"] {
        fs::write(&manifest, content).unwrap();
        let error = Store::open(directory.path()).unwrap_err();
        assert!(matches!(error, GraphError::Foreign { .. }), "{error}");
        assert!(StoreWriter::open(directory.path()).is_err(), "a foreign file is not overwritten");
    }
    let fixture = Fixture::new(&[("a@1.0.0", "fn f")]);
    let path = fixture.directory.path();
    let mut newer = fs::read(path.join("manifest.ckg")).unwrap();
    newer[8] = 99;
    fs::write(path.join("manifest.ckg"), &newer).unwrap();
    let error = Store::open(path).unwrap_err();
    assert!(matches!(error, GraphError::Format { found: 99, .. }), "{error}");
    let segment = files(path).into_iter().find(|it| it.0.starts_with("segment-")).unwrap().1;
    fs::write(path.join("manifest.ckg"), segment).unwrap();
    assert!(matches!(Store::open(path), Err(GraphError::Foreign { .. })), "a segment is not a manifest");
}
