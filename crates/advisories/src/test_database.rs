//! A small database for tests, written by ourselves about crates that do not exist.

use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::TempDir;

use crate::Database;

/// A database in a temporary directory.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    directory: TempDir,
}

impl TestDatabase {
    /// A database with one harmless advisory, since an empty one cannot be opened.
    pub(crate) fn new() -> TestDatabase {
        let database = TestDatabase { directory: TempDir::new().unwrap() };
        database.with("paper-boat", "2020-0001", "", "patched = [\">= 2.0.0\"]")
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Adds an advisory. `number` is what follows `RUSTSEC-`, `fields` go into `[advisory]`, and `versions`
    /// into `[versions]`; further tables may follow there.
    pub(crate) fn with(self, package: &str, number: &str, fields: &str, versions: &str) -> TestDatabase {
        let text = advisory(package, number, fields, versions);
        self.with_file(&format!("crates/{package}/RUSTSEC-{number}.md"), &text)
    }

    /// Adds any file.
    pub(crate) fn with_file(self, file: &str, text: &str) -> TestDatabase {
        write(self.path(), file, text);
        self
    }

    pub(crate) fn open(&self) -> Database {
        let (database, problems) = Database::open(self.path()).unwrap();
        assert_eq!(problems, []);
        database
    }
}

/// The text of an advisory.
pub(crate) fn advisory(package: &str, number: &str, fields: &str, versions: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-{number}\"\npackage = \"{package}\"\ndate = \"2026-03-04\"\n\
         {fields}\n\n[versions]\n{versions}\n```\n\n# The boat takes in water\n\nFold it from thicker paper.\n"
    )
}

/// Writes a file below `directory`.
pub(crate) fn write(directory: &Path, file: &str, text: &str) -> PathBuf {
    let path = directory.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}
