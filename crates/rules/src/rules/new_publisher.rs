//! Somebody publishes a crate who never published it before.

use cratekeeper_model::{Confidence, PublishMethod, RuleInput, Severity};

use crate::past::{DAY, HANDOVER, Past, duration, same_login, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "new-publisher",
    family: Family::History,
    title: "The publisher never published this crate before",
    explanation: "\
**Looks at:** whether the publisher of this version published any earlier one, and since when the account may. A new publisher
who was made an owner less than two weeks before the release is `medium`, surer where the account itself is younger than a
month; one who was made an owner before that, or who is a build service, is `info`; where nothing tells since when, `low`. Releases older than three months
are not looked at.

**Why:** a stolen token is often used from the account that it belongs to, but a crate that is bought, begged for, or taken over
by a phished invitation gets a new name behind its releases (`xz`, 2024; the phishing of crate owners in September 2025).

**Harmless when:** a maintainer takes over, which happens in the open: an announcement, weeks in between, a build service.

**What to do:** look for the announcement. Compare the release with the repository.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[40],
    evaluate,
};

/// Below this an account has no past.
const YOUNG_ACCOUNT: i64 = 30 * DAY;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| match past.publisher_is_new() {
        Err(reason) => Evaluation::NotEvaluated(reason.to_owned()),
        Ok(false) => Evaluation::silent(),
        Ok(true) => Evaluation::Findings(vec![found(past)]),
    })
}

fn found(past: &Past<'_>) -> cratekeeper_model::Finding {
    let login = past.own.publisher.value().map_or("", String::as_str);
    let publisher = past.history.publisher.value();
    let account_age =
        publisher.and_then(|it| it.first_seen).map(|first| past.published.saturating_sub(first));
    let is_young = account_age.is_some_and(|age| age < YOUNG_ACCOUNT);
    let added = past.history.events.value().and_then(|events| {
        let added = events.iter().filter(|it| it.at <= past.published);
        added
            .filter_map(|it| owner_added(&it.action).map(|who| (it.at, who)))
            .rfind(|it| same_login(it.1, login))
    });
    let by_service = past.own.method.value() == Some(&PublishMethod::TrustedPublishing);
    let (severity, confidence) = match added {
        // An owner has to set a build service up, in the open; no token of the new account is involved.
        _ if by_service => (Severity::Info, Confidence::Medium),
        Some((at, _)) if past.published.saturating_sub(at) > HANDOVER => (Severity::Info, Confidence::Medium),
        Some(_) if is_young => (Severity::Medium, Confidence::High),
        Some(_) => (Severity::Medium, Confidence::Medium),
        None if is_young => (Severity::Medium, Confidence::Low),
        None => (Severity::Low, Confidence::Medium),
    };
    let mut message =
        format!("{} published none of the {} earlier versions", quoted(login, NAME), past.earlier.len());
    if let Some((at, _)) = added {
        message.push_str(&format!(
            ", and was made an owner {} before",
            duration(past.published.saturating_sub(at))
        ));
    }
    if let Some(age) = account_age.filter(|_| is_young) {
        message.push_str(&format!("; the account was first seen {} before", duration(age)));
    }
    let finding = finding(&RULE, severity, confidence, message)
        .with_help("look for an announcement of the handover, and compare the release with the repository");
    finding.pointing_to((severity > Severity::Info).then_some(40))
}

fn owner_added(action: &cratekeeper_model::RegistryAction) -> Option<&str> {
    match action {
        cratekeeper_model::RegistryAction::OwnerAdded(who) => Some(who),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, PublishMethod, PublisherHistory, Severity};

    use super::RULE;
    use crate::past::{DAY, HOUR};
    use crate::test_support::history::{History, PUBLISHED};
    use crate::test_support::{input, not_evaluated, one, silent};

    fn by_mallory() -> History {
        History::new().version("1.0.0", 900).version("1.1.0", 400).release(&[]).by("mallory")
    }

    #[test]
    fn an_owner_since_yesterday_is_medium() {
        let history = by_mallory().owner_added("mallory", -DAY);
        let finding = one(&RULE, &history.input(), Severity::Medium, Confidence::Medium);
        assert_eq!(finding.techniques, [40]);
        let young = PublisherHistory {
            login: "mallory".to_owned(),
            first_seen: Some(PUBLISHED - 2 * DAY),
            ..PublisherHistory::default()
        };
        let history =
            by_mallory().owner_added("mallory", -HOUR).with(|it| it.publisher = Known::Known(young));
        one(&RULE, &history.input(), Severity::Medium, Confidence::High);
    }

    #[test]
    fn nothing_tells_since_when() {
        one(&RULE, &by_mallory().input(), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn a_build_service_is_told_and_points_to_nothing() {
        let history = by_mallory().owner_added("mallory", -DAY);
        let history =
            history.with(|it| it.versions[2].method = Known::Known(PublishMethod::TrustedPublishing));
        let finding = one(&RULE, &history.input(), Severity::Info, Confidence::Medium);
        assert!(finding.techniques.is_empty());
    }

    #[test]
    fn a_handover_weeks_before_is_told_and_points_to_nothing() {
        let finding = one(
            &RULE,
            &by_mallory().owner_added("mallory", -30 * DAY).input(),
            Severity::Info,
            Confidence::Medium,
        );
        assert!(finding.techniques.is_empty());
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &History::new().version("1.0.0", 900).release(&[]).input());
        silent(&RULE, &History::new().release(&[]).by("mallory").input());
        silent(&RULE, &History::new().version("1.0.0", 900).release(&[]).by("Alice").input());
    }

    #[test]
    fn an_unknown_publisher_gives_no_answer() {
        not_evaluated(&RULE, &input());
        let unknown = || Known::Unknown("an index does not name publishers".to_owned());
        not_evaluated(&RULE, &by_mallory().with(|it| it.versions[0].publisher = unknown()).input());
        not_evaluated(&RULE, &by_mallory().with(|it| it.versions[2].publisher = unknown()).input());
    }
}
