//! Who depends on whom, who fetched what, and which cases are alike.

use cratekeeper_model::{Case, Checksum, Confidence, Finding, Level, Severity};
use cratekeeper_store::{
    Act, Fetch, Inspection, NewYanks, ObservedVersion, Registry, Role, State, Store, Token, User, VersionId,
    WalkLimits,
};
use sea_orm::ConnectionTrait as _;
use semver::Version;
use serde_json::{Value, json};

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, inspection, publication, publish, upstream, user};

fn on(name: &str, requirement: &str) -> Value {
    json!({ "name": name, "req": requirement, "kind": "normal" })
}

fn line(name: &str, version: &str, dependencies: &[Value]) -> String {
    json!({ "name": name, "vers": version, "deps": dependencies, "cksum": "", "yanked": false }).to_string()
}

async fn add(
    store: &Store,
    registry: &Registry,
    by: &(User, Token, String),
    (name, version): (&str, &str),
    dependencies: &[Value],
) -> VersionId {
    let mut new = publication(registry, by, name, version, NOW);
    new.index_line = line(name, version, dependencies);
    publish(store, &new).await
}

fn found(rules: &[&str]) -> Inspection {
    let finding = |rule: &&str| Finding {
        rule: (*rule).to_owned(),
        severity: Severity::High,
        confidence: Confidence::High,
        message: "m".to_owned(),
        evidence: Vec::new(),
        help: None,
        advisory: None,
        reachability: None,
        techniques: Vec::new(),
    };
    let findings = rules.iter().map(finding).collect();
    let case = Case { score: 80, level: Level::of_score(80), findings, ..Case::default() };
    Inspection { case: Some(case), ..inspection(State::Held, 80, NOW + 2) }
}

on_both! {
    async fn a_version_hits_those_whose_requirements_admit_it(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, other) = (hosted(&store).await, upstream(&store).await);
        let alice = user(&store, "alice", &[Role::Admin]).await;
        let hit = add(&store, &registry, &alice, ("Ta-rget", "1.2.0"), &[on("e", "1")]).await;
        add(&store, &registry, &alice, ("a", "1.0.0"), &[on("ta_rget", "^1.1"), on("ta-rget", "*")]).await;
        add(&store, &registry, &alice, ("b", "1.0.0"), &[on("ta_rget", "^2")]).await;
        let development = json!({ "name": "x", "package": "Ta-rget", "req": "1", "kind": "dev" });
        add(&store, &registry, &alice, ("c", "1.0.0"), &[development]).await;
        add(&store, &registry, &alice, ("d", "1.0.0"), &[on("a", "1")]).await;
        add(&store, &registry, &alice, ("e", "1.0.0"), &[json!({ "name": "d", "req": "1", "kind": "build" })]).await;
        add(&store, &registry, &alice, ("f", "1.0.0"), &[on("c", "1")]).await;
        let elsewhere = json!({ "name": "ta-rget", "req": "1", "registry": "https://index.example.invalid/" });
        add(&store, &registry, &alice, ("g", "1.0.0"), &[elsewhere]).await;
        let seen = ObservedVersion {
            version: Version::new(1, 0, 0),
            checksum: Checksum::of(b"h"),
            yanked: false,
            index_line: line("h", "1.0.0", &[on("ta-rget", "1")]),
            published_at: None,
            listed_while_pending: true,
            job: None,
        };
        store.observe(other.id, "h", &[seen], &NewYanks::PassOn, NOW).await.unwrap();

        let (krate, version) = store.version_by_id(hit).await.unwrap();
        let found = store.dependents(&krate, &version.version, WalkLimits::default()).await.unwrap();
        let names: Vec<_> = found.direct.iter().map(|it| (it.krate.name.as_str(), it.kind.as_str())).collect();
        assert_eq!(names, [("a", "normal"), ("c", "dev")]);
        assert_eq!((found.direct_count, found.transitive_count, found.elsewhere_count), (2, 2, 1), "d and e; b");
        assert!(!found.is_cut);

        let few = WalkLimits { crates: 2, ..WalkLimits::default() };
        assert!(store.dependents(&krate, &version.version, few).await.unwrap().is_cut);
        let near = WalkLimits { depth: 1, named: 1, ..WalkLimits::default() };
        let found = store.dependents(&krate, &version.version, near).await.unwrap();
        assert!(found.is_cut && found.transitive_count == 0 && found.direct.len() == 1);
    }

    async fn the_newest_version_counts_and_what_came_before_is_filled_in(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let hit = add(&store, &registry, &alice, ("target", "1.0.0"), &[]).await;
        let first = add(&store, &registry, &alice, ("a", "1.0.0"), &[on("target", "1")]).await;
        add(&store, &registry, &alice, ("a", "2.0.0-beta"), &[]).await;
        let (krate, version) = store.version_by_id(hit).await.unwrap();
        let count = async || store.dependents(&krate, &version.version, WalkLimits::default()).await.unwrap().direct_count;
        assert_eq!(count().await, 1, "a pre-release is not the newest");

        let raw = database.raw().await;
        raw.execute_unprepared("DELETE FROM dependencies").await.unwrap();
        raw.execute_unprepared("UPDATE crates SET newest_id = NULL").await.unwrap();
        assert_eq!(count().await, 0);
        assert_eq!(store.fill_dependencies(1).await.unwrap(), 1);
        assert_eq!(store.fill_dependencies(9).await.unwrap(), 1);
        assert_eq!(store.fill_dependencies(9).await.unwrap(), 0);
        assert_eq!(count().await, 1);
        let (dependent, _) = store.version_by_id(first).await.unwrap();
        assert_eq!(store.dependencies_of(dependent.id).await.unwrap(), ["target"]);

        add(&store, &registry, &alice, ("a", "2.0.0"), &[]).await;
        assert_eq!(count().await, 0);
    }

    async fn lines_that_make_no_sense_depend_on_nothing(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        for (name, text) in [("a", "no JSON"), ("b", "{\"deps\":7}"), ("c", "[]")] {
            let mut new = publication(&registry, &alice, name, "1.0.0", NOW);
            text.clone_into(&mut new.index_line);
            publish(&store, &new).await;
        }
        let many: Vec<Value> = (0..3_000).map(|it| on(&format!("n{it}"), "not a requirement \0")).collect();
        let id = add(&store, &registry, &alice, ("d", "1.0.0"), &many).await;
        let (krate, _) = store.version_by_id(id).await.unwrap();
        assert_eq!(store.dependencies_of(krate.id).await.unwrap().len(), 1_000);
        assert_eq!(store.fill_dependencies(9).await.unwrap(), 0);
    }

    async fn fetchers_are_counted_once(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let version = add(&store, &registry, &alice, ("a", "1.0.0"), &[]).await;
        let fetch = |login: Option<&str>, address: &str, at: i64| Fetch {
            version,
            token: None,
            login: login.map(str::to_owned),
            address: Some(address.to_owned()),
            client: Some("cargo".to_owned()),
            at,
        };
        let all = [fetch(Some("bob"), "1", 1), fetch(Some("bob"), "2", 2), fetch(None, "2", 3)];
        store.record_fetches(&all).await.unwrap();
        let found = store.fetchers_of(version).await.unwrap();
        assert_eq!((found.accounts, found.addresses, found.clients, found.is_cut), (1, 2, 1, false));
        let newest = store.newest_fetches(version, 2).await.unwrap();
        assert_eq!(newest.iter().map(|it| it.at).collect::<Vec<_>>(), [3, 2]);
        let published = store.published_by(registry.id, "Alice", 9).await.unwrap();
        assert_eq!(published.iter().map(|it| it.1.id).collect::<Vec<_>>(), [version]);
    }

    async fn closed_cases_with_the_same_rules_are_alike(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let mut cases = Vec::new();
        for (name, rules) in [("a", &["x", "y"][..]), ("b", &["x", "x"]), ("c", &["x", "y", "z"]), ("d", &["w"])] {
            let version = add(&store, &registry, &alice, (name, "1.0.0"), &[]).await;
            store.record_inspection(version, &found(rules), None).await.unwrap();
            cases.push(store.case_of(version).await.unwrap().unwrap());
        }
        for case in &cases[..2] {
            let mut transaction = store.act(Act::new("alice", "case.close", "a case", NOW + 3)).await.unwrap();
            transaction.close_case(case.id, None, "nothing").await.unwrap();
            transaction.commit().await.unwrap();
        }
        let alike = store.cases_like(cases[2].id, &["x", "y", "z"], 9).await.unwrap();
        let shown: Vec<_> = alike.iter().map(|it| (it.krate.name.as_str(), it.shared)).collect();
        assert_eq!(shown, [("a", 2), ("b", 1)], "the open one and the other one are left out");
        assert!(store.cases_like(cases[2].id, &[], 9).await.unwrap().is_empty());
        let of_crate = store.cases_of_crate(alike[0].krate.id, 9).await.unwrap();
        assert_eq!(of_crate.iter().map(|it| it.id).collect::<Vec<_>>(), [cases[0].id]);
    }
}
