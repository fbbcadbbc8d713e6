//! Files and sentences that speak to AI assistants.

use cratekeeper_model::facts::{CharacterClass, Facts, RemarkKind, Setting, SpecialFile, SpecialRole};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "assistant-instructions",
    family: Family::Package,
    title: "The package speaks to AI assistants",
    explanation: "\
**Looks at:** files that assistants obey (`AGENTS.md`, `CLAUDE.md`, `.cursorrules`, Copilot's), what starts programs for them
(`.mcp.json`, hooks in `.claude/settings.json`), and sentences in documentation and comments that speak to them.

| what | severity, confidence |
|---|---|
| instructions that hide something from the user, drop other instructions, touch secrets or fetch programs | medium, medium |
| invisible characters in such a file | medium, medium |
| programs and permissions for assistants | low, medium |
| such a sentence in other documentation or a comment | low, medium |
| instructions without any of these | info, high |

**Why:** an assistant reads such files without being asked and has the rights of its user. In 2025 and 2026 packages of several
registries carried instructions to collect keys and to say nothing about it.

**Harmless when:** a project tells assistants how it is built and tested, as many do, and the files were packed along.

**What to do:** open the package where no assistant runs, and read these files first, in an editor that shows invisible characters.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[28],
    evaluate,
};

/// Parts of keys below which an assistant's settings start programs, or let it do so unasked.
const ACTIVE_KEYS: [&str; 9] = [
    "command",
    "args",
    "hooks",
    "autoapprove",
    "alwaysallow",
    "permissions",
    "url",
    "env",
    "enableallprojectmcpservers",
];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let instructions: Vec<&SpecialFile> = of_role(facts, SpecialRole::AssistantInstructions).collect();
        let is_obeyed = |path: &str| instructions.iter().any(|it| it.path == path);
        let (obeyed, read): (Vec<Evidence>, Vec<Evidence>) = sentences(facts, is_obeyed);
        let hidden = invisible(facts, is_obeyed);
        let programs: Vec<Evidence> =
            of_role(facts, SpecialRole::AssistantConfiguration).flat_map(active).collect();
        let files: Vec<Evidence> = instructions.iter().map(|it| place(&it.path, None, None)).collect();
        let plain = if obeyed.is_empty() && hidden.is_empty() { files } else { Vec::new() };
        [
            (
                obeyed,
                Severity::Medium,
                Confidence::Medium,
                "instructions for AI assistants hide something from the user, or touch secrets or programs",
            ),
            (
                hidden,
                Severity::Medium,
                Confidence::Medium,
                "instructions for AI assistants contain invisible characters",
            ),
            (
                programs,
                Severity::Low,
                Confidence::Medium,
                "settings for AI assistants start programs or give permissions",
            ),
            (
                read,
                Severity::Low,
                Confidence::Medium,
                "documentation or comments tell AI assistants what to do",
            ),
            (plain, Severity::Info, Confidence::High, "the package carries instructions for AI assistants"),
        ]
        .into_iter()
        .filter(|(places, ..)| !places.is_empty())
        .map(|(places, severity, confidence, what)| {
            let message = format!("{what} ({})", count(places.len(), "place", "places"));
            finding(&RULE, severity, confidence, message)
                .with_evidence(places)
                .with_help("read these files before an assistant does")
                .pointing_to([28])
        })
        .collect()
    })
}

fn of_role(facts: &Facts, role: SpecialRole) -> impl Iterator<Item = &SpecialFile> {
    facts.files.special.iter().filter(move |it| it.role == role)
}

/// Sentences that speak to assistants: in files that they obey, and elsewhere.
fn sentences(facts: &Facts, is_obeyed: impl Fn(&str) -> bool) -> (Vec<Evidence>, Vec<Evidence>) {
    let (mut obeyed, mut read) = (Vec::new(), Vec::new());
    for remark in facts.files.remarks.iter().filter(|it| it.kind == RemarkKind::AssistantInstruction) {
        let places = if is_obeyed(&remark.file) { &mut obeyed } else { &mut read };
        places.push(place(&remark.file, Some(remark.line), Some(printable(&remark.excerpt, 2 * EXCERPT))));
    }
    (obeyed, read)
}

/// Text that people do not see in files that assistants obey. A joiner within an emoji is one character among visible ones.
fn invisible(facts: &Facts, is_obeyed: impl Fn(&str) -> bool) -> Vec<Evidence> {
    let hidden = facts.files.characters.iter().filter(|it| {
        let is_joiner = matches!(it.code_point, 0x200D | 0xFEFF);
        matches!(it.class, CharacterClass::Invisible | CharacterClass::Tag | CharacterClass::BidiControl)
            && !is_joiner
            && is_obeyed(&it.file)
    });
    hidden.map(|it| place(&it.file, Some(it.line), Some(printable(&it.excerpt, 2 * EXCERPT)))).collect()
}

fn active(file: &SpecialFile) -> Vec<Evidence> {
    let is_active = |setting: &&Setting| {
        let key = setting.key.to_ascii_lowercase();
        setting.key.is_empty() || key.split('.').any(|part| ACTIVE_KEYS.contains(&part))
    };
    let shown = |it: &Setting| format!("{} = {}", quoted(&it.key, NAME), printable(&it.value, EXCERPT));
    file.settings
        .iter()
        .filter(is_active)
        .map(|it| place(&file.path, Some(it.line), Some(shown(it))))
        .collect()
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::RemarkKind::{ActiveMarkup, AssistantInstruction};
    use cratekeeper_model::facts::SpecialRole::{AssistantConfiguration, AssistantInstructions, Editor};
    use cratekeeper_model::{Confidence, Severity};

    use super::RULE;
    use crate::test_support::{one, remark, silent, special, with};

    #[test]
    fn ordinary_instructions_are_info() {
        let input = with(|facts| facts.files.special.push(special("AGENTS.md", AssistantInstructions, &[])));
        assert_eq!(one(&RULE, &input, Severity::Info, Confidence::High).techniques, [28]);
    }

    #[test]
    fn instructions_that_hide_something_are_medium() {
        let input = with(|facts| {
            facts.files.special.push(special("AGENTS.md", AssistantInstructions, &[]));
            facts.files.remarks.push(remark("AGENTS.md", AssistantInstruction));
        });
        one(&RULE, &input, Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn sentences_elsewhere_and_programs_are_low() {
        let input = with(|facts| facts.files.remarks.push(remark("src/lib.rs", AssistantInstruction)));
        one(&RULE, &input, Severity::Low, Confidence::Medium);
        let settings = [("mcpServers.x.command", "sh"), ("mcpServers.x.name", "x")];
        let input =
            with(|facts| facts.files.special.push(special(".mcp.json", AssistantConfiguration, &settings)));
        assert_eq!(one(&RULE, &input, Severity::Low, Confidence::Medium).evidence.len(), 1);
    }

    #[test]
    fn other_files_are_silent() {
        silent(
            &RULE,
            &with(|facts| {
                facts.files.special.push(special(".vscode/tasks.json", Editor, &[("command", "x")]));
            }),
        );
        silent(&RULE, &with(|facts| facts.files.remarks.push(remark("README.md", ActiveMarkup))));
        let settings = [("theme", "dark")];
        silent(
            &RULE,
            &with(|facts| facts.files.special.push(special("mcp.json", AssistantConfiguration, &settings))),
        );
    }
}
