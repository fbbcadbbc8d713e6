//! That an account is one of one registry: the same login elsewhere is somebody else until shown otherwise.

use cratekeeper_model::Known;
use cratekeeper_store::{
    Act, By, Campaign, CaseFilter, CaseOrder, CrateRecord, EventKind, RegistryId, State, VersionId,
};
use sea_orm::ConnectionTrait as _;

use crate::databases::{TestDatabase, on_both};
use crate::fixtures::{NOW, hosted, inspection, publication, publish, upstream, user};

fn names<T>(found: &[(CrateRecord, T)]) -> Vec<&str> {
    found.iter().map(|it| it.0.name.as_str()).collect()
}

/// As if these crates had come from another registry.
async fn move_to(database: &TestDatabase, registry: RegistryId, names: &[&str]) {
    let raw = database.raw().await;
    for name in names {
        let statement = format!("UPDATE crates SET registry_id = {registry} WHERE name = '{name}'");
        raw.execute_unprepared(&statement).await.unwrap();
    }
}

on_both! {
    async fn same_named_accounts_of_two_registries_are_two(database: &TestDatabase) {
        let store = database.store().await;
        let (here, there) = (hosted(&store).await, upstream(&store).await);
        let alice = user(&store, "Alice", &[]).await;
        let mut versions: Vec<VersionId> = Vec::new();
        for name in ["here", "there", "there-too"] {
            let version = publish(&store, &publication(&here, &alice, name, "1.0.0", NOW)).await;
            store.record_inspection(version, &inspection(State::Held, 80, NOW + 1), None).await.unwrap();
            versions.push(version);
        }
        let mut transaction = store.act(Act::new("alice", "version.yank", "there", NOW + 5)).await.unwrap();
        transaction.set_yanked(versions[1], true, By { login: Some("alice"), token: None }).await.unwrap();
        transaction.commit().await.unwrap();
        move_to(database, there.id, &["there", "there-too"]).await;

        assert_eq!(names(&store.published_by(here.id, "ALICE", 9).await.unwrap()), ["here"]);
        assert_eq!(names(&store.published_by(there.id, "alice", 9).await.unwrap()), ["there-too", "there"]);
        let kinds = async |registry| {
            let events = store.events_by(registry, "ALICE", NOW, NOW + 6, 9).await.unwrap();
            events.into_iter().map(|it| it.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(here.id).await, [EventKind::Publish]);
        assert_eq!(kinds(there.id).await, [EventKind::Yank, EventKind::Publish, EventKind::Publish]);
        let newest = store.events_by(there.id, "alice", NOW, NOW + 6, 1).await.unwrap();
        assert_eq!(newest[0].kind, EventKind::Yank, "of many, the newest");
        let registries = store.registries_of_publisher("aLICE").await.unwrap();
        assert_eq!(registries, [(here.id, "Alice".to_owned()), (there.id, "Alice".to_owned())]);
        assert_eq!(store.registries_of_publisher("nobody").await.unwrap(), []);

        let campaigns = store.campaigns(9).await.unwrap();
        let expected = Campaign { registry: there.id, publisher: "Alice".to_owned(), cases: 2 };
        assert_eq!(campaigns, [expected], "one case here and two there are no three");
        let cases = store.cases(&CaseFilter::default(), CaseOrder::OldestFirst, None, 9).await.unwrap();
        let counts: Vec<_> = cases.iter().map(|it| (it.krate.name.as_str(), it.of_publisher)).collect();
        assert_eq!(counts, [("here", 1), ("there", 2), ("there-too", 2)]);
    }

    async fn crates_of_an_owner_come_in_pages(database: &TestDatabase) {
        let store = database.store().await;
        let (here, there) = (hosted(&store).await, upstream(&store).await);
        let alice = user(&store, "alice", &[]).await;
        publish(&store, &publication(&here, &alice, "a", "1.0.0", NOW)).await;
        move_to(database, there.id, &["a"]).await;
        for name in ["a", "b", "c"] {
            publish(&store, &publication(&here, &alice, name, "1.0.0", NOW)).await;
        }
        let first = store.crates_owned_by(here.id, "ALICE", None, 2).await.unwrap();
        assert_eq!(first.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let rest = store.crates_owned_by(here.id, "alice", Some(first[1].id), 2).await.unwrap();
        assert_eq!(rest.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["c"]);
        assert_eq!(store.crates_owned_by(there.id, "alice", None, 9).await.unwrap().len(), 1);
        let registries = store.registries_of_publisher("alice").await.unwrap();
        assert_eq!(registries.len(), 2);
    }

    async fn an_account_here_says_nothing_about_its_namesake_elsewhere(database: &TestDatabase) {
        let store = database.store().await;
        let (here, there) = (hosted(&store).await, upstream(&store).await);
        let alice = user(&store, "alice", &[]).await;
        let version = publish(&store, &publication(&here, &alice, "thing", "1.0.0", NOW + 50)).await;
        let first_seen = async || match store.history(version, NOW + 60).await.unwrap().publisher {
            Known::Known(it) => it.first_seen,
            Known::Unknown(reason) => panic!("{reason}"),
        };
        assert_eq!(first_seen().await, Some(NOW), "since the account was made");
        move_to(database, there.id, &["thing"]).await;
        assert_eq!(first_seen().await, Some(NOW + 50));
    }
}
