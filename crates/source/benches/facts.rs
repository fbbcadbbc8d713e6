//! How fast facts are made, next to what their parser takes alone.
//!
//! Reads the crates in cargo's cache, so figures of two machines only compare as ratios. `cargo bench -p cratekeeper-source`.

#![expect(clippy::print_stderr, reason = "there is no other way to say that nothing was measured")]

use std::hint::black_box;
use std::path::PathBuf;

use cratekeeper_archive::{CrateArchive, Expected, Limits as ArchiveLimits, read_crate_bytes};
use cratekeeper_source::{Limits, PackageFile, analyze};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ra_ap_parser::{LexedStr, TopEntryPoint};
use ra_ap_syntax::Edition;

/// Rust source of the crates that are read at most, so that a run takes a minute.
const BYTES: usize = 20 << 20;

fn facts(criterion: &mut Criterion) {
    let crates = cached_crates();
    let sources: Vec<&str> = crates.iter().flat_map(rust_sources).collect();
    let bytes: usize = sources.iter().map(|source| source.len()).sum();
    if bytes == 0 {
        eprintln!("skipped: no crates in cargo's cache");
        return;
    }
    let mut group = criterion.benchmark_group("source");
    group.throughput(Throughput::Bytes(bytes as u64)).sample_size(10);
    group.bench_function("facts", |bencher| {
        bencher.iter(|| {
            for archive in &crates {
                let files: Vec<_> =
                    archive.files.iter().map(|file| PackageFile::new(&file.path, &file.contents)).collect();
                black_box(analyze(&files, &Limits::default()));
            }
        });
    });
    group.bench_function("parser and its tree", |bencher| {
        bencher.iter(|| {
            for source in &sources {
                black_box(ra_ap_syntax::SourceFile::parse(source, Edition::Edition2021));
            }
        });
    });
    group.bench_function("parser without a tree", |bencher| {
        bencher.iter(|| {
            for source in &sources {
                let lexed = LexedStr::new(Edition::Edition2021, source);
                black_box(TopEntryPoint::SourceFile.parse(&lexed.to_input(Edition::Edition2021)));
            }
        });
    });
    group.finish();
}

fn rust_sources(archive: &CrateArchive) -> impl Iterator<Item = &str> {
    let rust = archive.files.iter().filter(|file| file.path.ends_with(".rs"));
    rust.filter_map(|file| std::str::from_utf8(&file.contents).ok())
}

/// Every crate of the cache that can be read, in the order of their names, up to [`BYTES`].
fn cached_crates() -> Vec<CrateArchive> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_default();
    let registries = std::fs::read_dir(home.join("registry/cache")).into_iter().flatten().flatten();
    let entries = registries.flat_map(|registry| std::fs::read_dir(registry.path()).into_iter().flatten());
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut size = 0;
    let archives = paths.iter().filter_map(|path| {
        let content = std::fs::read(path).ok()?;
        read_crate_bytes(&content, &Expected::anything(), &ArchiveLimits::default()).ok()
    });
    archives
        .take_while(|archive| {
            size += rust_sources(archive).map(str::len).sum::<usize>();
            size <= BYTES
        })
        .collect()
}

criterion_group!(benches, facts);
criterion_main!(benches);
