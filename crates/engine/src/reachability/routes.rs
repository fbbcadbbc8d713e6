//! Ways from entry points to affected functions, as people read them.

use cratekeeper_graph::{Filter, Graph, GraphError, NodeId, Route, Step};
use cratekeeper_model::graph::Certainty;
use cratekeeper_model::{CallFrom, CallPath, CallStep, EntryKind};

use super::{Analysis, certain, every};

/// Longest way that is looked for: what the graph allows. Real shortest ways have some dozens of steps at most.
const LONGEST: u32 = 250;

impl Analysis<'_> {
    /// The shortest ways over certain calls: over exact ones, and over typed ones where that is shorter.
    pub(super) fn ways(&self, targets: &[NodeId]) -> Result<Vec<CallPath>, GraphError> {
        let filter = certain(self.surroundings.include_tests);
        let mut ways: Vec<CallPath> = Vec::new();
        for weakest in [Certainty::Exact, Certainty::Typed] {
            if let Some(way) = self.shortest(targets, Filter { weakest, ..filter })?
                && ways.iter().all(|it| way.steps.len() < it.steps.len())
            {
                ways.push(way);
            }
        }
        Ok(ways)
    }

    /// The shortest way that may be taken.
    pub(super) fn possible_way(&self, targets: &[NodeId]) -> Result<Vec<CallPath>, GraphError> {
        Ok(self.shortest(targets, every(self.surroundings.include_tests))?.into_iter().collect())
    }

    /// What is built first, then what builds it, then tests.
    fn shortest(&self, targets: &[NodeId], filter: Filter) -> Result<Option<CallPath>, GraphError> {
        for entry in EntryKind::ALL {
            let found = self.graph.paths(self.entries.of(entry), targets, 1, LONGEST, filter)?;
            if let Some(route) = found.routes.first() {
                return self.way(route, entry).map(Some);
            }
        }
        Ok(None)
    }

    fn way(&self, route: &Route, entry: EntryKind) -> Result<CallPath, GraphError> {
        let mut steps = vec![self.step(self.graph, route.start, None)?];
        for step in &route.steps {
            steps.push(self.step(self.graph, step.callee, Some(step))?);
        }
        Ok(CallPath { certainty: route.certainty(), entry, steps })
    }

    fn step(&self, graph: &Graph, node: NodeId, from: Option<&Step>) -> Result<CallStep, GraphError> {
        let function = graph.function(node)?;
        let id = match &function.version {
            Some(version) => Some(graph.entry(version.id)?.id),
            None => None,
        };
        let member = id.and_then(|id| self.surroundings.members.get(&id));
        let directory = member.and_then(Option::as_ref);
        let (file, line) = function.definition.map_or((None, None), |it| (Some(it.file), Some(it.line)));
        Ok(CallStep {
            function: graph.path_with_version(node)?,
            package: function.package,
            version: function.version.map(|it| it.version),
            is_local: member.is_some(),
            file: file.map(|file| match directory {
                Some(directory) => directory.join(&file).to_string_lossy().replace('\\', "/"),
                None => file,
            }),
            line,
            call: from.map(|it| CallFrom { line: it.line, kind: it.kind, certainty: it.certainty }),
        })
    }
}
