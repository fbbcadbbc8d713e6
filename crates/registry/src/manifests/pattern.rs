//! Patterns in `members`, as cargo's `glob` library reads them: `*`, `?`, `[a-z]`, `[!a-z]` within a name, and `**` for any
//! number of directories.

use std::path::{Path, PathBuf};

use fs_err as fs;

/// Most directories that one pattern looks into. The largest public repositories have some ten thousand.
const MAX_DIRECTORIES: usize = 100_000;

/// Directories with a manifest that `pattern` stands for. One without wildcards stands for itself, whatever is there.
pub(super) fn expand(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    if !is_pattern(pattern) {
        return Ok(vec![root.join(pattern)]);
    }
    let mut found = vec![root.to_owned()];
    let mut looked_into = 0;
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let mut next = Vec::new();
        for directory in found {
            if part == "**" {
                below(directory, &mut next, &mut looked_into)?;
            } else if is_pattern(part) {
                let children = children(&directory, &mut looked_into)?;
                next.extend(
                    children.into_iter().filter(|(name, _)| matches(part, name)).map(|(_, path)| path),
                );
            } else {
                next.push(directory.join(part));
            }
        }
        found = next;
    }
    found.retain(|directory| directory.join("Cargo.toml").is_file());
    found.sort();
    Ok(found)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The directory and all below it. Links are not followed: they may lead around in a circle.
fn below(directory: PathBuf, found: &mut Vec<PathBuf>, looked_into: &mut usize) -> Result<(), String> {
    let mut waiting = vec![directory];
    while let Some(directory) = waiting.pop() {
        let children = children(&directory, looked_into)?;
        waiting.extend(children.into_iter().map(|(_, path)| path).filter(|path| !path.is_symlink()));
        found.push(directory);
    }
    Ok(())
}

/// Directories in a directory; none in one that cannot be read.
fn children(directory: &Path, looked_into: &mut usize) -> Result<Vec<(String, PathBuf)>, String> {
    *looked_into += 1;
    if *looked_into > MAX_DIRECTORIES {
        return Err(format!("there are more than {MAX_DIRECTORIES} directories to look into"));
    }
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.path().is_dir());
    let named = directories.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
    Ok(named.collect())
}

/// Whether a name has the form of a pattern. Goes back to the last `*` only, so that no pattern takes long.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut position) = (0, 0);
    let mut retry = None;
    while position < name.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at, position));
                at += 1;
                continue;
            }
            Some('?') => {
                at += 1;
                position += 1;
                continue;
            }
            Some('[') => {
                if let Some(length) = class(&pattern[at..], name[position]) {
                    at += length;
                    position += 1;
                    continue;
                }
            }
            Some(character) if *character == name[position] => {
                at += 1;
                position += 1;
                continue;
            }
            _ => {}
        }
        let Some((star, from)) = retry else { return false };
        retry = Some((star, from + 1));
        at = star + 1;
        position = from + 1;
    }
    pattern[at..].iter().all(|it| *it == '*')
}

/// Length of the class `[…]` at the start of `pattern`, if `character` belongs to it.
fn class(pattern: &[char], character: char) -> Option<usize> {
    let is_negated = pattern.get(1) == Some(&'!');
    let start = if is_negated { 2 } else { 1 };
    // A bracket right at the start is one of the characters.
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|it| *it == ']')?;
    let mut inside = &pattern[start..end];
    let mut is_member = false;
    while let [first, rest @ ..] = inside {
        match rest {
            ['-', last, after @ ..] => {
                is_member |= (*first..=*last).contains(&character);
                inside = after;
            }
            _ => {
                is_member |= *first == character;
                inside = rest;
            }
        }
    }
    (is_member != is_negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_within_a_name() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("*", ".hidden", true),
            ("crate-*", "crate-a", true),
            ("crate-*", "crate", false),
            ("*-*-z", "a-b-c-z", true),
            ("*-*-z", "a-z", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("v[0-9]", "v7", true),
            ("v[!0-9]", "v7", false),
            ("v[!0-9]", "vx", true),
            ("[]]", "]", true),
            ("[a-c]*", "bee", true),
            ("[a", "[a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        assert!(!matches(&"*a".repeat(500), &"a".repeat(400)));
    }

    #[test]
    fn directories_with_a_manifest_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for path in ["crates/a", "crates/b", "crates/deep/c", "tools/d"] {
            fs::create_dir_all(root.join(path)).unwrap();
            fs::write(root.join(path).join("Cargo.toml"), "").unwrap();
        }
        fs::write(root.join("crates/README.md"), "").unwrap();
        let expand = |pattern: &str| -> Vec<String> {
            let found = expand(root, pattern).unwrap();
            found.iter().map(|it| it.strip_prefix(root).unwrap().to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(expand("crates/*"), ["crates/a", "crates/b"]);
        assert_eq!(expand("crates/**"), ["crates/a", "crates/b", "crates/deep/c"]);
        assert_eq!(expand("./*/d"), ["tools/d"]);
        assert_eq!(expand("crates/missing"), ["crates/missing"]);
        assert!(expand("nothing/*").is_empty());
    }
}
