//! Every route of the admin API, asked as nobody and as each role: the document of the API says which routes there are.

use serde_json::{Value, json};

use crate::world::World;

/// Who may use a route: `v`iewer, `t`riager, a`u`ditor, `a`dmin. A route that is not here fails the test.
const ALLOWED: [(&str, &str, &str); 50] = [
    ("get", "/admin/v1/status", "vtua"),
    ("get", "/admin/v1/queue", "vtua"),
    ("get", "/admin/v1/versions/{registry}/{name}/{version}", "vtua"),
    ("get", "/admin/v1/recall", "tua"),
    ("get", "/admin/v1/audit-log", "tua"),
    ("post", "/admin/v1/replay", "tua"),
    ("get", "/admin/v1/jobs/dead", "vtua"),
    ("post", "/admin/v1/jobs/{id}/retry", "ta"),
    ("get", "/admin/v1/decisions", "vtua"),
    ("post", "/admin/v1/decisions", "ta"),
    ("post", "/admin/v1/decisions/{id}/undo", "ta"),
    ("post", "/admin/v1/decisions/{id}/confirm", "ta"),
    ("post", "/admin/v1/preview", "ta"),
    ("post", "/admin/v1/acts", "ta"),
    ("get", "/admin/v1/requests", "vtua"),
    ("get", "/admin/v1/requests/{id}", "vtua"),
    ("post", "/admin/v1/requests/{id}/approve", "ta"),
    ("post", "/admin/v1/requests/{id}/refuse", "ta"),
    ("post", "/admin/v1/rollback-yanks", "ta"),
    ("post", "/admin/v1/pass-on-yanks", "ta"),
    ("post", "/admin/v1/yank", "ta"),
    ("post", "/admin/v1/unyank", "ta"),
    ("post", "/admin/v1/inspect", "ta"),
    ("get", "/admin/v1/users", "ua"),
    ("post", "/admin/v1/users", "a"),
    ("post", "/admin/v1/users/{login}/roles", "a"),
    ("post", "/admin/v1/users/{login}/disable", "a"),
    ("post", "/admin/v1/users/{login}/enable", "a"),
    ("post", "/admin/v1/tokens", "a"),
    ("post", "/admin/v1/tokens/{id}/revoke", "a"),
    ("get", "/admin/v1/webhooks", "ua"),
    ("post", "/admin/v1/webhooks", "a"),
    ("post", "/admin/v1/webhooks/{id}/disable", "a"),
    ("post", "/admin/v1/webhooks/{id}/test", "a"),
    ("get", "/admin/v1/webhooks/{id}/deliveries", "ua"),
    ("post", "/admin/v1/deliveries/{id}/retry", "a"),
    ("post", "/admin/v1/reload", "a"),
    ("get", "/admin/v1/policy", "vtua"),
    ("post", "/admin/v1/policy", "a"),
    ("post", "/admin/v1/policy/mode", "a"),
    ("post", "/admin/v1/take-down", "a"),
    ("post", "/admin/v1/restore", "a"),
    ("post", "/admin/v1/evidence", "a"),
    ("post", "/admin/v1/users/{login}/freeze", "ta"),
    ("post", "/admin/v1/users/{login}/unfreeze", "ta"),
    ("get", "/admin/v1/freezes", "vtua"),
    ("post", "/admin/v1/freezes/{id}/confirm", "ta"),
    ("post", "/admin/v1/notify-owners", "ta"),
    ("get", "/admin/v1/mails", "tua"),
    ("post", "/admin/v1/mails/{id}/retry", "ta"),
];

/// A body that each route accepts, so that what is refused is refused for want of a role.
fn body(path: &str) -> Value {
    let target = json!({ "crate": "nothing", "version": "1.0.0" });
    match path.trim_start_matches("/admin/v1") {
        "/decisions" => json!({ "target": target, "action": "hold", "reason": "a test" }),
        "/acts" => json!({ "change": { "act": "undo", "decision": 1 }, "reason": "a test" }),
        "/preview" => json!({ "change": { "act": "undo", "decision": 1 } }),
        "/decisions/{id}/undo"
        | "/decisions/{id}/confirm"
        | "/requests/{id}/approve"
        | "/requests/{id}/refuse"
        | "/users/{login}/enable"
        | "/users/{login}/disable"
        | "/jobs/{id}/retry"
        | "/tokens/{id}/revoke"
        | "/webhooks/{id}/disable"
        | "/webhooks/{id}/test"
        | "/deliveries/{id}/retry"
        | "/reload"
        | "/users/{login}/freeze"
        | "/users/{login}/unfreeze"
        | "/freezes/{id}/confirm"
        | "/mails/{id}/retry" => json!({ "reason": "a test" }),
        "/notify-owners" => json!({ "target": target, "template": "held", "reason": "a test" }),
        "/rollback-yanks" => json!({ "by": "nobody", "from": 0, "to": 1, "reason": "a test" }),
        "/pass-on-yanks" => json!({ "registry": "hosted", "crate": "nothing", "reason": "a test" }),
        "/yank" | "/unyank" | "/inspect" | "/take-down" | "/restore" | "/evidence" => {
            json!({ "target": target, "reason": "a test" })
        }
        "/replay" => json!({ "since": 0 }),
        "/users" => json!({ "login": "somebody", "reason": "a test" }),
        "/users/{login}/roles" => json!({ "roles": [], "reason": "a test" }),
        "/tokens" => {
            json!({ "name": "a test", "scopes": ["read"], "user": "nobody-at-all", "reason": "a test" })
        }
        "/webhooks" => {
            json!({ "url": "https://127.0.0.1:9/", "secret": "sixteen characters", "reason": "a test" })
        }
        "/policy" => json!({ "text": "[[", "reason": "a test" }),
        "/policy/mode" => json!({ "rule": "newborn-dependency", "mode": "off", "reason": "a test" }),
        _ => Value::Null,
    }
}

pub(crate) fn roles() -> bool {
    let world = World::open(1_790_000_000, |_| {});
    let people: Vec<(&str, String)> =
        [("viewer", "v"), ("triager", "t"), ("auditor", "u"), ("admin", "a"), ("", "")]
            .into_iter()
            .map(|(role, letter)| {
                (letter, account(&world, &format!("person-{letter}"), role, &["administer"]))
            })
            .collect();
    let publisher = account(&world, "admin-without-scope", "admin", &["publish-new", "read"]);
    let document: Value =
        serde_json::from_str(&world.ask("GET", "/admin/v1/openapi.json", "", b"").body).unwrap();
    let mut count = 0;
    let routes = document["paths"].as_object().unwrap().iter();
    // Anybody may report something; what comes of it is in the console's tests.
    for (path, methods) in routes.filter(|(path, _)| *path != "/api/reports") {
        for method in methods.as_object().unwrap().keys() {
            let found = ALLOWED.iter().find(|(its, place, _)| its == method && place == path);
            let (_, _, allowed) = found.unwrap_or_else(|| panic!("{method} {path} is not in the table"));
            check(&world, method, path, allowed, &people, &publisher);
            count += 1;
        }
    }
    assert_eq!(count, ALLOWED.len(), "the document lacks routes of the table");
    acts_need_reasons(&world);
    true
}

/// Every act of the table, by whoever may do all of them, with a reason that says nothing, and without one.
fn acts_need_reasons(world: &World) {
    // A replay and a preview change nothing: they are questions.
    let is_question = |path: &str| path.ends_with("/replay") || path.ends_with("/preview");
    for (method, path, _) in ALLOWED.iter().filter(|it| it.0 == "post" && !is_question(it.1)) {
        let place = path.replace("{id}", "999999").replace("{login}", "nobody-at-all");
        let whole = body(path);
        for reason in [Some(" "), None] {
            let mut without = whole.clone();
            match reason {
                Some(reason) => without["reason"] = reason.into(),
                None => {
                    without.as_object_mut().unwrap().remove("reason");
                }
            }
            let answer = world.ask_as(&world.admin, "POST", &place, &without);
            assert!(
                answer.status == 400 && answer.body.contains("reason"),
                "{method} {path} with the reason {reason:?}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
}

fn check(world: &World, method: &str, path: &str, allowed: &str, people: &[(&str, String)], publisher: &str) {
    let place = path
        .replace("{registry}", "hosted")
        .replace("{name}", "nothing")
        .replace("{version}", "1.0.0")
        .replace("{login}", "nobody-at-all")
        .replace("{id}", "999999");
    let place =
        if path.ends_with("/recall") { format!("{place}?crate=nothing&version=1.0.0") } else { place };
    let (method, body) = (method.to_uppercase(), body(path));
    let nobody = world.ask(&method, &place, "", body.to_string().as_bytes());
    assert_eq!(nobody.status, 401, "{method} {path} as nobody: {}", nobody.body);
    let wrong = world.ask_as("cratekeeper-wrong", &method, &place, &body);
    assert_eq!(wrong.status, 401, "{method} {path} with a wrong token");
    let scopeless = world.ask_as(publisher, &method, &place, &body);
    assert_eq!(
        scopeless.status, 403,
        "{method} {path} with a token that cannot administer: {}",
        scopeless.body
    );
    for (letter, token) in people {
        let answer = world.ask_as(token, &method, &place, &body);
        let may = !letter.is_empty() && allowed.contains(letter);
        assert_eq!(
            answer.status != 403,
            may,
            "{method} {path} as `{letter}`: {} {}",
            answer.status,
            answer.body
        );
        assert!(
            answer.status != 401 && answer.status < 500,
            "{method} {path} as `{letter}`: {} {}",
            answer.status,
            answer.body
        );
    }
}

fn account(world: &World, login: &str, role: &str, scopes: &[&str]) -> String {
    let roles: Vec<&str> = if role.is_empty() { Vec::new() } else { vec![role] };
    world.administer(
        "POST",
        "/admin/v1/users",
        &json!({ "login": login, "roles": roles, "reason": "a test" }),
    );
    let body = json!({ "user": login, "name": "test", "scopes": scopes, "reason": "a test" });
    world.administer("POST", "/admin/v1/tokens", &body)["secret"].as_str().unwrap().to_owned()
}
