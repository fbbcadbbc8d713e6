//! Every call, one on each line.
//!
//! The columns of the TSV form are a contract with programs that compare call graphs: `caller`, `callee`, `kind`, `certainty`,
//! `file:line`, paths as the store has them.

use std::io::{self, Write};

use cratekeeper_graph::{Edge, GraphError};
use serde::{Serialize, Serializer};

use crate::json::{object, write_line};
use crate::sanitize;

/// How calls are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeFormat {
    /// Tab-separated values, with the names of the columns in the first line.
    Tsv,
    /// A JSON object on each line.
    JsonLines,
}

/// Writes calls as they come. Returns how many.
///
/// # Errors
///
/// Fails if `out` does, or if the graph turns out to be damaged.
pub fn edges(
    edges: impl Iterator<Item = Result<Edge, GraphError>>,
    format: EdgeFormat,
    out: &mut dyn Write,
) -> io::Result<u64> {
    if format == EdgeFormat::Tsv {
        out.write_all(b"caller\tcallee\tkind\tcertainty\tfile:line\n")?;
    }
    let mut count = 0;
    let mut line = Vec::with_capacity(256);
    for edge in edges {
        let edge = edge.map_err(io::Error::other)?;
        match format {
            EdgeFormat::Tsv => {
                line.clear();
                tab_separated(&edge, &mut line);
                out.write_all(&line)?;
            }
            EdgeFormat::JsonLines => write_line(&Object(&edge), out)?,
        }
        count += 1;
    }
    Ok(count)
}

fn tab_separated(edge: &Edge, line: &mut Vec<u8>) {
    for text in [&*edge.caller, &*edge.callee, edge.kind.as_str(), edge.certainty.as_str()] {
        harmless(text, line);
        line.push(b'\t');
    }
    harmless(&edge.file, line);
    line.push(b':');
    line.extend_from_slice(edge.line.to_string().as_bytes());
    line.push(b'\n');
}

/// Almost every path is printable ASCII, and there are millions.
fn harmless(text: &str, line: &mut Vec<u8>) {
    if text.bytes().all(|it| (0x20..0x7f).contains(&it)) {
        line.extend_from_slice(text.as_bytes());
    } else {
        line.extend_from_slice(sanitize(text).as_bytes());
    }
}

struct Object<'a>(&'a Edge);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let edge = self.0;
        object!(serializer, {
            "caller": &*edge.caller,
            "callee": &*edge.callee,
            "kind": edge.kind.as_str(),
            "certainty": edge.certainty.as_str(),
            "file": &*edge.file,
            "line": edge.line,
            "in_unsafe": edge.in_unsafe,
            "active": edge.active,
        })
    }
}
