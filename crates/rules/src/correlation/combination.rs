//! What findings of different families add up to: bait and payload, and a payload that an update brought.
//!
//! By family and technique alone, so that a new rule of another family takes part without being named here.

use cratekeeper_model::{Confidence, Finding, Severity};

use crate::rule::{Family, Rule};

/// Techniques of getting in: names, publishers, copies, dependencies, takeovers.
pub(crate) const LURES: &[u8] = &[30, 31, 32, 33, 34, 35, 36, 37, 39, 40, 63, 64];

/// A lure with a payload behind it: severity and confidence, and the findings that it is made of.
pub(crate) fn behind_lure(findings: &[Finding]) -> Option<(Severity, Confidence, Vec<&Finding>)> {
    let lure = worst(findings, |finding, _| {
        finding.severity >= Severity::Low && finding.techniques.iter().any(|it| LURES.contains(it))
    })?;
    combine(findings, lure, Severity::Low)
}

/// Techniques of keeping out of sight, apart from what the code itself does.
const DISGUISES: &[u8] =
    &[3, 4, 7, 9, 10, 16, 17, 18, 19, 20, 21, 25, 26, 27, 28, 29, 38, 41, 58, 59, 61, 62];

/// A payload in a package that disguises something: severity and confidence, and the findings that it is made of.
pub(crate) fn in_disguise(findings: &[Finding]) -> Option<(Severity, Confidence, Vec<&Finding>)> {
    let disguise = worst(findings, |finding, family| {
        matches!(family, Family::Package | Family::Archive)
            && finding.severity >= Severity::Low
            && finding.techniques.iter().any(|it| DISGUISES.contains(it))
    })?;
    combine(findings, disguise, Severity::Medium)
}

/// A payload that was not there in the previous version.
pub(crate) fn new_in_version(findings: &[Finding]) -> Option<(Severity, Confidence, Vec<&Finding>)> {
    let new =
        worst(findings, |finding, family| family == Family::Difference && finding.severity >= Severity::Low)?;
    combine(findings, new, Severity::Low)
}

/// The worst chain that is at least so severe, beside another finding.
fn combine<'a>(
    findings: &'a [Finding],
    other: &'a Finding,
    least: Severity,
) -> Option<(Severity, Confidence, Vec<&'a Finding>)> {
    let payload = worst(findings, |finding, family| {
        family == Family::Correlation && finding.severity >= least && !is_combination(finding)
    })?;
    let weight = match (payload.severity, other.severity) {
        (Severity::High | Severity::Critical, _) => (Severity::High, Confidence::High),
        (Severity::Medium, Severity::Low) => (Severity::High, Confidence::Medium),
        (Severity::Medium, _) => (Severity::High, Confidence::High),
        (_, Severity::Low) => (Severity::Medium, Confidence::Medium),
        _ => (Severity::High, Confidence::Medium),
    };
    Some((weight.0, weight.1, vec![other, payload]))
}

fn is_combination(finding: &Finding) -> bool {
    matches!(finding.rule.as_str(), "payload-behind-lure" | "payload-in-disguise" | "payload-new-in-version")
}

fn worst(findings: &[Finding], holds: impl Fn(&Finding, Family) -> bool) -> Option<&Finding> {
    let families = |finding: &Finding| crate::find(&finding.rule).map(|rule: &Rule| rule.family);
    findings
        .iter()
        .filter(|finding| families(finding).is_some_and(|family| holds(finding, family)))
        .max_by_key(|finding| (finding.severity, finding.confidence))
}
