//! Detection keeps what it reached, on the project's own fixtures and replicas of incidents.

use std::path::Path;

use serde_json::Value;

use crate::world::World;

/// The project's directory.
fn project() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap().display().to_string()
}

fn share(totals: &Value, fields: &[&str]) -> (u64, u64) {
    let sum = |part: &str| fields.iter().map(|it| totals[it][part].as_u64().unwrap()).sum();
    (sum("hits"), sum("of"))
}

/// What `cargo xtask evaluate detection` prints in full. The halves that were not looked at count with the others.
#[test]
fn techniques_are_named_chains_alert_and_incidents_are_caught() {
    let world = World::new();
    let (fixtures, incidents) =
        (format!("{}/tests/detection/techniques", project()), format!("{}/incidents", project()));
    let arguments =
        ["evaluate", "--fixtures", &fixtures, "--incidents", &incidents, "--offline", "--format", "json"];
    let said = world.run(&arguments);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let document = said.json();
    assert_eq!(document["schema"], "cratekeeper.evaluation/1");
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/schema/evaluation.schema.json")).unwrap();
    for field in schema["required"].as_array().unwrap() {
        assert!(document.get(field.as_str().unwrap()).is_some(), "{field}");
    }
    let totals = &document["totals"];
    let (named, positives) = share(totals, &["positives_named", "positives_named_held_out"]);
    assert!(positives == 128 && named * 100 >= positives * 95, "{named} of {positives} techniques are named");
    let (alerts, chains) = share(totals, &["chains_at_alert"]);
    assert!(chains == 63 && alerts * 100 >= chains * 95, "{alerts} of {chains} chains alert");
    let (raised, twins) = share(totals, &["twins_at_alert", "twins_at_alert_held_out"]);
    assert!(twins == 128 && raised * 100 <= twins * 5, "{raised} of {twins} harmless twins alert");
    assert_eq!(share(totals, &["incidents_caught"]), (15, 15), "{:#}", document["incidents"]);
    assert_eq!(share(totals, &["harmless_at_alert"]), (0, 15), "{:#}", document["incidents"]);
}

#[test]
fn nothing_to_measure_is_an_error() {
    let said = World::new().run(&["evaluate"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("there is nothing to measure") && said.stderr.contains("--fixtures"));
}

#[test]
fn a_fixture_whose_name_says_nothing_is_an_error() {
    let world = World::new();
    let directory = world.path("fixtures/01-demo");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("something.fixture"), "=== Cargo.toml\n").unwrap();
    let said = world.run(&["evaluate", "--fixtures", world.path("fixtures").to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("is not named"), "{}", said.stderr);
}
