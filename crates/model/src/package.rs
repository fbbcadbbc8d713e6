//! Packages: cargo's word for a name, a version and a source in a lockfile.

use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::Checksum;

/// A Cargo Package ID Spec *with source*, for example
/// `registry+https://registry.example.invalid/index#serde@1.0.219`.
///
/// It identifies a package everywhere in documents: two registries may hold the same `name@version`, and
/// one lockfile may name a crate twice. The format is cargo's:
/// <https://doc.rust-lang.org/cargo/reference/pkgid-spec.html>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackageId(String);

impl PackageId {
    /// The id of `name@version` from `source`.
    ///
    /// A package whose source is unknown (a lone `.crate` file) has the id `name@version`.
    #[must_use]
    pub fn new(source: &PackageSource, name: &str, version: &Version) -> PackageId {
        PackageId(match source {
            PackageSource::Unknown => format!("{name}@{version}"),
            _ => format!("{source}#{name}@{version}"),
        })
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a package comes from, as lockfiles write it.
///
/// Printed with cargo's scheme prefix (`registry+`, `sparse+`, `git+`, `path+file://`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String")]
#[serde(from = "String")]
pub enum PackageSource {
    /// A registry, by the URL of its index *with* cargo's `registry+` or `sparse+` prefix.
    Registry(String),
    /// A git repository, by its URL with query and, after `#`, the locked commit; no `git+` prefix.
    Git(String),
    /// A directory on this machine: a workspace member or a path dependency. Absolute, if known.
    Path(String),
    /// Not known: a `.crate` file given by its path.
    Unknown,
}

impl fmt::Display for PackageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PackageSource::Registry(index) => f.write_str(index),
            PackageSource::Git(url) => write!(f, "git+{url}"),
            PackageSource::Path(path) => write!(f, "path+file://{path}"),
            PackageSource::Unknown => f.write_str("unknown"),
        }
    }
}

impl From<PackageSource> for String {
    fn from(source: PackageSource) -> String {
        source.to_string()
    }
}

impl From<String> for PackageSource {
    fn from(text: String) -> PackageSource {
        if let Some(url) = text.strip_prefix("git+") {
            PackageSource::Git(url.to_owned())
        } else if let Some(path) = text.strip_prefix("path+file://") {
            PackageSource::Path(path.to_owned())
        } else if text == "unknown" {
            PackageSource::Unknown
        } else {
            PackageSource::Registry(text)
        }
    }
}

/// Why a package is in a dependency tree.
///
/// A package needed only by a build script is `Build`, one needed only by tests is `Dev`, whatever the
/// kinds of the edges further down the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyKind {
    /// Compiled into what the workspace builds.
    Normal,
    /// Runs while the workspace is built: a build dependency, or a proc macro, or below one.
    Build,
    /// Used by tests, examples and benchmarks of workspace members only.
    Dev,
}

impl fmt::Display for DependencyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DependencyKind::Normal => "normal",
            DependencyKind::Build => "build",
            DependencyKind::Dev => "dev",
        })
    }
}

/// One package of a dependency tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Identity, source included.
    pub id: PackageId,
    /// Name of the crate, as its registry writes it.
    pub name: String,
    /// Version, build metadata included.
    pub version: Version,
    /// SHA-256 that the lockfile pins; `None` for git and path packages and in lockfiles without checksums.
    pub checksum: Option<Checksum>,
    /// Where cargo takes the package from, before any source replacement.
    pub source: PackageSource,
    /// Why the package is in the tree, sorted; empty when that is not known (a bare lockfile does not
    /// say) or when no member needs it with the features in force.
    pub kinds: Vec<DependencyKind>,
    /// Platforms that alone need the package, as `cfg(…)` or target triples, sorted; empty when every
    /// platform needs it or when that is not known.
    pub platforms: Vec<String>,
    /// Features switched on, sorted; `None` when not known (a bare lockfile does not say).
    pub features: Option<Vec<String>>,
}

/// How far a package was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageStatus {
    /// All facts are there.
    Checked,
    /// Some content could not be read; what could be was, and the case says what is missing.
    Partial,
    /// No facts: not found, refused, or analysis failed. The case says why.
    CouldNotCheck,
    /// The user's own code: a workspace member or path dependency. Not inspected.
    Local,
}

impl fmt::Display for PackageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PackageStatus::Checked => "checked",
            PackageStatus::Partial => "partial",
            PackageStatus::CouldNotCheck => "could not check",
            PackageStatus::Local => "local",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_their_source() {
        let version = Version::new(1, 2, 3);
        let registry = PackageSource::Registry("sparse+https://r.example.invalid/".to_owned());
        assert_eq!(
            PackageId::new(&registry, "a", &version).as_str(),
            "sparse+https://r.example.invalid/#a@1.2.3"
        );
        assert_eq!(PackageId::new(&PackageSource::Unknown, "a", &version).as_str(), "a@1.2.3");
    }

    #[test]
    fn sources_round_trip_as_text() {
        for source in [
            PackageSource::Registry("registry+https://r.example.invalid/index".to_owned()),
            PackageSource::Git("https://git.example.invalid/a?branch=b#0123".to_owned()),
            PackageSource::Path("/tmp/a".to_owned()),
            PackageSource::Unknown,
        ] {
            assert_eq!(PackageSource::from(source.to_string()), source);
        }
    }
}
