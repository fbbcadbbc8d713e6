//! An effect that waits for a condition which has nothing to do with it.

use cratekeeper_model::StepKind;
use cratekeeper_model::facts::{GateKind, OperationKind, Quality, Topic};

use super::{Chain, ChainKind, OPERATIONS, context, points, stronger};
use crate::behaviour::describe::when;
use crate::behaviour::{Act, Behaviour, Origin, Program, is_documentation_variable};

/// The strongest chain from a condition to an effect.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let mut best = None;
    for sink in behaviour.acts().filter(|act| is_effect(behaviour, *act)).take(OPERATIONS) {
        if waits(behaviour, sink) {
            best = stronger(best, chain(behaviour, sink));
        }
    }
    best
}

/// Whether an operation has an effect that the crate chose itself: its address, program or path is the crate's own.
pub(crate) fn is_effect(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    match act.operation.kind {
        OperationKind::Connect | OperationKind::ResolveName => behaviour.origin(act) > Origin::Caller,
        OperationKind::StartProcess => behaviour.program(act) != Program::BuildTool,
        OperationKind::LoadLibrary => !act.operation.arguments.is_empty() && act.is(Quality::HiddenArgument),
        OperationKind::WriteFile | OperationKind::SetPermissions | OperationKind::DeleteFile => {
            behaviour.mentions(act, &[Topic::StartupPlace, Topic::HiddenPlace, Topic::SharedPlace])
        }
        OperationKind::ReadFile => behaviour.mentions(act, &[Topic::SecretFile, Topic::WalletFile]),
        OperationKind::CallData | OperationKind::ExecutableMemory | OperationKind::SystemCall => true,
        _ => false,
    }
}

/// Conditions that tell one victim, or an observer, from another. What is compiled for a target or with a feature is judged
/// by what it does.
fn waits(behaviour: &Behaviour<'_>, sink: Act<'_>) -> bool {
    behaviour.gates(sink).iter().any(|gate| {
        matches!(gate.kind, GateKind::BuildService | GateKind::Time | GateKind::AnalysisTool | GateKind::Host)
            && !is_documentation_variable(&gate.text)
    })
}

fn chain(behaviour: &Behaviour<'_>, sink: Act<'_>) -> Chain {
    let mut chain = Chain::new(ChainKind::Gated);
    let grave = sink.does(&[OperationKind::ReadFile, OperationKind::WriteFile, OperationKind::SystemCall]);
    if !grave && has_effect(behaviour, sink) {
        chain.add(points::SINK);
    }
    chain.add(points::GATE_IS_ODD);
    context::surround(&mut chain, behaviour, sink);
    chain.act(behaviour, StepKind::Run, sink, "then does");
    chain.message = format!("an effect waits for a condition {}", when(behaviour.phase(sink)));
    chain
}

/// Whether something of the sink is known to be the crate's own choice.
fn has_effect(behaviour: &Behaviour<'_>, sink: Act<'_>) -> bool {
    match sink.operation.kind {
        OperationKind::StartProcess => {
            behaviour.program(sink) != Program::Computed || !behaviour.texts(sink).is_empty()
        }
        _ => true,
    }
}
