//! Vendored packages: directories that `cargo vendor` wrote.
//!
//! Cargo compares the listed files with `.cargo-checksum.json` and ignores all others, so that an added
//! `build.rs` runs unnoticed; here, additional files are reported as well.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use cratekeeper_model::{Checksum, ChecksumHasher, Package};
use fs_err as fs;
use serde::Deserialize;

use super::{FetchError, Location, Origin, label, manifest};

/// Written by cargo into every vendored package.
const CHECKSUM_FILE: &str = ".cargo-checksum.json";

/// Limits on one vendored package. The largest published ones have some 30,000 files.
const MAX_FILES: usize = 200_000;
const MAX_BYTES: u64 = 2 << 30;
const MAX_CHECKSUM_FILE: u64 = 64 << 20;

/// A file that is not as `cargo vendor` left it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VendoredFile {
    /// Path inside the package, with `/`.
    pub path: String,
    /// What is wrong with it.
    pub problem: FileProblem,
}

/// What is wrong with a vendored file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FileProblem {
    /// Other content than `.cargo-checksum.json` promises. Cargo refuses to build with it.
    Changed {
        /// What was promised.
        expected: Checksum,
        /// What is there.
        actual: Checksum,
    },
    /// Promised, but not there, or not a regular file.
    Missing,
    /// There, but not promised. Cargo builds with it.
    Unlisted,
}

#[derive(Deserialize)]
struct ChecksumFile {
    /// Of the archive; `null` for packages that were vendored from git.
    package: Option<Checksum>,
    files: BTreeMap<String, Checksum>,
}

/// Finds and verifies `package` below the vendored directory `root`.
pub(super) fn find(root: &Path, package: &Package) -> Result<Location, FetchError> {
    let path = directory_of(root, package)
        .ok_or_else(|| FetchError::NotThere { what: label(package), place: root.to_owned() })?;
    let refuse = |message: String| FetchError::Vendored { path: path.clone(), message };
    let json = path.join(CHECKSUM_FILE);
    let bytes = crate::files::read_bytes(&json, MAX_CHECKSUM_FILE)
        .map_err(|error| refuse(format!("`{CHECKSUM_FILE}`: {error}")))?;
    let listed: ChecksumFile =
        serde_json::from_slice(&bytes).map_err(|error| refuse(format!("`{CHECKSUM_FILE}`: {error}")))?;
    // Cargo refuses this too: the directory claims to be another archive than the locked one.
    if let (Some(expected), Some(actual)) = (package.checksum, listed.package)
        && expected != actual
    {
        return Err(FetchError::ChecksumMismatch { expected, actual, place: json.display().to_string() });
    }
    let problems = compare(&path, listed.files).map_err(refuse)?;
    Ok(Location::Directory { path, origin: Origin::Vendored, problems })
}

/// The directory with the package: usually named after it, but cargo allows any name.
fn directory_of(root: &Path, package: &Package) -> Option<PathBuf> {
    let version = package.version.to_string();
    let is_it = |directory: &PathBuf| {
        manifest::read(directory)
            .is_some_and(|found| found.name == package.name && found.version() == Some(&version))
    };
    let usual = [root.join(&package.name), root.join(format!("{}-{version}", package.name))];
    usual.into_iter().find(is_it).or_else(|| {
        let entries = fs::read_dir(root).ok()?.take(MAX_FILES);
        entries.filter_map(|entry| Some(entry.ok()?.path())).find(is_it)
    })
}

/// Differences between the files of `directory` and the `listed` ones.
fn compare(directory: &Path, mut listed: BTreeMap<String, Checksum>) -> Result<Vec<VendoredFile>, String> {
    let mut problems = Vec::new();
    let mut walk = Walk { files: 0, bytes: 0 };
    let mut pending = vec![(directory.to_owned(), String::new())];
    while let Some((place, prefix)) = pending.pop() {
        for entry in fs::read_dir(&place).map_err(|error| error.to_string())? {
            let entry = entry.map_err(|error| error.to_string())?;
            walk.count_file()?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(|error| error.to_string())?;
            if kind.is_dir() {
                pending.push((entry.path(), format!("{path}/")));
            } else if path != CHECKSUM_FILE {
                // Links are not followed: they could lead to a device, or out of the tree.
                let expected = listed.remove(&path);
                let actual = if kind.is_file() { Some(walk.hash(&entry.path())?) } else { None };
                problems.extend(problem(expected, actual).map(|problem| VendoredFile { path, problem }));
            }
        }
    }
    let missing = listed.into_keys().map(|path| VendoredFile { path, problem: FileProblem::Missing });
    problems.extend(missing);
    problems.sort();
    Ok(problems)
}

fn problem(expected: Option<Checksum>, actual: Option<Checksum>) -> Option<FileProblem> {
    match (expected, actual) {
        (None, _) => Some(FileProblem::Unlisted),
        (Some(_), None) => Some(FileProblem::Missing),
        (Some(expected), Some(actual)) if expected == actual => None,
        (Some(expected), Some(actual)) => Some(FileProblem::Changed { expected, actual }),
    }
}

/// How much of the limits is used up.
struct Walk {
    files: usize,
    bytes: u64,
}

impl Walk {
    fn count_file(&mut self) -> Result<(), String> {
        self.files += 1;
        if self.files > MAX_FILES { Err(format!("more than {MAX_FILES} files")) } else { Ok(()) }
    }

    fn hash(&mut self, path: &Path) -> Result<Checksum, String> {
        let mut file = fs::File::open(path).map_err(|error| error.to_string())?;
        let mut hasher = ChecksumHasher::default();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = file.read(&mut buffer).map_err(|error| error.to_string())?;
            if length == 0 {
                return Ok(hasher.finish());
            }
            self.bytes += length as u64;
            if self.bytes > MAX_BYTES {
                return Err(format!("more than {MAX_BYTES} bytes"));
            }
            hasher.update(&buffer[..length]);
        }
    }
}
