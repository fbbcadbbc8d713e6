//! Who looks at a page, and whether a form that was sent is ours.
//!
//! A session is a cookie that scripts cannot read. A form is believed when it carries the text that belongs to its session, and its browser does
//! not say that another site sent it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use cratekeeper_model::Checksum;
use cratekeeper_store::{Role, Session, StoreError, User};
use serde::de::DeserializeOwned;

use super::layout;
use crate::callers::{Caller, RequestKind, small};
use crate::error::Failure;
use crate::gate::Gate;

/// Largest form: a policy of the largest size, and some more.
const FORM: usize = 2 << 20;

/// For how long a proof of who somebody is counts for acts that are grave, in seconds.
const FRESH: i64 = 10 * 60;

/// Name of the cookie. With the prefix, browsers take it from this host and over TLS only (RFC 6265bis, section 4.1.3).
const COOKIE: &str = "cratekeeper-session";
const SECURE_COOKIE: &str = "__Host-cratekeeper-session";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) user: User,
    pub(crate) session: Session,
    /// What forms of this session carry.
    pub(crate) form_token: String,
    pub(crate) address: Option<IpAddr>,
    /// Whether their browser says that another site led them here.
    pub(crate) is_led: bool,
}

/// A page that cannot be shown, or an act that cannot be done.
#[derive(Debug)]
pub(crate) enum Problem {
    /// Nobody is signed in; where they wanted to go.
    SignIn(String),
    Failed(Failure),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        Problem::Failed(failure)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        Problem::Failed(error.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Problem::SignIn(next) => {
                let query =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair("next", &next).finish();
                Redirect::to(&format!("/console/sign-in?{query}")).into_response()
            }
            Problem::Failed(failure) => layout::problem(&failure),
        }
    }
}

impl Visitor {
    /// Whether they have one of some roles.
    pub(crate) fn has(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.user.is(*role))
    }

    /// Refuses whoever has none of some roles.
    pub(crate) fn with_role(&self, roles: &[Role]) -> Result<(), Problem> {
        if self.has(roles) {
            return Ok(());
        }
        let names: Vec<&str> = roles.iter().map(|it| it.as_str()).collect();
        Err(Failure::Forbidden(format!("this needs one of the roles {}", names.join(", "))).into())
    }

    /// Whether they proved who they are a short while ago.
    pub(crate) fn is_fresh(&self, at: i64) -> bool {
        at < self.session.proved_at.saturating_add(FRESH)
    }
}

fn cookie_name(gate: &Gate) -> &'static str {
    if gate.configuration.url().starts_with("https://") { SECURE_COOKIE } else { COOKIE }
}

/// The header that begins a session in a browser, or ends it there with an empty text.
pub(crate) fn cookie(gate: &Gate, text: &str) -> HeaderValue {
    let name = cookie_name(gate);
    let secure = if name == SECURE_COOKIE { "; Secure" } else { "" };
    let age = if text.is_empty() { "; Max-Age=0" } else { "" };
    // `Lax`, so that the link in a refusal leads to a page and not to a form; nothing is changed by following one.
    let value = format!("{name}={text}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}

fn session_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(its, _)| *its == name).map(|(_, value)| value)
}

/// A cookie of a few minutes, that only this host gets back: its header. An empty text ends it.
pub(super) fn short_cookie(gate: &Gate, name: &str, text: &str, seconds: i64) -> HeaderValue {
    let value = short(cookie_name(gate) == SECURE_COOKIE, name, text, seconds);
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}

fn short(is_secure: bool, name: &str, text: &str, seconds: i64) -> String {
    let (prefix, secure) = if is_secure { ("__Host-", "; Secure") } else { ("", "") };
    let seconds = if text.is_empty() { 0 } else { seconds };
    // `Lax`, because whoever comes back is sent by another site.
    format!("{prefix}{name}={text}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// What such a cookie says.
pub(super) fn short_cookie_text<'a>(gate: &Gate, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let prefix = if cookie_name(gate) == SECURE_COOKIE { "__Host-" } else { "" };
    session_text(headers, &format!("{prefix}{name}")).filter(|it| !it.is_empty())
}

/// Whose browser this is, if somebody is signed in.
pub(super) async fn signed_in(
    gate: &Gate,
    headers: &HeaderMap,
) -> Result<Option<(Session, User)>, StoreError> {
    match session_text(headers, cookie_name(gate)) {
        Some(text) => gate.store.session(text, gate.now()).await,
        None => Ok(None),
    }
}

/// What forms of a session carry: only who has the session's text can know it.
fn form_token(session: &str) -> String {
    Checksum::of(format!("cratekeeper form {session}").as_bytes()).to_string()
}

/// Whether a browser says that another site, or a page of another origin, sent this. One that says nothing is no browser, or an old one: forms
/// carry a text of their own.
pub(crate) fn is_from_elsewhere(headers: &HeaderMap, gate: &Gate) -> bool {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return false };
    // The address that the browser asked is as good as the one that is set up: a page of another origin can choose neither.
    let host = text("host").unwrap_or_default();
    let is_host = origin.split_once("://").is_some_and(|(_, its)| !host.is_empty() && its == host);
    !is_host && origin != gate.configuration.url()
}

async fn visitor(parts: &Parts, gate: &Gate, kind: RequestKind) -> Result<Visitor, Problem> {
    let caller = Caller::of(parts, gate, kind).await?;
    // Routers below others see what is left of a path.
    let wanted = format!("/console{}", parts.uri.path_and_query().map_or("/", |it| it.as_str()));
    let sign_in = || Problem::SignIn(wanted.clone());
    let text = session_text(&parts.headers, cookie_name(gate)).ok_or_else(sign_in)?;
    let (session, user) = gate.store.session(text, gate.now()).await?.ok_or_else(sign_in)?;
    gate.store.note_session_use(&session, gate.now()).await?;
    gate.rates.count_user(user.id, kind, &gate.settings())?;
    if user.roles.is_empty()
        && !wanted.starts_with("/console/account")
        && !wanted.starts_with("/console/sign-out")
    {
        return Err(Failure::Forbidden(
            "the console is for those who have a role; an administrator gives roles".to_owned(),
        )
        .into());
    }
    let is_led = is_from_elsewhere(&parts.headers, gate);
    Ok(Visitor { user, session, form_token: form_token(text), address: caller.address, is_led })
}

impl FromRequestParts<Arc<Gate>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gate: &Arc<Gate>) -> Result<Visitor, Problem> {
        visitor(parts, gate, RequestKind::Read).await
    }
}

/// A form that somebody who is signed in sent from one of our pages.
pub(crate) struct Sent<T> {
    pub(crate) visitor: Visitor,
    pub(crate) form: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<Gate>> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, gate: &Arc<Gate>) -> Result<Sent<T>, Problem> {
        let (parts, body) = request.into_parts();
        if is_from_elsewhere(&parts.headers, gate) {
            return Err(Failure::Forbidden("this form was sent by another site".to_owned()).into());
        }
        let visitor = match visitor(&parts, gate, RequestKind::Write).await {
            // There is nothing to come back to: what was typed is gone.
            Err(Problem::SignIn(_)) => return Err(Problem::SignIn("/console/queue".to_owned())),
            result => result?,
        };
        let bytes = small(body, FORM).await?;
        let sent = url::form_urlencoded::parse(&bytes).find(|(name, _)| name == "form_token");
        // Hashes of both are compared: how long that takes tells nothing about either.
        let is_ours = sent.is_some_and(|(_, text)| {
            Checksum::of(text.as_bytes()) == Checksum::of(visitor.form_token.as_bytes())
        });
        if !is_ours {
            let reason = "this form does not belong to your session: load its page again".to_owned();
            return Err(Failure::Forbidden(reason).into());
        }
        let form = form(&parts, bytes.into(), gate).await?;
        Ok(Sent { visitor, form })
    }
}

/// What a form says.
async fn form<T: DeserializeOwned>(
    parts: &Parts,
    body: axum::body::Body,
    gate: &Arc<Gate>,
) -> Result<T, Failure> {
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.headers_mut() = parts.headers.clone();
    match Form::<T>::from_request(request, gate).await {
        Ok(Form(form)) => Ok(form),
        Err(error) => {
            let text = crate::refusal::harmless(&error.to_string(), 300);
            Err(Failure::Bad(format!("the form is not what this page sends: {text}")))
        }
    }
}

/// A form of somebody who is not signed in.
pub(crate) struct Unsigned<T> {
    pub(crate) address: Option<IpAddr>,
    pub(crate) client: Option<String>,
    pub(crate) form: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<Gate>> for Unsigned<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, gate: &Arc<Gate>) -> Result<Unsigned<T>, Problem> {
        let (parts, body) = request.into_parts();
        if is_from_elsewhere(&parts.headers, gate) {
            return Err(Failure::Forbidden("this form was sent by another site".to_owned()).into());
        }
        let Caller { address, client, .. } = Caller::of(&parts, gate, RequestKind::Write).await?;
        let bytes = small(body, 64 << 10).await?;
        Ok(Unsigned { address, client, form: form(&parts, bytes.into(), gate).await? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; cratekeeper-session=text; c=d".parse().unwrap());
        assert_eq!(session_text(&headers, COOKIE), Some("text"));
        assert_eq!(session_text(&headers, SECURE_COOKIE), None);
    }

    #[test]
    fn cookies_of_a_few_minutes_are_this_hosts_alone() {
        let secure = "__Host-x=text; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure";
        assert_eq!(short(true, "x", "text", 600), secure);
        assert_eq!(short(false, "x", "", 600), "x=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }

    #[test]
    fn the_text_of_forms_tells_nothing_about_the_session() {
        assert_ne!(form_token("a"), form_token("b"));
        assert!(!form_token("secret").contains("secret"));
    }
}
