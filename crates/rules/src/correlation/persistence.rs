//! Something is made to start by itself.

use cratekeeper_model::StepKind;
use cratekeeper_model::facts::{OperationKind, Topic};

use super::{Chain, ChainKind, Link, OPERATIONS, context, points, stronger};
use crate::behaviour::describe::when;
use crate::behaviour::{Act, Behaviour, is_about};

const WRITES: &[OperationKind] =
    &[OperationKind::WriteFile, OperationKind::StartProcess, OperationKind::SystemRegistry];

/// The strongest chain to a place that starts programs by itself.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let mut best = None;
    for write in behaviour.of_kind(WRITES).take(OPERATIONS) {
        if let Some(chain) = chain(behaviour, write) {
            best = stronger(best, chain);
        }
    }
    best
}

fn chain(behaviour: &Behaviour<'_>, write: Act<'_>) -> Option<Chain> {
    let at_build = behaviour.at_build(write);
    let text = behaviour.flow().texts.iter().find(|text| {
        is_about(text, &[Topic::StartupPlace])
            && behaviour
                .link_text(text, write)
                .is_some_and(|link| link >= if at_build { Link::Chain } else { Link::Function })
    })?;
    let mut chain = Chain::new(ChainKind::Persistence);
    chain.techniques.insert(56);
    chain.add(points::STARTS_BY_ITSELF);
    if text.value.contains("authorized_keys") {
        chain.add(points::ACCESS);
    }
    let evidence = behaviour.text_evidence(text);
    if crate::behaviour::is_concealed(text) {
        chain.add(points::HIDDEN_TEXT);
        chain.techniques.extend(super::hidden::techniques(text));
    }
    let names = format!("names {}", evidence.excerpt.as_deref().unwrap_or_default());
    chain.step(StepKind::Persist, None, names, Some(evidence));
    let fetches = context::with(
        behaviour,
        write,
        &[OperationKind::Connect],
        if at_build { Link::Build } else { Link::Chain },
    );
    if let Some(fetch) = fetches {
        chain.add(points::FETCHED);
        chain.act(behaviour, StepKind::Fetch, fetch, "downloads by");
    }
    chain.act(behaviour, StepKind::Persist, write, "writes it by");
    context::surround(&mut chain, behaviour, write);
    chain.message = format!("something is made to start by itself {}", when(behaviour.phase(write)));
    Some(chain)
}
