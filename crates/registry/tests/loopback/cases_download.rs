//! Finding and downloading archives.

use cratekeeper_model::{Checksum, PackageSource};
use cratekeeper_registry::{FetchError, FileProblem, HttpError, Location, Network, Origin, PackageFinder};
use fs_err as fs;

use super::server::{Reply, Server, World, files, package};

const BYTES: &[u8] = b"the bytes of an archive";
const ARCHIVE: &str = "/dl/demo/1.0.0/download";

/// A registry that answers requests for the archive with `archive`.
fn registry(archive: impl Fn(usize) -> Reply + Send + 'static) -> (Server, World) {
    let base = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let known = std::sync::Arc::clone(&base);
    let server = Server::start(move |path, before| match path {
        "/config.json" => Reply::ok(format!(r#"{{"dl":"{}dl","api":null}}"#, known.get().unwrap())),
        ARCHIVE => archive(before),
        _ => Reply::status(404),
    });
    base.set(server.url.clone()).unwrap();
    let world = World::new(&server.url);
    (server, world)
}

/// Fetches the demo package; on failure, nothing may be left in our cache.
fn fetch(world: &World, finder: &PackageFinder) -> Result<Location, FetchError> {
    let result = finder.fetch(&world.package("demo", "1.0.0", Some(Checksum::of(BYTES))));
    if result.is_err() {
        assert_eq!(files(&world.cache()), Vec::<std::path::PathBuf>::new());
    }
    result
}

#[test]
fn a_download_is_verified_kept_and_found_again() {
    let (server, world) = registry(|_| Reply::ok(BYTES));
    let location = fetch(&world, &world.finder(Network::Online)).unwrap();
    assert_eq!(location.origin(), Origin::Downloads);
    assert_eq!(fs::read(location.path()).unwrap(), BYTES);
    assert!(
        location.path().starts_with(world.cache()) && !world.home().exists(),
        "cargo's home is not written"
    );
    assert_eq!(fetch(&world, &world.finder(Network::Offline)).unwrap(), location);
    assert_eq!(server.paths(), ["/config.json", ARCHIVE]);
}

#[test]
fn other_bytes_than_promised_are_refused_and_not_kept() {
    let (server, world) = registry(|_| Reply::ok("something else"));
    let error = fetch(&world, &world.finder(Network::Online)).unwrap_err();
    let FetchError::ChecksumMismatch { expected, actual, place } = &error else { panic!("{error}") };
    assert_eq!((*expected, *actual), (Checksum::of(BYTES), Checksum::of(b"something else")));
    assert_eq!(*place, format!("{}dl/demo/1.0.0/download", server.url));
    assert_eq!(server.count(ARCHIVE), 1, "a second answer could hide the first");
    assert!(error.hint().is_some());
}

#[test]
fn passing_failures_are_tried_again() {
    let (server, world) = registry(|before| match before {
        0 => Reply::status(500),
        1 => Reply::status(429).header("Retry-After", "0"),
        _ => Reply::ok(BYTES),
    });
    fetch(&world, &world.finder(Network::Online)).unwrap();
    assert_eq!(server.count(ARCHIVE), 3);
}

#[test]
fn truncated_downloads_are_tried_again_and_then_given_up() {
    let (server, world) = registry(|_| Reply { length: Some(1000), ..Reply::ok(BYTES) });
    let error = fetch(&world, &world.finder(Network::Online)).unwrap_err();
    assert!(matches!(error, FetchError::Http(HttpError::Transfer { .. })), "{error}");
    assert_eq!(server.count(ARCHIVE), 3);
}

#[test]
fn lasting_failures_are_not_tried_again() {
    for (status, expected) in [(404, "does not exist"), (403, "needs credentials"), (418, "status 418")] {
        let (server, world) = registry(move |_| Reply::status(status));
        let error = fetch(&world, &world.finder(Network::Online)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(server.count(ARCHIVE), 1);
    }
    let (server, world) = registry(|_| Reply::status(503));
    let error = fetch(&world, &world.finder(Network::Online)).unwrap_err();
    assert!(error.to_string().ends_with("status 503") && error.hint().is_some(), "{error}");
    assert_eq!(server.count(ARCHIVE), 3);
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let (_server, world) = registry(|_| Reply::status(302).header("Location", ARCHIVE));
    let error = fetch(&world, &world.finder(Network::Online)).unwrap_err();
    assert!(matches!(error, FetchError::Http(HttpError::TooManyRedirects { .. })), "{error}");
    let storage = Server::start(|_, _| Reply::ok(BYTES));
    let target = format!("{}storage", storage.url);
    let (_server, world) = registry(move |_| Reply::status(302).header("Location", target.clone()));
    fetch(&world, &world.finder(Network::Online)).unwrap();
    assert_eq!(storage.paths(), ["/storage"]);
}

#[test]
fn oversized_archives_are_refused_with_and_without_a_promised_length() {
    let (_server, world) = registry(|_| Reply::ok(vec![0; 2000]));
    let small = world.finder_with(Network::Online, |options| options.max_archive_size = 1000);
    let error = fetch(&world, &small).unwrap_err();
    assert!(matches!(error, FetchError::Http(HttpError::TooLarge { limit: 1000, .. })), "{error}");
    let (_server, world) = registry(|_| {
        let chunk = format!("3e8\r\n{}\r\n", "a".repeat(1000));
        Reply::ok(format!("{}0\r\n\r\n", chunk.repeat(3))).header("Transfer-Encoding", "chunked")
    });
    let small = world.finder_with(Network::Online, |options| options.max_archive_size = 1000);
    let error = fetch(&world, &small).unwrap_err();
    assert!(matches!(error, FetchError::Http(HttpError::TooLarge { .. })), "{error}");
}

#[test]
fn an_offline_finder_never_connects() {
    let (server, world) = registry(|_| Reply::ok(BYTES));
    let finder = world.finder(Network::Offline);
    let error = fetch(&world, &finder).unwrap_err();
    assert!(matches!(error, FetchError::Offline { .. }) && error.hint().is_some(), "{error}");
    let package = world.package("demo", "1.0.0", None);
    assert!(finder.index_entry(&package).is_err());
    assert_eq!(server.paths(), Vec::<String>::new());
    // The same server does see an online finder, so that the line above means something.
    let _ = world.finder(Network::Online).index_entry(&package);
    assert_eq!(server.paths().len(), 1);
}

#[test]
fn registries_with_authentication_are_not_asked_for_archives() {
    let server = Server::start(|_, _| Reply::ok(r#"{"dl":"http://127.0.0.1/dl","auth-required":true}"#));
    let world = World::new(&server.url);
    let error = fetch(&world, &world.finder(Network::Online)).unwrap_err();
    assert!(matches!(error, FetchError::Authentication { .. }), "{error}");
    assert_eq!(server.paths(), ["/config.json"]);
}

#[test]
fn an_unreachable_host_is_given_up_for_the_run() {
    // Bound and dropped at once: nothing listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let world = World::new(&format!("http://{free}/"));
    let finder = world.finder_with(Network::Online, |options| {
        options.retry_pause = std::time::Duration::from_millis(50);
    });
    assert!(matches!(fetch(&world, &finder), Err(FetchError::Http(HttpError::Unreachable { .. }))));
    let start = std::time::Instant::now();
    assert!(matches!(fetch(&world, &finder), Err(FetchError::Http(HttpError::Unreachable { .. }))));
    assert!(start.elapsed().as_millis() < 50, "{:?}", start.elapsed());
}

#[test]
fn cargos_cache_is_found_first() {
    let (server, world) = registry(|_| Reply::ok(BYTES));
    let path = world.write(&format!("home/registry/cache/{}/demo-1.0.0.crate", world.directory()), BYTES);
    let location = fetch(&world, &world.finder(Network::Online)).unwrap();
    assert_eq!(location, Location::Archive { path, origin: Origin::CargoCache });
    assert!(server.paths().is_empty());
}

#[test]
fn names_from_the_lockfile_cannot_leave_their_directory() {
    let world = World::new("http://127.0.0.1:9/");
    let finder = world.finder(Network::Offline);
    for name in ["../../demo", "a/b", ""] {
        let error = finder.fetch(&world.package(name, "1.0.0", None)).unwrap_err();
        assert!(matches!(error, FetchError::UnsafeName { .. }), "{error}");
    }
}

fn replaced(world: &World, kind: &str) {
    let text = format!(
        "[source.mirrored]\nregistry = \"sparse+http://127.0.0.1:9/\"\nreplace-with = \"mirror\"\n\
         [source.mirror]\n{kind} = \"mirror\"\n"
    );
    world.write("tree/.cargo/config.toml", text);
}

#[test]
fn a_local_registry_has_archives() {
    let world = World::new("http://127.0.0.1:9/");
    replaced(&world, "local-registry");
    let finder = world.finder(Network::Offline);
    assert!(matches!(fetch(&world, &finder), Err(FetchError::NotThere { .. })));
    let path = world.write("tree/mirror/demo-1.0.0.crate", BYTES);
    assert_eq!(fetch(&world, &finder).unwrap(), Location::Archive { path, origin: Origin::LocalRegistry });
}

#[test]
fn a_vendored_directory_is_compared_with_its_checksums() {
    let world = World::new("http://127.0.0.1:9/");
    replaced(&world, "directory");
    let manifest = "[package]\nname = \"demo\"\nversion = \"1.0.0\"\n";
    world.write("tree/mirror/any-name/Cargo.toml", manifest);
    world.write("tree/mirror/any-name/src/lib.rs", "// changed");
    world.write("tree/mirror/any-name/build.rs", "// planted");
    let checksum = |text: &str| Checksum::of(text.as_bytes());
    let listed = format!(
        r#"{{"files":{{"Cargo.toml":"{}","src/lib.rs":"{}","src/gone.rs":"{}"}},"package":"{}"}}"#,
        checksum(manifest),
        checksum("// original"),
        checksum(""),
        Checksum::of(BYTES)
    );
    world.write("tree/mirror/any-name/.cargo-checksum.json", &listed);
    let finder = world.finder(Network::Offline);
    let location = fetch(&world, &finder).unwrap();
    let Location::Directory { origin: Origin::Vendored, problems, .. } = &location else {
        panic!("{location:?}")
    };
    let changed = FileProblem::Changed { expected: checksum("// original"), actual: checksum("// changed") };
    let found: Vec<(&str, FileProblem)> = problems.iter().map(|it| (it.path.as_str(), it.problem)).collect();
    assert_eq!(
        found,
        [("build.rs", FileProblem::Unlisted), ("src/gone.rs", FileProblem::Missing), ("src/lib.rs", changed)]
    );
    // Another archive than the locked one.
    let other = world.package("demo", "1.0.0", Some(Checksum::of(b"")));
    assert!(matches!(finder.fetch(&other), Err(FetchError::ChecksumMismatch { .. })));
    // Another version than the locked one.
    let other = world.package("demo", "1.0.1", None);
    assert!(matches!(finder.fetch(&other), Err(FetchError::NotThere { .. })));
}

#[test]
fn a_git_checkout_must_be_complete_and_at_the_locked_commit() {
    let world = World::new("http://127.0.0.1:9/");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let source =
        PackageSource::Git(format!("https://git.example.invalid/team/Repo.git?branch=main#{commit}"));
    let package = package(source, "demo", "1.0.0", None);
    let finder = world.finder(Network::Offline);
    let reason = || finder.fetch(&package).unwrap_err().to_string();
    assert!(reason().contains("cargo has not checked out the locked commit"), "{}", reason());
    let checkout = "home/git/checkouts/repo-00112233aabbccdd/0123456";
    let manifest = "[package]\nname = \"demo\"\nversion.workspace = true\n";
    world.write(&format!("{checkout}/crates/demo/Cargo.toml"), manifest);
    world.write(&format!("{checkout}/.git/HEAD"), "ref: refs/heads/main\n");
    world.write(&format!("{checkout}/.git/packed-refs"), format!("# pack\n{commit} refs/heads/main\n"));
    assert!(reason().contains("not checked out"), "no mark of completeness: {}", reason());
    world.write(&format!("{checkout}/.cargo-ok"), "");
    let location = finder.fetch(&package).unwrap();
    assert_eq!(location.origin(), Origin::GitCheckout);
    assert!(location.path().ends_with("crates/demo"), "{location:?}");
    // Somebody moved it to another commit.
    world.write(&format!("{checkout}/.git/HEAD"), "f".repeat(40));
    assert!(reason().contains("not checked out"), "{}", reason());
    world.write(&format!("{checkout}/.git/HEAD"), commit);
    fs::remove_dir_all(finder.fetch(&package).unwrap().path()).unwrap();
    assert!(reason().contains("no such package"), "{}", reason());
}
