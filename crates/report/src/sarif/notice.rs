//! What made a run less than complete, as SARIF's notifications.

use std::collections::BTreeMap;

use cratekeeper_model::{Known, Outcome, PackageStatus, UnresolvedDependency};
use serde_json::json;
use serde_sarif::sarif::{Invocation, Notification, ReportingDescriptor, ReportingDescriptorReference};

use super::rules::{RuleTable, text};
use super::{Anchor, RunWide, bag, message, unlinked};
use crate::text::count;
use crate::unresolved;

/// Kinds of notifications; SARIF lists them beside the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    CouldNotCheck,
    Partial,
    NotEvaluated,
    NoAdvisories,
    Note,
    Unresolved,
}

impl Notice {
    pub(super) const ALL: [Notice; 6] = [
        Notice::CouldNotCheck,
        Notice::Partial,
        Notice::NotEvaluated,
        Notice::NoAdvisories,
        Notice::Note,
        Notice::Unresolved,
    ];

    fn id(self) -> &'static str {
        match self {
            Notice::CouldNotCheck => "could-not-check",
            Notice::Partial => "partial",
            Notice::NotEvaluated => "not-evaluated",
            Notice::NoAdvisories => "no-advisories",
            Notice::Note => "note",
            // Another word than the rule's: viewers keep both in one list.
            Notice::Unresolved => "dependency-not-checked",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Notice::CouldNotCheck => "A package could not be checked",
            Notice::Partial => "A package could be checked in part only",
            Notice::NotEvaluated => "A rule lacked an input and gave no answer",
            Notice::NoAdvisories => "There is no advisory database",
            Notice::Note => "Something made the run as a whole less than complete",
            Notice::Unresolved => "A dependency is not in the lockfile and could not be checked",
        }
    }

    fn level(self) -> &'static str {
        match self {
            Notice::CouldNotCheck | Notice::Unresolved => "error",
            Notice::Partial | Notice::NoAdvisories | Notice::Note => "warning",
            Notice::NotEvaluated => "note",
        }
    }

    pub(super) fn descriptor(self) -> ReportingDescriptor {
        ReportingDescriptor::builder().id(self.id()).short_description(text(self.title())).build()
    }

    fn notification(self, text: &str) -> Notification {
        let index = Notice::ALL.iter().position(|it| *it == self).and_then(|it| i64::try_from(it).ok());
        let mut descriptor = ReportingDescriptorReference::builder().id(self.id()).build();
        descriptor.index = index;
        Notification::builder()
            .descriptor(descriptor)
            .level(json!(self.level()))
            .message(message(unlinked(text)))
            .build()
    }
}

/// The one invocation of a run, with everything that it could not do.
pub(super) fn notices(
    packages: &[&Outcome],
    anchor: &Anchor<'_>,
    rules: &RuleTable<'_>,
    run: &RunWide<'_>,
) -> Invocation {
    let mut notifications = Vec::new();
    for outcome in packages {
        notifications.extend(about_package(outcome, anchor));
    }
    notifications.extend(not_evaluated(packages, rules));
    if let Known::Unknown(reason) = run.advisories {
        notifications.push(Notice::NoAdvisories.notification(&format!("no advisory database: {reason}")));
    }
    notifications.extend(run.notes.iter().map(|note| Notice::Note.notification(note)));
    notifications.extend(run.unresolved.iter().map(|it| about_dependency(it, anchor)));

    let all_checked = run.unresolved.is_empty()
        && packages.iter().all(|outcome| outcome.status != PackageStatus::CouldNotCheck);
    Invocation::builder()
        .execution_successful(all_checked)
        .tool_execution_notifications(notifications)
        .build()
}

fn about_package(outcome: &Outcome, anchor: &Anchor<'_>) -> Option<Notification> {
    let (notice, what) = match outcome.status {
        PackageStatus::Checked | PackageStatus::Local => return None,
        PackageStatus::Partial => (Notice::Partial, "was checked in part only"),
        PackageStatus::CouldNotCheck => (Notice::CouldNotCheck, "could not be checked"),
    };
    let package = &outcome.package;
    let reason = outcome.reason.as_deref().unwrap_or("no reason given");
    let mut notification =
        notice.notification(&format!("{} {} {what}: {reason}", package.name, package.version));
    notification.locations = Some(vec![anchor.location(outcome, None)]);
    notification.properties = Some(bag([("package", json!(package.id.as_str()))]));
    Some(notification)
}

fn about_dependency(dependency: &UnresolvedDependency, anchor: &Anchor<'_>) -> Notification {
    let missing = unresolved::missing(dependency);
    let text = format!("{missing} is not in the lockfile, so it could not be checked");
    let mut notification = Notice::Unresolved.notification(&text);
    notification.locations = Some(vec![anchor.manifest(dependency)]);
    notification
}

/// One for each rule and reason, whatever the number of packages.
fn not_evaluated(packages: &[&Outcome], rules: &RuleTable<'_>) -> Vec<Notification> {
    let mut affected: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for it in packages.iter().flat_map(|outcome| &outcome.case.not_evaluated) {
        *affected.entry((&it.rule, &it.reason)).or_default() += 1;
    }
    let notification = |((rule, reason), number): ((&str, &str), usize)| {
        let text = format!("{rule} was not evaluated for {}: {reason}", count(number, "package"));
        let mut notification = Notice::NotEvaluated.notification(&text);
        notification.associated_rule = Some(rules.reference(rule));
        notification.properties = Some(bag([("packages", json!(number))]));
        notification
    };
    affected.into_iter().map(notification).collect()
}
