//! `check` over a workspace with a registry of hand-made crates.

use std::fs;

use cratekeeper_archive::CrateBuilder;

use crate::world::{World, manifest, package, rules};

/// A crate with a build script, a proc macro's harmless twin, and one that an advisory names.
fn world() -> World {
    let mut world = World::new();
    world.add_harmless("harmless", "1.0.0").add_harmless("vulnerable", "1.2.3");
    let with_build_script = CrateBuilder::new("builder", "0.3.0")
        .file("Cargo.toml", manifest("builder", "0.3.0"))
        .file("build.rs", "fn main() {}\n")
        .file("src/lib.rs", "")
        .build();
    world.add("builder", "0.3.0", &with_build_script);
    world.workspace().advisories("vulnerable", "");
    world
}

#[test]
fn a_workspace_is_checked_with_kinds_from_the_machines_cargo() {
    let world = world();
    let said = world.check(&[]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let document = said.json();
    assert_eq!(document["schema"], "cratekeeper.check/1");
    assert_eq!(document["summary"]["packages"], 4);
    assert_eq!(document["summary"]["checked"], 3);
    assert_eq!(document["summary"]["could_not_check"], 0);
    assert_eq!(document["summary"]["findings"]["high"], 1);
    assert_eq!(package(&document, "member")["status"], "local");
    let vulnerable = package(&document, "vulnerable");
    assert_eq!(vulnerable["status"], "checked");
    assert_eq!(vulnerable["kinds"], serde_json::json!(["normal"]));
    assert_eq!(rules(&vulnerable["case"]), ["vulnerable-version"]);
    let builder = package(&document, "builder");
    assert_eq!(rules(&builder["case"]), ["build-script"]);
    assert_eq!(builder["case"]["level"], "info");
    let harmless = package(&document, "harmless");
    assert_eq!(harmless["case"]["level"], "none");
    assert_eq!(harmless["case"]["score"], 0);
    assert!(harmless["id"].as_str().unwrap().ends_with("#harmless@1.0.0"), "{harmless:#}");
}

#[test]
fn a_lockfile_alone_is_checked_without_cargo() {
    let world = world();
    fs::remove_file(world.path("workspace/Cargo.toml")).unwrap();
    let mut command = world.command(&["check", "--offline", "--format", "json", "--lockfile", "Cargo.lock"]);
    // No program can be started by name.
    command.args(["--advisory-db", "../advisory-db"]).env("PATH", "");
    let said = world.said(&command.output().unwrap());
    assert_eq!(said.code, 1, "{}", said.stderr);
    let document = said.json();
    assert_eq!(document["summary"]["checked"], 3);
    assert_eq!(package(&document, "vulnerable")["kinds"], serde_json::json!([]));
}

#[test]
fn fail_on_and_exit_codes_agree() {
    let world = world();
    for (fail_on, code) in
        [("never", 0), ("critical", 0), ("high", 1), ("info", 1), ("block", 0), ("review", 1)]
    {
        assert_eq!(world.check(&["--fail-on", fail_on]).code, code, "--fail-on {fail_on}");
    }
    let said = world.check(&["--fail-on", "somewhat"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("expected info, low"), "{}", said.stderr);
}

#[test]
fn a_missing_package_is_not_clean() {
    let world = world();
    fs::remove_file(world.path("registry/harmless-1.0.0.crate")).unwrap();
    let said = world.check(&["--fail-on", "never"]);
    assert_eq!(said.code, 2);
    let document = said.json();
    assert_eq!(package(&document, "harmless")["status"], "could_not_check");
    assert_eq!(document["summary"]["could_not_check"], 1);
    assert_eq!(world.check(&["--fail-on", "never", "--allow-unchecked"]).code, 0);
}

#[test]
fn bytes_that_were_not_promised_are_not_inspected() {
    let world = world();
    let other = CrateBuilder::new("harmless", "1.0.0").file("src/lib.rs", "pub fn other() {}").build();
    fs::write(world.path("registry/harmless-1.0.0.crate"), other).unwrap();
    let said = world.check(&[]);
    assert_eq!(said.code, 2);
    let document = said.json();
    let harmless = package(&document, "harmless");
    assert_eq!(rules(&harmless["case"]), ["checksum-mismatch"]);
    assert_eq!(harmless["case"]["level"], "block");
    // Also when a good copy was analysed before.
    let mut fresh = World::new();
    fresh.add_harmless("a", "1.0.0").workspace().advisories("b", "");
    assert_eq!(fresh.check(&[]).code, 0);
    fs::write(fresh.path("registry/a-1.0.0.crate"), b"changed").unwrap();
    assert_eq!(fresh.check(&[]).code, 2);
}

#[test]
fn hostile_archives_are_findings_and_the_rest_goes_on() {
    let mut world = world();
    let link = CrateBuilder::new("linked", "1.0.0")
        .file("Cargo.toml", manifest("linked", "1.0.0"))
        .file("src/lib.rs", "")
        .symlink("src/x.rs", "../../outside")
        .build();
    world.add("linked", "1.0.0", &link).add("broken", "1.0.0", b"this is no gzip");
    world.workspace();
    let said = world.check(&[]);
    assert_eq!(said.code, 2);
    let document = said.json();
    let linked = package(&document, "linked");
    assert_eq!(linked["status"], "partial");
    assert_eq!(rules(&linked["case"]), ["archive-refused"]);
    let broken = package(&document, "broken");
    assert_eq!(broken["status"], "could_not_check");
    assert_eq!(rules(&broken["case"]), ["archive-refused"]);
    assert_eq!(package(&document, "harmless")["status"], "checked");
}

#[test]
fn yanked_versions_are_told_from_the_local_index() {
    let mut world = World::new();
    let bytes = CrateBuilder::new("gone", "1.0.0")
        .file("Cargo.toml", manifest("gone", "1.0.0"))
        .file("src/lib.rs", "")
        .build();
    world.add_yankable("gone", "1.0.0", &bytes, true);
    world.workspace().advisories("other", "");
    let said = world.check(&[]);
    assert_eq!(rules(&package(&said.json(), "gone")["case"]), ["yanked-version"], "{}", said.stderr);
}

#[test]
fn the_tree_cannot_make_a_check_run_anything() {
    let world = world();
    let tripped = world.path("tripped");
    let wire = world.path("workspace/wire.sh");
    fs::write(&wire, format!("#!/bin/sh\ntouch '{}'\nexec \"$@\"\n", tripped.display())).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&wire, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::create_dir_all(world.path("workspace/.cargo")).unwrap();
    let config = format!("[build]\nrustc-wrapper = {0:?}\nrustc = {0:?}\n", wire.to_str().unwrap());
    fs::write(world.path("workspace/.cargo/config.toml"), config).unwrap();
    let said = world.check(&[]);
    assert!(!tripped.exists(), "the wrapper of the tree ran");
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert_eq!(
        package(&said.json(), "harmless")["kinds"],
        serde_json::json!(["normal"]),
        "cargo was not asked"
    );
    // The wire works: plain cargo trips it.
    let cargo =
        world.command_of("cargo", &["metadata", "--offline", "--format-version", "1"]).output().unwrap();
    assert!(
        tripped.exists(),
        "cargo no longer runs a wrapper here: {}",
        String::from_utf8_lossy(&cargo.stderr)
    );
}

#[test]
fn cargo_passes_its_subcommand_as_first_argument() {
    let world = world();
    let program = env!("CARGO_BIN_EXE_cargo-cratekeeper");
    let arguments = ["cratekeeper", "check", "--offline", "--advisory-db", "../advisory-db"];
    let said = world.said(&world.command_of(program, &arguments).output().unwrap());
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stdout.contains("RUSTSEC-2026-9001"), "{}", said.stdout);
}

#[test]
fn a_damaged_cache_is_rebuilt() {
    let world = world();
    let first = world.check(&[]);
    let mut damaged = 0;
    for directory in fs::read_dir(world.path("cache/facts")).unwrap().map(Result::unwrap) {
        for file in fs::read_dir(directory.path()).unwrap().map(Result::unwrap) {
            let mut bytes = fs::read(file.path()).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
            fs::write(file.path(), bytes).unwrap();
            damaged += 1;
        }
    }
    assert_eq!(damaged, 3);
    let second = world.check(&[]);
    assert_eq!(first.json()["packages"], second.json()["packages"]);
    assert!(second.stderr.contains("rebuilding the facts"), "{}", second.stderr);
    assert!(!world.check(&[]).stderr.contains("rebuilding"));
}

#[test]
fn without_a_database_everything_else_is_said_and_the_run_fails() {
    let world = world();
    let said = world.run(&["check", "--offline", "--format", "json"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("error: failed to look for advisories"), "{}", said.stderr);
    assert!(said.stderr.contains("hint: run `cratekeeper advisories update`"), "{}", said.stderr);
    let document = said.json();
    assert_eq!(document["summary"]["checked"], 3);
    let not_evaluated = package(&document, "harmless")["case"]["not_evaluated"].as_array().unwrap().clone();
    assert!(not_evaluated.iter().any(|it| it["rule"] == "vulnerable-version"), "{not_evaluated:?}");
    let allowed = world.run(&["check", "--offline", "--format", "json", "--allow-unchecked"]);
    assert_eq!(allowed.code, 0, "{}", allowed.stderr);
}

#[test]
fn an_old_database_is_refused_when_asked() {
    let world = world();
    let file = world.path("advisory-db/crates/vulnerable/RUSTSEC-2026-9001.md");
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(24 * 30);
    fs::File::options().append(true).open(file).unwrap().set_modified(old).unwrap();
    assert_eq!(world.check(&["--max-advisory-age", "31"]).code, 1);
    let said = world.check(&["--max-advisory-age", "29"]);
    assert_eq!(said.code, 2);
    assert!(said.stdout.is_empty());
    assert!(said.stderr.contains("30 days old"), "{}", said.stderr);
}

#[test]
fn an_advisory_that_cannot_be_read_is_visible_and_may_be_the_one_that_matters() {
    let mut world = World::new();
    world.add_harmless("harmless-fixture", "1.0.0");
    world.workspace().advisories("other", "");
    let broken = |name: &str| {
        let directory = world.path(&format!("advisory-db/crates/{name}"));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("RUSTSEC-2026-9009.md");
        fs::write(&file, "no advisory").unwrap();
        file
    };
    let about_another = broken("another");
    let said = world.check(&[]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains("warning: 1 advisory cannot be read"), "{}", said.stderr);
    fs::remove_file(about_another).unwrap();
    broken("harmless-fixture");
    let said = world.check(&[]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("RUSTSEC-2026-9009.md"), "{}", said.stderr);
    assert_eq!(world.check(&["--allow-unchecked"]).code, 0);
}
