//! What `check` needs to say whether advisories are reached.

use std::path::Path;

use cratekeeper_engine::resolution::{ResolutionOptions, Resolver};
use cratekeeper_engine::{Engine, LocalManifests};
use cratekeeper_model::Outcome;
use cratekeeper_registry::Lockfile;

use crate::arguments::{Check, Format, Global, Switch};
use crate::{progress, setup};

/// A VEX document without it would say nothing; otherwise it costs more than all the rest, and has to be asked for.
pub(crate) fn is_wanted(check: &Check, global: &Global) -> bool {
    match check.reachability {
        Some(switch) => switch == Switch::On,
        None => global.format == Format::Vex,
    }
}

/// Adds the answers, and returns notes. `root` is the workspace's directory; a bare lockfile has none.
pub(crate) fn add(
    engine: &Engine,
    outcomes: &mut [Outcome],
    lockfile: &Lockfile,
    root: Option<&Path>,
    check: &Check,
    global: &Global,
) -> Vec<String> {
    let nothing =
        || LocalManifests { packages: Vec::new(), resolver: Resolver::Separate, problems: Vec::new() };
    let local = root.map_or_else(nothing, LocalManifests::read);
    let options = ResolutionOptions {
        dev_dependencies: check.include_tests,
        ..setup::resolution_options(&check.features, &local)
    };
    engine.add_reachability(outcomes, lockfile, &local, &options, &*progress::watched(global.quiet))
}

/// Now, as documents write it; `SOURCE_DATE_EPOCH`, in seconds since 1970, makes documents reproducible.
pub(crate) fn timestamp() -> String {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|it| it.parse().ok());
    let given = epoch.and_then(|it| jiff::Timestamp::from_second(it).ok());
    let now = given.unwrap_or_else(jiff::Timestamp::now);
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
