//! Jobs: none is lost, and no two workers have the same one at once.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_store::{Act, Claimed, JobId, Lease, LeaseState, NewJob, SPENT, Store};
use proptest::prelude::*;
use serde_json::json;

use crate::databases::{TestDatabase, on_both};
use crate::fixtures::NOW;

const KINDS: &[&str] = &["inspect", "deliver"];

async fn enqueue(store: &Store, number: usize) -> BTreeSet<JobId> {
    let mut ids = BTreeSet::new();
    for index in 0..number {
        ids.insert(store.enqueue(&NewJob::new("inspect", json!({"index": index})), NOW).await.unwrap());
    }
    ids
}

async fn claim(store: &Store, owner: &str, limit: u64, at: i64) -> Vec<Lease> {
    store.claim_jobs(owner, KINDS, limit, 60, at).await.unwrap().leases
}

/// Works until nothing is left, and gives what it worked on.
async fn work(store: Store, owner: String) -> Vec<JobId> {
    let mut done = Vec::new();
    loop {
        let leases = claim(&store, &owner, 3, NOW).await;
        if leases.is_empty() {
            return done;
        }
        for lease in leases {
            tokio::task::yield_now().await;
            assert_eq!(store.complete_job(&lease).await.unwrap(), LeaseState::Held);
            done.push(lease.id);
        }
    }
}

on_both! {
    async fn many_workers_do_every_job_once(database: &TestDatabase) {
        let stores = [database.store().await, database.store().await];
        let all = enqueue(&stores[0], 60).await;
        let workers: Vec<_> = (0..6)
            .map(|it| tokio::spawn(work(stores[it % 2].clone(), format!("worker-{it}"))))
            .collect();
        let mut done = Vec::new();
        for worker in workers {
            done.extend(worker.await.unwrap());
        }
        assert_eq!(done.len(), all.len(), "none was done twice");
        assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), all, "none was lost");
    }

    async fn a_job_whose_worker_died_is_somebody_elses(database: &TestDatabase) {
        let store = database.store().await;
        enqueue(&store, 1).await;
        let first = claim(&store, "first", 1, NOW).await.remove(0);
        assert!(claim(&store, "second", 1, NOW + 59).await.is_empty(), "the lease holds");
        assert_eq!(store.extend_lease(&first, 60, NOW + 50).await.unwrap(), LeaseState::Held);
        assert!(claim(&store, "second", 1, NOW + 60).await.is_empty(), "it was extended");
        let second = claim(&store, "second", 1, NOW + 110).await.remove(0);
        assert_eq!((second.id, second.attempt), (first.id, 2));
        for late in [
            store.extend_lease(&first, 60, NOW + 111).await.unwrap(),
            store.fail_job(&first, "late", NOW + 111).await.unwrap(),
            store.complete_job(&first).await.unwrap(),
        ] {
            assert_eq!(late, LeaseState::Lost);
        }
        assert_eq!(store.complete_job(&second).await.unwrap(), LeaseState::Held);
        assert_eq!(store.job(second.id).await.unwrap(), None);
    }

    async fn a_job_that_fails_waits_longer_each_time_and_is_given_up_in_the_end(database: &TestDatabase) {
        let store = database.store().await;
        let mut job = NewJob::new("inspect", json!({}));
        job.attempts_allowed = 3;
        let id = store.enqueue(&job, NOW).await.unwrap();
        let mut at = NOW;
        for pause in [30, 60] {
            let lease = claim(&store, "worker", 1, at).await.remove(0);
            store.fail_job(&lease, "a \0 problem", at).await.unwrap();
            assert!(claim(&store, "worker", 1, at + pause - 1).await.is_empty());
            at += pause;
        }
        let last = claim(&store, "worker", 1, at).await.remove(0);
        store.fail_job(&last, "the last problem", at).await.unwrap();
        assert!(claim(&store, "worker", 1, at + 1_000_000).await.is_empty(), "it was given up");
        let dead = store.dead_jobs(None, 10).await.unwrap();
        assert_eq!((dead[0].id, dead[0].last_error.as_deref()), (id, Some("the last problem")));
        assert_eq!(store.job_counts().await.unwrap()[0].dead, 1);

        let mut transaction = store.act(Act::new("admin", "job.retry", "1", at)).await.unwrap();
        transaction.retry_job(id).await.unwrap();
        assert!(transaction.retry_job(id).await.is_err(), "it is not given up any more");
        transaction.commit().await.unwrap();
        assert_eq!(claim(&store, "worker", 1, at).await[0].attempt, 1);
    }

    async fn a_job_that_kills_its_worker_is_given_up(database: &TestDatabase) {
        let store = database.store().await;
        let mut job = NewJob::new("inspect", json!({}));
        job.attempts_allowed = 2;
        store.enqueue(&job, NOW).await.unwrap();
        for attempt in 0..2 {
            assert_eq!(claim(&store, "worker", 1, NOW + 60 * attempt).await.len(), 1);
        }
        let claimed = store.claim_jobs("worker", KINDS, 1, 60, NOW + 120).await.unwrap();
        assert!(claimed.leases.is_empty());
        assert_eq!(claimed.spent.len(), 1, "whoever claims is told");
        // They die before they could do something about it: somebody else is told.
        assert_eq!(store.claim_jobs("other", KINDS, 1, 60, NOW + 179).await.unwrap(), Claimed::default());
        let again = store.claim_jobs("other", KINDS, 1, 60, NOW + 180).await.unwrap();
        assert_eq!((again.leases.len(), again.spent.len()), (0, 1));
        assert_eq!(store.fail_job(&claimed.spent[0], SPENT, NOW + 181).await.unwrap(), LeaseState::Lost);
        assert!(store.dead_jobs(None, 1).await.unwrap().is_empty());
        assert_eq!(store.fail_job(&again.spent[0], SPENT, NOW + 181).await.unwrap(), LeaseState::Held);
        assert!(store.dead_jobs(None, 1).await.unwrap()[0].last_error.as_deref().unwrap().contains("lease"));
    }

    async fn a_clock_that_is_set_back_leaves_no_job_behind(database: &TestDatabase) {
        const DAY: i64 = 24 * 60 * 60;
        let store = database.store().await;
        // One that is worked on, one that went wrong, one that waits, and one that is to be done later on purpose.
        let ids: Vec<JobId> = enqueue(&store, 2).await.into_iter().collect();
        let ahead = NOW + DAY;
        let first = claim(&store, "first", 1, ahead).await.remove(0);
        let second = claim(&store, "first", 1, ahead).await.remove(0);
        store.fail_job(&second, "a problem", ahead).await.unwrap();
        let waiting = NewJob { run_after: ahead, ..NewJob::new("inspect", json!({})) };
        let waiting = store.enqueue(&waiting, ahead).await.unwrap();
        let later = NewJob { run_after: NOW + 2 * DAY, ..NewJob::new("inspect", json!({})) };
        store.enqueue(&later, NOW).await.unwrap();

        let claimed: BTreeSet<JobId> = claim(&store, "second", 9, NOW).await.iter().map(|it| it.id).collect();
        assert_eq!(claimed, BTreeSet::from([ids[0], ids[1], waiting]));
        assert!(claim(&store, "third", 9, NOW + 1).await.is_empty(), "each is somebody's now");
        assert_eq!(store.complete_job(&first).await.unwrap(), LeaseState::Lost, "and not of whoever had it before");
    }

    async fn jobs_that_say_the_same_do_not_pile_up_when_they_fail(database: &TestDatabase) {
        let store = database.store().await;
        let job = NewJob::new("inspect", json!({"version_id": 7})).once("inspect:7");
        let mut first = None;
        for round in 0..20 {
            // Somebody asks again and again for what cannot be had.
            store.enqueue(&job, NOW + round).await.unwrap();
            for lease in claim(&store, "worker", 9, NOW + round).await {
                first.get_or_insert(lease.id);
                store.fail_job(&lease, "the upstream is away", NOW + round).await.unwrap();
            }
        }
        assert_eq!(store.job_counts().await.unwrap()[0].open, 1);
        let other = store.enqueue(&NewJob::new("inspect", json!({"version_id": 8})), NOW).await.unwrap();
        let lease = claim(&store, "worker", 1, NOW).await.remove(0);
        store.fail_job(&lease, "a problem", NOW).await.unwrap();
        assert!(store.job(other).await.unwrap().is_some(), "it says something else");
        assert!(store.job(first.unwrap()).await.unwrap().is_some(), "the pauses of the first go on");
    }

    async fn a_job_that_is_to_be_there_once_is(database: &TestDatabase) {
        let store = database.store().await;
        let job = NewJob::new("inspect", json!({})).once("demo@1.0.0");
        let first = store.enqueue(&job, NOW).await.unwrap();
        assert_eq!(store.enqueue(&job, NOW).await.unwrap(), first);
        let lease = claim(&store, "worker", 1, NOW).await.remove(0);
        store.complete_job(&lease).await.unwrap();
        assert_ne!(store.enqueue(&job, NOW).await.unwrap(), first, "it is done, so it can be made anew");
    }

    async fn a_job_can_be_asked_for_while_it_is_begun(database: &TestDatabase) {
        const ROUNDS: usize = 100;
        let job = NewJob::new("inspect", json!({})).once("demo@1.0.0");
        let mut all = tokio::task::JoinSet::new();
        for number in 0..4 {
            let (store, job) = (database.store().await, job.clone());
            all.spawn(async move {
                for _ in 0..ROUNDS {
                    store.enqueue(&job, NOW).await.unwrap();
                    for lease in claim(&store, &format!("worker-{number}"), 9, NOW).await {
                        store.complete_job(&lease).await.unwrap();
                    }
                }
            });
        }
        all.join_all().await;
    }

    async fn who_ends_in_good_order_gives_back_what_it_has(database: &TestDatabase) {
        let store = database.store().await;
        enqueue(&store, 2).await;
        claim(&store, "first", 2, NOW).await;
        assert_eq!(store.release_jobs("first", NOW + 1).await.unwrap(), 2);
        let leases = claim(&store, "second", 2, NOW + 1).await;
        assert_eq!(leases.iter().map(|it| it.attempt).collect::<Vec<_>>(), [1, 1]);
    }

    async fn a_job_that_cannot_be_read_keeps_no_other_from_being_done(database: &TestDatabase) {
        use sea_orm::ConnectionTrait;
        let store = database.store().await;
        enqueue(&store, 2).await;
        let raw = database.raw().await;
        raw.execute_unprepared("UPDATE jobs SET payload = '{' WHERE id = 1").await.unwrap();
        assert_eq!(claim(&store, "worker", 2, NOW).await.len(), 1);
        assert!(claim(&store, "worker", 2, NOW).await.is_empty());
        let dead = store.dead_jobs(None, 1).await.unwrap().remove(0);
        assert!(dead.payload.is_null() && dead.last_error.unwrap().contains("cannot be read"));
    }
}

/// What happens to jobs, by one of three workers.
#[derive(Debug, Clone)]
enum Step {
    Enqueue,
    Claim { worker: usize, limit: u64 },
    Complete { which: usize },
    Fail { which: usize },
    Extend { which: usize },
    Wait { seconds: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Enqueue),
        4 => (0..3_usize, 1..3_u64).prop_map(|(worker, limit)| Step::Claim { worker, limit }),
        3 => (0..6_usize).prop_map(|which| Step::Complete { which }),
        1 => (0..6_usize).prop_map(|which| Step::Fail { which }),
        1 => (0..6_usize).prop_map(|which| Step::Extend { which }),
        3 => (1..100_i64).prop_map(|seconds| Step::Wait { seconds }),
    ];
    prop::collection::vec(step, 1..40)
}

async fn walk(steps: &[Step]) {
    let database = TestDatabase::sqlite();
    let store = database.store().await;
    let (mut at, mut leases) = (NOW, Vec::<Lease>::new());
    let mut all = BTreeSet::new();
    let mut done = BTreeSet::new();
    // When each job's newest lease ends, and which it is.
    let mut held: BTreeMap<JobId, (i64, usize)> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Enqueue => {
                all.insert(store.enqueue(&NewJob::new("inspect", json!({})), at).await.unwrap());
            }
            Step::Claim { worker, limit } => {
                for lease in claim(&store, &format!("worker-{worker}"), *limit, at).await {
                    assert!(!done.contains(&lease.id), "a job that is done was claimed");
                    let is_free = held.get(&lease.id).is_none_or(|(ends, _)| *ends <= at);
                    assert!(is_free, "a job was claimed while somebody had it");
                    held.insert(lease.id, (at + 60, leases.len()));
                    leases.push(lease);
                }
            }
            Step::Complete { which } | Step::Fail { which } | Step::Extend { which } => {
                let Some(lease) = leases.get(*which) else { continue };
                let is_newest = held.get(&lease.id).is_some_and(|(_, newest)| newest == which);
                let expected = if is_newest { LeaseState::Held } else { LeaseState::Lost };
                let state = match step {
                    Step::Complete { .. } => store.complete_job(lease).await.unwrap(),
                    Step::Fail { .. } => store.fail_job(lease, "failed", at).await.unwrap(),
                    _ => store.extend_lease(lease, 60, at).await.unwrap(),
                };
                assert_eq!(state, expected, "{step:?} of {lease:?}");
                match step {
                    _ if !is_newest => {}
                    Step::Extend { .. } => {
                        held.insert(lease.id, (at + 60, *which));
                    }
                    Step::Complete { .. } => {
                        held.remove(&lease.id);
                        done.insert(lease.id);
                    }
                    _ => {
                        held.remove(&lease.id);
                    }
                }
            }
            Step::Wait { seconds } => at += seconds,
        }
    }
    let counts = store.job_counts().await.unwrap();
    let left: u64 = counts.iter().map(|it| it.open + it.dead).sum();
    assert_eq!(left as usize, all.len() - done.len(), "a job was lost");
}

#[test]
fn whatever_happens_no_job_is_lost_or_had_by_two() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps())| {
        runtime.block_on(walk(&steps));
    });
}
