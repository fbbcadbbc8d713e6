//! When functions run: from the entries of each kind of target along the calls inside the package.

use std::collections::{HashMap, HashSet, VecDeque};

use cratekeeper_model::facts::{Call, CallKind, Function, FunctionContainer, Phase, SourceFile, TargetKind};

use super::interpret::Edge;
use super::ir::Expression;
use super::program::{Modules, Program, last_name};

/// Edges that are added by the names of calls alone.
const NAMED_EDGES: usize = 500_000;

const PHASES: [Phase; 4] = [Phase::BuildTime, Phase::BeforeMain, Phase::RunTime, Phase::Test];

/// Who calls whom, and what that says.
pub(super) struct Phases {
    /// For each phase, the caller by which a function is reached; itself for entries.
    reached: [HashMap<u32, u32>; 4],
    /// The edge with the fewest conditions between two functions.
    pub(super) gates: HashMap<(u32, u32), (Vec<u32>, bool)>,
    named: HashSet<u32>,
    in_tests: HashSet<u32>,
}

impl Phases {
    pub(super) fn new(
        program: &Program<'_>,
        edges: &[Edge],
        calls: &[Call],
        early: &[u32],
        read: &HashSet<u32>,
    ) -> Phases {
        let mut phases = Phases {
            reached: Default::default(),
            gates: HashMap::new(),
            named: HashSet::new(),
            in_tests: HashSet::new(),
        };
        let mut callees: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut roots: Vec<u32> = Vec::new();
        for edge in edges {
            match edge.caller {
                Some(caller) => phases.add(&mut callees, caller, edge.callee, &edge.gates, edge.on_thread),
                None => roots.push(edge.callee),
            }
        }
        phases.add_named(program, &mut callees, calls, read);
        // Conditions are few, and each stands at many functions.
        let mut conditions: HashMap<&str, bool> = HashMap::new();
        for (number, function) in program.functions.iter().enumerate() {
            let Some(condition) = function.cfg.as_deref() else { continue };
            if *conditions.entry(condition).or_insert_with(|| is_of_tests(condition)) {
                phases.in_tests.insert(number as u32);
            }
        }
        for (at, phase) in PHASES.iter().enumerate() {
            let entries = entries(program, *phase, &roots, early, &phases.in_tests);
            phases.reached[at] = reach(program, *phase, &entries, &callees, &phases.in_tests);
        }
        phases
    }

    fn add(
        &mut self,
        callees: &mut HashMap<u32, Vec<u32>>,
        caller: u32,
        callee: u32,
        gates: &[u32],
        on_thread: bool,
    ) {
        match self.gates.get_mut(&(caller, callee)) {
            Some(known) => {
                if gates.len() < known.0.len() {
                    known.0 = gates.to_vec();
                }
                known.1 &= on_thread;
            }
            None => {
                self.gates.insert((caller, callee), (gates.to_vec(), on_thread));
                callees.entry(caller).or_default().push(callee);
            }
        }
    }

    /// Calls of files that were not read in depth, by name.
    fn add_named(
        &mut self,
        program: &Program<'_>,
        callees: &mut HashMap<u32, Vec<u32>>,
        calls: &[Call],
        read: &HashSet<u32>,
    ) {
        let mut added = 0;
        let mut modules = Modules::new(program);
        // By number of the module and path.
        let mut resolved: Vec<HashMap<&str, Vec<u32>>> = Vec::new();
        let mut was_read = vec![false; program.functions.len()];
        for function in read {
            was_read[*function as usize] = true;
        }
        for call in calls {
            let Some(caller) = call.function.filter(|it| (*it as usize) < was_read.len()) else { continue };
            if was_read[caller as usize] && call.in_macro.is_none() {
                continue;
            }
            let found: Vec<u32> = match call.kind {
                CallKind::Method => program.methods(&call.callee).to_vec(),
                CallKind::Path => {
                    let (number, module) = modules.of(call.file, call.function);
                    resolved.resize_with(resolved.len().max(number + 1), HashMap::new);
                    let found = resolved[number].entry(call.callee.as_str()).or_insert_with(|| {
                        let path = program.resolve(module, &call.callee);
                        path.strip_prefix("crate::")
                            .map(|path| program.functions_at(path).to_vec())
                            .unwrap_or_default()
                    });
                    found.clone()
                }
                _ => continue,
            };
            for callee in found {
                if !self.gates.contains_key(&(caller, callee)) {
                    self.add(callees, caller, callee, &[], false);
                    added += 1;
                }
            }
            if added > NAMED_EDGES {
                break;
            }
        }
    }

    /// Which of these functions anything names, so that they are not dead.
    pub(super) fn look_for_names(&mut self, program: &Program<'_>, calls: &[Call], functions: &[u32]) {
        let unreached: Vec<u32> = functions
            .iter()
            .copied()
            .filter(|it| self.reached.iter().all(|reached| !reached.contains_key(it)))
            .collect();
        if unreached.is_empty() {
            return;
        }
        let mut names: HashMap<&str, Vec<u32>> = HashMap::new();
        for function in unreached {
            names.entry(last_name(&program.functions[function as usize].path)).or_default().push(function);
        }
        let mut found: HashSet<&str> = HashSet::new();
        for call in calls {
            found.extend(names.get_key_value(last_name(&call.callee)).map(|it| *it.0));
        }
        for ir in program.irs.iter().copied().flatten() {
            for node in &ir.nodes {
                let name: &str = match &node.expression {
                    Expression::Path(path) => last_name(path),
                    Expression::Method(_, name, _) => name,
                    _ => continue,
                };
                found.extend(names.get_key_value(name).map(|it| *it.0));
            }
        }
        self.named.extend(found.into_iter().filter_map(|name| names.get(name)).flatten());
    }

    /// When a function can run, earliest first.
    pub(super) fn of(&self, program: &Program<'_>, function: u32) -> Vec<Phase> {
        let Some(facts) = program.functions.get(function as usize) else { return vec![Phase::Unreached] };
        if self.in_tests.contains(&function) {
            return vec![Phase::Test];
        }
        let mut found: Vec<Phase> =
            (0..4).filter(|at| self.reached[*at].contains_key(&function)).map(|at| PHASES[at]).collect();
        if found.is_empty() && self.named.contains(&function) {
            found = of_targets(program, &facts.targets);
        }
        if found.is_empty() {
            found.push(Phase::Unreached);
        }
        found
    }

    /// Functions from an entry of the phase to this one.
    pub(super) fn chain(&self, phase: Phase, function: u32) -> Vec<u32> {
        let Some(at) = PHASES.iter().position(|it| *it == phase) else { return Vec::new() };
        let mut chain = vec![function];
        let mut current = function;
        while let Some(caller) = self.reached[at].get(&current) {
            if *caller == current || chain.len() > 64 {
                break;
            }
            chain.push(*caller);
            current = *caller;
        }
        if chain.len() == 1 {
            return Vec::new();
        }
        chain.reverse();
        chain
    }
}

/// Phases by the kinds of targets alone.
pub(super) fn of_targets(program: &Program<'_>, targets: &[u16]) -> Vec<Phase> {
    let mut found: Vec<Phase> = targets
        .iter()
        .filter_map(|it| program.manifest.targets.get(usize::from(*it)))
        .map(|target| match target.kind {
            TargetKind::BuildScript | TargetKind::ProcMacro => Phase::BuildTime,
            TargetKind::Lib | TargetKind::Bin => Phase::RunTime,
            _ => Phase::Test,
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Phases of what stands outside of functions.
pub(super) fn of_file(program: &Program<'_>, file: &SourceFile) -> Vec<Phase> {
    let found = of_targets(program, &file.targets);
    if found.is_empty() { vec![Phase::Unreached] } else { found }
}

fn is_of_tests(condition: &str) -> bool {
    let default = HashSet::new();
    super::gates::kinds_of_cfg(condition, &default)
        .iter()
        .any(|it| it.0 == cratekeeper_model::facts::GateKind::Test)
}

fn entries(
    program: &Program<'_>,
    phase: Phase,
    roots: &[u32],
    early: &[u32],
    in_tests: &HashSet<u32>,
) -> Vec<u32> {
    if phase == Phase::BeforeMain {
        return early.to_vec();
    }
    let is_entry = |number: u32| {
        let function: &Function = &program.functions[number as usize];
        let has = |kind| program.has_target(&function.targets, kind);
        let is_root = !function.path.contains("::");
        match phase {
            Phase::BuildTime => {
                has(TargetKind::BuildScript) && is_root && function.path == "main"
                    || has(TargetKind::ProcMacro) && is_root && !function.visibility.is_empty()
            }
            Phase::RunTime => {
                let offered = !function.visibility.is_empty()
                    || matches!(function.container, FunctionContainer::TraitImpl | FunctionContainer::Trait)
                    || function.abi.is_some();
                !in_tests.contains(&number)
                    && (has(TargetKind::Lib) && offered
                        || has(TargetKind::Bin)
                            && (is_root && function.path == "main"
                                || function.container == FunctionContainer::TraitImpl))
            }
            _ => in_tests.contains(&number) || of_targets(program, &function.targets) == [Phase::Test],
        }
    };
    let mut found: Vec<u32> = (0..program.functions.len() as u32).filter(|it| is_entry(*it)).collect();
    // What a static names may be called by whoever uses the static.
    found.extend(
        roots
            .iter()
            .copied()
            .filter(|it| of_targets(program, &program.functions[*it as usize].targets).contains(&phase)),
    );
    found
}

fn reach(
    program: &Program<'_>,
    phase: Phase,
    entries: &[u32],
    callees: &HashMap<u32, Vec<u32>>,
    in_tests: &HashSet<u32>,
) -> HashMap<u32, u32> {
    let mut reached: HashMap<u32, u32> = entries.iter().map(|it| (*it, *it)).collect();
    let mut open: VecDeque<u32> = entries.iter().copied().collect();
    while let Some(function) = open.pop_front() {
        for callee in callees.get(&function).into_iter().flatten() {
            let allowed = match phase {
                // A file may belong to the library and to the build script; functions of the library alone do not run in the build script.
                Phase::BuildTime => of_targets(program, &program.functions[*callee as usize].targets)
                    .contains(&Phase::BuildTime),
                Phase::RunTime | Phase::BeforeMain => !in_tests.contains(callee),
                _ => true,
            };
            if allowed && !reached.contains_key(callee) {
                reached.insert(*callee, function);
                open.push_back(*callee);
            }
        }
    }
    reached
}
