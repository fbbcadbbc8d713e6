//! What the console shows around cases: people, search, entries of the log, and what came of cases.

use cratekeeper_model::{Checksum, Confidence, Finding, Severity};
use cratekeeper_store::{
    Act, AuditFilter, CaseFilter, CaseOrder, DecisionAction, Enforcement, Inspection, NewDecision,
    NewSession, Outcome, PeopleFilter, Role, RuleCount, SignInMethod, State, Store, Subject, VersionId,
};

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, inspection, publication, publish, user};

fn finding(rule: &str) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity: Severity::High,
        confidence: Confidence::High,
        message: "a \0 and \u{1F980}".to_owned(),
        evidence: Vec::new(),
        help: None,
        advisory: None,
        reachability: None,
        techniques: Vec::new(),
    }
}

/// An inspection in which these rules had findings, one of them twice.
fn found(rules: &[&str], at: i64) -> Inspection {
    let mut inspection = inspection(State::Held, 70, at);
    let case = inspection.case.as_mut().unwrap();
    case.findings = rules.iter().chain(rules.first()).map(|it| finding(it)).collect();
    inspection
}

async fn decide(store: &Store, version: VersionId, action: DecisionAction, at: i64) {
    let mut transaction = store.act(Act::new("tina", "decision", "test", at)).await.unwrap();
    let subject = Subject::Version(version);
    transaction
        .decide(&NewDecision::new(subject, action, Enforcement::Deny, "because").unwrap())
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

on_both! {
    async fn rules_are_counted_by_what_cases_turned_out_to_be(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "alice", &[]).await);
        let mut versions = Vec::new();
        for (index, number) in ["1.0.0", "1.1.0", "1.2.0"].into_iter().enumerate() {
            let at = NOW + i64::try_from(index).unwrap() * 100;
            let version = publish(&store, &publication(&registry, &alice, "demo", number, at)).await;
            store.record_inspection(version, &found(&["old"], at), None).await.unwrap();
            // The newest inspection counts.
            store.record_inspection(version, &found(&["one", "two"], at + 1), None).await.unwrap();
            versions.push(version);
        }
        decide(&store, versions[0], DecisionAction::Block, NOW + 1_000).await;
        decide(&store, versions[1], DecisionAction::Release, NOW + 2_000).await;
        let counts = store.rule_counts(NOW, NOW + 5_000).await.unwrap();
        let count = |rule: &str| RuleCount { rule: rule.to_owned(), malicious: 1, harmless: 1 };
        assert_eq!(counts, [count("one"), count("two")]);
        assert_eq!(store.rule_counts(NOW + 1_500, NOW + 5_000).await.unwrap()[0].malicious, 0);
        let mut hits = store.rule_hits(NOW + 100).await.unwrap();
        hits.sort();
        assert_eq!(hits, [("one".to_owned(), 2), ("two".to_owned(), 2)]);
        let closed = store.closed_cases(NOW, NOW + 5_000, 10).await.unwrap();
        assert_eq!(closed.iter().map(|it| it.outcome).collect::<Vec<_>>(), [Some(Outcome::Harmless), Some(Outcome::Malicious)]);
        assert_eq!(closed[1].closed_at - closed[1].opened_at, 1_000);
        assert_eq!(store.cases_opened(NOW, NOW + 5_000, 150).await.unwrap(), [(0, 2), (1, 1)]);
        let of_rule = CaseFilter { rule: Some("two".to_owned()), ..CaseFilter::default() };
        assert_eq!(store.cases(&of_rule, CaseOrder::WorstFirst, None, 10).await.unwrap().len(), 3);
        let of_old = CaseFilter { rule: Some("old".to_owned()), ..CaseFilter::default() };
        assert_eq!(store.count_cases(&of_old).await.unwrap(), 0);
    }

    async fn people_are_listed_with_what_matters(database: &TestDatabase) {
        let store = database.store().await;
        let (anna, _, _) = user(&store, "Anna", &[Role::Admin]).await;
        user(&store, "anton", &[]).await;
        user(&store, "bob", &[Role::Viewer]).await;
        let mut transaction = store.act(Act::new("Anna", "session.begin", "Anna", NOW + 5)).await.unwrap();
        let new = NewSession { user: anna.id, method: SignInMethod::Password, address: None, client: None, proved_at: None };
        transaction.create_session(&new).await.unwrap();
        transaction.set_second_factor(anna.id, Some("sealed")).await.unwrap();
        transaction.use_code(anna.id, 1).await.unwrap();
        transaction.commit().await.unwrap();
        let listed = async |filter: &PeopleFilter, after: Option<&str>| {
            let people = store.people(filter, after, 2).await.unwrap();
            people.into_iter().map(|it| it.user.login).collect::<Vec<_>>()
        };
        assert_eq!(listed(&PeopleFilter::default(), None).await, ["Anna", "anton"]);
        assert_eq!(listed(&PeopleFilter::default(), Some("anton")).await, ["bob"]);
        let begins = PeopleFilter { login: Some("AN".to_owned()), ..PeopleFilter::default() };
        assert_eq!(listed(&begins, Some("anna")).await, ["anton"]);
        let viewers = PeopleFilter { role: Some(Role::Viewer), ..PeopleFilter::default() };
        assert_eq!(listed(&viewers, None).await, ["bob"]);
        let disabled = PeopleFilter { disabled_only: true, ..PeopleFilter::default() };
        assert!(listed(&disabled, None).await.is_empty());
        let first = store.people(&begins, None, 1).await.unwrap().remove(0);
        assert_eq!((first.has_factor, first.last_sign_in), (true, Some(NOW + 5)));
        assert_eq!(store.second_factors_of_people().await.unwrap(), (1, 2));
    }

    async fn entries_are_found_by_beginnings_and_moments(database: &TestDatabase) {
        let store = database.store().await;
        for (index, action) in ["decision.hold", "user.create", "decision.block", "decisions.other"].into_iter().enumerate() {
            let at = NOW + i64::try_from(index).unwrap() * 100;
            store.act(Act::new("alice", action, "thing", at)).await.unwrap().commit().await.unwrap();
        }
        let sequences = async |filter: &AuditFilter, before: Option<i64>, limit: u64| {
            let entries = store.audit_entries(filter, before, limit).await.unwrap();
            entries.into_iter().map(|it| it.sequence).collect::<Vec<_>>()
        };
        let decisions = AuditFilter { begins: Some("decision.".to_owned()), ..AuditFilter::default() };
        assert_eq!(sequences(&decisions, None, 10).await, [3, 1]);
        assert_eq!(sequences(&decisions, None, 1).await, [3]);
        assert_eq!(sequences(&decisions, Some(3), 10).await, [1]);
        let middle = AuditFilter { from: Some(NOW + 100), to: Some(NOW + 300), ..AuditFilter::default() };
        assert_eq!(sequences(&middle, None, 10).await, [3, 2]);
        let never = AuditFilter { from: Some(NOW + 10_000), ..AuditFilter::default() };
        assert!(sequences(&never, None, 10).await.is_empty());
        let copied = store.audit_entries_behind(&decisions, 1, 10).await.unwrap();
        assert_eq!(copied.iter().map(|it| it.sequence).collect::<Vec<_>>(), [3]);
        let actions = store.audit_actions().await.unwrap();
        assert_eq!(actions, ["decision.block", "decision.hold", "decisions.other", "user.create"]);
        assert_eq!(store.audit_entry(2).await.unwrap().action, "user.create");
        assert!(store.audit_entry(5).await.is_err());
    }

    async fn things_are_found_by_a_few_characters(database: &TestDatabase) {
        let store = database.store().await;
        let (registry, alice) = (hosted(&store).await, user(&store, "Alice", &[]).await);
        for name in ["serde", "serde-json", "my_serde", "other%"] {
            publish(&store, &publication(&registry, &alice, name, "1.0.0", NOW)).await;
        }
        let names = |found: Vec<cratekeeper_store::CrateRecord>| {
            let mut names: Vec<String> = found.into_iter().map(|it| it.name).collect();
            names.sort();
            names
        };
        assert_eq!(names(store.crates_beginning("SERDE", 10).await.unwrap()), ["serde", "serde-json"]);
        assert_eq!(names(store.crates_beginning("serde_j", 10).await.unwrap()), ["serde-json"]);
        assert_eq!(names(store.crates_containing("serde", 10).await.unwrap()), ["my_serde"]);
        assert_eq!(names(store.crates_containing("%", 10).await.unwrap()), ["other%"]);
        let checksum = Checksum::of(b"serde@1.0.0").to_string();
        let found = store.versions_with_checksum_beginning(&checksum[..10].to_uppercase(), 5).await.unwrap();
        assert_eq!(found[0].0.name, "serde");
        assert!(store.versions_with_checksum_beginning(&checksum[..7], 5).await.unwrap().is_empty());
        assert!(store.versions_with_checksum_beginning("nothexadecimal", 5).await.unwrap().is_empty());
        assert_eq!(store.registries_of_publisher("aLICE").await.unwrap(), [(registry.id, "Alice".to_owned())]);
        assert_eq!(store.registries_of_publisher("nobody").await.unwrap(), []);
        assert!(store.size().await.unwrap() > 4_096);
        assert_eq!(store.running_jobs(5).await.unwrap(), []);
        assert_eq!(store.oldest_open_job().await.unwrap(), Some(NOW));
    }

    async fn the_text_of_a_policy_stays_what_it_was(database: &TestDatabase) {
        let store = database.store().await;
        let digest = Checksum::of(b"text");
        store.keep_policy(digest, "text", NOW).await.unwrap();
        store.keep_policy(digest, "other", NOW + 1).await.unwrap();
        assert_eq!(store.policy_text(digest).await.unwrap().as_deref(), Some("text"));
        assert_eq!(store.policy_text(Checksum::of(b"other")).await.unwrap(), None);
    }
}
