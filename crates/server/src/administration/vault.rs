//! Taking versions down, restoring them, and the bytes of what was taken down, as evidence.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use cratekeeper_store::{Role, Subject};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::acts::submit;
use super::{Asked, reason};
use crate::acts::{Change, Target};
use crate::error::Failure;
use crate::gate::Gate;

/// What to take down, to restore or to look at, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AboutVersions {
    /// A version, or all of a crate.
    target: Target,
    /// Why; whoever asks for what was taken down reads it.
    reason: String,
}

/// Take a version down, or all of a crate: nobody gets it, and its bytes are kept sealed alone.
#[utoipa::path(post, path = "/admin/v1/take-down", request_body = AboutVersions, responses((status = 202)))]
pub(super) async fn take_down(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<AboutVersions>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    submit(&gate, user, &Change::TakeDown { target: body.target }, &body.reason).await
}

/// Bring back what was taken down; it is held then.
#[utoipa::path(post, path = "/admin/v1/restore", request_body = AboutVersions, responses((status = 202)))]
pub(super) async fn restore(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<AboutVersions>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    submit(&gate, user, &Change::Restore { target: body.target }, &body.reason).await
}

/// The archive of a version that was taken down, byte by byte. Each look is an entry of the audit log.
#[utoipa::path(post, path = "/admin/v1/evidence", request_body = AboutVersions, responses((status = 200, content_type = "application/octet-stream")))]
pub(super) async fn evidence(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<AboutVersions>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let why = reason(&body.reason)?;
    let (Subject::Version(id), _) = gate.subject(&body.target).await? else {
        return Err(Failure::Bad("evidence is about one version".to_owned()));
    };
    let (krate, version) = gate.store.version_by_id(id).await?;
    if !version.is_taken_down() {
        return Err(Failure::Conflict("it was not taken down: its archive is no evidence".to_owned()));
    }
    let detail = json!({ "archive": "whole", "reason": why });
    let bytes = gate.evidence(&user.login, (&krate, &version), detail).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, bytes).into_response())
}
