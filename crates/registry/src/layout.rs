//! How cargo names directories and files: of caches, of indexes, of `.crate` files.

use semver::Version;
use tame_index::utils::url_to_local_dir;

/// Whether `name` may become part of a path or a URL.
///
/// Names come from lockfiles, and a lockfile is a stranger's text: without this, a package called
/// `../../.ssh/config` would be looked for, and written, wherever it likes.
pub(crate) fn is_safe_name(name: &str) -> bool {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_');
    !name.is_empty() && name.len() <= 256 && name.chars().all(plain)
}

/// File name of a version's archive.
pub(crate) fn archive_name(name: &str, version: &Version) -> String {
    format!("{name}-{version}.crate")
}

/// Directory of a crate's index entry, with `/`, in the case of `name`: `1`, `2`, `3/a` or `ab/cd`.
pub(crate) fn index_prefix(name: &str) -> String {
    let part = |from, to| name.chars().skip(from).take(to - from).collect::<String>();
    match name.chars().count() {
        length @ (1 | 2) => length.to_string(),
        3 => format!("3/{}", part(0, 1)),
        _ => format!("{}/{}", part(0, 2), part(2, 4)),
    }
}

/// Path of a crate's index entry, with `/`; always lowercase.
pub(crate) fn index_path(name: &str) -> String {
    let name = name.to_lowercase();
    format!("{}/{name}", index_prefix(&name))
}

/// Names that cargo may have given the directories of this index below `registry/`, likeliest first.
/// Cargo 1.85 changed the hash; older caches stay in use.
pub(crate) fn registry_directories(index: &str) -> Vec<String> {
    [true, false].iter().filter_map(|stable| Some(url_to_local_dir(index, *stable).ok()?.dir_name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_paths_follow_the_length_of_the_name() {
        let paths = ["a", "ab", "abc", "abcd", "Inflector"].map(index_path);
        assert_eq!(paths, ["1/a", "2/ab", "3/a/abc", "ab/cd/abcd", "in/fl/inflector"]);
        assert_eq!(index_prefix("Inflector"), "In/fl");
    }

    #[test]
    fn names_that_leave_their_directory_are_not_safe() {
        for name in ["", ".", "..", "../a", "a/b", "a\\b", "a\0", "a b", "a%2f", "c:"] {
            assert!(!is_safe_name(name), "{name:?}");
        }
        for name in ["serde", "proc-macro", "test", "naïve", "9"] {
            assert!(is_safe_name(name), "{name:?}");
        }
    }

    #[test]
    fn directories_are_named_as_cargo_names_them() {
        // Known from cargo's own caches; the constant keeps the host out of this file.
        let directories = registry_directories(tame_index::CRATES_IO_HTTP_INDEX);
        assert!(directories[0].ends_with("-1949cf8c6b5b557f"), "{directories:?}");
        assert!(directories[1].ends_with("-6f17d22bba15001f"), "{directories:?}");
    }
}
