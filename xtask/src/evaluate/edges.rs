//! The call graph that is judged: rows as `cratekeeper graph edges --format tsv` prints them, and where they come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::spelling::{plain, without_versions};
use crate::bench::target_directory;
use crate::run::{cargo, run};

/// Certainties, from the surest; unknown words count as less sure than all.
pub(crate) const CERTAINTIES: [&str; 4] = ["exact", "typed", "candidate", "name"];

/// What the program says about a workspace.
#[derive(Default)]
pub(crate) struct Product {
    pub edges: Vec<ProductEdge>,
    pub candidates: Vec<Candidate>,
    /// Calls without a known callee, by `NAME-VERSION`; empty when they were not asked for.
    pub unresolved: BTreeMap<String, Unresolved>,
}

/// A pair of functions, with the surest of the edges between them.
pub(crate) struct ProductEdge {
    pub caller: String,
    pub callee: String,
    /// The caller with versions, where the program printed any: two versions of a crate share their names.
    pub versioned_caller: String,
    pub kind: String,
    pub certainty: String,
}

/// One of several possible callees at a place.
pub(crate) struct Candidate {
    pub caller: String,
    pub versioned_caller: String,
    pub callee: String,
    /// `file:line`
    pub place: String,
}

/// Calls of a crate, and those of them without a known callee.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unresolved {
    pub calls: u64,
    pub unresolved: u64,
}

impl Product {
    /// Reads rows: caller, callee, kind, certainty, and `file:line` if there is one. Lines with `#` are comments.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Product> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))?;
        Product::parse(&text).with_context(|| format!("failed to read `{}`", path.display()))
    }

    pub(crate) fn parse(text: &str) -> anyhow::Result<Product> {
        let mut surest: BTreeMap<(String, String, String), (usize, &str, &str)> = BTreeMap::new();
        let mut candidates = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split('\t').collect();
            let [caller, callee, kind, certainty, ..] = columns[..] else {
                bail!("line {}: expected caller, callee, kind and certainty", number + 1);
            };
            if (caller, callee) == ("caller", "callee") {
                continue;
            }
            let versioned = if caller.contains('@') { caller } else { "" };
            let (caller, callee) = (plain(&without_versions(caller)), plain(&without_versions(callee)));
            if let ("candidate", Some(place)) = (certainty, columns.get(4)) {
                let (caller, callee) = (caller.clone(), callee.clone());
                let (versioned_caller, place) = (versioned.to_owned(), (*place).to_owned());
                candidates.push(Candidate { caller, versioned_caller, callee, place });
            }
            let rank = CERTAINTIES.iter().position(|it| *it == certainty).unwrap_or(CERTAINTIES.len());
            let edge = (rank, kind, certainty);
            let known = surest.entry((caller, callee, versioned.to_owned())).or_insert(edge);
            if rank < known.0 {
                *known = edge;
            }
        }
        let edges = surest.into_iter().map(|((caller, callee, versioned_caller), (_, kind, certainty))| {
            let (kind, certainty) = (kind.to_owned(), certainty.to_owned());
            ProductEdge { caller, callee, versioned_caller, kind, certainty }
        });
        Ok(Product { edges: edges.collect(), candidates, unresolved: BTreeMap::new() })
    }

    /// Asks the program as tests build it about a workspace without dependencies from elsewhere.
    ///
    /// A test is among what is built because cargo then selects the features that a run of all tests has: the program of
    /// that run is taken as it is. Built by itself, half of the libraries would be compiled once more.
    #[cfg(test)]
    pub(crate) fn of_debug_build(directory: &Path) -> anyhow::Result<Product> {
        run(&mut cargo(&["build", "--locked", "--workspace", "--bin", "cratekeeper", "--test", "tidy"]))?;
        let program = target_directory()?.join("debug").join("cratekeeper");
        let cache = tempfile::tempdir()?;
        let more = ["--with-versions", "--format", "tsv"];
        Product::parse(&graph(&program, cache.path(), "edges", directory, &more)?)
    }

    /// Builds our program and asks it about a workspace, whose crates are then in cargo's cache.
    pub(crate) fn of_workspace(directory: &Path) -> anyhow::Result<Product> {
        let manifest = directory.join("Cargo.toml");
        run(cargo(&["fetch", "--locked", "--manifest-path"]).arg(&manifest))?;
        let program = program()?;
        // A graph that an older build made must not be measured.
        let cache = tempfile::tempdir()?;
        let ask =
            |subcommand: &str, more: &[&str]| graph(&program, cache.path(), subcommand, directory, more);
        let mut product = Product::parse(&ask("edges", &["--with-versions", "--format", "tsv"])?)
            .context("failed to read what `cratekeeper graph edges` printed")?;
        if product.edges.is_empty() {
            bail!("`cratekeeper graph edges` found no edge in `{}`", directory.display());
        }
        match ask("stats", &["--format", "json"]) {
            Ok(text) => product.unresolved = unresolved(&serde_json::from_str(&text)?),
            Err(error) => eprintln!("warning: shares of unresolved calls are not measured: {error:#}"),
        }
        Ok(product)
    }
}

/// The program as it is shipped, built if it is not there.
pub(super) fn program() -> anyhow::Result<PathBuf> {
    run(&mut cargo(&["build", "--release", "--locked", "--package", "cratekeeper"]))?;
    Ok(target_directory()?.join("release").join("cratekeeper"))
}

/// What a `graph` subcommand prints about a workspace.
fn graph(
    program: &Path,
    cache: &Path,
    subcommand: &str,
    workspace: &Path,
    more: &[&str],
) -> anyhow::Result<String> {
    let arguments = ["graph", subcommand, "--workspace"];
    let shown = format!("cratekeeper graph {subcommand}");
    let output = Command::new(program)
        .args(arguments)
        .arg(PathBuf::from(workspace))
        .args(more)
        .args(["--offline", "--allow-unchecked", "--quiet"])
        .env("CRATEKEEPER_CACHE_DIR", cache)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("failed to start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed something that is not text"))
}

/// Unresolved calls by crate: `crates` lists `name`, `version`, `calls`, and `unresolved` as a number or a number by reason.
fn unresolved(statistics: &Value) -> BTreeMap<String, Unresolved> {
    let crates = statistics["crates"].as_array().map_or(&[][..], Vec::as_slice);
    let entry = |it: &Value| {
        let name = format!("{}-{}", it["name"].as_str()?, it["version"].as_str()?);
        let unresolved = match &it["unresolved"] {
            Value::Object(reasons) => reasons.values().filter_map(Value::as_u64).sum(),
            number => number.as_u64()?,
        };
        Some((name, Unresolved { calls: it["calls"].as_u64()?, unresolved }))
    };
    crates.iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_edge_of_a_pair_counts() {
        let rows = "caller\tcallee\tkind\tcertainty\tplace\n# a comment\n\
            a::f\ta::g\ttrait\tcandidate\tsrc/lib.rs:3\na::f\ta::g\tcall\texact\tsrc/lib.rs:4\na::f\ta::h\tcall\tguess\n";
        let product = Product::parse(rows).unwrap();
        let edges: Vec<(&str, &str, &str)> =
            product.edges.iter().map(|it| (&*it.callee, &*it.kind, &*it.certainty)).collect();
        assert_eq!(edges, [("a::g", "call", "exact"), ("a::h", "call", "guess")]);
        assert_eq!(product.candidates.len(), 1, "the place still has a candidate");
    }

    #[test]
    fn versions_keep_callers_apart() {
        let rows = "a@1.0.0::f\tb@2.0.0::g\tcall\texact\na@1.1.0::f\tb@2.0.0::g\tcall\texact\n";
        let product = Product::parse(rows).unwrap();
        let callers: Vec<(&str, &str)> =
            product.edges.iter().map(|it| (&*it.caller, &*it.versioned_caller)).collect();
        assert_eq!(callers, [("a::f", "a@1.0.0::f"), ("a::f", "a@1.1.0::f")]);
    }

    #[test]
    fn a_short_row_is_refused_with_its_line() {
        let error = Product::parse("a::f\ta::g\n").err().unwrap().to_string();
        assert!(error.starts_with("line 1: "), "{error}");
    }

    #[test]
    fn unresolved_calls_are_numbers_or_reasons() {
        let statistics = serde_json::json!({"crates": [
            {"name": "a", "version": "1.0.0", "calls": 10, "unresolved": {"value": 1, "macro": 2}},
            {"name": "b", "version": "1.0.0", "calls": 5, "unresolved": 4},
            {"name": "c", "version": "1.0.0"},
        ]});
        let found = unresolved(&statistics);
        assert_eq!(found["a-1.0.0"].unresolved, 3);
        assert_eq!(found["b-1.0.0"].unresolved, 4);
        assert!(!found.contains_key("c-1.0.0"), "nothing is said of it");
    }
}
