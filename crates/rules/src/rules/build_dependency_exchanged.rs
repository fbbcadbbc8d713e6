//! Build dependencies that become others in an update.

use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Confidence, Finding, RuleInput, Severity};

use crate::rule::{Complete, Family, Rule, finding};
use crate::text::{NAME, printable, quoted};
use crate::update::{Step, Update, places, with_update};

pub(super) const RULE: Rule = Rule {
    id: "build-dependency-exchanged",
    family: Family::Difference,
    title: "An update runs other crates at build time than the version before",
    explanation: "\
**Looks at:** build dependencies that came and went in one patch or minor release, that came alone in a patch, or that come from
another place now; and dependencies whose name says that they are macros. An exchange in a patch gives `medium`,
everything else `low`.

**Why:** what a build script or a macro crate does is done on the machine that builds. To exchange one takes a single line of a
manifest that nobody looks at in a release that claims to repair something.

**Harmless when:** the new crate is the successor of the old one, or was split off; the change log says so.

**What to do:** inspect the new crate: `cratekeeper inspect NAME@VERSION`.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[32],
    evaluate: |input: &RuleInput| with_update(input, |update| found(update).into_iter().collect()),
};

fn found(update: Update<'_>) -> Option<Finding> {
    let came: Vec<&Change> = of(update, ChangeDirection::Added).collect();
    let went: Vec<&Change> = of(update, ChangeDirection::Removed).collect();
    let moved: Vec<&Change> =
        of(update, ChangeDirection::Changed).filter(|it| comes_from_elsewhere(it)).collect();
    let has_new_script = update.added(ChangeKind::BuildScript).next().is_some();
    let (severity, confidence) = match (update.step, !came.is_empty() && !went.is_empty(), !moved.is_empty())
    {
        (Step::Major, ..) => return None,
        (Step::Patch, true, _) | (Step::Patch, _, true) => (Severity::Medium, Confidence::Low),
        (Step::Minor, true, _) | (Step::Minor, _, true) => (Severity::Low, Confidence::Low),
        // A new build script needs its dependencies: that is told there.
        (Step::Patch, false, false) if !came.is_empty() && !has_new_script => {
            (Severity::Low, Confidence::Medium)
        }
        _ => return None,
    };
    let names = |changes: &[&Change]| {
        let names: Vec<String> = changes.iter().take(3).map(|it| quoted(&it.subject, NAME)).collect();
        names.join(", ")
    };
    let message = match (went.is_empty(), came.is_empty()) {
        (false, false) => {
            format!("{} came in place of {} since {}", names(&came), names(&went), update.since)
        }
        (true, false) => format!("{} is new at build time since {}", names(&came), update.since),
        _ => format!("{} comes from another place since {}", names(&moved), update.since),
    };
    let name = came.first().or(moved.first()).map_or(String::new(), |it| printable(&it.subject, NAME));
    Some(
        finding(&RULE, severity, confidence, message)
            .with_evidence(places(came.iter().chain(&moved).chain(&went).copied()))
            .with_help(format!("find out what {name} is, and why it came in this release"))
            .pointing_to([32]),
    )
}

/// Changes of what runs at build time, as far as the manifest says.
fn of(update: Update<'_>, direction: ChangeDirection) -> impl Iterator<Item = &Change> {
    let build = update.of(ChangeKind::BuildDependency, direction);
    let macros = update.of(ChangeKind::Dependency, direction).filter(|it| sounds_like_macros(&it.subject));
    build.chain(macros)
}

/// Whether a crate's name says that it holds procedural macros; nothing else in a manifest does.
fn sounds_like_macros(name: &str) -> bool {
    name.split(['-', '_']).any(|part| matches!(part, "derive" | "macro" | "macros" | "codegen"))
}

/// Whether the same crate is taken from another registry, repository or directory.
fn comes_from_elsewhere(change: &Change) -> bool {
    let places = |text: &Option<String>| {
        let fields = text.iter().flat_map(|it| it.split(", ").map(str::to_owned));
        let keys = ["registry =", "git =", "path =", "package ="];
        fields.filter(|field| keys.iter().any(|key| field.starts_with(key))).collect::<Vec<_>>()
    };
    places(&change.before) != places(&change.after)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Confidence, Severity};

    use super::RULE;
    use crate::test_support::{added, one, silent, updated};

    fn removed(kind: ChangeKind, subject: &str) -> Change {
        Change { direction: ChangeDirection::Removed, ..added(kind, subject) }
    }

    #[test]
    fn an_exchange_in_a_patch_is_told() {
        for kind_and_name in [(ChangeKind::BuildDependency, "cc2"), (ChangeKind::Dependency, "thing-derive")]
        {
            let changes =
                vec![added(kind_and_name.0, kind_and_name.1), removed(ChangeKind::BuildDependency, "cc")];
            let finding = one(&RULE, &updated("1.2.2", changes.clone()), Severity::Medium, Confidence::Low);
            assert_eq!(finding.techniques, [32]);
            one(&RULE, &updated("1.1.0", changes), Severity::Low, Confidence::Low);
        }
    }

    #[test]
    fn the_same_crate_from_another_place_is_an_exchange() {
        let changed = Change {
            direction: ChangeDirection::Changed,
            before: Some("cc = \"1\"".to_owned()),
            after: Some("cc = \"1\", git = \"https://forge.example.invalid/x\"".to_owned()),
            ..added(ChangeKind::BuildDependency, "cc")
        };
        one(&RULE, &updated("1.2.2", vec![changed.clone()]), Severity::Medium, Confidence::Low);
        silent(&RULE, &updated("1.2.2", vec![Change { after: Some("cc = \"1.1\"".to_owned()), ..changed }]));
    }

    #[test]
    fn a_new_one_alone_counts_in_a_patch() {
        let new = added(ChangeKind::BuildDependency, "cc");
        one(&RULE, &updated("1.2.2", vec![new.clone()]), Severity::Low, Confidence::Medium);
        silent(&RULE, &updated("1.1.0", vec![new.clone()]));
        silent(&RULE, &updated("1.2.2", vec![added(ChangeKind::BuildScript, "build.rs"), new]));
    }

    #[test]
    fn ordinary_dependencies_and_what_only_went_are_silent() {
        silent(&RULE, &updated("1.2.2", vec![added(ChangeKind::Dependency, "log")]));
        silent(&RULE, &updated("1.2.2", vec![removed(ChangeKind::BuildDependency, "cc")]));
    }
}
