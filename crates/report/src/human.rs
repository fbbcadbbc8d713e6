//! Text for people.
//!
//! It reads worst first and ends with what to do next. Colour repeats what the words say and is never
//! needed. The text is no contract and may change at any time; programs read [`json`](crate::json).
//!
//! Everything is built in memory, through a page that makes each piece of text harmless before it is
//! styled, and written in one go.

mod check;
mod detection;
mod diff;
mod evaluation;
mod findings;
mod graph;
mod groups;
mod inspect;
mod names;
mod next;
mod page;
mod policy;
mod replay;
mod similar;

use std::io::{self, Write};

use cratekeeper_graph::answer::Answer;
use cratekeeper_model::{
    Case, CheckOutcome, DetectionEvaluation, DiffOutcome, Finding, InspectOutcome, Level, Outcome, Replay,
    Severity,
};

use self::page::{Page, Tone};
use crate::RuleDescription;
use crate::graph::Asked;
use crate::names::{EvaluationOutcome, IndexOutcome, NamesOutcome};
use crate::similar::{Built, Likes};

/// What the output goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Whether to use colours (ANSI escape sequences).
    pub color: bool,
    /// Columns to wrap at; less than 40 counts as 40.
    pub width: usize,
}

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Findings that reach the threshold, what could not be checked, and one line that sums up.
    Quiet,
    /// Everything worth reading; harmless things counted.
    #[default]
    Normal,
    /// Every finding of every package.
    Verbose,
}

/// From where on findings count, as `--fail-on` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// A finding counts from this severity on.
    pub severity: Option<Severity>,
    /// All findings of a case count from this level on.
    pub level: Option<Level>,
}

impl Default for Threshold {
    fn default() -> Threshold {
        Threshold { severity: Some(Severity::High), level: Some(Level::Alert) }
    }
}

impl Threshold {
    /// Whether `finding`, one of `case`, counts.
    #[must_use]
    pub fn is_reached(&self, case: &Case, finding: &Finding) -> bool {
        self.severity.is_some_and(|from| finding.severity >= from)
            || self.level.is_some_and(|from| case.level >= from)
    }
}

/// How to show an outcome.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Where it is shown.
    pub terminal: Terminal,
    /// How much of it.
    pub detail: Detail,
    /// Which findings remain when the detail is [`Detail::Quiet`].
    pub threshold: Threshold,
    /// Titles of the rules; a rule that is missing here goes by its id alone.
    pub rules: &'a [RuleDescription<'a>],
    /// Titles of attack techniques by their number in the catalogue.
    pub techniques: &'a [(u8, &'a str)],
}

impl<'a> View<'a> {
    fn technique(&self, number: u8) -> Option<&'a str> {
        self.techniques.iter().find(|(it, _)| *it == number).map(|(_, title)| *title)
    }

    fn title(&self, rule: &str) -> Option<&'a str> {
        self.rules.iter().find(|it| it.id == rule).map(|it| it.title)
    }
}

/// Writes what a check found out.
///
/// # Errors
///
/// Fails if `out` does.
pub fn check(view: &View<'_>, outcome: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(view.terminal);
    match view.detail {
        Detail::Quiet => check::quiet(&mut page, view, outcome),
        Detail::Normal | Detail::Verbose => check::full(&mut page, view, outcome),
    }
    page.write(out)
}

/// Writes what an inspection found out.
///
/// Sizes, targets and counts come from the outcome's facts; without them those parts are missing.
///
/// # Errors
///
/// Fails if `out` does.
pub fn inspect(view: &View<'_>, outcome: &InspectOutcome, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(view.terminal);
    match view.detail {
        Detail::Quiet => inspect::quiet(&mut page, view, outcome),
        Detail::Normal | Detail::Verbose => inspect::full(&mut page, view, outcome),
    }
    page.write(out)
}

/// Writes what changed between two versions, and what the newer one is judged to be.
///
/// # Errors
///
/// Fails if `out` does.
pub fn diff(view: &View<'_>, outcome: &DiffOutcome, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(view.terminal);
    match view.detail {
        Detail::Quiet => inspect::quiet(&mut page, view, &outcome.newer),
        Detail::Normal | Detail::Verbose => diff::full(&mut page, view, outcome),
    }
    page.write(out)
}

/// Writes what replays showed.
///
/// # Errors
///
/// Fails if `out` does.
pub fn replay(terminal: Terminal, detail: Detail, replayed: &Replay, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(terminal);
    replay::full(&mut page, detail, replayed);
    page.write(out)
}

/// Writes what a policy makes of packages, and which of its lines decided.
///
/// # Errors
///
/// Fails if `out` does.
pub fn policy(
    terminal: Terminal,
    detail: Detail,
    file: &str,
    outcomes: &[&Outcome],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(terminal);
    policy::full(&mut page, detail, file, outcomes);
    page.write(out)
}

/// Writes what a rule is about.
///
/// # Errors
///
/// Fails if `out` does.
pub fn explain(terminal: Terminal, rule: &RuleDescription<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(terminal);
    page.line(0, &[(Tone::Strong, rule.id), (Tone::Plain, ": "), (Tone::Plain, rule.title)]);
    page.blank();
    // As it is: Markdown reads well unrendered, and wrapping would break its lists and code.
    for line in rule.explanation.trim().lines() {
        page.line(0, &[(Tone::Plain, line)]);
    }
    if let Some(uri) = rule.help_uri {
        page.blank();
        page.line(0, &[(Tone::Plain, "more: "), (Tone::Plain, uri)]);
    }
    page.write(out)
}

/// Writes which crates are like one.
///
/// # Errors
///
/// Fails if `out` does.
pub fn similar(terminal: Terminal, likes: &Likes<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(terminal);
    similar::likes(&mut page, likes);
    page.write(out)
}

/// Writes what was made of an index of similar crates.
///
/// # Errors
///
/// Fails if `out` does.
pub fn similar_index(terminal: Terminal, built: &Built<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(terminal);
    similar::index(&mut page, built);
    page.write(out)
}

/// Writes what names can be taken for.
///
/// # Errors
///
/// Fails if `out` does.
pub fn names(
    terminal: Terminal,
    detail: Detail,
    outcome: &NamesOutcome,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(terminal);
    match detail {
        Detail::Quiet => names::quiet(&mut page, outcome),
        Detail::Normal | Detail::Verbose => names::full(&mut page, outcome, detail),
    }
    page.write(out)
}

/// Writes what was made of a corpus.
///
/// # Errors
///
/// Fails if `out` does.
pub fn names_index(terminal: Terminal, outcome: &IndexOutcome, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(terminal);
    names::index(&mut page, outcome);
    page.write(out)
}

/// Writes what an evaluation of names found out.
///
/// # Errors
///
/// Fails if `out` does.
pub fn evaluation(
    terminal: Terminal,
    detail: Detail,
    outcome: &EvaluationOutcome,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(terminal);
    evaluation::page(&mut page, outcome, detail);
    page.write(out)
}

/// Writes how right detection was.
///
/// # Errors
///
/// Fails if `out` does.
pub fn detection(
    terminal: Terminal,
    detail: Detail,
    evaluation: &DetectionEvaluation,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(terminal);
    detection::page(&mut page, evaluation, detail);
    page.write(out)
}

/// Writes an answer about a call graph.
///
/// # Errors
///
/// Fails if `out` does.
pub fn graph(
    terminal: Terminal,
    detail: Detail,
    asked: Asked<'_>,
    answer: &Answer,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(terminal);
    graph::page(&mut page, detail, asked, answer);
    page.write(out)
}
