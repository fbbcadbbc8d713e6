//! What came of cases: how long decisions took, how many there were, and which rules were right.
//!
//! Everything is bounded by time and read along indexes. Percentiles are for whoever asks: databases do not agree about them.

use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::{case_rules, cases};
use crate::error::During;
use crate::words::read_optional;
use crate::{CaseState, Outcome, Store, StoreError};

/// A case that is closed, as far as counting goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedCase {
    /// When it was opened, in seconds since 1970.
    pub opened_at: i64,
    /// When it was closed.
    pub closed_at: i64,
    /// What the version turned out to be; `None` where nobody said.
    pub outcome: Option<Outcome>,
}

/// In how many closed cases a rule had a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleCount {
    /// Id of the rule.
    pub rule: String,
    /// Cases whose version does harm.
    pub malicious: u64,
    /// Cases that were false alarms.
    pub harmless: u64,
}

/// Numbers of the cases that were closed from `from` until before `to` with an outcome.
fn closed_with(outcome: Outcome, from: i64, to: i64) -> SelectStatement {
    Query::select()
        .column(cases::Column::Id)
        .from(cases::Entity)
        .and_where(cases::Column::ClosedAt.gte(from))
        .and_where(cases::Column::ClosedAt.lt(to))
        .and_where(cases::Column::Outcome.eq(outcome.as_str()))
        .to_owned()
}

impl Store {
    /// Cases that were closed from `from` until before `to`, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn closed_cases(&self, from: i64, to: i64, limit: u64) -> Result<Vec<ClosedCase>, StoreError> {
        use cases::Column::{ClosedAt, Id, OpenedAt, Outcome as Of};
        let query = cases::Entity::find()
            .select_only()
            .column(OpenedAt)
            .column(ClosedAt)
            .column(Of)
            .filter(ClosedAt.gte(from))
            .filter(ClosedAt.lt(to))
            .order_by_desc(ClosedAt)
            .order_by_desc(Id)
            .limit(limit);
        let rows: Vec<(i64, i64, Option<String>)> =
            query.into_tuple().all(&self.read).await.during("read", "cases")?;
        let closed = |(opened_at, closed_at, outcome): (i64, i64, Option<String>)| {
            let outcome = read_optional(outcome.as_deref(), "outcome", "cases")?;
            Ok(ClosedCase { opened_at, closed_at, outcome })
        };
        rows.into_iter().map(closed).collect()
    }

    /// How many cases were opened in each span of `length` seconds from `from` until before `to`, by the number of the span; spans without any
    /// are left out.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn cases_opened(&self, from: i64, to: i64, length: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        use cases::Column::{Id, OpenedAt, State};
        // In the text and not as parameters: PostgreSQL takes two parameters for two expressions.
        let span = Expr::cust(format!("(opened_at - ({from})) / {}", length.clamp(1, i64::MAX)));
        let query = cases::Entity::find()
            .select_only()
            .expr_as(span.clone(), "span")
            .expr_as(Expr::col(Id).count(), "count")
            // Both states, so that the index over them and the moments is of use.
            .filter(State.is_in(CaseState::ALL.iter().map(|it| it.as_str())))
            .filter(OpenedAt.gte(from))
            .filter(OpenedAt.lt(to))
            .group_by(span);
        let rows: Vec<(i64, i64)> = query.into_tuple().all(&self.read).await.during("count", "cases")?;
        let mut counts: Vec<(i64, u64)> =
            rows.into_iter().map(|(span, count)| (span, count.unsigned_abs())).collect();
        counts.sort_unstable();
        Ok(counts)
    }

    /// In how many cases that were closed from `from` until before `to` each rule had a finding, and what they turned out to be; by rule.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn rule_counts(&self, from: i64, to: i64) -> Result<Vec<RuleCount>, StoreError> {
        let mut counts = std::collections::BTreeMap::<String, RuleCount>::new();
        for outcome in Outcome::ALL.iter().copied() {
            for (rule, count) in self.count_rules(closed_with(outcome, from, to)).await? {
                let entry =
                    counts.entry(rule.clone()).or_insert_with(|| RuleCount { rule, ..RuleCount::default() });
                match outcome {
                    Outcome::Malicious => entry.malicious = count,
                    Outcome::Harmless => entry.harmless = count,
                }
            }
        }
        Ok(counts.into_values().collect())
    }

    /// In how many cases that were opened from `from` on each rule had a finding.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn rule_hits(&self, from: i64) -> Result<Vec<(String, u64)>, StoreError> {
        let opened = Query::select()
            .column(cases::Column::Id)
            .from(cases::Entity)
            .and_where(cases::Column::State.is_in(CaseState::ALL.iter().map(|it| it.as_str())))
            .and_where(cases::Column::OpenedAt.gte(from))
            .to_owned();
        self.count_rules(opened).await
    }

    async fn count_rules(&self, of_cases: SelectStatement) -> Result<Vec<(String, u64)>, StoreError> {
        use case_rules::Column::{CaseId, Rule};
        let query = case_rules::Entity::find()
            .select_only()
            .column(Rule)
            .expr_as(Expr::col(CaseId).count(), "count")
            .filter(CaseId.in_subquery(of_cases))
            .group_by(Rule);
        let rows: Vec<(String, i64)> = query.into_tuple().all(&self.read).await.during("count", "rules")?;
        Ok(rows.into_iter().map(|(rule, count)| (rule, count.unsigned_abs())).collect())
    }
}
