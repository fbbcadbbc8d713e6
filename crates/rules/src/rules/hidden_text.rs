//! Text that took decoding to be seen.

use cratekeeper_model::facts::{ConstantText, Decoding, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{ADDRESS, Behaviour, Sign, TELLING, is_about, is_concealed, signs, with_behaviour};
use crate::correlation::techniques_of_hiding;
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "hidden-text",
    family: Family::Behaviour,
    title: "Text is kept in a form in which nobody can read or find it",
    explanation: "\
**Looks at:** constants that analysis had to decode: bytes under XOR or rotation, numbers (technique 12); base64, hex, reversed, split (13); results of a `const fn` (15). What they say decides: an address, a path of secrets, a command, or text that reaches a network or a program gives `low`; other text gives `info`.

**Why:** in `rustdecimal`, `proc-macro1` and the build scripts of 2026 the address was the only thing that was hidden, and the only thing worth finding.

**Harmless when:** test vectors, embedded pictures, keys and certificates, licence texts; none of them says where to connect or what to start.

**What to do:** read the decoded text in the evidence, and where it goes.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[12, 13, 15],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let texts = behaviour.flow().texts.iter().filter(|text| is_concealed(text) || is_split(text));
        let seen = texts.filter_map(|text| sign(behaviour, text));
        signs(&RULE, seen, "text took decoding to be seen", "read the decoded text, and where it goes")
    })
}

fn sign(behaviour: &Behaviour<'_>, text: &ConstantText) -> Option<Sign> {
    let telling = is_about(text, TELLING);
    // The value of a constant or static: the compiler did the decoding.
    let evaluated = text.function.is_none() && text.operation.is_none() && is_concealed(text);
    let used_later = evaluated
        && behaviour.flow().texts.iter().any(|other| other.value == text.value && other.operation.is_some());
    let act = text.operation.and_then(|number| behaviour.act(number));
    let acts = used_later || act.is_some_and(|act| act.operation.kind.capability().is_some());
    let in_tests = behaviour.is_test_file(text.file);
    let severity = match (telling || acts, in_tests) {
        (true, false) => Severity::Low,
        (true, true) => Severity::Info,
        (false, _) => return None,
    };
    let mut techniques = if is_concealed(text) { techniques_of_hiding(text) } else { [13].into() };
    if evaluated && behaviour.facts.source.functions.iter().any(|function| function.r#const) {
        techniques.insert(15);
    }
    let confidence = if telling && acts { Confidence::High } else { Confidence::Medium };
    Some(Sign::new(severity, confidence, behaviour.text_evidence(text)).pointing_to(techniques))
}

/// An address that was put together although all its parts are constant, by more than one step.
fn is_split(text: &ConstantText) -> bool {
    text.decodings.contains(&Decoding::Joined)
        && text.decodings.contains(&Decoding::Replaced)
        && is_about(text, ADDRESS)
        && !text.topics.contains(&Topic::HighEntropy)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{Decoding, OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{Deeds, LIBRARY, TEST, points, silent};

    #[test]
    fn how_it_is_hidden_gives_the_technique() {
        use Decoding::{Base64, Evaluated, Hex, Joined, Reversed, Xor};
        for (decodings, technique) in
            [(&[Xor][..], 12), (&[Joined, Base64], 13), (&[Hex], 13), (&[Reversed], 13), (&[Evaluated], 15)]
        {
            let mut deeds = Deeds::new();
            let connect = deeds.act(LIBRARY, OperationKind::Connect, &["http://127.0.0.1:9/"]);
            deeds.text(connect, "http://127.0.0.1:9/", Topic::Url, decodings);
            points(&RULE, &deeds, Severity::Low, &[technique]);
        }
    }

    #[test]
    fn the_address_is_not_clickable() {
        let mut deeds = Deeds::new();
        let connect = deeds.act(LIBRARY, OperationKind::Connect, &[]);
        deeds.text(connect, "http://a.example.invalid/x", Topic::Url, &[Decoding::Hex]);
        let finding = points(&RULE, &deeds, Severity::Low, &[13]);
        assert_eq!(finding.evidence[0].excerpt.as_deref(), Some("\"hxxp://a[.]example[.]invalid/x\" (hex)"));
    }

    #[test]
    fn plain_joins_and_what_says_nothing_are_silent() {
        let mut deeds = Deeds::new();
        let connect = deeds.act(LIBRARY, OperationKind::Connect, &["https://a.example.invalid/{}"]);
        deeds.text(connect, "https://a.example.invalid/{}", Topic::Url, &[Decoding::Joined]);
        let decode = deeds.act(LIBRARY, OperationKind::Decode, &[]);
        deeds.text(decode, "GIF89a", Topic::HighEntropy, &[Decoding::Base64]);
        silent(&RULE, &deeds.input());
    }

    #[test]
    fn in_tests_it_is_only_worth_knowing() {
        let mut deeds = Deeds::new();
        let connect = deeds.act(TEST, OperationKind::Connect, &[]);
        deeds.text(connect, "http://127.0.0.1:9/", Topic::Url, &[Decoding::Hex]);
        points(&RULE, &deeds, Severity::Info, &[13]);
    }
}
