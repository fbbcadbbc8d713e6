//! Cases that are alike: those in which the same rules had hits, and what became of them.
//!
//! The rules of a case are those of the newest inspection of its version. They are written beside the case whenever it is opened, inspected again
//! or closed, because nothing can be looked for inside of an inspection.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde::Deserialize;

use crate::cases::CaseState;
use crate::changes::ROWS_AT_ONCE;
use crate::entities::{case_rules, cases, inspections};
use crate::error::During;
use crate::words::clean;
use crate::{CaseId, CaseRecord, CrateRecord, Store, StoreError, Transaction, VersionId, VersionRecord};

/// Rules of one case that are kept and looked for; there are some hundred rules.
const RULES: usize = 100;

/// Cases, the newest, among which like ones are looked for: more make a page slow, and say less about today.
const LOOKED_AT: i64 = 20_000;

/// A closed case in which some of the same rules had hits.
#[derive(Debug, Clone, PartialEq)]
pub struct LikeCase {
    /// The case.
    pub case: CaseRecord,
    /// Its crate.
    pub krate: CrateRecord,
    /// Its version.
    pub version: VersionRecord,
    /// Rules that both have.
    pub shared: u64,
}

/// A case of an inspection, as far as its rules go.
#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    findings: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    rule: String,
}

/// Writes down which rules the newest inspection of a case's version hit.
pub(crate) async fn note_rules(transaction: &Transaction, case: i64, version: i64) -> Result<(), StoreError> {
    let query = inspections::Entity::find()
        .select_only()
        .column(inspections::Column::CaseJson)
        .filter(inspections::Column::VersionId.eq(version))
        .order_by_desc(inspections::Column::Id);
    let newest: Option<Option<String>> = query
        .into_tuple()
        .one(&transaction.inner)
        .await
        .during("read the inspections of version", version)?;
    let found = newest.flatten().and_then(|it| serde_json::from_str::<Found>(&it).ok());
    let rules = found.map_or_else(Vec::new, |it| it.findings);
    let rules: BTreeSet<String> = rules.into_iter().map(|it| clean(&it.rule)).take(10 * RULES).collect();
    let old = case_rules::Entity::delete_many().filter(case_rules::Column::CaseId.eq(case));
    old.exec(&transaction.inner).await.during("forget the rules of case", case)?;
    if rules.is_empty() {
        return Ok(());
    }
    let rows = rules.into_iter().take(RULES);
    let rows = rows.map(|it| case_rules::ActiveModel { case_id: Set(case), rule: Set(it) });
    let insert = case_rules::Entity::insert_many(rows).exec_without_returning(&transaction.inner).await;
    insert.during("write the rules of case", case)?;
    Ok(())
}

impl Store {
    /// Closed cases in which the most of these rules had hits, the newest first among equals.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn cases_like(
        &self,
        case: CaseId,
        rules: &[&str],
        limit: u64,
    ) -> Result<Vec<LikeCase>, StoreError> {
        use case_rules::Column::{CaseId as Of, Rule};
        let rules: BTreeSet<&str> = rules.iter().copied().collect();
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let newest = cases::Entity::find().select_only().expr(Expr::col(cases::Column::Id).max());
        let newest: Option<Option<i64>> =
            newest.into_tuple().one(&self.read).await.during("look for", "cases")?;
        let oldest = newest.flatten().unwrap_or(0) - LOOKED_AT;
        let closed = Query::select()
            .column(cases::Column::Id)
            .from(cases::Entity)
            .and_where(cases::Column::State.eq(CaseState::Closed.as_str()))
            .and_where(cases::Column::Id.gt(oldest))
            .to_owned();
        let count = || Expr::col(Rule).count();
        let query = case_rules::Entity::find()
            .select_only()
            .column(Of)
            .expr_as(count(), "shared")
            .filter(Rule.is_in(rules.into_iter().take(RULES)))
            .filter(Of.gt(oldest))
            .filter(Of.ne(case.0))
            .filter(Of.in_subquery(closed))
            .group_by(Of)
            .order_by_desc(count())
            .order_by_desc(Of)
            .limit(limit);
        let rows: Vec<(i64, i64)> =
            query.into_tuple().all(&self.read).await.during("look for", "like cases")?;
        self.with_cases(rows).await
    }

    async fn with_cases(&self, rows: Vec<(i64, i64)>) -> Result<Vec<LikeCase>, StoreError> {
        let mut of_cases: BTreeMap<i64, CaseRecord> = BTreeMap::new();
        for some in rows.chunks(ROWS_AT_ONCE) {
            let query = cases::Entity::find().filter(cases::Column::Id.is_in(some.iter().map(|it| it.0)));
            for row in query.all(&self.read).await.during("read", "cases")? {
                of_cases.insert(row.id, row.try_into()?);
            }
        }
        let versions: Vec<VersionId> = of_cases.values().map(|it| it.version).collect();
        let versions = self.versions_by_id(&versions).await?;
        let like = |(id, shared): (i64, i64)| {
            let case = of_cases.get(&id)?.clone();
            let (krate, version) = versions.iter().find(|it| it.1.id == case.version)?.clone();
            Some(LikeCase { case, krate, version, shared: shared.unsigned_abs() })
        };
        Ok(rows.into_iter().filter_map(like).collect())
    }
}
