//! Calls into other crates that run while somebody builds, or before `main`: what they reach there.
//!
//! Facts of one package say nothing about another, so that they can be kept by checksum; here those of a package and of what it
//! depends on are joined, where they are at hand. Calls are followed by names ([`package`]), along re-exports and from crate to
//! crate, up to limits. It over-approximates like the facts do: a call *can* reach what is told.

mod package;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cratekeeper_model::facts::{Call, CallKind, Dependency, DependencySection, Facts, Phase, Section};
use cratekeeper_model::{CrossCrateReach, Known, Package, PackageId};
use cratekeeper_registry::Lockfile;
use semver::VersionReq;

use self::package::type_of;
use crate::pipeline::Engine;

/// Packages on one way. Payloads one or two crates away are known; four leave room.
const DEPTH: usize = 4;

/// Functions that one call is followed through.
const FUNCTIONS: usize = 3_000;

/// Calls that are looked at for one package, in all packages that they lead to: a hostile one has any number.
const STEPS: usize = 100_000;

/// Operations that are told of one call; the rules tie pairs of them.
const OPERATIONS: usize = 60;

/// Packages that are opened to find out whether one of them can do harm.
const PACKAGES: usize = 200;

/// Operations that are told of one package.
const ALL_OPERATIONS: usize = 300;

/// Rounds of re-exports.
const EXPORTS: usize = 3;

/// What a package has to have for calls to be followed through it.
const SECTIONS: [Section; 3] = [Section::Manifest, Section::Source, Section::Flow];

/// Packages, and what they depend on.
pub(crate) trait Crates: Sync {
    /// The package that a dependency leads to; `None` when it is known not to be built.
    fn dependency(&self, of: &PackageId, dependency: &Dependency) -> Known<Option<Package>>;
    /// Facts of a package.
    fn facts(&self, package: &Package, sections: &[Section]) -> Known<Box<Facts>>;
}

/// Whether a package calls other crates early, so that it is worth asking what that reaches.
pub(crate) fn calls_early(facts: &Facts) -> bool {
    facts.flow.external_calls.iter().any(|call| is_early(&call.phases))
}

fn is_early(phases: &[Phase]) -> bool {
    phases.first().is_some_and(|it| matches!(it, Phase::BuildTime | Phase::BeforeMain))
}

/// A package that is kept while calls are followed, with its calls once they are asked for.
struct Followed {
    package: Package,
    inside: package::Package,
    callees: OnceLock<HashMap<u32, Vec<u32>>>,
}

type Slot = Arc<OnceLock<Result<Arc<Followed>, String>>>;

/// Follows calls; what is learnt of a package is kept for the next question.
pub(crate) struct Follower<'a> {
    crates: &'a dyn Crates,
    known: Mutex<HashMap<PackageId, Slot>>,
    harmful: Mutex<HashMap<PackageId, Result<bool, String>>>,
}

/// A function on the way, and how it was reached.
struct Visit {
    at: Arc<Followed>,
    function: u32,
    packages: Vec<PackageId>,
    way: Vec<String>,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(crates: &'a dyn Crates) -> Follower<'a> {
        Follower { crates, known: Mutex::default(), harmful: Mutex::default() }
    }

    /// What the early calls of a package reach. Unknown when none is found, and something was not at hand.
    pub(crate) fn reach(&self, id: &PackageId, facts: &Facts) -> Known<Vec<CrossCrateReach>> {
        let mut found = Vec::new();
        let mut missing = None;
        let mut steps = STEPS;
        let methods = methods(facts);
        let early = (0..).zip(&facts.flow.external_calls).filter(|(_, call)| is_early(&call.phases));
        for (number, call) in early {
            let harms = match self.crate_of(id, &facts.manifest.dependencies, &call.path) {
                Ok(Some((to, _))) => self.harms(&to),
                Ok(None) => Ok(false),
                Err(reason) => Err(reason),
            };
            match harms {
                Ok(true) => {}
                Ok(false) => continue,
                // A part of what it leads to may be at hand all the same.
                Err(reason) => drop(missing.get_or_insert(reason)),
            }
            let beside = methods.get(&(call.file, call.function)).map_or(&[][..], Vec::as_slice);
            let starts =
                self.functions_at(id, &facts.manifest.dependencies, &call.path, beside, &[], &mut steps);
            self.follow(number, starts, &mut steps, &mut found);
            if found.len() >= ALL_OPERATIONS || steps == 0 {
                missing.get_or_insert_with(|| "it calls more than is followed".to_owned());
                break;
            }
        }
        match missing {
            Some(reason) if found.is_empty() => Known::Unknown(reason),
            _ => Known::Known(found),
        }
    }

    /// The package that a path leads into, and the rest of the path. `None` when its first name is no dependency.
    fn crate_of<'p>(
        &self,
        of: &PackageId,
        dependencies: &[Dependency],
        path: &'p str,
    ) -> Result<Option<(Arc<Followed>, &'p str)>, String> {
        let Some((first, rest)) = path.split_once("::") else { return Ok(None) };
        // Facts write a renamed dependency by the name of its package; text that was not resolved has the name in code.
        let is_called = |name: &str| name.replace('-', "_") == first;
        let is_meant = |it: &&Dependency| {
            it.section != DependencySection::Dev
                && (is_called(&it.name) || it.package.as_deref().is_some_and(is_called))
        };
        let mut missing = None;
        for dependency in dependencies.iter().filter(is_meant) {
            match self.crates.dependency(of, dependency) {
                Known::Known(Some(package)) => return self.open(&package).map(|it| Some((it, rest))),
                Known::Known(None) => {}
                Known::Unknown(reason) => missing = Some(reason),
            }
        }
        missing.map_or(Ok(None), Err)
    }

    fn open(&self, package: &Package) -> Result<Arc<Followed>, String> {
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(package.id.clone()).or_default())
        };
        let opened = slot.get_or_init(|| match self.crates.facts(package, &SECTIONS) {
            Known::Known(facts) => Ok(Arc::new(Followed {
                package: package.clone(),
                inside: package::Package::new(&package.id, &package.name, &facts),
                callees: OnceLock::new(),
            })),
            Known::Unknown(reason) => Err(format!(
                "`{}` {}, which it calls, could not be read: {reason}",
                package.name, package.version
            )),
        });
        opened.clone()
    }

    fn callees<'f>(&self, followed: &'f Followed) -> &'f HashMap<u32, Vec<u32>> {
        followed.callees.get_or_init(|| match self.crates.facts(&followed.package, &[Section::Calls]) {
            Known::Known(facts) => followed.inside.callees(facts.calls.as_ref().map_or(&[], |it| &it.calls)),
            Known::Unknown(_) => HashMap::new(),
        })
    }

    /// Whether a library, or one that it calls, can do harm at all. Most cannot, and need not be followed.
    fn harms(&self, at: &Followed) -> Result<bool, String> {
        let id = &at.inside.id;
        let mut seen = HashSet::new();
        let harms = self.harms_through(at, &mut seen);
        let mut known = self.harmful.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(id.clone()).or_insert(harms).clone()
    }

    /// The same, leaving out what was looked at on the way: a lockfile that somebody wrote may go in circles.
    fn harms_through(&self, at: &Followed, seen: &mut HashSet<PackageId>) -> Result<bool, String> {
        let known = {
            let known = self.harmful.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(&at.inside.id).cloned()
        };
        if let Some(known) = known {
            return known;
        }
        if at.inside.is_harmful {
            return Ok(true);
        }
        if seen.len() > PACKAGES || !seen.insert(at.inside.id.clone()) {
            return Ok(false);
        }
        let mut missing = None;
        for root in at.inside.roots() {
            let path = format!("{root}::");
            match self.crate_of(&at.inside.id, &at.inside.dependencies, &path) {
                Ok(Some((further, _))) => match self.harms_through(&further, seen) {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(reason) => missing = Some(reason),
                },
                Ok(None) => {}
                Err(reason) => missing = Some(reason),
            }
        }
        missing.map_or(Ok(false), Err)
    }

    /// Functions that a path into another crate means, along re-exports, and methods called beside it on what it makes.
    fn functions_at(
        &self,
        of: &PackageId,
        dependencies: &[Dependency],
        path: &str,
        methods: &[&str],
        before: &[PackageId],
        steps: &mut usize,
    ) -> Vec<Visit> {
        *steps = steps.saturating_sub(1);
        let Ok(Some((at, rest))) = self.crate_of(of, dependencies, path) else { return Vec::new() };
        if before.len() >= DEPTH || *steps == 0 {
            return Vec::new();
        }
        let mut packages = before.to_vec();
        packages.push(at.inside.id.clone());
        let mut found = at.inside.named(rest);
        if let Some(of_type) = type_of(path) {
            found.extend(methods.iter().flat_map(|name| at.inside.methods_of(of_type, name)));
        }
        let mut visits = Vec::new();
        let mut paths = vec![rest.to_owned()];
        for _ in 0..EXPORTS {
            if !found.is_empty() {
                break;
            }
            paths = paths.iter().flat_map(|path| at.inside.exported(path)).collect();
            for path in &paths {
                let inner = at.inside.named(path);
                if inner.is_empty() {
                    visits.extend(self.functions_at(
                        &at.inside.id,
                        &at.inside.dependencies,
                        path,
                        methods,
                        &packages,
                        steps,
                    ));
                }
                found.extend(inner);
            }
        }
        found.sort_unstable();
        found.dedup();
        visits.extend(found.into_iter().map(|function| Visit {
            way: vec![at.inside.shown(function)],
            at: Arc::clone(&at),
            function,
            packages: packages.clone(),
        }));
        visits
    }

    /// Everything that the functions reach, as operations of call number `call`.
    fn follow(&self, call: u32, starts: Vec<Visit>, steps: &mut usize, found: &mut Vec<CrossCrateReach>) {
        let first = found.len();
        let mut numbers: HashMap<(PackageId, u32), u32> = HashMap::new();
        let mut flows = Vec::new();
        let mut seen: HashSet<(PackageId, u32)> = HashSet::new();
        let mut open: VecDeque<Visit> = starts.into();
        while let Some(visit) = open.pop_front().filter(|_| *steps > 0) {
            *steps -= 1;
            let id = &visit.at.inside.id;
            if seen.len() >= FUNCTIONS || !seen.insert((id.clone(), visit.function)) {
                continue;
            }
            for operation in visit.at.inside.operations(visit.function) {
                if found.len() - first >= OPERATIONS || found.len() >= ALL_OPERATIONS {
                    break;
                }
                let number = u32::try_from(found.len()).unwrap_or(u32::MAX);
                numbers.insert((id.clone(), operation.number), number);
                flows.extend(operation.flows.iter().map(|flow| (number, id.clone(), flow.clone())));
                found.push(CrossCrateReach {
                    call,
                    packages: visit.packages.clone(),
                    operation: operation.kind,
                    function: visit.at.inside.shown(visit.function),
                    way: visit.way.clone(),
                    seen: Some(Box::new(operation.seen.clone())),
                });
            }
            open.extend(self.next(&visit, steps));
        }
        for (into, id, flow) in flows {
            let from = flow.from.and_then(|from| numbers.get(&(id.clone(), from))).copied();
            if let Some(seen) = found.get_mut(into as usize).and_then(|it| it.seen.as_mut()) {
                seen.receives.push((flow.source, from, flow.transformations));
            }
        }
    }

    /// Functions that one calls, in its package and in others.
    fn next(&self, visit: &Visit, steps: &mut usize) -> Vec<Visit> {
        let inside = &visit.at.inside;
        let callees = self.callees(&visit.at).get(&visit.function).into_iter().flatten();
        let mut next: Vec<Visit> = callees
            .map(|function| Visit {
                at: Arc::clone(&visit.at),
                function: *function,
                packages: visit.packages.clone(),
                way: along(&visit.way, &[inside.shown(*function)]),
            })
            .collect();
        for path in inside.external(visit.function) {
            let mut further =
                self.functions_at(&inside.id, &inside.dependencies, path, &[], &visit.packages, steps);
            for it in &mut further {
                it.way = along(&visit.way, &it.way);
            }
            next.extend(further);
        }
        next
    }
}

/// Methods that each function of a package calls, by file and function.
fn methods(facts: &Facts) -> HashMap<(u32, Option<u32>), Vec<&str>> {
    let calls: &[Call] = facts.calls.as_ref().map_or(&[], |it| &it.calls);
    let mut methods: HashMap<_, Vec<&str>> = HashMap::new();
    for call in calls.iter().filter(|it| it.kind == CallKind::Method) {
        methods.entry((call.file, call.function)).or_default().push(&call.callee);
    }
    methods
}

/// Longest way that is told.
const WAY: usize = 30;

fn along(way: &[String], further: &[String]) -> Vec<String> {
    way.iter().chain(further).take(WAY).cloned().collect()
}

/// Packages of a lockfile.
#[derive(Debug, Default)]
pub(crate) struct LockedTree {
    packages: HashMap<PackageId, (Package, Vec<PackageId>)>,
}

impl LockedTree {
    pub(crate) fn new(lockfile: &Lockfile) -> LockedTree {
        let all = &lockfile.packages;
        let packages = all.iter().map(|it| {
            let locked = it.dependencies.iter().map(|at| all[*at].package.id.clone()).collect();
            (it.package.id.clone(), (it.package.clone(), locked))
        });
        LockedTree { packages: packages.collect() }
    }
}

/// Packages of a lockfile, read where the engine finds them.
pub(crate) struct LockedCrates<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) tree: &'a LockedTree,
}

impl Crates for LockedCrates<'_> {
    fn dependency(&self, of: &PackageId, dependency: &Dependency) -> Known<Option<Package>> {
        let name = dependency.package.as_deref().unwrap_or(&dependency.name);
        let requirement = dependency.requirement.as_deref().and_then(|it| VersionReq::parse(it).ok());
        let Some((_, locked)) = self.tree.packages.get(of) else {
            return Known::Unknown(format!("the lockfile does not say which `{name}` is built"));
        };
        let locked = locked.iter().filter_map(|it| Some(&self.tree.packages.get(it)?.0));
        let named: Vec<&Package> = locked.filter(|it| it.name == name).collect();
        let fits = |it: &&&Package| requirement.as_ref().is_none_or(|wanted| wanted.matches(&it.version));
        // A pre-release, or what `[patch]` put in its place, may not fit and is what is built all the same. What is not locked is
        // not built.
        Known::Known(named.iter().find(fits).or(named.first()).map(|it| (*it).clone()))
    }

    fn facts(&self, package: &Package, sections: &[Section]) -> Known<Box<Facts>> {
        self.engine.facts_of(package, sections)
    }
}
