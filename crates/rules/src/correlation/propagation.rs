//! The crate publishes itself or others.

use cratekeeper_model::StepKind;
use cratekeeper_model::facts::{OperationKind, Topic};

use super::exfiltration::{Collected, What, collected, tie};
use super::{Chain, ChainKind, Link, OPERATIONS, context, points, stronger};
use crate::behaviour::describe::when;
use crate::behaviour::{Act, Behaviour, is_about, owner_of_secret};

/// The strongest chain from a token to a registry.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let collected = collected(behaviour);
    let mut best = None;
    let kinds: &[OperationKind] = &[OperationKind::StartProcess, OperationKind::Connect];
    for act in behaviour.of_kind(kinds).take(OPERATIONS) {
        if publishes(behaviour, act) {
            best = stronger(best, chain(behaviour, act, &collected));
        }
    }
    best
}

/// Whether the operation publishes, by a command or by the registry's address.
pub(crate) fn publishes(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    let arguments = act.operation.arguments.iter().map(String::as_str);
    let command: String = arguments.collect::<Vec<_>>().join(" ");
    let by_words = act.operation.kind == OperationKind::StartProcess
        && ["cargo publish", "cargo yank", "npm publish", "cargo owner"]
            .iter()
            .any(|it| command.contains(it));
    by_words || behaviour.near_texts(act).any(|text| is_about(text, &[Topic::PublishCommand]))
}

fn chain(behaviour: &Behaviour<'_>, act: Act<'_>, collected: &[Collected<'_>]) -> Chain {
    let mut chain = Chain::new(ChainKind::Propagation);
    chain.techniques.insert(57);
    chain.add(points::PUBLISHES);
    let least = if behaviour.at_build(act) { Link::Build } else { Link::File };
    let token = collected
        .iter()
        .find(|item| is_token(**item) && tie(behaviour, **item, act).is_some_and(|link| link >= least));
    match token {
        Some(Collected::Text(text, _)) => {
            chain.add(points::WITH_TOKEN);
            let evidence = behaviour.text_evidence(text);
            let text = format!("names {}", evidence.excerpt.as_deref().unwrap_or_default());
            chain.step(StepKind::Collect, None, text, Some(evidence));
        }
        Some(Collected::Act(read, _)) => {
            chain.add(points::WITH_TOKEN);
            chain.act(behaviour, StepKind::Collect, *read, "reads by");
        }
        None => {}
    }
    chain.act(behaviour, StepKind::Spread, act, "publishes by");
    context::surround(&mut chain, behaviour, act);
    chain.message = format!("a package is published {}", when(behaviour.phase(act)));
    chain
}

fn is_token(item: Collected<'_>) -> bool {
    match item {
        Collected::Text(text, What::SecretFile) => {
            matches!(owner_of_secret(&text.value), Some("cargo" | "npm" | "pypi"))
        }
        Collected::Act(act, What::Variable { .. }) => {
            act.operation.arguments.first().is_some_and(|name| name.to_ascii_uppercase().contains("TOKEN"))
        }
        _ => false,
    }
}
