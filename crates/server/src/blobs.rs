//! Archives, by checksum: files by default, any object store by its URL.
//!
//! A blob's key is the SHA-256 of its bytes, so that writing twice is writing once, no crash can leave bytes under a name that promises
//! others, and a rename of a crate or a second registry with the same version costs nothing. Bytes are hashed again when they come back
//! from the store, unless that was done lately and the store says that they are the same: disks lie, too.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use cratekeeper_model::Checksum;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use quick_cache::sync::Cache;

/// Where archives are.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Directory of the files, where they are files of this machine.
    directory: Option<PathBuf>,
    prefix: Key,
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

/// Archives of which it is remembered that they were hashed; 200 bytes each.
const REMEMBERED: usize = 20_000;

/// Bytes that are hashed where they were read; more are hashed where that keeps nobody waiting.
const HASHED_AT_ONCE: usize = 256 << 10;

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
        /// `write` or `read`.
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
        Ok(Blobs { store: store.into(), directory: None, prefix, verified: verified() })
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

    /// The bytes of an archive.
    ///
    /// # Errors
    ///
    /// When it is not there, is damaged, or the store fails.
    pub async fn get(&self, checksum: &Checksum) -> Result<Bytes, BlobError> {
        let failed = |source| BlobError::Failed { operation: "read", checksum: *checksum, source };
        let answer = match self.store.get(&self.key(checksum)).await {
            Ok(answer) => answer,
            Err(object_store::Error::NotFound { .. }) => return Err(BlobError::NotThere(*checksum)),
            Err(error) => return Err(failed(error)),
        };
        let stamp = Stamp::of(&answer.meta);
        let bytes = answer.bytes().await.map_err(failed)?;
        if let Some(stamp) = &stamp
            && stamp.size == bytes.len() as u64
            && self.verified.get(checksum).is_some_and(|it| it.0 == *stamp && it.1.elapsed() < VERIFIED)
        {
            return Ok(bytes);
        }
        let hashed = bytes.clone();
        // A large one takes as long as a thousand answers.
        let actual = match bytes.len() > HASHED_AT_ONCE {
            true => tokio::task::spawn_blocking(move || Checksum::of(&hashed))
                .await
                .map_err(|error| failed(object_store::Error::JoinError { source: error }))?,
            false => Checksum::of(&hashed),
        };
        if actual != *checksum {
            return Err(BlobError::Damaged { expected: *checksum, actual });
        }
        if let Some(stamp) = stamp {
            self.verified.insert(*checksum, (stamp, Instant::now()));
        }
        Ok(bytes)
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

    fn key(&self, checksum: &Checksum) -> Key {
        let digits = checksum.to_string();
        self.prefix.clone().join("archives").join(&digits[..2]).join(format!("{digits}.crate"))
    }
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

    #[test]
    fn a_url_of_no_known_store_is_told_without_its_secrets() {
        let error = Blobs::at("gopher://me:secret@example.invalid/a").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
