//! Which features and optional dependencies are on: what members ask for, followed to its end.
//!
//! A list of tasks instead of recursion, since features of hostile packages may refer to each other as deep as they like. Everything
//! is only ever switched on, and each task is done once, so the order does not matter and the end is reached: there are no
//! more tasks than pairs of a package and a text in a manifest. A hostile manifest can still make these pairs many, so the steps are
//! limited.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::graph::{Edge, Graph};
use super::value::Value;
use super::{FeatureSelection, Resolver, Usage};

/// Most steps: some seconds. A step is one value of one feature, of which a lockfile has some ten thousand.
const STEPS: u32 = 20_000_000;

/// The state of all packages while features are followed.
pub(super) struct Activation<'g, 'a> {
    graph: &'g Graph<'a>,
    resolver: Resolver,
    /// By package and usage.
    states: Vec<[State<'a>; 2]>,
    pending: Vec<Task<'a>>,
    /// Values for dependencies that were followed: each again would lead to the same.
    followed: HashSet<Task<'a>>,
    /// Steps that are left.
    steps: u32,
}

/// What is on in one package.
#[derive(Default)]
struct State<'a> {
    /// Whether something depends on it.
    is_entered: bool,
    features: BTreeSet<&'a str>,
    /// Keys of optional dependencies.
    dependencies: BTreeSet<&'a str>,
    /// Features for optional dependencies, for when they are switched on.
    waiting: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Something to switch on in a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Task<'a> {
    package: usize,
    usage: Usage,
    value: Value<'a>,
}

impl<'g, 'a: 'g> Activation<'g, 'a> {
    pub(super) fn new(graph: &'g Graph<'a>, resolver: Resolver) -> Activation<'g, 'a> {
        let states = graph.nodes.iter().map(|_| Default::default()).collect();
        Activation { graph, resolver, states, pending: Vec::new(), followed: HashSet::new(), steps: STEPS }
    }

    /// Switches on what the command line asks of a member.
    pub(super) fn select(&mut self, member: usize, selection: &'a FeatureSelection) {
        let node = &self.graph.nodes[member];
        let mut values: Vec<Value<'a>> = Vec::new();
        if selection.all {
            values.extend(node.features.keys().map(|name| Value::Feature(name)));
        } else {
            values.extend(selection.features.iter().filter_map(|text| self.selected(member, text)));
            if selection.default {
                values.push(Value::Feature("default"));
            }
        }
        let macro_usage = node.is_proc_macro().then_some(Usage::Host);
        for usage in std::iter::once(Usage::Target).chain(macro_usage) {
            self.enter(member, usage);
            for value in &values {
                self.push(member, usage, *value);
            }
        }
    }

    /// What a text of `--features` asks of this member, if anything: members that lack a feature are left alone.
    fn selected(&self, member: usize, text: &'a str) -> Option<Value<'a>> {
        let node = &self.graph.nodes[member];
        match Value::parse(text) {
            Value::OfDependency { key, feature, weak: false } if key == node.name => {
                Some(Value::Feature(feature))
            }
            value @ Value::OfDependency { key, .. } => node.keyed(key).next().map(|_| value),
            Value::Feature(name) => node.features.contains_key(name).then_some(Value::Feature(name)),
            Value::Dependency(_) => None,
        }
    }

    /// Follows everything; `false` if that took too many steps, and not all that would be on is.
    pub(super) fn run(&mut self) -> bool {
        while let Some(Task { package, usage, value }) = self.pending.pop() {
            match value {
                Value::Feature(name) => self.feature(package, usage, name),
                Value::Dependency(key) => self.dependency(package, usage, key),
                Value::OfDependency { key, feature, weak } => {
                    self.of_dependency(package, usage, key, feature, weak);
                }
            }
        }
        self.steps > 0
    }

    /// Features that are on; `None` if nothing needs the package for this.
    pub(super) fn features(&self, package: usize, usage: Usage) -> Option<&BTreeSet<&'a str>> {
        let state = self.state(package, usage);
        state.is_entered.then_some(&state.features)
    }

    /// Whether a dependency is compiled with its package.
    pub(super) fn is_enabled(&self, package: usize, edge: &Edge<'a>, usage: Usage) -> bool {
        edge.to.is_some() && self.is_wanted(package, edge, usage)
    }

    /// Whether a dependency would be compiled with its package if it were there: its platform fits, and nothing is missing to
    /// switch it on.
    pub(super) fn is_wanted(&self, package: usize, edge: &Edge<'a>, usage: Usage) -> bool {
        let state = self.state(package, usage);
        state.is_entered
            && edge.has_platform(usage)
            && self.takes_part(package, edge)
            && (!edge.dependency.optional || state.dependencies.contains(edge.dependency.name.as_str()))
    }

    /// What is on is kept for both usages together where they are unified.
    fn slot(&self, usage: Usage) -> usize {
        match self.resolver {
            Resolver::Unified => 0,
            Resolver::Separate => usage as usize,
        }
    }

    fn state(&self, package: usize, usage: Usage) -> &State<'a> {
        &self.states[package][self.slot(usage)]
    }

    fn state_mut(&mut self, package: usize, usage: Usage) -> &mut State<'a> {
        let slot = self.slot(usage);
        &mut self.states[package][slot]
    }

    /// Only members' tests are built, and only where that is asked for.
    fn takes_part(&self, package: usize, edge: &Edge<'a>) -> bool {
        !edge.is_dev() || (self.graph.nodes[package].is_member && self.graph.dev_dependencies)
    }

    /// Whether features are followed through a dependency. When all is unified, they are even through those of other
    /// platforms, and of tests that are not built.
    fn is_followed(&self, package: usize, edge: &Edge<'a>, usage: Usage) -> bool {
        match self.resolver {
            Resolver::Unified => !edge.is_dev() || self.graph.nodes[package].is_member,
            Resolver::Separate => edge.has_platform(usage) && self.takes_part(package, edge),
        }
    }

    fn push(&mut self, package: usize, usage: Usage, value: Value<'a>) {
        if self.step() {
            self.pending.push(Task { package, usage, value });
        }
    }

    fn step(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// Something depends on the package: so do, in turn, its dependencies that are not optional.
    fn enter(&mut self, package: usize, usage: Usage) {
        let mut entered = vec![(package, usage)];
        while let Some((package, usage)) = entered.pop() {
            if std::mem::replace(&mut self.state_mut(package, usage).is_entered, true) {
                continue;
            }
            let graph = self.graph;
            for edge in graph.nodes[package].edges.iter().filter(|edge| !edge.dependency.optional) {
                if let Some(next) = self.follow(package, edge, usage) {
                    entered.push(next);
                }
            }
        }
    }

    /// Switches on in a dependency what its entry asks for. Gives the package and what it is used for.
    fn follow(&mut self, package: usize, edge: &'g Edge<'a>, usage: Usage) -> Option<(usize, Usage)> {
        let to = edge.to.filter(|_| self.is_followed(package, edge, usage))?;
        let usage = self.graph.usage_of(to, edge, usage);
        if edge.dependency.default_features {
            self.push(to, usage, Value::Feature("default"));
        }
        for feature in &edge.dependency.features {
            self.push(to, usage, Value::parse(feature));
        }
        Some((to, usage))
    }

    fn feature(&mut self, package: usize, usage: Usage, name: &'a str) {
        let graph = self.graph;
        // Cargo refuses a feature that is not there, unless it is `default`.
        let Some(values) = graph.nodes[package].features.get(name) else { return };
        if self.state_mut(package, usage).features.insert(name) {
            for value in values {
                self.push(package, usage, *value);
            }
        }
    }

    fn dependency(&mut self, package: usize, usage: Usage, key: &'a str) {
        let state = self.state_mut(package, usage);
        if !state.dependencies.insert(key) {
            return;
        }
        let waiting = state.waiting.remove(key).unwrap_or_default();
        let graph = self.graph;
        for edge in graph.nodes[package].keyed(key) {
            if let Some((to, of)) = self.follow(package, edge, usage) {
                for feature in &waiting {
                    self.push(to, of, Value::parse(feature));
                }
                self.enter(to, of);
            }
        }
    }

    fn of_dependency(&mut self, package: usize, usage: Usage, key: &'a str, feature: &'a str, weak: bool) {
        let value = Value::OfDependency { key, feature, weak };
        if !self.followed.insert(Task { package, usage, value }) {
            return;
        }
        let graph = self.graph;
        // One key may stand in any number of tables for platforms, and each time counts.
        for edge in graph.nodes[package].keyed(key) {
            let Some(to) = edge.to.filter(|_| self.is_followed(package, edge, usage)) else { continue };
            if !self.step() {
                return;
            }
            if edge.dependency.optional {
                let state = self.state_mut(package, usage);
                if weak && !state.dependencies.contains(key) {
                    state.waiting.entry(key).or_default().push(feature);
                    continue;
                }
                self.push(package, usage, Value::Dependency(key));
                if !weak {
                    // Before there was `dep:`, the only way to switch a dependency on was the feature of its name.
                    self.push(package, usage, Value::Feature(key));
                }
            }
            let of = graph.usage_of(to, edge, usage);
            self.push(to, of, Value::parse(feature));
        }
    }
}
