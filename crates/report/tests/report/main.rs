//! The three formats, rendered from the same outcomes.

#![allow(clippy::unwrap_used, reason = "helpers of tests, which clippy does not see as such")]

mod human;
mod json;
mod names;
mod sample;
mod sarif;
mod schema;
