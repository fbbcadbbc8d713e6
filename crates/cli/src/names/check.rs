//! `cratekeeper names check`: which of these names can be taken for others.

use std::path::Path;

use cratekeeper_names::{AllowList, Candidate, Corpus, Kind, Level, StaleAllowance, Staleness, UnjudgedName};
use cratekeeper_report::names::{JudgedName, NamesOutcome};
use jiff::civil::Date;

use super::input;
use crate::arguments::{Format, Global, NamesCheck, kind};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::{output, progress};

pub(super) fn run(check: &NamesCheck, global: &Global) -> anyhow::Result<Exit> {
    let (candidates, not_judged) = candidates(check)?;
    let mut allowed = allow_list(check.allow.as_deref())?;
    let path = check.corpus.corpus.as_deref();
    let kind = kind(check.corpus.publishers);
    let read = path.map(|path| input::corpus(path, kind)).transpose()?;
    let corpus = read.as_ref().unwrap_or_else(|| embedded(kind));
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let judged = judge(corpus, &candidates, &mut allowed, today, global);
    let outcome = NamesOutcome {
        corpus: super::describe(corpus, path),
        judged,
        not_judged,
        stale: allowed.stale(today),
        min_level: check.min_level.into(),
    };
    output::write(|out| match global.format {
        Format::Json | Format::Sarif | Format::Vex | Format::Graph(_) => {
            cratekeeper_report::json::names(output::TOOL, &outcome, out)
        }
        Format::Human => {
            cratekeeper_report::human::names(output::terminal(), output::detail(global), &outcome, out)
        }
    })?;
    outcome.stale.iter().for_each(warn_about);
    report_unjudged(&outcome);
    Ok(exit(&outcome))
}

/// The names of the arguments and then those of the file, and what of them cannot be a name.
fn candidates(check: &NamesCheck) -> anyhow::Result<(Vec<Candidate>, Vec<UnjudgedName>)> {
    let named = check.names.iter().map(|name| {
        Candidate::new(name.as_str()).map_err(|cause| UnjudgedName { name: name.clone(), cause })
    });
    let mut all: Vec<_> = named.collect();
    if let Some(path) = &check.input {
        let text = input::text(path)?;
        let listed =
            cratekeeper_names::candidates(&text).map_err(|error| input::table_error(path, &error))?;
        if listed.is_empty() {
            return Err(input::table_error(path, &cratekeeper_names::TableError::Empty).into());
        }
        all.extend(listed);
    }
    if all.is_empty() {
        let hint = "give names as arguments, or a file of them with --input (`-` is standard input)";
        return Err(Hinted::message("failed to check names: there are none".to_owned(), hint).into());
    }
    let (mut candidates, mut not_judged) = (Vec::new(), Vec::new());
    for one in all {
        match one {
            Ok(candidate) if check.leave_one_out => candidates.push(candidate.left_out()),
            Ok(candidate) => candidates.push(candidate),
            Err(unjudged) => not_judged.push(unjudged),
        }
    }
    Ok((candidates, not_judged))
}

fn embedded(kind: Kind) -> &'static Corpus {
    match kind {
        Kind::Crates => Corpus::popular_crates(),
        Kind::Publishers => Corpus::well_known_publishers(),
    }
}

fn allow_list(path: Option<&Path>) -> anyhow::Result<AllowList> {
    let Some(path) = path else { return Ok(AllowList::default()) };
    let list = AllowList::parse(&input::text(path)?).map_err(|error| {
        let hint = "every `[[allow]]` has a name, a reason, a last day in expires, and perhaps a target";
        input::failed(path, error.to_string().trim_end(), hint)
    })?;
    Ok(list)
}

fn judge(
    corpus: &Corpus,
    candidates: &[Candidate],
    allowed: &mut AllowList,
    today: Date,
    global: &Global,
) -> Vec<JudgedName> {
    let bar = progress::counted(global.quiet, "Judging", candidates.len());
    let judge = |candidate: &Candidate| {
        let mut judgement = corpus.judge(candidate);
        allowed.apply(candidate.name(), &mut judgement, today);
        bar.inc(1);
        JudgedName { name: candidate.name().to_owned(), judgement }
    };
    let judged = candidates.iter().map(judge).collect();
    bar.finish_and_clear();
    judged
}

fn warn_about(stale: &StaleAllowance) {
    let why = match stale.why {
        Staleness::Expired => format!("it expired on {}", stale.allowance.expires),
        Staleness::NothingToAllow => "there was nothing to allow".to_owned(),
    };
    let name = cratekeeper_report::sanitize(&stale.allowance.name);
    tracing::warn!("the entry for `{name}` in the allow-list does nothing: {why}");
}

/// Says on standard error why the run failed although the answer was printed.
fn report_unjudged(outcome: &NamesOutcome) {
    let number = outcome.not_judged.len();
    if number == 0 {
        return;
    }
    let what = if number == 1 { "1 name".to_owned() } else { format!("{number} names") };
    let message = format!("failed to judge {what}: no crate and no publisher can be called so");
    let hint = "the answer gives the reason for each; take them out to have the others decide the exit code";
    crate::error::print(&Hinted::message(message, hint).into());
}

fn exit(outcome: &NamesOutcome) -> Exit {
    if !outcome.not_judged.is_empty() {
        Exit::CouldNotCheck
    } else if outcome.judged.iter().any(|it| it.judgement.level >= Level::Review) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}
