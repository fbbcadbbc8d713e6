use crate::Options;
use std::collections::BTreeMap;

/// The smallest hashes of a sequence, with how often each was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    pub name: String,
    pub hashes: Vec<(u64, u32)>,
    pub length: u64,
}

/// Makes a sketch from one sequence after the other.
#[derive(Clone, Debug)]
pub struct Sketcher {
    name: String,
    options: Options,
    smallest: BTreeMap<u64, u32>,
    length: u64,
}

impl Sketcher {
    pub fn new(name: &str, options: Options) -> Self {
        Self { name: name.to_owned(), options, smallest: BTreeMap::new(), length: 0 }
    }

    pub fn push(&mut self, sequence: &[u8]) {
        self.length += sequence.len() as u64;
        for word in sequence.windows(self.options.word) {
            if word.iter().all(|it| b"ACGT".contains(it)) {
                self.insert(canonical_hash(word, self.options.seed));
            }
        }
    }

    fn insert(&mut self, hash: u64) {
        *self.smallest.entry(hash).or_insert(0) += 1;
        if self.smallest.len() > self.options.size {
            self.smallest.pop_last();
        }
    }

    pub fn finish(self) -> Sketch {
        Sketch { name: self.name, hashes: self.smallest.into_iter().collect(), length: self.length }
    }
}

fn hash(bytes: impl Iterator<Item = u8>, seed: u64) -> u64 {
    bytes.fold(seed ^ 0xCBF2_9CE4_8422_2325, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

fn complement(base: u8) -> u8 {
    match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        _ => b'A',
    }
}

/// The same for a word and its reverse complement.
fn canonical_hash(word: &[u8], seed: u64) -> u64 {
    let forward = hash(word.iter().copied(), seed);
    let backward = hash(word.iter().rev().map(|it| complement(*it)), seed);
    forward.min(backward)
}
