//! Reads `cratekeeper.toml`, and tells all of its mistakes at once.
//!
//! By hand over TOML's tree, because a reader that stops at the first mistake makes people run it five times.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use cratekeeper_model::{Checksum, ClauseMode, Verdict};
use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::expression;
use crate::policy::{Clause, Enforcement, Policy, RuleMode, Waived, Waiver};

/// Largest file: more than ten thousand clauses.
const LARGEST: usize = 4 << 20;

/// Mistakes that are told; somebody mends these first.
const MISTAKES: usize = 1_000;

/// A mistake in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong, as a sentence fragment.
    pub message: String,
    /// The line itself.
    pub text: String,
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// All mistakes in a policy, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblems(pub Vec<PolicyProblem>);

impl fmt::Display for PolicyProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyProblems {}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// All of its mistakes, with their places.
    pub fn parse(text: &str) -> Result<Policy, PolicyProblems> {
        let mut reader = Reader { text, starts: starts(text), problems: Vec::new() };
        if text.len() > LARGEST {
            reader.problem(0, format!("the file has more than {} MiB", LARGEST >> 20));
            return Err(reader.finish());
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let start = error.span().map_or(0, |it| it.start);
            reader.problem(start, error.message().to_owned());
        }
        let mut policy = reader.policy(table.get_ref());
        policy.digest = Checksum::of(text.as_bytes());
        text.clone_into(&mut policy.text);
        if reader.problems.is_empty() { Ok(policy) } else { Err(reader.finish()) }
    }
}

struct Reader<'a> {
    text: &'a str,
    /// Where lines begin: looked for once, because a hostile text has a mistake on each of its lines.
    starts: Vec<usize>,
    /// With the offset of each.
    problems: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn problem(&mut self, offset: usize, message: impl Into<String>) {
        if self.problems.len() < MISTAKES {
            self.problems.push((offset, message.into()));
        }
    }

    fn finish(mut self) -> PolicyProblems {
        self.problems.sort();
        self.problems.dedup();
        let problem = |(offset, message): &(usize, String)| {
            let (line, column) = self.place(*offset);
            let begin = self.starts[line - 1];
            let text = self.text[begin..].lines().next().unwrap_or("").to_owned();
            PolicyProblem { line, column, message: message.clone(), text }
        };
        PolicyProblems(self.problems.iter().map(problem).collect())
    }

    /// Line and column of an offset, counted from 1.
    fn place(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|it| *it <= offset);
        let begin = self.starts[line - 1];
        (line, self.text[begin..offset].chars().count() + 1)
    }

    fn policy(&mut self, table: &DeTable<'_>) -> Policy {
        let mut policy = Policy::empty();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "on-error" => {
                    let verdict: Option<Verdict> = self.word(value, "allow, warn, quarantine or block");
                    if verdict == Some(Verdict::Allow) {
                        self.problem(value.span().start, "what could not be decided is never allowed");
                    }
                    policy.on_error = verdict.unwrap_or(policy.on_error);
                }
                "clause" => policy.clauses = self.tables(value, "clause", Self::clause),
                "waiver" => policy.waivers = self.tables(value, "waiver", Self::waiver),
                "rule" => policy.rules = self.tables(value, "rule", Self::rule),
                other => self.problem(
                    key.span().start,
                    format!("there is no `{other}` here: on-error, clause, rule, waiver"),
                ),
            }
        }
        self.twice(table, &policy);
        policy
    }

    /// Ids that are given twice, and waivers of clauses that are not there.
    fn twice(&mut self, table: &DeTable<'_>, policy: &Policy) {
        let mut seen = BTreeSet::new();
        let ids = |name: &str, key: &str| -> Vec<(usize, String)> {
            let Some(DeValue::Array(array)) = table.get(name).map(Spanned::get_ref) else {
                return Vec::new();
            };
            let texts = array.iter().filter_map(|it| match it.get_ref() {
                DeValue::Table(table) => match table.get(key).map(|it| (it.span().start, it.get_ref())) {
                    Some((start, DeValue::String(text))) => Some((start, text.to_string())),
                    _ => None,
                },
                _ => None,
            });
            texts.collect()
        };
        for (start, id) in ids("clause", "id") {
            if !seen.insert(id.clone()) {
                self.problem(start, format!("the id `{id}` is given twice"));
            }
        }
        let mut rules = BTreeSet::new();
        for (start, id) in ids("rule", "id") {
            if !rules.insert(id.clone()) {
                self.problem(start, format!("the mode of the rule `{id}` is given twice"));
            }
        }
        for (start, id) in ids("waiver", "clause") {
            if !seen.contains(&id) && !policy.clauses.iter().any(|it| it.id == id) {
                self.problem(start, format!("there is no clause `{id}` to waive"));
            }
        }
    }

    fn tables<T>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        name: &str,
        read: impl Fn(&mut Self, &DeTable<'_>, Range<usize>) -> Option<T>,
    ) -> Vec<T> {
        let DeValue::Array(array) = value.get_ref() else {
            self.problem(value.span().start, format!("write `[[{name}]]`, with two brackets"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for element in array {
            match element.get_ref() {
                DeValue::Table(table) => found.extend(read(self, table, element.span())),
                _ => self.problem(element.span().start, format!("each {name} is a table")),
            }
        }
        found
    }

    fn clause(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<Clause> {
        let (mut id, mut when, mut verdict, mut reason) = (None, None, None, None);
        let (mut mode, mut enforcement) = (Some(ClauseMode::Enforce), Some(Enforcement::Deny));
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "id" => id = Some(self.identifier(value)),
                "when" => when = Some(self.condition(value)),
                "verdict" => verdict = Some(self.word(value, "allow, warn, quarantine or block")),
                "reason" => reason = Some(self.text(value)),
                "mode" => mode = self.mode(value),
                "enforce" => enforcement = self.enforcement(value),
                other => {
                    let known = "id, when, verdict, reason, mode, enforce";
                    self.problem(key.span().start, format!("a clause has no `{other}`: {known}"));
                }
            }
        }
        self.missing(
            "clause",
            &span,
            &[
                ("id", id.is_none()),
                ("when", when.is_none()),
                ("verdict", verdict.is_none()),
                ("reason", reason.is_none()),
            ],
        );
        let (line, _) = self.place(span.start);
        let (source, condition) = when??;
        Some(Clause {
            id: id??,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            when: source,
            verdict: verdict??,
            reason: reason??,
            mode: mode?,
            enforcement: enforcement?,
            condition,
        })
    }

    fn rule(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<RuleMode> {
        let (mut id, mut mode) = (None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "id" => id = Some(self.rule_id(value)),
                "mode" => mode = Some(self.mode(value)),
                other => self.problem(key.span().start, format!("a rule has no `{other}`: id, mode")),
            }
        }
        self.missing("rule", &span, &[("id", id.is_none()), ("mode", mode.is_none())]);
        let (line, _) = self.place(span.start);
        Some(RuleMode { rule: id??, mode: mode??, line: u32::try_from(line).unwrap_or(u32::MAX) })
    }

    fn waiver(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<Waiver> {
        let (mut package, mut owner, mut reason, mut expires) = (None, None, None, None);
        let mut waived = Vec::new();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "clause" => waived.push(self.text(value).map(Waived::Clause)),
                "rule" => waived.push(self.rule_id(value).map(Waived::Rule)),
                "package" => package = Some(self.package(value)),
                "owner" => owner = Some(self.text(value)),
                "reason" => reason = Some(self.text(value)),
                "expires" => expires = Some(self.date(value)),
                other => {
                    let known = "clause or rule, package, owner, reason, expires";
                    self.problem(key.span().start, format!("a waiver has no `{other}`: {known}"));
                }
            }
        }
        self.missing(
            "waiver",
            &span,
            &[
                ("clause or rule", waived.is_empty()),
                ("package", package.is_none()),
                ("owner", owner.is_none()),
                ("reason", reason.is_none()),
                ("expires", expires.is_none()),
            ],
        );
        if waived.len() > 1 {
            self.problem(span.start, "a waiver is for a clause or for a rule: write two for both");
        }
        let (line, _) = self.place(span.start);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let (name, version) = package??;
        Some(Waiver {
            what: waived.pop()??,
            name,
            version,
            owner: owner??,
            reason: reason??,
            expires: expires??,
            line,
        })
    }

    /// The id of a rule that there is.
    fn rule_id(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = self.text(value)?;
        if cratekeeper_rules::find(&text).is_none() {
            self.problem(value.span().start, format!("there is no rule `{text}`"));
        }
        Some(text)
    }

    fn missing(&mut self, what: &str, span: &Range<usize>, keys: &[(&str, bool)]) {
        let missing: Vec<&str> =
            keys.iter().filter(|(_, is_missing)| *is_missing).map(|(key, _)| *key).collect();
        if !missing.is_empty() {
            self.problem(span.start, format!("this {what} lacks {}", missing.join(", ")));
        }
    }

    fn text(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.to_string()),
            DeValue::String(_) => {
                self.problem(value.span().start, "it is empty");
                None
            }
            _ => {
                self.problem(value.span().start, "expected text in quotes");
                None
            }
        }
    }

    fn identifier(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = self.text(value)?;
        let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
        if !text.chars().all(is_plain) {
            self.problem(value.span().start, "an id has letters, digits, `-`, `_` and `.`");
            return None;
        }
        Some(text)
    }

    fn word<T: FromStr>(&mut self, value: &Spanned<DeValue<'_>>, words: &str) -> Option<T> {
        let text = self.text(value)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(value.span().start, format!("`{text}` is not one of {words}"));
        }
        parsed
    }

    fn mode(&mut self, value: &Spanned<DeValue<'_>>) -> Option<ClauseMode> {
        match self.text(value)?.as_str() {
            "off" => Some(ClauseMode::Off),
            "audit" => Some(ClauseMode::Audit),
            "enforce" => Some(ClauseMode::Enforce),
            other => {
                self.problem(value.span().start, format!("`{other}` is not one of off, audit or enforce"));
                None
            }
        }
    }

    fn enforcement(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Enforcement> {
        match self.text(value)?.as_str() {
            "deny" => Some(Enforcement::Deny),
            "hide" => Some(Enforcement::Hide),
            other => {
                self.problem(value.span().start, format!("`{other}` is not one of deny or hide"));
                None
            }
        }
    }

    /// `name` or `name@1.2.3`: a waiver is for a crate that somebody looked at, so there are no patterns.
    fn package(&mut self, value: &Spanned<DeValue<'_>>) -> Option<(String, Option<String>)> {
        let text = self.text(value)?;
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (text.as_str(), None),
        };
        let is_plain = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_');
        if name.is_empty() || !name.chars().all(is_plain) || version.as_deref() == Some("") {
            self.problem(value.span().start, "a package is a name, or a name and a version: `serde@1.0.219`");
            return None;
        }
        Some((name.to_owned(), version))
    }

    fn date(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Date> {
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        let date = text.parse().ok();
        if date.is_none() {
            self.problem(value.span().start, "expected a day, for example 2026-12-31");
        }
        date
    }

    fn condition(&mut self, value: &Spanned<DeValue<'_>>) -> Option<(String, expression::Node)> {
        let text = self.text(value)?;
        match expression::parse(&text) {
            Ok(node) => Some((text, node)),
            Err(mistakes) => {
                for mistake in mistakes {
                    let offset = self.offset_in(value.span(), &text, mistake.place);
                    self.problem(offset, mistake.message);
                }
                None
            }
        }
    }

    /// Where a place in a text stands in the file: exactly, unless the text was written with escapes.
    fn offset_in(&self, span: Range<usize>, text: &str, (line, column): (usize, usize)) -> usize {
        let Some(raw) = self.text.get(span.clone()) else { return span.start };
        let Some(begin) = raw.find(text) else { return span.start };
        let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let in_line =
            text.get(before..).unwrap_or("").chars().take(column).map(char::len_utf8).sum::<usize>();
        span.start + begin + before + in_line
    }
}

/// Offsets at which lines begin.
fn starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}
