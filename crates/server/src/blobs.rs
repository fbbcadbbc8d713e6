//! Archives, by checksum: files by default, any object store by its URL.
//!
//! A blob's key is the SHA-256 of its bytes, so that writing twice is writing once, no crash can leave bytes under a name that promises
//! others, and a rename of a crate or a second registry with the same version costs nothing. Bytes are hashed again when they come back
//! from the store, unless that was done lately and the store says that they are the same: disks lie, too.

mod sealed;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use cratekeeper_model::{Checksum, ChecksumHasher};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt as _, PutPayload};
use quick_cache::sync::Cache;

/// Where archives are.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Directory of the files, where they are files of this machine.
    directory: Option<PathBuf>,
    prefix: Key,
    /// Bytes of a piece of what is not read at once.
    piece: u64,
    /// What was hashed lately, and when.
    verified: Arc<Cache<Checksum, (Stamp, Instant)>>,
}

/// What an object store says of an object without reading it; another one stands for other bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    tag: String,
    size: u64,
    modified: i64,
}

impl Stamp {
    /// `None` where the store has no tags: then nothing is known without reading.
    fn of(meta: &object_store::ObjectMeta) -> Option<Stamp> {
        let modified = meta.last_modified.timestamp_micros();
        Some(Stamp { tag: meta.e_tag.clone()?, size: meta.size, modified })
    }
}

/// How long bytes are believed after they were hashed, if the store says that they are the same. To hash each archive each time takes longer
/// than to send it, and clients compare the checksum, too.
const VERIFIED: Duration = Duration::from_secs(600);

/// Directory of all archives in a store.
const ARCHIVES: &str = "archives";

/// Age from which a file that is being written is nobody's any more: the largest is written within minutes, and replicas' clocks may differ.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// Archives of which it is remembered that they were hashed; 200 bytes each.
const REMEMBERED: usize = 20_000;

/// Bytes that are hashed where they were read; more are hashed where that keeps nobody waiting.
const HASHED_AT_ONCE: usize = 256 << 10;

/// Bytes up to which an archive is read at once: of 500 real ones, all but a few. Larger ones are read while they are sent, so that a client that
/// takes its time holds a piece and not an archive.
pub(crate) const WHOLE: u64 = 1 << 20;

/// Bytes of a piece: enough that opening the file each time does not show.
const PIECE: u64 = 256 << 10;

/// Bytes of a piece where each is a request to another machine.
const PIECE_FROM_ELSEWHERE: u64 = 1 << 20;

fn verified() -> Arc<Cache<Checksum, (Stamp, Instant)>> {
    Arc::new(Cache::new(REMEMBERED))
}

/// The object store could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The place cannot be used at all.
    #[error("failed to open the archive store `{place}`")]
    Open {
        /// URL without credentials, or path.
        place: String,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The archive is not there.
    #[error("the archive with the checksum {0} is not in the store")]
    NotThere(Checksum),
    /// The archive is there with other bytes.
    #[error("the archive with the checksum {expected} has other bytes in the store, of checksum {actual}")]
    Damaged {
        /// Its key.
        expected: Checksum,
        /// Checksum of what is there.
        actual: Checksum,
    },
    /// The store failed.
    #[error("failed to {operation} the archive with the checksum {checksum}")]
    Failed {
        /// `write`, `read` or `remove`.
        operation: &'static str,
        /// Its key.
        checksum: Checksum,
        /// What the store said.
        source: object_store::Error,
    },
}

impl Blobs {
    /// Archives in a directory, which is made.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made.
    pub fn in_directory(directory: &Path) -> Result<Blobs, BlobError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| BlobError::Open {
            place: directory.display().to_string(),
            source,
        };
        std::fs::create_dir_all(directory).map_err(|error| failed(error.into()))?;
        let store = LocalFileSystem::new_with_prefix(directory).map_err(|error| failed(error.into()))?;
        // Whoever published was told that it is done: a power failure must not take it back.
        let store = Arc::new(store.with_fsync(true));
        Ok(Blobs {
            store,
            directory: Some(directory.to_owned()),
            prefix: Key::default(),
            piece: PIECE,
            verified: verified(),
        })
    }

    /// Archives at a URL, for example `s3://bucket/prefix`; credentials come from the environment.
    ///
    /// # Errors
    ///
    /// When the URL names no store that this program was built for.
    pub fn at(address: &str) -> Result<Blobs, BlobError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| BlobError::Open {
            place: address.split(['?', '@']).next_back().unwrap_or_default().to_owned(),
            source,
        };
        let Ok(url) = address.parse::<url::Url>() else { return Blobs::in_directory(Path::new(address)) };
        if url.scheme() == "file"
            && let Ok(path) = url.to_file_path()
        {
            return Blobs::in_directory(&path);
        }
        let variables = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, prefix) =
            object_store::parse_url_opts(&url, variables).map_err(|error| failed(error.into()))?;
        Ok(Blobs {
            store: store.into(),
            directory: None,
            prefix,
            piece: PIECE_FROM_ELSEWHERE,
            verified: verified(),
        })
    }

    /// Keeps an archive. Keeping it twice is no error.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn put(&self, bytes: Bytes) -> Result<Checksum, BlobError> {
        let checksum = Checksum::of(&bytes);
        self.store
            .put(&self.key(&checksum), PutPayload::from_bytes(bytes))
            .await
            .map_err(|source| BlobError::Failed { operation: "write", checksum, source })?;
        Ok(checksum)
    }

    /// The bytes of an archive, whole.
    ///
    /// # Errors
    ///
    /// When it is not there, is damaged, or the store fails.
    pub async fn get(&self, checksum: &Checksum) -> Result<Bytes, BlobError> {
        let mut archive = self.open(checksum).await?;
        let first = archive.next().await?;
        if archive.is_read() {
            return Ok(first);
        }
        let mut all = Vec::with_capacity(usize::try_from(archive.size()).unwrap_or_default());
        all.extend_from_slice(&first);
        while !archive.is_read() {
            all.extend_from_slice(&archive.next().await?);
        }
        Ok(all.into())
    }

    /// An archive, to be read piece by piece.
    ///
    /// # Errors
    ///
    /// When it is not there, or the store fails.
    pub async fn open(&self, checksum: &Checksum) -> Result<OpenArchive, BlobError> {
        let answer = match self.store.get(&self.key(checksum)).await {
            Ok(answer) => answer,
            Err(object_store::Error::NotFound { .. }) => return Err(BlobError::NotThere(*checksum)),
            Err(source) => return Err(failed_read(checksum, source)),
        };
        let stamp = Stamp::of(&answer.meta);
        let size = answer.meta.size;
        let object = Object { blobs: self.clone(), checksum: *checksum, size, stamp };
        Ok(OpenArchive { object, answer: Some(answer), read: 0 })
    }

    /// Whether an archive is there.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn has(&self, checksum: &Checksum) -> Result<bool, BlobError> {
        match self.store.head(&self.key(checksum)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(BlobError::Failed { operation: "read", checksum: *checksum, source }),
        }
    }

    /// A file with the bytes of an archive, for analysis: the stored one where that is a file, else a temporary copy.
    ///
    /// # Errors
    ///
    /// When it is not there, is damaged, or the store fails.
    pub async fn file(&self, checksum: &Checksum, directory: &Path) -> Result<BlobFile, BlobError> {
        if let Some(root) = &self.directory {
            let path = root.join(self.key(checksum).as_ref());
            if path.is_file() {
                return Ok(BlobFile::Stored(path));
            }
            return Err(BlobError::NotThere(*checksum));
        }
        let bytes = self.get(checksum).await?;
        let failed = |source: std::io::Error| BlobError::Open {
            place: directory.display().to_string(),
            source: source.into(),
        };
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        std::io::Write::write_all(&mut file, &bytes).map_err(failed)?;
        Ok(BlobFile::Copy(file.into_temp_path()))
    }

    /// Removes what processes that were killed left of archives that they had begun to write. What another replica writes at this moment is
    /// younger, and stays.
    pub(crate) fn sweep(&self) {
        // Other stores show nothing of an object before it is whole.
        let Some(root) = &self.directory else { return };
        let listed = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
        for directory in listed(&root.join(ARCHIVES)).chain(listed(&root.join(sealed::VAULT))) {
            for entry in listed(&directory.path()) {
                let age =
                    entry.metadata().and_then(|it| it.modified()).map(|it| it.elapsed().unwrap_or_default());
                if is_staged(&entry.file_name()) && age.is_ok_and(|it| it > LEFT_BEHIND) {
                    // Whoever starts at the same moment may have done it.
                    let _ = std::fs::remove_file(entry.path());
                }
            }
        }
    }

    fn key(&self, checksum: &Checksum) -> Key {
        let digits = checksum.to_string();
        self.prefix.clone().join(ARCHIVES).join(&digits[..2]).join(format!("{digits}.crate"))
    }
}

/// An archive that is read piece by piece, each of bytes that have its checksum.
#[derive(Debug)]
pub struct OpenArchive {
    object: Object,
    /// Until the first piece is read: a client that is slow holds no file open.
    answer: Option<GetResult>,
    read: u64,
}

/// What was found in the store under a checksum.
#[derive(Debug)]
struct Object {
    blobs: Blobs,
    checksum: Checksum,
    size: u64,
    stamp: Option<Stamp>,
}

impl OpenArchive {
    /// Its length.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.object.size
    }

    /// Whether all of it was read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.read >= self.object.size && self.answer.is_none()
    }

    /// Bytes of the next piece.
    #[must_use]
    pub fn piece(&self) -> usize {
        let left = self.object.size - self.read;
        let most = if self.object.is_read_at_once() { left } else { self.object.blobs.piece };
        usize::try_from(left.min(most)).unwrap_or(usize::MAX)
    }

    /// The next piece; empty when there is none.
    ///
    /// # Errors
    ///
    /// When the bytes are others than they were or should be, or the store fails.
    pub async fn next(&mut self) -> Result<Bytes, BlobError> {
        let answer = self.answer.take();
        let bytes = match answer {
            Some(answer) if self.object.is_read_at_once() => self.object.whole(answer).await?,
            None if self.is_read() => Bytes::new(),
            answer => {
                drop(answer);
                if self.read == 0 && !self.object.is_known() {
                    self.object.verify().await?;
                }
                self.object.range(self.read, self.piece()).await?
            }
        };
        self.read += bytes.len() as u64;
        Ok(bytes)
    }

    /// Makes sure that the bytes are there and have the checksum, without keeping them.
    ///
    /// # Errors
    ///
    /// When they are others than they should be, or the store fails.
    pub async fn check(mut self) -> Result<(), BlobError> {
        if self.object.is_read_at_once() {
            return self.next().await.map(|_| ());
        }
        if self.object.is_known() { Ok(()) } else { self.object.verify().await }
    }
}

impl Object {
    fn is_read_at_once(&self) -> bool {
        // Without a tag nobody knows whether a second look is at the same bytes.
        self.size <= WHOLE || self.stamp.is_none()
    }

    /// Whether these bytes were hashed lately.
    fn is_known(&self) -> bool {
        let known = self.blobs.verified.get(&self.checksum);
        let is_it = |stamp: &Stamp| known.is_some_and(|it| it.0 == *stamp && it.1.elapsed() < VERIFIED);
        self.stamp.as_ref().is_some_and(is_it)
    }

    async fn whole(&self, answer: GetResult) -> Result<Bytes, BlobError> {
        let bytes = answer.bytes().await.map_err(|source| failed_read(&self.checksum, source))?;
        if bytes.len() as u64 != self.size || !self.is_known() {
            self.conclude(self.hashed(ChecksumHasher::default(), &bytes).await?)?;
        }
        Ok(bytes)
    }

    /// Reads and hashes all of it, a piece at a time.
    async fn verify(&self) -> Result<(), BlobError> {
        let (mut hasher, mut read) = (ChecksumHasher::default(), 0);
        while read < self.size {
            let length = usize::try_from((self.size - read).min(self.blobs.piece)).unwrap_or(usize::MAX);
            let bytes = self.range(read, length).await?;
            hasher = self.hashed(hasher, &bytes).await?;
            read += bytes.len() as u64;
        }
        self.conclude(hasher)
    }

    /// Hashes the next bytes. Many are hashed where that keeps nobody waiting: it takes as long as a thousand answers.
    async fn hashed(&self, mut hasher: ChecksumHasher, bytes: &Bytes) -> Result<ChecksumHasher, BlobError> {
        if bytes.len() <= HASHED_AT_ONCE {
            hasher.update(bytes);
            return Ok(hasher);
        }
        let bytes = bytes.clone();
        let hashing = tokio::task::spawn_blocking(move || {
            hasher.update(&bytes);
            hasher
        });
        let ended = |source| failed_read(&self.checksum, object_store::Error::JoinError { source });
        hashing.await.map_err(ended)
    }

    fn conclude(&self, hasher: ChecksumHasher) -> Result<(), BlobError> {
        let actual = hasher.finish();
        if actual != self.checksum {
            return Err(BlobError::Damaged { expected: self.checksum, actual });
        }
        if let Some(stamp) = &self.stamp {
            self.blobs.verified.insert(self.checksum, (stamp.clone(), Instant::now()));
        }
        Ok(())
    }

    /// Bytes from `start` on, of the object that was found: one that was replaced or written to since is refused by the store.
    async fn range(&self, start: u64, length: usize) -> Result<Bytes, BlobError> {
        let failed = |source| failed_read(&self.checksum, source);
        let options = GetOptions {
            range: Some(GetRange::Bounded(start..start + length as u64)),
            if_match: self.stamp.as_ref().map(|it| it.tag.clone()),
            ..GetOptions::default()
        };
        let key = self.blobs.key(&self.checksum);
        let answer = self.blobs.store.get_opts(&key, options).await.map_err(failed)?;
        let bytes = answer.bytes().await.map_err(failed)?;
        if bytes.len() == length {
            return Ok(bytes);
        }
        let short = format!("{length} bytes were asked for, and {} came", bytes.len());
        Err(failed(object_store::Error::Generic { store: "archives", source: short.into() }))
    }
}

/// Whether a file is one that `object_store` writes before it gives it its name: the same with `#` and a number.
fn is_staged(name: &OsStr) -> bool {
    let end = |it: &'static str| name.to_str().and_then(|name| name.rsplit_once(it));
    let parts = end(".crate#").or_else(|| end(".sealed#"));
    parts.is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit()))
}

fn failed_read(checksum: &Checksum, source: object_store::Error) -> BlobError {
    BlobError::Failed { operation: "read", checksum: *checksum, source }
}

/// An archive as a file.
#[derive(Debug)]
pub enum BlobFile {
    /// The stored one: it must not be changed.
    Stored(PathBuf),
    /// A copy, gone when this is dropped.
    Copy(tempfile::TempPath),
}

impl AsRef<Path> for BlobFile {
    fn as_ref(&self) -> &Path {
        match self {
            BlobFile::Stored(path) => path,
            BlobFile::Copy(path) => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_comes_back_and_damage_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_directory(&directory.path().join("a/b")).unwrap();
        let checksum = blobs.put(Bytes::from_static(b"bytes")).await.unwrap();
        assert_eq!(blobs.put(Bytes::from_static(b"bytes")).await.unwrap(), checksum);
        assert_eq!(blobs.get(&checksum).await.unwrap().as_ref(), b"bytes");
        assert!(blobs.has(&checksum).await.unwrap());
        let file = blobs.file(&checksum, directory.path()).await.unwrap();
        std::fs::write(file.as_ref(), b"other").unwrap();
        assert!(matches!(blobs.get(&checksum).await, Err(BlobError::Damaged { .. })));
        let missing = Checksum::of(b"missing");
        assert!(matches!(blobs.get(&missing).await, Err(BlobError::NotThere(_))));
        assert!(!blobs.has(&missing).await.unwrap());
    }

    #[tokio::test]
    async fn a_large_archive_comes_in_pieces_that_were_verified() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_directory(directory.path()).unwrap();
        let bytes: Bytes = (0..WHOLE + PIECE + 7).map(|it| (it % 251) as u8).collect::<Vec<u8>>().into();
        let checksum = blobs.put(bytes.clone()).await.unwrap();
        let mut archive = blobs.open(&checksum).await.unwrap();
        assert_eq!((archive.size(), archive.piece() as u64), (bytes.len() as u64, PIECE));
        let mut read = Vec::new();
        while !archive.is_read() {
            let expected = archive.piece();
            let piece = archive.next().await.unwrap();
            assert!(piece.len() == expected && piece.len() as u64 <= PIECE);
            read.extend_from_slice(&piece);
        }
        assert!(read == bytes && blobs.get(&checksum).await.unwrap() == bytes);

        // Written to while it is read: what comes after that is not given out.
        let mut archive = blobs.open(&checksum).await.unwrap();
        archive.next().await.unwrap();
        let file = blobs.file(&checksum, directory.path()).await.unwrap();
        let mut damaged = bytes.to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        std::fs::write(file.as_ref(), damaged).unwrap();
        assert!(matches!(archive.next().await, Err(BlobError::Failed { .. })));
        // And nothing at all by whoever begins now, although the damage is in the last piece.
        let mut archive = blobs.open(&checksum).await.unwrap();
        assert!(matches!(archive.next().await, Err(BlobError::Damaged { .. })));
        assert!(matches!(blobs.open(&checksum).await.unwrap().check().await, Err(BlobError::Damaged { .. })));
    }

    #[tokio::test]
    async fn what_a_crash_left_is_swept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_directory(directory.path()).unwrap();
        let checksum = blobs.put(Bytes::from_static(b"bytes")).await.unwrap();
        let whole = directory.path().join(blobs.key(&checksum).as_ref());
        let beside = |end: &str| PathBuf::from(format!("{}{end}", whole.display()));
        let (left, fresh) = (beside("#1"), beside("#2"));
        let (other, unknown) = (beside("#x"), whole.with_file_name("notes#1"));
        let long_ago = std::time::SystemTime::now() - LEFT_BEHIND - Duration::from_secs(60);
        for path in [&whole, &left, &fresh, &other, &unknown] {
            let file = std::fs::File::options().create(true).append(true).open(path).unwrap();
            file.set_modified(if path == &fresh { std::time::SystemTime::now() } else { long_ago }).unwrap();
        }
        blobs.sweep();
        let is_there: Vec<bool> = [&whole, &left, &fresh, &other, &unknown].map(|it| it.exists()).into();
        assert_eq!(is_there, [true, false, true, true, true]);
        assert_eq!(blobs.get(&checksum).await.unwrap().as_ref(), b"bytes");
    }

    #[test]
    fn a_url_of_no_known_store_is_told_without_its_secrets() {
        let error = Blobs::at("gopher://me:secret@example.invalid/a").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
