//! The console: see, decide, act, undo, prove.
//!
//! Pages for the few people who keep a registry safe, rendered here and whole without scripts; the one script makes them live and gives them keys.
//! Each page is a struct, a template, a handler and pure functions in one file. Reading needs a role; whatever changes something goes through
//! `acts`, like the API and the command line. What publishers wrote is only ever text.

mod account;
mod act;
mod address;
mod advisory;
mod archives;
mod audit_log;
mod callers;
mod case;
mod chart;
mod decided;
mod difference;
mod file;
mod highlight;
mod hit;
mod insights;
mod krate;
mod layout;
mod lines;
mod names;
mod notify;
mod offers;
mod people;
mod policy;
mod prove;
mod provider;
mod publisher;
mod queue;
mod requests;
mod returning;
mod rules;
mod sealing;
mod search;
mod sign_in;
#[cfg(test)]
pub(crate) mod stories;
mod system;
mod tombstone;
mod unread;
mod version;
mod visitor;
mod waivers;

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

pub(crate) use audit_log::day;
pub use sealing::SealingError;
pub(crate) use sealing::{Sealing, key_file};
pub(crate) use sign_in::join_purpose;
pub(crate) use system::Counted;
pub(crate) use visitor::{cookie, is_from_elsewhere};

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
        .route("/sign-in/provider", post(provider::begin_sign_in))
        .route("/sign-in/provider/return", get(returning::come_back))
        .route("/sign-in/provider/code", post(returning::enter_code))
        .route("/join/{secret}/provider", post(provider::begin_join))
        .route("/account", get(account::account))
        .route("/account/identities", post(provider::begin_link))
        .route("/account/identities/{id}/unlink", post(provider::unlink))
        .route("/account/prove", post(provider::begin_proof))
        .route("/account/password", post(account::change_password))
        .route("/account/second-factor", get(account::factor_form).post(account::confirm_factor))
        .route("/account/second-factor/end", post(account::end_factor))
        .route("/account/sessions/{id}/end", post(account::end_session))
        .route("/account/tokens", post(account::create_token))
        .route("/account/tokens/{id}/revoke", post(account::revoke_token))
        .route("/account/address", post(address::want))
        .route("/account/address/remove", post(address::remove))
        .route("/account/address/{secret}", get(address::form).post(address::confirm))
        // What waits.
        .route("/queue", get(queue::queue))
        .route("/queue/events", get(queue::events))
        .route("/case/{id}", get(case::case))
        .route("/case/{id}/comment", post(case::comment))
        .route("/case/{id}/advisory", get(advisory::advisory).post(advisory::save))
        .route("/case/{id}/advisory.md", get(advisory::markdown))
        .route("/case/{id}/advisory.json", get(advisory::osv))
        .route("/case/{id}/assign", post(case::assign))
        // What there is to know.
        .route("/version/{id}", get(version::version))
        .route("/version/{id}/file", get(file::file))
        .route("/version/{id}/callers", get(callers::callers))
        .route("/version/{id}/difference", get(difference::difference))
        .route("/crate/{registry}/{name}", get(krate::krate))
        .route("/publisher/{login}", get(publisher::publishers))
        .route("/publisher/{registry}/{login}", get(publisher::publisher))
        .route("/version/{id}/case", get(case::of_version).post(case::open))
        .route("/requests", get(requests::list))
        .route("/requests/{id}", get(requests::request))
        .route("/requests/{id}/agree", post(requests::agree))
        .route("/requests/{id}/refuse", post(requests::refuse))
        .route("/decisions/{id}/confirm", post(requests::confirm))
        .route("/freezes/{id}/confirm", post(requests::confirm_freeze))
        .route("/notify", get(notify::form).post(notify::choose))
        .route("/names", get(names::names).post(names::keep))
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
        .route("/policy/set", post(policy::set))
        .route("/policy/mode", post(policy::set_mode))
        .route("/system", get(system::system))
        // What is done.
        .route("/act", get(act::preview).post(act::submit))
        .route("/prove", get(prove::form).post(prove::prove))
}
