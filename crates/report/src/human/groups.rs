//! Many alike things in few lines.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::{Finding, Outcome, Severity};

use super::page::{Page, Tone};
use super::{Detail, View};
use crate::text::count;

/// Names listed for each rule unless everything was asked for.
const NAMES: usize = 8;

/// Packages that a rule's findings of low severity have to concern, and nothing worse, to be told in one line.
const CROWD: usize = 4;

/// Rules whose mild findings concern so many packages that one block for each would hide the rest.
pub(super) fn crowded(packages: &[Outcome]) -> BTreeSet<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in packages.iter().filter(|it| it.case.worst() == Some(Severity::Low)) {
        let rules: BTreeSet<&str> = outcome
            .case
            .findings
            .iter()
            .filter(|it| it.severity == Severity::Low)
            .map(|it| it.rule.as_str())
            .collect();
        rules.into_iter().for_each(|rule| *counts.entry(rule).or_default() += 1);
    }
    counts.into_iter().filter(|(_, count)| *count >= CROWD).map(|(rule, _)| rule).collect()
}

/// Whether a finding is told in its rule's line rather than in a block of its package.
pub(super) fn is_in_a_line(outcome: &Outcome, finding: &Finding, crowded: &BTreeSet<&str>) -> bool {
    match finding.severity {
        Severity::Info => true,
        Severity::Low => {
            outcome.case.worst() == Some(Severity::Low) && crowded.contains(finding.rule.as_str())
        }
        _ => false,
    }
}

/// Findings that are worth knowing and no more, one line for each rule.
pub(super) fn in_lines(page: &mut Page, view: &View<'_>, packages: &[Outcome], crowded: &BTreeSet<&str>) {
    let mut rules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for outcome in packages {
        for finding in outcome.case.findings.iter().filter(|it| is_in_a_line(outcome, it, crowded)) {
            let names = rules.entry(&finding.rule).or_default();
            // Two findings of one rule in one package count once; findings of a package stand together.
            if names.last() != Some(&outcome.package.name.as_str()) {
                names.push(&outcome.package.name);
            }
        }
    }
    if rules.is_empty() {
        return;
    }
    page.heading(Tone::Strong, "worth knowing");
    for (rule, names) in rules {
        let title = view.title(rule).map(|it| format!("({it})")).unwrap_or_default();
        let head = if title.is_empty() { rule.to_owned() } else { format!("{rule} ") };
        let listed = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
        let rest = match names.len().saturating_sub(NAMES) {
            0 => String::new(),
            rest => format!(" and {rest} more (-v lists all)"),
        };
        let text = format!("{title}: {}: {listed}{rest}", count(names.len(), "package"));
        page.hanging(2, &[(Tone::Strong, &head)], &text);
    }
}

/// Rules that gave no answer: one line for those that share reason and number of packages.
pub(super) fn not_evaluated<'a>(
    page: &mut Page,
    view: &View<'_>,
    packages: impl Iterator<Item = &'a Outcome>,
) {
    let mut reasons: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for outcome in packages {
        for it in &outcome.case.not_evaluated {
            reasons.entry(&it.reason).or_default().entry(&it.rule).or_default().push(&outcome.package.name);
        }
    }
    if reasons.is_empty() {
        return;
    }
    page.heading(Tone::Warning, "not evaluated");
    for (reason, rules) in reasons {
        let mut alike: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
        for (rule, names) in rules {
            alike.entry(names).or_default().push(rule);
        }
        for (names, rules) in alike {
            let packages = count(names.len(), "package");
            let text = format!("{}: not evaluated for {packages}: {reason}", rules.join(", "));
            page.hanging(2, &[(Tone::Plain, "")], &text);
            if view.detail == Detail::Verbose {
                page.paragraph(4, &names.join(", "));
            }
        }
    }
}
