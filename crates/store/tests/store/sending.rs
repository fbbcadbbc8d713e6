//! Whoever serves requests awaits these futures on any thread.

use cratekeeper_store::{Act, By, NewUser, NewYanks, RegistryId, Store, VersionId};

fn can_be_sent<T: Send>(_: T) {}

#[tokio::test]
async fn what_a_handler_awaits_can_be_sent() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_directory(directory.path()).await.unwrap();
    can_be_sent(store.observe(RegistryId(1), "demo", &[], &NewYanks::PassOn, 0));
    can_be_sent(store.history(VersionId(1), 0));
    can_be_sent(store.authenticate("text", 0));
    can_be_sent(store.verify_audit_log(&[], &[]));
    can_be_sent(Store::connect("sqlite:directory"));
    let mut transaction = store.act(Act::new("alice", "test", "test", 0)).await.unwrap();
    can_be_sent(transaction.create_user(&NewUser::default()));
    can_be_sent(transaction.set_yanked(VersionId(1), true, By::default()));
    can_be_sent(transaction.commit());
}
