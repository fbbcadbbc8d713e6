//! Places that are few, shared out: nobody has them all while others wait.
//!
//! Whoever comes waits for a place among their own first and then for one among all, so those who ask for much queue up behind
//! themselves. What is waited for may be counted in bytes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// Places, and who has how many of them.
#[derive(Debug)]
pub(crate) struct Turns<K: Eq + Hash> {
    all: Arc<Semaphore>,
    /// For one of those who come.
    each: usize,
    shares: Shares<K>,
}

/// Of those alone who have or wait for a place.
type Shares<K> = Arc<Mutex<HashMap<K, Arc<Semaphore>>>>;

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<K: Eq + Hash> {
    // In this order: a share is forgotten when nobody has a place of it.
    _among_all: OwnedSemaphorePermit,
    _among_own: Option<OwnedSemaphorePermit>,
    _share: Option<Share<K>>,
}

/// Somebody's share, for as long as they have or wait for a place.
#[derive(Debug)]
struct Share<K: Eq + Hash> {
    shares: Shares<K>,
    of: K,
    places: Option<Arc<Semaphore>>,
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// So many places, of which one of those who come has `each` at most.
    pub(crate) fn new(all: usize, each: usize) -> Turns<K> {
        Turns { all: Arc::new(Semaphore::new(all)), each: each.min(all), shares: Shares::default() }
    }

    /// Waits for `weight` places, or as many as anybody may have; `of` is nobody for those who speak for many.
    ///
    /// # Errors
    ///
    /// Never: nobody closes it.
    pub(crate) async fn turn(&self, of: Option<K>, weight: usize) -> Result<Turn<K>, AcquireError> {
        let weight = u32::try_from(weight.clamp(1, self.each.max(1))).unwrap_or(u32::MAX);
        let share = of.map(|of| self.share(of));
        let among_own = match share.as_ref().and_then(|it| it.places.clone()) {
            Some(places) => Some(places.acquire_many_owned(weight).await?),
            None => None,
        };
        let among_all = self.all.clone().acquire_many_owned(weight).await?;
        Ok(Turn { _among_all: among_all, _among_own: among_own, _share: share })
    }

    fn share(&self, of: K) -> Share<K> {
        let places = lock(&self.shares)
            .entry(of.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.each)))
            .clone();
        Share { shares: self.shares.clone(), of, places: Some(places) }
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut shares = lock(&self.shares);
        // Given back while nobody else can look: the last one sees that only the map has it.
        drop(self.places.take());
        if shares.get(&self.of).is_some_and(|it| Arc::strong_count(it) == 1) {
            shares.remove(&self.of);
        }
    }
}

/// The map is whole after each change, so a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// What is there without waiting.
    fn now<T>(future: impl Future<Output = Result<T, AcquireError>>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(got) => Some(got.unwrap()),
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn nobody_has_all_places() {
        let turns: Turns<&str> = Turns::new(4, 2);
        let greedy: Vec<_> = (0..6).filter_map(|_| now(turns.turn(Some("greedy"), 1))).collect();
        assert_eq!(greedy.len(), 2);
        let other = now(turns.turn(Some("other"), 1)).unwrap();
        assert!(now(turns.turn(Some("other"), 5)).is_none(), "two, which is all that it may have");
        drop(other);
        assert!(now(turns.turn(Some("other"), 5)).is_some());
        drop(greedy);
        assert_eq!((0..6).filter_map(|_| now(turns.turn(None, 1))).count(), 6, "each is given back at once");
        assert!(turns.shares.lock().unwrap().is_empty(), "what is over is forgotten");
        assert_eq!(turns.all.available_permits(), 4);
    }

    #[test]
    fn whoever_waits_in_vain_leaves_nothing_behind() {
        let turns: Turns<u8> = Turns::new(1, 1);
        let first = now(turns.turn(Some(1), 1)).unwrap();
        assert!(now(turns.turn(Some(1), 1)).is_none());
        assert!(now(turns.turn(Some(2), 1)).is_none());
        assert_eq!(turns.shares.lock().unwrap().len(), 1, "the one who has a place");
        drop(first);
        assert!(turns.shares.lock().unwrap().is_empty());
    }
}
