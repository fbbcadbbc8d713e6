//! Reads hostile `.crate` files, under limits, and packs crates for tests.
//!
//! ```
//! use cratekeeper_archive::{CrateBuilder, Expected, Limits, read_crate_bytes};
//!
//! let bytes = CrateBuilder::new("demo", "1.0.0").file("src/lib.rs", "pub fn f() {}").build();
//! let archive = read_crate_bytes(&bytes, &Expected::package("demo", "1.0.0"), &Limits::default())?;
//! let paths: Vec<&str> = archive.files.iter().map(|file| file.path.as_str()).collect();
//! assert_eq!(paths, ["Cargo.toml", "src/lib.rs"]);
//! # Ok::<(), cratekeeper_archive::ReadError>(())
//! ```
//!
//! [`read_crate`] turns a `.crate` file into a [`CrateArchive`], and [`read_directory`] does the same for
//! an unpacked package. [`Limits`] bound what either may cost, [`Expected`] says what the archive has to
//! be, and every way to fail is a variant of [`Refusal`]. [`CrateBuilder`] packs crates, well-formed and
//! hostile ones, for the tests of this crate and of others.
//!
//! # What is guaranteed
//!
//! - Nothing is written to disk, and nothing is fetched.
//! - What is read is what cargo would unpack. Where tar readers are known to disagree about the same bytes,
//!   the archive is refused, because such a file shows one thing to an inspector and another to a build.
//! - Memory is bounded by [`Limits::unpacked`] plus the largest entry, and by a few copies of the path for
//!   each header.
//! - Time is bounded by the number of bytes: at most [`Limits::compressed`] go in and [`Limits::unpacked`]
//!   come out, each is looked at a fixed number of times, and a path is looked up in a tree of those before.
//! - A refused entry is never silently left out: it is listed in [`CrateArchive::refused`].
//!
//! # What it does not do
//!
//! No file is interpreted: manifests and source are text for other crates. So "wrong name or version" is
//! decided by the root directory alone, which is all that cargo looks at when it unpacks.

mod archive;
mod builder;
mod directory;
mod input;
mod limits;
mod members;
mod path;
mod read;
mod refusal;

pub use archive::{ArchiveFile, CrateArchive, Expected, RefusedEntry};
pub use builder::{CrateBuilder, gzip};
pub use directory::read_directory;
pub use limits::Limits;
pub use read::{read_crate, read_crate_bytes};
pub use refusal::{ReadError, Refusal};
