//! The real program under faults: killed at any moment, without room on its disk, before an upstream that is down or lies, beside a database that
//! is restarted, and as one of two replicas of which the other is killed.
//!
//! What has to hold, whatever happens: who was told that a version is published has it; nobody has half of one; nothing is given out that was not
//! inspected and verified; and when the fault is over, everything goes on.

#![cfg(all(unix, feature = "serve"))]
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::print_stdout, reason = "whoever reads the output sees what was measured and what was not")]

mod damage;
mod full_disk;
mod gate;
mod kills;
mod postgres;
mod registry;
mod replicas;
#[allow(dead_code, reason = "these tests have servers of their own, which they stop")]
#[path = "../../../store/tests/store/server.rs"]
mod server;
mod upstreams;
mod workers;
