//! Acts that loosen or destroy: written down with a preview, and done once a second person has agreed.
//!
//! What exactly is agreed to is bound by a digest of the preview. Who may agree is decided here, because it must not depend on which way an
//! answer comes. What an act is, and what it changes, is the server's to know: it is JSON here.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::entities::requests;
use crate::error::During;
use crate::people::user_by_login;
use crate::words::{clean, fold, read_json, read_word, words, write_json};
use crate::{RequestId, Store, StoreError, StoreErrorKind, Transaction, User};

/// How long a request waits, in seconds: a long weekend.
pub const REQUEST_WAITS: i64 = 4 * 86_400;

/// For how long somebody must have had their roles before they agree to what others ask for, in seconds: whoever takes over an
/// account that may give roles has a day in which it can be noticed.
pub const ROLES_SETTLE: i64 = 86_400;

words! {
    /// What became of a request.
    pub enum RequestState {
        /// Nobody answered yet.
        Waiting = "waiting",
        /// A second person agreed, and it was done.
        Done = "done",
        /// A second person refused.
        Refused = "refused",
        /// Whoever asked took it back.
        Withdrawn = "withdrawn",
        /// What it would change is not what it was, or nobody answered in time.
        Lapsed = "lapsed",
    }
}

/// An act that waits, or waited, for a second person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its number.
    pub id: RequestId,
    /// What, as the audit log calls it.
    pub action: String,
    /// To what.
    pub object: String,
    /// The act, as the server reads it.
    pub change: Value,
    /// What it changes, as it was shown to whoever asked.
    pub preview: Value,
    /// SHA-256 of act and preview.
    pub digest: String,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requester: String,
    /// When.
    pub at: i64,
    /// Until when it can be answered.
    pub expires_at: i64,
    /// What became of it.
    pub state: RequestState,
    /// Who answered.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<i64>,
    /// Why.
    pub answer_reason: Option<String>,
}

/// A request in a list: without the act and its preview, which may hold whole policies of hundreds of kilobytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// Its number.
    pub id: RequestId,
    /// What, as the audit log calls it.
    pub action: String,
    /// To what.
    pub object: String,
    /// SHA-256 of act and preview.
    pub digest: String,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requester: String,
    /// When.
    pub at: i64,
    /// Until when it can be answered.
    pub expires_at: i64,
    /// What became of it.
    pub state: RequestState,
    /// Who answered.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<i64>,
    /// Why.
    pub answer_reason: Option<String>,
}

/// The columns of an entry.
#[derive(FromQueryResult)]
struct EntryRow {
    id: i64,
    action: String,
    object: String,
    digest: String,
    reason: String,
    requester: String,
    at: i64,
    expires_at: i64,
    state: String,
    answered_by: Option<String>,
    answered_at: Option<i64>,
    answer_reason: Option<String>,
}

impl TryFrom<EntryRow> for RequestEntry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<RequestEntry, StoreError> {
        Ok(RequestEntry {
            id: RequestId(row.id),
            state: read_word(&row.state, "state", row.id)?,
            action: row.action,
            object: row.object,
            digest: row.digest,
            reason: row.reason,
            requester: row.requester,
            at: row.at,
            expires_at: row.expires_at,
            answered_by: row.answered_by,
            answered_at: row.answered_at,
            answer_reason: row.answer_reason,
        })
    }
}

/// Entries, of no column that they do not show.
fn entries() -> Select<requests::Entity> {
    use requests::Column::{
        Action, AnswerReason, AnsweredAt, AnsweredBy, At, Digest, ExpiresAt, Id, Object, Reason, Requester,
        State,
    };
    requests::Entity::find().select_only().columns([
        Id,
        Action,
        Object,
        Digest,
        Reason,
        Requester,
        At,
        ExpiresAt,
        State,
        AnsweredBy,
        AnsweredAt,
        AnswerReason,
    ])
}

impl TryFrom<requests::Model> for Request {
    type Error = StoreError;

    fn try_from(row: requests::Model) -> Result<Request, StoreError> {
        Ok(Request {
            id: RequestId(row.id),
            change: read_json(&row.change_json, "change", row.id)?,
            preview: read_json(&row.preview_json, "preview", row.id)?,
            state: read_word(&row.state, "state", row.id)?,
            action: row.action,
            object: row.object,
            digest: row.digest,
            reason: row.reason,
            requester: row.requester,
            at: row.at,
            expires_at: row.expires_at,
            answered_by: row.answered_by,
            answered_at: row.answered_at,
            answer_reason: row.answer_reason,
        })
    }
}

/// A request to be, of whoever acts.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRequest {
    /// What, as the audit log calls it.
    pub action: String,
    /// To what.
    pub object: String,
    /// The act.
    pub change: Value,
    /// What it changes.
    pub preview: Value,
    /// SHA-256 of act and preview.
    pub digest: String,
    /// Why.
    pub reason: String,
}

/// Why somebody may not be the second person, as a sentence fragment; `None` when they may. That they have the role for the act is for the
/// server to see.
#[must_use]
pub fn unfit_as_second(second: &User, first: &User, at: i64) -> Option<&'static str> {
    if fold(&second.login) == fold(&first.login) {
        return Some("whoever asks for an act cannot agree to it");
    }
    let is_by =
        |name: &Option<String>, by: &User| name.as_deref().is_some_and(|it| fold(it) == fold(&by.login));
    if is_by(&first.created_by, second) && !first.is_settled_founder() {
        return Some("whoever made the account that asks cannot agree to what it asks for");
    }
    // Who made an account did so with a second person; who was given its link or token could be it.
    if is_by(&second.keys_given_to, first) && !second.is_settled_founder() {
        return Some("an account whose link or token was given to whoever asks cannot agree");
    }
    let is_new = second.roles_since.is_some_and(|it| at < it.saturating_add(ROLES_SETTLE));
    if is_new && !second.is_settled_founder() {
        return Some("whoever was given a role or new keys within the last day cannot agree yet");
    }
    None
}

/// Refuses whoever is no second person beside whoever acted. What the gate did by itself needs none.
pub(crate) async fn refuse_unfit(
    transaction: &Transaction,
    (first, second): (&str, &str),
    during: &'static str,
) -> Result<(), StoreError> {
    let (Some(first), Some(second)) =
        (user_by_login(&transaction.inner, first).await?, user_by_login(&transaction.inner, second).await?)
    else {
        return Ok(());
    };
    let second = User::try_from(second)?;
    match unfit_as_second(&second, &first.try_into()?, transaction.at) {
        None => Ok(()),
        Some(reason) => {
            Err(StoreError::new(during, second.login, StoreErrorKind::Refused(reason.to_owned())))
        }
    }
}

impl Transaction {
    /// Writes a request down.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn request(&mut self, new: &NewRequest) -> Result<RequestId, StoreError> {
        let requester = clean(self.actor().unwrap_or_default());
        let row = requests::ActiveModel {
            action: Set(clean(&new.action)),
            object: Set(clean(&new.object)),
            change_json: Set(write_json(&new.change, "change")?),
            preview_json: Set(write_json(&new.preview, "preview")?),
            digest: Set(new.digest.clone()),
            reason: Set(clean(&new.reason)),
            requester_folded: Set(fold(&requester)),
            requester: Set(requester),
            at: Set(self.at),
            expires_at: Set(self.at.saturating_add(REQUEST_WAITS)),
            state: Set(RequestState::Waiting.as_str().to_owned()),
            ..Default::default()
        };
        let row = row.insert(&self.inner).await.during("write down the request for", &new.object)?;
        Ok(RequestId(row.id))
    }

    /// Answers a request that waits, in the name of `by`. Whoever agrees has to be fit for it (see [`unfit_as_second`]); whoever withdraws has to have asked.
    ///
    /// # Errors
    ///
    /// When there is no such request, it does not wait any more, `by` may not answer it so, or the database refuses.
    pub async fn answer_request(
        &mut self,
        id: RequestId,
        state: RequestState,
        by: &str,
        reason: &str,
    ) -> Result<Request, StoreError> {
        let row =
            requests::Entity::find_by_id(id.0).one(&self.inner).await.during("look for the request", id)?;
        let row = row.during("find the request", id)?;
        let refused = |reason: &str| {
            Err(StoreError::new("answer the request", id, StoreErrorKind::Refused(reason.to_owned())))
        };
        if row.state != RequestState::Waiting.as_str() {
            return refused(&format!("it is {} already", row.state));
        }
        let is_own = fold(by) == row.requester_folded;
        match state {
            RequestState::Done if self.at >= row.expires_at => {
                return refused("nobody answered it in time; it has to be asked for again");
            }
            RequestState::Done | RequestState::Refused => {
                let second = user_by_login(&self.inner, by).await?.during("find the user", by)?;
                let first = user_by_login(&self.inner, &row.requester).await?;
                let first = first.during("find the user", &row.requester)?;
                if first.disabled_at.is_some() && state == RequestState::Done {
                    return refused("the account that asked is disabled");
                }
                let unfit = unfit_as_second(&second.try_into()?, &first.try_into()?, self.at);
                if let Some(reason) = unfit.filter(|_| state == RequestState::Done || is_own) {
                    return refused(reason);
                }
            }
            RequestState::Withdrawn if !is_own => return refused("only whoever asked can withdraw it"),
            RequestState::Waiting => return refused("waiting is no answer"),
            RequestState::Withdrawn | RequestState::Lapsed => {}
        }
        let mut update: requests::ActiveModel = row.into();
        update.state = Set(state.as_str().to_owned());
        update.answered_by = Set(Some(clean(by)));
        update.answered_at = Set(Some(self.at));
        update.answer_reason = Set(Some(clean(reason)));
        update.update(&self.inner).await.during("answer the request", id)?.try_into()
    }
}

impl Store {
    /// The request of this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn request(&self, id: RequestId) -> Result<Request, StoreError> {
        let row =
            requests::Entity::find_by_id(id.0).one(&self.read).await.during("look for the request", id)?;
        row.during("find the request", id)?.try_into()
    }

    /// Requests, newest first, before the one with the number `before`; all states where none is given.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn requests(
        &self,
        state: Option<RequestState>,
        before: Option<RequestId>,
        limit: u64,
    ) -> Result<Vec<RequestEntry>, StoreError> {
        let mut query = entries();
        if let Some(state) = state {
            query = query.filter(requests::Column::State.eq(state.as_str()));
        }
        if let Some(before) = before {
            query = query.filter(requests::Column::Id.lt(before.0));
        }
        let query = query.order_by_desc(requests::Column::Id).limit(limit).into_model::<EntryRow>();
        let rows = query.all(&self.read).await.during("list", "requests")?;
        rows.into_iter().map(RequestEntry::try_from).collect()
    }

    /// Requests that were answered or withdrawn, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn answered_requests(&self, limit: u64) -> Result<Vec<RequestEntry>, StoreError> {
        let query = entries()
            .filter(requests::Column::State.ne(RequestState::Waiting.as_str()))
            .order_by_desc(requests::Column::Id);
        let query = query.limit(limit).into_model::<EntryRow>();
        let rows = query.all(&self.read).await.during("list", "requests")?;
        rows.into_iter().map(RequestEntry::try_from).collect()
    }

    /// How many requests wait.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn requests_waiting(&self, at: i64) -> Result<u64, StoreError> {
        let query = requests::Entity::find()
            .filter(requests::Column::State.eq(RequestState::Waiting.as_str()))
            .filter(requests::Column::ExpiresAt.gt(at));
        query.count(&self.read).await.during("count", "requests")
    }
}
