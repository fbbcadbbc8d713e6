//! What is told about likeness.

use cratekeeper_model::{Package, SimilarCrate};

/// Crates that are like one.
#[derive(Debug, Clone, Copy)]
pub struct Likes<'a> {
    /// The one that was asked about.
    pub package: &'a Package,
    /// Likest first.
    pub similar: &'a [SimilarCrate],
}

/// An index that was made.
#[derive(Debug, Clone, Copy)]
pub struct Built<'a> {
    /// Its file.
    pub index: &'a str,
    /// Versions in it.
    pub versions: usize,
    /// Archives that could not be read, with the reason.
    pub refused: &'a [(String, String)],
}
