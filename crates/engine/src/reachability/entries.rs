//! Where running begins, and what may run from there.
//!
//! Some functions run without a call that anybody sees: a crate calls back implementations of its traits (`std` formats, compares and
//! drops), statics initialise themselves, and other languages call what is exported to them. Such functions *may* run in whatever is
//! compiled: a value of a type needs no function of its crate (`"x".parse::<other::Kind>()`, a variant, a constant). So may code that
//! this configuration leaves out, because another build, another platform or a build script's `cfg` may have it.

use cratekeeper_graph::{Closure, Definition, Graph, GraphError, NodeId, VersionId};
use cratekeeper_model::EntryKind;
use cratekeeper_model::graph::GraphTargetKind;

use super::{Surroundings, every};

/// Entry points, by when they run.
#[derive(Debug, Default)]
pub(super) struct Entries {
    normal: Vec<NodeId>,
    build: Vec<NodeId>,
    tests: Vec<NodeId>,
    members: usize,
}

impl Entries {
    pub(super) fn find(graph: &Graph, surroundings: &Surroundings) -> Result<Entries, GraphError> {
        let mut entries = Entries::default();
        for version in graph.versions() {
            let id = graph.entry(version)?.id;
            let is_member = surroundings.members.contains_key(&id);
            entries.members += usize::from(is_member);
            if !is_member && surroundings.is_left_out(&id) {
                continue;
            }
            for node in graph.functions_of(version)? {
                let function = graph.function(node)?;
                let Some(definition) = function.definition else { continue };
                match kind(&function.path, &definition, is_member) {
                    Some(EntryKind::Normal) => entries.normal.push(node),
                    Some(EntryKind::Build) => entries.build.push(node),
                    Some(EntryKind::Test) if surroundings.include_tests => entries.tests.push(node),
                    Some(EntryKind::Test) | None => {}
                }
            }
        }
        Ok(entries)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = NodeId> + '_ {
        EntryKind::ALL.into_iter().flat_map(|kind| self.of(kind)).copied()
    }

    pub(super) fn of(&self, kind: EntryKind) -> &[NodeId] {
        match kind {
            EntryKind::Normal => &self.normal,
            EntryKind::Build => &self.build,
            EntryKind::Test => &self.tests,
        }
    }

    /// Why nothing can be said, if that is so: a workspace without entry points was not read.
    pub(super) fn missing(&self) -> Option<&'static str> {
        if self.members == 0 {
            Some("no member of the workspace is part of the call graph")
        } else if self.normal.is_empty() && self.build.is_empty() && self.tests.is_empty() {
            Some("no entry point of the workspace was found")
        } else {
            None
        }
    }
}

/// When a function runs by itself, if it does.
fn kind(path: &str, definition: &Definition, is_member: bool) -> Option<EntryKind> {
    let attributes = definition.attributes;
    if !attributes.active {
        return None;
    }
    let is_main = path.split_once("::").is_some_and(|(_, rest)| rest == "main");
    if attributes.test || definition.target == GraphTargetKind::Test {
        return is_member.then_some(EntryKind::Test);
    }
    match definition.target {
        GraphTargetKind::Lib => (is_member && attributes.public).then_some(EntryKind::Normal),
        GraphTargetKind::Bin => (is_member && is_main).then_some(EntryKind::Normal),
        GraphTargetKind::BuildScript => is_main.then_some(EntryKind::Build),
        GraphTargetKind::ProcMacro => attributes.public.then_some(EntryKind::Build),
        GraphTargetKind::Test => None,
    }
}

/// Everything that may run: from entry points over all steps, from callbacks of whatever is compiled, and from what members
/// have for other configurations.
pub(super) fn possible(
    graph: &Graph,
    surroundings: &Surroundings,
    entries: &Entries,
) -> Result<Closure, GraphError> {
    let mut seeds: Vec<NodeId> = entries.all().collect();
    for version in graph.versions() {
        let id = graph.entry(version)?.id;
        let is_member = surroundings.members.contains_key(&id);
        if !is_member && surroundings.is_left_out(&id) {
            continue;
        }
        seeds.extend(callbacks(graph, version, surroundings.include_tests)?);
        if is_member {
            seeds.extend(of_other_configurations(graph, version, surroundings.include_tests)?);
        }
    }
    graph.reach(&seeds, every(surroundings.include_tests))
}

fn of_other_configurations(
    graph: &Graph,
    version: VersionId,
    tests: bool,
) -> Result<Vec<NodeId>, GraphError> {
    let mut found = Vec::new();
    for node in graph.functions_of(version)? {
        let Some(Definition { attributes, target, .. }) = graph.function(node)?.definition else { continue };
        let is_test = attributes.test || target == GraphTargetKind::Test;
        if !attributes.active && (tests || !is_test) {
            found.push(node);
        }
    }
    Ok(found)
}

/// Functions of a version that run without a call that is seen.
fn callbacks(graph: &Graph, version: VersionId, tests: bool) -> Result<Vec<NodeId>, GraphError> {
    let crate_name = graph.version(version)?.crate_name;
    let mut found = Vec::new();
    for node in graph.functions_of(version)? {
        let function = graph.function(node)?;
        let Some(Definition { attributes, target, .. }) = function.definition else { continue };
        // Programs, build scripts and libraries of one package are different crates; taking them for one only adds to what may run.
        let is_test = attributes.test || target == GraphTargetKind::Test;
        if (tests || !is_test)
            && (attributes.constant
                || attributes.exported_to_linker
                || attributes.in_trait_impl && !is_of_own_trait(&function.path, &crate_name))
        {
            found.push(node);
        }
    }
    Ok(found)
}

/// Whether `<Type as Trait>::method` is about a trait of this crate. Paths that cannot be taken apart are not.
fn is_of_own_trait(path: &str, crate_name: &str) -> bool {
    let of_trait = path.split_once(" as ").map(|(_, rest)| rest);
    of_trait.and_then(|it| it.strip_prefix(crate_name)).is_some_and(|rest| rest.starts_with("::"))
}
