//! Names that are not ASCII.

use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{NAME, count, quoted};

pub(super) const RULE: Rule = Rule {
    id: "non-ascii-name",
    family: Family::Package,
    title: "A package's name is not ASCII",
    explanation: "\
**Looks at:** the package's name, its library's name, and the names of its dependencies. A name that mixes ASCII letters with letters of
another alphabet is `medium`; other names outside of ASCII are `low`.

**Why:** cargo allows any letter of Unicode, and registries decide. A name with one Cyrillic letter reads like the one that it
imitates, in the manifest, in the lockfile and in a terminal.

**Harmless when:** a private registry holds names in its users' language.

**What to do:** compare the name with the one that you mean, byte by byte.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[63],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let manifest = &facts.manifest;
        let dependencies =
            manifest.dependencies.iter().flat_map(|it| [Some(it.name.as_str()), it.package.as_deref()]);
        let libraries = manifest.targets.iter().map(|it| Some(it.name.as_str()));
        let own = [Some(input.package.name.as_str()), manifest.name.as_deref()];
        let mut names: Vec<&str> = own
            .into_iter()
            .chain(libraries)
            .chain(dependencies)
            .flatten()
            .filter(|it| !it.is_ascii())
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Vec::new();
        }
        names.sort_by_key(|name| !is_mixed(name));
        let severity = if is_mixed(names[0]) { Severity::Medium } else { Severity::Low };
        let message = format!(
            "{} not ASCII, for example {}",
            count(names.len(), "name is", "names are"),
            spelled(names[0])
        );
        let evidence = names.iter().map(|name| place("Cargo.toml", None, Some(spelled(name))));
        vec![
            finding(&RULE, severity, Confidence::High, message)
                .with_evidence(evidence)
                .with_help("compare the name with the one that you mean, byte by byte")
                .pointing_to([63]),
        ]
    })
}

/// Whether letters of ASCII stand beside letters that no language writes among them: Latin ones with marks are Latin.
fn is_mixed(name: &str) -> bool {
    let is_latin =
        |it: char| it.is_ascii_alphabetic() || matches!(it, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}');
    name.chars().any(|it| it.is_ascii_alphabetic()) && name.chars().any(|it| !it.is_ascii() && !is_latin(it))
}

/// The name, and how it is spelled.
fn spelled(name: &str) -> String {
    let escaped: String = name
        .chars()
        .map(|it| if it.is_ascii() { it.to_string() } else { it.escape_unicode().to_string() })
        .collect();
    quoted(&escaped, 2 * NAME)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{dependency, input, one, silent, with};

    fn named(name: &str) -> RuleInput {
        let name = Some(name.to_owned());
        with(|facts| facts.manifest.name = name)
    }

    #[test]
    fn mixed_alphabets_are_medium() {
        let finding = one(&RULE, &named("s\u{435}rde"), Severity::Medium, Confidence::High);
        assert_eq!(finding.techniques, [63]);
        assert!(finding.message.contains("s\\u{435}rde"), "{}", finding.message);
        one(
            &RULE,
            &with(|it| it.manifest.dependencies.push(dependency("r\u{430}nd"))),
            Severity::Medium,
            Confidence::High,
        );
    }

    #[test]
    fn words_of_one_alphabet_are_low() {
        for name in
            ["gr\u{F6}\u{DF}en-demo", "\u{43F}\u{440}\u{438}\u{432}\u{435}\u{442}", "\u{540D}\u{524D}"]
        {
            one(&RULE, &named(name), Severity::Low, Confidence::High);
        }
    }

    #[test]
    fn ascii_is_silent() {
        silent(&RULE, &named("serde"));
        silent(&RULE, &input());
    }
}
