//! Bundles of packs.

pub use greentic_setup::{Bundle, Pack};

/// An empty bundle with a name.
pub fn named(name: &str) -> Bundle {
    Bundle { name: name.to_owned(), packs: Vec::new() }
}
