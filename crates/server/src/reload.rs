//! What may change while a gate runs: its policy, some of `gate.toml`, and certificates.
//!
//! Everything is read and checked first; one mistake anywhere leaves everything as it was, and all are told at once. Who changed a policy,
//! and from which to which, stands in the audit log (`in_force`): at a reload, and at a start with another policy than the log saw last.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cratekeeper_model::Checksum;
use cratekeeper_policy::Policy;
use cratekeeper_store::{Act, Store, StoreError};
use serde::Serialize;
use serde_json::json;

use crate::configuration::{Configuration, ConfigurationError, FILE};
use crate::error::with_sources;
use crate::gate::Gate;
use crate::in_force::{PolicyError, policy_in_force};

/// Name of the policy's file in the data directory.
const POLICY_FILE: &str = "cratekeeper.toml";

/// How often somebody looks whether certificates were renewed.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Mistakes of a policy that are told.
const MISTAKES: usize = 50;

/// What may change.
pub(crate) struct Live {
    settings: RwLock<Arc<Configuration>>,
    /// What the file said last: what differs from it next time is a change.
    written: RwLock<Arc<Configuration>>,
    /// One at a time.
    reloading: tokio::sync::Mutex<()>,
    /// The policy that was told to be unreadable.
    unreadable: std::sync::Mutex<Option<Checksum>>,
}

impl Live {
    pub(crate) fn new(configuration: &Configuration, directory: &Path) -> Live {
        // The file was read before, with arguments on top of it; one that is gone or was damaged since is the next reload's mistake.
        let written = Configuration::read(&directory.join(FILE)).unwrap_or_else(|_| configuration.clone());
        Live {
            settings: RwLock::new(Arc::new(configuration.clone())),
            written: RwLock::new(Arc::new(written)),
            reloading: tokio::sync::Mutex::default(),
            unreadable: std::sync::Mutex::default(),
        }
    }

    /// Nobody else changes what is in force while this is kept.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.reloading.lock().await
    }

    /// Whether nobody was told yet that this policy cannot be read.
    pub(crate) fn is_news(&self, policy: Checksum) -> bool {
        let mut told = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        told.replace(policy) != Some(policy)
    }

    pub(crate) fn settings(&self) -> Arc<Configuration> {
        // It is whole after each change, so a panic elsewhere does not matter.
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn written(&self) -> Arc<Configuration> {
        self.written.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, settings: Configuration, written: Configuration) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        *self.written.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(written);
    }
}

/// What a reload did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reloaded {
    /// SHA-256 of the policy that decides now.
    pub policy: String,
    /// Whether it is another than before.
    pub policy_changed: bool,
    /// Keys of `gate.toml` that changed.
    pub changed: Vec<&'static str>,
    /// Keys of `gate.toml` that changed and count from the next start on.
    pub needs_restart: Vec<&'static str>,
    /// Whether there is another certificate.
    pub certificate_changed: bool,
}

/// Nothing was reloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// Something that was to be read has mistakes; everything is as it was.
    #[error("nothing was changed: {}", .0.join("\n"))]
    Mistakes(Vec<String>),
    /// The audit log cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gate {
    /// Reads policy, configuration and certificates again. `by` and `reason` are for the audit log.
    ///
    /// # Errors
    ///
    /// When something has a mistake, or the audit log cannot be written: then nothing is changed.
    pub async fn reload(&self, by: &str, reason: Option<&str>) -> Result<Reloaded, ReloadError> {
        let _turn = self.live.turn().await;
        let mut mistakes = Vec::new();
        let policy = read_policy(self.configuration.policy.as_deref(), &self.directory);
        let policy = policy.map_err(|error| mistakes.extend(error)).ok();
        let told = |error: ConfigurationError| with_sources(&error);
        let written = Configuration::read(&self.directory.join(FILE))
            .and_then(|it| it.check().map(|()| it))
            .map_err(|error| mistakes.push(told(error)))
            .ok();
        let (Some(policy), Some(written)) = (policy, written) else {
            return Err(ReloadError::Mistakes(mistakes));
        };
        let renewal = match self.certificates.as_ref().map_or(Ok(None), |it| it.renewal()) {
            Ok(renewal) => renewal,
            Err(error) => return Err(ReloadError::Mistakes(vec![with_sources(&error)])),
        };
        let at = self.now();
        let mut settings = (*self.settings()).clone();
        let (changed, needs_restart) = settings.take_over(&self.live.written(), &written);
        let mut acts = Vec::new();
        if !changed.is_empty() || !needs_restart.is_empty() {
            let detail = json!({ "changed": changed, "needs_restart": needs_restart, "reason": reason });
            acts.push(Act::new(by, "configuration.change", FILE, at).with_detail(detail));
        }
        let found = policy_in_force(&self.store, policy, (by, reason, at)).await;
        let (policy, act) = found.map_err(|error| match error {
            PolicyError::Store(error) => ReloadError::Store(error),
            PolicyError::Unreadable { .. } => ReloadError::Mistakes(vec![error.to_string()]),
        })?;
        acts.extend(act);
        write_down(&self.store, acts).await?;
        // From here on nothing fails: what the log says is so.
        let certificate_changed = renewal.is_some();
        if let (Some(certificates), Some(renewal)) = (&self.certificates, renewal) {
            certificates.take(renewal);
        }
        let digest = policy.digest();
        let before = self.engine.replace_policy(policy);
        self.live.replace(settings, written);
        tracing::info!(policy = %digest, ?changed, ?needs_restart, "reloaded");
        Ok(Reloaded {
            policy: digest.to_string(),
            policy_changed: before.digest() != digest,
            changed,
            needs_restart,
            certificate_changed,
        })
    }

    /// Takes renewed certificates into use until the gate ends.
    pub(crate) async fn follow_certificates(self: Arc<Gate>) {
        let Some(certificates) = &self.certificates else { return };
        let mut told = String::new();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match certificates.refresh() {
                Ok(true) => {
                    told.clear();
                    tracing::info!("a renewed certificate is in use");
                }
                Ok(false) => {}
                Err(error) => {
                    // Once, and not every ten seconds for as long as it lasts.
                    let problem = with_sources(&error);
                    if problem != told {
                        tracing::warn!("a renewed certificate cannot be used: {problem}");
                        told = problem;
                    }
                }
            }
        }
    }
}

/// The policy that is named, or lies in the data directory, or is built in.
fn read_policy(named: Option<&Path>, directory: &Path) -> Result<Policy, Vec<String>> {
    let beside = directory.join(POLICY_FILE);
    let path: PathBuf = match named {
        Some(path) => path.to_owned(),
        None if beside.is_file() => beside,
        None => return Ok(Policy::built_in()),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| vec![format!("failed to read the policy `{}`: {error}", path.display())])?;
    Policy::parse(&text).map_err(|problems| {
        let place = |it: &cratekeeper_policy::PolicyProblem| {
            format!("{}:{}:{}: {}", path.display(), it.line, it.column, it.message)
        };
        problems.0.iter().take(MISTAKES).map(place).collect()
    })
}

/// All of these entries, or none of them.
pub(crate) async fn write_down(store: &Store, acts: Vec<Act>) -> Result<(), StoreError> {
    let mut acts = acts.into_iter();
    let Some(first) = acts.next() else { return Ok(()) };
    let mut transaction = store.act(first).await?;
    for act in acts {
        transaction.also(act);
    }
    transaction.commit().await
}
