//! Downloads: the registry's template, the transfer, the checksum, and only then the file.

use std::io::{self, Read, Write};
use std::path::Path;

use cratekeeper_model::{Checksum, ChecksumHasher, Package};
use fs_err as fs;
use serde::Deserialize;
use tempfile::NamedTempFile;

use super::{FetchError, Location, Origin, PackageFinder, label};
use crate::client::{Answer, Content, Request, Transport, shown};
use crate::layout::{index_prefix, registry_directories};
use crate::{HttpError, Network, ResolvedSource};

/// `config.json` has four short fields.
const MAX_REGISTRY_CONFIG: u64 = 1 << 20;

/// The file `config.json` of an index.
#[derive(Deserialize)]
struct RegistryConfig {
    dl: String,
    #[serde(default, rename = "auth-required")]
    auth_required: bool,
}

impl PackageFinder {
    /// Downloads a package that is not on this machine.
    pub(super) fn download(&self, package: &Package) -> Result<Location, FetchError> {
        if self.client.network() == Network::Offline {
            return Err(FetchError::Offline { what: label(package) });
        }
        let index = match self.config.resolve_source(&package.source)? {
            ResolvedSource::SparseIndex(index) => index,
            ResolvedSource::GitIndex(index) => return Err(FetchError::GitIndex { index: shown(&index) }),
            _ => return Err(FetchError::Offline { what: label(package) }),
        };
        let expected = self.promised_checksum(package)?;
        let path = self.download_path(&expected);
        if !path.is_file() {
            let template = self.template(&index)?;
            let url = download_url(&template, package, &expected);
            self.download_to(&path, &url, Transport::of(&index), &expected)?;
        }
        Ok(Location::Archive { path, origin: Origin::Downloads })
    }

    fn promised_checksum(&self, package: &Package) -> Result<Checksum, FetchError> {
        let from_index = || self.index_entry(package).ok().map(|found| found.entry.checksum);
        package.checksum.or_else(from_index).ok_or_else(|| FetchError::NoChecksum { what: label(package) })
    }

    /// The registry's `dl`, asked for once in a run.
    fn template(&self, index: &str) -> Result<String, FetchError> {
        if let Some(template) = self.lock_templates().get(index) {
            return Ok(template.clone());
        }
        let refuse = |message: String| FetchError::RegistryConfig { index: shown(index), message };
        let bytes = self.registry_config(index)?;
        let config: RegistryConfig =
            serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        if config.auth_required {
            return Err(FetchError::Authentication { index: shown(index) });
        }
        let may_be_plain = Transport::of(index) == Transport::Plain;
        let is_usable =
            config.dl.starts_with("https://") || (may_be_plain && config.dl.starts_with("http://"));
        if !is_usable {
            return Err(refuse("`dl` is no HTTPS URL".to_owned()));
        }
        self.lock_templates().insert(index.to_owned(), config.dl.clone());
        Ok(config.dl)
    }

    /// `config.json`, from the registry or, if that fails, from cargo's copy.
    fn registry_config(&self, index: &str) -> Result<Vec<u8>, FetchError> {
        let url = format!("{index}config.json");
        let request = Request {
            url: &url,
            revision: None,
            limit: MAX_REGISTRY_CONFIG,
            content: Content::Text,
            transport: Transport::of(index),
        };
        let error = match self.client.get(&request, |_, body| read_all(body)) {
            Ok(Answer::Content(bytes)) => return Ok(bytes),
            Ok(Answer::NotModified) => HttpError::NotFound { url: shown(&url) },
            Err(HttpError::Unauthorized { .. }) => {
                return Err(FetchError::Authentication { index: shown(index) });
            }
            Err(error) => error,
        };
        let indexes = self.config.environment().home().join("registry/index");
        let copies = registry_directories(&format!("sparse+{index}"))
            .into_iter()
            .map(|directory| indexes.join(directory).join("config.json"));
        copies
            .filter_map(|path| crate::files::read_bytes(&path, MAX_REGISTRY_CONFIG).ok())
            .next()
            .ok_or(FetchError::Http(error))
    }

    fn download_to(
        &self,
        path: &Path,
        url: &str,
        transport: Transport,
        expected: &Checksum,
    ) -> Result<(), FetchError> {
        let directory = path.parent().unwrap_or(path);
        let io = |source| FetchError::Io { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(io)?;
        let limit = self.options.max_archive_size;
        let request = Request { url, revision: None, limit, content: Content::Archive, transport };
        let answer = self.client.get(&request, |_, body| {
            // In the directory of the final place, so that the rename below cannot be a copy.
            let mut file = NamedTempFile::new_in(directory)?;
            let actual = copy_and_hash(body, &mut file)?;
            Ok((file, actual))
        })?;
        let Answer::Content((file, actual)) = answer else {
            return Err(HttpError::NotFound { url: shown(url) }.into());
        };
        if actual != *expected {
            // Not tried again: a second answer that fits would hide that the first did not.
            return Err(FetchError::ChecksumMismatch { expected: *expected, actual, place: shown(url) });
        }
        file.persist(path).map_err(|error| io(error.error))?;
        tracing::debug!(url = shown(url), "downloaded");
        Ok(())
    }
}

/// Cargo's rule: `dl` is a template if it has markers, else a prefix.
pub(crate) fn download_url(template: &str, package: &Package, checksum: &Checksum) -> String {
    let name = &package.name;
    let version = package.version.to_string();
    let prefix = index_prefix(name);
    let markers = [
        ("{crate}", name.clone()),
        ("{version}", version.clone()),
        ("{prefix}", prefix.clone()),
        ("{lowerprefix}", prefix.to_lowercase()),
        ("{sha256-checksum}", checksum.to_string()),
    ];
    if !markers.iter().any(|(marker, _)| template.contains(marker)) {
        return format!("{}/{name}/{version}/download", template.trim_end_matches('/'));
    }
    markers.iter().fold(template.to_owned(), |url, (marker, value)| url.replace(marker, value))
}

pub(crate) fn copy_and_hash(from: &mut dyn Read, to: &mut NamedTempFile) -> io::Result<Checksum> {
    let mut hasher = ChecksumHasher::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            to.flush()?;
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..length]);
        to.write_all(&buffer[..length])?;
    }
}

/// The whole body; its length is limited by the client.
pub(crate) fn read_all(body: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{PackageId, PackageSource};
    use semver::Version;

    use super::*;

    #[test]
    fn templates_are_filled_in_as_cargo_does() {
        let version = Version::parse("1.0.0+a").unwrap();
        let package = Package {
            id: PackageId::new(&PackageSource::Unknown, "AbCde", &version),
            name: "AbCde".to_owned(),
            version,
            checksum: None,
            source: PackageSource::Unknown,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        };
        let checksum = Checksum::of(b"");
        let url = |template| download_url(template, &package, &checksum);
        assert_eq!(url("https://r/dl"), "https://r/dl/AbCde/1.0.0+a/download");
        assert_eq!(
            url("https://r/{prefix}/{lowerprefix}/{crate}-{version}"),
            "https://r/Ab/Cd/ab/cd/AbCde-1.0.0+a"
        );
        assert_eq!(url("https://r/{sha256-checksum}"), format!("https://r/{checksum}"));
    }
}
