//! The database: crates by name, each with its advisories.

use std::collections::BTreeMap;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use cratekeeper_model::{Advisory, Known};
use fs_err as fs;
use semver::Version;

use crate::shelf::{Contents, Shelf};
use crate::{Collection, Limits, OpenError, Origin, Problem, Record, Snapshot};

/// An advisory database on disk.
///
/// Nothing but directory names is held until a crate is asked about; then its advisories are read, once.
/// Many threads may ask at the same time. A database that changes on disk meanwhile may be seen half old
/// and half new; a file that is gone is a [`Problem`], not silence. Open it again after an update.
///
/// Names are compared as they are written: `-` is not `_`, and case counts. RustSec files advisories under
/// the name that the registry shows, and lockfiles repeat that name letter by letter. A wider comparison
/// would blame `wheel_mill` for what `wheel-mill` did, and a removed malicious crate is often such a twin.
/// A name never becomes part of a path, so that one like `../../etc` finds nothing.
///
/// Lookups go by directory name, so that an advisory filed under another crate's name is a problem of that
/// other crate, and its own knows nothing of it. RustSec's lint lets no such file in; whoever maintains a
/// database of their own finds it with [`Database::load_all`], which takes 50 ms for all of RustSec.
#[derive(Debug)]
pub struct Database {
    root: PathBuf,
    limits: Limits,
    crates: BTreeMap<String, Shelf>,
    toolchain: BTreeMap<String, Shelf>,
}

/// What the database says about one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Answer {
    /// Advisories that affect the version, by id.
    pub advisories: Vec<Advisory>,
    /// Files about this crate that could not be understood: there may be more advisories than the above.
    pub problems: Vec<Problem>,
}

impl Answer {
    /// The answer as rules take it.
    ///
    /// `Unknown` when nothing was found but some file could not be read. What *was* found stays known even
    /// then: one broken file must not hide that the version is malicious. A caller that turns an answer
    /// with both into a case reports `problems` as well.
    #[must_use]
    pub fn into_known(self) -> Known<Vec<Advisory>> {
        match self.problems.first() {
            Some(problem) if self.advisories.is_empty() => {
                Known::Unknown(format!("failed to read advisory {problem}"))
            }
            _ => Known::Known(self.advisories),
        }
    }
}

impl Database {
    /// Opens the database in `directory`, with the usual [`Limits`].
    ///
    /// The problems are those that are visible without reading any advisory: links, which are not followed,
    /// and files where directories should be. [`Database::load_all`] finds the rest.
    ///
    /// # Errors
    ///
    /// [`OpenError`], when this is no directory, cannot be listed, is no database, or is an empty one.
    pub fn open(directory: &Path) -> Result<(Database, Vec<Problem>), OpenError> {
        Database::open_with(directory, Limits::default())
    }

    /// Opens the database in `directory`.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn open_with(directory: &Path, limits: Limits) -> Result<(Database, Vec<Problem>), OpenError> {
        let root = directory.to_owned();
        let unreadable = |source| OpenError::Unreadable { path: root.clone(), source };
        match fs::read_dir(&root) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Missing { path: root });
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(OpenError::NotADatabase { path: root });
            }
            Err(error) => return Err(unreadable(error)),
        }
        if !is_directory(&root.join(Collection::Crates.directory())).map_err(unreadable)? {
            return Err(OpenError::NotADatabase { path: root });
        }
        let mut problems = Vec::new();
        let crates = list(&root, Collection::Crates, &limits, &mut problems)?;
        // A database of crates alone is fine: the toolchain's part is RustSec's own.
        let toolchain = match is_directory(&root.join(Collection::Rust.directory())).map_err(unreadable)? {
            true => list(&root, Collection::Rust, &limits, &mut problems)?,
            false => BTreeMap::new(),
        };
        let database = Database { root, limits, crates, toolchain };
        if database.is_empty() {
            return Err(OpenError::Empty { path: database.root });
        }
        Ok((database, problems))
    }

    /// The directory that it was opened from.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Advisories that affect one version of a crate.
    ///
    /// Withdrawn advisories are left out. Advisories for some operating systems or architectures only are
    /// *not*: the answer holds for all targets, and says which. Build metadata in the version is ignored.
    pub fn affecting(&self, name: &str, version: &Version, origin: Origin<'_>) -> Answer {
        if !origin.can_have_advisories() {
            return Answer::default();
        }
        self.answer(self.crates.get(name), version, origin)
    }

    /// Advisories that affect a part of the toolchain (`std`, `cargo`, `rustdoc`) in one version of Rust.
    pub fn affecting_toolchain(&self, component: &str, version: &Version) -> Answer {
        self.answer(self.toolchain.get(component), version, Origin::DefaultRegistry)
    }

    /// Files filed under a crate's name that could not be understood; empty for crates without advisories.
    #[must_use]
    pub fn unparsed_for(&self, name: &str) -> &[Problem] {
        self.crates.get(name).map_or(&[], |shelf| &self.contents(shelf).problems)
    }

    /// Reads every advisory that was not read before, and returns all problems.
    ///
    /// For lints and tests: a check of a few hundred packages needs a tenth of them.
    #[must_use]
    pub fn load_all(&self) -> Vec<&Problem> {
        self.shelves().flat_map(|shelf| &self.contents(shelf).problems).collect()
    }

    /// All advisories, withdrawn ones and those of the toolchain included, reading what was not read before.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.shelves().flat_map(|shelf| &self.contents(shelf).records)
    }

    /// Names of the crates that have a directory in the database, sorted.
    pub fn crate_names(&self) -> impl Iterator<Item = &str> {
        self.crates.keys().map(String::as_str)
    }

    /// Which state of the database this is, and how old.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(self)
    }

    /// Paths of all advisory files, relative to the database. Directories that cannot be listed are left
    /// out: asking for their crates tells.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.shelves()
            .flat_map(|shelf| shelf.files(&self.root, &self.limits).unwrap_or_default())
            .filter(|(_, kind)| kind.is_file())
            .map(|(file, _)| file)
    }

    /// The advisory in `file`, a path from [`Database::files`].
    pub(crate) fn record(&self, file: &Path) -> Option<&Record> {
        let name = file.parent()?.file_name()?.to_str()?;
        let shelves =
            if file.starts_with(Collection::Rust.directory()) { &self.toolchain } else { &self.crates };
        self.contents(shelves.get(name)?).records.iter().find(|record| record.file == file)
    }

    fn answer(&self, shelf: Option<&Shelf>, version: &Version, origin: Origin<'_>) -> Answer {
        let Some(contents) = shelf.map(|shelf| self.contents(shelf)) else {
            return Answer::default();
        };
        let affecting = contents.records.iter().filter(|record| record.affects(version, origin));
        Answer {
            advisories: affecting.map(|record| record.advisory.clone()).collect(),
            problems: contents.problems.clone(),
        }
    }

    fn contents<'a>(&self, shelf: &'a Shelf) -> &'a Contents {
        // `Shelf` does not hold the root: a thousand copies of the same path would.
        shelf.contents(&self.root, &self.limits)
    }

    fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        self.crates.values().chain(self.toolchain.values())
    }

    /// Whether no crate has an advisory. Ends at the first that has, which is the first of all, as a rule.
    fn is_empty(&self) -> bool {
        self.crates
            .values()
            .all(|shelf| shelf.files(&self.root, &self.limits).is_ok_and(|files| files.is_empty()))
    }
}

/// The directories of one collection, by name.
fn list(
    root: &Path,
    collection: Collection,
    limits: &Limits,
    problems: &mut Vec<Problem>,
) -> Result<BTreeMap<String, Shelf>, OpenError> {
    let path = root.join(collection.directory());
    let unreadable = |source| OpenError::Unreadable { path: root.to_owned(), source };
    let mut shelves = BTreeMap::new();
    for (index, entry) in fs::read_dir(&path).map_err(unreadable)?.enumerate() {
        if index == limits.crates {
            return Err(OpenError::TooManyEntries { path, limit: limits.crates });
        }
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let file = Path::new(collection.directory()).join(entry.file_name());
        // No crate has a name that is not UTF-8, so nobody will ever ask for one.
        let Ok(name) = entry.file_name().into_string() else {
            problems.push(Problem { file, reason: "its name is not UTF-8".to_owned() });
            continue;
        };
        let Some(shelf) = shelve(collection, &name, kind) else { continue };
        problems.extend(shelf.known_problems().iter().cloned());
        shelves.insert(name, shelf);
    }
    Ok(shelves)
}

/// The shelf for one entry of a collection; `None` for files that are nobody's advisory (`README`).
///
/// An advisory right under `crates` is refused under its own file name, so that it shows in `load_all`.
fn shelve(collection: Collection, name: &str, kind: FileType) -> Option<Shelf> {
    if kind.is_dir() {
        Some(Shelf::unread(collection, name))
    } else if kind.is_symlink() {
        Some(Shelf::refused(collection, name, "it is a symbolic link, which is not followed"))
    } else if name.starts_with("RUSTSEC-") {
        Some(Shelf::refused(collection, name, "it is not in the directory of a crate"))
    } else {
        None
    }
}

/// Whether there is a directory at `path`; a link to one does not count.
fn is_directory(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
