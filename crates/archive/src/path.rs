//! Which paths an entry may have, and which two may not stand beside each other.
//!
//! Both are decided on text alone. `std::path` is not used on purpose: it reads `\` and `C:` differently on
//! each platform, and a package has to be judged the same everywhere.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::Refusal;

/// How many bytes of a path a refusal repeats. They are kept for every refused entry, some of them three
/// times, so a hostile archive of 65,536 entries costs 40 MiB here and not a gigabyte.
const SHOWN: usize = 200;

/// The path in printable form, cut to a length that suits a message.
pub(crate) fn shown(path: &[u8]) -> String {
    // No need to decode what will be cut.
    let start = &path[..path.len().min(SHOWN * 4)];
    let mut text = String::new();
    for character in String::from_utf8_lossy(start).chars() {
        if text.len() >= SHOWN {
            text.push('…');
            break;
        }
        match character {
            '\\' => text.push_str("\\\\"),
            _ if character.is_control() || is_bidirectional_control(character) => {
                text.extend(character.escape_default());
            }
            _ => text.push(character),
        }
    }
    text
}

/// A path that obeys every rule, split after the root directory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EntryPath<'path> {
    pub(crate) root: &'path str,
    /// `None` for the root directory itself.
    pub(crate) inner: Option<&'path str>,
}

/// Whether an entry is a file or a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    File,
    Directory,
}

/// Checks a path as the archive writes it.
pub(crate) fn parse(bytes: &[u8], place: Place, limit: u64) -> Result<EntryPath<'_>, Refusal> {
    let path = || shown(bytes);
    if bytes.len() as u64 > limit {
        return Err(Refusal::PathTooLong { path: path(), length: bytes.len() as u64, limit });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::NonUtf8Path { path: path() })?;
    check(text)?;
    let text = match place {
        Place::File => text,
        Place::Directory => text.strip_suffix('/').unwrap_or(text),
    };
    if text.split('/').any(|component| matches!(component, "" | ".")) {
        return Err(Refusal::NotNormalizedPath { path: path() });
    }
    Ok(match text.split_once('/') {
        Some((root, inner)) => EntryPath { root, inner: Some(inner) },
        None => EntryPath { root: text, inner: None },
    })
}

/// The rules that hold for a path in an archive and on disk.
fn check(text: &str) -> Result<(), Refusal> {
    let path = || shown(text.as_bytes());
    if text.starts_with('/') {
        return Err(Refusal::AbsolutePath { path: path() });
    }
    if let Some(character) = text.chars().find(|character| is_forbidden(*character)) {
        return Err(Refusal::ForbiddenCharacter { path: path(), character });
    }
    if text.split('/').any(|component| component == "..") {
        return Err(Refusal::ParentDirectory { path: path() });
    }
    Ok(())
}

/// Checks a path that the file system gave, relative to the package.
pub(crate) fn check_on_disk(text: &str, limit: u64) -> Result<(), Refusal> {
    if text.len() as u64 > limit {
        let path = shown(text.as_bytes());
        return Err(Refusal::PathTooLong { path, length: text.len() as u64, limit });
    }
    check(text)
}

/// Cargo refuses to package these, apart from the bidirectional controls, which show a path in another order
/// than it has. `lib.rs:payload` would be a hidden stream of `lib.rs` on Windows, and `\` separates there.
fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\\' | ':' | '<' | '>' | '"' | '|' | '?' | '*')
        || is_bidirectional_control(character)
}

fn is_bidirectional_control(character: char) -> bool {
    matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a path inside the package is the root manifest in another case.
pub(crate) fn is_wrong_case_manifest(inner: &str) -> bool {
    inner != "Cargo.toml" && inner.eq_ignore_ascii_case("Cargo.toml")
}

/// The paths taken so far, as a file system sees them that is careless about case.
///
/// Keys are folded paths with NUL for `/`. NUL sorts before everything and is in no path, so all
/// descendants of a path follow it directly; a file has none, hence whatever lies below an existing file has
/// that file as its direct predecessor. One tree lookup finds either, however deep the path: remembering
/// every ancestor instead would let one path of 1,024 bytes fill 256 KiB.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    paths: BTreeMap<String, (Place, String)>,
}

impl Taken {
    /// Takes a path inside the package, or says what is in its way.
    pub(crate) fn take(&mut self, inner: &str, place: Place) -> Result<(), Refusal> {
        let folded = fold(inner);
        let collision = |other: &str| {
            Err(Refusal::CaseCollidingPath { path: shown(inner.as_bytes()), other: shown(other.as_bytes()) })
        };
        let is_below = |path: &str, above: &str| {
            path.strip_prefix(above).is_some_and(|rest| rest.starts_with(SEPARATOR))
        };
        if let Some((path, (Place::File, other))) = self.paths.range(..folded.clone()).next_back()
            && is_below(&folded, path)
        {
            return collision(other);
        }
        if place == Place::File {
            let first_below = format!("{folded}{SEPARATOR}");
            if let Some((path, (_, other))) = self.paths.range(first_below..).next()
                && is_below(path, &folded)
            {
                return collision(other);
            }
        }
        match self.paths.entry(folded) {
            Entry::Vacant(vacant) => {
                vacant.insert((place, inner.to_owned()));
                Ok(())
            }
            Entry::Occupied(occupied) => match occupied.get() {
                // Directories are merged by unpacking, whatever their case: no file is lost.
                (Place::Directory, _) if place == Place::Directory => Ok(()),
                (Place::File, other) if place == Place::File && other == inner => {
                    Err(Refusal::DuplicatePath { path: shown(inner.as_bytes()) })
                }
                (_, other) => collision(other),
            },
        }
    }
}

const SEPARATOR: char = '\0';

/// What is left of a path on file systems that ignore case (Unicode's, not only ASCII's) and, as Windows
/// does, dots and spaces at the end of a name. Upper case first: `ſ` and `s`, `ς` and `σ` meet only there.
///
/// Composed and decomposed accents are not folded, although macOS takes them for the same.
fn fold(path: &str) -> String {
    let mut folded = String::with_capacity(path.len());
    for (position, component) in path.split('/').enumerate() {
        if position > 0 {
            folded.push(SEPARATOR);
        }
        let name = component.trim_end_matches(['.', ' ']);
        folded.extend(name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(paths: &[&str]) -> Result<(), Refusal> {
        let mut taken = Taken::default();
        paths.iter().try_for_each(|path| match path.strip_suffix('/') {
            Some(directory) => taken.take(directory, Place::Directory),
            None => taken.take(path, Place::File),
        })
    }

    #[test]
    fn paths_that_one_file_system_cannot_hold_collide() {
        let pairs = [
            ["src/lib.rs", "src/Lib.rs"],
            ["SRC/lib.rs", "src/lib.rs"],
            ["src", "src/lib.rs"],
            ["src/lib.rs", "src"],
            ["src/a/b/c/d", "SRC/A"],
            ["src/", "src"],
            ["src", "src/"],
            ["src/deep/", "Src"],
            ["ÄRGER.rs", "ärger.rs"],
            ["ΣΑΣ", "σας"],
            ["\u{212a}ey", "key"],
            ["ſrc", "src"],
            ["build.rs", "build.rs."],
            ["a./b", "a/b"],
        ];
        for pair in pairs {
            let refusal = take_all(&pair).unwrap_err();
            assert_eq!(refusal.code(), "case-colliding-path", "{pair:?}");
        }
        assert_eq!(take_all(&["a", "b", "a"]).unwrap_err().code(), "duplicate-path");
    }

    #[test]
    fn paths_that_only_look_alike_stand_beside_each_other() {
        let lists: [&[&str]; 5] = [
            &["src", "src.rs", "src-a", "src b/c", "srcs/lib.rs", "src!"],
            &["src!", "src b/c", "src"],
            &["src/", "src/lib.rs", "Src/main.rs", "src/"],
            &["a/b/c", "a/b/d", "a/bc", "a/c/b"],
            &[".gitignore", "gitignore", "..gitignore"],
        ];
        for list in lists {
            assert_eq!(take_all(list), Ok(()), "{list:?}");
        }
    }

    #[test]
    fn a_file_hides_from_no_descendant_behind_a_neighbour() {
        // `src!` and `src b` sort between `src` and `src/lib.rs` when `/` sorts as itself.
        assert!(take_all(&["src", "src!", "src b/c", "src\u{7f}", "src/lib.rs"]).is_err());
    }

    #[test]
    fn shown_paths_are_short_and_printable() {
        assert_eq!(shown(b"a\x1b[31m\n\xff\\"), "a\\u{1b}[31m\\n\u{fffd}\\\\");
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        for long in ["a", "é", "\u{202e}", "\\"] {
            let text = shown(long.repeat(5000).as_bytes());
            assert!(text.ends_with('…') && text.len() < SHOWN + 12, "{text}");
        }
    }
}
