//! The console: see, decide, act, undo, prove.
//!
//! Pages for the few people who keep a registry safe, rendered here and whole without scripts; the one script makes them live and gives them keys.
//! Each page is a struct, a template, a handler and pure functions in one file. Reading needs a role; whatever changes something goes through
//! `acts`, like the API and the command line. What publishers wrote is only ever text.

mod account;
mod act;
mod audit_log;
mod case;
mod chart;
mod insights;
mod layout;
mod lines;
mod people;
mod policy;
mod queue;
mod requests;
mod rules;
mod sealing;
mod search;
mod sign_in;
mod system;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

pub(crate) use sealing::Sealing;
pub use sealing::SealingError;
pub(crate) use sign_in::join_purpose;
pub(crate) use system::Counted;
pub(crate) use visitor::cookie;

use crate::gate::Gate;

/// The routes, below `/console`.
pub(crate) fn routes() -> Router<Arc<Gate>> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/console/queue") }))
        .route("/assets/console.css", get(layout::style))
        .route("/assets/console.js", get(layout::script))
        // Who is there.
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/join/{secret}", get(sign_in::join_form).post(sign_in::join))
        .route("/account", get(account::account))
        .route("/account/password", post(account::change_password))
        .route("/account/second-factor", get(account::factor_form).post(account::confirm_factor))
        .route("/account/second-factor/end", post(account::end_factor))
        .route("/account/sessions/{id}/end", post(account::end_session))
        .route("/account/tokens", post(account::create_token))
        .route("/account/tokens/{id}/revoke", post(account::revoke_token))
        // What waits.
        .route("/queue", get(queue::queue))
        .route("/queue/events", get(queue::events))
        .route("/case/{id}", get(case::case))
        .route("/case/{id}/comment", post(case::comment))
        .route("/case/{id}/assign", post(case::assign))
        .route("/version/{id}/case", get(case::of_version).post(case::open))
        .route("/requests", get(requests::list))
        .route("/requests/{id}", get(requests::request))
        .route("/requests/{id}/agree", post(requests::agree))
        .route("/requests/{id}/refuse", post(requests::refuse))
        .route("/decisions/{id}/confirm", post(requests::confirm))
        // Around the cases.
        .route("/people", get(people::list).post(people::create))
        .route("/people/{login}", get(people::person))
        .route("/people/{login}/roles", post(people::set_roles))
        .route("/people/{login}/tokens", post(people::create_token))
        .route("/audit-log", get(audit_log::list))
        .route("/audit-log/verify", post(audit_log::verify))
        .route("/audit-log/export", get(audit_log::export))
        .route("/audit-log/{sequence}", get(audit_log::entry))
        .route("/search", get(search::search))
        .route("/insights", get(insights::insights))
        .route("/rules", get(rules::rules))
        .route("/policy", get(policy::policy))
        .route("/policy/check", post(policy::check))
        .route("/policy/dry-run", post(policy::dry_run))
        .route("/policy/difference", get(policy::difference))
        .route("/system", get(system::system))
        // What is done.
        .route("/act", get(act::preview).post(act::submit))
}
