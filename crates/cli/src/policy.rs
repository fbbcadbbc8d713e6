//! `cratekeeper policy`: which line decided, and why.

use std::path::Path;

use cratekeeper_engine::Requested;
use cratekeeper_model::{Outcome, Package, PackageStatus, Verdict};
use cratekeeper_policy::Policy;
use cratekeeper_registry::Lockfile;

use crate::arguments::{FailOn, Format, Global, PolicyArguments, PolicyCommand, PolicyExplain};
use crate::check::{self, Input};
use crate::error::Hinted;
use crate::exit::{self, Exit, Manifests, Unchecked};
use crate::{output, progress, setup};

pub(crate) fn run(arguments: &PolicyArguments, global: &Global) -> anyhow::Result<Exit> {
    match &arguments.command {
        PolicyCommand::Explain(explain) => self::explain(explain, global),
        PolicyCommand::Check { file } => check_file(file),
        PolicyCommand::Show => {
            output::write(|out| out.write_all(Policy::built_in_text().as_bytes()))?;
            Ok(Exit::Clean)
        }
    }
}

fn check_file(file: &Path) -> anyhow::Result<Exit> {
    let policy = setup::read_policy(file)?;
    let (clauses, waivers) = (policy.clauses().len(), policy.waivers().len());
    output::write(|out| {
        writeln!(out, "{}: {clauses} clauses, {waivers} waivers, no mistakes", file.display())
    })?;
    Ok(Exit::Clean)
}

fn explain(explain: &PolicyExplain, global: &Global) -> anyhow::Result<Exit> {
    let input = Input::find(explain.manifest_path.as_deref(), explain.lockfile.as_deref())?;
    let lockfile = Lockfile::read(&input.lockfile).map_err(check::hinted)?;
    let (policy, name) = setup::policy(explain.judging.policy.as_deref(), input.lockfile.parent())?;
    let engine = setup::engine(&input.configuration, global, &explain.judging, &explain.limits)?;
    let engine = engine.deciding_by(policy).knowing(&lockfile);
    let wanted = |package: &Package| {
        explain.packages.is_empty() || explain.packages.iter().any(|it| names(it, package))
    };
    let requested: Vec<Requested> = lockfile
        .packages
        .into_iter()
        .filter(|locked| wanted(&locked.package))
        .map(|locked| Requested { package: locked.package, lockfile_line: Some(locked.line) })
        .collect();
    if let Some(missing) =
        explain.packages.iter().find(|text| !requested.iter().any(|it| names(text, &it.package)))
    {
        let message = format!("failed to find `{missing}` in `{}`", input.lockfile.display());
        return Err(
            Hinted::message(message, "give a name or a version of the lockfile: `serde@1.0.219`").into()
        );
    }
    let outcomes = engine.check(requested, &*progress::watched(global.quiet));
    let is_told = |it: &&Outcome| {
        let answer = it.policy.as_ref();
        !explain.packages.is_empty()
            || it.status == PackageStatus::CouldNotCheck
            || answer.is_some_and(|it| it.verdict > Verdict::Allow || it.has_waivers())
    };
    let told: Vec<&Outcome> = outcomes.iter().filter(is_told).collect();
    output::write(|out| match global.format {
        Format::Human => {
            let detail = output::detail(global);
            cratekeeper_report::human::policy(output::terminal(), detail, &name, &told, out)
        }
        _ => cratekeeper_report::json::policy(output::TOOL, &name, &told, out),
    })?;
    for sentence in check::stale_waivers(&engine, &outcomes, &name) {
        output::to_stderr(&format!("note: {}\n", cratekeeper_report::sanitize(&sentence)));
    }
    // Verdicts change no exit codes; a verdict without a look would.
    let unchecked = if explain.judging.allow_unchecked { Unchecked::Allow } else { Unchecked::Fail };
    let advisories = check::advisories_for(&engine, outcomes.iter().map(|it| &it.package));
    check::report_missing_advisories(&advisories, unchecked);
    let never = FailOn { severity: None, level: None };
    Ok(exit::of(&outcomes, &[], Manifests::Read, &advisories, never, unchecked))
}

/// Whether `name` or `name@version` means this package.
fn names(text: &str, package: &Package) -> bool {
    match text.split_once('@') {
        Some((name, version)) => name == package.name && version == package.version.to_string(),
        None => text == package.name,
    }
}
