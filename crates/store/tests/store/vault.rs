//! Tombstones: what holds while one stands, and how far the bytes have got.

use cratekeeper_model::Checksum;
use cratekeeper_store::{
    Act, By, CaseState, DecisionAction, DecisionFilter, DecisionId, Enforcement, NewDecision, NewJob,
    ObservedVersion, State, Store, StoreErrorKind, Subject, Tombstone, TombstoneId, TombstoneState,
    Transaction, VAULT, VersionId,
};
use semver::Version;
use serde_json::json;

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, inspection, line, publication, publish, upstream, user};

async fn act(store: &Store, at: i64) -> Transaction {
    store.act(Act::new("alice", "test", "test", at)).await.unwrap()
}

async fn take_down(store: &Store, version: VersionId, at: i64) -> DecisionId {
    let mut transaction = act(store, at).await;
    let decision = transaction.take_down(&[version], "it steals \0 keys").await.unwrap().remove(0);
    transaction.note_agreement(decision, "bob").await.unwrap();
    transaction.commit().await.unwrap();
    decision
}

async fn restore(store: &Store, version: VersionId, at: i64) {
    let mut transaction = act(store, at).await;
    transaction.restore(&[version], "it was another one").await.unwrap();
    transaction.commit().await.unwrap();
}

async fn tombstone(store: &Store, version: VersionId) -> Tombstone {
    store.tombstone(version).await.unwrap().unwrap()
}

fn job() -> NewJob {
    NewJob::new("inspect", json!({}))
}

async fn waiting(store: &Store, kind: &str) -> usize {
    store.claim_jobs("test", &[kind], 10, 60, NOW + 100).await.unwrap().leases.len()
}

on_both! {
    async fn what_is_taken_down_is_blocked_and_hidden_whatever_else_holds(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let version = publish(&store, &publication(&registry, &alice, "thing", "1.0.0", NOW)).await;
        store.record_inspection(version, &inspection(State::Held, 70, NOW), None).await.unwrap();
        let case = store.case_of(version).await.unwrap().unwrap();
        let changes = store.newest_change().await.unwrap();
        let block = take_down(&store, version, NOW + 1).await;
        assert!(store.newest_change().await.unwrap() > changes, "indexes are made again");

        let (_, record) = store.version_by_id(version).await.unwrap();
        assert_eq!((record.standing.state, record.standing.listed), (State::Blocked, false));
        assert_eq!(record.standing.reason, "taken down: it steals \u{FFFD} keys");
        assert_eq!(record.taken_down.as_deref(), Some("it steals \u{FFFD} keys"));
        let stone = tombstone(&store, version).await;
        assert_eq!((stone.state, stone.actor.as_str()), (TombstoneState::Sealing, "alice"));
        assert_eq!(stone.approved_by.as_deref(), Some("bob"));
        assert_eq!(store.case(case.id).await.unwrap().state, CaseState::Closed);
        let unconfirmed = DecisionFilter { unconfirmed_only: true, ..DecisionFilter::default() };
        assert!(store.decisions(&unconfirmed, None, 9).await.unwrap().is_empty(), "two agreed beforehand");

        // Neither an inspection, nor a release, nor an undo opens it.
        store.record_inspection(version, &inspection(State::Released, 0, NOW + 2), None).await.unwrap();
        let mut transaction = act(&store, NOW + 3).await;
        transaction.undo_decision(block, "no").await.unwrap();
        let release = NewDecision::new(Subject::Version(version), DecisionAction::Release, Enforcement::Deny, "no");
        transaction.decide(&release.unwrap()).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.version_by_id(version).await.unwrap().1.standing.state, State::Blocked);

        let mut transaction = act(&store, NOW + 4).await;
        let twice = transaction.take_down(&[version], "again").await.unwrap_err();
        assert!(matches!(twice.kind(), StoreErrorKind::Refused(_)), "{twice}");
        transaction.roll_back().await.unwrap();
        // Its number stays taken, by the same bytes and the same publisher as well.
        let again = store.publish(&publication(&registry, &alice, "thing", "1.0.0", NOW + 5)).await.unwrap_err();
        assert!(matches!(again.kind(), StoreErrorKind::VersionTaken { .. }), "{again}");
    }

    async fn a_tombstone_stands_until_the_bytes_are_back_and_a_hold_is_left(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let version = publish(&store, &publication(&registry, &alice, "thing", "1.0.0", NOW)).await;
        store.record_inspection(version, &inspection(State::Released, 0, NOW), None).await.unwrap();
        let mut transaction = act(&store, NOW).await;
        assert!(transaction.restore(&[version], "what?").await.is_err(), "it was not taken down");
        transaction.roll_back().await.unwrap();
        take_down(&store, version, NOW + 1).await;
        assert_eq!(waiting(&store, VAULT).await, 1);
        let before = tombstone(&store, version).await;
        store.note_trouble(before.id, "the disk is away").await.unwrap();
        let before = tombstone(&store, version).await;
        assert_eq!(before.trouble.as_deref(), Some("the disk is away"));
        assert!(!store.has_sealed().await.unwrap());
        assert!(store.record_sealed(&before, TombstoneState::Sealed, NOW + 2).await.unwrap());
        // A job that is done twice says nothing new.
        assert!(!store.record_sealed(&before, TombstoneState::Sealed, NOW + 3).await.unwrap());
        let sealed = tombstone(&store, version).await;
        assert!(!store.record_sealed(&sealed, TombstoneState::Sealed, NOW + 3).await.unwrap());
        assert_eq!((sealed.state, &sealed.trouble), (TombstoneState::Sealed, &None));
        assert!(store.has_sealed().await.unwrap());
        assert!(!store.record_restored(&sealed, &job(), NOW + 3).await.unwrap(), "nobody asked for it");

        restore(&store, version, NOW + 4).await;
        let mut transaction = act(&store, NOW + 4).await;
        assert!(transaction.restore(&[version], "again").await.is_err(), "it is on its way");
        transaction.roll_back().await.unwrap();
        assert_eq!(waiting(&store, VAULT).await, 1);
        // Whoever sealed, and comes late, does not take it back.
        assert!(!store.record_sealed(&sealed, TombstoneState::Sealed, NOW + 5).await.unwrap());
        let restoring = tombstone(&store, version).await;
        assert!(restoring.stands() && restoring.state == TombstoneState::Restoring);
        assert_eq!(restoring.restore.as_ref().map(|it| it.by.as_str()), Some("alice"));
        assert!(store.version_by_id(version).await.unwrap().1.is_taken_down());
        assert!(store.record_restored(&restoring, &job(), NOW + 6).await.unwrap());
        assert!(!store.record_restored(&restoring, &job(), NOW + 7).await.unwrap());
        let (_, record) = store.version_by_id(version).await.unwrap();
        assert!(!record.is_taken_down() && !tombstone(&store, version).await.stands());
        assert_eq!(record.standing.state, State::Held, "a further act releases it");
        assert!(store.taken_down(TombstoneId(0)).await.unwrap().is_empty());
        // And down again: of two tombstones the newer counts.
        take_down(&store, version, NOW + 8).await;
        assert_eq!(tombstone(&store, version).await.state, TombstoneState::Sealing);
        assert_eq!(store.taken_down(TombstoneId(0)).await.unwrap().len(), 1);
    }

    async fn bytes_are_needed_as_long_as_one_version_with_them_stands(database: &TestDatabase) {
        let store = database.store().await;
        let (here, there) = (hosted(&store).await, upstream(&store).await);
        let alice = user(&store, "alice", &[]).await;
        let one = publish(&store, &publication(&here, &alice, "thing", "1.0.0", NOW)).await;
        let checksum = Checksum::of(b"thing@1.0.0");
        let seen = |yanked| ObservedVersion {
            version: Version::new(1, 0, 0),
            checksum,
            yanked,
            index_line: line("thing", "1.0.0", &[]),
            published_at: None,
            listed_while_pending: true,
            job: None,
        };
        let pass_on = cratekeeper_store::NewYanks::PassOn;
        let other = store.observe(there.id, "thing", &[seen(false)], &pass_on, NOW).await.unwrap().added[0];
        take_down(&store, one, NOW + 1).await;
        assert!(store.is_needed(checksum).await.unwrap());
        take_down(&store, other, NOW + 2).await;
        assert!(!store.is_needed(checksum).await.unwrap());
        let down = store.taken_down(TombstoneId(0)).await.unwrap();
        assert_eq!(down.iter().map(|it| it.version).collect::<Vec<_>>(), [one, other]);
        assert_eq!(store.taken_down(down[0].tombstone).await.unwrap().len(), 1);
        assert_eq!(store.newest_tombstone().await.unwrap(), down[1].tombstone);
        // What the upstream says does not bring it back.
        store.observe(there.id, "thing", &[seen(true)], &pass_on, NOW + 3).await.unwrap();
        let (_, record) = store.version_by_id(other).await.unwrap();
        assert!(record.is_taken_down() && !record.standing.listed);
        // Neither does an owner.
        let mut transaction = act(&store, NOW + 4).await;
        transaction.set_yanked(one, true, By::default()).await.unwrap();
        transaction.set_yanked(one, false, By::default()).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.version_by_id(one).await.unwrap().1.standing.state, State::Blocked);

        // Never inspected: it is, once it is back.
        while waiting(&store, "inspect").await > 0 {}
        restore(&store, other, NOW + 5).await;
        let restoring = tombstone(&store, other).await;
        store.record_restored(&restoring, &job().once("inspect:again"), NOW + 6).await.unwrap();
        assert_eq!(waiting(&store, "inspect").await, 1);
        assert!(store.is_needed(checksum).await.unwrap());
    }
}
