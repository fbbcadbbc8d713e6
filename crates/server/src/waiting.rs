//! Who waits for inspections: those who need one, those who make them, and which are on their way.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cratekeeper_store::VersionId;
use tokio::sync::watch;

/// What those wait for who need an inspection, and those who make them.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) work: watch::Sender<u64>,
    pub(crate) done: watch::Sender<u64>,
    /// What this process works on.
    begun: Mutex<BTreeMap<VersionId, usize>>,
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting { work: watch::Sender::new(0), done: watch::Sender::new(0), begun: Mutex::default() }
    }
}

impl Waiting {
    /// Whether this process works on a version.
    pub(crate) fn has_begun(&self, version: VersionId) -> bool {
        self.begun().contains_key(&version)
    }

    /// The map is whole after each change, so a panic elsewhere does not matter.
    fn begun(&self) -> MutexGuard<'_, BTreeMap<VersionId, usize>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a version is worked on, until it is dropped.
pub(crate) struct Begun<'w>(&'w Waiting, VersionId);

impl<'w> Begun<'w> {
    pub(crate) fn new(waiting: &'w Waiting, version: VersionId) -> Begun<'w> {
        *waiting.begun().entry(version).or_default() += 1;
        Begun(waiting, version)
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut begun = self.0.begun();
        match begun.get_mut(&self.1) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                begun.remove(&self.1);
            }
        }
    }
}
