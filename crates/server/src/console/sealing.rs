//! Secrets that have to be read again, such as those of second factors, at rest: sealed by a key that is not in the database.
//!
//! AES-256-GCM by `ring`, with a random nonce for each; what a secret is for is authenticated along, so that one cannot be put in the place of
//! another.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};

/// File with the key, in the data directory. Replicas share it.
const KEY: &str = "sealing.key";

/// Bytes of the key.
const LENGTH: usize = 32;

/// Seals and opens.
pub(crate) struct Sealing {
    key: LessSafeKey,
}

/// The key cannot be used, or something is not what was sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealingError {
    /// The file cannot be read or made.
    #[error("failed to use the key `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("failed to use the key `{}`: it does not have {LENGTH} bytes", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the operating system gave no random numbers")]
    Random,
    /// It was sealed with another key, for something else, or was changed.
    #[error("a sealed secret cannot be opened: the key is another one, or it was changed")]
    Changed,
}

impl Sealing {
    /// The key in a directory; made, readable by its owner alone, where there is none.
    pub(crate) fn open(directory: &Path) -> Result<Sealing, SealingError> {
        let path = directory.join(KEY);
        let bytes = key_file(&path, LENGTH)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealingError::Key { path })?;
        Ok(Sealing { key: LessSafeKey::new(key) })
    }

    /// Seals a secret for a purpose, as hexadecimal digits.
    pub(crate) fn seal(&self, purpose: &str, secret: &[u8]) -> Result<String, SealingError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealingError::Random)?;
        let mut sealed = secret.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| SealingError::Changed)?;
        Ok(nonce.iter().chain(&sealed).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Opens what was sealed for this purpose.
    pub(crate) fn unseal(&self, purpose: &str, text: &str) -> Result<Vec<u8>, SealingError> {
        let mut bytes = bytes(text).ok_or(SealingError::Changed)?;
        if bytes.len() < NONCE_LEN {
            return Err(SealingError::Changed);
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| SealingError::Changed)?;
        let opened = self.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut sealed);
        opened.map(|it| it.to_vec()).map_err(|_| SealingError::Changed)
    }
}

/// What is in the file of a key; made of random bytes, readable by its owner alone, where there is none.
pub(crate) fn key_file(path: &Path, length: usize) -> Result<Vec<u8>, SealingError> {
    let io = |source| SealingError::Io { path: path.to_owned(), source };
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        result => return result.map_err(io),
    }
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SealingError::Random)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(io)?;
    file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(io)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(bytes),
        // Another process was faster: its key is the one.
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            std::fs::read(path).map_err(io)
        }
        Err(error) => Err(io(error.error)),
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.len().is_multiple_of(2).then(|| pairs.map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_for_its_purpose_by_its_key_alone() {
        let directory = tempfile::tempdir().unwrap();
        let sealing = Sealing::open(directory.path()).unwrap();
        let sealed = sealing.seal("second factor of 1", b"secret").unwrap();
        assert_ne!(sealed, sealing.seal("second factor of 1", b"secret").unwrap());
        let again = Sealing::open(directory.path()).unwrap();
        assert_eq!(again.unseal("second factor of 1", &sealed).unwrap(), b"secret");
        assert!(again.unseal("second factor of 2", &sealed).is_err());
        assert!(
            again.unseal("second factor of 1", &format!("{}0", &sealed[..sealed.len() - 1])).is_err()
                || sealed.ends_with('0')
        );
        for odd in ["", "0", "zz", "00", "äöü"] {
            assert!(again.unseal("second factor of 1", odd).is_err(), "{odd}");
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let other = Sealing::open(elsewhere.path()).unwrap();
        assert!(other.unseal("second factor of 1", &sealed).is_err());
    }
}
