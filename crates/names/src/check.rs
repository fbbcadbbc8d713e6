//! The kinds of confusion.

use std::fmt;

/// One kind of confusion, in the order of how close it makes two names: of two checks with the same score, the earlier one
/// is the explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// Only upper and lower case, or separators, differ: `oncecell`, `once_cell`.
    Separators,
    /// Characters that look alike: `rn` and `m`, `0` and `o`, and everything in Unicode's list of confusables (UTS #39).
    LookAlike,
    /// Two neighbouring letters changed places: `rewqest`.
    TransposedLetters,
    /// A letter is repeated: `postgress`.
    RepeatedLetter,
    /// A letter is missing: `serd`.
    OmittedLetter,
    /// One letter too many.
    InsertedLetter,
    /// A letter was replaced by its neighbour on a QWERTY, QWERTZ or AZERTY keyboard.
    KeyboardNeighbour,
    /// One bit of one letter differs, as when memory or a transmission fails: `sepde`.
    BitFlip,
    /// A vowel was replaced by another one: `dtolney`.
    ReplacedVowel,
    /// A letter was replaced by one that is none of the above.
    ReplacedLetter,
    /// Two letters that are not neighbours changed places.
    SwappedLetters,
    /// A word is in the plural in one of the two: `tracings`.
    Plural,
    /// The same words in another order: `if-cfg`.
    WordOrder,
    /// Spelt differently, sounds alike: `colour`, `color`.
    Phonetic,
    /// Only numbers differ: `proc-macro1`, `proc-macro2`.
    Number,
    /// The target with an affix that says little: `finch-rust`.
    AffixAdded,
    /// The target without its affix.
    AffixRemoved,
    /// Another affix in the place of the target's.
    AffixReplaced,
    /// A typing error in a name that also has an affix added: `rust-decimla-rs`.
    AffixAndTypo,
    /// Another form of a word: `faster_log`, `fast_log`.
    WordForm,
    /// Two letters differ.
    TwoEdits,
    /// The target's words and one or two more: `tracing-ethers`.
    ExtraWords,
    /// One of the target's words is missing.
    MissingWord,
    /// The name of the target's repository or of the organisation that it belongs to.
    RepositoryName,
    /// A keyword, a crate of the standard library, or a name that registries reserve.
    ReservedName,
}

impl Check {
    /// All checks.
    pub const ALL: [Check; 25] = [
        Check::Separators,
        Check::LookAlike,
        Check::TransposedLetters,
        Check::RepeatedLetter,
        Check::OmittedLetter,
        Check::InsertedLetter,
        Check::KeyboardNeighbour,
        Check::BitFlip,
        Check::ReplacedVowel,
        Check::ReplacedLetter,
        Check::SwappedLetters,
        Check::Plural,
        Check::WordOrder,
        Check::Phonetic,
        Check::Number,
        Check::AffixAdded,
        Check::AffixRemoved,
        Check::AffixReplaced,
        Check::AffixAndTypo,
        Check::WordForm,
        Check::TwoEdits,
        Check::ExtraWords,
        Check::MissingWord,
        Check::RepositoryName,
        Check::ReservedName,
    ];

    /// Stable name, in documents and tables.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Check::Separators => "separators",
            Check::LookAlike => "look-alike",
            Check::TransposedLetters => "transposed-letters",
            Check::RepeatedLetter => "repeated-letter",
            Check::OmittedLetter => "omitted-letter",
            Check::InsertedLetter => "inserted-letter",
            Check::KeyboardNeighbour => "keyboard-neighbour",
            Check::BitFlip => "bit-flip",
            Check::ReplacedVowel => "replaced-vowel",
            Check::ReplacedLetter => "replaced-letter",
            Check::SwappedLetters => "swapped-letters",
            Check::Plural => "plural",
            Check::WordOrder => "word-order",
            Check::Phonetic => "phonetic",
            Check::Number => "number",
            Check::AffixAdded => "affix-added",
            Check::AffixRemoved => "affix-removed",
            Check::AffixReplaced => "affix-replaced",
            Check::AffixAndTypo => "affix-and-typo",
            Check::WordForm => "word-form",
            Check::TwoEdits => "two-edits",
            Check::ExtraWords => "extra-words",
            Check::MissingWord => "missing-word",
            Check::RepositoryName => "repository-name",
            Check::ReservedName => "reserved-name",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.id())
    }
}
