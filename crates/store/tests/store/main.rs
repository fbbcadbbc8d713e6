//! Every operation, on SQLite and on a PostgreSQL that is started for it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::print_stdout, reason = "whoever reads the output sees what was measured and what was not")]

mod around;
mod audit;
mod databases;
mod decisions;
mod dependents;
mod figures;
mod fixtures;
mod identities;
mod jobs;
mod outbox;
mod owners;
mod people;
mod processes;
mod publishers;
mod publishing;
mod reading;
mod sending;
mod server;
mod two_people;
mod vault;
