//! What versions are compared with: the content of those that were inspected, and the names of crates that are hosted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cratekeeper_names::{Corpus, Entry as Name, Kind};
use cratekeeper_similarity::{Entry, Index};

use crate::gate::Gate;

/// Versions that are remembered. With 5 KB each they take 100 MB at most.
const REMEMBERED: usize = 20_000;

/// Additions after which they are sorted in among the others and written to disk. To do so with each would take a second with many.
const SETTLED_EVERY: usize = 256;

/// How often what is new is written to disk: what a process that is killed forgets of others' content is not older.
const WRITTEN_EVERY: Duration = Duration::from_secs(60);

impl Gate {
    /// Writes down what versions are compared with, until the gate ends.
    pub(crate) async fn remember_forever(self: Arc<Gate>) {
        loop {
            tokio::time::sleep(WRITTEN_EVERY).await;
            let gate = self.clone();
            let _ = tokio::task::spawn_blocking(move || gate.likes.settle()).await;
        }
    }
}

/// The content of versions that were inspected.
pub(crate) struct Likes {
    file: PathBuf,
    indexes: RwLock<Indexes>,
}

#[derive(Clone)]
struct Indexes {
    settled: Arc<Index>,
    fresh: Arc<Index>,
}

impl Likes {
    /// What was remembered in `file`. A damaged file is thrown away: it is made again from what comes.
    pub(crate) fn open(file: PathBuf) -> Likes {
        let settled = match std::fs::read(&file) {
            Ok(bytes) => Index::from_bytes(&bytes).unwrap_or_else(|error| {
                tracing::warn!("`{}` is damaged and begins anew: {error}", file.display());
                Index::default()
            }),
            Err(_) => Index::default(),
        };
        let indexes = Indexes { settled: Arc::new(settled), fresh: Arc::default() };
        Likes { file, indexes: RwLock::new(indexes) }
    }

    /// Everything that is remembered, in two parts.
    pub(crate) fn indexes(&self) -> [Arc<Index>; 2] {
        // Both are whole after each change, so a panic elsewhere does not matter.
        let indexes = self.indexes.read().unwrap_or_else(PoisonError::into_inner).clone();
        [indexes.settled, indexes.fresh]
    }

    pub(crate) fn remember(&self, entry: Entry) {
        let is_full = {
            let mut indexes = self.indexes.write().unwrap_or_else(PoisonError::into_inner);
            let known = [&indexes.settled, &indexes.fresh];
            if known.iter().any(|index| index.entries().iter().any(|it| it.checksum == entry.checksum)) {
                return;
            }
            let mut entries = indexes.fresh.entries().to_vec();
            entries.push(entry);
            indexes.fresh = Arc::new(Index::new(entries));
            indexes.fresh.entries().len() >= SETTLED_EVERY
        };
        if is_full {
            self.settle();
        }
    }

    /// Sorts the newest in among the others, and writes all.
    pub(crate) fn settle(&self) {
        let settled = {
            let mut indexes = self.indexes.write().unwrap_or_else(PoisonError::into_inner);
            if indexes.fresh.entries().is_empty() {
                return;
            }
            let all = indexes.settled.entries().iter().chain(indexes.fresh.entries()).cloned();
            let surplus =
                (indexes.settled.entries().len() + indexes.fresh.entries().len()).saturating_sub(REMEMBERED);
            indexes.settled = Arc::new(Index::new(all.skip(surplus).collect()));
            indexes.fresh = Arc::default();
            indexes.settled.clone()
        };
        let written = settled.to_bytes().map_err(std::io::Error::other).and_then(|bytes| {
            let file = tempfile::NamedTempFile::new_in(self.file.parent().unwrap_or(&self.file))?;
            std::fs::write(file.path(), bytes)?;
            file.persist(&self.file).map_err(|error| error.error)
        });
        if let Err(error) = written {
            tracing::warn!("failed to write `{}`: {error}", self.file.display());
        }
    }
}

/// Names of hosted crates, with their owners, and logins of publishers that others can be taken for.
#[derive(Default)]
pub(crate) struct Names {
    corpora: RwLock<Corpora>,
    settled: RwLock<Arc<BTreeSet<String>>>,
}

/// Names, and publishers.
type Corpora = (Option<Arc<Corpus>>, Option<Arc<Corpus>>);

impl Names {
    /// Names, and publishers.
    pub(crate) fn corpora(&self) -> Corpora {
        self.corpora.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logins, in small letters, of those whose hosted crates have been there for long.
    pub(crate) fn settled(&self) -> Arc<BTreeSet<String>> {
        self.settled.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces them. `crates` are names with logins of owners; `settled` logins of those whose crates have been there for long.
    pub(crate) fn replace(&self, crates: Vec<(String, Vec<String>)>, settled: BTreeSet<String>) {
        let names =
            crates.into_iter().map(|(name, owners)| Name { owners, ..Name::new(name.as_str()) }).collect();
        let lower = settled.iter().map(|it| it.to_ascii_lowercase()).collect();
        *self.settled.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lower);
        let mut logins = settled;
        logins.extend(Corpus::well_known_publishers().entries().map(|it| it.name.clone()));
        let logins = logins.iter().map(|it| Name::new(it.as_str())).collect();
        let corpus = |names: Vec<Name>, kind| Corpus::new(names, kind).ok().map(Arc::new);
        let corpora = (corpus(names, Kind::Crates), corpus(logins, Kind::Publishers));
        *self.corpora.write().unwrap_or_else(PoisonError::into_inner) = corpora;
    }
}
