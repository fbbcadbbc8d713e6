//! Webhooks: signed, tried again, with a log of every attempt.
//!
//! What they are told is written by `store`, in the transaction that it is about; here it is sent. A delivery arrives once or more: a gate
//! that ends between the answer and the record of it sends it again, under the same number.
//!
//! The body is signed with HMAC-SHA256 over the moment of sending, a full stop, and the body, so that whoever listens can refuse old ones.

use std::sync::Arc;

use cratekeeper_store::{DELIVER, DeliveryAttempt, DeliveryId, DeliveryState, Lease, SPENT, StoreError};
use serde_json::Value;

use crate::error::with_sources;
use crate::gate::Gate;
use crate::outgoing::{Ended, Outgoing};

/// Deliveries to webhooks, as they are sent.
pub(crate) struct Deliveries;

impl Outgoing for Deliveries {
    const JOB: &'static str = DELIVER;
    const CALLED: &'static str = "delivery";
    const AT_ONCE: usize = 8;

    async fn attempt(gate: &Arc<Gate>, lease: &Lease) -> Result<Ended, String> {
        gate.attempt(lease).await.map(|()| Ended::Done)
    }

    async fn give_up(gate: &Arc<Gate>, lease: &Lease) -> Result<(), StoreError> {
        let id = lease.payload.get("delivery_id").and_then(Value::as_i64).map(DeliveryId);
        let answer = "whoever sent it ended, each time".to_owned();
        let attempt = DeliveryAttempt { at: gate.now(), status: None, answer };
        if let Some(id) = id {
            gate.store.record_delivery_attempt(id, &attempt, DeliveryState::GivenUp).await?;
        }
        gate.store.fail_job(lease, SPENT, attempt.at).await.map(|_| ())
    }
}

impl Gate {
    async fn attempt(&self, lease: &Lease) -> Result<(), String> {
        let text = |error: StoreError| with_sources(&error);
        let id = lease.payload.get("delivery_id").and_then(Value::as_i64).map(DeliveryId);
        let Some(id) = id else { return Ok(()) };
        let delivery = self.store.delivery(id).await.map_err(text)?;
        let (webhook, secret) = self.store.webhook_secret(delivery.webhook).await.map_err(text)?;
        // Accepted before whoever sent it could end its job; or of a webhook that was ended since.
        if delivery.state == DeliveryState::Delivered || webhook.disabled_at.is_some() {
            return Ok(());
        }
        let at = self.now();
        let signature = signature(&secret, at, &delivery.body);
        let (notifier, url, body, event) =
            (self.notifier.clone(), webhook.url.clone(), delivery.body, delivery.event);
        let sent = tokio::task::spawn_blocking(move || {
            let at = at.to_string();
            let id = id.to_string();
            let headers = [
                ("cratekeeper-event", event.as_str()),
                ("cratekeeper-delivery", id.as_str()),
                ("cratekeeper-timestamp", at.as_str()),
                ("cratekeeper-signature", signature.as_str()),
            ];
            notifier.send(&url, &headers, &body).map_err(|error| with_sources(&error))
        })
        .await
        .map_err(|_| "the request ended".to_owned())?;
        let (status, answer) = match &sent {
            Ok(status) => (Some(*status), String::new()),
            Err(reason) => (None, reason.clone()),
        };
        let arrived = status.is_some_and(|it| (200..300).contains(&it));
        let state = match (arrived, lease.is_last()) {
            (true, _) => DeliveryState::Delivered,
            (false, true) => DeliveryState::GivenUp,
            (false, false) => DeliveryState::Open,
        };
        let attempt = DeliveryAttempt { at, status, answer };
        self.store.record_delivery_attempt(id, &attempt, state).await.map_err(text)?;
        match sent {
            Ok(_) if arrived => Ok(()),
            Ok(status) => Err(format!("it was answered with status {status}")),
            Err(reason) => Err(reason),
        }
    }
}

/// `v1=` and the hexadecimal digits of the signature.
fn signature(secret: &str, at: i64, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_depends_on_secret_moment_and_body() {
        let one = signature("secret", 1, "{}");
        assert_eq!(one, signature("secret", 1, "{}"));
        assert!(one.starts_with("v1=") && one.len() == 3 + 64);
        for other in [signature("other", 1, "{}"), signature("secret", 2, "{}"), signature("secret", 1, "[]")]
        {
            assert_ne!(one, other);
        }
    }
}
