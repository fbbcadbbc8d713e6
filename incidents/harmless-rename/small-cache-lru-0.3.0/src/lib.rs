//! A small cache that forgets what was not used for the longest time.

use std::collections::HashMap;
use std::hash::Hash;

/// Holds at most as many values as it was made for.
#[derive(Debug)]
pub struct Lru<K, V> {
    values: HashMap<K, (V, u64)>,
    capacity: usize,
    clock: u64,
}

impl<K: Eq + Hash + Clone, V> Lru<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { values: HashMap::with_capacity(capacity), capacity, clock: 0 }
    }

    pub fn get(&mut self, key: &K) -> Option<&V> {
        self.clock += 1;
        let clock = self.clock;
        self.values.get_mut(key).map(|(value, used)| {
            *used = clock;
            &*value
        })
    }

    /// Stores a value; the one that falls out is returned.
    pub fn put(&mut self, key: K, value: V) -> Option<(K, V)> {
        self.clock += 1;
        let full = self.values.len() >= self.capacity && !self.values.contains_key(&key);
        let out = if full { self.oldest().and_then(|it| self.values.remove_entry(&it)) } else { None };
        self.values.insert(key, (value, self.clock));
        out.map(|(key, (value, _))| (key, value))
    }

    fn oldest(&self) -> Option<K> {
        self.values.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone())
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
