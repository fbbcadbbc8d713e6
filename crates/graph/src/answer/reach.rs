//! What a function may run, and who is hit when something is bad.

use std::collections::BTreeMap;

use super::{Answer, Asker, List, Question, Value, certainty};
use crate::{GraphError, Level, Pattern, VersionId};

impl Asker<'_> {
    /// Everything that the functions of a pattern may run.
    ///
    /// # Errors
    ///
    /// When the pattern stands for nothing, or the index is damaged.
    pub fn reach(&self, pattern: &str) -> Result<Answer, GraphError> {
        let nodes = self.nodes(pattern)?;
        let reached = self.graph.reach(&nodes, self.filter)?;
        let mut functions = List::new("functions", &["function", "file", "line", "uses_unsafe"]);
        let mut crates: BTreeMap<Option<VersionId>, [u64; 2]> = BTreeMap::new();
        let (mut found, mut unresolved) = (0_u64, 0_u64);
        for node in reached.nodes() {
            let is_found = node.number() as usize;
            let is_found = is_found < self.graph.function_count();
            let uses_unsafe = self.graph.attributes(node.number()).uses_unsafe;
            let version = if is_found { self.graph.version_of(node)? } else { None };
            let counts = crates.entry(version).or_default();
            counts[0] += 1;
            counts[1] += u64::from(uses_unsafe);
            found += u64::from(is_found);
            unresolved += u64::from(self.graph.unresolved_calls(node) > 0);
            if functions.rows.len() < self.limit {
                let [file, line] = self.place(node)?;
                functions.rows.push(vec![self.function(node)?, file, line, uses_unsafe.into()]);
            }
        }
        let mut by_crate = List::new("crates", &["package", "version", "functions", "using_unsafe"]);
        for (version, [functions, using_unsafe]) in crates {
            let name = version.map(|it| self.graph.version(it)).transpose()?;
            by_crate.rows.push(vec![
                name.as_ref().map(|it| it.package.clone()).into(),
                name.map(|it| it.version).into(),
                functions.into(),
                using_unsafe.into(),
            ]);
        }
        let levels =
            levels("levels", reached.levels.iter().map(|it| vec![(*it).into()]), &["distance", "functions"]);
        let truncated = reached.len() > self.limit as u64;
        let fields = vec![
            ("pattern", pattern.into()),
            ("from_functions", nodes.len().into()),
            ("reached", reached.len().into()),
            ("not_in_store", (reached.len() - found).into()),
            ("with_unresolved_calls", unresolved.into()),
        ];
        let lists = vec![functions, by_crate, levels];
        Ok(Answer { question: Question::Reach, fields, lists, truncated })
    }

    /// Who is hit when a crate, some of its versions or a function of it is bad.
    ///
    /// # Errors
    ///
    /// When the pattern stands for nothing, or the index is damaged.
    pub fn blast(&self, text: &str) -> Result<Answer, GraphError> {
        let pattern = Pattern::parse(text)?;
        let target = self.graph.blast_target(&pattern)?;
        if target.versions.is_empty() || target.functions.as_ref().is_some_and(Vec::is_empty) {
            return Err(self.nothing(text)?);
        }
        let blast = self.graph.blast(&target, self.filter, self.limit)?;
        let columns = &["package", "version", "dependency_distance", "call_certainty", "call_distance"];
        let mut hit = List::new("hit", columns);
        for it in &blast.hit {
            let name = self.graph.version(it.version)?;
            hit.rows.push(vec![
                name.package.into(),
                name.version.into(),
                it.dependency_distance.into(),
                it.call.map(|it| it.certainty.as_str()).into(),
                it.call.map(|it| it.distance).into(),
            ]);
        }
        let by_dependency = levels(
            "by_dependency",
            blast.by_dependency.iter().map(|it| vec![it.versions.into(), it.packages.into()]),
            &["distance", "versions", "packages"],
        );
        let mut by_certainty = List::new("by_certainty", &["certainty", "versions", "packages", "functions"]);
        let mut by_call =
            List::new("by_call", &["certainty", "distance", "versions", "packages", "functions"]);
        for level in &blast.by_call {
            let name = certainty(level.certainty);
            by_certainty.rows.push(std::iter::once(name.clone()).chain(counts(&level.total)).collect());
            for (distance, it) in level.levels.iter().enumerate() {
                by_call.rows.push([name.clone(), distance.into()].into_iter().chain(counts(it)).collect());
            }
        }
        let versions = self.texts(&target.versions)?;
        let fields = vec![
            ("pattern", text.into()),
            ("affected_versions", versions),
            ("affected_functions", target.functions.map(|it| it.len()).into()),
        ];
        let lists = vec![hit, by_dependency, by_certainty, by_call];
        Ok(Answer { question: Question::Blast, fields, lists, truncated: blast.truncated })
    }

    pub(super) fn texts(&self, versions: &[VersionId]) -> Result<Value, GraphError> {
        let texts: Result<Vec<String>, GraphError> =
            versions.iter().take(self.limit).map(|it| self.version_text(*it)).collect();
        Ok(Value::Texts(texts?))
    }
}

fn counts(level: &Level) -> [Value; 3] {
    [level.versions.into(), level.packages.into(), level.functions.into()]
}

/// A list whose first column counts the rows, from 0.
pub(super) fn levels(
    name: &'static str,
    rows: impl Iterator<Item = Vec<Value>>,
    columns: &'static [&'static str],
) -> List {
    let mut list = List::new(name, columns);
    list.rows = rows.enumerate().map(|(at, row)| std::iter::once(at.into()).chain(row).collect()).collect();
    list
}
