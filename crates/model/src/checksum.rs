//! SHA-256 checksums: the identity of a published version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// The SHA-256 of a `.crate` file, or of a directory's sorted (path, SHA-256) list.
///
/// Printed and serialised as 64 lowercase hexadecimal digits, as in `Cargo.lock` and in registry indexes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 checksum of 64 hexadecimal digits")]
pub struct ParseChecksumError(String);

impl Checksum {
    /// The checksum of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Checksum {
        Checksum(Sha256::digest(bytes).into())
    }

    /// The 32 bytes of the digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Computes a [`Checksum`] from bytes that arrive in pieces.
#[derive(Debug, Clone, Default)]
pub struct ChecksumHasher(Sha256);

impl ChecksumHasher {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of everything added so far.
    #[must_use]
    pub fn finish(self) -> Checksum {
        Checksum(self.0.finalize().into())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

impl FromStr for Checksum {
    type Err = ParseChecksumError;

    fn from_str(text: &str) -> Result<Checksum, ParseChecksumError> {
        let refuse = || ParseChecksumError(text.chars().take(80).collect());
        // `is_ascii` first: slicing by byte below must not cut a character.
        if text.len() != 64 || !text.is_ascii() {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let high = (digits[0] as char).to_digit(16).ok_or_else(refuse)?;
            let low = (digits[1] as char).to_digit(16).ok_or_else(refuse)?;
            *byte = (high * 16 + low) as u8;
        }
        Ok(Checksum(bytes))
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Checksum, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        let checksum = Checksum::of(b"");
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(checksum.to_string(), text);
        assert_eq!(text.parse(), Ok(checksum));
        assert_eq!(text.to_uppercase().parse(), Ok(checksum));
    }

    #[test]
    fn hashing_in_pieces_is_hashing_at_once() {
        let mut hasher = ChecksumHasher::default();
        hasher.update(b"crate");
        hasher.update(b"keeper");
        assert_eq!(hasher.finish(), Checksum::of(b"cratekeeper"));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "abc", &"g".repeat(64), &"é".repeat(32)] {
            assert!(text.parse::<Checksum>().is_err(), "{text}");
        }
    }
}
