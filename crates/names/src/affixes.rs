//! Words that are put before or after another crate's name, and how much each says.

use std::ops::Range;
use std::sync::LazyLock;

use crate::name::{Name, singular};

/// How much an affix says, which decides what a name with it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AffixKind {
    /// Nothing: whoever knows the target expects it under the longer name just as well.
    Empty,
    /// That this goes on where the target stopped.
    Successor,
    /// Which part of a project this is: what the target's authors would publish, and others as well.
    Part,
    /// Which inner part this is: what hardly anyone but the target's authors would publish.
    Internal,
}

/// Where in a name a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Prefix,
    Suffix,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Affix {
    pub(crate) text: Vec<char>,
    pub(crate) kind: AffixKind,
    prefix: bool,
    suffix: bool,
}

impl Affix {
    pub(crate) fn is_used_as(&self, place: Place) -> bool {
        match place {
            Place::Prefix => self.prefix,
            Place::Suffix => self.suffix,
        }
    }
}

/// The table `data/affixes.csv`, sorted for looking up.
#[derive(Debug)]
pub(crate) struct Affixes {
    pub(crate) rows: Vec<Affix>,
    /// Rows by their first letter, and those that are suffixes by their last one.
    by_first: Buckets,
    by_last: Buckets,
}

/// Indices of rows, by a letter (modulo 32).
type Buckets = [Vec<usize>; 32];

fn bucket(letter: Option<&char>) -> usize {
    letter.map_or(0, |letter| *letter as usize % 32)
}

impl Affixes {
    /// The affix that a whole word is, in the singular or plural.
    pub(crate) fn of_word(&self, word: &[char], place: Place) -> Option<&Affix> {
        let singular = singular(word);
        let mut rows = self.by_first[bucket(word.first())].iter().map(|index| &self.rows[*index]);
        rows.find(|row| row.text == word || row.text == singular).filter(|row| row.is_used_as(place))
    }

    /// The affixes with which these letters may begin or end.
    pub(crate) fn around(&self, letters: &[char]) -> impl Iterator<Item = (Place, &Affix)> {
        let row = |index: &usize| &self.rows[*index];
        let prefixes = self.by_first[bucket(letters.first())].iter().map(row).filter(|row| row.prefix);
        let suffixes = self.by_last[bucket(letters.last())].iter().map(row).filter(|row| row.suffix);
        prefixes.map(|row| (Place::Prefix, row)).chain(suffixes.map(|row| (Place::Suffix, row)))
    }

    /// Which words of a name are left when affixes are taken from both ends; all of them where nothing would be left.
    pub(crate) fn core_words(&self, name: Name<'_>) -> Range<usize> {
        let count = name.count();
        let mut words = 0..count;
        while words.end > 1 && self.of_word(name.word(words.end - 1), Place::Suffix).is_some() {
            words.end -= 1;
        }
        while words.len() > 1 && self.of_word(name.word(words.start), Place::Prefix).is_some() {
            words.start += 1;
        }
        words
    }
}

pub(crate) fn affixes() -> &'static Affixes {
    static AFFIXES: LazyLock<Affixes> = LazyLock::new(|| {
        let table = include_str!("../data/affixes.csv");
        let mut rows: Vec<Affix> = table.lines().skip(1).filter_map(row).collect();
        rows.sort_by(|a, b| a.text.cmp(&b.text));
        let (mut by_first, mut by_last) = (Buckets::default(), Buckets::default());
        for (index, row) in rows.iter().enumerate() {
            by_first[bucket(row.text.first())].push(index);
            by_last[bucket(row.text.last())].push(index);
        }
        Affixes { rows, by_first, by_last }
    });
    &AFFIXES
}

fn row(line: &str) -> Option<Affix> {
    let mut columns = line.splitn(4, ',');
    let text = columns.next()?.chars().collect();
    let place = columns.next()?;
    let kind = match columns.next()? {
        "empty" => AffixKind::Empty,
        "successor" => AffixKind::Successor,
        "part" => AffixKind::Part,
        "internal" => AffixKind::Internal,
        _ => return None,
    };
    Some(Affix { text, kind, prefix: place != "suffix", suffix: place != "prefix" })
}

#[cfg(test)]
mod tests {
    use super::{Place, affixes};

    #[test]
    fn every_row_of_the_table_is_read_and_gives_a_reason() {
        let table = include_str!("../data/affixes.csv");
        assert_eq!(affixes().rows.len(), table.lines().count() - 1);
        assert!(affixes().rows.windows(2).all(|it| it[0].text < it[1].text), "an affix is there twice");
        for line in table.lines() {
            let columns: Vec<&str> = line.split(',').collect();
            assert!(columns.len() == 4 && columns.iter().all(|it| !it.is_empty()), "{line}");
        }
    }

    #[test]
    fn an_affix_is_found_in_its_place_and_in_the_plural() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert!(affixes().of_word(&chars("macros"), Place::Suffix).is_some());
        assert!(affixes().of_word(&chars("checks"), Place::Suffix).is_some());
        assert!(affixes().of_word(&chars("cargo"), Place::Suffix).is_none());
        assert!(affixes().of_word(&chars("json"), Place::Suffix).is_none());
    }
}
