//! Taking in what an upstream's index says about a crate.
//!
//! What was seen first counts: a line or a checksum that changes under a published version is not taken over,
//! it is reported. Only whether a version is yanked follows the upstream, unless an overlay says otherwise,
//! and a time of publication may be added where there was none: registries began to state those long after
//! most versions were published. Who did what there is not known, and stays unknown.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::Checksum;
use sea_orm::{ActiveModelTrait, Set};
use semver::Version;
use serde_json::Value;

use crate::entities::versions;
use crate::error::During;
use crate::jobs::NewJob;
use crate::ownership::{By, EventKind};
use crate::publish::FirstSight;
use crate::registries::{crate_by_name, ensure_crate, registry_by_id};
use crate::standing::restate;
use crate::transaction::retried;
use crate::versions::{identity, version_by_id, versions_of};
use crate::words::clean;
use crate::{
    RegistryId, RegistryKind, Store, StoreError, StoreErrorKind, Transaction, VersionId, YankOverlay,
};

/// A version as an upstream's index shows it.
#[derive(Debug, Clone)]
pub struct ObservedVersion {
    /// Which version.
    pub version: Version,
    /// SHA-256 that the index promises.
    pub checksum: Checksum,
    /// Whether it says that the version is withdrawn.
    pub yanked: bool,
    /// The line.
    pub index_line: String,
    /// When it was published, where the index says so.
    pub published_at: Option<i64>,
    /// Whether it is shown before it was inspected, if it is new here.
    pub listed_while_pending: bool,
    /// Its inspection, if it is new here. The payload gets a field `version_id`.
    pub job: Option<NewJob>,
}

/// What becomes of yanks that are new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewYanks {
    /// They are shown.
    PassOn,
    /// The versions are shown as available until somebody decided; the reason.
    HoldBack(String),
}

/// What is different from what was seen before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// Versions that are new here.
    pub added: Vec<VersionId>,
    /// Versions that are withdrawn since.
    pub yanked: Vec<VersionId>,
    /// Versions that were put back since.
    pub unyanked: Vec<VersionId>,
    /// Versions that have another checksum or another line now. What was seen first is kept.
    pub contradicted: Vec<Contradiction>,
    /// Versions that the upstream does not show any more. They are kept.
    pub missing: Vec<VersionId>,
}

/// A published version that an upstream describes in another way than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The version.
    pub version: VersionId,
    /// SHA-256 that was promised first.
    pub first: Checksum,
    /// SHA-256 that is promised now; the same when only the line differs.
    pub now: Checksum,
}

/// What is to be written.
#[derive(Default)]
struct Difference<'a> {
    new: Vec<&'a ObservedVersion>,
    yanks: Vec<(i64, bool)>,
    /// Versions whose time of publication was not stated before.
    dated: Vec<(i64, i64)>,
    contradicted: Vec<Contradiction>,
    missing: Vec<VersionId>,
}

impl Difference<'_> {
    fn is_empty(&self) -> bool {
        self.new.is_empty() && self.yanks.is_empty() && self.dated.is_empty()
    }
}

/// An index line without what may change: whether the version is withdrawn.
fn without_yank(line: &str) -> Option<serde_json::Map<String, Value>> {
    let Value::Object(mut fields) = serde_json::from_str(line).ok()? else { return None };
    fields.remove("yanked");
    Some(fields)
}

/// Whether two lines say the same about a version, apart from what may change and what may be added.
fn says_the_same(first: &str, now: &str) -> bool {
    if first == now {
        return true;
    }
    let (Some(first), Some(mut now)) = (without_yank(first), without_yank(now)) else { return false };
    if !first.contains_key("pubtime") {
        now.remove("pubtime");
    }
    first == now
}

fn difference<'a>(
    rows: Vec<versions::Model>,
    observed: &'a [ObservedVersion],
) -> Result<Difference<'a>, StoreError> {
    let mut known: BTreeMap<String, versions::Model> =
        rows.into_iter().map(|row| (row.identity.clone(), row)).collect();
    let mut seen = BTreeSet::new();
    let mut found = Difference::default();
    for version in observed {
        let identity = identity(&version.version);
        // Of two lines about one version the first counts: they could not both be served.
        if !seen.insert(identity.clone()) {
            continue;
        }
        let Some(row) = known.remove(&identity) else {
            found.new.push(version);
            continue;
        };
        if row.checksum != version.checksum.to_string()
            || !says_the_same(&row.index_line, &clean(&version.index_line))
        {
            let first = crate::words::read_word(&row.checksum, "checksum", row.id)?;
            found.contradicted.push(Contradiction {
                version: VersionId(row.id),
                first,
                now: version.checksum,
            });
        }
        if let (None, Some(at)) = (row.published_at, version.published_at) {
            found.dated.push((row.id, at));
        }
        if row.yanked != version.yanked {
            found.yanks.push((row.id, version.yanked));
        }
    }
    found.missing = known.into_values().map(|row| VersionId(row.id)).collect();
    Ok(found)
}

impl Store {
    /// Takes in all that an upstream's index says about a crate. Nothing is written when nothing is new.
    ///
    /// # Errors
    ///
    /// `Refused` when the registry is no upstream; `NameTaken`; else when the database refuses.
    pub async fn observe(
        &self,
        registry: RegistryId,
        name: &str,
        observed: &[ObservedVersion],
        new_yanks: &NewYanks,
        at: i64,
    ) -> Result<Observation, StoreError> {
        if let Some(krate) = crate_by_name(&self.read, registry, name).await?
            && krate.name == name
        {
            let found = difference(versions_of(&self.read, krate.id).await?, observed)?;
            if found.is_empty() {
                let Difference { contradicted, missing, .. } = found;
                return Ok(Observation { contradicted, missing, ..Observation::default() });
            }
        }
        retried!(self.try_observe(registry, name, observed, new_yanks, at).await)
    }

    async fn try_observe(
        &self,
        registry: RegistryId,
        name: &str,
        observed: &[ObservedVersion],
        new_yanks: &NewYanks,
        at: i64,
    ) -> Result<Observation, StoreError> {
        let mut transaction = self.change(at).await?;
        let row = registry_by_id(&transaction.inner, registry).await?;
        if row.kind != RegistryKind::Upstream.as_str() {
            let reason = format!("the registry `{}` is hosted here", row.name);
            return Err(StoreError::new("observe", name, StoreErrorKind::Refused(reason)));
        }
        let (krate, _) = ensure_crate(&transaction, registry, name).await?;
        let found = difference(versions_of(&transaction.inner, krate.id).await?, observed)?;
        let mut result = Observation {
            contradicted: found.contradicted.clone(),
            missing: found.missing.clone(),
            ..Observation::default()
        };
        if found.is_empty() {
            transaction.commit().await?;
            return Ok(result);
        }
        result.added = transaction.add_observed(registry, krate.id, &found.new).await?;
        for (id, at) in found.dated {
            let update =
                versions::ActiveModel { id: Set(id), published_at: Set(Some(at)), ..Default::default() };
            update.update(&transaction.inner).await.during("date the version", id)?;
        }
        for (id, yanked) in found.yanks {
            transaction.follow_yank(id, yanked, new_yanks).await?;
            if yanked { &mut result.yanked } else { &mut result.unyanked }.push(VersionId(id));
        }
        transaction.changed(krate.id);
        transaction.commit().await?;
        Ok(result)
    }
}

impl Transaction {
    async fn add_observed(
        &mut self,
        registry: RegistryId,
        crate_id: i64,
        new: &[&ObservedVersion],
    ) -> Result<Vec<VersionId>, StoreError> {
        let mut rows = Vec::new();
        for version in new {
            let seen = FirstSight {
                version: &version.version,
                checksum: version.checksum,
                size: None,
                index_line: &version.index_line,
                published_at: version.published_at,
                yanked: version.yanked,
                listed_while_pending: version.listed_while_pending,
                description: None,
            };
            let row = seen.insert(self, crate_id).await?;
            if let Some(job) = &version.job {
                self.enqueue(&job.about(VersionId(row.id))).await?;
            }
            rows.push(row);
        }
        let ids = rows.iter().map(|it| VersionId(it.id)).collect();
        if !rows.is_empty() {
            crate::dependents::note(&self.inner, crate_id, &rows).await?;
        }
        // The crate may be held by a person.
        restate(self, registry.0, rows).await?;
        Ok(ids)
    }

    async fn follow_yank(&mut self, id: i64, yanked: bool, new_yanks: &NewYanks) -> Result<(), StoreError> {
        const UPSTREAM: &str = "(upstream)";
        let row = version_by_id(&self.inner, id).await?;
        let crate_id = row.crate_id;
        let has_overlay = row.overlay.is_some();
        let mut update: versions::ActiveModel = row.into();
        update.yanked = Set(yanked);
        if let (NewYanks::HoldBack(reason), true, false) = (new_yanks, yanked, has_overlay) {
            update.overlay = Set(Some(YankOverlay::Available.as_str().to_owned()));
            update.overlay_reason = Set(Some(clean(reason)));
            update.overlay_by = Set(Some(UPSTREAM.to_owned()));
            update.overlay_at = Set(Some(self.at));
        }
        update.update(&self.inner).await.during("follow the yank of version", id)?;
        let kind = if yanked { EventKind::Yank } else { EventKind::Unyank };
        self.event(crate_id, Some(id), kind, By::default(), None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_change_in_its_yank_alone() {
        let line = r#"{"name":"a","vers":"1.0.0","deps":[],"cksum":"00","yanked":false}"#;
        assert!(says_the_same(line, &line.replace("false", "true")));
        assert!(says_the_same(line, r#"{"vers":"1.0.0","name":"a","deps":[],"cksum":"00"}"#));
        let dated = line.replace("}", r#","pubtime":"2026-01-01T00:00:00Z"}"#);
        assert!(says_the_same(line, &dated) && !says_the_same(&dated, line));
        let dated = line.replace('}', r#","pubtime":"2026-01-01T00:00:00Z"}"#);
        assert!(says_the_same(line, &dated) && !says_the_same(&dated, line));
        assert!(!says_the_same(line, &line.replace("[]", r#"[{"name":"b"}]"#)));
        assert!(!says_the_same("not json", "nor this"));
    }
}
