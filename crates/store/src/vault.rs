//! What was taken down: a tombstone in the place of a version, and how far its bytes have got on their way into the vault or back.
//!
//! The version's row, its inspections, decisions and fetches stay. To take down blocks it as well, and to restore holds it, so that nothing
//! is given out again without a further act. A tombstone stands until the bytes are back: what became of them is written by the job that
//! moves them, here only the order of its steps is kept.

use cratekeeper_model::Checksum;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{decisions, tombstones, versions};
use crate::error::During;
use crate::jobs::NewJob;
use crate::outbox::Told;
use crate::ownership::shown;
use crate::registries::crate_by_id;
use crate::standing::{DecisionAction, Enforcement, State, restate};
use crate::transaction::retried;
use crate::versions::version_by_id;
use crate::words::{clean, read_word, words};
use crate::{
    Act, DecisionId, NewDecision, Store, StoreError, StoreErrorKind, Subject, TombstoneId, Transaction,
    VersionId,
};

/// Kind of the jobs that move bytes into the vault and back. Their payload has the `version_id`.
pub const VAULT: &str = "vault";

/// Characters of a trouble that are kept.
const TROUBLE: usize = 1_000;

words! {
    /// How far the bytes of a version have got that was taken down.
    pub enum TombstoneState {
        /// Its bytes are on their way into the vault.
        Sealing = "sealing",
        /// The vault has them, and nothing else.
        Sealed = "sealed",
        /// There were none here: nobody had fetched them from the upstream.
        Absent = "absent",
        /// They are on their way back.
        Restoring = "restoring",
        /// They are back: it stands no more.
        Restored = "restored",
    }
}

/// What stands in the place of a version that was taken down, or stood there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Its number; later ones are higher.
    pub id: TombstoneId,
    /// The version.
    pub version: VersionId,
    /// SHA-256 of its bytes.
    pub checksum: Checksum,
    /// How far its bytes have got.
    pub state: TombstoneState,
    /// Why it was taken down.
    pub reason: String,
    /// Who asked for it.
    pub actor: String,
    /// Who agreed.
    pub approved_by: Option<String>,
    /// When.
    pub at: i64,
    /// What keeps its bytes from being sealed, or from being brought back.
    pub trouble: Option<String>,
    /// Who asked for it to be restored, why and when; it stands until the bytes are back.
    pub restore: Option<Restore>,
}

/// That somebody has a version restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: i64,
}

impl Tombstone {
    fn read(row: tombstones::Model, approved_by: Option<String>) -> Result<Tombstone, StoreError> {
        let restore = row.restored_by.zip(row.restore_asked_at).map(|(by, at)| Restore {
            by,
            at,
            reason: row.restore_reason.unwrap_or_default(),
        });
        Ok(Tombstone {
            id: TombstoneId(row.id),
            version: VersionId(row.version_id),
            checksum: read_word(&row.checksum, "checksum", row.id)?,
            state: read_word(&row.state, "state", row.id)?,
            reason: row.reason,
            actor: row.actor,
            approved_by,
            at: row.at,
            trouble: row.trouble,
            restore,
        })
    }

    /// Whether it stands: nobody gets the version.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.state != TombstoneState::Restored
    }
}

/// A version that was taken down, with what is needed to look after its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenDown {
    /// The tombstone.
    pub tombstone: TombstoneId,
    /// The version.
    pub version: VersionId,
    /// SHA-256 of its bytes.
    pub checksum: Checksum,
}

/// A job that moves the bytes of a version to where they belong.
fn moving(version: VersionId) -> NewJob {
    let job = NewJob::new(VAULT, json!({ "version_id": version.0 }));
    job.once(format!("{VAULT}:{version}"))
}

impl Transaction {
    /// Takes versions down: they are blocked and hidden at once, and their bytes go into the vault by a job of each. Gives the blocks. Webhooks are
    /// told once, of all.
    ///
    /// # Errors
    ///
    /// `Refused` when one was taken down before; when there is no such version, or the database refuses.
    pub async fn take_down(
        &mut self,
        versions: &[VersionId],
        reason: &str,
    ) -> Result<Vec<DecisionId>, StoreError> {
        let (begun, told) = (self.outbox.begin(), self.outbox.count());
        let (mut blocks, mut blocked_before) = (Vec::new(), Vec::new());
        for version in versions {
            let transitions = self.outbox.begin();
            blocks.push(self.take_down_one(*version, reason).await?);
            if self.outbox.begin() == transitions {
                blocked_before.push(*version);
            }
        }
        let by = self.actor().unwrap_or_default().to_owned();
        let told_of_all = Told { act: "take-down", reason, decision: None, versions: &blocked_before };
        self.outbox.forget(told);
        self.outbox.decided(begun, &by, told_of_all);
        Ok(blocks)
    }

    async fn take_down_one(&mut self, version: VersionId, reason: &str) -> Result<DecisionId, StoreError> {
        let row = version_by_id(&self.inner, version.0).await?;
        if row.taken_down_reason.is_some() {
            let why = "it was taken down before".to_owned();
            return Err(StoreError::new("take down the version", row.number, StoreErrorKind::Refused(why)));
        }
        // First, as long as it is what holds: so the case about it is closed.
        let subject = Subject::Version(version);
        let block = NewDecision::new(subject, DecisionAction::Block, Enforcement::Hide, reason)?;
        let (decision, _) = self.decide(&block).await?;
        let row = version_by_id(&self.inner, version.0).await?;
        let tombstone = tombstones::ActiveModel {
            version_id: Set(row.id),
            checksum: Set(row.checksum.clone()),
            state: Set(TombstoneState::Sealing.as_str().to_owned()),
            reason: Set(clean(reason)),
            actor: Set(clean(self.actor().unwrap_or_default())),
            at: Set(self.at),
            decision_id: Set(decision.0),
            ..Default::default()
        };
        tombstone.insert(&self.inner).await.during("take down the version", version)?;
        self.set_taken_down(row, Some(reason)).await?;
        self.enqueue(&moving(version)).await?;
        Ok(decision)
    }

    /// Has the bytes of versions brought back that were taken down, by a job of each. They stay as they are until then, and are held afterwards, by
    /// the decisions that this gives.
    ///
    /// # Errors
    ///
    /// `Refused` when one was not taken down, or is restored already; when there is no such version, or the database refuses.
    pub async fn restore(
        &mut self,
        versions: &[VersionId],
        reason: &str,
    ) -> Result<Vec<DecisionId>, StoreError> {
        let (begun, told) = (self.outbox.begin(), self.outbox.count());
        let mut holds = Vec::new();
        for version in versions {
            holds.push(self.restore_one(*version, reason).await?);
        }
        let by = self.actor().unwrap_or_default().to_owned();
        self.outbox.forget(told);
        self.outbox.decided(begun, &by, Told { act: "restore", reason, decision: None, versions });
        Ok(holds)
    }

    async fn restore_one(&mut self, version: VersionId, reason: &str) -> Result<DecisionId, StoreError> {
        let refused = |why: &str| {
            Err(StoreError::new("restore the version", version, StoreErrorKind::Refused(why.to_owned())))
        };
        let Some((row, _)) = newest(&self.inner, version).await?.filter(|it| it.0.ended_at.is_none()) else {
            return refused("it was not taken down");
        };
        if row.state == TombstoneState::Restoring.as_str() {
            return refused("it is being restored already");
        }
        let subject = Subject::Version(version);
        let hold = NewDecision::new(subject, DecisionAction::Hold, Enforcement::Deny, reason)?;
        let (decision, _) = self.decide(&hold).await?;
        let id = row.id;
        let mut update: tombstones::ActiveModel = row.into();
        update.state = Set(TombstoneState::Restoring.as_str().to_owned());
        update.restore_reason = Set(Some(clean(reason)));
        update.restored_by = Set(Some(clean(self.actor().unwrap_or_default())));
        update.restore_asked_at = Set(Some(self.at));
        update.trouble = Set(None);
        update.update(&self.inner).await.during("restore from the tombstone", id)?;
        self.enqueue(&moving(version)).await?;
        Ok(decision)
    }

    async fn set_taken_down(
        &mut self,
        row: versions::Model,
        reason: Option<&str>,
    ) -> Result<versions::Model, StoreError> {
        let krate = crate_by_id(&self.inner, row.crate_id).await?;
        let id = row.id;
        let mut update: versions::ActiveModel = row.into();
        update.taken_down_reason = Set(reason.map(clean));
        let row = update.update(&self.inner).await.during("change the version", id)?;
        restate(self, krate.registry_id, vec![row.clone()]).await?;
        self.changed(krate.id);
        Ok(row)
    }
}

impl Store {
    /// The newest tombstone of a version, whether it stands or not.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn tombstone(&self, version: VersionId) -> Result<Option<Tombstone>, StoreError> {
        let found = newest(&self.read, version).await?;
        found.map(|(row, second)| Tombstone::read(row, second)).transpose()
    }

    /// Those of these versions whose bytes are to be had: the ones with this checksum that were not taken down.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn is_needed(&self, checksum: Checksum) -> Result<bool, StoreError> {
        let query = versions::Entity::find()
            .select_only()
            .column(versions::Column::Id)
            .filter(versions::Column::Checksum.eq(checksum.to_string()))
            .filter(versions::Column::TakenDownReason.is_null());
        let found: Option<i64> = query.into_tuple().one(&self.read).await.during("look for", checksum)?;
        Ok(found.is_some())
    }

    /// What was taken down and still is, in the order of the acts, behind the tombstone `after`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn taken_down(&self, after: TombstoneId) -> Result<Vec<TakenDown>, StoreError> {
        let query = tombstones::Entity::find()
            .filter(tombstones::Column::Id.gt(after.0))
            .filter(tombstones::Column::EndedAt.is_null())
            .order_by_asc(tombstones::Column::Id)
            .limit(ROWS_AT_ONCE as u64);
        let rows = query.all(&self.read).await.during("list", "tombstones")?;
        let read = |row: tombstones::Model| {
            Ok(TakenDown {
                tombstone: TombstoneId(row.id),
                version: VersionId(row.version_id),
                checksum: read_word(&row.checksum, "checksum", row.id)?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// Number of the newest tombstone; 0 where there is none.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn newest_tombstone(&self) -> Result<TombstoneId, StoreError> {
        let query = tombstones::Entity::find().select_only().expr(Expr::col(tombstones::Column::Id).max());
        let newest: Option<Option<i64>> =
            query.into_tuple().one(&self.read).await.during("look for", "tombstones")?;
        Ok(TombstoneId(newest.flatten().unwrap_or(0)))
    }

    /// Whether anything is sealed, by some key.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn has_sealed(&self) -> Result<bool, StoreError> {
        let query = tombstones::Entity::find()
            .select_only()
            .column(tombstones::Column::Id)
            .filter(tombstones::Column::State.ne(TombstoneState::Sealing.as_str()))
            .filter(tombstones::Column::State.ne(TombstoneState::Absent.as_str()));
        let found: Option<i64> = query.into_tuple().one(&self.read).await.during("look for", "tombstones")?;
        Ok(found.is_some())
    }

    /// Has the bytes of a version looked after again that was taken down: some may have come back, from a backup say.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn seal_again(&self, version: VersionId, at: i64) -> Result<(), StoreError> {
        self.enqueue(&moving(version), at).await.map(|_| ())
    }

    /// Writes down what keeps the bytes of a version from where they belong.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn note_trouble(&self, tombstone: TombstoneId, trouble: &str) -> Result<(), StoreError> {
        let trouble: String = clean(trouble).chars().take(TROUBLE).collect();
        let update = tombstones::Entity::update_many()
            .col_expr(tombstones::Column::Trouble, Expr::value(Some(trouble)))
            .filter(tombstones::Column::Id.eq(tombstone.0))
            .filter(tombstones::Column::EndedAt.is_null());
        update.exec(&self.write).await.during("note the trouble with the tombstone", tombstone)?;
        Ok(())
    }

    /// Writes down, with an entry of the audit log, that the vault has the bytes of a version and nothing else has, or that there were none. Gives
    /// whether that is new; where somebody has it restored since, nothing is written.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn record_sealed(
        &self,
        tombstone: &Tombstone,
        state: TombstoneState,
        at: i64,
    ) -> Result<bool, StoreError> {
        retried!(self.try_record_sealed(tombstone, state, at).await)
    }

    async fn try_record_sealed(
        &self,
        tombstone: &Tombstone,
        state: TombstoneState,
        at: i64,
    ) -> Result<bool, StoreError> {
        let detail = json!({ "checksum": tombstone.checksum, "state": state });
        let transaction = self.moved(tombstone, "vault.seal", at, detail).await?;
        let update = tombstones::Entity::update_many()
            .col_expr(tombstones::Column::State, Expr::value(state.as_str()))
            .col_expr(tombstones::Column::Trouble, Expr::value(None::<String>))
            .filter(tombstones::Column::Id.eq(tombstone.id.0))
            .filter(tombstones::Column::State.eq(tombstone.state.as_str()))
            .filter(tombstones::Column::State.ne(TombstoneState::Restoring.as_str()))
            .filter(tombstones::Column::EndedAt.is_null());
        let updated = update.exec(&transaction.inner).await.during("seal by the tombstone", tombstone.id)?;
        if updated.rows_affected == 0 || tombstone.state == state && tombstone.trouble.is_none() {
            transaction.roll_back().await?;
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Ends a tombstone, whose version's bytes are back, with an entry of the audit log. What was never inspected is inspected by `inspection`.
    /// Gives whether it stood until now.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn record_restored(
        &self,
        tombstone: &Tombstone,
        inspection: &NewJob,
        at: i64,
    ) -> Result<bool, StoreError> {
        retried!(self.try_record_restored(tombstone, inspection, at).await)
    }

    async fn try_record_restored(
        &self,
        tombstone: &Tombstone,
        inspection: &NewJob,
        at: i64,
    ) -> Result<bool, StoreError> {
        let detail = json!({ "checksum": tombstone.checksum });
        let mut transaction = self.moved(tombstone, "vault.restore", at, detail).await?;
        let update = tombstones::Entity::update_many()
            .col_expr(tombstones::Column::State, Expr::value(TombstoneState::Restored.as_str()))
            .col_expr(tombstones::Column::Trouble, Expr::value(None::<String>))
            .col_expr(tombstones::Column::EndedAt, Expr::value(Some(at)))
            .filter(tombstones::Column::Id.eq(tombstone.id.0))
            .filter(tombstones::Column::State.eq(TombstoneState::Restoring.as_str()))
            .filter(tombstones::Column::EndedAt.is_null());
        let updated = update.exec(&transaction.inner).await.during("end the tombstone", tombstone.id)?;
        if updated.rows_affected == 0 {
            transaction.roll_back().await?;
            return Ok(false);
        }
        let row = version_by_id(&transaction.inner, tombstone.version.0).await?;
        let row = transaction.set_taken_down(row, None).await?;
        if row.state == State::Pending.as_str() {
            transaction.enqueue(inspection).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Begins a transaction about bytes that were moved.
    async fn moved(
        &self,
        tombstone: &Tombstone,
        action: &str,
        at: i64,
        detail: serde_json::Value,
    ) -> Result<Transaction, StoreError> {
        /// Who signs what happens to bytes by itself in the audit log.
        const BY: &str = "(vault)";
        let row = version_by_id(&self.read, tombstone.version.0).await?;
        let object = shown(&crate_by_id(&self.read, row.crate_id).await?, &row);
        self.act(Act::new(BY, action, object, at).with_detail(detail)).await
    }
}

/// The newest tombstone of a version, and who agreed to it.
async fn newest(
    connection: &impl ConnectionTrait,
    version: VersionId,
) -> Result<Option<(tombstones::Model, Option<String>)>, StoreError> {
    let query = tombstones::Entity::find()
        .filter(tombstones::Column::VersionId.eq(version.0))
        .order_by_desc(tombstones::Column::Id);
    let found = query.one(connection).await.during("look for the tombstone of version", version)?;
    let Some(row) = found else { return Ok(None) };
    let decision = decisions::Entity::find_by_id(row.decision_id).one(connection).await;
    let second = decision.during("look for the decision", row.decision_id)?.and_then(|it| it.confirmed_by);
    Ok(Some((row, second)))
}
