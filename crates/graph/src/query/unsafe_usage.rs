//! Which functions use `unsafe`, which reach such functions by calls, and who calls other languages.

use super::{Direction, Filter};
use crate::{Graph, GraphError, NodeId, VersionId};

/// Use of `unsafe` in a version's functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsafeUsage {
    /// The version.
    pub version: VersionId,
    /// Functions that were looked at.
    pub functions: u64,
    /// Of these, with unsafe code in them.
    pub with_unsafe: u64,
    /// Of these, that may run unsafe code of any version of the graph, their own included.
    pub reaching_unsafe: u64,
    /// Calls inside of unsafe code.
    pub calls_in_unsafe: u64,
}

/// A function whose code is in another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignFunction {
    /// The declaration.
    pub node: NodeId,
    /// Who calls it, each once.
    pub callers: Vec<NodeId>,
}

/// Foreign functions that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignFunctions {
    /// The functions, by version and path.
    pub functions: Vec<ForeignFunction>,
    /// There are more functions or callers than were asked for.
    pub truncated: bool,
}

impl Graph {
    /// Use of `unsafe` in each version that has functions.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn unsafe_usage(&self, filter: Filter) -> Result<Vec<UnsafeUsage>, GraphError> {
        let meant = |node: &u32| filter.tests || !self.attributes(*node).test;
        let using = (0..self.index.functions()).filter(meant).filter(|it| self.attributes(*it).uses_unsafe);
        let reaching = self.closure(using, Direction::Callers, filter)?;
        let mut usage = Vec::new();
        for version in self.versions() {
            let mut row =
                UnsafeUsage { version, functions: 0, with_unsafe: 0, reaching_unsafe: 0, calls_in_unsafe: 0 };
            for node in self.index.functions_of(version.0)?.filter(meant) {
                row.functions += 1;
                row.with_unsafe += u64::from(self.attributes(node).uses_unsafe);
                row.reaching_unsafe += u64::from(reaching.members.contains(node));
                let calls = self.index.calls(node)?.1;
                row.calls_in_unsafe +=
                    calls.iter().filter(|it| crate::segment::in_unsafe(**it)).count() as u64;
            }
            if row.functions > 0 {
                usage.push(row);
            }
        }
        Ok(usage)
    }

    /// Functions with unsafe code, by version and path, at most `limit`; and whether there are more.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn functions_with_unsafe(
        &self,
        versions: &[VersionId],
        limit: usize,
    ) -> Result<(Vec<NodeId>, bool), GraphError> {
        let mut found = Vec::new();
        for version in versions {
            for node in self.index.functions_of(version.0)?.filter(|it| self.attributes(*it).uses_unsafe) {
                if found.len() == limit {
                    return Ok((found, true));
                }
                found.push(NodeId(node));
            }
        }
        Ok((found, false))
    }

    /// Functions declared in `extern` blocks and who calls them, at most `limit` functions and as many callers of each.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn foreign_functions(&self, filter: Filter, limit: usize) -> Result<ForeignFunctions, GraphError> {
        let mut answer = ForeignFunctions::default();
        for node in (0..self.index.functions()).filter(|it| self.attributes(*it).foreign) {
            if answer.functions.len() == limit {
                answer.truncated = true;
                break;
            }
            let mut callers = Vec::new();
            for step in self.neighbours(node, Direction::Callers, filter)? {
                let caller = NodeId(step?.node);
                if callers.last() == Some(&caller) {
                    continue;
                }
                if callers.len() == limit {
                    answer.truncated = true;
                    break;
                }
                callers.push(caller);
            }
            answer.functions.push(ForeignFunction { node: NodeId(node), callers });
        }
        Ok(answer)
    }
}
