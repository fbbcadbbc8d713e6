//! What people decided: to hold, release or block a version, a crate or everything of a publisher; what they
//! say instead of an upstream's yanks.
//!
//! Everything can be undone, and stays readable with who did it and why.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::entities::{crates, decisions, events, versions};
use crate::error::During;
use crate::outbox::Told;
use crate::ownership::{By, EventKind};
use crate::registries::{crate_by_id, registry_by_id};
use crate::standing::{DecisionAction, Enforcement, restate, versions_about};
use crate::versions::version_by_id;
use crate::words::{clean, clean_optional, fold, read_word};
use crate::{
    CrateId, DecisionId, RegistryId, RegistryKind, Store, StoreError, StoreErrorKind, Transaction, VersionId,
    YankOverlay,
};

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// One version.
    Version(VersionId),
    /// All versions of a crate, later ones too.
    Crate(CrateId),
    /// All that somebody published in a registry, and what they publish there later.
    Publisher(RegistryId, String),
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Its number.
    pub id: DecisionId,
    /// What it is about.
    pub subject: Subject,
    /// What was decided.
    pub action: DecisionAction,
    /// How a hold or a block is enforced.
    pub enforcement: Enforcement,
    /// Why.
    pub reason: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub at: i64,
    /// Who undid it, when and why.
    pub undone: Option<Undone>,
    /// The second person who confirmed what contained something at once, and when.
    pub confirmed: Option<(String, i64)>,
}

/// How a decision ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// By whom.
    pub by: String,
    /// When.
    pub at: i64,
    /// Why.
    pub reason: String,
}

impl TryFrom<decisions::Model> for Decision {
    type Error = StoreError;

    fn try_from(row: decisions::Model) -> Result<Decision, StoreError> {
        let id = row.id;
        let subject = match (row.version_id, row.crate_id, row.publisher) {
            (Some(version), ..) => Subject::Version(VersionId(version)),
            (None, Some(krate), _) => Subject::Crate(CrateId(krate)),
            (None, None, login) => Subject::Publisher(RegistryId(row.registry_id), login.unwrap_or_default()),
        };
        let undone = row.undone_by.zip(row.undone_at).map(|(by, at)| Undone {
            by,
            at,
            reason: row.undo_reason.unwrap_or_default(),
        });
        Ok(Decision {
            id: DecisionId(id),
            subject,
            action: read_word(&row.action, "action", id)?,
            enforcement: read_word(&row.enforcement, "enforcement", id)?,
            reason: row.reason,
            actor: row.actor,
            at: row.at,
            undone,
            confirmed: row.confirmed_by.zip(row.confirmed_at),
        })
    }
}

/// A decision to be, of whoever acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// What it is about.
    pub subject: Subject,
    /// What is decided.
    pub action: DecisionAction,
    /// How a hold or a block is enforced.
    pub enforcement: Enforcement,
    /// Why: whoever is refused reads it.
    pub reason: String,
}

/// Which yanks are to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Yanks {
    /// Those that somebody made in a registry.
    By(RegistryId, String),
    /// Those of a crate, whoever made them.
    Of(CrateId),
}

impl Transaction {
    /// Writes a decision down and applies it. Gives its number, and the versions for which something else holds now.
    ///
    /// # Errors
    ///
    /// When there is no such version, crate or registry, or the database refuses.
    pub async fn decide(&mut self, new: &NewDecision) -> Result<(DecisionId, Vec<VersionId>), StoreError> {
        let (scope, registry, crate_id, version_id, publisher) = match &new.subject {
            Subject::Version(id) => {
                let row = version_by_id(&self.inner, id.0).await?;
                let krate = crate_by_id(&self.inner, row.crate_id).await?;
                ("version", krate.registry_id, None, Some(id.0), None)
            }
            Subject::Crate(id) => {
                ("crate", crate_by_id(&self.inner, id.0).await?.registry_id, Some(id.0), None, None)
            }
            Subject::Publisher(registry, login) => (
                "publisher",
                registry_by_id(&self.inner, *registry).await?.id,
                None,
                None,
                Some(login.as_str()),
            ),
        };
        let row = decisions::ActiveModel {
            scope: Set(scope.to_owned()),
            registry_id: Set(registry),
            crate_id: Set(crate_id),
            version_id: Set(version_id),
            publisher: Set(publisher.map(clean)),
            publisher_folded: Set(publisher.map(fold)),
            action: Set(new.action.as_str().to_owned()),
            enforcement: Set(new.enforcement.as_str().to_owned()),
            reason: Set(clean(&new.reason)),
            actor: Set(clean(self.actor().unwrap_or_default())),
            at: Set(self.at),
            newest_version: Set(Some(self.newest_version().await?)),
            ..Default::default()
        };
        let row = row.insert(&self.inner).await.during("write down the decision about", scope)?;
        let id = DecisionId(row.id);
        let changed = self.apply(&row, new.action.as_str(), &new.reason).await?;
        Ok((id, changed))
    }

    /// Confirms a decision that contained something at once; whoever took it cannot.
    ///
    /// # Errors
    ///
    /// When there is no such decision, it was undone or confirmed before, it contains nothing, whoever acts took it, or the database refuses.
    pub async fn confirm_decision(&mut self, id: DecisionId) -> Result<Decision, StoreError> {
        let row =
            decisions::Entity::find_by_id(id.0).one(&self.inner).await.during("look for the decision", id)?;
        let row = row.filter(|it| it.undone_at.is_none()).during("find the decision", id)?;
        let by = self.actor().unwrap_or_default().to_owned();
        let refused = |reason: &str| {
            Err(StoreError::new("confirm the decision", id, StoreErrorKind::Refused(reason.to_owned())))
        };
        if row.confirmed_at.is_some() {
            return refused("it was confirmed before");
        }
        if row.action == DecisionAction::Release.as_str() {
            return refused("a release is agreed to before it is done");
        }
        if fold(&row.actor) == fold(&by) {
            return refused("whoever took a decision cannot confirm it");
        }
        crate::requests::refuse_unfit(self, (&row.actor, &by), "confirm the decision").await?;
        let mut update: decisions::ActiveModel = row.into();
        update.confirmed_by = Set(Some(clean(&by)));
        update.confirmed_at = Set(Some(self.at));
        update.update(&self.inner).await.during("confirm the decision", id)?.try_into()
    }

    /// Writes down who agreed beforehand to an act that took this decision.
    ///
    /// # Errors
    ///
    /// When there is no such decision, it was undone or confirmed before, or the database refuses.
    pub async fn note_agreement(&mut self, id: DecisionId, second: &str) -> Result<(), StoreError> {
        let update = decisions::Entity::update_many()
            .col_expr(decisions::Column::ConfirmedBy, Expr::value(Some(clean(second))))
            .col_expr(decisions::Column::ConfirmedAt, Expr::value(Some(self.at)))
            .filter(decisions::Column::Id.eq(id.0))
            .filter(decisions::Column::UndoneAt.is_null())
            .filter(decisions::Column::ConfirmedAt.is_null());
        let updated = update.exec(&self.inner).await.during("confirm the decision", id)?;
        (updated.rows_affected == 1).then_some(()).during("find the decision", id)
    }

    /// The highest number of a version; 0 where there is none.
    async fn newest_version(&self) -> Result<i64, StoreError> {
        let query = versions::Entity::find().select_only().expr(Expr::col(versions::Column::Id).max());
        let newest: Option<Option<i64>> =
            query.into_tuple().one(&self.inner).await.during("look for", "versions")?;
        Ok(newest.flatten().unwrap_or(0))
    }

    /// Undoes a decision. Gives the versions for which something else holds now.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such decision, or it was undone before.
    pub async fn undo_decision(
        &mut self,
        id: DecisionId,
        reason: &str,
    ) -> Result<Vec<VersionId>, StoreError> {
        let row =
            decisions::Entity::find_by_id(id.0).one(&self.inner).await.during("look for the decision", id)?;
        let row = row.filter(|it| it.undone_at.is_none()).during("undo the decision", id)?;
        let mut update: decisions::ActiveModel = row.into();
        update.undone_by = Set(Some(clean(self.actor().unwrap_or_default())));
        update.undone_at = Set(Some(self.at));
        update.undo_reason = Set(Some(clean(reason)));
        let row = update.update(&self.inner).await.during("undo the decision", id)?;
        self.apply(&row, "undo", reason).await
    }

    /// Works out what follows from a decision that was taken or undone, and has webhooks told about it.
    async fn apply(
        &mut self,
        row: &decisions::Model,
        act: &'static str,
        reason: &str,
    ) -> Result<Vec<VersionId>, StoreError> {
        let about = versions_about(self, row).await?;
        let numbers: Vec<i64> = about.iter().map(|it| it.id).collect();
        let begun = self.outbox.begin();
        let changed = restate(self, row.registry_id, about).await?;
        crate::cases::decided(self, row, &numbers).await?;
        let by = self.actor().unwrap_or_default().to_owned();
        self.outbox.decided(begun, &by, Told { act, reason, decision: Some(row), versions: &[] });
        Ok(changed.into_iter().map(VersionId).collect())
    }

    /// Has webhooks told about an act on versions that is no decision about their standing, such as `pass-on-yanks`.
    pub fn decided(&mut self, act: &'static str, reason: &str, versions: &[VersionId]) {
        let begun = self.outbox.begin();
        let by = self.actor().unwrap_or_default().to_owned();
        self.outbox.decided(begun, &by, Told { act, reason, decision: None, versions });
    }

    /// Says something else than the registry about whether a version is withdrawn; `None` ends that. It
    /// survives refreshes.
    ///
    /// # Errors
    ///
    /// When there is no such version, or the database refuses.
    pub async fn set_overlay(
        &mut self,
        version: VersionId,
        overlay: Option<YankOverlay>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let row = version_by_id(&self.inner, version.0).await?;
        let crate_id = row.crate_id;
        let mut update: versions::ActiveModel = row.into();
        update.overlay = Set(overlay.map(|it| it.as_str().to_owned()));
        update.overlay_reason = Set(clean_optional(overlay.is_some().then_some(reason)));
        update.overlay_by = Set(overlay.and_then(|_| self.actor().map(clean)));
        update.overlay_at = Set(overlay.map(|_| self.at));
        update.update(&self.inner).await.during("set the overlay of version", version)?;
        self.changed(crate_id);
        Ok(())
    }

    /// Takes yanks back that were made from `from` until before `to` and still hold: in the hosted registry
    /// by putting the versions back, for an upstream by an overlay. Gives the versions.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn roll_back_yanks(
        &mut self,
        yanks: &Yanks,
        from: i64,
        to: i64,
        reason: &str,
        by: By<'_>,
    ) -> Result<Vec<VersionId>, StoreError> {
        let query = events::Entity::find()
            .filter(events::Column::Kind.eq(EventKind::Yank.as_str()))
            .filter(events::Column::At.gte(from))
            .filter(events::Column::At.lt(to));
        let query = match yanks {
            Yanks::By(registry, login) => {
                let of_registry = sea_orm::sea_query::Query::select()
                    .column(crates::Column::Id)
                    .from(crates::Entity)
                    .and_where(crates::Column::RegistryId.eq(registry.0))
                    .to_owned();
                query
                    .filter(events::Column::ActorFolded.eq(fold(login)))
                    .filter(events::Column::CrateId.in_subquery(of_registry))
            }
            Yanks::Of(krate) => query.filter(events::Column::CrateId.eq(krate.0)),
        };
        let rows =
            query.order_by_asc(events::Column::Id).all(&self.inner).await.during("look for", "yanks")?;
        let mut ids: Vec<i64> = rows.iter().filter_map(|it| it.version_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut taken_back = Vec::new();
        for id in ids {
            if self.take_back_yank(VersionId(id), reason, by).await? {
                taken_back.push(VersionId(id));
            }
        }
        self.decided("roll-back-yanks", reason, &taken_back);
        Ok(taken_back)
    }

    async fn take_back_yank(&mut self, id: VersionId, reason: &str, by: By<'_>) -> Result<bool, StoreError> {
        let row = version_by_id(&self.inner, id.0).await?;
        let krate = crate_by_id(&self.inner, row.crate_id).await?;
        let registry = registry_by_id(&self.inner, RegistryId(krate.registry_id)).await?;
        if registry.kind == RegistryKind::Hosted.as_str() {
            return self.set_yanked(id, false, by).await;
        }
        // One that the gate holds back by itself is not passed on any more: a person said so.
        if !row.yanked || row.overlay_by.as_deref().is_some_and(|it| !it.starts_with('(')) {
            return Ok(false);
        }
        self.set_overlay(id, Some(YankOverlay::Available), reason).await?;
        Ok(true)
    }
}

/// Which decisions. Every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct DecisionFilter {
    /// About this.
    pub subject: Option<Subject>,
    /// Not those that were undone.
    pub standing_only: bool,
    /// Only those that contained something at once and that nobody confirmed yet.
    pub unconfirmed_only: bool,
}

impl Store {
    /// The decision of this number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database refuses.
    pub async fn decision(&self, id: DecisionId) -> Result<Decision, StoreError> {
        let row =
            decisions::Entity::find_by_id(id.0).one(&self.read).await.during("look for the decision", id)?;
        row.during("find the decision", id)?.try_into()
    }

    /// How many decisions contained something at once and wait for a second person to confirm them.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn decisions_unconfirmed(&self) -> Result<u64, StoreError> {
        let query = decisions::Entity::find()
            .filter(decisions::Column::ConfirmedAt.is_null())
            .filter(decisions::Column::UndoneAt.is_null())
            .filter(decisions::Column::Action.ne(DecisionAction::Release.as_str()));
        query.count(&self.read).await.during("count", "decisions")
    }

    /// Decisions, newest first, before the one with the number `before`.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn decisions(
        &self,
        filter: &DecisionFilter,
        before: Option<DecisionId>,
        limit: u64,
    ) -> Result<Vec<Decision>, StoreError> {
        let mut query = decisions::Entity::find();
        query = match &filter.subject {
            None => query,
            Some(Subject::Version(id)) => query.filter(decisions::Column::VersionId.eq(id.0)),
            Some(Subject::Crate(id)) => query.filter(decisions::Column::CrateId.eq(id.0)),
            Some(Subject::Publisher(registry, login)) => query
                .filter(decisions::Column::RegistryId.eq(registry.0))
                .filter(decisions::Column::PublisherFolded.eq(fold(login))),
        };
        if filter.standing_only {
            query = query.filter(decisions::Column::UndoneAt.is_null());
        }
        if filter.unconfirmed_only {
            query = query
                .filter(decisions::Column::UndoneAt.is_null())
                .filter(decisions::Column::ConfirmedAt.is_null())
                .filter(decisions::Column::Action.ne(DecisionAction::Release.as_str()));
        }
        if let Some(before) = before {
            query = query.filter(decisions::Column::Id.lt(before.0));
        }
        let rows = query.order_by_desc(decisions::Column::Id).limit(limit).all(&self.read).await;
        rows.during("list", "decisions")?.into_iter().map(Decision::try_from).collect()
    }
}

/// Refuses a reason that says nothing: whoever is stopped is told it.
impl NewDecision {
    /// A decision with a reason.
    ///
    /// # Errors
    ///
    /// `Invalid` when the reason is empty.
    pub fn new(
        subject: Subject,
        action: DecisionAction,
        enforcement: Enforcement,
        reason: &str,
    ) -> Result<NewDecision, StoreError> {
        if reason.trim().is_empty() {
            let kind = StoreErrorKind::Invalid("a decision needs a reason".to_owned());
            return Err(StoreError::new("decide", action, kind));
        }
        Ok(NewDecision { subject, action, enforcement, reason: reason.trim().to_owned() })
    }
}
