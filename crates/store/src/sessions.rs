//! Sessions of people in a browser, and their second factors.
//!
//! A session is a random text in a cookie, of which only a hash is kept, like a token. Secrets of second factors come here sealed: the store
//! could not make a code if it wanted to. That a code is worth something once is decided here, by an update of which one can succeed.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::entities::{Hidden, recovery_codes, second_factors, sessions};
use crate::error::During;
use crate::people::user_row;
use crate::tokens::{SecretText, hash};
use crate::words::{clean, clean_optional, read_word, words};
use crate::{SessionId, Store, StoreError, Transaction, User, UserId};

/// How long a session lasts that is not used, in seconds: two hours, which a meeting does not end.
pub const SESSION_IDLE: i64 = 2 * 3_600;

/// How long a session lasts at most, in seconds: a working day.
pub const SESSION_LENGTH: i64 = 12 * 3_600;

/// For how long a use of a session is not written down again.
const USE_IS_NOTED_EVERY: i64 = 60;

words! {
    /// How somebody proved who they are.
    pub enum SignInMethod {
        /// By a password alone.
        Password = "password",
        /// By a password and a code.
        SecondFactor = "second-factor",
        /// By a password and a recovery code.
        RecoveryCode = "recovery-code",
        /// By what an identity provider says.
        IdentityProvider = "identity-provider",
        /// By the link that makes the first account.
        SetUp = "set-up",
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How they proved who they are.
    pub method: SignInMethod,
    /// Where it was begun.
    pub address: Option<String>,
    /// What the browser called itself.
    pub client: Option<String>,
    /// Since when it exists.
    pub created_at: i64,
    /// When it was used last, to the minute.
    pub last_used_at: i64,
    /// When they last proved who they are.
    pub proved_at: i64,
    /// When it ends whatever happens.
    pub expires_at: i64,
    /// Since when it is worth nothing.
    pub ended_at: Option<i64>,
}

/// A session to be.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Whose.
    pub user: UserId,
    /// How they proved who they are.
    pub method: SignInMethod,
    /// Where.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub client: Option<String>,
    /// When they proved who they are; `None` means now. Whoever comes from an identity provider may have done so hours ago, there.
    pub proved_at: Option<i64>,
}

/// A second factor of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Its secret, as the server sealed it.
    pub sealed: String,
    /// Since when it is asked for; `None` until a first code was right.
    pub confirmed_at: Option<i64>,
    /// The last step of time whose code was used.
    pub last_step: i64,
    /// Codes that were wrong, since one was right.
    pub wrong_codes: i64,
    /// When the last of them was.
    pub wrong_code_at: Option<i64>,
}

/// Wrong codes in a row after which nobody has to wait: whoever mistypes, or whose clock is late, tries again at once.
const WRONG_CODES_AT_ONCE: i64 = 5;

/// Wrong codes in a row from which on none counts any more, until a recovery code was right or the factor is a new one. NIST SP 800-63B-4,
/// 3.2.2, allows 100; half of it leaves room for what several replicas look at in the same moment.
pub const WRONG_CODES: i64 = 50;

/// How long the first wait is, in seconds; each is twice the one before.
const FIRST_WAIT: i64 = 30;

/// How long the longest is, in seconds.
const LONGEST_WAIT: i64 = 3_600;

impl SecondFactor {
    /// Until when no code is looked at, after too many wrong ones in a row.
    #[must_use]
    pub fn waits_until(&self) -> Option<i64> {
        let beyond = self.wrong_codes.checked_sub(WRONG_CODES_AT_ONCE).filter(|it| *it >= 0)?;
        if self.wrong_codes >= WRONG_CODES {
            return Some(i64::MAX);
        }
        let wait = Ord::min(FIRST_WAIT << Ord::min(beyond, 10), LONGEST_WAIT);
        Some(self.wrong_code_at?.saturating_add(wait))
    }

    /// Whether no code is looked at, at a moment.
    #[must_use]
    pub fn is_waiting(&self, at: i64) -> bool {
        self.waits_until().is_some_and(|it| at < it)
    }
}

impl From<second_factors::Model> for SecondFactor {
    fn from(row: second_factors::Model) -> SecondFactor {
        SecondFactor {
            sealed: row.sealed.0,
            confirmed_at: row.confirmed_at,
            last_step: row.last_step,
            wrong_codes: row.wrong_codes,
            wrong_code_at: row.wrong_code_at,
        }
    }
}

impl TryFrom<sessions::Model> for Session {
    type Error = StoreError;

    fn try_from(row: sessions::Model) -> Result<Session, StoreError> {
        Ok(Session {
            id: SessionId(row.id),
            user: UserId(row.user_id),
            method: read_word(&row.method, "method", row.id)?,
            address: row.address,
            client: row.client,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            proved_at: row.proved_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
        })
    }
}

impl Session {
    /// Whether it is worth something at this moment.
    #[must_use]
    pub fn is_open(&self, at: i64) -> bool {
        self.ended_at.is_none()
            && at < self.expires_at
            && at < self.last_used_at.saturating_add(SESSION_IDLE + USE_IS_NOTED_EVERY)
    }
}

impl Transaction {
    /// Begins a session. Its text is not kept.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the database refuses.
    pub async fn create_session(&mut self, new: &NewSession) -> Result<(Session, SecretText), StoreError> {
        let user = user_row(&self.inner, new.user).await?;
        let text = SecretText::random("")?;
        let row = sessions::ActiveModel {
            user_id: Set(user.id),
            hash: Set(hash(text.expose())),
            method: Set(new.method.as_str().to_owned()),
            address: Set(clean_optional(new.address.as_deref())),
            client: Set(clean_optional(new.client.as_deref())),
            created_at: Set(self.at),
            last_used_at: Set(self.at),
            proved_at: Set(new.proved_at.map_or(self.at, |it| Ord::min(it, self.at))),
            expires_at: Set(self.at.saturating_add(SESSION_LENGTH)),
            ended_at: Set(None),
            ..Default::default()
        };
        let row = row.insert(&self.inner).await.during("begin a session of", &user.login)?;
        Ok((row.try_into()?, text))
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// When there is no such session, or the database refuses.
    pub async fn end_session(&mut self, session: SessionId) -> Result<Session, StoreError> {
        let row = sessions::Entity::find_by_id(session.0).one(&self.inner).await;
        let row = row.during("look for the session", session)?.during("find the session", session)?;
        let mut update: sessions::ActiveModel = row.into();
        update.ended_at = Set(Some(self.at));
        update.update(&self.inner).await.during("end the session", session)?.try_into()
    }

    /// Ends all sessions of an account. Gives how many were open.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn end_sessions_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        let update = sessions::Entity::update_many()
            .col_expr(sessions::Column::EndedAt, Expr::value(Some(self.at)))
            .filter(sessions::Column::UserId.eq(user.0))
            .filter(sessions::Column::EndedAt.is_null());
        Ok(update.exec(&self.inner).await.during("end the sessions of user", user)?.rows_affected)
    }

    /// Notes that whoever has a session proved again who they are.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn note_proof(&mut self, session: SessionId) -> Result<(), StoreError> {
        let update = sessions::Entity::update_many()
            .col_expr(sessions::Column::ProvedAt, Expr::value(self.at))
            .filter(sessions::Column::Id.eq(session.0));
        update.exec(&self.inner).await.during("note a proof in the session", session)?;
        Ok(())
    }

    /// Gives an account a second factor, which counts once a first code was right; an earlier one ends. `None` ends it without another.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the database refuses.
    pub async fn set_second_factor(&mut self, user: UserId, sealed: Option<&str>) -> Result<(), StoreError> {
        let user = user_row(&self.inner, user).await?;
        let deleted = second_factors::Entity::delete_by_id(user.id).exec(&self.inner).await;
        deleted.during("end the second factor of", &user.login)?;
        let codes = recovery_codes::Entity::delete_many().filter(recovery_codes::Column::UserId.eq(user.id));
        codes.exec(&self.inner).await.during("end the recovery codes of", &user.login)?;
        let Some(sealed) = sealed else { return Ok(()) };
        let row = second_factors::ActiveModel {
            user_id: Set(user.id),
            sealed: Set(Hidden(clean(sealed))),
            created_at: Set(self.at),
            confirmed_at: Set(None),
            last_step: Set(0),
            wrong_codes: Set(0),
            wrong_code_at: Set(None),
        };
        second_factors::Entity::insert(row)
            .exec_without_returning(&self.inner)
            .await
            .during("keep the second factor of", &user.login)?;
        Ok(())
    }

    /// Uses up the code of a step of time, and those of all steps before it; the first one confirms the factor. Gives whether it was worth
    /// anything: of two who try the same at once, one succeeds, and none while the factor waits. What was wrong before is forgotten.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn use_code(&mut self, user: UserId, step: i64) -> Result<bool, StoreError> {
        use second_factors::Column::{ConfirmedAt, LastStep, UserId as Of, WrongCodeAt, WrongCodes};
        let kept = second_factors::Entity::find_by_id(user.0).one(&self.inner).await;
        let kept = kept.during("look for the second factor of user", user)?.map(SecondFactor::from);
        if kept.is_none_or(|it| it.is_waiting(self.at)) {
            return Ok(false);
        }
        let update = second_factors::Entity::update_many()
            .col_expr(LastStep, Expr::value(step))
            .col_expr(WrongCodes, Expr::value(0_i64))
            .col_expr(WrongCodeAt, Expr::value(None::<i64>))
            .col_expr(ConfirmedAt, Expr::col(ConfirmedAt).if_null(self.at))
            .filter(Of.eq(user.0))
            .filter(LastStep.lt(step));
        Ok(update.exec(&self.inner).await.during("use a code of user", user)?.rows_affected == 1)
    }

    /// Counts a wrong code of somebody whose first proof was right. One that nobody looked at, because the factor waits, does not count: nobody can
    /// keep it waiting by trying on.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn note_wrong_code(&mut self, user: UserId) -> Result<(), StoreError> {
        use second_factors::Column::{UserId as Of, WrongCodeAt, WrongCodes};
        let kept = second_factors::Entity::find_by_id(user.0).one(&self.inner).await;
        let kept = kept.during("look for the second factor of user", user)?.map(SecondFactor::from);
        if kept.is_none_or(|it| it.is_waiting(self.at)) {
            return Ok(());
        }
        let update = second_factors::Entity::update_many()
            .col_expr(WrongCodes, Expr::col(WrongCodes).add(1_i64))
            .col_expr(WrongCodeAt, Expr::value(Some(self.at)))
            .filter(Of.eq(user.0));
        update.exec(&self.inner).await.during("count a wrong code of user", user)?;
        Ok(())
    }

    /// Replaces an account's recovery codes: `count` texts, each to be shown once and used once.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn replace_recovery_codes(
        &mut self,
        user: UserId,
        count: usize,
    ) -> Result<Vec<SecretText>, StoreError> {
        let old = recovery_codes::Entity::delete_many().filter(recovery_codes::Column::UserId.eq(user.0));
        old.exec(&self.inner).await.during("end the recovery codes of user", user)?;
        let mut codes = Vec::new();
        for _ in 0..count {
            let code = SecretText::short()?;
            let row = recovery_codes::ActiveModel {
                user_id: Set(user.0),
                hash: Set(recovery_hash(user, code.expose())),
                created_at: Set(self.at),
                ..Default::default()
            };
            row.insert(&self.inner).await.during("keep a recovery code of user", user)?;
            codes.push(code);
        }
        Ok(codes)
    }

    /// Uses up a recovery code. Gives whether it was worth anything; codes of the second factor that were wrong before it are forgotten then.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn use_recovery_code(&mut self, user: UserId, text: &str) -> Result<bool, StoreError> {
        let update = recovery_codes::Entity::update_many()
            .col_expr(recovery_codes::Column::UsedAt, Expr::value(Some(self.at)))
            .filter(recovery_codes::Column::Hash.eq(recovery_hash(user, text)))
            .filter(recovery_codes::Column::UserId.eq(user.0))
            .filter(recovery_codes::Column::UsedAt.is_null());
        let used = update.exec(&self.inner).await.during("use a recovery code of user", user)?;
        if used.rows_affected != 1 {
            return Ok(false);
        }
        let update = second_factors::Entity::update_many()
            .col_expr(second_factors::Column::WrongCodes, Expr::value(0_i64))
            .col_expr(second_factors::Column::WrongCodeAt, Expr::value(None::<i64>))
            .filter(second_factors::Column::UserId.eq(user.0));
        update.exec(&self.inner).await.during("forget wrong codes of user", user)?;
        Ok(true)
    }
}

/// What is kept of a recovery code: with 80 random bits, and the account's number in it, nothing has to be stretched. Dashes and case are
/// for people.
fn recovery_hash(user: UserId, text: &str) -> Hidden {
    let digits: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    hash(&format!("recovery {user} {}", digits.to_lowercase()))
}

impl Store {
    /// Whose session this is, if it is worth anything at this moment.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn session(&self, text: &str, at: i64) -> Result<Option<(Session, User)>, StoreError> {
        let query = sessions::Entity::find().filter(sessions::Column::Hash.eq(hash(text)));
        let Some(row) = query.one(&self.read).await.during("look for", "a session")? else { return Ok(None) };
        let session = Session::try_from(row)?;
        if !session.is_open(at) {
            return Ok(None);
        }
        let user = user_row(&self.read, session.user).await?;
        if user.disabled_at.is_some() {
            return Ok(None);
        }
        Ok(Some((session, user.try_into()?)))
    }

    /// Notes that a session was used, unless it was noted within the last minute.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn note_session_use(&self, session: &Session, at: i64) -> Result<(), StoreError> {
        if at < session.last_used_at.saturating_add(USE_IS_NOTED_EVERY) {
            return Ok(());
        }
        let update = sessions::Entity::update_many()
            .col_expr(sessions::Column::LastUsedAt, Expr::value(at))
            .filter(sessions::Column::Id.eq(session.id.0))
            .filter(sessions::Column::LastUsedAt.lt(at));
        update.exec(&self.write).await.during("note a use of the session", session.id)?;
        Ok(())
    }

    /// The newest sessions of an account, those that ended among them.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn sessions_of(&self, user: UserId, limit: u64) -> Result<Vec<Session>, StoreError> {
        let query = sessions::Entity::find()
            .filter(sessions::Column::UserId.eq(user.0))
            .filter(sessions::Column::EndedAt.is_null());
        let rows = query.order_by_desc(sessions::Column::Id).limit(limit).all(&self.read).await;
        rows.during("list sessions of user", user)?.into_iter().map(Session::try_from).collect()
    }

    /// The session of this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn session_by_id(&self, id: SessionId) -> Result<Session, StoreError> {
        let row = sessions::Entity::find_by_id(id.0).one(&self.read).await;
        row.during("look for the session", id)?.during("find the session", id)?.try_into()
    }

    /// The second factor of an account, confirmed or not.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let row = second_factors::Entity::find_by_id(user.0).one(&self.read).await;
        Ok(row.during("look for the second factor of user", user)?.map(SecondFactor::from))
    }

    /// How many recovery codes an account has left.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn recovery_codes_left(&self, user: UserId) -> Result<u64, StoreError> {
        let query = recovery_codes::Entity::find()
            .filter(recovery_codes::Column::UserId.eq(user.0))
            .filter(recovery_codes::Column::UsedAt.is_null());
        query.count(&self.read).await.during("count the recovery codes of user", user)
    }
}
