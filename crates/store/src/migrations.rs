//! Brings the tables of a database up to what this program expects.
//!
//! A migration, once released, is never changed: what is new is a new one. They are run under a lock, in one
//! transaction each, so that several replicas can start at once. (`sea-orm-migration` would bring `sea-orm`'s
//! date, decimal and UUID libraries along, and has no lock.)

mod tables;

use std::collections::BTreeSet;

use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, Set};

use crate::entities::migrations as applied;
use crate::error::During;
use crate::transaction::lock_log;
use crate::{DatabaseKind, Store, StoreError, StoreErrorKind};

/// One step.
struct Migration {
    /// Its name for good; sorted by it they are in order.
    name: &'static str,
    /// What it does, as statements.
    statements: fn(DatabaseKind) -> Vec<String>,
}

const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001-tables", statements: tables::statements },
    Migration { name: "0002-circumstances", statements: circumstances },
    Migration { name: "0003-console", statements: tables::console },
    Migration { name: "0004-vault", statements: tables::vault },
    Migration { name: "0005-identities", statements: tables::identities },
    Migration { name: "0006-mail", statements: tables::mail },
    Migration { name: "0007-keys", statements: tables::keys },
    Migration { name: "0008-wrong-codes", statements: tables::codes },
    Migration { name: "0009-waived-rules", statements: waived_rules },
];

/// What a policy looked at besides the case, so that another one can be asked about the past; what a publish request claimed where its
/// archive says something else; descriptions, for whoever searches; and which versions
/// there were when something was decided about a crate or a publisher.
fn circumstances(_: DatabaseKind) -> Vec<String> {
    let statements = [
        "ALTER TABLE inspections ADD COLUMN circumstances_json TEXT",
        "CREATE INDEX inspections_by_moment ON inspections (at, id)",
        "ALTER TABLE provenance ADD COLUMN claimed_json TEXT",
        "ALTER TABLE versions ADD COLUMN description TEXT",
        "ALTER TABLE decisions ADD COLUMN newest_version BIGINT",
    ];
    statements.map(str::to_owned).into()
}

/// Waivers were of clauses alone, and are of rules, too. The column keeps its name: a replica of the release before takes a waiver of a rule for one
/// of a clause that is not there.
fn waived_rules(_: DatabaseKind) -> Vec<String> {
    vec!["ALTER TABLE waivers ADD COLUMN kind TEXT NOT NULL DEFAULT 'clause'".to_owned()]
}

/// Applies what is missing.
pub(crate) async fn migrate(store: &Store) -> Result<(), StoreError> {
    for migration in MIGRATIONS {
        let transaction = store.begin_writing("migrate the database").await?;
        lock_log(&transaction).await.during("migrate the database", migration.name)?;
        if is_missing(&transaction, migration).await? {
            for statement in (migration.statements)(store.kind()) {
                transaction
                    .execute_unprepared(&statement)
                    .await
                    .during("migrate the database", migration.name)?;
            }
            let row = applied::ActiveModel { name: Set(migration.name.to_owned()) };
            row.insert(&transaction).await.during("migrate the database", migration.name)?;
        }
        transaction.commit().await.during("migrate the database", migration.name)?;
    }
    Ok(())
}

async fn is_missing(transaction: &DatabaseTransaction, migration: &Migration) -> Result<bool, StoreError> {
    let table = "CREATE TABLE IF NOT EXISTS migrations (name TEXT NOT NULL PRIMARY KEY)";
    transaction.execute_unprepared(table).await.during("migrate the database", migration.name)?;
    let rows =
        applied::Entity::find().all(transaction).await.during("migrate the database", migration.name)?;
    let names: BTreeSet<&str> = rows.iter().map(|it| it.name.as_str()).collect();
    match names.iter().find(|name| MIGRATIONS.iter().all(|it| it.name != **name)) {
        Some(unknown) => Err(StoreError::new(
            "open the database",
            "migrations",
            StoreErrorKind::TooNew((*unknown).to_owned()),
        )),
        None => Ok(!names.contains(migration.name)),
    }
}
