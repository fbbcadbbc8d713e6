//! The registry of a replay: what it holds at one moment, and what it remembers.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::facts::DependencySection;
use cratekeeper_model::{
    ArchiveState, Checksum, DependencyHistory, Facts, History, Known, PublishMethod, PublishedVersion,
    PublisherHistory, RegistryAction, RegistryEvent,
};
use cratekeeper_names::{Corpus, Entry, Kind};
use semver::{Version, VersionReq};

use super::timeline::Publication;
use crate::history::is_before;
use crate::near_names::NearNames;

/// How deep dependencies are followed: as far as a newborn was ever hidden, and one more.
const DEPTH: usize = 3;

/// Downloads, of a crate that was there before, from which on its owners count as well-known publishers.
const WELL_KNOWN: u64 = 1_000_000;

const NOT_THERE: &str = "the timeline does not say";

/// A crate in the registry.
#[derive(Default)]
pub(super) struct Crate {
    pub(super) releases: Vec<Release>,
    pub(super) owners: BTreeSet<String>,
    pub(super) events: Vec<RegistryEvent>,
    downloads: Option<u64>,
    earlier_owner: Option<String>,
}

/// A version in the registry.
pub(super) struct Release {
    pub(super) version: Version,
    pub(super) at: i64,
    pub(super) by: String,
    pub(super) method: Option<PublishMethod>,
    pub(super) yanked: bool,
    pub(super) malicious: bool,
    /// What is in it; `None` where the timeline has no files.
    pub(super) content: Option<Content>,
    /// Index into the versions that are reported; `None` for what existed before.
    pub(super) reported: Option<usize>,
    /// Score and whether it is let through, as of the last judgement.
    pub(super) score: Option<u8>,
    pub(super) is_held: bool,
}

/// What is in a version.
pub(super) struct Content {
    pub(super) archive: ArchiveState,
    pub(super) facts: Known<Box<Facts>>,
    pub(super) checksum: Checksum,
}

impl Release {
    fn dependencies(&self) -> Option<Vec<(String, Option<VersionReq>)>> {
        let facts = self.content.as_ref()?.facts.value()?;
        let used = facts.manifest.dependencies.iter().filter(|it| it.section != DependencySection::Dev);
        let named = used.map(|it| {
            let requirement = it.requirement.as_deref().and_then(|text| text.parse().ok());
            (it.package.clone().unwrap_or_else(|| it.name.clone()), requirement)
        });
        Some(named.collect())
    }
}

/// The registry. Times are seconds before the end of the timeline.
#[derive(Default)]
pub(super) struct World {
    pub(super) crates: BTreeMap<String, Crate>,
    /// When each account did something first.
    accounts: BTreeMap<String, i64>,
}

impl World {
    pub(super) fn publish(
        &mut self,
        publication: &Publication,
        content: Option<Content>,
        reported: Option<usize>,
    ) {
        let seen = self.accounts.entry(publication.by.to_lowercase()).or_insert(publication.at);
        *seen = (*seen).min(publication.at);
        let krate = self.crates.entry(publication.name.clone()).or_default();
        krate.note_new_hands(publication);
        if let Some(owners) = &publication.owners {
            krate.owners = owners.iter().cloned().collect();
        } else if krate.owners.is_empty() {
            krate.owners.insert(publication.by.clone());
        }
        krate.downloads = krate.downloads.max(publication.downloads);
        krate.releases.push(Release {
            version: publication.version.clone(),
            at: publication.at,
            by: publication.by.clone(),
            method: publication.method,
            yanked: publication.yanked,
            malicious: publication.malicious,
            content,
            reported,
            score: None,
            is_held: false,
        });
    }

    /// The names that others can be taken for: of crates that were there before, with their owners.
    pub(super) fn names(&self) -> Option<Corpus> {
        let entry = |(name, krate): (&String, &Crate)| {
            let repository = krate
                .releases
                .iter()
                .rev()
                .find_map(|it| it.content.as_ref()?.facts.value()?.manifest.repository.clone());
            Entry {
                owners: krate.owners.iter().cloned().collect(),
                downloads: krate.downloads,
                repository,
                ..Entry::new(name.as_str())
            }
        };
        Corpus::new(self.crates.iter().map(entry).collect(), Kind::Crates).ok()
    }

    /// Logins that others can be taken for: of the owners of widely used crates that were there before.
    pub(super) fn publishers(&self) -> Option<Corpus> {
        let known = self.crates.values().filter(|it| it.downloads.is_some_and(|it| it >= WELL_KNOWN));
        let mut logins: BTreeSet<&str> = known
            .flat_map(|it| {
                it.owners.iter().map(String::as_str).chain(it.releases.iter().map(|it| it.by.as_str()))
            })
            .collect();
        logins.extend(Corpus::well_known_publishers().entries().map(|it| it.name.as_str()));
        Corpus::new(logins.into_iter().map(Entry::new).collect(), Kind::Publishers).ok()
    }

    /// The version before one: the highest lower one.
    pub(super) fn previous(&self, name: &str, version: &Version) -> Option<&Release> {
        let releases = self.crates.get(name)?.releases.iter();
        releases.filter(|it| is_before(&it.version, version)).max_by(|a, b| a.version.cmp(&b.version))
    }

    /// The version that whoever asks for a crate gets, of those that `is_allowed` accepts: the highest that is not withdrawn.
    pub(super) fn newest(
        &self,
        name: &str,
        wanted: Option<&VersionReq>,
        is_allowed: impl Fn(&Release) -> bool,
    ) -> Option<&Release> {
        let releases = self.crates.get(name)?.releases.iter();
        let open = releases.filter(|it| !it.yanked && is_allowed(it));
        let fitting = open.filter(|it| wanted.is_none_or(|wanted| wanted.matches(&it.version)));
        fitting.max_by_key(|it| (it.version.pre.is_empty(), it.version.clone()))
    }

    /// What the registry remembers of a version at the moment `at`.
    pub(super) fn history(
        &self,
        name: &str,
        version: &Version,
        at: i64,
        near: &NearNames<'_>,
    ) -> Option<History> {
        let krate = self.crates.get(name)?;
        let own = krate.releases.iter().find(|it| it.version == *version)?;
        Some(History {
            at,
            versions: krate.releases.iter().map(published).collect(),
            events: Known::Known(krate.events.clone()),
            owners: Known::Known(krate.owners.iter().cloned().collect()),
            downloads: known(krate.downloads),
            earlier_owner: Known::Known(krate.earlier_owner.clone()),
            dependencies: self.dependencies(name, own),
            publisher: Known::Known(self.publisher(&own.by, near)),
        })
    }

    fn dependencies(&self, name: &str, own: &Release) -> Vec<DependencyHistory> {
        let before = self.previous(name, &own.version);
        let before: Option<Vec<String>> =
            before.map(|it| it.dependencies().unwrap_or_default().into_iter().map(|it| it.0).collect());
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([name.to_owned()]);
        let mut next: Vec<(String, Option<VersionReq>, Vec<String>)> = own
            .dependencies()
            .unwrap_or_default()
            .into_iter()
            .map(|(name, requirement)| (name, requirement, Vec::new()))
            .collect();
        while let Some((name, requirement, through)) = next.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let in_previous = before.as_ref().map(|it| through.is_empty() && it.contains(&name));
            let built = self.newest(&name, requirement.as_ref(), |_| true);
            if through.len() < DEPTH && in_previous != Some(true) {
                let mut further = through.clone();
                further.push(name.clone());
                let of_it = built.and_then(Release::dependencies).unwrap_or_default();
                next.extend(
                    of_it.into_iter().map(|(name, requirement)| (name, requirement, further.clone())),
                );
            }
            found.push(self.dependency(name, through, in_previous, built));
        }
        found
    }

    fn dependency(
        &self,
        name: String,
        through: Vec<String>,
        in_previous: Option<bool>,
        built: Option<&Release>,
    ) -> DependencyHistory {
        let krate = self.crates.get(&name);
        let first = krate.and_then(|it| it.releases.iter().map(|it| it.at).min());
        let owners = krate.map(|it| {
            let publishers = it.releases.iter().map(|it| it.by.clone());
            it.owners.iter().cloned().chain(publishers).collect::<BTreeSet<_>>().into_iter().collect()
        });
        DependencyHistory {
            name,
            through,
            first_published: known(first),
            version_published: known(built.map(|it| it.at)),
            owners: known(owners),
            downloads: known(krate.and_then(|it| it.downloads)),
            in_previous,
            score: known(built.and_then(|it| it.score)),
        }
    }

    /// Crates that somebody was the first to publish, and that can be taken for others.
    pub(super) fn near_names(&self, login: &str, near: &NearNames<'_>) -> Vec<String> {
        self.publisher(login, near).near_names.into_iter().map(|(name, _)| name).collect()
    }

    fn publisher(&self, login: &str, near: &NearNames<'_>) -> PublisherHistory {
        let is_theirs =
            |krate: &Crate| krate.releases.first().is_some_and(|it| it.by.eq_ignore_ascii_case(login));
        let theirs: Vec<(&String, &Crate)> = self.crates.iter().filter(|(_, it)| is_theirs(it)).collect();
        let crates = theirs.iter().filter_map(|(name, it)| Some(((*name).clone(), it.releases.first()?.at)));
        let near_names = near.of_all(theirs.iter().map(|(name, _)| name.as_str()), login);
        PublisherHistory {
            login: login.to_owned(),
            first_seen: self.accounts.get(&login.to_lowercase()).copied(),
            crates: crates.collect(),
            near_names,
            look_alikes: near.look_alikes(login),
        }
    }
}

impl Crate {
    /// Somebody who is no owner publishes a crate whose versions are all withdrawn: the name was given away anew.
    fn note_new_hands(&mut self, publication: &Publication) {
        let is_gone = !self.releases.is_empty() && self.releases.iter().all(|it| it.yanked);
        let is_theirs = self.owners.iter().any(|it| it.eq_ignore_ascii_case(&publication.by));
        if is_gone && !is_theirs {
            self.earlier_owner = self.releases.last().map(|it| it.by.clone());
            self.owners = BTreeSet::from([publication.by.clone()]);
        }
    }

    pub(super) fn set_yanked(&mut self, version: &Version, event: RegistryEvent) -> bool {
        let Some(release) = self.releases.iter_mut().find(|it| it.version == *version) else { return false };
        release.yanked = matches!(event.action, RegistryAction::Yank(_));
        self.events.push(event);
        true
    }
}

fn known<T>(value: Option<T>) -> Known<T> {
    value.map_or_else(|| Known::Unknown(NOT_THERE.to_owned()), Known::Known)
}

fn published(release: &Release) -> PublishedVersion {
    let dependencies = release.dependencies().map(|it| {
        let names: BTreeSet<String> = it.into_iter().map(|(name, _)| name).collect();
        names.into_iter().collect()
    });
    PublishedVersion {
        version: release.version.clone(),
        published: Known::Known(release.at),
        publisher: Known::Known(release.by.clone()),
        method: known(release.method),
        yanked: release.yanked,
        dependencies: known(dependencies),
    }
}
