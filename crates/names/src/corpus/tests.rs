//! Corpora: what comes with the library, and what is added and removed.

use proptest::prelude::*;

use super::{Corpus, Entry, Kind, repository_names};
use crate::{Candidate, Check, Level};

fn judged(corpus: &Corpus, name: &str) -> String {
    let judgement = corpus.judge(&Candidate::new(name).unwrap());
    let matches: Vec<String> =
        judgement.matches.iter().map(|it| format!("{} {} {}", it.target, it.check, it.score)).collect();
    format!("{} {matches:?}", judgement.level)
}

#[test]
fn the_embedded_lists_can_be_read() {
    let crates = Corpus::popular_crates();
    assert_eq!((crates.len(), crates.kind()), (5_000, Kind::Crates));
    assert_eq!(crates.get("syn").unwrap().rank, Some(1));
    let publishers = Corpus::well_known_publishers();
    assert_eq!((publishers.len(), publishers.kind()), (31, Kind::Publishers));
}

#[test]
fn a_login_is_a_name_too() {
    let judgement = Corpus::well_known_publishers().judge(&Candidate::new("dtolney").unwrap());
    assert_eq!(judgement.level, Level::Alert);
    assert_eq!(
        (judgement.matches[0].target.as_str(), judgement.matches[0].check),
        ("dtolnay", Check::ReplacedVowel)
    );
    // Keywords and crates of the standard library are no logins.
    assert!(Corpus::well_known_publishers().judge(&Candidate::new("core").unwrap()).matches.is_empty());
}

#[test]
fn nothing_can_be_taken_for_a_name_of_an_empty_corpus() {
    let corpus = Corpus::new(Vec::new(), Kind::Crates).unwrap();
    assert!(corpus.is_empty());
    assert!(corpus.judge(&Candidate::new("serde").unwrap()).matches.is_empty());
}

#[test]
fn adding_replaces_and_removing_forgets() {
    let mut corpus = Corpus::new(vec![Entry::new("serde")], Kind::Crates).unwrap();
    corpus.add(Entry { rank: Some(1), ..Entry::new("serde") });
    assert_eq!((corpus.len(), corpus.get("serde").unwrap().rank), (1, Some(1)));
    assert_eq!(corpus.remove("serde").unwrap().rank, Some(1));
    assert_eq!(corpus.remove("serde"), None);
    assert!(corpus.is_empty() && corpus.judge(&Candidate::new("serdee").unwrap()).matches.is_empty());
}

/// Of a whole registry without ranks, nobody knows which names are worth squatting.
#[test]
fn names_without_a_rank_count_less_the_more_there_are() {
    let corpus = |count: usize| {
        let others = (1..count).map(|number| Entry::new(format!("filler{number}filler")));
        Corpus::new(others.chain([Entry::new("once_cell")]).collect(), Kind::Crates).unwrap()
    };
    let score = |corpus: &Corpus| corpus.judge(&Candidate::new("once_cel").unwrap()).score;
    let (few, many) = (corpus(10), corpus(40_000));
    assert!(score(&few) >= 60 && score(&many) < 70 && score(&many) < score(&few));
    let ranked = Entry { rank: Some(1), ..Entry::new("once_cell") };
    let mut many = many;
    many.add(ranked);
    assert_eq!(score(&many), score(&few));
}

#[test]
fn repositories_have_three_names() {
    let names = |address: &str| -> Vec<String> {
        repository_names(address).iter().map(|letters| letters.iter().collect()).collect()
    };
    let three = ["polymarket", "rsclobclient", "polymarketrsclobclient"];
    assert_eq!(names("https://code.example.invalid/Polymarket/rs-clob-client.git"), three);
    assert_eq!(names("code.example.invalid/Polymarket/rs-clob-client/tree/main?x#y"), three);
    for address in
        ["", "https://", "https://code.example.invalid/", "https://code.example.invalid/only", "::::/"]
    {
        assert!(names(address).is_empty(), "{address}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A corpus to which names were added and from which names were removed answers like one that was built so.
    #[test]
    fn a_changed_corpus_answers_like_a_new_one(
        first in prop::collection::btree_set("[ab]{1,4}(-[ab2]{1,3}){0,2}", 0..12),
        second in prop::collection::btree_set("[ab]{1,4}(-[ab2]{1,3}){0,2}", 0..12),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        asked in prop::collection::vec("[ab]{1,4}(-[ab2]{1,3}){0,2}", 1..6),
    ) {
        let entry = |name: &String| Entry { rank: Some(7), ..Entry::new(name.as_str()) };
        let mut changed = Corpus::new(first.iter().map(entry).collect(), Kind::Crates).unwrap();
        for name in &second {
            changed.add(entry(name));
        }
        let mut names: Vec<String> = first.union(&second).cloned().collect();
        for index in removed {
            if !names.is_empty() {
                let name = names.remove(index.index(names.len()));
                prop_assert!(changed.remove(&name).is_some());
            }
        }
        let built = Corpus::new(names.iter().map(entry).collect(), Kind::Crates).unwrap();
        prop_assert_eq!(changed.len(), built.len());
        for name in &asked {
            // Of equal matches the older one comes first, so only the sets are compared, and only of whole answers.
            let sorted = |corpus: &Corpus| {
                let judgement = corpus.judge(&Candidate::new(name.as_str()).unwrap());
                let mut matches: Vec<String> =
                    judgement.matches.iter().map(|it| format!("{} {} {}", it.target, it.check, it.score)).collect();
                matches.sort();
                (judgement.score, matches)
            };
            let (one, other) = (sorted(&changed), sorted(&built));
            prop_assert_eq!(one.0, other.0, "{}", judged(&changed, name));
            if one.1.len() < 10 {
                prop_assert_eq!(one.1, other.1);
            }
        }
    }
}
