//! Questions: what stands how, what waits, who fetched what, what was done.

#![allow(unused_qualifications, reason = "the macro that documents parameters writes them")]

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use cratekeeper_store::{
    AuditFilter, DecisionFilter, QueueFilter, QueueOrder, RequestId, RequestState, State as Standing,
};
use semver::Version;
use serde::Deserialize;
use serde::de::DeserializeOwned;
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
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct QueueAsked {
    /// `pending`, `released`, `held`, `blocked` or `failed`; all but `released` without it.
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    limit: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
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
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
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
    /// The first day, in UTC: `2026-08-20`.
    #[serde(default)]
    from: Option<String>,
    /// The last day, in UTC.
    #[serde(default)]
    to: Option<String>,
}

impl AuditAsked {
    fn filter(self) -> Result<AuditFilter, Failure> {
        let day = |name: &str, text: Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let read = crate::console::day(&text);
            read.map(Some).ok_or_else(|| {
                let shown = crate::refusal::harmless(&text, 60);
                Failure::Bad(format!("`{name}` cannot be read: `{shown}`; a day is written like 2026-08-20"))
            })
        };
        let AuditAsked { actor, object, action, from, to, .. } = self;
        // The last day is meant as a whole.
        let (from, to) = (day("from", from)?, day("to", to)?.map(|it| it + 86_400));
        Ok(AuditFilter { actor, object, action, from, to, ..AuditFilter::default() })
    }
}

/// The questions of an address: a filter that cannot be read, or that there is none of, is refused and not left out.
pub(super) struct Filter<T>(T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Filter<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Filter<T>, Failure> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        let told = |error: QueryRejection| crate::refusal::harmless(&error.body_text(), 300);
        read.map(|it| Filter(it.0)).map_err(|error| Failure::Bad(told(error)))
    }
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
    Filter(asked): Filter<QueueAsked>,
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
    Filter(asked): Filter<RecallAsked>,
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
    Filter(asked): Filter<AuditAsked>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&AUDIT)?;
    let before = asked.before;
    let entries = gate.store.audit_entries(&asked.filter()?, before, PAGE).await?;
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
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RequestsAsked {
    /// `waiting`, `done`, `refused`, `withdrawn` or `lapsed`; `waiting` without it.
    #[serde(default)]
    state: Option<String>,
}

/// Acts that wait, or waited, for a second person, newest first; each in full under its own address.
#[utoipa::path(get, path = "/admin/v1/requests", params(RequestsAsked), responses((status = 200)))]
pub(super) async fn requests(
    State(gate): State<Arc<Gate>>,
    Filter(asked): Filter<RequestsAsked>,
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

/// An act that waits, or waited, for a second person: all of it, with its preview.
#[utoipa::path(get, path = "/admin/v1/requests/{id}", responses((status = 200)))]
pub(super) async fn request(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let request = gate.store.request(RequestId(id)).await?;
    Ok(Json(json!({ "request": request })))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(query: &str) -> Result<AuditFilter, Failure> {
        let request = axum::http::Request::get(format!("/admin/v1/audit-log?{query}")).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let Filter(asked) = Filter::<AuditAsked>::from_request_parts(&mut parts, &()).await?;
        asked.filter()
    }

    #[tokio::test]
    async fn a_filter_that_cannot_be_read_is_refused() {
        let filter = read("actor=alice&from=2026-09-21&to=2026-09-21").await.unwrap();
        assert_eq!(filter.to.unwrap() - filter.from.unwrap(), 86_400);
        for (query, told) in [
            ("from=soon", "`from` cannot be read: `soon`"),
            ("to=2026-02-30", "`to` cannot be read"),
            ("form=2026-09-21", "unknown field `form`"),
            ("before=x", "before"),
        ] {
            let failure = read(query).await.unwrap_err();
            assert!(
                matches!(&failure, Failure::Bad(_)) && failure.told().contains(told),
                "{query}: {}",
                failure.told()
            );
        }
    }
}
