//! Replays: what would have happened behind Cratekeeper.

use serde::{Deserialize, Serialize};

use crate::{Case, PolicyAnswer, Verdict};

/// Several incidents, replayed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// One for each timeline, in the order in which they were named.
    pub incidents: Vec<ReplayedIncident>,
    /// Where the policy came from.
    pub policy: String,
}

/// One timeline, replayed. Times are seconds before the end of the timeline, negative or zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayedIncident {
    /// The timeline's own name.
    pub id: String,
    /// One line about it.
    pub title: Option<String>,
    /// Versions that were published in it, in order.
    pub versions: Vec<ReplayedVersion>,
    /// Malicious versions that somebody got although Cratekeeper stood between, as `name@version`.
    pub exposed: Vec<String>,
    /// Fetches that would have got a malicious version without Cratekeeper.
    pub fetches_before: u32,
    /// Fetches that got one although Cratekeeper stood between.
    pub fetches_after: u32,
    /// Fetches altogether.
    pub fetches: u32,
    /// Fetches of versions that are not malicious and were refused.
    pub refused_harmless: u32,
    /// Crates of one publisher whose names can be taken for others: one campaign, with its publisher.
    pub campaigns: Vec<(String, Vec<String>)>,
    /// What made the replay less than complete, one sentence each.
    pub problems: Vec<String>,
}

/// A version that was published in a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayedVersion {
    /// Name of the crate.
    pub name: String,
    /// Version.
    pub version: String,
    /// When it was published.
    pub at: i64,
    /// Whether the timeline calls it malicious.
    pub malicious: bool,
    /// When it first had a finding; `None` when it never had.
    pub first_signal: Option<i64>,
    /// When it first reached `alert`; `None` when it never did.
    pub first_alert: Option<i64>,
    /// When a fetch first could have got it and was made, with the version at `alert` or not.
    pub first_fetch: Option<i64>,
    /// The case at the end of the timeline.
    pub case: Case,
    /// What policy made of it at the end.
    pub policy: PolicyAnswer,
    /// When policy first held it back; `None` when it never did.
    pub first_held: Option<i64>,
}

impl ReplayedVersion {
    /// Whether it was at `alert` before any fetch could get it.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        self.first_alert.is_some_and(|alert| self.first_fetch.is_none_or(|fetch| alert <= fetch))
    }
}

impl ReplayedIncident {
    /// Whether every malicious version was at `alert` before any fetch could get it.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        self.malicious().all(ReplayedVersion::is_caught)
    }

    /// The versions that the timeline calls malicious.
    pub fn malicious(&self) -> impl Iterator<Item = &ReplayedVersion> {
        self.versions.iter().filter(|version| version.malicious)
    }

    /// When the first of its malicious versions first had a finding; without malicious versions, the first of all.
    #[must_use]
    pub fn first_signal(&self) -> Option<i64> {
        let has_malicious = self.malicious().next().is_some();
        let versions = self.versions.iter().filter(|version| version.malicious || !has_malicious);
        versions.filter_map(|version| version.first_signal).min()
    }

    /// The mildest verdict on its malicious versions, because one that gets through suffices; without malicious versions, the
    /// strictest on the others. `None` without any version.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        let mildest = self.malicious().map(|version| version.policy.verdict).min();
        mildest.or_else(|| self.versions.iter().map(|version| version.policy.verdict).max())
    }
}
