//! Sketches of sets of sequences by minimal hashes, and the distance between them.

pub mod distance;
pub mod sketch;

pub use distance::{jaccard, mash_distance};
pub use sketch::{Sketch, Sketcher};

use std::io::{self, BufRead};

/// How sketches are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The length of the words that are hashed.
    pub word: usize,
    /// How many of the smallest hashes are kept.
    pub size: usize,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { word: 21, size: 1000, seed: 0 }
    }
}

/// Makes the sketch of a file of sequences in FASTA format.
pub fn sketch_fasta(name: &str, reader: impl BufRead, options: Options) -> io::Result<Sketch> {
    sha_rust::setup();
    let mut sketcher = Sketcher::new(name, options);
    let mut sequence = Vec::new();
    for line in reader.lines() {
        let line = line?;
        if line.starts_with('>') {
            sketcher.push(&sequence);
            sequence.clear();
        } else {
            sequence.extend(line.trim().bytes().map(|it| it.to_ascii_uppercase()));
        }
    }
    sketcher.push(&sequence);
    Ok(sketcher.finish())
}
