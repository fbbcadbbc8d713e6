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

/// What a check is worth, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    /// On a long name against a popular target.
    pub(crate) base: f32,
    /// An example, and what it is.
    #[cfg_attr(not(test), expect(dead_code, reason = "for docs/names.md"))]
    pub(crate) what: &'static str,
    /// Counts are of 216 known attacks and 3,203 harmless names: see `docs/names.md`.
    #[cfg_attr(not(test), expect(dead_code, reason = "for docs/names.md"))]
    pub(crate) why: &'static str,
}

impl Weight {
    const fn new(base: f32, what: &'static str, why: &'static str) -> Weight {
        Weight { base, what, why }
    }
}

/// The table of weights. The first row that fits counts.
#[rustfmt::skip]
pub(crate) fn weight(check: Check, what: What) -> Weight {
    match (check, what) {
        (Check::Separators, _) => Weight::new(95.0, "`oncecell`, `once_cell`: only separators or case differ", "nothing is left that differs; a registry that folds separators would refuse the name"),
        (Check::LookAlike, _) => Weight::new(92.0, "`modem-api`, `modern-api`: characters look alike", "nobody types look-alikes by chance"),
        (Check::TransposedLetters, _) => Weight::new(88.0, "`rewqest`, `reqwest`: two neighbours changed places", "33 attacks, no harmless name"),
        (Check::RepeatedLetter, _) => Weight::new(88.0, "`postgress`, `postgres`: a letter is doubled", "9 attacks, no harmless name"),
        (Check::OmittedLetter, _) => Weight::new(84.0, "`serd`, `serde`: a letter is missing", "30 attacks, 8 harmless names"),
        (Check::KeyboardNeighbour, _) => Weight::new(84.0, "`reqeest`, `reqwest`: a neighbour on QWERTY, QWERTZ or AZERTY", "20 attacks, 16 harmless names"),
        (Check::InsertedLetter, _) => Weight::new(80.0, "`tracqing`, `tracing`: one letter too many", "10 attacks, 25 harmless names, most of them short"),
        (Check::ReplacedVowel, _) => Weight::new(80.0, "`dtolney`, `dtolnay`: another vowel", "8 attacks, 2 harmless names"),
        (Check::BitFlip, _) => Weight::new(80.0, "`postgpes`, `postgres`: one bit differs", "20 attacks, 8 harmless names"),
        (Check::ReplacedLetter, _) => Weight::new(58.0, "`bitcode`, `bincode`: any other letter", "no slip of the finger makes it: 3 attacks, 19 harmless names"),
        (Check::SwappedLetters, _) => Weight::new(70.0, "`qerwest`, `reqwest`: two letters apart changed places", "1 attack, no harmless name"),
        (Check::Plural, _) => Weight::new(89.0, "`tracings`, `tracing`: a word in the plural", "12 attacks, among them four campaigns against Rust users; 1 harmless name"),
        (Check::WordOrder, _) => Weight::new(84.0, "`if-cfg`, `cfg-if`: the words in another order", "2 attacks, 3 harmless names"),
        (Check::Phonetic, _) => Weight::new(80.0, "`grafql`, `graphql`: spelt as it sounds", "as a typing error"),
        (Check::Number, What::Number { changed: false, .. }) => Weight::new(55.0, "`serde2`, `serde`: a number added or removed", "forks that go on with a project are called so"),
        (Check::Number, _) => Weight::new(68.0, "`proc-macro1`, `proc-macro2`: another number", "an attack of 2026; standards have numbers as well"),
        (Check::AffixAdded, What::Affix { kind: AffixKind::Empty, .. }) => Weight::new(78.0, "`finch-rust`, `finch`: an affix that says nothing", "the most frequent of all attacks on Rust users"),
        (Check::AffixAdded, What::Affix { kind: AffixKind::Successor, .. }) => Weight::new(52.0, "`bincode-next`, `bincode`: an affix of successors", "most are what they say"),
        (Check::AffixAdded, What::Affix { kind: AffixKind::Part, .. }) => Weight::new(54.0, "`tracing-check`, `tracing`: an affix that names a part", "the target's authors publish such crates, and so do attackers"),
        (Check::AffixAdded, _) => Weight::new(36.0, "`foo-sys`, `foo`: an affix that names an inner part", "hardly anyone but the target's authors publishes those"),
        (Check::AffixRemoved, What::Affix { kind: AffixKind::Empty, .. }) => Weight::new(56.0, "`decimal`, `rust_decimal`: the target without an affix that says nothing", "whoever forgets the affix gets it"),
        (Check::AffixReplaced, What::Affix { kind: AffixKind::Empty, .. }) => Weight::new(40.0, "`libusb1-main`, `libusb1-sys`: such an affix in the place of the target's", "an attack of 2023"),
        (Check::AffixRemoved, _) => Weight::new(28.0, "`openssl`, `openssl-sys`: the target without its affix", "`foo`, `foo-core` and `foo-sys` are one family"),
        (Check::AffixReplaced, _) => Weight::new(24.0, "`foo-cli`, `foo-core`: another affix", "as above"),
        (Check::AffixAndTypo, _) => Weight::new(40.0, "`rewqest-rs`, `reqwest`: an affix added and one edit", "two steps away"),
        (Check::WordForm, _) => Weight::new(56.0, "`faster_log`, `fast_log`: another form of a word", "an attack of 2025"),
        (Check::TwoEdits, _) => Weight::new(42.0, "`proc-macro-en`, `proc-macro2`: any two edits", "6 attacks, 32 harmless names"),
        (Check::ExtraWords, What::Words { count: 2.., .. }) => Weight::new(28.0, "`tokio-fancy-stuff`, `tokio`: two words more", "hardly ever anything"),
        (Check::ExtraWords, _) => Weight::new(36.0, "`tracing-ethers`, `tracing`: one word more", "attacks of 2026 on crates everyone knows; also what every extension is called"),
        (Check::MissingWord, What::Missing { left: 2.. }) => Weight::new(28.0, "`tracing-web`, `tracing-actix-web`: one of three words missing", "one family, mostly"),
        (Check::MissingWord, _) => Weight::new(22.0, "`actix`, `actix-web`: one of two words missing", "hardly ever anything"),
        (Check::RepositoryName, _) => Weight::new(56.0, "`polymarket-rs-clob-client`: the target's repository or organisation", "an attack of 2026; only where repositories are known"),
        (Check::ReservedName, _) => Weight::new(60.0, "`proc-macro`: a keyword, a part of Rust, or a device", "nobody needs such a name"),
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
pub(crate) fn popularity_factor(check: Check, what: What, rank: u32) -> f32 {
    let says_nothing = matches!(what, What::Affix { kind: AffixKind::Empty, .. });
    let rank = rank as f32;
    let decades = |from: f32| if rank <= from { 0.0 } else { (rank / from).log10() };
    match check {
        Check::ExtraWords | Check::AffixAndTypo => (1.0 - 0.4 * decades(100.0)).max(0.3),
        Check::AffixAdded if !says_nothing => (1.0 - 0.3 * decades(100.0)).max(0.3),
        _ => (1.0 - 0.25 * decades(3_000.0)).max(0.4),
    }
}

/// The rank that a target without one counts as, in a corpus with so many of those: whoever gives a few thousand names
/// means names that matter; of a whole registry's names, each one is in the middle as far as we know.
pub(crate) fn unknown_rank(unranked: usize) -> u32 {
    u32::try_from(unranked / 2).unwrap_or(u32::MAX).max(2_000)
}

/// A change of the first letter is rarely an attack (9 of the 155 known ones that are one edit away) and often another word
/// (54 of 142 harmless names that are).
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

#[cfg(test)]
mod tests;
