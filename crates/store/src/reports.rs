//! What people report about versions, and what their word is worth.
//!
//! Reports never decide anything: they open a case. What a reporter's earlier reports turned out to be is counted from the outcomes of
//! cases, so nobody has to keep a score that can drift from them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait as _, Set,
};
use serde::{Deserialize, Serialize};

use crate::entities::{advisory_drafts, cases, crates, provenance, registries, reports, users, versions};
use crate::error::During;
use crate::words::{clean, clean_optional, fold, read_word, words};
use crate::{
    CaseId, CrateId, RegistryKind, ReportId, Store, StoreError, StoreErrorKind, Transaction, VersionId,
    network,
};

/// Longest report, in bytes.
pub const REPORT: usize = 10_000;

/// Reporters of one version, and reports of one reporter, that are counted.
const REPORTERS: u64 = 1_000;

/// Crates about which somebody was right before their word counts for more: once may be luck.
const CONFIRMED: usize = 2;

/// How much more often right than wrong: a reporter who is wrong once in five times costs a triager's look, and no more.
const RIGHT_TO_WRONG: usize = 4;

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
    /// Where it came from. What is kept is the [`network`]: strangers are told apart by it.
    pub address: Option<IpAddr>,
}

/// What became of somebody's reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reputation {
    /// Reports of what turned out to be malicious.
    pub confirmed: u64,
    /// Reports of what turned out to be harmless.
    pub rejected: u64,
}

/// Distinct people who reported a version for one reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reporters {
    /// Accounts whose earlier reports were right.
    pub trusted: u64,
    /// Other accounts.
    pub known: u64,
    /// Addresses without an account; of IPv6, networks of 64 bits.
    pub anonymous: u64,
}

/// Who reports a version, by reason. Advertising and anything else are for people to read, and count nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportCounts {
    /// That it does harm.
    pub malware: Reporters,
    /// That its name is meant to be taken for another.
    pub impersonation: Reporters,
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
        let address = new.address.map(|it| network(it).to_string());
        let mut same = reports::Entity::find().filter(reports::Column::CrateId.eq(new.krate.0));
        same = match new.version {
            Some(version) => same.filter(reports::Column::VersionId.eq(version.0)),
            None => same.filter(reports::Column::VersionId.is_null()),
        };
        same = match &new.reporter {
            Some(login) => same.filter(reports::Column::ReporterFolded.eq(fold(login))),
            None => same
                .filter(reports::Column::ReporterFolded.is_null())
                .filter(reports::Column::Address.eq(address.clone())),
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
            address: Set(address),
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
    /// Reports about a version or about its crate as a whole: those of accounts first, then the newest. So many of strangers hide none that
    /// somebody answers for.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn reports_about(
        &self,
        krate: CrateId,
        version: VersionId,
        limit: u64,
    ) -> Result<Vec<Report>, StoreError> {
        use reports::Column::{CrateId as Of, Id, Reporter, VersionId as About};
        let about = About.is_null().or(About.eq(version.0));
        let mut found = Vec::new();
        for with_account in [true, false] {
            let query = reports::Entity::find().filter(Of.eq(krate.0)).filter(about.clone());
            let query = query.filter(if with_account { Reporter.is_not_null() } else { Reporter.is_null() });
            let rows = query.order_by_desc(Id).limit(limit).all(&self.read).await;
            found.extend(rows.during("read the reports of crate", krate)?);
        }
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        found.into_iter().map(Report::try_from).collect()
    }

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

    /// Who reports a version, apart from what turned out to be wrong. Reports of the crate as a whole are about each of its versions.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn report_counts(
        &self,
        krate: CrateId,
        version: VersionId,
    ) -> Result<ReportCounts, StoreError> {
        Ok(ReportCounts {
            malware: self.reporters(krate, version, ReportKind::Malware).await?,
            impersonation: self.reporters(krate, version, ReportKind::Impersonation).await?,
        })
    }

    async fn reporters(
        &self,
        krate: CrateId,
        version: VersionId,
        kind: ReportKind,
    ) -> Result<Reporters, StoreError> {
        use reports::Column::{Address, CrateId as Of, Kind, ReporterFolded, State, VersionId as About};
        let about = || {
            reports::Entity::find()
                .select_only()
                .filter(Of.eq(krate.0))
                .filter(About.eq(version.0).or(About.is_null()))
                .filter(Kind.eq(kind.as_str()))
                .filter(State.ne(ReportState::Rejected.as_str()))
                .distinct()
                .limit(REPORTERS)
        };
        let named = about().column(ReporterFolded).filter(ReporterFolded.is_not_null());
        let named: Vec<Option<String>> =
            named.into_tuple().all(&self.read).await.during("read", "reports")?;
        let named: Vec<String> = named.into_iter().flatten().collect();
        let nameless = about().column(Address).filter(ReporterFolded.is_null());
        let nameless: Vec<Option<String>> =
            nameless.into_tuple().all(&self.read).await.during("read", "reports")?;
        // What was kept before networks were is a whole address.
        let networks: BTreeSet<Option<IpAddr>> =
            nameless.into_iter().map(|it| it.and_then(|it| it.parse().ok()).map(network)).collect();
        let mut reporters = Reporters { anonymous: networks.len() as u64, ..Reporters::default() };
        let enabled = users::Entity::find()
            .select_only()
            .column(users::Column::Folded)
            .filter(users::Column::Folded.is_in(named.iter().cloned()))
            .filter(users::Column::DisabledAt.is_null());
        let enabled: Vec<String> = enabled.into_tuple().all(&self.read).await.during("read", "reporters")?;
        for login in enabled {
            match self.is_trusted(&login, krate).await? {
                true => reporters.trusted += 1,
                false => reporters.known += 1,
            }
        }
        Ok(reporters)
    }

    /// Whether somebody's reports about other crates were right: of two crates or more that others published, and of four times as many as they
    /// were wrong about. Whoever would have two accounts believed has to give malware of two others away with each.
    async fn is_trusted(&self, folded: &str, besides: CrateId) -> Result<bool, StoreError> {
        let crates = async |state: ReportState| {
            let query = reports::Entity::find()
                .select_only()
                .column(reports::Column::CrateId)
                .filter(reports::Column::ReporterFolded.eq(folded))
                .filter(reports::Column::State.eq(state.as_str()))
                .filter(reports::Column::CrateId.ne(besides.0))
                .filter(
                    reports::Column::Kind
                        .is_in([ReportKind::Malware.as_str(), ReportKind::Impersonation.as_str()]),
                )
                .distinct()
                .limit(REPORTERS);
            query.into_tuple::<i64>().all(&self.read).await.during("read", "reports")
        };
        let confirmed = crates(ReportState::Confirmed).await?;
        if confirmed.len() < CONFIRMED {
            return Ok(false);
        }
        let own = versions::Entity::find()
            .select_only()
            .column(versions::Column::CrateId)
            .join_rev(
                sea_orm::JoinType::InnerJoin,
                provenance::Entity::belongs_to(versions::Entity)
                    .from(provenance::Column::VersionId)
                    .to(versions::Column::Id)
                    .into(),
            )
            .filter(versions::Column::CrateId.is_in(confirmed.iter().copied()))
            .filter(provenance::Column::PublisherFolded.eq(folded))
            // Reporters have their accounts here: an upstream's publisher of that login is somebody else.
            .filter(
                versions::Column::CrateId.in_subquery(
                    crates::Entity::find()
                        .select_only()
                        .column(crates::Column::Id)
                        .filter(crates::Column::Id.is_in(confirmed.iter().copied()))
                        .join_rev(
                            sea_orm::JoinType::InnerJoin,
                            registries::Entity::belongs_to(crates::Entity)
                                .from(registries::Column::Id)
                                .to(crates::Column::RegistryId)
                                .into(),
                        )
                        .filter(registries::Column::Kind.eq(RegistryKind::Hosted.as_str()))
                        .into_query(),
                ),
            )
            .distinct();
        let own: Vec<i64> = own.into_tuple().all(&self.read).await.during("read", "publishers")?;
        let right = confirmed.iter().filter(|it| !own.contains(it)).count();
        let wrong = crates(ReportState::Rejected).await?.len();
        Ok(right >= CONFIRMED && right >= wrong.saturating_mul(RIGHT_TO_WRONG))
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
