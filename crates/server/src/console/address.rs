//! The address at which somebody is told things: given with a fresh proof of who they are, confirmed by a link that is mailed to it.
//!
//! An address is no identity: nobody signs in by it, and no password is mailed to it. The link counts only for whoever is signed in as the account that
//! asked for it, so that neither a stranger who gets the mail nor a program that looks at every link confirms anything.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_store::{Act, NewMail, StoreErrorKind, Transaction, User};
use serde::Deserialize;

use super::layout::{Frame, page};
use super::visitor::{Problem, Sent, Visitor};
use crate::error::Failure;
use crate::gate::Gate;
use crate::letters::{Letter, change_of_address, confirmation};
use crate::mail::{SEALED, address};

/// How long a link that was mailed works, in seconds: three days, a weekend.
const CONFIRMED_WITHIN: i64 = 3 * 86_400;

/// Links that are mailed for one account within a day: whoever mistypes an address tries again, and a stranger is not pestered.
const LINKS_A_DAY: u64 = 5;

/// What mails with a link are for.
const CONFIRM: &str = "confirm-address";

/// What the link of an account and an address is for: another address makes the links of the one before worthless.
fn purpose(user: &User, address: &str) -> String {
    format!("address of {}: {address}", user.id)
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    address: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

/// Notes which address somebody wants, and mails a link to it.
pub(super) async fn want(State(gate): State<Arc<Gate>>, sent: Sent<Wanted>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    gate.require_proof(&visitor, &form.password, &form.code).await?;
    gate.require_mail()?;
    let wanted = address(&form.address)
        .ok_or_else(|| Failure::Bad("this is no address like alice@example.com".to_owned()))?;
    let user = &visitor.user;
    if gate.store.mails_made(user.id, CONFIRM, gate.now() - 86_400).await? >= LINKS_A_DAY {
        let reason =
            format!("{LINKS_A_DAY} links were mailed for this account within a day: try again tomorrow");
        return Err(Failure::Conflict(reason).into());
    }
    let mut transaction = gate.store.act(act(user, "address.want", &gate)).await?;
    transaction.want_address(user.id, Some(&wanted)).await?;
    let secret = transaction.create_one_time_secret(&purpose(user, &wanted), CONFIRMED_WITHIN).await?;
    let link = format!("{}/console/account/address/{}", gate.url(), secret.expose());
    let letter = confirmation(&user.login, &link, &gate.url());
    // A copy of the database must not hold a link that works.
    let sealed = gate.sealing.seal(SEALED, letter.body.as_bytes());
    let body = sealed.map_err(|error| Failure::Internal(error.to_string()))?;
    let new = NewMail {
        user: user.id,
        address: wanted.clone(),
        kind: CONFIRM.to_owned(),
        subject: letter.subject,
        body,
        sealed: true,
    };
    transaction.mail(&new).await?;
    if user.confirmed_address().is_some_and(|it| it != wanted) {
        warn(&gate, &mut transaction, user).await?;
    }
    transaction.commit().await?;
    Ok(Redirect::to("/console/account?done=address-wanted").into_response())
}

#[derive(Deserialize)]
pub(super) struct Proof {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

/// Takes somebody's address away.
pub(super) async fn remove(State(gate): State<Arc<Gate>>, sent: Sent<Proof>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    gate.require_proof(&visitor, &form.password, &form.code).await?;
    let user = &visitor.user;
    let mut transaction = gate.store.act(act(user, "address.remove", &gate)).await?;
    transaction.want_address(user.id, None).await?;
    if user.confirmed_address().is_some() && gate.mailer.is_some() {
        warn(&gate, &mut transaction, user).await?;
    }
    transaction.commit().await?;
    Ok(Redirect::to("/console/account?done=address-removed").into_response())
}

/// Addresses stay out of the audit log, which nobody can take anything out of.
fn act(user: &User, action: &str, gate: &Gate) -> Act {
    Act::new(&user.login, action, &user.login, gate.now())
}

/// Tells the address that counted until now: whoever has a session and a password may not be whose account it is.
async fn warn(gate: &Gate, transaction: &mut Transaction, user: &User) -> Result<(), Problem> {
    let Some(address) = user.confirmed_address() else { return Ok(()) };
    let Letter { subject, body } = change_of_address(&user.login, &gate.url());
    let (address, kind) = (address.to_owned(), "address-changes".to_owned());
    transaction.mail(&NewMail { user: user.id, address, kind, subject, body, sealed: false }).await?;
    Ok(())
}

#[derive(Template)]
#[template(path = "console/address.html")]
struct AddressPage<'a> {
    frame: Frame,
    secret: &'a str,
    wanted: Option<&'a str>,
}

/// What a link that was mailed leads to. Looking at it uses nothing up: programs that look into mails open links.
pub(super) async fn form(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(secret): Path<String>,
) -> Result<Response, Problem> {
    let secret = crate::refusal::harmless(&secret, 200);
    let page_data = AddressPage {
        frame: gate.frame(&visitor, "/console/account", "Confirm your address").await?,
        secret: &secret,
        wanted: visitor.user.email_wanted.as_deref(),
    };
    page(&page_data.frame, &page_data)
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Has the address count to which the link was mailed.
pub(super) async fn confirm(
    State(gate): State<Arc<Gate>>,
    Path(secret): Path<String>,
    sent: Sent<Nothing>,
) -> Result<Response, Problem> {
    let user = &sent.visitor.user;
    let used =
        || Failure::Bad("this link was used, is too old, or is for another account or address".to_owned());
    let wanted = user.email_wanted.as_deref().ok_or_else(used)?;
    let mut transaction = gate.store.act(act(user, "address.confirm", &gate)).await?;
    let confirmed = match transaction.use_one_time_secret(&purpose(user, wanted), &secret).await {
        Ok(()) => transaction.confirm_address(user.id, wanted).await.map(|_| ()),
        Err(error) => Err(error),
    };
    match confirmed {
        Err(error) if *error.kind() == StoreErrorKind::NotFound => {
            transaction.roll_back().await?;
            return Err(used().into());
        }
        result => result?,
    }
    transaction.commit().await?;
    Ok(Redirect::to("/console/account?done=address").into_response())
}
