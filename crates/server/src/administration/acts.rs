//! Acts on versions, crates and publishers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use cratekeeper_store::{
    Act, By, DecisionAction, DecisionId, Enforcement, JobId, NewDecision, Role, Subject, VersionId,
    VersionRecord, Yanks,
};
use semver::Version;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Asked, Why, reason};
use crate::configuration::HOSTED;
use crate::error::Failure;
use crate::gate::Gate;

/// Who may hold, release and block.
const TRIAGE: [Role; 2] = [Role::Triager, Role::Admin];

/// What a decision is about: a version, a crate, or a publisher.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// Name of the registry: `hosted`, or that of an upstream.
    #[serde(default = "hosted")]
    registry: String,
    /// Name of the crate; not with `publisher`.
    #[serde(default, rename = "crate")]
    krate: Option<String>,
    /// The version; without it, all of the crate.
    #[serde(default)]
    version: Option<String>,
    /// Login: everything that they published.
    #[serde(default)]
    publisher: Option<String>,
}

fn hosted() -> String {
    HOSTED.to_owned()
}

/// A decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decide {
    target: Target,
    /// `hold`, `release` or `block`.
    action: String,
    /// `deny` (the index keeps its line, downloads are refused) or `hide`.
    #[serde(default)]
    enforcement: Option<String>,
    /// Why; whoever is refused reads it.
    reason: String,
}

/// What to inspect again, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InspectAgain {
    target: Target,
    reason: String,
}

/// Whose yanks to pass on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PassOn {
    /// Name of the upstream.
    registry: String,
    /// Name of the crate.
    #[serde(rename = "crate")]
    krate: String,
    reason: String,
}

/// Which yanks to take back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollBack {
    /// Name of the registry.
    #[serde(default = "hosted")]
    registry: String,
    /// Login of whoever made them; or `crate`.
    #[serde(default)]
    by: Option<String>,
    /// Name of the crate.
    #[serde(default, rename = "crate")]
    krate: Option<String>,
    /// From when on, in seconds since 1970.
    from: i64,
    /// Until before when, in seconds since 1970.
    to: i64,
    reason: String,
}

async fn subject(gate: &Gate, target: &Target) -> Result<(Subject, String), Failure> {
    let registry = gate
        .registry(&target.registry)
        .ok_or_else(|| Failure::NotFound("there is no such registry".to_owned()))?;
    match (&target.krate, &target.version, &target.publisher) {
        (None, None, Some(login)) => {
            Ok((Subject::Publisher(registry.id, login.clone()), format!("publisher {login}")))
        }
        (Some(name), None, None) => {
            let found = gate.store.krate(registry.id, name).await?;
            let krate = found.ok_or_else(|| Failure::NotFound("there is no such crate".to_owned()))?;
            Ok((Subject::Crate(krate.id), krate.name))
        }
        (Some(name), Some(version), None) => {
            let number: Version = version.parse().map_err(|_| Failure::Bad("invalid version".to_owned()))?;
            let found = gate.store.version(registry.id, name, &number).await?;
            let (krate, record) =
                found.ok_or_else(|| Failure::NotFound("there is no such version".to_owned()))?;
            Ok((Subject::Version(record.id), format!("{}@{}", krate.name, record.version)))
        }
        _ => {
            Err(Failure::Bad("a target is a `crate`, a `crate` and a `version`, or a `publisher`".to_owned()))
        }
    }
}

/// Drops what is remembered of the crates of some versions, and shows which they are.
async fn show(gate: &Gate, versions: &[VersionId]) -> Result<Vec<Value>, Failure> {
    let mut shown = Vec::new();
    for id in versions {
        let (krate, version) = gate.store.version_by_id(*id).await?;
        if let Some(registry) = gate.registry_of(&krate) {
            gate.changed(registry, &krate.name);
        }
        shown.push(json!({
            "crate": krate.name, "version": version.version, "state": version.standing.state, "yanked": version.is_yanked(),
        }));
    }
    Ok(shown)
}

/// Hold, release or block a version, a crate or everything of a publisher.
#[utoipa::path(post, path = "/admin/v1/decisions", request_body = Decide, responses((status = 200)))]
pub(super) async fn decide(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<Decide>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let why = reason(&body.reason)?;
    let action = DecisionAction::from_word(&body.action)
        .ok_or_else(|| Failure::Bad("an action is `hold`, `release` or `block`".to_owned()))?;
    let enforcement = match body.enforcement.as_deref() {
        None => Enforcement::Deny,
        Some(word) => Enforcement::from_word(word)
            .ok_or_else(|| Failure::Bad("an enforcement is `deny` or `hide`".to_owned()))?,
    };
    let (subject, object) = subject(&gate, &body.target).await?;
    let act = Act::new(&user.login, format!("decision.{action}"), &object, gate.now())
        .with_detail(json!({ "reason": why, "enforcement": enforcement, "registry": body.target.registry }));
    let mut transaction = gate.store.act(act).await?;
    let decision = NewDecision { subject, action, enforcement, reason: why.to_owned() };
    let (id, changed) = transaction.decide(&decision).await?;
    transaction.commit().await?;
    let versions = show(&gate, &changed).await?;
    Ok(Json(json!({ "decision": id, "versions": versions })))
}

/// Undo a decision.
#[utoipa::path(post, path = "/admin/v1/decisions/{id}/undo", request_body = Why, responses((status = 200)))]
pub(super) async fn undo(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let why = reason(&body.reason)?;
    let act = Act::new(&user.login, "decision.undo", id.to_string(), gate.now())
        .with_detail(json!({ "reason": why }));
    let mut transaction = gate.store.act(act).await?;
    let changed = transaction.undo_decision(DecisionId(id), why).await?;
    transaction.commit().await?;
    let versions = show(&gate, &changed).await?;
    Ok(Json(json!({ "decision": id, "versions": versions })))
}

/// Take yanks back that somebody made in some time; for an upstream by an overlay, which survives refreshes.
#[utoipa::path(post, path = "/admin/v1/rollback-yanks", request_body = RollBack, responses((status = 200)))]
pub(super) async fn roll_back_yanks(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<RollBack>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let why = reason(&body.reason)?;
    let (yanks, object) = match (&body.by, &body.krate) {
        (Some(login), None) => {
            let registry = gate
                .registry(&body.registry)
                .ok_or_else(|| Failure::NotFound("there is no such registry".to_owned()))?;
            (Yanks::By(registry.id, login.clone()), format!("publisher {login}"))
        }
        (None, Some(name)) => {
            let target = Target {
                registry: body.registry.clone(),
                krate: Some(name.clone()),
                version: None,
                publisher: None,
            };
            match subject(&gate, &target).await? {
                (Subject::Crate(id), object) => (Yanks::Of(id), object),
                _ => return Err(Failure::Bad("a roll-back is about a crate or an account".to_owned())),
            }
        }
        _ => return Err(Failure::Bad("a roll-back names `by` or `crate`".to_owned())),
    };
    if body.from >= body.to {
        return Err(Failure::Bad("`from` lies before `to`".to_owned()));
    }
    let detail = json!({ "reason": why, "registry": body.registry, "from": body.from, "to": body.to });
    let mut transaction = gate
        .store
        .act(Act::new(&user.login, "yanks.roll-back", &object, gate.now()).with_detail(detail))
        .await?;
    let by = By { login: Some(&user.login), token: None };
    let changed = transaction.roll_back_yanks(&yanks, body.from, body.to, why, by).await?;
    transaction.commit().await?;
    let versions = show(&gate, &changed).await?;
    Ok(Json(json!({ "versions": versions })))
}

/// Pass on what an upstream says about versions of a crate being withdrawn, where the gate shows something else.
#[utoipa::path(post, path = "/admin/v1/pass-on-yanks", request_body = PassOn, responses((status = 200)))]
pub(super) async fn pass_on_yanks(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<PassOn>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let why = reason(&body.reason)?;
    let missing = || Failure::NotFound("there is no such crate".to_owned());
    let registry = gate.registry(&body.registry).ok_or_else(missing)?;
    let view = gate.view(registry, &body.krate).await?.ok_or_else(missing)?;
    let overlaid: Vec<&VersionRecord> = view.versions.iter().filter(|it| it.overlay.is_some()).collect();
    gate.end_overlays(registry, &view, &overlaid, &user.login, why).await?;
    let ids: Vec<VersionId> = overlaid.iter().map(|it| it.id).collect();
    Ok(Json(json!({ "versions": show(&gate, &ids).await? })))
}

/// Have a version inspected again.
#[utoipa::path(post, path = "/admin/v1/inspect", request_body = InspectAgain, responses((status = 200)))]
pub(super) async fn inspect_again(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<InspectAgain>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let why = reason(&body.reason)?;
    let (Subject::Version(id), object) = subject(&gate, &body.target).await? else {
        return Err(Failure::Bad("one version is inspected at a time".to_owned()));
    };
    let registry = gate.registry(&body.target.registry).unwrap_or(&gate.hosted);
    let job = gate.inspection_of(registry, id);
    let act = Act::new(&user.login, "version.inspect-again", &object, gate.now());
    let mut transaction = gate.store.act(act.with_detail(json!({ "reason": why }))).await?;
    transaction.enqueue(&job).await?;
    transaction.commit().await?;
    gate.there_is_work();
    Ok(Json(json!({ "inspecting": object })))
}

/// Try a job again that was given up.
#[utoipa::path(post, path = "/admin/v1/jobs/{id}/retry", request_body = Why, responses((status = 200)))]
pub(super) async fn retry_job(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let why = reason(&body.reason)?;
    let act = Act::new(&user.login, "job.retry", id.to_string(), gate.now());
    let mut transaction = gate.store.act(act.with_detail(json!({ "reason": why }))).await?;
    transaction.retry_job(JobId(id)).await?;
    transaction.commit().await?;
    gate.there_is_work();
    Ok(Json(json!({ "job": id })))
}
