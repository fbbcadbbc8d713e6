//! Every call, one after the other, as text.

use std::sync::Arc;

use cratekeeper_model::graph::{Certainty, EdgeKind};

use super::NodeMap;
use crate::graph::{MISSING_ATTRIBUTES, call_site};
use crate::{Graph, GraphError, NodeId, VersionId};

/// Paths of callees that are kept, as the same ones are called again and again: some ten megabytes.
const MOST_KEPT: usize = 1 << 16;

/// Which calls, and how they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeOptions {
    /// Only calls in these versions; all when `None`.
    pub callers: Option<Vec<VersionId>>,
    /// Write versions behind crate names.
    pub with_versions: bool,
    /// Only calls in the configuration that was asked for when the versions were read.
    pub active_only: bool,
    /// No calls by tests, examples and benchmarks.
    pub without_tests: bool,
}

/// A call as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Who calls.
    pub caller_node: NodeId,
    /// What is called.
    pub callee_node: NodeId,
    /// Path of the caller.
    pub caller: Arc<str>,
    /// Path of the callee, also of those that no version of the graph has.
    pub callee: Arc<str>,
    /// How it is called.
    pub kind: EdgeKind,
    /// How sure that is.
    pub certainty: Certainty,
    /// File of the caller, in its package.
    pub file: Arc<str>,
    /// Line of the call.
    pub line: u32,
    /// Inside of unsafe code.
    pub in_unsafe: bool,
    /// In the configuration that was asked for when the version was read.
    pub active: bool,
}

/// Goes over calls, by version, caller and callee.
pub struct Edges<'a> {
    graph: &'a Graph,
    with_versions: bool,
    active_only: bool,
    without_tests: bool,
    /// Callers that are left, as ranges; the next one last.
    callers: Vec<std::ops::Range<u32>>,
    ready: std::vec::IntoIter<Edge>,
    paths: NodeMap<Arc<str>>,
}

impl Graph {
    /// All calls, or those in some versions.
    ///
    /// # Errors
    ///
    /// When the index is damaged. Damage that shows later is an item of the iterator, after which it ends.
    pub fn edges(&self, options: &EdgeOptions) -> Result<Edges<'_>, GraphError> {
        let mut callers: Vec<_> = match &options.callers {
            None => std::iter::once(0..self.index.functions()).collect(),
            Some(versions) => {
                versions.iter().map(|it| self.index.functions_of(it.0)).collect::<Result<_, _>>()?
            }
        };
        callers.reverse();
        let with_versions = options.with_versions;
        Ok(Edges {
            graph: self,
            with_versions,
            active_only: options.active_only,
            without_tests: options.without_tests,
            callers,
            ready: Vec::new().into_iter(),
            paths: NodeMap::default(),
        })
    }
}

impl Edges<'_> {
    fn path(&mut self, node: u32) -> Result<Arc<str>, GraphError> {
        if let Some(path) = self.paths.get(&node) {
            return Ok(Arc::clone(path));
        }
        let node_id = NodeId(node);
        let path =
            if self.with_versions { self.graph.path_with_version(node_id) } else { self.graph.path(node_id) };
        let path: Arc<str> = path?.into();
        if self.paths.len() >= MOST_KEPT {
            self.paths.clear();
        }
        self.paths.insert(node, Arc::clone(&path));
        Ok(path)
    }

    fn calls_of(&mut self, node: u32) -> Result<Vec<Edge>, GraphError> {
        let index = &self.graph.index;
        let (lines, flags) = index.calls(node)?;
        if lines.is_empty() || self.without_tests && self.graph.attributes(node).test {
            return Ok(Vec::new());
        }
        let caller = self.path(node)?;
        let file: Arc<str> = index.text(index.place(node)?.0)?.into();
        let mut edges = Vec::with_capacity(lines.len());
        for (position, link) in index.callees(node)?.enumerate() {
            let link = link?;
            let (line, flags) = lines.get(position).zip(flags.get(position)).ok_or(MISSING_ATTRIBUTES)?;
            let site = call_site(*line, *flags);
            if self.active_only && !site.active {
                continue;
            }
            edges.push(Edge {
                caller_node: NodeId(node),
                callee_node: NodeId(link.node),
                caller: Arc::clone(&caller),
                callee: self.path(link.node)?,
                kind: site.kind,
                certainty: site.certainty,
                file: Arc::clone(&file),
                line: site.line,
                in_unsafe: site.in_unsafe,
                active: site.active,
            });
        }
        Ok(edges)
    }
}

impl Iterator for Edges<'_> {
    type Item = Result<Edge, GraphError>;

    fn next(&mut self) -> Option<Result<Edge, GraphError>> {
        loop {
            if let Some(edge) = self.ready.next() {
                return Some(Ok(edge));
            }
            let Some(node) = self.callers.last_mut()?.next() else {
                self.callers.pop();
                continue;
            };
            match self.calls_of(node) {
                Ok(edges) => self.ready = edges.into_iter(),
                Err(error) => {
                    self.callers.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}
