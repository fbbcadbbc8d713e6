//! The gate itself: what it decides by.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use cratekeeper_model::ClauseMode;
use cratekeeper_policy::Moded;
use cratekeeper_store::Role;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::acts::submit;
use super::{Asked, LOOK, Why, reason};
use crate::acts::Change;
use crate::error::Failure;
use crate::gate::Gate;
use crate::reload::ReloadError;

/// Read policy, configuration and certificates again; of several replicas, the one that is asked does.
#[utoipa::path(post, path = "/admin/v1/reload", request_body = Why, responses((status = 200)))]
pub(super) async fn reload(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let why = &reason(&body.reason)?;
    match gate.reload(&user.login, Some(why)).await {
        Ok(reloaded) => Ok(Json(json!({ "reloaded": reloaded }))),
        Err(error @ ReloadError::Mistakes(_)) => Err(Failure::Bad(error.to_string())),
        Err(ReloadError::Store(error)) => Err(error.into()),
    }
}

/// A policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetPolicy {
    /// Its text, as in `cratekeeper.toml`.
    text: String,
    reason: String,
}

/// Another mode for a clause or a rule; one of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetMode {
    /// Id of the clause.
    #[serde(default)]
    clause: Option<String>,
    /// Id of the rule.
    #[serde(default)]
    rule: Option<String>,
    /// `off`, `audit` or `enforce`.
    #[schema(value_type = String)]
    mode: ClauseMode,
    reason: String,
}

/// The policy that is in force.
#[utoipa::path(get, path = "/admin/v1/policy", responses((status = 200)))]
pub(super) async fn policy(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let policy = gate.engine.policy();
    Ok(Json(json!({ "policy": policy.digest(), "text": policy.text() })))
}

/// Decide by another policy; 202 where a second person has to agree.
#[utoipa::path(post, path = "/admin/v1/policy", request_body = SetPolicy, responses((status = 200), (status = 202)))]
pub(super) async fn set_policy(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<SetPolicy>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    submit(&gate, user, &Change::SetPolicy { text: body.text }, &body.reason).await
}

/// Give a clause or a rule another mode; 202 where a second person has to agree.
#[utoipa::path(post, path = "/admin/v1/policy/mode", request_body = SetMode, responses((status = 200), (status = 202)))]
pub(super) async fn set_mode(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<SetMode>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let change = match (&body.clause, &body.rule) {
        (Some(id), None) => gate.with_mode(Moded::Clause, id, body.mode).await?,
        (None, Some(id)) => gate.with_mode(Moded::Rule, id, body.mode).await?,
        _ => return Err(Failure::Bad("a mode is of a `clause` or of a `rule`".to_owned())),
    };
    submit(&gate, user, &change, &body.reason).await
}
