//! The gate itself: what it decides by.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cratekeeper_store::Role;
use serde_json::{Value, json};

use super::{Asked, Why, reason};
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
