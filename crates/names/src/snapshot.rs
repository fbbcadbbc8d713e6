//! A built corpus as a file, so that a whole registry is there in a fraction of a second.
//!
//! ```text
//! magic            16 bytes  "cratekeeper-name"
//! format            4 bytes  FORMAT
//! tables            4 bytes  CRC-32 of the table of affixes that names were taken apart with
//! checksum          4 bytes  CRC-32 of everything that follows
//! header length     4 bytes
//! header            MessagePack: kind, layout, lengths
//! entries           MessagePack: the entries, in the order of their ids
//! tables            32-bit integers: two indexes, of each the starts and the entries
//! ```
//!
//! All integers are little-endian. The checksum finds broken files, not forged ones: a forged snapshot can give wrong answers
//! but harm nothing, and is as trustworthy as whoever made it.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::corpus::{Corpus, Entry, Kind, TooManyNames};
use crate::postings::{Layout, Postings};

const MAGIC: &[u8; 16] = b"cratekeeper-name";

/// Raised whenever a form, a hash or an entry changes: an index is only good for the code that made it.
const FORMAT: u32 = 1;

/// Longest header; a real one has less than 100 bytes.
const MOST_HEADER: u32 = 1 << 10;

/// Most bytes of entries: those of two million crates with all their data.
const MOST_ENTRIES: u64 = 1 << 30;

/// How much is read at once, so that a length that a broken file claims costs no memory.
const CHUNK: usize = 1 << 18;

/// Why a snapshot cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not readable or writable, or it ends too early.
    #[error("the file ends too early or cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Some other file.
    #[error("it is no snapshot of names")]
    NotASnapshot,
    /// Made by another version.
    #[error("it was made by another version of cratekeeper (format {found}, this one reads {expected})")]
    OtherFormat {
        /// The file's.
        found: u32,
        /// This version's.
        expected: u32,
    },
    /// Made with another table of affixes.
    #[error("it was made by another version of cratekeeper, which knows other affixes")]
    OtherTables,
    /// Damaged.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// More names than fit.
    #[error(transparent)]
    TooMany(#[from] TooManyNames),
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    kind: Kind,
    /// Bytes of the entries.
    bytes: u64,
    /// Of the index of all names, and of that of popular ones.
    tables: [TableHeader; 2],
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct TableHeader {
    layout: Layout,
    /// Numbers in its two arrays.
    starts: u64,
    entries: u64,
}

/// The checksum of the tables that forms depend on.
fn tables() -> u32 {
    crc32fast::hash(include_bytes!("../data/affixes.csv"))
}

impl Corpus {
    /// Whether a file that begins so is a snapshot.
    #[must_use]
    pub fn is_snapshot(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Saves the corpus. If names were added or removed since it was built, its index is built anew first.
    ///
    /// # Errors
    ///
    /// What the writer says.
    pub fn write_snapshot(&self, mut writer: impl Write) -> Result<(), SnapshotError> {
        let compacted = self.compacted()?;
        let corpus = compacted.as_ref().unwrap_or(self);
        let entries: Vec<&Entry> = corpus.entries().collect();
        let bytes = rmp_serde::to_vec(&entries).map_err(io::Error::other)?;
        let header = Header {
            kind: corpus.kind(),
            bytes: bytes.len() as u64,
            tables: [&corpus.built, &corpus.popular].map(|table| TableHeader {
                layout: table.layout(),
                starts: table.starts.len() as u64,
                entries: table.entries.len() as u64,
            }),
        };
        let header = rmp_serde::to_vec(&header).map_err(io::Error::other)?;
        let arrays = [&corpus.built, &corpus.popular]
            .map(|table| [little_endian(&table.starts), little_endian(&table.entries)]);
        let arrays = arrays.as_flattened();
        let mut checksum = crc32fast::Hasher::new();
        for part in [&*header, &*bytes].into_iter().chain(arrays.iter().map(|array| &**array)) {
            checksum.update(part);
        }
        writer.write_all(MAGIC)?;
        for number in [FORMAT, tables(), checksum.finalize(), header.len() as u32] {
            writer.write_all(&number.to_le_bytes())?;
        }
        writer.write_all(&header)?;
        writer.write_all(&bytes)?;
        for array in arrays {
            writer.write_all(array)?;
        }
        writer.flush()?;
        Ok(())
    }

    /// Loads a corpus that [`Corpus::write_snapshot`] saved.
    ///
    /// # Errors
    ///
    /// A file that is none, is damaged, or was made by another version.
    pub fn read_snapshot(mut reader: impl Read) -> Result<Corpus, SnapshotError> {
        let mut magic = [0; MAGIC.len()];
        reader.read_exact(&mut magic).map_err(|_| SnapshotError::NotASnapshot)?;
        if &magic != MAGIC {
            return Err(SnapshotError::NotASnapshot);
        }
        let [format, tables_then, expected, header_length] = [(); 4].map(|()| number(&mut reader));
        let (format, header_length) = (format?, header_length?);
        if format != FORMAT {
            return Err(SnapshotError::OtherFormat { found: format, expected: FORMAT });
        }
        if tables_then? != tables() {
            return Err(SnapshotError::OtherTables);
        }
        if header_length > MOST_HEADER {
            return Err(SnapshotError::Damaged("its header is too long"));
        }
        let mut checksum = crc32fast::Hasher::new();
        let header = bytes(&mut reader, u64::from(header_length), &mut checksum)?;
        let header: Header = rmp_serde::from_slice(&header)
            .map_err(|_| SnapshotError::Damaged("its header cannot be read"))?;
        if header.bytes > MOST_ENTRIES {
            return Err(SnapshotError::Damaged("it claims to have more than a gigabyte of entries"));
        }
        let entries = bytes(&mut reader, header.bytes, &mut checksum)?;
        let [built, popular] = header.tables.map(|table| {
            let starts = integers(&mut reader, table.starts, &mut checksum)?;
            let entries = integers(&mut reader, table.entries, &mut checksum)?;
            Ok::<_, io::Error>((table.layout, starts, entries))
        });
        let tables = [built?, popular?];
        if checksum.finalize() != expected? {
            return Err(SnapshotError::Damaged("its checksum does not match"));
        }
        let entries: Vec<Entry> = rmp_serde::from_slice(&entries)
            .map_err(|_| SnapshotError::Damaged("its entries cannot be read"))?;
        let [built, popular] =
            tables.map(|(layout, starts, entries)| Postings::from_parts(layout, starts, entries));
        let (Some(built), Some(popular)) = (built, popular) else {
            return Err(SnapshotError::Damaged("the parts of its index do not fit together"));
        };
        Ok(Corpus::from_parts(header.kind, entries, [built, popular]))
    }
}

fn number(reader: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn bytes(reader: &mut impl Read, length: u64, checksum: &mut crc32fast::Hasher) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    checksum.update(&bytes);
    Ok(bytes)
}

fn integers(reader: &mut impl Read, length: u64, checksum: &mut crc32fast::Hasher) -> io::Result<Vec<u32>> {
    let mut integers: Vec<u32> = Vec::new();
    let mut left = length;
    while left > 0 {
        let chunk = left.min(CHUNK as u64) as usize;
        let from = integers.len();
        if from + chunk > integers.capacity() {
            // What was really read doubles; what is only claimed does not.
            integers.reserve_exact(chunk.max(from).min(left as usize));
        }
        integers.resize(from + chunk, 0);
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut integers[from..]);
        reader.read_exact(bytes)?;
        checksum.update(bytes);
        left -= chunk as u64;
    }
    if cfg!(target_endian = "big") {
        for integer in &mut integers {
            *integer = u32::from_le(*integer);
        }
    }
    Ok(integers)
}

/// The bytes of an array as they stand in a file.
fn little_endian(array: &[u32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        Cow::Borrowed(bytemuck::cast_slice(array))
    } else {
        Cow::Owned(array.iter().flat_map(|it| it.to_le_bytes()).collect())
    }
}

#[cfg(test)]
mod tests;
