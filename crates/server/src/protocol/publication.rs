//! The body of a publish request: a length, metadata as JSON, a length, the archive.
//!
//! What the metadata says is only compared with the `Cargo.toml` inside of the archive, never believed: whoever publishes with
//! a program other than cargo could show the index one thing and the compiler another.

use std::collections::BTreeMap;

use cratekeeper_model::facts::{Dependency, DependencySection};
use cratekeeper_model::{DeclaredBy, IndexedManifest};
use serde::Deserialize;

/// Most bytes of metadata. Cargo's own are below 1 MB for the largest READMEs, which are part of them.
const MAX_METADATA: usize = 10 << 20;

/// Most dependencies and features that metadata may claim: those that a manifest may have.
const MAX_DEPENDENCIES: usize = 500;
const MAX_FEATURES: usize = 300;

/// A publish request, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication<'a> {
    /// What the client claims.
    pub metadata: Metadata,
    /// The `.crate` file.
    pub archive: &'a [u8],
}

/// What a client claims about the archive that it sends; fields that nothing is done with are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// Name of the crate.
    pub name: String,
    /// Version.
    pub vers: String,
    /// Dependencies.
    #[serde(default)]
    pub deps: Vec<ClaimedDependency>,
    /// Features.
    #[serde(default)]
    pub features: BTreeMap<String, Vec<String>>,
    /// Native library that it links.
    #[serde(default)]
    pub links: Option<String>,
    /// Oldest compiler.
    #[serde(default)]
    pub rust_version: Option<String>,
}

impl Metadata {
    /// What the client claims about the manifest, in the form that rules compare.
    #[must_use]
    pub fn declared(&self) -> IndexedManifest {
        let dependency = |it: &ClaimedDependency| {
            let renamed = it.explicit_name_in_toml.as_ref().filter(|name| **name != it.name);
            Dependency {
                name: renamed.unwrap_or(&it.name).clone(),
                package: renamed.map(|_| it.name.clone()),
                requirement: Some(it.version_req.clone()),
                section: match it.kind.as_deref() {
                    Some("build") => DependencySection::Build,
                    Some("dev") => DependencySection::Dev,
                    _ => DependencySection::Normal,
                },
                target: it.target.clone(),
                optional: it.optional,
                default_features: it.default_features,
                features: it.features.clone(),
                registry: it.registry.clone(),
                git: None,
                path: None,
                workspace: false,
            }
        };
        IndexedManifest {
            by: DeclaredBy::PublishRequest,
            name: self.name.clone(),
            dependencies: self.deps.iter().map(dependency).collect(),
            features: self.features.clone(),
            links: self.links.clone(),
            rust_version: self.rust_version.clone(),
        }
    }
}

/// A dependency as a client claims it. Other than in an index, `name` is the crate's own name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ClaimedDependency {
    /// Name of the crate.
    pub name: String,
    /// Requirement.
    pub version_req: String,
    /// Features that are asked for.
    #[serde(default)]
    pub features: Vec<String>,
    /// Whether it is optional.
    #[serde(default)]
    pub optional: bool,
    /// Whether its default features are on.
    #[serde(default)]
    pub default_features: bool,
    /// Platform.
    #[serde(default)]
    pub target: Option<String>,
    /// `normal`, `build` or `dev`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Index of the registry that it comes from, unless that is this one.
    #[serde(default)]
    pub registry: Option<String>,
    /// Name in the manifest, where that is another one.
    #[serde(default)]
    pub explicit_name_in_toml: Option<String>,
}

/// The body is no publish request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// It ends before it should.
    #[error("invalid publish request: {what} should have {expected} bytes, and {actual} are there")]
    Short {
        /// Which part.
        what: &'static str,
        /// Its length, as announced.
        expected: u64,
        /// Bytes that are left.
        actual: usize,
    },
    /// There is more than was announced.
    #[error("invalid publish request: {0} bytes follow the archive")]
    Trailing(usize),
    /// More metadata than is read.
    #[error("invalid publish request: its metadata have {0} bytes, more than 10 MiB")]
    MetadataTooLarge(u64),
    /// More than any manifest may have.
    #[error(
        "invalid publish request: its metadata have more than {MAX_DEPENDENCIES} dependencies or {MAX_FEATURES} features"
    )]
    TooMuch,
    /// The metadata cannot be read.
    #[error("invalid publish request: its metadata cannot be read: {0}")]
    Metadata(String),
}

impl<'a> Publication<'a> {
    /// Takes a body apart.
    ///
    /// # Errors
    ///
    /// When lengths do not fit the body, or the metadata are not what cargo sends.
    pub fn parse(body: &'a [u8]) -> Result<Publication<'a>, PublicationError> {
        let (metadata, rest) = part(body, "metadata")?;
        if metadata.len() > MAX_METADATA {
            return Err(PublicationError::MetadataTooLarge(metadata.len() as u64));
        }
        let (archive, rest) = part(rest, "the archive")?;
        if !rest.is_empty() {
            return Err(PublicationError::Trailing(rest.len()));
        }
        let metadata: Metadata =
            serde_json::from_slice(metadata).map_err(|error| PublicationError::Metadata(position(&error)))?;
        if metadata.deps.len() > MAX_DEPENDENCIES || metadata.features.len() > MAX_FEATURES {
            return Err(PublicationError::TooMuch);
        }
        Ok(Publication { metadata, archive })
    }
}

/// A part with its length before it, in little-endian order, and what follows.
fn part<'a>(bytes: &'a [u8], what: &'static str) -> Result<(&'a [u8], &'a [u8]), PublicationError> {
    let short = |expected: u64, actual: usize| PublicationError::Short { what, expected, actual };
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| short(4, bytes.len()))?;
    let length = u32::from_le_bytes(*length) as usize;
    rest.split_at_checked(length).ok_or_else(|| short(length as u64, rest.len()))
}

/// Where JSON is broken and how, without its content.
fn position(error: &serde_json::Error) -> String {
    format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(metadata: &str, archive: &[u8]) -> Vec<u8> {
        let mut body = u32::try_from(metadata.len()).unwrap().to_le_bytes().to_vec();
        body.extend(metadata.as_bytes());
        body.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
        body.extend(archive);
        body
    }

    #[test]
    fn what_cargo_sends_is_read() {
        let metadata = r#"{"name":"demo","vers":"1.0.0","deps":[{"optional":false,"default_features":true,"name":"serde",
            "features":["derive"],"version_req":"^1","target":null,"kind":"normal"}],"features":{},"authors":[],"description":"d",
            "documentation":null,"readme":null,"readme_file":null,"keywords":[],"categories":[],"license":"MIT","license_file":null,
            "repository":null,"badges":{},"links":null,"rust_version":null}"#;
        let body = body(metadata, b"bytes");
        let publication = Publication::parse(&body).unwrap();
        assert_eq!((publication.metadata.name.as_str(), publication.archive), ("demo", &b"bytes"[..]));
        assert_eq!(publication.metadata.deps[0].version_req, "^1");
    }

    #[test]
    fn lengths_that_lie_are_told() {
        let good = body(r#"{"name":"a","vers":"1.0.0"}"#, b"bytes");
        for length in 0..good.len() {
            assert!(Publication::parse(&good[..length]).is_err(), "{length}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(Publication::parse(&longer), Err(PublicationError::Trailing(1)));
        let mut huge = good;
        huge[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Publication::parse(&huge).unwrap_err().to_string().contains("4294967295"));
    }

    #[test]
    fn broken_metadata_are_told_without_being_repeated() {
        let error = Publication::parse(&body(r#"{"name":["secret"]}"#, b"")).unwrap_err().to_string();
        assert!(error.contains("line 1") && !error.contains("secret"), "{error}");
    }

    proptest! {
        #[test]
        fn any_body_is_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Publication::parse(&bytes);
        }
    }
}
