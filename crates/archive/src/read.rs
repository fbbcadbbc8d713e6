//! A `.crate` file to a [`CrateArchive`]: which members are read, which are refused.

use std::io::Read;

use crate::input::Unpacked;
use crate::members::{Kind, Member, Members};
use crate::path::{self, Place, Taken, shown};
use crate::{ArchiveFile, CrateArchive, Expected, Limits, ReadError, Refusal, RefusedEntry};

/// Reads a `.crate` file from `reader`, which needs no buffer of its own.
///
/// All bytes are read and hashed, up to [`Limits::compressed`], whatever becomes of the content. When the
/// checksum is not the expected one, that alone is reported: what else is wrong with the bytes is then no
/// statement about the expected version.
///
/// # Errors
///
/// [`ReadError::Io`] when the reader fails, [`ReadError::Refused`] when the archive is refused as a whole.
pub fn read_crate(
    reader: impl Read,
    expected: &Expected,
    limits: &Limits,
) -> Result<CrateArchive, ReadError> {
    let mut members = Members::new(Unpacked::new(reader, limits));
    let contents = match read_contents(&mut members, expected) {
        Err(ReadError::Io(error)) => return Err(ReadError::Io(error)),
        contents => contents,
    };
    let input = members.into_input();
    let unpacked_size = input.size();
    let (checksum, compressed_size) = input.into_checksum()?;
    if let Some(expected) = expected.checksum.filter(|expected| *expected != checksum) {
        return Err(Refusal::ChecksumMismatch { expected, actual: checksum }.into());
    }
    let Contents { root, mut files, refused, .. } = contents?;
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(CrateArchive { name_version_root: root, files, refused, checksum, compressed_size, unpacked_size })
}

/// Reads a `.crate` file that is in memory already.
///
/// # Errors
///
/// [`ReadError::Refused`] when the archive is refused as a whole.
pub fn read_crate_bytes(
    bytes: &[u8],
    expected: &Expected,
    limits: &Limits,
) -> Result<CrateArchive, ReadError> {
    read_crate(bytes, expected, limits)
}

/// What was read so far.
#[derive(Default)]
struct Contents {
    /// Empty until the first entry that has an acceptable one.
    root: String,
    files: Vec<ArchiveFile>,
    refused: Vec<RefusedEntry>,
    taken: Taken,
    has_manifest: bool,
}

fn read_contents<R: Read>(members: &mut Members<'_, R>, expected: &Expected) -> Result<Contents, ReadError> {
    let limit = members.limits().path;
    let mut contents = Contents::default();
    while let Some(member) = members.next_member()? {
        match contents.place(&member, expected, limit) {
            Ok(Some(path)) => {
                let mode = member.mode;
                contents.files.push(ArchiveFile { path, contents: members.read_contents()?, mode });
            }
            Ok(None) => {}
            // The only refusal here that is about the whole archive.
            Err(Refusal::SeveralManifests) => return Err(Refusal::SeveralManifests.into()),
            Err(refusal) => contents.refused.push(RefusedEntry { path: shown(&member.path), refusal }),
        }
    }
    contents.check(expected)?;
    Ok(contents)
}

impl Contents {
    /// The path to read the member to; `None` for a directory.
    fn place(&mut self, member: &Member, expected: &Expected, limit: u64) -> Result<Option<String>, Refusal> {
        let path = || shown(&member.path);
        let place = match member.kind {
            Kind::File => Place::File,
            Kind::Directory => Place::Directory,
            Kind::Symlink => return Err(Refusal::Symlink { path: path() }),
            Kind::Hardlink => return Err(Refusal::Hardlink { path: path() }),
            Kind::Device => return Err(Refusal::Device { path: path() }),
            Kind::Unknown(entry_type) => {
                return Err(Refusal::UnknownEntryType { path: path(), entry_type });
            }
        };
        let parsed = path::parse(&member.path, place, limit)?;
        if parsed.inner.is_none() && place == Place::File {
            // A file in the place of the root directory, so it does not say which that is either.
            return Err(self.other_root(expected, &member.path));
        }
        self.check_root(parsed.root, expected, &member.path)?;
        let Some(inner) = parsed.inner else { return Ok(None) };
        if place == Place::Directory {
            self.taken.take(inner, place)?;
            return Ok(None);
        }
        if path::is_wrong_case_manifest(inner) {
            return Err(Refusal::WrongCaseManifest { path: path() });
        }
        if inner == "Cargo.toml" && self.has_manifest {
            return Err(Refusal::SeveralManifests);
        }
        self.taken.take(inner, place)?;
        self.has_manifest |= inner == "Cargo.toml";
        Ok(Some(inner.to_owned()))
    }

    fn check_root(&mut self, root: &str, expected: &Expected, path: &[u8]) -> Result<(), Refusal> {
        if self.root.is_empty() && expected.accepts_root(root) {
            self.root = root.to_owned();
        }
        if self.root == root {
            return Ok(());
        }
        Err(self.other_root(expected, path))
    }

    fn other_root(&self, expected: &Expected, path: &[u8]) -> Refusal {
        let root = if self.root.is_empty() { expected.root() } else { shown(self.root.as_bytes()) };
        Refusal::OtherRoot { path: shown(path), root }
    }

    /// What can only be said at the end.
    fn check(&self, expected: &Expected) -> Result<(), Refusal> {
        if self.has_manifest {
            return Ok(());
        }
        for RefusedEntry { path, refusal } in &self.refused {
            match refusal {
                Refusal::WrongCaseManifest { .. } => return Err(refusal.clone()),
                Refusal::OtherRoot { .. } if self.root.is_empty() => {
                    let found = path.split('/').next().unwrap_or_default().to_owned();
                    return Err(Refusal::WrongNameOrVersion { expected: expected.root(), found });
                }
                _ => {}
            }
        }
        Err(Refusal::NoManifest)
    }
}
