//! Whatever the files hold, there are facts, and their numbers point somewhere.

mod common;

use std::sync::OnceLock;

use common::TOKENS;
use cratekeeper_source::{Limits, PackageFile, analyze};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const PATHS: [&str; 9] = [
    "Cargo.toml",
    "Cargo.toml.orig",
    ".cargo_vcs_info.json",
    "src/lib.rs",
    "src/a.rs",
    "src/a/mod.rs",
    "build.rs",
    "tests/t.rs",
    "data.bin",
];

fn check(files: &[(&str, Vec<u8>)]) {
    let files: Vec<_> = files.iter().map(|(path, content)| PackageFile::new(path, content)).collect();
    let facts = analyze(&files, &Limits::default());
    let source = &facts.source;
    assert_eq!(source.files_total, source.files_parsed + source.files_with_errors);
    assert_eq!(source.files_total as usize, source.rust_files.len());
    let invalid: Vec<_> = common::invalid_indices(&facts).collect();
    assert!(invalid.is_empty(), "{invalid:#?}");
}

/// Tokens in any order, with items that other files or the package itself may be reached by.
fn token_soup() -> impl Strategy<Value = String> {
    let more = [
        "mod a;",
        "#[path = \"a.rs\"]",
        "include!(\"data.bin\");",
        "#[cfg(x)]",
        "use a::{b, c};",
        "asm!(\"\")",
        "\"https://a.example\"",
        "unsafe extern \"C\" {",
        "m! {",
        "#[no_mangle]",
        "\u{202E}",
        "\u{FEFF}",
        "'",
        "\"",
        "r#\"",
        "b\"\\xff",
        "0x",
        "é",
        "\r\n",
    ];
    let alphabet: Vec<&str> = TOKENS.iter().copied().chain(more).collect();
    vec(select(alphabet), 0..200).prop_map(|tokens| tokens.join(" "))
}

/// TOML-like lines that a manifest might hold.
fn manifest_soup() -> impl Strategy<Value = String> {
    let lines = [
        "[package]",
        "name = \"a-b\"",
        "version = \"1\"",
        "edition = \"2021\"",
        "build = \"build.rs\"",
        "build = [\"a\", \"b\"]",
        "[lib]",
        "path = \"src/a.rs\"",
        "proc-macro = true",
        "[[bin]]",
        "[[test]]",
        "[dependencies]",
        "a = \"1\"",
        "b = { path = \"x\", version = \"2\" }",
        "c.workspace = true",
        "d = []",
        "[target.x.dependencies]",
        "[target]",
        "[features]",
        "f = [\"a\"]",
        "path = \"../..\"",
        "name = 1",
        "[workspace]",
        "crate-type = 3",
        "[project]",
        "autobins = 7",
        "[",
        "\u{0}",
        "required-features = [1]",
    ];
    vec(select(lines.to_vec()), 0..30).prop_map(|lines| lines.join("\n"))
}

/// Sources of this crate, to be damaged.
fn real_sources() -> &'static [Vec<u8>] {
    static SOURCES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let names = ["guard.rs", "literals.rs", "package.rs", "rust/macros.rs", "rust/items.rs"];
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");
        names.iter().filter_map(|name| std::fs::read(format!("{root}{name}")).ok()).collect()
    })
}

fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((any::<Index>(), select(TOKENS.to_vec()), 0..40_usize), 1..8);
    (any::<Index>(), edits).prop_map(|(source, edits)| {
        let mut text = source.get(real_sources()).clone();
        for (place, token, removed) in edits {
            let at = place.index(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, token.bytes());
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_file(files in vec((select(PATHS.to_vec()), vec(any::<u8>(), 0..300)), 0..6)) {
        check(&files);
    }

    #[test]
    fn any_tokens(lib in token_soup(), other in token_soup(), manifest in manifest_soup()) {
        check(&[
            ("Cargo.toml", manifest.clone().into_bytes()),
            ("Cargo.toml.orig", manifest.into_bytes()),
            ("src/lib.rs", lib.into_bytes()),
            ("src/a.rs", other.clone().into_bytes()),
            ("data.bin", other.into_bytes()),
        ]);
    }

    #[test]
    fn damaged_sources(lib in damaged()) {
        check(&[("Cargo.toml", b"[package]\nname = \"a\"".to_vec()), ("src/lib.rs", lib)]);
    }
}
