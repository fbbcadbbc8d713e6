//! What was asked for, and what was read.

use cratekeeper_model::Checksum;

use crate::Refusal;

/// What a `.crate` file has to be; everything that is `None` is not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Name of the crate: the root directory has to be `name-version`.
    pub name: Option<String>,
    /// Version, as the registry writes it, build metadata included.
    pub version: Option<String>,
    /// SHA-256 of the whole file.
    pub checksum: Option<Checksum>,
}

impl Expected {
    /// Takes any crate: its root is that of the first entry.
    #[must_use]
    pub fn anything() -> Expected {
        Expected::default()
    }

    /// Takes this version of this crate.
    #[must_use]
    pub fn package(name: impl Into<String>, version: impl Into<String>) -> Expected {
        Expected { name: Some(name.into()), version: Some(version.into()), checksum: None }
    }

    /// Takes only a file with this SHA-256.
    #[must_use]
    pub fn with_checksum(self, checksum: Checksum) -> Expected {
        Expected { checksum: Some(checksum), ..self }
    }

    pub(crate) fn accepts_root(&self, root: &str) -> bool {
        match (&self.name, &self.version) {
            (Some(name), Some(version)) => root == format!("{name}-{version}"),
            (Some(name), None) => root
                .strip_prefix(name.as_str())
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit())),
            (None, Some(version)) => root
                .strip_suffix(version.as_str())
                .and_then(|rest| rest.strip_suffix('-'))
                .is_some_and(|name| !name.is_empty()),
            (None, None) => true,
        }
    }

    /// The root directory in words, for [`Refusal::WrongNameOrVersion`].
    pub(crate) fn root(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        format!("{}-{}", part(&self.name), part(&self.version))
    }
}

/// A package as it was packed: in memory, and refused entries named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateArchive {
    /// The root directory, which is `name-version` in a crate that cargo packed. For a directory on disk,
    /// its own name.
    pub name_version_root: String,
    /// Every file that was read, sorted by path.
    pub files: Vec<ArchiveFile>,
    /// Every entry that was not read, in the order of the archive.
    pub refused: Vec<RefusedEntry>,
    /// SHA-256 of all bytes of the `.crate` file. For a directory, see
    /// [`read_directory`](crate::read_directory).
    pub checksum: Checksum,
    /// Size of the `.crate` file in bytes; 0 for a directory.
    pub compressed_size: u64,
    /// Size of the tar stream in bytes, headers and padding included. For a directory, the sum of its files.
    pub unpacked_size: u64,
}

impl CrateArchive {
    /// The file with exactly this path, such as `src/lib.rs`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&ArchiveFile> {
        let index = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(index)
    }
}

/// One regular file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Path inside the package: without the root, separated by `/`, never `..`, never absolute.
    pub path: String,
    /// The bytes.
    pub contents: Vec<u8>,
    /// Unix permission bits (the lower twelve). 0 on platforms that have none.
    pub mode: u32,
}

impl ArchiveFile {
    /// Whether anyone may execute the file.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

/// An entry that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntry {
    /// The path as the archive writes it, root included; bytes that cannot be shown are escaped, and a long
    /// path is cut. For a directory on disk, the path inside it.
    pub path: String,
    /// Why.
    pub refusal: Refusal,
}
