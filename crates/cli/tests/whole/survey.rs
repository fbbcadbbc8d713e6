//! `cratekeeper survey` over archives and lockfiles: what is added, what is refused, and what a second run does.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::tree::{Tree, archive};
use crate::world::{Said, World, refused};

const BASE: &str = "pub fn danger() { unsafe { inner() } }\nunsafe fn inner() {}\n";

/// Puts an archive into the directory that is surveyed.
fn mirror(world: &World, name: &str, version: &str, more: &str, text: &str) -> PathBuf {
    let directory = world.path("mirror").join(name);
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{name}-{version}.crate"));
    fs::write(&path, archive(name, version, more, &[("src/lib.rs", text)])).unwrap();
    path
}

fn world() -> World {
    let world = World::new();
    mirror(&world, "base", "1.0.0", "", BASE);
    mirror(&world, "base", "1.2.0", "", BASE);
    mirror(&world, "base", "2.0.0", "", "pub fn danger() {}\n");
    mirror(&world, "user", "0.1.0", "[dependencies]\nbase = \"1\"\n", "pub fn call() { base::danger() }\n");
    world
}

fn survey(world: &World, arguments: &[&str]) -> Said {
    let always = ["-o", "../store", "--offline", "--quiet", "--format", "json"];
    world.run(&[&["survey"], arguments, &always].concat())
}

/// The fields `added`, `known_before` and `refused_now`.
#[track_caller]
fn counts(said: &Said, code: i32) -> [u64; 3] {
    assert_eq!(said.code, code, "{}\n{}", said.stderr, said.stdout);
    let document = said.json();
    ["added", "known_before", "refused_now"].map(|it| document[it].as_u64().unwrap())
}

fn figure(document: &Value, name: &str) -> Value {
    let figures = document["figures"].as_array().unwrap();
    figures.iter().find(|it| it["figure"] == name).unwrap()["all"].clone()
}

fn edges(world: &World) -> String {
    let said = world.run(&["graph", "edges", "../store", "--with-versions"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    said.stdout
}

#[test]
fn a_directory_of_other_files_is_left_alone() {
    let world = world();
    fs::create_dir_all(world.path("store")).unwrap();
    fs::write(world.path("store/letter.txt"), "dear").unwrap();
    refused(&survey(&world, &["../mirror"]), &["holds other files, and no store", "--output"]);
    let left: Vec<_> = fs::read_dir(world.path("store")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["letter.txt"]);
    fs::remove_file(world.path("store/letter.txt")).unwrap();
    assert_eq!(counts(&survey(&world, &["../mirror"]), 0), [4, 0, 0], "an empty one is as good as none");
}

#[test]
fn a_second_run_adds_what_is_new_and_nothing_else() {
    let world = world();
    let first = survey(&world, &["../mirror"]);
    assert_eq!(counts(&first, 0), [4, 0, 0]);
    assert_eq!(figure(&first.json(), "using_unsafe"), json!(2));
    assert_eq!(figure(&first.json(), "calling_into_a_crate_using_unsafe"), json!(1));
    let before = edges(&world);
    assert!(before.contains("user@0.1.0::call\tbase@1.2.0::danger\tcall\texact"), "{before}");
    let second = survey(&world, &["../mirror"]);
    assert_eq!(counts(&second, 0), [0, 4, 0]);
    assert_eq!(second.json()["bytes_of_source"], 0, "nothing was read");
    assert_eq!(edges(&world), before);
    // A new version that the requirement takes: the dependent is not added again, and its call leads elsewhere.
    mirror(&world, "base", "1.3.0", "", "pub fn danger() {}\n");
    assert_eq!(counts(&survey(&world, &["../mirror"]), 0), [1, 4, 0]);
    assert!(edges(&world).contains("user@0.1.0::call\tbase@1.3.0::danger\tcall\texact"));
}

#[test]
fn damaged_archives_are_refused_each_time_until_they_are_replaced() {
    let world = world();
    let path = mirror(&world, "broken", "1.0.0", "", "pub fn whole() { part() }\nfn part() {}\n");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let first = survey(&world, &["../mirror"]);
    assert_eq!(counts(&first, 2), [5, 0, 1]);
    assert!(first.stderr.contains("1 package was refused"), "{}", first.stderr);
    let refused = &first.json()["refused"][0];
    assert_eq!(refused["package"], "broken@1.0.0", "{refused}");
    assert!(refused["reason"].as_str().is_some_and(|it| !it.is_empty()));
    assert_eq!(counts(&survey(&world, &["../mirror"]), 2), [0, 5, 1], "it is not clean the second time");
    assert_eq!(counts(&survey(&world, &["../mirror", "--allow-unchecked"]), 0), [0, 5, 1]);
    fs::write(&path, whole).unwrap();
    assert_eq!(counts(&survey(&world, &["../mirror"]), 0), [1, 4, 0]);
    assert!(edges(&world).contains("broken@1.0.0::whole\tbroken@1.0.0::part"));
    assert_eq!(counts(&survey(&world, &["../mirror"]), 0), [0, 5, 0]);
}

#[test]
fn a_file_that_is_no_rust_is_counted_and_no_failure() {
    let world = world();
    mirror(&world, "odd", "1.0.0", "", "pub fn f() { g() }\nfn g() {}\nfn fn ) {\n");
    let said = survey(&world, &["../mirror"]);
    assert_eq!(counts(&said, 0), [5, 0, 0]);
    assert_eq!(said.stderr, "");
}

fn tree() -> Tree {
    let mut tree = Tree::new();
    tree.publish("base", "1.0.0", "", &[("src/lib.rs", BASE)], &[]);
    tree.member(
        "[dependencies]\nbase = \"1\"\n",
        &[("src/lib.rs", "pub fn start() { base::danger() }\n")],
        &["base"],
    );
    tree
}

#[test]
fn a_lockfile_is_named_in_three_ways() {
    for arguments in [&["--lockfile"][..], &["--lockfile", "Cargo.lock"], &["--lockfile=Cargo.lock"]] {
        let tree = tree();
        assert_eq!(counts(&survey(&tree.world, arguments), 0), [2, 0, 0], "{arguments:?}");
        assert!(edges(&tree.world).contains("member@0.1.0::start\tbase@1.0.0::danger\tcall\texact"));
    }
    let world = tree().world;
    refused(&survey(&world, &["--lockfile", "no-such.lock"]), &["`no-such.lock`"]);
    refused(&survey(&world, &["--lockfile=Cargo.lock", "Cargo.lock"]), &["two lockfiles"]);
}

#[test]
fn a_store_holds_the_answers_of_a_mirror_and_of_a_lockfile() {
    let tree = tree();
    mirror(&tree.world, "base", "1.0.0", "", BASE);
    assert_eq!(counts(&survey(&tree.world, &["../mirror"]), 0), [1, 0, 0]);
    assert_eq!(counts(&survey(&tree.world, &["--lockfile"]), 0)[2], 0);
    refused(&tree.world.run(&["graph", "stats", "../store"]), &["`newest`", "`lockfile`", "--table"]);
    let callers = |table| {
        let arguments = ["callers", "../store", "base::danger", "--table", table, "--format", "json"];
        let said = tree.world.run(&[&["graph"], &arguments[..]].concat());
        said.json()["calls"].as_array().unwrap().len()
    };
    assert_eq!((callers("newest"), callers("lockfile")), (0, 1));
}
