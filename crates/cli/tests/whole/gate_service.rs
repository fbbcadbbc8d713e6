//! The gate as those meet it who operate it: who is told, what is signed, what is reloaded, how it speaks and how it ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::{Value, json};

use crate::gate::{Running, package, succeeded, text};
use crate::world::World;

/// Longest wait for what happens by itself; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something is so.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A world whose gate is set up by this text.
fn configured(text: &str) -> World {
    let world = World::new();
    configure(&world, text);
    world
}

fn configure(world: &World, text: &str) {
    fs::create_dir_all(world.path("gate")).unwrap();
    fs::write(world.path("gate/gate.toml"), text).unwrap();
}

impl Running {
    /// Tells it something from outside.
    fn signal(&self, name: &str) {
        let number = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &number]).status().unwrap().success());
    }

    /// Tells it to end, waits until it did, and gives its world and its exit code.
    fn end(mut self) -> (World, Option<i32>) {
        self.signal("TERM");
        let code = self.ended();
        (std::mem::replace(&mut self.world, World::new()), code)
    }

    fn ended(&mut self) -> Option<i32> {
        until("its end", || self.child.try_wait().unwrap()).code()
    }

    /// Newest entries of the audit log with this action.
    fn entries(&self, token: &str, action: &str) -> Vec<Value> {
        let header = format!("authorization: {token}\r\n");
        let answer = self.ask("GET", &format!("/admin/v1/audit-log?action={action}"), &header, "");
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        answer["entries"].as_array().unwrap().clone()
    }

    fn publish(&self, token: &str, name: &str, version: &str) {
        let library =
            package(&self.world, &format!("library-{name}"), name, version, "", "pub fn thing() {}\n");
        let arguments = ["publish", "--registry", "gate", "--allow-dirty", "--no-verify"];
        succeeded(&self.cargo(&library, Some(token), &arguments));
    }
}

/// A listener for what a gate tells: head and body of each request, answered with a status.
fn listener(status: &'static str) -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/T0/a-path-that-is-a-secret", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            if sender.send((head.to_lowercase(), serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

#[test]
fn webhooks_hear_of_decisions_and_of_who_was_exposed() {
    let gate = Running::start(configured("allow-private-addresses = true\n"), &[]);
    let token = gate.set_up();
    let (url, told) = listener("200 OK");
    let create =
        ["gate", "--format", "json", "--url", &gate.url, "webhook", "create", &url, "--reason", "for a test"];
    let without_secret = gate.world.command(&create).env("CRATEKEEPER_TOKEN", &token).output().unwrap();
    assert!(
        text(&without_secret).contains("CRATEKEEPER_WEBHOOK_SECRET is not set"),
        "{}",
        text(&without_secret)
    );
    let created = gate
        .world
        .command(&create)
        .env("CRATEKEEPER_TOKEN", &token)
        .env("CRATEKEEPER_WEBHOOK_SECRET", "sixteen characters")
        .output()
        .unwrap();
    let created: Value = serde_json::from_str(&{
        succeeded(&created);
        String::from_utf8(created.stdout).unwrap()
    })
    .unwrap();
    let id = created["webhook"]["id"].to_string();

    gate.asked(&token, &["webhook", "test", &id]);
    let (head, body) = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(body["event"], "ping");
    assert!(
        head.contains("cratekeeper-signature: v1=") && head.contains("cratekeeper-event: ping"),
        "{head}"
    );

    gate.publish(&token, "gate-told", "1.0.0");
    let dependency = "gate-told = { version = \"1\", registry = \"gate\" }\n";
    let program = package(&gate.world, "program", "gate-program", "0.1.0", dependency, "");
    succeeded(&gate.cargo(&program, None, &["fetch"]));
    gate.asked(&token, &["block", "gate-told@1.0.0", "--reason", "it is not what it says"]);
    let mut heard = [told.recv_timeout(PATIENCE).unwrap().1, told.recv_timeout(PATIENCE).unwrap().1];
    heard.sort_by_key(|it| it["event"].as_str().unwrap().to_owned());
    let [decision, exposure] = &heard;
    assert_eq!(
        (decision["act"].as_str(), decision["by"].as_str()),
        (Some("block"), Some("ann")),
        "{decision:#}"
    );
    assert_eq!(decision["versions"][0]["state"], "blocked");
    assert_eq!((exposure["crate"].as_str(), exposure["fetches"].as_i64()), (Some("gate-told"), Some(1)));
    assert_eq!(exposure["addresses"], 1);
    // What it says to do is a command that works.
    let recall = exposure["recall"].as_str().unwrap().strip_prefix("cratekeeper gate ").unwrap();
    let recalled = gate.asked(&token, &recall.split(' ').collect::<Vec<_>>());
    assert_eq!(recalled["fetches"].as_array().unwrap().len(), 1);
    let link = exposure["link"].as_str().unwrap().strip_prefix(&gate.url).unwrap();
    assert_eq!(gate.get(link).status, 307);

    let deliveries = until("the last delivery", || {
        let answer = gate.asked(&token, &["webhook", "deliveries", &id]);
        let deliveries = answer["deliveries"].as_array().unwrap().clone();
        deliveries.iter().all(|it| it["delivery"]["state"] == "delivered").then_some(deliveries)
    });
    assert_eq!(deliveries.len(), 3);
    assert_eq!(deliveries[0]["attempts"][0]["status"], 200);
    let listed = gate.asked(&token, &["webhook", "list"]);
    let logged = gate.entries(&token, "webhook.create");
    assert!(!format!("{listed}{logged:?}").contains("a-path-that-is-a-secret"), "{listed} {logged:?}");
    assert_eq!(logged[0]["detail"]["reason"], "for a test");
    gate.asked(&token, &["webhook", "disable", &id, "--reason", "it is over"]);
    let again = gate.gate(&token, &["webhook", "test", &id]);
    assert!(!again.status.success());
}

#[test]
fn a_webhook_that_refuses_is_tried_again() {
    let gate = Running::start(configured("allow-private-addresses = true\n"), &[]);
    let token = gate.set_up();
    let (url, told) = listener("503 Not now");
    let body =
        json!({ "url": url, "secret": "sixteen characters", "events": ["verdict"], "reason": "a test" });
    let header = format!("authorization: {token}\r\ncontent-type: application/json\r\n");
    assert_eq!(gate.ask("POST", "/admin/v1/webhooks", &header, &body.to_string()).status, 200);
    gate.asked(&token, &["webhook", "test", "1"]);
    told.recv_timeout(PATIENCE).unwrap();
    let delivery = until("the record of the attempt", || {
        let answer = gate.asked(&token, &["webhook", "deliveries", "1"]);
        let delivery = answer["deliveries"][0].clone();
        (delivery["delivery"]["attempts"] == 1).then_some(delivery)
    });
    assert_eq!(
        (delivery["delivery"]["state"].as_str(), delivery["attempts"][0]["status"].as_i64()),
        (Some("open"), Some(503))
    );
    let unknown =
        json!({ "url": url, "secret": "sixteen characters", "events": ["verdicts"], "reason": "a test" });
    assert_eq!(gate.ask("POST", "/admin/v1/webhooks", &header, &unknown.to_string()).status, 400);
}

/// What whoever owns the database can do to it.
fn tamper(world: &World, statements: &[&str]) {
    let url = format!("sqlite://{}", world.path("gate/cratekeeper.sqlite").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::connect(url).await.unwrap();
        for statement in statements {
            database.execute_unprepared(statement).await.unwrap();
        }
        database.close().await.unwrap();
    });
}

fn count(world: &World, query: &str) -> i64 {
    let url = format!("sqlite://{}", world.path("gate/cratekeeper.sqlite").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::connect(url).await.unwrap();
        let row =
            database.query_one_raw(Statement::from_string(DbBackend::Sqlite, query)).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    })
}

#[test]
fn checkpoints_leave_on_a_schedule_and_show_what_was_done_to_the_log() {
    let world = World::new();
    let kept = world.path("kept");
    fs::create_dir(&kept).unwrap();
    let file = kept.join("checkpoints");
    configure(&world, &format!("[checkpoints]\nevery = 1\nfile = {:?}\n", file.to_str().unwrap()));
    let gate = Running::start(world, &[]);
    let token = gate.set_up();
    until("the first checkpoint", || fs::read_to_string(&file).ok().filter(|it| it.ends_with('\n')));
    gate.asked(&token, &["user", "create", "bob", "--reason", "a test"]);
    let (world, code) = gate.end();
    assert_eq!(code, Some(0));

    // Another start is not another checkpoint: the schedule is kept in the database.
    let gate = Running::start(world, &[]);
    assert_eq!(gate.get("/health/ready").status, 200);
    let (world, _) = gate.end();
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    // What is verified may hold several, as they were signed and as a webhook is told them.
    let disarm = ["DROP TRIGGER audit_log_is_not_updated", "DROP TRIGGER audit_log_is_not_deleted"];
    let own = world.path("own");
    let said = world.run(&["audit-log", "checkpoint", own.to_str().unwrap(), "--data", "../gate"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let line = fs::read_to_string(&own).unwrap();
    let first = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{first}{line}\n{{\"event\":\"checkpoint\",\"checkpoint\":{line}}}\n")).unwrap();

    let key = world.run(&["audit-log", "key", "--data", "../gate"]).stdout.trim().to_owned();
    let path = file.to_str().unwrap().to_owned();
    let verify = |key: &str| {
        world.run(&["audit-log", "verify", "--data", "../gate", "--checkpoint", &path, "--key", key])
    };
    let whole = verify(&key);
    assert_eq!(whole.code, 0, "{}{}", whole.stdout, whole.stderr);
    assert!(whole.stdout.contains("5 checkpoints") && whole.stdout.contains("(trusted)"), "{}", whole.stdout);
    let other = verify(&"00".repeat(32));
    assert!(other.code == 1 && other.stdout.contains("cannot be trusted"), "{}", other.stdout);
    let unpinned = world.run(&["audit-log", "verify", "--data", "../gate", "--checkpoint", &path]);
    assert!(unpinned.code == 0 && unpinned.stdout.contains("give --key"), "{}", unpinned.stdout);

    tamper(&world, &disarm);
    let before = fs::read(world.path("gate/cratekeeper.sqlite")).unwrap();
    tamper(&world, &["UPDATE audit_log SET actor = 'eve' WHERE sequence = 2"]);
    let changed = verify(&key);
    assert!(changed.code == 1 && changed.stdout.contains("entry 2 was changed"), "{}", changed.stdout);
    fs::write(world.path("gate/cratekeeper.sqlite"), before).unwrap();
    tamper(
        &world,
        &[
            "DELETE FROM audit_log WHERE sequence > (SELECT MAX(sequence) - 2 FROM audit_log)",
            "DELETE FROM checkpoints",
        ],
    );
    let cut = verify(&key);
    assert!(cut.code == 1 && cut.stdout.contains("the log was cut off"), "{}", cut.stdout);
    assert_eq!(
        world.run(&["audit-log", "verify", "--data", "../gate"]).code,
        0,
        "without one from elsewhere it looks whole"
    );

    configure(&world, "[checkpoints]\nfile = '../gate/checkpoints'\n");
    let inside = world.run(&["serve", "--data", "../gate", "--offline", "--listen", "127.0.0.1:0"]);
    assert!(inside.code == 2 && inside.stderr.contains("lies in the data directory"), "{}", inside.stderr);
}

#[test]
fn a_policy_is_reloaded_whole_or_not_at_all() {
    let before = "reads-per-minute = 500\nallow-private-addresses = true\n";
    let gate = Running::start(configured(before), &[]);
    let token = gate.set_up();
    let (url, told) = listener("200 OK");
    let webhook =
        json!({ "url": url, "secret": "sixteen characters", "events": ["verdict"], "reason": "a test" });
    let header = format!("authorization: {token}\r\ncontent-type: application/json\r\n");
    assert_eq!(gate.ask("POST", "/admin/v1/webhooks", &header, &webhook.to_string()).status, 200);
    let at_start = gate.entries(&token, "policy.change");
    assert_eq!((at_start.len(), at_start[0]["actor"].as_str()), (1, Some("(gate)")));

    let policy = gate.world.path("gate/cratekeeper.toml");
    fs::write(&policy, "[[clause]]\nid = \"a\"\nwhen = \"no.such && \"\nverdict = \"hold\"\n").unwrap();
    configure(&gate.world, &format!("{before}listne = 1\n"));
    let broken = gate.gate(&token, &["reload", "--reason", "a stricter one"]);
    let said = text(&broken);
    assert!(
        !broken.status.success() && said.contains("cratekeeper.toml:") && said.contains("listne"),
        "{said}"
    );
    assert_eq!(gate.entries(&token, "policy.change").len(), 1, "nothing was changed");

    let strict = "[[clause]]\nid = \"everything\"\nwhen = \"true\"\nverdict = \"quarantine\"\nreason = \"everything waits\"\n";
    fs::write(&policy, strict).unwrap();
    configure(&gate.world, "reads-per-minute = 600\nallow-private-addresses = true\ninspections = 7\n");
    let reloaded = gate.asked(&token, &["reload", "--reason", "a stricter one"])["reloaded"].clone();
    assert_eq!(reloaded["policy_changed"], true, "{reloaded}");
    assert_eq!(
        (&reloaded["changed"], &reloaded["needs_restart"]),
        (&json!(["reads-per-minute"]), &json!(["inspections"]))
    );
    let entries = gate.entries(&token, "policy.change");
    assert_eq!(
        (entries[0]["actor"].as_str(), entries[0]["detail"]["reason"].as_str()),
        (Some("ann"), Some("a stricter one"))
    );
    assert_eq!(
        (&entries[0]["detail"]["before"], &entries[0]["detail"]["now"]),
        (&at_start[0]["detail"]["now"], &reloaded["policy"])
    );
    gate.publish_refused(&token, "gate-waits");
    let verdict = told.recv_timeout(PATIENCE).unwrap().1;
    assert_eq!(
        (verdict["event"].as_str(), verdict["crate"].as_str()),
        (Some("verdict"), Some("gate-waits")),
        "{verdict:#}"
    );
    assert_eq!((verdict["state"].as_str(), verdict["clause"].as_str()), (Some("held"), Some("everything")));
    assert_eq!(verdict["reason"], "everything waits");

    fs::remove_file(&policy).unwrap();
    gate.signal("HUP");
    let entries = until("the reload", || {
        let entries = gate.entries(&token, "policy.change");
        (entries.len() == 3).then_some(entries)
    });
    assert_eq!(
        (entries[0]["actor"].as_str(), &entries[0]["detail"]["now"]),
        (Some("(signal)"), &at_start[0]["detail"]["now"])
    );
    // Another policy at the next start is an entry; the same one is none.
    let (world, _) = gate.end();
    fs::write(&policy, strict).unwrap();
    let gate = Running::start(world, &[]);
    assert_eq!(gate.entries(&token, "policy.change").len(), 4);
    let (world, _) = gate.end();
    let gate = Running::start(world, &[]);
    assert_eq!(gate.entries(&token, "policy.change").len(), 4);
}

/// What people set stays until a file says something new; whoever starts the gate is told.
#[test]
fn a_policy_that_people_set_stays_until_a_file_says_something_new() {
    let gate = Running::start(World::new(), &[]);
    let token = gate.set_up();
    let shown = |gate: &Running| gate.asked(&token, &["policy", "show"])["text"].as_str().unwrap().to_owned();
    let built_in = shown(&gate);
    let stricter = built_in.replace("mode = \"audit\"", "mode = \"enforce\"");
    let file = gate.world.path("stricter.toml");
    fs::write(&file, &stricter).unwrap();
    let set = gate.asked(&token, &["policy", "set", file.to_str().unwrap(), "--reason", "we can wait"]);
    assert_eq!(set["before"], gate.entries(&token, "policy.change")[1]["detail"]["now"], "{set}");
    let reloaded = gate.asked(&token, &["reload", "--reason", "a test"])["reloaded"].clone();
    assert_eq!((&reloaded["policy_changed"], &reloaded["policy"]), (&json!(false), &set["policy"]));
    let weaker = gate.asked(&token, &["policy", "mode", "--clause", "fresh", "off", "--reason", "a test"]);
    assert!(weaker["preview"]["second"]["because"].as_str().unwrap().contains("clause `fresh`"), "{weaker}");

    let (world, _) = gate.end();
    let gate = Running::start(world, &[]);
    assert!(shown(&gate) == stricter && gate.entries(&token, "policy.change").len() == 2);
    // What cannot be read is replaced by nothing milder: the gate does not start, and says what to do.
    let (world, _) = gate.end();
    let unreadable =
        format!("UPDATE policies SET text = '[[' WHERE digest = '{}'", set["policy"].as_str().unwrap());
    tamper(&world, &[&unreadable]);
    let refused =
        world.command(&["serve", "--data", "../gate", "--listen", "127.0.0.1:0", "--offline"]).output();
    let refused = refused.unwrap();
    assert!(!refused.status.success() && text(&refused).contains("which people set"), "{}", text(&refused));
    fs::write(world.path("gate/cratekeeper.toml"), format!("# ours\n{built_in}")).unwrap();
    let gate = Running::start(world, &[]);
    assert!(shown(&gate).starts_with("# ours\n"));
    assert_eq!(gate.entries(&token, "policy.change").len(), 3);
}

#[test]
fn a_reload_that_cannot_be_written_down_changes_nothing() {
    let gate = Running::start(configured("reads-per-minute = 500\n"), &[]);
    let token = gate.set_up();
    let policy = gate.world.path("gate/cratekeeper.toml");
    let strict = "[[clause]]\nid = \"everything\"\nwhen = \"true\"\nverdict = \"quarantine\"\nreason = \"everything waits\"\n";
    fs::write(&policy, strict).unwrap();
    configure(&gate.world, "reads-per-minute = 600\n");
    // The second of two entries cannot be written.
    let refuses = "CREATE TRIGGER refuses BEFORE INSERT ON audit_log WHEN NEW.action = 'policy.change' BEGIN SELECT RAISE(ABORT, 'no'); END";
    tamper(&gate.world, &[refuses]);
    let refused = gate.gate(&token, &["reload", "--reason", "a test"]);
    assert!(!refused.status.success() && !text(&refused).contains("cratekeeper.toml"), "{}", text(&refused));
    assert_eq!(gate.entries(&token, "configuration.change").len(), 0, "the log says nothing that is not so");
    tamper(&gate.world, &["DROP TRIGGER refuses"]);
    let reloaded = gate.asked(&token, &["reload", "--reason", "a test"])["reloaded"].clone();
    assert_eq!(
        (&reloaded["policy_changed"], &reloaded["changed"]),
        (&json!(true), &json!(["reads-per-minute"]))
    );
    assert_eq!(gate.entries(&token, "configuration.change").len(), 1);
    assert_eq!(gate.entries(&token, "policy.change").len(), 2);
}

impl Running {
    /// Publishes a version, which is held then.
    fn publish_refused(&self, token: &str, name: &str) {
        let library =
            package(&self.world, &format!("library-{name}"), name, "1.0.0", "", "pub fn thing() {}\n");
        let arguments = ["publish", "--registry", "gate", "--allow-dirty", "--no-verify"];
        let mut child = self.cargo_command(&library, Some(token), &arguments).spawn().unwrap();
        until("the verdict", || {
            let status = self.gate(token, &["status", &format!("{name}@1.0.0")]);
            text(&status).contains("everything waits").then_some(())
        });
        // It waits for the index to show what will not be shown.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A certification authority of the test's own, and a certificate for this machine, both in PEM.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        // Two certificates of the same name are one that signed itself.
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { params, key, pem }
    }

    fn issue(&self, world: &World, directory: &Path) {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join("chain.pem"), format!("{}{}", certificate.pem(), self.pem)).unwrap();
        fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
        fs::write(world.path("authority.pem"), &self.pem).unwrap();
    }
}

#[test]
fn cargo_publishes_and_builds_over_tls() {
    let gate = Running::start(World::new(), &[]);
    let token = gate.set_up();
    let (world, _) = gate.end();
    let authority = Authority::new("one");
    let files = world.path("tls");
    configure(
        &world,
        &format!("[tls]\ncertificate = '{0}/chain.pem'\nkey = '{0}/key.pem'\n", files.display()),
    );
    let missing = world.run(&["serve", "--data", "../gate", "--offline", "--listen", "127.0.0.1:0"]);
    assert!(
        missing.code == 2 && missing.stderr.contains("chain.pem") && missing.stderr.contains("hint: "),
        "{}",
        missing.stderr
    );
    authority.issue(&world, &files);
    let gate = Running::start(world, &[]);
    assert!(gate.url.starts_with("https://127.0.0.1:"), "{}", gate.url);

    let cainfo = gate.world.path("authority.pem");
    let over_tls = |directory: &Path, token: Option<&str>, arguments: &[&str]| {
        gate.cargo_command(directory, token, arguments).env("CARGO_HTTP_CAINFO", &cainfo).output().unwrap()
    };
    let library = package(&gate.world, "library", "gate-tls", "1.0.0", "", "pub fn thing() -> u8 { 1 }\n");
    let publish = ["publish", "--registry", "gate", "--allow-dirty", "--no-verify"];
    let untrusted = gate.cargo(&library, Some(&token), &publish);
    assert!(!untrusted.status.success(), "a certificate of nobody's is not trusted");
    succeeded(&over_tls(&library, Some(&token), &publish));
    let dependency = "gate-tls = { version = \"1\", registry = \"gate\" }\n";
    let program = package(
        &gate.world,
        "program",
        "gate-program",
        "0.1.0",
        dependency,
        "pub fn n() -> u8 { gate_tls::thing() }\n",
    );
    succeeded(&over_tls(&program, None, &["build"]));
    let administer = |arguments: &[&str]| {
        let mut all = vec!["gate", "--format", "json", "--url", &gate.url];
        all.extend(arguments);
        let mut command = gate.world.command(&all);
        command.env("CRATEKEEPER_TOKEN", &token).env("CARGO_HTTP_CAINFO", &cainfo).output().unwrap()
    };
    let recall = administer(&["recall", "gate-tls@1.0.0"]);
    assert!(succeeded(&recall).contains("127.0.0.1"));
    // Without TLS there is nothing to be had.
    let mut plain = TcpStream::connect(gate.address()).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1 200"));

    // A renewal by another authority counts at once; half of one changes nothing.
    let key = fs::read(files.join("key.pem")).unwrap();
    fs::write(files.join("key.pem"), "not a key at all").unwrap();
    let half = administer(&["reload", "--reason", "half a renewal"]);
    assert!(!half.status.success() && text(&half).contains("key.pem"), "{}", text(&half));
    succeeded(&administer(&["status"]));
    fs::write(files.join("key.pem"), key).unwrap();
    let next = Authority::new("next");
    next.issue(&gate.world, &files);
    fs::write(&cainfo, format!("{}{}", authority.pem, next.pem)).unwrap();
    let reloaded = administer(&["reload", "--reason", "a renewal"]);
    assert!(succeeded(&reloaded).contains("\"certificate_changed\": true"), "{}", text(&reloaded));
    fs::write(&cainfo, &authority.pem).unwrap();
    assert!(
        !administer(&["status"]).status.success(),
        "the old authority does not vouch for the new certificate"
    );
    fs::write(&cainfo, &next.pem).unwrap();
    succeeded(&administer(&["status"]));
}

/// A request whose body is not whole yet, and what is left of it.
fn begun(gate: &Running, token: &str) -> (TcpStream, &'static [u8]) {
    let mut stream = TcpStream::connect(gate.address()).unwrap();
    let body = br#"{"login":"carol","reason":"a test"}"#;
    write!(
        stream,
        "POST /admin/v1/users HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    stream.write_all(&body[..10]).unwrap();
    stream.flush().unwrap();
    // Until it is read, it is not under way.
    std::thread::sleep(Duration::from_millis(500));
    (stream, &body[10..])
}

#[test]
fn an_end_in_good_order_answers_what_is_under_way() {
    let mut gate = Running::start(World::new(), &[]);
    let token = gate.set_up();
    for number in 0..3 {
        gate.publish(&token, &format!("gate-many-{number}"), "1.0.0");
    }
    let idle = TcpStream::connect(gate.address()).unwrap();
    let (mut stream, rest) = begun(&gate, &token);
    gate.signal("TERM");
    // Nobody is let in any more; whoever is in, is served.
    until("the closed door", || TcpStream::connect(gate.address()).is_err().then_some(()));
    assert!(gate.child.try_wait().unwrap().is_none(), "it waits for what is under way");
    stream.write_all(rest).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("carol"), "{answer}");
    assert_eq!(gate.ended(), Some(0));
    drop(idle);
    assert_eq!(count(&gate.world, "SELECT COUNT(*) FROM jobs WHERE lease_owner IS NOT NULL"), 0);
    assert_eq!(count(&gate.world, "SELECT COUNT(*) FROM users WHERE login = 'carol'"), 1);
}

#[test]
fn whoever_says_it_twice_is_not_kept_waiting() {
    let mut gate = Running::start(World::new(), &[]);
    let token = gate.set_up();
    let (mut stream, _) = begun(&gate, &token);
    gate.signal("TERM");
    until("the closed door", || TcpStream::connect(gate.address()).is_err().then_some(()));
    gate.signal("INT");
    assert_eq!(gate.ended(), Some(0));
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(answer, "", "what was under way is cut off");
}

#[test]
fn metrics_are_for_operators() {
    let gate = Running::start(World::new(), &[]);
    let token = gate.set_up();
    assert!(gate.get("/metrics").body.contains("cratekeeper_downloads"));
    // Somebody behind a proxy on this machine is not on this machine.
    let passed_on = "x-forwarded-for: 127.0.0.1\r\n";
    assert_eq!(gate.ask("GET", "/metrics", passed_on, "").status, 401);
    let with_token = format!("{passed_on}authorization: {token}\r\n");
    assert_eq!(gate.ask("GET", "/metrics", &with_token, "").status, 200);
    gate.asked(&token, &["user", "create", "bob", "--reason", "a test"]);
    let bob =
        gate.asked(&token, &["token", "create", "--user", "bob", "--scopes", "read", "--reason", "a test"]);
    let as_bob = format!("{passed_on}authorization: {}\r\n", bob["secret"].as_str().unwrap());
    assert_eq!(gate.ask("GET", "/metrics", &as_bob, "").status, 403);
    let (world, _) = gate.end();
    configure(&world, "metrics = 'open'\n");
    let gate = Running::start(world, &[]);
    assert_eq!(gate.ask("GET", "/metrics", passed_on, "").status, 200);
}

#[test]
fn acts_have_reasons_and_failed_sign_ins_are_in_the_log() {
    let gate = Running::start(World::new(), &[]);
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let guess = format!("/setup/{}", "0".repeat(64));
    assert_eq!(gate.ask("POST", &guess, form, "login=eve&password=correct+horse+battery").status, 400);
    let token = gate.set_up();
    let refused = gate.entries(&token, "setup.refuse");
    assert_eq!((refused.len(), refused[0]["detail"]["address"].as_str()), (1, Some("127.0.0.1")));
    assert_eq!(gate.entries(&token, "setup.use")[0]["actor"], "ann");
    for arguments in [
        ["user", "create", "bob", "--reason", " "].as_slice(),
        &["token", "create", "--reason", ""],
        &["token", "revoke", "1", "--reason", "\t"],
    ] {
        let said = gate.gate(&token, arguments);
        assert!(
            !said.status.success() && text(&said).contains("a reason is needed"),
            "{arguments:?}: {}",
            text(&said)
        );
    }
    assert!(!gate.gate(&token, &["token", "revoke", "1"]).status.success());
}

#[test]
fn a_name_that_was_not_there_is_private_once_another_replica_has_it() {
    let mut world = World::new();
    world.add_harmless("up-one", "1.0.0");
    let mirror = format!("mirror={}", world.path("registry").display());
    let database = format!("sqlite:{}", world.path("gate").display());
    let archives = world.path("gate/blobs").display().to_string();
    fs::create_dir_all(&archives).unwrap();
    let shared = ["--upstream", &mirror, "--database", &database, "--archives", &archives];
    let one = Running::start(world, &shared);
    let token = one.set_up();
    let other = Running::start(World::new(), &shared);
    let private = "/proxy/mirror/index/ne/w-/new-name";
    assert_eq!(other.get("/proxy/mirror/index/up/-o/up-one").status, 200);
    assert_eq!(other.get(private).status, 404);
    assert_eq!(other.get("/index/ne/w-/new-name").status, 404);
    one.publish(&token, "new-name", "1.0.0");
    until("the news", || (other.get("/index/ne/w-/new-name").status == 200).then_some(()));
    let refused = other.get(private);
    assert!(
        refused.status == 404 && refused.body.contains("is a crate of the hosted registry"),
        "{}",
        refused.body
    );
    assert_eq!(other.get("/proxy/mirror/index/up/-o/up-one").status, 200);
}

#[test]
fn what_is_blocked_at_one_replica_is_not_given_out_by_another() {
    let world = World::new();
    let database = format!("sqlite:{}", world.path("gate").display());
    let archives = world.path("gate/blobs").display().to_string();
    fs::create_dir_all(&archives).unwrap();
    let shared = ["--database", &database, "--archives", &archives];
    let one = Running::start(world, &shared);
    let token = one.set_up();
    let other = Running::start(World::new(), &shared);
    one.publish(&token, "gate-shared", "1.0.0");
    let path = "/api/v1/crates/gate-shared/1.0.0/download";
    for round in 0..5 {
        // It has a view of the crate that says that it may be had.
        until("the release", || (other.get(path).status == 200).then_some(()));
        let blocked = one.asked(&token, &["block", "gate-shared@1.0.0", "--reason", "a test"]);
        let refused = other.get(path);
        assert_eq!(refused.status, 403, "round {round}: {}", refused.body);
        one.asked(&token, &["undo", &blocked["decision"].to_string(), "--reason", "a test"]);
    }
}
