//! Verdicts: what policy makes of a case.
//!
//! A verdict always says why. The answers of all clauses are kept beside it, because "why was this let through?" is
//! asked as often as "why was this stopped?".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What may be done with a version, mildest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It may be used.
    #[default]
    Allow,
    /// It may be used, and somebody should look at it.
    Warn,
    /// It is held until somebody has looked at it.
    Quarantine,
    /// It may not be used.
    Block,
}

impl Verdict {
    /// All verdicts, mildest first.
    pub const ALL: [Verdict; 4] = [Verdict::Allow, Verdict::Warn, Verdict::Quarantine, Verdict::Block];

    /// The word in documents and policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Warn => "warn",
            Verdict::Quarantine => "quarantine",
            Verdict::Block => "block",
        }
    }

    /// Whether whoever asks for the version gets it.
    #[must_use]
    pub fn lets_through(self) -> bool {
        self < Verdict::Quarantine
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no [`Verdict`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a verdict")]
pub struct ParseVerdictError(String);

impl FromStr for Verdict {
    type Err = ParseVerdictError;

    fn from_str(text: &str) -> Result<Verdict, ParseVerdictError> {
        Verdict::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| ParseVerdictError(text.to_owned()))
    }
}

/// What policy made of one version, and how it came to that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyAnswer {
    /// What may be done with it.
    pub verdict: Verdict,
    /// Id of the clause that decided; `None` when none applied.
    pub clause: Option<String>,
    /// Line of that clause in its file, counted from 1.
    pub line: Option<u32>,
    /// Why, as one sentence fragment.
    pub reason: String,
    /// Clauses that would have decided more strictly, had they not been waived.
    pub waived: Vec<WaivedClause>,
    /// Rules whose findings clauses did not see, because they were waived.
    #[serde(default)]
    pub waived_rules: Vec<WaivedRule>,
    /// What each clause said, in the order of the file.
    pub clauses: Vec<ClauseAnswer>,
}

impl PolicyAnswer {
    /// Whether waivers took anything back.
    #[must_use]
    pub fn has_waivers(&self) -> bool {
        !self.waived.is_empty() || !self.waived_rules.is_empty()
    }
}

/// A clause that a waiver took back for one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaivedClause {
    /// Id of the clause.
    pub clause: String,
    /// Who answers for the waiver.
    pub owner: String,
    /// Why it was given.
    pub reason: String,
    /// Last day on which it holds, as `2026-12-31`.
    pub expires: String,
}

/// A rule that a waiver took back for one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaivedRule {
    /// Id of the rule.
    pub rule: String,
    /// Who answers for the waiver.
    pub owner: String,
    /// Why it was given.
    pub reason: String,
    /// Last day on which it holds, as `2026-12-31`.
    pub expires: String,
}

/// What one clause said about one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClauseAnswer {
    /// Id of the clause.
    pub clause: String,
    /// Line in its file, counted from 1.
    pub line: u32,
    /// What it would decide.
    pub verdict: Verdict,
    /// Whether it decides anything.
    pub mode: ClauseMode,
    /// What became of its condition.
    pub outcome: ClauseOutcome,
}

/// How seriously a clause is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClauseMode {
    /// It is not asked.
    Off,
    /// What it says is written down and decides nothing.
    Audit,
    /// It decides.
    Enforce,
}

impl ClauseMode {
    /// The word in documents and policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ClauseMode::Off => "off",
            ClauseMode::Audit => "audit",
            ClauseMode::Enforce => "enforce",
        }
    }
}

/// What became of a clause's condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClauseOutcome {
    /// It holds.
    Holds,
    /// It does not hold.
    DoesNotHold,
    /// It was not asked: its mode is off.
    NotAsked,
    /// It could not be decided, for this reason; the policy's `on-error` applies.
    Failed(String),
    /// It holds, and a waiver takes it back.
    Waived,
}
