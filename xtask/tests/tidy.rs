//! Tidy: what a reviewer would otherwise have to remember.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Replicas of attacks and their harmless twins: their Rust is data, read and never built, in many styles.
const DATA: &[&str] = &["incidents/", "tests/detection/"];

/// All files below the workspace that are part of the project, by extension. Rust that is data is left out.
fn files(extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut directories = vec![workspace()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let left_out = name == "target" || name == ".git" || name == "corpus" || name == "artifacts";
            if path.is_dir() && !left_out {
                directories.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                let relative = path.strip_prefix(workspace()).unwrap().to_str().unwrap().replace('\\', "/");
                if extension == "rs" && DATA.iter().any(|it| relative.starts_with(it)) {
                    continue;
                }
                found.push((relative, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(workspace().join("Cargo.toml"))
        .other_options(["--locked", "--offline", "--no-deps"].map(str::to_owned))
        .exec()
        .unwrap()
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> = files("rs")
        .into_iter()
        .filter(|(path, _)| !path.contains("/tests/data/"))
        .filter(|(_, text)| !text.trim_start().starts_with("//!") && !text.starts_with("#!["))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "these modules do not open with `//!`: {silent:#?}");
}

#[test]
fn rule_ids_are_file_names_and_anchors() {
    let rules: BTreeSet<String> = files("rs")
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("crates/rules/src/rules/")?.strip_suffix(".rs"))
        .map(|name| name.replace('_', "-"))
        .collect();
    assert!(rules.len() >= 14, "only {} rules were found: did the files move?", rules.len());
    let documentation = fs::read_to_string(workspace().join("docs/rules.md")).unwrap();
    let anchors: BTreeSet<String> =
        documentation.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect();
    for rule in &rules {
        assert!(anchors.contains(rule), "`docs/rules.md` has no section `## {rule}`");
        let file = format!("crates/rules/src/rules/{}.rs", rule.replace('-', "_"));
        let text = fs::read_to_string(workspace().join(&file)).unwrap();
        assert!(text.contains(&format!("\"{rule}\"")), "`{file}` does not define the id `{rule}`");
    }
}

/// Which crates of the workspace each crate may use. `ARCHITECTURE.md` gives the reasons.
const EDGES: &[(&str, &[&str])] = &[
    ("cratekeeper-model", &[]),
    ("cratekeeper-archive", &["cratekeeper-model"]),
    ("cratekeeper-syntax", &[]),
    ("cratekeeper-expand", &["cratekeeper-syntax"]),
    ("cratekeeper-source", &["cratekeeper-model", "cratekeeper-syntax"]),
    ("cratekeeper-resolve", &["cratekeeper-model", "cratekeeper-syntax", "cratekeeper-expand"]),
    ("cratekeeper-standard", &["cratekeeper-resolve"]),
    ("cratekeeper-parquet", &["cratekeeper-graph"]),
    ("cratekeeper-registry", &["cratekeeper-model"]),
    ("cratekeeper-advisories", &["cratekeeper-model"]),
    ("cratekeeper-names", &[]),
    ("cratekeeper-browser", &[]),
    ("cratekeeper-graph", &["cratekeeper-model"]),
    ("cratekeeper-rules", &["cratekeeper-model"]),
    ("cratekeeper-difference", &["cratekeeper-model"]),
    ("cratekeeper-policy", &["cratekeeper-model", "cratekeeper-rules"]),
    ("cratekeeper-similarity", &["cratekeeper-model"]),
    ("cratekeeper-store", &["cratekeeper-model"]),
    ("cratekeeper-evaluation", &["cratekeeper-model", "cratekeeper-archive"]),
    (
        "cratekeeper-engine",
        &[
            "cratekeeper-model",
            "cratekeeper-archive",
            "cratekeeper-graph",
            "cratekeeper-source",
            "cratekeeper-names",
            "cratekeeper-registry",
            "cratekeeper-advisories",
            "cratekeeper-rules",
            "cratekeeper-difference",
            "cratekeeper-similarity",
            "cratekeeper-policy",
            "cratekeeper-graph",
            "cratekeeper-resolve",
            "cratekeeper-standard",
            "cratekeeper-syntax",
        ],
    ),
    ("cratekeeper-report", &["cratekeeper-model", "cratekeeper-graph", "cratekeeper-names"]),
    (
        "cratekeeper-server",
        &[
            "cratekeeper-model",
            "cratekeeper-archive",
            "cratekeeper-engine",
            "cratekeeper-graph",
            "cratekeeper-names",
            "cratekeeper-policy",
            "cratekeeper-registry",
            "cratekeeper-similarity",
            "cratekeeper-store",
        ],
    ),
    (
        "cratekeeper",
        &[
            "cratekeeper-server",
            "cratekeeper-store",
            "cratekeeper-model",
            "cratekeeper-parquet",
            "cratekeeper-engine",
            "cratekeeper-evaluation",
            "cratekeeper-graph",
            "cratekeeper-names",
            "cratekeeper-policy",
            "cratekeeper-registry",
            "cratekeeper-advisories",
            "cratekeeper-rules",
            "cratekeeper-report",
        ],
    ),
    // It checks with our parser that what it takes out of documentation pages is Rust again, and makes the index of the
    // standard library.
    ("xtask", &["cratekeeper-syntax", "cratekeeper-model", "cratekeeper-resolve", "cratekeeper-standard"]),
];

/// Libraries that only some crates may use, because what they do belongs there alone.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("clap", &["cratekeeper", "xtask"]),
    ("cel", &["cratekeeper-policy"]),
    ("anyhow", &["cratekeeper", "xtask"]),
    ("indicatif", &["cratekeeper"]),
    ("ureq", &["cratekeeper-registry"]),
    ("openidconnect", &["cratekeeper-server"]),
    ("tame-index", &["cratekeeper-registry"]),
    ("cargo-lock", &["cratekeeper-registry", "cratekeeper-advisories"]),
    ("cargo_metadata", &["cratekeeper-registry", "xtask"]),
    // The server compresses what it gives out, and unpacks nothing.
    ("flate2", &["cratekeeper-archive", "cratekeeper-server", "cratekeeper-standard", "xtask"]),
    ("axum", &["cratekeeper-server"]),
    ("hyper", &["cratekeeper-server"]),
    ("lettre", &["cratekeeper-server"]),
    ("hyper-util", &["cratekeeper-server"]),
    ("tokio-rustls", &["cratekeeper-server"]),
    ("object_store", &["cratekeeper-server"]),
    ("tokio", &["cratekeeper", "cratekeeper-server", "cratekeeper-store"]),
    ("tar", &["cratekeeper-archive"]),
    ("parquet", &["cratekeeper-parquet"]),
    ("ra_ap_parser", &["cratekeeper-syntax"]),
    ("rustsec", &["cratekeeper-advisories"]),
    ("rayon", &["cratekeeper-engine"]),
    ("memmap2", &["cratekeeper-graph"]),
    ("fst", &["cratekeeper-graph"]),
    ("sea-orm", &["cratekeeper-store"]),
    ("sqlx", &["cratekeeper-store"]),
    ("serde-sarif", &["cratekeeper-report"]),
];

fn normal_dependencies(package: &Package) -> impl Iterator<Item = &str> {
    package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal).map(|it| it.name.as_str())
}

#[test]
fn crates_use_only_what_they_may() {
    let metadata = metadata();
    let edges: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let Some(allowed) = edges.get(name) else {
            wrong.push(format!("`{name}` is not in the table of edges"));
            continue;
        };
        for dependency in normal_dependencies(package) {
            let ours = dependency.starts_with("cratekeeper");
            if ours && !allowed.contains(&dependency) {
                wrong.push(format!("`{name}` must not use `{dependency}`"));
            }
            if ONLY_IN.iter().any(|(library, users)| *library == dependency && !users.contains(&name)) {
                wrong.push(format!("`{name}` must not use `{dependency}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "forbidden edges: {wrong:#?}");
}

/// Code without its comments and without what stands between quotes: the paths that analysis looks for are no calls.
fn without_text(code: &str) -> String {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let quoted = |line: &str| line.replace("\\\"", "").split('"').step_by(2).collect::<String>();
    lines.map(|line| quoted(line) + "\n").collect()
}

#[test]
fn the_model_and_the_rules_do_no_input_or_output() {
    let forbidden = [
        "std::fs",
        "TcpStream",
        "UdpSocket",
        "std::process",
        "std::env",
        "std::thread",
        "std::time::SystemTime",
    ];
    let found: Vec<String> = files("rs")
        .into_iter()
        .filter(|(path, _)| {
            [
                "crates/model/src",
                "crates/rules/src",
                "crates/source/src",
                "crates/difference/src",
                "crates/similarity/src",
            ]
            .iter()
            .any(|it| path.starts_with(it))
        })
        .flat_map(|(path, text)| {
            let code = without_text(text.split("#[cfg(test)]").next().unwrap_or(""));
            forbidden
                .iter()
                .filter(|it| code.contains(**it))
                .map(|it| format!("{path}: {it}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "input or output where there must be none: {found:#?}");
}

#[test]
fn every_crate_denies_undocumented_items() {
    let metadata = metadata();
    for package in &metadata.packages {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "`{}` does not use the workspace's lints",
            package.name
        );
        assert!(package.description.is_some(), "`{}` has no description", package.name);
    }
    let root = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    assert!(root.contains("missing_docs = \"warn\""), "the workspace does not ask for documentation");
    let silenced: Vec<String> = files("rs")
        .into_iter()
        .filter(|(path, text)| path != "xtask/tests/tidy.rs" && text.contains("allow(missing_docs"))
        .map(|(path, _)| path)
        .collect();
    assert!(silenced.is_empty(), "documentation is switched off in {silenced:#?}");
}

#[test]
fn every_crate_is_in_the_table_of_crates() {
    let table = fs::read_to_string(workspace().join("crates/README.md")).unwrap();
    let architecture = fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    for entry in fs::read_dir(workspace().join("crates")).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(table.contains(&format!("`{name}`")), "`crates/README.md` does not mention `{name}`");
            assert!(
                architecture.contains(&format!("`{name}`")),
                "`ARCHITECTURE.md` does not mention `{name}`"
            );
        }
    }
}

#[test]
fn no_rule_excuses_anyone_by_name() {
    // A comparison of who published or what it is called, outside tests, would be an exemption.
    let identities = ["package.name", "package.checksum", "package.id", "manifest.name", "manifest.authors"];
    let comparisons =
        [" == \"", ".contains(\"", ".starts_with(\"", ".ends_with(\"", "matches!(", ".as_str() == \""];
    let mut found = Vec::new();
    for (path, text) in files("rs") {
        if !path.starts_with("crates/rules/src") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or("").to_owned();
        for (number, line) in code.lines().enumerate() {
            let names_identity = identities.iter().any(|it| line.contains(it));
            if names_identity && comparisons.iter().any(|it| line.contains(it)) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "rules must not excuse by name: {found:#?}");
}

#[test]
fn no_registry_and_no_machine_is_named() {
    // Written in pieces, so that this file does not name them either.
    let hosts =
        [["crates", ".io/"].concat(), ["index.crates", ".io"].concat(), ["static.crates", ".io"].concat()];
    let machine = [["/ro", "ot/"].concat(), ["/wo", "rk/"].concat(), ["/ho", "me/user"].concat()];
    let mut found = Vec::new();
    for extension in ["rs", "toml", "md", "json", "snap"] {
        for (path, text) in files(extension) {
            for (number, line) in text.lines().enumerate() {
                if hosts.iter().chain(&machine).any(|it| line.contains(it.as_str())) {
                    found.push(format!("{path}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "a registry's host or a machine's path is named: {found:#?}");
}
