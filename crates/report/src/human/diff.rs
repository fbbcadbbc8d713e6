//! `diff` as text.

use cratekeeper_model::{Change, ChangeDirection, ChangeKind, DiffOutcome, Difference, Evidence, Known};

use super::page::{Page, Tone};
use super::{Detail, View, findings, inspect};
use crate::text::{count, thousands};

/// Changes of one kind that are shown unless everything was asked for: constants and features come in dozens.
const CHANGES: usize = 12;

/// Places shown for each change unless everything was asked for.
const PLACES: usize = 3;

/// Both versions, what changed, and what that is judged to be.
pub(super) fn full(page: &mut Page, view: &View<'_>, outcome: &DiffOutcome) {
    findings::head(page, &outcome.older);
    inspect::reason(page, &outcome.older);
    findings::head(page, &outcome.newer.outcome);
    inspect::reason(page, &outcome.newer.outcome);
    match &outcome.difference {
        Known::Known(difference) => changes(page, difference, view.detail),
        Known::Unknown(reason) => {
            page.blank();
            page.hanging(0, &[(Tone::Error, "not compared: ")], reason);
        }
    }
    inspect::judgement(page, view, &outcome.newer);
}

fn changes(page: &mut Page, difference: &Difference, detail: Detail) {
    let (added, removed, changed) = difference.files;
    let (before, after) = difference.rust_lines;
    page.heading(Tone::Strong, "changes");
    let files = format!("{added} added, {removed} removed, {changed} changed");
    page.hanging(2, &[(Tone::Dim, "files: ")], &files);
    page.hanging(
        2,
        &[(Tone::Dim, "Rust:  ")],
        &format!("{} → {} lines", thousands(before), thousands(after)),
    );
    let listed: Vec<&Change> =
        difference.changes.iter().filter(|it| it.kind != ChangeKind::CodeVolume).collect();
    if listed.is_empty() && difference.left_out == 0 {
        page.line(2, &[(Tone::Good, "nothing else that matters to whoever takes the update")]);
    }
    for of_kind in listed.chunk_by(|a, b| a.kind == b.kind) {
        let shown = if detail == Detail::Verbose { of_kind.len() } else { CHANGES.min(of_kind.len()) };
        for it in &of_kind[..shown] {
            change(page, it, detail);
        }
        if shown < of_kind.len() {
            let text =
                format!("and {} of this kind (-v lists all)", count(of_kind.len() - shown, "more change"));
            page.line(2, &[(Tone::Dim, &text)]);
        }
    }
    if difference.left_out > 0 {
        let text = format!("{} more changes are not listed, because there are too many", difference.left_out);
        page.line(2, &[(Tone::Warning, &text)]);
    }
}

fn change(page: &mut Page, change: &Change, detail: Detail) {
    let (tone, sign) = match change.direction {
        ChangeDirection::Added => (tone_of_new(change.kind), "+ "),
        ChangeDirection::Removed => (Tone::Good, "- "),
        ChangeDirection::Changed => (Tone::Notice, "~ "),
    };
    let head = format!("{}: ", change.kind.as_str());
    let text = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{}: {before} → {after}", change.subject),
        (None, Some(value)) | (Some(value), None) if value.starts_with(&change.subject) => value.clone(),
        (None, Some(value)) | (Some(value), None) => format!("{}: {value}", change.subject),
        (None, None) => change.subject.clone(),
    };
    page.hanging(2, &[(tone, sign), (Tone::Strong, &head)], &text);
    let shown = if detail == Detail::Verbose { change.evidence.len() } else { PLACES };
    for evidence in change.evidence.iter().take(shown).filter(|it| says_more(it, change)) {
        findings::place(page, evidence);
    }
}

/// A line of the manifest that was shown as the change itself is not shown again.
fn says_more(evidence: &Evidence, change: &Change) -> bool {
    evidence.line.is_some()
        || (evidence.file != change.subject && evidence.file != "Cargo.toml")
        || evidence.excerpt.is_none()
}

fn tone_of_new(kind: ChangeKind) -> Tone {
    match kind {
        ChangeKind::BuildScript
        | ChangeKind::ProcMacro
        | ChangeKind::Capability
        | ChangeKind::Dependency
        | ChangeKind::BuildDependency
        | ChangeKind::Binary
        | ChangeKind::HiddenFile => Tone::Warning,
        _ => Tone::Notice,
    }
}
