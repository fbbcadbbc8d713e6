//! People, tokens and webhooks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use cratekeeper_model::PublishMethod;
use cratekeeper_store::{Act, NewToken, NewUser, Role, Scope, TokenId, UserId, WebhookId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Asked, reason};
use crate::error::Failure;
use crate::gate::Gate;

/// Rows in an answer.
const PAGE: u64 = 100;

/// An account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateUser {
    login: String,
    #[serde(default)]
    name: Option<String>,
    /// `viewer`, `triager`, `admin`, `auditor`; none for somebody who publishes alone.
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetRoles {
    roles: Vec<String>,
    reason: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    reason: String,
}

/// A token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateToken {
    /// Whose it is; the caller's without it.
    #[serde(default)]
    user: Option<String>,
    name: String,
    /// `publish-new`, `publish-update`, `yank`, `change-owners`, `read`, `administer`.
    scopes: Vec<String>,
    /// Names of crates, or beginnings of names with `*` behind; all without it.
    #[serde(default)]
    crates: Vec<String>,
    /// Seconds until it is worth nothing.
    #[serde(default)]
    expires_in: Option<i64>,
}

/// A webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateWebhook {
    url: String,
    /// Signs what is sent; 16 characters or more.
    secret: String,
    /// `verdict`, `exposure`; all without it.
    #[serde(default)]
    events: Vec<String>,
}

fn roles(words: &[String]) -> Result<Vec<Role>, Failure> {
    let read =
        |word: &String| Role::from_word(word).ok_or_else(|| Failure::Bad("there is no such role".to_owned()));
    words.iter().map(read).collect()
}

async fn user_id(gate: &Gate, login: &str) -> Result<UserId, Failure> {
    let found = gate.store.user(login).await?;
    found.map(|it| it.id).ok_or_else(|| Failure::NotFound("there is no such user".to_owned()))
}

/// Everybody who has an account.
#[utoipa::path(get, path = "/admin/v1/users", responses((status = 200)))]
pub(super) async fn list(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&[Role::Admin, Role::Auditor])?;
    Ok(Json(json!({ "users": gate.store.users(None, PAGE).await? })))
}

/// Make an account.
#[utoipa::path(post, path = "/admin/v1/users", request_body = CreateUser, responses((status = 200)))]
pub(super) async fn create(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<CreateUser>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let roles = roles(&body.roles)?;
    let act =
        Act::new(&user.login, "user.create", &body.login, gate.now()).with_detail(json!({ "roles": roles }));
    let mut transaction = gate.store.act(act).await?;
    let new = NewUser { login: body.login, name: body.name, email: None, password_hash: None, roles };
    let created = transaction.create_user(&new).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "user": created })))
}

/// Give and take roles.
#[utoipa::path(post, path = "/admin/v1/users/{login}/roles", request_body = SetRoles, responses((status = 200)))]
pub(super) async fn set_roles(
    State(gate): State<Arc<Gate>>,
    Path(login): Path<String>,
    Asked { caller, body }: Asked<SetRoles>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let why = reason(&body.reason)?;
    let roles = roles(&body.roles)?;
    let id = user_id(&gate, &login).await?;
    let detail = json!({ "roles": roles, "reason": why });
    let mut transaction =
        gate.store.act(Act::new(&user.login, "user.roles", &login, gate.now()).with_detail(detail)).await?;
    let changed = transaction.set_roles(id, &roles).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "user": changed })))
}

/// Lock an account out: its tokens are worth nothing.
#[utoipa::path(post, path = "/admin/v1/users/{login}/disable", request_body = Why, responses((status = 200)))]
pub(super) async fn disable(
    State(gate): State<Arc<Gate>>,
    Path(login): Path<String>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let why = reason(&body.reason)?;
    let id = user_id(&gate, &login).await?;
    let detail = json!({ "reason": why });
    let mut transaction =
        gate.store.act(Act::new(&user.login, "user.disable", &login, gate.now()).with_detail(detail)).await?;
    let changed = transaction.set_disabled(id, true).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "user": changed })))
}

/// Make a token; it is shown once.
#[utoipa::path(post, path = "/admin/v1/tokens", request_body = CreateToken, responses((status = 200)))]
pub(super) async fn create_token(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<CreateToken>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let whose = body.user.unwrap_or_else(|| user.login.clone());
    let id = user_id(&gate, &whose).await?;
    let read = |word: &String| {
        Scope::from_word(word).ok_or_else(|| Failure::Bad("there is no such scope".to_owned()))
    };
    let scopes: Vec<Scope> = body.scopes.iter().map(read).collect::<Result<_, _>>()?;
    if scopes.is_empty() {
        return Err(Failure::Bad("a token has one scope or more".to_owned()));
    }
    let detail = json!({ "name": body.name, "scopes": scopes, "crates": body.crates });
    let mut transaction =
        gate.store.act(Act::new(&user.login, "token.create", &whose, gate.now()).with_detail(detail)).await?;
    let new = NewToken {
        user: id,
        name: body.name,
        method: PublishMethod::Token,
        scopes,
        patterns: body.crates,
        expires_at: body.expires_in.map(|it| gate.now().saturating_add(it)),
    };
    let (token, text) = transaction.create_token(&new).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "token": token, "secret": text.expose() })))
}

/// Make a token worth nothing. Everybody may do so with their own.
#[utoipa::path(delete, path = "/admin/v1/tokens/{id}", responses((status = 200)))]
pub(super) async fn revoke_token(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    let (token, user) = caller.signed_in()?;
    // A token that leaked can be ended with itself; others of the same person only with one that may administer.
    let is_itself = token.id.0 == id;
    let may_end_own = token.has(Scope::Administer);
    let own = gate.store.tokens(user.id).await?;
    if !(is_itself || may_end_own && own.iter().any(|it| it.id.0 == id)) {
        caller.with_role(&[Role::Admin])?;
    }
    let mut transaction =
        gate.store.act(Act::new(&user.login, "token.revoke", id.to_string(), gate.now())).await?;
    let token = transaction.revoke_token(TokenId(id)).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "token": token })))
}

/// Who is told about verdicts.
#[utoipa::path(get, path = "/admin/v1/webhooks", responses((status = 200)))]
pub(super) async fn webhooks(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&[Role::Admin, Role::Auditor])?;
    Ok(Json(json!({ "webhooks": gate.store.webhooks().await? })))
}

/// Add a webhook.
#[utoipa::path(post, path = "/admin/v1/webhooks", request_body = CreateWebhook, responses((status = 200)))]
pub(super) async fn create_webhook(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<CreateWebhook>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    if body.secret.len() < 16 {
        return Err(Failure::Bad("a secret has 16 characters or more".to_owned()));
    }
    let (notifier, url) = (gate.notifier.clone(), body.url.clone());
    tokio::task::spawn_blocking(move || notifier.check(&url))
        .await
        .map_err(|_| Failure::Internal("the check of an address ended".to_owned()))?
        .map_err(|error| Failure::Bad(error.to_string()))?;
    let mut transaction =
        gate.store.act(Act::new(&user.login, "webhook.create", &body.url, gate.now())).await?;
    let webhook = transaction.create_webhook(&body.url, &body.secret, &body.events).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "webhook": webhook })))
}

/// End a webhook.
#[utoipa::path(delete, path = "/admin/v1/webhooks/{id}", responses((status = 200)))]
pub(super) async fn end_webhook(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let mut transaction =
        gate.store.act(Act::new(&user.login, "webhook.end", id.to_string(), gate.now())).await?;
    transaction.disable_webhook(WebhookId(id)).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "webhook": id })))
}

/// What was sent to a webhook, newest first.
#[utoipa::path(get, path = "/admin/v1/webhooks/{id}/deliveries", responses((status = 200)))]
pub(super) async fn deliveries(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&[Role::Admin, Role::Auditor])?;
    let mut told = Vec::new();
    for delivery in gate.store.deliveries(WebhookId(id), None, PAGE).await? {
        let attempts = gate.store.delivery_attempts(delivery.id).await?;
        told.push(json!({ "delivery": delivery, "attempts": attempts }));
    }
    Ok(Json(json!({ "deliveries": told })))
}
