//! A publisher: what they own and published, how they sign in and with which tokens, who can be taken for them, what can be done.
//!
//! An account is one of one registry: whether somebody has the same login elsewhere says nothing about who they are there. So a page is about a
//! registry and a login together, and account, tokens and sessions are shown for the hosted registry only.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_names::{Candidate, Corpus, Level};
use cratekeeper_store::{
    CaseEntry, CaseFilter, CaseOrder, CaseState, CrateId, EventKind, Freeze, Registry, RegistryId, Role,
    Session, Subject, Token, User, VersionId,
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

/// Crates that are named at once.
const CRATES: u64 = 200;

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
    /// The address of the page with the next of their crates.
    more_crates: Option<String>,
    versions: Vec<VersionRow>,
    tokens: Vec<TokenRow>,
    sessions: Vec<Session>,
    events: Vec<(i64, String, Option<String>)>,
    cases: Vec<CaseEntry>,
    decisions: Vec<Decided>,
    likes: Vec<Alike>,
    acts: Vec<Offer>,
    freeze: Option<Freeze>,
    /// Whether whoever looks may confirm the freeze.
    may_confirm: bool,
}

/// An established publisher that this one can be taken for, or whose login it has.
#[derive(Debug, PartialEq, Eq)]
struct Alike {
    login: String,
    /// How alike the logins are, of a hundred; `None` where they are the same, of two registries.
    score: Option<u8>,
    /// Where the other one is established.
    of: &'static str,
    /// Their page, where there is one.
    path: Option<String>,
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
    /// The crate that the page before ended with.
    #[serde(default)]
    after: String,
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
    let published = gate.store.published_by(registry.id, &login, ROWS).await?;
    let filter = CaseFilter {
        publisher: Some(login.clone()),
        state: Some(CaseState::Open),
        registry: Some(registry.id),
        ..CaseFilter::default()
    };
    let cases = gate.store.cases(&filter, CaseOrder::WorstFirst, None, ROWS).await?;
    let after = told.after.parse().ok().map(CrateId);
    let owned = gate.store.crates_owned_by(registry.id, &login, after, CRATES).await?;
    if after.is_none() && user.is_none() && published.is_empty() && cases.is_empty() && owned.is_empty() {
        return Err(missing().into());
    }
    let back = publisher_path(&registry.name, &login);
    let now = gate.now();
    let events = gate.store.events_by(registry.id, &login, now - LATELY, now + 1, ROWS).await?;
    let yanks = events.iter().filter(|it| it.kind == EventKind::Yank && it.at >= now - YANKS_BEFORE);
    let yanked_since = yanks.map(|it| it.at).min();
    let sees_account = user.is_some() && visitor.has(&SEES_ACCOUNTS);
    let (mut tokens, mut sessions) = (Vec::new(), Vec::new());
    if let Some(user) = user.as_ref().filter(|_| sees_account) {
        tokens = gate.store.tokens(user.id).await?.into_iter().map(|it| TokenRow::of(it, now)).collect();
        sessions = gate.store.sessions_of(user.id, SESSIONS).await?;
    }
    let title = format!("Publisher {} of {}", plain(&login), registry.name);
    let mut frame = gate.frame(&visitor, "/console/queue", title).await?;
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
        more_crates: (owned.len() as u64 == CRATES)
            .then(|| owned.last().map(|it| format!("{back}?after={}#crates", it.id)))
            .flatten(),
        crates: owned.iter().map(|it| (it.name.clone(), path(&it.name))).collect(),
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
        likes: likes(&gate, &registry, &login),
        events: events
            .iter()
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

fn in_path(login: &str) -> String {
    // Form encoding writes a space as `+`, which is a plus in a path.
    url::form_urlencoded::byte_serialize(login.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Where a publisher is shown.
pub(super) fn publisher_path(registry: &str, login: &str) -> String {
    format!("/console/publisher/{registry}/{}", in_path(login))
}

/// Where it is said which accounts have a login.
pub(super) fn publishers_path(login: &str) -> String {
    format!("/console/publisher/{}", in_path(login))
}

#[derive(Template)]
#[template(path = "console/publishers.html")]
struct PublishersPage {
    frame: Frame,
    login: String,
    /// Registry, and the page about the account there.
    accounts: Vec<(String, String)>,
}

/// The accounts with a login, of whichever registries; the one, where there is one.
pub(super) async fn publishers(
    State(gate): State<Arc<Gate>>,
    Path(login): Path<String>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let mut registries: BTreeSet<RegistryId> =
        gate.store.registries_of_publisher(&login).await?.into_iter().map(|it| it.0).collect();
    if gate.store.user(&login).await?.is_some() {
        registries.insert(gate.hosted.id);
    }
    let named = registries.into_iter().filter_map(|it| gate.registry_by_id(it));
    let accounts: Vec<(String, String)> =
        named.map(|it| (it.name.clone(), publisher_path(&it.name, &login))).collect();
    match &accounts[..] {
        [] => Err(Failure::NotFound("nothing is known of such a publisher".to_owned()).into()),
        [(_, only)] => Ok(Redirect::to(only).into_response()),
        _ => {
            let login = plain(&login);
            let frame = gate.frame(&visitor, "/console/queue", format!("Accounts called {login}")).await?;
            let page_data = PublishersPage { frame, login, accounts };
            page(&page_data.frame, &page_data)
        }
    }
}

/// Where those are established who own crates that have been hosted for long.
const HERE: &str = "the hosted registry";

/// Where those are whom the list names that comes with the program.
const PUBLIC: &str = "the public registry";

/// Established publishers that the account can be taken for; with the same login, those of another registry.
fn likes(gate: &Gate, registry: &Registry, login: &str) -> Vec<Alike> {
    let (_, Some(publishers)) = gate.names.corpora() else { return Vec::new() };
    alike(&publishers, &gate.names.settled(), registry, login)
}

fn alike(publishers: &Corpus, settled: &BTreeSet<String>, registry: &Registry, login: &str) -> Vec<Alike> {
    let Ok(mut candidate) = Candidate::new(login) else { return Vec::new() };
    candidate.leave_one_out = true;
    let is_here = |login: &str| settled.contains(&login.to_ascii_lowercase());
    let hosted = |login: &str| is_here(login).then(|| publisher_path(HOSTED, login));
    let judged = publishers.judge(&candidate);
    let matches = judged.matches.into_iter().filter(|it| Level::of(it.score) >= Level::Review);
    let mut found: Vec<Alike> = matches
        .map(|it| Alike {
            score: Some(it.score),
            of: if is_here(&it.target) { HERE } else { PUBLIC },
            path: hosted(&it.target),
            login: it.target,
        })
        .collect();
    // Whoever has the same login in another registry may be somebody else, who is trusted there.
    if registry.name != HOSTED && is_here(login) {
        found.insert(0, Alike { login: login.to_owned(), score: None, of: HERE, path: hosted(login) });
    }
    if registry.name == HOSTED && judged.in_corpus && !is_here(login) {
        found.insert(0, Alike { login: login.to_owned(), score: None, of: PUBLIC, path: None });
    }
    found
}

#[cfg(test)]
mod tests {
    use cratekeeper_names::{Entry, Kind};
    use cratekeeper_store::RegistryKind;

    use super::*;

    #[test]
    fn any_login_fits_into_a_path() {
        assert_eq!(
            publisher_path("hosted", "al ice/../é+"),
            "/console/publisher/hosted/al%20ice%2F..%2F%C3%A9%2B"
        );
        assert_eq!(publishers_path("a?b/"), "/console/publisher/a%3Fb%2F");
    }

    #[test]
    fn who_looks_like_somebody_is_told_of_which_registry() {
        let corpus = |logins: &[&str]| {
            Corpus::new(logins.iter().map(|it| Entry::new(*it)).collect(), Kind::Publishers).unwrap()
        };
        let publishers = corpus(&["established", "well-known-elsewhere"]);
        let settled = BTreeSet::from(["established".to_owned()]);
        let of = |name: &str, login: &str| {
            let kind = if name == HOSTED { RegistryKind::Hosted } else { RegistryKind::Upstream };
            let registry =
                Registry { id: RegistryId(1), name: name.to_owned(), kind, url: None, created_at: 0 };
            alike(&publishers, &settled, &registry, login)
        };
        let near = of(HOSTED, "estabilshed");
        assert_eq!((near[0].login.as_str(), near[0].of), ("established", HERE));
        assert_eq!(near[0].path.as_deref(), Some("/console/publisher/hosted/established"));
        assert!(of(HOSTED, "established").is_empty(), "it is the one that is established");
        let elsewhere = of("mirror", "Established");
        assert_eq!((elsewhere[0].score, elsewhere[0].of), (None, HERE), "the same login is another account");
        let public = of(HOSTED, "well-known-elsewhere");
        assert_eq!((public[0].score, public[0].of, &public[0].path), (None, PUBLIC, &None));
    }
}
