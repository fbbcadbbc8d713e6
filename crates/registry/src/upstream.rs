//! A registry that others are served from: its index files as they are, and its archives, verified.
//!
//! A [`PackageFinder`](crate::PackageFinder) answers one machine's questions out of cargo's caches. A gate asks on behalf of others, for
//! months: it keeps what it was told itself, has to notice when a published line changes, and must not be led elsewhere: redirects are
//! not followed, and where an index sends downloads to a private address that is not its own, they are refused.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cratekeeper_model::{Checksum, Package};
use tempfile::{NamedTempFile, TempPath};

use crate::client::{Answer, Client, Content, Reach, Redirects, Request, Transport, shown};
use crate::finder::download::{copy_and_hash, download_url};
use crate::finder::read_all;
use crate::layout::{archive_name, index_path, is_safe_name};
use crate::{CargoConfig, HttpError, Network};

/// Largest index file that is taken; those of the default registry are below 4 MiB.
const MAX_INDEX_FILE: u64 = 32 << 20;

/// `config.json` has four short fields.
const MAX_CONFIG: u64 = 1 << 20;

/// How long the download template of an upstream is believed.
const TEMPLATE_AGE: Duration = Duration::from_secs(3600);

/// First wait before a failed request is made again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// A registry to serve from.
pub struct Upstream {
    place: Place,
    client: Client,
    /// Whether addresses of private networks are accepted, wherever the index sends to.
    private: PrivateAddresses,
    template: Mutex<Option<(Instant, String)>>,
}

/// Whether an upstream may send downloads to addresses that the internet cannot reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateAddresses {
    /// Only to the host of its own index, which whoever configured it has chosen.
    OwnHostOnly,
    /// To any.
    Allowed,
}

enum Place {
    /// URL of a sparse index, without `sparse+` and with `/` at the end.
    Sparse(String),
    /// Directory with `index/` and archives, as cargo's local registries have it.
    Directory(PathBuf),
}

/// What an upstream says about a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexFile {
    /// Its lines, and what to ask with the next time.
    Lines {
        /// The file, as it is.
        text: String,
        /// Value of `ETag`, if it has one.
        etag: Option<String>,
    },
    /// What the etag stood for is still valid.
    NotModified,
    /// There is no such crate.
    NotThere,
}

/// An upstream could not be asked, or what it gave is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The address is none.
    #[error("invalid upstream `{address}`: {reason}")]
    Address {
        /// As configured, without credentials.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A file could not be read or written.
    #[error("failed to access `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What came is not what it should be.
    #[error("`{place}` is not what a registry has there: {reason}")]
    Malformed {
        /// URL or path.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The bytes are others than the index promises.
    #[error("`{place}` has the checksum {actual}, not the promised {expected}")]
    ChecksumMismatch {
        /// URL or path.
        place: String,
        /// What the index promises.
        expected: Checksum,
        /// What came.
        actual: Checksum,
    },
    /// The name could leave its directory.
    #[error("no crate can have this name")]
    Name,
}

impl Upstream {
    /// The upstream at `address`: the URL of a sparse index, with or without `sparse+`, or a directory with an `index` in it.
    /// `config` names proxy and certificates.
    ///
    /// # Errors
    ///
    /// When the address is none, or proxy or certificates cannot be used.
    pub fn open(
        address: &str,
        config: &CargoConfig,
        private: PrivateAddresses,
    ) -> Result<Upstream, UpstreamError> {
        let refuse = |reason| UpstreamError::Address { address: shown_address(address), reason };
        let url = address.strip_prefix("sparse+").unwrap_or(address);
        let (place, network) = if url.starts_with("https://") || url.starts_with("http://") {
            let parsed = url::Url::parse(url).map_err(|_| refuse("it cannot be read as a URL"))?;
            if !parsed.username().is_empty() || parsed.password().is_some() {
                return Err(refuse("it has credentials in it"));
            }
            let slash = if url.ends_with('/') { "" } else { "/" };
            (Place::Sparse(format!("{url}{slash}")), Network::Online)
        } else {
            let path = Path::new(address.strip_prefix("file://").unwrap_or(address));
            if !path.join("index").is_dir() {
                return Err(refuse("it is no URL of a sparse index, and no directory with an `index` in it"));
            }
            (Place::Directory(path.to_owned()), Network::Offline)
        };
        let reach = match (&place, private) {
            (Place::Sparse(index), PrivateAddresses::OwnHostOnly) => {
                Reach::InternetAnd(url::Url::parse(index).ok().and_then(|it| Some(it.host_str()?.to_owned())))
            }
            _ => Reach::Everything,
        };
        let client = Client::reaching(reach, config, network, RETRY_PAUSE, Redirects::Refused)?;
        Ok(Upstream { place, client, private, template: Mutex::default() })
    }

    /// The index file of a crate; `etag` is that of the last answer.
    ///
    /// # Errors
    ///
    /// When the upstream cannot be asked. That there is no such crate is no error.
    pub fn index_file(&self, name: &str, etag: Option<&str>) -> Result<IndexFile, UpstreamError> {
        if !is_safe_name(name) {
            return Err(UpstreamError::Name);
        }
        match &self.place {
            Place::Sparse(index) => self.ask(index, name, etag),
            Place::Directory(root) => read_index_file(root, name, etag),
        }
    }

    fn ask(&self, index: &str, name: &str, etag: Option<&str>) -> Result<IndexFile, UpstreamError> {
        let url = format!("{index}{}", index_path(name));
        let request = Request {
            url: &url,
            revision: etag.map(|etag| ("if-none-match", etag)),
            limit: MAX_INDEX_FILE,
            content: Content::Text,
            transport: Transport::of(index),
        };
        self.client.forget_unreachable();
        let answer = self.client.get(&request, |headers, body| {
            let etag = headers.get("etag").and_then(|value| value.to_str().ok()).map(str::to_owned);
            Ok((read_all(body)?, etag))
        });
        match answer {
            Ok(Answer::Content((bytes, etag))) => {
                let text = String::from_utf8(bytes).map_err(|_| UpstreamError::Malformed {
                    place: shown(&url),
                    reason: "it is not UTF-8".to_owned(),
                })?;
                Ok(IndexFile::Lines { text, etag })
            }
            Ok(Answer::NotModified) => Ok(IndexFile::NotModified),
            Err(HttpError::NotFound { .. }) => Ok(IndexFile::NotThere),
            Err(error) => Err(error.into()),
        }
    }

    /// Brings the archive of a version into `directory`, as a temporary file whose checksum is the promised one.
    ///
    /// # Errors
    ///
    /// When it cannot be had, is larger than `limit` bytes, or is not what was promised.
    pub fn archive(
        &self,
        package: &Package,
        expected: &Checksum,
        limit: u64,
        directory: &Path,
    ) -> Result<TempPath, UpstreamError> {
        if !is_safe_name(&package.name) {
            return Err(UpstreamError::Name);
        }
        let (file, actual, place) = match &self.place {
            Place::Sparse(index) => {
                let url = download_url(&self.template(index)?, package, expected);
                let (file, actual) = self.download(index, &url, limit, directory)?;
                (file, actual, shown(&url))
            }
            Place::Directory(root) => {
                let path = root.join(archive_name(&package.name, &package.version));
                let (file, actual) = copy_file(&path, limit, directory)?;
                (file, actual, path.display().to_string())
            }
        };
        if actual != *expected {
            return Err(UpstreamError::ChecksumMismatch { place, expected: *expected, actual });
        }
        Ok(file.into_temp_path())
    }

    fn download(
        &self,
        index: &str,
        url: &str,
        limit: u64,
        directory: &Path,
    ) -> Result<(NamedTempFile, Checksum), UpstreamError> {
        self.refuse_private(index, url)?;
        let transport = Transport::of(index);
        let request = Request { url, revision: None, limit, content: Content::Archive, transport };
        self.client.forget_unreachable();
        let answer = self.client.get(&request, |_, body| {
            let mut file = NamedTempFile::new_in(directory)?;
            let actual = copy_and_hash(body, &mut file)?;
            Ok((file, actual))
        })?;
        match answer {
            Answer::Content(downloaded) => Ok(downloaded),
            Answer::NotModified => Err(HttpError::NotFound { url: shown(url) }.into()),
        }
    }

    /// The upstream's `dl`.
    fn template(&self, index: &str) -> Result<String, UpstreamError> {
        // The value is whole after each assignment, so a panic elsewhere does not matter.
        let known = self.template.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((since, template)) = known
            && since.elapsed() < TEMPLATE_AGE
        {
            return Ok(template);
        }
        let url = format!("{index}config.json");
        let transport = Transport::of(index);
        let request =
            Request { url: &url, revision: None, limit: MAX_CONFIG, content: Content::Text, transport };
        self.client.forget_unreachable();
        let malformed = |reason: String| UpstreamError::Malformed { place: shown(&url), reason };
        let Answer::Content(bytes) = self.client.get(&request, |_, body| read_all(body))? else {
            return Err(HttpError::NotFound { url: shown(&url) }.into());
        };
        let config: RegistryConfig =
            serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
        let is_plain = transport == Transport::Plain && config.dl.starts_with("http://");
        if !is_plain && !config.dl.starts_with("https://") {
            return Err(malformed("`dl` is no HTTPS URL".to_owned()));
        }
        let template = config.dl;
        *self.template.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), template.clone()));
        Ok(template)
    }

    /// An index that was taken over could have the gate ask machines that only the gate can reach. The client looks again at the address that it
    /// connects to ([`Reach`]): here it is told in words.
    fn refuse_private(&self, index: &str, url: &str) -> Result<(), UpstreamError> {
        let refuse = |reason: &str| UpstreamError::Malformed { place: shown(url), reason: reason.to_owned() };
        let parsed = url::Url::parse(url).map_err(|_| refuse("it is no URL"))?;
        let own = url::Url::parse(index).ok();
        let is_own = own.is_some_and(|own| own.host_str() == parsed.host_str());
        if is_own || self.private == PrivateAddresses::Allowed {
            return Ok(());
        }
        let host = parsed.host_str().ok_or_else(|| refuse("it has no host"))?.trim_matches(['[', ']']);
        let port = parsed.port_or_known_default().unwrap_or(443);
        // Behind a proxy, names need not have an address here.
        let mut addresses = (host, port).to_socket_addrs().into_iter().flatten();
        if addresses.any(|it| is_private(it.ip())) {
            return Err(refuse("it leads to an address of a private network"));
        }
        Ok(())
    }
}

/// The file `config.json` of an index.
#[derive(serde::Deserialize)]
struct RegistryConfig {
    dl: String,
}

/// Whether an address is not one of the internet: loopback, private, link-local, shared, documentation and reserved networks (RFC 6890 and the registry of
/// special-purpose addresses), and whatever leads there in other words: IPv4 inside of IPv6, as translators and tunnels write it.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => is_private_v4(it),
        IpAddr::V6(it) => is_private_v6(it),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_protocol = (first, second, third) == (192, 0, 0);
    let is_benchmark = first == 198 && (second == 18 || second == 19);
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || is_shared
        || is_protocol
        || is_benchmark
        || first == 0
        // Reserved (RFC 1112), broadcast among it.
        || first >= 240
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, fourth, fifth, sixth, seventh, eighth] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    let last = || v4(seventh, eighth);
    match (first, second) {
        // Written as IPv4 (`::ffff:0:0/96`), and the old form without a prefix (`::/96`, loopback and unspecified among it).
        (0, 0) if (third, fourth, fifth) == (0, 0, 0) && (sixth == 0xFFFF || sixth == 0) => {
            is_private_v4(last())
        }
        // Translated by NAT64 (RFC 6052), and the prefix for local translators (RFC 8215).
        (0x64, 0xFF9B) if (third, fourth, fifth, sixth) == (0, 0, 0, 0) => is_private_v4(last()),
        (0x64, 0xFF9B) => third == 1,
        // Discarded (RFC 6666).
        (0x100, 0) => (third, fourth) == (0, 0),
        // Teredo (RFC 4380): the server as it is, the client with its bits inverted.
        (0x2001, 0) => is_private_v4(v4(third, fourth)) || is_private_v4(v4(!seventh, !eighth)),
        // Documentation (RFC 3849, RFC 9637).
        (0x2001, 0xDB8) => true,
        (0x3FFF, 0..=0xFFF) => true,
        // 6to4 (RFC 3056).
        (0x2002, _) => is_private_v4(v4(second, third)),
        _ => {
            address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                // Site-local, which was given up (RFC 3879) and is still routed here and there.
                || first & 0xFFC0 == 0xFEC0
        }
    }
}

/// The address for messages: of a URL without credentials.
fn shown_address(address: &str) -> String {
    if address.contains("://") {
        shown(address.strip_prefix("sparse+").unwrap_or(address))
    } else {
        address.to_owned()
    }
}

/// A file has no etag; its time and length stand in for one.
fn read_index_file(root: &Path, name: &str, etag: Option<&str>) -> Result<IndexFile, UpstreamError> {
    let path = root.join("index").join(index_path(name));
    let failed = |source| UpstreamError::Io { path: path.clone(), source };
    let metadata = match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(IndexFile::NotThere),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(IndexFile::NotThere),
        Err(error) => return Err(failed(error)),
    };
    let modified = metadata.modified().map_err(failed)?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let revision = format!("\"{}-{}\"", since.as_nanos(), metadata.len());
    if etag == Some(revision.as_str()) {
        return Ok(IndexFile::NotModified);
    }
    let text = crate::files::read_text(&path, MAX_INDEX_FILE).map_err(failed)?;
    Ok(IndexFile::Lines { text, etag: Some(revision) })
}

fn copy_file(path: &Path, limit: u64, directory: &Path) -> Result<(NamedTempFile, Checksum), UpstreamError> {
    let failed = |source| UpstreamError::Io { path: path.to_owned(), source };
    let from = fs::File::open(path).map_err(failed)?;
    if from.metadata().map_err(failed)?.len() > limit {
        return Err(HttpError::TooLarge { url: path.display().to_string(), limit }.into());
    }
    let mut file = NamedTempFile::new_in(directory)
        .map_err(|source| UpstreamError::Io { path: directory.to_owned(), source })?;
    let actual = copy_and_hash(&mut io::Read::take(from, limit), &mut file).map_err(failed)?;
    Ok((file, actual))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

    use cratekeeper_model::{PackageId, PackageSource};

    use super::*;
    use crate::CargoEnvironment;

    fn config(directory: &Path) -> CargoConfig {
        let environment = CargoEnvironment::new(directory.to_owned(), []);
        CargoConfig::load(directory, &environment).unwrap()
    }

    fn package(name: &str) -> Package {
        let version = semver::Version::new(1, 0, 0);
        Package {
            id: PackageId::new(&PackageSource::Unknown, name, &version),
            name: name.to_owned(),
            version,
            checksum: None,
            source: PackageSource::Unknown,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        }
    }

    #[test]
    fn a_directory_gives_lines_and_verified_archives() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("index/de/mo")).unwrap();
        fs::write(root.path().join("index/de/mo/demo"), "line\n").unwrap();
        fs::write(root.path().join("demo-1.0.0.crate"), "bytes").unwrap();
        let address = root.path().to_str().unwrap();
        let upstream = Upstream::open(address, &config(root.path()), PrivateAddresses::OwnHostOnly).unwrap();
        let IndexFile::Lines { text, etag } = upstream.index_file("Demo", None).unwrap() else { panic!() };
        assert_eq!(text, "line\n");
        assert_eq!(upstream.index_file("demo", etag.as_deref()).unwrap(), IndexFile::NotModified);
        assert_eq!(upstream.index_file("other", None).unwrap(), IndexFile::NotThere);
        assert!(matches!(upstream.index_file("../demo", None), Err(UpstreamError::Name)));
        let (package, good) = (package("demo"), Checksum::of(b"bytes"));
        let file = upstream.archive(&package, &good, 100, root.path()).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"bytes");
        let error = upstream.archive(&package, &Checksum::of(b"other"), 100, root.path()).unwrap_err();
        assert!(matches!(error, UpstreamError::ChecksumMismatch { .. }));
        assert!(upstream.archive(&package, &good, 4, root.path()).is_err());
    }

    #[test]
    fn what_is_no_upstream_is_told() {
        let root = tempfile::tempdir().unwrap();
        let open =
            |address: &str| Upstream::open(address, &config(root.path()), PrivateAddresses::OwnHostOnly);
        for address in ["", "nowhere", "ftp://a.example.invalid/", root.path().to_str().unwrap(), "https://"]
        {
            assert!(open(address).is_err(), "{address}");
        }
        let error = open("https://me:secret@a.example.invalid/").err().unwrap().to_string();
        assert!(error.contains("credentials") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn addresses_of_private_networks_are_known() {
        let private = |text: &str| is_private(text.parse().unwrap());
        let inside = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "::",
            "::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::1",
            "2002:c0a8:101::",
            "2001:0:808:808::f5ff:fffe",
            "2001:0:a00:1::f7f7:f7f7",
            "2001:db8::1",
            "100::1",
            "fec0::1",
            "ff02::1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.7",
            "240.0.0.1",
            "255.255.255.255",
        ];
        for address in inside {
            assert!(private(address), "{address}");
        }
        let outside = [
            "8.8.8.8",
            "100.63.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "2001:4860:4860::8888",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001:0:808:808::f7f7:f7f7",
            "::ffff:8.8.8.8",
        ];
        for address in outside {
            assert!(!private(address), "{address}");
        }
    }
}
