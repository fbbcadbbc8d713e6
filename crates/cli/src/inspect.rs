//! `cratekeeper inspect`: one crate.

use std::path::{Path, PathBuf};

use cratekeeper_engine::{Engine, InspectTarget};
use cratekeeper_model::{Package, PackageId};
use cratekeeper_report::sarif::Producer;

use crate::arguments::{Format, Global, Inspect};
use crate::check::{advisories_for, report_missing_advisories};
use crate::error::Hinted;
use crate::exit::{self, Exit, Manifests, Unchecked};
use crate::{output, setup};

pub(crate) fn run(inspect: &Inspect, global: &Global) -> anyhow::Result<Exit> {
    let named = Named::parse(&inspect.target)?;
    let here = std::env::current_dir()?;
    let (policy, _) = setup::policy(inspect.judging.policy.as_deref(), None)?;
    let engine = setup::engine(&here, global, &inspect.judging, &inspect.limits)?.deciding_by(policy);
    let mut outcome = engine.inspect(named.target(&engine)?, inspect.facts);
    // People see a summary of the facts in any case; documents hold them when asked.
    outcome.facts = outcome.facts.filter(|_| inspect.facts || global.format == Format::Human);
    let fail_on = inspect.judging.fail_on.unwrap_or_default();
    let rules = output::rules();
    output::write(|out| match global.format {
        Format::Human => {
            cratekeeper_report::human::inspect(&output::view(global, fail_on, &rules), &outcome, out)
        }
        Format::Json | Format::Vex | Format::Graph(_) => {
            cratekeeper_report::json::inspect(output::TOOL, &outcome, out)
        }
        Format::Sarif => {
            let producer = Producer { tool: output::TOOL, rules: &rules, base: None };
            cratekeeper_report::sarif::inspect(&producer, &outcome, out)
        }
    })?;
    let unchecked = if inspect.judging.allow_unchecked { Unchecked::Allow } else { Unchecked::Fail };
    let advisories = advisories_for(&engine, std::iter::once(&outcome.outcome.package));
    report_missing_advisories(&advisories, unchecked);
    let outcomes = std::slice::from_ref(&outcome.outcome);
    Ok(exit::of(outcomes, &[], Manifests::Read, &advisories, fail_on, unchecked))
}

/// What the argument names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Archive(PathBuf),
    Directory(PathBuf),
    Version(String, semver::Version),
}

impl Named {
    /// A directory and a file are tried before a name.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Named> {
        let path = Path::new(text);
        // Absolute, and without symbolic links: a worker has another working directory.
        if path.is_dir() {
            return Ok(Named::Directory(std::fs::canonicalize(path)?));
        }
        if path.is_file() {
            return Ok(Named::Archive(std::fs::canonicalize(path)?));
        }
        let looks_like_path = text.contains(['/', '\\']) || text.ends_with(".crate");
        let Some((name, version)) = text.split_once('@').filter(|_| !looks_like_path) else {
            let message = format!("failed to inspect `{text}`: there is no such file or directory");
            let hint = "give a `.crate` file, a directory, or a version such as `serde@1.0.219`";
            return Err(Hinted::message(message, hint).into());
        };
        let version = version.parse().map_err(|error| {
            let message = format!("failed to read `{version}` as a version: {error}");
            Hinted::message(message, "give a full version, such as `serde@1.0.219`")
        })?;
        Ok(Named::Version(name.to_owned(), version))
    }

    pub(crate) fn target(self, engine: &Engine) -> anyhow::Result<InspectTarget> {
        let (name, version) = match self {
            Named::Archive(path) => return Ok(InspectTarget::Archive(path)),
            Named::Directory(path) => return Ok(InspectTarget::Directory(path)),
            Named::Version(name, version) => (name, version),
        };
        let source = engine.default_registry().map_err(|error| {
            let hint = error.hint();
            Hinted::new(error, hint)
        })?;
        Ok(InspectTarget::Package(Box::new(Package {
            id: PackageId::new(&source, &name, &version),
            name,
            version,
            checksum: None,
            source,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        })))
    }
}
