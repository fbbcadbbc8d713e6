//! Hidden text that reaches an operation.

use cratekeeper_model::{RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{ChainKind, found};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "hidden-payload",
    family: Family::Correlation,
    title: "Text that took decoding to be seen decides what is done",
    explanation: "\
**Looks at:** constants that analysis had to decode, and the connections, programs, libraries, files and variables that they reach. What each tie is worth is in the table of [chains](#chains); from 4 points on there is a finding, 10 are an alert by themselves.

**Why:** there is no reason to hide where a program connects, but that it should not be found.

**Harmless when:** it is a test of decoders, or hides a key from casual search as licence checks do.

**What to do:** read the decoded text in the evidence.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[12, 13, 15, 42, 43, 45, 46, 47, 49, 51],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let help = "read the decoded text in the evidence, and ask why it was hidden";
        found(&RULE, ChainKind::Hidden.detect(behaviour), help)
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{Decoding, OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    fn hiding(function: u32, kind: OperationKind, value: &str, topic: Topic, decoding: Decoding) -> Deeds {
        let mut deeds = Deeds::new();
        let act = deeds.act(function, kind, &[value]);
        deeds.text(act, value, topic, &[decoding]);
        deeds
    }

    #[test]
    fn a_hidden_address_is_reviewed_and_at_build_time_an_alert() {
        let address = "http://127.0.0.1:9/";
        let deeds = hiding(LIBRARY, OperationKind::Connect, address, Topic::Url, Decoding::Base64);
        points(&RULE, &deeds, Severity::Medium, &[13]);
        let deeds = hiding(BUILD, OperationKind::Connect, address, Topic::Url, Decoding::Xor);
        points(&RULE, &deeds, Severity::High, &[12]);
    }

    #[test]
    fn a_hidden_program_weighs_more() {
        let deeds = hiding(LIBRARY, OperationKind::StartProcess, "true", Topic::Shell, Decoding::Evaluated);
        points(&RULE, &deeds, Severity::High, &[15]);
    }

    #[test]
    fn joined_addresses_and_decoded_data_are_silent() {
        let deeds = hiding(
            LIBRARY,
            OperationKind::Connect,
            "https://a.example.invalid/",
            Topic::Url,
            Decoding::Joined,
        );
        silent(&RULE, &deeds.input());
        let deeds = hiding(LIBRARY, OperationKind::WriteFile, "GIF89a", Topic::HighEntropy, Decoding::Base64);
        silent(&RULE, &deeds.input());
    }
}
