//! Taking down and restoring, over HTTP: nobody gets what was taken down, no file has its bytes, and what is sealed comes back as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cratekeeper_model::Checksum;
use serde_json::{Value, json};

use crate::console::act;
use crate::publishing::{archive, metadata, publish};
use crate::surfing::Surfer;
use crate::world::{Answer, PASSWORD, World};

const START: i64 = 1_790_000_000;

/// Longest wait for bytes to be moved; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

fn target(name: &str, version: Option<&str>) -> Value {
    json!({ "target": { "crate": name, "version": version }, "reason": "it steals keys" })
}

fn known(world: &World, registry: &str, name: &str) -> Value {
    world.administer("GET", &format!("/admin/v1/versions/{registry}/{name}/1.0.0"), &Value::Null)
}

fn download(world: &World, name: &str) -> Answer {
    let headers = format!("authorization: {}\r\nuser-agent: cargo/1.95.0\r\n", world.admin);
    world.ask("GET", &format!("/api/v1/crates/{name}/1.0.0/download"), &headers, b"")
}

/// Waits until a tombstone says so.
fn wait(world: &World, registry: &str, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let since = Instant::now();
    loop {
        let stone = known(world, registry, name)["tombstone"].clone();
        if is_so(&stone) {
            return stone;
        }
        assert!(since.elapsed() < PATIENCE, "it stays as it is: {stone:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_for(world: &World, registry: &str, name: &str, state: &str) {
    wait(world, registry, name, |it| it["state"] == state);
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Files of the data directory that hold these bytes, or the middle of them.
fn holders(world: &World, bytes: &[u8]) -> Vec<PathBuf> {
    let middle = &bytes[bytes.len() / 2 - 16..bytes.len() / 2 + 16];
    let mut found = files(&world.directory.path().join("gate"));
    found.retain(|it| fs::read(it).unwrap_or_default().windows(middle.len()).any(|it| it == middle));
    found
}

fn sealed(world: &World, checksum: &Checksum) -> PathBuf {
    let digits = checksum.to_string();
    let vault = world.directory.path().join("gate/blobs/vault");
    vault.join(&digits[..2]).join(format!("{digits}.sealed"))
}

fn published(world: &World, name: &str) -> (Vec<u8>, Checksum) {
    let bytes = archive(name, "1.0.0", &format!("description = \"{name} {}\"\n", "what it is ".repeat(20)));
    let answer = publish(world, &world.admin, &metadata(name, "1.0.0"), &bytes);
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.settle();
    assert_eq!(download(world, name).status, 200);
    let checksum = Checksum::of(&bytes);
    (bytes, checksum)
}

pub(crate) fn vault() -> bool {
    let world = World::open(START, |_| {});
    let (bytes, checksum) = published(&world, "thief");
    let holding = holders(&world, &bytes);
    assert!(holding.len() == 1 && holding[0].to_string_lossy().contains("archives"), "{holding:?}");
    let plain = holding[0].clone();

    one_person_does_nothing(&world);
    let answer = world.administer("POST", "/admin/v1/take-down", &target("thief", Some("1.0.0")));
    assert_eq!(answer["versions"][0]["state"], "blocked", "{answer:#}");
    // At once, wherever the bytes are by now.
    nobody_gets_it(&world);
    wait_for(&world, "hosted", "thief", "sealed");
    assert!(!plain.exists() && holders(&world, &bytes).is_empty(), "{:?}", holders(&world, &bytes));
    let kept = fs::read(sealed(&world, &checksum)).unwrap();
    assert!(kept.len() > bytes.len() && kept.len() < bytes.len() + 128);
    nobody_gets_it(&world);
    its_number_stays_taken(&world, &bytes);
    assert!(holders(&world, &bytes).is_empty(), "an attempt to publish leaves nothing");
    it_is_not_inspected(&world);
    evidence(&world, &bytes);
    lost_keys(&world, &checksum);
    restored(&world, &bytes);
    true
}

fn one_person_does_nothing(world: &World) {
    let asked = world.ask_as(&world.admin, "POST", "/admin/v1/take-down", &target("thief", Some("1.0.0")));
    assert_eq!(asked.status, 202, "{}", asked.body);
    assert!(asked.body.contains("it destroys the plain bytes of 1 version"), "{}", asked.body);
    assert_eq!(download(world, "thief").status, 200);
    let waiting: Value = serde_json::from_str(&asked.body).unwrap();
    let path = format!("/admin/v1/requests/{}", waiting["request"]);
    let why = json!({ "reason": "I asked" });
    assert_ne!(world.ask_as(&world.admin, "POST", &format!("{path}/approve"), &why).status, 200);
    assert_eq!(world.ask_as(&world.admin, "POST", &format!("{path}/refuse"), &why).status, 200);
}

fn nobody_gets_it(world: &World) {
    let gone = download(world, "thief");
    assert_eq!(gone.status, 410, "{}", gone.body);
    let answer: Value = serde_json::from_str(&gone.body).unwrap();
    let detail = answer["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("`thief` 1.0.0 was taken down") && detail.contains("it steals keys"), "{detail}");
    let headers = format!("authorization: {}\r\n", world.admin);
    assert_eq!(world.ask("GET", "/index/th/ie/thief", &headers, b"").status, 404, "no line is left");
}

fn its_number_stays_taken(world: &World, bytes: &[u8]) {
    let answer = publish(world, &world.admin, &metadata("thief", "1.0.0"), bytes);
    assert!(answer.status == 409 && answer.body.contains("taken down"), "{} {}", answer.status, answer.body);
    let other = archive("thief", "1.0.0", "description = \"another\"\n");
    let answer = publish(world, &world.admin, &metadata("thief", "1.0.0"), &other);
    assert_eq!(answer.status, 409, "{}", answer.body);
    let release = json!({ "target": { "crate": "thief", "version": "1.0.0" }, "action": "release", "reason": "a test" });
    let answer = world.ask_as(&world.admin, "POST", "/admin/v1/decisions", &release);
    assert!(answer.status == 409 && answer.body.contains("restore it first"), "{}", answer.body);
    let twice = world.ask_as(&world.admin, "POST", "/admin/v1/take-down", &target("thief", Some("1.0.0")));
    assert_eq!(twice.status, 409, "{}", twice.body);
}

fn it_is_not_inspected(world: &World) {
    let before = known(world, "hosted", "thief")["inspections"].as_array().unwrap().len();
    let refused = world.ask_as(&world.admin, "POST", "/admin/v1/inspect", &target("thief", Some("1.0.0")));
    assert!(refused.status == 409 && refused.body.contains("was taken down"), "{}", refused.body);
    // Neither is the next version kept waiting by what there is nothing left of to compare it with.
    let next = archive("thief", "1.0.1", "");
    assert_eq!(publish(world, &world.admin, &metadata("thief", "1.0.1"), &next).status, 200);
    world.settle();
    let after = known(world, "hosted", "thief");
    assert_eq!(after["inspections"].as_array().unwrap().len(), before, "{after:#}");
    assert_eq!(after["version"]["standing"]["state"], "blocked");
    assert_eq!(world.administer("GET", "/admin/v1/jobs/dead", &Value::Null)["jobs"], json!([]));
    let later = world.administer("GET", "/admin/v1/versions/hosted/thief/1.0.1", &Value::Null);
    assert_ne!(later["version"]["standing"]["state"], "failed", "{later:#}");
    assert_ne!(later["version"]["standing"]["state"], "pending", "{later:#}");
}

/// Administrators look, after they proved who they are; each look is written down.
fn evidence(world: &World, bytes: &[u8]) {
    let looks = || {
        let path = "/admin/v1/audit-log?action=vault.read";
        world.administer("GET", path, &Value::Null)["entries"].as_array().unwrap().len()
    };
    let seen = looks();
    let whole = world.ask_as(&world.admin, "POST", "/admin/v1/evidence", &target("thief", Some("1.0.0")));
    assert_eq!((whole.status, whole.body), (200, String::from_utf8_lossy(bytes).into_owned()));
    assert!(whole.head.contains("content-disposition: attachment"), "{}", whole.head);
    let other = world.ask_as(&world.admin, "POST", "/admin/v1/evidence", &target("thief", Some("1.0.1")));
    assert_eq!(other.status, 409, "{}", other.body);
    assert_eq!(looks(), seen + 1);

    let id = known(world, "hosted", "thief")["version"]["id"].clone();
    let (page, file) =
        (format!("/console/version/{id}"), format!("/console/version/{id}/file?file=src%2Flib.rs"));
    let difference = format!("/console/version/{id}/difference?to={id}");
    let mut operator = Surfer::signed_in(world, "operator", PASSWORD);
    let shown = operator.get(&page);
    for text in ["Taken down", "agreed to by colleague", "it steals keys", "Restore this version"] {
        assert!(shown.body.contains(text), "{text}: {}", shown.body);
    }
    assert!(!shown.body.contains("Release this version"), "{}", shown.body);
    assert!(operator.get("/console/crate/hosted/thief").body.contains("taken down"));
    let seen = looks();
    assert!(operator.get(&file).body.contains("thing"), "{}", operator.get(&file).body);
    assert!(looks() > seen, "a look is written down");
    // Another site can have nobody look.
    let seen = looks();
    let led = operator.get_as_is(&file, "sec-fetch-site: cross-site\r\n");
    assert!(led.status == 200 && !led.body.contains("thing()"), "{}", led.body);
    assert_eq!(looks(), seen);
    // Eleven minutes later, they have to prove who they are.
    world.clock.fetch_add(660, Ordering::AcqRel);
    let seen = looks();
    for place in [&file, &difference] {
        let shown = operator.get(place);
        assert!(
            shown.body.contains("Prove who you are") && !shown.body.contains("thing()"),
            "{}",
            shown.body
        );
    }
    assert_eq!(looks(), seen);
    let prove = operator.get(&file).link("Prove who you are");
    let form = operator.get(&prove);
    let back = form.hidden("back");
    assert_eq!(operator.post("/console/prove", &[("password", "wrong"), ("back", &back)]).status, 403);
    let proved = operator.post("/console/prove", &[("password", PASSWORD), ("back", &back)]);
    assert_eq!(proved.status, 303, "{}", proved.body);
    assert!(operator.get(proved.location()).body.contains("thing"));
    assert_eq!(looks(), seen + 1);
    // Whoever may only look, or only triage, sees the tombstone.
    for (login, role) in [("looker", "viewer"), ("triager", "triager")] {
        let body = json!({ "login": login, "roles": [role], "reason": "a test" });
        let link = world.administer("POST", "/admin/v1/users", &body)["link"].as_str().unwrap().to_owned();
        let path = &link[link.find("/console/").unwrap()..link.find('?').unwrap()];
        Surfer::new(world).post_as_is(path, "", &[("login", login), ("password", PASSWORD)]);
        let mut lesser = Surfer::signed_in(world, login, PASSWORD);
        assert!(lesser.get(&page).body.contains("it steals keys"));
        for place in [&file, &difference] {
            let shown = lesser.get(place);
            assert!(shown.status == 200 && !shown.body.contains("thing()"), "{}", shown.body);
        }
        let take_down = r#"{"act":"take-down","target":{"registry":"hosted","crate":"thief"}}"#;
        assert_eq!(lesser.get(&act(take_down)).status, 403, "{login}");
        assert!(!lesser.get(&page).body.contains("Restore this version"), "{login}");
    }
    assert_eq!(looks(), seen + 1);
}

/// Without its key, or with another one, the vault gives nothing, says why, and loses nothing.
fn lost_keys(world: &World, checksum: &Checksum) {
    let path = world.directory.path().join("gate/vault.key");
    let key = fs::read(&path).unwrap();
    assert_eq!(key.len(), 32);
    let kept = fs::read(sealed(world, checksum)).unwrap();
    fs::remove_file(&path).unwrap();
    world.administer("POST", "/admin/v1/restore", &target("thief", None));
    let stone = wait(world, "hosted", "thief", |it| it["trouble"].is_string());
    assert!(stone["trouble"].as_str().unwrap().contains("is gone: put it back"), "{stone:#}");
    assert_eq!(download(world, "thief").status, 410);
    assert!(!path.exists(), "no other key is made in its place");
    let refused = world.ask_as(&world.admin, "POST", "/admin/v1/evidence", &target("thief", Some("1.0.0")));
    assert!(refused.status == 409 && refused.body.contains("put it back"), "{}", refused.body);

    fs::write(&path, [7; 32]).unwrap();
    world.clock.fetch_add(60, Ordering::AcqRel);
    let stone = wait(world, "hosted", "thief", |it| {
        it["trouble"].as_str().is_some_and(|it| it.contains("put the other one back"))
    });
    assert_eq!(stone["state"], "restoring", "{stone:#}");
    assert_eq!(fs::read(sealed(world, checksum)).unwrap(), kept, "nothing is lost");
    fs::write(&path, key).unwrap();
    world.clock.fetch_add(600, Ordering::AcqRel);
}

fn restored(world: &World, bytes: &[u8]) {
    wait_for(world, "hosted", "thief", "restored");
    let state = known(world, "hosted", "thief");
    assert_eq!(state["version"]["standing"]["state"], "held", "{state:#}");
    assert_eq!(download(world, "thief").status, 403, "a further act releases it");
    assert_eq!(holders(world, bytes).len(), 1);
    let release = json!({ "target": { "crate": "thief", "version": "1.0.0" }, "action": "release", "reason": "a test" });
    world.administer("POST", "/admin/v1/decisions", &release);
    let answer = download(world, "thief");
    assert_eq!((answer.status, answer.body), (200, String::from_utf8_lossy(bytes).into_owned()));
    let file = holders(world, bytes).remove(0);
    assert_eq!(Checksum::of(&fs::read(file).unwrap()), Checksum::of(bytes));
    let log = world.administer("GET", "/admin/v1/audit-log", &Value::Null);
    let log = log["entries"].as_array().unwrap();
    for action in ["version.take-down", "vault.seal", "vault.read", "version.restore", "vault.restore"] {
        assert!(log.iter().any(|it| it["action"] == action), "{action}: {log:#?}");
    }
}

/// In the browser: two people, both of whom prove who they are.
pub(crate) fn by_two_people() -> bool {
    let world = World::open(START, |_| {});
    published(&world, "thief");
    let id = known(&world, "hosted", "thief")["version"]["id"].clone();
    let mut operator = Surfer::signed_in(&world, "operator", PASSWORD);
    let mut colleague = Surfer::signed_in(&world, "colleague", PASSWORD);
    world.clock.fetch_add(660, Ordering::AcqRel);
    let page = operator.get(&format!("/console/version/{id}"));
    let preview = operator.get(&page.link("Take down this version"));
    assert!(preview.body.contains("sealed in the vault"), "{}", preview.body);
    let (change, digest) = (preview.hidden("change"), preview.hidden("digest"));
    let mut fields = vec![("change", &*change), ("digest", &*digest), ("reason", "it steals keys")];
    let unproved = operator.post("/console/act", &fields);
    assert!(unproved.status == 200 && unproved.body.contains("Prove again who you are"), "{}", unproved.body);
    fields.push(("password", PASSWORD));
    let asked = operator.post("/console/act", &fields);
    assert_eq!(asked.status, 303, "{}", asked.body);
    let place = asked.location().split('?').next().unwrap().to_owned();

    let request = colleague.get(&place);
    assert!(request.body.contains("Your password: this is grave"), "{}", request.body);
    let digest = request.hidden("digest");
    let mut fields = vec![("digest", &*digest), ("reason", "so it does")];
    let unproved = colleague.post(&format!("{place}/agree"), &fields);
    assert!(unproved.status == 403 && unproved.body.contains("prove again"), "{}", unproved.body);
    fields.push(("password", "wrong"));
    assert_eq!(colleague.post(&format!("{place}/agree"), &fields).status, 403);
    assert_eq!(download(&world, "thief").status, 200, "nothing was done yet");
    fields[2].1 = PASSWORD;
    let agreed = colleague.post(&format!("{place}/agree"), &fields);
    assert_eq!(agreed.status, 303, "{}", agreed.body);
    assert_eq!(download(&world, "thief").status, 410);
    assert!(colleague.get("/console/requests").body.contains("Everything is confirmed"));
    wait_for(&world, "hosted", "thief", "sealed");
    true
}

/// What was taken down is not fetched from its upstream again; and bytes that a hosted version shares with it stay until that is taken down, too.
pub(crate) fn mirrored() -> bool {
    let outside = tempfile::tempdir().unwrap();
    let bytes = archive("thief", "1.0.0", "description = \"a mirrored crate with a description\"\n");
    let checksum = Checksum::of(&bytes);
    fs::write(outside.path().join("thief-1.0.0.crate"), &bytes).unwrap();
    let index = outside.path().join("index/th/ie");
    fs::create_dir_all(&index).unwrap();
    let line = json!({
        "name": "thief", "vers": "1.0.0", "deps": [], "cksum": checksum, "features": {}, "yanked": false,
        "pubtime": "2020-01-01T00:00:00Z",
    });
    fs::write(index.join("thief"), format!("{line}\n")).unwrap();
    let place = outside.path().display().to_string();
    let world = World::open(START, |configuration| {
        let upstream = json!({ "index": place, "shadowed": ["thief"] });
        configuration.upstream.insert("mirror".to_owned(), serde_json::from_value(upstream).unwrap());
    });
    let headers = format!("authorization: {}\r\n", world.admin);
    let fetch = || world.ask("GET", "/proxy/mirror/dl/thief/1.0.0/download", &headers, b"");
    assert_eq!(world.ask("GET", "/proxy/mirror/index/th/ie/thief", &headers, b"").status, 200);
    assert_eq!(fetch().status, 200);
    world.settle();
    let published = publish(&world, &world.admin, &metadata("thief", "1.0.0"), &bytes);
    assert_eq!(published.status, 200, "{}", published.body);
    world.settle();
    assert_eq!(holders(&world, &bytes).len(), 1, "the same bytes are kept once");

    let of_mirror =
        json!({ "target": { "registry": "mirror", "crate": "thief" }, "reason": "it steals keys" });
    let asked = world.ask_as(
        &world.admin,
        "POST",
        "/admin/v1/preview",
        &json!({
            "change": { "act": "take-down", "target": of_mirror["target"] }
        }),
    );
    assert!(asked.body.contains("the same bytes as thief@1.0.0 of hosted"), "{}", asked.body);
    world.administer("POST", "/admin/v1/take-down", &of_mirror);
    wait_for(&world, "mirror", "thief", "sealed");
    assert_eq!(
        (fetch().status, download(&world, "thief").status),
        (410, 200),
        "the other version has its bytes"
    );
    assert_eq!(holders(&world, &bytes).len(), 1);

    world.administer("POST", "/admin/v1/take-down", &target("thief", None));
    wait_for(&world, "hosted", "thief", "sealed");
    assert!(holders(&world, &bytes).is_empty(), "{:?}", holders(&world, &bytes));
    for _ in 0..3 {
        assert_eq!((fetch().status, download(&world, "thief").status), (410, 410));
    }
    world.clock.fetch_add(3_600, Ordering::AcqRel);
    assert_eq!(world.ask("GET", "/proxy/mirror/index/th/ie/thief", &headers, b"").status, 404);
    assert_eq!(fetch().status, 410);
    assert!(holders(&world, &bytes).is_empty(), "the upstream still has it, and is not asked");

    // One comes back: with its bytes, and without the other.
    world.administer("POST", "/admin/v1/restore", &target("thief", Some("1.0.0")));
    wait_for(&world, "hosted", "thief", "restored");
    assert_eq!((fetch().status, download(&world, "thief").status), (410, 403));
    assert_eq!(holders(&world, &bytes).len(), 1);
    world.administer("POST", "/admin/v1/restore", &of_mirror);
    wait_for(&world, "mirror", "thief", "restored");
    world.settle();
    assert_eq!(fetch().status, 403, "held");
    true
}
