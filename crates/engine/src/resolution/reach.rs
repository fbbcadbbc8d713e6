//! What is compiled, and why: the dependencies that are enabled, followed from the members.

use std::collections::BTreeSet;

use cratekeeper_model::DependencyKind;
use cratekeeper_model::facts::TargetKind;

use super::Usage;
use super::activation::Activation;
use super::graph::{Edge, Graph};

/// For what a package is compiled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// By usage: for what members build, and for their tests alone.
    reached: [[bool; 2]; 2],
}

impl Reach {
    pub(super) fn is_built(&self, usage: Usage) -> bool {
        self.reached[usage as usize] != [false, false]
    }

    /// Sorted. What only tests lead to stays `Dev`, whatever it is compiled for.
    pub(super) fn kinds(&self) -> Vec<DependencyKind> {
        let [target, host] = self.reached;
        let all = [
            (target[0], DependencyKind::Normal),
            (host[0], DependencyKind::Build),
            (target[1] || host[1], DependencyKind::Dev),
        ];
        all.into_iter().filter_map(|(is_so, kind)| is_so.then_some(kind)).collect()
    }
}

/// By package.
pub(super) fn reached(
    graph: &Graph<'_>,
    activation: &Activation<'_, '_>,
    members: &BTreeSet<usize>,
) -> Vec<Reach> {
    let mut found = vec![Reach::default(); graph.nodes.len()];
    let members = members.iter().filter(|member| **member < graph.nodes.len());
    let mut pending: Vec<(usize, Usage, bool)> = members
        .map(|member| {
            let usage = if graph.nodes[*member].is_proc_macro() { Usage::Host } else { Usage::Target };
            (*member, usage, false)
        })
        .collect();
    while let Some((at, usage, for_tests)) = pending.pop() {
        if std::mem::replace(&mut found[at].reached[usage as usize][usize::from(for_tests)], true) {
            continue;
        }
        for edge in
            graph.nodes[at].edges.iter().filter(|edge| is_compiled(graph, activation, at, edge, usage))
        {
            let Some(to) = edge.to else { continue };
            pending.push((to, graph.usage_of(to, edge, usage), for_tests || edge.is_dev()));
        }
    }
    found
}

fn is_compiled(
    graph: &Graph<'_>,
    activation: &Activation<'_, '_>,
    at: usize,
    edge: &Edge<'_>,
    usage: Usage,
) -> bool {
    // Without a build script nothing uses its dependencies; whether there is one is not known without a manifest.
    let node = &graph.nodes[at];
    let is_used = !edge.is_build() || node.manifest.is_none() || node.has_target(TargetKind::BuildScript);
    is_used && activation.is_enabled(at, edge, usage)
}
