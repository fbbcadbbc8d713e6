//! Compares the function paths of advisories with the crates that they are about.
//!
//! Some mistakes show in the advisory alone (generic arguments, another crate's name, ranges that contradict the fix); whether a function
//! exists takes a crate. Where no affected version of it is at hand, that is said and not taken for agreement.

use std::collections::BTreeSet;

use cratekeeper_advisories::Record;
use cratekeeper_model::graph::CallGraph;
use semver::{Comparator, Version, VersionReq};

use crate::reachability::in_ranges;
use crate::reachability::matching::{AffectedPath, FunctionTable, Match, Reading};

/// Where crates come from.
pub trait CrateSource {
    /// Versions of a crate that are at hand.
    fn versions(&mut self, name: &str) -> Vec<Version>;
    /// The call graph of one version; `None` when it cannot be made.
    fn call_graph(&mut self, name: &str, version: &Version) -> Option<CallGraph>;
}

/// What is wrong with a function path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It is no path.
    NotAPath,
    /// It has generic arguments.
    Generics,
    /// It begins with something that is not the crate's name.
    WrongCrate {
        /// The crate's name as paths print it.
        expected: String,
    },
    /// The crate has nothing of that path.
    NotFound {
        /// Version that was looked at.
        version: String,
        /// The path that looks most like it.
        nearest: Option<String>,
    },
    /// It is a type, a trait or a module.
    NotAFunction {
        /// What it is.
        what: &'static str,
    },
    /// Several functions fit.
    Ambiguous {
        /// How many.
        functions: usize,
    },
    /// Its ranges have a version that is patched or was never affected.
    RangeTooWide {
        /// Such a version.
        version: String,
    },
    /// No function's ranges have a version that the advisory affects.
    RangeTooNarrow {
        /// Such a version.
        version: String,
    },
}

/// A remark about an advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The advisory.
    pub advisory: String,
    /// Its package.
    pub package: String,
    /// The path as written.
    pub path: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What a lint found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linted {
    /// Advisories that name functions.
    pub advisories: usize,
    /// Those that were compared with a crate.
    pub compared: usize,
    /// Everything that is wrong, in the order of the database.
    pub remarks: Vec<Remark>,
}

/// Checks all advisories that name functions and stand.
pub fn lint<'a>(records: impl IntoIterator<Item = &'a Record>, source: &mut dyn CrateSource) -> Linted {
    let mut linted = Linted::default();
    for record in records {
        if record.advisory.functions.is_empty() || record.withdrawn.is_some() {
            continue;
        }
        linted.advisories += 1;
        let affected = |version: &Version| is_affected(record, version);
        let version = source.versions(&record.package).into_iter().filter(affected).max();
        let graph = version.and_then(|it| Some((source.call_graph(&record.package, &it)?, it)));
        linted.compared += usize::from(graph.is_some());
        let graph = graph.as_ref().map(|(graph, version)| (graph, version));
        linted.remarks.extend(remarks(record, graph));
    }
    linted
}

fn remarks(record: &Record, graph: Option<(&CallGraph, &Version)>) -> Vec<Remark> {
    let table = graph.map(|(graph, version)| {
        let paths: Vec<&str> = graph.functions.iter().map(|it| it.path.as_str()).collect();
        (FunctionTable::new(&graph.crate_name, &paths), paths, version)
    });
    let name = graph.map_or_else(|| record.package.replace('-', "_"), |(graph, _)| graph.crate_name.clone());
    let mut remarks = Vec::new();
    for function in &record.advisory.functions {
        let mut faults = BTreeSet::new();
        match AffectedPath::parse(&function.path) {
            None => drop(faults.insert(Fault::NotAPath)),
            Some(path) => {
                if path.has_generics {
                    faults.insert(Fault::Generics);
                }
                // Of `<T as Trait>::f` the type may be another crate's.
                if path.of_trait.is_none() && path.segments.first() != Some(&name) {
                    faults.insert(Fault::WrongCrate { expected: name.clone() });
                }
                if let Some((table, paths, version)) = &table
                    && in_ranges(&function.versions, version)
                {
                    faults.extend(against(table, paths, version, &path));
                }
            }
        }
        if let Some(version) = too_wide(record, &function.versions) {
            faults.insert(Fault::RangeTooWide { version: version.to_string() });
        }
        remarks.extend(faults.into_iter().map(|fault| remark(record, &function.path, fault)));
    }
    if let Some(version) = too_narrow(record) {
        let first = record.advisory.functions.first().map_or("", |it| it.path.as_str());
        remarks.push(remark(record, first, Fault::RangeTooNarrow { version: version.to_string() }));
    }
    remarks
}

fn remark(record: &Record, path: &str, fault: Fault) -> Remark {
    let advisory = record.advisory.id.clone();
    Remark { advisory, package: record.package.clone(), path: path.to_owned(), fault }
}

fn against(table: &FunctionTable, paths: &[&str], version: &Version, path: &AffectedPath) -> Option<Fault> {
    match table.find(path) {
        None => {
            let nearest =
                table.nearest(path).and_then(|it| paths.get(it as usize)).map(|it| (*it).to_owned());
            Some(Fault::NotFound { version: version.to_string(), nearest })
        }
        Some(Match { reading: reading @ (Reading::Type | Reading::Module), .. }) => {
            Some(Fault::NotAFunction { what: reading.as_str() })
        }
        Some(Match { reading: Reading::Ambiguous, functions }) => {
            Some(Fault::Ambiguous { functions: functions.len() })
        }
        Some(_) => None,
    }
}

fn is_affected(record: &Record, version: &Version) -> bool {
    let has = |requirements: &[String]| !requirements.is_empty() && in_ranges(requirements, version);
    !has(&record.advisory.patched) && !has(&record.unaffected)
}

/// A version that a function's ranges have and that is not affected.
fn too_wide(record: &Record, ranges: &[String]) -> Option<Version> {
    // No ranges say nothing.
    let claimed = |it: &Version| !ranges.is_empty() && in_ranges(ranges, it) && !is_affected(record, it);
    versions_to_try(record).into_iter().find(claimed)
}

/// A version that is affected and that no function's ranges have.
fn too_narrow(record: &Record) -> Option<Version> {
    let covered = |version: &Version| {
        record.advisory.functions.iter().any(|function| in_ranges(&function.versions, version))
    };
    versions_to_try(record).into_iter().find(|it| is_affected(record, it) && !covered(it))
}

/// Versions at which some requirement of the advisory may change its mind: those it names. Ranges that differ between two
/// of those only are not noticed.
fn versions_to_try(record: &Record) -> BTreeSet<Version> {
    let functions = record.advisory.functions.iter().flat_map(|it| &it.versions);
    let requirements = record.advisory.patched.iter().chain(&record.unaffected).chain(functions);
    let comparators = requirements.filter_map(|it| VersionReq::parse(it).ok()).flat_map(|it| it.comparators);
    comparators.map(|it| named(&it)).collect()
}

fn named(comparator: &Comparator) -> Version {
    Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use cratekeeper_advisories::Database;
    use cratekeeper_model::graph::{FunctionAttributes, FunctionNode};

    use super::*;

    struct OneCrate;

    impl CrateSource for OneCrate {
        fn versions(&mut self, name: &str) -> Vec<Version> {
            let versions = ["1.0.0", "1.2.0", "2.0.0"].map(|it| it.parse().unwrap());
            if name == "demo-crate" { versions.to_vec() } else { Vec::new() }
        }

        fn call_graph(&mut self, _: &str, version: &Version) -> Option<CallGraph> {
            assert_eq!(version.to_string(), "1.2.0", "the newest affected version is read");
            let paths = ["demo_crate::vec::Vector::grow", "demo_crate::one::f", "demo_crate::two::f"];
            let function = |path: &str| FunctionNode {
                path: path.to_owned(),
                target: 0,
                file: 0,
                line: 1,
                attributes: FunctionAttributes::default(),
                cfg: None,
            };
            let functions = paths.map(function).to_vec();
            Some(CallGraph { crate_name: "demo_crate".to_owned(), functions, ..CallGraph::default() })
        }
    }

    fn linted(package: &str, functions: &str) -> Linted {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("crates").join(package);
        std::fs::create_dir_all(&place).unwrap();
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-9001\"\npackage = \"{package}\"\ndate = \"2026-01-02\"\n\
             [affected.functions]\n{functions}\n[versions]\npatched = [\">= 2.0.0\"]\nunaffected = [\"< 1.0.0\"]\n```\n\n# Title\n\nText.\n"
        );
        std::fs::write(place.join("RUSTSEC-2026-9001.md"), text).unwrap();
        let (database, _) = Database::open(directory.path()).unwrap();
        assert!(database.load_all().is_empty(), "{:?}", database.load_all());
        lint(database.iter(), &mut OneCrate)
    }

    #[track_caller]
    fn check(function: &str, range: &str, expected: &[Fault]) {
        let linted = linted("demo-crate", &format!("\"{function}\" = [{range}]"));
        let faults: Vec<Fault> = linted.remarks.into_iter().map(|it| it.fault).collect();
        assert_eq!(faults, expected, "{function} {range}");
        assert_eq!((linted.advisories, linted.compared), (1, 1));
    }

    const RANGE: &str = "\">= 1.0.0, < 2.0.0\"";

    #[test]
    fn paths_that_are_right_are_not_remarked_on() {
        check("demo_crate::vec::Vector::grow", RANGE, &[]);
        check("demo_crate::Vector::grow", RANGE, &[]);
        check("demo_crate::one::f", RANGE, &[]);
    }

    #[test]
    fn paths_that_are_wrong_are() {
        let nearest = Some("demo_crate::vec::Vector::grow".to_owned());
        let not_found = |nearest| Fault::NotFound { version: "1.2.0".to_owned(), nearest };
        check("demo_crate::Vector::growl", RANGE, &[not_found(nearest)]);
        check("demo_crate::zzz", RANGE, &[not_found(None)]);
        check("demo_crate::Vector", RANGE, &[Fault::NotAFunction { what: "a type or trait" }]);
        check("demo_crate::vec", RANGE, &[Fault::NotAFunction { what: "a module" }]);
        check("demo_crate::f", RANGE, &[Fault::Ambiguous { functions: 2 }]);
        let other = Fault::WrongCrate { expected: "demo_crate".to_owned() };
        check("other::vec::Vector::grow", RANGE, &[other]);
    }

    #[test]
    fn ranges_are_compared_with_the_fix() {
        let too_wide = |version: &str| Fault::RangeTooWide { version: version.to_owned() };
        check("demo_crate::one::f", "\">= 1.0.0\"", &[too_wide("2.0.0")]);
        // Two requirements are "or", which a writer may have meant as "and".
        check("demo_crate::one::f", "\">= 1.0.0\", \"< 2.0.0\"", &[too_wide("2.0.0")]);
        let too_narrow = Fault::RangeTooNarrow { version: "1.0.0".to_owned() };
        check("demo_crate::one::f", "\"> 1.0.0, < 2.0.0\"", &[too_narrow]);
    }

    #[test]
    fn without_a_crate_nothing_is_compared() {
        let linted = linted("absent", "\"absent::f\" = [\">= 1.0.0, < 2.0.0\"]");
        assert_eq!((linted.advisories, linted.compared, linted.remarks.len()), (1, 0, 0));
    }
}
