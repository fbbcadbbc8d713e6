//! Which versions of a crate lie on this machine, without asking an index.
//!
//! Directories of archives are listed once in the life of a finder: a check asks for hundreds of crates. What we downloaded
//! ourselves is not listed, because it is named by checksum.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use cratekeeper_model::{Package, PackageId};
use semver::Version;

use super::PackageFinder;
use crate::ResolvedSource;
use crate::layout::{is_safe_name, registry_directories};

/// File names of archives without `.crate`, sorted.
type Names = Arc<Vec<String>>;

/// Directories that were listed.
pub(super) type Listings = BTreeMap<PathBuf, Names>;

/// Entries of one directory that are looked at; the caches of build services have some ten thousand.
const ENTRIES: usize = 1_000_000;

impl PackageFinder {
    /// The versions of a package's crate whose archives are in cargo's cache or in its local registry, highest first.
    ///
    /// The packages have no checksum: nothing here promises one.
    #[must_use]
    pub fn versions_here(&self, package: &Package) -> Vec<Package> {
        if !is_safe_name(&package.name) {
            return Vec::new();
        }
        let directories = match self.config.resolve_source(&package.source) {
            Ok(source @ (ResolvedSource::SparseIndex(_) | ResolvedSource::GitIndex(_))) => {
                let caches = self.config.environment().home().join("registry/cache");
                let names = source.cache_urls().into_iter().flat_map(|url| registry_directories(&url));
                names.map(|name| caches.join(name)).collect()
            }
            Ok(ResolvedSource::LocalRegistry(root)) => vec![root],
            _ => Vec::new(),
        };
        let prefix = format!("{}-", package.name);
        let mut versions: Vec<Version> = Vec::new();
        for directory in directories {
            let names = self.archives_in(&directory);
            let first = names.partition_point(|name| name.as_str() < prefix.as_str());
            let of_crate = names[first..].iter().map_while(|name| name.strip_prefix(&prefix));
            // `serde-` also begins the archives of `serde-json`, whose rest is no version.
            versions.extend(of_crate.filter_map(|rest| Version::parse(rest).ok()));
        }
        versions.sort_by(|a, b| b.cmp(a));
        versions.dedup();
        let as_package = |version: Version| Package {
            id: PackageId::new(&package.source, &package.name, &version),
            version,
            checksum: None,
            ..package.clone()
        };
        versions.into_iter().map(as_package).collect()
    }

    fn archives_in(&self, directory: &Path) -> Names {
        let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = listings.get(directory) {
            return Arc::clone(names);
        }
        let names = Arc::new(list(directory));
        listings.insert(directory.to_owned(), Arc::clone(&names));
        names
    }
}

/// A directory that cannot be listed has no archives that could be read.
fn list(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let names = entries.take(ENTRIES).flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".crate").map(str::to_owned)).collect();
    names.sort_unstable();
    names
}
