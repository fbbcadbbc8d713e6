//! What accounts of registries published, did and own.
//!
//! An account is one of one registry: whoever has the same login elsewhere is somebody else until shown otherwise. So everything here is asked of a
//! registry and a login together, as decisions about publishers are.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef, Select,
};

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{cases, crates, events, owners, provenance, versions};
use crate::error::During;
use crate::words::fold;
use crate::{
    CaseState, CrateEvent, CrateId, CrateRecord, RegistryId, Store, StoreError, VersionId, VersionRecord,
};

/// An account of a registry with more than one open case: what looks like a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// The registry.
    pub registry: RegistryId,
    /// Its login there.
    pub publisher: String,
    /// How many cases of its versions are open.
    pub cases: u64,
}

/// Whether the crate that a column names is of a registry. Asked of each row, so that an index over logins and moments gives the order.
fn is_of(registry: RegistryId, krate: SimpleExpr) -> SimpleExpr {
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(crates::Entity)
            .and_where(Expr::col((crates::Entity, crates::Column::Id)).eq(krate))
            .and_where(Expr::col((crates::Entity, crates::Column::RegistryId)).eq(registry.0))
            .to_owned(),
    )
}

fn version_is_of(registry: RegistryId) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(versions::Entity)
        .and_where(
            Expr::col((versions::Entity, versions::Column::Id))
                .equals((provenance::Entity, provenance::Column::VersionId)),
        )
        .and_where(is_of(registry, Expr::col((versions::Entity, versions::Column::CrateId))))
        .to_owned()
}

/// From rows that have a column with a version's number to that version, and from there to its crate.
fn with_crates<E: EntityTrait>(query: Select<E>, version: E::Column) -> Select<E> {
    let of_version: RelationDef =
        E::belongs_to(versions::Entity).from(version).to(versions::Column::Id).into();
    let of_crate: RelationDef = versions::Entity::belongs_to(crates::Entity)
        .from(versions::Column::CrateId)
        .to(crates::Column::Id)
        .into();
    query.join(JoinType::InnerJoin, of_version).join(JoinType::InnerJoin, of_crate)
}

impl Store {
    /// The newest versions that an account of a registry published, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn published_by(
        &self,
        registry: RegistryId,
        login: &str,
        limit: u64,
    ) -> Result<Vec<(CrateRecord, VersionRecord)>, StoreError> {
        use provenance::Column::{PublishedAt, PublisherFolded, VersionId as Of};
        let query = provenance::Entity::find()
            .select_only()
            .column(Of)
            .filter(PublisherFolded.eq(fold(login)))
            .filter(Expr::exists(version_is_of(registry)))
            .order_by_desc(PublishedAt)
            .limit(limit);
        let ids: Vec<i64> =
            query.into_tuple().all(&self.read).await.during("read what was published by", login)?;
        let ids: Vec<VersionId> = ids.into_iter().map(VersionId).collect();
        let mut found = self.versions_by_id(&ids).await?;
        found.sort_by_key(|it| std::cmp::Reverse((it.1.published_at.unwrap_or(it.1.first_seen), it.1.id)));
        Ok(found)
    }

    /// What an account of a registry did to crates there from `from` until before `to`, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn events_by(
        &self,
        registry: RegistryId,
        login: &str,
        from: i64,
        to: i64,
        limit: u64,
    ) -> Result<Vec<CrateEvent>, StoreError> {
        use events::Column::{ActorFolded, At, CrateId as About, Id};
        let query = events::Entity::find()
            .filter(ActorFolded.eq(fold(login)))
            .filter(At.gte(from))
            .filter(At.lt(to))
            .filter(is_of(registry, Expr::col((events::Entity, About))))
            .order_by_desc(At)
            .order_by_desc(Id)
            .limit(limit);
        let rows = query.all(&self.read).await.during("read the events by", login)?;
        rows.into_iter().map(CrateEvent::try_from).collect()
    }

    /// Crates of a registry that an account owns, in the order in which they came, behind `after`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn crates_owned_by(
        &self,
        registry: RegistryId,
        login: &str,
        after: Option<CrateId>,
        limit: u64,
    ) -> Result<Vec<CrateRecord>, StoreError> {
        use owners::Column::{CrateId as Of, Folded};
        let of_crate: RelationDef =
            owners::Entity::belongs_to(crates::Entity).from(Of).to(crates::Column::Id).into();
        let mut query = owners::Entity::find()
            .select_only()
            .join(JoinType::InnerJoin, of_crate)
            .filter(Folded.eq(fold(login)))
            .filter(crates::Column::RegistryId.eq(registry.0));
        if let Some(after) = after {
            query = query.filter(Of.gt(after.0));
        }
        for column in <crates::Column as sea_orm::Iterable>::iter() {
            query = query.column(column);
        }
        let query = query.order_by_asc(Of).limit(limit).into_model::<crates::Model>();
        let rows = query.all(&self.read).await.during("list crates of", login)?;
        Ok(rows.into_iter().map(CrateRecord::from).collect())
    }

    /// The registries in which somebody with this login published or owns something, and how the login is written there.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn registries_of_publisher(
        &self,
        login: &str,
    ) -> Result<Vec<(RegistryId, String)>, StoreError> {
        let folded = fold(login);
        let query = provenance::Entity::find()
            .select_only()
            .column(crates::Column::RegistryId)
            .expr(Expr::col((provenance::Entity, provenance::Column::Publisher)).min())
            .filter(provenance::Column::PublisherFolded.eq(folded.clone()))
            .group_by(crates::Column::RegistryId);
        let published: Vec<(i64, Option<String>)> = with_crates(query, provenance::Column::VersionId)
            .into_tuple()
            .all(&self.read)
            .await
            .during("look for", login)?;
        let of_crate: RelationDef = owners::Entity::belongs_to(crates::Entity)
            .from(owners::Column::CrateId)
            .to(crates::Column::Id)
            .into();
        let query = owners::Entity::find()
            .select_only()
            .column(crates::Column::RegistryId)
            .expr(Expr::col((owners::Entity, owners::Column::Login)).min())
            .join(JoinType::InnerJoin, of_crate)
            .filter(owners::Column::Folded.eq(folded))
            .group_by(crates::Column::RegistryId);
        let owned: Vec<(i64, Option<String>)> =
            query.into_tuple().all(&self.read).await.during("look for", login)?;
        // As it was written when something was published, where that is known.
        let written: BTreeMap<i64, Option<String>> = owned.into_iter().chain(published).collect();
        let written =
            written.into_iter().filter_map(|(registry, login)| Some((RegistryId(registry), login?)));
        Ok(written.collect())
    }

    /// Accounts with more than one open case, those with the most first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn campaigns(&self, limit: u64) -> Result<Vec<Campaign>, StoreError> {
        use cases::Column::{Id, Publisher, PublisherFolded, State as Of};
        let count = || Expr::col((cases::Entity, Id)).count();
        let query = cases::Entity::find()
            .select_only()
            .column(crates::Column::RegistryId)
            .expr(Expr::col((cases::Entity, Publisher)).min())
            .expr_as(count(), "count")
            .filter(Of.eq(CaseState::Open.as_str()))
            .filter(PublisherFolded.is_not_null())
            .group_by(crates::Column::RegistryId)
            .group_by(PublisherFolded)
            .having(count().gt(1))
            .order_by_desc(count())
            .limit(limit);
        let rows: Vec<(i64, Option<String>, i64)> = with_crates(query, cases::Column::VersionId)
            .into_tuple()
            .all(&self.read)
            .await
            .during("count", "cases")?;
        let counted = |(registry, login, count): (i64, Option<String>, i64)| {
            Some(Campaign { registry: RegistryId(registry), publisher: login?, cases: count.unsigned_abs() })
        };
        Ok(rows.into_iter().filter_map(counted).collect())
    }

    /// Open cases of accounts with these folded logins, of each registry.
    pub(crate) async fn open_cases_of_publishers(
        &self,
        publishers: &[&str],
    ) -> Result<BTreeMap<(RegistryId, String), u64>, StoreError> {
        use cases::Column::{Id, PublisherFolded, State as Of};
        let mut counts = BTreeMap::new();
        for some in publishers.chunks(ROWS_AT_ONCE) {
            let query = cases::Entity::find()
                .select_only()
                .column(crates::Column::RegistryId)
                .column(PublisherFolded)
                .expr_as(Expr::col((cases::Entity, Id)).count(), "count")
                .filter(Of.eq(CaseState::Open.as_str()))
                .filter(PublisherFolded.is_in(some.iter().copied()))
                .group_by(crates::Column::RegistryId)
                .group_by(PublisherFolded);
            let rows: Vec<(i64, String, i64)> = with_crates(query, cases::Column::VersionId)
                .into_tuple()
                .all(&self.read)
                .await
                .during("count", "cases")?;
            let counted = rows
                .into_iter()
                .map(|(registry, login, count)| ((RegistryId(registry), login), count.unsigned_abs()));
            counts.extend(counted);
        }
        Ok(counts)
    }
}
