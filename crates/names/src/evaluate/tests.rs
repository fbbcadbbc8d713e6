//! Measuring: what is counted, and what is left out.

use super::{Pair, Questions, evaluate, pairs};
use crate::{Corpus, Kind, TableError};

const PAIRS: &str = "\
typo,target,ecosystem,label,class
oncecell,once_cell,crates,malicious,delimiter
finch-rust,finch,crates,malicious,combosquat
entirely-else,serde,crates,malicious,brandjack
djago,django,other,malicious,omission
serdes,serde,crates,benign,plural
";

fn corpus() -> Corpus {
    Corpus::parse("rank,name\n1,serde\n2,once_cell\n3,tracing\n4,tracings\n", Kind::Crates).unwrap()
}

fn questions(benign: &[&str]) -> Questions {
    let benign = benign.iter().map(|name| (*name).to_owned()).collect();
    Questions { pairs: pairs(PAIRS).unwrap(), benign, mutants: 0, seed: 0 }
}

#[test]
fn attacks_are_counted_by_ecosystem_and_harmless_pairs_apart() {
    let evaluation = evaluate(&mut corpus(), &questions(&[]), |_| ());
    let crates = &evaluation.attacks[0];
    assert_eq!((crates.name.as_str(), crates.levels.alert.part, crates.levels.alert.of), ("crates", 2, 3));
    assert_eq!((evaluation.attacks[1].name.as_str(), evaluation.attacks[1].levels.alert.part), ("other", 1));
    assert_eq!(evaluation.harmless_pairs.alert.of, 1);
    assert_eq!(evaluation.attack_classes.len(), 4);
}

/// `finch` and `django` are targets for as long as their pair is judged.
#[test]
fn missing_targets_join_the_corpus_and_leave_it() {
    let mut corpus = corpus();
    evaluate(&mut corpus, &questions(&[]), |_| ());
    assert!(corpus.len() == 4 && !corpus.contains("finch") && !corpus.contains("django"));
}

#[test]
fn harmless_names_are_judged_with_themselves_left_out() {
    let evaluation = evaluate(&mut corpus(), &questions(&["tracings", "unrelated", "", "a b"]), |_| ());
    assert_eq!((evaluation.benign.alert.part, evaluation.benign.alert.of), (1, 2));
    assert_eq!(evaluation.benign.unjudged, 2);
}

#[test]
fn the_curve_falls_with_the_threshold() {
    let evaluation = evaluate(&mut corpus(), &questions(&["tracings", "unrelated"]), |_| ());
    let recalls: Vec<usize> = evaluation.curve.iter().map(|point| point.recall.part).collect();
    assert!(recalls.is_sorted_by(|a, b| a >= b) && recalls[0] > 0, "{recalls:?}");
    for point in &evaluation.curve {
        assert_eq!(point.precision.part, point.recall.part);
        assert_eq!(point.precision.of, point.recall.part + point.flagged.part);
    }
}

#[test]
fn pairs_may_have_the_columns_of_either_table() {
    let read = pairs("name,lookalike_of\natom,atoi\n").unwrap();
    assert_eq!(
        read[0],
        Pair {
            name: "atom".to_owned(),
            target: "atoi".to_owned(),
            ecosystem: "any".to_owned(),
            class: "any".to_owned(),
            malicious: true,
        }
    );
    assert!(matches!(pairs("name,other\na,b\n"), Err(TableError::NoTargets)));
    assert!(matches!(pairs("name,target\na,b\nc,\n"), Err(TableError::NoTarget { line: 3 })));
}

/// The first match has to be the true target. The bounds are below what was measured (docs/names.md) by what chance does to
/// a hundred mutants; a check that stops working falls far below them.
#[test]
fn mutants_lead_to_what_they_were_made_of() {
    let questions = Questions { mutants: 100, seed: 11, ..Questions::default() };
    let corpus = Corpus::popular_crates();
    let mut corpus = Corpus::new(corpus.entries().cloned().collect(), Kind::Crates).unwrap();
    let evaluation = evaluate(&mut corpus, &questions, |_| ());
    assert_eq!(evaluation.mutants.len(), crate::MUTANT_CLASSES.len());
    for group in &evaluation.mutants {
        assert!(group.first.of >= 90, "{}: only {} mutants", group.class.id, group.first.of);
        let bound = if group.class.id == "affix removed" { 0.75 } else { 0.9 };
        let share = group.first.value().unwrap();
        assert!(share >= bound, "{}: {share}, for example {:?}", group.class.id, group.wrong);
    }
    let again = evaluate(&mut corpus, &questions, |_| ());
    assert!(again.mutants.iter().zip(&evaluation.mutants).all(|(a, b)| a.first == b.first), "seeded");
}
