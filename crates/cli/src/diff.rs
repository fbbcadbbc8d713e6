//! `cratekeeper diff`: what changed between two versions.

use cratekeeper_model::{Known, PackageStatus};
use cratekeeper_report::sarif::Producer;

use crate::arguments::{Diff, Format, Global};
use crate::check::{advisories_for, report_missing_advisories};
use crate::exit::{self, Exit, Manifests, Unchecked};
use crate::inspect::Named;
use crate::{output, setup};

pub(crate) fn run(diff: &Diff, global: &Global) -> anyhow::Result<Exit> {
    let (older, newer) = (Named::parse(&diff.older)?, Named::parse(&diff.newer)?);
    let here = std::env::current_dir()?;
    let (policy, _) = setup::policy(diff.judging.policy.as_deref(), None)?;
    let engine = setup::engine(&here, global, &diff.judging, &diff.limits)?.deciding_by(policy);
    let mut outcome = engine.diff(older.target(&engine)?, newer.target(&engine)?, diff.facts);
    outcome.newer.facts = outcome.newer.facts.filter(|_| diff.facts);
    let fail_on = diff.judging.fail_on.unwrap_or_default();
    let rules = output::rules();
    output::write(|out| match global.format {
        Format::Human => {
            cratekeeper_report::human::diff(&output::view(global, fail_on, &rules), &outcome, out)
        }
        Format::Json | Format::Vex | Format::Graph(_) => {
            cratekeeper_report::json::diff(output::TOOL, &outcome, out)
        }
        Format::Sarif => {
            let producer = Producer { tool: output::TOOL, rules: &rules, base: None };
            cratekeeper_report::sarif::inspect(&producer, &outcome.newer, out)
        }
    })?;
    let unchecked = if diff.judging.allow_unchecked { Unchecked::Allow } else { Unchecked::Fail };
    let advisories = advisories_for(&engine, std::iter::once(&outcome.newer.outcome.package));
    report_missing_advisories(&advisories, unchecked);
    // What could not be compared was not checked, even where both sides have findings of their own.
    let is_incomplete = matches!(outcome.difference, Known::Unknown(_))
        || outcome.older.status == PackageStatus::CouldNotCheck;
    if is_incomplete && unchecked == Unchecked::Fail {
        return Ok(Exit::CouldNotCheck);
    }
    let outcomes = std::slice::from_ref(&outcome.newer.outcome);
    Ok(exit::of(outcomes, &[], Manifests::Read, &advisories, fail_on, unchecked))
}
