//! Who is hit by a version: what depends on it within the registries here, and who fetched it since it came.

use std::sync::Arc;
use std::time::Duration;

use cratekeeper_store::{CrateRecord, Fetchers, StoreError, VersionRecord, WalkLimits};

use super::layout::plain;
use crate::error::with_sources;
use crate::gate::Gate;

/// Crates of which dependencies are written down at once; publishes wait while that is done.
const AT_ONCE: u64 = 25;

/// Pause after each, in which whoever waits gets their turn; and after the database refused.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Who is hit.
pub(super) struct Hit {
    pub(super) direct: Vec<Dependent>,
    pub(super) direct_count: usize,
    pub(super) transitive_count: usize,
    pub(super) elsewhere_count: usize,
    /// Whether there are more than were counted.
    pub(super) is_cut: bool,
    pub(super) fetchers: Fetchers,
}

/// A crate that depends on the version directly.
pub(super) struct Dependent {
    pub(super) name: String,
    pub(super) path: Option<String>,
    pub(super) version: String,
    pub(super) requirement: String,
    pub(super) kind: &'static str,
}

impl Gate {
    /// Who is hit by a version.
    pub(super) async fn hit(&self, krate: &CrateRecord, version: &VersionRecord) -> Result<Hit, StoreError> {
        let found = self.store.dependents(krate, &version.version, WalkLimits::default()).await?;
        let dependent = |it: cratekeeper_store::Dependent| Dependent {
            path: self.registry_of(&it.krate).map(|of| crate_path(&of.name, &it.krate.name)),
            name: plain(&it.krate.name),
            version: it.version,
            requirement: plain(&it.requirement),
            kind: match it.kind.as_str() {
                "build" => "for building",
                "dev" => "for development",
                _ => "",
            },
        };
        Ok(Hit {
            direct_count: found.direct_count,
            transitive_count: found.transitive_count,
            elsewhere_count: found.elsewhere_count,
            is_cut: found.is_cut,
            direct: found.direct.into_iter().map(dependent).collect(),
            fetchers: self.store.fetchers_of(version.id).await?,
        })
    }

    /// Writes down what crates depend on that came before that was kept; ends when all are done.
    pub(crate) async fn fill_dependencies(self: Arc<Gate>) {
        loop {
            match self.store.fill_dependencies(AT_ONCE).await {
                Ok(0) => return,
                Ok(_) => tokio::time::sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!("failed to write down what crates depend on: {}", with_sources(&error));
                    tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                }
            }
        }
    }
}

/// Where a crate is shown.
pub(super) fn crate_path(registry: &str, name: &str) -> String {
    // Names that registries accept need no escape; what an upstream invents is escaped.
    let segment = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("/console/crate/{}/{}", segment(registry), segment(name))
}
