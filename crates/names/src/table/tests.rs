//! Tables and lists, good and bad.

use super::TableError;
use crate::{Candidate, Corpus, Kind, NameError, candidates};

fn error(text: &str) -> String {
    Corpus::parse(text, Kind::Crates).unwrap_err().to_string()
}

#[test]
fn a_table_may_have_its_columns_in_any_order_and_others_as_well() {
    let text = "\u{feff}created,Name,snapshot,rank,owners\n2016-09-07 10:00:00,syn,2025-09,1,dtolnay;other\n,quote,,2,\n";
    let corpus = Corpus::parse(text, Kind::Crates).unwrap();
    let syn = corpus.get("syn").unwrap();
    assert_eq!((syn.rank, syn.owners.len()), (Some(1), 2));
    assert_eq!(syn.created.unwrap().to_string(), "2016-09-07");
    assert_eq!(corpus.get("quote").unwrap().created, None);
}

#[test]
fn a_list_has_one_name_per_line() {
    let corpus = Corpus::parse("syn\n\n  quote \r\nserde", Kind::Crates).unwrap();
    assert_eq!(corpus.len(), 3);
    assert_eq!(corpus.get("quote").unwrap().rank, None);
}

#[test]
fn downloads_make_ranks_where_there_are_none() {
    let corpus = Corpus::parse("name,downloads\nfew,1\nmany,100\nnone,\n", Kind::Crates).unwrap();
    assert_eq!(corpus.get("many").unwrap().rank, Some(1));
    assert_eq!(corpus.get("few").unwrap().rank, Some(2));
    assert_eq!(corpus.get("none").unwrap().rank, None);
}

#[test]
fn of_two_rows_about_a_name_the_last_one_counts() {
    let corpus = Corpus::parse("name,rank\nsyn,7\nsyn,1\n", Kind::Crates).unwrap();
    assert_eq!((corpus.len(), corpus.get("syn").unwrap().rank), (1, Some(1)));
}

#[test]
fn bad_tables_are_errors_with_a_line() {
    assert_eq!(error("rank,name\n1,syn\nx,quote\n"), "line 3: `x` is not a rank");
    assert_eq!(error("name,created\nsyn,yesterday\n"), "line 2: `yesterday` is not a day such as 2026-08-20");
    assert_eq!(error("name,created\nsyn,ééééééééé\n"), "line 2: `ééééééééé` is not a day such as 2026-08-20");
    assert_eq!(error("a,b\n1,2\n"), "the header has no column `name` (it has a, b)");
    assert_eq!(error("name,rank\n,1\n"), "line 2: the name is empty");
    assert!(error("name,rank\nsyn\n").contains("found record with 1 fields"));
    assert!(matches!(Corpus::parse("", Kind::Crates), Err(TableError::Empty)));
    assert!(matches!(Corpus::parse("name,rank\n", Kind::Crates), Err(TableError::Empty)));
    assert!(error(&"x".repeat(200)).contains("200 characters"));
}

#[test]
fn other_kinds_of_tables_are_no_lists() {
    assert_eq!(
        error("rank;name\n1;serde\n"),
        "line 1: the name has the character ';', which no name can have"
    );
    assert_eq!(
        Corpus::parse("\n\nname,rank\nserde,1\n", Kind::Crates).unwrap().get("serde").unwrap().rank,
        Some(1)
    );
    for text in ["Name\nserde\n", "\"name\"\nserde\n", "\n login \nserde\n"] {
        let corpus = Corpus::parse(text, Kind::Crates).unwrap();
        assert!(corpus.len() == 1 && corpus.contains("serde"), "{text:?}");
    }
}

#[test]
fn one_bad_name_does_not_hide_the_others() {
    let names = candidates("name,owners\nsyn,a;b\n,\n---,\nquote,\n").unwrap();
    assert_eq!(names[0].as_ref().unwrap().owners, ["a", "b"]);
    assert_eq!(names[1].as_ref().unwrap_err().cause, NameError::Empty);
    assert_eq!(names[2].as_ref().unwrap_err().cause, NameError::NoLetters);
    assert_eq!(names[3].as_ref().unwrap().name(), "quote");
}

#[test]
fn names_that_no_registry_has_are_refused() {
    assert_eq!(Candidate::new("a b"), Err(NameError::Character { character: ' ' }));
    assert_eq!(Candidate::new("a\u{0}"), Err(NameError::Character { character: '\u{0}' }));
    assert_eq!(Candidate::new("é".repeat(129)), Err(NameError::TooLong { characters: 129 }));
    assert!(Candidate::new("é".repeat(128)).is_ok());
}

#[test]
fn owners_become_a_corpus_of_publishers() {
    let crates = Corpus::parse("name,owners\nsyn,dtolnay\nserde,dtolnay;oli\n", Kind::Crates).unwrap();
    let publishers = crates.publishers().unwrap();
    assert_eq!((publishers.kind(), publishers.len()), (Kind::Publishers, 2));
    assert_eq!(publishers.get("dtolnay").unwrap().rank, Some(1));
    let unknown = Corpus::parse("syn\n", Kind::Crates).unwrap();
    assert!(matches!(unknown.publishers(), Err(TableError::Empty)));
}
