//! Callers, callees, and the ways between functions.

use std::collections::HashMap;

use super::{Answer, Asker, List, Question, Value, certainty};
use crate::{GraphError, Limits, Neighbourhood, NodeId, StepKind};

const CALLS: &[&str] =
    &["distance", "caller", "callee", "kind", "certainty", "file", "line", "in_unsafe", "active"];
const STEPS: &[&str] = &["route", "step", "caller", "callee", "kind", "certainty", "file", "line"];

/// Kind of a step from a trait's method to what a call of it may run.
const IMPLEMENTATION: &str = "implementation";

impl Asker<'_> {
    /// Who calls the functions of a pattern, directly or through at most `depth` calls.
    ///
    /// # Errors
    ///
    /// When the pattern stands for nothing, or the index is damaged.
    pub fn callers(&self, pattern: &str, depth: u32) -> Result<Answer, GraphError> {
        let nodes = self.nodes(pattern)?;
        let found = self.graph.callers(&nodes, &self.limits(depth))?;
        self.neighbours(Question::Callers, pattern, nodes.len(), depth, &found)
    }

    /// What the functions of a pattern call, directly or through at most `depth` calls.
    ///
    /// # Errors
    ///
    /// When the pattern stands for nothing, or the index is damaged.
    pub fn callees(&self, pattern: &str, depth: u32) -> Result<Answer, GraphError> {
        let nodes = self.nodes(pattern)?;
        let found = self.graph.callees(&nodes, &self.limits(depth))?;
        self.neighbours(Question::Callees, pattern, nodes.len(), depth, &found)
    }

    fn limits(&self, depth: u32) -> Limits {
        // A call has at most as many neighbours as there are calls; the rows are counted again below.
        Limits { depth, nodes: usize::MAX, links: self.limit.saturating_add(1), filter: self.filter }
    }

    fn neighbours(
        &self,
        question: Question,
        pattern: &str,
        functions: usize,
        depth: u32,
        found: &Neighbourhood,
    ) -> Result<Answer, GraphError> {
        let distances: HashMap<NodeId, u32> = found.reached.iter().map(|it| (it.node, it.distance)).collect();
        let mut list = List::new("calls", CALLS);
        let mut previous = None;
        for link in &found.links {
            // Calls of one function by another on several lines are one link for each; their sites come together.
            if previous.replace((link.caller, link.callee)) == Some((link.caller, link.callee)) {
                continue;
            }
            let near = if question == Question::Callers { link.callee } else { link.caller };
            let distance = distances.get(&near).map_or(0, |it| it + 1);
            let start: [Value; 3] =
                [distance.into(), self.function(link.caller)?, self.function(link.callee)?];
            let file = self.place(link.caller)?[0].clone();
            if link.kind == StepKind::Implementation {
                let end = [IMPLEMENTATION.into(), certainty(link.certainty), Value::Absent, Value::Absent];
                list.rows
                    .push(start.into_iter().chain(end).chain([false.into(), link.active.into()]).collect());
                continue;
            }
            for site in self.graph.call_sites(link.caller, link.callee)? {
                if site.certainty > self.filter.weakest || self.filter.active_only && !site.active {
                    continue;
                }
                let end = [
                    site.kind.as_str().into(),
                    certainty(site.certainty),
                    file.clone(),
                    site.line.into(),
                    site.in_unsafe.into(),
                    site.active.into(),
                ];
                list.rows.push(start.clone().into_iter().chain(end).collect());
            }
        }
        let truncated = found.truncated || list.rows.len() > self.limit;
        list.rows.truncate(self.limit);
        let fields = vec![
            ("pattern", pattern.into()),
            ("functions", functions.into()),
            ("depth", depth.into()),
            ("deeper", found.deeper.into()),
        ];
        Ok(Answer { question, fields, lists: vec![list], truncated })
    }

    /// The `count` shortest ways from the functions of one pattern to those of another, of at most `longest` calls.
    ///
    /// # Errors
    ///
    /// When a pattern stands for nothing, or the index is damaged.
    pub fn paths(&self, from: &str, to: &str, count: usize, longest: u32) -> Result<Answer, GraphError> {
        let (starts, ends) = (self.nodes(from)?, self.nodes(to)?);
        let found = self.graph.paths(&starts, &ends, count, longest, self.filter)?;
        let mut steps = List::new("steps", STEPS);
        let mut routes = List::new("routes", &["route", "length", "certainty", "from", "to"]);
        for (position, route) in found.routes.iter().enumerate() {
            let number: Value = (position + 1).into();
            let end = route.steps.last().map_or(route.start, |it| it.callee);
            routes.rows.push(vec![
                number.clone(),
                route.steps.len().into(),
                certainty(route.certainty()),
                self.function(route.start)?,
                self.function(end)?,
            ]);
            for (position, step) in route.steps.iter().enumerate() {
                let is_call = step.step == StepKind::Call;
                steps.rows.push(vec![
                    number.clone(),
                    (position + 1).into(),
                    self.function(step.caller)?,
                    self.function(step.callee)?,
                    if is_call { step.kind.as_str() } else { IMPLEMENTATION }.into(),
                    certainty(step.certainty),
                    if is_call { self.place(step.caller)?[0].clone() } else { Value::Absent },
                    step.line.into(),
                ]);
            }
        }
        let fields = vec![
            ("from", from.into()),
            ("to", to.into()),
            ("from_functions", starts.len().into()),
            ("to_functions", ends.len().into()),
            ("found", found.routes.len().into()),
        ];
        Ok(Answer {
            question: Question::Path,
            fields,
            lists: vec![steps, routes],
            truncated: found.truncated,
        })
    }
}
