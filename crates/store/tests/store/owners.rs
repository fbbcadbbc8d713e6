//! Frozen accounts, addresses, mails, and whose reports count.

use cratekeeper_store::{
    Act, DecisionAction, Enforcement, MAIL, MailState, NewDecision, NewMail, NewReport, Registry, ReportKind,
    Reporters, Role, Store, StoreErrorKind, Subject, Transaction, User, VersionId,
};
use sea_orm::ConnectionTrait as _;

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, publication, publish, upstream, user};

async fn act(store: &Store, actor: &str, at: i64) -> Transaction {
    store.act(Act::new(actor, "test", "test", at)).await.unwrap()
}

fn mail(user: &User, address: &str) -> NewMail {
    NewMail {
        user: user.id,
        address: address.to_owned(),
        kind: "held".to_owned(),
        subject: "a \0 subject".to_owned(),
        body: "a \0 text".to_owned(),
        sealed: false,
    }
}

async fn report(store: &Store, version: VersionId, kind: ReportKind, reporter: Option<&str>, address: &str) {
    let (krate, _) = store.version_by_id(version).await.unwrap();
    let mut transaction = act(store, reporter.unwrap_or("(reporter)"), NOW).await;
    let new = NewReport {
        krate: krate.id,
        version: Some(version),
        kind,
        text: "it takes keys away".to_owned(),
        reporter: reporter.map(str::to_owned),
        contact: None,
        address: Some(address.parse().unwrap()),
    };
    transaction.report(&new).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn decide(store: &Store, version: VersionId, action: DecisionAction) {
    let mut transaction = act(store, "tina", NOW + 9).await;
    let decision = NewDecision::new(Subject::Version(version), action, Enforcement::Deny, "because").unwrap();
    transaction.decide(&decision).await.unwrap();
    transaction.commit().await.unwrap();
}

/// A crate that `by` published, reported as malware by some, and decided.
async fn decided(
    store: &Store,
    registry: &Registry,
    by: &(User, cratekeeper_store::Token, String),
    name: &str,
    reporters: &[&str],
    action: DecisionAction,
) {
    let version = publish(store, &publication(registry, by, name, "1.0.0", NOW)).await;
    let mut transaction = act(store, "tina", NOW).await;
    transaction.open_case(version).await.unwrap();
    transaction.commit().await.unwrap();
    for reporter in reporters {
        report(store, version, ReportKind::Malware, Some(reporter), "127.0.0.1").await;
    }
    decide(store, version, action).await;
}

on_both! {
    async fn nothing_of_a_frozen_account_is_accepted(database: &TestDatabase) {
        let store = database.store().await;
        let registry = hosted(&store).await;
        let mallory = user(&store, "Mallory", &[]).await;
        publish(&store, &publication(&registry, &mallory, "thing", "1.0.0", NOW)).await;
        let mut transaction = act(&store, "tina", NOW + 1).await;
        let freeze = transaction.set_frozen("MALLORY", true, "a \0 reason").await.unwrap();
        assert_eq!((freeze.login.as_str(), freeze.actor.as_str()), ("Mallory", "tina"));
        assert_eq!(*transaction.set_frozen("mallory", true, "again").await.unwrap_err().kind(), StoreErrorKind::AlreadyExists);
        transaction.commit().await.unwrap();
        for (name, version) in [("thing", "1.1.0"), ("other", "1.0.0")] {
            let refused = store.publish(&publication(&registry, &mallory, name, version, NOW + 2)).await.unwrap_err();
            assert!(matches!(refused.kind(), StoreErrorKind::Frozen(told) if told.contains("is frozen")), "{refused}");
        }
        let transaction = act(&store, "mallory", NOW + 2).await;
        assert!(transaction.refuse_frozen("mallory").await.is_err());
        assert!(transaction.refuse_frozen("nobody").await.is_ok());
        transaction.roll_back().await.unwrap();

        assert_eq!(store.freezes_unconfirmed().await.unwrap(), 1);
        let mut transaction = act(&store, "TINA", NOW + 3).await;
        assert!(transaction.confirm_freeze(freeze.id).await.unwrap_err().to_string().contains("cannot confirm"));
        transaction.roll_back().await.unwrap();
        let mut transaction = act(&store, "otto", NOW + 3).await;
        assert_eq!(transaction.confirm_freeze(freeze.id).await.unwrap().confirmed, Some(("otto".to_owned(), NOW + 3)));
        assert!(transaction.confirm_freeze(freeze.id).await.is_err(), "once");
        transaction.commit().await.unwrap();
        assert_eq!((store.freezes_unconfirmed().await.unwrap(), store.freezes(10).await.unwrap().len()), (0, 1));

        let mut transaction = act(&store, "otto", NOW + 4).await;
        transaction.set_frozen("mallory", false, "it is theirs").await.unwrap();
        assert_eq!(*transaction.set_frozen("mallory", false, "again").await.unwrap_err().kind(), StoreErrorKind::NotFound);
        transaction.commit().await.unwrap();
        assert_eq!(store.freeze_of(mallory.0.id).await.unwrap(), None);
        publish(&store, &publication(&registry, &mallory, "thing", "1.1.0", NOW + 5)).await;
    }

    async fn an_address_counts_once_it_is_confirmed(database: &TestDatabase) {
        let store = database.store().await;
        let (alice, ..) = user(&store, "alice", &[]).await;
        let mut transaction = act(&store, "alice", NOW).await;
        let wanted = transaction.want_address(alice.id, Some("a@example.invalid")).await.unwrap();
        assert_eq!((wanted.confirmed_address(), wanted.email_wanted.as_deref()), (None, Some("a@example.invalid")));
        let other = transaction.confirm_address(alice.id, "b@example.invalid").await.unwrap_err();
        assert_eq!(*other.kind(), StoreErrorKind::NotFound, "another than the wanted one");
        let confirmed = transaction.confirm_address(alice.id, "a@example.invalid").await.unwrap();
        assert_eq!((confirmed.confirmed_address(), confirmed.email_wanted.as_deref()), (Some("a@example.invalid"), None));
        let wanted = transaction.want_address(alice.id, Some("b@example.invalid")).await.unwrap();
        assert_eq!(wanted.confirmed_address(), Some("a@example.invalid"), "the one before counts until then");
        let none = transaction.want_address(alice.id, None).await.unwrap();
        assert_eq!((none.confirmed_address(), none.email_wanted.as_deref()), (None, None));
    }

    async fn a_mail_waits_is_sent_or_is_given_up(database: &TestDatabase) {
        let store = database.store().await;
        let (alice, ..) = user(&store, "alice", &[]).await;
        let mut transaction = act(&store, "tina", NOW).await;
        let lost = transaction.mail(&mail(&alice, "a@example.invalid")).await.unwrap();
        transaction.roll_back().await.unwrap();
        assert!(store.mail(lost).await.is_err(), "what is taken back tells nobody");
        let mut transaction = act(&store, "tina", NOW).await;
        let first = transaction.mail(&mail(&alice, "a@example.invalid")).await.unwrap();
        let second = transaction.mail(&mail(&alice, "A@example.invalid")).await.unwrap();
        transaction.commit().await.unwrap();

        let claimed = store.claim_jobs("one", &[MAIL], 10, 60, NOW).await.unwrap().leases;
        assert_eq!(claimed.len(), 2);
        store.record_mail(first, MailState::Sent, "", NOW + 1).await.unwrap();
        store.complete_job(&claimed[0]).await.unwrap();
        store.record_mail(first, MailState::GivenUp, "late", NOW + 2).await.unwrap();
        assert_eq!(store.mail(first).await.unwrap().state, MailState::Sent, "what was sent stays so");
        assert_eq!(store.sent_to("A@EXAMPLE.invalid", NOW, 10).await.unwrap(), [NOW + 1]);
        assert!(store.sent_to("a@example.invalid", NOW + 1, 10).await.unwrap().is_empty());

        // Put off, it is not tried before its moment, and has lost no attempt.
        store.postpone_job(&claimed[1], NOW + 100, NOW).await.unwrap();
        assert!(store.claim_jobs("one", &[MAIL], 10, 60, NOW + 99).await.unwrap().leases.is_empty());
        let again = store.claim_jobs("one", &[MAIL], 10, 60, NOW + 100).await.unwrap().leases;
        assert_eq!(again[0].attempt, 1);
        store.record_mail(second, MailState::GivenUp, "nobody lives here \0", NOW + 101).await.unwrap();
        store.complete_job(&again[0]).await.unwrap();
        let counts = store.mail_counts().await.unwrap();
        assert_eq!((counts.waiting, counts.sent, counts.given_up), (0, 1, 1));
        assert_eq!(store.mails(MailState::GivenUp, 10).await.unwrap()[0].id, second);

        let mut transaction = act(&store, "tina", NOW + 102).await;
        assert!(transaction.retry_mail(first).await.is_err(), "it was sent");
        transaction.retry_mail(second).await.unwrap();
        assert!(transaction.retry_mail(second).await.is_err(), "once");
        transaction.commit().await.unwrap();
        assert_eq!(store.claim_jobs("one", &[MAIL], 10, 60, NOW + 103).await.unwrap().leases.len(), 1);
    }

    async fn whoever_was_right_twice_about_others_is_trusted(database: &TestDatabase) {
        let store = database.store().await;
        let registry = hosted(&store).await;
        let (mallory, alice) = (user(&store, "mallory", &[]).await, user(&store, "alice", &[]).await);
        for login in ["right", "once", "often-wrong", "locked-out", "own"] {
            user(&store, login, &[]).await;
        }
        let own = (store.user("own").await.unwrap().unwrap(), mallory.1.clone(), String::new());
        use DecisionAction::{Block, Release};
        decided(&store, &registry, &mallory, "one", &["right", "once", "often-wrong", "locked-out"], Block).await;
        decided(&store, &registry, &mallory, "two", &["right", "often-wrong", "locked-out"], Block).await;
        decided(&store, &registry, &alice, "good", &["often-wrong"], Release).await;
        // Somebody who publishes malware and reports it is not believed the more.
        decided(&store, &registry, &own, "own-one", &["own"], Block).await;
        decided(&store, &registry, &own, "own-two", &["own"], Block).await;

        let version = publish(&store, &publication(&registry, &alice, "thing", "1.0.0", NOW)).await;
        let (krate, _) = store.version_by_id(version).await.unwrap();
        let mut transaction = act(&store, "tina", NOW).await;
        transaction.open_case(version).await.unwrap();
        transaction.commit().await.unwrap();
        for login in ["Right", "once", "often-wrong", "locked-out", "own"] {
            report(&store, version, ReportKind::Malware, Some(login), "127.0.0.1").await;
        }
        for address in ["127.0.0.2", "127.0.0.3"] {
            report(&store, version, ReportKind::Malware, None, address).await;
        }
        report(&store, version, ReportKind::Spam, None, "127.0.0.4").await;
        user(&store, "admin", &[Role::Admin]).await;
        let locked_out = store.user("locked-out").await.unwrap().unwrap();
        let mut transaction = act(&store, "tina", NOW).await;
        transaction.set_disabled(locked_out.id, true).await.unwrap();
        transaction.commit().await.unwrap();
        let counts = store.report_counts(krate.id, version).await.unwrap();
        assert_eq!(counts.malware, Reporters { trusted: 1, known: 3, anonymous: 2 });
        assert_eq!(counts.impersonation, Reporters::default());
        // Who publishes at an upstream under a reporter's login is somebody else, and takes no trust away.
        let elsewhere = upstream(&store).await;
        let moved = format!("UPDATE crates SET registry_id = {} WHERE name IN ('own-one', 'own-two')", elsewhere.id);
        database.raw().await.execute_unprepared(&moved).await.unwrap();
        let counts = store.report_counts(krate.id, version).await.unwrap();
        assert_eq!(counts.malware, Reporters { trusted: 2, known: 2, anonymous: 2 });
        decide(&store, version, Release).await;
        assert_eq!(store.report_counts(krate.id, version).await.unwrap().malware, Reporters::default(), "they were wrong");
    }

    async fn strangers_of_one_network_are_one(database: &TestDatabase) {
        let store = database.store().await;
        let registry = hosted(&store).await;
        let alice = user(&store, "alice", &[]).await;
        let version = publish(&store, &publication(&registry, &alice, "thing", "1.0.0", NOW)).await;
        let (krate, _) = store.version_by_id(version).await.unwrap();
        let said = async |address: &str| {
            let mut transaction = act(&store, "(reporter)", NOW).await;
            let new = NewReport {
                krate: krate.id,
                version: Some(version),
                kind: ReportKind::Malware,
                text: "it takes keys away".to_owned(),
                reporter: None,
                contact: None,
                address: Some(address.parse().unwrap()),
            };
            let result = transaction.report(&new).await;
            transaction.commit().await.unwrap();
            result.is_ok()
        };
        let anonymous = async || store.report_counts(krate.id, version).await.unwrap().malware.anonymous;
        assert!(said("2001:db8:1:2::3").await);
        assert!(!said("2001:db8:1:2:ffff::9").await, "a subscriber has a network of addresses");
        assert!(said("192.0.2.1").await && !said("::ffff:192.0.2.1").await, "it is written in another way");
        assert!(said("2001:db8:1:3::3").await && said("192.0.2.2").await);
        assert_eq!(anonymous().await, 4);
        // What was kept as a whole address.
        let raw = database.raw().await;
        let statement = "UPDATE reports SET address = '2001:db8:1:2::77' WHERE address = '192.0.2.2'";
        raw.execute_unprepared(statement).await.unwrap();
        assert_eq!(anonymous().await, 3);
    }
}
