//! How right detection is: on fixtures of every technique, on replicas of real incidents, and on real harmless crates.
//!
//! [`Fixture`] reads the text files that hold hostile packages, [`Suite`] finds them in a directory, [`measure`] has each one
//! judged by the real engine and counts. What is expected of a fixture follows from its file's name: a `positive` has to
//! be recognised, a `chain` has to alert, a `twin` must not. Nothing here is ever built or run.
//!
//! Half of everything is not looked at while rules are written: of fixtures the second of two, of real crates
//! those whose name's hash is odd. The halves are counted apart, so that the difference shows what was learnt by heart.

mod fixture;
mod measure;
mod suite;

pub use fixture::{ArchiveEntry, EntryKind, Fixture, FixtureError, FixtureFile, TIMELINE};
pub use measure::{Judge, JudgedIncident, JudgedVersion, is_held_out, measure};
pub use suite::{Role, Subject, Suite, SuiteError};
