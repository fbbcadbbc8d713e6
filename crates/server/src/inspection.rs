//! Inspections as jobs: who waits for one, who works on them, and what becomes of those that go wrong.
//!
//! A job is made in the transaction that adds its version, so no version can be forgotten, and given up in the one that says that its version
//! could not be inspected. What is done with a version is `judging`.

use std::sync::Arc;
use std::time::Duration;

use cratekeeper_store::{
    Consequence, CrateRecord, Lease, LeaseState, NewJob, Registry, SPENT, State, StoreError, VersionId,
};

use crate::error::with_sources;
use crate::gate::Gate;
use crate::judging::InspectError;
use crate::views::View;
use crate::waiting::Begun;

/// Kind of the jobs about versions that are hosted here. Each upstream has one of its own, so that one that hangs keeps nobody else waiting.
const INSPECT: &str = "inspect";

/// Archives that are brought from one upstream at the same time.
pub(crate) const BRINGING: usize = 8;

/// How long a job is somebody's without a sign of life, in seconds: so long nobody does what a process that was killed had begun. The clocks of
/// replicas have to agree better than that.
pub(crate) const LEASE: i64 = 30;

/// How often whoever works on a job says that they still do.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// How long nobody looks for jobs that other processes made.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// When a version whose archive cannot be had from its upstream is tried again after the last attempt of its job, in seconds: a registry may be away
/// for a day, and what nobody looked at for that reason is not failed for good.
const LATER: i64 = 60 * 60;

/// How long nothing is inspected until workers end.
const REST_AFTER: Duration = Duration::from_secs(30);

impl Gate {
    /// A job that inspects a version of a registry which is added with it.
    pub(crate) fn inspection_job(&self, registry: &Registry) -> NewJob {
        let kind = if self.front(registry).is_some() { kind_of(&registry.name) } else { INSPECT.to_owned() };
        NewJob::new(kind, serde_json::json!({}))
    }

    /// A job that inspects a version of a registry that is there.
    pub(crate) fn inspection_of(&self, registry: &Registry, version: VersionId) -> NewJob {
        let mut job = self.inspection_job(registry);
        job.payload = serde_json::json!({ "version_id": version.0 });
        let once = format!("{}:{version}", job.kind);
        job.once(once)
    }

    /// Says that there may be jobs.
    pub(crate) fn there_is_work(&self) {
        self.waiting.work.send_modify(|it| *it = it.wrapping_add(1));
    }

    /// Has a version inspected that is not, and waits for it; gives the newest view of its crate.
    pub(crate) async fn inspected(
        self: &Arc<Gate>,
        registry: &Registry,
        name: &str,
        version: VersionId,
    ) -> Result<Option<Arc<View>>, StoreError> {
        let mut done = self.waiting.done.subscribe();
        let troubles = self.front(registry).map(|it| &it.troubles);
        // Whoever asks for a version whose archive is on its way waits for that one.
        let is_begun = self.waiting.has_begun(version);
        if !is_begun {
            if let Some(troubles) = troubles {
                troubles.asked(version);
            }
            self.store.enqueue(&self.inspection_of(registry, version), self.now()).await?;
            self.there_is_work();
        }
        let deadline = tokio::time::Instant::now() + self.settings().inspection_wait();
        loop {
            let view = self.view(registry, name).await?;
            let is_pending = |view: &Arc<View>| {
                view.versions.iter().any(|it| it.id == version && it.standing.state == State::Pending)
            };
            let is_in_vain = troubles.is_some_and(|it| it.is_about(version));
            if !view.as_ref().is_some_and(is_pending) || is_in_vain || tokio::time::Instant::now() >= deadline
            {
                return Ok(view);
            }
            // Another replica may do it: its change is seen by the next look.
            let _ = tokio::time::timeout(Duration::from_millis(250), done.changed()).await;
        }
    }

    /// Works on jobs until the gate ends.
    pub(crate) async fn inspect_forever(self: Arc<Gate>) {
        let judging = self.configuration.inspections.max(1);
        let mut all = tokio::task::JoinSet::new();
        all.spawn(self.clone().work_forever(INSPECT.to_owned(), judging));
        for name in self.fronts.keys() {
            // Of those about upstreams some wait for archives, and need no processor.
            all.spawn(self.clone().work_forever(kind_of(name), judging + BRINGING));
        }
        all.spawn(self.clone().rest_forever());
        while all.join_next().await.is_some() {}
    }

    /// Ends workers after a while without inspections: each keeps the memory that its largest version took.
    async fn rest_forever(self: Arc<Gate>) {
        let mut done = self.waiting.done.subscribe();
        while done.changed().await.is_ok() {
            while tokio::time::timeout(REST_AFTER, done.changed()).await.is_ok() {}
            let gate = self.clone();
            let _ = tokio::task::spawn_blocking(move || gate.engine.rest()).await;
        }
    }

    async fn work_forever(self: Arc<Gate>, kind: String, at_once: usize) {
        let mut work = self.waiting.work.subscribe();
        let free = Arc::new(tokio::sync::Semaphore::new(at_once));
        loop {
            let Ok(permit) = free.clone().acquire_owned().await else { return };
            match self.store.claim_jobs(&self.process, &[&kind], 1, LEASE, self.now()).await {
                Ok(claimed) if claimed.leases.is_empty() && claimed.spent.is_empty() => {
                    drop(permit);
                    let _ = tokio::time::timeout(LOOK_EVERY, work.changed()).await;
                }
                Ok(claimed) => {
                    let gate = self.clone();
                    tokio::spawn(async move {
                        for lease in &claimed.spent {
                            gate.give_up(lease).await;
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
        let _begun = version_of(&lease.payload).map(|it| Begun::new(&self.waiting, it));
        let signs = self.clone().signs_of_life(lease.clone());
        let result = tokio::select! {
            result = self.inspect(lease) => result,
            () = signs => Err(InspectError::Ended),
        };
        self.metrics.inspection(started.elapsed(), result.is_ok());
        if let Err(error) = result {
            let reason = with_sources(&error);
            tracing::warn!(job = lease.id.0, attempt = lease.attempt, "an inspection failed: {reason}");
            if let Err(error) = self.give_back(lease, &error, &reason).await {
                tracing::error!(job = lease.id.0, "failed to give back a job: {}", with_sources(&error));
            }
        }
        self.waiting.done.send_modify(|it| *it = it.wrapping_add(1));
    }

    /// Ends when the lease is lost.
    pub(crate) async fn signs_of_life(self: Arc<Gate>, lease: Lease) {
        loop {
            tokio::time::sleep(SIGN_OF_LIFE).await;
            match self.store.extend_lease(&lease, LEASE, self.now()).await {
                Ok(LeaseState::Held) => {}
                Ok(LeaseState::Lost) => return,
                Err(error) => tracing::warn!("failed to keep a job: {}", with_sources(&error)),
            }
        }
    }

    /// A job that went wrong is tried again; after the last attempt its version is one that could not be inspected. Whoever has it now, after a clock
    /// that jumped say, has the last word.
    async fn give_back(&self, lease: &Lease, error: &InspectError, reason: &str) -> Result<(), StoreError> {
        if !lease.is_last() {
            return self.store.fail_job(lease, reason, self.now()).await.map(|_| ());
        }
        if error.is_the_upstreams() {
            self.try_later(lease, reason).await
        } else {
            self.fail(lease, reason).await
        }
    }

    /// Gives a job up because an upstream was away for all of its attempts, and makes another.
    async fn try_later(&self, lease: &Lease, reason: &str) -> Result<(), StoreError> {
        let at = self.now();
        let Some(id) = version_of(&lease.payload) else {
            return self.store.fail_job(lease, reason, at).await.map(|_| ());
        };
        let (krate, version) = self.store.version_by_id(id).await?;
        let Some(registry) = self.registry_of(&krate).filter(|_| version.automatic == State::Pending) else {
            return self.store.fail_job(lease, reason, at).await.map(|_| ());
        };
        // Whoever asks for it meanwhile has it tried at once, by a job of its own.
        let job =
            NewJob { run_after: at.saturating_add(LATER), once: None, ..self.inspection_of(registry, id) };
        self.store.give_up_job(lease, reason, Consequence::Another(&job), at).await.map(|_| ())
    }

    /// A job whose workers died each time: what it was about has no inspection.
    async fn give_up(&self, lease: &Lease) {
        tracing::warn!(job = lease.id.0, "an inspection was given up: {SPENT}");
        if let Err(error) = self.fail(lease, SPENT).await {
            tracing::error!(job = lease.id.0, "failed to give up a job: {}", with_sources(&error));
        }
    }

    /// Gives a job up, and writes down that its version could not be inspected, unless it was before.
    async fn fail(&self, lease: &Lease, reason: &str) -> Result<(), StoreError> {
        let Some(id) = version_of(&lease.payload) else {
            return self.store.fail_job(lease, reason, self.now()).await.map(|_| ());
        };
        tracing::warn!(version = id.0, "a version could not be inspected: {reason}");
        // What went wrong inside is for the log and the job, not for whoever asks for the version.
        let failed = self.not_inspected("its inspection failed each time it was tried");
        let follows = Consequence::Uninspected(id, &failed);
        self.store.give_up_job(lease, reason, follows, failed.at).await?;
        let (krate, _) = self.store.version_by_id(id).await?;
        self.forget(&krate);
        Ok(())
    }

    pub(crate) fn forget(&self, krate: &CrateRecord) {
        if let Some(registry) = self.registry_of(krate) {
            self.changed(registry, &krate.name);
        }
    }

    pub(crate) fn registry_of(&self, krate: &CrateRecord) -> Option<&Registry> {
        self.registry_by_id(krate.registry)
    }
}

/// Kind of the jobs about versions of an upstream.
fn kind_of(upstream: &str) -> String {
    format!("{INSPECT}:{upstream}")
}

/// The version that a job is about.
pub(crate) fn version_of(payload: &serde_json::Value) -> Option<VersionId> {
    payload.get("version_id")?.as_i64().map(VersionId)
}
