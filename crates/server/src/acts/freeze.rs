//! Freezing an account: at once by one person, confirmed by a second; and ended by two.

use std::sync::Arc;

use cratekeeper_store::{Act, Freeze, FreezeId, Transaction, User};
use serde_json::json;

use super::perform::{line, of_account};
use super::{Change, Effect, TRIAGE, may, reason};
use crate::error::Failure;
use crate::gate::Gate;

impl Gate {
    /// Accepts nothing of an account, or accepts it again.
    pub(super) async fn freeze(
        self: &Arc<Gate>,
        transaction: &mut Transaction,
        login: &str,
        frozen: bool,
        why: &str,
    ) -> Result<Effect, Failure> {
        let user = self.account(login).await?;
        // Which freeze ends: whoever agreed to end one did not agree to end a later one.
        let before = self.store.freeze_of(user.id).await?;
        let before = before.map(|it| format!("nothing is accepted (freeze {}: {})", it.id, it.reason));
        let freeze = transaction.set_frozen(&user.login, frozen, why).await?;
        let what = format!("what {} publishes, withdraws, or shares with other owners", user.login);
        let after = if frozen { "nothing is accepted" } else { "accepted" };
        let lines = vec![line(what, before.unwrap_or_else(|| "accepted".to_owned()), after)];
        let loosens = (!frozen).then(|| "it lets an account publish again".to_owned());
        Ok(of_account(&user.login, lines, json!({ "freeze": freeze.id, "user": user.login }), loosens))
    }

    /// Confirms a freeze as a second person.
    ///
    /// # Errors
    ///
    /// When `user` may not, or there is nothing to confirm.
    pub(crate) async fn confirm_freeze(
        &self,
        user: &User,
        id: FreezeId,
        why: &str,
    ) -> Result<Freeze, Failure> {
        may(user, &TRIAGE)?;
        let why = &reason(why)?;
        let act = Act::new(&user.login, "freeze.confirm", id.to_string(), self.now())
            .with_detail(json!({ "reason": why }));
        let mut transaction = self.store.act(act).await?;
        let freeze = transaction.confirm_freeze(id).await?;
        transaction.set_object(&freeze.login);
        transaction.set_detail(json!({ "freeze": id, "reason": why }));
        transaction.commit().await?;
        Ok(freeze)
    }
}

/// Refuses whoever would end the freeze of their own account, or agree to it: the account is frozen because it may be in other hands.
pub(super) fn refuse_own(user: &User, change: &Change) -> Result<(), Failure> {
    match change {
        Change::Freeze { login, frozen: false } if login.to_lowercase() == user.login.to_lowercase() => {
            Err(Failure::Forbidden("nobody ends the freeze of their own account".to_owned()))
        }
        _ => Ok(()),
    }
}
