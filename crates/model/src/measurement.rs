//! Measurements: how right detection is.
//!
//! Each thing that was measured is kept beside the sums, so that every number in a report can be traced to what it counts.

use std::collections::BTreeMap;

use crate::Level;

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that count.
    pub hits: usize,
    /// All.
    pub of: usize,
}

impl Share {
    /// Counts one more.
    pub fn add(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }

    /// In percent; `None` when there is nothing to divide by.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| 100.0 * self.hits as f64 / self.of as f64)
    }
}

/// One thing that was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Path of a fixture, `name version` of a crate, id of an incident.
    pub name: String,
    /// Whether the answer is as it has to be.
    pub right: bool,
    /// It was not looked at while rules were written.
    pub held_out: bool,
    /// Highest score of its versions.
    pub score: u8,
    /// Its level.
    pub level: Level,
    /// Techniques that were named.
    pub techniques: Vec<u8>,
    /// Rules with findings, the weightiest first.
    pub rules: Vec<String>,
    /// Why it could not be measured.
    pub problem: Option<String>,
}

/// What real harmless crates gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BenignCounts {
    /// At `review` or above.
    pub review: Share,
    /// At `alert` or above.
    pub alert: Share,
    /// Could not be checked wholly.
    pub unchecked: usize,
}

impl BenignCounts {
    /// Counts one more.
    pub fn add(&mut self, measured: &Measured) {
        self.review.add(measured.level >= Level::Review);
        self.alert.add(measured.level >= Level::Alert);
        self.unchecked += usize::from(measured.problem.is_some());
    }
}

/// Sums of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DetectionTotals {
    /// Single-signal positives whose technique was named, the looked-at half and the other.
    pub positives: [Share; 2],
    /// Complete chains at `alert` or above.
    pub chains: Share,
    /// Harmless twins at `alert` or above, the looked-at half and the other.
    pub twins: [Share; 2],
    /// Incidents that were caught.
    pub incidents: Share,
    /// Harmless courses of events in which a version was at `alert` or above.
    pub harmless: Share,
    /// Real crates, the looked-at half and the other.
    pub benign: [BenignCounts; 2],
}

/// Everything that was measured of detection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetectionEvaluation {
    /// Sums with all rules.
    pub totals: DetectionTotals,
    /// By technique: positives that were named, twins below `alert`, chains at `alert` or above.
    pub techniques: BTreeMap<u8, [Share; 3]>,
    /// Every fixture.
    pub fixtures: Vec<Measured>,
    /// Every incident, harmless ones behind the others.
    pub incidents: Vec<Measured>,
    /// Every real crate.
    pub benign: Vec<Measured>,
    /// Sums with one family of rules switched off, by its name.
    pub without: Vec<(String, DetectionTotals)>,
}
