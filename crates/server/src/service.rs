//! The service: routes, background work, and an end in good order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cratekeeper_store::Role;
use tokio::net::TcpListener;

use crate::callers::{Caller, RequestKind, is_among, is_from_here};
use crate::configuration::MetricsAccess;
use crate::connections::{Connections, Patience};
use crate::error::{Failure, with_sources};
use crate::gate::Gate;
use crate::mail::Mails;
use crate::webhooks::Deliveries;

/// How long requests that are under way get to end.
const GRACE: Duration = Duration::from_secs(30);

/// All routes.
pub fn router(gate: Arc<Gate>) -> Router {
    Router::new()
        .route("/", get(crate::pages::home))
        .route("/style.css", get(crate::pages::style))
        .route("/setup/{secret}", get(crate::pages::setup_form).post(crate::pages::setup))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .merge(crate::hosted::routes())
        .route("/proxy/{upstream}/index/config.json", get(crate::serving::proxy_config))
        .route("/proxy/{upstream}/index/{*path}", get(crate::serving::proxy_index))
        .route("/proxy/{upstream}/dl/{name}/{version}/download", get(crate::serving::proxy_download))
        .nest("/admin/v1", crate::administration::routes())
        .route("/report", get(crate::reports::form).post(crate::reports::by_form))
        .route("/api/reports", post(crate::reports::by_api))
        .nest("/console", crate::console::routes())
        .route("/v/{id}", get(crate::pages::version_by_number))
        .route("/{registry}/{name}/{version}", get(crate::pages::version))
        .fallback(nothing)
        .with_state(gate)
}

/// Serves until `stop` is ready, then ends in good order: requests under way are answered, jobs given back, records written.
///
/// # Errors
///
/// When TLS cannot be set up.
pub async fn serve(
    gate: Arc<Gate>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let acceptor = gate.certificates.as_ref().map(|it| it.acceptor()).transpose();
    let acceptor = acceptor.map_err(std::io::Error::other)?;
    gate.load_names().await;
    let background = [
        tokio::spawn(gate.clone().follow_changes()),
        tokio::spawn(gate.clone().inspect_forever()),
        tokio::spawn(gate.clone().send_forever::<Deliveries>()),
        tokio::spawn(gate.clone().take_checkpoints()),
        tokio::spawn(gate.clone().follow_certificates()),
        tokio::spawn(gate.clone().remember_forever()),
        tokio::spawn(gate.clone().follow_names()),
        tokio::spawn(gate.clone().follow_waivers()),
        tokio::spawn(gate.clone().follow_policy()),
        tokio::spawn(gate.clone().fill_dependencies()),
        tokio::spawn(gate.clone().keep_vault()),
    ];
    // Without a mail server, mails wait: they are neither sent nor given up.
    let mails = gate.mailer.is_some().then(|| tokio::spawn(gate.clone().send_forever::<Mails>()));
    let connections = Connections {
        router: router(gate.clone()),
        acceptor,
        limit: gate.configuration.connections,
        is_trusted: {
            let gate = gate.clone();
            Box::new(move |address| is_among(address, &gate.settings().trusted_proxies))
        },
        patience: Patience::default(),
    };
    let ending = gate.ending.clone();
    let stop = async move {
        stop.await;
        ending.send_replace(true);
    };
    if !connections.serve(listener, stop, GRACE).await {
        tracing::warn!("requests did not end within {} seconds", GRACE.as_secs());
    }
    let background: Vec<_> = background.into_iter().chain(mails).collect();
    for task in &background {
        task.abort();
    }
    // An abort counts when its task is reached again: until then it may claim another job.
    for task in background {
        let _ = task.await;
    }
    if let Err(error) = gate.store.release_jobs(&gate.process, gate.now()).await {
        tracing::warn!("failed to give jobs back: {}", with_sources(&error));
    }
    gate.likes.settle();
    Ok(())
}

async fn live() -> &'static str {
    "live\n"
}

/// Ready means: the database answers.
async fn ready(State(gate): State<Arc<Gate>>) -> Response {
    match gate.store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!("not ready: {}", with_sources(&error));
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

/// How busy a gate is, and how often it refuses, is nobody's business but its operators'.
async fn metrics(State(gate): State<Arc<Gate>>, request: Request) -> Result<Response, Failure> {
    let (parts, _) = request.into_parts();
    if gate.settings().metrics == MetricsAccess::Restricted && !is_from_here(&parts, &gate) {
        Caller::of(&parts, &gate, RequestKind::Read).await?.with_role(Role::ALL)?;
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], gate.metrics.text()).into_response())
}

async fn nothing() -> Failure {
    Failure::NotFound("there is no such page; `/` says what there is".to_owned())
}
