//! Hostile archives by the thousand: no panic, no memory beyond the limits, no file, and nothing read
//! differently from how cargo unpacks it.
//!
//! Memory is counted by an allocator of this test's own. Time is not measured: it is bounded by the number of
//! bytes, which the limits bound.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "clippy exempts test functions, but not their helpers"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::{env, fs};

use cratekeeper_archive::{
    CrateArchive, CrateBuilder, Expected, Limits, ReadError, Refusal, read_crate_bytes,
};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

mod real;

struct Counting;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that is ending has no counters any more, and needs none.
    let _ = NOW.try_with(|now| {
        now.set(now.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

#[allow(unsafe_code)]
// SAFETY: every call is passed on to the system's allocator unchanged; `count` neither allocates (its
// thread locals are constants without destructors) nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks exist while the contents are copied.
        count(size as isize);
        let new = unsafe { System.realloc(pointer, layout, size) };
        count(-(layout.size() as isize));
        new
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What reading needs beside the contents: the decompressor's window and tables, the buffers, and for each
/// entry a few copies of its path.
const OVERHEAD: u64 = 256 << 10;

const SMALL: Limits = Limits {
    compressed: 1 << 20,
    unpacked: 1 << 20,
    entry: 256 << 10,
    entries: 500,
    path: 200,
    extension: 4 << 10,
    ratio: 50,
    ratio_floor: 128 << 10,
};

/// Reads, and asserts the bound on memory that [`Limits`] promises.
#[track_caller]
fn read(bytes: &[u8], limits: &Limits) -> Result<CrateArchive, Refusal> {
    let before = NOW.get();
    PEAK.set(before);
    let result = read_crate_bytes(bytes, &Expected::anything(), limits);
    let peak = (PEAK.get() - before) as u64;
    let allowed = limits.unpacked + limits.entry + OVERHEAD;
    assert!(peak <= allowed, "{peak} bytes at once, {allowed} allowed: {result:?}");
    result.map_err(|error| match error {
        ReadError::Refused(refusal) => refusal,
        ReadError::Io(error) => panic!("there is no I/O here: {error}"),
    })
}

/// A generator that gives the same mutations in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    fn range(&mut self, length: usize, longest: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        start..(start + self.below(longest) + 1).min(length)
    }
}

/// Changes `bytes` in one to three places.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(3) {
        let range = random.range(bytes.len(), 700);
        match random.below(6) {
            0 | 1 => {
                for _ in 0..=random.below(8) {
                    let place = random.below(bytes.len());
                    bytes[place] ^= 1 << random.below(8);
                }
            }
            2 => bytes[range].iter_mut().for_each(|byte| *byte = random.below(256) as u8),
            3 => drop(bytes.drain(range)),
            4 => {
                let from = random.range(other.len(), 2000);
                bytes.splice(range, other[from].iter().copied());
            }
            _ => bytes.truncate(range.start + 1),
        }
    }
}

/// Changes headers and moves whole entries, then makes the header checksums right again, so that the change
/// is not refused for the checksum alone.
fn mutate_tar(tar: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(3) {
        let entry = random_entry(tar, random);
        let start = entry.start;
        match random.below(12) {
            0 => mutate(tar, other, random),
            1 => drop(tar.drain(entry)),
            2 => drop(tar.drain(start..start + 512)),
            3 => {
                let copy = tar[entry].to_vec();
                let to = random_entry(tar, random).start;
                tar.splice(to..to, copy);
            }
            4 => {
                let from = random_entry(other, random);
                tar.splice(start..start, other[from].iter().copied());
            }
            // The fields that decide: name, size, type, magic, prefix.
            _ => {
                let field = [0..100, 0..40, 124..136, 156..157, 257..265, 345..500][random.below(6)].clone();
                let place = start + field.start + random.below(field.len());
                tar[place] = match random.below(4) {
                    0 => random.below(256) as u8,
                    1 => b"./\\:A\0"[random.below(6)],
                    _ => b"01234567xgLKS"[random.below(13)],
                };
            }
        }
        if tar.len() < 1024 {
            tar.resize(1024, 0);
        }
    }
    for block in 0..tar.len() / 512 {
        if is_header(tar, block) {
            let bytes: &mut [u8; 512] = (&mut tar[block * 512..][..512]).try_into().unwrap();
            let mut header = tar::Header::from_byte_slice(bytes).clone();
            header.set_cksum();
            *bytes = *header.as_bytes();
        }
    }
}

/// A header with its contents; the first block when there is none.
fn random_entry(tar: &[u8], random: &mut Random) -> std::ops::Range<usize> {
    let blocks = tar.len() / 512;
    let headers: Vec<usize> = (0..blocks).filter(|block| is_header(tar, *block)).collect();
    let index = random.below(headers.len());
    let start = headers.get(index).copied().unwrap_or(0);
    let end = headers.get(index + 1).copied().unwrap_or(start + 1);
    start * 512..end * 512
}

fn is_header(tar: &[u8], block: usize) -> bool {
    tar[block * 512..].get(257..262) == Some(b"ustar")
}

/// Without compression: ten thousand times the real thing takes a minute.
fn store(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// What cargo unpacks: path to contents, the last one where a path comes twice.
fn unpacked_by_cargo(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(bytes)).entries().unwrap() {
        let mut entry = entry.expect("we read the archive to its end");
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).unwrap();
        files.insert(path, contents);
    }
    files
}

/// An archive that is accepted as a whole has exactly the files that cargo finds in it; when entries were
/// refused, what was read is among them.
fn assert_read_as_cargo_does(bytes: &[u8], archive: &CrateArchive) {
    let mut unpacked = unpacked_by_cargo(bytes);
    for file in &archive.files {
        let contents = unpacked.remove(&format!("{}/{}", archive.name_version_root, file.path));
        let is_duplicate =
            archive.refused.iter().any(|entry| matches!(entry.refusal, Refusal::DuplicatePath { .. }));
        assert!(is_duplicate || contents.as_ref() == Some(&file.contents), "{}", file.path);
    }
    assert!(unpacked.len() <= archive.refused.len(), "not read: {:?}", unpacked.keys());
}

#[test]
fn mutated_real_crates_cost_no_more_than_the_limits() {
    // Every test here runs in a directory of its own, which has to be empty at the end.
    let directory = tempfile::tempdir().unwrap();
    env::set_current_dir(directory.path()).unwrap();

    let files: Vec<Vec<u8>> = real::crate_files()
        .iter()
        .filter_map(|path| fs::read(path).ok())
        .filter(|bytes| bytes.len() < 60_000)
        .collect();
    let step = (files.len() / 20).max(1);
    let files: Vec<&Vec<u8>> = files.iter().step_by(step).take(20).collect();
    let mut tally: BTreeMap<&str, u32> = BTreeMap::new();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (index, original) in files.iter().enumerate() {
        let other = files[(index + 1) % files.len()];
        let (mut tar, mut other_tar) = (Vec::new(), Vec::new());
        GzDecoder::new(original.as_slice()).read_to_end(&mut tar).unwrap();
        GzDecoder::new(other.as_slice()).read_to_end(&mut other_tar).unwrap();
        for round in 0..10_000 / files.len() {
            let mutated = if round % 3 == 0 {
                let mut bytes = original.to_vec();
                mutate(&mut bytes, other, &mut random);
                bytes
            } else {
                let mut tar = tar.clone();
                mutate_tar(&mut tar, &other_tar, &mut random);
                store(&tar)
            };
            match read(&mutated, &SMALL) {
                Ok(archive) => {
                    assert_read_as_cargo_does(&mutated, &archive);
                    *tally.entry("read").or_default() += 1;
                    for entry in &archive.refused {
                        *tally.entry(entry.refusal.code()).or_default() += 1;
                    }
                }
                Err(refusal) => *tally.entry(refusal.code()).or_default() += 1,
            }
        }
    }
    println!("{} crates: {tally:#?}", files.len());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "reading wrote a file");
}

#[test]
fn bomb_costs_no_more_than_the_limits() {
    let demo = CrateBuilder::new("demo", "1.0.0");
    let bomb = demo.clone().bomb("a", 100 << 20).build();
    assert_eq!(read(&bomb, &SMALL).unwrap_err().code(), "too-large-unpacked");
    let padding = demo.clone().end(&vec![0; 100 << 20]).build();
    assert_eq!(read(&padding, &SMALL).unwrap_err().code(), "expansion-ratio");
    let name = demo.gnu_long_name(&vec![b'a'; 100 << 20]).build();
    assert_eq!(read(&name, &SMALL).unwrap_err().code(), "too-large-unpacked");
}

#[test]
fn claimed_size_is_not_allocated() {
    let mut header = tar::Header::new_gnu();
    header.set_size(200 << 20);
    header.set_path("demo-1.0.0/a").unwrap();
    let bytes = CrateBuilder::new("demo", "1.0.0").header(header).build();
    let before = NOW.get();
    PEAK.set(before);
    let error = read_crate_bytes(&bytes, &Expected::anything(), &Limits::default()).unwrap_err();
    assert_eq!(error.refusal().map(Refusal::code), Some("truncated"));
    assert!(((PEAK.get() - before) as u64) < OVERHEAD);
}

#[test]
fn thousands_of_deep_paths_cost_no_more_than_their_length() {
    // With every ancestor remembered, these would take 250 MiB.
    let limits = Limits { entries: 4_000, path: 1024, ratio: u64::MAX, unpacked: 8 << 20, ..SMALL };
    let deep = "a/".repeat(500);
    let crate_file = (0..1_500).fold(CrateBuilder::new("demo", "1.0.0"), |builder, number| {
        builder.file(&format!("{number}/{deep}b"), "")
    });
    assert_eq!(read(&crate_file.build(), &limits).unwrap().files.len(), 1_501);
}
