//! Jobs that survive restarts: leased, retried with growing pauses, and visible when they are given up.
//!
//! A job is enqueued in the transaction of what it is about, so that there is no version without its
//! inspection. Whoever claims one has it until the lease ends; a process that dies leaves a job that somebody
//! else claims then. `attempt` fences: who comes back after the end of its lease can neither finish nor fail
//! what another works on. A job that is done is deleted.

use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::changes::ROWS_AT_ONCE;
use crate::entities::jobs;
use crate::error::During;
use crate::inspections::Inspection;
use crate::transaction::{ATTEMPTS, retried};
use crate::words::{clean, read_json, write_json};
use crate::{JobId, Store, StoreError, StoreErrorKind, Transaction, VersionId};

/// Attempts, unless a job says otherwise: with the pauses below, the last is about an hour after the first.
pub const ATTEMPTS_ALLOWED: u32 = 8;

/// Pause before the second attempt, in seconds; it doubles with each.
const FIRST_PAUSE: i64 = 30;

/// The longest pause between two attempts: an hour.
const LONGEST_PAUSE: i64 = 3_600;

/// The longest that a job is somebody's without a sign of life, in seconds.
const LONGEST_LEASE: i64 = 900;

/// Most characters of an error that are kept.
const ERROR_CHARACTERS: usize = 2_000;

/// A job to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// What is to be done, as a word.
    pub kind: String,
    /// With what.
    pub payload: Value,
    /// Of two jobs with the same text here the second is not made while the first waits to be begun.
    pub once: Option<String>,
    /// How often it is tried before it is given up.
    pub attempts_allowed: u32,
    /// Not before this moment; 0 for at once.
    pub run_after: i64,
}

impl NewJob {
    /// A job to be done at once.
    #[must_use]
    pub fn new(kind: impl Into<String>, payload: Value) -> NewJob {
        NewJob { kind: kind.into(), payload, once: None, attempts_allowed: ATTEMPTS_ALLOWED, run_after: 0 }
    }

    /// The same job, not made while there is another with this text.
    #[must_use]
    pub fn once(mut self, text: impl Into<String>) -> NewJob {
        self.once = Some(text.into());
        self
    }

    /// The same job about a version, whose number its payload gets as `version_id`. A payload that is no
    /// object becomes one.
    #[must_use]
    pub(crate) fn about(&self, version: VersionId) -> NewJob {
        let mut job = self.clone();
        if !job.payload.is_object() {
            job.payload = Value::Object(serde_json::Map::new());
        }
        if let Some(fields) = job.payload.as_object_mut() {
            fields.insert("version_id".to_owned(), Value::from(version.0));
        }
        job.once.get_or_insert_with(|| format!("{}:{version}", job.kind));
        job
    }
}

/// A job that somebody works on.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// The job.
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// With what.
    pub payload: Value,
    /// The how manieth attempt this is, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub attempts_allowed: u32,
    /// Who works on it.
    pub owner: String,
}

/// Whether whoever worked on a job still had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseState {
    /// They had.
    Held,
    /// It ended before; somebody else has the job, or it is done.
    Lost,
}

/// A job as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// With what; null when it cannot be read, which the last error says then.
    pub payload: Value,
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts allowed.
    pub attempts_allowed: u32,
    /// When it is tried next; for one that somebody works on, when its lease ends.
    pub run_after: i64,
    /// Who works on it.
    pub owner: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was given up.
    pub dead_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
}

impl From<jobs::Model> for Job {
    fn from(row: jobs::Model) -> Job {
        Job {
            id: JobId(row.id),
            payload: serde_json::from_str(&row.payload).unwrap_or_default(),
            kind: row.kind,
            attempts: row.attempts.unsigned_abs(),
            attempts_allowed: row.attempts_allowed.unsigned_abs(),
            run_after: row.run_after,
            owner: row.lease_owner,
            last_error: row.last_error,
            dead_at: row.dead_at,
            created_at: row.created_at,
        }
    }
}

/// What somebody claimed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claimed {
    /// Jobs to be done.
    pub leases: Vec<Lease>,
    /// Jobs whose leases ended without an answer as often as they may be tried. Whoever claims has to give them
    /// up, with what follows from that, and has them until then: somebody else does it when they die, too.
    pub spent: Vec<Lease>,
}

/// Why a job is given up whose leases ended without an answer.
pub const SPENT: &str = "its lease ended without an answer, each time it was tried";

/// What follows from a job that is given up.
#[derive(Debug, Clone, Copy)]
pub enum Consequence<'a> {
    /// Another one, in its place.
    Another(&'a NewJob),
    /// Nobody could inspect the version, unless somebody did meanwhile.
    Uninspected(VersionId, &'a Inspection),
}

impl Lease {
    /// Whether the job is given up if this attempt fails.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.attempt >= self.attempts_allowed
    }
}

/// The pause after this attempt, in seconds.
fn pause(attempt: u32) -> i64 {
    // Seven doublings are past the longest pause.
    let doublings = attempt.saturating_sub(1).clamp(0, 7);
    (FIRST_PAUSE << doublings).clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

fn leased_until(at: i64, seconds: i64) -> i64 {
    at.saturating_add(seconds.clamp(0, LONGEST_LEASE))
}

/// The rows that can be claimed at this moment. A moment that no lease and no pause can lead to was written by a clock that was ahead and has
/// been set back: without this, jobs would wait until it is that late again.
fn due(at: i64) -> Condition {
    let after = |seconds: i64| jobs::Column::RunAfter.gt(at.saturating_add(seconds));
    let was_leased = Condition::all().add(jobs::Column::LeaseOwner.is_not_null()).add(after(LONGEST_LEASE));
    let was_put_back = Condition::all()
        .add(jobs::Column::LeaseOwner.is_null())
        .add(jobs::Column::Attempts.gt(0))
        .add(after(LONGEST_PAUSE));
    let was_made = Condition::all()
        .add(jobs::Column::Attempts.eq(0))
        .add(jobs::Column::CreatedAt.gt(at))
        .add(Expr::col(jobs::Column::RunAfter).lte(Expr::col(jobs::Column::CreatedAt)));
    Condition::any().add(jobs::Column::RunAfter.lte(at)).add(was_leased).add(was_put_back).add(was_made)
}

/// The rows of a lease that still holds.
fn held(lease: &Lease) -> Condition {
    Condition::all()
        .add(jobs::Column::Id.eq(lease.id.0))
        .add(jobs::Column::LeaseOwner.eq(lease.owner.clone()))
        .add(jobs::Column::Attempts.eq(i32::try_from(lease.attempt).unwrap_or(i32::MAX)))
        .add(jobs::Column::DeadAt.is_null())
}

fn lease_state(rows: u64) -> LeaseState {
    if rows == 1 { LeaseState::Held } else { LeaseState::Lost }
}

impl Transaction {
    /// Enqueues a job with whatever else this transaction does.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn enqueue(&mut self, job: &NewJob) -> Result<JobId, StoreError> {
        enqueue(&self.inner, job, self.at).await
    }

    /// Ends a job together with what this transaction does, so that it is neither done twice nor forgotten.
    ///
    /// # Errors
    ///
    /// `LeaseLost`: then somebody else does it, and this transaction must not be committed.
    pub async fn complete(&mut self, lease: &Lease) -> Result<(), StoreError> {
        let delete = jobs::Entity::delete_many().filter(held(lease)).exec(&self.inner).await;
        match lease_state(delete.during("complete the job", lease.id)?.rows_affected) {
            LeaseState::Held => Ok(()),
            LeaseState::Lost => Err(StoreError::new("complete the job", lease.id, StoreErrorKind::LeaseLost)),
        }
    }

    /// Tries a job again that was given up.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such job, or it was not given up.
    pub async fn retry_job(&mut self, job: JobId) -> Result<(), StoreError> {
        let update = jobs::Entity::update_many()
            .col_expr(jobs::Column::DeadAt, Expr::value(None::<i64>))
            .col_expr(jobs::Column::Attempts, Expr::value(0))
            .col_expr(jobs::Column::RunAfter, Expr::value(self.at))
            .col_expr(jobs::Column::LeaseOwner, Expr::value(None::<String>))
            .filter(jobs::Column::Id.eq(job.0))
            .filter(jobs::Column::DeadAt.is_not_null());
        let updated = update.exec(&self.inner).await.during("retry the job", job)?;
        (updated.rows_affected == 1).then_some(()).during("retry the job", job)
    }
}

async fn enqueue(transaction: &DatabaseTransaction, job: &NewJob, at: i64) -> Result<JobId, StoreError> {
    let row = jobs::ActiveModel {
        kind: Set(clean(&job.kind)),
        payload: Set(write_json(&job.payload, "payload")?),
        once: Set(job.once.as_deref().map(clean)),
        attempts: Set(0),
        attempts_allowed: Set(i32::try_from(job.attempts_allowed.clamp(1, u32::MAX)).unwrap_or(i32::MAX)),
        run_after: Set(job.run_after),
        created_at: Set(at),
        ..Default::default()
    };
    let Some(once) = &job.once else {
        return Ok(JobId(row.insert(transaction).await.during("enqueue the job", &job.kind)?.id));
    };
    for _ in 0..ATTEMPTS {
        let insert = jobs::Entity::insert(row.clone()).on_conflict_do_nothing_on([jobs::Column::Once]);
        insert.exec(transaction).await.during("enqueue the job", &job.kind)?;
        let query = jobs::Entity::find().filter(jobs::Column::Once.eq(clean(once)));
        if let Some(row) = query.one(transaction).await.during("enqueue the job", &job.kind)? {
            return Ok(JobId(row.id));
        }
        // On PostgreSQL, whoever claimed it after the insert was refused has begun it by now: another can be made.
    }
    Err(StoreError::new("enqueue the job", once, StoreErrorKind::Conflict))
}

impl Store {
    /// Enqueues a job by itself.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn enqueue(&self, job: &NewJob, at: i64) -> Result<JobId, StoreError> {
        let transaction = self.begin_writing("enqueue the job").await?;
        let id = enqueue(&transaction, job, at).await?;
        transaction.commit().await.during("enqueue the job", &job.kind)?;
        Ok(id)
    }

    /// Takes up to `limit` jobs of these kinds that are due, at most 500, for `seconds`, a quarter of an hour at most. `owner` must be a
    /// name that no other process has. Jobs whose lease ended as often as they may be tried are told apart.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn claim_jobs(
        &self,
        owner: &str,
        kinds: &[&str],
        limit: u64,
        seconds: i64,
        at: i64,
    ) -> Result<Claimed, StoreError> {
        let transaction = self.begin_writing("claim jobs").await?;
        let query = jobs::Entity::find()
            .filter(jobs::Column::DeadAt.is_null())
            .filter(due(at))
            .filter(jobs::Column::Kind.is_in(kinds.iter().copied()))
            .order_by_asc(jobs::Column::RunAfter)
            .order_by_asc(jobs::Column::Id)
            .limit(limit.clamp(1, ROWS_AT_ONCE as u64))
            // What another process claims at this moment is passed over; SQLite has one writer, and leaves this out.
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        let due = query.all(&transaction).await.during("claim", "jobs")?;
        let (mut claimed, mut damaged) = (Claimed::default(), Vec::new());
        for row in due {
            match lease(&row, owner) {
                Ok(lease) if lease.attempt > lease.attempts_allowed => claimed.spent.push(lease),
                Ok(lease) => claimed.leases.push(lease),
                // One that cannot be read must not keep the others from being claimed.
                Err(_) => damaged.push(row),
            }
        }
        give_up(&transaction, damaged, "its payload cannot be read", at).await?;
        let update = jobs::Entity::update_many()
            .col_expr(jobs::Column::Attempts, Expr::col(jobs::Column::Attempts).add(1))
            .col_expr(jobs::Column::LeaseOwner, Expr::value(Some(owner.to_owned())))
            .col_expr(jobs::Column::RunAfter, Expr::value(leased_until(at, seconds)))
            // What happens from now on may not be seen by whoever works on it: another job may be made for that.
            .col_expr(jobs::Column::Once, Expr::value(None::<String>))
            .filter(jobs::Column::Id.is_in(claimed.leases.iter().chain(&claimed.spent).map(|it| it.id.0)));
        update.exec(&transaction).await.during("claim", "jobs")?;
        transaction.commit().await.during("claim", "jobs")?;
        Ok(claimed)
    }

    /// Says that somebody still works on a job, which is theirs for another `seconds`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn extend_lease(&self, lease: &Lease, seconds: i64, at: i64) -> Result<LeaseState, StoreError> {
        let update = jobs::Entity::update_many()
            .col_expr(jobs::Column::RunAfter, Expr::value(leased_until(at, seconds)))
            .filter(held(lease));
        let updated = update.exec(&self.write).await.during("extend the lease of job", lease.id)?;
        Ok(lease_state(updated.rows_affected))
    }

    /// Ends a job that is done.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn complete_job(&self, lease: &Lease) -> Result<LeaseState, StoreError> {
        let deleted = jobs::Entity::delete_many().filter(held(lease)).exec(&self.write).await;
        Ok(lease_state(deleted.during("complete the job", lease.id)?.rows_affected))
    }

    /// Puts a job back that went wrong: it is tried again after a pause, or given up after its last attempt. Where another about
    /// the same version waits already, this one is gone: jobs that are made by requests do not pile up while what they need is away.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn fail_job(&self, lease: &Lease, error: &str, at: i64) -> Result<LeaseState, StoreError> {
        let transaction = self.begin_writing("put back the job").await?;
        let state = put_back(&transaction, lease, error, at).await?;
        transaction.commit().await.during("put back the job", lease.id)?;
        Ok(state)
    }

    /// Puts a job back that cannot be done before a moment. It counts as not tried; the moment is an hour away at most.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn postpone_job(&self, lease: &Lease, until: i64, at: i64) -> Result<LeaseState, StoreError> {
        let until = until.clamp(at, at.saturating_add(LONGEST_PAUSE));
        let update = jobs::Entity::update_many()
            .col_expr(jobs::Column::RunAfter, Expr::value(until))
            .col_expr(jobs::Column::Attempts, Expr::col(jobs::Column::Attempts).sub(1))
            .col_expr(jobs::Column::LeaseOwner, Expr::value(None::<String>))
            .filter(held(lease));
        let updated = update.exec(&self.write).await.during("put off the job", lease.id)?;
        Ok(lease_state(updated.rows_affected))
    }

    /// Gives a job up after its last attempt, together with what follows from that: no moment has the one without the other.
    ///
    /// # Errors
    ///
    /// When there is no such version, or the database refuses.
    pub async fn give_up_job(
        &self,
        lease: &Lease,
        error: &str,
        follows: Consequence<'_>,
        at: i64,
    ) -> Result<LeaseState, StoreError> {
        match follows {
            Consequence::Another(job) => {
                let transaction = self.begin_writing("give up the job").await?;
                let state = put_back(&transaction, lease, error, at).await?;
                if state == LeaseState::Held {
                    enqueue(&transaction, job, at).await?;
                }
                transaction.commit().await.during("give up the job", lease.id)?;
                Ok(state)
            }
            Consequence::Uninspected(version, inspection) => {
                retried!(self.record_failure(version, inspection, lease, error).await)
            }
        }
    }

    /// Gives back all jobs that this process has, when it ends in good order. They count as not tried.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn release_jobs(&self, owner: &str, at: i64) -> Result<u64, StoreError> {
        let update = jobs::Entity::update_many()
            .col_expr(jobs::Column::RunAfter, Expr::value(at))
            .col_expr(jobs::Column::Attempts, Expr::col(jobs::Column::Attempts).sub(1))
            .col_expr(jobs::Column::LeaseOwner, Expr::value(None::<String>))
            .filter(jobs::Column::LeaseOwner.eq(owner))
            .filter(jobs::Column::DeadAt.is_null());
        Ok(update.exec(&self.write).await.during("give back the jobs of", owner)?.rows_affected)
    }

    /// The job of this number; `None` once it is done.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let row = jobs::Entity::find_by_id(id.0).one(&self.read).await.during("look for the job", id)?;
        Ok(row.map(Job::from))
    }

    /// Jobs that were given up, newest first, before the one with the number `before`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn dead_jobs(&self, before: Option<JobId>, limit: u64) -> Result<Vec<Job>, StoreError> {
        let mut query = jobs::Entity::find().filter(jobs::Column::DeadAt.is_not_null());
        if let Some(before) = before {
            query = query.filter(jobs::Column::Id.lt(before.0));
        }
        let rows = query
            .order_by_desc(jobs::Column::Id)
            .limit(limit)
            .all(&self.read)
            .await
            .during("list", "dead jobs")?;
        Ok(rows.into_iter().map(Job::from).collect())
    }

    /// Jobs that somebody works on, those that were begun first before the others.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn running_jobs(&self, limit: u64) -> Result<Vec<Job>, StoreError> {
        let query = jobs::Entity::find()
            .filter(jobs::Column::DeadAt.is_null())
            .filter(jobs::Column::LeaseOwner.is_not_null())
            .order_by_asc(jobs::Column::Id)
            .limit(limit);
        let rows = query.all(&self.read).await.during("list", "jobs")?;
        Ok(rows.into_iter().map(Job::from).collect())
    }

    /// When the oldest job was made that is not done and was not given up.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn oldest_open_job(&self) -> Result<Option<i64>, StoreError> {
        let query = jobs::Entity::find()
            .select_only()
            .expr(Expr::col(jobs::Column::CreatedAt).min())
            .filter(jobs::Column::DeadAt.is_null());
        let oldest: Option<Option<i64>> =
            query.into_tuple().one(&self.read).await.during("look for", "jobs")?;
        Ok(oldest.flatten())
    }

    /// How many jobs of each kind wait or are worked on, and how many were given up.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn job_counts(&self) -> Result<Vec<JobCounts>, StoreError> {
        let dead = Expr::col(jobs::Column::DeadAt).count();
        let query = jobs::Entity::find()
            .select_only()
            .column(jobs::Column::Kind)
            .column_as(jobs::Column::Id.count(), "all")
            .expr_as(dead, "dead")
            .group_by(jobs::Column::Kind)
            .order_by_asc(jobs::Column::Kind);
        let rows: Vec<(String, i64, i64)> =
            query.into_tuple().all(&self.read).await.during("count", "jobs")?;
        let counts = |(kind, all, dead): (String, i64, i64)| JobCounts {
            kind,
            open: all.saturating_sub(dead).unsigned_abs(),
            dead: dead.unsigned_abs(),
        };
        Ok(rows.into_iter().map(counts).collect())
    }
}

/// How many jobs there are of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// The kind.
    pub kind: String,
    /// Those that wait or are worked on.
    pub open: u64,
    /// Those that were given up.
    pub dead: u64,
}

fn lease(row: &jobs::Model, owner: &str) -> Result<Lease, StoreError> {
    Ok(Lease {
        id: JobId(row.id),
        payload: read_json(&row.payload, "payload", row.id)?,
        kind: row.kind.clone(),
        attempt: row.attempts.unsigned_abs() + 1,
        attempts_allowed: row.attempts_allowed.unsigned_abs(),
        owner: owner.to_owned(),
    })
}

/// What [`Store::fail_job`] does.
pub(crate) async fn put_back(
    transaction: &DatabaseTransaction,
    lease: &Lease,
    error: &str,
    at: i64,
) -> Result<LeaseState, StoreError> {
    let twin = jobs::Entity::find()
        .filter(jobs::Column::Kind.eq(clean(&lease.kind)))
        .filter(jobs::Column::Payload.eq(write_json(&lease.payload, "payload")?))
        .filter(jobs::Column::Id.ne(lease.id.0))
        .filter(jobs::Column::DeadAt.is_null())
        .filter(jobs::Column::LeaseOwner.is_null());
    // What is about no version may have been asked for twice on purpose.
    if lease.payload.get("version_id").is_some()
        && twin.one(transaction).await.during("put back the job", lease.id)?.is_some()
    {
        let delete = jobs::Entity::delete_many().filter(held(lease)).exec(transaction).await;
        return Ok(lease_state(delete.during("put back the job", lease.id)?.rows_affected));
    }
    let error: String = clean(error).chars().take(ERROR_CHARACTERS).collect();
    let update = jobs::Entity::update_many()
        .col_expr(jobs::Column::RunAfter, Expr::value(at.saturating_add(pause(lease.attempt))))
        .col_expr(jobs::Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(jobs::Column::LastError, Expr::value(Some(error)))
        .col_expr(jobs::Column::DeadAt, Expr::value(lease.is_last().then_some(at)))
        .filter(held(lease));
    let updated = update.exec(transaction).await.during("put back the job", lease.id)?;
    Ok(lease_state(updated.rows_affected))
}

/// Gives jobs up for this reason.
async fn give_up(
    transaction: &DatabaseTransaction,
    rows: Vec<jobs::Model>,
    reason: &str,
    at: i64,
) -> Result<(), StoreError> {
    for row in rows {
        let mut update: jobs::ActiveModel = row.into();
        update.dead_at = Set(Some(at));
        update.lease_owner = Set(None);
        update.once = Set(None);
        update.last_error = Set(Some(reason.to_owned()));
        update.update(transaction).await.during("give up", "jobs")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses: Vec<i64> = (1..=9).map(pause).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(pause(u32::MAX), 3_600);
    }
}
