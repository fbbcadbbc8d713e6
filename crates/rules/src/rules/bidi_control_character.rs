//! Bidirectional control characters.

use std::collections::HashSet;

use cratekeeper_model::facts::{CharacterClass, CharacterContext, Facts, SuspiciousCharacter};
use cratekeeper_model::{Confidence, Evidence, Finding, Known, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place};
use crate::text::{EXCERPT, count, printable};

pub(super) const RULE: Rule = Rule {
    id: "bidi-control-character",
    family: Family::Package,
    title: "Text that reads in another order than it is compiled",
    explanation: "\
**Looks at:** the controls of Unicode's bidirectional algorithm (U+202A to U+202E, U+2066 to U+2069) and its marks (U+200E,
U+200F, U+061C).

| where | severity, confidence |
|---|---|
| a control in Rust code itself: compilers refuse it, so nobody needs it | high, high |
| a control in a comment or literal, or in `Cargo.toml`, that is not closed on its line | high, medium |
| either, in a Rust file that no target reaches | medium, medium |
| a mark in Rust code: the compiler takes it for white space | medium, medium |
| a control in other text, not closed | low, low |
| anything else: closed on its line, or a mark outside of code | info, low |

**Why:** an unclosed control reorders what follows on the line, so that a reviewer sees a comment where the compiler sees
code. Source: CVE-2021-42574 (Trojan Source), Unicode UAX #9.

**Harmless when:** a comment or literal in Arabic, Hebrew or Persian uses controls to keep its own order and closes
them (`unicode-width`, `icu_provider`, `unicode-security`), or test data is about them (`url`). None of these reaches
`high`.

**What to do:** open the file in an editor that shows such characters, and read the line in the order of its bytes.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium, Severity::High],
    techniques: &[16],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    let facts = match &input.facts {
        Known::Known(facts) => facts,
        Known::Unknown(reason) => return Evaluation::NotEvaluated(reason.clone()),
    };
    let reached: HashSet<&str> = facts
        .source
        .rust_files
        .iter()
        .filter(|file| !file.targets.is_empty())
        .map(|file| file.path.as_str())
        .collect();
    let characters = facts.files.characters.iter().filter(|it| it.class == CharacterClass::BidiControl);
    let groups = by_weight(characters, |it| Some(weight(it, reached.contains(it.file.as_str()))));
    let findings = groups.into_iter().map(found).collect();
    match left_out(facts) {
        None => Evaluation::Findings(findings),
        Some(reason) => Evaluation::Partial(findings, reason),
    }
}

/// Facts list a limited number of characters, bidirectional controls before all others: as long as there is another kind in
/// the list, none of them was left out.
fn left_out(facts: &Facts) -> Option<String> {
    let listed = facts.files.characters.len() as u64;
    let total = facts.files.characters_total;
    let only_controls = facts.files.characters.iter().all(|it| it.class == CharacterClass::BidiControl);
    (listed < total && only_controls)
        .then(|| format!("only {listed} of {total} suspicious characters are listed in the facts"))
}

fn weight(character: &SuspiciousCharacter, reached: bool) -> (Severity, Confidence) {
    let is_mark = matches!(character.code_point, 0x200E | 0x200F | 0x061C);
    let weight = match character.context {
        CharacterContext::Code if is_mark => (Severity::Medium, Confidence::Medium),
        CharacterContext::Code => (Severity::High, Confidence::High),
        _ if is_mark || character.closed => (Severity::Info, Confidence::Low),
        CharacterContext::Comment | CharacterContext::Literal => (Severity::High, Confidence::Medium),
        CharacterContext::Text if is_manifest(&character.file) => {
            return (Severity::High, Confidence::Medium);
        }
        CharacterContext::Text => (Severity::Low, Confidence::Low),
    };
    if reached { weight } else { weight.min((Severity::Medium, Confidence::Medium)) }
}

/// Cargo acts on these, so they are code.
fn is_manifest(path: &str) -> bool {
    matches!(path, "Cargo.toml" | "Cargo.toml.orig")
}

fn found(
    ((severity, confidence), characters): ((Severity, Confidence), Vec<&SuspiciousCharacter>),
) -> Finding {
    let what = match severity {
        Severity::Info => "whose effect ends where it stands",
        Severity::Low => "that is not closed, in text that is not compiled",
        _ => "that can make a line read differently from what is compiled",
    };
    let controls = count(characters.len(), "character", "characters");
    let mut seen = HashSet::new();
    let lines = characters.iter().filter(|it| seen.insert((it.file.as_str(), it.line)));
    finding(
        &RULE,
        severity,
        confidence,
        format!("the package contains a bidirectional control {what} ({controls} in all)"),
    )
    .with_evidence(lines.map(|it| evidence(it)))
    .with_help("read the line in an editor that shows invisible characters")
    .pointing_to((severity >= Severity::Medium).then_some(16))
}

fn evidence(character: &SuspiciousCharacter) -> Evidence {
    let excerpt = printable(&character.excerpt, 2 * EXCERPT);
    let excerpt = format!("U+{:04X} in column {}: {excerpt}", character.code_point, character.column);
    place(&character.file, Some(character.line), Some(excerpt))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::CharacterClass::BidiControl;
    use cratekeeper_model::facts::CharacterContext::{self, Code, Comment, Literal, Text};
    use cratekeeper_model::facts::{CharacterClass, SourceFileStatus, SuspiciousCharacter};
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::rule::Evaluation;
    use crate::test_support::{add_character, findings, input, not_evaluated, one, rust_file, silent, with};

    fn character(
        code_point: u32,
        file: &str,
        context: CharacterContext,
        closed: bool,
    ) -> SuspiciousCharacter {
        let class = BidiControl;
        let excerpt = "/* \\u{202e} } \\u{2066}if admin */".to_owned();
        SuspiciousCharacter {
            file: file.to_owned(),
            line: 3,
            column: 4,
            code_point,
            class,
            context,
            closed,
            excerpt,
        }
    }

    /// A package with one reached and one unreached file, and one character.
    fn with_character(character: SuspiciousCharacter) -> RuleInput {
        with(|facts| {
            let parsed = SourceFileStatus::Parsed;
            facts.source.rust_files =
                vec![rust_file("src/lib.rs", parsed, &[0]), rust_file("tests/ui/a.rs", parsed, &[])];
            add_character(facts, character);
        })
    }

    /// The "early return" of the Trojan Source paper, in a comment.
    #[test]
    fn the_wild_trojan_source_comment_is_high() {
        let input = with_character(character(0x202E, "src/lib.rs", Comment, false));
        let finding = one(&RULE, &input, Severity::High, Confidence::Medium);
        let evidence = &finding.evidence[0];
        assert_eq!((evidence.file.as_str(), evidence.line), ("src/lib.rs", Some(3)));
        assert!(evidence.excerpt.as_deref().unwrap().starts_with("U+202E in column 4: /*"));
        assert!(finding.techniques.contains(&16));
    }

    #[test]
    fn where_it_stands_decides() {
        use Confidence::{High as Sure, Low as Unsure, Medium as Likely};
        use Severity::{High, Info, Low, Medium};
        for (code_point, file, context, closed, severity, confidence) in [
            (0x202E, "src/lib.rs", Code, false, High, Sure),
            (0x202E, "src/lib.rs", Code, true, High, Sure),
            (0x2066, "src/lib.rs", Literal, false, High, Likely),
            (0x2066, "Cargo.toml", Text, false, High, Likely),
            (0x2066, "Cargo.toml", Text, true, Info, Unsure),
            (0x202E, "tests/ui/a.rs", Comment, false, Medium, Likely),
            (0x202E, "tests/ui/a.rs", Code, false, Medium, Likely),
            (0x200F, "src/lib.rs", Code, true, Medium, Likely),
            (0x200F, "src/lib.rs", Comment, false, Info, Unsure),
            (0x202E, "README.md", Text, false, Low, Unsure),
            (0x202E, "a/Cargo.toml", Text, false, Low, Unsure),
        ] {
            one(&RULE, &with_character(character(code_point, file, context, closed)), severity, confidence);
        }
    }

    /// Comments in `unicode-width`, literals in `icu_provider` and `unicode-security`, data in `url`.
    #[test]
    fn honest_uses_stay_below_review() {
        for character in [
            character(0x2067, "src/lib.rs", Comment, true),
            character(0x2069, "src/lib.rs", Literal, true),
            character(0x202E, "tests/urltestdata.json", Text, false),
        ] {
            let finding = findings(&RULE, &with_character(character)).remove(0);
            assert!(finding.severity <= Severity::Low);
            assert!(!finding.techniques.contains(&16));
        }
    }

    #[test]
    fn characters_of_one_line_are_one_place() {
        let input = with(|facts| {
            for line in 1..=20 {
                for _ in 0..3 {
                    let character = character(0x202E, "a.txt", Text, false);
                    add_character(facts, SuspiciousCharacter { line, ..character });
                }
            }
        });
        let finding = one(&RULE, &input, Severity::Low, Confidence::Low);
        assert!(finding.message.contains("60 characters"), "{}", finding.message);
        assert_eq!((finding.evidence.len(), finding.evidence[9].line), (10, Some(10)));
    }

    #[test]
    fn other_characters_are_for_other_rules() {
        for class in [CharacterClass::Invisible, CharacterClass::Tag, CharacterClass::ConfusableIdentifier] {
            let character = SuspiciousCharacter { class, ..character(0x200B, "src/lib.rs", Code, true) };
            silent(&RULE, &with_character(character));
        }
        silent(&RULE, &input());
    }

    #[test]
    fn a_list_that_was_cut_is_not_silence() {
        let evaluation = (RULE.evaluate)(&with(|facts| facts.files.characters_total = 1_000));
        assert!(matches!(evaluation, Evaluation::Partial(findings, _) if findings.is_empty()));
    }

    #[test]
    fn without_facts_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { facts: Known::Unknown("offline".to_owned()), ..input() });
    }
}
