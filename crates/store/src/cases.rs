//! Cases: versions that somebody has to look at, who is on them, what was said, and what came of it.
//!
//! A case is opened by an inspection from the level `review` on, or by a person, and closed by whoever decides about the version; there is one for each
//! version, which is opened again when its decision is undone. What came of cases is what the precision of rules is worked out from.

use std::collections::BTreeMap;

use cratekeeper_model::Level;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, Set,
};
use serde::{Deserialize, Serialize};

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{case_rules, cases, comments, crates, decisions, provenance, versions};
use crate::error::During;
use crate::standing::{DecisionAction, State};
use crate::versions::version_by_id;
use crate::words::{canonical_name, clean, fold, read_optional, read_word, words};
use crate::{
    CaseId, CrateRecord, INSPECTION, RegistryId, ReportState, Store, StoreError, StoreErrorKind, Transaction,
    VersionId, VersionRecord,
};

/// Longest comment, in bytes: a page of text.
pub const COMMENT: usize = 10_000;

words! {
    /// Whether somebody has to look.
    pub enum CaseState {
        /// Nobody decided yet.
        Open = "open",
        /// It is decided, or there is nothing to decide.
        Closed = "closed",
    }
}

words! {
    /// What a version turned out to be.
    pub enum Outcome {
        /// It does harm.
        Malicious = "malicious",
        /// It was a false alarm.
        Harmless = "harmless",
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// Its number.
    pub id: CaseId,
    /// The version.
    pub version: VersionId,
    /// Since when it exists.
    pub opened_at: i64,
    /// Who opened it: a login, or a part of the program in parentheses.
    pub opened_by: String,
    /// Whether somebody has to look.
    pub state: CaseState,
    /// Score of the version; `None` where there is none.
    pub score: Option<u8>,
    /// Who published the version, where that is known.
    pub publisher: Option<String>,
    /// Who is on it.
    pub assignee: Option<String>,
    /// Since when.
    pub assigned_at: Option<i64>,
    /// What the version turned out to be; `None` while that is open, or was not said.
    pub outcome: Option<Outcome>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// By whom.
    pub closed_by: Option<String>,
    /// Why.
    pub closing_reason: Option<String>,
}

impl TryFrom<cases::Model> for CaseRecord {
    type Error = StoreError;

    fn try_from(row: cases::Model) -> Result<CaseRecord, StoreError> {
        Ok(CaseRecord {
            id: CaseId(row.id),
            version: VersionId(row.version_id),
            opened_at: row.opened_at,
            opened_by: row.opened_by,
            state: read_word(&row.state, "state", row.id)?,
            score: u8::try_from(row.rank).ok(),
            publisher: row.publisher,
            assignee: row.assignee,
            assigned_at: row.assigned_at,
            outcome: read_optional(row.outcome.as_deref(), "outcome", row.id)?,
            closed_at: row.closed_at,
            closed_by: row.closed_by,
            closing_reason: row.closing_reason,
        })
    }
}

/// What somebody said about a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Who.
    pub author: String,
    /// What.
    pub text: String,
    /// When.
    pub at: i64,
}

/// Who is on a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    /// Nobody.
    Nobody,
    /// The account with this login.
    Login(String),
}

/// Which cases. Every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Open or closed ones.
    pub state: Option<CaseState>,
    /// Of versions of this registry.
    pub registry: Option<RegistryId>,
    /// Whose version stands so.
    pub standing: Option<State>,
    /// With at least this score.
    pub at_least: Option<u8>,
    /// That this one is on.
    pub assignee: Option<Assignee>,
    /// Of versions that an account of this name published; of which registry is another part.
    pub publisher: Option<String>,
    /// Of crates whose name begins so.
    pub name: Option<String>,
    /// In which this rule had a finding.
    pub rule: Option<String>,
}

/// In which order cases come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseOrder {
    /// Highest score first, of the same score the oldest first.
    #[default]
    WorstFirst,
    /// Oldest first.
    OldestFirst,
    /// Newest first.
    NewestFirst,
}

/// Where a page of cases ends; the next one begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseCursor {
    /// Score of the last case, -1 for none.
    pub rank: i32,
    /// When it was opened.
    pub opened_at: i64,
    /// Its number.
    pub id: CaseId,
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseEntry {
    /// The case.
    pub case: CaseRecord,
    /// The crate.
    pub krate: CrateRecord,
    /// The version.
    pub version: VersionRecord,
    /// Open cases of the same account of the same registry, this one among them.
    pub of_publisher: u64,
    /// Where the next page begins if this is the last on its page.
    pub cursor: CaseCursor,
}

fn behind(order: CaseOrder, cursor: CaseCursor) -> Condition {
    use cases::Column::{Id, OpenedAt, Rank};
    let same_moment = OpenedAt.eq(cursor.opened_at);
    let later =
        Condition::any().add(OpenedAt.gt(cursor.opened_at)).add(same_moment.clone().and(Id.gt(cursor.id.0)));
    match order {
        CaseOrder::WorstFirst => Condition::any()
            .add(Rank.lt(cursor.rank))
            .add(Condition::all().add(Rank.eq(cursor.rank)).add(later)),
        CaseOrder::OldestFirst => later,
        CaseOrder::NewestFirst => {
            Condition::any().add(OpenedAt.lt(cursor.opened_at)).add(same_moment.and(Id.lt(cursor.id.0)))
        }
    }
}

fn chosen(filter: &CaseFilter) -> Select<cases::Entity> {
    use cases::Column::{Assignee as Who, PublisherFolded, Rank, State as Of, VersionId as About};
    let mut query = cases::Entity::find();
    if let Some(state) = filter.state {
        query = query.filter(Of.eq(state.as_str()));
    }
    if let Some(score) = filter.at_least {
        query = query.filter(Rank.gte(i32::from(score)));
    }
    query = match &filter.assignee {
        None => query,
        Some(Assignee::Nobody) => query.filter(Who.is_null()),
        Some(Assignee::Login(login)) => query.filter(Who.eq(login.as_str())),
    };
    if let Some(login) = &filter.publisher {
        query = query.filter(PublisherFolded.eq(fold(login)));
    }
    // Asked of each case, and not of all versions: there are a hundred times as many of these.
    let its_version = || {
        Query::select()
            .expr(Expr::val(1))
            .from(versions::Entity)
            .and_where(
                Expr::col((versions::Entity, versions::Column::Id))
                    .equals((cases::Entity, cases::Column::VersionId)),
            )
            .to_owned()
    };
    if let Some(state) = filter.standing {
        let mut standing_so = its_version();
        standing_so.and_where(versions::Column::Standing.eq(state.as_str()));
        query = query.filter(Expr::exists(standing_so));
    }
    if let Some(rule) = &filter.rule {
        let with_rule = Query::select()
            .column(case_rules::Column::CaseId)
            .from(case_rules::Entity)
            .and_where(case_rules::Column::Rule.eq(clean(rule)))
            .to_owned();
        query = query.filter(cases::Column::Id.in_subquery(with_rule));
    }
    if let (Some(registry), None) = (filter.registry, &filter.name) {
        let mut of_registry = its_version();
        of_registry.inner_join(
            crates::Entity,
            Expr::col((crates::Entity, crates::Column::Id))
                .equals((versions::Entity, versions::Column::CrateId)),
        );
        of_registry.and_where(crates::Column::RegistryId.eq(registry.0));
        query = query.filter(Expr::exists(of_registry));
    }
    // Of the crates whose names begin so there are few.
    if filter.name.is_some() {
        let mut of_crates = Query::select()
            .column((versions::Entity, versions::Column::Id))
            .from(versions::Entity)
            .inner_join(
                crates::Entity,
                Expr::col((crates::Entity, crates::Column::Id))
                    .equals((versions::Entity, versions::Column::CrateId)),
            )
            .to_owned();
        if let Some(registry) = filter.registry {
            of_crates.and_where(crates::Column::RegistryId.eq(registry.0));
        }
        if let Some(name) = &filter.name {
            let start = canonical_name(name);
            // What begins so lies between it and it followed by the last character there is; both databases compare bytes.
            of_crates.and_where(crates::Column::Canonical.gte(start.clone()));
            of_crates.and_where(crates::Column::Canonical.lt(format!("{start}\u{10FFFF}")));
        }
        query = query.filter(About.in_subquery(of_crates));
    }
    query
}

impl Store {
    /// Cases, behind `after`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn cases(
        &self,
        filter: &CaseFilter,
        order: CaseOrder,
        after: Option<CaseCursor>,
        limit: u64,
    ) -> Result<Vec<CaseEntry>, StoreError> {
        use cases::Column::{Id, OpenedAt, Rank};
        let mut query = chosen(filter);
        if let Some(after) = after {
            query = query.filter(behind(order, after));
        }
        query = match order {
            CaseOrder::WorstFirst => query.order_by_desc(Rank).order_by_asc(OpenedAt).order_by_asc(Id),
            CaseOrder::OldestFirst => query.order_by_asc(OpenedAt).order_by_asc(Id),
            CaseOrder::NewestFirst => query.order_by_desc(OpenedAt).order_by_desc(Id),
        };
        let rows = query.limit(limit).all(&self.read).await.during("read", "cases")?;
        let ids: Vec<VersionId> = rows.iter().map(|it| VersionId(it.version_id)).collect();
        let of_versions: BTreeMap<VersionId, (CrateRecord, VersionRecord)> =
            self.versions_by_id(&ids).await?.into_iter().map(|it| (it.1.id, it)).collect();
        let publishers: Vec<&str> = rows.iter().filter_map(|it| it.publisher_folded.as_deref()).collect();
        let counts = self.open_cases_of_publishers(&publishers).await?;
        let mut entries = Vec::new();
        for row in rows {
            let Some((krate, version)) = of_versions.get(&VersionId(row.version_id)).cloned() else {
                continue;
            };
            let publisher = row.publisher_folded.clone().map(|it| (krate.registry, it));
            let of_publisher = publisher.and_then(|it| counts.get(&it)).copied();
            let cursor = CaseCursor { rank: row.rank, opened_at: row.opened_at, id: CaseId(row.id) };
            let of_publisher = of_publisher.unwrap_or(0);
            entries.push(CaseEntry { case: row.try_into()?, krate, version, of_publisher, cursor });
        }
        Ok(entries)
    }

    /// How many cases there are.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn count_cases(&self, filter: &CaseFilter) -> Result<u64, StoreError> {
        chosen(filter).count(&self.read).await.during("count", "cases")
    }

    /// The case of this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn case(&self, id: CaseId) -> Result<CaseRecord, StoreError> {
        case_row(&self.read, id).await?.try_into()
    }

    /// The case of a version.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn case_of(&self, version: VersionId) -> Result<Option<CaseRecord>, StoreError> {
        of_version(&self.read, version.0).await?.map(TryFrom::try_from).transpose()
    }

    /// The cases of a crate's versions, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn cases_of_crate(
        &self,
        krate: crate::CrateId,
        limit: u64,
    ) -> Result<Vec<CaseRecord>, StoreError> {
        let of_crate = Query::select()
            .column(versions::Column::Id)
            .from(versions::Entity)
            .and_where(versions::Column::CrateId.eq(krate.0))
            .to_owned();
        let query = cases::Entity::find().filter(cases::Column::VersionId.in_subquery(of_crate));
        let query = query.order_by_desc(cases::Column::OpenedAt).order_by_desc(cases::Column::Id);
        let rows = query.limit(limit).all(&self.read).await.during("read the cases of crate", krate)?;
        rows.into_iter().map(TryFrom::try_from).collect()
    }

    /// What people said about a case, oldest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn comments(&self, case: CaseId, limit: u64) -> Result<Vec<Comment>, StoreError> {
        let query = comments::Entity::find().filter(comments::Column::CaseId.eq(case.0));
        let rows = query.order_by_asc(comments::Column::Id).limit(limit).all(&self.read).await;
        let rows = rows.during("read the comments of case", case)?;
        Ok(rows.into_iter().map(|it| Comment { author: it.author, text: it.text, at: it.at }).collect())
    }
}

impl Transaction {
    /// Opens the case of a version, or again the one that was closed. Gives its number.
    ///
    /// # Errors
    ///
    /// When there is no such version, or the database refuses.
    pub async fn open_case(&mut self, version: VersionId) -> Result<CaseId, StoreError> {
        let row = version_by_id(&self.inner, version.0).await?;
        let by = self.actor().unwrap_or_default().to_owned();
        open(self, &row, &by).await
    }

    /// Puts somebody on a case, or takes whoever is on it off.
    ///
    /// # Errors
    ///
    /// When there is no such case, or the database refuses.
    pub async fn assign_case(&mut self, id: CaseId, to: &Assignee) -> Result<(), StoreError> {
        let mut update: cases::ActiveModel = case_row(&self.inner, id).await?.into();
        let login = match to {
            Assignee::Nobody => None,
            Assignee::Login(login) => Some(clean(login)),
        };
        update.assigned_at = Set(login.as_ref().map(|_| self.at));
        update.assignee = Set(login);
        update.update(&self.inner).await.during("assign the case", id)?;
        Ok(())
    }

    /// Says something about a case.
    ///
    /// # Errors
    ///
    /// When there is no such case, the text is empty or longer than [`COMMENT`], or the database refuses.
    pub async fn comment(&mut self, id: CaseId, text: &str) -> Result<(), StoreError> {
        let case = case_row(&self.inner, id).await?;
        if text.trim().is_empty() || text.len() > COMMENT {
            let reason = format!("a comment has 1 to {COMMENT} bytes");
            return Err(StoreError::new("comment on the case", id, StoreErrorKind::Invalid(reason)));
        }
        let row = comments::ActiveModel {
            case_id: Set(case.id),
            author: Set(clean(self.actor().unwrap_or_default())),
            text: Set(clean(text.trim())),
            at: Set(self.at),
            ..Default::default()
        };
        row.insert(&self.inner).await.during("comment on the case", id)?;
        Ok(())
    }

    /// Closes a case without a decision about the version: there is nothing to do.
    ///
    /// # Errors
    ///
    /// When there is no such case, or the database refuses.
    pub async fn close_case(
        &mut self,
        id: CaseId,
        outcome: Option<Outcome>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let row = case_row(&self.inner, id).await?;
        close(self, row, outcome, reason).await
    }
}

async fn case_row<C: ConnectionTrait>(connection: &C, id: CaseId) -> Result<cases::Model, StoreError> {
    let found = cases::Entity::find_by_id(id.0).one(connection).await.during("look for the case", id)?;
    found.during("find the case", id)
}

async fn of_version<C: ConnectionTrait>(
    connection: &C,
    version: i64,
) -> Result<Option<cases::Model>, StoreError> {
    let query = cases::Entity::find().filter(cases::Column::VersionId.eq(version));
    query.one(connection).await.during("look for the case of version", version)
}

async fn open(transaction: &Transaction, row: &versions::Model, by: &str) -> Result<CaseId, StoreError> {
    if let Some(found) = of_version(&transaction.inner, row.id).await? {
        let id = CaseId(found.id);
        let mut update: cases::ActiveModel = found.into();
        update.state = Set(CaseState::Open.as_str().to_owned());
        update.rank = Set(row.rank);
        update.outcome = Set(None);
        update.closed_at = Set(None);
        update.closed_by = Set(None);
        update.closing_reason = Set(None);
        update.update(&transaction.inner).await.during("open the case", id)?;
        crate::alike::note_rules(transaction, id.0, row.id).await?;
        return Ok(id);
    }
    let published = provenance::Entity::find_by_id(row.id).one(&transaction.inner).await;
    let published = published.during("read the provenance of version", row.id)?;
    let new = cases::ActiveModel {
        version_id: Set(row.id),
        opened_at: Set(transaction.at),
        opened_by: Set(clean(by)),
        state: Set(CaseState::Open.as_str().to_owned()),
        rank: Set(row.rank),
        publisher: Set(published.as_ref().and_then(|it| it.publisher.clone())),
        publisher_folded: Set(published.and_then(|it| it.publisher_folded)),
        ..Default::default()
    };
    let new = new.insert(&transaction.inner).await.during("open the case of version", row.id)?;
    crate::alike::note_rules(transaction, new.id, row.id).await?;
    Ok(CaseId(new.id))
}

async fn close(
    transaction: &Transaction,
    row: cases::Model,
    outcome: Option<Outcome>,
    reason: &str,
) -> Result<(), StoreError> {
    let id = row.id;
    crate::alike::note_rules(transaction, id, row.version_id).await?;
    let mut update: cases::ActiveModel = row.into();
    update.state = Set(CaseState::Closed.as_str().to_owned());
    update.outcome = Set(outcome.map(|it| it.as_str().to_owned()));
    update.closed_at = Set(Some(transaction.at));
    update.closed_by = Set(Some(clean(transaction.actor().unwrap_or_default())));
    update.closing_reason = Set(Some(clean(reason)));
    update.update(&transaction.inner).await.during("close the case", id)?;
    Ok(())
}

/// Whether a version, as its inspection left it, is somebody's business.
fn needs_a_look(row: &versions::Model) -> Result<bool, StoreError> {
    let state: State = read_word(&row.state, "state", row.id)?;
    let level: Option<Level> = read_optional(row.level.as_deref(), "level", row.id)?;
    let is_kept_back = matches!(state, State::Held | State::Blocked | State::Failed);
    Ok(is_kept_back || level.is_some_and(|it| it >= Level::Review))
}

/// What an inspection means for the case of its version; `before` is the version as it was. What a person decided stays decided.
pub(crate) async fn inspected(
    transaction: &Transaction,
    before: i32,
    row: &versions::Model,
) -> Result<(), StoreError> {
    let found = of_version(&transaction.inner, row.id).await?;
    let needs_a_look = needs_a_look(row)?;
    let level: Option<Level> = read_optional(row.level.as_deref(), "level", row.id)?;
    // One person alone released it, below an alert: it stays released, and somebody looks again. An alert was released by two.
    let was_mild = u8::try_from(before).is_ok_and(|it| Level::of_score(it) < Level::Alert);
    let is_outgrown =
        row.standing == State::Released.as_str() && was_mild && level.is_some_and(|it| it >= Level::Alert);
    let is_decided = row.decision_id.is_some() && !is_outgrown;
    if let Some(found) = &found {
        crate::alike::note_rules(transaction, found.id, row.id).await?;
    }
    match found {
        None if needs_a_look && !is_decided => {
            open(transaction, row, INSPECTION).await?;
        }
        Some(found) if found.state == CaseState::Open.as_str() => {
            if needs_a_look || found.opened_by != INSPECTION {
                let mut update: cases::ActiveModel = found.into();
                update.rank = Set(row.rank);
                update.update(&transaction.inner).await.during("change the case of version", row.id)?;
            } else {
                close(transaction, found, None, "the newest inspection found nothing").await?;
            }
        }
        // Somebody closed it when less was known.
        Some(_) if needs_a_look && !is_decided && row.rank > before => {
            open(transaction, row, INSPECTION).await?;
        }
        _ => {}
    }
    Ok(())
}

/// What a decision means for the cases of these versions, which stand by now as it wants.
pub(crate) async fn decided(
    transaction: &Transaction,
    decision: &decisions::Model,
    versions: &[i64],
) -> Result<(), StoreError> {
    let action: DecisionAction = read_word(&decision.action, "action", decision.id)?;
    for some in versions.chunks(ROWS_AT_ONCE) {
        let query = versions::Entity::find().filter(versions::Column::Id.is_in(some.iter().copied()));
        let rows = query.order_by_asc(versions::Column::Id).all(&transaction.inner).await;
        for row in rows.during("read", "versions")? {
            let holds = row.decision_id == Some(decision.id);
            let outcome = match action {
                DecisionAction::Block => Some(Outcome::Malicious),
                DecisionAction::Release => Some(Outcome::Harmless),
                DecisionAction::Hold => None,
            };
            let found = of_version(&transaction.inner, row.id).await?;
            match (found, outcome) {
                (Some(found), Some(outcome)) if holds => {
                    close(transaction, found, Some(outcome), &decision.reason).await?;
                    let state = match outcome {
                        Outcome::Malicious => ReportState::Confirmed,
                        Outcome::Harmless => ReportState::Rejected,
                    };
                    crate::reports::answered(transaction, row.crate_id, row.id, state).await?;
                }
                // Somebody has to decide what becomes of what was put on hold.
                (_, None) if holds => {
                    open(transaction, &row, transaction.actor().unwrap_or_default()).await?;
                }
                (Some(_), _) if row.decision_id.is_none() && needs_a_look(&row)? => {
                    open(transaction, &row, transaction.actor().unwrap_or_default()).await?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}
