//! Names to definitions, calls to functions: the call graph of one crate from its text.

mod analysis;
mod collect;
pub mod configuration;
pub mod definitions;
mod derives;
pub mod encoding;
mod infer;
mod known;
mod lookup;
mod lowering;
mod names;
mod paths;
mod signatures;
mod sources;
mod substitute;
pub mod symbol;
pub mod types;
mod view;

pub use analysis::{Analysis, analyze, analyze_parsed};
pub use collect::{CrateInput, Limits, StandardCrates, Trees};
pub use configuration::Options;
pub use definitions::{CrateIndex, Universe};
pub use symbol::Symbol;

/// The parser's edition of two digits.
#[must_use]
pub fn edition(digits: u8) -> cratekeeper_syntax::Edition {
    collect::edition(digits)
}
