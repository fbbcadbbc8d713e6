//! Code out of the way that reaches out.

use cratekeeper_model::{RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{ChainKind, found};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "concealed-payload",
    family: Family::Correlation,
    title: "Code in an unusual place reaches a network, a program or secrets",
    explanation: "\
**Looks at:** operations whose address, program or path is the crate's own, in files that are not named as code, lie in hidden directories or among data, or far to the right on a long line, or in functions that replace one of the system. What each tie is worth is in the table of [chains](#chains); from 4 points on there is a finding, 10 are an alert by themselves.

**Why:** reviewers read what looks like source.

**Harmless when:** generated code is included from an odd directory, and does nothing of the kind.

**What to do:** read the place.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[18, 19, 21, 42, 43, 45, 46, 47, 49, 51],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let help = "read the place, and ask why it is not with the other code";
        found(&RULE, ChainKind::Concealed.detect(behaviour), help)
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::OperationKind;

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    #[test]
    fn code_in_a_picture_s_place_is_told() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::Connect, &["127.0.0.1:9"]);
        deeds.facts().source.rust_files[1].path = "assets/logo.txt".to_owned();
        points(&RULE, &deeds, Severity::Medium, &[19]);
        deeds.act(BUILD, OperationKind::Connect, &["127.0.0.1:9"]);
        deeds.facts().source.rust_files[0].path = ".hidden/gen.rs".to_owned();
        points(&RULE, &deeds, Severity::High, &[19]);
    }

    #[test]
    fn usual_places_and_harmless_code_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::Connect, &["127.0.0.1:9"]);
        silent(&RULE, &deeds.input());
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::ReadClock, &[]);
        deeds.facts().source.rust_files[1].path = "src/table.in".to_owned();
        silent(&RULE, &deeds.input());
    }
}
