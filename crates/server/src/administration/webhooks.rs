//! Webhooks: who is told, and what became of it.
//!
//! An address may be a secret in itself, as with services that give each listener a path of its own: the audit log and answers show its
//! scheme and host alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use cratekeeper_store::{Act, DeliveryId, Event, Role, Webhook, WebhookId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Asked, Why, reason};
use crate::error::Failure;
use crate::gate::Gate;

/// Rows in an answer.
const PAGE: u64 = 100;

/// Shortest secret, in bytes.
const SHORTEST_SECRET: usize = 16;

/// Who may look.
const LOOK: [Role; 2] = [Role::Admin, Role::Auditor];

/// A webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateWebhook {
    url: String,
    /// Signs what is sent; 16 characters or more.
    secret: String,
    /// `verdict`, `decision`, `exposure`, `checkpoint`; all without it.
    #[serde(default)]
    events: Vec<String>,
    reason: String,
}

/// Scheme, host and port of an address.
pub(crate) fn origin(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| "(not a URL)".to_owned(), |it| it.origin().ascii_serialization())
}

fn shown(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id,
        "origin": origin(&webhook.url),
        "events": webhook.events,
        "created_at": webhook.created_at,
        "created_by": webhook.created_by,
        "disabled_at": webhook.disabled_at,
    })
}

/// Who is told about what.
#[utoipa::path(get, path = "/admin/v1/webhooks", responses((status = 200)))]
pub(super) async fn list(
    State(gate): State<Arc<Gate>>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let webhooks: Vec<Value> = gate.store.webhooks().await?.iter().map(shown).collect();
    Ok(Json(json!({ "webhooks": webhooks })))
}

/// Add a webhook.
#[utoipa::path(post, path = "/admin/v1/webhooks", request_body = CreateWebhook, responses((status = 200)))]
pub(super) async fn create(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<CreateWebhook>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let why = &reason(&body.reason)?;
    if body.secret.len() < SHORTEST_SECRET {
        return Err(Failure::Bad(format!("a secret has {SHORTEST_SECRET} characters or more")));
    }
    let known = |word: &String| {
        let event = Event::from_word(word).filter(|it| *it != Event::Ping);
        event.ok_or_else(|| {
            Failure::Bad("an event is `verdict`, `decision`, `exposure` or `checkpoint`".to_owned())
        })
    };
    let events: Vec<Event> = body.events.iter().map(known).collect::<Result<_, _>>()?;
    let (notifier, url) = (gate.notifier.clone(), body.url.clone());
    tokio::task::spawn_blocking(move || notifier.check(&url))
        .await
        .map_err(|_| Failure::Internal("the check of an address ended".to_owned()))?
        .map_err(|error| Failure::Bad(error.to_string()))?;
    let detail = json!({ "events": events, "reason": why });
    let act = Act::new(&user.login, "webhook.create", origin(&body.url), gate.now()).with_detail(detail);
    let mut transaction = gate.store.act(act).await?;
    let webhook = transaction.create_webhook(&body.url, &body.secret, &events).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "webhook": shown(&webhook) })))
}

/// End a webhook. Its deliveries stay readable.
#[utoipa::path(post, path = "/admin/v1/webhooks/{id}/disable", request_body = Why, responses((status = 200)))]
pub(super) async fn disable(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let why = &reason(&body.reason)?;
    let act = Act::new(&user.login, "webhook.disable", id.to_string(), gate.now());
    let mut transaction = gate.store.act(act.with_detail(json!({ "reason": why }))).await?;
    transaction.disable_webhook(WebhookId(id)).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "webhook": { "id": id } })))
}

/// Send a webhook something, to see whether it arrives.
#[utoipa::path(post, path = "/admin/v1/webhooks/{id}/test", request_body = Why, responses((status = 200)))]
pub(super) async fn test(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let why = &reason(&body.reason)?;
    let act = Act::new(&user.login, "webhook.test", id.to_string(), gate.now());
    let mut transaction = gate.store.act(act.with_detail(json!({ "reason": why }))).await?;
    let delivery = transaction.ping(WebhookId(id)).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "delivery": delivery })))
}

/// What was sent to a webhook, newest first.
#[utoipa::path(get, path = "/admin/v1/webhooks/{id}/deliveries", responses((status = 200)))]
pub(super) async fn deliveries(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, .. }: Asked<Value>,
) -> Result<Json<Value>, Failure> {
    caller.with_role(&LOOK)?;
    let mut told = Vec::new();
    for delivery in gate.store.deliveries(WebhookId(id), None, PAGE).await? {
        let attempts = gate.store.delivery_attempts(delivery.id).await?;
        told.push(json!({ "delivery": delivery, "attempts": attempts }));
    }
    Ok(Json(json!({ "deliveries": told })))
}

/// Send a delivery once more that was given up.
#[utoipa::path(post, path = "/admin/v1/deliveries/{id}/retry", request_body = Why, responses((status = 200)))]
pub(super) async fn retry(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    Asked { caller, body }: Asked<Why>,
) -> Result<Json<Value>, Failure> {
    let user = caller.with_role(&[Role::Admin])?;
    let why = &reason(&body.reason)?;
    let act = Act::new(&user.login, "delivery.retry", id.to_string(), gate.now());
    let mut transaction = gate.store.act(act.with_detail(json!({ "reason": why }))).await?;
    transaction.retry_delivery(DeliveryId(id)).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "delivery": id })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_in_an_address_is_not_shown() {
        assert_eq!(
            origin("https://hooks.example.invalid:8443/T0/secret?token=x"),
            "https://hooks.example.invalid:8443"
        );
        assert_eq!(origin("nonsense"), "(not a URL)");
    }
}
