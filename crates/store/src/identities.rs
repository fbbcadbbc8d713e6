//! Who accounts are at an identity provider.
//!
//! An identity is what the provider calls itself and what it calls the person, compared byte by byte. Nothing else that a provider says, least of
//! all an address of mail, leads to an account: providers let people change it, and some do not check it.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set};
use serde::{Deserialize, Serialize};

use crate::entities::{identities, used_returns};
use crate::error::During;
use crate::people::user_row;
use crate::tokens::hash;
use crate::{IdentityId, Store, StoreError, StoreErrorKind, Transaction, User, UserId};

/// Longest name of somebody at a provider, in bytes (OpenID Connect Core 1.0, section 2, `sub`).
pub const SUBJECT_BYTES: usize = 255;

/// Identities that one account has at most: a few providers over the years.
const IDENTITIES: u64 = 20;

/// Who an account is at an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub id: IdentityId,
    /// Whose it is.
    pub user: UserId,
    /// What the provider calls itself: a URL.
    pub issuer: String,
    /// What it calls the person. It never gives the same name to another one.
    pub subject: String,
    /// Since when it is linked.
    pub created_at: i64,
    /// When somebody signed in by it last.
    pub last_used_at: Option<i64>,
}

impl From<identities::Model> for Identity {
    fn from(row: identities::Model) -> Identity {
        Identity {
            id: IdentityId(row.id),
            user: UserId(row.user_id),
            issuer: row.issuer,
            subject: row.subject,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// Refuses names that could not be told from others: what is kept is exactly what the provider said.
fn check_subject(subject: &str) -> Result<(), StoreError> {
    let is_plain = |it: char| it.is_ascii_graphic() || it == ' ';
    if (1..=SUBJECT_BYTES).contains(&subject.len()) && subject.chars().all(is_plain) {
        return Ok(());
    }
    let reason = format!("what a provider calls somebody is ASCII text of 1 to {SUBJECT_BYTES} characters");
    Err(StoreError::new("link", "an identity", StoreErrorKind::Invalid(reason)))
}

impl Transaction {
    /// Links an identity to an account: whoever the provider says it is signs in as the account.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when it is linked already, to this account or to another one; when the name cannot be one, the account has too many, or
    /// the database refuses.
    pub async fn link_identity(
        &mut self,
        user: UserId,
        issuer: &str,
        subject: &str,
    ) -> Result<Identity, StoreError> {
        check_subject(subject)?;
        let user = user_row(&self.inner, user).await?;
        let own = identities::Entity::find().filter(identities::Column::UserId.eq(user.id));
        if own.count(&self.inner).await.during("count the identities of", &user.login)? >= IDENTITIES {
            let reason = format!("an account has {IDENTITIES} identities at most");
            return Err(StoreError::new("link", "an identity", StoreErrorKind::Refused(reason)));
        }
        let row = identities::ActiveModel {
            user_id: Set(user.id),
            issuer: Set(issuer.to_owned()),
            subject: Set(subject.to_owned()),
            created_at: Set(self.at),
            last_used_at: Set(None),
            ..Default::default()
        };
        Ok(row.insert(&self.inner).await.during("link an identity to", &user.login)?.into())
    }

    /// Unlinks one identity of an account. Its last way to sign in stays.
    ///
    /// # Errors
    ///
    /// When the account has no such identity, could not sign in any more, or the database refuses.
    pub async fn unlink_identity(
        &mut self,
        user: UserId,
        identity: IdentityId,
    ) -> Result<Identity, StoreError> {
        let user = user_row(&self.inner, user).await?;
        let own = || identities::Entity::find().filter(identities::Column::UserId.eq(user.id));
        let row = own().filter(identities::Column::Id.eq(identity.0)).one(&self.inner).await;
        let row = row.during("look for the identity", identity)?.during("find the identity", identity)?;
        let count = own().count(&self.inner).await.during("count the identities of", &user.login)?;
        if user.password_hash.is_none() && count <= 1 {
            let reason = "the account could not sign in any more: it has no password".to_owned();
            return Err(StoreError::new("unlink the identity", identity, StoreErrorKind::Refused(reason)));
        }
        let deleted = identities::Entity::delete_by_id(identity.0).exec(&self.inner).await;
        deleted.during("unlink the identity", identity)?;
        Ok(row.into())
    }

    /// Unlinks all identities of an account. Gives how many there were.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn unlink_identities_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        let all = identities::Entity::delete_many().filter(identities::Column::UserId.eq(user.0));
        Ok(all.exec(&self.inner).await.during("unlink the identities of user", user)?.rows_affected)
    }

    /// Notes that somebody signed in by an identity.
    ///
    /// # Errors
    ///
    /// When it is not linked any more, or the database refuses.
    pub async fn note_identity_use(&mut self, identity: IdentityId) -> Result<(), StoreError> {
        let update = identities::Entity::update_many()
            .col_expr(identities::Column::LastUsedAt, Expr::value(Some(self.at)))
            .filter(identities::Column::Id.eq(identity.0));
        let noted = update.exec(&self.inner).await.during("note a use of the identity", identity)?;
        (noted.rows_affected == 1).then_some(()).during("find the identity", identity)
    }
}

impl Store {
    /// The account that an identity is linked to, disabled or not.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<(Identity, User)>, StoreError> {
        // What can be no name is nobody's: PostgreSQL would refuse some of it with an error of its own.
        if check_subject(subject).is_err() {
            return Ok(None);
        }
        let query = identities::Entity::find()
            .filter(identities::Column::Issuer.eq(issuer))
            .filter(identities::Column::Subject.eq(subject));
        let Some(row) = query.one(&self.read).await.during("look for", "an identity")? else {
            return Ok(None);
        };
        let user = user_row(&self.read, UserId(row.user_id)).await?;
        Ok(Some((row.into(), user.try_into()?)))
    }

    /// The identities of an account, oldest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn identities_of(&self, user: UserId) -> Result<Vec<Identity>, StoreError> {
        let query = identities::Entity::find().filter(identities::Column::UserId.eq(user.0));
        let rows = query.order_by_asc(identities::Column::Id).all(&self.read).await;
        Ok(rows.during("list the identities of user", user)?.into_iter().map(Identity::from).collect())
    }

    /// Uses up a way back from a provider that is worth nothing from `expires_at` on. Gives whether it was worth anything: of two who try the
    /// same at once, one succeeds.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn use_return(&self, text: &str, at: i64, expires_at: i64) -> Result<bool, StoreError> {
        if expires_at <= at {
            return Ok(false);
        }
        let old = used_returns::Entity::delete_many().filter(used_returns::Column::ExpiresAt.lte(at));
        old.exec(&self.write).await.during("forget", "ways back that are too old")?;
        let row = used_returns::ActiveModel { hash: Set(hash(text).0), expires_at: Set(expires_at) };
        let insert = used_returns::Entity::insert(row)
            .on_conflict(OnConflict::column(used_returns::Column::Hash).do_nothing().to_owned())
            .exec_without_returning(&self.write)
            .await;
        Ok(insert.during("use up", "a way back")? == 1)
    }
}
