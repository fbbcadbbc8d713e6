//! Libraries of the crates in cargo's cache, each read alone.

use std::path::PathBuf;

use cratekeeper_archive::{Expected, Limits as ArchiveLimits, read_crate_bytes};

use super::super::imports::{Import, ImportKind, State};
use super::*;

/// Bytes of source that the ordinary test reads: an unoptimised build reads a few MB/s.
const BYTES: usize = 24 << 20;

/// Crates above this are left out of it.
const CRATE_BYTES: usize = 1 << 20;

fn cached_crates() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_default();
    let registries = std::fs::read_dir(home.join("registry/cache")).into_iter().flatten().flatten();
    let entries = registries.flat_map(|registry| std::fs::read_dir(registry.path()).into_iter().flatten());
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// A package with what its manifest says of the library.
struct Package {
    name: String,
    files: Vec<(String, String)>,
    root: String,
    edition: u8,
    features: Vec<String>,
    dependencies: Vec<String>,
}

fn open(path: &std::path::Path) -> Option<Package> {
    let content = std::fs::read(path).ok()?;
    let archive = read_crate_bytes(&content, &Expected::anything(), &ArchiveLimits::default()).ok()?;
    let text = |name: &str| {
        let file = archive.files.iter().find(|file| file.path == name)?;
        String::from_utf8(file.contents.to_vec()).ok()
    };
    let manifest: toml::Table = text("Cargo.toml")?.parse().ok()?;
    let of_package = |key: &str| manifest.get("package")?.get(key)?.as_str();
    let root = manifest.get("lib").and_then(|lib| lib.get("path")?.as_str()).unwrap_or("src/lib.rs");
    let rust = archive.files.iter().filter(|file| file.path.ends_with(".rs"));
    let files =
        rust.filter_map(|file| Some((file.path.clone(), String::from_utf8(file.contents.to_vec()).ok()?)));
    Some(Package {
        name: of_package("name")?.to_owned(),
        files: files.collect(),
        root: root.to_owned(),
        edition: of_package("edition").and_then(|it| it.get(2..)?.parse().ok()).unwrap_or(15),
        features: default_features(&manifest),
        dependencies: dependencies(&manifest),
    })
}

fn default_features(manifest: &toml::Table) -> Vec<String> {
    let mut features = vec!["default".to_owned()];
    let mut next = 0;
    while let Some(feature) = features.get(next) {
        let of_feature = manifest.get("features").and_then(|it| it.get(feature)?.as_array().cloned());
        for inner in of_feature.unwrap_or_default() {
            let inner = inner.as_str().unwrap_or_default().to_owned();
            if !features.contains(&inner) {
                features.push(inner);
            }
        }
        next += 1;
    }
    features
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let targets = manifest.get("target").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let tables: Vec<_> =
        targets.values().filter_map(|it| it.as_table().cloned()).chain([manifest.clone()]).collect();
    let mut names: Vec<String> = ["std", "core", "alloc", "proc_macro", "test"].map(str::to_owned).into();
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(of_kind) = table.get(kind).and_then(toml::Value::as_table) else { continue };
            names.extend(of_kind.keys().map(|name| name.replace('-', "_")));
        }
    }
    names
}

/// Time that this thread has computed: other work on the machine does not count. Zero where the system does not tell.
fn computing_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// What became of the imports that lead into the crate itself.
#[derive(Debug, Default)]
struct Figures {
    bytes: usize,
    /// Bytes that macros made.
    expanded: usize,
    seconds: f64,
    /// Of parsing the files below `src` alone.
    parsing: f64,
    own: usize,
    resolved: usize,
    unresolved: Vec<String>,
    problems: Vec<String>,
}

fn measure(package: &Package, figures: &mut Figures) {
    let universe = Universe::with_room(1);
    let arenas = Arenas::default();
    let options = Options::x86_64_linux(package.features.iter().map(String::as_str));
    let input = CrateInput {
        index: CrateIndex(0),
        name: &package.name,
        edition: package.edition,
        root: &package.root,
        files: &package.files,
        configuration: &options,
        dependencies: &[],
        standard: None,
        test_target: false,
        limits: &Limits::default(),
    };
    let started = computing_seconds();
    for (path, text) in &package.files {
        if path.starts_with("src/") {
            let arenas = Arenas::default();
            let _ = parse(&arenas, text.clone(), edition(package.edition), 800);
        }
    }
    figures.parsing += computing_seconds() - started;
    let started = computing_seconds();
    let mut collector = Collector::new(input, &universe, &arenas, None);
    collector.run();
    let seconds = computing_seconds() - started;
    let bytes = collector.files.bytes();
    figures.expanded += collector.macros.expanded_bytes(&Limits::default());
    let (before, before_own) = (figures.resolved, figures.own);
    for import in collector.imports.list() {
        let active = collector.data.modules[import.module as usize].configuration.active && import.active;
        let first = import.path.first().map_or("crate", |it| it.as_str());
        let outside = package.dependencies.iter().any(|it| it == first) || import.leading_colons;
        // `extern crate a as b;`
        let renamed = collector.data.modules[0].scope.unread.contains_key(&Symbol::new(first));
        // `use Option::Some`, and what macros of crates that were not read would make.
        let of_prelude = matches!(first, "Option" | "Result");
        if !active || outside || renamed || of_prelude || is_behind_macro(&collector, import) {
            continue;
        }
        figures.own += 1;
        // A path that begins with an unknown name is taken for one of an absent crate, which it is not here.
        let scope = &collector.data.modules[import.module as usize].scope;
        let is_dependency = |path: &[Symbol]| package.dependencies.iter().any(|it| it == path[0].as_str());
        let mistaken = import.state == State::Absent
            && match import.kind {
                ImportKind::Named(name) | ImportKind::Module(name) => {
                    scope.unread.get(&name).is_some_and(|path| !is_dependency(path))
                }
                ImportKind::Glob => !scope.unread_globs.iter().any(|path| is_dependency(path)),
                ImportKind::Unnamed => false,
            };
        if import.state != State::Open && !mistaken {
            figures.resolved += 1;
        } else {
            let path: Vec<_> = import.path.iter().map(|it| it.as_str()).collect();
            let kind = import.kind;
            figures.unresolved.push(format!("{}: use {} {kind:?}", package.name, path.join("::")));
        }
    }
    if std::env::var_os("CRATEKEEPER_VERBOSE").is_some() {
        println!(
            "{:40} {:8} bytes {:7.1} ms, imports {} of {}, {} functions, {} modules, {} problems",
            package.name,
            bytes,
            seconds * 1e3,
            figures.resolved - before,
            figures.own - before_own,
            collector.data.functions.len(),
            collector.data.modules.len(),
            collector.data.problems.len()
        );
    }
    figures.bytes += bytes;
    figures.seconds += seconds;
    let data = collector.finish().data;
    figures.problems.extend(data.problems.iter().map(|it| format!("{}: {it}", package.name)));
}

/// Whether an import that found nothing leads into a module with a macro call that could not be expanded.
fn is_behind_macro(collector: &Collector<'_, '_>, import: &Import) -> bool {
    let prefix = &import.path[..import.path.len().saturating_sub(1)];
    let paths = collector.paths(import.edition);
    let module = match paths.resolve_use(import.module, prefix, false, Namespace::Types) {
        PathOutcome::Found(Definition::Module(id), 0) => id.index,
        _ => return false,
    };
    import.state == State::Open && collector.has_pending_calls(module)
}

#[test]
fn imports_of_real_crates_are_resolved() {
    let mut figures = Figures::default();
    for path in cached_crates() {
        let Some(package) = open(&path) else { continue };
        let size: usize = package.files.iter().map(|(_, text)| text.len()).sum();
        if size < CRATE_BYTES && figures.bytes + size < BYTES {
            measure(&package, &mut figures);
        }
    }
    if figures.own == 0 {
        println!("skipped: no crates in cargo's cache");
        return;
    }
    let (resolved, own) = (figures.resolved, figures.own);
    assert!(resolved * 100 > own * 99, "{resolved} of {own}: {:#?}", figures.unresolved);
}

/// `cargo test --release -p cratekeeper-resolve -- --ignored --nocapture all_cached`
#[test]
#[ignore = "reads the whole cache and prints figures"]
fn all_cached_crates() {
    let mut figures = Figures::default();
    let only = std::env::var("CRATEKEEPER_ONLY").unwrap_or_default();
    for path in cached_crates() {
        let Some(name) = path.file_name().and_then(|it| it.to_str()) else { continue };
        if !name.starts_with(&only) {
            continue;
        }
        if let Some(package) = open(&path) {
            measure(&package, &mut figures);
        }
    }
    let megabytes = figures.bytes as f64 / 1e6;
    figures.unresolved.iter().for_each(|it| println!("{it}"));
    figures.problems.iter().for_each(|it| println!("{it}"));
    println!("{megabytes:.1} MB in {:.2} s: {:.1} MB/s", figures.seconds, megabytes / figures.seconds);
    println!("{:.1} MB made by macros", figures.expanded as f64 / 1e6);
    println!("parsing alone: {:.2} s", figures.parsing);
    println!("{} of {} own imports resolved", figures.resolved, figures.own);
}
