//! A way back for whoever lost every way to sign in, by whoever controls the machine.
//!
//! It works on the database alone, whether the gate runs or not, and asks nobody: whoever can read and write the gate's files could do as much by
//! hand, without a trace. This leaves one. It lets nobody in by itself either: it gives a link, like an invitation.

use cratekeeper_store::{Act, PeopleFilter, Role, Store, StoreError, Transaction, User};
use serde_json::{Value, json};

use crate::acts::reason;
use crate::console::join_purpose;
use crate::setup::SecretLink;

/// Who signs in the audit log what is done on the machine, past all accounts.
const MACHINE: &str = "(machine)";

/// How long the link works, in seconds: whoever asks for it is there.
const VALID: i64 = 30 * 60;

/// Logins of admins that are told to whoever names an account that is not there.
const ADMINS: u64 = 10;

/// What to do for an account.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// Its login.
    pub login: String,
    /// Why; the audit log keeps it.
    pub reason: String,
    /// Whether to let it in again if it was locked out.
    pub enable: bool,
    /// Whether to give it the role of an admin.
    pub admin: bool,
}

/// What was done.
#[derive(Debug)]
pub struct Recovered {
    /// The account, as it is now.
    pub user: User,
    /// Lets whoever opens it first choose how the account signs in.
    pub link: SecretLink,
    /// What changed, one sentence each.
    pub changes: Vec<String>,
}

/// An account could not be recovered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It would not be known why.
    #[error("failed to recover `{login}`: {reason}")]
    Reason {
        /// The login.
        login: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such account.
    #[error("failed to recover `{login}`: there is no such account")]
    NoAccount {
        /// The login.
        login: String,
        /// Accounts that are admins.
        admins: Vec<String>,
    },
    /// It was locked out, and nobody said that it should be let in again.
    #[error("failed to recover `{login}`: it was locked out")]
    LockedOut {
        /// The login.
        login: String,
    },
}

impl RecoveryError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            RecoveryError::Store(error) => error.hint().map(str::to_owned),
            RecoveryError::Reason { .. } => Some("say why with --reason".to_owned()),
            RecoveryError::NoAccount { admins, .. } if admins.is_empty() => {
                Some("nobody has an account yet: start the gate, and it prints a link".to_owned())
            }
            RecoveryError::NoAccount { admins, .. } => Some(format!("admins are {}", admins.join(", "))),
            RecoveryError::LockedOut { .. } => Some("--enable lets it in again".to_owned()),
        }
    }
}

/// Ends every way to sign in that an account has and all of its sessions, and gives a link that makes a new one. `url` is the gate's, `at` is now.
///
/// # Errors
///
/// When there is no such account, it was locked out and is not to be let in again, no reason is given, or the database refuses.
pub async fn recover(
    store: &Store,
    url: &str,
    recovery: &Recovery,
    at: i64,
) -> Result<Recovered, RecoveryError> {
    let login = recovery.login.clone();
    let why = reason(&recovery.reason)
        .map_err(|failure| RecoveryError::Reason { login: login.clone(), reason: failure.told() })?;
    let Some(user) = store.user(&login).await? else {
        let filter = PeopleFilter { role: Some(Role::Admin), ..PeopleFilter::default() };
        let admins = store.people(&filter, None, ADMINS).await?;
        let admins = admins.into_iter().map(|it| it.user.login).collect();
        return Err(RecoveryError::NoAccount { login, admins });
    };
    if user.disabled_at.is_some() && !recovery.enable {
        return Err(RecoveryError::LockedOut { login });
    }
    let had_password = store.password_hash(&user.login).await?.is_some();
    let had_factor = store.second_factor(user.id).await?.is_some();
    let tokens = store.tokens(user.id).await?.into_iter().filter(|it| it.revoked_at.is_none()).count();
    let mut transaction = store.act(Act::new(MACHINE, "user.recover", &user.login, at)).await?;
    let mut changes = Vec::new();
    let mut change = |text: String| changes.push(text);
    if user.disabled_at.is_some() {
        transaction.set_disabled(user.id, false).await?;
        change("it was locked out, and may sign in again".to_owned());
    }
    if recovery.admin && !user.roles.contains(&Role::Admin) {
        let mut roles = user.roles.clone();
        roles.push(Role::Admin);
        transaction.set_roles(user.id, &roles).await?;
        change("it is an admin now; for a day it cannot agree as a second person".to_owned());
    }
    // Whoever is at the machine has its keys: for a day it agrees to nothing, founder or not.
    transaction.note_keys(user.id, MACHINE).await?;
    transaction.set_password_hash(user.id, None).await?;
    transaction.set_second_factor(user.id, None).await?;
    if had_password {
        change("its password is gone".to_owned());
    }
    if had_factor {
        change("its second factor is gone, with its recovery codes".to_owned());
    }
    let identities = transaction.unlink_identities_of(user.id).await?;
    if identities > 0 {
        change(format!("identities that were unlinked: {identities}"));
    }
    let sessions = transaction.end_sessions_of(user.id).await?;
    change(format!("sessions that ended: {sessions}"));
    if tokens > 0 {
        change(format!("tokens that are still valid, and are ended at its page under People: {tokens}"));
    }
    let link = link(&mut transaction, url, &user.login).await?;
    transaction.set_detail(detail(&why, &changes));
    transaction.commit().await?;
    let user = store.user(&user.login).await?;
    let user = user.ok_or_else(|| RecoveryError::NoAccount { login, admins: Vec::new() })?;
    Ok(Recovered { user, link, changes })
}

/// What the audit log keeps, with the account of the operating system that did it.
fn detail(why: &str, changes: &[String]) -> Value {
    #[cfg(unix)]
    let by = json!(rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    let by = Value::Null;
    json!({ "reason": why, "changes": changes, "uid": by })
}

async fn link(transaction: &mut Transaction, url: &str, login: &str) -> Result<SecretLink, StoreError> {
    transaction.end_one_time_secrets(&join_purpose(login)).await?;
    let secret = transaction.create_one_time_secret(&join_purpose(login), VALID).await?;
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("login", login).finish();
    Ok(SecretLink::new(format!("{url}/console/join/{}?{query}", secret.expose())))
}
