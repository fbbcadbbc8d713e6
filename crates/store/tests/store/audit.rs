//! The audit log: what is done is in it, and what is done to it is seen.

use cratekeeper_store::{Act, AuditFilter, AuditKey, AuditProblem, Checkpoint, Store};
use proptest::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use serde_json::json;

use crate::databases::{TestDatabase, on_both};
use crate::fixtures::{NOW, hosted, publication, publish, user};

/// Writes entries, two at a time.
async fn write(store: &Store, number: i64) {
    for index in 0..number {
        let act = Act::new("alice", "version.hold", format!("demo@{index}"), NOW + index);
        let mut transaction =
            store.act(act.with_detail(json!({"reason": "a \0 'b' \u{1F980}"}))).await.unwrap();
        transaction.also(Act::new("alice", "webhook.tell", format!("demo@{index}"), NOW + index));
        transaction.commit().await.unwrap();
    }
}

/// Does what whoever owns the database can do: takes the triggers away.
async fn disarm(raw: &DatabaseConnection) {
    let statements = match raw.get_database_backend() {
        DbBackend::Sqlite => {
            vec!["DROP TRIGGER audit_log_is_not_updated", "DROP TRIGGER audit_log_is_not_deleted"]
        }
        _ => vec!["ALTER TABLE audit_log DISABLE TRIGGER USER"],
    };
    for statement in statements {
        raw.execute_unprepared(statement).await.unwrap();
    }
}

async fn problems(store: &Store, kept: &[Checkpoint]) -> Vec<AuditProblem> {
    let signers: Vec<String> = kept.first().map(|it| it.signer.clone()).into_iter().collect();
    store.verify_audit_log(&signers, kept).await.unwrap().problems
}

on_both! {
    async fn every_act_has_its_entry_and_they_follow_from_each_other(database: &TestDatabase) {
        let store = database.store().await;
        write(&store, 3).await;
        let abandoned = store.act(Act::new("alice", "never", "happened", NOW)).await.unwrap();
        drop(abandoned);
        write(&store, 1).await;
        let entries = store.audit_entries(&AuditFilter::default(), None, 100).await.unwrap();
        let sequences: Vec<i64> = entries.iter().map(|it| it.sequence).collect();
        assert_eq!(sequences, (1..=8).rev().collect::<Vec<_>>());
        assert!(entries.windows(2).all(|pair| pair[0].previous == pair[1].hash));
        assert_eq!(entries[1].detail, json!({"reason": "a \0 'b' \u{1F980}"}));
        let filter = AuditFilter { object: Some("demo@2".to_owned()), ..AuditFilter::default() };
        assert_eq!(store.audit_entries(&filter, None, 100).await.unwrap().len(), 2);
        assert_eq!(store.audit_entries(&AuditFilter::default(), Some(3), 1).await.unwrap()[0].sequence, 2);
        let report = store.verify_audit_log(&[], &[]).await.unwrap();
        assert_eq!((report.entries, report.last, report.problems), (8, 8, Vec::new()));
    }

    async fn the_database_itself_refuses_changes(database: &TestDatabase) {
        let store = database.store().await;
        write(&store, 2).await;
        let raw = database.raw().await;
        let mut statements = vec!["UPDATE audit_log SET actor = 'bob'", "DELETE FROM audit_log WHERE sequence = 4"];
        if raw.get_database_backend() == DbBackend::Postgres {
            statements.push("TRUNCATE audit_log");
        }
        for statement in statements {
            let error = raw.execute_unprepared(statement).await.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
        // A second entry after the same one would be a fork.
        let fork = "INSERT INTO audit_log SELECT 5, at, actor, action, object, detail, previous, 'other' FROM audit_log WHERE sequence = 4";
        assert!(raw.execute_unprepared(fork).await.is_err());
        assert_eq!(problems(&store, &[]).await, []);
    }

    async fn several_writers_make_one_chain(database: &TestDatabase) {
        let stores = [database.store().await, database.store().await];
        let mut tasks = Vec::new();
        for store in stores.iter().cycle().take(6) {
            let store = store.clone();
            tasks.push(tokio::spawn(async move { write(&store, 10).await }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let report = stores[0].verify_audit_log(&[], &[]).await.unwrap();
        assert_eq!((report.entries, report.last, report.problems), (120, 120, Vec::new()));
    }

    async fn what_was_cut_off_or_rewritten_is_told_from_a_checkpoint(database: &TestDatabase) {
        let store = database.store().await;
        let (key, _) = AuditKey::generate().unwrap();
        let empty = store.take_checkpoint(&key, NOW).await.unwrap();
        write(&store, 5).await;
        let kept = [empty, store.take_checkpoint(&key, NOW + 9).await.unwrap()];
        write(&store, 2).await;
        assert_eq!(problems(&store, &kept).await, []);
        assert_eq!(store.checkpoints(1).await.unwrap(), kept[1..]);

        let raw = database.raw().await;
        disarm(&raw).await;
        raw.execute_unprepared("DELETE FROM audit_log WHERE sequence > 9").await.unwrap();
        raw.execute_unprepared("DELETE FROM checkpoints").await.unwrap();
        assert_eq!(problems(&store, &[]).await, [], "without a checkpoint from elsewhere it looks whole");
        assert_eq!(problems(&store, &kept).await, [AuditProblem::Truncated { sequence: 10, last: 9 }]);
        write(&store, 1).await;
        assert_eq!(problems(&store, &kept).await, [AuditProblem::Rewritten { sequence: 10 }]);

        let (other, _) = AuditKey::generate().unwrap();
        let foreign = store.take_checkpoint(&other, NOW).await.unwrap();
        let found = store.verify_audit_log(&[key.public()], &[foreign]).await.unwrap().problems;
        assert!(found.iter().all(|it| matches!(it, AuditProblem::UntrustedCheckpoint { .. })), "{found:?}");
        assert_eq!(found.len(), 2, "the one given, and the copy in the database");
    }
}

/// A change of one row, as somebody would make it who can write to the database.
#[derive(Debug, Clone)]
enum Tampering {
    Number { column: &'static str, row: i64, by: i64 },
    Text { column: &'static str, row: i64, with: String },
    Delete { row: i64 },
    Swap { row: i64, with: i64 },
}

const ROWS: i64 = 12;

fn tampering() -> impl Strategy<Value = Tampering> {
    let numbers = prop::sample::select(vec!["sequence", "at"]);
    let texts = prop::sample::select(vec!["actor", "action", "object", "detail", "previous", "hash"]);
    prop_oneof![
        2 => (numbers, 1..=ROWS, prop_oneof![-20_i64..0, 1_i64..20, Just(1_000_000)])
            .prop_map(|(column, row, by)| Tampering::Number { column, row, by }),
        4 => (texts, 1..=ROWS, "[a-f0-9]{64}|[ -~]{0,12}")
            .prop_map(|(column, row, with)| Tampering::Text { column, row, with }),
        1 => (1..=ROWS).prop_map(|row| Tampering::Delete { row }),
        1 => (1..ROWS, 1..=3_i64).prop_map(|(row, by)| Tampering::Swap { row, with: (row + by).min(ROWS) }),
    ]
}

impl Tampering {
    fn statements(&self) -> Vec<String> {
        match self {
            Tampering::Number { column, row, by } => {
                vec![format!("UPDATE audit_log SET {column} = {column} + {by} WHERE sequence = {row}")]
            }
            Tampering::Text { column, row, with } => {
                let with = with.replace('\'', "''");
                vec![format!("UPDATE audit_log SET {column} = '{with}' WHERE sequence = {row}")]
            }
            Tampering::Delete { row } => vec![format!("DELETE FROM audit_log WHERE sequence = {row}")],
            Tampering::Swap { row, with } => vec![
                format!("UPDATE audit_log SET sequence = -7 WHERE sequence = {row}"),
                format!("UPDATE audit_log SET sequence = {row} WHERE sequence = {with}"),
                format!("UPDATE audit_log SET sequence = {with} WHERE sequence = -7"),
            ],
        }
    }
}

async fn is_seen(database: &TestDatabase, tampering: &Tampering) -> Option<bool> {
    let store = database.store().await;
    let (key, _) = AuditKey::generate().unwrap();
    write(&store, ROWS / 2).await;
    let checkpoint = store.take_checkpoint(&key, NOW).await.unwrap();
    let raw = database.raw().await;
    disarm(&raw).await;
    let before = store.audit_entries(&AuditFilter::default(), None, 100).await.unwrap();
    for statement in tampering.statements() {
        // The database may refuse on its own: a number or a hash that is there already.
        raw.execute_unprepared(&statement).await.ok()?;
    }
    let after = store.audit_entries(&AuditFilter::default(), None, 100).await;
    if after.is_ok_and(|after| after == before) {
        return None;
    }
    Some(!problems(&store, &[checkpoint]).await.is_empty())
}

#[test]
fn any_change_of_any_row_is_seen() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(tampering in tampering())| {
        let seen = runtime.block_on(is_seen(&TestDatabase::sqlite(), &tampering));
        prop_assert_ne!(seen, Some(false), "{:?} was not seen", tampering);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_changes_of_rows_are_seen_on_postgres() {
    for tampering in [
        Tampering::Text { column: "detail", row: 3, with: "{}".to_owned() },
        Tampering::Number { column: "at", row: 12, by: -1 },
        Tampering::Delete { row: 12 },
        Tampering::Swap { row: 4, with: 6 },
    ] {
        if let Some(database) = TestDatabase::postgres().await {
            assert_ne!(is_seen(&database, &tampering).await, Some(false), "{tampering:?} was not seen");
        }
    }
}

/// How many connections wait for another's transaction to end.
async fn waiting(raw: &DatabaseConnection) -> i64 {
    let query = "SELECT COUNT(*) AS waiting FROM pg_stat_activity \
                 WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, query)).await.unwrap();
    row.unwrap().try_get("", "waiting").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_ignores_the_lock_forks_nothing_and_stops_nobody() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let store = database.store().await;
    let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
    let (raw, watcher) = (database.raw().await, database.raw().await);
    let foreign = raw.begin().await.unwrap();
    let insert = "INSERT INTO audit_log SELECT sequence + 1, at, actor, action, object, detail, hash, repeat('ab', 32) \
                  FROM audit_log ORDER BY sequence DESC LIMIT 1";
    foreign.execute_unprepared(insert).await.unwrap();
    let publication = publication(&registry, &alice, "demo", "1.0.0", NOW);
    let publishing = {
        let store = store.clone();
        tokio::spawn(async move { publish(&store, &publication).await })
    };
    // It appends after the same entry, and waits for what becomes of the other.
    while waiting(&watcher).await == 0 {
        tokio::task::yield_now().await;
    }
    foreign.commit().await.unwrap();
    publishing.await.unwrap();
    let entries = store.audit_entries(&AuditFilter::default(), None, 2).await.unwrap();
    assert_eq!(entries[0].object, "demo@1.0.0");
    assert_eq!(entries[0].previous, entries[1].hash, "it was tried again, behind the other");
    assert_eq!(problems(&store, &[]).await, [AuditProblem::Changed { sequence: entries[1].sequence }]);
}
