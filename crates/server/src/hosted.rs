//! The hosted registry: cargo's index and web API, over the gate's own store.
//!
//! `/index/…` is the sparse index, `/api/v1/…` what cargo's commands ask. Answers have the form of the Cargo book's chapter "Registry Web
//! API".

mod owners;
mod publish;
mod search;
mod yank;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, put};

use crate::gate::Gate;

/// The routes of the hosted registry.
pub(crate) fn routes() -> Router<Arc<Gate>> {
    Router::new()
        .route("/index/config.json", get(crate::serving::hosted_config))
        .route("/index/{*path}", get(crate::serving::hosted_index))
        .route("/api/v1/crates", get(search::search))
        .route("/api/v1/crates/new", put(publish::publish))
        .route("/api/v1/crates/{name}/{version}/download", get(crate::serving::hosted_download))
        .route("/api/v1/crates/{name}/{version}/yank", delete(yank::yank))
        .route("/api/v1/crates/{name}/{version}/unyank", put(yank::unyank))
        .route("/api/v1/crates/{name}/owners", get(owners::list).put(owners::invite).delete(owners::remove))
        .route("/api/v1/me", get(owners::me))
        .route("/api/v1/me/crate_owner_invitations/{crate_id}", put(owners::answer))
        .route("/me", get(crate::pages::me))
}
