//! What is said about files, whatever their language.

mod common;

use cratekeeper_model::Facts;
use cratekeeper_model::facts::{CharacterContext, FileEntry, FileKind};
use cratekeeper_source::{Limits, PackageFile, analyze};

fn facts() -> Facts {
    let random: Vec<u8> = (0..=255).collect();
    analyze(
        &[
            PackageFile::new("src/lib.rs", b"fn a() {}\n// long line here\n"),
            PackageFile::new(".github/x.yml", "a: \u{202E}b\n".as_bytes()),
            PackageFile { path: "run.sh", content: b"#!/bin/sh\necho\n", executable: true },
            PackageFile::new("empty", b""),
            PackageFile::new("data/.hidden", &random),
            PackageFile::new("lib.so", b"\x7fELF\x02\x01\x01\0"),
            PackageFile::new("no_end", b"one\r\ntwo"),
        ],
        &Limits::default(),
    )
}

fn entry<'f>(facts: &'f Facts, path: &str) -> &'f FileEntry {
    facts.files.entries.iter().find(|it| it.path == path).expect("listed above")
}

#[test]
fn every_file_is_listed_by_path() {
    let facts = facts();
    let paths: Vec<_> = facts.files.entries.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, [".github/x.yml", "data/.hidden", "empty", "lib.so", "no_end", "run.sh", "src/lib.rs"]);
    assert_eq!(facts.files.unpacked_size, facts.files.entries.iter().map(|it| it.size).sum::<u64>());
    assert!(facts.files.refused.is_empty(), "what was refused is the archive's to say");
}

#[test]
fn lines_are_counted_and_the_longest_is_named() {
    let facts = facts();
    let lines = |path: &str| {
        let it = entry(&facts, path);
        (it.lines, it.longest_line, it.longest_line_number)
    };
    assert_eq!(lines("src/lib.rs"), (2, 17, 2));
    assert_eq!(lines("no_end"), (2, 3, 1));
    assert_eq!(lines("empty"), (0, 0, 0));
    assert_eq!(lines("data/.hidden"), (0, 0, 0), "it is not text");
}

#[test]
fn content_and_name_are_told_apart() {
    let facts = facts();
    assert_eq!(entry(&facts, "lib.so").kind, FileKind::Elf);
    assert_eq!(entry(&facts, "run.sh").kind, FileKind::Script);
    assert!(entry(&facts, "run.sh").executable && !entry(&facts, "lib.so").executable);
    assert_eq!(entry(&facts, "empty").kind, FileKind::Empty);
    assert_eq!(entry(&facts, "data/.hidden").kind, FileKind::Binary);
    assert_eq!(entry(&facts, "data/.hidden").entropy, 8.0);
    assert_eq!(entry(&facts, "empty").entropy, 0.0);
    let hidden: Vec<_> =
        facts.files.entries.iter().filter(|it| it.hidden).map(|it| it.path.as_str()).collect();
    assert_eq!(hidden, [".github/x.yml", "data/.hidden"]);
    assert_eq!(entry(&facts, "empty").checksum.to_string().len(), 64);
}

#[test]
fn text_in_any_language_is_searched_for_hidden_characters() {
    let facts = facts();
    let found = &facts.files.characters;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].file.as_str(), found[0].line, found[0].column), (".github/x.yml", 1, 4));
    assert_eq!(found[0].context, CharacterContext::Text);
}

#[test]
fn of_two_files_with_one_path_the_first_counts() {
    let files = [PackageFile::new("src/lib.rs", b"fn a() {}"), PackageFile::new("src/lib.rs", b"fn b() {}")];
    let facts = analyze(&files, &Limits::default());
    assert_eq!(common::paths(&facts), ["a"]);
    assert_eq!(facts.files.entries.len(), 1);
}
