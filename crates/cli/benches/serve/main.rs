//! The gate under load, beside a file server that gives out the same bytes in the same run.
//!
//! `cargo xtask bench serve` starts it. Machines are shared and noisy: both are asked in turn, medians of the rounds
//! are compared, and ratios are what counts.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed, and its table is its answer"
)]

mod files;
mod load;
#[path = "../../../server/tests/live/mirror.rs"]
mod mirror;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cratekeeper_server::protocol::{CrateName, index_path};

use load::{Clients, Seen};

/// Rounds in which both are asked.
const ROUNDS: usize = 3;

/// As many as keep two processors busy, and a disk.
const BUSY: Clients = Clients { number: 64, pause: Duration::ZERO, time: Duration::from_secs(2) };

/// As a team asks: some hundred requests a second, and nobody waits for a processor.
const CALM: Clients = Clients { number: 4, pause: Duration::from_millis(8), time: Duration::from_secs(3) };

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().skip_while(|it| *it != name).nth(1);
    if let Some(directory) = after("--files") {
        return files::serve(Path::new(directory));
    }
    // Tests of all targets start it, too, and mean something else.
    if !arguments.iter().any(|it| it == "--bench") {
        return println!("not measured: `cargo bench` measures");
    }
    let program = Path::new(env!("CARGO_BIN_EXE_cratekeeper"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mirror = directory.path().join("mirror");
    start_and_idle(program, directory.path());
    match mirror::make_mirror(&workspace, &mirror) {
        Ok(packages) => compare(program, &workspace, directory.path(), &packages),
        Err(reason) => println!("not measured: load and fetch; {reason}"),
    }
}

/// A process that is ended when this is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Starts a process, and waits for the line that says where it listens.
    fn start(command: &mut Command, before: &str) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url = lines
            .find_map(|it| it.strip_prefix(before).map(str::to_owned))
            .expect("it says where it listens");
        // Whoever writes to a pipe that nobody reads ends.
        std::thread::spawn(move || lines.for_each(drop));
        Server { child, url }
    }

    fn gate(program: &Path, data: &Path) -> Server {
        let mut command = Command::new(program);
        command.args(["serve", "--offline", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command.env("CRATEKEEPER_CACHE_DIR", data.with_extension("cache"));
        Server::start(&mut command, "cratekeeper listens on ")
    }

    /// Resident bytes of the process and its workers; `None` where there is no `/proc`.
    fn memory(&self) -> Option<u64> {
        let mut total = 0;
        for entry in fs::read_dir("/proc").ok()?.flatten() {
            let Ok(status) = fs::read_to_string(entry.path().join("status")) else { continue };
            let field = |name: &str| {
                let value = status.lines().find_map(|line| line.strip_prefix(name))?;
                value.split_whitespace().next()?.parse::<u64>().ok()
            };
            let own = u64::from(self.child.id());
            if field("Pid:") == Some(own) || field("PPid:") == Some(own) {
                total += field("VmRSS:").unwrap_or(0) << 10;
            }
        }
        Some(total)
    }
}

/// How soon a gate in an empty directory is ready, and what it takes when nobody asks.
fn start_and_idle(program: &Path, directory: &Path) {
    let mut times = Vec::new();
    let mut memory = None;
    for round in 0..ROUNDS {
        let since = Instant::now();
        let server = Server::gate(program, &directory.join(format!("empty-{round}")));
        let runtime = runtime();
        runtime.block_on(load::ready(server.address()));
        times.push(since.elapsed());
        if round + 1 == ROUNDS {
            std::thread::sleep(Duration::from_secs(3));
            memory = server.memory();
        }
    }
    println!("\ngate, on an empty directory");
    println!("  ready after    {:>7.2} s (required: 2)", median(times).as_secs_f64());
    println!("  idle memory    {:>7} (required: 100 MB)", megabytes(memory));
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or("not measured".to_owned(), |it| format!("{:.0} MB", it as f64 / 1e6))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn median<T: Ord>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    let middle = values.len() / 2;
    values.swap_remove(middle)
}

fn median_of(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The gate in front of a directory, beside a file server for the same directory.
fn compare(program: &Path, workspace: &Path, directory: &Path, packages: &[(String, String)]) {
    let mirror = directory.join("mirror");
    let data = directory.join("gate");
    fs::create_dir_all(&data).unwrap();
    let configuration = format!(
        "reads-per-minute = 4000000000\ninspection-wait = 25\n[upstream.mirror]\nindex = {:?}\n",
        mirror.display().to_string()
    );
    fs::write(data.join("gate.toml"), configuration).unwrap();
    let gate = Server::gate(program, &data);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let files = Server::start(command.arg("--files").arg(&mirror), "");
    fetch(workspace, directory, &gate, &files, packages.len());
    let memory = gate.memory();
    let index: Vec<String> =
        packages.iter().map(|(name, _)| index_path(&CrateName::parse(name).unwrap())).collect();
    let runtime = runtime();
    println!(
        "\n{} index files and archives, {} clients without pause, {ROUNDS} rounds each",
        index.len(),
        BUSY.number
    );
    let fresh = |root: &str| index.iter().map(|it| (format!("{root}/index/{it}"), String::new())).collect();
    let (ours, theirs): (Vec<_>, Vec<_>) = (fresh("/proxy/mirror"), fresh(""));
    runtime.block_on(beside("index files", (&gate, &ours), (&files, &theirs)));
    let ours = runtime.block_on(unchanged(&gate, ours));
    let theirs = runtime.block_on(unchanged(&files, theirs));
    runtime.block_on(beside("index files that did not change", (&gate, &ours), (&files, &theirs)));
    let archives = |root: &str| -> Vec<(String, String)> {
        packages
            .iter()
            .map(|(name, version)| (format!("{root}/dl/{name}/{version}/download"), String::new()))
            .collect()
    };
    runtime.block_on(beside(
        "archives, with fetches recorded",
        (&gate, &archives("/proxy/mirror")),
        (&files, &archives("")),
    ));
    println!(
        "  memory of the gate with workers: {} after the fetches, {} after the load",
        megabytes(memory),
        megabytes(gate.memory())
    );
}

/// The same questions with what is known already.
async fn unchanged(server: &Server, paths: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut asked = Vec::new();
    for (path, _) in paths {
        let etag = load::etag(server.address(), &path).await;
        asked.push((path, format!("if-none-match: {etag}\r\n")));
    }
    asked
}

type Asked<'a> = (&'a Server, &'a [(String, String)]);

/// Asks both in turn, first without pauses and then calmly.
async fn beside(
    what: &str,
    ours: (&Server, &Vec<(String, String)>),
    theirs: (&Server, &Vec<(String, String)>),
) {
    let ours: Asked<'_> = (ours.0, ours.1);
    let theirs: Asked<'_> = (theirs.0, theirs.1);
    println!("  {what}");
    for clients in [BUSY, CALM] {
        let (mut gate, mut files): (Vec<Seen>, Vec<Seen>) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let seen = load::ask(ours.0.address(), ours.1, clients).await;
            let yardstick = load::ask(theirs.0.address(), theirs.1, clients).await;
            // The first fills caches on both sides.
            if round > 0 {
                gate.push(seen);
                files.push(yardstick);
            }
        }
        let milliseconds = |of: &dyn Fn(&Seen) -> Duration, all: &[Seen]| {
            median_of(all.iter().map(|it| of(it).as_secs_f64() * 1e3))
        };
        let (half, most) = (|it: &Seen| it.half, |it: &Seen| it.most);
        let rate = |all: &[Seen]| median_of(all.iter().map(|it| it.rate));
        let added = milliseconds(&most, &gate) - milliseconds(&most, &files);
        if clients.pause.is_zero() {
            let ratio = rate(&gate) / rate(&files) * 100.0;
            println!(
                "    {:>6.0}/s, file server {:>6.0}/s: {ratio:.0} % (required: 50)",
                rate(&gate),
                rate(&files)
            );
        }
        let name = if clients.pause.is_zero() { "busy" } else { "calm" };
        println!(
            "    {name}: half within {:.2} ms, 99 of 100 within {:.2} ms; file server {:.2} and {:.2}: {added:.2} ms more{}",
            milliseconds(&half, &gate),
            milliseconds(&most, &gate),
            milliseconds(&half, &files),
            milliseconds(&most, &files),
            if clients.pause.is_zero() { "" } else { " (required: 5)" }
        );
    }
}

/// The machine's cargo fetches what the workspace's lockfile names: through a gate that has seen none of it, and then in turn through the gate and
/// from the mirror.
fn fetch(workspace: &Path, directory: &Path, gate: &Server, files: &Server, packages: usize) {
    let ours = format!("{}/proxy/mirror/index/", gate.url);
    let theirs = format!("{}/index/", files.url);
    let cold = fetch_from(workspace, directory, &ours);
    let (mut warm, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        bare.push(fetch_from(workspace, directory, &theirs));
        warm.push(fetch_from(workspace, directory, &ours));
    }
    let (warm, bare) = (median(warm), median(bare));
    println!("\n`cargo fetch` of {packages} packages");
    println!("  from the bare mirror          {:>7.2} s", bare.as_secs_f64());
    println!(
        "  through the gate, inspected   {:>7.2} s: {:.2} times (required: 1.3)",
        warm.as_secs_f64(),
        warm.as_secs_f64() / bare.as_secs_f64()
    );
    println!("  through the gate, seen first  {:>7.2} s", cold.as_secs_f64());
}

fn fetch_from(workspace: &Path, directory: &Path, index: &str) -> Duration {
    let home: PathBuf = directory.join("cargo");
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    let configuration = format!(
        "[source.crates-io]\nreplace-with = \"other\"\n[source.other]\nregistry = \"sparse+{index}\"\n[net]\nretry = 20\n"
    );
    fs::write(home.join("config.toml"), configuration).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let since = Instant::now();
    let output = Command::new(cargo)
        .args(["fetch", "--locked", "--manifest-path"])
        .arg(workspace.join("Cargo.toml"))
        .current_dir(directory)
        .env("CARGO_HOME", &home)
        .output()
        .unwrap();
    let time = since.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let _ = fs::remove_dir_all(&home);
    time
}
