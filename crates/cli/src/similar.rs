//! `cratekeeper similar`: crates that share another one's text.

use std::path::Path;

use cratekeeper_engine::{Engine, SimilarError};
use cratekeeper_report::similar::{Built, Likes};

use crate::arguments::{Format, Global, Similar};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::inspect::Named;
use crate::{output, progress, setup};

pub(crate) fn run(similar: &Similar, global: &Global) -> anyhow::Result<Exit> {
    if global.format == Format::Sarif {
        let message = "failed to choose a format: likeness alone is no finding, so there is no SARIF of it";
        return Err(Hinted::message(message.to_owned(), "use --format json, or `cratekeeper inspect`").into());
    }
    let here = std::env::current_dir()?;
    let engine = setup::engine_without_advisories(&here, global, &similar.limits)?;
    match &similar.build {
        Some(index) => build(&engine, similar, index, global),
        None => find(&engine, similar, global),
    }
}

fn build(engine: &Engine, similar: &Similar, index: &Path, global: &Global) -> anyhow::Result<Exit> {
    let progress = progress::watched(global.quiet);
    let built = engine.build_similar(&similar.targets, index, &*progress).map_err(hinted)?;
    let place = index.display().to_string();
    let built = Built { index: &place, versions: built.versions, refused: &built.refused };
    output::write(|out| match global.format {
        Format::Human => cratekeeper_report::human::similar_index(output::terminal(), &built, out),
        _ => cratekeeper_report::json::similar_index(output::TOOL, &built, out),
    })?;
    Ok(if built.refused.is_empty() { Exit::Clean } else { Exit::CouldNotCheck })
}

fn find(engine: &Engine, similar: &Similar, global: &Global) -> anyhow::Result<Exit> {
    let mut exit = Exit::Clean;
    for target in &similar.targets {
        let named = Named::parse(&target.to_string_lossy())?;
        let (package, likes) =
            engine.similar(named.target(engine)?, similar.index.as_deref()).map_err(hinted)?;
        if !likes.is_empty() {
            exit = Exit::Findings;
        }
        let likes = Likes { package: &package, similar: &likes };
        output::write(|out| match global.format {
            Format::Human => cratekeeper_report::human::similar(output::terminal(), &likes, out),
            _ => cratekeeper_report::json::similar(output::TOOL, &likes, out),
        })?;
    }
    Ok(exit)
}

fn hinted(error: SimilarError) -> anyhow::Error {
    let hint = match &error {
        SimilarError::Stored { source, .. } => source.hint().to_owned(),
        SimilarError::TooLarge { .. } => "name an index that `cratekeeper similar --build` made".to_owned(),
        SimilarError::Io { .. } => "check that it is there, its permissions and the free space".to_owned(),
        _ => "run `cratekeeper inspect` on it to see why".to_owned(),
    };
    Hinted::new(error, Some(hint)).into()
}
