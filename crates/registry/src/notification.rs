//! Telling others: small JSON bodies, sent to addresses that an operator entered.
//!
//! Whoever enters an address could have the gate reach what only the gate can reach, so private addresses are refused unless they are allowed, and
//! redirects are not followed.

use std::net::ToSocketAddrs as _;
use std::time::Duration;

use crate::client::{Client, Reach, Redirects};
use crate::upstream::is_private;
use crate::{CargoConfig, HttpError, Network, PrivateAddresses};

/// Sends notifications. Cheap to share; every call blocks.
pub struct Notifier {
    client: Client,
    private: PrivateAddresses,
}

/// An address that notifications cannot be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("notifications cannot be sent to `{address}`: {reason}")]
pub struct RefusedAddress {
    address: String,
    reason: &'static str,
}

impl Notifier {
    /// A notifier that uses the proxy and certificates of `config`.
    ///
    /// # Errors
    ///
    /// When those cannot be used.
    pub fn new(config: &CargoConfig, private: PrivateAddresses) -> Result<Notifier, HttpError> {
        let reach = match private {
            PrivateAddresses::Allowed => Reach::Everything,
            PrivateAddresses::OwnHostOnly => Reach::InternetAnd(None),
        };
        let pause = Duration::from_millis(200);
        let client = Client::reaching(reach, config, Network::Online, pause, Redirects::Refused)?;
        Ok(Notifier { client, private })
    }

    /// Whether notifications may be sent to an address, as far as can be told now. It is looked at again when it is connected to.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn check(&self, address: &str) -> Result<(), RefusedAddress> {
        let refuse = |reason| Err(RefusedAddress { address: origin(address), reason });
        let Ok(url) = url::Url::parse(address) else { return refuse("it is no URL") };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("it is neither `http` nor `https`");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it has credentials in it");
        }
        if self.private == PrivateAddresses::Allowed {
            return Ok(());
        }
        if url.scheme() != "https" {
            return refuse("plain `http` is for private networks, which are not allowed");
        }
        let Some(host) = url.host_str() else { return refuse("it has no host") };
        let port = url.port_or_known_default().unwrap_or(443);
        let mut found = (host.trim_matches(['[', ']']), port).to_socket_addrs().into_iter().flatten();
        if found.any(|it| is_private(it.ip())) {
            return refuse("it leads to an address of a private network");
        }
        Ok(())
    }

    /// Sends a body once, and gives the status of the answer. Whoever wants another attempt asks again.
    ///
    /// # Errors
    ///
    /// When the address is refused or nobody answers.
    pub fn send(
        &self,
        address: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<u16, NotificationError> {
        self.check(address)?;
        self.client.post(address, headers, body).map_err(|error| NotificationError::Unanswered {
            origin: origin(address),
            reason: match error {
                HttpError::Transfer { reason, .. } | HttpError::Unreachable { reason, .. } => reason,
                HttpError::TooManyRedirects { .. } => "it leads elsewhere".to_owned(),
                _ => "it cannot be asked".to_owned(),
            },
        })
    }
}

/// A notification did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// The address is refused.
    #[error(transparent)]
    Refused(#[from] RefusedAddress),
    /// Nobody answered.
    #[error("`{origin}` was not reached: {reason}")]
    Unanswered {
        /// Scheme and host of the address.
        origin: String,
        /// Why, without the address.
        reason: String,
    },
}

/// Scheme and host of an address: the path of a webhook is as good as a password.
fn origin(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => "(an address that is not shown)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

    use super::*;
    use crate::CargoEnvironment;

    #[test]
    fn addresses_that_only_this_machine_reaches_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let environment = CargoEnvironment::new(directory.path().to_owned(), []);
        let config = CargoConfig::load(directory.path(), &environment).unwrap();
        let strict = Notifier::new(&config, PrivateAddresses::OwnHostOnly).unwrap();
        let refused = [
            "",
            "gate",
            "ftp://8.8.8.8/",
            "http://8.8.8.8/",
            "https://127.0.0.1/",
            "https://[::1]:1/",
            "https://169.254.169.254/latest",
            "https://me:secret@8.8.8.8/",
        ];
        for address in refused {
            let error = strict.check(address).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(strict.check("https://8.8.8.8/hook").is_ok());
        let lenient = Notifier::new(&config, PrivateAddresses::Allowed).unwrap();
        assert!(lenient.check("http://127.0.0.1:9/hook").is_ok());
        // A name that led elsewhere when it was looked at is refused when it is connected to.
        let error = strict.client.post("http://localhost:9/", &[], "{}").unwrap_err().to_string();
        assert!(error.contains("private network"), "{error}");
    }
}
