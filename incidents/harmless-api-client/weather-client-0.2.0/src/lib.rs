//! Types of the weather API.

use serde::{Deserialize, Serialize};

/// A place on earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub latitude: f64,
    pub longitude: f64,
}

/// What is expected for one hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hour {
    pub time: String,
    pub celsius: f64,
    pub rain_millimetres: f64,
}

/// Answers to a request for a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub place: Place,
    pub hours: Vec<Hour>,
}

impl Forecast {
    pub fn warmest(&self) -> Option<&Hour> {
        self.hours.iter().max_by(|left, right| left.celsius.total_cmp(&right.celsius))
    }

    pub fn rain(&self) -> f64 {
        self.hours.iter().map(|it| it.rain_millimetres).sum()
    }
}

mod client;

pub use client::{Client, Error};
