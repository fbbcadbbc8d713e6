//! One's own account: password, second factor, recovery codes, sessions and tokens.
//!
//! Everything that makes signing in easier or weaker asks for the password again.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_model::PublishMethod;
use cratekeeper_store::{Act, Identity, NewToken, Scope, Session, SessionId, Token, TokenId, Transaction};
use qrcode::QrCode;
use qrcode::render::svg;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Deserialize;
use serde_json::json;

use super::layout::{Frame, filters, page, plain};
use super::provider::Proof as Provable;
use super::sign_in::purpose;
use super::visitor::{Problem, Sent, Visitor};
use crate::error::Failure;
use crate::gate::Gate;
use crate::setup::{SetupError, password_hash};

/// Recovery codes that an account gets: enough for a lost phone and a few mistakes.
const CODES: usize = 8;

/// Sessions that are shown.
const SESSIONS: u64 = 20;

/// Days until a token is worth nothing, at most: a year.
const TOKEN_DAYS: i64 = 366;

#[derive(Template)]
#[template(path = "console/account.html")]
struct AccountPage<'a> {
    frame: Frame,
    roles: String,
    has_factor: bool,
    /// The address that counts, and the one that waits to be confirmed.
    address: Option<String>,
    wanted: Option<String>,
    can_mail: bool,
    codes_left: u64,
    sessions: Vec<(Session, bool)>,
    tokens: Vec<Token>,
    identities: Vec<Identity>,
    proof: Provable,
    /// Shown once.
    secret: Option<&'a str>,
    codes: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: Option<String>,
}

/// What may be told by the address of a page: nothing that whoever made a link chose.
fn notice(word: Option<&str>) -> Option<String> {
    let text = match word? {
        "password" => "Your password was changed; your other sessions ended.",
        "factor" => "Your second factor is on.",
        "factor-ended" => "Your second factor is off.",
        "session" => "The session ended.",
        "token" => "The token was revoked.",
        "address-wanted" => "A link was mailed to your address. It counts once you have followed it.",
        "address" => "Your address is confirmed.",
        "address-removed" => "You have no address any more: you are told nothing by mail.",
        "linked" => "You can sign in by it from now on.",
        "unlinked" => "Nobody signs in by it any more; your other sessions ended.",
        "proved" => "You proved who you are. It counts for ten minutes.",
        _ => return None,
    };
    Some(text.to_owned())
}

/// One's own account.
pub(super) async fn account(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    show(&gate, &visitor, notice(told.done.as_deref()), None, Vec::new()).await
}

async fn show(
    gate: &Gate,
    visitor: &Visitor,
    notice: Option<String>,
    secret: Option<&str>,
    codes: Vec<String>,
) -> Result<Response, Problem> {
    let mut frame = gate.frame(visitor, "/console/account", "Your account").await?;
    frame.notice = notice;
    let user = &visitor.user;
    let factor = gate.store.second_factor(user.id).await?;
    let at = gate.now();
    let sessions = gate.store.sessions_of(user.id, SESSIONS).await?;
    let sessions = sessions.into_iter().filter(|it| it.is_open(at));
    let words: Vec<&str> = user.roles.iter().map(|it| it.as_str()).collect();
    let page_data = AccountPage {
        roles: if words.is_empty() { "none".to_owned() } else { words.join(", ") },
        address: user.confirmed_address().map(str::to_owned),
        wanted: user.email_wanted.clone(),
        can_mail: gate.mailer.is_some(),
        has_factor: factor.is_some_and(|it| it.confirmed_at.is_some()),
        codes_left: gate.store.recovery_codes_left(user.id).await?,
        sessions: sessions.map(|it| (it.id == visitor.session.id, it)).map(|(own, it)| (it, own)).collect(),
        tokens: gate.store.tokens(user.id).await?.into_iter().filter(|it| it.revoked_at.is_none()).collect(),
        identities: gate.store.identities_of(user.id).await?,
        proof: gate.proof(visitor).await?,
        secret,
        codes,
        frame,
    };
    page(&page_data.frame, &page_data)
}

impl Gate {
    /// Refuses whoever does not know the account's password, or has no code where one is needed. An account without a password proves who it is
    /// at its identity provider, and by its code, before.
    pub(super) async fn require_proof(
        &self,
        visitor: &Visitor,
        password: &str,
        code: &str,
    ) -> Result<(), Problem> {
        if self.store.password_hash(&visitor.user.login).await?.is_none() {
            if visitor.is_fresh(self.now()) {
                return Ok(());
            }
            let reason = "prove who you are at the identity provider first: your account's page has a button";
            return Err(Failure::Forbidden(reason.to_owned()).into());
        }
        match self.prove(&visitor.user.login, password, code, visitor.address).await? {
            Ok(_) => Ok(()),
            Err(unproven) => {
                self.note_refusal(&visitor.user.login, &unproven, visitor.address).await?;
                let told = "password or code is wrong; after several wrong codes in a row, none is looked at for a while";
                Err(Failure::Forbidden(told.to_owned()).into())
            }
        }
    }
}

fn refused(error: SetupError) -> Problem {
    match error {
        SetupError::Refused(reason) => Failure::Bad(reason).into(),
        SetupError::Store(error) => error.into(),
    }
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    new_password: String,
}

/// Changes one's password, and ends all other sessions.
pub(super) async fn change_password(
    State(gate): State<Arc<Gate>>,
    sent: Sent<NewPassword>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    gate.require_proof(&visitor, &form.password, &form.code).await?;
    let hash = password_hash(&form.new_password).await.map_err(refused)?;
    let login = &visitor.user.login;
    let mut transaction = gate.store.act(Act::new(login, "user.password", login, gate.now())).await?;
    transaction.set_password_hash(visitor.user.id, Some(&hash)).await?;
    gate.end_others(&mut transaction, &visitor).await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/account?done=password").into_response())
}

impl Gate {
    /// Ends all sessions of somebody but the one they use.
    pub(super) async fn end_others(
        &self,
        transaction: &mut Transaction,
        visitor: &Visitor,
    ) -> Result<(), Problem> {
        for session in self.store.sessions_of(visitor.user.id, 1_000).await? {
            if session.id != visitor.session.id && session.ended_at.is_none() {
                transaction.end_session(session.id).await?;
            }
        }
        Ok(())
    }
}

#[derive(Template)]
#[template(path = "console/second_factor.html")]
struct FactorPage<'a> {
    frame: Frame,
    /// The picture, as SVG of our own.
    picture: String,
    text: String,
    sealed: &'a str,
    problem: Option<&'a str>,
    is_replaced: bool,
    has_password: bool,
}

/// A new secret for a second factor. It counts for nothing until its first code was right.
pub(super) async fn factor_form(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let mut secret = [0_u8; 20];
    let random = SystemRandom::new().fill(&mut secret);
    random.map_err(|_| Failure::Internal("the operating system gave no random numbers".to_owned()))?;
    let sealed = gate.sealing.seal(&purpose(&visitor.user), &secret);
    let sealed = sealed.map_err(|error| Failure::Internal(error.to_string()))?;
    factor_page(&gate, &visitor, &sealed, None).await
}

async fn factor_page(
    gate: &Gate,
    visitor: &Visitor,
    sealed: &str,
    problem: Option<&str>,
) -> Result<Response, Problem> {
    let totp = gate.totp(&visitor.user, sealed)?;
    let address = totp.to_url().map_err(|error| Failure::Internal(error.to_string()))?;
    let code = QrCode::new(address.as_bytes()).map_err(|error| Failure::Internal(error.to_string()))?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // The file's first line is for files.
    let picture = picture.find("<svg").map_or_else(String::new, |start| picture[start..].to_owned());
    let text = url::Url::parse(&address).ok().and_then(|url| {
        url.query_pairs().find(|(name, _)| name == "secret").map(|(_, value)| value.into_owned())
    });
    let factor = gate.store.second_factor(visitor.user.id).await?;
    let page_data = FactorPage {
        frame: gate.frame(visitor, "/console/account", "Second factor").await?,
        picture,
        text: text.unwrap_or_default(),
        sealed,
        problem,
        is_replaced: factor.is_some_and(|it| it.confirmed_at.is_some()),
        has_password: gate.proof(visitor).await?.has_password,
    };
    page(&page_data.frame, &page_data)
}

#[derive(Deserialize)]
pub(super) struct ConfirmFactor {
    sealed: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    old_code: String,
    code: String,
}

/// Turns a second factor on, once its first code was right, and shows recovery codes.
pub(super) async fn confirm_factor(
    State(gate): State<Arc<Gate>>,
    sent: Sent<ConfirmFactor>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    let user = &visitor.user;
    let totp = gate.totp(user, &form.sealed).map_err(|_| Failure::Bad("load the page again".to_owned()))?;
    gate.require_proof(&visitor, &form.password, &form.old_code).await?;
    let Some(step) = totp.check(form.code.trim(), gate.now().unsigned_abs()) else {
        return factor_page(&gate, &visitor, &form.sealed, Some("That is not the code of this moment."))
            .await;
    };
    let mut transaction =
        gate.store.act(Act::new(&user.login, "second-factor.set", &user.login, gate.now())).await?;
    transaction.set_second_factor(user.id, Some(&form.sealed)).await?;
    transaction.use_code(user.id, i64::try_from(step).unwrap_or(i64::MAX)).await?;
    let codes = transaction.replace_recovery_codes(user.id, CODES).await?;
    transaction.commit().await?;
    let codes = codes.iter().map(|it| it.expose().to_owned()).collect();
    show(&gate, &visitor, notice(Some("factor")), None, codes).await
}

#[derive(Deserialize)]
pub(super) struct Proof {
    #[serde(default)]
    pub(super) password: String,
    #[serde(default)]
    pub(super) code: String,
}

/// Turns one's second factor off.
pub(super) async fn end_factor(
    State(gate): State<Arc<Gate>>,
    sent: Sent<Proof>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    gate.require_proof(&visitor, &form.password, &form.code).await?;
    let login = &visitor.user.login;
    let mut transaction = gate.store.act(Act::new(login, "second-factor.end", login, gate.now())).await?;
    transaction.set_second_factor(visitor.user.id, None).await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/account?done=factor-ended").into_response())
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Ends one of one's sessions.
pub(super) async fn end_session(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Nothing>,
) -> Result<Response, Problem> {
    let user = &sent.visitor.user;
    let session = gate.store.session_by_id(SessionId(id)).await?;
    if session.user != user.id {
        return Err(Failure::NotFound("there is no such session of yours".to_owned()).into());
    }
    gate.end(user, session.id).await?;
    Ok(Redirect::to("/console/account?done=session").into_response())
}

#[derive(Deserialize)]
pub(super) struct OwnToken {
    name: String,
    #[serde(default)]
    crates: String,
    days: i64,
    #[serde(default)]
    administer: Option<String>,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

/// Makes a token for oneself; it is shown once.
pub(super) async fn create_token(
    State(gate): State<Arc<Gate>>,
    sent: Sent<OwnToken>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    gate.require_proof(&visitor, &form.password, &form.code).await?;
    let user = &visitor.user;
    if form.name.trim().is_empty() || !(1..=TOKEN_DAYS).contains(&form.days) {
        let reason = format!("a token has a name, and is valid for 1 to {TOKEN_DAYS} days");
        return Err(Failure::Bad(reason).into());
    }
    let wants_all = form.administer.is_some();
    let scopes: Vec<Scope> =
        Scope::ALL.iter().copied().filter(|it| wants_all || *it != Scope::Administer).collect();
    let crates: Vec<String> =
        form.crates.split([',', ' ']).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let new = NewToken {
        user: user.id,
        name: plain(form.name.trim()),
        method: PublishMethod::Token,
        scopes: scopes.clone(),
        patterns: crates.clone(),
        expires_at: Some(gate.now().saturating_add(form.days * 86_400)),
    };
    let detail = json!({ "name": new.name, "scopes": scopes, "crates": crates, "days": form.days });
    let act = Act::new(&user.login, "token.create", &user.login, gate.now()).with_detail(detail);
    let mut transaction = gate.store.act(act).await?;
    let (_, text) = transaction.create_token(&new).await?;
    transaction.commit().await?;
    let told = Some("This token is shown once: copy it now.".to_owned());
    show(&gate, &visitor, told, Some(text.expose()), Vec::new()).await
}

/// Ends one of one's tokens.
pub(super) async fn revoke_token(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Nothing>,
) -> Result<Response, Problem> {
    let user = &sent.visitor.user;
    if gate.store.tokens(user.id).await?.iter().all(|it| it.id.0 != id) {
        return Err(Failure::NotFound("there is no such token of yours".to_owned()).into());
    }
    let act = Act::new(&user.login, "token.revoke", id.to_string(), gate.now());
    let mut transaction = gate.store.act(act).await?;
    transaction.revoke_token(TokenId(id)).await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/account?done=token").into_response())
}
