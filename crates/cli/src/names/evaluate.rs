//! `cratekeeper names evaluate`: how good the answers are.

use std::path::Path;

use cratekeeper_names::{Corpus, Kind, MUTANT_CLASSES, Questions, TableError};
use cratekeeper_report::names::EvaluationOutcome;

use super::input;
use crate::arguments::{Format, Global, NamesEvaluate};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::{output, progress};

pub(super) fn run(evaluate: &NamesEvaluate, global: &Global) -> anyhow::Result<Exit> {
    let questions = questions(evaluate)?;
    let path = evaluate.corpus.as_deref();
    let mut corpus = match path {
        Some(path) => input::corpus(path, Kind::Crates)?,
        // A copy, because targets that it lacks join it for as long as they are asked about.
        None => Corpus::new(Corpus::popular_crates().entries().cloned().collect(), Kind::Crates)?,
    };
    let described = super::describe(&corpus, path);
    let steps = questions.pairs.len() + questions.benign.len() + questions.mutants * MUTANT_CLASSES.len();
    let bar = progress::counted(global.quiet, "Judging", steps);
    let evaluation = cratekeeper_names::evaluate(&mut corpus, &questions, |steps| bar.inc(steps as u64));
    bar.finish_and_clear();
    let outcome =
        EvaluationOutcome { corpus: described, mutants: questions.mutants, seed: questions.seed, evaluation };
    output::write(|out| match global.format {
        Format::Json | Format::Sarif | Format::Vex | Format::Graph(_) => {
            cratekeeper_report::json::evaluation(output::TOOL, &outcome, out)
        }
        Format::Human => {
            cratekeeper_report::human::evaluation(output::terminal(), output::detail(global), &outcome, out)
        }
    })?;
    Ok(Exit::Clean)
}

fn questions(evaluate: &NamesEvaluate) -> anyhow::Result<Questions> {
    let mut questions =
        Questions { mutants: evaluate.mutants as usize, seed: evaluate.seed, ..Questions::default() };
    if evaluate.pairs.is_empty() && evaluate.benign.is_empty() && questions.mutants == 0 {
        let message = "failed to evaluate: there is nothing to measure".to_owned();
        let hint = "give known pairs with --pairs, harmless names with --benign, or --mutants above 0";
        return Err(Hinted::message(message, hint).into());
    }
    for path in &evaluate.pairs {
        let pairs = cratekeeper_names::pairs(&input::text(path)?);
        questions.pairs.extend(filled(path, pairs)?);
    }
    for path in &evaluate.benign {
        let names = filled(path, cratekeeper_names::candidates(&input::text(path)?))?;
        // What cannot be judged is counted as such.
        let names = names.into_iter().map(|it| match it {
            Ok(candidate) => candidate.name().to_owned(),
            Err(unjudged) => unjudged.name,
        });
        questions.benign.extend(names);
    }
    Ok(questions)
}

/// What a file has; one without anything is an error, because a share of nothing says nothing.
fn filled<T>(path: &Path, read: Result<Vec<T>, TableError>) -> anyhow::Result<Vec<T>> {
    match read {
        Ok(rows) if rows.is_empty() => Err(input::table_error(path, &TableError::Empty).into()),
        Ok(rows) => Ok(rows),
        Err(error) => Err(input::table_error(path, &error).into()),
    }
}
