//! What is not known of the calls that may run, and could lead to the affected functions.
//!
//! A method without known receiver leads to functions of its name only, in crates that its own can name: itself and those that it
//! depends on. A macro that was not understood may hide any call to those. One such call may lead to another, so that what leads to the
//! affected functions is extended until nothing is added. Values of types that a crate cannot name are covered by callbacks (`entries`).

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use cratekeeper_graph::{Closure, Filter, Graph, GraphError, NodeId, VersionId};
use cratekeeper_model::PackageId;
use cratekeeper_model::graph::UnresolvedReason;

use super::matching::AffectedPath;
use super::{Analysis, Unresolved, every, incomplete};

/// Gaps that are named one by one; the others are counted.
const NAMED: usize = 5;

/// How often what leads to the targets is extended by calls that are not understood. Each round crosses one such call; a
/// chain of more is made, not written.
const ROUNDS: usize = 64;

/// What leads to the targets, also over calls that are not understood.
struct Leading {
    /// Versions that have a function of this name that leads there.
    names: HashMap<String, BTreeSet<VersionId>>,
    /// An initialiser of a constant leads there.
    from_constants: bool,
}

impl Analysis<'_> {
    /// Why it is not certain that the targets, which nothing is known to call, are not called.
    pub(super) fn gaps(&self, targets: &[NodeId], affected: VersionId) -> Result<Vec<String>, GraphError> {
        let mut dependents = Dependents::default();
        let boundary = dependents.of(self.graph, affected)?.clone();
        let mut gaps = self.unread(&boundary)?;
        gaps.extend(self.calls_not_found(&boundary)?);
        gaps.extend(self.calls_not_understood(targets, &boundary, &mut dependents)?);
        Ok(gaps)
    }

    /// Versions at the boundary that were not wholly read.
    fn unread(&self, boundary: &BTreeSet<VersionId>) -> Result<Vec<String>, GraphError> {
        let mut gaps = Vec::new();
        for version in boundary {
            if self.surroundings.is_left_out(&self.graph.entry(*version)?.id) {
                continue;
            }
            if let Some(reason) = incomplete(self.graph, self.surroundings, *version)? {
                let name = self.graph.version(*version)?;
                gaps.push(format!(
                    "{} {}, which could call it, is not known completely: {reason}",
                    name.package, name.version
                ));
            }
        }
        // Of packages outside of the graph nobody knows what they depend on.
        let mut outside: Vec<String> = Vec::new();
        for (id, reason) in &self.surroundings.incomplete {
            if !self.ids.contains_key(id) && !self.surroundings.is_left_out(id) {
                outside.push(format!("`{}` is not part of the call graph: {reason}", id.as_str()));
            }
        }
        outside.sort();
        gaps.extend(shortened(outside, "more packages are not part of the call graph"));
        Ok(gaps)
    }

    /// Whether all that is known under a package's name is left out of the build.
    fn is_switched_off(&self, package: &str) -> bool {
        let of_name = |id: &&PackageId| {
            let name = id.as_str().rsplit('#').next().unwrap_or_default();
            name.split('@').next() == Some(package)
        };
        let mut known = self.surroundings.compiled.keys().filter(of_name).peekable();
        known.peek().is_some() && known.all(|id| self.surroundings.is_left_out(id))
    }

    /// Functions that are called and that no version has, in crates that could lead to the affected one.
    fn calls_not_found(&self, boundary: &BTreeSet<VersionId>) -> Result<Vec<String>, GraphError> {
        let mut gaps = Vec::new();
        for node in self.possible.nodes().filter(|it| it.number() as usize >= self.graph.function_count()) {
            let function = self.graph.function(node)?;
            let could_lead = match &function.version {
                Some(version) => boundary.contains(&version.id),
                None => !is_toolchain(&function.package) && !self.is_switched_off(&function.package),
            };
            if could_lead {
                gaps.push(format!("`{}` is called, and its code was not found", function.path));
            }
        }
        Ok(shortened(gaps, "more functions are called whose code was not found"))
    }

    /// Calls without known callee that may run and could lead to the targets, directly or over others of their kind.
    fn calls_not_understood(
        &self,
        targets: &[NodeId],
        boundary: &BTreeSet<VersionId>,
        dependents: &mut Dependents,
    ) -> Result<Vec<String>, GraphError> {
        // Also over what this build leaves out: more leads there than needed, never less.
        let back = Filter { active_only: false, ..every(true) };
        let mut seeds = targets.to_vec();
        for _ in 0..ROUNDS {
            let closure = self.graph.reached_from(&seeds, back)?;
            let leading = self.leading(&closure)?;
            let (mut gaps, mut is_new) = (Vec::new(), false);
            for unresolved in &self.unresolved {
                if self.could_lead(unresolved, &leading, boundary, dependents)? {
                    if self.possible.contains(unresolved.node) {
                        gaps.push(unresolved);
                    } else if !closure.contains(unresolved.node) {
                        seeds.push(unresolved.node);
                        is_new = true;
                    }
                }
            }
            if !gaps.is_empty() || !is_new {
                let sentences: Result<_, _> = gaps.into_iter().map(|it| self.sentence(it)).collect();
                return Ok(shortened(sentences?, "more calls are not understood that could lead to it"));
            }
        }
        Ok(vec![format!("more than {ROUNDS} calls that are not understood follow each other")])
    }

    fn leading(&self, closure: &Closure) -> Result<Leading, GraphError> {
        let mut leading = Leading { names: HashMap::new(), from_constants: false };
        for node in closure.nodes() {
            let path = AffectedPath::parse(&self.graph.path(node)?);
            if let Some(name) = path.and_then(|mut it| it.segments.pop())
                && let Some(version) = self.graph.version_of(node)?
            {
                leading.names.entry(name).or_default().insert(version);
            }
            let definition = self.graph.function(node)?.definition;
            leading.from_constants |= definition.is_some_and(|it| it.attributes.constant);
        }
        Ok(leading)
    }

    fn could_lead(
        &self,
        unresolved: &Unresolved,
        leading: &Leading,
        boundary: &BTreeSet<VersionId>,
        dependents: &mut Dependents,
    ) -> Result<bool, GraphError> {
        let at_boundary = boundary.contains(&unresolved.version);
        Ok(match unresolved.call.reason {
            UnresolvedReason::Macro | UnresolvedReason::CrateNotRead | UnresolvedReason::Limit => at_boundary,
            // What a value runs was counted where the value was made; but initialisers of constants run unseen.
            UnresolvedReason::Value => at_boundary && leading.from_constants,
            UnresolvedReason::PathNotFound
            | UnresolvedReason::ReceiverUnknown
            | UnresolvedReason::MethodNotFound => match written_name(&unresolved.call.callee) {
                None => at_boundary,
                Some(name) => {
                    for version in leading.names.get(name).into_iter().flatten() {
                        if dependents.of(self.graph, *version)?.contains(&unresolved.version) {
                            return Ok(true);
                        }
                    }
                    false
                }
            },
        })
    }

    fn sentence(&self, unresolved: &Unresolved) -> Result<String, GraphError> {
        let function = self.graph.function(unresolved.node)?;
        let file = function.definition.map(|it| it.file).unwrap_or_default();
        let callee: String = unresolved.call.callee.chars().take(80).collect();
        Ok(format!(
            "the call of `{callee}` in {} ({file}:{}) is not understood ({}) and could lead to it",
            self.graph.path_with_version(unresolved.node)?,
            unresolved.call.line,
            unresolved.call.reason.as_str(),
        ))
    }
}

/// Versions that can name what is in a version: itself and everything that depends on it.
#[derive(Debug, Default)]
struct Dependents(HashMap<VersionId, BTreeSet<VersionId>>);

impl Dependents {
    fn of(&mut self, graph: &Graph, version: VersionId) -> Result<&BTreeSet<VersionId>, GraphError> {
        if let Entry::Vacant(entry) = self.0.entry(version) {
            let mut dependents: BTreeSet<VersionId> =
                graph.dependents(&[version])?.transitive.into_iter().collect();
            dependents.insert(version);
            entry.insert(dependents);
        }
        Ok(&self.0[&version])
    }
}

/// The last segment of a callee as written: `.name` or a path. `None` when it is neither.
fn written_name(callee: &str) -> Option<&str> {
    let bare = callee.split(['<', '(', '!']).next().unwrap_or(callee).trim_end_matches(':').trim();
    let name = bare.rsplit(['.', ':']).next()?.trim().trim_start_matches("r#");
    let is_name = !name.is_empty() && name.chars().all(|it| it.is_alphanumeric() || it == '_');
    // Generic arguments in the middle hide what stands behind them.
    let is_whole = !callee.contains('<') || callee.trim_end().ends_with('>') && !callee.starts_with('<');
    (is_name && is_whole).then_some(name)
}

fn is_toolchain(package: &str) -> bool {
    matches!(package, "std" | "core" | "alloc" | "proc_macro" | "proc-macro" | "test")
}

/// The first few, and how many more there are.
fn shortened(mut sentences: Vec<String>, more: &str) -> Vec<String> {
    let further = sentences.len().saturating_sub(NAMED);
    sentences.truncate(NAMED);
    if further > 0 {
        sentences.push(format!("{further} {more}"));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::written_name;

    #[test]
    fn the_name_of_a_callee_is_its_last_segment() {
        for (callee, expected) in [
            (".decode", Some("decode")),
            ("a::b::decode", Some("decode")),
            ("decode", Some("decode")),
            ("Vec::<u8>::decode", None),
            ("decode::<u8>", Some("decode")),
            ("r#try", Some("try")),
            ("(self.f)", None),
            ("", None),
            ("<T as U>::decode", None),
        ] {
            assert_eq!(written_name(callee), expected, "{callee}");
        }
    }
}
