//! Names that somebody has looked at: an allow-list, in which every entry has a reason and an end.

use jiff::civil::Date;
use serde::Deserialize;

use crate::judgement::{Explanation, Judgement, Level};

/// Names that may be taken for others, by decision.
///
/// ```toml
/// [[allow]]
/// name = "maplit2"
/// target = "maplit"
/// reason = "fork by a maintainer that we know, since maplit is unmaintained"
/// expires = "2027-06-30"
/// ```
///
/// Without `target`, whatever the name can be taken for is allowed. An allowed match stays in the answer and says so;
/// its score is 0.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    entries: Vec<Allowance>,
    /// For each entry: whether its name was judged, and whether it then allowed something.
    seen: Vec<(bool, bool)>,
}

/// One entry of an [`AllowList`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// The name.
    pub name: String,
    /// What it may be taken for; anything, if it is not given.
    pub target: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
}

/// Why a text is no allow-list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AllowListError {
    /// Not TOML, or not of this shape.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// An entry without a reason.
    #[error("the entry for `{name}` gives no reason")]
    NoReason {
        /// Its name.
        name: String,
    },
}

/// An entry that does nothing (any more).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleAllowance {
    /// The entry.
    pub allowance: Allowance,
    /// Why it does nothing.
    pub why: Staleness,
}

/// Why an entry does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// Its last day is over.
    Expired,
    /// Its name was judged, and there was nothing to allow.
    NothingToAllow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<Allowance>,
}

impl AllowList {
    /// Reads a list.
    ///
    /// # Errors
    ///
    /// Text that is not TOML, unknown or missing fields, an entry without a reason.
    pub fn parse(text: &str) -> Result<AllowList, AllowListError> {
        let entries = toml::from_str::<File>(text)?.allow;
        if let Some(entry) = entries.iter().find(|entry| entry.reason.trim().is_empty()) {
            return Err(AllowListError::NoReason { name: entry.name.clone() });
        }
        let seen = vec![(false, false); entries.len()];
        Ok(AllowList { entries, seen })
    }

    /// Takes what is allowed on that day out of the score of an answer about `name`.
    pub fn apply(&mut self, name: &str, judgement: &mut Judgement, today: Date) {
        for (entry, seen) in self.entries.iter().zip(&mut self.seen).filter(|(entry, _)| entry.name == name) {
            seen.0 = true;
            let wanted = |target: &str| entry.target.as_deref().is_none_or(|it| it == target);
            for found in judgement.matches.iter_mut().filter(|found| wanted(&found.target)) {
                seen.1 = true;
                if entry.expires >= today {
                    let text = found.explanation();
                    found.reason = Explanation::Text(format!(
                        "{text}; allowed until {}: {}",
                        entry.expires, entry.reason
                    ));
                    found.score = 0;
                }
            }
        }
        judgement.matches.sort_by_key(|found| std::cmp::Reverse(found.score));
        judgement.score = judgement.matches.first().map_or(0, |found| found.score);
        judgement.level = Level::of(judgement.score);
    }

    /// Entries that do nothing: those that have expired, and those that had nothing to allow in the answers so far.
    #[must_use]
    pub fn stale(&self, today: Date) -> Vec<StaleAllowance> {
        let why = |entry: &Allowance, (judged, allowed): (bool, bool)| match () {
            () if entry.expires < today => Some(Staleness::Expired),
            () if judged && !allowed => Some(Staleness::NothingToAllow),
            () => None,
        };
        let entries = self.entries.iter().zip(&self.seen);
        entries
            .filter_map(|(entry, seen)| {
                Some(StaleAllowance { allowance: entry.clone(), why: why(entry, *seen)? })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::{AllowList, Staleness};
    use crate::{Candidate, Corpus, Entry, Judgement, Kind, Level};

    const TODAY: Date = date(2026, 11, 21);

    fn judged(name: &str) -> Judgement {
        let corpus =
            Corpus::new(vec![Entry { rank: Some(1), ..Entry::new("once_cell") }], Kind::Crates).unwrap();
        corpus.judge(&Candidate::new(name).unwrap())
    }

    fn list(target: &str, expires: &str) -> AllowList {
        let text = format!(
            "[[allow]]\nname = \"oncecell\"\n{target}\nreason = \"our own fork\"\nexpires = \"{expires}\"\n"
        );
        AllowList::parse(&text).unwrap()
    }

    #[test]
    fn an_allowed_match_is_explained_and_counts_nothing() {
        for target in ["", "target = \"once_cell\""] {
            let (mut list, mut judgement) = (list(target, "2026-11-21"), judged("oncecell"));
            assert_eq!(judgement.level, Level::Alert);
            list.apply("oncecell", &mut judgement, TODAY);
            assert_eq!((judgement.level, judgement.score), (Level::None, 0));
            let explanation = judgement.matches[0].explanation();
            assert!(explanation.ends_with("; allowed until 2026-11-21: our own fork"), "{explanation}");
            assert!(list.stale(TODAY).is_empty());
        }
    }

    #[test]
    fn an_expired_entry_allows_nothing_and_is_reported() {
        let (mut list, mut judgement) = (list("", "2026-11-20"), judged("oncecell"));
        list.apply("oncecell", &mut judgement, TODAY);
        assert_eq!(judgement.level, Level::Alert);
        assert_eq!(list.stale(TODAY)[0].why, Staleness::Expired);
    }

    #[test]
    fn an_entry_for_another_target_allows_nothing_and_is_reported() {
        let (mut list, mut judgement) = (list("target = \"oncemutex\"", "2027-01-01"), judged("oncecell"));
        assert!(list.stale(TODAY).is_empty(), "nothing was judged yet");
        list.apply("oncecell", &mut judgement, TODAY);
        assert_eq!(judgement.level, Level::Alert);
        assert_eq!(list.stale(TODAY)[0].why, Staleness::NothingToAllow);
    }

    #[test]
    fn an_entry_needs_a_name_a_reason_and_an_end() {
        for text in [
            "[[allow]]\nname = \"a\"\nexpires = \"2027-01-01\"",
            "[[allow]]\nname = \"a\"\nreason = \" \"\nexpires = \"2027-01-01\"",
            "[[allow]]\nname = \"a\"\nreason = \"b\"",
            "[[allow]]\nname = \"a\"\nreason = \"b\"\nexpires = \"soon\"",
            "[[allow]]\nname = \"a\"\nreason = \"b\"\nexpires = \"2027-01-01\"\nowner = \"c\"",
            "allow = 1",
        ] {
            assert!(AllowList::parse(text).is_err(), "{text}");
        }
        assert!(AllowList::parse("").is_ok());
    }
}
