//! What webhooks are told: with what it is about, once, or not at all.

use cratekeeper_model::Checksum;
use cratekeeper_store::{
    Act, AuditKey, Decision, DecisionAction, DecisionFilter, DecisionId, DeliveryAttempt, DeliveryState,
    Enforcement, Event, Fetch, FetchRecorder, NewDecision, NewYanks, ObservedVersion, State, Store,
    StoreErrorKind, Subject, VersionId, WebhookId,
};
use proptest::prelude::*;
use semver::Version;
use serde_json::Value;

use crate::databases::{TestDatabase, on_both};
use crate::fixtures::{NOW, hosted, inspection, line, publication, publish, upstream, user};

/// A webhook for everything.
async fn listener(store: &Store) -> WebhookId {
    let mut transaction = store.act(Act::new("admin", "webhook.create", "all", NOW)).await.unwrap();
    let webhook = transaction.create_webhook("https://hooks.example.invalid/", "s3cret", &[]).await.unwrap();
    transaction.commit().await.unwrap();
    webhook.id
}

/// What it was told so far, oldest first.
async fn told(store: &Store, webhook: WebhookId) -> Vec<Value> {
    let mut deliveries = store.deliveries(webhook, None, 100).await.unwrap();
    deliveries.reverse();
    let jobs = store.job_counts().await.unwrap();
    let waiting = jobs.iter().find(|it| it.kind == cratekeeper_store::DELIVER).map_or(0, |it| it.open);
    assert_eq!(waiting, deliveries.len() as u64, "each has the job that sends it");
    deliveries.iter().map(|it| serde_json::from_str(&it.body).unwrap()).collect()
}

/// The same in short: event, version, state.
async fn in_short(store: &Store, webhook: WebhookId) -> Vec<String> {
    let short = |it: &Value| {
        let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
        let what = if it["act"].is_null() { text("state") } else { text("act") };
        format!("{} {} {what}", text("event"), text("version"))
    };
    told(store, webhook).await.iter().map(short).collect()
}

async fn decide(store: &Store, subject: Subject, action: DecisionAction, at: i64) -> DecisionId {
    let mut transaction = store.act(Act::new("triager", "decide", "test", at)).await.unwrap();
    let new = NewDecision::new(subject, action, Enforcement::Deny, "because").unwrap();
    let (id, _) = transaction.decide(&new).await.unwrap();
    transaction.commit().await.unwrap();
    id
}

async fn fetch(store: &Store, version: VersionId, address: &str, at: i64) {
    let fetch =
        Fetch { version, token: None, login: None, address: Some(address.to_owned()), client: None, at };
    store.record_fetches(&[fetch]).await.unwrap();
}

on_both! {
    async fn each_change_is_told_once(database: &TestDatabase) {
        let store = database.store().await.with_links("https://gate.example.invalid/");
        let webhook = listener(&store).await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let one = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        store.record_inspection(one, &inspection(State::Released, 0, NOW), None).await.unwrap();
        assert_eq!(in_short(&store, webhook).await, Vec::<String>::new(), "what is released at once is no news");
        let two = publish(&store, &publication(&registry, &alice, "demo", "1.0.1", NOW)).await;
        let held = inspection(State::Held, 70, NOW + 1);
        store.record_inspection(two, &held, None).await.unwrap();
        store.record_inspection(two, &held, None).await.unwrap();
        let release = decide(&store, Subject::Version(two), DecisionAction::Release, NOW + 2).await;
        store.record_inspection(two, &inspection(State::Blocked, 90, NOW + 3), None).await.unwrap();
        let mut transaction = store.act(Act::new("triager", "undo", "test", NOW + 4)).await.unwrap();
        transaction.undo_decision(release, "a mistake").await.unwrap();
        transaction.commit().await.unwrap();
        store.record_inspection(two, &inspection(State::Released, 0, NOW + 5), None).await.unwrap();
        assert_eq!(in_short(&store, webhook).await, [
            "verdict 1.0.1 held", "decision  release", "decision  undo", "verdict 1.0.1 released",
        ]);
        let all = told(&store, webhook).await;
        assert_eq!((all[0]["score"].as_i64(), all[0]["clause"].as_str()), (Some(70), Some("default-alert")));
        assert_eq!(all[0]["link"].as_str().unwrap(), format!("https://gate.example.invalid/v/{two}"));
        assert_eq!(all[1]["by"], "triager");
        assert_eq!(all[1]["versions"][0]["was"], "held");
        assert_eq!((all[2]["versions"][0]["state"].as_str(), all[2]["count"].as_i64()), (Some("blocked"), Some(1)));
        assert_eq!(all[2]["about"]["crate"], "demo");
    }

    async fn what_did_not_happen_is_not_told(database: &TestDatabase) {
        let store = database.store().await;
        let webhook = listener(&store).await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let one = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        let new = NewDecision::new(Subject::Version(one), DecisionAction::Block, Enforcement::Deny, "x").unwrap();
        let mut transaction = store.act(Act::new("triager", "decide", "test", NOW)).await.unwrap();
        transaction.decide(&new).await.unwrap();
        transaction.roll_back().await.unwrap();
        assert_eq!(told(&store, webhook).await, Vec::<Value>::new());
        // A lease that is lost takes the verdict with it, and what would have been told about it.
        let lease = store.claim_jobs("worker", &["inspect"], 1, 60, NOW).await.unwrap().leases.remove(0);
        store.claim_jobs("other", &["inspect"], 1, 60, NOW + 61).await.unwrap();
        let held = inspection(State::Held, 70, NOW + 62);
        assert!(store.record_inspection(one, &held, Some(&lease)).await.is_err());
        assert_eq!(told(&store, webhook).await, Vec::<Value>::new());
    }

    async fn of_all_that_is_taken_down_is_told_once(database: &TestDatabase) {
        let store = database.store().await;
        let webhook = listener(&store).await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let mut versions = Vec::new();
        for number in ["1.0.0", "1.0.1", "1.0.2"] {
            versions.push(publish(&store, &publication(&registry, &alice, "demo", number, NOW)).await);
        }
        store.record_inspection(versions[0], &inspection(State::Released, 0, NOW), None).await.unwrap();
        fetch(&store, versions[0], "192.0.2.1", NOW).await;
        store.record_inspection(versions[1], &inspection(State::Blocked, 90, NOW), None).await.unwrap();
        let before = told(&store, webhook).await.len();
        let mut transaction = store.act(Act::new("alice", "take-down", "demo", NOW + 1)).await.unwrap();
        transaction.take_down(&versions, "malware").await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(in_short(&store, webhook).await[before..], ["decision  take-down", "exposure 1.0.0 blocked"]);
        let event = told(&store, webhook).await.remove(before);
        assert_eq!((&event["count"], &event["by"], &event["reason"]), (&3.into(), &"alice".into(), &"malware".into()));
        let mut listed: Vec<&str> =
            event["versions"].as_array().unwrap().iter().map(|it| it["version"].as_str().unwrap()).collect();
        listed.sort_unstable();
        assert_eq!(listed, ["1.0.0", "1.0.1", "1.0.2"]);

        let before = told(&store, webhook).await.len();
        let mut transaction = store.act(Act::new("alice", "restore", "demo", NOW + 2)).await.unwrap();
        transaction.restore(&versions[..1], "a mistake").await.unwrap();
        transaction.commit().await.unwrap();
        let stone = store.tombstone(versions[0]).await.unwrap().unwrap();
        let job = cratekeeper_store::NewJob::new("inspect", Value::Null);
        store.record_restored(&stone, &job, NOW + 3).await.unwrap();
        assert_eq!(in_short(&store, webhook).await[before..], ["decision  restore", "verdict 1.0.0 held"]);
    }

    async fn a_version_that_comes_under_a_hold_is_told(database: &TestDatabase) {
        let store = database.store().await;
        let webhook = listener(&store).await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        decide(&store, Subject::Publisher(registry.id, "alice".to_owned()), DecisionAction::Hold, NOW).await;
        publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW + 1)).await;
        assert_eq!(in_short(&store, webhook).await, ["decision  hold", "verdict 1.0.0 held"]);
        let all = told(&store, webhook).await;
        assert_eq!((all[0]["about"]["publisher"].as_str(), all[0]["count"].as_i64()), (Some("alice"), Some(0)));
        assert!(all[1]["decision"].is_i64());
    }

    async fn whoever_was_exposed_is_counted(database: &TestDatabase) {
        let store = database.store().await;
        let webhook = listener(&store).await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let mut ids = Vec::new();
        for version in ["1.0.0", "1.0.1"] {
            let id = publish(&store, &publication(&registry, &alice, "demo", version, NOW)).await;
            store.record_inspection(id, &inspection(State::Released, 0, NOW), None).await.unwrap();
            ids.push(id);
        }
        for (address, at) in [("10.0.0.1", NOW + 5), ("10.0.0.2", NOW + 9), ("10.0.0.1", NOW + 7)] {
            fetch(&store, ids[1], address, at).await;
        }
        let krate = store.krate(registry.id, "demo").await.unwrap().unwrap().id;
        decide(&store, Subject::Crate(krate), DecisionAction::Hold, NOW + 20).await;
        let all = told(&store, webhook).await;
        assert_eq!(all.len(), 2, "nobody fetched 1.0.0: {all:#?}");
        let exposure = &all[1];
        assert_eq!((exposure["event"].as_str(), exposure["version"].as_str()), (Some("exposure"), Some("1.0.1")));
        let number = |name: &str| exposure[name].as_i64().unwrap();
        assert_eq!(["fetches", "tokens", "addresses", "first", "last"].map(number), [3, 0, 2, NOW + 5, NOW + 9]);
        assert_eq!(exposure["recall"], "cratekeeper gate recall demo@1.0.1 --registry hosted");
        assert_eq!(exposure["complete"], true);
        // Blocked is worse than held; back to held is not.
        decide(&store, Subject::Version(ids[1]), DecisionAction::Block, NOW + 21).await;
        decide(&store, Subject::Version(ids[1]), DecisionAction::Hold, NOW + 22).await;
        let exposures = in_short(&store, webhook).await;
        let exposures: Vec<&String> = exposures.iter().filter(|it| it.starts_with("exposure")).collect();
        assert_eq!(exposures, ["exposure 1.0.1 held", "exposure 1.0.1 blocked"]);
    }

    async fn the_same_bytes_under_another_name_are_an_exposure(database: &TestDatabase) {
        let store = database.store().await;
        let webhook = listener(&store).await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let other = upstream(&store).await;
        let own = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        let seen = ObservedVersion {
            version: Version::new(3, 0, 0),
            checksum: Checksum::of(b"demo@1.0.0"),
            yanked: false,
            index_line: line("copy", "3.0.0", &[]),
            published_at: None,
            listed_while_pending: true,
            job: None,
        };
        let copy = store.observe(other.id, "copy", &[seen], &NewYanks::PassOn, NOW).await.unwrap().added[0];
        fetch(&store, copy, "10.0.0.1", NOW + 1).await;
        decide(&store, Subject::Version(own), DecisionAction::Hold, NOW + 2).await;
        decide(&store, Subject::Version(own), DecisionAction::Block, NOW + 3).await;
        let all = told(&store, webhook).await;
        let exposures: Vec<&Value> = all.iter().filter(|it| it["event"] == "exposure").collect();
        assert_eq!(exposures.len(), 1, "{all:#?}");
        assert_eq!((exposures[0]["crate"].as_str(), exposures[0]["state"].as_str()), (Some("copy"), Some("pending")));
        assert_eq!(exposures[0]["same_bytes_as"]["crate"], "demo");
    }

    async fn nobody_fetches_what_was_blocked_and_is_not_counted(database: &TestDatabase) {
        let stores = [database.store().await, database.store().await];
        let webhook = listener(&stores[0]).await;
        let (registry, alice) = (hosted(&stores[0]).await, user(&stores[0], "alice", &[]).await);
        let id = publish(&stores[0], &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        stores[0].record_inspection(id, &inspection(State::Released, 0, NOW), None).await.unwrap();
        let (recorder, _task) = FetchRecorder::start(&stores[1], 16);
        let fetching = tokio::spawn(async move {
            let mut fetched = 0;
            loop {
                let fetch = Fetch { version: id, token: None, login: None, address: None, client: None, at: NOW };
                match recorder.record(fetch).await {
                    Ok(()) => fetched += 1,
                    Err(error) if *error.kind() == StoreErrorKind::NotOpen => return fetched,
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
        while stores[0].fetch_counts(&[id]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        decide(&stores[0], Subject::Version(id), DecisionAction::Block, NOW + 1).await;
        let fetched: i64 = fetching.await.unwrap();
        let all = told(&stores[0], webhook).await;
        assert_eq!(all[1]["fetches"].as_i64(), Some(fetched), "who was let in before was counted, and nobody after");
        assert_eq!(stores[0].fetch_counts(&[id]).await.unwrap()[0].fetches, fetched.unsigned_abs());
    }

    async fn a_checkpoint_on_a_schedule_is_taken_by_one(database: &TestDatabase) {
        let stores = [database.store().await, database.store().await];
        let webhook = listener(&stores[0]).await;
        let (key, _) = AuditKey::generate().unwrap();
        let (taken, transaction) = stores[0].due_checkpoint(&key, 3_600, NOW).await.unwrap().unwrap();
        drop(transaction);
        let (again, transaction) = stores[1].due_checkpoint(&key, 3_600, NOW + 1).await.unwrap().unwrap();
        assert_eq!(taken.sequence, again.sequence, "one that could not be kept did not happen");
        transaction.commit().await.unwrap();
        assert!(stores[0].due_checkpoint(&key, 3_600, NOW + 3_600).await.unwrap().is_none());
        // A clock that was wrong for a while does not end it.
        assert!(stores[0].due_checkpoint(&key, 3_600, NOW - 9_999).await.unwrap().is_some());
        assert!(stores[0].due_checkpoint(&key, 3_600, NOW + 3_601).await.unwrap().is_some());
        let all = told(&stores[0], webhook).await;
        assert_eq!(all.len(), 1);
        let sent: cratekeeper_store::Checkpoint = serde_json::from_value(all[0]["checkpoint"].clone()).unwrap();
        assert_eq!(sent, again);
        assert_eq!(stores[0].verify_audit_log(&[key.public()], &[sent]).await.unwrap().problems, []);
    }

    async fn several_replicas_take_one_checkpoint(database: &TestDatabase) {
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let store = database.store().await;
            tasks.push(tokio::spawn(async move {
                let (key, _) = AuditKey::generate().unwrap();
                let Some((_, transaction)) = store.due_checkpoint(&key, 60, NOW).await.unwrap() else { return 0 };
                transaction.commit().await.unwrap();
                1
            }));
        }
        let mut taken = 0;
        for task in tasks {
            taken += task.await.unwrap();
        }
        assert_eq!(taken, 1);
    }

    async fn a_ping_goes_to_one_webhook(database: &TestDatabase) {
        let store = database.store().await;
        let one = listener(&store).await;
        let mut transaction = store.act(Act::new("admin", "webhook.create", "few", NOW)).await.unwrap();
        let few = [Event::Checkpoint];
        let other = transaction.create_webhook("https://hooks.example.invalid/few", "s3cret", &few).await.unwrap();
        transaction.ping(other.id).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.deliveries(one, None, 9).await.unwrap().is_empty());
        assert_eq!(store.deliveries(other.id, None, 9).await.unwrap()[0].event, "ping");
        // One that was given up is sent once more when somebody says so.
        let delivery = store.deliveries(other.id, None, 9).await.unwrap()[0].id;
        let retried = async |expected: bool| {
            let mut transaction = store.act(Act::new("admin", "delivery.retry", "1", NOW)).await.unwrap();
            assert_eq!(transaction.retry_delivery(delivery).await.is_ok(), expected);
            transaction.commit().await.unwrap();
        };
        retried(false).await;
        let failed = DeliveryAttempt { at: NOW, status: Some(500), answer: String::new() };
        store.record_delivery_attempt(delivery, &failed, DeliveryState::GivenUp).await.unwrap();
        retried(true).await;
        assert_eq!(store.delivery(delivery).await.unwrap().state, DeliveryState::Open);
        let jobs = store.claim_jobs("worker", &[cratekeeper_store::DELIVER], 9, 60, NOW).await.unwrap().leases;
        assert_eq!(jobs.len(), 2);
        let mut transaction = store.act(Act::new("admin", "webhook.end", "few", NOW)).await.unwrap();
        transaction.disable_webhook(other.id).await.unwrap();
        assert!(transaction.ping(other.id).await.is_err());
        let decisions: Vec<Decision> = store.decisions(&DecisionFilter::default(), None, 1).await.unwrap();
        assert!(decisions.is_empty());
    }
}

/// One step in the life of a version.
#[derive(Debug, Clone)]
enum Step {
    Inspect(State),
    Decide(usize, DecisionAction),
    Undo(usize),
    Fetch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let state = prop::sample::select(vec![State::Released, State::Held, State::Blocked, State::Failed]);
    let action = prop::sample::select(DecisionAction::ALL);
    let step = prop_oneof![
        3 => state.prop_map(Step::Inspect),
        3 => (0..3_usize, action).prop_map(|(about, action)| Step::Decide(about, action)),
        2 => (0..6_usize).prop_map(Step::Undo),
        1 => Just(Step::Fetch),
    ];
    prop::collection::vec(step, 1..12)
}

/// Takes the steps; gives what the version's state was after each, and what a webhook was told.
async fn lived(database: &TestDatabase, steps: &[Step]) -> (Vec<State>, Vec<Value>) {
    let store = database.store().await;
    let webhook = listener(&store).await;
    let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
    let id = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
    let krate = store.krate(registry.id, "demo").await.unwrap().unwrap().id;
    let subjects =
        [Subject::Version(id), Subject::Crate(krate), Subject::Publisher(registry.id, "alice".to_owned())];
    let (mut states, mut decided) = (vec![State::Pending], Vec::new());
    for (at, step) in (NOW + 1..).zip(steps) {
        match step {
            Step::Inspect(state) => {
                store.record_inspection(id, &inspection(*state, 50, at), None).await.unwrap();
            }
            Step::Decide(about, action) => {
                decided.push(decide(&store, subjects[*about].clone(), *action, at).await);
            }
            Step::Undo(which) => {
                let mut transaction = store.act(Act::new("triager", "undo", "test", at)).await.unwrap();
                let undone = match decided.get(*which) {
                    Some(decision) => transaction.undo_decision(*decision, "a mistake").await.is_ok(),
                    None => false,
                };
                if undone {
                    transaction.commit().await.unwrap();
                }
            }
            Step::Fetch => fetch(&store, id, "10.0.0.1", at).await,
        }
        states.push(store.version_by_id(id).await.unwrap().1.standing.state);
    }
    (states, told(&store, webhook).await)
}

/// The changes of state that events tell, in their order.
fn changes(told: &[Value]) -> Vec<(String, String)> {
    let change =
        |it: &Value| (it["was"].as_str().unwrap().to_owned(), it["state"].as_str().unwrap().to_owned());
    let mut changes = Vec::new();
    for event in told {
        match event["event"].as_str().unwrap() {
            "verdict" => changes.push(change(event)),
            "decision" => changes.extend(event["versions"].as_array().unwrap().iter().map(change)),
            _ => {}
        }
    }
    changes
}

#[test]
fn whatever_happens_each_change_is_told_once_and_in_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps())| {
        let (states, told) = runtime.block_on(lived(&TestDatabase::sqlite(), &steps));
        let word = |state: State| state.as_str().to_owned();
        let happened: Vec<(String, String)> = states
            .windows(2)
            .filter(|pair| pair[0] != pair[1])
            .map(|pair| (word(pair[0]), word(pair[1])))
            .collect();
        // What was never anything else is no news, unless somebody decided it.
        let without_first = |all: Vec<(String, String)>| -> Vec<(String, String)> {
            let first = (word(State::Pending), word(State::Released));
            all.into_iter().filter(|it| *it != first).collect()
        };
        prop_assert_eq!(without_first(changes(&told)), without_first(happened), "{:#?}", told);
        // One exposure for each time that it got worse after somebody had it.
        let first_fetch = steps.iter().position(|it| matches!(it, Step::Fetch)).unwrap_or(steps.len());
        let worse = |pair: &&[State]| match pair[1] {
            State::Blocked => pair[0] != State::Blocked,
            State::Held => !matches!(pair[0], State::Held | State::Blocked),
            _ => false,
        };
        let expected = states.windows(2).skip(first_fetch).filter(worse).count();
        prop_assert_eq!(told.iter().filter(|it| it["event"] == "exposure").count(), expected);
    });
}
