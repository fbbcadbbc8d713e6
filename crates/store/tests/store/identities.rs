//! Who accounts are at identity providers.

use cratekeeper_store::{Act, Role, SUBJECT_BYTES, StoreErrorKind};

use crate::databases::on_both;
use crate::fixtures::{NOW, user};

const ISSUER: &str = "https://id.example.invalid";

on_both! {
    async fn an_identity_leads_to_one_account(database: &TestDatabase) {
        let store = database.store().await;
        let (alice, _, _) = user(&store, "alice", &[Role::Admin]).await;
        let (bob, _, _) = user(&store, "bob", &[]).await;
        let begin = async || store.act(Act::new("alice", "test", "test", NOW)).await.unwrap();
        let mut transaction = begin().await;
        let linked = transaction.link_identity(alice.id, ISSUER, "Subject").await.unwrap();
        transaction.commit().await.unwrap();
        let (found, owner) = store.identity(ISSUER, "Subject").await.unwrap().unwrap();
        assert_eq!((found.id, owner.id), (linked.id, alice.id));
        // Nothing that is only like it.
        for (issuer, subject) in [
            (ISSUER, "subject"),
            (ISSUER, "Subject "),
            (ISSUER, "Subject\0"),
            (ISSUER, ""),
            ("https://id.example.invalid/", "Subject"),
            ("https://ID.example.invalid", "Subject"),
        ] {
            assert!(store.identity(issuer, subject).await.unwrap().is_none(), "{issuer} {subject}");
        }
        let mut transaction = begin().await;
        let taken = transaction.link_identity(bob.id, ISSUER, "Subject").await.unwrap_err();
        assert_eq!(*taken.kind(), StoreErrorKind::AlreadyExists);
        transaction.roll_back().await.unwrap();
        let long = "x".repeat(SUBJECT_BYTES + 1);
        for odd in ["", "a\0b", "a\nb", "\u{202e}", long.as_str()] {
            let mut transaction = begin().await;
            assert!(transaction.link_identity(bob.id, ISSUER, odd).await.is_err(), "{odd}");
            transaction.roll_back().await.unwrap();
        }
    }

    async fn the_last_way_to_sign_in_stays(database: &TestDatabase) {
        let store = database.store().await;
        let (alice, _, _) = user(&store, "alice", &[Role::Admin]).await;
        let (bob, _, _) = user(&store, "bob", &[]).await;
        let begin = async || store.act(Act::new("alice", "test", "test", NOW)).await.unwrap();
        let mut transaction = begin().await;
        transaction.set_password_hash(alice.id, None).await.unwrap();
        let one = transaction.link_identity(alice.id, ISSUER, "one").await.unwrap();
        let two = transaction.link_identity(alice.id, ISSUER, "two").await.unwrap();
        transaction.note_identity_use(two.id).await.unwrap();
        transaction.commit().await.unwrap();
        let mut transaction = begin().await;
        let of_another = transaction.unlink_identity(bob.id, one.id).await.unwrap_err();
        assert_eq!(*of_another.kind(), StoreErrorKind::NotFound);
        transaction.unlink_identity(alice.id, one.id).await.unwrap();
        let last = transaction.unlink_identity(alice.id, two.id).await.unwrap_err();
        assert!(matches!(last.kind(), StoreErrorKind::Refused(_)), "{last}");
        transaction.commit().await.unwrap();
        let left = store.identities_of(alice.id).await.unwrap();
        assert_eq!(left.iter().map(|it| (it.id, it.last_used_at)).collect::<Vec<_>>(), [(two.id, Some(NOW))]);
        let mut transaction = begin().await;
        transaction.set_password_hash(alice.id, Some("$argon2id$x")).await.unwrap();
        transaction.unlink_identity(alice.id, two.id).await.unwrap();
        assert!(transaction.note_identity_use(two.id).await.is_err(), "nobody signs in by it any more");
        assert_eq!(transaction.unlink_identities_of(alice.id).await.unwrap(), 0);
        transaction.commit().await.unwrap();
        assert!(store.identity(ISSUER, "two").await.unwrap().is_none());
    }

    async fn a_way_back_counts_once(database: &TestDatabase) {
        let store = database.store().await;
        assert!(store.use_return("a", NOW, NOW + 10).await.unwrap());
        assert!(!store.use_return("a", NOW + 9, NOW + 10).await.unwrap());
        assert!(!store.use_return("b", NOW + 10, NOW + 10).await.unwrap(), "it is too old");
        assert!(store.use_return("c", NOW, NOW + 10).await.unwrap());
        let at_once = futures(&store).await;
        assert_eq!(at_once.iter().filter(|it| **it).count(), 1, "{at_once:?}");
    }
}

/// The same way back, eight times at once.
async fn futures(store: &cratekeeper_store::Store) -> Vec<bool> {
    let tries = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.use_return("d", NOW, NOW + 10).await.unwrap() })
    });
    let mut results = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        results.push(one.await.unwrap());
    }
    results
}
