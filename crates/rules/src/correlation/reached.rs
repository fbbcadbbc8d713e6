//! Chains that run through other crates: what a build script or procedural macro calls there.
//!
//! What the calls of a package reach is put together as if it stood in the package itself, and the detectors of the other kinds
//! look at it; so a payload is worth the same wherever it is kept. Each call is looked at alone: two calls into two crates are
//! two things.

use std::collections::HashMap;

use cratekeeper_model::facts::{
    ConstantText, ExternalCall, Flow, Operation, Phase, SourceFile, SourceFileStatus, TargetKind,
};
use cratekeeper_model::{ChainStep, CrossCrateReach, Facts, PackageId, StepKind};

use super::{Chain, ChainKind, stronger};
use crate::behaviour::Behaviour;
use crate::behaviour::describe::when;
use crate::rule::place;
use crate::text::{NAME, defanged, printable};

/// What is looked for. Hidden text, odd places and conditions are told by the rules about the crate that has them.
const KINDS: [ChainKind; 5] = [
    ChainKind::Exfiltration,
    ChainKind::Execution,
    ChainKind::Carried,
    ChainKind::Propagation,
    ChainKind::Persistence,
];

/// The strongest chain of a call into another crate.
pub(crate) fn detect(facts: &Facts, reach: &[CrossCrateReach]) -> Option<Chain> {
    let mut by_call: HashMap<u32, Vec<(u32, &CrossCrateReach)>> = HashMap::new();
    for (number, one) in (0..).zip(reach) {
        by_call.entry(one.call).or_default().push((number, one));
    }
    let mut calls: Vec<u32> = by_call.keys().copied().collect();
    calls.sort_unstable();
    let mut best = None;
    for number in calls {
        let Some(call) = facts.flow.external_calls.get(number as usize) else { continue };
        let reached = &by_call[&number];
        let spliced = spliced(call, reached);
        let behaviour = Behaviour::new(&spliced);
        for chain in KINDS.into_iter().filter_map(|kind| kind.detect(&behaviour)) {
            best = stronger(best, told(chain, facts, call, reached));
        }
    }
    best
}

/// What the call reaches, as a package of its own.
fn spliced(call: &ExternalCall, reached: &[(u32, &CrossCrateReach)]) -> Facts {
    let mut facts = Facts::default();
    let mut functions: HashMap<&str, u32> = HashMap::new();
    let mut files: HashMap<String, u32> = HashMap::new();
    // The first function is the one that calls.
    let number_of = |functions: &mut HashMap<_, u32>, name| {
        let next = u32::try_from(functions.len() + 1).unwrap_or(u32::MAX);
        *functions.entry(name).or_insert(next)
    };
    let positions: HashMap<u32, u32> = reached.iter().map(|it| it.0).zip(0..).collect();
    for (position, (_, one)) in (0..).zip(reached) {
        let Some(seen) = &one.seen else { continue };
        let package = one.packages.last().map(short).unwrap_or_default();
        let path = format!("{package}/{}", seen.file);
        let file = *files.entry(path.clone()).or_insert_with(|| {
            facts.source.rust_files.push(source_file(path));
            u32::try_from(facts.source.rust_files.len() - 1).unwrap_or(u32::MAX)
        });
        let way = one.way.iter().map(|name| number_of(&mut functions, name.as_str()));
        let chain: Vec<u32> = std::iter::once(0).chain(way.collect::<Vec<_>>()).collect();
        let function = chain.last().copied();
        facts.flow.texts.extend(seen.texts.iter().map(|(value, decodings, topics)| ConstantText {
            value: value.clone(),
            decodings: decodings.clone(),
            topics: topics.clone(),
            file,
            line: seen.line,
            function,
            operation: Some(position),
        }));
        facts.flow.flows.extend(seen.receives.iter().map(|(source, from, transformations)| Flow {
            source: *source,
            from: from.and_then(|from| positions.get(&from)).copied(),
            into: position,
            transformations: transformations.clone(),
            steps: Vec::new(),
        }));
        facts.flow.operations.push(Operation {
            kind: one.operation,
            path: seen.path.clone(),
            file,
            line: seen.line,
            function,
            arguments: seen.arguments.clone(),
            qualities: seen.qualities.clone(),
            gates: Vec::new(),
            phases: call.phases.clone(),
            chain,
        });
    }
    facts
}

/// `name@version`, without where it comes from.
fn short(package: &PackageId) -> &str {
    package.as_str().rsplit('#').next().unwrap_or_default()
}

fn source_file(path: String) -> SourceFile {
    SourceFile {
        path,
        size: 0,
        status: SourceFileStatus::Parsed,
        errors: 0,
        problem: None,
        problem_line: 0,
        targets: Vec::new(),
        r#unsafe: cratekeeper_model::facts::UnsafeCounters::default(),
        forbids_unsafe: false,
    }
}

/// The chain as one of the package that calls: its evidence is the call, the steps name the other crate.
fn told(mut chain: Chain, facts: &Facts, call: &ExternalCall, reached: &[(u32, &CrossCrateReach)]) -> Chain {
    let phase = call.phases.first().copied().unwrap_or(Phase::Unreached);
    let file = facts.source.rust_files.get(call.file as usize);
    let called = printable(&defanged(&call.path), NAME);
    let evidence = place(file.map_or("", |it| &it.path), Some(call.line), Some(format!("{called}(…)")));
    for step in &mut chain.steps {
        if let Some(there) = step.evidence.take() {
            let line = there.line.map(|it| format!(":{it}")).unwrap_or_default();
            step.text = format!("{} ({}{line})", step.text, defanged(&there.file));
        }
    }
    let text = format!("calls `{called}` {}", when(phase));
    chain
        .steps
        .insert(0, ChainStep { kind: StepKind::Lure, phase: Some(phase), text, evidence: Some(evidence) });
    let packages: Vec<String> = reached
        .iter()
        .max_by_key(|(_, it)| it.packages.len())
        .map(|(_, it)| it.packages.iter().map(|it| format!("`{}`", printable(short(it), NAME))).collect())
        .unwrap_or_default();
    chain.message =
        format!("`{called}` leads into {}, where {}", packages.join(" and on into "), chain.message);
    if phase == Phase::BuildTime {
        let in_script = file.is_some_and(|file| {
            let kinds = file.targets.iter().filter_map(|it| facts.manifest.targets.get(usize::from(*it)));
            kinds.into_iter().any(|it| it.kind == TargetKind::BuildScript)
        });
        chain.techniques.insert(if in_script { 1 } else { 5 });
    }
    chain
}
