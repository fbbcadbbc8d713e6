//! Which paths there are, and what changed between two versions.

use super::{Answer, Asker, List, Question, Value};
use crate::{GraphError, Search, VersionId};

impl Asker<'_> {
    /// Paths that a search finds, with every version that has them.
    ///
    /// # Errors
    ///
    /// When the expression cannot be read, or the index is damaged.
    pub fn search(&self, search: Search<'_>) -> Result<Answer, GraphError> {
        let found = self.graph.search(search, self.limit)?;
        let mut list = List::new("functions", &["function", "path", "file", "line", "in_store"]);
        for (path, nodes) in &found.paths {
            for node in nodes {
                let [file, line] = self.place(*node)?;
                let in_store = file != Value::Absent;
                list.rows.push(vec![
                    self.function(*node)?,
                    path.as_str().into(),
                    file,
                    line,
                    in_store.into(),
                ]);
            }
        }
        let truncated = found.truncated || list.rows.len() > self.limit;
        list.rows.truncate(self.limit);
        let fields = vec![("paths", found.paths.len().into())];
        Ok(Answer { question: Question::Search, fields, lists: vec![list], truncated })
    }

    /// Functions and calls gained and lost from one version to another.
    ///
    /// # Errors
    ///
    /// When a pattern does not stand for one version, or the index is damaged.
    pub fn diff(&self, before: &str, after: &str) -> Result<Answer, GraphError> {
        let (old, new) = (self.one_version(before)?, self.one_version(after)?);
        let diff = self.graph.diff(old, new)?;
        let mut list = List::new("changes", &["change", "what", "function", "callee"]);
        for (change, functions) in [("gained", &diff.functions_gained), ("lost", &diff.functions_lost)] {
            let rows = functions
                .iter()
                .map(|it| vec![change.into(), "function".into(), it.as_str().into(), Value::Absent]);
            list.rows.extend(rows);
        }
        for (change, edges) in [("gained", &diff.edges_gained), ("lost", &diff.edges_lost)] {
            let rows = edges.iter().map(|it| {
                vec![change.into(), "call".into(), it.caller.as_str().into(), it.callee.as_str().into()]
            });
            list.rows.extend(rows);
        }
        let fields = vec![
            ("before", self.version_text(old)?.into()),
            ("after", self.version_text(new)?.into()),
            ("functions_gained", diff.functions_gained.len().into()),
            ("functions_lost", diff.functions_lost.len().into()),
            ("calls_gained", diff.edges_gained.len().into()),
            ("calls_lost", diff.edges_lost.len().into()),
        ];
        let truncated = list.rows.len() > self.limit;
        list.rows.truncate(self.limit);
        Ok(Answer { question: Question::Diff, fields, lists: vec![list], truncated })
    }

    fn one_version(&self, pattern: &str) -> Result<VersionId, GraphError> {
        let versions = self.versions(pattern)?;
        match versions.as_slice() {
            [one] => Ok(*one),
            several => {
                let similar =
                    several.iter().take(5).map(|it| self.version_text(*it)).collect::<Result<_, _>>()?;
                Err(GraphError::Ambiguous { pattern: pattern.to_owned(), count: several.len(), similar })
            }
        }
    }
}
