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

pub use analysis::{Analysis, analyze};
pub use collect::{CrateInput, Limits, StandardCrates};
pub use configuration::Options;
pub use definitions::{CrateIndex, Universe};
pub use symbol::Symbol;
