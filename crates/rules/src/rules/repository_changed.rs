//! Updates that name another repository or other authors.

use cratekeeper_model::{
    Change, ChangeDirection, ChangeKind, Confidence, Finding, RuleInput, Severity, repository_key,
};

use crate::rule::{Complete, Family, Rule, finding};
use crate::text::{NAME, quoted};
use crate::update::{Update, places, with_update};

pub(super) const RULE: Rule = Rule {
    id: "repository-changed",
    family: Family::Difference,
    title: "An update says that it comes from somebody else's repository",
    explanation: "\
**Looks at:** `package.repository` and `package.authors`: whether host or owner of the repository changed since the version
before, whether it was removed, and whether all authors were exchanged at the same time. Everything together gives `medium`
with low confidence, one alone `low`.

**Why:** a crate that changes hands changes both. Whoever publishes under a stolen account leaves them as they are, and whoever
bought, inherited or re-registered a crate does not.

**Harmless when:** a project moves to an organisation or another host, which many do.

**What to do:** open both repositories: the old one mostly says where the project went.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[40],
    evaluate: |input: &RuleInput| with_update(input, |update| found(update).into_iter().collect()),
};

fn found(update: Update<'_>) -> Option<Finding> {
    let of = |kind| update.difference.changes.iter().find(move |change: &&Change| change.kind == kind);
    let repository = of(ChangeKind::Repository).filter(|it| is_of_another_owner(it));
    let authors = of(ChangeKind::Authors).filter(|it| are_all_others(it));
    let (severity, confidence) = match (repository, authors) {
        (Some(_), Some(_)) => (Severity::Medium, Confidence::Low),
        (Some(it), None) if it.direction == ChangeDirection::Removed => (Severity::Low, Confidence::Medium),
        (Some(_), None) | (None, Some(_)) => (Severity::Low, Confidence::Low),
        (None, None) => return None,
    };
    let said = |change: &Change| {
        let text =
            |value: &Option<String>| value.as_deref().map_or("nothing".to_owned(), |it| quoted(it, NAME));
        let subject = quoted(&change.subject, NAME);
        format!("{subject} was {} and is {}", text(&change.before), text(&change.after))
    };
    let changes: Vec<&Change> = repository.into_iter().chain(authors).collect();
    let message = changes.iter().map(|it| said(it)).collect::<Vec<_>>().join("; ");
    Some(
        finding(&RULE, severity, confidence, format!("since {}, {message}", update.since))
            .with_evidence(places(changes))
            .with_help("look at both places, and at who publishes the crate now")
            .pointing_to([40]),
    )
}

/// Whether host or owner are others; a repository that is named for the first time is welcome.
fn is_of_another_owner(change: &Change) -> bool {
    let owner = |url: &Option<String>| {
        url.as_deref().map(|url| repository_key(url).split('/').take(2).collect::<Vec<_>>().join("/"))
    };
    change.before.is_some() && owner(&change.before) != owner(&change.after)
}

/// Whether nobody who was an author is one now; a list that was removed is no hint, because cargo asks for none any more.
fn are_all_others(change: &Change) -> bool {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let after: Vec<&str> = after.split(", ").collect();
            !before.split(", ").any(|author| after.contains(&author))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Confidence, Severity};

    use super::RULE;
    use crate::test_support::{added, one, silent, updated};

    fn changed(kind: ChangeKind, subject: &str, before: &str, after: &str) -> Change {
        let value = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let direction = if after.is_empty() { ChangeDirection::Removed } else { ChangeDirection::Changed };
        Change { direction, before: value(before), after: value(after), ..added(kind, subject) }
    }

    fn repository(before: &str, after: &str) -> Change {
        changed(ChangeKind::Repository, "repository", before, after)
    }

    #[test]
    fn another_owner_is_told() {
        let moved = repository("https://forge.example.invalid/a/x", "https://forge.example.invalid/b/x");
        one(&RULE, &updated("1.2.2", vec![moved.clone()]), Severity::Low, Confidence::Low);
        let authors = changed(ChangeKind::Authors, "authors", "A, B", "C");
        let finding = one(&RULE, &updated("1.2.2", vec![moved, authors]), Severity::Medium, Confidence::Low);
        assert_eq!(finding.techniques, [40]);
    }

    #[test]
    fn a_repository_that_is_gone_is_told() {
        let gone = repository("https://forge.example.invalid/a/x", "");
        one(&RULE, &updated("1.2.2", vec![gone]), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn spelling_another_name_and_one_more_author_are_silent() {
        silent(
            &RULE,
            &updated("1.2.2", vec![repository("https://h.example/a/x", "http://H.example/a/y.git")]),
        );
        silent(&RULE, &updated("1.2.2", vec![added(ChangeKind::Repository, "repository")]));
        silent(&RULE, &updated("1.2.2", vec![changed(ChangeKind::Authors, "authors", "A", "A, B")]));
        silent(&RULE, &updated("1.2.2", vec![changed(ChangeKind::Authors, "authors", "A", "")]));
    }
}
