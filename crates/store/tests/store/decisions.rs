//! Decisions of people over what inspection says, and what an upstream's index does.

use cratekeeper_model::Checksum;
use cratekeeper_store::{
    Act, By, DecisionAction, DecisionFilter, DecisionId, Enforcement, Inspection, NewDecision, NewJob,
    NewYanks, ObservedVersion, Registry, RegistryId, State, Store, Subject, VersionId, YankOverlay, Yanks,
};
use proptest::prelude::*;
use semver::Version;
use serde_json::json;

use crate::databases::{TestDatabase, on_both};
use crate::fixtures::{NOW, hosted, inspection, line, publication, publish, upstream, user};

async fn decide(
    store: &Store,
    subject: Subject,
    action: DecisionAction,
    at: i64,
) -> (DecisionId, Vec<VersionId>) {
    let mut transaction = store.act(Act::new("triager", "decide", "test", at)).await.unwrap();
    let new = NewDecision::new(subject, action, Enforcement::Hide, "because").unwrap();
    let decided = transaction.decide(&new).await.unwrap();
    transaction.commit().await.unwrap();
    decided
}

async fn undo(store: &Store, id: DecisionId, at: i64) -> Vec<VersionId> {
    let mut transaction = store.act(Act::new("triager", "undo", "test", at)).await.unwrap();
    let changed = transaction.undo_decision(id, "it was a mistake").await.unwrap();
    transaction.commit().await.unwrap();
    changed
}

async fn state(store: &Store, id: VersionId) -> State {
    store.version_by_id(id).await.unwrap().1.standing.state
}

fn observed(name: &str, version: &str, yanked: bool) -> ObservedVersion {
    ObservedVersion {
        version: Version::parse(version).unwrap(),
        checksum: Checksum::of(format!("{name}@{version}").as_bytes()),
        yanked,
        index_line: line(name, version, &[]),
        published_at: Some(NOW - 1_000),
        listed_while_pending: true,
        job: Some(NewJob::new("inspect", json!({})).once(format!("{name}@{version}"))),
    }
}

on_both! {
    async fn a_judgement_by_what_was_known_before_another_is_made_again(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let one = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        let lease = store.claim_jobs("here", &["inspect"], 1, 60, NOW).await.unwrap().leases.remove(0);
        let begun = store.newest_inspection(one).await.unwrap();
        assert_eq!(begun, 0);
        // Meanwhile another replica knows more.
        store.record_inspection(one, &inspection(State::Held, 70, NOW), None).await.unwrap();
        let stale = |after| Inspection { after: Some(after), ..inspection(State::Released, 0, NOW) };
        let standing = store.record_inspection(one, &stale(begun), Some(&lease)).await.unwrap();
        assert_eq!(standing.state, State::Held);
        assert_eq!(store.record_inspection(one, &stale(begun), None).await.unwrap().state, State::Held);
        assert_eq!(store.inspections(one, 9).await.unwrap().len(), 1);
        let again = store.claim_jobs("here", &["inspect"], 9, 60, NOW).await.unwrap().leases;
        assert_eq!((again.len(), &again[0].payload), (1, &lease.payload), "it is done again, once");
        let begun = store.newest_inspection(one).await.unwrap();
        store.record_inspection(one, &stale(begun), Some(&again[0])).await.unwrap();
        assert_eq!(state(&store, one).await, State::Released);
        assert!(store.claim_jobs("here", &["inspect"], 9, 60, NOW).await.unwrap().leases.is_empty());
    }

    async fn decisions_that_were_undone_held_until_then(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let one = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        let other = publish(&store, &publication(&registry, &alice, "other", "1.0.0", NOW)).await;
        for version in [one, other] {
            store.record_inspection(version, &inspection(State::Held, 70, NOW), None).await.unwrap();
        }
        let all = Subject::Publisher(registry.id, "Alice".to_owned());
        let (of_alice, _) = decide(&store, all, DecisionAction::Block, NOW + 1).await;
        let (of_one, _) = decide(&store, Subject::Version(one), DecisionAction::Release, NOW + 2).await;
        undo(&store, of_one, NOW + 3).await;
        undo(&store, of_alice, NOW + 4).await;
        let held = |version| {
            let store = store.clone();
            async move {
                let held = store.decisions_over_time(version).await.unwrap().into_iter();
                held.map(|(at, it)| (at - NOW, it.map(|it| it.id))).collect::<Vec<_>>()
            }
        };
        assert_eq!(held(one).await, [(1, Some(of_alice)), (2, Some(of_one)), (3, Some(of_alice)), (4, None)]);
        assert_eq!(held(other).await, [(1, Some(of_alice)), (4, None)]);
        assert!(store.decisions_over_time(VersionId(99)).await.is_err());
    }

    async fn a_release_of_a_crate_is_none_of_what_comes_in_the_same_second(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let seen = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        store.record_inspection(seen, &inspection(State::Held, 70, NOW), None).await.unwrap();
        let krate = store.krate(registry.id, "demo").await.unwrap().unwrap().id;
        decide(&store, Subject::Crate(krate), DecisionAction::Release, NOW + 9).await;
        // By a replica whose clock is behind.
        let later = publish(&store, &publication(&registry, &alice, "demo", "1.0.1", NOW + 9)).await;
        let behind = publish(&store, &publication(&registry, &alice, "demo", "1.0.2", NOW)).await;
        for version in [later, behind] {
            store.record_inspection(version, &inspection(State::Blocked, 90, NOW + 9), None).await.unwrap();
            assert_eq!(state(&store, version).await, State::Blocked);
        }
        assert_eq!(state(&store, seen).await, State::Released);
    }

    async fn what_a_person_decides_holds_and_can_be_undone(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let one = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        store.record_inspection(one, &inspection(State::Released, 0, NOW), None).await.unwrap();
        let krate = store.krate(registry.id, "demo").await.unwrap().unwrap().id;
        let before = store.newest_change().await.unwrap();

        let (hold, changed) = decide(&store, Subject::Crate(krate), DecisionAction::Hold, NOW + 1).await;
        assert_eq!(changed, [one]);
        let standing = store.version_by_id(one).await.unwrap().1.standing;
        assert_eq!((standing.state, standing.listed, standing.decision), (State::Held, false, Some(hold)));
        assert_eq!(store.changes_since(before).await.unwrap().len(), 1, "the index shows something else");

        let later = publish(&store, &publication(&registry, &alice, "demo", "1.0.1", NOW + 2)).await;
        assert_eq!(state(&store, later).await, State::Held, "a hold on a crate is one on later versions");
        store.record_inspection(later, &inspection(State::Released, 0, NOW + 2), None).await.unwrap();
        assert_eq!(state(&store, later).await, State::Held, "inspection does not overrule people");

        let (release, _) = decide(&store, Subject::Version(later), DecisionAction::Release, NOW + 3).await;
        assert_eq!(state(&store, later).await, State::Released);
        let mut changed = undo(&store, hold, NOW + 4).await;
        changed.sort_unstable();
        assert_eq!((changed, state(&store, one).await), (vec![one], State::Released));
        undo(&store, release, NOW + 5).await;

        let all = store.decisions(&DecisionFilter::default(), None, 10).await.unwrap();
        assert_eq!(all.iter().map(|it| it.id).collect::<Vec<_>>(), [release, hold]);
        let undone = all[1].undone.clone().unwrap();
        assert_eq!((undone.by.as_str(), undone.reason.as_str()), ("triager", "it was a mistake"));
        let standing = DecisionFilter { standing_only: true, ..DecisionFilter::default() };
        assert!(store.decisions(&standing, None, 10).await.unwrap().is_empty());
        let mut transaction = store.act(Act::new("triager", "undo", "test", NOW)).await.unwrap();
        assert!(transaction.undo_decision(hold, "again").await.is_err(), "it was undone before");
    }

    async fn a_publisher_on_hold_is_one_in_that_registry(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, other) = (hosted(&store).await, upstream(&store).await);
        let (alice, bob) = (user(&store, "alice", &[]).await, user(&store, "bob", &[]).await);
        let theirs = publish(&store, &publication(&registry, &alice, "one", "1.0.0", NOW)).await;
        let others = publish(&store, &publication(&registry, &bob, "two", "1.0.0", NOW)).await;
        let everything = |registry: RegistryId| Subject::Publisher(registry, "ALICE".to_owned());
        assert!(decide(&store, everything(other.id), DecisionAction::Block, NOW).await.1.is_empty());
        assert_eq!(decide(&store, everything(registry.id), DecisionAction::Block, NOW).await.1, [theirs]);
        let next = publish(&store, &publication(&registry, &alice, "three", "1.0.0", NOW)).await;
        assert_eq!(state(&store, next).await, State::Blocked);
        assert_eq!(state(&store, others).await, State::Pending);
    }

    async fn no_version_escapes_a_hold_that_is_decided_beside_it(database: &TestDatabase) {
        let (store, other) = (database.store().await, database.store().await);
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let everything = Subject::Publisher(registry.id, "alice".to_owned());
        let publications: Vec<_> =
            (0..20).map(|it| publication(&registry, &alice, &format!("crate-{it}"), "1.0.0", NOW)).collect();
        let publishing = tokio::spawn(async move {
            let mut ids = Vec::new();
            for publication in publications {
                ids.push(publish(&other, &publication).await);
            }
            ids
        });
        decide(&store, everything, DecisionAction::Hold, NOW).await;
        for id in publishing.await.unwrap() {
            assert_eq!(state(&store, id).await, State::Held);
        }
    }

    async fn what_an_upstream_says_is_taken_in_once(database: &TestDatabase) {
        let store = database.store().await;
        let registry = upstream(&store).await;
        let mut index = vec![observed("demo", "1.0.0", false), observed("demo", "1.1.0", false)];
        let first = store.observe(registry.id, "demo", &index, &NewYanks::PassOn, NOW).await.unwrap();
        assert_eq!(first.added.len(), 2);
        let before = store.newest_change().await.unwrap();
        let again = store.observe(registry.id, "demo", &index, &NewYanks::PassOn, NOW + 1).await.unwrap();
        assert_eq!((again, store.newest_change().await.unwrap()), (Default::default(), before));
        let version = store.version_by_id(first.added[0]).await.unwrap().1;
        assert!(version.standing.listed && !version.standing.is_open());
        assert_eq!(version.size, None, "its bytes were not fetched yet");
        assert_eq!(store.claim_jobs("worker", &["inspect"], 10, 60, NOW).await.unwrap().leases.len(), 2);

        // An upstream that begins to say when versions were published.
        let undated = ObservedVersion { published_at: None, ..observed("later", "1.0.0", false) };
        let later = store.observe(registry.id, "later", &[undated], &NewYanks::PassOn, NOW).await.unwrap().added[0];
        let dated = [observed("later", "1.0.0", true)];
        store.observe(registry.id, "later", &dated, &NewYanks::PassOn, NOW + 1).await.unwrap();
        let version_now = store.version_by_id(later).await.unwrap().1;
        assert_eq!((version_now.published_at, version_now.yanked), (Some(NOW - 1_000), true));

        // A lying upstream: other bytes under a published version, another line, and a version gone.
        index[0].checksum = Checksum::of(b"other");
        index[1].index_line = line("demo", "1.1.0", &["stranger"]);
        let lies = store.observe(registry.id, "demo", &index, &NewYanks::PassOn, NOW + 2).await.unwrap();
        assert_eq!(lies.contradicted.iter().map(|it| it.version).collect::<Vec<_>>(), first.added);
        let gone = store.observe(registry.id, "demo", &index[..1], &NewYanks::PassOn, NOW + 3).await.unwrap();
        assert_eq!(gone.missing, [first.added[1]]);
        let kept = store.version_by_id(first.added[0]).await.unwrap().1;
        assert_eq!(kept.checksum, version.checksum, "what was seen first counts");
    }

    async fn an_upstreams_yanks_are_held_back_and_taken_back(database: &TestDatabase) {
        let store = database.store().await;
        let registry: Registry = upstream(&store).await;
        let index = |yanked| vec![observed("demo", "1.0.0", yanked), observed("demo", "1.1.0", yanked)];
        let added = store.observe(registry.id, "demo", &index(false), &NewYanks::PassOn, NOW).await.unwrap().added;
        let hold = NewYanks::HoldBack("good versions are withdrawn at once".to_owned());
        let seen = store.observe(registry.id, "demo", &index(true), &hold, NOW + 10).await.unwrap();
        assert_eq!(seen.yanked, added);
        let version = store.version_by_id(added[0]).await.unwrap().1;
        assert_eq!((version.yanked, version.overlay, version.is_yanked()), (true, Some(YankOverlay::Available), false));

        let mut transaction = store.act(Act::new("triager", "yanks.pass-on", "demo", NOW + 20)).await.unwrap();
        transaction.set_overlay(added[0], None, "").await.unwrap();
        transaction.set_overlay(added[1], None, "").await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.version_by_id(added[0]).await.unwrap().1.is_yanked());

        let krate = store.krate(registry.id, "demo").await.unwrap().unwrap().id;
        let mut transaction = store.act(Act::new("triager", "yanks.roll-back", "demo", NOW + 30)).await.unwrap();
        let yanks = Yanks::Of(krate);
        let back = transaction.roll_back_yanks(&yanks, NOW + 10, NOW + 11, "it was an attack", By::default()).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(back, added);
        store.observe(registry.id, "demo", &index(true), &NewYanks::PassOn, NOW + 40).await.unwrap();
        let version = store.version_by_id(added[1]).await.unwrap().1;
        assert!(!version.is_yanked(), "an overlay survives refreshes");
        assert_eq!(version.overlay_reason.as_deref(), Some("it was an attack"));
    }

    async fn yanks_of_an_account_are_taken_back(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let mut ids = Vec::new();
        for version in ["1.0.0", "1.1.0", "1.2.0"] {
            ids.push(publish(&store, &publication(&registry, &alice, "demo", version, NOW)).await);
        }
        for (id, at) in ids.iter().zip([NOW + 1, NOW + 5, NOW + 6]) {
            let mut transaction = store.act(Act::new("alice", "version.yank", "demo", at)).await.unwrap();
            transaction.set_yanked(*id, true, By { login: Some("alice"), token: Some(alice.1.id) }).await.unwrap();
            transaction.commit().await.unwrap();
        }
        let by = By { login: Some("admin"), token: None };
        let elsewhere = Yanks::By(upstream(&store).await.id, "Alice".to_owned());
        let mut elsewhere_too = store.act(Act::new("admin", "yanks.roll-back", "alice", NOW + 9)).await.unwrap();
        let none = elsewhere_too.roll_back_yanks(&elsewhere, NOW, NOW + 7, "another registry", by).await.unwrap();
        elsewhere_too.roll_back().await.unwrap();
        assert_eq!(none, []);
        let mut transaction = store.act(Act::new("admin", "yanks.roll-back", "alice", NOW + 9)).await.unwrap();
        let yanks = Yanks::By(registry.id, "Alice".to_owned());
        let back = transaction.roll_back_yanks(&yanks, NOW + 5, NOW + 7, "taken over", by).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(back, ids[1..]);
        let yanked: Vec<bool> = {
            let (_, versions) = store.crate_versions(registry.id, "demo").await.unwrap().unwrap();
            versions.iter().map(|it| it.is_yanked()).collect()
        };
        assert_eq!(yanked, [true, false, false]);
    }
}

/// One step of a history of decisions: about which of three things, what, or the undoing of an earlier one.
#[derive(Debug, Clone)]
enum Step {
    Decide(usize, DecisionAction),
    Undo(usize),
    Inspect(State),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let action = prop::sample::select(DecisionAction::ALL);
    let state = prop::sample::select(vec![State::Released, State::Held, State::Blocked, State::Failed]);
    let step = prop_oneof![
        3 => (0..3_usize, action).prop_map(|(about, action)| Step::Decide(about, action)),
        2 => (0..8_usize).prop_map(Step::Undo),
        1 => state.prop_map(Step::Inspect),
    ];
    prop::collection::vec(step, 1..10)
}

/// What holds, worked out from the list of decisions alone.
fn expected(automatic: State, decided: &[(usize, DecisionAction, bool)]) -> State {
    for about in [2, 1, 0] {
        let last = decided.iter().rfind(|(its, _, undone)| *its == about && !undone);
        match last.map(|it| it.1) {
            None => {}
            Some(DecisionAction::Hold) => return State::Held,
            Some(DecisionAction::Block) => return State::Blocked,
            // To release a crate or a publisher says nothing about what was not inspected then.
            Some(DecisionAction::Release) if about < 2 && automatic == State::Pending => {}
            Some(DecisionAction::Release) => return State::Released,
        }
    }
    automatic
}

async fn walk(store: &Store, registry: &Registry, number: usize, steps: &[Step]) {
    let login = format!("user-{number}");
    let publisher = user(store, &login, &[]).await;
    let name = format!("crate-{number}");
    let id = publish(store, &publication(registry, &publisher, &name, "1.0.0", NOW)).await;
    let krate = store.krate(registry.id, &name).await.unwrap().unwrap().id;
    let (mut automatic, mut decided, mut ids) = (State::Pending, Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Decide(about, action) => {
                let subject = match about {
                    0 => Subject::Publisher(registry.id, login.clone()),
                    1 => Subject::Crate(krate),
                    _ => Subject::Version(id),
                };
                ids.push(decide(store, subject, *action, NOW).await.0);
                decided.push((*about, *action, false));
            }
            Step::Undo(which) => {
                if let Some(decision) = decided.get_mut(*which).filter(|it| !it.2) {
                    undo(store, ids[*which], NOW).await;
                    decision.2 = true;
                }
            }
            Step::Inspect(found) => {
                store.record_inspection(id, &inspection(*found, 50, NOW), None).await.unwrap();
                automatic = *found;
            }
        }
        assert_eq!(state(store, id).await, expected(automatic, &decided), "after {step:?} of {steps:?}");
    }
}

#[test]
fn what_is_kept_is_what_follows_from_all_decisions() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let database = TestDatabase::sqlite();
    let (store, registry) = runtime.block_on(async {
        let store = database.store().await;
        let registry = hosted(&store).await;
        (store, registry)
    });
    let number = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps())| {
        number.set(number.get() + 1);
        runtime.block_on(walk(&store, &registry, number.get(), &steps));
    });
}
