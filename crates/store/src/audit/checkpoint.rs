//! Checkpoints: signed statements of how far the audit log reached, to be kept where whoever could rewrite
//! the log cannot reach them.
//!
//! What is signed, with Ed25519, is the text `cratekeeper audit checkpoint v1`, the sequence, the hash and
//! the moment, each followed by a line feed. `ring` signs, because TLS brings it anyway.

use std::fmt;

use cratekeeper_model::Checksum;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{hexadecimal, last_row};
use crate::entities::{audit_log, checkpoints};
use crate::error::During;
use crate::words::read_word;
use crate::{Act, Event, Store, StoreError, Transaction};

/// What entries of checkpoints on a schedule are about: the newest of them says when the next is due, for all replicas.
const SCHEDULE: &str = "scheduled checkpoints";

/// What is done then.
const TAKEN: &str = "checkpoint.take";

/// Who does it.
const SCHEDULER: &str = "(gate)";

/// A statement that the audit log had this entry, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Number of the last entry; 0 when there was none.
    pub sequence: i64,
    /// Hash of that entry; zero when there was none.
    pub hash: Checksum,
    /// When it was taken.
    pub at: i64,
    /// Public key of whoever signed, in hexadecimal digits.
    pub signer: String,
    /// Signature in hexadecimal digits.
    pub signature: String,
}

/// A key or a checkpoint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system gave no random numbers.
    #[error("failed to make a key: the operating system gave no random numbers")]
    NoRandomness,
    /// The text is no private key.
    #[error("failed to read the key: it is no Ed25519 key in PKCS#8 form")]
    NoKey,
    /// The checkpoint was signed by another key.
    #[error("the checkpoint was signed by `{0}`, which is not the expected key")]
    OtherSigner(String),
    /// The signature is not of this checkpoint.
    #[error("the checkpoint's signature is wrong: it was changed after it was signed")]
    WrongSignature,
}

/// The key that signs checkpoints.
pub struct AuditKey(Ed25519KeyPair);

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditKey({})", self.public())
    }
}

impl AuditKey {
    /// Makes a key. The bytes are its private form, PKCS#8 version 2, to be kept in a file that only the gate
    /// can read.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random numbers.
    pub fn generate() -> Result<(AuditKey, Vec<u8>), CheckpointError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| CheckpointError::NoRandomness)?;
        let bytes = document.as_ref().to_vec();
        Ok((AuditKey::from_pkcs8(&bytes)?, bytes))
    }

    /// Reads a key in its private form.
    ///
    /// # Errors
    ///
    /// When the bytes are no such key.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<AuditKey, CheckpointError> {
        Ed25519KeyPair::from_pkcs8(bytes).map(AuditKey).map_err(|_| CheckpointError::NoKey)
    }

    /// The public key, in hexadecimal digits.
    #[must_use]
    pub fn public(&self) -> String {
        hexadecimal(self.0.public_key().as_ref())
    }

    fn sign(&self, sequence: i64, hash: Checksum, at: i64) -> Checkpoint {
        let signature = hexadecimal(self.0.sign(&message(sequence, hash, at)).as_ref());
        Checkpoint { sequence, hash, at, signer: self.public(), signature }
    }
}

fn message(sequence: i64, hash: Checksum, at: i64) -> Vec<u8> {
    format!("cratekeeper audit checkpoint v1\n{sequence}\n{hash}\n{at}\n").into_bytes()
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hexadecimal.chars().map(|it| it.to_digit(16).and_then(|it| u8::try_from(it).ok())).collect();
    let digits = digits.filter(|it| it.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

impl Checkpoint {
    /// Whether the key `signer`, in hexadecimal digits, signed this.
    ///
    /// # Errors
    ///
    /// When another key did, or none.
    pub fn verify(&self, signer: &str) -> Result<(), CheckpointError> {
        if !self.signer.eq_ignore_ascii_case(signer) {
            return Err(CheckpointError::OtherSigner(self.signer.chars().take(64).collect()));
        }
        let (Some(key), Some(signature)) = (bytes(signer), bytes(&self.signature)) else {
            return Err(CheckpointError::WrongSignature);
        };
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&message(self.sequence, self.hash, self.at), &signature)
            .map_err(|_| CheckpointError::WrongSignature)
    }
}

impl TryFrom<checkpoints::Model> for Checkpoint {
    type Error = StoreError;

    fn try_from(row: checkpoints::Model) -> Result<Checkpoint, StoreError> {
        Ok(Checkpoint {
            sequence: row.sequence,
            hash: read_word(&row.hash, "hash", row.id)?,
            at: row.at,
            signer: row.signer,
            signature: row.signature,
        })
    }
}

impl Store {
    /// Signs how far the audit log reaches now, and keeps a copy. The other copy must leave this machine.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn take_checkpoint(&self, key: &AuditKey, at: i64) -> Result<Checkpoint, StoreError> {
        let checkpoint = sign_last(&self.read, key, at).await?;
        keep(&self.write, &checkpoint).await?;
        Ok(checkpoint)
    }

    /// Signs how far the audit log reaches if nobody did on this schedule within the last `every` seconds, and has webhooks told. Whoever gets
    /// a checkpoint takes it out of this machine's reach and commits then: it counts as taken when it has arrived, and is taken by one of
    /// several replicas.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn due_checkpoint(
        &self,
        key: &AuditKey,
        every: i64,
        at: i64,
    ) -> Result<Option<(Checkpoint, Transaction)>, StoreError> {
        if !is_due(&self.read, every, at).await? {
            return Ok(None);
        }
        let mut transaction = self.act(Act::new(SCHEDULER, TAKEN, SCHEDULE, at)).await?;
        // Another replica may have been faster.
        if !is_due(&transaction.inner, every, at).await? {
            transaction.roll_back().await?;
            return Ok(None);
        }
        let checkpoint = sign_last(&transaction.inner, key, at).await?;
        keep(&transaction.inner, &checkpoint).await?;
        let Checkpoint { sequence, hash, signer, .. } = &checkpoint;
        transaction.set_detail(json!({ "sequence": sequence, "hash": hash, "signer": signer }));
        let body = json!({ "event": Event::Checkpoint, "checkpoint": checkpoint, "at": at });
        transaction.tell(Event::Checkpoint, &body).await?;
        Ok(Some((checkpoint, transaction)))
    }

    /// The copies of the newest checkpoints, newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn checkpoints(&self, limit: u64) -> Result<Vec<Checkpoint>, StoreError> {
        let query = checkpoints::Entity::find().order_by_desc(checkpoints::Column::Id).limit(limit);
        let rows = query.all(&self.read).await.during("read", "checkpoints")?;
        rows.into_iter().map(Checkpoint::try_from).collect()
    }
}

/// Whether the newest entry of the schedule is too old. One that lies in the future, because a clock went back, must not end it.
async fn is_due<C: ConnectionTrait>(connection: &C, every: i64, at: i64) -> Result<bool, StoreError> {
    let query = audit_log::Entity::find()
        .filter(audit_log::Column::Object.eq(SCHEDULE))
        .filter(audit_log::Column::Action.eq(TAKEN))
        .order_by_desc(audit_log::Column::Sequence)
        .limit(1);
    let newest = query.one(connection).await.during("read", "audit log")?;
    Ok(newest.is_none_or(|it| at.saturating_sub(it.at).saturating_abs() >= every))
}

/// Signs the last entry there is.
async fn sign_last<C: ConnectionTrait>(
    connection: &C,
    key: &AuditKey,
    at: i64,
) -> Result<Checkpoint, StoreError> {
    let (sequence, hash) = match last_row(connection).await? {
        Some(row) => (row.sequence, read_word(&row.hash, "hash", row.sequence)?),
        None => (0, read_word(&"0".repeat(64), "hash", 0)?),
    };
    Ok(key.sign(sequence, hash, at))
}

async fn keep<C: ConnectionTrait>(connection: &C, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let row = checkpoints::ActiveModel {
        sequence: Set(checkpoint.sequence),
        hash: Set(checkpoint.hash.to_string()),
        at: Set(checkpoint.at),
        signer: Set(checkpoint.signer.clone()),
        signature: Set(checkpoint.signature.clone()),
        ..Default::default()
    };
    row.insert(connection).await.during("keep a checkpoint", checkpoint.sequence)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let (key, _) = AuditKey::generate().unwrap();
        key.sign(12, Checksum::of(b"entry"), 1_700_000_000)
    }

    #[test]
    fn a_signature_holds_for_its_checkpoint_alone() {
        let signed = checkpoint();
        assert_eq!(signed.verify(&signed.signer), Ok(()));
        for changed in [
            Checkpoint { sequence: 11, ..signed.clone() },
            Checkpoint { hash: Checksum::of(b"other"), ..signed.clone() },
            Checkpoint { at: 0, ..signed.clone() },
            Checkpoint { signature: "00".repeat(64), ..signed.clone() },
            Checkpoint { signature: "é".to_owned(), ..signed.clone() },
        ] {
            assert_eq!(changed.verify(&signed.signer), Err(CheckpointError::WrongSignature));
        }
    }

    #[test]
    fn another_key_is_not_trusted_even_if_it_signed() {
        let (signed, other) = (checkpoint(), checkpoint());
        assert!(matches!(signed.verify(&other.signer), Err(CheckpointError::OtherSigner(_))));
    }

    #[test]
    fn a_key_comes_back_from_its_private_form() {
        let (key, bytes) = AuditKey::generate().unwrap();
        assert_eq!(AuditKey::from_pkcs8(&bytes).unwrap().public(), key.public());
        assert!(AuditKey::from_pkcs8(&bytes[1..]).is_err());
    }
}
