//! One advisory file, read.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use cratekeeper_model::{Advisory, AffectedFunction};
use rustsec::SourceId;
use rustsec::osv::{OsvRange, ranges_for_advisory};
use semver::{Version, VersionReq};

use crate::Origin;
use crate::class::{classify, severity};

/// The two halves of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// Crates in registries: `crates/`.
    Crates,
    /// What comes with the toolchain (`std`, `cargo`, `rustdoc`): `rust/`. Their versions are those of Rust.
    Rust,
}

impl Collection {
    /// Name of its directory in the database.
    #[must_use]
    pub fn directory(self) -> &'static str {
        match self {
            Collection::Crates => "crates",
            Collection::Rust => "rust",
        }
    }
}

/// One advisory of the database, about all versions of one crate.
#[derive(Debug, Clone)]
pub struct Record {
    /// Path of the file, relative to the database.
    pub file: PathBuf,
    /// Which half of the database it is in.
    pub collection: Collection,
    /// Name of the crate that it is about.
    pub package: String,
    /// What rules get to see.
    pub advisory: Advisory,
    /// Requirements of versions that never had the problem.
    pub unaffected: Vec<String>,
    /// Day on which it was taken back, `YYYY-MM-DD`; such an advisory affects nothing.
    pub withdrawn: Option<String>,
    /// Where the crate comes from, if not from the default registry.
    source: Option<SourceId>,
    /// Affected versions. Computed once, and where a panic can be caught.
    ranges: Vec<OsvRange>,
}

impl Record {
    /// Whether the advisory stands, and is about `version` of its package from `origin`.
    ///
    /// A version is affected when it is neither patched nor unaffected, in the order of semver precedence:
    /// `1.2.0-rc.1` comes before `1.2.0` and is affected when only `>= 1.2.0` is patched. (Requirements as
    /// cargo resolves them would never match a pre-release, and so call all of them affected.)
    #[must_use]
    pub fn affects(&self, version: &Version, origin: Origin<'_>) -> bool {
        self.withdrawn.is_none()
            && origin.matches(self.source.as_ref())
            && self.ranges.iter().any(|range| range.affects(version))
    }

    /// Reads `text`, the content of `file`.
    ///
    /// Returns `None` for a draft: it has a placeholder for an id, and RustSec's own tools leave it out too.
    ///
    /// The parser is not written for hostile text: it cuts at byte 20 even if that is inside a character,
    /// and its check for overlapping ranges lets `> 1.0.0` beside `= 1.0.0` run into an assertion. One such
    /// file must not end a check of 300 packages, so that panics count as a file that does not parse. (The
    /// panic hook still prints its line; silencing it would silence the rest of the process as well.)
    pub(crate) fn parse(collection: Collection, file: &Path, text: &str) -> Result<Option<Record>, String> {
        let parsed = catch_unwind(|| {
            let advisory: rustsec::Advisory =
                text.parse().map_err(|error: rustsec::Error| error.to_string())?;
            let ranges = ranges_for_advisory(&advisory.versions);
            Ok::<_, String>((advisory, ranges))
        });
        let (advisory, ranges) = parsed.map_err(|_| "the parser gave up on it".to_owned())??;
        if advisory.metadata.id.is_placeholder() {
            return Ok(None);
        }
        check_place(&advisory, file)?;
        Ok(Some(Record::new(collection, file, advisory, ranges)))
    }

    fn new(
        collection: Collection,
        file: &Path,
        advisory: rustsec::Advisory,
        ranges: Vec<OsvRange>,
    ) -> Record {
        Record {
            file: file.to_owned(),
            collection,
            package: advisory.metadata.package.to_string(),
            advisory: convert(&advisory),
            unaffected: texts(advisory.versions.unaffected()),
            withdrawn: advisory.metadata.withdrawn.as_ref().map(|date| date.as_str().to_owned()),
            source: advisory.metadata.source,
            ranges,
        }
    }
}

/// Refuses an advisory that is filed under a name that is not its own.
///
/// Its fields are the truth, yet lookups go by directory. RustSec's tools refuse such a file too.
fn check_place(advisory: &rustsec::Advisory, file: &Path) -> Result<(), String> {
    let metadata = &advisory.metadata;
    let directory = file.parent().and_then(Path::file_name);
    if directory != Some(metadata.package.as_str().as_ref()) {
        return Err(format!(
            "it is about package `{}`, not about the one of its directory",
            metadata.package
        ));
    }
    if file.file_stem() != Some(metadata.id.as_str().as_ref()) {
        return Err(format!("its id is `{}`, not its file name", metadata.id));
    }
    Ok(())
}

fn convert(advisory: &rustsec::Advisory) -> Advisory {
    let metadata = &advisory.metadata;
    let affected = advisory.affected.clone().unwrap_or_default();
    Advisory {
        id: metadata.id.to_string(),
        aliases: metadata.aliases.iter().map(ToString::to_string).collect(),
        date: metadata.date.as_str().to_owned(),
        title: metadata.title.clone(),
        class: classify(metadata),
        severity: severity(metadata),
        cvss: metadata.cvss.as_ref().map(ToString::to_string),
        // The announcement if there is one, else RustSec's page about the advisory.
        url: metadata.url.as_ref().map(ToString::to_string).or_else(|| metadata.id.url()),
        patched: texts(advisory.versions.patched()),
        functions: affected
            .functions
            .iter()
            .map(|(path, versions)| AffectedFunction { path: path.to_string(), versions: texts(versions) })
            .collect(),
        os: affected.os.iter().map(ToString::to_string).collect(),
        arch: affected.arch.iter().map(ToString::to_string).collect(),
    }
}

fn texts(requirements: &[VersionReq]) -> Vec<String> {
    requirements.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Record>, String> {
        Record::parse(Collection::Crates, "crates/mill-wheel/RUSTSEC-2026-9001.md".as_ref(), text)
    }

    fn with_versions(versions: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-9001\"\npackage = \"mill-wheel\"\ndate = \"2026-01-02\"\n\
             [versions]\n{versions}\n```\n\n# The wheel turns backwards\n\nText.\n"
        )
    }

    #[test]
    fn text_that_panics_the_parser_is_refused() {
        assert!(parse("````````````````````é and more").is_err());
        assert!(parse("0123456789012345678é and more").is_err());
        assert!(parse(&with_versions("patched = [\"> 1.0.0\", \"= 1.0.0\"]")).is_err());
    }

    #[test]
    fn other_bad_text_is_refused_with_a_reason() {
        for (text, expected) in [
            (String::new(), "unexpected start"),
            ("```toml\n[advisory]\n".to_owned(), "end of TOML"),
            (with_versions(""), "missing field `patched`"),
            (with_versions("patched = [\"new ones\"]"), "unexpected character"),
            (with_versions("patched = [\">= 1.0.0\", \">= 2.0.0\"]"), "Overlapping"),
            (with_versions("patched = []").replace("mill-wheel", "mill-stone"), "package `mill-stone`"),
            (with_versions("patched = []").replace("9001", "9002"), "`RUSTSEC-2026-9002`"),
        ] {
            let reason = parse(&text).expect_err(&text);
            assert!(reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn draft_is_left_out() {
        let draft = with_versions("patched = []").replace("2026-9001", "0000-0000");
        assert!(matches!(parse(&draft), Ok(None)));
    }

    #[test]
    fn carriage_returns_do_not_matter() {
        let record = parse(&with_versions("patched = []").replace('\n', "\r\n")).unwrap().unwrap();
        assert_eq!(record.advisory.title, "The wheel turns backwards");
    }
}
