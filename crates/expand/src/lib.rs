//! Expands `macro_rules!` and `macro` definitions, text in, text out.
//!
//! ```
//! use cratekeeper_expand::{Edition, Limits, MacroDefinition};
//!
//! let double = MacroDefinition::parse("($e:expr) => { $crate::twice($e * 2) };", Edition::Edition2021)?;
//! let expansion = double.expand("1 + 1", "krate", &Limits::default())?;
//! assert_eq!(expansion.text, "krate::twice((1 + 1)*2)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`MacroDefinition`] is what its rules say, parsed once; [`MacroDefinition::expand`] tries them in order on a call's
//! arguments. Spans and hygiene are given up: whatever comes out belongs to the call. Where a fragment that was matched
//! as a whole is handed to another macro, comments `/*«*/ … /*»*/` around it keep it whole for that one's matching.
//! Derives, attributes and the compiler's own macros are not known here.

mod definition;
mod fragment;
mod matcher;
mod tokens;
mod transcriber;
mod transcription;
mod writer;

use std::fmt;

pub use cratekeeper_syntax::Edition;
pub use definition::MacroDefinition;

/// What an expansion may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that come out of one expansion. *Measured* over 15,000 calls in 350 crates: 657,324 at most.
    pub output_bytes: usize,
    /// About one for each token that is looked at, by a rule or by the parser, and for each piece that is written. *Measured*:
    /// none of those calls takes 100,000. What is kept of a step takes a few dozen bytes.
    pub steps: usize,
    /// How deep tokens may nest that the parser sees. As for files, 800 fit a stack of 2 MiB.
    pub nesting: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { output_bytes: 4 << 20, steps: 2_000_000, nesting: 800 }
    }
}

/// What a call becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// Items, statements, an expression, a type or a pattern: that depends on where the call stands.
    pub text: String,
    /// The rule that matched, counted from 0.
    pub rule: usize,
}

/// Why a definition has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// A delimiter without a partner.
    Unbalanced,
    /// Neither `(…) => {…}` nor `(…) {…}`; counted from 0.
    Rule(usize),
    /// `$name:specifier` with a specifier that does not exist.
    Specifier(String),
    /// `$(…)` that neither `*`, `+` nor `?` follows.
    Repetition,
    /// `${…}` that is none of the known expressions.
    Expression(String),
    /// Repetitions inside more repetitions, or a longer text, than any real macro has.
    TooLarge,
}

/// Why a call has no expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpandError {
    /// The arguments have a delimiter without a partner.
    Unbalanced,
    /// None of the rules matches.
    NoRule,
    /// A variable is used where it still repeats, or with others that repeat another number of times.
    Repetition(String),
    /// The field of [`Limits`] that was passed.
    Limit(&'static str),
}

impl fmt::Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Unbalanced => write!(out, "a delimiter of the definition has no partner"),
            ParseError::Rule(rule) => write!(out, "rule {rule} is not of the form `(matcher) => {{…}}`"),
            ParseError::Specifier(name) => write!(out, "`{name}` is no fragment specifier"),
            ParseError::Repetition => write!(out, "a repetition ends without `*`, `+` or `?`"),
            ParseError::Expression(name) => write!(out, "`${{{name}…}}` is no metavariable expression"),
            ParseError::TooLarge => write!(out, "the definition is too long or repeats in too many levels"),
        }
    }
}

impl fmt::Display for ExpandError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpandError::Unbalanced => write!(out, "a delimiter of the arguments has no partner"),
            ExpandError::NoRule => write!(out, "no rule matches the arguments"),
            ExpandError::Repetition(name) => write!(out, "`${name}` does not repeat as it is used"),
            ExpandError::Limit(limit) => write!(out, "the expansion needs more than the limit of {limit}"),
        }
    }
}

impl std::error::Error for ParseError {}
impl std::error::Error for ExpandError {}
