//! Publishing by whoever is not cargo, and asking another policy about it later.

use cratekeeper_archive::CrateBuilder;
use serde_json::{Value, json};

use crate::world::{Answer, World};

const START: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

/// A request with these metadata.
pub(crate) fn publish(world: &World, token: &str, metadata: &Value, archive: &[u8]) -> Answer {
    let body = publish_body(metadata, archive);
    world.ask("PUT", "/api/v1/crates/new", &format!("authorization: {token}\r\n"), &body)
}

pub(crate) fn publish_body(metadata: &Value, archive: &[u8]) -> Vec<u8> {
    let metadata = metadata.to_string();
    let mut body = u32::try_from(metadata.len()).unwrap().to_le_bytes().to_vec();
    body.extend(metadata.as_bytes());
    body.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
    body.extend(archive);
    body
}

pub(crate) fn archive(name: &str, version: &str, dependencies: &str) -> Vec<u8> {
    let manifest =
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n{dependencies}");
    CrateBuilder::new(name, version)
        .without_manifest()
        .file("Cargo.toml", manifest)
        .file("src/lib.rs", "pub fn thing() {}\n")
        .build()
}

pub(crate) fn metadata(name: &str, version: &str) -> Value {
    json!({ "name": name, "vers": version, "deps": [], "features": {}, "authors": [] })
}

fn version(world: &World, name: &str, version: &str) -> Value {
    world.administer("GET", &format!("/admin/v1/versions/hosted/{name}/{version}"), &Value::Null)
}

/// The index says what the archive says, whoever published is told, and so is whoever looks at the version.
pub(crate) fn false_claims() -> bool {
    let world = World::open(START, |_| {});
    let honest = publish(&world, &world.admin, &metadata("helper", "1.0.0"), &archive("helper", "1.0.0", ""));
    assert!(honest.status == 200 && !honest.body.contains("Cargo.toml"), "{}", honest.body);
    world.settle();
    let index = world.ask("GET", "/index/config.json", "", b"").body;
    let index: Value = serde_json::from_str(&index).unwrap();
    let own = index["api"].as_str().unwrap();
    let hidden =
        format!("[dependencies.helper]\nversion = \"1\"\nregistry-index = \"sparse+{own}/index/\"\n");
    let answer =
        publish(&world, &world.admin, &metadata("demo", "1.0.0"), &archive("demo", "1.0.0", &hidden));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.contains("has the dependency `helper ^1` (normal), the request has not"),
        "{}",
        answer.body
    );
    world.settle();
    let known = version(&world, "demo", "1.0.0");
    let findings = known["inspections"][0]["case"]["findings"].as_array().unwrap();
    let finding = findings.iter().find(|it| it["rule"] == "index-differs-from-manifest").unwrap();
    assert!(finding["message"].as_str().unwrap().contains("missing in the publish request"), "{finding:#}");
    assert_eq!(known["provenance"]["claimed"]["dependencies"], json!([]));
    let line: Value = serde_json::from_str(known["version"]["index_line"].as_str().unwrap()).unwrap();
    assert_eq!(line["deps"][0]["name"], "helper", "the line is made from the archive");
    let helper = version(&world, "helper", "1.0.0");
    assert!(helper["provenance"]["claimed"].is_null(), "honest requests leave nothing: {helper:#}");
    // Its owner hears of what is held when they publish the next one.
    let hold = json!({ "target": { "crate": "demo", "version": "1.0.0" }, "action": "hold", "reason": "what is it for?" });
    world.administer("POST", "/admin/v1/decisions", &hold);
    let next = publish(&world, &world.admin, &metadata("demo", "1.1.0"), &archive("demo", "1.1.0", ""));
    assert!(next.body.contains("1.0.0 is held and not given out: what is it for?"), "{}", next.body);
    // Another crate than the archive's is no claim about it.
    let other = publish(&world, &world.admin, &metadata("other", "1.0.0"), &archive("demo", "1.0.1", ""));
    assert_eq!(other.status, 400, "{}", other.body);
    true
}

/// What a stricter policy would have held, and who would have been stopped; and that a person's word stands above both.
pub(crate) fn another_policy() -> bool {
    let world = World::open(START, |_| {});
    for name in ["first", "second", "third"] {
        let answer = publish(&world, &world.admin, &metadata(name, "1.0.0"), &archive(name, "1.0.0", ""));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    world.settle();
    world.clock.fetch_add(DAY, std::sync::atomic::Ordering::AcqRel);
    for (name, times) in [("first", 2), ("second", 1)] {
        for _ in 0..times {
            let path = format!("/api/v1/crates/{name}/1.0.0/download");
            let agent = format!("user-agent: cargo/1.95.0\r\nauthorization: {}\r\n", world.admin);
            assert_eq!(world.ask("GET", &path, &agent, b"").status, 200);
        }
    }
    let released = json!({ "target": { "crate": "second", "version": "1.0.0" }, "action": "release", "reason": "it is ours" });
    world.clock.fetch_sub(DAY / 2, std::sync::atomic::Ordering::AcqRel);
    world.administer("POST", "/admin/v1/decisions", &released);
    world.clock.fetch_add(DAY, std::sync::atomic::Ordering::AcqRel);
    // The decision is undone: it stood when the fetch was made.
    let standing = version(&world, "second", "1.0.0")["version"]["standing"].clone();
    let undo = format!("/admin/v1/decisions/{}/undo", standing["decision"]);
    world.administer("POST", &undo, &json!({ "reason": "it is not ours any more" }));

    let ask = |policy: Option<&str>, since: i64| {
        world.administer("POST", "/admin/v1/replay", &json!({ "since": since, "policy": policy }))
    };
    let same = ask(None, START - DAY);
    assert_eq!(
        (&same["versions"], &same["not_replayed"], &same["held_before"]),
        (&json!(3), &json!(0), &json!(0))
    );
    assert_eq!(same["changes"], json!([]), "{same:#}");
    assert_eq!(ask(None, START + 1)["versions"], 0, "they were published before");

    let strict = "[[clause]]\nid = \"young-crates\"\nwhen = 'known(history.crate_age_days) && history.crate_age_days < 3 && version.name != \"third\"'\n\
                  verdict = \"quarantine\"\nreason = \"crates younger than three days wait\"\n\
                  [[waiver]]\nclause = \"young-crates\"\npackage = \"nothing\"\nowner = \"security\"\nreason = \"a test\"\nexpires = \"2027-12-31\"\n";
    let stricter = ask(Some(strict), START - DAY);
    assert_eq!((&stricter["held_before"], &stricter["held_after"]), (&json!(0), &json!(2)), "{stricter:#}");
    // Of the second, a person had said before the fetch that it is well.
    assert_eq!(
        (&stricter["fetches_stopped"], &stricter["clients_stopped"]),
        (&json!(2), &json!(1)),
        "{stricter:#}"
    );
    let first = &stricter["changes"][0];
    assert_eq!(
        (&first["crate"], &first["before"]["state"], &first["after"]["state"]),
        (&json!("first"), &json!("released"), &json!("held"))
    );
    assert_eq!((&first["after"]["clause"], &first["after"]["line"]), (&json!("young-crates"), &json!(1)));
    assert_eq!(
        (&first["stopped"][0]["fetches"], &first["stopped"][0]["login"]),
        (&json!(2), &json!("operator"))
    );
    assert_eq!(
        (&stricter["changes"][1]["crate"], &stricter["changes"][1]["decided"]),
        (&json!("second"), &Value::Null)
    );
    assert!(stricter["stale_waivers"][0].as_str().unwrap().contains("takes nothing back"), "{stricter:#}");

    let broken =
        json!({ "since": 0, "policy": "[[clause]]\nid = \"a\"\nwhen = \"scor > 1\"\nverdict = \"deny\"\n" });
    let refused = world.ask_as(&world.admin, "POST", "/admin/v1/replay", &broken);
    assert!(
        refused.status == 400 && refused.body.contains("scor") && refused.body.contains("`deny`"),
        "{}",
        refused.body
    );
    true
}

/// Of a series of names that can be taken for others, those that came first are judged again when it shows.
pub(crate) fn campaign() -> bool {
    let world = World::open(START, |_| {});
    let names = ["serde-jsom", "reqwesst", "tokio-utill", "rand-chacah"];
    for name in names {
        let answer = publish(&world, &world.admin, &metadata(name, "1.0.0"), &archive(name, "1.0.0", ""));
        assert_eq!(answer.status, 200, "{}", answer.body);
        world.settle();
    }
    for name in names {
        let known = version(&world, name, "1.0.0");
        let case = &known["inspections"][0]["case"];
        let rules: Vec<&str> =
            case["findings"].as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap()).collect();
        assert!(rules.contains(&"near-name-campaign"), "{name}: {rules:?}");
        assert!(known["inspections"].as_array().unwrap().len() < 12, "it comes to an end");
    }
    true
}
