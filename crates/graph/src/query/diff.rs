//! What changed between two versions: functions and calls, by their printed paths.

use std::collections::BTreeSet;

use crate::{Graph, GraphError, VersionId};

/// Functions and calls gained and lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Paths that only the second version has, sorted.
    pub functions_gained: Vec<String>,
    /// Paths that only the first version has, sorted.
    pub functions_lost: Vec<String>,
    /// Calls that only the second version has, sorted.
    pub edges_gained: Vec<DiffEdge>,
    /// Calls that only the first version has, sorted.
    pub edges_lost: Vec<DiffEdge>,
}

/// A call, by paths without versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiffEdge {
    /// Path of the caller.
    pub caller: String,
    /// Path of the callee.
    pub callee: String,
}

impl Graph {
    /// What changed from one version to another.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn diff(&self, before: VersionId, after: VersionId) -> Result<Diff, GraphError> {
        // Numbers of paths are sorted as the paths are, so texts are made for the differences only.
        let (functions_before, edges_before) = self.outline(before)?;
        let (functions_after, edges_after) = self.outline(after)?;
        let functions = |left: &BTreeSet<u32>, right: &BTreeSet<u32>| {
            left.difference(right).map(|it| self.path_text(*it)).collect::<Result<Vec<String>, GraphError>>()
        };
        let edges = |left: &BTreeSet<(u32, u32)>, right: &BTreeSet<(u32, u32)>| {
            left.difference(right)
                .map(|it| Ok(DiffEdge { caller: self.path_text(it.0)?, callee: self.path_text(it.1)? }))
                .collect::<Result<Vec<DiffEdge>, GraphError>>()
        };
        Ok(Diff {
            functions_gained: functions(&functions_after, &functions_before)?,
            functions_lost: functions(&functions_before, &functions_after)?,
            edges_gained: edges(&edges_after, &edges_before)?,
            edges_lost: edges(&edges_before, &edges_after)?,
        })
    }

    /// Numbers of the paths of a version's functions, and of both ends of its calls.
    #[allow(clippy::type_complexity, reason = "two sets of numbers, used once")]
    fn outline(&self, version: VersionId) -> Result<(BTreeSet<u32>, BTreeSet<(u32, u32)>), GraphError> {
        let (mut functions, mut edges) = (BTreeSet::new(), BTreeSet::new());
        for node in self.index.functions_of(version.0)? {
            let caller = self.index.path_number(node)?;
            functions.insert(caller);
            for link in self.index.callees(node)? {
                edges.insert((caller, self.index.path_number(link?.node)?));
            }
        }
        Ok((functions, edges))
    }

    fn path_text(&self, number: u32) -> Result<String, GraphError> {
        self.index.path_text(number)
    }
}
