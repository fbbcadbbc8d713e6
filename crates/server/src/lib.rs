//! The gate: a registry, and a firewall in front of registries, that inspects versions before anyone can build them.
//!
//! ```no_run
//! # async fn example(setup: cratekeeper_server::Setup) -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind(setup.configuration.listen).await?;
//! let gate = cratekeeper_server::Gate::open(setup).await?;
//! cratekeeper_server::serve(gate, listener, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Configuration`] says where a gate listens and what it stands in front of; [`Gate::open`] makes database and directories; [`serve`] answers
//! until it is told to end. Versions are judged by `engine`, what is decided is kept by `store`.
//!
//! Not here: SQL, analysis, arguments. Nothing of a crate is executed.

mod acts;
mod administration;
mod blobs;
mod call_graph;
mod callers;
mod certificates;
mod checkpoints;
mod configuration;
mod connections;
mod console;
mod error;
mod fronts;
mod gate;
mod hosted;
mod in_force;
mod inspection;
mod judging;
mod letters;
mod likes;
mod mail;
mod metrics;
mod outgoing;
mod pages;
mod progress;
pub mod protocol;
mod provider;
mod recovery;
mod refusal;
mod reload;
mod reports;
mod restraints;
mod sending;
mod service;
mod serving;
mod setup;
mod troubles;
mod turns;
mod vault;
mod views;
mod waiting;
mod webhooks;

pub use blobs::{BlobError, Blobs, OpenArchive};
pub use call_graph::CallGraphConfiguration;
pub use certificates::CertificateError;
pub use checkpoints::{CheckpointsError, key as audit_key};
pub use configuration::{
    Checkpoints, Configuration, ConfigurationError, DEFAULT_LISTEN, FILE, HOSTED, IdentityProvider,
    MailConfiguration, MailEncryption, MetricsAccess, SecondFactorOf, Tls, Uninspected,
    UpstreamConfiguration,
};
pub use console::SealingError;
pub use gate::{Clock, Gate, OpenError, Setup};
pub use in_force::PolicyError;
pub use mail::MailError;
pub use provider::ProviderOpenError;
pub use recovery::{Recovered, Recovery, RecoveryError, recover};
pub use reload::{ReloadError, Reloaded};
pub use service::{router, serve};
pub use setup::SecretLink;
