//! From a crate's versions in an index to what is known about one of them.
//!
//! Of one version all is parsed, and of a few others three fields: some crates have a thousand versions with fifty
//! dependencies each, and a lockfile has hundreds of crates.

use std::borrow::Cow;
use std::time::Duration;

use cratekeeper_model::{Checksum, IndexEntry, IndexedManifest, Package};
use semver::{BuildMetadata, Version, VersionReq};
use serde::Deserialize;

use super::{IndexError, IndexVersion, PastVersion};

/// One version in an index. Unknown fields are skipped.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(borrow)]
    cksum: Cow<'a, str>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default, borrow)]
    links: Option<Cow<'a, str>>,
}

/// A crate's versions: each as JSON, in cargo's cache with the version before it.
pub(super) enum Versions<'a> {
    Lines(&'a [u8]),
    Cached(&'a [u8]),
}

/// Why a version could not be summarized.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoVersion,
    Malformed(String),
}

impl Problem {
    pub(super) fn of(self, package: &Package, place: String) -> IndexError {
        match self {
            Problem::NoVersion => IndexError::NoVersion {
                name: package.name.clone(),
                version: package.version.to_string(),
                place,
            },
            Problem::Malformed(message) => IndexError::Malformed { place, message },
        }
    }
}

impl<'a> Versions<'a> {
    /// Of an index file: JSON, line by line.
    pub(super) fn lines(bytes: &'a [u8]) -> Versions<'a> {
        Versions::Lines(bytes)
    }

    /// Of cargo's cache: version and JSON, with zero bytes between.
    pub(super) fn cached(bytes: &'a [u8]) -> Versions<'a> {
        Versions::Cached(bytes)
    }

    /// Everything about each. Lines that cargo would skip are left out.
    pub(super) fn all(&self) -> Vec<IndexVersion> {
        self.each().filter_map(|(_, json)| IndexVersion::parse(json)).collect()
    }

    /// What is remembered of each.
    pub(super) fn past(&self) -> Vec<PastVersion> {
        let parse = |json: &'a [u8]| PastVersion::parse(json);
        match self {
            // The version is in the JSON too: it is not parsed twice.
            Versions::Lines(bytes) => bytes.split(|byte| *byte == b'\n').filter_map(parse).collect(),
            Versions::Cached(bytes) => {
                bytes.split(|byte| *byte == 0).skip(1).step_by(2).filter_map(parse).collect()
            }
        }
    }

    /// Version and JSON of each. Versions that are none are left out; cargo ignores them too.
    fn each(&self) -> Box<dyn Iterator<Item = (Version, &'a [u8])> + 'a> {
        match self {
            Versions::Lines(bytes) => Box::new(bytes.split(|byte| *byte == b'\n').filter_map(|json| {
                let line: Line<'_> = serde_json::from_slice(json).ok()?;
                Some((Version::parse(&line.vers).ok()?, json))
            })),
            Versions::Cached(bytes) => {
                let mut parts = bytes.split(|byte| *byte == 0);
                let pairs = std::iter::from_fn(move || Some((parts.next()?, parts.next()?)));
                Box::new(pairs.filter_map(|(version, json)| {
                    Some((Version::parse(std::str::from_utf8(version).ok()?).ok()?, json))
                }))
            }
        }
    }
}

/// What `versions` say about `wanted`.
pub(super) fn summarize(
    versions: &Versions<'_>,
    wanted: &Version,
    age: Duration,
) -> Result<IndexEntry, Problem> {
    let requirement = caret(wanted);
    let mut own: Option<(Version, &[u8])> = None;
    let mut newest: Option<Version> = None;
    for (version, json) in versions.each() {
        // An index holds a version only once, whatever its build metadata; the exact one is preferred.
        if version == *wanted || (own.is_none() && same_but_build(&version, wanted)) {
            own = Some((version.clone(), json));
        }
        let is_better = newest.as_ref().is_none_or(|newest| version > *newest);
        if is_better && requirement.matches(&version) && is_available(json) {
            newest = Some(version);
        }
    }
    let (_, json) = own.ok_or(Problem::NoVersion)?;
    let line: Line<'_> =
        serde_json::from_slice(json).map_err(|error| Problem::Malformed(error.to_string()))?;
    let checksum: Checksum = line.cksum.parse().map_err(|error| Problem::Malformed(format!("{error}")))?;
    Ok(IndexEntry {
        yanked: line.yanked == Some(true),
        checksum,
        newest_compatible: newest,
        age: age.as_secs(),
        declared: IndexVersion::parse(json).map(|it| Box::new(declared(it, line.links.as_deref()))),
    })
}

/// What a line of an index repeats of a manifest; `None` if it cannot be read.
#[must_use]
pub fn declared_manifest(line: &str) -> Option<Box<IndexedManifest>> {
    let links = serde_json::from_str::<Line<'_>>(line).ok()?.links;
    Some(Box::new(declared(IndexVersion::parse(line.as_bytes())?, links.as_deref())))
}

fn declared(line: IndexVersion, links: Option<&str>) -> IndexedManifest {
    IndexedManifest {
        by: cratekeeper_model::DeclaredBy::Index,
        name: line.name,
        dependencies: line.dependencies,
        features: line.features,
        links: links.map(str::to_owned),
        rust_version: line.rust_version,
    }
}

fn is_available(json: &[u8]) -> bool {
    serde_json::from_slice::<Line<'_>>(json).is_ok_and(|line| line.yanked != Some(true))
}

fn same_but_build(one: &Version, other: &Version) -> bool {
    let bare = |version: &Version| Version { build: BuildMetadata::EMPTY, ..version.clone() };
    bare(one) == bare(other)
}

/// The requirement that `wanted` written into a manifest stands for.
fn caret(wanted: &Version) -> VersionReq {
    let comparator = semver::Comparator {
        op: semver::Op::Caret,
        major: wanted.major,
        minor: Some(wanted.minor),
        patch: Some(wanted.patch),
        pre: wanted.pre.clone(),
    };
    VersionReq { comparators: vec![comparator] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[(&str, bool)], wanted: &str) -> Result<(bool, Option<String>), Problem> {
        let json = |(version, yanked): &(&str, bool)| {
            let checksum = Checksum::of(version.as_bytes());
            format!(
                r#"{{"name":"a","vers":"{version}","deps":[],"cksum":"{checksum}","features":{{}},"yanked":{yanked}}}"#
            )
        };
        let wanted = Version::parse(wanted).unwrap();
        let text: Vec<String> = lines.iter().map(json).collect();
        let plain = text.join("\n");
        let cached: String =
            lines.iter().zip(&text).map(|((version, _), json)| format!("{version}\0{json}\0")).collect();
        let from_lines = summarize(&Versions::lines(plain.as_bytes()), &wanted, Duration::from_secs(7));
        let from_cache = summarize(&Versions::cached(cached.as_bytes()), &wanted, Duration::from_secs(7));
        assert_eq!(from_lines, from_cache);
        from_lines.map(|entry| {
            assert_eq!(entry.age, 7);
            (entry.yanked, entry.newest_compatible.map(|version| version.to_string()))
        })
    }

    fn newest(version: &str) -> Option<String> {
        Some(version.to_owned())
    }

    #[test]
    fn the_newest_compatible_version_is_not_yanked_and_no_pre_release() {
        let lines = [
            ("0.9.0", false),
            ("1.0.0", false),
            ("1.10.0", false),
            ("1.9.0", false),
            ("1.11.0", true),
            ("1.12.0-rc.1", false),
            ("2.0.0", false),
        ];
        assert_eq!(check(&lines, "1.0.0"), Ok((false, newest("1.10.0"))));
        assert_eq!(check(&lines, "1.11.0"), Ok((true, None)));
        assert_eq!(check(&lines, "1.12.0-rc.1"), Ok((false, newest("1.12.0-rc.1"))));
        assert_eq!(check(&lines, "0.9.0"), Ok((false, newest("0.9.0"))));
    }

    #[test]
    fn build_metadata_is_ignored_unless_it_decides() {
        let lines = [("1.0.0+a", true), ("1.0.1", false)];
        assert_eq!(check(&lines, "1.0.0"), Ok((true, newest("1.0.1"))));
        assert_eq!(check(&lines, "1.0.0+a"), Ok((true, newest("1.0.1"))));
    }

    #[test]
    fn a_version_that_is_not_there_is_a_problem() {
        assert_eq!(check(&[("1.0.0", false)], "1.0.1"), Err(Problem::NoVersion));
        let broken = br#"{"vers":"1.0.0","cksum":"12"}"#;
        let wanted = Version::new(1, 0, 0);
        let problem = summarize(&Versions::lines(broken), &wanted, Duration::ZERO).unwrap_err();
        assert!(matches!(problem, Problem::Malformed(_)));
    }
}
