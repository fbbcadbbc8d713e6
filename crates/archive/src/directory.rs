//! An unpacked package on disk, read as if it had been packed as it lies there.
//!
//! Cargo's own choice of files (`include`, ignored files, nested packages) is not repeated: it can be told to
//! leave a file out that a build of this directory reads all the same.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cratekeeper_model::{Checksum, ChecksumHasher};
use walkdir::{DirEntry, WalkDir};

use crate::path::{self, Place, Taken, shown};
use crate::{ArchiveFile, CrateArchive, Limits, ReadError, Refusal, RefusedEntry};

/// Reads the package in the directory `path`.
///
/// Every file counts, dot-files, `Cargo.toml.orig` and `.cargo_vcs_info.json` included. Only two things are
/// left out: whatever is called `.git`, at any depth, and `target` in the package's own directory, unless
/// that is a regular file. Links are not followed. [`Limits`] hold as for an archive, except those on the
/// compressed stream; [`Limits::entries`] counts files, directories and refused entries.
///
/// [`CrateArchive::checksum`] is the SHA-256 over all files and refused entries, sorted by the bytes of their
/// paths. Each adds the bytes of its path with `/` between components, one zero byte, and the 32 bytes of a
/// SHA-256: of the contents for a file, of the refusal's code for a refused entry. So the checksum changes
/// with everything that is reported. Permission bits have no part in it: they differ between checkouts of
/// the same commit on different platforms.
///
/// # Errors
///
/// [`ReadError::Io`] when something cannot be listed or read; [`ReadError::Refused`] when the package has no
/// manifest or goes beyond a limit.
pub fn read_directory(path: &Path, limits: &Limits) -> Result<CrateArchive, ReadError> {
    let mut reading =
        Reading { limits, files: Vec::new(), refused: Vec::new(), taken: Taken::default(), size: 0 };
    for found in list(path, limits)? {
        reading.read(&found)?;
    }
    let Reading { files, refused, size, .. } = reading;
    check_manifest(&files, &refused)?;
    Ok(CrateArchive {
        name_version_root: directory_name(path),
        checksum: checksum(&files, &refused),
        files,
        refused,
        compressed_size: 0,
        unpacked_size: size,
    })
}

/// A path on disk and the same relative to the package, with `/`.
struct Found {
    disk: PathBuf,
    relative: Vec<u8>,
}

/// Everything in the directory, sorted, because which of two colliding paths is refused must not depend on
/// the file system's order. Nothing is opened yet.
fn list(root: &Path, limits: &Limits) -> Result<Vec<Found>, ReadError> {
    // `walkdir` takes a file for a tree of one, which would be a package without a manifest.
    if !fs::metadata(root).map_err(|error| failed(root, &error))?.is_dir() {
        let message = format!("`{}` is not a directory", root.display());
        return Err(io::Error::new(io::ErrorKind::NotADirectory, message).into());
    }
    let mut all = Vec::new();
    for entry in WalkDir::new(root).min_depth(1).follow_links(false).into_iter().filter_entry(is_wanted) {
        let entry = entry.map_err(io::Error::from)?;
        if all.len() as u64 == limits.entries {
            return Err(Refusal::TooManyEntries { limit: limits.entries }.into());
        }
        let relative = entry.path().strip_prefix(root).expect("walkdir gives paths below its root");
        let components: Vec<&[u8]> =
            relative.components().map(|component| component.as_os_str().as_encoded_bytes()).collect();
        all.push(Found { relative: components.join(&b'/'), disk: entry.into_path() });
    }
    all.sort_unstable_by(|a, b| a.relative.cmp(&b.relative));
    Ok(all)
}

fn is_wanted(entry: &DirEntry) -> bool {
    let is_build_output = entry.depth() == 1 && entry.file_name() == "target" && !entry.file_type().is_file();
    entry.depth() == 0 || (entry.file_name() != ".git" && !is_build_output)
}

struct Reading<'limits> {
    limits: &'limits Limits,
    files: Vec<ArchiveFile>,
    refused: Vec<RefusedEntry>,
    taken: Taken,
    size: u64,
}

impl Reading<'_> {
    fn read(&mut self, found: &Found) -> Result<(), ReadError> {
        let metadata = fs::symlink_metadata(&found.disk).map_err(|error| failed(&found.disk, &error))?;
        match self.place(found, &metadata) {
            Ok(None) => {}
            Ok(Some(path)) => {
                let contents = self.contents(&found.disk, &path)?;
                self.files.push(ArchiveFile { path, contents, mode: mode(&metadata) });
            }
            Err(refusal) => self.refused.push(RefusedEntry { path: shown(&found.relative), refusal }),
        }
        Ok(())
    }

    /// The path to keep the file under; `None` for a directory.
    fn place(&mut self, found: &Found, metadata: &fs::Metadata) -> Result<Option<String>, Refusal> {
        let shown = || shown(&found.relative);
        if metadata.is_symlink() {
            return Err(Refusal::Symlink { path: shown() });
        }
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(Refusal::Device { path: shown() });
        }
        let path = std::str::from_utf8(&found.relative);
        let path = path.map_err(|_| Refusal::NonUtf8Path { path: shown() })?;
        path::check_on_disk(path, self.limits.path)?;
        if metadata.is_dir() {
            self.taken.take(path, Place::Directory)?;
            return Ok(None);
        }
        if path::is_wrong_case_manifest(path) {
            return Err(Refusal::WrongCaseManifest { path: shown() });
        }
        self.taken.take(path, Place::File)?;
        Ok(Some(path.to_owned()))
    }

    fn contents(&mut self, disk: &Path, path: &str) -> Result<Vec<u8>, ReadError> {
        let left = self.limits.unpacked - self.size;
        let most = left.min(self.limits.entry);
        let mut contents = Vec::new();
        // One byte more than allowed: the size that the file system told may have changed since.
        File::open(disk)
            .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut contents))
            .map_err(|error| failed(disk, &error))?;
        let size = contents.len() as u64;
        if size > left {
            return Err(Refusal::TooLargeUnpacked { limit: self.limits.unpacked }.into());
        }
        if size > self.limits.entry {
            let path = shown(path.as_bytes());
            return Err(Refusal::TooLargeEntry { path, limit: self.limits.entry }.into());
        }
        self.size += size;
        Ok(contents)
    }
}

fn check_manifest(files: &[ArchiveFile], refused: &[RefusedEntry]) -> Result<(), Refusal> {
    if files.iter().any(|file| file.path == "Cargo.toml") {
        return Ok(());
    }
    let wrong_case = refused.iter().find(|entry| matches!(entry.refusal, Refusal::WrongCaseManifest { .. }));
    Err(wrong_case.map_or(Refusal::NoManifest, |entry| entry.refusal.clone()))
}

fn checksum(files: &[ArchiveFile], refused: &[RefusedEntry]) -> Checksum {
    let files = files.iter().map(|file| (file.path.as_str(), Checksum::of(&file.contents)));
    let refused =
        refused.iter().map(|entry| (entry.path.as_str(), Checksum::of(entry.refusal.code().as_bytes())));
    let mut entries: Vec<(&str, Checksum)> = files.chain(refused).collect();
    entries.sort_unstable();
    let mut hasher = ChecksumHasher::default();
    for (path, checksum) in entries {
        hasher.update(path.as_bytes());
        hasher.update(&[0]);
        hasher.update(checksum.as_bytes());
    }
    hasher.finish()
}

/// The directory's own name, also for `.` and for paths that end in `..`.
fn directory_name(path: &Path) -> String {
    let full = fs::canonicalize(path);
    let name = full.as_deref().unwrap_or(path).file_name();
    name.map(|name| shown(name.as_encoded_bytes())).unwrap_or_default()
}

fn failed(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("failed to read `{}`: {error}", path.display()))
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}
