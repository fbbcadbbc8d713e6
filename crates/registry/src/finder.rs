//! Finds the bytes of packages: in cargo's cache, vendored, in a local registry, or by download.
//!
//! Cargo's own caches are read and never written. What is downloaded goes to a cache of our own, named
//! by checksum and only after the checksum was verified. Archives that are found are *not* hashed here:
//! whoever reads them hashes them anyway.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cratekeeper_model::{Checksum, Package};

use crate::client::{Client, Redirects};
use crate::layout::{archive_name, is_safe_name, registry_directories};
use crate::{CargoConfig, HttpError, Network, ResolvedSource};

pub(crate) mod download;
mod error;
mod git;
mod manifest;
mod vendored;
mod versions_here;

pub(crate) use download::read_all;
pub use error::FetchError;
pub use vendored::{FileProblem, VendoredFile};

/// How a [`PackageFinder`] works.
#[derive(Debug, Clone)]
pub struct FinderOptions {
    /// Directory of our own, for downloads and index entries. It is created when needed.
    pub cache: PathBuf,
    /// Whether the network may be used.
    pub network: Network,
    /// Largest archive that is downloaded.
    pub max_archive_size: u64,
    /// Age from which an index entry is refreshed, when online.
    pub index_max_age: Duration,
    /// First pause before a failed request is tried again; later ones are longer.
    pub retry_pause: Duration,
}

impl FinderOptions {
    /// The usual limits, with a cache directory of our own.
    #[must_use]
    pub fn new(cache: PathBuf, network: Network) -> FinderOptions {
        FinderOptions {
            cache,
            network,
            // The default registry refuses uploads above 10 MiB, and grants exceptions below 100 MiB.
            max_archive_size: 512 << 20,
            index_max_age: Duration::from_secs(60 * 60),
            retry_pause: Duration::from_millis(300),
        }
    }
}

/// Where the bytes of a package are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A `.crate` file. Its checksum has yet to be compared with the promised one, unless `origin` is
    /// [`Origin::Downloads`].
    Archive {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        origin: Origin,
    },
    /// An unpacked package.
    Directory {
        /// The directory with its `Cargo.toml`.
        path: PathBuf,
        /// Whose it is.
        origin: Origin,
        /// Files of a vendored package that are not as `cargo vendor` left them, sorted by path. Cargo
        /// refuses to build with the changed ones, but builds with additional ones.
        problems: Vec<VendoredFile>,
    },
}

impl Location {
    /// The file or directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Location::Archive { path, .. } | Location::Directory { path, .. } => path,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self {
            Location::Archive { origin, .. } | Location::Directory { origin, .. } => *origin,
        }
    }
}

/// Who put a package where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Cargo's cache of downloaded archives.
    CargoCache,
    /// Our own cache of downloads; the checksum was verified before the file was stored.
    Downloads,
    /// A local registry (`[source] local-registry`).
    LocalRegistry,
    /// A vendored directory (`[source] directory`).
    Vendored,
    /// Cargo's checkout of a git repository, at the locked commit.
    GitCheckout,
    /// A directory of the user's own.
    Path,
}

/// Finds packages and their index entries. Cheap to share between threads; every call blocks.
pub struct PackageFinder {
    pub(crate) config: CargoConfig,
    pub(crate) options: FinderOptions,
    pub(crate) client: Client,
    /// Download templates by index URL, asked for once in a run.
    templates: Mutex<BTreeMap<String, String>>,
    /// Directories of archives, listed once.
    listings: Mutex<versions_here::Listings>,
}

impl PackageFinder {
    /// A finder that looks where `config` says.
    ///
    /// # Errors
    ///
    /// When the configured proxy or certificate file cannot be used. Never when offline.
    pub fn new(config: CargoConfig, options: FinderOptions) -> Result<PackageFinder, HttpError> {
        let client = Client::new(&config, options.network, options.retry_pause, Redirects::Followed)?;
        Ok(PackageFinder { config, options, client, templates: Mutex::default(), listings: Mutex::default() })
    }

    /// Cargo's configuration, as it was given.
    #[must_use]
    pub fn config(&self) -> &CargoConfig {
        &self.config
    }

    /// Finds a package on this machine, or downloads it.
    ///
    /// # Errors
    ///
    /// When it is not here and cannot be downloaded, with the reason.
    pub fn fetch(&self, package: &Package) -> Result<Location, FetchError> {
        match self.locate(package)? {
            Some(location) => Ok(location),
            None => self.download(package),
        }
    }

    /// Finds a package on this machine; `None` if it is not here and a registry may have it.
    ///
    /// # Errors
    ///
    /// When its source cannot be resolved, or names a directory that lacks it.
    pub fn locate(&self, package: &Package) -> Result<Option<Location>, FetchError> {
        if !is_safe_name(&package.name) {
            return Err(FetchError::UnsafeName { name: package.name.clone() });
        }
        let home = self.config.environment().home();
        match self.config.resolve_source(&package.source)? {
            source @ (ResolvedSource::SparseIndex(_) | ResolvedSource::GitIndex(_)) => {
                Ok(self.cached_archive(package, &source))
            }
            ResolvedSource::LocalRegistry(root) => local_archive(package, &root).map(Some),
            ResolvedSource::Directory(root) => vendored::find(&root, package).map(Some),
            ResolvedSource::Git(url) => git::find(home, &url, package).map(Some),
            ResolvedSource::Path(path) if path.as_os_str().is_empty() => {
                Err(FetchError::NoDirectory { what: label(package) })
            }
            ResolvedSource::Path(path) if path.is_dir() => {
                Ok(Some(Location::Directory { path, origin: Origin::Path, problems: Vec::new() }))
            }
            ResolvedSource::Path(path) => Err(FetchError::NotThere { what: label(package), place: path }),
        }
    }

    fn cached_archive(&self, package: &Package, source: &ResolvedSource) -> Option<Location> {
        let caches = self.config.environment().home().join("registry/cache");
        let name = archive_name(&package.name, &package.version);
        let directories = source.cache_urls().into_iter().flat_map(|url| registry_directories(&url));
        let by_cargo = directories.map(|directory| (caches.join(directory).join(&name), Origin::CargoCache));
        let own = package.checksum.map(|checksum| (self.download_path(&checksum), Origin::Downloads));
        let (path, origin) = by_cargo.chain(own).find(|(path, _)| path.is_file())?;
        Some(Location::Archive { path, origin })
    }

    /// Where a download with this checksum is kept.
    fn download_path(&self, checksum: &Checksum) -> PathBuf {
        let digits = checksum.to_string();
        self.options.cache.join("crates").join(&digits[..2]).join(format!("{digits}.crate"))
    }

    fn lock_templates(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        // The map is valid after every single insert, so a panic elsewhere does not matter.
        self.templates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn local_archive(package: &Package, root: &Path) -> Result<Location, FetchError> {
    let path = root.join(archive_name(&package.name, &package.version));
    if !path.is_file() {
        return Err(FetchError::NotThere { what: label(package), place: root.to_owned() });
    }
    Ok(Location::Archive { path, origin: Origin::LocalRegistry })
}

const _: () = {
    const fn is_shared_between_threads<T: Send + Sync>() {}
    is_shared_between_threads::<PackageFinder>();
};

/// A package for messages.
fn label(package: &Package) -> String {
    format!("{}@{}", package.name, package.version)
}
