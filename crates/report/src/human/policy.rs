//! Which line of a policy decided, and why.

use cratekeeper_model::{
    ClauseAnswer, ClauseMode, ClauseOutcome, Outcome, PackageStatus, PolicyAnswer, Verdict,
};

use super::Detail;
use super::page::{Page, Tone};

/// Each package with its verdict, and what every clause said.
pub(super) fn full(page: &mut Page, detail: Detail, file: &str, outcomes: &[&Outcome]) {
    for outcome in outcomes {
        let Some(answer) = &outcome.policy else { continue };
        let head = format!("{} {}  ", outcome.package.name, outcome.package.version);
        let case = format!("  ({} {}/100)", outcome.case.level, outcome.case.score);
        page.line(
            0,
            &[(Tone::Strong, &head), (tone(answer.verdict), answer.verdict.as_str()), (Tone::Dim, &case)],
        );
        if let (PackageStatus::CouldNotCheck | PackageStatus::Partial, Some(reason)) =
            (outcome.status, &outcome.reason)
        {
            let how = format!("{}: ", outcome.status);
            page.hanging(2, &[(Tone::Warning, &how)], reason);
        }
        decided(page, 2, file, answer);
        let shown = answer.clauses.iter().filter(|it| detail == Detail::Verbose || is_telling(it));
        for clause in shown {
            said(page, file, clause);
        }
        page.blank();
    }
}

/// `cratekeeper.toml:12 (alert): the reason`.
fn decided(page: &mut Page, indent: usize, file: &str, answer: &PolicyAnswer) {
    let head = match (&answer.clause, answer.line) {
        (Some(clause), Some(line)) => format!("{file}:{line} ({clause}): "),
        _ => String::new(),
    };
    page.hanging(indent, &[(Tone::Dim, &head)], &answer.reason);
    waived(page, indent, answer);
}

/// Waivers that took a clause or a rule back.
pub(super) fn waived(page: &mut Page, indent: usize, answer: &PolicyAnswer) {
    let clauses =
        answer.waived.iter().map(|it| (format!("`{}`", it.clause), &it.owner, &it.expires, &it.reason));
    let rules = answer
        .waived_rules
        .iter()
        .map(|it| (format!("rule `{}`", it.rule), &it.owner, &it.expires, &it.reason));
    for (what, owner, expires, reason) in clauses.chain(rules) {
        let text = format!("by {owner} until {expires}: {reason}");
        page.hanging(indent, &[(Tone::Notice, &format!("waived {what} "))], &text);
    }
}

fn is_telling(clause: &ClauseAnswer) -> bool {
    !matches!(clause.outcome, ClauseOutcome::DoesNotHold | ClauseOutcome::NotAsked)
}

fn said(page: &mut Page, file: &str, clause: &ClauseAnswer) {
    let what = match &clause.outcome {
        ClauseOutcome::Holds if clause.mode == ClauseMode::Audit => "holds, for audit alone".to_owned(),
        ClauseOutcome::Holds => "holds".to_owned(),
        ClauseOutcome::DoesNotHold => "does not hold".to_owned(),
        ClauseOutcome::NotAsked => "is off".to_owned(),
        ClauseOutcome::Failed(reason) => format!("could not be decided: {reason}"),
        ClauseOutcome::Waived => "holds, and is waived".to_owned(),
    };
    let head = format!("{file}:{} {} ({}): ", clause.line, clause.clause, clause.verdict);
    page.hanging(4, &[(Tone::Dim, &head)], &what);
}

/// Colour of a verdict.
pub(super) fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Allow => Tone::Good,
        Verdict::Warn => Tone::Warning,
        Verdict::Quarantine | Verdict::Block => Tone::Error,
    }
}
