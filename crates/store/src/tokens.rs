//! Tokens and one-time secrets: random texts of which only a hash is kept.
//!
//! A token has 256 random bits, so that SHA-256 without salt or stretching is enough, and looking it up by
//! its hash tells nothing by its time. The text is shown once, when it is made.

use std::fmt;

use cratekeeper_model::{Checksum, PublishMethod};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, Set};
use serde::{Deserialize, Serialize};

use crate::entities::{Hidden, one_time_secrets, tokens};
use crate::error::During;
use crate::people::user_row;
use crate::words::{canonical_name, clean, method_word, read_json, read_word, words, write_json};
use crate::{Store, StoreError, StoreErrorKind, TokenId, Transaction, User, UserId};

/// What tokens begin with, so that people and secret scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "cratekeeper-";

/// For how long a use of a token is not written down again: a build uses one hundreds of times a minute.
const USE_IS_NOTED_EVERY: i64 = 60;

words! {
    /// What a token may be used for.
    pub enum Scope {
        /// To publish the first version of a crate.
        PublishNew = "publish-new",
        /// To publish further versions.
        PublishUpdate = "publish-update",
        /// To withdraw versions and put them back.
        Yank = "yank",
        /// To invite and remove owners.
        ChangeOwners = "change-owners",
        /// To read the index and download.
        Read = "read",
        /// To administer the gate, as far as the roles of its owner go.
        Administer = "administer",
    }
}

/// A secret text, to be shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// 256 random bits.
    pub(crate) fn random(prefix: &str) -> Result<SecretText, StoreError> {
        Ok(SecretText(format!("{prefix}{}", digits(&random_bytes::<32>()?))))
    }

    /// 80 random bits in four groups, to be copied from paper.
    pub(crate) fn short() -> Result<SecretText, StoreError> {
        let digits = digits(&random_bytes::<10>()?);
        let groups: Vec<&str> = [0..5, 5..10, 10..15, 15..20].into_iter().map(|it| &digits[it]).collect();
        Ok(SecretText(groups.join("-")))
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(hidden)")
    }
}

fn random_bytes<const COUNT: usize>() -> Result<[u8; COUNT], StoreError> {
    let mut bytes = [0_u8; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| {
        let reason = format!("the operating system gave no random numbers: {error}");
        StoreError::new("make", "a secret", StoreErrorKind::Refused(reason))
    })?;
    Ok(bytes)
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is kept of a secret.
pub(crate) fn hash(text: &str) -> Hidden {
    Hidden(Checksum::of(text.as_bytes()).to_string())
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its number.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What it is called.
    pub name: String,
    /// How whoever uses it proved who they are when it was made.
    pub method: PublishMethod,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// For which crates: names, or beginnings of names with `*` behind; all when empty.
    pub patterns: Vec<String>,
    /// Since when it exists.
    pub created_at: i64,
    /// Who made it.
    pub created_by: String,
    /// From when on it is worth nothing.
    pub expires_at: Option<i64>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<i64>,
    /// Since when it is worth nothing.
    pub revoked_at: Option<i64>,
}

impl Token {
    /// Whether it may be used for this, with this crate.
    #[must_use]
    pub fn allows(&self, scope: Scope, krate: &str) -> bool {
        self.has(scope) && (self.patterns.is_empty() || self.patterns.iter().any(|it| fits(it, krate)))
    }

    /// Whether it may be used for this with some crate.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// Whether a crate's name fits a pattern.
fn fits(pattern: &str, krate: &str) -> bool {
    let (pattern, krate) = (canonical_name(pattern), canonical_name(krate));
    match pattern.strip_suffix('*') {
        Some(beginning) => krate.starts_with(beginning),
        None => krate == pattern,
    }
}

/// A token to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Whose.
    pub user: UserId,
    /// What it is called.
    pub name: String,
    /// How whoever uses it proved who they are.
    pub method: PublishMethod,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// For which crates; all when empty.
    pub patterns: Vec<String>,
    /// From when on it is worth nothing.
    pub expires_at: Option<i64>,
}

impl TryFrom<tokens::Model> for Token {
    type Error = StoreError;

    fn try_from(row: tokens::Model) -> Result<Token, StoreError> {
        let scopes: Result<Vec<Scope>, StoreError> =
            row.scopes.split_whitespace().map(|word| read_word(word, "scopes", row.id)).collect();
        Ok(Token {
            id: TokenId(row.id),
            user: UserId(row.user_id),
            method: read_word(&row.method, "method", row.id)?,
            scopes: scopes?,
            patterns: read_json(&row.patterns, "patterns", row.id)?,
            name: row.name,
            created_at: row.created_at,
            created_by: row.created_by,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
    }
}

impl Transaction {
    /// Makes a token. Its text is not kept.
    ///
    /// # Errors
    ///
    /// When there is no such user, the pattern cannot be one, or the database refuses.
    pub async fn create_token(&mut self, token: &NewToken) -> Result<(Token, SecretText), StoreError> {
        if let Some(odd) =
            token.patterns.iter().find(|it| it.trim_end_matches('*').contains('*') || it.is_empty())
        {
            let reason =
                format!("`{odd}` is no pattern: it is a name, or the beginning of one with `*` behind");
            return Err(StoreError::new("make the token", &token.name, StoreErrorKind::Invalid(reason)));
        }
        let user = user_row(&self.inner, token.user).await?;
        let text = SecretText::random(TOKEN_PREFIX)?;
        let mut scopes = token.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        let row = tokens::ActiveModel {
            user_id: Set(user.id),
            name: Set(clean(&token.name)),
            hash: Set(hash(text.expose())),
            method: Set(method_word(token.method).to_owned()),
            scopes: Set(scopes.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ")),
            patterns: Set(write_json(&token.patterns, "patterns")?),
            created_at: Set(self.at),
            created_by: Set(clean(self.actor().unwrap_or(&user.login))),
            expires_at: Set(token.expires_at),
            ..Default::default()
        };
        let row = row.insert(&self.inner).await.during("make the token", &token.name)?;
        Ok((row.try_into()?, text))
    }

    /// Ends a token for good.
    ///
    /// # Errors
    ///
    /// When there is no such token, or the database refuses.
    pub async fn revoke_token(&mut self, token: TokenId) -> Result<Token, StoreError> {
        let row =
            tokens::Entity::find_by_id(token.0).one(&self.inner).await.during("look for the token", token)?;
        let row = row.during("find the token", token)?;
        if row.revoked_at.is_some() {
            return row.try_into();
        }
        let mut update: tokens::ActiveModel = row.into();
        update.revoked_at = Set(Some(self.at));
        update.update(&self.inner).await.during("revoke the token", token)?.try_into()
    }

    /// Makes a secret that can be used once, for this purpose, within this many seconds.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn create_one_time_secret(
        &mut self,
        purpose: &str,
        seconds: i64,
    ) -> Result<SecretText, StoreError> {
        let text = SecretText::random("")?;
        let row = one_time_secrets::ActiveModel {
            purpose: Set(clean(purpose)),
            hash: Set(hash(text.expose())),
            created_at: Set(self.at),
            expires_at: Set(self.at.saturating_add(seconds)),
            ..Default::default()
        };
        row.insert(&self.inner).await.during("make a secret for", purpose)?;
        Ok(text)
    }

    /// Ends all secrets for a purpose that were not used.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn end_one_time_secrets(&mut self, purpose: &str) -> Result<(), StoreError> {
        let update = one_time_secrets::Entity::update_many()
            .col_expr(one_time_secrets::Column::UsedAt, Expr::value(Some(self.at)))
            .filter(one_time_secrets::Column::Purpose.eq(clean(purpose)))
            .filter(one_time_secrets::Column::UsedAt.is_null());
        update.exec(&self.inner).await.during("end the secrets for", purpose)?;
        Ok(())
    }

    /// Uses up a secret. Of two who try at once, one succeeds.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such secret for this purpose, it was used before, or it is too old. Which
    /// of them, it does not say.
    pub async fn use_one_time_secret(&mut self, purpose: &str, text: &str) -> Result<(), StoreError> {
        let update = one_time_secrets::Entity::update_many()
            .col_expr(one_time_secrets::Column::UsedAt, Expr::value(Some(self.at)))
            .filter(one_time_secrets::Column::Hash.eq(hash(text)))
            .filter(one_time_secrets::Column::Purpose.eq(clean(purpose)))
            .filter(one_time_secrets::Column::UsedAt.is_null())
            .filter(one_time_secrets::Column::ExpiresAt.gt(self.at));
        let used = update.exec(&self.inner).await.during("use a secret for", purpose)?;
        (used.rows_affected == 1).then_some(()).during("use a secret for", purpose)
    }
}

impl Store {
    /// Whose token this is, if it is worth anything at this moment.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn authenticate(&self, text: &str, at: i64) -> Result<Option<(Token, User)>, StoreError> {
        let query = tokens::Entity::find().filter(tokens::Column::Hash.eq(hash(text)));
        let Some(row) = query.one(&self.read).await.during("look for", "a token")? else { return Ok(None) };
        if row.revoked_at.is_some() || row.expires_at.is_some_and(|it| it <= at) {
            return Ok(None);
        }
        let user = user_row(&self.read, UserId(row.user_id)).await?;
        if user.disabled_at.is_some() {
            return Ok(None);
        }
        Ok(Some((row.try_into()?, user.try_into()?)))
    }

    /// Notes that a token was used, unless it was noted within the last minute.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn note_token_use(&self, token: &Token, at: i64) -> Result<(), StoreError> {
        if token.last_used_at.is_some_and(|it| at < it.saturating_add(USE_IS_NOTED_EVERY)) {
            return Ok(());
        }
        let is_older = tokens::Column::LastUsedAt.is_null().or(tokens::Column::LastUsedAt.lt(at));
        let update = tokens::Entity::update_many()
            .col_expr(tokens::Column::LastUsedAt, Expr::value(Some(at)))
            .filter(tokens::Column::Id.eq(token.id.0))
            .filter(is_older);
        match update.exec(&self.write).await.during("note a use of the token", token.id) {
            // When a token was used last is worth less than what it is used for: a full disk stops nobody from reading.
            Err(error) if *error.kind() == StoreErrorKind::Full => {
                tracing::warn!("{error}");
                Ok(())
            }
            result => result.map(|_| ()),
        }
    }

    /// A user's tokens, newest first, those that are worth nothing among them.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn tokens(&self, user: UserId) -> Result<Vec<Token>, StoreError> {
        let query = tokens::Entity::find().filter(tokens::Column::UserId.eq(user.0));
        let rows = query
            .order_by_desc(tokens::Column::Id)
            .all(&self.read)
            .await
            .during("list tokens of user", user)?;
        rows.into_iter().map(Token::try_from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_a_beginning() {
        assert!(fits("serde-*", "serde_json") && fits("Serde", "serde") && fits("*", "anything"));
        assert!(!fits("serde", "serde_json") && !fits("serde-*", "serde"));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let text = SecretText::random(TOKEN_PREFIX).unwrap();
        assert_eq!(text.expose().len(), TOKEN_PREFIX.len() + 64);
        assert!(!format!("{text:?} {:?}", hash(text.expose())).contains(&text.expose()[12..]));
    }
}
