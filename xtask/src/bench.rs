//! `cargo xtask bench`: speed and memory, compared within one run and printed as ratios.
//!
//! Figures of different runs do not compare: machines are shared and noisy. So each figure stands beside its yardstick of the
//! same run.

mod console;
mod graph;
mod serve;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use cargo_metadata::MetadataCommand;

use crate::run::{cargo, run};
use crate::workspace;

/// Group and functions of the criterion benchmark.
const GROUP: &str = "source";
const FACTS: &str = "facts";
const TREE_PARSER: &str = "parser and its tree";
const EVENT_PARSER: &str = "parser without a tree";

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Subject {
    /// Facts against the parser alone.
    Facts,
    /// Names against typomania.
    Names,
    /// `cratekeeper check` on this workspace.
    Check,
    /// Call graphs: of this workspace, and of an ecosystem that a generator makes.
    Graph,
    /// The gate: requests and `cargo fetch`, beside a bare file server.
    Serve,
    /// The console's pages over 200,000 crates, 10,000 cases and a million entries of the log.
    Console,
}

pub(crate) fn bench(subject: Option<Subject>, quick: bool) -> anyhow::Result<()> {
    run(&mut cargo(&["fetch", "--locked"]))?;
    let is_wanted = |it| subject.is_none_or(|subject| subject == it);
    if is_wanted(Subject::Facts) && (!quick || subject.is_some()) {
        facts()?;
    }
    if is_wanted(Subject::Names) {
        names(quick)?;
    }
    if is_wanted(Subject::Check) {
        check()?;
    }
    if is_wanted(Subject::Graph) && (!quick || subject.is_some()) {
        graph::graph(quick)?;
    }
    if is_wanted(Subject::Serve) && (!quick || subject.is_some()) {
        serve::serve()?;
    }
    if is_wanted(Subject::Console) && (!quick || subject.is_some()) {
        console::console()?;
    }
    Ok(())
}

/// Names against typomania: the benchmark prints the table itself.
fn names(quick: bool) -> anyhow::Result<()> {
    let mut command = cargo(&["bench", "--locked", "--package", "cratekeeper-names", "--bench", "names"]);
    if quick {
        command.args(["--", "--quick"]);
    }
    run(&mut command)
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> anyhow::Result<PathBuf> {
    let metadata = MetadataCommand::new().current_dir(workspace()).no_deps().exec()?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// Facts against the parser alone.
fn facts() -> anyhow::Result<()> {
    run(&mut cargo(&["bench", "--locked", "--package", "cratekeeper-source", "--bench", "facts"]))?;
    let results = target_directory()?.join("criterion").join(GROUP);
    let facts = Measurement::read(&results, FACTS)?;
    println!("\nfacts, one thread, real crates from cargo's cache");
    println!("  full facts           {:>7.1} MB/s of Rust", facts.rate());
    for (name, label) in
        [(TREE_PARSER, "the parser and its tree alone"), (EVENT_PARSER, "the parser without a tree")]
    {
        let parser = Measurement::read(&results, name)?;
        let ratio = facts.rate() / parser.rate();
        println!("  {label:<30} {:>7.1} MB/s; facts run at {:.0} % of it", parser.rate(), ratio * 100.0);
    }
    Ok(())
}

/// What criterion measured.
struct Measurement {
    nanoseconds: f64,
    bytes: f64,
}

impl Measurement {
    fn read(results: &Path, name: &str) -> anyhow::Result<Measurement> {
        let directory = results.join(name).join("new");
        let read = |file: &str| -> anyhow::Result<serde_json::Value> {
            let path = directory.join(file);
            let text =
                std::fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
            Ok(serde_json::from_slice(&text)?)
        };
        let nanoseconds = read("estimates.json")?["mean"]["point_estimate"].as_f64();
        let bytes = read("benchmark.json")?["throughput"]["Bytes"].as_f64();
        match (nanoseconds, bytes) {
            (Some(nanoseconds), Some(bytes)) => Ok(Measurement { nanoseconds, bytes }),
            _ => bail!("criterion's results of `{name}` are not of the expected form"),
        }
    }

    /// MB a second.
    fn rate(&self) -> f64 {
        self.bytes / self.nanoseconds * 1000.0
    }
}

/// A cold and a warm check of this workspace.
fn check() -> anyhow::Result<()> {
    let program = program()?;
    let cache = tempfile::tempdir()?;
    let arguments = ["check", "--offline", "--allow-unchecked", "--fail-on", "never", "--format", "json"];
    let measure = || Run::of(&program, cache.path(), &arguments);
    let cold = measure()?;
    let warm: Vec<Run> = (0..5).map(|_| measure()).collect::<anyhow::Result<_>>()?;
    let best = warm.iter().min_by_key(|run| run.time).context("five runs were made")?;
    let packages = best.document["summary"]["packages"].as_u64().context("the document has no summary")?;
    println!("\ncheck of this workspace: {packages} packages, offline");
    print_cold_and_warm(&cold, best);
    Ok(())
}

/// Our program, built for release.
fn program() -> anyhow::Result<PathBuf> {
    run(&mut cargo(&["build", "--release", "--locked", "--package", "cratekeeper"]))?;
    Ok(target_directory()?.join("release").join("cratekeeper"))
}

fn print_cold_and_warm(cold: &Run, best: &Run) {
    println!(
        "  cold   {:>6.2} s, peak memory {} with workers",
        cold.time.as_secs_f64(),
        mebibytes(cold.memory)
    );
    println!(
        "  warm   {:>6.2} s, peak memory {} (best of 5)",
        best.time.as_secs_f64(),
        mebibytes(best.memory)
    );
    println!("  cold : warm = {:.1}", cold.time.as_secs_f64() / best.time.as_secs_f64());
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or("not measured".to_owned(), |bytes| format!("{} MiB", bytes >> 20))
}

/// One run of our program on this workspace.
struct Run {
    time: Duration,
    /// What it printed.
    document: serde_json::Value,
    /// Largest sum of the resident memory of the program and its workers; `None` where there is no `/proc`.
    memory: Option<u64>,
}

impl Run {
    fn of(program: &Path, cache: &Path, arguments: &[&str]) -> anyhow::Result<Run> {
        let output = tempfile::NamedTempFile::new()?;
        let start = Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(workspace())
            .env("CRATEKEEPER_CACHE_DIR", cache)
            .stdout(output.reopen()?)
            .stderr(Stdio::null())
            .spawn()?;
        let memory = watch(&mut child)?;
        let time = start.elapsed();
        let status = child.wait()?;
        if !status.success() {
            bail!("`cratekeeper {}` failed ({status})", arguments.join(" "));
        }
        let document = serde_json::from_slice(&std::fs::read(output.path())?)?;
        Ok(Run { time, document, memory })
    }
}

/// Waits for a process, and adds up the memory of it and its children meanwhile.
fn watch(child: &mut Child) -> anyhow::Result<Option<u64>> {
    let mut peak = None;
    while child.try_wait()?.is_none() {
        peak = peak.max(memory_of_tree(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(peak)
}

/// Resident bytes of a process and its children, from `/proc`.
fn memory_of_tree(parent: u32) -> Option<u64> {
    let mut total = 0;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let is_child = field("PPid:").and_then(|it| it.parse().ok()) == Some(parent);
        if process == parent || is_child {
            let resident = field("VmRSS:").and_then(|it| it.split(' ').next()?.parse::<u64>().ok());
            total += resident.unwrap_or(0) << 10;
        }
    }
    Some(total)
}
