//! The key of the vault, and what is sealed by it: AES-256-GCM by `ring`.
//!
//! Each archive is sealed by a key of its own, derived from the vault's and 32 random bytes by HKDF-SHA256, so that no nonce is ever used twice,
//! however much is sealed. Which archive it is, is authenticated along: one cannot be put in the place of another. The file is read each time, so
//! that a key that was put back works at once; and a new one is only made while nothing was sealed by another.

use std::path::{Path, PathBuf};

use cratekeeper_model::Checksum;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::console::{SealingError, key_file};

/// File with the key, in the data directory. Replicas share it.
const KEY: &str = "vault.key";

/// Bytes of the key, of what tells keys apart, and of what an archive's own key is derived from.
const LENGTH: usize = 32;
const ID: usize = 8;
const SALT: usize = 32;

/// What a sealed archive begins with; then the key's id, the salt, and what was sealed.
const MAGIC: &[u8; 8] = b"ckvault1";

/// The key cannot be used, or something is not what was sealed by it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(transparent)]
    File(#[from] SealingError),
    #[error("the key of the vault, `{}`, is gone: put it back from where it is kept", path.display())]
    Lost { path: PathBuf },
    #[error("failed to use the key `{}`: it does not have {LENGTH} bytes", path.display())]
    Length { path: PathBuf },
    #[error(
        "the archive with the checksum {checksum} was sealed by the key {by}, and `{KEY}` is {here}: put the other one back"
    )]
    Other { checksum: Checksum, by: String, here: String },
    #[error("what the vault has of the archive with the checksum {0} was changed since it was sealed")]
    Changed(Checksum),
    #[error("the operating system gave no random numbers")]
    Random,
}

/// A key.
pub(super) struct VaultKey {
    bytes: Vec<u8>,
    id: [u8; ID],
}

impl VaultKey {
    /// The key in a directory, to open with.
    pub(super) fn for_opening(directory: &Path) -> Result<VaultKey, KeyError> {
        let path = directory.join(KEY);
        match std::fs::read(&path) {
            Ok(bytes) => VaultKey::new(bytes, path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(KeyError::Lost { path }),
            Err(source) => Err(SealingError::Io { path, source }.into()),
        }
    }

    /// The key in a directory, to seal with; made, readable by its owner alone, where there is none and nothing was sealed by one before.
    pub(super) fn for_sealing(directory: &Path, has_sealed: bool) -> Result<VaultKey, KeyError> {
        if has_sealed {
            return VaultKey::for_opening(directory);
        }
        let path = directory.join(KEY);
        VaultKey::new(key_file(&path, LENGTH)?, path)
    }

    fn new(bytes: Vec<u8>, path: PathBuf) -> Result<VaultKey, KeyError> {
        if bytes.len() != LENGTH {
            return Err(KeyError::Length { path });
        }
        let mut id = [0; ID];
        // A hash of 32 random bytes tells nothing about them.
        id.copy_from_slice(&Checksum::of(&[b"cratekeeper vault key ", &bytes[..]].concat()).as_bytes()[..ID]);
        Ok(VaultKey { bytes, id })
    }

    fn of_archive(&self, checksum: &Checksum, salt: &[u8]) -> Result<LessSafeKey, KeyError> {
        let changed = |_| KeyError::Changed(*checksum);
        let derived = Salt::new(HKDF_SHA256, salt).extract(&self.bytes);
        derived
            .expand(&[b"cratekeeper archive", checksum.as_bytes()], &AES_256_GCM)
            .map(|it| LessSafeKey::new(UnboundKey::from(it)))
            .map_err(changed)
    }

    /// Seals the bytes of an archive.
    pub(super) fn seal(&self, checksum: &Checksum, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut salt = [0; SALT];
        SystemRandom::new().fill(&mut salt).map_err(|_| KeyError::Random)?;
        let key = self.of_archive(checksum, &salt)?;
        let mut sealed = Vec::with_capacity(MAGIC.len() + ID + SALT + plain.len() + AES_256_GCM.tag_len());
        let head = [&MAGIC[..], &self.id, &salt].concat();
        sealed.extend_from_slice(&head);
        sealed.extend_from_slice(plain);
        let tag = key
            .seal_in_place_separate_tag(only_nonce(), aad(&head, checksum), &mut sealed[head.len()..])
            .map_err(|_| KeyError::Changed(*checksum))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what was sealed of an archive.
    pub(super) fn open(&self, checksum: &Checksum, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let changed = KeyError::Changed(*checksum);
        if sealed.len() < MAGIC.len() + ID + SALT || &sealed[..MAGIC.len()] != MAGIC {
            return Err(changed);
        }
        let (head, body) = sealed.split_at(MAGIC.len() + ID + SALT);
        let (id, salt) = head[MAGIC.len()..].split_at(ID);
        if id != self.id {
            let (by, here) = (hexadecimal(id), hexadecimal(&self.id));
            return Err(KeyError::Other { checksum: *checksum, by, here });
        }
        let key = self.of_archive(checksum, salt)?;
        let mut body = body.to_vec();
        let plain = key.open_in_place(only_nonce(), aad(head, checksum), &mut body).map_err(|_| changed)?;
        let length = plain.len();
        body.truncate(length);
        Ok(body)
    }
}

/// The nonce of the one thing that an archive's own key seals.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn aad(head: &[u8], checksum: &Checksum) -> Aad<Vec<u8>> {
    Aad::from([head, checksum.as_bytes()].concat())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_as_itself_by_its_key_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (plain, other) = (b"bytes of an archive".as_slice(), Checksum::of(b"other"));
        let checksum = Checksum::of(plain);
        assert!(matches!(VaultKey::for_opening(directory.path()), Err(KeyError::Lost { .. })));
        let key = VaultKey::for_sealing(directory.path(), false).unwrap();
        let sealed = key.seal(&checksum, plain).unwrap();
        assert_ne!(sealed, key.seal(&checksum, plain).unwrap(), "each by a key of its own");
        assert!(!sealed.windows(plain.len()).any(|it| it == plain));
        let again = VaultKey::for_opening(directory.path()).unwrap();
        assert_eq!(again.open(&checksum, &sealed).unwrap(), plain);
        assert!(matches!(again.open(&other, &sealed), Err(KeyError::Changed(_))), "as another archive");
        for at in [0, 7, 16, 47, 48, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(again.open(&checksum, &changed).is_err(), "changed at {at}");
        }
        for length in [0, 8, 47, 48, 60, sealed.len() - 1] {
            assert!(again.open(&checksum, &sealed[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_lost_key_is_not_made_anew_and_another_one_says_which_is_needed() {
        let directory = tempfile::tempdir().unwrap();
        let key = VaultKey::for_sealing(directory.path(), false).unwrap();
        let checksum = Checksum::of(b"bytes");
        let sealed = key.seal(&checksum, b"bytes").unwrap();
        let path = directory.path().join(KEY);
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(VaultKey::for_sealing(directory.path(), true), Err(KeyError::Lost { .. })));
        assert!(!path.exists(), "it is not made anew");
        let other = VaultKey::for_sealing(directory.path(), false).unwrap();
        let error = other.open(&checksum, &sealed).unwrap_err().to_string();
        assert!(error.contains(&hexadecimal(&key.id)) && error.contains(&hexadecimal(&other.id)), "{error}");
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(VaultKey::for_opening(directory.path()), Err(KeyError::Length { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        VaultKey::for_sealing(directory.path(), false).unwrap();
        let mode = std::fs::metadata(directory.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
