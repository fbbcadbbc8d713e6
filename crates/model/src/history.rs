//! What a registry remembers about a crate: versions, publishers, yanks, owners.
//!
//! Given to rules by whoever has it: an index with publish times, a database dump, the gate's own records, a replay. Most
//! know only a part; what is not known is said to be unknown, value by value. Times are seconds since 1970-01-01T00:00:00Z.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::Known;

/// The past of one crate, as of [`History::at`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The moment of judging. Nothing later is in here.
    pub at: i64,
    /// Every version, in order of publication; the one that is judged among them.
    pub versions: Vec<PublishedVersion>,
    /// Yanks, unyanks and changes of owners, oldest first.
    pub events: Known<Vec<RegistryEvent>>,
    /// Who may publish now.
    pub owners: Known<Vec<String>>,
    /// Downloads of all versions.
    pub downloads: Known<u64>,
    /// Whether the name was in use before by a crate that was deleted, and by whom.
    pub earlier_owner: Known<Option<String>>,
    /// What is known about the crates that this version depends on.
    pub dependencies: Vec<DependencyHistory>,
    /// What the publisher of this version published before.
    pub publisher: Known<PublisherHistory>,
}

/// One version in a [`History`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedVersion {
    /// Which.
    pub version: Version,
    /// When.
    pub published: Known<i64>,
    /// By whom.
    pub publisher: Known<String>,
    /// How.
    pub method: Known<PublishMethod>,
    /// Whether it is withdrawn now.
    pub yanked: bool,
    /// Names of the crates that it depends on to be used or built, development left out.
    pub dependencies: Known<Vec<String>>,
}

/// How a version was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublishMethod {
    /// With a token.
    Token,
    /// By a build service that the registry trusts, with a short-lived identity.
    TrustedPublishing,
}

/// An event in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryEvent {
    /// When.
    pub at: i64,
    /// By whom.
    pub by: Known<String>,
    /// What.
    pub action: RegistryAction,
}

/// What happened in a [`RegistryEvent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryAction {
    /// A version was withdrawn.
    Yank(Version),
    /// A withdrawn version was put back.
    Unyank(Version),
    /// Somebody may publish from now on.
    OwnerAdded(String),
    /// Somebody may not any more.
    OwnerRemoved(String),
}

/// What is known about a crate that the judged version depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyHistory {
    /// Name of the crate.
    pub name: String,
    /// Names of the crates through which it comes, nearest first; empty for direct ones.
    pub through: Vec<String>,
    /// When its first version was published.
    pub first_published: Known<i64>,
    /// When the version that would be built was published.
    pub version_published: Known<i64>,
    /// Its publishers and owners.
    pub owners: Known<Vec<String>>,
    /// Downloads of all its versions.
    pub downloads: Known<u64>,
    /// Whether the previous version of the judged crate had it too; `None` when there is no previous one.
    pub in_previous: Option<bool>,
    /// Score of the version that would be built, where it was judged.
    pub score: Known<u8>,
}

/// What a publisher published before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublisherHistory {
    /// Login.
    pub login: String,
    /// When the account was first seen.
    pub first_seen: Option<i64>,
    /// Other crates, with the time of their first version.
    pub crates: Vec<(String, i64)>,
    /// Names of their crates that can be taken for others, each with what it can be taken for.
    pub near_names: Vec<(String, String)>,
    /// Well-known publishers whose login is nearly the same.
    pub look_alikes: Vec<String>,
}

impl History {
    /// The record of this version.
    #[must_use]
    pub fn version(&self, version: &Version) -> Option<&PublishedVersion> {
        self.versions.iter().find(|it| it.version == *version)
    }
}
