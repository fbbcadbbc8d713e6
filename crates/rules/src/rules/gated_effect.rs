//! Effects that wait for a condition.

use cratekeeper_model::facts::{Gate, GateKind, OperationKind};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Act, Behaviour, Sign, is_documentation_variable, signs, with_behaviour};
use crate::correlation::is_effect;
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "gated-effect",
    family: Family::Behaviour,
    title: "Something that reaches out happens only under a condition",
    explanation: "\
**Looks at:** operations whose address, program or path is the crate's own, and the conditions that they stand under: a feature that is off by default (technique 42), a target for which alone it is compiled (43), a build service, host or user (45), a date (46). A date, or a build service, gives `low`; a feature or target gives `info`. A target is no hit when other targets have the like, and `docs.rs` is no build service.

**Why:** what runs for one victim alone is seen by no reviewer: `rustdecimal` waited for a build service, the crates of the Windows wave for Windows.

**Harmless when:** a platform needs another program (`open`, `xdg-open`), or telemetry is left out of continuous integration.

**What to do:** ask why the condition should matter.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[42, 43, 45, 46],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let effects =
            behaviour.acts().filter(|act| is_effect(behaviour, *act) || writes_anything(behaviour, *act));
        let mut seen = Vec::new();
        for act in effects {
            for gate in behaviour.gates(act) {
                seen.extend(sign(behaviour, act, gate));
            }
        }
        signs(
            &RULE,
            seen,
            "something that reaches out waits for a condition",
            "ask why the condition should matter",
        )
    })
}

fn writes_anything(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    act.operation.kind == OperationKind::CargoDirective && !behaviour.into(act).is_empty()
}

fn sign(behaviour: &Behaviour<'_>, act: Act<'_>, gate: &Gate) -> Option<Sign> {
    if is_documentation_variable(&gate.text) {
        return None;
    }
    let (severity, technique) = match gate.kind {
        GateKind::OptionalFeature => (Severity::Info, 42),
        GateKind::Target if !has_counterpart(behaviour, act) => (Severity::Info, 43),
        GateKind::BuildService | GateKind::Host => (Severity::Low, 45),
        GateKind::Time => (Severity::Low, 46),
        _ => return None,
    };
    Some(Sign::new(severity, Confidence::Medium, behaviour.evidence(act)).pointing_to([technique]))
}

/// Whether other targets have the like: an operation of the same kind under another target's condition, or under none.
fn has_counterpart(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    let targets = |act: Act<'_>| -> Vec<String> {
        let gates = behaviour.gates(act).into_iter().filter(|gate| gate.kind == GateKind::Target);
        gates.map(|gate| gate.text.clone()).collect()
    };
    let own = targets(act);
    behaviour
        .acts()
        .filter(|other| other.operation.kind == act.operation.kind && other.number != act.number)
        .take(100)
        .any(|other| targets(other) != own)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{GateKind, OperationKind};

    use super::RULE;
    use crate::test_support::{Deeds, LIBRARY, points, silent};

    fn waiting(kind: GateKind, text: &str) -> Deeds {
        let mut deeds = Deeds::new();
        let start = deeds.act(LIBRARY, OperationKind::StartProcess, &["echo"]);
        deeds.gate(start, kind, text);
        deeds
    }

    #[test]
    fn the_condition_gives_the_technique() {
        for (kind, severity, technique) in [
            (GateKind::OptionalFeature, Severity::Info, 42),
            (GateKind::Target, Severity::Info, 43),
            (GateKind::BuildService, Severity::Low, 45),
            (GateKind::Time, Severity::Low, 46),
        ] {
            points(&RULE, &waiting(kind, "a condition"), severity, &[technique]);
        }
    }

    #[test]
    fn each_target_with_its_own_program_is_silent() {
        let mut deeds = waiting(GateKind::Target, "cfg(windows)");
        let other = deeds.act(LIBRARY, OperationKind::StartProcess, &["xdg-open"]);
        deeds.gate(other, GateKind::Target, "cfg(unix)");
        silent(&RULE, &deeds.input());
    }

    #[test]
    fn documentation_builders_and_addresses_of_callers_are_silent() {
        silent(&RULE, &waiting(GateKind::BuildService, "var_os(\"DOCS_RS\").is_some()").input());
        let mut deeds = Deeds::new();
        let connect = deeds.act(LIBRARY, OperationKind::Connect, &["{}"]);
        deeds.gate(connect, GateKind::OptionalFeature, "feature = \"net\"");
        silent(&RULE, &deeds.input());
    }
}
