//! Owners come and go shortly before a release.

use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::past::{DAY, Past, duration, same_login, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "ownership-change",
    family: Family::History,
    title: "Owners changed shortly before the release",
    explanation: "\
**Looks at:** owners who were added, or removed by others, in the two weeks before this version, in a crate that had versions before. Somebody
who was added within two days, or somebody who published before and was removed, is `medium`, and surer where both happened; other
changes are `low`. Releases older than three months are not looked at.

**Why:** who takes a crate over makes room for themselves first, and locks out whoever could stop them. The phishing mails of
September 2025 asked owners of crates for just that access.

**Harmless when:** a team grows, or a maintainer leaves. Then the release has time, and whoever leaves does so themselves.

**What to do:** ask a former owner, by a way that does not lead through the registry.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[40],
    evaluate,
};

/// A release that follows so soon was waiting for the access.
const AT_ONCE: i64 = 2 * DAY;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| match past.history.events.as_result() {
        Err(reason) => Evaluation::NotEvaluated(reason.to_owned()),
        Ok(_) if past.earlier.is_empty() => Evaluation::silent(),
        Ok(_) => Evaluation::Findings(found(past).into_iter().collect()),
    })
}

fn found(past: &Past<'_>) -> Option<cratekeeper_model::Finding> {
    let changes: Vec<(i64, &str, bool)> = past.changes_of_owners().collect();
    let (at, who, is_added) = *changes.last()?;
    let published_before = |login: &str| {
        past.earlier.iter().filter_map(|it| it.publisher.value()).any(|it| same_login(it, login))
    };
    let locked_out = changes.iter().any(|(_, who, is_added)| !is_added && published_before(who));
    let added_at_once = changes.iter().any(|(at, who, is_added)| {
        *is_added && past.published.saturating_sub(*at) <= AT_ONCE && !published_before(who)
    });
    let (severity, confidence) = match (locked_out, added_at_once) {
        (true, true) => (Severity::Medium, Confidence::High),
        (true, false) | (false, true) => (Severity::Medium, Confidence::Low),
        (false, false) => (Severity::Low, Confidence::Low),
    };
    let what = if is_added { "made an owner" } else { "removed as an owner" };
    let more = match changes.len() {
        1 => String::new(),
        number => format!(", the last of {number} changes of owners in two weeks"),
    };
    let message = format!(
        "{} was {what} {} before this version{more}",
        quoted(who, NAME),
        duration(past.published.saturating_sub(at))
    );
    let help = "ask a former owner, by a way that does not lead through the registry";
    let finding = finding(&RULE, severity, confidence, message).with_help(help);
    Some(finding.pointing_to((severity > Severity::Low).then_some(40)))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, Severity};

    use super::RULE;
    use crate::past::{DAY, HOUR};
    use crate::test_support::history::History;
    use crate::test_support::{not_evaluated, one, silent};

    fn release() -> History {
        History::new().version("1.0.0", 900).version("1.1.0", 400).release(&[])
    }

    #[test]
    fn a_locked_out_owner_is_medium() {
        let history = release().owner_added("mallory", -2 * HOUR).owner_removed("alice", -HOUR);
        let finding = one(&RULE, &history.input(), Severity::Medium, Confidence::High);
        assert_eq!(
            finding.message,
            "`alice` was removed as an owner 60 minutes before this version, the last of 2 changes of owners in two weeks"
        );
        assert_eq!(finding.techniques, [40]);
        one(&RULE, &release().owner_added("mallory", -HOUR).input(), Severity::Medium, Confidence::Low);
    }

    #[test]
    fn a_team_that_grows_is_low() {
        let finding =
            one(&RULE, &release().owner_added("bob", -10 * DAY).input(), Severity::Low, Confidence::Low);
        assert!(finding.techniques.is_empty());
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &release().owner_added("mallory", -30 * DAY).input());
        silent(&RULE, &release().owner_added("mallory", HOUR).input());
        // The test's removals are by `mallory`: this is someone who leaves.
        silent(&RULE, &release().owner_removed("mallory", -HOUR).input());
        silent(&RULE, &History::new().release(&[]).owner_added("mallory", -HOUR).input());
        not_evaluated(
            &RULE,
            &release().with(|it| it.events = Known::Unknown("an index has none".to_owned())).input(),
        );
    }
}
