//! `cratekeeper check`: every package of a lockfile.

use std::path::{Path, PathBuf};

use cratekeeper_engine::{Engine, PreviousVersions, Requested};
use cratekeeper_model::{AdvisoryDatabase, CheckOutcome, Known, Outcome, Package, UnresolvedDependency};
use cratekeeper_registry::{CargoConfig, Lockfile, LockfileError, WorkspaceMetadata};
use cratekeeper_report::sarif::Producer;
use cratekeeper_report::vex::Issuer;

use crate::arguments::{Check, Format, Global};
use crate::error::Hinted;
use crate::exit::{self, Exit, Manifests, Unchecked};
use crate::{output, progress, reachability, setup};

pub(crate) fn run(check: &Check, global: &Global) -> anyhow::Result<Exit> {
    let input = Input::find(check.manifest_path.as_deref(), check.lockfile.as_deref())?;
    let mut lockfile = Lockfile::read(&input.lockfile).map_err(hinted)?;
    let mut notes = Vec::new();
    let engine = setup::engine(&input.configuration, global, &check.judging, &check.limits)?;
    let engine = if check.fetch_previous { engine.comparing_with(PreviousVersions::Fetched) } else { engine };
    let beside = input.lockfile.parent();
    let (policy, policy_name) = setup::policy(check.judging.policy.as_deref(), beside)?;
    let engine = engine.deciding_by(policy).knowing(&lockfile);
    let (unresolved, unread_manifests) = if input.is_own_workspace {
        notes.extend(annotate(&mut lockfile, &input, global)?);
        let (unresolved, problems) = unresolved(&lockfile, &input);
        notes.extend(problems.iter().cloned());
        (Known::Known(unresolved), problems)
    } else {
        notes.push(
            "a bare lockfile does not say why packages are there: features and kinds are not known, nor whether it lacks \
             dependencies"
                .to_owned(),
        );
        (Known::Unknown("a bare lockfile has no manifests".to_owned()), Vec::new())
    };
    let whole = lockfile.clone();
    let requested = lockfile
        .packages
        .into_iter()
        .map(|locked| Requested { package: locked.package, lockfile_line: Some(locked.line) })
        .collect();
    let mut packages = engine.check(requested, &*progress::watched(global.quiet));
    notes.extend(stale_waivers(&engine, &packages, &policy_name));
    if reachability::is_wanted(check, global) {
        let local = input.is_own_workspace.then_some(input.root.as_path());
        notes.extend(reachability::add(&engine, &mut packages, &whole, local, check, global));
    }
    let outcome = CheckOutcome {
        lockfile: input.lockfile.display().to_string(),
        packages,
        advisories: engine.advisory_database(),
        notes,
        unresolved,
        unread_manifests,
    };
    let fail_on = check.judging.fail_on.unwrap_or_default();
    let rules = output::rules();
    let base = input.root.to_str();
    output::write(|out| match global.format {
        Format::Human => {
            cratekeeper_report::human::check(&output::view(global, fail_on, &rules), &outcome, out)
        }
        Format::Json | Format::Graph(_) => cratekeeper_report::json::check(output::TOOL, &outcome, out),
        Format::Sarif => {
            let producer = Producer { tool: output::TOOL, rules: &rules, base };
            cratekeeper_report::sarif::check(&producer, &outcome, out)
        }
        Format::Vex => {
            let timestamp = reachability::timestamp();
            let issuer = Issuer { tool: output::TOOL, author: &check.vex_author, timestamp: &timestamp };
            cratekeeper_report::vex::check(&issuer, &outcome, out)
        }
    })?;
    let unchecked = if check.judging.allow_unchecked { Unchecked::Allow } else { Unchecked::Fail };
    let advisories = advisories_for(&engine, outcome.packages.iter().map(|it| &it.package));
    report_missing_advisories(&advisories, unchecked);
    report_unresolved(&outcome, unchecked);
    let unresolved = outcome.unresolved_dependencies();
    let manifests = if outcome.unread_manifests.is_empty() { Manifests::Read } else { Manifests::NotAllRead };
    Ok(exit::of(&outcome.packages, unresolved, manifests, &advisories, fail_on, unchecked))
}

/// Waivers that have expired or that nothing needs any more, one sentence each.
pub(crate) fn stale_waivers(engine: &Engine, packages: &[Outcome], policy: &str) -> Vec<String> {
    let answers = packages.iter().filter_map(|it| Some((&it.package, it.policy.as_ref()?)));
    let in_use = engine.policy();
    let stale = in_use.stale_waivers(engine.now(), answers);
    stale.into_iter().map(|it| format!("{policy}: {it}")).collect()
}

/// The advisory database as far as it holds for these packages: unknown when a file that may be about one of them cannot be
/// read. Others are worth a warning.
pub(crate) fn advisories_for<'p>(
    engine: &Engine,
    packages: impl Iterator<Item = &'p Package>,
) -> Known<AdvisoryDatabase> {
    let known = engine.advisory_database();
    let names = packages.map(|it| it.name.as_str()).collect();
    let (concerning, all) = engine.unreadable_advisories(&names);
    if let Some(warning) = unreadable(all) {
        output::to_stderr(&format!("warning: {warning}\n"));
    }
    match (known, concerning.first()) {
        (Known::Known(_), Some(first)) => {
            let more = match concerning.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            Known::Unknown(format!(
                "an advisory that may be about what was checked cannot be read: {first}{more}"
            ))
        }
        (known, _) => known,
    }
}

fn unreadable(number: usize) -> Option<String> {
    let what = match number {
        0 => return None,
        1 => "1 advisory cannot be read".to_owned(),
        number => format!("{number} advisories cannot be read"),
    };
    Some(format!("{what}; `cratekeeper advisories status` names each with the reason"))
}

/// Says on standard error why the run failed although the answer was printed.
pub(crate) fn report_missing_advisories<T>(advisories: &Known<T>, unchecked: Unchecked) {
    if let (Known::Unknown(reason), Unchecked::Fail) = (advisories, unchecked) {
        let error = Hinted::message(
            format!("failed to look for advisories: {reason}"),
            "run `cratekeeper advisories update`, name a database with --advisory-db, or pass --allow-unchecked",
        );
        crate::error::print(&error.into());
    }
}

/// Says on standard error why the run failed although the answer was printed.
fn report_unresolved(outcome: &CheckOutcome, unchecked: Unchecked) {
    if unchecked == Unchecked::Allow {
        return;
    }
    if !outcome.unread_manifests.is_empty() {
        let error = Hinted::message(
            format!("failed to compare every manifest with `{}`", outcome.lockfile),
            "correct those that cannot be read, as the notes say, or pass --allow-unchecked",
        );
        crate::error::print(&error.into());
    }
    let number = outcome.unresolved_dependencies().len();
    if number == 0 {
        return;
    }
    let what = if number == 1 { "1 dependency".to_owned() } else { format!("{number} dependencies") };
    let error = Hinted::message(
        format!("failed to check {what}: `{}` has no entry for what the manifests name", outcome.lockfile),
        "correct names that are mistyped; for the others run `cargo update --workspace`, or pass --allow-unchecked",
    );
    crate::error::print(&error.into());
}

/// Dependencies that the manifests name and the lockfile lacks, and why some manifests could not be compared. Cargo is not
/// asked: it refuses to answer exactly then.
fn unresolved(lockfile: &Lockfile, input: &Input) -> (Vec<UnresolvedDependency>, Vec<String>) {
    let shown_root = input.lockfile.parent().unwrap_or(Path::new(""));
    let (unresolved, problems) =
        cratekeeper_engine::unresolved_dependencies(&input.root, shown_root, lockfile);
    let sentence = |problem| format!("not every dependency was compared with the lockfile: {problem}");
    (unresolved, problems.into_iter().map(sentence).collect())
}

/// Adds what cargo knows about the user's own workspace; the reason when it cannot be asked.
fn annotate(lockfile: &mut Lockfile, input: &Input, global: &Global) -> anyhow::Result<Option<String>> {
    let environment = setup::environment()?;
    let config = CargoConfig::load(&input.configuration, &environment).map_err(|error| {
        let hint = error.hint();
        Hinted::new(error, hint)
    })?;
    let network = setup::network(global, &config);
    match WorkspaceMetadata::load(&input.root, &config, network) {
        Ok(metadata) => {
            metadata.annotate(lockfile);
            let limited = |platform| {
                format!("kinds and features are only known for {platform}: run `cargo fetch --locked`")
            };
            Ok(metadata.only_platform().map(limited))
        }
        Err(error) => {
            let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            Ok(Some(format!("features and kinds are not known: {error}{hint}")))
        }
    }
}

/// What to check.
pub(crate) struct Input {
    pub(crate) lockfile: PathBuf,
    /// Directory of the workspace.
    pub(crate) root: PathBuf,
    /// Directory from which cargo's configuration is looked for.
    pub(crate) configuration: PathBuf,
    /// Whether cargo may be asked about it: only for the workspace that the user works in, never for a lone lockfile.
    pub(crate) is_own_workspace: bool,
}

impl Input {
    pub(crate) fn find(manifest: Option<&Path>, lockfile: Option<&Path>) -> anyhow::Result<Input> {
        let here = std::env::current_dir()?;
        if let Some(lockfile) = lockfile {
            let root = lockfile.parent().unwrap_or(Path::new("")).to_owned();
            // Configuration beside a foreign lockfile is not ours to follow; that of the user's place is.
            return Ok(Input {
                lockfile: lockfile.to_owned(),
                root,
                configuration: here,
                is_own_workspace: false,
            });
        }
        let start = match manifest {
            Some(manifest) => manifest_directory(manifest)?,
            None => nearest(&here, "Cargo.toml").ok_or_else(|| {
                let message = format!(
                    "failed to find a workspace: no `Cargo.toml` in `{}` or above it",
                    here.display()
                );
                Hinted::message(
                    message,
                    "change to a cargo workspace, or name one with --manifest-path or --lockfile",
                )
            })?,
        };
        Input::of_workspace(&start)
    }

    /// The workspace around a directory that has a manifest.
    pub(crate) fn of_workspace(start: &Path) -> anyhow::Result<Input> {
        let here = std::env::current_dir()?;
        let root = nearest(start, "Cargo.lock").ok_or_else(|| {
            let message =
                format!("failed to find a lockfile: no `Cargo.lock` in `{}` or above it", start.display());
            Hinted::message(message, "run `cargo generate-lockfile`, or name a lockfile with --lockfile")
        })?;
        let lockfile = root.join("Cargo.lock");
        let lockfile = lockfile.strip_prefix(&here).map(Path::to_owned).unwrap_or(lockfile);
        Ok(Input { lockfile, configuration: root.clone(), root, is_own_workspace: true })
    }
}

fn manifest_directory(manifest: &Path) -> anyhow::Result<PathBuf> {
    if !manifest.is_file() {
        let message = format!("failed to read `{}`: there is no such file", manifest.display());
        return Err(Hinted::message(message, "name a `Cargo.toml` with --manifest-path").into());
    }
    let manifest = std::path::absolute(manifest)?;
    Ok(manifest.parent().unwrap_or(Path::new("/")).to_owned())
}

/// The nearest directory, from `start` upwards, that has a file of this name.
pub(crate) fn nearest(start: &Path, name: &str) -> Option<PathBuf> {
    start.ancestors().find(|directory| directory.join(name).is_file()).map(Path::to_owned)
}

pub(crate) fn hinted(error: LockfileError) -> Hinted {
    let hint = error.hint();
    Hinted::new(error, hint)
}
