//! A crate: its versions and owners, what happened to it and when, what was decided, what its name can be taken for, what can be done.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use cratekeeper_names::{Candidate, Corpus, Level};
use cratekeeper_store::{CrateEvent, EventKind, Owner, Role, Subject, VersionId, VersionRecord};
use serde::Deserialize;

use super::act::notice;
use super::case::marks;
use super::chart::history;
use super::decided::{Decided, decisions};
use super::hit::crate_path;
use super::layout::{Frame, filters, moment, page, plain};
use super::notify;
use super::offers::{self, Offer, TakenDown};
use super::visitor::{Problem, Visitor};
use super::waivers::{self, Waived};
use crate::error::Failure;
use crate::gate::Gate;

/// Versions, events and cases that are listed, the newest; some crates have a thousand versions.
const VERSIONS: usize = 200;
const EVENTS: usize = 100;
const CASES: u64 = 50;

/// Versions whose own decisions are listed beside those about the crate.
const DECIDED: usize = 20;

/// Near names that are shown.
const NAMES: usize = 8;

#[derive(Template)]
#[template(path = "console/crate.html")]
struct CratePage {
    frame: Frame,
    registry: String,
    name: String,
    first_seen: i64,
    count: usize,
    versions: Vec<VersionRow>,
    owners: Vec<Owner>,
    chart: String,
    events: Vec<EventRow>,
    cases: Vec<CaseRow>,
    decisions: Vec<Decided>,
    waived: Vec<Waived>,
    near: Vec<Near>,
    acts: Vec<Offer>,
}

struct VersionRow {
    id: VersionId,
    number: String,
    state: String,
    is_taken_down: bool,
    level: String,
    score: Option<u8>,
    at: i64,
    publisher: Option<String>,
    /// By whom it was withdrawn, or what else there is to say about that.
    yanked: Option<String>,
}

struct EventRow {
    at: i64,
    what: String,
    actor: Option<String>,
    about: Option<String>,
}

struct CaseRow {
    id: i64,
    number: String,
    state: String,
    outcome: String,
    at: i64,
}

/// A name that this one can be taken for.
struct Near {
    name: String,
    score: u8,
    path: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: Option<String>,
}

/// A crate.
pub(super) async fn krate(
    State(gate): State<Arc<Gate>>,
    Path((registry, name)): Path<(String, String)>,
    Query(told): Query<Told>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let missing = || Failure::NotFound("there is no such crate".to_owned());
    let registry = gate.registry(&registry).ok_or_else(missing)?.clone();
    let view = gate.view(&registry, &name).await?.ok_or_else(missing)?;
    let krate = &view.krate;
    let events = gate.store.events_of(krate.id).await?;
    let back = crate_path(&registry.name, &krate.name);
    let mut versions: Vec<&VersionRecord> = view.versions.iter().collect();
    versions.sort_by(|a, b| b.version.cmp(&a.version));
    let decided = versions.iter().filter(|it| it.standing.decision.is_some()).take(DECIDED);
    let mut subjects = vec![(Subject::Crate(krate.id), "the crate".to_owned())];
    subjects.extend(decided.map(|it| (Subject::Version(it.id), format!("version {}", it.version))));
    let mut frame = gate.frame(&visitor, "/console/queue", format!("Crate {}", krate.name)).await?;
    frame.notice = notice(told.done.as_deref());
    let cases = gate.store.cases_of_crate(krate.id, CASES).await?;
    let cases = cases.into_iter().map(|it| CaseRow {
        id: it.id.0,
        number: number_of(&view.versions, it.version),
        state: it.state.to_string(),
        outcome: it.outcome.map_or_else(|| "undecided".to_owned(), |it| it.to_string()),
        at: it.opened_at,
    });
    let page_data = CratePage {
        cases: cases.collect(),
        count: versions.len(),
        owners: gate.store.owners(krate.id).await?,
        chart: history(&marks(&view.versions, &events, None), gate.now()),
        decisions: decisions(&gate, &visitor, subjects, &back).await?,
        waived: waivers::of_crate(&gate, &visitor, (krate, &view.versions), None, &back).await?,
        near: near(&gate, &krate.name).await?,
        acts: if visitor.has(&crate::acts::TRIAGE) {
            {
                let locks = gate.store.locks(krate.id).await?;
                let yanked = yanked_since(&view.versions, &events);
                let taken_down = visitor.has(&[Role::Admin]).then(|| taken_down(&view.versions));
                let mut acts = offers::of_crate(
                    &registry,
                    &krate.name,
                    &locks,
                    (yanked, gate.now()),
                    (taken_down, back.as_str()),
                );
                acts.extend(notify::offer(&gate, &registry, &krate.name, None, &back));
                acts
            }
        } else {
            Vec::new()
        },
        versions: rows(&versions, &events),
        events: event_rows(&view.versions, &events),
        first_seen: krate.first_seen,
        name: krate.name.clone(),
        registry: registry.name,
        frame,
    };
    page(&page_data.frame, &page_data)
}

fn taken_down(versions: &[VersionRecord]) -> TakenDown {
    match versions.iter().filter(|it| it.is_taken_down()).count() {
        0 => TakenDown::None,
        count if count == versions.len() => TakenDown::All,
        _ => TakenDown::Some,
    }
}

fn number_of(versions: &[VersionRecord], id: VersionId) -> String {
    let found = versions.iter().find(|it| it.id == id);
    found.map_or_else(|| "a version".to_owned(), |it| it.version.to_string())
}

/// The newest event of each version that is of one of some kinds.
fn last_of<'a>(events: &'a [CrateEvent], kinds: &[EventKind]) -> BTreeMap<VersionId, &'a CrateEvent> {
    let those = events.iter().filter(|it| kinds.contains(&it.kind));
    those.filter_map(|it| Some((it.version?, it))).collect()
}

fn rows(versions: &[&VersionRecord], events: &[CrateEvent]) -> Vec<VersionRow> {
    let published = last_of(events, &[EventKind::Publish]);
    let yanks = last_of(events, &[EventKind::Yank]);
    let row = |it: &&VersionRecord| VersionRow {
        id: it.id,
        number: it.version.to_string(),
        state: it.standing.state.to_string(),
        is_taken_down: it.is_taken_down(),
        level: it.level.map_or_else(|| "unknown".to_owned(), |it| it.to_string()),
        score: it.score,
        at: it.published_at.unwrap_or(it.first_seen),
        publisher: published.get(&it.id).and_then(|it| it.actor.clone()),
        yanked: yanked(it, yanks.get(&it.id).copied()),
    };
    versions.iter().take(VERSIONS).map(row).collect()
}

/// What there is to say about a version's being withdrawn.
fn yanked(version: &VersionRecord, last: Option<&CrateEvent>) -> Option<String> {
    if !version.is_yanked() {
        let kept = version.yanked.then_some("withdrawn there, shown as available here");
        return kept.map(str::to_owned);
    }
    if version.overlay.is_some() && !version.yanked {
        return Some("withdrawn here only".to_owned());
    }
    let by = last
        .and_then(|it| it.actor.as_deref())
        .map_or_else(|| "not known by whom".to_owned(), |it| format!("by {it}"));
    let at = last.map_or_else(String::new, |it| format!(", {}", moment(it.at)));
    Some(format!("withdrawn {by}{at}"))
}

/// The moment of the first yank that still holds.
fn yanked_since(versions: &[VersionRecord], events: &[CrateEvent]) -> Option<i64> {
    let holds = |it: &&CrateEvent| {
        it.kind == EventKind::Yank
            && versions.iter().any(|version| Some(version.id) == it.version && version.is_yanked())
    };
    events.iter().filter(holds).map(|it| it.at).min()
}

fn event_rows(versions: &[VersionRecord], events: &[CrateEvent]) -> Vec<EventRow> {
    let row = |it: &CrateEvent| EventRow {
        at: it.at,
        what: it.kind.to_string().replace('-', " "),
        actor: it.actor.as_deref().map(plain),
        about: it.subject.as_deref().map(plain).or_else(|| it.version.map(|id| number_of(versions, id))),
    };
    events.iter().rev().take(EVENTS).map(row).collect()
}

/// Names that this one can be taken for: of crates here, and of popular ones.
async fn near(gate: &Arc<Gate>, name: &str) -> Result<Vec<Near>, Problem> {
    let (names, _) = gate.names.corpora();
    let Ok(mut candidate) = Candidate::new(name) else { return Ok(Vec::new()) };
    candidate.leave_one_out = true;
    let judged = tokio::task::spawn_blocking(move || {
        let corpora = names.as_deref().into_iter().chain([Corpus::popular_crates()]);
        let matches = corpora.flat_map(|it| it.judge(&candidate).matches);
        let close = matches.filter(|it| Level::of(it.score) >= Level::Review);
        let mut found: BTreeMap<String, u8> = BTreeMap::new();
        for it in close {
            let score = found.entry(it.target).or_default();
            *score = (*score).max(it.score);
        }
        found
    });
    let found = judged.await.map_err(|error| Failure::Internal(error.to_string()))?;
    let mut found: Vec<(String, u8)> = found.into_iter().collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.1));
    let mut near = Vec::new();
    for (name, score) in found.into_iter().take(NAMES) {
        let others = gate.store.crates_named(&name).await?;
        let path = others.iter().find_map(|it| Some(crate_path(&gate.registry_of(it)?.name, &it.name)));
        near.push(Near { name, score, path });
    }
    Ok(near)
}

#[cfg(test)]
mod tests {
    use cratekeeper_store::CrateId;

    use super::*;

    fn event(kind: EventKind, version: i64, actor: &str, at: i64) -> CrateEvent {
        CrateEvent {
            id: at,
            crate_id: CrateId(1),
            version: Some(VersionId(version)),
            kind,
            actor: Some(actor.to_owned()),
            token: None,
            subject: None,
            at,
        }
    }

    #[test]
    fn the_last_yank_of_a_version_is_told() {
        let events = [
            event(EventKind::Yank, 1, "a", 10),
            event(EventKind::Unyank, 1, "a", 20),
            event(EventKind::Yank, 1, "b", 30),
            event(EventKind::Publish, 2, "c", 40),
        ];
        let last = last_of(&events, &[EventKind::Yank]);
        assert_eq!((last.len(), last[&VersionId(1)].actor.as_deref()), (1, Some("b")));
        let rows = event_rows(&[], &events);
        assert_eq!(
            (rows[0].what.as_str(), rows[0].at, rows[0].about.as_deref()),
            ("publish", 40, Some("a version"))
        );
        assert_eq!(yanked_since(&[], &events), None);
    }
}
