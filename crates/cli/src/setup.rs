//! Puts an engine together from options, environment and directories.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use cratekeeper_advisories::Database;
use cratekeeper_engine::resolution::{FeatureSelection, Platform, ResolutionOptions};
use cratekeeper_engine::{Engine, FactsCache, LocalManifests, Setup, WorkerLimits, WorkerPool};
use cratekeeper_model::Known;
use cratekeeper_policy::{Policy, PolicyProblem};
use cratekeeper_registry::{CargoConfig, CargoEnvironment, FinderOptions, Network, PackageFinder};
use etcetera::BaseStrategy as _;

use crate::arguments::{AnalysisLimits, Features, Global, Judging};
use crate::error::Hinted;

/// An engine that takes cargo's configuration from `directory` upwards.
pub(crate) fn engine(
    directory: &Path,
    global: &Global,
    judging: &Judging,
    limits: &AnalysisLimits,
) -> anyhow::Result<Engine> {
    let advisories = advisories(judging, &environment()?)?;
    with_advisories(directory, global, limits, advisories)
}

/// The same without advisories, for questions that are not about them.
pub(crate) fn engine_without_advisories(
    directory: &Path,
    global: &Global,
    limits: &AnalysisLimits,
) -> anyhow::Result<Engine> {
    let advisories = Known::Unknown("they were not asked for".to_owned());
    with_advisories(directory, global, limits, advisories)
}

/// What a workspace is built for and with, as the arguments say.
pub(crate) fn resolution_options(features: &Features, local: &LocalManifests) -> ResolutionOptions {
    let this = this_platform();
    let target = features.target.as_deref().unwrap_or(&this);
    ResolutionOptions {
        resolver: local.resolver,
        target: Platform::of_triple(target),
        host: Platform::of_triple(&this),
        features: FeatureSelection {
            features: features.features.clone(),
            all: features.all_features,
            default: !features.no_default_features,
        },
        dev_dependencies: true,
    }
}

/// The platform of this program, with the usual environment of its operating system: no compiler is asked.
pub(crate) fn this_platform() -> String {
    let architecture = std::env::consts::ARCH;
    match std::env::consts::OS {
        "macos" => format!("{architecture}-apple-darwin"),
        "windows" => format!("{architecture}-pc-windows-msvc"),
        "linux" => format!("{architecture}-unknown-linux-gnu"),
        other => format!("{architecture}-unknown-{other}"),
    }
}

fn with_advisories(
    directory: &Path,
    global: &Global,
    limits: &AnalysisLimits,
    advisories: Known<Database>,
) -> anyhow::Result<Engine> {
    let environment = environment()?;
    let config = CargoConfig::load(directory, &environment).map_err(|error| {
        let hint = error.hint();
        Hinted::new(error, hint)
    })?;
    let cache = cache_directory()?;
    let network = network(global, &config);
    let finder = PackageFinder::new(config, FinderOptions::new(cache.clone(), network)).map_err(|error| {
        let hint = error.hint();
        Hinted::new(error, hint)
    })?;
    let worker_limits =
        WorkerLimits { deadline: limits.package_timeout, memory: limits.package_memory << 20 };
    let pool =
        WorkerPool::of_this_program(worker_limits).context("failed to find out where this program is")?;
    let facts = (!limits.no_cache).then(|| FactsCache::new(cache.join("facts"), FactsCache::DEFAULT_CAP));
    let policy = Policy::built_in();
    Ok(Engine::new(Setup { jobs: jobs(global), finder, pool, cache: facts, advisories, policy }))
}

/// Name of the policy file beside a lockfile.
const POLICY_FILE: &str = "cratekeeper.toml";

/// How the built-in policy is called.
const BUILT_IN: &str = "built-in policy";

/// The policy that is named, or lies in `directory`, or is built in; and how to call it.
pub(crate) fn policy(named: Option<&Path>, directory: Option<&Path>) -> anyhow::Result<(Policy, String)> {
    let beside = directory.map(|it| it.join(POLICY_FILE)).filter(|it| it.is_file());
    match named.map(Path::to_owned).or(beside) {
        Some(path) => Ok((read_policy(&path)?, path.display().to_string())),
        None => Ok((Policy::built_in(), BUILT_IN.to_owned())),
    }
}

/// Reads a policy; the error shows all of its mistakes.
pub(crate) fn read_policy(path: &Path) -> anyhow::Result<Policy> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read the policy `{}`", path.display()))?;
    Policy::parse(&text).map_err(|problems| {
        let number = problems.0.len();
        let mistakes = if number == 1 { "1 mistake".to_owned() } else { format!("{number} mistakes") };
        let mut message = format!("failed to read the policy `{}`: {mistakes}", path.display());
        for problem in &problems.0 {
            message.push_str(&underlined(path, problem));
        }
        Hinted::message(message, "docs/policy.md has every key and variable").into()
    })
}

/// A mistake with its line underlined.
fn underlined(path: &Path, problem: &PolicyProblem) -> String {
    let PolicyProblem { line, column, message, text } = problem;
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let before = " ".repeat(column.saturating_sub(1));
    format!("\n{}:{line}:{column}: {message}\n  {number} | {text}\n  {margin} | {before}^", path.display())
}

/// Cargo's home and the variables that it reads.
pub(crate) fn environment() -> anyhow::Result<CargoEnvironment> {
    Ok(CargoEnvironment::from_process().map_err(|error| {
        let hint = error.hint();
        Hinted::new(error, hint)
    })?)
}

/// Offline when the user says so, here or to cargo.
pub(crate) fn network(global: &Global, config: &CargoConfig) -> Network {
    if global.offline || config.is_offline() { Network::Offline } else { Network::Online }
}

fn jobs(global: &Global) -> usize {
    let processors = || std::thread::available_parallelism().map_or(2, usize::from);
    global.jobs.map_or_else(processors, usize::from)
}

/// `$CRATEKEEPER_CACHE_DIR`, or the platform's cache directory.
fn cache_directory() -> anyhow::Result<PathBuf> {
    if let Some(directory) = std::env::var_os("CRATEKEEPER_CACHE_DIR").filter(|it| !it.is_empty()) {
        return Ok(std::path::absolute(directory)?);
    }
    Ok(strategy()?.cache_dir().join("cratekeeper"))
}

/// Where `advisories update` keeps the database: in the platform's data directory.
pub(crate) fn own_database() -> anyhow::Result<PathBuf> {
    Ok(strategy()?.data_dir().join("cratekeeper").join("advisory-db"))
}

fn strategy() -> anyhow::Result<impl etcetera::BaseStrategy> {
    etcetera::choose_base_strategy().map_err(|error| {
        Hinted::new(error, Some("set HOME, or CRATEKEEPER_CACHE_DIR and --advisory-db".to_owned())).into()
    })
}

/// The database that the user names; without one, ours, or the one that other tools keep in cargo's home.
pub(crate) fn database_path(
    named: Option<&PathBuf>,
    environment: &CargoEnvironment,
) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.clone());
    }
    let own = own_database()?;
    let shared = environment.home().join("advisory-db");
    Ok(if !own.exists() && shared.join("crates").is_dir() { shared } else { own })
}

/// Opens the database. One that was named has to be there; without the usual one a check is worth less, and says so.
fn advisories(judging: &Judging, environment: &CargoEnvironment) -> anyhow::Result<Known<Database>> {
    let path = database_path(judging.advisory_db.as_ref(), environment)?;
    if judging.advisory_db.is_none() && judging.max_advisory_age.is_none() && !path.exists() {
        return Ok(Known::Unknown(format!("there is no advisory database in `{}`", path.display())));
    }
    let database = open(&path)?;
    if let Some(days) = judging.max_advisory_age {
        refuse_old(&database, days)?;
    }
    Ok(Known::Known(database))
}

/// Opens a database, with a hint when it is none.
pub(crate) fn open(path: &Path) -> anyhow::Result<Database> {
    let (database, problems) = Database::open(path).map_err(|error| {
        let hint = error.hint();
        Hinted::new(error, Some(hint.to_owned()))
    })?;
    for problem in problems {
        tracing::warn!("{problem}");
    }
    Ok(database)
}

fn refuse_old(database: &Database, days: u32) -> anyhow::Result<()> {
    let limit = Duration::from_hours(24 * u64::from(days));
    let hint = "run `cratekeeper advisories update`, or raise --max-advisory-age";
    let root = database.root().display();
    let message = match database.snapshot().age(SystemTime::now()) {
        Some(age) if age <= limit => return Ok(()),
        Some(age) => {
            let age_days = age.as_secs() / (24 * 60 * 60);
            format!(
                "the advisory database `{root}` is {age_days} days old, and --max-advisory-age allows {days}"
            )
        }
        None => format!(
            "the age of the advisory database `{root}` is not known, and --max-advisory-age allows {days} days"
        ),
    };
    Err(Hinted::message(message, hint).into())
}
