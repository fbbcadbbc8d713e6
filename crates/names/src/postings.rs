//! From hashes to the names that have them: two flat arrays, so that a snapshot of a whole registry loads at once.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Hash of a form of a name.
pub(crate) type Hash = u64;

/// Names per bucket, on average. Each bucket costs 4 bytes, each name in it 4 bytes and a comparison.
const LOAD: usize = 4;

/// A multimap from hashes to ids of names. It may answer with an id too many (one in thousands), never one too few:
/// whoever asks has to compare.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    layout: Layout,
    /// Where each bucket begins in `entries`; one more than there are buckets.
    pub(crate) starts: Vec<u32>,
    /// An id in the lower bits, and as many bits of the hash as there is room for above.
    pub(crate) entries: Vec<u32>,
}

/// How bits are divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    /// Logarithm of the number of buckets.
    bucket_bits: u32,
    /// Bits of an id.
    id_bits: u32,
}

/// More hashes than a table can hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Layout {
    fn bucket(self, hash: Hash) -> usize {
        // The upper bits; a shift by 64 would be an overflow, so a single bucket is asked for by a mask.
        if self.bucket_bits == 0 { 0 } else { (hash >> (64 - self.bucket_bits)) as usize }
    }

    fn id_mask(self) -> u32 {
        if self.id_bits == 32 { u32::MAX } else { (1 << self.id_bits) - 1 }
    }

    fn entry(self, hash: Hash, id: u32) -> u32 {
        if self.id_bits == 32 { id } else { ((hash as u32) << self.id_bits) | id }
    }
}

impl Postings {
    /// Indexes names `0..count`; `hashes` gives each one's, the same ones each time it is called.
    pub(crate) fn build(
        count: usize,
        mut hashes: impl FnMut(usize, &mut Vec<Hash>),
    ) -> Result<Postings, TooMany> {
        let mut buffer = Vec::new();
        let mut total = 0_usize;
        for id in 0..count {
            buffer.clear();
            hashes(id, &mut buffer);
            total += buffer.len();
        }
        if u32::try_from(total).is_err() {
            return Err(TooMany);
        }
        let layout = Layout {
            bucket_bits: (total / LOAD).max(1).next_power_of_two().trailing_zeros(),
            id_bits: usize::BITS - count.leading_zeros(),
        };
        let mut starts = vec![0_u32; (1 << layout.bucket_bits) + 1];
        for id in 0..count {
            buffer.clear();
            hashes(id, &mut buffer);
            for hash in &buffer {
                starts[layout.bucket(*hash) + 1] += 1;
            }
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        let mut next = starts.clone();
        let mut entries = vec![0_u32; total];
        for id in 0..count {
            buffer.clear();
            hashes(id, &mut buffer);
            for hash in &buffer {
                let place = &mut next[layout.bucket(*hash)];
                entries[*place as usize] = layout.entry(*hash, id as u32);
                *place += 1;
            }
        }
        Ok(Postings { layout, starts, entries })
    }

    /// Puts together what a snapshot holds. Nothing when the parts do not fit together.
    pub(crate) fn from_parts(layout: Layout, starts: Vec<u32>, entries: Vec<u32>) -> Option<Postings> {
        let buckets = 1_usize.checked_shl(layout.bucket_bits).filter(|_| layout.bucket_bits < 32)?;
        let fits = layout.id_bits <= 32
            && starts.len() == buckets + 1
            && starts.first() == Some(&0)
            && starts.last().is_some_and(|last| *last as usize == entries.len())
            && starts.is_sorted();
        fits.then_some(Postings { layout, starts, entries })
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Ids that were given with this hash, in ascending order, and rarely another one.
    pub(crate) fn get(&self, hash: Hash) -> impl Iterator<Item = u32> {
        let mask = self.layout.id_mask();
        let wanted = self.layout.entry(hash, 0) & !mask;
        let entries = self.entries[self.range(hash)].iter();
        entries.filter(move |entry| *entry & !mask == wanted).map(move |entry| entry & mask)
    }

    /// Ids that were given with these hashes, at most `most` of each.
    pub(crate) fn get_all(&self, hashes: &[Hash], most: usize, ids: &mut Vec<u32>) {
        self.warm(hashes);
        let mask = self.layout.id_mask();
        for hash in hashes {
            let wanted = self.layout.entry(*hash, 0) & !mask;
            let mut left = most;
            for entry in &self.entries[self.range(*hash)] {
                if entry & !mask == wanted && left > 0 {
                    ids.push(entry & mask);
                    left -= 1;
                }
            }
        }
    }

    /// Has the memory fetched that lookups of these hashes will need.
    ///
    /// A table of a whole registry is far larger than any cache, so almost every access waits for memory. Here those of
    /// all hashes are under way at once: nothing in either loop waits for what the one before it read.
    pub(crate) fn warm(&self, hashes: &[Hash]) {
        const MOST: usize = 64;
        for hashes in hashes.chunks(MOST) {
            let mut starts = [0_u32; MOST];
            for (start, hash) in starts.iter_mut().zip(hashes) {
                *start = self.starts.get(self.layout.bucket(*hash)).copied().unwrap_or_default();
            }
            let touched = starts[..hashes.len()].iter().fold(0_u32, |touched, start| {
                touched ^ self.entries.get(*start as usize).copied().unwrap_or_default()
            });
            std::hint::black_box(touched);
        }
    }

    fn range(&self, hash: Hash) -> Range<usize> {
        let bucket = self.layout.bucket(hash);
        match self.starts.get(bucket..bucket + 2) {
            Some(&[start, end]) => start as usize..end as usize,
            _ => 0..0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Postings;

    #[test]
    fn what_was_put_in_comes_out() {
        let hash = |value: usize| (value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for count in [0, 1, 2, 3, 1_000] {
            let postings =
                Postings::build(count, |id, hashes| hashes.extend([hash(id), hash(id % 7)])).unwrap();
            for id in 0..count {
                assert!(postings.get(hash(id)).any(|it| it as usize == id), "{id} of {count}");
                assert!(postings.get(hash(id % 7)).any(|it| it as usize == id), "{id} of {count}");
            }
        }
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let postings = Postings::build(3, |id, hashes| hashes.push(id as u64)).unwrap();
        let (layout, starts, entries) = (postings.layout(), postings.starts, postings.entries);
        assert!(Postings::from_parts(layout, starts.clone(), entries.clone()).is_some());
        assert!(Postings::from_parts(layout, starts.clone(), Vec::new()).is_none());
        assert!(Postings::from_parts(layout, starts[1..].to_vec(), entries.clone()).is_none());
        assert!(Postings::from_parts(layout, Vec::new(), entries).is_none());
    }
}
