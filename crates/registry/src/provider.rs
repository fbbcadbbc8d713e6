//! Asking an identity provider: small questions and answers, whose form is somebody else's business.
//!
//! Which provider is asked the operator says in a file, so private addresses are allowed: companies keep theirs in their own network. What it sends
//! is another matter: an answer has limits, leads nowhere, and comes encrypted unless the provider is on this machine.

use std::io::Read as _;
use std::time::Duration;

use ureq::http::{Method, Request, Response};

use crate::client::{Client, Redirects, shown};
use crate::{CargoConfig, HttpError, Network};

/// Largest answer, in bytes. Keys and descriptions of the large providers have 2 to 20 KB.
const MAX_ANSWER: u64 = 256 << 10;

/// How long a question may take in all. Somebody looks at a page meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks an identity provider. Cheap to share; every call blocks.
pub struct ProviderClient {
    client: Client,
}

impl ProviderClient {
    /// A client that uses the proxy and certificates of `config`.
    ///
    /// # Errors
    ///
    /// When those cannot be used.
    pub fn new(config: &CargoConfig) -> Result<ProviderClient, HttpError> {
        let client = Client::new(config, Network::Online, Duration::ZERO, Redirects::Refused)?;
        Ok(ProviderClient { client })
    }

    /// Sends a request once, and gives the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// When the address is neither encrypted nor of this machine, nobody answers in time, or the answer is too large.
    pub fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let url = request.uri().to_string();
        if !may_be_asked(&url) {
            return Err(HttpError::Insecure { url: shown(&url) });
        }
        let agent = self.client.online(&url)?;
        let failed = |error| Client::failure(error, &url);
        let has_body = request.method() == Method::POST;
        let (parts, body) = request.into_parts();
        let response = if has_body {
            let request = agent.configure_request(Request::from_parts(parts, body));
            agent.run(request.timeout_global(Some(PATIENCE)).build())
        } else {
            let request = agent.configure_request(Request::from_parts(parts, ()));
            agent.run(request.timeout_global(Some(PATIENCE)).build())
        };
        let (parts, body) = response.map_err(failed)?.into_parts();
        let mut bytes = Vec::new();
        let mut reader = body.into_with_config().limit(u64::MAX).reader().take(MAX_ANSWER + 1);
        reader.read_to_end(&mut bytes).map_err(|error| failed(ureq::Error::from(error)))?;
        if bytes.len() as u64 > MAX_ANSWER {
            return Err(HttpError::TooLarge { url: shown(&url), limit: MAX_ANSWER });
        }
        Ok(Response::from_parts(parts, bytes))
    }
}

/// Whether an address of a provider is one that nobody on the way can read: HTTPS, or this machine's own.
#[must_use]
pub fn may_be_asked(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    let is_local = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        // RFC 6761, section 6.3; a name server that says otherwise is the machine's own affair.
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    !has_credentials && (url.scheme() == "https" || url.scheme() == "http" && is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine() {
        for good in
            ["https://id.example.invalid", "http://127.0.0.1:9/x", "http://[::1]:9", "http://localhost"]
        {
            assert!(may_be_asked(good), "{good}");
        }
        for odd in [
            "",
            "id.example.invalid",
            "http://id.example.invalid/",
            "http://127.0.0.1.example.invalid/",
            "http://localhost.example.invalid/",
            "https://me:secret@id.example.invalid/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
        ] {
            assert!(!may_be_asked(odd), "{odd}");
        }
    }
}
