//! Requests, with a pause between tries.

use crate::{Forecast, Place};
use std::time::Duration;

const ADDRESS: &str = "https://api.weather.example.invalid/v1";

/// Asks the service.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    token: String,
    tries: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("set WEATHER_TOKEN")]
    NoToken,
    #[error("the request failed")]
    Http(#[from] reqwest::Error),
}

impl Client {
    /// With the token of the variable `WEATHER_TOKEN`.
    pub fn from_env() -> Result<Client, Error> {
        let token = std::env::var("WEATHER_TOKEN").map_err(|_| Error::NoToken)?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).user_agent("weather-client").build()?;
        Ok(Client { http, token, tries: 3 })
    }

    pub async fn forecast(&self, place: Place) -> Result<Forecast, Error> {
        let mut pause = Duration::from_millis(250);
        for _ in 1..self.tries {
            match self.once(place).await {
                Err(error) if error.is_timeout() => tokio::time::sleep(pause).await,
                result => return Ok(result?),
            }
            pause *= 2;
        }
        Ok(self.once(place).await?)
    }

    async fn once(&self, place: Place) -> reqwest::Result<Forecast> {
        let request = self.http.get(format!("{ADDRESS}/forecast")).bearer_auth(&self.token).query(&place);
        request.send().await?.error_for_status()?.json().await
    }
}
