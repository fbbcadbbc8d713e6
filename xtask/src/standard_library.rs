//! `cargo xtask standard-library`: the sources of core, alloc and std that this machine's toolchain ships.
//!
//! The component `rust-src` has them as files, but is rarely installed; `rust-docs` comes with every default toolchain and shows
//! the same text as pages. What only other platforms compile is in the first and missing in the second, so the modules
//! without a file are named. From them an index is made and written into the crate `standard`.

mod modules;
mod page;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use cratekeeper_model::graph::GraphTargetKind;
use cratekeeper_resolve::{
    CrateIndex, CrateInput, Limits, Options, StandardCrates, Symbol, Universe, analyze,
};
use cratekeeper_syntax::{Edition, LexedStr, Tree, guard};

use page::SourceFile;

/// Crates that std is made of, as directories of `library/`; the last are modules of core and std, included by path.
const CRATES: [&str; 6] = [
    "core/src",
    "alloc/src",
    "std/src",
    "stdarch/crates/core_arch/src",
    "portable-simd/crates",
    "backtrace/src",
];

/// Names of the crates whose pages are read: rustdoc files the others' modules under them.
const DOCUMENTED: [&str; 3] = ["core", "alloc", "std"];

/// Edition of the standard library.
const EDITION: Edition = Edition::Edition2024;

/// Deeper than anything in the standard library, and far from what the parser's stack holds.
const NESTING: u32 = 800;

pub(crate) fn standard_library(directory: Option<&Path>) -> anyhow::Result<()> {
    let (version, sysroot) = (compiler(&["--version"])?, compiler(&["--print", "sysroot"])?);
    let sysroot = Path::new(&sysroot);
    let (library, pages) =
        (sysroot.join("lib/rustlib/src/rust/library"), sysroot.join("share/doc/rust/html/src"));
    let (origin, files) = if library.is_dir() {
        ("rust-src", shipped(&library)?)
    } else if pages.is_dir() {
        ("rust-docs", documented(&pages)?)
    } else {
        bail!("the toolchain has no sources: install one of its components `rust-src` and `rust-docs`");
    };
    let mut notes = format!("sources of the standard library, from the component {origin} of {version}\n\n");
    notes.push_str(&summary(&files));
    notes.push_str(&syntax_errors(&files));
    notes.push_str(&missing(&files));
    print!("{notes}");
    let Some(directory) = directory else { return write_index(&version, &files) };
    for file in &files {
        let path = directory.join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        fs::write(&path, &file.text).with_context(|| format!("failed to write `{}`", path.display()))?;
    }
    fs::write(directory.join("NOTES"), &notes)?;
    Ok(())
}

/// Reads core, alloc and std as any other crate, and keeps what others need to know of them.
///
/// The vendors' intrinsics (`core_arch`) are left out: they are ten times the rest, and whoever calls one names it.
fn write_index(release: &str, files: &[SourceFile]) -> anyhow::Result<()> {
    let at = StandardCrates { core: CrateIndex(0), alloc: CrateIndex(1), std: CrateIndex(2) };
    let universe = Universe::with_room(3);
    let limits = Limits::default();
    let mut read = Vec::new();
    for (number, (name, in_code)) in [
        ("core", &[][..]),
        ("alloc", &[("core", at.core)]),
        ("std", &[("core", at.core), ("alloc", at.alloc), ("alloc_crate", at.alloc)]),
    ]
    .into_iter()
    .enumerate()
    {
        let prefix = format!("{name}/");
        let files: Vec<(String, String)> = files
            .iter()
            .filter_map(|file| Some((file.path.strip_prefix(&prefix)?.to_owned(), file.text.clone())))
            .collect();
        let dependencies: Vec<(Symbol, CrateIndex)> =
            in_code.iter().map(|(name, index)| (Symbol::new(name), *index)).collect();
        let input = CrateInput {
            index: CrateIndex(number as u32),
            name,
            edition: 24,
            root: "src/lib.rs",
            files: &files,
            configuration: &Options::x86_64_linux(["std"]),
            dependencies: &dependencies,
            standard: Some(at),
            test_target: false,
            limits: &limits,
        };
        let data = on_large_stack(|| analyze(&input, GraphTargetKind::Lib, &universe).data)?;
        println!(
            "{name}: {} functions, {} traits, {} implementations",
            data.functions.len(),
            data.traits.len(),
            data.implementations.len()
        );
        universe.set(CrateIndex(number as u32), Arc::clone(&data));
        read.push(data);
    }
    let [core, alloc, std] = &read[..] else { bail!("three crates were read") };
    let packed = cratekeeper_standard::pack(release, [core, alloc, std])?;
    let path = crate::workspace().join("crates/standard/data/standard-library.bin.gz");
    fs::write(&path, &packed).with_context(|| format!("failed to write `{}`", path.display()))?;
    println!("{} bytes in `{}`", packed.len(), path.display());
    Ok(())
}

/// Inference calls itself as often as code nests.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| anyhow::anyhow!("reading a crate panicked"))
    })
}

/// What the compiler answers.
fn compiler(arguments: &[&str]) -> anyhow::Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program).args(arguments).output().context("failed to start `rustc`")?;
    if !output.status.success() {
        bail!("`rustc {}` failed ({})", arguments.join(" "), output.status);
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The files of the component `rust-src`.
fn shipped(library: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for krate in CRATES {
        for path in below(&library.join(krate), ".rs")? {
            let relative = path.strip_prefix(library).context("failed to find the path in the library")?;
            let text = read(&path)?;
            files.push(SourceFile { path: page::normalize(&relative.to_string_lossy())?, text });
        }
    }
    Ok(files)
}

/// The files that the pages of the component `rust-docs` show.
fn documented(pages: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for krate in DOCUMENTED {
        for path in below(&pages.join(krate), ".rs.html")? {
            let file = page::source_file(&read(&path)?);
            files.push(file.with_context(|| format!("failed to read the page `{}`", path.display()))?);
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // std has pages of files of core that it includes by path.
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))
}

/// All files below a directory whose names end like this, sorted.
fn below(directory: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries =
            fs::read_dir(&directory).with_context(|| format!("failed to list `{}`", directory.display()))?;
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                directories.push(entry.path());
            } else if entry.file_name().to_string_lossy().ends_with(ending) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn summary(files: &[SourceFile]) -> String {
    let mut text = String::new();
    for krate in CRATES {
        let (mut count, mut bytes, mut lines) = (0, 0, 0);
        for file in files.iter().filter(|file| file.path.starts_with(krate)) {
            (count, bytes, lines) = (count + 1, bytes + file.text.len(), lines + file.text.lines().count());
        }
        let _ = writeln!(text, "{krate:30} {count:5} files {bytes:10} bytes {lines:8} lines");
    }
    text
}

/// Files that our parser does not take: the text may be wrong, or the standard library uses syntax that is not stable.
fn syntax_errors(files: &[SourceFile]) -> String {
    let mut text = String::new();
    let mut count = 0;
    for file in files {
        let lexed = LexedStr::new(EDITION, &file.text);
        let errors = match guard::check(&lexed, NESTING) {
            Ok(()) => Tree::file(&lexed, &file.text, EDITION).map(|tree| tree.errors),
            Err(too_deep) => Err(too_deep.reason),
        };
        let errors = errors.unwrap_or_else(|reason| vec![(0, reason)]);
        count += errors.len();
        for (offset, message) in errors {
            let line = file.text[..offset as usize].lines().count();
            let _ = writeln!(text, "  {}:{line}: {message}", file.path);
        }
    }
    format!("\n{count} syntax errors\n{text}")
}

/// Modules of which no file was found.
fn missing(files: &[SourceFile]) -> String {
    let present: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let (mut tests, mut others) = (0, String::new());
    for file in files {
        for module in modules::out_of_line(&file.path, &LexedStr::new(EDITION, &file.text)) {
            let is_present =
                |path: &String| page::normalize(path).is_ok_and(|it| present.contains(it.as_str()));
            if module.candidates.iter().any(is_present) {
                continue;
            }
            if module.attributes.contains("cfg(test)") || module.attributes.contains("cfg(all(test") {
                tests += 1;
            } else {
                let _ = writeln!(others, "  {}: mod {}; {}", file.path, module.name, module.attributes);
            }
        }
    }
    let count = others.lines().count();
    format!("\n{count} modules without a file, and {tests} more of tests\n{others}")
}
