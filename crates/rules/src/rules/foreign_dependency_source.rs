//! Dependencies that do not come from the registry that the package is in.

use cratekeeper_model::facts::{Dependency, DependencySection, Facts};
use cratekeeper_model::{Confidence, Evidence, PackageSource, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "foreign-dependency-source",
    family: Family::Package,
    title: "A dependency comes from git, a path or another registry",
    explanation: "\
**Looks at:** `git`, `path` and `registry` of dependencies in the manifest that cargo obeys. In a published package `git` is
`medium`; `path` and another registry are `low`, and development dependencies `info`. In a git checkout or a directory all are `info`.

**Why:** cargo itself drops `git` and `path` when it packs a crate, and refuses those without a version: a published manifest that has them
was made by hand. What a branch or another registry holds can be exchanged at any time, without a new version of this package.

**Harmless when:** a company's registry allows it, or names itself.

**What to do:** look at what the source holds today, at the commit that is named. Without a commit there is nothing to look at.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[41],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let is_published = is_published(input, facts);
        let groups = by_weight(&facts.manifest.dependencies, |it| weight(it, is_published));
        groups
            .into_iter()
            .map(|((severity, confidence), dependencies)| {
                let first = dependencies[0];
                let message = format!(
                    "{} from outside of the package's registry, for example {}",
                    count(dependencies.len(), "dependency comes", "dependencies come"),
                    quoted(&first.name, NAME)
                );
                finding(&RULE, severity, confidence, message)
                    .with_evidence(dependencies.iter().map(|it| evidence(it)))
                    .with_help("look at what that source holds, at the commit that is named")
                    .pointing_to([41])
            })
            .collect()
    })
}

/// A lone archive is of unknown source, but has a size.
fn is_published(input: &RuleInput, facts: &Facts) -> bool {
    match input.package.source {
        PackageSource::Registry(_) => true,
        PackageSource::Unknown => facts.files.compressed_size > 0,
        PackageSource::Git(_) | PackageSource::Path(_) => false,
    }
}

fn weight(dependency: &Dependency, is_published: bool) -> Option<(Severity, Confidence)> {
    let is_foreign = dependency.git.is_some() || dependency.path.is_some() || dependency.registry.is_some();
    if !is_foreign {
        return None;
    }
    Some(match dependency {
        _ if !is_published || dependency.section == DependencySection::Dev => {
            (Severity::Info, Confidence::High)
        }
        Dependency { git: Some(_), .. } => (Severity::Medium, Confidence::Medium),
        _ => (Severity::Low, Confidence::Medium),
    })
}

fn evidence(dependency: &Dependency) -> Evidence {
    let sources = [("git", &dependency.git), ("path", &dependency.path), ("registry", &dependency.registry)];
    let sources: Vec<String> = sources
        .into_iter()
        .filter_map(|(kind, it)| Some(format!("{kind} {}", printable(it.as_deref()?, EXCERPT))))
        .collect();
    place("Cargo.toml", None, Some(format!("{}: {}", quoted(&dependency.name, NAME), sources.join(", "))))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Dependency, DependencySection};
    use cratekeeper_model::{Confidence, PackageSource, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{dependency, one, silent, with};

    fn depending(dependency: Dependency) -> RuleInput {
        with(|facts| facts.manifest.dependencies.push(dependency))
    }

    fn git() -> Dependency {
        Dependency { git: Some("https://code.example.invalid/a.git".to_owned()), ..dependency("a") }
    }

    #[test]
    fn git_in_a_published_manifest_is_medium() {
        assert_eq!(one(&RULE, &depending(git()), Severity::Medium, Confidence::Medium).techniques, [41]);
    }

    #[test]
    fn paths_and_registries_are_low() {
        let path = Dependency { path: Some("../a".to_owned()), ..dependency("a") };
        one(&RULE, &depending(path), Severity::Low, Confidence::Medium);
        let registry =
            Dependency { registry: Some("sparse+https://a.example.invalid/".to_owned()), ..dependency("a") };
        one(&RULE, &depending(registry), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn tests_and_checkouts_are_info() {
        let development = Dependency { section: DependencySection::Dev, ..git() };
        one(&RULE, &depending(development), Severity::Info, Confidence::High);
        let mut input = depending(git());
        input.package.source = PackageSource::Path("/a".to_owned());
        one(&RULE, &input, Severity::Info, Confidence::High);
    }

    #[test]
    fn ordinary_dependencies_are_silent() {
        silent(&RULE, &depending(dependency("serde")));
    }
}
