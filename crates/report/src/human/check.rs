//! `check` as text.

use std::cmp::Reverse;

use cratekeeper_model::{CheckOutcome, Finding, Outcome, PackageStatus, Severity, Verdict};

use super::page::{Page, Tone};
use super::{Detail, Threshold, View, findings, groups, next, policy};
use crate::text::{count, thousands};
use crate::unresolved;

/// Everything, worst first, ending with what to do.
pub(super) fn full(page: &mut Page, view: &View<'_>, outcome: &CheckOutcome) {
    let verbose = view.detail == Detail::Verbose;
    let crowded = groups::crowded(&outcome.packages);
    let in_a_line =
        |package: &Outcome, finding: &Finding| !verbose && groups::is_in_a_line(package, finding, &crowded);
    blocks(page, view, outcome, |package, finding| !in_a_line(package, finding));
    unresolved(page, outcome);
    unchecked(page, outcome, PackageStatus::CouldNotCheck, Tone::Error, "could not check");
    unchecked(page, outcome, PackageStatus::Partial, Tone::Warning, "checked in part only");
    if verbose {
        silent(page, outcome);
    } else {
        groups::in_lines(page, view, &outcome.packages, &crowded);
    }
    groups::not_evaluated(page, view, outcome.packages.iter());
    verdicts(page, outcome);
    if !outcome.notes.is_empty() {
        page.heading(Tone::Warning, "notes");
        for note in &outcome.notes {
            page.paragraph(2, note);
        }
    }
    summary(page, outcome);
    page.blank();
    findings::advisories(page, &outcome.advisories);
    page.hanging(0, &[(Tone::Strong, "result: ")], &result(view.threshold, outcome));
    next::after_check(page, view, outcome);
}

/// What reaches the threshold, what could not be checked, and one line.
pub(super) fn quiet(page: &mut Page, view: &View<'_>, outcome: &CheckOutcome) {
    blocks(page, view, outcome, |package, finding| {
        // A level concerns the whole case; what is merely worth knowing shows only if there is nothing else.
        let counts = finding.severity > Severity::Info || package.case.worst() == Some(Severity::Info);
        counts && view.threshold.is_reached(&package.case, finding)
    });
    unresolved(page, outcome);
    if !outcome.unread_manifests.is_empty() {
        page.heading(Tone::Error, "not compared with the lockfile");
        for problem in &outcome.unread_manifests {
            page.paragraph(2, problem);
        }
    }
    unchecked(page, outcome, PackageStatus::CouldNotCheck, Tone::Error, "could not check");
    if !page.is_empty() {
        page.blank();
    }
    page.line(0, &[(Tone::Plain, &sum(outcome))]);
}

/// One block for each package with findings that `wanted` lets through.
fn blocks(
    page: &mut Page,
    view: &View<'_>,
    outcome: &CheckOutcome,
    wanted: impl Fn(&Outcome, &Finding) -> bool,
) {
    let mut packages: Vec<&Outcome> = outcome.packages.iter().collect();
    packages.sort_by_key(|it| Reverse((it.case.level, it.case.score, it.case.worst())));
    for package in packages {
        let mut wanted = package.case.findings.iter().filter(|finding| wanted(package, finding)).peekable();
        if wanted.peek().is_none() {
            continue;
        }
        if !page.is_empty() {
            page.blank();
        }
        findings::head(page, package);
        if view.detail == Detail::Verbose || !is_unambiguous(package, outcome) {
            page.line(2, &[(Tone::Dim, "from "), (Tone::Dim, &package.package.source.to_string())]);
        }
        findings::story(page, view, package);
        for finding in wanted {
            findings::finding(page, finding, view.detail);
        }
    }
}

/// What policy does not simply allow.
fn verdicts(page: &mut Page, outcome: &CheckOutcome) {
    let mut held: Vec<_> = outcome
        .packages
        .iter()
        .filter_map(|it| Some((it, it.policy.as_ref()?)))
        .filter(|(_, answer)| answer.verdict > Verdict::Allow || answer.has_waivers())
        .collect();
    if held.is_empty() {
        return;
    }
    held.sort_by_key(|(_, answer)| Reverse(answer.verdict));
    page.heading(Tone::Warning, "policy");
    for (outcome, answer) in held {
        let name = format!("{} {}  ", outcome.package.name, outcome.package.version);
        let clause = answer.clause.as_ref().map(|it| format!("  {it}: ")).unwrap_or_default();
        let head = [
            (Tone::Strong, name.as_str()),
            (policy::tone(answer.verdict), answer.verdict.as_str()),
            (Tone::Dim, &clause),
        ];
        page.hanging(2, &head, &answer.reason);
        policy::waived(page, 4, answer);
    }
}

/// Whether name and version alone say which package is meant.
fn is_unambiguous(package: &Outcome, outcome: &CheckOutcome) -> bool {
    let this = &package.package;
    let same = outcome
        .packages
        .iter()
        .filter(|it| it.package.name == this.name && it.package.version == this.version);
    same.count() == 1
}

/// Dependencies that manifests name and the lockfile lacks.
fn unresolved(page: &mut Page, outcome: &CheckOutcome) {
    let dependencies = outcome.unresolved_dependencies();
    if dependencies.is_empty() {
        return;
    }
    let number = dependencies_of(dependencies.len());
    page.heading(Tone::Error, &format!("not in the lockfile, so not checked: {number}"));
    for dependency in dependencies {
        page.line(2, &[(Tone::Strong, &unresolved::missing(dependency))]);
        let line = format!(":{}", dependency.line);
        page.line(4, &[(Tone::Dim, "at "), (Tone::Plain, &dependency.manifest), (Tone::Plain, &line)]);
        if let Some(question) = unresolved::question(dependency) {
            page.paragraph(4, &question);
        }
        page.hanging(4, &[(Tone::Notice, "help: ")], unresolved::help(dependency));
    }
}

fn dependencies_of(number: usize) -> String {
    if number == 1 { "1 dependency".to_owned() } else { format!("{} dependencies", thousands(number)) }
}

fn unchecked(page: &mut Page, outcome: &CheckOutcome, status: PackageStatus, tone: Tone, heading: &str) {
    let number = outcome.count(status);
    if number == 0 {
        return;
    }
    page.heading(tone, &format!("{heading}: {}", count(number, "package")));
    for package in outcome.packages.iter().filter(|it| it.status == status) {
        findings::unchecked(page, package);
    }
}

/// Packages that were looked at and gave no findings.
fn silent(page: &mut Page, outcome: &CheckOutcome) {
    let is_silent = |it: &&Outcome| it.status == PackageStatus::Checked && it.case.findings.is_empty();
    let silent = outcome.packages.iter().filter(is_silent);
    let names: Vec<String> = silent.map(|it| format!("{} {}", it.package.name, it.package.version)).collect();
    if !names.is_empty() {
        page.heading(Tone::Good, &format!("no findings: {}", count(names.len(), "package")));
        page.paragraph(2, &names.join(", "));
    }
}

fn summary(page: &mut Page, outcome: &CheckOutcome) {
    page.heading(Tone::Strong, &format!("summary of {}", outcome.lockfile));
    let status = |label, status, tone| (label, outcome.count(status), tone);
    let packages = [
        ("packages", outcome.packages.len(), Tone::Plain),
        status("  checked", PackageStatus::Checked, Tone::Plain),
        status("  partial", PackageStatus::Partial, Tone::Warning),
        status("  could not check", PackageStatus::CouldNotCheck, Tone::Error),
        status("  local", PackageStatus::Local, Tone::Plain),
    ];
    let total: usize = Severity::ALL.iter().map(|severity| outcome.findings(*severity)).sum();
    let mut found = vec![("findings".to_owned(), total, Tone::Plain)];
    for severity in Severity::ALL.into_iter().rev() {
        found.push((format!("  {severity}"), outcome.findings(severity), Tone::of_severity(severity)));
    }
    for (index, (label, number, tone)) in found.iter().enumerate() {
        let left = packages.get(index).map_or((" ".repeat(25), Tone::Plain), |(label, number, tone)| {
            (format!("{label:<18}{:>7}", thousands(*number)), tone_of(*number, *tone))
        });
        let right = format!("    {label:<12}{:>7}", thousands(*number));
        page.line(2, &[(left.1, &left.0), (tone_of(*number, *tone), &right)]);
    }
}

fn tone_of(number: usize, tone: Tone) -> Tone {
    if number == 0 { Tone::Plain } else { tone }
}

/// What the exit code says, in words.
fn result(threshold: Threshold, outcome: &CheckOutcome) -> String {
    let is_reached =
        |it: &&Outcome| it.case.findings.iter().any(|finding| threshold.is_reached(&it.case, finding));
    let reached = outcome.packages.iter().filter(is_reached).count();
    let at_or_above = match (threshold.severity, threshold.level) {
        (Some(severity), Some(level)) => format!("severity {severity} or level {level}"),
        (Some(severity), None) => format!("severity {severity}"),
        (None, Some(level)) => format!("level {level}"),
        (None, None) => "any threshold".to_owned(),
    };
    let reached = if reached == 0 { "no packages".to_owned() } else { count(reached, "package") };
    let reached = format!("{reached} with findings at or above {at_or_above}");
    let mut parts = vec![reached];
    match outcome.count(PackageStatus::CouldNotCheck) {
        0 => {}
        unchecked => parts.push(format!("{} could not be checked", count(unchecked, "package"))),
    }
    parts.extend(not_in_the_lockfile(outcome));
    parts.join("; ")
}

fn not_in_the_lockfile(outcome: &CheckOutcome) -> Option<String> {
    let missing = match outcome.unresolved_dependencies().len() {
        0 => None,
        number => Some(format!("{} not in the lockfile", dependencies_of(number))),
    };
    let unread =
        (!outcome.unread_manifests.is_empty()).then(|| "not every manifest was compared with it".to_owned());
    match (missing, unread) {
        (Some(missing), Some(unread)) => Some(format!("{missing}; {unread}")),
        (missing, unread) => missing.or(unread),
    }
}

fn sum(outcome: &CheckOutcome) -> String {
    let status = |status: PackageStatus| match outcome.count(status) {
        0 => None,
        number => Some(format!("{} {status}", thousands(number))),
    };
    let severity = |severity: Severity| match outcome.findings(severity) {
        0 => None,
        number => Some(format!("{} {severity}", thousands(number))),
    };
    let statuses =
        [PackageStatus::Checked, PackageStatus::Partial, PackageStatus::CouldNotCheck, PackageStatus::Local];
    let statuses: Vec<String> = statuses.into_iter().filter_map(status).collect();
    let severities: Vec<String> = Severity::ALL.into_iter().rev().filter_map(severity).collect();
    let packages = count(outcome.packages.len(), "package");
    let statuses = if statuses.is_empty() { String::new() } else { format!(" ({})", statuses.join(", ")) };
    let findings = if severities.is_empty() { "none".to_owned() } else { severities.join(", ") };
    let unresolved = not_in_the_lockfile(outcome).map(|it| format!("; {it}")).unwrap_or_default();
    format!("{packages}{statuses}; findings: {findings}{unresolved}")
}
