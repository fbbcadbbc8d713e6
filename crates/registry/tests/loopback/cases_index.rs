//! Index entries: fresh, refreshed, stale, gone.

use std::time::{Duration, SystemTime};

use cratekeeper_model::{Checksum, PackageSource};
use cratekeeper_registry::{IndexError, Network};
use fs_err as fs;

use super::server::{Reply, Server, World, files, line, package};

const PATH: &str = "/de/mo/demo";

fn body(yanked: bool) -> String {
    let checksum = Checksum::of(b"");
    format!("{}\n{}\n", line("demo", "1.0.0", &checksum, yanked), line("demo", "1.2.0", &checksum, false))
}

/// Makes every file of our cache two hours old.
fn age(world: &World) {
    for path in files(&world.cache()) {
        let file = fs::File::options().append(true).open(path).unwrap();
        file.file().set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
    }
}

#[test]
fn an_entry_is_asked_for_once_then_revalidated_when_old() {
    let server = Server::start(|_, before| match before {
        0 => Reply::ok(body(false)).header("ETag", "\"one\""),
        1 => Reply::status(304),
        _ => Reply::ok(body(true)).header("ETag", "\"two\""),
    });
    let world = World::new(&server.url);
    let package = world.package("demo", "1.0.0", None);
    let finder = world.finder(Network::Online);
    let lookup = || finder.index_entry(&package).unwrap();
    let first = lookup();
    assert_eq!((first.entry.yanked, first.entry.age, &first.stale), (false, 0, &None));
    assert_eq!(first.entry.newest_compatible, Some(semver::Version::new(1, 2, 0)));
    assert_eq!(lookup().entry.newest_compatible, first.entry.newest_compatible);
    assert_eq!(server.count(PATH), 1, "it is fresh");
    age(&world);
    assert!(lookup().entry.age < 60, "confirmed just now");
    assert_eq!(server.log.lock().unwrap()[1].1.as_deref(), Some("\"one\""));
    lookup();
    assert_eq!(server.count(PATH), 2, "it is fresh again");
    age(&world);
    assert!(lookup().entry.yanked);
    assert!(lookup().entry.yanked, "the new entry was kept");
    assert_eq!(server.count(PATH), 3);
    assert!(!world.home().exists(), "cargo's home is not written");
}

#[test]
fn old_data_is_used_with_its_age_when_the_refresh_fails_or_offline() {
    let server =
        Server::start(|_, before| if before == 0 { Reply::ok(body(true)) } else { Reply::status(500) });
    let world = World::new(&server.url);
    let package = world.package("demo", "1.0.0", None);
    world.finder(Network::Online).index_entry(&package).unwrap();
    age(&world);
    let stale = world.finder(Network::Online).index_entry(&package).unwrap();
    assert!(stale.entry.yanked && stale.entry.age >= 7200);
    assert!(stale.stale.unwrap().contains("status 500"));
    let offline = world.finder(Network::Offline).index_entry(&package).unwrap();
    assert!(offline.entry.age >= 7200 && offline.stale.is_none());
}

#[test]
fn a_crate_that_was_removed_is_said_to_be_and_does_not_come_back() {
    let server =
        Server::start(|_, before| if before == 0 { Reply::ok(body(false)) } else { Reply::status(404) });
    let world = World::new(&server.url);
    let package = world.package("demo", "1.0.0", None);
    world.finder(Network::Online).index_entry(&package).unwrap();
    age(&world);
    let error = world.finder(Network::Online).index_entry(&package).unwrap_err();
    assert!(matches!(error, IndexError::Removed { .. }) && error.hint().is_some(), "{error}");
    let error = world.finder(Network::Offline).index_entry(&package).unwrap_err();
    assert!(matches!(error, IndexError::NotCached { .. }), "{error}");
}

#[test]
fn cargos_own_entries_are_used_and_revalidated_with_their_revision() {
    let server = Server::start(|_, _| Reply::status(304));
    let world = World::new(&server.url);
    let package = world.package("demo", "1.0.0", None);
    let mut entry = b"\x03\x02\0\0\0etag: \"cargo\"\0".to_vec();
    entry.extend(format!("1.0.0\0{}\0", line("demo", "1.0.0", &Checksum::of(b"x"), false)).bytes());
    let path = world.write(&format!("home/registry/index/{}/.cache/de/mo/demo", world.directory()), entry);
    let offline = world.finder(Network::Offline).index_entry(&package).unwrap();
    assert_eq!(offline.entry.checksum, Checksum::of(b"x"));
    let old = SystemTime::now() - Duration::from_secs(7200);
    fs::File::options().append(true).open(path).unwrap().file().set_modified(old).unwrap();
    let online = world.finder(Network::Online).index_entry(&package).unwrap();
    assert_eq!((online.entry.checksum, online.entry.age < 60), (Checksum::of(b"x"), true));
    assert_eq!(server.log.lock().unwrap()[0].1.as_deref(), Some("\"cargo\""));
}

#[test]
fn versions_and_data_that_are_not_there_have_a_reason() {
    let server = Server::start(|_, _| Reply::ok(body(false)));
    let world = World::new(&server.url);
    let finder = world.finder(Network::Online);
    let reason =
        |name: &str, version: &str| finder.index_entry(&world.package(name, version, None)).unwrap_err();
    assert!(matches!(reason("demo", "3.0.0"), IndexError::NoVersion { .. }));
    assert!(matches!(reason("../demo", "1.0.0"), IndexError::UnsafeName { .. }));
    let git = PackageSource::Git("https://git.example.invalid/a#0".to_owned());
    let error = finder.index_entry(&package(git, "demo", "1.0.0", None)).unwrap_err();
    assert_eq!(error.to_string(), "a git repository has no index");
    let git_index = PackageSource::Registry("registry+https://r.example.invalid/git".to_owned());
    let error = finder.index_entry(&package(git_index, "demo", "1.0.0", None)).unwrap_err();
    assert!(matches!(error, IndexError::GitIndex), "{error}");
    let garbage = Server::start(|_, _| Reply::ok("<html>"));
    let world = World::new(&garbage.url);
    assert!(world.finder(Network::Online).index_entry(&world.package("demo", "1.0.0", None)).is_err());
}

#[test]
fn a_local_registry_has_its_own_index() {
    let world = World::new("http://127.0.0.1:9/");
    world.write(
        "tree/.cargo/config.toml",
        "[source.mirrored]\nregistry = \"sparse+http://127.0.0.1:9/\"\nreplace-with = \"local\"\n\
         [source.local]\nlocal-registry = \"local\"\n",
    );
    world.write("tree/local/index/de/mo/demo", body(true));
    let found = world.finder(Network::Online).index_entry(&world.package("demo", "1.0.0", None)).unwrap();
    assert!(found.entry.yanked);
}
