//! The admin API: what people do to a gate, over JSON. Every act has a reason and an entry in the audit log, in the same transaction.
//!
//! Which role may do what stands in one place: each handler's first line. `/admin/v1/openapi.json` is made from these handlers.

mod acts;
mod owners;
mod people;
mod questions;
mod replay;
mod service;
mod vault;
mod webhooks;

pub(crate) use replay::Replayed;
pub(crate) use webhooks::origin;

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::routing::{get, post};
use axum::{Json, Router};
use cratekeeper_store::Role;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::{OpenApi, ToSchema};

use crate::acts::reason;
use crate::callers::{Caller, RequestKind, small};
use crate::error::Failure;
use crate::gate::Gate;

/// Largest body of a request: a policy of the largest size.
const BODY: usize = 2 << 20;

/// Who may see who fetched what, and what was done by whom.
pub(crate) const AUDIT: [Role; 3] = [Role::Triager, Role::Admin, Role::Auditor];

/// Who may look.
const LOOK: [Role; 4] = [Role::Viewer, Role::Triager, Role::Admin, Role::Auditor];

/// Who may hold, release and block.
const TRIAGE: [Role; 2] = [Role::Triager, Role::Admin];

/// The routes, below `/admin/v1`.
pub(crate) fn routes() -> Router<Arc<Gate>> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/status", get(questions::status))
        .route("/queue", get(questions::queue))
        .route("/versions/{registry}/{name}/{version}", get(questions::version))
        .route("/recall", get(questions::recall))
        .route("/audit-log", get(questions::audit_log))
        .route("/replay", post(replay::replay))
        .route("/jobs/dead", get(questions::dead_jobs))
        .route("/jobs/{id}/retry", post(acts::retry_job))
        .route("/decisions", get(questions::decisions).post(acts::decide))
        .route("/decisions/{id}/undo", post(acts::undo))
        .route("/decisions/{id}/confirm", post(acts::confirm))
        .route("/preview", post(acts::preview))
        .route("/acts", post(acts::any))
        .route("/requests", get(questions::requests))
        .route("/requests/{id}", get(questions::request))
        .route("/requests/{id}/approve", post(acts::approve))
        .route("/requests/{id}/refuse", post(acts::refuse))
        .route("/rollback-yanks", post(acts::roll_back_yanks))
        .route("/pass-on-yanks", post(acts::pass_on_yanks))
        .route("/yank", post(acts::yank))
        .route("/unyank", post(acts::unyank))
        .route("/inspect", post(acts::inspect_again))
        .route("/users", get(people::list).post(people::create))
        .route("/users/{login}/roles", post(people::set_roles))
        .route("/users/{login}/disable", post(people::disable))
        .route("/users/{login}/enable", post(people::enable))
        .route("/tokens", post(people::create_token))
        .route("/tokens/{id}/revoke", post(people::revoke_token))
        .route("/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/webhooks/{id}/disable", post(webhooks::disable))
        .route("/webhooks/{id}/test", post(webhooks::test))
        .route("/webhooks/{id}/deliveries", get(webhooks::deliveries))
        .route("/deliveries/{id}/retry", post(webhooks::retry))
        .route("/reload", post(service::reload))
        .route("/policy", get(service::policy).post(service::set_policy))
        .route("/policy/mode", post(service::set_mode))
        .route("/take-down", post(vault::take_down))
        .route("/restore", post(vault::restore))
        .route("/evidence", post(vault::evidence))
        .route("/users/{login}/freeze", post(owners::freeze))
        .route("/users/{login}/unfreeze", post(owners::unfreeze))
        .route("/freezes", get(owners::freezes))
        .route("/freezes/{id}/confirm", post(owners::confirm_freeze))
        .route("/notify-owners", post(owners::notify))
        .route("/mails", get(owners::mails))
        .route("/mails/{id}/retry", post(owners::retry_mail))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cratekeeper admin API",
        description = "Hold, release, block, roll back, recall; people, tokens, webhooks."
    ),
    paths(
        questions::status,
        questions::queue,
        questions::version,
        questions::recall,
        questions::audit_log,
        replay::replay,
        questions::dead_jobs,
        questions::decisions,
        acts::retry_job,
        acts::decide,
        acts::undo,
        acts::confirm,
        acts::preview,
        acts::any,
        questions::requests,
        questions::request,
        acts::approve,
        acts::refuse,
        acts::roll_back_yanks,
        acts::pass_on_yanks,
        acts::yank,
        acts::unyank,
        acts::inspect_again,
        people::list,
        people::create,
        people::set_roles,
        people::disable,
        people::enable,
        people::create_token,
        people::revoke_token,
        webhooks::list,
        webhooks::create,
        webhooks::disable,
        webhooks::test,
        webhooks::deliveries,
        webhooks::retry,
        service::reload,
        service::policy,
        service::set_policy,
        service::set_mode,
        vault::take_down,
        vault::restore,
        vault::evidence,
        owners::freeze,
        owners::unfreeze,
        owners::freezes,
        owners::confirm_freeze,
        owners::notify,
        owners::mails,
        owners::retry_mail,
        crate::reports::by_api,
    )
)]
struct Document;

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    let mut document = Document::openapi();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    // The handlers name their paths as they stand below the root.
    Json(document)
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

/// Who asks, and what with.
pub(crate) struct Asked<T> {
    pub(crate) caller: Caller,
    pub(crate) body: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<Gate>> for Asked<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, gate: &Arc<Gate>) -> Result<Asked<T>, Failure> {
        let (parts, body) = request.into_parts();
        let caller = Caller::of(&parts, gate, RequestKind::Write).await?;
        // Nobody without an account has a body read.
        caller.signed_in()?;
        let bytes = small(body, BODY).await?;
        let bytes = if bytes.is_empty() { b"null".as_slice().into() } else { bytes };
        let body = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::Bad(format!(
                "the body is not what this needs: {}",
                crate::refusal::harmless(&error.to_string(), 300)
            ))
        })?;
        Ok(Asked { caller, body })
    }
}
