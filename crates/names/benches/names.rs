//! How fast names are judged against a whole registry, next to what typomania 0.2.0 takes for the same names.
//!
//! `cargo xtask bench names`. Each figure stands beside its yardstick of the same run; the names are made from real words by a
//! seeded generator, so that every run judges the same ones.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends when something fails"
)]

use std::collections::HashSet;
use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cratekeeper_names::{Candidate, Corpus, Entry, Kind};
use fastrand::Rng;

#[path = "names/typomania.rs"]
mod yardstick;

/// Names of the corpus.
const CORPUS: usize = 200_000;
/// Names that are judged.
const NEW: usize = 1_000;
/// Times that the new names are judged; the fastest time counts, as others are disturbed.
const ROUNDS: usize = 15;
/// What a child process is given, to load a snapshot and say what that took.
const LOAD: &str = "--load";
/// Files that it finds in the directory that it is given.
const SNAPSHOT: &str = "names.snapshot";
const NEW_NAMES: &str = "new-names.txt";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|it| it == LOAD) {
        return load(Path::new(&arguments[at + 1]));
    }
    let quick = arguments.iter().any(|it| it == "--quick");
    let mut names = generated(CORPUS + NEW, &mut Rng::with_seed(1));
    let new = names.split_off(CORPUS);
    println!("{CORPUS} names, {NEW} new ones, one thread");

    let directory = tempfile::tempdir().unwrap();
    let snapshot = directory.path().join(SNAPSHOT);
    std::fs::write(directory.path().join(NEW_NAMES), new.join("\n")).unwrap();
    let start = Instant::now();
    let corpus = Corpus::new(entries(&names), Kind::Crates).unwrap();
    corpus.write_snapshot(File::create(&snapshot).unwrap()).unwrap();
    let size = std::fs::metadata(&snapshot).unwrap().len() / 1_000_000;
    println!("  snapshot built and saved   {:>9.0} ms, {size} MB", milliseconds(start.elapsed()));
    adversarial(&corpus);
    incremental(corpus, &new);
    let before = loaded(directory.path());
    println!("  snapshot loaded            {:>9.0} ms, {}", before.load, before.memory);
    if quick {
        println!("  new names judged           {:>9.1} ms", before.judge);
        println!("  typomania                  not measured (it takes half a minute and 2 GB to start)");
        return;
    }
    let start = Instant::now();
    let harness = yardstick::harness(&names);
    println!("  typomania starts           {:>9.0} ms, {}", milliseconds(start.elapsed()), memory());
    let theirs = milliseconds(fastest(&|| yardstick::check(&harness, &new)));
    // Before and after, so that a moment in which the machine is busy with something else does not decide.
    let ours = before.judge.min(loaded(directory.path()).judge);
    println!(
        "  new names judged           {ours:>9.1} ms, {:.0} % of what typomania takes",
        ours / theirs * 100.0
    );
    println!("  typomania judges them      {theirs:>9.1} ms");
    let worst = vec![worst_legal()];
    let its_worst = milliseconds(timed(&|| yardstick::check(&harness, &worst)));
    println!("  its worst legal name       {its_worst:>9.1} ms (`{}`)", worst[0]);
}

/// What a process says that has loaded the snapshot and judged the new names.
struct Loaded {
    load: f64,
    judge: f64,
    memory: String,
}

/// Starts one, as its users do: with nothing else in memory.
fn loaded(directory: &Path) -> Loaded {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(LOAD).arg(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let [load, judge, memory] = text.trim().split('\t').collect::<Vec<_>>().try_into().unwrap();
    Loaded { load: load.parse().unwrap(), judge: judge.parse().unwrap(), memory: memory.to_owned() }
}

/// That process: from nothing to the first answer, then all of them.
fn load(directory: &Path) {
    let start = Instant::now();
    let corpus = Corpus::read_snapshot(File::open(directory.join(SNAPSHOT)).unwrap()).unwrap();
    black_box(corpus.judge(&Candidate::new("tokoi").unwrap()));
    let load = milliseconds(start.elapsed());
    let memory = memory();
    let new = std::fs::read_to_string(directory.join(NEW_NAMES)).unwrap();
    let new: Vec<Candidate> = new.lines().map(|name| Candidate::new(name).unwrap()).collect();
    let judge = fastest(&|| new.iter().map(|it| corpus.judge(it).matches.len()).sum());
    println!("{load}\t{}\t{memory}", milliseconds(judge));
}

fn timed(work: &dyn Fn() -> usize) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn fastest(work: &dyn Fn() -> usize) -> Duration {
    (0..ROUNDS).map(|_| timed(work)).min().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The most memory that this process has used.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map_or_else(|| "memory not measured".to_owned(), |it| format!("{} MB at most", it / 1_000))
}

/// Legal names that are made to take long: many words, many runs, prefixes of many names.
fn adversarial(corpus: &Corpus) {
    let long = |unit: &str| unit.chars().cycle().take(63).collect::<String>();
    let mut names = vec![
        worst_legal(),
        long("aws-sdk-"),
        long("a"),
        long("ab"),
        long("rs-"),
        long("abcdefghijklmnopqrstuvwxyz0123456789"),
    ];
    names.extend(hostile(&mut Rng::with_seed(2)));
    names.extend(["a", "ab", "abc", "abcd", "core", "serde", "client", "s3", "rs-rs-rs"].map(str::to_owned));
    let slowest = |name: &String| {
        let candidate = Candidate::new(name.as_str()).unwrap().left_out();
        (fastest(&|| corpus.judge(&candidate).matches.len()), name.clone())
    };
    let (slowest, name) = names.iter().map(slowest).max().unwrap();
    println!("  worst legal name           {:>9.2} ms (`{name}`)", milliseconds(slowest));
}

/// Names of up to 63 characters, made of what is looked up most: words of the corpus, affixes, single letters.
fn hostile(random: &mut Rng) -> Vec<String> {
    const PARTS: &[&str] = &[
        "a", "b", "s", "rs", "my", "core", "sys", "aws", "sdk", "tokio", "serde", "json", "client", "api",
        "solana", "types", "2",
    ];
    let name = |random: &mut Rng| {
        let separator = random.choice(["-", "-", ""]).unwrap_or("-");
        let mut name = random.choice(PARTS).copied().unwrap_or("a").to_owned();
        let length = random.usize(1..=63);
        while name.len() < length {
            name.push_str(separator);
            name.push_str(random.choice(PARTS).copied().unwrap_or("a"));
        }
        name.truncate(63);
        name.trim_end_matches('-').to_owned()
    };
    (0..1_000).map(|_| name(random)).collect()
}

/// 63 characters in 32 words.
fn worst_legal() -> String {
    ["a", "b", "c", "d"].iter().cycle().take(32).copied().collect::<Vec<_>>().join("-")
}

fn incremental(mut corpus: Corpus, new: &[String]) {
    let start = Instant::now();
    for name in new {
        corpus.add(Entry::new(name.as_str()));
    }
    let added = start.elapsed();
    for name in new {
        assert!(corpus.remove(name).is_some());
    }
    println!(
        "  {NEW} names added, removed  {:>9.1} ms, {:.1} ms",
        milliseconds(added),
        milliseconds(start.elapsed() - added)
    );
}

fn entries(names: &[String]) -> Vec<Entry> {
    names
        .iter()
        .zip(1..)
        .map(|(name, rank)| Entry { rank: Some(rank), ..Entry::new(name.as_str()) })
        .collect()
}

/// Names like those of a registry: one to four words of real names, with the separators and numbers that those have.
fn generated(count: usize, random: &mut Rng) -> Vec<String> {
    let corpus = Corpus::popular_crates();
    let mut by_name: Vec<&str> = corpus.entries().map(|entry| entry.name.as_str()).collect();
    by_name.sort_unstable();
    let words: Vec<&str> =
        by_name.iter().flat_map(|name| name.split(['-', '_'])).filter(|it| !it.is_empty()).collect();
    // How many words real names have decides how many these have.
    let lengths: Vec<usize> = by_name.iter().map(|name| name.split(['-', '_']).count()).collect();
    let mut seen: HashSet<String> = HashSet::with_capacity(count);
    let mut names: Vec<String> = by_name.iter().map(|name| (*name).to_owned()).collect();
    seen.extend(names.iter().map(|name| name.replace('_', "-")));
    while names.len() < count {
        let length = random.choice(&lengths).copied().unwrap_or(1);
        let separator = random.choice(["-", "-", "_"]).unwrap_or("-");
        let mut parts: Vec<String> =
            (0..length).filter_map(|_| random.choice(&words)).map(|word| (*word).to_owned()).collect();
        if length == 1 {
            // One-word names that are new are made of two halves.
            let other = random.choice(&words).copied().unwrap_or("x");
            parts[0] = format!("{}{}", &parts[0][..parts[0].len().div_ceil(2)], &other[other.len() / 2..]);
        }
        let name = parts.join(separator);
        if name.len() <= 64
            && name.starts_with(|it: char| it.is_ascii_alphabetic())
            && seen.insert(name.replace('_', "-"))
        {
            names.push(name);
        }
    }
    random.shuffle(&mut names);
    names
}
