//! The service: routes, background work, and an end in good order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::error::{Failure, with_sources};
use crate::gate::Gate;

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
        .route("/v/{id}", get(crate::pages::version_by_number))
        .route("/{registry}/{name}/{version}", get(crate::pages::version))
        .fallback(nothing)
        .with_state(gate)
}

/// Serves until `stop` is ready, then ends in good order: requests under way are answered, jobs given back, records written.
///
/// # Errors
///
/// When connections cannot be accepted any more.
pub async fn serve(
    gate: Arc<Gate>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    gate.load_names().await;
    let background = [
        tokio::spawn(gate.clone().follow_changes()),
        tokio::spawn(gate.clone().inspect_forever()),
        tokio::spawn(gate.clone().deliver_forever()),
    ];
    let (ending, ended) = tokio::sync::oneshot::channel::<()>();
    let stop = async move {
        stop.await;
        let _ = ending.send(());
    };
    let service = router(gate.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(stop);
    let result = tokio::select! {
        result = served => result,
        () = async {
            if ended.await.is_ok() {
                tokio::time::sleep(GRACE).await;
            } else {
                std::future::pending::<()>().await;
            }
        } => {
            tracing::warn!("requests did not end within {} seconds", GRACE.as_secs());
            Ok(())
        }
    };
    for task in &background {
        task.abort();
    }
    if let Err(error) = gate.store.release_jobs(&gate.process, gate.now()).await {
        tracing::warn!("failed to give jobs back: {}", with_sources(&error));
    }
    gate.likes.settle();
    result
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

async fn metrics(State(gate): State<Arc<Gate>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], gate.metrics.text()).into_response()
}

async fn nothing() -> Failure {
    Failure::NotFound("there is no such page; `/` says what there is".to_owned())
}
