//! Crates without dependencies that gain their first.

use cratekeeper_model::facts::DependencySection;
use cratekeeper_model::{
    Change, ChangeDirection, ChangeKind, Confidence, Facts, Finding, History, Known, RuleInput, Severity,
};

use crate::past::DAY;
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, printable, quoted};
use crate::update::{Step, Update, places, with_update};

pub(super) const RULE: Rule = Rule {
    id: "gains-first-dependency",
    family: Family::Difference,
    title: "A crate that never had a dependency has one now, as far as two versions tell",
    explanation: "\
**Looks at:** whether the version before depended on nothing at all and this one does, optional dependencies left out. `medium`
with low confidence in a patch release, otherwise `low`.

**Why:** `arrayref` had 76 lines and no dependency for eight years; the version that a stolen account published in August 2026 had
one, and the payload was there. A crate without dependencies stays so on purpose.

**Harmless when:** it is a part of the crate that was split off, or an established crate that a new feature needs.

**What to do:** inspect the dependency: how old is it, who owns it, what does it run at build time?",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[31],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    match &input.facts {
        // Who knows the whole past says it better: `first-dependency`.
        Known::Known(_) if input.history.value().is_some_and(is_long) => Evaluation::silent(),
        Known::Known(facts) => with_update(input, |update| found(update, facts).into_iter().collect()),
        Known::Unknown(reason) => Evaluation::NotEvaluated(reason.clone()),
    }
}

/// Whether the past is long enough for `first-dependency`: three versions before this one, or three months.
fn is_long(history: &History) -> bool {
    let times = || history.versions.iter().filter_map(|it| it.published.value().copied());
    let span = times().max().unwrap_or(0).saturating_sub(times().min().unwrap_or(0));
    history.versions.len() > 3 || span >= 90 * DAY
}

fn found(update: Update<'_>, facts: &Facts) -> Option<Finding> {
    let kinds = [ChangeKind::Dependency, ChangeKind::BuildDependency];
    let came: Vec<&Change> = kinds.into_iter().flat_map(|kind| update.added(kind)).collect();
    let had_some = [ChangeDirection::Removed, ChangeDirection::Changed]
        .into_iter()
        .any(|direction| kinds.into_iter().any(|kind| update.of(kind, direction).next().is_some()));
    let is_new = |name: &str| came.iter().any(|it| it.subject == name);
    let mut has_old = facts
        .manifest
        .dependencies
        .iter()
        .filter(|it| it.section != DependencySection::Dev)
        .map(|it| it.package.as_deref().unwrap_or(&it.name));
    let needed: Vec<&&Change> = came.iter().filter(|it| !is_optional(it)).collect();
    // A list of changes that was cut does not say what was there before.
    if had_some || update.difference.left_out > 0 || has_old.any(|name| !is_new(name)) {
        return None;
    }
    let first = needed.first()?;
    let (severity, confidence) = match update.step {
        Step::Patch => (Severity::Medium, Confidence::Low),
        Step::Minor => (Severity::Low, Confidence::Medium),
        Step::Major => (Severity::Low, Confidence::Low),
    };
    let message =
        format!("{} had no dependency and this version needs {}", update.since, quoted(&first.subject, NAME));
    Some(
        finding(&RULE, severity, confidence, message)
            .with_evidence(places(needed.iter().map(|it| **it)))
            .with_help(format!("look at {} before you take the update", printable(&first.subject, NAME)))
            .pointing_to([31]),
    )
}

fn is_optional(change: &Change) -> bool {
    change.after.as_deref().is_some_and(|text| text.split(", ").any(|part| part == "optional"))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Dependency, DependencySection};
    use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{added, not_evaluated, one, silent, updated};

    fn with_dependencies(mut input: RuleInput, names: &[&str], section: DependencySection) -> RuleInput {
        if let Known::Known(facts) = &mut input.facts {
            facts.manifest.dependencies.extend(names.iter().map(|name| Dependency {
                name: (*name).to_owned(),
                package: None,
                requirement: None,
                section,
                target: None,
                optional: false,
                default_features: true,
                features: Vec::new(),
                registry: None,
                git: None,
                path: None,
                workspace: false,
            }));
        }
        input
    }

    #[test]
    fn the_first_one_is_told() {
        let update = updated("1.2.2", vec![added(ChangeKind::Dependency, "new")]);
        let input = with_dependencies(update, &["new"], DependencySection::Normal);
        let finding = one(&RULE, &input, Severity::Medium, Confidence::Low);
        assert_eq!(finding.techniques, [31]);
        one(
            &RULE,
            &with_dependencies(input, &["test"], DependencySection::Dev),
            Severity::Medium,
            Confidence::Low,
        );
    }

    #[test]
    fn one_more_is_silent() {
        let update = updated("1.2.2", vec![added(ChangeKind::Dependency, "new")]);
        silent(&RULE, &with_dependencies(update, &["new", "old"], DependencySection::Normal));
        let removed = Change { direction: ChangeDirection::Removed, ..added(ChangeKind::Dependency, "old") };
        let update = updated("1.2.2", vec![added(ChangeKind::Dependency, "new"), removed]);
        silent(&RULE, &with_dependencies(update, &["new"], DependencySection::Normal));
    }

    #[test]
    fn an_optional_one_is_silent() {
        let optional = Change {
            after: Some("new = \"1\", optional".to_owned()),
            ..added(ChangeKind::Dependency, "new")
        };
        silent(
            &RULE,
            &with_dependencies(updated("1.2.2", vec![optional]), &["new"], DependencySection::Normal),
        );
    }

    #[test]
    fn without_a_version_before_there_is_no_answer() {
        not_evaluated(&RULE, &crate::test_support::input());
    }
}
