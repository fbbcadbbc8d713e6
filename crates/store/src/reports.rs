//! What people report about versions, and what their word is worth.
//!
//! Reports never decide anything: they open a case. What a reporter's earlier reports turned out to be is counted from the outcomes of
//! cases, so nobody has to keep a score that can drift from them.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::entities::{advisory_drafts, cases, reports};
use crate::error::During;
use crate::words::{clean, clean_optional, fold, read_word, words};
use crate::{CaseId, CrateId, ReportId, Store, StoreError, StoreErrorKind, Transaction, VersionId};

/// Longest report, in bytes.
pub const REPORT: usize = 10_000;

words! {
    /// What is reported.
    pub enum ReportKind {
        /// It does harm to whoever builds or runs it.
        Malware = "malware",
        /// Its name is meant to be taken for another.
        Impersonation = "impersonation",
        /// It is advertising, or nothing.
        Spam = "spam",
        /// Something else.
        Other = "other",
    }
}

words! {
    /// What became of a report.
    pub enum ReportState {
        /// Nobody decided yet.
        Open = "open",
        /// Its version turned out to be malicious.
        Confirmed = "confirmed",
        /// Its version turned out to be harmless.
        Rejected = "rejected",
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its number.
    pub id: ReportId,
    /// The crate.
    pub crate_id: CrateId,
    /// The version; the crate as a whole when `None`.
    pub version: Option<VersionId>,
    /// What is reported.
    pub kind: ReportKind,
    /// In whoever's words.
    pub text: String,
    /// Login of the reporter; `None` for somebody without an account.
    pub reporter: Option<String>,
    /// How they can be reached.
    pub contact: Option<String>,
    /// When.
    pub at: i64,
    /// What became of it.
    pub state: ReportState,
}

impl TryFrom<reports::Model> for Report {
    type Error = StoreError;

    fn try_from(row: reports::Model) -> Result<Report, StoreError> {
        Ok(Report {
            id: ReportId(row.id),
            crate_id: CrateId(row.crate_id),
            version: row.version_id.map(VersionId),
            kind: read_word(&row.kind, "kind", row.id)?,
            text: row.text,
            reporter: row.reporter,
            contact: row.contact,
            at: row.at,
            state: read_word(&row.state, "state", row.id)?,
        })
    }
}

/// A report to be.
#[derive(Debug, Clone)]
pub struct NewReport {
    /// The crate.
    pub krate: CrateId,
    /// The version; the crate as a whole when `None`.
    pub version: Option<VersionId>,
    /// What is reported.
    pub kind: ReportKind,
    /// In whoever's words.
    pub text: String,
    /// Login of the reporter.
    pub reporter: Option<String>,
    /// How they can be reached.
    pub contact: Option<String>,
    /// Where it came from.
    pub address: Option<String>,
}

/// What became of somebody's reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reputation {
    /// Reports of what turned out to be malicious.
    pub confirmed: u64,
    /// Reports of what turned out to be harmless.
    pub rejected: u64,
}

/// The draft of an advisory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvisoryDraft {
    /// In the format of the advisory database.
    pub text: String,
    /// Who wrote it last.
    pub author: String,
    /// When.
    pub at: i64,
}

impl Transaction {
    /// Writes a report down.
    ///
    /// # Errors
    ///
    /// When it says nothing or too much, somebody reported the same before, or the database refuses.
    pub async fn report(&mut self, new: &NewReport) -> Result<ReportId, StoreError> {
        let refused = |kind: StoreErrorKind| Err(StoreError::new("report the crate", new.krate, kind));
        if new.text.trim().is_empty() || new.text.len() > REPORT {
            return refused(StoreErrorKind::Invalid(format!("a report has 1 to {REPORT} bytes")));
        }
        let mut same = reports::Entity::find().filter(reports::Column::CrateId.eq(new.krate.0));
        same = match new.version {
            Some(version) => same.filter(reports::Column::VersionId.eq(version.0)),
            None => same.filter(reports::Column::VersionId.is_null()),
        };
        same = match &new.reporter {
            Some(login) => same.filter(reports::Column::ReporterFolded.eq(fold(login))),
            None => same
                .filter(reports::Column::ReporterFolded.is_null())
                .filter(reports::Column::Address.eq(new.address.clone())),
        };
        if same.one(&self.inner).await.during("look for", "reports")?.is_some() {
            return refused(StoreErrorKind::AlreadyExists);
        }
        let row = reports::ActiveModel {
            crate_id: Set(new.krate.0),
            version_id: Set(new.version.map(|it| it.0)),
            kind: Set(new.kind.as_str().to_owned()),
            text: Set(clean(new.text.trim())),
            reporter: Set(clean_optional(new.reporter.as_deref())),
            reporter_folded: Set(new.reporter.as_deref().map(fold)),
            contact: Set(clean_optional(new.contact.as_deref())),
            address: Set(clean_optional(new.address.as_deref())),
            at: Set(self.at),
            state: Set(ReportState::Open.as_str().to_owned()),
            ..Default::default()
        };
        Ok(ReportId(row.insert(&self.inner).await.during("report the crate", new.krate)?.id))
    }

    /// Keeps the draft of a case's advisory, in the place of the one before.
    ///
    /// # Errors
    ///
    /// When there is no such case, or the database refuses.
    pub async fn draft_advisory(&mut self, case: CaseId, text: &str) -> Result<(), StoreError> {
        let found = cases::Entity::find_by_id(case.0).one(&self.inner).await;
        found.during("look for the case", case)?.during("find the case", case)?;
        let before = advisory_drafts::Entity::delete_by_id(case.0).exec(&self.inner).await;
        before.during("replace the advisory of case", case)?;
        let row = advisory_drafts::ActiveModel {
            case_id: Set(case.0),
            text: Set(clean(text)),
            author: Set(clean(self.actor().unwrap_or_default())),
            at: Set(self.at),
        };
        let inserted = advisory_drafts::Entity::insert(row).exec_without_returning(&self.inner).await;
        inserted.during("keep the advisory of case", case)?;
        Ok(())
    }
}

/// What the outcome of a version's case says about reports of it.
pub(crate) async fn answered(
    transaction: &Transaction,
    crate_id: i64,
    version: i64,
    state: ReportState,
) -> Result<(), StoreError> {
    let update = reports::Entity::update_many()
        .col_expr(reports::Column::State, Expr::value(state.as_str()))
        .filter(reports::Column::CrateId.eq(crate_id))
        .filter(reports::Column::VersionId.eq(version).or(reports::Column::VersionId.is_null()));
    update.exec(&transaction.inner).await.during("answer reports of version", version)?;
    Ok(())
}

impl Store {
    /// Reports of a crate, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn reports_of(&self, krate: CrateId, limit: u64) -> Result<Vec<Report>, StoreError> {
        let query = reports::Entity::find().filter(reports::Column::CrateId.eq(krate.0));
        let rows = query.order_by_desc(reports::Column::Id).limit(limit).all(&self.read).await;
        rows.during("read the reports of crate", krate)?.into_iter().map(Report::try_from).collect()
    }

    /// What became of a reporter's reports.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn reputation(&self, login: &str) -> Result<Reputation, StoreError> {
        let count = async |state: ReportState| {
            let query = reports::Entity::find()
                .filter(reports::Column::ReporterFolded.eq(fold(login)))
                .filter(reports::Column::State.eq(state.as_str()));
            query.count(&self.read).await.during("count the reports of", login)
        };
        Ok(Reputation {
            confirmed: count(ReportState::Confirmed).await?,
            rejected: count(ReportState::Rejected).await?,
        })
    }

    /// The draft of a case's advisory.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn advisory_draft(&self, case: CaseId) -> Result<Option<AdvisoryDraft>, StoreError> {
        let found = advisory_drafts::Entity::find_by_id(case.0).one(&self.read).await;
        let found = found.during("look for the advisory of case", case)?;
        Ok(found.map(|it| AdvisoryDraft { text: it.text, author: it.author, at: it.at }))
    }
}
