//! Patterns of keys.

use cratekeeper_model::facts::{OperationKind, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, is_about, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "secret-pattern",
    family: Family::Behaviour,
    title: "The package has patterns that match keys, seeds or addresses of wallets",
    explanation: "\
**Looks at:** constant patterns: 64 hexadecimal digits after `0x`, base58 of 32 to 44, words of a seed, forms of well-known tokens. Where a regular expression is made of it `low`, else `info`. Tests are left out.

**Why:** `faster_log` and its siblings searched source files with such patterns and sent what matched.

**Harmless when:** the crate parses, checks or redacts such values, or is a scanner for leaked secrets.

**What to do:** find out which text is searched, and what becomes of a match.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[54],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let texts = behaviour.flow().texts.iter().filter(|text| is_about(text, &[Topic::SecretPattern]));
        let seen = texts.filter(|text| !behaviour.is_test_file(text.file)).map(|text| {
            let act = text.operation.and_then(|number| behaviour.act(number));
            let made = act.is_some_and(|act| act.operation.kind == OperationKind::Pattern);
            let severity = if made { Severity::Low } else { Severity::Info };
            Sign::new(severity, Confidence::Medium, behaviour.text_evidence(text)).pointing_to([54])
        });
        signs(
            &RULE,
            seen,
            "the package has patterns that match keys or wallets",
            "find out which text is searched",
        )
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{Deeds, LIBRARY, TEST, points, silent};

    fn matching(function: u32, kind: OperationKind) -> Deeds {
        let mut deeds = Deeds::new();
        let act = deeds.act(function, kind, &[]);
        deeds.text(act, "0x[0-9a-fA-F]{64}", Topic::SecretPattern, &[]);
        deeds
    }

    #[test]
    fn a_pattern_of_keys_is_told() {
        points(&RULE, &matching(LIBRARY, OperationKind::Pattern), Severity::Low, &[54]);
        points(&RULE, &matching(LIBRARY, OperationKind::Encode), Severity::Info, &[54]);
    }

    #[test]
    fn tests_are_silent() {
        silent(&RULE, &matching(TEST, OperationKind::Pattern).input());
    }
}
