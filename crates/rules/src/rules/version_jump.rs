//! Version numbers that are made to win.

use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::past::{Past, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};

pub(super) const RULE: Rule = Rule {
    id: "version-jump",
    family: Family::History,
    title: "The version number is far higher than a crate of this age has",
    explanation: "\
**Looks at:** the first number of the version. A crate whose very first version is 9 or higher is `low` with a repository, and
`medium` without one, surer from 90 on; a crate that jumps by nine or more is `low`, by fifty or more `medium`. Numbers that are
years (2024, and 20 to 39 for two digits in a crate with a repository) are nothing. Releases older than three months are not
looked at.

**Why:** who wants a public crate to win over an internal one of the same name gives it a number that no internal one has: 9.0.x
and 99.x in the dependency-confusion campaigns of 2025 and 2026, none of which named a repository.

**Harmless when:** bindings carry the number of what they bind (LLVM, databases), and forks that of their origin.

**What to do:** if you have an internal crate of this name, name its registry in the manifest, and look who asked for this one.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[34],
    evaluate,
};

/// First number from which on a first version is unusual: that of the campaigns. Below one in a hundred crates has it.
const UNUSUAL: u64 = 9;
/// Nobody gets there by counting.
const ABSURD: u64 = 90;
/// A jump that no series of breaking changes makes.
const LEAP: u64 = 50;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        let repository = input.facts.as_result().map(|facts| facts.manifest.repository.is_some());
        let highest = past.earlier.iter().map(|it| it.version.major).max();
        let (weight, message) = match (highest, repository) {
            (None, Err(reason)) if past.own.version.major >= UNUSUAL => {
                return Evaluation::NotEvaluated(reason.to_owned());
            }
            (None, repository) => first(past, repository.unwrap_or(false)),
            (Some(highest), _) => jump(past, highest),
        };
        let finding = weight.map(|(severity, confidence)| {
            finding(&RULE, severity, confidence, message)
                .with_help("if you have an internal crate of this name, name its registry in the manifest")
                .pointing_to([34])
        });
        Evaluation::Findings(finding.into_iter().collect())
    })
}

type Weight = Option<(Severity, Confidence)>;

fn first(past: &Past<'_>, has_repository: bool) -> (Weight, String) {
    let major = past.own.version.major;
    let weight = match (major, has_repository) {
        (..UNUSUAL, _) => None,
        _ if is_year(major) => None,
        (20..40, true) => None,
        (_, true) => Some((Severity::Low, Confidence::Medium)),
        (ABSURD.., false) => Some((Severity::Medium, Confidence::High)),
        (_, false) => Some((Severity::Medium, Confidence::Medium)),
    };
    let repository = if has_repository { "" } else { ", and no repository is named" };
    (weight, format!("the first version of this crate is {}{repository}", past.own.version))
}

fn jump(past: &Past<'_>, highest: u64) -> (Weight, String) {
    let major = past.own.version.major;
    let weight = match major.saturating_sub(highest) {
        _ if is_year(major) => None,
        ..UNUSUAL => None,
        LEAP.. => Some((Severity::Medium, Confidence::Medium)),
        _ => Some((Severity::Low, Confidence::Medium)),
    };
    (weight, format!("the version is {}, where the highest before began with {highest}", past.own.version))
}

fn is_year(major: u64) -> bool {
    (1990..2100).contains(&major)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Facts, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::history::History;
    use crate::test_support::{not_evaluated, one, silent};

    fn first(version: &str, repository: Option<&str>) -> RuleInput {
        let mut facts = Facts::default();
        facts.manifest.repository = repository.map(str::to_owned);
        RuleInput { facts: Known::Known(facts), ..History::new().release_as(version, &[]).input() }
    }

    fn after(versions: &[&str], version: &str) -> RuleInput {
        let history = versions.iter().fold(History::new(), |history, version| history.version(version, 400));
        history.release_as(version, &[]).input()
    }

    const REPOSITORY: Option<&str> = Some("https://code.example.invalid/a");

    /// The dependency confusion of 2025: 9.0.x and 99.x without a repository.
    #[test]
    fn a_high_first_version_without_repository_is_medium() {
        let finding = one(&RULE, &first("9.0.3", None), Severity::Medium, Confidence::Medium);
        assert_eq!(finding.message, "the first version of this crate is 9.0.3, and no repository is named");
        assert_eq!(finding.techniques, [34]);
        one(&RULE, &first("99.0.1", None), Severity::Medium, Confidence::High);
    }

    #[test]
    fn with_a_repository_it_is_low() {
        one(&RULE, &first("18.1.0", REPOSITORY), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn a_leap_is_medium() {
        one(&RULE, &after(&["1.0.0"], "99.0.0"), Severity::Medium, Confidence::Medium);
        one(&RULE, &after(&["1.0.0"], "12.0.0"), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &first("0.1.0", None));
        silent(&RULE, &first("8.0.0", None));
        silent(&RULE, &first("2024.6.1", None));
        silent(&RULE, &first("24.11.0", REPOSITORY));
        silent(&RULE, &after(&["0.9.0"], "1.0.0"));
        silent(&RULE, &after(&["1.0.0"], "2024.1.0"));
        silent(&RULE, &after(&["17.0.0", "18.0.0"], "20.0.0"));
    }

    #[test]
    fn without_facts_a_high_first_version_gives_no_answer() {
        let input = RuleInput { facts: Known::Unknown("offline".to_owned()), ..first("99.0.0", None) };
        not_evaluated(&RULE, &input);
    }
}
