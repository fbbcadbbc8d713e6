//! A throwaway PostgreSQL out of the machine's own programs.
//!
//! It is started once for all tests of a process; with `nextest`, which runs each test in a process of its
//! own, once for all of a run. It ends when that process is gone, however it went: a shell looks for it each
//! second, and then ends the server by its process id. Where the programs are missing on purpose,
//! `CRATEKEEPER_WITHOUT_POSTGRES=1` says so, and what was to be tested is said to be not measured.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

/// Says that PostgreSQL's programs are missing on purpose.
const WITHOUT: &str = "CRATEKEEPER_WITHOUT_POSTGRES";

/// Says that it is for measuring, and has to write durably.
const MEASURE: &str = "CRATEKEEPER_MEASURE";

/// How often it is looked for, and how many times: starting takes a second on a slow machine, and a minute
/// means that it never will.
const LOOKS: (Duration, u32) = (Duration::from_millis(100), 600);

/// A running PostgreSQL.
pub(crate) struct Server {
    /// Has its data, its log and its socket.
    directory: PathBuf,
}

impl Server {
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=gate", self.directory.display())
    }
}

/// The server; `None` when it is missing on purpose.
pub(crate) fn server() -> Option<&'static Server> {
    // A server that does not start is not tried again: each test says so at once.
    static SERVER: OnceLock<Result<Option<Server>, String>> = OnceLock::new();
    SERVER.get_or_init(find_or_start).as_ref().unwrap().as_ref()
}

fn find_or_start() -> Result<Option<Server>, String> {
    let Some(programs) = programs() else {
        if std::env::var_os(WITHOUT).is_none() {
            return Err(format!(
                "PostgreSQL's programs `initdb` and `postgres` are needed (Debian package `postgresql`); \
                 set {WITHOUT}=1 if they are missing on purpose"
            ));
        }
        println!("not measured: PostgreSQL is missing on purpose");
        return Ok(None);
    };
    let (name, owner) = match std::env::var("NEXTEST_RUN_ID") {
        Ok(run) => (run, std::os::unix::process::parent_id()),
        Err(_) => (std::process::id().to_string(), std::process::id()),
    };
    // Short, because the path of a socket has at most 107 bytes.
    let directory = std::env::temp_dir().join(format!("ckpg-{name}"));
    if std::fs::create_dir(&directory).is_ok() {
        start(&programs, &directory, owner)?;
    }
    for _ in 0..LOOKS.1 {
        let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
        if log.contains("ready to accept connections") {
            return Ok(Some(Server { directory }));
        }
        sleep(LOOKS.0);
    }
    let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
    Err(format!("PostgreSQL did not start: {log}"))
}

/// Where PostgreSQL's programs are: on the path, or where Debian puts those of the newest version.
pub(crate) fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_both =
        |directory: &PathBuf| directory.join("initdb").exists() && directory.join("postgres").exists();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(has_both)
        .collect();
    versions.sort();
    std::env::split_paths(&path).find(has_both).or(versions.pop())
}

/// PostgreSQL refuses to run as root: then it runs as the user `postgres`, which its package makes.
fn as_user(program: &OsStr) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|it| it.stdout.trim_ascii() == b"0")
}

pub(crate) fn start(programs: &Path, directory: &Path, owner: u32) -> Result<(), String> {
    if is_root() {
        assert!(Command::new("chown").arg("postgres:").arg(directory).status().unwrap().success());
    }
    let data = directory.join("data");
    let made = as_user(programs.join("initdb").as_os_str())
        .args(["--no-sync", "--auth=trust", "--username=gate", "--encoding=UTF8", "--no-instructions"])
        // Not the locale `C`, in which every column is compared by bytes anyway.
        .args(["--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8"])
        .arg("-D")
        .arg(&data)
        .current_dir(directory)
        .output()
        .map_err(|error| format!("failed to start initdb: {error}"))?;
    if !made.status.success() {
        return Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)));
    }
    run(&programs.join("postgres"), &data, directory, owner);
    Ok(())
}

/// Starts the server below a shell that ends it, and removes its directory, when the process `owner` is gone.
pub(crate) fn run(program: &Path, data: &Path, directory: &Path, owner: u32) {
    use std::os::unix::process::CommandExt;
    let script = r#"directory=$1; owner=$2; shift 2; "$@" >"$directory/log" 2>&1 & server=$!
        while [ -d "/proc/$owner" ] || ps -p "$owner" >/dev/null 2>&1; do sleep 1; done
        kill -QUIT "$server"; wait "$server"; rm -rf "$directory""#;
    let mut command = as_user(OsStr::new("sh"));
    command.args(["-c", script, "sh"]).arg(directory).arg(owner.to_string()).arg(program).arg("-D").arg(data);
    command.arg("-k").arg(directory).args(["-c", "listen_addresses=", "-c", "max_connections=300"]);
    if std::env::var_os(MEASURE).is_none() {
        command.args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
    }
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Of its own group, so that it does not go with the first test that is ended.
    #[allow(clippy::zombie_processes, reason = "the shell outlives this process")]
    let _shell = command.process_group(0).spawn().unwrap();
}
