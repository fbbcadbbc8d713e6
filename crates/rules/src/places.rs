//! What rules about files and source share: which file a fact stands in, what reaches it, and how paths read.

use cratekeeper_model::facts::{Facts, FileEntry, Operation, OperationKind, Phase, TargetKind};

/// Directories where reviewers expect opaque files.
const TEST_DIRECTORIES: [&str; 8] =
    ["tests", "test", "testdata", "test-data", "test_data", "fixtures", "fixture", "benches"];

/// Directories where nobody looks for code that is compiled.
const OTHER_DIRECTORIES: [&str; 15] = [
    "assets", "asset", "images", "img", "icons", "media", "static", "data", "docs", "doc", "examples",
    "example", "benches", "corpus", "vendor",
];

/// Path of a Rust file by its position; empty for a position outside, which stored facts may have.
pub(crate) fn path(facts: &Facts, file: u32) -> &str {
    facts.source.rust_files.get(file as usize).map_or("", |file| &file.path)
}

/// Kinds of targets that reach a Rust file.
pub(crate) fn kinds(facts: &Facts, file: u32) -> impl Iterator<Item = TargetKind> {
    let targets = facts.source.rust_files.get(file as usize).map_or(&[][..], |file| &file.targets);
    targets
        .iter()
        .filter_map(|target| facts.manifest.targets.get(usize::from(*target)))
        .map(|target| target.kind)
}

/// Whether users of the package compile the file, or run it when they build: no test, benchmark or example alone.
pub(crate) fn ships(facts: &Facts, file: u32) -> bool {
    kinds(facts, file).any(|kind| !matches!(kind, TargetKind::Test | TargetKind::Bench | TargetKind::Example))
}

/// Whether the file runs on the machine of whoever builds.
pub(crate) fn runs_at_build_time(facts: &Facts, file: u32) -> bool {
    kinds(facts, file).any(TargetKind::runs_at_build_time)
}

/// The file of the package with this path.
pub(crate) fn entry<'f>(facts: &'f Facts, path: &str) -> Option<&'f FileEntry> {
    facts.files.entries.iter().find(|entry| entry.path == path)
}

/// Whether a directory of the path is one for tests.
pub(crate) fn is_test_data(path: &str) -> bool {
    directories(path).any(|directory| TEST_DIRECTORIES.contains(&directory))
}

/// Whether a directory of the path is one where no compiled code is expected, tests included.
pub(crate) fn is_no_place_for_code(path: &str) -> bool {
    is_test_data(path) || directories(path).any(|it| OTHER_DIRECTORIES.contains(&it) || it.starts_with('.'))
}

fn directories(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit_once('/').map_or("", |(directories, _)| directories).split('/')
}

/// The directory of a file; empty for the top.
pub(crate) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The extension of a path, without its dot; empty when there is none.
pub(crate) fn extension(path: &str) -> &str {
    file_name(path).rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// `path` as seen from `directory`; `None` when it is absolute or leaves the package.
pub(crate) fn inside_package(directory: &str, path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    if path.starts_with(['/', '~']) || path.as_bytes().get(1) == Some(&b':') {
        return None;
    }
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What a build script tells cargo, as far as it is constant: the operation with key and value, `rustc-link-lib` and `static=a`.
pub(crate) fn directives(facts: &Facts) -> impl Iterator<Item = (&Operation, &str, &str)> {
    let printed = facts.flow.operations.iter().filter(|it| it.kind == OperationKind::CargoDirective);
    printed.flat_map(|operation| {
        let lines = operation.arguments.iter().flat_map(|argument| argument.lines());
        lines.filter_map(move |line| {
            let rest = line.trim().strip_prefix("cargo:")?;
            let (key, value) = rest.strip_prefix(':').unwrap_or(rest).split_once('=')?;
            Some((operation, key, value))
        })
    })
}

/// Whether an operation can run on the machine of whoever builds.
pub(crate) fn is_at_build_time(operation: &Operation) -> bool {
    operation.phases.contains(&Phase::BuildTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_followed_to_the_border_of_the_package() {
        assert_eq!(inside_package("src/a", "../b.txt").as_deref(), Some("src/b.txt"));
        assert_eq!(inside_package("src", "./x//y").as_deref(), Some("src/x/y"));
        for outside in ["../../x", "/etc/x", "C:\\x", "~/.ssh/x", "..\\..\\x"] {
            assert_eq!(inside_package("src", outside), None, "{outside}");
        }
    }

    #[test]
    fn parts_of_paths_are_told_apart() {
        assert!(is_test_data("a/tests/files/b.bin") && !is_test_data("src/tests.rs"));
        assert!(is_no_place_for_code("assets/a.rs") && is_no_place_for_code(".x/a.rs"));
        assert!(!is_no_place_for_code("src/data.rs"));
        assert_eq!((extension("a.b/c"), extension("a/b.tar.gz"), file_name("a/b")), ("", "gz", "b"));
    }
}
