//! Turns the files of a package into [`Facts`], with nothing executed and nothing believed.
//!
//! ```
//! use cratekeeper_source::{Limits, PackageFile, analyze};
//!
//! let files = [
//!     PackageFile::new("Cargo.toml", b"[package]\nname = \"demo\"\nversion = \"1.0.0\""),
//!     PackageFile::new("src/lib.rs", b"pub fn hello() { unsafe { world() } }"),
//! ];
//! let facts = analyze(&files, &Limits::default());
//! assert_eq!(facts.source.functions[0].path, "hello");
//! assert_eq!(facts.source.r#unsafe.exprs.r#unsafe, 1);
//! ```
//!
//! [`analyze`] is the interface: text in, facts out, and no error. [`read_manifest`] is the part of it that the user's own
//! packages need. A file that cannot be parsed is read by tokens
//! and counted; a manifest that cannot be read leaves its problem in the facts. What it does not do: read files, unpack
//! archives, resolve names across files, judge.

mod characters;
mod files;
mod fingerprint;
mod flow;
mod limits;
mod literals;
mod magic;
mod manifest;
mod modules;
mod package;
mod remarks;
mod rust;
mod special;
mod text;

use cratekeeper_model::Facts;
use cratekeeper_model::facts::ManifestFacts;
use cratekeeper_syntax::{Edition, Tree};
pub use limits::Limits;
pub use package::PackageFile;

/// Everything that the files of one package say.
///
/// `files` may come in any order; of two with the same path the first counts. The parser calls itself as often as
/// [`Limits::nesting`] allows: with the default, a stack of 2 MiB is enough.
#[must_use]
pub fn analyze(files: &[PackageFile<'_>], limits: &Limits) -> Facts {
    package::analyze(files, limits, &|_, _| None, Extent::All)
}

/// Manifest, source and calls as [`analyze`] has them, without what they do (`flow`), and without fingerprints and remarks: for whoever makes
/// call graphs, and has trees of some of the files. `tree` is given a path and the text as it is read, and
/// answers with a tree of exactly this text in the edition of the manifest, that [`Limits::nesting`] let pass.
#[must_use]
pub fn analyze_structure<'t>(files: &[PackageFile<'_>], limits: &Limits, tree: &Trees<'_, 't>) -> Facts {
    package::analyze(files, limits, tree, Extent::Structure)
}

/// How much is wanted of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    All,
    /// Manifest, source and calls.
    Structure,
}

/// Trees of files by path and text.
pub type Trees<'f, 't> = dyn Fn(&str, &str) -> Option<&'t Tree<'t>> + 'f;

/// The manifest alone: what [`analyze`] says about it.
#[must_use]
pub fn manifest(files: &[PackageFile<'_>]) -> ManifestFacts {
    package::manifest_alone(files)
}

/// The edition that files of a package with this manifest are parsed with.
#[must_use]
pub fn edition(manifest: &ManifestFacts) -> Edition {
    package::edition(manifest)
}

/// What the manifest of a package says that is not packed: what it inherits is taken from `root`, the manifest at the root of its
/// workspace, which may be its own.
///
/// `paths` are the files of the package, in any order: as far as targets are found by them.
#[must_use]
pub fn read_manifest(manifest: &[u8], root: &[u8], paths: &[&str]) -> ManifestFacts {
    let mut paths = paths.to_vec();
    paths.sort_unstable();
    manifest::read_member(manifest, root, &paths)
}
