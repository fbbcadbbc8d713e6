//! What several tests need: packages written as one string, and a look-up of their facts.
#![allow(dead_code, reason = "not every test uses everything")]

use std::path::PathBuf;

use cratekeeper_model::Facts;
use cratekeeper_model::facts::{Call, Function};
use cratekeeper_source::{Limits, PackageFile, analyze};

/// Analyses a package written as one string: `//- path` begins a file. Without a manifest it gets one of edition 2021.
pub(crate) fn package(text: &str) -> Facts {
    analyze_files(&files_of(text))
}

/// Analyses files given by path and content.
pub(crate) fn analyze_files(files: &[(String, String)]) -> Facts {
    let files: Vec<_> =
        files.iter().map(|(path, content)| PackageFile::new(path, content.as_bytes())).collect();
    analyze(&files, &Limits::default())
}

/// Analyses `src/lib.rs` alone.
pub(crate) fn library(text: &str) -> Facts {
    analyze_files(&[manifest(), ("src/lib.rs".to_owned(), text.to_owned())])
}

fn manifest() -> (String, String) {
    let text = "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    ("Cargo.toml".to_owned(), text.to_owned())
}

fn files_of(text: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("//- ") {
            Some(path) => files.push((path.trim().to_owned(), String::new())),
            None => {
                if let Some((_, content)) = files.last_mut() {
                    content.push_str(line);
                    content.push('\n');
                }
            }
        }
    }
    if files.iter().all(|(path, _)| path != "Cargo.toml") {
        files.push(manifest());
    }
    files
}

/// The function with this path, of which there must be exactly one.
pub(crate) fn function<'f>(facts: &'f Facts, path: &str) -> &'f Function {
    let found: Vec<_> = facts.source.functions.iter().filter(|it| it.path == path).collect();
    match found[..] {
        [function] => function,
        _ => panic!("{} functions `{path}` in {:?}", found.len(), paths(facts)),
    }
}

/// Paths of all functions.
pub(crate) fn paths(facts: &Facts) -> Vec<&str> {
    facts.source.functions.iter().map(|it| it.path.as_str()).collect()
}

pub(crate) fn calls(facts: &Facts) -> &[Call] {
    facts.calls.as_ref().map_or(&[], |it| &it.calls)
}

/// Every `.crate` file in cargo's cache.
pub(crate) fn cached_crates() -> Vec<PathBuf> {
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

/// A small generator of numbers that are the same in every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Tokens of Rust, and beginnings of what nests, to build texts that no one would write.
pub(crate) const TOKENS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "&",
    "*",
    "!",
    "-",
    "+",
    "|",
    "||",
    "=",
    "==",
    "=>",
    "->",
    "..",
    "..=",
    "...",
    ".",
    ",",
    ";",
    ":",
    "::",
    "#",
    "?",
    "@",
    "$",
    "~",
    "^",
    "/",
    "<<",
    ">>",
    "+=",
    "a",
    "A",
    "1",
    "1.0",
    "1.",
    "\"s\"",
    "'a",
    "'a'",
    "_",
    "r#a",
    "in",
    "as",
    "if",
    "else",
    "match",
    "while",
    "for",
    "loop",
    "let",
    "move",
    "mut",
    "ref",
    "impl",
    "dyn",
    "fn",
    "const",
    "unsafe",
    "async",
    "yield",
    "box",
    "become",
    "static",
    "do",
    "extern",
    "return",
    "break",
    "continue",
    "mod",
    "use",
    "struct",
    "enum",
    "union",
    "trait",
    "type",
    "where",
    "pub",
    "crate",
    "self",
    "Self",
    "super",
    "macro_rules",
    "macro",
    "auto",
    "default",
    "gen",
    "await",
    "try",
    "safe",
    "raw",
    "builtin",
    "yeet",
    "true",
    "()",
    "[]",
    "{}",
    "a!",
    "#[a]",
    "A<",
    "a::<",
    "<A as",
    "-> A",
    "|a|",
    "|a,",
    "(a,",
    ": A",
    "= a",
    "fn()",
    "if a {}",
    "a => ",
    "for<'a>",
    "let a = a",
    "S {",
    "for a in",
    "else {}",
    "if let A = a",
    "&mut",
    "*const",
    "impl A for",
    "a:",
    "'a: {",
    "where A:",
    "match a {",
    "fn a()",
    "unsafe {",
    "extern \"C\"",
    "/*",
    "*/",
    "//",
    "\n",
];

/// Numbers in facts that point nowhere.
pub(crate) fn invalid_indices(facts: &Facts) -> impl Iterator<Item = String> {
    let source = &facts.source;
    let mut places: Vec<(&str, u32, u32, Option<u32>)> = Vec::new();
    places.extend(calls(facts).iter().map(|it| ("call", it.file, it.line, it.function)));
    places.extend(source.functions.iter().map(|it| ("function", it.file, it.line, None)));
    places.extend(source.functions.iter().map(|it| ("end of function", it.file, it.end_line, None)));
    places.extend(source.foreign_blocks.iter().map(|it| ("foreign block", it.file, it.line, None)));
    places.extend(source.linkage.iter().map(|it| ("linkage", it.file, it.line, None)));
    places.extend(source.assembly.iter().map(|it| ("assembly", it.file, it.line, it.function)));
    places.extend(source.uses.iter().map(|it| ("import", it.file, it.line, None)));
    places.extend(source.includes.iter().map(|it| ("include", it.file, it.line, None)));
    places.extend(source.literals.iter().map(|it| ("literal", it.file, it.line, it.function)));
    places.extend(source.macros.iter().map(|it| ("macro", it.file, it.line, None)));
    let flow = &facts.flow;
    places.extend(flow.operations.iter().map(|it| ("operation", it.file, it.line, it.function)));
    places.extend(flow.texts.iter().map(|it| ("text", it.file, it.line, it.function)));
    places.extend(flow.gates.iter().map(|it| ("gate", it.file, it.line, it.function)));
    places.extend(flow.external_calls.iter().map(|it| ("external call", it.file, it.line, it.function)));
    let lines_of = |file: u32| {
        let path = &source.rust_files.get(file as usize)?.path;
        let entry = facts.files.entries.iter().find(|entry| entry.path == *path)?;
        // An empty file has a first line; lines of what is not text are not counted.
        Some(if entry.kind.is_text() { entry.lines.max(1) } else { u32::MAX })
    };
    let lines: Vec<Option<u32>> = (0..source.rust_files.len() as u32).map(lines_of).collect();
    let mut invalid: Vec<String> = Vec::new();
    for (what, file, line, function) in places {
        let in_file =
            lines.get(file as usize).copied().flatten().is_some_and(|lines| (1..=lines).contains(&line));
        let in_function = function.is_none_or(|it| (it as usize) < source.functions.len());
        if !in_file || !in_function {
            invalid.push(format!("{what} in file {file} line {line} function {function:?}"));
        }
    }
    let operations = flow.operations.len() as u32;
    let numbers = flow.texts.iter().filter_map(|it| it.operation);
    let numbers = numbers.chain(flow.flows.iter().flat_map(|it| it.from.into_iter().chain([it.into])));
    invalid.extend(numbers.filter(|it| *it >= operations).map(|it| format!("operation {it}")));
    let gates = flow.operations.iter().flat_map(|it| &it.gates);
    invalid.extend(gates.filter(|it| **it as usize >= flow.gates.len()).map(|it| format!("gate {it}")));
    let targets = facts.manifest.targets.len();
    let modules = source.modules.iter().map(|it| it.target);
    let of_functions = source.functions.iter().flat_map(|it| it.targets.iter().copied());
    let of_files = source.rust_files.iter().flat_map(|it| it.targets.iter().copied());
    let wrong = modules.chain(of_functions).chain(of_files).filter(|it| usize::from(*it) >= targets);
    invalid.extend(wrong.map(|target| format!("target {target}")));
    invalid.into_iter()
}
