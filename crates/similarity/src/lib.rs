//! Which crates share a version's source, README or description, among very many.
//!
//! ```
//! use cratekeeper_model::{Checksum, Facts};
//! use cratekeeper_similarity::{Entry, Index};
//!
//! let facts = Facts::default();
//! let entry = Entry::new("demo", "1.0.0", Checksum::of(b"demo"), &facts);
//! let index = Index::new(vec![entry.clone()]);
//! // A crate is not compared with its own versions.
//! assert!(index.similar(&entry, &facts).is_empty());
//! ```
//!
//! An [`Entry`] is what is kept of a version: who it says it is, and the sketches in its facts. An [`Index`] finds the entries
//! that share hashes with another one by a table from hash to entries, and estimates shares for those alone. Shares are parts of
//! the *smaller* text, so that a payload added to a copy does not hide the copy.
//!
//! What hundreds of crates have in common (licence texts, idioms, derived code) is no likeness: hashes that occur in many crates
//! are left out. It judges nothing: workspaces, forks and generated code share text for good reasons, which is for rules to weigh.
//!
//! Sketches are ours: the index needs one table and one merge of two sorted lists, which is less than any library would take off.

mod entry;
mod index;
mod share;
mod stored;

pub use entry::Entry;
pub use index::{Index, THRESHOLDS, Thresholds};
pub use stored::StoredIndexError;
