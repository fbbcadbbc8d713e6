//! `cratekeeper survey`: the call graphs of many packages into a store, and the figures of an ecosystem.

use std::path::Path;

use cratekeeper_engine::resolution::Platform;
use cratekeeper_engine::{LocalManifests, SurveyInput};
use cratekeeper_graph::answer::{Asker, Figures};
use cratekeeper_graph::{Filter, GraphError, Store};
use cratekeeper_registry::Lockfile;
use cratekeeper_report::graph::Asked;

use crate::arguments::{Global, Survey};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::graph::{hinted, print};
use crate::{progress, setup};

pub(crate) fn run(survey: &Survey, global: &Global) -> anyhow::Result<Exit> {
    let input = input(survey)?;
    refuse_foreign(&survey.output)?;
    let here = std::env::current_dir()?;
    let engine = setup::engine_without_advisories(&here, global, &survey.limits)?;
    let progress = progress::watched(global.quiet);
    let outcome = engine.survey(&input, &survey.output, &*progress)?;
    let figures = Figures {
        added: outcome.added,
        known_before: outcome.known_before,
        refused: outcome.refused,
        partial: outcome.partial,
        bytes_of_source: outcome.bytes_of_source,
        seconds: outcome.seconds,
    };
    let store = Store::open(&survey.output).map_err(hinted)?;
    let graph = store.graph(&outcome.table).map_err(hinted)?;
    let answer = Asker::new(&graph, Filter::default(), usize::MAX).ecosystem(&figures).map_err(hinted)?;
    let store = survey.output.display().to_string();
    let asked = Asked { store: &store, table: &outcome.table, source: &store, notes: &[] };
    print(&answer, asked, global)?;
    // What was read in part is counted and named in the answer: large packages commonly have a file that is no Rust.
    if figures.refused.is_empty() || survey.allow_unchecked {
        return Ok(Exit::Clean);
    }
    let message = match figures.refused.len() {
        1 => "failed to read everything: 1 package was refused".to_owned(),
        several => format!("failed to read everything: {several} packages were refused"),
    };
    let hint = "the answer gives the reason for each; pass --allow-unchecked to accept it";
    crate::error::print(&Hinted::message(message, hint).into());
    Ok(Exit::CouldNotCheck)
}

/// A store keeps its directory tidy, and removes what it does not know: somebody else's directory has to stay as it is.
fn refuse_foreign(directory: &Path) -> anyhow::Result<()> {
    let is_empty = match std::fs::read_dir(directory) {
        // What begins with a dot is left by file managers, and by a store that was locked and not begun.
        Ok(mut entries) => {
            !entries.any(|it| it.is_ok_and(|it| !it.file_name().as_encoded_bytes().starts_with(b".")))
        }
        Err(_) => return Ok(()),
    };
    match Store::open(directory) {
        Err(GraphError::NoStore { .. }) if !is_empty => {
            let message = format!(
                "failed to write a store to `{}`: it holds other files, and no store",
                directory.display()
            );
            Err(Hinted::message(message, "name a new or an empty directory with --output").into())
        }
        _ => Ok(()),
    }
}

fn input(survey: &Survey) -> anyhow::Result<SurveyInput> {
    if let Some(given) = &survey.lockfile {
        let path = match (given, &survey.directory) {
            (Some(_), Some(_)) => {
                let message = "failed to choose what to read: two lockfiles were given".to_owned();
                return Err(
                    Hinted::message(message, "give one, as --lockfile FILE or --lockfile=FILE").into()
                );
            }
            (Some(path), None) | (None, Some(path)) => path.as_path(),
            (None, None) => Path::new("Cargo.lock"),
        };
        let lockfile = Lockfile::read(path).map_err(crate::check::hinted)?;
        let path = std::path::absolute(path)?;
        let local = LocalManifests::read(path.parent().unwrap_or(Path::new("/")));
        let options = setup::resolution_options(&survey.features, &local);
        return Ok(SurveyInput::Lockfile { lockfile, local, options });
    }
    let directory = survey.directory.clone().unwrap_or_default();
    if !directory.is_dir() {
        let message = format!("failed to read `{}`: there is no such directory", directory.display());
        return Err(Hinted::message(message, "give a directory of `.crate` files, or --lockfile").into());
    }
    let this = setup::this_platform();
    let platform = Platform::of_triple(survey.features.target.as_deref().unwrap_or(&this));
    Ok(SurveyInput::Directory { directory, at: survey.at.map(|it| it.0), platform })
}
