//! Signing in by password and second factor, joining by a link, signing out.
//!
//! Whoever fails is told that they failed and nothing else, after the same work: whether there is such an account, whether it has a password and
//! whether it has a second factor is nobody's business.

use std::net::IpAddr;
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_store::{Act, NewSession, SecondFactor, SessionId, SignInMethod, StoreErrorKind, User};
use serde::Deserialize;
use serde_json::json;
use totp_rs::{Builder, Totp};

use super::layout::{bare, new_nonce};
use super::visitor::{Problem, Sent, Unsigned, cookie};
use crate::error::Failure;
use crate::gate::{GATE, Gate};
use crate::setup::{SetupError, password_hash};

/// Where people go who wanted nothing in particular.
const START: &str = "/console/queue";

/// What whoever fails is told.
pub(super) const WRONG: &str = "That did not work: login, password or code is wrong. After several wrong codes in a row, codes are not looked at for a while, and right ones are refused, too.";

/// A hash of no password, so that a login that nobody has takes as long as one that somebody has.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignInPage<'a> {
    nonce: &'a str,
    next: &'a str,
    problem: Option<&'a str>,
    /// What the identity provider is called.
    provider: Option<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    login: String,
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: Option<String>,
}

/// A page of ours to go to; the start where somebody names another place.
pub(super) fn local(next: Option<&str>) -> &str {
    let is_ours =
        |it: &&str| it.starts_with("/console/") && !it.contains(['\\', '\r', '\n']) && !it.contains("//");
    next.filter(is_ours).unwrap_or(START)
}

/// The form.
pub(super) async fn form(
    State(gate): State<Arc<Gate>>,
    Query(asked): Query<Next>,
) -> Result<Response, Problem> {
    let nonce = new_nonce();
    let (next, provider) = (local(asked.next.as_deref()), gate.provider_name());
    let page = SignInPage { nonce: &nonce, next, problem: None, provider };
    bare(StatusCode::OK, &page, &nonce)
}

/// Who proved who they are, and how.
pub(super) struct Proven {
    pub(super) user: User,
    pub(super) method: SignInMethod,
}

/// Somebody who did not. They are not told what was wrong.
pub(super) struct Unproven {
    /// Whose password was right, and code wrong. Only these are counted by account: whoever does not know the password keeps nobody out.
    pub(super) wrong_code_of: Option<User>,
}

impl Gate {
    /// Whether somebody is who they say. Whoever is told that they are not writes it down with [`Gate::note_refusal`].
    ///
    /// # Errors
    ///
    /// When there were too many tries, or the database refuses.
    pub(super) async fn prove(
        &self,
        login: &str,
        password: &str,
        code: &str,
        address: Option<IpAddr>,
    ) -> Result<Result<Proven, Unproven>, Failure> {
        self.rates.count_sign_in(address, login, &self.settings())?;
        let kept = self.store.password_hash(login).await?;
        let has_password = kept.is_some();
        let Ok(_turn) = self.hashing.acquire().await else {
            return Err(Failure::Unavailable("the gate ends".to_owned()));
        };
        let (hash, password) = (kept.unwrap_or_else(|| NOBODY.to_owned()), password.to_owned());
        let is_right = tokio::task::spawn_blocking(move || {
            let hash = PasswordHash::new(&hash);
            hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        let is_right = is_right.await.unwrap_or(false) && has_password;
        let user = self.store.user(login).await?.filter(|it| it.disabled_at.is_none() && is_right);
        let Some(user) = user else { return Ok(Err(Unproven { wrong_code_of: None })) };
        let method = match self.store.second_factor(user.id).await?.filter(|it| it.confirmed_at.is_some()) {
            None => Some(SignInMethod::Password),
            Some(factor) => self.second(&user, &factor, code).await?,
        };
        // Whoever leaves the field empty has guessed nothing.
        let wrong_code_of = || (!code.trim().is_empty()).then(|| user.clone());
        Ok(match method {
            None => Err(Unproven { wrong_code_of: wrong_code_of() }),
            Some(method) => Ok(Proven { user, method }),
        })
    }

    /// Writes down, in one transaction, that somebody was not let in and, where it was the code, counts it: how long that takes says nothing about the
    /// password.
    pub(super) async fn note_refusal(
        &self,
        login: &str,
        unproven: &Unproven,
        address: Option<IpAddr>,
    ) -> Result<(), Failure> {
        // Of names that nobody has nothing is kept: they can be passwords that were typed into the wrong field.
        let known = self.store.user(login).await?.map(|it| it.login);
        let object = known.as_deref().unwrap_or("nobody");
        let mut detail = json!({ "address": address });
        if unproven.wrong_code_of.is_some() {
            detail["because"] = json!("the code");
        }
        let act = Act::new(GATE, "session.refuse", object, self.now()).with_detail(detail);
        let mut transaction = self.store.act(act).await?;
        if let Some(user) = &unproven.wrong_code_of {
            transaction.note_wrong_code(user.id).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Uses up a code or a recovery code.
    pub(super) async fn second(
        &self,
        user: &User,
        factor: &SecondFactor,
        code: &str,
    ) -> Result<Option<SignInMethod>, Failure> {
        let code = code.trim();
        let act = |action: &str| Act::new(&user.login, action, &user.login, self.now());
        // Recovery codes cannot be guessed, and are the way back for whoever others keep waiting.
        let step = self.totp(user, &factor.sealed)?.check(code, self.now().unsigned_abs());
        if let Some(step) = step.filter(|_| !factor.is_waiting(self.now())) {
            let mut transaction = self.store.act(act("second-factor.use")).await?;
            let is_new = transaction.use_code(user.id, i64::try_from(step).unwrap_or(i64::MAX)).await?;
            if is_new {
                transaction.commit().await?;
                return Ok(Some(SignInMethod::SecondFactor));
            }
            transaction.roll_back().await?;
            return Ok(None);
        }
        if code.len() < 20 {
            return Ok(None);
        }
        let mut transaction = self.store.act(act("recovery-code.use")).await?;
        if transaction.use_recovery_code(user.id, code).await? {
            transaction.commit().await?;
            return Ok(Some(SignInMethod::RecoveryCode));
        }
        transaction.roll_back().await?;
        Ok(None)
    }

    /// What makes the codes of an account.
    pub(super) fn totp(&self, user: &User, sealed: &str) -> Result<Totp, Failure> {
        let secret = self.sealing.unseal(&purpose(user), sealed);
        let secret = secret.map_err(|error| Failure::Internal(error.to_string()))?;
        // SHA-1, six digits, 30 seconds, one step of grace: what every app for codes can do (RFC 6238).
        Builder::new()
            .with_secret(secret)
            .with_issuer(Some("Cratekeeper"))
            .with_account_name(user.login.as_str())
            .build()
            .map_err(|error| Failure::Internal(format!("a second factor cannot be used: {error}")))
    }

    /// Begins a session. Gives its text, for the cookie.
    pub(crate) async fn begin_session(
        &self,
        user: &User,
        method: SignInMethod,
        address: Option<IpAddr>,
        client: Option<String>,
    ) -> Result<String, Failure> {
        let detail = json!({ "address": address, "client": client, "method": method });
        let act = Act::new(&user.login, "session.begin", &user.login, self.now()).with_detail(detail);
        let mut transaction = self.store.act(act).await?;
        let address = address.map(|it| it.to_string());
        let new = NewSession { user: user.id, method, address, client, proved_at: None };
        let (_, text) = transaction.create_session(&new).await?;
        transaction.commit().await?;
        Ok(text.expose().to_owned())
    }
}

/// What the secret of an account's second factor is sealed for.
pub(super) fn purpose(user: &User) -> String {
    format!("second factor of {}", user.id)
}

/// Signs somebody in.
pub(super) async fn sign_in(
    State(gate): State<Arc<Gate>>,
    sent: Unsigned<SignIn>,
) -> Result<Response, Problem> {
    let Unsigned { address, client, form } = sent;
    let next = local(form.next.as_deref());
    let login = form.login.trim();
    match gate.prove(login, &form.password, &form.code, address).await? {
        Ok(Proven { user, method }) => {
            let text = gate.begin_session(&user, method, address, client).await?;
            let next = if user.roles.is_empty() { "/console/account" } else { next };
            Ok(([(header::SET_COOKIE, cookie(&gate, &text))], Redirect::to(next)).into_response())
        }
        Err(unproven) => {
            gate.note_refusal(login, &unproven, address).await?;
            let nonce = new_nonce();
            let provider = gate.provider_name();
            let page = SignInPage { nonce: &nonce, next, problem: Some(WRONG), provider };
            bare(StatusCode::UNAUTHORIZED, &page, &nonce)
        }
    }
}

/// A form without anything to fill in.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Ends the session.
pub(super) async fn sign_out(
    State(gate): State<Arc<Gate>>,
    sent: Sent<Nothing>,
) -> Result<Response, Problem> {
    gate.end(&sent.visitor.user, sent.visitor.session.id).await?;
    Ok(([(header::SET_COOKIE, cookie(&gate, ""))], Redirect::to("/console/sign-in")).into_response())
}

impl Gate {
    /// Ends a session.
    pub(super) async fn end(&self, user: &User, session: SessionId) -> Result<(), Failure> {
        let act = Act::new(&user.login, "session.end", session.to_string(), self.now());
        let mut transaction = self.store.act(act).await?;
        transaction.end_session(session).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// What whoever follows a link too late is told, or with another account's login.
pub(super) const LINK_USED: &str = "this link was used, is too old, or is for another account";

/// What the secret of a link is for that lets somebody choose a password.
pub(crate) fn join_purpose(login: &str) -> String {
    format!("join {}", login.to_lowercase())
}

#[derive(Template)]
#[template(path = "console/join.html")]
struct JoinPage<'a> {
    nonce: &'a str,
    secret: &'a str,
    login: &'a str,
    problem: Option<&'a str>,
    /// What the identity provider is called.
    provider: Option<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct JoinAsked {
    #[serde(default)]
    login: String,
}

#[derive(Deserialize)]
pub(super) struct Join {
    login: String,
    password: String,
}

/// The form in which whoever was invited chooses a password. Looking at it uses nothing up.
pub(super) async fn join_form(
    State(gate): State<Arc<Gate>>,
    Path(secret): Path<String>,
    Query(asked): Query<JoinAsked>,
) -> Result<Response, Problem> {
    let nonce = new_nonce();
    let (secret, login) =
        (crate::refusal::harmless(&secret, 200), crate::refusal::harmless(&asked.login, 80));
    let provider = gate.provider_name();
    let page = JoinPage { nonce: &nonce, secret: &secret, login: &login, problem: None, provider };
    bare(StatusCode::OK, &page, &nonce)
}

/// Sets the password of whoever was invited, and signs them in.
pub(super) async fn join(
    State(gate): State<Arc<Gate>>,
    Path(secret): Path<String>,
    sent: Unsigned<Join>,
) -> Result<Response, Problem> {
    let Unsigned { address, client, form } = sent;
    gate.rates.count_sign_in(address, &form.login, &gate.settings())?;
    let login = form.login.trim();
    match gate.set_first_password(login, &secret, &form.password).await {
        Ok(user) => {
            let text = gate.begin_session(&user, SignInMethod::SetUp, address, client).await?;
            let next = "/console/account/second-factor";
            Ok(([(header::SET_COOKIE, cookie(&gate, &text))], Redirect::to(next)).into_response())
        }
        Err(SetupError::Refused(problem)) => {
            let nonce = new_nonce();
            let secret = crate::refusal::harmless(&secret, 200);
            let provider = gate.provider_name();
            let page = JoinPage { nonce: &nonce, secret: &secret, login, problem: Some(&problem), provider };
            bare(StatusCode::BAD_REQUEST, &page, &nonce)
        }
        Err(SetupError::Store(error)) => Err(error.into()),
    }
}

impl Gate {
    async fn set_first_password(
        &self,
        login: &str,
        secret: &str,
        password: &str,
    ) -> Result<User, SetupError> {
        let refused = || SetupError::Refused(LINK_USED.to_owned());
        let hash = {
            let turn = self.hashing.acquire().await;
            let _turn = turn.map_err(|_| SetupError::Refused("the gate ends".to_owned()))?;
            password_hash(password).await?
        };
        let user = self.store.user(login).await?.filter(|it| it.disabled_at.is_none()).ok_or_else(refused)?;
        let mut transaction =
            self.store.act(Act::new(&user.login, "user.join", &user.login, self.now())).await?;
        match transaction.use_one_time_secret(&join_purpose(&user.login), secret).await {
            Err(error) if *error.kind() == StoreErrorKind::NotFound => {
                transaction.roll_back().await?;
                return Err(refused());
            }
            result => result?,
        }
        transaction.set_password_hash(user.id, Some(&hash)).await?;
        transaction.end_sessions_of(user.id).await?;
        transaction.commit().await?;
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::stories::Story;

    #[test]
    fn nobody_is_led_elsewhere() {
        for odd in [
            "https://example.invalid/",
            "//example.invalid",
            "/console//example.invalid",
            "/\\x",
            "/admin",
            "",
        ] {
            assert_eq!(local(Some(odd)), START, "{odd}");
        }
        assert_eq!(local(Some("/console/case/7?x=1")), "/console/case/7?x=1");
    }

    #[test]
    fn the_hash_of_nobody_is_worked_through() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert!(Argon2::default().verify_password(b"", &hash).is_err());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn only_whoever_knows_the_password_uses_up_tries_of_codes() {
        const RIGHT: &str = "a password that is right";
        let story = Story::open().await;
        let gate = &story.gate;
        let user = gate.store.user("alice").await.unwrap().unwrap();
        let sealed = gate.sealing.seal(&purpose(&user), &[7; 20]).unwrap();
        let hash = password_hash(RIGHT).await.unwrap();
        let mut transaction = gate.store.act(Act::new("alice", "test", "alice", gate.now())).await.unwrap();
        transaction.set_password_hash(user.id, Some(&hash)).await.unwrap();
        transaction.set_second_factor(user.id, Some(&sealed)).await.unwrap();
        transaction.use_code(user.id, 1).await.unwrap();
        transaction.commit().await.unwrap();
        let try_with =
            async |password: &str, code: &str| match gate.prove("alice", password, code, None).await {
                Ok(Ok(_)) => true,
                Ok(Err(unproven)) => {
                    gate.note_refusal("alice", &unproven, None).await.unwrap();
                    false
                }
                Err(failure) => panic!("{}", failure.told()),
            };
        let counted = async || gate.store.second_factor(user.id).await.unwrap().unwrap().wrong_codes;
        assert!(!try_with("a guess", "000000").await && !try_with("another guess", "000001").await);
        assert!(!try_with(RIGHT, "").await, "whoever leaves it empty guesses nothing");
        assert_eq!(counted().await, 0, "strangers keep nobody out");
        for _ in 0..5 {
            assert!(!try_with(RIGHT, "not it").await);
        }
        assert_eq!(counted().await, 5);
        let totp = gate.totp(&user, &sealed).unwrap();
        let code = totp.generate(gate.now().unsigned_abs()).to_string();
        assert!(!try_with(RIGHT, &code).await, "it is not looked at");
        assert_eq!(counted().await, 5);
    }
}
