//! `cratekeeper evaluate`: how right detection is.
//!
//! Advisories are left out on purpose: they name known malware by its name, and would hide what the other rules see of it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cratekeeper_engine::{Engine, InspectTarget, NoProgress, Requested, Timeline};
use cratekeeper_evaluation::{Judge, JudgedIncident, JudgedVersion, Suite, measure};
use cratekeeper_model::{Outcome, PackageStatus};
use cratekeeper_registry::Lockfile;
use cratekeeper_rules::Family;

use crate::arguments::{Evaluate, Format, Global};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::{output, progress, setup};

pub(crate) fn run(evaluate: &Evaluate, global: &Global) -> anyhow::Result<Exit> {
    let (suite, benign) = read(evaluate)?;
    let here = std::env::current_dir()?;
    let engine = |families: &[Family]| -> anyhow::Result<Engine> {
        let engine = setup::engine_without_advisories(&here, global, &evaluate.limits)?.without(families);
        Ok(engine.knowing(&benign.lockfile))
    };
    let things = suite.fixtures.len()
        + suite.incidents.len()
        + suite.harmless.len()
        + benign.archives.len()
        + benign.lockfile.packages.len();
    let families: &[Family] = if evaluate.ablation { &Family::ALL } else { &[] };
    let bar = progress::counted(global.quiet, "Judging", things * (1 + families.len()));
    let step = |name: &str| {
        bar.set_message(name.to_owned());
        bar.inc(1);
    };
    let judged = |families: &[Family]| {
        let judge = EngineJudge { engine: engine(families)?, benign: &benign };
        measure(&suite, &judge, &step).context("failed to lay out the fixtures")
    };
    let mut evaluation = judged(&[])?;
    // Without advisories there is nothing to switch off in them.
    for family in families.iter().filter(|it| **it != Family::Advisories) {
        evaluation.without.push((family.as_str().to_owned(), judged(&[*family])?.totals));
    }
    bar.finish_and_clear();
    output::write(|out| match global.format {
        Format::Human => {
            cratekeeper_report::human::detection(output::terminal(), output::detail(global), &evaluation, out)
        }
        _ => cratekeeper_report::json::detection(output::TOOL, &evaluation, out),
    })?;
    Ok(Exit::Clean)
}

/// Real crates that are taken to be harmless.
struct Benign {
    archives: Vec<PathBuf>,
    lockfile: Lockfile,
}

fn read(evaluate: &Evaluate) -> anyhow::Result<(Suite, Benign)> {
    let mut suite = Suite::default();
    if let Some(directory) = &evaluate.fixtures {
        suite.add_fixtures(directory)?;
    }
    if let Some(directory) = &evaluate.incidents {
        suite.add_incidents(&std::path::absolute(directory)?)?;
    }
    let mut benign = Benign { archives: Vec::new(), lockfile: Lockfile { format: 4, packages: Vec::new() } };
    for directory in &evaluate.benign {
        benign.archives.extend(archives(directory)?);
    }
    if let Some(path) = &evaluate.lockfile {
        let path = path.clone().unwrap_or_else(|| PathBuf::from("Cargo.lock"));
        let lockfile = Lockfile::read(&path).map_err(|error| {
            let hint = error.hint();
            Hinted::new(error, hint)
        })?;
        benign.lockfile = lockfile;
    }
    let nothing = suite.fixtures.is_empty() && suite.incidents.is_empty() && suite.harmless.is_empty();
    if nothing && benign.archives.is_empty() && benign.lockfile.packages.is_empty() {
        let message = "failed to evaluate: there is nothing to measure".to_owned();
        let hint = "give --fixtures, --incidents, --benign or --lockfile";
        return Err(Hinted::message(message, hint).into());
    }
    Ok((suite, benign))
}

fn archives(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failed = || format!("failed to read `{}`", directory.display());
    let mut archives = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        if path.extension().is_some_and(|it| it == "crate") {
            archives.push(std::path::absolute(path)?);
        }
    }
    archives.sort();
    Ok(archives)
}

struct EngineJudge<'b> {
    engine: Engine,
    benign: &'b Benign,
}

impl Judge for EngineJudge<'_> {
    fn archive(&self, path: &Path) -> JudgedVersion {
        judged(self.engine.inspect(InspectTarget::Archive(path.to_owned()), false).outcome)
    }

    fn timeline(&self, directory: &Path) -> Result<JudgedIncident, String> {
        let timeline = Timeline::read(directory).map_err(|error| error.to_string())?;
        let replayed = self.engine.replay(&timeline).map_err(|error| error.to_string())?;
        let problem = replayed.problems.first().cloned();
        let versions = replayed.versions.iter().map(|it| JudgedVersion {
            name: it.name.clone(),
            version: it.version.clone(),
            malicious: it.malicious,
            case: it.case.clone(),
            unchecked: problem.clone(),
        });
        Ok(JudgedIncident {
            id: replayed.id.clone(),
            caught: replayed.is_caught(),
            exposed: replayed.exposed.len(),
            versions: versions.collect(),
        })
    }

    fn benign(&self, step: &(dyn Fn(&str) + Sync)) -> Vec<JudgedVersion> {
        let archives = self.benign.archives.iter().map(|path| self.archive(path));
        let requested = self.benign.lockfile.packages.iter();
        let requested =
            requested.map(|it| Requested { package: it.package.clone(), lockfile_line: Some(it.line) });
        let checked = self.engine.check(requested.collect(), &NoProgress);
        // The user's own packages are not looked at.
        let checked = checked.into_iter().filter(|it| it.status != PackageStatus::Local).map(judged);
        let judged: Vec<JudgedVersion> = archives.chain(checked).collect();
        judged.iter().for_each(|it| step(&it.name));
        judged
    }
}

fn judged(outcome: Outcome) -> JudgedVersion {
    let unchecked = (outcome.status != PackageStatus::Checked)
        .then(|| outcome.reason.unwrap_or_else(|| "no reason given".to_owned()));
    JudgedVersion {
        name: outcome.package.name,
        version: outcome.package.version.to_string(),
        malicious: false,
        case: outcome.case,
        unchecked,
    }
}
