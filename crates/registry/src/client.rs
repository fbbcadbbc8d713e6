//! HTTP, with limits: the only place of the program that opens connections.
//!
//! An offline client holds no agent, so there is nothing it could connect with. Failures that may pass
//! (timeouts, `429`, `5xx`) are tried again; a host that cannot be reached is not asked again in the same
//! run, because three hundred packages times three timeouts would be half an hour.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{HeaderMap, Response, StatusCode, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, Proxy};

use crate::CargoConfig;
use crate::upstream::is_private;

mod error;

pub use error::HttpError;

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Never connect to anything.
    Offline,
    /// Download what is missing and refresh what is old.
    Online,
}

const USER_AGENT: &str =
    concat!("cratekeeper/", env!("CARGO_PKG_VERSION"), " (inspects crates before they are built)");

/// As many as cargo makes by default: one try and two more.
const ATTEMPTS: u32 = 3;

/// Registries send a download to their storage in one hop, mirrors in two or three.
const MAX_REDIRECTS: u32 = 5;

/// A certificate bundle of the whole web is below 300 KiB.
const MAX_CERTIFICATE_FILE: u64 = 8 << 20;

/// Longest wait that a server may ask for by `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);

/// What to ask for.
pub(crate) struct Request<'a> {
    pub(crate) url: &'a str,
    /// Header that makes it conditional, with its value.
    pub(crate) revision: Option<(&'static str, &'a str)>,
    /// Largest body that is read, after decompression.
    pub(crate) limit: u64,
    pub(crate) content: Content,
    /// Whether plain HTTP is refused, redirects included.
    pub(crate) transport: Transport,
}

/// What the body is, which decides whether it may be compressed on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Compressed already, and its checksum is over the bytes as they are.
    Archive,
    /// Index entries and `config.json`: compression makes them five times smaller.
    Text,
}

/// What a registry's configured index URL says about the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// The index is on HTTPS, so everything else must be.
    Secure,
    /// The user configured a plain HTTP index, as one does for a mirror on the own machine.
    Plain,
}

impl Transport {
    pub(crate) fn of(index: &str) -> Transport {
        if index.starts_with("http://") { Transport::Plain } else { Transport::Secure }
    }
}

/// Whether a server may send elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// As registries do with downloads.
    Followed,
    /// Not at all: whoever asks on behalf of others could be sent to places that only it can reach.
    Refused,
}

/// Which addresses may be connected to, looked at when it happens: a name can lead elsewhere than when it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All.
    Everything,
    /// Those of the internet, and whatever this host has.
    InternetAnd(Option<String>),
}

/// Finds the addresses of names, without those that may not be connected to.
#[derive(Debug)]
struct Guarded(Reach);

impl Guarded {
    fn allows(&self, host: &str, address: &SocketAddr) -> bool {
        match &self.0 {
            Reach::Everything => true,
            Reach::InternetAnd(own) => {
                own.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(host)) || !is_private(address.ip())
            }
        }
    }
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let host = uri.host().unwrap_or_default();
        let mut allowed = self.empty();
        for address in found.iter().filter(|it| self.allows(host, it)) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            let refused = "it leads to an address of a private network";
            return Err(ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, refused)));
        }
        Ok(allowed)
    }
}

/// An answer other than an error.
pub(crate) enum Answer<T> {
    /// `200`, with what was made of the body.
    Content(T),
    /// `304`: what the revision stood for is still valid.
    NotModified,
}

pub(crate) struct Client {
    agent: Option<Agent>,
    retry_pause: Duration,
    /// Hosts that could not be reached, with the reason.
    unreachable: Mutex<BTreeMap<String, String>>,
}

impl Client {
    pub(crate) fn new(
        config: &CargoConfig,
        network: Network,
        retry_pause: Duration,
        redirects: Redirects,
    ) -> Result<Client, HttpError> {
        Client::reaching(Reach::Everything, config, network, retry_pause, redirects)
    }

    /// A client that connects to some addresses alone. Behind a proxy, it is the proxy that connects, and has to be told by its own rules.
    pub(crate) fn reaching(
        reach: Reach,
        config: &CargoConfig,
        network: Network,
        retry_pause: Duration,
        redirects: Redirects,
    ) -> Result<Client, HttpError> {
        let agent = match network {
            Network::Offline => None,
            Network::Online => Some(agent(config, redirects, reach)?),
        };
        Ok(Client { agent, retry_pause, unreachable: Mutex::default() })
    }

    pub(crate) fn network(&self) -> Network {
        if self.agent.is_some() { Network::Online } else { Network::Offline }
    }

    /// Asks hosts again that could not be reached: for whoever lives longer than an outage.
    pub(crate) fn forget_unreachable(&self) {
        self.lock_unreachable().clear();
    }

    /// Asks, and gives headers and body to `consume`; again from the start after a passing failure.
    pub(crate) fn get<T>(
        &self,
        request: &Request<'_>,
        mut consume: impl FnMut(&HeaderMap, &mut dyn Read) -> io::Result<T>,
    ) -> Result<Answer<T>, HttpError> {
        let agent = self.agent.as_ref().ok_or_else(|| HttpError::Offline { url: shown(request.url) })?;
        let host = host(request.url);
        let reason = self.lock_unreachable().get(&host).cloned();
        if let Some(reason) = reason {
            return Err(HttpError::Unreachable { host, reason });
        }
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(agent, request, &mut consume) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Some(pause) = failure.retry else { return Err(failure.error) };
            if attempt == ATTEMPTS {
                if let HttpError::Unreachable { host, reason } = &failure.error {
                    self.lock_unreachable().insert(host.clone(), reason.clone());
                }
                return Err(failure.error);
            }
            tracing::debug!(url = shown(request.url), attempt, error = %failure.error, "trying again");
            std::thread::sleep(pause.max(self.retry_pause * attempt * attempt));
            attempt += 1;
        }
    }

    fn attempt<T>(
        &self,
        agent: &Agent,
        request: &Request<'_>,
        consume: &mut impl FnMut(&HeaderMap, &mut dyn Read) -> io::Result<T>,
    ) -> Result<Answer<T>, Failure> {
        let mut call =
            agent.get(request.url).config().https_only(request.transport == Transport::Secure).build();
        if request.content == Content::Archive {
            call = call.header(header::ACCEPT_ENCODING, "identity");
        }
        if let Some((name, value)) = request.revision {
            call = call.header(name, value);
        }
        let response = call.call().map_err(|error| Failure::of(error, request.url))?;
        let (parts, body) = check_status(response, request.url)?.into_parts();
        if parts.status == StatusCode::NOT_MODIFIED {
            return Ok(Answer::NotModified);
        }
        let too_large = || HttpError::TooLarge { url: shown(request.url), limit: request.limit };
        if body.content_length().is_some_and(|length| length > request.limit) {
            return Err(too_large().into());
        }
        let mut reader = body.into_with_config().limit(u64::MAX).reader().take(request.limit + 1);
        let result = consume(&parts.headers, &mut reader);
        if reader.limit() == 0 {
            return Err(too_large().into());
        }
        result.map(Answer::Content).map_err(|error| Failure::of(ureq::Error::from(error), request.url))
    }

    /// The agent, unless the network may not be used.
    pub(crate) fn online(&self, url: &str) -> Result<&Agent, HttpError> {
        self.agent.as_ref().ok_or_else(|| HttpError::Offline { url: shown(url) })
    }

    /// What a failure of the library means.
    pub(crate) fn failure(error: ureq::Error, url: &str) -> HttpError {
        Failure::of(error, url).error
    }

    /// Sends JSON once, and gives the status of the answer, whatever it is.
    pub(crate) fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<u16, HttpError> {
        let agent = self.online(url)?;
        let call = headers.iter().fold(agent.post(url), |call, (name, value)| call.header(*name, *value));
        let call = call.header(header::CONTENT_TYPE, "application/json");
        let response = call.send(body).map_err(|error| Failure::of(error, url).error)?;
        Ok(response.status().as_u16())
    }

    fn lock_unreachable(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        // The map is valid after every single insert, so a panic elsewhere does not matter.
        self.unreachable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn agent(config: &CargoConfig, redirects: Redirects, reach: Reach) -> Result<Agent, HttpError> {
    let reach = if config.http_proxy().is_some() { Reach::Everything } else { reach };
    let roots = match config.http_cainfo() {
        Some(path) => RootCerts::from(certificates(path)?.into_iter()),
        None => RootCerts::PlatformVerifier,
    };
    let redirects = match redirects {
        Redirects::Followed => MAX_REDIRECTS,
        Redirects::Refused => 0,
    };
    let config = Agent::config_builder()
        .user_agent(USER_AGENT)
        .http_status_as_error(false)
        .max_redirects(redirects)
        // Whoever checks a lockfile asks from several threads.
        .max_idle_connections_per_host(16)
        .proxy(proxy(config)?)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(30)))
        .timeout_global(Some(Duration::from_secs(300)))
        .build();
    Ok(Agent::with_parts(config, DefaultConnector::default(), Guarded(reach)))
}

fn certificates(path: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>, HttpError> {
    let refuse = |source| HttpError::Certificates { path: path.to_owned(), source };
    let bytes = crate::files::read_bytes(path, MAX_CERTIFICATE_FILE).map_err(refuse)?;
    let items: Vec<PemItem<'static>> =
        parse_pem(&bytes).collect::<Result<_, _>>().map_err(|error| refuse(error.into_io()))?;
    let certificates = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    Ok(certificates.collect())
}

fn proxy(config: &CargoConfig) -> Result<Option<Proxy>, HttpError> {
    let Some(text) = config.http_proxy() else { return Ok(None) };
    // The text may hold a password, so the error does not repeat it.
    let parsed = Proxy::new(text).map_err(|_| HttpError::Proxy)?;
    let no_proxy = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| config.environment().variable(name));
    let Some(no_proxy) = no_proxy else { return Ok(Some(parsed)) };
    let mut builder = Proxy::builder(parsed.protocol()).host(parsed.host()).port(parsed.port());
    if let Some(username) = parsed.username() {
        builder = builder.username(username);
    }
    if let Some(password) = parsed.password() {
        builder = builder.password(password);
    }
    let builder = no_proxy.split(',').map(str::trim).fold(builder, |builder, entry| builder.no_proxy(entry));
    builder.build().map(Some).map_err(|_| HttpError::Proxy)
}

fn check_status(response: Response<Body>, url: &str) -> Result<Response<Body>, Failure> {
    let url = shown(url);
    let status = response.status();
    Err(match status.as_u16() {
        200 | 304 => return Ok(response),
        401 | 403 => HttpError::Unauthorized { url, status: status.as_u16() }.into(),
        404 | 410 | 451 => HttpError::NotFound { url }.into(),
        code @ (408 | 429 | 500..) => {
            let pause = retry_after(response.headers());
            Failure { error: HttpError::Status { url, status: code }, retry: Some(pause) }
        }
        code => HttpError::Status { url, status: code }.into(),
    })
}

fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(Duration::ZERO, Duration::from_secs).min(MAX_RETRY_AFTER)
}

/// A failed attempt; `retry` is the least wait before the next, `None` if there is no point.
struct Failure {
    error: HttpError,
    retry: Option<Duration>,
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Failure {
        Failure { error, retry: None }
    }
}

impl Failure {
    fn of(error: ureq::Error, url: &str) -> Failure {
        let retry = Some(Duration::ZERO);
        let unreachable = |reason: String| HttpError::Unreachable { host: host(url), reason };
        match error {
            ureq::Error::TooManyRedirects => {
                HttpError::TooManyRedirects { url: shown(url), limit: MAX_REDIRECTS }.into()
            }
            ureq::Error::RequireHttpsOnly(_) => HttpError::Insecure { url: shown(url) }.into(),
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                Failure { error: unreachable(error.to_string()), retry }
            }
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Failure { error: unreachable("timed out".to_owned()), retry }
            }
            ureq::Error::Io(source) if source.kind() == io::ErrorKind::ConnectionRefused => {
                Failure { error: unreachable("connection refused".to_owned()), retry }
            }
            // Refused by ourselves: another attempt would be, too.
            ureq::Error::Io(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                HttpError::Transfer { url: shown(url), reason: source.to_string() }.into()
            }
            error @ (ureq::Error::Timeout(_) | ureq::Error::Io(_) | ureq::Error::Protocol(_)) => {
                Failure { error: HttpError::Transfer { url: shown(url), reason: error.to_string() }, retry }
            }
            error => HttpError::Transfer { url: shown(url), reason: error.to_string() }.into(),
        }
    }
}

fn host(url: &str) -> String {
    let parsed = url::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
    match host {
        Some((host, Some(port))) => format!("{host}:{port}"),
        Some((host, None)) => host.to_owned(),
        None => shown(url),
    }
}

/// A URL for messages: without user, password, query and fragment, which may hold secrets.
pub(crate) fn shown(url: &str) -> String {
    let Ok(mut url) = url::Url::parse(url) else { return "(not a URL)".to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_looked_at_when_they_are_connected_to() {
        let guarded = |own: Option<&str>| Guarded(Reach::InternetAnd(own.map(str::to_owned)));
        let inside: SocketAddr = "10.0.0.1:443".parse().unwrap();
        let outside: SocketAddr = "8.8.8.8:443".parse().unwrap();
        assert!(guarded(None).allows("a.example.invalid", &outside));
        assert!(!guarded(None).allows("a.example.invalid", &inside));
        assert!(guarded(Some("index.local")).allows("Index.local", &inside));
        assert!(!guarded(Some("index.local")).allows("other.local", &inside));
        assert!(Guarded(Reach::Everything).allows("other.local", &inside));
    }

    #[test]
    fn secrets_in_urls_are_not_shown() {
        assert_eq!(
            shown("https://me:secret@r.example.invalid/a?token=secret#b"),
            "https://r.example.invalid/a"
        );
        assert_eq!(host("http://me:secret@127.0.0.1:80/a"), "127.0.0.1");
        assert_eq!(host("http://127.0.0.1:8080/a"), "127.0.0.1:8080");
    }
}
