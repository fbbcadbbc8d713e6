//! The console, as people use it without scripts; what it refuses is in `trespassing`.

use std::path::Path;

use serde_json::{Value, json};

use crate::incidents::Stage;
use crate::publishing::{archive, metadata, publish};
use crate::surfing::{Surfer, encoded, unescaped};
use crate::world::{PASSWORD, World};

/// The story of arrayref: from the queue to the evidence, contained by two people.
pub(crate) fn arrayref() -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents");
    let stage = Stage::over(&root.join("arrayref"));
    let world = &stage.world;
    let mut first = Surfer::signed_in(world, "operator", PASSWORD);
    let queue = first.get("/console/queue");
    assert!(queue.body.contains("arrayref 0.3.10"), "{}", queue.body);
    let case = first.get(&queue.link("arrayref 0.3.10"));
    assert_eq!(case.status, 200, "{}", case.body);
    assert!(case.body.contains("newborn-dependency"), "{}", case.body);
    let held = first.act(&case.link("Quarantine the crate"), "the account was taken over");
    assert_eq!(held.status, 303, "{}", held.body);
    let case = first.get(held.location());
    assert!(case.body.contains("not confirmed yet") && !case.body.contains(">Confirm<"), "{}", case.body);
    let rolled_back = first.act(&case.link("Roll back yanks"), "the account was taken over");
    assert_eq!(rolled_back.status, 303, "{}", rolled_back.body);

    let mut second = Surfer::signed_in(world, "colleague", PASSWORD);
    let approvals = second.get("/console/requests");
    assert!(approvals.body.contains("<b>hold</b> arrayref"), "{}", approvals.body);
    let place = &approvals.body[approvals.body.find("/console/decisions/").unwrap()..];
    let place = place[..place.find('"').unwrap()].to_owned();
    let confirmed = second.post(&place, &[("reason", "I looked at it, too")]);
    assert_eq!(confirmed.status, 303, "{}", confirmed.body);
    assert!(second.get("/console/requests").body.contains("Everything is confirmed"));
    true
}

/// A false alarm is released with a waiver, and is not raised again when it is inspected again.
pub(crate) fn false_alarm() -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents");
    let stage = Stage::over(&root.join("fasterlog"));
    let world = &stage.world;
    let mut first = Surfer::signed_in(world, "operator", PASSWORD);
    let mut second = Surfer::signed_in(world, "colleague", PASSWORD);
    let queue = first.get("/console/queue");
    let case = first.get(&queue.link("faster_log 1.7.8"));
    assert!(case.body.contains("fast_log"), "it is found by what it was copied from: {}", case.body);
    for name in ["Release this version", "Waive its clause for 90 days"] {
        by_two(world, (&mut first, &mut second), &case.link(name));
        assert!(first.get("/admin/v1/status").status != 200, "a session is no token");
    }
    let again =
        json!({ "target": { "crate": "faster_log", "version": "1.7.8" }, "reason": "is it raised again?" });
    world.administer("POST", "/admin/v1/inspect", &again);
    world.settle();
    let known = world.administer("GET", "/admin/v1/versions/hosted/faster_log/1.7.8", &Value::Null);
    assert_eq!(known["version"]["standing"]["state"], "released", "{known:#}");
    assert_eq!(known["version"]["automatic"], "released", "by its inspection, too: {known:#}");
    let queue = first.get("/console/queue");
    assert!(!queue.body.contains("faster_log 1.7.8"), "{}", queue.body);
    assert!(first.get("/console/queue?state=closed").body.contains("faster_log 1.7.8"));
    true
}

/// One person asks for an act, and another agrees. Gives the page on which that one does.
fn by_two(world: &World, (first, second): (&mut Surfer<'_>, &mut Surfer<'_>), act: &str) -> String {
    let asked = first.act(act, "we wrote it ourselves, as an exercise");
    assert_eq!(asked.status, 303, "{}", asked.body);
    let place = asked.location().split('?').next().unwrap().to_owned();
    let request = second.get(&place);
    assert!(request.body.contains("Agree, and do it"), "{}", request.body);
    let fields = [("digest", &*request.hidden("digest")), ("reason", "so they did")];
    let agreed = second.post(&format!("{place}/agree"), &fields);
    assert_eq!(agreed.status, 303, "{}", agreed.body);
    world.settle();
    request.body
}

/// Without the rules that found something a version is let through; and stands as before once the waivers end, each by one person.
pub(crate) fn waived_rules() -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents");
    let stage = Stage::over(&root.join("fasterlog"));
    let world = &stage.world;
    let standing = || {
        let path = "/admin/v1/versions/hosted/faster_log/1.7.8";
        let known = world.administer("GET", path, &Value::Null);
        known["version"]["standing"]["state"].as_str().unwrap().to_owned()
    };
    let held = standing();
    assert_ne!(held, "released");
    let mut first = Surfer::signed_in(world, "operator", PASSWORD);
    let mut second = Surfer::signed_in(world, "colleague", PASSWORD);
    let queue = first.get("/console/queue");
    let case = first.get(&queue.link("faster_log 1.7.8"));
    let offered: Vec<&str> =
        case.body.split(">Waive ").skip(1).filter_map(|it| Some(it.split_once(" here</a>")?.0)).collect();
    assert!(!offered.is_empty(), "{}", case.body);
    // Of a whole crate it says what becomes of each version, and that later ones are meant, too.
    let policy = world.administer("GET", "/admin/v1/policy", &Value::Null);
    let known = world.administer("GET", "/admin/v1/versions/hosted/faster_log/1.7.8", &Value::Null);
    let clause = &known["version"]["clause"];
    let whole =
        json!({ "act": "waive", "registry": "hosted", "krate": "faster_log", "clause": clause, "days": 30 });
    let whole = whole.to_string();
    let preview =
        first.get(&format!("/console/act?{}", encoded(&[("change", &whole), ("back", "/console/queue")])));
    for part in
        ["faster_log@1.7.8, by what was found last", "other versions of faster_log", "that come meanwhile"]
    {
        assert!(preview.body.contains(part), "{part}: {}", preview.body);
    }
    let mut last = String::new();
    for rule in &offered {
        last = by_two(world, (&mut first, &mut second), &case.link(&format!("Waive {rule} here")));
        let preview = format!("rule `{rule}` for faster_log@1.7.8");
        assert!(last.contains(&preview), "{last}");
    }
    assert!(last.contains("what the policy makes of faster_log@1.7.8"), "{last}");
    assert!(last.contains("allow by no clause"), "the last one says that it is let through: {last}");
    assert_eq!(standing(), "released");
    // What a policy would have done is asked with the same waivers, so the one in force changes nothing of it.
    let text = policy["text"].as_str().unwrap().to_owned();
    let asked = json!({ "policy": text, "since": 0, "until": 4_000_000_000_i64 });
    let replayed = world.administer("POST", "/admin/v1/replay", &asked);
    let changes = replayed["changes"].as_array().unwrap();
    assert!(changes.iter().all(|it| it["crate"] != "faster_log"), "{replayed:#}");
    let page = first.get("/console/crate/hosted/faster_log");
    assert_eq!(page.body.matches(">End it</a>").count(), offered.len(), "{}", page.body);
    assert!(first.get("/console/policy").body.contains(&format!("<code>{}</code> for", offered[0])));
    assert!(first.get(&queue.link("faster_log 1.7.8")).body.contains(">End it</a>"));
    for _ in &offered {
        let page = first.get("/console/crate/hosted/faster_log");
        let ended = first.act(&page.link("End it"), "it is no exercise after all");
        assert_eq!(ended.status, 303, "one person is enough: {}", ended.body);
        world.settle();
    }
    assert_eq!(standing(), held);
    true
}

/// Eight crates of one account are contained by one act, whose preview names them all.
pub(crate) fn campaign() -> bool {
    let world = World::open(1_790_000_000, |_| {});
    world.administer("POST", "/admin/v1/users", &json!({ "login": "mallory", "reason": "a test" }));
    let body = json!({ "user": "mallory", "name": "test", "scopes": ["publish-new"], "reason": "a test" });
    let token = world.administer("POST", "/admin/v1/tokens", &body)["secret"].as_str().unwrap().to_owned();
    let names =
        ["one", "two", "three", "four", "five", "six", "seven", "eight"].map(|it| format!("evm-units-{it}"));
    for name in &names {
        let archive = archive(name, "1.0.0", "");
        let answer = publish(&world, &token, &metadata(name, "1.0.0"), &archive);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let report = json!({ "crate": name, "kind": "malware", "text": "it is one of eight" });
        assert_eq!(world.ask("POST", "/api/reports", "", report.to_string().as_bytes()).status, 202);
    }
    world.settle();
    let mut first = Surfer::signed_in(&world, "operator", PASSWORD);
    let queue = first.get("/console/queue");
    let all = first.get(&queue.link("8 open cases of mallory, hosted"));
    let case = first.get(&all.link("evm-units-one 1.0.0"));
    let preview = first.get(&case.link("Block everything of the publisher"));
    assert!(names.iter().all(|it| preview.body.contains(&format!("{it}@1.0.0"))), "{}", preview.body);
    let blocked = first.act(&case.link("Block everything of the publisher"), "a campaign");
    assert_eq!(blocked.status, 303, "{}", blocked.body);
    for name in &names {
        let known = world.administer("GET", &format!("/admin/v1/versions/hosted/{name}/1.0.0"), &Value::Null);
        assert_eq!(known["version"]["standing"]["state"], "blocked", "{known:#}");
    }
    assert!(!first.get("/console/queue").body.contains("evm-units"), "the cases are closed");
    true
}

/// What one person asks for, another agrees to; and nobody else.
pub(crate) fn two_people() -> bool {
    let world = World::open(1_790_000_000, |_| {});
    let mut first = Surfer::signed_in(&world, "operator", PASSWORD);
    // While the gate is set up, one person makes accounts alone.
    let change = r#"{"act":"create-user","login":"third","name":null,"roles":["admin","triager"]}"#;
    let page = first.act(&act(change), "we are three");
    assert_eq!(page.status, 200, "{}", page.body);
    let link = unescaped(&page.body[page.body.find("http://").unwrap()..]);
    let link = &link[link.find("/console/join").unwrap()..link.find('<').unwrap()];
    let mut third = Surfer::new(&world);
    let joined =
        third.post_as_is(link.split('?').next().unwrap(), "", &[("login", "third"), ("password", PASSWORD)]);
    assert_eq!(joined.status, 303, "{}", joined.body);
    let again =
        third.post_as_is(link.split('?').next().unwrap(), "", &[("login", "third"), ("password", PASSWORD)]);
    assert_eq!(again.status, 400, "a link works once: {}", again.body);

    // An hour later, it takes two.
    world.clock.store(1_790_000_000 + 3_601, std::sync::atomic::Ordering::Release);
    let change = r#"{"act":"create-user","login":"fourth","name":null,"roles":["admin"]}"#;
    let mut first = Surfer::signed_in(&world, "operator", PASSWORD);
    let asked = first.act(&act(change), "we are four");
    assert_eq!(asked.status, 303, "{}", asked.body);
    let place = asked.location().split('?').next().unwrap().to_owned();
    let own = first.get(&place);
    assert!(own.body.contains("whoever asks for an act cannot agree to it"), "{}", own.body);
    let mut second = Surfer::signed_in(&world, "colleague", PASSWORD);
    let digest = second.get(&place).hidden("digest");
    let forced = first.post(&format!("{place}/agree"), &[("digest", &digest), ("reason", "I said so")]);
    assert_eq!(forced.status, 400, "{}", forced.body);
    let wrong = second.post(&format!("{place}/agree"), &[("digest", "0"), ("reason", "yes")]);
    assert_eq!(wrong.status, 409, "{}", wrong.body);
    let agreed =
        second.post(&format!("{place}/agree"), &[("digest", &digest), ("reason", "we know each other")]);
    assert!(agreed.status == 200 && agreed.body.contains("/console/join/"), "{}", agreed.body);

    // What would change something else by the time somebody agrees is not done: the account is there already.
    let change = r#"{"act":"create-user","login":"fifth","name":null,"roles":["admin"]}"#;
    let places = [(); 2].map(|()| {
        let asked = first.act(&act(change), "we are five");
        asked.location().split('?').next().unwrap().to_owned()
    });
    assert_ne!(places[0], places[1]);
    for (place, expected) in places.iter().zip([200, 409]) {
        let digest = second.get(place).hidden("digest");
        let answer = second.post(&format!("{place}/agree"), &[("digest", &digest), ("reason", "yes")]);
        assert_eq!(answer.status, expected, "{}", answer.body);
    }
    assert!(second.get(&places[1]).body.contains("<b>lapsed</b>"));
    true
}

/// The page before an act.
pub(crate) fn act(change: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    format!("/console/act?change={}", change.bytes().map(byte).collect::<String>())
}

/// An operator withdraws a version and puts it back, at the console and by the API; both stand in the log, with why.
pub(crate) fn yanked_by_operators() -> bool {
    let world = World::open(1_790_000_000, |_| {});
    let made = publish(&world, &world.admin, &metadata("thing", "1.0.0"), &archive("thing", "1.0.0", ""));
    assert_eq!(made.status, 200, "{}", made.body);
    world.settle();
    let known = || world.administer("GET", "/admin/v1/versions/hosted/thing/1.0.0", &Value::Null);
    let line = || world.ask("GET", "/index/th/in/thing", "", b"").body;
    let mut first = Surfer::signed_in(&world, "operator", PASSWORD);
    let page = format!("/console/version/{}", known()["version"]["id"]);
    let version = first.get(&page);
    let yanked = first.act(&version.link("Yank this version"), "it deletes what it should keep");
    assert_eq!(yanked.status, 303, "{}", yanked.body);
    assert!(line().contains("\"yanked\":true"), "{}", line());
    let target = json!({ "crate": "thing", "version": "1.0.0" });
    let again =
        world.ask_as(&world.admin, "POST", "/admin/v1/yank", &json!({ "target": target, "reason": "again" }));
    assert_eq!(again.status, 409, "{}", again.body);
    let all = json!({ "target": { "crate": "thing" }, "reason": "all of it" });
    assert_eq!(world.ask_as(&world.admin, "POST", "/admin/v1/yank", &all).status, 400);
    world.administer("POST", "/admin/v1/unyank", &json!({ "target": target, "reason": "it does not" }));
    assert!(line().contains("\"yanked\":false"), "{}", line());
    let log = world.administer("GET", "/admin/v1/audit-log?object=thing@1.0.0", &Value::Null);
    let entries = log["entries"].as_array().unwrap();
    for (action, reason) in
        [("version.yank", "it deletes what it should keep"), ("version.unyank", "it does not")]
    {
        let entry = entries.iter().find(|it| it["action"] == action);
        assert_eq!(entry.unwrap()["detail"]["reason"], reason, "{log:#}");
    }
    true
}
