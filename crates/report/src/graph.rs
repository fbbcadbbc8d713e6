//! Answers about call graphs as JSON, JSON Lines, TSV, DOT and SVG; the text for people is [`human::graph`](crate::human::graph).
//!
//! An answer arrives as fields and rows with names, and all formats write those same rows. `docs/graph.md` says what they mean.
//! Calls of a whole graph are millions, so [`edges`] and [`neo4j`] write while they read, and keep nothing.

mod drawing;
mod edges;
pub mod neo4j;

use std::io::{self, Write};

use cratekeeper_graph::answer::{Answer, List, Question, Value};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

pub use self::drawing::Drawing;
pub use self::edges::{EdgeFormat, edges};
use crate::json::{write, write_line};
use crate::{Tool, sanitize};

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Directory of the store.
    pub store: &'a str,
    /// Resolution table in it.
    pub table: &'a str,
    /// How the command line names the store: a path, or `--workspace`.
    pub source: &'a str,
    /// What has to be known to judge the answer, as sentences.
    pub notes: &'a [String],
}

/// The `schema` of documents that answer a question: `cratekeeper.graph-callers/1`.
#[must_use]
pub fn schema(question: Question) -> String {
    match question {
        Question::Survey => "cratekeeper.survey/1".to_owned(),
        question => format!("cratekeeper.graph-{}/1", question.as_str()),
    }
}

/// Writes an answer as one JSON document.
///
/// # Errors
///
/// Fails if `out` does.
pub fn json(tool: Tool<'_>, asked: Asked<'_>, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    write(&Document(tool, asked, answer), out)
}

/// Writes the rows of an answer's main list, a JSON object on each line.
///
/// # Errors
///
/// Fails if `out` does.
pub fn json_lines(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let Some(list) = answer.lists.first() else { return Ok(()) };
    list.rows.iter().try_for_each(|row| write_line(&Row(list.columns, row), out))
}

/// Writes the rows of an answer's main list as tab-separated values, the names of the columns first.
///
/// Tabs, line breaks and what a terminal would obey are replaced; several texts are joined by `;`.
///
/// # Errors
///
/// Fails if `out` does.
pub fn tsv(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let Some(list) = answer.lists.first() else { return Ok(()) };
    writeln!(out, "{}", list.columns.join("\t"))?;
    for row in &list.rows {
        let cells: Vec<String> = row.iter().map(|it| sanitize(&text(it)).into_owned()).collect();
        writeln!(out, "{}", cells.join("\t"))?;
    }
    Ok(())
}

/// A value as text; empty where it is absent.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Absent => String::new(),
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Quantity(quantity) => format!("{quantity:.4}"),
        Value::Text(text) => text.clone(),
        Value::Texts(texts) => texts.join(";"),
        Value::Counts(counts) => {
            let counts: Vec<String> = counts.iter().map(|it| format!("{}={}", it.0, it.1)).collect();
            counts.join(";")
        }
    }
}

struct Document<'a>(Tool<'a>, Asked<'a>, &'a Answer);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document(tool, asked, answer) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &schema(answer.question))?;
        map.serialize_entry("tool", tool)?;
        map.serialize_entry("store", asked.store)?;
        map.serialize_entry("table", asked.table)?;
        for (name, value) in &answer.fields {
            map.serialize_entry(name, &Cell(value))?;
        }
        for list in &answer.lists {
            map.serialize_entry(list.name, &Rows(list))?;
        }
        map.serialize_entry("truncated", &answer.truncated)?;
        map.serialize_entry("notes", asked.notes)?;
        map.end()
    }
}

struct Rows<'a>(&'a List);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows.iter().map(|row| Row(self.0.columns, row)))
    }
}

struct Row<'a>(&'a [&'static str], &'a [Value]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(self.1.iter().map(Cell)))
    }
}

struct Cell<'a>(&'a Value);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Absent => serializer.serialize_none(),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => serializer.serialize_u64(*number),
            // More digits would tell how long the disk took, and nothing else.
            Value::Quantity(quantity) => serializer.serialize_f64((quantity * 1e4).round() / 1e4),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Texts(texts) => texts.serialize(serializer),
            Value::Counts(counts) => serializer.collect_map(counts.iter().map(|it| (&it.0, it.1))),
        }
    }
}
