//! Reads `Cargo.lock`.
//!
//! Not with the `cargo-lock` crate: findings need the line of each entry, documents need each source
//! exactly as cargo wrote it, and a lockfile comes with a stranger's repository, so the work must stay
//! linear in its size. All formats from 1 (checksums in `[metadata]`) to 4 are read.

use std::collections::HashMap;
use std::path::Path;

use cratekeeper_model::{Checksum, Package, PackageId, PackageSource};
use semver::Version;
use serde::Deserialize;
use toml::Spanned;

mod error;

pub use error::LockfileError;

/// Largest lockfile that is read. The largest public ones, of browsers and operating systems, are below
/// 2 MiB.
pub const MAX_LOCKFILE_SIZE: u64 = 64 << 20;

/// The newest format that is understood.
const NEWEST_FORMAT: u32 = 4;

/// A parsed `Cargo.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Format, from 1 to 4. Formats 1 and 2 are told apart by where the checksums are.
    pub format: u32,
    /// All entries, in the order of the file.
    pub packages: Vec<LockedPackage>,
}

/// One `[[package]]` entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// The package. `kinds` is empty and `features` is `None` until workspace metadata is applied, and
    /// the directory of a package without source is not known until then.
    pub package: Package,
    /// Line of the entry's `[[package]]` in the lockfile, counted from 1.
    pub line: u32,
    /// Direct dependencies of every kind, as indexes into [`Lockfile::packages`].
    pub dependencies: Vec<usize>,
}

impl Lockfile {
    /// Reads the lockfile at `path`.
    ///
    /// # Errors
    ///
    /// When there is no such file, when it is too large, or for anything that [`Lockfile::parse`] refuses.
    pub fn read(path: &Path) -> Result<Lockfile, LockfileError> {
        let text = crate::files::read_text(path, MAX_LOCKFILE_SIZE)
            .map_err(|source| LockfileError::read(path, source))?;
        Lockfile::parse(&text).map_err(|error| error.in_file(path))
    }

    /// Parses the text of a lockfile.
    ///
    /// # Errors
    ///
    /// When it is no TOML, no lockfile, or of a format that is not understood.
    pub fn parse(text: &str) -> Result<Lockfile, LockfileError> {
        // The format first: a newer one may well look different everywhere else.
        let format = parse_toml::<RawFormat>(text)?.version;
        if let Some(format) = format.filter(|format| !(1..=NEWEST_FORMAT).contains(format)) {
            return Err(LockfileError::UnknownFormat { path: None, format });
        }
        let raw: RawLockfile = parse_toml(text)?;
        let lines = LineNumbers::of(text);
        let old_checksums = metadata_checksums(&raw.metadata);
        let mut packages = Vec::with_capacity(raw.package.len() + 1);
        let entries = raw.package.iter().chain(&raw.root);
        for entry in entries.clone() {
            let line = lines.at(entry.span().start);
            packages.push(LockedPackage {
                package: package(entry.get_ref(), line, &old_checksums)?,
                line,
                dependencies: Vec::new(),
            });
        }
        let names = NameIndex::of(&packages);
        let linked: Vec<Vec<usize>> = entries
            .zip(&packages)
            .map(|(entry, owner)| link(&entry.get_ref().dependencies, owner, &names))
            .collect::<Result<_, _>>()?;
        for (package, dependencies) in packages.iter_mut().zip(linked) {
            package.dependencies = dependencies;
        }
        let format = format.unwrap_or(if old_checksums.is_empty() { 2 } else { 1 });
        Ok(Lockfile { format, packages })
    }
}

#[derive(Deserialize)]
struct RawFormat {
    version: Option<u32>,
}

#[derive(Deserialize)]
struct RawLockfile {
    #[serde(default)]
    package: Vec<Spanned<RawPackage>>,
    /// The workspace's own package, in lockfiles of before 2017.
    root: Option<Spanned<RawPackage>>,
    #[serde(default)]
    metadata: toml::Table,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

fn parse_toml<'text, T: Deserialize<'text>>(text: &'text str) -> Result<T, LockfileError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| LineNumbers::of(text).at(span.start));
        LockfileError::Malformed { path: None, line, message: error.message().to_owned() }
    })
}

fn package(
    raw: &RawPackage,
    line: u32,
    old_checksums: &HashMap<&str, &str>,
) -> Result<Package, LockfileError> {
    let malformed = |message: String| LockfileError::Malformed { path: None, line, message };
    let version = Version::parse(&raw.version)
        .map_err(|error| malformed(format!("`{}` is no version: {error}", raw.version)))?;
    let source = match raw.source.as_deref() {
        None => PackageSource::Path(String::new()),
        Some(source) => parse_source(source)
            .ok_or_else(|| malformed(format!("`{source}` is no source that cargo writes")))?,
    };
    let old_checksum = || {
        let key = format!("checksum {} {} ({})", raw.name, raw.version, raw.source.as_deref()?);
        old_checksums.get(key.as_str()).copied()
    };
    let checksum = raw.checksum.as_deref().or_else(old_checksum);
    // Cargo writes `<none>` in format 1 for packages whose checksum it did not know.
    let checksum = checksum
        .filter(|checksum| *checksum != "<none>")
        .map(|checksum| checksum.parse::<Checksum>().map_err(|error| malformed(error.to_string())))
        .transpose()?;
    Ok(Package {
        id: PackageId::new(&source, &raw.name, &version),
        name: raw.name.clone(),
        version,
        checksum,
        source,
        kinds: Vec::new(),
        platforms: Vec::new(),
        features: None,
    })
}

/// The source as cargo writes it into lockfiles; `None` for a scheme that cargo never writes there.
pub(crate) fn parse_source(text: &str) -> Option<PackageSource> {
    let (scheme, rest) = text.split_once('+')?;
    match scheme {
        "registry" | "sparse" => Some(PackageSource::Registry(text.to_owned())),
        "git" => Some(PackageSource::Git(rest.to_owned())),
        "path" => Some(PackageSource::Path(rest.strip_prefix("file://").unwrap_or(rest).to_owned())),
        _ => None,
    }
}

/// Format 1 keeps checksums apart: `"checksum NAME VERSION (SOURCE)" = "…"`.
fn metadata_checksums(metadata: &toml::Table) -> HashMap<&str, &str> {
    let checksums = metadata.iter().filter(|(key, _)| key.starts_with("checksum "));
    checksums.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}

/// Every way in which a dependency list may name an entry: `NAME`, `NAME VERSION` and
/// `NAME VERSION (SOURCE)`, the source without the commit. Cargo writes the shortest that is unambiguous.
///
/// One look-up for each, because a hostile lockfile may name one crate a hundred thousand times.
struct NameIndex(HashMap<String, usize>);

impl NameIndex {
    fn of(packages: &[LockedPackage]) -> NameIndex {
        let mut names = HashMap::with_capacity(packages.len() * 3);
        for (position, LockedPackage { package, .. }) in packages.iter().enumerate() {
            let Package { name, version, .. } = package;
            let source = package.source.to_string();
            let without_commit = source.split_once('#').map_or(source.as_str(), |(before, _)| before);
            names.entry(name.clone()).or_insert(position);
            names.entry(format!("{name} {version}")).or_insert(position);
            names.entry(format!("{name} {version} ({without_commit})")).or_insert(position);
        }
        NameIndex(names)
    }

    fn find(&self, text: &str) -> Option<usize> {
        let without_commit = || Some(format!("{})", text.split_once('#')?.0));
        self.0.get(text).or_else(|| self.0.get(&without_commit()?)).copied()
    }
}

fn link(
    dependencies: &[String],
    owner: &LockedPackage,
    names: &NameIndex,
) -> Result<Vec<usize>, LockfileError> {
    let find = |text: &String| {
        names.find(text).ok_or_else(|| LockfileError::Malformed {
            path: None,
            line: owner.line,
            message: format!("`{}` depends on `{text}`, which has no entry", owner.package.name),
        })
    };
    dependencies.iter().map(find).collect()
}

/// Byte offsets to line numbers, by binary search.
pub(crate) struct LineNumbers(Vec<usize>);

impl LineNumbers {
    pub(crate) fn of(text: &str) -> LineNumbers {
        LineNumbers(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    pub(crate) fn at(&self, offset: usize) -> u32 {
        let line = self.0.partition_point(|newline| *newline < offset) + 1;
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
