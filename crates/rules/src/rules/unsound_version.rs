//! Versions in which safe code can reach undefined behaviour.

use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, RuleInput, Severity};

use crate::advice;
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "unsound-version",
    family: Family::Advisories,
    title: "An advisory says that safe code can reach undefined behaviour in this version",
    explanation: "\
**Looks at:** the advisories of the database that affect this version and are marked `informational = \"unsound\"`. The
severity is `medium` whatever the vector says: the database keeps this mark for defects that no known program turns
into an attack; those that one does are vulnerabilities, and another rule's.

**Why:** a program that calls such an interface in an unusual way may corrupt memory without a line of `unsafe` of its
own. Example: RUSTSEC-2021-0145, an unaligned read in `atty`. Source: the
[RustSec advisory database](https://rustsec.org).

**Harmless when:** nothing calls the unsound function, or only in the way that its author had in mind.

**What to do:** run the command that the finding gives, or read the advisory and look for calls of the functions that
it names.",
    severities: &[Severity::Medium],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    let weight = |_: &Advisory| (Severity::Medium, Confidence::High);
    let says = |advisory: &Advisory| {
        format!("lets safe code reach undefined behaviour: {}", advice::named(advisory))
    };
    let help = |advisory: &Advisory| advice::upgrade(input, advisory);
    advice::evaluate(&RULE, input, AdvisoryClass::Unsound, weight, says, help)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{advisory, input, not_evaluated, one, silent};

    fn affected_by(advisory: Advisory) -> RuleInput {
        RuleInput { advisories: Known::Known(vec![advisory]), ..input() }
    }

    /// RUSTSEC-2021-0145: `atty`, without a fix, on Windows only.
    #[test]
    fn the_wild_atty_is_for_windows_only() {
        let advisory = Advisory { os: vec!["windows".to_owned()], ..advisory(AdvisoryClass::Unsound) };
        let finding = one(&RULE, &affected_by(advisory), Severity::Medium, Confidence::Medium);
        assert!(finding.message.ends_with("on windows only"), "{}", finding.message);
        assert!(finding.help.unwrap().starts_with("no fixed version exists"));
    }

    #[test]
    fn a_rating_does_not_change_the_severity() {
        let advisory = Advisory { severity: Some(Severity::Critical), ..advisory(AdvisoryClass::Unsound) };
        one(&RULE, &affected_by(advisory), Severity::Medium, Confidence::High);
    }

    #[test]
    fn other_advisories_are_for_other_rules() {
        silent(&RULE, &affected_by(advisory(AdvisoryClass::Vulnerability)));
        silent(&RULE, &input());
    }

    #[test]
    fn without_a_database_there_is_no_answer() {
        let advisories = Known::Unknown("no advisory database".to_owned());
        not_evaluated(&RULE, &RuleInput { advisories, ..input() });
    }
}
