//! Source replacement: from the source in a lockfile to the place where cargo would look.
//!
//! Follows `replace-with` through any number of hops, as cargo's `SourceConfigMap` does; `tame-index`
//! follows one. Whatever cannot be resolved is an error. Falling back to the default registry would
//! inspect other bytes than those that cargo builds.

use std::path::PathBuf;

use cratekeeper_model::PackageSource;
use tame_index::{CRATES_IO_HTTP_INDEX, CRATES_IO_INDEX};
use toml::{Table, Value};

use crate::CargoConfig;
use crate::config::Protocol;

/// Cargo's name for the default registry in configuration files.
const DEFAULT_REGISTRY: &str = "crates-io";

/// Where cargo looks for a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ResolvedSource {
    /// A sparse index, by its URL without `sparse+`, ending in `/`.
    SparseIndex(String),
    /// An index in a git repository, by its URL without `registry+`.
    GitIndex(String),
    /// A vendored directory: one unpacked package per subdirectory.
    Directory(PathBuf),
    /// A local registry: `.crate` files and an index in one directory.
    LocalRegistry(PathBuf),
    /// A git repository, by its URL with query and commit as the lockfile has them.
    Git(String),
    /// A directory of the user's own.
    Path(PathBuf),
}

/// A package's source could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The package has no source: it was given as a file.
    #[error("the source of the package is not known")]
    Unknown,
    /// `replace-with` names nothing that is configured.
    #[error("source `{from}` is replaced with `{name}`, which is not configured")]
    NotConfigured {
        /// The source with the `replace-with`.
        from: String,
        /// What it names.
        name: String,
    },
    /// `replace-with` comes back to where it was.
    #[error("source `{name}` is, in the end, replaced with itself")]
    Cycle {
        /// The source that occurs twice.
        name: String,
    },
    /// A source has no location, or more than one.
    #[error("source `{name}` needs exactly one of `registry`, `local-registry`, `directory` and `git`")]
    NoLocation {
        /// The source.
        name: String,
    },
    /// The index has a URL of a kind that cargo does not know either.
    #[error("`{url}` is no URL of a registry index")]
    BadUrl {
        /// The URL.
        url: String,
    },
}

impl SourceError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            SourceError::Unknown => None,
            SourceError::BadUrl { .. } => {
                Some("check the source in `Cargo.lock` and `[registries]` in `.cargo/config.toml`".to_owned())
            }
            _ => Some("correct the `[source]` tables in `.cargo/config.toml`".to_owned()),
        }
    }
}

impl CargoConfig {
    /// Resolves a package's source, following source replacement.
    ///
    /// # Errors
    ///
    /// When the configuration leads nowhere: an unknown name, a cycle, a source without location.
    pub fn resolve_source(&self, source: &PackageSource) -> Result<ResolvedSource, SourceError> {
        let direct = match source {
            PackageSource::Path(path) => return Ok(ResolvedSource::Path(PathBuf::from(path))),
            PackageSource::Unknown => return Err(SourceError::Unknown),
            PackageSource::Registry(index) => self.registry(index)?,
            PackageSource::Git(url) => ResolvedSource::Git(url.clone()),
        };
        match self.name_of(&Identity::of(&direct)) {
            Some(name) => self.follow(name, direct),
            None => Ok(direct),
        }
    }

    /// The registry that cargo means when none is named, as lockfiles write it: `registry.default`, or cargo's own.
    ///
    /// # Errors
    ///
    /// When `registry.default` names a registry that is not configured.
    pub fn default_registry(&self) -> Result<PackageSource, SourceError> {
        let index = match self.default_registry_name() {
            Some(name) if name != DEFAULT_REGISTRY => self.registry_index(&name).ok_or_else(|| {
                SourceError::NotConfigured { from: "registry.default".to_owned(), name: name.clone() }
            })?,
            _ => CRATES_IO_INDEX,
        };
        let prefix = if index.starts_with("sparse+") { "" } else { "registry+" };
        Ok(PackageSource::Registry(format!("{prefix}{index}")))
    }

    /// The name under which `[source]` knows a source.
    fn name_of(&self, identity: &Identity) -> Option<&str> {
        let sources = self.sources()?;
        let named = sources.iter().find(|(name, value)| {
            let location = value.as_table().and_then(|table| self.location(name, table).ok());
            location.is_some_and(|location| Identity::of(&location) == *identity)
        });
        let default = || (*identity == Identity::Default).then_some(DEFAULT_REGISTRY);
        named.map(|(name, _)| name.as_str()).or_else(default)
    }

    fn follow(&self, name: &str, direct: ResolvedSource) -> Result<ResolvedSource, SourceError> {
        let mut seen = vec![name.to_owned()];
        loop {
            let name = seen.last().expect("begins with one name and only grows");
            let Some(table) = self.sources().and_then(|sources| sources.get(name)?.as_table()) else {
                return self.named_registry(&seen, direct);
            };
            let Some(next) = table.get("replace-with").and_then(Value::as_str) else {
                // With the lockfile's own commit, if the chain ends where it began.
                return if seen.len() == 1 { Ok(direct) } else { self.location(name, table) };
            };
            if seen.iter().any(|earlier| earlier == next) {
                return Err(SourceError::Cycle { name: next.to_owned() });
            }
            seen.push(next.to_owned());
        }
    }

    /// The last of `seen` is no `[source]`: it may be a registry.
    fn named_registry(&self, seen: &[String], direct: ResolvedSource) -> Result<ResolvedSource, SourceError> {
        match seen {
            [_] => Ok(direct),
            [.., name] if name == DEFAULT_REGISTRY => self.registry(CRATES_IO_INDEX),
            [.., from, name] => match self.registry_index(name) {
                Some(index) => self.registry(index),
                None => Err(SourceError::NotConfigured { from: from.clone(), name: name.clone() }),
            },
            [] => Err(SourceError::Unknown),
        }
    }

    /// Where `[source.name]` itself is, without regard to `replace-with`.
    fn location(&self, name: &str, table: &Table) -> Result<ResolvedSource, SourceError> {
        let text = |key| table.get(key).and_then(Value::as_str);
        let kinds =
            ["registry", "local-registry", "directory", "git"].map(|key| text(key).map(|it| (key, it)));
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (None, None) if name == DEFAULT_REGISTRY => self.registry(CRATES_IO_INDEX),
            (Some(("registry", index)), None) => self.registry(index),
            (Some(("local-registry", path)), None) => Ok(ResolvedSource::LocalRegistry(PathBuf::from(path))),
            (Some(("directory", path)), None) => Ok(ResolvedSource::Directory(PathBuf::from(path))),
            (Some(("git", url)), None) => {
                let reference = ["branch", "tag", "rev"].into_iter().find_map(|key| Some((key, text(key)?)));
                let query = reference.map_or(String::new(), |(key, value)| format!("?{key}={value}"));
                Ok(ResolvedSource::Git(format!("{url}{query}")))
            }
            _ => Err(SourceError::NoLocation { name: name.to_owned() }),
        }
    }

    /// An index by its URL, with cargo's prefix or without.
    fn registry(&self, index: &str) -> Result<ResolvedSource, SourceError> {
        let index = index.strip_prefix("registry+").unwrap_or(index);
        let bad = || SourceError::BadUrl { url: index.to_owned() };
        if is_default(index) {
            // Lockfiles name the default registry by its git index, whatever cargo reads.
            return Ok(match self.default_protocol() {
                Protocol::Sparse => ResolvedSource::SparseIndex(sparse_url(CRATES_IO_HTTP_INDEX)),
                Protocol::Git => ResolvedSource::GitIndex(CRATES_IO_INDEX.to_owned()),
            });
        }
        url::Url::parse(index).map_err(|_| bad())?;
        match index.strip_prefix("sparse+") {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(ResolvedSource::SparseIndex(sparse_url(index)))
            }
            Some(_) => Err(bad()),
            None => Ok(ResolvedSource::GitIndex(index.to_owned())),
        }
    }
}

impl ResolvedSource {
    /// Index URLs under which cargo may have cached this registry, with the prefix that its directory
    /// names are made from. The default registry has two.
    pub(crate) fn cache_urls(&self) -> Vec<String> {
        let own = match self {
            ResolvedSource::SparseIndex(url) => format!("sparse+{url}"),
            ResolvedSource::GitIndex(url) => url.clone(),
            _ => return Vec::new(),
        };
        if is_default(&own) {
            vec![CRATES_IO_HTTP_INDEX.to_owned(), CRATES_IO_INDEX.to_owned()]
        } else {
            vec![own]
        }
    }
}

/// What makes two sources the same one, however they are written.
#[derive(PartialEq, Eq)]
enum Identity {
    Default,
    Index(String),
    Git(String, Option<(String, String)>),
    Other(ResolvedSource),
}

impl Identity {
    fn of(source: &ResolvedSource) -> Identity {
        match source {
            ResolvedSource::SparseIndex(url) => Identity::of_index(&format!("sparse+{url}")),
            ResolvedSource::GitIndex(url) => Identity::of_index(url),
            ResolvedSource::Git(url) => Identity::of_git(url),
            other => Identity::Other(other.clone()),
        }
    }

    fn of_index(index: &str) -> Identity {
        if is_default(index) { Identity::Default } else { Identity::Index(canonical(index)) }
    }

    /// Cargo tells git sources apart by repository and branch, tag or revision, not by commit.
    fn of_git(url: &str) -> Identity {
        let Ok(mut parsed) = url::Url::parse(url) else { return Identity::Git(url.to_owned(), None) };
        let reference = parsed
            .query_pairs()
            .find(|(key, _)| matches!(&**key, "branch" | "tag" | "rev"))
            .map(|(key, value)| (key.into_owned(), value.into_owned()));
        parsed.set_query(None);
        parsed.set_fragment(None);
        Identity::Git(canonical(parsed.as_str()), reference)
    }
}

/// Whether an index is that of the public registry, which cargo means when nothing else is said: its sparse or its git index.
#[must_use]
pub fn is_public_registry(index: &str) -> bool {
    let bare = |index: &str| {
        let index =
            index.strip_prefix("sparse+").or_else(|| index.strip_prefix("registry+")).unwrap_or(index);
        canonical(index).trim_end_matches('/').to_owned()
    };
    [CRATES_IO_INDEX, CRATES_IO_HTTP_INDEX].iter().any(|default| bare(default) == bare(index))
}

fn is_default(index: &str) -> bool {
    [CRATES_IO_INDEX, CRATES_IO_HTTP_INDEX].iter().any(|default| canonical(default) == canonical(index))
}

fn canonical(url: &str) -> String {
    tame_index::utils::canonicalize_url(url).unwrap_or_else(|_| url.to_owned())
}

/// Without prefix, with the `/` at the end that paths are appended to.
fn sparse_url(index: &str) -> String {
    let url = index.strip_prefix("sparse+").unwrap_or(index);
    format!("{}/", url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests;
