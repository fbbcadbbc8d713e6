//! Identifiers that look like others, and text that is not seen.

use std::collections::HashSet;

use cratekeeper_model::facts::{CharacterClass, CharacterContext, Facts, SuspiciousCharacter};
use cratekeeper_model::{Confidence, Evidence, Known, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, count, printable};

pub(super) const RULE: Rule = Rule {
    id: "invisible-text",
    family: Family::Package,
    title: "Identifiers that look like ASCII ones, or text that is not seen",
    explanation: "\
**Looks at:** identifiers whose letters of other alphabets look like ASCII (UTS #39), characters that are drawn as nothing
(zero-width, fillers, soft hyphens), and tag characters, which can carry a hidden message.

| what, where | severity, confidence |
|---|---|
| a look-alike identifier in a file that is compiled | medium, medium |
| an invisible or tag character in code, a tag character anywhere in Rust | medium, medium |
| a look-alike elsewhere; five or more invisible characters in one literal or comment line; tags in other text | low, medium |
| other invisible characters, and the tags of a flag | info, low |

**Why:** two functions that read the same are two functions; the one that is called need not be the one that was reviewed
(CVE-2021-42694). Characters that nobody sees hide data from people and not from programs.

**Harmless when:** formulas use Greek letters, names are written in another script, emoji are joined (U+200D), or tests are about text.

**What to do:** search the file for characters outside of ASCII, and compare the two names byte by byte.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[17],
    evaluate,
};

/// Invisible characters on one line that spell something rather than join something.
const CROWD: usize = 5;

/// Tags of the longest flag.
const FLAG_TAGS: usize = 8;

fn evaluate(input: &RuleInput) -> Evaluation {
    let evaluation = look(input);
    match (evaluation, &input.facts) {
        (Evaluation::Findings(findings), Known::Known(facts))
            if (facts.files.characters.len() as u64) < facts.files.characters_total =>
        {
            let listed = facts.files.characters.len();
            let reason =
                format!("only {listed} of {} suspicious characters are listed", facts.files.characters_total);
            Evaluation::Partial(findings, reason)
        }
        (evaluation, _) => evaluation,
    }
}

fn look(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let files = facts.source.rust_files.iter().filter(|file| !file.targets.is_empty());
        let reached: HashSet<&str> = files.map(|file| file.path.as_str()).collect();
        let crowded = crowded(facts, CharacterClass::Invisible, CROWD);
        let long_tags = crowded_tags(facts);
        let flags = |it: &SuspiciousCharacter| it.class == CharacterClass::Tag && is_flag(it, &long_tags);
        let groups = by_weight(&facts.files.characters, |it| match flags(it) {
            true => Some((Severity::Info, Confidence::Low)),
            false => weight(it, &reached, &crowded),
        });
        groups
            .into_iter()
            .map(|((severity, confidence), characters)| {
                let what = match severity {
                    Severity::Info => "text contains invisible characters",
                    Severity::Low => "text contains characters that hide something",
                    _ => "code contains identifiers or characters that read as something else",
                };
                let message = format!("{what} ({})", count(characters.len(), "character", "characters"));
                let mut seen = HashSet::new();
                let lines = characters.iter().filter(|it| seen.insert((it.file.as_str(), it.line)));
                finding(&RULE, severity, confidence, message)
                    .with_evidence(lines.map(|it| evidence(it)))
                    .with_help(
                        "compare such names byte by byte, in an editor that shows invisible characters",
                    )
                    .pointing_to([17])
            })
            .collect()
    })
}

/// Lines with more tags than the flag of a part of a country has: the black flag, up to six tags and the one that ends them.
fn crowded_tags(facts: &Facts) -> HashSet<(&str, u32)> {
    crowded(facts, CharacterClass::Tag, FLAG_TAGS + 1)
}

/// Whether a tag belongs to the emoji of a flag (UTS #51, emoji tag sequences).
fn is_flag(character: &SuspiciousCharacter, crowded: &HashSet<(&str, u32)>) -> bool {
    character.excerpt.contains("\u{1F3F4}\\u{e00")
        && !crowded.contains(&(character.file.as_str(), character.line))
}

/// Lines with many characters of a class.
fn crowded(facts: &Facts, class: CharacterClass, least: usize) -> HashSet<(&str, u32)> {
    let mut counts = std::collections::HashMap::new();
    for character in facts.files.characters.iter().filter(|it| it.class == class) {
        *counts.entry((character.file.as_str(), character.line)).or_insert(0_usize) += 1;
    }
    counts.into_iter().filter(|(_, count)| *count >= least).map(|(line, _)| line).collect()
}

fn weight(
    character: &SuspiciousCharacter,
    reached: &HashSet<&str>,
    crowded: &HashSet<(&str, u32)>,
) -> Option<(Severity, Confidence)> {
    let low = Some((Severity::Low, Confidence::Medium));
    let in_code = if reached.contains(character.file.as_str()) {
        Some((Severity::Medium, Confidence::Medium))
    } else {
        low
    };
    match (character.class, character.context) {
        (CharacterClass::BidiControl, _) => None,
        (CharacterClass::ConfusableIdentifier, _) | (_, CharacterContext::Code) => in_code,
        // Variation selectors beyond the first sixteen are tags in this table too; fonts for ideographs use them.
        (CharacterClass::Tag, CharacterContext::Text) => low,
        (CharacterClass::Tag, _) => in_code,
        (CharacterClass::Invisible, _) if crowded.contains(&(character.file.as_str(), character.line)) => low,
        (CharacterClass::Invisible, _) => Some((Severity::Info, Confidence::Low)),
    }
}

fn evidence(character: &SuspiciousCharacter) -> Evidence {
    let excerpt = printable(&character.excerpt, 2 * EXCERPT);
    let excerpt = format!("U+{:04X} in column {}: {excerpt}", character.code_point, character.column);
    place(&character.file, Some(character.line), Some(excerpt))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::CharacterClass::{self, BidiControl, ConfusableIdentifier, Invisible, Tag};
    use cratekeeper_model::facts::CharacterContext::{self, Code, Comment, Literal, Text};
    use cratekeeper_model::facts::{SuspiciousCharacter, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{add_character, one, silent, with_rust};

    fn containing(file: &str, class: CharacterClass, context: CharacterContext, times: u32) -> RuleInput {
        with_rust("src/lib.rs", TargetKind::Lib, |facts| {
            for column in 1..=times {
                let file = file.to_owned();
                let character = SuspiciousCharacter {
                    file,
                    line: 3,
                    column,
                    code_point: 0x0430,
                    class,
                    context,
                    closed: true,
                    excerpt: "fn v\\u{430}lidate".to_owned(),
                };
                add_character(facts, character);
            }
        })
    }

    #[test]
    fn look_alikes_in_compiled_code_are_medium() {
        for (class, context) in [(ConfusableIdentifier, Code), (Invisible, Code), (Tag, Code), (Tag, Literal)]
        {
            let finding = one(
                &RULE,
                &containing("src/lib.rs", class, context, 1),
                Severity::Medium,
                Confidence::Medium,
            );
            assert_eq!(finding.techniques, [17]);
        }
    }

    #[test]
    fn hidden_text_and_unreached_look_alikes_are_low() {
        one(
            &RULE,
            &containing("tests/ui/a.rs", ConfusableIdentifier, Code, 1),
            Severity::Low,
            Confidence::Medium,
        );
        one(&RULE, &containing("README.md", Tag, Text, 1), Severity::Low, Confidence::Medium);
        one(&RULE, &containing("src/lib.rs", Invisible, Literal, 8), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn the_tags_of_a_flag_are_info_and_a_message_behind_one_is_not() {
        let with_flag = |times| {
            let mut input = containing("src/lib.rs", Tag, Literal, times);
            if let cratekeeper_model::Known::Known(facts) = &mut input.facts {
                for character in &mut facts.files.characters {
                    character.excerpt = "\u{1F3F4}\\u{e0067}\\u{e0062}".to_owned();
                }
            }
            input
        };
        one(&RULE, &with_flag(6), Severity::Info, Confidence::Low);
        one(&RULE, &with_flag(30), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn single_joiners_are_info() {
        one(&RULE, &containing("src/lib.rs", Invisible, Comment, 1), Severity::Info, Confidence::Low);
    }

    #[test]
    fn bidirectional_controls_are_another_rules() {
        silent(&RULE, &containing("src/lib.rs", BidiControl, Code, 1));
    }
}
