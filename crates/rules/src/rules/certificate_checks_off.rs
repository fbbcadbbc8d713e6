//! TLS without checks.

use cratekeeper_model::facts::{OperationKind, Phase};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "certificate-checks-off",
    family: Family::Behaviour,
    title: "The checks of TLS certificates are switched off",
    explanation: "\
**Looks at:** calls that accept every certificate or host name, and verifiers that always agree. `low`; `info` in tests and where the caller decides.

**Why:** whoever stands between can answer in the server's name. Payloads do it so that their server needs no certificate (`proc-macro1`).

**Harmless when:** a library offers it as an option, or a test talks to itself.

**What to do:** find out who decides, and whether the answer is trusted.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[51],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts = behaviour.of_kind(&[OperationKind::DisableTlsChecks]);
        let seen = acts.map(|act| {
            let asked = act.operation.arguments.first().is_some_and(|it| it.contains("{}"));
            let tested = behaviour.phase(act) == Phase::Test;
            let severity = if asked || tested { Severity::Info } else { Severity::Low };
            Sign::new(severity, Confidence::Medium, behaviour.evidence(act)).pointing_to([51])
        });
        signs(
            &RULE,
            seen,
            "certificates are not checked",
            "find out who decides that, and what comes over the connection",
        )
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::OperationKind;

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, TEST, points, silent};

    #[test]
    fn who_decides_gives_the_severity() {
        for (function, argument, severity) in
            [(BUILD, "true", Severity::Low), (LIBRARY, "{}", Severity::Info), (TEST, "true", Severity::Info)]
        {
            let mut deeds = Deeds::new();
            deeds.act(function, OperationKind::DisableTlsChecks, &[argument]);
            points(&RULE, &deeds, severity, &[51]);
        }
    }

    #[test]
    fn connections_with_checks_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::Connect, &["https://a.example.invalid"]);
        silent(&RULE, &deeds.input());
    }
}
