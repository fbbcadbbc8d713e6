//! Effects in tests.

use cratekeeper_model::facts::{OperationKind, Phase, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Act, Behaviour, Origin, Program, Sign, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "test-effect",
    family: Family::Behaviour,
    title: "Tests, benchmarks or examples do what the library never does",
    explanation: "\
**Looks at:** operations in tests, benchmarks and examples that connect to a constant address, start a program that is no tool of builds, or name files with secrets, where no other code of the package does anything of the kind. `info`, or `low` for files with secrets.

**Why:** whoever checks a crate runs its tests, often with more rights and secrets than a build has; and nobody reviews them.

**Harmless when:** an example shows how to use a client, or a test starts what it tests.

**What to do:** read the places before you run the tests.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[44],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let elsewhere: Vec<OperationKind> = behaviour
            .acts()
            .filter(|act| {
                matches!(behaviour.phase(*act), Phase::BuildTime | Phase::BeforeMain | Phase::RunTime)
            })
            .map(|act| act.operation.kind)
            .collect();
        let acts = behaviour.acts().filter(|act| behaviour.phase(*act) == Phase::Test);
        let seen = acts
            .filter(|act| !elsewhere.contains(&act.operation.kind))
            .filter_map(|act| sign(behaviour, act));
        signs(
            &RULE,
            seen,
            "tests or examples do what the library never does",
            "read the places before you run the tests",
        )
    })
}

fn sign(behaviour: &Behaviour<'_>, act: Act<'_>) -> Option<Sign> {
    let severity = match act.operation.kind {
        OperationKind::Connect | OperationKind::ResolveName if behaviour.origin(act) > Origin::Caller => {
            Severity::Info
        }
        OperationKind::StartProcess if behaviour.program(act) != Program::BuildTool => Severity::Info,
        OperationKind::ReadFile if behaviour.mentions(act, &[Topic::SecretFile, Topic::WalletFile]) => {
            Severity::Low
        }
        _ => return None,
    };
    Some(Sign::new(severity, Confidence::Medium, behaviour.evidence(act)).pointing_to([44]))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{Deeds, LIBRARY, TEST, points, silent};

    #[test]
    fn a_test_that_connects_is_told() {
        let mut deeds = Deeds::new();
        deeds.act(TEST, OperationKind::Connect, &["127.0.0.1:9"]);
        points(&RULE, &deeds, Severity::Info, &[44]);
    }

    #[test]
    fn a_test_that_reads_keys_is_told_louder() {
        let mut deeds = Deeds::new();
        let read = deeds.act(TEST, OperationKind::ReadFile, &["{}/.ssh/id_rsa"]);
        deeds.text(read, "{}/.ssh/id_rsa", Topic::SecretFile, &[]);
        points(&RULE, &deeds, Severity::Low, &[44]);
    }

    #[test]
    fn what_the_library_does_too_is_silent() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::Connect, &["{}"]);
        deeds.act(TEST, OperationKind::Connect, &["127.0.0.1:9"]);
        deeds.act(TEST, OperationKind::StartProcess, &["cargo", "build"]);
        silent(&RULE, &deeds.input());
    }
}
