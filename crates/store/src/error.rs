//! What can go wrong with the database, and what to do about it.
//!
//! An error names the operation and its object, and keeps the driver's error as its source. Refusals that a
//! caller answers for (a name that is taken, somebody who is no owner) are kinds of their own, because the
//! server turns them into answers of a protocol. Neither text form shows values of rows: some of them are
//! hashes of secrets.

use std::fmt;

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// An operation on the store failed or was refused.
pub struct StoreError {
    operation: &'static str,
    object: String,
    kind: StoreErrorKind,
    source: Option<Box<DbErr>>,
}

/// Why an operation failed or was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// There is no such thing.
    #[error("there is none")]
    NotFound,
    /// There is one already.
    #[error("there is one already")]
    AlreadyExists,
    /// A crate's name is the same as another's but for case, `-` and `_`.
    #[error("the registry has a crate `{existing}`, whose name differs in case, `-` or `_` alone")]
    NameTaken {
        /// Name of that crate.
        existing: String,
    },
    /// This version was published before, with other content or by somebody else.
    #[error("this version was published before, with checksum {checksum}")]
    VersionTaken {
        /// SHA-256 of what was published, in hexadecimal digits.
        checksum: String,
    },
    /// Whoever asks is no owner of the crate.
    #[error("`{login}` is not an owner of it")]
    NotOwner {
        /// Who asked.
        login: String,
    },
    /// Whoever worked on a job has lost it: the lease ended, and somebody else has the job or has done it.
    #[error("its lease ended, and somebody else has it")]
    LeaseLost,
    /// It was decided, or found out, since whoever asks looked that it may not be had.
    #[error("it may not be had any more")]
    NotOpen,
    /// The account that it is done for is frozen; what whoever acts is told.
    #[error("{0}")]
    Frozen(String),
    /// What is asked for may not be done; the reason.
    #[error("{0}")]
    Refused(String),
    /// A value that the store cannot keep; the reason.
    #[error("{0}")]
    Invalid(String),
    /// Another writer was first, or held its lock too long. The same operation may succeed when it is tried again.
    #[error("another writer was in the way")]
    Conflict,
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Unavailable,
    /// There is no room left.
    #[error("the database has no room left")]
    Full,
    /// The database was migrated by a newer program.
    #[error("the database has the migration `{0}`, which this program does not know")]
    TooNew(String),
    /// Something in the database cannot be.
    #[error("the database holds what it cannot hold: {0}")]
    Damaged(String),
    /// The database's kind cannot do this.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The database refused, for a reason that has no kind of its own.
    #[error("the database refused")]
    Database,
}

impl StoreError {
    pub(crate) fn new(
        operation: &'static str,
        object: impl fmt::Display,
        kind: StoreErrorKind,
    ) -> StoreError {
        StoreError { operation, object: object.to_string(), kind, source: None }
    }

    fn of_database(operation: &'static str, object: impl fmt::Display, error: DbErr) -> StoreError {
        let kind = classify(&error);
        StoreError { operation, object: object.to_string(), kind, source: Some(Box::new(error)) }
    }

    /// What is there already was not there when this began: another writer was faster, and the same operation
    /// may succeed when it is tried again.
    pub(crate) fn into_conflict(mut self) -> StoreError {
        if self.kind == StoreErrorKind::AlreadyExists {
            self.kind = StoreErrorKind::Conflict;
        }
        self
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> &StoreErrorKind {
        &self.kind
    }

    /// Whether the same operation may succeed when it is tried again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Conflict | StoreErrorKind::Unavailable)
    }

    /// What whoever runs the gate can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self.kind {
            StoreErrorKind::Conflict => {
                Some("try again; if it persists, look for a transaction that stays open")
            }
            StoreErrorKind::Unavailable => Some("check that the database runs and that its URL is right"),
            StoreErrorKind::Full => Some("make room on the disk that holds the database"),
            StoreErrorKind::TooNew(_) => {
                Some("use the newer program, or restore the backup made before it first ran")
            }
            StoreErrorKind::Damaged(_) => {
                Some("restore a backup, and keep a copy of the damaged database for comparison")
            }
            _ => None,
        }
    }
}

/// What the driver's error means for the caller.
fn classify(error: &DbErr) -> StoreErrorKind {
    if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
        return StoreErrorKind::AlreadyExists;
    }
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => StoreErrorKind::Unavailable,
            DbErr::Type(reason) => StoreErrorKind::Damaged(reason.clone()),
            _ => StoreErrorKind::Database,
        };
    };
    use sea_orm::sqlx::Error;
    match cause.as_ref() {
        Error::Database(cause) => of_code(&cause.code().unwrap_or_default()),
        Error::Io(_) | Error::Tls(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StoreErrorKind::Unavailable
        }
        _ => StoreErrorKind::Database,
    }
}

/// What the database's own code means: five characters from PostgreSQL, a number of up to four digits from SQLite, of which the low
/// byte is the kind.
fn of_code(code: &str) -> StoreErrorKind {
    let sqlite = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|it| it & 0xFF);
    match (sqlite, code) {
        // Busy, locked; serialization failure, deadlock, lock not available.
        (Some(5 | 6), _) | (None, "40001" | "40P01" | "55P03") => StoreErrorKind::Conflict,
        (Some(13), _) | (None, "53100") => StoreErrorKind::Full,
        // The disk does not answer, the file cannot be opened; shutting down, starting up, too many connections, idle for too long in a
        // transaction.
        (Some(10 | 14), _) | (None, "57P01" | "57P02" | "57P03" | "53300" | "25P03") => {
            StoreErrorKind::Unavailable
        }
        (Some(11), _) | (None, "XX001" | "XX002") => {
            StoreErrorKind::Damaged("pages or an index of it".to_owned())
        }
        (Some(26), _) => StoreErrorKind::Damaged("something that is no database".to_owned()),
        _ => StoreErrorKind::Database,
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {} `{}`: {}", self.operation, self.object, self.kind)
    }
}

/// By hand: the driver's own debug form shows values of rows.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.as_ref().map(ToString::to_string);
        f.debug_struct("StoreError")
            .field("operation", &self.operation)
            .field("object", &self.object)
            .field("kind", &self.kind)
            .field("source", &source)
            .finish()
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|it| it as &(dyn std::error::Error + 'static))
    }
}

/// Says what was being done when the database refused.
pub(crate) trait During<T> {
    /// Names the operation, as a verb with its article, and its object.
    fn during(self, operation: &'static str, object: impl fmt::Display) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, DbErr> {
    fn during(self, operation: &'static str, object: impl fmt::Display) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::of_database(operation, object, error))
    }
}

impl<T> During<T> for Option<T> {
    fn during(self, operation: &'static str, object: impl fmt::Display) -> Result<T, StoreError> {
        self.ok_or_else(|| StoreError::new(operation, object, StoreErrorKind::NotFound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases_mean_the_same() {
        for code in ["5", "517", "773", "262", "40001", "40P01"] {
            assert_eq!(of_code(code), StoreErrorKind::Conflict, "{code}");
        }
        assert_eq!([of_code("13"), of_code("53100")], [StoreErrorKind::Full, StoreErrorKind::Full]);
        for code in ["778", "14", "57P01"] {
            assert_eq!(of_code(code), StoreErrorKind::Unavailable, "{code}");
        }
        for code in ["", "1", "23514", "é"] {
            assert_eq!(of_code(code), StoreErrorKind::Database, "{code}");
        }
    }
}
