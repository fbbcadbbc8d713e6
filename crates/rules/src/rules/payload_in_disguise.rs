//! A payload in a package that disguises something.

use cratekeeper_model::{Finding, RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{combined, in_disguise};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "payload-in-disguise",
    family: Family::Correlation,
    title: "A package that keeps something out of sight does what it should not",
    explanation: "\
**Looks at:** findings about how the package is made (modules from odd files, deceptive characters, replaced symbols, opaque files, files that editors run, a manifest of two minds), beside the worst finding of a correlation rule of severity medium or above.

**Why:** each has innocent explanations; they seldom hold for both at once.

**Harmless when:** the two have nothing to do with each other: test data that looks like a program, in a client that sends what it is told to.

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
        in_disguise(findings)?,
        "the package keeps something out of sight, and does what it should not",
        help,
    )
}
