//! Texts of policies that were in force, by their digest: the audit log says which one held when.

use cratekeeper_model::Checksum;
use sea_orm::{ConnectionTrait, EntityTrait, Set};

use crate::entities::policies;
use crate::error::During;
use crate::words::clean;
use crate::{Store, StoreError, Transaction};

impl Store {
    /// Keeps the text of a policy; one that is kept already stays as it is.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn keep_policy(&self, digest: Checksum, text: &str, at: i64) -> Result<(), StoreError> {
        keep(&self.write, digest, text, at).await
    }

    /// The text of a policy; `None` where it was not kept.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn policy_text(&self, digest: Checksum) -> Result<Option<String>, StoreError> {
        let row = policies::Entity::find_by_id(digest.to_string()).one(&self.read).await;
        Ok(row.during("look for the policy", digest)?.map(|it| it.text))
    }
}

impl Transaction {
    /// Keeps the text of a policy, if the transaction is; one that is kept already stays as it is.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn keep_policy(&self, digest: Checksum, text: &str) -> Result<(), StoreError> {
        keep(&self.inner, digest, text, self.at).await
    }
}

async fn keep(
    connection: &impl ConnectionTrait,
    digest: Checksum,
    text: &str,
    at: i64,
) -> Result<(), StoreError> {
    let row = policies::ActiveModel {
        digest: Set(digest.to_string()),
        text: Set(clean(text)),
        first_seen: Set(at),
    };
    let insert = policies::Entity::insert(row).on_conflict_do_nothing_on([policies::Column::Digest]);
    insert.exec(connection).await.during("keep the policy", digest)?;
    Ok(())
}
