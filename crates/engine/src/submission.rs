//! Judging a version for whoever runs a registry: the caller knows the registry, this knows the rest.
//!
//! `check` and `inspect` ask an index about a version's past. A gate knows more: who published what when, what it saw first, which
//! archive was the one before. It says so in a [`Submission`], and gets the same judgement that `check` would make of it.

use std::path::{Path, PathBuf};

use cratekeeper_difference::difference;
use cratekeeper_model::facts::Section;
use cratekeeper_model::{
    ArchiveState, Facts, History, IndexEntry, Known, Outcome, Package, Previous, RuleInput,
};
use cratekeeper_names::{Candidate, Corpus};
use cratekeeper_policy::{Circumstances, Reports, Waiver};
use cratekeeper_registry::{Location, Origin};
use cratekeeper_similarity::{Entry, Index};
use semver::Version;

use crate::analysis::Subject;
use crate::facts::{FactsError, Found, checksum_of_file};
use crate::names::name_matches;
use crate::near_names::NearNames;
use crate::pipeline::{Engine, FOR_RULES, status, with_source};
use crate::pool::WorkerError;

/// A version that a registry wants judged, with all that the registry knows about it.
#[derive(Debug)]
pub struct Submission<'a> {
    /// Which version; its checksum is compared with the archive's.
    pub package: Package,
    /// The archive.
    pub archive: &'a Path,
    /// The registry's record.
    pub index: Known<IndexEntry>,
    /// The registry's memory.
    pub history: Known<History>,
    /// The version before it, with its archive; or why there is none to compare with.
    pub previous: Known<(Package, PathBuf)>,
    /// Names besides the popular ones that this one can be taken for.
    pub names: Option<&'a Corpus>,
    /// Logins that others can be taken for.
    pub publishers: Option<&'a Corpus>,
    /// What the registry knows of other versions' content.
    pub similar: &'a [&'a Index],
    /// Who reports it.
    pub reports: Reports,
    /// Waivers besides those of the policy's file.
    pub waivers: &'a [Waiver],
    /// The moment of judging, in seconds since 1970.
    pub at: i64,
}

/// What was made of a [`Submission`].
#[derive(Debug)]
pub struct Judged {
    /// Case, policy's answer, and how far the version was looked at.
    pub outcome: Outcome,
    /// What became of reading the archive.
    pub archive: ArchiveState,
    /// Facts, where the archive could be read.
    pub facts: Option<Box<Facts>>,
    /// What policy looked at besides the case.
    pub circumstances: Circumstances,
    /// What to remember, to compare later versions with; owners and the time of publication are the caller's to add.
    pub entry: Option<Entry>,
}

/// Why there is nothing known of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The archive is not as it should be: whoever made it can make another.
    #[error("{0}")]
    Refused(String),
    /// Nobody could read it, which says nothing about it: no worker could be started, or the file could not be read.
    #[error("{0}")]
    NotRead(String),
}

impl Engine {
    /// Reads what a manifest says from an archive that is said to hold `package`, without reading its source.
    ///
    /// # Errors
    ///
    /// When the archive is not as it should be, or nobody could read it.
    pub fn manifest_of(&self, package: &Package, archive: &Path) -> Result<Box<Facts>, ManifestError> {
        let not_read = |error: &dyn std::error::Error| ManifestError::NotRead(with_source(error));
        let checksum = checksum_of_file(archive).map_err(|error| not_read(&error))?;
        if package.checksum.is_some_and(|it| it != checksum) {
            return Err(ManifestError::NotRead("the file has other bytes than were written".to_owned()));
        }
        let (name, version) = (Some(package.name.clone()), Some(package.version.to_string()));
        let subject = Subject::Archive { path: archive.to_owned(), name, version };
        match self.facts().of_archive(subject, checksum, &[Section::Manifest]) {
            Ok(Found::Facts { facts, .. }) => Ok(facts),
            Ok(Found::Refused(refused)) => {
                Err(ManifestError::Refused(format!("the archive was refused: {}", refused.message)))
            }
            Err(FactsError::Worker(error @ WorkerError::Start { .. })) => Err(not_read(&error)),
            // What ends a worker or takes it too long is in the archive.
            Err(error) => Err(ManifestError::Refused(with_source(&error))),
        }
    }

    /// Judges a version.
    #[must_use]
    pub fn judge_submission(&self, submission: Submission<'_>) -> Judged {
        let Submission {
            package,
            archive,
            index,
            mut history,
            previous,
            names,
            publishers,
            similar,
            reports,
            waivers,
            at,
        } = submission;
        if let Known::Known(history) = &mut history {
            near_names(&package, history, &NearNames { names, publishers });
        }
        let (state, facts) = self.read(&package, &Ok(location(archive)), &FOR_RULES);
        let before = match &facts {
            Known::Known(facts) => self.previous_of(previous, facts),
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
        };
        let entry = facts.value().map(|facts| crate::similar::entry(&package, facts));
        let likes = match (&facts, &entry) {
            (Known::Known(facts), Some(entry)) => {
                Known::Known(similar.iter().flat_map(|index| index.similar(entry, facts)).collect())
            }
            (Known::Unknown(reason), _) => Known::Unknown(reason.clone()),
            (Known::Known(_), None) => Known::Unknown("nothing was remembered of it".to_owned()),
        };
        let input = RuleInput {
            names: self.taken_for(&package, facts.value().map(|it| &**it), history.value(), names),
            archive: state,
            facts: match facts {
                Known::Known(facts) => Known::Known(*facts),
                Known::Unknown(reason) => Known::Unknown(reason),
            },
            index,
            advisories: match self.advisories() {
                Known::Known(database) => database
                    .affecting(
                        &package.name,
                        &package.version,
                        cratekeeper_advisories::Origin::of(&package.source),
                    )
                    .into_known(),
                Known::Unknown(reason) => Known::Unknown(reason.clone()),
            },
            previous: before,
            history,
            similar: likes,
            reach: Known::Unknown("calls into other crates are not followed at a registry".to_owned()),
            package,
        };
        let policy = self.policy();
        let case = policy.shown(cratekeeper_rules::judge_without(self.switched_off(), &input));
        let circumstances = Circumstances::of(&input).with_reports(&reports);
        let policy = Some(policy.decide_waiving(&circumstances, &case, at, waivers));
        let (status, reason) = status(&input);
        let facts = match input.facts {
            Known::Known(facts) => Some(Box::new(facts)),
            Known::Unknown(_) => None,
        };
        let archive = input.archive;
        let outcome = Outcome { package: input.package, status, reason, case, lockfile_line: None, policy };
        Judged { outcome, archive, facts, circumstances, entry }
    }

    fn previous_of(&self, previous: Known<(Package, PathBuf)>, facts: &Facts) -> Known<Previous> {
        let (package, archive) = match previous {
            Known::Known(previous) => previous,
            Known::Unknown(reason) => return Known::Unknown(reason),
        };
        match self.read(&package, &Ok(location(&archive)), &FOR_RULES) {
            (ArchiveState::Read, Known::Known(older)) => {
                Known::Known(Previous { version: package.version, difference: difference(&older, facts) })
            }
            (_, Known::Unknown(reason)) => Known::Unknown(reason),
            (_, Known::Known(_)) => Known::Unknown("the version before it was not read".to_owned()),
        }
    }

    /// What the name can be taken for: a popular crate's, or one that the registry holds.
    fn taken_for(
        &self,
        package: &Package,
        facts: Option<&Facts>,
        history: Option<&History>,
        registry: Option<&Corpus>,
    ) -> Known<cratekeeper_model::NameMatches> {
        let mut candidate = match Candidate::new(package.name.as_str()) {
            Ok(candidate) => candidate,
            Err(error) => {
                return Known::Unknown(format!("the name cannot be compared with others: {error}"));
            }
        };
        candidate.repository = facts.and_then(|it| it.manifest.repository.clone());
        candidate.owners = history.and_then(|it| it.owners.value()).cloned().unwrap_or_default();
        let popular = Corpus::popular_crates().judge(&candidate);
        let own = registry.map(|it| it.judge(&candidate)).filter(|_| !popular.in_corpus);
        Known::Known(name_matches(match own {
            Some(own) if !own.in_corpus && own.score > popular.score => own,
            _ => popular,
        }))
    }
}

/// Fills in what the publisher's crates, and the publisher, can be taken for: a registry knows the crates, this knows names.
fn near_names(package: &Package, history: &mut History, near: &NearNames<'_>) {
    let Known::Known(publisher) = &mut history.publisher else { return };
    // Whoever publishes a further version has not chosen the name now.
    let is_first = history.versions.len() <= 1;
    let theirs = publisher.crates.iter().map(|(name, _)| name.as_str());
    let own =
        Some(package.name.as_str()).filter(|own| is_first && publisher.crates.iter().all(|it| it.0 != *own));
    publisher.near_names = near.of_all(theirs.chain(own), &publisher.login);
    publisher.look_alikes = near.look_alikes(&publisher.login);
}

fn location(archive: &Path) -> Location {
    Location::Archive { path: archive.to_owned(), origin: Origin::Path }
}

/// The package that a registry means by a name, a version and a checksum. `index` is the URL of its index with cargo's `sparse+` or
/// `registry+`.
#[must_use]
pub fn registry_package(
    index: &str,
    name: &str,
    version: &Version,
    checksum: cratekeeper_model::Checksum,
) -> Package {
    let source = cratekeeper_model::PackageSource::Registry(index.to_owned());
    Package {
        id: cratekeeper_model::PackageId::new(&source, name, version),
        name: name.to_owned(),
        version: version.clone(),
        checksum: Some(checksum),
        source,
        kinds: Vec::new(),
        platforms: Vec::new(),
        features: None,
    }
}
