//! Findings: what a rule claims about one version, with evidence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Advisory, Reachability};

/// How bad it is if a finding is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing to do: the crate has a build script.
    Info,
    /// Look at it when you have time: the crate is unmaintained.
    Low,
    /// Plan to act: the version was yanked, or contains something that cannot be inspected.
    Medium,
    /// Act now: a vulnerability that affects this version.
    High,
    /// Do not build: known malicious, or not the bytes that were published.
    Critical,
}

impl Severity {
    /// All severities, mildest first.
    pub const ALL: [Severity; 5] =
        [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The word used in documents and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no [`Severity`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a severity")]
pub struct ParseSeverityError(String);

impl FromStr for Severity {
    type Err = ParseSeverityError;

    fn from_str(text: &str) -> Result<Severity, ParseSeverityError> {
        Severity::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| ParseSeverityError(text.to_owned()))
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint: harmless crates look like this too.
    Low,
    /// More likely true than not.
    Medium,
    /// Observed directly; a harmless explanation is rare.
    High,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        })
    }
}

/// A place that supports a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Path inside the package, with `/`.
    pub file: String,
    /// Line, counted from 1; `None` when the evidence is the whole file.
    pub line: Option<u32>,
    /// What stands there, shortened; control and invisible characters are written as `\u{…}`.
    pub excerpt: Option<String>,
}

impl Evidence {
    /// The whole of `file`.
    #[must_use]
    pub fn file(file: impl Into<String>) -> Evidence {
        Evidence { file: file.into(), line: None, excerpt: None }
    }

    /// One line of `file`.
    #[must_use]
    pub fn line(file: impl Into<String>, line: u32, excerpt: impl Into<String>) -> Evidence {
        Evidence { file: file.into(), line: Some(line), excerpt: Some(excerpt.into()) }
    }
}

/// A rule's claim about one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the rule, for example `bundled-executable`.
    pub rule: String,
    /// How bad it is if it is true.
    pub severity: Severity,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// One sentence: what is there and why it matters. No publisher-controlled control characters.
    pub message: String,
    /// Where to look; may be empty when the claim is about the version as a whole.
    pub evidence: Vec<Evidence>,
    /// What to do next, as one sentence or command; `None` when `explain` says all there is.
    pub help: Option<String>,
    /// The advisory that it passes on, if it is about one.
    #[serde(default)]
    pub advisory: Option<Box<Advisory>>,
    /// Whether the workspace can run what the advisory is about, if that was asked.
    #[serde(default)]
    pub reachability: Option<Box<Reachability>>,
    /// Attack techniques that it points to, by their number in the catalogue; a finding that is only worth knowing points to
    /// none.
    #[serde(default)]
    pub techniques: Vec<u8>,
}
