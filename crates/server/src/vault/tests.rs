//! Bytes on their way, with a kill, a backup or a bad disk between any two steps.

use axum::body::Bytes;
use cratekeeper_archive::CrateBuilder;
use cratekeeper_model::Checksum;
use cratekeeper_store::{Act, State, Tombstone, TombstoneState, VAULT, VersionId};
use serde_json::json;

use super::VaultError;
use crate::console::stories::Story;
use crate::gate::Gate;

const NOW: i64 = 1_790_000_000;

struct Down {
    story: Story,
    version: VersionId,
    plain: Bytes,
    checksum: Checksum,
}

impl Down {
    /// A version that was taken down a moment ago: nothing was moved yet.
    async fn now() -> Down {
        let story = Story::open().await;
        let archive = CrateBuilder::new("thief", "1.0.0").file("src/lib.rs", "pub fn thing() {}\n");
        let version = story.publish(&archive, "thief", "1.0.0", "nothing").await;
        let plain = Bytes::from(archive.build());
        let down = Down { version, checksum: Checksum::of(&plain), plain, story };
        down.act(true).await;
        down
    }

    fn gate(&self) -> &Gate {
        &self.story.gate
    }

    async fn act(&self, is_down: bool) {
        let mut transaction = self.gate().store.act(Act::new("alice", "test", "test", NOW)).await.unwrap();
        let done = if is_down {
            transaction.take_down(&[self.version], "a test").await
        } else {
            transaction.restore(&[self.version], "a test").await
        };
        done.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Does what a job of the vault does, whether one waits or not.
    async fn work(&self) -> Result<(), VaultError> {
        let job = cratekeeper_store::NewJob::new(VAULT, json!({ "version_id": self.version.0 }));
        let store = &self.gate().store;
        store.enqueue(&job, NOW).await.unwrap();
        let claimed = store.claim_jobs("test", &[VAULT], 9, 60, NOW + 100).await.unwrap().leases;
        let lease = claimed.last().unwrap();
        let done = self.story.gate.try_move(lease).await;
        for lease in &claimed {
            store.complete_job(lease).await.unwrap();
        }
        done
    }

    async fn stone(&self) -> Tombstone {
        self.gate().store.tombstone(self.version).await.unwrap().unwrap()
    }

    async fn has_plain(&self) -> bool {
        self.gate().blobs.has(&self.checksum).await.unwrap()
    }

    async fn put_plain(&self) {
        self.gate().blobs.put(self.plain.clone()).await.unwrap();
    }

    /// What the vault has, opened.
    async fn opened(&self) -> Option<Bytes> {
        self.gate().sealed(&self.checksum).await.ok()
    }

    async fn damage_plain(&self) {
        let directory = self.gate().temporary();
        let file = self.gate().blobs.file(&self.checksum, &directory).await.unwrap();
        std::fs::write(file.as_ref(), b"other").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_while_bytes_are_moved_leaves_them_twice() {
    let down = Down::now().await;
    assert!(down.has_plain().await && down.opened().await.is_none());
    // Killed between sealing and removing.
    down.gate().seal_and_verify(down.checksum, &down.plain).await.unwrap();
    assert!(down.has_plain().await && down.opened().await.is_some());
    down.work().await.unwrap();
    assert_eq!(down.stone().await.state, TombstoneState::Sealed);
    assert!(!down.has_plain().await && down.opened().await.as_ref() == Some(&down.plain));
    let sealed = down.gate().blobs.sealed(&down.checksum).await.unwrap();
    // Done again, although it was done.
    down.work().await.unwrap();
    assert_eq!(down.gate().blobs.sealed(&down.checksum).await.unwrap(), sealed);
    // A backup brings the plain bytes back: whoever starts sees it.
    down.put_plain().await;
    down.gate().look_for_what_came_back().await.unwrap();
    let waiting = down.gate().store.claim_jobs("test", &[VAULT], 9, 60, NOW).await.unwrap().leases;
    assert_eq!(waiting.len(), 1);
    down.work().await.unwrap();
    assert!(!down.has_plain().await && down.opened().await.is_some());
    down.gate().look_for_what_came_back().await.unwrap();
    let waiting = down.gate().store.claim_jobs("test", &[VAULT], 9, 60, NOW).await.unwrap().leases;
    assert!(waiting.is_empty(), "there is nothing to do");

    // Killed after the bytes are back, before the tombstone ends.
    down.act(false).await;
    down.gate().put_plain(&down.checksum).await.unwrap();
    assert!(down.stone().await.stands());
    down.work().await.unwrap();
    down.work().await.unwrap();
    assert_eq!(down.stone().await.state, TombstoneState::Restored);
    assert_eq!(down.gate().blobs.get(&down.checksum).await.unwrap(), down.plain);
    let (_, version) = down.gate().store.version_by_id(down.version).await.unwrap();
    assert_eq!(version.standing.state, State::Held);

    // A job about the first tombstone that comes late finds a version that needs its bytes.
    let late = Tombstone { state: TombstoneState::Sealed, ..down.stone().await };
    down.gate().seal(&late).await.unwrap();
    assert!(down.has_plain().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_bytes_go_when_sealed_ones_are_as_they_should_be() {
    let down = Down::now().await;
    down.work().await.unwrap();
    // What is sealed was damaged, and the plain bytes are back: it is sealed again.
    let damaged = Bytes::from_static(b"ckvault1 and then nothing that can be opened");
    down.gate().blobs.put_sealed(&down.checksum, damaged.clone()).await.unwrap();
    down.put_plain().await;
    down.work().await.unwrap();
    assert!(!down.has_plain().await && down.opened().await.as_ref() == Some(&down.plain));
    // The plain ones are damaged, and the sealed ones are not: they go.
    down.put_plain().await;
    down.damage_plain().await;
    down.work().await.unwrap();
    assert!(!down.has_plain().await && down.opened().await.is_some());
    // Both are damaged: nothing goes, and it says so.
    down.put_plain().await;
    down.damage_plain().await;
    down.gate().blobs.put_sealed(&down.checksum, damaged).await.unwrap();
    assert!(matches!(down.work().await, Err(VaultError::Blob(_))));
    assert!(down.has_plain().await);
    // What is no archive any more is not restored as one.
    down.act(false).await;
    let error = down.work().await.unwrap_err().to_string();
    assert!(error.contains("was changed since it was sealed"), "{error}");
    assert!(down.stone().await.stands());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_key_nothing_is_sealed_anew_and_nothing_goes() {
    let down = Down::now().await;
    down.work().await.unwrap();
    let other = CrateBuilder::new("other", "1.0.0").file("src/lib.rs", "pub fn other() {}\n");
    let version = down.story.publish(&other, "other", "1.0.0", "nothing").await;
    let key = down.gate().directory.join("vault.key");
    std::fs::remove_file(&key).unwrap();
    let plain = Bytes::from(other.build());
    let down = Down { version, checksum: Checksum::of(&plain), plain, ..down };
    down.act(true).await;
    let error = down.work().await.unwrap_err().to_string();
    assert!(error.contains("is gone: put it back"), "{error}");
    assert!(down.has_plain().await && !key.exists());
    assert_eq!(down.stone().await.state, TombstoneState::Sealing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_never_here_leaves_a_tombstone_all_the_same() {
    let down = Down::now().await;
    down.gate().blobs.remove(&down.checksum).await.unwrap();
    down.work().await.unwrap();
    assert_eq!(down.stone().await.state, TombstoneState::Absent);
    // It may come later: from a backup.
    down.put_plain().await;
    down.work().await.unwrap();
    assert_eq!(down.stone().await.state, TombstoneState::Sealed);
    assert!(!down.has_plain().await && down.opened().await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inspection_that_was_begun_before_ends_without_an_answer() {
    let down = Down::now().await;
    let store = &down.gate().store;
    let lease = store.claim_jobs("test", &["inspect"], 1, 60, NOW).await.unwrap().leases.remove(0);
    for _ in 0..2 {
        // With its bytes on their way, and without them.
        let _ = down.story.gate.inspect(&lease).await;
        down.work().await.unwrap();
    }
    assert!(store.job(lease.id).await.unwrap().is_none(), "it is not tried again");
    assert!(store.inspections(down.version, 9).await.unwrap().is_empty());
    let (_, version) = store.version_by_id(down.version).await.unwrap();
    assert_eq!((version.automatic, version.standing.state), (State::Pending, State::Blocked));
    // Never inspected, it is once it is back.
    down.act(false).await;
    down.work().await.unwrap();
    assert_eq!(store.claim_jobs("test", &["inspect"], 9, 60, NOW).await.unwrap().leases.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_request_brought_along_goes_again() {
    let down = Down::now().await;
    down.work().await.unwrap();
    down.put_plain().await;
    down.gate().views.keep_archive(down.checksum, &down.plain);
    down.gate().seal_what_came_back(down.checksum).await.unwrap();
    down.work().await.unwrap();
    assert!(!down.has_plain().await && down.gate().views.archive(&down.checksum).is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_replicas_forget_the_bytes_as_well() {
    let down = Down::now().await;
    down.gate().views.keep_archive(down.checksum, &down.plain);
    down.gate().catch_up().await.unwrap();
    assert!(down.gate().views.archive(&down.checksum).is_none());
}
