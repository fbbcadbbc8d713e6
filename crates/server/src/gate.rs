//! The gate itself: what all requests share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cratekeeper_engine::Engine;
use cratekeeper_model::{Checksum, Package, PackageSource};
use cratekeeper_registry::{
    CargoConfig, HttpError, Notifier, PrivateAddresses, SourceError, Upstream, UpstreamError,
};
use cratekeeper_store::{
    Act, AuditKey, CrateRecord, FETCHES_WAITING, FetchRecorder, Registry, RegistryId, RegistryKind, Store,
    StoreError,
};

use crate::blobs::{BlobError, Blobs};
use crate::call_graph::CallGraph;
use crate::callers::Rates;
use crate::certificates::{CertificateError, Certificates};
use crate::checkpoints::CheckpointsError;
use crate::configuration::{Configuration, ConfigurationError, HOSTED};
use crate::console::{Sealing, SealingError};
use crate::fronts::Answers;
use crate::in_force::{PolicyError, policy_in_force};
use crate::likes::{Likes, Names};
use crate::mail::{MailError, Mailer};
use crate::metrics::Metrics;
use crate::protocol::PublicRegistry;
use crate::provider::{Provider, ProviderOpenError};
use crate::reload::Live;
use crate::troubles::Troubles;
use crate::turns::Turns;
use crate::views::Views;
use crate::waiting::Waiting;

/// Who signs what the gate does by itself in the audit log.
pub(crate) const GATE: &str = "(gate)";

/// What a gate needs to be opened.
pub struct Setup {
    /// How it is set up.
    pub configuration: Configuration,
    /// Directory for everything that has no other place.
    pub directory: PathBuf,
    /// Cargo's configuration: proxy, certificates, and which registry is the default one.
    pub cargo: CargoConfig,
    /// Judges versions; its policy is the gate's.
    pub engine: Engine,
    /// What time it is.
    pub clock: Clock,
}

/// What time it is, in seconds since 1970.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// What the system says.
    #[default]
    System,
    /// What whoever replays something says.
    Played(Arc<AtomicI64>),
}

impl Clock {
    /// Seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        match self {
            Clock::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            }
            Clock::Played(moment) => moment.load(Ordering::Acquire),
        }
    }
}

/// A gate, ready to answer. Shared by all requests.
pub struct Gate {
    /// As it was set up; what may change since is in [`Gate::settings`].
    pub(crate) configuration: Configuration,
    pub(crate) live: Live,
    /// Certificate and key, where it speaks TLS.
    pub(crate) certificates: Option<Arc<Certificates>>,
    /// Signs checkpoints.
    pub(crate) audit_key: Arc<AuditKey>,
    /// Seals secrets that are kept.
    pub(crate) sealing: Sealing,
    /// Where people may sign in besides here.
    pub(crate) provider: Option<Provider>,
    pub(crate) directory: PathBuf,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    /// Room for archives that clients did not take yet.
    pub(crate) room: Arc<crate::sending::Room>,
    pub(crate) engine: Engine,
    clock: Clock,
    /// When this process opened it.
    pub(crate) opened_at: i64,
    /// Counts that the console shows, and when they were taken: to count all versions takes long where there are millions.
    pub(crate) call_graph: Option<Arc<CallGraph>>,
    pub(crate) counted: crate::console::Counted,
    pub(crate) hosted: Registry,
    /// How the hosted registry is called by manifests.
    pub(crate) public: PublicRegistry,
    pub(crate) fronts: BTreeMap<String, Front>,
    pub(crate) recorder: FetchRecorder,
    pub(crate) views: Views,
    pub(crate) waiting: Waiting,
    pub(crate) rates: Rates,
    /// Publishes whose bodies are in memory at the same time, by the number of the account.
    pub(crate) publishing: Turns<i64>,
    /// Versions that are judged at the same time: each takes a processor.
    pub(crate) judging: tokio::sync::Semaphore,
    /// Replays at the same time: each reads what a year left.
    pub(crate) replaying: tokio::sync::Semaphore,
    /// Verifications of the audit log at the same time: each reads all of it.
    pub(crate) verifying: tokio::sync::Semaphore,
    /// Passwords that are hashed at the same time: each takes 19 MiB.
    pub(crate) hashing: tokio::sync::Semaphore,
    pub(crate) likes: Likes,
    pub(crate) names: Names,
    pub(crate) answers: Answers,
    pub(crate) notifier: Arc<Notifier>,
    /// Sends mail, where that is set up.
    pub(crate) mailer: Option<Mailer>,
    pub(crate) metrics: Metrics,
    /// A name that no other process has.
    pub(crate) process: String,
    /// Whether the gate is to end: pages that wait for news are not waited for.
    pub(crate) ending: tokio::sync::watch::Sender<bool>,
}

/// An upstream, and the registry that its versions are kept under.
pub(crate) struct Front {
    pub(crate) registry: Registry,
    pub(crate) upstream: Arc<Upstream>,
    /// Source of its packages, as lockfiles write it.
    pub(crate) source: PackageSource,
    /// Index files that are asked for at the same time. Its own, so that an upstream that hangs takes nothing from another.
    pub(crate) asking: crate::fronts::Asking,
    /// Archives that are brought at the same time.
    pub(crate) bringing: Arc<tokio::sync::Semaphore>,
    pub(crate) troubles: Troubles,
}

/// A gate could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive store cannot be used.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// An upstream cannot be used.
    #[error("failed to set up the upstream `{name}`")]
    Upstream {
        /// Its name.
        name: String,
        /// What is wrong.
        source: UpstreamError,
    },
    /// Cargo's configuration does not say which registry is the default one.
    #[error(transparent)]
    DefaultRegistry(#[from] SourceError),
    /// Proxy or certificates cannot be used.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Certificate or key for TLS cannot be used.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// Checkpoints can be neither signed nor kept.
    #[error(transparent)]
    Checkpoints(#[from] CheckpointsError),
    /// Secrets cannot be sealed.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// Mail cannot be sent as it is set up.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The identity provider cannot be set up.
    #[error(transparent)]
    Provider(#[from] ProviderOpenError),
    /// The policy that is in force is not known.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A directory cannot be made.
    #[error("failed to make the directory `{}`", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl OpenError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            OpenError::Store(error) => error.hint().map(str::to_owned),
            OpenError::Upstream { .. } => Some(
                "an upstream is the URL of a sparse index, or a directory with an `index` in it".to_owned(),
            ),
            OpenError::DefaultRegistry(error) => error.hint(),
            OpenError::Http(error) => error.hint(),
            OpenError::Blobs(_) => Some(
                "S3 needs a program that was built with the feature `s3`, and credentials in the environment"
                    .to_owned(),
            ),
            OpenError::Certificates(error) => Some(error.hint().to_owned()),
            OpenError::Checkpoints(error) => error.hint().map(str::to_owned),
            OpenError::Sealing(_) => Some(
                "put the key back from a backup; without it, second factors have to be set up again"
                    .to_owned(),
            ),
            OpenError::Provider(_) => Some(
                "`client-secret-file` in `[identity-provider]` names a file with the secret that the provider gave"
                    .to_owned(),
            ),
            OpenError::Policy(PolicyError::Store(error)) => error.hint().map(str::to_owned),
            OpenError::Policy(PolicyError::Unreadable { .. }) => Some(
                "start the release that set it, or write a policy file: one that says something new is in force then"
                    .to_owned(),
            ),
            OpenError::Configuration(_) | OpenError::Mail(_) | OpenError::Directory { .. } => None,
        }
    }
}

impl Gate {
    /// Opens a gate: makes what is missing, brings the database up to date, and starts nothing yet.
    ///
    /// # Errors
    ///
    /// When the configuration makes no sense, or something that it names cannot be used.
    pub async fn open(setup: Setup) -> Result<Arc<Gate>, OpenError> {
        let Setup { configuration, directory, cargo, engine, clock } = setup;
        let at = clock.now();
        configuration.check()?;
        let certificates = configuration.tls.as_ref().map(Certificates::read).transpose()?.map(Arc::new);
        let mailer =
            configuration.mail.as_ref().map(|it| Mailer::open(it, &configuration.url())).transpose()?;
        make(&directory)?;
        make(&directory.join(TEMPORARY))?;
        let audit_key = crate::checkpoints::key(&configuration.checkpoints, &directory)?;
        crate::checkpoints::check(&configuration.checkpoints, &directory)?;
        let sealing = Sealing::open(&directory)?;
        let provider = Provider::open(&configuration, &cargo)?;
        sweep(&directory.join(TEMPORARY));
        let store = match &configuration.database {
            Some(url) => Store::connect(url).await?,
            None => Store::open_directory(&directory).await?,
        };
        let store = store.with_links(&configuration.url());
        let blobs = match &configuration.archives {
            Some(place) => Blobs::at(place)?,
            None => Blobs::in_directory(&directory.join("blobs"))?,
        };
        {
            // Of a million archives it takes a while to look at all, and nobody waits for it.
            let blobs = blobs.clone();
            tokio::task::spawn_blocking(move || blobs.sweep());
        }
        let default = cargo.default_registry()?;
        let hosted = registry(&store, HOSTED, RegistryKind::Hosted, None, at).await?;
        let mut fronts = BTreeMap::new();
        for name in configuration.upstream.keys() {
            let front = open_upstream(&store, &configuration, &cargo, name, &default, at).await?;
            fronts.insert(name.clone(), front);
        }
        let public = PublicRegistry {
            index: format!("sparse+{}/index/", configuration.url()),
            default_index: (!configuration.is_default_registry).then(|| default_index(&default)),
        };
        let (recorder, _) = FetchRecorder::start(&store, FETCHES_WAITING);
        let written = (*engine.policy()).clone();
        let (policy, act) = policy_in_force(&store, written, (GATE, None, at)).await?;
        crate::reload::write_down(&store, act.into_iter().collect()).await?;
        engine.replace_policy(policy);
        Ok(Arc::new(Gate {
            views: Views::new(store.newest_change().await?, store.newest_tombstone().await?),
            waiting: Waiting::default(),
            rates: Rates::default(),
            publishing: Turns::new(PUBLISHES, PUBLISHES_OF_ONE),
            judging: tokio::sync::Semaphore::new(configuration.inspections.max(1)),
            replaying: tokio::sync::Semaphore::new(1),
            verifying: tokio::sync::Semaphore::new(1),
            hashing: tokio::sync::Semaphore::new(1),
            likes: Likes::open(directory.join("similar.index")),
            names: Names::default(),
            answers: Answers::default(),
            notifier: Arc::new(Notifier::new(&cargo, private(&configuration))?),
            mailer,
            metrics: Metrics::default(),
            process: format!("{}-{:016x}", std::process::id(), fastrand::u64(..)),
            ending: tokio::sync::watch::Sender::new(false),
            live: Live::new(&configuration, &directory),
            call_graph: configuration.call_graph.clone().map(CallGraph::new).map(Arc::new),
            certificates,
            audit_key: Arc::new(audit_key),
            sealing,
            provider,
            configuration,
            directory,
            store,
            blobs,
            room: crate::sending::room(),
            engine,
            clock,
            opened_at: at,
            counted: crate::console::Counted::default(),
            hosted,
            public,
            fronts,
            recorder,
        }))
    }

    /// SHA-256 of the policy that decides: the file's, or one that people set since.
    #[must_use]
    pub fn policy(&self) -> Checksum {
        self.engine.policy().digest()
    }

    /// What time it is, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// What is set up and may change while the gate runs, as it is now.
    pub(crate) fn settings(&self) -> Arc<Configuration> {
        self.live.settings()
    }

    /// URL under which the gate is reached, without `/` at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.configuration.url()
    }

    /// Names of the upstreams, with their indexes.
    pub fn upstreams(&self) -> impl Iterator<Item = (&str, &str)> {
        self.configuration.upstream.iter().map(|(name, it)| (name.as_str(), it.index.as_str()))
    }

    /// Directory for files that are gone when whatever needs them is done.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.directory.join(TEMPORARY)
    }

    /// URL of the page about a version.
    pub(crate) fn version_page(&self, registry: &Registry, name: &str, version: &semver::Version) -> String {
        let url = self.configuration.url();
        // Registries keep numbers for paths; a `+` of build metadata needs no escape in a path.
        format!("{url}/{}/{name}/{version}", registry.name)
    }

    /// Reads the names again when something changed: crates come and owners go at other replicas, too.
    pub(crate) async fn follow_names(self: Arc<Gate>) {
        let mut seen = self.store.newest_change().await.unwrap_or_default();
        loop {
            tokio::time::sleep(NAMES_EVERY).await;
            // A database that is away is told of by whoever needs it.
            if let Ok(newest) = self.store.newest_change().await
                && newest != seen
            {
                self.load_names().await;
                seen = newest;
            }
        }
    }

    /// Reads the names of hosted crates, which new ones are compared with, and who owns them.
    pub(crate) async fn load_names(self: &Arc<Gate>) {
        let crates = match self.store.crates_with_owners(self.hosted.id).await {
            Ok(crates) => crates,
            Err(error) => {
                tracing::warn!("failed to read the names of crates: {}", crate::error::with_sources(&error));
                return;
            }
        };
        let is_settled = |it: &CrateRecord| self.now().saturating_sub(it.first_seen) > SETTLED;
        let settled = crates.iter().filter(|(krate, _)| is_settled(krate)).flat_map(|(_, owners)| owners);
        let settled = settled.cloned().collect();
        let named = crates.into_iter().map(|(krate, owners)| (krate.name, owners)).collect();
        // To sort two hundred thousand names takes a moment.
        let gate = self.clone();
        let _ = tokio::task::spawn_blocking(move || gate.names.replace(named, settled)).await;
    }

    /// Where the index of a registry is.
    pub(crate) fn index_of<'a>(&'a self, registry: &'a Registry) -> &'a str {
        if registry.name == HOSTED { &self.public.index } else { registry.url.as_deref().unwrap_or_default() }
    }

    /// The registry of this name, hosted or in front of an upstream.
    pub(crate) fn registry(&self, name: &str) -> Option<&Registry> {
        if name == HOSTED { Some(&self.hosted) } else { self.fronts.get(name).map(|it| &it.registry) }
    }

    /// The registry of this number; `None` where it is not set up any more.
    pub(crate) fn registry_by_id(&self, id: RegistryId) -> Option<&Registry> {
        let fronts = self.fronts.values().map(|it| &it.registry);
        std::iter::once(&self.hosted).chain(fronts).find(|it| it.id == id)
    }

    /// The front of a registry; `None` for the hosted one.
    pub(crate) fn front(&self, registry: &Registry) -> Option<&Front> {
        self.fronts.get(&registry.name)
    }

    /// Where packages of a registry come from, as lockfiles write it.
    pub(crate) fn source(&self, registry: &Registry) -> PackageSource {
        match self.front(registry) {
            Some(front) => front.source.clone(),
            None => PackageSource::Registry(self.public.index.clone()),
        }
    }

    /// A version as a package.
    pub(crate) fn package(
        &self,
        registry: &Registry,
        name: &str,
        version: &semver::Version,
        checksum: Checksum,
    ) -> Package {
        let PackageSource::Registry(index) = self.source(registry) else {
            unreachable!("registries have an index")
        };
        cratekeeper_engine::registry_package(&index, name, version, checksum)
    }
}

/// Publishes at the same time: each may hold an archive of the largest size.
const PUBLISHES: usize = 4;

/// Those of one account, whatever its tokens: an upload may take two minutes, and others get through meanwhile.
const PUBLISHES_OF_ONE: usize = PUBLISHES / 2;

/// How often names are read again, where something changed.
const NAMES_EVERY: Duration = Duration::from_secs(30);

/// Seconds that a crate has to be there for its owners to be somebody whom a newcomer can pretend to be: as long as rules call a release
/// recent.
const SETTLED: i64 = 90 * 24 * 60 * 60;

/// Age from which a temporary file is nobody's any more: the longest download and the longest inspection are done within minutes.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// Name of the directory for temporary files.
const TEMPORARY: &str = "temporary";

fn private(configuration: &Configuration) -> PrivateAddresses {
    if configuration.allow_private_addresses {
        PrivateAddresses::Allowed
    } else {
        PrivateAddresses::OwnHostOnly
    }
}

async fn open_upstream(
    store: &Store,
    configuration: &Configuration,
    cargo: &CargoConfig,
    name: &str,
    default: &PackageSource,
    at: i64,
) -> Result<Front, OpenError> {
    let address = configuration.upstream.get(name).map_or("", |it| it.index.as_str());
    let failed = |source| OpenError::Upstream { name: name.to_owned(), source };
    let upstream = Upstream::open(address, cargo, private(configuration)).map_err(failed)?;
    let registry = registry(store, name, RegistryKind::Upstream, Some(address), at).await?;
    let replaces = configuration.upstream.get(name).map_or("", |it| it.replaces.as_str());
    let source = if replaces == "crates-io" {
        default.clone()
    } else {
        PackageSource::Registry(format!("sparse+{}/proxy/{name}/index/", configuration.url()))
    };
    Ok(Front {
        registry,
        upstream: Arc::new(upstream),
        source,
        asking: crate::fronts::asking(),
        bringing: Arc::new(tokio::sync::Semaphore::new(crate::inspection::BRINGING)),
        troubles: Troubles::default(),
    })
}

/// The registry of this name; made, with an entry in the audit log, where there is none.
async fn registry(
    store: &Store,
    name: &str,
    kind: RegistryKind,
    url: Option<&str>,
    at: i64,
) -> Result<Registry, StoreError> {
    if let Some(found) = store.registry(name).await?
        && found.kind == kind
        && found.url.as_deref() == url
    {
        return Ok(found);
    }
    let mut transaction = store.act(Act::new(GATE, "registry.open", name, at)).await?;
    let registry = transaction.ensure_registry(name, kind, url).await?;
    transaction.commit().await?;
    Ok(registry)
}

/// What index lines call the default registry: the URL that manifests mean when they name none, which cargo itself writes into lockfiles.
fn default_index(default: &PackageSource) -> String {
    let text = default.to_string();
    text.strip_prefix("registry+").map_or(text.clone(), str::to_owned)
}

/// Removes what processes left behind that were killed.
fn sweep(temporary: &Path) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|it| it.modified()).map(|it| it.elapsed().unwrap_or_default());
        if age.is_ok_and(|it| it > LEFT_BEHIND) {
            // Whoever starts at the same moment may have done it.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn make(directory: &Path) -> Result<(), OpenError> {
    std::fs::create_dir_all(directory)
        .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })
}
