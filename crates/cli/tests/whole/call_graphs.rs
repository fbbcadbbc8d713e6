//! `graph --workspace` from source to answer: archives in a registry and a member on disk, read, linked and asked.
//!
//! What the answers look like is tested in `graph_command`, over a store that is written by hand.

use std::fs;

use serde_json::{Value, json};

use crate::tree::Tree;
use crate::world::{Said, refused};

const BASE: &str = "pub fn danger() { inner() }\nfn inner() {}\npub fn safe() -> u8 { 1 }\n\
    pub struct Thing;\nimpl Thing {\n    pub fn run(&self) { danger() }\n}\n\
    #[cfg(feature = \"extra\")]\npub fn extra() { danger() }\n\
    #[cfg(windows)]\npub fn on_windows() { danger() }\n";

/// `member` uses `middle` and the second `base`, `middle` the first one as `ground`.
fn tree() -> Tree {
    let mut tree = Tree::new();
    tree.publish("base", "1.0.0", "[features]\nextra = []\n", &[("src/lib.rs", BASE)], &[]);
    let newer = "pub fn danger() { fresh() }\nfn fresh() {}\n";
    tree.publish("base", "2.0.0", "", &[("src/lib.rs", newer)], &[]);
    tree.publish(
        "middle",
        "1.0.0",
        "[dependencies]\nground = { package = \"base\", version = \"1\" }\n[build-dependencies]\nbase = \"2\"\n",
        &[
            ("src/lib.rs", "pub fn both(thing: &ground::Thing) { ground::danger(); thing.run() }\n"),
            ("build.rs", "fn main() { base::danger() }\n"),
        ],
        &["base 1.0.0", "base 2.0.0"],
    );
    tree.publish(
        "making",
        "0.3.0",
        "[lib]\nproc-macro = true\n",
        &[("src/lib.rs", "extern crate proc_macro;\nuse proc_macro::TokenStream;\n#[proc_macro]\npub fn make(input: TokenStream) -> TokenStream { same(input) }\nfn same(input: TokenStream) -> TokenStream { input }\n")],
        &[],
    );
    tree.member(
        "[features]\ndefault = [\"on\"]\non = []\nextra = [\"ground/extra\"]\n[dependencies]\nmiddle = \"1\"\nmaking = \"0.3\"\n\
         newer = { package = \"base\", version = \"2\" }\nground = { package = \"base\", version = \"1\" }\n",
        &[(
            "src/lib.rs",
            "pub fn start() { middle::both(&ground::Thing); newer::danger() }\n#[cfg(feature = \"on\")]\npub fn on() { ground::safe(); }\n\
             #[cfg(not(feature = \"on\"))]\npub fn off() { ground::danger() }\n#[test]\nfn tested() { start() }\n",
        )],
        &["base 1.0.0", "base 2.0.0", "making", "middle"],
    );
    tree
}

/// Runs a question that has to be answered.
#[track_caller]
fn asked(tree: &Tree, arguments: &[&str]) -> Said {
    let said = tree.world.run(&[&["graph"], arguments, &["--offline", "--quiet"]].concat());
    assert_eq!(said.code, 0, "{arguments:?}: {}\n{}", said.stderr, said.stdout);
    said
}

/// `caller -> callee certainty` of each line of `edges`, without those into the standard library.
#[track_caller]
fn edges(tree: &Tree, arguments: &[&str]) -> Vec<String> {
    let said = asked(tree, &[&["edges", "--workspace"], arguments].concat());
    let mut lines = said.stdout.lines();
    assert_eq!(lines.next(), Some("caller\tcallee\tkind\tcertainty\tfile:line"));
    let line = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        format!("{} -> {} {}", columns[0], columns[1], columns[3])
    };
    lines.map(line).filter(|it| !it.contains("-> std::") && !it.contains("-> core::")).collect()
}

fn has(edges: &[String], edge: &str) -> bool {
    edges.iter().any(|it| it == edge)
}

#[test]
fn calls_lead_to_the_version_that_the_lockfile_names() {
    let tree = tree();
    let mut found = edges(&tree, &["--with-versions"]);
    found.sort();
    let expected = [
        "base@1.0.0::Thing::run -> base@1.0.0::danger exact",
        "base@1.0.0::danger -> base@1.0.0::inner exact",
        "base@2.0.0::danger -> base@2.0.0::fresh exact",
        "build_script_build@1.0.0::main -> base@2.0.0::danger exact",
        "making@0.3.0::make -> making@0.3.0::same exact",
        "member@0.1.0::on -> base@1.0.0::safe exact",
        "member@0.1.0::start -> base@2.0.0::danger exact",
        "member@0.1.0::start -> middle@1.0.0::both exact",
        "middle@1.0.0::both -> base@1.0.0::Thing::run typed",
        "middle@1.0.0::both -> base@1.0.0::danger exact",
    ];
    assert_eq!(found, expected);
    let of_middle = edges(&tree, &["--crate", "middle", "--weakest", "exact"]);
    assert!(has(&of_middle, "middle::both -> base::danger exact"), "{of_middle:?}");
    assert!(of_middle.iter().all(|it| !it.starts_with("member") && !it.starts_with("base")), "{of_middle:?}");
}

#[test]
fn a_workspace_is_named_in_many_ways() {
    let tree = tree();
    let directory = tree.world.path("workspace");
    let directory = directory.to_str().unwrap();
    let with_value = format!("--workspace={directory}");
    let pattern = "base@1::danger";
    let all: [&[&str]; 6] = [
        &["callers", pattern, "--workspace"],
        &["callers", "--workspace", pattern],
        &["callers", "--workspace", directory, pattern],
        &["callers", pattern, "--workspace", directory],
        &["callers", &with_value, pattern],
        &["callers", "--workspace", ".", "--depth", "1", pattern],
    ];
    for arguments in all {
        let answer = asked(&tree, &[arguments, &["--format", "json"]].concat()).json();
        let mut callers: Vec<&str> =
            answer["calls"].as_array().unwrap().iter().map(|it| it["caller"].as_str().unwrap()).collect();
        callers.sort_unstable();
        assert_eq!(callers, ["base@1.0.0::Thing::run", "middle@1.0.0::both"], "{arguments:?}");
    }
    let nowhere = tree.world.run(&["graph", "stats", "--workspace=no-such-directory"]);
    refused(&nowhere, &["`no-such-directory`", "there is no such directory"]);
    refused(&tree.world.run(&["graph", "callers", "--workspace"]), &["it takes PATTERN"]);
}

#[test]
fn ways_figures_and_differences_of_a_workspace() {
    let tree = tree();
    let path =
        asked(&tree, &["path", "--workspace", "member::start", "base@1::inner", "--format", "json"]).json();
    let steps: Vec<&Value> = path["steps"].as_array().unwrap().iter().map(|it| &it["callee"]).collect();
    assert_eq!(steps, ["middle@1.0.0::both", "base@1.0.0::danger", "base@1.0.0::inner"]);
    let stats = asked(&tree, &["stats", "--workspace", "--format", "json"]).json();
    let crates = stats["crates"].as_array().unwrap();
    let names: Vec<String> = crates
        .iter()
        .map(|it| format!("{}@{}", it["name"].as_str().unwrap(), it["version"].as_str().unwrap()))
        .collect();
    assert_eq!(names, ["base@1.0.0", "base@2.0.0", "making@0.3.0", "member@0.1.0", "middle@1.0.0"]);
    assert!(crates.iter().all(|it| it["calls"].is_u64() && it["unresolved"] == json!({})), "{crates:?}");
    let diff = tree.world.run(&["graph", "diff", "--workspace", "base@1", "base@2", "--format", "tsv"]);
    assert_eq!(diff.code, 1, "{}", diff.stderr);
    for line in ["gained\tfunction\tbase::fresh\t", "lost\tfunction\tbase::inner\t"] {
        assert!(diff.stdout.contains(line), "no `{line}` in {}", diff.stdout);
    }
}

#[test]
fn features_switch_calls_of_members_and_dependencies() {
    let tree = tree();
    let (on, off) = ("member::on -> base::safe exact", "member::off -> base::danger exact");
    let extra = "base::extra -> base::danger exact";
    let default = edges(&tree, &[]);
    assert!(has(&default, on) && !has(&default, off) && !has(&default, extra), "{default:?}");
    let without = edges(&tree, &["--no-default-features"]);
    assert!(!has(&without, on) && has(&without, off), "{without:?}");
    let with = edges(&tree, &["--features", "extra"]);
    assert!(has(&with, on) && has(&with, extra), "{with:?}");
    let all = edges(&tree, &["--all-features"]);
    assert!(has(&all, extra) && !has(&all, off), "{all:?}");
}

#[test]
fn other_platforms_and_tests_are_there_when_asked_for() {
    let tree = tree();
    let default = edges(&tree, &[]);
    let all = edges(&tree, &["--all-configurations"]);
    for edge in ["base::on_windows -> base::danger exact", "member::tested -> member::start exact"] {
        assert!(!has(&default, edge), "{default:?}");
        assert!(has(&all, edge), "{edge}: {all:?}");
    }
}

#[test]
fn build_scripts_and_procedural_macros_are_marked() {
    let tree = tree();
    let directory = tree.world.path("export");
    asked(&tree, &["export", "--workspace", "--neo4j", directory.to_str().unwrap()]);
    let versions = fs::read_to_string(directory.join("versions.csv")).unwrap();
    let mut lines = versions.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|it| it.starts_with(name)).unwrap();
    let (build_script, proc_macro) = (column("build_script"), column("proc_macro"));
    let marks: Vec<(bool, bool)> = lines
        .map(|line| {
            let columns: Vec<&str> = line.split(',').map(|it| it.trim_matches('"')).collect();
            (columns[build_script] == "true", columns[proc_macro] == "true")
        })
        .collect();
    assert_eq!(marks.iter().filter(|it| it.0).count(), 1, "{versions}");
    assert_eq!(marks.iter().filter(|it| it.1).count(), 1, "{versions}");
}

#[test]
fn a_graph_is_kept_until_something_it_was_made_from_changes() {
    let tree = tree();
    let graphs = || {
        let mut found: Vec<(String, bool)> = fs::read_dir(tree.world.path("cache/graphs"))
            .unwrap()
            .map(Result::unwrap)
            .map(|it| (it.file_name().into_string().unwrap(), it.path().join("used").exists()))
            .collect();
        found.sort();
        found
    };
    let first = edges(&tree, &[]);
    assert_eq!(graphs().iter().map(|it| it.1).collect::<Vec<_>>(), [false], "made, not opened");
    assert_eq!(edges(&tree, &[]), first);
    assert_eq!(graphs().iter().map(|it| it.1).collect::<Vec<_>>(), [true], "opened, not made again");
    let source = tree.world.path("workspace/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, format!("{text}pub fn further() {{ start() }}\n")).unwrap();
    let changed = edges(&tree, &[]);
    assert_eq!(graphs().len(), 2);
    assert_eq!(changed.len(), first.len() + 1);
    assert!(has(&changed, "member::further -> member::start exact"), "{changed:?}");
    fs::write(&source, text).unwrap();
    assert_eq!(edges(&tree, &[]), first, "what it was before is still there");
}

#[test]
fn a_package_that_cannot_be_read_is_not_passed_over() {
    let tree = tree();
    fs::write(tree.world.path("registry/middle-1.0.0.crate"), "no archive").unwrap();
    let arguments = ["graph", "callees", "--workspace", "member::start", "--offline", "--quiet"];
    let said = tree.world.run(&arguments);
    assert_eq!(said.code, 2, "{}", said.stdout);
    assert!(said.stderr.contains("failed to read every package"), "{}", said.stderr);
    assert!(said.stdout.contains("middle"), "the answer names it: {}", said.stdout);
    let accepted = tree.world.run(&[&arguments[..], &["--allow-unchecked"]].concat());
    assert_eq!((accepted.code, accepted.stderr.as_str()), (0, ""));
    // A file that is no Rust is a note, and no failure.
    fs::write(tree.world.path("workspace/src/lib.rs"), "pub fn start() { newer::danger() }\nmod broken;\n")
        .unwrap();
    fs::write(tree.world.path("workspace/src/broken.rs"), "fn fn fn ) {").unwrap();
    let partial = tree.world.run(&[&arguments[..], &["--allow-unchecked"]].concat());
    assert_eq!(partial.code, 0, "{}", partial.stderr);
}
