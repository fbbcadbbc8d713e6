//! `cratekeeper graph` and `survey`: a small store, asked through the program.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::ecosystem::Fixture;
use crate::world::{Said, World, refused};

/// A store with one table `today`, and a world to ask it from.
fn store() -> (World, Fixture) {
    let mut fixture = Fixture::new(&[
        (
            "base@1.0.0",
            "fn danger unsafe\nfn safe\nfn sys foreign\ndanger -> sys ffi unsafe\nsafe -> std::mem::swap",
        ),
        ("base@2.0.0", "fn danger\nfn new\ndanger -> new"),
        (
            "middle@2.0.0",
            "fn both\nfn maybe\nfn off inactive\nboth -> base::danger typed\nmaybe -> base::danger name\noff -> base::safe inactive",
        ),
        ("app@0.1.0", "fn main\nfn check test\nmain -> middle::both\ncheck -> base::danger"),
    ]);
    let table = "base@1.0.0\nbase@2.0.0\nmiddle@2.0.0 base@1.0.0\napp@0.1.0 middle@2.0.0 dev:base@1.0.0";
    fixture.link("today", table);
    (World::new(), fixture)
}

fn path(fixture: &Fixture) -> &str {
    fixture.directory.path().to_str().unwrap()
}

fn ask(world: &World, fixture: &Fixture, command: &str, arguments: &[&str]) -> Said {
    world.run(&[&["graph", command, path(fixture)], arguments].concat())
}

fn ask_json(world: &World, fixture: &Fixture, command: &str, arguments: &[&str]) -> Value {
    let said = ask(world, fixture, command, &[arguments, &["--format", "json"]].concat());
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{}", said.stdout);
    said.json()
}

fn column<'a>(rows: &'a Value, name: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().map(|it| it[name].as_str().unwrap()).collect()
}

#[test]
fn callers_come_with_certainty_and_line() {
    let (world, fixture) = store();
    let answer = ask_json(&world, &fixture, "callers", &["base@1::danger"]);
    assert_eq!(answer["schema"], "cratekeeper.graph-callers/1");
    assert_eq!((&answer["table"], &answer["functions"]), (&json!("today"), &json!(1)));
    assert_eq!(column(&answer["calls"], "caller"), ["middle@2.0.0::both", "middle@2.0.0::maybe"]);
    assert_eq!(column(&answer["calls"], "certainty"), ["typed", "name"]);
    assert_eq!((&answer["calls"][0]["file"], &answer["calls"][0]["line"]), (&json!("src/lib.rs"), &json!(4)));
    let sure =
        ask_json(&world, &fixture, "callers", &["base@1::danger", "--weakest", "typed", "--depth", "2"]);
    assert_eq!(column(&sure["calls"], "caller"), ["middle@2.0.0::both", "app@0.1.0::main"]);
    let all = ask_json(&world, &fixture, "callers", &["base@1::danger", "--all-configurations"]);
    assert!(
        column(&all["calls"], "caller").contains(&"app@0.1.0::check"),
        "tests are a configuration: {all}"
    );
}

#[test]
fn people_read_calls_and_what_to_ask_next() {
    let (world, fixture) = store();
    let said = ask(&world, &fixture, "callees", &["app::main", "--depth", "2"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let expected = " 1  middle@2.0.0::both  called by app@0.1.0::main\n      exact call at src/lib.rs:3\n";
    assert!(said.stdout.starts_with(expected), "{}", said.stdout);
    assert!(said.stdout.contains("\nresult: 2 calls\n\nnext:\n  cratekeeper graph path "), "{}", said.stdout);
}

#[test]
fn ways_are_found_or_the_exit_code_says_that_there_are_none() {
    let (world, fixture) = store();
    let found = ask_json(&world, &fixture, "path", &["app::main", "base::danger", "-k", "5"]);
    assert_eq!(column(&found["routes"], "certainty"), ["typed"]);
    assert_eq!(column(&found["steps"], "callee"), ["middle@2.0.0::both", "base@1.0.0::danger"]);
    let none = ask(&world, &fixture, "path", &["base::safe", "app::main"]);
    assert_eq!((none.code, none.stderr.as_str()), (1, ""));
    assert!(none.stdout.contains("result: no way was found"), "{}", none.stdout);
    let itself = ask(&world, &fixture, "path", &["app::main", "app::main"]);
    assert_eq!(itself.code, 0, "{}", itself.stdout);
}

#[test]
fn a_pattern_that_stands_for_nothing_is_not_an_empty_answer() {
    let (world, fixture) = store();
    refused(
        &ask(&world, &fixture, "callers", &["bose::danger"]),
        &["`bose::danger`", "did you mean `base::danger`?"],
    );
    refused(&ask(&world, &fixture, "reach", &["app::mian"]), &["`app::mian`", "`app@0.1.0`"]);
    refused(&ask(&world, &fixture, "blast", &["base@3"]), &["nothing in this table matches `base@3`"]);
    refused(&ask(&world, &fixture, "callers", &["/(/"]), &["is not a pattern"]);
    refused(&ask(&world, &fixture, "diff", &["base", "base@2"]), &["2 match", "`base@1.0.0`"]);
    let nothing = ask(&world, &fixture, "search", &["no such thing"]);
    assert_eq!((nothing.code, nothing.stderr.as_str()), (1, ""));
}

#[test]
fn reach_and_blast_count_by_crate_and_certainty() {
    let (world, fixture) = store();
    let reach = ask_json(&world, &fixture, "reach", &["app::main"]);
    assert_eq!(reach["reached"], 4);
    assert_eq!(column(&reach["crates"], "package"), ["app", "base", "middle"]);
    let blast = ask_json(&world, &fixture, "blast", &["base@1::danger"]);
    assert_eq!(column(&blast["hit"], "package"), ["app", "middle"]);
    assert_eq!(column(&blast["by_certainty"], "certainty"), ["exact", "typed", "candidate", "name"]);
    assert_eq!(blast["by_certainty"][1]["versions"], 2);
    assert_eq!(blast["by_certainty"][0]["versions"], 0);
}

#[test]
fn every_call_is_a_line() {
    let (world, fixture) = store();
    let said = ask(&world, &fixture, "edges", &[]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let expected = "caller\tcallee\tkind\tcertainty\tfile:line\n\
                    app::main\tmiddle::both\tcall\texact\tsrc/lib.rs:3\n\
                    base::danger\tbase::sys\tffi\texact\tsrc/lib.rs:4\n\
                    base::safe\tstd::mem::swap\tcall\texact\tsrc/lib.rs:5\n\
                    base::danger\tbase::new\tcall\texact\tsrc/lib.rs:3\n\
                    middle::both\tbase::danger\tcall\ttyped\tsrc/lib.rs:4\n\
                    middle::maybe\tbase::danger\tcall\tname\tsrc/lib.rs:5\n";
    assert_eq!(said.stdout, expected);
    let middle =
        ask(&world, &fixture, "edges", &["--crate", "middle", "--with-versions", "--weakest", "typed"]);
    assert!(middle.stdout.ends_with("\nmiddle@2.0.0::both\tbase@1.0.0::danger\tcall\ttyped\tsrc/lib.rs:4\n"));
    let all = ask(&world, &fixture, "edges", &["--all-configurations", "--format", "jsonl"]);
    assert_eq!(all.stdout.lines().count(), 8);
    let first: Value = serde_json::from_str(all.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["caller"], "app::check");
    refused(&ask(&world, &fixture, "edges", &["--crate", "nobody"]), &["`nobody`"]);
    refused(&ask(&world, &fixture, "edges", &["--format", "json"]), &["jsonl"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (world, fixture) = store();
    let mut command = world.command(&["graph", "edges", path(&fixture)]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn versions_are_told_apart() {
    let (world, fixture) = store();
    let dependents = ask_json(&world, &fixture, "dependents", &["base@1", "--transitive"]);
    assert_eq!(column(&dependents["dependents"], "package"), ["app", "middle"]);
    assert_eq!(dependents["direct_versions"], 2);
    let dependencies = ask_json(&world, &fixture, "dependencies", &["middle"]);
    assert_eq!(column(&dependencies["dependencies"], "version"), ["1.0.0"]);
    let top = ask_json(&world, &fixture, "top", &["--by", "transitive", "--limit", "1"]);
    assert_eq!((column(&top["top"], "package"), &top["truncated"]), (vec!["base"], &json!(true)));
    let latest = ask_json(&world, &fixture, "latest", &[]);
    assert_eq!(column(&latest["latest"], "version"), ["0.1.0", "2.0.0", "2.0.0"]);
    let duplicates = ask_json(&world, &fixture, "duplicates", &[]);
    assert_eq!(duplicates["duplicates"][0]["versions"], json!(["1.0.0", "2.0.0"]));
    let diff = ask(&world, &fixture, "diff", &["base@1", "base@2", "--format", "tsv"]);
    assert_eq!(diff.code, 1, "differences, as diff has it");
    assert!(diff.stdout.contains("gained\tfunction\tbase::new\t\n"), "{}", diff.stdout);
    assert_eq!(ask(&world, &fixture, "diff", &["base@1", "base@1.0.0"]).code, 0);
}

#[test]
fn figures_say_what_is_unresolved_and_where() {
    let (world, fixture) = store();
    let stats = ask_json(&world, &fixture, "stats", &[]);
    assert_eq!((&stats["versions"], &stats["calls"]), (&json!(4), &json!(8)));
    assert_eq!(
        stats["crates"][3],
        json!({"name": "middle", "version": "2.0.0", "functions": 3, "calls": 3, "unresolved": {}})
    );
    let usage = ask_json(&world, &fixture, "unsafe", &[]);
    assert_eq!((&usage["versions_using_unsafe"], &usage["versions_reaching_unsafe"]), (&json!(1), &json!(3)));
    let foreign = ask_json(&world, &fixture, "ffi", &[]);
    assert_eq!(foreign["functions"][0]["callers"], json!(["base@1.0.0::danger"]));
}

#[test]
fn drawings_are_for_calls_and_small() {
    let (world, fixture) = store();
    let dot = ask(&world, &fixture, "callers", &["base@1::danger", "--depth", "3", "--format", "dot"]);
    assert!(dot.stdout.starts_with("digraph calls {"), "{}", dot.stdout);
    let svg = ask(&world, &fixture, "path", &["app::main", "base::danger", "--format", "svg"]);
    assert!(svg.stdout.starts_with("<svg ") && svg.stdout.ends_with("</svg>\n"), "{}", svg.stdout);
    refused(&ask(&world, &fixture, "stats", &["--format", "dot"]), &["`stats` has no such form"]);
    refused(&ask(&world, &fixture, "stats", &["--format", "sarif"]), &["`stats` has no such form"]);
    refused(&world.run(&["check", "--format", "svg"]), &["only `graph` and `survey`"]);
}

#[test]
fn a_store_has_as_many_answers_as_tables() {
    let (world, mut fixture) = store();
    fixture.link("tomorrow", "base@2.0.0\nmiddle@2.0.0 base@2.0.0");
    refused(&ask(&world, &fixture, "latest", &[]), &["`today`, `tomorrow`", "--table"]);
    refused(&ask(&world, &fixture, "latest", &["--table", "never"]), &["`never`", "today"]);
    let calls = |table| {
        let answer = ask_json(&world, &fixture, "callees", &["middle::both", "--table", table]);
        answer["calls"][0]["callee"].as_str().unwrap().to_owned()
    };
    assert_eq!(calls("today"), "base@1.0.0::danger");
    assert_eq!(calls("tomorrow"), "base@2.0.0::danger", "the same segment, another resolution");
}

#[test]
fn what_is_no_store_is_refused() {
    let (world, fixture) = store();
    refused(&world.run(&["graph", "stats", "nowhere"]), &["`nowhere` is not a graph store", "survey"]);
    refused(&world.run(&["graph", "callers", "only-one"]), &["STORE PATTERN", "--workspace"]);
    refused(&ask(&world, &fixture, "stats", &["too", "many"]), &["it takes STORE"]);
    for entry in fs::read_dir(fixture.directory.path()).unwrap().map(Result::unwrap) {
        if entry.file_name().to_str().is_some_and(|it| it.starts_with("linked-")) {
            fs::write(entry.path(), b"\x89CKGRF\r\nbroken").unwrap();
        }
    }
    assert_eq!(ask(&world, &fixture, "stats", &[]).code, 2);
}

#[test]
fn exported_files_are_listed() {
    let (world, fixture) = store();
    let directory = world.path("export");
    let arguments = ["--neo4j", directory.to_str().unwrap(), "--painter-labels"];
    let answer = ask_json(&world, &fixture, "export", &arguments);
    let names = column(&answer["files"], "name");
    assert_eq!(names.len(), 10);
    assert!(names.iter().all(|it| Path::new(&directory).join(it).is_file()), "{names:?}");
    let crates = fs::read_to_string(directory.join("crates.csv")).unwrap();
    assert_eq!(crates.lines().next(), Some("id:ID(Crate),name,:LABEL"));
    assert_eq!(crates.lines().count(), 4);
}

#[test]
fn a_survey_needs_something_to_read() {
    let world = World::new();
    refused(
        &world.run(&["survey", "no-such-directory", "-o", "store"]),
        &["`no-such-directory`", "there is no such directory"],
    );
    assert_eq!(world.run(&["survey", "-o", "store"]).code, 2);
    assert_eq!(world.run(&["survey", "."]).code, 2, "a store has to be named");
}
