//! Webhooks: who is told what, and how often we tried.
//!
//! A delivery is made with the job that sends it, in the transaction of what it tells. Sending, signing and
//! judging addresses is for the server.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::entities::{Hidden, deliveries, delivery_attempts, webhooks};
use crate::error::During;
use crate::jobs::NewJob;
use crate::words::{clean, read_json, read_word, words, write_json};
use crate::{DeliveryId, Event, Store, StoreError, Transaction, WebhookId};

/// Kind of the jobs that send a delivery; their payload has its number as `delivery_id`.
pub const DELIVER: &str = "deliver";

/// Most characters of an answer that are kept.
const ANSWER_CHARACTERS: usize = 1_000;

words! {
    /// What became of a delivery.
    pub enum DeliveryState {
        /// It was not accepted yet.
        Open = "open",
        /// It was accepted.
        Delivered = "delivered",
        /// It was given up.
        GivenUp = "given-up",
    }
}

/// An address that is told about events. Its secret is asked for by [`Store::webhook_secret`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its number.
    pub id: WebhookId,
    /// The address.
    pub url: String,
    /// Which events; all when empty.
    pub events: Vec<String>,
    /// Since when.
    pub created_at: i64,
    /// Who made it.
    pub created_by: String,
    /// Since when it is told nothing.
    pub disabled_at: Option<i64>,
}

/// Something that an address is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// To which webhook.
    pub webhook: WebhookId,
    /// What happened, as a word.
    pub event: String,
    /// The body, to be sent and signed as it is.
    pub body: String,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was made.
    pub created_at: i64,
    /// When it was accepted or given up.
    pub finished_at: Option<i64>,
}

/// One attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// When.
    pub at: i64,
    /// Status of the answer; `None` when there was none.
    pub status: Option<u16>,
    /// What was answered, or why there was no answer.
    pub answer: String,
}

impl TryFrom<webhooks::Model> for Webhook {
    type Error = StoreError;

    fn try_from(row: webhooks::Model) -> Result<Webhook, StoreError> {
        Ok(Webhook {
            id: WebhookId(row.id),
            url: row.url,
            events: read_json(&row.events, "events", row.id)?,
            created_at: row.created_at,
            created_by: row.created_by,
            disabled_at: row.disabled_at,
        })
    }
}

impl TryFrom<deliveries::Model> for Delivery {
    type Error = StoreError;

    fn try_from(row: deliveries::Model) -> Result<Delivery, StoreError> {
        Ok(Delivery {
            id: DeliveryId(row.id),
            webhook: WebhookId(row.webhook_id),
            event: row.event,
            body: row.body,
            state: read_word(&row.state, "state", row.id)?,
            attempts: row.attempts.unsigned_abs(),
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
    }
}

impl Transaction {
    /// Adds a webhook. The secret is kept as it is: it signs what is sent.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn create_webhook(
        &mut self,
        url: &str,
        secret: &str,
        events: &[Event],
    ) -> Result<Webhook, StoreError> {
        let row = webhooks::ActiveModel {
            url: Set(clean(url)),
            secret: Set(Hidden(clean(secret))),
            events: Set(write_json(&events, "events")?),
            created_at: Set(self.at),
            created_by: Set(clean(self.actor().unwrap_or_default())),
            ..Default::default()
        };
        row.insert(&self.inner).await.during("add", "the webhook")?.try_into()
    }

    /// Ends a webhook. Its deliveries stay readable.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none, or it was ended before.
    pub async fn disable_webhook(&mut self, webhook: WebhookId) -> Result<(), StoreError> {
        let update = webhooks::Entity::update_many()
            .col_expr(webhooks::Column::DisabledAt, Expr::value(Some(self.at)))
            .filter(webhooks::Column::Id.eq(webhook.0))
            .filter(webhooks::Column::DisabledAt.is_null());
        let updated = update.exec(&self.inner).await.during("end the webhook", webhook)?;
        (updated.rows_affected == 1).then_some(()).during("end the webhook", webhook)
    }

    /// Tells all webhooks that want to know about an event: a delivery and a job of kind [`DELIVER`] for each.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn tell(&mut self, event: Event, body: &Value) -> Result<Vec<DeliveryId>, StoreError> {
        let query = webhooks::Entity::find().filter(webhooks::Column::DisabledAt.is_null());
        let rows =
            query.order_by_asc(webhooks::Column::Id).all(&self.inner).await.during("read", "webhooks")?;
        let mut told = Vec::new();
        for row in rows {
            let webhook = Webhook::try_from(row)?;
            if webhook.events.is_empty() || webhook.events.iter().any(|it| it == event.as_str()) {
                told.push(self.deliver(webhook.id, event, body).await?);
            }
        }
        Ok(told)
    }

    /// Sends something to one webhook that says no more than that it arrives, whatever it wants to know.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such webhook, or it was ended; else when the database refuses.
    pub async fn ping(&mut self, webhook: WebhookId) -> Result<DeliveryId, StoreError> {
        let row = webhooks::Entity::find_by_id(webhook.0).one(&self.inner).await;
        let row = row.during("look for the webhook", webhook)?.filter(|it| it.disabled_at.is_none());
        row.during("find the webhook", webhook)?;
        let body = json!({ "event": Event::Ping, "webhook": webhook, "at": self.at });
        self.deliver(webhook, Event::Ping, &body).await
    }

    async fn deliver(
        &mut self,
        webhook: WebhookId,
        event: Event,
        body: &Value,
    ) -> Result<DeliveryId, StoreError> {
        let row = deliveries::ActiveModel {
            webhook_id: Set(webhook.0),
            event: Set(event.as_str().to_owned()),
            body: Set(clean(&write_json(body, "body")?)),
            state: Set(DeliveryState::Open.as_str().to_owned()),
            attempts: Set(0),
            created_at: Set(self.at),
            ..Default::default()
        };
        let id = row.insert(&self.inner).await.during("tell about", event)?.id;
        self.enqueue(&NewJob::new(DELIVER, json!({ "delivery_id": id }))).await?;
        Ok(DeliveryId(id))
    }

    /// Has a delivery sent again that was given up.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such delivery, or it was not given up; else when the database refuses.
    pub async fn retry_delivery(&mut self, id: DeliveryId) -> Result<(), StoreError> {
        let update = deliveries::Entity::update_many()
            .col_expr(deliveries::Column::State, Expr::value(DeliveryState::Open.as_str()))
            .col_expr(deliveries::Column::FinishedAt, Expr::value(None::<i64>))
            .filter(deliveries::Column::Id.eq(id.0))
            .filter(deliveries::Column::State.eq(DeliveryState::GivenUp.as_str()));
        let updated = update.exec(&self.inner).await.during("retry the delivery", id)?;
        (updated.rows_affected == 1).then_some(()).during("retry the delivery", id)?;
        self.enqueue(&NewJob::new(DELIVER, json!({ "delivery_id": id }))).await?;
        Ok(())
    }

    pub(crate) async fn has_webhooks(&self) -> Result<bool, StoreError> {
        let query = webhooks::Entity::find().filter(webhooks::Column::DisabledAt.is_null()).limit(1);
        Ok(query.one(&self.inner).await.during("read", "webhooks")?.is_some())
    }
}

impl Store {
    /// All webhooks, those that were ended among them.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let query = webhooks::Entity::find().order_by_asc(webhooks::Column::Id);
        query.all(&self.read).await.during("list", "webhooks")?.into_iter().map(Webhook::try_from).collect()
    }

    /// The webhook of this number and its secret: for whoever signs.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn webhook_secret(&self, id: WebhookId) -> Result<(Webhook, String), StoreError> {
        let row =
            webhooks::Entity::find_by_id(id.0).one(&self.read).await.during("look for the webhook", id)?;
        let row = row.during("find the webhook", id)?;
        let secret = row.secret.0.clone();
        Ok((row.try_into()?, secret))
    }

    /// The delivery of this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Delivery, StoreError> {
        let row =
            deliveries::Entity::find_by_id(id.0).one(&self.read).await.during("look for the delivery", id)?;
        row.during("find the delivery", id)?.try_into()
    }

    /// Writes down an attempt to deliver, and what became of the delivery. One that was accepted stays so.
    ///
    /// # Errors
    ///
    /// When there is no such delivery, or the database refuses.
    pub async fn record_delivery_attempt(
        &self,
        id: DeliveryId,
        attempt: &DeliveryAttempt,
        state: DeliveryState,
    ) -> Result<(), StoreError> {
        let transaction = self.begin_writing("record a delivery").await?;
        let finished_at = (state != DeliveryState::Open).then_some(attempt.at);
        let update = deliveries::Entity::update_many()
            .col_expr(deliveries::Column::Attempts, Expr::col(deliveries::Column::Attempts).add(1))
            .col_expr(deliveries::Column::State, Expr::value(state.as_str()))
            .col_expr(deliveries::Column::FinishedAt, Expr::value(finished_at))
            .filter(deliveries::Column::Id.eq(id.0))
            .filter(deliveries::Column::State.ne(DeliveryState::Delivered.as_str()));
        update.exec(&transaction).await.during("record the delivery", id)?;
        let row = delivery_attempts::ActiveModel {
            delivery_id: Set(id.0),
            at: Set(attempt.at),
            status: Set(attempt.status.map(i32::from)),
            answer: Set(clean(&attempt.answer).chars().take(ANSWER_CHARACTERS).collect()),
            ..Default::default()
        };
        row.insert(&transaction).await.during("record the delivery", id)?;
        transaction.commit().await.during("record the delivery", id)
    }

    /// Deliveries to a webhook, newest first, before the one with the number `before`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn deliveries(
        &self,
        webhook: WebhookId,
        before: Option<DeliveryId>,
        limit: u64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut query = deliveries::Entity::find().filter(deliveries::Column::WebhookId.eq(webhook.0));
        if let Some(before) = before {
            query = query.filter(deliveries::Column::Id.lt(before.0));
        }
        let rows = query.order_by_desc(deliveries::Column::Id).limit(limit).all(&self.read).await;
        rows.during("list", "deliveries")?.into_iter().map(Delivery::try_from).collect()
    }

    /// All attempts of a delivery, oldest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn delivery_attempts(&self, id: DeliveryId) -> Result<Vec<DeliveryAttempt>, StoreError> {
        let query = delivery_attempts::Entity::find().filter(delivery_attempts::Column::DeliveryId.eq(id.0));
        let rows = query.order_by_asc(delivery_attempts::Column::Id).all(&self.read).await;
        let attempt = |row: delivery_attempts::Model| DeliveryAttempt {
            at: row.at,
            status: row.status.and_then(|it| u16::try_from(it).ok()),
            answer: row.answer,
        };
        Ok(rows.during("list the attempts of delivery", id)?.into_iter().map(attempt).collect())
    }
}
