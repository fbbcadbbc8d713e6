//! Two versions as text, analysed as any package is, and what is said to have changed between them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use cratekeeper_difference::difference;
use cratekeeper_model::facts::{Capability, Operation, OperationKind, Phase};
use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Difference, Facts};
use cratekeeper_source::{Limits, PackageFile, analyze};

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nauthors = [\"A\"]\n\
    repository = \"https://forge.example.invalid/a/demo\"\n";
const SOURCE: &str = "pub fn answer() -> u8 { 42 }\n";

fn facts(files: &[(&str, &str)]) -> Facts {
    let files: Vec<PackageFile<'_>> =
        files.iter().map(|(path, text)| PackageFile::new(path, text.as_bytes())).collect();
    analyze(&files, &Limits::default())
}

fn between(older: &[(&str, &str)], newer: &[(&str, &str)]) -> Difference {
    difference(&facts(older), &facts(newer))
}

/// Changes but for the amount of code, which nearly everything changes.
fn changes(difference: &Difference) -> Vec<(ChangeKind, ChangeDirection, &str)> {
    let changes = difference.changes.iter().filter(|it| it.kind != ChangeKind::CodeVolume);
    changes.map(|it| (it.kind, it.direction, it.subject.as_str())).collect()
}

fn the(difference: &Difference, kind: ChangeKind) -> &Change {
    let mut of_kind = difference.changes.iter().filter(|it| it.kind == kind);
    let change = of_kind.next().unwrap();
    assert!(of_kind.next().is_none(), "{difference:#?}");
    change
}

#[test]
fn the_same_facts_do_not_differ() {
    let files = [
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "extern \"C\" { fn f(); }\npub fn g() { unsafe { f() } }"),
        ("build.rs", "fn main() { println!(\"https://a.example.invalid/\"); }"),
        (".hidden/x", "text"),
    ];
    assert_eq!(between(&files, &files).changes, []);
    assert_eq!(between(&files, &files).files, (0, 0, 0));
}

#[test]
fn a_new_build_script_and_the_files_it_reaches_are_shown() {
    let older = [("Cargo.toml", MANIFEST), ("src/lib.rs", SOURCE)];
    let newer = [
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", SOURCE),
        ("build.rs", "mod helper;\nfn main() {}\n"),
        ("helper.rs", "pub fn help() {}\n"),
    ];
    let difference = between(&older, &newer);
    let change = the(&difference, ChangeKind::BuildScript);
    assert_eq!(change.direction, ChangeDirection::Added);
    assert_eq!(change.after.as_deref(), Some("build.rs, 3 lines in 2 files"));
    let files: Vec<&str> = change.evidence.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["build.rs", "helper.rs"]);
    assert_eq!((difference.rust_lines, difference.files), ((1, 4), (2, 0, 0)));
}

#[test]
fn a_module_of_the_build_script_that_changed_in_place_is_a_change() {
    let with = |helper| {
        [
            ("Cargo.toml", MANIFEST),
            ("src/lib.rs", SOURCE),
            ("build.rs", "mod helper;\nfn main() {}\n"),
            ("helper.rs", helper),
        ]
    };
    let difference = between(&with("pub fn a() {}\n"), &with("pub fn b() {}\n"));
    let change = the(&difference, ChangeKind::BuildScript);
    assert_eq!(change.direction, ChangeDirection::Changed);
    assert_eq!(change.evidence[0].file, "helper.rs");
    let gone = between(&with("fn a() {}"), &[("Cargo.toml", MANIFEST), ("src/lib.rs", SOURCE)]);
    assert_eq!(the(&gone, ChangeKind::BuildScript).direction, ChangeDirection::Removed);
}

#[test]
fn becoming_a_procedural_macro_is_a_change() {
    let manifest = format!("{MANIFEST}[lib]\nproc-macro = true\n");
    let difference = between(
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", SOURCE)],
        &[("Cargo.toml", &manifest), ("src/lib.rs", SOURCE)],
    );
    assert_eq!(changes(&difference), [(ChangeKind::ProcMacro, ChangeDirection::Added, "src/lib.rs")]);
}

#[test]
fn dependencies_go_by_the_name_of_the_crate() {
    let with = |text: &str| format!("{MANIFEST}{text}");
    let older = with(
        "[dependencies]\nserde = \"1\"\nlog = \"0.4\"\n[build-dependencies]\ncc = \"1\"\n[dev-dependencies]\na = \"1\"\n",
    );
    let newer = with(
        "[dependencies]\nserde = { version = \"1\", package = \"serd\" }\nlog = \"0.4.2\"\n\
         [build-dependencies]\ncc2 = \"1\"\n[dev-dependencies]\nb = \"1\"\n",
    );
    let difference = between(
        &[("Cargo.toml", &older), ("src/lib.rs", SOURCE)],
        &[("Cargo.toml", &newer), ("src/lib.rs", SOURCE)],
    );
    use ChangeDirection::{Added, Changed, Removed};
    use ChangeKind::{BuildDependency, Dependency};
    assert_eq!(
        changes(&difference),
        [
            (Dependency, Added, "serd"),
            (Dependency, Removed, "serde"),
            (Dependency, Changed, "log"),
            (BuildDependency, Added, "cc2"),
            (BuildDependency, Removed, "cc"),
        ]
    );
    assert_eq!(difference.changes[0].after.as_deref(), Some("serde = \"1\", package = \"serd\""));
}

#[test]
fn unsafe_foreign_and_constant_things_show_their_lines() {
    let older = [("Cargo.toml", MANIFEST), ("src/lib.rs", "pub fn a() {}\npub fn b() { unsafe { f() } }\n")];
    let newer = [
        ("Cargo.toml", MANIFEST),
        (
            "src/lib.rs",
            "pub fn a() { unsafe { f() } }\npub fn b() { unsafe { f() } }\nextern \"C\" { fn f(); }\n\
             const A: &str = \"https://a.example.invalid/x\";\n",
        ),
    ];
    let difference = between(&older, &newer);
    let change = the(&difference, ChangeKind::Unsafe);
    assert_eq!(change.direction, ChangeDirection::Changed);
    assert_eq!((change.evidence.len(), change.evidence[0].line), (1, Some(1)));
    let change = the(&difference, ChangeKind::Ffi);
    assert_eq!((change.direction, change.evidence[0].line), (ChangeDirection::Added, Some(3)));
    let change = the(&difference, ChangeKind::ConstantText);
    assert_eq!((change.subject.as_str(), change.evidence[0].line), ("https://a.example.invalid/x", Some(4)));
}

#[test]
fn opaque_and_hidden_files_are_told_apart() {
    let older = [("Cargo.toml", MANIFEST), ("src/lib.rs", SOURCE), ("data.bin", "\0\u{1}a")];
    let newer = [
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", SOURCE),
        ("data.bin", "\0\u{1}b"),
        (".config/tool", "\u{7f}ELF\u{2}\u{1}\u{1}\0"),
        (".envrc", "x"),
        (".cargo_vcs_info.json", "{}"),
        ("README.md", "text"),
    ];
    use ChangeDirection::{Added, Changed};
    use ChangeKind::{Binary, HiddenFile};
    assert_eq!(
        changes(&between(&older, &newer)),
        [(Binary, Added, ".config/tool"), (Binary, Changed, "data.bin"), (HiddenFile, Added, ".envrc")]
    );
}

#[test]
fn fields_of_the_manifest_are_compared() {
    let newer = "[package]\nname = \"demo\"\nversion = \"1.0.1\"\nauthors = [\"B\", \"A\"]\nedition = \"2021\"\nlinks = \"z\"\n\
         repository = \"https://forge.example.invalid/b/demo\"\n[features]\ndefault = [\"x\"]\nx = []\n";
    let difference = between(
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", SOURCE)],
        &[("Cargo.toml", newer), ("src/lib.rs", SOURCE)],
    );
    use ChangeDirection::{Added, Changed};
    use ChangeKind::{Authors, Feature, Manifest, Repository};
    assert_eq!(
        changes(&difference),
        [
            (Repository, Changed, "repository"),
            (Authors, Changed, "authors"),
            (Manifest, Added, "edition"),
            (Manifest, Added, "links"),
            (Feature, Added, "default"),
            (Feature, Added, "x"),
        ]
    );
}

fn with_operation(kind: OperationKind, phases: &[Phase]) -> Facts {
    let mut facts = facts(&[("Cargo.toml", MANIFEST), ("src/lib.rs", SOURCE)]);
    facts.flow.operations.push(Operation {
        kind,
        path: "std::process::Command::new".to_owned(),
        file: 0,
        line: 1,
        function: None,
        arguments: vec!["sh".to_owned()],
        qualities: Vec::new(),
        gates: Vec::new(),
        phases: phases.to_vec(),
        chain: Vec::new(),
    });
    facts
}

#[test]
fn an_ability_that_moves_into_the_build_is_a_change() {
    let run_time = with_operation(OperationKind::StartProcess, &[Phase::RunTime]);
    let both = with_operation(OperationKind::StartProcess, &[Phase::BuildTime, Phase::RunTime]);
    let difference = difference(&run_time, &both);
    let change = the(&difference, ChangeKind::Capability);
    assert_eq!(change.capability, Some((Capability::Process, Phase::BuildTime)));
    assert_eq!(
        (change.direction, change.subject.as_str()),
        (ChangeDirection::Added, "process at build-time")
    );
    let evidence = &change.evidence[0];
    assert_eq!((evidence.file.as_str(), evidence.line), ("src/lib.rs", Some(1)));
    assert_eq!(evidence.excerpt.as_deref(), Some("std::process::Command::new(\"sh\")"));
}

#[test]
fn one_more_operation_of_a_known_ability_is_none() {
    let once = with_operation(OperationKind::ReadFile, &[Phase::RunTime]);
    let mut twice = once.clone();
    twice.flow.operations.push(once.flow.operations[0].clone());
    assert_eq!(difference(&once, &twice).changes, []);
}

#[test]
fn numbers_that_lead_nowhere_do_no_harm() {
    let mut damaged = with_operation(OperationKind::Connect, &[Phase::RunTime]);
    damaged.flow.operations[0].file = u32::MAX;
    damaged.source.rust_files[0].targets = vec![u16::MAX];
    assert_eq!(difference(&Facts::default(), &damaged).rust_lines, (0, 1));
}
