//! A clock that jumps a day ahead, and back, while versions are inspected, tokens are about to expire, and nobody has an account yet.

use std::sync::atomic::Ordering;

use cratekeeper_archive::CrateBuilder;
use cratekeeper_store::{AuditFilter, Store};
use serde_json::{Value, json};

use crate::world::{Answer, World};

const NOW: i64 = 1_790_000_000;
const DAY: i64 = 24 * 60 * 60;

/// Versions that are published around each jump.
const VERSIONS: usize = 6;

/// Names that are not like each other.
const NAMES: [&str; 4] = ["walnut-", "harbour-", "meadow-", "compass-"];

pub(crate) fn jumps() -> bool {
    let (mut world, link) = World::start(NOW, |configuration| configuration.inspections = 2);
    let set = |world: &World, moment: i64| world.clock.store(moment, Ordering::Release);

    set(&world, NOW + DAY);
    assert_eq!(world.follow(&link).status, 400, "the link is for half an hour");
    set(&world, NOW - DAY);
    assert_eq!(world.ask("GET", &link[link.find("/setup/").unwrap()..], "", b"").status, 200);
    set(&world, NOW);
    world.set_up(&link);
    assert_eq!(world.follow(&link).status, 400, "and for once");

    let body = json!({ "name": "short", "scopes": ["publish-new", "publish-update"], "expires_in": 3600, "reason": "a test" });
    let token = world.administer("POST", "/admin/v1/tokens", &body)["secret"].as_str().unwrap().to_owned();
    let mut published = Vec::new();
    // Ahead, back, far back, and ahead again, while jobs of the moment before are worked on.
    for (jump, prefix) in [DAY, 0, -DAY, 2 * DAY].into_iter().zip(NAMES) {
        for number in 0..VERSIONS {
            let name = format!("{prefix}{}", ["one", "two", "three", "four", "five", "six"][number]);
            assert_eq!(publish(&world, &world.admin.clone(), &name).status, 200);
            published.push(name);
            if number == VERSIONS / 2 {
                set(&world, NOW + jump);
            }
        }
        let expired = publish(&world, &token, &format!("{prefix}late")).status;
        assert_eq!(expired, if jump > 0 { 401 } else { 200 }, "{jump}");
        if expired == 200 {
            published.push(format!("{prefix}late"));
        }
    }
    set(&world, NOW);
    world.settle();
    for name in &published {
        let path = format!("/admin/v1/versions/hosted/{name}/1.0.0");
        let version = world.administer("GET", &path, &Value::Null);
        assert_eq!(version["version"]["standing"]["state"], "released", "{version:#}");
        let download = world.ask("GET", &format!("/api/v1/crates/{name}/1.0.0/download"), "", b"");
        assert_eq!(download.status, 200, "{}", download.body);
    }
    verify(&world, published.len());
    true
}

fn publish(world: &World, token: &str, name: &str) -> Answer {
    let code = format!("pub fn {}() {{}}\n", name.replace('-', "_"));
    let archive = CrateBuilder::new(name, "1.0.0").file("src/lib.rs", code).build();
    let metadata =
        json!({ "name": name, "vers": "1.0.0", "deps": [], "features": {}, "authors": [] }).to_string();
    let body = crate::bad_input::body(metadata.as_bytes(), &archive);
    world.ask("PUT", "/api/v1/crates/new", &format!("authorization: {token}\r\n"), &body)
}

/// The log is whole, and each version was published once.
fn verify(world: &World, published: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open_directory(&world.directory.path().join("gate")).await.unwrap();
        let report = store.verify_audit_log(&[], &[]).await.unwrap();
        assert_eq!(report.problems, []);
        let filter = AuditFilter { action: Some("version.publish".to_owned()), ..AuditFilter::default() };
        assert_eq!(store.audit_entries(&filter, None, 1_000).await.unwrap().len(), published);
    });
}
