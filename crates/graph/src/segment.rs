//! Segments: functions of some versions and their symbolic calls, as columns in one file.
//!
//! A call into another crate is the pair of that crate's package and a path, never a version. So a segment is written
//! once and stays as it is whatever is published later. All numbers in the columns of a version count from that
//! version's first row, so that versions can be copied from one segment into another.

mod builder;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use cratekeeper_model::graph::{
    CallEdge, CallGraph, Callee, Certainty, EdgeKind, ExternalCrate, FunctionAttributes, FunctionNode,
    GraphTarget, GraphTargetKind, UnresolvedCall, UnresolvedReason,
};

use crate::file::{Column, FileKind, MappedFile};
use crate::{GraphError, VersionEntry};

pub(crate) use builder::SegmentBuilder;

/// Stands for "no text" where a text is optional.
pub(crate) const NONE: u32 = u32::MAX;

/// Set in a callee that is a row of the symbolic targets instead of a function.
pub(crate) const SYMBOLIC: u32 = 1 << 31;

/// Number of a version in its store: given when it is appended, kept when segments are merged.
pub type VersionNumber = u32;

mod section {
    pub(super) const VERSIONS: u32 = 1;
    pub(super) const ENTRIES: u32 = 2;
    pub(super) const STRING_OFFSETS: u32 = 3;
    pub(super) const STRINGS: u32 = 4;
    pub(super) const TARGETS: u32 = 5;
    pub(super) const FILES: u32 = 6;
    pub(super) const EXTERNALS: u32 = 7;
    pub(super) const EXTERNAL_PATHS: u32 = 8;
    pub(super) const FUNCTIONS: u32 = 9;
    pub(super) const SYMBOLS: u32 = 10;
    pub(super) const EDGES: u32 = 11;
    pub(super) const EDGE_FLAGS: u32 = 12;
    pub(super) const IMPLEMENTATIONS: u32 = 13;
    pub(super) const UNRESOLVED: u32 = 14;
    pub(super) const PROBLEMS: u32 = 15;
    pub(super) const COUNT: usize = 15;
}

/// Where a version's rows begin in each column; they end where those of the next row begin.
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct VersionRow {
    pub(crate) number: u32,
    pub(crate) package_id: u32,
    pub(crate) package: u32,
    pub(crate) crate_name: u32,
    entry: u32,
    target: u32,
    file: u32,
    external: u32,
    external_path: u32,
    function: u32,
    symbol: u32,
    edge: u32,
    implementation: u32,
    unresolved: u32,
    problem: u32,
    reserved: u32,
}

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct TargetRow {
    kind: u32,
    name: u32,
}

/// An [`ExternalCrate`]: texts.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct ExternalRow {
    pub(crate) package: u32,
    pub(crate) seen: u32,
    pub(crate) crate_name: u32,
}

/// A [`FunctionNode`].
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct FunctionRow {
    pub(crate) path: u32,
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) cfg: u32,
    pub(crate) target: u16,
    pub(crate) attributes: u16,
}

/// A function of another crate: external crate and external path of the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct SymbolRow {
    pub(crate) external: u32,
    pub(crate) path: u32,
}

/// A [`CallEdge`] without its flags.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct EdgeRow {
    pub(crate) caller: u32,
    pub(crate) callee: u32,
    pub(crate) line: u32,
}

/// Method of a trait, method of an implementation.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct ImplementationRow {
    pub(crate) method: u32,
    pub(crate) function: u32,
}

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct UnresolvedRow {
    caller: u32,
    line: u32,
    callee: u32,
    reason: u32,
}

/// Bits of an edge: kind (3), certainty (2), in unsafe (1), active (1).
pub(crate) fn edge_flags(edge: &CallEdge) -> u8 {
    edge.kind as u8 | (edge.certainty as u8) << 3 | u8::from(edge.in_unsafe) << 5 | u8::from(edge.active) << 6
}

/// Kind in the bits of an edge; a number without meaning is a call.
pub(crate) fn kind_of(flags: u8) -> EdgeKind {
    EdgeKind::ALL.get(usize::from(flags & 7)).copied().unwrap_or(EdgeKind::Call)
}

/// Certainty in the bits of an edge.
pub(crate) fn certainty_of(flags: u8) -> Certainty {
    Certainty::ALL[usize::from(flags >> 3 & 3)]
}

pub(crate) fn in_unsafe(flags: u8) -> bool {
    flags & 1 << 5 != 0
}

pub(crate) fn is_active(flags: u8) -> bool {
    flags & 1 << 6 != 0
}

/// Kinds of targets, in the order of their numbers in stores.
const TARGET_KINDS: [GraphTargetKind; 5] = [
    GraphTargetKind::Lib,
    GraphTargetKind::ProcMacro,
    GraphTargetKind::Bin,
    GraphTargetKind::BuildScript,
    GraphTargetKind::Test,
];

pub(crate) fn target_kind(number: u32) -> GraphTargetKind {
    TARGET_KINDS.get(number as usize).copied().unwrap_or(GraphTargetKind::Lib)
}

fn target_kind_number(kind: GraphTargetKind) -> u32 {
    TARGET_KINDS.iter().position(|it| *it == kind).unwrap_or(0) as u32
}

/// Attributes as bits, in the order of the fields.
pub(crate) fn attribute_bits(it: FunctionAttributes) -> u16 {
    [
        it.is_unsafe,
        it.uses_unsafe,
        it.foreign,
        it.exported_to_linker,
        it.in_trait,
        it.in_trait_impl,
        it.has_body,
        it.derived,
        it.public,
        it.active,
        it.test,
        it.constant,
    ]
    .into_iter()
    .enumerate()
    .fold(0, |bits, (position, set)| bits | u16::from(set) << position)
}

/// The reverse of [`attribute_bits`].
pub(crate) fn attributes(bits: u16) -> FunctionAttributes {
    let set = |position: u32| bits & 1 << position != 0;
    FunctionAttributes {
        is_unsafe: set(0),
        uses_unsafe: set(1),
        foreign: set(2),
        exported_to_linker: set(3),
        in_trait: set(4),
        in_trait_impl: set(5),
        has_body: set(6),
        derived: set(7),
        public: set(8),
        active: set(9),
        test: set(10),
        constant: set(11),
    }
}

/// A segment that is open for reading.
#[derive(Debug)]
pub(crate) struct Segment {
    file: Arc<MappedFile>,
    versions: Column<VersionRow>,
    entries: Column<u8>,
    string_offsets: Column<u32>,
    strings: Column<u8>,
    targets: Column<TargetRow>,
    files: Column<u32>,
    externals: Column<ExternalRow>,
    external_paths: Column<u32>,
    functions: Column<FunctionRow>,
    symbols: Column<SymbolRow>,
    edges: Column<EdgeRow>,
    edge_flags: Column<u8>,
    implementations: Column<ImplementationRow>,
    unresolved: Column<UnresolvedRow>,
    problems: Column<u32>,
}

impl Segment {
    pub(crate) fn open(path: &Path) -> Result<Segment, GraphError> {
        let file = MappedFile::open(path, FileKind::Segment)?;
        let segment = Segment {
            versions: file.column(section::VERSIONS)?,
            entries: file.column(section::ENTRIES)?,
            string_offsets: file.column(section::STRING_OFFSETS)?,
            strings: file.column(section::STRINGS)?,
            targets: file.column(section::TARGETS)?,
            files: file.column(section::FILES)?,
            externals: file.column(section::EXTERNALS)?,
            external_paths: file.column(section::EXTERNAL_PATHS)?,
            functions: file.column(section::FUNCTIONS)?,
            symbols: file.column(section::SYMBOLS)?,
            edges: file.column(section::EDGES)?,
            edge_flags: file.column(section::EDGE_FLAGS)?,
            implementations: file.column(section::IMPLEMENTATIONS)?,
            unresolved: file.column(section::UNRESOLVED)?,
            problems: file.column(section::PROBLEMS)?,
            file,
        };
        if segment.versions.values().is_empty()
            || segment.edges.values().len() != segment.edge_flags.values().len()
        {
            return Err(segment.file.damaged("its columns do not fit together"));
        }
        Ok(segment)
    }

    /// Compares all content with its checksums.
    pub(crate) fn verify(&self) -> Result<(), GraphError> {
        self.file.verify()
    }

    /// Versions in it. The last row only says where the rows of the last version end.
    pub(crate) fn len(&self) -> usize {
        self.versions.values().len() - 1
    }

    pub(crate) fn damaged(&self, reason: &'static str) -> GraphError {
        self.file.damaged(reason)
    }

    /// Texts in the table.
    pub(crate) fn text_count(&self) -> usize {
        self.string_offsets.values().len().saturating_sub(1)
    }

    /// A text by its number.
    pub(crate) fn text(&self, id: u32) -> Result<&str, GraphError> {
        let offsets = self.string_offsets.values();
        let id = id as usize;
        let found = match (offsets.get(id), offsets.get(id.wrapping_add(1))) {
            (Some(&start), Some(&end)) => self.strings.values().get(start as usize..end as usize),
            _ => None,
        };
        found
            .and_then(|it| std::str::from_utf8(it).ok())
            .ok_or_else(|| self.damaged("a text is not where it should be"))
    }

    fn optional_text(&self, id: u32) -> Result<Option<String>, GraphError> {
        if id == NONE { Ok(None) } else { self.text(id).map(|it| Some(it.to_owned())) }
    }

    pub(crate) fn version(&self, index: usize) -> Result<SegmentVersion<'_>, GraphError> {
        match self.versions.values().get(index..index.saturating_add(2)) {
            Some([row, next]) => Ok(SegmentVersion { segment: self, row: *row, next: *next }),
            _ => Err(self.damaged("a version is not where it should be")),
        }
    }
}

/// A version in a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentVersion<'a> {
    segment: &'a Segment,
    pub(crate) row: VersionRow,
    next: VersionRow,
}

impl<'a> SegmentVersion<'a> {
    fn slice<T>(&self, values: &'a [T], rows: Range<u32>) -> Result<&'a [T], GraphError> {
        values
            .get(rows.start as usize..rows.end as usize)
            .ok_or_else(|| self.segment.damaged("the rows of a version lie outside of their column"))
    }

    pub(crate) fn functions(&self) -> Result<&'a [FunctionRow], GraphError> {
        self.slice(self.segment.functions.values(), self.row.function..self.next.function)
    }

    pub(crate) fn files(&self) -> Result<&'a [u32], GraphError> {
        self.slice(self.segment.files.values(), self.row.file..self.next.file)
    }

    pub(crate) fn externals(&self) -> Result<&'a [ExternalRow], GraphError> {
        self.slice(self.segment.externals.values(), self.row.external..self.next.external)
    }

    pub(crate) fn external_paths(&self) -> Result<&'a [u32], GraphError> {
        self.slice(self.segment.external_paths.values(), self.row.external_path..self.next.external_path)
    }

    pub(crate) fn symbols(&self) -> Result<&'a [SymbolRow], GraphError> {
        self.slice(self.segment.symbols.values(), self.row.symbol..self.next.symbol)
    }

    pub(crate) fn edges(&self) -> Result<&'a [EdgeRow], GraphError> {
        self.slice(self.segment.edges.values(), self.row.edge..self.next.edge)
    }

    pub(crate) fn edge_flags(&self) -> Result<&'a [u8], GraphError> {
        self.slice(self.segment.edge_flags.values(), self.row.edge..self.next.edge)
    }

    pub(crate) fn implementations(&self) -> Result<&'a [ImplementationRow], GraphError> {
        let rows = self.row.implementation..self.next.implementation;
        self.slice(self.segment.implementations.values(), rows)
    }

    /// How many calls of each function are unresolved, up to 65,535.
    pub(crate) fn unresolved_by_function(&self) -> Result<Vec<u16>, GraphError> {
        let mut counts = vec![0_u16; self.functions()?.len()];
        let rows = self.slice(self.segment.unresolved.values(), self.row.unresolved..self.next.unresolved)?;
        for row in rows {
            if let Some(count) = counts.get_mut(row.caller as usize) {
                *count = count.saturating_add(1);
            }
        }
        Ok(counts)
    }

    /// How many calls are unresolved, by reason.
    pub(crate) fn unresolved_counts(&self) -> Result<[u64; UnresolvedReason::ALL.len()], GraphError> {
        let mut counts = [0; UnresolvedReason::ALL.len()];
        let rows = self.slice(self.segment.unresolved.values(), self.row.unresolved..self.next.unresolved)?;
        for row in rows {
            if let Some(count) = counts.get_mut(row.reason as usize) {
                *count += 1;
            }
        }
        Ok(counts)
    }

    /// Kind of each target of the package.
    pub(crate) fn target_kinds(&self) -> Result<Vec<u16>, GraphError> {
        let rows = self.slice(self.segment.targets.values(), self.row.target..self.next.target)?;
        Ok(rows.iter().map(|it| it.kind as u16).collect())
    }

    /// The entry as it is stored.
    pub(crate) fn entry_bytes(&self) -> Result<&'a [u8], GraphError> {
        self.slice(self.segment.entries.values(), self.row.entry..self.next.entry)
    }

    pub(crate) fn entry(&self) -> Result<VersionEntry, GraphError> {
        rmp_serde::from_slice(self.entry_bytes()?)
            .map_err(|_| self.segment.damaged("the entry of a version cannot be read"))
    }

    fn texts(&self, ids: &[u32]) -> Result<Vec<String>, GraphError> {
        ids.iter().map(|it| self.segment.text(*it).map(str::to_owned)).collect()
    }

    fn callee(&self, number: u32) -> Result<Callee, GraphError> {
        if number & SYMBOLIC == 0 {
            return Ok(Callee::Local(number));
        }
        let symbol = self.symbols()?.get((number & !SYMBOLIC) as usize);
        let symbol = symbol.ok_or_else(|| self.segment.damaged("a callee is not where it should be"))?;
        Ok(Callee::External { krate: symbol.external, path: symbol.path })
    }

    /// The call graph as it was appended, its edges sorted by caller.
    pub(crate) fn graph(&self) -> Result<CallGraph, GraphError> {
        let segment = self.segment;
        let text = |id| segment.text(id).map(str::to_owned);
        let targets = self.slice(segment.targets.values(), self.row.target..self.next.target)?;
        let unresolved =
            self.slice(segment.unresolved.values(), self.row.unresolved..self.next.unresolved)?;
        let function = |row: &FunctionRow| {
            Ok(FunctionNode {
                path: text(row.path)?,
                target: row.target,
                file: row.file,
                line: row.line,
                attributes: attributes(row.attributes),
                cfg: segment.optional_text(row.cfg)?,
            })
        };
        let edge = |(row, flags): (&EdgeRow, &u8)| {
            Ok(CallEdge {
                caller: row.caller,
                callee: self.callee(row.callee)?,
                kind: kind_of(*flags),
                certainty: certainty_of(*flags),
                line: row.line,
                in_unsafe: in_unsafe(*flags),
                active: is_active(*flags),
            })
        };
        let external = |row: &ExternalRow| {
            Ok(ExternalCrate {
                package: text(row.package)?,
                seen: segment.optional_text(row.seen)?,
                crate_name: text(row.crate_name)?,
            })
        };
        let unresolved_call = |row: &UnresolvedRow| {
            Ok(UnresolvedCall {
                caller: row.caller,
                line: row.line,
                callee: text(row.callee)?,
                reason: UnresolvedReason::ALL
                    .get(row.reason as usize)
                    .copied()
                    .unwrap_or(UnresolvedReason::PathNotFound),
            })
        };
        let all = |rows: Range<u32>, values| self.texts(self.slice(values, rows)?);
        Ok(CallGraph {
            crate_name: text(self.row.crate_name)?,
            targets: targets
                .iter()
                .map(|it| Ok(GraphTarget { kind: target_kind(it.kind), name: text(it.name)? }))
                .collect::<Result<_, GraphError>>()?,
            files: self.texts(self.files()?)?,
            functions: self.functions()?.iter().map(function).collect::<Result<_, GraphError>>()?,
            externals: self.externals()?.iter().map(external).collect::<Result<_, GraphError>>()?,
            external_paths: self.texts(self.external_paths()?)?,
            edges: self
                .edges()?
                .iter()
                .zip(self.edge_flags()?)
                .map(edge)
                .collect::<Result<_, GraphError>>()?,
            implementations: self
                .implementations()?
                .iter()
                .map(|it| Ok((self.callee(it.method)?, it.function)))
                .collect::<Result<_, GraphError>>()?,
            unresolved: unresolved.iter().map(unresolved_call).collect::<Result<_, GraphError>>()?,
            problems: all(self.row.problem..self.next.problem, segment.problems.values())?,
        })
    }
}
