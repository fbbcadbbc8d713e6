//! The linked index of one resolution table, mapped: what questions are answered from.
//!
//! *Nodes* are numbers: first every function of every version of the table, by package name, version and path, then
//! *phantoms*, paths that are called and that no version of the table has (those of `std`, most of them). The index
//! holds copies of all it needs, so it outlives a merge of the segments that it was made from.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytemuck::{Pod, Zeroable};
use cratekeeper_model::graph::{Certainty, EdgeKind, UnresolvedReason};

use crate::error::Damage;
use crate::file::{Column, FileKind, MappedFile};
use crate::query::Bits;
use crate::segment::NONE;
use crate::{GraphError, varint};

pub(crate) mod section {
    pub(crate) const VERSIONS: u32 = 1;
    pub(crate) const TEXT_OFFSETS: u32 = 2;
    pub(crate) const TEXTS: u32 = 3;
    pub(crate) const ENTRY_STARTS: u32 = 4;
    pub(crate) const ENTRIES: u32 = 5;
    pub(crate) const DEPENDENCY_STARTS: u32 = 6;
    pub(crate) const DEPENDENCIES: u32 = 7;
    pub(crate) const DEPENDENT_STARTS: u32 = 8;
    pub(crate) const DEPENDENTS: u32 = 9;
    pub(crate) const NODE_PATHS: u32 = 10;
    pub(crate) const FUNCTION_FILES: u32 = 11;
    pub(crate) const FUNCTION_LINES: u32 = 12;
    pub(crate) const FUNCTION_CONDITIONS: u32 = 13;
    pub(crate) const FUNCTION_ATTRIBUTES: u32 = 14;
    pub(crate) const PHANTOMS: u32 = 15;
    pub(crate) const NAMES: u32 = 16;
    pub(crate) const NAME_STARTS: u32 = 17;
    pub(crate) const NAME_NODES: u32 = 18;
    pub(crate) const VERSION_KEYS: u32 = 19;
    pub(crate) const FORWARD_STARTS: u32 = 20;
    pub(crate) const FORWARD_EDGES: u32 = 21;
    pub(crate) const FORWARD: u32 = 22;
    pub(crate) const EDGE_LINES: u32 = 23;
    pub(crate) const EDGE_FLAGS: u32 = 24;
    pub(crate) const REVERSE_STARTS: u32 = 25;
    pub(crate) const REVERSE: u32 = 26;
    pub(crate) const METHODS: u32 = 27;
    pub(crate) const METHOD_STARTS: u32 = 28;
    pub(crate) const METHOD_IMPLEMENTATIONS: u32 = 29;
    pub(crate) const IMPLEMENTATIONS: u32 = 30;
    pub(crate) const IMPLEMENTATION_STARTS: u32 = 31;
    pub(crate) const IMPLEMENTED_METHODS: u32 = 32;
    pub(crate) const COUNTS: u32 = 33;
    pub(crate) const FUNCTION_UNRESOLVED: u32 = 34;
    pub(crate) const COUNT: usize = 34;
}

/// A version, with numbers of texts; the functions of the next row end those of this one.
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct VersionRow {
    pub(crate) number: u32,
    pub(crate) package: u32,
    pub(crate) crate_name: u32,
    pub(crate) version: u32,
    pub(crate) id: u32,
    pub(crate) function: u32,
}

/// An edge between versions.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct DependencyRow {
    /// Index of the other version.
    pub(crate) version: u32,
    pub(crate) kinds: u32,
}

/// A path that is called and not found.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct PhantomRow {
    /// Index of the version in which the path was looked for, or `NONE`.
    pub(crate) version: u32,
    /// Text: the package that the caller names.
    pub(crate) package: u32,
}

/// Figures that are counted while linking.
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Counts {
    pub(crate) edges: u64,
    pub(crate) active: u64,
    pub(crate) in_unsafe: u64,
    /// To another version or a phantom.
    pub(crate) leaving: u64,
    pub(crate) to_phantoms: u64,
    pub(crate) by_kind: [u64; EdgeKind::ALL.len()],
    pub(crate) by_certainty: [u64; Certainty::ALL.len()],
    pub(crate) unresolved: [u64; UnresolvedReason::ALL.len()],
}

/// Three bits of an edge that walks look at: certainty (2), active (1).
pub(crate) const TAG_BITS: u32 = 3;

/// A neighbour of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) node: u32,
    pub(crate) tag: u8,
}

impl Link {
    pub(crate) fn certainty(self) -> Certainty {
        Certainty::ALL[usize::from(self.tag >> 1 & 3)]
    }

    pub(crate) fn is_active(self) -> bool {
        self.tag & 1 != 0
    }
}

pub(crate) fn tag(certainty: Certainty, active: bool) -> u8 {
    (certainty as u8) << 1 | u8::from(active)
}

/// Appends the neighbours of `node`, sorted by number.
pub(crate) fn encode(out: &mut Vec<u8>, node: u32, links: impl Iterator<Item = Link>) {
    let mut previous = None;
    for link in links {
        let delta = match previous {
            None => varint::zigzag(i64::from(link.node) - i64::from(node)),
            Some(previous) => u64::from(link.node - previous),
        };
        varint::write(out, delta << TAG_BITS | u64::from(link.tag));
        previous = Some(link.node);
    }
}

/// Neighbours of a node, decoded one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Links<'a> {
    bytes: &'a [u8],
    previous: i64,
    first: bool,
    nodes: u32,
}

impl<'a> Links<'a> {
    /// `nodes` is the number of nodes: a neighbour behind it is damage.
    pub(crate) fn new(bytes: &'a [u8], node: u32, nodes: u32) -> Links<'a> {
        Links { bytes, previous: i64::from(node), first: true, nodes }
    }
}

impl Iterator for Links<'_> {
    type Item = Result<Link, Damage>;

    #[inline]
    fn next(&mut self) -> Option<Result<Link, Damage>> {
        if self.bytes.is_empty() {
            return None;
        }
        let Some(value) = varint::read(&mut self.bytes) else {
            self.bytes = &[];
            return Some(Err(Damage("a list of neighbours breaks off")));
        };
        let delta = value >> TAG_BITS;
        let delta = if self.first { varint::unzigzag(delta) } else { delta as i64 };
        self.first = false;
        self.previous = self.previous.wrapping_add(delta);
        if self.previous < 0 || self.previous >= i64::from(self.nodes) {
            self.bytes = &[];
            return Some(Err(Damage("a neighbour is not a node")));
        }
        Some(Ok(Link { node: self.previous as u32, tag: (value & 7) as u8 }))
    }
}

/// Compressed sparse rows over few of the nodes.
#[derive(Debug)]
pub(crate) struct SparseRows {
    keys: Column<u32>,
    starts: Column<u32>,
    values: Column<u32>,
    /// Which nodes are keys. Made when first asked: walks ask at every node, and few nodes are.
    present: OnceLock<Bits>,
}

impl SparseRows {
    fn open(file: &Arc<MappedFile>, ids: [u32; 3]) -> Result<SparseRows, GraphError> {
        let rows = SparseRows {
            keys: file.column(ids[0])?,
            starts: file.column(ids[1])?,
            values: file.column(ids[2])?,
            present: OnceLock::new(),
        };
        if rows.starts.values().len() != rows.keys.values().len() + 1 {
            return Err(file.damaged("the columns of implementations do not fit together"));
        }
        Ok(rows)
    }

    /// Values of a node.
    pub(crate) fn of(&self, node: u32) -> Result<&[u32], Damage> {
        let present = self.present.get_or_init(|| {
            let mut bits = Bits::new(self.keys.values().last().map_or(0, |it| it.saturating_add(1)));
            for key in self.keys.values() {
                bits.insert(*key);
            }
            bits
        });
        if !present.contains(node) {
            return Ok(&[]);
        }
        let Ok(row) = self.keys.values().binary_search(&node) else { return Ok(&[]) };
        range(self.starts.values(), self.values.values(), row)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.values().len()
    }

    /// Whether all keys are nodes, as far as the last one tells.
    fn is_below(&self, nodes: u32) -> bool {
        self.keys.values().last().is_none_or(|it| *it < nodes)
    }
}

fn range<'a, T>(starts: &[u32], values: &'a [T], row: usize) -> Result<&'a [T], Damage> {
    match (starts.get(row), starts.get(row + 1)) {
        (Some(&start), Some(&end)) => values.get(start as usize..end as usize),
        _ => None,
    }
    .ok_or(Damage("a row lies outside of its column"))
}

fn at<T: Copy>(values: &[T], index: u32) -> Result<T, Damage> {
    values.get(index as usize).copied().ok_or(Damage("a reference leads behind the end of a column"))
}

/// A linked index that is open for reading.
#[derive(Debug)]
pub(crate) struct Index {
    file: Arc<MappedFile>,
    versions: Column<VersionRow>,
    text_offsets: Column<u32>,
    texts: Column<u8>,
    entry_starts: Column<u64>,
    entries: Column<u8>,
    dependency_starts: Column<u32>,
    dependencies: Column<DependencyRow>,
    dependent_starts: Column<u32>,
    dependents: Column<DependencyRow>,
    node_paths: Column<u32>,
    files: Column<u32>,
    lines: Column<u32>,
    conditions: Column<u32>,
    attributes: Column<u16>,
    unresolved: Column<u16>,
    phantoms: Column<PhantomRow>,
    names: Column<u8>,
    name_starts: Column<u32>,
    name_nodes: Column<u32>,
    version_keys: Column<u8>,
    forward_starts: Column<u64>,
    forward_edges: Column<u32>,
    forward: Column<u8>,
    edge_lines: Column<u32>,
    edge_flags: Column<u8>,
    reverse_starts: Column<u64>,
    reverse: Column<u8>,
    pub(crate) implementations: SparseRows,
    pub(crate) implemented: SparseRows,
    pub(crate) counts: Counts,
    functions: u32,
    nodes: u32,
    names_checked: OnceLock<bool>,
}

impl Index {
    pub(crate) fn open(path: &Path) -> Result<Index, GraphError> {
        let file = MappedFile::open(path, FileKind::Linked)?;
        let versions = file.column::<VersionRow>(section::VERSIONS)?;
        let node_paths = file.column::<u32>(section::NODE_PATHS)?;
        let counts = file.column::<Counts>(section::COUNTS)?;
        counts.verify()?;
        let implementations = [section::METHODS, section::METHOD_STARTS, section::METHOD_IMPLEMENTATIONS];
        let implemented =
            [section::IMPLEMENTATIONS, section::IMPLEMENTATION_STARTS, section::IMPLEMENTED_METHODS];
        let index = Index {
            functions: versions.values().last().map_or(0, |it| it.function),
            nodes: node_paths.values().len() as u32,
            text_offsets: file.column(section::TEXT_OFFSETS)?,
            texts: file.column(section::TEXTS)?,
            entry_starts: file.column(section::ENTRY_STARTS)?,
            entries: file.column(section::ENTRIES)?,
            dependency_starts: file.column(section::DEPENDENCY_STARTS)?,
            dependencies: file.column(section::DEPENDENCIES)?,
            dependent_starts: file.column(section::DEPENDENT_STARTS)?,
            dependents: file.column(section::DEPENDENTS)?,
            files: file.column(section::FUNCTION_FILES)?,
            lines: file.column(section::FUNCTION_LINES)?,
            conditions: file.column(section::FUNCTION_CONDITIONS)?,
            attributes: file.column(section::FUNCTION_ATTRIBUTES)?,
            unresolved: file.column(section::FUNCTION_UNRESOLVED)?,
            phantoms: file.column(section::PHANTOMS)?,
            names: file.column(section::NAMES)?,
            name_starts: file.column(section::NAME_STARTS)?,
            name_nodes: file.column(section::NAME_NODES)?,
            version_keys: file.column(section::VERSION_KEYS)?,
            forward_starts: file.column(section::FORWARD_STARTS)?,
            forward_edges: file.column(section::FORWARD_EDGES)?,
            forward: file.column(section::FORWARD)?,
            edge_lines: file.column(section::EDGE_LINES)?,
            edge_flags: file.column(section::EDGE_FLAGS)?,
            reverse_starts: file.column(section::REVERSE_STARTS)?,
            reverse: file.column(section::REVERSE)?,
            implementations: SparseRows::open(&file, implementations)?,
            implemented: SparseRows::open(&file, implemented)?,
            counts: counts.values().first().copied().unwrap_or_default(),
            names_checked: OnceLock::new(),
            versions,
            node_paths,
            file,
        };
        index.check_lengths()?;
        Ok(index)
    }

    /// Whether the columns have the lengths that their relations require.
    fn check_lengths(&self) -> Result<(), GraphError> {
        let functions = self.functions as usize;
        let versions = self.versions.values().len();
        let edges = self.edge_lines.values().len();
        let fits = versions > 0
            && self.nodes as usize == functions.saturating_add(self.phantoms.values().len())
            && [&self.files, &self.lines, &self.conditions].iter().all(|it| it.values().len() == functions)
            && self.attributes.values().len() == functions
            && self.unresolved.values().len() == functions
            && self.forward_starts.values().len() == functions + 1
            && self.forward_edges.values().len() == functions + 1
            && self.reverse_starts.values().len() == self.nodes as usize + 1
            && self.edge_flags.values().len() == edges
            && self.implementations.is_below(self.nodes)
            && self.implemented.is_below(self.nodes)
            && self.entry_starts.values().len() == versions
            && self.dependency_starts.values().len() == versions
            && self.dependent_starts.values().len() == versions;
        if fits { Ok(()) } else { Err(self.file.damaged("its columns do not fit together")) }
    }

    pub(crate) fn verify(&self) -> Result<(), GraphError> {
        self.file.verify()
    }

    /// Length of the file in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.file.length()
    }

    /// Lengths of some sections together.
    pub(crate) fn section_lengths(&self, ids: &[u32]) -> u64 {
        ids.iter().map(|it| self.file.section_length(*it)).sum()
    }

    /// Number of nodes: functions and phantoms.
    pub(crate) fn nodes(&self) -> u32 {
        self.nodes
    }

    /// Number of functions; nodes from here on are phantoms.
    pub(crate) fn functions(&self) -> u32 {
        self.functions
    }

    /// Number of versions.
    pub(crate) fn versions(&self) -> u32 {
        self.versions.values().len() as u32 - 1
    }

    pub(crate) fn version(&self, version: u32) -> Result<VersionRow, Damage> {
        if version >= self.versions() {
            return Err(Damage("a reference leads behind the last version"));
        }
        at(self.versions.values(), version)
    }

    /// Functions of a version.
    pub(crate) fn functions_of(&self, version: u32) -> Result<std::ops::Range<u32>, Damage> {
        let start = self.version(version)?.function;
        let end = at(self.versions.values(), version + 1)?.function;
        if start > end || end > self.functions {
            return Err(Damage("the functions of a version lie outside of their column"));
        }
        Ok(start..end)
    }

    /// Version that a node belongs to; `None` for phantoms of packages that the table does not have.
    pub(crate) fn version_of(&self, node: u32) -> Result<Option<u32>, Damage> {
        if node >= self.functions {
            let version = self.phantom(node)?.version;
            return Ok(Some(version).filter(|it| *it != NONE));
        }
        let row = self.versions.values().partition_point(|it| it.function <= node);
        row.checked_sub(1).map(|it| Some(it as u32)).ok_or(Damage("a function has no version"))
    }

    pub(crate) fn phantom(&self, node: u32) -> Result<PhantomRow, Damage> {
        at(self.phantoms.values(), node.wrapping_sub(self.functions))
    }

    /// Number of texts: names of packages, versions, files, conditions.
    pub(crate) fn texts(&self) -> u32 {
        self.text_offsets.values().len() as u32
    }

    pub(crate) fn text(&self, text: u32) -> Result<&str, Damage> {
        let found = range(self.text_offsets.values(), self.texts.values(), text as usize)?;
        std::str::from_utf8(found).map_err(|_| Damage("a text is not UTF-8"))
    }

    pub(crate) fn entry(&self, version: u32) -> Result<&[u8], Damage> {
        let starts = self.entry_starts.values();
        let (start, end) = (at(starts, version)?, at(starts, version.saturating_add(1))?);
        self.entries
            .values()
            .get(start as usize..end as usize)
            .ok_or(Damage("an entry lies outside of its column"))
    }

    pub(crate) fn dependencies(&self, version: u32) -> Result<&[DependencyRow], Damage> {
        range(self.dependency_starts.values(), self.dependencies.values(), version as usize)
    }

    pub(crate) fn dependents(&self, version: u32) -> Result<&[DependencyRow], Damage> {
        range(self.dependent_starts.values(), self.dependents.values(), version as usize)
    }

    /// Number of a node's path, in the order of all paths.
    pub(crate) fn path_number(&self, node: u32) -> Result<u32, Damage> {
        at(self.node_paths.values(), node)
    }

    /// Number of the file's text, line, number of the condition's text or `NONE`, attributes.
    pub(crate) fn place(&self, function: u32) -> Result<(u32, u32, u32, u16), Damage> {
        Ok((
            at(self.files.values(), function)?,
            at(self.lines.values(), function)?,
            at(self.conditions.values(), function)?,
            at(self.attributes.values(), function)?,
        ))
    }

    pub(crate) fn attribute_bits(&self) -> &[u16] {
        self.attributes.values()
    }

    /// Calls of a function of which no callee is known; 0 for phantoms.
    pub(crate) fn unresolved(&self, node: u32) -> u16 {
        self.unresolved.values().get(node as usize).copied().unwrap_or(0)
    }

    /// Nodes with a path, by its number.
    pub(crate) fn nodes_of_path(&self, path: u32) -> Result<&[u32], Damage> {
        range(self.name_starts.values(), self.name_nodes.values(), path as usize)
    }

    /// All paths. The transducer trusts its bytes, so their checksum is compared before the first use.
    pub(crate) fn names(&self) -> Result<fst::Map<&[u8]>, GraphError> {
        if !*self
            .names_checked
            .get_or_init(|| self.names.verify().is_ok() && self.version_keys.verify().is_ok())
        {
            return Err(self.file.damaged("the checksum of its names is wrong"));
        }
        fst::Map::new(self.names.values()).map_err(|it| self.file.damaged(it.to_string()))
    }

    /// `package@version` of all versions, with the index of the first version of that text.
    pub(crate) fn version_keys(&self) -> Result<fst::Map<&[u8]>, GraphError> {
        self.names()?;
        fst::Map::new(self.version_keys.values()).map_err(|it| self.file.damaged(it.to_string()))
    }

    /// Path of a node.
    pub(crate) fn path(&self, node: u32) -> Result<String, GraphError> {
        self.path_text(self.path_number(node)?)
    }

    /// A path by its number.
    pub(crate) fn path_text(&self, number: u32) -> Result<String, GraphError> {
        let names = self.names()?;
        let mut path = Vec::new();
        if !names.as_fst().get_key_into(u64::from(number), &mut path) {
            return Err(Damage("a path is not among the names").into());
        }
        String::from_utf8(path).map_err(|_| Damage("a path is not UTF-8").into())
    }

    /// What a node calls.
    #[inline]
    pub(crate) fn callees(&self, node: u32) -> Result<Links<'_>, Damage> {
        if node >= self.functions {
            return Ok(Links::new(&[], node, self.nodes));
        }
        self.links(&self.forward_starts, &self.forward, node)
    }

    /// What calls a node: one link for each caller, certainty and whether it is active.
    #[inline]
    pub(crate) fn callers(&self, node: u32) -> Result<Links<'_>, Damage> {
        self.links(&self.reverse_starts, &self.reverse, node)
    }

    #[inline]
    fn links<'a>(
        &'a self,
        starts: &Column<u64>,
        bytes: &'a Column<u8>,
        node: u32,
    ) -> Result<Links<'a>, Damage> {
        let starts = starts.values();
        let bounds = starts.get(node as usize).zip(starts.get(node as usize + 1));
        let bytes = bounds.and_then(|(start, end)| bytes.values().get(*start as usize..*end as usize));
        Ok(Links::new(
            bytes.ok_or(Damage("a list of neighbours lies outside of its column"))?,
            node,
            self.nodes,
        ))
    }

    /// Lines and flags of what a node calls, in the order of [`Index::callees`].
    pub(crate) fn calls(&self, node: u32) -> Result<(&[u32], &[u8]), Damage> {
        if node >= self.functions {
            return Ok((&[], &[]));
        }
        let starts = self.forward_edges.values();
        let row = node as usize;
        Ok((range(starts, self.edge_lines.values(), row)?, range(starts, self.edge_flags.values(), row)?))
    }
}
