//! Typing errors: which edits turn one name into another.
//!
//! The distance is that of optimal string alignment (Damerau 1964): a letter left out, put in, or replaced, or two neighbours
//! that changed places, counts one. Only distances up to two are told, so nothing here is quadratic.

use std::sync::LazyLock;

/// What was done to the target to get the candidate. Positions count the letters of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    /// This letter of the target is missing.
    Omitted { at: u16, letter: char },
    /// This letter was put in before the position.
    Inserted { at: u16, letter: char },
    /// The letters at this and the next position changed places.
    Transposed { at: u16, first: char, second: char },
    /// A letter was replaced.
    Replaced { at: u16, from: char, to: char },
}

/// The edits between two names, at most two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edits {
    One(Edit),
    Two(Edit, Edit),
}

/// The fewest edits that turn `target` into `candidate`; nothing for equal names and for more than `most` (1 or 2).
pub(crate) fn between(candidate: &[char], target: &[char], most: usize) -> Option<Edits> {
    if candidate.len().abs_diff(target.len()) > most {
        return None;
    }
    let prefix = candidate.iter().zip(target).take_while(|(a, b)| a == b).count();
    let (left, right) = (&candidate[prefix..], &target[prefix..]);
    let suffix = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[..left.len() - suffix], &right[..right.len() - suffix]);
    if left.is_empty() && right.is_empty() {
        return None;
    }
    if let Some(edit) = single(left, right, prefix) {
        return Some(Edits::One(edit));
    }
    if most < 2 { None } else { double(left, right, prefix) }
}

/// The one edit between two texts, if one is enough. `offset` is where they begin.
fn single(candidate: &[char], target: &[char], offset: usize) -> Option<Edit> {
    if candidate.len().abs_diff(target.len()) > 1 {
        return None;
    }
    let common = candidate.iter().zip(target).take_while(|(a, b)| a == b).count();
    let (left, right) = (&candidate[common..], &target[common..]);
    let at = position(offset + common);
    // The lengths tell which kinds are possible.
    match (left, right) {
        ([letter, left @ ..], right) if left.len() == right.len() => {
            (left == right).then_some(Edit::Inserted { at, letter: *letter })
        }
        (left, [letter, right @ ..]) if left.len() == right.len() => {
            (left == right).then_some(Edit::Omitted { at, letter: *letter })
        }
        ([a, b, left @ ..], [c, d, right @ ..]) if a == d && b == c => {
            (left == right).then_some(Edit::Transposed { at, first: *c, second: *d })
        }
        ([to, left @ ..], [from, right @ ..]) => {
            (left == right).then_some(Edit::Replaced { at, from: *from, to: *to })
        }
        _ => None,
    }
}

/// Names are far shorter than 65,536 letters; in a longer one, edits that far behind would be shown at a wrong place.
fn position(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// The two edits between two texts that begin differently: the first one is tried in each way, and one must be enough
/// for the rest.
fn double(candidate: &[char], target: &[char], offset: usize) -> Option<Edits> {
    let at = position(offset);
    let rest = |left: &[char], right: &[char], taken: usize, first: Edit| {
        single(left, right, offset + taken).map(|second| Edits::Two(first, second))
    };
    if let ([a, b, left @ ..], [c, d, right @ ..]) = (candidate, target)
        && a == d
        && b == c
        && let Some(found) = rest(left, right, 2, Edit::Transposed { at, first: *c, second: *d })
    {
        return Some(found);
    }
    let replaced = match (candidate, target) {
        ([to, left @ ..], [from, right @ ..]) => {
            rest(left, right, 1, Edit::Replaced { at, from: *from, to: *to })
        }
        _ => None,
    };
    let omitted = || match target {
        [letter, right @ ..] => rest(candidate, right, 1, Edit::Omitted { at, letter: *letter }),
        [] => None,
    };
    let inserted = || match candidate {
        [letter, left @ ..] => rest(left, target, 0, Edit::Inserted { at, letter: *letter }),
        [] => None,
    };
    replaced.or_else(omitted).or_else(inserted)
}

impl Edit {
    /// Whether the first letter of the target is concerned.
    pub(crate) fn is_at_start(self) -> bool {
        matches!(
            self,
            Edit::Omitted { at: 0, .. }
                | Edit::Inserted { at: 0, .. }
                | Edit::Replaced { at: 0, .. }
                | Edit::Transposed { at: 0, .. }
        )
    }
}

/// Rows of a keyboard, from above, each key half a key to the right of the one above it or so.
type Keyboard = [&'static str; 4];

/// The layouts that most programmers type on (`-` stands where the key has no letter or digit).
const KEYBOARDS: [Keyboard; 3] = [
    ["1234567890", "qwertyuiop", "asdfghjkl-", "zxcvbnm---"],
    ["1234567890", "qwertzuiop", "asdfghjkl-", "yxcvbnm---"],
    ["1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn----"],
];

/// Whether two keys touch each other on one of the usual keyboards.
pub(crate) fn are_neighbours(one: char, other: char) -> bool {
    static NEIGHBOURS: LazyLock<[u64; 36]> = LazyLock::new(|| {
        let mut table = [0; 36];
        for (one, neighbours) in KEYS.chars().zip(&mut table) {
            for (at, _) in KEYS.chars().enumerate().filter(|(_, other)| touch(one, *other)) {
                *neighbours |= 1 << at;
            }
        }
        table
    });
    match (key(one), key(other)) {
        (Some(one), Some(other)) => NEIGHBOURS[one] & 1 << other != 0,
        _ => false,
    }
}

const KEYS: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

/// The place of a letter or digit in [`KEYS`].
fn key(letter: char) -> Option<usize> {
    letter.to_digit(36).map(|digit| digit as usize)
}

fn touch(one: char, other: char) -> bool {
    KEYBOARDS.iter().any(|keyboard| {
        let place = |letter: char| {
            keyboard.iter().enumerate().find_map(|(row, keys)| Some((row, keys.find(letter)?)))
        };
        let (Some((row, column)), Some((other_row, other_column))) = (place(one), place(other)) else {
            return false;
        };
        match row.abs_diff(other_row) {
            0 => column.abs_diff(other_column) == 1,
            // A key touches two of the row below: the one under it and the one before that.
            1 => {
                let (upper, lower) =
                    if row < other_row { (column, other_column) } else { (other_column, column) };
                upper == lower || upper == lower + 1
            }
            _ => false,
        }
    })
}

/// Whether two characters differ in a single bit of ASCII.
pub(crate) fn is_bit_flip(one: char, other: char) -> bool {
    one.is_ascii() && other.is_ascii() && (one as u32 ^ other as u32).is_power_of_two()
}

/// Whether a letter is a vowel.
pub(crate) fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

/// Whether two characters look alike, one by one (digraphs are [`Name::look`](crate::name::Name::look)'s).
pub(crate) fn look_alike(one: char, other: char) -> bool {
    const ALIKE: [&str; 3] = ["l1i|", "0o", "5s"];
    one != other && ALIKE.iter().any(|set| set.contains(one) && set.contains(other))
}

#[cfg(test)]
mod tests;
