//! Crates that nobody looks after.

use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, RuleInput, Severity};

use crate::advice;
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "unmaintained-crate",
    family: Family::Advisories,
    title: "An advisory says that nobody looks after this crate",
    explanation: "\
**Looks at:** the advisories of the database that affect this version and are marked
`informational = \"unmaintained\"`.

**Why:** the next vulnerability in it will not be fixed, and an account that nobody watches is worth taking over: in
the attack of 2026-08-20 a crate that had not changed for years suddenly had a new version.

**Harmless when:** the crate is small and finished, as many are.

**What to do:** nothing today. Plan to move to an alternative; advisories usually name some.",
    severities: &[Severity::Low],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    let weight = |_: &Advisory| (Severity::Low, Confidence::High);
    let says = |advisory: &Advisory| {
        format!(
            "belongs to a crate that nobody looks after, so defects will stay: {}",
            advice::named(advisory)
        )
    };
    let help =
        |advisory: &Advisory| format!("look for an alternative, starting at {}", advice::reference(advisory));
    advice::evaluate(&RULE, input, AdvisoryClass::Unmaintained, weight, says, help)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{advisory, input, not_evaluated, one, silent};

    fn affected_by(advisory: Advisory) -> RuleInput {
        RuleInput { advisories: Known::Known(vec![advisory]), ..input() }
    }

    #[test]
    fn an_abandoned_crate_is_low() {
        let input = affected_by(advisory(AdvisoryClass::Unmaintained));
        let finding = one(&RULE, &input, Severity::Low, Confidence::High);
        assert!(finding.help.unwrap().ends_with("https://advisories.example.invalid/1"));
    }

    #[test]
    fn the_id_stands_in_for_a_missing_address() {
        let advisory = Advisory { url: None, ..advisory(AdvisoryClass::Unmaintained) };
        let finding = one(&RULE, &affected_by(advisory), Severity::Low, Confidence::High);
        assert!(finding.help.unwrap().ends_with("RUSTSEC-2099-0001"));
    }

    #[test]
    fn a_notice_is_for_another_rule() {
        silent(&RULE, &affected_by(advisory(AdvisoryClass::Notice)));
        silent(&RULE, &input());
    }

    #[test]
    fn without_a_database_there_is_no_answer() {
        let advisories = Known::Unknown("no advisory database".to_owned());
        not_evaluated(&RULE, &RuleInput { advisories, ..input() });
    }
}
