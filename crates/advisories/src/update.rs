//! Brings a clone of the database up to date.
//!
//! Every update is a fresh clone beside the old one, which is checked and then put in its place. A fetch
//! and a hard reset would transfer less (of the one megabyte that the RustSec database is), but would run git in
//! a directory that was there before, whose configuration may name programs to start; would leave a
//! half-changed tree behind when interrupted; and would have to undo itself when the new state turns out not
//! to be a database. This way a damaged copy heals as well.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use fs_err as fs;
use tempfile::TempDir;

use crate::git::{Git, without_credentials};
use crate::snapshot::{MARKER, git_directory, marker, revision};
use crate::{Database, OpenError};

/// Where the RustSec database is kept.
pub const RUSTSEC_URL: &str = "https://github.com/RustSec/advisory-db.git";

/// What an update changed. A revision is `None` when the clone does not tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// There was nothing before.
    Cloned {
        /// Commit that is there now.
        revision: Option<String>,
    },
    /// The database has another state than before.
    Updated {
        /// Commit that was there before.
        from: Option<String>,
        /// Commit that is there now.
        to: Option<String>,
    },
    /// The database was up to date; its age counts from now.
    Unchanged {
        /// Commit that was and is there.
        revision: Option<String>,
    },
}

/// Why an update failed. The state from before is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// There is no git on the search path.
    #[error("failed to update the advisory database: there is no `git`")]
    GitMissing {
        /// What the system said.
        source: io::Error,
    },
    /// Git ended with an error.
    #[error("failed to clone `{url}` ({status}): {message}")]
    Git {
        /// Address, without credentials.
        url: String,
        /// How git ended.
        status: ExitStatus,
        /// The last of what git printed, without control characters.
        message: String,
    },
    /// Git took too long and was ended.
    #[error("failed to clone `{url}`: not done after {} seconds", after.as_secs())]
    TimedOut {
        /// Address, without credentials.
        url: String,
        /// How long git was given.
        after: Duration,
    },
    /// There is something at the path that no update of ours has made.
    #[error("`{}` is not ours to replace: no update has made it", path.display())]
    NotOurs {
        /// The directory that was to be updated.
        path: PathBuf,
    },
    /// What was cloned is not an advisory database.
    #[error("`{url}` is not an advisory database")]
    NotADatabase {
        /// Address, without credentials.
        url: String,
        /// What it lacks.
        source: OpenError,
    },
    /// A file or directory could not be read, made or moved.
    #[error("failed to {operation} `{}`", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl UpdateError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            UpdateError::GitMissing { .. } => {
                "install git, or copy the database to this machine by other means"
            }
            UpdateError::Git { .. } => "check the address, and that git can reach it",
            UpdateError::TimedOut { .. } => "check the network, and try again later",
            UpdateError::NotOurs { .. } => {
                "name a directory that does not exist yet, or update this one with git"
            }
            UpdateError::NotADatabase { .. } => "check the address of the database",
            UpdateError::Io { .. } => "check permissions and free space",
        }
    }
}

/// Brings the database in `directory` to the newest state of `url`, by the system's git.
///
/// The directory must not exist, be empty, or come from an earlier update: nothing else is ever replaced.
/// Local changes in such a clone are lost. For the blink of an eye between two renames the directory does
/// not exist; who opens it then gets [`OpenError::Missing`].
///
/// # Errors
///
/// [`UpdateError`]. In every case the directory is as it was before.
pub fn update(directory: &Path, url: &str) -> Result<UpdateOutcome, UpdateError> {
    update_with(&Git::system(), directory, url)
}

fn update_with(git: &Git, directory: &Path, url: &str) -> Result<UpdateOutcome, UpdateError> {
    let target = Target::prepare(directory)?;
    let workplace = target.workplace()?;
    let fresh = workplace.path().join("fresh");
    git.clone(url, &fresh, workplace.path())?;
    let to = accept(&fresh, url)?;
    let from = target.revision();
    let replaced = target.replaced;
    target.replace(&fresh, workplace)?;
    tracing::debug!(from, to, "updated the advisory database");
    Ok(match replaced {
        false => UpdateOutcome::Cloned { revision: to },
        true if from == to => UpdateOutcome::Unchanged { revision: to },
        true => UpdateOutcome::Updated { from, to },
    })
}

/// Checks a fresh clone, marks it as ours and returns its revision.
fn accept(fresh: &Path, url: &str) -> Result<Option<String>, UpdateError> {
    Database::open(fresh)
        .map_err(|source| UpdateError::NotADatabase { url: without_credentials(url), source })?;
    let git = fresh.join(".git");
    let path = git.join(MARKER);
    fs::write(&path, marker(SystemTime::now())).map_err(failed("write", &path))?;
    Ok(revision(&git))
}

/// The directory to update, made sure to be ours.
#[derive(Debug)]
struct Target {
    /// Without symbolic links, so that a rename meets the directory and not a link to it.
    path: PathBuf,
    /// The directory above.
    parent: PathBuf,
    /// Whether an earlier update has made it.
    replaced: bool,
}

impl Target {
    fn prepare(directory: &Path) -> Result<Target, UpdateError> {
        let not_ours = || UpdateError::NotOurs { path: directory.to_owned() };
        let (path, replaced) = match fs::canonicalize(directory) {
            Ok(path) => {
                let replaced = is_marked(&path);
                if !replaced && !is_empty_directory(&path)? {
                    return Err(not_ours());
                }
                (path, replaced)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (resolve_new(directory)?, false),
            Err(error) => return Err(failed("find", directory)(error)),
        };
        let parent = path.parent().ok_or_else(not_ours)?.to_owned();
        Ok(Target { path, parent, replaced })
    }

    /// A directory beside the target, so that a rename is all it takes. Removed when dropped.
    fn workplace(&self) -> Result<TempDir, UpdateError> {
        let mut builder = tempfile::Builder::new();
        builder
            .prefix(".advisories-")
            .tempdir_in(&self.parent)
            .map_err(failed("make a directory in", &self.parent))
    }

    fn revision(&self) -> Option<String> {
        revision(&git_directory(&self.path)?)
    }

    /// Puts `fresh` where the target is. If that fails half-way, the old state is put back.
    fn replace(&self, fresh: &Path, workplace: TempDir) -> Result<(), UpdateError> {
        let old = workplace.path().join("old");
        let had_old = match fs::rename(&self.path, &old) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed("move", &self.path)(error)),
        };
        let Err(error) = fs::rename(fresh, &self.path) else { return Ok(()) };
        if had_old && fs::rename(&old, &self.path).is_err() {
            // It cannot go back, so at least it must not go away with the temporary directory.
            let kept = workplace.keep();
            return Err(failed("put back the old database from", &kept)(error));
        }
        Err(failed("move the new database to", &self.path)(error))
    }
}

/// The full path of a directory that does not exist yet; those above it are made.
fn resolve_new(directory: &Path) -> Result<PathBuf, UpdateError> {
    let name = directory.file_name().ok_or_else(|| UpdateError::NotOurs { path: directory.to_owned() })?;
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(failed("make", parent))?;
    Ok(fs::canonicalize(parent).map_err(failed("find", parent))?.join(name))
}

/// Whether a clone of ours is at `path`. The marker lies in `.git`, where no commit can put it.
fn is_marked(path: &Path) -> bool {
    git_directory(path)
        .and_then(|git| fs::symlink_metadata(git.join(MARKER)).ok())
        .is_some_and(|metadata| metadata.is_file())
}

fn is_empty_directory(path: &Path) -> Result<bool, UpdateError> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> UpdateError {
    let path = path.to_owned();
    move |source| UpdateError::Io { operation, path, source }
}

#[cfg(test)]
mod tests;
