//! Puts a segment together in memory and writes it.
//!
//! A segment is held in memory until it is written, so [`SegmentBuilder::is_full`] says when to start the next one.

use std::collections::HashMap;
use std::path::Path;

use cratekeeper_model::graph::{CallGraph, Callee};

use super::{
    EdgeRow, ExternalRow, FunctionRow, ImplementationRow, NONE, SYMBOLIC, SymbolRow, TargetRow,
    UnresolvedRow, VersionRow, attribute_bits, edge_flags, section, target_kind_number,
};
use crate::file::{FileKind, FileWriter};
use crate::interner::Interner;
use crate::{GraphError, VersionEntry, VersionNumber};

/// Edges after which a segment is written: some 30 MB, which takes a fraction of a second.
const FULL_EDGES: usize = 1 << 20;
/// Versions after which a segment is written, so that lists of tiny versions stay bounded too.
const FULL_VERSIONS: usize = 1 << 14;
/// Bytes of text after which a segment is written.
const FULL_TEXT: usize = 1 << 28;
/// Functions, edges or texts of one version; more are an attack, and would not fit the columns.
const MOST_OF_ONE_VERSION: usize = 1 << 28;

#[derive(Default)]
pub(crate) struct SegmentBuilder {
    strings: Interner,
    versions: Vec<VersionRow>,
    entries: Vec<u8>,
    targets: Vec<TargetRow>,
    files: Vec<u32>,
    externals: Vec<ExternalRow>,
    external_paths: Vec<u32>,
    functions: Vec<FunctionRow>,
    symbols: Vec<SymbolRow>,
    edges: Vec<EdgeRow>,
    edge_flags: Vec<u8>,
    implementations: Vec<ImplementationRow>,
    unresolved: Vec<UnresolvedRow>,
    problems: Vec<u32>,
}

impl SegmentBuilder {
    pub(crate) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.edges.len() + self.functions.len() + self.symbols.len() >= FULL_EDGES
            || self.versions.len() >= FULL_VERSIONS
            || self.strings.text_length() + self.entries.len() >= FULL_TEXT
    }

    pub(crate) fn len(&self) -> usize {
        self.versions.len()
    }

    pub(crate) fn edge_count(&self) -> usize {
        self.edges.len()
    }

    fn text(&mut self, text: &str) -> u32 {
        self.strings.intern(text.as_bytes())
    }

    fn next_row(&self) -> VersionRow {
        VersionRow {
            entry: self.entries.len() as u32,
            target: self.targets.len() as u32,
            file: self.files.len() as u32,
            external: self.externals.len() as u32,
            external_path: self.external_paths.len() as u32,
            function: self.functions.len() as u32,
            symbol: self.symbols.len() as u32,
            edge: self.edges.len() as u32,
            implementation: self.implementations.len() as u32,
            unresolved: self.unresolved.len() as u32,
            problem: self.problems.len() as u32,
            ..VersionRow::default()
        }
    }

    /// Adds a version.
    pub(crate) fn push(
        &mut self,
        number: VersionNumber,
        entry: &VersionEntry,
        graph: &CallGraph,
    ) -> Result<(), GraphError> {
        check(entry, graph)?;
        let row = VersionRow {
            number,
            package_id: self.text(entry.id.as_str()),
            package: self.text(&entry.name),
            crate_name: self.text(&graph.crate_name),
            ..self.next_row()
        };
        self.versions.push(row);
        let encoded = rmp_serde::to_vec(entry).map_err(|_| GraphError::TooLarge { what: "fields" })?;
        self.entries.extend(encoded);
        self.push_nodes(graph);
        self.push_edges(graph);
        for problem in &graph.problems {
            let problem = self.text(problem);
            self.problems.push(problem);
        }
        Ok(())
    }

    fn push_nodes(&mut self, graph: &CallGraph) {
        for target in &graph.targets {
            let row = TargetRow { kind: target_kind_number(target.kind), name: self.text(&target.name) };
            self.targets.push(row);
        }
        for file in &graph.files {
            let file = self.text(file);
            self.files.push(file);
        }
        for external in &graph.externals {
            let row = ExternalRow {
                package: self.text(&external.package),
                seen: external.seen.as_deref().map_or(NONE, |it| self.text(it)),
                crate_name: self.text(&external.crate_name),
            };
            self.externals.push(row);
        }
        for path in &graph.external_paths {
            let path = self.text(path);
            self.external_paths.push(path);
        }
        for function in &graph.functions {
            let row = FunctionRow {
                path: self.text(&function.path),
                file: function.file,
                line: function.line,
                cfg: function.cfg.as_deref().map_or(NONE, |it| self.text(it)),
                target: function.target,
                attributes: attribute_bits(function.attributes),
            };
            self.functions.push(row);
        }
    }

    fn push_edges(&mut self, graph: &CallGraph) {
        let mut symbols: HashMap<SymbolRow, u32> = HashMap::new();
        let mut rows = Vec::new();
        let mut callee = |callee: Callee| match callee {
            Callee::Local(function) => function,
            Callee::External { krate, path } => {
                let symbol = SymbolRow { external: krate, path };
                SYMBOLIC
                    | *symbols.entry(symbol).or_insert_with(|| {
                        rows.push(symbol);
                        rows.len() as u32 - 1
                    })
            }
        };
        let mut order: Vec<u32> = (0..graph.edges.len() as u32).collect();
        order.sort_by_key(|it| graph.edges[*it as usize].caller);
        for edge in order.into_iter().map(|it| &graph.edges[it as usize]) {
            self.edges.push(EdgeRow { caller: edge.caller, callee: callee(edge.callee), line: edge.line });
            self.edge_flags.push(edge_flags(edge));
        }
        for &(method, function) in &graph.implementations {
            self.implementations.push(ImplementationRow { method: callee(method), function });
        }
        self.symbols.extend(rows);
        for call in &graph.unresolved {
            let row = UnresolvedRow {
                caller: call.caller,
                line: call.line,
                callee: self.text(&call.callee),
                reason: call.reason as u32,
            };
            self.unresolved.push(row);
        }
    }

    /// Writes the segment as `directory/name`. Returns its length in bytes.
    pub(crate) fn write(mut self, directory: &Path, name: &str) -> Result<u64, GraphError> {
        let end = self.next_row();
        self.versions.push(end);
        let mut out = FileWriter::create(directory, name, FileKind::Segment, section::COUNT)?;
        out.column(section::VERSIONS, &self.versions)?;
        out.column(section::ENTRIES, &self.entries)?;
        out.column(section::STRING_OFFSETS, &self.strings.offsets())?;
        out.column(section::STRINGS, self.strings.bytes())?;
        out.column(section::TARGETS, &self.targets)?;
        out.column(section::FILES, &self.files)?;
        out.column(section::EXTERNALS, &self.externals)?;
        out.column(section::EXTERNAL_PATHS, &self.external_paths)?;
        out.column(section::FUNCTIONS, &self.functions)?;
        out.column(section::SYMBOLS, &self.symbols)?;
        out.column(section::EDGES, &self.edges)?;
        out.column(section::EDGE_FLAGS, &self.edge_flags)?;
        out.column(section::IMPLEMENTATIONS, &self.implementations)?;
        out.column(section::UNRESOLVED, &self.unresolved)?;
        out.column(section::PROBLEMS, &self.problems)?;
        out.finish()
    }
}

/// Looks for references that lead nowhere, so that nothing that reads a segment meets one.
fn check(entry: &VersionEntry, graph: &CallGraph) -> Result<(), GraphError> {
    let inconsistent =
        |reason| Err(GraphError::Inconsistent { package: entry.id.as_str().to_owned(), reason });
    let functions = graph.functions.len();
    let lists = [functions, graph.edges.len(), graph.external_paths.len(), graph.unresolved.len()];
    if lists.into_iter().any(|it| it > MOST_OF_ONE_VERSION) {
        return Err(GraphError::TooLarge { what: "functions, calls or paths in one version" });
    }
    let is_function = |it: u32| (it as usize) < functions;
    let is_callee = |it: &Callee| match *it {
        Callee::Local(function) => is_function(function),
        Callee::External { krate, path } => {
            (krate as usize) < graph.externals.len() && (path as usize) < graph.external_paths.len()
        }
    };
    if graph.functions.iter().any(|it| it.file as usize >= graph.files.len()) {
        return inconsistent("a function is in a file that is not listed");
    }
    if graph.functions.iter().any(|it| usize::from(it.target) >= graph.targets.len()) {
        return inconsistent("a function is in a target that is not listed");
    }
    if graph.edges.iter().any(|it| !is_function(it.caller) || !is_callee(&it.callee)) {
        return inconsistent("a call is between functions that are not listed");
    }
    if graph.implementations.iter().any(|(method, it)| !is_callee(method) || !is_function(*it)) {
        return inconsistent("an implementation is of functions that are not listed");
    }
    if graph.unresolved.iter().any(|it| !is_function(it.caller)) {
        return inconsistent("an unresolved call is in a function that is not listed");
    }
    Ok(())
}
