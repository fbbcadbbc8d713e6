//! An effect that waits for a condition.

use cratekeeper_model::{RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{ChainKind, found};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "gated-payload",
    family: Family::Correlation,
    title: "An effect that nobody asked for waits for a condition",
    explanation: "\
**Looks at:** operations whose address, program or path is the crate's own, under a condition on the build service, the host, the date or analysis tools. What each tie is worth is in the table of [chains](#chains); from 4 points on there is a finding, 10 are an alert by themselves.

**Why:** what should not be found is not done where somebody looks.

**Harmless when:** telemetry or colours are switched off in continuous integration.

**What to do:** ask why the condition should matter.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[42, 43, 45, 46, 47, 49, 51],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let help = "ask why the condition should matter, and read what then happens";
        found(&RULE, ChainKind::Gated.detect(behaviour), help)
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{GateKind, OperationKind, Quality};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    fn waiting(function: u32, gate: GateKind) -> (Deeds, u32) {
        let mut deeds = Deeds::new();
        let start = deeds.act(function, OperationKind::StartProcess, &["echo", "late"]);
        deeds.gate(start, gate, "now > SINCE");
        (deeds, start)
    }

    #[test]
    fn a_time_bomb_is_told_and_at_build_time_an_alert() {
        let (deeds, _) = waiting(LIBRARY, GateKind::Time);
        points(&RULE, &deeds, Severity::Medium, &[46]);
        let (deeds, _) = waiting(BUILD, GateKind::BuildService);
        points(&RULE, &deeds, Severity::High, &[45]);
    }

    #[test]
    fn keeping_quiet_makes_it_worse() {
        let (mut deeds, start) = waiting(LIBRARY, GateKind::AnalysisTool);
        deeds.quality(start, Quality::Detached).quality(start, Quality::ErrorsIgnored);
        points(&RULE, &deeds, Severity::High, &[47, 49]);
    }

    #[test]
    fn features_and_targets_are_no_such_conditions() {
        for gate in [GateKind::OptionalFeature, GateKind::Target, GateKind::Profile] {
            silent(&RULE, &waiting(LIBRARY, gate).0.input());
        }
    }
}
