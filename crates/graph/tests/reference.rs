//! Random ecosystems: every answer is compared with what a naive computation over the call graphs says.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_graph::synthetic::Ecosystem;
use cratekeeper_graph::{EdgeOptions, Filter, Graph, Limits, NodeId, Store, StoreWriter, VersionNumber};
use cratekeeper_model::graph::{Callee, Certainty};
use proptest::prelude::*;

/// A function: its version, unless the table has none, and its path.
type Name = (Option<VersionNumber>, String);

/// Calls and implementation steps of an ecosystem, joined in the simplest way.
struct Reference {
    edges: Vec<(Name, Name, Certainty)>,
    implementations: BTreeSet<(Name, Name)>,
    dependencies: BTreeMap<VersionNumber, Vec<VersionNumber>>,
}

fn build(seed: u64, versions: usize, edges: usize) -> (tempfile::TempDir, Graph, Reference) {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = StoreWriter::open(directory.path()).unwrap();
    let ecosystem = Ecosystem::new(seed, versions, edges);
    let numbers = ecosystem.write(&mut writer, "base").unwrap();
    writer.link("base").unwrap();
    let resolution = ecosystem.resolution(&numbers);
    let packages: BTreeMap<VersionNumber, String> =
        numbers.iter().zip(0..).map(|(number, it)| (*number, ecosystem.entry(it).name)).collect();
    let dependencies: BTreeMap<VersionNumber, Vec<VersionNumber>> = resolution
        .versions
        .iter()
        .map(|it| (it.number, it.dependencies.iter().map(|it| it.version).collect()))
        .collect();
    let mut reference =
        Reference { edges: Vec::new(), implementations: BTreeSet::new(), dependencies: dependencies.clone() };
    let paths: BTreeMap<VersionNumber, BTreeSet<String>> = numbers
        .iter()
        .enumerate()
        .map(|(it, number)| (*number, ecosystem.graph(it).functions.into_iter().map(|it| it.path).collect()))
        .collect();
    for (version, &number) in numbers.iter().enumerate() {
        let graph = ecosystem.graph(version);
        let name = |callee: &Callee| match *callee {
            Callee::Local(it) => (Some(number), graph.functions[it as usize].path.clone()),
            Callee::External { krate, path } => {
                let package = &graph.externals[krate as usize].package;
                let path = graph.external_paths[path as usize].clone();
                let version = dependencies[&number].iter().copied().find(|it| packages[it] == *package);
                assert!(version.is_none_or(|it| paths[&it].contains(&path)));
                (version, path)
            }
        };
        for edge in &graph.edges {
            let caller = name(&Callee::Local(edge.caller));
            reference.edges.push((caller, name(&edge.callee), edge.certainty));
        }
        for (method, it) in &graph.implementations {
            reference.implementations.insert((name(method), name(&Callee::Local(*it))));
        }
    }
    let graph = Store::open(directory.path()).unwrap().graph("base").unwrap();
    (directory, graph, reference)
}

impl Reference {
    /// Everything that is reached from a name in some steps.
    fn reach(&self, from: &Name, forward: bool, depth: u32, weakest: Certainty) -> BTreeSet<Name> {
        let mut reached = BTreeSet::from([from.clone()]);
        for _ in 0..depth {
            let before = reached.len();
            let mut new = Vec::new();
            let calls = self.edges.iter().filter(|it| it.2 <= weakest).map(|it| (&it.0, &it.1));
            let steps = self.implementations.iter().filter(|_| weakest >= Certainty::Candidate);
            for (caller, callee) in calls.chain(steps.map(|it| (&it.0, &it.1))) {
                let (near, far) = if forward { (caller, callee) } else { (callee, caller) };
                if reached.contains(near) {
                    new.push(far.clone());
                }
            }
            reached.extend(new);
            if reached.len() == before {
                break;
            }
        }
        reached
    }
}

fn name(graph: &Graph, node: NodeId) -> Name {
    let version = graph.version_of(node).unwrap().map(|it| graph.version(it).unwrap().number);
    (version, graph.path(node).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_index_has_the_calls_that_were_appended(seed: u64, versions in 1_usize..40) {
        let (_directory, graph, reference) = build(seed, versions, versions * 40);
        let edges = graph.edges(&EdgeOptions::default()).unwrap().map(Result::unwrap);
        let mut linked: Vec<_> =
            edges.map(|it| (name(&graph, it.caller_node), name(&graph, it.callee_node), it.certainty)).collect();
        let mut expected = reference.edges.clone();
        linked.sort();
        expected.sort();
        prop_assert_eq!(linked, expected);
        prop_assert_eq!(graph.statistics().unwrap().implementations as usize, reference.implementations.len());
    }

    #[test]
    fn walks_reach_what_a_naive_walk_reaches(seed: u64, depth in 0_u32..6, weakest in 0_usize..4, at: prop::sample::Index) {
        let (_directory, graph, reference) = build(seed, 20, 600);
        let weakest = Certainty::ALL[weakest];
        let node = graph.node(at.index(graph.node_count()) as u32).unwrap();
        let filter = Filter { weakest, ..Filter::default() };
        let limits = Limits { depth, nodes: usize::MAX, links: usize::MAX, filter };
        let start = name(&graph, node);
        for forward in [false, true] {
            let found =
                if forward { graph.callees(&[node], &limits) } else { graph.callers(&[node], &limits) }.unwrap();
            let names: BTreeSet<Name> = found.reached.iter().map(|it| name(&graph, it.node)).collect();
            prop_assert_eq!(names, reference.reach(&start, forward, depth, weakest));
            let closure =
                if forward { graph.reach(&[node], filter) } else { graph.reached_from(&[node], filter) }.unwrap();
            let names: BTreeSet<Name> = closure.nodes().map(|it| name(&graph, it)).collect();
            prop_assert_eq!(names.len() as u64, closure.levels.iter().sum::<u64>());
            prop_assert_eq!(names, reference.reach(&start, forward, 1_000, weakest));
        }
    }

    #[test]
    fn paths_are_simple_sorted_and_shortest(seed: u64, from: prop::sample::Index, to: prop::sample::Index) {
        let (_directory, graph, reference) = build(seed, 10, 300);
        let node = |it: prop::sample::Index| graph.node(it.index(graph.node_count()) as u32).unwrap();
        let (from, to) = (node(from), node(to));
        let paths = graph.paths(&[from], &[to], 5, 40, Filter::default()).unwrap();
        let (start, end) = (name(&graph, from), name(&graph, to));
        let distance = (0..40).find(|it| reference.reach(&start, true, *it, Certainty::Name).contains(&end));
        prop_assert_eq!(paths.routes.first().map(|it| it.steps.len() as u32), distance);
        let mut previous = 0;
        let mut seen = BTreeSet::new();
        for route in &paths.routes {
            prop_assert!(route.steps.len() >= previous);
            previous = route.steps.len();
            let mut visited = vec![route.start];
            for step in &route.steps {
                prop_assert_eq!(Some(&step.caller), visited.last());
                visited.push(step.callee);
                let pair = (name(&graph, step.caller), name(&graph, step.callee));
                let is_call = reference.edges.iter().any(|it| (&it.0, &it.1, it.2) == (&pair.0, &pair.1, step.certainty));
                prop_assert!(is_call || step.line.is_none() && reference.implementations.contains(&pair));
            }
            prop_assert_eq!(visited.iter().collect::<BTreeSet<_>>().len(), visited.len());
            prop_assert!(seen.insert(visited));
        }
    }

    #[test]
    fn transitive_dependents_are_counted_exactly(seed: u64, versions in 1_usize..1_200) {
        let (_directory, graph, reference) = build(seed, versions, versions);
        let packages: BTreeMap<VersionNumber, String> =
            graph.versions().map(|it| graph.version(it).unwrap()).map(|it| (it.number, it.package)).collect();
        for top in graph.top_by_transitive_dependents(2).unwrap() {
            let of: Vec<_> =
                graph.versions().filter(|it| graph.version(*it).unwrap().package == top.package).collect();
            let numbers: BTreeSet<_> = of.iter().map(|it| graph.version(*it).unwrap().number).collect();
            let mut reached = numbers.clone();
            loop {
                let more: Vec<_> = reference
                    .dependencies
                    .iter()
                    .filter(|it| !reached.contains(it.0) && it.1.iter().any(|it| reached.contains(it)))
                    .map(|it| *it.0)
                    .collect();
                if more.is_empty() {
                    break;
                }
                reached.extend(more);
            }
            let dependents: BTreeSet<_> = reached.difference(&numbers).copied().collect();
            prop_assert_eq!(top.versions as usize, dependents.len());
            let distinct: BTreeSet<&String> = dependents.iter().map(|it| &packages[it]).collect();
            prop_assert_eq!(top.packages as usize, distinct.len());
            prop_assert_eq!(graph.dependents(&of).unwrap().transitive.len(), dependents.len());
        }
    }
}
