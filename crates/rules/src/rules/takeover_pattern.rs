//! Several signs at once that a crate is in other hands.

use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::past::{DORMANT, Habit, NEWBORN, Past, RECENT, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};

pub(super) const RULE: Rule = Rule {
    id: "takeover-pattern",
    family: Family::History,
    title: "Several signs at once that the crate is in other hands",
    explanation: "\
**Looks at:** how many of these meet in one release of a crate of three months and more: it slept for a year; versions were
withdrawn shortly before; it has its first dependency ever, on a crate of less than three months, or one on a stranger's newborn crate; its publisher is new and was not
an owner two weeks before; an owner was removed; the publishing method fell back to a token; the publisher's login is a
look-alike. Two are `medium`, three and more `high`; one alone is `low` where the account does what it never did: a token, a new
publisher, a stranger's newborn crate, a look-alike. Each is also told by its own rule.

**Why:** when an account is phished, the package itself need not show anything (the phishing of crate owners in September 2025);
the registry does. All of `arrayref`'s signs of 2026-08-20 could be seen before its first download.

**Harmless when:** a new maintainer wakes up a sleeping crate and modernises it at once. Such a release can wait for a day.

**What to do:** hold the release, and ask the owners by a way that does not lead through the registry.",
    severities: &[Severity::Low, Severity::Medium, Severity::High],
    techniques: &[64],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        if !past.is_established() {
            return Evaluation::silent();
        }
        let signs = signs(past);
        let (severity, confidence) = match signs.len() {
            0 => return unknown(past),
            // A pause or a first dependency alone is what every maintainer does; an account that acts unlike itself is not.
            1 if !signs[0].1 => return unknown(past),
            1 => (Severity::Low, Confidence::Medium),
            2 => (Severity::Medium, Confidence::Medium),
            3 => (Severity::High, Confidence::Medium),
            _ => (Severity::High, Confidence::High),
        };
        let names: Vec<&str> = signs.iter().map(|(name, _)| *name).collect();
        let number = crate::text::count(names.len(), "sign", "signs");
        let message = format!("{number} that the crate is in other hands: {}", names.join("; "));
        let finding = finding(&RULE, severity, confidence, message).with_help(
            "hold the release, and ask the owners by a way that does not lead through the registry",
        );
        Evaluation::Findings(vec![finding.pointing_to([64])])
    })
}

/// Signs, each with whether it is one of the account itself.
fn signs(past: &Past<'_>) -> Vec<(&'static str, bool)> {
    let withdrawn = past.yanked_around().is_ok_and(|(before, _)| before.len() >= 2);
    let is_newborn =
        |it| past.age_of(it).is_some_and(|age| age < NEWBORN) && past.is_strangers(it) == Some(true);
    let adopts_newborn = past.new_dependencies().any(is_newborn);
    let is_young = |it| past.age_of(it).is_some_and(|age| age < RECENT);
    let adopts_young = !past.adds_its_own_only() && past.new_dependencies().any(is_young);
    let changes: Vec<_> = past.changes_of_owners().collect();
    let new_publisher = past.publisher_is_new() == Ok(true) && !past.publisher_was_owner();
    let look_alike = past.history.publisher.value().is_some_and(|it| !it.look_alikes.is_empty());
    [
        (past.pause().is_some_and(|pause| pause >= DORMANT), "no release for a year", false),
        (withdrawn, "other versions were withdrawn shortly before", false),
        (
            adopts_young && past.has_first_dependency() == Ok(true),
            "its first dependency ever, on a young crate",
            false,
        ),
        (adopts_newborn, "a dependency on a stranger's newborn crate", true),
        (new_publisher, "a new publisher", true),
        (changes.iter().any(|(_, _, is_added)| !is_added), "an owner was removed", false),
        (
            past.method_downgraded() == Ok(Some(Habit::Kept)),
            "published with a token instead of trusted publishing",
            true,
        ),
        (look_alike, "the publisher's login looks like a well-known one", true),
    ]
    .into_iter()
    .filter_map(|(is_there, sign, of_account)| is_there.then_some((sign, of_account)))
    .collect()
}

/// Below two signs, what is not known could have been one.
fn unknown(past: &Past<'_>) -> Evaluation {
    let history = past.history;
    let reasons = [history.events.as_result().err(), past.own.publisher.as_result().err()];
    match reasons.into_iter().flatten().next() {
        Some(reason) => Evaluation::NotEvaluated(reason.to_owned()),
        None => Evaluation::silent(),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, Severity};

    use super::RULE;
    use crate::past::HOUR;
    use crate::test_support::history::{History, dependency};
    use crate::test_support::{not_evaluated, one, silent};

    fn asleep() -> History {
        History::new().version("1.2.1", 1200).version("1.2.2", 900)
    }

    /// `arrayref` of August 2026.
    #[test]
    fn all_signs_of_arrayref_are_counted() {
        let mut newborn = dependency("proc-macro1", 5 * HOUR, Some(2));
        newborn.owners = Known::Known(vec!["dtolney".to_owned()]);
        let history = asleep().release(&["proc-macro1"]).yank(&["1.2.1", "1.2.2"], -60);
        let finding = one(
            &RULE,
            &history.with(|it| it.dependencies = vec![newborn]).input(),
            Severity::High,
            Confidence::High,
        );
        assert!(finding.message.starts_with("4 signs"), "{}", finding.message);
        assert_eq!(finding.techniques, [64]);
    }

    #[test]
    fn two_signs_are_medium() {
        one(&RULE, &asleep().release(&[]).by("mallory").input(), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn one_sign_is_little_or_nothing() {
        silent(&RULE, &asleep().release(&[]).input());
        one(
            &RULE,
            &History::new().version("1.2.2", 200).release(&[]).by("mallory").input(),
            Severity::Low,
            Confidence::Medium,
        );
        silent(&RULE, &History::new().version("1.2.2", 30).release(&["x"]).by("mallory").input());
        let unknown =
            asleep().release(&[]).with(|it| it.events = Known::Unknown("an index has none".to_owned()));
        not_evaluated(&RULE, &unknown.input());
    }
}
