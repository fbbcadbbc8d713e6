//! What a match is worth. Every number that a score is made of is here, with its reason.
//!
//! A score is a base for the check, times factors between 0 and 1 for what makes chance or a harmless reason likely. 60 is an
//! alert and 30 a review, so a base of 85 stays an alert down to a factor of 0.71. The numbers are round on purpose: they
//! say which kinds are worth more than others, and were not fitted to single names. `docs/names.md` has the measurements.

use crate::affixes::AffixKind;
use crate::check::Check;
use crate::edit::Edits;
use crate::search::What;

/// The score from which on a person should look.
pub(crate) const REVIEW: f32 = 30.0;

/// What a check is worth on a long name against a popular target.
pub(crate) fn base(check: Check, what: What) -> f32 {
    match (check, what) {
        // Nothing is left that differs: a registry that folds separators would refuse such a name itself.
        (Check::Separators, _) => 95.0,
        // Nobody types look-alikes by chance.
        (Check::LookAlike, _) => 92.0,
        // Of 155 attacks on other registries that are one edit away, 58 % are of these four kinds.
        (Check::TransposedLetters | Check::RepeatedLetter, _) => 88.0,
        (Check::OmittedLetter | Check::KeyboardNeighbour, _) => 84.0,
        (Check::InsertedLetter | Check::ReplacedVowel | Check::BitFlip, _) => 80.0,
        // Any other letter: no slip of the finger makes it. Harmless neighbours of popular names differ so more often than
        // attacks do.
        (Check::ReplacedLetter, _) => 58.0,
        (Check::SwappedLetters, _) => 70.0,
        // Four of the known campaigns against Rust users; hardly any harmless crate.
        (Check::Plural, _) => 89.0,
        (Check::WordOrder, _) => 84.0,
        (Check::Phonetic, _) => 80.0,
        // A fork that goes on with a project often has its name and a 2, and its first version lacks one.
        (Check::Number, What::Number { changed: false, .. }) => 55.0,
        (Check::Number, _) => 68.0,
        (Check::AffixAdded, What::Affix { kind: AffixKind::Empty, .. }) => 78.0,
        (Check::AffixAdded, What::Affix { kind: AffixKind::Successor, .. }) => 52.0,
        // What a project's own authors would publish, too; without the owners nobody can tell.
        (Check::AffixAdded, What::Affix { kind: AffixKind::Part, .. }) => 54.0,
        (Check::AffixAdded, _) => 36.0,
        (Check::AffixRemoved, What::Affix { kind: AffixKind::Empty, .. }) => 56.0,
        (Check::AffixReplaced, What::Affix { kind: AffixKind::Empty, .. }) => 40.0,
        // `foo`, `foo-core` and `foo-sys` are one family more often than not.
        (Check::AffixRemoved, _) => 28.0,
        (Check::AffixReplaced, _) => 24.0,
        (Check::AffixAndTypo, _) => 40.0,
        (Check::WordForm, _) => 56.0,
        (Check::TwoEdits, _) => 42.0,
        (Check::ExtraWords, What::Words { count: 2.., .. }) => 28.0,
        (Check::ExtraWords, _) => 36.0,
        (Check::MissingWord, What::Missing { left: 2.. }) => 28.0,
        (Check::MissingWord, _) => 22.0,
        (Check::RepositoryName, _) => 56.0,
        (Check::ReservedName, _) => 60.0,
    }
}

/// Short names are alike by chance: of random names of 3 letters, a quarter is one edit away from a popular crate. `letters`
/// counts those of the shorter of the two names.
pub(crate) fn length_factor(check: Check, letters: usize) -> f32 {
    match check {
        // Letters in another order are less often another word than other letters are.
        Check::SwappedLetters => match letters {
            0..=2 => 0.1,
            3 => 0.25,
            4 => 0.4,
            5 => 0.6,
            6 => 0.8,
            _ => 1.0,
        },
        Check::TwoEdits => match letters {
            0..=5 => 0.15,
            6 => 0.3,
            7 => 0.55,
            8 => 0.65,
            9 => 0.8,
            _ => 1.0,
        },
        Check::TransposedLetters
        | Check::RepeatedLetter
        | Check::OmittedLetter
        | Check::InsertedLetter
        | Check::KeyboardNeighbour
        | Check::BitFlip
        | Check::ReplacedVowel
        | Check::ReplacedLetter
        | Check::LookAlike
        | Check::Phonetic
        | Check::AffixAndTypo
        | Check::WordForm => match letters {
            0..=2 => 0.1,
            3 => 0.3,
            4 => 0.55,
            5 => 0.74,
            6 => 0.92,
            _ => 1.0,
        },
        Check::Plural | Check::Number | Check::WordOrder => match letters {
            0..=2 => 0.2,
            3 => 0.5,
            4 => 0.8,
            _ => 1.0,
        },
        _ => match letters {
            0..=2 => 0.3,
            3 => 0.6,
            4 => 0.85,
            _ => 1.0,
        },
    }
}

/// Nobody squats what nobody looks for. Typing errors are made in every name, so their value falls slowly with the target's
/// rank; a name with more words than the target only lures those who know the target.
pub(crate) fn popularity_factor(check: Check, what: What, rank: Option<u32>) -> f32 {
    let says_nothing = matches!(what, What::Affix { kind: AffixKind::Empty, .. });
    let rank = rank.unwrap_or(UNKNOWN_RANK) as f32;
    let decades = |from: f32| if rank <= from { 0.0 } else { (rank / from).log10() };
    match check {
        Check::ExtraWords | Check::AffixAndTypo => (1.0 - 0.4 * decades(100.0)).max(0.3),
        Check::AffixAdded if !says_nothing => (1.0 - 0.3 * decades(100.0)).max(0.3),
        _ => (1.0 - 0.25 * decades(3_000.0)).max(0.4),
    }
}

/// A target without a rank is taken for one of the first few thousand: whoever gives a corpus means those names.
const UNKNOWN_RANK: u32 = 2_000;

/// A change of the first letter is rarely an attack (9 of 155 attacks one edit away, on other registries) and often another
/// word.
pub(crate) const FIRST_LETTER: f32 = 0.7;

/// The word with the difference is used by other names as well, so it is a word and no misspelling.
pub(crate) const OWN_WORD: f32 = 0.65;

/// The number of names that use a word from which on it is one.
pub(crate) const WORD_IN_NAMES: usize = 2;

/// The target comes after the word that was added, so the name belongs to that word's family: `deno_semver`.
pub(crate) const TRAILS: f32 = 0.7;

/// A number of three digits and more tells what a name is about (`sha256`, `eip7702`), not which version it is.
pub(crate) const LONG_NUMBER: f32 = 0.6;

/// What is added is not set apart, so that it may be no word at all.
pub(crate) const GLUED: f32 = 0.85;

/// The rest is the target only in another number.
pub(crate) const INEXACT: f32 = 0.75;

/// A name that is older than its target, or has one of its owners, is no squat of it: shown, and never more than this.
pub(crate) const NO_SQUAT: f32 = 10.0;

/// A repository is what a publisher claims: two of the known attacks copied their target's. So it calms an alert, and
/// does not clear anything.
pub(crate) const SAME_REPOSITORY: f32 = 50.0;

/// The factor for what edits concern.
pub(crate) fn edit_factor(edits: Edits) -> f32 {
    let first = match edits {
        Edits::One(edit) => edit,
        Edits::Two(edit, _) => edit,
    };
    if first.is_at_start() { FIRST_LETTER } else { 1.0 }
}
