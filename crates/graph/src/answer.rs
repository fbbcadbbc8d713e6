//! Questions as people put them, and answers in words: patterns in, names and places out.
//!
//! An answer is a few named fields and lists of rows with named columns. Names of fields and columns are a contract
//! (`docs/graph.md`): JSON, TSV, JSON Lines and text are ways to write the same rows. So this is a table and not a struct for each
//! question, which would be said again for every format.
//!
//! A function is written `crate@version::path` here, which is a pattern that finds it again.

mod calls;
mod change;
mod reach;
mod usage;
mod versions;

use cratekeeper_model::graph::Certainty;

pub use self::usage::Figures;
pub use self::versions::Ranking;
use crate::{Filter, Graph, GraphError, NodeId, Pattern, Search, VersionId};

/// Suggestions for a pattern that stands for nothing.
const SUGGESTIONS: usize = 5;

/// A value in an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not known, or not applicable.
    Absent,
    /// Yes or no.
    Flag(bool),
    /// A count.
    Number(u64),
    /// A measured quantity.
    Quantity(f64),
    /// Text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// Counts by name.
    Counts(Vec<(String, u64)>),
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Number(number as u64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Absent, Into::into)
    }
}

/// Rows with named columns.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Name of the list.
    pub name: &'static str,
    /// Names of the columns.
    pub columns: &'static [&'static str],
    /// Rows, each with a value for every column.
    pub rows: Vec<Vec<Value>>,
}

impl List {
    fn new(name: &'static str, columns: &'static [&'static str]) -> List {
        List { name, columns, rows: Vec::new() }
    }

    /// Position of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|it| *it == name)
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Who calls a function.
    Callers,
    /// What a function calls.
    Callees,
    /// How one function comes to call another.
    Path,
    /// What a function may run.
    Reach,
    /// Who is hit by something bad.
    Blast,
    /// Use of `unsafe` for each version.
    Unsafe,
    /// Functions in other languages.
    Ffi,
    /// Which paths there are.
    Search,
    /// Figures.
    Stats,
    /// What changed between two versions.
    Diff,
    /// Who depends on a crate.
    Dependents,
    /// What a crate depends on.
    Dependencies,
    /// The first of a ranking.
    Top,
    /// The latest version of each package.
    Latest,
    /// Packages with several versions.
    Duplicates,
    /// Files for another program.
    Export,
    /// Figures of an ecosystem.
    Survey,
}

impl Question {
    /// Name in documents and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Question::Callers => "callers",
            Question::Callees => "callees",
            Question::Path => "path",
            Question::Reach => "reach",
            Question::Blast => "blast",
            Question::Unsafe => "unsafe",
            Question::Ffi => "ffi",
            Question::Search => "search",
            Question::Stats => "stats",
            Question::Diff => "diff",
            Question::Dependents => "dependents",
            Question::Dependencies => "dependencies",
            Question::Top => "top",
            Question::Latest => "latest",
            Question::Duplicates => "duplicates",
            Question::Export => "export",
            Question::Survey => "survey",
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// What is said once.
    pub fields: Vec<(&'static str, Value)>,
    /// Lists, the main one first.
    pub lists: Vec<List>,
    /// A limit was reached: there is more than is listed.
    pub truncated: bool,
}

impl Answer {
    /// Whether the main list has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists.first().is_none_or(|it| it.rows.is_empty())
    }
}

/// Puts questions to a graph.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    graph: &'a Graph,
    filter: Filter,
    limit: usize,
}

impl<'a> Asker<'a> {
    /// Asks `graph`, following calls that pass `filter`. No list gets longer than `limit` rows.
    #[must_use]
    pub fn new(graph: &'a Graph, filter: Filter, limit: usize) -> Asker<'a> {
        Asker { graph, filter, limit }
    }

    /// Nodes of a pattern; at least one.
    fn nodes(&self, text: &str) -> Result<Vec<NodeId>, GraphError> {
        let found = self.graph.find(&Pattern::parse(text)?, usize::MAX)?.nodes;
        if found.is_empty() { Err(self.nothing(text)?) } else { Ok(found) }
    }

    /// Versions of a pattern; at least one.
    fn versions(&self, text: &str) -> Result<Vec<VersionId>, GraphError> {
        let found = self.graph.find_versions(&Pattern::parse(text)?)?;
        if found.is_empty() { Err(self.nothing(text)?) } else { Ok(found) }
    }

    /// Versions that calls are listed of: those of a pattern, which has to stand for some.
    ///
    /// # Errors
    ///
    /// When it stands for none, or the index is damaged.
    pub fn versions_of(&self, pattern: &str) -> Result<Vec<VersionId>, GraphError> {
        self.versions(pattern)
    }

    /// The error for a pattern that stands for nothing, with what looks like it.
    fn nothing(&self, text: &str) -> Result<GraphError, GraphError> {
        let pattern = text.chars().take(200).collect();
        let plain: String = match text.split_once('@') {
            Some((name, rest)) => format!("{name}{}", rest.find("::").map_or("", |it| &rest[it..])),
            None => text.to_owned(),
        };
        let mut similar = Vec::new();
        if let Some((start, last)) = plain.rsplit_once("::") {
            let word =
                |it: &str| it.chars().filter(|it| it.is_alphanumeric() || *it == '_').collect::<String>();
            let (krate, last) = (word(start.split("::").next().unwrap_or("")), word(last));
            // The same name in the same crate, the same name anywhere, and names that contain it.
            for expression in [format!("^<?{krate}::.*{last}$"), format!("::{last}$"), last.clone()] {
                if similar.is_empty() && last.len() > 3 {
                    similar = self.paths_like(&expression)?;
                }
            }
        }
        if similar.is_empty() {
            let name = plain.split("::").next().unwrap_or("").trim_start_matches('<');
            let start: String = name.chars().take(3).collect();
            for version in self.graph.search_versions(&start, SUGGESTIONS)? {
                similar.push(self.version_text(version)?);
            }
        }
        Ok(GraphError::NothingMatches { pattern, similar })
    }

    fn paths_like(&self, expression: &str) -> Result<Vec<String>, GraphError> {
        let found = self.graph.search(Search::Regex(expression), SUGGESTIONS)?;
        Ok(found.paths.into_iter().map(|it| it.0).collect())
    }

    /// `name@version`.
    fn version_text(&self, version: VersionId) -> Result<String, GraphError> {
        let it = self.graph.version(version)?;
        Ok(format!("{}@{}", it.package, it.version))
    }

    /// `crate@version::path`.
    fn function(&self, node: NodeId) -> Result<Value, GraphError> {
        Ok(self.graph.path_with_version(node)?.into())
    }

    /// File and line of a function, absent for paths that no version has.
    fn place(&self, node: NodeId) -> Result<[Value; 2], GraphError> {
        Ok(match self.graph.function(node)?.definition {
            Some(it) => [it.file.into(), it.line.into()],
            None => [Value::Absent, Value::Absent],
        })
    }

    /// The first rows of what is there.
    fn first<T>(&self, all: Vec<T>, truncated: &mut bool) -> impl Iterator<Item = T> + use<T> {
        *truncated |= all.len() > self.limit;
        all.into_iter().take(self.limit)
    }
}

fn certainty(it: Certainty) -> Value {
    it.as_str().into()
}
