//! A manifest that is not what its original normalises to.

use cratekeeper_model::facts::ManifestDifference;
use cratekeeper_model::{Confidence, Evidence, Finding, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "manifest-differs-from-original",
    family: Family::Package,
    title: "`Cargo.toml` says something else than `Cargo.toml.orig`",
    explanation: "\
**Looks at:** the two manifests of a published package. Cargo writes `Cargo.toml` from `Cargo.toml.orig` when it packs:
it resolves what is inherited from a workspace and spells things out, but never adds a dependency or changes a
requirement, a feature or what runs at build time. Differences that cargo makes are left out; those that remain give
`high` for dependencies, features, `links`, the library and the build script, and `medium` for other fields and for
development dependencies.

**Why:** people and some tools read the original, cargo obeys the other. A package that differs was not packed by
cargo alone, or was changed afterwards. Other registries know the attack as manifest confusion (npm, 2023). A package
without `Cargo.toml.orig` has nothing to compare, and is silent here.

**Harmless when:** a publishing tool edits the manifest after cargo has packed, or a version of cargo normalises in a
way that we do not know yet.

**What to do:** compare the two files, and both with the repository. Ask the publisher how the package was made.",
    severities: &[Severity::Medium, Severity::High],
    techniques: &[29],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let groups =
            by_weight(&facts.manifest.differences, |it| Some((severity(&it.field), Confidence::High)));
        groups.into_iter().map(found).collect()
    })
}

/// By what the field decides: what is built and run, or what is shown. `target.….dev-dependencies.…` ends in a name
/// that the publisher chooses, so the table is looked for before it.
fn severity(field: &str) -> Severity {
    let is_development = field.starts_with("dev-dependencies.")
        || (field.starts_with("target.")
            && !field.contains(".build-dependencies.")
            && !field.contains(".dependencies."));
    let is_shown = field.starts_with("package.") && field != "package.links";
    if is_development || is_shown { Severity::Medium } else { Severity::High }
}

fn found(
    ((severity, confidence), differences): ((Severity, Confidence), Vec<&ManifestDifference>),
) -> Finding {
    let first = differences[0];
    let message = format!(
        "`Cargo.toml` and `Cargo.toml.orig` differ in {}, which cargo does not change: {} is {}, and was {}",
        count(differences.len(), "field", "fields"),
        quoted(&first.field, NAME),
        value(first.published.as_deref()),
        value(first.original.as_deref())
    );
    finding(&RULE, severity, confidence, message)
        .pointing_to([29])
        .with_evidence(differences.iter().flat_map(|difference| evidence(difference)))
        .with_help(
            "compare both manifests with the repository, and ask the publisher how the package was made",
        )
}

/// Both manifests, each with its value.
fn evidence(difference: &ManifestDifference) -> [Evidence; 2] {
    let field = printable(&difference.field, NAME);
    [("Cargo.toml", &difference.published), ("Cargo.toml.orig", &difference.original)].map(|(file, says)| {
        let says = says.as_deref().map_or("absent".to_owned(), |it| printable(it, EXCERPT));
        place(file, None, Some(format!("{field}: {says}")))
    })
}

fn value(value: Option<&str>) -> String {
    value.map_or("absent".to_owned(), |value| quoted(value, NAME))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::ManifestDifference;
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, silent, weights, with};

    fn differing(fields: &[&str]) -> RuleInput {
        let difference = |field: &&str| ManifestDifference {
            field: (*field).to_owned(),
            published: Some("1.0.107".to_owned()),
            original: None,
        };
        let differences = fields.iter().map(difference).collect();
        with(|facts| facts.manifest.differences = differences)
    }

    /// A dependency that only cargo sees: technique 29, as in npm's manifest confusion of 2023.
    #[test]
    fn the_wild_hidden_dependency_is_high() {
        let input = differing(&["dependencies.helper"]);
        let finding = one(&RULE, &input, Severity::High, Confidence::High);
        assert!(finding.message.ends_with("`dependencies.helper` is `1.0.107`, and was absent"));
        let places: Vec<(&str, &str)> =
            finding.evidence.iter().map(|it| (it.file.as_str(), it.excerpt.as_deref().unwrap())).collect();
        assert_eq!(
            places,
            [
                ("Cargo.toml", "dependencies.helper: 1.0.107"),
                ("Cargo.toml.orig", "dependencies.helper: absent")
            ]
        );
    }

    #[test]
    fn what_is_built_or_run_is_high() {
        for field in [
            "dependencies.a.version",
            "build-dependencies.a",
            "target.cfg(windows).dependencies.a",
            "target.cfg(unix).build-dependencies.a.package",
            "features.default",
            "build",
            "lib",
            "lib.proc-macro",
            "package.links",
            "dependencies.dev-dependencies.a",
            "of a later version",
        ] {
            one(&RULE, &differing(&[field]), Severity::High, Confidence::High);
        }
    }

    #[test]
    fn what_is_shown_is_medium() {
        for field in [
            "package.repository",
            "package.license",
            "dev-dependencies.a",
            "target.cfg(unix).dev-dependencies.a",
        ] {
            one(&RULE, &differing(&[field]), Severity::Medium, Confidence::High);
        }
    }

    #[test]
    fn each_severity_is_one_finding() {
        let input = differing(&["dependencies.a", "build", "package.license", "package.repository"]);
        assert_eq!(weights(&RULE, &input).len(), 2);
    }

    #[test]
    fn agreement_and_a_missing_original_are_silent() {
        silent(&RULE, &input());
        silent(&RULE, &with(|facts| facts.manifest.has_original = true));
    }

    #[test]
    fn without_facts_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { facts: Known::Unknown("offline".to_owned()), ..input() });
    }
}
