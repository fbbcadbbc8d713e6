//! Packages and findings, as `check` and `inspect` both show them.

use cratekeeper_model::{
    AdvisoryDatabase, Case, ChainStep, Evidence, Finding, Known, Level, Outcome, Package, PackageStatus,
};

use super::page::{Page, Tone};
use super::{Detail, View};
use crate::reachable;
use crate::text::{age, count};

/// Places shown for each finding unless everything was asked for.
const PLACES: usize = 5;

/// `name version  LEVEL score/100  (kinds; platforms)`.
pub(super) fn head(page: &mut Page, outcome: &Outcome) {
    let package = &outcome.package;
    let version = format!(" {}  ", package.version);
    let (tone, level) = level(outcome);
    let level = format!("{level}  ");
    let head = [(Tone::Strong, package.name.as_str()), (Tone::Strong, &version), (tone, &level)];
    match why(package) {
        Some(why) => page.hanging(0, &head, &why),
        None => page.line(0, &head),
    }
}

/// The level as a shout with the score, or why there is none.
pub(super) fn level(outcome: &Outcome) -> (Tone, String) {
    let case = &outcome.case;
    match (case.level, outcome.status) {
        (Level::None, PackageStatus::CouldNotCheck) => (Tone::Error, "could not check".to_owned()),
        (Level::None, PackageStatus::Local) => (Tone::Dim, "local, not checked".to_owned()),
        (Level::None, PackageStatus::Checked) => (Tone::Good, "no findings".to_owned()),
        (Level::None, PackageStatus::Partial) => {
            (Tone::Warning, "no findings in the part that was checked".to_owned())
        }
        (level, _) => {
            (Tone::of_level(level), format!("{} {}/100", level.as_str().to_uppercase(), case.score))
        }
    }
}

/// Why a package is in the tree, if that is known.
fn why(package: &Package) -> Option<String> {
    let kinds: Vec<String> = package.kinds.iter().map(ToString::to_string).collect();
    let platforms = match package.platforms.as_slice() {
        [] => String::new(),
        platforms => format!("only on {}", platforms.join(", ")),
    };
    let parts: Vec<String> = [kinds.join(", "), platforms].into_iter().filter(|it| !it.is_empty()).collect();
    (!parts.is_empty()).then(|| format!("({})", parts.join("; ")))
}

/// One finding: what, how bad, how sure, why it matters, where, what to do.
pub(super) fn finding(page: &mut Page, finding: &Finding, detail: Detail) {
    let severity = finding.severity.to_string();
    let confidence = format!("  ({} confidence)", finding.confidence);
    page.line(
        2,
        &[
            (Tone::of_severity(finding.severity), &severity),
            (Tone::Plain, ": "),
            (Tone::Strong, &finding.rule),
            (Tone::Dim, &confidence),
        ],
    );
    page.paragraph(4, &finding.message);
    let shown = if detail == Detail::Verbose { finding.evidence.len() } else { PLACES };
    for evidence in finding.evidence.iter().take(shown) {
        place(page, evidence);
    }
    if let Some(further) = finding.evidence.get(shown..).filter(|it| !it.is_empty()) {
        let text = format!("and {} (-v lists all)", count(further.len(), "more place"));
        page.line(4, &[(Tone::Dim, &text)]);
    }
    if let Some(reachability) = &finding.reachability {
        page.hanging(4, &[(Tone::Notice, "reachability: ")], &reachable::answer(reachability));
    }
    if let Some(help) = &finding.help {
        page.hanging(4, &[(Tone::Notice, "help: ")], help);
    }
}

pub(super) fn place(page: &mut Page, evidence: &Evidence) {
    let line = evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
    page.line(4, &[(Tone::Dim, "at "), (Tone::Plain, &evidence.file), (Tone::Plain, &line)]);
    if let Some(excerpt) = &evidence.excerpt {
        page.cut_line(6, Tone::Dim, &format!("| {}", excerpt.trim()));
    }
}

/// Contributions and techniques shown unless everything was asked for; a chain is always told whole.
const ROWS: usize = 8;

/// The case that the findings add up to, from `review` on: the sum, the attack in order, what would make it harmless.
pub(super) fn story(page: &mut Page, view: &View<'_>, outcome: &Outcome) {
    let case = &outcome.case;
    if case.level < Level::Review {
        return;
    }
    let rows = if view.detail == Detail::Verbose { usize::MAX } else { ROWS };
    contributions(page, case, rows);
    if !case.chain.is_empty() {
        page.line(2, &[(Tone::Strong, "what it does, in order")]);
        for (number, step) in (1..).zip(&case.chain) {
            chain_step(page, number, step);
        }
    }
    if !case.techniques.is_empty() {
        page.line(2, &[(Tone::Strong, "techniques")]);
        for number in case.techniques.iter().take(rows) {
            let head = format!("{number:>2} ");
            page.hanging(4, &[(Tone::Dim, &head)], view.technique(*number).unwrap_or("not in the catalogue"));
        }
        left_out(page, case.techniques.len(), rows, "more technique");
    }
    if let Some(harmless) = &case.harmless_if {
        page.hanging(2, &[(Tone::Strong, "harmless if ")], harmless);
    }
}

/// What the score is the sum of.
fn contributions(page: &mut Page, case: &Case, rows: usize) {
    if case.contributions.is_empty() {
        return;
    }
    let head = format!("score {} of 100", case.score);
    page.line(2, &[(Tone::Strong, &head)]);
    for contribution in case.contributions.iter().take(rows) {
        let points = format!("{:>+4} ", contribution.points);
        let head = [(Tone::Notice, points.as_str()), (Tone::Plain, &contribution.rule), (Tone::Plain, ": ")];
        page.hanging(2, &head, &contribution.reason);
    }
    left_out(page, case.contributions.len(), rows, "more contribution");
}

fn left_out(page: &mut Page, number: usize, shown: usize, noun: &str) {
    if let Some(further @ 1..) = number.checked_sub(shown) {
        let text = format!("and {} (-v lists all)", count(further, noun));
        page.line(4, &[(Tone::Dim, &text)]);
    }
}

/// `1. collect (build-time): reads by …`, and where.
fn chain_step(page: &mut Page, number: usize, step: &ChainStep) {
    let number = format!("{number:>2}. ");
    let when = step.phase.map(|phase| format!(" ({})", phase.as_str())).unwrap_or_default();
    let head = [
        (Tone::Dim, number.as_str()),
        (Tone::Warning, step.kind.as_str()),
        (Tone::Dim, &when),
        (Tone::Plain, ": "),
    ];
    page.hanging(3, &head, &step.text);
    if let Some(evidence) = &step.evidence {
        let line = evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
        page.line(7, &[(Tone::Dim, "at "), (Tone::Plain, &evidence.file), (Tone::Plain, &line)]);
    }
}

/// A package that was not, or not wholly, checked, and the reason.
pub(super) fn unchecked(page: &mut Page, outcome: &Outcome) {
    let package = &outcome.package;
    let version = format!(" {}", package.version);
    page.line(2, &[(Tone::Strong, &package.name), (Tone::Strong, &version)]);
    page.paragraph(4, outcome.reason.as_deref().unwrap_or("no reason given"));
}

/// The advisory database, or what its absence means.
pub(super) fn advisories(page: &mut Page, advisories: &Known<AdvisoryDatabase>) {
    let head = (Tone::Strong, "advisories: ");
    match advisories.as_result() {
        Ok(database) => {
            let revision =
                database.revision.as_deref().map(|it| format!(" at {}", short(it))).unwrap_or_default();
            let age = format!("updated {}", age(database.age));
            page.hanging(0, &[head], &format!("{}{revision}, {age}", database.path));
        }
        Err(reason) => {
            let head = [head, (Tone::Error, "none")];
            page.hanging(0, &head, &format!("; known vulnerabilities were not looked for: {reason}"));
        }
    }
}

/// The first twelve characters of a commit, as git abbreviates.
fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}
