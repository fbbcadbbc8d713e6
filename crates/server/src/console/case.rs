//! A case: the story, the evidence, how the version was published, who is hit, what can be done, what was said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_model::Case;
use cratekeeper_store::{
    Act, Assignee, COMMENT, CaseFilter, CaseId, CaseOrder, CaseRecord, CaseState, Comment, CrateRecord,
    EventKind, Fetch, InspectionRecord, Provenance, Registry, RegistryId, Role, Subject, VersionId,
    VersionRecord,
};
use serde::Deserialize;
use serde_json::json;

use super::act::notice;
use super::chart::{Mark, MarkKind, history};
use super::decided::{Decided, decisions};
use super::difference::Like;
use super::file::file_path;
use super::hit::Hit;
use super::layout::{Frame, ago, filters, lines, moment, page, plain};
use super::notify;
use super::offers::{self, About, Offer};
use super::tombstone;
use super::visitor::{Problem, Sent, Visitor};
use super::waivers::{self, Waived};
use crate::administration::AUDIT;
use crate::call_graph::Calls;
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
    waived: Vec<Waived>,
    acts: Vec<Offer>,
    similar: Vec<Similar>,
    alike: Vec<Alike>,
    likes: Vec<Like>,
    hit: Hit,
    calls: Calls,
    has_call_graph: bool,
    comments: Vec<Comment>,
    reports: Vec<Reported>,
    previous: Option<String>,
    tombstone: Option<tombstone::Shown>,
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
    /// Where its rule can be waived for this version; beside the first finding of each rule that counts.
    waive: Option<String>,
}

/// What somebody reported.
struct Reported {
    kind: String,
    text: String,
    who: String,
    at: i64,
    state: String,
}

/// Another case of the same publisher.
struct Similar {
    id: i64,
    name: String,
    state: String,
    outcome: String,
    at: String,
}

/// A closed case in which the same rules had hits.
struct Alike {
    id: i64,
    name: String,
    shared: u64,
    outcome: String,
    by: String,
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
    let (krate, mut version) = gate.store.version_by_id(case.version).await?;
    version.standing.reason = plain(&version.standing.reason);
    let missing = || Failure::NotFound("its registry is not set up any more".to_owned());
    let registry = gate.registry_of(&krate).ok_or_else(missing)?.clone();
    let provenance = gate.store.provenance(version.id).await?;
    let mut inspection = gate.store.inspections(version.id, 1).await?.into_iter().next();
    if let Some(it) = &mut inspection {
        it.reason = plain(&it.reason);
    }
    let found = inspection.as_ref().and_then(|it| it.case.clone());
    let back = format!("/console/version/{}/case", version.id);
    let waivable = match &found {
        Some(found) if visitor.has(&crate::acts::TRIAGE) => {
            offers::waivable(&gate, (&registry, &krate, &version), found, &back)
        }
        _ => BTreeMap::new(),
    };
    let decisions = decisions(&gate, &visitor, subjects(&registry, &version, &provenance), &back).await?;
    let view = gate.view(&registry, &krate.name).await?.ok_or_else(missing)?;
    let mut frame =
        gate.frame(&visitor, "/console/queue", format!("{} {}", krate.name, version.version)).await?;
    frame.notice = notice(told.done.as_deref());
    let events = gate.store.events_of(krate.id).await?;
    let lower = view.versions.iter().filter(|it| it.version < version.version);
    let previous = lower.max_by(|a, b| a.version.cmp(&b.version));
    let marks = marks(&view.versions, &events, Some(version.id));
    let (alike, likes) = match &found {
        Some(found) => (alike(&gate, &case, found).await?, gate.likes_of(&krate, found).await?),
        None => (Vec::new(), Vec::new()),
    };
    let page_data = CasePage {
        alike,
        likes,
        hit: gate.hit(&krate, &version).await?,
        calls: gate.calls_of(&krate, &version).await,
        has_call_graph: gate.call_graph.is_some(),
        tombstone: gate.tombstone_of(&version).await?,
        is_open: case.state == CaseState::Open,
        age: ago(gate.now() - case.opened_at),
        level: version.level.map_or_else(|| "unknown".to_owned(), |it| it.to_string()),
        story: found.as_ref().map_or_else(Vec::new, |it| story(it, version.id)),
        findings: found.as_ref().map_or_else(Vec::new, |it| findings(it, version.id, &waivable)),
        more_findings: found.as_ref().map_or(0, |it| it.findings.len().saturating_sub(FINDINGS)),
        harmless_if: found.as_ref().and_then(|it| it.harmless_if.as_deref().map(plain)),
        unknown: found.map_or_else(Vec::new, |it| {
            it.not_evaluated.iter().map(|it| (it.rule.clone(), plain(&it.reason))).collect()
        }),
        provenance: crate::pages::rows(&version, &provenance),
        chart: history(&marks, gate.now()),
        fetches: if visitor.has(&AUDIT) {
            gate.store.newest_fetches(version.id, FETCHES).await?
        } else {
            Vec::new()
        },
        fetch_count: gate.store.fetch_counts(&[version.id]).await?.first().map_or(0, |it| it.fetches),
        acts: if visitor.has(&crate::acts::TRIAGE) {
            let mut acts = offers::of_version(&About {
                registry: &registry,
                krate: &krate,
                version: &version,
                publisher: provenance.publisher.as_deref(),
                events: &events,
                open_case: (case.state == CaseState::Open).then_some(case.id),
                now: gate.now(),
                is_admin: visitor.has(&[Role::Admin]),
                back: &format!("/console/case/{}", case.id),
            });
            acts.extend(notify::offer(
                &gate,
                &registry,
                &krate.name,
                Some(&version),
                &format!("/console/case/{}", case.id),
            ));
            acts
        } else {
            Vec::new()
        },
        waived: waivers::of_crate(&gate, &visitor, (&krate, &view.versions), Some(version.id), &back).await?,
        decisions,
        similar: similar(&gate, &case, registry.id).await?,
        reports: reports(&gate, &krate, version.id, visitor.has(&AUDIT)).await?,
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

/// What decisions about a version may be about, and what that is called.
pub(super) fn subjects(
    registry: &Registry,
    version: &VersionRecord,
    published: &Provenance,
) -> Vec<(Subject, String)> {
    let mut subjects = vec![
        (Subject::Version(version.id), "this version".to_owned()),
        (Subject::Crate(version.crate_id), "the crate".to_owned()),
    ];
    let publisher = published.publisher.clone();
    let all = |it: String| (Subject::Publisher(registry.id, it), "everything of the publisher".to_owned());
    subjects.extend(publisher.map(all));
    subjects
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
pub(super) fn words<T: serde::Serialize>(value: &T) -> String {
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

fn findings(case: &Case, version: VersionId, waivable: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut offered = BTreeSet::new();
    let finding = |it: &cratekeeper_model::Finding| Finding {
        rule: it.rule.clone(),
        severity: it.severity.to_string(),
        confidence: it.confidence.to_string(),
        message: plain(&it.message),
        help: it.help.as_deref().map(plain),
        places: it.evidence.iter().take(EVIDENCE).map(|it| place(version, it)).collect(),
        waive: waivable.get(&it.rule).filter(|_| offered.insert(it.rule.clone())).cloned(),
    };
    case.findings.iter().take(FINDINGS).map(finding).collect()
}

/// What happened to a crate, for its chart; `own` is the version that the page is about.
pub(super) fn marks(
    versions: &[VersionRecord],
    events: &[cratekeeper_store::CrateEvent],
    own: Option<VersionId>,
) -> Vec<Mark> {
    let of_versions = versions.iter().map(|it| Mark {
        at: it.published_at.unwrap_or(it.first_seen),
        kind: if Some(it.id) == own { MarkKind::This } else { MarkKind::Version },
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

async fn similar(gate: &Gate, case: &CaseRecord, registry: RegistryId) -> Result<Vec<Similar>, Problem> {
    let Some(login) = &case.publisher else { return Ok(Vec::new()) };
    let filter =
        CaseFilter { publisher: Some(login.clone()), registry: Some(registry), ..CaseFilter::default() };
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
async fn reports(
    gate: &Gate,
    krate: &CrateRecord,
    version: VersionId,
    sees_contacts: bool,
) -> Result<Vec<Reported>, Problem> {
    let mut shown = Vec::new();
    for report in gate.store.reports_about(krate.id, version, ROWS).await? {
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
        let contact = report
            .contact
            .filter(|_| sees_contacts)
            .map_or_else(String::new, |it| format!(", {}", plain(&it)));
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

/// Closed cases that share the most rules with this one.
async fn alike(gate: &Gate, case: &CaseRecord, found: &Case) -> Result<Vec<Alike>, Problem> {
    let rules: Vec<&str> = found.findings.iter().map(|it| it.rule.as_str()).collect();
    let like = gate.store.cases_like(case.id, &rules, SIMILAR).await?;
    let shown = like.into_iter().map(|it| Alike {
        id: it.case.id.0,
        name: format!("{} {}", it.krate.name, it.version.version),
        shared: it.shared,
        outcome: it.case.outcome.map_or_else(|| "undecided".to_owned(), |it| it.to_string()),
        by: it.case.closed_by.unwrap_or_default(),
    });
    Ok(shown.collect())
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
