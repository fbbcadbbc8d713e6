//! Versions that an advisory calls malicious.

use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, RuleInput, Severity};

use crate::advice;
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "malicious-version",
    family: Family::Advisories,
    title: "An advisory says that this version was published to do harm",
    explanation: "\
**Looks at:** the advisories of the database that affect this version and call it malicious.

**Why:** someone has looked and found the attack. Most such versions are removed from the registry within hours, but
stay in lockfiles, mirrors and caches, and after the removal a lockfile looks like any other. Example: RUSTSEC-2022-0042,
`rustdecimal`, a copy of `rust_decimal` that fetched and ran a program when it found itself in a CI job.

**Harmless when:** the advisory is wrong, or means other versions than its ranges say. Both are rare; report them to
the database.

**What to do:** do not build. If you have built it, treat the machine as compromised: its build script or macros may
already have run. Renew every secret that the machine could read, then find out which dependency brought it in with
`cargo tree --invert`.",
    severities: &[Severity::Critical],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    let weight = |_: &Advisory| (Severity::Critical, Confidence::High);
    let says = |advisory: &Advisory| format!("was published to do harm: {}", advice::named(advisory));
    let help = |advisory: &Advisory| {
        format!(
            "do not build it; where it was built, renew every secret that the machine could read ({})",
            advice::reference(advisory)
        )
    };
    advice::evaluate(&RULE, input, AdvisoryClass::Malicious, weight, says, help)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{advisory, input, not_evaluated, one, silent};

    fn affected_by(advisory: Advisory) -> RuleInput {
        RuleInput { advisories: Known::Known(vec![advisory]), ..input() }
    }

    /// RUSTSEC-2022-0042: the advisory of `rustdecimal` has neither a severity nor a fix.
    #[test]
    fn the_wild_rustdecimal_is_critical_without_a_rating() {
        let title = "malicious crate `rustdecimal`".to_owned();
        let advisory = Advisory { title, ..advisory(AdvisoryClass::Malicious) };
        let finding = one(&RULE, &affected_by(advisory), Severity::Critical, Confidence::High);
        assert!(finding.message.contains("`demo` 1.2.3 was published to do harm"), "{}", finding.message);
        assert!(finding.help.unwrap().starts_with("do not build it"));
    }

    #[test]
    fn no_upgrade_is_offered() {
        let patched = vec![">=1.3.0".to_owned()];
        let advisory = Advisory { patched, ..advisory(AdvisoryClass::Malicious) };
        let finding = one(&RULE, &affected_by(advisory), Severity::Critical, Confidence::High);
        assert!(!finding.help.unwrap().contains("cargo update"));
    }

    #[test]
    fn a_vulnerability_is_not_malice() {
        silent(&RULE, &affected_by(advisory(AdvisoryClass::Vulnerability)));
        silent(&RULE, &input());
    }

    #[test]
    fn without_a_database_there_is_no_answer() {
        let advisories = Known::Unknown("no advisory database".to_owned());
        not_evaluated(&RULE, &RuleInput { advisories, ..input() });
    }
}
