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
