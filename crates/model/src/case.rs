//! Cases: everything known about one version, scored.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::facts::Phase;
use crate::{Evidence, Finding, Severity};

/// What a score amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// No findings.
    #[default]
    None,
    /// Findings, but a score below 30.
    Info,
    /// Score 30 or more: a person should look.
    Review,
    /// Score 60 or more: hold it until a person has looked.
    Alert,
    /// Score 85 or more: nobody should build this.
    Block,
}

impl Level {
    /// All levels, mildest first.
    pub const ALL: [Level; 5] = [Level::None, Level::Info, Level::Review, Level::Alert, Level::Block];

    /// The level of a score between 0 and 100, for a version that has findings.
    #[must_use]
    pub fn of_score(score: u8) -> Level {
        match score {
            85.. => Level::Block,
            60.. => Level::Alert,
            30.. => Level::Review,
            _ => Level::Info,
        }
    }

    /// The word used in documents and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Info => "info",
            Level::Review => "review",
            Level::Alert => "alert",
            Level::Block => "block",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no [`Level`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a level")]
pub struct ParseLevelError(String);

impl FromStr for Level {
    type Err = ParseLevelError;

    fn from_str(text: &str) -> Result<Level, ParseLevelError> {
        Level::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| ParseLevelError(text.to_owned()))
    }
}

/// A rule that could not give an answer, which is not the same as one that found nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotEvaluated {
    /// Id of the rule.
    pub rule: String,
    /// Which input was missing, and why.
    pub reason: String,
}

/// Everything known about one version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// 0 to 100: the weighted sum of the findings.
    pub score: u8,
    /// What the score amounts to.
    pub level: Level,
    /// Attack techniques that the findings point to, by their number in the catalogue, sorted.
    pub techniques: Vec<u8>,
    /// What runs when, reads what and sends it where, in order; empty when the findings tell no story.
    pub chain: Vec<ChainStep>,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// Rules that had no answer.
    pub not_evaluated: Vec<NotEvaluated>,
    /// What the score is the sum of, largest first.
    pub contributions: Vec<Contribution>,
    /// What would make it harmless, as one sentence; `None` below `review`.
    pub harmless_if: Option<String>,
}

/// What one finding, or several together, add to a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// Id of the rule.
    pub rule: String,
    /// Points: the score is their sum.
    pub points: u8,
    /// Why so many, as a sentence fragment.
    pub reason: String,
}

/// A step of an attack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStep {
    /// What is done.
    pub kind: StepKind,
    /// When it runs; `None` for what is no code.
    pub phase: Option<Phase>,
    /// One sentence fragment, fit for a terminal, addresses defanged.
    pub text: String,
    /// Where.
    pub evidence: Option<Evidence>,
}

/// What a [`ChainStep`] does, in the order in which an attack does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// Gets in: a name, a copied crate, a new dependency, a taken-over account.
    Lure,
    /// Runs only there or then.
    Gate,
    /// Hides what it does.
    Hide,
    /// Reads what is not its own.
    Collect,
    /// Gets code from elsewhere.
    Fetch,
    /// Puts it down.
    Write,
    /// Runs it.
    Run,
    /// Sends away.
    Send,
    /// Stays.
    Persist,
    /// Goes on to others.
    Spread,
}

impl StepKind {
    /// The word in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::Lure => "lure",
            StepKind::Gate => "gate",
            StepKind::Hide => "hide",
            StepKind::Collect => "collect",
            StepKind::Fetch => "fetch",
            StepKind::Write => "write",
            StepKind::Run => "run",
            StepKind::Send => "send",
            StepKind::Persist => "persist",
            StepKind::Spread => "spread",
        }
    }
}

impl Case {
    /// The worst severity among the findings.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_begin_at_their_documented_scores() {
        let levels: Vec<Level> = [0, 29, 30, 59, 60, 84, 85, 100].map(Level::of_score).to_vec();
        use Level::{Alert, Block, Info, Review};
        assert_eq!(levels, [Info, Info, Review, Review, Alert, Alert, Block, Block]);
    }

    #[test]
    fn words_round_trip() {
        for level in Level::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
        }
        for severity in Severity::ALL {
            assert_eq!(severity.as_str().parse(), Ok(severity));
        }
    }
}
