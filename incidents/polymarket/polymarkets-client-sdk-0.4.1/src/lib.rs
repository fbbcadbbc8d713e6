//! A client for a central limit order book of a prediction market.

pub mod auth;
pub mod order;
pub mod types;

pub use auth::{Credentials, Signer};
pub use order::{Order, OrderBuilder};
pub use types::{Price, Side, TokenId};

use std::time::Duration;

/// The host that orders are sent to unless another is named.
pub const DEFAULT_HOST: &str = "https://clob.polymarket.example.invalid";

/// How the client behaves.
#[derive(Clone, Debug)]
pub struct Config {
    pub host: String,
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { host: DEFAULT_HOST.to_owned(), timeout: Duration::from_secs(10) }
    }
}

/// Talks to the market.
#[derive(Debug)]
pub struct Client {
    config: Config,
    http: reqwest::Client,
    credentials: Option<Credentials>,
}

impl Client {
    pub fn new(config: Config) -> Result<Self, Error> {
        let http = reqwest::Client::builder().timeout(config.timeout).build()?;
        Ok(Self { config, http, credentials: None })
    }

    /// From here on requests are signed.
    pub fn authenticate(mut self, signer: &Signer, nonce: u64) -> Self {
        self.credentials = Some(signer.derive(nonce));
        self
    }

    pub async fn price(&self, token: &TokenId, side: Side) -> Result<Price, Error> {
        let url = format!("{}/price?token_id={}&side={}", self.config.host, token, side);
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }

    pub async fn post_order(&self, order: &Order) -> Result<String, Error> {
        let credentials = self.credentials.as_ref().ok_or(Error::NotAuthenticated)?;
        let url = format!("{}/order", self.config.host);
        let request = self.http.post(url).header("POLY_API_KEY", &credentials.key).json(order);
        Ok(request.send().await?.error_for_status()?.text().await?)
    }
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the request failed")]
    Http(#[from] reqwest::Error),
    #[error("this needs `authenticate` first")]
    NotAuthenticated,
}

mod warm;
