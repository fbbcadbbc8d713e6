//! Opening the database: one SQLite file in a directory, or PostgreSQL by URL.
//!
//! SQLite has one writer at a time. So this process has one connection that writes, for which tasks queue up
//! in memory, and several that read; other processes wait by SQLite's own busy handler. PostgreSQL has one
//! pool for both.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use tokio::sync::Mutex;

use crate::error::During;
use crate::{StoreError, StoreErrorKind, migrations};

/// Name of the database's file in its directory.
pub const DATABASE_FILE: &str = "cratekeeper.sqlite";

/// How long one waits for another writer, or for a free connection. Transactions take milliseconds; whoever
/// waits for this long waits for something that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How often a SQLite file is opened when another process is at it, and the pause in between: two seconds in all.
const OPENINGS: u32 = 40;
const OPENING_PAUSE: Duration = Duration::from_millis(50);

/// Connections to PostgreSQL, unless told otherwise. A server of four cores is best used by about ten; three
/// replicas share the hundred that PostgreSQL accepts by default.
const POSTGRES_CONNECTIONS: u32 = 20;

/// Connections that read SQLite. Readers do not wait for each other; more than cores would not help.
const SQLITE_READERS: u32 = 4;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// The gate's operational database.
///
/// Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) read: DatabaseConnection,
    pub(crate) write: DatabaseConnection,
    /// Held by whoever acts. Without it, those who wait for the log's lock would each wait with a connection
    /// that others could read with.
    pub(crate) acting: Arc<Mutex<()>>,
    kind: DatabaseKind,
    /// Address that links to versions' pages begin with.
    pub(crate) links: Option<Arc<str>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the SQLite database in `directory`, making directory, file and tables where they are missing.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or was migrated by a newer program.
    pub async fn open_directory(directory: &Path) -> Result<Store, StoreError> {
        std::fs::create_dir_all(directory).map_err(|error| {
            let reason = format!("its directory cannot be made: {error}");
            StoreError::new("open the database", directory.display(), StoreErrorKind::Refused(reason))
        })?;
        Store::open_file(&directory.join(DATABASE_FILE)).await
    }

    /// Opens the database that a URL names: `sqlite:PATH`, where the path is a directory's, or `postgres://…`.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, or was migrated by a newer program, or the URL is of another kind.
    pub async fn connect(url: &str) -> Result<Store, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Store::open_directory(Path::new(path.strip_prefix("//").unwrap_or(path))).await;
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let reason = "its URL begins with neither `sqlite:` nor `postgres:`".to_owned();
            return Err(StoreError::new(
                "open the database",
                without_secrets(url),
                StoreErrorKind::Invalid(reason),
            ));
        }
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .sqlx_logging(false)
            .set_application_name("cratekeeper")
            // One more round trip for each use, so that a database that was restarted shows in nobody's request.
            .test_before_acquire(true)
            .map_sqlx_postgres_opts(|options| {
                options.options([
                    ("lock_timeout", PATIENCE.as_millis().to_string()),
                    // A replica whose machine vanishes in the middle of a transaction holds locks until this ends it.
                    ("idle_in_transaction_session_timeout", (PATIENCE * 3).as_millis().to_string()),
                ])
            });
        let pool = Database::connect(options).await.during("open the database", without_secrets(url))?;
        Store::migrated(pool.clone(), pool, DatabaseKind::Postgres).await
    }

    /// Opens a file, again where another process is at it: SQLite does not wait for the lock that it takes to begin with its write-ahead log.
    async fn open_file(path: &Path) -> Result<Store, StoreError> {
        let mut attempt = 1;
        loop {
            match Store::try_open_file(path).await {
                Err(error) if *error.kind() == StoreErrorKind::Conflict && attempt < OPENINGS => {
                    attempt += 1;
                    tokio::time::sleep(OPENING_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    async fn try_open_file(path: &Path) -> Result<Store, StoreError> {
        let connect = async |connections: u32| {
            let mut options = ConnectOptions::new("sqlite::memory:");
            let path: PathBuf = path.to_owned();
            options
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .sqlx_logging(false)
                .map_sqlx_sqlite_opts(move |_| sqlite_options(&path));
            Database::connect(options).await
        };
        let write = connect(1).await.during("open the database", path.display())?;
        let read = connect(SQLITE_READERS).await.during("open the database", path.display())?;
        Store::migrated(read, write, DatabaseKind::Sqlite).await
    }

    async fn migrated(
        read: DatabaseConnection,
        write: DatabaseConnection,
        kind: DatabaseKind,
    ) -> Result<Store, StoreError> {
        let store = Store { read, write, acting: Arc::new(Mutex::new(())), kind, links: None };
        migrations::migrate(&store).await?;
        Ok(store)
    }

    /// The same store, whose events lead to versions' pages at `url`: to `{url}/v/` and the version's number.
    #[must_use]
    pub fn with_links(mut self, url: &str) -> Store {
        self.links = Some(url.trim_end_matches('/').into());
        self
    }

    /// Which kind of database it is.
    #[must_use]
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read.ping().await.during("reach the database", "ping")
    }

    /// How many bytes the database takes.
    ///
    /// # Errors
    ///
    /// When it does not say.
    pub async fn size(&self) -> Result<u64, StoreError> {
        let text = match self.kind {
            DatabaseKind::Sqlite => {
                "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
            }
            DatabaseKind::Postgres => "SELECT pg_database_size(current_database()) AS bytes",
        };
        let statement = Statement::from_string(self.read.get_database_backend(), text);
        let row = self.read.query_one_raw(statement).await.during("measure", "database")?;
        let row = row.during("measure", "database")?;
        let bytes: i64 = row.try_get("", "bytes").during("measure", "database")?;
        Ok(bytes.unsigned_abs())
    }

    /// Ends all connections, once those who use them are done.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn close(self) -> Result<(), StoreError> {
        self.read.close_by_ref().await.during("close the database", "readers")?;
        self.write.close_by_ref().await.during("close the database", "writer")
    }
}

/// How a connection to SQLite is set up.
fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // `NORMAL` is faster and may lose the last transactions when power fails. A publish that was
        // confirmed, a fetch whose body was sent and an entry of the audit log must not be among them.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        .foreign_keys(true)
}

/// A URL without the password and the parameters that may be in it.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split('?').next().unwrap_or(place);
    if scheme.is_empty() { place.to_owned() } else { format!("{scheme}://{place}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_url_has_no_password() {
        let shown = without_secrets("postgres://gate:p@ss@db.example.invalid/gate?sslpassword=x");
        assert_eq!(shown, "postgres://db.example.invalid/gate");
    }
}
