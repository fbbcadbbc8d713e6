//! The three formats, rendered from the same outcomes.

#![allow(clippy::unwrap_used, reason = "helpers of tests, which clippy does not see as such")]

#[path = "../../../graph/tests/support/mod.rs"]
mod ecosystem;
mod graph;
mod human;
mod json;
mod names;
mod reachability;
mod sample;
mod sarif;
mod schema;
