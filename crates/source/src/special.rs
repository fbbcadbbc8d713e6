//! Files that a tool acts on because of their name: which they are, and what they say.
//!
//! TOML and JSON are flattened to dotted keys, so that a rule can ask for one without knowing the file's shape; anything else
//! is kept line by line. Nothing here says what is dangerous.

use cratekeeper_model::facts::{Setting, SpecialFile, SpecialRole};

use crate::PackageFile;
use crate::text::{cut, excerpt, excerpt_of};

mod scripts;

/// Files above this size are listed without settings; the largest lockfiles of real crates have below 1 MiB.
const FILE_BYTES: usize = 2 << 20;

/// Most settings kept of one file.
const SETTINGS: usize = 100;

/// Most special files that are listed: a workspace of a hundred members has a few hundred.
const FILES: usize = 500;

/// How deep keys are followed; `serde_json` itself stops at 128.
const KEY_DEPTH: usize = 32;

/// Longest key that is kept.
const KEY_BYTES: usize = 300;

/// Longest line of a command that is kept, in characters: what matters stands at the end of a long one as well.
const COMMAND_CHARACTERS: usize = 600;

/// The special files among `files`, and the scripts.
pub(crate) fn files(files: &[&PackageFile<'_>]) -> Vec<SpecialFile> {
    let special = files.iter().filter_map(|file| Some((file, role(file.path)?)));
    let mut found: Vec<SpecialFile> = special.take(FILES).map(|(file, role)| read(file, role)).collect();
    let scripts = scripts::files(files, &found);
    found.extend(scripts);
    found
}

/// What a path makes of a file, if anything. Names are compared without case: some file systems do the same.
pub(crate) fn role(path: &str) -> Option<SpecialRole> {
    use SpecialRole::*;
    let path = path.to_ascii_lowercase();
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let parent = directory.rsplit('/').next().unwrap_or("");
    let inside = |name: &str| directory.split('/').any(|part| part == name);
    Some(match name {
        "config" | "config.toml" if parent == ".cargo" => CargoConfiguration,
        "rust-toolchain" | "rust-toolchain.toml" => Toolchain,
        "cargo.lock" => Lockfile,
        ".mcp.json" | "mcp.json" | ".aider.conf.yml" | "opencode.json" | "claude_desktop_config.json" => {
            AssistantConfiguration
        }
        "settings.json" | "settings.local.json" | "hooks.json" | "config.toml" | "config.json"
            if [".claude", ".cursor", ".gemini", ".codex", ".continue", ".windsurf", ".kiro"]
                .contains(&parent) =>
        {
            AssistantConfiguration
        }
        "agents.md"
        | "agent.md"
        | "agents.override.md"
        | "claude.md"
        | "claude.local.md"
        | "gemini.md"
        | ".cursorrules"
        | ".windsurfrules"
        | ".clinerules"
        | ".roorules"
        | ".continuerules"
        | ".goosehints"
        | "copilot-instructions.md"
        | ".rules"
        | "skill.md"
        | "llms.txt"
        | "llms-full.txt" => AssistantInstructions,
        _ if [
            ".cursor",
            ".claude",
            ".windsurf",
            ".clinerules",
            ".roo",
            ".junie",
            ".kiro",
            ".codex",
            ".continue",
        ]
        .into_iter()
        .any(inside)
            || (inside(".github")
                && ["instructions", "prompts", "chatmodes", "agents"].contains(&parent)) =>
        {
            AssistantInstructions
        }
        _ if [".vscode", ".idea", ".devcontainer", ".zed", ".helix", ".fleet", ".vs"]
            .into_iter()
            .any(inside) =>
        {
            Editor
        }
        ".devcontainer.json" | ".exrc" | ".vimrc" | ".nvimrc" | ".nvim.lua" | ".lvimrc"
        | ".dir-locals.el" | ".dir-locals-2.el" => Editor,
        _ if name.ends_with(".code-workspace") || name.ends_with(".sublime-project") => Editor,
        ".envrc" | ".autoenv" | ".autoenv.zsh" | ".mise.toml" | "mise.toml" | ".bashrc" | ".bash_profile"
        | ".zshrc" | ".zshenv" | ".profile" => Shell,
        ".pre-commit-config.yaml" | "lefthook.yml" | ".lefthook.yml" | ".gitconfig" => GitHook,
        _ if [".githooks", ".husky", ".git-hooks", ".hooks", ".git"].into_iter().any(inside) => GitHook,
        "pre-commit" | "pre-push" | "post-checkout" | "post-merge" | "post-commit" | "commit-msg"
            if parent.contains("hooks") =>
        {
            GitHook
        }
        _ => return None,
    })
}

fn read(file: &PackageFile<'_>, role: SpecialRole) -> SpecialFile {
    let mut special = SpecialFile { path: file.path.to_owned(), role, settings: Vec::new(), problem: None };
    let text = match std::str::from_utf8(file.content) {
        Ok(_) if file.content.len() > FILE_BYTES => {
            special.problem = Some(format!("it is larger than {} MiB", FILE_BYTES >> 20));
            return special;
        }
        Ok(text) => text.strip_prefix('\u{FEFF}').unwrap_or(text),
        Err(_) => {
            special.problem = Some("it is not UTF-8".to_owned());
            return special;
        }
    };
    let settings = match role {
        SpecialRole::Lockfile => Ok(sources(text)),
        SpecialRole::AssistantInstructions => Ok(scripts::telling_lines(text)),
        SpecialRole::CargoConfiguration => toml(text),
        // The old form is the name of a toolchain alone.
        SpecialRole::Toolchain if !text.contains('[') => Ok(lines(text)),
        SpecialRole::Toolchain => toml(text),
        _ if file.path.ends_with(".toml") => toml(text),
        _ if file.path.ends_with(".json") || file.path.ends_with(".code-workspace") => json(text),
        _ => Ok(lines(text)),
    };
    match settings {
        Ok(settings) => special.settings = settings,
        Err(problem) => {
            special.problem = Some(cut(problem, KEY_BYTES));
            // What one reader refuses, a more generous one obeys.
            special.settings = lines(text);
        }
    }
    special
}

/// Distinct addresses behind `source =` in a lockfile, with their first lines.
fn sources(text: &str) -> Vec<Setting> {
    let mut found: Vec<Setting> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (number, line) in text.lines().enumerate() {
        let value =
            line.trim_start().strip_prefix("source").map(str::trim_start).and_then(|it| it.strip_prefix('='));
        let Some(value) = value.map(|value| value.trim().trim_matches('"')) else { continue };
        // The commit behind `#` makes every git source another one.
        let value = value.split('#').next().unwrap_or(value);
        if found.len() < SETTINGS && seen.insert(value) {
            found.push(Setting { key: "source".to_owned(), value: excerpt(value), line: number as u32 + 1 });
        }
    }
    found
}

/// Lines that are neither empty nor a comment.
fn lines(text: &str) -> Vec<Setting> {
    let numbered = text.lines().enumerate().map(|(number, line)| (number, line.trim()));
    let kept = numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', '"', ';']));
    kept.take(SETTINGS)
        .map(|(number, line)| Setting {
            key: String::new(),
            value: excerpt_of(line, COMMAND_CHARACTERS),
            line: number as u32 + 1,
        })
        .collect()
}

fn toml(text: &str) -> Result<Vec<Setting>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let mut leaves = Leaves { text, found: Vec::new() };
    for (key, value) in &table {
        leaves.toml(&below("", key), key, value, 0);
    }
    Ok(leaves.found)
}

/// JSON with comments and trailing commas, as editors read it.
fn json(text: &str) -> Result<Vec<Setting>, String> {
    let plain = without_comments(text);
    let value: serde_json::Value = serde_json::from_str(&plain).map_err(|error| error.to_string())?;
    let mut leaves = Leaves { text, found: Vec::new() };
    leaves.json("", "", &value, 0);
    Ok(leaves.found)
}

struct Leaves<'t> {
    text: &'t str,
    found: Vec<Setting>,
}

/// `name` below `key`, as far as it is kept: a long key with many below it would be copied for each of them.
fn below(key: &str, name: &str) -> String {
    // One character more than is kept, so that it shows that something was cut.
    let longest = KEY_BYTES + char::MAX_LEN_UTF8;
    let mut whole = String::with_capacity((key.len() + 1 + name.len()).min(longest));
    whole.push_str(key);
    if !key.is_empty() {
        whole.push('.');
    }
    whole.push_str(&name[..name.floor_char_boundary(longest)]);
    whole.truncate(whole.floor_char_boundary(longest));
    whole
}

impl Leaves<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= SETTINGS
    }

    /// `name` is the last part of the key, in full: its line is looked for.
    fn add(&mut self, key: &str, name: &str, value: &str) {
        let last = name.rsplit('.').next().unwrap_or(name);
        let at = if last.is_empty() { None } else { self.text.find(last) };
        let line =
            at.map_or(0, |at| self.text[..at].bytes().filter(|byte| *byte == b'\n').count() as u32 + 1);
        self.found.push(Setting {
            key: cut(key.to_owned(), KEY_BYTES),
            value: excerpt_of(value, COMMAND_CHARACTERS),
            line,
        });
    }

    fn toml(&mut self, key: &str, name: &str, value: &toml::Value, depth: usize) {
        if self.is_full() {
            return;
        }
        match value {
            toml::Value::Table(table) if depth < KEY_DEPTH => {
                for (name, value) in table {
                    if self.is_full() {
                        break;
                    }
                    self.toml(&below(key, name), name, value, depth + 1);
                }
            }
            toml::Value::Array(values) if depth < KEY_DEPTH => {
                if values.iter().all(toml::Value::is_str) {
                    let words: Vec<&str> = values.iter().filter_map(toml::Value::as_str).collect();
                    return self.add(key, name, &words.join(" "));
                }
                for value in values {
                    self.toml(key, name, value, depth + 1);
                }
            }
            toml::Value::String(text) => self.add(key, name, text),
            other => self.add(key, name, &other.to_string()),
        }
    }

    fn json(&mut self, key: &str, name: &str, value: &serde_json::Value, depth: usize) {
        if self.is_full() {
            return;
        }
        match value {
            serde_json::Value::Object(object) if depth < KEY_DEPTH => {
                for (name, value) in object {
                    if self.is_full() {
                        break;
                    }
                    self.json(&below(key, name), name, value, depth + 1);
                }
            }
            serde_json::Value::Array(values) if depth < KEY_DEPTH => {
                if values.iter().all(serde_json::Value::is_string) {
                    let words: Vec<&str> = values.iter().filter_map(serde_json::Value::as_str).collect();
                    return self.add(key, name, &words.join(" "));
                }
                for value in values {
                    self.json(key, name, value, depth + 1);
                }
            }
            serde_json::Value::String(text) => self.add(key, name, text),
            other => self.add(key, name, &other.to_string()),
        }
    }
}

/// `text` with comments outside of strings left out, and commas before a closing bracket.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '/', '}', ']']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with('"') {
            let end = string_end(rest);
            plain.push_str(&rest[..end]);
            end
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            if rest.starts_with(['}', ']']) {
                let kept = plain.trim_end();
                if kept.ends_with(',') {
                    plain.truncate(kept.len() - 1);
                }
            }
            plain.push_str(&rest[..1]);
            1
        };
        rest = &rest[length..];
    }
    plain.push_str(rest);
    plain
}

/// Bytes of the string that `text` begins with, quotes included.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(path: &str, text: &str) -> Vec<(String, String, u32)> {
        let file = PackageFile::new(path, text.as_bytes());
        let found = files(&[&file]).remove(0);
        assert_eq!(found.problem, None);
        found.settings.into_iter().map(|it| (it.key, it.value, it.line)).collect()
    }

    fn setting(key: &str, value: &str, line: u32) -> (String, String, u32) {
        (key.to_owned(), value.to_owned(), line)
    }

    #[test]
    fn names_decide() {
        use SpecialRole::*;
        for (path, expected) in [
            (".cargo/config.toml", Some(CargoConfiguration)),
            ("sub/.cargo/config", Some(CargoConfiguration)),
            ("rust-toolchain", Some(Toolchain)),
            (".vscode/tasks.json", Some(Editor)),
            (".vscode/mcp.json", Some(AssistantConfiguration)),
            (".claude/settings.json", Some(AssistantConfiguration)),
            (".claude/commands/a.md", Some(AssistantInstructions)),
            ("AGENTS.md", Some(AssistantInstructions)),
            (".github/copilot-instructions.md", Some(AssistantInstructions)),
            (".envrc", Some(Shell)),
            (".husky/pre-commit", Some(GitHook)),
            ("config.toml", None),
            ("src/agents.rs", None),
            (".github/workflows/ci.yml", None),
            ("src/hooks/mod.rs", None),
        ] {
            assert_eq!(role(path), expected, "{path}");
        }
    }

    #[test]
    fn keys_are_flattened_with_their_lines() {
        let text = "[build]\nrustc-wrapper = \"x\"\n[target.'cfg(unix)']\nrunner = [\"a\", \"b\"]\n";
        assert_eq!(
            settings(".cargo/config.toml", text),
            [setting("build.rustc-wrapper", "x", 2), setting("target.cfg(unix).runner", "a b", 4)]
        );
    }

    #[test]
    fn json_may_have_comments_and_trailing_commas() {
        let text = "{ // a \"comment\"\n \"tasks\": [ { \"runOptions\": {\"runOn\": \"folderOpen\",} }, ], /* } */ }";
        assert_eq!(
            settings(".vscode/tasks.json", text),
            [setting("tasks.runOptions.runOn", "folderOpen", 2)]
        );
    }

    #[test]
    fn what_cannot_be_parsed_is_kept_as_lines() {
        let file = PackageFile::new(".vscode/tasks.json", b"{ \"a\": \n runOn: folderOpen");
        let found = files(&[&file]).remove(0);
        assert!(found.problem.is_some() && found.settings.iter().any(|it| it.value == "runOn: folderOpen"));
    }

    #[test]
    fn lockfiles_tell_each_source_once() {
        let text = "source = \"registry+a\"\nsource = \"registry+a\"\n source = \"git+b#0\"";
        assert_eq!(
            settings("Cargo.lock", text),
            [setting("source", "registry+a", 1), setting("source", "git+b", 3)]
        );
    }

    #[test]
    fn hostile_files_cost_little() {
        let deep = "[".repeat(100_000);
        let file = PackageFile::new(".vscode/tasks.json", deep.as_bytes());
        assert!(files(&[&file])[0].problem.is_some());
        assert!(!without_comments("{\"a\": \"\\\"").is_empty());
    }

    /// Copied for each of them, a key of a megabyte over 100,000 others would take 100 GB.
    #[test]
    fn long_keys_over_many_others_cost_little() {
        let long = "k".repeat(1 << 20);
        let below: Vec<String> = (0..100_000).map(|number| format!("\"{number}\":1")).collect();
        let json = format!("{{\"{long}\": {{{}}}}}", below.join(","));
        let found = settings(".vscode/tasks.json", &json);
        assert_eq!(found.len(), SETTINGS);
        assert_eq!(found[0], (format!("{}…", &long[..KEY_BYTES]), "1".to_owned(), 1));
        let below: Vec<String> = (0..50_000).map(|number| format!("{number} = 1\n")).collect();
        let toml = format!("[{long}]\n{}", below.concat());
        assert_eq!(settings(".cargo/config.toml", &toml).len(), SETTINGS);
    }

    #[test]
    fn keys_are_cut_between_characters() {
        for length in KEY_BYTES - 4..KEY_BYTES + 4 {
            let key = format!("{}é", "k".repeat(length));
            let whole = format!("{key}.ü.a");
            let text = format!("{{\"{key}\": {{\"ü\": {{\"a\": 1}}}}}}");
            assert_eq!(settings(".vscode/a.json", &text)[0].0, cut(whole, KEY_BYTES), "{length}");
        }
    }
}
