//! A dead version, crate or name comes back.

use cratekeeper_model::{Confidence, Finding, Known, RegistryAction, RuleInput, Severity};

use crate::past::{DORMANT, Past, YOUNG, duration, same_login, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "revived-crate",
    family: Family::History,
    title: "A dead version, crate or name comes back",
    explanation: "\
**Looks at:** three kinds of return. A *crate* that had no release for a year has one: `medium` by a publisher who never published
it and was no owner two weeks before, otherwise `low`. A *version* that was withdrawn is put back within the last month:
`low`, and `medium` if not by its publisher. A *name* that somebody else used before is used anew: `medium`. Releases older than
three months are not looked at.

**Why:** what is dead still has users, in lockfiles, manifests and instructions, and nobody who watches. `arrayref` had no release
for years when its owner's account was used for the malicious 0.3.10; `finch-rust` came back under new names three days after it
had been taken down.

**Harmless when:** the old owner makes a maintenance release, which is what most such releases are.

**What to do:** compare the release with the repository; look at what it adds.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[39],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        let found: Vec<Finding> = [name(past), version(past), sleeper(past)].into_iter().flatten().collect();
        let history = past.history;
        let unknown = [history.events.as_result().err(), history.earlier_owner.as_result().err()];
        match unknown.into_iter().flatten().next() {
            Some(reason) => Evaluation::Partial(found, reason.to_owned()),
            None => Evaluation::Findings(found),
        }
    })
}

/// A name that somebody else used before.
fn name(past: &Past<'_>) -> Option<Finding> {
    let Known::Known(Some(former)) = &past.history.earlier_owner else { return None };
    if past.own.publisher.value().is_some_and(|it| same_login(it, former)) {
        return None;
    }
    let message = format!("the name belonged to {} before, whose crate is gone", quoted(former, NAME));
    Some(complete(Severity::Medium, Confidence::High, message))
}

/// A version that was withdrawn and put back.
fn version(past: &Past<'_>) -> Option<Finding> {
    let events = past.history.events.value()?;
    let mut recent = events.iter().filter(|it| (0..=YOUNG).contains(&past.history.at.saturating_sub(it.at)));
    let event =
        recent.rfind(|it| matches!(&it.action, RegistryAction::Unyank(it) if *it == past.own.version))?;
    let by_another = match (&event.by, &past.own.publisher) {
        (Known::Known(by), Known::Known(publisher)) => !same_login(by, publisher),
        _ => false,
    };
    let (severity, who) = if by_another {
        (Severity::Medium, "not by its publisher")
    } else {
        (Severity::Low, "by its publisher")
    };
    let ago = duration(past.history.at.saturating_sub(event.at));
    let message = format!("this version had been withdrawn, and was put back {ago} ago, {who}");
    Some(complete(severity, Confidence::Medium, message))
}

/// A crate that slept.
fn sleeper(past: &Past<'_>) -> Option<Finding> {
    let pause = past.pause().filter(|pause| *pause >= DORMANT)?;
    let (severity, confidence, who) = match past.publisher_is_new() {
        Ok(true) if past.publisher_was_owner() => {
            (Severity::Low, Confidence::Medium, "by an owner of weeks and more")
        }
        Ok(true) => (Severity::Medium, Confidence::Medium, "by a publisher who never published it"),
        Ok(false) => (Severity::Low, Confidence::Medium, "by a publisher who did before"),
        Err(_) => (Severity::Low, Confidence::Low, "by whom is not known"),
    };
    let message = format!("this is the first version in {}, {who}", duration(pause));
    Some(complete(severity, confidence, message))
}

fn complete(severity: Severity, confidence: Confidence, message: String) -> Finding {
    finding(&RULE, severity, confidence, message)
        .with_help("compare the release with the repository, and look at what it adds")
        .pointing_to([39])
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, Severity};

    use super::RULE;
    use crate::past::DAY;
    use crate::test_support::history::History;
    use crate::test_support::{input, not_evaluated, one, silent};

    fn asleep_for(days: i64) -> History {
        History::new().version("1.0.0", days + 400).version("1.1.0", days).release(&[])
    }

    #[test]
    fn a_crate_that_wakes_up_in_other_hands_is_medium() {
        let finding =
            one(&RULE, &asleep_for(900).by("mallory").input(), Severity::Medium, Confidence::Medium);
        assert_eq!(finding.techniques, [39]);
    }

    #[test]
    fn a_maintenance_release_is_low() {
        let by_owner = asleep_for(900).by("bob").owner_added("bob", -40 * DAY);
        one(&RULE, &by_owner.input(), Severity::Low, Confidence::Medium);
        one(&RULE, &asleep_for(900).input(), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn a_version_that_is_put_back_is_found() {
        let back = asleep_for(30).yank(&["1.2.3"], DAY).unyank(&["1.2.3"], 2 * DAY);
        one(&RULE, &back.clone().input(), Severity::Low, Confidence::Medium);
        let by_another = back.with(|it| {
            if let Known::Known(events) = &mut it.events {
                events.last_mut().unwrap().by = Known::Known("mallory".to_owned());
            }
        });
        one(&RULE, &by_another.input(), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn a_name_in_other_hands_is_medium() {
        let former = |who: &str| {
            let former = Known::Known(Some(who.to_owned()));
            History::new().release(&[]).with(|it| it.earlier_owner = former)
        };
        one(&RULE, &former("bob").input(), Severity::Medium, Confidence::High);
        silent(&RULE, &former("alice").input());
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &asleep_for(200).input());
        silent(&RULE, &History::new().release(&[]).input());
        silent(&RULE, &asleep_for(900).with(|it| it.at += 100 * DAY).input());
        silent(&RULE, &asleep_for(30).yank(&["1.1.0"], DAY).unyank(&["1.1.0"], 2 * DAY).input());
        not_evaluated(&RULE, &input());
    }
}
