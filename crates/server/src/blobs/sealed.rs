//! Archives that were taken down: what the store keeps of them instead, and how the plain bytes go.
//!
//! What is in the vault is sealed before it comes here. Nothing in this file decides whether bytes may go.

use axum::body::Bytes;
use cratekeeper_model::Checksum;
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt as _, PutPayload};

use super::{BlobError, Blobs};

/// Directory of all sealed archives in a store.
pub(super) const VAULT: &str = "vault";

impl Blobs {
    /// Keeps the sealed bytes of an archive, in the place of what was sealed of it before.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) async fn put_sealed(&self, checksum: &Checksum, sealed: Bytes) -> Result<(), BlobError> {
        let failed = |source| BlobError::Failed { operation: "write", checksum: *checksum, source };
        let payload = PutPayload::from_bytes(sealed);
        self.store.put(&self.sealed_key(checksum), payload).await.map_err(failed)?;
        Ok(())
    }

    /// The sealed bytes of an archive; `None` when the vault has none.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) async fn sealed(&self, checksum: &Checksum) -> Result<Option<Bytes>, BlobError> {
        let failed = |source| BlobError::Failed { operation: "read", checksum: *checksum, source };
        match self.store.get(&self.sealed_key(checksum)).await {
            Ok(answer) => Ok(Some(answer.bytes().await.map_err(failed)?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    /// Removes the plain bytes of an archive, with what processes that were killed had begun to write of them.
    ///
    /// # Errors
    ///
    /// When the store fails. That there are none is no error.
    pub(crate) async fn remove(&self, checksum: &Checksum) -> Result<(), BlobError> {
        let key = self.key(checksum);
        let failed = |source| BlobError::Failed { operation: "remove", checksum: *checksum, source };
        match self.store.delete(&key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(source) => return Err(failed(source)),
        }
        self.verified.remove(checksum);
        let Some(root) = &self.directory else { return Ok(()) };
        let path = root.join(key.as_ref());
        let name = format!("{checksum}.crate#");
        for entry in path.parent().into_iter().flat_map(std::fs::read_dir).flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|it| it.starts_with(&name)) {
                // Whoever writes it at this moment gives it its name, or does not: the archive is looked for again.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    fn sealed_key(&self, checksum: &Checksum) -> Key {
        let digits = checksum.to_string();
        self.prefix.clone().join(VAULT).join(&digits[..2]).join(format!("{digits}.sealed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn plain_bytes_go_with_what_was_left_of_them_and_sealed_ones_stay() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_directory(directory.path()).unwrap();
        let checksum = blobs.put(Bytes::from_static(b"bytes")).await.unwrap();
        let path = directory.path().join(blobs.key(&checksum).as_ref());
        std::fs::write(format!("{}#1", path.display()), b"byt").unwrap();
        let other = path.with_file_name("other.crate");
        std::fs::write(&other, b"other").unwrap();
        assert_eq!(blobs.sealed(&checksum).await.unwrap(), None);
        blobs.put_sealed(&checksum, Bytes::from_static(b"sealed")).await.unwrap();
        blobs.remove(&checksum).await.unwrap();
        blobs.remove(&checksum).await.unwrap();
        assert!(!blobs.has(&checksum).await.unwrap());
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().flatten().collect();
        assert!(left.len() == 1 && other.exists(), "{left:?}");
        assert_eq!(blobs.sealed(&checksum).await.unwrap().as_deref(), Some(&b"sealed"[..]));
    }
}
