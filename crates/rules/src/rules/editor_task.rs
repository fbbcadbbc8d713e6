//! Files that an editor, a shell or git runs by itself.

use cratekeeper_model::facts::{Facts, Setting, SpecialFile, SpecialRole};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "editor-task",
    family: Family::Package,
    title: "The package carries files that an editor, a shell or git acts on",
    explanation: "\
**Looks at:** settings, tasks and start files of editors (`.vscode`, `.idea`, `.devcontainer`, `.zed`, `.exrc`, …), of shells (`.envrc`)
and hooks of git (`.githooks`, `.husky`).

| what | severity, confidence |
|---|---|
| a task that runs when the directory is opened, a start-up task, a command of a container's creation | medium, high |
| a program or command in the place of the editor's own; a start file that is code; `.envrc`; a git hook | low, medium |
| anything else | info, high |

**Why:** whoever opens the package to look at it has run it. Such tasks were part of several campaigns since 2025, the editors' question
whether a directory is trusted being answered by habit.

**Harmless when:** they are the settings of the project's own development, packed along.

**What to do:** look at the package in a tool that only shows it, and at these files first.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[27],
    evaluate,
};

/// Keys of a container's configuration that are commands, run when it is created or started.
const CONTAINER_COMMANDS: [&str; 7] = [
    "initializecommand",
    "oncreatecommand",
    "updatecontentcommand",
    "postcreatecommand",
    "poststartcommand",
    "postattachcommand",
    "runargs",
];

/// Ends of editors' settings that name a program.
const PROGRAM_KEYS: [&str; 14] = [
    "server.path",
    "overridecommand",
    "invocationstrategy",
    "server.extraenv",
    "rustfmt.extraargs",
    "rustc.source",
    "executable",
    "executablepath",
    "binary.path",
    "git.path",
    "runnables.command",
    "toolchain",
    "interpreter",
    "shellargs",
];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let groups = by_weight(settings(facts), |(file, setting)| Some(weight(file, *setting)));
        groups
            .into_iter()
            .map(|((severity, confidence), settings)| {
                let what = match severity {
                    Severity::Info => "carries settings of an editor",
                    Severity::Low => "carries commands for an editor, a shell or git",
                    _ => "carries commands that run when its directory is opened",
                };
                let message = format!("the package {what} ({})", count(settings.len(), "place", "places"));
                finding(&RULE, severity, confidence, message)
                    .with_evidence(settings.iter().map(|(file, setting)| evidence(file, *setting)))
                    .with_help("read these files before you open the directory in an editor")
                    .pointing_to([27])
            })
            .collect()
    })
}

/// Every setting of every file, and each file without settings once.
fn settings(facts: &Facts) -> Vec<(&SpecialFile, Option<&Setting>)> {
    let is_ours = |it: &&SpecialFile| {
        matches!(it.role, SpecialRole::Editor | SpecialRole::Shell | SpecialRole::GitHook)
    };
    let mut found = Vec::new();
    for file in facts.files.special.iter().filter(is_ours) {
        let active = file.settings.iter().filter(|it| weight(file, Some(it)).0 > Severity::Info);
        let before = found.len();
        found.extend(active.map(|setting| (file, Some(setting))));
        if found.len() == before {
            found.push((file, None));
        }
    }
    found
}

fn weight(file: &SpecialFile, setting: Option<&Setting>) -> (Severity, Confidence) {
    let Some(setting) = setting else { return (Severity::Info, Confidence::High) };
    let path = file.path.to_ascii_lowercase();
    let key = setting.key.to_ascii_lowercase();
    let last = key.rsplit('.').next().unwrap_or(&key);
    let runs_in_container = CONTAINER_COMMANDS.contains(&last)
        || CONTAINER_COMMANDS.iter().any(|it| key.contains(&format!("{it}.")));
    if runs_in_container || runs_on_opening(file, setting) {
        return (Severity::Medium, Confidence::High);
    }
    let is_program = PROGRAM_KEYS.iter().any(|it| key.ends_with(it));
    let is_json = path.ends_with(".json")
        || path.ends_with(".code-workspace")
        || path.ends_with(".toml")
        || path.ends_with(".xml");
    let is_code = file.role != SpecialRole::Editor || (key.is_empty() && !is_json && !path.contains(".idea"));
    if is_program || (is_code && !is_plain_tool_list(&path, &key)) {
        return (Severity::Low, Confidence::Medium);
    }
    (Severity::Info, Confidence::High)
}

/// Whether the setting makes something run on the machine of whoever opens the directory; a container is another machine.
pub(crate) fn runs_on_opening(file: &SpecialFile, setting: &Setting) -> bool {
    let path = file.path.to_ascii_lowercase();
    let key = setting.key.to_ascii_lowercase();
    let value = setting.value.to_ascii_lowercase();
    (key.ends_with("runon") && value == "folderopen")
        || (key.is_empty() && value.contains("folderopen"))
        || (path.contains(".idea") && value.contains("startuptask"))
        || key.ends_with("initializecommand")
}

/// Tools' versions in `mise.toml`, rather than its hooks and tasks.
fn is_plain_tool_list(path: &str, key: &str) -> bool {
    path.ends_with("mise.toml") && (key.starts_with("tools") || key.starts_with("settings"))
}

fn evidence(file: &SpecialFile, setting: Option<&Setting>) -> Evidence {
    let shown = |it: &Setting| match it.key.as_str() {
        "" => printable(&it.value, EXCERPT),
        key => format!("{} = {}", quoted(key, NAME), printable(&it.value, EXCERPT)),
    };
    place(&file.path, setting.map(|it| it.line), setting.map(shown))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::SpecialRole::{self, CargoConfiguration, Editor, GitHook, Shell};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{one, silent, special, with};

    fn carrying(path: &str, role: SpecialRole, settings: &[(&str, &str)]) -> RuleInput {
        with(|facts| facts.files.special.push(special(path, role, settings)))
    }

    /// The greentic packages of 2026: a task that the editor starts by itself.
    #[test]
    fn what_runs_on_opening_is_medium() {
        for (path, key, value) in [
            (".vscode/tasks.json", "tasks.runOptions.runOn", "folderOpen"),
            (".idea/workspace.xml", "", "<component name=\"StartupTasks\">"),
            (".devcontainer/devcontainer.json", "postCreateCommand", "sh a.sh"),
            (".devcontainer/devcontainer.json", "postStartCommand.server", "sh a.sh"),
        ] {
            let input = carrying(path, Editor, &[("tasks.label", "x"), (key, value)]);
            assert_eq!(one(&RULE, &input, Severity::Medium, Confidence::High).techniques, [27], "{path}");
        }
    }

    #[test]
    fn programs_hooks_and_start_files_are_low() {
        for (path, role, key) in [
            (".vscode/settings.json", Editor, "rust-analyzer.server.path"),
            (".vscode/settings.json", Editor, "rust-analyzer.check.overrideCommand"),
            (".exrc", Editor, ""),
            (".envrc", Shell, ""),
            (".githooks/pre-commit", GitHook, ""),
        ] {
            one(&RULE, &carrying(path, role, &[(key, "x")]), Severity::Low, Confidence::Medium);
        }
    }

    #[test]
    fn ordinary_settings_are_info() {
        let settings = [
            ("tasks.label", "test"),
            ("tasks.command", "cargo doc --open"),
            ("rust-analyzer.check.command", "clippy"),
        ];
        let finding = one(
            &RULE,
            &carrying(".vscode/settings.json", Editor, &settings),
            Severity::Info,
            Confidence::High,
        );
        assert_eq!(finding.evidence.len(), 1);
    }

    #[test]
    fn other_roles_are_silent() {
        silent(&RULE, &carrying(".cargo/config.toml", CargoConfiguration, &[("build.rustc", "x")]));
    }
}
