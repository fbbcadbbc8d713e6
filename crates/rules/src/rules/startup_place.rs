//! Places that start programs by themselves.

use cratekeeper_model::facts::{OperationKind, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, is_about, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "startup-place",
    family: Family::Behaviour,
    title: "The package names a place that starts programs by itself, or gives access",
    explanation: "\
**Looks at:** constant paths and names: `authorized_keys`, crontabs, systemd units, `LaunchAgents`, `Run` keys, start files of shells. Written to, or given to a program, it gives `low`; else `info`. Tests are left out.

**Why:** the crates of the interview campaign put a key into `authorized_keys`: taking the crate away does not take the access away.

**Harmless when:** the crate installs services, or tells its user what to put where.

**What to do:** find out whether it is written, and on whose wish.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[56],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let texts = behaviour.flow().texts.iter().filter(|text| is_about(text, &[Topic::StartupPlace]));
        let seen = texts.filter(|text| !behaviour.is_test_file(text.file)).map(|text| {
            let act = text.operation.and_then(|number| behaviour.act(number));
            let used = act.is_some_and(|act| {
                act.does(&[
                    OperationKind::WriteFile,
                    OperationKind::StartProcess,
                    OperationKind::SystemRegistry,
                ])
            });
            let severity = if used { Severity::Low } else { Severity::Info };
            Sign::new(severity, Confidence::Medium, behaviour.text_evidence(text)).pointing_to([56])
        });
        let says = "the package names a place that starts programs by itself";
        signs(&RULE, seen, says, "find out whether it is written, and on whose wish")
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{Deeds, LIBRARY, TEST, points, silent};

    fn naming(function: u32, kind: OperationKind) -> Deeds {
        let mut deeds = Deeds::new();
        let act = deeds.act(function, kind, &["{}/.ssh/authorized_keys"]);
        deeds.text(act, "{}/.ssh/authorized_keys", Topic::StartupPlace, &[]);
        deeds
    }

    #[test]
    fn writing_there_is_told() {
        points(&RULE, &naming(LIBRARY, OperationKind::WriteFile), Severity::Low, &[56]);
        points(&RULE, &naming(LIBRARY, OperationKind::ReadFile), Severity::Info, &[56]);
        silent(&RULE, &naming(TEST, OperationKind::WriteFile).input());
    }
}
