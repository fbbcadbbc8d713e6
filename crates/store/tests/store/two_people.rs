//! What the console rests on: sessions, second factors, requests that wait for a second person, cases, and what people put up.

use cratekeeper_store::{
    Act, Assignee, CaseFilter, CaseOrder, CaseState, DecisionAction, DecisionFilter, Enforcement,
    LockedAction, NewDecision, NewReport, NewRequest, NewSession, NewUser, Outcome, REQUEST_WAITS,
    ROLES_SETTLE, ReportKind, RequestId, RequestState, Role, SESSION_IDLE, SESSION_LENGTH, SignInMethod,
    State, Store, StoreErrorKind, Subject, Transaction, User, VersionId, WRONG_CODES, WaivedKind,
};
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, inspection, publication, publish, user};

async fn act(store: &Store, actor: &str, at: i64) -> Transaction {
    store.act(Act::new(actor, "test", "test", at)).await.unwrap()
}

async fn person(store: &Store, login: &str, by: &str, at: i64, is_founder: bool) -> User {
    let mut transaction = act(store, by, at).await;
    let new = NewUser { login: login.to_owned(), roles: vec![Role::Admin], is_founder, ..NewUser::default() };
    let user = transaction.create_user(&new).await.unwrap();
    transaction.commit().await.unwrap();
    user
}

async fn ask(store: &Store, by: &str, at: i64) -> RequestId {
    let mut transaction = act(store, by, at).await;
    let new = NewRequest {
        action: "decision.release".to_owned(),
        object: "a@1.0.0".to_owned(),
        change: json!({ "act": "a \0" }),
        preview: json!({ "lines": [] }),
        digest: "0".repeat(64),
        reason: "because".to_owned(),
    };
    let id = transaction.request(&new).await.unwrap();
    transaction.commit().await.unwrap();
    id
}

/// Answers a request; gives why it was refused.
async fn answer(store: &Store, id: RequestId, state: RequestState, by: &str, at: i64) -> Option<String> {
    let mut transaction = act(store, by, at).await;
    match transaction.answer_request(id, state, by, "a test").await {
        Ok(_) => {
            transaction.commit().await.unwrap();
            None
        }
        Err(error) => Some(error.to_string()),
    }
}

async fn a_version(store: &Store, state: State, score: u8) -> VersionId {
    let registry = hosted(store).await;
    let mallory = user(store, "mallory", &[]).await;
    let version = publish(store, &publication(&registry, &mallory, "thing", "1.0.0", NOW)).await;
    store.record_inspection(version, &inspection(state, score, NOW + 1), None).await.unwrap();
    version
}

async fn decide(
    store: &Store,
    by: &str,
    subject: Subject,
    action: DecisionAction,
    at: i64,
) -> cratekeeper_store::DecisionId {
    let mut transaction = act(store, by, at).await;
    let decision = NewDecision::new(subject, action, Enforcement::Deny, "because").unwrap();
    let (id, _) = transaction.decide(&decision).await.unwrap();
    transaction.commit().await.unwrap();
    id
}

on_both! {
    async fn an_account_whose_keys_were_given_out_agrees_to_nothing_of_whoever_has_them(database: &TestDatabase) {
        let store = database.store().await;
        person(&store, "first", "(set-up)", NOW, true).await;
        person(&store, "second", "first", NOW, true).await;
        let hired = person(&store, "hired", "first", NOW + 10_000, false).await;
        let mut transaction = act(&store, "second", NOW + 10_000).await;
        transaction.note_keys(hired.id, "second").await.unwrap();
        transaction.commit().await.unwrap();
        let late = NOW + 10_000 + ROLES_SETTLE;
        let id = ask(&store, "second", late).await;
        let refused = answer(&store, id, RequestState::Done, "hired", late).await.unwrap();
        assert!(refused.contains("given to whoever asks"), "{refused}");
        let id = ask(&store, "first", late).await;
        assert_eq!(answer(&store, id, RequestState::Done, "hired", late).await, None);
        // A founder's roles of years later are no founder's.
        let roleless = NewUser { login: "quiet".to_owned(), is_founder: true, ..NewUser::default() };
        let mut transaction = act(&store, "first", NOW).await;
        let quiet = transaction.create_user(&roleless).await.unwrap();
        transaction.commit().await.unwrap();
        let mut transaction = act(&store, "first", late).await;
        transaction.set_roles(quiet.id, &[Role::Admin]).await.unwrap();
        transaction.commit().await.unwrap();
        let id = ask(&store, "second", late).await;
        let refused = answer(&store, id, RequestState::Done, "quiet", late + 1).await.unwrap();
        assert!(refused.contains("within the last day"), "{refused}");
        // Nor does a new one confirm.
        let version = a_version(&store, State::Released, 10).await;
        let decision = decide(&store, "first", Subject::Version(version), DecisionAction::Hold, late).await;
        let mut transaction = act(&store, "quiet", late + 1).await;
        let refused = transaction.confirm_decision(decision).await.unwrap_err().to_string();
        assert!(refused.contains("within the last day"), "{refused}");
        drop(transaction);
        let mut transaction = act(&store, "second", late + 1).await;
        transaction.confirm_decision(decision).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn a_release_that_is_outgrown_is_looked_at_again(database: &TestDatabase) {
        let store = database.store().await;
        let version = a_version(&store, State::Released, 10).await;
        decide(&store, "first", Subject::Version(version), DecisionAction::Release, NOW + 2).await;
        assert!(store.case_of(version).await.unwrap().is_none_or(|it| it.state == CaseState::Closed));
        store.record_inspection(version, &inspection(State::Blocked, 90, NOW + 3), None).await.unwrap();
        let case = store.case_of(version).await.unwrap().unwrap();
        assert_eq!(case.state, CaseState::Open, "it stays released, and somebody looks");
    }

    async fn a_second_person_is_somebody_else_who_has_been_one_for_a_day(database: &TestDatabase) {
        let store = database.store().await;
        person(&store, "First", "(set-up)", NOW, true).await;
        person(&store, "second", "First", NOW, true).await;
        person(&store, "hired", "First", NOW + 10_000, false).await;
        let late = NOW + 10_000 + ROLES_SETTLE;

        let id = ask(&store, "First", NOW + 20_000).await;
        let refused = answer(&store, id, RequestState::Done, "FIRST", NOW + 20_001).await.unwrap();
        assert!(refused.contains("whoever asks"), "{refused}");
        let refused = answer(&store, id, RequestState::Done, "hired", NOW + 20_001).await.unwrap();
        assert!(refused.contains("within the last day"), "{refused}");
        assert!(answer(&store, id, RequestState::Withdrawn, "second", NOW + 20_001).await.is_some());
        assert_eq!(answer(&store, id, RequestState::Done, "hired", late).await, None);
        let again = answer(&store, id, RequestState::Done, "second", late).await.unwrap();
        assert!(again.contains("it is done already"), "{again}");

        let id = ask(&store, "hired", late).await;
        let refused = answer(&store, id, RequestState::Done, "First", late).await.unwrap();
        assert!(refused.contains("whoever made the account"), "{refused}");
        assert_eq!(answer(&store, id, RequestState::Refused, "First", late).await, None, "to refuse is always possible");
        let id = ask(&store, "hired", late).await;
        assert_eq!(answer(&store, id, RequestState::Done, "second", late).await, None, "a founder agrees at once");

        let id = ask(&store, "First", late).await;
        assert_eq!(store.requests_waiting(late).await.unwrap(), 1);
        let refused = answer(&store, id, RequestState::Done, "second", late + REQUEST_WAITS).await.unwrap();
        assert!(refused.contains("in time"), "{refused}");
        assert_eq!(store.requests_waiting(late + REQUEST_WAITS).await.unwrap(), 0);
        assert_eq!(answer(&store, id, RequestState::Withdrawn, "First", late).await, None);
        let states: Vec<RequestState> =
            store.requests(None, None, 10).await.unwrap().into_iter().map(|it| it.state).collect();
        assert_eq!(states, [RequestState::Withdrawn, RequestState::Done, RequestState::Refused, RequestState::Done]);
    }

    async fn whoever_is_locked_out_gets_nothing_that_they_asked_for(database: &TestDatabase) {
        let store = database.store().await;
        let first = person(&store, "first", "(set-up)", NOW, true).await;
        person(&store, "second", "first", NOW, true).await;
        let id = ask(&store, "first", NOW).await;
        let mut transaction = act(&store, "second", NOW).await;
        transaction.set_disabled(first.id, true).await.unwrap();
        transaction.commit().await.unwrap();
        let refused = answer(&store, id, RequestState::Done, "second", NOW + 1).await.unwrap();
        assert!(refused.contains("disabled"), "{refused}");
    }

    async fn a_session_ends_by_itself_and_by_hand(database: &TestDatabase) {
        let store = database.store().await;
        let alice = person(&store, "alice", "(set-up)", NOW, true).await;
        let new = NewSession {
            user: alice.id,
            method: SignInMethod::SecondFactor,
            address: Some("127.0.0.1".to_owned()),
            client: Some("a \0 browser".to_owned()),
            proved_at: None,
        };
        let mut transaction = act(&store, "alice", NOW).await;
        let (session, text) = transaction.create_session(&new).await.unwrap();
        let (other, other_text) = transaction.create_session(&new).await.unwrap();
        transaction.commit().await.unwrap();
        assert_ne!(text.expose(), other_text.expose());
        let (found, owner) = store.session(text.expose(), NOW + 5).await.unwrap().unwrap();
        assert_eq!((found.id, owner.login.as_str()), (session.id, "alice"));
        assert!(store.session("", NOW).await.unwrap().is_none());
        let mut at = NOW;
        while at < NOW + SESSION_LENGTH - SESSION_IDLE {
            at += SESSION_IDLE - 1;
            let (found, _) = store.session(text.expose(), at).await.unwrap().unwrap();
            store.note_session_use(&found, at).await.unwrap();
        }
        assert!(store.session(text.expose(), NOW + SESSION_LENGTH).await.unwrap().is_none(), "a day is over");
        assert!(store.session(other_text.expose(), NOW + SESSION_IDLE + 61).await.unwrap().is_none(), "it was idle");
        let mut transaction = act(&store, "alice", NOW + 9).await;
        transaction.end_session(other.id).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.session(other_text.expose(), NOW + 10).await.unwrap().is_none());
        assert!(store.session(text.expose(), NOW + 10).await.unwrap().is_some(), "the other one is another one");
        let mut transaction = act(&store, "alice", NOW + 10).await;
        assert_eq!(transaction.end_sessions_of(alice.id).await.unwrap(), 1);
        transaction.commit().await.unwrap();
        assert!(store.session(text.expose(), NOW + 11).await.unwrap().is_none());
    }

    async fn a_list_of_requests_reads_no_whole_acts(database: &TestDatabase) {
        let store = database.store().await;
        person(&store, "first", "(set-up)", NOW, true).await;
        let id = ask(&store, "first", NOW).await;
        assert_eq!(store.request(id).await.unwrap().requester, "first");
        // What is no JSON cannot be read: whoever lists requests does not try.
        let raw = database.raw().await;
        let statement = "UPDATE requests SET change_json = 'no JSON', preview_json = 'no JSON'";
        raw.execute_unprepared(statement).await.unwrap();
        let waiting = store.requests(Some(RequestState::Waiting), None, 10).await.unwrap();
        assert_eq!((waiting.len(), waiting[0].id, waiting[0].requester.as_str()), (1, id, "first"));
        assert!(store.request(id).await.is_err());
        raw.execute_unprepared("UPDATE requests SET state = 'withdrawn'").await.unwrap();
        assert_eq!(store.answered_requests(10).await.unwrap()[0].state, RequestState::Withdrawn);
    }

    async fn a_code_counts_once(database: &TestDatabase) {
        let store = database.store().await;
        let alice = person(&store, "alice", "(set-up)", NOW, true).await;
        let bob = person(&store, "bob", "alice", NOW, true).await;
        let mut transaction = act(&store, "alice", NOW).await;
        transaction.set_second_factor(alice.id, Some("sealed")).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.second_factor(alice.id).await.unwrap().unwrap().confirmed_at, None);
        let mut transaction = act(&store, "alice", NOW + 1).await;
        assert!(transaction.use_code(alice.id, 100).await.unwrap());
        for step in [100, 99] {
            assert!(!transaction.use_code(alice.id, step).await.unwrap(), "{step} is over");
        }
        assert!(transaction.use_code(alice.id, 101).await.unwrap());
        assert!(!transaction.use_code(bob.id, 101).await.unwrap(), "he has no factor");
        let codes = transaction.replace_recovery_codes(alice.id, 2).await.unwrap();
        transaction.commit().await.unwrap();
        let factor = store.second_factor(alice.id).await.unwrap().unwrap();
        assert_eq!((factor.confirmed_at, factor.last_step), (Some(NOW + 1), 101));

        let mut transaction = act(&store, "alice", NOW + 2).await;
        let code = codes[0].expose();
        assert!(!transaction.use_recovery_code(bob.id, code).await.unwrap(), "it is hers");
        assert!(transaction.use_recovery_code(alice.id, &code.to_uppercase().replace('-', " ")).await.unwrap());
        assert!(!transaction.use_recovery_code(alice.id, code).await.unwrap());
        transaction.commit().await.unwrap();
        assert_eq!(store.recovery_codes_left(alice.id).await.unwrap(), 1);
        let mut transaction = act(&store, "alice", NOW + 3).await;
        transaction.set_second_factor(alice.id, None).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.second_factor(alice.id).await.unwrap().is_none());
        assert_eq!(store.recovery_codes_left(alice.id).await.unwrap(), 0, "they went with it");
    }

    async fn wrong_codes_in_a_row_have_whoever_tries_wait_longer_and_longer(database: &TestDatabase) {
        let store = database.store().await;
        let alice = person(&store, "alice", "(set-up)", NOW, true).await;
        let mut transaction = act(&store, "alice", NOW).await;
        transaction.set_second_factor(alice.id, Some("sealed")).await.unwrap();
        assert!(transaction.use_code(alice.id, 1).await.unwrap());
        let codes = transaction.replace_recovery_codes(alice.id, 2).await.unwrap();
        transaction.commit().await.unwrap();
        let wrong = async |at: i64| {
            let mut transaction = act(&store, "(gate)", at).await;
            transaction.note_wrong_code(alice.id).await.unwrap();
            transaction.commit().await.unwrap();
            // Another process, or the same after a restart, knows it.
            database.store().await.second_factor(alice.id).await.unwrap().unwrap()
        };
        let right = async |at: i64, step: i64| {
            let mut transaction = act(&store, "alice", at).await;
            let counts = transaction.use_code(alice.id, step).await.unwrap();
            transaction.commit().await.unwrap();
            counts
        };
        let mut at = NOW + 1;
        for _ in 0..4 {
            assert_eq!(wrong(at).await.waits_until(), None, "some are mistyped");
        }
        assert_eq!(wrong(at).await.waits_until(), Some(at + 30));
        assert_eq!(wrong(at + 29).await.wrong_codes, 5, "nobody looked at it, so it counts nothing");
        assert!(!right(at + 29, 2).await && right(at + 30, 2).await);
        assert_eq!(wrong(at + 31).await.wrong_codes, 1, "a right one has them forgotten");

        let mut waits = Vec::new();
        while let Some(factor) = Some(wrong(at).await).filter(|it| it.waits_until() != Some(i64::MAX)) {
            waits.extend(factor.waits_until().map(|it| it - at));
            at = factor.waits_until().unwrap_or(at);
        }
        assert_eq!(&waits[..9], [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        let factor = store.second_factor(alice.id).await.unwrap().unwrap();
        assert_eq!(factor.wrong_codes, WRONG_CODES);
        assert!(!right(at + 10 * 86_400, 3).await, "it counts nothing any more");
        let mut transaction = act(&store, "alice", at).await;
        assert!(transaction.use_recovery_code(alice.id, codes[0].expose()).await.unwrap());
        transaction.commit().await.unwrap();
        assert!(right(at, 3).await, "whoever has a recovery code comes in again");
    }

    async fn a_case_follows_what_is_found_and_decided(database: &TestDatabase) {
        let store = database.store().await;
        let version = a_version(&store, State::Held, 70).await;
        let open = CaseFilter { state: Some(CaseState::Open), ..CaseFilter::default() };
        let cases = store.cases(&open, CaseOrder::WorstFirst, None, 10).await.unwrap();
        assert_eq!((cases.len(), cases[0].case.score, cases[0].of_publisher), (1, Some(70), 1));
        let case = cases[0].case.id;
        let mut transaction = act(&store, "tina", NOW + 2).await;
        transaction.assign_case(case, &Assignee::Login("tina".to_owned())).await.unwrap();
        transaction.comment(case, "a \0 comment").await.unwrap();
        assert!(transaction.comment(case, " ").await.is_err());
        transaction.commit().await.unwrap();
        let mine = CaseFilter { assignee: Some(Assignee::Login("tina".to_owned())), name: Some("THI".to_owned()), ..open.clone() };
        assert_eq!(store.count_cases(&mine).await.unwrap(), 1);
        assert_eq!(store.count_cases(&CaseFilter { name: Some("thj".to_owned()), ..open.clone() }).await.unwrap(), 0);
        assert_eq!(store.comments(case, 10).await.unwrap()[0].author, "tina");

        let blocked = decide(&store, "tina", Subject::Version(version), DecisionAction::Block, NOW + 3).await;
        let closed = store.case(case).await.unwrap();
        assert_eq!((closed.state, closed.outcome), (CaseState::Closed, Some(Outcome::Malicious)));
        let mut transaction = act(&store, "tina", NOW + 4).await;
        transaction.undo_decision(blocked, "a mistake").await.unwrap();
        transaction.commit().await.unwrap();
        let again = store.case(case).await.unwrap();
        assert_eq!((again.state, again.outcome), (CaseState::Open, None));
        decide(&store, "tina", Subject::Version(version), DecisionAction::Release, NOW + 5).await;
        store.record_inspection(version, &inspection(State::Held, 90, NOW + 6), None).await.unwrap();
        let closed = store.case(case).await.unwrap();
        assert_eq!((closed.state, closed.outcome), (CaseState::Closed, Some(Outcome::Harmless)), "a person's word stands");
    }

    async fn a_case_without_a_decision_ends_when_nothing_is_found_any_more(database: &TestDatabase) {
        let store = database.store().await;
        let version = a_version(&store, State::Held, 70).await;
        store.record_inspection(version, &inspection(State::Released, 0, NOW + 2), None).await.unwrap();
        let case = store.case_of(version).await.unwrap().unwrap();
        assert_eq!((case.state, case.outcome), (CaseState::Closed, None));
        store.record_inspection(version, &inspection(State::Held, 65, NOW + 3), None).await.unwrap();
        assert_eq!(store.case(case.id).await.unwrap().state, CaseState::Open, "more is known now");
    }

    async fn what_contains_is_confirmed_by_somebody_else(database: &TestDatabase) {
        let store = database.store().await;
        let version = a_version(&store, State::Released, 0).await;
        let held = decide(&store, "tina", Subject::Version(version), DecisionAction::Hold, NOW + 2).await;
        let released = decide(&store, "tina", Subject::Version(version), DecisionAction::Release, NOW + 3).await;
        assert_eq!(store.decisions_unconfirmed().await.unwrap(), 1, "a release was agreed to before");
        let mut transaction = act(&store, "TINA", NOW + 4).await;
        assert!(transaction.confirm_decision(held).await.unwrap_err().to_string().contains("whoever took"));
        drop(transaction);
        let mut transaction = act(&store, "otto", NOW + 4).await;
        assert!(transaction.confirm_decision(released).await.is_err());
        let confirmed = transaction.confirm_decision(held).await.unwrap();
        assert_eq!(confirmed.confirmed, Some(("otto".to_owned(), NOW + 4)));
        assert!(transaction.confirm_decision(held).await.is_err(), "once");
        transaction.commit().await.unwrap();
        let filter = DecisionFilter { unconfirmed_only: true, ..DecisionFilter::default() };
        assert!(store.decisions(&filter, None, 10).await.unwrap().is_empty());
    }

    async fn locks_names_and_waivers_begin_and_end(database: &TestDatabase) {
        let store = database.store().await;
        let version = a_version(&store, State::Held, 70).await;
        let (krate, _) = store.version_by_id(version).await.unwrap();
        let mut transaction = act(&store, "tina", NOW + 2).await;
        transaction.set_lock(krate.id, LockedAction::Publish, true, "a \0 reason").await.unwrap();
        let twice = transaction.set_lock(krate.id, LockedAction::Publish, true, "again").await.unwrap_err();
        assert_eq!(*twice.kind(), StoreErrorKind::AlreadyExists);
        transaction.keep_name("Other-Thing", Some("Alice"), "it is hers").await.unwrap();
        let waiver = transaction.waive(krate.id, Some(version), (WaivedKind::Rule, "network-access"), "ours", NOW + 100).await.unwrap();
        transaction.commit().await.unwrap();
        let locks = store.locks(krate.id).await.unwrap();
        assert_eq!((locks.len(), locks[0].action), (1, LockedAction::Publish));
        assert_eq!(store.kept_name("other_thing").await.unwrap().unwrap().login.as_deref(), Some("Alice"));
        assert_eq!(store.kept_names("", 10).await.unwrap().len(), 1);
        let waivers = store.waivers_of(krate.id, version, NOW + 99).await.unwrap();
        assert_eq!((waivers[0].id, waivers[0].kind, waivers[0].what.as_str()), (waiver, WaivedKind::Rule, "network-access"));
        let open = store.open_waivers(10).await.unwrap();
        assert_eq!((open[0].0.id, open[0].1.id), (krate.id, waiver));
        assert!(store.waivers_of(krate.id, version, NOW + 100).await.unwrap().is_empty(), "it has expired");
        assert_eq!(store.expired_waivers(NOW + 100, 10).await.unwrap().len(), 1);
        let mut transaction = act(&store, "tina", NOW + 101).await;
        assert_eq!(transaction.versions_waived(krate.id, None).await.unwrap(), [version]);
        transaction.end_waiver(waiver).await.unwrap();
        assert!(transaction.end_waiver(waiver).await.is_err());
        transaction.set_lock(krate.id, LockedAction::Publish, false, "over").await.unwrap();
        transaction.free_name("OTHER-THING").await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.locks(krate.id).await.unwrap().is_empty());
        assert!(store.kept_name("other-thing").await.unwrap().is_none());
        assert!(store.expired_waivers(NOW + 1_000, 10).await.unwrap().is_empty());
    }

    async fn a_reporters_word_is_worth_what_it_turned_out_to_be(database: &TestDatabase) {
        let store = database.store().await;
        let version = a_version(&store, State::Released, 0).await;
        let (krate, _) = store.version_by_id(version).await.unwrap();
        let report = NewReport {
            krate: krate.id,
            version: Some(version),
            kind: ReportKind::Malware,
            text: "it reads \0 keys".to_owned(),
            reporter: Some("Rita".to_owned()),
            contact: None,
            address: Some("127.0.0.1".parse().unwrap()),
        };
        let mut transaction = act(&store, "Rita", NOW + 2).await;
        transaction.report(&report).await.unwrap();
        let twice = transaction.report(&report).await.unwrap_err();
        assert_eq!(*twice.kind(), StoreErrorKind::AlreadyExists);
        assert!(transaction.report(&NewReport { text: " ".to_owned(), reporter: None, ..report.clone() }).await.is_err());
        let case = transaction.open_case(version).await.unwrap();
        transaction.draft_advisory(case, "one").await.unwrap();
        transaction.draft_advisory(case, "two").await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.advisory_draft(case).await.unwrap().unwrap().text, "two");
        assert_eq!(store.reputation("rita").await.unwrap().confirmed, 0);
        decide(&store, "tina", Subject::Version(version), DecisionAction::Block, NOW + 3).await;
        assert_eq!(store.reputation("RITA").await.unwrap().confirmed, 1);
        assert_eq!(store.reports_of(krate.id, 10).await.unwrap().len(), 1);
    }
}
