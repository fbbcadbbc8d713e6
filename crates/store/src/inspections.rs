//! What inspections found, and what policy made of it.
//!
//! Every inspection is kept; the newest is what counts. Case and answer are kept whole, as the JSON of
//! `model`'s types, so that a version's page explains a verdict of a year ago.

use cratekeeper_model::{Case, Level, PolicyAnswer, Verdict};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::entities::{inspections, provenance, versions};
use crate::error::During;
use crate::jobs::{Lease, LeaseState, NewJob, put_back};
use crate::ownership::shown;
use crate::registries::crate_by_id;
use crate::standing::{Enforcement, Standing, State, restate};
use crate::transaction::retried;
use crate::versions::version_by_id;
use crate::words::{clean, clean_optional, read_json, read_optional, read_word, write_json};
use crate::{Act, Store, StoreError, StoreErrorKind, VersionId};

/// Who signs what inspection does in the audit log.
pub const INSPECTION: &str = "(inspection)";

/// What an inspection found.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// What follows from it; never `Pending`.
    pub state: State,
    /// How that is enforced.
    pub enforcement: Enforcement,
    /// Why, as a sentence fragment.
    pub reason: String,
    /// What was found; `None` when inspection failed.
    pub case: Option<Case>,
    /// What policy made of it; `None` when inspection failed.
    pub answer: Option<PolicyAnswer>,
    /// What policy looked at besides the case, as JSON; `None` when inspection failed.
    pub circumstances: Option<String>,
    /// Which version of the analysis found it.
    pub analyzer: String,
    /// Length of the version's bytes, where it was not known before.
    pub size: Option<u64>,
    /// Number of the newest inspection of the version when this one began, 0 if there was none: one that was recorded since knew more. `None`
    /// where that does not matter.
    pub after: Option<i64>,
    /// When.
    pub at: i64,
}

/// An inspection, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InspectionRecord {
    /// Its number; later ones are higher.
    pub id: i64,
    /// The version.
    pub version: VersionId,
    /// When.
    pub at: i64,
    /// What followed from it.
    pub state: State,
    /// How that was enforced.
    pub enforcement: Enforcement,
    /// Why.
    pub reason: String,
    /// Id of the policy's clause that decided.
    pub clause: Option<String>,
    /// Level of the score.
    pub level: Option<Level>,
    /// Score.
    pub score: Option<u8>,
    /// Verdict.
    pub verdict: Option<Verdict>,
    /// What was found.
    pub case: Option<Case>,
    /// What policy made of it.
    pub answer: Option<PolicyAnswer>,
    /// Which version of the analysis found it.
    pub analyzer: String,
}

/// An inspection with all that a policy needs to be asked again.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedInspection {
    /// The inspection.
    pub record: InspectionRecord,
    /// What policy looked at besides the case, as JSON; `None` when inspection failed, or was kept by a program that did not keep it.
    pub circumstances: Option<String>,
}

impl TryFrom<inspections::Model> for RecordedInspection {
    type Error = StoreError;

    fn try_from(mut row: inspections::Model) -> Result<RecordedInspection, StoreError> {
        let circumstances = row.circumstances_json.take();
        Ok(RecordedInspection { record: row.try_into()?, circumstances })
    }
}

impl TryFrom<inspections::Model> for InspectionRecord {
    type Error = StoreError;

    fn try_from(row: inspections::Model) -> Result<InspectionRecord, StoreError> {
        let id = row.id;
        Ok(InspectionRecord {
            id,
            version: VersionId(row.version_id),
            at: row.at,
            state: read_word(&row.state, "state", id)?,
            enforcement: read_word(&row.enforcement, "enforcement", id)?,
            reason: row.reason,
            clause: row.clause,
            level: read_optional(row.level.as_deref(), "level", id)?,
            score: row.score.and_then(|it| u8::try_from(it).ok()),
            verdict: read_optional(row.verdict.as_deref(), "verdict", id)?,
            case: row.case_json.map(|text| read_json(&text, "case", id)).transpose()?,
            answer: row.answer_json.map(|text| read_json(&text, "answer", id)).transpose()?,
            analyzer: row.analyzer,
        })
    }
}

impl Inspection {
    fn level(&self) -> Option<Level> {
        self.case.as_ref().map(|it| it.level)
    }

    fn score(&self) -> Option<i32> {
        self.case.as_ref().map(|it| i32::from(it.score))
    }

    fn verdict(&self) -> Option<Verdict> {
        self.answer.as_ref().map(|it| it.verdict)
    }

    fn clause(&self) -> Option<String> {
        clean_optional(self.answer.as_ref().and_then(|it| it.clause.as_deref()))
    }

    fn row(&self, version: VersionId) -> Result<inspections::ActiveModel, StoreError> {
        Ok(inspections::ActiveModel {
            version_id: Set(version.0),
            at: Set(self.at),
            state: Set(self.state.as_str().to_owned()),
            enforcement: Set(self.enforcement.as_str().to_owned()),
            reason: Set(clean(&self.reason)),
            clause: Set(self.clause()),
            level: Set(self.level().map(|it| it.as_str().to_owned())),
            score: Set(self.score()),
            verdict: Set(self.verdict().map(|it| it.as_str().to_owned())),
            case_json: Set(self.case.as_ref().map(|it| write_json(it, "case")).transpose()?),
            answer_json: Set(self.answer.as_ref().map(|it| write_json(it, "answer")).transpose()?),
            analyzer: Set(clean(&self.analyzer)),
            circumstances_json: Set(clean_optional(self.circumstances.as_deref())),
            ..Default::default()
        })
    }

    fn update(&self, row: versions::Model) -> versions::ActiveModel {
        let size = row.size.or(self.size.and_then(|it| i64::try_from(it).ok()));
        let mut update: versions::ActiveModel = row.into();
        update.state = Set(self.state.as_str().to_owned());
        update.enforcement = Set(self.enforcement.as_str().to_owned());
        update.reason = Set(clean(&self.reason));
        update.clause = Set(self.clause());
        update.level = Set(self.level().map(|it| it.as_str().to_owned()));
        update.score = Set(self.score());
        update.verdict = Set(self.verdict().map(|it| it.as_str().to_owned()));
        update.inspected_at = Set(Some(self.at));
        update.rank = Set(self.score().unwrap_or(-1));
        update.size = Set(size);
        update
    }
}

impl Store {
    /// Keeps what an inspection found, writes it into the audit log, and ends its job, in one transaction.
    /// Gives what holds for the version now, which is a person's decision where there is one.
    ///
    /// # Errors
    ///
    /// `LeaseLost` when somebody else has the job by now; else when there is no such version, or the database
    /// refuses.
    pub async fn record_inspection(
        &self,
        version: VersionId,
        inspection: &Inspection,
        lease: Option<&Lease>,
    ) -> Result<Standing, StoreError> {
        retried!(self.try_record_inspection(version, inspection, lease).await)
    }

    async fn try_record_inspection(
        &self,
        version: VersionId,
        inspection: &Inspection,
        lease: Option<&Lease>,
    ) -> Result<Standing, StoreError> {
        if inspection.state == State::Pending {
            let reason = "an inspection that is over leaves no version pending".to_owned();
            return Err(StoreError::new(
                "record the inspection of version",
                version,
                StoreErrorKind::Invalid(reason),
            ));
        }
        let object = {
            let row = version_by_id(&self.read, version.0).await?;
            shown(&crate_by_id(&self.read, row.crate_id).await?, &row)
        };
        let mut transaction =
            self.act(Act::new(INSPECTION, "version.inspect", &object, inspection.at)).await?;
        if let Some(lease) = lease {
            transaction.complete(lease).await?;
        }
        if let Some(after) = inspection.after
            && newest(&transaction.inner, version).await? > after
        {
            return self.instead(transaction, version, lease).await;
        }
        // Read again: a decision may have been taken since.
        let row = version_by_id(&transaction.inner, version.0).await?;
        write_down(&mut transaction, row, inspection, &object).await?;
        let now =
            crate::VersionRecord::try_from(version_by_id(&transaction.inner, version.0).await?)?.standing;
        transaction.commit().await?;
        Ok(now)
    }

    /// Gives up the job that was to inspect a version, and writes down that nobody could, unless the version was inspected meanwhile.
    pub(crate) async fn record_failure(
        &self,
        version: VersionId,
        inspection: &Inspection,
        lease: &Lease,
        error: &str,
    ) -> Result<LeaseState, StoreError> {
        let mut transaction = self.change(inspection.at).await?;
        let state = put_back(&transaction.inner, lease, error, inspection.at).await?;
        let row = version_by_id(&transaction.inner, version.0).await?;
        if state == LeaseState::Held && row.state == State::Pending.as_str() {
            let object = shown(&crate_by_id(&transaction.inner, row.crate_id).await?, &row);
            transaction.also(Act::new(INSPECTION, "version.inspect", &object, inspection.at));
            write_down(&mut transaction, row, inspection, &object).await?;
        }
        transaction.commit().await?;
        Ok(state)
    }

    /// Instead of writing down a judgement by what was known before another one: its job is done again.
    async fn instead(
        &self,
        mut transaction: crate::Transaction,
        version: VersionId,
        lease: Option<&Lease>,
    ) -> Result<Standing, StoreError> {
        let now =
            crate::VersionRecord::try_from(version_by_id(&transaction.inner, version.0).await?)?.standing;
        let Some(lease) = lease else {
            transaction.roll_back().await?;
            return Ok(now);
        };
        let again = NewJob::new(&lease.kind, lease.payload.clone()).once(format!("{}:{version}", lease.kind));
        transaction.enqueue(&again).await?;
        transaction.set_detail(json!({ "put_off": "it was inspected by somebody else meanwhile" }));
        transaction.commit().await?;
        Ok(now)
    }

    /// Number of the newest inspection of a version; 0 where there is none.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn newest_inspection(&self, version: VersionId) -> Result<i64, StoreError> {
        newest(&self.read, version).await
    }

    /// The newest inspections of a version, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn inspections(
        &self,
        version: VersionId,
        limit: u64,
    ) -> Result<Vec<InspectionRecord>, StoreError> {
        let query = inspections::Entity::find()
            .filter(inspections::Column::VersionId.eq(version.0))
            .order_by_desc(inspections::Column::Id)
            .limit(limit);
        let rows = query.all(&self.read).await.during("read the inspections of version", version)?;
        rows.into_iter().map(InspectionRecord::try_from).collect()
    }

    /// The newest inspection of a version, with what a policy needs to be asked again; `None` where there is none.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn recorded_inspection(
        &self,
        version: VersionId,
    ) -> Result<Option<RecordedInspection>, StoreError> {
        let query = inspections::Entity::find()
            .filter(inspections::Column::VersionId.eq(version.0))
            .order_by_desc(inspections::Column::Id);
        let row = query.one(&self.read).await.during("read the inspections of version", version)?;
        row.map(RecordedInspection::try_from).transpose()
    }
}

impl Store {
    /// All inspections from `from` until before `to`, in the order of their moments, behind the moment and number `after`: for a replay.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn inspections_between(
        &self,
        from: i64,
        to: i64,
        after: Option<(i64, i64)>,
        limit: u64,
    ) -> Result<Vec<RecordedInspection>, StoreError> {
        use inspections::Column::{At, Id};
        let mut query = inspections::Entity::find().filter(At.gte(from)).filter(At.lt(to));
        if let Some((moment, id)) = after {
            query = query.filter(At.gt(moment).or(At.eq(moment).and(Id.gt(id))));
        }
        let query = query.order_by_asc(At).order_by_asc(Id).limit(limit);
        let rows = query.all(&self.read).await.during("read", "inspections")?;
        rows.into_iter().map(RecordedInspection::try_from).collect()
    }
}

/// Makes an inspection what counts for a version.
async fn write_down(
    transaction: &mut crate::Transaction,
    row: versions::Model,
    inspection: &Inspection,
    object: &str,
) -> Result<(), StoreError> {
    let version = VersionId(row.id);
    let krate = crate_by_id(&transaction.inner, row.crate_id).await?;
    let written = inspection.row(version)?.insert(&transaction.inner).await;
    written.during("record the inspection of", object)?;
    let rank_before = row.rank;
    let update = inspection.update(row).update(&transaction.inner).await;
    let row = update.during("record the inspection of", object)?;
    restate(transaction, krate.registry_id, vec![row]).await?;
    let row = version_by_id(&transaction.inner, version.0).await?;
    crate::cases::inspected(transaction, rank_before, &row).await?;
    note_first_verdict(transaction, version, inspection).await?;
    transaction.set_detail(json!({
        "state": inspection.state,
        "score": inspection.score(),
        "verdict": inspection.verdict(),
        "clause": inspection.clause(),
        "analyzer": inspection.analyzer,
    }));
    Ok(())
}

async fn newest(connection: &impl ConnectionTrait, version: VersionId) -> Result<i64, StoreError> {
    let query = inspections::Entity::find()
        .select_only()
        .expr(Expr::col(inspections::Column::Id).max())
        .filter(inspections::Column::VersionId.eq(version.0));
    let newest: Option<Option<i64>> =
        query.into_tuple().one(connection).await.during("read the inspections of version", version)?;
    Ok(newest.flatten().unwrap_or(0))
}

/// The first verdict belongs to how a version was published, whatever is thought of it later.
async fn note_first_verdict(
    transaction: &crate::Transaction,
    version: VersionId,
    inspection: &Inspection,
) -> Result<(), StoreError> {
    let (Some(verdict), Some(score)) = (inspection.verdict(), inspection.score()) else { return Ok(()) };
    let row = provenance::Entity::find_by_id(version.0).one(&transaction.inner).await;
    let row = row.during("read the provenance of version", version)?;
    let Some(row) = row.filter(|it| it.verdict.is_none()) else { return Ok(()) };
    let mut update: provenance::ActiveModel = row.into();
    update.verdict = Set(Some(verdict.as_str().to_owned()));
    update.score = Set(Some(score));
    update.update(&transaction.inner).await.during("write the provenance of version", version)?;
    Ok(())
}
