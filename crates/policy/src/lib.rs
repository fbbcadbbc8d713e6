//! Makes a verdict of a case, by a policy that people write.
//!
//! ```
//! use cratekeeper_policy::Policy;
//!
//! let policy = Policy::parse(
//!     r#"
//!     [[clause]]
//!     id = "no-new-build-scripts"
//!     when = "facts.build_script && known(history.age_days) && history.age_days < 30"
//!     verdict = "quarantine"
//!     reason = "build scripts wait for a month"
//!     "#,
//! )?;
//! assert_eq!(policy.clauses()[0].id, "no-new-build-scripts");
//! # Ok::<(), cratekeeper_policy::PolicyProblems>(())
//! ```
//!
//! A [`Policy`] is read from `cratekeeper.toml`: clauses with a condition in CEL, and waivers. [`Policy::decide`] gives a
//! [`PolicyAnswer`](cratekeeper_model::PolicyAnswer) for a [`RuleInput`](cratekeeper_model::RuleInput) and its
//! [`Case`](cratekeeper_model::Case): the strictest clause that holds and is not waived. [`VARIABLES`] are what conditions may name;
//! names and types are checked when the file is read, and all its mistakes are told at once.
//!
//! The language is parsed by the `cel` library; types, the unknown and a budget of steps are ours, because the library has
//! neither of the last two: see `docs/policy.md`.
//!
//! No I/O, no clock: text and moments are given to it.

mod check;
mod circumstances;
mod compare;
mod edit;
mod evaluate;
mod expression;
mod file;
mod policy;
mod reports;
mod variables;

pub use circumstances::{Circumstances, CircumstancesError};
pub use compare::PolicyChange;
pub use edit::Moded;
pub use evaluate::BUDGET;
pub use file::{PolicyProblem, PolicyProblems};
pub use policy::{Clause, Enforcement, Policy, RuleMode, Waived, Waiver};
pub use reports::{Reporters, Reports};
pub use variables::{Field, Type, VARIABLES};
