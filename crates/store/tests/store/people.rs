//! Users, tokens, one-time secrets, owners and invitations.

use cratekeeper_model::PublishMethod;
use cratekeeper_store::{
    Act, By, EventKind, NewToken, NewUser, Role, Scope, Store, StoreErrorKind, Transaction,
};

use crate::databases::on_both;
use crate::fixtures::{NOW, hosted, publication, publish, user};

async fn act(store: &Store, actor: &str, at: i64) -> Transaction {
    store.act(Act::new(actor, "test", "test", at)).await.unwrap()
}

fn by(login: &str) -> By<'_> {
    By { login: Some(login), token: None }
}

on_both! {
    async fn a_token_is_worth_something_until_it_is_not(database: &TestDatabase) {
        let store = database.store().await;
        let (alice, _, text) = user(&store, "Alice", &[Role::Admin]).await;
        let (token, owner) = store.authenticate(&text, NOW).await.unwrap().unwrap();
        assert_eq!((owner.login.as_str(), owner.roles.as_slice()), ("Alice", &[Role::Admin][..]));
        assert!(token.allows(Scope::Yank, "anything"));
        for wrong in ["", "x", &text[..text.len() - 1], &text.to_uppercase(), &format!("{text}0")] {
            assert!(store.authenticate(wrong, NOW).await.unwrap().is_none(), "{wrong}");
        }

        let mut transaction = act(&store, "alice", NOW).await;
        let new = NewToken {
            user: alice.id,
            name: "ci".to_owned(),
            method: PublishMethod::TrustedPublishing,
            scopes: vec![Scope::PublishUpdate],
            patterns: vec!["demo-*".to_owned()],
            expires_at: Some(NOW + 60),
        };
        let (short, short_text) = transaction.create_token(&new).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(short.allows(Scope::PublishUpdate, "Demo_one") && !short.allows(Scope::PublishUpdate, "demo"));
        assert!(!short.has(Scope::Yank));
        assert!(store.authenticate(short_text.expose(), NOW + 59).await.unwrap().is_some());
        assert!(store.authenticate(short_text.expose(), NOW + 60).await.unwrap().is_none(), "it expired");

        let mut transaction = act(&store, "alice", NOW + 1).await;
        transaction.revoke_token(token.id).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.authenticate(&text, NOW + 2).await.unwrap().is_none(), "it was revoked");
    }

    async fn a_disabled_account_takes_its_tokens_along(database: &TestDatabase) {
        let store = database.store().await;
        user(&store, "admin", &[Role::Admin]).await;
        let (bob, _, text) = user(&store, "bob", &[]).await;
        let mut transaction = act(&store, "admin", NOW).await;
        transaction.set_password_hash(bob.id, Some("$argon2id$…")).await.unwrap();
        transaction.set_disabled(bob.id, true).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.authenticate(&text, NOW).await.unwrap().is_none());
        assert_eq!(store.password_hash("bob").await.unwrap(), None);
        let mut transaction = act(&store, "admin", NOW).await;
        transaction.set_disabled(bob.id, false).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.password_hash("BOB").await.unwrap().as_deref(), Some("$argon2id$…"));
    }

    async fn a_use_of_a_token_is_noted_once_a_minute(database: &TestDatabase) {
        let store = database.store().await;
        let (_, token, text) = user(&store, "alice", &[]).await;
        store.note_token_use(&token, NOW + 10).await.unwrap();
        let (used, _) = store.authenticate(&text, NOW + 11).await.unwrap().unwrap();
        assert_eq!(used.last_used_at, Some(NOW + 10));
        store.note_token_use(&used, NOW + 69).await.unwrap();
        assert_eq!(store.tokens(token.user).await.unwrap()[0].last_used_at, Some(NOW + 10));
        store.note_token_use(&used, NOW + 70).await.unwrap();
        assert_eq!(store.tokens(token.user).await.unwrap()[0].last_used_at, Some(NOW + 70));
    }

    async fn nothing_that_is_secret_is_stored(database: &TestDatabase) {
        use sea_orm::{ConnectionTrait, Statement};
        let store = database.store().await;
        let (.., text) = user(&store, "alice", &[]).await;
        let raw = database.raw().await;
        let query = Statement::from_string(raw.get_database_backend(), "SELECT hash FROM tokens");
        let hash: String = raw.query_one_raw(query).await.unwrap().unwrap().try_get("", "hash").unwrap();
        assert!(!hash.is_empty() && !text.contains(&hash) && !hash.contains(&text));
    }

    async fn a_login_is_one_whatever_its_case(database: &TestDatabase) {
        let store = database.store().await;
        user(&store, "Alice", &[]).await;
        assert_eq!(store.user("aLICE").await.unwrap().unwrap().login, "Alice");
        for (login, taken) in [("ALICE", true), ("", false), ("a b", false), ("(inspection)", false), ("a\0b", false)] {
            let mut transaction = act(&store, "admin", NOW).await;
            let new = NewUser { login: login.to_owned(), ..NewUser::default() };
            let error = transaction.create_user(&new).await.unwrap_err();
            assert_eq!(*error.kind() == StoreErrorKind::AlreadyExists, taken, "{login}: {error}");
        }
        assert_eq!(store.users(None, 10).await.unwrap().len(), 1);
    }

    async fn somebody_stays_admin(database: &TestDatabase) {
        let store = database.store().await;
        let (admin, ..) = user(&store, "admin", &[Role::Admin, Role::Viewer]).await;
        let mut transaction = act(&store, "admin", NOW).await;
        assert!(transaction.set_roles(admin.id, &[Role::Viewer]).await.is_err());
        transaction.roll_back().await.unwrap();
        let (second, ..) = user(&store, "second", &[Role::Admin]).await;
        let mut transaction = act(&store, "admin", NOW).await;
        transaction.set_roles(admin.id, &[Role::Viewer]).await.unwrap();
        assert!(transaction.set_disabled(second.id, true).await.is_err());
        transaction.roll_back().await.unwrap();
        assert!(store.user("admin").await.unwrap().unwrap().is(Role::Admin), "it was rolled back");
    }

    async fn a_one_time_secret_is_used_once_in_time_and_for_its_purpose(database: &TestDatabase) {
        let store = database.store().await;
        let mut transaction = act(&store, "(start)", NOW).await;
        let secret = transaction.create_one_time_secret("set-up", 1_800).await.unwrap();
        let late = transaction.create_one_time_secret("set-up", 1_800).await.unwrap();
        transaction.commit().await.unwrap();
        let uses = [
            ("reset", secret.expose(), NOW + 1, false),
            ("set-up", "guess", NOW + 1, false),
            ("set-up", late.expose(), NOW + 1_800, false),
            ("set-up", secret.expose(), NOW + 1_799, true),
            ("set-up", secret.expose(), NOW + 1_799, false),
        ];
        for (purpose, text, at, works) in uses {
            let mut transaction = act(&store, "(set-up)", at).await;
            assert_eq!(transaction.use_one_time_secret(purpose, text).await.is_ok(), works, "{purpose} {at}");
            transaction.commit().await.unwrap();
        }
    }

    async fn a_one_time_secret_works_for_one_of_many(database: &TestDatabase) {
        let store = database.store().await;
        let mut transaction = act(&store, "(start)", NOW).await;
        let secret = transaction.create_one_time_secret("set-up", 60).await.unwrap();
        transaction.commit().await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (store, secret) = (store.clone(), secret.clone());
                tokio::spawn(async move {
                    let mut transaction = act(&store, "(set-up)", NOW).await;
                    let used = transaction.use_one_time_secret("set-up", secret.expose()).await;
                    transaction.commit().await.unwrap();
                    used.is_ok()
                })
            })
            .collect();
        let mut used = 0;
        for task in tasks {
            used += usize::from(task.await.unwrap());
        }
        assert_eq!(used, 1);
    }

    async fn owners_come_by_invitation_and_the_last_one_stays(database: &TestDatabase) {
        let store = database.store().await;
        let registry = hosted(&store).await;
        let alice = user(&store, "alice", &[]).await;
        publish(&store, &publication(&registry, &alice, "demo", "1.0.0", NOW)).await;
        let krate = store.krate(registry.id, "demo").await.unwrap().unwrap().id;

        let mut transaction = act(&store, "alice", NOW + 1).await;
        assert!(transaction.remove_owner(krate, "alice", by("alice")).await.is_err(), "she is the last");
        let first = transaction.invite_owner(krate, "Bob", NOW + 100, by("alice")).await.unwrap();
        let invitation = transaction.invite_owner(krate, "bob", NOW + 100, by("alice")).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.invitations_of("bob", NOW + 2).await.unwrap().len(), 1, "the second replaced the first");
        assert!(store.invitations_of("bob", NOW + 100).await.unwrap().is_empty(), "it is too old");
        assert_eq!(store.invitations_to(krate, NOW + 2).await.unwrap()[0].login, "bob");

        let mut transaction = act(&store, "bob", NOW + 3).await;
        assert!(transaction.answer_invitation(first, by("bob"), true).await.is_err(), "it was replaced");
        assert!(transaction.answer_invitation(invitation, by("mallory"), true).await.is_err(), "it is not hers");
        transaction.answer_invitation(invitation, by("bob"), true).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.is_owner(krate, "BOB").await.unwrap());
        assert_eq!(store.crates_owned_by(registry.id, "bob", None, 9).await.unwrap().len(), 1);

        let mut transaction = act(&store, "bob", NOW + 4).await;
        transaction.remove_owner(krate, "alice", by("bob")).await.unwrap();
        transaction.commit().await.unwrap();
        let owners: Vec<String> = store.owners(krate).await.unwrap().into_iter().map(|it| it.login).collect();
        assert_eq!(owners, ["bob"]);
        let events: Vec<_> = store.events_of(krate).await.unwrap().into_iter().map(|it| (it.kind, it.subject)).collect();
        let bob = || Some("bob".to_owned());
        assert_eq!(events, [
            (EventKind::Publish, None),
            (EventKind::OwnerInvited, Some("Bob".to_owned())),
            (EventKind::OwnerInvited, bob()),
            (EventKind::OwnerAdded, bob()),
            (EventKind::OwnerRemoved, Some("alice".to_owned())),
        ]);
        let again = publication(&registry, &alice, "demo", "1.0.1", NOW + 5);
        assert!(matches!(store.publish(&again).await.unwrap_err().kind(), StoreErrorKind::NotOwner { .. }));
    }
}
