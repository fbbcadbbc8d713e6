//! Unpacked packages on disk.

#![allow(clippy::unwrap_used, reason = "clippy exempts test functions, but not their helpers")]

use std::fs;
use std::path::Path;

use cratekeeper_archive::{CrateArchive, Limits, ReadError, Refusal, read_directory};
use cratekeeper_model::{Checksum, ChecksumHasher};
use tempfile::TempDir;

/// A directory with these files; a path that ends in `/` is an empty directory.
fn package(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, contents) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    directory
}

fn read(directory: &TempDir) -> Result<CrateArchive, ReadError> {
    read_directory(directory.path(), &Limits::default())
}

fn refusal(directory: &Path, limits: &Limits) -> &'static str {
    read_directory(directory, limits).unwrap_err().refusal().map(Refusal::code).unwrap()
}

fn paths(archive: &CrateArchive) -> Vec<&str> {
    archive.files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn every_file_counts() {
    let files = [
        (".cargo/config.toml", ""),
        (".cargo_vcs_info.json", "{}"),
        (".gitignore", "*"),
        ("Cargo.toml", "[package]"),
        ("Cargo.toml.orig", "[package]"),
        ("member/Cargo.toml", "[package]"),
        ("member/target/debug/build", ""),
        ("src/lib.rs", ""),
    ];
    let directory = package(&files);
    let archive = read(&directory).unwrap();
    assert_eq!(paths(&archive), files.map(|(path, _)| path));
    assert_eq!((archive.refused.len(), archive.compressed_size, archive.unpacked_size), (0, 0, 30));
    assert_eq!(archive.name_version_root, directory.path().file_name().unwrap().to_str().unwrap());
}

#[test]
fn git_and_the_target_directory_are_left_out() {
    let directory = package(&[
        (".git/config", ""),
        ("Cargo.toml", ""),
        ("member/.git", "gitdir: elsewhere"),
        ("member/x.git", ""),
        ("target/debug/demo", ""),
    ]);
    assert_eq!(paths(&read(&directory).unwrap()), ["Cargo.toml", "member/x.git"]);
}

#[test]
fn file_called_target_counts() {
    let directory = package(&[("Cargo.toml", ""), ("target", "pub fn hidden() {}")]);
    assert_eq!(paths(&read(&directory).unwrap()), ["Cargo.toml", "target"]);
}

#[test]
fn checksum_is_computed_as_documented() {
    let directory = package(&[("src/lib.rs", "b"), ("Cargo.toml", "a"), ("src.rs", "c")]);
    let mut hasher = ChecksumHasher::default();
    for (path, contents) in [("Cargo.toml", "a"), ("src.rs", "c"), ("src/lib.rs", "b")] {
        hasher.update(path.as_bytes());
        hasher.update(&[0]);
        hasher.update(Checksum::of(contents.as_bytes()).as_bytes());
    }
    assert_eq!(read(&directory).unwrap().checksum, hasher.finish());
}

#[test]
fn directory_without_a_manifest_is_refused() {
    let directory = package(&[("src/lib.rs", "")]);
    assert_eq!(refusal(directory.path(), &Limits::default()), "no-manifest");
}

#[test]
fn limits_hold() {
    let directory = package(&[("Cargo.toml", "12345"), ("src/lib.rs", "1234567890")]);
    let check = |limits: &Limits| refusal(directory.path(), limits);
    assert_eq!(check(&Limits { entry: 4, ..Limits::default() }), "too-large-entry");
    assert_eq!(check(&Limits { unpacked: 4, ..Limits::default() }), "too-large-unpacked");
    assert_eq!(check(&Limits { entries: 2, ..Limits::default() }), "too-many-entries");
    let exactly = Limits { entry: 10, unpacked: 15, entries: 3, path: 10, ..Limits::default() };
    assert!(read_directory(directory.path(), &exactly).is_ok());
    let archive = read_directory(directory.path(), &Limits { path: 9, ..exactly }).unwrap_err();
    assert_eq!(archive.refusal(), Some(&Refusal::NoManifest));
}

#[test]
fn what_is_too_large_is_left_out_and_told_data_before_code() {
    let directory = package(&[("Cargo.toml", "12345"), ("a.data", "1234567890"), ("src/lib.rs", "1234567")]);
    let check = |limits: &Limits| {
        let read = read_directory(directory.path(), limits).unwrap();
        let files: Vec<String> = read.files.iter().map(|it| it.path.clone()).collect();
        let refused: Vec<(String, &str)> =
            read.refused.iter().map(|it| (it.path.clone(), it.refusal.code())).collect();
        (files.join(" "), refused)
    };
    let too_large = |code| vec![("a.data".to_owned(), code)];
    let code = "Cargo.toml src/lib.rs".to_owned();
    let entry = Limits { entry: 9, ..Limits::default() };
    assert_eq!(check(&entry), (code.clone(), too_large("too-large-entry")));
    let unpacked = Limits { unpacked: 14, ..Limits::default() };
    assert_eq!(check(&unpacked), (code, too_large("too-large-unpacked")));
}

#[test]
fn missing_directory_is_an_io_error() {
    let directory = package(&[("Cargo.toml", "")]);
    for path in ["missing", "Cargo.toml"] {
        let error = read_directory(&directory.path().join(path), &Limits::default()).unwrap_err();
        assert!(matches!(error, ReadError::Io(_)), "{error:?}");
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn codes(archive: &CrateArchive) -> Vec<(&str, &str)> {
        archive.refused.iter().map(|entry| (entry.path.as_str(), entry.refusal.code())).collect()
    }

    #[test]
    fn links_are_refused_and_not_followed() {
        let outside = package(&[("secret", "")]);
        let directory = package(&[("Cargo.toml", "")]);
        symlink(outside.path(), directory.path().join("directory")).unwrap();
        symlink(outside.path().join("secret"), directory.path().join("file")).unwrap();
        symlink("nowhere", directory.path().join("broken")).unwrap();
        let archive = read(&directory).unwrap();
        assert_eq!(paths(&archive), ["Cargo.toml"]);
        assert_eq!(codes(&archive), [("broken", "symlink"), ("directory", "symlink"), ("file", "symlink")]);
    }

    #[test]
    fn refused_entry_changes_the_checksum() {
        let directory = package(&[("Cargo.toml", "")]);
        let before = read(&directory).unwrap().checksum;
        symlink("nowhere", directory.path().join("link")).unwrap();
        assert_ne!(read(&directory).unwrap().checksum, before);
    }

    #[test]
    fn sockets_are_refused_and_not_opened() {
        let directory = package(&[("Cargo.toml", "")]);
        let _listener = UnixListener::bind(directory.path().join("socket")).unwrap();
        assert_eq!(codes(&read(&directory).unwrap()), [("socket", "device")]);
    }

    #[test]
    fn names_that_an_archive_may_not_have_are_refused() {
        let directory = package(&[("Cargo.toml", ""), ("a\\b", ""), ("a\nb", ""), ("cargo.toml", "")]);
        // Not every file system takes such a name.
        let other = fs::write(directory.path().join(OsStr::from_bytes(b"\xff")), "").is_ok();
        let archive = read(&directory).unwrap();
        let mut expected = vec![
            ("a\\nb", "forbidden-character"),
            ("a\\\\b", "forbidden-character"),
            ("cargo.toml", "wrong-case-manifest"),
        ];
        if other {
            expected.push(("\u{fffd}", "non-utf8-path"));
        }
        assert_eq!(codes(&archive), expected);
    }

    #[test]
    fn executable_bits_are_kept() {
        let directory = package(&[("Cargo.toml", ""), ("run.sh", "")]);
        let script = directory.path().join("run.sh");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let archive = read(&directory).unwrap();
        assert!(archive.file("run.sh").unwrap().is_executable());
        assert!(!archive.file("Cargo.toml").unwrap().is_executable());
    }
}
