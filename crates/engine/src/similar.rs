//! Likeness: which crates share a package's text, among all that were seen on this machine.
//!
//! What is remembered of each is small and lies beside the facts, in one file. A check judges every package as if nothing were like
//! it, then looks for copies among its own packages and everything seen before, and judges those that have some again: so no facts
//! have to be kept until the last package is read, and the order in which packages are read does not matter.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use cratekeeper_model::{Facts, History, Known, Outcome, Package, PackageId, PackageSource, SimilarCrate};
use cratekeeper_similarity::{Entry, Index, StoredIndexError};
use rayon::prelude::*;

use crate::analysis::Subject;
use crate::facts::{Found, checksum_of_file};
use crate::pipeline::{Around, Engine, FOR_RULES, InspectTarget, Prepared, alone, in_pool};
use crate::progress::{Progress, Stage};

/// Name of the file beside the directory of facts.
const FILE: &str = "similar.index";

/// Versions that are remembered without being asked for. With 5 KB each, reading them takes a tenth of a second.
const REMEMBERED: usize = 20_000;

/// Largest index that is read. One of the newest versions of 200,000 crates takes 1.5 GB.
const LARGEST: u64 = 2 << 30;

/// Why an index could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SimilarError {
    /// A file could not be read or written.
    #[error("failed to access `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no index, or damaged.
    #[error("failed to read the index `{}`", path.display())]
    Stored {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: StoredIndexError,
    },
    /// The file is larger than any index.
    #[error("failed to read the index `{}`: it has more than {} MiB", path.display(), limit >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes that are read at most.
        limit: u64,
    },
    /// What is asked about could not be read.
    #[error("failed to read what to compare: {0}")]
    Target(String),
}

/// What became of building an index.
#[derive(Debug, Clone, Default)]
pub struct IndexBuilt {
    /// Versions in it.
    pub versions: usize,
    /// Archives that could not be read, with the reason.
    pub refused: Vec<(String, String)>,
}

impl Engine {
    /// Crates that share the text of `target`, likest first: among those in the index at `path`, or among all that were seen on
    /// this machine.
    ///
    /// # Errors
    ///
    /// When the index or the target cannot be read.
    pub fn similar(
        &self,
        target: InspectTarget,
        path: Option<&Path>,
    ) -> Result<(Package, Vec<SimilarCrate>), SimilarError> {
        let entries = match path {
            Some(path) => read_index(path)?,
            None => self.remembered(),
        };
        let index = Index::new(entries);
        let none = |_: &Package, _: &Known<Box<Facts>>| Known::Unknown("it is not asked for".to_owned());
        let around = Around { past: &none, neighbours: &|_, _| Known::Known(Vec::new()), reach: &alone };
        let inspected = self.inspect_with(target, false, around);
        let package = inspected.outcome.package;
        match inspected.facts {
            Some(facts) => {
                let similar = self.neighbours(&index, &package, &facts);
                Ok((package, similar))
            }
            None => Err(SimilarError::Target(inspected.outcome.reason.unwrap_or_default())),
        }
    }

    /// Makes an index of all archives in some directories, as deep as they are, and writes it to `path`.
    ///
    /// # Errors
    ///
    /// When a directory cannot be listed or the index not be written. An archive that cannot be read is counted.
    pub fn build_similar(
        &self,
        directories: &[PathBuf],
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<IndexBuilt, SimilarError> {
        let mut archives = Vec::new();
        for directory in directories {
            collect_archives(directory, &mut archives)
                .map_err(|source| SimilarError::Io { path: directory.clone(), source })?;
        }
        archives.sort();
        progress.begin(Stage::Analyze, archives.len());
        let read: Vec<(String, Result<Entry, String>)> = in_pool(self.jobs(), || {
            let one = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let entry = self.entry_of_archive(path);
                progress.step(&name);
                (path.display().to_string(), entry)
            };
            archives.par_iter().with_max_len(1).map(one).collect()
        });
        progress.end();
        let mut built = IndexBuilt::default();
        let mut entries = Vec::new();
        for (path, entry) in read {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(reason) => built.refused.push((path, reason)),
            }
        }
        let index = Index::new(entries);
        built.versions = index.entries().len();
        write_index(path, &index)?;
        Ok(built)
    }

    fn entry_of_archive(&self, path: &Path) -> Result<Entry, String> {
        let checksum = checksum_of_file(path).map_err(|error| error.to_string())?;
        let subject = Subject::Archive { path: path.to_owned(), name: None, version: None };
        match self.facts().of_archive(subject, checksum, &FOR_RULES).map_err(|error| error.to_string())? {
            Found::Facts { facts, .. } => {
                let (name, version) = (facts.manifest.name.as_deref(), facts.manifest.version.as_deref());
                let name = name.ok_or("its manifest has no name")?;
                Ok(Entry::new(name, version.unwrap_or_default(), checksum, &facts))
            }
            Found::Refused(refused) => Err(refused.message),
        }
    }

    /// What is like a package, with who was first as far as an index says.
    pub(crate) fn neighbours(&self, index: &Index, package: &Package, facts: &Facts) -> Vec<SimilarCrate> {
        self.neighbours_of(index, &entry(package, facts), package, facts)
    }

    /// The same for a package whose entry is there, with more than its facts say.
    fn neighbours_of(
        &self,
        index: &Index,
        own: &Entry,
        package: &Package,
        facts: &Facts,
    ) -> Vec<SimilarCrate> {
        let mut similar = index.similar(own, facts);
        if !similar.is_empty()
            && let Some(own) = self.first_published(package)
        {
            for it in &mut similar {
                let Ok(version) = it.version.parse() else { continue };
                let other = Package {
                    id: PackageId::new(&package.source, &it.name, &version),
                    name: it.name.clone(),
                    version,
                    checksum: None,
                    ..package.clone()
                };
                it.other_is_older =
                    it.other_is_older.or_else(|| self.first_published(&other).map(|theirs| theirs < own));
            }
        }
        similar
    }

    /// When the first version of a crate was published, in seconds since 1970.
    fn first_published(&self, package: &Package) -> Option<i64> {
        if !matches!(package.source, PackageSource::Registry(_)) {
            return None;
        }
        let versions = self.finder().index_versions(package).ok()?;
        versions.iter().filter_map(|it| it.published.map(jiff::Timestamp::as_second)).min()
    }

    /// Judges packages that have likes again, and remembers all of them. `entries` are those of the packages that were read, in
    /// their order.
    pub(crate) fn judge_copies(
        &self,
        prepared: &[Prepared],
        outcomes: &mut [Outcome],
        entries: &[Option<Entry>],
        around: Around<'_>,
    ) {
        let remembered = self.remembered();
        let own: Vec<Entry> = entries.iter().flatten().cloned().collect();
        let fresh = fresh(&own, &remembered);
        let index = Index::new(own.into_iter().chain(remembered).collect());
        let has_likes = |entry: &Entry| !index.similar(entry, &Facts::default()).is_empty();
        for (number, entry) in entries.iter().enumerate() {
            let Some(entry) = entry.as_ref().filter(|it| has_likes(it)) else { continue };
            let neighbours = |package: &Package, facts: &Facts| {
                Known::Known(self.neighbours_of(&index, entry, package, facts))
            };
            let around = Around { neighbours: &neighbours, ..around };
            (outcomes[number], _) = self.examine(&prepared[number], &FOR_RULES, around);
        }
        self.remember(fresh, index.entries());
    }

    /// What `inspect` compares one package with: what was seen before, and `also`. It is remembered too if it comes from a
    /// registry.
    pub(crate) fn likes_of_one(
        &self,
        package: &Package,
        facts: &Facts,
        also: Option<Entry>,
    ) -> Known<Vec<SimilarCrate>> {
        let remembered = self.remembered();
        let own = is_remembered(package).then(|| entry(package, facts));
        let fresh = own.as_ref().map_or(0, |own| fresh(std::slice::from_ref(own), &remembered));
        let is_alone = !remembered.iter().chain(&also).any(|it| it.name != package.name);
        let kept: Vec<Entry> = own.into_iter().chain(remembered).collect();
        self.remember(fresh, &kept);
        let index = Index::new(also.into_iter().chain(kept).collect());
        if is_alone {
            return Known::Unknown("no other crate was seen on this machine".to_owned());
        }
        Known::Known(self.neighbours(&index, package, facts))
    }

    /// Versions seen before. A file that cannot be read is made anew.
    fn remembered(&self) -> Vec<Entry> {
        let Some(path) = self.cache_root().map(|root| root.with_file_name(FILE)) else { return Vec::new() };
        match read_index(&path) {
            Ok(entries) => entries,
            Err(SimilarError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!("building it anew: {error}");
                Vec::new()
            }
        }
    }

    /// Writes what is new; the newest come first, and what was seen long ago is forgotten.
    fn remember(&self, fresh: usize, entries: &[Entry]) {
        let Some(root) = self.cache_root().filter(|_| fresh > 0) else { return };
        let kept = entries.iter().take(REMEMBERED).cloned().collect();
        // The directory is there: the facts of what is remembered are in one below it.
        let written = write_index(&root.with_file_name(FILE), &Index::new(kept));
        if let Err(error) = written {
            tracing::warn!("failed to remember what crates are like: {error}");
        }
    }
}

/// How many are not known yet.
fn fresh(own: &[Entry], remembered: &[Entry]) -> usize {
    let known: HashSet<_> = remembered.iter().map(|entry| entry.checksum).collect();
    own.iter().filter(|entry| !known.contains(&entry.checksum)).count()
}

/// What is kept of a package.
pub(crate) fn entry(package: &Package, facts: &Facts) -> Entry {
    let checksum =
        package.checksum.unwrap_or(cratekeeper_model::Checksum::of(package.id.as_str().as_bytes()));
    Entry::new(&package.name, &package.version.to_string(), checksum, facts)
}

/// Who may publish a crate, as far as its history says: its owners, or who published it so far. An index says neither.
pub(crate) fn owners(history: &Known<History>) -> Option<Vec<String>> {
    let history = history.value()?;
    if let Known::Known(owners) = &history.owners {
        return Some(owners.clone());
    }
    let mut publishers: Vec<String> =
        history.versions.iter().filter_map(|it| it.publisher.value().cloned()).collect();
    publishers.sort_unstable();
    publishers.dedup();
    (!publishers.is_empty()).then_some(publishers)
}

/// Only what a registry vouches for: a sample that somebody looks into would make its original look like a copy later.
pub(crate) fn is_remembered(package: &Package) -> bool {
    matches!(package.source, PackageSource::Registry(_)) && package.checksum.is_some()
}

fn read_index(path: &Path) -> Result<Vec<Entry>, SimilarError> {
    read_index_up_to(path, LARGEST)
}

fn read_index_up_to(path: &Path, limit: u64) -> Result<Vec<Entry>, SimilarError> {
    let io = |source| SimilarError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    // Not by its size as the system says it: a pipe or device has none, and never ends.
    fs::File::open(path).map_err(io)?.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(SimilarError::TooLarge { path: path.to_owned(), limit });
    }
    Index::entries_from_bytes(&bytes).map_err(|source| SimilarError::Stored { path: path.to_owned(), source })
}

/// Whole or not at all.
fn write_index(path: &Path, index: &Index) -> Result<(), SimilarError> {
    let bytes = index.to_bytes().map_err(|source| SimilarError::Stored { path: path.to_owned(), source })?;
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| SimilarError::Io { path: path.to_owned(), source })
}

/// Directories below a mirror's root; links are not followed, so that no circle can form.
const DEPTH: usize = 8;

fn collect_archives(root: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut directories = vec![(root.to_owned(), 0)];
    while let Some((directory, depth)) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, entry.path());
            if kind.is_dir() && depth < DEPTH {
                directories.push((path, depth + 1));
            } else if kind.is_file() && path.extension().is_some_and(|it| it == "crate") {
                found.push(std::path::absolute(path)?);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::PublishedVersion;

    use super::*;

    #[test]
    fn a_file_that_is_too_large_for_an_index_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index");
        write_index(&path, &Index::new(Vec::new())).unwrap();
        let size = fs::metadata(&path).unwrap().len();
        assert!(read_index_up_to(&path, size).is_ok());
        let error = read_index_up_to(&path, size - 1).unwrap_err();
        assert!(matches!(error, SimilarError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn owners_are_those_who_published_where_nobody_says_more() {
        let unknown = || Known::Unknown("not told".to_owned());
        let published = |publisher| PublishedVersion {
            version: semver::Version::new(1, 0, 0),
            published: Known::Unknown("not told".to_owned()),
            publisher,
            method: Known::Unknown("not told".to_owned()),
            yanked: false,
            dependencies: Known::Unknown("not told".to_owned()),
        };
        let history = |versions| History {
            at: 0,
            versions,
            events: Known::Unknown("not told".to_owned()),
            owners: Known::Unknown("not told".to_owned()),
            downloads: Known::Unknown("not told".to_owned()),
            earlier_owner: Known::Unknown("not told".to_owned()),
            dependencies: Vec::new(),
            publisher: Known::Unknown("not told".to_owned()),
        };
        let of = |versions| owners(&Known::Known(history(versions)));
        assert_eq!(of(vec![published(unknown())]), None);
        let ann = || published(Known::Known("ann".to_owned()));
        assert_eq!(of(vec![ann(), published(unknown()), ann()]), Some(vec!["ann".to_owned()]));
        assert_eq!(owners(&Known::Unknown("offline".to_owned())), None);
    }
}
