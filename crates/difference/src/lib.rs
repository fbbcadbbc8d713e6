//! What changed between two versions of a crate, from their facts alone.
//!
//! ```
//! use cratekeeper_difference::difference;
//! use cratekeeper_model::{ChangeKind, Facts};
//!
//! let older = Facts::default();
//! let mut newer = Facts::default();
//! newer.manifest.repository = Some("https://forge.example.invalid/b".to_owned());
//! let difference = difference(&older, &newer);
//! assert_eq!(difference.changes[0].kind, ChangeKind::Repository);
//! ```
//!
//! [`difference`] compares what matters to whoever takes an update: what runs when, what it can touch, what it pulls in, what
//! cannot be read. It is no list of changed lines. Where code moved without a new ability, it is silent but for the amount of
//! code. It judges nothing: a new build script is a change here, and whether it is a bad one is for rules to say.
//!
//! What it does not do: read text. Excerpts are what facts hold, escaped so that they can be shown anywhere.

mod abilities;
mod changes;
mod code;
mod contents;
mod dependencies;
mod manifest;
mod targets;

use cratekeeper_model::{Difference, Facts};

pub use abilities::capabilities;

use crate::changes::Changes;

/// What changed from `older` to `newer`.
///
/// At most [`CHANGES_OF_A_KIND`] changes of each kind are listed, in a fixed order: by kind, direction and subject.
/// [`Difference::left_out`] counts the others. The same facts give no change at all.
#[must_use]
pub fn difference(older: &Facts, newer: &Facts) -> Difference {
    let mut changes = Changes::default();
    targets::compare(older, newer, &mut changes);
    abilities::compare(older, newer, &mut changes);
    dependencies::compare(&older.manifest, &newer.manifest, &mut changes);
    code::compare(older, newer, &mut changes);
    contents::compare(&older.files, &newer.files, &mut changes);
    manifest::compare(&older.manifest, &newer.manifest, &mut changes);
    let (changes, left_out) = changes.finish();
    Difference {
        changes,
        rust_lines: (code::rust_lines(older), code::rust_lines(newer)),
        files: contents::count(&older.files, &newer.files),
        left_out,
    }
}

/// Most changes of one kind in a [`Difference`]. The largest honest updates have some hundred new constants; a hostile package
/// has any number.
pub const CHANGES_OF_A_KIND: usize = 200;
