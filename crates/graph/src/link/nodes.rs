//! Numbers for functions: by version, then by path, so that a path is found in a version by bisection.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::versions::{LinkedVersion, Versions};
use crate::GraphError;
use crate::file::{FileWriter, Spool};
use crate::index::{PhantomRow, section};
use crate::interner::Interner;
use crate::segment::{NONE, Segment};

/// Twins under one path (`cfg` variants, `From<A>` and `From<B>`) that a call of that path is linked to.
const MOST_TWINS: usize = 16;

/// Bits of the attributes below the kind of the target.
pub(crate) const TARGET_KIND_SHIFT: u32 = 11;

pub(super) struct Nodes {
    /// Number of the path of each function, in the order of all paths.
    paths: Vec<u32>,
    /// Number of each function by its version's base and its row in the segment.
    numbers: Vec<u32>,
    /// For each segment: number of the path that each of its texts is, or `NONE`.
    path_of_text: Vec<Vec<u32>>,
    path_count: usize,
    attributes: Vec<u16>,
    pub(super) phantoms: Vec<PhantomRow>,
    phantom_paths: Vec<u32>,
    phantom_numbers: HashMap<(u32, u32), u32>,
}

impl Nodes {
    /// Numbers all functions and writes their names and columns.
    pub(super) fn number(
        segments: &[Segment],
        versions: &mut Versions,
        directory: &Path,
        out: &mut FileWriter,
    ) -> Result<Nodes, GraphError> {
        let mut functions = 0_u32;
        for version in &mut versions.all {
            version.base = functions;
            let count = version.open(segments)?.functions()?.len() as u32;
            functions = functions.checked_add(count).filter(|it| *it < 1 << 31).ok_or(too_many())?;
        }
        let (path_of_text, path_count) = write_names(segments, versions, out)?;
        let mut nodes = Nodes {
            paths: vec![0; functions as usize],
            numbers: vec![0; functions as usize],
            path_of_text,
            path_count,
            attributes: Vec::with_capacity(functions as usize),
            phantoms: Vec::new(),
            phantom_paths: Vec::new(),
            phantom_numbers: HashMap::new(),
        };
        nodes.write_columns(segments, versions, directory, out)?;
        Ok(nodes)
    }

    fn write_columns(
        &mut self,
        segments: &[Segment],
        versions: &mut Versions,
        directory: &Path,
        out: &mut FileWriter,
    ) -> Result<(), GraphError> {
        let mut unresolved = Spool::create(directory)?;
        let mut spools = [Spool::create(directory)?, Spool::create(directory)?, Spool::create(directory)?];
        for version in &versions.all {
            let (segment, view) = (&segments[version.segment], version.open(segments)?);
            for external in view.externals()? {
                versions.texts.intern(segment.text(external.package)?.as_bytes());
            }
            let (rows, files, kinds) = (view.functions()?, view.files()?, view.target_kinds()?);
            let path = |row: u32| self.path_of_text[version.segment][rows[row as usize].path as usize];
            let counts = view.unresolved_by_function()?;
            let mut order: Vec<u32> = (0..rows.len() as u32).collect();
            order.sort_by_key(|row| path(*row));
            for (number, row) in (version.base..).zip(order) {
                self.paths[number as usize] = path(row);
                self.numbers[version.base as usize + row as usize] = number;
                unresolved.write(&counts[row as usize].to_le_bytes())?;
                let row = rows[row as usize];
                let file = files.get(row.file as usize).copied();
                let file = file.ok_or_else(|| segment.damaged("a function is in no file"))?;
                let file = versions.texts.intern(segment.text(file)?.as_bytes());
                let condition = match row.cfg {
                    NONE => NONE,
                    cfg => versions.texts.intern(segment.text(cfg)?.as_bytes()),
                };
                let kind = kinds.get(usize::from(row.target)).copied().unwrap_or(0);
                self.attributes.push(row.attributes | kind << TARGET_KIND_SHIFT);
                for (spool, value) in spools.iter_mut().zip([file, row.line, condition]) {
                    spool.write(&value.to_le_bytes())?;
                }
            }
        }
        let [files, lines, conditions] = spools;
        out.spool(section::FUNCTION_UNRESOLVED, unresolved)?;
        out.spool(section::FUNCTION_FILES, files)?;
        out.spool(section::FUNCTION_LINES, lines)?;
        out.spool(section::FUNCTION_CONDITIONS, conditions)?;
        out.column(section::FUNCTION_ATTRIBUTES, &self.attributes)
    }

    pub(super) fn functions(&self) -> u32 {
        self.paths.len() as u32
    }

    pub(super) fn len(&self) -> usize {
        self.paths.len() + self.phantoms.len()
    }

    /// Number of the function in a row of its version.
    pub(super) fn local(&self, version: &LinkedVersion, row: u32) -> Option<u32> {
        self.numbers.get(version.base as usize + row as usize).copied()
    }

    /// Rows of a version's functions in the order of their numbers.
    pub(super) fn rows(&self, version: &LinkedVersion, count: usize) -> Vec<u32> {
        let mut rows = vec![0; count];
        for row in 0..count {
            let number = self.numbers[version.base as usize + row];
            rows[(number - version.base) as usize] = row as u32;
        }
        rows
    }

    /// Number of the path that a text of a segment is.
    pub(super) fn path(&self, segment: usize, text: u32) -> Option<u32> {
        self.path_of_text[segment].get(text as usize).copied().filter(|it| *it != NONE)
    }

    /// Functions of one version with a path: those that the configuration has, or else all.
    pub(super) fn find(&self, functions: std::ops::Range<u32>, path: u32) -> Vec<u32> {
        let range = functions.start as usize..functions.end as usize;
        let paths = &self.paths[range];
        let first = functions.start + paths.partition_point(|it| *it < path) as u32;
        let twins = (first..functions.end).take_while(|it| self.paths[*it as usize] == path);
        let twins: Vec<u32> = twins.take(MOST_TWINS).collect();
        let active: Vec<u32> = twins
            .iter()
            .copied()
            .filter(|it| {
                let attributes = crate::segment::attributes(self.attributes[*it as usize]);
                attributes.active && !attributes.test
            })
            .collect();
        if active.is_empty() { twins } else { active }
    }

    /// Number of a path that was not found: in `version`, or in a package that the table does not have.
    pub(super) fn phantom(
        &mut self,
        version: Option<u32>,
        package: u32,
        path: u32,
    ) -> Result<u32, GraphError> {
        let version = version.unwrap_or(NONE);
        let next = u32::try_from(self.len()).map_err(|_| too_many())?;
        let number = *self.phantom_numbers.entry((version, path)).or_insert(next);
        if number == next {
            self.phantoms.push(PhantomRow { version, package });
            self.phantom_paths.push(path);
        }
        Ok(number)
    }

    /// Writes paths of nodes and, for each path, its nodes.
    pub(super) fn write(&self, out: &mut FileWriter) -> Result<(), GraphError> {
        let all = || self.paths.iter().chain(&self.phantom_paths).copied();
        out.stream(section::NODE_PATHS, |sink| {
            [&self.paths, &self.phantom_paths]
                .iter()
                .try_for_each(|it| io::Write::write_all(sink, bytemuck::cast_slice(it)))
        })?;
        let mut lengths = vec![0_u32; self.path_count];
        all().for_each(|it| lengths[it as usize] += 1);
        let starts = super::starts(lengths.into_iter())?;
        let mut next = starts.clone();
        let mut nodes = vec![0_u32; self.len()];
        for (node, path) in (0..).zip(all()) {
            let position = &mut next[path as usize];
            nodes[*position as usize] = node;
            *position += 1;
        }
        out.column(section::NAME_STARTS, &starts)?;
        out.column(section::NAME_NODES, &nodes)?;
        out.column(section::PHANTOMS, &self.phantoms)
    }
}

fn too_many() -> GraphError {
    GraphError::TooLarge { what: "functions" }
}

/// Collects all paths, of functions and of calls into other crates, and writes them as a transducer. Returns the
/// number of the path that each text of each segment is, and how many paths there are.
fn write_names(
    segments: &[Segment],
    versions: &Versions,
    out: &mut FileWriter,
) -> Result<(Vec<Vec<u32>>, usize), GraphError> {
    let mut paths = Interner::default();
    let mut path_of_text: Vec<Vec<u32>> = segments.iter().map(|it| vec![NONE; it.text_count()]).collect();
    for version in &versions.all {
        let (segment, view) = (&segments[version.segment], version.open(segments)?);
        let cache = &mut path_of_text[version.segment];
        let called = view.external_paths()?.iter().copied();
        for text in view.functions()?.iter().map(|it| it.path).chain(called) {
            let path = segment.text(text)?;
            if cache[text as usize] == NONE {
                cache[text as usize] = paths.intern(path.as_bytes());
            }
        }
    }
    let order = paths.sorted();
    let mut rank = vec![0_u32; order.len()];
    for (position, path) in order.iter().enumerate() {
        rank[*path as usize] = position as u32;
    }
    for path in path_of_text.iter_mut().flatten().filter(|it| **it != NONE) {
        *path = rank[*path as usize];
    }
    out.stream(section::NAMES, |sink| {
        let mut builder = fst::MapBuilder::new(sink).map_err(io::Error::other)?;
        for (position, path) in order.iter().enumerate() {
            builder.insert(paths.text(*path), position as u64).map_err(io::Error::other)?;
        }
        builder.finish().map_err(io::Error::other)
    })?;
    Ok((path_of_text, order.len()))
}
