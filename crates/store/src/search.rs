//! Finding things by a few characters, among very many.
//!
//! Beginnings are looked up in indexes. What contains a text has to be looked for in all names: that is done for names of crates alone, which are
//! short and few beside their versions, and ends with the first hits.

use sea_orm::sea_query::LikeExpr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::{crates, versions};
use crate::error::During;
use crate::words::canonical_name;
use crate::{CrateRecord, Store, StoreError, VersionRecord};

/// Fewest digits of a checksum that are looked for: fewer fit many, and people copy more.
pub const CHECKSUM_DIGITS: usize = 8;

impl Store {
    /// Crates of all registries whose name begins so, by name; `-`, `_` and case are one.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn crates_beginning(&self, text: &str, limit: u64) -> Result<Vec<CrateRecord>, StoreError> {
        use crates::Column::{Canonical, Id};
        let start = canonical_name(text);
        let query = crates::Entity::find()
            .filter(Canonical.gte(start.clone()))
            // What begins so lies between it and it followed by the last character there is; both databases compare bytes.
            .filter(Canonical.lt(format!("{start}\u{10FFFF}")))
            .order_by_asc(Canonical)
            .order_by_asc(Id)
            .limit(limit);
        let rows = query.all(&self.read).await.during("search for", &start)?;
        Ok(rows.into_iter().map(CrateRecord::from).collect())
    }

    /// Crates of all registries whose name contains this behind its beginning: the first that are found, in no order that means anything.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn crates_containing(&self, text: &str, limit: u64) -> Result<Vec<CrateRecord>, StoreError> {
        let text = canonical_name(text);
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let like = LikeExpr::new(format!("_%{escaped}%")).escape('\\');
        let query = crates::Entity::find().filter(crates::Column::Canonical.like(like)).limit(limit);
        let rows = query.all(&self.read).await.during("search for", &text)?;
        Ok(rows.into_iter().map(CrateRecord::from).collect())
    }

    /// Versions whose checksum begins with these hexadecimal digits; none for fewer than [`CHECKSUM_DIGITS`], or other characters.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn versions_with_checksum_beginning(
        &self,
        digits: &str,
        limit: u64,
    ) -> Result<Vec<(CrateRecord, VersionRecord)>, StoreError> {
        let digits = digits.to_ascii_lowercase();
        let is_checksum =
            (CHECKSUM_DIGITS..=64).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_hexdigit());
        if !is_checksum {
            return Ok(Vec::new());
        }
        let query = versions::Entity::find()
            .filter(versions::Column::Checksum.gte(digits.clone()))
            // `g` is behind all digits in every order that a database sorts text by.
            .filter(versions::Column::Checksum.lt(format!("{digits}g")))
            .order_by_asc(versions::Column::Checksum)
            .limit(limit);
        let rows = query.all(&self.read).await.during("look for", &digits)?;
        self.with_crates(rows).await
    }
}
