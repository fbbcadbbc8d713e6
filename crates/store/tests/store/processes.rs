//! Several processes on one database, some of which are killed.
//!
//! The test binary starts itself again with the ignored test [`child`], which does what the environment tells
//! it until it is killed or done.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

use cratekeeper_store::{
    Act, AuditFilter, EventKind, LeaseState, NewJob, QueueFilter, QueueOrder, Store, VersionId,
};
use serde_json::json;

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, publication, publish, user};

const TASK: &str = "CRATEKEEPER_TEST_TASK";
const URL: &str = "CRATEKEEPER_TEST_URL";

/// Starts this binary again to do a task.
fn start(task: &str, url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(TASK, task)
        .env(URL, url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is started by other tests"]
async fn child() {
    let (Ok(task), Ok(url)) = (std::env::var(TASK), std::env::var(URL)) else { return };
    let store = Store::connect(&url).await.unwrap();
    match task.split_once(' ').unwrap() {
        ("publish", prefix) => publish_for_ever(&store, prefix).await,
        ("work", owner) => work(&store, owner).await,
        other => panic!("{other:?}"),
    }
}

async fn publish_for_ever(store: &Store, prefix: &str) {
    let registry = store.registry("hosted").await.unwrap().unwrap();
    let alice = user(store, prefix, &[]).await;
    for number in 0.. {
        publish(store, &publication(&registry, &alice, &format!("{prefix}-{number}"), "1.0.0", NOW)).await;
    }
}

async fn work(store: &Store, owner: &str) {
    loop {
        let leases = store.claim_jobs(owner, &["inspect"], 2, 60, NOW).await.unwrap().leases;
        if leases.is_empty() {
            return;
        }
        for lease in leases {
            if store.complete_job(&lease).await.unwrap() == LeaseState::Held {
                println!("\ndone {}", lease.id);
            }
        }
    }
}

/// Every version is whole: with how it was published, what happened, its inspection and its entry in the log.
async fn require_whole(store: &Store) -> usize {
    let versions =
        store.queue(&QueueFilter::default(), QueueOrder::OldestFirst, None, 100_000).await.unwrap();
    let log = store.audit_entries(&AuditFilter::default(), None, 100_000).await.unwrap();
    let published = log.iter().filter(|it| it.action == "version.publish").count();
    assert_eq!(published, versions.len(), "each has its entry in the log");
    let jobs = store.claim_jobs("test", &["inspect"], 100_000, 0, NOW).await.unwrap().leases;
    let about: BTreeSet<i64> = jobs.iter().map(|it| it.payload["version_id"].as_i64().unwrap()).collect();
    let changed: BTreeSet<i64> =
        store.changes_since(0).await.unwrap().iter().map(|it| it.crate_id.0).collect();
    for entry in &versions {
        let id: VersionId = entry.version.id;
        assert!(about.contains(&id.0), "its inspection is enqueued");
        assert!(changed.contains(&entry.krate.id.0), "the index changed");
        assert!(store.provenance(id).await.unwrap().publisher.is_some());
        let events = store.events_of(entry.krate.id).await.unwrap();
        assert_eq!(events.iter().map(|it| it.kind).collect::<Vec<_>>(), [EventKind::Publish]);
        assert_eq!(store.owners(entry.krate.id).await.unwrap().len(), 1);
    }
    let report = store.verify_audit_log(&[], &[]).await.unwrap();
    assert_eq!(report.problems, []);
    versions.len()
}

on_both! {
    async fn a_process_that_is_killed_leaves_nothing_half_done(database: &TestDatabase) {
        let store = database.store().await;
        hosted(&store).await;
        let mut before = 0;
        for round in 0..6 {
            let mut children: Vec<Child> =
                (0..2).map(|it| start(&format!("publish p{round}-{it}"), &database.url)).collect();
            // Killed somewhere in the middle of a publish, after some more than before.
            while store.newest_change().await.unwrap() < before + 3 + 2 * round {
                tokio::task::yield_now().await;
            }
            for child in &mut children {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            let act = Act::new("test", "test.goes-on", "test", NOW);
            store.act(act).await.unwrap().commit().await.unwrap();
            require_whole(&store).await;
            before = store.newest_change().await.unwrap();
        }
    }

    async fn of_jobs_that_several_processes_claim_each_is_done_once(database: &TestDatabase) {
        let store = database.store().await;
        let mut all = BTreeSet::new();
        for _ in 0..80 {
            all.insert(store.enqueue(&NewJob::new("inspect", json!({})), NOW).await.unwrap().0);
        }
        let children: Vec<Child> = (0..3).map(|it| start(&format!("work process-{it}"), &database.url)).collect();
        let mut done = Vec::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            done.extend(text.lines().filter_map(|it| it.strip_prefix("done ")?.parse::<i64>().ok()));
        }
        assert_eq!(done.len(), all.len(), "none was done twice");
        assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), all);
    }
}
