//! Acts that wait for a second person, and decisions that wait to be confirmed.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_store::{
    DecisionFilter, DecisionId, FreezeId, Request, RequestEntry, RequestId, RequestState,
};
use serde::Deserialize;

use super::act::{DonePage, notice, once};
use super::layout::{Frame, ago, filters, page};
use super::policy::{TextLines, difference_of};
use super::provider::Proof;
use super::visitor::{Problem, Sent, Visitor};
use crate::acts::{Change, Preview, TRIAGE};
use crate::error::Failure;
use crate::gate::Gate;

/// Rows of each list.
const ROWS: u64 = 50;

/// Requests that wait, of which none may be hidden behind others: four days are long, and people few.
const WAITING: u64 = 500;

#[derive(Template)]
#[template(path = "console/requests.html")]
struct RequestsPage {
    frame: Frame,
    waiting: Vec<RequestEntry>,
    unconfirmed: Vec<Unconfirmed>,
    freezes: Vec<UnconfirmedFreeze>,
    answered: Vec<RequestEntry>,
}

/// A decision that nobody confirmed yet.
struct Unconfirmed {
    id: i64,
    object: String,
    action: String,
    reason: String,
    actor: String,
    age: String,
    is_own: bool,
}

/// A freeze that nobody confirmed yet.
struct UnconfirmedFreeze {
    id: i64,
    login: String,
    reason: String,
    actor: String,
    age: String,
    is_own: bool,
}

/// Everything that waits for a second person.
pub(super) async fn list(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let at = gate.now();
    let mut waiting = gate.store.requests(Some(RequestState::Waiting), None, WAITING).await?;
    waiting.retain(|it| it.expires_at > at);
    let answered = gate.store.answered_requests(ROWS).await?;
    let mut frame = gate.frame(&visitor, "/console/requests", "Approvals").await?;
    frame.notice = notice(told.done.as_deref());
    let unconfirmed = unconfirmed(&gate, &visitor).await?;
    let freezes = gate.store.unconfirmed_freezes(ROWS).await?.into_iter().map(|it| UnconfirmedFreeze {
        id: it.id.0,
        login: it.login,
        reason: it.reason,
        age: ago(at - it.at),
        is_own: it.actor == visitor.user.login,
        actor: it.actor,
    });
    let freezes = freezes.collect();
    let page_data = RequestsPage { frame, waiting, unconfirmed, freezes, answered };
    page(&page_data.frame, &page_data)
}

async fn unconfirmed(gate: &Gate, visitor: &Visitor) -> Result<Vec<Unconfirmed>, Problem> {
    let filter = DecisionFilter { unconfirmed_only: true, ..DecisionFilter::default() };
    let mut rows = Vec::new();
    for decision in gate.store.decisions(&filter, None, ROWS).await? {
        rows.push(Unconfirmed {
            id: decision.id.0,
            object: gate.shown(&decision.subject).await?,
            action: decision.action.to_string(),
            age: ago(gate.now() - decision.at),
            is_own: decision.actor == visitor.user.login,
            reason: decision.reason,
            actor: decision.actor,
        });
    }
    Ok(rows)
}

#[derive(Template)]
#[template(path = "console/request.html")]
struct RequestPage {
    frame: Frame,
    request: Request,
    preview: Preview,
    is_waiting: bool,
    is_own: bool,
    /// Why whoever looks cannot agree.
    why_not: Option<String>,
    needs_proof: bool,
    proof: Proof,
    /// What becomes of a text that the act sets, while it waits.
    text_lines: Option<TextLines>,
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: Option<String>,
}

/// One act that waits, or waited.
pub(super) async fn request(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let request = gate.store.request(RequestId(id)).await?;
    let preview: Preview = serde_json::from_value(request.preview.clone())
        .map_err(|error| Failure::Internal(format!("request {id} cannot be read: {error}")))?;
    let mut frame = gate.frame(&visitor, "/console/requests", format!("Request {id}")).await?;
    frame.notice = notice(told.done.as_deref());
    let is_waiting = request.state == RequestState::Waiting && request.expires_at > gate.now();
    let change = serde_json::from_value::<Change>(request.change.clone()).ok().filter(|_| is_waiting);
    let page_data = RequestPage {
        is_waiting,
        text_lines: change.and_then(|it| difference_of(&gate, &it)),
        is_own: request.requester == visitor.user.login,
        why_not: gate.why_not_second(&visitor.user, &request).await?,
        needs_proof: needs_proof(&gate, &visitor, &request),
        proof: gate.proof(&visitor).await?,
        request,
        preview,
        frame,
    };
    page(&page_data.frame, &page_data)
}

#[derive(Deserialize)]
pub(super) struct Agreement {
    digest: String,
    reason: String,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    code: String,
}

/// Whether somebody has to prove again who they are before they agree: two people are two only where both are who they say.
fn needs_proof(gate: &Gate, visitor: &Visitor, request: &Request) -> bool {
    // What cannot be read is not done either.
    let is_grave = serde_json::from_value::<Change>(request.change.clone())
        .map_or(true, |change| change.needs_fresh_proof());
    is_grave && !visitor.is_fresh(gate.now())
}

#[derive(Deserialize)]
pub(super) struct Because {
    reason: String,
}

/// Agrees to an act; it is done.
pub(super) async fn agree(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Agreement>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&TRIAGE)?;
    if needs_proof(&gate, &visitor, &gate.store.request(RequestId(id)).await?) {
        let Some(password) = form.password.as_deref() else {
            let problem = "prove again who you are: this act is grave".to_owned();
            return Err(Failure::Forbidden(problem).into());
        };
        gate.prove_again(&visitor, password, &form.code).await?;
    }
    let answer = gate.agree(&visitor.user, RequestId(id), &form.reason, Some(&form.digest)).await?;
    let (secret, link) = once(&answer);
    if secret.is_none() && link.is_none() {
        return Ok(Redirect::to(&format!("/console/requests/{id}?done=agreed")).into_response());
    }
    let page_data = DonePage {
        frame: gate.frame(&visitor, "/console/requests", "Done").await?,
        what: format!("Request {id}"),
        secret,
        link,
        back: "/console/requests".to_owned(),
    };
    page(&page_data.frame, &page_data)
}

/// Refuses an act, or withdraws one's own.
pub(super) async fn refuse(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Because>,
) -> Result<Response, Problem> {
    sent.visitor.with_role(&TRIAGE)?;
    gate.turn_down(&sent.visitor.user, RequestId(id), &sent.form.reason).await?;
    Ok(Redirect::to(&format!("/console/requests/{id}?done=refused")).into_response())
}

/// Confirms what contained something at once.
pub(super) async fn confirm(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Because>,
) -> Result<Response, Problem> {
    sent.visitor.with_role(&TRIAGE)?;
    gate.confirm(&sent.visitor.user, DecisionId(id), &sent.form.reason).await?;
    Ok(Redirect::to("/console/requests?done=confirmed").into_response())
}

/// Confirms that an account was frozen.
pub(super) async fn confirm_freeze(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Because>,
) -> Result<Response, Problem> {
    sent.visitor.with_role(&TRIAGE)?;
    gate.confirm_freeze(&sent.visitor.user, FreezeId(id), &sent.form.reason).await?;
    Ok(Redirect::to("/console/requests?done=confirmed").into_response())
}
