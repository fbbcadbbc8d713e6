//! Hashes of the forms that names are found by.
//!
//! Hashes are polynomials over wrapping 64-bit integers, so that the hash of a text without two of its letters costs three
//! multiplications. They are no defence against someone who makes names collide: those only cost a comparison each.

use crate::name::Name;
use crate::postings::Hash;

/// What a hash was made of. The numbers are part of the snapshot's format.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Form {
    /// The letters themselves.
    Letters = 1,
    /// The letters, or the letters without one of them.
    Deletion = 2,
    /// See [`Name::look`].
    Look = 3,
    /// See [`Name::singular`].
    Singular = 4,
    /// See [`Name::stems`].
    Stems = 5,
    /// See [`Name::without_numbers`].
    WithoutNumbers = 6,
    /// See [`Name::sound`].
    Sound = 7,
    /// See [`Name::sorted_words`].
    SortedWords = 8,
    /// See [`Name::reordered`].
    Reordered = 9,
    /// The words that are no affixes.
    Core = 10,
    /// All words but one.
    WordMissing = 11,
    /// One word.
    Word = 12,
    /// The name of a repository or an organisation.
    Repository = 13,
    /// See [`Name::sorted_letters`].
    SortedLetters = 14,
    /// The letters, or the letters without one or two of them, of popular names.
    TwoDeletions = 15,
}

/// Any odd number with well mixed bits does; this one is 2^64 divided by the golden ratio.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Two edits are looked for from this many letters on: in a shorter name they leave no likeness.
pub(crate) const TWO_EDITS_FROM: usize = 4;

/// Names with more words have all words but one, or but two, of too many kinds to be of any use.
pub(crate) const MOST_WORDS: usize = 32;

fn step(hash: u64, letter: char) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(letter as u64 + 1)
}

/// Spreads every bit over all others (the finalizer of SplitMix64), differently for each form.
fn finish(form: Form, hash: u64) -> Hash {
    let mut mixed = hash ^ (form as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The hash of letters in a form.
pub(crate) fn hash<'a>(form: Form, letters: impl IntoIterator<Item = &'a char>) -> Hash {
    finish(form, letters.into_iter().fold(0, |hash, letter| step(hash, *letter)))
}

/// Hashes of the letters without any one of them ([`Form::Deletion`]) or any two ([`Form::TwoDeletions`]), and of those
/// without fewer.
///
/// Two texts of which one becomes the other by so many edits have one of these in common (Garbe's symmetric deletions).
pub(crate) fn deletions(form: Form, letters: &[char], hashes: &mut Vec<Hash>) {
    let count = letters.len();
    let two = matches!(form, Form::TwoDeletions);
    hashes.reserve(if two { 1 + count + count * count / 2 } else { count + 1 });
    // The hash of the letters from each place on, and the factor that letters before that place have.
    let mut tails = vec![(0_u64, 1_u64); count + 1];
    for at in (0..count).rev() {
        let (tail, power) = tails[at + 1];
        let letter = letters[at] as u64 + 1;
        tails[at] = (letter.wrapping_mul(power).wrapping_add(tail), power.wrapping_mul(BASE));
    }
    let joined = |head: u64, at: usize| {
        let (tail, power) = tails[at];
        finish(form, head.wrapping_mul(power).wrapping_add(tail))
    };
    hashes.push(joined(0, 0));
    let mut head = 0;
    for first in 0..count {
        // Any letter of a run leaves the same text, so only the first one is left out.
        if first == 0 || letters[first] != letters[first - 1] {
            hashes.push(joined(head, first + 1));
            if two {
                let mut middle = head;
                for second in first + 1..count {
                    if second == first + 1 || letters[second] != letters[second - 1] {
                        hashes.push(joined(middle, second + 1));
                    }
                    middle = step(middle, letters[second]);
                }
            }
        }
        head = step(head, letters[first]);
    }
}

/// Two edits are looked for in names up to this rank: in a whole registry every name is
/// two edits away from some other one.
const TWO_EDITS_RANK: u32 = 10_000;

/// The hashes by which two edits are found, for names in which they are looked for.
pub(crate) fn of_popular_name(name: Name<'_>, rank: u32, hashes: &mut Vec<Hash>) {
    if rank <= TWO_EDITS_RANK {
        deletions(Form::TwoDeletions, name.letters, hashes);
    }
}

/// The hashes that a name of a corpus is found by, apart from its repository's and [those for two edits](of_popular_name).
pub(crate) fn of_name(name: Name<'_>, core: &[char], hashes: &mut Vec<Hash>) {
    let letters = name.letters;
    hashes.push(hash(Form::Letters, letters));
    hashes.push(hash(Form::Look, &name.look()));
    hashes.push(hash(Form::Singular, name.singular()));
    hashes.push(hash(Form::Stems, name.stems()));
    hashes.push(hash(Form::WithoutNumbers, name.without_numbers()));
    hashes.push(hash(Form::Sound, &name.sound()));
    hashes.extend(name.sorted_letters().map(|letters| hash(Form::SortedLetters, &letters)));
    if core.len() < letters.len() {
        hashes.push(hash(Form::Core, core));
    }
    deletions(Form::Deletion, letters, hashes);
    for word in name.words() {
        hashes.push(hash(Form::Word, word));
    }
    if name.count() < 2 || name.count() > MOST_WORDS {
        return;
    }
    hashes.push(hash(Form::SortedWords, &name.sorted_words()));
    hashes.extend(name.reordered().iter().map(|letters| hash(Form::Reordered, letters)));
    for index in 0..name.count() {
        hashes.push(hash(Form::WordMissing, &name.without(|it| it == index)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Form, deletions, hash};

    fn hashes(form: Form, letters: &[char]) -> Vec<u64> {
        let mut hashes = Vec::new();
        deletions(form, letters, &mut hashes);
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    proptest! {
        #[test]
        fn deletions_are_the_hashes_of_what_is_left(text in "[ab_x1]{1,9}") {
            let letters: Vec<char> = text.chars().collect();
            let without = |letters: &[char], at: usize| [&letters[..at], &letters[at + 1..]].concat();
            let once: Vec<Vec<char>> = (0..letters.len()).map(|at| without(&letters, at)).collect();
            let twice = once.iter().flat_map(|once| (0..once.len()).map(|at| without(once, at)));
            let mut rest = vec![letters.clone()];
            rest.extend(once.clone());
            let expected = |form, rest: &[Vec<char>]| {
                let mut hashes: Vec<u64> = rest.iter().map(|letters| hash(form, letters)).collect();
                hashes.sort_unstable();
                hashes.dedup();
                hashes
            };
            prop_assert_eq!(hashes(Form::Deletion, &letters), expected(Form::Deletion, &rest));
            rest.extend(twice);
            prop_assert_eq!(hashes(Form::TwoDeletions, &letters), expected(Form::TwoDeletions, &rest));
        }
    }
}
