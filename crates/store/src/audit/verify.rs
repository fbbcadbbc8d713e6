//! Does the audit log still say what it said?
//!
//! The whole chain is computed again, page by page, and compared with what is stored, and with checkpoints:
//! those in the database, which show mistakes, and one from elsewhere, which shows what somebody did who
//! could write to the database.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::Checksum;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::{BEGINNING, Checkpoint, hash, hexadecimal};
use crate::entities::{audit_log, checkpoints};
use crate::error::During;
use crate::{Store, StoreError};

/// Entries that are read at once.
const PAGE: u64 = 1_000;

/// Most problems that are listed: a chain that is broken at its beginning is broken once, but a log that was
/// deleted has a gap for each checkpoint.
const LISTED: usize = 100;

/// What is wrong with an audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditProblem {
    /// Entries are missing.
    #[error("entries {from} to {to} are missing")]
    Missing {
        /// First one.
        from: i64,
        /// Last one.
        to: i64,
    },
    /// An entry does not follow from the one before it.
    #[error("entry {sequence} does not follow from the one before it")]
    BrokenChain {
        /// Its number.
        sequence: i64,
    },
    /// An entry is not what its hash was made of.
    #[error("entry {sequence} was changed after it was written")]
    Changed {
        /// Its number.
        sequence: i64,
    },
    /// A checkpoint states another hash than the log has now.
    #[error("the log was rewritten: a checkpoint has another hash for entry {sequence}")]
    Rewritten {
        /// Number of the entry.
        sequence: i64,
    },
    /// A checkpoint states an entry that the log does not have any more.
    #[error("the log was cut off: a checkpoint has entry {sequence}, and the log ends at {last}")]
    Truncated {
        /// Number of the entry.
        sequence: i64,
        /// Number of the last entry there is.
        last: i64,
    },
    /// A checkpoint cannot be trusted.
    #[error("the checkpoint of entry {sequence} cannot be trusted: {reason}")]
    UntrustedCheckpoint {
        /// Number of the entry.
        sequence: i64,
        /// Why.
        reason: String,
    },
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Entries that were read.
    pub entries: u64,
    /// Number of the last one; 0 when there is none.
    pub last: i64,
    /// Hash of the last one.
    pub hash: Option<Checksum>,
    /// Checkpoints that were compared.
    pub checkpoints: u64,
    /// Public keys that signed them.
    pub signers: BTreeSet<String>,
    /// What is wrong, at most a hundred; empty when nothing is.
    pub problems: Vec<AuditProblem>,
}

/// The state of walking the chain.
struct Walk {
    expected: BTreeMap<i64, Vec<String>>,
    previous: String,
    report: AuditReport,
}

impl Walk {
    fn problem(&mut self, problem: AuditProblem) {
        if self.report.problems.len() < LISTED {
            self.report.problems.push(problem);
        }
    }

    fn visit(&mut self, row: &audit_log::Model) {
        let sequence = row.sequence;
        let next = self.report.last.saturating_add(1);
        if sequence != next {
            self.problem(AuditProblem::Missing { from: next, to: sequence.saturating_sub(1) });
        }
        if row.previous != self.previous {
            self.problem(AuditProblem::BrokenChain { sequence });
        }
        let computed = row.previous.parse::<Checksum>().map(|previous| hash(row, previous.as_bytes()));
        if computed.as_ref().map(ToString::to_string).ok().as_ref() != Some(&row.hash) {
            self.problem(AuditProblem::Changed { sequence });
        }
        for stated in self.expected.remove(&sequence).unwrap_or_default() {
            if stated != row.hash {
                self.problem(AuditProblem::Rewritten { sequence });
            }
        }
        self.previous.clone_from(&row.hash);
        self.report.entries += 1;
        self.report.last = sequence;
        self.report.hash = row.hash.parse().ok();
    }

    fn end(mut self) -> AuditReport {
        let last = self.report.last;
        for sequence in std::mem::take(&mut self.expected).into_keys() {
            if sequence > last {
                self.problem(AuditProblem::Truncated { sequence, last });
            }
        }
        self.report
    }
}

impl Store {
    /// Reads the whole audit log and says what is wrong with it. `signers` are the public keys of which one must have signed each checkpoint;
    /// without any, a checkpoint is held to the key that it names itself, which shows that it was not changed, and not who made it. `kept`
    /// are checkpoints that were kept elsewhere. Without one, a log whose end was cut off together with its checkpoints looks whole.
    ///
    /// # Errors
    ///
    /// When the database refuses. What is wrong with the log is no error.
    pub async fn verify_audit_log(
        &self,
        signers: &[String],
        kept: &[Checkpoint],
    ) -> Result<AuditReport, StoreError> {
        let report = AuditReport {
            entries: 0,
            last: 0,
            hash: None,
            checkpoints: 0,
            signers: BTreeSet::new(),
            problems: Vec::new(),
        };
        let mut walk = Walk { expected: BTreeMap::new(), previous: hexadecimal(&BEGINNING), report };
        let own = checkpoints::Entity::find().order_by_asc(checkpoints::Column::Id);
        let own = own.all(&self.read).await.during("read", "checkpoints")?;
        for row in own {
            match Checkpoint::try_from(row.clone()) {
                Ok(checkpoint) => walk.expect(&checkpoint, signers),
                Err(error) => walk.problem(AuditProblem::UntrustedCheckpoint {
                    sequence: row.sequence,
                    reason: error.kind().to_string(),
                }),
            }
        }
        for checkpoint in kept {
            walk.expect(checkpoint, signers);
        }
        loop {
            let mut query = audit_log::Entity::find();
            // At first without a bound: entries with numbers below 1, which nobody gave out, must not escape.
            if walk.report.entries > 0 {
                query = query.filter(audit_log::Column::Sequence.gt(walk.report.last));
            }
            let query = query.order_by_asc(audit_log::Column::Sequence).limit(PAGE);
            let rows = query.all(&self.read).await.during("verify", "audit log")?;
            rows.iter().for_each(|row| walk.visit(row));
            if (rows.len() as u64) < PAGE {
                return Ok(walk.end());
            }
        }
    }
}

impl Walk {
    fn expect(&mut self, checkpoint: &Checkpoint, signers: &[String]) {
        let sequence = checkpoint.sequence;
        let own = &checkpoint.signer;
        let trusted =
            signers.iter().find(|it| it.eq_ignore_ascii_case(own)).or(signers.first()).unwrap_or(own);
        if let Err(error) = checkpoint.verify(trusted) {
            self.problem(AuditProblem::UntrustedCheckpoint { sequence, reason: error.to_string() });
            return;
        }
        self.report.checkpoints += 1;
        self.report.signers.insert(own.to_ascii_lowercase());
        if sequence > 0 {
            self.expected.entry(sequence).or_default().push(checkpoint.hash.to_string());
        }
    }
}
