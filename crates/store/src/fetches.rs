//! Who fetched what when, so that whoever got a version that turns out to be malicious can be told.
//!
//! A record is durable before the last byte of a body is sent, and thousands are fetched in a second: so
//! requests hand their records to one task, which writes all that wait in one transaction, and then answers
//! them all. The busier the gate, the more records share a commit.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    TransactionTrait,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{fetches, versions};
use crate::error::During;
use crate::transaction::retried;
use crate::words::clean_optional;
use crate::{State, Store, StoreError, StoreErrorKind, TokenId, Transaction, VersionId};

/// Records that wait for the task, unless told otherwise. Whoever comes when so many wait waits for a place:
/// memory is bounded, and a database that is too slow shows as slow downloads, not as lost records.
pub const FETCHES_WAITING: usize = 4_096;

/// Records that are written in one transaction at most, so that the first of them does not wait long for the last.
const RECORDS_AT_ONCE: usize = 2_000;

/// That somebody fetched a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// The version; its checksum is the version's.
    pub version: VersionId,
    /// Token that was used; `None` when anybody may fetch.
    pub token: Option<TokenId>,
    /// Login of its user.
    pub login: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// What the client called itself.
    pub client: Option<String>,
    /// When.
    pub at: i64,
}

/// A fetch, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchRecord {
    /// Its number; later ones are higher.
    pub id: i64,
    /// What it was.
    #[serde(flatten)]
    pub fetch: Fetch,
}

impl From<fetches::Model> for FetchRecord {
    fn from(row: fetches::Model) -> FetchRecord {
        let fetch = Fetch {
            version: VersionId(row.version_id),
            token: row.token_id.map(TokenId),
            login: row.login,
            address: row.address,
            client: row.client,
            at: row.at,
        };
        FetchRecord { id: row.id, fetch }
    }
}

/// A record, and who waits for it.
struct Waiting {
    fetch: Fetch,
    answer: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// Writes records of fetches, many at once. Cheap to clone; when all clones are gone, what waits is written
/// and the task ends.
#[derive(Clone)]
pub struct FetchRecorder {
    queue: mpsc::Sender<Waiting>,
}

impl fmt::Debug for FetchRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchRecorder").field("free", &self.queue.capacity()).finish()
    }
}

impl FetchRecorder {
    /// Starts the task. Must be called where a tokio runtime runs. The handle ends when the recorder and its
    /// clones are gone and everything is written: await it before the process ends.
    #[must_use]
    pub fn start(store: &Store, waiting: usize) -> (FetchRecorder, tokio::task::JoinHandle<()>) {
        let (queue, waiters) = mpsc::channel(waiting.max(1));
        let task = tokio::spawn(write_all(store.clone(), waiters));
        (FetchRecorder { queue }, task)
    }

    /// Records a fetch. Ready when the record is durable.
    ///
    /// # Errors
    ///
    /// `NotOpen` when the version is held or blocked by now, which whoever looked a moment ago may not know; else when the database refuses. Then the
    /// body must not be finished.
    pub async fn record(&self, fetch: Fetch) -> Result<(), Arc<StoreError>> {
        let ended = || {
            let reason = "its task has ended".to_owned();
            Arc::new(StoreError::new("record", "a fetch", StoreErrorKind::Refused(reason)))
        };
        let (answer, written) = oneshot::channel();
        self.queue.send(Waiting { fetch, answer }).await.map_err(|_| ended())?;
        written.await.map_err(|_| ended())?
    }
}

async fn write_all(store: Store, mut waiters: mpsc::Receiver<Waiting>) {
    let mut some = Vec::new();
    while waiters.recv_many(&mut some, RECORDS_AT_ONCE).await > 0 {
        let (fetches, answers): (Vec<Fetch>, Vec<_>) = some.drain(..).map(|it| (it.fetch, it.answer)).unzip();
        let written = store.record_served(&fetches).await.map_err(Arc::new);
        // One that the database refuses must not take the others with it.
        let is_for_one = written.as_ref().is_err_and(|error| !error.is_transient()) && fetches.len() > 1;
        for (fetch, answer) in fetches.iter().zip(answers) {
            let written = match is_for_one {
                true => store.record_served(std::slice::from_ref(fetch)).await.map_err(Arc::new),
                false => written.clone(),
            };
            let recorded = written.and_then(|shut| match shut.contains(&fetch.version.0) {
                true => {
                    Err(Arc::new(StoreError::new("fetch version", fetch.version, StoreErrorKind::NotOpen)))
                }
                false => Ok(()),
            });
            // Whoever does not wait any more was cut off: that they fetched is written all the same.
            let _ = answer.send(recorded);
        }
    }
}

/// How often a version was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchCount {
    /// The version.
    pub version: VersionId,
    /// Fetches.
    pub fetches: u64,
}

impl Transaction {
    /// Forgets fetches before a moment, where they may not be kept for longer. Gives how many. Counts of
    /// versions go down with them.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn forget_fetches(&mut self, before: i64) -> Result<u64, StoreError> {
        let delete = fetches::Entity::delete_many().filter(fetches::Column::At.lt(before));
        Ok(delete.exec(&self.inner).await.during("forget", "fetches")?.rows_affected)
    }
}

/// Who fetched a version, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetchers {
    /// Different accounts.
    pub accounts: usize,
    /// Different addresses, of those without an account, too.
    pub addresses: usize,
    /// Different programs, as they call themselves.
    pub clients: usize,
    /// Whether only the newest [`FETCHERS_LOOKED_AT`] fetches were looked at.
    pub is_cut: bool,
}

/// Fetches that are looked at to count who made them; what a page can wait for.
pub const FETCHERS_LOOKED_AT: u64 = 10_000;

impl Store {
    /// How many different accounts, addresses and programs fetched a version.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn fetchers_of(&self, version: VersionId) -> Result<Fetchers, StoreError> {
        use fetches::Column::{Address, At, Client, Login};
        let query = fetches::Entity::find()
            .select_only()
            .columns([Login, Address, Client])
            .filter(fetches::Column::VersionId.eq(version.0));
        let query = query.order_by_desc(At).limit(FETCHERS_LOOKED_AT);
        type Row = (Option<String>, Option<String>, Option<String>);
        let rows: Vec<Row> =
            query.into_tuple().all(&self.read).await.during("read the fetches of version", version)?;
        let is_cut = rows.len() as u64 == FETCHERS_LOOKED_AT;
        let different =
            |of: fn(&Row) -> Option<&String>| rows.iter().filter_map(of).collect::<BTreeSet<_>>().len();
        Ok(Fetchers {
            accounts: different(|it| it.0.as_ref()),
            addresses: different(|it| it.1.as_ref()),
            clients: different(|it| it.2.as_ref()),
            is_cut,
        })
    }
}

impl Store {
    /// Writes records of fetches of what may be had, in one transaction with the look whether it may: a replica's view of a crate is a quarter
    /// of a second old, and whoever blocks a version counts who has it. Gives the versions that may not be had.
    async fn record_served(&self, some: &[Fetch]) -> Result<BTreeSet<i64>, StoreError> {
        retried!(self.try_record_served(some).await)
    }

    async fn try_record_served(&self, some: &[Fetch]) -> Result<BTreeSet<i64>, StoreError> {
        let transaction = self.begin_writing("record fetches").await?;
        let ids: BTreeSet<i64> = some.iter().map(|it| it.version.0).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let mut shut = BTreeSet::new();
        for chunk in ids.chunks(ROWS_AT_ONCE) {
            let query = versions::Entity::find()
                .select_only()
                .column(versions::Column::Id)
                .column(versions::Column::Standing)
                .filter(versions::Column::Id.is_in(chunk.iter().copied()))
                .order_by_asc(versions::Column::Id)
                // Whoever blocks one of them waits until these records are there to be counted; SQLite has one writer, and leaves this out.
                .lock_shared();
            let rows: Vec<(i64, String)> =
                query.into_tuple().all(&transaction).await.during("look at", "versions")?;
            let is_shut = |state: &str| state != State::Released.as_str();
            shut.extend(rows.into_iter().filter(|(_, state)| is_shut(state)).map(|(id, _)| id));
        }
        let open: Vec<&Fetch> = some.iter().filter(|it| !shut.contains(&it.version.0)).collect();
        insert(&transaction, &open).await?;
        transaction.commit().await.during("record", "fetches")?;
        Ok(shut)
    }

    /// Writes records of fetches in one transaction.
    ///
    /// # Errors
    ///
    /// When the database refuses; then none of them is written.
    pub async fn record_fetches(&self, some: &[Fetch]) -> Result<(), StoreError> {
        let transaction = self.write.begin().await.during("record", "fetches")?;
        insert(&transaction, &some.iter().collect::<Vec<_>>()).await?;
        transaction.commit().await.during("record", "fetches")
    }

    /// Who fetched a version from `from` until before `to`, in the order of the records, behind the record `after`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn fetches_of(
        &self,
        version: VersionId,
        from: i64,
        to: i64,
        after: Option<&FetchRecord>,
        limit: u64,
    ) -> Result<Vec<FetchRecord>, StoreError> {
        let mut query = fetches::Entity::find()
            .filter(fetches::Column::VersionId.eq(version.0))
            .filter(fetches::Column::At.gte(from))
            .filter(fetches::Column::At.lt(to));
        if let Some(after) = after {
            let same_moment = fetches::Column::At.eq(after.fetch.at).and(fetches::Column::Id.gt(after.id));
            query = query.filter(fetches::Column::At.gt(after.fetch.at).or(same_moment));
        }
        let query = query.order_by_asc(fetches::Column::At).order_by_asc(fetches::Column::Id).limit(limit);
        let rows = query.all(&self.read).await.during("read the fetches of version", version)?;
        Ok(rows.into_iter().map(FetchRecord::from).collect())
    }

    /// The newest fetches of a version, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn newest_fetches(&self, version: VersionId, limit: u64) -> Result<Vec<Fetch>, StoreError> {
        let query = fetches::Entity::find().filter(fetches::Column::VersionId.eq(version.0));
        let query = query.order_by_desc(fetches::Column::At).order_by_desc(fetches::Column::Id).limit(limit);
        let rows = query.all(&self.read).await.during("read the fetches of version", version)?;
        Ok(rows.into_iter().map(|it| FetchRecord::from(it).fetch).collect())
    }

    /// All fetches from `from` until before `to`, in the order of their moments, behind the record `after`:
    /// for a replay.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn fetches_between(
        &self,
        from: i64,
        to: i64,
        after: Option<&FetchRecord>,
        limit: u64,
    ) -> Result<Vec<FetchRecord>, StoreError> {
        let mut query =
            fetches::Entity::find().filter(fetches::Column::At.gte(from)).filter(fetches::Column::At.lt(to));
        if let Some(after) = after {
            let same_moment = fetches::Column::At.eq(after.fetch.at).and(fetches::Column::Id.gt(after.id));
            query = query.filter(fetches::Column::At.gt(after.fetch.at).or(same_moment));
        }
        let query = query.order_by_asc(fetches::Column::At).order_by_asc(fetches::Column::Id).limit(limit);
        let rows = query.all(&self.read).await.during("read", "fetches")?;
        Ok(rows.into_iter().map(FetchRecord::from).collect())
    }

    /// How often each of these versions was fetched; those that never were are left out.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn fetch_counts(&self, versions: &[VersionId]) -> Result<Vec<FetchCount>, StoreError> {
        let mut counts = Vec::new();
        for some in versions.chunks(ROWS_AT_ONCE) {
            let query = fetches::Entity::find()
                .select_only()
                .column(fetches::Column::VersionId)
                .expr_as(Expr::col(fetches::Column::Id).count(), "count")
                .filter(fetches::Column::VersionId.is_in(some.iter().map(|it| it.0)))
                .group_by(fetches::Column::VersionId)
                .order_by_asc(fetches::Column::VersionId);
            let rows: Vec<(i64, i64)> =
                query.into_tuple().all(&self.read).await.during("count", "fetches")?;
            let count = |(id, count): (i64, i64)| FetchCount {
                version: VersionId(id),
                fetches: count.unsigned_abs(),
            };
            counts.extend(rows.into_iter().map(count));
        }
        Ok(counts)
    }
}

async fn insert(transaction: &DatabaseTransaction, some: &[&Fetch]) -> Result<(), StoreError> {
    for chunk in some.chunks(ROWS_AT_ONCE) {
        let rows = chunk.iter().map(|fetch| fetches::ActiveModel {
            version_id: Set(fetch.version.0),
            token_id: Set(fetch.token.map(|it| it.0)),
            login: Set(clean_optional(fetch.login.as_deref())),
            address: Set(clean_optional(fetch.address.as_deref())),
            client: Set(clean_optional(fetch.client.as_deref())),
            at: Set(fetch.at),
            ..Default::default()
        });
        let insert = fetches::Entity::insert_many(rows).exec_without_returning(transaction).await;
        insert.during("record", "fetches")?;
    }
    Ok(())
}
