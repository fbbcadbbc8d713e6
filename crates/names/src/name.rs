//! A name, taken apart: its letters without separators, its words, and the forms that two confusable names share.
//!
//! A *form* is a rewriting under which confusable names become equal, so that one lookup finds all of them: the plural is
//! taken from every word, look-alikes are replaced by one of them, and so on. Typing errors have no such form; `deletions`
//! finds those.

use std::ops::Range;

use unicode_security::skeleton;

use crate::form::TWO_EDITS_FROM;

/// A name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// As it was given. Bytes, since to slice a string is to read it, and most are never needed.
    text: &'a [u8],
    /// Letters and digits in lower case, without separators.
    pub(crate) letters: &'a [char],
    /// Where its words end in `letters`, in order. None is empty.
    ends: &'a [u16],
}

/// Names, taken apart once and kept close together, so that comparing many of them costs no allocation.
#[derive(Debug, Default)]
pub(crate) struct Names {
    letters: Vec<char>,
    ends: Vec<u16>,
    texts: Vec<u8>,
    slots: Vec<Slot>,
}

/// Where the parts of a name are in [`Names`], and what is asked for next: one access to memory for all of it.
#[derive(Debug, Clone, Copy)]
struct Slot {
    letters: u32,
    ends: u32,
    text: u32,
    /// The name's place in the order of popularity, or what stands for it.
    rank: u32,
    /// How many letters, words and bytes of text there are. A name that was removed has no letters.
    lengths: [u16; 3],
}

impl Slot {
    fn letters(self) -> Range<usize> {
        let start = self.letters as usize;
        start..start + usize::from(self.lengths[0])
    }
}

/// What separates words. Registries of crates allow `-` and `_`, others also `.` and `/`; the rest cannot be told
/// apart from them at a glance.
fn is_separator(character: char) -> bool {
    !character.is_alphanumeric()
}

impl Names {
    /// Takes one more name apart.
    pub(crate) fn push(&mut self, text: &str, rank: u32) {
        let starts = [self.letters.len(), self.ends.len(), self.texts.len()];
        self.texts.extend_from_slice(text.as_bytes());
        let mut word = starts[0];
        for character in text.chars().chain(['-']) {
            if is_separator(character) {
                if self.letters.len() > word {
                    self.ends.push(short(self.letters.len() - starts[0]));
                }
                word = self.letters.len();
            } else if character.is_ascii() {
                self.letters.push(character.to_ascii_lowercase());
            } else {
                self.letters.extend(character.to_lowercase().filter(|it| it.is_alphanumeric()));
            }
        }
        let [letters, ends, text] = starts.map(|start| start as u32);
        let lengths = [
            short(self.letters.len() - starts[0]),
            short(self.ends.len() - starts[1]),
            short(self.texts.len() - starts[2]),
        ];
        self.slots.push(Slot { letters, ends, text, rank, lengths });
    }

    /// Forgets that there was a name at this place.
    pub(crate) fn remove(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.lengths[0] = 0;
        }
    }

    /// How many letters the name at this place has; none if it was removed.
    pub(crate) fn length(&self, index: usize) -> usize {
        self.slots.get(index).map_or(0, |slot| slot.lengths[0].into())
    }

    /// The rank of the name at this place.
    pub(crate) fn rank(&self, index: usize) -> u32 {
        self.slots.get(index).map_or(u32::MAX, |slot| slot.rank)
    }

    /// Gives the letters of the names at these places to `see`. Like
    /// [`Postings::get_all`](crate::postings::Postings::get_all), it has all accesses to memory under way at once.
    pub(crate) fn see_letters(&self, indices: &[u32], mut see: impl FnMut(u32, &[char])) {
        let range = |index: &u32| self.slots.get(*index as usize).map_or(0..0, |slot| slot.letters());
        let ranges: Vec<Range<usize>> = indices.iter().map(range).collect();
        let touched = ranges.iter().fold(0_u32, |touched, range| {
            touched ^ self.letters.get(range.start).copied().map_or(0, u32::from)
        });
        std::hint::black_box(touched);
        for (index, range) in indices.iter().zip(ranges) {
            see(*index, &self.letters[range]);
        }
    }

    /// The name that was pushed at this place, unless it was removed.
    pub(crate) fn get(&self, index: usize) -> Option<Name<'_>> {
        let slot = self.slots.get(index).filter(|slot| slot.lengths[0] > 0)?;
        let (ends, text) = (slot.ends as usize, slot.text as usize);
        Some(Name {
            text: &self.texts[text..text + usize::from(slot.lengths[2])],
            letters: &self.letters[slot.letters()],
            ends: &self.ends[ends..ends + usize::from(slot.lengths[1])],
        })
    }
}

/// A length within a name, which has 128 characters at most ([`MAX_NAME`](crate::MAX_NAME)).
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// One name that stands alone.
#[derive(Debug)]
pub(crate) struct OwnedName(Names);

impl OwnedName {
    pub(crate) fn new(text: &str) -> OwnedName {
        let mut names = Names {
            letters: Vec::with_capacity(text.len()),
            ends: Vec::with_capacity(8),
            texts: Vec::with_capacity(text.len()),
            slots: Vec::with_capacity(1),
        };
        names.push(text, u32::MAX);
        OwnedName(names)
    }

    pub(crate) fn as_name(&self) -> Name<'_> {
        self.0.get(0).unwrap_or(Name { text: b"", letters: &[], ends: &[] })
    }
}

impl<'a> Name<'a> {
    /// As it was given.
    pub(crate) fn text(self) -> &'a str {
        std::str::from_utf8(self.text).unwrap_or_default()
    }

    /// How many words it has.
    pub(crate) fn count(self) -> usize {
        self.ends.len()
    }

    pub(crate) fn word(self, index: usize) -> &'a [char] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.letters[usize::from(start)..usize::from(self.ends[index])]
    }

    pub(crate) fn words(self) -> impl DoubleEndedIterator<Item = &'a [char]> + ExactSizeIterator {
        (0..self.count()).map(move |index| self.word(index))
    }

    /// Whether both have their words at the same places.
    pub(crate) fn has_words_like(self, other: Name<'_>) -> bool {
        self.ends == other.ends
    }

    /// Whether a word ends before this letter (or the name does).
    pub(crate) fn is_word_end(self, letter: usize) -> bool {
        self.ends.iter().any(|end| usize::from(*end) == letter)
    }

    /// Whether all words of another name, which has fewer, are in this one in the same order.
    pub(crate) fn has_words_of(self, other: Name<'_>) -> bool {
        let mut words = self.words();
        other.count() < self.count() && other.words().all(|word| words.any(|own| own == word))
    }

    /// The letters of the words but those for which `leave_out` says so.
    pub(crate) fn without(self, leave_out: impl Fn(usize) -> bool) -> Vec<char> {
        let mut letters = Vec::with_capacity(self.letters.len());
        for index in (0..self.count()).filter(|index| !leave_out(*index)) {
            letters.extend_from_slice(self.word(index));
        }
        letters
    }

    /// Every word in the singular.
    pub(crate) fn singular(self) -> impl Iterator<Item = &'a char> {
        self.words().flat_map(singular)
    }

    /// Every word without the endings that make another form of it.
    pub(crate) fn stems(self) -> impl Iterator<Item = &'a char> {
        self.words().flat_map(|word| stem(singular(word)))
    }

    /// Without digits, and without the `v` of a version: `foo-v2`, `foo2` and `foo` are one.
    pub(crate) fn without_numbers(self) -> impl Iterator<Item = &'a char> {
        self.words().flat_map(without_number)
    }

    /// Its numbers, in order: `x86_64` has `86` and `64`.
    pub(crate) fn numbers(self) -> Vec<String> {
        let runs = self.words().flat_map(|word| word.split(|it| !it.is_numeric()));
        runs.filter(|run| !run.is_empty()).map(String::from_iter).collect()
    }

    /// Its letters with one mark for each number.
    pub(crate) fn number_places(self) -> impl Iterator<Item = char> {
        let mark = |letter: char| if letter.is_numeric() { '#' } else { letter };
        let letters = self.letters;
        letters.iter().enumerate().filter_map(move |(at, letter)| {
            let repeated = at > 0 && letter.is_numeric() && letters[at - 1].is_numeric();
            (!repeated).then_some(mark(*letter))
        })
    }

    /// The numbers that this name and another one do not share: place by place where both have as many, else those that
    /// the other one lacks.
    pub(crate) fn other_numbers(self, other: Name<'_>) -> (Vec<String>, Vec<String>) {
        let (own, others) = (self.numbers(), other.numbers());
        if own.len() == others.len() {
            return own.into_iter().zip(others).filter(|(own, other)| own != other).unzip();
        }
        let lacking = |numbers: &[String], known: &[String]| {
            numbers.iter().filter(|it| !known.contains(it)).cloned().collect()
        };
        (lacking(&own, &others), lacking(&others, &own))
    }

    /// As it looks at a glance.
    pub(crate) fn look(self) -> Vec<char> {
        if self.text.contains(&b'I') {
            let text = self.text().replace('I', "l");
            look(OwnedName::new(&text).as_name().letters)
        } else {
            look(self.letters)
        }
    }

    /// As it sounds, roughly.
    pub(crate) fn sound(self) -> Vec<char> {
        sound(self.letters)
    }

    /// Its letters in alphabetical order, for names that are too short for two edits to be found by what is left. Nothing
    /// for longer ones.
    pub(crate) fn sorted_letters(self) -> Option<Vec<char>> {
        if self.letters.len() > TWO_EDITS_FROM {
            return None;
        }
        let mut letters = self.letters.to_vec();
        letters.sort_unstable();
        Some(letters)
    }

    /// Its words in alphabetical order. Nothing for a single word.
    pub(crate) fn sorted_words(self) -> Vec<char> {
        if self.count() < 2 {
            return Vec::new();
        }
        let mut words: Vec<&[char]> = self.words().collect();
        words.sort_unstable();
        words.join(&'-')
    }

    /// Its letters with its two or three words in any other order: `cfg-if` has `ifcfg`. More words have too many.
    pub(crate) fn reordered(self) -> Vec<Vec<char>> {
        const TWO: &[&[usize]] = &[&[1, 0]];
        const THREE: &[&[usize]] = &[&[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]];
        let orders = match self.count() {
            2 => TWO,
            3 => THREE,
            _ => &[],
        };
        orders
            .iter()
            .map(|order| order.iter().flat_map(|index| self.word(*index)).copied().collect())
            .collect()
    }
}

/// A word without a plural's ending. Short words (`os`, `aws`) and those in `ss` (`less`) have none.
pub(crate) fn singular(word: &[char]) -> &[char] {
    match word {
        [.., 's', 's'] => word,
        [rest @ .., 'e', 's'] if rest.len() >= 3 && hisses(rest) => rest,
        [rest @ .., 's'] if rest.len() >= 3 => rest,
        _ => word,
    }
}

/// Whether the plural of the word takes `es`: `boxes`, `matches`.
fn hisses(word: &[char]) -> bool {
    matches!(word, [.., 's' | 'x' | 'z'] | [.., 'c' | 's', 'h'])
}

/// A word without the ending of a comparative, agent, participle or adverb.
fn stem(word: &[char]) -> &[char] {
    match word {
        [rest @ .., 'i', 'n', 'g'] if rest.len() >= 4 => rest,
        [rest @ .., 'e', 'r'] | [rest @ .., 'e', 'd'] | [rest @ .., 'l', 'y'] | [rest @ .., 'o', 'r']
            if rest.len() >= 4 =>
        {
            rest
        }
        [rest @ .., 'e'] if rest.len() >= 4 => rest,
        _ => word,
    }
}

/// A word without digits and the `v` of a version.
pub(crate) fn without_number(word: &[char]) -> impl Iterator<Item = &char> {
    without_version(word).iter().filter(|it| !it.is_numeric())
}

/// A word without the `v` of `v2`.
fn without_version(word: &[char]) -> &[char] {
    let digits = word.iter().rev().take_while(|it| it.is_numeric()).count();
    let rest = &word[..word.len() - digits];
    match rest {
        [rest @ .., 'v'] if digits > 0 && (rest.is_empty() || rest.len() >= 3) => rest,
        _ => rest,
    }
}

/// Letters, with one of each pair of look-alikes in the place of both. Characters beyond ASCII are first replaced by the
/// prototype that Unicode gives (UTS #39, section 4).
fn look(letters: &[char]) -> Vec<char> {
    let prototypes: Vec<char>;
    let letters = if letters.iter().all(char::is_ascii) {
        letters
    } else {
        prototypes = letters.iter().flat_map(|letter| prototype(*letter)).collect();
        &prototypes
    };
    let mut seen = Vec::with_capacity(letters.len());
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let (shown, length) = match (letter, letters.get(at + 1)) {
            ('r', Some('n')) => ('m', 2),
            ('v', Some('v')) => ('w', 2),
            ('c', Some('l' | '1')) => ('d', 2),
            ('1' | '|', _) => ('l', 1),
            ('0', _) => ('o', 1),
            ('5', _) => ('s', 1),
            _ => (letter, 1),
        };
        seen.push(shown);
        at += length;
    }
    seen
}

/// What one character looks like, in lower case; ASCII looks like itself (Unicode has `m` as `rn`, which [`look`] undoes).
fn prototype(letter: char) -> Vec<char> {
    if letter.is_ascii() {
        return vec![letter];
    }
    let mut buffer = [0; 4];
    let text: &str = letter.encode_utf8(&mut buffer);
    skeleton(text).flat_map(char::to_lowercase).filter(|it| it.is_alphanumeric() || *it == '|').collect()
}

/// Letters as they sound in English, roughly: names that sound alike get the same text.
fn sound(letters: &[char]) -> Vec<char> {
    let mut heard: Vec<char> = Vec::with_capacity(letters.len());
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let (sounds, length): (&[char], usize) = match (letter, letters.get(at + 1), letters.get(at + 2)) {
            ('p', Some('h'), _) => (&['f'], 2),
            ('o', Some('u'), Some('r')) => (&['o', 'r'], 3),
            ('c', Some('k'), _) => (&['k'], 2),
            ('c', Some('h'), _) => (&['c', 'h'], 2),
            ('c' | 'q', _, _) => (&['k'], 1),
            ('z', _, _) => (&['s'], 1),
            ('x', _, _) => (&['k', 's'], 1),
            _ => (std::slice::from_ref(&letter), 1),
        };
        heard.extend_from_slice(sounds);
        at += length;
    }
    heard
}

#[cfg(test)]
mod tests;
