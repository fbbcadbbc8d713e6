//! Questions, on ecosystems small enough to see the answer.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use cratekeeper_graph::{CertaintyLevel, EdgeOptions, Filter, Graph, Limits, Pattern, Search, StepKind};
use cratekeeper_model::graph::{Certainty, EdgeKind};

use support::{Fixture, names, nodes, version_id};

fn only(weakest: Certainty) -> Filter {
    Filter { weakest, ..Filter::default() }
}

fn callers(graph: &Graph, of: &str, limits: &Limits) -> Vec<String> {
    let reached = graph.callers(&nodes(graph, of), limits).unwrap().reached;
    names(graph, reached.into_iter().filter(|it| it.distance > 0).map(|it| it.node))
}

/// `app` calls through `middle` into `base`, whose `danger` is what matters.
fn chain() -> (Fixture, Graph) {
    let mut fixture = Fixture::new(&[
        (
            "base@1.0.0",
            "fn danger unsafe\nfn safe\nfn sys foreign\ndanger -> sys ffi unsafe\nsafe -> std::mem::swap",
        ),
        (
            "middle@2.0.0",
            "fn both\nfn maybe\nfn clean\nboth -> base::danger typed\nmaybe -> base::danger name\nclean -> base::safe",
        ),
        (
            "app@0.1.0",
            "fn main\nfn quiet\nfn check test\nmain -> middle::both\nquiet -> middle::maybe\ncheck -> base::danger",
        ),
        ("bystander@0.1.0", "fn main\nmain -> middle::clean"),
        ("tester@0.1.0", "fn main"),
    ]);
    let graph = fixture.link(
        "base",
        "base@1.0.0\nmiddle@2.0.0 base@1.0.0\napp@0.1.0 middle@2.0.0 base@1.0.0\nbystander@0.1.0 middle@2.0.0\n\
         tester@0.1.0 dev:app@0.1.0",
    );
    (fixture, graph)
}

#[test]
fn callers_are_found_step_by_step() {
    let (_fixture, graph) = chain();
    let limits = |depth| Limits { depth, ..Limits::default() };
    assert_eq!(
        callers(&graph, "base::danger", &limits(1)),
        ["app@0.1.0::check", "middle@2.0.0::both", "middle@2.0.0::maybe"]
    );
    assert!(graph.callers(&nodes(&graph, "base::danger"), &limits(1)).unwrap().deeper);
    let all = graph.callers(&nodes(&graph, "base::danger"), &limits(9)).unwrap();
    assert_eq!((all.reached.len(), all.links.len(), all.deeper, all.truncated), (6, 5, false, false));
    let sure = Limits { filter: Filter { tests: false, ..only(Certainty::Typed) }, ..limits(9) };
    assert_eq!(callers(&graph, "base::danger", &sure), ["app@0.1.0::main", "middle@2.0.0::both"]);
    let few = Limits { nodes: 2, ..limits(9) };
    assert!(graph.callers(&nodes(&graph, "base::danger"), &few).unwrap().truncated);
    assert_eq!(callers(&graph, "std::mem::swap", &limits(1)), ["base@1.0.0::safe"]);
}

#[test]
fn the_surest_of_the_shortest_paths_comes_first() {
    let mut fixture = Fixture::new(&[(
        "a@1.0.0",
        "fn from\nfn x\nfn y\nfn z\nfn to\nfrom -> x name\nx -> to\nfrom -> y typed\ny -> to typed\n\
         from -> z\nz -> y\nx -> from\nto -> from\nfrom -> from",
    )]);
    let graph = fixture.link("base", "a@1.0.0");
    let (from, to) = (nodes(&graph, "a::from"), nodes(&graph, "a::to"));
    let paths = graph.paths(&from, &to, 10, 20, Filter::default()).unwrap();
    let shown: Vec<String> = paths
        .routes
        .iter()
        .map(|route| {
            let steps = route.steps.iter().map(|it| {
                format!("{} {} {}", graph.path(it.callee).unwrap(), it.certainty.as_str(), it.line.unwrap())
            });
            steps.collect::<Vec<_>>().join(", ")
        })
        .collect();
    assert_eq!(
        shown,
        [
            "a::y typed 8, a::to typed 9",
            "a::x name 6, a::to exact 7",
            "a::z exact 10, a::y exact 11, a::to typed 9"
        ]
    );
    assert!(!paths.truncated);
    let one = graph.paths(&from, &to, 1, 20, Filter::default()).unwrap();
    assert_eq!(one.routes, paths.routes[..1]);
    assert_eq!(graph.paths(&from, &to, 9, 20, only(Certainty::Exact)).unwrap().routes, []);
    let short = graph.paths(&from, &to, 9, 1, Filter::default()).unwrap();
    assert!(short.routes.is_empty() && short.truncated, "a limit is not the same as no path");
    assert_eq!(graph.paths(&to, &to, 1, 20, Filter::default()).unwrap().routes[0].steps, []);
}

#[test]
fn a_trait_method_may_run_its_implementations() {
    let mut fixture = Fixture::new(&[
        ("traits@1.0.0", "fn traits::Trait::f\nfn run\nrun -> traits::Trait::f trait candidate"),
        (
            "user@1.0.0",
            "fn <user::T~as~traits::Trait>::f\nfn danger\n<user::T~as~traits::Trait>::f -> danger\n\
             traits::Trait::f => <user::T~as~traits::Trait>::f\nstd::fmt::Display::fmt => <user::T~as~traits::Trait>::f",
        ),
    ]);
    let graph = fixture.link("base", "traits@1.0.0\nuser@1.0.0 traits@1.0.0");
    let (run, danger) = (nodes(&graph, "traits::run"), nodes(&graph, "user::danger"));
    let route = graph.paths(&run, &danger, 1, 20, Filter::default()).unwrap().routes.remove(0);
    let kinds: Vec<_> = route.steps.iter().map(|it| (it.step, it.kind, it.certainty)).collect();
    assert_eq!(
        kinds,
        [
            (StepKind::Call, EdgeKind::Trait, Certainty::Candidate),
            (StepKind::Implementation, EdgeKind::Trait, Certainty::Candidate),
            (StepKind::Call, EdgeKind::Call, Certainty::Exact)
        ]
    );
    let at_all = graph.reached_from(&danger, Filter::default()).unwrap();
    assert!(at_all.contains(run[0]));
    assert!(at_all.contains(nodes(&graph, "std::fmt::Display::fmt")[0]), "methods of std are nodes as well");
    let typed = graph.reached_from(&danger, only(Certainty::Typed)).unwrap();
    assert!(!typed.contains(run[0]), "such a step is a candidate");
    let without = Filter { implementations: false, ..Filter::default() };
    assert!(graph.paths(&run, &danger, 1, 20, without).unwrap().routes.is_empty());
}

#[test]
fn a_blast_is_told_by_dependency_and_by_certainty_of_calls() {
    let (_fixture, graph) = chain();
    let target = graph.blast_target(&Pattern::parse("base@1::danger").unwrap()).unwrap();
    assert_eq!(target.versions, [version_id(&graph, "base@1")]);
    let blast = graph.blast(&target, Filter::default(), 100).unwrap();
    let versions: Vec<u64> = blast.by_dependency.iter().map(|it| it.versions).collect();
    assert_eq!(versions, [1, 2, 2], "tests of others' dependents are where it ends");
    let total = |it: &CertaintyLevel| (it.certainty.as_str(), it.total.functions, it.total.versions);
    let totals: Vec<_> = blast.by_call.iter().map(total).collect();
    assert_eq!(totals, [("exact", 1, 1), ("typed", 3, 2), ("candidate", 3, 2), ("name", 5, 2)]);
    let hit =
        |name: &str| *blast.hit.iter().find(|it| graph.version(it.version).unwrap().package == name).unwrap();
    assert_eq!(hit("middle").call.unwrap().certainty, Certainty::Typed);
    assert_eq!(
        (hit("app").call.unwrap().certainty, hit("app").call.unwrap().distance),
        (Certainty::Exact, 1)
    );
    assert_eq!((hit("bystander").call, hit("bystander").dependency_distance), (None, Some(2)));
    assert_eq!(hit("tester").dependency_distance, Some(2));
    let listed = graph.blast(&target, Filter::default(), 1).unwrap();
    assert!(listed.truncated && listed.hit.len() == 1 && listed.by_call == blast.by_call);
    let gone = graph.blast_target(&Pattern::parse("base@1::gone").unwrap()).unwrap();
    let blast = graph.blast(&gone, Filter::default(), 9).unwrap();
    assert_eq!(blast.by_call[3].total.functions, 0, "a function that is not there is not all functions");
    let whole = graph.blast_target(&Pattern::parse("base").unwrap()).unwrap();
    assert_eq!(graph.blast(&whole, Filter::default(), 9).unwrap().by_call[0].total.versions, 3);
    let without_tests = Filter { tests: false, ..Filter::default() };
    let blast = graph.blast(&target, without_tests, 100).unwrap();
    assert_eq!(blast.by_call[0].total.functions, 0);
}

#[test]
fn unsafe_code_is_counted_where_it_is_and_where_it_is_reached() {
    let (_fixture, graph) = chain();
    let usage = graph.unsafe_usage(only(Certainty::Typed)).unwrap();
    let row = |name: &str| {
        let it = usage.iter().find(|it| graph.version(it.version).unwrap().package == name).unwrap();
        (it.functions, it.with_unsafe, it.reaching_unsafe, it.calls_in_unsafe)
    };
    assert_eq!(row("base"), (3, 1, 1, 1));
    assert_eq!(row("middle"), (3, 0, 1, 0));
    assert_eq!(row("app"), (3, 0, 2, 0));
    assert_eq!(row("bystander"), (1, 0, 0, 0));
    let foreign = graph.foreign_functions(Filter::default(), 10).unwrap();
    assert_eq!(names(&graph, foreign.functions.iter().map(|it| it.node)), ["base@1.0.0::sys"]);
    assert_eq!(names(&graph, foreign.functions[0].callers.clone()), ["base@1.0.0::danger"]);
    let statistics = graph.statistics().unwrap();
    assert_eq!((statistics.functions, statistics.phantoms, statistics.edges), (11, 1, 9));
    assert_eq!((statistics.leaving_edges, statistics.edges_to_phantoms), (8, 1));
}

#[test]
fn every_call_is_listed_with_and_without_versions() {
    let (_fixture, graph) = chain();
    let callers = Some(vec![version_id(&graph, "base")]);
    let lines = |with_versions| -> Vec<String> {
        let edges = graph
            .edges(&EdgeOptions { callers: callers.clone(), with_versions, ..EdgeOptions::default() })
            .unwrap();
        edges
            .map(Result::unwrap)
            .map(|it| format!("{} {} {} {}:{}", it.caller, it.callee, it.kind.as_str(), it.file, it.line))
            .collect()
    };
    assert_eq!(
        lines(false),
        ["base::danger base::sys ffi src/lib.rs:4", "base::safe std::mem::swap call src/lib.rs:5"]
    );
    assert_eq!(lines(true)[0], "base@1.0.0::danger base@1.0.0::sys ffi src/lib.rs:4");
    assert_eq!(lines(true)[1], "base@1.0.0::safe std::mem::swap call src/lib.rs:5");
    assert_eq!(graph.edges(&EdgeOptions::default()).unwrap().count() as u64, graph.edge_count());
}

#[test]
fn a_diff_names_what_was_gained_and_lost() {
    let mut fixture = Fixture::new(&[
        ("a@1.0.0", "fn f\nfn g\nf -> g\ng -> std::x"),
        ("a@1.1.0", "fn f\nfn h\nf -> h\nf -> std::x\nf -> std::x"),
    ]);
    let graph = fixture.link("base", "a@1.0.0\na@1.1.0");
    let diff = graph.diff(version_id(&graph, "a@1.0.0"), version_id(&graph, "a@1.1.0")).unwrap();
    assert_eq!(diff.functions_gained, ["a::h"]);
    assert_eq!(diff.functions_lost, ["a::g"]);
    let edges = |edges: &[cratekeeper_graph::DiffEdge]| -> Vec<String> {
        edges.iter().map(|it| format!("{} {}", it.caller, it.callee)).collect()
    };
    assert_eq!(edges(&diff.edges_gained), ["a::f a::h", "a::f std::x"]);
    assert_eq!(edges(&diff.edges_lost), ["a::f a::g", "a::g std::x"]);
}

#[test]
fn dependents_duplicates_and_latest_versions() {
    let mut fixture = Fixture::new(&[
        ("a@1.0.0", "fn f"),
        ("a@2.0.0-rc.1", "fn f"),
        ("b@1.0.0", "fn f"),
        ("b@1.1.0", "fn f"),
        ("c@1.0.0", "fn f"),
        ("d@1.0.0", "fn f"),
    ]);
    let graph = fixture.link(
        "base",
        "a@1.0.0\na@2.0.0-rc.1\nb@1.0.0 a@1.0.0\nb@1.1.0 a@1.0.0\nc@1.0.0 b@1.1.0\nd@1.0.0 dev:a@1.0.0",
    );
    let found = graph.dependents(&[version_id(&graph, "a@1.0.0")]).unwrap();
    assert_eq!((found.direct.len(), found.direct_packages), (3, 2));
    assert_eq!((found.transitive.len(), found.transitive_packages), (4, 3));
    assert_eq!(found.levels.iter().map(|it| it.versions).collect::<Vec<_>>(), [1, 3, 1]);
    let top = |top: Vec<cratekeeper_graph::TopDependents>| -> Vec<(String, u64, u64)> {
        top.into_iter().map(|it| (it.package, it.versions, it.packages)).collect()
    };
    assert_eq!(
        top(graph.top_by_direct_dependents(9).unwrap()),
        [("a".to_owned(), 3, 2), ("b".to_owned(), 1, 1)]
    );
    assert_eq!(
        top(graph.top_by_transitive_dependents(1).unwrap()),
        [("a".to_owned(), 3, 2)],
        "dependencies of tests are left out"
    );
    let latest: Vec<String> =
        graph.latest_versions().unwrap().iter().map(|it| graph.version(*it).unwrap().version).collect();
    assert_eq!(latest, ["1.0.0", "1.1.0", "1.0.0", "1.0.0"]);
    let duplicates = graph.duplicates().unwrap();
    assert_eq!(duplicates.iter().map(|it| it.package.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let found = graph.search_versions("b@", 9).unwrap();
    assert_eq!(found.len(), 2);
}

#[test]
fn dependents_are_walked_through_even_if_their_tests_depend_too() {
    let mut fixture = Fixture::new(&[("a@1.0.0", ""), ("b@1.0.0", ""), ("x@1.0.0", ""), ("y@1.0.0", "")]);
    let graph =
        fixture.link("base", "a@1.0.0\nb@1.0.0 a@1.0.0\nx@1.0.0 dev:a@1.0.0 b@1.0.0\ny@1.0.0 x@1.0.0");
    let found = graph.dependents(&[version_id(&graph, "a")]).unwrap();
    assert_eq!(found.levels.iter().map(|it| it.versions).collect::<Vec<_>>(), [1, 2, 0, 1]);
    assert_eq!(found.transitive.len(), 3);
}

#[test]
fn cyclic_dependencies_end() {
    let mut fixture = Fixture::new(&[("a@1.0.0", ""), ("b@1.0.0", ""), ("c@1.0.0", "")]);
    let graph = fixture.link("base", "a@1.0.0 c@1.0.0\nb@1.0.0 a@1.0.0\nc@1.0.0 b@1.0.0");
    let top = graph.top_by_transitive_dependents(9).unwrap();
    assert_eq!(top.iter().map(|it| it.versions).collect::<Vec<_>>(), [2, 2, 2]);
    assert_eq!(graph.dependents(&[version_id(&graph, "a")]).unwrap().transitive.len(), 2);
}

#[test]
fn patterns_say_which_functions_are_meant() {
    let mut fixture = Fixture::new(&[
        ("a-b@1.0.0", "fn m\nfn a_b::m::f\nfn a_b::T::f\nm -> std::m::f"),
        ("a-b@1.5.0", "fn m\nfn a_b::m::f"),
        ("c@2.0.0", "fn <c::T~as~a_b::Trait>::f"),
    ]);
    let graph = fixture.link("base", "a-b@1.0.0\na-b@1.5.0\nc@2.0.0 a-b@1.0.0");
    let found = |pattern| names(&graph, nodes(&graph, pattern));
    assert_eq!(found("a_b::m::f"), ["a_b@1.0.0::m::f", "a_b@1.5.0::m::f"]);
    assert_eq!(found("a-b@1.0.0::m::f"), ["a_b@1.0.0::m::f"]);
    assert_eq!(found("a-b@1::m::f").len(), 2);
    assert_eq!(found("a_b@>1.0, <2::m::f"), ["a_b@1.5.0::m::f"]);
    assert_eq!(found("a-b@1.5").len(), 2, "all functions of a crate");
    assert_eq!(found("a_b@1.0.0::*::f"), ["a_b@1.0.0::T::f", "a_b@1.0.0::m::f"]);
    assert_eq!(found("<c@2::T as a_b::Trait>::f"), ["<c@2.0.0::T as a_b::Trait>::f"]);
    assert_eq!(found("::m::f"), ["a_b@1.0.0::m::f", "a_b@1.5.0::m::f", "std::m::f"]);
    assert_eq!(found("/^<c.*f$/").len(), 1);
    assert_eq!(found("b::m::f"), [""; 0], "a path is not a part of a path");
    assert_eq!(found("m::f"), [""; 0]);
    let few = graph.find(&Pattern::parse("*").unwrap(), 3).unwrap();
    assert!(few.truncated && few.nodes.len() == 3);
    let paths = |search| -> Vec<String> {
        graph.search(search, 10).unwrap().paths.into_iter().map(|it| it.0).collect()
    };
    assert_eq!(paths(Search::Prefix("a_b::m")), ["a_b::m", "a_b::m::f"]);
    assert_eq!(paths(Search::Substring("T as a_b::")), ["<c::T as a_b::Trait>::f"]);
    assert_eq!(paths(Search::Regex("^std.*f$")), ["std::m::f"]);
    assert!(graph.search(Search::Prefix(""), 2).unwrap().truncated);
}

#[test]
fn calls_find_re_exported_crates_twins_and_the_right_one_of_two_versions() {
    let mut fixture = Fixture::new(&[
        ("inner@1.0.0", "fn f\nfn twin\nfn twin inactive"),
        ("inner@2.0.0", "fn f"),
        ("outer@1.0.0", "fn g"),
        // `inner` is called through a re-export of `outer`, so it is no dependency.
        ("user@1.0.0", "fn main\nmain -> inner::f\nmain -> inner::twin\nmain -> inner::gone"),
        ("both@1.0.0", "fn main\nmain -> inner::f"),
    ]);
    let graph = fixture.link(
        "base",
        "inner@1.0.0\ninner@2.0.0\nouter@1.0.0 inner@1.0.0\nuser@1.0.0 outer@1.0.0\nboth@1.0.0 inner@1.0.0 inner@2.0.0",
    );
    let callees = |of| {
        let limits = Limits { depth: 1, ..Limits::default() };
        let reached = graph.callees(&nodes(&graph, of), &limits).unwrap().reached;
        reached.into_iter().skip(1).map(|it| graph.function(it.node).unwrap()).collect::<Vec<_>>()
    };
    let of_user = callees("user::main");
    let version = |it: &cratekeeper_graph::Function| it.version.as_ref().map(|it| it.version.clone());
    let shown: Vec<_> =
        of_user.iter().map(|it| (it.path.as_str(), version(it), it.definition.is_some())).collect();
    let first = Some("1.0.0".to_owned());
    assert_eq!(
        shown,
        [
            ("inner::f", first.clone(), true),
            ("inner::twin", first.clone(), true),
            ("inner::gone", first, false)
        ],
        "of twins the active one; what is gone is looked for in the right version"
    );
    assert_eq!(version(&callees("both::main")[0]).unwrap(), "2.0.0");
}
