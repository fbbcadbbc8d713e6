//! Finds packages: lockfiles, cargo's configuration and caches, indexes, downloads.
//!
//! ```no_run
//! use cratekeeper_registry::{CargoConfig, CargoEnvironment, FinderOptions, Lockfile, Network, PackageFinder};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let lockfile = Lockfile::read("Cargo.lock".as_ref())?;
//! let config = CargoConfig::load(".".as_ref(), &CargoEnvironment::from_process()?)?;
//! let finder = PackageFinder::new(config, FinderOptions::new("/var/cache/ck".into(), Network::Online))?;
//! for locked in &lockfile.packages {
//!     let location = finder.fetch(&locked.package)?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Lockfile`] names packages; [`WorkspaceMetadata`] adds why they are there, and
//! [`Lockfile::missing_dependencies`] tells what the workspace's manifests name besides. [`CargoConfig`] says where
//! cargo would take them from, and a [`PackageFinder`] gives their bytes ([`PackageFinder::fetch`]) and what
//! the registry says about them ([`PackageFinder::index_entry`]).
//!
//! All of the program's network use is here, and offline is a way to construct a finder, not a flag to
//! remember. Archives are not opened and nothing is unpacked. No registry is named in the source: cargo's
//! configuration does that, and for the default one `tame-index`. Git is not run; registries that are
//! reached by git or with a token are not asked.

mod administration;
mod client;
mod config;
mod environment;
mod files;
mod finder;
mod index;
mod layout;
mod lockfile;
mod manifests;
mod notification;
mod provider;
mod sources;
mod upstream;
mod workspace;

pub use administration::{AdminClient, AdminError, Method};
pub use client::{HttpError, Network};
pub use config::{CargoConfig, ConfigError};
pub use environment::CargoEnvironment;
pub use finder::{FetchError, FileProblem, FinderOptions, Location, Origin, PackageFinder, VendoredFile};
pub use index::{IndexError, IndexLookup, IndexVersion, PastVersion, declared_manifest};
pub use lockfile::{LockedPackage, Lockfile, LockfileError, MAX_LOCKFILE_SIZE};
pub use manifests::{LocalPackages, Lookup, MissingDependencies, MissingDependency};
pub use notification::{NotificationError, Notifier, RefusedAddress};
pub use provider::{ProviderClient, may_be_asked};
pub use sources::{ResolvedSource, SourceError, is_public_registry};
pub use upstream::{IndexFile, PrivateAddresses, Upstream, UpstreamError, is_private};
pub use workspace::{WorkspaceError, WorkspaceMetadata};
