//! Advisories that want something known.

use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, RuleInput, Severity};

use crate::advice;
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "advisory-notice",
    family: Family::Advisories,
    title: "An advisory about this version is worth reading",
    explanation: "\
**Looks at:** the advisories of the database that affect this version and are neither vulnerabilities nor claims of
malice, unsoundness or abandonment: those marked `informational = \"notice\"`, and kinds that are newer than this program.

**Why:** the authors of the database want users to know something, for example that a crate was renamed or that its
cryptography has had no review.

**Harmless when:** nearly always.

**What to do:** read the advisory once.",
    severities: &[Severity::Info],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    let weight = |_: &Advisory| (Severity::Info, Confidence::High);
    let says = |advisory: &Advisory| format!("has an advisory worth reading: {}", advice::named(advisory));
    let help = |advisory: &Advisory| format!("read {}", advice::reference(advisory));
    advice::evaluate(&RULE, input, AdvisoryClass::Notice, weight, says, help)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{AdvisoryClass, Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{advisory, input, not_evaluated, one, silent};

    fn affected_by(class: AdvisoryClass) -> RuleInput {
        RuleInput { advisories: Known::Known(vec![advisory(class)]), ..input() }
    }

    #[test]
    fn a_notice_is_info() {
        let finding = one(&RULE, &affected_by(AdvisoryClass::Notice), Severity::Info, Confidence::High);
        assert_eq!(
            finding.message,
            "`demo` 1.2.3 has an advisory worth reading: RUSTSEC-2099-0001 (a title)"
        );
    }

    #[test]
    fn an_abandoned_crate_is_for_another_rule() {
        silent(&RULE, &affected_by(AdvisoryClass::Unmaintained));
        silent(&RULE, &input());
    }

    #[test]
    fn without_a_database_there_is_no_answer() {
        let advisories = Known::Unknown("no advisory database".to_owned());
        not_evaluated(&RULE, &RuleInput { advisories, ..input() });
    }
}
