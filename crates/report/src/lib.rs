//! Renders outcomes as text, JSON and SARIF.
//!
//! ```
//! use cratekeeper_model::{CheckOutcome, Known};
//! use cratekeeper_report::{Tool, json};
//!
//! let outcome = CheckOutcome {
//!     lockfile: "Cargo.lock".to_owned(),
//!     packages: Vec::new(),
//!     advisories: Known::Unknown("offline".to_owned()),
//!     notes: Vec::new(),
//!     unresolved: Known::Known(Vec::new()),
//!     unread_manifests: Vec::new(),
//! };
//! let mut document = Vec::new();
//! json::check(Tool { name: "cratekeeper", version: "0.1.0" }, &outcome, &mut document)?;
//! assert!(document.starts_with(br#"{"schema":"cratekeeper.check/1""#));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`human`], [`json`] and [`sarif`] each render the same [`CheckOutcome`](cratekeeper_model::CheckOutcome)
//! and [`InspectOutcome`](cratekeeper_model::InspectOutcome) into a writer that the caller hands in. JSON is
//! a contract, written down in `docs/json.md`; SARIF is for code scanning; the text is for people and may
//! change at any time.
//!
//! [`graph`] writes answers about call graphs, as tables in every format and as drawings.
//! [`vex`] has only what concerns advisories, as OpenVEX. [`names`] has what is said about names alone, as text and JSON.
//!
//! Nothing is judged here: severities, levels and statuses arrive finished. Nothing is read either, neither
//! files nor the terminal's properties nor the clock. All text may come from a hostile publisher, so that
//! nothing reaches a terminal but through [`sanitize`].

mod advisory_lint;
mod catalogue;
pub mod graph;
pub mod human;
pub mod json;
pub mod names;
mod reachable;
pub mod sarif;
pub mod similar;
mod text;
mod unresolved;
pub mod vex;

use serde::Serialize;

pub use advisory_lint::{LintRemark, LintReport, lint, lint_json};
pub use catalogue::{AdvisoryStatus, advisory_status, advisory_status_json, rules, rules_json};
pub use text::sanitize;
pub use unresolved::UNRESOLVED_DEPENDENCY;

/// The program that speaks, as documents name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tool<'a> {
    /// Name of the program.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
}

/// What a reader is told about a rule.
///
/// The caller takes it from the rules themselves, which this crate does not know. [`UNRESOLVED_DEPENDENCY`] is the one that
/// belongs to no package, and so to no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleDescription<'a> {
    /// Id, for example `build-script`.
    pub id: &'a str,
    /// A few words without a full stop.
    pub title: &'a str,
    /// Markdown: what the rule looks for, why it matters, what to do.
    pub explanation: &'a str,
    /// Page with more, as an absolute URL.
    pub help_uri: Option<&'a str>,
}
