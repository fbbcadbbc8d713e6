//! Acts: changes to the database that share one transaction with their entry in the audit log.
//!
//! [`Store::act`] is the only way to a [`Transaction`], so nothing administrative can be done without an
//! entry. All such writers queue up behind one lock, on PostgreSQL as on SQLite. That costs parallel commits,
//! of which a gate needs hundreds a second at most, and it buys: no decision that misses a version published
//! beside it, a chain of entries that never conflicts, and changes that become visible in the order of their
//! sequence. Fetches, leases of jobs and uses of tokens are not acts, and do not wait for it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use serde_json::Value;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use crate::connection::PATIENCE;
use crate::error::During;
use crate::outbox::Outbox;
use crate::{Store, StoreError, StoreErrorKind, audit, changes};

/// Number of the lock that writers of the audit log take on PostgreSQL: "cratekee" as a number, so that no
/// other program's is the same.
const LOG_LOCK: i64 = i64::from_be_bytes(*b"cratekee");

/// How often an operation is tried when another writer was in the way.
pub(crate) const ATTEMPTS: u32 = 5;

/// Something that is done, as the audit log remembers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// When, in seconds since 1970.
    pub at: i64,
    /// Who: a login, or the name of a part of the program in parentheses, such as `(inspection)`, which no
    /// login can be.
    pub actor: String,
    /// What, as a word with dots: `user.create`.
    pub action: String,
    /// To what: `serde@1.0.0`, a login.
    pub object: String,
    /// What else is worth remembering, without secrets.
    pub detail: Value,
}

impl Act {
    /// An act without details.
    #[must_use]
    pub fn new(
        actor: impl Into<String>,
        action: impl Into<String>,
        object: impl Into<String>,
        at: i64,
    ) -> Act {
        Act { at, actor: actor.into(), action: action.into(), object: object.into(), detail: Value::Null }
    }

    /// The same act with details.
    #[must_use]
    pub fn with_detail(mut self, detail: Value) -> Act {
        self.detail = detail;
        self
    }
}

/// An open transaction, and what will be written about it.
///
/// Dropped without [`commit`](Transaction::commit), nothing of it happened. While it is open no other act can
/// begin: whoever holds one must not wait for anything else, and must not call those methods of [`Store`]
/// that write.
pub struct Transaction {
    pub(crate) inner: DatabaseTransaction,
    /// Let go after the transaction has ended.
    _acting: OwnedMutexGuard<()>,
    pub(crate) at: i64,
    acts: Vec<Act>,
    changed: BTreeSet<i64>,
    /// What webhooks are told when it is committed.
    pub(crate) outbox: Outbox,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("acts", &self.acts).finish_non_exhaustive()
    }
}

impl Store {
    /// Begins a transaction that does `act`. Its entry is written when it is committed, as the last thing.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, or another act stays open for too long.
    pub async fn act(&self, act: Act) -> Result<Transaction, StoreError> {
        let mut transaction = self.change(act.at).await?;
        transaction.acts.push(act);
        Ok(transaction)
    }

    /// Begins a transaction that changes what an index shows, without an entry in the audit log: what an
    /// upstream did.
    pub(crate) async fn change(&self, at: i64) -> Result<Transaction, StoreError> {
        let acting = timeout(PATIENCE, Arc::clone(&self.acting).lock_owned()).await;
        let Ok(_acting) = acting else {
            return Err(StoreError::new("wait for", "an act that stays open", StoreErrorKind::Conflict));
        };
        let inner = self.begin_writing("begin a transaction").await?;
        lock_log(&inner).await.during("wait for other writers", "audit log")?;
        let outbox = Outbox::new(self.links.clone());
        Ok(Transaction { inner, _acting, at, acts: Vec::new(), changed: BTreeSet::new(), outbox })
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin_writing(
        &self,
        operation: &'static str,
    ) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            // A transaction that reads first and writes later would fail when another wrote in between.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.write.begin_with_options(options).await.during(operation, "database")
    }
}

/// Waits until no other transaction appends to the audit log or to the changes. On SQLite there is none while
/// this one is open.
pub(crate) async fn lock_log(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() == sea_orm::DbBackend::Postgres {
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOG_LOCK})")).await?;
    }
    Ok(())
}

impl Transaction {
    /// Moment of the act.
    #[must_use]
    pub fn at(&self) -> i64 {
        self.at
    }

    /// Adds an entry to the audit log, besides that of the act the transaction was begun for.
    pub fn also(&mut self, act: Act) {
        self.acts.push(act);
    }

    /// Replaces the details of the act that the transaction was begun for, when they are known only now.
    pub fn set_detail(&mut self, detail: Value) {
        if let Some(first) = self.acts.first_mut() {
            first.detail = detail;
        }
    }

    /// Replaces what the act that the transaction was begun for is done to, when it is known only now.
    pub fn set_object(&mut self, object: &str) {
        if let Some(first) = self.acts.first_mut() {
            object.clone_into(&mut first.object);
        }
    }

    /// Notes that an index shows something else for this crate.
    pub(crate) fn changed(&mut self, crate_id: i64) {
        self.changed.insert(crate_id);
    }

    /// Writes the entries, the changes and what webhooks are told, and makes everything durable.
    ///
    /// # Errors
    ///
    /// When the database refuses; then nothing of it happened, unless the connection broke while the answer
    /// was awaited.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.write_outbox().await?;
        changes::append(&self.inner, &self.changed, self.at).await?;
        audit::append(&self.inner, &self.acts).await?;
        self.inner.commit().await.during("commit", "transaction")
    }

    /// Takes everything back. Dropping a transaction does the same, a little later.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached; then it takes the transaction back by itself.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        self.inner.rollback().await.during("roll back", "transaction")
    }
}

/// Tries an operation again while another writer is in the way.
macro_rules! retried {
    ($operation:expr) => {{
        let mut attempt = 1;
        loop {
            match $operation {
                Err(error)
                    if *error.kind() == $crate::StoreErrorKind::Conflict
                        && attempt < $crate::transaction::ATTEMPTS =>
                {
                    attempt += 1;
                }
                result => break result,
            }
        }
    }};
}
pub(crate) use retried;

impl Transaction {
    /// Who acts.
    pub(crate) fn actor(&self) -> Option<&str> {
        self.acts.first().map(|it| it.actor.as_str())
    }
}
