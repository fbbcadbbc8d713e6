//! The crate publishes itself or others.

use cratekeeper_model::{RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{ChainKind, found};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "self-propagation",
    family: Family::Correlation,
    title: "A package is published, perhaps with a token that was found",
    explanation: "\
**Looks at:** commands and addresses that publish, and the tokens that are read beside them. What each tie is worth is in the table of [chains](#chains); from 4 points on there is a finding, 10 are an alert by themselves.

**Why:** this is a worm.

**Harmless when:** the crate is a release tool that its user starts.

**What to do:** revoke the tokens of whoever built it.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[42, 43, 45, 46, 47, 49, 51, 57],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let help = "revoke the tokens of whoever built it, before anything else";
        found(&RULE, ChainKind::Propagation.detect(behaviour), help)
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{BUILD, BUILD_INNER, Deeds, LIBRARY, points, silent};

    #[test]
    fn a_worm_is_blocked() {
        let mut deeds = Deeds::new();
        let read = deeds.act(BUILD_INNER, OperationKind::ReadFile, &["{}/.cargo/credentials.toml"]);
        deeds.text(read, "{}/.cargo/credentials.toml", Topic::SecretFile, &[]);
        deeds.act(BUILD, OperationKind::StartProcess, &["cargo", "publish", "--token", "{}"]);
        points(&RULE, &deeds, Severity::High, &[57]);
    }

    #[test]
    fn a_release_tool_stays_below_review() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::StartProcess, &["cargo", "publish"]);
        points(&RULE, &deeds, Severity::Low, &[57]);
    }

    #[test]
    fn other_commands_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(BUILD, OperationKind::StartProcess, &["cargo", "metadata"]);
        silent(&RULE, &deeds.input());
    }
}
