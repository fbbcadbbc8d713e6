//! Versions that an advisory calls exploitable.

use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, RuleInput, Severity};

use crate::advice;
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "vulnerable-version",
    family: Family::Advisories,
    title: "A security advisory affects this version",
    explanation: "\
**Looks at:** the advisories of the database that affect this version and describe a vulnerability, one finding for
each. The severity is the one of the advisory's CVSS vector. An advisory without a vector gives `high` with medium
confidence: nobody has rated it, and unknown is not harmless. An advisory that holds for some operating systems or
architectures only says so and has at most medium confidence, because a lockfile does not tell where you build.

**Why:** the way in is public. Example: RUSTSEC-2021-0003, a buffer overflow in `smallvec::SmallVec::insert_many` that
safe code could reach. Source: the [RustSec advisory database](https://rustsec.org).

**Harmless when:** your program cannot reach the vulnerable function, or is not built for the affected platform.

**What to do:** run the command that the finding gives. Where it gives a requirement instead, no compatible version is
fixed: raise the requirement in `Cargo.toml`, or in the dependency that holds it back.",
    severities: &Severity::ALL,
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    let says = |advisory: &Advisory| {
        let fix = match advice::patched(advisory) {
            Some(patched) => format!("upgrade to {patched}"),
            None => "there is no fixed version".to_owned(),
        };
        format!("can be attacked: {}; {fix}", advice::named(advisory))
    };
    let help = |advisory: &Advisory| advice::upgrade(input, advisory);
    advice::evaluate(&RULE, input, AdvisoryClass::Vulnerability, weight, says, help)
}

fn weight(advisory: &Advisory) -> (Severity, Confidence) {
    match advisory.severity {
        Some(severity) => (severity, Confidence::High),
        None => (Severity::High, Confidence::Medium),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{advisory, input, not_evaluated, one, silent, weights, with_newest};

    fn vulnerability() -> Advisory {
        let patched = vec![">=0.6.14, <1.0.0".to_owned(), ">=1.6.1".to_owned()];
        Advisory { severity: Some(Severity::Critical), patched, ..advisory(AdvisoryClass::Vulnerability) }
    }

    fn affected_by(advisories: &[Advisory]) -> RuleInput {
        RuleInput { advisories: Known::Known(advisories.to_vec()), ..with_newest("1.6.1") }
    }

    #[test]
    fn the_severity_is_that_of_the_advisory() {
        for severity in Severity::ALL {
            let advisory = Advisory { severity: Some(severity), ..vulnerability() };
            one(&RULE, &affected_by(&[advisory]), severity, Confidence::High);
        }
    }

    #[test]
    fn an_unrated_vulnerability_is_not_harmless() {
        let advisory = Advisory { severity: None, ..vulnerability() };
        one(&RULE, &affected_by(&[advisory]), Severity::High, Confidence::Medium);
    }

    /// RUSTSEC-2021-0003 in smallvec 1.6.0.
    #[test]
    fn the_wild_smallvec_overflow_comes_with_a_command() {
        let title = "Buffer overflow in SmallVec::insert_many".to_owned();
        let advisory = Advisory { id: "RUSTSEC-2021-0003".to_owned(), title, ..vulnerability() };
        let mut input = affected_by(&[advisory]);
        input.package.name = "smallvec".to_owned();
        input.package.version = semver::Version::new(1, 6, 0);
        let finding = one(&RULE, &input, Severity::Critical, Confidence::High);
        assert_eq!(
            finding.message,
            "`smallvec` 1.6.0 can be attacked: RUSTSEC-2021-0003 (Buffer overflow in SmallVec::insert_many); \
             upgrade to `>=0.6.14, <1.0.0` or `>=1.6.1`"
        );
        assert_eq!(finding.help.as_deref(), Some("cargo update -p smallvec@1.6.0 --precise 1.6.1"));
    }

    #[test]
    fn platforms_are_told_and_lower_the_confidence() {
        let (os, arch) = (vec!["windows".to_owned()], vec!["x86".to_owned()]);
        let advisory = Advisory { os, arch, ..vulnerability() };
        let finding = one(&RULE, &affected_by(&[advisory]), Severity::Critical, Confidence::Medium);
        assert!(finding.message.ends_with(", on windows, with x86 only"), "{}", finding.message);
    }

    #[test]
    fn each_advisory_is_a_finding() {
        assert_eq!(weights(&RULE, &affected_by(&[vulnerability(), vulnerability()])).len(), 2);
    }

    #[test]
    fn other_classes_are_for_other_rules() {
        use AdvisoryClass::{Malicious, Notice, Unmaintained, Unsound};
        silent(&RULE, &affected_by(&[Malicious, Notice, Unmaintained, Unsound].map(advisory)));
        silent(&RULE, &input());
    }

    #[test]
    fn without_a_database_there_is_no_answer() {
        let advisories = Known::Unknown("no advisory database".to_owned());
        not_evaluated(&RULE, &RuleInput { advisories, ..input() });
    }
}
