//! Storing and reading back, and everything that can be wrong with a stored file.

use cratekeeper_archive::{CrateBuilder, Expected, read_crate_bytes};
use proptest::prelude::*;

use super::*;
use crate::encoding::encode;

fn sample() -> (Checksum, Facts) {
    let bytes = CrateBuilder::new("demo", "1.0.0")
        .file("src/lib.rs", "pub fn hello() { unsafe { world(1) } }\nextern \"C\" { fn world(n: u8); }")
        .file("build.rs", "fn main() { println!(\"cargo:rerun-if-changed=build.rs\"); }")
        .build();
    let archive =
        read_crate_bytes(&bytes, &Expected::anything(), &cratekeeper_archive::Limits::default()).unwrap();
    (archive.checksum, crate::analysis::facts(&archive))
}

fn stored(directory: &Path) -> (FactsCache, Checksum, Facts, PathBuf) {
    let cache = FactsCache::new(directory.to_owned(), FactsCache::DEFAULT_CAP);
    let (checksum, facts) = sample();
    cache.store(&checksum, &encode(&facts).unwrap()).unwrap();
    let path = cache.path(&checksum);
    (cache, checksum, facts, path)
}

#[test]
fn what_is_stored_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, checksum, facts, _) = stored(directory.path());
    assert_eq!(cache.load(&checksum, &Section::ALL), Some(facts.clone()));
    let without_calls =
        cache.load(&checksum, &[Section::Manifest, Section::Files, Section::Source, Section::Flow]);
    assert_eq!(without_calls, Some(Facts { calls: None, ..facts }));
    assert_eq!(cache.load(&Checksum::of(b"another"), &Section::ALL), None);
}

#[test]
fn every_damaged_byte_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, checksum, facts, path) = stored(directory.path());
    let good = fs::read(&path).unwrap();
    // Every byte of header and records, and a sample of the payloads: they are all under one hash each.
    let positions = (0..HEADER + 4 * RECORD).chain((HEADER..good.len()).step_by(97));
    for position in positions {
        let mut bad = good.clone();
        bad[position] ^= 0x10;
        fs::write(&path, &bad).unwrap();
        let loaded = cache.load(&checksum, &Section::ALL);
        assert!(loaded.is_none() || loaded.as_ref() == Some(&facts), "byte {position} was trusted");
    }
}

#[test]
fn truncated_and_foreign_files_are_not_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, checksum, _, path) = stored(directory.path());
    let good = fs::read(&path).unwrap();
    for content in [&good[..0], &good[..20], &good[..HEADER], &good[..good.len() - 1], b"something else"] {
        fs::write(&path, content).unwrap();
        assert_eq!(cache.load(&checksum, &Section::ALL), None);
    }
}

#[test]
fn a_section_of_another_analysis_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, checksum, _, path) = stored(directory.path());
    let mut bytes = fs::read(&path).unwrap();
    // The version of the last record, which is the calls.
    let version = HEADER + 3 * RECORD + 4;
    bytes[version..version + 4].copy_from_slice(&99_u32.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    assert_eq!(cache.load(&checksum, &Section::ALL), None);
    assert!(cache.load(&checksum, &[Section::Manifest, Section::Source]).is_some());
}

#[test]
fn eviction_keeps_what_was_used_last() {
    let directory = tempfile::tempdir().unwrap();
    let (_, first, facts, path) = stored(directory.path());
    let size = fs::metadata(&path).unwrap().len();
    let cache = FactsCache::new(directory.path().to_owned(), size * 2);
    let others = [b"b", b"c"].map(|name| Checksum::of(name));
    for other in &others {
        cache.store(other, &encode(&facts).unwrap()).unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_hours(48);
    for old in [&first, &others[0]] {
        File::options().append(true).open(cache.path(old)).unwrap().set_modified(long_ago).unwrap();
    }
    // A hit renews an old entry.
    assert!(cache.load(&first, &[Section::Files]).is_some());
    cache.evict().unwrap();
    assert!(cache.load(&first, &[Section::Files]).is_some());
    assert!(cache.load(&others[0], &[Section::Files]).is_none());
    assert!(cache.load(&others[1], &[Section::Files]).is_some());
}

#[test]
fn a_cache_that_cannot_be_written_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("file");
    fs::write(&root, "in the way").unwrap();
    let cache = FactsCache::new(root, FactsCache::DEFAULT_CAP);
    let (checksum, facts) = sample();
    assert!(cache.store(&checksum, &encode(&facts).unwrap()).is_err());
    assert_eq!(cache.load(&checksum, &Section::ALL), None);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// A file as version 0.1.0 stores it. When facts change so that this test fails, raise the section's version, keep the file,
/// and expect `None` for it.
#[test]
fn files_of_released_versions_are_read() {
    let (checksum, facts) = sample();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/facts-0.1.0.facts");
    let directory = tempfile::tempdir().unwrap();
    let cache = FactsCache::new(directory.path().to_owned(), FactsCache::DEFAULT_CAP);
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        cache.store(&checksum, &encode(&facts).unwrap()).unwrap();
        fs::copy(cache.path(&checksum), &file).unwrap();
    }
    fs::create_dir_all(cache.path(&checksum).parent().unwrap()).unwrap();
    fs::copy(file, cache.path(&checksum)).unwrap();
    // `manifest`, `files` and `source` are of their second version since.
    assert_eq!(cache.load(&checksum, &Section::ALL), None);
}

proptest! {
    #[test]
    fn arbitrary_files_are_never_facts(content in proptest::collection::vec(any::<u8>(), 0..400), good_head: bool) {
        let directory = tempfile::tempdir().unwrap();
        let cache = FactsCache::new(directory.path().to_owned(), FactsCache::DEFAULT_CAP);
        let checksum = Checksum::of(b"x");
        let path = cache.path(&checksum);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = Vec::new();
        if good_head {
            file.extend(MAGIC);
            file.extend(checksum.as_bytes());
        }
        file.extend(content);
        fs::write(&path, file).unwrap();
        prop_assert_eq!(cache.load(&checksum, &Section::ALL), None);
    }
}
