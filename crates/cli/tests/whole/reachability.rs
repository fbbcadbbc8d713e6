//! Reachability in `check`, VEX, and the lint of advisories.

use crate::world::{World, refused, rules};

fn world() -> World {
    let mut world = World::new();
    world.add_harmless("vulnerable", "1.2.3");
    world.workspace().advisories("vulnerable", "aliases = [\"CVE-2026-0001\"]");
    world
}

#[test]
fn reachability_has_to_be_asked_for_and_changes_no_finding() {
    let world = world();
    let (without, with) = (world.check(&[]), world.check(&["--reachability", "on"]));
    assert_eq!((without.code, with.code), (1, 1), "{}", with.stderr);
    let finding = |said: &crate::world::Said| {
        let document = said.json();
        let case = &crate::world::package(&document, "vulnerable")["case"];
        assert_eq!(rules(case), ["vulnerable-version"]);
        case["findings"][0].clone()
    };
    assert!(finding(&without).get("reachability").is_none());
    assert!(finding(&with)["reachability"]["answer"].is_string());
    assert_eq!(finding(&with)["severity"], finding(&without)["severity"]);
}

#[test]
fn vex_is_for_check_alone_and_names_the_workspace() {
    let world = world();
    let arguments =
        ["check", "--offline", "--advisory-db", "../advisory-db", "--format", "vex", "--vex-author", "me"];
    let mut command = world.command(&arguments);
    let said = world.said(&command.env("SOURCE_DATE_EPOCH", "0").output().unwrap());
    let document = said.json();
    assert_eq!(document["timestamp"], "1970-01-01T00:00:00Z");
    assert_eq!(document["author"], "me");
    let statement = &document["statements"][0];
    assert_eq!(statement["vulnerability"]["aliases"][0], "CVE-2026-0001");
    assert_eq!(statement["products"][0]["@id"], "pkg:cargo/member@0.1.0");
    assert_eq!(statement["products"][0]["subcomponents"][0]["@id"], "pkg:cargo/vulnerable@1.2.3");
    assert!(statement["status"].is_string());
    refused(&world.run(&["explain", "--format", "vex"]), &["only `check`"]);
}

#[test]
fn functions_of_advisories_are_linted() {
    let world = world();
    let lint = |world: &World| {
        world.run(&["advisories", "lint", "--database", "../advisory-db", "--format", "json"])
    };
    assert_eq!(lint(&world).code, 0);
    let functions = |path: &str, range: &str| format!("[affected.functions]\n\"{path}\" = [\"{range}\"]");
    world.advisories("vulnerable", &functions("vulnerable::f", "< 2.0.0"));
    assert_eq!(lint(&world).code, 2, "its crate is not in cargo's cache");
    world.advisories("vulnerable", &functions("other::T<U>::f", ">= 1.0.0"));
    let said = lint(&world);
    assert_eq!(said.code, 1);
    let document = said.json();
    let faults: Vec<_> =
        document["remarks"].as_array().unwrap().iter().map(|it| it["fault"].clone()).collect();
    assert_eq!(faults, ["generics", "wrong_crate", "range_too_wide"]);
    let said = world.run(&["advisories", "lint", "--database", "../advisory-db"]);
    for hint in
        ["leave out what stands in `<…>`", "begin it with `vulnerable::`", "end the range before 2.0.0"]
    {
        assert!(said.stdout.contains(&format!("  hint: {hint}")), "{}", said.stdout);
    }
}
