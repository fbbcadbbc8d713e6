//! `evaluate` for people: shares with what they are shares of, and everything that is not as it should be, by name.

use cratekeeper_model::{DetectionEvaluation, DetectionTotals, Level, Measured, Share};

use super::Detail;
use super::page::{Page, Tone};

/// Columns of a share.
const SHARE: usize = 22;

pub(super) fn page(page: &mut Page, evaluation: &DetectionEvaluation, detail: Detail) {
    totals(page, &evaluation.totals);
    wrong(page, "missed or raised wrongly", &evaluation.fixtures);
    wrong(page, "incidents and harmless events that are not as they should be", &evaluation.incidents);
    wrong(page, "real crates at review or above", &evaluation.benign);
    if detail == Detail::Verbose {
        techniques(page, evaluation);
    }
    without(page, evaluation);
}

fn totals(page: &mut Page, totals: &DetectionTotals) {
    page.line(
        0,
        &[(Tone::Strong, "detection"), (Tone::Dim, ", looked at while rules were written, and not")],
    );
    row(page, "single signals named", &totals.positives);
    row(page, "complete chains at alert", &[totals.chains]);
    row(page, "harmless twins at alert", &totals.twins);
    row(page, "incidents caught", &[totals.incidents]);
    row(page, "harmless events at alert", &[totals.harmless]);
    row(page, "real crates at review", &totals.benign.map(|it| it.review));
    row(page, "real crates at alert", &totals.benign.map(|it| it.alert));
    let unchecked: usize = totals.benign.iter().map(|it| it.unchecked).sum();
    if unchecked > 0 {
        page.line(2, &[(Tone::Error, &format!("{unchecked} real crates could not be checked wholly"))]);
    }
}

fn row(page: &mut Page, name: &str, shares: &[Share]) {
    let shares: String = shares.iter().map(|share| format!("{:<SHARE$}", shown(*share))).collect();
    page.line(2, &[(Tone::Plain, &format!("{name:<26}")), (Tone::Plain, shares.trim_end())]);
}

fn shown(share: Share) -> String {
    match share.percent() {
        Some(percent) => format!("{percent:.1} % ({} of {})", share.hits, share.of),
        None => "not measured".to_owned(),
    }
}

fn wrong(page: &mut Page, title: &str, measured: &[Measured]) {
    let wrong: Vec<&Measured> = measured.iter().filter(|it| !it.right || it.problem.is_some()).collect();
    if wrong.is_empty() {
        return;
    }
    page.line(0, &[]);
    page.line(0, &[(Tone::Strong, title)]);
    for it in wrong {
        let level = format!(" {} {}", it.level, it.score);
        let tone = if it.level >= Level::Review { Tone::of_level(it.level) } else { Tone::Dim };
        let held_out = if it.held_out { " (not looked at)" } else { "" };
        page.line(2, &[(Tone::Plain, &it.name), (tone, &level), (Tone::Dim, held_out)]);
        if !it.rules.is_empty() {
            page.hanging(4, &[(Tone::Dim, "rules: ")], &it.rules.join(", "));
        }
        if !it.techniques.is_empty() {
            let numbers: Vec<String> = it.techniques.iter().map(u8::to_string).collect();
            page.hanging(4, &[(Tone::Dim, "techniques: ")], &numbers.join(", "));
        }
        if let Some(problem) = &it.problem {
            page.hanging(4, &[(Tone::Error, "problem: ")], problem);
        }
    }
}

fn techniques(page: &mut Page, evaluation: &DetectionEvaluation) {
    if evaluation.techniques.is_empty() {
        return;
    }
    page.line(0, &[]);
    page.line(0, &[(Tone::Strong, "by technique: positives named, twins below alert, chains at alert")]);
    for (technique, shares) in &evaluation.techniques {
        let shares = shares.map(|it| format!("{}/{}", it.hits, it.of)).join("  ");
        page.line(2, &[(Tone::Plain, &format!("{technique:>2}  {shares}"))]);
    }
}

fn without(page: &mut Page, evaluation: &DetectionEvaluation) {
    if evaluation.without.is_empty() {
        return;
    }
    page.line(0, &[]);
    let head = ["single", "chains", "twins", "incidents", "real at review", "real at alert"];
    let head: String = head.iter().map(|it| format!("{it:<16}")).collect();
    page.line(0, &[(Tone::Strong, &format!("{:<14}{}", "without", head.trim_end()))]);
    let all = [("(all rules)".to_owned(), evaluation.totals)];
    for (family, totals) in all.iter().chain(&evaluation.without) {
        let both = |shares: [Share; 2]| Share {
            hits: shares[0].hits + shares[1].hits,
            of: shares[0].of + shares[1].of,
        };
        let shares = [
            both(totals.positives),
            totals.chains,
            both(totals.twins),
            totals.incidents,
            both(totals.benign.map(|it| it.review)),
            both(totals.benign.map(|it| it.alert)),
        ];
        let cells: String = shares
            .iter()
            .map(|share| share.percent().map_or_else(|| "-".to_owned(), |it| format!("{it:.1} %")))
            .map(|cell| format!("{cell:<16}"))
            .collect();
        page.line(0, &[(Tone::Plain, &format!("{family:<14}{}", cells.trim_end()))]);
    }
}
