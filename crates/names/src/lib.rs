//! Says which crate or publisher a name can be taken for, why, and how sure that is.
//!
//! ```
//! use cratekeeper_names::{Candidate, Corpus, Level};
//!
//! let judgement = Corpus::popular_crates().judge(&Candidate::new("oncecell")?);
//! assert_eq!(judgement.level, Level::Alert);
//! assert_eq!(judgement.matches[0].target, "once_cell");
//! # Ok::<(), cratekeeper_names::NameError>(())
//! ```
//!
//! A [`Corpus`] holds the names that something can be taken for: the popular crates that come with this library, a whole
//! registry, or publishers. It is built once, saved as a snapshot, and kept up to date by [`Corpus::add`] and
//! [`Corpus::remove`]. [`Corpus::judge`] answers for one [`Candidate`] with a [`Judgement`]: a level, a score and the
//! [`Match`]es that explain them, best first. Each [`Check`] is one kind of confusion.
//!
//! No I/O, and no registry: texts and bytes are given to it, and names come from wherever the caller has them.

mod affixes;
mod allow;
mod check;
mod corpus;
mod edit;
mod evaluate;
mod explain;
mod form;
mod judge;
mod judgement;
mod mutants;
mod name;
mod postings;
mod reserved;
mod search;
mod share;
mod snapshot;
mod table;
mod weights;

pub use allow::{AllowList, AllowListError, Allowance, StaleAllowance, Staleness};
pub use check::Check;
pub use corpus::{Corpus, Entry, Kind, TooManyNames};
pub use evaluate::{
    Answer, Evaluation, Levels, MISSING_TARGET_RANK, Miss, MutantGroup, Pair, PairGroup, Point, Questions,
    THRESHOLDS, evaluate, pairs,
};
pub use judgement::{Candidate, Judgement, Level, MAX_NAME, Match, NameError};
pub use mutants::{MUTANT_CLASSES, MutantClass};
pub use share::Share;
pub use snapshot::SnapshotError;
pub use table::{TableError, UnjudgedName, candidates};
