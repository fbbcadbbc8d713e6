//! Why an entry or an archive was not read.
//!
//! One enum serves both grades: the same attack (a manifest in the wrong case) costs an entry or the whole
//! archive, depending on what lies beside it. Paths in refusals are made printable and short by
//! [`shown`](crate::path::shown) before they get here, because they end up in terminals and reports.

use std::io;

use cratekeeper_model::Checksum;

/// Why an entry or an archive was not read.
///
/// Every variant has a stable [`code`](Refusal::code). Variants up to
/// [`OtherRoot`](Refusal::OtherRoot) cost one entry, which is then listed in
/// [`CrateArchive::refused`](crate::CrateArchive::refused); the others cost the archive. A
/// [`WrongCaseManifest`](Refusal::WrongCaseManifest) costs the archive only when there is no right one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// `..` would leave the directory that the package is unpacked to.
    #[error("entry `{path}` climbs to a parent directory")]
    ParentDirectory {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// An absolute path ignores the directory that the package is unpacked to.
    #[error("entry `{path}` has an absolute path")]
    AbsolutePath {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// `.`, an empty component, or a file name that ends in `/`: one file with many spellings.
    #[error("entry `{path}` has `.`, `//` or a stray `/` in its path")]
    NotNormalizedPath {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// Control characters, bidirectional controls and characters that mean something else on another
    /// platform (`\` and `:` on Windows). Cargo refuses to package them.
    #[error("entry `{path}` has the character U+{:04X} in its path", *character as u32)]
    ForbiddenCharacter {
        /// Path of the entry, escaped and cut.
        path: String,
        /// The character.
        character: char,
    },
    /// The path is not UTF-8, so it cannot be shown, compared or named in a manifest.
    #[error("entry `{path}` has a path that is not UTF-8")]
    NonUtf8Path {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// Longer than [`Limits::path`](crate::Limits::path).
    #[error("entry `{path}` has a path of {length} bytes, the limit is {limit}")]
    PathTooLong {
        /// Path of the entry, escaped and cut.
        path: String,
        /// Its length in bytes.
        length: u64,
        /// The limit that it passes.
        limit: u64,
    },
    /// Links lead later writes out of the package, or copy files of the building machine into it.
    #[error("entry `{path}` is a symbolic link")]
    Symlink {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// See [`Symlink`](Refusal::Symlink).
    #[error("entry `{path}` is a hard link")]
    Hardlink {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// Character device, block device, named pipe or socket.
    #[error("entry `{path}` is a device or pipe")]
    Device {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// A type of entry that cargo unpacks as a file and that others leave out.
    #[error("entry `{path}` is of the unknown type `{}`", entry_type.escape_ascii())]
    UnknownEntryType {
        /// Path of the entry, escaped and cut.
        path: String,
        /// The header's type byte.
        entry_type: u8,
    },
    /// The same path twice: the first is read, the last is what unpacking leaves.
    #[error("entry `{path}` comes twice")]
    DuplicatePath {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// The path differs from another only in case, or is a file where the other needs a directory. Which of
    /// the two survives unpacking depends on the file system.
    #[error("entry `{path}` takes the place of `{other}` on some file systems")]
    CaseCollidingPath {
        /// Path of the entry, escaped and cut.
        path: String,
        /// The entry that it collides with.
        other: String,
    },
    /// A root manifest that is only found where case does not matter.
    #[error("entry `{path}` is a manifest only where case does not matter")]
    WrongCaseManifest {
        /// Path of the entry, escaped and cut.
        path: String,
    },
    /// Outside the package's root directory. Cargo refuses to unpack such a crate.
    #[error("entry `{path}` lies outside the root directory `{root}`")]
    OtherRoot {
        /// Path of the entry, escaped and cut.
        path: String,
        /// The root directory.
        root: String,
    },

    /// No gzip header at the beginning.
    #[error("the file is not gzip")]
    NotGzip,
    /// The compressed stream contradicts itself or its checksum.
    #[error("the gzip stream is corrupt: {reason}")]
    CorruptGzip {
        /// What is wrong.
        reason: String,
    },
    /// The file ends in the middle of the compressed stream, or that stream in the middle of an entry.
    #[error("the archive is cut off after {at} unpacked bytes")]
    Truncated {
        /// Offset in the tar stream, in bytes.
        at: u64,
    },
    /// The decompressed bytes do not begin with a tar header.
    #[error("the decompressed bytes are not a tar archive")]
    NotTar,
    /// A header that cannot be read.
    #[error("the tar header at byte {at} is corrupt: {reason}")]
    CorruptTar {
        /// Offset in the tar stream, in bytes.
        at: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// Readers disagree about what follows: those that believe one header see other entries than those
    /// that believe the other. CVE-2026-33055 of the `tar` crate was one case.
    #[error("the tar header at byte {at} is read in two ways: {reason}")]
    AmbiguousTar {
        /// Offset in the tar stream, in bytes.
        at: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The case of [`AmbiguousTar`](Refusal::AmbiguousTar) that has been used: a pax record and the header
    /// give different sizes, and hide entries in each other's contents.
    #[error("the entry at byte {at} has the size {header} in its header and {pax} in its pax record")]
    PaxSizeMismatch {
        /// Offset in the tar stream, in bytes.
        at: u64,
        /// Size in the header, in bytes.
        header: u64,
        /// Size in the pax record, in bytes.
        pax: u64,
    },
    /// Sparse files expand without limit and are supported differently everywhere. Cargo never packs them.
    #[error("the entry at byte {at} is a sparse file")]
    Sparse {
        /// Offset in the tar stream, in bytes.
        at: u64,
    },
    /// A second gzip member: some readers decompress it, cargo does not.
    #[error("a second gzip member follows the first")]
    TrailingGzipMember,
    /// Bytes after the end of the tar or gzip stream, which only some readers see.
    #[error("data follows the end of the {stream} stream")]
    TrailingData {
        /// Which of the two streams ends.
        stream: &'static str,
    },
    /// No `Cargo.toml` in the root directory.
    #[error("there is no `Cargo.toml`")]
    NoManifest,
    /// The root directory has two `Cargo.toml`: an inspector may read one and cargo the other.
    #[error("there is more than one `Cargo.toml`")]
    SeveralManifests,
    /// The root directory is not that of the expected name and version.
    #[error("the root directory is `{found}`, expected `{expected}`")]
    WrongNameOrVersion {
        /// What was asked for.
        expected: String,
        /// What is there instead.
        found: String,
    },
    /// Not the bytes that were promised.
    #[error("the checksum is {actual}, expected {expected}")]
    ChecksumMismatch {
        /// What was asked for.
        expected: Checksum,
        /// What was read.
        actual: Checksum,
    },
    /// See [`Limits::compressed`](crate::Limits::compressed).
    #[error("the file is larger than {limit} bytes")]
    TooLargeCompressed {
        /// The limit that it passes.
        limit: u64,
    },
    /// See [`Limits::unpacked`](crate::Limits::unpacked).
    #[error("the package unpacks to more than {limit} bytes")]
    TooLargeUnpacked {
        /// The limit that it passes.
        limit: u64,
    },
    /// See [`Limits::entry`](crate::Limits::entry).
    #[error("entry `{path}` unpacks to more than {limit} bytes")]
    TooLargeEntry {
        /// Path of the entry, escaped and cut.
        path: String,
        /// The limit that it passes.
        limit: u64,
    },
    /// See [`Limits::extension`](crate::Limits::extension).
    #[error("the extension header at byte {at} has {size} bytes, the limit is {limit}")]
    TooLargeExtension {
        /// Offset in the tar stream, in bytes.
        at: u64,
        /// Its size in bytes.
        size: u64,
        /// The limit that it passes.
        limit: u64,
    },
    /// See [`Limits::entries`](crate::Limits::entries).
    #[error("there are more than {limit} entries")]
    TooManyEntries {
        /// The limit that it passes.
        limit: u64,
    },
    /// See [`Limits::ratio`](crate::Limits::ratio).
    #[error("the file unpacks to more than {limit} times its size")]
    ExpansionRatio {
        /// The limit that it passes.
        limit: u64,
    },
}

impl Refusal {
    /// Stable name in documents, rules and stored facts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::ParentDirectory { .. } => "parent-directory",
            Refusal::AbsolutePath { .. } => "absolute-path",
            Refusal::NotNormalizedPath { .. } => "not-normalized-path",
            Refusal::ForbiddenCharacter { .. } => "forbidden-character",
            Refusal::NonUtf8Path { .. } => "non-utf8-path",
            Refusal::PathTooLong { .. } => "path-too-long",
            Refusal::Symlink { .. } => "symlink",
            Refusal::Hardlink { .. } => "hardlink",
            Refusal::Device { .. } => "device",
            Refusal::UnknownEntryType { .. } => "unknown-entry-type",
            Refusal::DuplicatePath { .. } => "duplicate-path",
            Refusal::CaseCollidingPath { .. } => "case-colliding-path",
            Refusal::WrongCaseManifest { .. } => "wrong-case-manifest",
            Refusal::OtherRoot { .. } => "other-root",
            Refusal::NotGzip => "not-gzip",
            Refusal::CorruptGzip { .. } => "corrupt-gzip",
            Refusal::Truncated { .. } => "truncated",
            Refusal::NotTar => "not-tar",
            Refusal::CorruptTar { .. } => "corrupt-tar",
            Refusal::AmbiguousTar { .. } => "ambiguous-tar",
            Refusal::PaxSizeMismatch { .. } => "pax-size-mismatch",
            Refusal::Sparse { .. } => "sparse",
            Refusal::TrailingGzipMember => "trailing-gzip-member",
            Refusal::TrailingData { .. } => "trailing-data",
            Refusal::NoManifest => "no-manifest",
            Refusal::SeveralManifests => "several-manifests",
            Refusal::WrongNameOrVersion { .. } => "wrong-name-or-version",
            Refusal::ChecksumMismatch { .. } => "checksum-mismatch",
            Refusal::TooLargeCompressed { .. } => "too-large-compressed",
            Refusal::TooLargeUnpacked { .. } => "too-large-unpacked",
            Refusal::TooLargeEntry { .. } => "too-large-entry",
            Refusal::TooLargeExtension { .. } => "too-large-extension",
            Refusal::TooManyEntries { .. } => "too-many-entries",
            Refusal::ExpansionRatio { .. } => "expansion-ratio",
        }
    }
}

/// Why there is no [`CrateArchive`](crate::CrateArchive).
///
/// The two are kept apart because they are reported differently: a refusal is the content's fault and a
/// finding against the crate, an I/O error says nothing about it and means "could not check".
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The reader or the file system failed.
    #[error("failed to read the package")]
    Io(#[from] io::Error),
    /// The content was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl ReadError {
    /// The refusal, if the content is at fault.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            ReadError::Io(_) => None,
            ReadError::Refused(refusal) => Some(refusal),
        }
    }
}
