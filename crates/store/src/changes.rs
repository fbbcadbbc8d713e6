//! The change feed: which crates' indexes show something else since when.
//!
//! A replica keeps index files in memory and asks every second which of them to forget. Sequences are given
//! out under the log's lock, so that a change never becomes visible after one with a higher number: with a
//! plain counter, a replica that polls between two commits would miss one.

use std::collections::BTreeSet;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::entities::{changes, crates};
use crate::error::During;
use crate::{CrateId, RegistryId, Store, StoreError};

/// Rows that are inserted by one statement. SQLite accepts 32,766 values in one, PostgreSQL twice as many.
pub(crate) const ROWS_AT_ONCE: usize = 500;

/// Most changes that one call gives.
pub const CHANGES_AT_ONCE: u64 = 10_000;

/// An index shows something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Later ones are higher.
    pub sequence: i64,
    /// When.
    pub at: i64,
    /// In which registry.
    pub registry: RegistryId,
    /// Which crate.
    pub crate_id: CrateId,
    /// Its name.
    pub name: String,
}

/// Appends changes of these crates. The log must be locked.
pub(crate) async fn append(
    transaction: &DatabaseTransaction,
    crate_ids: &BTreeSet<i64>,
    at: i64,
) -> Result<(), StoreError> {
    if crate_ids.is_empty() {
        return Ok(());
    }
    let last = last_sequence(transaction).await?;
    let rows: Vec<changes::ActiveModel> = (last + 1..)
        .zip(crate_ids)
        .map(|(sequence, id)| changes::ActiveModel {
            sequence: Set(sequence),
            crate_id: Set(*id),
            at: Set(at),
        })
        .collect();
    for some in rows.chunks(ROWS_AT_ONCE) {
        let insert = changes::Entity::insert_many(some.to_vec());
        let inserted = insert.exec_without_returning(transaction).await.during("append to", "changes");
        inserted.map_err(StoreError::into_conflict)?;
    }
    Ok(())
}

async fn last_sequence<C: sea_orm::ConnectionTrait>(connection: &C) -> Result<i64, StoreError> {
    let highest = Expr::col(changes::Column::Sequence).max();
    let query = changes::Entity::find().select_only().expr(highest).into_tuple::<Option<i64>>();
    Ok(query.one(connection).await.during("read", "changes")?.flatten().unwrap_or(0))
}

impl Store {
    /// Changes after the one with this number, oldest first, at most [`CHANGES_AT_ONCE`]: whoever gets that
    /// many asks again.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn changes_since(&self, sequence: i64) -> Result<Vec<Change>, StoreError> {
        let rows = changes::Entity::find()
            .filter(changes::Column::Sequence.gt(sequence))
            .order_by_asc(changes::Column::Sequence)
            .limit(CHANGES_AT_ONCE)
            .all(&self.read)
            .await
            .during("read", "changes")?;
        let ids: BTreeSet<i64> = rows.iter().map(|it| it.crate_id).collect();
        let crates = crate::registries::crates_by_id(&self.read, &ids).await?;
        let with_name = |row: changes::Model| {
            let krate: Option<&crates::Model> = crates.get(&row.crate_id);
            krate.map(|krate| Change {
                sequence: row.sequence,
                at: row.at,
                registry: RegistryId(krate.registry_id),
                crate_id: CrateId(row.crate_id),
                name: krate.name.clone(),
            })
        };
        Ok(rows.into_iter().filter_map(with_name).collect())
    }

    /// Number of the newest change; 0 when there is none. A replica that starts begins with it.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn newest_change(&self) -> Result<i64, StoreError> {
        last_sequence(&self.read).await
    }
}
