//! Facts of one package: from the cache, or from a worker and into the cache.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use cratekeeper_model::facts::{RefusedEntry, Section};
use cratekeeper_model::{Checksum, ChecksumHasher, Facts};

use crate::analysis::Subject;
use crate::cache::FactsCache;
use crate::encoding::{EncodedSection, decode};
use crate::pool::{WorkerError, WorkerPool};
use crate::worker::{Bytes, Reply, Request};

/// What became of one package.
#[derive(Debug)]
pub(crate) enum Found {
    Facts { checksum: Checksum, facts: Box<Facts> },
    Refused(RefusedEntry),
}

/// Why there are no facts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FactsError {
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("{0}")]
    Unreadable(String),
    #[error("analysis gave an answer that cannot be read: {0}")]
    Answer(#[from] rmp_serde::decode::Error),
}

/// Where facts come from.
#[derive(Debug)]
pub(crate) struct FactsSource {
    pub(crate) pool: WorkerPool,
    pub(crate) cache: Option<FactsCache>,
}

impl FactsSource {
    /// Facts of an archive whose checksum is known to be `checksum`.
    pub(crate) fn of_archive(
        &self,
        subject: Subject,
        checksum: Checksum,
        sections: &[Section],
    ) -> Result<Found, FactsError> {
        if let Some(facts) = self.cache.as_ref().and_then(|cache| cache.load(&checksum, sections)) {
            return Ok(Found::Facts { checksum, facts: Box::new(facts) });
        }
        let found = self.analyze(subject, sections, Some(checksum))?;
        match found {
            // The file was exchanged between hashing and reading.
            Found::Facts { checksum: actual, .. } if actual != checksum => Err(FactsError::Unreadable(
                format!("the file changed while it was read: it has checksum {actual} now"),
            )),
            found => Ok(found),
        }
    }

    /// Facts of a directory. Not cached: finding out whether it changed takes reading it all.
    pub(crate) fn of_directory(&self, path: &Path, sections: &[Section]) -> Result<Found, FactsError> {
        self.analyze(Subject::Directory(path.to_owned()), sections, None)
    }

    /// Whether there is a cache, and it has not all these facts of this archive.
    pub(crate) fn lacks(&self, checksum: &Checksum, sections: &[Section]) -> bool {
        self.cache.as_ref().is_some_and(|cache| !cache.has(checksum, sections))
    }

    /// Keeps facts that were made on the way to something else.
    pub(crate) fn keep(&self, checksum: &Checksum, sent: Vec<(Section, Bytes)>) {
        if let Some(cache) = &self.cache
            && let Err(error) = cache.store(checksum, &encoded(sent))
        {
            tracing::warn!("failed to cache facts: {error}");
        }
    }

    fn analyze(
        &self,
        subject: Subject,
        sections: &[Section],
        key: Option<Checksum>,
    ) -> Result<Found, FactsError> {
        // All sections, for the cache: analysing again for the calls would cost as much as this. The manifest alone is another
        // matter: it takes no parsing of source.
        let wanted = if *sections == [Section::Manifest] { sections.to_vec() } else { Section::ALL.to_vec() };
        let request = Request::Facts { subject, sections: wanted };
        match self.pool.run(&request)? {
            Reply::Refused(refusal) => Ok(Found::Refused(refusal)),
            Reply::Unreadable(reason) => Err(FactsError::Unreadable(reason)),
            Reply::Facts { checksum, sections: sent } => {
                let encoded = encoded(sent);
                if let (Some(cache), true) = (&self.cache, key == Some(checksum))
                    && let Err(error) = cache.store(&checksum, &encoded)
                {
                    tracing::warn!("failed to cache facts: {error}");
                }
                let wanted = encoded.iter().filter(|it| sections.contains(&it.section));
                let facts = decode(wanted.map(|it| (it.section, it.bytes.as_slice())))?;
                Ok(Found::Facts { checksum, facts: Box::new(facts) })
            }
            Reply::Graph(_) => Err(FactsError::Unreadable("the answer is to another question".to_owned())),
        }
    }
}

fn encoded(sent: Vec<(Section, Bytes)>) -> Vec<EncodedSection> {
    sent.into_iter().map(|(section, bytes)| EncodedSection { section, bytes: bytes.0 }).collect()
}

/// SHA-256 of a file.
pub(crate) fn checksum_of_file(path: &Path) -> io::Result<Checksum> {
    let mut file = File::open(path)?;
    let mut hasher = ChecksumHasher::default();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&buffer[..count]),
        }
    }
}
