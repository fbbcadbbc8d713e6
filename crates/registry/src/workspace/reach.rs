//! Which packages are reached how: the rules behind `kinds` and `platforms`, on a plain graph.

use std::collections::BTreeSet;

use cratekeeper_model::DependencyKind;

/// A package in the resolved graph.
pub(super) struct Node {
    pub(super) is_member: bool,
    pub(super) is_proc_macro: bool,
    pub(super) edges: Vec<Edge>,
}

/// A dependency in one role. Several may lead to the same package.
pub(super) struct Edge {
    /// Position of the other package.
    pub(super) to: usize,
    pub(super) kind: DependencyKind,
    /// Platforms that alone have this dependency.
    pub(super) target: Option<String>,
}

/// Why each package is in the tree, sorted.
///
/// What builds need stays `Build` however it goes on from there, and what tests need stays `Dev`.
pub(super) fn kinds(graph: &[Node]) -> Vec<Vec<DependencyKind>> {
    let mut kinds = vec![BTreeSet::new(); graph.len()];
    let start = |node: &Node| if node.is_proc_macro { DependencyKind::Build } else { DependencyKind::Normal };
    let members = graph.iter().enumerate().filter(|(_, node)| node.is_member);
    let mut pending: Vec<(usize, DependencyKind)> = members.map(|(at, node)| (at, start(node))).collect();
    while let Some((at, kind)) = pending.pop() {
        if !kinds[at].insert(kind) {
            continue;
        }
        for edge in &graph[at].edges {
            let next = match (edge.kind, kind) {
                // Cargo uses dev-dependencies of workspace members only.
                (DependencyKind::Dev, _) if !graph[at].is_member => continue,
                (DependencyKind::Dev, _) | (_, DependencyKind::Dev) => DependencyKind::Dev,
                (DependencyKind::Build, _) | (_, DependencyKind::Build) => DependencyKind::Build,
                (DependencyKind::Normal, DependencyKind::Normal) => start(&graph[edge.to]),
            };
            pending.push((edge.to, next));
        }
    }
    kinds.into_iter().map(|kinds| kinds.into_iter().collect()).collect()
}

/// Platforms that alone need each package, sorted; empty when every platform needs it.
///
/// On the way to a package, the first restriction counts: what lies below `cfg(windows)` is for Windows,
/// whatever further conditions there are.
pub(super) fn platforms(graph: &[Node]) -> Vec<Vec<String>> {
    let everywhere = reached_everywhere(graph);
    let mut platforms: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); graph.len()];
    let mut pending: Vec<(usize, &str)> = Vec::new();
    for (at, node) in graph.iter().enumerate().filter(|(at, _)| everywhere[*at]) {
        let restricted =
            edges_in_use(node, graph, at).filter_map(|edge| Some((edge.to, edge.target.as_deref()?)));
        pending.extend(restricted);
    }
    while let Some((at, platform)) = pending.pop() {
        if !everywhere[at] && platforms[at].insert(platform) {
            pending.extend(edges_in_use(&graph[at], graph, at).map(|edge| (edge.to, platform)));
        }
    }
    platforms.into_iter().map(|set| set.into_iter().map(str::to_owned).collect()).collect()
}

/// Packages that a member needs without any condition on the platform.
fn reached_everywhere(graph: &[Node]) -> Vec<bool> {
    let mut reached = vec![false; graph.len()];
    let mut pending: Vec<usize> = (0..graph.len()).filter(|at| graph[*at].is_member).collect();
    while let Some(at) = pending.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            let free = edges_in_use(&graph[at], graph, at).filter(|edge| edge.target.is_none());
            pending.extend(free.map(|edge| edge.to));
        }
    }
    reached
}

fn edges_in_use<'a>(node: &'a Node, graph: &[Node], at: usize) -> impl Iterator<Item = &'a Edge> {
    let is_member = graph[at].is_member;
    node.edges.iter().filter(move |edge| is_member || edge.kind != DependencyKind::Dev)
}

#[cfg(test)]
mod tests {
    use DependencyKind::{Build, Dev, Normal};

    use super::*;

    /// Node 0 is the member; `macros` are procedural macros.
    fn graph(
        size: usize,
        macros: &[usize],
        edges: &[(usize, usize, DependencyKind, Option<&str>)],
    ) -> Vec<Node> {
        let node = |at| Node {
            is_member: at == 0,
            is_proc_macro: macros.contains(&at),
            edges: edges
                .iter()
                .filter(|(from, ..)| *from == at)
                .map(|(_, to, kind, target)| Edge { to: *to, kind: *kind, target: target.map(str::to_owned) })
                .collect(),
        };
        (0..size).map(node).collect()
    }

    #[test]
    fn kinds_stay_what_the_first_edge_made_them() {
        let graph = graph(
            9,
            &[4],
            &[
                (0, 1, Normal, None),
                (0, 2, Build, None),
                (2, 3, Normal, None),
                (1, 4, Normal, None),
                (4, 5, Normal, None),
                (0, 6, Dev, None),
                (6, 4, Normal, None),
                (6, 7, Build, None),
                (1, 8, Dev, None),
            ],
        );
        let expected: [&[DependencyKind]; 9] =
            [&[Normal], &[Normal], &[Build], &[Build], &[Build, Dev], &[Build, Dev], &[Dev], &[Dev], &[]];
        assert_eq!(kinds(&graph), expected);
    }

    #[test]
    fn cycles_through_dev_dependencies_end() {
        let graph = graph(2, &[], &[(0, 1, Dev, None), (1, 0, Normal, None), (0, 1, Normal, None)]);
        assert_eq!(kinds(&graph), [vec![Normal, Dev], vec![Normal, Dev]]);
    }

    #[test]
    fn the_first_restriction_on_the_way_counts() {
        let graph = graph(
            6,
            &[],
            &[
                (0, 1, Normal, Some("cfg(windows)")),
                (1, 2, Normal, Some("cfg(target_arch = \"x86\")")),
                (0, 3, Normal, None),
                (3, 2, Normal, Some("cfg(unix)")),
                (1, 4, Normal, None),
                (3, 4, Normal, None),
                (1, 5, Dev, None),
            ],
        );
        let found = platforms(&graph);
        assert_eq!(found[1], ["cfg(windows)"]);
        assert_eq!(found[2], ["cfg(unix)", "cfg(windows)"]);
        assert_eq!([&found[0], &found[3], &found[4], &found[5]], [&Vec::<String>::new(); 4]);
    }
}
