//! A survey: the call graphs of a directory of archives, or of a lockfile, in a store that grows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cratekeeper_graph::{Reading, Store, StoreWriter, StoredVersion, VersionNumber};
use cratekeeper_model::facts::{DependencySection, ManifestFacts, Section};
use cratekeeper_model::{DependencyKind, Package, PackageId, PackageSource};
use cratekeeper_registry::{IndexVersion, Lockfile};
use rayon::prelude::*;
use semver::{Version, VersionReq};

use super::packages::{Place, Unit, UnitDependency};
use super::workspace::{edition, named, table};
use super::{GraphError, Run, missing, schedule};
use crate::analysis::Subject;
use crate::facts::{Found, checksum_of_file};
use crate::manifests::LocalManifests;
use crate::pipeline::{Engine, in_pool};
use crate::progress::{Progress, Stage};
use crate::resolution::{Platform, ResolutionOptions};

/// What to survey.
#[derive(Debug)]
pub enum SurveyInput {
    /// A directory of `.crate` files, as deep as they are: a mirror of a registry. Dependencies lead to the newest version in
    /// it that fits and is not withdrawn, by the mirror's index if it has one.
    Directory {
        /// Where they are.
        directory: PathBuf,
        /// Only what was published by then takes part. What the index has no time for counts as published.
        at: Option<jiff::Timestamp>,
        /// What everything is read for.
        platform: Platform,
    },
    /// What a lockfile resolves to.
    Lockfile {
        /// The lockfile.
        lockfile: Lockfile,
        /// The user's own packages.
        local: LocalManifests,
        /// Features and platforms.
        options: ResolutionOptions,
    },
}

/// What became of a survey.
#[derive(Debug, Clone, Default)]
pub struct SurveyOutcome {
    /// Name of the resolution table that answers questions about it.
    pub table: String,
    /// Versions that were added.
    pub added: usize,
    /// Versions that the store had from an earlier run.
    pub known_before: usize,
    /// Versions that could not be read, with the reason.
    pub refused: Vec<(String, String)>,
    /// Versions of which something is missing, with what.
    pub partial: Vec<(String, String)>,
    /// Bytes of Rust that were read.
    pub bytes_of_source: u64,
    /// Time that reading and storing took, in seconds.
    pub seconds: f64,
}

/// What an archive's manifest says, or why nothing is known of it.
type ReadManifest = Result<(Package, ManifestFacts), String>;

/// Versions that are stored at a time: an interrupted survey loses no more.
const BATCH: usize = 500;

impl Engine {
    /// Adds the call graphs of many packages to a store and links them.
    ///
    /// Versions that the store has are not stored again; they are read once more only if one that is new depends on them, and
    /// those that were refused are tried again. An interrupted survey is resumed by running it again.
    ///
    /// # Errors
    ///
    /// When the directory cannot be listed, or the store cannot be written.
    pub fn survey(
        &self,
        input: &SurveyInput,
        store: &Path,
        progress: &dyn Progress,
    ) -> Result<SurveyOutcome, GraphError> {
        let units = match input {
            SurveyInput::Directory { directory, at, platform } => {
                self.mirrored(directory, *at, platform, progress)?
            }
            SurveyInput::Lockfile { lockfile, local, options } => {
                let input = super::WorkspaceInput { lockfile, local };
                let resolution = self.resolve(lockfile, local, options, progress);
                self.units(&input, &resolution, options)
            }
        };
        let name = match input {
            SurveyInput::Directory { at: Some(at), .. } => at.to_string(),
            SurveyInput::Directory { at: None, .. } => "newest".to_owned(),
            SurveyInput::Lockfile { .. } => super::workspace::TABLE.to_owned(),
        };
        self.add_to_store(&units, store, &name, progress)
    }

    fn add_to_store(
        &self,
        units: &[Unit],
        directory: &Path,
        name: &str,
        progress: &dyn Progress,
    ) -> Result<SurveyOutcome, GraphError> {
        let mut writer = StoreWriter::open(directory)?;
        // Another archive under the same id, or one that could not be read, is read anew; so is what may have been edited.
        let by_id: HashMap<&str, &Unit> = units.iter().map(|it| (it.package.id.as_str(), it)).collect();
        let mut stored: HashMap<String, VersionNumber> = HashMap::new();
        for version in writer.store().versions()? {
            let entry = version.entry;
            let same = by_id.get(entry.id.as_str()).is_some_and(|unit| {
                matches!(&unit.place, Place::Archive(..))
                    && unit.package.checksum == entry.checksum
                    && unit.features.join(",") == entry.features
                    && unit.platform.triple() == entry.platform
            });
            // What was refused is tried again below.
            if same || matches!(entry.reading, Reading::Refused(_)) {
                stored.insert(entry.id.as_str().to_owned(), version.number);
            }
        }
        let refused = refused_before(writer.store())?;
        let mut outcome = SurveyOutcome { table: name.to_owned(), ..SurveyOutcome::default() };
        let known: Vec<Option<VersionNumber>> =
            units.iter().map(|it| stored.get(it.package.id.as_str()).copied()).collect();
        // What was refused is tried again: the file may have been replaced by a whole one.
        let mut numbers: Vec<Option<VersionNumber>> =
            known.iter().map(|it| it.filter(|number| !refused.contains_key(number))).collect();
        outcome.known_before = numbers.iter().flatten().count();
        let run = Run::new(units, self.facts(), true)?;
        if outcome.known_before < units.len() {
            let needed = schedule::needed(units, |unit| numbers[unit].is_none());
            progress.begin(Stage::Graph, needed.iter().filter(|it| **it).count());
            let mut batch = Vec::new();
            let result = run.all(&needed, self.jobs(), progress, |unit, read| {
                if numbers[unit].is_some() {
                    return Ok(());
                }
                let version = named(&read.entry.id);
                match &read.entry.reading {
                    Reading::Complete => {}
                    Reading::Partial => outcome.partial.push((version, missing(&read.graph.problems))),
                    Reading::Refused(reason) => {
                        outcome.refused.push((version, reason.clone()));
                        if let Some(number) = known[unit]
                            && refused.get(&number) == Some(reason)
                        {
                            numbers[unit] = known[unit];
                            outcome.known_before += 1;
                            return Ok(());
                        }
                    }
                }
                batch.push((unit, read));
                if batch.len() >= BATCH {
                    store_batch(&mut writer, &mut batch, &mut numbers)?;
                }
                outcome.added += 1;
                Ok::<(), cratekeeper_graph::GraphError>(())
            });
            progress.end();
            result?;
            store_batch(&mut writer, &mut batch, &mut numbers)?;
        }
        writer.write_resolution(name, &table(units, &numbers))?;
        writer.link(name)?;
        outcome.bytes_of_source = run.source_bytes.load(std::sync::atomic::Ordering::Relaxed);
        outcome.seconds = run.begun.elapsed().as_secs_f64();
        Ok(outcome)
    }

    /// The archives below a directory, linked as cargo would with nothing else to choose from.
    fn mirrored(
        &self,
        directory: &Path,
        at: Option<jiff::Timestamp>,
        platform: &Platform,
        progress: &dyn Progress,
    ) -> Result<Vec<Unit>, GraphError> {
        // Workers read the archives, in a directory of their own.
        let directory = std::path::absolute(directory)
            .map_err(|source| GraphError::Directory { path: directory.to_owned(), source })?;
        let archives = archives(&directory)?;
        progress.begin(Stage::Analyze, archives.len());
        let read: Vec<(PathBuf, ReadManifest)> = in_pool(self.jobs(), || {
            let read = |path: PathBuf| {
                let manifest = self.manifest_of_archive(&path);
                progress.step(&path.file_stem().unwrap_or_default().to_string_lossy());
                (path, manifest)
            };
            archives.into_par_iter().with_max_len(1).map(read).collect()
        });
        progress.end();
        Ok(link_newest(read, at, platform, &|name| IndexVersion::of_mirror(&directory, name)))
    }

    pub(super) fn manifest_of_archive(&self, path: &Path) -> ReadManifest {
        let checksum = checksum_of_file(path).map_err(|error| error.to_string())?;
        let subject = Subject::Archive { path: path.to_owned(), name: None, version: None };
        let found = self.facts().of_archive(subject, checksum, &[Section::Manifest]);
        let facts = match found.map_err(|error| error.to_string())? {
            Found::Facts { facts, .. } => facts,
            Found::Refused(refused) => return Err(format!("the archive was refused: {}", refused.message)),
        };
        let manifest = facts.manifest;
        let name = manifest.name.clone().ok_or("its manifest names no package")?;
        let version = manifest.version.as_deref().unwrap_or("0.0.0");
        let version = Version::parse(version).map_err(|error| format!("its version is none: {error}"))?;
        Ok((package(name, version, Some(checksum)), manifest))
    }
}

pub(super) fn package(
    name: String,
    version: Version,
    checksum: Option<cratekeeper_model::Checksum>,
) -> Package {
    Package {
        id: PackageId::new(&PackageSource::Unknown, &name, &version),
        name,
        version,
        source: PackageSource::Unknown,
        checksum,
        kinds: Vec::new(),
        features: None,
        platforms: Vec::new(),
    }
}

/// Versions that were refused, with the reason.
fn refused_before(store: &Store) -> Result<HashMap<VersionNumber, String>, cratekeeper_graph::GraphError> {
    let reason = |version: StoredVersion| match version.entry.reading {
        Reading::Refused(reason) => Some((version.number, reason)),
        _ => None,
    };
    Ok(store.versions()?.into_iter().filter_map(reason).collect())
}

fn store_batch(
    writer: &mut StoreWriter,
    batch: &mut Vec<(usize, super::ReadPackage)>,
    numbers: &mut [Option<VersionNumber>],
) -> Result<(), cratekeeper_graph::GraphError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut appender = writer.append();
    for (unit, read) in batch.drain(..) {
        numbers[unit] = Some(appender.push(&read.entry, &read.graph)?);
    }
    appender.commit()?;
    Ok(())
}

/// All `.crate` files below a directory, sorted. Links are not followed.
fn archives(directory: &Path) -> Result<Vec<PathBuf>, GraphError> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(path) = directories.pop() {
        let failed = |source| GraphError::Directory { path: path.clone(), source };
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_some_and(|it| it == "crate") {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Links versions with each other: each dependency leads to the newest version that its requirement takes. Features are the
/// default ones: nobody says which others are asked for. Of several archives of a version, the first that can be read counts.
pub(super) fn link_newest(
    read: Vec<(PathBuf, ReadManifest)>,
    at: Option<jiff::Timestamp>,
    platform: &Platform,
    index: &dyn Fn(&str) -> Vec<IndexVersion>,
) -> Vec<Unit> {
    let platform = Arc::new(platform.clone());
    let (whole, refused): (Vec<_>, Vec<_>) = read.into_iter().partition(|it| it.1.is_ok());
    let mut seen: HashSet<PackageId> = HashSet::new();
    let mut by_name: BTreeMap<String, Vec<(Version, usize)>> = BTreeMap::new();
    let mut indexes: HashMap<String, Vec<IndexVersion>> = HashMap::new();
    let mut known = Vec::new();
    let mut libraries: HashMap<usize, String> = HashMap::new();
    for (path, result) in whole.into_iter().chain(refused) {
        let unit = known.len();
        let (package, manifest, place) = match result {
            Ok((package, manifest)) => {
                let checksum = package.checksum;
                (package, manifest, Place::Archive(path, checksum))
            }
            Err(reason) => {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let (name, version) = split_stem(&stem);
                (package(name, version, None), ManifestFacts::default(), Place::Missing(reason))
            }
        };
        if !seen.insert(package.id.clone()) {
            continue;
        }
        let listed = indexes.entry(package.name.clone()).or_insert_with(|| index(&package.name));
        let listed = listed.iter().find(|it| it.version == package.version);
        let published = listed.and_then(|it| it.published);
        let takes_part = at.is_none_or(|at| published.is_none_or(|published| published <= at));
        let yanked = listed.is_some_and(|it| it.yanked);
        if takes_part && !yanked {
            by_name.entry(package.name.clone()).or_default().push((package.version.clone(), unit));
        }
        let library = manifest.targets.iter().find(|it| {
            use cratekeeper_model::facts::TargetKind;
            matches!(it.kind, TargetKind::Lib | TargetKind::ProcMacro)
        });
        if let Some(library) = library {
            libraries.insert(unit, library.name.replace('-', "_"));
        }
        let times = (published.map(jiff::Timestamp::as_second), yanked, takes_part);
        known.push((package, manifest, place, times));
    }
    for versions in by_name.values_mut() {
        versions.sort();
    }
    let mut units: Vec<Unit> = known
        .into_iter()
        .map(|(package, manifest, place, (published, yanked, takes_part))| {
            let dependencies = dependencies(&manifest, &by_name, &libraries);
            Unit {
                place,
                edition: edition(manifest.edition.as_deref().unwrap_or("2015")),
                targets: manifest
                    .targets
                    .iter()
                    .map(|it| (it.kind, it.name.replace('-', "_"), it.path.clone()))
                    .collect(),
                features: default_features(&manifest),
                platform: Arc::clone(&platform),
                dependencies,
                is_member: false,
                links: manifest.links.clone(),
                published,
                yanked,
                takes_part,
                package,
            }
        })
        .collect();
    schedule::without_circles(&mut units);
    units
}

fn split_stem(stem: &str) -> (String, Version) {
    let split = stem.match_indices('-').find_map(|(at, _)| {
        let version = Version::parse(&stem[at + 1..]).ok()?;
        Some((stem[..at].to_owned(), version))
    });
    split.unwrap_or_else(|| (stem.to_owned(), Version::new(0, 0, 0)))
}

fn dependencies(
    manifest: &ManifestFacts,
    by_name: &BTreeMap<String, Vec<(Version, usize)>>,
    libraries: &HashMap<usize, String>,
) -> Vec<UnitDependency> {
    let mut found = Vec::new();
    for dependency in &manifest.dependencies {
        let kind = match dependency.section {
            DependencySection::Normal => DependencyKind::Normal,
            DependencySection::Build => DependencyKind::Build,
            DependencySection::Dev => continue,
        };
        let name = dependency.package.as_ref().unwrap_or(&dependency.name);
        let requirement = dependency.requirement.as_deref().unwrap_or("*");
        let Ok(requirement) = VersionReq::parse(requirement) else { continue };
        let Some(versions) = by_name.get(name) else { continue };
        let Some((_, unit)) = versions.iter().rev().find(|(version, _)| requirement.matches(version)) else {
            continue;
        };
        let in_code = match (&dependency.package, libraries.get(unit)) {
            (None, Some(library)) => library.clone(),
            _ => dependency.name.replace('-', "_"),
        };
        found.push(UnitDependency { name: in_code, unit: *unit, kind });
    }
    found
}

/// Features that `default` switches on, and optional dependencies among them.
fn default_features(manifest: &ManifestFacts) -> Vec<String> {
    let mut on: Vec<String> = vec!["default".to_owned()];
    let mut next = 0;
    while next < on.len() && on.len() < 10_000 {
        let feature = on[next].clone();
        next += 1;
        let Some((_, values)) = manifest.features.iter().find(|(name, _)| **name == feature) else {
            continue;
        };
        for value in values {
            let value =
                value.strip_prefix("dep:").unwrap_or(value).split(['/', '?']).next().unwrap_or_default();
            if !on.iter().any(|it| it == value) {
                on.push(value.to_owned());
            }
        }
    }
    on
}

#[cfg(test)]
mod times;

#[cfg(test)]
mod tests {
    use cratekeeper_model::Checksum;

    use super::*;

    pub(super) fn linux() -> Platform {
        Platform::of_triple("x86_64-unknown-linux-gnu")
    }

    fn linked(read: Vec<(PathBuf, ReadManifest)>) -> Vec<Unit> {
        link_newest(read, None, &linux(), &|_| Vec::new())
    }

    /// An archive whose manifest says this.
    fn archive(name: &str, version: &str, more: &str) -> (PathBuf, ReadManifest) {
        let text = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n{more}");
        let manifest = cratekeeper_source::read_manifest(text.as_bytes(), text.as_bytes(), &["src/lib.rs"]);
        let version = Version::parse(version).unwrap();
        let checksum = Checksum::of(text.as_bytes());
        (
            format!("{name}-{version}.crate").into(),
            Ok((package(name.to_owned(), version, Some(checksum)), manifest)),
        )
    }

    /// `name in code = package@version` of all that the package depends on.
    fn dependencies_of(units: &[Unit], name: &str) -> Vec<String> {
        let unit = units.iter().find(|it| it.package.name == name).unwrap();
        let shown = |it: &UnitDependency| {
            let package = &units[it.unit].package;
            format!("{} = {}@{}", it.name, package.name, package.version)
        };
        unit.dependencies.iter().map(shown).collect()
    }

    #[test]
    fn dependencies_lead_to_the_newest_version_that_fits() {
        let units = linked(vec![
            archive("base", "1.0.0", ""),
            archive("base", "1.10.0", ""),
            archive("base", "1.9.0", ""),
            archive("base", "2.0.0", ""),
            archive("base", "1.11.0-beta.1", ""),
            archive("app", "0.1.0", "[dependencies]\nbase = \"1\"\n"),
        ]);
        assert_eq!(dependencies_of(&units, "app"), ["base = base@1.10.0"]);
    }

    #[test]
    fn a_requirement_that_nothing_meets_links_nothing() {
        let units = linked(vec![
            archive("base", "1.0.0", ""),
            archive("app", "0.1.0", "[dependencies]\nbase = \"2\"\nabsent = \"*\"\n"),
        ]);
        assert_eq!(dependencies_of(&units, "app"), [""; 0]);
    }

    #[test]
    fn renamed_dependencies_and_libraries_keep_their_name_in_code() {
        let manifest = "[dependencies]\nother = { package = \"base\", version = \"1\" }\nplain-name = \"1\"\n\
            [build-dependencies]\nbuilder = \"1\"\n[dev-dependencies]\nfor-tests = \"1\"\n";
        let units = linked(vec![
            archive("app", "0.1.0", manifest),
            archive("base", "1.0.0", "[lib]\nname = \"foundation\"\n"),
            archive("plain-name", "1.0.0", "[lib]\nname = \"short\"\n"),
            archive("builder", "1.0.0", ""),
            archive("for-tests", "1.0.0", ""),
        ]);
        let mut found = dependencies_of(&units, "app");
        found.sort();
        assert_eq!(found, ["builder = builder@1.0.0", "other = base@1.0.0", "short = plain-name@1.0.0"]);
    }

    #[test]
    fn default_features_are_followed() {
        let features =
            "[features]\ndefault = [\"a\"]\na = [\"b\", \"dep:thing\", \"base?/x\"]\nb = [\"a\"]\noff = []\n";
        let units = linked(vec![archive("app", "0.1.0", features)]);
        assert_eq!(units[0].features, ["default", "a", "b", "thing", "base"]);
    }

    #[test]
    fn of_copies_of_a_version_the_first_whole_one_counts() {
        let refused = || ("a/base-1.0.0.crate".into(), Err("it is damaged".to_owned()));
        let units = linked(vec![refused(), archive("base", "1.0.0", ""), archive("base", "1.0.0", "")]);
        assert_eq!(units.len(), 1);
        assert!(matches!(units[0].place, Place::Archive(..)));
        let units = linked(vec![refused()]);
        assert_eq!(units[0].package.name, "base");
        assert!(matches!(&units[0].place, Place::Missing(reason) if reason == "it is damaged"));
    }

    #[test]
    fn names_of_files_are_split_before_the_version() {
        for (stem, name, version) in [
            ("aho-corasick-1.1.5", "aho-corasick", "1.1.5"),
            ("toml_edit-0.25.18+spec-1.1.0", "toml_edit", "0.25.18+spec-1.1.0"),
            ("base-1.0.0-alpha.1", "base", "1.0.0-alpha.1"),
            ("no version", "no version", "0.0.0"),
        ] {
            assert_eq!(split_stem(stem), (name.to_owned(), Version::parse(version).unwrap()));
        }
    }
}
