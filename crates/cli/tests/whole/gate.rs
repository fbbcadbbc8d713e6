//! The gate, as newcomers, publishers and builders meet it: the real program, the machine's real cargo, loopback alone.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use cratekeeper_archive::CrateBuilder;
use serde_json::Value;

use crate::world::World;

/// A gate that runs until this is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) world: World,
    pub(crate) url: String,
    setup: Option<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ours, by its number; it may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Running {
    /// Starts a gate in an empty directory, or in the one that a gate of this world left.
    pub(crate) fn start(world: World, arguments: &[&str]) -> Running {
        let mut all = vec!["serve", "--data", "../gate", "--listen", "127.0.0.1:0", "--offline"];
        all.extend(arguments);
        let mut child = world
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let (mut url, mut setup) = (None, None);
        for line in lines.by_ref() {
            if let Some(found) = line.strip_prefix("cratekeeper listens on ") {
                url = Some(found.to_owned());
            }
            if line.contains("/setup/") {
                setup = Some(line.trim().to_owned());
            }
            if line.starts_with("How to build") {
                break;
            }
        }
        Running { child, world, url: url.expect("it says where it listens"), setup }
    }

    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}",
            self.address()
        )
        .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "")
    }

    /// Makes the first account, and gives its token.
    pub(crate) fn set_up(&self) -> String {
        let path = self.setup.as_ref().unwrap().strip_prefix(&self.url).unwrap().to_owned();
        assert_eq!(self.get(&path).status, 200);
        let form = "content-type: application/x-www-form-urlencoded\r\n";
        let short = self.ask("POST", &path, form, "login=ann&password=short");
        assert_eq!(short.status, 400, "{}", short.body);
        let answer = self.ask("POST", &path, form, "login=ann&password=correct+horse+battery");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let again = self.ask("POST", &path, form, "login=eve&password=correct+horse+battery");
        assert_eq!(again.status, 400, "the link works once");
        let start = answer.body.find("cratekeeper-").expect("a token is shown");
        answer.body[start..].chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '-').collect()
    }

    /// The admin command line.
    pub(crate) fn gate(&self, token: &str, arguments: &[&str]) -> Output {
        let mut all = vec!["gate", "--format", "json", "--url", &self.url];
        all.extend(arguments);
        self.world.command(&all).env("CRATEKEEPER_TOKEN", token).output().unwrap()
    }

    pub(crate) fn asked(&self, token: &str, arguments: &[&str]) -> Value {
        let output = self.gate(token, arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The machine's cargo, with the gate as the registry `gate`.
    pub(crate) fn cargo(&self, directory: &Path, token: Option<&str>, arguments: &[&str]) -> Output {
        self.cargo_command(directory, token, arguments).output().unwrap()
    }

    pub(crate) fn cargo_command(&self, directory: &Path, token: Option<&str>, arguments: &[&str]) -> Command {
        let mut command = self.world.command_of("cargo", arguments);
        command
            .current_dir(directory)
            .env("CARGO_REGISTRIES_GATE_INDEX", format!("sparse+{}/index/", self.url));
        command.env("CARGO_TARGET_DIR", self.world.path("target")).env("CARGO_NET_RETRY", "0");
        if let Some(token) = token {
            command.env("CARGO_REGISTRIES_GATE_TOKEN", token);
        }
        command
    }
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
pub(crate) fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(output));
    text(output)
}

/// A package in a directory.
pub(crate) fn package(
    world: &World,
    directory: &str,
    name: &str,
    version: &str,
    dependencies: &str,
    code: &str,
) -> std::path::PathBuf {
    let path = world.path(directory);
    fs::create_dir_all(path.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\ndescription = \"for tests\"\nlicense = \"MIT\"\n\n\
         [dependencies]\n{dependencies}\n[workspace]\n"
    );
    fs::write(path.join("Cargo.toml"), manifest).unwrap();
    fs::write(path.join("src/lib.rs"), code).unwrap();
    path
}

#[test]
fn a_newcomer_publishes_and_builds_by_the_instructions() {
    let gate = Running::start(World::new(), &[]);
    let home = gate.get("/");
    assert!(home.status == 200 && home.body.contains("[registries.gate]") && home.body.contains(&gate.url));
    assert!(
        home.head.to_lowercase().contains("content-security-policy: default-src 'none'"),
        "{}",
        home.head
    );
    let token = gate.set_up();

    let library = package(
        &gate.world,
        "library",
        "gate-greeting",
        "1.0.0",
        "",
        "pub fn hello() -> &'static str { \"hi\" }\n",
    );
    let refused =
        gate.cargo(&library, Some("not-a-token"), &["publish", "--registry", "gate", "--allow-dirty"]);
    assert!(
        !refused.status.success() && text(&refused).contains("the token is not valid"),
        "{}",
        text(&refused)
    );
    let published = gate.cargo(&library, Some(&token), &["publish", "--registry", "gate", "--allow-dirty"]);
    succeeded(&published);
    let again = gate.cargo(
        &library,
        Some(&token),
        &["publish", "--registry", "gate", "--allow-dirty", "--no-verify"],
    );
    assert!(!again.status.success(), "{}", text(&again));

    let dependency = "gate-greeting = { version = \"1\", registry = \"gate\" }\n";
    let code = "pub fn all() -> usize { gate_greeting::hello().len() }\n";
    let program = package(&gate.world, "program", "gate-program", "0.1.0", dependency, code);
    succeeded(&gate.cargo(&program, None, &["build"]));

    let found = succeeded(&gate.cargo(&program, None, &["search", "--registry", "gate", "greet"]));
    assert!(found.contains("gate-greeting = \"1.0.0\"    # for tests"), "{found}");
    let info = succeeded(&gate.cargo(&program, None, &["info", "--registry", "gate", "gate-greeting"]));
    assert!(info.contains("1.0.0"), "{info}");
    let owners = succeeded(&gate.cargo(
        &program,
        Some(&token),
        &["owner", "--registry", "gate", "--list", "gate-greeting"],
    ));
    assert!(owners.contains("ann"), "{owners}");
    succeeded(&gate.cargo(&program, Some(&token), &["yank", "--registry", "gate", "gate-greeting@1.0.0"]));
    assert!(gate.get("/index/ga/te/gate-greeting").body.contains("\"yanked\":true"));
    succeeded(&gate.cargo(
        &program,
        Some(&token),
        &["yank", "--undo", "--registry", "gate", "gate-greeting@1.0.0"],
    ));
    assert!(gate.get("/index/ga/te/gate-greeting").body.contains("\"yanked\":false"));

    let page = gate.get("/hosted/gate-greeting/1.0.0");
    assert!(
        page.status == 200 && page.body.contains("released") && page.body.contains("ann"),
        "{}",
        page.body
    );
    let recall = gate.asked(&token, &["recall", "gate-greeting@1.0.0"]);
    assert_eq!(recall["fetches"].as_array().unwrap().len(), 1, "{recall:#}");
    let status = gate.asked(&token, &["status", "gate-greeting@1.0.0"]);
    assert_eq!(status["provenance"]["publisher"], "ann");
    assert_eq!(status["provenance"]["verdict"], "allow");
}

#[test]
fn what_is_held_is_refused_with_the_reason_in_cargos_own_output() {
    let gate = Running::start(World::new(), &[]);
    let token = gate.set_up();
    for version in ["1.0.0", "1.0.1"] {
        let library = package(&gate.world, "library", "gate-thing", version, "", "pub fn thing() {}\n");
        succeeded(&gate.cargo(
            &library,
            Some(&token),
            &["publish", "--registry", "gate", "--allow-dirty", "--no-verify"],
        ));
    }
    let held =
        gate.asked(&token, &["hold", "gate-thing@1.0.1", "--reason", "looks like somebody else's work"]);
    assert_eq!(held["versions"][0]["state"], "held");
    let program = package(
        &gate.world,
        "program",
        "gate-program",
        "0.1.0",
        "gate-thing = { version = \"1\", registry = \"gate\" }\n",
        "",
    );
    let refused = gate.cargo(&program, None, &["fetch"]);
    let said = text(&refused);
    assert!(!refused.status.success(), "{said}");
    for expected in ["gate-thing@1.0.1 is held", "looks like somebody else's work", "--precise 1.0.0", "/v/"]
    {
        assert!(said.contains(expected), "no `{expected}` in: {said}");
    }
    succeeded(&gate.cargo(&program, None, &["update", "gate-thing", "--precise", "1.0.0"]));
    succeeded(&gate.cargo(&program, None, &["fetch"]));

    let undone = gate.asked(&token, &["undo", &held["decision"].to_string(), "--reason", "a false alarm"]);
    assert_eq!(undone["versions"][0]["state"], "released");
    let hidden = gate.asked(&token, &["block", "gate-thing@1.0.1", "--hide", "--reason", "it is malware"]);
    assert_eq!(hidden["versions"][0]["state"], "blocked");
    assert!(!gate.get("/index/ga/te/gate-thing").body.contains("1.0.1"));
}

#[test]
fn a_stricter_policy_can_be_tried_on_what_was_recorded() {
    let gate = Running::start(World::new(), &[]);
    let token = gate.set_up();
    let library = package(&gate.world, "library", "gate-thing", "1.0.0", "", "pub fn thing() {}\n");
    let publish = ["publish", "--registry", "gate", "--allow-dirty", "--no-verify"];
    succeeded(&gate.cargo(&library, Some(&token), &publish));
    let dependency = "gate-thing = { version = \"1\", registry = \"gate\" }\n";
    let program = package(&gate.world, "program", "gate-program", "0.1.0", dependency, "");
    succeeded(&gate.cargo(&program, None, &["fetch"]));
    let policy = gate.world.path("strict.toml");
    let clause = "[[clause]]\nid = \"ours\"\nwhen = 'version.name.startsWith(\"gate-\")'\nverdict = \"block\"\nreason = \"a test\"\n";
    fs::write(&policy, clause).unwrap();
    let replayed = gate.asked(&token, &["replay", "--since", "1h", "--policy", policy.to_str().unwrap()]);
    assert_eq!(replayed["schema"], "cratekeeper.gate-replay/1");
    assert_eq!(
        (&replayed["held_after"], &replayed["fetches_stopped"]),
        (&1.into(), &1.into()),
        "{replayed:#}"
    );
    assert!(replayed["changes"][0]["stopped"][0]["client"].as_str().unwrap().starts_with("cargo"));
    let replay = ["gate", "--url", &gate.url, "replay", "--policy", policy.to_str().unwrap()];
    let shown = succeeded(&gate.world.command(&replay).env("CRATEKEEPER_TOKEN", &token).output().unwrap());
    for expected in [
        "gate-thing 1.0.0 (hosted): released -> blocked, by clause ours (line 1): a test",
        "would have stopped 127.0.0.1",
    ] {
        assert!(shown.contains(expected), "no `{expected}` in: {shown}");
    }
    fs::write(&policy, "[[clause]]\nid = \"ours\"\nwhen = 'version.nam == 1'\nverdict = \"deny\"\n").unwrap();
    let broken = gate.gate(&token, &["replay", "--policy", policy.to_str().unwrap()]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(
        text(&broken).contains("mistakes") && text(&broken).contains("strict.toml:3:"),
        "{}",
        text(&broken)
    );
}

#[test]
fn an_upstream_is_pulled_through_and_never_mixed_up_with_private_names() {
    let mut world = World::new();
    world.add_harmless("up-one", "1.0.0").add_harmless("up-two", "2.0.0").add_harmless("private", "1.0.0");
    let mirror = world.path("registry").display().to_string();
    let gate = Running::start(world, &["--upstream", &format!("mirror={mirror}")]);
    let token = gate.set_up();
    let url = &gate.url;
    fs::write(
        gate.world.path("cargo/config.toml"),
        format!(
            "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+{url}/proxy/mirror/index/\"\n"
        ),
    )
    .unwrap();
    let program =
        package(&gate.world, "program", "gate-program", "0.1.0", "up-one = \"1\"\nup-two = \"2\"\n", "");
    succeeded(&gate.cargo(&program, None, &["fetch"]));
    succeeded(&gate.cargo(&program, None, &["build"]));

    // A name of the upstream cannot be published over …
    let taken = package(&gate.world, "taken", "up_one", "9.0.0", "", "");
    let refused =
        gate.cargo(&taken, Some(&token), &["publish", "--registry", "gate", "--allow-dirty", "--no-verify"]);
    assert!(!refused.status.success() && text(&refused).contains("has a crate"), "{}", text(&refused));
    // … and one that is hosted is not taken from the upstream.
    let own = package(&gate.world, "own", "own-thing", "1.0.0", "", "");
    succeeded(&gate.cargo(
        &own,
        Some(&token),
        &["publish", "--registry", "gate", "--allow-dirty", "--no-verify"],
    ));
    let mut line = String::from_utf8(CrateBuilder::new("own-thing", "2.0.0").build()).unwrap_or_default();
    line.truncate(0);
    fs::create_dir_all(gate.world.path("registry/index/ow/n-")).unwrap();
    fs::write(
        gate.world.path("registry/index/ow/n-/own-thing"),
        format!("{{\"name\":\"own-thing\",\"vers\":\"9.9.9\",\"deps\":[],\"cksum\":\"{:064}\",\"features\":{{}},\"yanked\":false}}\n", 0),
    )
    .unwrap();
    let answer = gate.get("/proxy/mirror/index/ow/n-/own-thing");
    assert_eq!(answer.status, 404, "{}", answer.body);
    assert_eq!(gate.get("/proxy/mirror/dl/own-thing/9.9.9/download").status, 404);
}

#[test]
fn a_gate_that_cannot_listen_says_what_to_do() {
    let world = World::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output =
        world.command(&["serve", "--data", "../gate", "--offline", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("failed to listen") && said.contains("hint: "), "{said}");
}

/// The programs that these tests start are the machine's.
#[test]
fn the_machine_has_a_cargo() {
    assert!(Command::new("cargo").arg("--version").output().unwrap().status.success());
}
