//! Sketches of text: of tokens, and of words.
//!
//! Hashes are our own, because they are stored and compared with those of other versions of this program and of other machines:
//! they may never change. They are no defence against somebody who searches for text with small hashes, which can crowd out a
//! sketch; such text is strange enough for other rules.

use std::collections::BTreeSet;

use cratekeeper_model::facts::{Fingerprint, Sketch};
use cratekeeper_syntax::SyntaxKind;

/// Hashes kept of each sketch. The error of an estimated share is about 1/√k: 6, 9 and 10 of a hundred.
const SOURCE: usize = 256;
const STRUCTURE: usize = 128;
const README: usize = 96;
const DESCRIPTION: usize = 32;

/// Base of the rolling hash: odd, with as many ones as zeros (the golden ratio's fraction).
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Words of a README that are read.
const WORDS: usize = 50_000;

/// The smallest hashes of a set that grows.
struct Smallest {
    limit: usize,
    kept: BTreeSet<u64>,
    /// The largest of them: nearly every hash is compared with it alone.
    largest: u64,
    /// Something was left out.
    overflowed: bool,
}

impl Smallest {
    fn new(limit: usize) -> Smallest {
        Smallest { limit, kept: BTreeSet::new(), largest: 0, overflowed: false }
    }

    fn add(&mut self, hash: u64) {
        if self.kept.len() < self.limit {
            self.kept.insert(hash);
            self.largest = self.kept.last().copied().unwrap_or_default();
        } else if hash < self.largest {
            if self.kept.insert(hash) {
                self.kept.pop_last();
                self.largest = self.kept.last().copied().unwrap_or_default();
                self.overflowed = true;
            }
        } else if hash > self.largest {
            self.overflowed = true;
        }
    }

    fn finish(self) -> Sketch {
        Sketch { smallest: self.kept.into_iter().collect(), is_whole: !self.overflowed }
    }
}

/// Takes the fingerprint of a package while its files are read.
pub(crate) struct Fingerprinter {
    source: Smallest,
    structure: Smallest,
    /// BASE to the power of each window's length.
    source_power: u64,
    structure_power: u64,
}

impl Fingerprinter {
    pub(crate) fn new() -> Fingerprinter {
        let power = |window: usize| (0..window).fold(1_u64, |power, _| power.wrapping_mul(BASE));
        Fingerprinter {
            source: Smallest::new(SOURCE),
            structure: Smallest::new(STRUCTURE),
            source_power: power(Fingerprint::SOURCE_WINDOW),
            structure_power: power(Fingerprint::STRUCTURE_WINDOW),
        }
    }

    /// Adds the tokens of a Rust file, or of a piece of one.
    pub(crate) fn add(&mut self, tokens: &Tokens) {
        for hash in windows(&tokens.prefixes, Fingerprint::SOURCE_WINDOW, self.source_power) {
            self.source.add(hash);
        }
        for hash in windows(&tokens.structure, Fingerprint::STRUCTURE_WINDOW, self.structure_power) {
            self.structure.add(hash);
        }
    }

    /// With what is no code.
    pub(crate) fn finish(self, readme: &str, description: &str, functions: Vec<u64>) -> Fingerprint {
        let readme = without_boilerplate(readme);
        Fingerprint {
            source: self.source.finish(),
            structure: self.structure.finish(),
            readme: words(&readme, Fingerprint::README_WINDOW, README),
            description: words(description, Fingerprint::DESCRIPTION_WINDOW, DESCRIPTION),
            functions,
        }
    }
}

/// Tokens of one file, as hashes of everything before each.
pub(crate) struct Tokens {
    starts: Vec<u32>,
    prefixes: Vec<u64>,
    /// The same with names and literals alike.
    structure: Vec<u64>,
}

impl Tokens {
    /// Room for the tokens of a text with this many, white space included.
    pub(crate) fn with_capacity(tokens: usize) -> Tokens {
        let list = || {
            let mut list = Vec::with_capacity(tokens / 2 + 1);
            list.push(0);
            list
        };
        Tokens { starts: Vec::with_capacity(tokens / 2), prefixes: list(), structure: list() }
    }

    /// The next token.
    #[inline]
    pub(crate) fn push(&mut self, kind: SyntaxKind, start: usize, token: &str) {
        if matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT) {
            return;
        }
        let exact = hash_text(token.as_bytes());
        let abstracted = if kind == SyntaxKind::IDENT {
            1
        } else if kind.is_literal() || kind == SyntaxKind::LIFETIME_IDENT {
            2
        } else {
            exact
        };
        self.starts.push(start as u32);
        push(&mut self.prefixes, exact);
        push(&mut self.structure, abstracted);
    }

    /// A hash over the tokens between two offsets; 0 when there are none.
    pub(crate) fn hash(&self, start: u32, end: u32) -> u64 {
        let first = self.starts.partition_point(|it| *it < start);
        let last = self.starts.partition_point(|it| *it < end);
        if first >= last {
            return 0;
        }
        let power = (first..last).fold(1_u64, |power, _| power.wrapping_mul(BASE));
        mix(self.prefixes[last].wrapping_sub(self.prefixes[first].wrapping_mul(power))).max(1)
    }
}

fn push(prefixes: &mut Vec<u64>, hash: u64) {
    let before = prefixes.last().copied().unwrap_or_default();
    prefixes.push(before.wrapping_mul(BASE).wrapping_add(hash));
}

/// Hashes of all windows of this length.
fn windows(prefixes: &[u64], length: usize, power: u64) -> impl Iterator<Item = u64> + '_ {
    let pairs = prefixes.iter().zip(prefixes.iter().skip(length));
    pairs.map(move |(before, after)| mix(after.wrapping_sub(before.wrapping_mul(power))))
}

fn words(text: &str, window: usize, limit: usize) -> Sketch {
    let mut prefixes = vec![0];
    let all = text.split(|it: char| !it.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in all.take(WORDS) {
        push(&mut prefixes, hash_text(word.to_lowercase().as_bytes()));
    }
    let power = (0..window).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut smallest = Smallest::new(limit);
    windows(&prefixes, window, power).for_each(|hash| smallest.add(hash));
    smallest.finish()
}

/// A README without its sections on licences and contributions.
fn without_boilerplate(readme: &str) -> String {
    let mut kept = String::new();
    let mut skips = false;
    for line in readme.lines() {
        if line.starts_with('#') {
            let heading = line.to_lowercase();
            skips = ["licen", "contribut"].iter().any(|it| heading.contains(it));
        }
        if !skips {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn hash_text(text: &[u8]) -> u64 {
    let step = |hash: u64, chunk: u64| {
        let hash = (hash ^ chunk).wrapping_mul(BASE);
        hash ^ (hash >> 32)
    };
    let (chunks, rest) = text.as_chunks::<8>();
    let hash = chunks.iter().fold(text.len() as u64, |hash, chunk| step(hash, u64::from_le_bytes(*chunk)));
    if rest.is_empty() {
        return hash;
    }
    step(hash, rest.iter().rev().fold(0, |chunk, byte| chunk << 8 | u64::from(*byte)))
}

/// The finisher of SplitMix64 (G. Steele et al., 2014): every bit of the input changes half of the output.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use cratekeeper_syntax::{Edition, LexedStr};

    use super::*;

    fn tokens(text: &str) -> Tokens {
        let lexed = LexedStr::new(Edition::Edition2024, text);
        let mut tokens = Tokens::with_capacity(0);
        for index in 0..lexed.len() {
            tokens.push(lexed.kind(index), lexed.text_start(index), lexed.text(index));
        }
        tokens
    }

    fn fingerprint(text: &str) -> Fingerprint {
        let mut fingerprinter = Fingerprinter::new();
        fingerprinter.add(&tokens(text));
        fingerprinter.finish("", "", Vec::new())
    }

    const TEXT: &str = "pub fn add(left: u64, right: u64) -> u64 { let sum = left + right; println!(\"{sum}\"); sum }\n\
        pub fn double(value: u64) -> u64 { add(value, value) }\n";

    /// Stored hashes are compared with those of later versions of this program.
    #[test]
    fn hashes_stay_what_they_are() {
        let fingerprint = fingerprint(TEXT);
        assert_eq!(fingerprint.source.smallest[0], 168_606_078_630_925_464);
        assert_eq!(words("a b c", 2, 8).smallest, [291_489_843_452_473_231, 5_487_320_016_459_311_668]);
    }

    #[test]
    fn comments_and_layout_do_not_count() {
        let other = TEXT.replace(' ', "\n  /* a */ ").replace("\n", "\n// b\n");
        assert_eq!(fingerprint(TEXT), fingerprint(&other));
    }

    #[test]
    fn renaming_keeps_the_structure_and_nothing_else() {
        let (original, renamed) =
            (fingerprint(TEXT), fingerprint(&TEXT.replace("u64", "usize").replace("sum", "total")));
        assert_eq!(original.structure, renamed.structure);
        assert_ne!(original.source, renamed.source);
    }

    #[test]
    fn a_sample_knows_whether_it_is_whole_and_how_large_the_set_is() {
        assert!(fingerprint(TEXT).source.is_whole);
        let many: String = (0..5_000).map(|number| format!("f{number}(); ")).collect();
        let sketch = fingerprint(&many).source;
        assert!(!sketch.is_whole && sketch.smallest.len() == SOURCE);
        assert!((17_000..23_000).contains(&sketch.size()), "{}", sketch.size());
        assert_eq!(words("a a a a", 2, 1).size(), 1);
    }

    #[test]
    fn functions_are_compared_by_their_tokens() {
        let (a, b) = ("fn a() { b() }", "const X: u8 = 1;  fn a() {\n  b()\n}");
        assert_eq!(tokens(a).hash(0, 14), tokens(b).hash(18, 34));
        assert_ne!(tokens(a).hash(0, 14), tokens("fn a() { c() }").hash(0, 14));
        assert_eq!(tokens(a).hash(14, 14), 0);
        assert_eq!(tokens(a).hash(20, 10), 0);
    }

    #[test]
    fn what_all_crates_say_about_licences_is_left_out() {
        let text = "# a\nfirst\n## License\nsecond\n### Contribution\nthird\n# b\nfourth\n";
        assert_eq!(without_boilerplate(text), "# a\nfirst\n# b\nfourth\n");
    }
}
