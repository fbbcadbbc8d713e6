//! Manifests for resolving: of a lockfile's packages from their archives, and of the user's own from the file system.
//!
//! The user's own packages are not analysed for this, which would take reading all of their source: of a directory only the
//! manifest is read, and the few places where cargo looks for targets.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use cratekeeper_model::facts::{ManifestFacts, Section};
use cratekeeper_model::{Known, Package, PackageSource};
use cratekeeper_registry::{LocalPackages, Lockfile};
use rayon::prelude::*;

use crate::pipeline::{Engine, in_pool};
use crate::progress::{Progress, Stage};
use crate::resolution::{self, Resolution, ResolutionInput, ResolutionOptions, Resolver};

/// Largest manifest that is read; as much as of inspected packages.
const MANIFEST_BYTES: u64 = 4 << 20;

/// Where cargo looks for targets, besides the directory of the package.
const TARGET_DIRECTORIES: [&str; 5] = ["src", "src/bin", "tests", "examples", "benches"];

/// Most files that are listed of one of these directories; the largest real ones have some thousand tests.
const FILES: usize = 20_000;

/// The user's own packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalManifests {
    /// Members of the workspace, and packages that they name by their directory.
    pub packages: Vec<LocalManifest>,
    /// How the workspace unifies features.
    pub resolver: Resolver,
    /// What could not be read, as sentence fragments.
    pub problems: Vec<String>,
}

/// A package of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalManifest {
    /// Directory of its manifest.
    pub directory: PathBuf,
    /// Whether it is a member of the workspace.
    pub is_member: bool,
    /// Its manifest, with what it inherits.
    pub manifest: ManifestFacts,
}

impl LocalManifests {
    /// Reads the manifests of the workspace in the directory `root`. No cargo is started.
    #[must_use]
    pub fn read(root: &Path) -> LocalManifests {
        let LocalPackages { members, others, resolver, mut problems, .. } = LocalPackages::find(root);
        let workspace = text(&root.join("Cargo.toml")).unwrap_or_default();
        let mut packages = Vec::new();
        let mut root_edition = None;
        let members = members.into_iter().map(|it| (it, true));
        for (directory, is_member) in members.chain(others.into_iter().map(|it| (it, false))) {
            let path = directory.join("Cargo.toml");
            let manifest = match text(&path) {
                // A member's problem was found before.
                Err(_) if is_member => continue,
                Err(error) => {
                    problems.push(format!("failed to read `{}`: {error}", path.display()));
                    continue;
                }
                Ok(text) => read(&directory, &text, if is_member { &workspace } else { &text }),
            };
            if manifest.name.is_none() {
                continue;
            }
            if directory == root {
                root_edition = Some(manifest.edition.clone().unwrap_or_else(|| "2015".to_owned()));
            }
            packages.push(LocalManifest { directory, is_member, manifest });
        }
        let resolver = Resolver::of(resolver.as_deref(), root_edition.as_deref());
        LocalManifests { packages, resolver, problems }
    }

    /// The manifest of a lockfile's package, if it is one of these.
    #[must_use]
    pub fn of(&self, package: &Package) -> Option<&LocalManifest> {
        let version = package.version.to_string();
        let is_same = |it: &&LocalManifest| {
            it.manifest.name.as_deref() == Some(&package.name)
                // A manifest without version has this one.
                && it.manifest.version.as_deref().unwrap_or("0.0.0") == version
        };
        let is_local = matches!(package.source, PackageSource::Path(_));
        self.packages.iter().find(is_same).filter(|_| is_local)
    }

    /// The members, as indexes into the packages of a lockfile. Where there is only a lockfile, all packages without source.
    #[must_use]
    pub fn members(&self, lockfile: &Lockfile) -> BTreeSet<usize> {
        let packages = lockfile.packages.iter().enumerate();
        let is_member = |package: &Package| match &self.packages[..] {
            [] => matches!(package.source, PackageSource::Path(_)),
            _ => self.of(package).is_some_and(|it| it.is_member),
        };
        packages.filter(|(_, locked)| is_member(&locked.package)).map(|(at, _)| at).collect()
    }
}

impl Engine {
    /// Links the packages of a lockfile, with manifests from wherever they are. No cargo is started.
    #[must_use]
    pub fn resolve(
        &self,
        lockfile: &Lockfile,
        local: &LocalManifests,
        options: &ResolutionOptions,
        progress: &dyn Progress,
    ) -> Resolution {
        let packages: Vec<&Package> = lockfile.packages.iter().map(|locked| &locked.package).collect();
        let manifests = self.manifests(&packages, local, progress);
        let manifests: Vec<Option<&ManifestFacts>> = manifests.iter().map(Known::value).collect();
        let members = local.members(lockfile);
        resolution::resolve(&ResolutionInput { lockfile, manifests: &manifests, members: &members }, options)
    }

    /// The manifests of packages, in parallel and in their order: from the cache of facts, or from their archives, which are
    /// then analysed for it. Of packages without source, from `local`.
    #[must_use]
    pub fn manifests(
        &self,
        packages: &[&Package],
        local: &LocalManifests,
        progress: &dyn Progress,
    ) -> Vec<Known<ManifestFacts>> {
        progress.begin(Stage::Analyze, packages.len());
        let manifests = in_pool(self.jobs(), || {
            let read = |package: &&Package| {
                let manifest = match (&package.source, local.of(package)) {
                    (_, Some(local)) => Known::Known(local.manifest.clone()),
                    (PackageSource::Path(path), None) if path.is_empty() => {
                        Known::Unknown("its directory is not known".to_owned())
                    }
                    _ => self.manifest(package),
                };
                progress.step(&package.name);
                manifest
            };
            packages.par_iter().with_max_len(1).map(read).collect()
        });
        progress.end();
        manifests
    }

    fn manifest(&self, package: &Package) -> Known<ManifestFacts> {
        match self.facts_of(package, &[Section::Manifest]) {
            Known::Known(facts) => Known::Known(facts.manifest),
            Known::Unknown(reason) => Known::Unknown(reason),
        }
    }
}

fn text(path: &Path) -> std::io::Result<String> {
    // A pipe would never end, and a tree may bring one.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut text = String::new();
    let size = std::fs::File::open(path)?.take(MANIFEST_BYTES + 1).read_to_string(&mut text)?;
    if size as u64 > MANIFEST_BYTES {
        return Err(std::io::Error::other(format!("it is larger than {} MiB", MANIFEST_BYTES >> 20)));
    }
    Ok(text)
}

fn read(directory: &Path, manifest: &str, workspace: &str) -> ManifestFacts {
    let files = files(directory);
    let paths: Vec<&str> = files.iter().map(String::as_str).collect();
    let mut facts = cratekeeper_source::read_manifest(manifest.as_bytes(), workspace.as_bytes(), &paths);
    for target in &mut facts.targets {
        target.exists = directory.join(&target.path).is_file();
    }
    facts
}

/// Files that targets may be found by, relative to the directory.
fn files(directory: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    found.extend(directory.join("build.rs").is_file().then(|| "build.rs".to_owned()));
    for place in TARGET_DIRECTORIES {
        let Ok(entries) = std::fs::read_dir(directory.join(place)) else { continue };
        for entry in entries.take(FILES).flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.ends_with(".rs") {
                found.push(format!("{place}/{name}"));
            } else if entry.path().join("main.rs").is_file() {
                found.push(format!("{place}/{name}/main.rs"));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
