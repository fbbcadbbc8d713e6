//! Fingerprints, by which code scanning knows a result again in the next run.

use std::collections::BTreeMap;

use cratekeeper_model::{Checksum, Finding, Outcome, UnresolvedDependency};

use crate::UNRESOLVED_DEPENDENCY;

/// Gives the findings of one package their fingerprints.
///
/// A fingerprint stands for package, rule and the file of the first evidence. The line is left out, so that
/// a result survives edits above it. The message joins in where this would not tell findings apart, and
/// wherever there is no file: two advisories may hit one package, and dismissing one must never hide the
/// other.
pub(super) struct Fingerprints<'a> {
    package: &'a str,
    /// How many findings have this rule and file.
    shared: BTreeMap<(&'a str, Option<&'a str>), usize>,
    /// How often a fingerprint was given already.
    given: BTreeMap<String, usize>,
}

impl<'a> Fingerprints<'a> {
    pub(super) fn new(outcome: &'a Outcome) -> Fingerprints<'a> {
        let mut shared = BTreeMap::new();
        for finding in &outcome.case.findings {
            *shared.entry((finding.rule.as_str(), file(finding))).or_default() += 1;
        }
        Fingerprints { package: outcome.package.id.as_str(), shared, given: BTreeMap::new() }
    }

    /// The fingerprint under our own name and under the one that code scanning reads.
    pub(super) fn of(&mut self, finding: &Finding) -> BTreeMap<String, String> {
        let file = file(finding);
        let alone = self.shared.get(&(finding.rule.as_str(), file)) == Some(&1);
        let message = if alone && file.is_some() { "" } else { &finding.message };
        numbered([self.package, &finding.rule, file.unwrap_or(""), message], &mut self.given)
    }
}

/// Gives dependencies that the lockfile lacks their fingerprints: manifest and name, without the line.
#[derive(Default)]
pub(super) struct DependencyFingerprints {
    given: BTreeMap<String, usize>,
}

impl DependencyFingerprints {
    /// The fingerprint of a dependency in the manifest with this URI.
    pub(super) fn of(&mut self, uri: &str, dependency: &UnresolvedDependency) -> BTreeMap<String, String> {
        numbered([uri, UNRESOLVED_DEPENDENCY.id, &dependency.key, &dependency.name], &mut self.given)
    }
}

/// A digest of `parts`, numbered by how often it was given already.
fn numbered(parts: [&str; 4], given: &mut BTreeMap<String, usize>) -> BTreeMap<String, String> {
    // NUL stands in none of the parts, so that they cannot be shifted against each other.
    let digest = Checksum::of(parts.join("\0").as_bytes()).to_string();
    let fingerprint = digest[..32].to_owned();
    let given = given.entry(fingerprint.clone()).or_default();
    *given += 1;
    let fingerprint = format!("{fingerprint}:{given}");
    [("cratekeeper/v1".to_owned(), fingerprint.clone()), ("primaryLocationLineHash".to_owned(), fingerprint)]
        .into()
}

fn file(finding: &Finding) -> Option<&str> {
    finding.evidence.first().map(|evidence| evidence.file.as_str())
}
