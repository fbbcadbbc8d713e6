//! An index as one file.
//!
//! Eight bytes `CKSIMIL1`, a SHA-256 over the rest, and the entries in MessagePack. The tables are made anew when it is read: that
//! takes less time than reading them would. A file that is damaged, or of another program, is refused as a whole.

use cratekeeper_model::Checksum;
use cratekeeper_model::facts::Sketch;

use crate::entry::Entry;
use crate::index::Index;

/// First bytes of every file; the digit is the version of the format, and of the hashes in it.
const MAGIC: &[u8; 8] = b"CKSIMIL1";

/// Largest sample of a sketch; ours are at most a quarter of that.
const SAMPLE: usize = 1024;

/// A file is no index that this program could use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredIndexError {
    /// It is something else, or of another version of this program.
    #[error("it is no index of similar crates that this version of cratekeeper can read")]
    Foreign,
    /// Bytes were lost or changed.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

impl StoredIndexError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "remove it, and build it again with `cratekeeper similar --build`"
    }
}

impl Index {
    /// The index as the content of a file.
    ///
    /// # Errors
    ///
    /// When it cannot be encoded, which would be a fault of this program.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoredIndexError> {
        let payload = rmp_serde::to_vec(self.entries())
            .map_err(|error| StoredIndexError::Damaged(error.to_string()))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(Checksum::of(&payload).as_bytes());
        bytes.extend(payload);
        Ok(bytes)
    }

    /// The index in the content of a file.
    ///
    /// # Errors
    ///
    /// When it is none, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Index, StoredIndexError> {
        Ok(Index::new(Index::entries_from_bytes(bytes)?))
    }

    /// The versions of a stored index, for one with others added.
    ///
    /// # Errors
    ///
    /// When it is none, or damaged.
    pub fn entries_from_bytes(bytes: &[u8]) -> Result<Vec<Entry>, StoredIndexError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(StoredIndexError::Foreign)?;
        let (checksum, payload) = rest.split_at_checked(32).ok_or(StoredIndexError::Foreign)?;
        if Checksum::of(payload).as_bytes() != checksum {
            return Err(StoredIndexError::Damaged("the checksum is another one".to_owned()));
        }
        let entries: Vec<Entry> =
            rmp_serde::from_slice(payload).map_err(|error| StoredIndexError::Damaged(error.to_string()))?;
        if !entries.iter().all(is_well_formed) {
            return Err(StoredIndexError::Damaged("a sketch is out of order".to_owned()));
        }
        Ok(entries)
    }
}

/// Comparing relies on order.
fn is_well_formed(entry: &Entry) -> bool {
    let print = &entry.fingerprint;
    let ascends = |hashes: &[u64]| hashes.is_sorted_by(|a, b| a < b);
    let fits = |sketch: &Sketch| sketch.smallest.len() <= SAMPLE && ascends(&sketch.smallest);
    [&print.source, &print.structure, &print.readme, &print.description].into_iter().all(fits)
        && ascends(&print.functions)
}
