//! Calls between numbered nodes, in both directions, and which implementations a trait's method may run.

use std::path::Path;

use super::nodes::Nodes;
use super::versions::Versions;
use crate::GraphError;
use crate::file::{FileWriter, Spool};
use crate::index::{Counts, Link, Links, TAG_BITS, encode, section, tag};
use crate::segment::{SYMBOLIC, Segment, certainty_of, in_unsafe, is_active, kind_of};

/// Edges of which the reverse is built at once: half a gigabyte of memory.
const PARTITION: u64 = 1 << 26;

pub(super) struct Calls {
    nodes: Nodes,
    forward: Spool,
    lines: Spool,
    flags: Spool,
    /// Where the neighbours of each function begin in `forward`.
    forward_starts: Vec<u64>,
    /// Number of the first edge of each function.
    edge_starts: Vec<u32>,
    callers: Vec<u32>,
    implementations: Vec<(u32, u32)>,
    counts: Counts,
}

/// An edge whose ends are nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    callee: u32,
    tag: u8,
    line: u32,
    flags: u8,
}

impl Calls {
    pub(super) fn new(directory: &Path, nodes: Nodes) -> Result<Calls, GraphError> {
        Ok(Calls {
            forward: Spool::create(directory)?,
            lines: Spool::create(directory)?,
            flags: Spool::create(directory)?,
            forward_starts: vec![0],
            edge_starts: vec![0],
            callers: vec![0; nodes.len()],
            nodes,
            implementations: Vec::new(),
            counts: Counts::default(),
        })
    }

    /// Links the calls of all versions, in the order of callers.
    pub(super) fn forward(&mut self, segments: &[Segment], versions: &Versions) -> Result<(), GraphError> {
        for version in 0..versions.all.len() as u32 {
            self.forward_version(segments, versions, version)?;
        }
        Ok(())
    }

    fn forward_version(
        &mut self,
        segments: &[Segment],
        versions: &Versions,
        index: u32,
    ) -> Result<(), GraphError> {
        let version = &versions.all[index as usize];
        let (segment, view) = (&segments[version.segment], version.open(segments)?);
        let (edges, flags, count) = (view.edges()?, view.edge_flags()?, view.functions()?.len());
        let own = version.base..version.base + count as u32;
        let symbols = self.symbols(segments, versions, index)?;
        let damaged = || segment.damaged("a call leads nowhere");
        let mut linked: Vec<Edge> = Vec::new();
        for row in self.nodes.rows(version, count) {
            let first = edges.partition_point(|it| it.caller < row);
            linked.clear();
            for (edge, &flags) in edges.iter().zip(flags).skip(first).take_while(|(it, _)| it.caller == row) {
                let tag = tag(certainty_of(flags), is_active(flags));
                let mut push = |callee| linked.push(Edge { callee, tag, line: edge.line, flags });
                if edge.callee & SYMBOLIC == 0 {
                    push(self.nodes.local(version, edge.callee).ok_or_else(damaged)?);
                } else {
                    symbols.of(edge.callee & !SYMBOLIC).ok_or_else(damaged)?.iter().for_each(|it| push(*it));
                }
            }
            linked.sort_unstable();
            self.push_function(&own, &linked)?;
        }
        for row in view.implementations()? {
            let function = self.nodes.local(version, row.function).ok_or_else(damaged)?;
            if row.method & SYMBOLIC == 0 {
                let method = self.nodes.local(version, row.method).ok_or_else(damaged)?;
                self.implementations.push((method, function));
            } else {
                let methods = symbols.of(row.method & !SYMBOLIC).ok_or_else(damaged)?;
                self.implementations.extend(methods.iter().map(|it| (*it, function)));
            }
        }
        for (sum, count) in self.counts.unresolved.iter_mut().zip(view.unresolved_counts()?) {
            *sum += count;
        }
        Ok(())
    }

    /// Nodes that each symbolic target of a version stands for.
    fn symbols(
        &mut self,
        segments: &[Segment],
        versions: &Versions,
        index: u32,
    ) -> Result<Symbols, GraphError> {
        let version = &versions.all[index as usize];
        let (segment, view) = (&segments[version.segment], version.open(segments)?);
        let damaged = || segment.damaged("a call leads nowhere");
        let resolved = versions.resolve(index, segment, &view)?;
        let (externals, paths) = (view.externals()?, view.external_paths()?);
        let mut symbols = Symbols { starts: vec![0], nodes: Vec::new() };
        for symbol in view.symbols()? {
            let text = paths.get(symbol.path as usize).ok_or_else(damaged)?;
            let path = self.nodes.path(version.segment, *text).ok_or_else(damaged)?;
            let callee = *resolved.get(symbol.external as usize).ok_or_else(damaged)?;
            let found = callee.map_or_else(Vec::new, |it| {
                self.nodes.find(versions.functions(it, self.nodes.functions()), path)
            });
            if found.is_empty() {
                let package = externals.get(symbol.external as usize).ok_or_else(damaged)?.package;
                let package = versions.texts.find(segment.text(package)?.as_bytes());
                let phantom = self.nodes.phantom(callee, package.unwrap_or(crate::segment::NONE), path)?;
                self.callers.resize(self.nodes.len(), 0);
                symbols.nodes.push(phantom);
            }
            symbols.nodes.extend(found);
            symbols.starts.push(symbols.nodes.len());
        }
        Ok(symbols)
    }

    fn push_function(&mut self, own: &std::ops::Range<u32>, edges: &[Edge]) -> Result<(), GraphError> {
        let caller = self.edge_starts.len() as u32 - 1;
        let mut bytes = Vec::with_capacity(edges.len() * 4);
        encode(&mut bytes, caller, edges.iter().map(|it| Link { node: it.callee, tag: it.tag }));
        self.forward.write(&bytes)?;
        for edge in edges {
            self.lines.write(&edge.line.to_le_bytes())?;
            self.flags.write(&[edge.flags])?;
            self.callers[edge.callee as usize] += 1;
            self.count(own, edge);
        }
        self.forward_starts.push(self.forward.length());
        let end = u32::try_from(self.counts.edges).map_err(|_| GraphError::TooLarge { what: "calls" })?;
        self.edge_starts.push(end);
        Ok(())
    }

    fn count(&mut self, own: &std::ops::Range<u32>, edge: &Edge) {
        let counts = &mut self.counts;
        counts.edges += 1;
        counts.active += u64::from(is_active(edge.flags));
        counts.in_unsafe += u64::from(in_unsafe(edge.flags));
        counts.leaving += u64::from(!own.contains(&edge.callee));
        counts.to_phantoms += u64::from(edge.callee >= self.nodes.functions());
        counts.by_kind[kind_of(edge.flags) as usize] += 1;
        counts.by_certainty[certainty_of(edge.flags) as usize] += 1;
    }

    pub(super) fn write(mut self, out: &mut FileWriter) -> Result<(), GraphError> {
        self.nodes.write(out)?;
        self.write_implementations(out)?;
        self.write_reverse(out)?;
        out.column(section::FORWARD_STARTS, &self.forward_starts)?;
        out.column(section::FORWARD_EDGES, &self.edge_starts)?;
        out.spool(section::FORWARD, self.forward)?;
        out.spool(section::EDGE_LINES, self.lines)?;
        out.spool(section::EDGE_FLAGS, self.flags)?;
        out.column(section::COUNTS, &[self.counts])
    }

    fn write_implementations(&mut self, out: &mut FileWriter) -> Result<(), GraphError> {
        let pairs = &mut self.implementations;
        let ids = [section::METHODS, section::METHOD_STARTS, section::METHOD_IMPLEMENTATIONS];
        write_sparse(pairs, ids, out)?;
        pairs.iter_mut().for_each(|it| *it = (it.1, it.0));
        let ids = [section::IMPLEMENTATIONS, section::IMPLEMENTATION_STARTS, section::IMPLEMENTED_METHODS];
        write_sparse(pairs, ids, out)?;
        self.implementations = Vec::new();
        Ok(())
    }

    fn write_reverse(&mut self, out: &mut FileWriter) -> Result<(), GraphError> {
        let directory = out.directory();
        let mut spool = Spool::create(&directory)?;
        let mut starts = vec![0_u64];
        let mut first = 0;
        while first < self.nodes.len() {
            let mut sum = 0;
            let callers = self.callers[first..].iter();
            let fitting = callers.take_while(|it| {
                sum += u64::from(**it);
                sum <= PARTITION
            });
            let end = first + fitting.count().max(1);
            self.reverse_partition(first..end, &mut spool, &mut starts)?;
            first = end;
        }
        out.column(section::REVERSE_STARTS, &starts)?;
        out.spool(section::REVERSE, spool)
    }

    /// Writes the callers of a range of nodes.
    fn reverse_partition(
        &mut self,
        callees: std::ops::Range<usize>,
        spool: &mut Spool,
        starts: &mut Vec<u64>,
    ) -> Result<(), GraphError> {
        let mut next = Vec::with_capacity(callees.len() + 1);
        let mut sum = 0_usize;
        for callee in callees.clone() {
            next.push(sum);
            sum += self.callers[callee] as usize;
        }
        let mut links = vec![0_u64; sum];
        let nodes = self.nodes.len() as u32;
        let mut reader = self.forward.reader()?;
        let mut bytes = Vec::new();
        for (caller, bounds) in (0..).zip(self.forward_starts.windows(2)) {
            reader.read(&mut bytes, (bounds[1] - bounds[0]) as usize)?;
            for link in Links::new(&bytes, caller, nodes) {
                let link = link?;
                if callees.contains(&(link.node as usize)) {
                    let position = &mut next[link.node as usize - callees.start];
                    links[*position] = u64::from(caller) << TAG_BITS | u64::from(link.tag);
                    *position += 1;
                }
            }
        }
        let mut start = 0;
        for (callee, end) in callees.zip(next) {
            bytes.clear();
            let mut callers = links[start..end].to_vec();
            callers.dedup();
            let callers =
                callers.iter().map(|it| Link { node: (it >> TAG_BITS) as u32, tag: (it & 7) as u8 });
            encode(&mut bytes, callee as u32, callers);
            spool.write(&bytes)?;
            starts.push(spool.length());
            start = end;
        }
        Ok(())
    }
}

struct Symbols {
    starts: Vec<usize>,
    nodes: Vec<u32>,
}

impl Symbols {
    fn of(&self, symbol: u32) -> Option<&[u32]> {
        let start = *self.starts.get(symbol as usize)?;
        self.nodes.get(start..*self.starts.get(symbol as usize + 1)?)
    }
}

fn write_sparse(pairs: &mut Vec<(u32, u32)>, ids: [u32; 3], out: &mut FileWriter) -> Result<(), GraphError> {
    pairs.sort_unstable();
    pairs.dedup();
    let (mut keys, mut lengths): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    for chunk in pairs.chunk_by(|a, b| a.0 == b.0) {
        keys.push(chunk[0].0);
        lengths.push(chunk.len() as u32);
    }
    let values: Vec<u32> = pairs.iter().map(|it| it.1).collect();
    out.column(ids[0], &keys)?;
    out.column(ids[1], &super::starts(lengths.into_iter())?)?;
    out.column(ids[2], &values)
}
