//! How old clones and plain directories are.

use super::*;
use crate::test_database::{TestDatabase, write};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// The revision of a `.git` directory with these files.
fn check_revision(files: &[(&str, &str)], expected: Option<&str>) {
    let directory = tempfile::tempdir().unwrap();
    for (file, text) in files {
        write(directory.path(), file, text);
    }
    assert_eq!(revision(directory.path()).as_deref(), expected, "{files:?}");
}

#[test]
fn revision_is_found_wherever_git_puts_it() {
    let head = ("HEAD", "ref: refs/heads/main\n");
    let packed =
        format!("# pack-refs with: peeled\n{OTHER} refs/heads/main-2\n{COMMIT} refs/heads/main\n^{OTHER}\n");
    check_revision(&[("HEAD", COMMIT)], Some(COMMIT));
    check_revision(&[head, ("refs/heads/main", COMMIT)], Some(COMMIT));
    check_revision(&[head, ("packed-refs", &packed)], Some(COMMIT));
    // A loose reference is newer than a packed one.
    check_revision(&[head, ("refs/heads/main", OTHER), ("packed-refs", &packed)], Some(OTHER));
}

#[test]
fn revision_that_is_none_is_not_made_up() {
    check_revision(&[], None);
    check_revision(&[("HEAD", "main")], None);
    check_revision(&[("HEAD", "ref: refs/heads/main\n")], None);
    check_revision(&[("HEAD", "ref: refs/heads/main\n"), ("refs/heads/main", "g123")], None);
    check_revision(&[("HEAD", "ref: refs/../secret\n"), ("secret", COMMIT)], None);
    check_revision(&[("HEAD", "ref: /etc/passwd\n")], None);
}

/// A time in the past, in seconds before a fixed moment.
fn time(seconds_before: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_780_000_000 - seconds_before)
}

fn touch(directory: &Path, file: &str, at: SystemTime) {
    let path = directory.join(file);
    fs::OpenOptions::new().write(true).open(path).unwrap().file().set_modified(at).unwrap();
}

#[test]
fn plain_directory_is_as_old_as_its_newest_file() {
    let directory = TestDatabase::new().with("kite", "2026-0001", "", "patched = []");
    touch(directory.path(), "crates/kite/RUSTSEC-2026-0001.md", time(500));
    touch(directory.path(), "crates/paper-boat/RUSTSEC-2020-0001.md", time(900));
    let snapshot = directory.open().snapshot();
    assert_eq!((snapshot.revision.as_ref(), snapshot.fetched_at), (None, None));
    assert_eq!(snapshot.age(time(0)), Some(Duration::from_secs(500)));
}

#[test]
fn marker_wins_over_file_times() {
    let directory = TestDatabase::new()
        .with_file(".git/HEAD", COMMIT)
        .with_file(".git/FETCH_HEAD", COMMIT)
        .with_file(&format!(".git/{MARKER}"), &marker(time(700)));
    let snapshot = directory.open().snapshot();
    assert_eq!(snapshot.revision.as_deref(), Some(COMMIT));
    assert_eq!(snapshot.age(time(0)), Some(Duration::from_secs(700)));
    assert_eq!(snapshot.newest_file, None);
    write(directory.path(), &format!(".git/{MARKER}"), "fetched-at = soon\n");
    assert_eq!(directory.open().snapshot().age(time(0)), None);
}

#[test]
fn clone_is_as_old_as_its_last_successful_fetch() {
    let directory = TestDatabase::new().with_file(".git/HEAD", COMMIT).with_file(".git/config", "");
    touch(directory.path(), ".git/HEAD", time(100));
    touch(directory.path(), ".git/config", time(900));
    let age = || directory.open().snapshot().age(time(0)).map(|age| age.as_secs());
    assert_eq!(age(), Some(900), "never fetched: cloned when the oldest file was made");
    write(directory.path(), ".git/FETCH_HEAD", COMMIT);
    touch(directory.path(), ".git/FETCH_HEAD", time(300));
    assert_eq!(age(), Some(300));
    write(directory.path(), ".git/FETCH_HEAD", "");
    assert_eq!(age(), Some(900), "a failed fetch leaves an empty file and nothing new");
}

#[test]
fn time_in_the_future_is_not_believed() {
    let at = |fetched_at| Snapshot {
        revision: None,
        fetched_at: Some(fetched_at),
        newest_file: None,
        newest_advisory_date: None,
    };
    assert_eq!(at(time(0)).age(time(60)), Some(Duration::ZERO));
    assert_eq!(at(time(0)).age(time(86_400)), None);
}

#[test]
fn newest_date_is_that_of_the_youngest_ids() {
    let directory = TestDatabase::new()
        .with_file("crates/kite/RUSTSEC-2026-0007.md", "not an advisory")
        .with("kite", "2026-0006", "", "patched = []");
    assert_eq!(directory.open().snapshot().newest_advisory_date.as_deref(), Some("2026-03-04"));
    assert_eq!(number_of_id("RUSTSEC-2026-0007.md".as_ref()), Some((2026, 7)));
    assert_eq!(number_of_id("house-rule.md".as_ref()), None);
}
