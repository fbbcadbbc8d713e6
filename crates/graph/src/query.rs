//! Questions: one file for each family. What they share is which steps are taken and when a walk ends.

pub(crate) mod blast;
pub(crate) mod dependents;
pub(crate) mod diff;
pub(crate) mod edges;
pub(crate) mod neighbours;
pub(crate) mod paths;
pub(crate) mod statistics;
pub(crate) mod unsafe_usage;

use std::hash::{BuildHasherDefault, Hasher};

use cratekeeper_model::graph::Certainty;

use crate::Graph;
use crate::error::Damage;
use crate::index;

/// Which steps a walk takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// The least sure calls that are followed.
    pub weakest: Certainty,
    /// Follow only calls in the configuration that was asked for.
    pub active_only: bool,
    /// Visit functions of tests, too.
    pub tests: bool,
    /// From a trait's method, go on to its implementations. Such a step is as sure as [`Certainty::Candidate`].
    pub implementations: bool,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter { weakest: Certainty::Name, active_only: false, tests: true, implementations: true }
    }
}

/// When a walk ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps from the start. Three is what a reader can follow.
    pub depth: u32,
    /// Nodes that are visited. A thousand is more than anyone reads.
    pub nodes: usize,
    /// Steps that are looked at: a function with a hundred thousand callers costs no more than this.
    pub links: usize,
    /// Which steps are taken.
    pub filter: Filter,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 3, nodes: 1_000, links: 10_000, filter: Filter::default() }
    }
}

/// What kind of a step leads from one node to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// A call.
    Call,
    /// From a trait's method to an implementation that a call of it may run.
    Implementation,
}

/// In which direction a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Callees,
    Callers,
}

const NO_IMPLEMENTATION: Damage = Damage("an implementation is not a node");

/// A step of a walk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neighbour {
    pub(crate) node: u32,
    pub(crate) certainty: Certainty,
    pub(crate) active: bool,
    pub(crate) kind: StepKind,
}

impl Graph {
    /// Nodes one step from a node, as [`Graph::neighbours`] and in half the time, for walks over everything.
    #[inline]
    pub(crate) fn each_neighbour(
        &self,
        node: u32,
        direction: Direction,
        filter: Filter,
        mut visit: impl FnMut(u32),
    ) -> Result<(), Damage> {
        let (links, implementations) = self.steps(node, direction, filter)?;
        let mut visit = |node: u32| {
            if filter.tests || !self.attributes(node).test {
                visit(node);
            }
        };
        for link in links {
            let link = link?;
            if link.certainty() <= filter.weakest && (link.is_active() || !filter.active_only) {
                visit(link.node);
            }
        }
        for &node in implementations {
            if node >= self.index.nodes() {
                return Err(NO_IMPLEMENTATION);
            }
            visit(node);
        }
        Ok(())
    }

    fn steps(
        &self,
        node: u32,
        direction: Direction,
        filter: Filter,
    ) -> Result<(index::Links<'_>, &[u32]), Damage> {
        let candidates = filter.implementations && filter.weakest >= Certainty::Candidate;
        Ok(match direction {
            Direction::Callees => (
                self.index.callees(node)?,
                if candidates { self.index.implementations.of(node)? } else { &[] },
            ),
            Direction::Callers => {
                (self.index.callers(node)?, if candidates { self.index.implemented.of(node)? } else { &[] })
            }
        })
    }

    /// Steps from a node that the filter lets through.
    #[inline]
    pub(crate) fn neighbours(
        &self,
        node: u32,
        direction: Direction,
        filter: Filter,
    ) -> Result<impl Iterator<Item = Result<Neighbour, Damage>> + '_, Damage> {
        let (links, implementations) = self.steps(node, direction, filter)?;
        let calls = links.filter(move |it| {
            it.as_ref().map_or(true, |it| {
                it.certainty() <= filter.weakest && (it.is_active() || !filter.active_only)
            })
        });
        let calls = calls.map(|it| it.map(neighbour));
        let nodes = self.index.nodes();
        let implementations = implementations.iter().map(move |&node| {
            if node >= nodes {
                return Err(NO_IMPLEMENTATION);
            }
            let (certainty, kind) = (Certainty::Candidate, StepKind::Implementation);
            Ok(Neighbour { node, certainty, active: true, kind })
        });
        Ok(calls
            .chain(implementations)
            .filter(move |it| filter.tests || it.as_ref().map_or(true, |it| !self.attributes(it.node).test)))
    }
}

#[inline]
fn neighbour(link: index::Link) -> Neighbour {
    Neighbour { node: link.node, certainty: link.certainty(), active: link.is_active(), kind: StepKind::Call }
}

/// Hashes node numbers. They are ours, so nobody can choose them to collide.
#[derive(Default)]
pub(crate) struct NodeHasher(u64);

impl Hasher for NodeHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|it| self.write_u32((*it).into()));
    }

    fn write_u32(&mut self, value: u32) {
        // Fibonacci hashing: 2^64 divided by the golden ratio spreads neighbouring numbers over the high bits.
        self.0 = (self.0.rotate_left(5) ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

pub(crate) type NodeMap<V> = std::collections::HashMap<u32, V, BuildHasherDefault<NodeHasher>>;

/// A set of numbers below a bound, one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn new(bound: u32) -> Bits {
        Bits(vec![0; (bound as usize).div_ceil(64)])
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|it| it & 1 << (number % 64) != 0)
    }

    /// Adds a number; whether it was new. Numbers behind the bound are not.
    #[inline]
    pub(crate) fn insert(&mut self, number: u32) -> bool {
        let Some(word) = self.0.get_mut(number as usize / 64) else { return false };
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(|it| u64::from(it.count_ones())).sum()
    }

    /// All numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.0).flat_map(|(position, &word)| {
            std::iter::successors((word != 0).then_some(word), |it| Some(it & (it - 1)).filter(|it| *it != 0))
                .map(move |it| position * 64 + it.trailing_zeros())
        })
    }
}
