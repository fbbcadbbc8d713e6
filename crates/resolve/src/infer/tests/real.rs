//! Libraries of the crates in cargo's cache: reading their bodies ends, and finds calls.

use cratekeeper_archive::{Expected, Limits as ArchiveLimits, read_crate_bytes};

use crate::collect::{CrateInput, Limits, StandardCrates};
use crate::definitions::{CrateIndex, Universe};
use crate::{Options, analyze};
use cratekeeper_model::graph::GraphTargetKind;

/// Bytes of source that are read: an unoptimised build reads one MB/s.
const BYTES: usize = 16 << 20;

/// Crates above this are left out.
const CRATE_BYTES: usize = 1 << 20;

fn files(path: &std::path::Path) -> Option<Vec<(String, String)>> {
    let content = std::fs::read(path).ok()?;
    let archive = read_crate_bytes(&content, &Expected::anything(), &ArchiveLimits::default()).ok()?;
    let rust = archive.files.iter().filter(|file| file.path.ends_with(".rs"));
    let text = |contents: &[u8]| String::from_utf8(contents.to_vec()).ok();
    Some(rust.filter_map(|file| Some((file.path.clone(), text(&file.contents)?))).collect())
}

fn read_all(bytes: usize) -> usize {
    let home = std::env::var_os("CARGO_HOME")
        .map(std::path::PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_default();
    let registries = std::fs::read_dir(home.join("registry/cache")).into_iter().flatten().flatten();
    let entries = registries.flat_map(|registry| std::fs::read_dir(registry.path()).into_iter().flatten());
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let standard = super::read(&[]).data;
    let (configuration, limits) = (Options::x86_64_linux(["default", "std"]), Limits::default());
    let (mut seen, mut edges) = (0, 0);
    for path in paths {
        let Some(files) = files(&path) else { continue };
        let size: usize = files.iter().map(|it| it.1.len()).sum();
        if size > CRATE_BYTES || seen + size > bytes {
            continue;
        }
        seen += size;
        let universe = Universe::with_room(2);
        universe.set(CrateIndex(0), std::sync::Arc::clone(&standard));
        let index = CrateIndex(0);
        let input = CrateInput {
            index: CrateIndex(1),
            name: "demo",
            edition: 21,
            root: "src/lib.rs",
            files: &files,
            configuration: &configuration,
            dependencies: &[],
            standard: Some(StandardCrates { core: index, alloc: index, std: index }),
            test_target: true,
            limits: &limits,
        };
        edges += analyze(&input, GraphTargetKind::Lib, &universe).graph.edges.len();
    }
    edges
}

#[test]
fn bodies_of_real_crates_are_read() {
    // Some crates nest deeper than a test thread's stack; the product gives its threads as much.
    let reader = std::thread::Builder::new().stack_size(64 << 20).spawn(|| read_all(BYTES));
    let edges = reader.expect("a thread starts").join().expect("no crate panics");
    // The cache may be empty where the tests run.
    assert!(edges == 0 || edges > 1_000, "{edges}");
}
