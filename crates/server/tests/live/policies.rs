//! Policies that people set while a gate runs: what they may do alone, and what takes two.

use serde_json::{Value, json};

use crate::surfing::Surfer;
use crate::world::{PASSWORD, World};

fn in_force(world: &World) -> (String, String) {
    let answer = world.administer("GET", "/admin/v1/policy", &Value::Null);
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("policy"), text("text"))
}

/// A policy is strengthened by one person and weakened by two, from the console and the API alike.
pub(crate) fn set_by_people() -> bool {
    let world = World::open(1_790_000_000, |_| {});
    let (built_in, text) = in_force(&world);
    let mut first = Surfer::signed_in(&world, "operator", PASSWORD);
    let mut second = Surfer::signed_in(&world, "colleague", PASSWORD);

    // Weaker: a mode, from the page of the policy. Nothing changes before somebody agrees.
    assert!(first.get("/console/policy").body.contains("/console/policy/mode"));
    let fields = [("of", "clause"), ("id", "alert"), ("mode", "audit")];
    let preview = first.post("/console/policy/mode", &fields);
    assert!(
        preview.body.contains("second person") && preview.body.contains("clause `alert`"),
        "{}",
        preview.body
    );
    let submit = |surfer: &mut Surfer<'_>, preview: &crate::surfing::Page, why: &str| {
        let (change, digest) = (preview.hidden("change"), preview.hidden("digest"));
        surfer.post("/console/act", &[("change", &change), ("digest", &digest), ("reason", why)])
    };
    let asked = submit(&mut first, &preview, "too many alarms");
    assert_eq!(asked.status, 303, "{}", asked.body);
    assert_eq!(in_force(&world).0, built_in);
    let place = asked.location().split('?').next().unwrap().to_owned();
    let digest = second.get(&place).hidden("digest");
    let own = first.post(&format!("{place}/agree"), &[("digest", &digest), ("reason", "I said so")]);
    assert_eq!(own.status, 400, "{}", own.body);

    // Stricter: at once, by one person, here through the API.
    let stricter = text.replace("mode = \"audit\"", "mode = \"enforce\"");
    assert_ne!(stricter, text, "the built-in policy has a clause that is only written down");
    let body = json!({ "text": stricter, "reason": "we can wait" });
    let set = world.ask_as(&world.admin, "POST", "/admin/v1/policy", &body);
    assert_eq!(set.status, 200, "{}", set.body);
    let (now, shown) = in_force(&world);
    assert_eq!(shown, stricter);

    // What was asked for before is not what would be done by now.
    let late = second.post(&format!("{place}/agree"), &[("digest", &digest), ("reason", "so they are")]);
    assert_eq!(late.status, 409, "{}", late.body);
    assert_eq!(in_force(&world).0, now);

    // A rule that only speaks: two people, and then it is in force, with an entry that names both.
    let body = json!({ "rule": "newborn-dependency", "mode": "audit", "reason": "it is new" });
    let waits = world.ask_as(&world.admin, "POST", "/admin/v1/policy/mode", &body);
    assert_eq!(waits.status, 202, "{}", waits.body);
    let request = serde_json::from_str::<Value>(&waits.body).unwrap()["request"].to_string();
    let path = format!("/admin/v1/requests/{request}/approve");
    let alone = world.ask_as(&world.admin, "POST", &path, &json!({ "reason": "a test" }));
    assert!(alone.status == 400 && in_force(&world).0 == now, "{}", alone.body);
    let agreed = world.ask_as(&world.colleague, "POST", &path, &json!({ "reason": "a test" }));
    assert_eq!(agreed.status, 200, "{}", agreed.body);
    let (weaker, shown) = in_force(&world);
    assert!(weaker != now && shown.contains("id = \"newborn-dependency\"\nmode = \"audit\""), "{shown}");
    let log = world.administer("GET", "/admin/v1/audit-log?action=policy.change", &Value::Null);
    let entries = log["entries"].as_array().unwrap();
    let newest = entries.iter().max_by_key(|it| it["sequence"].as_i64()).unwrap();
    assert_eq!(newest["detail"]["approved_by"], "colleague", "{newest:#}");
    assert_eq!((&newest["detail"]["before"], &newest["detail"]["now"]), (&json!(now), &json!(weaker)));
    assert!(newest["detail"]["change"].is_null(), "texts are kept once, by their digest: {newest:#}");
    assert!(first.get("/console/rules").body.contains("<option selected>audit"), "shown where rules are");
    assert!(first.get("/console/policy").body.contains("/console/policy/difference"));

    refused(&world, &mut first, &text);
    true
}

/// What is no policy, what changes nothing, and who may not.
fn refused(world: &World, first: &mut Surfer<'_>, text: &str) {
    let (before, _) = in_force(world);
    for (text, status) in [("[[clause]]\nid = 1\n", 400), (&*"#".repeat(300 << 10), 400)] {
        let body = json!({ "text": text, "reason": "a test" });
        let answer = world.ask_as(&world.admin, "POST", "/admin/v1/policy", &body);
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let mistakes = first.post("/console/policy/set", &[("text", "[[clause]]\nid = 1\n")]);
    assert!(mistakes.body.contains("It cannot be read"), "{}", mistakes.body);
    let unknown = json!({ "rule": "no-such-rule", "mode": "off", "reason": "a test" });
    assert_eq!(world.ask_as(&world.admin, "POST", "/admin/v1/policy/mode", &unknown).status, 404);
    let made = json!({ "login": "watcher", "roles": ["triager", "auditor"], "reason": "a test" });
    let link = world.administer("POST", "/admin/v1/users", &made)["link"].as_str().unwrap().to_owned();
    let path = &link[link.find("/console/").unwrap()..link.find('?').unwrap()];
    let mut watcher = Surfer::new(world);
    assert_eq!(watcher.post_as_is(path, "", &[("login", "watcher"), ("password", PASSWORD)]).status, 303);
    assert!(!watcher.get("/console/policy").body.contains("/console/policy/mode"), "nothing is offered");
    for (path, fields) in [
        ("/console/policy/set", vec![("text", text)]),
        ("/console/policy/mode", vec![("of", "clause"), ("id", "block"), ("mode", "off")]),
    ] {
        let page = watcher.post(path, &fields);
        assert_eq!(page.status, 403, "{path}: {}", page.body);
    }
    let change = json!({ "act": "set-policy", "text": text }).to_string();
    let forged = watcher.post("/console/act", &[("change", &change), ("digest", "0"), ("reason", "a test")]);
    assert_eq!(forged.status, 403, "{}", forged.body);
    assert_eq!(in_force(world).0, before);
}
