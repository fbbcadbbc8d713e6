//! Inspections: jobs that bring a version's archive here, have it judged, and write down what may be done with it.
//!
//! A job is made in the transaction that adds its version, so no version can be forgotten. Versions are judged again when something happens
//! to their crate or by their publisher: what one version of a campaign shows counts for the others.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use cratekeeper_engine::{Judged, Submission};
use cratekeeper_model::{
    ArchiveState, History, IndexEntry, Known, Package, PackageStatus, PolicyAnswer, Verdict,
};
use cratekeeper_policy::Enforcement as Enforce;
use cratekeeper_registry::UpstreamError;
use cratekeeper_store::{
    CrateRecord, Enforcement, Inspection, Lease, NewJob, Registry, Standing, State, StoreError, VersionId,
    VersionRecord,
};
use semver::{Op, VersionReq};
use tokio::sync::{Notify, watch};

use crate::blobs::BlobFile;
use crate::error::with_sources;
use crate::gate::Gate;
use crate::views::View;

/// Kind of the jobs.
pub(crate) const INSPECT: &str = "inspect";

/// How long a job is somebody's without a sign of life, in seconds.
const LEASE: i64 = 60;

/// How often whoever works on a job says that they still do.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// How long nobody looks for jobs that other processes made.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Age until which a version is compared with the one before it, and judged again when something happens around it: rules call older
/// releases settled, and to compare all would mean to download everything twice.
const RECENT: i64 = 90 * 24 * 60 * 60;

/// Versions of a crate that are judged again when something happens to it: its users take the newest.
const JUDGED_AGAIN: usize = 20;

/// What those wait for who need an inspection, and those who make them.
#[derive(Debug)]
pub(crate) struct Waiting {
    work: Notify,
    done: watch::Sender<u64>,
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting { work: Notify::new(), done: watch::Sender::new(0) }
    }
}

/// Why a version could not be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] crate::blobs::BlobError),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("failed to read `{}`", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the registry `{0}` is not configured any more")]
    NoRegistry(i64),
    #[error("the archive could not be read: {0}")]
    Unread(String),
    #[error("the inspection ended without an answer")]
    Ended,
}

impl Gate {
    /// A job that inspects a version which is added with it.
    pub(crate) fn inspection_job() -> NewJob {
        NewJob::new(INSPECT, serde_json::json!({}))
    }

    /// Says that there may be jobs.
    pub(crate) fn there_is_work(&self) {
        self.waiting.work.notify_one();
    }

    /// Has a version inspected that is not, and waits for it; gives the newest view of its crate.
    pub(crate) async fn inspected(
        self: &Arc<Gate>,
        registry: &Registry,
        name: &str,
        version: VersionId,
    ) -> Result<Option<Arc<View>>, StoreError> {
        let mut done = self.waiting.done.subscribe();
        let job = NewJob::new(INSPECT, serde_json::json!({ "version_id": version.0 }))
            .once(format!("{INSPECT}:{version}"));
        self.store.enqueue(&job, self.now()).await?;
        self.there_is_work();
        let deadline = tokio::time::Instant::now() + self.configuration.inspection_wait();
        loop {
            let view = self.view(registry, name).await?;
            let is_pending = |view: &Arc<View>| {
                view.versions.iter().any(|it| it.id == version && it.standing.state == State::Pending)
            };
            if !view.as_ref().is_some_and(is_pending) || tokio::time::Instant::now() >= deadline {
                return Ok(view);
            }
            // Another replica may do it: its change is seen by the next look.
            let _ = tokio::time::timeout(Duration::from_millis(250), done.changed()).await;
        }
    }

    /// Works on jobs until the gate ends.
    pub(crate) async fn inspect_forever(self: Arc<Gate>) {
        let free = Arc::new(tokio::sync::Semaphore::new(self.configuration.inspections.max(1)));
        loop {
            let Ok(permit) = free.clone().acquire_owned().await else { return };
            match self.store.claim_jobs(&self.process, &[INSPECT], 1, LEASE, self.now()).await {
                Ok(claimed) if claimed.leases.is_empty() && claimed.given_up.is_empty() => {
                    drop(permit);
                    let _ = tokio::time::timeout(LOOK_EVERY, self.waiting.work.notified()).await;
                }
                Ok(claimed) => {
                    let gate = self.clone();
                    tokio::spawn(async move {
                        for job in &claimed.given_up {
                            gate.give_up(job).await;
                        }
                        for lease in claimed.leases {
                            gate.work_on(&lease).await;
                        }
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::error!("failed to look for jobs: {}", with_sources(&error));
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    async fn work_on(self: &Arc<Gate>, lease: &Lease) {
        let started = std::time::Instant::now();
        let signs = self.clone().signs_of_life(lease.clone());
        let result = tokio::select! {
            result = self.inspect(lease) => result,
            () = signs => Err(InspectError::Ended),
        };
        self.metrics.inspection(started.elapsed(), result.is_ok());
        if let Err(error) = result {
            let reason = with_sources(&error);
            tracing::warn!(job = lease.id.0, attempt = lease.attempt, "an inspection failed: {reason}");
            if let Err(error) = self.give_back(lease, &reason).await {
                tracing::error!(job = lease.id.0, "failed to give back a job: {}", with_sources(&error));
            }
        }
        self.waiting.done.send_modify(|it| *it = it.wrapping_add(1));
    }

    /// Ends when the lease is lost.
    async fn signs_of_life(self: Arc<Gate>, lease: Lease) {
        loop {
            tokio::time::sleep(SIGN_OF_LIFE).await;
            match self.store.extend_lease(&lease, LEASE, self.now()).await {
                Ok(cratekeeper_store::LeaseState::Held) => {}
                Ok(cratekeeper_store::LeaseState::Lost) => return,
                Err(error) => tracing::warn!("failed to keep a job: {}", with_sources(&error)),
            }
        }
    }

    /// A job that went wrong is tried again; after the last attempt its version is one that could not be inspected.
    async fn give_back(&self, lease: &Lease, reason: &str) -> Result<(), StoreError> {
        self.store.fail_job(lease, reason, self.now()).await?;
        if !lease.is_last() {
            return Ok(());
        }
        self.fail(&lease.payload, reason).await
    }

    /// A job whose workers died each time: what it was about has no inspection.
    async fn give_up(&self, job: &cratekeeper_store::Job) {
        let reason = job.last_error.as_deref().unwrap_or("whoever inspected it ended, each time");
        tracing::warn!(job = job.id.0, "an inspection was given up: {reason}");
        if let Err(error) = self.fail(&job.payload, reason).await {
            tracing::error!(job = job.id.0, "failed to give up a job: {}", with_sources(&error));
        }
    }

    /// Writes down that a version could not be inspected, unless it was before.
    async fn fail(&self, payload: &serde_json::Value, reason: &str) -> Result<(), StoreError> {
        let Some(id) = version_of(payload) else { return Ok(()) };
        let (krate, version) = self.store.version_by_id(id).await?;
        if version.automatic != State::Pending {
            return Ok(());
        }
        tracing::warn!(version = id.0, "a version could not be inspected: {reason}");
        // What went wrong inside is for the log and the job, not for whoever asks for the version.
        let failed = self.not_inspected("its inspection failed each time it was tried");
        self.store.record_inspection(id, &failed, None).await?;
        self.forget(&krate);
        Ok(())
    }

    fn not_inspected(&self, reason: &str) -> Inspection {
        use crate::configuration::Uninspected;
        // What is given out although nobody has looked is released by this setting, and its reason says so.
        let (state, reason) = match self.configuration.uninspected {
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
            analyzer: analyzer(),
            size: None,
            at: self.now(),
        }
    }

    fn forget(&self, krate: &CrateRecord) {
        if let Some(registry) = self.registry_of(krate) {
            self.changed(registry, &krate.name);
        }
    }

    pub(crate) fn registry_of(&self, krate: &CrateRecord) -> Option<&Registry> {
        let fronts = self.fronts.values().map(|it| &it.registry);
        std::iter::once(&self.hosted).chain(fronts).find(|it| it.id == krate.registry)
    }

    async fn inspect(self: &Arc<Gate>, lease: &Lease) -> Result<(), InspectError> {
        let Some(id) = version_of(&lease.payload) else {
            self.store.complete_job(lease).await?;
            return Ok(());
        };
        let (krate, version) = self.store.version_by_id(id).await?;
        let registry = self.registry_of(&krate).ok_or(InspectError::NoRegistry(krate.registry.0))?.clone();
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
            Err(error) => return Err(error),
        };
        let at = self.now();
        let all =
            self.store.crate_versions(registry.id, &krate.name).await?.map(|it| it.1).unwrap_or_default();
        let history = self.store.history(id, at).await?;
        let previous = self.previous(&registry, &krate, &version, &all).await;
        let judged = {
            let gate = self.clone();
            let package = self.package(&registry, &krate.name, &version.version, version.checksum);
            let index = Known::Known(index_entry(&version, &all));
            tokio::task::spawn_blocking(move || gate.judge(package, &archive, index, history, previous, at))
                .await
                .map_err(|_| InspectError::Ended)?
        };
        // A worker that died, or a disk that is full: it may be better the next time, and says nothing about the version.
        if let ArchiveState::Unavailable(reason) = &judged.archive {
            return Err(InspectError::Unread(reason.clone()));
        }
        let inspection = self.conclude(&judged, at);
        let before = version.standing.state;
        let standing = self.store.record_inspection(id, &inspection, Some(lease)).await?;
        self.forget(&krate);
        if standing.is_open() && self.front(&registry).is_some() {
            self.pass_on_yanks(&registry, &krate.name).await?;
        }
        self.tell(&registry, &krate, &version, before, &standing, &inspection).await;
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
        at: i64,
    ) -> Judged {
        let likes = self.likes.indexes();
        let names = self.names.corpus();
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
            similar: &[&likes[0], &likes[1]],
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
            analyzer: analyzer(),
            size: None,
            at,
        }
    }

    fn enforcement(&self, answer: &PolicyAnswer) -> Enforcement {
        let clause = answer.clause.as_ref();
        let found = clause.and_then(|id| self.engine.policy().clauses().iter().find(|it| it.id == *id));
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

    /// Brings a version's archive into the archive store if it is not there.
    pub(crate) async fn bring(
        &self,
        registry: &Registry,
        krate: &CrateRecord,
        version: &VersionRecord,
    ) -> Result<(), InspectError> {
        if self.blobs.has(&version.checksum).await? {
            return Ok(());
        }
        let Some(front) = self.front(registry) else {
            return Err(crate::blobs::BlobError::NotThere(version.checksum).into());
        };
        let package = self.package(registry, &krate.name, &version.version, version.checksum);
        let (upstream, directory) = (front.upstream.clone(), self.temporary());
        let (limit, expected) = (self.configuration.max_archive, version.checksum);
        let bytes = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, InspectError> {
            let file = upstream.archive(&package, &expected, limit, &directory)?;
            std::fs::read(&file).map_err(|source| InspectError::Io { path: file.to_path_buf(), source })
        })
        .await
        .map_err(|_| InspectError::Ended)??;
        self.blobs.put(Bytes::from(bytes)).await?;
        Ok(())
    }

    /// The version before, where the comparison is worth its download.
    async fn previous(
        &self,
        registry: &Registry,
        krate: &CrateRecord,
        version: &VersionRecord,
        all: &[VersionRecord],
    ) -> Known<(Package, BlobFile)> {
        let unknown = |reason: &str| Known::Unknown(reason.to_owned());
        if version.published_at.is_some_and(|it| self.now().saturating_sub(it) > RECENT) {
            return unknown("it is older than 90 days, and settled releases are not compared");
        }
        let is_before = |it: &&VersionRecord| {
            it.version < version.version && (it.version.pre.is_empty() || !version.version.pre.is_empty())
        };
        // What is held is no ground to compare with: whoever publishes the same payload twice would have changed nothing.
        let is_trusted = |it: &&VersionRecord| {
            it.standing.is_open() || (it.standing.state == State::Pending && it.standing.listed)
        };
        let trusted =
            all.iter().filter(is_before).filter(is_trusted).max_by(|a, b| a.version.cmp(&b.version));
        let any = || all.iter().filter(is_before).max_by(|a, b| a.version.cmp(&b.version));
        let Some(before) = trusted.or_else(any) else {
            return unknown("there is no version before it");
        };
        match self.archive_file(registry, krate, before).await {
            Ok(file) => {
                Known::Known((self.package(registry, &krate.name, &before.version, before.checksum), file))
            }
            Err(error) => Known::Unknown(with_sources(&error)),
        }
    }

    /// Has the newest of the recent versions of a crate judged again, after something happened to it.
    pub(crate) async fn judge_again(&self, registry: &Registry, name: &str) -> Result<(), StoreError> {
        let Some((_, mut versions)) = self.store.crate_versions(registry.id, name).await? else {
            return Ok(());
        };
        let at = self.now();
        versions.retain(|it| at.saturating_sub(it.published_at.unwrap_or(it.first_seen)) <= RECENT);
        versions.sort_by_key(|it| std::cmp::Reverse(it.first_seen));
        for version in versions.iter().take(JUDGED_AGAIN) {
            let job = NewJob::new(INSPECT, serde_json::json!({ "version_id": version.id.0 }))
                .once(format!("{INSPECT}:{}", version.id));
            // What is new goes first: its jobs are due since ever.
            self.store.enqueue(&NewJob { run_after: at, ..job }, at).await?;
        }
        self.there_is_work();
        Ok(())
    }

    /// Writes about a change of standing into the log, and lets whoever wants to know it know.
    async fn tell(
        &self,
        registry: &Registry,
        krate: &CrateRecord,
        version: &VersionRecord,
        before: State,
        standing: &Standing,
        inspection: &Inspection,
    ) {
        let (name, number, score) =
            (&krate.name, &version.version, inspection.case.as_ref().map(|it| it.score));
        tracing::info!(registry = registry.name, %name, %number, state = %standing.state, score, "inspected");
        if before == standing.state || matches!(standing.state, State::Released | State::Pending) {
            return;
        }
        let body = serde_json::json!({
            "event": "verdict",
            "registry": registry.name,
            "crate": name,
            "version": number.to_string(),
            "checksum": version.checksum.to_string(),
            "state": standing.state.as_str(),
            "score": score,
            "reason": standing.reason,
            "link": self.version_page(registry, name, number),
            "at": inspection.at,
        });
        if let Err(error) = self.announce("verdict", &format!("{name}@{number}"), &body).await {
            tracing::error!("failed to note a delivery: {}", with_sources(&error));
        }
    }
}

/// The version that a job is about.
fn version_of(payload: &serde_json::Value) -> Option<VersionId> {
    payload.get("version_id")?.as_i64().map(VersionId)
}

fn analyzer() -> String {
    concat!("cratekeeper ", env!("CARGO_PKG_VERSION")).to_owned()
}

fn index_entry(version: &VersionRecord, all: &[VersionRecord]) -> IndexEntry {
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
        declared: cratekeeper_registry::declared_manifest(&version.index_line),
    }
}
