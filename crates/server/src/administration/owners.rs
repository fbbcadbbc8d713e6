//! Frozen accounts, and mails to owners.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use cratekeeper_store::{FreezeId, MailState};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::acts::submit;
use super::{AUDIT, Asked, LOOK, TRIAGE, Why};
use crate::acts::{Change, Target};
use crate::error::Failure;
use crate::gate::Gate;
use crate::letters::Template;

/// Rows in an answer.
const PAGE: u64 = 100;

/// What owners are told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Notify {
    target: Target,
    /// `held`, `blocked`, `released`, `yanked-back`, `taken-down`, `advisory` or `free`.
    template: Template,
    /// One's own words, besides the template or alone.
    #[serde(default)]
    text: String,
    /// Why; owners do not read it.
    reason: String,
}

/// Accept nothing of an account: at once, and confirmed by a second person.
#[utoipa::path(post, path = "/admin/v1/users/{login}/freeze", request_body = Why, responses((status = 200)))]
pub(super) async fn freeze(
    State(gate): State<Arc<Gate>>,
    Path(login): Path<String>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    submit(&gate, user, &Change::Freeze { login, frozen: true }, &body.reason).await
}

/// Accept again what an account does, once a second person agrees.
#[utoipa::path(post, path = "/admin/v1/users/{login}/unfreeze", request_body = Why, responses((status = 202)))]
pub(super) async fn unfreeze(
    State(gate): State<Arc<Gate>>,
    Path(login): Path<String>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    submit(&gate, user, &Change::Freeze { login, frozen: false }, &body.reason).await
}

/// Accounts that are frozen, newest first.
#[utoipa::path(get, path = "/admin/v1/freezes", responses((status = 200)))]
pub(super) async fn freezes(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    Ok(Json(json!({ "freezes": gate.store.freezes(PAGE).await? })))
}

/// Confirm, as a second person, that an account was frozen.
#[utoipa::path(post, path = "/admin/v1/freezes/{id}/confirm", request_body = Why, responses((status = 200)))]
pub(super) async fn confirm_freeze(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let freeze = gate.confirm_freeze(user, FreezeId(id), &body.reason).await?;
    Ok(Json(json!({ "freeze": freeze.id, "user": freeze.login })))
}

/// Tell the owners of a hosted crate something by mail: those who confirmed an address.
#[utoipa::path(post, path = "/admin/v1/notify-owners", request_body = Notify, responses((status = 200)))]
pub(super) async fn notify(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<Notify>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    let Notify { target, template, text, reason } = body;
    submit(&gate, user, &Change::NotifyOwners { target, template, text }, &reason).await
}

/// Mails that wait and that were given up, newest first, and how many there are; without addresses and texts.
#[utoipa::path(get, path = "/admin/v1/mails", responses((status = 200)))]
pub(super) async fn mails(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&AUDIT)?;
    let counts = gate.store.mail_counts().await?;
    let mut rows = Vec::new();
    for state in [MailState::Waiting, MailState::GivenUp] {
        for mail in gate.store.mails(state, PAGE).await? {
            rows.push(json!({
                "id": mail.id, "user": mail.user, "kind": mail.kind, "state": mail.state, "attempts": mail.attempts,
                "created_at": mail.created_at, "finished_at": mail.finished_at,
            }));
        }
    }
    Ok(Json(json!({
        "set_up": gate.mailer.is_some(),
        "waiting": counts.waiting, "sent": counts.sent, "given_up": counts.given_up,
        "mails": rows,
    })))
}

/// Send a mail again that was given up.
#[utoipa::path(post, path = "/admin/v1/mails/{id}/retry", request_body = Why, responses((status = 200)))]
pub(super) async fn retry_mail(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&TRIAGE)?;
    submit(&gate, user, &Change::RetryMail { mail: id }, &body.reason).await
}
