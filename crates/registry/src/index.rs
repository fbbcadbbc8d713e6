//! Index entries: is a version withdrawn, which checksum is promised, is there a newer one.
//!
//! Read from cargo's cache of the index, from our own, or from a local registry. When online, an entry
//! older than [`FinderOptions::index_max_age`](crate::FinderOptions) is asked for again with the revision
//! we have, and kept in a cache of our own in cargo's format, whose modification time says when the
//! registry last confirmed it. Old data is better than none, and says that it is old.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cratekeeper_model::{IndexEntry, Package};
use fs_err as fs;
use tame_index::index::JsonLines;
use tame_index::index::cache::{CacheWrite, HttpRevision, Revision, ValidCacheEntry};
use tempfile::NamedTempFile;

use crate::client::{Answer, Content, Request, Transport, shown};
use crate::finder::PackageFinder;
use crate::finder::read_all;
use crate::layout::{index_path, is_safe_name, registry_directories};
use crate::{HttpError, Network, ResolvedSource};

mod entry;
mod error;
mod past;
mod versions;

pub use entry::declared_manifest;
use entry::{Problem, Versions, summarize};
pub use error::IndexError;
pub use past::PastVersion;
pub use versions::IndexVersion;

/// The largest entries of the default registry are below 4 MiB.
const MAX_ENTRY_SIZE: u64 = 64 << 20;

/// What the index says about one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexLookup {
    /// The registry's record, with its age.
    pub entry: IndexEntry,
    /// All versions of the crate, in the index's order.
    pub past: Vec<PastVersion>,
    /// Why the record is older than it should be; `None` when it is not, or when offline.
    pub stale: Option<String>,
}

/// An entry that lies on disk, in cargo's format.
struct Stored {
    path: PathBuf,
    age: Duration,
}

/// What a crate's versions were read into, and why they are older than they should be.
struct Answered<T> {
    value: T,
    stale: Option<String>,
}

/// Reads what is needed of a crate's versions, whose age is given.
type Read<'r, T> = &'r dyn Fn(&Versions<'_>, Duration) -> Result<T, Problem>;

impl PackageFinder {
    /// Looks a package up in its registry's index.
    ///
    /// # Errors
    ///
    /// When there is no index, no data, or no such version; the text of the error is the reason.
    pub fn index_entry(&self, package: &Package) -> Result<IndexLookup, IndexError> {
        let answered = self.ask_index(package, &|versions, age| {
            Ok((summarize(versions, &package.version, age)?, versions.past()))
        })?;
        let (entry, past) = answered.value;
        Ok(IndexLookup { entry, past, stale: answered.stale })
    }

    /// What the index remembers of a package's crate.
    ///
    /// # Errors
    ///
    /// When there is no index or no data; the text of the error is the reason.
    pub fn index_past(&self, package: &Package) -> Result<Vec<PastVersion>, IndexError> {
        Ok(self.ask_index(package, &|versions, _| Ok(versions.past()))?.value)
    }

    /// All versions of a package's crate in its registry's index, in the index's order.
    ///
    /// # Errors
    ///
    /// When there is no index or no data; the text of the error is the reason.
    pub fn index_versions(&self, package: &Package) -> Result<Vec<IndexVersion>, IndexError> {
        Ok(self.ask_index(package, &|versions, _| Ok(versions.all()))?.value)
    }

    fn ask_index<T>(&self, package: &Package, read: Read<'_, T>) -> Result<Answered<T>, IndexError> {
        if !is_safe_name(&package.name) {
            return Err(IndexError::UnsafeName { name: package.name.clone() });
        }
        match self.config.resolve_source(&package.source)? {
            ResolvedSource::LocalRegistry(root) => local_entry(&root, package, read),
            ResolvedSource::SparseIndex(index) => self.sparse_entry(&index, package, read),
            source @ ResolvedSource::GitIndex(_) => self.git_entry(&source, package, read),
            ResolvedSource::Directory(_) => Err(IndexError::NoIndex { what: "a vendored directory" }),
            ResolvedSource::Git(_) => Err(IndexError::NoIndex { what: "a git repository" }),
            ResolvedSource::Path(_) => Err(IndexError::NoIndex { what: "a directory" }),
        }
    }

    fn sparse_entry<T>(
        &self,
        index: &str,
        package: &Package,
        read: Read<'_, T>,
    ) -> Result<Answered<T>, IndexError> {
        let source = ResolvedSource::SparseIndex(index.to_owned());
        let stored = self.youngest(&source, &package.name);
        let is_fresh = |stored: &Stored| stored.age <= self.options.index_max_age;
        if self.client.network() == Network::Offline || stored.as_ref().is_some_and(is_fresh) {
            let stored = stored.ok_or_else(|| IndexError::NotCached { name: package.name.clone() })?;
            return read_stored(&stored, package, None, read);
        }
        match self.refresh(index, &package.name, stored.as_ref()) {
            Ok(Some(body)) => {
                let value = read(&Versions::lines(&body), Duration::ZERO)
                    .map_err(|problem| problem.of(package, shown(index)))?;
                Ok(Answered { value, stale: None })
            }
            Ok(None) => match self.youngest(&source, &package.name) {
                Some(stored) => read_stored(&stored, package, None, read),
                None => Err(IndexError::NotCached { name: package.name.clone() }),
            },
            Err(HttpError::NotFound { .. }) => {
                Err(IndexError::Removed { name: package.name.clone(), index: shown(index) })
            }
            Err(error) => match stored {
                Some(stored) => read_stored(&stored, package, Some(error.to_string()), read),
                None => Err(IndexError::Http(error)),
            },
        }
    }

    fn git_entry<T>(
        &self,
        source: &ResolvedSource,
        package: &Package,
        read: Read<'_, T>,
    ) -> Result<Answered<T>, IndexError> {
        let stored = self.youngest(source, &package.name).ok_or(IndexError::GitIndex)?;
        let is_old = stored.age > self.options.index_max_age && self.client.network() == Network::Online;
        read_stored(&stored, package, is_old.then(|| IndexError::GitIndex.to_string()), read)
    }

    /// The stored entry that was confirmed last, by cargo or by us.
    fn youngest(&self, source: &ResolvedSource, name: &str) -> Option<Stored> {
        let cargo = self.config.environment().home().join("registry/index");
        let path = index_path(name);
        let directories = source.cache_urls().into_iter().flat_map(|url| registry_directories(&url));
        let places = directories.flat_map(|directory| {
            [cargo.join(&directory).join(".cache").join(&path), self.own_index(&directory).join(&path)]
        });
        places.filter_map(|path| Some(Stored { age: age_of(&path)?, path })).min_by_key(|stored| stored.age)
    }

    fn own_index(&self, directory: &str) -> PathBuf {
        self.options.cache.join("index").join(directory)
    }

    /// Our own file for an entry of a sparse index.
    fn own_entry(&self, index: &str, name: &str) -> PathBuf {
        let directory = registry_directories(&format!("sparse+{index}")).into_iter().next();
        self.own_index(&directory.unwrap_or_else(|| "unknown".to_owned())).join(index_path(name))
    }

    /// Asks the registry. Gives the new body, or `None` if the stored entry was confirmed.
    fn refresh(
        &self,
        index: &str,
        name: &str,
        stored: Option<&Stored>,
    ) -> Result<Option<Vec<u8>>, HttpError> {
        let bytes = stored.and_then(|stored| crate::files::read_bytes(&stored.path, MAX_ENTRY_SIZE).ok());
        let valid = bytes.as_deref().and_then(|bytes| ValidCacheEntry::read(bytes).ok());
        let revision = valid.as_ref().and_then(|valid| match &valid.revision {
            Revision::Http(HttpRevision::Etag(etag)) => Some(("if-none-match", *etag)),
            Revision::Http(HttpRevision::LastModified(time)) => Some(("if-modified-since", *time)),
            Revision::Git(_) | Revision::Unknown => None,
        });
        let url = format!("{index}{}", index_path(name));
        let request = Request {
            url: &url,
            revision,
            limit: MAX_ENTRY_SIZE,
            content: Content::Text,
            transport: Transport::of(index),
        };
        let own = self.own_entry(index, name);
        let answer = self.client.get(&request, |headers, body| {
            let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            Ok((read_all(body)?, text("etag"), text("last-modified")))
        });
        let kept = match &answer {
            Ok(Answer::Content((body, etag, modified))) => {
                keep_lines(&own, body, etag.as_deref(), modified.as_deref())
            }
            Ok(Answer::NotModified) => bytes.as_deref().map_or(Ok(()), |bytes| keep(&own, bytes)),
            // What the registry removed must not come back from our cache when offline.
            Err(HttpError::NotFound { .. }) => fs::remove_file(&own).or_else(ignore_missing),
            Err(_) => Ok(()),
        };
        if let Err(error) = kept {
            tracing::warn!(path = %own.display(), %error, "failed to keep an index entry");
        }
        answer.map(|answer| match answer {
            Answer::Content((body, ..)) => Some(body),
            Answer::NotModified => None,
        })
    }
}

fn read_stored<T>(
    stored: &Stored,
    package: &Package,
    stale: Option<String>,
    read: Read<'_, T>,
) -> Result<Answered<T>, IndexError> {
    let place = || stored.path.display().to_string();
    let malformed = |message: String| IndexError::Malformed { place: place(), message };
    let bytes = crate::files::read_bytes(&stored.path, MAX_ENTRY_SIZE)
        .map_err(|error| malformed(error.to_string()))?;
    let valid = ValidCacheEntry::read(&bytes).map_err(|error| malformed(error.to_string()))?;
    let value = read(&Versions::cached(valid.version_entries), stored.age)
        .map_err(|problem| problem.of(package, place()))?;
    Ok(Answered { value, stale })
}

/// The index of a local registry is made once and never asked for again: its age is that of the file.
fn local_entry<T>(root: &Path, package: &Package, read: Read<'_, T>) -> Result<Answered<T>, IndexError> {
    let path = root.join("index").join(index_path(&package.name));
    let age = age_of(&path).ok_or_else(|| IndexError::NotCached { name: package.name.clone() })?;
    let place = || path.display().to_string();
    let bytes = crate::files::read_bytes(&path, MAX_ENTRY_SIZE)
        .map_err(|error| IndexError::Malformed { place: place(), message: error.to_string() })?;
    let value = read(&Versions::lines(&bytes), age).map_err(|problem| problem.of(package, place()))?;
    Ok(Answered { value, stale: None })
}

/// Time since a file was written; `None` if it is not there. A time in the future counts as just now.
fn age_of(path: &Path) -> Option<Duration> {
    let modified = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.modified().ok()?;
    Some(SystemTime::now().duration_since(modified).unwrap_or_default())
}

/// Stores a body in cargo's format.
fn keep_lines(path: &Path, body: &[u8], etag: Option<&str>, modified: Option<&str>) -> io::Result<()> {
    let revision = match (etag, modified) {
        (Some(etag), _) => Revision::Http(HttpRevision::Etag(etag)),
        (None, Some(modified)) => Revision::Http(HttpRevision::LastModified(modified)),
        (None, None) => Revision::Unknown,
    };
    let lines = JsonLines::validate(body).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    CacheWrite::Remote(lines).write_cache_entry(&mut bytes, &revision)?;
    keep(path, &bytes)
}

/// Writes a whole file or nothing, so that a reader never sees half an entry.
fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory)?;
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
