//! Programs that run unseen.

use cratekeeper_model::facts::{OperationKind, Quality};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Program, Sign, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "hidden-child",
    family: Family::Behaviour,
    title: "A program is started so that nobody sees it or can wait for it",
    explanation: "\
**Looks at:** programs that are started in a session of their own, without a window, or not waited for with all output thrown away: `low`. All output thrown away alone gives `info` and points to no technique when the program is waited for.

**Why:** a payload should outlive the build, and say nothing.

**Harmless when:** the crate makes daemons, opens a browser, or keeps a console window from flashing up on Windows.

**What to do:** find out what is started, and why it must not be seen.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[49],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts = behaviour.of_kind(&[OperationKind::StartProcess]);
        let seen = acts.filter_map(|act| {
            let is_tool = behaviour.program(act) == Program::BuildTool;
            let (detached, silent) = (act.is(Quality::Detached), act.is(Quality::Silent));
            let evidence = behaviour.evidence(act);
            match (detached, silent) {
                (true, true) if !is_tool => {
                    Some(Sign::new(Severity::Low, Confidence::Medium, evidence).pointing_to([49]))
                }
                (true, _) => Some(Sign::new(Severity::Info, Confidence::Medium, evidence).pointing_to([49])),
                (false, true) if !is_tool => {
                    Some(Sign::new(Severity::Info, Confidence::Low, evidence).pointing_to([49]))
                }
                _ => None,
            }
        });
        signs(&RULE, seen, "a program is started so that nobody sees it", "find out what is started")
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Quality};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    #[test]
    fn a_detached_child_is_told() {
        let mut deeds = Deeds::new();
        let start = deeds.act(BUILD, OperationKind::StartProcess, &["true"]);
        deeds.quality(start, Quality::Silent).quality(start, Quality::Detached);
        points(&RULE, &deeds, Severity::Low, &[49]);
    }

    #[test]
    fn a_child_without_output_is_worth_knowing() {
        let mut deeds = Deeds::new();
        let start = deeds.act(LIBRARY, OperationKind::StartProcess, &["true"]);
        deeds.quality(start, Quality::Silent);
        points(&RULE, &deeds, Severity::Info, &[49]);
    }

    #[test]
    fn quiet_tools_and_plain_children_are_silent() {
        let mut deeds = Deeds::new();
        let start = deeds.act(BUILD, OperationKind::StartProcess, &["rustc", "--version"]);
        deeds.quality(start, Quality::Silent);
        deeds.act(LIBRARY, OperationKind::StartProcess, &["vi"]);
        silent(&RULE, &deeds.input());
    }
}
