//! What the registry says of a manifest, and what the manifest says.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::facts::{Dependency, DependencySection, ManifestFacts};
use cratekeeper_model::{Confidence, DeclaredBy, Finding, IndexedManifest, Known, RuleInput, Severity};
use semver::VersionReq;

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place};
use crate::text::{NAME, count, printable};

pub(super) const RULE: Rule = Rule {
    id: "index-differs-from-manifest",
    family: Family::Package,
    title: "The registry's index says something else than the `Cargo.toml` in the archive",
    explanation: "\
**Looks at:** the index's line of a version, or in a registry that does not believe it the request by which it was published, and the manifest in its archive: name, dependencies to be used or built (requirement,
features, `optional`, default features, target), features, `links`, and `rust-version`. `high` with medium confidence for all but the last, which
is `low`. Ways to write the same are left out: spelling of requirements and `cfg`, order, `-` for `_`, features
that only switch an optional dependency on. So are dependencies for development, which cargo may drop when it packs; what a registry's address is called; and `links` and
`rust-version` where the line has none, because old lines never do.

**Why:** cargo resolves by the index and builds by the archive; people read either. Who publishes sends both, and where the
registry does not compare them they may differ: a dependency that is in one alone is not seen in the other. npm knows it as manifest
confusion (2023).

**Harmless when:** the registry has corrected a line by hand, or normalises in a way that we do not know yet.

**What to do:** compare the line with the manifest in the archive, and tell the registry.",
    severities: &[Severity::Low, Severity::Medium, Severity::High],
    techniques: &[29],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    match (&input.facts, &input.index) {
        (Known::Known(facts), Known::Known(index)) => {
            let declared = index.declared.as_deref();
            let differences = declared.map(|it| differences(it, &facts.manifest)).unwrap_or_default();
            let (mild, grave): (Vec<_>, Vec<_>) =
                differences.into_iter().partition(|it: &Difference| it.field == "rust-version");
            let found =
                [(Severity::High, Confidence::Medium, grave), (Severity::Low, Confidence::Medium, mild)];
            let by = declared.map(|it| it.by).unwrap_or_default();
            Evaluation::Findings(found.into_iter().filter_map(|(a, b, it)| found_in(by, a, b, &it)).collect())
        }
        (Known::Unknown(reason), _) | (_, Known::Unknown(reason)) => Evaluation::NotEvaluated(reason.clone()),
    }
}

/// Where both differ.
struct Difference {
    field: String,
    index: String,
    manifest: String,
}

fn found_in(
    by: DeclaredBy,
    severity: Severity,
    confidence: Confidence,
    differences: &[Difference],
) -> Option<Finding> {
    let first = differences.first()?;
    let by = match by {
        DeclaredBy::Index => "the index",
        DeclaredBy::PublishRequest => "the publish request",
    };
    let message = format!(
        "{by} and `Cargo.toml` differ in {}: {} is {} in {by}, and {} in the archive",
        count(differences.len(), "field", "fields"),
        first.field,
        first.index,
        first.manifest
    );
    let places = differences.iter().map(|it| {
        let excerpt = format!("{}: {} in {by}, {} here", it.field, it.index, it.manifest);
        place("Cargo.toml", None, Some(printable(&excerpt, 3 * NAME)))
    });
    let help = format!("compare {by} with the manifest in the archive, and tell the registry");
    Some(
        finding(&RULE, severity, confidence, printable(&message, 6 * NAME))
            .with_evidence(places)
            .with_help(help)
            .pointing_to([29]),
    )
}

fn differences(index: &IndexedManifest, manifest: &ManifestFacts) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut differ = |field: String, index: String, manifest: String| {
        let shown = |it: String| printable(&it, NAME);
        found.push(Difference { field: shown(field), index: shown(index), manifest: shown(manifest) });
    };
    if let Some(name) = &manifest.name
        && folded(name) != folded(&index.name)
    {
        differ("name".to_owned(), index.name.clone(), name.clone());
    }
    let (ours, theirs) = (dependencies(&index.dependencies), dependencies(&manifest.dependencies));
    for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let (own, other) = (ours.get(key), theirs.get(key));
        if own != other {
            differ(format!("dependency `{}`", key.1), shown_dependency(own), shown_dependency(other));
        }
    }
    let (ours, theirs) = (
        features(&index.features, &index.dependencies),
        features(&manifest.features, &manifest.dependencies),
    );
    for name in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let shown = |it: Option<&BTreeSet<String>>| match it {
            Some(enabled) => format!("[{}]", enabled.iter().cloned().collect::<Vec<_>>().join(", ")),
            None => "missing".to_owned(),
        };
        if ours.get(name) != theirs.get(name) {
            differ(format!("feature `{name}`"), shown(ours.get(name)), shown(theirs.get(name)));
        }
    }
    let missing = || "missing".to_owned();
    if index.links.is_some() && index.links != manifest.links {
        differ(
            "links".to_owned(),
            index.links.clone().unwrap_or_default(),
            manifest.links.clone().unwrap_or_else(missing),
        );
    }
    let release = |it: &str| it.trim_end_matches(".0").to_owned();
    if let Some(rust) = &index.rust_version
        && Some(release(rust)) != manifest.rust_version.as_deref().map(release)
    {
        let in_manifest = manifest.rust_version.clone().unwrap_or_else(missing);
        differ("rust-version".to_owned(), rust.clone(), in_manifest);
    }
    found
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

/// Table, name in code, name of the crate, and target.
type Key = (DependencySection, String, String, String);

/// What one is asked for: requirement, features, whether it is optional, whether with default features.
type Asked = BTreeSet<(String, BTreeSet<String>, bool, bool)>;

fn dependencies(all: &[Dependency]) -> BTreeMap<Key, Asked> {
    let mut found: BTreeMap<Key, Asked> = BTreeMap::new();
    for it in all.iter().filter(|it| it.section != DependencySection::Dev) {
        let package = it.package.as_deref().unwrap_or(&it.name);
        let target = it.target.as_deref().map(plain_target).unwrap_or_default();
        let key = (it.section, folded(&it.name), folded(package), target);
        let requirement = it.requirement.as_deref().unwrap_or("*");
        let asked = (
            plain_requirement(requirement),
            it.features.iter().cloned().collect(),
            it.optional,
            it.default_features,
        );
        found.entry(key).or_default().insert(asked);
    }
    found
}

/// `1.2`, `^1.2` and `^ 1.2` are one; so are `*` and nothing.
fn plain_requirement(text: &str) -> String {
    match VersionReq::parse(text) {
        Ok(requirement) => {
            let mut parts: Vec<String> = requirement.comparators.iter().map(ToString::to_string).collect();
            parts.sort();
            parts.join(", ")
        }
        Err(_) => text.split_whitespace().collect(),
    }
}

/// Without what does not matter in `cfg(…)`: white space, and the comma before a bracket.
fn plain_target(text: &str) -> String {
    text.split_whitespace().collect::<String>().replace(",)", ")")
}

/// Without those that cargo adds or leaves out by itself: an empty `default`, and a feature that only switches on the optional
/// dependency of its name.
fn features(
    all: &BTreeMap<String, Vec<String>>,
    dependencies: &[Dependency],
) -> BTreeMap<String, BTreeSet<String>> {
    let is_implied = |name: &str, enabled: &[String]| {
        let is_optional = dependencies.iter().any(|it| it.optional && it.name == name);
        is_optional && matches!(enabled, [one] if one.strip_prefix("dep:") == Some(name))
    };
    let is_left_out = |name: &str, enabled: &[String]| {
        (name == "default" && enabled.is_empty()) || is_implied(name, enabled)
    };
    let kept = all.iter().filter(|(name, enabled)| !is_left_out(name, enabled));
    kept.map(|(name, enabled)| (name.clone(), enabled.iter().cloned().collect())).collect()
}

fn shown_dependency(asked: Option<&Asked>) -> String {
    let Some(asked) = asked else { return "missing".to_owned() };
    let shown = asked.iter().map(|(requirement, features, optional, default)| {
        let mut text = if requirement.is_empty() { "any version".to_owned() } else { requirement.clone() };
        if !features.is_empty() {
            text += &format!(" with {}", features.iter().cloned().collect::<Vec<_>>().join(", "));
        }
        if *optional {
            text += ", optional";
        }
        if !default {
            text += ", without default features";
        }
        text
    });
    shown.collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::IndexEntry;

    use super::*;
    use crate::test_support::{dependency, not_evaluated, one, silent, with};

    /// A version whose index says this, and whose manifest says that.
    fn version(
        index: impl FnOnce(&mut IndexedManifest),
        manifest: impl FnOnce(&mut ManifestFacts),
    ) -> RuleInput {
        let mut declared = IndexedManifest { name: "demo".to_owned(), ..IndexedManifest::default() };
        index(&mut declared);
        let mut input = with(|facts| {
            facts.manifest.name = Some("demo".to_owned());
            manifest(&mut facts.manifest);
        });
        if let Known::Known(IndexEntry { declared: known, .. }) = &mut input.index {
            *known = Some(Box::new(declared));
        }
        input
    }

    fn feature(name: &str, enabled: &[&str]) -> (String, Vec<String>) {
        (name.to_owned(), enabled.iter().map(|it| (*it).to_owned()).collect())
    }

    #[test]
    fn a_dependency_that_one_of_them_lacks_is_told() {
        let hidden = version(|_| {}, |manifest| manifest.dependencies.push(dependency("payload")));
        let finding = one(&RULE, &hidden, Severity::High, Confidence::Medium);
        assert_eq!(finding.techniques, [29]);
        assert!(
            finding.message.contains("dependency `payload` is missing in the index, and ^1 in the archive"),
            "{}",
            finding.message
        );
        assert!(finding.evidence[0].excerpt.as_deref().is_some_and(|it| it.contains("payload")));
        let claimed = version(|index| index.dependencies.push(dependency("payload")), |_| {});
        one(&RULE, &claimed, Severity::High, Confidence::Medium);
    }

    #[test]
    fn another_requirement_crate_feature_name_or_library_is_told() {
        let both = |change: fn(&mut Dependency)| {
            version(
                |index| index.dependencies.push(dependency("used")),
                |manifest| {
                    let mut other = dependency("used");
                    change(&mut other);
                    manifest.dependencies.push(other);
                },
            )
        };
        for change in [
            (|it| it.requirement = Some("2".to_owned())) as fn(&mut Dependency),
            |it| it.package = Some("other".to_owned()),
            |it| it.features.push("danger".to_owned()),
            |it| it.default_features = false,
            |it| it.target = Some("cfg(windows)".to_owned()),
            |it| it.section = DependencySection::Build,
        ] {
            one(&RULE, &both(change), Severity::High, Confidence::Medium);
        }
        let name = version(|index| index.name = "serde".to_owned(), |_| {});
        one(&RULE, &name, Severity::High, Confidence::Medium);
        let links = version(|index| index.links = Some("z".to_owned()), |_| {});
        one(&RULE, &links, Severity::High, Confidence::Medium);
        let default = version(|_| {}, |manifest| manifest.features.extend([feature("default", &["net"])]));
        one(&RULE, &default, Severity::High, Confidence::Medium);
        let rust = version(|index| index.rust_version = Some("1.80".to_owned()), |_| {});
        one(&RULE, &rust, Severity::Low, Confidence::Medium);
    }

    #[test]
    fn what_registries_and_cargo_write_in_their_way_is_the_same() {
        let same = version(
            |index| {
                let mut used = dependency("used");
                used.requirement = Some("^1".to_owned());
                used.optional = true;
                used.features = vec!["b".to_owned(), "a".to_owned()];
                used.target = Some("cfg(all(unix, not(windows)))".to_owned());
                index.dependencies = vec![used];
                index.features.extend([feature("more", &["x", "dep:used"])]);
                index.rust_version = Some("1.80".to_owned());
                index.name = "Demo".to_owned();
            },
            |manifest| {
                let mut used = dependency("used");
                used.optional = true;
                used.features = vec!["a".to_owned(), "b".to_owned()];
                used.target = Some("cfg(all(unix,not(windows),))".to_owned());
                used.registry = Some("https://index.example.invalid/".to_owned());
                let mut test = dependency("tested");
                test.section = DependencySection::Dev;
                manifest.dependencies = vec![test, used];
                let own = [feature("default", &[]), feature("used", &["dep:used"])];
                manifest.features.extend(own);
                manifest.features.extend([feature("more", &["dep:used", "x"])]);
                manifest.rust_version = Some("1.80.0".to_owned());
                manifest.links = Some("older lines do not have it".to_owned());
            },
        );
        silent(&RULE, &same);
    }

    #[test]
    fn a_request_that_claims_something_else_is_named_as_such() {
        let claimed = version(
            |index| index.by = DeclaredBy::PublishRequest,
            |manifest| manifest.dependencies.push(dependency("payload")),
        );
        let finding = one(&RULE, &claimed, Severity::High, Confidence::Medium);
        assert!(
            finding.message.contains("`payload` is missing in the publish request"),
            "{}",
            finding.message
        );
    }

    #[test]
    fn without_an_index_it_does_not_know() {
        let index = Known::Unknown("offline".to_owned());
        not_evaluated(&RULE, &RuleInput { index, ..with(|_| {}) });
        silent(&RULE, &with(|_| {}));
    }
}
