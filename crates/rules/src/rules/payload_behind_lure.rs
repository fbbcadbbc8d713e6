//! Bait and payload.

use cratekeeper_model::{Finding, RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{behind_lure, combined};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "payload-behind-lure",
    family: Family::Correlation,
    title: "A crate that lures people in does what it should not",
    explanation: "\
**Looks at:** findings that say how people get to the crate (a name, a copied identity, a new dependency, a taken-over account: techniques 30 to 37, 39, 40, 63, 64), beside the worst finding of a correlation rule.

**Why:** each has innocent explanations; they seldom hold for both at once. Half of the campaigns had both.

**Harmless when:** the two have nothing to do with each other: a fork under a similar name that downloads what the original downloads.

**What to do:** hold the version, and read both findings.",
    severities: &[Severity::Medium, Severity::High],
    techniques: &[],
    evaluate,
};

/// The combination needs other rules' findings, which [`found`] is given; alone it only knows whether it could look.
fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |_| Vec::new())
}

/// What the findings of other rules add up to.
pub(crate) fn found(findings: &[Finding]) -> Option<Finding> {
    let help = "hold the version, and read both findings";
    combined(
        &RULE,
        behind_lure(findings)?,
        "people are led to this crate, and it does what it should not",
        help,
    )
}
