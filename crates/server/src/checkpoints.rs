//! Checkpoints on a schedule: signed statements of how far the audit log reaches, taken out of this machine's reach.
//!
//! `store` knows when the next one is due, for all replicas; here it is signed, appended to a file, and committed once it lies there. The
//! webhooks that want it are told by the same transaction.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cratekeeper_store::{AuditKey, Checkpoint, CheckpointError, Event, StoreError};

use crate::configuration::Checkpoints;
use crate::error::with_sources;
use crate::gate::Gate;

/// File with the key that signs, in the data directory.
const KEY: &str = "audit.key";

/// How often somebody looks whether one is due: their distance is given in hours.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// From this length on, the file is put aside and a new one begun: some 3,000 checkpoints, eight years of daily ones.
const LARGEST: u64 = 1 << 20;

/// Files that were put aside, at most; beyond, the file grows.
const PUT_ASIDE: u32 = 10_000;

/// Seconds of an hour.
const HOUR: i64 = 60 * 60;

/// Checkpoints can be neither signed nor kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointsError {
    /// The key cannot be used.
    #[error("failed to use the key `{}`", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        source: CheckpointError,
    },
    /// A file or directory cannot be used.
    #[error("failed to access `{}`", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Checkpoints beside what they are about show nothing.
    #[error("failed to set up checkpoints: `{}` lies in the data directory", path.display())]
    Inside {
        /// The file.
        path: PathBuf,
    },
}

impl CheckpointsError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            CheckpointsError::Key { .. } => None,
            CheckpointsError::Io { .. } => {
                Some("`checkpoints.file` and `checkpoints.key` lie in directories that are there")
            }
            CheckpointsError::Inside { .. } => Some(
                "whoever can rewrite the log there can rewrite its checkpoints: name a file elsewhere, best on another machine",
            ),
        }
    }
}

/// The key that signs checkpoints; made, readable by its owner alone, where there is none.
///
/// # Errors
///
/// When its file can be neither read nor made, or holds something else.
pub fn key(checkpoints: &Checkpoints, directory: &Path) -> Result<AuditKey, CheckpointsError> {
    let path = checkpoints.key.clone().unwrap_or_else(|| directory.join(KEY));
    let io = |source| CheckpointsError::Io { path: path.clone(), source };
    let unfit = |source| CheckpointsError::Key { path: path.clone(), source };
    match std::fs::read(&path) {
        Ok(bytes) => return AuditKey::from_pkcs8(&bytes).map_err(unfit),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(io(error)),
    }
    let (key, bytes) = AuditKey::generate().map_err(unfit)?;
    // Whole or not at all, and readable by its owner alone from the first byte on.
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(io)?;
    file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(io)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(key),
        // Another process was faster: its key is the one that signs.
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            AuditKey::from_pkcs8(&std::fs::read(&path).map_err(io)?).map_err(unfit)
        }
        Err(error) => Err(io(error.error)),
    }
}

/// Tells whether checkpoints can be kept where they are to be kept, before anything is started.
pub(crate) fn check(checkpoints: &Checkpoints, directory: &Path) -> Result<(), CheckpointsError> {
    let Some(file) = &checkpoints.file else { return Ok(()) };
    let parent = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = |path: &Path| {
        std::fs::canonicalize(path).map_err(|source| CheckpointsError::Io { path: path.to_owned(), source })
    };
    // A link would lead out of a directory, or into it.
    let place = if file.exists() { real(file)? } else { real(parent)? };
    if place.starts_with(real(directory)?) {
        return Err(CheckpointsError::Inside { path: file.clone() });
    }
    Ok(())
}

impl Gate {
    /// Takes checkpoints until the gate ends.
    pub(crate) async fn take_checkpoints(self: Arc<Gate>) {
        let every = i64::from(self.configuration.checkpoints.every).saturating_mul(HOUR);
        if every == 0 {
            return;
        }
        let mut pause = tokio::time::interval(LOOK_EVERY);
        pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            pause.tick().await;
            if let Err(reason) = self.take_due_checkpoint(every).await {
                // It is tried again at the next look: a schedule that gave up would look like one that has nothing to say.
                self.metrics.checkpoint_failure();
                tracing::error!("failed to take a checkpoint of the audit log: {reason}");
            }
        }
    }

    async fn take_due_checkpoint(&self, every: i64) -> Result<(), String> {
        let text = |error: StoreError| with_sources(&error);
        let file = self.configuration.checkpoints.file.clone();
        if file.is_none() && !self.has_listeners().await.map_err(text)? {
            return Ok(());
        }
        let due = self.store.due_checkpoint(&self.audit_key, every, self.now()).await.map_err(text)?;
        let Some((checkpoint, transaction)) = due else { return Ok(()) };
        if let Some(file) = file {
            // First where it is kept: one that lies there twice does no harm, one that lies nowhere does.
            let taken = checkpoint.clone();
            let written = tokio::task::spawn_blocking(move || append(&file, &taken, LARGEST));
            // A mount whose server is gone hangs, and everybody who acts waits for this transaction.
            tokio::time::timeout(WRITING, written)
                .await
                .map_err(|_| format!("its file was not written within {} seconds", WRITING.as_secs()))?
                .map_err(|_| "whoever wrote it ended".to_owned())?
                .map_err(|error| format!("its file cannot be written: {error}"))?;
        }
        transaction.commit().await.map_err(text)?;
        tracing::info!(sequence = checkpoint.sequence, "a checkpoint of the audit log was taken");
        Ok(())
    }

    /// Whether a webhook wants checkpoints.
    async fn has_listeners(&self) -> Result<bool, StoreError> {
        let wants =
            |events: &[String]| events.is_empty() || events.iter().any(|it| it == Event::Checkpoint.as_str());
        let webhooks = self.store.webhooks().await?;
        Ok(webhooks.iter().any(|it| it.disabled_at.is_none() && wants(&it.events)))
    }
}

/// How long a file may take.
const WRITING: Duration = Duration::from_secs(5);

/// Adds a line to a file, durably; one that has become too long is put aside, under its name and the first number that is free.
fn append(path: &Path, checkpoint: &Checkpoint, largest: u64) -> std::io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|it| it.len() >= largest) {
        let aside = |number: u32| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        if let Some(free) = (1..=PUT_ASIDE).map(aside).find(|it| !it.exists()) {
            std::fs::rename(path, free)?;
        }
    }
    let mut line = serde_json::to_vec(checkpoint)?;
    line.push(b'\n');
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let before = file.metadata()?.len();
    if let Err(error) = file.write_all(&line).and_then(|()| file.sync_all()) {
        // Half a line would make the whole file unreadable.
        let _ = file.set_len(before);
        return Err(error);
    }
    // The name of a new file is durable when its directory is.
    if let Some(parent) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        serde_json::from_value(serde_json::json!({
            "sequence": 7, "hash": "0".repeat(64), "at": 1, "signer": "", "signature": ""
        }))
        .unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_kept_from_others() {
        let directory = tempfile::tempdir().unwrap();
        let first = key(&Checkpoints::default(), directory.path()).unwrap().public();
        assert_eq!(key(&Checkpoints::default(), directory.path()).unwrap().public(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(directory.path().join(KEY)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        let shared = Checkpoints { key: Some(directory.path().join(KEY)), ..Checkpoints::default() };
        assert_eq!(key(&shared, Path::new("/nowhere")).unwrap().public(), first);
        std::fs::write(directory.path().join(KEY), "something else").unwrap();
        assert!(matches!(key(&shared, Path::new("/nowhere")), Err(CheckpointsError::Key { .. })));
    }

    #[test]
    fn checkpoints_lie_elsewhere_than_what_they_are_about() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at =
            |file: PathBuf| check(&Checkpoints { file: Some(file), ..Checkpoints::default() }, data.path());
        assert!(at(other.path().join("checkpoints")).is_ok());
        assert!(matches!(at(data.path().join("checkpoints")), Err(CheckpointsError::Inside { .. })));
        assert!(at(other.path().join("none/checkpoints")).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(data.path(), other.path().join("link")).unwrap();
            assert!(at(other.path().join("link/checkpoints")).is_err(), "a link leads inside");
        }
    }

    #[test]
    fn a_file_grows_by_lines_and_is_put_aside_when_it_is_long() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoints");
        for _ in 0..5 {
            append(&path, &checkpoint(), 300).unwrap();
        }
        let lines =
            |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap().lines().count();
        let counts = ["checkpoints", "checkpoints.1"].map(lines);
        assert!(counts.iter().all(|it| *it > 0), "{counts:?}");
        let read: Checkpoint =
            serde_json::from_str(std::fs::read_to_string(&path).unwrap().lines().next().unwrap()).unwrap();
        assert_eq!(read, checkpoint());
    }
}
