//! What is asked about a name, and what is answered.

use std::fmt;

use jiff::civil::Date;

use crate::check::Check;
use crate::explain::{self, Reason};

/// Longest name that is judged, in characters. Registries allow 64, and logins of code hosts are shorter still.
pub const MAX_NAME: usize = 128;

/// A name to judge, with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub(crate) name: String,
    /// Day of its first publication. A name that is older than another one cannot be its squat.
    pub created: Option<Date>,
    /// Logins of its owners. A name whose owner also owns the other one is no squat of it.
    pub owners: Vec<String>,
    /// Web address of its repository. It is what the publisher says: see `docs/names.md`.
    pub repository: Option<String>,
    /// Judge a name that is in the corpus as if it were not.
    pub leave_one_out: bool,
}

impl Candidate {
    /// A name of which nothing else is known.
    ///
    /// # Errors
    ///
    /// When there is nothing to judge: the name is empty, too long, or has characters that no name can have.
    pub fn new(name: impl Into<String>) -> Result<Candidate, NameError> {
        let name = name.into();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.chars().nth(MAX_NAME).is_some() {
            return Err(NameError::TooLong { characters: name.chars().count() });
        }
        if let Some(character) = name.chars().find(|it| cannot_be_in_a_name(*it)) {
            return Err(NameError::Character { character });
        }
        if !name.chars().any(char::is_alphanumeric) {
            return Err(NameError::NoLetters);
        }
        Ok(Candidate { name, created: None, owners: Vec::new(), repository: None, leave_one_out: false })
    }

    /// The same candidate, judged as if its name were not in the corpus.
    #[must_use]
    pub fn left_out(self) -> Candidate {
        Candidate { leave_one_out: true, ..self }
    }

    /// Whether nothing but the name is known.
    pub(crate) fn is_bare(&self) -> bool {
        self.created.is_none() && self.owners.is_empty() && self.repository.is_none()
    }

    /// The name itself, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Signs that no name has, in any registry. A text with one of them is no name: a row of another kind of table, for example.
fn cannot_be_in_a_name(character: char) -> bool {
    character.is_control() || character.is_whitespace() || ",;\"'`<>\\|".contains(character)
}

/// Why a text cannot be judged as a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing there.
    #[error("the name is empty")]
    Empty,
    /// Longer than [`MAX_NAME`].
    #[error("the name has {characters} characters, more than {MAX_NAME}")]
    TooLong {
        /// How many it has.
        characters: usize,
    },
    /// A control character, white space, or a sign of tables and quotations, which no registry allows in names.
    #[error("the name has the character {character:?}, which no name can have")]
    Character {
        /// The first one.
        character: char,
    },
    /// Separators and signs alone.
    #[error("the name has neither letters nor digits")]
    NoLetters,
}

/// What a score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing to do.
    None,
    /// From a score of 30: a person should look before trusting it.
    Review,
    /// From a score of 60: it is likely that the one is taken for the other.
    Alert,
}

impl Level {
    /// All levels, mildest first.
    pub const ALL: [Level; 3] = [Level::None, Level::Review, Level::Alert];

    /// The level of a score.
    #[must_use]
    pub fn of(score: u8) -> Level {
        match score {
            60.. => Level::Alert,
            30.. => Level::Review,
            _ => Level::None,
        }
    }

    /// As in documents and arguments.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Review => "review",
            Level::Alert => "alert",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The answer about one [`Candidate`].
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The level of the score.
    pub level: Level,
    /// That of the best match, 0 to 100; 0 without one.
    pub score: u8,
    /// Whether the name itself is in the corpus; then it has no matches, unless it was left out on request.
    pub in_corpus: bool,
    /// What it can be taken for, best match first, each target once.
    pub matches: Vec<Match>,
}

/// One name that the candidate can be taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The other name, as it stands in the corpus.
    pub target: String,
    /// The kind of confusion.
    pub check: Check,
    /// How likely it is that this is one, 0 to 100.
    pub score: u8,
    pub(crate) reason: Explanation,
}

/// An explanation, or what one is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Explanation {
    Text(String),
    Reason(Reason),
}

impl Match {
    /// One sentence for people: "`tracings` is `tracing` with a plural s". Made when it is asked for, since most matches
    /// are never read.
    #[must_use]
    pub fn explanation(&self) -> String {
        match &self.reason {
            Explanation::Text(text) => text.clone(),
            Explanation::Reason(reason) => explain::sentence(reason, &self.target),
        }
    }
}
