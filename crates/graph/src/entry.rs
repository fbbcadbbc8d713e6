//! What a store knows of a version besides its functions: what a survey of an ecosystem counts.

use cratekeeper_model::{Checksum, PackageId};
use semver::Version;
use serde::{Deserialize, Serialize};

/// A version in a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionEntry {
    /// Identity, source included.
    pub id: PackageId,
    /// Name as the registry writes it.
    pub name: String,
    /// Version.
    pub version: Version,
    /// SHA-256 of the archive that was read; `None` for directories.
    #[serde(default)]
    pub checksum: Option<Checksum>,
    /// When it was published, in seconds since 1970; `None` when the index does not say.
    #[serde(default)]
    pub published: Option<i64>,
    /// Withdrawn from the index.
    #[serde(default)]
    pub yanked: bool,
    /// Has a build script.
    #[serde(default)]
    pub build_script: bool,
    /// Is a procedural macro.
    #[serde(default)]
    pub proc_macro: bool,
    /// `package.links` in the manifest: the native library that it speaks for.
    #[serde(default)]
    pub links: Option<String>,
    /// Native libraries that are linked or built.
    #[serde(default)]
    pub native_libraries: Vec<NativeLibrary>,
    /// Unsafe items by class, tests left out.
    #[serde(default)]
    pub unsafe_items: UnsafeItems,
    /// How far it was read.
    #[serde(default)]
    pub reading: Reading,
    /// Features that it was read with, joined by `,`.
    #[serde(default)]
    pub features: String,
    /// Triple of the platform that it was read for.
    #[serde(default)]
    pub platform: String,
}

impl VersionEntry {
    /// An entry of which only the identity is known.
    #[must_use]
    pub fn new(id: PackageId, name: String, version: Version) -> VersionEntry {
        VersionEntry {
            id,
            name,
            version,
            checksum: None,
            published: None,
            yanked: false,
            build_script: false,
            proc_macro: false,
            links: None,
            native_libraries: Vec::new(),
            unsafe_items: UnsafeItems::default(),
            reading: Reading::Complete,
            features: String::new(),
            platform: String::new(),
        }
    }
}

/// A library in another language.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NativeLibrary {
    /// Name, without `lib`.
    pub name: String,
    /// Version, where the source tells.
    pub version: Option<String>,
    /// Its sources are in the package and compiled with it.
    pub bundled: bool,
}

/// Unsafe items of a version, by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsafeItems {
    /// `unsafe fn`.
    pub functions: u32,
    /// `unsafe { … }`.
    pub blocks: u32,
    /// `unsafe impl`.
    pub implementations: u32,
    /// `unsafe trait`.
    pub traits: u32,
    /// Functions in `extern` blocks.
    pub foreign_functions: u32,
}

impl UnsafeItems {
    /// All classes but foreign functions, which are unsafe to call and not themselves unsafe code.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.functions, self.blocks, self.implementations, self.traits].into_iter().map(u64::from).sum()
    }
}

/// How far a version was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// All of it.
    #[default]
    Complete,
    /// Some of it; the call graph's `problems` say what is missing.
    Partial,
    /// Nothing: the archive was refused, for this reason.
    Refused(String),
}

impl Reading {
    /// Name in documents; of a refusal, without its reason.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Reading::Complete => "complete",
            Reading::Partial => "partial",
            Reading::Refused(_) => "refused",
        }
    }
}
