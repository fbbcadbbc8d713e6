//! What the program knows besides packages: its rules, and its advisory database.

use std::io::{self, Write};

use serde::Serialize;

use crate::human::Terminal;
use crate::{RuleDescription, Tool, sanitize};

/// Which advisory database is used, and how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AdvisoryStatus<'a> {
    /// Its directory.
    pub path: &'a str,
    /// Commit, if it is a git clone.
    pub revision: Option<&'a str>,
    /// Seconds since it was last brought up to date; `None` when that is not known.
    pub age_seconds: Option<u64>,
    /// Date of the newest advisory, `YYYY-MM-DD`.
    pub newest_advisory: Option<&'a str>,
    /// Advisories that were read.
    pub advisories: usize,
    /// Files that could not be read as advisories.
    pub unreadable: usize,
    /// What an update did: `cloned`, `updated`, `unchanged`; `None` when there was none.
    pub update: Option<&'a str>,
}

/// Writes one line for each rule.
///
/// # Errors
///
/// Fails if `out` does.
pub fn rules(terminal: Terminal, rules: &[RuleDescription<'_>], out: &mut dyn Write) -> io::Result<()> {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in rules {
        let (id, title) = (sanitize(rule.id), sanitize(rule.title));
        if terminal.color {
            use owo_colors::OwoColorize as _;
            writeln!(out, "{:<width$}  {title}", id.bold())?;
        } else {
            writeln!(out, "{id:<width$}  {title}")?;
        }
    }
    writeln!(out, "\nnext: cratekeeper explain <RULE>")
}

/// Writes rules as one JSON document.
///
/// # Errors
///
/// Fails if `out` does.
pub fn rules_json(tool: Tool<'_>, rules: &[RuleDescription<'_>], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Rule<'a> {
        id: &'a str,
        title: &'a str,
        explanation: &'a str,
    }
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        tool: Tool<'a>,
        rules: Vec<Rule<'a>>,
    }
    let rules =
        rules.iter().map(|it| Rule { id: it.id, title: it.title, explanation: it.explanation }).collect();
    crate::json::write(&Document { schema: "cratekeeper.rules/1", tool, rules }, out)
}

/// Writes the state of the advisory database for people.
///
/// # Errors
///
/// Fails if `out` does.
pub fn advisory_status(status: &AdvisoryStatus<'_>, out: &mut dyn Write) -> io::Result<()> {
    let unknown = "not known";
    let age = status.age_seconds.map_or_else(|| unknown.to_owned(), |age| crate::text::age(Some(age)));
    if let Some(update) = status.update {
        writeln!(out, "{update}")?;
    }
    writeln!(out, "database:        {}", sanitize(status.path))?;
    writeln!(out, "advisories:      {}", status.advisories)?;
    if status.unreadable > 0 {
        writeln!(out, "unreadable:      {} (use -v for their names)", status.unreadable)?;
    }
    writeln!(out, "newest advisory: {}", sanitize(status.newest_advisory.unwrap_or(unknown)))?;
    writeln!(out, "last update:     {age}")?;
    writeln!(out, "revision:        {}", sanitize(status.revision.unwrap_or("not a git clone")))
}

/// Writes the state of the advisory database as one JSON document.
///
/// # Errors
///
/// Fails if `out` does.
pub fn advisory_status_json(
    tool: Tool<'_>,
    status: &AdvisoryStatus<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        tool: Tool<'a>,
        #[serde(flatten)]
        status: AdvisoryStatus<'a>,
    }
    crate::json::write(&Document { schema: "cratekeeper.advisories/1", tool, status: *status }, out)
}
