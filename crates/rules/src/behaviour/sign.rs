//! Single signs: what a rule about behaviour sees in one place, put together to one finding for each weight.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::{Confidence, Evidence, Finding, Severity};

use crate::rule::{Complete, Rule, finding};
use crate::text::count;

/// Something seen in one place.
#[derive(Debug, Clone)]
pub(crate) struct Sign {
    pub(crate) weight: (Severity, Confidence),
    pub(crate) evidence: Evidence,
    /// Techniques that it points to; none when it is only worth knowing.
    pub(crate) techniques: Vec<u8>,
}

impl Sign {
    pub(crate) fn new(severity: Severity, confidence: Confidence, evidence: Evidence) -> Sign {
        Sign { weight: (severity, confidence), evidence, techniques: Vec::new() }
    }

    pub(crate) fn pointing_to(mut self, techniques: impl IntoIterator<Item = u8>) -> Sign {
        self.techniques.extend(techniques);
        self
    }
}

/// One finding for each weight. `says` is the claim; how many places there are is put behind it.
pub(crate) fn signs(
    rule: &Rule,
    signs: impl IntoIterator<Item = Sign>,
    says: &str,
    help: &str,
) -> Vec<Finding> {
    let mut groups: BTreeMap<(Severity, Confidence), (Vec<Evidence>, BTreeSet<u8>)> = BTreeMap::new();
    for sign in signs {
        let (places, techniques) = groups.entry(sign.weight).or_default();
        techniques.extend(sign.techniques);
        // A hostile package has any number; the message tells how many.
        if places.last() != Some(&sign.evidence) {
            places.push(sign.evidence);
        }
    }
    let found = groups.into_iter().map(|((severity, confidence), (mut places, techniques))| {
        let message = format!("{says} ({})", count(places.len(), "place", "places"));
        places.dedup();
        finding(rule, severity, confidence, message)
            .with_evidence(places)
            .with_help(help)
            .pointing_to(techniques)
    });
    found.collect()
}
