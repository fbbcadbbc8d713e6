//! What an ecosystem of registry size costs: building, size, opening, questions, adding one version.
//!
//! `cargo bench -p cratekeeper-graph --bench scale`, with `-- --quick` for a hundredth of the size and
//! `-- --directory DIR` to keep the store, with `-- --uniform` for calls without any order to make use of. The yardstick of the same run is what plain arrays need, memory-mapped,
//! in one direction and without attributes: four bytes for each call and the starts of rows.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    unsafe_code,
    reason = "a benchmark prints, ends when something fails, and maps its own yardstick"
)]

use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cratekeeper_graph::synthetic::Ecosystem;
use cratekeeper_graph::{Filter, Graph, Limits, NodeId, Pattern, Resolution, Search, Store, StoreWriter};
use fastrand::Rng;

const VERSIONS: usize = 200_000;
const EDGES: usize = 20_000_000;
/// Bounded questions of each kind that are timed.
const QUESTIONS: usize = 10_000;
/// Dependents of the version that is added.
const DEPENDENTS: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let scale = if arguments.iter().any(|it| it == "--quick") { 100 } else { 1 };
    let kept =
        arguments.iter().position(|it| it == "--directory").map(|it| PathBuf::from(&arguments[it + 1]));
    let temporary = tempfile::tempdir().unwrap();
    let directory = kept.unwrap_or_else(|| temporary.path().join("store"));
    let uniform = arguments.iter().any(|it| it == "--uniform");
    let make = if uniform { Ecosystem::uniform } else { Ecosystem::new };
    let ecosystem = make(1, VERSIONS / scale, EDGES / scale);
    let shape = if uniform { "spread evenly" } else { "skewed" };
    println!("{} versions, {shape}, seed 1, one thread", ecosystem.len());
    build(&ecosystem, &directory);
    sizes(&directory);
    let yardstick = Yardstick::write(&directory, &temporary.path().join("yardstick"));
    open(&directory);
    let graph = Graph::open(&directory, "base").unwrap();
    questions(&graph, &yardstick);
    closures(&graph, &yardstick);
    whole(&graph);
    drop(graph);
    add(&ecosystem, &directory);
}

fn line(what: &str, value: &str) {
    println!("  {what:<44} {value:>22}");
}

fn milliseconds(it: Duration) -> String {
    format!("{:.3} ms", it.as_secs_f64() * 1e3)
}

/// The largest resident size of this process so far, where the system tells.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "not known".to_owned(), |it| it.trim().to_owned())
}

fn build(ecosystem: &Ecosystem, directory: &Path) {
    // What the generator alone takes is not part of building.
    let start = Instant::now();
    for version in 0..ecosystem.len() {
        black_box((ecosystem.entry(version), ecosystem.graph(version)));
    }
    let generating = start.elapsed();
    let mut writer = StoreWriter::open(directory).unwrap();
    let start = Instant::now();
    ecosystem.write(&mut writer, "base").unwrap();
    let appending = start.elapsed();
    line("generating call graphs (not counted below)", &format!("{:.1} s", generating.as_secs_f64()));
    let segments = appending.saturating_sub(generating);
    line("segments written", &format!("{:.1} s", segments.as_secs_f64()));
    line("memory by then, peak", &peak_memory());
    let start = Instant::now();
    writer.link("base").unwrap();
    let linking = start.elapsed();
    line("linked", &format!("{:.1} s", linking.as_secs_f64()));
    line("built, required < 300 s", &format!("{:.1} s", (segments + linking).as_secs_f64()));
    line("memory, peak, mapped files included", &peak_memory());
}

fn sizes(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let graph = store.graph("base").unwrap();
    let (sizes, edges) = (graph.sizes(), graph.edge_count() as f64);
    let statistics = graph.statistics().unwrap();
    line("functions", &graph.function_count().to_string());
    line("phantoms", &statistics.phantoms.to_string());
    line("calls", &graph.edge_count().to_string());
    line("calls that leave their version", &statistics.leaving_edges.to_string());
    line("dependencies", &statistics.dependencies.to_string());
    let each = |bytes: u64| format!("{:.2} B", bytes as f64 / edges);
    line("adjacency, both directions, of each call", &each(sizes.adjacency));
    line("attributes of each call", &each(sizes.edge_attributes));
    line("names, by calls", &each(sizes.names));
    line("functions' columns, by calls", &each(sizes.functions));
    line("implementations, by calls", &each(sizes.implementations));
    line("versions, by calls", &each(sizes.versions));
    line("linked index", &format!("{} MB", sizes.total / 1_000_000));
    let summary = store.summary();
    line("segments", &format!("{} in {} MB", summary.segments, summary.segment_bytes / 1_000_000));
    line("segments, by calls", &each(summary.segment_bytes));
}

/// Plain arrays in one direction.
struct Yardstick {
    map: memmap2::Mmap,
    nodes: usize,
}

impl Yardstick {
    fn write(directory: &Path, path: &Path) -> Yardstick {
        let graph = Graph::open(directory, "base").unwrap();
        let (mut starts, mut callees) = (vec![0_u32], Vec::new());
        let options = Limits { depth: 1, nodes: usize::MAX, links: usize::MAX, filter: plain() };
        for node in graph.nodes() {
            let links = graph.callees(&[node], &options).unwrap().links;
            callees.extend(links.iter().map(|it| node_number(it.callee)));
            starts.push(callees.len() as u32);
        }
        let nodes = starts.len() - 1;
        let bytes: Vec<u8> = starts.iter().chain(&callees).flat_map(|it| it.to_le_bytes()).collect();
        fs::write(path, &bytes).unwrap();
        line("yardstick: bytes of each call", &format!("{:.2} B", bytes.len() as f64 / callees.len() as f64));
        // SAFETY: the file is ours and nobody changes it.
        let map = unsafe { memmap2::Mmap::map(&File::open(path).unwrap()) }.unwrap();
        Yardstick { map, nodes }
    }

    fn callees(&self, node: u32) -> &[u32] {
        let all: &[u32] = bytemuck::cast_slice(&self.map);
        let (start, end) = (all[node as usize], all[node as usize + 1]);
        &all[self.nodes + 1..][start as usize..end as usize]
    }

    fn closure(&self, from: u32) -> usize {
        let mut seen = vec![false; self.nodes];
        let mut open = vec![from];
        seen[from as usize] = true;
        let mut count = 0;
        while let Some(node) = open.pop() {
            count += 1;
            for &callee in self.callees(node) {
                if !std::mem::replace(&mut seen[callee as usize], true) {
                    open.push(callee);
                }
            }
        }
        count
    }

    fn bounded(&self, from: u32, limits: &Limits) -> usize {
        let mut seen = std::collections::HashSet::from([from]);
        let mut level = vec![from];
        let mut links = 0;
        for _ in 0..limits.depth {
            let mut next = Vec::new();
            for node in level {
                for &callee in self.callees(node) {
                    links += 1;
                    if seen.len() >= limits.nodes || links >= limits.links {
                        return links;
                    }
                    if seen.insert(callee) {
                        next.push(callee);
                    }
                }
            }
            level = next;
        }
        links
    }
}

fn node_number(node: NodeId) -> u32 {
    node.number()
}

fn plain() -> Filter {
    Filter { implementations: false, ..Filter::default() }
}

fn open(directory: &Path) {
    let times = percentiles((0..200).map(|_| {
        let start = Instant::now();
        black_box(Graph::open(directory, "base").unwrap());
        start.elapsed()
    }));
    line("opened, required < 50 ms, p50 / p99", &times);
}

fn percentiles(times: impl Iterator<Item = Duration>) -> String {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    let at = |share: usize| milliseconds(times[(times.len() - 1) * share / 100]);
    format!("{} / {}", at(50), at(99))
}

fn questions(graph: &Graph, yardstick: &Yardstick) {
    let limits = Limits::default();
    let mut rng = Rng::with_seed(2);
    let functions = graph.function_count() as u32;
    let chosen: Vec<NodeId> = (0..QUESTIONS).map(|_| graph.node(rng.u32(..functions)).unwrap()).collect();
    // Nodes that are called often: what a question about a vulnerable function would be about.
    let called: Vec<NodeId> = chosen
        .iter()
        .map(|it| {
            graph
                .callees(&[*it], &Limits { depth: 1, ..limits })
                .unwrap()
                .links
                .last()
                .map_or(*it, |it| it.callee)
        })
        .collect();
    let timed = |ask: &dyn Fn(NodeId) -> usize, nodes: &[NodeId]| {
        percentiles(nodes.iter().map(|node| {
            let start = Instant::now();
            black_box(ask(*node));
            start.elapsed()
        }))
    };
    println!(
        "  {QUESTIONS} questions, {} steps, at most {} nodes and {} links:",
        limits.depth, limits.nodes, limits.links
    );
    let callees = |it: NodeId| graph.callees(&[it], &limits).unwrap().links.len();
    let callers = |it: NodeId| graph.callers(&[it], &limits).unwrap().links.len();
    line("  callees of any function, p50 / p99", &timed(&callees, &chosen));
    line("  callers of any function, p50 / p99", &timed(&callers, &chosen));
    line("  callers of a called one, p50 / p99", &timed(&callers, &called));
    let plain = |it: NodeId| yardstick.bounded(node_number(it), &limits);
    line("  yardstick: callees, p50 / p99", &timed(&plain, &chosen));
    let paths: Vec<String> = chosen.iter().map(|it| graph.path(*it).unwrap()).collect();
    let times = percentiles(paths.iter().map(|path| {
        let start = Instant::now();
        black_box(graph.find(&Pattern::parse(path).unwrap(), 1_000).unwrap());
        start.elapsed()
    }));
    line("  path to functions, p50 / p99", &times);
    let pairs = chosen.chunks(2).take(200);
    let times = percentiles(pairs.map(|pair| {
        let start = Instant::now();
        black_box(graph.paths(&pair[..1], &pair[1..], 5, 32, Filter::default()).unwrap());
        start.elapsed()
    }));
    line("  five shortest paths, p50 / p99", &times);
}

fn closures(graph: &Graph, yardstick: &Yardstick) {
    let mut rng = Rng::with_seed(3);
    let functions = graph.function_count() as u32;
    let mut chosen: Vec<NodeId> = (0..20).map(|_| graph.node(rng.u32(..functions)).unwrap()).collect();
    // The first functions of the first package are called by most of the ecosystem, the first of `std` by all of it.
    chosen.extend(graph.nodes().take(5));
    chosen.extend(graph.find(&Pattern::parse("std::module_0::function_0").unwrap(), 1).unwrap().nodes);
    // The last ones are those that may run the most when calls are spread evenly.
    chosen.extend((1..=5).filter_map(|it| graph.node(functions - it)));
    let mut largest = (0, 0, 0);
    let mut worst = [Duration::ZERO; 3];
    for node in chosen {
        let start = Instant::now();
        let forward = graph.reach(&[node], Filter::default()).unwrap().len();
        worst[0] = worst[0].max(start.elapsed());
        let start = Instant::now();
        let backward = graph.reached_from(&[node], Filter::default()).unwrap().len();
        worst[1] = worst[1].max(start.elapsed());
        let start = Instant::now();
        let plain = yardstick.closure(node_number(node));
        worst[2] = worst[2].max(start.elapsed());
        largest = (largest.0.max(forward), largest.1.max(backward), largest.2.max(plain));
    }
    let many: Vec<NodeId> = (0..10_000).map(|_| graph.node(rng.u32(..functions)).unwrap()).collect();
    let start = Instant::now();
    let union = graph.reach(&many, Filter::default()).unwrap().len();
    let union = (start.elapsed(), union);
    println!("  full closures of 31 functions, the slowest and the largest:");
    let show = |time, size: u64| format!("{} {size}", milliseconds(time));
    line("  everything it may run, required < 1 s", &show(worst[0], largest.0));
    line("  everything that 10,000 functions may run", &show(union.0, union.1));
    line("  everything that may run it", &show(worst[1], largest.1));
    line("  yardstick: everything it calls", &show(worst[2], largest.2 as u64));
}

fn whole(graph: &Graph) {
    let timed = |what: &str, ask: &dyn Fn() -> usize| {
        let start = Instant::now();
        let size = ask();
        line(what, &format!("{} {size}", milliseconds(start.elapsed())));
    };
    let all: Vec<_> = graph.versions().collect();
    timed("search by prefix", &|| {
        graph.search(Search::Prefix("package_7::module_1"), 1_000).unwrap().paths.len()
    });
    timed("search by substring, all names", &|| {
        graph.search(Search::Substring("no such"), 1_000).unwrap().paths.len()
    });
    timed("functions by `::function_7`", &|| {
        graph.find(&Pattern::parse("::function_7").unwrap(), usize::MAX).unwrap().nodes.len()
    });
    timed("use of unsafe, all versions", &|| graph.unsafe_usage(Filter::default()).unwrap().len());
    timed("statistics of unsafe, all versions", &|| graph.unsafe_statistics(&all).unwrap().above.len());
    timed("top by direct dependents", &|| graph.top_by_direct_dependents(10).unwrap().len());
    timed("top by transitive dependents", &|| graph.top_by_transitive_dependents(10).unwrap().len());
    timed("all calls as text, of one version in a hundred", &|| {
        let callers = Some(all.iter().copied().step_by(100).collect());
        let options = cratekeeper_graph::EdgeOptions { callers, with_versions: true, ..Default::default() };
        graph.edges(&options).unwrap().count()
    });
    timed("verified", &|| graph.verify().map_or(0, |()| 1));
}

fn add(ecosystem: &Ecosystem, directory: &Path) {
    let mut writer = StoreWriter::open(directory).unwrap();
    let before = modified(directory);
    let start = Instant::now();
    let version = ecosystem.len() / 2;
    let (mut entry, graph) = (ecosystem.entry(version), ecosystem.graph(version));
    entry.version.patch = 1;
    let mut appender = writer.append();
    let number = appender.push(&entry, &graph).unwrap();
    let bytes = appender.commit().unwrap();
    line("one version added, bytes written", &bytes.to_string());
    line("one version added", &milliseconds(start.elapsed()));
    let manifest = directory.join("manifest.ckg");
    let untouched = before.iter().filter(|it| it.0 != manifest).all(|it| modified(directory).contains(it));
    line("files from before unchanged, manifest apart", if untouched { "yes" } else { "no" });

    // The same with its dependents moved over: a new point in time is a new table, no segment changes.
    let mut resolution: Resolution = writer.store().resolution("base").unwrap();
    let dependents = DEPENDENTS.min(resolution.versions.len());
    for dependent in resolution.versions.iter_mut().take(dependents) {
        let dependency = cratekeeper_graph::ResolvedDependency {
            version: number,
            kinds: cratekeeper_graph::DependencyKinds::NORMAL,
        };
        dependent.dependencies.push(dependency);
    }
    resolution.versions.push(cratekeeper_graph::ResolvedVersion { number, dependencies: Vec::new() });
    let bytes = writer.write_resolution("later", &resolution).unwrap();
    line(&format!("table with {dependents} dependents, bytes written"), &bytes.to_string());
    let start = Instant::now();
    let bytes = writer.link("later").unwrap();
    line("that table linked, bytes written", &bytes.to_string());
    line("that table linked", &format!("{:.1} s", start.elapsed().as_secs_f64()));
}

fn modified(directory: &Path) -> Vec<(PathBuf, std::time::SystemTime, u64)> {
    let files = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let files = files.filter(|it| it.path().extension().is_some_and(|it| it == "ckg"));
    files
        .map(|it| (it.path(), it.metadata().unwrap().modified().unwrap(), it.metadata().unwrap().len()))
        .collect()
}
