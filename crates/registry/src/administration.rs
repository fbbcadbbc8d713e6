//! Asking a gate to do something: its admin API, from the command line.

use std::io::Read as _;
use std::time::Duration;

use serde_json::Value;

use crate::client::{Client, Redirects, shown};
use crate::{CargoConfig, HttpError, Network};

/// Largest answer that is read.
const MAX_ANSWER: u64 = 64 << 20;

/// Largest archive that is read.
const MAX_ARCHIVE: u64 = 1 << 30;

/// How long an answer may take: a gate that replays a year has much to read.
const PATIENCE: Duration = Duration::from_secs(600);

/// A gate, and the token to ask it with.
pub struct AdminClient {
    client: Client,
    url: String,
    token: String,
}

/// What is done with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// It is read.
    Get,
    /// Something is done.
    Post,
    /// It is replaced.
    Put,
}

/// A gate did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// It could not be asked.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It refused.
    #[error("the gate refused (status {status}): {detail}")]
    Refused {
        /// Status code.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// Its answer is none of a gate's.
    #[error("`{url}` does not answer as a gate does: {reason}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong.
        reason: String,
    },
}

impl AdminClient {
    /// A client for the gate at `url`.
    ///
    /// # Errors
    ///
    /// When proxy or certificates of `config` cannot be used.
    pub fn new(url: &str, token: &str, config: &CargoConfig) -> Result<AdminClient, HttpError> {
        let client = Client::new(config, Network::Online, Duration::from_millis(200), Redirects::Refused)?;
        Ok(AdminClient { client, url: url.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    /// Asks, once, and gives the answer's JSON.
    ///
    /// # Errors
    ///
    /// When the gate cannot be asked, or refuses.
    pub fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, AdminError> {
        let bytes = self.ask(method, path, body, MAX_ANSWER)?;
        let answer = |error: serde_json::Error| AdminError::Answer {
            url: shown(&format!("{}{path}", self.url)),
            reason: error.to_string(),
        };
        serde_json::from_slice(&bytes).map_err(answer)
    }

    /// Asks for something to be done, once, and gives the answer's bytes as they are.
    ///
    /// # Errors
    ///
    /// When the gate cannot be asked, or refuses.
    pub fn bytes(&self, path: &str, body: &Value) -> Result<Vec<u8>, AdminError> {
        self.ask(Method::Post, path, body, MAX_ARCHIVE)
    }

    fn ask(&self, method: Method, path: &str, body: &Value, limit: u64) -> Result<Vec<u8>, AdminError> {
        let url = format!("{}{path}", self.url);
        let (status, bytes) = self.client.ask(method, &url, &self.token, &body.to_string(), limit)?;
        if !(200..300).contains(&status) {
            let answer: Result<Value, _> = serde_json::from_slice(&bytes);
            let detail = answer.ok().and_then(|it| Some(it["errors"][0]["detail"].as_str()?.to_owned()));
            return Err(AdminError::Refused {
                status,
                detail: detail.unwrap_or_else(|| "it does not say why".to_owned()),
            });
        }
        Ok(bytes)
    }
}

impl Client {
    /// Sends a request with a token and JSON, and gives status and body of the answer.
    fn ask(
        &self,
        method: Method,
        url: &str,
        token: &str,
        body: &str,
        limit: u64,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        let agent = self.online(url)?;
        let failed = |error| Client::failure(error, url);
        let response = match method {
            Method::Get => agent.get(url).header("authorization", token).call(),
            Method::Post => agent
                .post(url)
                .config()
                .timeout_global(Some(PATIENCE))
                .timeout_recv_response(Some(PATIENCE))
                .build()
                .header("authorization", token)
                .header("content-type", "application/json")
                .send(body),
            Method::Put => agent
                .put(url)
                .header("authorization", token)
                .header("content-type", "application/json")
                .send(body),
        };
        let response = response.map_err(failed)?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        let mut reader = response.into_body().into_with_config().limit(limit).reader().take(limit);
        reader.read_to_end(&mut bytes).map_err(|error| failed(ureq::Error::from(error)))?;
        Ok((status, bytes))
    }
}
