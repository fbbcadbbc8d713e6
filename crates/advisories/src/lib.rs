//! Reads a RustSec-format advisory database and answers which versions it affects.
//!
//! ```no_run
//! use cratekeeper_advisories::{Database, Origin};
//!
//! let (database, problems) = Database::open("advisory-db".as_ref())?;
//! assert!(problems.is_empty());
//! let answer = database.affecting("smallvec", &"1.6.0".parse()?, Origin::DefaultRegistry);
//! for advisory in &answer.advisories {
//!     println!("{}: {}", advisory.id, advisory.title);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Database`] is a directory on disk, read lazily: opening it lists the crates that have advisories,
//! and a crate's advisories are parsed when that crate is asked for. An [`Answer`] holds the advisories
//! that affect a version, and a [`Problem`] for each file about that crate that could not be read: with
//! one of those, silence does not mean "not affected". [`Snapshot`] says how old the data are, and
//! [`update()`] brings a clone of ours up to date.
//!
//! Nothing is judged here: which advisory is worth which severity is for rules to say, and whether an
//! operating system that an advisory names is one that the user builds for is for policy. Nothing
//! touches the network but [`update()`], which runs the system's git, and never inside a directory that
//! was there before.

mod class;
mod database;
mod error;
mod git;
mod limits;
mod origin;
mod record;
mod shelf;
mod snapshot;
#[cfg(test)]
mod test_database;
mod update;

pub use database::{Answer, Database};
pub use error::{OpenError, Problem};
pub use limits::Limits;
pub use origin::Origin;
pub use record::{Collection, Record};
pub use snapshot::Snapshot;
pub use update::{RUSTSEC_URL, UpdateError, UpdateOutcome, update};
