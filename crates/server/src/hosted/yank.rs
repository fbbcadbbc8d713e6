//! `cargo yank` and `cargo yank --undo`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use cratekeeper_store::{Act, By, LockedAction, Scope};
use semver::Version;
use serde_json::{Value, json};

use crate::callers::{Caller, RequestKind};
use crate::error::Failure;
use crate::gate::Gate;
use crate::protocol::CrateName;

pub(super) async fn yank(
    State(gate): State<Arc<Gate>>,
    Path(place): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    set(&gate, place, request, true).await
}

pub(super) async fn unyank(
    State(gate): State<Arc<Gate>>,
    Path(place): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    set(&gate, place, request, false).await
}

async fn set(
    gate: &Arc<Gate>,
    (name, version): (String, String),
    request: Request,
    yanked: bool,
) -> Result<Json<Value>, Failure> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&parts, gate, RequestKind::Write).await?;
    let name = CrateName::parse(&name).map_err(|error| Failure::Bad(error.to_string()))?;
    let version: Version =
        version.parse().map_err(|error| Failure::Bad(format!("invalid version: {error}")))?;
    let (token, user) = caller.with_scope(Scope::Yank, name.as_str())?;
    let found = gate.store.version(gate.hosted.id, name.as_str(), &version).await?;
    let (krate, record) =
        found.ok_or_else(|| Failure::NotFound(format!("there is no `{name}` {version}")))?;
    if !gate.store.is_owner(krate.id, &user.login).await? {
        return Err(Failure::Forbidden(format!("`{}` is no owner of `{name}`", user.login)));
    }
    gate.refuse_locked(&krate, LockedAction::Yank).await?;
    let action = if yanked { "version.yank" } else { "version.unyank" };
    let act = Act::new(&user.login, action, format!("{}@{version}", krate.name), gate.now())
        .with_detail(json!({ "token": token.id, "address": caller.address }));
    let mut transaction = gate.store.act(act).await?;
    transaction.refuse_frozen(&user.login).await?;
    let by = By { login: Some(&user.login), token: Some(token.id) };
    if transaction.set_yanked(record.id, yanked, by).await? {
        transaction.commit().await?;
        gate.changed(&gate.hosted, name.as_str());
        gate.judge_again(&gate.hosted, name.as_str()).await?;
    }
    Ok(Json(json!({ "ok": true })))
}
