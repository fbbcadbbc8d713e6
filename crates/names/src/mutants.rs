//! Names as an attacker or a slip would make them from a target's, class by class, for measuring.

use fastrand::Rng;

use crate::affixes::{Place, affixes};
use crate::check::Check;
use crate::edit;
use crate::name::{OwnedName, singular};

/// One way to make a confusable name.
#[derive(Debug, Clone, Copy)]
pub struct MutantClass {
    /// What it is called in reports.
    pub id: &'static str,
    /// The check that is about such names.
    pub check: Check,
    make: fn(&str, &mut Rng) -> Option<String>,
}

/// All classes.
pub const MUTANT_CLASSES: &[MutantClass] = &[
    class("separator replaced", Check::Separators, separator_replaced),
    class("separators removed", Check::Separators, separators_removed),
    class("separator added", Check::Separators, separator_added),
    class("case changed", Check::Separators, case_changed),
    class("letter omitted", Check::OmittedLetter, omitted),
    class("letter inserted", Check::InsertedLetter, inserted),
    class("letter repeated", Check::RepeatedLetter, repeated),
    class("letters transposed", Check::TransposedLetters, transposed),
    class("letter replaced", Check::ReplacedLetter, replaced),
    class("vowel replaced", Check::ReplacedVowel, vowel_replaced),
    class("keyboard neighbour", Check::KeyboardNeighbour, keyboard_neighbour),
    class("bit flip", Check::BitFlip, bit_flip),
    class("letters two apart swapped", Check::SwappedLetters, swapped),
    class("two edits", Check::TwoEdits, two_edits),
    class("look-alike letter", Check::LookAlike, look_alike_letter),
    class("look-alike digraph", Check::LookAlike, look_alike_digraph),
    class("unicode confusable", Check::LookAlike, unicode_confusable),
    class("words reordered", Check::WordOrder, words_reordered),
    class("plural of a word", Check::Plural, plural_of_a_word),
    class("singular of a word", Check::Plural, singular_of_a_word),
    class("number added", Check::Number, number_added),
    class("number changed", Check::Number, number_changed),
    class("number removed", Check::Number, number_removed),
    class("affix added", Check::AffixAdded, affix_added),
    class("affix glued", Check::AffixAdded, affix_glued),
    class("affix removed", Check::AffixRemoved, affix_removed),
    class("affix replaced", Check::AffixReplaced, affix_replaced),
    class("word added", Check::ExtraWords, word_added),
    class("two words added", Check::ExtraWords, two_words_added),
    class("word dropped", Check::MissingWord, word_dropped),
    class("spelt by sound", Check::Phonetic, spelt_by_sound),
    class("affix and typing error", Check::AffixAndTypo, affix_and_typo),
];

const fn class(id: &'static str, check: Check, make: fn(&str, &mut Rng) -> Option<String>) -> MutantClass {
    MutantClass { id, check, make }
}

impl MutantClass {
    /// A mutant of `target`, or nothing where it has none of this class (or none that differs from it).
    pub(crate) fn make(&self, target: &str, random: &mut Rng) -> Option<String> {
        (self.make)(target, random).filter(|mutant| mutant != target)
    }
}

/// Words that attackers and benign authors alike put beside another name, taken from names in the wild.
const WORDS: &[&str] = &[
    "ethers", "anchor", "json", "http", "wallet", "proto", "config", "parser", "cache", "log", "metrics",
    "codec", "bridge", "engine", "stream", "token", "secure", "native", "session", "layer",
];

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// A random one of the positions for which `fits` is true.
fn position(letters: &[char], random: &mut Rng, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let fitting: Vec<usize> = (0..letters.len()).filter(|at| fits(*at)).collect();
    random.choice(fitting)
}

fn random_letter(random: &mut Rng) -> char {
    random.choice(chars(LETTERS)).unwrap_or('x')
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_lowercase()
}

fn with_letter(target: &str, at: usize, letter: char) -> String {
    target.chars().enumerate().map(|(index, old)| if index == at { letter } else { old }).collect()
}

fn separator_replaced(target: &str, _: &mut Rng) -> Option<String> {
    let swap = |letter| match letter {
        '-' => '_',
        '_' => '-',
        other => other,
    };
    Some(target.chars().map(swap).collect())
}

fn separators_removed(target: &str, _: &mut Rng) -> Option<String> {
    Some(target.replace(['-', '_'], ""))
}

fn separator_added(target: &str, random: &mut Rng) -> Option<String> {
    let letters = chars(target);
    let at = position(&letters, random, |at| {
        at > 1 && at + 1 < letters.len() && letters[at - 1..=at].iter().all(|it| it.is_alphanumeric())
    })?;
    let (head, tail) = letters.split_at(at);
    Some(head.iter().chain(&['-']).chain(tail).collect())
}

fn case_changed(target: &str, random: &mut Rng) -> Option<String> {
    let letters = chars(target);
    let at = position(&letters, random, |at| is_letter(letters[at]))?;
    Some(with_letter(target, at, letters[at].to_ascii_uppercase()))
}

fn omitted(target: &str, random: &mut Rng) -> Option<String> {
    let letters = chars(target);
    let at = position(&letters, random, |at| letters[at].is_alphanumeric())?;
    Some(target.chars().enumerate().filter(|(index, _)| *index != at).map(|(_, letter)| letter).collect())
}

fn insert(target: &str, at: usize, letter: char) -> String {
    let mut letters = chars(target);
    letters.insert(at.min(letters.len()), letter);
    letters.into_iter().collect()
}

fn inserted(target: &str, random: &mut Rng) -> Option<String> {
    let at = random.usize(0..=target.chars().count());
    let letter = random_letter(random);
    Some(insert(target, at, letter))
}

fn repeated(target: &str, random: &mut Rng) -> Option<String> {
    let letters = chars(target);
    let at = position(&letters, random, |at| letters[at].is_alphanumeric())?;
    Some(insert(target, at, letters[at]))
}

fn swap(target: &str, distance: usize, random: &mut Rng) -> Option<String> {
    let mut letters = chars(target);
    let at = position(&letters, random, |at| {
        letters.get(at + distance).is_some_and(|other| {
            *other != letters[at] && letters[at..=at + distance].iter().all(|it| it.is_alphanumeric())
        })
    })?;
    letters.swap(at, at + distance);
    Some(letters.into_iter().collect())
}

fn transposed(target: &str, random: &mut Rng) -> Option<String> {
    swap(target, 1, random)
}

fn swapped(target: &str, random: &mut Rng) -> Option<String> {
    swap(target, 2, random)
}

/// Replaces a random letter by a random one that `fits`.
fn replace_letter(target: &str, random: &mut Rng, fits: impl Fn(char, char) -> bool) -> Option<String> {
    let letters = chars(target);
    let replacements =
        |old: char| LETTERS.chars().chain('0'..='9').filter(move |new| *new != old).collect::<Vec<_>>();
    let at = position(&letters, random, |at| {
        letters[at].is_alphanumeric() && replacements(letters[at]).iter().any(|new| fits(letters[at], *new))
    })?;
    let fitting = replacements(letters[at]).into_iter().filter(|new| fits(letters[at], *new));
    let letter = random.choice(fitting.collect::<Vec<_>>())?;
    Some(with_letter(target, at, letter))
}

fn replaced(target: &str, random: &mut Rng) -> Option<String> {
    replace_letter(target, random, |old, new| is_letter(old) && is_letter(new))
}

fn vowel_replaced(target: &str, random: &mut Rng) -> Option<String> {
    replace_letter(target, random, |old, new| edit::is_vowel(old) && edit::is_vowel(new))
}

fn keyboard_neighbour(target: &str, random: &mut Rng) -> Option<String> {
    replace_letter(target, random, |old, new| is_letter(old) && edit::are_neighbours(old, new))
}

fn bit_flip(target: &str, random: &mut Rng) -> Option<String> {
    replace_letter(target, random, edit::is_bit_flip)
}

fn two_edits(target: &str, random: &mut Rng) -> Option<String> {
    let edits = [omitted, inserted, transposed, replaced];
    let once = random.choice(edits)?(target, random)?;
    random.choice(edits)?(&once, random)
}

fn look_alike_letter(target: &str, random: &mut Rng) -> Option<String> {
    replace_letter(target, random, |old, new| edit::look_alike(old, new) && (old != 'i' && new != 'i'))
}

/// Replaces a random place where one of the pairs is, in either direction.
fn replace_text(target: &str, pairs: &[(&str, &str)], random: &mut Rng) -> Option<String> {
    let both = pairs.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
    let places: Vec<(usize, &str, &str)> =
        both.flat_map(|(old, new)| target.match_indices(old).map(move |(at, _)| (at, old, new))).collect();
    let (at, old, new) = random.choice(places)?;
    Some(format!("{}{new}{}", &target[..at], &target[at + old.len()..]))
}

fn look_alike_digraph(target: &str, random: &mut Rng) -> Option<String> {
    replace_text(target, &[("rn", "m"), ("vv", "w"), ("cl", "d")], random)
}

fn unicode_confusable(target: &str, random: &mut Rng) -> Option<String> {
    // Cyrillic and Greek letters of UTS #39's table.
    let pairs = [
        ("a", "а"),
        ("c", "с"),
        ("e", "е"),
        ("i", "і"),
        ("o", "о"),
        ("p", "р"),
        ("x", "х"),
        ("y", "у"),
        ("v", "ν"),
    ];
    let places: Vec<(usize, &str)> = pairs
        .iter()
        .flat_map(|(old, new)| target.match_indices(old).map(move |(at, _)| (at, *new)))
        .collect();
    let (at, new) = random.choice(places)?;
    Some(format!("{}{new}{}", &target[..at], &target[at + 1..]))
}

fn words_of(target: &str) -> Vec<&str> {
    target.split(['-', '_']).filter(|word| !word.is_empty()).collect()
}

fn separator(target: &str) -> &'static str {
    if target.contains('_') { "_" } else { "-" }
}

fn words_reordered(target: &str, random: &mut Rng) -> Option<String> {
    let mut words = words_of(target);
    if words.len() < 2 {
        return None;
    }
    random.shuffle(&mut words);
    Some(words.join(separator(target)))
}

/// Changes one random word for which there is a change.
fn change_word(target: &str, random: &mut Rng, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let words = words_of(target);
    let changed: Vec<(usize, String)> =
        words.iter().enumerate().filter_map(|(at, word)| Some((at, change(word)?))).collect();
    let (at, word) = random.choice(changed)?;
    let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    words[at] = word;
    Some(words.join(separator(target)))
}

fn plural_of_a_word(target: &str, random: &mut Rng) -> Option<String> {
    change_word(target, random, |word| {
        (word.len() > 2 && word.ends_with(is_letter) && !word.ends_with('s')).then(|| format!("{word}s"))
    })
}

fn singular_of_a_word(target: &str, random: &mut Rng) -> Option<String> {
    change_word(target, random, |word| {
        let letters = chars(word);
        let rest = singular(&letters);
        (rest.len() < letters.len()).then(|| rest.iter().collect())
    })
}

fn number_added(target: &str, random: &mut Rng) -> Option<String> {
    if target.ends_with(char::is_numeric) {
        return None;
    }
    let form = random.choice(["2", "-2", "_2", "-v2", "3", "1"])?;
    Some(format!("{target}{form}"))
}

fn number_changed(target: &str, random: &mut Rng) -> Option<String> {
    let letters = chars(target);
    let at = position(&letters, random, |at| letters[at].is_numeric())?;
    let digit = random.choice(('1'..='9').filter(|it| *it != letters[at]).collect::<Vec<_>>())?;
    Some(with_letter(target, at, digit))
}

fn number_removed(target: &str, _: &mut Rng) -> Option<String> {
    let rest = target.trim_end_matches(char::is_numeric);
    let rest = rest.trim_end_matches(['-', '_']);
    (rest.len() < target.len() && rest.len() > 1).then(|| rest.to_owned())
}

/// A random affix and its place.
fn affix(random: &mut Rng) -> Option<(String, Place)> {
    let place = random.choice([Place::Prefix, Place::Suffix, Place::Suffix, Place::Suffix])?;
    let fitting: Vec<_> = affixes().rows.iter().filter(|it| it.is_used_as(place)).collect();
    Some((random.choice(fitting)?.text.iter().collect(), place))
}

fn join(target: &str, separator: &str, affix: &str, place: Place) -> String {
    match place {
        Place::Prefix => format!("{affix}{separator}{target}"),
        Place::Suffix => format!("{target}{separator}{affix}"),
    }
}

fn affix_added(target: &str, random: &mut Rng) -> Option<String> {
    let (affix, place) = affix(random)?;
    Some(join(target, separator(target), &affix, place))
}

fn affix_glued(target: &str, random: &mut Rng) -> Option<String> {
    let (affix, place) = affix(random)?;
    Some(join(target, "", &affix, place))
}

fn affix_removed(target: &str, _: &mut Rng) -> Option<String> {
    let name = OwnedName::new(target);
    let name = name.as_name();
    let words = words_of(target);
    let last = words.len().checked_sub(1).filter(|last| *last > 0)?;
    if words.len() != name.count() {
        return None;
    }
    affixes().of_word(name.word(last), Place::Suffix)?;
    Some(words[..last].join(separator(target)))
}

fn affix_replaced(target: &str, random: &mut Rng) -> Option<String> {
    let rest = affix_removed(target, random)?;
    let (affix, place) = affix(random)?;
    Some(join(&rest, separator(target), &affix, place))
}

fn word_added(target: &str, random: &mut Rng) -> Option<String> {
    let place = random.choice([Place::Prefix, Place::Suffix])?;
    Some(join(target, separator(target), random.choice(WORDS)?, place))
}

fn two_words_added(target: &str, random: &mut Rng) -> Option<String> {
    word_added(&word_added(target, random)?, random)
}

/// Numbers and affixes have classes of their own.
fn word_dropped(target: &str, random: &mut Rng) -> Option<String> {
    let name = OwnedName::new(target);
    let name = name.as_name();
    let mut words = words_of(target);
    if words.len() < 3 || words.len() != name.count() {
        return None;
    }
    let is_text = |index: &usize| !name.word(*index).iter().all(|it| it.is_numeric());
    let droppable: Vec<usize> = affixes().core_words(name).filter(is_text).collect();
    words.remove(random.choice(droppable)?);
    Some(words.join(separator(target)))
}

fn spelt_by_sound(target: &str, random: &mut Rng) -> Option<String> {
    replace_text(target, &[("ph", "f"), ("or", "our"), ("c", "k"), ("z", "s"), ("ck", "k")], random)
}

fn affix_and_typo(target: &str, random: &mut Rng) -> Option<String> {
    if target.chars().count() < 6 {
        return None;
    }
    let wrong = random.choice([omitted, transposed, repeated])?(target, random)?;
    affix_added(&wrong, random)
}
