//! The macros of all crates in cargo's cache, on the calls in the files that define them.
//!
//! Calls inside an expansion are expanded as well, if the same file defines what they call: that is where fragments pass
//! from one macro to the next.

#![allow(clippy::print_stdout, reason = "the figures are what one runs this for")]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cratekeeper_archive::{Expected, Limits as ArchiveLimits, read_crate_bytes};
use cratekeeper_expand::{Edition, ExpandError, Limits, MacroDefinition};
use cratekeeper_syntax::{LexedStr, Node, SyntaxKind, Tree, guard};

/// Bytes of Rust source that are read at most.
const BYTES: usize = 24 << 20;

/// Crates above this are left out, so that one of them is not the whole sample.
const CRATE_BYTES: usize = 1 << 20;

/// Calls that one call may lead to.
const INNER_CALLS: usize = 40;

#[derive(Default)]
struct Figures {
    definitions: usize,
    unparsed: Vec<String>,
    calls: usize,
    expanded: usize,
    inner_calls: usize,
    inner_expanded: usize,
    /// Expansions of either kind that are syntax, and those that are not.
    well_formed: usize,
    malformed: Vec<String>,
    failures: Vec<String>,
    bytes: usize,
    largest: usize,
    time: Duration,
}

#[test]
fn macros_of_ordinary_crates_expand() {
    let paths = cached_crates();
    if paths.is_empty() {
        println!("skipped: no crates in cargo's cache");
        return;
    }
    let (next, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let figures = Mutex::new(Figures::default());
    let read = || {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Ok(content) = std::fs::read(path) else { continue };
            let archive = read_crate_bytes(&content, &Expected::anything(), &ArchiveLimits::default());
            let Ok(archive) = archive else { continue };
            let rust: Vec<_> = archive.files.iter().filter(|file| file.path.ends_with(".rs")).collect();
            let size: usize = rust.iter().map(|file| file.contents.len()).sum();
            if size > CRATE_BYTES || bytes.fetch_add(size, Ordering::Relaxed) > BYTES {
                continue;
            }
            let manifest = archive.files.iter().find(|file| file.path == "Cargo.toml");
            let edition =
                edition(&manifest.map(|it| String::from_utf8_lossy(&it.contents)).unwrap_or_default());
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            for file in rust {
                if let Ok(text) = std::str::from_utf8(&file.contents) {
                    check(&format!("{name} {}", file.path), text, edition, &figures);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(read);
        }
    });
    report(&figures.into_inner().unwrap_or_else(PoisonError::into_inner));
}

fn report(figures: &Figures) {
    let expansions = figures.well_formed + figures.malformed.len();
    println!("{} definitions, {} unparsed", figures.definitions, figures.unparsed.len());
    println!("{} of {} calls expanded", figures.expanded, figures.calls);
    println!("{} of {} calls inside expansions expanded", figures.inner_expanded, figures.inner_calls);
    println!("{} of {expansions} expansions are syntax", figures.well_formed);
    println!("{} bytes, at most {} at once", figures.bytes, figures.largest);
    println!("{:?}, the time of all threads taken together", figures.time);
    let shown = std::env::var("SHOWN_FAILURES").ok().and_then(|it| it.parse().ok()).unwrap_or(10);
    for (what, list) in
        [("unparsed", &figures.unparsed), ("failed", &figures.failures), ("malformed", &figures.malformed)]
    {
        for failure in list.iter().take(shown) {
            println!("{what}: {failure}");
        }
    }
    assert!(figures.unparsed.len() * 100 <= figures.definitions);
    assert!(figures.expanded * 100 >= figures.calls * 95);
    assert!(figures.inner_expanded * 100 >= figures.inner_calls * 95);
    assert!(figures.well_formed * 100 >= expansions * 97);
}

fn check(name: &str, text: &str, edition: Edition, figures: &Mutex<Figures>) {
    if !text.contains("macro") {
        return;
    }
    let lexed = LexedStr::new(edition, text);
    if guard::check(&lexed, 800).is_err() {
        return;
    }
    let Ok(tree) = Tree::file(&lexed, text, edition) else { return };
    let mut found = Figures::default();
    let mut definitions: HashMap<&str, Vec<MacroDefinition>> = HashMap::new();
    for node in tree.at(0).descendants() {
        let Some(body) = definition_body(node) else { continue };
        found.definitions += 1;
        let macro_name = node.name().unwrap_or_default();
        match MacroDefinition::parse(body, edition) {
            Ok(definition) => definitions.entry(macro_name).or_default().push(definition),
            Err(error) => found.unparsed.push(format!("{name} `{macro_name}`: {error}")),
        }
    }
    for call in tree.at(0).descendants().filter_map(call) {
        let Some(candidates) = definitions.get(call.0) else { continue };
        found.calls += 1;
        match expand(candidates, call.1, &mut found) {
            Ok(text) => {
                found.expanded += 1;
                let origin = format!("{name} `{}!({})`", call.0, shortened(call.1));
                follow(&definitions, origin, text, edition, &mut found);
            }
            Err(error) => {
                found.failures.push(format!("{name} `{}!({})`: {error}", call.0, shortened(call.1)));
            }
        }
    }
    let mut figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
    figures.definitions += found.definitions;
    figures.unparsed.extend(found.unparsed);
    figures.calls += found.calls;
    figures.expanded += found.expanded;
    figures.inner_calls += found.inner_calls;
    figures.inner_expanded += found.inner_expanded;
    figures.well_formed += found.well_formed;
    figures.malformed.extend(found.malformed);
    figures.failures.extend(found.failures);
    figures.bytes += found.bytes;
    figures.largest = figures.largest.max(found.largest);
    figures.time += found.time;
}

/// Parses an expansion and expands the calls in it.
fn follow(
    definitions: &HashMap<&str, Vec<MacroDefinition>>,
    origin: String,
    text: String,
    edition: Edition,
    found: &mut Figures,
) {
    let mut left = vec![(origin, text)];
    let mut calls_left = INNER_CALLS;
    while let Some((origin, text)) = left.pop() {
        found.bytes += text.len();
        found.largest = found.largest.max(text.len());
        let Some(wrapped) = well_formed(&text, edition) else {
            found.malformed.push(format!("{origin} => {}", shortened(&text)));
            continue;
        };
        found.well_formed += 1;
        let lexed = LexedStr::new(edition, &wrapped);
        let Ok(tree) = Tree::file(&lexed, &wrapped, edition) else { continue };
        for call in tree.at(0).descendants().filter_map(call) {
            let Some(candidates) = definitions.get(call.0) else { continue };
            if calls_left == 0 {
                break;
            }
            calls_left -= 1;
            found.inner_calls += 1;
            let inner = format!("{origin} > `{}!({})`", call.0, shortened(call.1));
            match expand(candidates, call.1, found) {
                Ok(text) => {
                    found.inner_expanded += 1;
                    left.push((inner, text));
                }
                Err(error) => found.failures.push(format!("{inner}: {error}")),
            }
        }
    }
}

fn expand(
    candidates: &[MacroDefinition],
    arguments: &str,
    found: &mut Figures,
) -> Result<String, ExpandError> {
    let start = Instant::now();
    let result = first_expansion(candidates, arguments);
    found.time += start.elapsed();
    result
}

fn first_expansion(candidates: &[MacroDefinition], arguments: &str) -> Result<String, ExpandError> {
    let mut last = ExpandError::NoRule;
    for definition in candidates {
        match definition.expand(arguments, "__crate_1", &Limits::default()) {
            Ok(expansion) => return Ok(expansion.text),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A file that holds the text where it is syntax: as items, statements, an expression and so on.
fn well_formed(text: &str, edition: Edition) -> Option<String> {
    let places = [
        ("", ""),
        ("fn f() {", "}"),
        ("impl A {", "}"),
        ("const A: () = ", ";"),
        ("type A = ", ";"),
        ("fn f() { match a {", " => b } }"),
        ("trait A {", "}"),
    ];
    places.iter().find_map(|(before, after)| {
        let file = format!("{before}{text}{after}");
        let lexed = LexedStr::new(edition, &file);
        guard::check(&lexed, 800).ok()?;
        let is_syntax = Tree::file(&lexed, &file, edition).ok()?.errors.is_empty();
        is_syntax.then_some(file)
    })
}

fn definition_body<'t>(node: Node<'_, 't>) -> Option<&'t str> {
    match node.kind() {
        SyntaxKind::MACRO_RULES => node.child(SyntaxKind::TOKEN_TREE).map(inside),
        SyntaxKind::MACRO_DEF => {
            let body = node.child(SyntaxKind::TOKEN_TREE)?;
            let text = &node.text()[(body.start() - node.start()) as usize..];
            Some(if text.starts_with('{') { inside(body) } else { text })
        }
        _ => None,
    }
}

fn call<'t>(node: Node<'_, 't>) -> Option<(&'t str, &'t str)> {
    if node.kind() != SyntaxKind::MACRO_CALL {
        return None;
    }
    let path = node.child(SyntaxKind::PATH)?.text();
    let name = path.rsplit("::").next().unwrap_or(path);
    Some((name.trim(), inside(node.child(SyntaxKind::TOKEN_TREE)?)))
}

fn inside<'t>(tree: Node<'_, 't>) -> &'t str {
    let text = tree.text();
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
}

fn shortened(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(400).collect()
}

fn edition(manifest: &str) -> Edition {
    let line = manifest.lines().find_map(|line| line.strip_prefix("edition"));
    match line.map(|it| it.trim_matches([' ', '=', '"'])) {
        Some("2018") => Edition::Edition2018,
        Some("2021") => Edition::Edition2021,
        Some("2024") => Edition::Edition2024,
        _ => Edition::Edition2015,
    }
}

/// Every `.crate` file in cargo's cache.
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
