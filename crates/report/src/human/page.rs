//! The page that text is written on.

use std::io::{self, Write};

use cratekeeper_model::{Level, Severity};
use owo_colors::{OwoColorize as _, Style};

use super::Terminal;
use crate::sanitize;
use crate::text::{cut, wrap};

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Dim,
    Good,
    Notice,
    Warning,
    Error,
    Fatal,
}

impl Tone {
    pub(super) fn of_severity(severity: Severity) -> Tone {
        match severity {
            Severity::Info => Tone::Dim,
            Severity::Low => Tone::Notice,
            Severity::Medium => Tone::Warning,
            Severity::High => Tone::Error,
            Severity::Critical => Tone::Fatal,
        }
    }

    pub(super) fn of_level(level: Level) -> Tone {
        match level {
            Level::None => Tone::Good,
            Level::Info => Tone::Dim,
            Level::Review => Tone::Warning,
            Level::Alert => Tone::Error,
            Level::Block => Tone::Fatal,
        }
    }

    fn style(self) -> Style {
        match self {
            Tone::Plain => Style::new(),
            Tone::Strong => Style::new().bold(),
            Tone::Dim => Style::new().dimmed(),
            Tone::Good => Style::new().green(),
            Tone::Notice => Style::new().cyan(),
            Tone::Warning => Style::new().yellow().bold(),
            Tone::Error => Style::new().red().bold(),
            Tone::Fatal => Style::new().white().on_red().bold(),
        }
    }
}

/// Collects lines. All text passes through [`sanitize`] on its way in, before it is styled, so that no caller
/// can forget it and the only escape sequences are our own.
pub(super) struct Page {
    text: String,
    terminal: Terminal,
}

impl Page {
    pub(super) fn new(terminal: Terminal) -> Page {
        Page { text: String::new(), terminal: Terminal { width: terminal.width.max(40), ..terminal } }
    }

    /// One line of differently styled pieces, not wrapped.
    pub(super) fn line(&mut self, indent: usize, pieces: &[(Tone, &str)]) {
        let start = self.text.len();
        self.indent(indent);
        for (tone, text) in pieces {
            self.piece(*tone, text);
        }
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end.max(start));
        self.text.push('\n');
    }

    /// One line, cut at the right margin.
    pub(super) fn cut_line(&mut self, indent: usize, tone: Tone, text: &str) {
        let text = sanitize(text);
        let text = cut(text.trim(), self.terminal.width.saturating_sub(indent));
        self.line(indent, &[(tone, &text)]);
    }

    /// Text wrapped at the right margin, all its lines indented; nothing if it is empty.
    pub(super) fn paragraph(&mut self, indent: usize, text: &str) {
        self.hanging(indent, &[], text);
    }

    /// Text wrapped at the right margin, after a head on its first line.
    pub(super) fn hanging(&mut self, indent: usize, head: &[(Tone, &str)], text: &str) {
        let text = sanitize(text);
        let hang = if head.is_empty() { 0 } else { 2 };
        let head_width: usize = head.iter().map(|(_, text)| text.chars().count()).sum();
        let room = self.terminal.width.saturating_sub(indent);
        let lines = wrap(&text, room.saturating_sub(head_width), room.saturating_sub(hang));
        if lines.is_empty() && !head.is_empty() {
            self.line(indent, head);
        }
        for (index, line) in lines.iter().enumerate() {
            if index == 0 {
                let mut pieces = head.to_vec();
                pieces.push((Tone::Plain, line));
                self.line(indent, &pieces);
            } else {
                self.line(indent + hang, &[(Tone::Plain, line)]);
            }
        }
    }

    /// Whether nothing was written yet.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A heading, with an empty line above it unless it is the first thing on the page.
    pub(super) fn heading(&mut self, tone: Tone, text: &str) {
        if !self.is_empty() {
            self.blank();
        }
        self.line(0, &[(tone, text)]);
    }

    pub(super) fn write(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.text.as_bytes())?;
        out.flush()
    }

    fn indent(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    fn piece(&mut self, tone: Tone, text: &str) {
        let text = sanitize(text);
        if self.terminal.color && tone != Tone::Plain && !text.is_empty() {
            self.text.push_str(&text.style(tone.style()).to_string());
        } else {
            self.text.push_str(&text);
        }
    }
}
