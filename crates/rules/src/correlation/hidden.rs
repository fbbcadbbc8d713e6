//! Hidden text that reaches an operation.

use std::collections::BTreeSet;

use cratekeeper_model::StepKind;
use cratekeeper_model::facts::{ConstantText, Decoding, FlowSource, OperationKind};

use super::{Chain, ChainKind, OPERATIONS, context, points, stronger};
use crate::behaviour::describe::when;
use crate::behaviour::{Act, Behaviour, TELLING, is_about, is_concealed};

const SINKS: &[OperationKind] = &[
    OperationKind::Connect,
    OperationKind::ResolveName,
    OperationKind::StartProcess,
    OperationKind::LoadLibrary,
    OperationKind::Interpret,
    OperationKind::CallData,
    OperationKind::ExecutableMemory,
    OperationKind::ReadFile,
    OperationKind::WriteFile,
    OperationKind::ReadVariable,
];

/// Sinks that act on more than a path or a name.
const GRAVE: &[OperationKind] = &[
    OperationKind::Connect,
    OperationKind::ResolveName,
    OperationKind::StartProcess,
    OperationKind::LoadLibrary,
    OperationKind::CallData,
    OperationKind::ExecutableMemory,
];

/// The strongest chain from hidden text to an operation.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let mut best = None;
    let sinks = behaviour.of_kind(SINKS).filter(|act| is_reached(behaviour, *act));
    for sink in sinks.take(OPERATIONS) {
        best = stronger(best, chain(behaviour, sink));
    }
    best
}

/// Whether hidden text reaches the operation; for a path or a variable's name, one that says something.
fn is_reached(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    let texts = || behaviour.texts(act).iter().filter(|text| is_concealed(text));
    let telling = || texts().any(|text| is_about(text, TELLING));
    if act.does(GRAVE) {
        let flows = behaviour.receives(act, &[FlowSource::HiddenConstant]);
        return telling()
            || flows
            || (act.operation.kind == OperationKind::StartProcess && texts().next().is_some());
    }
    telling()
}

fn chain(behaviour: &Behaviour<'_>, sink: Act<'_>) -> Chain {
    let mut chain = Chain::new(ChainKind::Hidden);
    chain.add(points::HIDDEN_TEXT);
    let hidden: Vec<&ConstantText> =
        behaviour.texts(sink).iter().copied().filter(|text| is_concealed(text)).collect();
    if hidden.iter().any(|text| is_about(text, TELLING)) {
        chain.add(points::HIDDEN_TELLING);
    }
    if hidden.is_empty() {
        chain.techniques.insert(13);
    }
    let names_program =
        |text: &&ConstantText| sink.operation.arguments.iter().take(2).any(|it| *it == text.value);
    if sink.does(&[OperationKind::StartProcess, OperationKind::LoadLibrary])
        && hidden.iter().any(names_program)
    {
        chain.add(points::HIDDEN_PROGRAM);
    }
    let all = behaviour.flow().texts.iter().filter(|text| {
        is_concealed(text) && (is_about(text, TELLING) || text.operation.is_some_and(|it| it != sink.number))
    });
    if all.filter(|text| hidden.iter().all(|own| own.value != text.value)).take(1).count() > 0 {
        chain.add(points::HIDDEN_TWICE);
    }
    for text in hidden.iter().take(3) {
        chain.techniques.extend(techniques(text));
        let evidence = behaviour.text_evidence(text);
        let text = format!("keeps hidden {}", evidence.excerpt.as_deref().unwrap_or_default());
        chain.step(StepKind::Hide, None, text, Some(evidence));
    }
    let kind = match sink.operation.kind {
        OperationKind::Connect | OperationKind::ResolveName => StepKind::Send,
        OperationKind::ReadFile | OperationKind::ReadVariable => StepKind::Collect,
        OperationKind::WriteFile => StepKind::Write,
        _ => StepKind::Run,
    };
    chain.act(behaviour, kind, sink, "uses it in");
    context::surround(&mut chain, behaviour, sink);
    chain.message =
        format!("text that took decoding to be seen decides what is done {}", when(behaviour.phase(sink)));
    chain
}

/// Techniques by which a text is hidden.
pub(crate) fn techniques(text: &ConstantText) -> BTreeSet<u8> {
    let of = |decoding: &Decoding| match decoding {
        Decoding::Xor | Decoding::Rotated | Decoding::Numbers => Some(12),
        Decoding::Base64 | Decoding::Hex | Decoding::Reversed => Some(13),
        Decoding::Evaluated => Some(15),
        _ => None,
    };
    text.decodings.iter().filter_map(of).collect()
}
