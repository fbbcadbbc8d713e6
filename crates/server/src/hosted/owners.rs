//! `cargo owner`, and who somebody is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use cratekeeper_store::{Act, By, CrateRecord, LockedAction, Scope, User};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callers::{Caller, RequestKind, small};
use crate::error::Failure;
use crate::gate::Gate;
use crate::protocol::CrateName;

/// Crates of one owner that are listed; nobody owns as many.
const OWNED: u64 = 100_000;

/// Most owners that are named in one request.
const LOGINS: usize = 50;

/// How long an invitation waits for an answer, in seconds: as on the default registry, a month.
const INVITATION: i64 = 30 * 24 * 60 * 60;

#[derive(Deserialize)]
struct Logins {
    users: Vec<String>,
}

pub(super) async fn list(
    State(gate): State<Arc<Gate>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&parts, &gate, RequestKind::Read).await?;
    caller.may_read(&gate)?;
    let krate = find(&gate, &name).await?;
    let owners = gate.store.owners(krate.id).await?;
    let mut users = Vec::new();
    for owner in owners {
        let user = gate.store.user(&owner.login).await?;
        users.push(json!({
            "id": user.as_ref().map_or(0, |it| it.id.0),
            "login": owner.login,
            "name": user.and_then(|it| it.name),
        }));
    }
    Ok(Json(json!({ "users": users })))
}

pub(super) async fn invite(
    State(gate): State<Arc<Gate>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let (caller, logins) = read(&gate, request).await?;
    let (krate, user) = as_owner(&gate, &caller, &name).await?;
    for login in &logins {
        if gate.store.user(login).await?.is_none() {
            return Err(Failure::Bad(format!("there is no user `{}`", crate::refusal::harmless(login, 80))));
        }
    }
    let token = caller.signed_in()?.0.id;
    let act = Act::new(&user.login, "owner.invite", &krate.name, gate.now())
        .with_detail(json!({ "logins": logins }));
    let mut transaction = gate.store.act(act).await?;
    transaction.refuse_frozen(&user.login).await?;
    let by = By { login: Some(&user.login), token: Some(token) };
    for login in &logins {
        transaction.invite_owner(krate.id, login, gate.now() + INVITATION, by).await?;
    }
    transaction.commit().await?;
    let whom = logins.join(", ");
    Ok(Json(json!({
        "ok": true,
        "msg": format!("{whom} has been invited to be an owner of {}; they accept with `cratekeeper gate accept {}`", krate.name, krate.name),
    })))
}

pub(super) async fn remove(
    State(gate): State<Arc<Gate>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let (caller, logins) = read(&gate, request).await?;
    let (krate, user) = as_owner(&gate, &caller, &name).await?;
    let token = caller.signed_in()?.0.id;
    let act = Act::new(&user.login, "owner.remove", &krate.name, gate.now())
        .with_detail(json!({ "logins": logins }));
    let mut transaction = gate.store.act(act).await?;
    transaction.refuse_frozen(&user.login).await?;
    let by = By { login: Some(&user.login), token: Some(token) };
    for login in &logins {
        transaction.remove_owner(krate.id, login, by).await?;
    }
    transaction.commit().await?;
    gate.judge_again(&gate.hosted, &krate.name).await?;
    Ok(Json(json!({ "ok": true, "msg": "owners successfully removed" })))
}

/// Accepts or declines an invitation, in the form of the default registry.
pub(super) async fn answer(
    State(gate): State<Arc<Gate>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    #[derive(Deserialize)]
    struct Body {
        crate_owner_invite: Answer,
    }
    #[derive(Deserialize)]
    struct Answer {
        accepted: bool,
    }
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts, &gate, RequestKind::Write).await?;
    let (token, user) = caller.with_scope(Scope::ChangeOwners, &name)?;
    let body: Body = parse(body).await?;
    let accepted = body.crate_owner_invite.accepted;
    let open = gate.store.invitations_of(&user.login, gate.now()).await?;
    let is_meant = |krate: &CrateRecord| krate.name == name || krate.id.0.to_string() == name;
    let Some(invitation) = open.into_iter().find(|it| is_meant(&it.krate)) else {
        return Err(Failure::NotFound("there is no open invitation to that crate".to_owned()));
    };
    if accepted {
        gate.refuse_locked(&invitation.krate, LockedAction::Owners).await?;
    }
    let action = if accepted { "owner.accept" } else { "owner.decline" };
    let mut transaction =
        gate.store.act(Act::new(&user.login, action, &invitation.krate.name, gate.now())).await?;
    transaction.refuse_frozen(&user.login).await?;
    let by = By { login: Some(&user.login), token: Some(token.id) };
    transaction.answer_invitation(invitation.id, by, accepted).await?;
    transaction.commit().await?;
    gate.judge_again(&gate.hosted, &invitation.krate.name).await?;
    Ok(Json(json!({ "crate_owner_invitation": { "crate_id": invitation.krate.id, "accepted": accepted } })))
}

/// Who the token's owner is.
pub(super) async fn me(State(gate): State<Arc<Gate>>, request: Request) -> Result<Json<Value>, Failure> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&parts, &gate, RequestKind::Read).await?;
    let (token, user) = caller.signed_in()?;
    let owned = gate.store.crates_owned_by(gate.hosted.id, &user.login, None, OWNED).await?;
    let invitations = gate.store.invitations_of(&user.login, gate.now()).await?;
    Ok(Json(json!({
        "user": { "id": user.id, "login": user.login, "name": user.name },
        "token": { "name": token.name, "scopes": token.scopes, "crates": token.patterns, "expires_at": token.expires_at },
        "owned_crates": owned.iter().map(|it| json!({ "id": it.id, "name": it.name })).collect::<Vec<_>>(),
        "invitations": invitations.iter().map(|it| json!({ "crate": it.krate.name, "by": it.invited_by, "expires_at": it.expires_at })).collect::<Vec<_>>(),
    })))
}

async fn read(gate: &Gate, request: Request) -> Result<(Caller, Vec<String>), Failure> {
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts, gate, RequestKind::Write).await?;
    caller.signed_in()?;
    let Logins { users } = parse(body).await?;
    if users.is_empty() || users.len() > LOGINS {
        return Err(Failure::Bad(format!("a request names 1 to {LOGINS} users")));
    }
    Ok((caller, users))
}

async fn parse<T: for<'de> Deserialize<'de>>(body: axum::body::Body) -> Result<T, Failure> {
    const LIMIT: usize = 64 << 10;
    let bytes = small(body, LIMIT).await?;
    serde_json::from_slice(&bytes)
        .map_err(|_| Failure::Bad("the body is not the JSON that this needs".to_owned()))
}

async fn find(gate: &Gate, name: &str) -> Result<CrateRecord, Failure> {
    let name = CrateName::parse(name).map_err(|error| Failure::Bad(error.to_string()))?;
    let found = gate.store.krate(gate.hosted.id, name.as_str()).await?;
    found.ok_or_else(|| Failure::NotFound(format!("there is no crate `{name}`")))
}

async fn as_owner<'a>(
    gate: &Gate,
    caller: &'a Caller,
    name: &str,
) -> Result<(CrateRecord, &'a User), Failure> {
    let krate = find(gate, name).await?;
    let (_, user) = caller.with_scope(Scope::ChangeOwners, &krate.name)?;
    if gate.store.is_owner(krate.id, &user.login).await? {
        gate.refuse_locked(&krate, LockedAction::Owners).await?;
        return Ok((krate, user));
    }
    Err(Failure::Forbidden(format!("`{}` is no owner of `{}`", user.login, krate.name)))
}
