//! A publisher: what they own and published, how they sign in and with which tokens, who can be taken for them, what can be done.
//!
//! A login of an upstream is a name that its registry gives; whether somebody here has the same login says nothing about who they are there. So
//! account, tokens and sessions are shown for the hosted registry only.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use cratekeeper_names::{Candidate, Level};
use cratekeeper_store::{
    CaseEntry, CaseFilter, CaseOrder, CaseState, EventKind, Freeze, Role, Session, Subject, Token, User,
    VersionId,
};
use serde::Deserialize;

use super::act::notice;
use super::decided::{Decided, decisions};
use super::hit::crate_path;
use super::layout::{Frame, filters, page, plain};
use super::offers::{self, Offer};
use super::visitor::{Problem, Visitor};
use crate::configuration::HOSTED;
use crate::error::Failure;
use crate::gate::Gate;

/// Rows of each list.
const ROWS: u64 = 100;

/// Sessions that are listed.
const SESSIONS: u64 = 20;

/// Seconds in which what they did lately is listed: as long as releases count as recent.
const LATELY: i64 = 90 * 86_400;

/// Seconds before now from which on yanks by them are offered to be rolled back.
const YANKS_BEFORE: i64 = 7 * 86_400;

/// Who sees tokens, addresses and sign-ins of others.
const SEES_ACCOUNTS: [Role; 3] = [Role::Triager, Role::Admin, Role::Auditor];

#[derive(Template)]
#[template(path = "console/publisher.html")]
struct PublisherPage {
    frame: Frame,
    registry: String,
    login: String,
    user: Option<User>,
    sees_account: bool,
    crates: Vec<(String, String)>,
    versions: Vec<VersionRow>,
    tokens: Vec<TokenRow>,
    sessions: Vec<Session>,
    events: Vec<(i64, String, Option<String>)>,
    cases: Vec<CaseEntry>,
    decisions: Vec<Decided>,
    likes: Vec<(String, u8)>,
    acts: Vec<Offer>,
    freeze: Option<Freeze>,
    /// Whether whoever looks may confirm the freeze.
    may_confirm: bool,
}

struct VersionRow {
    id: VersionId,
    name: String,
    path: String,
    state: String,
    level: String,
    score: Option<u8>,
    at: i64,
}

struct TokenRow {
    token: Token,
    scopes: String,
    state: &'static str,
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: Option<String>,
}

/// A publisher.
pub(super) async fn publisher(
    State(gate): State<Arc<Gate>>,
    Path((registry, login)): Path<(String, String)>,
    Query(told): Query<Told>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let missing = || Failure::NotFound("nothing is known of such a publisher".to_owned());
    let registry = gate.registry(&registry).ok_or_else(missing)?.clone();
    let is_hosted = registry.name == HOSTED;
    let user = if is_hosted { gate.store.user(&login).await? } else { None };
    let mut published = gate.store.published_by(&login, ROWS).await?;
    published.retain(|it| it.0.registry == registry.id);
    let filter = CaseFilter {
        publisher: Some(login.clone()),
        state: Some(CaseState::Open),
        registry: Some(registry.id),
        ..CaseFilter::default()
    };
    let cases = gate.store.cases(&filter, CaseOrder::WorstFirst, None, ROWS).await?;
    let mut owned = gate.store.crates_owned_by(&login).await?;
    owned.retain(|it| it.registry == registry.id);
    if user.is_none() && published.is_empty() && cases.is_empty() && owned.is_empty() {
        return Err(missing().into());
    }
    let back = publisher_path(&registry.name, &login);
    let now = gate.now();
    let events = gate.store.events_by(&login, now - LATELY, now + 1, ROWS).await?;
    let yanks = events.iter().filter(|it| it.kind == EventKind::Yank && it.at >= now - YANKS_BEFORE);
    let yanked_since = yanks.map(|it| it.at).min();
    let sees_account = user.is_some() && visitor.has(&SEES_ACCOUNTS);
    let (mut tokens, mut sessions) = (Vec::new(), Vec::new());
    if let Some(user) = user.as_ref().filter(|_| sees_account) {
        tokens = gate.store.tokens(user.id).await?.into_iter().map(|it| TokenRow::of(it, now)).collect();
        sessions = gate.store.sessions_of(user.id, SESSIONS).await?;
    }
    let mut frame = gate.frame(&visitor, "/console/queue", format!("Publisher {}", plain(&login))).await?;
    frame.notice = notice(told.done.as_deref());
    let about = (Subject::Publisher(registry.id, login.clone()), "everything of theirs".to_owned());
    let path = |name: &str| crate_path(&registry.name, name);
    let mut freeze = None;
    if let Some(user) = &user {
        freeze = gate.store.freeze_of(user.id).await?;
    }
    let may_act = visitor.has(&crate::acts::TRIAGE);
    let page_data = PublisherPage {
        may_confirm: may_act
            && freeze.as_ref().is_some_and(|it| it.confirmed.is_none() && it.actor != visitor.user.login),
        acts: if may_act {
            let account = user.as_ref().map(|it| it.disabled_at.is_some());
            let is_admin = visitor.has(&[Role::Admin]);
            let mut acts =
                offers::of_publisher(&registry, &login, account, is_admin, (yanked_since, now), &back);
            acts.extend(user.as_ref().map(|it| offers::freeze(&it.login, freeze.is_none(), &back)));
            acts
        } else {
            Vec::new()
        },
        crates: owned.iter().take(2 * ROWS as usize).map(|it| (it.name.clone(), path(&it.name))).collect(),
        versions: published
            .iter()
            .map(|(krate, it)| VersionRow {
                id: it.id,
                name: format!("{} {}", krate.name, it.version),
                path: path(&krate.name),
                state: it.standing.state.to_string(),
                level: it.level.map_or_else(|| "unknown".to_owned(), |it| it.to_string()),
                score: it.score,
                at: it.published_at.unwrap_or(it.first_seen),
            })
            .collect(),
        decisions: decisions(&gate, &visitor, vec![about], &back).await?,
        likes: likes(&gate, &login),
        events: events
            .iter()
            .rev()
            .map(|it| (it.at, it.kind.to_string().replace('-', " "), it.subject.as_deref().map(plain)))
            .collect(),
        login: plain(&login),
        registry: registry.name.clone(),
        user,
        sees_account,
        tokens,
        sessions,
        cases,
        freeze,
        frame,
    };
    page(&page_data.frame, &page_data)
}

impl TokenRow {
    fn of(token: Token, now: i64) -> TokenRow {
        let state = match () {
            () if token.revoked_at.is_some() => "revoked",
            () if token.expires_at.is_some_and(|it| it <= now) => "over",
            () => "holds",
        };
        let scopes: Vec<&str> = token.scopes.iter().map(|it| it.as_str()).collect();
        TokenRow { scopes: scopes.join(", "), state, token }
    }
}

/// Where a publisher is shown.
pub(super) fn publisher_path(registry: &str, login: &str) -> String {
    // Form encoding writes a space as `+`, which is a plus in a path.
    let text = url::form_urlencoded::byte_serialize(login.as_bytes()).collect::<String>().replace('+', "%20");
    format!("/console/publisher/{registry}/{text}")
}

/// Logins of established publishers that this one can be taken for.
fn likes(gate: &Gate, login: &str) -> Vec<(String, u8)> {
    let (_, Some(publishers)) = gate.names.corpora() else { return Vec::new() };
    let Ok(mut candidate) = Candidate::new(login) else { return Vec::new() };
    candidate.leave_one_out = true;
    let matches = publishers.judge(&candidate).matches.into_iter();
    matches.filter(|it| Level::of(it.score) >= Level::Review).map(|it| (it.target, it.score)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_login_fits_into_a_path() {
        assert_eq!(
            publisher_path("hosted", "al ice/../é+"),
            "/console/publisher/hosted/al%20ice%2F..%2F%C3%A9%2B"
        );
    }
}
