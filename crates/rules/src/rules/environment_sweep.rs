//! All environment variables.

use cratekeeper_model::facts::{OperationKind, Phase, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Link, Sign, is_about, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "environment-sweep",
    family: Family::Behaviour,
    title: "The package collects all environment variables",
    explanation: "\
**Looks at:** `env::vars`, `env::vars_os` and their like. While the package is built, or when they are picked by words such as TOKEN, `low`; else `info`. Tests are left out.

**Why:** build services hand secrets to builds in variables; whoever takes all takes those.

**Harmless when:** a shell, a configuration library or a launcher passes them on.

**What to do:** find out where they go.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[53],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts = behaviour.of_kind(&[OperationKind::ListVariables]);
        let seen = acts
            .filter(|act| behaviour.phase(*act) != Phase::Test || act.operation.chain.is_empty())
            .map(|act| {
                let picked = behaviour.flow().texts.iter().any(|text| {
                    is_about(text, &[Topic::SecretVariable])
                        && behaviour.link_text(text, act).is_some_and(|link| link >= Link::Chain)
                });
                let severity = if behaviour.at_build(act) || picked { Severity::Low } else { Severity::Info };
                Sign::new(severity, Confidence::Medium, behaviour.evidence(act)).pointing_to([53])
            });
        signs(&RULE, seen, "all environment variables are collected", "find out where they go")
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::OperationKind;

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    #[test]
    fn when_it_happens_gives_the_severity() {
        for (function, severity) in [(BUILD, Severity::Low), (LIBRARY, Severity::Info)] {
            let mut deeds = Deeds::new();
            deeds.act(function, OperationKind::ListVariables, &[]);
            points(&RULE, &deeds, severity, &[53]);
        }
    }

    #[test]
    fn single_variables_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(BUILD, OperationKind::ReadVariable, &["HOME"]);
        silent(&RULE, &deeds.input());
    }
}
