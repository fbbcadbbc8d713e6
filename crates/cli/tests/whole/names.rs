//! Names that are taken for others: of packages, and of dependencies that the lockfile lacks.

use std::fs;

use serde_json::{Value, json};

use crate::world::{Said, World, manifest, package, rules};

fn case_of<'a>(document: &'a Value, name: &str) -> &'a Value {
    &package(document, name)["case"]
}

#[test]
fn a_name_like_a_popular_one_is_reviewed_and_fails_nothing() {
    let mut world = World::new();
    world.add_harmless("oncecell", "1.0.0").add_harmless("once_cell", "1.0.0");
    world.workspace().advisories("other", "");
    let said = world.check(&[]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let document = said.json();
    let case = case_of(&document, "oncecell");
    assert_eq!(rules(case), ["confusable-name"]);
    assert_eq!(case["level"], "review");
    assert_eq!(case["techniques"], json!([35]));
    let finding = &case["findings"][0];
    assert_eq!(finding["severity"], "medium");
    assert!(finding["message"].as_str().unwrap().contains("`once_cell`"), "{finding:#}");
    assert_eq!(rules(case_of(&document, "once_cell")), [""; 0], "the popular one itself");
    assert_eq!(world.check(&["--fail-on", "medium"]).code, 1);
}

#[test]
fn likeness_makes_other_findings_count_more() {
    let mut world = World::new();
    world.add_harmless("oncecell", "1.0.0").add_harmless("harmless-fixture", "1.0.0");
    world.workspace().advisories("oncecell", "").advisories("harmless-fixture", "");
    let document = world.check(&[]).json();
    let score = |name| case_of(&document, name)["score"].as_u64().unwrap();
    assert!(score("oncecell") > score("harmless-fixture"), "{document:#}");
}

/// Whoever gives a checked workspace its members' names knows them.
#[test]
fn the_workspaces_own_packages_are_not_compared() {
    let world = World::new();
    world.workspace().advisories("other", "");
    fs::write(world.path("workspace/Cargo.toml"), manifest("oncecell", "0.1.0")).unwrap();
    fs::write(
        world.path("workspace/Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"oncecell\"\nversion = \"0.1.0\"\n",
    )
    .unwrap();
    let said = world.check(&[]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(rules(case_of(&said.json(), "oncecell")), [""; 0]);
}

#[test]
fn what_a_name_can_be_taken_for_is_not_cached() {
    let mut world = World::new();
    world.add_harmless("oncecell", "1.0.0");
    world.workspace().advisories("other", "");
    assert_eq!(world.check(&[]).json()["packages"], world.check(&[]).json()["packages"]);
    for directory in fs::read_dir(world.path("cache/facts")).unwrap().map(Result::unwrap) {
        for file in fs::read_dir(directory.path()).unwrap().map(Result::unwrap) {
            let bytes = fs::read(file.path()).unwrap();
            assert!(!bytes.windows(9).any(|it| it == b"once_cell"), "{:?}", file.path());
        }
    }
}

#[test]
fn an_inspected_crate_is_compared_too() {
    let mut world = World::new();
    world.add_harmless("oncecell", "1.0.0");
    let said =
        world.run(&["inspect", "oncecell@1.0.0", "--offline", "--format", "json", "--allow-unchecked"]);
    assert_eq!(rules(&said.json()["case"]), ["confusable-name"], "{}", said.stderr);
    let directory = world.path("workspace/unpacked");
    fs::create_dir_all(directory.join("src")).unwrap();
    fs::write(directory.join("Cargo.toml"), manifest("oncecell", "1.0.0")).unwrap();
    fs::write(directory.join("src/lib.rs"), "").unwrap();
    let said = world.run(&["inspect", "unpacked", "--offline", "--format", "json", "--allow-unchecked"]);
    assert_eq!(rules(&said.json()["case"]), ["confusable-name"], "{}", said.stderr);
}

/// A workspace whose lockfile fits, and then gets one more dependency in its second member.
fn with_dependency(dependency: &str) -> World {
    let mut world = World::new();
    world.add_harmless("harmless-fixture", "1.0.0");
    world.workspace().advisories("other", "");
    let root = world.path("workspace/Cargo.toml");
    let text = fs::read_to_string(&root).unwrap();
    fs::write(&root, format!("{text}[workspace]\nmembers = [\"members/*\"]\n")).unwrap();
    fs::create_dir_all(world.path("workspace/members/app/src")).unwrap();
    fs::write(world.path("workspace/members/app/src/lib.rs"), "").unwrap();
    let app = format!("{}[dependencies]\n{dependency}\n", manifest("app", "0.1.0"));
    fs::write(world.path("workspace/members/app/Cargo.toml"), app).unwrap();
    let lockfile = world.path("workspace/Cargo.lock");
    let text = fs::read_to_string(&lockfile).unwrap();
    fs::write(&lockfile, format!("{text}\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n")).unwrap();
    world
}

fn unresolved(said: &Said) -> Value {
    said.json()["unresolved_dependencies"].clone()
}

/// With `/`, whatever the platform writes.
fn manifest_of(dependency: &Value) -> String {
    dependency["manifest"].as_str().unwrap().replace('\\', "/")
}

#[test]
fn a_mistyped_dependency_is_asked_about() {
    let world = with_dependency("serde_jsn = \"1\"");
    let said = world.check(&[]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    assert!(said.stderr.contains("error: failed to check 1 dependency"), "{}", said.stderr);
    assert!(said.stderr.contains("\nhint: correct names"), "{}", said.stderr);
    let found = unresolved(&said);
    assert_eq!(found.as_array().unwrap().len(), 1, "{found:#}");
    let app = fs::read_to_string(world.path("workspace/members/app/Cargo.toml")).unwrap();
    let line = app.lines().position(|line| line.starts_with("serde_jsn")).unwrap() + 1;
    assert_eq!(manifest_of(&found[0]), "members/app/Cargo.toml");
    assert_eq!(found[0]["line"], line);
    assert_eq!((&found[0]["key"], &found[0]["severity"]), (&json!("serde_jsn"), &json!("medium")));
    let best = &found[0]["suggestions"][0];
    assert_eq!((&best["name"], &best["in_lockfile"]), (&json!("serde_json"), &json!(false)));
    // What is locked was checked all the same.
    assert_eq!(package(&said.json(), "harmless-fixture")["status"], "checked");
}

#[test]
fn a_mistyped_dependency_counts_like_a_medium_finding() {
    let world = with_dependency("serde_jsn = \"1\"");
    assert_eq!(world.check(&["--fail-on", "never"]).code, 2);
    assert_eq!(world.check(&["--allow-unchecked"]).code, 0);
    assert_eq!(world.check(&["--allow-unchecked", "--fail-on", "medium"]).code, 1);
}

#[test]
fn names_of_the_lockfile_are_suggested_as_well() {
    let world = with_dependency("harmless-fixtrue = \"1\"");
    let found = unresolved(&world.check(&[]));
    let best = &found[0]["suggestions"][0];
    assert_eq!(
        (&best["name"], &best["in_lockfile"]),
        (&json!("harmless-fixture"), &json!(true)),
        "{found:#}"
    );
}

#[test]
fn a_dependency_that_was_just_added_could_not_be_checked() {
    let world = with_dependency("rand = \"0.9\"");
    let said = world.check(&["--fail-on", "never"]);
    assert_eq!(said.code, 2);
    let found = unresolved(&said);
    assert_eq!((&found[0]["name"], &found[0]["suggestions"]), (&json!("rand"), &json!([])), "{found:#}");
    assert_eq!(world.check(&["--allow-unchecked", "--fail-on", "info"]).code, 0);
}

#[test]
fn a_lockfile_that_fits_lacks_nothing() {
    let world = with_dependency("json = { package = \"harmless-fixture\", version = \"1\" }");
    let said = world.check(&[]);
    assert_eq!((said.code, unresolved(&said)), (0, json!([])), "{}", said.stderr);
}

/// Whatever a manifest that cannot be read names was not checked.
#[test]
fn a_manifest_that_cannot_be_read_is_not_clean() {
    let world = with_dependency("");
    let member = world.path("workspace/members/app/Cargo.toml");
    let text = fs::read_to_string(&member).unwrap();
    for broken in [format!("{text}\nx = [").into_bytes(), b"\xff".to_vec()] {
        fs::write(&member, broken).unwrap();
        let said = world.check(&[]);
        assert_eq!(said.code, 2, "{}", said.stdout);
        assert!(said.stderr.contains("failed to compare every manifest with"), "{}", said.stderr);
        let unread = said.json()["unread_manifests"].clone();
        assert_eq!(unread.as_array().unwrap().len(), 1, "{unread:#}");
        assert_eq!(world.check(&["--allow-unchecked"]).code, 0);
    }
}

#[test]
fn a_lockfile_alone_is_not_compared_with_manifests() {
    let world = with_dependency("serde_jsn = \"1\"");
    let said = world.check(&["--lockfile", "Cargo.lock"]);
    assert_eq!((said.code, unresolved(&said)), (0, Value::Null), "{}", said.stderr);
    assert!(said.json()["notes"].to_string().contains("nor whether it lacks dependencies"));
}

#[test]
fn people_and_code_scanning_see_the_line_of_the_manifest() {
    let world = with_dependency("serde_jsn = \"1\"");
    let run =
        |format| world.run(&["check", "--offline", "--advisory-db", "../advisory-db", "--format", format]);
    let text = run("human").stdout.replace('\\', "/");
    for expected in ["not in the lockfile", "members/app/Cargo.toml:7", "did you mean `serde_json`?"] {
        assert!(text.contains(expected), "no `{expected}` in {text}");
    }
    let log = run("sarif").json();
    let results = log["runs"][0]["results"].as_array().unwrap().clone();
    let result = results.iter().find(|it| it["ruleId"] == "unresolved-dependency").unwrap();
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "members/app/Cargo.toml");
    assert_eq!(place["region"]["startLine"], 7);
    assert_eq!(world.run(&["explain", "unresolved-dependency"]).code, 0);
}

/// From a member's directory, paths are those that a person there can open.
#[test]
fn manifests_are_named_like_the_lockfile() {
    let world = with_dependency("serde_jsn = \"1\"");
    let arguments = ["check", "--offline", "--advisory-db", "../../../advisory-db", "--format", "json"];
    let mut command = world.command(&arguments);
    let said = world.said(&command.current_dir(world.path("workspace/members/app")).output().unwrap());
    let manifest = manifest_of(&unresolved(&said)[0]);
    assert_eq!(manifest, "[world]/workspace/members/app/Cargo.toml", "{}", said.stderr);
    assert_eq!(said.json()["lockfile"], "[world]/workspace/Cargo.lock");
}
