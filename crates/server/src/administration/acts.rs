//! Acts on versions, crates and publishers.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, http::StatusCode};
use cratekeeper_store::{Act, DecisionAction, DecisionId, Enforcement, RequestId, Subject, User};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Asked, LOOK, TRIAGE, Why, reason};
use crate::acts::{Change, Submitted, Target};
use crate::configuration::HOSTED;
use crate::error::Failure;
use crate::gate::Gate;

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

/// An act that is to be shown before it is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewAsked {
    /// The act, as the audit log keeps it in `detail.change`.
    #[schema(value_type = Object)]
    change: Change,
}

/// Does an act, or writes down that it is asked for: then the answer's status is 202, and it names the request.
pub(super) async fn submit(
    gate: &Arc<Gate>,
    user: &User,
    change: &Change,
    reason: &str,
) -> Result<Response, Failure> {
    match gate.submit(user, change, reason, None).await? {
        Submitted::Done { answer, .. } => Ok(Json(answer).into_response()),
        Submitted::Waiting { request, preview } => {
            let body = json!({ "request": request, "preview": preview });
            Ok((StatusCode::ACCEPTED, Json(body)).into_response())
        }
    }
}

/// Any act, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnyAct {
    /// The act, as the audit log keeps it in `detail.change`.
    #[schema(value_type = Object)]
    change: Change,
    reason: String,
}

/// Do any act: locks, names and waivers, too, which have no route of their own. 202 where a second person has to agree.
#[utoipa::path(post, path = "/admin/v1/acts", request_body = AnyAct, responses((status = 200), (status = 202)))]
pub(super) async fn any(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<AnyAct>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&LOOK)?;
    submit(&gate, user, &body.change, &body.reason).await
}

/// What an act would change, and whether a second person is needed.
#[utoipa::path(post, path = "/admin/v1/preview", request_body = PreviewAsked, responses((status = 200)))]
pub(super) async fn preview(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<PreviewAsked>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&LOOK)?;
    Ok(Json(json!({ "preview": gate.preview(user, &body.change).await? })))
}

/// Agree, as the second person, to an act that waits; it is done.
#[utoipa::path(post, path = "/admin/v1/requests/{id}/approve", request_body = Why, responses((status = 200)))]
pub(super) async fn approve(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    Ok(Json(gate.agree(user, RequestId(id), &body.reason, None).await?))
}

/// Refuse an act that waits, or withdraw one's own.
#[utoipa::path(post, path = "/admin/v1/requests/{id}/refuse", request_body = Why, responses((status = 200)))]
pub(super) async fn refuse(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let request = gate.turn_down(user, RequestId(id), &body.reason).await?;
    Ok(Json(json!({ "request": request })))
}

/// Confirm, as a second person, what contained something at once.
#[utoipa::path(post, path = "/admin/v1/decisions/{id}/confirm", request_body = Why, responses((status = 200)))]
pub(super) async fn confirm(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    gate.confirm(user, DecisionId(id), &body.reason).await?;
    Ok(Json(json!({ "decision": id })))
}

/// Hold, release or block a version, a crate or everything of a publisher.
#[utoipa::path(post, path = "/admin/v1/decisions", request_body = Decide, responses((status = 200), (status = 202)))]
pub(super) async fn decide(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<Decide>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let action = DecisionAction::from_word(&body.action)
        .ok_or_else(|| Failure::Bad("an action is `hold`, `release` or `block`".to_owned()))?;
    let enforcement = match body.enforcement.as_deref() {
        None => Enforcement::Deny,
        Some(word) => Enforcement::from_word(word)
            .ok_or_else(|| Failure::Bad("an enforcement is `deny` or `hide`".to_owned()))?,
    };
    submit(&gate, user, &Change::Decide { target: body.target, action, enforcement }, &body.reason).await
}

/// Undo a decision.
#[utoipa::path(post, path = "/admin/v1/decisions/{id}/undo", request_body = Why, responses((status = 200), (status = 202)))]
pub(super) async fn undo(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    submit(&gate, user, &Change::Undo { decision: id }, &body.reason).await
}

/// Take yanks back that somebody made in some time; for an upstream by an overlay, which survives refreshes.
#[utoipa::path(post, path = "/admin/v1/rollback-yanks", request_body = RollBack, responses((status = 200), (status = 202)))]
pub(super) async fn roll_back_yanks(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<RollBack>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let RollBack { registry, by, krate, from, to, reason } = body;
    submit(&gate, user, &Change::RollBackYanks { registry, by, krate, from, to }, &reason).await
}

/// Pass on what an upstream says about versions of a crate being withdrawn, where the gate shows something else.
#[utoipa::path(post, path = "/admin/v1/pass-on-yanks", request_body = PassOn, responses((status = 200)))]
pub(super) async fn pass_on_yanks(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<PassOn>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    submit(&gate, user, &Change::PassOnYanks { registry: body.registry, krate: body.krate }, &body.reason)
        .await
}

/// A version that is yanked or put back, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Yank {
    target: Target,
    reason: String,
}

/// Withdraw a version: resolution does not choose it any more. Of an upstream's, the gate says so, whatever the upstream says.
#[utoipa::path(post, path = "/admin/v1/yank", request_body = Yank, responses((status = 200)))]
pub(super) async fn yank(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<Yank>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    submit(&gate, user, &Change::SetYanked { target: body.target, yanked: true }, &body.reason).await
}

/// Put a version back that was withdrawn. What holds or blocks it stays.
#[utoipa::path(post, path = "/admin/v1/unyank", request_body = Yank, responses((status = 200)))]
pub(super) async fn unyank(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<Yank>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    submit(&gate, user, &Change::SetYanked { target: body.target, yanked: false }, &body.reason).await
}

/// Have a version inspected again.
#[utoipa::path(post, path = "/admin/v1/inspect", request_body = InspectAgain, responses((status = 200)))]
pub(super) async fn inspect_again(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<InspectAgain>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let why = &reason(&body.reason)?;
    let (Subject::Version(id), object) = gate.subject(&body.target).await? else {
        return Err(Failure::Bad("one version is inspected at a time".to_owned()));
    };
    if gate.was_taken_down(id).await? {
        return Err(Failure::Conflict(format!("`{object}` was taken down: there is nothing to inspect")));
    }
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
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    submit(&gate, user, &Change::RetryJob { job: id }, &body.reason).await
}
