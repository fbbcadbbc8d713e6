//! Fetches, changes, pages, histories, webhooks, backups: what others read.

use std::collections::BTreeSet;

use cratekeeper_model::{Checksum, Known, PublishMethod, RegistryAction};
use cratekeeper_store::{
    Act, By, DeliveryAttempt, DeliveryState, Event, FETCHES_WAITING, Fetch, FetchRecorder, NewYanks,
    ObservedVersion, QueueFilter, QueueOrder, RegistryKind, State, Store, StoreErrorKind, VersionId,
};
use semver::Version;
use serde_json::json;

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, inspection, line, publication, publish, upstream, user};

fn fetch(version: VersionId, login: &str, at: i64) -> Fetch {
    Fetch {
        version,
        token: None,
        login: Some(login.to_owned()),
        address: Some("127.0.0.1".to_owned()),
        client: Some("cargo 1.95.0".to_owned()),
        at,
    }
}

on_both! {
    async fn who_fetched_what_when_is_known(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let version = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        let other = publish(&store, &publication(&registry, &alice, "other", "1.0.0", NOW)).await;
        for version in [version, other] {
            store.record_inspection(version, &inspection(State::Released, 0, NOW), None).await.unwrap();
        }
        let (recorder, task) = FetchRecorder::start(&store, FETCHES_WAITING);
        let all: Vec<_> = (0..300)
            .map(|it| {
                let recorder = recorder.clone();
                let fetch = fetch(if it % 3 == 0 { other } else { version }, &format!("user-{it}"), NOW + it);
                tokio::spawn(async move { recorder.record(fetch).await })
            })
            .collect();
        for one in all {
            one.await.unwrap().unwrap();
        }
        // They are durable by now, and another process sees them.
        let store = database.store().await;
        let counts = store.fetch_counts(&[version, other, VersionId(99)]).await.unwrap();
        assert_eq!(counts.iter().map(|it| it.fetches).collect::<Vec<_>>(), [200, 100]);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.fetches_of(version, NOW + 10, NOW + 20, after.as_ref(), 3).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            found.extend(page.into_iter().map(|it| it.fetch.login.unwrap()));
        }
        let expected: Vec<String> = (10..20).filter(|it| it % 3 != 0).map(|it| format!("user-{it}")).collect();
        assert_eq!(found, expected);
        assert_eq!(store.fetches_between(NOW, NOW + 5, None, 100).await.unwrap().len(), 5);
        drop(recorder);
        task.await.unwrap();
        let mut transaction = store.act(Act::new("admin", "fetches.forget", "old ones", NOW)).await.unwrap();
        assert_eq!(transaction.forget_fetches(NOW + 5).await.unwrap(), 5);
        transaction.commit().await.unwrap();
    }

    async fn a_fetch_that_cannot_be_recorded_is_an_error_of_its_own(database: &TestDatabase) {
        let store = database.store().await;
        let (recorder, _task) = FetchRecorder::start(&store, 16);
        assert!(recorder.record(fetch(VersionId(1), "nobody", NOW)).await.is_err(), "there is no such version");
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let version = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        assert!(recorder.record(fetch(version, "early", NOW)).await.is_err(), "nobody has looked at it");
        store.record_inspection(version, &inspection(State::Released, 0, NOW), None).await.unwrap();
        let all: Vec<_> = (0..40)
            .map(|it| if it % 8 == 3 { VersionId(999) } else { version })
            .map(|version| (recorder.clone(), version))
            .map(|(recorder, id)| tokio::spawn(async move { recorder.record(fetch(id, "alice", NOW)).await.is_ok() }))
            .collect();
        for (index, one) in all.into_iter().enumerate() {
            assert_eq!(one.await.unwrap(), index % 8 != 3, "one that is refused takes no other with it");
        }
    }

    async fn no_change_is_missed_by_who_polls(database: &TestDatabase) {
        let (store, other) = (database.store().await, database.store().await);
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = if writer % 2 == 0 { store.clone() } else { other.clone() };
                let all: Vec<_> = (0..10)
                    .map(|it| publication(&registry, &alice, &format!("crate-{writer}-{it}"), "1.0.0", NOW))
                    .collect();
                tokio::spawn(async move {
                    for one in all {
                        publish(&store, &one).await;
                    }
                })
            })
            .collect();
        let reader = database.store().await;
        let (mut seen, mut position) = (BTreeSet::new(), 0);
        while seen.len() < 40 {
            for change in reader.changes_since(position).await.unwrap() {
                assert!(change.sequence > position);
                position = change.sequence;
                assert!(seen.insert(change.name));
            }
            tokio::task::yield_now().await;
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(reader.newest_change().await.unwrap(), position);
    }

    async fn pages_of_the_queue_have_every_version_once(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        for (index, score) in [71_u8, 90, 71, 10, 71, 60, 99].into_iter().enumerate() {
            // Several with the same score and moment: the number decides.
            let at = NOW + index as i64 / 3;
            let id = publish(&store, &publication(&registry, &alice, &format!("c{index}"), "1.0.0", at)).await;
            let state = if score >= 60 { State::Held } else { State::Released };
            if index != 6 {
                store.record_inspection(id, &inspection(state, score, at), None).await.unwrap();
            }
        }
        let filter = QueueFilter { states: vec![State::Held, State::Pending], ..QueueFilter::default() };
        for order in [QueueOrder::WorstFirst, QueueOrder::OldestFirst, QueueOrder::NewestFirst] {
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page = store.queue(&filter, order, after, 2).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(last.cursor);
                paged.extend(page.into_iter().map(|it| it.krate.name));
            }
            let whole = store.queue(&filter, order, None, 100).await.unwrap();
            assert_eq!(paged, whole.into_iter().map(|it| it.krate.name).collect::<Vec<_>>());
            let expected = match order {
                QueueOrder::WorstFirst => ["c1", "c0", "c2", "c4", "c5", "c6"],
                QueueOrder::OldestFirst => ["c0", "c1", "c2", "c4", "c5", "c6"],
                QueueOrder::NewestFirst => ["c6", "c5", "c4", "c2", "c1", "c0"],
            };
            assert_eq!(paged, expected);
        }
        let since = Some(cratekeeper_store::QueueCursor::before(NOW + 1));
        let later = store.queue(&QueueFilter::default(), QueueOrder::OldestFirst, since, 9).await.unwrap();
        assert_eq!(later.iter().map(|it| it.krate.name.as_str()).collect::<Vec<_>>(), ["c3", "c4", "c5", "c6"]);
        let bad = QueueFilter { at_least: Some(90), registry: Some(registry.id), ..QueueFilter::default() };
        assert_eq!(store.queue(&bad, QueueOrder::default(), None, 9).await.unwrap().len(), 1);
        let counts = store.counts_by_state().await.unwrap();
        assert_eq!(counts, [(State::Pending, 1), (State::Released, 1), (State::Held, 5)]);
    }

    async fn crates_are_found_by_a_part_of_their_name(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        for name in ["my-serde", "serde_yaml", "serde", "Serde-JSON", "serdf", "a%b", "aXb", "a_b"] {
            let version = publish(&store, &publication(&registry, &alice, name, "1.0.0", NOW)).await;
            store.record_inspection(version, &inspection(State::Released, 0, NOW), None).await.unwrap();
        }
        publish(&store, &publication(&registry, &alice, "serde-pending", "1.0.0", NOW)).await;
        let find = async |text: &str, limit: u64| {
            let (found, count) = store.find_crates(registry.id, text, limit).await.unwrap();
            (found.into_iter().map(|it| it.name).collect::<Vec<_>>(), count)
        };
        let (names, count) = find("SERDE", 9).await;
        assert_eq!(names, ["serde", "Serde-JSON", "serde_yaml", "my-serde"], "what waits is not found");
        assert_eq!(count, 4);
        assert_eq!(find("serde", 3).await, (names[..3].to_vec(), 4));
        assert_eq!(find("a%", 9).await, (vec!["a%b".to_owned()], 1), "nothing in it is a pattern");
        assert_eq!(find("a-b", 9).await, (vec!["a_b".to_owned()], 1));
        assert_eq!(find("", 99).await.1, 8);
        assert_eq!(store.crates_named("SERDE_json").await.unwrap()[0].name, "Serde-JSON");
    }

    async fn a_hosted_crates_history_knows_who_did_what(database: &TestDatabase) {
        let store = database.store().await;
        let registry = hosted(&store).await;
        let (alice, bob) = (user(&store, "alice", &[]).await, user(&store, "bob", &[]).await);
        publish(&store, &publication(&registry, &bob, "newborn", "0.1.0", NOW + 50)).await;
        let first = publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW + 1)).await;
        let krate = store.krate(registry.id, "demo").await.unwrap().unwrap().id;
        let mut transaction = store.act(Act::new("alice", "owner.add", "demo", NOW + 60)).await.unwrap();
        let by = By { login: Some("alice"), token: None };
        transaction.add_owner(krate, "bob", by).await.unwrap();
        transaction.set_yanked(first, true, by).await.unwrap();
        transaction.commit().await.unwrap();
        let mut second = publication(&registry, &bob, "demo", "1.0.1", NOW + 70);
        second.index_line = line("demo", "1.0.1", &["newborn", "elsewhere"]);
        let second = publish(&store, &second).await;
        publish(&store, &publication(&registry, &bob, "demo", "1.0.2", NOW + 90)).await;
        store.record_fetches(&[fetch(first, "carol", NOW + 65), fetch(first, "dave", NOW + 95)]).await.unwrap();

        let behind = store.history(second, NOW).await.unwrap();
        let own = Version::new(1, 0, 1);
        assert!(behind.version(&own).is_some(), "whoever inspects it may have a clock that is behind");

        let history = store.history(second, NOW + 80).await.unwrap();
        let versions: Vec<_> = history.versions.iter().map(|it| (it.version.to_string(), it.yanked)).collect();
        assert_eq!(versions, [("1.0.0".to_owned(), true), ("1.0.1".to_owned(), false)], "the third is later");
        assert_eq!(history.versions[1].publisher, Known::Known("bob".to_owned()));
        assert_eq!(history.versions[1].method, Known::Known(PublishMethod::Token));
        assert_eq!(history.owners.value().unwrap(), &["alice", "bob"]);
        assert_eq!(history.downloads, Known::Known(1));
        let events: Vec<_> = history.events.value().unwrap().iter().map(|it| it.action.clone()).collect();
        let yank = RegistryAction::Yank(Version::new(1, 0, 0));
        assert_eq!(events, [RegistryAction::OwnerAdded("bob".to_owned()), yank]);
        let publisher = history.publisher.value().unwrap();
        assert_eq!(publisher.crates, [("newborn".to_owned(), NOW + 50)]);
        assert_eq!(publisher.first_seen, Some(NOW));
        let newborn = history.dependencies.iter().find(|it| it.name == "newborn").unwrap();
        assert_eq!((newborn.in_previous, newborn.first_published.value()), (Some(false), Some(&(NOW + 50))));
        assert_eq!(newborn.owners.value().unwrap(), &["bob"]);
        let elsewhere = history.dependencies.iter().find(|it| it.name == "elsewhere").unwrap();
        assert!(elsewhere.first_published.as_result().unwrap_err().contains("not in the store"));
    }

    async fn an_upstreams_history_leaves_unknown_what_nobody_said(database: &TestDatabase) {
        let store = database.store().await;
        let registry = upstream(&store).await;
        let seen = |published_at, yanked| ObservedVersion {
            version: Version::new(1, 0, 0),
            checksum: Checksum::of(b"demo"),
            yanked,
            index_line: line("demo", "1.0.0", &[]),
            published_at,
            listed_while_pending: true,
            job: None,
        };
        let pass = NewYanks::PassOn;
        let added = store.observe(registry.id, "demo", &[seen(None, false)], &pass, NOW).await.unwrap().added;
        let history = store.history(added[0], NOW).await.unwrap();
        assert!(history.events.value().is_none() && history.owners.value().is_none());
        assert!(history.publisher.value().is_none() && history.downloads.value().is_none());
        assert!(history.earlier_owner.value().is_none());
        assert!(history.versions[0].published.value().is_none() && history.versions[0].method.value().is_none());

        store.observe(registry.id, "demo", &[seen(None, true)], &pass, NOW + 9).await.unwrap();
        let history = store.history(added[0], NOW + 9).await.unwrap();
        let events = history.events.value().unwrap();
        assert_eq!((events.len(), events[0].at), (1, NOW + 9));
        assert!(events[0].by.value().is_none(), "who did it is not known");
    }

    async fn webhooks_are_told_with_what_happens(database: &TestDatabase) {
        let store = database.store().await;
        let mut transaction = store.act(Act::new("admin", "webhook.add", "two", NOW)).await.unwrap();
        let all = transaction.create_webhook("https://hooks.example.invalid/all", "s3cret", &[]).await.unwrap();
        let some = [Event::Verdict];
        let few = transaction.create_webhook("https://hooks.example.invalid/few", "s3cret", &some).await.unwrap();
        let told = transaction.tell(Event::Exposure, &json!({"crate": "demo"})).await.unwrap();
        transaction.tell(Event::Verdict, &json!({"crate": "demo"})).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(store.deliveries(all.id, None, 9).await.unwrap().len(), 2);
        assert_eq!(store.deliveries(few.id, None, 9).await.unwrap().len(), 1);
        assert_eq!(store.webhook_secret(all.id).await.unwrap().1, "s3cret");
        let jobs = store.claim_jobs("worker", &[cratekeeper_store::DELIVER], 9, 60, NOW).await.unwrap().leases;
        assert_eq!(jobs.len(), 3);
        assert_eq!(jobs[0].payload["delivery_id"].as_i64(), Some(told[0].0));

        let failed = DeliveryAttempt { at: NOW + 1, status: None, answer: "refused \0".to_owned() };
        let fine = DeliveryAttempt { at: NOW + 2, status: Some(200), answer: "ok".to_owned() };
        store.record_delivery_attempt(told[0], &failed, DeliveryState::Open).await.unwrap();
        store.record_delivery_attempt(told[0], &fine, DeliveryState::Delivered).await.unwrap();
        store.record_delivery_attempt(told[0], &failed, DeliveryState::GivenUp).await.unwrap();
        let delivery = store.delivery(told[0]).await.unwrap();
        assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 2), "it was accepted");
        assert_eq!(store.delivery_attempts(told[0]).await.unwrap().len(), 3);

        let mut transaction = store.act(Act::new("admin", "webhook.end", "all", NOW)).await.unwrap();
        transaction.disable_webhook(all.id).await.unwrap();
        assert!(transaction.tell(Event::Exposure, &json!({})).await.unwrap().is_empty());
        transaction.commit().await.unwrap();
    }

    async fn several_replicas_start_at_once(database: &TestDatabase) {
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let url = database.url.clone();
                tokio::spawn(async move { Store::connect(&url).await })
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap().ping().await.unwrap();
        }
    }

    async fn a_database_of_a_newer_program_is_left_alone(database: &TestDatabase) {
        use sea_orm::ConnectionTrait;
        database.store().await;
        let raw = database.raw().await;
        raw.execute_unprepared("INSERT INTO migrations (name) VALUES ('9999-future')").await.unwrap();
        let error = Store::connect(&database.url).await.unwrap_err();
        assert_eq!(*error.kind(), StoreErrorKind::TooNew("9999-future".to_owned()));
        assert!(error.hint().unwrap().contains("newer program"));
    }

    async fn a_registry_is_of_one_kind(database: &TestDatabase) {
        let store = database.store().await;
        let registry = hosted(&store).await;
        let mut transaction = store.act(Act::new("(start)", "registry.add", "hosted", NOW)).await.unwrap();
        assert!(transaction.ensure_registry("hosted", RegistryKind::Upstream, None).await.is_err());
        let moved = transaction.ensure_registry("hosted", RegistryKind::Hosted, Some("https://a.example.invalid")).await;
        transaction.commit().await.unwrap();
        assert_eq!(moved.unwrap().id, registry.id);
        assert_eq!(store.registries().await.unwrap().len(), 1);
        let observed = store.observe(registry.id, "demo", &[], &NewYanks::PassOn, NOW).await;
        assert!(matches!(observed.unwrap_err().kind(), StoreErrorKind::Refused(_)), "it is hosted here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_whole_while_others_write() {
    let database = crate::databases::TestDatabase::sqlite();
    let store = database.store().await;
    let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
    publish(&store, &publication(&registry, &alice, "first", "1.0.0", NOW)).await;
    let all: Vec<_> =
        (0..30).map(|it| publication(&registry, &alice, &format!("c{it}"), "1.0.0", NOW)).collect();
    let writer = store.clone();
    let writing = tokio::spawn(async move {
        for one in all {
            publish(&writer, &one).await;
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(cratekeeper_store::DATABASE_FILE);
    store.backup(&file).await.unwrap();
    writing.await.unwrap();
    assert!(matches!(store.backup(&file).await.unwrap_err().kind(), StoreErrorKind::AlreadyExists));
    let copy = Store::open_directory(directory.path()).await.unwrap();
    let report = copy.verify_audit_log(&[], &[]).await.unwrap();
    assert_eq!(report.problems, []);
    assert!(copy.krate(registry.id, "first").await.unwrap().is_some());
    let published = copy.crates_with_owners(registry.id).await.unwrap().len() as u64;
    assert_eq!(report.entries, published + 2, "each publish with its entry, the registry's and the user's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_copied_by_its_own_tools() {
    let Some(database) = crate::databases::TestDatabase::postgres().await else { return };
    let store = database.store().await;
    let error = store.backup(std::path::Path::new("copy")).await.unwrap_err();
    assert!(error.to_string().contains("pg_dump"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_ended_all_connections_is_reached_again() {
    use sea_orm::ConnectionTrait;
    let Some(database) = crate::databases::TestDatabase::postgres().await else { return };
    let store = database.store().await;
    let registry = hosted(&store).await;
    let open = store.act(Act::new("admin", "never", "committed", NOW)).await.unwrap();
    // Several that wait in the pool.
    let readers: Vec<_> =
        (0..8).map(|_| store.clone()).map(|it| tokio::spawn(async move { it.ping().await })).collect();
    for reader in readers {
        reader.await.unwrap().unwrap();
    }
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.raw().await.execute_unprepared(end).await.unwrap();
    let error = open.commit().await.unwrap_err();
    assert!(error.is_transient() && error.hint().is_some(), "{error:?}");
    let alice = user(&store, "alice", &[]).await;
    publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
    assert_eq!(store.verify_audit_log(&[], &[]).await.unwrap().problems, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(cratekeeper_store::DATABASE_FILE), [7; 5_000]).unwrap();
    let error = Store::open_directory(directory.path()).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Damaged(_)), "{error:?}");
    assert!(error.hint().unwrap().contains("backup"));
    let error = Store::connect("mysql://user:secret@db.example.invalid/gate").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
    let error = Store::connect("postgres://user:secret@127.0.0.1:9/gate").await.unwrap_err();
    assert!(error.is_transient() && !format!("{error} {error:?}").contains("secret"), "{error:?}");
}
