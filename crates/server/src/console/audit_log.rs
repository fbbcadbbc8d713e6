//! The audit log: what was done, by whom and why; whether it still says what it said; and a copy to take away.
//!
//! Verifying is a form, although it changes nothing: it reads the whole log, and no page that leads here may start that by itself.

use std::sync::Arc;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use cratekeeper_store::{
    AuditEntry, AuditFilter, AuditProblem, AuditReport, Checkpoint, Role, Store, StoreError,
};
use serde::Deserialize;

use super::layout::{Frame, filters, page, page_of};
use super::unread::Unread;
use super::visitor::{Problem, Sent, Visitor};
use crate::error::Failure;
use crate::gate::Gate;

/// Who sees what was done.
const SEES: [Role; 3] = [Role::Triager, Role::Admin, Role::Auditor];

/// Rows of a page.
const ROWS: u64 = 100;

/// Entries that are read at once for a copy.
const COPIED_AT_ONCE: u64 = 500;

/// Lines of an entry's detail that are shown: the largest act names five hundred things.
const LINES: usize = 5_000;

/// Bytes of a line that are shown.
const LINE: usize = 2_000;

/// Where the list is.
const LIST: &str = "/console/audit-log";

/// What a day should be.
pub(crate) const A_DAY: &str = "a day is written like 2026-08-20";

/// Seconds of a day.
const DAY: i64 = 86_400;

#[derive(Template)]
#[template(path = "console/audit_log.html")]
struct AuditPage {
    frame: Frame,
    entries: Vec<Row>,
    actions: Vec<String>,
    asked: Asked,
    unread: Unread,
    next: Option<String>,
    export: String,
    newest: Option<Checkpoint>,
    report: Option<Report>,
}

/// An entry in the list.
struct Row {
    sequence: i64,
    at: i64,
    actor: String,
    action: String,
    object: String,
    reason: String,
}

/// What a verification found.
struct Report {
    is_whole: bool,
    entries: u64,
    last: i64,
    hash: String,
    checkpoints: u64,
    signers: Vec<String>,
    problems: Vec<String>,
    /// What is to be said about the newest checkpoint.
    newest: &'static str,
}

/// Which entries are asked for. Empty texts mean the same as none: a form sends them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    actor: String,
    action: String,
    object: String,
    from: String,
    to: String,
    /// The number that the page before ended with.
    before: String,
}

/// The first moment of a day in UTC.
pub(crate) fn day(text: &str) -> Option<i64> {
    let date: jiff::civil::Date = text.trim().parse().ok()?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

impl Asked {
    fn filter(&self) -> (AuditFilter, Unread) {
        let mut unread = Unread::default();
        let from = unread.read("from", &self.from, day, A_DAY);
        // The last day is meant as a whole.
        let to = unread.read("to", &self.to, day, A_DAY).map(|it| it + DAY);
        let text = |text: &str| Some(text.trim().to_owned()).filter(|it| !it.is_empty());
        // `decision.` and `decision.*` are beginnings, and no action ends so.
        let action = self.action.trim();
        let start = action.strip_suffix('*').or_else(|| action.ends_with('.').then_some(action));
        let filter = AuditFilter {
            actor: text(&self.actor),
            object: text(&self.object),
            action: if start.is_some() { None } else { text(action) },
            begins: start.map(str::to_owned),
            from,
            to,
        };
        (filter, unread)
    }

    fn query(&self) -> url::form_urlencoded::Serializer<'static, String> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("actor", &self.actor),
            ("action", &self.action),
            ("object", &self.object),
            ("from", &self.from),
            ("to", &self.to),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query
    }

    /// The address of the page that begins behind an entry.
    fn behind(&self, sequence: i64) -> String {
        format!("{LIST}?{}", self.query().append_pair("before", &sequence.to_string()).finish())
    }

    fn export(&self) -> String {
        format!("{LIST}/export?{}", self.query().finish())
    }
}

fn row(entry: AuditEntry) -> Row {
    let reason = entry.detail.get("reason").and_then(|it| it.as_str()).unwrap_or_default();
    Row {
        sequence: entry.sequence,
        at: entry.at,
        reason: crate::refusal::harmless(reason, 300),
        actor: crate::refusal::harmless(&entry.actor, LINE),
        action: entry.action,
        object: crate::refusal::harmless(&entry.object, LINE),
    }
}

/// The entries, newest first.
pub(super) async fn list(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    visitor.with_role(&SEES)?;
    show(&gate, &visitor, asked, None).await
}

async fn show(
    gate: &Gate,
    visitor: &Visitor,
    asked: Asked,
    report: Option<AuditReport>,
) -> Result<Response, Problem> {
    let (filter, mut unread) = asked.filter();
    let before = unread.read("before", &asked.before, |it| it.parse().ok(), "it is the number of an entry");
    let entries = match unread.is_empty() {
        true => gate.store.audit_entries(&filter, before, ROWS).await?,
        false => Vec::new(),
    };
    let next =
        (entries.len() as u64 == ROWS).then(|| entries.last().map(|it| asked.behind(it.sequence))).flatten();
    let newest = gate.store.checkpoints(1).await?.into_iter().next();
    let page_data = AuditPage {
        frame: gate.frame(visitor, LIST, "Audit log").await?,
        entries: entries.into_iter().map(row).collect(),
        actions: gate.store.audit_actions().await?,
        next,
        export: asked.export(),
        report: report.map(|it| told(it, newest.as_ref())),
        newest,
        asked,
        unread,
    };
    page_of(&page_data.frame, &page_data, &page_data.unread)
}

fn told(report: AuditReport, newest: Option<&Checkpoint>) -> Report {
    Report {
        is_whole: report.problems.is_empty(),
        newest: newest.map_or("There is no checkpoint yet.", |it| fits(&report, it)),
        entries: report.entries,
        last: report.last,
        hash: report.hash.map_or_else(String::new, |it| it.to_string()),
        checkpoints: report.checkpoints,
        signers: report.signers.into_iter().collect(),
        problems: report.problems.iter().map(ToString::to_string).collect(),
    }
}

/// Whether a checkpoint fits what was found.
fn fits(report: &AuditReport, checkpoint: &Checkpoint) -> &'static str {
    let is_about = |it: &AuditProblem| match it {
        AuditProblem::Rewritten { sequence }
        | AuditProblem::Truncated { sequence, .. }
        | AuditProblem::UntrustedCheckpoint { sequence, .. } => *sequence == checkpoint.sequence,
        _ => false,
    };
    if report.problems.iter().any(is_about) {
        return "The newest checkpoint does not fit.";
    }
    if checkpoint.sequence > report.last {
        return "The newest checkpoint was taken since.";
    }
    "The newest checkpoint fits."
}

#[derive(Deserialize)]
pub(super) struct Kept {
    #[serde(default)]
    kept: String,
}

/// Reads the whole log and says what is wrong with it.
pub(super) async fn verify(State(gate): State<Arc<Gate>>, sent: Sent<Kept>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&SEES)?;
    let kept = read_kept(&form.kept)?;
    let Ok(_turn) = gate.verifying.try_acquire() else {
        return Err(Failure::Unavailable(
            "somebody verifies the log already; try again in a while".to_owned(),
        )
        .into());
    };
    // Checkpoints have to be signed by this gate's own key: one that names itself proves nothing.
    let signers = [gate.audit_key.public()];
    let report = gate.store.verify_audit_log(&signers, &kept).await?;
    show(&gate, &visitor, Asked::default(), Some(report)).await
}

/// Checkpoints that were kept elsewhere, one JSON object on each line.
fn read_kept(text: &str) -> Result<Vec<Checkpoint>, Failure> {
    let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    let read = |line: &str| {
        serde_json::from_str(line).map_err(|error| {
            let cause = crate::refusal::harmless(&error.to_string(), 200);
            Failure::Bad(format!("a checkpoint is one JSON object on a line: {cause}"))
        })
    };
    lines.map(read).collect()
}

#[derive(Template)]
#[template(path = "console/audit_entry.html")]
struct EntryPage {
    frame: Frame,
    entry: AuditEntry,
    actor: String,
    object: String,
    detail: String,
}

/// One entry in full.
pub(super) async fn entry(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(sequence): Path<i64>,
) -> Result<Response, Problem> {
    visitor.with_role(&SEES)?;
    let entry = gate.store.audit_entry(sequence).await?;
    let page_data = EntryPage {
        frame: gate.frame(&visitor, LIST, format!("Entry {sequence}")).await?,
        actor: crate::refusal::harmless(&entry.actor, LINE),
        object: crate::refusal::harmless(&entry.object, LINE),
        detail: pretty(&entry.detail),
        entry,
    };
    page(&page_data.frame, &page_data)
}

/// JSON on several lines, without what is invisible.
fn pretty(detail: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(detail).unwrap_or_default();
    let mut shown: Vec<String> =
        text.lines().take(LINES).map(|line| crate::refusal::harmless(line, LINE)).collect();
    if text.lines().nth(LINES).is_some() {
        shown.push("… the export has all of it".to_owned());
    }
    shown.join("\n")
}

/// The log, or some of it, as one JSON object on each line, oldest first.
pub(super) async fn export(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    visitor.with_role(&SEES)?;
    let (filter, unread) = asked.filter();
    if let Some(failure) = unread.failure() {
        return Err(failure.into());
    }
    let copy = Copied { store: gate.store.clone(), filter, after: 0 };
    let lines = futures_util::stream::unfold(Some(copy), |copy| async move {
        match copy?.lines().await {
            Ok((bytes, rest)) => Some((Ok(bytes), rest)),
            // Whoever reads sees that the answer broke off, and takes it for no whole one.
            Err(error) => Some((Err(error), None)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit-log.jsonl\""),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// A copy of the log that is being taken.
struct Copied {
    store: Store,
    filter: AuditFilter,
    /// The entry that was read last.
    after: i64,
}

impl Copied {
    /// The next lines, and what is left to be read; `None` at the end.
    async fn lines(mut self) -> Result<(Bytes, Option<Copied>), StoreError> {
        let entries = self.store.audit_entries_behind(&self.filter, self.after, COPIED_AT_ONCE).await?;
        let mut text = Vec::new();
        for entry in &entries {
            // Writing into memory does not fail, and an entry is JSON.
            let _ = serde_json::to_writer(&mut text, entry);
            text.push(b'\n');
            self.after = entry.sequence;
        }
        let is_all = (entries.len() as u64) < COPIED_AT_ONCE;
        Ok((text.into(), (!is_all).then_some(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_and_days_are_read() {
        let asked = Asked {
            action: "decision.".to_owned(),
            from: "2026-09-21".to_owned(),
            to: "2026-09-21".to_owned(),
            ..Asked::default()
        };
        let (filter, unread) = asked.filter();
        assert!(unread.is_empty());
        assert_eq!((filter.begins.as_deref(), filter.action), (Some("decision."), None));
        assert_eq!(filter.to.unwrap() - filter.from.unwrap(), DAY);
        assert_eq!(day("2026-09-21"), Some(1_789_948_800));
        let exact = Asked { action: "decision.hold".to_owned(), to: "soon".to_owned(), ..Asked::default() };
        assert_eq!(exact.filter().0.action.as_deref(), Some("decision.hold"));
        let unread = exact.filter().1;
        assert!(unread.of("to").unwrap().contains("soon") && unread.of("from").is_none());
        let star = Asked { action: "user.*".to_owned(), ..Asked::default() };
        assert_eq!(star.filter().0.begins.as_deref(), Some("user."));
    }

    #[test]
    fn what_is_asked_for_stays_in_addresses() {
        let asked = Asked { actor: "a b".to_owned(), ..Asked::default() };
        assert_eq!(asked.behind(7), "/console/audit-log?actor=a+b&before=7");
        assert_eq!(asked.export(), "/console/audit-log/export?actor=a+b");
    }

    #[test]
    fn details_are_lines_without_what_is_invisible() {
        let shown = pretty(&serde_json::json!({ "a": "x\u{202e}y", "b": 1 }));
        assert_eq!(shown, "{\n  \"a\": \"xy\",\n  \"b\": 1\n}");
    }

    #[test]
    fn a_checkpoint_is_an_object_on_a_line() {
        assert!(read_kept("\n\n").unwrap().is_empty());
        assert!(read_kept("{}").is_err() && read_kept("nothing").is_err());
    }
}
