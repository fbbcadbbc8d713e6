//! What a rule is given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::{Decoding, Dependency, FlowSource, OperationKind, Quality, Topic};
use crate::{Advisory, Checksum, Facts, History, NameMatches, Package, PackageId, Previous, SimilarCrate};

/// A value, or the reason why there is none.
///
/// Rules whose input is unknown are listed as *not evaluated*; silence always means "looked, found nothing".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known<T> {
    /// The value is this.
    Known(T),
    /// There is no value, for this reason ("no advisory database", "offline").
    Unknown(String),
}

impl<T> Known<T> {
    /// The value, or the reason for its absence.
    ///
    /// # Errors
    ///
    /// The reason why the value is unknown.
    pub fn as_result(&self) -> Result<&T, &str> {
        match self {
            Known::Known(value) => Ok(value),
            Known::Unknown(reason) => Err(reason),
        }
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        self.as_result().ok()
    }
}

/// A registry's own record of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// Whether the version was withdrawn by its owner.
    pub yanked: bool,
    /// SHA-256 that the registry promises.
    pub checksum: Checksum,
    /// Newest version that is not yanked and that a `^` requirement on this version accepts.
    pub newest_compatible: Option<semver::Version>,
    /// Age of the index data in seconds, at the time of asking.
    pub age: u64,
    /// What the registry says that the manifest says: cargo resolves by it, and builds by the other. `None` where the line
    /// could not be read as a whole.
    #[serde(default)]
    pub declared: Option<Box<IndexedManifest>>,
}

/// Who repeats a manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeclaredBy {
    /// The line of an index.
    #[default]
    Index,
    /// The request by which the version was published, in a registry that does not believe it.
    PublishRequest,
}

/// What an index, or whoever published, repeats of a manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedManifest {
    /// Where it stands.
    #[serde(default)]
    pub by: DeclaredBy,
    /// Name of the crate.
    pub name: String,
    /// Dependencies of all kinds.
    pub dependencies: Vec<Dependency>,
    /// `[features]`, by name.
    pub features: BTreeMap<String, Vec<String>>,
    /// `package.links`; lines of before 2018 lack it.
    pub links: Option<String>,
    /// `package.rust-version`; lines of before 2023 lack it.
    pub rust_version: Option<String>,
}

/// What became of reading the package's archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveState {
    /// Read; entries that were refused are in [`facts::FileFacts::refused`](crate::facts::FileFacts::refused).
    Read,
    /// Refused as a whole, with the reason.
    Refused(crate::facts::RefusedEntry),
    /// The bytes are not those that were promised.
    ChecksumMismatch {
        /// SHA-256 that the lockfile or index promises.
        expected: Checksum,
        /// SHA-256 of the bytes that are there.
        actual: Checksum,
        /// Where those bytes are, for the user to look at.
        place: String,
    },
    /// Not looked at: not found, or analysis failed.
    Unavailable(String),
}

/// Everything that rules may look at for one version.
///
/// Assembled by `engine`. A field is added when the first rule needs it, and is never removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleInput {
    /// Which version, and why it is in the tree.
    pub package: Package,
    /// What became of the archive.
    pub archive: ArchiveState,
    /// What analysis saw.
    pub facts: Known<Facts>,
    /// The registry's record.
    pub index: Known<IndexEntry>,
    /// Advisories that affect this version; empty when none does.
    pub advisories: Known<Vec<Advisory>>,
    /// What the name can be taken for.
    #[serde(default = "not_compared")]
    pub names: Known<NameMatches>,
    /// The version before it, and what changed since.
    #[serde(default = "not_assembled")]
    pub previous: Known<Previous>,
    /// The registry's memory of the crate.
    #[serde(default = "not_assembled")]
    pub history: Known<History>,
    /// Crates that share its content, likest first.
    #[serde(default = "not_assembled")]
    pub similar: Known<Vec<SimilarCrate>>,
    /// What its calls into other crates reach, where they run while somebody builds, or before `main`.
    #[serde(default = "not_assembled")]
    pub reach: Known<Vec<CrossCrateReach>>,
}

/// A call into another crate that reaches an operation there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossCrateReach {
    /// Index into [`FlowFacts::external_calls`](crate::facts::FlowFacts::external_calls).
    pub call: u32,
    /// The packages on the way, nearest first; the operation stands in the last one.
    pub packages: Vec<PackageId>,
    /// What it reaches.
    pub operation: OperationKind,
    /// Path of the function that contains it.
    pub function: String,
    /// Paths of the functions from the one that is called to the one that contains it, both included, each with the name of its
    /// package in front.
    #[serde(default)]
    pub way: Vec<String>,
    /// The operation as its package has it. Numbers in it are those of that package, and of no use here.
    #[serde(default)]
    pub seen: Option<Box<ReachedOperation>>,
}

/// An operation in another package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachedOperation {
    /// Path of the function that it calls.
    pub path: String,
    /// File of its package.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// As [`Operation::arguments`](crate::facts::Operation::arguments).
    pub arguments: Vec<String>,
    /// As [`Operation::qualities`](crate::facts::Operation::qualities).
    pub qualities: Vec<Quality>,
    /// Texts that are an argument of it, or flow into it: value, decodings and topics.
    pub texts: Vec<(String, Vec<Decoding>, Vec<Topic>)>,
    /// Values that get into it: where from, by which other operation (an index into [`RuleInput::reach`]), and what happens to
    /// them on the way.
    pub receives: Vec<(FlowSource, Option<u32>, Vec<Decoding>)>,
}

/// For input that was stored, or assembled, without this part.
fn not_assembled<T>() -> Known<T> {
    Known::Unknown("it was not assembled".to_owned())
}

/// For input that was stored before names were compared.
fn not_compared() -> Known<NameMatches> {
    Known::Unknown("names were not compared when this was stored".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PackageSource;

    #[test]
    fn input_that_was_stored_before_names_were_compared_does_not_know_them() {
        let version = semver::Version::new(1, 0, 0);
        let input = RuleInput {
            package: Package {
                id: PackageId::new(&PackageSource::Unknown, "a", &version),
                name: "a".to_owned(),
                version,
                checksum: None,
                source: PackageSource::Unknown,
                kinds: Vec::new(),
                platforms: Vec::new(),
                features: None,
            },
            archive: ArchiveState::Read,
            facts: Known::Unknown("offline".to_owned()),
            index: Known::Unknown("offline".to_owned()),
            advisories: Known::Known(Vec::new()),
            names: Known::Known(NameMatches::default()),
            previous: not_assembled(),
            history: not_assembled(),
            similar: not_assembled(),
            reach: not_assembled(),
        };
        let mut stored = serde_json::to_value(&input).unwrap();
        assert_eq!(serde_json::from_value::<RuleInput>(stored.clone()).unwrap(), input);
        stored.as_object_mut().unwrap().remove("names");
        let input: RuleInput = serde_json::from_value(stored).unwrap();
        assert!(input.names.as_result().is_err_and(|reason| reason.contains("not compared")));
    }
}
