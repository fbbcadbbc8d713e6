//! Publishing: what one transaction writes, and what it refuses.

use cratekeeper_model::{Checksum, PublishMethod, Verdict};
use cratekeeper_store::{
    By, Consequence, EventKind, Inspection, LeaseState, NewJob, Published, Role, State, StoreErrorKind,
    VersionId, VersionRecord,
};
use semver::Version;

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, inspection, publication, publish, user};

on_both! {
    async fn a_publish_writes_everything_about_a_version(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[Role::Admin]).await);
        let publication = publication(&registry, &alice, "demo-crate", "1.0.0+build.7", NOW + 1);
        let id = publish(&store, &publication).await;

        let (krate, version): (_, VersionRecord) =
            store.version(registry.id, "Demo_Crate", &Version::new(1, 0, 0)).await.unwrap().unwrap();
        assert_eq!((krate.name.as_str(), version.id), ("demo-crate", id));
        assert_eq!(version.version.to_string(), "1.0.0+build.7");
        assert_eq!((version.standing.state, version.standing.listed), (State::Pending, false));
        assert_eq!(version.index_line, publication.index_line);
        assert_eq!(version.published_at, Some(NOW + 1));

        let how = store.provenance(id).await.unwrap();
        assert_eq!(how.publisher.as_deref(), Some("alice"));
        assert_eq!((how.token, how.method), (Some(alice.1.id), Some(PublishMethod::Token)));
        assert_eq!(how.owners, Some(vec!["alice".to_owned()]));
        assert_eq!((how.verdict, how.score), (None, None), "it was not judged yet");

        let events = store.events_of(krate.id).await.unwrap();
        assert_eq!(events.iter().map(|it| (it.kind, it.version)).collect::<Vec<_>>(), [(EventKind::Publish, Some(id))]);
        let jobs = store.claim_jobs("worker", &["inspect"], 10, 60, NOW + 1).await.unwrap().leases;
        assert_eq!(jobs.iter().map(|it| it.payload["version_id"].as_i64()).collect::<Vec<_>>(), [Some(id.0)]);
        let changes = store.changes_since(0).await.unwrap();
        assert_eq!(changes.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["demo-crate"]);
        let log = store.audit_entries(&Default::default(), None, 1).await.unwrap();
        assert_eq!((log[0].action.as_str(), log[0].object.as_str()), ("version.publish", "demo-crate@1.0.0+build.7"));
    }

    async fn a_publish_that_is_repeated_is_one(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let first = publication(&registry, &alice, "demo", "1.0.0", NOW + 1);
        let id = publish(&store, &first).await;
        let changes = store.newest_change().await.unwrap();
        let again = store.publish(&first).await.unwrap();
        assert!(matches!(again, Published::Already { version, .. } if version == id));
        assert_eq!(store.newest_change().await.unwrap(), changes, "nothing was written");
        assert_eq!(store.claim_jobs("worker", &["inspect"], 10, 60, NOW + 9).await.unwrap().leases.len(), 1);
    }

    async fn what_a_publish_refuses(database: &TestDatabase) {
        let store = database.store().await;
        let registry = hosted(&store).await;
        let (alice, mallory) = (user(&store, "alice", &[]).await, user(&store, "mallory", &[]).await);
        publish(&store, &publication(&registry, &alice, "demo-crate", "1.0.0", NOW)).await;

        let refused = |error: cratekeeper_store::StoreError| error.kind().clone();
        let clash = publication(&registry, &alice, "demo_crate", "2.0.0", NOW);
        let kind = refused(store.publish(&clash).await.unwrap_err());
        assert_eq!(kind, StoreErrorKind::NameTaken { existing: "demo-crate".to_owned() });

        let stranger = publication(&registry, &mallory, "demo-crate", "2.0.0", NOW);
        let kind = refused(store.publish(&stranger).await.unwrap_err());
        assert_eq!(kind, StoreErrorKind::NotOwner { login: "mallory".to_owned() });

        let mut other_bytes = publication(&registry, &alice, "demo-crate", "1.0.0", NOW);
        other_bytes.checksum = Checksum::of(b"other bytes");
        assert!(matches!(refused(store.publish(&other_bytes).await.unwrap_err()), StoreErrorKind::VersionTaken { .. }));
        let other_build = publication(&registry, &alice, "demo-crate", "1.0.0+other", NOW);
        assert!(matches!(refused(store.publish(&other_build).await.unwrap_err()), StoreErrorKind::VersionTaken { .. }));

        let log = store.audit_entries(&Default::default(), None, 100).await.unwrap();
        assert_eq!(log.iter().filter(|it| it.action == "version.publish").count(), 1, "what was refused was not done");
        assert_eq!(store.crate_versions(registry.id, "demo-crate").await.unwrap().unwrap().1.len(), 1);
    }

    async fn an_inspection_and_its_job_end_together(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let id = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        let lease = store.claim_jobs("worker", &["inspect"], 1, 60, NOW).await.unwrap().leases.remove(0);
        let late = store.claim_jobs("other", &["inspect"], 1, 60, NOW + 60).await.unwrap().leases.remove(0);

        let found = inspection(State::Held, 71, NOW + 61);
        let error = store.record_inspection(id, &found, Some(&lease)).await.unwrap_err();
        assert_eq!(*error.kind(), StoreErrorKind::LeaseLost);
        assert_eq!(store.version_by_id(id).await.unwrap().1.standing.state, State::Pending);

        let standing = store.record_inspection(id, &found, Some(&late)).await.unwrap();
        assert_eq!((standing.state, standing.listed, standing.reason.as_str()), (State::Held, true, "score 71"));
        assert_eq!(store.job(late.id).await.unwrap(), None);
        let kept = store.inspections(id, 10).await.unwrap();
        assert_eq!((kept.len(), kept[0].case.clone(), kept[0].answer.clone()), (1, found.case, found.answer));
        let second = inspection(State::Released, 3, NOW + 90);
        store.record_inspection(id, &second, None).await.unwrap();
        let how = store.provenance(id).await.unwrap();
        assert_eq!((how.verdict, how.score), (Some(Verdict::Quarantine), Some(71)), "the first verdict stays");
    }

    async fn a_job_that_is_given_up_leaves_no_version_waiting(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let mut first = publication(&registry, &alice, "demo", "1.0.0", NOW);
        first.job.attempts_allowed = 1;
        let id = publish(&store, &first).await;
        let lease = store.claim_jobs("worker", &["inspect"], 1, 60, NOW).await.unwrap().leases.remove(0);
        let failed = Inspection { case: None, answer: None, ..inspection(State::Failed, 0, NOW + 1) };
        // What cannot be written down leaves the job as it is.
        let nowhere = Consequence::Uninspected(VersionId(id.0 + 1), &failed);
        assert!(store.give_up_job(&lease, "a problem", nowhere, NOW + 1).await.is_err());
        assert!(store.dead_jobs(None, 1).await.unwrap().is_empty());
        let state = store.give_up_job(&lease, "a problem", Consequence::Uninspected(id, &failed), NOW + 1).await.unwrap();
        assert_eq!(state, LeaseState::Held);
        assert_eq!(store.version_by_id(id).await.unwrap().1.standing.state, State::Failed);
        assert_eq!(store.dead_jobs(None, 9).await.unwrap().len(), 1);
        let log = store.audit_entries(&Default::default(), None, 1).await.unwrap();
        assert_eq!((log[0].action.as_str(), &log[0].detail["state"]), ("version.inspect", &"failed".into()));
        // Whoever comes late changes nothing.
        store.record_inspection(id, &inspection(State::Released, 0, NOW + 2), None).await.unwrap();
        let state = store.give_up_job(&lease, "a problem", Consequence::Uninspected(id, &failed), NOW + 1).await.unwrap();
        assert_eq!(state, LeaseState::Lost);
        assert_eq!(store.version_by_id(id).await.unwrap().1.standing.state, State::Released);

        // An upstream that is away: another job takes the place of the one that is given up.
        let mut job = NewJob::new("inspect", serde_json::json!({ "version_id": id.0 }));
        job.attempts_allowed = 1;
        store.enqueue(&job, NOW).await.unwrap();
        let lease = store.claim_jobs("worker", &["inspect"], 1, 60, NOW + 3).await.unwrap().leases.remove(0);
        let later = NewJob { run_after: NOW + 3_600, ..job };
        assert_eq!(store.give_up_job(&lease, "a problem", Consequence::Another(&later), NOW + 1).await.unwrap(), LeaseState::Held);
        assert_eq!(store.give_up_job(&lease, "a problem", Consequence::Another(&later), NOW + 1).await.unwrap(), LeaseState::Lost);
        let counts = store.job_counts().await.unwrap().remove(0);
        assert_eq!((counts.open, counts.dead), (1, 2), "one, although it was said twice");
    }

    async fn yanks_are_written_down_and_shown(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let id = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        let before = store.newest_change().await.unwrap();
        let act = cratekeeper_store::Act::new("alice", "version.yank", "demo@1.0.0", NOW + 5);
        let mut transaction = store.act(act).await.unwrap();
        let by = By { login: Some("alice"), token: Some(alice.1.id) };
        assert!(transaction.set_yanked(id, true, by).await.unwrap());
        assert!(!transaction.set_yanked(id, true, by).await.unwrap(), "it is by now");
        transaction.commit().await.unwrap();
        assert!(store.version_by_id(id).await.unwrap().1.is_yanked());
        assert_eq!(store.changes_since(before).await.unwrap().len(), 1);
        let events = store.events_by(registry.id, "ALICE", NOW + 5, NOW + 6, 10).await.unwrap();
        assert_eq!(events.iter().map(|it| it.kind).collect::<Vec<_>>(), [EventKind::Yank]);
    }
}
