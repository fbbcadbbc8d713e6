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
/// paths. A file beyond [`Limits::entry`] or [`Limits::unpacked`] is a refused entry, too, data
/// before code: nobody chose it to be published, and the rest is read all the same. Each adds the bytes of its path with `/` between components, one zero byte, and the 32 bytes of a
/// SHA-256: of the contents for a file, of the refusal's code for a refused entry. So the checksum changes
/// with everything that is reported. Permission bits have no part in it: they differ between checkouts of
/// the same commit on different platforms.
///
/// # Errors
///
/// [`ReadError::Io`] when something cannot be listed or read; [`ReadError::Refused`] when the package has no
/// manifest, one beyond a limit, or too many entries.
pub fn read_directory(path: &Path, limits: &Limits) -> Result<CrateArchive, ReadError> {
    let mut reading =
        Reading { limits, files: Vec::new(), refused: Vec::new(), taken: Taken::default(), size: 0 };
    let mut placed = Vec::new();
    for (number, found) in list(path, limits)?.into_iter().enumerate() {
        placed.extend(reading.placed(number, found)?);
    }
    // Where there is too much, data is left out rather than code.
    placed.sort_by_key(|it| !is_code(&it.path));
    for file in placed {
        reading.read(file)?;
    }
    reading.files.sort_unstable_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    reading.refused.sort_unstable_by_key(|(number, _)| *number);
    let Reading { files, refused, size, .. } = reading;
    let refused: Vec<RefusedEntry> = refused.into_iter().map(|(_, entry)| entry).collect();
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

/// A file that is to be read, and the path to keep it under.
struct PlacedFile {
    /// Its place in the order of the directory.
    number: usize,
    disk: PathBuf,
    path: String,
    metadata: fs::Metadata,
}

struct Reading<'limits> {
    limits: &'limits Limits,
    files: Vec<ArchiveFile>,
    /// With their places in the order of the directory.
    refused: Vec<(usize, RefusedEntry)>,
    taken: Taken,
    size: u64,
}

impl Reading<'_> {
    /// A file that is to be read.
    fn placed(&mut self, number: usize, found: Found) -> Result<Option<PlacedFile>, ReadError> {
        let metadata = fs::symlink_metadata(&found.disk).map_err(|error| failed(&found.disk, &error))?;
        match self.place(&found, &metadata) {
            Ok(path) => Ok(path.map(|path| PlacedFile { number, disk: found.disk, path, metadata })),
            Err(refusal) => {
                self.refused.push((number, RefusedEntry { path: shown(&found.relative), refusal }));
                Ok(None)
            }
        }
    }

    fn read(&mut self, file: PlacedFile) -> Result<(), ReadError> {
        let PlacedFile { number, disk, path, metadata } = file;
        match self.contents(&disk, &path, metadata.len())? {
            Ok(contents) => self.files.push(ArchiveFile { path, contents, mode: mode(&metadata) }),
            Err(refusal) if path == "Cargo.toml" => return Err(refusal.into()),
            Err(refusal) => self.refused.push((number, RefusedEntry { path, refusal })),
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

    /// Contents of a file, or why it is left out.
    fn contents(
        &mut self,
        disk: &Path,
        path: &str,
        size: u64,
    ) -> Result<Result<Vec<u8>, Refusal>, ReadError> {
        let left = self.limits.unpacked - self.size;
        let refusal = |size: u64| {
            if size > self.limits.entry {
                Some(Refusal::TooLargeEntry { path: shown(path.as_bytes()), limit: self.limits.entry })
            } else {
                (size > left).then_some(Refusal::TooLargeUnpacked { limit: self.limits.unpacked })
            }
        };
        // Many gigabytes need not be read to be too many.
        if let Some(refusal) = refusal(size) {
            return Ok(Err(refusal));
        }
        let most = left.min(self.limits.entry);
        let mut contents = Vec::new();
        // One byte more than allowed: the size that the file system told may have changed since.
        File::open(disk)
            .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut contents))
            .map_err(|error| failed(disk, &error))?;
        let size = contents.len() as u64;
        if let Some(refusal) = refusal(size) {
            return Ok(Err(refusal));
        }
        self.size += size;
        Ok(Ok(contents))
    }
}

/// Whether it is something that a package is built by.
fn is_code(path: &str) -> bool {
    path == "Cargo.toml" || path.ends_with(".rs")
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
