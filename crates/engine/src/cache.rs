//! Facts on disk, keyed by checksum, so that a version is analysed once.
//!
//! An entry is one file. Each section carries the version of the analysis that made it and a SHA-256 of its own: what
//! does not match is analysed again, never trusted. `docs/facts.md` describes the format.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cratekeeper_model::facts::Section;
use cratekeeper_model::{Checksum, Facts};

use crate::encoding::{EncodedSection, decode};

/// First bytes of every entry; the digit is the version of this layout.
const MAGIC: &[u8; 8] = b"CKFACTS1";

/// Magic, checksum, number of sections.
const HEADER: usize = 8 + 32 + 4;

/// Number, version, offset, length, SHA-256.
const RECORD: usize = 4 + 4 + 8 + 8 + 32;

/// How old an entry's time stamp may get before a hit renews it. Eviction goes by that time; writing it on every hit would
/// make each warm run write.
const RENEW: Duration = Duration::from_hours(24);

/// A directory of facts.
#[derive(Debug, Clone)]
pub struct FactsCache {
    root: PathBuf,
    /// Bytes that [`FactsCache::evict`] leaves.
    cap: u64,
}

impl FactsCache {
    /// Default size cap: facts take about as many bytes as the source they describe, so this holds some ten thousand versions.
    pub const DEFAULT_CAP: u64 = 2 << 30;

    /// The cache in `root`, which is created when something is first stored.
    #[must_use]
    pub fn new(root: PathBuf, cap: u64) -> FactsCache {
        FactsCache { root, cap }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, checksum: &Checksum) -> PathBuf {
        let text = checksum.to_string();
        self.root.join(&text[..2]).join(format!("{text}.facts"))
    }

    /// The facts of `checksum` with these sections; `None` when any of them is missing, of another analysis, or damaged.
    #[must_use]
    pub fn load(&self, checksum: &Checksum, sections: &[Section]) -> Option<Facts> {
        let path = self.path(checksum);
        match read(&path, checksum, sections) {
            Ok(facts) => facts,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!("rebuilding the facts in `{}`: {error}", path.display());
                None
            }
        }
    }

    /// Whether there is an entry with all these sections, each of the present analysis. It may still prove damaged.
    pub(crate) fn has(&self, checksum: &Checksum, sections: &[Section]) -> bool {
        let records = File::open(self.path(checksum)).and_then(|mut file| records(&mut file, checksum));
        records.is_ok_and(|records| sections.iter().all(|section| record(&records, *section).is_some()))
    }

    /// Stores an entry, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written. Nothing is left behind then.
    pub(crate) fn store(&self, checksum: &Checksum, sections: &[EncodedSection]) -> io::Result<()> {
        let path = self.path(checksum);
        let directory = path.parent().expect("an entry is inside a directory of the cache");
        fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&header(checksum, sections))?;
        for section in sections {
            file.write_all(&section.bytes)?;
        }
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Removes the entries that were used least recently, until the rest is within the size cap.
    ///
    /// # Errors
    ///
    /// When the directory cannot be listed.
    pub fn evict(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        let mut total = 0;
        for directory in fs::read_dir(&self.root)?.flatten() {
            let Ok(files) = fs::read_dir(directory.path()) else { continue };
            for file in files.flatten() {
                let Ok(metadata) = file.metadata() else { continue };
                total += metadata.len();
                entries.push((
                    metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    metadata.len(),
                    file.path(),
                ));
            }
        }
        entries.sort();
        for (_, size, path) in entries {
            if total <= self.cap {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                total -= size;
            }
        }
        Ok(())
    }
}

fn header(checksum: &Checksum, sections: &[EncodedSection]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER + RECORD * sections.len());
    header.extend(MAGIC);
    header.extend(checksum.as_bytes());
    header.extend((sections.len() as u32).to_le_bytes());
    let mut offset = (HEADER + RECORD * sections.len()) as u64;
    for section in sections {
        header.extend(number(section.section).to_le_bytes());
        header.extend(section.section.version().to_le_bytes());
        header.extend(offset.to_le_bytes());
        header.extend((section.bytes.len() as u64).to_le_bytes());
        header.extend(Checksum::of(&section.bytes).as_bytes());
        offset += section.bytes.len() as u64;
    }
    header
}

/// Numbers of sections in stored entries; never reused.
fn number(section: Section) -> u32 {
    match section {
        Section::Manifest => 1,
        Section::Files => 2,
        Section::Source => 3,
        Section::Calls => 4,
        Section::Flow => 5,
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Reads the wanted sections; `None` when one is missing or of another analysis.
fn read(path: &Path, checksum: &Checksum, wanted: &[Section]) -> io::Result<Option<Facts>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let records = records(&mut file, checksum)?;
    let mut payloads = Vec::with_capacity(wanted.len());
    for section in wanted {
        let Some(record) = record(&records, *section) else { return Ok(None) };
        payloads.push((*section, payload(&mut file, record, metadata.len())?));
    }
    let renewed = metadata.modified().ok().and_then(|time| time.elapsed().ok());
    if renewed.is_some_and(|age| age > RENEW) {
        // Failing to renew only makes eviction less fair.
        let _ = File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
    }
    decode(payloads.iter().map(|(section, bytes)| (*section, bytes.as_slice())))
        .map(Some)
        .map_err(|error| damaged(&error.to_string()))
}

/// The records of an entry's sections.
fn records(file: &mut File, checksum: &Checksum) -> io::Result<Vec<u8>> {
    let mut head = [0; HEADER];
    file.read_exact(&mut head)?;
    if &head[..8] != MAGIC {
        return Err(damaged("it is not a file of facts"));
    }
    if &head[8..40] != checksum.as_bytes() {
        return Err(damaged("it belongs to another checksum"));
    }
    let count = u32::from_le_bytes(head[40..44].try_into().expect("four bytes"));
    if count > 64 {
        return Err(damaged("it claims more than 64 sections"));
    }
    let mut records = vec![0; RECORD * count as usize];
    file.read_exact(&mut records)?;
    Ok(records)
}

/// The record of a section that the present analysis made.
fn record(records: &[u8], section: Section) -> Option<&[u8]> {
    let record = records.chunks_exact(RECORD).find(|record| record[..4] == number(section).to_le_bytes())?;
    (record[4..8] == section.version().to_le_bytes()).then_some(record)
}

fn payload(file: &mut File, record: &[u8], file_length: u64) -> io::Result<Vec<u8>> {
    let offset = u64::from_le_bytes(record[8..16].try_into().expect("eight bytes"));
    let length = u64::from_le_bytes(record[16..24].try_into().expect("eight bytes"));
    if offset.checked_add(length).is_none_or(|end| end > file_length) {
        return Err(damaged("a section ends behind the file"));
    }
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    if Checksum::of(&bytes).as_bytes() != &record[24..56] {
        return Err(damaged("a section is damaged"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
