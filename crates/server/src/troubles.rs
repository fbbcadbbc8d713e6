//! What an upstream could not do lately, so that nobody waits for it more often than needed, and whoever is refused is told why.
//!
//! A registry that hangs costs each request that asks it all of the patience there is. So after a failure it rests: crates that are known
//! are answered from what is known, and one request at a time finds out whether it is back.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cratekeeper_store::VersionId;

/// How long an upstream that failed is not asked about what is known, and about the same crate.
pub(crate) const REST: Duration = Duration::from_secs(10);

/// Versions whose archives could not be had that are remembered.
const ARCHIVES: usize = 10_000;

/// What was heard of an upstream last, by this process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Heard {
    /// When it answered.
    pub(crate) answered: Option<Instant>,
    /// When it did not.
    pub(crate) failed: Option<Instant>,
}

/// What an upstream could not do.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    rests_until: Mutex<Option<Instant>>,
    heard: Mutex<Heard>,
    archives: Mutex<HashSet<VersionId>>,
}

impl Troubles {
    /// Whether the upstream rests. Whoever comes when the time is over is told no, and asks for all: the others are told yes for as long again.
    pub(crate) fn rests(&self) -> bool {
        let mut until = lock(&self.rests_until);
        let now = Instant::now();
        match *until {
            None => false,
            Some(end) if now < end => true,
            Some(_) => {
                *until = Some(now + REST);
                false
            }
        }
    }

    /// It did not answer.
    pub(crate) fn failed(&self) {
        *lock(&self.rests_until) = Some(Instant::now() + REST);
        lock(&self.heard).failed = Some(Instant::now());
    }

    /// It answered.
    pub(crate) fn answered(&self) {
        *lock(&self.rests_until) = None;
        lock(&self.heard).answered = Some(Instant::now());
    }

    /// What was heard of it last.
    pub(crate) fn heard(&self) -> Heard {
        *lock(&self.heard)
    }

    /// It did not give the archive of a version.
    pub(crate) fn lacks(&self, version: VersionId) {
        let mut archives = lock(&self.archives);
        if archives.len() >= ARCHIVES {
            archives.clear();
        }
        archives.insert(version);
    }

    /// It is asked for the archive of a version once more.
    pub(crate) fn asked(&self, version: VersionId) {
        lock(&self.archives).remove(&version);
    }

    /// Whether the archive of a version was asked for last in vain.
    pub(crate) fn is_about(&self, version: VersionId) -> bool {
        lock(&self.archives).contains(&version)
    }
}

/// What is behind it is whole after each change, so a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_finds_out_whether_an_upstream_is_back() {
        let troubles = Troubles::default();
        assert!(!troubles.rests());
        troubles.failed();
        assert!(troubles.rests());
        *lock(&troubles.rests_until) = Some(Instant::now());
        assert!(!troubles.rests(), "the first one asks");
        assert!(troubles.rests(), "and the others do not");
        troubles.answered();
        assert!(!troubles.rests());
    }
}
