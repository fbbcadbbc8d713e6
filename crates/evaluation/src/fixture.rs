//! Fixtures: a package, or several versions of packages with a course of events, in one text file.
//!
//! The format is that of `tests/detection/README.md`. A fixture keeps hostile files out of the project's tree: nothing that
//! an editor, a shell or cargo would obey lies there as a file, and characters that deceive are written as escapes.

use std::path::Path;
use std::{fs, io};

use cratekeeper_archive::CrateBuilder;
use serde::Deserialize;

/// What opens a file.
const OPENING: &str = "=== ";

/// Name of the section that says how an archive is packed where ordinary files cannot.
const ARCHIVE: &str = "archive.toml";

/// Name of the section with a course of events.
pub const TIMELINE: &str = "timeline.toml";

/// A fixture, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixture {
    /// What it shows, in one or two sentences.
    pub description: String,
    /// Its files.
    pub files: Vec<FixtureFile>,
    /// Entries that are packed behind the files.
    pub entries: Vec<ArchiveEntry>,
}

/// A file of a [`Fixture`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixtureFile {
    /// Path inside the package, with `/`.
    pub path: String,
    /// Content.
    pub content: Vec<u8>,
    /// Mode 755 rather than 644.
    pub executable: bool,
}

/// An entry that no ordinary file can express.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveEntry {
    /// Path below the package's root, as it is; one that begins with `/` stands alone.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Where a link leads.
    #[serde(default)]
    pub target: String,
    /// Content of a file.
    #[serde(default)]
    pub content: String,
}

/// Kinds of [`ArchiveEntry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A file.
    File,
    /// A symbolic link.
    Symlink,
    /// A hard link.
    Hardlink,
    /// A directory.
    Directory,
    /// A device.
    Device,
}

/// Why a fixture cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// A line that the format does not allow.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The section about the archive.
    #[error("`archive.toml`: {0}")]
    Archive(#[from] toml::de::Error),
    /// There is no manifest with a name and a version.
    #[error("`{0}` does not give a name and a version")]
    Manifest(String),
    /// Reading or writing.
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchiveFile {
    entry: Vec<ArchiveEntry>,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    escaped: bool,
    hex: bool,
    executable: bool,
}

impl Fixture {
    /// Reads a fixture's text.
    ///
    /// # Errors
    ///
    /// The first line that the format does not allow, or an `archive.toml` that cannot be read.
    pub fn parse(text: &str) -> Result<Fixture, FixtureError> {
        let mut fixture = Fixture::default();
        let mut open: Option<(usize, String, Flags, String)> = None;
        for (number, line) in text.lines().enumerate() {
            if let Some(header) = line.strip_prefix(OPENING) {
                fixture.close(open.take())?;
                let (path, flags) = opening(number + 1, header)?;
                open = Some((number + 1, path, flags, String::new()));
            } else if let Some((.., content)) = &mut open {
                content.push_str(line);
                content.push('\n');
            } else if let Some(comment) = line.strip_prefix('#') {
                fixture.description.push_str(comment);
            } else if !line.trim().is_empty() {
                let problem = format!("`{line}` stands before the first file");
                return Err(FixtureError::Line { line: number + 1, problem });
            }
        }
        fixture.close(open)?;
        fixture.description = fixture.description.trim().to_owned();
        Ok(fixture)
    }

    fn close(&mut self, open: Option<(usize, String, Flags, String)>) -> Result<(), FixtureError> {
        let Some((line, path, flags, text)) = open else { return Ok(()) };
        if path == ARCHIVE {
            self.entries = toml::from_str::<ArchiveFile>(&text)?.entry;
            return Ok(());
        }
        let content = match flags {
            Flags { hex: true, .. } => {
                bytes_of_hex(&text).ok_or("these are not pairs of hexadecimal digits".to_owned())
            }
            Flags { escaped: true, .. } => unescaped(&text).map(String::into_bytes),
            _ => Ok(text.into_bytes()),
        };
        let content = content.map_err(|problem| FixtureError::Line { line, problem })?;
        self.files.push(FixtureFile { path, content, executable: flags.executable });
        Ok(())
    }

    /// The text of one of its files.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        let file = self.files.iter().find(|file| file.path == path)?;
        std::str::from_utf8(&file.content).ok()
    }

    /// Whether it holds several versions and a course of events.
    #[must_use]
    pub fn is_timeline(&self) -> bool {
        self.files.iter().any(|file| file.path == TIMELINE)
    }

    /// Packs its one version as a registry would get it.
    ///
    /// # Errors
    ///
    /// When the manifest does not give a name and a version.
    pub fn pack(&self) -> Result<Vec<u8>, FixtureError> {
        let (name, version) = self.name_and_version()?;
        let mut builder = CrateBuilder::new(&name, &version).without_manifest();
        for file in &self.files {
            builder = if file.executable {
                builder.executable(&file.path, &file.content)
            } else {
                builder.file(&file.path, &file.content)
            };
        }
        for entry in &self.entries {
            builder = match entry.kind {
                EntryKind::File if entry.path.starts_with('/') => {
                    builder.raw_path(entry.path.as_bytes(), &entry.content)
                }
                EntryKind::File => builder.file(&entry.path, &entry.content),
                EntryKind::Symlink => builder.symlink(&entry.path, &entry.target),
                EntryKind::Hardlink => builder.hardlink(&entry.path, &entry.target),
                EntryKind::Directory => builder.directory(&entry.path),
                EntryKind::Device => builder.device(&entry.path),
            };
        }
        Ok(builder.build())
    }

    /// Writes its files below `directory`, for tools that read directories. Entries that no file can express are left out.
    ///
    /// # Errors
    ///
    /// When a file cannot be written, or its path leads out of the directory.
    pub fn unpack(&self, directory: &Path) -> Result<(), FixtureError> {
        for file in &self.files {
            let is_inside = Path::new(&file.path)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            if !is_inside {
                let problem = format!("`{}` leads out of the package", file.path);
                return Err(FixtureError::Line { line: 0, problem });
            }
            let path = directory.join(&file.path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, &file.content)?;
        }
        Ok(())
    }

    /// What its manifest says that it is.
    ///
    /// # Errors
    ///
    /// When there is no manifest, or it gives no name and version.
    pub fn name_and_version(&self) -> Result<(String, String), FixtureError> {
        let missing = || FixtureError::Manifest("Cargo.toml".to_owned());
        let manifest: toml::Table =
            self.text("Cargo.toml").and_then(|text| text.parse().ok()).ok_or_else(missing)?;
        let package = manifest.get("package").and_then(toml::Value::as_table).ok_or_else(missing)?;
        let field = |name: &str| package.get(name).and_then(toml::Value::as_str).map(str::to_owned);
        field("name").zip(field("version")).ok_or_else(missing)
    }
}

fn opening(line: usize, header: &str) -> Result<(String, Flags), FixtureError> {
    let mut words = header.split_whitespace();
    let problem = |problem: String| FixtureError::Line { line, problem };
    let path = words.next().ok_or_else(|| problem("a file needs a path".to_owned()))?.to_owned();
    let mut flags = Flags::default();
    for word in words {
        match word {
            "escaped" => flags.escaped = true,
            "hex" => flags.hex = true,
            "executable" => flags.executable = true,
            other => return Err(problem(format!("`{other}` is not a flag"))),
        }
    }
    Ok((path, flags))
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|it| !it.is_whitespace())
        .map(|it| it.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks(2);
    pairs.map(|pair| (pair.len() == 2).then(|| pair[0] << 4 | pair[1])).collect()
}

/// Replaces `\u{…}`, `\xNN` and `\\`.
fn unescaped(text: &str) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (character, length) = if escape.starts_with('\\') {
            (Some('\\'), 1)
        } else if let Some(digits) =
            escape.strip_prefix("u{").and_then(|it| it.split_once('}')).map(|it| it.0)
        {
            (u32::from_str_radix(digits, 16).ok().and_then(char::from_u32), digits.len() + 3)
        } else if let Some(digits) = escape.strip_prefix('x').and_then(|it| it.get(..2)) {
            (u8::from_str_radix(digits, 16).ok().map(char::from), 3)
        } else {
            (None, 0)
        };
        let character = character.ok_or_else(|| {
            format!("`\\{}` is not an escape", escape.chars().take(8).collect::<String>().trim_end())
        })?;
        result.push(character);
        rest = &escape[length..];
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "# What it\n# shows.\n=== Cargo.toml\n[package]\nname = \"a\"\nversion = \"1.0.0\"\n\
        === src/lib.rs escaped\n// \\u{202E} \\x00 \\\\\n=== a.bin hex\n7f 45\n4c46\n=== run executable\n#!/bin/sh\n";

    #[test]
    fn files_come_out_as_they_are_meant() {
        let fixture = Fixture::parse(TEXT).unwrap();
        assert_eq!(fixture.description, "What it shows.");
        assert_eq!(fixture.text("src/lib.rs").unwrap(), "// \u{202E} \0 \\\n");
        assert_eq!(fixture.files[2].content, [0x7f, 0x45, 0x4c, 0x46]);
        assert!(fixture.files[3].executable && !fixture.files[0].executable);
        assert_eq!(fixture.name_and_version().unwrap(), ("a".to_owned(), "1.0.0".to_owned()));
    }

    #[test]
    fn a_packed_fixture_is_read_back() {
        let packed = Fixture::parse(TEXT).unwrap().pack().unwrap();
        let expected = cratekeeper_archive::Expected { name: None, version: None, checksum: None };
        let limits = cratekeeper_archive::Limits::default();
        let archive = cratekeeper_archive::read_crate(packed.as_slice(), &expected, &limits).unwrap();
        assert_eq!(archive.files.len(), 4);
        assert_eq!(archive.file("a.bin").unwrap().contents, [0x7f, 0x45, 0x4c, 0x46]);
    }

    #[test]
    fn what_the_format_does_not_allow_is_an_error_with_its_line() {
        for (text, line) in [
            ("a\n", 1),
            ("# a\n=== \n", 2),
            ("=== a b\n", 1),
            ("=== a hex\n7\n", 1),
            ("#\n=== a escaped\n\\q\n", 2),
        ] {
            let error = Fixture::parse(text).unwrap_err();
            assert!(matches!(error, FixtureError::Line { line: it, .. } if it == line), "{text:?}: {error}");
        }
        assert!(Fixture::parse("=== src/lib.rs\n").unwrap().pack().is_err());
    }

    #[test]
    fn nothing_is_written_outside() {
        let directory = tempfile::tempdir().unwrap();
        let fixture = Fixture::parse("=== ../a\nb\n").unwrap();
        assert!(fixture.unpack(directory.path()).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_fixture_or_an_error(text in "(=== [a-z]{1,3}( hex| escaped)?\n|[0-9a-f \\\\xu{}]{0,9}\n|#.{0,5}\n){0,9}") {
            if let Ok(fixture) = Fixture::parse(&text) {
                let _ = fixture.pack();
            }
        }
    }
}
