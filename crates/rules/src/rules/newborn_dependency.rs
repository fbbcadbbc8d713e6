//! A new dependency on a crate that was just born.

use cratekeeper_model::{Confidence, DependencyHistory, Finding, RuleInput, Severity};

use crate::past::{NEWBORN, Past, YOUNG, duration, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "newborn-dependency",
    family: Family::History,
    title: "A new dependency leads to a crate that was just born",
    explanation: "\
**Looks at:** dependencies that the previous version did not have, and what comes with them: how old were those crates when
this version was published, and does anybody who stands behind this crate stand behind them? Below seven days, by strangers,
and in a crate of three months and more, it is `high`; below thirty days, or where owners are not known, `medium`; through
another dependency a little less sure. Releases older than three months are not looked at.

**Why:** two of the three dangerous waves of 2026 had nothing bad in the crate that people named: `arrayref` 0.3.10 got its
payload through `proc-macro1`, hours old; `finch-rust` (2025) through `sha-rust`, minutes old.

**Harmless when:** a project splits a part off into a crate of its own: the same people publish both, and the rule is silent.
Or the author adopts a friend's new crate.

**What to do:** wait. Malicious crates are mostly found within a week. If you cannot, read the new crate: it is small.",
    severities: &[Severity::Low, Severity::Medium, Severity::High],
    techniques: &[31],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        let mut findings: Vec<Finding> =
            past.new_dependencies().filter_map(|dependency| found(past, dependency)).collect();
        findings.sort_by_key(|it| std::cmp::Reverse((it.severity, it.confidence)));
        findings.truncate(MOST);
        let unknown = past.new_dependencies().find_map(|it| it.first_published.as_result().err());
        match unknown {
            Some(reason) if findings.is_empty() => {
                Evaluation::NotEvaluated(format!("the age of a new dependency is not known: {reason}"))
            }
            Some(reason) => Evaluation::Partial(findings, reason.to_owned()),
            None => Evaluation::Findings(findings),
        }
    })
}

/// Most findings: further ones add nothing to the score.
const MOST: usize = 5;

fn found(past: &Past<'_>, dependency: &DependencyHistory) -> Option<Finding> {
    let age = past.age_of(dependency)?;
    let (severity, confidence) = weight(past, dependency, age)?;
    let name = quoted(&dependency.name, NAME);
    let what = match dependency.through.first() {
        None => format!("{name}, a new dependency,"),
        Some(first) => format!("{name}, which comes with the new dependency {},", quoted(first, NAME)),
    };
    let who = match past.is_strangers(dependency) {
        Some(true) => ", and nobody who stands behind this crate stands behind it",
        _ => "",
    };
    let message = format!("{what} was first published {} before this version{who}", duration(age));
    let help = format!("wait until others have looked, or read {name} before building it");
    Some(finding(&RULE, severity, confidence, message).with_help(help).pointing_to([31]))
}

fn weight(past: &Past<'_>, dependency: &DependencyHistory, age: i64) -> Option<(Severity, Confidence)> {
    let is_update = dependency.in_previous.is_some();
    let sure = if dependency.through.is_empty() { Confidence::High } else { Confidence::Medium };
    let by_strangers = past.is_strangers(dependency);
    match (age < NEWBORN, by_strangers) {
        _ if age >= YOUNG || by_strangers == Some(false) => None,
        // A first version has no users yet who would be surprised.
        (true, Some(true)) if !is_update => Some((Severity::Medium, Confidence::Low)),
        (true, Some(true)) if past.is_established() => Some((Severity::High, sure)),
        (true, Some(true)) => Some((Severity::High, Confidence::Low)),
        (false, Some(true)) if is_update => Some((Severity::Medium, Confidence::Medium)),
        (true, None) if is_update => Some((Severity::Medium, Confidence::Medium)),
        (false, None) if is_update => Some((Severity::Low, Confidence::Medium)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, DependencyHistory, Known, Severity};

    use super::RULE;
    use crate::past::{DAY, HOUR};
    use crate::test_support::history::{History, dependency};
    use crate::test_support::{not_evaluated, one, silent};

    fn of(owner: &str, age: i64) -> DependencyHistory {
        DependencyHistory {
            owners: Known::Known(vec![owner.to_owned()]),
            ..dependency("newborn", age, Some(3))
        }
    }

    fn depending(dependency: DependencyHistory) -> History {
        History::new()
            .version("0.3.9", 900)
            .release(&["newborn"])
            .with(|it| it.dependencies = vec![dependency])
    }

    /// `arrayref` of August 2026: `proc-macro1` was five hours old, by `dtolney`.
    #[test]
    fn a_strangers_newborn_is_high() {
        let finding =
            one(&RULE, &depending(of("dtolney", 5 * HOUR)).input(), Severity::High, Confidence::High);
        assert!(finding.message.contains("5 hours before this version, and nobody"), "{}", finding.message);
        assert_eq!(finding.techniques, [31]);
    }

    #[test]
    fn through_another_newborn_it_is_found_too() {
        let deep = DependencyHistory { through: vec!["facade".to_owned()], ..of("dtolney", DAY) };
        let finding = one(&RULE, &depending(deep).input(), Severity::High, Confidence::Medium);
        assert!(finding.message.contains("comes with the new dependency `facade`"), "{}", finding.message);
    }

    #[test]
    fn unknown_owners_weigh_less() {
        let unknown = dependency("newborn", DAY, None);
        one(&RULE, &depending(unknown).input(), Severity::Medium, Confidence::Medium);
        one(&RULE, &depending(of("dtolney", 20 * DAY)).input(), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &depending(of("alice", HOUR)).input());
        silent(&RULE, &depending(of("ALICE", HOUR)).input());
        silent(&RULE, &depending(of("dtolney", 31 * DAY)).input());
        let known = DependencyHistory { in_previous: Some(true), ..of("dtolney", HOUR) };
        silent(&RULE, &depending(known).input());
        silent(&RULE, &depending(of("dtolney", HOUR)).with(|it| it.at += 100 * DAY).input());
    }

    #[test]
    fn an_unknown_age_gives_no_answer() {
        let unknown =
            DependencyHistory { first_published: Known::Unknown("offline".to_owned()), ..of("x", 0) };
        not_evaluated(&RULE, &depending(unknown).input());
    }
}
