//! The evidence vault: bytes of versions that were taken down, sealed, and how they get there and back.
//!
//! Sealed bytes are written and opened again before plain ones go, and plain ones are there before a tombstone ends: whoever is killed in between
//! leaves bytes twice, never none. Nothing that is in the middle can be downloaded: that ends with the act, whatever happens here. Archives are
//! kept by checksum, so what another version still needs stays. The key is a file of its own, so that a backup can leave it out.

mod key;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use cratekeeper_model::Checksum;
use cratekeeper_store::{
    Act, CrateRecord, Lease, SPENT, StoreError, Tombstone, TombstoneId, TombstoneState, VAULT, VersionId,
    VersionRecord,
};
use serde_json::json;

use self::key::{KeyError, VaultKey};
use crate::blobs::BlobError;
use crate::error::{Failure, with_sources};
use crate::gate::Gate;
use crate::inspection::{LEASE, version_of};

/// How long nobody looks for bytes that other processes have moved.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Bytes could not be brought where they belong, or not be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("neither the vault nor the archive store has the archive with the checksum {0}")]
    NotThere(Checksum),
    #[error("what was sealed of the archive with the checksum {0} could not be read again")]
    Unread(Checksum),
    #[error("the bytes could not be sealed or opened: the thread ended")]
    Ended,
}

impl Gate {
    /// Moves bytes into the vault and back until the gate ends. One archive at a time: it is in memory, twice.
    pub(crate) async fn keep_vault(self: Arc<Gate>) {
        if let Err(error) = self.look_for_what_came_back().await {
            tracing::error!("failed to look for bytes that were taken down: {}", with_sources(&error));
        }
        let mut work = self.waiting.work.subscribe();
        loop {
            match self.store.claim_jobs(&self.process, &[VAULT], 1, LEASE, self.now()).await {
                Ok(claimed) if claimed.leases.is_empty() && claimed.spent.is_empty() => {
                    let _ = tokio::time::timeout(LOOK_EVERY, work.changed()).await;
                }
                Ok(claimed) => {
                    for lease in &claimed.spent {
                        self.put_back(lease, SPENT).await;
                    }
                    for lease in &claimed.leases {
                        self.move_bytes(lease).await;
                    }
                }
                Err(error) => {
                    tracing::error!("failed to look for jobs of the vault: {}", with_sources(&error));
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    async fn move_bytes(self: &Arc<Gate>, lease: &Lease) {
        let moved = tokio::select! {
            moved = self.try_move(lease) => moved,
            // Somebody else does it now, after a clock that jumped say.
            () = self.clone().signs_of_life(lease.clone()) => return,
        };
        match moved {
            Ok(()) => {
                if let Err(error) = self.store.complete_job(lease).await {
                    tracing::error!(job = lease.id.0, "failed to end a job: {}", with_sources(&error));
                }
            }
            Err(error) => self.put_back(lease, &with_sources(&error)).await,
        }
    }

    /// Puts a job back, and says on the tombstone what is wrong.
    async fn put_back(&self, lease: &Lease, reason: &str) {
        tracing::error!(job = lease.id.0, attempt = lease.attempt, "bytes could not be moved: {reason}");
        let noted = async {
            if let Some(version) = version_of(&lease.payload)
                && let Some(tombstone) = self.store.tombstone(version).await?
            {
                self.store.note_trouble(tombstone.id, reason).await?;
            }
            self.store.fail_job(lease, reason, self.now()).await
        };
        if let Err(error) = noted.await {
            tracing::error!(job = lease.id.0, "failed to put back a job: {}", with_sources(&error));
        }
    }

    async fn try_move(&self, lease: &Lease) -> Result<(), VaultError> {
        let Some(version) = version_of(&lease.payload) else { return Ok(()) };
        let Some(tombstone) = self.store.tombstone(version).await? else { return Ok(()) };
        match tombstone.state {
            TombstoneState::Sealing | TombstoneState::Sealed | TombstoneState::Absent => {
                let state = self.seal(&tombstone).await?;
                self.store.record_sealed(&tombstone, state, self.now()).await?;
            }
            TombstoneState::Restoring => self.bring_back(&tombstone).await?,
            TombstoneState::Restored => {}
        }
        Ok(())
    }

    /// Makes sure that the vault has the bytes, and then that nothing else has.
    async fn seal(&self, tombstone: &Tombstone) -> Result<TombstoneState, VaultError> {
        let checksum = tombstone.checksum;
        let plain = match self.blobs.get(&checksum).await {
            Ok(bytes) => Some(bytes),
            Err(BlobError::NotThere(_)) => None,
            // What is damaged is worth nothing beside a sealed copy, and is all there is without one.
            Err(error @ BlobError::Damaged { .. }) => {
                self.note_damage(&error);
                self.sealed(&checksum).await.map_err(|_| error)?;
                None
            }
            Err(error) => return Err(error.into()),
        };
        let state = match &plain {
            Some(bytes) => {
                self.seal_and_verify(checksum, bytes).await?;
                TombstoneState::Sealed
            }
            None if self.blobs.sealed(&checksum).await?.is_some() => TombstoneState::Sealed,
            None => TombstoneState::Absent,
        };
        if !self.store.is_needed(checksum).await? {
            self.blobs.remove(&checksum).await?;
            // Another registry's version, or a restored one, may need them since: whoever makes it so looks for them after that, and
            // this looks for it after they are gone.
            if self.store.is_needed(checksum).await?
                && let Some(bytes) = plain
            {
                self.blobs.put(bytes).await?;
            }
        } else if state == TombstoneState::Sealed {
            // Whoever was interrupted before the bytes were put back left them sealed alone.
            self.put_plain(&checksum).await?;
        }
        self.views.forget_archive(&checksum);
        Ok(state)
    }

    async fn seal_and_verify(&self, checksum: Checksum, plain: &Bytes) -> Result<(), VaultError> {
        if self.sealed(&checksum).await.is_ok() {
            return Ok(());
        }
        let key = VaultKey::for_sealing(&self.directory, self.store.has_sealed().await?)?;
        let bytes = plain.clone();
        let sealing = tokio::task::spawn_blocking(move || key.seal(&checksum, &bytes));
        let sealed = sealing.await.map_err(|_| VaultError::Ended)??;
        self.blobs.put_sealed(&checksum, sealed.into()).await?;
        self.sealed(&checksum).await.map(|_| ())
    }

    /// What the vault has of an archive, opened: its bytes have the checksum.
    async fn sealed(&self, checksum: &Checksum) -> Result<Bytes, VaultError> {
        let sealed = self.blobs.sealed(checksum).await?.ok_or(VaultError::NotThere(*checksum))?;
        let key = VaultKey::for_opening(&self.directory)?;
        let its = *checksum;
        let opening = tokio::task::spawn_blocking(move || -> Result<Bytes, VaultError> {
            let bytes = key.open(&its, &sealed)?;
            if Checksum::of(&bytes) == its { Ok(bytes.into()) } else { Err(VaultError::Unread(its)) }
        });
        opening.await.map_err(|_| VaultError::Ended)?
    }

    /// Brings the bytes back, and ends the tombstone then.
    async fn bring_back(&self, tombstone: &Tombstone) -> Result<(), VaultError> {
        let (krate, version) = self.store.version_by_id(tombstone.version).await?;
        let registry = self.registry_of(&krate).cloned();
        let is_upstreams = registry.as_ref().is_some_and(|it| self.front(it).is_some());
        let is_there = self.put_plain(&tombstone.checksum).await;
        match is_there {
            // Nobody had fetched it: whoever asks has it brought.
            Err(VaultError::NotThere(_)) if is_upstreams => {}
            result => result?,
        }
        let inspection = registry.as_ref().unwrap_or(&self.hosted);
        let inspection = self.inspection_of(inspection, version.id);
        self.store.record_restored(tombstone, &inspection, self.now()).await?;
        // Whoever seals the same bytes for another tombstone may have removed them in between.
        if !is_upstreams {
            self.put_plain(&tombstone.checksum).await?;
        }
        self.forget(&krate);
        self.there_is_work();
        Ok(())
    }

    /// Makes sure that the archive store has the plain bytes.
    async fn put_plain(&self, checksum: &Checksum) -> Result<(), VaultError> {
        if self.check_archive(checksum).await.is_ok() {
            return Ok(());
        }
        let bytes = self.sealed(checksum).await?;
        self.blobs.put(bytes).await?;
        Ok(self.check_archive(checksum).await?)
    }

    /// The bytes of a version that was taken down, in memory alone, for whoever looks at evidence. Each look is an entry of the audit log.
    pub(crate) async fn evidence(
        &self,
        login: &str,
        (krate, version): (&CrateRecord, &VersionRecord),
        detail: serde_json::Value,
    ) -> Result<Bytes, Failure> {
        // Written first: whoever cannot be written down sees nothing.
        let object = format!("{}@{}", krate.name, version.version);
        let act = Act::new(login, "vault.read", object, self.now());
        let detail = json!({ "checksum": version.checksum, "what": detail });
        self.store.act(act.with_detail(detail)).await?.commit().await?;
        let failed = match self.sealed(&version.checksum).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => error,
        };
        match failed {
            // Not sealed yet, or needed by another version.
            VaultError::NotThere(_) => match self.blobs.get(&version.checksum).await {
                Ok(bytes) => Ok(bytes),
                Err(BlobError::NotThere(_)) => {
                    Err(Failure::NotFound("nothing of it was here when it was taken down".to_owned()))
                }
                Err(error) => Err(error.into()),
            },
            VaultError::Key(error) => Err(Failure::Conflict(format!("the vault cannot be opened: {error}"))),
            VaultError::Store(error) => Err(error.into()),
            VaultError::Blob(error) => Err(error.into()),
            error => Err(Failure::Internal(with_sources(&error))),
        }
    }

    /// Has bytes looked after that may be here again although all that they are was taken down.
    pub(crate) async fn seal_what_came_back(&self, checksum: Checksum) -> Result<(), StoreError> {
        for (_, version) in self.store.versions_with_checksum(checksum).await? {
            if version.is_taken_down() {
                self.store.seal_again(version.id, self.now()).await?;
            }
        }
        self.there_is_work();
        Ok(())
    }

    /// Looks for plain bytes of what was taken down: a backup that was put back has them again, and so has a request that was cut off.
    async fn look_for_what_came_back(&self) -> Result<(), VaultError> {
        let mut after = TombstoneId(0);
        loop {
            let some = self.store.taken_down(after).await?;
            let Some(last) = some.last() else { return Ok(()) };
            after = last.tombstone;
            for it in some {
                if self.blobs.has(&it.checksum).await? && !self.store.is_needed(it.checksum).await? {
                    self.store.seal_again(it.version, self.now()).await?;
                }
            }
        }
    }

    /// Whether a version was taken down by now, whatever whoever asks knew when it began.
    pub(crate) async fn was_taken_down(&self, version: VersionId) -> Result<bool, StoreError> {
        Ok(self.store.version_by_id(version).await?.1.is_taken_down())
    }
}
