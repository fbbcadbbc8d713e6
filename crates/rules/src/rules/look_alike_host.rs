//! Hosts that differ by a letter.

use std::collections::BTreeMap;

use cratekeeper_model::facts::{LiteralKind, Topic};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::behaviour::{Behaviour, Sign, is_about, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule, place};
use crate::text::{EXCERPT, defanged, printable};

pub(super) const RULE: Rule = Rule {
    id: "look-alike-host",
    family: Family::Behaviour,
    title: "Two addresses in the package differ by a single letter",
    explanation: "\
**Looks at:** hosts in the package's constants, tests and documentation left out: two with the same number of parts, equal but for one part of five letters or more, in which one letter was added, left out or exchanged. Digits do not count. `low`.

**Why:** in `chrono_anchor` a request went to `timeapis` beside the `timeapi` that the crate talks to: a reader sees what they expect.

**Harmless when:** a service really has both (`event` and `events`), or one of them is there to be refused.

**What to do:** ask who owns the rarer of the two.",
    severities: &[Severity::Low],
    techniques: &[14],
    evaluate,
};

/// Most hosts that are compared with each other.
const HOSTS: usize = 200;

/// Shortest part that can be mistaken; below it, one letter makes another word.
const SHORTEST: usize = 5;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let hosts = hosts(behaviour);
        let mut seen = Vec::new();
        for (index, (one, place)) in hosts.iter().enumerate() {
            for (other, other_place) in hosts.iter().skip(index + 1) {
                if differ_by_a_letter(one, other) {
                    for evidence in [place, other_place] {
                        let sign = Sign::new(Severity::Low, Confidence::Medium, evidence.clone());
                        seen.push(sign.pointing_to([14]));
                    }
                }
            }
        }
        signs(&RULE, seen, "two addresses differ by a single letter", "ask who owns the rarer of the two")
    })
}

/// Hosts with the first place of each, in alphabetical order.
fn hosts(behaviour: &Behaviour<'_>) -> Vec<(String, Evidence)> {
    let mut hosts = BTreeMap::new();
    let topics = [Topic::Url, Topic::Host];
    let texts = behaviour
        .flow()
        .texts
        .iter()
        .filter(|text| is_about(text, &topics) && !behaviour.is_test_file(text.file));
    for text in texts {
        if let Some(host) = host(&text.value) {
            hosts.entry(host).or_insert_with(|| behaviour.text_evidence(text));
        }
    }
    let literals = behaviour.facts.source.literals.iter();
    let literals = literals.filter(|it| matches!(it.kind, LiteralKind::Url | LiteralKind::Host));
    for literal in literals.filter(|it| !behaviour.is_test_file(it.file)) {
        if let Some(host) = host(&literal.value) {
            let excerpt = printable(&defanged(&literal.value), EXCERPT);
            let evidence = place(behaviour.file(literal.file), Some(literal.line), Some(excerpt));
            hosts.entry(host).or_insert(evidence);
        }
    }
    hosts.into_iter().take(HOSTS).collect()
}

/// The host of an address, if it is constant.
fn host(address: &str) -> Option<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next()?;
    let constant =
        host.contains('.') && host.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-'));
    constant.then(|| host.to_ascii_lowercase())
}

fn differ_by_a_letter(one: &str, other: &str) -> bool {
    if one.split('.').count() != other.split('.').count() {
        return false;
    }
    let mut different = one.split('.').zip(other.split('.')).filter(|(a, b)| a != b);
    let Some((a, b)) = different.next() else { return false };
    different.next().is_none() && a.len().min(b.len()) >= SHORTEST && is_one_letter(a, b)
}

/// Whether one letter was added, left out or exchanged.
fn is_one_letter(a: &str, b: &str) -> bool {
    let (short, long) =
        if a.len() <= b.len() { (a.as_bytes(), b.as_bytes()) } else { (b.as_bytes(), a.as_bytes()) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let end = short[same..].iter().rev().zip(long[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (left, added) = (short.len() - same - end, long.len() - same - end);
    let letters = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_alphabetic);
    left <= 1 && added == 1 && letters(&short[same..same + left]) && letters(&long[same..same + added])
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{Deeds, LIBRARY, TEST, points, silent};

    fn naming(hosts: &[&str], function: u32) -> Deeds {
        let mut deeds = Deeds::new();
        for host in hosts {
            let address = format!("https://{host}/api");
            let connect = deeds.act(function, OperationKind::Connect, &[&address]);
            deeds.text(connect, &address, Topic::Url, &[]);
        }
        deeds
    }

    #[test]
    fn a_letter_more_is_told() {
        let deeds = naming(&["worldclock.example.invalid", "worldclocks.example.invalid"], LIBRARY);
        let finding = points(&RULE, &deeds, Severity::Low, &[14]);
        assert_eq!(finding.evidence.len(), 2);
        points(&RULE, &naming(&["clocktime.example", "clocktine.example"], LIBRARY), Severity::Low, &[14]);
    }

    #[test]
    fn regions_short_words_and_tests_are_silent() {
        for hosts in [
            ["region1.example.invalid", "region2.example.invalid"],
            ["api.example.invalid", "app.example.invalid"],
            ["releases.example.invalid", "packages.example.invalid"],
            ["clock.example.invalid", "clock.example.invalid"],
        ] {
            silent(&RULE, &naming(&hosts, LIBRARY).input());
        }
        silent(&RULE, &naming(&["worldclock.example", "worldclocks.example"], TEST).input());
    }
}
