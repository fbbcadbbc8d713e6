//! From a `.crate` file or a directory to facts, in this process.
//!
//! Hostile bytes are read and parsed here, so this runs in a [worker](crate::worker) except in benchmarks and tests.

use std::fs::File;
use std::path::{Path, PathBuf};

use cratekeeper_archive::{CrateArchive, Expected, ReadError, read_crate, read_directory};
use cratekeeper_model::facts::RefusedEntry;
use cratekeeper_model::{Checksum, Facts};
use cratekeeper_source::PackageFile;
use cratekeeper_syntax::Edition;
use serde::{Deserialize, Serialize};

/// Stack of the thread that parses. The parser recurses as deep as the limits of `source` allow, which takes below
/// 8 MiB; the rest is margin. Only what is used becomes memory.
const STACK: usize = 64 << 20;

/// What to analyse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A `.crate` file, absolute path.
    Archive {
        /// Where it is.
        path: PathBuf,
        /// Name that its root directory has to carry; `None` takes any.
        name: Option<String>,
        /// Version that its root directory has to carry; `None` takes any.
        version: Option<String>,
    },
    /// An unpacked package, absolute path.
    Directory(PathBuf),
}

impl Subject {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Subject::Archive { path, .. } | Subject::Directory(path) => path,
        }
    }
}

/// What became of one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Analysis {
    /// Read, if perhaps not all of it.
    Facts {
        /// SHA-256 of the archive, or digest over the directory's files.
        checksum: Checksum,
        /// What is in it.
        facts: Box<Facts>,
    },
    /// Refused as a whole.
    Refused(RefusedEntry),
    /// Not readable, for a reason that is not the content's fault.
    Unreadable(String),
}

/// Analyses one subject with the default limits.
#[must_use]
pub fn analyze(subject: &Subject) -> Analysis {
    read(subject, facts)
}

fn read(subject: &Subject, facts: impl FnOnce(&CrateArchive) -> Facts) -> Analysis {
    let read = match subject {
        Subject::Archive { path, name, version } => {
            File::open(path).map_err(ReadError::from).and_then(|file| {
                let expected = Expected { name: name.clone(), version: version.clone(), checksum: None };
                read_crate(file, &expected, &cratekeeper_archive::Limits::default())
            })
        }
        Subject::Directory(path) => read_directory(path, &cratekeeper_archive::Limits::default()),
    };
    match read {
        Ok(archive) => {
            let mut facts = facts(&archive);
            if matches!(subject, Subject::Archive { .. }) {
                facts.files.refused.extend(wrong_manifest(&archive.name_version_root, &facts));
            }
            Analysis::Facts { checksum: archive.checksum, facts: Box::new(facts) }
        }
        Err(ReadError::Refused(refusal)) => Analysis::Refused(RefusedEntry {
            code: refusal.code().to_owned(),
            message: refusal.to_string(),
            entry: None,
        }),
        Err(ReadError::Io(error)) => {
            Analysis::Unreadable(format!("failed to read `{}`: {error}", subject.path().display()))
        }
    }
}

/// A manifest that gives another name or version than the directory it is packed in: whoever looks at one sees another crate
/// than whoever looks at the other.
fn wrong_manifest(root: &str, facts: &Facts) -> Option<RefusedEntry> {
    let (name, version) = (facts.manifest.name.as_deref()?, facts.manifest.version.as_deref()?);
    // A root that holds, for example, `1.0.0+build` is written with the build metadata by cargo too.
    (root != format!("{name}-{version}")).then(|| RefusedEntry {
        code: "wrong-name-or-version".to_owned(),
        message: format!("`Cargo.toml` is that of `{name}` {version}, packed as `{root}`"),
        entry: Some("Cargo.toml".to_owned()),
    })
}

/// The manifest of an archive or directory alone: a small part of the work.
pub(crate) fn analyze_manifest(subject: &Subject) -> Analysis {
    read(subject, |archive| Facts {
        manifest: cratekeeper_source::manifest(&package_files(archive)),
        ..Facts::default()
    })
}

/// Facts of a package that was read.
#[must_use]
pub fn facts(archive: &CrateArchive) -> Facts {
    let files = package_files(archive);
    let facts =
        on_large_stack(STACK, || cratekeeper_source::analyze(&files, &cratekeeper_source::Limits::default()));
    with_archive(facts, archive)
}

/// The facts of an archive, with trees that were made in `edition`. On this thread's stack, which has to be as large.
pub(crate) fn structure_with_trees<'t>(
    archive: &CrateArchive,
    edition: Edition,
    trees: &cratekeeper_source::Trees<'_, 't>,
) -> Facts {
    let files = package_files(archive);
    // Whoever asked for a graph may know the edition from elsewhere.
    let is_same = edition == cratekeeper_source::edition(&cratekeeper_source::manifest(&files));
    let limits = cratekeeper_source::Limits::default();
    let facts = if is_same {
        cratekeeper_source::analyze_structure(&files, &limits, trees)
    } else {
        cratekeeper_source::analyze(&files, &limits)
    };
    let mut facts = with_archive(facts, archive);
    facts.files.refused.extend(wrong_manifest(&archive.name_version_root, &facts));
    facts
}

fn package_files(archive: &CrateArchive) -> Vec<PackageFile<'_>> {
    archive
        .files
        .iter()
        .map(|file| PackageFile {
            path: &file.path,
            content: &file.contents,
            executable: file.is_executable(),
        })
        .collect()
}

fn with_archive(mut facts: Facts, archive: &CrateArchive) -> Facts {
    facts.files.compressed_size = archive.compressed_size;
    facts.files.refused = archive
        .refused
        .iter()
        .map(|entry| RefusedEntry {
            code: entry.refusal.code().to_owned(),
            message: entry.refusal.to_string(),
            entry: Some(entry.path.clone()),
        })
        .collect();
    facts
}

/// Runs `work` where the parser has room to recurse.
pub(crate) fn on_large_stack<T: Send>(stack: usize, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, work);
        match thread.expect("the operating system gives this process a thread").join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
