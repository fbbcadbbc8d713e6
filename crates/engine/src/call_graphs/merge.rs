//! The graphs of a package's targets as one, and packages in place of the numbers that reading uses for crates.

use std::collections::HashMap;

use cratekeeper_model::graph::{
    CallGraph, Callee, ExternalCrate, FunctionNode, UnresolvedCall, UnresolvedReason,
};

use super::FIRST;
use super::packages::{Unit, UnitDependency};

/// Adds another target.
pub(super) fn add_target(into: &mut CallGraph, other: CallGraph) {
    let functions = into.functions.len() as u32;
    let targets = into.targets.len() as u16;
    let files: Vec<u32> = other.files.iter().map(|file| position(&mut into.files, file)).collect();
    let externals: Vec<u32> = other.externals.iter().map(|it| position(&mut into.externals, it)).collect();
    let paths = add_paths(into, other.external_paths);
    let callee = |callee: Callee| match callee {
        Callee::Local(number) => Callee::Local(number + functions),
        Callee::External { krate, path } => {
            Callee::External { krate: externals[krate as usize], path: paths[path as usize] }
        }
    };
    into.targets.extend(other.targets);
    into.functions.extend(other.functions.into_iter().map(|mut function| {
        function.target += targets;
        function.file = files[function.file as usize];
        function
    }));
    into.edges.extend(other.edges.into_iter().map(|mut edge| {
        edge.caller += functions;
        edge.callee = callee(edge.callee);
        edge
    }));
    let implementations = other.implementations.into_iter();
    into.implementations.extend(implementations.map(|(of, by)| (callee(of), by + functions)));
    into.unresolved.extend(other.unresolved.into_iter().map(|mut call| {
        call.caller += functions;
        call
    }));
    add_problems(into, other.problems);
}

fn add_problems(into: &mut CallGraph, problems: Vec<String>) {
    for problem in problems {
        if !into.problems.contains(&problem) {
            into.problems.push(problem);
        }
    }
}

/// Adds paths of other crates, and returns the place of each.
fn add_paths(into: &mut CallGraph, paths: Vec<String>) -> Vec<u32> {
    let mut known: HashMap<String, u32> =
        into.external_paths.iter().enumerate().map(|(number, path)| (path.clone(), number as u32)).collect();
    let place = |path: String| {
        *known.entry(path).or_insert_with_key(|path| {
            into.external_paths.push(path.clone());
            into.external_paths.len() as u32 - 1
        })
    };
    paths.into_iter().map(place).collect()
}

/// Takes what `tests`, the same target as it is compiled for its unit tests, says of the functions that only tests have. All
/// others stay what they are in the build.
pub(super) fn take_unit_tests(into: &mut CallGraph, tests: CallGraph) {
    let place =
        |it: &FunctionNode, files: &[String]| (it.path.clone(), files[it.file as usize].clone(), it.line);
    let mut by_place: HashMap<(String, String, u32), u32> = HashMap::new();
    let mut by_path: HashMap<&str, u32> = HashMap::new();
    for (number, function) in into.functions.iter().enumerate() {
        by_place.entry(place(function, &into.files)).or_insert(number as u32);
        by_path.entry(&function.path).or_insert(number as u32);
    }
    let same = |it: &FunctionNode| {
        by_place.get(&place(it, &tests.files)).or_else(|| by_path.get(it.path.as_str())).copied()
    };
    let numbers: Vec<Option<u32>> = tests.functions.iter().map(same).collect();
    let mut is_taken = vec![false; into.functions.len()];
    for (function, number) in tests.functions.iter().zip(&numbers) {
        let Some(number) = *number else { continue };
        let known = &mut into.functions[number as usize];
        if known.attributes.test && function.attributes.test {
            known.attributes.active = function.attributes.active;
            is_taken[number as usize] = true;
        }
    }
    let taken = |caller: u32| numbers[caller as usize].filter(|it| is_taken[*it as usize]);
    into.edges.retain(|it| !is_taken[it.caller as usize]);
    into.unresolved.retain(|it| !is_taken[it.caller as usize]);
    let externals: Vec<u32> = tests.externals.iter().map(|it| position(&mut into.externals, it)).collect();
    let paths = add_paths(into, tests.external_paths);
    for mut edge in tests.edges {
        let Some(caller) = taken(edge.caller) else { continue };
        edge.caller = caller;
        edge.callee = match edge.callee {
            Callee::Local(number) => match numbers[number as usize] {
                Some(number) => Callee::Local(number),
                // Both readings list the same functions, unless one of them reached a limit.
                None => {
                    let callee = tests.functions[number as usize].path.clone();
                    let (line, reason) = (edge.line, UnresolvedReason::Limit);
                    into.unresolved.push(UnresolvedCall { caller, line, callee, reason });
                    continue;
                }
            },
            Callee::External { krate, path } => {
                Callee::External { krate: externals[krate as usize], path: paths[path as usize] }
            }
        };
        into.edges.push(edge);
    }
    into.edges.sort_by_key(|it| it.caller);
    into.unresolved.extend(tests.unresolved.into_iter().filter_map(|mut call| {
        call.caller = taken(call.caller)?;
        Some(call)
    }));
    add_problems(into, tests.problems);
}

fn position<T: PartialEq + Clone>(list: &mut Vec<T>, wanted: &T) -> u32 {
    if let Some(found) = list.iter().position(|it| it == wanted) {
        return found as u32;
    }
    list.push(wanted.clone());
    list.len() as u32 - 1
}

/// Gives every external crate its package. A target's calls of its own package's library become local.
pub(super) fn name_packages(graph: &mut CallGraph, unit: &Unit, units: &[Unit]) {
    // Calls name packages and versions, without the source.
    for (number, dependency) in unit.dependencies.iter().enumerate() {
        let package = &units[dependency.unit].package;
        let same = |other: &UnitDependency| {
            let other = &units[other.unit].package;
            other.name == package.name && other.version == package.version && other.id != package.id
        };
        if unit.dependencies[..number].iter().any(same) {
            let (name, version) = (&package.name, &package.version);
            graph
                .problems
                .push(format!("calls of `{name}` {version} may lead to the package of another source"));
        }
    }
    let mut own = None;
    for (number, external) in graph.externals.iter_mut().enumerate() {
        match external.package.parse::<u32>() {
            Ok(index) if index < FIRST => external.package.clone_from(&external.crate_name),
            Ok(index) => {
                let Some(package) = units.get((index - FIRST) as usize).map(|it| &it.package) else {
                    continue;
                };
                if package.id == unit.package.id {
                    own = Some(number as u32);
                }
                external.package.clone_from(&package.name);
                external.seen = Some(package.version.to_string());
            }
            // A crate that was not read: the name in code is all there is, unless the manifest renames it.
            Err(_) => *external = unread(external, unit, units),
        }
    }
    let Some(own) = own else { return };
    let mut by_path: HashMap<&str, u32> = HashMap::new();
    for (number, function) in graph.functions.iter().enumerate() {
        if function.target == 0 {
            by_path.entry(&function.path).or_insert(number as u32);
        }
    }
    let paths: Vec<Option<u32>> =
        graph.external_paths.iter().map(|path| by_path.get(path.as_str()).copied()).collect();
    let local = |callee: &mut Callee| {
        if let Callee::External { krate, path } = *callee
            && krate == own
            && let Some(number) = paths[path as usize]
        {
            *callee = Callee::Local(number);
        }
    };
    graph.edges.iter_mut().for_each(|edge| local(&mut edge.callee));
    graph.implementations.iter_mut().for_each(|(of, _)| local(of));
}

fn unread(external: &ExternalCrate, unit: &Unit, units: &[Unit]) -> ExternalCrate {
    let found = unit.dependencies.iter().find(|it| it.name == external.crate_name);
    let package = found.and_then(|it| units.get(it.unit)).map(|it| &it.package);
    ExternalCrate {
        package: package.map_or_else(|| external.crate_name.clone(), |it| it.name.clone()),
        seen: None,
        crate_name: external.crate_name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::DependencyKind;
    use cratekeeper_model::graph::{
        CallEdge, Certainty, EdgeKind, FunctionAttributes, GraphTarget, GraphTargetKind,
    };

    use super::super::packages::for_tests::{depend, unit};
    use super::*;

    /// A target with functions of these paths in one file, and calls `caller -> callee` by number or of `(external, path)`.
    fn target(kind: GraphTargetKind, file: &str, functions: &[&str], calls: &[(u32, Callee)]) -> CallGraph {
        let node = |path: &&str| FunctionNode {
            path: (*path).to_owned(),
            target: 0,
            file: 0,
            line: 1,
            attributes: FunctionAttributes::default(),
            cfg: None,
        };
        let edge = |&(caller, callee): &(u32, Callee)| CallEdge {
            caller,
            callee,
            kind: EdgeKind::Call,
            certainty: Certainty::Exact,
            line: 2,
            in_unsafe: false,
            active: true,
        };
        CallGraph {
            crate_name: "app".to_owned(),
            targets: vec![GraphTarget { kind, name: "app".to_owned() }],
            files: vec![file.to_owned()],
            functions: functions.iter().map(node).collect(),
            edges: calls.iter().map(edge).collect(),
            ..CallGraph::default()
        }
    }

    fn external(index: &str, crate_name: &str) -> ExternalCrate {
        ExternalCrate { package: index.to_owned(), seen: None, crate_name: crate_name.to_owned() }
    }

    fn outside(krate: u32, path: u32) -> Callee {
        Callee::External { krate, path }
    }

    /// The library of `app`, and its program, which calls the library, `base` and the standard library.
    fn library_and_program() -> CallGraph {
        let mut library = target(
            GraphTargetKind::Lib,
            "src/lib.rs",
            &["app::run", "app::Walk::step"],
            &[(0, Callee::Local(1)), (1, outside(0, 0))],
        );
        library.externals = vec![external("4", "base")];
        library.external_paths = vec!["base::danger".to_owned()];
        let mut program = target(
            GraphTargetKind::Bin,
            "src/main.rs",
            &["app::main", "app::run", "<app::Own as app::Walk>::step"],
            &[
                (0, outside(1, 0)),
                (0, outside(0, 1)),
                (1, Callee::Local(0)),
                (0, outside(2, 2)),
                (0, outside(1, 3)),
            ],
        );
        program.externals = vec![external("4", "base"), external("3", "app"), external("2", "std")];
        program.external_paths =
            ["app::run", "base::danger", "std::mem::swap", "app::not_there"].map(str::to_owned).to_vec();
        program.external_paths.push("app::Walk::step".to_owned());
        program.implementations = vec![(outside(1, 4), 2)];
        program.unresolved.push(UnresolvedCall {
            caller: 0,
            line: 3,
            callee: ".go".to_owned(),
            reason: UnresolvedReason::ReceiverUnknown,
        });
        add_target(&mut library, program);
        library
    }

    #[test]
    fn targets_keep_their_functions_files_and_calls_apart() {
        let graph = library_and_program();
        assert_eq!(graph.targets.len(), 2);
        assert_eq!(graph.files, ["src/lib.rs", "src/main.rs"]);
        let places: Vec<(u16, u32)> = graph.functions.iter().map(|it| (it.target, it.file)).collect();
        assert_eq!(places, [(0, 0), (0, 0), (1, 1), (1, 1), (1, 1)]);
        assert_eq!(graph.edges.iter().map(|it| it.caller).collect::<Vec<_>>(), [0, 1, 2, 2, 3, 2, 2]);
        assert_eq!(graph.edges[4].callee, Callee::Local(2), "of its own target, not of the library");
        assert_eq!(graph.edges[1].callee, graph.edges[3].callee, "one path and one crate for both targets");
        assert_eq!(graph.externals.len(), 3);
        assert_eq!(graph.external_paths.iter().filter(|it| *it == "base::danger").count(), 1);
        assert_eq!(graph.unresolved[0].caller, 2);
    }

    #[test]
    fn calls_of_the_own_library_are_local_and_other_crates_get_their_packages() {
        let mut units = vec![unit("app", "0.1.0"), unit("base", "1.2.3")];
        depend(&mut units, 0, 1, DependencyKind::Normal);
        let mut graph = library_and_program();
        name_packages(&mut graph, &units[0], &units);
        assert_eq!(graph.edges[2].callee, Callee::Local(0), "the library's `run`, not the program's");
        assert_eq!(graph.implementations, [(Callee::Local(1), 4)]);
        assert!(matches!(graph.edges[6].callee, Callee::External { .. }), "the library has no such function");
        let base = graph.externals.iter().find(|it| it.crate_name == "base").unwrap();
        assert_eq!((base.package.as_str(), base.seen.as_deref()), ("base", Some("1.2.3")));
        let std = graph.externals.iter().find(|it| it.crate_name == "std").unwrap();
        assert_eq!((std.package.as_str(), std.seen.as_deref()), ("std", None));
    }

    #[test]
    fn a_crate_that_was_not_read_has_the_name_of_its_package() {
        let mut units = vec![unit("app", "0.1.0"), unit("real-name", "1.0.0")];
        depend(&mut units, 0, 1, DependencyKind::Normal);
        units[0].dependencies[0].name = "renamed".to_owned();
        let mut graph = target(GraphTargetKind::Lib, "src/lib.rs", &["app::f"], &[(0, outside(0, 0))]);
        graph.externals = vec![external("renamed", "renamed"), external("unknown", "unknown")];
        graph.external_paths = vec!["renamed::g".to_owned()];
        name_packages(&mut graph, &units[0], &units);
        let names: Vec<&str> = graph.externals.iter().map(|it| it.package.as_str()).collect();
        assert_eq!(names, ["real-name", "unknown"]);
        // Numbers that stand for no package are left alone.
        graph.externals = vec![external("99", "far")];
        name_packages(&mut graph, &units[0], &units);
        assert_eq!(graph.externals[0].package, "99");
    }
    #[test]
    fn unit_tests_bring_their_calls_and_leave_the_rest() {
        let functions = ["app::run", "app::twin", "app::tests::works"];
        let mark = |graph: &mut CallGraph, active: bool| {
            graph.functions[2].attributes = FunctionAttributes { test: true, active, ..Default::default() };
        };
        let mut library = target(
            GraphTargetKind::Lib,
            "src/lib.rs",
            &functions,
            &[(0, Callee::Local(1)), (2, Callee::Local(0))],
        );
        mark(&mut library, false);
        library.unresolved.push(UnresolvedCall {
            caller: 2,
            line: 9,
            callee: "helper::assist".to_owned(),
            reason: UnresolvedReason::PathNotFound,
        });
        let mut tests = target(
            GraphTargetKind::Lib,
            "src/lib.rs",
            &functions,
            &[(0, outside(0, 0)), (2, Callee::Local(0)), (2, outside(0, 0))],
        );
        mark(&mut tests, true);
        tests.externals = vec![external("4", "helper")];
        tests.external_paths = vec!["helper::assist".to_owned()];
        take_unit_tests(&mut library, tests);
        let calls: Vec<(u32, Callee)> = library.edges.iter().map(|it| (it.caller, it.callee)).collect();
        assert_eq!(calls, [(0, Callee::Local(1)), (2, Callee::Local(0)), (2, outside(0, 0))]);
        assert!(library.functions[2].attributes.active);
        assert_eq!((library.unresolved.len(), library.functions.len()), (0, 3));
    }
}
