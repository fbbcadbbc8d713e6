//! Versions and packages: dependents, dependencies, rankings, the latest, duplicates.

use std::collections::{BTreeMap, HashSet, VecDeque};

use cratekeeper_model::DependencyKind;

use super::reach::levels;
use super::{Answer, Asker, List, Question, Value};
use crate::{DependencyKinds, GraphError, VersionId};

/// What a ranking counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranking {
    /// Versions that depend on a package directly.
    Direct,
    /// Versions that depend on a package at all.
    Transitive,
    /// Unsafe items of the latest version of a package.
    Unsafe,
}

const DEPENDENCIES: &[&str] = &["of", "package", "version", "kinds", "distance"];

impl Asker<'_> {
    /// Who depends on the versions of a pattern: directly, or at all.
    ///
    /// # Errors
    ///
    /// When the pattern stands for nothing, or the index is damaged.
    pub fn dependents(&self, pattern: &str, transitive: bool) -> Result<Answer, GraphError> {
        let versions = self.versions(pattern)?;
        let found = self.graph.dependents(&versions)?;
        let mut list = List::new("dependents", &["package", "version", "direct"]);
        let mut truncated = false;
        let direct: HashSet<VersionId> = found.direct.iter().copied().collect();
        let shown = if transitive { found.transitive.clone() } else { found.direct.clone() };
        for version in self.first(shown, &mut truncated) {
            let name = self.graph.version(version)?;
            list.rows.push(vec![name.package.into(), name.version.into(), direct.contains(&version).into()]);
        }
        let levels = levels(
            "levels",
            found.levels.iter().map(|it| vec![it.versions.into(), it.packages.into()]),
            &["distance", "versions", "packages"],
        );
        let fields = vec![
            ("pattern", pattern.into()),
            ("versions", self.texts(&versions)?),
            ("direct_versions", found.direct.len().into()),
            ("direct_packages", found.direct_packages.into()),
            ("transitive_versions", found.transitive.len().into()),
            ("transitive_packages", found.transitive_packages.into()),
        ];
        Ok(Answer { question: Question::Dependents, fields, lists: vec![list, levels], truncated })
    }

    /// What the versions of a pattern depend on: directly, or at all. Development dependencies of dependencies are nobody's.
    ///
    /// # Errors
    ///
    /// When the pattern stands for nothing, or the index is damaged.
    pub fn dependencies(&self, pattern: &str, transitive: bool) -> Result<Answer, GraphError> {
        let versions = self.versions(pattern)?;
        let mut list = List::new("dependencies", DEPENDENCIES);
        for start in &versions {
            let of = self.version_text(*start)?;
            let mut seen: HashSet<VersionId> = HashSet::from([*start]);
            let mut open = VecDeque::from([(*start, 0_u64)]);
            while let Some((version, distance)) = open.pop_front() {
                for (dependency, kinds) in self.graph.dependencies(version)? {
                    if distance > 0 && kinds.is_only_dev() || !seen.insert(dependency) {
                        continue;
                    }
                    if transitive {
                        open.push_back((dependency, distance + 1));
                    }
                    let name = self.graph.version(dependency)?;
                    list.rows.push(vec![
                        of.as_str().into(),
                        name.package.into(),
                        name.version.into(),
                        kind_names(kinds),
                        (distance + 1).into(),
                    ]);
                }
                if list.rows.len() > self.limit {
                    break;
                }
            }
        }
        let truncated = list.rows.len() > self.limit;
        list.rows.truncate(self.limit);
        let fields = vec![("pattern", pattern.into()), ("versions", self.texts(&versions)?)];
        Ok(Answer { question: Question::Dependencies, fields, lists: vec![list], truncated })
    }

    /// The first of a ranking.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn top(&self, by: Ranking) -> Result<Answer, GraphError> {
        let mut list = List::new("top", &["package", "version", "versions", "packages", "unsafe_items"]);
        let name = match by {
            Ranking::Direct => "direct",
            Ranking::Transitive => "transitive",
            Ranking::Unsafe => "unsafe",
        };
        if by == Ranking::Unsafe {
            let latest = self.graph.latest_versions()?;
            for (version, items) in self.graph.top_unsafe(&latest, self.limit)? {
                let name = self.graph.version(version)?;
                let start = [name.package.into(), name.version.into()];
                list.rows
                    .push(start.into_iter().chain([Value::Absent, Value::Absent, items.into()]).collect());
            }
        } else {
            let top = match by {
                Ranking::Direct => self.graph.top_by_direct_dependents(self.limit)?,
                _ => self.graph.top_by_transitive_dependents(self.limit)?,
            };
            list.rows.extend(top.into_iter().map(|it| {
                let counts = [it.versions.into(), it.packages.into(), Value::Absent];
                [it.package.into(), Value::Absent].into_iter().chain(counts).collect()
            }));
        }
        let truncated = list.rows.len() >= self.limit;
        Ok(Answer {
            question: Question::Top,
            fields: vec![("by", name.into())],
            lists: vec![list],
            truncated,
        })
    }

    /// The latest version of each package.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn latest(&self) -> Result<Answer, GraphError> {
        let latest = self.graph.latest_versions()?;
        let (packages, mut truncated) = (latest.len(), false);
        let mut list = List::new("latest", &["package", "version", "unsafe_items", "yanked"]);
        for version in self.first(latest, &mut truncated) {
            let name = self.graph.version(version)?;
            let entry = self.graph.entry(version)?;
            let items = entry.unsafe_items.total();
            list.rows.push(vec![name.package.into(), name.version.into(), items.into(), entry.yanked.into()]);
        }
        let fields = vec![("packages", packages.into())];
        Ok(Answer { question: Question::Latest, fields, lists: vec![list], truncated })
    }

    /// Packages of which the table has several versions.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn duplicates(&self) -> Result<Answer, GraphError> {
        let duplicates = self.graph.duplicates()?;
        let (packages, mut truncated) = (duplicates.len(), false);
        let mut list = List::new("duplicates", &["package", "count", "versions", "incompatible"]);
        for it in self.first(duplicates, &mut truncated) {
            let mut versions = Vec::new();
            // What cargo would not unify: the first number that is not zero differs.
            let mut lines: BTreeMap<String, ()> = BTreeMap::new();
            for version in &it.versions {
                let text = self.graph.version(*version)?.version;
                lines.insert(compatible_line(&text), ());
                versions.push(text);
            }
            let count = versions.len().into();
            list.rows.push(vec![it.package.into(), count, Value::Texts(versions), lines.len().into()]);
        }
        let fields = vec![("packages", packages.into())];
        Ok(Answer { question: Question::Duplicates, fields, lists: vec![list], truncated })
    }
}

/// The numbers of a version that cargo's caret requirements fix.
fn compatible_line(version: &str) -> String {
    let numbers = version.split(['-', '+']).next().unwrap_or("").split('.');
    let mut line = String::new();
    for number in numbers {
        line.push_str(number);
        if number != "0" {
            break;
        }
        line.push('.');
    }
    line
}

fn kind_names(kinds: DependencyKinds) -> Value {
    let all =
        [(DependencyKind::Normal, "normal"), (DependencyKind::Build, "build"), (DependencyKind::Dev, "dev")];
    Value::Texts(all.into_iter().filter(|it| kinds.contains(it.0)).map(|it| it.1.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::compatible_line;

    #[test]
    fn versions_that_cargo_unifies_have_the_same_line() {
        let check = |version, expect| assert_eq!(compatible_line(version), expect);
        check("1.2.3", "1");
        check("0.2.3-alpha.1", "0.2");
        check("0.0.3", "0.0.3");
        check("0.0.0", "0.0.0.");
    }
}
