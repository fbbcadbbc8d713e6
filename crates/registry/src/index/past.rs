//! What an index remembers of a crate: versions with time, withdrawal, and names of dependencies.
//!
//! Apart from [`versions`](super::versions): this is read for every package of a check, so features and requirements, most of
//! a line, are skipped.

use std::borrow::Cow;

use jiff::Timestamp;
use semver::Version;
use serde::Deserialize;

/// A version, as an index remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastVersion {
    /// Version.
    pub version: Version,
    /// Seconds since 1970; `None` where the index does not say.
    pub published: Option<i64>,
    /// Whether it is withdrawn *now*: an index does not say since when.
    pub yanked: bool,
    /// Names of the crates that it depends on to be used or built, sorted; development is left out.
    pub dependencies: Vec<String>,
}

/// Unknown fields are skipped.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default, borrow)]
    pubtime: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    deps: Vec<Dependency<'a>>,
}

#[derive(Deserialize)]
struct Dependency<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default, borrow)]
    package: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    kind: Option<Cow<'a, str>>,
}

impl PastVersion {
    /// One line; `None` if it has no version.
    pub(super) fn parse(json: &[u8]) -> Option<PastVersion> {
        let line: Line<'_> = serde_json::from_slice(json).ok()?;
        let used = line.deps.iter().filter(|it| it.kind.as_deref() != Some("dev"));
        let mut dependencies: Vec<String> =
            used.map(|it| it.package.as_deref().unwrap_or(&it.name).to_owned()).collect();
        dependencies.sort_unstable();
        dependencies.dedup();
        Some(PastVersion {
            version: Version::parse(&line.vers).ok()?,
            published: line.pubtime.and_then(|it| it.parse().ok()).map(|it: Timestamp| it.as_second()),
            yanked: line.yanked == Some(true),
            dependencies,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

    use super::*;

    #[test]
    fn a_line_gives_its_past() {
        let line = br#"{"name":"a","vers":"1.0.0","deps":[{"name":"z","req":"*","package":"real"},{"name":"d","req":"*","kind":"dev"},{"name":"b","req":"*","kind":"build"}],"cksum":"","features":{"a":[]},"yanked":true,"pubtime":"2020-01-02T03:04:05Z"}"#;
        let past = PastVersion::parse(line).unwrap();
        assert_eq!(past.dependencies, ["b", "real"]);
        assert_eq!((past.yanked, past.published), (true, Some(1_577_934_245)));
        let bare = PastVersion::parse(br#"{"vers":"1.0.0","pubtime":"soon"}"#).unwrap();
        assert_eq!((bare.yanked, bare.published), (false, None));
        assert_eq!(PastVersion::parse(br#"{"vers":"one"}"#), None);
        assert_eq!(PastVersion::parse(b"\xff"), None);
    }
}
