//! `names evaluate` for people: tables of shares with their intervals.

use cratekeeper_names::{Answer, Evaluation, Level, Levels, Miss, MutantGroup, Pair, PairGroup, Share};

use super::Detail;
use super::names::corpus;
use super::page::{Page, Tone};
use crate::names::{EvaluationOutcome, has_curve, is_measured, precision};
use crate::text::thousands;

/// Columns of a share: `100.0 %  [97.8–100.0]`, and two more as a gap.
const SHARE: usize = 23;

pub(super) fn page(page: &mut Page, outcome: &EvaluationOutcome, detail: Detail) {
    let evaluation = &outcome.evaluation;
    page.line(0, &[(Tone::Strong, "compared with "), (Tone::Strong, &corpus(&outcome.corpus))]);
    page.line(0, &[(Tone::Dim, "shares have their 95 % interval; n is what they are shares of")]);
    attacks(page, outcome);
    harmless(page, "harmless pairs", &evaluation.harmless_pairs);
    harmless(page, "harmless names", &evaluation.benign);
    curve(page, evaluation);
    mutants(page, outcome, detail);
    if detail == Detail::Verbose {
        missed(page, evaluation);
    }
    next(page, evaluation, detail);
}

fn attacks(page: &mut Page, outcome: &EvaluationOutcome) {
    let Some(all) = outcome.all_attacks() else {
        return not_measured(page, "attacks", "give known pairs with --pairs");
    };
    let evaluation = &outcome.evaluation;
    groups(page, "attacks by ecosystem", &[&evaluation.attacks[..], &[all]].concat());
    groups(page, "attacks by class", &evaluation.attack_classes);
}

fn groups(page: &mut Page, title: &str, groups: &[PairGroup]) {
    let width = width(title, groups.iter().map(|group| group.name.as_str()));
    heading(page, &format!("{title:<width$}"), &["at alert", "at review or above", "right target first"]);
    for PairGroup { name, levels, first } in groups {
        let unjudged = match levels.unjudged {
            0 => String::new(),
            number => format!("  {} could not be judged", thousands(number)),
        };
        let row = row(&format!("{name:<width$}"), levels.review.of, &[levels.alert, levels.review, *first]);
        page.line(2, &[(Tone::Plain, &row), (Tone::Error, &unjudged)]);
    }
}

fn harmless(page: &mut Page, title: &str, levels: &Levels) {
    if !is_measured(levels) {
        let how = match title {
            "harmless pairs" => "give pairs labelled benign with --pairs",
            _ => "give harmless names with --benign",
        };
        return not_measured(page, title, how);
    }
    heading(page, title, &["at alert", "at review or above"]);
    let name = format!("{:<width$}", "all", width = title.chars().count());
    page.line(2, &[(Tone::Plain, &row(&name, levels.review.of, &[levels.alert, levels.review]))]);
    if levels.unjudged > 0 {
        page.line(2, &[(Tone::Error, &format!("{} could not be judged", thousands(levels.unjudged)))]);
    }
}

/// What is caught and what is disturbed at each threshold.
fn curve(page: &mut Page, evaluation: &Evaluation) {
    if !has_curve(evaluation) {
        return not_measured(page, "trade-off", "give --pairs and --benign");
    }
    let title = "trade-off: score from";
    line_of_headings(page, &format!("{title}  "), &["attacks", "harmless names", "precision"]);
    let width = title.chars().count();
    for point in &evaluation.curve {
        let shares = [point.recall, point.flagged, precision(point)].map(cell).concat();
        let mark = match point.threshold {
            60 => "alert",
            30 => "review",
            _ => "",
        };
        let line = format!("{:>3} {mark:<rest$}  {shares}", point.threshold, rest = width - 4);
        page.line(2, &[(Tone::Plain, line.trim_end())]);
    }
    page.paragraph(2, "precision is that of this mixture; in a registry attacks are far rarer");
}

fn mutants(page: &mut Page, outcome: &EvaluationOutcome, detail: Detail) {
    let groups = &outcome.evaluation.mutants;
    if groups.is_empty() {
        return not_measured(page, "mutants", "give --mutants above 0");
    }
    let title = format!("mutants (seed {})", outcome.seed);
    let width = width(&title, groups.iter().map(|group| group.class.id));
    let head = ["right target first", "left out: in corpus, ambiguous"];
    heading(page, &format!("{title:<width$}"), &head);
    for group in groups {
        let MutantGroup { class, first, in_corpus, ambiguous, wrong } = group;
        let row = row(&format!("{:<width$}", class.id), first.of, &[*first]);
        let left_out = format!("{:>9}  {:>9}", thousands(*in_corpus), thousands(*ambiguous));
        page.line(2, &[(Tone::Plain, &format!("{row:<rest$}{left_out}", rest = width + 9 + SHARE))]);
        if detail == Detail::Verbose {
            wrong.iter().for_each(|miss| self::miss(page, miss));
        }
    }
}

fn miss(page: &mut Page, miss: &Miss) {
    let Miss { mutant, target, first } = miss;
    let first = match first {
        Some((first, check)) => format!("`{first}` by {check}"),
        None => "nothing".to_owned(),
    };
    page.line(4, &[(Tone::Dim, &format!("`{mutant}` of `{target}`: found {first}"))]);
}

/// Attacks below review, which nobody would have looked at.
fn missed(page: &mut Page, evaluation: &Evaluation) {
    let is_missed = |(pair, answer): &&(Pair, Answer)| {
        pair.malicious && answer.judgement.as_ref().is_none_or(|it| it.level < Level::Review)
    };
    let missed: Vec<_> = evaluation.pair_answers.iter().filter(is_missed).collect();
    if missed.is_empty() {
        return;
    }
    page.heading(Tone::Strong, "attacks below review");
    for (pair, answer) in missed {
        let Pair { name, target, ecosystem, class, .. } = pair;
        let score = match &answer.judgement {
            Some(judgement) => format!("{}/100", judgement.score),
            None => "could not be judged".to_owned(),
        };
        page.line(2, &[(Tone::Dim, &format!("`{name}` for `{target}` ({ecosystem}, {class}): {score}"))]);
    }
}

fn next(page: &mut Page, evaluation: &Evaluation, detail: Detail) {
    let text = match detail {
        Detail::Verbose => "--format json gives every number",
        _ if evaluation.mutants.is_empty() => {
            "-v lists attacks below review; --format json gives every number"
        }
        _ => "-v lists what was missed; --format json gives every number",
    };
    page.blank();
    page.hanging(0, &[(Tone::Strong, "next: ")], text);
}

fn not_measured(page: &mut Page, title: &str, how: &str) {
    page.blank();
    page.line(
        0,
        &[(Tone::Strong, title), (Tone::Plain, ": not measured"), (Tone::Dim, &format!(" ({how})"))],
    );
}

fn heading(page: &mut Page, title: &str, columns: &[&str]) {
    // Rows are indented by two columns.
    line_of_headings(page, &format!("{title}{:>11}", "n"), columns);
}

fn line_of_headings(page: &mut Page, title: &str, columns: &[&str]) {
    let columns: String = columns.iter().map(|it| format!("{it:<SHARE$}")).collect();
    page.blank();
    page.line(0, &[(Tone::Strong, title), (Tone::Plain, "  "), (Tone::Plain, columns.trim_end())]);
}

fn row(name: &str, count: usize, shares: &[Share]) -> String {
    let shares: String = shares.iter().copied().map(cell).collect();
    format!("{name}{:>9}  {}", thousands(count), shares.trim_end())
}

fn width<'a>(title: &str, names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| name.chars().count()).chain([title.chars().count()]).max().unwrap_or_default()
}

/// ` 66.7 %  [47.8–81.4]`, padded.
fn cell(share: Share) -> String {
    let text = match (share.value(), share.interval()) {
        (Some(value), Some((low, high))) => {
            format!("{:>5.1} %  [{:.1}–{:.1}]", value * 100.0, low * 100.0, high * 100.0)
        }
        _ => "not measured".to_owned(),
    };
    format!("{text:<SHARE$}")
}
