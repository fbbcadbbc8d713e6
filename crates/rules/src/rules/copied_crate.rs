//! Copies of other crates.

use cratekeeper_model::{
    Confidence, Facts, Finding, Known, RuleInput, Severity, SimilarCrate, repository_key,
};

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "copied-crate",
    family: Family::Similarity,
    title: "The crate is a copy of another one under another name",
    explanation: "\
**Looks at:** crates of other names with at least 70 % of the same source, or 90 % when all names are taken for equal, and READMEs
with 80 % of the same text. How bad that is depends on whose it is:

| who owns both | source copied, and README, description or `repository` with it | source alone | README alone |
|---|---|---|---|
| different owners, and the other was first | `medium`, high confidence | `low` | `medium`, low confidence, if it names the same repository |
| different owners | `medium` | `low` | the same |
| not known, the other was first, and they name other authors and another repository | `medium` | `low` | `low` |
| not known, and the other was first, or the name is like its name | `medium`, low confidence | `low` | `low` |
| not known | `low`, least if they also name the same authors | `low` | `low`, nothing for crates of one repository |
| the same owner, or the other came later | nothing | nothing | nothing |

Who owns a crate is known where the registry's memory of publishers is at hand, as in a replay. An index does not have it; then authors and `repository`
in the manifests are compared: that they are the same proves nothing, because a copy copies them, and the finding says that owners are not known.

Where both name the same repository and authors, a name that is like the other's counts only if the repository has the other's name.
A description that names the other crate gives credit: that is worth knowing (`info`) and points to nothing.

**Why:** `rustdecimal` was `rust_decimal` with one changed function, `faster_log` was `fast_log` with a search for wallet keys. A copy
works, so that nobody looks for a reason why. What differs from the original is shown: that is the part to read.

**Harmless when:** it is a fork that says so elsewhere, a part of a workspace that repeats another one, or both were
generated from the same description.

**What to do:** find out which one was first and who owns it; read the functions that the other has not:
`cratekeeper diff OTHER@VERSION THIS@VERSION`.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[37],
    evaluate,
};

/// Percent of the source from which on it is a copy. Of real crates only members of one workspace share as much.
const SOURCE: u8 = 70;

/// The same without names, which code of one kind may have in common by accident.
const STRUCTURE: u8 = 90;

/// Percent of a README or description.
const TEXT: u8 = 80;

fn evaluate(input: &RuleInput) -> Evaluation {
    match (&input.similar, &input.facts) {
        (Known::Known(similar), Known::Known(facts)) => {
            let weighed = similar.iter().filter_map(|it| Some((weight(input, facts, it)?, it)));
            let weighed: Vec<(Weight, &SimilarCrate)> = weighed.collect();
            // One copy is one copy, however many members its family has; the first of the gravest is the likest.
            let gravest = weighed.iter().rev().max_by_key(|(weight, _)| *weight);
            let others = weighed.len().saturating_sub(1);
            Evaluation::Findings(gravest.map(|(weight, it)| found(*weight, it, others)).into_iter().collect())
        }
        (Known::Unknown(reason), _) | (_, Known::Unknown(reason)) => {
            Evaluation::NotEvaluated(format!("likeness to other crates: {reason}"))
        }
    }
}

fn found((severity, confidence): Weight, it: &SimilarCrate, others: usize) -> Finding {
    let mut shared = Vec::new();
    for (share, what) in [
        (it.source, "source"),
        (it.structure, "structure"),
        (it.readme, "README"),
        (it.description, "description"),
    ] {
        shared.extend(share.filter(|share| *share >= 50).map(|share| format!("{share} % of the {what}")));
    }
    let repository = if it.same_repository { "; both name the same repository" } else { "" };
    let (same, all) = it.shared_functions;
    let own = match all.saturating_sub(same) {
        0 => String::new(),
        own => format!("; {own} of {all} functions are not in the other"),
    };
    let other = format!("{} {}", quoted(&it.name, NAME), printable(&it.version, NAME));
    let others = match others {
        0 => String::new(),
        others => format!("; {} like it too", count(others, "other crate is", "other crates are")),
    };
    let message = format!("{other} has {}{repository}{}{own}{others}", shared.join(", "), owners(it));
    let differing = it.differing.iter().map(|evidence| {
        place(&evidence.file, evidence.line, evidence.excerpt.as_ref().map(|text| printable(text, EXCERPT)))
    });
    let whole = it.differing.is_empty().then(|| place("Cargo.toml", None, None));
    let finding = finding(&RULE, severity, confidence, message)
        .with_evidence(differing.chain(whole))
        .with_help(format!(
            "find out which was first and who owns it, then read what {} has not",
            quoted(&it.name, NAME)
        ));
    if severity > Severity::Info { finding.pointing_to([37]) } else { finding }
}

type Weight = (Severity, Confidence);

fn weight(input: &RuleInput, facts: &Facts, it: &SimilarCrate) -> Option<Weight> {
    use Confidence::{High, Low, Medium};
    let reaches = |share: Option<u8>, least: u8| share.is_some_and(|share| share >= least);
    let has_source = reaches(it.source, SOURCE) || reaches(it.structure, STRUCTURE);
    let has_readme = reaches(it.readme, TEXT);
    // One owner may repeat himself, and who was first copied nobody.
    if !(has_source || has_readme) || it.same_owner == Some(true) || it.other_is_older == Some(false) {
        return None;
    }
    if gives_credit(facts, &it.name) {
        return Some((Severity::Info, Low));
    }
    let is_stranger = it.same_owner == Some(false);
    let is_family = it.same_repository && it.same_author == Some(true);
    let names_the_other = is_named_by_repository(input, facts, &it.name);
    let came_second =
        it.other_is_older == Some(true) || (is_taken_for(input, &it.name) && (!is_family || names_the_other));
    if !has_source {
        return match (is_stranger, it.same_repository) {
            (true, true) => Some((Severity::Medium, Low)),
            (true, false) => Some((Severity::Low, Medium)),
            (false, true) => None,
            (false, false) => Some((Severity::Low, Low)),
        };
    }
    let has_identity = it.same_repository || has_readme || reaches(it.description, TEXT);
    Some(match (has_identity, is_stranger, came_second) {
        (true, true, true) => (Severity::Medium, High),
        (true, true, false) => (Severity::Medium, Medium),
        (true, false, true) if names_others(facts, it) => (Severity::Medium, Medium),
        (true, false, true) => (Severity::Medium, Low),
        (true, false, false) if is_family => (Severity::Low, Low),
        (true, false, false) | (false, true, _) => (Severity::Low, Medium),
        (false, false, _) => (Severity::Low, Low),
    })
}

/// Whether, owners not being known, the manifests name different people and places.
fn names_others(facts: &Facts, it: &SimilarCrate) -> bool {
    it.same_owner.is_none()
        && it.same_author == Some(false)
        && !it.same_repository
        && facts.manifest.repository.is_some()
}

/// Whose both are, as far as anybody says.
fn owners(it: &SimilarCrate) -> &'static str {
    match (it.same_owner, it.same_author) {
        (Some(true), _) => "",
        (Some(false), _) => "; their owners are different",
        (None, Some(false)) => "; who owns them is not known, and they name different authors",
        (None, _) => "; who owns them is not known",
    }
}

/// Whether the description names the other crate.
fn gives_credit(facts: &Facts, other: &str) -> bool {
    let folded = |text: &str| text.to_lowercase().replace('_', "-");
    let other = folded(other);
    let description = folded(facts.manifest.description.as_deref().unwrap_or_default());
    let mut words = description.split(|it: char| !(it.is_alphanumeric() || it == '-'));
    // A name that is an ordinary word is named by accident.
    other.contains(|it: char| it == '-' || it.is_ascii_digit()) && words.any(|word| word == other)
        || description.contains(&format!("fork of {other}"))
        || description.contains(&format!("`{other}`"))
}

/// Whether the repository has the name of the other crate, and not of this one: members of a family mostly share a repository that has
/// the name of neither, or of the one that the family is about.
fn is_named_by_repository(input: &RuleInput, facts: &Facts, other: &str) -> bool {
    let folded = |text: &str| text.to_lowercase().replace('_', "-");
    let key = repository_key(facts.manifest.repository.as_deref().unwrap_or_default());
    let repository = folded(key.rsplit('/').next().unwrap_or_default());
    repository == folded(other) && repository != folded(&input.package.name)
}

/// Whether this name can be taken for the other one.
fn is_taken_for(input: &RuleInput, other: &str) -> bool {
    input.names.value().is_some_and(|names| names.matches.iter().any(|it| it.target == other))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{
        Confidence, Evidence, Known, Level, NameMatch, NameMatches, RuleInput, Severity, SimilarCrate,
    };

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, silent, with};

    fn copy() -> SimilarCrate {
        SimilarCrate {
            name: "the-original".to_owned(),
            version: "1.0.0".to_owned(),
            source: Some(97),
            readme: Some(95),
            description: Some(100),
            same_repository: true,
            same_owner: None,
            other_is_older: None,
            differing: vec![Evidence::line("src/lib.rs", 7, "fn new")],
            structure: Some(97),
            same_author: None,
            shared_functions: (9, 10),
        }
    }

    fn beside(similar: SimilarCrate) -> RuleInput {
        RuleInput { similar: Known::Known(vec![similar]), ..input() }
    }

    #[test]
    fn a_copy_by_somebody_else_is_told_with_what_differs() {
        let stranger = SimilarCrate { same_owner: Some(false), other_is_older: Some(true), ..copy() };
        let finding = one(&RULE, &beside(stranger.clone()), Severity::Medium, Confidence::High);
        assert_eq!(finding.techniques, [37]);
        assert_eq!((finding.evidence[0].file.as_str(), finding.evidence[0].line), ("src/lib.rs", Some(7)));
        assert!(finding.message.contains("97 % of the source"), "{}", finding.message);
        assert!(finding.message.contains("1 of 10 functions"), "{}", finding.message);
        let unknown = SimilarCrate { other_is_older: None, ..stranger };
        one(&RULE, &beside(unknown), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn without_owners_the_order_or_the_name_decides() {
        one(&RULE, &beside(copy()), Severity::Low, Confidence::Medium);
        let older = SimilarCrate { other_is_older: Some(true), ..copy() };
        one(&RULE, &beside(older), Severity::Medium, Confidence::Low);
        let likeness = NameMatch {
            target: "the-original".to_owned(),
            check: "separators".to_owned(),
            score: 90,
            explanation: String::new(),
        };
        let names = NameMatches { in_corpus: false, level: Level::Review, matches: vec![likeness] };
        let input = RuleInput { names: Known::Known(names), ..beside(copy()) };
        one(&RULE, &input, Severity::Medium, Confidence::Low);
    }

    #[test]
    fn other_authors_and_another_repository_say_more_than_nothing() {
        let older = SimilarCrate {
            other_is_older: Some(true),
            same_author: Some(false),
            same_repository: false,
            ..copy()
        };
        let judged = |similar: SimilarCrate, repository: Option<&str>| RuleInput {
            similar: Known::Known(vec![similar]),
            ..with(|facts| facts.manifest.repository = repository.map(str::to_owned))
        };
        let own = Some("https://git.example.invalid/mallory/demo");
        let finding = one(&RULE, &judged(older.clone(), own), Severity::Medium, Confidence::Medium);
        let says = "who owns them is not known, and they name different authors";
        assert!(finding.message.contains(says), "{}", finding.message);
        one(&RULE, &judged(older.clone(), None), Severity::Medium, Confidence::Low);
        let claimed = SimilarCrate { same_author: Some(true), ..older };
        one(&RULE, &judged(claimed, own), Severity::Medium, Confidence::Low);
    }

    #[test]
    fn a_copied_repository_that_has_the_name_of_the_original_gives_it_away() {
        let likeness = NameMatch {
            target: "the-original".to_owned(),
            check: "separators".to_owned(),
            score: 90,
            explanation: String::new(),
        };
        let names = NameMatches { in_corpus: false, level: Level::Review, matches: vec![likeness] };
        let judged = |repository: &str| RuleInput {
            names: Known::Known(names.clone()),
            similar: Known::Known(vec![SimilarCrate { same_author: Some(true), ..copy() }]),
            ..with(|facts| facts.manifest.repository = Some(repository.to_owned()))
        };
        one(
            &RULE,
            &judged("https://forge.example.invalid/a/the_original"),
            Severity::Medium,
            Confidence::Low,
        );
        one(&RULE, &judged("https://forge.example.invalid/a/family"), Severity::Low, Confidence::Low);
    }

    #[test]
    fn a_family_of_copies_is_one_finding_about_the_gravest() {
        let member = |name: &str, owner| SimilarCrate { name: name.to_owned(), same_owner: owner, ..copy() };
        let family =
            vec![member("a", None), member("b", Some(false)), member("c", Some(true)), member("d", None)];
        let input = RuleInput { similar: Known::Known(family), ..input() };
        let finding = one(&RULE, &input, Severity::Medium, Confidence::Medium);
        assert!(finding.message.starts_with("`b` 1.0.0 has"), "{}", finding.message);
        assert!(finding.message.ends_with("2 other crates are like it too"), "{}", finding.message);
    }

    #[test]
    fn members_of_one_workspace_weigh_least() {
        let sibling = SimilarCrate { same_author: Some(true), ..copy() };
        one(&RULE, &beside(sibling), Severity::Low, Confidence::Low);
        let readme = SimilarCrate { source: Some(3), structure: Some(10), ..copy() };
        silent(&RULE, &beside(readme.clone()));
        one(
            &RULE,
            &beside(SimilarCrate { same_repository: false, ..readme }),
            Severity::Low,
            Confidence::Low,
        );
    }

    #[test]
    fn a_renamed_copy_is_a_copy() {
        let renamed = SimilarCrate { source: Some(12), readme: None, description: None, ..copy() };
        one(
            &RULE,
            &beside(SimilarCrate { same_repository: false, ..renamed }),
            Severity::Low,
            Confidence::Low,
        );
    }

    #[test]
    fn the_same_owner_and_the_original_are_silent() {
        silent(&RULE, &beside(SimilarCrate { same_owner: Some(true), ..copy() }));
        silent(&RULE, &beside(SimilarCrate { other_is_older: Some(false), ..copy() }));
        silent(
            &RULE,
            &beside(SimilarCrate { source: Some(55), structure: Some(60), readme: None, ..copy() }),
        );
        silent(&RULE, &RuleInput { similar: Known::Known(Vec::new()), ..input() });
    }

    #[test]
    fn credit_is_worth_knowing_and_no_technique() {
        let description = Some("A maintained fork of the_original".to_owned());
        let stranger = SimilarCrate { same_owner: Some(false), ..copy() };
        let input = RuleInput {
            similar: Known::Known(vec![stranger]),
            ..with(|facts| facts.manifest.description = description)
        };
        let finding = one(&RULE, &input, Severity::Info, Confidence::Low);
        assert!(finding.techniques.is_empty());
    }

    #[test]
    fn when_nothing_was_compared_there_is_no_answer() {
        not_evaluated(&RULE, &input());
    }
}
