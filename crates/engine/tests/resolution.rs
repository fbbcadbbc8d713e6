//! Resolution of this workspace against cargo's own.
//!
//! What cargo would compile, with which features, is only in its unit graph, which stable cargo prints when asked with
//! `RUSTC_BOOTSTRAP`; what it resolves for all platforms and tests together is in `cargo metadata`. Both are asked of
//! this workspace alone, whose configuration we trust.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::print_stdout, reason = "shown when the test fails")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};
use cratekeeper_archive::{Expected, read_crate};
use cratekeeper_engine::LocalManifests;
use cratekeeper_engine::resolution::{
    FeatureSelection, Platform, PointInTime, Resolution, ResolutionInput, ResolutionOptions, Resolver,
    resolve,
};
use cratekeeper_model::facts::{DependencySection, ManifestFacts};
use cratekeeper_model::{Package, PackageSource};
use cratekeeper_registry::{
    CargoConfig, CargoEnvironment, FinderOptions, IndexVersion, Location, Lockfile, Network, PackageFinder,
};
use cratekeeper_source::{PackageFile, analyze};

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// This workspace: its lockfile, manifests and members.
struct Own {
    lockfile: Lockfile,
    manifests: Vec<Option<ManifestFacts>>,
    members: BTreeSet<usize>,
    resolver: Resolver,
}

impl Own {
    fn read() -> Own {
        let root = workspace();
        let lockfile = Lockfile::read(&root.join("Cargo.lock")).unwrap();
        let local = LocalManifests::read(&root);
        assert_eq!(local.problems, [""; 0]);
        let finder = finder();
        let manifests = lockfile.packages.iter().map(|locked| manifest(&finder, &locked.package, &local));
        let manifests = manifests.collect();
        let members = local.members(&lockfile);
        Own { lockfile, manifests, members, resolver: local.resolver }
    }

    fn resolve(&self, resolver: Resolver, dev_dependencies: bool) -> Resolution {
        let manifests: Vec<Option<&ManifestFacts>> = self.manifests.iter().map(Option::as_ref).collect();
        let input =
            ResolutionInput { lockfile: &self.lockfile, manifests: &manifests, members: &self.members };
        let platform = Platform::of_triple(TARGET);
        let options = ResolutionOptions {
            resolver,
            target: platform.clone(),
            host: platform,
            features: FeatureSelection::default(),
            dev_dependencies,
        };
        resolve(&input, &options)
    }
}

/// A finder that only looks into cargo's home.
fn finder() -> PackageFinder {
    let config = CargoConfig::load(&workspace(), &CargoEnvironment::from_process().unwrap()).unwrap();
    let nowhere = tempfile::tempdir().unwrap();
    PackageFinder::new(config, FinderOptions::new(nowhere.path().to_owned(), Network::Offline)).unwrap()
}

/// The manifest in the archive in cargo's cache; `None` where it is not there, as for other platforms' packages.
fn manifest(finder: &PackageFinder, package: &Package, local: &LocalManifests) -> Option<ManifestFacts> {
    if matches!(package.source, PackageSource::Path(_)) {
        return Some(local.of(package).unwrap().manifest.clone());
    }
    let Ok(Location::Archive { path, .. }) = finder.fetch(package) else { return None };
    let archive =
        read_crate(File::open(path).unwrap(), &Expected::default(), &cratekeeper_archive::Limits::default());
    let archive = archive.unwrap();
    // Targets are found by the paths of files; what is in them does not matter here.
    let files: Vec<PackageFile<'_>> = archive
        .files
        .iter()
        .map(|file| {
            PackageFile::new(&file.path, if file.path == "Cargo.toml" { &file.contents } else { b"" })
        })
        .collect();
    Some(analyze(&files, &cratekeeper_source::Limits::default()).manifest)
}

/// `name@version` with what it is compiled for.
type Built = (String, &'static str);

/// Features, and dependencies as `crate_name = name@version`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Unit {
    features: BTreeSet<String>,
    dependencies: BTreeSet<String>,
}

fn ours(resolution: &Resolution, dev_dependencies: bool) -> BTreeMap<Built, Unit> {
    let label = |at: usize| {
        let package = &resolution.packages[at];
        format!("{}@{}", package.name, package.version)
    };
    let mut units: BTreeMap<Built, Unit> = BTreeMap::new();
    for (at, package) in resolution.packages.iter().enumerate() {
        let has_build_script = package.targets.iter().any(|it| it.crate_name.starts_with("build_script_"));
        for (usage, features) in [("target", &package.features), ("host", &package.host_features)] {
            let Some(features) = features else { continue };
            let is_host = usage == "host";
            let enabled = package.dependencies.iter().filter(|it| {
                let is_built = match it.section {
                    DependencySection::Normal => true,
                    DependencySection::Build => has_build_script,
                    DependencySection::Dev => dev_dependencies,
                };
                is_built && if is_host { it.enabled_for_host } else { it.enabled }
            });
            let dependencies =
                enabled.map(|it| format!("{} = {}", it.crate_name, label(it.package.unwrap()))).collect();
            units.insert((label(at), usage), Unit { features: features.clone(), dependencies });
        }
    }
    units
}

/// What cargo would compile.
fn cargos(dev_dependencies: bool) -> BTreeMap<Built, Unit> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap());
    command.current_dir(workspace()).env("RUSTC_BOOTSTRAP", "1").args([
        "build",
        "--workspace",
        "--locked",
        "--offline",
        "--target",
        TARGET,
        "--unit-graph",
        "-Zunstable-options",
    ]);
    if dev_dependencies {
        command.arg("--all-targets");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let graph: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let graph = graph["units"].as_array().unwrap();
    let mut units: BTreeMap<Built, Unit> = BTreeMap::new();
    for unit in graph {
        let is_build_script = unit["target"]["kind"][0] == "custom-build";
        if unit["mode"] == "run-custom-build" {
            continue;
        }
        let names = unit["dependencies"].as_array().unwrap().iter().filter_map(|dependency| {
            let to = &graph[usize::try_from(dependency["index"].as_u64().unwrap()).unwrap()];
            let is_other = to["pkg_id"] != unit["pkg_id"] && to["mode"] != "run-custom-build";
            let name = dependency["extern_crate_name"].as_str().unwrap();
            is_other.then(|| format!("{name} = {}", label(to)))
        });
        let names: Vec<String> = names.collect();
        // A build script is built for the host, with the features of the package that it belongs to: which of the two that is
        // does not show, so its dependencies are added to both.
        let usages: &[&'static str] = match (is_build_script, unit["platform"].is_null()) {
            (true, _) => &["target", "host"],
            (false, true) => &["host"],
            (false, false) => &["target"],
        };
        for usage in usages {
            let entry = units.entry((label(unit), usage)).or_default();
            entry.dependencies.extend(names.iter().cloned());
            if !is_build_script {
                let features = unit["features"].as_array().unwrap().iter();
                entry.features.extend(features.map(|it| it.as_str().unwrap().to_owned()));
            }
        }
    }
    // Those that only a build script was seen of.
    let seen: BTreeSet<Built> = graph
        .iter()
        .filter(|unit| unit["target"]["kind"][0] != "custom-build")
        .map(|unit| (label(unit), if unit["platform"].is_null() { "host" } else { "target" }))
        .collect();
    units.retain(|built, _| seen.contains(built));
    units
}

/// `name@version`, from a package id of cargo.
fn label(unit: &serde_json::Value) -> String {
    let (source, rest) = unit["pkg_id"].as_str().unwrap().split_once('#').unwrap();
    if rest.contains('@') {
        rest.to_owned()
    } else {
        format!("{}@{rest}", source.rsplit('/').next().unwrap())
    }
}

fn compare(dev_dependencies: bool) {
    let own = Own::read();
    assert_eq!(own.resolver, Resolver::Separate);
    let resolution = own.resolve(own.resolver, dev_dependencies);
    let (ours, cargos) = (ours(&resolution, dev_dependencies), cargos(dev_dependencies));
    assert!(cargos.len() > 200, "only {} units", cargos.len());
    let mut different = 0;
    for built in ours.keys().chain(cargos.keys()).collect::<BTreeSet<_>>() {
        let (ours, cargos) = (ours.get(built), cargos.get(built));
        if ours != cargos {
            different += 1;
            println!("{built:?}\n  ours  {ours:?}\n  cargo {cargos:?}");
        }
    }
    let known = own.manifests.iter().flatten().count();
    println!("{different} of {} differ; {known} of {} manifests known", cargos.len(), own.manifests.len());
    assert_eq!(different, 0);
}

#[test]
fn programs_are_built_as_by_cargo() {
    compare(false);
}

#[test]
fn programs_and_tests_are_built_as_by_cargo() {
    compare(true);
}

#[test]
fn all_together_is_as_in_cargos_metadata() {
    let own = Own::read();
    let resolution = own.resolve(Resolver::Unified, true);
    let options = ["--locked", "--offline", "--filter-platform", TARGET].map(str::to_owned);
    let metadata: Metadata = MetadataCommand::new()
        .manifest_path(workspace().join("Cargo.toml"))
        .other_options(options)
        .exec()
        .unwrap();
    let packages: BTreeMap<_, _> = metadata.packages.iter().map(|it| (&it.id, it)).collect();
    let nodes: BTreeMap<String, BTreeSet<String>> = metadata
        .resolve
        .unwrap()
        .nodes
        .iter()
        .map(|node| {
            let package = packages[&node.id];
            let features = node.features.iter().map(ToString::to_string).collect();
            (format!("{}@{}", package.name, package.version), features)
        })
        .collect();
    let ours: BTreeMap<String, BTreeSet<String>> = resolution
        .packages
        .iter()
        .filter_map(|package| {
            let features = package.features.as_ref().or(package.host_features.as_ref())?;
            Some((format!("{}@{}", package.name, package.version), features.clone()))
        })
        .collect();
    assert!(nodes.len() > 200, "only {} packages", nodes.len());
    // To fill a lockfile, cargo takes `dependency?/feature` for `dependency/feature`: it finds more, by a few packages. Most of these are of
    // one family of crates, `sqlx`, whose features are full of them; what is compiled is compared unit by unit in the tests above.
    let mut more = 0;
    for name in nodes.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        let (ours, cargos) = (ours.get(name), nodes.get(name));
        if ours != cargos {
            more += 1;
            println!("{name}\n  ours  {ours:?}\n  cargo {cargos:?}");
            let cargos = cargos.unwrap_or_else(|| panic!("cargo does not use `{name}`"));
            assert!(
                ours.is_none_or(|ours| ours.is_subset(cargos)),
                "`{name}` has features that cargo leaves off"
            );
        }
    }
    println!("{more} of {} have more in cargo's metadata", nodes.len());
    assert!(more * 10 < nodes.len(), "{more} of {} have more in cargo's metadata", nodes.len());
}

/// The lockfile was made by cargo from an index like the one it remembers, if not the same; every version that it holds is the
/// newest that fitted then, unless somebody wanted an older one.
#[test]
fn the_versions_that_an_index_gives_are_mostly_those_that_cargo_locked() {
    let lockfile = Lockfile::read(&workspace().join("Cargo.lock")).unwrap();
    let finder = finder();
    let mut index: HashMap<String, Vec<IndexVersion>> = HashMap::new();
    for locked in &lockfile.packages {
        if let Ok(versions) = finder.index_versions(&locked.package) {
            index.insert(locked.package.name.clone(), versions);
        }
    }
    assert!(index.len() > 200, "only {} crates are in cargo's index", index.len());
    let locked: BTreeSet<(String, String)> = lockfile
        .packages
        .iter()
        .map(|it| (it.package.name.clone(), it.package.version.to_string()))
        .collect();
    // When the youngest of the locked versions was published: cargo chose at that time or later.
    let versions =
        index.values().flatten().filter(|it| locked.contains(&(it.name.clone(), it.version.to_string())));
    let youngest = versions.clone().filter_map(|it| it.published).max();
    let features = FeatureSelection::default();
    for at in [youngest, None] {
        let point = PointInTime::new(&index, at);
        let (mut direct, mut in_trees) = ([0_usize; 2], [0_usize; 2]);
        let is_locked = |name: &str, version: &semver::Version| {
            usize::from(locked.contains(&(name.to_owned(), version.to_string())))
        };
        for version in versions.clone() {
            for chosen in
                point.direct(version).into_iter().filter(|it| !it.optional && index.contains_key(&it.package))
            {
                let found = chosen.version.as_ref().map_or(0, |it| is_locked(&chosen.package, it));
                direct[found] += 1;
            }
            for (name, version) in point.resolve(version, &features).packages.keys() {
                in_trees[is_locked(name, version)] += 1;
                if is_locked(name, version) == 0 {
                    println!("{name} {version} is not locked");
                }
            }
        }
        println!("at {at:?}: direct {direct:?}, in trees {in_trees:?} (other, as locked)");
        if at.is_some() {
            assert!(direct[1] > direct[0] * 9, "{direct:?}");
            assert!(in_trees[1] > in_trees[0] * 9, "{in_trees:?}");
        }
    }
}
