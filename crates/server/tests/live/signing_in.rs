//! Signing in at an identity provider: the story, and everything that a provider, a browser or somebody between them could say instead.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::identity_provider::{CLIENT, SECRET, StandIn, Twist};
use crate::surfing::{Page, Surfer, unescaped};
use crate::world::{PASSWORD, World};
use cratekeeper_server::{Configuration, IdentityProvider, SecondFactorOf};

pub(crate) const NOW: i64 = 1_790_000_000;

/// What only who is signed in sees.
const ACCOUNT: &str = "/console/account";

/// A gate with an identity provider. Tries to sign in are counted by address, and tests make many: browsers say where they are.
pub(crate) fn world(
    provider: &StandIn,
    change: impl FnOnce(&mut Configuration),
) -> (World, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let world = World::open(NOW, |configuration| {
        configuration.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        configuration.identity_provider = Some(IdentityProvider {
            name: "Example".to_owned(),
            issuer: provider.issuer.clone(),
            client_id: CLIENT.to_owned(),
            client_secret_file: file,
            scopes: vec!["profile".to_owned()],
            second_factor: SecondFactorOf::Gate,
        });
        change(configuration);
    });
    (world, directory)
}

/// A browser somewhere else than all others.
pub(crate) fn browser<'a>(world: &'a World, number: &mut u8) -> Surfer<'a> {
    *number += 1;
    let mut surfer = Surfer::new(world);
    surfer.address = format!("198.51.100.{number}");
    surfer
}

/// Where a page sends people.
fn sent_to(page: &Page) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    page.link("Go to Example")
}

/// Sends a browser away to sign in, and gives where to.
fn away(surfer: &mut Surfer<'_>, next: &str) -> String {
    let page = surfer.post_as_is("/console/sign-in/provider", "", &[("next", next)]);
    assert!(page.head.contains("HttpOnly; SameSite=Lax; Max-Age=600"), "{}", page.head);
    sent_to(&page)
}

/// Signs in by the provider, and gives the page that comes of it.
pub(crate) fn signs_in(surfer: &mut Surfer<'_>, provider: &StandIn, subject: &str) -> Page {
    let url = away(surfer, "/console/people");
    surfer.get(&provider.visited_by(subject, &url))
}

pub(crate) fn is_in(surfer: &mut Surfer<'_>) -> bool {
    surfer.get(ACCOUNT).status == 200
}

/// Links somebody at the provider to the account that a browser is signed in as.
pub(crate) fn links(surfer: &mut Surfer<'_>, provider: &StandIn, subject: &str) -> Page {
    let page = surfer.post("/console/account/identities", &[("password", PASSWORD)]);
    let url = sent_to(&page);
    surfer.get(&provider.visited_by(subject, &url))
}

/// Entries of the audit log with an action, newest first.
fn entries(world: &World, action: &str) -> Vec<Value> {
    let found = world.administer("GET", &format!("/admin/v1/audit-log?action={action}"), &Value::Null);
    found["entries"].as_array().cloned().unwrap_or_default()
}

pub(crate) fn signed_in<'a>(world: &'a World, number: &mut u8, login: &str) -> Surfer<'a> {
    let mut surfer = browser(world, number);
    let page = surfer.post_as_is("/console/sign-in", "", &[("login", login), ("password", PASSWORD)]);
    assert_eq!(page.status, 303, "{}", page.body);
    assert!(is_in(&mut surfer));
    surfer
}

/// Somebody links who they are elsewhere, signs in by it, is asked for their code all the same, and unlinks it.
pub(crate) fn story() -> bool {
    let provider = StandIn::start(NOW, true);
    let (world, _directory) = world(&provider, |_| {});
    let number = &mut 0;
    let mut operator = signed_in(&world, number, "operator");
    let wrong = operator.post("/console/account/identities", &[("password", "another password")]);
    assert_eq!(wrong.status, 403, "linking takes the password: {}", wrong.body);
    let linked = links(&mut operator, &provider, "subject-1");
    assert_eq!(linked.location(), "/console/account?done=linked", "{}", linked.body);
    assert!(operator.get(ACCOUNT).body.contains("subject-1"));
    let again = links(&mut operator, &provider, "subject-1");
    assert_eq!(again.status, 409, "{}", again.body);

    let mut elsewhere = browser(&world, number);
    assert!(elsewhere.get("/console/sign-in").body.contains("Sign in with Example"));
    let page = signs_in(&mut elsewhere, &provider, "subject-1");
    assert_eq!(page.location(), "/console/people", "{}", page.body);
    let account = elsewhere.get(ACCOUNT);
    assert!(
        account.body.contains("identity-provider") && account.body.contains(">operator</h1>"),
        "{}",
        account.body
    );
    assert!(elsewhere.get("/console/people/operator").body.contains("subject-1"), "admins see it");
    let begun = entries(&world, "session.begin");
    assert_eq!(begun[0]["detail"]["issuer"], provider.issuer.as_str(), "{begun:#?}");
    assert_eq!(begun[0]["detail"]["subject"], "subject-1");

    // Keys change; the gate finds out by itself.
    std::thread::sleep(crate::provider_ways::KEYS_AGAIN);
    provider.turn_key();
    let page = signs_in(&mut browser(&world, number), &provider, "subject-1");
    assert_eq!(page.location(), "/console/people", "{}", page.body);

    let codes = second_factor(&world, &provider, number, &mut operator);

    // Unlinked, it leads nowhere; other sessions end.
    let account = operator.get(ACCOUNT);
    let path = between(&account.body, "action=\"/console/account/identities/", "\"");
    let place = format!("/console/account/identities/{path}");
    assert_eq!(operator.post(&place, &[("password", PASSWORD)]).status, 403, "it takes the code, too");
    let gone = operator.post(&place, &[("password", PASSWORD), ("code", &codes[1])]);
    assert_eq!(gone.location(), "/console/account?done=unlinked", "{}", gone.body);
    assert!(!is_in(&mut elsewhere), "whoever signed in by it is out");
    let page = signs_in(&mut browser(&world, number), &provider, "subject-1");
    assert_eq!(page.status, 403, "{}", page.body);
    assert_eq!(entries(&world, "identity.unlink").len(), 1);
    true
}

/// The text between two others.
fn between(text: &str, start: &str, end: &str) -> String {
    let from = text.find(start).unwrap_or_else(|| panic!("no {start} in {text}")) + start.len();
    text[from..from + text[from..].find(end).unwrap()].to_owned()
}

/// The code of a second factor at a moment.
fn code(text: &str, at: i64) -> String {
    let digit = |it: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(it).unwrap();
    let bits: String = text.chars().map(|it| format!("{:05b}", digit(it))).collect();
    let secret: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|it| u8::from_str_radix(std::str::from_utf8(it).unwrap(), 2).unwrap())
        .collect();
    let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
    totp.generate(at.unsigned_abs()).to_string()
}

/// Sets a second factor up, which is asked for after the provider, too. Gives recovery codes that are left.
fn second_factor(
    world: &World,
    provider: &StandIn,
    number: &mut u8,
    operator: &mut Surfer<'_>,
) -> Vec<String> {
    let page = operator.get("/console/account/second-factor");
    let (text, sealed) = (between(&page.body, "<code>", "</code>"), page.hidden("sealed"));
    let first = code(&text, NOW);
    let on = operator.post(
        "/console/account/second-factor",
        &[("sealed", &sealed), ("password", PASSWORD), ("code", &first)],
    );
    assert!(on.body.contains("Your second factor is on"), "{}", on.body);
    let list = between(&on.body, "<ul class=\"codes\">", "</ul>");
    let codes: Vec<String> =
        list.split("<code>").skip(1).map(|it| it.split('<').next().unwrap().to_owned()).collect();

    let mut somebody = browser(world, number);
    let asked = signs_in(&mut somebody, provider, "subject-1");
    assert!(asked.status == 200 && asked.body.contains("Your second factor"), "{}", asked.body);
    assert!(!is_in(&mut somebody), "nobody is in without the code");
    let place = "/console/sign-in/provider/code";
    let wrong = somebody.post_as_is(place, "", &[("code", "000000")]);
    assert_eq!(wrong.status, 401, "{}", wrong.body);
    let used = somebody.post_as_is(place, "", &[("code", &first)]);
    assert_eq!(used.status, 401, "a code counts once: {}", used.body);
    // What the browser keeps is worth nothing in another gate's eyes, changed, or without a code.
    let kept = somebody.cookie("cratekeeper-provider");
    let mut forger =
        Surfer::with_cookie(world, &format!("cratekeeper-provider={}0", &kept[..kept.len() - 1]));
    let forged = forger.post_as_is(place, "", &[("code", &codes[0])]);
    assert!(forged.status == 400 || kept.ends_with('0'), "{}", forged.body);
    let right = somebody.post_as_is(place, "", &[("code", &codes[0])]);
    assert_eq!(right.location(), "/console/people", "{}", right.body);
    assert!(is_in(&mut somebody));
    codes
}

/// What is no proof of who somebody is lets nobody in.
pub(crate) fn lies() -> bool {
    let provider = StandIn::start(NOW, true);
    let (world, _directory) = world(&provider, |_| {});
    let number = &mut 0;
    let mut operator = signed_in(&world, number, "operator");
    assert_eq!(links(&mut operator, &provider, "subject-1").status, 303);
    for twist in [
        Twist::AnotherNonce,
        Twist::NoNonce,
        Twist::AnotherAudience,
        Twist::SecondAudience,
        Twist::AnotherParty,
        Twist::Expired,
        Twist::IssuedLongAgo,
        Twist::AnotherIssuer,
        Twist::Unsigned,
        Twist::SignedWithTheSecret,
        Twist::SignedWithThePublicKey,
        Twist::SignedWithAnotherKey,
        Twist::NoToken,
        Twist::NoSubject,
        Twist::EmptySubject,
        Twist::SubjectOfLines,
        Twist::NoJson,
        Twist::Giant,
        Twist::LeadsElsewhere,
        Twist::Hangs,
    ] {
        provider.twist(twist);
        let mut somebody = browser(&world, number);
        let page = signs_in(&mut somebody, &provider, "subject-1");
        assert!(matches!(page.status, 403 | 502), "{twist:?}: {} {}", page.status, page.body);
        assert!(!page.body.contains(SECRET) && !page.body.contains("xxxxxxxx"), "{twist:?}: {}", page.body);
        assert!(somebody.cookie("cratekeeper-session").is_empty() && !is_in(&mut somebody), "{twist:?}");
        assert!(somebody.cookie("cratekeeper-provider").is_empty(), "{twist:?}: it counts once");
    }
    provider.twist(Twist::Nothing);
    strangers(&world, &provider, number);
    crossed(&world, &provider, number);
    locked_out(&world, &provider, number);
    // A password works whatever the provider does.
    provider.twist(Twist::Hangs);
    signed_in(&world, number, "operator");
    true
}

/// Whoever is not linked is nobody, whatever address of mail or name the provider gives them.
fn strangers(world: &World, provider: &StandIn, number: &mut u8) {
    for subject in
        ["subject-2", "operator", "operator@example.invalid", "SUBJECT-1", "subject-1 ", "<script>alert(1)"]
    {
        let mut somebody = browser(world, number);
        let page = signs_in(&mut somebody, provider, subject);
        assert_eq!(page.status, 403, "{subject}: {}", page.body);
        assert!(page.body.contains("nobody can sign in here by that"), "{}", page.body);
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
        assert!(!is_in(&mut somebody), "{subject}");
    }
    let refused = entries(world, "session.refuse");
    let of = |it: &&Value| {
        it["detail"]["subject"] == "subject-2" && it["detail"]["issuer"] == provider.issuer.as_str()
    };
    assert!(refused.iter().any(|it| of(&it)), "{refused:#?}");
    assert!(refused.iter().all(|it| it["object"] == "nobody"), "{refused:#?}");
    let people = world.administer("GET", "/admin/v1/users", &Value::Null).to_string();
    assert!(!people.contains("subject-2"), "no account is made: {people}");
}

/// What belongs to one browser and one try is worth nothing in another.
fn crossed(world: &World, provider: &StandIn, number: &mut u8) {
    let not_sent = |page: &Page, what: &str| {
        assert_eq!(page.status, 400, "{what}: {}", page.body);
        assert!(page.body.contains("was not sent to sign in"), "{what}: {}", page.body);
    };
    // An attacker's way back in somebody else's browser: login CSRF.
    let (mut attacker, mut victim) = (browser(world, number), browser(world, number));
    let url = away(&mut attacker, "");
    let back = provider.visited_by("subject-1", &url);
    not_sent(&victim.get(&back), "a browser that was not sent");
    away(&mut victim, "");
    not_sent(&victim.get(&back), "a browser that was sent for something else");
    assert!(!is_in(&mut victim));
    // A code of somebody else in an attacker's own try: the provider does not take it without its verifier.
    let stolen = between(&provider.visited_by("subject-1", &away(&mut victim, "")), "code=", "&");
    let own = provider.visited_by("subject-9", &away(&mut attacker, ""));
    let own_code = between(&own, "code=", "&");
    let page = attacker.get(&own.replace(&own_code, &stolen));
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(!is_in(&mut attacker));
    // A state that was guessed, none, one twice, too late.
    let mut somebody = browser(world, number);
    let url = away(&mut somebody, "");
    let back = provider.visited_by("subject-1", &url);
    let state = between(&format!("{back}&"), "state=", "&");
    let kept = somebody.copy();
    not_sent(&kept.copy().get(&back.replace(&state, "guessed")), "another state");
    not_sent(&kept.copy().get(&back.replace("state=", "other=")), "no state");
    not_sent(&kept.copy().get("/console/sign-in/provider/return"), "nothing");
    assert_eq!(somebody.get(&back).status, 303);
    assert!(is_in(&mut somebody));
    not_sent(&kept.copy().get(&back), "a way back is used once, whatever the browser keeps");
    let mut late = browser(world, number);
    let back = provider.visited_by("subject-1", &away(&mut late, ""));
    world.clock.fetch_add(600, Ordering::AcqRel);
    not_sent(&late.get(&back), "ten minutes later");
    world.clock.fetch_sub(600, Ordering::AcqRel);
    // Another provider's answer, or one that does not say whose it is.
    for (from, to) in [("iss=", "iss=x"), ("iss=", "other=")] {
        let mut mixed = browser(world, number);
        let back = provider.visited_by("subject-1", &away(&mut mixed, ""));
        let page = mixed.get(&back.replace(from, to));
        assert_eq!(page.status, 403, "{to}: {}", page.body);
        assert!(!is_in(&mut mixed));
    }
    // What the provider says went wrong is text.
    let mut refused = browser(world, number);
    let back = provider.visited_by("subject-1", &away(&mut refused, ""));
    let code = between(&back, "code=", "&");
    let page =
        refused.get(&back.replace(&format!("code={code}"), "error=%3Cscript%3Ealert(1)%3C%2Fscript%3E"));
    assert!(page.status == 403 && !page.body.contains("<script>alert"), "{}", page.body);
    // Nobody is led elsewhere afterwards, and no other site begins it.
    for odd in ["https://example.invalid/", "//example.invalid", "/\\example.invalid", "/admin/v1/status"] {
        let mut led = browser(world, number);
        let url = away(&mut led, odd);
        let page = led.get(&provider.visited_by("subject-1", &url));
        assert_eq!(page.location(), "/console/queue", "{odd}");
    }
    let crossed = victim.post_as_is("/console/sign-in/provider", "sec-fetch-site: cross-site\r\n", &[]);
    assert_eq!(crossed.status, 403, "{}", crossed.body);
    // Beginning is a try to sign in.
    let mut eager = browser(world, number);
    let statuses: Vec<u16> =
        (0..11).map(|_| eager.post_as_is("/console/sign-in/provider", "", &[]).status).collect();
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}

/// Who was locked out stays out, and is told no more than a stranger.
fn locked_out(world: &World, provider: &StandIn, number: &mut u8) {
    let made = world.administer(
        "POST",
        "/admin/v1/users",
        &json!({ "login": "gone", "roles": ["viewer"], "reason": "a test" }),
    );
    let mut gone = joins(world, provider, number, made["link"].as_str().unwrap(), "gone", "subject-gone");
    assert!(is_in(&mut gone));
    world.administer("POST", "/admin/v1/users/gone/disable", &json!({ "reason": "a test" }));
    assert!(!is_in(&mut gone));
    let page = signs_in(&mut gone, provider, "subject-gone");
    assert!(page.status == 403 && page.body.contains("nobody can sign in here by that"), "{}", page.body);
    assert!(!is_in(&mut gone));
    assert!(entries(world, "session.refuse").iter().any(|it| it["object"] == "gone"));
}

/// Follows the link of an invitation, and chooses the provider instead of a password.
fn joins<'a>(
    world: &'a World,
    provider: &StandIn,
    number: &mut u8,
    link: &str,
    login: &str,
    subject: &str,
) -> Surfer<'a> {
    let path = &link[link.find("/console/").unwrap()..link.find('?').unwrap()];
    let mut surfer = browser(world, number);
    assert!(surfer.get(path).body.contains("Join with Example"));
    let page = surfer.post_as_is(&format!("{path}/provider"), "", &[("login", login)]);
    let joined = surfer.get(&provider.visited_by(subject, &sent_to(&page)));
    assert_eq!(joined.location(), "/console/account?done=linked", "{}", joined.body);
    surfer
}

/// An account lives without a password: it joins, proves again who it is before what is grave, and is given back after a reset.
pub(crate) fn without_password() -> bool {
    let provider = StandIn::start(NOW, false);
    let (world, _directory) = world(&provider, |_| {});
    let number = &mut 0;
    let made = world.administer(
        "POST",
        "/admin/v1/users",
        &json!({ "login": "dora", "roles": ["admin", "triager"], "reason": "a test" }),
    );
    let link = made["link"].as_str().unwrap().to_owned();
    let mut dora = joins(&world, &provider, number, &link, "dora", "subject-dora");
    world.administer(
        "POST",
        "/admin/v1/users",
        &json!({ "login": "extra", "roles": [], "reason": "a test" }),
    );
    // The link is used up, also for the provider; and an identity is one account's.
    let path = &link[link.find("/console/").unwrap()..link.find('?').unwrap()];
    let mut eve = browser(&world, number);
    let page = eve.post_as_is(&format!("{path}/provider"), "", &[("login", "dora")]);
    let again = eve.get(&provider.visited_by("subject-eve", &sent_to(&page)));
    assert!(again.status == 400 && !is_in(&mut eve), "{}", again.body);

    let account = dora.get(ACCOUNT);
    assert!(account.body.contains("the only way to sign in"), "{}", account.body);
    let id = world_identity(&mut signed_in(&world, number, "operator"));
    assert!(id.contains("subject-dora"), "{id}");
    let unlinked = dora.post("/console/account/identities/1/unlink", &[]);
    assert_eq!(unlinked.status, 400, "the last way stays: {}", unlinked.body);
    // No password is the right one.
    for password in ["", "null", PASSWORD] {
        let mut guess = browser(&world, number);
        let page = guess.post_as_is("/console/sign-in", "", &[("login", "dora"), ("password", password)]);
        assert_eq!(page.status, 401, "{}", page.body);
    }
    proves_again(&world, &provider, &mut dora);
    reset(&world, &provider, number, &mut dora);
    true
}

fn world_identity(operator: &mut Surfer<'_>) -> String {
    operator.get("/console/people/dora").body
}

/// What is grave waits until the provider asked once more; nothing less counts.
fn proves_again(world: &World, provider: &StandIn, dora: &mut Surfer<'_>) {
    let later = NOW + 700;
    world.clock.store(later, Ordering::Release);
    provider.is_now(later);
    let change = r#"{"act":"set-disabled","login":"extra","disabled":true}"#;
    let query: String = url::form_urlencoded::byte_serialize(change.as_bytes()).collect();
    let act = format!("/console/act?change={query}");
    let page = dora.get(&act);
    assert!(
        page.body.contains("Prove it at Example") && !page.body.contains("name=\"password\""),
        "{}",
        page.body
    );
    let fields = [
        ("change", page.hidden("change")),
        ("digest", page.hidden("digest")),
        ("reason", "a test".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let submit = |dora: &mut Surfer<'_>, password: Option<&str>| {
        let mut all = fields.clone();
        all.extend(password.map(|it| ("password", it)));
        dora.post("/console/act", &all)
    };
    assert!(submit(dora, None).body.contains("Prove again who you are"));
    assert_eq!(submit(dora, Some("")).status, 403, "an empty password is none");
    assert_eq!(dora.post("/console/account/tokens", &[("name", "x"), ("days", "1")]).status, 403);
    for (twist, subject) in [
        (Twist::OldProof, "subject-dora"),
        (Twist::NoMomentOfProof, "subject-dora"),
        (Twist::AnotherNonce, "subject-dora"),
        (Twist::Nothing, "subject-eve"),
    ] {
        provider.twist(twist);
        let sent = dora.post("/console/account/prove", &fields);
        let url = sent_to(&sent);
        assert!(url.contains("prompt=login") && url.contains("max_age=0"), "{url}");
        let page = dora.get(&provider.visited_by(subject, &url));
        assert_eq!(page.status, 403, "{twist:?} {subject}: {}", page.body);
        assert!(submit(dora, None).body.contains("Prove again who you are"), "{twist:?} {subject}");
        // A session that is begun without being asked is no proof either.
        if twist == Twist::OldProof {
            let mut fresh = Surfer::new(world);
            fresh.address = "203.0.113.1".to_owned();
            assert_eq!(signs_in(&mut fresh, provider, subject).status, 303);
            assert!(fresh.get(&act).body.contains("Prove it at Example"));
        }
    }
    provider.twist(Twist::Nothing);
    let sent = dora.post("/console/account/prove", &fields);
    let proved = dora.get(&provider.visited_by("subject-dora", &sent_to(&sent)));
    assert!(proved.location().starts_with("/console/act?change="), "{}", proved.body);
    let page = dora.get(proved.location());
    assert!(
        page.body.contains("a test") && !page.body.contains("Prove it at"),
        "what was typed is there: {}",
        page.body
    );
    let done = submit(dora, None);
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(entries(world, "session.prove")[0]["detail"]["subject"], "subject-dora");
}

/// After a reset, nothing that was linked leads in.
fn reset(world: &World, provider: &StandIn, number: &mut u8, dora: &mut Surfer<'_>) {
    let first = reset_by_two(world, number);
    assert!(!is_in(dora), "sessions end");
    assert_eq!(signs_in(dora, provider, "subject-dora").status, 403, "and what was linked is not any more");
    let second = reset_by_two(world, number);
    let path = &first[first.find("/console/").unwrap()..first.find('?').unwrap()];
    let mut finder = browser(world, number);
    let page = finder.post_as_is(path, "", &[("login", "dora"), ("password", PASSWORD)]);
    assert_eq!(page.status, 400, "an earlier link is worth nothing: {}", page.body);
    let mut back = joins(world, provider, number, &second, "dora", "subject-dora-2");
    assert!(is_in(&mut back));
    // One day it has a password, too.
    let chosen = back.post("/console/account/password", &[("new_password", PASSWORD)]);
    assert_eq!(chosen.status, 303, "{}", chosen.body);
    signed_in(world, number, "dora");
    assert!(unescaped(&back.get(ACCOUNT).body).contains("Unlink"));
}

/// One asks for a new password of dora's, and another agrees. Gives the link.
fn reset_by_two(world: &World, number: &mut u8) -> String {
    let change = r#"{"act":"reset-password","login":"dora"}"#;
    let query: String = url::form_urlencoded::byte_serialize(change.as_bytes()).collect();
    let asked = signed_in(world, number, "operator").act(&format!("/console/act?change={query}"), "a test");
    assert_eq!(asked.status, 303, "{}", asked.body);
    let place = asked.location().split('?').next().unwrap().to_owned();
    let mut second = signed_in(world, number, "colleague");
    let digest = second.get(&place).hidden("digest");
    let agreed = second.post(&format!("{place}/agree"), &[("digest", &digest), ("reason", "a test")]);
    assert_eq!(agreed.status, 200, "{}", agreed.body);
    unescaped(&between(&agreed.body, "<pre class=\"secret\"><code>", "</code>"))
}

/// A provider that is away keeps nobody from anything else.
pub(crate) fn away_provider() -> bool {
    let provider = StandIn::start(NOW, true);
    let (world, _directory) = world(&provider, |configuration| {
        if let Some(provider) = &mut configuration.identity_provider {
            provider.issuer = "http://127.0.0.1:9".to_owned();
        }
    });
    let number = &mut 0;
    let mut somebody = browser(&world, number);
    let page = somebody.post_as_is("/console/sign-in/provider", "", &[]);
    assert!(page.status == 502 && page.body.contains("Example cannot be asked"), "{}", page.body);
    assert!(somebody.get("/console/sign-in").body.contains("Sign in with Example"));
    signed_in(&world, number, "operator");
    asked_there();
    true
}

/// Where the operator says that the provider asks for the second factor, the gate does not.
fn asked_there() {
    let provider = StandIn::start(NOW, false);
    let (world, _directory) = world(&provider, |configuration| {
        if let Some(provider) = &mut configuration.identity_provider {
            provider.second_factor = SecondFactorOf::Provider;
        }
    });
    let number = &mut 0;
    let mut operator = signed_in(&world, number, "operator");
    assert_eq!(links(&mut operator, &provider, "subject-1").status, 303);
    let page = operator.get("/console/account/second-factor");
    let (text, sealed) = (between(&page.body, "<code>", "</code>"), page.hidden("sealed"));
    let fields = [("sealed", &*sealed), ("password", PASSWORD), ("code", &*code(&text, NOW))];
    assert_eq!(operator.post("/console/account/second-factor", &fields).status, 200);
    let mut somebody = browser(&world, number);
    assert_eq!(signs_in(&mut somebody, &provider, "subject-1").location(), "/console/people");
    assert!(is_in(&mut somebody));
    // A password without the code is as little as ever.
    let alone = browser(&world, number).post_as_is(
        "/console/sign-in",
        "",
        &[("login", "operator"), ("password", PASSWORD)],
    );
    assert_eq!(alone.status, 401, "{}", alone.body);
}
