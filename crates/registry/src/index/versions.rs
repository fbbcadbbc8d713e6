//! All that an index says about each version of a crate: what resolving needs.
//!
//! Apart from [`entry`](super::entry), which reads three fields of a few versions, because all of it costs far more. The format
//! is described in <https://doc.rust-lang.org/cargo/reference/registry-index.html#json-schema>.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cratekeeper_model::Checksum;
use cratekeeper_model::facts::{Dependency, DependencySection};
use jiff::Timestamp;
use semver::Version;
use serde::Deserialize;

/// Newest format of a line that is understood; cargo skips newer ones too.
const NEWEST_FORMAT: u32 = 2;

/// Largest file of a mirror's index that is read; the largest real ones have a few MB.
const INDEX_FILE_BYTES: u64 = 64 << 20;

/// A version in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexVersion {
    /// Name of the crate.
    pub name: String,
    /// Version.
    pub version: Version,
    /// SHA-256 of the archive.
    pub checksum: Checksum,
    /// Dependencies of all kinds, as in a manifest.
    pub dependencies: Vec<Dependency>,
    /// `[features]`, by name.
    pub features: BTreeMap<String, Vec<String>>,
    /// Whether it is withdrawn *now*: an index does not say since when.
    pub yanked: bool,
    /// When it was published; `None` where the index does not say.
    pub published: Option<Timestamp>,
    /// Oldest compiler that the publisher promises.
    pub rust_version: Option<String>,
}

impl IndexVersion {
    /// Versions of an index file, a line of JSON each. Lines that cargo would skip are skipped.
    #[must_use]
    pub fn parse_all(lines: &[u8]) -> Vec<IndexVersion> {
        lines.split(|byte| *byte == b'\n').filter_map(IndexVersion::parse).collect()
    }

    /// Versions of a package by the index of a mirror: in `index/` below the mirror's directory, as `cargo local-registry` and
    /// copies of sparse indexes have it, or in the directory itself. Empty when there is none, or none that can be read.
    #[must_use]
    pub fn of_mirror(directory: &Path, name: &str) -> Vec<IndexVersion> {
        // A name from a manifest may be anything, and must not lead out of the directory.
        if name.is_empty() || !name.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
        {
            return Vec::new();
        }
        let path = crate::layout::index_path(name);
        let places = [directory.join("index").join(&path), directory.join(&path)];
        let readable = |path: &&PathBuf| {
            std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= INDEX_FILE_BYTES)
        };
        let found = places.iter().find(readable).and_then(|path| std::fs::read(path).ok());
        found.map(|lines| IndexVersion::parse_all(&lines)).unwrap_or_default()
    }

    /// One line; `None` if it has no version, or is of a newer format.
    pub(super) fn parse(json: &[u8]) -> Option<IndexVersion> {
        let line: Line = serde_json::from_slice(json).ok()?;
        let mut features = line.features;
        // What older cargos would not understand stands in a field that they do not read.
        features.extend(line.features2.unwrap_or_default());
        (line.v.unwrap_or(1) <= NEWEST_FORMAT).then_some(())?;
        Some(IndexVersion {
            name: line.name,
            version: Version::parse(&line.vers).ok()?,
            checksum: line.cksum.parse().ok()?,
            dependencies: line.deps.into_iter().map(LineDependency::into_dependency).collect(),
            features,
            yanked: line.yanked.unwrap_or(false),
            published: line.pubtime.and_then(|time| time.parse().ok()),
            rust_version: line.rust_version,
        })
    }
}

#[derive(Deserialize)]
struct Line {
    name: String,
    vers: String,
    #[serde(default)]
    deps: Vec<LineDependency>,
    cksum: String,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    features2: Option<BTreeMap<String, Vec<String>>>,
    yanked: Option<bool>,
    pubtime: Option<String>,
    rust_version: Option<String>,
    v: Option<u32>,
}

#[derive(Deserialize)]
struct LineDependency {
    /// Key in the manifest.
    name: String,
    req: String,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    optional: bool,
    #[serde(default = "yes")]
    default_features: bool,
    target: Option<String>,
    kind: Option<String>,
    registry: Option<String>,
    /// Name of the crate, when it is not the key.
    package: Option<String>,
}

fn yes() -> bool {
    true
}

impl LineDependency {
    fn into_dependency(self) -> Dependency {
        Dependency {
            name: self.name,
            package: self.package,
            requirement: Some(self.req),
            section: match self.kind.as_deref() {
                Some("dev") => DependencySection::Dev,
                Some("build") => DependencySection::Build,
                _ => DependencySection::Normal,
            },
            target: self.target,
            optional: self.optional,
            default_features: self.default_features,
            features: self.features,
            registry: self.registry,
            git: None,
            path: None,
            workspace: false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

    use super::*;

    #[test]
    fn a_line_says_what_a_manifest_would() {
        let checksum = Checksum::of(b"a");
        let lines = format!(
            r#"{{"name":"a","vers":"1.0.0","deps":[{{"name":"key","req":"^1","features":["f"],"optional":true,"default_features":false,"target":"cfg(unix)","kind":"build","package":"b"}},{{"name":"c","req":"*","kind":null}}],"cksum":"{checksum}","features":{{"x":[]}},"features2":{{"y":["dep:key"]}},"yanked":true,"pubtime":"2020-01-02T03:04:05Z","v":2}}
{{"name":"a","vers":"no version","deps":[],"cksum":"{checksum}"}}
{{"name":"a","vers":"2.0.0","deps":[],"cksum":"{checksum}","v":3}}
not JSON
{{"name":"a","vers":"1.1.0","deps":[],"cksum":"{checksum}","features":{{}},"pubtime":"yesterday"}}
"#
        );
        let found = IndexVersion::parse_all(lines.as_bytes());
        assert_eq!(found.iter().map(|it| it.version.to_string()).collect::<Vec<_>>(), ["1.0.0", "1.1.0"]);
        let [key, c] = &found[0].dependencies[..] else { panic!("two dependencies") };
        assert_eq!(
            (key.package.as_deref(), key.section, key.optional),
            (Some("b"), DependencySection::Build, true)
        );
        assert_eq!((key.target.as_deref(), key.default_features), (Some("cfg(unix)"), false));
        assert_eq!((c.section, c.default_features, c.optional), (DependencySection::Normal, true, false));
        assert_eq!(found[0].features["y"], ["dep:key"]);
        assert!(found[0].yanked && !found[1].yanked);
        assert_eq!(found[0].published, Some("2020-01-02T03:04:05Z".parse().unwrap()));
        assert_eq!(found[1].published, None);
    }
}
