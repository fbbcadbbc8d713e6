//! What becomes of owners: told by mail, frozen. And what a report of somebody who was right before does.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cratekeeper_server::{MailConfiguration, MailEncryption};
use serde_json::{Value, json};

use crate::post_office::{Arrived, PostOffice};
use crate::publishing::{archive, metadata, publish};
use crate::surfing::{Page, Surfer, unescaped};
use crate::world::{Answer, PASSWORD, World};

pub(crate) const START: i64 = 1_790_000_000;

/// Longest wait for something that a background task does; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

fn mailing(office: &PostOffice, per_hour: u32) -> Option<MailConfiguration> {
    Some(MailConfiguration {
        server: office.address.ip().to_string(),
        port: Some(office.address.port()),
        encryption: MailEncryption::None,
        from: "Gate <gate@example.invalid>".to_owned(),
        per_hour,
        ..MailConfiguration::default()
    })
}

/// An account with a password, and a token that may publish.
pub(crate) fn account(world: &World, login: &str) -> String {
    let name = "A\r\nBcc: everybody@example.invalid\u{202e}";
    let body = json!({ "login": login, "name": name, "reason": "a test" });
    let made = world.administer("POST", "/admin/v1/users", &body);
    let link = made["link"].as_str().unwrap();
    let path = &link[link.find("/console/").unwrap()..link.find('?').unwrap()];
    let joined = Surfer::new(world).post_as_is(path, "", &[("login", login), ("password", PASSWORD)]);
    assert_eq!(joined.status, 303, "{}", joined.body);
    let scopes = ["publish-new", "publish-update", "yank", "change-owners", "read"];
    let body = json!({ "user": login, "name": "test", "scopes": scopes, "reason": "a test" });
    world.administer("POST", "/admin/v1/tokens", &body)["secret"].as_str().unwrap().to_owned()
}

fn owner(world: &World, krate: &str, by: &str, invited: &str, token: &str) {
    let path = format!("/api/v1/crates/{krate}/owners");
    assert_eq!(world.ask_as(by, "PUT", &path, &json!({ "users": [invited] })).status, 200);
    assert_eq!(accept(world, krate, token).status, 200);
}

fn accept(world: &World, krate: &str, token: &str) -> Answer {
    let path = format!("/api/v1/me/crate_owner_invitations/{krate}");
    world.ask_as(token, "PUT", &path, &json!({ "crate_owner_invite": { "accepted": true } }))
}

pub(crate) fn give_address(surfer: &mut Surfer<'_>, address: &str, password: &str) -> Page {
    surfer.post("/console/account/address", &[("address", address), ("password", password)])
}

/// The path of the link in a mail.
fn link(mail: &Arrived) -> String {
    let start = mail.body.find("/console/account/address/").unwrap();
    mail.body[start..].split_whitespace().next().unwrap().to_owned()
}

/// Tells the owners of `thing`, as the command line does.
fn tell(world: &World, template: &str, text: &str) -> Answer {
    let target = json!({ "crate": "thing", "version": "1.0.0" });
    let body = json!({ "target": target, "template": template, "text": text, "reason": "they should know" });
    world.ask_as(&world.admin, "POST", "/admin/v1/notify-owners", &body)
}

pub(crate) fn mails(world: &World) -> Value {
    world.administer("GET", "/admin/v1/mails", &Value::Null)
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "this does not come: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether any file of the gate holds a text.
fn is_kept(world: &World, text: &str) -> bool {
    let mut open = vec![world.directory.path().join("gate")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if std::fs::read(&path)
                .is_ok_and(|it| it.windows(text.len()).any(|it| it == text.as_bytes()))
            {
                return true;
            }
        }
    }
    false
}

/// From an address that is confirmed to a mail that its owner reads; and every way in which none is sent.
pub(crate) fn told_by_mail() -> bool {
    let mut office = PostOffice::open();
    let world = World::open(START, |it| {
        it.mail = mailing(&office, 6);
        it.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let (alice, bob) = (account(&world, "alice"), account(&world, "bob"));
    let made = publish(
        &world,
        &alice,
        &metadata("thing", "1.0.0"),
        &archive("thing", "1.0.0", "description = \"a\\r\\nBcc: everybody@example.invalid \\u202E\"\n"),
    );
    assert_eq!(made.status, 200, "{}", made.body);
    owner(&world, "thing", &alice, "bob", &bob);
    world.settle();
    let nobody = tell(&world, "held", "");
    assert!(nobody.status == 409 && nobody.body.contains("confirmed an address"), "{}", nobody.body);

    addresses(&world, &office);
    by_hand(&world, &office);

    // A server that is away for a while.
    office.close();
    let waits = tell(&world, "free", "while the server is away");
    assert_eq!(waits.status, 200, "{}", waits.body);
    let tried = |world: &World| mails(world)["mails"][0]["attempts"].as_u64().unwrap_or(0);
    wait_until("an attempt that fails", || tried(&world) >= 1);
    office.open_again();
    world.clock.fetch_add(31, Ordering::AcqRel);
    let late = office.mail(4);
    assert!(late.body.contains("while the server is away"), "{late:?}");

    // A server that refuses for good: given up at once, and sent again by hand.
    office.refuse(true);
    assert_eq!(tell(&world, "advisory", "").status, 200);
    wait_until("a mail that is given up", || mails(&world)["given_up"] == 1);
    let mut operator = Surfer::signed_in_at(&world, "10.0.0.3", "operator", PASSWORD);
    let system = operator.get("/console/system");
    assert!(system.body.contains("nobody of this name lives here"), "{}", system.body);
    let number = mails(&world)["mails"][0]["id"].clone();
    office.refuse(false);
    let again = operator.act(&system.link(&format!("Send mail {number} again")), "they have moved in");
    assert_eq!(again.status, 303, "{}", again.body);
    assert!(office.mail(5).head.contains("thing@1.0.0 has a security advisory"), "{:?}", office.mail(5));
    wait_until("a mail that is sent", || mails(&world)["given_up"] == 0);

    at_most_so_many(&world, &office);
    true
}

/// Alice confirms hers; Bob does not, and cannot confirm hers.
fn addresses(world: &World, office: &PostOffice) {
    let mut alice = Surfer::signed_in_at(world, "10.0.1.1", "alice", PASSWORD);
    assert_eq!(give_address(&mut alice, "alice@example.invalid", "a wrong password").status, 403);
    for odd in
        ["alice", "alice@example.invalid, bob@example.invalid", "a@example.invalid\r\nBcc: b@example.invalid"]
    {
        assert_eq!(give_address(&mut alice, odd, PASSWORD).status, 400, "{odd}");
    }
    let given = give_address(&mut alice, "alice@example.invalid", PASSWORD);
    assert_eq!(given.status, 303, "{}", given.body);
    let mail = office.mail(1);
    assert_eq!(mail.to, "alice@example.invalid");
    let link = link(&mail);
    let secret = link.rsplit('/').next().unwrap().to_owned();
    assert!(!is_kept(world, &secret), "the database holds no link that works");
    let nobody = tell(world, "held", "");
    assert_eq!(nobody.status, 409, "nothing goes to an address that nobody confirmed: {}", nobody.body);

    let mut bob = Surfer::signed_in_at(world, "10.0.1.2", "bob", PASSWORD);
    assert_eq!(give_address(&mut bob, "alice@example.invalid", PASSWORD).status, 303);
    let for_bob = self::link(&office.mail(2));
    assert_eq!(bob.post(&link, &[]).status, 400, "a link of somebody else's");
    assert_eq!(alice.post(&for_bob, &[]).status, 400, "a link of somebody else's");
    for _ in 0..2 {
        assert_eq!(alice.get(&link).status, 200, "to look at a link uses nothing up");
    }
    assert_eq!(Surfer::new(world).get(&link).status, 303, "nobody confirms without a session");
    let confirmed = alice.post(&link, &[]);
    assert_eq!((confirmed.status, confirmed.location()), (303, "/console/account?done=address"));
    assert_eq!(alice.post(&link, &[]).status, 400, "it works once");
    assert!(alice.get("/console/account").body.contains("You are told at <b>alice@example.invalid</b>"));
    let log = world.administer("GET", "/admin/v1/audit-log", &Value::Null).to_string();
    assert!(log.contains("address.confirm") && !log.contains("alice@example.invalid"), "{log}");
}

/// From a decision to the mail about it, on pages.
fn by_hand(world: &World, office: &PostOffice) {
    let known = world.administer("GET", "/admin/v1/versions/hosted/thing/1.0.0", &Value::Null);
    let mut operator = Surfer::signed_in_at(world, "10.0.1.3", "operator", PASSWORD);
    let version = operator.get(&format!("/console/version/{}", known["version"]["id"]));
    let held = operator
        .act(&version.link("Quarantine this version"), "what is it for?\r\nBcc: nobody@example.invalid");
    assert!(held.location().ends_with("done=decided"), "{}", held.head);
    let version = operator.get(held.location());
    assert!(version.body.contains("The owners were not told"), "{}", version.body);
    let form = operator.get(&version.link("Tell the owners"));
    assert!(form.body.contains("value=\"held\" selected"), "{}", form.body);
    let text = "Please write to us.\r\n.\r\nBcc: nobody@example.invalid\u{202e}\r\n\r\nThanks";
    let fields: Vec<(&str, String)> =
        ["registry", "crate", "version", "back"].map(|it| (it, form.hidden(it))).into();
    let mut all: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend([("template", "held"), ("text", text)]);
    let chosen = operator.post("/console/notify", &all);
    assert_eq!(chosen.status, 303, "{}", chosen.body);
    let preview = operator.get(chosen.location());
    for shown in
        ["owner alice", "address confirmed", "owner bob", "no confirmed address", "what is it for?", "Thanks"]
    {
        assert!(preview.body.contains(shown), "{shown}: {}", preview.body);
    }
    assert!(!preview.body.contains('\u{202e}') && !preview.body.contains("alice@example.invalid"));
    let told = operator.act(chosen.location(), "they should know");
    assert_eq!(told.status, 303, "{}", told.body);
    let mail = office.mail(3);
    let head = mail.head.to_lowercase();
    assert_eq!((mail.to.as_str(), head.matches("\r\nto:").count()), ("alice@example.invalid", 1), "{head}");
    assert!(!head.contains("bcc") && head.contains("subject: thing@1.0.0 is held"), "{head}");
    let shown = unescaped(&preview.body);
    for line in mail.body.lines().map(str::trim).filter(|it| !it.is_empty()) {
        assert!(shown.contains(line), "the preview lacks `{line}`: {shown}");
    }
    assert!(!mail.body.contains('\u{202e}') && mail.body.contains("\r\n  .\r\n"), "{}", mail.body);
    assert!(mail.body.contains(&format!("http://{}/hosted/thing/1.0.0", world.address)), "{}", mail.body);
}

/// What is above the limit of an address waits, and the address before is told when it changes.
fn at_most_so_many(world: &World, office: &PostOffice) {
    let before = office.mails().len();
    assert_eq!(before, 5);
    for number in 0..4 {
        assert_eq!(tell(world, "free", &format!("text {number}")).status, 200);
    }
    // Six went to this address within the hour, one of them of Bob's asking.
    office.mail(6);
    wait_until("mails that wait", || {
        mails(world)["waiting"] == 3 && mails(world)["sent"].as_u64() == Some(office.mails().len() as u64)
    });
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(office.mails().len(), 6, "the others wait");
    world.clock.fetch_add(3_700, Ordering::AcqRel);
    office.mail(9);
    let mut alice = Surfer::signed_in_at(world, "10.0.1.1", "alice", PASSWORD);
    assert_eq!(give_address(&mut alice, "elsewhere@example.invalid", PASSWORD).status, 303);
    let two = [office.mail(10), office.mail(11)];
    let warned = two.iter().find(|it| it.to == "alice@example.invalid").unwrap();
    assert!(warned.body.contains("somebody has your password"), "{warned:?}");
    let asked = two.iter().find(|it| it.to == "elsewhere@example.invalid").unwrap();
    assert_eq!(alice.post(&link(asked), &[]).status, 303);
}

/// Where mail is not set up, everything says so.
pub(crate) fn no_mail() -> bool {
    let world = World::open(START, |_| {});
    let alice = account(&world, "alice");
    let made = publish(&world, &alice, &metadata("thing", "1.0.0"), &archive("thing", "1.0.0", ""));
    assert_eq!(made.status, 200, "{}", made.body);
    world.settle();
    let told = tell(&world, "held", "");
    assert!(told.status == 409 && told.body.contains("mail is not set up"), "{}", told.body);
    let mut surfer = Surfer::signed_in(&world, "alice", PASSWORD);
    let own = surfer.get("/console/account");
    assert!(own.body.contains("Mail is not set up"), "{} {}", own.status, own.body);
    let given = give_address(&mut surfer, "alice@example.invalid", PASSWORD);
    assert!(given.status == 409 && given.body.contains("mail is not set up"), "{}", given.body);
    let mut operator = Surfer::signed_in(&world, "operator", PASSWORD);
    assert!(operator.get("/console/system").body.contains("nobody is told anything by mail"));
    assert!(!operator.get("/console/crate/hosted/thing").body.contains(">Tell the owners<"));
    assert_eq!(mails(&world)["set_up"], false);
    true
}

/// Nothing of a frozen account is accepted, at once; it takes two people to accept it again.
pub(crate) fn frozen() -> bool {
    let world = World::open(START, |_| {});
    let (alice, bob) = (account(&world, "alice"), account(&world, "bob"));
    for (name, token) in [("thing", &alice), ("other", &bob)] {
        let made = publish(&world, token, &metadata(name, "1.0.0"), &archive(name, "1.0.0", ""));
        assert_eq!(made.status, 200, "{}", made.body);
    }
    world.settle();
    let owners = "/api/v1/crates/thing/owners";
    let invited = world.ask_as(&bob, "PUT", "/api/v1/crates/other/owners", &json!({ "users": ["alice"] }));
    assert_eq!(invited.status, 200, "{}", invited.body);
    owner(&world, "thing", &alice, "bob", &bob);

    let mut operator = Surfer::signed_in(&world, "operator", PASSWORD);
    let page = operator.get("/console/publisher/hosted/alice");
    let frozen = operator.act(&page.link("Freeze"), "the account was taken over");
    assert_eq!(frozen.status, 303, "{}", frozen.body);
    let page = operator.get("/console/publisher/hosted/alice");
    assert!(
        page.body.contains("<b>Frozen</b>") && !page.body.contains("Confirm the freeze"),
        "{}",
        page.body
    );

    let everything = |token: &str, number: &str| {
        let new = format!("new-{}", number.replace('.', "-"));
        vec![
            publish(&world, token, &metadata("thing", number), &archive("thing", number, "")),
            publish(&world, token, &metadata(&new, "1.0.0"), &archive(&new, "1.0.0", "")),
            world.ask_as(token, "DELETE", "/api/v1/crates/thing/1.0.0/yank", &Value::Null),
            world.ask_as(token, "PUT", "/api/v1/crates/thing/1.0.0/unyank", &Value::Null),
            world.ask_as(token, "PUT", owners, &json!({ "users": ["colleague"] })),
            world.ask_as(token, "DELETE", owners, &json!({ "users": ["bob"] })),
        ]
    };
    let mut answers = everything(&alice, "1.1.0");
    answers.push(accept(&world, "other", &alice));
    for answer in answers {
        assert!(
            answer.status == 403
                && answer.body.contains("is frozen")
                && answer.body.contains("the account was taken over"),
            "{} {}",
            answer.status,
            answer.body
        );
    }
    assert_eq!(
        world.ask_as(&alice, "GET", "/api/v1/me", &Value::Null).status,
        200,
        "its tokens are as they were"
    );
    let others = publish(&world, &bob, &metadata("thing", "1.2.0"), &archive("thing", "1.2.0", ""));
    assert_eq!(others.status, 200, "other owners go on: {}", others.body);

    let again =
        world.ask_as(&world.admin, "POST", "/admin/v1/users/alice/freeze", &json!({ "reason": "again" }));
    assert_eq!(again.status, 409, "{}", again.body);
    let own =
        world.ask_as(&world.admin, "POST", "/admin/v1/freezes/1/confirm", &json!({ "reason": "I said so" }));
    assert!(own.status == 400 && own.body.contains("cannot confirm it"), "{}", own.body);
    let mut colleague = Surfer::signed_in(&world, "colleague", PASSWORD);
    assert!(colleague.get("/console/requests").body.contains("<b>freeze</b>"));
    assert_eq!(
        colleague.post("/console/freezes/1/confirm", &[("reason", "I looked at it, too")]).status,
        303
    );
    assert!(colleague.get("/console/requests").body.contains("Everything is confirmed"));
    let frozen = world.administer("GET", "/admin/v1/freezes", &Value::Null);
    assert_eq!(frozen["freezes"][0]["confirmed"][0], "colleague", "{frozen:#}");

    own_freeze(&world);
    let asked = world.ask_as(
        &world.admin,
        "POST",
        "/admin/v1/users/alice/unfreeze",
        &json!({ "reason": "it is theirs" }),
    );
    assert_eq!(asked.status, 202, "one person alone ends no freeze: {}", asked.body);
    let refused = publish(&world, &alice, &metadata("thing", "1.3.0"), &archive("thing", "1.3.0", ""));
    assert_eq!(refused.status, 403, "{}", refused.body);
    let request: Value = serde_json::from_str(&asked.body).unwrap();
    let path = format!("/admin/v1/requests/{}/approve", request["request"]);
    assert_eq!(world.ask_as(&world.colleague, "POST", &path, &json!({ "reason": "so it is" })).status, 200);
    for answer in everything(&alice, "1.3.0").into_iter().chain([accept(&world, "other", &alice)]) {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    true
}

/// Whoever is frozen cannot end that, nor agree to it, whatever their role.
fn own_freeze(world: &World) {
    let why = json!({ "reason": "a test" });
    let frozen = world.ask_as(&world.admin, "POST", "/admin/v1/users/colleague/freeze", &why);
    assert_eq!(frozen.status, 200, "{}", frozen.body);
    let own = world.ask_as(&world.colleague, "POST", "/admin/v1/users/Colleague/unfreeze", &why);
    assert!(own.status == 403 && own.body.contains("their own account"), "{}", own.body);
    let asked = world.ask_as(&world.admin, "POST", "/admin/v1/users/colleague/unfreeze", &why);
    let request: Value = serde_json::from_str(&asked.body).unwrap();
    let path = format!("/admin/v1/requests/{}/approve", request["request"]);
    let agreed = world.ask_as(&world.colleague, "POST", &path, &why);
    assert!(agreed.status == 403 && agreed.body.contains("their own account"), "{}", agreed.body);
}

/// A thousand strangers, and reports of advertising, change nothing; two people who were right before do, where there are findings.
pub(crate) fn trusted_reports() -> bool {
    let world = World::open(START, |it| it.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]);
    let mallory = account(&world, "mallory");
    let reporters: Vec<String> = ["carol", "dave", "erin"].map(|it| account(&world, it)).into();
    let names = ["bad-one", "bad-two", "plain"];
    for name in names {
        let made = publish(&world, &mallory, &metadata(name, "1.0.0"), &archive(name, "1.0.0", ""));
        assert_eq!(made.status, 200, "{}", made.body);
    }
    // What is claimed is not what the archive says: a finding that asks for a look, and no more.
    let mut claimed = metadata("odd", "1.0.0");
    claimed["features"] = json!({ "default": ["std"], "std": [] });
    let made = publish(&world, &mallory, &claimed, &archive("odd", "1.0.0", ""));
    assert_eq!(made.status, 200, "{}", made.body);
    world.settle();
    let known = |name: &str| {
        world.administer("GET", &format!("/admin/v1/versions/hosted/{name}/1.0.0"), &Value::Null)
    };
    assert_eq!(known("odd")["version"]["level"], "review", "{:#}", known("odd"));
    let state = |name: &str| known(name)["version"]["standing"]["state"].as_str().unwrap().to_owned();
    let mut stranger = 0_u32;
    let mut report = |name: &str, kind: &str, token: Option<&str>| {
        stranger += 1;
        let from = format!(
            "x-forwarded-for: 10.{}.{}.{}\r\n",
            stranger >> 16,
            (stranger >> 8) & 255,
            stranger & 255
        );
        let token = token.map_or_else(String::new, |it| format!("authorization: {it}\r\n"));
        let body = json!({ "crate": name, "kind": kind, "text": "it takes keys away" }).to_string();
        let answer = world.ask("POST", "/api/reports", &format!("{from}{token}"), body.as_bytes());
        assert_eq!(answer.status, 202, "{}", answer.body);
    };
    let inspections = known("odd")["inspections"].as_array().unwrap().len();
    for _ in 0..1_000 {
        report("odd", "malware", None);
    }
    for token in &reporters {
        report("odd", "spam", Some(token));
    }
    world.settle();
    assert_eq!(
        known("odd")["inspections"].as_array().unwrap().len(),
        inspections,
        "nobody judges it again for that"
    );
    let again = json!({ "target": { "crate": "odd", "version": "1.0.0" }, "reason": "what about now?" });
    world.administer("POST", "/admin/v1/inspect", &again);
    world.settle();
    assert_eq!(state("odd"), "released");

    // Carol and Dave are right about two crates; Erin about one.
    for (name, times) in [("bad-one", 3), ("bad-two", 2)] {
        for token in &reporters[..times] {
            report(name, "malware", Some(token));
        }
        let block = json!({ "target": { "crate": name }, "action": "block", "reason": "so it is" });
        world.administer("POST", "/admin/v1/decisions", &block);
    }
    world.settle();
    let mut second = metadata("odd", "2.0.0");
    second["features"] = claimed["features"].clone();
    let made = publish(&world, &mallory, &second, &archive("odd", "2.0.0", ""));
    assert_eq!(made.status, 200, "{}", made.body);
    world.settle();
    let state_of_second = || {
        let known = world.administer("GET", "/admin/v1/versions/hosted/odd/2.0.0", &Value::Null);
        (known["version"]["level"].as_str().unwrap().to_owned(), known["version"]["standing"].clone())
    };
    for (number, token) in [(0, &reporters[2]), (1, &reporters[0]), (2, &reporters[1])] {
        assert_eq!(state_of_second().1["state"], "released", "{number} reports: {:#}", state_of_second().1);
        report("odd", "malware", Some(token));
        world.settle();
    }
    let (level, standing) = state_of_second();
    assert_eq!((level.as_str(), standing["state"].as_str()), ("review", Some("held")), "{standing:#}");
    assert!(standing["reason"].as_str().unwrap().contains("earlier reports were right"), "{standing:#}");
    // Without a finding, they are two opinions: a case, and nothing is held.
    for token in &reporters[..2] {
        report("plain", "malware", Some(token));
    }
    world.settle();
    assert_eq!(state("plain"), "released");
    // Another policy asked about the past sees the same reports.
    let policy = "[[clause]]\nid = \"one\"\nwhen = 'known(reports.malware.known) && reports.malware.known >= 1'\nverdict = \"quarantine\"\nreason = \"a report\"\n";
    let replayed = world.administer("POST", "/admin/v1/replay", &json!({ "since": 0, "policy": policy }));
    let changes = replayed["changes"].as_array().unwrap();
    let of = |name: &str, number: &str| {
        changes
            .iter()
            .any(|it| it["crate"] == name && it["version"] == number && it["after"]["clause"] == "one")
    };
    assert!(!of("odd", "1.0.0") && !of("plain", "1.0.0"), "{replayed:#}");
    true
}
