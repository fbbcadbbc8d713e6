//! Sending people to the identity provider: to sign in, to join, to link who they are there to an account, or to prove again who they are.
//!
//! What a browser is on the way for is in a cookie that is sealed, lasts ten minutes and counts once. What becomes of those who come back is in
//! `returning`.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_store::{Act, IdentityId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Proof as Given;
use super::act::path;
use super::layout::{bare, new_nonce};
use super::sign_in::{LINK_USED, local};
use super::visitor::{Problem, Sent, Unsigned, Visitor, short_cookie, short_cookie_text};
use crate::error::Failure;
use crate::gate::Gate;
use crate::provider::{LEEWAY, Provider};
use crate::refusal::harmless;

/// Name of the cookie.
pub(super) const COOKIE: &str = "cratekeeper-provider";

/// What it is sealed for.
const PURPOSE: &str = "the way to the identity provider and back";

/// How long somebody may take at the provider, in seconds: to find a phone, and to be asked for a password there.
pub(super) const WAY: i64 = 10 * 60;

/// Longest address to come back to, in bytes: a browser keeps 4,096 of a cookie, and sealing doubles them.
const NEXT: usize = 1_200;

/// What somebody goes to the provider for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Aim {
    SignIn {
        next: String,
    },
    /// To be the account that a link was made for.
    Join {
        login: String,
        secret: String,
    },
    /// To sign in so from now on.
    Link {
        session: i64,
    },
    /// To prove again who they are.
    Prove {
        session: i64,
        next: String,
    },
}

/// What a browser keeps meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kept {
    /// It is at the provider.
    Away { state: String, nonce: String, verifier: String, aim: Aim, begun_at: i64 },
    /// The provider said who it is, and the code of the second factor is missing.
    Known { user: i64, identity: i64, proved_at: Option<i64>, aim: Aim, begun_at: i64 },
}

impl Kept {
    fn begun_at(&self) -> i64 {
        match self {
            Kept::Away { begun_at, .. } | Kept::Known { begun_at, .. } => *begun_at,
        }
    }
}

/// How somebody can prove again who they are.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    pub(super) has_password: bool,
    /// Whether they did so a moment ago.
    pub(super) is_fresh: bool,
    /// The identity provider that they can be asked at.
    pub(super) provider: Option<String>,
    /// The identity provider that can be linked.
    pub(super) linkable: Option<String>,
}

#[derive(Template)]
#[template(path = "console/provider.html")]
struct LeavePage<'a> {
    nonce: &'a str,
    name: &'a str,
    url: &'a str,
}

impl Gate {
    /// What the identity provider is called, where there is one.
    pub(super) fn provider_name(&self) -> Option<&str> {
        self.provider.as_ref().map(Provider::name)
    }

    pub(super) fn identity_provider(&self) -> Result<&Provider, Failure> {
        let missing = || Failure::NotFound("this gate has no identity provider".to_owned());
        self.provider.as_ref().ok_or_else(missing)
    }

    /// How somebody can prove again who they are.
    pub(super) async fn proof(&self, visitor: &Visitor) -> Result<Proof, Problem> {
        let linked = self.store.identities_of(visitor.user.id).await?;
        let name = || self.provider_name().map(str::to_owned);
        let is_linked =
            linked.iter().any(|it| self.provider.as_ref().is_some_and(|by| it.issuer == by.issuer()));
        Ok(Proof {
            has_password: self.store.password_hash(&visitor.user.login).await?.is_some(),
            is_fresh: visitor.is_fresh(self.now()),
            provider: is_linked.then(name).flatten(),
            linkable: name(),
        })
    }

    /// Sends a browser to the provider, with what it is on the way for.
    async fn send_away(&self, aim: Aim) -> Result<Response, Problem> {
        let provider = self.identity_provider()?;
        let departure = provider.departure(matches!(aim, Aim::Prove { .. })).await;
        let departure = departure.map_err(|error| provider.told(&error))?;
        let kept = Kept::Away {
            state: departure.state,
            nonce: departure.nonce,
            verifier: departure.verifier,
            aim,
            begun_at: self.now(),
        };
        let nonce = new_nonce();
        // A page of its own: browsers do not let a form lead to another site by a redirect, as our pages tell them not to.
        let page = LeavePage { nonce: &nonce, name: provider.name(), url: &departure.url };
        Ok(with_cookie(bare(StatusCode::OK, &page, &nonce)?, self.kept_cookie(&kept)?))
    }

    pub(super) fn kept_cookie(&self, kept: &Kept) -> Result<HeaderValue, Failure> {
        let text = serde_json::to_vec(kept).map_err(|error| Failure::Internal(error.to_string()))?;
        let sealed = self.sealing.seal(PURPOSE, &text);
        let sealed = sealed.map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(short_cookie(self, COOKIE, &sealed, WAY))
    }

    /// What a browser is on the way for, if that is not too old.
    pub(super) fn kept(&self, headers: &HeaderMap) -> Option<Kept> {
        let text = self.sealing.unseal(PURPOSE, short_cookie_text(self, headers, COOKIE)?).ok()?;
        let kept: Kept = serde_json::from_slice(&text).ok()?;
        // Another replica's clock may be a little ahead.
        let begun = kept.begun_at();
        (begun.saturating_sub(LEEWAY)..begun.saturating_add(WAY)).contains(&self.now()).then_some(kept)
    }
}

pub(super) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// An address to come back to, if a cookie has room for it.
fn next(text: Option<&str>) -> String {
    let next = local(text);
    if next.len() <= NEXT { next.to_owned() } else { local(None).to_owned() }
}

#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: Option<String>,
}

/// Sends somebody to the provider to sign in.
pub(super) async fn begin_sign_in(
    State(gate): State<Arc<Gate>>,
    sent: Unsigned<Next>,
) -> Result<Response, Problem> {
    gate.rates.count_sign_in_from(sent.address, &gate.settings())?;
    gate.send_away(Aim::SignIn { next: next(sent.form.next.as_deref()) }).await
}

#[derive(Deserialize)]
pub(super) struct Join {
    login: String,
}

/// Sends whoever was invited to the provider, to have no password here.
pub(super) async fn begin_join(
    State(gate): State<Arc<Gate>>,
    Path(secret): Path<String>,
    sent: Unsigned<Join>,
) -> Result<Response, Problem> {
    let login = sent.form.login.trim().to_owned();
    gate.rates.count_sign_in(sent.address, &login, &gate.settings())?;
    if login.len() > 400 || secret.len() > 200 {
        return Err(Failure::Bad(LINK_USED.to_owned()).into());
    }
    gate.send_away(Aim::Join { login, secret }).await
}

/// Sends somebody who proved who they are to the provider, to sign in so from now on.
pub(super) async fn begin_link(
    State(gate): State<Arc<Gate>>,
    sent: Sent<Given>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    gate.identity_provider()?;
    gate.require_proof(&visitor, &form.password, &form.code).await?;
    gate.send_away(Aim::Link { session: visitor.session.id.0 }).await
}

/// Where somebody was when they had to prove again who they are: the page before an act, or another one.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Interrupted {
    change: Option<String>,
    back: String,
    reason: String,
    next: Option<String>,
}

/// Sends somebody to the provider to prove again who they are.
pub(super) async fn begin_proof(
    State(gate): State<Arc<Gate>>,
    sent: Sent<Interrupted>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    gate.rates.count_sign_in_from(visitor.address, &gate.settings())?;
    let asked = match &form.change {
        Some(change) => {
            let whole = path(change, &form.back, &form.reason);
            // What is typed again is better than an act that is lost.
            if whole.len() <= NEXT { whole } else { path(change, &form.back, "") }
        }
        None => form.next.unwrap_or_else(|| "/console/account?done=proved".to_owned()),
    };
    gate.send_away(Aim::Prove { session: visitor.session.id.0, next: next(Some(&asked)) }).await
}

/// Unlinks an identity, and ends all other sessions: somebody else may have signed in by it.
pub(super) async fn unlink(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Given>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    gate.require_proof(&visitor, &form.password, &form.code).await?;
    let login = &visitor.user.login;
    let mut transaction = gate.store.act(Act::new(login, "identity.unlink", login, gate.now())).await?;
    let identity = transaction.unlink_identity(visitor.user.id, IdentityId(id)).await?;
    transaction.set_detail(shown(&identity.issuer, &identity.subject));
    gate.end_others(&mut transaction, &visitor).await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/account?done=unlinked").into_response())
}

/// An identity as the log has it.
pub(super) fn shown(issuer: &str, subject: &str) -> Value {
    json!({ "issuer": harmless(issuer, 300), "subject": harmless(subject, 300) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_keeps_what_it_is_on_the_way_for() {
        let aim = Aim::Prove { session: i64::MAX, next: "/".repeat(NEXT) };
        let text = "x".repeat(43);
        let kept =
            Kept::Away { state: text.clone(), nonce: text.clone(), verifier: text, aim, begun_at: i64::MAX };
        let bytes = serde_json::to_vec(&kept).unwrap();
        // Sealed, it has a nonce and a tag more, and two digits for each byte.
        assert!((bytes.len() + 28) * 2 + 100 < 4_096, "{}", bytes.len());
        assert_eq!(serde_json::from_slice::<Kept>(&bytes).unwrap(), kept);
    }

    #[test]
    fn what_is_too_long_or_elsewhere_is_the_start() {
        assert_eq!(next(Some("/console/case/7")), "/console/case/7");
        assert_eq!(next(Some("https://example.invalid/")), local(None));
        assert_eq!(next(Some(&format!("/console/{}", "x".repeat(NEXT)))), local(None));
    }
}
