//! `names check` and `names index` for people.

use std::cmp::Reverse;

use cratekeeper_names::{Kind, Level, Match, UnjudgedName};

use super::Detail;
use super::page::{Page, Tone};
use crate::names::{ComparedWith, IndexOutcome, JudgedName, NamesOutcome};
use crate::text::{count, cut, size, thousands};

/// Matches shown for each name unless everything was asked for: what comes after the third best never decides.
const MATCHES: usize = 3;

/// Names shown that need nothing, or that could not be judged, unless everything was asked for.
const NAMES: usize = 20;

/// Columns for a name that could not be judged, which may be of any length.
const NAME: usize = 60;

pub(super) fn quiet(page: &mut Page, outcome: &NamesOutcome) {
    serious(page, outcome, Detail::Quiet);
    not_judged(page, outcome, Detail::Quiet);
    result(page, outcome);
}

pub(super) fn full(page: &mut Page, outcome: &NamesOutcome, detail: Detail) {
    serious(page, outcome, detail);
    not_judged(page, outcome, detail);
    harmless(page, outcome, detail);
    summary(page, outcome);
    result(page, outcome);
    next(page, outcome);
}

/// What a person should look at, worst first.
fn serious(page: &mut Page, outcome: &NamesOutcome, detail: Detail) {
    let mut names: Vec<&JudgedName> =
        outcome.shown().filter(|it| it.judgement.level >= Level::Review).collect();
    names.sort_by_key(|it| Reverse(it.judgement.score));
    for judged in names {
        if !page.is_empty() {
            page.blank();
        }
        head(page, judged);
        let matches = &judged.judgement.matches;
        let shown = if detail == Detail::Verbose { matches.len() } else { MATCHES };
        matches.iter().take(shown).for_each(|found| self::found(page, found));
        if let Some(more) = matches.len().checked_sub(shown).filter(|more| *more > 0) {
            page.line(2, &[(Tone::Dim, &format!("and {more} more (-v shows all)"))]);
        }
    }
}

fn head(page: &mut Page, judged: &JudgedName) {
    let judgement = &judged.judgement;
    let level = format!("  {} {}/100", judgement.level.as_str().to_uppercase(), judgement.score);
    let in_corpus = if judgement.in_corpus { "  (in the corpus itself)" } else { "" };
    let foreign = foreign(&judged.name);
    page.line(
        0,
        &[
            (Tone::Strong, &judged.name),
            (Tone::Dim, &foreign),
            (tone(judgement.level), &level),
            (Tone::Dim, in_corpus),
        ],
    );
}

fn found(page: &mut Page, found: &Match) {
    let score = format!("  {}/100", found.score);
    let check = format!("  {}", found.check);
    let score_tone = tone(Level::of(found.score));
    page.line(2, &[(Tone::Strong, &found.target), (score_tone, &score), (Tone::Dim, &check)]);
    page.paragraph(4, &found.explanation());
}

/// The characters of a name that are not ASCII, by number: people cannot tell a Cyrillic `е` from a Latin one.
fn foreign(name: &str) -> String {
    let mut numbers: Vec<String> =
        name.chars().filter(|it| !it.is_ascii()).map(|it| format!("U+{:04X}", u32::from(it))).collect();
    numbers.dedup();
    numbers.truncate(MATCHES);
    if numbers.is_empty() { String::new() } else { format!(" (has {})", numbers.join(", ")) }
}

fn tone(level: Level) -> Tone {
    match level {
        Level::None => Tone::Good,
        Level::Review => Tone::Warning,
        Level::Alert => Tone::Error,
    }
}

fn not_judged(page: &mut Page, outcome: &NamesOutcome, detail: Detail) {
    let names = &outcome.not_judged;
    if names.is_empty() {
        return;
    }
    page.heading(Tone::Error, &format!("could not judge: {}", count(names.len(), "name")));
    let shown = if detail == Detail::Verbose { names.len() } else { NAMES };
    for UnjudgedName { name, cause } in names.iter().take(shown) {
        let name = if name.is_empty() { "(empty)".into() } else { cut(name, NAME) };
        page.hanging(2, &[(Tone::Strong, &name), (Tone::Plain, ": ")], &cause.to_string());
    }
    and_more(page, names.len(), shown);
}

fn harmless(page: &mut Page, outcome: &NamesOutcome, detail: Detail) {
    let names: Vec<&JudgedName> = outcome.shown().filter(|it| it.judgement.level == Level::None).collect();
    if names.is_empty() {
        return;
    }
    page.heading(Tone::Good, &format!("nothing to do: {}", count(names.len(), "name")));
    let shown = if detail == Detail::Verbose { names.len() } else { NAMES };
    for judged in names.iter().take(shown) {
        let (name, foreign) = (&judged.name, foreign(&judged.name));
        page.cut_line(2, Tone::Plain, &format!("{name}{foreign}  {}", why_harmless(judged)));
    }
    and_more(page, names.len(), shown);
}

fn why_harmless(judged: &JudgedName) -> String {
    let judgement = &judged.judgement;
    match judgement.matches.first() {
        Some(best) => format!("{}/100: {}", judgement.score, best.explanation()),
        None if judgement.in_corpus => "in the corpus".to_owned(),
        None => "like nothing in the corpus".to_owned(),
    }
}

fn and_more(page: &mut Page, names: usize, shown: usize) {
    if let Some(more) = names.checked_sub(shown).filter(|more| *more > 0) {
        page.line(2, &[(Tone::Dim, &format!("and {} more (-v shows all)", thousands(more)))]);
    }
}

fn summary(page: &mut Page, outcome: &NamesOutcome) {
    let names = count(outcome.judged.len() + outcome.not_judged.len(), "name");
    page.heading(Tone::Strong, &format!("summary of {names}, compared with {}", corpus(&outcome.corpus)));
    let levels = [Level::Alert, Level::Review, Level::None].map(|it| (it.as_str(), outcome.count(it)));
    for (what, number) in levels.into_iter().chain([("could not judge", outcome.not_judged.len())]) {
        page.line(2, &[(Tone::Plain, &format!("{what:<15}  {:>9}", thousands(number)))]);
    }
}

/// `5,000 popular crates`, ``1,203 crates of `names.csv` ``.
pub(super) fn corpus(corpus: &ComparedWith) -> String {
    let noun = match (corpus.kind, &corpus.path) {
        (Kind::Crates, None) => "popular crate",
        (Kind::Publishers, None) => "well-known publisher",
        (Kind::Crates, Some(_)) => "crate",
        (Kind::Publishers, Some(_)) => "publisher",
    };
    let source = corpus.path.as_ref().map(|path| format!(" of `{path}`")).unwrap_or_default();
    format!("{}{source}", count(corpus.names, noun))
}

fn result(page: &mut Page, outcome: &NamesOutcome) {
    let serious = outcome.count(Level::Alert) + outcome.count(Level::Review);
    let (tone, text) = match (serious, outcome.not_judged.len()) {
        (0, 0) => (Tone::Good, "no names at or above review".to_owned()),
        (0, unjudged) => (Tone::Error, format!("{} could not be judged", count(unjudged, "name"))),
        (serious, 0) => (Tone::Error, format!("{} at or above review", count(serious, "name"))),
        (serious, unjudged) => {
            let unjudged = thousands(unjudged);
            (
                Tone::Error,
                format!("{} at or above review, {unjudged} could not be judged", count(serious, "name")),
            )
        }
    };
    if !page.is_empty() {
        page.blank();
    }
    page.line(0, &[(Tone::Strong, "result: "), (tone, &text)]);
}

fn next(page: &mut Page, outcome: &NamesOutcome) {
    let is_serious = outcome.judged.iter().any(|it| it.judgement.level >= Level::Review);
    let text = match (is_serious, outcome.corpus.kind) {
        (true, Kind::Crates) => {
            "before you trust one of these, compare its owners, its repository and the day of its first version with those \
             of its target; write down names that you have looked at in an allow-list (--allow)"
        }
        (true, Kind::Publishers) => {
            "before you trust one of these, find out on another way whether the account belongs to whom you think; write \
             down names that you have looked at in an allow-list (--allow)"
        }
        (false, _) if !outcome.not_judged.is_empty() => "correct the names that could not be judged",
        (false, _) => "nothing to do until the names or the corpus change",
    };
    page.blank();
    page.hanging(0, &[(Tone::Strong, "next: ")], text);
}

pub(super) fn index(page: &mut Page, outcome: &IndexOutcome) {
    let (bytes, seconds) = (size(outcome.bytes), outcome.time.as_secs_f64());
    page.line(0, &[(Tone::Strong, "snapshot: "), (Tone::Plain, &outcome.snapshot)]);
    page.line(0, &[(Tone::Strong, "names:    "), (Tone::Plain, &corpus(&outcome.corpus))]);
    page.line(0, &[(Tone::Strong, "size:     "), (Tone::Plain, &bytes)]);
    page.line(0, &[(Tone::Strong, "time:     "), (Tone::Plain, &format!("{seconds:.2} s"))]);
    page.blank();
    let publishers = if outcome.corpus.kind == Kind::Publishers { " --publishers" } else { "" };
    page.hanging(
        0,
        &[(Tone::Strong, "next: ")],
        &format!("compare with it: cratekeeper names check NAME --corpus SNAPSHOT{publishers}"),
    );
}
