//! A payload that an update brought.

use cratekeeper_model::{Finding, RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{combined, new_in_version};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "payload-new-in-version",
    family: Family::Correlation,
    title: "An update brings what the previous version did not do",
    explanation: "\
**Looks at:** findings about what changed since the previous version, beside the worst finding of a correlation rule.

**Why:** clean first version, then payload, is how most campaigns went; a hijacked crate has a clean past by definition.

**Harmless when:** the crate grew a feature that needs it, and its change log says so.

**What to do:** hold the version, and read the difference: `cratekeeper diff OLD NEW`.",
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
    let help = "read the difference to the previous version";
    combined(&RULE, new_in_version(findings)?, "an update brings what the previous version did not do", help)
}
