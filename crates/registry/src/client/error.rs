//! Why a request failed.

use std::io;
use std::path::PathBuf;

/// A request failed, or HTTP could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The network may not be used.
    #[error("`{url}` is not asked for: offline")]
    Offline {
        /// What would have been asked for.
        url: String,
    },
    /// The server has no such thing.
    #[error("`{url}` does not exist")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// The server wants to know who is asking.
    #[error("`{url}` needs credentials (status {status})")]
    Unauthorized {
        /// What was asked for.
        url: String,
        /// Status code.
        status: u16,
    },
    /// Another status than success.
    #[error("`{url}` answered with status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// Status code.
        status: u16,
    },
    /// No connection to the host.
    #[error("`{host}` cannot be reached: {reason}")]
    Unreachable {
        /// Host, and port if it is not the usual one.
        host: String,
        /// What the system said.
        reason: String,
    },
    /// The connection broke, or what came was not HTTP.
    #[error("the transfer of `{url}` failed: {reason}")]
    Transfer {
        /// What was asked for.
        url: String,
        /// What went wrong, as text: reports show it as the reason, without the chain of sources.
        reason: String,
    },
    /// The body is larger than its limit.
    #[error("`{url}` is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// Too many redirects, or a circle of them.
    #[error("`{url}` redirects more than {limit} times")]
    TooManyRedirects {
        /// What was asked for.
        url: String,
        /// The limit.
        limit: u32,
    },
    /// A registry on HTTPS sends to plain HTTP.
    #[error("`{url}` leads from HTTPS to plain HTTP")]
    Insecure {
        /// What was asked for.
        url: String,
    },
    /// The configured proxy is not usable. Its URL may hold a password and is not repeated.
    #[error("the configured HTTP proxy cannot be used")]
    Proxy,
    /// The configured file of certificate authorities is not usable.
    #[error("failed to read certificates from `{}`", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
}

impl HttpError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            HttpError::Offline { .. } => "run again with network access",
            HttpError::Unauthorized { .. } => {
                "registries with authentication are not asked; run `cargo fetch --locked` if you trust the workspace, \
                 so that cargo's cache has the packages"
            }
            HttpError::Status { status: 429, .. } => "wait a few minutes: the server limits its clients",
            HttpError::Unreachable { .. } | HttpError::Transfer { .. } | HttpError::Status { .. } => {
                "check the network, `http.proxy` and `http.cainfo`, or run offline"
            }
            HttpError::Proxy => {
                "check `http.proxy` in cargo's configuration and `HTTPS_PROXY`; use http://host:port"
            }
            HttpError::Certificates { .. } => {
                "check `http.cainfo` in cargo's configuration and `CARGO_HTTP_CAINFO`"
            }
            HttpError::TooLarge { .. } | HttpError::TooManyRedirects { .. } | HttpError::Insecure { .. } => {
                "ask the operator of the registry"
            }
            HttpError::NotFound { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
