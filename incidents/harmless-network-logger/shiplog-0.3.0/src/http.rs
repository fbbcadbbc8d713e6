//! A sink for collectors that take HTTP.

use crate::Sink;
use std::io;
use std::time::Duration;

/// One request for each batch of records.
pub struct Http {
    agent: ureq::Agent,
    address: String,
    token: Option<String>,
    batch: Vec<String>,
}

impl Http {
    /// Records go to this address, sixteen at a time.
    pub fn to(address: impl Into<String>) -> Http {
        let agent = ureq::AgentBuilder::new().timeout(Duration::from_secs(5)).build();
        Http { agent, address: address.into(), token: None, batch: Vec::new() }
    }

    /// Requests carry this token.
    pub fn token(mut self, token: impl Into<String>) -> Http {
        self.token = Some(token.into());
        self
    }

    fn flush(&mut self) -> io::Result<()> {
        let body = std::mem::take(&mut self.batch).join("\n");
        let mut request = self.agent.post(&self.address).set("Content-Type", "application/x-ndjson");
        if let Some(token) = &self.token {
            request = request.set("Authorization", &format!("Bearer {token}"));
        }
        request.send_string(&body).map(drop).map_err(io::Error::other)
    }
}

impl Sink for Http {
    fn send(&mut self, line: &str) -> io::Result<()> {
        self.batch.push(line.to_owned());
        if self.batch.len() < 16 { Ok(()) } else { self.flush() }
    }
}
