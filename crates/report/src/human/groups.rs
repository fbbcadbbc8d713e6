//! Many alike things in few lines.

use std::collections::BTreeMap;

use cratekeeper_model::{Outcome, Severity};

use super::page::{Page, Tone};
use super::{Detail, View};
use crate::text::count;

/// Names listed for each rule unless everything was asked for.
const NAMES: usize = 8;

/// Findings that are worth knowing and no more, one line for each rule.
pub(super) fn info(page: &mut Page, view: &View<'_>, packages: &[Outcome]) {
    let mut rules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for outcome in packages {
        for finding in outcome.case.findings.iter().filter(|it| it.severity == Severity::Info) {
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
