//! `check --reachability on` over a small tree: every answer, in every format, and the exit codes.

use std::fs;

use serde_json::Value;

use crate::tree::Tree;
use crate::world::{Said, package};

/// What the member does with each package: calls the affected function of one, another function of the next, and so on.
fn tree() -> Tree {
    let mut tree = Tree::new();
    let text = "pub fn danger() {}\npub fn safe() {}\n";
    for name in ["called", "uncalled", "renaming", "optional", "testing"] {
        tree.publish(name, "1.0.0", "", &[("src/lib.rs", text)], &[]);
    }
    tree.publish(
        "between",
        "1.0.0",
        "[dependencies]\ncalled = \"1\"\n",
        &[("src/lib.rs", "pub fn way() { called::danger() }\n")],
        &["called"],
    );
    let manifest = "[features]\nmore = [\"dep:optional\"]\n[dependencies]\nbetween = \"1\"\nuncalled = \"1\"\nrenaming = \"1\"\n\
        optional = { version = \"1\", optional = true }\n[dev-dependencies]\ntesting = \"1\"\n";
    let library = "pub fn start() { between::way(); uncalled::safe(); renaming::safe() }\n\
        #[cfg(feature = \"more\")]\npub fn more() { optional::danger() }\n#[test]\nfn tested() { testing::danger() }\n";
    let dependencies = ["between", "optional", "renaming", "testing", "uncalled"];
    tree.member(manifest, &[("src/lib.rs", library)], &dependencies);
    for (number, name) in ["called", "uncalled", "optional", "testing"].into_iter().enumerate() {
        advise(&tree, number, name, &format!("{name}::danger"));
    }
    // A function that the version does not have: nothing is known of it.
    advise(&tree, 9, "renaming", "renaming::absent");
    tree
}

/// An advisory against a function of all versions below 2.0.0.
fn advise(tree: &Tree, number: usize, name: &str, function: &str) {
    let directory = tree.world.path(&format!("advisory-db/crates/{name}"));
    fs::create_dir_all(&directory).unwrap();
    let id = format!("RUSTSEC-2026-900{number}");
    let text = format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{name}\"\ndate = \"2026-01-01\"\n\n[affected.functions]\n\
         \"{function}\" = [\"< 2.0.0\"]\n\n[versions]\npatched = [\">= 2.0.0\"]\n```\n\n# A made-up problem\n\nFor tests.\n"
    );
    fs::write(directory.join(format!("{id}.md")), text).unwrap();
}

fn check(tree: &Tree, arguments: &[&str]) -> Said {
    let always = ["check", "--offline", "--quiet", "--advisory-db", "../advisory-db", "--vex-author", "me"];
    tree.world.run(&[&always[..], arguments].concat())
}

/// The answer for the only advisory against a package.
#[track_caller]
fn answer(document: &Value, name: &str) -> Value {
    let findings = package(document, name)["case"]["findings"].as_array().unwrap();
    let finding = findings.iter().find(|it| it["rule"] == "vulnerable-version").unwrap();
    finding["reachability"].clone()
}

#[test]
fn features_decide_what_is_compiled() {
    let tree = tree();
    let answered = |arguments: &[&str]| {
        let all = [&["--reachability", "on", "--format", "json"], arguments].concat();
        answer(&check(&tree, &all).json(), "optional")["answer"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(answered(&[]), "not_reachable");
    assert_eq!(answered(&["--features", "more"]), "reachable");
    assert_eq!(answered(&["--all-features"]), "reachable");
    assert_eq!(answered(&["--features", "more", "--no-default-features"]), "reachable");
}

#[test]
fn each_answer_has_what_it_rests_on() {
    let said = check(&tree(), &["--reachability", "on", "--format", "json"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let document = said.json();
    let called = answer(&document, "called");
    assert_eq!(called["answer"], "reachable");
    let steps: Vec<&str> = called["paths"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["function"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["member@0.1.0::start", "between@1.0.0::way", "called@1.0.0::danger"]);
    let uncalled = answer(&document, "uncalled");
    assert_eq!(
        (&uncalled["answer"], &uncalled["absence"]),
        (&"not_reachable".into(), &"not_called".into()),
        "{uncalled}"
    );
    assert!(!uncalled["assumptions"].as_array().unwrap().is_empty());
    let optional = answer(&document, "optional");
    assert_eq!(
        (&optional["answer"], &optional["absence"]),
        (&"not_reachable".into(), &"not_compiled".into())
    );
    let absent = answer(&document, "renaming");
    assert_eq!(absent["answer"], "unknown");
    assert_eq!(absent["reasons"][0], "`renaming::absent` was not found in 1.0.0");
    let testing = answer(&document, "testing");
    assert_eq!((&testing["answer"], &testing["absence"]), (&"not_reachable".into(), &"not_called".into()));
    let assumption = testing["assumptions"][0].as_str().unwrap();
    assert!(assumption.contains("tests, examples and benchmarks, which alone use it"), "{assumption}");
}

#[test]
fn tests_run_when_they_are_included() {
    let said = check(&tree(), &["--reachability", "on", "--include-tests", "--format", "json"]);
    let document = said.json();
    let testing = answer(&document, "testing");
    assert_eq!(testing["answer"], "reachable", "{testing}");
    assert_eq!(testing["paths"][0]["entry"], "test", "{testing}");
    assert_eq!(answer(&document, "called")["paths"][0]["entry"], "normal");
}

#[test]
fn people_and_code_scanning_are_told_the_same() {
    let tree = tree();
    let human = check(&tree, &["--reachability", "on"]);
    assert_eq!(human.code, 1, "{}", human.stderr);
    let words: Vec<&str> = human.stdout.split_whitespace().collect();
    let text = words.join(" ");
    for expected in [
        "reachable: member@0.1.0::start → between@1.0.0::way → called@1.0.0::danger",
        "not reachable: nothing that runs calls it",
        "not reachable: it is not compiled",
        "unknown: `renaming::absent` was not found in 1.0.0",
    ] {
        assert!(text.contains(expected), "no `{expected}` in {}", human.stdout);
    }
    let sarif = check(&tree, &["--reachability", "on", "--format", "sarif"]);
    assert_eq!(sarif.code, 1, "{}", sarif.stderr);
    let document = sarif.json();
    let results = document["runs"][0]["results"].as_array().unwrap();
    let with_flow: Vec<&Value> = results.iter().filter(|it| it.get("codeFlows").is_some()).collect();
    assert_eq!(with_flow.len(), 1, "{results:#?}");
    let locations = with_flow[0]["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    assert_eq!(locations.len(), 3);
}

#[test]
fn vex_never_takes_unknown_for_not_affected() {
    let said = check(&tree(), &["--format", "vex"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let document = said.json();
    let mut verdicts: Vec<String> = document["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let component = it["products"][0]["subcomponents"][0]["@id"].as_str().unwrap();
            let justification = it["justification"].as_str().unwrap_or("");
            format!("{component} {} {justification}", it["status"].as_str().unwrap())
        })
        .collect();
    verdicts.sort();
    assert_eq!(
        verdicts,
        [
            "pkg:cargo/called@1.0.0 affected ",
            "pkg:cargo/optional@1.0.0 not_affected vulnerable_code_not_present",
            "pkg:cargo/renaming@1.0.0 under_investigation ",
            "pkg:cargo/testing@1.0.0 not_affected vulnerable_code_not_in_execute_path",
            "pkg:cargo/uncalled@1.0.0 not_affected vulnerable_code_not_in_execute_path",
        ]
    );
}

#[test]
fn what_is_not_reached_is_still_found() {
    let tree = tree();
    let with = check(&tree, &["--reachability", "on", "--format", "json"]);
    let without = check(&tree, &["--reachability", "off", "--format", "json"]);
    assert_eq!((with.code, without.code), (1, 1));
    assert!(answer(&without.json(), "called").is_null());
    for name in ["called", "uncalled", "optional", "testing", "renaming"] {
        let level = |said: &Said| package(&said.json(), name)["case"]["level"].clone();
        assert_eq!(level(&with), level(&without), "{name}");
    }
}

#[test]
fn a_package_that_is_not_there_makes_answers_unknown() {
    let tree = tree();
    fs::remove_file(tree.world.path("registry/between-1.0.0.crate")).unwrap();
    let said = check(&tree, &["--reachability", "on", "--format", "json"]);
    assert_eq!(said.code, 2, "it could not be checked: {}", said.stderr);
    let document = said.json();
    assert_eq!(answer(&document, "called")["answer"], "unknown", "{}", answer(&document, "called"));
}
