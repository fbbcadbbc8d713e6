//! The chains of a case as one story, in order.

use cratekeeper_model::{ChainStep, Finding, Level, StepKind};

use super::combination::LURES;
use super::{Chain, ChainKind};
use crate::behaviour::Behaviour;

/// Most steps of a case: three complete chains.
const STEPS: usize = 20;

/// Steps of all chains that amount to something, the strongest chain's first where kinds are equal; and what would make it
/// harmless.
pub(crate) fn story(
    behaviour: Option<&Behaviour<'_>>,
    in_other_crates: Option<Chain>,
    findings: &[Finding],
    level: Level,
) -> (Vec<ChainStep>, Option<String>) {
    let mut chains: Vec<Chain> = behaviour
        .into_iter()
        .flat_map(|behaviour| ChainKind::ALL.into_iter().filter_map(|kind| kind.detect(behaviour)))
        .chain(in_other_crates)
        .filter(|chain| chain.weight().is_some())
        .collect();
    chains.sort_by_key(|chain| (std::cmp::Reverse(chain.total()), chain.kind));
    let mut steps: Vec<ChainStep> = Vec::new();
    if !chains.is_empty() {
        steps.extend(findings.iter().filter(|it| is_lure(it)).take(2).map(lure));
    }
    for step in chains.iter().flat_map(|chain| &chain.steps) {
        let told = |other: &ChainStep| {
            other.evidence == step.evidence && (other.kind == step.kind || step.evidence.is_some())
        };
        if steps.len() < STEPS && !steps.iter().any(told) {
            steps.push(step.clone());
        }
    }
    steps.sort_by_key(|step| step.kind);
    let harmless = match (level >= Level::Review, chains.first()) {
        (false, _) => None,
        (true, Some(chain)) => Some(chain.kind.harmless_if().to_owned()),
        (true, None) => findings.first().map(without_chain),
    };
    (steps, harmless)
}

fn is_lure(finding: &Finding) -> bool {
    finding.techniques.iter().any(|it| LURES.contains(it))
}

fn lure(finding: &Finding) -> ChainStep {
    ChainStep {
        kind: StepKind::Lure,
        phase: None,
        text: finding.message.clone(),
        evidence: finding.evidence.first().cloned(),
    }
}

/// Where there is no chain, the gravest rule's documentation tells.
fn without_chain(worst: &Finding) -> String {
    format!("it is one of the cases that `cratekeeper explain {}` lists as harmless", worst.rule)
}
