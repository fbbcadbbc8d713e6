//! `cratekeeper advisories`: fetch the database, and say how old it is.

use std::time::SystemTime;

use cratekeeper_advisories::{UpdateOutcome, update};

use crate::arguments::{Advisories, AdvisoriesCommand, Format, Global};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::{advisory_lint, output, setup};

pub(crate) fn run(advisories: &Advisories, global: &Global) -> anyhow::Result<Exit> {
    match &advisories.command {
        AdvisoriesCommand::Update { advisory_db, url } => {
            if global.offline {
                let message = "failed to update the advisory database: cratekeeper is offline".to_owned();
                return Err(Hinted::message(message, "run it again without --offline").into());
            }
            let path = match advisory_db {
                Some(path) => path.clone(),
                None => setup::own_database()?,
            };
            if output::is_watched() && !global.quiet {
                output::to_stderr(&format!("fetching advisories into `{}`\n", path.display()));
            }
            let outcome = update(&path, url).map_err(|error| {
                let hint = error.hint().to_owned();
                Hinted::new(error, Some(hint))
            })?;
            tracing::info!("{}", describe(&outcome));
            status(&path, Some(&outcome), global)
        }
        AdvisoriesCommand::Lint { database } => {
            let path = setup::database_path(database.as_ref(), &setup::environment()?)?;
            advisory_lint::run(&setup::open(&path)?, global)
        }
        AdvisoriesCommand::Status { advisory_db } => {
            let path = setup::database_path(advisory_db.as_ref(), &setup::environment()?)?;
            status(&path, None, global)
        }
    }
}

fn describe(outcome: &UpdateOutcome) -> &'static str {
    match outcome {
        UpdateOutcome::Cloned { .. } => "cloned",
        UpdateOutcome::Updated { .. } => "updated",
        UpdateOutcome::Unchanged { .. } => "unchanged",
    }
}

fn status(path: &std::path::Path, updated: Option<&UpdateOutcome>, global: &Global) -> anyhow::Result<Exit> {
    let database = setup::open(path)?;
    let unreadable = database.load_all().len();
    let count = database.iter().count();
    let snapshot = database.snapshot();
    let age = snapshot.age(SystemTime::now()).map(|age| age.as_secs());
    let status = cratekeeper_report::AdvisoryStatus {
        path: &path.display().to_string(),
        revision: snapshot.revision.as_deref(),
        age_seconds: age,
        newest_advisory: snapshot.newest_advisory_date.as_deref(),
        advisories: count,
        unreadable,
        update: updated.map(describe),
    };
    output::write(|out| match global.format {
        Format::Human => cratekeeper_report::advisory_status(&status, out),
        Format::Json | Format::Sarif | Format::Vex | Format::Graph(_) => {
            cratekeeper_report::advisory_status_json(output::TOOL, &status, out)
        }
    })?;
    for problem in database.load_all() {
        tracing::warn!("{problem}");
    }
    // Advisories that cannot be read may be the ones that matter.
    Ok(if unreadable > 0 { Exit::CouldNotCheck } else { Exit::Clean })
}
