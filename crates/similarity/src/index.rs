//! Finding the entries that are like one, without looking at all of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cratekeeper_model::{Evidence, Facts, SimilarCrate};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::entry::Entry;
use crate::share::share;

/// From where on a likeness is told, and how much there has to be to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Percent of the source, or of the structure.
    pub source: u8,
    /// Percent of the README.
    pub readme: u8,
    /// Windows of tokens that the smaller source has to have: some ten lines, more than an import library's list of attributes.
    pub least_source: usize,
    /// The same without names: some twenty lines.
    pub least_structure: usize,
    /// Windows of words that the smaller README has to have: two sentences.
    pub least_readme: usize,
    /// Windows of words that the smaller description has to have.
    pub least_description: usize,
}

/// The thresholds in use. Of 432 real crates, only members of one family, forks and generated code share half of their source, see
/// `docs/similarity.md`.
pub const THRESHOLDS: Thresholds = Thresholds {
    source: 50,
    readme: 60,
    least_source: 60,
    least_structure: 40,
    least_readme: 12,
    least_description: 4,
};

/// Crates in an answer.
const ANSWERS: usize = 5;

/// Hashes that one entry shares with another before both are compared in full: fewer are left by unrelated code.
const SHARED: u32 = 6;

/// A hash that more than one crate in so many has, and at least [`COMMON_CRATES`], says nothing about where text comes from.
const COMMON_PART: usize = 20;
const COMMON_CRATES: usize = 12;

/// Places that show what differs.
const DIFFERING: usize = 8;

/// Versions, found by what they share.
#[derive(Debug, Clone, Default)]
pub struct Index {
    entries: Vec<Entry>,
    /// Entries by hash; sorted.
    postings: Vec<(u64, u32)>,
    /// Hashes of too many crates.
    common: FxHashSet<u64>,
}

impl Index {
    /// An index of these versions; of two with the same archive, the first counts.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Index {
        let mut seen = FxHashSet::default();
        let entries: Vec<Entry> = entries.into_iter().filter(|entry| seen.insert(entry.checksum)).collect();
        let mut postings: Vec<(u64, u32)> = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            postings.extend(hashes(entry).map(|hash| (hash, number as u32)));
        }
        postings.sort_unstable();
        let mut index = Index { entries, postings, common: FxHashSet::default() };
        index.common = index.find_common();
        let common = &index.common;
        index.postings.retain(|(hash, _)| !common.contains(hash));
        index
    }

    /// The versions in it.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn find_common(&self) -> FxHashSet<u64> {
        let mut names: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let most = (names.len() / COMMON_PART).max(COMMON_CRATES);
        let mut common = FxHashSet::default();
        for of_hash in self.postings.chunk_by(|a, b| a.0 == b.0) {
            // Versions of one crate are one crate.
            if of_hash.len() > most {
                let names: FxHashSet<&str> =
                    of_hash.iter().map(|(_, number)| self.entries[*number as usize].name.as_str()).collect();
                if names.len() > most {
                    common.insert(of_hash[0].0);
                }
            }
        }
        common
    }

    /// Crates of other names that are like `entry`, likest first, each by the version that is likest; at most five.
    ///
    /// `facts` are those of `entry`, from which the part that differs is shown; with the facts of another version nothing is.
    #[must_use]
    pub fn similar(&self, entry: &Entry, facts: &Facts) -> Vec<SimilarCrate> {
        let mut best: BTreeMap<&str, SimilarCrate> = BTreeMap::new();
        for number in self.candidates(entry) {
            let other = &self.entries[number as usize];
            if let Some(found) = self.compare(entry, other)
                && best.get(other.name.as_str()).is_none_or(|it| likeness(&found) > likeness(it))
            {
                best.insert(&other.name, SimilarCrate { differing: differing(other, facts), ..found });
            }
        }
        let mut found: Vec<SimilarCrate> = best.into_values().collect();
        found.sort_by_key(|it| Reverse(likeness(it)));
        found.truncate(ANSWERS);
        found
    }

    /// Entries of other crates that share some hashes.
    fn candidates(&self, entry: &Entry) -> Vec<u32> {
        let mut shared: FxHashMap<u32, u32> = FxHashMap::default();
        for hash in hashes(entry) {
            let first = self.postings.partition_point(|(it, _)| *it < hash);
            for (_, number) in self.postings[first..].iter().take_while(|(it, _)| *it == hash) {
                *shared.entry(*number).or_default() += 1;
            }
        }
        let is_other = |number: u32| self.entries[number as usize].name != entry.name;
        let enough = shared.into_iter().filter(|(number, count)| *count >= SHARED && is_other(*number));
        let mut numbers: Vec<u32> = enough.map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// What two versions share, if it is enough to be told.
    fn compare(&self, entry: &Entry, other: &Entry) -> Option<SimilarCrate> {
        let (own, theirs) = (&entry.fingerprint, &other.fingerprint);
        let limits = THRESHOLDS;
        let source = share(&own.source, &theirs.source, &self.common, limits.least_source);
        let structure = share(&own.structure, &theirs.structure, &self.common, limits.least_structure);
        let readme = share(&own.readme, &theirs.readme, &self.common, limits.least_readme);
        let reaches = |value: Option<u8>, least: u8| value.is_some_and(|it| it >= least);
        if !reaches(source, limits.source)
            && !reaches(structure, limits.source)
            && !reaches(readme, limits.readme)
        {
            return None;
        }
        let description =
            share(&own.description, &theirs.description, &self.common, limits.least_description);
        let shared = own.functions.iter().filter(|hash| theirs.functions.binary_search(hash).is_ok()).count();
        Some(SimilarCrate {
            name: other.name.clone(),
            version: other.version.clone(),
            source,
            readme,
            description,
            same_repository: entry.has_repository_of(other),
            same_owner: entry.has_owner_of(other),
            other_is_older: entry
                .first_published
                .zip(other.first_published)
                .map(|(own, theirs)| theirs < own),
            differing: Vec::new(),
            structure,
            same_author: entry.has_author_of(other),
            shared_functions: (shared as u32, own.functions.len() as u32),
        })
    }
}

/// The hashes that entries are found by. Descriptions are too short for that.
fn hashes(entry: &Entry) -> impl Iterator<Item = u64> + '_ {
    let Entry { fingerprint, .. } = entry;
    let sketches = [&fingerprint.source, &fingerprint.structure, &fingerprint.readme];
    sketches.into_iter().flat_map(|sketch| sketch.smallest.iter().copied())
}

fn likeness(it: &SimilarCrate) -> (u8, u8, u8) {
    (it.source.unwrap_or_default(), it.structure.unwrap_or_default(), it.readme.unwrap_or_default())
}

/// Functions that the other has not, those of files without any shared function first, then the longest.
fn differing(other: &Entry, facts: &Facts) -> Vec<Evidence> {
    let hashes = &facts.files.fingerprint.functions;
    let is_shared = |hash: &u64| other.fingerprint.functions.binary_search(hash).is_ok();
    let functions = facts.source.functions.iter().zip(hashes).filter(|(_, hash)| **hash != 0);
    let with_shared: FxHashSet<u32> =
        functions.clone().filter(|(_, hash)| is_shared(hash)).map(|(function, _)| function.file).collect();
    let mut own: Vec<_> =
        functions.filter(|(_, hash)| !is_shared(hash)).map(|(function, _)| function).collect();
    own.sort_by_key(|it| {
        (with_shared.contains(&it.file), Reverse(it.end.saturating_sub(it.start)), it.file, it.start)
    });
    own.dedup_by_key(|it| (it.file, it.start));
    let place = |it: &&cratekeeper_model::facts::Function| {
        let file = facts.source.rust_files.get(it.file as usize)?;
        let lines = it.end_line.saturating_sub(it.line) + 1;
        Some(Evidence {
            file: shown(&file.path),
            line: Some(it.line),
            excerpt: Some(shown(&format!("fn {} ({lines} lines) is not in the other", it.path))),
        })
    };
    own.iter().filter_map(place).take(DIFFERING).collect()
}

/// Text that can be shown anywhere: short, with what cannot be seen as `\u{…}`.
fn shown(text: &str) -> String {
    let shown = text.chars().take(300).flat_map(|it| match it {
        '\'' | '"' | '\\' => it.to_string().chars().collect::<Vec<_>>(),
        _ => it.escape_debug().collect(),
    });
    shown.collect()
}
