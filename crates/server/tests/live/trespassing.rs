//! What the console refuses: nobody, somebody without the role, forms that are not ours. And what publishers write, on every page.
//!
//! The routes are read from the router's source, so that one that is added without a thought fails here.

use std::collections::BTreeSet;

use cratekeeper_archive::CrateBuilder;
use serde_json::json;

use crate::publishing::{archive, metadata, publish};
use crate::surfing::Surfer;
use crate::world::{PASSWORD, World};

const ROUTER: &str = include_str!("../../src/console.rs");

/// Pages for whoever is not signed in.
const OPEN: [&str; 8] = [
    "/sign-in",
    "/sign-in/provider",
    "/sign-in/provider/return",
    "/sign-in/provider/code",
    "/join/{secret}",
    "/join/{secret}/provider",
    "/assets/console.css",
    "/assets/console.js",
];

/// Forms that everybody with an account may send: their own account.
const OWN: [&str; 8] = [
    "/sign-out",
    "/account/password",
    "/account/second-factor",
    "/account/second-factor/end",
    "/account/sessions/{id}/end",
    "/account/tokens",
    "/account/tokens/{id}/revoke",
    "/search",
];

/// The paths of all routes, with whether they show something and whether they take a form.
fn routes() -> Vec<(String, bool, bool)> {
    let text: String = ROUTER.split_whitespace().collect();
    let starts = text.match_indices(".route(\"").map(|(at, _)| at + ".route(\"".len());
    let routes: Vec<(String, bool, bool)> = starts
        .map(|at| {
            let rest = &text[at..];
            let end = rest.find('"').unwrap();
            let handlers = &rest[end..rest.find(".route(\"").unwrap_or(rest.len())];
            (rest[..end].to_owned(), handlers.contains("get("), handlers.contains("post("))
        })
        .collect();
    assert!(routes.len() > 20, "the router is written otherwise: {routes:?}");
    routes
}

/// A path with something in the places of names and numbers.
fn filled(path: &str) -> String {
    let mut filled = format!("/console{path}");
    for (name, value) in [
        ("{id}", "1"),
        ("{secret}", "0"),
        ("{login}", "operator"),
        ("{registry}", "hosted"),
        ("{name}", "thing"),
        ("{sequence}", "1"),
        ("{rule}", "x"),
    ] {
        filled = filled.replace(name, value);
    }
    assert!(!filled.contains('{'), "{filled}");
    filled
}

pub(crate) fn trespassing() -> bool {
    let world = World::open(1_790_000_000, |_| {});
    for (login, role) in [("viewer", "viewer"), ("auditor", "auditor"), ("nobody-in-particular", "")] {
        let roles: Vec<&str> = if role.is_empty() { Vec::new() } else { vec![role] };
        let made = world.administer(
            "POST",
            "/admin/v1/users",
            &json!({ "login": login, "roles": roles, "reason": "a test" }),
        );
        let link = made["link"].as_str().unwrap();
        let path = &link[link.find("/console/").unwrap()..link.find('?').unwrap()];
        let joined = Surfer::new(&world).post_as_is(path, "", &[("login", login), ("password", PASSWORD)]);
        assert_eq!(joined.status, 303, "{}", joined.body);
    }
    hostile_crate(&world);
    nobody(&world);
    let mut operator = forged_forms(&world);
    let mut viewer = lesser_roles(&world);
    who_fetched(&world, &mut operator, &mut viewer);
    hostile_text(&mut operator);
    guessing(&world);
    true
}

fn nobody(world: &World) {
    let mut stranger = Surfer::new(world);
    for (path, shows, takes) in routes().iter().filter(|it| !OPEN.contains(&it.0.as_str()) && it.0 != "/") {
        if *shows {
            let page = stranger.get(&filled(path));
            assert!(
                page.status == 303 && page.location().starts_with("/console/sign-in"),
                "GET {path}: {}",
                page.status
            );
        }
        if *takes {
            let page = stranger.post(&filled(path), &[("reason", "a test")]);
            assert!(
                page.status == 303 && page.location().starts_with("/console/sign-in"),
                "POST {path}: {}",
                page.status
            );
        }
    }
    // A text that is no session is none, and neither is one that ended.
    let mut gone = Surfer::signed_in(world, "viewer", PASSWORD);
    let kept = gone.copy();
    assert_eq!(gone.post("/console/sign-out", &[]).status, 303);
    for mut surfer in [kept, Surfer::with_cookie(world, "cratekeeper-session=0000")] {
        assert_eq!(surfer.get("/console/queue").status, 303);
    }
}

/// Fields that fit every form, so that what is refused is refused for what it is.
const FIELDS: [(&str, &str); 24] = [
    ("reason", "a test"),
    ("text", "a test"),
    ("who", "me"),
    (
        "change",
        r#"{"act":"decide","target":{"registry":"hosted","crate":"thing"},"action":"hold","enforcement":"deny"}"#,
    ),
    ("digest", "0"),
    ("password", PASSWORD),
    ("new_password", PASSWORD),
    ("code", "000000"),
    ("sealed", "00"),
    ("name", "thing"),
    ("login", "operator"),
    ("days", "1"),
    ("roles", "admin"),
    ("registry", "hosted"),
    ("crate", "thing"),
    ("version", "1.0.0"),
    ("user", "operator"),
    ("scopes", "read"),
    ("policy", ""),
    ("since", "1d"),
    ("q", "thing"),
    ("address", "operator@example.invalid"),
    ("template", "held"),
    ("back", "/console/queue"),
];

fn forged_forms(world: &World) -> Surfer<'_> {
    let mut operator = Surfer::signed_in(world, "operator", PASSWORD);
    let token = operator.form_token.clone();
    for (path, _, takes) in routes().iter().filter(|it| !OPEN.contains(&it.0.as_str())) {
        if !takes {
            continue;
        }
        let place = filled(path);
        let without = operator.post_as_is(&place, "", &FIELDS);
        assert_eq!(without.status, 403, "POST {path} without the session's text: {}", without.body);
        let mut fields = vec![("form_token", "0000")];
        fields.extend(FIELDS);
        let wrong = operator.post_as_is(&place, "", &fields);
        assert_eq!(wrong.status, 403, "POST {path} with another text: {}", wrong.body);
        fields[0].1 = &token;
        for elsewhere in [
            "sec-fetch-site: cross-site\r\n",
            "sec-fetch-site: same-site\r\n",
            "origin: https://example.invalid\r\n",
            "origin: null\r\n",
        ] {
            let crossed = operator.post_as_is(&place, elsewhere, &fields);
            assert_eq!(crossed.status, 403, "POST {path} from elsewhere ({elsewhere}): {}", crossed.body);
        }
    }
    // Joining and signing in have no session; other sites cannot send them all the same.
    let mut stranger = Surfer::new(world);
    for path in [
        "/console/sign-in",
        "/console/sign-in/provider",
        "/console/sign-in/provider/code",
        "/console/join/0",
        "/console/join/0/provider",
        "/report",
    ] {
        let crossed = stranger.post_as_is(path, "sec-fetch-site: cross-site\r\n", &FIELDS);
        assert_eq!(crossed.status, 403, "{path}: {}", crossed.body);
    }
    operator
}

fn lesser_roles(world: &World) -> Surfer<'_> {
    let mut without = Surfer::signed_in(world, "nobody-in-particular", PASSWORD);
    let mut viewer = Surfer::signed_in(world, "viewer", PASSWORD);
    let mut auditor = Surfer::signed_in(world, "auditor", PASSWORD);
    for (path, shows, takes) in routes().iter().filter(|it| !OPEN.contains(&it.0.as_str()) && it.0 != "/") {
        let place = filled(path);
        let is_own = OWN.contains(&path.as_str()) || path.starts_with("/account");
        if *shows && !is_own {
            assert_eq!(without.get(&place).status, 403, "GET {path} by an account without a role");
        }
        if *takes && !is_own {
            for surfer in [&mut without, &mut viewer, &mut auditor] {
                let page = surfer.post(&place, &FIELDS);
                // A form that only leads to a preview, or asks a question, changes nothing: the preview is refused.
                let is_refused = match page.status {
                    303 => surfer.get(page.location()).status == 403,
                    403 => true,
                    status => path.contains("verify") || path.starts_with("/policy/") && status < 500,
                };
                assert!(is_refused, "POST {path} by a lesser role: {} {}", page.status, page.body);
            }
        }
    }
    let state = world.administer("GET", "/admin/v1/versions/hosted/thing/1.0.0", &serde_json::Value::Null);
    assert!(state["version"]["standing"]["decision"].is_null(), "nobody decided anything: {state:#}");
    viewer
}

/// Who fetched what is the business of those who may ask for a recall, and of no viewer.
fn who_fetched<'a>(world: &World, operator: &mut Surfer<'a>, viewer: &mut Surfer<'a>) {
    let made = publish(world, &world.admin, &metadata("plain", "1.0.0"), &archive("plain", "1.0.0", ""));
    assert_eq!(made.status, 200, "{}", made.body);
    world.settle();
    let headers = format!("authorization: {}\r\nuser-agent: cargo/1.95.0\r\n", world.admin);
    assert_eq!(world.ask("GET", "/api/v1/crates/plain/1.0.0/download", &headers, b"").status, 200);
    let known = world.administer("GET", "/admin/v1/versions/hosted/plain/1.0.0", &serde_json::Value::Null);
    let page = format!("/console/version/{}", known["version"]["id"]);
    for (surfer, sees) in [(operator, true), (viewer, false)] {
        let shown = surfer.get(&page);
        assert_eq!(shown.body.contains("aria-label=\"Fetches\""), sees, "{}", shown.body);
    }
}

/// Passwords are tried ten times a minute by an address, whatever the login; who is signed in goes on.
fn guessing(world: &World) {
    let mut stranger = Surfer::new(world);
    let statuses: Vec<u16> = (0..11)
        .map(|it| {
            let login = format!("somebody-{it}");
            stranger.post_as_is("/console/sign-in", "", &[("login", &login), ("password", "a guess")]).status
        })
        .collect();
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}

/// What would run, or load something, if it were more than text.
const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}\u{202E}";

fn hostile_crate(world: &World) {
    let manifest = "[package]\nname = \"thing\"\nversion = \"1.0.0\"\nedition = \"2021\"\ndescription = \"DESCRIPTION\"\nauthors = [\"A <AUTHOR@example.invalid>\"]\nreadme = \"README.md\"\n"
        .replace("DESCRIPTION", &HOSTILE.replace('"', "\\\""))
        .replace("AUTHOR", "x<script>alert(3)</script>");
    let archive = CrateBuilder::new("thing", "1.0.0")
        .without_manifest()
        .file("Cargo.toml", manifest)
        .file("README.md", HOSTILE)
        .file("src/lib.rs", format!("// {HOSTILE}\npub const TEXT: &str = r#\"{HOSTILE}\"#;\n"))
        .file("src/<img src=x onerror=alert(4)>.rs", HOSTILE)
        .file("picture.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(5)</script></svg>")
        .build();
    let mut described = metadata("thing", "1.0.0");
    described["description"] = HOSTILE.into();
    let answer = publish(world, &world.admin, &described, &archive);
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.settle();
    let report = json!({ "crate": "thing", "kind": "malware", "text": HOSTILE, "contact": HOSTILE });
    let reported = world.ask("POST", "/api/reports", "", report.to_string().as_bytes());
    assert_eq!(reported.status, 202, "{}", reported.body);
    let again = world.ask("POST", "/api/reports", "", report.to_string().as_bytes());
    assert_eq!(again.status, 409, "{}", again.body);
}

fn hostile_text(operator: &mut Surfer<'_>) {
    assert_eq!(operator.post("/console/case/1/comment", &[("text", HOSTILE)]).status, 303);
    let mut paths: BTreeSet<String> = routes()
        .iter()
        .filter(|it| it.1 && !it.0.starts_with("/assets") && !it.0.ends_with("/events"))
        .map(|it| filled(&it.0))
        .collect();
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in paths.clone() {
        paths.insert(format!("{path}?q={hostile}&file={hostile}&after={hostile}&name={hostile}&actor={hostile}&publisher={hostile}&registry={hostile}&next={hostile}&done={hostile}&login={hostile}&to={hostile}"));
    }
    for file in ["README.md", "src/lib.rs", "picture.svg", "src/%3Cimg%20src%3Dx%20onerror%3Dalert(4)%3E.rs"]
    {
        paths.insert(format!("/console/version/1/file?file={file}"));
    }
    paths.extend(["/hosted/thing/1.0.0", "/v/1", "/"].map(str::to_owned));
    paths.insert(format!("/report?crate={hostile}&version={hostile}"));
    for path in paths {
        let page = operator.get(&path);
        assert!(page.status < 500, "{path}: {} {}", page.status, page.body);
        for odd in
            ["<script>alert", "<img src=x", "\u{202E}", "<svg xmlns=\"http://www.w3.org/2000/svg\"><script"]
        {
            let is_file = page.head.to_lowercase().contains("content-disposition: attachment");
            assert!(is_file || !page.body.contains(odd), "{path} shows {odd}: {}", page.body);
        }
        let head = page.head.to_lowercase();
        if head.contains("text/html") {
            assert!(head.contains("content-security-policy: default-src 'none'"), "{path}: {head}");
            assert!(
                head.contains("x-content-type-options: nosniff") && head.contains("cache-control: no-store"),
                "{path}: {head}"
            );
        }
    }
}
