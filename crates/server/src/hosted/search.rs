//! `cargo search`: hosted crates whose name contains what is looked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, Request, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callers::{Caller, RequestKind};
use crate::error::Failure;
use crate::gate::Gate;

/// Most crates in an answer, as on the default registry.
const PER_PAGE: u64 = 100;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    per_page: Option<u64>,
}

pub(super) async fn search(
    State(gate): State<Arc<Gate>>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&parts, &gate, RequestKind::Read).await?;
    caller.may_read(&gate)?;
    let limit = asked.per_page.unwrap_or(10).clamp(1, PER_PAGE);
    let (found, total) = gate.store.find_crates(gate.hosted.id, asked.q.trim(), limit).await?;
    let mut crates = Vec::new();
    for krate in found {
        let Some(view) = gate.view(&gate.hosted, &krate.name).await? else { continue };
        let listed = view.versions.iter().filter(|it| it.standing.listed && !it.is_yanked());
        let Some(newest) = listed.max_by(|a, b| a.version.cmp(&b.version)) else { continue };
        crates.push(json!({
            "name": krate.name,
            "max_version": newest.version.to_string(),
            "description": newest.description,
        }));
    }
    Ok(Json(json!({ "crates": crates, "meta": { "total": total } })))
}
