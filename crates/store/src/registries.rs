//! Registries and the crates in them.
//!
//! The registry that is hosted here and those that are pulled through have rows of the same kind: the same
//! name in two of them is two crates.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{LikeExpr, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{crates, registries, versions};
use crate::error::During;
use crate::words::{canonical_name, clean, clean_optional, read_word, words};
use crate::{CrateId, RegistryId, Store, StoreError, StoreErrorKind, Transaction};

words! {
    /// Where a registry's versions come from.
    pub enum RegistryKind {
        /// They are published here.
        Hosted = "hosted",
        /// They are pulled through from elsewhere.
        Upstream = "upstream",
    }
}

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Its number.
    pub id: RegistryId,
    /// Its name, unique.
    pub name: String,
    /// Where its versions come from.
    pub kind: RegistryKind,
    /// Where an upstream is; `None` for the hosted one.
    pub url: Option<String>,
    /// Since when it is known.
    pub created_at: i64,
}

/// A crate of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrateRecord {
    /// Its number.
    pub id: CrateId,
    /// Its registry.
    pub registry: RegistryId,
    /// Its name as it was first published.
    pub name: String,
    /// Since when it is known.
    pub first_seen: i64,
}

impl TryFrom<registries::Model> for Registry {
    type Error = StoreError;

    fn try_from(row: registries::Model) -> Result<Registry, StoreError> {
        Ok(Registry {
            id: RegistryId(row.id),
            kind: read_word(&row.kind, "kind", &row.name)?,
            name: row.name,
            url: row.url,
            created_at: row.created_at,
        })
    }
}

impl From<crates::Model> for CrateRecord {
    fn from(row: crates::Model) -> CrateRecord {
        CrateRecord {
            id: CrateId(row.id),
            registry: RegistryId(row.registry_id),
            name: row.name,
            first_seen: row.first_seen,
        }
    }
}

impl Transaction {
    /// Adds a registry, or gives the one that has this name, with its URL replaced by this one.
    ///
    /// # Errors
    ///
    /// When a registry of the other kind has the name, or the database refuses.
    pub async fn ensure_registry(
        &mut self,
        name: &str,
        kind: RegistryKind,
        url: Option<&str>,
    ) -> Result<Registry, StoreError> {
        let existing = registry_by_name(&self.inner, name).await?;
        let row = match existing {
            Some(row) if row.kind != kind.as_str() => {
                let reason = format!("a registry of kind `{}` has this name", row.kind);
                return Err(StoreError::new("add the registry", name, StoreErrorKind::Refused(reason)));
            }
            Some(row) if row.url.as_deref() == url => row,
            Some(row) => {
                let mut row: registries::ActiveModel = row.into();
                row.url = Set(clean_optional(url));
                row.update(&self.inner).await.during("change the registry", name)?
            }
            None => {
                let row = registries::ActiveModel {
                    name: Set(clean(name)),
                    kind: Set(kind.as_str().to_owned()),
                    url: Set(clean_optional(url)),
                    created_at: Set(self.at),
                    ..Default::default()
                };
                row.insert(&self.inner).await.during("add the registry", name)?
            }
        };
        row.try_into()
    }
}

impl Store {
    /// All registries, by name.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn registries(&self) -> Result<Vec<Registry>, StoreError> {
        let query = registries::Entity::find().order_by_asc(registries::Column::Name);
        let rows = query.all(&self.read).await.during("list", "registries")?;
        rows.into_iter().map(Registry::try_from).collect()
    }

    /// The registry of this name.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn registry(&self, name: &str) -> Result<Option<Registry>, StoreError> {
        registry_by_name(&self.read, name).await?.map(Registry::try_from).transpose()
    }

    /// The crate of this name, whatever its case, `-` and `_`. Its own name says how it is written.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn krate(&self, registry: RegistryId, name: &str) -> Result<Option<CrateRecord>, StoreError> {
        Ok(crate_by_name(&self.read, registry, name).await?.map(CrateRecord::from))
    }

    /// The crate of this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn crate_by_id(&self, id: CrateId) -> Result<CrateRecord, StoreError> {
        Ok(crate_by_id(&self.read, id.0).await?.into())
    }

    /// The crates of this name in any registry: a private name must not be asked for elsewhere, nor a foreign
    /// one be published.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn crates_named(&self, name: &str) -> Result<Vec<CrateRecord>, StoreError> {
        let query = crates::Entity::find().filter(crates::Column::Canonical.eq(canonical_name(name)));
        let rows = query.order_by_asc(crates::Column::Id).all(&self.read).await.during("look for", name)?;
        Ok(rows.into_iter().map(CrateRecord::from).collect())
    }

    /// Crates of a registry that have a version which is listed and not withdrawn, and whose name contains this: the one of this name first,
    /// then those that begin with it, then the rest, by name. Also how many there are.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn find_crates(
        &self,
        registry: RegistryId,
        text: &str,
        limit: u64,
    ) -> Result<(Vec<CrateRecord>, u64), StoreError> {
        use crates::Column::{Canonical, Id, RegistryId as Of};
        let text = canonical_name(text);
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let like = |pattern: String| Canonical.like(LikeExpr::new(pattern).escape('\\'));
        let listed = Query::select()
            .column(versions::Column::CrateId)
            .from(versions::Entity)
            .and_where(versions::Column::Listed.eq(true))
            .and_where(versions::Column::Yanked.eq(false))
            .to_owned();
        let found = crates::Entity::find()
            .filter(Of.eq(registry.0))
            .filter(like(format!("%{escaped}%")))
            .filter(Id.in_subquery(listed));
        let count = found.clone().count(&self.read).await.during("search for", &text)?;
        let mut crates: Vec<CrateRecord> = Vec::new();
        for part in [
            found.clone().filter(Canonical.eq(text.clone())),
            found.clone().filter(like(format!("{escaped}%"))).filter(Canonical.ne(text.clone())),
            found.filter(like(format!("{escaped}%")).not()),
        ] {
            let left = limit.saturating_sub(crates.len() as u64);
            let query = part.order_by_asc(Canonical).order_by_asc(Id).limit(left);
            let rows = query.all(&self.read).await.during("search for", &text)?;
            crates.extend(rows.into_iter().map(CrateRecord::from));
        }
        Ok((crates, count))
    }
}

pub(crate) async fn registry_by_name<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<registries::Model>, StoreError> {
    let query = registries::Entity::find().filter(registries::Column::Name.eq(clean(name)));
    query.one(connection).await.during("look for the registry", name)
}

pub(crate) async fn registry_by_id<C: ConnectionTrait>(
    connection: &C,
    id: RegistryId,
) -> Result<registries::Model, StoreError> {
    let found =
        registries::Entity::find_by_id(id.0).one(connection).await.during("look for the registry", id)?;
    found.during("find the registry", id)
}

pub(crate) async fn crate_by_name<C: ConnectionTrait>(
    connection: &C,
    registry: RegistryId,
    name: &str,
) -> Result<Option<crates::Model>, StoreError> {
    let query = crates::Entity::find()
        .filter(crates::Column::RegistryId.eq(registry.0))
        .filter(crates::Column::Canonical.eq(canonical_name(name)));
    query.one(connection).await.during("look for the crate", name)
}

pub(crate) async fn crate_by_id<C: ConnectionTrait>(
    connection: &C,
    id: i64,
) -> Result<crates::Model, StoreError> {
    let found = crates::Entity::find_by_id(id).one(connection).await.during("look for the crate", id)?;
    found.during("find the crate", id)
}

pub(crate) async fn crates_by_id<C: ConnectionTrait>(
    connection: &C,
    ids: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, crates::Model>, StoreError> {
    let ids: Vec<i64> = ids.iter().copied().collect();
    let mut found = BTreeMap::new();
    for some in ids.chunks(ROWS_AT_ONCE) {
        let query = crates::Entity::find().filter(crates::Column::Id.is_in(some.iter().copied()));
        let rows = query.all(connection).await.during("read", "crates")?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

/// The crate of this name; made where there is none.
///
/// # Errors
///
/// `NameTaken` when there is one whose name differs in case, `-` or `_`.
pub(crate) async fn ensure_crate(
    transaction: &Transaction,
    registry: RegistryId,
    name: &str,
) -> Result<(crates::Model, Existed), StoreError> {
    match crate_by_name(&transaction.inner, registry, name).await? {
        Some(row) if row.name == name => Ok((row, Existed::Yes)),
        Some(row) => {
            let kind = StoreErrorKind::NameTaken { existing: row.name };
            Err(StoreError::new("add the crate", name, kind))
        }
        None => {
            let row = crates::ActiveModel {
                registry_id: Set(registry.0),
                name: Set(clean(name)),
                canonical: Set(canonical_name(name)),
                first_seen: Set(transaction.at),
                ..Default::default()
            };
            let row = row.insert(&transaction.inner).await.during("add the crate", name)?;
            Ok((row, Existed::No))
        }
    }
}

/// Whether something was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existed {
    Yes,
    No,
}
