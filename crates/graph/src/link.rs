//! Linking: joins the symbolic calls of segments with a resolution table into an index over numbered nodes.
//!
//! Callers are visited in the order of their numbers, so the forward rows are written as they are found and nothing
//! has to be sorted. For the reverse rows the forward ones are read again, once for each range of callees whose
//! edges fit into a bounded array. What stays in memory is a few numbers for each function and each distinct path.

mod calls;
mod nodes;
mod versions;

use std::path::Path;

use crate::GraphError;
use crate::file::{FileKind, FileWriter};
use crate::index::section;
use crate::resolution::ResolutionTable;
use crate::segment::Segment;

use calls::Calls;
use nodes::Nodes;
pub(crate) use nodes::TARGET_KIND_SHIFT;
use versions::Versions;

/// Links the versions of `table` and writes the index as `directory/name`. Returns its length in bytes.
pub(crate) fn link(
    segments: &[Segment],
    table: &ResolutionTable,
    directory: &Path,
    name: &str,
) -> Result<u64, GraphError> {
    let mut out = FileWriter::create(directory, name, FileKind::Linked, section::COUNT)?;
    let mut versions = Versions::collect(segments, table)?;
    versions.write_entries(segments, &mut out)?;
    let nodes = Nodes::number(segments, &mut versions, directory, &mut out)?;
    versions.write(nodes.functions(), &mut out)?;
    let mut calls = Calls::new(directory, nodes)?;
    calls.forward(segments, &versions)?;
    calls.write(&mut out)?;
    versions.write_texts(&mut out)?;
    out.finish()
}

/// Starts of rows from their lengths.
fn starts(lengths: impl Iterator<Item = u32>) -> Result<Vec<u32>, GraphError> {
    let mut starts = vec![0_u32];
    let mut end = 0_u32;
    for length in lengths {
        end = end.checked_add(length).ok_or(GraphError::TooLarge { what: "rows" })?;
        starts.push(end);
    }
    Ok(starts)
}
