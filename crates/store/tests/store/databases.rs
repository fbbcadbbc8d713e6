//! Databases for tests: SQLite in a temporary directory, and a throwaway PostgreSQL out of the machine's own
//! programs.
//!
//! Each test has a database of its own; the server is shared.

use std::sync::atomic::{AtomicU32, Ordering};

use cratekeeper_store::{DATABASE_FILE, Store};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;

use crate::server::server;

/// A database for one test.
pub(crate) struct TestDatabase {
    /// For [`Store::connect`].
    pub(crate) url: String,
    /// For whoever goes past the store.
    raw_url: String,
    _directory: Option<TempDir>,
}

impl TestDatabase {
    pub(crate) fn sqlite() -> TestDatabase {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        TestDatabase {
            url: format!("sqlite:{}", path.display()),
            raw_url: format!("sqlite://{}", path.join(DATABASE_FILE).display()),
            _directory: Some(directory),
        }
    }

    /// `None` when PostgreSQL is missing on purpose.
    pub(crate) async fn postgres() -> Option<TestDatabase> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = server()?;
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let connection = Database::connect(server.url("postgres")).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        connection.close().await.unwrap();
        let url = server.url(&name);
        Some(TestDatabase { raw_url: url.clone(), url, _directory: None })
    }

    /// The store: its first connection, or one more, as another process would have it.
    pub(crate) async fn store(&self) -> Store {
        Store::connect(&self.url).await.unwrap()
    }

    /// A connection past the store, for whoever wants to do harm.
    pub(crate) async fn raw(&self) -> DatabaseConnection {
        Database::connect(&self.raw_url).await.unwrap()
    }
}

/// Runs a check as two tests, one for each kind of database.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident: &TestDatabase) $body:block)*) => {
        $(
            mod $name {
                #[allow(unused_imports, reason = "some checks need nothing else")]
                use super::*;

                $(#[$meta])*
                async fn check($database: &crate::databases::TestDatabase) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    check(&crate::databases::TestDatabase::sqlite()).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    if let Some(database) = crate::databases::TestDatabase::postgres().await {
                        check(&database).await;
                    }
                }
            }
        )*
    };
}
pub(crate) use on_both;
