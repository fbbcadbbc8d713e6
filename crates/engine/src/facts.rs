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
use crate::worker::{Reply, Request};

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

    fn analyze(
        &self,
        subject: Subject,
        sections: &[Section],
        key: Option<Checksum>,
    ) -> Result<Found, FactsError> {
        // All sections, for the cache: analysing again for the calls would cost as much as this.
        let request = Request { subject, sections: Section::ALL.to_vec() };
        match self.pool.run(&request)? {
            Reply::Refused(refusal) => Ok(Found::Refused(refusal)),
            Reply::Unreadable(reason) => Err(FactsError::Unreadable(reason)),
            Reply::Facts { checksum, sections: sent } => {
                let encoded: Vec<EncodedSection> = sent
                    .into_iter()
                    .map(|(section, bytes)| EncodedSection { section, bytes: bytes.0 })
                    .collect();
                if let (Some(cache), true) = (&self.cache, key == Some(checksum))
                    && let Err(error) = cache.store(&checksum, &encoded)
                {
                    tracing::warn!("failed to cache facts: {error}");
                }
                let wanted = encoded.iter().filter(|it| sections.contains(&it.section));
                let facts = decode(wanted.map(|it| (it.section, it.bytes.as_slice())))?;
                Ok(Found::Facts { checksum, facts: Box::new(facts) })
            }
        }
    }
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
