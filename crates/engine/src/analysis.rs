//! From a `.crate` file or a directory to facts, in this process.
//!
//! Hostile bytes are read and parsed here, so this runs in a [worker](crate::worker) except in benchmarks and tests.

use std::fs::File;
use std::path::{Path, PathBuf};

use cratekeeper_archive::{CrateArchive, Expected, ReadError, read_crate, read_directory};
use cratekeeper_model::facts::RefusedEntry;
use cratekeeper_model::{Checksum, Facts};
use cratekeeper_source::PackageFile;
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

/// Facts of a package that was read.
#[must_use]
pub fn facts(archive: &CrateArchive) -> Facts {
    let files: Vec<PackageFile<'_>> = archive
        .files
        .iter()
        .map(|file| PackageFile {
            path: &file.path,
            content: &file.contents,
            executable: file.is_executable(),
        })
        .collect();
    let mut facts =
        on_large_stack(|| cratekeeper_source::analyze(&files, &cratekeeper_source::Limits::default()));
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
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        match thread.expect("the operating system gives this process a thread").join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
