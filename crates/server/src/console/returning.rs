//! What becomes of those who come back from the identity provider.
//!
//! Who comes back without having been sent, late, twice or with somebody else's answer is nobody. An identity that is not linked to an account signs
//! nobody in, and no account is ever made or found by anything else that the provider says.

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_model::Checksum;
use cratekeeper_store::{Act, Identity, NewSession, SessionId, SignInMethod, StoreErrorKind, User, UserId};
use serde::Deserialize;
use serde_json::json;

use super::layout::{bare, new_nonce};
use super::provider::{Aim, COOKIE, Kept, WAY, shown, with_cookie};
use super::sign_in::{LINK_USED, Unproven, join_purpose, local};
use super::visitor::{Problem, Unsigned, cookie, short_cookie, signed_in};
use crate::callers::{Caller, RequestKind};
use crate::error::Failure;
use crate::gate::{GATE, Gate};
use crate::provider::{Claimed, LEEWAY, Provider};
use crate::refusal::harmless;

/// What whoever comes back without having been sent is told.
const NOT_SENT: &str =
    "this browser was not sent to sign in, or more than ten minutes ago, or came back already: begin again";

/// Whoever came back, and from where.
struct Returned<'a> {
    headers: &'a HeaderMap,
    address: Option<IpAddr>,
    client: Option<String>,
}

/// An account, the identity that it is signed in by, and when that was proved.
struct Known {
    user: User,
    identity: Identity,
    proved_at: Option<i64>,
}

#[derive(Template)]
#[template(path = "console/provider_code.html")]
struct CodePage<'a> {
    nonce: &'a str,
    login: &'a str,
    problem: Option<&'a str>,
}

/// What the provider sends somebody back with. All of it is a stranger's until it is compared with what was kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// What becomes of whoever comes back. Whatever it is, they cannot come back so again.
pub(super) async fn come_back(
    State(gate): State<Arc<Gate>>,
    Query(answer): Query<Answer>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    gate.identity_provider()?;
    let Caller { address, client, .. } = Caller::of(&parts, &gate, RequestKind::Read).await?;
    let returned = Returned { headers: &parts.headers, address, client };
    let result = returned.answered(&gate, answer).await;
    let response = result.unwrap_or_else(axum::response::IntoResponse::into_response);
    let keeps_on = response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .any(|it| it.to_str().is_ok_and(|it| it.trim_start_matches("__Host-").starts_with(COOKIE)));
    Ok(if keeps_on { response } else { with_cookie(response, short_cookie(&gate, COOKIE, "", 0)) })
}

impl Returned<'_> {
    async fn answered(&self, gate: &Arc<Gate>, answer: Answer) -> Result<Response, Problem> {
        let provider = gate.identity_provider()?;
        let not_sent = || Failure::Bad(NOT_SENT.to_owned());
        let kept = gate.kept(self.headers).ok_or_else(not_sent)?;
        let Kept::Away { state, nonce, verifier, aim, begun_at } = kept else {
            return Err(not_sent().into());
        };
        // Hashes of both are compared: how long that takes tells nothing about either.
        let is_ours = answer
            .state
            .as_deref()
            .is_some_and(|it| Checksum::of(it.as_bytes()) == Checksum::of(state.as_bytes()));
        if !is_ours || !gate.store.use_return(&state, gate.now(), begun_at.saturating_add(WAY)).await? {
            return Err(not_sent().into());
        }
        let refused = |error| Problem::from(provider.told(&error));
        provider.check_sender(answer.iss.as_deref()).await.map_err(refused)?;
        if let Some(error) = &answer.error {
            let reason = format!("{} did not sign you in ({})", provider.name(), harmless(error, 60));
            return Err(Failure::Forbidden(reason).into());
        }
        let code = answer.code.filter(|it| !it.is_empty() && it.len() <= 4_096).ok_or_else(not_sent)?;
        let claimed = provider.claimed(&code, &verifier, &nonce, gate.now()).await.map_err(refused)?;
        match aim {
            Aim::Link { session } => self.link(gate, provider, session, &claimed).await,
            Aim::Join { login, secret } => self.join(gate, provider, (&login, &secret), &claimed).await,
            Aim::SignIn { .. } | Aim::Prove { .. } => {
                self.recognize(gate, provider, aim, claimed, begun_at).await
            }
        }
    }

    /// Finds the account of somebody who signs in, or proves again who they are, and asks for its second factor.
    async fn recognize(
        &self,
        gate: &Arc<Gate>,
        provider: &Provider,
        aim: Aim,
        claimed: Claimed,
        begun_at: i64,
    ) -> Result<Response, Problem> {
        let found = gate.store.identity(provider.issuer(), &claimed.subject).await?;
        let (identity, user) = match found {
            Some((identity, user)) if user.disabled_at.is_none() => (identity, user),
            found => return Err(self.unknown(gate, provider, &claimed, found.map(|it| it.1)).await),
        };
        if matches!(aim, Aim::Prove { .. })
            && claimed.proved_at.is_none_or(|it| it < begun_at.saturating_sub(LEEWAY))
        {
            let reason = format!("{} does not say that it asked you just now who you are", provider.name());
            return Err(Failure::Forbidden(reason).into());
        }
        let known = Known { user, identity, proved_at: claimed.proved_at };
        let factor = gate.store.second_factor(known.user.id).await?;
        if provider.is_second_factor_ours() && factor.is_some_and(|it| it.confirmed_at.is_some()) {
            let kept = Kept::Known {
                user: known.user.id.0,
                identity: known.identity.id.0,
                proved_at: known.proved_at,
                aim,
                begun_at,
            };
            let page = code_page(StatusCode::OK, &known.user.login, None)?;
            return Ok(with_cookie(page, gate.kept_cookie(&kept)?));
        }
        self.enter(gate, known, &aim).await
    }

    /// Writes down who was not let in. They are told the same whether there is no account or one that was locked out.
    async fn unknown(
        &self,
        gate: &Gate,
        provider: &Provider,
        claimed: &Claimed,
        disabled: Option<User>,
    ) -> Problem {
        let object = disabled.as_ref().map_or("nobody", |it| it.login.as_str());
        let mut detail = shown(provider.issuer(), &claimed.subject);
        detail["address"] = json!(self.address);
        let act = Act::new(GATE, "session.refuse", object, gate.now()).with_detail(detail);
        let written = match gate.store.act(act).await {
            Ok(transaction) => transaction.commit().await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            return error.into();
        }
        let (name, subject) = (provider.name(), harmless(&claimed.subject, 300));
        Failure::Forbidden(format!(
            "{name} knows you (as `{subject}`), and nobody can sign in here by that: sign in by a password and link it at your account, or follow the link of an invitation"
        ))
        .into()
    }

    /// Lets somebody in, or notes that they proved again who they are.
    async fn enter(&self, gate: &Arc<Gate>, known: Known, aim: &Aim) -> Result<Response, Problem> {
        let Known { user, identity, proved_at } = known;
        match aim {
            Aim::Prove { session, next } => {
                let session = self.session(gate, *session, Some(user.id)).await?.0;
                let act = Act::new(&user.login, "session.prove", &user.login, gate.now());
                let detail = shown(&identity.issuer, &identity.subject);
                let mut transaction = gate.store.act(act.with_detail(detail)).await?;
                transaction.note_proof(session).await?;
                transaction.note_identity_use(identity.id).await?;
                transaction.commit().await?;
                Ok(Redirect::to(local(Some(next))).into_response())
            }
            Aim::SignIn { next } => {
                let text = self.begin_session(gate, &user, &identity, proved_at).await?;
                let next = if user.roles.is_empty() { "/console/account" } else { local(Some(next)) };
                Ok(with_cookie(Redirect::to(next).into_response(), cookie(gate, &text)))
            }
            Aim::Join { .. } | Aim::Link { .. } => Err(Failure::Bad(NOT_SENT.to_owned()).into()),
        }
    }

    async fn begin_session(
        &self,
        gate: &Gate,
        user: &User,
        identity: &Identity,
        proved_at: Option<i64>,
    ) -> Result<String, Problem> {
        let method = SignInMethod::IdentityProvider;
        let mut detail = shown(&identity.issuer, &identity.subject);
        detail["address"] = json!(self.address);
        detail["client"] = json!(self.client);
        detail["method"] = json!(method);
        let act = Act::new(&user.login, "session.begin", &user.login, gate.now()).with_detail(detail);
        let mut transaction = gate.store.act(act).await?;
        transaction.note_identity_use(identity.id).await?;
        let new = NewSession {
            user: user.id,
            method,
            address: self.address.map(|it| it.to_string()),
            client: self.client.clone(),
            // Somebody who was known there already has proved nothing now, as far as we know.
            proved_at: Some(proved_at.unwrap_or(0)),
        };
        let (_, text) = transaction.create_session(&new).await?;
        transaction.commit().await?;
        Ok(text.expose().to_owned())
    }

    /// The session that somebody was sent away from, if this browser still has it.
    async fn session(
        &self,
        gate: &Gate,
        session: i64,
        user: Option<UserId>,
    ) -> Result<(SessionId, User), Problem> {
        let found = signed_in(gate, self.headers).await?;
        let is_it = |it: &(_, User)| user.is_none_or(|user| it.1.id == user);
        let found = found.map(|(it, user)| (it.id, user)).filter(|it| it.0.0 == session).filter(is_it);
        let reason = "whoever the provider says you are is not who is signed in, or your session has ended";
        found.ok_or_else(|| Failure::Forbidden(reason.to_owned()).into())
    }

    async fn link(
        &self,
        gate: &Gate,
        provider: &Provider,
        session: i64,
        claimed: &Claimed,
    ) -> Result<Response, Problem> {
        let (_, user) = self.session(gate, session, None).await?;
        let detail = shown(provider.issuer(), &claimed.subject);
        let act = Act::new(&user.login, "identity.link", &user.login, gate.now()).with_detail(detail);
        let mut transaction = gate.store.act(act).await?;
        transaction
            .link_identity(user.id, provider.issuer(), &claimed.subject)
            .await
            .map_err(|error| taken(error, provider))?;
        transaction.commit().await?;
        Ok(Redirect::to("/console/account?done=linked").into_response())
    }

    async fn join(
        &self,
        gate: &Arc<Gate>,
        provider: &Provider,
        (login, secret): (&str, &str),
        claimed: &Claimed,
    ) -> Result<Response, Problem> {
        let used = || Problem::from(Failure::Bad(LINK_USED.to_owned()));
        let user = gate.store.user(login).await?.filter(|it| it.disabled_at.is_none()).ok_or_else(used)?;
        let detail = shown(provider.issuer(), &claimed.subject);
        let act = Act::new(&user.login, "user.join", &user.login, gate.now()).with_detail(detail);
        let mut transaction = gate.store.act(act).await?;
        match transaction.use_one_time_secret(&join_purpose(&user.login), secret).await {
            Err(error) if *error.kind() == StoreErrorKind::NotFound => return Err(used()),
            result => result?,
        }
        let identity = transaction
            .link_identity(user.id, provider.issuer(), &claimed.subject)
            .await
            .map_err(|error| taken(error, provider))?;
        transaction.end_sessions_of(user.id).await?;
        transaction.commit().await?;
        let text = self.begin_session(gate, &user, &identity, claimed.proved_at).await?;
        let next = "/console/account?done=linked";
        Ok(with_cookie(Redirect::to(next).into_response(), cookie(gate, &text)))
    }
}

/// An identity is one account's: whose, nobody is told.
fn taken(error: cratekeeper_store::StoreError, provider: &Provider) -> Problem {
    if *error.kind() != StoreErrorKind::AlreadyExists {
        return error.into();
    }
    let reason = format!("whoever you are at {} is linked to an account already", provider.name());
    Failure::Conflict(reason).into()
}

fn code_page(status: StatusCode, login: &str, problem: Option<&str>) -> Result<Response, Problem> {
    let nonce = new_nonce();
    bare(status, &CodePage { nonce: &nonce, login, problem }, &nonce)
}

#[derive(Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: String,
}

/// Takes the code of the second factor of somebody whom the provider has named.
pub(super) async fn enter_code(
    State(gate): State<Arc<Gate>>,
    headers: HeaderMap,
    sent: Unsigned<Code>,
) -> Result<Response, Problem> {
    let Unsigned { address, client, form } = sent;
    gate.identity_provider()?;
    let not_sent = || Problem::from(Failure::Bad(NOT_SENT.to_owned()));
    let Some(Kept::Known { user, identity, proved_at, aim, .. }) = gate.kept(&headers) else {
        return Err(not_sent());
    };
    let user = gate.store.user_by_id(UserId(user)).await?;
    gate.rates.count_sign_in(address, &user.login, &gate.settings())?;
    let linked = gate.store.identities_of(user.id).await?;
    let identity = linked.into_iter().find(|it| it.id.0 == identity).filter(|_| user.disabled_at.is_none());
    let factor = gate.store.second_factor(user.id).await?.filter(|it| it.confirmed_at.is_some());
    // Unlinked, locked out or reset meanwhile.
    let (Some(identity), Some(factor)) = (identity, factor) else { return Err(not_sent()) };
    if gate.second(&user, &factor, &form.code).await?.is_none() {
        let wrong_code_of = (!form.code.trim().is_empty()).then(|| user.clone());
        gate.note_refusal(&user.login, &Unproven { wrong_code_of }, address).await?;
        let told = "That is not a code that counts now. After several wrong ones in a row, none is looked at for a while.";
        return code_page(StatusCode::UNAUTHORIZED, &user.login, Some(told));
    }
    let returned = Returned { headers: &headers, address, client };
    let entered = returned.enter(&gate, Known { user, identity, proved_at }, &aim).await?;
    Ok(with_cookie(entered, short_cookie(&gate, COOKIE, "", 0)))
}
