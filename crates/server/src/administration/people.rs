//! People and their tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use cratekeeper_store::{Act, Role, Scope, TokenId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::acts::submit;
use super::{Asked, Why, reason};
use crate::acts::Change;
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
    reason: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetRoles {
    roles: Vec<String>,
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
    reason: String,
}

fn roles(words: &[String]) -> Result<Vec<Role>, Failure> {
    let read =
        |word: &String| Role::from_word(word).ok_or_else(|| Failure::Bad("there is no such role".to_owned()));
    words.iter().map(read).collect()
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
#[utoipa::path(post, path = "/admin/v1/users", request_body = CreateUser, responses((status = 200), (status = 202)))]
pub(super) async fn create(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<CreateUser>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let change = Change::CreateUser { login: body.login, name: body.name, roles: roles(&body.roles)? };
    submit(&gate, user, &change, &body.reason).await
}

/// Give and take roles.
#[utoipa::path(post, path = "/admin/v1/users/{login}/roles", request_body = SetRoles, responses((status = 200), (status = 202)))]
pub(super) async fn set_roles(
    State(gate): State<Arc<Gate>>,
    Path(login): Path<String>,
    Asked { caller, body }: Asked<SetRoles>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let change = Change::SetRoles { login, roles: roles(&body.roles)? };
    submit(&gate, user, &change, &body.reason).await
}

/// Lock an account out: its tokens and sessions are worth nothing.
#[utoipa::path(post, path = "/admin/v1/users/{login}/disable", request_body = Why, responses((status = 200)))]
pub(super) async fn disable(
    State(gate): State<Arc<Gate>>,
    Path(login): Path<String>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    submit(&gate, user, &Change::SetDisabled { login, disabled: true }, &body.reason).await
}

/// Let an account in again that was locked out.
#[utoipa::path(post, path = "/admin/v1/users/{login}/enable", request_body = Why, responses((status = 200), (status = 202)))]
pub(super) async fn enable(
    State(gate): State<Arc<Gate>>,
    Path(login): Path<String>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    submit(&gate, user, &Change::SetDisabled { login, disabled: false }, &body.reason).await
}

/// Make a token; it is shown once, to whoever completes the act.
#[utoipa::path(post, path = "/admin/v1/tokens", request_body = CreateToken, responses((status = 200), (status = 202)))]
pub(super) async fn create_token(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<CreateToken>,
) -> Result<Response, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let read = |word: &String| {
        Scope::from_word(word).ok_or_else(|| Failure::Bad("there is no such scope".to_owned()))
    };
    let scopes: Vec<Scope> = body.scopes.iter().map(read).collect::<Result<_, _>>()?;
    let change = Change::CreateToken {
        user: body.user.unwrap_or_else(|| user.login.clone()),
        name: body.name,
        scopes,
        crates: body.crates,
        expires_in: body.expires_in,
    };
    submit(&gate, user, &change, &body.reason).await
}

/// Make a token worth nothing. Everybody may do so with their own.
#[utoipa::path(post, path = "/admin/v1/tokens/{id}/revoke", request_body = Why, responses((status = 200)))]
pub(super) async fn revoke_token(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let (token, user) = caller.signed_in()?;
    // A token that leaked can be ended with itself; others of the same person only with one that may administer.
    let is_itself = token.id.0 == id;
    let may_end_own = token.has(Scope::Administer);
    let own = gate.store.tokens(user.id).await?;
    if !(is_itself || may_end_own && own.iter().any(|it| it.id.0 == id)) {
        caller.with_role(&[Role::Admin])?;
    }
    let why = &reason(&body.reason)?;
    let act = Act::new(&user.login, "token.revoke", id.to_string(), gate.now());
    let mut transaction = gate.store.act(act.with_detail(json!({ "reason": why }))).await?;
    let token = transaction.revoke_token(TokenId(id)).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "token": token })))
}
