//! Updates: the version before a package, and what changed since.
//!
//! A version is compared with the highest lower one, by precedence and not by time: before a fix for an old series comes the one
//! that it fixes. Withdrawn versions count, because an attacker who withdraws the good ones would otherwise choose what a bad
//! one is compared with.

use std::sync::OnceLock;

use cratekeeper_difference::difference;
use cratekeeper_model::{DiffOutcome, Difference, Facts, Known, Package, PackageId, PackageSource, Previous};
use semver::Version;

use crate::pipeline::{Around, Engine, FOR_RULES, InspectTarget, alone};
use crate::similar;

/// Where the version before a package may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PreviousVersions {
    /// From this machine alone: the highest lower version whose archive is here, which mostly is the one that was built before
    /// an update.
    #[default]
    OnThisMachine,
    /// The highest lower version of all, downloaded if need be; the highest that is here if that fails.
    Fetched,
}

impl Engine {
    /// The same engine, whose checks take the versions before packages from there.
    #[must_use]
    pub fn comparing_with(mut self, previous: PreviousVersions) -> Engine {
        self.previous_versions = previous;
        self
    }

    /// Compares two versions of a crate, and judges the newer one as an update of the older one.
    ///
    /// Their names may differ: a copy is compared with its original in the same way. The facts of the newer one are in the
    /// outcome, its calls only if `all_facts` asks for them.
    #[must_use]
    pub fn diff(&self, older: InspectTarget, newer: InspectTarget, all_facts: bool) -> DiffOutcome {
        let unasked = || Known::Unknown("it is what another version is compared with".to_owned());
        let neighbours = |package: &Package, facts: &Facts| self.likes_of_one(package, facts, None);
        let around = Around { past: &|_, _| unasked(), neighbours: &neighbours, reach: &alone };
        let older = self.inspect_with(older, false, around);
        let found = OnceLock::new();
        let past = |_: &Package, facts: &Known<Box<Facts>>| {
            let difference = match (&older.facts, facts) {
                (Some(older), Known::Known(newer)) => Known::Known(difference(older, newer)),
                (None, _) => Known::Unknown(unread("older", older.outcome.reason.as_deref())),
                (_, Known::Unknown(reason)) => Known::Unknown(unread("newer", Some(reason))),
            };
            let previous = with_version(&difference, &older.outcome.package.version);
            // Asked for once: there is one newer version.
            let _ = found.set(difference);
            previous
        };
        let known = older.facts.as_ref().map(|facts| similar::entry(&older.outcome.package, facts));
        let neighbours = |package: &Package, facts: &Facts| self.likes_of_one(package, facts, known.clone());
        let around = Around { past: &past, neighbours: &neighbours, reach: &alone };
        let newer = self.inspect_with(newer, all_facts, around);
        let difference = found
            .into_inner()
            .unwrap_or_else(|| Known::Unknown(unread("newer", newer.outcome.reason.as_deref())));
        DiffOutcome { older: older.outcome, difference, newer }
    }

    /// The version before `package`, and what changed since.
    pub(crate) fn previous(
        &self,
        package: &Package,
        facts: &Known<Box<Facts>>,
        from: PreviousVersions,
    ) -> Known<Previous> {
        match facts {
            Known::Known(facts) => match self.find_previous(package, from) {
                Ok((version, older)) => {
                    Known::Known(Previous { version, difference: difference(&older, facts) })
                }
                Err(reason) => Known::Unknown(reason),
            },
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
        }
    }

    fn find_previous(
        &self,
        package: &Package,
        from: PreviousVersions,
    ) -> Result<(Version, Box<Facts>), String> {
        if !matches!(package.source, PackageSource::Registry(_)) {
            return Err("only versions in a registry have one before them".to_owned());
        }
        let failure = match from {
            PreviousVersions::Fetched => match self.fetch_previous(package) {
                Ok(previous) => return Ok(previous),
                Err(reason) => reason,
            },
            PreviousVersions::OnThisMachine => "no earlier version is on this machine".to_owned(),
        };
        let here = self.finder().versions_here(package);
        match here.into_iter().find(|candidate| is_before(&candidate.version, &package.version)) {
            Some(candidate) => self.facts_of_version(candidate),
            None => Err(failure),
        }
    }

    /// The highest lower version of all.
    fn fetch_previous(&self, package: &Package) -> Result<(Version, Box<Facts>), String> {
        let versions = self.finder().index_versions(package).map_err(|error| error.to_string())?;
        let lower = versions.iter().filter(|it| is_before(&it.version, &package.version));
        let Some(nearest) = lower.max_by(|a, b| a.version.cmp(&b.version)) else {
            return Err("there is no version before it".to_owned());
        };
        self.facts_of_version(Package {
            id: PackageId::new(&package.source, &package.name, &nearest.version),
            version: nearest.version.clone(),
            checksum: Some(nearest.checksum),
            ..package.clone()
        })
    }

    fn facts_of_version(&self, package: Package) -> Result<(Version, Box<Facts>), String> {
        match self.facts_of(&package, &FOR_RULES) {
            Known::Known(facts) => Ok((package.version, facts)),
            Known::Unknown(reason) => Err(reason),
        }
    }
}

/// Whether a version can be what another one updates. A release is not compared with a pre-release.
fn is_before(version: &Version, later: &Version) -> bool {
    version < later && (version.pre.is_empty() || !later.pre.is_empty())
}

fn with_version(difference: &Known<Difference>, version: &Version) -> Known<Previous> {
    match difference.clone() {
        Known::Known(difference) => Known::Known(Previous { version: version.clone(), difference }),
        Known::Unknown(reason) => Known::Unknown(reason),
    }
}

fn unread(which: &str, reason: Option<&str>) -> String {
    format!("the {which} version could not be read: {}", reason.unwrap_or("there are no facts"))
}
