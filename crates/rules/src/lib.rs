//! Judges one version: rules turn its facts into findings, and the findings add up to a score.
//!
//! ```
//! use cratekeeper_model::{Level, RuleInput};
//!
//! fn may_be_built(input: &RuleInput) -> bool {
//!     let case = cratekeeper_rules::judge(input);
//!     case.level < Level::Alert && case.not_evaluated.is_empty()
//! }
//! assert!(cratekeeper_rules::find("bundled-executable").is_some());
//! ```
//!
//! [`all`] lists every [`Rule`]; each lives in a file of its own name in `src/rules/` and under a heading of its
//! name in `docs/rules.md`. [`judge`] runs them over a [`RuleInput`](cratekeeper_model::RuleInput) and returns a
//! [`Case`](cratekeeper_model::Case). [`score`] is the sum alone, [`TECHNIQUES`] the catalogue of attack techniques that
//! findings may point to.
//!
//! What it does not do: read files, ask registries, look at the clock. The same input gives the same case, so a
//! stored scan can be judged again by newer rules. No rule excuses a crate by its name, checksum, publisher or by
//! being in a list, because a hijacked version of a trusted crate has all of these; `confusable-name` alone does not look
//! at names that others are taken for, since it is about nothing but names. And a rule that lacks its input
//! is listed as *not evaluated*; silence means "looked, found nothing".

mod advice;
mod behaviour;
mod correlation;
mod judge;
mod past;
mod places;
mod rule;
mod rules;
mod score;
mod technique;
#[cfg(test)]
mod test_support;
mod text;
mod update;

pub use correlation::points::{POINTS, Point};
pub use judge::{judge, judge_without, without};
pub use rule::{Evaluation, Family, Rule};
pub use rules::{all, find};
pub use score::{WEIGHTS, Weight, contributions, score};
pub use technique::{TECHNIQUES, Technique};
