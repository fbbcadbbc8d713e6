//! Answers over small stores that are written as text, and that less knowledge never makes an answer more reassuring.

use cratekeeper_graph::{
    DependencyKinds, Graph, Reading, ResolvedDependency, ResolvedVersion, Store, StoreWriter, VersionEntry,
};
use cratekeeper_model::graph::{
    CallEdge, CallGraph, Callee, EdgeKind, ExternalCrate, FunctionAttributes, FunctionNode, GraphTarget,
    GraphTargetKind, UnresolvedReason,
};
use cratekeeper_model::{AdvisoryClass, EntryKind, PackageSource};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// One version: `# NAME@VERSION DEPENDENCY@VERSION …`, then lines of the form
///
/// - `fn PATH [in KIND] [public] [impl] [constant] [exported] [inactive] [test]`
/// - `CALLER -> CALLEE [CERTAINTY] [KIND] [inactive]`
/// - `METHOD => IMPLEMENTATION`
/// - `CALLER ? CALLEE REASON`
///
/// `~` stands for a space in paths. The line of a call is that of the text.
struct World {
    directory: TempDir,
    surroundings: Surroundings,
}

fn id(name: &str) -> PackageId {
    let (name, version) = name.split_once('@').unwrap();
    PackageId::new(&PackageSource::Unknown, name, &version.parse().unwrap())
}

impl World {
    /// The first version is the workspace's member.
    fn new(text: &str) -> World {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = StoreWriter::open(directory.path()).unwrap();
        let blocks: Vec<&str> = text.split("# ").skip(1).collect();
        let mut appender = writer.append();
        for block in &blocks {
            let (entry, graph) = version(block);
            appender.push(&entry, &graph).unwrap();
        }
        appender.commit().unwrap();
        let numbers = writer.store().numbers().unwrap();
        let versions = blocks.iter().map(|block| {
            let mut words = block.lines().next().unwrap().split_whitespace().filter(|it| *it != "partial");
            let number = numbers[words.next().unwrap()];
            let dependency =
                |it: &str| ResolvedDependency { version: numbers[it], kinds: DependencyKinds::NORMAL };
            ResolvedVersion { number, dependencies: words.map(dependency).collect() }
        });
        let resolution = cratekeeper_graph::Resolution { versions: versions.collect() };
        writer.write_resolution("t", &resolution).unwrap();
        writer.link("t").unwrap();
        let member = id(blocks[0].split_whitespace().next().unwrap());
        let surroundings =
            Surroundings { members: [(member, Some("/w/app".into()))].into(), ..Surroundings::default() };
        World { directory, surroundings }
    }

    fn ask(&self, functions: &[&str]) -> Reachability {
        self.ask_about("vuln@1.0.0", functions)
    }

    fn ask_about(&self, package: &str, functions: &[&str]) -> Reachability {
        let store = Store::open(self.directory.path()).unwrap();
        let graph: Graph = store.graph("t").unwrap();
        let analysis = Analysis::new(&store, &graph, &self.surroundings).unwrap();
        analysis.answer(&advisory(functions), &id(package)).unwrap()
    }
}

fn advisory(functions: &[&str]) -> Advisory {
    let function = |it: &&str| match it.split_once(' ') {
        Some((path, range)) => AffectedFunction { path: path.to_owned(), versions: vec![range.to_owned()] },
        None => AffectedFunction { path: (*it).to_owned(), versions: Vec::new() },
    };
    Advisory {
        id: "RUSTSEC-2099-0001".to_owned(),
        aliases: Vec::new(),
        date: "2099-01-01".to_owned(),
        title: "a title".to_owned(),
        class: AdvisoryClass::Vulnerability,
        severity: None,
        cvss: None,
        url: None,
        patched: Vec::new(),
        functions: functions.iter().map(function).collect(),
        os: Vec::new(),
        arch: Vec::new(),
    }
}

const KINDS: [GraphTargetKind; 5] = [
    GraphTargetKind::Lib,
    GraphTargetKind::ProcMacro,
    GraphTargetKind::Bin,
    GraphTargetKind::BuildScript,
    GraphTargetKind::Test,
];

fn version(block: &str) -> (VersionEntry, CallGraph) {
    let mut lines = block.lines();
    let head = lines.next().unwrap();
    let (package, number) = head.split_whitespace().next().unwrap().split_once('@').unwrap();
    let crate_name = package.replace('-', "_");
    let mut graph = CallGraph {
        targets: KINDS.map(|kind| GraphTarget { kind, name: crate_name.clone() }).to_vec(),
        files: vec!["src/lib.rs".to_owned()],
        crate_name,
        ..CallGraph::default()
    };
    let lines: Vec<(u32, Vec<&str>)> =
        (2..).zip(lines).map(|(at, it)| (at, it.split_whitespace().collect())).collect();
    for (line, words) in &lines {
        if let ["fn", path, rest @ ..] = words.as_slice() {
            graph.functions.push(function(path, *line, rest));
        }
    }
    for (line, words) in &lines {
        match words.as_slice() {
            [caller, "->", callee, rest @ ..] => {
                let caller = local(&mut graph, caller);
                let callee = callee_of(&mut graph, callee);
                let certainty = Certainty::ALL.into_iter().find(|it| rest.contains(&it.as_str()));
                graph.edges.push(CallEdge {
                    caller,
                    callee,
                    kind: EdgeKind::Call,
                    certainty: certainty.unwrap_or(Certainty::Exact),
                    line: *line,
                    in_unsafe: false,
                    active: !rest.contains(&"inactive"),
                });
            }
            [method, "=>", implementation] => {
                let method = callee_of(&mut graph, method);
                let implementation = local(&mut graph, implementation);
                graph.implementations.push((method, implementation));
            }
            [caller, "?", callee, reason] => {
                let caller = local(&mut graph, caller);
                let reason = UnresolvedReason::ALL.into_iter().find(|it| it.as_str() == *reason).unwrap();
                let callee = (*callee).to_owned();
                graph.unresolved.push(UnresolvedCall { caller, line: *line, callee, reason });
            }
            _ => {}
        }
    }
    graph.edges.sort_by_key(|it| it.caller);
    let mut entry =
        VersionEntry::new(id(&format!("{package}@{number}")), package.to_owned(), number.parse().unwrap());
    if head.contains(" partial") {
        entry.reading = Reading::Partial;
    }
    (entry, graph)
}

fn function(path: &str, line: u32, words: &[&str]) -> FunctionNode {
    let target = match words {
        ["in", "proc", ..] => 1,
        ["in", "bin", ..] => 2,
        ["in", "build", ..] => 3,
        ["in", "test", ..] => 4,
        _ => 0,
    };
    let has = |word| words.contains(&word);
    FunctionNode {
        path: path.replace('~', " "),
        target,
        file: 0,
        line,
        attributes: FunctionAttributes {
            public: has("public"),
            in_trait_impl: has("impl"),
            constant: has("constant"),
            exported_to_linker: has("exported"),
            active: !has("inactive"),
            test: has("test"),
            has_body: true,
            ..FunctionAttributes::default()
        },
        cfg: None,
    }
}

fn local(graph: &mut CallGraph, path: &str) -> u32 {
    match callee_of(graph, path) {
        Callee::Local(it) => it,
        Callee::External { .. } => panic!("{path} is not here"),
    }
}

fn callee_of(graph: &mut CallGraph, path: &str) -> Callee {
    let path = path.replace('~', " ");
    if let Some(at) = graph.functions.iter().position(|it| it.path == path) {
        return Callee::Local(at as u32);
    }
    let crate_name = path.trim_start_matches('<').split("::").next().unwrap().to_owned();
    let external = ExternalCrate { package: crate_name.replace('_', "-"), seen: None, crate_name };
    let krate = graph.externals.iter().position(|it| *it == external).unwrap_or_else(|| {
        graph.externals.push(external);
        graph.externals.len() - 1
    });
    graph.external_paths.push(path);
    Callee::External { krate: krate as u32, path: graph.external_paths.len() as u32 - 1 }
}

/// A program, a library between, and the affected crate; `EDGE` is what varies.
const CHAIN: &str = "\
# app@0.1.0 middle@1.0.0
fn app::main in bin
app::main -> middle::work
# middle@1.0.0 vuln@1.0.0
fn middle::work public
fn middle::idle public
middle::idle -> vuln::Parser::decode
EDGE
# vuln@1.0.0
fn vuln::Parser::decode public
fn vuln::Parser::encode public
";

#[track_caller]
fn check(text: &str, functions: &[&str], expected: ReachabilityAnswer) -> Reachability {
    let answer = World::new(text).ask(functions);
    assert_eq!(answer.answer, expected, "{answer:#?}\n{text}");
    let lists = (answer.assumptions.is_empty(), answer.reasons.is_empty());
    match expected {
        Reachable => assert!(!answer.paths.is_empty() && lists == (true, true)),
        NotReachable => assert!(answer.absence.is_some() && lists == (false, true)),
        Unknown => assert_eq!(lists, (true, false)),
    }
    answer
}

use ReachabilityAnswer::{NotReachable, Reachable, Unknown};

const DECODE: &[&str] = &["vuln::Parser::decode"];

#[track_caller]
fn chain(edge: &str, expected: ReachabilityAnswer) -> Reachability {
    check(&CHAIN.replace("EDGE", edge), DECODE, expected)
}

#[test]
fn a_way_of_certain_calls_is_reachable_and_is_shown() {
    let answer = chain("middle::work -> vuln::Parser::decode typed", Reachable);
    let [way] = &answer.paths[..] else { panic!("{answer:#?}") };
    assert_eq!((way.certainty, way.entry), (Certainty::Typed, EntryKind::Normal));
    let functions: Vec<&str> = way.steps.iter().map(|it| it.function.as_str()).collect();
    assert_eq!(functions, ["app@0.1.0::main", "middle@1.0.0::work", "vuln@1.0.0::Parser::decode"]);
    let [main, work, decode] = &way.steps[..] else { panic!() };
    assert_eq!((main.is_local, main.file.as_deref(), main.line), (true, Some("/w/app/src/lib.rs"), Some(2)));
    assert_eq!(main.call, None);
    assert_eq!((work.is_local, work.file.as_deref()), (false, Some("src/lib.rs")));
    assert_eq!(work.call.unwrap().line, Some(3));
    assert_eq!(decode.call.unwrap().certainty, Certainty::Typed);
}

#[test]
fn a_shorter_way_that_is_less_sure_is_shown_beside_the_surer_one() {
    let text =
        CHAIN.replace("EDGE", "middle::work -> middle::idle\nmiddle::work -> vuln::Parser::decode typed");
    let answer = check(&text, DECODE, Reachable);
    let ways: Vec<_> = answer.paths.iter().map(|it| (it.certainty, it.steps.len())).collect();
    assert_eq!(ways, [(Certainty::Exact, 4), (Certainty::Typed, 3)]);
}

#[test]
fn what_nothing_calls_is_not_reachable() {
    let answer = chain("", NotReachable);
    assert_eq!(answer.absence, Some(Absence::NotCalled));
    assert!(answer.assumptions.iter().any(|it| it.contains("tests")), "{answer:#?}");
}

#[test]
fn guessed_calls_are_unknown() {
    for certainty in ["candidate", "name"] {
        let answer = chain(&format!("middle::work -> vuln::Parser::decode {certainty}"), Unknown);
        assert_eq!(answer.paths.len(), 1, "{answer:#?}");
    }
    // Another build may have it: this one was read for one platform, without what build scripts switch on.
    chain("middle::work -> vuln::Parser::decode inactive", Unknown);
}

#[test]
fn a_method_that_may_run_any_implementation_is_unknown() {
    let text = "\
# app@0.1.0 vuln@1.0.0
fn app::main in bin
app::main -> vuln::Codec::decode
# vuln@1.0.0
fn vuln::Codec::decode public
fn <vuln::Json~as~vuln::Codec>::decode impl
vuln::Codec::decode => <vuln::Json~as~vuln::Codec>::decode
";
    check(text, &["vuln::Json::decode"], Unknown);
    // The trait's own method is what is called.
    check(text, &["vuln::Codec::decode"], Reachable);
}

#[test]
fn calls_without_known_callee_count_where_they_could_lead_there() {
    for (gap, expected) in [
        ("middle::work ? .decode receiver_unknown", Unknown),
        ("middle::work ? .decode method_not_found", Unknown),
        ("middle::work ? Parser::decode path_not_found", Unknown),
        ("middle::work ? .idle receiver_unknown", Unknown),
        ("middle::work ? .decode_all receiver_unknown", NotReachable),
        ("middle::work ? .encode receiver_unknown", NotReachable),
        ("middle::work ? parse macro", Unknown),
        ("middle::work ? other::f crate_not_read", Unknown),
        ("middle::work ? .f limit", Unknown),
        ("middle::work ? (self.f) value", NotReachable),
        // Nobody runs this one.
        ("middle::idle ? parse macro", NotReachable),
    ] {
        chain(gap, expected);
    }
}

#[test]
fn a_macro_in_a_crate_that_cannot_name_the_function_leads_elsewhere() {
    let text = |from: &str| {
        format!(
            "# app@0.1.0 vuln@1.0.0 other@1.0.0\nfn app::main in bin\napp::main -> other::f\n{from}\n\
             # other@1.0.0\nfn other::f public\nother::f ? opaque macro\n# vuln@1.0.0\nfn vuln::g public\n"
        )
    };
    check(&text(""), &["vuln::g"], NotReachable);
    check(&text("app::main ? opaque macro"), &["vuln::g"], Unknown);
}

#[test]
fn statics_and_callbacks_of_compiled_crates_are_unknown() {
    let with = |function: &str, call: &str| {
        format!(
            "fn middle::work2\nfn {function}\n{} -> vuln::Parser::decode {call}",
            function.split(' ').next().unwrap()
        )
    };
    chain(&with("middle::TABLE constant", ""), Unknown);
    chain(&with("middle::callback exported", ""), Unknown);
    chain(&with("<middle::T~as~core::fmt::Display>::fmt impl", ""), Unknown);
    // Calls of a crate's own traits are seen.
    chain(&with("<middle::T~as~middle::Own>::run impl", ""), NotReachable);
    // No function of the crate runs, but a value of its types needs none.
    let idle =
        CHAIN.replace("app::main -> middle::work", "").replace("EDGE", &with("middle::TABLE constant", ""));
    check(&idle, DECODE, Unknown);
}

#[test]
fn calls_that_are_not_understood_may_follow_each_other() {
    let text = |first: &str, second: &str| {
        let gaps =
            format!("middle::idle2 ? .decode {second}\nmiddle::work ? .idle2 {first}\nfn middle::idle2");
        CHAIN.replace("EDGE", &gaps)
    };
    check(&text("receiver_unknown", "receiver_unknown"), DECODE, Unknown);
    check(&text("receiver_unknown", "value"), DECODE, NotReachable);
}

#[test]
fn a_method_of_the_same_name_in_a_crate_that_cannot_name_it_leads_elsewhere() {
    let text = "# app@0.1.0 vuln@1.0.0 other@1.0.0\nfn app::main in bin\napp::main -> other::f\n\
                # other@1.0.0\nfn other::f public\nother::f ? .g receiver_unknown\n# vuln@1.0.0\nfn vuln::T::g public\n";
    check(text, &["vuln::T::g"], NotReachable);
}

#[test]
fn functions_that_were_not_found_are_unknown() {
    let text = CHAIN.replace("EDGE", "");
    let answer = check(&text, &["vuln::Parser::missing"], Unknown);
    assert!(answer.reasons[0].contains("`vuln::Parser::missing` was not found in 1.0.0"), "{answer:#?}");
    // One that is found and not called does not settle it.
    check(&text, &["vuln::Parser::decode", "vuln::Parser::missing"], Unknown);
    // One that is called does.
    let called = CHAIN.replace("EDGE", "middle::work -> vuln::Parser::decode");
    check(&called, &["vuln::Parser::decode", "vuln::Parser::missing"], Reachable);
}

#[test]
fn code_that_was_not_found_or_not_read_is_unknown() {
    let phantom = chain("middle::work -> middle::made_by_a_macro", Unknown);
    assert!(phantom.reasons[0].contains("middle::made_by_a_macro"), "{phantom:#?}");
    chain("middle::work -> std::fs::read", NotReachable);
    chain("middle::work -> absent::f", Unknown);
    let text = CHAIN.replace("EDGE", "");
    check(&text.replace("# middle@1.0.0 ", "# middle@1.0.0 partial "), DECODE, Unknown);
    let mut world = World::new(&text);
    world.surroundings.incomplete.insert(id("middle@1.0.0"), "too large".to_owned());
    assert!(world.ask(DECODE).reasons[0].contains("too large"));
    world.surroundings.incomplete = [(id("elsewhere@1.0.0"), "no archive".to_owned())].into();
    assert_eq!(world.ask(DECODE).answer, Unknown);
    world.surroundings.compiled.insert(id("elsewhere@1.0.0"), Vec::new());
    assert_eq!(world.ask(DECODE).answer, NotReachable);
}

#[test]
fn packages_outside_of_the_graph_are_unknown() {
    let world = World::new(&CHAIN.replace("EDGE", ""));
    assert_eq!(world.ask_about("vuln@2.0.0", DECODE).answer, Unknown);
    let mut without_members = World::new(&CHAIN.replace("EDGE", ""));
    without_members.surroundings.members.clear();
    assert_eq!(without_members.ask(DECODE).answer, Unknown);
}

#[test]
fn what_is_not_compiled_is_not_reachable_and_what_tests_alone_use_needs_them() {
    let mut world = World::new(&CHAIN.replace("EDGE", "middle::work -> vuln::Parser::decode"));
    world.surroundings.compiled.insert(id("vuln@1.0.0"), Vec::new());
    assert_eq!(world.ask(DECODE).absence, Some(Absence::NotCompiled));
    world.surroundings.compiled.insert(id("vuln@1.0.0"), vec![DependencyKind::Dev]);
    assert_eq!(world.ask(DECODE).absence, Some(Absence::NotCalled));
    world.surroundings.include_tests = true;
    assert_eq!(world.ask(DECODE).answer, Reachable);
    world.surroundings = Surroundings { include_tests: false, ..world.surroundings };
    world.surroundings.compiled.insert(id("vuln@1.0.0"), vec![DependencyKind::Dev, DependencyKind::Build]);
    assert_eq!(world.ask(DECODE).answer, Reachable);
}

#[test]
fn entry_points_are_told_apart() {
    let text = |function: &str| {
        let name = function.split(' ').nth(1).unwrap();
        format!(
            "# app@0.1.0 tool@1.0.0\nfn app::idle public\n{function}\n{name} -> vuln::f\n# vuln@1.0.0\nfn vuln::f public\n\
             # tool@1.0.0\nfn tool::g\n"
        )
        .replace("# app@0.1.0 tool@1.0.0", "# app@0.1.0 tool@1.0.0 vuln@1.0.0")
    };
    let entry = |function| check(&text(function), &["vuln::f"], Reachable).paths[0].entry;
    assert_eq!(entry("fn app::run public"), EntryKind::Normal);
    assert_eq!(entry("fn app::main in bin"), EntryKind::Normal);
    assert_eq!(entry("fn build_script_build::main in build"), EntryKind::Build);
    assert_eq!(entry("fn app::derive in proc public"), EntryKind::Build);
    check(&text("fn app::private"), &["vuln::f"], NotReachable);
    check(&text("fn app::inner::main in bin"), &["vuln::f"], NotReachable);
    check(&text("fn app::it_works test"), &["vuln::f"], NotReachable);
    let mut world = World::new(&text("fn app::it_works test"));
    world.surroundings.include_tests = true;
    let answer = world.ask(&["vuln::f"]);
    assert_eq!((answer.answer, answer.paths[0].entry), (Reachable, EntryKind::Test));
}

#[test]
fn build_scripts_of_dependencies_are_entry_points_of_the_build() {
    let text = "\
# app@0.1.0 native@1.0.0
fn app::main in bin
# native@1.0.0 vuln@1.0.0
fn native::open public
fn build_script_build::main in build
build_script_build::main -> vuln::f
native::open -> vuln::g
# vuln@1.0.0
fn vuln::f public
fn vuln::g public
";
    assert_eq!(check(text, &["vuln::f"], Reachable).paths[0].entry, EntryKind::Build);
    check(text, &["vuln::g"], NotReachable);
}

#[test]
fn advisories_without_functions_ask_for_the_crate() {
    check(&CHAIN.replace("EDGE", "middle::work -> vuln::Parser::encode"), &[], Reachable);
    // A type, a constant or a macro of it may be used without a call.
    check(&CHAIN.replace("EDGE", ""), &[], Unknown);
    let without_functions = "# app@0.1.0 vuln@1.0.0\nfn app::main in bin\n# vuln@1.0.0\n";
    check(without_functions, &[], Unknown);
}

#[test]
fn ranges_choose_functions_and_are_not_believed_when_they_leave_the_version_out() {
    let text = CHAIN.replace("EDGE", "middle::work -> vuln::Parser::decode");
    check(&text, &["vuln::Parser::decode < 0.9.0", "vuln::Parser::encode >= 0.9.0"], NotReachable);
    check(&text, &["vuln::Parser::decode < 0.9.0"], Reachable);
    let one = Version::new(1, 0, 0);
    assert!(in_ranges(&[], &one) && in_ranges(&["nonsense".to_owned()], &one));
    assert!(
        in_ranges(&["< 1.0.1".to_owned()], &"1.0.1-rc.1".parse().unwrap())
            || !in_ranges(&["< 1.0.1".to_owned()], &"1.0.1".parse().unwrap())
    );
}

#[test]
fn one_of_several_functions_of_a_name_is_unknown_unless_all_are_called() {
    let text = |calls: &str| {
        format!(
            "# app@0.1.0 vuln@1.0.0\nfn app::main in bin\n{calls}\n\
             # vuln@1.0.0\nfn vuln::one::decode public\nfn vuln::two::decode public\n"
        )
    };
    check(&text("app::main -> vuln::one::decode"), &["vuln::decode"], Unknown);
    check(
        &text("app::main -> vuln::one::decode\napp::main -> vuln::two::decode"),
        &["vuln::decode"],
        Reachable,
    );
    check(&text(""), &["vuln::decode"], NotReachable);
}

/// A random ecosystem of four crates in a row, each with three functions; the first is the member.
#[derive(Debug, Clone)]
struct Random {
    /// (crate, function, crate, function, certainty)
    calls: Vec<(usize, usize, usize, usize, usize)>,
    unresolved: Vec<(usize, usize, usize, &'static str)>,
    partial: Vec<usize>,
}

const CRATES: [&str; 4] = ["app", "left", "right", "vuln"];

impl Random {
    fn text(&self) -> String {
        let mut text = String::new();
        for (at, krate) in CRATES.iter().enumerate() {
            let partial = if self.partial.contains(&at) { "partial " } else { "" };
            let below: Vec<String> = CRATES[at + 1..].iter().map(|it| format!("{it}@1.0.0")).collect();
            text.push_str(&format!("# {krate}@1.0.0 {partial}{}\n", below.join(" ")));
            for function in 0..3 {
                let public = if at == 0 && function > 0 { "" } else { "public" };
                text.push_str(&format!("fn {krate}::f{function} {public}\n"));
            }
            for (_, from, to, callee, certainty) in self.calls.iter().filter(|it| it.0 == at) {
                let certainty = Certainty::ALL[*certainty].as_str();
                text.push_str(&format!("{krate}::f{from} -> {}::f{callee} {certainty}\n", CRATES[*to]));
            }
            for (_, from, callee, reason) in self.unresolved.iter().filter(|it| it.0 == at) {
                text.push_str(&format!("{krate}::f{from} ? .f{callee} {reason}\n"));
            }
        }
        text
    }

    fn answer(&self) -> ReachabilityAnswer {
        World::new(&self.text()).ask(&["vuln::f0"]).answer
    }
}

fn reason() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "receiver_unknown",
        "path_not_found",
        "method_not_found",
        "macro",
        "crate_not_read",
        "limit",
    ])
}

prop_compose! {
    fn random()(
        calls in prop::collection::vec((0..4_usize, 0..3_usize, 0..4_usize, 0..3_usize, 0..4_usize), 0..9),
        unresolved in prop::collection::vec((0..4_usize, 0..3_usize, 0..3_usize, reason()), 0..2),
        partial in prop::collection::vec(1..4_usize, 0..2).prop_map(|it| if it.len() > 1 { it } else { Vec::new() }),
    ) -> Random {
        // Crates call those below them only, as dependencies allow.
        let calls = calls.into_iter().filter(|it| it.2 >= it.0).collect();
        Random { calls, unresolved, partial }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn less_knowledge_never_reassures(
        before in random(),
        gap in (0..4_usize, 0..3_usize, 0..3_usize, reason()),
        lost in any::<prop::sample::Index>(),
        how in reason(),
        unread in 1..4_usize,
    ) {
        let answer = before.answer();
        let mut with_gap = before.clone();
        with_gap.unresolved.push(gap);
        let mut unread_crate = before.clone();
        unread_crate.partial.push(unread);
        let mut worlds = vec![with_gap, unread_crate];
        if !before.calls.is_empty() {
            let mut without_call = before.clone();
            let (krate, from, _, callee, _) = without_call.calls.remove(lost.index(before.calls.len()));
            without_call.unresolved.push((krate, from, callee, how));
            let mut less_sure = before.clone();
            let call = &mut less_sure.calls[lost.index(before.calls.len())];
            call.4 = (call.4 + 1).min(3);
            worlds.extend([without_call, less_sure]);
        }
        for after in worlds {
            let allowed = answer == NotReachable || after.answer() != NotReachable;
            prop_assert!(allowed, "{answer:?}\n{}\n{}", before.text(), after.text());
        }
    }
}
