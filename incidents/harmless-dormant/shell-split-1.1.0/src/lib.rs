//! Splits text into words as a shell does.

use std::error::Error;
use std::fmt;

/// A quote was opened and not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingQuote {
    pub at: usize,
}

impl fmt::Display for MissingQuote {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "the quote at byte {} is not closed", self.at)
    }
}

impl Error for MissingQuote {
    fn description(&self) -> &str {
        "a quote is not closed"
    }
}

/// Splits at white space, with single quotes, double quotes and backslashes.
pub fn split(text: &str) -> Result<Vec<String>, MissingQuote> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' | '"' => {
                let quote = character;
                let current = word.get_or_insert_with(String::new);
                loop {
                    match characters.next() {
                        Some((_, inner)) if inner == quote => break,
                        Some((_, '\\')) if quote == '"' => current.extend(characters.next().map(|it| it.1)),
                        Some((_, inner)) => current.push(inner),
                        None => return Err(MissingQuote { at: at }),
                    }
                }
            }
            '\\' => word.get_or_insert_with(String::new).extend(characters.next().map(|it| it.1)),
            _ if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_with(String::new).push(character),
        }
    }
    words.extend(word);
    Ok(words)
}
