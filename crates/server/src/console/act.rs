//! The page before an act: exactly what changes, why, and whether a second person is needed. And the act.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::layout::{Frame, page};
use super::policy::{TextLines, difference_of};
use super::provider::Proof;
use super::sign_in::local;
use super::visitor::{Problem, Sent, Visitor};
use crate::acts::{Change, Preview, Second, Submitted};
use crate::error::Failure;
use crate::gate::Gate;

#[derive(Template)]
#[template(path = "console/act.html")]
struct ActPage<'a> {
    frame: Frame,
    verb: String,
    preview: &'a Preview,
    /// Why a second person has to agree.
    because: Option<&'a str>,
    is_confirmed_later: bool,
    change: &'a str,
    back: &'a str,
    reason: &'a str,
    needs_proof: bool,
    proof: Proof,
    problem: Option<&'a str>,
    /// What becomes of a text that the act sets.
    text_lines: Option<TextLines>,
}

/// What an act gave that is shown once.
#[derive(Template)]
#[template(path = "console/done.html")]
pub(super) struct DonePage {
    pub(super) frame: Frame,
    pub(super) what: String,
    pub(super) secret: Option<String>,
    pub(super) link: Option<String>,
    pub(super) back: String,
}

/// An act that somebody thinks of.
#[derive(Deserialize)]
pub(super) struct Thought {
    change: String,
    #[serde(default)]
    back: Option<String>,
    #[serde(default)]
    reason: Option<String>,
}

/// An act that somebody wants.
#[derive(Deserialize)]
pub(super) struct Wanted {
    change: String,
    digest: String,
    reason: String,
    #[serde(default)]
    back: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    code: String,
}

/// The address of the page before an act.
pub(super) fn link(change: &Change, back: &str) -> String {
    let text = serde_json::to_string(change).unwrap_or_default();
    path(&text, back, "")
}

/// The address of the page before an act that is written down already, and why somebody wants it.
pub(super) fn path(change: &str, back: &str, reason: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("change", change).append_pair("back", back);
    if !reason.is_empty() {
        query.append_pair("reason", reason);
    }
    format!("/console/act?{}", query.finish())
}

fn read(text: &str) -> Result<Change, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::Bad(format!("this is no act: {}", crate::refusal::harmless(&error.to_string(), 200)))
    })
}

/// What an act is called on its button.
pub(super) fn verb(change: &Change) -> String {
    match change {
        Change::Decide { action, .. } => {
            let mut word = action.to_string();
            word[..1].make_ascii_uppercase();
            return word;
        }
        Change::Undo { .. } => "Undo the decision",
        Change::RollBackYanks { .. } => "Roll back yanks",
        Change::PassOnYanks { .. } => "Pass on yanks",
        Change::SetYanked { yanked: true, .. } => "Yank",
        Change::SetYanked { yanked: false, .. } => "Unyank",
        Change::CreateUser { .. } => "Make the account",
        Change::SetRoles { .. } => "Change roles",
        Change::SetDisabled { disabled: true, .. } => "Lock out",
        Change::SetDisabled { disabled: false, .. } => "Let in again",
        Change::CreateToken { .. } => "Make the token",
        Change::RevokeAll { .. } => "Revoke tokens and sessions",
        Change::ResetPassword { .. } => "Have a new password chosen",
        Change::RevokeToken { .. } => "Revoke the token",
        Change::EndSession { .. } => "End the session",
        Change::RetryJob { .. } => "Try the job again",
        Change::CloseCase { .. } => "Close the case",
        Change::Lock { locked: true, .. } => "Lock the crate",
        Change::Lock { locked: false, .. } => "Unlock the crate",
        Change::KeepName { .. } => "Keep the name",
        Change::FreeName { .. } => "Free the name",
        Change::Waive { rule: Some(_), .. } => "Waive the rule",
        Change::Waive { .. } => "Waive the clause",
        Change::EndWaiver { .. } => "End the waiver",
        Change::SetPolicy { .. } => "Set the policy",
        Change::TakeDown { .. } => "Take down",
        Change::Restore { .. } => "Restore",
        Change::Freeze { frozen: true, .. } => "Freeze the account",
        Change::Freeze { frozen: false, .. } => "Let the account publish again",
        Change::NotifyOwners { .. } => "Tell the owners",
        Change::RetryMail { .. } => "Send the mail again",
    }
    .to_owned()
}

/// The page before an act. Nothing changes by looking at it.
pub(super) async fn preview(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(thought): Query<Thought>,
) -> Result<Response, Problem> {
    let change = read(&thought.change)?;
    let reason = crate::refusal::harmless(thought.reason.as_deref().unwrap_or_default(), 500);
    show(&gate, &visitor, &change, (local(thought.back.as_deref()), &reason), None).await
}

pub(super) async fn show(
    gate: &Arc<Gate>,
    visitor: &Visitor,
    change: &Change,
    (back, reason): (&str, &str),
    problem: Option<&str>,
) -> Result<Response, Problem> {
    let shown = gate.preview(&visitor.user, change).await?;
    let text = serde_json::to_string(change).map_err(|error| Failure::Internal(error.to_string()))?;
    let verb = verb(change);
    let page_data = ActPage {
        frame: gate.frame(visitor, "/console/queue", format!("{verb}: {}", shown.object)).await?,
        verb,
        because: match &shown.second {
            Second::Agrees(because) => Some(because),
            _ => None,
        },
        is_confirmed_later: shown.second == Second::Confirms,
        preview: &shown,
        change: &text,
        back,
        reason,
        needs_proof: change.needs_fresh_proof() && !visitor.is_fresh(gate.now()),
        proof: gate.proof(visitor).await?,
        text_lines: difference_of(gate, change),
        problem,
    };
    page(&page_data.frame, &page_data)
}

/// Does an act, or asks a second person for it.
pub(super) async fn submit(State(gate): State<Arc<Gate>>, sent: Sent<Wanted>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    let change = read(&form.change)?;
    let back = local(form.back.as_deref());
    if change.needs_fresh_proof() && !visitor.is_fresh(gate.now()) {
        let Some(password) = form.password.as_deref() else {
            let problem = Some("Prove again who you are: this act is grave.");
            return show(&gate, &visitor, &change, (back, &form.reason), problem).await;
        };
        gate.prove_again(&visitor, password, &form.code).await?;
    }
    match gate.submit(&visitor.user, &change, &form.reason, Some(&form.digest)).await {
        Ok(Submitted::Waiting { request, .. }) => {
            Ok(Redirect::to(&format!("/console/requests/{request}?done=asked")).into_response())
        }
        Ok(Submitted::Done { answer, preview }) => {
            done(&gate, &visitor, &change, &answer, &preview, back).await
        }
        Err(Failure::Conflict(problem) | Failure::Bad(problem)) => {
            show(&gate, &visitor, &change, (back, &form.reason), Some(&problem)).await
        }
        Err(failure) => Err(failure.into()),
    }
}

/// What is shown once is shown; everything else leads back.
async fn done(
    gate: &Gate,
    visitor: &Visitor,
    change: &Change,
    answer: &serde_json::Value,
    preview: &Preview,
    back: &str,
) -> Result<Response, Problem> {
    let (secret, link) = once(answer);
    if secret.is_none() && link.is_none() {
        let joint = if back.contains('?') { '&' } else { '?' };
        // Where owners can be told something, they are not told by the decision itself.
        let can_tell = gate.mailer.is_some() && matches!(change, Change::Decide { .. });
        let word = if can_tell { "decided" } else { "act" };
        return Ok(Redirect::to(&format!("{back}{joint}done={word}")).into_response());
    }
    let page_data = DonePage {
        frame: gate.frame(visitor, "/console/queue", "Done").await?,
        what: format!("{}: {}", verb(change), preview.object),
        secret,
        link,
        back: back.to_owned(),
    };
    page(&page_data.frame, &page_data)
}

/// Token and link that an act gave.
pub(super) fn once(answer: &serde_json::Value) -> (Option<String>, Option<String>) {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    (text("secret"), text("link"))
}

/// What is told after an act.
pub(super) fn notice(word: Option<&str>) -> Option<String> {
    let text = match word? {
        "act" => "Done. The audit log has an entry.",
        "decided" => "Done. The audit log has an entry. The owners were not told: that is an act of its own.",
        "asked" => "Written down. It is done once a second person agrees.",
        "agreed" => "Done, with two people.",
        "refused" => "It will not be done.",
        "confirmed" => "Confirmed.",
        "comment" => "Your comment was added.",
        "assigned" => "Changed who is on it.",
        _ => return None,
    };
    Some(text.to_owned())
}
