//! Texts as numbers: each distinct text once, in one buffer.
//!
//! A map with owned texts as keys would take three times the memory at millions of paths. The table holds numbers
//! only and compares with the buffer; its hash is seeded, because paths come from hostile crates.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

const EMPTY: u32 = u32::MAX;

/// Distinct texts in the order of their first appearance.
#[derive(Debug)]
pub(crate) struct Interner {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    table: Vec<u32>,
    hasher: RandomState,
}

impl Default for Interner {
    fn default() -> Interner {
        Interner { bytes: Vec::new(), ends: Vec::new(), table: vec![EMPTY; 64], hasher: RandomState::new() }
    }
}

impl Interner {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Length of all texts together.
    pub(crate) fn text_length(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn text(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..self.ends[id]]
    }

    fn slot(&self, text: &[u8]) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = self.hasher.hash_one(text) as usize & mask;
        while self.table[slot] != EMPTY && self.text(self.table[slot]) != text {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Number of the text, if it was seen.
    pub(crate) fn find(&self, text: &[u8]) -> Option<u32> {
        Some(self.table[self.slot(text)]).filter(|it| *it != EMPTY)
    }

    /// Number of the text.
    ///
    /// # Panics
    ///
    /// At 2³² - 1 distinct texts, which take more memory than any limit of ours leaves.
    pub(crate) fn intern(&mut self, text: &[u8]) -> u32 {
        let slot = self.slot(text);
        if self.table[slot] != EMPTY {
            return self.table[slot];
        }
        let id = self.ends.len() as u32;
        assert!(id < EMPTY, "no more than 2^32 - 1 texts");
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        self.table[slot] = id;
        if self.ends.len() * 2 > self.table.len() {
            self.grow();
        }
        id
    }

    fn grow(&mut self) {
        self.table = vec![EMPTY; self.table.len() * 2];
        for id in 0..self.ends.len() as u32 {
            let slot = self.slot(self.text(id));
            self.table[slot] = id;
        }
    }

    /// All numbers, sorted by text.
    pub(crate) fn sorted(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_unstable_by(|a, b| self.text(*a).cmp(self.text(*b)));
        order
    }

    /// Where each text ends in [`Interner::bytes`], with a 0 in front.
    pub(crate) fn offsets(&self) -> Vec<u32> {
        std::iter::once(0).chain(self.ends.iter().map(|it| *it as u32)).collect()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_number() {
        let mut interner = Interner::default();
        let texts: Vec<String> = (0..1000).map(|it| format!("text {}", it % 300)).collect();
        let ids: Vec<u32> = texts.iter().map(|it| interner.intern(it.as_bytes())).collect();
        assert_eq!(interner.len(), 300);
        for (text, id) in texts.iter().zip(ids) {
            assert_eq!(interner.text(id), text.as_bytes());
            assert_eq!(interner.find(text.as_bytes()), Some(id));
        }
        assert_eq!(interner.find(b"text"), None);
        assert_eq!(interner.offsets().len(), 301);
    }
}
