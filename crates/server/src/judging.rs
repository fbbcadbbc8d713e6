//! Judging a version: its archive is brought here, looked at beside what came before it, and what follows is written down.
//!
//! Versions are judged again when something happens to their crate or by their publisher: what one version of a campaign shows counts for the
//! others. When that is done, and again, is `inspection`'s to see to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use cratekeeper_engine::{Judged, Submission};
use cratekeeper_model::{
    ArchiveState, History, IndexEntry, IndexedManifest, Known, Package, PackageStatus, PolicyAnswer,
    PublisherHistory, Verdict,
};
use cratekeeper_policy::{Enforcement as Enforce, Reports, Waiver};
use cratekeeper_registry::UpstreamError;
use cratekeeper_store::{
    CrateRecord, Enforcement, Inspection, Lease, NewJob, Registry, State, StoreError, VersionRecord,
};
use semver::{Op, VersionReq};

use crate::blobs::{BlobError, BlobFile};
use crate::error::with_sources;
use crate::gate::Gate;
use crate::inspection::version_of;

/// How long an archive may take to come: the largest one at 5 Mbit/s, as with uploads.
const PATIENCE: Duration = Duration::from_secs(120);

/// Age until which a version is compared with the one before it, and judged again when something happens around it: rules call older
/// releases settled, and to compare all would mean to download everything twice.
const RECENT: i64 = 90 * 24 * 60 * 60;

/// Versions of a crate that are judged again when something happens to it: its users take the newest.
const JUDGED_AGAIN: usize = 20;

/// Crates of one publisher that are judged again when one of them is held; campaigns had up to twenty (incidents of 2022 to 2026).
const OTHERS_JUDGED_AGAIN: usize = 50;

/// Why a version could not be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("it was taken down")]
    TakenDown,
    #[error("the archive did not come within {} seconds", PATIENCE.as_secs())]
    Slow,
    #[error("failed to read `{}`", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the registry `{0}` is not configured any more")]
    NoRegistry(i64),
    #[error("the archive could not be read: {0}")]
    Unread(String),
    #[error("the inspection ended without an answer")]
    Ended,
}

impl InspectError {
    /// Whether an upstream did not give the archive, which it may do later.
    pub(crate) fn is_the_upstreams(&self) -> bool {
        matches!(self, InspectError::Upstream(_) | InspectError::Slow)
    }
}

impl Gate {
    /// Does a job.
    pub(crate) async fn inspect(self: &Arc<Gate>, lease: &Lease) -> Result<(), InspectError> {
        let Some(id) = version_of(&lease.payload) else {
            self.store.complete_job(lease).await?;
            return Ok(());
        };
        let (krate, version) = self.store.version_by_id(id).await?;
        if version.is_taken_down() {
            // That nobody could look is no answer, and does not have to be one: it is not given out. What is restored without one is inspected.
            tracing::info!(name = %krate.name, number = %version.version, "not inspected: it was taken down");
            self.store.complete_job(lease).await?;
            return Ok(());
        }
        let registry = self.registry_of(&krate).ok_or(InspectError::NoRegistry(krate.registry.0))?.clone();
        if let Some(front) = self.front(&registry) {
            front.troubles.asked(id);
        }
        let archive = match self.archive_file(&registry, &krate, &version).await {
            Ok(archive) => archive,
            // It will not get better by asking again.
            Err(InspectError::Upstream(error @ UpstreamError::ChecksumMismatch { .. })) => {
                tracing::error!(
                    registry = registry.name,
                    "an upstream gives other bytes than it promised: {error}"
                );
                let reason = "its bytes are not those that were promised when it was first seen";
                let failed = Inspection { state: State::Failed, ..self.not_inspected(reason) };
                self.store.record_inspection(id, &failed, Some(lease)).await?;
                self.forget(&krate);
                return Ok(());
            }
            Err(InspectError::TakenDown) => {
                self.store.complete_job(lease).await?;
                return Ok(());
            }
            Err(error) => {
                if let Some(front) = self.front(&registry).filter(|_| error.is_the_upstreams()) {
                    front.troubles.lacks(id);
                }
                return Err(error);
            }
        };
        let at = self.now();
        let after = self.store.newest_inspection(id).await?;
        let all =
            self.store.crate_versions(registry.id, &krate.name).await?.map(|it| it.1).unwrap_or_default();
        let history = self.store.history(id, at).await?;
        let publisher = history.publisher.value().cloned();
        let previous = self.previous(&registry, &krate, &version, &all, lease.is_last()).await?;
        let judged = {
            let gate = self.clone();
            let package = self.package(&registry, &krate.name, &version.version, version.checksum);
            let claimed = self.store.provenance(id).await?.claimed;
            let waivers = self.waivers(&krate, &version, at).await?;
            let reports = self.reports_about(&krate, id).await?;
            let index = Known::Known(index_entry(&version, &all, claimed));
            let _turn = self.judging.acquire().await.map_err(|_| InspectError::Ended)?;
            tokio::task::spawn_blocking(move || {
                gate.judge(package, &archive, index, history, previous, (reports, &waivers, at))
            })
            .await
            .map_err(|_| InspectError::Ended)?
        };
        // A worker that died, or a disk that is full: it may be better the next time, and says nothing about the version.
        if let ArchiveState::Unavailable(reason) = &judged.archive {
            return Err(InspectError::Unread(reason.clone()));
        }
        let inspection = Inspection { after: Some(after), ..self.conclude(&judged, at) };
        let standing = self.store.record_inspection(id, &inspection, Some(lease)).await?;
        self.forget(&krate);
        if standing.is_open() && self.front(&registry).is_some() {
            self.pass_on_yanks(&registry, &krate.name).await?;
        }
        let score = inspection.case.as_ref().map(|it| it.score);
        let is_news = version.standing.state != standing.state && !standing.is_open();
        if is_news || (version.score != score && names_campaign(&inspection)) {
            self.judge_others(&registry, publisher.as_ref(), at).await?;
        }
        let (name, number, score) =
            (&krate.name, &version.version, inspection.case.as_ref().map(|it| it.score));
        tracing::info!(registry = registry.name, %name, %number, state = %standing.state, score, "inspected");
        Ok(())
    }

    /// Runs in a thread that may block.
    fn judge(
        &self,
        package: Package,
        archive: &BlobFile,
        index: Known<IndexEntry>,
        history: History,
        previous: Known<(Package, BlobFile)>,
        (reports, waivers, at): (Reports, &[Waiver], i64),
    ) -> Judged {
        let likes = self.likes.indexes();
        let (names, publishers) = self.names.corpora();
        let (before, _kept) = match previous {
            Known::Known((package, file)) => (Known::Known((package, file.as_ref().to_owned())), Some(file)),
            Known::Unknown(reason) => (Known::Unknown(reason), None),
        };
        let owners = history.owners.value().cloned();
        let first = history.versions.iter().map(|it| it.published.value().copied()).min().flatten();
        let judged = self.engine.judge_submission(Submission {
            package,
            archive: archive.as_ref(),
            index,
            history: Known::Known(history),
            previous: before,
            names: names.as_deref(),
            publishers: publishers.as_deref(),
            similar: &[&likes[0], &likes[1]],
            reports,
            waivers,
            at,
        });
        if let Some(mut entry) = judged.entry.clone() {
            (entry.owners, entry.first_published) = (owners, first);
            self.likes.remember(entry);
        }
        judged
    }

    /// What follows from a judgement.
    fn conclude(&self, judged: &Judged, at: i64) -> Inspection {
        let outcome = &judged.outcome;
        if outcome.status == PackageStatus::CouldNotCheck {
            let reason = outcome.reason.clone().unwrap_or_else(|| "there are no facts".to_owned());
            let worse = outcome.policy.as_ref().filter(|it| !it.verdict.lets_through());
            let mut failed = self.not_inspected(&reason);
            (failed.case, failed.answer) = (Some(outcome.case.clone()), outcome.policy.clone());
            failed.circumstances = Some(judged.circumstances.to_json());
            if worse.is_some() {
                failed.state = State::Failed;
            }
            return failed;
        }
        let answer = outcome.policy.clone().unwrap_or_default();
        let state = match answer.verdict {
            Verdict::Allow | Verdict::Warn => State::Released,
            Verdict::Quarantine => State::Held,
            Verdict::Block => State::Blocked,
        };
        Inspection {
            state,
            enforcement: self.enforcement(&answer),
            reason: answer.reason.clone(),
            case: Some(outcome.case.clone()),
            answer: Some(answer),
            circumstances: Some(judged.circumstances.to_json()),
            analyzer: analyzer(),
            size: None,
            after: None,
            at,
        }
    }

    fn enforcement(&self, answer: &PolicyAnswer) -> Enforcement {
        let clause = answer.clause.as_ref();
        let policy = self.engine.policy();
        let found = clause.and_then(|id| policy.clauses().iter().find(|it| it.id == *id));
        match found.map(|it| it.enforcement) {
            Some(Enforce::Hide) => Enforcement::Hide,
            Some(Enforce::Deny) | None => Enforcement::Deny,
        }
    }

    /// Brings a version's archive here if it is not, and gives it as a file.
    pub(crate) async fn archive_file(
        &self,
        registry: &Registry,
        krate: &CrateRecord,
        version: &VersionRecord,
    ) -> Result<BlobFile, InspectError> {
        self.bring(registry, krate, version).await?;
        Ok(self.blobs.file(&version.checksum, &self.temporary()).await?)
    }

    /// Brings a version's archive into the archive store if it is not there as it should be.
    pub(crate) async fn bring(
        &self,
        registry: &Registry,
        krate: &CrateRecord,
        version: &VersionRecord,
    ) -> Result<(), InspectError> {
        // Read whole, not only looked for: what is judged has to be what is given out, and a disk may have other bytes by now.
        let missing = match self.check_archive(&version.checksum).await {
            Ok(()) => return Ok(()),
            Err(error @ (BlobError::NotThere(_) | BlobError::Damaged { .. })) => error,
            Err(error) => return Err(error.into()),
        };
        // What was taken down is not fetched again, and whoever asks may not know of it yet.
        if self.was_taken_down(version.id).await? {
            return Err(InspectError::TakenDown);
        }
        let Some(front) = self.front(registry) else { return Err(missing.into()) };
        let package = self.package(registry, &krate.name, &version.version, version.checksum);
        let (upstream, directory) = (front.upstream.clone(), self.temporary());
        let (limit, expected, places) =
            (self.settings().max_archive, version.checksum, front.bringing.clone());
        let brought = async {
            let place = places.acquire_owned().await.map_err(|_| InspectError::Ended)?;
            // The thread goes on when nobody waits any more: until then its place is taken.
            let read = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, InspectError> {
                let _place = place;
                let file = upstream.archive(&package, &expected, limit, &directory)?;
                std::fs::read(&file).map_err(|source| InspectError::Io { path: file.to_path_buf(), source })
            });
            read.await.map_err(|_| InspectError::Ended)?
        };
        let bytes = tokio::time::timeout(PATIENCE, brought).await.map_err(|_| InspectError::Slow)??;
        self.blobs.put(Bytes::from(bytes)).await?;
        // It may have been while they came.
        if self.was_taken_down(version.id).await? {
            self.seal_what_came_back(version.checksum).await?;
            return Err(InspectError::TakenDown);
        }
        Ok(())
    }

    /// The version before, where the comparison is worth its download.
    async fn previous(
        &self,
        registry: &Registry,
        krate: &CrateRecord,
        version: &VersionRecord,
        all: &[VersionRecord],
        is_last: bool,
    ) -> Result<Known<(Package, BlobFile)>, InspectError> {
        let unknown = |reason: &str| Ok(Known::Unknown(reason.to_owned()));
        if version.published_at.is_some_and(|it| self.now().saturating_sub(it) > RECENT) {
            return unknown("it is older than 90 days, and settled releases are not compared");
        }
        let is_before = |it: &&VersionRecord| {
            it.version < version.version
                && !it.is_taken_down()
                && (it.version.pre.is_empty() || !version.version.pre.is_empty())
        };
        // What is held is no ground to compare with: whoever publishes the same payload twice would have changed nothing.
        let is_trusted = |it: &&VersionRecord| {
            it.standing.is_open() || (it.standing.state == State::Pending && it.standing.listed)
        };
        let trusted =
            all.iter().filter(is_before).filter(is_trusted).max_by(|a, b| a.version.cmp(&b.version));
        let any = || all.iter().filter(is_before).max_by(|a, b| a.version.cmp(&b.version));
        let Some(before) = trusted.or_else(any) else {
            return unknown("there is no version before it that was not taken down");
        };
        Ok(match self.archive_file(registry, krate, before).await {
            Ok(file) => {
                Known::Known((self.package(registry, &krate.name, &before.version, before.checksum), file))
            }
            // What an upstream, a disk or a database could not do may be better the next time. A comparison that is left out hides what is new.
            Err(InspectError::TakenDown) => Known::Unknown("the version before it was taken down".to_owned()),
            Err(error) if !is_last => return Err(error),
            Err(error) => Known::Unknown(with_sources(&error)),
        })
    }

    /// Has the newest of the recent versions of a crate judged again, after something happened to it.
    pub(crate) async fn judge_again(&self, registry: &Registry, name: &str) -> Result<(), StoreError> {
        let Some((_, mut versions)) = self.store.crate_versions(registry.id, name).await? else {
            return Ok(());
        };
        let at = self.now();
        versions.retain(|it| {
            !it.is_taken_down() && at.saturating_sub(it.published_at.unwrap_or(it.first_seen)) <= RECENT
        });
        versions.sort_by_key(|it| std::cmp::Reverse(it.first_seen));
        for version in versions.iter().take(JUDGED_AGAIN) {
            let job = self.inspection_of(registry, version.id);
            // What is new goes first: its jobs are due since ever.
            self.store.enqueue(&NewJob { run_after: at, ..job }, at).await?;
        }
        self.there_is_work();
        Ok(())
    }

    /// Has what a publisher began lately judged again, after one of their versions was held or is one of a series of near names: what one version
    /// of a campaign shows counts for the others. Only a change of standing or score leads here, so it comes to an end.
    async fn judge_others(
        &self,
        registry: &Registry,
        publisher: Option<&PublisherHistory>,
        at: i64,
    ) -> Result<(), StoreError> {
        let Some(publisher) = publisher else { return Ok(()) };
        let mut recent: Vec<&(String, i64)> =
            publisher.crates.iter().filter(|(_, first)| at.saturating_sub(*first) <= RECENT).collect();
        recent.sort_by_key(|(_, first)| std::cmp::Reverse(*first));
        for (name, _) in recent.into_iter().take(OTHERS_JUDGED_AGAIN) {
            self.judge_again(registry, name).await?;
        }
        Ok(())
    }

    pub(crate) fn not_inspected(&self, reason: &str) -> Inspection {
        use crate::configuration::Uninspected;
        // What is given out although nobody has looked is released by this setting, and its reason says so.
        let (state, reason) = match self.settings().uninspected {
            Uninspected::Refused => (State::Failed, format!("it could not be inspected: {reason}")),
            Uninspected::Served => {
                (State::Released, format!("not inspected, and served all the same: {reason}"))
            }
        };
        Inspection {
            state,
            enforcement: Enforcement::Deny,
            reason,
            case: None,
            answer: None,
            circumstances: None,
            analyzer: analyzer(),
            size: None,
            after: None,
            at: self.now(),
        }
    }
}

/// Whether rules took the version for one of a series by its publisher.
fn names_campaign(inspection: &Inspection) -> bool {
    let findings = inspection.case.iter().flat_map(|case| &case.findings);
    findings.into_iter().any(|it| it.rule == "near-name-campaign")
}

pub(crate) fn analyzer() -> String {
    concat!("cratekeeper ", env!("CARGO_PKG_VERSION")).to_owned()
}

fn index_entry(
    version: &VersionRecord,
    all: &[VersionRecord],
    claimed: Option<IndexedManifest>,
) -> IndexEntry {
    let compatible = VersionReq {
        comparators: vec![semver::Comparator {
            op: Op::Caret,
            major: version.version.major,
            minor: Some(version.version.minor),
            patch: Some(version.version.patch),
            pre: version.version.pre.clone(),
        }],
    };
    let newer =
        all.iter().filter(|it| !it.is_yanked() && compatible.matches(&it.version)).map(|it| &it.version);
    IndexEntry {
        yanked: version.is_yanked(),
        checksum: version.checksum,
        newest_compatible: newer.max().cloned(),
        age: 0,
        // Lines of hosted versions are made from their archives; what a request claimed instead is what people may have seen.
        declared: claimed
            .map(Box::new)
            .or_else(|| cratekeeper_registry::declared_manifest(&version.index_line)),
    }
}
