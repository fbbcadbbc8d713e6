//! Copies as they are made, and crates that share text for good reasons.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use cratekeeper_model::facts::{Fingerprint, Sketch};
use cratekeeper_model::{Checksum, Facts, SimilarCrate};
use cratekeeper_similarity::{Entry, Index, StoredIndexError};
use cratekeeper_source::{Limits, PackageFile, analyze};
use proptest::prelude::*;

const SOURCE: &str = "\
use std::collections::HashMap;

/// A ledger of accounts.
pub struct Ledger { accounts: HashMap<String, i64>, journal: Vec<(String, i64)> }

impl Ledger {
    pub fn new() -> Ledger { Ledger { accounts: HashMap::new(), journal: Vec::new() } }

    pub fn deposit(&mut self, name: &str, amount: i64) -> Result<i64, String> {
        if amount <= 0 { return Err(format!(\"cannot deposit {amount}\")); }
        let balance = self.accounts.entry(name.to_owned()).or_default();
        *balance += amount;
        self.journal.push((name.to_owned(), amount));
        Ok(*balance)
    }

    pub fn withdraw(&mut self, name: &str, amount: i64) -> Result<i64, String> {
        let balance = self.accounts.get_mut(name).ok_or_else(|| format!(\"no account {name}\"))?;
        if *balance < amount { return Err(\"not enough\".to_owned()); }
        *balance -= amount;
        self.journal.push((name.to_owned(), -amount));
        Ok(*balance)
    }

    pub fn total(&self) -> i64 { self.accounts.values().sum() }
}
";

const README: &str = "# ledger\n\nA small ledger that keeps accounts in memory and remembers every booking that was made.\n\n\
    Use it where a database would be too much: tests, games, and tools that run for a minute.\n\n\
    ## License\n\nLicensed under either of two licences at your option, as everybody does.\n";

fn package(name: &str, repository: &str, readme: &str, files: &[(&str, &str)]) -> (Entry, Facts) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nrepository = \"{repository}\"\n\
         description = \"A small ledger that keeps accounts in memory\"\n"
    );
    let mut all = vec![
        PackageFile::new("Cargo.toml", manifest.as_bytes()),
        PackageFile::new("README.md", readme.as_bytes()),
    ];
    all.extend(files.iter().map(|(path, text)| PackageFile::new(path, text.as_bytes())));
    let facts = analyze(&all, &Limits::default());
    (Entry::new(name, "1.0.0", Checksum::of(name.as_bytes()), &facts), facts)
}

fn original() -> Entry {
    package("ledger", "https://forge.example.invalid/a/ledger", README, &[("src/lib.rs", SOURCE)]).0
}

fn found(name: &str, repository: &str, readme: &str, files: &[(&str, &str)]) -> Option<SimilarCrate> {
    let (entry, facts) = package(name, repository, readme, files);
    let mut found = Index::new(vec![original(), entry.clone()]).similar(&entry, &facts);
    assert!(found.len() <= 1);
    found.pop()
}

const OTHER: &str = "https://forge.example.invalid/b/other";

#[test]
fn a_whole_copy_is_found_under_another_name() {
    let copy =
        found("ledgers", "http://forge.example.invalid/A/ledger.git", README, &[("src/lib.rs", SOURCE)])
            .unwrap();
    assert_eq!((copy.name.as_str(), copy.source, copy.readme), ("ledger", Some(100), Some(100)));
    assert_eq!((copy.description, copy.same_repository), (Some(100), true));
    assert_eq!((copy.shared_functions, copy.differing.len()), ((4, 4), 0));
}

#[test]
fn one_changed_function_is_the_part_that_differs() {
    let changed = SOURCE.replace(
        "self.accounts.values().sum()",
        "{ std::env::var(\"X\").ok(); self.accounts.values().sum() }",
    );
    let copy = found("ledgers", OTHER, "", &[("src/lib.rs", &changed)]).unwrap();
    assert!(copy.source.unwrap() >= 90, "{copy:?}");
    assert_eq!(copy.shared_functions, (3, 4));
    let evidence = &copy.differing[0];
    assert_eq!((evidence.file.as_str(), evidence.line), ("src/lib.rs", Some(25)));
    assert!(evidence.excerpt.as_deref().unwrap().contains("Ledger::total"));
}

#[test]
fn an_added_payload_does_not_hide_a_copy() {
    let payload: String =
        (0..80).map(|it| format!("fn f{it}(x: u32) -> u32 {{ x * {it} + f{}(x) }}\n", it + 1)).collect();
    let with_module = format!("mod payload;\n{SOURCE}");
    let files = [("src/lib.rs", with_module.as_str()), ("src/payload.rs", payload.as_str())];
    let copy = found("ledgers", OTHER, "", &files).unwrap();
    assert!(copy.source.unwrap() >= 85, "{copy:?}");
    assert!(copy.differing.iter().all(|it| it.file == "src/payload.rs"), "{copy:?}");
}

#[test]
fn renaming_everything_leaves_the_structure() {
    let renamed =
        ["Ledger", "accounts", "journal", "deposit", "withdraw", "balance", "amount", "name", "total"]
            .iter()
            .fold(SOURCE.to_owned(), |text, word| text.replace(word, &format!("{word}_x")));
    let copy = found("books", OTHER, "", &[("src/lib.rs", &renamed)]).unwrap();
    assert_eq!(copy.structure, Some(100));
    assert!(copy.source.unwrap() < 50, "{copy:?}");
}

#[test]
fn a_copied_readme_with_other_code_is_found() {
    let other = "pub fn run() { for line in std::io::stdin().lines() { println!(\"{}\", line.unwrap_or_default()); } }";
    let copy =
        found("ledgers", OTHER, &README.replace("# ledger", "# ledgers"), &[("src/lib.rs", other)]).unwrap();
    assert!(copy.readme.unwrap() >= 80, "{copy:?}");
    assert!(copy.source.is_none_or(|share| share < 20), "{copy:?}");
}

#[test]
fn a_shared_licence_section_is_no_likeness() {
    let readme = "# other\n\nSomething else entirely, about parsing dates from text in many languages of the world.\n\n\
        ## License\n\nLicensed under either of two licences at your option, as everybody does.\n";
    let other = "pub fn parse(text: &str) -> Option<(u16, u8, u8)> { let mut parts = text.split('-'); \
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)) }";
    assert_eq!(found("other", OTHER, readme, &[("src/lib.rs", other)]), None);
}

#[test]
fn other_versions_of_a_crate_are_not_copies_of_it() {
    let (entry, facts) =
        package("ledger", OTHER, README, &[("src/lib.rs", &format!("{SOURCE}pub fn more() {{}}"))]);
    let newer = Entry { checksum: Checksum::of(b"newer"), ..entry };
    assert_eq!(Index::new(vec![original()]).similar(&newer, &facts), []);
}

#[test]
fn what_many_crates_share_says_nothing() {
    let crates = (0..40).map(|number| {
        let own = format!("pub fn own_{number}() -> u32 {{ {number} }}\n{SOURCE}");
        package(&format!("crate-{number}"), OTHER, "", &[("src/lib.rs", &own)])
    });
    let (entries, facts): (Vec<Entry>, Vec<Facts>) = crates.unzip();
    let index = Index::new(entries.clone());
    assert_eq!(index.similar(&entries[0], &facts[0]), []);
}

#[test]
fn who_was_first_is_told_when_it_is_known() {
    let (entry, facts) = package("ledgers", OTHER, README, &[("src/lib.rs", SOURCE)]);
    let owned = |entry: Entry, time, owner: &str| Entry {
        first_published: Some(time),
        owners: Some(vec![owner.to_owned()]),
        ..entry
    };
    let (entry, first) = (owned(entry, 200, "mallory"), owned(original(), 100, "alice"));
    let found = Index::new(vec![first]).similar(&entry, &facts);
    assert_eq!((found[0].other_is_older, found[0].same_owner), (Some(true), Some(false)));
}

#[test]
fn a_stored_index_is_read_back_and_a_foreign_file_refused() {
    let index = Index::new(vec![original(), original()]);
    assert_eq!(index.entries().len(), 1);
    let bytes = index.to_bytes().unwrap();
    assert_eq!(Index::from_bytes(&bytes).unwrap().entries(), index.entries());
    for end in [0, 8, 20, bytes.len() - 1] {
        assert!(Index::from_bytes(&bytes[..end]).is_err(), "{end}");
    }
    assert_eq!(Index::from_bytes(b"{}").unwrap_err(), StoredIndexError::Foreign);
    let mut newer = bytes;
    newer[7] = b'2';
    assert_eq!(Index::from_bytes(&newer).unwrap_err(), StoredIndexError::Foreign);
}

#[test]
fn a_stored_index_whose_sketches_are_out_of_order_is_refused() {
    let sketch = Sketch { smallest: vec![2, 1], is_whole: true };
    let fingerprint = Fingerprint { source: sketch, ..Fingerprint::default() };
    let bytes = Index::new(vec![Entry { fingerprint, ..original() }]).to_bytes().unwrap();
    assert!(matches!(Index::from_bytes(&bytes), Err(StoredIndexError::Damaged(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let framed = [b"CKSIMIL1".as_slice(), Checksum::of(&bytes).as_bytes(), &bytes].concat();
        let _ = Index::from_bytes(&framed);
        prop_assert!(Index::from_bytes(&bytes).is_err());
    }

    #[test]
    fn likeness_is_mutual(left in sketch(), right in sketch()) {
        let entry = |name: &str, sketch: Sketch| Entry {
            name: name.to_owned(),
            checksum: Checksum::of(name.as_bytes()),
            fingerprint: Fingerprint { source: sketch, ..Fingerprint::default() },
            ..original()
        };
        let (left, right) = (entry("a", left), entry("b", right));
        let index = Index::new(vec![left.clone(), right.clone()]);
        let share = |entry: &Entry| {
            index.similar(entry, &Facts::default()).first().map(|it| it.source)
        };
        prop_assert_eq!(share(&left), share(&right));
    }
}

fn sketch() -> impl Strategy<Value = Sketch> {
    (prop::collection::btree_set(0..60_u64, 0..50), any::<bool>())
        .prop_map(|(hashes, is_whole)| Sketch { smallest: hashes.into_iter().collect(), is_whole })
}
