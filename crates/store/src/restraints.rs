//! What people keep others from doing, apart from decisions about versions: locks of crates, names that are kept, and, the other way round, waivers of
//! clauses and rules.
//!
//! Whether somebody runs into one is for the server to ask before it acts; everything ends by an act with an entry of its own.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{crates, kept_names, locks, versions, waivers};
use crate::error::During;
use crate::registries::{CrateRecord, crate_by_id};
use crate::words::{canonical_name, clean, clean_optional, fold, read_word, words};
use crate::{CrateId, LockId, Store, StoreError, StoreErrorKind, Transaction, VersionId, WaiverId};

words! {
    /// What a lock keeps owners from.
    pub enum LockedAction {
        /// To publish versions.
        Publish = "publish",
        /// To withdraw versions, or put them back.
        Yank = "yank",
        /// To invite, accept or remove owners.
        Owners = "owners",
    }
}

words! {
    /// What a waiver takes back.
    pub enum WaivedKind {
        /// A clause of the policy.
        Clause = "clause",
        /// What a rule finds.
        Rule = "rule",
    }
}

/// A lock of a crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Its number.
    pub id: LockId,
    /// The crate.
    pub crate_id: CrateId,
    /// What owners may not do.
    pub action: LockedAction,
    /// Why; owners read it.
    pub reason: String,
    /// Who locked it.
    pub actor: String,
    /// Since when.
    pub at: i64,
}

impl TryFrom<locks::Model> for Lock {
    type Error = StoreError;

    fn try_from(row: locks::Model) -> Result<Lock, StoreError> {
        Ok(Lock {
            id: LockId(row.id),
            crate_id: CrateId(row.crate_id),
            action: read_word(&row.action, "action", row.id)?,
            reason: row.reason,
            actor: row.actor,
            at: row.at,
        })
    }
}

/// A name that nobody may publish under, or one account alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptName {
    /// The name, as it was given.
    pub name: String,
    /// Who may publish under it; nobody when `None`.
    pub login: Option<String>,
    /// Why; whoever tries reads it.
    pub reason: String,
    /// Who keeps it.
    pub actor: String,
    /// Since when.
    pub at: i64,
}

impl From<kept_names::Model> for KeptName {
    fn from(row: kept_names::Model) -> KeptName {
        KeptName { name: row.name, login: row.login, reason: row.reason, actor: row.actor, at: row.at }
    }
}

/// A clause of a policy, or a rule, that does not count for a crate or one of its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverRecord {
    /// Its number.
    pub id: WaiverId,
    /// The crate.
    pub crate_id: CrateId,
    /// The version; all of the crate when `None`.
    pub version: Option<VersionId>,
    /// Whether a clause or a rule is waived.
    pub kind: WaivedKind,
    /// Id of the clause or rule.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Since when.
    pub at: i64,
    /// Until before when.
    pub expires_at: i64,
    /// When it was ended, or its expiry was seen to.
    pub ended_at: Option<i64>,
}

impl TryFrom<waivers::Model> for WaiverRecord {
    type Error = StoreError;

    fn try_from(row: waivers::Model) -> Result<WaiverRecord, StoreError> {
        Ok(WaiverRecord {
            id: WaiverId(row.id),
            crate_id: CrateId(row.crate_id),
            version: row.version_id.map(VersionId),
            kind: read_word(&row.kind, "kind", row.id)?,
            what: row.what,
            reason: row.reason,
            owner: row.owner,
            at: row.at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
        })
    }
}

impl Transaction {
    /// Locks a crate, or ends the lock.
    ///
    /// # Errors
    ///
    /// When there is no such crate, it is locked (or not) already, or the database refuses.
    pub async fn set_lock(
        &mut self,
        krate: CrateId,
        action: LockedAction,
        locked: bool,
        reason: &str,
    ) -> Result<(), StoreError> {
        let name = crate_by_id(&self.inner, krate.0).await?.name;
        let query = locks::Entity::find()
            .filter(locks::Column::CrateId.eq(krate.0))
            .filter(locks::Column::Action.eq(action.as_str()))
            .filter(locks::Column::EndedAt.is_null());
        let found = query.one(&self.inner).await.during("look for the lock of", &name)?;
        let by = clean(self.actor().unwrap_or_default());
        match (found, locked) {
            (None, true) => {
                let row = locks::ActiveModel {
                    crate_id: Set(krate.0),
                    action: Set(action.as_str().to_owned()),
                    reason: Set(clean(reason)),
                    actor: Set(by),
                    at: Set(self.at),
                    ..Default::default()
                };
                row.insert(&self.inner).await.during("lock the crate", &name)?;
                Ok(())
            }
            (Some(row), false) => {
                let mut update: locks::ActiveModel = row.into();
                update.ended_at = Set(Some(self.at));
                update.ended_by = Set(Some(by));
                update.update(&self.inner).await.during("unlock the crate", &name)?;
                Ok(())
            }
            (Some(_), true) => Err(StoreError::new("lock the crate", name, StoreErrorKind::AlreadyExists)),
            (None, false) => Err(StoreError::new("unlock the crate", name, StoreErrorKind::NotFound)),
        }
    }

    /// Keeps a name from everybody, or for one account.
    ///
    /// # Errors
    ///
    /// When it is kept already, or the database refuses.
    pub async fn keep_name(
        &mut self,
        name: &str,
        login: Option<&str>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let row = kept_names::ActiveModel {
            canonical: Set(canonical_name(name)),
            name: Set(clean(name)),
            login: Set(clean_optional(login)),
            login_folded: Set(login.map(fold)),
            reason: Set(clean(reason)),
            actor: Set(clean(self.actor().unwrap_or_default())),
            at: Set(self.at),
        };
        kept_names::Entity::insert(row)
            .exec_without_returning(&self.inner)
            .await
            .during("keep the name", name)?;
        Ok(())
    }

    /// Lets everybody have a name that was kept. Gives what it was.
    ///
    /// # Errors
    ///
    /// When it is not kept, or the database refuses.
    pub async fn free_name(&mut self, name: &str) -> Result<KeptName, StoreError> {
        let key = canonical_name(name);
        let found = kept_names::Entity::find_by_id(key.clone()).one(&self.inner).await;
        let found = found.during("look for the name", name)?.during("find the name", name)?;
        kept_names::Entity::delete_by_id(key).exec(&self.inner).await.during("free the name", name)?;
        Ok(found.into())
    }

    /// Has a clause not count for a crate, or for one of its versions.
    ///
    /// # Errors
    ///
    /// When there is no such crate or version, or the database refuses.
    pub async fn waive(
        &mut self,
        krate: CrateId,
        version: Option<VersionId>,
        (kind, what): (WaivedKind, &str),
        reason: &str,
        expires_at: i64,
    ) -> Result<WaiverId, StoreError> {
        let row = waivers::ActiveModel {
            crate_id: Set(crate_by_id(&self.inner, krate.0).await?.id),
            version_id: Set(version.map(|it| it.0)),
            kind: Set(kind.as_str().to_owned()),
            what: Set(clean(what)),
            reason: Set(clean(reason)),
            owner: Set(clean(self.actor().unwrap_or_default())),
            at: Set(self.at),
            expires_at: Set(expires_at),
            ..Default::default()
        };
        Ok(WaiverId(row.insert(&self.inner).await.during("waive", what)?.id))
    }

    /// Ends a waiver. Gives what it was.
    ///
    /// # Errors
    ///
    /// When there is none, it ended already, or the database refuses.
    pub async fn end_waiver(&mut self, id: WaiverId) -> Result<WaiverRecord, StoreError> {
        let row =
            waivers::Entity::find_by_id(id.0).one(&self.inner).await.during("look for the waiver", id)?;
        let row = row.filter(|it| it.ended_at.is_none()).during("find the waiver", id)?;
        let mut update: waivers::ActiveModel = row.into();
        update.ended_at = Set(Some(self.at));
        update.ended_by = Set(Some(clean(self.actor().unwrap_or_default())));
        update.update(&self.inner).await.during("end the waiver", id)?.try_into()
    }

    /// Versions of a crate that have to be judged again when a waiver begins or ends: the one it is about, or all.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn versions_waived(
        &self,
        krate: CrateId,
        version: Option<VersionId>,
    ) -> Result<Vec<VersionId>, StoreError> {
        let mut query = versions::Entity::find().filter(versions::Column::CrateId.eq(krate.0));
        if let Some(version) = version {
            query = query.filter(versions::Column::Id.eq(version.0));
        }
        let rows =
            query.order_by_asc(versions::Column::Id).all(&self.inner).await.during("read", "versions")?;
        Ok(rows.into_iter().map(|it| VersionId(it.id)).collect())
    }
}

impl Store {
    /// What the owners of a crate may not do.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn locks(&self, krate: CrateId) -> Result<Vec<Lock>, StoreError> {
        let query = locks::Entity::find()
            .filter(locks::Column::CrateId.eq(krate.0))
            .filter(locks::Column::EndedAt.is_null());
        let rows = query.order_by_asc(locks::Column::Id).all(&self.read).await;
        rows.during("read the locks of crate", krate)?.into_iter().map(Lock::try_from).collect()
    }

    /// Who keeps a name, whatever its case, `-` and `_`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn kept_name(&self, name: &str) -> Result<Option<KeptName>, StoreError> {
        let found = kept_names::Entity::find_by_id(canonical_name(name)).one(&self.read).await;
        Ok(found.during("look for the name", name)?.map(KeptName::from))
    }

    /// Names that are kept, by name, behind `after`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn kept_names(&self, after: &str, limit: u64) -> Result<Vec<KeptName>, StoreError> {
        let query =
            kept_names::Entity::find().filter(kept_names::Column::Canonical.gt(canonical_name(after)));
        let rows = query.order_by_asc(kept_names::Column::Canonical).limit(limit).all(&self.read).await;
        Ok(rows.during("list", "names")?.into_iter().map(KeptName::from).collect())
    }

    /// Waivers that count for a version at a moment.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn waivers_of(
        &self,
        krate: CrateId,
        version: VersionId,
        at: i64,
    ) -> Result<Vec<WaiverRecord>, StoreError> {
        use waivers::Column::{CrateId as Of, EndedAt, ExpiresAt, Id, VersionId as About};
        let query = waivers::Entity::find()
            .filter(Of.eq(krate.0))
            .filter(About.is_null().or(About.eq(version.0)))
            .filter(EndedAt.is_null())
            .filter(ExpiresAt.gt(at));
        let rows = query.order_by_asc(Id).all(&self.read).await.during("read the waivers of crate", krate)?;
        rows.into_iter().map(WaiverRecord::try_from).collect()
    }

    /// Waivers of a crate, newest first, those that ended among them.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn waivers_for(&self, krate: CrateId, limit: u64) -> Result<Vec<WaiverRecord>, StoreError> {
        let query = waivers::Entity::find().filter(waivers::Column::CrateId.eq(krate.0));
        let rows = query.order_by_desc(waivers::Column::Id).limit(limit).all(&self.read).await;
        rows.during("read the waivers of crate", krate)?.into_iter().map(WaiverRecord::try_from).collect()
    }

    /// Waivers whose time is over and that nobody has seen to yet.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn expired_waivers(&self, at: i64, limit: u64) -> Result<Vec<WaiverRecord>, StoreError> {
        let query = waivers::Entity::find()
            .filter(waivers::Column::EndedAt.is_null())
            .filter(waivers::Column::ExpiresAt.lte(at));
        let rows = query.order_by_asc(waivers::Column::Id).limit(limit).all(&self.read).await;
        rows.during("read", "waivers")?.into_iter().map(WaiverRecord::try_from).collect()
    }

    /// Waivers that count, soonest to expire first, each with the crate that it is about.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn open_waivers(&self, limit: u64) -> Result<Vec<(CrateRecord, WaiverRecord)>, StoreError> {
        let query = waivers::Entity::find().filter(waivers::Column::EndedAt.is_null());
        let rows = query.order_by_asc(waivers::Column::ExpiresAt).limit(limit).all(&self.read).await;
        self.waivers_with_crates(rows.during("read", "waivers")?).await
    }

    /// Waivers that counted at some moment from `from` until before `to`, each with the crate that it is about.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn waivers_between(
        &self,
        from: i64,
        to: i64,
    ) -> Result<Vec<(CrateRecord, WaiverRecord)>, StoreError> {
        use waivers::Column::{At, EndedAt, ExpiresAt, Id};
        let query = waivers::Entity::find()
            .filter(At.lt(to))
            .filter(ExpiresAt.gt(from))
            .filter(EndedAt.is_null().or(EndedAt.gt(from)));
        let rows = query.order_by_asc(Id).all(&self.read).await;
        self.waivers_with_crates(rows.during("read", "waivers")?).await
    }

    async fn waivers_with_crates(
        &self,
        rows: Vec<waivers::Model>,
    ) -> Result<Vec<(CrateRecord, WaiverRecord)>, StoreError> {
        let mut found: BTreeMap<i64, crates::Model> = BTreeMap::new();
        let ids: BTreeSet<i64> = rows.iter().map(|it| it.crate_id).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        for some in ids.chunks(ROWS_AT_ONCE) {
            let query = crates::Entity::find().filter(crates::Column::Id.is_in(some.iter().copied()));
            let crates = query.all(&self.read).await.during("read crates of", "waivers")?;
            found.extend(crates.into_iter().map(|it| (it.id, it)));
        }
        let of_crate = |row: waivers::Model| {
            let krate = found.get(&row.crate_id).cloned().during("find the crate", row.crate_id)?;
            Ok((CrateRecord::from(krate), WaiverRecord::try_from(row)?))
        };
        rows.into_iter().map(of_crate).collect()
    }
}
