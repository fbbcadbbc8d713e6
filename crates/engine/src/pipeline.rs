//! From packages to outcomes: find, hash, analyse, judge.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use cratekeeper_advisories::{Database, Origin};
use cratekeeper_model::facts::{RefusedEntry, Section, SourceFileStatus};
use cratekeeper_model::{
    AdvisoryDatabase, ArchiveState, CrossCrateReach, Facts, History, IndexEntry, InspectOutcome, Known,
    Outcome, Package, PackageId, PackageSource, PackageStatus, Previous, RuleInput, SimilarCrate,
};
use cratekeeper_policy::Policy;
use cratekeeper_registry::{
    FetchError, FileProblem, Location, Lockfile, PackageFinder, SourceError, VendoredFile,
};
use cratekeeper_rules::Family;
use cratekeeper_similarity::Entry;
use rayon::prelude::*;

use crate::analysis::Subject;
use crate::cache::FactsCache;
use crate::cross_crate::{self, Follower, LockedCrates, LockedTree};
use crate::facts::{FactsSource, Found, checksum_of_file};
use crate::history;
use crate::names;
use crate::pool::WorkerPool;
use crate::progress::{Progress, Stage};
use crate::similar;
use crate::update::PreviousVersions;

/// Sections that rules look at.
pub(crate) const FOR_RULES: [Section; 4] =
    [Section::Manifest, Section::Files, Section::Source, Section::Flow];

/// Why it is not known what calls into other crates reach.
const NO_DEPENDENCIES: &str =
    "what it depends on is not at hand; `cratekeeper check` has it for the packages of a lockfile";

/// Packages that are looked for, and index entries that are asked for, at the same time. Requests wait for the network, not
/// for a processor; the default registry's limits allow far more.
const FETCHES: usize = 16;

/// Everything a run needs.
pub struct Setup {
    /// Packages that are analysed at the same time.
    pub jobs: usize,
    /// Finds packages and index entries.
    pub finder: PackageFinder,
    /// Analyses packages.
    pub pool: WorkerPool,
    /// Facts of earlier runs; `None` to analyse everything anew and keep nothing.
    pub cache: Option<FactsCache>,
    /// The advisory database, or why there is none.
    pub advisories: Known<Database>,
    /// What is to be done with which cases.
    pub policy: Policy,
}

/// Runs checks and inspections.
pub struct Engine {
    jobs: usize,
    finder: PackageFinder,
    pub(crate) facts: FactsSource,
    advisories: Known<Database>,
    without: Vec<Family>,
    /// Replaced while others judge: each of them goes on with the one that they began with.
    policy: RwLock<Arc<Policy>>,
    /// The moment of judging, in seconds since 1970: one for the whole run.
    now: i64,
    /// Where checks take the version before each package from.
    pub(crate) previous_versions: PreviousVersions,
    /// What depends on what, where a lockfile says it.
    locked: Option<LockedTree>,
}

/// A package to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Which one.
    pub package: Package,
    /// Its line in the lockfile, counted from 1.
    pub lockfile_line: Option<u32>,
}

/// What to inspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InspectTarget {
    /// A `.crate` file.
    Archive(PathBuf),
    /// An unpacked package.
    Directory(PathBuf),
    /// A version in a registry.
    Package(Box<Package>),
}

/// Finds the version before a package, once its facts are there.
pub(crate) type FindPast<'a> = dyn Fn(&Package, &Known<Box<Facts>>) -> Known<Previous> + Sync + 'a;

/// How what lies around a package is found, once its facts are there.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The version before it.
    pub(crate) past: &'a FindPast<'a>,
    /// Crates that are like it.
    pub(crate) neighbours: &'a (dyn Fn(&Package, &Facts) -> Known<Vec<SimilarCrate>> + Sync),
    /// What its calls into other crates reach.
    pub(crate) reach: &'a (dyn Fn(&Package, &Facts) -> Known<Vec<CrossCrateReach>> + Sync),
}

/// A package with what the first stage found.
pub(crate) struct Prepared {
    requested: Requested,
    location: Result<Location, FetchError>,
    index: Known<IndexEntry>,
    history: Known<History>,
}

/// What is known of a package beside its content.
struct Recorded {
    index: Known<IndexEntry>,
    history: Known<History>,
}

impl Engine {
    /// An engine with this setup.
    #[must_use]
    pub fn new(setup: Setup) -> Engine {
        Engine {
            jobs: setup.jobs.max(1),
            finder: setup.finder,
            facts: FactsSource { pool: setup.pool, cache: setup.cache },
            advisories: setup.advisories,
            without: Vec::new(),
            policy: RwLock::new(Arc::new(setup.policy)),
            now: now(),
            previous_versions: PreviousVersions::default(),
            locked: None,
        }
    }

    /// The same engine, with these families of rules switched off: to measure what they contribute.
    #[must_use]
    pub fn without(mut self, families: &[Family]) -> Engine {
        self.without = families.to_vec();
        self
    }

    /// The same engine, which knows from this lockfile what depends on what, and follows calls from crate to crate.
    #[must_use]
    pub fn knowing(mut self, lockfile: &Lockfile) -> Engine {
        self.locked = Some(LockedTree::new(lockfile));
        self
    }

    /// Families of rules that are switched off.
    pub(crate) fn switched_off(&self) -> &[Family] {
        &self.without
    }

    /// Checks packages, in parallel. The outcomes are in the order of the requests.
    #[must_use]
    pub fn check(&self, requested: Vec<Requested>, progress: &dyn Progress) -> Vec<Outcome> {
        progress.begin(Stage::Fetch, requested.len());
        let prepared: Vec<Prepared> = in_pool(FETCHES, || {
            let prepare = |requested: Requested| {
                let name = requested.package.name.clone();
                let prepared = self.prepare(requested);
                progress.step(&name);
                prepared
            };
            requested.into_par_iter().map(prepare).collect()
        });
        progress.end();
        progress.begin(Stage::Analyze, prepared.len());
        let around = Around {
            past: &|package, facts| self.previous(package, facts, self.previous_versions),
            neighbours: &|_, _| Known::Known(Vec::new()),
            reach: &|_, _| Known::Known(Vec::new()),
        };
        let judged: Vec<(Outcome, (Option<Entry>, bool))> = in_pool(self.jobs, || {
            let examine = |prepared: &Prepared| {
                let (outcome, facts) = self.examine(prepared, &FOR_RULES, around);
                progress.step(&outcome.package.name);
                let early = facts.as_deref().is_some_and(cross_crate::calls_early);
                let entry = facts.filter(|_| similar::is_remembered(&outcome.package));
                let entry = entry.map(|facts| Entry {
                    owners: similar::owners(&prepared.history),
                    ..similar::entry(&outcome.package, &facts)
                });
                (outcome, (entry, early))
            };
            // One by one, so that a few large packages at the end do not wait behind each other.
            prepared.par_iter().with_max_len(1).map(examine).collect()
        });
        let (mut outcomes, learnt): (Vec<_>, Vec<_>) = judged.into_iter().unzip();
        let (entries, early): (Vec<_>, Vec<_>) = learnt.into_iter().unzip();
        let reached = self.judge_callers(&prepared, &mut outcomes, &early, around);
        let reach = |package: &Package, _: &Facts| {
            reached.get(&package.id).cloned().unwrap_or_else(|| Known::Known(Vec::new()))
        };
        self.judge_copies(&prepared, &mut outcomes, &entries, Around { reach: &reach, ..around });
        progress.end();
        self.trim_cache();
        outcomes
    }

    /// Inspects one package. The outcome carries its facts; the calls only if `all_facts` asks for them.
    #[must_use]
    pub fn inspect(&self, target: InspectTarget, all_facts: bool) -> InspectOutcome {
        let past = |package: &Package, facts: &Known<Box<Facts>>| {
            self.previous(package, facts, PreviousVersions::Fetched)
        };
        let neighbours = |package: &Package, facts: &Facts| self.likes_of_one(package, facts, None);
        let around = Around { past: &past, neighbours: &neighbours, reach: &alone };
        self.inspect_with(target, all_facts, around)
    }

    /// The same, with what lies around it found by `around`.
    pub(crate) fn inspect_with(
        &self,
        target: InspectTarget,
        all_facts: bool,
        around: Around<'_>,
    ) -> InspectOutcome {
        let sections: &[Section] = if all_facts { &Section::ALL } else { &FOR_RULES };
        let (outcome, facts) = match target {
            InspectTarget::Package(package) => {
                let prepared = self.prepare(Requested { package: *package, lockfile_line: None });
                self.examine(&prepared, sections, around)
            }
            InspectTarget::Archive(path) => self.inspect_local(&path, around, |path| {
                let checksum = checksum_of_file(path).map_err(|error| error.to_string())?;
                let subject = Subject::Archive { path: path.to_owned(), name: None, version: None };
                self.facts.of_archive(subject, checksum, sections).map_err(|error| error.to_string())
            }),
            InspectTarget::Directory(path) => self.inspect_local(&path, around, |path| {
                self.facts.of_directory(path, sections).map_err(|error| error.to_string())
            }),
        };
        self.trim_cache();
        let facts = facts.map(|facts| *facts);
        InspectOutcome { outcome, facts, advisories: self.advisory_database(), notes: Vec::new() }
    }

    /// The registry that cargo means when none is named.
    ///
    /// # Errors
    ///
    /// When cargo's configuration names one that it does not configure.
    pub fn default_registry(&self) -> Result<PackageSource, SourceError> {
        self.finder.config().default_registry()
    }

    /// The advisory database in use.
    #[must_use]
    pub fn advisory_database(&self) -> Known<AdvisoryDatabase> {
        match &self.advisories {
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
            Known::Known(database) => {
                let snapshot = database.snapshot();
                let age = snapshot.age(std::time::SystemTime::now()).map(|age| age.as_secs());
                Known::Known(AdvisoryDatabase {
                    path: database.root().display().to_string(),
                    revision: snapshot.revision,
                    age,
                })
            }
        }
    }

    /// Files of the advisory database that cannot be read, and so may say anything: those filed under one of these crates, or
    /// under none; and how many there are in all.
    #[must_use]
    pub fn unreadable_advisories(&self, crates: &HashSet<&str>) -> (Vec<String>, usize) {
        let Known::Known(database) = &self.advisories else { return (Vec::new(), 0) };
        let problems = database.load_all();
        let may_concern = |file: &Path| {
            let directory = file.parent().and_then(Path::file_name).and_then(|it| it.to_str());
            let filed = file.components().count() > 2;
            let name = if filed { directory } else { file.file_name().and_then(|it| it.to_str()) };
            name.is_none_or(|name| crates.contains(name) || (!filed && name.starts_with("RUSTSEC-")))
        };
        let of_these = problems.iter().filter(|it| may_concern(&it.file));
        (of_these.map(ToString::to_string).collect(), problems.len())
    }

    /// The same engine with another policy.
    #[must_use]
    pub fn deciding_by(self, policy: Policy) -> Engine {
        self.replace_policy(policy);
        self
    }

    /// Ends workers that have nothing to do, with the memory that they took for what they read: for whoever runs on and expects no work soon.
    pub fn rest(&self) {
        self.facts.pool.rest();
    }

    /// The policy in use now.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        // It is whole after each change, so a panic elsewhere does not matter.
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Decides by another policy from now on, and gives the one before. What is being judged is decided by the one that it began with.
    pub fn replace_policy(&self, policy: Policy) -> Arc<Policy> {
        let mut current = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, Arc::new(policy))
    }

    /// The moment of judging, in seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The advisory database, or why there is none.
    pub(crate) fn advisories(&self) -> &Known<Database> {
        &self.advisories
    }

    /// How many packages are analysed at the same time.
    pub(crate) fn jobs(&self) -> usize {
        self.jobs
    }

    /// Where packages are found.
    pub(crate) fn finder(&self) -> &PackageFinder {
        &self.finder
    }

    /// Where facts come from.
    pub(crate) fn facts(&self) -> &FactsSource {
        &self.facts
    }

    /// Directory of the facts that are kept, if any are.
    pub(crate) fn cache_root(&self) -> Option<&Path> {
        self.facts.cache.as_ref().map(FactsCache::root)
    }

    /// Facts of one package, wherever they come from.
    pub(crate) fn facts_of(&self, package: &Package, sections: &[Section]) -> Known<Box<Facts>> {
        self.read(package, &self.finder.fetch(package), sections).1
    }

    fn trim_cache(&self) {
        if let Some(Err(error)) = self.facts.cache.as_ref().map(FactsCache::evict)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("failed to keep the cache of facts within its size: {error}");
        }
    }

    /// Finds a package and asks the index about it.
    fn prepare(&self, mut requested: Requested) -> Prepared {
        let package = &mut requested.package;
        if matches!(package.source, PackageSource::Path(_)) {
            let reason = "local packages are not inspected".to_owned();
            let path = PathBuf::new();
            let location = Err(FetchError::NotThere { what: package.name.clone(), place: path });
            let (index, history) = (Known::Unknown(reason.clone()), Known::Unknown(reason));
            return Prepared { requested, location, index, history };
        }
        let (index, history) = match self.finder.index_entry(package) {
            Ok(lookup) => {
                if let Some(reason) = lookup.stale {
                    tracing::debug!("the index entry of `{}` is old: {reason}", package.name);
                }
                // A version asked for by name has no lockfile to promise its checksum.
                package.checksum.get_or_insert(lookup.entry.checksum);
                let look_up =
                    |other: &Package| self.finder.index_past(other).map_err(|error| error.to_string());
                let history = history::from_index(package, &lookup.past, self.now, &look_up);
                (Known::Known(lookup.entry), Known::Known(history))
            }
            Err(error) => (Known::Unknown(error.to_string()), Known::Unknown(error.to_string())),
        };
        let location = self.finder.fetch(package);
        Prepared { requested, location, index, history }
    }

    /// Judges packages again that call others while somebody builds, now that those were read. Gives what they reach, where that
    /// is anything, or not known.
    fn judge_callers(
        &self,
        prepared: &[Prepared],
        outcomes: &mut [Outcome],
        early: &[bool],
        around: Around<'_>,
    ) -> HashMap<PackageId, Known<Vec<CrossCrateReach>>> {
        let callers: Vec<usize> = (0..outcomes.len()).filter(|it| early[*it]).collect();
        let empty = LockedTree::default();
        let crates = LockedCrates { engine: self, tree: self.locked.as_ref().unwrap_or(&empty) };
        let follower = Follower::new(&crates);
        let judge = |number: usize| {
            let package = &outcomes[number].package;
            let reached = match self.locked {
                Some(_) => match self.facts_of(package, &Section::ALL) {
                    Known::Known(facts) => follower.reach(&package.id, &facts),
                    Known::Unknown(reason) => Known::Unknown(reason),
                },
                None => Known::Unknown(NO_DEPENDENCIES.to_owned()),
            };
            if reached.value().is_some_and(Vec::is_empty) {
                return None;
            }
            let reach = |_: &Package, _: &Facts| reached.clone();
            let (outcome, _) =
                self.examine(&prepared[number], &FOR_RULES, Around { reach: &reach, ..around });
            let id = package.id.clone();
            Some((number, outcome, (id, reached)))
        };
        let judged: Vec<_> = in_pool(self.jobs, || callers.into_par_iter().filter_map(judge).collect());
        let keep = |(number, outcome, reached): (usize, Outcome, _)| {
            outcomes[number] = outcome;
            reached
        };
        judged.into_iter().map(keep).collect()
    }

    /// Analyses and judges a package.
    pub(crate) fn examine(
        &self,
        prepared: &Prepared,
        sections: &[Section],
        around: Around<'_>,
    ) -> (Outcome, Option<Box<Facts>>) {
        let Prepared { requested: Requested { package, lockfile_line }, location, index, history } = prepared;
        let (package, lockfile_line) = (package.clone(), *lockfile_line);
        let recorded = Recorded { index: index.clone(), history: history.clone() };
        if matches!(package.source, PackageSource::Path(_)) {
            let case = cratekeeper_model::Case::default();
            let status = PackageStatus::Local;
            return (Outcome { package, status, reason: None, case, lockfile_line, policy: None }, None);
        }
        let (archive, facts) = self.read(&package, location, sections);
        self.judge(package, lockfile_line, archive, facts, recorded, around)
    }

    /// Reads a package that was found.
    pub(crate) fn read(
        &self,
        package: &Package,
        location: &Result<Location, FetchError>,
        sections: &[Section],
    ) -> (ArchiveState, Known<Box<Facts>>) {
        let found = match location {
            Err(FetchError::ChecksumMismatch { expected, actual, place }) => {
                return mismatch(*expected, *actual, place.clone());
            }
            Err(error) => Err(with_source(error)),
            Ok(Location::Archive { path, .. }) => {
                let actual = match checksum_of_file(path) {
                    Ok(actual) => actual,
                    Err(error) => {
                        return unavailable(format!("failed to read `{}`: {error}", path.display()));
                    }
                };
                if let Some(expected) = package.checksum.filter(|expected| *expected != actual) {
                    return mismatch(expected, actual, path.display().to_string());
                }
                let (name, version) = (Some(package.name.clone()), Some(package.version.to_string()));
                let subject = Subject::Archive { path: path.clone(), name, version };
                self.facts.of_archive(subject, actual, sections).map_err(|error| with_source(&error))
            }
            Ok(Location::Directory { path, problems, .. }) => {
                let found = self.facts.of_directory(path, sections).map_err(|error| with_source(&error));
                found.map(|found| with_vendoring_problems(found, problems))
            }
            Ok(other) => Err(format!("`{}` is in a place that cannot be read", other.path().display())),
        };
        match found {
            Ok(Found::Facts { facts, .. }) => (ArchiveState::Read, Known::Known(facts)),
            Ok(Found::Refused(refused)) => {
                let reason = format!("the archive was refused: {}", refused.message);
                (ArchiveState::Refused(refused), Known::Unknown(reason))
            }
            Err(reason) => unavailable(reason),
        }
    }

    fn inspect_local(
        &self,
        path: &Path,
        around: Around<'_>,
        read: impl FnOnce(&Path) -> Result<Found, String>,
    ) -> (Outcome, Option<Box<Facts>>) {
        let (archive, facts, checksum) = match read(path) {
            Ok(Found::Facts { facts, checksum }) => (ArchiveState::Read, Known::Known(facts), Some(checksum)),
            Ok(Found::Refused(refused)) => {
                let reason = format!("the archive was refused: {}", refused.message);
                (ArchiveState::Refused(refused), Known::Unknown(reason), None)
            }
            Err(reason) => (ArchiveState::Unavailable(reason.clone()), Known::Unknown(reason), None),
        };
        let package = package_of(path, facts.value().map(|facts| &**facts), checksum);
        let reason = "a local file is not looked up in an index";
        let recorded =
            Recorded { index: Known::Unknown(reason.to_owned()), history: Known::Unknown(reason.to_owned()) };
        self.judge(package, None, archive, facts, recorded, around)
    }

    /// Puts the input of the rules together, and asks them.
    fn judge(
        &self,
        package: Package,
        lockfile_line: Option<u32>,
        archive: ArchiveState,
        facts: Known<Box<Facts>>,
        recorded: Recorded,
        around: Around<'_>,
    ) -> (Outcome, Option<Box<Facts>>) {
        let previous = (around.past)(&package, &facts);
        let similar = match &facts {
            Known::Known(facts) => (around.neighbours)(&package, facts),
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
        };
        let advisories = match &self.advisories {
            Known::Known(database) => {
                let answer = database.affecting(&package.name, &package.version, Origin::of(&package.source));
                for problem in &answer.problems {
                    tracing::warn!("an advisory about `{}` cannot be read: {problem}", package.name);
                }
                answer.into_known()
            }
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
        };
        let reach = match &facts {
            Known::Known(facts) => (around.reach)(&package, facts),
            Known::Unknown(reason) => Known::Unknown(reason.clone()),
        };
        let facts = match facts {
            Known::Known(facts) => Known::Known(*facts),
            Known::Unknown(reason) => Known::Unknown(reason),
        };
        let names = names::matches(&package, &facts);
        let input = RuleInput {
            package,
            archive,
            facts,
            index: recorded.index,
            advisories,
            names,
            previous,
            history: recorded.history,
            similar,
            reach,
        };
        let policy = self.policy();
        let case = policy.shown(cratekeeper_rules::judge_without(&self.without, &input));
        let policy = Some(policy.decide(&input, &case, self.now));
        let (status, reason) = status(&input);
        let facts = match input.facts {
            Known::Known(facts) => Some(Box::new(facts)),
            Known::Unknown(_) => None,
        };
        (Outcome { package: input.package, status, reason, case, lockfile_line, policy }, facts)
    }
}

/// What the calls of a package reach whose dependencies are not at hand.
pub(crate) fn alone(_: &Package, facts: &Facts) -> Known<Vec<CrossCrateReach>> {
    if cross_crate::calls_early(facts) {
        return Known::Unknown(NO_DEPENDENCIES.to_owned());
    }
    Known::Known(Vec::new())
}

/// Runs `work` on a pool of `threads` threads of its own.
pub(crate) fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(work),
        // No threads to be had: slower is better than not at all.
        Err(_) => work(),
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(i64::MAX))
}

/// An error with its causes on one line.
pub(crate) fn with_source(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn unavailable(reason: String) -> (ArchiveState, Known<Box<Facts>>) {
    (ArchiveState::Unavailable(reason.clone()), Known::Unknown(reason))
}

fn mismatch(
    expected: cratekeeper_model::Checksum,
    actual: cratekeeper_model::Checksum,
    place: String,
) -> (ArchiveState, Known<Box<Facts>>) {
    let reason = format!("`{place}` does not have the promised checksum");
    (ArchiveState::ChecksumMismatch { expected, actual, place }, Known::Unknown(reason))
}

/// Vendored files that were changed or removed after `cargo vendor`, as refused entries.
fn with_vendoring_problems(found: Found, problems: &[VendoredFile]) -> Found {
    match found {
        Found::Facts { checksum, mut facts } => {
            facts.files.refused.extend(problems.iter().map(|problem| {
                let (code, what) = match problem.problem {
                    FileProblem::Unlisted => ("vendored-file-added", "is not listed in"),
                    FileProblem::Missing => ("vendored-file-missing", "is missing, and listed in"),
                    _ => ("vendored-file-changed", "is not what was vendored according to"),
                };
                RefusedEntry {
                    code: code.to_owned(),
                    message: format!("`{}` {what} `.cargo-checksum.json`", problem.path),
                    entry: Some(problem.path.clone()),
                }
            }));
            Found::Facts { checksum, facts }
        }
        refused @ Found::Refused(_) => refused,
    }
}

/// The package that a local file or directory claims to be.
fn package_of(path: &Path, facts: Option<&Facts>, checksum: Option<cratekeeper_model::Checksum>) -> Package {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let manifest = facts.map(|facts| &facts.manifest);
    let name = manifest.and_then(|manifest| manifest.name.clone()).unwrap_or(stem);
    let version =
        manifest.and_then(|manifest| manifest.version.as_deref()).and_then(|text| text.parse().ok());
    let version = version.unwrap_or_else(|| semver::Version::new(0, 0, 0));
    // A source is a claim too: where a lone file comes from is not known.
    let source = PackageSource::Unknown;
    Package {
        id: PackageId::new(&source, &name, &version),
        name,
        version,
        checksum,
        source,
        kinds: Vec::new(),
        platforms: Vec::new(),
        features: None,
    }
}

/// How far the package was looked at, and why not further.
pub(crate) fn status(input: &RuleInput) -> (PackageStatus, Option<String>) {
    match (&input.archive, &input.facts) {
        (ArchiveState::Read, Known::Known(facts)) => match partial(facts) {
            Some(reason) => (PackageStatus::Partial, Some(reason)),
            None => (PackageStatus::Checked, None),
        },
        (_, Known::Unknown(reason)) => (PackageStatus::CouldNotCheck, Some(reason.clone())),
        (_, Known::Known(_)) => (PackageStatus::CouldNotCheck, Some("the archive was not read".to_owned())),
    }
}

/// What is missing from the facts, if anything is.
fn partial(facts: &Facts) -> Option<String> {
    // Files that were added to a vendored package are read like any other.
    let refused = facts.files.refused.iter().find(|entry| entry.code != "vendored-file-added");
    if let Some(entry) = refused {
        return Some(format!("an entry was refused: {}", entry.message));
    }
    if let Some(problem) = facts.manifest.problems.iter().find(|problem| problem.contains("cannot be read")) {
        return Some(problem.clone());
    }
    let unparsed = |status| matches!(status, SourceFileStatus::TokensOnly | SourceFileStatus::NotUtf8);
    let file =
        facts.source.rust_files.iter().find(|file| unparsed(file.status) && !file.targets.is_empty())?;
    Some(format!(
        "`{}` was read by tokens only: {}",
        file.path,
        file.problem.as_deref().unwrap_or("it has no tree")
    ))
}
