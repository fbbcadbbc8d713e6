//! The console's pages over a registry of some years, on SQLite and PostgreSQL.
//!
//! `cargo xtask bench console` starts it. Whole pages are asked for, over HTTP, of the gate as it is installed; each time of another crate, case or
//! entry, as far as there are some. What counts is the time within which 95 of 100 were there.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed, and its table is its answer"
)]

mod generate;
mod pages;
#[path = "../../../store/tests/store/server.rs"]
mod server;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cratekeeper_store::{
    Act, DATABASE_FILE, NewSession, NewToken, NewUser, RegistryKind, Role, Scope, SignInMethod, Store,
};
use sea_orm::ConnectionTrait as _;

/// Pages that count as fast enough are there within this time, 95 of 100.
const WITHIN: Duration = Duration::from_millis(200);

fn main() {
    // Tests of all targets start it, too, and mean something else.
    if !std::env::args().any(|it| it == "--bench") {
        return println!("not measured: `cargo bench` measures");
    }
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("sqlite");
    let path = data.join(DATABASE_FILE);
    let sqlite = Place {
        name: "SQLite",
        url: format!("sqlite:{}", data.display()),
        raw: format!("sqlite://{}", path.display()),
    };
    let mut slow = measure(&sqlite, directory.path());
    match server::server() {
        None => println!("not measured: PostgreSQL"),
        Some(server) => {
            let runtime = runtime();
            runtime.block_on(async {
                let connection = sea_orm::Database::connect(server.url("postgres")).await.unwrap();
                connection.execute_unprepared("CREATE DATABASE console").await.unwrap();
            });
            let url = server.url("console");
            slow += measure(&Place { name: "PostgreSQL", raw: url.clone(), url }, directory.path());
        }
    }
    let verdict = if slow == 0 { "met" } else { "NOT met" };
    println!(
        "\nevery page within {} ms at p95: {verdict}{}",
        WITHIN.as_millis(),
        if slow == 0 { String::new() } else { format!(" by {slow}") }
    );
}

/// A database.
struct Place {
    name: &'static str,
    url: String,
    /// For whoever goes past the store.
    raw: String,
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What a browser and a client have to show.
pub(crate) struct Keys {
    pub(crate) session: String,
    pub(crate) token: String,
}

/// Measures one database; gives how many pages are too slow.
fn measure(place: &Place, directory: &Path) -> usize {
    let since = Instant::now();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let (made, keys) = runtime().block_on(async {
        let store = Store::connect(&place.url).await.unwrap();
        let keys = people(&store, now).await;
        let act = Act::new("(bench)", "registry.create", "hosted", now);
        let mut transaction = store.act(act).await.unwrap();
        let registry = transaction.ensure_registry("hosted", RegistryKind::Hosted, None).await.unwrap();
        transaction.commit().await.unwrap();
        drop(store);
        (generate::fill(&place.raw, registry.id.0, now).await, keys)
    });
    println!(
        "{}: {} crates, {} versions, {} cases and {} entries made in {:.0} s",
        place.name,
        generate::CRATES,
        made.versions,
        made.suspects.len(),
        generate::ENTRIES,
        since.elapsed().as_secs_f64()
    );
    let report = runtime().block_on(async {
        Store::connect(&place.url).await.unwrap().verify_audit_log(&[], &[]).await.unwrap()
    });
    assert!(report.problems.is_empty(), "the log's chain holds: {:?}", report.problems.first());
    let gate = Gate::start(place, &directory.join(format!("gate-{}", place.name)));
    pages::measure(&gate.address, &keys, &made)
}

/// An operator who is signed in, and may publish.
async fn people(store: &Store, now: i64) -> Keys {
    let mut transaction = store.act(Act::new("(bench)", "user.create", "operator", now)).await.unwrap();
    let roles = vec![Role::Viewer, Role::Triager, Role::Admin, Role::Auditor];
    let user = NewUser { login: "operator".to_owned(), roles, ..NewUser::default() };
    let user = transaction.create_user(&user).await.unwrap();
    let session = NewSession {
        user: user.id,
        method: SignInMethod::Password,
        proved_at: None,
        address: None,
        client: None,
    };
    let (_, session) = transaction.create_session(&session).await.unwrap();
    let token = NewToken {
        user: user.id,
        name: "bench".to_owned(),
        method: cratekeeper_model::PublishMethod::Token,
        scopes: Scope::ALL.to_vec(),
        patterns: Vec::new(),
        expires_at: None,
    };
    let (_, token) = transaction.create_token(&token).await.unwrap();
    transaction.commit().await.unwrap();
    Keys { session: session.expose().to_owned(), token: token.expose().to_owned() }
}

/// A gate that is ended when this is dropped.
struct Gate {
    child: Child,
    address: String,
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gate {
    fn start(place: &Place, data: &Path) -> Gate {
        std::fs::create_dir_all(data).unwrap();
        let limits = "reads-per-minute = 1000000\nwrites-per-minute = 1000000\nrequire-metadata = false\n";
        std::fs::write(data.join("gate.toml"), limits).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cratekeeper"));
        command.args(["serve", "--offline", "--listen", "127.0.0.1:0", "--database", &place.url, "--data"]);
        command.arg(data).env("CRATEKEEPER_CACHE_DIR", data.with_extension("cache"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let before = "cratekeeper listens on http://";
        let address = lines.find_map(|it| it.strip_prefix(before).map(str::to_owned)).expect("it says where");
        std::thread::spawn(move || lines.for_each(drop));
        Gate { child, address }
    }
}
