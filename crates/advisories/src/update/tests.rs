//! With the system's git and a repository on this disk; no network, and no configuration of the user's.

use std::process::Command;

use super::*;
use crate::test_database::{advisory, write};

const ENVIRONMENT: [(&str, &str); 7] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_AUTHOR_NAME", "Test"),
    ("GIT_AUTHOR_EMAIL", "test@example.invalid"),
    ("GIT_COMMITTER_NAME", "Test"),
    ("GIT_COMMITTER_EMAIL", "test@example.invalid"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// A remote repository, and a place for the clone.
struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        let fixture = Fixture { directory: TempDir::new().unwrap() };
        fs::create_dir(fixture.home()).unwrap();
        fixture.run(&["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        fixture.run(&["init", "--quiet", "--initial-branch=main", "work"]);
        fixture
    }

    /// A remote with one advisory.
    fn with_database() -> Fixture {
        let fixture = Fixture::new();
        fixture
            .publish("crates/kite/RUSTSEC-2026-0001.md", &advisory("kite", "2026-0001", "", "patched = []"));
        fixture
    }

    /// The directory that is to hold nothing but the clone.
    fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    fn clone_path(&self) -> PathBuf {
        self.home().join("advisory-db")
    }

    fn url(&self) -> String {
        format!("file://{}", self.directory.path().join("remote.git").display())
    }

    /// Commits a file to the remote.
    fn publish(&self, file: &str, text: &str) {
        write(&self.directory.path().join("work"), file, text);
        self.run(&["-C", "work", "add", "--all"]);
        self.run(&["-C", "work", "commit", "--quiet", "--message=Publish"]);
        self.run(&["-C", "work", "push", "--quiet", "--force", "../remote.git", "main"]);
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.directory.path()).envs(ENVIRONMENT);
        assert!(command.status().unwrap().success(), "{arguments:?}");
    }

    fn update(&self) -> Result<UpdateOutcome, UpdateError> {
        update_with(&git(), &self.clone_path(), &self.url())
    }

    fn advisories(&self) -> usize {
        Database::open(&self.clone_path()).unwrap().0.iter().count()
    }

    /// Everything in the clone's home: a failed update must leave nothing behind.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn git() -> Git {
    Git { environment: ENVIRONMENT.to_vec(), ..Git::system() }
}

#[test]
fn clones_then_follows_the_remote() {
    let fixture = Fixture::with_database();
    let UpdateOutcome::Cloned { revision: Some(first) } = fixture.update().unwrap() else {
        panic!("must clone")
    };
    let snapshot = Database::open(&fixture.clone_path()).unwrap().0.snapshot();
    assert_eq!(snapshot.revision.as_ref(), Some(&first));
    assert!(snapshot.age(SystemTime::now()).unwrap() < Duration::from_secs(60));
    assert_eq!(fixture.update().unwrap(), UpdateOutcome::Unchanged { revision: Some(first.clone()) });

    let text = advisory("kite", "2026-0002", "", "patched = []");
    fixture.publish("crates/kite/RUSTSEC-2026-0002.md", &text);
    let UpdateOutcome::Updated { from, to } = fixture.update().unwrap() else { panic!("must update") };
    assert_eq!(from, Some(first.clone()));
    assert!(to.is_some_and(|to| to != first));
    assert_eq!(fixture.advisories(), 2);
    assert_eq!(fixture.left(), ["advisory-db"]);
}

#[test]
fn clones_into_an_empty_directory_and_makes_those_above() {
    let fixture = Fixture::with_database();
    fs::create_dir(fixture.clone_path()).unwrap();
    assert!(matches!(fixture.update(), Ok(UpdateOutcome::Cloned { .. })));
    let deep = fixture.home().join("a/b/c");
    assert!(matches!(update_with(&git(), &deep, &fixture.url()), Ok(UpdateOutcome::Cloned { .. })));
}

#[test]
fn damaged_copy_heals() {
    let fixture = Fixture::with_database();
    fixture.update().unwrap();
    fs::remove_dir_all(fixture.clone_path().join("crates")).unwrap();
    assert!(matches!(fixture.update(), Ok(UpdateOutcome::Unchanged { .. })));
    assert_eq!(fixture.advisories(), 1);
}

#[test]
fn foreign_directory_is_refused_and_left_alone() {
    let fixture = Fixture::with_database();
    let note = write(&fixture.clone_path(), "notes.txt", "mine");
    let error = fixture.update().unwrap_err();
    assert!(matches!(error, UpdateError::NotOurs { .. }), "{error}");
    assert!(error.hint().contains("does not exist yet"));
    assert_eq!(fs::read_to_string(note).unwrap(), "mine");
    assert_eq!(fixture.left(), ["advisory-db"]);
}

#[test]
fn somebody_elses_clone_is_refused() {
    let fixture = Fixture::with_database();
    fixture.run(&["clone", "--quiet", "--branch=main", "remote.git", "home/advisory-db"]);
    assert!(matches!(fixture.update(), Err(UpdateError::NotOurs { .. })));
    let file = write(&fixture.home(), "file", "");
    let refused = update_with(&git(), &file, &fixture.url());
    assert!(matches!(refused, Err(UpdateError::NotOurs { .. })));
}

#[test]
fn marker_in_a_commit_does_not_make_a_clone_ours() {
    let fixture = Fixture::with_database();
    write(&fixture.clone_path(), MARKER, &marker(SystemTime::now()));
    assert!(matches!(fixture.update(), Err(UpdateError::NotOurs { .. })));
}

#[test]
fn remote_without_a_database_leaves_nothing_behind() {
    let fixture = Fixture::new();
    fixture.publish("README.md", "Not a database.");
    let error = fixture.update().unwrap_err();
    assert!(
        matches!(error, UpdateError::NotADatabase { source: OpenError::NotADatabase { .. }, .. }),
        "{error}"
    );
    assert!(fixture.left().is_empty());
}

#[test]
fn remote_that_stops_being_a_database_keeps_the_old_state() {
    let fixture = Fixture::with_database();
    fixture.update().unwrap();
    fixture.run(&["-C", "work", "rm", "-r", "--quiet", "crates"]);
    fixture.publish("README.md", "Not a database any more.");
    assert!(matches!(fixture.update(), Err(UpdateError::NotADatabase { .. })));
    assert_eq!(fixture.advisories(), 1);
    assert_eq!(fixture.left(), ["advisory-db"]);
}

#[test]
fn missing_remote_is_gits_error() {
    let fixture = Fixture::new();
    let url = format!("file://{}/nothing.git", fixture.directory.path().display());
    let error = update_with(&git(), &fixture.clone_path(), &url).unwrap_err();
    let UpdateError::Git { message, .. } = &error else { panic!("{error}") };
    assert!(message.contains("nothing.git"), "{message}");
    assert!(fixture.left().is_empty());
}

#[test]
fn address_is_never_an_option_or_a_program() {
    let fixture = Fixture::new();
    let touched = fixture.home().join("touched");
    for url in [
        format!("--upload-pack=touch {}", touched.display()),
        format!("ext::sh -c touch% {}", touched.display()),
    ] {
        let error = update_with(&git(), &fixture.clone_path(), &url).unwrap_err();
        assert!(matches!(error, UpdateError::Git { .. }), "{error}");
        assert!(fixture.left().is_empty(), "{url}");
    }
}

#[test]
fn missing_git_and_slow_git_have_their_errors() {
    let fixture = Fixture::with_database();
    let missing = Git { program: "git-that-is-not-installed".into(), ..git() };
    let error = update_with(&missing, &fixture.clone_path(), &fixture.url()).unwrap_err();
    assert!(matches!(error, UpdateError::GitMissing { .. }), "{error}");
    let slow = Git { timeout: Duration::ZERO, ..git() };
    let error = update_with(&slow, &fixture.clone_path(), &fixture.url()).unwrap_err();
    assert!(matches!(error, UpdateError::TimedOut { .. }), "{error}");
    assert!(fixture.left().is_empty());
}

#[cfg(unix)]
#[test]
fn committed_links_become_text_and_hooks_do_not_run() {
    let fixture = Fixture::with_database();
    std::os::unix::fs::symlink("/etc", fixture.directory.path().join("work/crates/etc")).unwrap();
    fixture.publish("README.md", "With a link.");
    fixture.update().unwrap();
    let link = fs::symlink_metadata(fixture.clone_path().join("crates/etc")).unwrap();
    assert!(link.is_file());
    assert!(!fixture.clone_path().join(".git/hooks").exists());
}
