//! Packages that do not say which commit they were made from, or say that they differ from it.

use cratekeeper_model::facts::{Facts, VersionControl};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "version-control-gap",
    family: Family::Package,
    title: "The package does not match a commit of its repository, by its own account",
    explanation: "\
**Looks at:** `.cargo_vcs_info.json`, which cargo writes when it packs a crate out of a repository. `dirty` (files differed from the
commit) and a commit that is no commit are `low`; a missing file, where the manifest names a repository, is `info`.

**Why:** what is published should be what can be read in the repository. In most attacks on published crates it was not: the
payload was never committed.

**Harmless when:** a release script writes a version before it packs, or the project is not kept in git.

**What to do:** compare the package with the repository at the tag of the version. The file is only the publisher's word.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[38],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let Some((severity, message)) = judge(facts) else { return Vec::new() };
        vec![
            finding(&RULE, severity, Confidence::High, message)
                .with_evidence([place(".cargo_vcs_info.json", None, None)])
                .with_help("compare the package with the repository at the tag of this version")
                .pointing_to([38]),
        ]
    })
}

fn judge(facts: &Facts) -> Option<(Severity, String)> {
    match &facts.manifest.version_control {
        Some(VersionControl { commit: Some(commit), .. }) if !is_commit(commit) => Some((
            Severity::Low,
            format!("the commit that the package names is none: {}", quoted(commit, NAME)),
        )),
        Some(VersionControl { dirty: true, .. }) => Some((
            Severity::Low,
            "files of the package differed from the commit that it names when it was packed".to_owned(),
        )),
        Some(VersionControl { commit: None, .. }) => {
            Some((Severity::Low, "the package names no commit in its version control information".to_owned()))
        }
        Some(_) => None,
        // Cargo's own mark shows that it packed; without it the package may lie in its repository.
        None if facts.manifest.repository.is_some()
            && !facts.files.entries.iter().any(|it| it.path.starts_with(".git/")) =>
        {
            Some((Severity::Info, "the manifest names a repository, the package no commit of it".to_owned()))
        }
        None => None,
    }
}

/// SHA-1 or SHA-256 in hex, and not one digit throughout.
fn is_commit(commit: &str) -> bool {
    let first = commit.chars().next();
    matches!(commit.len(), 40 | 64)
        && commit.chars().all(|it| it.is_ascii_hexdigit())
        && !commit.chars().all(|it| Some(it) == first)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::VersionControl;
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, one, silent, with};

    fn packed(commit: Option<&str>, dirty: bool) -> RuleInput {
        let commit = commit.map(str::to_owned);
        with(|facts| facts.manifest.version_control = Some(VersionControl { commit, dirty, path: None }))
    }

    const COMMIT: &str = "5be2a0f4dd1f4a8ebc64a1b2a0d2cf90b3fd8807";

    #[test]
    fn what_differs_from_its_commit_is_low() {
        assert_eq!(one(&RULE, &packed(Some(COMMIT), true), Severity::Low, Confidence::High).techniques, [38]);
        for commit in [Some("main"), Some("0000000000000000000000000000000000000000"), None] {
            one(&RULE, &packed(commit, false), Severity::Low, Confidence::High);
        }
    }

    #[test]
    fn a_repository_without_a_commit_is_info() {
        let repository = Some("https://code.example.invalid/a".to_owned());
        one(&RULE, &with(|facts| facts.manifest.repository = repository), Severity::Info, Confidence::High);
    }

    #[test]
    fn a_commit_and_no_repository_are_silent() {
        silent(&RULE, &packed(Some(COMMIT), false));
        silent(&RULE, &input());
    }
}
