//! Reads the tables of what the compiler saw.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use flate2::read::GzDecoder;

use super::spelling::plain;

/// What the compiler saw of one crate.
pub(crate) struct Truth {
    /// Package and version: `bytes-1.12.1`.
    pub name: String,
    pub edges: Vec<TrueEdge>,
    /// Every function that was seen, those that call nothing included.
    pub callers: HashSet<String>,
}

/// A call that the compiler saw.
pub(crate) struct TrueEdge {
    pub caller: String,
    pub callee: String,
    /// Another spelling of the callee that is right as well; the first where the table has several.
    pub alias: Option<String>,
    /// `direct`, `generic`, `dyn`, `fnptr`, `drop` or `closure`.
    pub kind: String,
    /// How much the source says of it.
    pub role: Role,
}

/// How much the source says of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Spelled as a call (or as a function's name): recall is taken over these.
    Explicit,
    /// A concrete instance of generic code, seen between compiled functions only. No reader of source has to find it.
    Instance,
    /// Made by a derive macro, in a constant, a drop, or a closure's call: right when found, not missed when not.
    Implied,
}

impl Role {
    fn new(source: &str, kind: &str, notes: &[&str]) -> Role {
        let is_noted = ["derived-caller", "derived-callee", "const"].iter().any(|it| notes.contains(it));
        match (source, kind) {
            _ if is_noted => Role::Implied,
            ("reloc", kind) if kind != "direct" => Role::Instance,
            (_, "drop" | "closure") => Role::Implied,
            _ => Role::Explicit,
        }
    }
}

impl TrueEdge {
    /// The callee's spellings.
    pub(crate) fn callees(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.callee.as_str()).chain(self.alias.as_deref())
    }

    fn parse(line: &str) -> Option<TrueEdge> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [caller, callee, source, kind, notes] = columns[..] else { return None };
        let notes: Vec<&str> = notes.split(',').collect();
        Some(TrueEdge {
            caller: plain(caller),
            callee: plain(callee),
            alias: notes.iter().find_map(|it| it.strip_prefix("alias=")).map(plain),
            kind: kind.to_owned(),
            role: Role::new(source, kind, &notes),
        })
    }
}

impl Truth {
    /// The tables of a directory, by name.
    pub(crate) fn read_all(directory: &Path) -> anyhow::Result<Vec<Truth>> {
        let operation = || format!("failed to read `{}`", directory.display());
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(directory).with_context(operation)? {
            let path = entry.with_context(operation)?.path();
            if path.to_string_lossy().ends_with(".tsv.gz") {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.is_empty() {
            bail!("`{}` holds no table (`NAME-VERSION.tsv.gz`)", directory.display());
        }
        paths.iter().map(|path| Truth::read(path)).collect()
    }

    fn read(path: &Path) -> anyhow::Result<Truth> {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file.trim_end_matches(".tsv.gz").to_owned();
        let callers = unpacked(&path.with_file_name(format!("{name}.callers.gz")))?;
        Truth::parse(&name, &unpacked(path)?, &callers)
    }

    /// `name` is package and version, the texts are those of the two files.
    pub(crate) fn parse(name: &str, edges: &str, callers: &str) -> anyhow::Result<Truth> {
        let mut truth = Truth { name: name.to_owned(), edges: Vec::new(), callers: HashSet::new() };
        for line in edges.lines() {
            let edge = TrueEdge::parse(line).with_context(|| {
                format!("failed to read the table of `{name}`: `{line}` has not five columns")
            })?;
            truth.callers.insert(edge.caller.clone());
            truth.edges.push(edge);
        }
        truth.callers.extend(callers.lines().map(plain));
        Ok(truth)
    }

    /// Name of the library crate, and the version.
    pub(crate) fn crate_and_version(&self) -> (String, &str) {
        let is_digit = |it: &str| it.starts_with(|it: char| it.is_ascii_digit());
        let at = self.name.match_indices('-').find(|(at, _)| is_digit(&self.name[at + 1..]));
        let (name, version) = match at {
            Some((at, _)) => (&self.name[..at], &self.name[at + 1..]),
            None => (self.name.as_str(), ""),
        };
        (name.replace('-', "_"), version)
    }
}

fn unpacked(path: &Path) -> anyhow::Result<String> {
    let operation = || format!("failed to read `{}`", path.display());
    let bytes = std::fs::read(path).with_context(operation)?;
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).with_context(operation)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_follow_source_kind_and_notes() {
        assert_eq!(Role::new("mir", "generic", &[""]), Role::Explicit);
        assert_eq!(Role::new("reloc", "direct", &["through"]), Role::Explicit);
        assert_eq!(Role::new("reloc", "drop", &[""]), Role::Instance);
        assert_eq!(Role::new("both", "drop", &[""]), Role::Implied);
        assert_eq!(Role::new("reloc", "generic", &["derived-callee"]), Role::Implied);
        assert_eq!(Role::new("mir", "fnptr", &["const"]), Role::Implied);
    }

    #[test]
    fn package_names_may_hold_hyphens_and_versions_too() {
        let of = |name: &str| Truth::parse(name, "", "").unwrap();
        assert_eq!(of("aho-corasick-1.1.5").crate_and_version(), ("aho_corasick".to_owned(), "1.1.5"));
        let version = "0.25.18+spec-1.1.0";
        assert_eq!(
            of(&format!("toml_edit-{version}")).crate_and_version(),
            ("toml_edit".to_owned(), version)
        );
    }

    #[test]
    fn a_line_with_other_columns_is_refused() {
        let error = Truth::parse("a-1.0.0", "a::f\ta::g\tmir", "").err().unwrap().to_string();
        assert!(error.contains("has not five columns"), "{error}");
    }
}
