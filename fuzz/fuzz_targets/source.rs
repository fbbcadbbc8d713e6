//! Any bytes as the files of a package.
//!
//! The first line of a file is its path, and a zero byte ends it. Seeds are real packages in that form, and the texts of
//! `crates/source/tests/attacks.rs`.

#![no_main]

use cratekeeper_source::{Limits, PackageFile, analyze};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let files: Vec<PackageFile<'_>> = bytes
        .split(|byte| *byte == 0)
        .filter_map(|file| {
            let (path, content) = file.split_at_checked(file.iter().position(|byte| *byte == b'\n')?)?;
            Some(PackageFile::new(std::str::from_utf8(path).ok()?, content))
        })
        .collect();
    let facts = analyze(&files, &Limits::default());
    let source = &facts.source;
    assert_eq!(source.files_total, source.files_parsed + source.files_with_errors);
    assert_eq!(source.files_total as usize, source.rust_files.len());
    for call in facts.calls.iter().flat_map(|it| &it.calls) {
        assert!((call.file as usize) < source.rust_files.len());
        assert!(call.function.is_none_or(|it| (it as usize) < source.functions.len()));
    }
    for function in &source.functions {
        assert!(function.start <= function.end && function.line <= function.end_line);
        assert!(function.targets.iter().all(|it| usize::from(*it) < facts.manifest.targets.len()));
    }
});
