//! Questions: what stands how, what waits, who fetched what, what was done.

#![allow(unused_qualifications, reason = "the macro that documents parameters writes them")]

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use cratekeeper_store::{
    AuditFilter, DecisionFilter, QueueFilter, QueueOrder, RequestState, State as Standing,
};
use semver::Version;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::{AUDIT, Asked, LOOK};
use crate::configuration::HOSTED;
use crate::error::Failure;
use crate::gate::Gate;

/// Rows in an answer.
const PAGE: u64 = 100;

/// Most fetches that a recall lists in one answer.
const EXPOSED: u64 = 10_000;

#[derive(Deserialize, IntoParams)]
pub(super) struct QueueAsked {
    /// `pending`, `released`, `held`, `blocked` or `failed`; all but `released` without it.
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    limit: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
pub(super) struct RecallAsked {
    #[serde(default)]
    registry: Option<String>,
    #[serde(rename = "crate")]
    krate: String,
    version: String,
    /// Seconds since 1970.
    #[serde(default)]
    from: Option<i64>,
    /// Seconds since 1970.
    #[serde(default)]
    to: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
pub(super) struct AuditAsked {
    /// Entries before this sequence.
    #[serde(default)]
    before: Option<i64>,
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    object: Option<String>,
}

/// How many versions stand how, and whether work is done.
#[utoipa::path(get, path = "/admin/v1/status", responses((status = 200)))]
pub(super) async fn status(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let versions: serde_json::Map<String, Value> = gate
        .store
        .counts_by_state()
        .await?
        .into_iter()
        .map(|(state, count)| (state.as_str().to_owned(), count.into()))
        .collect();
    let jobs = gate.store.job_counts().await?;
    let upstreams: Vec<&String> = gate.fronts.keys().collect();
    Ok(Json(json!({
        "tool": { "name": "cratekeeper", "version": env!("CARGO_PKG_VERSION") },
        "versions": versions,
        "jobs": jobs,
        "upstreams": upstreams,
    })))
}

/// Versions that somebody should look at, worst first.
#[utoipa::path(get, path = "/admin/v1/queue", params(QueueAsked), responses((status = 200)))]
pub(super) async fn queue(
    State(gate): State<Arc<Gate>>,
    Query(asked): Query<QueueAsked>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let states = match asked.state.as_deref() {
        None => vec![Standing::Held, Standing::Blocked, Standing::Failed, Standing::Pending],
        Some(word) => {
            vec![Standing::from_word(word).ok_or_else(|| Failure::Bad("there is no such state".to_owned()))?]
        }
    };
    let filter = QueueFilter { states, ..QueueFilter::default() };
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let found = gate.store.queue(&filter, QueueOrder::WorstFirst, None, limit).await?;
    let entries: Vec<Value> = found
        .iter()
        .map(|it| {
            let registry = gate.registry_of(&it.krate).map(|it| it.name.clone());
            json!({
                "registry": registry, "crate": it.krate.name, "version": it.version.version, "state": it.version.standing.state,
                "score": it.version.score, "reason": it.version.standing.reason, "first_seen": it.version.first_seen,
            })
        })
        .collect();
    Ok(Json(json!({ "versions": entries })))
}

/// Everything that is known about a version.
#[utoipa::path(get, path = "/admin/v1/versions/{registry}/{name}/{version}", responses((status = 200)))]
pub(super) async fn version(
    State(gate): State<Arc<Gate>>,
    Path((registry, name, version)): Path<(String, String, String)>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let missing = || Failure::NotFound("there is no such version".to_owned());
    let of_registry = gate.registry(&registry).ok_or_else(missing)?;
    let number: Version = version.parse().map_err(|_| missing())?;
    let (krate, record) = gate.store.version(of_registry.id, &name, &number).await?.ok_or_else(missing)?;
    let provenance = gate.store.provenance(record.id).await?;
    let inspections = gate.store.inspections(record.id, 20).await?;
    let events = gate.store.events_of(krate.id).await?;
    let tombstone = gate.store.tombstone(record.id).await?;
    Ok(Json(json!({
        "registry": registry, "crate": krate, "version": record, "provenance": provenance, "inspections": inspections, "events": events,
        "tombstone": tombstone,
    })))
}

/// Who fetched a version.
#[utoipa::path(get, path = "/admin/v1/recall", params(RecallAsked), responses((status = 200)))]
pub(super) async fn recall(
    State(gate): State<Arc<Gate>>,
    Query(asked): Query<RecallAsked>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&AUDIT)?;
    let missing = || Failure::NotFound("there is no such version".to_owned());
    let registry = gate.registry(asked.registry.as_deref().unwrap_or(HOSTED)).ok_or_else(missing)?;
    let number: Version = asked.version.parse().map_err(|_| missing())?;
    let (krate, record) =
        gate.store.version(registry.id, &asked.krate, &number).await?.ok_or_else(missing)?;
    let (from, to) = (asked.from.unwrap_or(0), asked.to.unwrap_or(i64::MAX));
    let fetches = gate.store.fetches_of(record.id, from, to, None, EXPOSED).await?;
    let is_whole = (fetches.len() as u64) < EXPOSED;
    Ok(Json(json!({
        "schema": "cratekeeper.recall/1",
        "registry": registry.name, "crate": krate.name, "version": record.version, "checksum": record.checksum,
        "complete": is_whole, "fetches": fetches,
    })))
}

/// What was done by whom.
#[utoipa::path(get, path = "/admin/v1/audit-log", params(AuditAsked), responses((status = 200)))]
pub(super) async fn audit_log(
    State(gate): State<Arc<Gate>>,
    Query(asked): Query<AuditAsked>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&AUDIT)?;
    let AuditAsked { actor, object, action, .. } = asked;
    let filter = AuditFilter { actor, object, action, ..AuditFilter::default() };
    let entries = gate.store.audit_entries(&filter, asked.before, PAGE).await?;
    Ok(Json(json!({ "entries": entries })))
}

/// Jobs that were given up.
#[utoipa::path(get, path = "/admin/v1/jobs/dead", responses((status = 200)))]
pub(super) async fn dead_jobs(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let jobs = gate.store.dead_jobs(None, PAGE).await?;
    Ok(Json(json!({ "jobs": jobs })))
}

/// What people decided, newest first.
#[utoipa::path(get, path = "/admin/v1/decisions", responses((status = 200)))]
pub(super) async fn decisions(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let decisions = gate.store.decisions(&DecisionFilter::default(), None, PAGE).await?;
    Ok(Json(json!({ "decisions": decisions })))
}

#[derive(Deserialize, IntoParams)]
pub(super) struct RequestsAsked {
    /// `waiting`, `done`, `refused`, `withdrawn` or `lapsed`; `waiting` without it.
    #[serde(default)]
    state: Option<String>,
}

/// Acts that wait, or waited, for a second person, newest first.
#[utoipa::path(get, path = "/admin/v1/requests", params(RequestsAsked), responses((status = 200)))]
pub(super) async fn requests(
    State(gate): State<Arc<Gate>>,
    Query(asked): Query<RequestsAsked>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let state = match asked.state.as_deref() {
        None => RequestState::Waiting,
        Some(word) => {
            RequestState::from_word(word).ok_or_else(|| Failure::Bad("there is no such state".to_owned()))?
        }
    };
    let requests = gate.store.requests(Some(state), None, PAGE).await?;
    Ok(Json(json!({ "requests": requests })))
}
