//! How fast it is: `CRATEKEEPER_MEASURE=1 cargo test --release -p cratekeeper-store --test store figures --
//! --ignored --nocapture`.
//!
//! With that variable PostgreSQL writes durably, as it does for others. Nothing is asserted about time.

use std::time::Instant;

use cratekeeper_store::{Act, FETCHES_WAITING, Fetch, FetchRecorder, NewJob, State, Store, WalkLimits};
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use crate::databases::TestDatabase;
use crate::fixtures::{NOW, hosted, inspection, publication, publish, user};

fn say(database: &str, what: &str, number: usize, since: Instant) {
    let seconds = since.elapsed().as_secs_f64();
    println!("{database}: {what}: {:.0} a second ({number} in {seconds:.2} s)", number as f64 / seconds);
}

async fn measure(name: &str, database: &TestDatabase) {
    let store = database.store().await;
    let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);

    let since = Instant::now();
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(
            publish(&store, &publication(&registry, &alice, &format!("crate-{number}"), "1.0.0", NOW)).await,
        );
    }
    say(name, "publishes, one after the other", 300, since);

    let since = Instant::now();
    for id in &ids {
        store.record_inspection(*id, &inspection(State::Released, 0, NOW), None).await.unwrap();
    }
    say(name, "inspections", ids.len(), since);

    let since = Instant::now();
    for number in 0..500 {
        let act = Act::new("alice", "measure", number.to_string(), NOW);
        store.act(act).await.unwrap().commit().await.unwrap();
    }
    say(name, "acts with an entry", 500, since);

    let since = Instant::now();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..200 {
                    let act = Act::new("alice", "measure", number.to_string(), NOW);
                    store.act(act).await.unwrap().commit().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    say(name, "acts with an entry, by four tasks", 800, since);

    measure_fetches(name, &store, &ids).await;
    measure_jobs(name, &store).await;

    let since = Instant::now();
    let report = store.verify_audit_log(&[], &[]).await.unwrap();
    say(name, "entries verified", report.entries as usize, since);
    let since = Instant::now();
    for id in &ids {
        store.history(*id, NOW).await.unwrap();
    }
    say(name, "histories", ids.len(), since);
}

async fn measure_fetches(name: &str, store: &Store, ids: &[cratekeeper_store::VersionId]) {
    let (recorder, task) = FetchRecorder::start(store, FETCHES_WAITING);
    for waiting in [1, 16, 256] {
        let since = Instant::now();
        let each = if waiting == 1 { 200 } else { 8_192 / waiting };
        let tasks: Vec<_> = (0..waiting)
            .map(|task| {
                let (recorder, version) = (recorder.clone(), ids[task % ids.len()]);
                tokio::spawn(async move {
                    for _ in 0..each {
                        let client = Some("cargo 1.95.0 (f2d3ce0bd 2026-03-21)".to_owned());
                        let address = Some("192.0.2.1".to_owned());
                        let fetch = Fetch { version, token: None, login: None, address, client, at: NOW };
                        recorder.record(fetch).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        say(name, &format!("fetch records, {waiting} at once"), waiting * each, since);
    }
    drop(recorder);
    task.await.unwrap();
    let since = Instant::now();
    for id in ids {
        store.fetch_counts(&[*id]).await.unwrap();
    }
    say(name, "counts of fetches", ids.len(), since);
}

async fn measure_jobs(name: &str, store: &Store) {
    let since = Instant::now();
    for _ in 0..300 {
        store.enqueue(&NewJob::new("measure", json!({})), NOW).await.unwrap();
    }
    say(name, "jobs enqueued", 300, since);
    let since = Instant::now();
    let mut done = 0;
    loop {
        let leases = store.claim_jobs("measure", &["measure"], 1, 60, NOW).await.unwrap().leases;
        if leases.is_empty() {
            break;
        }
        for lease in leases {
            store.complete_job(&lease).await.unwrap();
            done += 1;
        }
    }
    say(name, "jobs claimed and completed", done, since);
}

/// Crates besides one of which 10,000 newest versions depend on; each of the others depends on two more.
const CRATES: usize = 200_000;

async fn measure_dependents(name: &str, database: &TestDatabase) {
    let store = database.store().await;
    let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
    let id = publish(&store, &publication(&registry, &alice, "popular", "1.0.0", NOW)).await;
    let (krate, version) = store.version_by_id(id).await.unwrap();
    let raw = database.raw().await;
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {CRATES})"
    );
    let registry = registry.id;
    raw.execute_unprepared(&format!(
        "{numbers} INSERT INTO crates (registry_id, name, canonical, first_seen, newest_id) \
         SELECT {registry}, 'd' || n, 'd' || n, 0, 0 FROM numbers"
    ))
    .await
    .unwrap();
    let kept =
        "INSERT INTO dependencies (crate_id, canonical, kind, requirement, elsewhere, number) SELECT id,";
    let of = "FROM crates WHERE name <> 'popular'";
    for statement in [
        format!("{kept} 'popular', 'normal', '^1', FALSE, '1.0.0' {of} AND id % 20 = 0"),
        format!("{kept} 'd' || (id / 2), 'normal', '^1', FALSE, '1.0.0' {of}"),
        format!("{kept} 'd' || (id / 3), 'build', '^1', FALSE, '1.0.0' {of}"),
    ] {
        raw.execute_unprepared(&statement).await.unwrap();
    }
    for (what, named) in [("popular", "popular"), ("in the middle", "d1000"), ("at the end", "d199999")] {
        let of = store.krate(krate.registry, named).await.unwrap().unwrap();
        // The first time, what was just written is read from wherever it lies.
        store.dependents(&of, &version.version, WalkLimits::default()).await.unwrap();
        let since = Instant::now();
        let found = store.dependents(&of, &version.version, WalkLimits::default()).await.unwrap();
        let (direct, others) = (found.direct_count, found.transitive_count);
        println!(
            "{name}: dependents of a crate that is {what}, among {CRATES}: {direct} and {others}{} in {:.1} ms",
            if found.is_cut { ", cut" } else { "" },
            since.elapsed().as_secs_f64() * 1e3
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn figures_of_dependents() {
    measure_dependents("SQLite", &TestDatabase::sqlite()).await;
    if let Some(database) = TestDatabase::postgres().await {
        measure_dependents("PostgreSQL", &database).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn figures() {
    measure("SQLite", &TestDatabase::sqlite()).await;
    if let Some(database) = TestDatabase::postgres().await {
        measure("PostgreSQL", &database).await;
    }
}
