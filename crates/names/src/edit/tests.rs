//! Edits against a plain dynamic program, and the kinds that they are.

use proptest::prelude::*;

use super::{Edit, Edits, are_neighbours, between, is_bit_flip, look_alike};

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn edits(candidate: &str, target: &str) -> Option<Edits> {
    between(&chars(candidate), &chars(target), 2)
}

/// The distance of optimal string alignment, as textbooks have it.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut table = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            table[i][j] = match (i, j) {
                (0, _) | (_, 0) => i + j,
                _ => {
                    let replaced = table[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
                    let mut best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                        best = best.min(table[i - 2][j - 2] + 1);
                    }
                    best
                }
            };
        }
    }
    table[one.len()][other.len()]
}

/// Makes the candidate of the target, to see that the edits are the true ones.
fn applied(target: &[char], edits: Edits) -> Vec<char> {
    let list = match edits {
        Edits::One(edit) => vec![edit],
        Edits::Two(first, second) => vec![second, first],
    };
    let mut letters = target.to_vec();
    // From behind, so that the positions stay those of the target.
    for edit in list {
        match edit {
            Edit::Omitted { at, letter } => assert_eq!(letters.remove(at.into()), letter),
            Edit::Inserted { at, letter } => letters.insert(at.into(), letter),
            Edit::Transposed { at, .. } => letters.swap(at.into(), usize::from(at) + 1),
            Edit::Replaced { at, from, to } => {
                assert_eq!(letters[usize::from(at)], from);
                letters[usize::from(at)] = to;
            }
        }
    }
    letters
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_distance_is_the_textbook_s(one in "[abc]{0,7}", other in "[abc]{0,7}") {
        let (one, other) = (chars(&one), chars(&other));
        for most in [1, 2] {
            let found = between(&one, &other, most);
            let count = found.map(|edits| if matches!(edits, Edits::One(_)) { 1 } else { 2 });
            let expected = distance(&one, &other);
            prop_assert_eq!(count, (1..=most).contains(&expected).then_some(expected));
            if let Some(edits) = found {
                prop_assert_eq!(applied(&other, edits), one.clone());
            }
        }
    }
}

#[test]
fn edits_are_told_apart() {
    assert_eq!(edits("serd", "serde"), Some(Edits::One(Edit::Omitted { at: 4, letter: 'e' })));
    assert_eq!(edits("serdes", "serde"), Some(Edits::One(Edit::Inserted { at: 5, letter: 's' })));
    assert_eq!(
        edits("rewqest", "reqwest"),
        Some(Edits::One(Edit::Transposed { at: 2, first: 'q', second: 'w' }))
    );
    assert_eq!(edits("dtolney", "dtolnay"), Some(Edits::One(Edit::Replaced { at: 5, from: 'a', to: 'e' })));
    assert_eq!(edits("serde", "serde"), None);
    assert_eq!(edits("", "abc"), None);
}

#[test]
fn keys_that_touch_are_neighbours() {
    for (one, other) in [('q', 'w'), ('a', 'q'), ('a', 'z'), ('s', 'x'), ('1', 'q'), ('z', 't'), ('m', 'l')] {
        assert!(are_neighbours(one, other) && are_neighbours(other, one), "{one}{other}");
    }
    for (one, other) in [('q', 'p'), ('a', 'l'), ('e', 'e'), ('-', 'p'), ('é', 'e'), ('x', '-')] {
        assert!(!are_neighbours(one, other), "{one}{other}");
    }
}

#[test]
fn bits_and_looks_are_compared() {
    assert!(
        is_bit_flip('r', 'p') && !is_bit_flip('r', 'r') && !is_bit_flip('r', 'd') && !is_bit_flip('r', 'ŕ')
    );
    assert!(look_alike('l', '1') && look_alike('0', 'o') && !look_alike('l', 'l') && !look_alike('a', 'o'));
}
