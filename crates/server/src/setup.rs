//! The first start: a link that makes the first account, once, within half an hour.

use std::net::IpAddr;
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use cratekeeper_model::PublishMethod;
use cratekeeper_store::{Act, NewToken, NewUser, Role, Scope, SecretText, StoreError, StoreErrorKind, User};
use serde::Deserialize;

use crate::gate::{GATE, Gate};

/// What the secret is for.
const PURPOSE: &str = "set-up";

/// How long the link works, in seconds.
const VALID: i64 = 30 * 60;

/// Shortest password: as NIST SP 800-63B asks of those that are the only factor, and one more.
const SHORTEST: usize = 12;

/// Longest password: hashing takes as long as it is long.
const LONGEST: usize = 1_000;

/// What whoever comes too late is told.
const USED: &str = "this link was used, or is older than 30 minutes; start the gate again for another";

/// What the form asks for.
#[derive(Deserialize)]
pub(crate) struct FirstAccount {
    pub(crate) login: String,
    password: String,
}

/// The first account could not be made.
#[derive(Debug)]
pub(crate) enum SetupError {
    /// For a reason that whoever fills in the form can do something about.
    Refused(String),
    Store(StoreError),
}

impl From<StoreError> for SetupError {
    fn from(error: StoreError) -> SetupError {
        match error.kind() {
            StoreErrorKind::NotFound => SetupError::Refused(USED.to_owned()),
            StoreErrorKind::Invalid(_) | StoreErrorKind::AlreadyExists => {
                SetupError::Refused(error.to_string())
            }
            _ => SetupError::Store(error),
        }
    }
}

impl Gate {
    /// A link that makes the first account; `None` if somebody has one.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn setup_link(&self) -> Result<Option<SecretLink>, StoreError> {
        if self.store.has_users().await? {
            return Ok(None);
        }
        let mut transaction =
            self.store.act(Act::new(GATE, "setup.offer", "first account", self.now())).await?;
        let secret = transaction.create_one_time_secret(PURPOSE, VALID).await?;
        transaction.commit().await?;
        Ok(Some(SecretLink(format!("{}/setup/{}", self.configuration.url(), secret.expose()))))
    }
}

/// A link with a secret in it, to be shown on a terminal and never in a log.
pub struct SecretLink(String);

impl SecretLink {
    pub(crate) fn new(text: String) -> SecretLink {
        SecretLink(text)
    }

    /// The link.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretLink(hidden)")
    }
}

/// Makes the first account. The secret is used up in the same transaction.
pub(crate) async fn first_account(
    gate: &Arc<Gate>,
    secret: &str,
    form: &FirstAccount,
    address: Option<IpAddr>,
) -> Result<(User, SecretText), SetupError> {
    // Before anything that costs: whoever has no use for the link makes us work no more than any other request does.
    if gate.store.has_users().await? {
        return Err(SetupError::Refused(USED.to_owned()));
    }
    let Ok(_turn) = gate.hashing.acquire().await else {
        return Err(SetupError::Refused("the gate ends".to_owned()));
    };
    let hash = password_hash(&form.password).await?;
    let login = form.login.trim().to_owned();
    let act = Act::new(&login, "setup.use", "first account", gate.now());
    let detail = serde_json::json!({ "address": address });
    let mut transaction = gate.store.act(act.with_detail(detail.clone())).await?;
    if let Err(error) = transaction.use_one_time_secret(PURPOSE, secret).await {
        transaction.roll_back().await?;
        let refused = Act::new(GATE, "setup.refuse", "first account", gate.now()).with_detail(detail);
        gate.store.act(refused).await?.commit().await?;
        return Err(error.into());
    }
    // One act at a time: nobody else makes an account between this look and the end.
    if gate.store.has_users().await? {
        return Err(SetupError::Refused(USED.to_owned()));
    }
    let user = NewUser {
        login,
        name: None,
        email: None,
        password_hash: Some(hash),
        roles: vec![Role::Viewer, Role::Triager, Role::Admin, Role::Auditor],
        is_founder: true,
    };
    let user = transaction.create_user(&user).await?;
    let token = NewToken {
        user: user.id,
        name: "set-up".to_owned(),
        method: PublishMethod::Token,
        scopes: Scope::ALL.to_vec(),
        patterns: Vec::new(),
        expires_at: None,
    };
    let (_, text) = transaction.create_token(&token).await?;
    transaction.commit().await?;
    Ok((user, text))
}

/// The hash of a password, by argon2id with the parameters of its library, which follow OWASP's.
pub(crate) async fn password_hash(password: &str) -> Result<String, SetupError> {
    let length = password.chars().count();
    if length < SHORTEST || password.len() > LONGEST {
        return Err(SetupError::Refused(format!("a password has {SHORTEST} to {LONGEST} characters")));
    }
    let password = password.to_owned();
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|it| it.to_string())
    });
    match hashed.await {
        Ok(Ok(hash)) => Ok(hash),
        _ => Err(SetupError::Refused("the password cannot be hashed".to_owned())),
    }
}
