//! What runs while a package is built: its build script, and the macros that the compiler runs.

use std::collections::BTreeMap;

use cratekeeper_model::facts::{Target, TargetKind};
use cratekeeper_model::{ChangeKind, Checksum, Evidence, Facts};

use crate::changes::{Changes, place};

pub(crate) fn compare(older: &Facts, newer: &Facts, changes: &mut Changes) {
    let (before, after) =
        (files_of(older, TargetKind::BuildScript), files_of(newer, TargetKind::BuildScript));
    let said = |facts: &Facts, files: &Files<'_>| {
        let root = root(facts, TargetKind::BuildScript)?.path.clone();
        let lines: u32 = files.keys().map(|path| lines(facts, path)).sum();
        Some(format!("{root}, {lines} lines in {} files", files.len()))
    };
    let (said_before, said_after) = (said(older, &before), said(newer, &after));
    if before != after || said_before.is_some() != said_after.is_some() {
        let unlike = different(&before, &after);
        let subject = root(newer, TargetKind::BuildScript).or_else(|| root(older, TargetKind::BuildScript));
        let subject = subject.map_or("build.rs", |target| target.path.as_str());
        // Texts that are alike after all would hide that a file changed in place.
        let said_before = said_before.map(|text| {
            if Some(&text) == said_after.as_ref() { format!("{text}, other content") } else { text }
        });
        changes.compare(ChangeKind::BuildScript, subject, said_before, said_after, || unlike);
    }
    let name = |facts| root(facts, TargetKind::ProcMacro).map(|target: &Target| target.path.clone());
    let (before, after) = (name(older), name(newer));
    if before.is_some() != after.is_some() {
        let file = after.as_ref().or(before.as_ref()).cloned().unwrap_or_default();
        changes.compare(ChangeKind::ProcMacro, &file, before, after, || vec![place(&file, 0, None)]);
    }
}

type Files<'f> = BTreeMap<&'f str, Option<Checksum>>;

fn root(facts: &Facts, kind: TargetKind) -> Option<&Target> {
    facts.manifest.targets.iter().find(|target| target.kind == kind && target.exists)
}

/// The root files of a kind of target, and all that they reach as modules.
fn files_of(facts: &Facts, kind: TargetKind) -> Files<'_> {
    let is_one =
        |number: &u16| facts.manifest.targets.get(usize::from(*number)).is_some_and(|it| it.kind == kind);
    let reached = facts.source.rust_files.iter().filter(|file| file.targets.iter().any(is_one));
    let roots = facts.manifest.targets.iter().filter(|target| target.kind == kind && target.exists);
    let paths = reached.map(|file| file.path.as_str()).chain(roots.map(|target| target.path.as_str()));
    let checksums: BTreeMap<&str, Checksum> =
        facts.files.entries.iter().map(|entry| (entry.path.as_str(), entry.checksum)).collect();
    paths.map(|path| (path, checksums.get(path).copied())).collect()
}

fn lines(facts: &Facts, path: &str) -> u32 {
    facts.files.entries.iter().find(|entry| entry.path == path).map_or(0, |entry| entry.lines)
}

/// Files that are new or changed, then those that are gone.
fn different(before: &Files<'_>, after: &Files<'_>) -> Vec<Evidence> {
    let new = after.iter().filter(|(path, checksum)| before.get(*path) != Some(checksum));
    let new =
        new.map(|(path, _)| place(path, 0, Some(if before.contains_key(path) { "changed" } else { "new" })));
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    new.chain(gone.map(|path| place(path, 0, Some("gone")))).collect()
}
