//! Frozen accounts: nothing that they publish, withdraw or share with others is accepted until two people let them again.
//!
//! Tokens and sessions stay as they are: a freeze stops what an account does to crates while people find out whose hands it is in, and revoking is
//! another act. Whoever changes something in the name of an account asks [`Transaction::refuse_frozen`] in the same transaction.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::entities::freezes;
use crate::error::During;
use crate::people::user_by_login;
use crate::words::{clean, fold};
use crate::{FreezeId, Store, StoreError, StoreErrorKind, Transaction, UserId};

/// A freeze of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Its number.
    pub id: FreezeId,
    /// The account.
    pub user: UserId,
    /// Its login.
    pub login: String,
    /// Why; whoever is refused reads it.
    pub reason: String,
    /// Who froze it.
    pub actor: String,
    /// Since when.
    pub at: i64,
    /// The second person who confirmed it, and when.
    pub confirmed: Option<(String, i64)>,
}

impl From<freezes::Model> for Freeze {
    fn from(row: freezes::Model) -> Freeze {
        Freeze {
            id: FreezeId(row.id),
            user: UserId(row.user_id),
            login: row.login,
            reason: row.reason,
            actor: row.actor,
            at: row.at,
            confirmed: row.confirmed_by.zip(row.confirmed_at),
        }
    }
}

impl Freeze {
    /// What whoever acts for the account is told.
    #[must_use]
    pub fn refusal(&self) -> String {
        format!("`{}` is frozen, and nothing of that account is accepted: {}", self.login, self.reason)
    }
}

impl Transaction {
    /// Freezes an account, or ends its freeze. Gives the freeze.
    ///
    /// # Errors
    ///
    /// When there is no such account, it is frozen (or not) already, or the database refuses.
    pub async fn set_frozen(
        &mut self,
        login: &str,
        frozen: bool,
        reason: &str,
    ) -> Result<Freeze, StoreError> {
        let user = user_by_login(&self.inner, login).await?.during("find the user", login)?;
        let found = frozen_row(&self.inner, UserId(user.id)).await?;
        let by = clean(self.actor().unwrap_or_default());
        match (found, frozen) {
            (None, true) => {
                let row = freezes::ActiveModel {
                    user_id: Set(user.id),
                    login: Set(user.login),
                    reason: Set(clean(reason)),
                    actor: Set(by),
                    at: Set(self.at),
                    ..Default::default()
                };
                Ok(row.insert(&self.inner).await.during("freeze the account", login)?.into())
            }
            (Some(row), false) => {
                let mut update: freezes::ActiveModel = row.into();
                update.ended_at = Set(Some(self.at));
                update.ended_by = Set(Some(by));
                Ok(update.update(&self.inner).await.during("end the freeze of", login)?.into())
            }
            (Some(_), true) => {
                Err(StoreError::new("freeze the account", login, StoreErrorKind::AlreadyExists))
            }
            (None, false) => Err(StoreError::new("end the freeze of", login, StoreErrorKind::NotFound)),
        }
    }

    /// Confirms a freeze; whoever froze the account cannot.
    ///
    /// # Errors
    ///
    /// When there is no such freeze, it ended or was confirmed before, whoever acts made it, or the database refuses.
    pub async fn confirm_freeze(&mut self, id: FreezeId) -> Result<Freeze, StoreError> {
        let row =
            freezes::Entity::find_by_id(id.0).one(&self.inner).await.during("look for the freeze", id)?;
        let row = row.filter(|it| it.ended_at.is_none()).during("find the freeze", id)?;
        let by = self.actor().unwrap_or_default().to_owned();
        let refused = |reason: &str| {
            Err(StoreError::new("confirm the freeze", id, StoreErrorKind::Refused(reason.to_owned())))
        };
        if row.confirmed_at.is_some() {
            return refused("it was confirmed before");
        }
        if fold(&row.actor) == fold(&by) {
            return refused("whoever froze an account cannot confirm it");
        }
        crate::requests::refuse_unfit(self, (&row.actor, &by), "confirm the freeze").await?;
        let mut update: freezes::ActiveModel = row.into();
        update.confirmed_by = Set(Some(clean(&by)));
        update.confirmed_at = Set(Some(self.at));
        Ok(update.update(&self.inner).await.during("confirm the freeze", id)?.into())
    }

    /// Refuses what is done in the name of an account that is frozen.
    ///
    /// # Errors
    ///
    /// `Frozen` when it is; else when the database refuses.
    pub async fn refuse_frozen(&self, login: &str) -> Result<(), StoreError> {
        let Some(user) = user_by_login(&self.inner, login).await? else { return Ok(()) };
        match frozen_row(&self.inner, UserId(user.id)).await? {
            None => Ok(()),
            Some(row) => {
                let told = Freeze::from(row).refusal();
                Err(StoreError::new("accept something of", login, StoreErrorKind::Frozen(told)))
            }
        }
    }
}

async fn frozen_row<C: ConnectionTrait>(
    connection: &C,
    user: UserId,
) -> Result<Option<freezes::Model>, StoreError> {
    let query = freezes::Entity::find()
        .filter(freezes::Column::UserId.eq(user.0))
        .filter(freezes::Column::EndedAt.is_null());
    query.one(connection).await.during("look for the freeze of user", user)
}

impl Store {
    /// The freeze of an account, if it is frozen.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn freeze_of(&self, user: UserId) -> Result<Option<Freeze>, StoreError> {
        Ok(frozen_row(&self.read, user).await?.map(Freeze::from))
    }

    /// Freezes that hold, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn freezes(&self, limit: u64) -> Result<Vec<Freeze>, StoreError> {
        let query = freezes::Entity::find().filter(freezes::Column::EndedAt.is_null());
        let rows = query.order_by_desc(freezes::Column::Id).limit(limit).all(&self.read).await;
        Ok(rows.during("list", "freezes")?.into_iter().map(Freeze::from).collect())
    }

    /// Freezes that hold and wait for a second person to confirm them, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn unconfirmed_freezes(&self, limit: u64) -> Result<Vec<Freeze>, StoreError> {
        let query = unconfirmed().order_by_desc(freezes::Column::Id).limit(limit);
        Ok(query.all(&self.read).await.during("list", "freezes")?.into_iter().map(Freeze::from).collect())
    }

    /// How many freezes wait for a second person to confirm them.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn freezes_unconfirmed(&self) -> Result<u64, StoreError> {
        unconfirmed().count(&self.read).await.during("count", "freezes")
    }
}

fn unconfirmed() -> sea_orm::Select<freezes::Entity> {
    freezes::Entity::find()
        .filter(freezes::Column::ConfirmedAt.is_null())
        .filter(freezes::Column::EndedAt.is_null())
}
