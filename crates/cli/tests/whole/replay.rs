//! Timelines, replayed by the real program.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::world::{World, refused};

fn write(world: &World, path: &str, text: &str) {
    let path = world.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn manifest(name: &str, version: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n\n[dependencies]\n{dependencies}"
    )
}

/// The pattern of August 2026: a sleeping crate whose versions are withdrawn gets its first dependency, on a stranger's newborn.
fn takeover(world: &World, malicious: &str) {
    for (name, version, dependencies) in [
        ("demo", "1.0.0", ""),
        ("demo", "1.0.1", ""),
        ("demo", "1.0.2", "helper = \"1\"\n"),
        ("helper", "1.0.0", ""),
    ] {
        let directory = format!("takeover/{name}-{version}");
        write(world, &format!("{directory}/Cargo.toml"), &manifest(name, version, dependencies));
        write(
            world,
            &format!("{directory}/src/lib.rs"),
            "//! Adds.\n\n/// Adds.\npub fn add(a: u8, b: u8) -> u8 {\n    a + b\n}\n",
        );
    }
    let baseline = |version: &str, at: &str| {
        format!(
            "[[baseline]]\ncrate = \"demo\"\nversion = \"{version}\"\ndir = \"demo-{version}\"\nat = \"{at}\"\nby = \"alice\"\nmethod = \"token\"\n"
        )
    };
    let event = |at: &str, action: &str, rest: &str| {
        format!("[[event]]\nat = \"{at}\"\naction = \"{action}\"\n{rest}\n")
    };
    let text = [
        "id = \"takeover\"\ntitle = \"a takeover\"\n".to_owned(),
        baseline("1.0.0", "-2000d"),
        baseline("1.0.1", "-1000d"),
        event("-5h", "publish", "crate = \"helper\"\nversion = \"1.0.0\"\ndir = \"helper-1.0.0\"\nby = \"mallory\"\nmethod = \"token\""),
        event("-61m", "yank", "crate = \"demo\"\nversion = \"1.0.0\"\nby = \"alice\""),
        event("-61m", "yank", "crate = \"demo\"\nversion = \"1.0.1\"\nby = \"alice\""),
        event("-60m", "publish", &format!("crate = \"demo\"\nversion = \"1.0.2\"\ndir = \"demo-1.0.2\"\nby = \"alice\"\nmethod = \"token\"\n{malicious}")),
        event("-30m", "fetch", "crate = \"demo\"\nby = \"victim-1\""),
        event("-20m", "fetch", "crate = \"demo\"\nversion = \"1.0.1\"\nby = \"victim-2\""),
    ]
    .concat();
    write(world, "takeover/timeline.toml", &text);
}

fn replayed(world: &World, arguments: &[&str]) -> (i32, Value) {
    let mut all = vec!["replay", "--format", "json"];
    all.extend(arguments);
    let said = world.run(&all);
    (said.code, said.json())
}

#[test]
fn a_takeover_is_caught_before_the_first_fetch() {
    let world = World::new();
    takeover(&world, "malicious = true");
    let (code, document) = replayed(&world, &["../takeover"]);
    assert_eq!(document["schema"], "cratekeeper.replay/1");
    let incident = &document["incidents"][0];
    assert_eq!(code, 0, "{document:#}");
    assert_eq!((&incident["id"], &incident["caught"]), (&json!("takeover"), &json!(true)));
    assert_eq!((&incident["fetches_before"], &incident["fetches_after"]), (&json!(1), &json!(0)));
    assert_eq!((&incident["exposed"], &incident["first_signal"]), (&json!(0), &json!(-3600)));
    let released = incident["versions"].as_array().unwrap().iter().find(|it| it["crate"] == "demo").unwrap();
    for technique in [31, 33, 39, 64] {
        assert!(released["techniques"].as_array().unwrap().contains(&json!(technique)), "{released:#}");
    }
    let human = world.run(&["replay", "../takeover/timeline.toml"]);
    assert!(human.stdout.contains("takeover  caught"), "{}", human.stdout);
    assert!(human.stdout.contains("1 of 1 timeline caught"), "{}", human.stdout);
}

#[test]
fn policy_decides_who_gets_what() {
    let world = World::new();
    takeover(&world, "malicious = true");
    write(&world, "lax.toml", "");
    let (code, document) = replayed(&world, &["../takeover", "--policy", "../lax.toml"]);
    let incident = &document["incidents"][0];
    assert_eq!((code, &incident["caught"]), (0, &json!(true)), "detection is not policy's business");
    assert_eq!(
        (&incident["exposed_versions"], &incident["verdict"]),
        (&json!(["demo@1.0.2"]), &json!("allow"))
    );
    assert_eq!(incident["fetches_after"], 1);
}

#[test]
fn what_is_missed_gives_1_and_what_cannot_be_replayed_2() {
    let world = World::new();
    write(&world, "plain/demo-1.0.0/Cargo.toml", &manifest("demo", "1.0.0", ""));
    write(&world, "plain/demo-1.0.0/src/lib.rs", "//! Nothing.\n");
    let text = |dir: &str| {
        format!(
            "id = \"plain\"\n[[event]]\nat = \"-1h\"\naction = \"publish\"\ncrate = \"demo\"\nversion = \"1.0.0\"\ndir = \"{dir}\"\nby = \"alice\"\nmalicious = true\n"
        )
    };
    write(&world, "plain/timeline.toml", &text("demo-1.0.0"));
    let (code, document) = replayed(&world, &["../plain"]);
    assert_eq!((code, &document["incidents"][0]["caught"]), (1, &json!(false)));
    write(&world, "plain/timeline.toml", &text("not-there"));
    let (code, document) = replayed(&world, &["../plain"]);
    assert_eq!(code, 2, "{document:#}");
    assert!(document["incidents"][0]["problems"][0].as_str().unwrap().contains("could not be read"));
}

#[cfg(unix)]
#[test]
fn files_outside_of_the_timeline_are_not_read() {
    let world = World::new();
    write(&world, "elsewhere/Cargo.toml", &manifest("demo", "1.0.0", ""));
    write(&world, "elsewhere/src/lib.rs", "//! Nothing.\n");
    let text = "id = \"plain\"\n[[event]]\nat = \"-1h\"\naction = \"publish\"\ncrate = \"demo\"\nversion = \"1.0.0\"\ndir = \"demo\"\nby = \"alice\"\n";
    write(&world, "plain/timeline.toml", text);
    write(&world, "plain/inside/src/lib.rs", "//! Nothing.\n");
    write(&world, "plain/inside/Cargo.toml", &manifest("demo", "1.0.0", ""));
    std::os::unix::fs::symlink("../elsewhere", world.path("plain/demo")).unwrap();
    let (code, document) = replayed(&world, &["../plain"]);
    let problem = document["incidents"][0]["problems"][0].as_str().unwrap_or_default();
    assert!(code == 2 && problem.contains("leads out of the timeline's directory"), "{document:#}");
    fs::remove_file(world.path("plain/demo")).unwrap();
    std::os::unix::fs::symlink("inside", world.path("plain/demo")).unwrap();
    assert_eq!(replayed(&world, &["../plain"]).1["incidents"][0]["problems"], json!([]));
}

#[test]
fn a_mistyped_field_is_refused_with_its_line() {
    let world = World::new();
    takeover(&world, "malicous = true");
    refused(&world.run(&["replay", "../takeover"]), &["timeline.toml", "line ", "malicous"]);
    refused(&world.run(&["replay", "../nowhere.toml"]), &["nowhere.toml"]);
    let sarif = world.run(&["replay", "../takeover", "--format", "sarif"]);
    refused(&sarif, &["SARIF"]);
}

/// The timelines of the project: each can be replayed as a whole. How many are caught is measured, not tested here.
#[test]
fn all_timelines_of_the_project_can_be_replayed() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents");
    let mut paths: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("timeline.toml").is_file())
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    paths.sort();
    assert!(paths.len() >= 30, "{paths:?}");
    let arguments: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (code, document) = replayed(&World::new(), &arguments);
    assert_ne!(code, 2, "{document:#}");
    for incident in document["incidents"].as_array().unwrap() {
        assert_eq!(incident["problems"], json!([]), "{incident:#}");
    }
}
