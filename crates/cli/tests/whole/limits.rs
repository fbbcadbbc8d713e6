//! Packages that cost too much: their own outcome, and nobody else's.

use cratekeeper_archive::CrateBuilder;

use crate::world::{World, manifest, package};

/// A harmless crate, and one whose source needs far more memory than the other.
fn world() -> World {
    let mut world = World::new();
    world.add_harmless("small", "1.0.0");
    let source = "pub fn f(x: u8) -> u8 { x + 1 + 2 + 3 }\n".repeat(200_000);
    let large = CrateBuilder::new("large", "1.0.0")
        .file("Cargo.toml", manifest("large", "1.0.0"))
        .file("src/lib.rs", source)
        .build();
    world.add("large", "1.0.0", &large);
    world.workspace().advisories("other", "");
    world
}

#[test]
#[cfg(unix)]
fn a_package_that_needs_too_much_memory_is_reported_and_the_rest_goes_on() {
    let world = world();
    let said = world.check(&["--package-memory", "160"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    let document = said.json();
    let large = package(&document, "large");
    assert_eq!(large["status"], "could_not_check");
    assert!(large["reason"].as_str().unwrap().contains("ended unexpectedly"), "{large:#}");
    assert_eq!(package(&document, "small")["status"], "checked");
    // Nothing of the failure is remembered.
    assert_eq!(world.check(&[]).code, 0);
}

#[test]
fn a_package_that_takes_too_long_is_reported() {
    let world = world();
    let said = world.check(&["--package-timeout", "0.000001"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    let large = package(&said.json(), "large").clone();
    assert_eq!(large["status"], "could_not_check");
    assert!(large["reason"].as_str().unwrap().contains("took longer"), "{large:#}");
}

/// What is said of a package that the graph of the workspace lacks.
fn refused<'a>(document: &'a serde_json::Value, name: &str) -> Option<&'a str> {
    let refused = document["refused"].as_array().unwrap();
    let of = |it: &&serde_json::Value| it["package"].as_str().is_some_and(|it| it.starts_with(name));
    refused.iter().find(of).and_then(|it| it["reason"].as_str())
}

#[test]
#[cfg(unix)]
fn the_graph_of_a_package_that_needs_too_much_memory_is_refused_and_the_rest_is_whole() {
    let world = world();
    let survey = |memory: &str, store: &str| {
        let always = ["survey", "--lockfile", "-o", store, "--offline", "--quiet", "--format", "json"];
        world.run(&[&always[..], &["--package-memory", memory]].concat())
    };
    let said = survey("400", "../little");
    assert_eq!(said.code, 2, "{}", said.stderr);
    let document = said.json();
    assert!(refused(&document, "large").unwrap().contains("ended unexpectedly"), "{document:#}");
    assert_eq!(document["refused"].as_array().unwrap().len(), 1, "{document:#}");
    let functions = |store| {
        let said = world.run(&["graph", "search", store, "small::answer", "--format", "json"]);
        said.json()["functions"].as_array().unwrap().len()
    };
    assert_eq!(functions("../little"), 1);
    let said = survey("3072", "../much");
    assert_eq!((said.code, functions("../much")), (0, 1), "{}", said.stderr);
}

#[test]
fn the_graph_of_a_package_that_takes_too_long_is_refused() {
    let world = world();
    let arguments = ["survey", "--lockfile", "-o", "../store", "--offline", "--quiet", "--format", "json"];
    // Manifests are in the cache, so that what takes too long is reading for the graph.
    assert_eq!(world.check(&[]).code, 0);
    let said = world.run(&[&arguments[..], &["--package-timeout", "0.000001"]].concat());
    assert_eq!(said.code, 2, "{}", said.stderr);
    let document = said.json();
    assert!(refused(&document, "small").unwrap().contains("took longer"), "{document:#}");
}

#[test]
fn source_that_would_overflow_the_parser_is_scanned_and_said() {
    let mut world = World::new();
    let source = format!("pub fn f() {{ g(); {}1{} }}", "(".repeat(100_000), ")".repeat(100_000));
    let bytes = CrateBuilder::new("nested", "1.0.0")
        .file("Cargo.toml", manifest("nested", "1.0.0"))
        .file("src/lib.rs", source)
        .build();
    world.add("nested", "1.0.0", &bytes).workspace().advisories("other", "");
    let document = world.check(&[]).json();
    let nested = package(&document, "nested");
    assert_eq!(nested["status"], "partial", "{nested:#}");
    assert!(
        nested["case"]["findings"].as_array().unwrap().iter().any(|it| it["rule"] == "unparsed-rust-file")
    );
}
