//! Publishing.

use cratekeeper_model::facts::{OperationKind, Phase, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, is_about, signs, with_behaviour};
use crate::correlation::publishes;
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "publish-command",
    family: Family::Behaviour,
    title: "The package knows how to publish to a registry",
    explanation: "\
**Looks at:** commands such as `cargo publish`, and the address to which registries take new versions, in programs that are started, in connections, and as text. Used, it gives `low`; named alone `info`. Tests are left out.

**Why:** a worm publishes itself with the tokens that it finds. It has happened in other ecosystems, and nothing hinders it here.

**Harmless when:** the crate is a release tool or a client of registries.

**What to do:** find out whose token is used, and what is published.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[57],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let kinds: &'static [OperationKind] = &[OperationKind::StartProcess, OperationKind::Connect];
        let acts = behaviour.of_kind(kinds).filter(|act| behaviour.phase(*act) != Phase::Test);
        let used = acts.filter(|act| publishes(behaviour, *act)).map(|act| {
            Sign::new(Severity::Low, Confidence::Medium, behaviour.evidence(act)).pointing_to([57])
        });
        let texts = behaviour.flow().texts.iter().filter(|text| is_about(text, &[Topic::PublishCommand]));
        let named = texts.filter(|text| !behaviour.is_test_file(text.file)).map(|text| {
            Sign::new(Severity::Info, Confidence::Medium, behaviour.text_evidence(text)).pointing_to([57])
        });
        signs(
            &RULE,
            used.chain(named),
            "the package knows how to publish to a registry",
            "find out whose token is used",
        )
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, TEST, points, silent};

    #[test]
    fn a_build_script_that_publishes_is_told() {
        let mut deeds = Deeds::new();
        deeds.act(BUILD, OperationKind::StartProcess, &["cargo", "publish", "--allow-dirty"]);
        points(&RULE, &deeds, Severity::Low, &[57]);
    }

    #[test]
    fn the_words_alone_are_worth_knowing() {
        let mut deeds = Deeds::new();
        let act = deeds.act(LIBRARY, OperationKind::Encode, &[]);
        deeds.text(act, "api/v1/crates/new", Topic::PublishCommand, &[]);
        points(&RULE, &deeds, Severity::Info, &[57]);
    }

    #[test]
    fn other_commands_and_tests_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(BUILD, OperationKind::StartProcess, &["cargo", "metadata"]);
        deeds.act(TEST, OperationKind::StartProcess, &["cargo", "publish", "--dry-run"]);
        silent(&RULE, &deeds.input());
    }
}
