//! One sentence for each match, as a person would say it.

use std::sync::Arc;

use crate::affixes::affixes;
use crate::check::Check;
use crate::edit::{Edit, Edits};
use crate::name::{self, Name, OwnedName, singular};
use crate::search::{Found, What};

/// What a sentence is made of, once somebody wants to read it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reason {
    pub(crate) found: Found,
    pub(crate) candidate: Arc<str>,
    /// Why it is no squat, or less of one.
    pub(crate) calmed: Option<String>,
}

/// Why the candidate can be taken for the target.
pub(crate) fn sentence(reason: &Reason, target: &str) -> String {
    let (name, other) = (OwnedName::new(&reason.candidate), OwnedName::new(target));
    let mut sentence = format!(
        "`{}` is `{target}` {}",
        reason.candidate,
        difference(reason.found, name.as_name(), other.as_name())
    );
    if hides_separators(reason.found.check, name.as_name(), other.as_name()) {
        sentence.push_str(" and other separators");
    }
    if let Some(calmed) = &reason.calmed {
        sentence.push_str("; ");
        sentence.push_str(calmed);
    }
    sentence
}

/// Whether the names have other separators as well, of which the sentence about this check says nothing.
fn hides_separators(check: Check, name: Name<'_>, target: Name<'_>) -> bool {
    let is_about_letters = matches!(
        check,
        Check::TransposedLetters
            | Check::RepeatedLetter
            | Check::OmittedLetter
            | Check::InsertedLetter
            | Check::KeyboardNeighbour
            | Check::BitFlip
            | Check::ReplacedVowel
            | Check::ReplacedLetter
            | Check::SwappedLetters
            | Check::TwoEdits
            | Check::Plural
            | Check::Number
            | Check::Phonetic
            | Check::WordForm
            | Check::LookAlike
    );
    let words =
        |name: Name<'_>| name.words().filter(|word| name::without_number(word).next().is_some()).count();
    is_about_letters && words(name) != words(target)
}

/// What completes "`candidate` is `target` …".
fn difference(found: Found, name: Name<'_>, target: Name<'_>) -> String {
    match (found.check, found.what) {
        (Check::Separators, _) if name.has_words_like(target) => {
            if name.text().eq_ignore_ascii_case(target.text()) {
                "in other upper and lower case".to_owned()
            } else {
                "with other separators".to_owned()
            }
        }
        (Check::Separators, _) => match (name.count(), target.count()) {
            (1, _) => "without its separators".to_owned(),
            (_, 1) => "with separators added".to_owned(),
            _ => "with separators in other places".to_owned(),
        },
        (Check::LookAlike, What::Edits(Edits::One(Edit::Replaced { from, to, .. }))) => {
            format!("with `{to}` in the place of `{from}`, which looks alike")
        }
        (Check::LookAlike, _) => "written with characters that look alike".to_owned(),
        (Check::Plural, _) => plural(name, target),
        (Check::Number, _) => number(name, target),
        (_, What::Edits(Edits::One(edit))) if found.check != Check::AffixAndTypo => {
            one_edit(found.check, edit)
        }
        (Check::SwappedLetters, What::Edits(Edits::Two(Edit::Replaced { from, to, .. }, _))) => {
            format!("with `{from}` and `{to}` swapped")
        }
        (Check::WordOrder, _) => "with its words in another order".to_owned(),
        (Check::Phonetic, _) => "spelt differently, with the same sound".to_owned(),
        (Check::WordForm, _) => "with another form of a word".to_owned(),
        (Check::AffixAdded, What::Affix { glued, .. }) => affix_added(name, target, glued),
        (Check::AffixRemoved, _) => match quoted(&lacking(affix_words(target), name)) {
            Some(words) => format!("without {words}"),
            None => "without its affix".to_owned(),
        },
        (Check::AffixReplaced, _) => match (quoted(&affix_words(target)), quoted(&affix_words(name))) {
            (Some(old), Some(new)) => format!("with {new} in the place of {old}"),
            _ => "with another affix".to_owned(),
        },
        (Check::AffixAndTypo, What::Edits(Edits::One(edit))) => {
            let check = Check::ReplacedLetter;
            match quoted(&affix_words(name)) {
                Some(words) => format!("{}, and {words} added", one_edit(check, edit)),
                None => format!("{}, and a word added", one_edit(check, edit)),
            }
        }
        (Check::ExtraWords, What::Words { exact, .. }) => extra_words(name, target, exact),
        (Check::MissingWord, _) => missing_word(name, target),
        (Check::RepositoryName, _) => "under the name of its repository or organisation".to_owned(),
        (_, What::Edits(Edits::Two(first, second))) => {
            format!(
                "{} and {}",
                one_edit(Check::TwoEdits, first),
                without_with(&one_edit(Check::TwoEdits, second))
            )
        }
        _ => "but for a small difference".to_owned(),
    }
}

/// "with a, and with b" reads worse than "with a and b".
fn without_with(text: &str) -> &str {
    text.strip_prefix("with ").unwrap_or(text)
}

fn one_edit(check: Check, edit: Edit) -> String {
    match (check, edit) {
        (Check::RepeatedLetter, Edit::Inserted { letter, .. }) => format!("with `{letter}` repeated"),
        (Check::KeyboardNeighbour, Edit::Replaced { from, to, .. }) => {
            format!("with `{to}` for `{from}`, its neighbour on a keyboard")
        }
        (Check::BitFlip, Edit::Replaced { from, to, .. }) => {
            format!("with `{to}` for `{from}`, which differ in a single bit")
        }
        (_, Edit::Omitted { letter, .. }) => format!("with `{letter}` left out"),
        (_, Edit::Inserted { letter, .. }) => format!("with `{letter}` put in"),
        (_, Edit::Transposed { first, second, .. }) => {
            format!("with `{first}{second}` turned into `{second}{first}`")
        }
        (_, Edit::Replaced { from, to, .. }) => format!("with `{to}` for `{from}`"),
    }
}

fn plural(name: Name<'_>, target: Name<'_>) -> String {
    let pairs = name.words().zip(target.words());
    let mut differing = pairs.filter(|(own, other)| own != other);
    match differing.next() {
        Some((own, other)) if name.count() == target.count() && singular(own) == other => {
            let ending: String = own[other.len()..].iter().collect();
            format!("with a plural {ending}")
        }
        Some((own, other)) if name.count() == target.count() && own == singular(other) => {
            "in the singular".to_owned()
        }
        _ if name.letters.len() > target.letters.len() => "with a plural s".to_owned(),
        _ => "in the singular".to_owned(),
    }
}

fn number(name: Name<'_>, target: Name<'_>) -> String {
    let (own, other) = name.other_numbers(target);
    match (own.as_slice(), other.as_slice()) {
        ([], []) => "with its numbers in other places".to_owned(),
        ([], old) => format!("without its {}", numbers(old)),
        (new, []) => format!("with the {} added", numbers(new)),
        (new, old) => format!("with the {} in the place of {}", numbers(new), old.join(" and ")),
    }
}

fn numbers(numbers: &[String]) -> String {
    let noun = if numbers.len() == 1 { "number" } else { "numbers" };
    format!("{noun} {}", numbers.join(" and "))
}

fn affix_added(name: Name<'_>, target: Name<'_>, glued: bool) -> String {
    if glued {
        let letters = name.letters;
        let added = letters.strip_prefix(target.letters).or_else(|| letters.strip_suffix(target.letters));
        return match added {
            Some(added) => format!("with `{}` added", added.iter().collect::<String>()),
            None => "with an affix added".to_owned(),
        };
    }
    match quoted(&extra(name, target)) {
        Some(words) => format!("with {words} added"),
        None => "with an affix added".to_owned(),
    }
}

fn extra_words(name: Name<'_>, target: Name<'_>, exact: bool) -> String {
    let changed = if exact { "" } else { " (and a number or an ending changed)" };
    match quoted(&extra(name, target)) {
        Some(words) => format!("and {words}{changed}"),
        None => format!("and something more{changed}"),
    }
}

fn missing_word(name: Name<'_>, target: Name<'_>) -> String {
    let missing = (0..target.count()).find(|index| target.without(|it| it == *index) == name.letters);
    match missing {
        Some(index) => format!("without the word `{}`", String::from_iter(target.word(index))),
        None => "without one of its words".to_owned(),
    }
}

/// What the candidate has besides the target, word by word, or as the rest of its letters.
fn extra(name: Name<'_>, target: Name<'_>) -> Vec<String> {
    let words = strange_words(name, target);
    let glued = || {
        let letters = name.letters;
        let rest = letters.strip_prefix(target.letters).or_else(|| letters.strip_suffix(target.letters))?;
        Some(vec![rest.iter().collect()])
    };
    if words.len() == name.count() { glued().unwrap_or(words) } else { words }
}

/// The words of one name that the other one does not have, in whatever number.
fn strange_words(name: Name<'_>, other: Name<'_>) -> Vec<String> {
    let same = |a: &[char], b: &[char]| {
        let text = |word| name::without_number(word).collect::<String>();
        singular(a) == singular(b) || !text(a).is_empty() && text(a) == text(b)
    };
    let strange = name.words().filter(|word| !other.words().any(|it| same(it, word)));
    strange.map(|word| word.iter().collect()).collect()
}

/// The words of a list that a name does not have.
fn lacking(words: Vec<String>, name: Name<'_>) -> Vec<String> {
    let has = |word: &String| name.words().any(|own| own.iter().copied().eq(word.chars()));
    words.into_iter().filter(|word| !has(word)).collect()
}

/// The words of a name that are affixes.
fn affix_words(name: Name<'_>) -> Vec<String> {
    let inner = affixes().core_words(name);
    let outer = name.words().enumerate().filter(|(index, _)| !inner.contains(index));
    outer.map(|(_, word)| word.iter().collect()).collect()
}

/// "`a`", "`a` and `b`"; nothing for no words.
fn quoted(words: &[String]) -> Option<String> {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    if words.is_empty() { None } else { Some(words.join(" and ")) }
}
