//! How a gate is set up: where it listens, what it stands in front of, what it keeps where.
//!
//! Every value has a default, so that `cratekeeper serve` runs in an empty directory. The defaults are those of one machine: loopback
//! only, files and SQLite in one directory.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::call_graph::CallGraphConfiguration;

/// Name of the file in the data directory.
pub const FILE: &str = "gate.toml";

/// Where a gate listens unless it is told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8420);

/// How a gate is set up. Read from `gate.toml`; arguments of the command line come on top.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Configuration {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// URL under which cargo and people reach the gate, without `/` at the end; by default that of `listen`.
    pub public_url: Option<String>,
    /// URL of the database: `sqlite:PATH` or `postgres://…`; by default a file in the data directory.
    pub database: Option<String>,
    /// Where archives are: a path, or a URL like `s3://bucket/prefix`; by default a directory in the data directory.
    pub archives: Option<String>,
    /// Policy file; by default `cratekeeper.toml` in the data directory if it is there, else the built-in policy.
    pub policy: Option<PathBuf>,
    /// Registries to stand in front of, by the name in their path.
    pub upstream: BTreeMap<String, UpstreamConfiguration>,
    /// Whether reading needs a token, too.
    pub auth_required: bool,
    /// Whether a version needs description and license to be published, as on the default registry.
    pub require_metadata: bool,
    /// Upstream versions that are older, in days, when they are first seen stay listed, and are inspected before they are first given
    /// out; younger ones are withheld until then.
    pub listed_after_days: u32,
    /// What becomes of versions that could not be inspected.
    pub uninspected: Uninspected,
    /// How long a download waits for an inspection, in seconds.
    pub inspection_wait: u64,
    /// Whether the hosted registry is the one that manifests mean when they name none: for whoever runs *the* registry. Otherwise that is
    /// cargo's default one.
    pub is_default_registry: bool,
    /// Versions that are inspected at the same time.
    pub inspections: usize,
    /// How long an upstream's answer about a crate is believed, in seconds.
    pub index_age: u64,
    /// Largest archive that is taken, in bytes.
    pub max_archive: u64,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Requests that change something, per minute and token or address.
    pub writes_per_minute: u32,
    /// Requests that read, per minute and token or address.
    pub reads_per_minute: u32,
    /// Whether upstreams may send downloads to addresses of private networks.
    pub allow_private_addresses: bool,
    /// Certificate and key in PEM, to speak TLS without a proxy.
    pub tls: Option<Tls>,
    /// Connections at the same time; whoever comes when so many are open waits.
    pub connections: usize,
    /// Who may read `/metrics`.
    pub metrics: MetricsAccess,
    /// Where signed statements about the audit log go, and how often.
    pub checkpoints: Checkpoints,
    /// Call graphs of the crates that are in the registries, for who calls a version.
    pub call_graph: Option<CallGraphConfiguration>,
    /// How mail leaves; without it none is sent.
    pub mail: Option<MailConfiguration>,
    /// Where people may sign in besides here.
    pub identity_provider: Option<IdentityProvider>,
}

/// How mail leaves: by a server that takes it and passes it on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MailConfiguration {
    /// Name or address of the server.
    pub server: String,
    /// Its port; by default that of the encryption.
    #[serde(default)]
    pub port: Option<u16>,
    /// How what is said to it is kept from others.
    #[serde(default)]
    pub encryption: MailEncryption,
    /// File in PEM with who has to have issued the server's certificate; by default, that is whoever the system trusts.
    #[serde(default)]
    pub certificate_authority: Option<PathBuf>,
    /// Who mail is from: `Gate <gate@example.com>`.
    pub from: String,
    /// Who signs in at the server; nobody without it.
    #[serde(default)]
    pub user: Option<String>,
    /// File with their password, read when the gate starts.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Mails to one address within an hour, at most; what is above waits.
    #[serde(default = "mails_per_hour")]
    pub per_hour: u32,
}

fn mails_per_hour() -> u32 {
    // Whoever owns twenty crates of a campaign is told of each within two hours; nobody is flooded.
    10
}

/// How what is said to a mail server is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailEncryption {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after a word of the server; without that word nothing is sent.
    StartTls,
    /// None: to this machine only.
    None,
}

impl MailConfiguration {
    /// The port: as RFC 8314 has it.
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.encryption {
            MailEncryption::Tls => 465,
            MailEncryption::StartTls => 587,
            MailEncryption::None => 25,
        })
    }

    /// The first thing that makes no sense: key, value, and why.
    fn mistake(&self) -> Option<(&'static str, &str, &'static str)> {
        let is_here =
            self.server == "localhost" || self.server.parse::<IpAddr>().is_ok_and(|it| it.is_loopback());
        if self.server.is_empty() {
            return Some(("mail.server", &self.server, "mail needs a server"));
        }
        if self.encryption == MailEncryption::None && !is_here {
            let reason = "without encryption, anybody on the way reads and changes mail; only a server on this machine is used so";
            return Some(("mail.encryption", "none", reason));
        }
        if self.encryption == MailEncryption::None && self.certificate_authority.is_some() {
            let reason = "without encryption, no certificate is looked at";
            return Some(("mail.certificate-authority", "…", reason));
        }
        if self.from.parse::<lettre::message::Mailbox>().is_err() {
            return Some(("mail.from", &self.from, "it is no address like `Gate <gate@example.com>`"));
        }
        if self.user.is_some() != self.password_file.is_some() {
            let user = self.user.as_deref().unwrap_or_default();
            return Some(("mail.user", user, "`user` and `password-file` belong together"));
        }
        (self.per_hour == 0).then_some(("mail.per-hour", "0", "nothing could be sent"))
    }
}

impl Default for MailConfiguration {
    fn default() -> MailConfiguration {
        MailConfiguration {
            server: String::new(),
            port: None,
            encryption: MailEncryption::default(),
            certificate_authority: None,
            from: String::new(),
            user: None,
            password_file: None,
            per_hour: mails_per_hour(),
        }
    }
}

/// An identity provider that speaks OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IdentityProvider {
    /// What people call it.
    pub name: String,
    /// What it calls itself: a URL, below which it describes itself. HTTPS, unless it is on this machine.
    pub issuer: String,
    /// What it calls the gate.
    pub client_id: String,
    /// File with the secret by which it knows the gate.
    pub client_secret_file: PathBuf,
    /// What is asked for besides `openid`. Nothing of it is used; some providers want more.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Who asks for the second factor.
    #[serde(default)]
    pub second_factor: SecondFactorOf,
}

/// Who asks for the second factor of somebody who comes from an identity provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondFactorOf {
    /// The gate, where the account has one.
    #[default]
    Gate,
    /// The provider: the gate believes that it did.
    Provider,
}

impl IdentityProvider {
    /// What makes no sense: key, value, why.
    fn problem(&self) -> Option<(&'static str, &str, &'static str)> {
        let is_url = cratekeeper_registry::may_be_asked(&self.issuer) && !self.issuer.contains(['?', '#']);
        let is_scope = |it: &String| !it.is_empty() && it.chars().all(|it| it.is_ascii_graphic());
        if !is_url {
            let reason = "it is a URL with https, or with http on this machine, as the provider writes it";
            return Some(("identity-provider.issuer", &self.issuer, reason));
        }
        if self.name.trim().is_empty() || self.name.chars().count() > 40 {
            return Some(("identity-provider.name", &self.name, "a button has 1 to 40 characters"));
        }
        if self.client_id.is_empty() {
            return Some(("identity-provider.client-id", "", "the provider gives one"));
        }
        let odd = self.scopes.iter().find(|it| !is_scope(it))?;
        Some(("identity-provider.scopes", odd, "a scope is one word"))
    }
}

/// Who may read how much is asked for, refused and inspected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Whoever asks on this machine, or with a token that may administer.
    #[default]
    Restricted,
    /// Everybody.
    Open,
}

/// Checkpoints on a schedule. Webhooks that want them are told, whatever stands here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checkpoints {
    /// Hours from one to the next; none are taken with 0, nor where nobody is there to get them.
    pub every: u32,
    /// File that they are appended to, one on each line. Outside of the data directory, and best on another machine.
    pub file: Option<PathBuf>,
    /// File with the key that signs them; by default `audit.key` in the data directory. Replicas share it.
    pub key: Option<PathBuf>,
}

impl Default for Checkpoints {
    fn default() -> Checkpoints {
        Checkpoints { every: 24, file: None, key: None }
    }
}

/// A registry to stand in front of.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UpstreamConfiguration {
    /// URL of its sparse index, or a directory as cargo's local registries have it.
    pub index: String,
    /// Name of the source that cargo replaces by it, for the instructions: `crates-io` unless it says otherwise.
    #[serde(default = "default_source")]
    pub replaces: String,
    /// Names of its crates that the hosted registry may have, too: an explicit override, since two crates of one name are what
    /// dependency confusion lives on.
    #[serde(default)]
    pub shadowed: Vec<String>,
}

impl UpstreamConfiguration {
    /// Whether the hosted registry may have a crate of the name of one of this upstream's.
    pub(crate) fn may_be_shadowed(&self, name: &crate::protocol::CrateName) -> bool {
        let canonical = name.canonical();
        self.shadowed.iter().any(|it| it.to_ascii_lowercase().replace('-', "_") == canonical)
    }
}

impl Default for UpstreamConfiguration {
    fn default() -> UpstreamConfiguration {
        UpstreamConfiguration { index: String::new(), replaces: default_source(), shadowed: Vec::new() }
    }
}

fn default_source() -> String {
    "crates-io".to_owned()
}

/// What becomes of versions that could not be inspected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Uninspected {
    /// They are not given out.
    #[default]
    Refused,
    /// They are given out, and the log and their page say so.
    Served,
}

/// Files for TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Chain of certificates.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

impl Default for Configuration {
    fn default() -> Configuration {
        Configuration {
            listen: DEFAULT_LISTEN,
            public_url: None,
            database: None,
            archives: None,
            policy: None,
            upstream: BTreeMap::new(),
            auth_required: false,
            require_metadata: true,
            // Of the crates that were removed from the default registry for malware in 2023-2026, nine in ten were gone after
            // a month (docs/detection.md).
            listed_after_days: 30,
            uninspected: Uninspected::Refused,
            // Cargo gives up after 30 seconds without a byte.
            inspection_wait: 20,
            is_default_registry: false,
            inspections: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            index_age: 60,
            // As on the default registry, with room for what it grants by request.
            max_archive: 64 << 20,
            trusted_proxies: Vec::new(),
            writes_per_minute: 60,
            // One `cargo fetch` of a large workspace asks for a thousand index files and as many archives at once.
            reads_per_minute: 60_000,
            allow_private_addresses: false,
            tls: None,
            // Each takes some 30 KiB, and a file descriptor, of which processes have a thousand or more.
            connections: 4_096,
            metrics: MetricsAccess::Restricted,
            checkpoints: Checkpoints::default(),
            call_graph: None,
            mail: None,
            identity_provider: None,
        }
    }
}

/// A configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("failed to read the configuration `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no configuration.
    #[error("failed to read the configuration `{}`: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
    /// A value makes no sense.
    #[error("invalid {key} `{value}`: {reason}")]
    Value {
        /// Key in the file.
        key: &'static str,
        /// Its value, without credentials.
        value: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Configuration {
    /// Reads a file; the defaults if `path` is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or has a key or value that makes no sense.
    pub fn read(path: &Path) -> Result<Configuration, ConfigurationError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Configuration::default()),
            Err(source) => return Err(ConfigurationError::Io { path: path.to_owned(), source }),
        };
        let message = |error: toml::de::Error| error.to_string().trim_end().to_owned();
        toml::from_str(&text)
            .map_err(|error| ConfigurationError::Syntax { path: path.to_owned(), message: message(error) })
    }

    /// Tells what makes no sense before anything is started.
    ///
    /// # Errors
    ///
    /// The first value that makes none.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        let refuse = |key, value: &str, reason| {
            Err(ConfigurationError::Value { key, value: value.to_owned(), reason })
        };
        if let Some(url) = &self.public_url {
            let parsed = url.parse::<url::Url>();
            let is_http =
                parsed.as_ref().is_ok_and(|it| matches!(it.scheme(), "http" | "https") && it.has_host());
            if !is_http || parsed.is_ok_and(|it| !it.username().is_empty() || it.query().is_some()) {
                return refuse("public-url", url, "it is no URL like https://gate.example.com");
            }
        }
        if self.public_url.is_none() && self.listen.ip().is_unspecified() {
            let listen = self.listen.to_string();
            return refuse(
                "listen",
                &listen,
                "others cannot reach it by this address; say with `public-url` by which they can",
            );
        }
        if self.connections == 0 {
            return refuse("connections", "0", "nobody could connect");
        }
        if let Some((key, value, reason)) = self.mail.as_ref().and_then(MailConfiguration::mistake) {
            return refuse(key, value, reason);
        }
        if let Some((key, value, reason)) =
            self.identity_provider.as_ref().and_then(IdentityProvider::problem)
        {
            return refuse(key, value, reason);
        }
        for name in self.upstream.keys() {
            let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
            if name.is_empty() || name.len() > 32 || !name.chars().all(is_plain) {
                return refuse("upstream", name, "names have lower-case letters, digits and `-`, 32 at most");
            }
            if name == HOSTED {
                return refuse("upstream", name, "this is how the gate calls its own registry");
            }
        }
        Ok(())
    }

    /// URL under which the gate is reached, without `/` at the end.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let scheme = if self.tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}", self.listen)
            }
        }
    }

    /// Takes over what may change while the gate runs and differs between two readings of the file; what was given as an argument stays.
    /// Gives the keys that were taken over, and those that need a restart.
    pub(crate) fn take_over(
        &mut self,
        before: &Configuration,
        now: &Configuration,
    ) -> (Vec<&'static str>, Vec<&'static str>) {
        let mut taken = Vec::new();
        // What is equal after the safe keys are is equal in the others.
        let mut rest = before.clone();
        macro_rules! take {
            ($($field:ident $key:literal),*) => {$(
                if before.$field != now.$field {
                    self.$field = now.$field.clone();
                    taken.push($key);
                }
                rest.$field = now.$field.clone();
            )*};
        }
        take!(
            auth_required "auth-required", require_metadata "require-metadata", listed_after_days "listed-after-days",
            uninspected "uninspected", inspection_wait "inspection-wait", index_age "index-age", max_archive "max-archive",
            trusted_proxies "trusted-proxies", writes_per_minute "writes-per-minute",
            reads_per_minute "reads-per-minute", metrics "metrics"
        );
        for (name, upstream) in &mut rest.upstream {
            let Some(new) = now.upstream.get(name) else { continue };
            if upstream.shadowed != new.shadowed {
                if let Some(current) = self.upstream.get_mut(name) {
                    current.shadowed.clone_from(&new.shadowed);
                }
                taken.push("upstream.*.shadowed");
                upstream.shadowed.clone_from(&new.shadowed);
            }
        }
        taken.dedup();
        (taken, rest.others_that_differ(now))
    }

    fn others_that_differ(&self, now: &Configuration) -> Vec<&'static str> {
        let all = [
            ("listen", self.listen != now.listen),
            ("public-url", self.public_url != now.public_url),
            ("database", self.database != now.database),
            ("archives", self.archives != now.archives),
            ("policy", self.policy != now.policy),
            ("upstream", self.upstream != now.upstream),
            ("is-default-registry", self.is_default_registry != now.is_default_registry),
            ("inspections", self.inspections != now.inspections),
            ("allow-private-addresses", self.allow_private_addresses != now.allow_private_addresses),
            ("tls", self.tls != now.tls),
            ("connections", self.connections != now.connections),
            ("checkpoints", self.checkpoints != now.checkpoints),
            ("call-graph", self.call_graph != now.call_graph),
            ("mail", self.mail != now.mail),
            ("identity-provider", self.identity_provider != now.identity_provider),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// How long a download waits for an inspection.
    #[must_use]
    pub fn inspection_wait(&self) -> Duration {
        Duration::from_secs(self.inspection_wait)
    }
}

/// How the gate calls its own registry, in paths and records.
pub const HOSTED: &str = "hosted";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Configuration, ConfigurationError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        std::fs::write(&path, text).unwrap();
        let configuration = Configuration::read(&path)?;
        configuration.check().map(|()| configuration)
    }

    #[test]
    fn no_file_is_a_configuration() {
        let configuration = Configuration::read(Path::new("/nowhere/gate.toml")).unwrap();
        assert_eq!(configuration, Configuration::default());
        assert!(configuration.check().is_ok() && configuration.listen.ip().is_loopback());
        assert_eq!(configuration.url(), "http://127.0.0.1:8420");
    }

    #[test]
    fn what_is_written_counts() {
        let configuration = read(
            "public-url = 'https://gate.example.com/'\n[upstream.mirror]\nindex = 'sparse+https://index.example.com/'\n",
        )
        .unwrap();
        assert_eq!(configuration.url(), "https://gate.example.com");
        assert_eq!(configuration.upstream["mirror"].replaces, "crates-io");
    }

    #[test]
    fn what_is_safe_is_taken_over_and_the_rest_is_named() {
        let before = Configuration { listed_after_days: 7, ..Configuration::default() };
        // An argument of the command line, which the file does not have.
        let mut current = Configuration { policy: Some("other.toml".into()), ..before.clone() };
        let now =
            read("listed-after-days = 3\nlisten = '127.0.0.1:1'\n[upstream.new]\nindex = 'x'\n").unwrap();
        let (taken, others) = current.take_over(&before, &now);
        assert_eq!((taken, others), (vec!["listed-after-days"], vec!["listen", "upstream"]));
        assert_eq!((current.listed_after_days, current.listen), (3, DEFAULT_LISTEN));
        assert_eq!(current.policy.as_deref(), Some(Path::new("other.toml")));
        let (taken, others) = current.clone().take_over(&now, &now);
        assert!(taken.is_empty() && others.is_empty());
    }

    #[test]
    fn mistakes_are_told() {
        let error = read("listne = '127.0.0.1:1'").unwrap_err().to_string();
        assert!(error.contains("listne") && error.contains("line 1"), "{error}");
        assert!(read("public-url = 'gate'").is_err());
        let provider = |issuer: &str| {
            read(&format!(
                "[identity-provider]\nname = 'Example'\nissuer = '{issuer}'\nclient-id = 'gate'\nclient-secret-file = 'x'\n"
            ))
        };
        let read_back = provider("https://id.example.invalid/realm").unwrap().identity_provider.unwrap();
        assert_eq!(read_back.second_factor, SecondFactorOf::Gate);
        for odd in ["id.example.invalid", "http://id.example.invalid", "https://id.example.invalid/?a=b"] {
            assert!(provider(odd).is_err(), "{odd}");
        }
        assert!(read("[upstream.hosted]\nindex = 'x'").is_err());
        assert!(read("[upstream.'A/b']\nindex = 'x'").is_err());
    }

    #[test]
    fn mail_without_encryption_goes_nowhere_but_here() {
        let mail = |rest: &str| read(&format!("[mail]\nfrom = 'gate@example.invalid'\n{rest}"));
        assert_eq!(mail("server = 'mail.example.invalid'").unwrap().mail.unwrap().port(), 465);
        assert!(mail("server = '127.0.0.1'\nencryption = 'none'").is_ok());
        for odd in [
            "server = 'mail.example.invalid'\nencryption = 'none'",
            "server = '192.0.2.1'\nencryption = 'none'",
            "server = ''",
            "server = 'x'\nuser = 'gate'",
            "server = 'x'\npassword = 'secret'",
            "server = 'x'\nper-hour = 0",
        ] {
            assert!(mail(odd).is_err(), "{odd}");
        }
        assert!(read("[mail]\nserver = 'x'\nfrom = 'nobody'").is_err());
    }
}
