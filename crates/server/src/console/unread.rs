//! What is typed into the fields of a filter and cannot be read.
//!
//! A list that leaves such a field out looks filtered and is not: whoever reads it believes that nothing else happened. So it is said at the field, and
//! nothing is listed.

use std::collections::BTreeMap;

use super::layout::plain;
use crate::error::Failure;

/// Fields that cannot be read, with a sentence about each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unread(BTreeMap<&'static str, String>);

impl Unread {
    /// Reads a field. An empty one is none; of one that cannot be read it is noted what it should be.
    pub(super) fn read<T>(
        &mut self,
        field: &'static str,
        text: &str,
        read: impl FnOnce(&str) -> Option<T>,
        should_be: &str,
    ) -> Option<T> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let found = read(text);
        if found.is_none() {
            let shown: String = plain(text).chars().take(SHOWN).collect();
            self.0.insert(field, format!("\u{201c}{shown}\u{201d} cannot be read: {should_be}."));
        }
        found
    }

    /// What is wrong with a field.
    pub(super) fn of(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Whether all could be read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same as a refusal, for what is no page.
    pub(super) fn failure(&self) -> Option<Failure> {
        let (field, why) = self.0.iter().next()?;
        Some(Failure::Bad(format!("the filter `{field}`: {why}")))
    }
}

/// Characters of a field that are shown again.
const SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_said_and_never_left_out() {
        let mut unread = Unread::default();
        let number = |it: &str| it.parse::<u8>().ok();
        assert_eq!(unread.read("score", " 70 ", number, "a score is 0 to 100"), Some(70));
        assert_eq!(unread.read("score", " ", number, "a score is 0 to 100"), None);
        assert!(unread.is_empty() && unread.failure().is_none());
        assert_eq!(unread.read("score", "many\u{202e}", number, "a score is 0 to 100"), None);
        let why = unread.of("score").unwrap();
        assert_eq!(why, "\u{201c}many\u{201d} cannot be read: a score is 0 to 100.");
        assert!(unread.failure().unwrap().told().contains("score") && unread.of("state").is_none());
    }
}
