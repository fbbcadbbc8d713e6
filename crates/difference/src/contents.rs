//! Files: what cannot be read as source, and what hides behind a dot.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::ChangeKind;
use cratekeeper_model::facts::{FileEntry, FileFacts, FileKind};

use crate::changes::{Changes, place};

/// Files that were added, removed, and changed in content.
pub(crate) fn count(older: &FileFacts, newer: &FileFacts) -> (u32, u32, u32) {
    let (before, after) = (by_path(older), by_path(newer));
    let added = after.keys().filter(|path| !before.contains_key(*path)).count();
    let removed = before.keys().filter(|path| !after.contains_key(*path)).count();
    let is_other = |(path, entry): &(&&str, &&FileEntry)| {
        before.get(**path).is_some_and(|it| it.checksum != entry.checksum)
    };
    let changed = after.iter().filter(is_other).count();
    (added as u32, removed as u32, changed as u32)
}

pub(crate) fn compare(older: &FileFacts, newer: &FileFacts, changes: &mut Changes) {
    let (before, after) = (by_path(older), by_path(newer));
    let paths: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    for path in paths {
        let (was, is) = (before.get(path).copied(), after.get(path).copied());
        if was.map(|entry| entry.checksum) == is.map(|entry| entry.checksum) {
            continue;
        }
        let either = [was, is];
        let any = |test: fn(&FileEntry) -> bool| either.iter().flatten().any(|entry| test(entry));
        let kind = if any(is_opaque) {
            ChangeKind::Binary
        } else if any(|entry| entry.hidden && !is_written_by_cargo(&entry.path)) {
            ChangeKind::HiddenFile
        } else {
            continue;
        };
        let (text_before, text_after) = (was.map(describe), is.map(describe));
        // Two contents of the same size are two contents.
        let text_before = text_before
            .map(|it| if Some(&it) == text_after.as_ref() { format!("{it}, other content") } else { it });
        let excerpt = text_after.clone().or_else(|| text_before.clone());
        changes.compare(kind, path, text_before, text_after, || vec![place(path, 0, excerpt.as_deref())]);
    }
}

fn by_path(files: &FileFacts) -> BTreeMap<&str, &FileEntry> {
    files.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect()
}

/// Cargo writes it into every package that is packed out of a repository.
fn is_written_by_cargo(path: &str) -> bool {
    path == ".cargo_vcs_info.json"
}

/// What a reviewer cannot read, pictures, fonts and documents apart.
fn is_opaque(entry: &FileEntry) -> bool {
    entry.kind.is_executable_code()
        || matches!(entry.kind, FileKind::StaticLibrary | FileKind::Archive | FileKind::Binary)
}

fn describe(entry: &FileEntry) -> String {
    let kind = match entry.kind {
        FileKind::Empty => "empty file",
        FileKind::Text => "text",
        FileKind::Script => "script",
        FileKind::Elf => "ELF program, library or object",
        FileKind::Pe => "Windows program or library",
        FileKind::MachO => "Mach-O program, library or object",
        FileKind::Wasm => "WebAssembly module",
        FileKind::Bytecode => "Java or DEX bytecode",
        FileKind::StaticLibrary => "static or import library",
        FileKind::Archive => "archive or compressed file",
        FileKind::Image => "picture",
        FileKind::Font => "font",
        FileKind::Pdf => "PDF",
        FileKind::Binary => "file of unknown kind",
    };
    format!("{kind}, {} bytes", entry.size)
}
