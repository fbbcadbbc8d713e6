//! A vector that only grows, and that may be read while it grows.

use std::ops::Index;
use std::sync::{OnceLock, RwLock};

const CHUNKS: usize = 32;

/// Elements stay where they are once they are pushed.
pub struct AppendOnlyVec<T> {
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
    length: RwLock<usize>,
}

/// Chunk `n` holds `8 << n` elements.
fn place(index: usize) -> (usize, usize) {
    let shifted = index + 8;
    let chunk = (usize::BITS - 1 - shifted.leading_zeros()) as usize - 3;
    (chunk, shifted - (8 << chunk))
}

impl<T> AppendOnlyVec<T> {
    pub const fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], length: RwLock::new(0) }
    }

    /// Adds an element and returns its index.
    pub fn push(&self, value: T) -> usize {
        let mut length = self.length.write().expect("no push panics");
        let (chunk, slot) = place(*length);
        let slots = self.chunks[chunk].get_or_init(|| (0..8 << chunk).map(|_| OnceLock::new()).collect());
        let filled = slots[slot].set(value).is_ok();
        assert!(filled, "the slot after the last is free");
        *length += 1;
        *length - 1
    }

    pub fn len(&self) -> usize {
        *self.length.read().expect("no push panics")
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, index: usize) -> Option<&T> {
        let (chunk, slot) = place(index);
        self.chunks.get(chunk)?.get()?.get(slot)?.get()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|it| self.get(it))
    }
}

impl<T> Index<usize> for AppendOnlyVec<T> {
    type Output = T;
    fn index(&self, index: usize) -> &T {
        self.get(index).expect("index out of bounds")
    }
}
