//! A case: the story, the evidence, how the version was published, who is hit, what can be done, what was said.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_model::Case;
use cratekeeper_store::{
    Act, Assignee, COMMENT, CaseFilter, CaseId, CaseOrder, CaseRecord, CaseState, Comment, CrateRecord,
    Decision, DecisionAction, DecisionFilter, Enforcement, EventKind, Fetch, InspectionRecord, Provenance,
    Registry, State as Standing, Subject, VersionId, VersionRecord,
};
use serde::Deserialize;
use serde_json::json;

use super::act::{link, notice};
use super::chart::{Mark, MarkKind, history};
use super::layout::{Frame, ago, filters, lines, moment, page, plain};
use super::visitor::{Problem, Sent, Visitor};
use crate::acts::{Change, Target};
use crate::error::Failure;
use crate::gate::Gate;

/// Most findings of a page; a hostile crate has thousands.
const FINDINGS: usize = 50;

/// Places that are shown of each.
const EVIDENCE: usize = 5;

/// Comments, decisions and similar cases on a page.
const ROWS: u64 = 100;
const SIMILAR: u64 = 8;

/// Fetches that are listed.
const FETCHES: u64 = 20;

/// Seconds around a version's arrival in which yanks of its crate are offered to be rolled back: two days before it, as
/// attackers take good versions away first, or until now.
const YANKS_BEFORE: i64 = 2 * 86_400;

/// Days that a waiver counts which is offered: a quarter, after which somebody looks again.
const WAIVED: u32 = 90;

#[derive(Template)]
#[template(path = "console/case.html")]
struct CasePage {
    frame: Frame,
    case: CaseRecord,
    registry: String,
    name: String,
    version: VersionRecord,
    is_open: bool,
    age: String,
    inspection: Option<InspectionRecord>,
    level: String,
    story: Vec<Step>,
    findings: Vec<Finding>,
    more_findings: usize,
    harmless_if: Option<String>,
    unknown: Vec<(String, String)>,
    provenance: Vec<(&'static str, String)>,
    chart: String,
    fetches: Vec<Fetch>,
    fetch_count: u64,
    decisions: Vec<Decided>,
    acts: Vec<Offer>,
    similar: Vec<Similar>,
    comments: Vec<Comment>,
    reports: Vec<Reported>,
    previous: Option<String>,
}

/// A step of what the version does.
struct Step {
    kind: String,
    phase: Option<String>,
    text: String,
    place: Option<Place>,
}

/// A place in a file.
struct Place {
    shown: String,
    excerpt: String,
    /// Address of the file's page.
    path: String,
}

struct Finding {
    rule: String,
    severity: String,
    confidence: String,
    message: String,
    help: Option<String>,
    places: Vec<Place>,
}

/// A decision that has to do with the version.
struct Decided {
    id: i64,
    scope: &'static str,
    action: String,
    actor: String,
    reason: String,
    at: String,
    undone: Option<String>,
    confirmed: Option<String>,
    can_confirm: bool,
    undo: Option<String>,
}

/// What somebody reported.
struct Reported {
    kind: String,
    text: String,
    who: String,
    at: i64,
    state: String,
}

/// Something that can be done.
struct Offer {
    name: String,
    path: String,
    is_grave: bool,
}

/// Another case of the same publisher.
struct Similar {
    id: i64,
    name: String,
    state: String,
    outcome: String,
    at: String,
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: Option<String>,
}

/// A case.
pub(super) async fn case(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let case = gate.store.case(CaseId(id)).await?;
    let (krate, version) = gate.store.version_by_id(case.version).await?;
    let missing = || Failure::NotFound("its registry is not set up any more".to_owned());
    let registry = gate.registry_of(&krate).ok_or_else(missing)?.clone();
    let provenance = gate.store.provenance(version.id).await?;
    let inspection = gate.store.inspections(version.id, 1).await?.into_iter().next();
    let found = inspection.as_ref().and_then(|it| it.case.clone());
    let decisions = decisions(&gate, &visitor, &krate, &version, &registry, &provenance).await?;
    let view = gate.view(&registry, &krate.name).await?.ok_or_else(missing)?;
    let mut frame =
        gate.frame(&visitor, "/console/queue", format!("{} {}", krate.name, version.version)).await?;
    frame.notice = notice(told.done.as_deref());
    let events = gate.store.events_of(krate.id).await?;
    let yanks = events.iter().filter(|it| it.kind == EventKind::Yank);
    let newest_yank = yanks.map(|it| it.at).filter(|at| *at >= version.first_seen - YANKS_BEFORE).max();
    let lower = view.versions.iter().filter(|it| it.version < version.version);
    let previous = lower.max_by(|a, b| a.version.cmp(&b.version));
    let marks = marks(&view.versions, &events, version.id);
    let page_data = CasePage {
        is_open: case.state == CaseState::Open,
        age: ago(gate.now() - case.opened_at),
        level: version.level.map_or_else(|| "unknown".to_owned(), |it| it.to_string()),
        story: found.as_ref().map_or_else(Vec::new, |it| story(it, version.id)),
        findings: found.as_ref().map_or_else(Vec::new, |it| findings(it, version.id)),
        more_findings: found.as_ref().map_or(0, |it| it.findings.len().saturating_sub(FINDINGS)),
        harmless_if: found.as_ref().and_then(|it| it.harmless_if.as_deref().map(plain)),
        unknown: found.map_or_else(Vec::new, |it| {
            it.not_evaluated.iter().map(|it| (it.rule.clone(), plain(&it.reason))).collect()
        }),
        provenance: crate::pages::rows(&version, &provenance),
        chart: history(&marks, gate.now()),
        fetches: {
            let found = gate.store.fetches_of(version.id, 0, i64::MAX, None, FETCHES).await?;
            found.into_iter().map(|it| it.fetch).collect()
        },
        fetch_count: gate.store.fetch_counts(&[version.id]).await?.first().map_or(0, |it| it.fetches),
        acts: if visitor.has(&crate::acts::TRIAGE) {
            offers(&case, &registry, &krate, &version, &provenance, newest_yank, gate.now())
        } else {
            Vec::new()
        },
        decisions,
        similar: similar(&gate, &case).await?,
        reports: reports(&gate, &krate, version.id).await?,
        comments: {
            let said = gate.store.comments(case.id, ROWS).await?;
            said.into_iter().map(|it| Comment { text: lines(&it.text, COMMENT), ..it }).collect()
        },
        previous: previous.map(|it| it.version.to_string()),
        registry: registry.name.clone(),
        name: krate.name,
        case,
        version,
        inspection,
        frame,
    };
    page(&page_data.frame, &page_data)
}

/// Where a file of a version is shown.
pub(super) fn file_path(version: VersionId, file: &str, line: Option<u32>) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("file", file).finish();
    let anchor = line.map_or_else(String::new, |it| format!("#L{it}"));
    format!("/console/version/{version}/file?{query}{anchor}")
}

fn place(version: VersionId, evidence: &cratekeeper_model::Evidence) -> Place {
    let line = evidence.line.map_or_else(String::new, |it| format!(":{it}"));
    Place {
        shown: plain(&format!("{}{line}", evidence.file)),
        excerpt: plain(evidence.excerpt.as_deref().unwrap_or_default()),
        path: file_path(version, &evidence.file, evidence.line),
    }
}

/// A word of the model as people read it.
fn words<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|it| Some(it.as_str()?.replace('-', " "))).unwrap_or_default()
}

fn story(case: &Case, version: VersionId) -> Vec<Step> {
    let step = |it: &cratekeeper_model::ChainStep| Step {
        kind: words(&it.kind),
        phase: it.phase.as_ref().map(words),
        text: plain(&it.text),
        place: it.evidence.as_ref().map(|it| place(version, it)),
    };
    case.chain.iter().map(step).collect()
}

fn findings(case: &Case, version: VersionId) -> Vec<Finding> {
    let finding = |it: &cratekeeper_model::Finding| Finding {
        rule: it.rule.clone(),
        severity: it.severity.to_string(),
        confidence: it.confidence.to_string(),
        message: plain(&it.message),
        help: it.help.as_deref().map(plain),
        places: it.evidence.iter().take(EVIDENCE).map(|it| place(version, it)).collect(),
    };
    case.findings.iter().take(FINDINGS).map(finding).collect()
}

fn marks(versions: &[VersionRecord], events: &[cratekeeper_store::CrateEvent], own: VersionId) -> Vec<Mark> {
    let of_versions = versions.iter().map(|it| Mark {
        at: it.published_at.unwrap_or(it.first_seen),
        kind: if it.id == own { MarkKind::This } else { MarkKind::Version },
        text: it.version.to_string(),
    });
    let of_events = events.iter().filter_map(|it| {
        let kind = match it.kind {
            EventKind::Yank => MarkKind::Yank,
            EventKind::OwnerAdded | EventKind::OwnerRemoved => MarkKind::Owner,
            _ => return None,
        };
        let subject = it.subject.as_deref().or(it.actor.as_deref()).unwrap_or("somebody");
        Some(Mark { at: it.at, kind, text: plain(&format!("{} {subject}", it.kind)) })
    });
    of_versions.chain(of_events).collect()
}

/// Decisions about the version, its crate and its publisher, newest first.
async fn decisions(
    gate: &Gate,
    visitor: &Visitor,
    krate: &CrateRecord,
    version: &VersionRecord,
    registry: &Registry,
    provenance: &Provenance,
) -> Result<Vec<Decided>, Problem> {
    let mut subjects = vec![Subject::Version(version.id), Subject::Crate(krate.id)];
    subjects.extend(provenance.publisher.clone().map(|it| Subject::Publisher(registry.id, it)));
    let mut found: Vec<Decision> = Vec::new();
    for subject in subjects {
        let filter = DecisionFilter { subject: Some(subject), ..DecisionFilter::default() };
        found.extend(gate.store.decisions(&filter, None, ROWS).await?);
    }
    found.sort_by_key(|it| std::cmp::Reverse(it.id));
    let may = visitor.has(&crate::acts::TRIAGE);
    let shown = |it: Decision| {
        let stands = it.undone.is_none();
        let needs_confirmation = stands && it.confirmed.is_none() && it.action != DecisionAction::Release;
        let back = format!("/console/version/{}/case", version.id);
        Decided {
            id: it.id.0,
            scope: match it.subject {
                Subject::Version(_) => "this version",
                Subject::Crate(_) => "the crate",
                Subject::Publisher(..) => "everything of the publisher",
            },
            action: it.action.to_string(),
            can_confirm: may && needs_confirmation && it.actor != visitor.user.login,
            undo: (may && stands).then(|| link(&Change::Undo { decision: it.id.0 }, &back)),
            confirmed: if needs_confirmation {
                Some("not confirmed yet".to_owned())
            } else {
                it.confirmed.map(|(by, at)| format!("confirmed by {by}, {}", moment(at)))
            },
            actor: it.actor,
            reason: it.reason,
            at: moment(it.at),
            undone: it.undone.map(|it| format!("undone by {}, {}: {}", it.by, moment(it.at), it.reason)),
        }
    };
    Ok(found.into_iter().map(shown).collect())
}

/// What can be done about a case.
fn offers(
    case: &CaseRecord,
    registry: &Registry,
    krate: &CrateRecord,
    version: &VersionRecord,
    provenance: &Provenance,
    newest_yank: Option<i64>,
    now: i64,
) -> Vec<Offer> {
    let back = format!("/console/case/{}", case.id);
    let target = |krate: Option<&str>, number: Option<String>, publisher: Option<&str>| Target {
        registry: registry.name.clone(),
        krate: krate.map(str::to_owned),
        version: number,
        publisher: publisher.map(str::to_owned),
    };
    let decide = |target: Target, action: DecisionAction| {
        link(&Change::Decide { target, action, enforcement: Enforcement::Deny }, &back)
    };
    let mut offers = Vec::new();
    let mut offer = |name: &str, path: String, is_grave: bool| {
        offers.push(Offer { name: name.to_owned(), path, is_grave });
    };
    let number = || Some(version.version.to_string());
    let of_version = || target(Some(&krate.name), number(), None);
    let of_crate = || target(Some(&krate.name), None, None);
    let is_decided = version.standing.decision.is_some();
    let state = version.standing.state;
    if state != Standing::Held || !is_decided {
        offer("Quarantine this version", decide(of_version(), DecisionAction::Hold), false);
    }
    if state == Standing::Held || state == Standing::Blocked {
        offer("Advisory", format!("{back}/advisory"), false);
    }
    offer("Quarantine the crate", decide(of_crate(), DecisionAction::Hold), false);
    if let Some(login) = provenance.publisher.as_deref() {
        let of_publisher = target(None, None, Some(login));
        offer("Quarantine everything of the publisher", decide(of_publisher, DecisionAction::Hold), false);
    }
    if newest_yank.is_some() {
        let change = Change::RollBackYanks {
            registry: registry.name.clone(),
            by: None,
            krate: Some(krate.name.clone()),
            from: version.first_seen - YANKS_BEFORE,
            to: now + 1,
        };
        offer("Roll back yanks", link(&change, &back), false);
    }
    if state != Standing::Blocked || !is_decided {
        offer("Block this version", decide(of_version(), DecisionAction::Block), true);
    }
    if let Some(login) = provenance.publisher.as_deref() {
        let of_publisher = target(None, None, Some(login));
        offer("Block everything of the publisher", decide(of_publisher, DecisionAction::Block), true);
    }
    if state != Standing::Released {
        offer("Release this version", decide(of_version(), DecisionAction::Release), false);
    }
    if let Some(clause) = version.clause.clone().filter(|_| !version.automatic_is_open()) {
        let change = Change::Waive {
            registry: registry.name.clone(),
            krate: krate.name.clone(),
            version: number(),
            clause,
            days: WAIVED,
        };
        offer("Waive its clause for 90 days", link(&change, &back), false);
    }
    if case.state == CaseState::Open && state == Standing::Released {
        offer("Close: nothing to do", link(&Change::CloseCase { case: case.id.0 }, &back), false);
    }
    offers
}

async fn similar(gate: &Gate, case: &CaseRecord) -> Result<Vec<Similar>, Problem> {
    let Some(login) = &case.publisher else { return Ok(Vec::new()) };
    let filter = CaseFilter { publisher: Some(login.clone()), ..CaseFilter::default() };
    let found = gate.store.cases(&filter, CaseOrder::NewestFirst, None, SIMILAR + 1).await?;
    let others = found.into_iter().filter(|it| it.case.id != case.id);
    let shown = others.map(|it| Similar {
        id: it.case.id.0,
        name: format!("{} {}", it.krate.name, it.version.version),
        state: it.version.standing.state.to_string(),
        outcome: it.case.outcome.map_or_else(|| "undecided".to_owned(), |it| it.to_string()),
        at: moment(it.case.opened_at),
    });
    Ok(shown.take(usize::try_from(SIMILAR).unwrap_or(usize::MAX)).collect())
}

/// What was reported about a version, with what its reporters' word was worth so far.
async fn reports(gate: &Gate, krate: &CrateRecord, version: VersionId) -> Result<Vec<Reported>, Problem> {
    let mut shown = Vec::new();
    let found = gate.store.reports_of(krate.id, ROWS).await?;
    for report in found.into_iter().filter(|it| it.version.is_none_or(|it| it == version)) {
        let who = match &report.reporter {
            None => "somebody without an account".to_owned(),
            Some(login) => {
                let reputation = gate.store.reputation(login).await?;
                format!(
                    "{login} ({} confirmed, {} rejected before)",
                    reputation.confirmed, reputation.rejected
                )
            }
        };
        let contact = report.contact.map_or_else(String::new, |it| format!(", {}", plain(&it)));
        shown.push(Reported {
            kind: report.kind.to_string(),
            text: lines(&report.text, cratekeeper_store::REPORT),
            who: format!("{who}{contact}"),
            at: report.at,
            state: report.state.to_string(),
        });
    }
    Ok(shown)
}

#[derive(Deserialize)]
pub(super) struct Said {
    text: String,
}

/// Says something about a case.
pub(super) async fn comment(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Said>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&crate::acts::TRIAGE)?;
    let act = Act::new(&visitor.user.login, "case.comment", id.to_string(), gate.now());
    let mut transaction = gate.store.act(act).await?;
    transaction.comment(CaseId(id), &form.text).await?;
    transaction.commit().await?;
    Ok(Redirect::to(&format!("/console/case/{id}?done=comment#comments")).into_response())
}

#[derive(Deserialize)]
pub(super) struct Assigned {
    /// `me` or `nobody`.
    who: String,
}

/// Puts whoever asks on a case, or takes whoever is on it off.
pub(super) async fn assign(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Assigned>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&crate::acts::TRIAGE)?;
    let login = &visitor.user.login;
    let who = match form.who.as_str() {
        "me" => Assignee::Login(login.clone()),
        "nobody" => Assignee::Nobody,
        _ => return Err(Failure::Bad("somebody is `me` or `nobody`".to_owned()).into()),
    };
    let act =
        Act::new(login, "case.assign", id.to_string(), gate.now()).with_detail(json!({ "to": form.who }));
    let mut transaction = gate.store.act(act).await?;
    transaction.assign_case(CaseId(id), &who).await?;
    transaction.commit().await?;
    Ok(Redirect::to(&format!("/console/case/{id}?done=assigned")).into_response())
}

/// Leads to the case of a version.
pub(super) async fn of_version(
    State(gate): State<Arc<Gate>>,
    _: Visitor,
    Path(id): Path<i64>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let found = gate.store.case_of(VersionId(id)).await?;
    let case = found.ok_or_else(|| Failure::NotFound("there is no case of this version".to_owned()))?;
    let done = if told.done.is_some() { "?done=act" } else { "" };
    Ok(Redirect::to(&format!("/console/case/{}{done}", case.id)).into_response())
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Opens the case of a version, where somebody thinks that it needs a look.
pub(super) async fn open(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Nothing>,
) -> Result<Response, Problem> {
    sent.visitor.with_role(&crate::acts::TRIAGE)?;
    let (krate, version) = gate.store.version_by_id(VersionId(id)).await?;
    let object = format!("{}@{}", krate.name, version.version);
    let act = Act::new(&sent.visitor.user.login, "case.open", object, gate.now());
    let mut transaction = gate.store.act(act).await?;
    let case = transaction.open_case(version.id).await?;
    transaction.commit().await?;
    Ok(Redirect::to(&format!("/console/case/{case}")).into_response())
}
