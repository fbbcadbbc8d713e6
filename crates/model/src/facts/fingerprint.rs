//! What makes the text of a package recognisable in a copy.

use serde::{Deserialize, Serialize};

/// Sketches of a package's text, small enough to be kept for every crate there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of the tokens of all Rust files: windows of [`Fingerprint::SOURCE_WINDOW`] tokens, comments left out.
    pub source: Sketch,
    /// The same with all names and literals taken for equal, in windows of [`Fingerprint::STRUCTURE_WINDOW`] tokens: what is left
    /// when everything is renamed.
    pub structure: Sketch,
    /// Of the words of the README, in windows of [`Fingerprint::README_WINDOW`] words; what it says about licences and
    /// contributions is left out, because thousands of crates say the same.
    pub readme: Sketch,
    /// Of the words of `package.description`, in windows of [`Fingerprint::DESCRIPTION_WINDOW`] words.
    pub description: Sketch,
    /// A hash over the tokens of each function, in the order of
    /// [`SourceFacts::functions`](super::SourceFacts::functions); 0 where there is none.
    pub functions: Vec<u64>,
}

impl Fingerprint {
    /// Tokens of a window: long enough that idioms alone do not fill one.
    pub const SOURCE_WINDOW: usize = 9;
    /// Tokens of a window without names, which takes more of them to mean something.
    pub const STRUCTURE_WINDOW: usize = 25;
    /// Words.
    pub const README_WINDOW: usize = 5;
    /// Words.
    pub const DESCRIPTION_WINDOW: usize = 2;
}

/// The smallest hashes of a set: of two such samples, the part that the sets share can be estimated (bottom-k MinHash; A. Broder,
/// “On the resemblance and containment of documents”, 1997).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// Sorted, without repetitions.
    pub smallest: Vec<u64>,
    /// Whether these are all there are, rather than the smallest of more.
    pub is_whole: bool,
}

impl Sketch {
    /// The largest hash up to which the sample is complete.
    #[must_use]
    pub fn horizon(&self) -> u64 {
        match self.smallest.last() {
            Some(last) if !self.is_whole => *last,
            _ => u64::MAX,
        }
    }

    /// How many hashes the set has: exact if the sample is whole, otherwise estimated by how densely they lie.
    #[must_use]
    pub fn size(&self) -> u64 {
        let kept = self.smallest.len() as u64;
        match self.smallest.last() {
            Some(last) if !self.is_whole && *last > 0 => {
                let density = kept as f64 / *last as f64;
                (density * u64::MAX as f64) as u64
            }
            _ => kept,
        }
    }
}
