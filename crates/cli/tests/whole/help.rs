//! Help is a contract with people: whoever changes it sees it here.

use crate::world::World;

fn help(arguments: &[&str]) -> String {
    let said = World::new().run(arguments);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 100), "a line is longer than 100 columns");
    said.stdout
}

#[test]
fn help_of_the_program() {
    insta::assert_snapshot!("help", help(&["--help"]));
}

#[test]
fn help_of_check() {
    insta::assert_snapshot!("help-check", help(&["check", "--help"]));
}

#[test]
fn help_of_inspect() {
    insta::assert_snapshot!("help-inspect", help(&["inspect", "--help"]));
}

#[test]
fn help_of_diff() {
    insta::assert_snapshot!("help-diff", help(&["diff", "--help"]));
}

#[test]
fn help_of_similar() {
    insta::assert_snapshot!("help-similar", help(&["similar", "--help"]));
}

#[test]
fn help_of_explain() {
    insta::assert_snapshot!("help-explain", help(&["explain", "--help"]));
}

#[test]
fn help_of_names() {
    insta::assert_snapshot!("help-names", help(&["names", "--help"]));
    insta::assert_snapshot!("help-names-check", help(&["names", "check", "--help"]));
    insta::assert_snapshot!("help-names-index", help(&["names", "index", "--help"]));
    insta::assert_snapshot!("help-names-evaluate", help(&["names", "evaluate", "--help"]));
}

#[test]
fn help_of_advisories() {
    insta::assert_snapshot!("help-advisories", help(&["advisories", "--help"]));
    insta::assert_snapshot!("help-advisories-update", help(&["advisories", "update", "--help"]));
}

#[test]
fn help_of_graph() {
    insta::assert_snapshot!("help-graph", help(&["graph", "--help"]));
    insta::assert_snapshot!("help-graph-callers", help(&["graph", "callers", "--help"]));
    insta::assert_snapshot!("help-graph-edges", help(&["graph", "edges", "--help"]));
    insta::assert_snapshot!("help-survey", help(&["survey", "--help"]));
}

#[test]
fn the_version_is_told() {
    assert_eq!(help(&["--version"]), format!("cratekeeper {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_of_serve() {
    insta::assert_snapshot!("help-serve", help(&["serve", "--help"]));
}

#[test]
fn help_of_gate() {
    insta::assert_snapshot!("help-gate", help(&["gate", "--help"]));
}

#[test]
fn help_of_gate_hold() {
    insta::assert_snapshot!("help-gate-hold", help(&["gate", "hold", "--help"]));
}
