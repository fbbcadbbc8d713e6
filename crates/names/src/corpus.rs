//! The names that something can be taken for.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::affixes::affixes;
use crate::form::{self, Form};
use crate::name::{Name, Names, OwnedName};
use crate::postings::{Hash, Postings};
use crate::table::TableError;
use crate::weights;

/// One name of a corpus, with what is known about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name, as its registry spells it.
    pub name: String,
    /// Place in the order of popularity, from 1.
    pub rank: Option<u32>,
    /// Downloads so far.
    pub downloads: Option<u64>,
    /// Day of its first publication.
    pub created: Option<Date>,
    /// Logins of its owners.
    pub owners: Vec<String>,
    /// Web address of its repository.
    pub repository: Option<String>,
    /// What it says it is.
    pub description: Option<String>,
}

impl Entry {
    /// A name of which nothing else is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Entry {
        Entry { name: name.into(), ..Entry::default() }
    }
}

/// What the names of a corpus are names of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Crates.
    Crates,
    /// Logins of publishers.
    Publishers,
}

/// Names, indexed by everything they can be confused by.
///
/// Ids count the names that it was built with, the most popular first, then those that were added since. A name
/// that was removed keeps its id and loses its entry.
#[derive(Debug)]
pub struct Corpus {
    kind: Kind,
    entries: Vec<Option<Entry>>,
    /// The same names, taken apart.
    names: Names,
    /// Of the names that it was built with.
    pub(crate) built: Postings,
    /// Of the popular ones among those, for two edits: a table of its own, since it is small and asked most.
    pub(crate) popular: Postings,
    /// Of the names that were added since.
    added: HashMap<Hash, Vec<u32>>,
    count: usize,
    /// What a name without a rank counts as.
    unknown_rank: u32,
}

/// More names than an index can hold (about 40 million).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to index {count} names: an index holds about 40 million of them")]
pub struct TooManyNames {
    /// How many were given.
    pub count: usize,
}

impl Corpus {
    /// The 5,000 most downloaded crates as of September 2025, which come with this library.
    ///
    /// From the crate lists of cargo-scan (PLSysSec, MIT), which were made from the registry's own database dump.
    ///
    /// # Panics
    ///
    /// Never: that the list can be read is tested.
    #[must_use]
    pub fn popular_crates() -> &'static Corpus {
        static CORPUS: LazyLock<Corpus> = LazyLock::new(|| embedded(POPULAR_CRATES, Kind::Crates));
        &CORPUS
    }

    /// Publishers that public audits name as trusted, which come with this library: few, and all of them worth
    /// impersonating. The rank follows the number of crates that they are trusted for.
    ///
    /// From the `imports.lock` files of cargo-vet in public repositories (Google, Mozilla, wasmtime, zcash and others).
    ///
    /// # Panics
    ///
    /// Never: that the list can be read is tested.
    #[must_use]
    pub fn well_known_publishers() -> &'static Corpus {
        static CORPUS: LazyLock<Corpus> = LazyLock::new(|| embedded(PUBLISHERS, Kind::Publishers));
        &CORPUS
    }

    /// A corpus of these names. Of entries with the same name, the last one counts.
    ///
    /// Where no rank is given but downloads are, their order makes the rank.
    ///
    /// # Errors
    ///
    /// More names than fit into an index.
    pub fn new(entries: Vec<Entry>, kind: Kind) -> Result<Corpus, TooManyNames> {
        let entries: Vec<Option<Entry>> = in_order(entries).into_iter().map(Some).collect();
        let count = entries.len();
        let unknown_rank = unknown_rank(&entries);
        let names = names_of(&entries, unknown_rank);
        let built = Postings::build(count, |id, hashes| {
            if let (Some(entry), Some(name)) = (&entries[id], names.get(id)) {
                hashes_of(entry, name, hashes);
            }
        })
        .map_err(|_| TooManyNames { count })?;
        let popular = Postings::build(count, |id, hashes| {
            if let (Some(entry), Some(name)) = (&entries[id], names.get(id)) {
                form::of_popular_name(name, entry.rank.unwrap_or(unknown_rank), hashes);
            }
        })
        .map_err(|_| TooManyNames { count })?;
        Ok(Corpus { kind, entries, names, built, popular, added: HashMap::new(), count, unknown_rank })
    }

    pub(crate) fn from_parts(kind: Kind, entries: Vec<Entry>, [built, popular]: [Postings; 2]) -> Corpus {
        let count = entries.len();
        let entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
        let unknown_rank = unknown_rank(&entries);
        let names = names_of(&entries, unknown_rank);
        Corpus { kind, entries, names, built, popular, added: HashMap::new(), count, unknown_rank }
    }

    /// What its names are names of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many names it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it has no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Its names, in no particular order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    /// Whether exactly this name is in the corpus.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// What the corpus has about exactly this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entry(self.id(name)?)
    }

    /// Adds a name, or replaces what was known about it. Costs microseconds: nothing is built anew.
    pub fn add(&mut self, entry: Entry) {
        self.remove(&entry.name);
        let id = self.entries.len() as u32;
        let rank = entry.rank.unwrap_or(self.unknown_rank);
        self.names.push(&entry.name, rank);
        let mut hashes = Vec::new();
        if let Some(name) = self.names.get(id as usize) {
            hashes_of(&entry, name, &mut hashes);
            form::of_popular_name(name, rank, &mut hashes);
        }
        for hash in hashes {
            self.added.entry(hash).or_default().push(id);
        }
        self.entries.push(Some(entry));
        self.count += 1;
    }

    /// Removes a name; gives what was known about it. Nothing is built anew.
    pub fn remove(&mut self, name: &str) -> Option<Entry> {
        let id = self.id(name)?;
        let entry = self.entries[id as usize].take()?;
        self.count -= 1;
        let mut hashes = Vec::new();
        if let Some(name) = self.names.get(id as usize) {
            hashes_of(&entry, name, &mut hashes);
            form::of_popular_name(name, self.names.rank(id as usize), &mut hashes);
        }
        self.names.remove(id as usize);
        for hash in hashes {
            if let Some(ids) = self.added.get_mut(&hash) {
                ids.retain(|it| *it != id);
                if ids.is_empty() {
                    self.added.remove(&hash);
                }
            }
        }
        Some(entry)
    }

    /// Whether names were added or removed since it was built.
    pub(crate) fn is_changed(&self) -> bool {
        !self.added.is_empty() || self.count != self.entries.len()
    }

    /// The same corpus, built anew if names were added or removed.
    pub(crate) fn compacted(&self) -> Result<Option<Corpus>, TooManyNames> {
        if !self.is_changed() {
            return Ok(None);
        }
        Corpus::new(self.entries().cloned().collect(), self.kind).map(Some)
    }

    /// The id of exactly this name.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        self.id_of(OwnedName::new(name).as_name())
    }

    pub(crate) fn id_of(&self, name: Name<'_>) -> Option<u32> {
        let mut ids = self.ids(form::hash(Form::Letters, name.letters));
        ids.find(|id| self.name(*id).is_some_and(|it| it.text() == name.text()))
    }

    pub(crate) fn entry(&self, id: u32) -> Option<&Entry> {
        self.entries.get(id as usize)?.as_ref()
    }

    /// The name of an entry, taken apart.
    pub(crate) fn name(&self, id: u32) -> Option<Name<'_>> {
        self.names.get(id as usize)
    }

    /// Gives the letters of these entries' names to `see`.
    pub(crate) fn see_letters(&self, ids: &[u32], see: impl FnMut(u32, &[char])) {
        self.names.see_letters(ids, see);
    }

    /// How many letters an entry's name has; none if it was removed.
    pub(crate) fn length(&self, id: u32) -> usize {
        self.names.length(id as usize)
    }

    /// The rank of an entry, or what stands for it.
    pub(crate) fn rank(&self, id: u32) -> u32 {
        self.names.rank(id as usize)
    }

    /// Has the memory fetched that lookups of these hashes will need, for all of them at once.
    pub(crate) fn warm(&self, hashes: &[Hash]) {
        self.built.warm(hashes);
    }

    /// Ids of names that may have one of these hashes of a form, at most `most` for each of them.
    pub(crate) fn all_ids(&self, form: Form, hashes: &[Hash], most: usize, ids: &mut Vec<u32>) {
        let built = if matches!(form, Form::TwoDeletions) { &self.popular } else { &self.built };
        built.get_all(hashes, most, ids);
        if !self.added.is_empty() {
            let added = hashes.iter().filter_map(|hash| self.added.get(hash));
            ids.extend(added.flat_map(|ids| ids.iter().take(most)));
        }
    }

    /// Ids of names that may have this hash, the most popular ones of those that it was built with first.
    pub(crate) fn ids(&self, hash: Hash) -> impl Iterator<Item = u32> {
        let added = if self.added.is_empty() { None } else { self.added.get(&hash) };
        self.built.get(hash).chain(added.into_iter().flatten().copied())
    }
}

const POPULAR_CRATES: &str = include_str!("../data/popular-crates.csv");
const PUBLISHERS: &str = include_str!("../data/publishers.csv");

fn embedded(text: &str, kind: Kind) -> Corpus {
    let corpus = Corpus::parse(text, kind).map_err(|error: TableError| error.to_string());
    corpus.expect("tested: the embedded tables can be read")
}

/// Each name once, the most popular first, with ranks made of downloads where there are none.
fn in_order(entries: Vec<Entry>) -> Vec<Entry> {
    let mut last: HashMap<String, Entry> = HashMap::with_capacity(entries.len());
    for entry in entries {
        last.insert(entry.name.clone(), entry);
    }
    let mut entries: Vec<Entry> = last.into_values().collect();
    if entries.iter().all(|entry| entry.rank.is_none()) {
        entries.sort_unstable_by(|a, b| b.downloads.cmp(&a.downloads).then_with(|| a.name.cmp(&b.name)));
        for (index, entry) in entries.iter_mut().enumerate().filter(|(_, it)| it.downloads.is_some()) {
            entry.rank = u32::try_from(index + 1).ok();
        }
    }
    let order = |entry: &Entry| entry.rank.unwrap_or(u32::MAX);
    entries.sort_unstable_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name)));
    entries
}

/// The letters of a name without the affixes around it; all of them where nothing else is there.
pub(crate) fn core(name: Name<'_>) -> Vec<char> {
    let words = affixes().core_words(name);
    name.without(|index| !words.contains(&index))
}

fn unknown_rank(entries: &[Option<Entry>]) -> u32 {
    weights::unknown_rank(entries.iter().flatten().filter(|entry| entry.rank.is_none()).count())
}

fn names_of(entries: &[Option<Entry>], unknown_rank: u32) -> Names {
    let mut names = Names::default();
    for entry in entries.iter().flatten() {
        names.push(&entry.name, entry.rank.unwrap_or(unknown_rank));
    }
    names
}

fn hashes_of(entry: &Entry, name: Name<'_>, hashes: &mut Vec<Hash>) {
    form::of_name(name, &core(name), hashes);
    if let Some(repository) = &entry.repository {
        hashes
            .extend(repository_names(repository).iter().map(|letters| form::hash(Form::Repository, letters)));
    }
}

/// The letters of the names that a repository's address has: the organisation, the repository, and both together.
pub(crate) fn repository_names(address: &str) -> Vec<Vec<char>> {
    let path = address.split_once("://").map_or(address, |(_, rest)| rest);
    let mut parts = path.split(['/', '?', '#']).filter(|part| !part.is_empty());
    let _host = parts.next();
    let (Some(organisation), Some(repository)) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    let repository = repository.strip_suffix(".git").unwrap_or(repository);
    [organisation.to_owned(), repository.to_owned(), format!("{organisation}-{repository}")]
        .iter()
        .map(|text| OwnedName::new(text).as_name().letters.to_vec())
        .filter(|letters| !letters.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
