//! What surrounds a chain whatever it does: when it runs, what it waits for, how it keeps quiet.

use cratekeeper_model::StepKind;
use cratekeeper_model::facts::{GateKind, OperationKind, Quality};

use super::points::{self, Point};
use super::{Chain, Link};
use crate::behaviour::describe::when;
use crate::behaviour::{Act, Behaviour, is_documentation_variable};

/// Most points that conditions add, and that keeping quiet adds: each is doubt about the same thing.
const MOST_EACH: i8 = 3;

/// Adds what the sink of a chain says about it.
pub(crate) fn surround(chain: &mut Chain, behaviour: &Behaviour<'_>, sink: Act<'_>) {
    phase(chain, behaviour, sink);
    gates(chain, behaviour, sink);
    stealth(chain, behaviour, sink);
}

/// Adds when it runs.
pub(crate) fn phase(chain: &mut Chain, behaviour: &Behaviour<'_>, sink: Act<'_>) {
    if let Some(point) = points::of_phase(behaviour.phase(sink)) {
        chain.add(point);
    }
}

/// Adds the conditions that it waits for.
pub(crate) fn gates(chain: &mut Chain, behaviour: &Behaviour<'_>, sink: Act<'_>) {
    let mut left = MOST_EACH;
    let mut gates = behaviour.gates(sink);
    gates.sort_by_key(|gate| std::cmp::Reverse(of_gate(gate.kind).map_or(0, |(point, _)| point.amount)));
    for gate in gates {
        let Some((point, technique)) = of_gate(gate.kind) else { continue };
        if is_documentation_variable(&gate.text) {
            continue;
        }
        chain.techniques.insert(technique);
        if point.amount <= left && !chain.points.contains(&point) {
            left -= point.amount;
            chain.add(point);
            let evidence = behaviour.gate_evidence(gate);
            let text = format!("{}: {}", point.reason, evidence.excerpt.as_deref().unwrap_or_default());
            chain.step(StepKind::Gate, Some(behaviour.phase(sink)), text, Some(evidence));
        }
    }
}

/// What a condition is worth, and which technique it is.
pub(crate) fn of_gate(kind: GateKind) -> Option<(Point, u8)> {
    Some(match kind {
        GateKind::BuildService => (points::GATE_BUILD_SERVICE, 45),
        GateKind::Time => (points::GATE_TIME, 46),
        GateKind::AnalysisTool => (points::GATE_ANALYSIS, 47),
        GateKind::Host => (points::GATE_HOST, 45),
        GateKind::Chance => (points::GATE_CHANCE, 47),
        GateKind::OptionalFeature => (points::GATE_FEATURE, 42),
        GateKind::Target => (points::GATE_TARGET, 43),
        _ => return None,
    })
}

/// Adds how it keeps quiet.
fn stealth(chain: &mut Chain, behaviour: &Behaviour<'_>, sink: Act<'_>) {
    let mut left = MOST_EACH;
    let mut add = |chain: &mut Chain, point: Point| {
        if point.amount <= left {
            left -= point.amount;
            chain.add(point);
        }
    };
    if sink.is(Quality::Detached) {
        add(chain, points::DETACHED_CHILD);
    } else if sink.is(Quality::Silent) {
        add(chain, points::SILENT_CHILD);
    }
    if sink.is(Quality::Silent) || sink.is(Quality::Detached) {
        chain.techniques.insert(49);
        let text = format!("nothing of it is seen {}", when(behaviour.phase(sink)));
        chain.step(StepKind::Hide, Some(behaviour.phase(sink)), text, Some(behaviour.evidence(sink)));
    }
    if sink.is(Quality::OnThread) {
        add(chain, points::ON_THREAD);
    }
    if sink.is(Quality::ErrorsIgnored) {
        add(chain, points::QUIET);
    }
    if let Some(off) = with(behaviour, sink, &[OperationKind::DisableTlsChecks], Link::Build) {
        add(chain, points::TLS_OFF);
        chain.techniques.insert(51);
        chain.act(behaviour, StepKind::Hide, off, "switches the checks of certificates off by");
    }
    if with(behaviour, sink, &[OperationKind::Sleep], Link::Chain).is_some() {
        add(chain, points::WAITS);
    }
}

/// An operation of one of these kinds that is tied to the sink at least so closely.
pub(crate) fn with<'a>(
    behaviour: &Behaviour<'a>,
    sink: Act<'_>,
    kinds: &'static [OperationKind],
    least: Link,
) -> Option<Act<'a>> {
    behaviour
        .of_kind(kinds)
        .take(super::OPERATIONS)
        .find(|act| behaviour.link(*act, sink).is_some_and(|link| link >= least))
}
