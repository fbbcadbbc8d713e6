//! The policy that is in force, what it was before, and another text tried out on what was recorded.
//!
//! A text that is typed in here is checked, asked about the past, and set by an act like others: with a preview of what it does otherwise, and by two
//! people where it may let more through.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use cratekeeper_model::{Checksum, ClauseMode};
use cratekeeper_policy::{Moded, Policy, PolicyProblem};
use cratekeeper_store::{AuditFilter, Role};
use serde::Deserialize;

use super::act;
use super::layout::{Frame, filters, page, plain};
use super::lines::{Fate, changed};
use super::visitor::{Problem, Sent, Visitor};
use super::waivers::{self, Waived};
use crate::acts;
use crate::administration::Replayed;
use crate::error::Failure;
use crate::gate::Gate;
use crate::in_force::{CHANGED, LARGEST, POLICY};

/// Who may ask a policy about the past: the answer says who fetched what.
const REPLAYS: [Role; 3] = [Role::Triager, Role::Admin, Role::Auditor];

/// Changes of the policy that are shown.
const CHANGES: u64 = 30;

/// Days from which on an expiry is not marked.
const SOON: i64 = 14;

/// Days that a policy is asked about, at most.
const DAYS: i64 = 90;

/// Versions with another answer that are shown.
const VERSIONS: usize = 100;

/// Mistakes that are shown.
const MISTAKES: usize = 50;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Where the page is.
const PAGE: &str = "/console/policy";

#[derive(Template)]
#[template(path = "console/policy.html")]
struct PolicyPage {
    frame: Frame,
    digest: String,
    on_error: String,
    text: String,
    clauses: Vec<Clause>,
    waivers: Vec<Waiver>,
    /// Of the gate.
    waived: Vec<Waived>,
    changes: Vec<Change>,
    /// The text that is tried out.
    tried: String,
    days: i64,
    mistakes: Option<Vec<PolicyProblem>>,
    replayed: Option<Replayed>,
    may_replay: bool,
    may_set: bool,
    /// Versions in the answer that are not shown.
    more: usize,
}

/// A clause.
struct Clause {
    id: String,
    line: u32,
    when: String,
    verdict: String,
    mode: &'static str,
    enforcement: &'static str,
    reason: String,
}

/// A waiver of the file.
struct Waiver {
    /// Of which clause or rule.
    what: String,
    package: String,
    owner: String,
    reason: String,
    expires: String,
    /// What is to be said about the day, if anything.
    mark: Option<&'static str>,
}

/// The policy became another.
struct Change {
    sequence: i64,
    at: i64,
    by: String,
    reason: String,
    now: String,
    /// The address of what changed, where both texts are kept.
    difference: Option<String>,
}

/// The policy that is in force.
pub(super) async fn policy(State(gate): State<Arc<Gate>>, visitor: Visitor) -> Result<Response, Problem> {
    let text = gate.engine.policy().text().to_owned();
    show(&gate, &visitor, Tried { text, days: 30, mistakes: None, replayed: None }).await
}

/// A text that somebody tries out, and what came of it.
struct Tried {
    text: String,
    days: i64,
    mistakes: Option<Vec<PolicyProblem>>,
    replayed: Option<Replayed>,
}

async fn show(gate: &Gate, visitor: &Visitor, tried: Tried) -> Result<Response, Problem> {
    let policy = gate.engine.policy();
    let mut replayed = tried.replayed;
    let more = replayed.as_ref().map_or(0, |it| it.changes.len().saturating_sub(VERSIONS));
    if let Some(replayed) = &mut replayed {
        replayed.changes.truncate(VERSIONS);
    }
    let page_data = PolicyPage {
        frame: gate.frame(visitor, PAGE, "Policy").await?,
        digest: policy.digest().to_string(),
        on_error: policy.on_error().to_string(),
        text: policy.text().to_owned(),
        clauses: policy.clauses().iter().map(clause).collect(),
        waivers: policy.waivers().iter().map(|it| waiver(it, gate.now())).collect(),
        waived: waivers::open(gate, visitor, PAGE).await?,
        changes: changes(gate).await?,
        tried: tried.text,
        days: tried.days,
        mistakes: tried.mistakes,
        replayed,
        may_replay: visitor.has(&REPLAYS),
        may_set: visitor.has(&[Role::Admin]),
        more,
    };
    page(&page_data.frame, &page_data)
}

fn clause(clause: &cratekeeper_policy::Clause) -> Clause {
    Clause {
        id: clause.id.clone(),
        line: clause.line,
        when: clause.when.clone(),
        verdict: clause.verdict.to_string(),
        mode: clause.mode.as_str(),
        enforcement: match clause.enforcement {
            cratekeeper_policy::Enforcement::Deny => "deny",
            cratekeeper_policy::Enforcement::Hide => "hide",
        },
        reason: clause.reason.clone(),
    }
}

fn waiver(waiver: &cratekeeper_policy::Waiver, now: i64) -> Waiver {
    // The whole last day counts.
    let end =
        waiver.expires.to_zoned(jiff::tz::TimeZone::UTC).map_or(i64::MAX, |it| it.timestamp().as_second());
    let end = end.saturating_add(DAY);
    let mark = if now >= end {
        Some("expired")
    } else if now >= end - SOON * DAY {
        Some("expires soon")
    } else {
        None
    };
    Waiver {
        what: waiver.what.to_string(),
        package: match &waiver.version {
            Some(version) => format!("{}@{version}", waiver.name),
            None => waiver.name.clone(),
        },
        owner: waiver.owner.clone(),
        reason: waiver.reason.clone(),
        expires: waiver.expires.to_string(),
        mark,
    }
}

async fn changes(gate: &Gate) -> Result<Vec<Change>, Problem> {
    let filter = AuditFilter {
        object: Some(POLICY.to_owned()),
        action: Some(CHANGED.to_owned()),
        ..AuditFilter::default()
    };
    let mut changes = Vec::new();
    for entry in gate.store.audit_entries(&filter, None, CHANGES).await? {
        let text = |name: &str| entry.detail.get(name).and_then(|it| it.as_str()).unwrap_or_default();
        let digests = text("before").parse::<Checksum>().ok().zip(text("now").parse::<Checksum>().ok());
        let difference = match digests {
            Some((before, now)) => {
                let are_kept = gate.store.policy_text(before).await?.is_some()
                    && gate.store.policy_text(now).await?.is_some();
                are_kept.then(|| format!("{PAGE}/difference?older={before}&newer={now}"))
            }
            None => None,
        };
        changes.push(Change {
            sequence: entry.sequence,
            at: entry.at,
            reason: plain(text("reason")),
            now: text("now").chars().take(12).collect(),
            by: entry.actor,
            difference,
        });
    }
    Ok(changes)
}

#[derive(Deserialize)]
pub(super) struct Text {
    text: String,
    #[serde(default)]
    days: Option<i64>,
}

impl Text {
    /// The text as files have it: browsers send two characters for the end of a line.
    fn parse(&self) -> (String, Result<Policy, Vec<PolicyProblem>>) {
        let text = self.text.replace("\r\n", "\n");
        if text.len() > LARGEST {
            let message = format!("a policy has {} KiB here at most", LARGEST >> 10);
            return (text, Err(vec![PolicyProblem { line: 1, column: 1, message, text: String::new() }]));
        }
        let policy = Policy::parse(&text).map_err(|problems| {
            let mut problems = problems.0;
            problems.truncate(MISTAKES);
            for problem in &mut problems {
                problem.message = plain(&problem.message);
                problem.text = plain(&problem.text);
            }
            problems
        });
        (text, policy)
    }

    fn days(&self) -> i64 {
        self.days.unwrap_or(30).clamp(1, DAYS)
    }
}

/// Says which mistakes a text has.
pub(super) async fn check(State(gate): State<Arc<Gate>>, sent: Sent<Text>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    let (text, policy) = form.parse();
    let mistakes = Some(policy.err().unwrap_or_default());
    show(&gate, &visitor, Tried { text, days: form.days(), mistakes, replayed: None }).await
}

/// Asks a text about what was recorded.
pub(super) async fn dry_run(State(gate): State<Arc<Gate>>, sent: Sent<Text>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&REPLAYS)?;
    let (text, policy) = form.parse();
    let days = form.days();
    let tried = match policy {
        Err(mistakes) => Tried { text, days, mistakes: Some(mistakes), replayed: None },
        Ok(policy) => {
            let until = gate.now().saturating_add(1);
            let replayed = gate.replayed(Arc::new(policy), until - days * DAY, until).await?;
            Tried { text, days, mistakes: None, replayed: Some(replayed) }
        }
    };
    show(&gate, &visitor, tried).await
}

/// Shows what setting a text changes. It is sent, because it is too long for an address; nothing is changed yet.
pub(super) async fn set(State(gate): State<Arc<Gate>>, sent: Sent<Text>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    let (text, policy) = form.parse();
    if let Err(mistakes) = policy {
        let tried = Tried { text, days: form.days(), mistakes: Some(mistakes), replayed: None };
        return show(&gate, &visitor, tried).await;
    }
    act::show(&gate, &visitor, &acts::Change::SetPolicy { text }, (PAGE, ""), None).await
}

/// Another mode for a clause or a rule.
#[derive(Deserialize)]
pub(super) struct Mode {
    of: String,
    id: String,
    mode: ClauseMode,
}

/// Shows what another mode changes; nothing is changed yet.
pub(super) async fn set_mode(State(gate): State<Arc<Gate>>, sent: Sent<Mode>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    let (what, back) = match form.of.as_str() {
        "clause" => (Moded::Clause, PAGE),
        "rule" => (Moded::Rule, "/console/rules"),
        _ => return Err(Failure::Bad("clauses and rules have modes".to_owned()).into()),
    };
    let change = gate.with_mode(what, &form.id, form.mode).await?;
    act::show(&gate, &visitor, &change, (back, ""), None).await
}

#[derive(Template)]
#[template(path = "console/policy_difference.html")]
struct DifferencePage {
    frame: Frame,
    older: String,
    newer: String,
    lines: TextLines,
}

#[derive(Deserialize)]
pub(super) struct Two {
    older: String,
    newer: String,
}

/// What changed between two policies that were in force.
pub(super) async fn difference(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(two): Query<Two>,
) -> Result<Response, Problem> {
    let (older, newer) = (kept(&gate, &two.older).await?, kept(&gate, &two.newer).await?);
    let lines = changed(&older, &newer);
    let page_data = DifferencePage {
        frame: gate.frame(&visitor, PAGE, "What changed in the policy").await?,
        lines: lines.into_iter().map(|it| it.map(|(fate, line)| (fate, plain(line)))).collect(),
        older: plain(&two.older),
        newer: plain(&two.newer),
    };
    page(&page_data.frame, &page_data)
}

/// Lines of two texts; `None` where lines that stayed are left out.
pub(super) type TextLines = Vec<Option<(Fate, String)>>;

/// What an act changes in the policy, line by line; `None` for other acts. The lines of a preview say what it means, these what it says.
pub(super) fn difference_of(gate: &Gate, change: &acts::Change) -> Option<TextLines> {
    let acts::Change::SetPolicy { text } = change else { return None };
    let before = gate.engine.policy();
    Some(
        changed(before.text(), text)
            .into_iter()
            .map(|it| it.map(|(fate, line)| (fate, plain(line))))
            .collect(),
    )
}

async fn kept(gate: &Gate, digest: &str) -> Result<String, Problem> {
    let missing = || Failure::NotFound("the text of this policy was not kept".to_owned());
    let digest: Checksum = digest.parse().map_err(|_| missing())?;
    Ok(gate.store.policy_text(digest).await?.ok_or_else(missing)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_places_and_days_have_bounds() {
        let text = Text { text: "a = 1\r\n[[clause]]\r\n".to_owned(), days: Some(1_000) };
        let (read, policy) = text.parse();
        assert_eq!(read, "a = 1\n[[clause]]\n");
        assert!(policy.unwrap_err().iter().any(|it| it.line == 1));
        assert_eq!(text.days(), DAYS);
    }

    #[test]
    fn a_policy_keeps_its_text_through_a_form() {
        let text = Text { text: Policy::built_in_text().replace('\n', "\r\n"), days: None };
        assert_eq!(text.parse().1.unwrap().digest(), Policy::built_in().digest());
    }

    #[test]
    fn waivers_that_end_are_marked() {
        let text = "[[clause]]\nid = 'c'\nwhen = 'case.level == \"block\"'\nverdict = 'warn'\nreason = 'r'\n\
                    [[waiver]]\nclause = 'c'\npackage = 'demo'\nowner = 'o'\nreason = 'r'\nexpires = '2026-09-21'\n";
        let policy = Policy::parse(text).map_err(|it| it.to_string()).unwrap();
        let day = 1_789_948_800; // 2026-09-21
        let mark = |at: i64| waiver(&policy.waivers()[0], at).mark;
        assert_eq!(mark(day + DAY), Some("expired"));
        assert_eq!(mark(day + DAY - 1), Some("expires soon"));
        assert_eq!(mark(day - 13 * DAY), Some("expires soon"));
        assert_eq!(mark(day - 14 * DAY), None);
    }
}
