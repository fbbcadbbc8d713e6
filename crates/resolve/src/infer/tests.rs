//! Small crates written as one string, read together with a small standard library. Calls are compared as text:
//! `caller -> callee kind certainty`, those of the standard library left out.

mod calls;
mod macros;
mod random;
mod real;
mod traits;

use std::sync::Arc;

use cratekeeper_model::graph::{CallGraph, Callee, GraphTargetKind};

use crate::collect::{CrateInput, Limits, StandardCrates};
use crate::definitions::{CrateIndex, Universe};
use crate::symbol::Symbol;
use crate::{Analysis, Options, analyze};

/// What inference knows by name of the standard library, and not much more.
const STANDARD: &str = include_str!("tests/standard.rs.txt");

/// Reads crates one after the other, each depending on those before it; the last is given.
pub(super) fn read(crates: &[(&str, &str)]) -> Analysis {
    let universe = Universe::with_room(crates.len() + 1);
    let index = CrateIndex(0);
    let standard = StandardCrates { core: index, alloc: index, std: index };
    let all: Vec<_> = std::iter::once(("core", STANDARD)).chain(crates.iter().copied()).collect();
    let (configuration, limits) = (Options::x86_64_linux(["default"]), Limits::default());
    let mut dependencies: Vec<(Symbol, CrateIndex)> = Vec::new();
    let mut last = None;
    for (number, (name, text)) in all.into_iter().enumerate() {
        let index = CrateIndex(number as u32);
        let input = CrateInput {
            index,
            name,
            edition: 21,
            root: "src/lib.rs",
            files: &[("src/lib.rs".to_owned(), text.to_owned())],
            configuration: &configuration,
            dependencies: &dependencies,
            standard: Some(standard),
            test_target: false,
            limits: &limits,
        };
        let analysis = analyze(&input, GraphTargetKind::Lib, &universe);
        universe.set(index, Arc::clone(&analysis.data));
        dependencies.push((Symbol::new(name), index));
        last = Some(analysis);
    }
    last.expect("the standard library at least")
}

fn path(graph: &CallGraph, callee: Callee) -> &str {
    match callee {
        Callee::Local(number) => &graph.functions[number as usize].path,
        Callee::External { path, .. } => &graph.external_paths[path as usize],
    }
}

/// All edges but those into the standard library, in order, `demo::` left out.
pub(super) fn edges(graph: &CallGraph) -> Vec<String> {
    let mut lines: Vec<String> = graph
        .edges
        .iter()
        .filter(|it| {
            let callee = path(graph, it.callee);
            !callee.trim_start_matches(['<', '&']).starts_with("core::")
                && !callee.starts_with("<_ as core::")
        })
        .map(|it| {
            let caller = path(graph, Callee::Local(it.caller));
            let line = format!(
                "{caller} -> {} {} {}",
                path(graph, it.callee),
                it.kind.as_str(),
                it.certainty.as_str()
            );
            line.replace("demo::", "")
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Reads the crate `demo`, and compares its edges.
pub(super) fn check(text: &str, expected: &[&str]) {
    check_with(&[], text, expected);
}

pub(super) fn check_with(others: &[(&str, &str)], text: &str, expected: &[&str]) {
    let crates: Vec<_> = others.iter().copied().chain([("demo", text)]).collect();
    let analysis = read(&crates);
    let mut expected: Vec<&str> = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(edges(&analysis.graph), expected, "{:?}", analysis.graph.unresolved);
}
