//! An ecosystem that does not exist: as large as a real registry, the same in every run.
//!
//! Packages have a few to many versions; few packages have most of the dependents, and few of their functions most of
//! the callers, as in registries (both follow a power law). Versions of one package share most of their paths. Sizes
//! are parameters; contents follow from the seed alone.

use cratekeeper_model::graph::{
    CallEdge, CallGraph, Callee, Certainty, EdgeKind, ExternalCrate, FunctionAttributes, FunctionNode,
    GraphTarget, GraphTargetKind, UnresolvedCall, UnresolvedReason,
};
use cratekeeper_model::{PackageId, PackageSource};
use fastrand::Rng;
use semver::Version;

use crate::{
    DependencyKinds, GraphError, Resolution, ResolvedDependency, ResolvedVersion, StoreWriter, UnsafeItems,
    VersionEntry, VersionNumber,
};

/// Calls of a function on average. With ten, twenty million calls are between two million functions.
const CALLS: usize = 10;
/// Share of calls that stay in their version, in percent; as in the graphs of real lockfiles, about.
const LOCAL: u32 = 60;
/// Share of calls that go to the standard library, in percent.
const STANDARD: u32 = 15;
/// Functions of the standard library that are called.
const STANDARD_FUNCTIONS: usize = 2_000;
/// Dependencies of a version at most.
const DEPENDENCIES: usize = 10;
/// Versions of a package on average.
const RELEASES: usize = 8;

/// A generator of packages, versions and calls.
#[derive(Debug, Clone)]
pub struct Ecosystem {
    seed: u64,
    /// For each version: package, and release counted from 0. By package, then release.
    versions: Vec<(u32, u32)>,
    /// First version of each package.
    first: Vec<u32>,
    functions: usize,
    shape: Shape,
}

/// How calls and dependencies are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Skewed,
    Uniform,
}

/// A number below `bound`, small ones far likelier: the density falls with the power -2/3 of the number.
fn skewed(rng: &mut Rng, bound: usize) -> usize {
    let it = rng.f64();
    ((it * it * it) * bound as f64) as usize
}

impl Ecosystem {
    /// An ecosystem of `versions` versions with about `edges` calls.
    #[must_use]
    pub fn new(seed: u64, versions: usize, edges: usize) -> Ecosystem {
        let mut rng = Rng::with_seed(seed);
        let functions = (edges / CALLS / versions.max(1)).max(2);
        let (mut all, mut first) = (Vec::with_capacity(versions), Vec::new());
        while all.len() < versions {
            first.push(all.len() as u32);
            let releases = 1 + skewed(&mut rng, RELEASES * 4 - 4);
            let package = first.len() as u32 - 1;
            let room = versions - all.len();
            all.extend((0..releases.min(room) as u32).map(|release| (package, release)));
        }
        Ecosystem { seed, versions: all, first, functions, shape: Shape::Skewed }
    }

    /// The same size without any order to make use of: every package is as likely to be depended on and every function
    /// as likely to be called as any other, and nine calls in ten leave their version. No registry is like that; it is
    /// the hardest case for compression and for memory.
    #[must_use]
    pub fn uniform(seed: u64, versions: usize, edges: usize) -> Ecosystem {
        Ecosystem { shape: Shape::Uniform, ..Ecosystem::new(seed, versions, edges) }
    }

    fn pick(&self, rng: &mut Rng, bound: usize) -> usize {
        match self.shape {
            Shape::Skewed => skewed(rng, bound),
            Shape::Uniform => rng.usize(..bound),
        }
    }

    /// Number of versions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    fn releases(&self, package: u32) -> std::ops::Range<u32> {
        let end = self.first.get(package as usize + 1).copied().unwrap_or(self.versions.len() as u32);
        self.first[package as usize]..end
    }

    /// Functions of a release: a release has all paths of the one before it, and one more.
    fn function_count(&self, package: u32, release: u32) -> usize {
        // Twice the average at most, so that the sum is what was asked for.
        let base = 1 + Rng::with_seed(self.seed ^ u64::from(package) << 20).usize(..self.functions * 2 - 1);
        base + release as usize / 4
    }

    /// What a version depends on: packages before its own, the first ones by far most often, each in its newest release
    /// or an older one.
    fn dependencies(&self, version: usize) -> Vec<u32> {
        let package = self.versions[version].0;
        let mut rng = Rng::with_seed(self.seed ^ 0xdeb5 ^ u64::from(package) << 24);
        if package == 0 {
            return Vec::new();
        }
        let mut packages: Vec<u32> = (0..1 + self.pick(&mut rng, DEPENDENCIES))
            .map(|_| self.pick(&mut rng, package as usize) as u32)
            .collect();
        packages.sort_unstable();
        packages.dedup();
        let newest = |package: &u32| {
            let releases = self.releases(*package);
            let back = self.pick(&mut rng, releases.len()) as u32;
            releases.end - 1 - back
        };
        packages.iter().map(newest).collect()
    }

    /// What the store knows of a version.
    #[must_use]
    pub fn entry(&self, version: usize) -> VersionEntry {
        let (package, release) = self.versions[version];
        let mut rng = Rng::with_seed(self.seed ^ 0xe117 ^ (version as u64) << 16);
        let name = format!("package-{package}");
        let number = Version::new(1, u64::from(release), 0);
        let id = PackageId::new(&PackageSource::Unknown, &name, &number);
        let uses_unsafe = rng.u8(..100) < 25;
        let blocks = if uses_unsafe { 1 + skewed(&mut rng, 200) as u32 } else { 0 };
        VersionEntry {
            published: Some(1_500_000_000 + version as i64 * 60),
            build_script: rng.u8(..100) < 8,
            proc_macro: rng.u8(..100) < 4,
            unsafe_items: UnsafeItems { blocks, functions: blocks / 4, ..UnsafeItems::default() },
            ..VersionEntry::new(id, name, number)
        }
    }

    /// The call graph of a version.
    #[must_use]
    pub fn graph(&self, version: usize) -> CallGraph {
        let (package, release) = self.versions[version];
        let crate_name = format!("package_{package}");
        let mut rng = Rng::with_seed(self.seed ^ 0xca11 ^ (version as u64) << 16);
        let count = self.function_count(package, release);
        let dependencies = self.dependencies(version);
        let mut graph = CallGraph {
            targets: vec![GraphTarget { kind: GraphTargetKind::Lib, name: crate_name.clone() }],
            files: vec!["src/lib.rs".to_owned(), "src/detail.rs".to_owned()],
            functions: (0..count).map(|it| self.function(&crate_name, it, &mut rng)).collect(),
            crate_name,
            ..CallGraph::default()
        };
        let external =
            |package: String| ExternalCrate { crate_name: package.replace('-', "_"), package, seen: None };
        let packages = dependencies.iter().map(|it| self.versions[*it as usize].0);
        graph.externals = packages.map(|it| external(format!("package-{it}"))).collect();
        graph.externals.push(external("std".to_owned()));
        for caller in 0..count as u32 {
            for _ in 0..1 + skewed(&mut rng, 4 * (CALLS - 1)) {
                let callee = self.callee(&mut graph, &dependencies, &mut rng);
                graph.edges.push(edge(caller, callee, &mut rng));
            }
        }
        graph.implementations =
            (0..count as u32 / 8).map(|it| (Callee::Local(it * 8), rng.u32(..count as u32))).collect();
        graph.unresolved.push(UnresolvedCall {
            caller: 0,
            line: 1,
            callee: ".method".to_owned(),
            reason: UnresolvedReason::ReceiverUnknown,
        });
        graph
    }

    fn function(&self, crate_name: &str, index: usize, rng: &mut Rng) -> FunctionNode {
        FunctionNode {
            path: path(crate_name, index),
            target: 0,
            file: (index % 2) as u32,
            line: index as u32 * 12 + 1,
            attributes: FunctionAttributes {
                uses_unsafe: rng.u8(..100) < 4,
                foreign: rng.u8(..100) < 1,
                in_trait: index.is_multiple_of(8),
                has_body: true,
                public: index.is_multiple_of(2),
                active: true,
                ..FunctionAttributes::default()
            },
            cfg: None,
        }
    }

    fn callee(&self, graph: &mut CallGraph, dependencies: &[u32], rng: &mut Rng) -> Callee {
        let roll = rng.u32(..100);
        let (local, standard) = match self.shape {
            Shape::Skewed => (LOCAL, STANDARD),
            Shape::Uniform => (10, 0),
        };
        if roll < local || dependencies.is_empty() && roll >= local + standard {
            return Callee::Local(rng.u32(..graph.functions.len() as u32));
        }
        let (krate, path) = if roll < local + standard {
            let function = skewed(rng, STANDARD_FUNCTIONS);
            (dependencies.len(), format!("std::module_{}::function_{function}", function % 50))
        } else {
            let krate = rng.usize(..dependencies.len());
            let (package, release) = self.versions[dependencies[krate] as usize];
            let function = self.pick(rng, self.function_count(package, release));
            (krate, path(&format!("package_{package}"), function))
        };
        graph.external_paths.push(path);
        Callee::External { krate: krate as u32, path: graph.external_paths.len() as u32 - 1 }
    }

    /// Appends everything to a store and writes what each dependency leads to as the table `table`.
    ///
    /// # Errors
    ///
    /// When the store cannot be written to.
    pub fn write(&self, writer: &mut StoreWriter, table: &str) -> Result<Vec<VersionNumber>, GraphError> {
        let mut appender = writer.append();
        let mut numbers = Vec::with_capacity(self.len());
        for version in 0..self.len() {
            numbers.push(appender.push(&self.entry(version), &self.graph(version))?);
        }
        appender.commit()?;
        writer.write_resolution(table, &self.resolution(&numbers))?;
        Ok(numbers)
    }

    /// What each dependency leads to, given the numbers that the store gave to versions.
    #[must_use]
    pub fn resolution(&self, numbers: &[VersionNumber]) -> Resolution {
        let dependency =
            |it: u32| ResolvedDependency { version: numbers[it as usize], kinds: DependencyKinds::NORMAL };
        let version = |it: usize| ResolvedVersion {
            number: numbers[it],
            dependencies: self.dependencies(it).into_iter().map(dependency).collect(),
        };
        Resolution { versions: (0..self.len()).map(version).collect() }
    }
}

fn path(crate_name: &str, index: usize) -> String {
    match index % 4 {
        3 => format!("<{crate_name}::Type{} as {crate_name}::Trait>::function_{index}", index / 4),
        _ => format!("{crate_name}::module_{}::function_{index}", index % 3),
    }
}

fn edge(caller: u32, callee: Callee, rng: &mut Rng) -> CallEdge {
    CallEdge {
        caller,
        callee,
        kind: EdgeKind::ALL[[0, 0, 0, 0, 1, 2, 2, 3, 4, 6][rng.usize(..10)]],
        certainty: Certainty::ALL[[0, 0, 0, 0, 0, 1, 1, 1, 2, 3][rng.usize(..10)]],
        line: caller * 12 + rng.u32(..12) + 1,
        in_unsafe: rng.u8(..100) < 3,
        active: rng.u8(..100) < 90,
    }
}
