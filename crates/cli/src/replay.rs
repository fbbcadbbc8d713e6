//! `cratekeeper replay`: what would have happened.

use cratekeeper_engine::{Timeline, TimelineError};
use cratekeeper_model::Replay;

use crate::arguments::{Format, Global, ReplayArguments};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::{output, setup};

pub(crate) fn run(arguments: &ReplayArguments, global: &Global) -> anyhow::Result<Exit> {
    if global.format == Format::Sarif {
        let message = "failed to choose a format: a replay has no places in a source tree to show as SARIF";
        return Err(Hinted::message(message.to_owned(), "use --format json").into());
    }
    let (policy, name) = setup::policy(arguments.policy.as_deref(), None)?;
    let here = std::env::current_dir()?;
    let engine = setup::engine_without_advisories(&here, global, &arguments.limits)?.deciding_by(policy);
    // All are read first: a mistake in the last one should not cost the time of the others.
    let timelines: Vec<Timeline> =
        arguments.timelines.iter().map(|it| Timeline::read(it)).collect::<Result<_, _>>().map_err(hinted)?;
    let mut replayed = Replay { incidents: Vec::new(), policy: name };
    for timeline in &timelines {
        replayed.incidents.push(engine.replay(timeline)?);
    }
    output::write(|out| match global.format {
        Format::Human => {
            cratekeeper_report::human::replay(output::terminal(), output::detail(global), &replayed, out)
        }
        _ => cratekeeper_report::json::replay(output::TOOL, &replayed, out),
    })?;
    let is_incomplete = replayed.incidents.iter().any(|it| !it.problems.is_empty());
    let is_missed = replayed.incidents.iter().any(|it| !it.is_caught());
    Ok(match (is_incomplete, is_missed) {
        (true, _) => Exit::CouldNotCheck,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

fn hinted(error: TimelineError) -> Hinted {
    let hint = error.hint();
    Hinted::new(error, hint)
}
