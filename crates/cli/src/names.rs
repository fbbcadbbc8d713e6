//! `cratekeeper names`: which names can be taken for others.

mod check;
mod evaluate;
mod index;
mod input;

use std::path::Path;

use cratekeeper_names::Corpus;
use cratekeeper_report::names::ComparedWith;

use crate::arguments::{Format, Global, Names, NamesCommand};
use crate::error::Hinted;
use crate::exit::Exit;

pub(crate) fn run(names: &Names, global: &Global) -> anyhow::Result<Exit> {
    if global.format == Format::Sarif {
        // SARIF is about places in files, and a name has none.
        let message = "failed to answer as SARIF: `names` has no SARIF form".to_owned();
        return Err(Hinted::message(message, "use --format json, which docs/json.md describes").into());
    }
    match &names.command {
        NamesCommand::Check(check) => check::run(check, global),
        NamesCommand::Index(index) => index::run(index, global),
        NamesCommand::Evaluate(evaluate) => evaluate::run(evaluate, global),
    }
}

/// What is said about a corpus; without a file, it is one of those that come with the program.
fn describe(corpus: &Corpus, path: Option<&Path>) -> ComparedWith {
    ComparedWith {
        path: path.map(|path| path.display().to_string()),
        kind: corpus.kind(),
        names: corpus.len(),
    }
}
