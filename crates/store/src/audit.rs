//! The audit log: every entry carries the hash of the one before it.
//!
//! An entry's hash is SHA-256 over `cratekeeper audit entry v1` and a zero byte, then the sequence and the
//! moment as 8 bytes each, most significant first, then actor, action, object and detail, each as its length
//! in 8 bytes and its UTF-8 bytes, then the 32 bytes of the previous hash; for the first entry those are
//! zero. So no two different entries have the same text, and nothing can be moved from one field to the next.
//! The chain shows changes in the middle; that the end was not cut off is shown by checkpoints that were
//! taken elsewhere.

mod checkpoint;
mod verify;

use cratekeeper_model::{Checksum, ChecksumHasher};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use checkpoint::{AuditKey, Checkpoint, CheckpointError};
pub use verify::{AuditProblem, AuditReport};

use crate::entities::audit_log;
use crate::error::During;
use crate::words::{clean, read_json, read_word, write_json};
use crate::{Act, Store, StoreError};

/// What every hash of an entry begins with, so that it is no hash of anything else.
const DOMAIN: &[u8] = b"cratekeeper audit entry v1\0";

/// What the first entry has in the place of a previous hash.
const BEGINNING: [u8; 32] = [0; 32];

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// 1 for the first one, without gaps.
    pub sequence: i64,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// What else.
    pub detail: Value,
    /// Hash of the entry before it.
    pub previous: Checksum,
    /// Hash of this entry.
    pub hash: Checksum,
}

/// Which entries of the audit log. Every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// By whom.
    pub actor: Option<String>,
    /// To what.
    pub object: Option<String>,
    /// What.
    pub action: Option<String>,
    /// What, as the beginning of a word: `decision.` are all that people decided.
    pub begins: Option<String>,
    /// From this moment on, in seconds since 1970.
    pub from: Option<i64>,
    /// Before this moment.
    pub to: Option<i64>,
}

/// Actions that are told apart: there are some sixty.
const ACTIONS: usize = 1_000;

/// How far moments and numbers may disagree: clocks are set back, and entries before and after lie this close.
const DISORDER: i64 = 1_000;

/// The hash of an entry. `detail` is its JSON as it is stored.
fn hash(row: &audit_log::Model, previous: &[u8; 32]) -> Checksum {
    let mut hasher = ChecksumHasher::default();
    hasher.update(DOMAIN);
    hasher.update(&row.sequence.to_be_bytes());
    hasher.update(&row.at.to_be_bytes());
    for field in [&row.actor, &row.action, &row.object, &row.detail] {
        hasher.update(&(field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    hasher.update(previous);
    hasher.finish()
}

/// Appends entries. The log must be locked; where somebody ignored the lock, the unique previous hash keeps
/// the chain from forking.
pub(crate) async fn append(transaction: &DatabaseTransaction, acts: &[Act]) -> Result<(), StoreError> {
    if acts.is_empty() {
        return Ok(());
    }
    let last = last_row(transaction).await?;
    let (mut sequence, mut previous) = match &last {
        Some(row) => (row.sequence, *read_word::<Checksum>(&row.hash, "hash", row.sequence)?.as_bytes()),
        None => (0, BEGINNING),
    };
    for act in acts {
        sequence += 1;
        let mut row = audit_log::Model {
            sequence,
            at: act.at,
            actor: clean(&act.actor),
            action: clean(&act.action),
            object: clean(&act.object),
            detail: write_json(&act.detail, "detail")?,
            previous: hexadecimal(&previous),
            hash: String::new(),
        };
        let own = hash(&row, &previous);
        row.hash = own.to_string();
        previous = *own.as_bytes();
        let row: audit_log::ActiveModel = row.into();
        audit_log::Entity::insert(row.reset_all())
            .exec_without_returning(transaction)
            .await
            .during("append to the audit log", &act.action)
            .map_err(StoreError::into_conflict)?;
    }
    Ok(())
}

async fn last_row<C: ConnectionTrait>(connection: &C) -> Result<Option<audit_log::Model>, StoreError> {
    let query = audit_log::Entity::find().order_by_desc(audit_log::Column::Sequence);
    query.one(connection).await.during("read", "audit log")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl TryFrom<audit_log::Model> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: audit_log::Model) -> Result<AuditEntry, StoreError> {
        Ok(AuditEntry {
            detail: read_json(&row.detail, "detail", row.sequence)?,
            previous: read_word(&row.previous, "previous", row.sequence)?,
            hash: read_word(&row.hash, "hash", row.sequence)?,
            sequence: row.sequence,
            at: row.at,
            actor: row.actor,
            action: row.action,
            object: row.object,
        })
    }
}

impl Store {
    /// Entries of the audit log, newest first, before the one with the number `before`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn audit_entries(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let mut query = self.chosen(filter).await?;
        if let Some(before) = before {
            query = query.filter(audit_log::Column::Sequence.lt(before));
        }
        let query = query.order_by_desc(audit_log::Column::Sequence).limit(limit);
        let mut rows = Vec::new();
        match &filter.begins {
            None => rows = query.all(&self.read).await.during("read", "audit log")?,
            // Each action by itself, along its index: of those that begin so there may be a handful among millions, or nearly all.
            Some(start) => {
                for action in self.audit_actions().await?.iter().filter(|it| it.starts_with(start)) {
                    let some = query.clone().filter(audit_log::Column::Action.eq(action));
                    rows.extend(some.all(&self.read).await.during("read", "audit log")?);
                }
                rows.sort_by_key(|it| std::cmp::Reverse(it.sequence));
                rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            }
        }
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    /// Entries of the audit log, oldest first, behind the one with the number `after`: for whoever takes a copy.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn audit_entries_behind(
        &self,
        filter: &AuditFilter,
        after: i64,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let mut query = self.chosen(filter).await?.filter(audit_log::Column::Sequence.gt(after));
        if let Some(start) = &filter.begins {
            let actions = self.audit_actions().await?.into_iter().filter(|it| it.starts_with(start));
            query = query.filter(audit_log::Column::Action.is_in(actions));
        }
        let query = query.order_by_asc(audit_log::Column::Sequence).limit(limit);
        let rows = query.all(&self.read).await.during("read", "audit log")?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    /// The entry of this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn audit_entry(&self, sequence: i64) -> Result<AuditEntry, StoreError> {
        let row = audit_log::Entity::find_by_id(sequence).one(&self.read).await;
        row.during("look for the entry", sequence)?.during("find the entry", sequence)?.try_into()
    }

    /// What was ever done, as words, sorted. Each word is one step along an index, however long the log is.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn audit_actions(&self) -> Result<Vec<String>, StoreError> {
        let mut actions: Vec<String> = Vec::new();
        while actions.len() < ACTIONS {
            let mut query =
                audit_log::Entity::find().select_only().expr(Expr::col(audit_log::Column::Action).min());
            if let Some(last) = actions.last() {
                query = query.filter(audit_log::Column::Action.gt(last));
            }
            let next: Option<Option<String>> =
                query.into_tuple().one(&self.read).await.during("read", "audit log")?;
            let Some(next) = next.flatten() else { break };
            actions.push(next);
        }
        Ok(actions)
    }

    /// The entries that a filter names, apart from the beginning of their actions.
    async fn chosen(&self, filter: &AuditFilter) -> Result<Select<audit_log::Entity>, StoreError> {
        use audit_log::Column::{Action, Actor, At, Object, Sequence};
        let mut query = audit_log::Entity::find();
        for (column, text) in [(Actor, &filter.actor), (Object, &filter.object), (Action, &filter.action)] {
            if let Some(text) = text {
                query = query.filter(column.eq(clean(text)));
            }
        }
        // Bounds of numbers make a page of some day as quick as one of today; the moments themselves decide.
        if let Some(from) = filter.from {
            let first =
                audit_log::Entity::find().filter(At.gte(from)).order_by_asc(At).order_by_asc(Sequence);
            let first = first.one(&self.read).await.during("read", "audit log")?;
            let first = first.map_or(i64::MAX, |it| it.sequence.saturating_sub(DISORDER));
            query = query.filter(At.gte(from)).filter(Sequence.gte(first));
        }
        if let Some(to) = filter.to {
            let last = audit_log::Entity::find().filter(At.lt(to)).order_by_desc(At).order_by_desc(Sequence);
            let last = last.one(&self.read).await.during("read", "audit log")?;
            let last = last.map_or(0, |it| it.sequence.saturating_add(DISORDER));
            query = query.filter(At.lt(to)).filter(Sequence.lte(last));
        }
        Ok(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> audit_log::Model {
        audit_log::Model {
            sequence: 7,
            at: 1_700_000_000,
            actor: "alice".to_owned(),
            action: "version.hold".to_owned(),
            object: "a@1.0.0".to_owned(),
            detail: "null".to_owned(),
            previous: String::new(),
            hash: String::new(),
        }
    }

    #[test]
    fn text_moved_from_one_field_to_the_next_is_another_entry() {
        let (one, mut other) = (row(), row());
        other.actor = "alicev".to_owned();
        other.action = "ersion.hold".to_owned();
        assert_ne!(hash(&one, &BEGINNING), hash(&other, &BEGINNING));
    }

    /// The encoding is a contract: logs that were written yesterday are verified tomorrow.
    #[test]
    fn the_hash_of_an_entry_stays_what_it_is() {
        let mut text = b"cratekeeper audit entry v1\0".to_vec();
        text.extend([0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0x65, 0x53, 0xF1, 0]);
        for field in ["alice", "version.hold", "a@1.0.0", "null"] {
            text.extend([0, 0, 0, 0, 0, 0, 0, field.len() as u8]);
            text.extend(field.as_bytes());
        }
        text.extend([0; 32]);
        assert_eq!(hash(&row(), &BEGINNING), Checksum::of(&text));
    }
}
