//! A gate in a directory of its own, and requests to it over a real connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use cratekeeper_engine::{Engine, WorkerLimits, WorkerPool};
use cratekeeper_model::Known;
use cratekeeper_policy::Policy;
use cratekeeper_registry::{CargoConfig, CargoEnvironment, FinderOptions, Network, PackageFinder};
use cratekeeper_server::{Clock, Configuration, Gate, Setup};
use serde_json::{Value, json};

/// Longest wait for inspections; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A gate that runs.
pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) address: String,
    pub(crate) clock: Arc<AtomicI64>,
    /// Token of the first account, which may do everything.
    pub(crate) admin: String,
    /// Token of a second person, who agrees to everything.
    pub(crate) colleague: String,
    _runtime: tokio::runtime::Runtime,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl World {
    /// Opens a gate at the moment `at`, set up by `change`, and makes the first account.
    pub(crate) fn open(at: i64, change: impl FnOnce(&mut Configuration)) -> World {
        let (mut world, link) = World::start(at, change);
        world.set_up(&link);
        world
    }

    /// Opens a gate, and gives the link that makes the first account.
    pub(crate) fn start(at: i64, change: impl FnOnce(&mut Configuration)) -> (World, String) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(at));
        let (gate, address) = runtime.block_on(open(&directory, &clock, change));
        let link = runtime.block_on(gate.setup_link()).unwrap().unwrap();
        let link = link.expose().to_owned();
        let (admin, colleague) = (String::new(), String::new());
        (World { directory, address, clock, admin, colleague, _runtime: runtime }, link)
    }

    /// Opens the link, as whoever has it does.
    pub(crate) fn follow(&self, link: &str) -> Answer {
        let path = &link[link.find("/setup/").unwrap()..];
        let form = "content-type: application/x-www-form-urlencoded\r\n";
        self.ask("POST", path, form, b"login=operator&password=correct+horse+battery")
    }

    pub(crate) fn set_up(&mut self, link: &str) {
        let answer = self.follow(link);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let start = answer.body.find("cratekeeper-").unwrap();
        let is_token = |it: &char| it.is_ascii_alphanumeric() || *it == '-';
        self.admin = answer.body[start..].chars().take_while(is_token).collect();
        let roles = ["viewer", "triager", "admin", "auditor"];
        let body = json!({ "login": "colleague", "roles": roles, "reason": "two people are needed" });
        let made = self.administer("POST", "/admin/v1/users", &body);
        let link = made["link"].as_str().unwrap();
        let path = &link[link.find("/console/").unwrap()..link.find('?').unwrap()];
        let form = format!("login=colleague&password={}", PASSWORD.replace(' ', "+"));
        let kind = "content-type: application/x-www-form-urlencoded\r\n";
        let joined = self.ask("POST", path, kind, form.as_bytes());
        assert_eq!(joined.status, 303, "{}", joined.body);
        let body =
            json!({ "user": "colleague", "name": "test", "scopes": ["administer"], "reason": "a test" });
        let token = self.administer("POST", "/admin/v1/tokens", &body);
        token["secret"].as_str().unwrap().clone_into(&mut self.colleague);
    }

    /// Asks over a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        request.extend(body);
        self.send(&request, true)
    }

    /// Sends bytes as they are. A server that closes the connection without a word has answered with status 0; so has one that waits for the rest
    /// of what is not whole.
    pub(crate) fn send(&self, request: &[u8], is_whole: bool) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        // What is refused early need not be read to its end.
        let _ = stream.write_all(request);
        // A request that announces more than it sends is never answered.
        stream.set_read_timeout(Some(Duration::from_secs(if is_whole { 300 } else { 1 }))).unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Asks with the first account's token; the answer has to be one. Where a second person is needed, there is one.
    pub(crate) fn administer(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut answer = self.ask_as(&self.admin, method, path, body);
        if answer.status == 202 {
            let waiting: Value = serde_json::from_str(&answer.body).unwrap();
            let path = format!("/admin/v1/requests/{}/approve", waiting["request"]);
            answer = self.ask_as(&self.colleague, "POST", &path, &json!({ "reason": "a test" }));
        }
        assert!(answer.status == 200, "{method} {path}: {} {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Asks with a token and JSON.
    pub(crate) fn ask_as(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = format!("authorization: {token}\r\ncontent-type: application/json\r\n");
        self.ask(method, path, &headers, body.as_bytes())
    }

    /// Waits until everything is inspected; mails may wait for an hour.
    pub(crate) fn settle(&self) {
        let since = Instant::now();
        loop {
            let status = self.administer("GET", "/admin/v1/status", &Value::Null);
            let jobs = status["jobs"].as_array().unwrap().iter().filter(|it| it["kind"] != "mail");
            let open: u64 = jobs.map(|it| it["open"].as_u64().unwrap()).sum();
            if open == 0 {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "inspections do not end: {status:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

async fn open(
    world: &tempfile::TempDir,
    clock: &Arc<AtomicI64>,
    change: impl FnOnce(&mut Configuration),
) -> (Arc<Gate>, String) {
    let environment = CargoEnvironment::new(world.path().join("cargo"), []);
    let cargo = CargoConfig::load(world.path(), &environment).unwrap();
    let options = FinderOptions::new(world.path().join("cache"), Network::Offline);
    let limits = WorkerLimits { deadline: Duration::from_secs(60), memory: 3 << 30 };
    let engine = Engine::new(cratekeeper_engine::Setup {
        jobs: 2,
        finder: PackageFinder::new(cargo.clone(), options).unwrap(),
        pool: WorkerPool::of_this_program(limits).unwrap(),
        cache: None,
        advisories: Known::Unknown("they are written after the fact".to_owned()),
        policy: Policy::built_in(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut configuration = Configuration {
        listen: listener.local_addr().unwrap(),
        require_metadata: false,
        writes_per_minute: 1_000_000,
        reads_per_minute: 1_000_000,
        ..Configuration::default()
    };
    change(&mut configuration);
    let address = configuration.listen.to_string();
    let clock = Clock::Played(clock.clone());
    let setup = Setup { configuration, directory: world.path().join("gate"), cargo, engine, clock };
    let gate = Gate::open(setup).await.unwrap();
    tokio::spawn(cratekeeper_server::serve(gate.clone(), listener, std::future::pending()));
    (gate, address)
}
