//! The gate's operational database.
//!
//! Who published what and how, what inspection and people made of it, who fetched it, who may do what, and a log of all that was done
//! that cannot be rewritten unseen; on SQLite in a directory, or on PostgreSQL, with the same tables.
//!
//! ```
//! # use cratekeeper_store::{Act, NewUser, Role, Store, StoreError};
//! # async fn example(directory: &std::path::Path, now: i64) -> Result<(), StoreError> {
//! let store = Store::open_directory(directory).await?;
//! let mut transaction = store.act(Act::new("(set-up)", "user.create", "alice", now)).await?;
//! let alice = NewUser { login: "alice".to_owned(), roles: vec![Role::Admin], ..NewUser::default() };
//! transaction.create_user(&alice).await?;
//! transaction.commit().await?; // The user and the entry of the audit log, or neither.
//! # Ok(())
//! # }
//! ```
//!
//! [`Store`] reads, and does what programs do: it publishes, observes upstreams, records inspections and
//! fetches, claims jobs. What people do is done by a [`Transaction`], which is begun by an [`Act`]. A
//! [`Standing`] says what holds for a version. Moments are seconds since 1970, and are always given: the
//! store has no clock. It knows no protocol, makes no request, hashes no password, and has no file but its
//! own.

mod address;
mod alike;
mod audit;
mod backup;
mod cases;
mod changes;
mod connection;
mod decisions;
mod dependents;
mod entities;
mod error;
mod fetches;
mod freezes;
mod history;
mod identities;
mod insights;
mod inspections;
mod jobs;
mod mails;
mod migrations;
mod observe;
mod outbox;
mod ownership;
mod people;
mod policies;
mod publish;
mod publishers;
mod registries;
mod reports;
mod requests;
mod restraints;
mod search;
mod sessions;
mod standing;
mod tokens;
mod transaction;
mod vault;
mod versions;
mod webhooks;
mod words;

pub use address::network;
pub use alike::LikeCase;
pub use audit::{AuditEntry, AuditFilter, AuditKey, AuditProblem, AuditReport, Checkpoint, CheckpointError};
pub use cases::{
    Assignee, COMMENT, CaseCursor, CaseEntry, CaseFilter, CaseOrder, CaseRecord, CaseState, Comment, Outcome,
};
pub use changes::{CHANGES_AT_ONCE, Change};
pub use connection::{DATABASE_FILE, DatabaseKind, Store};
pub use decisions::{Decision, DecisionFilter, NewDecision, Subject, Undone, Yanks};
pub use dependents::{Dependent, Dependents, WalkLimits};
pub use error::{StoreError, StoreErrorKind};
pub use fetches::{
    FETCHERS_LOOKED_AT, FETCHES_WAITING, Fetch, FetchCount, FetchRecord, FetchRecorder, Fetchers,
};
pub use freezes::Freeze;
pub use identities::{Identity, SUBJECT_BYTES};
pub use insights::{ClosedCase, RuleCount};
pub use inspections::{INSPECTION, Inspection, InspectionRecord, RecordedInspection};
pub use jobs::{ATTEMPTS_ALLOWED, Claimed, Consequence, Job, JobCounts, Lease, LeaseState, NewJob, SPENT};
pub use mails::{MAIL, Mail, MailCounts, MailState, NewMail};
pub use observe::{Contradiction, NewYanks, Observation, ObservedVersion};
pub use outbox::Event;
pub use ownership::{By, CrateEvent, EventKind, Invitation, InvitationState, Owner};
pub use people::{LOGIN_CHARACTERS, NewUser, PeopleFilter, Person, Role, User};
pub use publish::{Publication, Published, Publisher};
pub use publishers::Campaign;
pub use registries::{CrateRecord, Registry, RegistryKind};
pub use reports::{
    AdvisoryDraft, NewReport, REPORT, Report, ReportCounts, ReportKind, ReportState, Reporters, Reputation,
};
pub use requests::{
    NewRequest, REQUEST_WAITS, ROLES_SETTLE, Request, RequestEntry, RequestState, unfit_as_second,
};
pub use restraints::{KeptName, Lock, LockedAction, WaivedKind, WaiverRecord};
pub use search::CHECKSUM_DIGITS;
pub use sessions::{
    NewSession, SESSION_IDLE, SESSION_LENGTH, SecondFactor, Session, SignInMethod, WRONG_CODES,
};
pub use standing::{DecisionAction, Enforcement, Standing, State};
pub use tokens::{NewToken, Scope, SecretText, TOKEN_PREFIX, Token};
pub use transaction::{Act, Transaction};
pub use vault::{TakenDown, Tombstone, TombstoneState, VAULT};
pub use versions::{
    Provenance, QueueCursor, QueueEntry, QueueFilter, QueueOrder, VersionRecord, YankOverlay,
};
pub use webhooks::{DELIVER, Delivery, DeliveryAttempt, DeliveryState, Webhook};
pub use words::{
    CaseId, CrateId, DecisionId, DeliveryId, FreezeId, IdentityId, InvitationId, JobId, LockId, MailId,
    RegistryId, ReportId, RequestId, SessionId, TokenId, TombstoneId, UserId, VersionId, WaiverId, WebhookId,
    canonical_name,
};
