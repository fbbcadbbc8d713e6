//! What owners run into that people put up: locks and kept names. And what a policy does not count: waivers.

use std::sync::Arc;
use std::time::Duration;

use cratekeeper_policy::{Waived, Waiver};
use cratekeeper_store::{
    Act, CrateRecord, LockedAction, RegistryId, StoreError, Transaction, User, VersionId, VersionRecord,
    WaivedKind, WaiverRecord,
};

use crate::error::{Failure, with_sources};
use crate::gate::{GATE, Gate};
use crate::protocol::CrateName;
use crate::refusal::harmless;

/// How often somebody looks whether waivers have expired: they end at moments that people chose by the day.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Waivers that are seen to at once.
const AT_ONCE: u64 = 100;

/// Most characters of a reason that an owner is told.
const REASON: usize = 300;

impl Gate {
    /// Refuses what the owners of a crate may not do at the moment.
    ///
    /// # Errors
    ///
    /// When it is locked, or the database refuses.
    pub(crate) async fn refuse_locked(
        &self,
        krate: &CrateRecord,
        action: LockedAction,
    ) -> Result<(), Failure> {
        let locks = self.store.locks(krate.id).await?;
        let Some(lock) = locks.into_iter().find(|it| it.action == action) else { return Ok(()) };
        let what = match action {
            LockedAction::Publish => "publishing",
            LockedAction::Yank => "yanking",
            LockedAction::Owners => "changing owners",
        };
        Err(Failure::Forbidden(format!(
            "`{}` is locked against {what}: {}",
            krate.name,
            harmless(&lock.reason, REASON)
        )))
    }

    /// Refuses what somebody does whose account is frozen, before megabytes are read for it. The transaction has the last word.
    ///
    /// # Errors
    ///
    /// When it is, or the database refuses.
    pub(crate) async fn refuse_frozen(&self, user: &User) -> Result<(), Failure> {
        match self.store.freeze_of(user.id).await? {
            Some(freeze) => Err(Failure::Forbidden(harmless(&freeze.refusal(), REASON + 200))),
            None => Ok(()),
        }
    }

    /// Refuses a new crate whose name is kept from whoever publishes it.
    ///
    /// # Errors
    ///
    /// When it is, or the database refuses.
    pub(crate) async fn refuse_kept(&self, login: &str, name: &CrateName) -> Result<(), Failure> {
        let Some(kept) = self.store.kept_name(name.as_str()).await? else { return Ok(()) };
        if kept.login.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(login)) {
            return Ok(());
        }
        let word = if kept.login.is_some() { "reserved" } else { "prohibited" };
        Err(Failure::Forbidden(format!("the name `{name}` is {word}: {}", harmless(&kept.reason, REASON))))
    }

    /// Waivers that count for a version, as policies read them.
    pub(crate) async fn waivers(
        &self,
        krate: &CrateRecord,
        version: &VersionRecord,
        at: i64,
    ) -> Result<Vec<Waiver>, StoreError> {
        let records = self.store.waivers_of(krate.id, version.id, at).await?;
        Ok(records.into_iter().filter_map(|it| waiver(it, &krate.name)).collect())
    }

    /// Has versions judged again, as a part of an act.
    pub(crate) async fn judge_in(
        &self,
        transaction: &mut Transaction,
        registry: RegistryId,
        versions: &[VersionId],
    ) -> Result<(), StoreError> {
        let fronts = self.fronts.values().map(|it| &it.registry);
        let registry = std::iter::once(&self.hosted).chain(fronts).find(|it| it.id == registry);
        for version in versions {
            transaction.enqueue(&self.inspection_of(registry.unwrap_or(&self.hosted), *version)).await?;
        }
        Ok(())
    }

    /// Ends waivers whose time is over, and has judged again what they were about, until the gate ends.
    pub(crate) async fn follow_waivers(self: Arc<Gate>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(error) = self.end_expired_waivers().await {
                tracing::warn!("failed to end waivers: {}", with_sources(&error));
            }
        }
    }

    async fn end_expired_waivers(&self) -> Result<(), StoreError> {
        for waiver in self.store.expired_waivers(self.now(), AT_ONCE).await? {
            let krate = self.store.crate_by_id(waiver.crate_id).await?;
            let act = Act::new(GATE, "waiver.expire", &krate.name, self.now())
                .with_detail(serde_json::json!({ "waiver": waiver.id, (waiver.kind.as_str()): waiver.what }));
            let mut transaction = self.store.act(act).await?;
            transaction.end_waiver(waiver.id).await?;
            let versions = transaction.versions_waived(waiver.crate_id, waiver.version).await?;
            self.judge_in(&mut transaction, krate.registry, &versions).await?;
            transaction.commit().await?;
            self.there_is_work();
        }
        Ok(())
    }
}

/// A waiver that the store chose for a version of a crate, as policies read it.
pub(crate) fn waiver(record: WaiverRecord, krate: &str) -> Option<Waiver> {
    // Policies count days, the store moments; what has expired by its moment was not chosen.
    let last = jiff::Timestamp::from_second(record.expires_at).ok()?;
    Some(Waiver {
        what: match record.kind {
            WaivedKind::Clause => Waived::Clause(record.what),
            WaivedKind::Rule => Waived::Rule(record.what),
        },
        name: krate.to_owned(),
        // Whether it is about all versions or this one was asked by whoever chose it.
        version: None,
        owner: record.owner,
        reason: record.reason,
        expires: last.to_zoned(jiff::tz::TimeZone::UTC).date(),
        line: 0,
    })
}
