//! Replays: what would have happened behind Cratekeeper.
//!
//! Events go through the real thing: crates are packed and read by workers, judged by all rules, compared with the version before
//! and with the other crates, and policy decides who gets what. Only the registry and its clock are played. Advisories are not
//! asked, because they were written afterwards.
//!
//! A version is judged when it is published, and again whenever its crate or its publisher does something: what one version of a
//! campaign shows counts for the others.

mod timeline;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use cratekeeper_archive::{CrateBuilder, Limits, read_directory};
use cratekeeper_difference::difference;
use cratekeeper_model::facts::{Dependency, Section};
use cratekeeper_model::{
    ArchiveState, Case, Checksum, Facts, IndexEntry, Known, Level, Package, PackageId, PackageSource,
    PolicyAnswer, Previous, RegistryAction, RegistryEvent, ReplayedIncident, ReplayedVersion, RuleInput,
    SimilarCrate,
};
use cratekeeper_names::{Candidate, Corpus};
use cratekeeper_similarity::{Entry, Index};
use semver::Version;

use self::timeline::{Event, Publication};
pub use self::timeline::{Timeline, TimelineError};
use self::world::{Content, World};
use crate::analysis::Subject;
use crate::cross_crate::{self, Crates, Follower};
use crate::facts::Found;
use crate::names::name_matches;
use crate::near_names::NearNames;
use crate::pipeline::Engine;

impl Engine {
    /// Replays a timeline.
    ///
    /// What is wrong with the files of a version is a problem of the answer, as in a check.
    ///
    /// # Errors
    ///
    /// When there is no room for the packed crates.
    pub fn replay(&self, timeline: &Timeline) -> std::io::Result<ReplayedIncident> {
        let mut stage = Stage::new(self, timeline)?;
        for publication in &timeline.baseline {
            let content = stage.content(publication);
            stage.world.publish(publication, content, None);
        }
        stage.names = stage.world.names();
        stage.publishers = stage.world.publishers();
        for event in &timeline.events {
            stage.happen(event);
        }
        Ok(stage.finish())
    }
}

/// A directory of the timeline, which may not lead outside by a link: timelines come from strangers, and what is read is shown.
fn below(root: &Path, directory: &Path) -> Result<PathBuf, String> {
    let real = |path: &Path| {
        fs::canonicalize(path).map_err(|error| format!("failed to find `{}`: {error}", path.display()))
    };
    let root = real(if root.as_os_str().is_empty() { Path::new(".") } else { root })?;
    let found = real(&root.join(directory))?;
    if found.starts_with(&root) {
        return Ok(found);
    }
    Err(format!("`{}` leads out of the timeline's directory by a link", directory.display()))
}

/// A replay under way.
struct Stage<'a> {
    engine: &'a Engine,
    directory: &'a Path,
    packed: tempfile::TempDir,
    world: World,
    names: Option<Corpus>,
    publishers: Option<Corpus>,
    similar: Index,
    outcome: ReplayedIncident,
}

impl Crates for World {
    /// The newest version that fits, as for somebody without a lockfile.
    fn dependency(&self, _: &PackageId, dependency: &Dependency) -> Known<Option<Package>> {
        let name = dependency.package.as_deref().unwrap_or(&dependency.name);
        let requirement = dependency.requirement.as_deref().and_then(|it| it.parse().ok());
        match self.newest(name, requirement.as_ref(), |_| true) {
            Some(release) => {
                let checksum = release.content.as_ref().map(|it| it.checksum);
                Known::Known(Some(package(name, &release.version, checksum)))
            }
            None => Known::Unknown(format!("`{name}`, which it calls, is not in the timeline")),
        }
    }

    fn facts(&self, package: &Package, _: &[Section]) -> Known<Box<Facts>> {
        let krate = self.crates.get(&package.name);
        let release = krate.and_then(|it| it.releases.iter().find(|it| it.version == package.version));
        match release.and_then(|it| it.content.as_ref()) {
            Some(content) => content.facts.clone(),
            None => without_files(),
        }
    }
}

impl<'a> Stage<'a> {
    fn new(engine: &'a Engine, timeline: &'a Timeline) -> std::io::Result<Stage<'a>> {
        let outcome = ReplayedIncident {
            id: timeline.id.clone(),
            title: timeline.title.clone(),
            versions: Vec::new(),
            exposed: Vec::new(),
            fetches_before: 0,
            fetches_after: 0,
            fetches: 0,
            refused_harmless: 0,
            campaigns: Vec::new(),
            problems: Vec::new(),
        };
        Ok(Stage {
            engine,
            directory: &timeline.directory,
            packed: tempfile::tempdir()?,
            world: World::default(),
            names: None,
            publishers: None,
            similar: Index::new(Vec::new()),
            outcome,
        })
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Publish(publication) => self.publish(publication),
            Event::Yank { at, name, version, by, back } => {
                let action = if *back {
                    RegistryAction::Unyank(version.clone())
                } else {
                    RegistryAction::Yank(version.clone())
                };
                let event = RegistryEvent { at: *at, by: actor(by.as_ref()), action };
                let is_done = self.world.crates.get_mut(name).is_some_and(|it| it.set_yanked(version, event));
                if !is_done {
                    self.outcome
                        .problems
                        .push(format!("`{name}` {version} is withdrawn before it is published"));
                }
                self.judge_all(name, None, *at);
            }
            Event::Owner { at, name, owner, by, added } => {
                let krate = self.world.crates.entry(name.clone()).or_default();
                let action = if *added {
                    krate.owners.insert(owner.clone());
                    RegistryAction::OwnerAdded(owner.clone())
                } else {
                    krate.owners.retain(|it| it != owner);
                    RegistryAction::OwnerRemoved(owner.clone())
                };
                krate.events.push(RegistryEvent { at: *at, by: actor(by.as_ref()), action });
                self.judge_all(name, None, *at);
            }
            Event::Fetch { at, name, version } => self.fetch(*at, name, version.as_ref()),
        }
    }

    fn publish(&mut self, publication: &Publication) {
        let content = self.content(publication);
        let reported = self.outcome.versions.len();
        self.outcome.versions.push(ReplayedVersion {
            name: publication.name.clone(),
            version: publication.version.to_string(),
            at: publication.at,
            malicious: publication.malicious,
            first_signal: None,
            first_alert: None,
            first_fetch: None,
            case: Case::default(),
            policy: PolicyAnswer::default(),
            first_held: None,
        });
        self.world.publish(publication, content, Some(reported));
        self.judge_all(&publication.name, Some(&publication.by), publication.at);
    }

    /// Judges every reported version of a crate, and of a publisher's other crates.
    fn judge_all(&mut self, name: &str, publisher: Option<&str>, at: i64) {
        let mut touched = Vec::new();
        for (other, krate) in &self.world.crates {
            for release in krate.releases.iter().filter(|it| it.reported.is_some()) {
                let is_theirs = publisher.is_some_and(|it| release.by.eq_ignore_ascii_case(it));
                if other == name || is_theirs {
                    touched.push((other.clone(), release.version.clone()));
                }
            }
        }
        for (name, version) in touched {
            self.judge(&name, &version, at);
        }
    }

    fn judge(&mut self, name: &str, version: &Version, at: i64) {
        let Some(input) = self.input(name, version, at) else { return };
        let policy = self.engine.policy();
        let case = policy.shown(cratekeeper_rules::judge_without(self.engine.switched_off(), &input));
        let policy = policy.decide(&input, &case, self.engine.now().saturating_add(at));
        let krate = self.world.crates.get_mut(name);
        let Some(release) = krate.and_then(|it| it.releases.iter_mut().find(|it| it.version == *version))
        else {
            return;
        };
        release.score = Some(case.score);
        release.is_held = !policy.verdict.lets_through();
        let Some(told) = release.reported.and_then(|it| self.outcome.versions.get_mut(it)) else { return };
        // A signal once seen stays seen, also where a later event takes its reason away.
        if case.level > Level::None {
            told.first_signal.get_or_insert(at);
        }
        if case.level >= Level::Alert {
            told.first_alert.get_or_insert(at);
        }
        if !policy.verdict.lets_through() {
            told.first_held.get_or_insert(at);
        }
        (told.case, told.policy) = (case, policy);
    }

    /// Everything that rules are given.
    fn input(&self, name: &str, version: &Version, at: i64) -> Option<RuleInput> {
        let release = self.world.crates.get(name)?.releases.iter().find(|it| it.version == *version)?;
        let near = NearNames { names: self.names.as_ref(), publishers: self.publishers.as_ref() };
        let history = self.world.history(name, version, at, &near)?;
        let (archive, facts, checksum) = match &release.content {
            Some(content) => {
                let facts = match &content.facts {
                    Known::Known(facts) => Known::Known((**facts).clone()),
                    Known::Unknown(reason) => Known::Unknown(reason.clone()),
                };
                (content.archive.clone(), facts, Some(content.checksum))
            }
            None => (
                ArchiveState::Unavailable("the timeline has no files for it".to_owned()),
                without_files(),
                None,
            ),
        };
        let repository = facts.value().and_then(|it| it.manifest.repository.clone());
        let package = package(name, version, checksum);
        let reach = match &facts {
            Known::Known(facts) if cross_crate::calls_early(facts) => {
                Follower::new(&self.world).reach(&package.id, facts)
            }
            Known::Known(_) => Known::Known(Vec::new()),
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
        };
        let index = checksum.map(|checksum| IndexEntry {
            yanked: release.yanked,
            checksum,
            newest_compatible: None,
            age: 0,
            declared: None,
        });
        Some(RuleInput {
            package,
            archive,
            facts,
            index: index.map_or_else(without_files, Known::Known),
            advisories: Known::Unknown("advisories are written after the fact".to_owned()),
            names: self.name_matches(name, &release.by, repository),
            previous: self.previous(name, version),
            history: Known::Known(history),
            similar: self.similar(name, version),
            reach,
        })
    }

    /// What the name can be taken for: a popular crate, or one that was there before.
    fn name_matches(
        &self,
        name: &str,
        by: &str,
        repository: Option<String>,
    ) -> Known<cratekeeper_model::NameMatches> {
        let mut candidate = match Candidate::new(name) {
            Ok(candidate) => candidate,
            Err(error) => return Known::Unknown(error.to_string()),
        };
        (candidate.owners, candidate.repository) = (vec![by.to_owned()], repository);
        let popular = Corpus::popular_crates().judge(&candidate);
        let local = self.names.as_ref().map(|it| it.judge(&candidate)).filter(|_| !popular.in_corpus);
        let best = match local {
            Some(local) if local.in_corpus || local.score > popular.score => local,
            _ => popular,
        };
        Known::Known(name_matches(best))
    }

    fn previous(&self, name: &str, version: &Version) -> Known<Previous> {
        let facts = |release: &world::Release| match &release.content {
            Some(Content { facts: Known::Known(facts), .. }) => Ok(facts.clone()),
            Some(Content { facts: Known::Unknown(reason), .. }) => Err(reason.clone()),
            None => Err(WITHOUT_FILES.to_owned()),
        };
        let Some(older) = self.world.previous(name, version) else {
            return Known::Unknown("there is no version before it".to_owned());
        };
        let newer =
            self.world.crates.get(name).and_then(|it| it.releases.iter().find(|it| it.version == *version));
        match (facts(older), newer.map(facts)) {
            (Ok(older_facts), Some(Ok(newer))) => Known::Known(Previous {
                version: older.version.clone(),
                difference: difference(&older_facts, &newer),
            }),
            (Err(reason), _) | (_, Some(Err(reason))) => Known::Unknown(reason),
            (_, None) => Known::Unknown("it is not there".to_owned()),
        }
    }

    fn similar(&self, name: &str, version: &Version) -> Known<Vec<SimilarCrate>> {
        let release =
            self.world.crates.get(name).and_then(|it| it.releases.iter().find(|it| it.version == *version));
        match release.and_then(|it| Some((it.content.as_ref()?, it))) {
            Some((Content { facts: Known::Known(facts), checksum, .. }, release)) => {
                let entry = self.entry(name, version, *checksum, facts, release.at);
                Known::Known(self.similar.similar(&entry, facts))
            }
            Some((Content { facts: Known::Unknown(reason), .. }, _)) => Known::Unknown(reason.clone()),
            None => without_files(),
        }
    }

    fn entry(&self, name: &str, version: &Version, checksum: Checksum, facts: &Facts, at: i64) -> Entry {
        let krate = self.world.crates.get(name);
        let first = krate.and_then(|it| it.releases.iter().map(|it| it.at).min());
        Entry {
            owners: krate.map(|it| it.owners.iter().cloned().collect()),
            first_published: Some(first.unwrap_or(at)),
            ..Entry::new(name, &version.to_string(), checksum, facts)
        }
    }

    /// Packs and reads the files of a version, and adds it to those that others are compared with.
    fn content(&mut self, publication: &Publication) -> Option<Content> {
        let directory = publication.directory.as_ref()?;
        let (name, version) = (&publication.name, &publication.version);
        let read = below(self.directory, directory).and_then(|it| self.read(&it, name, version));
        match read {
            Ok(content) => {
                if let Known::Known(facts) = &content.facts {
                    let mut entries = self.similar.entries().to_vec();
                    let mut entry = self.entry(name, version, content.checksum, facts, publication.at);
                    entry.owners.get_or_insert_with(|| vec![publication.by.clone()]);
                    entries.push(entry);
                    self.similar = Index::new(entries);
                }
                Some(content)
            }
            Err(reason) => {
                self.outcome.problems.push(format!("`{name}` {version} could not be read: {reason}"));
                Some(Content {
                    archive: ArchiveState::Unavailable(reason.clone()),
                    facts: Known::Unknown(reason),
                    checksum: Checksum::of(b""),
                })
            }
        }
    }

    fn read(&self, directory: &Path, name: &str, version: &Version) -> Result<Content, String> {
        let files = read_directory(directory, &Limits::default()).map_err(|error| error.to_string())?;
        let mut builder = CrateBuilder::new(name, &version.to_string());
        for file in &files.files {
            builder = match file.is_executable() {
                true => builder.executable(&file.path, &file.contents),
                false => builder.file(&file.path, &file.contents),
            };
        }
        let bytes = builder.build();
        let checksum = Checksum::of(&bytes);
        let path = self.packed.path().join(format!("{checksum}.crate"));
        fs::write(&path, &bytes).map_err(|error| error.to_string())?;
        let subject =
            Subject::Archive { path, name: Some(name.to_owned()), version: Some(version.to_string()) };
        match self.engine.facts().of_archive(subject, checksum, &Section::ALL) {
            Ok(Found::Facts { facts, .. }) => {
                Ok(Content { archive: ArchiveState::Read, facts: Known::Known(facts), checksum })
            }
            Ok(Found::Refused(refused)) => {
                let reason = format!("the archive was refused: {}", refused.message);
                Ok(Content {
                    archive: ArchiveState::Refused(refused),
                    facts: Known::Unknown(reason),
                    checksum,
                })
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Somebody asks for a crate: what they would have got, and what they get.
    fn fetch(&mut self, at: i64, name: &str, version: Option<&Version>) {
        self.outcome.fetches += 1;
        let wanted = |release: &world::Release| version.is_none_or(|it| *it == release.version);
        let pinned = |is_allowed: &dyn Fn(&world::Release) -> bool| match version {
            // Who names a version gets it, withdrawn or not: that is what a lockfile does.
            Some(_) => {
                let releases =
                    self.world.crates.get(name).map(|it| it.releases.as_slice()).unwrap_or_default();
                releases.iter().find(|it| wanted(it) && is_allowed(it))
            }
            None => self.world.newest(name, None, is_allowed),
        };
        let (before, after) = (pinned(&|_| true), pinned(&|it| !it.is_held));
        let Some(before) = before else {
            self.outcome.problems.push(format!("`{name}` is fetched and is not there"));
            return;
        };
        let after_is = |malicious: bool| after.is_some_and(|it| it.malicious == malicious);
        if before.malicious {
            self.outcome.fetches_before += 1;
        } else if before.is_held {
            self.outcome.refused_harmless += 1;
        }
        if after_is(true) {
            self.outcome.fetches_after += 1;
            let spec = after.map(|it| format!("{name}@{}", it.version)).unwrap_or_default();
            if !self.outcome.exposed.contains(&spec) {
                self.outcome.exposed.push(spec);
            }
        }
        for reported in [before.reported, after.and_then(|it| it.reported)].into_iter().flatten() {
            if let Some(told) = self.outcome.versions.get_mut(reported) {
                told.first_fetch.get_or_insert(at);
            }
        }
    }

    fn finish(mut self) -> ReplayedIncident {
        let near = NearNames { names: self.names.as_ref(), publishers: self.publishers.as_ref() };
        let mut publishers: Vec<&str> = Vec::new();
        for krate in self.world.crates.values() {
            let reported = krate.releases.iter().filter(|it| it.reported.is_some());
            publishers.extend(reported.map(|it| it.by.as_str()));
        }
        publishers.sort_unstable();
        publishers.dedup();
        let mut campaigns = Vec::new();
        for login in publishers {
            let names = self.world.near_names(login, &near);
            if names.len() >= CAMPAIGN {
                campaigns.push((login.to_owned(), names));
            }
        }
        self.outcome.campaigns = campaigns;
        self.outcome
    }
}

/// Why there is nothing to look at.
const WITHOUT_FILES: &str = "the timeline has no files for it";

fn without_files<T>() -> Known<T> {
    Known::Unknown(WITHOUT_FILES.to_owned())
}

/// Names from which on a publisher's look-alikes are one campaign: as in the rule.
const CAMPAIGN: usize = 3;

fn actor(by: Option<&String>) -> Known<String> {
    by.map_or_else(|| Known::Unknown("the timeline does not say".to_owned()), |it| Known::Known(it.clone()))
}

fn package(name: &str, version: &Version, checksum: Option<Checksum>) -> Package {
    let source = PackageSource::Registry("sparse+https://replay.invalid/".to_owned());
    Package {
        id: PackageId::new(&source, name, version),
        name: name.to_owned(),
        version: version.clone(),
        checksum,
        source,
        kinds: Vec::new(),
        platforms: Vec::new(),
        features: None,
    }
}
