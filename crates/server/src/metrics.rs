//! Numbers for Prometheus: what is asked for, refused, inspected, and what goes wrong. Nothing in them names a crate or a person.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    index_requests: Counter,
    downloads: Counter,
    downloaded_bytes: Counter,
    refusals: Counter,
    publishes: Counter,
    inspections: Histogram,
    inspection_failures: Counter,
    upstream_failures: Counter,
    contradictions: Counter,
    checkpoint_failures: Counter,
    damaged_archives: Counter,
    delivery_failures: Counter,
    wrong_tokens: Counter,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::with_prefix("cratekeeper");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let (index_requests, downloads) = (
            counter("index_requests", "Index files that were asked for"),
            counter("downloads", "Archives that were given out"),
        );
        let downloaded_bytes = counter("downloaded_bytes", "Bytes of archives that were given out");
        let refusals = counter("refusals", "Downloads that were refused");
        let publishes = counter("publishes", "Versions that were published to the hosted registry");
        let inspection_failures = counter("inspection_failures", "Inspections that ended without a verdict");
        let upstream_failures = counter(
            "upstream_failures",
            "Requests to upstreams that failed while older answers were given out",
        );
        let contradictions =
            counter("contradictions", "Published versions that an upstream described in another way later");
        let checkpoint_failures =
            counter("checkpoint_failures", "Checkpoints of the audit log that could not be taken or kept");
        let damaged_archives = counter(
            "damaged_archives",
            "Archives of the gate's own store that had other bytes than were kept",
        );
        let delivery_failures = counter("delivery_failures", "Attempts to tell webhooks that did not arrive");
        let wrong_tokens = counter("wrong_tokens", "Requests with a token that is worth nothing");
        // From 10 ms to 40 s.
        let inspections = Histogram::new(exponential_buckets(0.01, 2.0, 13));
        registry.register("inspection_seconds", "How long inspections took", inspections.clone());
        Metrics {
            registry,
            index_requests,
            downloads,
            downloaded_bytes,
            refusals,
            publishes,
            inspections,
            inspection_failures,
            upstream_failures,
            contradictions,
            checkpoint_failures,
            damaged_archives,
            delivery_failures,
            wrong_tokens,
        }
    }
}

impl Metrics {
    pub(crate) fn index_request(&self) {
        self.index_requests.inc();
    }

    pub(crate) fn downloaded(&self, bytes: u64) {
        self.downloads.inc();
        self.downloaded_bytes.inc_by(bytes);
    }

    pub(crate) fn refused(&self) {
        self.refusals.inc();
    }

    pub(crate) fn published(&self) {
        self.publishes.inc();
    }

    pub(crate) fn inspection(&self, took: Duration, succeeded: bool) {
        self.inspections.observe(took.as_secs_f64());
        if !succeeded {
            self.inspection_failures.inc();
        }
    }

    pub(crate) fn upstream_failure(&self) {
        self.upstream_failures.inc();
    }

    pub(crate) fn contradiction(&self) {
        self.contradictions.inc();
    }

    pub(crate) fn checkpoint_failure(&self) {
        self.checkpoint_failures.inc();
    }

    pub(crate) fn damaged_archive(&self) {
        self.damaged_archives.inc();
    }

    pub(crate) fn delivery_failure(&self) {
        self.delivery_failures.inc();
    }

    pub(crate) fn wrong_token(&self) {
        self.wrong_tokens.inc();
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
