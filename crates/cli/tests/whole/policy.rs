//! Policies: of `check`, and explained.

use std::fs;

use serde_json::{Value, json};

use crate::world::{World, package, refused};

const STRICT: &str = r#"
[[clause]]
id = "no-look-alikes"
when = "'confusable-name' in case.rules"
verdict = "block"
reason = "names that can be taken for others are asked for first"

[[clause]]
id = "anything"
when = "version.source == 'registry'"
verdict = "warn"
reason = "everything is looked at"
mode = "audit"
"#;

fn world() -> World {
    let mut world = World::new();
    world.add_harmless("oncecell", "1.0.0").add_harmless("harmless-fixture", "1.0.0");
    world.workspace().advisories("other", "");
    world
}

fn verdicts(document: &Value) -> Vec<(&str, &Value)> {
    ["oncecell", "harmless-fixture", "member"]
        .map(|name| (name, &package(document, name)["verdict"]))
        .to_vec()
}

#[test]
fn the_built_in_policy_follows_the_level() {
    let document = world().check(&[]).json();
    assert_eq!(
        verdicts(&document),
        [("oncecell", &json!("warn")), ("harmless-fixture", &json!("allow")), ("member", &Value::Null)]
    );
    let policy = &package(&document, "oncecell")["policy"];
    assert_eq!(policy["clause"], "review");
    assert!(policy["reason"].is_string() && policy["line"].is_u64());
}

#[test]
fn the_file_beside_the_lockfile_decides_and_a_named_one_instead_of_it() {
    let world = world();
    fs::write(world.path("workspace/cratekeeper.toml"), STRICT).unwrap();
    let said = world.check(&[]);
    assert_eq!(said.code, 0, "verdicts change no exit codes: {}", said.stderr);
    let document = said.json();
    assert_eq!(package(&document, "oncecell")["verdict"], "block");
    assert_eq!(package(&document, "harmless-fixture")["verdict"], "allow");
    fs::write(world.path("other.toml"), "").unwrap();
    let document = world.check(&["--policy", "../other.toml"]).json();
    assert_eq!(package(&document, "oncecell")["verdict"], "allow");
}

#[test]
fn people_see_what_is_not_allowed() {
    let world = world();
    fs::write(world.path("workspace/cratekeeper.toml"), STRICT).unwrap();
    let said = world.run(&["check", "--offline", "--advisory-db", "../advisory-db"]);
    assert!(
        said.stdout.contains("oncecell 1.0.0  block  no-look-alikes: names that can be"),
        "{}",
        said.stdout
    );
    assert!(!said.stdout.contains("harmless-fixture 1.0.0  allow"), "{}", said.stdout);
}

#[test]
fn waivers_are_shown_and_stale_ones_reported() {
    let world = world();
    let waiver = |package: &str, expires: &str| {
        format!(
            "[[waiver]]\nclause = \"no-look-alikes\"\npackage = \"{package}\"\nowner = \"ann\"\nreason = \"read\"\nexpires = {expires}\n"
        )
    };
    let text = format!("{STRICT}{}{}", waiver("oncecell", "2999-01-01"), waiver("oncecell", "2020-01-01"));
    fs::write(world.path("workspace/cratekeeper.toml"), text).unwrap();
    let document = world.check(&[]).json();
    let package = package(&document, "oncecell");
    assert_eq!(package["verdict"], "allow");
    assert_eq!(package["policy"]["waived"][0]["owner"], "ann");
    let notes = document["notes"].to_string();
    assert!(notes.contains("expired on 2020-01-01: ann"), "{notes}");
}

#[test]
fn explain_names_the_line_that_decided() {
    let world = world();
    fs::write(world.path("workspace/cratekeeper.toml"), STRICT).unwrap();
    let arguments = ["policy", "explain", "--offline", "--advisory-db", "../advisory-db", "oncecell"];
    let said = world.run(&arguments);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stdout.contains("cratekeeper.toml:2 (no-look-alikes): names that can be"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("anything (warn): holds, for audit alone"), "{}", said.stdout);
    let mut with_json = arguments.to_vec();
    with_json.extend(["--format", "json"]);
    let document = world.run(&with_json).json();
    assert_eq!(document["schema"], "cratekeeper.policy/1");
    assert_eq!(document["packages"][0]["clauses"][0]["outcome"], "holds");
    refused(&world.run(&["policy", "explain", "--offline", "no-such"]), &["failed to find `no-such`"]);
}

#[test]
fn explain_lists_what_could_not_be_checked_and_says_so_by_its_code() {
    let world = world();
    fs::remove_file(world.path("registry/harmless-fixture-1.0.0.crate")).unwrap();
    let arguments = ["policy", "explain", "--offline", "--advisory-db", "../advisory-db"];
    let said = world.run(&arguments);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stdout.contains("harmless-fixture 1.0.0"), "{}", said.stdout);
    let document = world.run(&[&arguments[..], &["--format", "json"]].concat()).json();
    let packages = document["packages"].as_array().unwrap();
    let missing = packages.iter().find(|it| it["name"] == "harmless-fixture").expect("it is listed");
    assert!(missing["status"] == "could_not_check" && missing["reason"].is_string(), "{missing}");
    assert_eq!(world.run(&[&arguments[..], &["--allow-unchecked"]].concat()).code, 0);
}

#[test]
fn a_broken_policy_shows_all_its_mistakes_and_nothing_is_checked() {
    let world = world();
    let broken =
        "on-error = \"maybe\"\n[[clause]]\nid = \"a\"\nwhen = \"case.scor > 3\"\nverdict = \"block\"\n";
    fs::write(world.path("workspace/cratekeeper.toml"), broken).unwrap();
    for arguments in [&["check", "--offline"][..], &["policy", "check", "cratekeeper.toml"]] {
        let said = world.run(arguments);
        refused(
            &said,
            &["3 mistakes", ":1:12: `maybe`", ":2:1: this clause lacks reason", ":4:13: there is no `scor`"],
        );
        assert!(said.stderr.contains("4 | when = \"case.scor > 3\""), "{}", said.stderr);
    }
    fs::write(world.path("workspace/cratekeeper.toml"), STRICT).unwrap();
    let said = world.run(&["policy", "check", "cratekeeper.toml"]);
    assert_eq!((said.code, said.stdout.contains("2 clauses, 0 waivers")), (0, true), "{}", said.stdout);
    assert!(world.run(&["policy", "show"]).stdout.contains("[[clause]]"));
}
