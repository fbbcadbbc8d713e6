//! How one function comes to call another: the shortest ways, the surest among equally short ones first.
//!
//! First the distance of every node to the target is found, walking backwards; then partial ways are extended in the
//! order of what they will cost at least. Because that estimate is exact but for loops, little is extended in vain.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use cratekeeper_model::graph::{Certainty, EdgeKind};

use super::{Direction, Filter, StepKind};
use crate::{Graph, GraphError, NodeId};

/// What a step of less than full certainty costs among ways of equal length: one `name` is worse than any number of
/// `candidate` steps that a way of allowed length has, and so on.
const PENALTIES: [u32; 4] = [0, 1, 1 << 8, 1 << 16];

/// Partial ways that are extended for each way that is asked for. Ordinary graphs need its length times a few.
const MOST_EXTENSIONS: usize = 100_000;

/// Ways from some nodes to others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// The ways, the shortest first. None of them visits a node twice.
    pub routes: Vec<Route>,
    /// The search ended at a limit: there may be other ways.
    pub truncated: bool,
}

/// A way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it begins.
    pub start: NodeId,
    /// Its steps; none when the start is a target.
    pub steps: Vec<Step>,
}

impl Route {
    /// The least sure step; `Exact` when there is none.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        self.steps.iter().map(|it| it.certainty).max().unwrap_or(Certainty::Exact)
    }
}

/// A step of a [`Route`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Who calls.
    pub caller: NodeId,
    /// What is called.
    pub callee: NodeId,
    /// Call, or from a trait's method to an implementation.
    pub step: StepKind,
    /// How it is called; `Trait` for a step to an implementation.
    pub kind: EdgeKind,
    /// How sure that is.
    pub certainty: Certainty,
    /// Line in the caller's file; `None` for a step to an implementation.
    pub line: Option<u32>,
}

/// Length and penalty of the best way to a target, plus one, so that 0 is "none known".
struct Distances(Vec<u64>);

impl Distances {
    fn of(&self, node: u32) -> Option<u64> {
        self.0.get(node as usize).and_then(|it| it.checked_sub(1))
    }
}

const STEP: u64 = 1 << 32;

fn cost(certainty: Certainty) -> u64 {
    STEP + u64::from(PENALTIES[certainty as usize])
}

impl Graph {
    /// The `count` shortest ways from any of `from` to any of `to`, of at most `longest` steps.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn paths(
        &self,
        from: &[NodeId],
        to: &[NodeId],
        count: usize,
        longest: u32,
        filter: Filter,
    ) -> Result<Paths, GraphError> {
        let longest = longest.min(250);
        let (distances, cut) = self.distances(to, longest, filter)?;
        let mut answer = Paths { routes: Vec::new(), truncated: cut };
        // Ways as a tree of last steps: (node, parent's position).
        let mut tree: Vec<(u32, usize)> = Vec::new();
        let mut open = BinaryHeap::new();
        let mut starts = HashSet::new();
        for node in from.iter().filter(|it| starts.insert(**it)) {
            if let Some(rest) = distances.of(node.0) {
                tree.push((node.0, usize::MAX));
                open.push(Reverse((rest, Reverse(0), tree.len() - 1)));
            }
        }
        let targets: HashSet<u32> = to.iter().map(|it| it.0).collect();
        let mut extensions = 0;
        while let Some(Reverse((estimate, Reverse(length), position))) = open.pop() {
            let node = tree[position].0;
            if targets.contains(&node) {
                answer.routes.push(self.route(&tree, position, filter)?);
                if answer.routes.len() >= count {
                    break;
                }
                continue;
            }
            extensions += 1;
            if extensions > MOST_EXTENSIONS.saturating_mul(count) {
                answer.truncated = true;
                break;
            }
            let spent = estimate - distances.of(node).unwrap_or(0);
            let visited: HashSet<u32> = ancestors(&tree, position).collect();
            let mut previous = None;
            for step in self.neighbours(node, Direction::Callees, filter)? {
                let step = step?;
                // Several calls of one function are one step; the surest of them comes first.
                if visited.contains(&step.node) || previous.replace(step.node) == Some(step.node) {
                    continue;
                }
                let Some(rest) = distances.of(step.node) else { continue };
                let estimate = spent + cost(step.certainty) + rest;
                if estimate < STEP * (u64::from(longest) + 1) {
                    tree.push((step.node, position));
                    open.push(Reverse((estimate, Reverse(length + 1), tree.len() - 1)));
                }
            }
        }
        Ok(answer)
    }

    /// Distances to the nearest target, and whether there are nodes further away than `longest`.
    fn distances(
        &self,
        to: &[NodeId],
        longest: u32,
        filter: Filter,
    ) -> Result<(Distances, bool), GraphError> {
        // Zeroed memory is given by the operating system page by page, so few visits cost little.
        let mut best = vec![0_u64; self.node_count()];
        let mut level = Vec::new();
        for node in to {
            if let Some(entry) = best.get_mut(node.0 as usize) {
                *entry = 1;
                level.push(node.0);
            }
        }
        for length in 0..longest {
            let mut next = Vec::new();
            for &node in &level {
                let rest = best[node as usize] - 1;
                for step in self.neighbours(node, Direction::Callers, filter)? {
                    let step = step?;
                    let found = rest + cost(step.certainty) + 1;
                    let entry = &mut best[step.node as usize];
                    if *entry == 0 {
                        next.push(step.node);
                        *entry = found;
                    } else if *entry > found && (*entry - 1) / STEP == u64::from(length) + 1 {
                        *entry = found;
                    }
                }
            }
            if next.is_empty() {
                return Ok((Distances(best), false));
            }
            level = next;
        }
        Ok((Distances(best), !level.is_empty()))
    }

    fn route(&self, tree: &[(u32, usize)], end: usize, filter: Filter) -> Result<Route, GraphError> {
        let mut nodes: Vec<u32> = ancestors(tree, end).collect();
        nodes.reverse();
        let steps = nodes.windows(2).map(|pair| self.step(NodeId(pair[0]), NodeId(pair[1]), filter));
        Ok(Route { start: NodeId(nodes[0]), steps: steps.collect::<Result<_, _>>()? })
    }

    /// The surest step between two neighbours.
    pub(crate) fn step(&self, caller: NodeId, callee: NodeId, filter: Filter) -> Result<Step, GraphError> {
        let sites = self.call_sites(caller, callee)?;
        let site =
            sites.into_iter().find(|it| it.certainty <= filter.weakest && (it.active || !filter.active_only));
        Ok(match site {
            Some(site) => Step {
                caller,
                callee,
                step: StepKind::Call,
                kind: site.kind,
                certainty: site.certainty,
                line: Some(site.line),
            },
            None => Step {
                caller,
                callee,
                step: StepKind::Implementation,
                kind: EdgeKind::Trait,
                certainty: Certainty::Candidate,
                line: None,
            },
        })
    }
}

/// The node at a position, and those before it.
fn ancestors(tree: &[(u32, usize)], position: usize) -> impl Iterator<Item = u32> + '_ {
    let mut next = position;
    std::iter::from_fn(move || {
        let &(node, parent) = tree.get(next)?;
        next = parent;
        Some(node)
    })
}
