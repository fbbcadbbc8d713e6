//! What leaves the gate by jobs: webhooks and mails. Claimed, tried, tried again with growing pauses, given up.
//!
//! Something is sent once or more: a gate that ends between the answer and the record of it sends it again. Whoever gets it can tell by its number.

use std::sync::Arc;
use std::time::Duration;

use cratekeeper_store::{Lease, StoreError};

use crate::error::with_sources;
use crate::gate::Gate;
use crate::inspection::LEASE;

/// How often somebody looks for what is to be sent.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How an attempt ended that did not fail.
pub(crate) enum Ended {
    /// It is done: sent, or there is nothing to send any more.
    Done,
    /// It cannot be sent before this moment, which does not count as an attempt.
    Later(i64),
}

/// A kind of thing that is sent.
pub(crate) trait Outgoing: 'static {
    /// Kind of its jobs.
    const JOB: &'static str;

    /// What one is called in the log.
    const CALLED: &'static str;

    /// How many are sent at the same time.
    const AT_ONCE: usize;

    /// Tries to send one, and writes down what became of it. An error is tried again.
    fn attempt(gate: &Arc<Gate>, lease: &Lease) -> impl Future<Output = Result<Ended, String>> + Send;

    /// Writes down that one was given up whose senders ended each time, without a word.
    fn give_up(gate: &Arc<Gate>, lease: &Lease) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl Gate {
    /// Sends things of a kind until the gate ends: several at a time, so that one that does not answer keeps nobody waiting.
    pub(crate) async fn send_forever<T: Outgoing>(self: Arc<Gate>) {
        let free = Arc::new(tokio::sync::Semaphore::new(T::AT_ONCE));
        loop {
            let Ok(permit) = free.clone().acquire_owned().await else { return };
            match self.store.claim_jobs(&self.process, &[T::JOB], 1, LEASE, self.now()).await {
                Ok(claimed) if claimed.leases.is_empty() && claimed.spent.is_empty() => {
                    drop(permit);
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Ok(claimed) => {
                    let gate = self.clone();
                    tokio::spawn(async move {
                        for lease in &claimed.spent {
                            // Its job is the last to know: until then somebody else does this again.
                            if let Err(error) = T::give_up(&gate, lease).await {
                                tracing::error!(
                                    "failed to give up a {}: {}",
                                    T::CALLED,
                                    with_sources(&error)
                                );
                            }
                        }
                        for lease in claimed.leases {
                            gate.clone().send_one::<T>(&lease).await;
                        }
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::error!("failed to look for a {}: {}", T::CALLED, with_sources(&error));
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    async fn send_one<T: Outgoing>(self: Arc<Gate>, lease: &Lease) {
        let outcome = tokio::select! {
            outcome = T::attempt(&self, lease) => outcome,
            // Somebody else sends it now, after a clock that jumped say.
            () = self.clone().signs_of_life(lease.clone()) => return,
        };
        let ended = match outcome {
            Ok(Ended::Done) => self.store.complete_job(lease).await,
            Ok(Ended::Later(until)) => self.store.postpone_job(lease, until, self.now()).await,
            Err(reason) => {
                self.metrics.delivery_failure();
                tracing::warn!(job = lease.id.0, attempt = lease.attempt, "a {} failed: {reason}", T::CALLED);
                self.store.fail_job(lease, &reason, self.now()).await
            }
        };
        if let Err(error) = ended {
            tracing::error!(job = lease.id.0, "failed to end a {}: {}", T::CALLED, with_sources(&error));
        }
    }
}
