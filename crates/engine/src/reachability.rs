//! Whether a workspace can run what an advisory is about: reachable, not reachable, or unknown.
//!
//! Three sets of functions decide. What *certainly* runs is what entry points reach over calls that are certain. What *may* run also takes
//! candidates, implementations of traits, and callbacks that no call shows. What *leads there* is everything from which the affected
//! functions can be reached. An affected function that certainly runs is reachable. One that only may run is unknown, and so is one that a
//! call without known callee could lead to. Only what remains is not reachable, under [`assumptions`].
//!
//! It is pure over a store: nothing here reads a package or asks a network.

mod entries;
mod gaps;
pub mod matching;
mod routes;
mod workspace;

use std::collections::HashMap;
use std::path::PathBuf;

use cratekeeper_graph::{Closure, Filter, Graph, GraphError, NodeId, Reading as HowFar, Store, VersionId};
use cratekeeper_model::graph::{Certainty, UnresolvedCall};
use cratekeeper_model::{
    Absence, Advisory, AffectedFunction, DependencyKind, PackageId, Reachability, ReachabilityAnswer,
};
use semver::{Version, VersionReq};

use self::entries::Entries;
use self::matching::{AffectedPath, FunctionTable, Reading};

/// What is known of the workspace besides its calls.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Members of the workspace, with their directories where known.
    pub members: HashMap<PackageId, Option<PathBuf>>,
    /// Why each package is compiled; empty for those that are not, absent for those of which that is not known.
    pub compiled: HashMap<PackageId, Vec<DependencyKind>>,
    /// Packages that were not read, or not wholly, and why.
    pub incomplete: HashMap<PackageId, String>,
    /// Whether tests, examples and benchmarks of members are entry points too.
    pub include_tests: bool,
    /// Why it is not known what is compiled, as sentence fragments: with any, nothing is called unreachable.
    pub problems: Vec<String>,
}

impl Surroundings {
    /// Whether a package is known not to be part of what is looked at.
    fn is_left_out(&self, id: &PackageId) -> bool {
        self.compiled.get(id).is_some_and(|kinds| self.only_in_tests(kinds))
    }

    fn only_in_tests(&self, kinds: &[DependencyKind]) -> bool {
        kinds.iter().all(|it| *it == DependencyKind::Dev && !self.include_tests)
    }
}

/// Answers questions about one workspace; what all of them need is worked out once.
#[derive(Debug)]
pub struct Analysis<'a> {
    graph: &'a Graph,
    surroundings: &'a Surroundings,
    entries: Entries,
    certain: Closure,
    possible: Closure,
    /// Calls without known callee.
    unresolved: Vec<Unresolved>,
    ids: HashMap<PackageId, VersionId>,
}

/// A call without known callee.
#[derive(Debug)]
struct Unresolved {
    node: NodeId,
    version: VersionId,
    call: UnresolvedCall,
}

/// Functions that an advisory is about, in one version.
#[derive(Debug, Default)]
struct Targets {
    nodes: Vec<NodeId>,
    /// Groups of which any may be the one that is meant.
    ambiguous: Vec<(String, Vec<NodeId>)>,
    /// Why not all are known.
    missing: Vec<String>,
    /// Further assumptions that they need.
    by_type: bool,
}

impl<'a> Analysis<'a> {
    /// Works out what may run in a workspace. `graph` is a linked graph of `store`.
    ///
    /// # Errors
    ///
    /// When the store is damaged.
    pub fn new(
        store: &'a Store,
        graph: &'a Graph,
        surroundings: &'a Surroundings,
    ) -> Result<Analysis<'a>, GraphError> {
        let mut ids = HashMap::new();
        for version in graph.versions() {
            ids.insert(graph.entry(version)?.id, version);
        }
        let entries = Entries::find(graph, surroundings)?;
        let all: Vec<NodeId> = entries.all().collect();
        let certain = graph.reach(&all, certain(surroundings.include_tests))?;
        let possible = entries::possible(graph, surroundings, &entries)?;
        let unresolved = unresolved(store, graph, surroundings)?;
        Ok(Analysis { graph, surroundings, entries, certain, possible, unresolved, ids })
    }

    /// The answer for an advisory that affects a version.
    ///
    /// # Errors
    ///
    /// When the store is damaged.
    pub fn answer(&self, advisory: &Advisory, package: &PackageId) -> Result<Reachability, GraphError> {
        let answer = self.answer_believed(advisory, package)?;
        // Where the lockfile does not fit the manifests, nobody knows what is compiled.
        match self.surroundings.problems.first() {
            Some(problem) if answer.answer == ReachabilityAnswer::NotReachable => {
                Ok(Reachability::unknown(format!("it is not known what is compiled: {problem}")))
            }
            _ => Ok(answer),
        }
    }

    fn answer_believed(&self, advisory: &Advisory, package: &PackageId) -> Result<Reachability, GraphError> {
        if let Some(answer) = self.left_out(package) {
            return Ok(answer);
        }
        let Some(&version) = self.ids.get(package) else {
            let why = self.surroundings.incomplete.get(package);
            let why = why.map_or("it is not part of the call graph", String::as_str);
            return Ok(Reachability::unknown(format!("nothing is known of its functions: {why}")));
        };
        if let Some(reason) = self.entries.missing() {
            return Ok(Reachability::unknown(reason));
        }
        let targets = self.targets(advisory, version)?;
        self.judge(&targets, version)
    }

    /// The answer for what nothing compiles.
    fn left_out(&self, package: &PackageId) -> Option<Reachability> {
        let kinds = self.surroundings.compiled.get(package)?;
        if !self.surroundings.only_in_tests(kinds) {
            return None;
        }
        let (absence, assumption) = if kinds.is_empty() {
            let text = "it is built with the features and for the platform that were asked for, which leave this package out";
            (Absence::NotCompiled, text)
        } else {
            (Absence::NotCalled, "tests, examples and benchmarks, which alone use it, are left out")
        };
        Some(Reachability {
            answer: ReachabilityAnswer::NotReachable,
            absence: Some(absence),
            assumptions: vec![assumption.to_owned()],
            reasons: Vec::new(),
            paths: Vec::new(),
        })
    }

    fn targets(&self, advisory: &Advisory, version: VersionId) -> Result<Targets, GraphError> {
        let graph = self.graph;
        let nodes: Vec<NodeId> = graph.functions_of(version)?.collect();
        let name = graph.version(version)?;
        let mut targets = Targets::default();
        let paths: Vec<String> = nodes.iter().map(|it| graph.path(*it)).collect::<Result<_, _>>()?;
        let functions = affected(advisory, &name.version);
        if functions.is_empty() {
            // All of it but its tests: whatever runs of a crate counts.
            for node in nodes {
                let test = graph.function(node)?.definition.is_some_and(|it| it.attributes.test);
                targets.nodes.extend((!test).then_some(node));
            }
            targets.by_type = true;
            targets.missing.push(
                "the advisory names no function, and types, constants and macros of the crate are used without a call"
                    .to_owned(),
            );
            if targets.nodes.is_empty() {
                targets.missing.push("the package has no functions that were read".to_owned());
            }
            return Ok(targets);
        }
        let table = FunctionTable::new(&name.crate_name, &paths);
        for function in functions {
            let found = AffectedPath::parse(&function.path).and_then(|it| table.find(&it));
            let Some(found) = found else {
                targets.missing.push(format!("`{}` was not found in {}", function.path, name.version));
                continue;
            };
            let found_nodes = found.functions.iter().filter_map(|it| nodes.get(*it as usize)).copied();
            targets.by_type |= matches!(found.reading, Reading::Type | Reading::Module);
            match found.reading {
                Reading::Ambiguous => targets.ambiguous.push((function.path.clone(), found_nodes.collect())),
                _ => targets.nodes.extend(found_nodes),
            }
        }
        Ok(targets)
    }

    fn judge(&self, targets: &Targets, version: VersionId) -> Result<Reachability, GraphError> {
        let surely = |it: &NodeId| self.certain.contains(*it);
        let reached: Vec<NodeId> = targets.nodes.iter().copied().filter(surely).collect();
        let all_of_a_group = targets.ambiguous.iter().find(|(_, group)| group.iter().all(surely));
        let reached = match all_of_a_group {
            Some((_, group)) if reached.is_empty() => group.clone(),
            _ => reached,
        };
        if !reached.is_empty() {
            return Ok(Reachability {
                answer: ReachabilityAnswer::Reachable,
                absence: None,
                assumptions: Vec::new(),
                reasons: Vec::new(),
                paths: self.ways(&reached)?,
            });
        }
        let all: Vec<NodeId> =
            targets.nodes.iter().chain(targets.ambiguous.iter().flat_map(|(_, it)| it)).copied().collect();
        let mut reasons = targets.missing.clone();
        let possible: Vec<NodeId> = all.iter().copied().filter(|it| self.possible.contains(*it)).collect();
        let mut paths = Vec::new();
        if !possible.is_empty() {
            paths = self.possible_way(&possible)?;
            reasons.extend(self.why_only_possible(targets, &paths));
        }
        // Where a way may exist, what else might lead there adds nothing.
        if possible.is_empty() {
            reasons.extend(self.gaps(&all, version)?);
        }
        Ok(if reasons.is_empty() {
            Reachability {
                answer: ReachabilityAnswer::NotReachable,
                absence: Some(Absence::NotCalled),
                assumptions: assumptions(self.surroundings, targets.by_type),
                reasons,
                paths,
            }
        } else {
            Reachability {
                answer: ReachabilityAnswer::Unknown,
                absence: None,
                assumptions: Vec::new(),
                reasons,
                paths,
            }
        })
    }

    fn why_only_possible(&self, targets: &Targets, paths: &[cratekeeper_model::CallPath]) -> Vec<String> {
        let several = targets.ambiguous.iter().find(|(_, it)| it.iter().any(|it| self.certain.contains(*it)));
        if let Some((path, group)) = several {
            return vec![format!(
                "`{path}` may mean any of {} functions, and not all of them are reached",
                group.len()
            )];
        }
        vec![match paths {
            [] => "it can only be reached through a function that nobody is seen to call: an implementation of another \
                   crate's trait, a constant, or a function for other languages"
                .to_owned(),
            _ => "the only ways to it lead over calls that are not certain".to_owned(),
        }]
    }
}

/// What "not reachable" rests on.
#[must_use]
pub fn assumptions(surroundings: &Surroundings, by_type: bool) -> Vec<String> {
    let mut assumptions = vec![
        "what runs begins at public functions of the workspace's libraries, `main` of its programs, build scripts and \
         procedural macros"
            .to_owned(),
        "what a library passes on to its users (`pub use`, types in its signatures, macros) is not called by them".to_owned(),
        "packages that features or the platform switch off in this build are not part of it, and code that they switch off \
         calls nothing but what it is seen to call"
            .to_owned(),
        "a function that is called through a value runs where the value is made".to_owned(),
        "a call without known callee leads to functions of the name that is written there, in crates that its own depends on"
            .to_owned(),
        "foreign code calls only functions that are exported to it".to_owned(),
    ];
    if !surroundings.include_tests {
        assumptions.push("tests, examples and benchmarks are left out".to_owned());
    }
    if by_type {
        assumptions.push("types are used through their functions".to_owned());
    }
    assumptions
}

/// The affected functions of a version. Ranges that leave out a version that the advisory affects all the same are not believed.
fn affected<'a>(advisory: &'a Advisory, version: &str) -> Vec<&'a AffectedFunction> {
    let version = Version::parse(version).ok();
    let is_affected =
        |it: &&AffectedFunction| version.as_ref().is_none_or(|version| in_ranges(&it.versions, version));
    let of_version: Vec<&AffectedFunction> = advisory.functions.iter().filter(is_affected).collect();
    if of_version.is_empty() { advisory.functions.iter().collect() } else { of_version }
}

/// Whether any of the ranges has the version; no ranges are all versions. What cannot be read has every version.
#[must_use]
pub fn in_ranges(ranges: &[String], version: &Version) -> bool {
    // Requirements never match pre-releases by themselves, and one of an affected version is affected.
    let release = Version::new(version.major, version.minor, version.patch);
    let matches = |range: &String| {
        VersionReq::parse(range).map_or(true, |it| it.matches(version) || it.matches(&release))
    };
    ranges.is_empty() || ranges.iter().any(matches)
}

/// Steps that are certain, in this build.
fn certain(tests: bool) -> Filter {
    Filter { weakest: Certainty::Typed, active_only: true, tests, implementations: false }
}

/// All steps that may be taken, in any build.
fn every(tests: bool) -> Filter {
    Filter { weakest: Certainty::Name, active_only: false, tests, implementations: true }
}

/// All calls without known callee in what is compiled.
fn unresolved(
    store: &Store,
    graph: &Graph,
    surroundings: &Surroundings,
) -> Result<Vec<Unresolved>, GraphError> {
    let mut found = Vec::new();
    for version in graph.versions() {
        let is_left_out = surroundings.is_left_out(&graph.entry(version)?.id);
        let nodes: Vec<NodeId> = graph.functions_of(version)?.collect();
        if is_left_out || nodes.iter().all(|it| graph.unresolved_calls(*it) == 0) {
            continue;
        }
        let (_, calls) = store.call_graph(graph.version(version)?.number)?;
        // Twins of one path under different conditions count alike, so each of them has the calls of all.
        let mut by_path: HashMap<String, Vec<NodeId>> = HashMap::new();
        for node in nodes {
            by_path.entry(graph.path(node)?).or_default().push(node);
        }
        for call in calls.unresolved {
            let caller = calls.functions.get(call.caller as usize).and_then(|it| by_path.get(&it.path));
            // What another configuration calls is followed where it is known; what is not known of it is an assumption.
            let function = calls.functions.get(call.caller as usize);
            if function.is_some_and(|it| !it.attributes.active) {
                continue;
            }
            let twins = caller.into_iter().flatten();
            found.extend(twins.map(|&node| Unresolved { node, version, call: call.clone() }));
        }
    }
    Ok(found)
}

/// How far a version was read, if not wholly.
fn incomplete(
    graph: &Graph,
    surroundings: &Surroundings,
    version: VersionId,
) -> Result<Option<String>, GraphError> {
    let entry = graph.entry(version)?;
    if let Some(reason) = surroundings.incomplete.get(&entry.id) {
        return Ok(Some(reason.clone()));
    }
    Ok(match entry.reading {
        HowFar::Complete => None,
        HowFar::Partial => Some("it was read in part".to_owned()),
        HowFar::Refused(reason) => Some(format!("it was refused: {reason}")),
    })
}

#[cfg(test)]
mod tests;
