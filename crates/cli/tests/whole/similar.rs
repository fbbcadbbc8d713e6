//! Copies, found by `check`, `inspect` and `similar`.

use std::fs;

use cratekeeper_archive::CrateBuilder;

use crate::world::{World, manifest, rules};

const SOURCE: &str = "\
pub struct Queue { items: Vec<u64>, limit: usize }
impl Queue {
    pub fn new(limit: usize) -> Queue { Queue { items: Vec::with_capacity(limit), limit } }
    pub fn push(&mut self, item: u64) -> Result<(), u64> {
        if self.items.len() >= self.limit { return Err(item); }
        self.items.push(item);
        self.items.sort_unstable_by(|a, b| b.cmp(a));
        Ok(())
    }
    pub fn pop(&mut self) -> Option<u64> { self.items.pop() }
    pub fn sum(&self) -> u64 { self.items.iter().fold(0, |sum, item| sum.wrapping_add(*item)) }
}
";

fn package(name: &str, source: &str) -> Vec<u8> {
    let manifest = manifest(name, "1.0.0");
    CrateBuilder::new(name, "1.0.0").file("Cargo.toml", manifest).file("src/lib.rs", source).build()
}

fn changed() -> String {
    SOURCE.replace("self.items.pop()", "{ let _ = std::env::var(\"TOKEN\"); self.items.pop() }")
}

fn world() -> World {
    let mut world = World::new();
    world.add("queue", "1.0.0", &package("queue", SOURCE)).add(
        "queues",
        "1.0.0",
        &package("queues", &changed()),
    );
    world.add_harmless("other", "1.0.0");
    world
}

#[test]
fn check_finds_a_copy_in_whatever_order_packages_are_read() {
    let world = world();
    world.workspace();
    for jobs in ["1", "2"] {
        let said = world.run(&["check", "--offline", "--format", "json", "--allow-unchecked", "-j", jobs]);
        let document = said.json();
        for package in document["packages"].as_array().unwrap() {
            let is_copy = rules(&package["case"]).contains(&"copied-crate");
            assert_eq!(is_copy, package["name"] != "other" && package["name"] != "member", "{package:#}");
        }
    }
}

#[test]
fn what_differs_is_shown() {
    let world = world();
    world.workspace();
    let first = world.run(&["similar", "queues@1.0.0", "--offline"]);
    assert_eq!(first.code, 0, "nothing was seen yet: {}", first.stdout);
    world.run(&["inspect", "queue@1.0.0", "--offline"]);
    let said = world.run(&["similar", "queues@1.0.0", "--offline"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    for text in ["like queue 1.0.0", "of the source", "src/lib.rs:10", "fn Queue::pop"] {
        assert!(said.stdout.contains(text), "no `{text}` in {}", said.stdout);
    }
}

#[test]
fn an_index_is_built_and_asked() {
    let world = world();
    let registry = world.path("registry");
    let index = world.path("crates.index");
    let (registry, index) = (registry.to_str().unwrap(), index.to_str().unwrap());
    fs::write(world.path("registry/broken-1.0.0.crate"), b"no archive").unwrap();
    let said = world.run(&["similar", "--build", index, registry, "--offline", "--format", "json"]);
    assert_eq!(said.code, 2, "one archive cannot be read");
    assert_eq!(said.json()["versions"], 3);
    let said = world.run(&["similar", "--index", index, "queues@1.0.0", "--offline", "--format", "json"]);
    assert_eq!(said.code, 1);
    let document = said.json();
    assert_eq!(
        (&document["schema"], &document["similar"][0]["name"]),
        (&"cratekeeper.similar/1".into(), &"queue".into())
    );
    assert!(document["similar"][0]["source_percent"].as_u64().unwrap() > 80, "{document}");
}

#[test]
fn a_foreign_index_is_refused_with_a_hint() {
    let world = world();
    let said = world.run(&["similar", "--index", "Cargo.toml", "queues@1.0.0", "--offline"]);
    assert_eq!(said.code, 2);
    fs::write(world.path("workspace/foreign"), "text").unwrap();
    let said = world.run(&["similar", "--index", "foreign", "queues@1.0.0", "--offline"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("no index") && said.stderr.contains("hint:"), "{}", said.stderr);
}

#[test]
fn a_copy_is_found_by_comparing_it_with_its_original() {
    let world = world();
    let arguments =
        ["diff", "queue@1.0.0", "queues@1.0.0", "--offline", "--format", "json", "--allow-unchecked"];
    assert!(rules(&world.run(&arguments).json()["case"]).contains(&"copied-crate"));
}
