//! The whole program, as people start it: arguments in, text and exit code out.
//!
//! Every test has a home, a cargo home with a local registry, and a cache of its own, so that nothing of the machine takes part
//! but its cargo. No test needs the network.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bad_input;
mod call_graphs;
mod check;
mod cross_crate;
mod diff;
#[path = "../../../graph/tests/support/mod.rs"]
mod ecosystem;
mod evaluate;
mod formats;
mod gate;
mod gate_service;
mod graph_command;
mod help;
mod inspect;
mod limits;
mod names;
mod names_command;
mod policy;
mod reachability;
mod reached;
mod real;
mod recover;
mod replay;
mod similar;
mod survey;
mod tree;
mod world;
