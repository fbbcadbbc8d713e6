//! All crates in cargo's cache: what must hold for ordinary, honest code.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use cratekeeper_archive::{Expected, Limits as ArchiveLimits, read_crate_bytes};
use cratekeeper_model::Facts;
use cratekeeper_source::{Limits, PackageFile, analyze};

/// Bytes of Rust source that are read at most: an unoptimised build reads a few MB/s.
const BYTES: usize = 24 << 20;

/// Crates above this are left out, so that one of them is not the whole sample.
const CRATE_BYTES: usize = 1 << 20;

#[test]
fn ordinary_crates_are_read_without_complaint() {
    let paths = common::cached_crates();
    if paths.is_empty() {
        println!("skipped: no crates in cargo's cache");
        return;
    }
    let (next, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let complaints = Mutex::new(Vec::new());
    let totals = Mutex::new((0, 0));
    let read = || {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Ok(content) = std::fs::read(path) else { continue };
            let archive = read_crate_bytes(&content, &Expected::anything(), &ArchiveLimits::default());
            let Ok(archive) = archive else { continue };
            let rust = archive.files.iter().filter(|file| file.path.ends_with(".rs"));
            let size: usize = rust.map(|file| file.contents.len()).sum();
            if size > CRATE_BYTES || bytes.fetch_add(size, Ordering::Relaxed) > BYTES {
                continue;
            }
            let files: Vec<_> =
                archive.files.iter().map(|file| PackageFile::new(&file.path, &file.contents)).collect();
            let facts = analyze(&files, &Limits::default());
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            complaints.lock().unwrap_or_else(PoisonError::into_inner).extend(check(&name, &facts));
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            totals.0 += facts.source.files_total;
            totals.1 += facts.source.files_with_errors;
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(read);
        }
    });
    let complaints = complaints.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(complaints.is_empty(), "{complaints:#?}");
    let (files, with_errors) = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(with_errors * 100 <= files, "{with_errors} of {files} files have errors");
}

fn check(name: &str, facts: &Facts) -> Vec<String> {
    let mut complaints = Vec::new();
    let manifest = &facts.manifest;
    complaints.extend(manifest.differences.iter().map(|it| format!("{name}: {it:?}")));
    complaints.extend(manifest.problems.iter().map(|it| format!("{name}: {it}")));
    if manifest.targets.is_empty() {
        complaints.push(format!("{name}: no targets"));
    }
    let source = &facts.source;
    if source.files_total != source.files_parsed + source.files_with_errors {
        complaints.push(format!("{name}: files do not add up"));
    }
    complaints.extend(common::invalid_indices(facts).map(|it| format!("{name}: {it}")));
    complaints
}
