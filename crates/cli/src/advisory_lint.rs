//! `cratekeeper advisories lint`: do the functions that advisories name exist?

use std::collections::BTreeMap;
use std::path::PathBuf;

use cratekeeper_advisories::Database;
use cratekeeper_engine::advisory_lint::{CrateSource, Fault, Remark, lint};
use cratekeeper_engine::{Engine, WorkerLimits};
use cratekeeper_model::graph::CallGraph;
use cratekeeper_report::{LintRemark, LintReport};
use semver::Version;

use crate::arguments::{AnalysisLimits, Format, Global};
use crate::exit::Exit;
use crate::{output, setup};

pub(crate) fn run(database: &Database, global: &Global) -> anyhow::Result<Exit> {
    let mut source = CargoCache::list(global)?;
    let linted = lint(database.iter(), &mut source);
    let report = LintReport {
        advisories: linted.advisories,
        compared: linted.compared,
        remarks: linted.remarks.iter().map(remark).collect(),
    };
    output::write(|out| match global.format {
        Format::Human => cratekeeper_report::lint(&report, out),
        Format::Json | Format::Sarif | Format::Vex | Format::Graph(_) => {
            cratekeeper_report::lint_json(output::TOOL, &report, out)
        }
    })?;
    // What is seen in advisories alone says little about those whose crates are not here.
    Ok(if !linted.remarks.is_empty() {
        Exit::Findings
    } else if linted.compared == 0 && linted.advisories > 0 {
        Exit::CouldNotCheck
    } else {
        Exit::Clean
    })
}

fn remark(remark: &Remark) -> LintRemark<'_> {
    let (fault, message) = match &remark.fault {
        Fault::NotAPath => ("not_a_path", "is no path".to_owned()),
        Fault::Generics => {
            ("generics", "has generic arguments, which paths of functions do not have".to_owned())
        }
        Fault::WrongCrate { expected } => {
            ("wrong_crate", format!("does not begin with the crate's name, `{expected}`"))
        }
        Fault::NotFound { version, nearest: Some(nearest) } => {
            ("not_found", format!("was not found in {version}; there is `{nearest}`"))
        }
        Fault::NotFound { version, nearest: None } => ("not_found", format!("was not found in {version}")),
        Fault::NotAFunction { what } => ("not_a_function", format!("is {what} and no function")),
        Fault::Ambiguous { functions } => ("ambiguous", format!("may mean any of {functions} functions")),
        Fault::RangeTooWide { version } => {
            ("range_too_wide", format!("has a range with {version}, which is patched or was never affected"))
        }
        Fault::RangeTooNarrow { version } => (
            "range_too_narrow",
            format!("has no range with {version}, which is affected, and no other function has"),
        ),
    };
    let hint = hint(&remark.fault);
    LintRemark {
        advisory: &remark.advisory,
        package: &remark.package,
        path: &remark.path,
        fault,
        message,
        hint,
    }
}

/// What to change.
fn hint(fault: &Fault) -> String {
    match fault {
        Fault::NotAPath => "write the path of a function: `crate_name::module::function`".to_owned(),
        Fault::Generics => "leave out what stands in `<…>`".to_owned(),
        Fault::WrongCrate { expected } => format!("begin it with `{expected}::`, as code that calls it does"),
        Fault::NotFound { nearest: Some(nearest), .. } => {
            format!("write `{nearest}` if that is meant, or the path under which it is defined")
        }
        Fault::NotFound { version, nearest: None } => {
            format!("look it up in the source of {version}, and write the path under which it is defined")
        }
        Fault::NotAFunction { .. } => "name the functions that are affected, each by itself".to_owned(),
        Fault::Ambiguous { .. } => "write the whole path, with all modules and the type".to_owned(),
        Fault::RangeTooWide { version } => {
            format!("end the range before {version}; alternatives are joined by `,`")
        }
        Fault::RangeTooNarrow { version } => {
            format!("widen the range of a function to {version}, or name the function that is affected there")
        }
    }
}

/// The `.crate` files in cargo's home.
struct CargoCache {
    archives: BTreeMap<String, Vec<(Version, PathBuf)>>,
    /// Has them read.
    engine: Engine,
}

impl CargoCache {
    fn list(global: &Global) -> anyhow::Result<CargoCache> {
        let mut versions: BTreeMap<String, Vec<(Version, PathBuf)>> = BTreeMap::new();
        let registries = std::fs::read_dir(setup::environment()?.home().join("registry").join("cache"));
        for registry in registries.into_iter().flatten().flatten() {
            for file in std::fs::read_dir(registry.path()).into_iter().flatten().flatten() {
                let Ok(name) = file.file_name().into_string() else { continue };
                if let Some((name, version)) = name.strip_suffix(".crate").and_then(split) {
                    versions.entry(name.to_owned()).or_default().push((version, file.path()));
                }
            }
        }
        let limits = WorkerLimits::default();
        let limits = AnalysisLimits {
            package_timeout: limits.deadline,
            package_memory: limits.memory >> 20,
            no_cache: false,
        };
        let engine = setup::engine_without_advisories(&std::env::current_dir()?, global, &limits)?;
        Ok(CargoCache { archives: versions, engine })
    }
}

/// `NAME-VERSION`: names may have `-` and digits, so the first cut that leaves a version counts.
fn split(stem: &str) -> Option<(&str, Version)> {
    stem.match_indices('-').find_map(|(at, _)| Some((&stem[..at], stem[at + 1..].parse().ok()?)))
}

impl CrateSource for CargoCache {
    fn versions(&mut self, name: &str) -> Vec<Version> {
        self.archives.get(name).into_iter().flatten().map(|(version, _)| version.clone()).collect()
    }

    fn call_graph(&mut self, name: &str, version: &Version) -> Option<CallGraph> {
        let (_, path) = self.archives.get(name)?.iter().find(|(it, _)| it == version)?;
        self.engine.graph_of_archive(path)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn names_may_have_hyphens_and_digits() {
        for (stem, name, version) in [
            ("serde-1.0.219", "serde", "1.0.219"),
            ("ra-ap-2-0.1.0-rc.1", "ra-ap-2", "0.1.0-rc.1"),
            ("a-1.0.0+b-2.0.0", "a", "1.0.0+b-2.0.0"),
        ] {
            assert_eq!(split(stem), Some((name, version.parse().unwrap())));
        }
        assert_eq!(split("nothing"), None);
    }
}
