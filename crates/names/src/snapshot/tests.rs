//! Snapshots: what is saved comes back; what is not one is refused.

use super::SnapshotError;
use crate::{Candidate, Corpus, Entry, Kind};

fn corpus() -> Corpus {
    let text = "rank,name,downloads,created,owners,repository\n\
                1,tracing,100,2017-01-01,alice;bob,https://code.example.invalid/tokio-rs/tracing\n\
                2,once_cell,90,2018-01-01,,\n\
                3,serde-json,80,,carol,\n";
    Corpus::parse(text, Kind::Crates).unwrap()
}

fn saved(corpus: &Corpus) -> Vec<u8> {
    let mut bytes = Vec::new();
    corpus.write_snapshot(&mut bytes).unwrap();
    bytes
}

fn answers(corpus: &Corpus) -> Vec<String> {
    let judge = |name: &&str| format!("{:?}", corpus.judge(&Candidate::new(*name).unwrap()));
    ["tracings", "oncecell", "json-serde", "tokio-rs", "tracing", "web"].iter().map(judge).collect()
}

#[test]
fn a_saved_corpus_answers_as_before() {
    let corpus = corpus();
    let bytes = saved(&corpus);
    assert!(Corpus::is_snapshot(&bytes));
    let loaded = Corpus::read_snapshot(bytes.as_slice()).unwrap();
    assert_eq!(answers(&loaded), answers(&corpus));
    assert_eq!(loaded.entries().collect::<Vec<_>>(), corpus.entries().collect::<Vec<_>>());
    assert_eq!(saved(&loaded), bytes, "saving is deterministic");
}

#[test]
fn what_was_added_and_removed_is_saved() {
    let mut corpus = corpus();
    corpus.add(Entry { rank: Some(4), ..Entry::new("reqwest") });
    corpus.remove("once_cell").unwrap();
    let loaded = Corpus::read_snapshot(saved(&corpus).as_slice()).unwrap();
    assert!(loaded.contains("reqwest") && !loaded.contains("once_cell"));
    assert_eq!(loaded.judge(&Candidate::new("rewqest").unwrap()).matches[0].target, "reqwest");
    assert!(loaded.judge(&Candidate::new("oncecell").unwrap()).matches.is_empty());
}

#[test]
fn another_version_is_told_apart_from_damage() {
    let bytes = saved(&corpus());
    let refused = |change: fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        Corpus::read_snapshot(bytes.as_slice()).unwrap_err()
    };
    assert!(matches!(refused(|it| it[0] = b'x'), SnapshotError::NotASnapshot));
    assert!(matches!(refused(|it| it[16] += 1), SnapshotError::OtherFormat { found: 2, expected: 1 }));
    assert!(matches!(refused(|it| it[20] ^= 1), SnapshotError::OtherTables));
    assert!(matches!(refused(|it| it[24] ^= 1), SnapshotError::Damaged(_)));
    assert!(matches!(refused(|it| it[31] = 0xff), SnapshotError::Damaged(_)));
    assert!(matches!(refused(|it| *it.last_mut().unwrap() ^= 1), SnapshotError::Damaged(_)));
}

/// Whatever a broken file claims, it is an error, and costs no memory that the file does not have.
#[test]
fn no_broken_file_is_read() {
    let bytes = saved(&corpus());
    for length in 0..bytes.len() {
        assert!(Corpus::read_snapshot(&bytes[..length]).is_err(), "{length} bytes");
    }
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut broken = bytes.clone();
            broken[at] ^= bit;
            assert!(Corpus::read_snapshot(broken.as_slice()).is_err(), "byte {at} changed");
        }
    }
}
