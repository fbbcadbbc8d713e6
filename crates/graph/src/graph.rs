//! A linked graph that is open: nodes, versions, and what is known of each.

use std::path::Path;

use cratekeeper_model::graph::{Certainty, EdgeKind, FunctionAttributes, GraphTargetKind};

use crate::error::Damage;
use crate::index::{Index, section};
use crate::link::TARGET_KIND_SHIFT;
use crate::segment::{self, NONE};
use crate::{GraphError, VersionEntry, VersionNumber};

/// A node: a function of a version, or a path that is called and that no version of the graph has.
///
/// Numbers mean something within one linked index only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The number: an index in arrays of [`Graph::node_count`] elements.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A version of the graph, in the order of package names and versions.
///
/// Numbers mean something within one linked index only; [`VersionName::number`] holds for the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(pub(crate) u32);

/// What a version is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionName {
    /// In this graph.
    pub id: VersionId,
    /// In the store.
    pub number: VersionNumber,
    /// Package name as its registry writes it.
    pub package: String,
    /// Version.
    pub version: String,
    /// Name as paths print it.
    pub crate_name: String,
    /// Package id, source included.
    pub package_id: String,
}

/// A node with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The node.
    pub node: NodeId,
    /// Path without version.
    pub path: String,
    /// Package that has it, or that callers name if the graph has no version of it.
    pub package: String,
    /// Version that has it; of paths that were looked for in a version and not found there, that version.
    pub version: Option<VersionName>,
    /// Place and properties; `None` for paths that were not found.
    pub definition: Option<Definition>,
}

/// Place and properties of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// File in the package.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Conditions of `#[cfg]`.
    pub cfg: Option<String>,
    /// Properties.
    pub attributes: FunctionAttributes,
    /// Kind of the target that it is in.
    pub target: GraphTargetKind,
}

/// A place where one node calls another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallSite {
    /// How sure it is.
    pub certainty: Certainty,
    /// How it calls.
    pub kind: EdgeKind,
    /// Line in the caller's file.
    pub line: u32,
    /// Inside of unsafe code.
    pub in_unsafe: bool,
    /// In the configuration that was asked for when the version was read.
    pub active: bool,
}

/// Bytes that a linked index takes, by purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Neighbours of nodes in both directions, with where each list begins.
    pub adjacency: u64,
    /// Line, kind, certainty, unsafe, activity of calls.
    pub edge_attributes: u64,
    /// Paths and version names with their search automaton, and the nodes of each path.
    pub names: u64,
    /// File, line, attributes, conditions of functions.
    pub functions: u64,
    /// Which implementations a trait's method may run, in both directions.
    pub implementations: u64,
    /// Everything else: versions, their entries and dependencies.
    pub versions: u64,
    /// The whole file.
    pub total: u64,
}

/// A linked graph.
///
/// All questions work on numbers; [`Graph::function`] and [`Graph::version`] say what they stand for.
#[derive(Debug)]
pub struct Graph {
    pub(crate) index: Index,
}

impl Graph {
    pub(crate) fn read(path: &Path) -> Result<Graph, GraphError> {
        Ok(Graph { index: Index::open(path)? })
    }

    /// Opens the linked index of the resolution table `table` of the store in `directory`.
    ///
    /// # Errors
    ///
    /// As [`crate::Store::open`] and [`crate::Store::graph`].
    pub fn open(directory: &Path, table: &str) -> Result<Graph, GraphError> {
        crate::Store::open(directory)?.graph(table)
    }

    /// Compares everything with its checksums.
    ///
    /// # Errors
    ///
    /// When something is damaged.
    pub fn verify(&self) -> Result<(), GraphError> {
        self.index.verify()
    }

    /// Number of functions in versions.
    #[must_use]
    pub fn function_count(&self) -> usize {
        self.index.functions() as usize
    }

    /// Number of nodes: functions, and paths that are called and not found.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.index.nodes() as usize
    }

    /// Number of calls.
    #[must_use]
    pub fn edge_count(&self) -> u64 {
        self.index.counts.edges
    }

    /// All versions.
    pub fn versions(&self) -> impl Iterator<Item = VersionId> + use<> {
        (0..self.index.versions()).map(VersionId)
    }

    /// The node with this number, if there is one.
    #[must_use]
    pub fn node(&self, number: u32) -> Option<NodeId> {
        Some(NodeId(number)).filter(|_| number < self.index.nodes())
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.index.nodes()).map(NodeId)
    }

    /// What a version is called.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn version(&self, version: VersionId) -> Result<VersionName, GraphError> {
        let row = self.index.version(version.0)?;
        let text = |id| self.index.text(id).map(str::to_owned);
        Ok(VersionName {
            id: version,
            number: row.number,
            package: text(row.package)?,
            version: text(row.version)?,
            crate_name: text(row.crate_name)?,
            package_id: text(row.id)?,
        })
    }

    /// What the store knows of a version.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn entry(&self, version: VersionId) -> Result<VersionEntry, GraphError> {
        rmp_serde::from_slice(self.index.entry(version.0)?)
            .map_err(|_| Damage("the entry of a version cannot be read").into())
    }

    /// Functions of a version.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn functions_of(
        &self,
        version: VersionId,
    ) -> Result<impl Iterator<Item = NodeId> + use<>, GraphError> {
        Ok(self.index.functions_of(version.0)?.map(NodeId))
    }

    /// Version of a node.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn version_of(&self, node: NodeId) -> Result<Option<VersionId>, GraphError> {
        Ok(self.index.version_of(node.0)?.map(VersionId))
    }

    /// Path of a node, without version.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn path(&self, node: NodeId) -> Result<String, GraphError> {
        self.index.path(node.0)
    }

    /// Path of a node with the version behind the name of the crate that defines it, `crate@1.2.3::function`, if the
    /// graph has a version of that crate.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn path_with_version(&self, node: NodeId) -> Result<String, GraphError> {
        let path = self.path(node)?;
        let Some(version) = self.index.version_of(node.0)? else { return Ok(path) };
        let row = self.index.version(version)?;
        Ok(with_version(&path, self.index.text(row.crate_name)?, self.index.text(row.version)?))
    }

    /// Attributes of a node; none of them for paths that were not found.
    pub(crate) fn attributes(&self, node: u32) -> FunctionAttributes {
        segment::attributes(self.index.attribute_bits().get(node as usize).copied().unwrap_or(0))
    }

    /// Everything that is known of a node.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn function(&self, node: NodeId) -> Result<Function, GraphError> {
        let version = match self.version_of(node)? {
            Some(version) => Some(self.version(version)?),
            None => None,
        };
        let package = match &version {
            Some(version) => version.package.clone(),
            None => match self.index.phantom(node.0)?.package {
                // The package's name is a text only if some version of the graph has that name or calls it.
                NONE => String::new(),
                text => self.index.text(text)?.to_owned(),
            },
        };
        let definition = if node.0 < self.index.functions() { Some(self.definition(node.0)?) } else { None };
        Ok(Function { node, path: self.path(node)?, package, version, definition })
    }

    fn definition(&self, function: u32) -> Result<Definition, GraphError> {
        let (file, line, condition, bits) = self.index.place(function)?;
        let cfg = if condition == NONE { None } else { Some(self.index.text(condition)?.to_owned()) };
        Ok(Definition {
            file: self.index.text(file)?.to_owned(),
            line,
            cfg,
            attributes: segment::attributes(bits),
            target: segment::target_kind(u32::from(bits >> TARGET_KIND_SHIFT)),
        })
    }

    /// Calls of a node of which no callee is known: where it may lead is not known completely. Counted up to 65,535.
    #[must_use]
    pub fn unresolved_calls(&self, node: NodeId) -> u16 {
        self.index.unresolved(node.0)
    }

    /// What a call of this node may run, if it is a trait's method: its implementations.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn implementations(&self, method: NodeId) -> Result<Vec<NodeId>, GraphError> {
        let nodes = self.index.implementations.of(method.0)?;
        Ok(nodes.iter().filter(|it| **it < self.index.nodes()).map(|it| NodeId(*it)).collect())
    }

    /// Where `caller` calls `callee`, the surest first. Empty when the step between them is that of a trait's method
    /// to an implementation.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn call_sites(&self, caller: NodeId, callee: NodeId) -> Result<Vec<CallSite>, GraphError> {
        let (lines, flags) = self.index.calls(caller.0)?;
        let mut sites = Vec::new();
        for (position, link) in self.index.callees(caller.0)?.enumerate() {
            let link = link?;
            if link.node == callee.0 {
                let (line, flags) = lines.get(position).zip(flags.get(position)).ok_or(MISSING_ATTRIBUTES)?;
                sites.push(call_site(*line, *flags));
            } else if link.node > callee.0 {
                break;
            }
        }
        sites.sort();
        Ok(sites)
    }

    /// How many bytes the linked index takes.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let of = |ids: &[u32]| self.index.section_lengths(ids);
        let adjacency = of(&[
            section::FORWARD_STARTS,
            section::FORWARD_EDGES,
            section::FORWARD,
            section::REVERSE_STARTS,
            section::REVERSE,
        ]);
        let edge_attributes = of(&[section::EDGE_LINES, section::EDGE_FLAGS]);
        let names = of(&[
            section::NAMES,
            section::NAME_STARTS,
            section::NAME_NODES,
            section::NODE_PATHS,
            section::VERSION_KEYS,
        ]);
        let functions = of(&[
            section::FUNCTION_FILES,
            section::FUNCTION_LINES,
            section::FUNCTION_CONDITIONS,
            section::FUNCTION_ATTRIBUTES,
            section::FUNCTION_UNRESOLVED,
            section::PHANTOMS,
        ]);
        let implementations = of(&[
            section::METHODS,
            section::METHOD_STARTS,
            section::METHOD_IMPLEMENTATIONS,
            section::IMPLEMENTATIONS,
            section::IMPLEMENTATION_STARTS,
            section::IMPLEMENTED_METHODS,
        ]);
        let total = self.index.length();
        let counted = adjacency + edge_attributes + names + functions + implementations;
        let versions = total.saturating_sub(counted);
        Sizes { adjacency, edge_attributes, names, functions, implementations, versions, total }
    }
}

/// The lists of neighbours and the columns of calls have different lengths.
pub(crate) const MISSING_ATTRIBUTES: Damage = Damage("a call has no attributes");

pub(crate) fn call_site(line: u32, flags: u8) -> CallSite {
    CallSite {
        certainty: segment::certainty_of(flags),
        kind: segment::kind_of(flags),
        line,
        in_unsafe: segment::in_unsafe(flags),
        active: segment::is_active(flags),
    }
}

/// Puts `@version` behind the name of the defining crate: where a path begins, or behind `as`.
pub(crate) fn with_version(path: &str, crate_name: &str, version: &str) -> String {
    let start = path.find(|it: char| it.is_alphanumeric() || it == '_').unwrap_or(0);
    let traits = path.match_indices(" as ").map(|(position, it)| position + it.len());
    let own = std::iter::once(start).chain(traits).find(|position| {
        path[*position..]
            .strip_prefix(crate_name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    });
    let end = match own {
        Some(position) => position + crate_name.len(),
        // A program of the package has a name of its own.
        None => path[start..].find("::").map_or(path.len(), |it| start + it),
    };
    format!("{}@{version}{}", &path[..end], &path[end..])
}

#[cfg(test)]
mod tests {
    use super::with_version;

    #[test]
    fn versions_stand_behind_the_crate_that_defines() {
        let check = |path, expect| assert_eq!(with_version(path, "a", "1.0.0"), expect);
        check("a::b::c", "a@1.0.0::b::c");
        check("<a::T as std::fmt::Display>::fmt", "<a@1.0.0::T as std::fmt::Display>::fmt");
        check("<ab::T as a::Trait>::f", "<ab::T as a@1.0.0::Trait>::f");
        check("<&[u8] as a::Trait>::f", "<&[u8] as a@1.0.0::Trait>::f");
        check("program::main", "program@1.0.0::main");
        check("a", "a@1.0.0");
        check("", "@1.0.0");
    }
}
