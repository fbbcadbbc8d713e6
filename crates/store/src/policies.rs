//! Texts of policies that were in force, by their digest: the audit log says which one held when.

use cratekeeper_model::Checksum;
use sea_orm::{EntityTrait, Set};

use crate::entities::policies;
use crate::error::During;
use crate::words::clean;
use crate::{Store, StoreError};

impl Store {
    /// Keeps the text of a policy; one that is kept already stays as it is.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn keep_policy(&self, digest: Checksum, text: &str, at: i64) -> Result<(), StoreError> {
        let row = policies::ActiveModel {
            digest: Set(digest.to_string()),
            text: Set(clean(text)),
            first_seen: Set(at),
        };
        let insert = policies::Entity::insert(row).on_conflict_do_nothing_on([policies::Column::Digest]);
        insert.exec(&self.write).await.during("keep the policy", digest)?;
        Ok(())
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
