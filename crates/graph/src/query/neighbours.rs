//! Who calls a function and what it calls: a few steps far, or as far as it goes.

use cratekeeper_model::graph::Certainty;

use super::{Bits, Direction, Filter, Limits, NodeMap, StepKind};
use crate::error::Damage;
use crate::{Graph, GraphError, NodeId};

/// Nodes near others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbourhood {
    /// Nodes that were visited, the start included, by distance.
    pub reached: Vec<Reached>,
    /// Steps between them, in the order in which they were met.
    pub links: Vec<Link>,
    /// There are nodes further away than the limit.
    pub deeper: bool,
    /// There are more nodes or steps than the limits.
    pub truncated: bool,
}

/// A node of a [`Neighbourhood`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The node.
    pub node: NodeId,
    /// Steps from the start.
    pub distance: u32,
}

/// A step between two nodes. [`Graph::call_sites`] has its lines and kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Who calls, or the method of a trait.
    pub caller: NodeId,
    /// What is called, or an implementation.
    pub callee: NodeId,
    /// How sure that is.
    pub certainty: Certainty,
    /// In the configuration that was asked for when the version was read.
    pub active: bool,
    /// Call or implementation.
    pub kind: StepKind,
}

/// Everything that can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    pub(crate) members: Bits,
    /// How many nodes are new at each distance; the start at 0.
    pub levels: Vec<u64>,
}

impl Closure {
    /// Number of nodes, the start included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.members.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a node can be reached.
    #[must_use]
    pub fn contains(&self, node: NodeId) -> bool {
        self.members.contains(node.0)
    }

    /// All nodes, ascending.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.members.iter().map(NodeId)
    }
}

impl Graph {
    /// Who calls these nodes, directly or through others.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn callers(&self, of: &[NodeId], limits: &Limits) -> Result<Neighbourhood, GraphError> {
        self.neighbourhood(of, Direction::Callers, limits)
    }

    /// What these nodes call, directly or through others.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn callees(&self, of: &[NodeId], limits: &Limits) -> Result<Neighbourhood, GraphError> {
        self.neighbourhood(of, Direction::Callees, limits)
    }

    fn neighbourhood(
        &self,
        of: &[NodeId],
        direction: Direction,
        limits: &Limits,
    ) -> Result<Neighbourhood, GraphError> {
        let mut answer = Neighbourhood::default();
        let mut seen: NodeMap<()> = NodeMap::default();
        for &node in of {
            if seen.insert(node.0, ()).is_none() {
                answer.reached.push(Reached { node, distance: 0 });
            }
        }
        let mut next = 0;
        while let Some(&Reached { node, distance }) = answer.reached.get(next) {
            next += 1;
            for step in self.neighbours(node.0, direction, limits.filter)? {
                let step = step?;
                let known = seen.contains_key(&step.node);
                if distance >= limits.depth {
                    answer.deeper |= !known;
                    break;
                }
                if answer.links.len() >= limits.links || !known && answer.reached.len() >= limits.nodes {
                    answer.truncated = true;
                    break;
                }
                if !known {
                    seen.insert(step.node, ());
                    answer.reached.push(Reached { node: NodeId(step.node), distance: distance + 1 });
                }
                let (caller, callee) = match direction {
                    Direction::Callees => (node, NodeId(step.node)),
                    Direction::Callers => (NodeId(step.node), node),
                };
                let (certainty, active, kind) = (step.certainty, step.active, step.kind);
                answer.links.push(Link { caller, callee, certainty, active, kind });
            }
            if answer.links.len() >= limits.links {
                break;
            }
        }
        Ok(answer)
    }

    /// Everything that these nodes may run.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn reach(&self, from: &[NodeId], filter: Filter) -> Result<Closure, GraphError> {
        Ok(self.closure(from.iter().map(|it| it.0), Direction::Callees, filter)?)
    }

    /// Everything that may run these nodes.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn reached_from(&self, to: &[NodeId], filter: Filter) -> Result<Closure, GraphError> {
        Ok(self.closure(to.iter().map(|it| it.0), Direction::Callers, filter)?)
    }

    pub(crate) fn closure(
        &self,
        start: impl Iterator<Item = u32>,
        direction: Direction,
        filter: Filter,
    ) -> Result<Closure, Damage> {
        let mut members = Bits::new(self.index.nodes());
        let mut level: Vec<u32> = start.filter(|it| members.insert(*it)).collect();
        let mut levels = Vec::new();
        while !level.is_empty() {
            levels.push(level.len() as u64);
            let mut next = Vec::new();
            for node in level {
                self.each_neighbour(node, direction, filter, |node| {
                    if members.insert(node) {
                        next.push(node);
                    }
                })?;
            }
            level = next;
        }
        Ok(Closure { members, levels })
    }
}
