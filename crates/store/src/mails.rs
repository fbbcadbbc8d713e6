//! The outbox of mails: written by the transaction that they are about, sent by jobs.
//!
//! A mail that is sent stays, so that it can be said who was told what. How many go to one address within an hour is counted by what was sent.
//! What a mail says and how it is sent is the server's business; a body with a secret in it is sealed there.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde_json::json;

use crate::entities::mails;
use crate::error::During;
use crate::jobs::NewJob;
use crate::words::{clean, fold, read_word, words};
use crate::{MailId, Store, StoreError, Transaction, UserId};

/// Kind of the jobs that send a mail; their payload has its number as `mail_id`.
pub const MAIL: &str = "mail";

/// Most characters of a server's answer that are kept.
const ANSWER_CHARACTERS: usize = 1_000;

/// Mails that are counted of each state: beyond, there are more.
const COUNTED: u64 = 10_000;

words! {
    /// What became of a mail.
    pub enum MailState {
        /// It was not taken yet.
        Waiting = "waiting",
        /// A mail server took it.
        Sent = "sent",
        /// It was given up.
        GivenUp = "given-up",
    }
}

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its number.
    pub id: MailId,
    /// Who is told.
    pub user: UserId,
    /// At which address.
    pub address: String,
    /// What it is for, as a word.
    pub kind: String,
    /// Its subject.
    pub subject: String,
    /// Its text; sealed where [`Mail::sealed`] says so.
    pub body: String,
    /// Whether its text is sealed.
    pub sealed: bool,
    /// What became of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: u32,
    /// What the server answered last, or why there was no answer.
    pub answer: Option<String>,
    /// Who had it sent.
    pub actor: String,
    /// When it was made.
    pub created_at: i64,
    /// When it was sent or given up.
    pub finished_at: Option<i64>,
}

/// A mail to be.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Who is told.
    pub user: UserId,
    /// At which address.
    pub address: String,
    /// What it is for, as a word.
    pub kind: String,
    /// Its subject: one line.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// Whether its text is sealed.
    pub sealed: bool,
}

/// How many mails there are in each state; of each no more than ten thousand are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailCounts {
    /// Not taken yet.
    pub waiting: u64,
    /// Taken by a server.
    pub sent: u64,
    /// Given up.
    pub given_up: u64,
}

impl TryFrom<mails::Model> for Mail {
    type Error = StoreError;

    fn try_from(row: mails::Model) -> Result<Mail, StoreError> {
        Ok(Mail {
            id: MailId(row.id),
            user: UserId(row.user_id),
            address: row.address,
            kind: row.kind,
            subject: row.subject,
            body: row.body,
            sealed: row.sealed,
            state: read_word(&row.state, "state", row.id)?,
            attempts: row.attempts.unsigned_abs(),
            answer: row.answer,
            actor: row.actor,
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
    }
}

impl Transaction {
    /// Has a mail sent, once this transaction is committed: a row, and a job of kind [`MAIL`].
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn mail(&mut self, new: &NewMail) -> Result<MailId, StoreError> {
        let row = mails::ActiveModel {
            user_id: Set(new.user.0),
            address: Set(clean(&new.address)),
            address_folded: Set(fold(&new.address)),
            kind: Set(clean(&new.kind)),
            subject: Set(clean(&new.subject)),
            body: Set(clean(&new.body)),
            sealed: Set(new.sealed),
            state: Set(MailState::Waiting.as_str().to_owned()),
            attempts: Set(0),
            actor: Set(clean(self.actor().unwrap_or_default())),
            created_at: Set(self.at),
            ..Default::default()
        };
        let id = row.insert(&self.inner).await.during("write the mail to user", new.user)?.id;
        self.enqueue(&job(MailId(id))).await?;
        Ok(MailId(id))
    }

    /// Has a mail sent again that was given up.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such mail, or it was not given up; else when the database refuses.
    pub async fn retry_mail(&mut self, id: MailId) -> Result<Mail, StoreError> {
        let row = mails::Entity::find_by_id(id.0).one(&self.inner).await.during("look for the mail", id)?;
        let row = row.filter(|it| it.state == MailState::GivenUp.as_str());
        let mut update: mails::ActiveModel = row.during("find the mail", id)?.into();
        update.state = Set(MailState::Waiting.as_str().to_owned());
        update.finished_at = Set(None);
        let row = update.update(&self.inner).await.during("retry the mail", id)?;
        self.enqueue(&job(id)).await?;
        row.try_into()
    }
}

fn job(id: MailId) -> NewJob {
    NewJob::new(MAIL, json!({ "mail_id": id })).once(format!("{MAIL}:{id}"))
}

impl Store {
    /// The mail of this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn mail(&self, id: MailId) -> Result<Mail, StoreError> {
        let row = mails::Entity::find_by_id(id.0).one(&self.read).await.during("look for the mail", id)?;
        row.during("find the mail", id)?.try_into()
    }

    /// Mails in a state, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn mails(&self, state: MailState, limit: u64) -> Result<Vec<Mail>, StoreError> {
        let query = mails::Entity::find().filter(mails::Column::State.eq(state.as_str()));
        let rows = query.order_by_desc(mails::Column::Id).limit(limit).all(&self.read).await;
        rows.during("list", "mails")?.into_iter().map(Mail::try_from).collect()
    }

    /// How many mails there are in each state.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn mail_counts(&self) -> Result<MailCounts, StoreError> {
        let count = async |state: MailState| {
            let query = mails::Entity::find()
                .select_only()
                .column(mails::Column::Id)
                .filter(mails::Column::State.eq(state.as_str()))
                .limit(COUNTED);
            let rows: Vec<i64> = query.into_tuple().all(&self.read).await.during("count", "mails")?;
            Ok::<_, StoreError>(rows.len() as u64)
        };
        Ok(MailCounts {
            waiting: count(MailState::Waiting).await?,
            sent: count(MailState::Sent).await?,
            given_up: count(MailState::GivenUp).await?,
        })
    }

    /// The moments at which the newest mails were sent to an address since a moment, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn sent_to(&self, address: &str, since: i64, limit: u64) -> Result<Vec<i64>, StoreError> {
        let query = mails::Entity::find()
            .select_only()
            .column(mails::Column::FinishedAt)
            .filter(mails::Column::AddressFolded.eq(fold(address)))
            .filter(mails::Column::FinishedAt.gt(since))
            .filter(mails::Column::State.eq(MailState::Sent.as_str()))
            .order_by_desc(mails::Column::FinishedAt)
            .limit(limit);
        let rows: Vec<Option<i64>> = query.into_tuple().all(&self.read).await.during("count", "mails")?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// How many mails of a kind were made for somebody since a moment.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn mails_made(&self, user: UserId, kind: &str, since: i64) -> Result<u64, StoreError> {
        let query = mails::Entity::find()
            .filter(mails::Column::UserId.eq(user.0))
            .filter(mails::Column::Kind.eq(kind))
            .filter(mails::Column::CreatedAt.gt(since));
        query.count(&self.read).await.during("count the mails to user", user)
    }

    /// Writes down an attempt to send a mail, and what became of it. One that was sent stays so.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn record_mail(
        &self,
        id: MailId,
        state: MailState,
        answer: &str,
        at: i64,
    ) -> Result<(), StoreError> {
        let answer: String = clean(answer).chars().take(ANSWER_CHARACTERS).collect();
        let finished_at = (state != MailState::Waiting).then_some(at);
        let update = mails::Entity::update_many()
            .col_expr(mails::Column::Attempts, Expr::col(mails::Column::Attempts).add(1))
            .col_expr(mails::Column::State, Expr::value(state.as_str()))
            .col_expr(mails::Column::Answer, Expr::value(Some(answer)))
            .col_expr(mails::Column::FinishedAt, Expr::value(finished_at))
            .filter(mails::Column::Id.eq(id.0))
            .filter(mails::Column::State.ne(MailState::Sent.as_str()));
        update.exec(&self.write).await.during("record the mail", id)?;
        Ok(())
    }
}
