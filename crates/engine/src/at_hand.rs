//! Facts that are at hand: what was found out about an archive before, without finding it out again.
//!
//! Pages that people read ask here. They must not wait for a worker, and what is not at hand is left out of them; so nothing here reads an
//! archive.

use cratekeeper_difference::{capabilities, difference};
use cratekeeper_model::facts::{Capability, ExternalCall, Phase, Section};
use cratekeeper_model::{Checksum, Difference, Facts};

use crate::pipeline::{Engine, FOR_RULES};

impl Engine {
    /// Facts of the archive with this checksum, without its calls; `None` when the cache has none that this program's version made.
    #[must_use]
    pub fn facts_at_hand(&self, checksum: &Checksum) -> Option<Facts> {
        self.facts.cache.as_ref()?.load(checksum, &FOR_RULES)
    }

    /// Functions of other crates that the code of an archive calls or refers to, as its imports say; `None` when its facts are not at hand.
    #[must_use]
    pub fn external_calls_at_hand(&self, checksum: &Checksum) -> Option<Vec<ExternalCall>> {
        Some(self.facts.cache.as_ref()?.load(checksum, &[Section::Flow])?.flow.external_calls)
    }

    /// What changed from one archive to another; `None` when the facts of either are not at hand.
    #[must_use]
    pub fn difference_at_hand(&self, older: &Checksum, newer: &Checksum) -> Option<Difference> {
        Some(difference(&self.facts_at_hand(older)?, &self.facts_at_hand(newer)?))
    }
}

/// What the code of a version can touch, when, and in how many places; sorted by phase.
#[must_use]
pub fn abilities(facts: &Facts) -> Vec<(Phase, Capability, usize)> {
    let found = capabilities(facts).into_iter();
    found.map(|((phase, capability), operations)| (phase, capability, operations.len())).collect()
}
