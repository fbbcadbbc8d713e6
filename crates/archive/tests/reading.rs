//! What is read well: legal archives that come close to a refusal, real ones, and random ones.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "clippy exempts test functions, but not their helpers"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::time::Instant;

use cratekeeper_archive::{
    CrateArchive, CrateBuilder, Expected, Limits, Refusal, gzip, read_crate, read_crate_bytes,
};
use cratekeeper_model::Checksum;
use proptest::prelude::*;

mod real;

fn demo() -> CrateBuilder {
    CrateBuilder::new("demo", "1.0.0")
}

/// Reads the archive, and expects that nothing is refused.
#[track_caller]
fn read(crate_file: &CrateBuilder) -> CrateArchive {
    let expected = Expected::package("demo", "1.0.0");
    let archive = read_crate_bytes(&crate_file.build(), &expected, &Limits::default()).unwrap();
    assert_eq!(archive.refused, []);
    archive
}

fn paths(archive: &CrateArchive) -> Vec<&str> {
    archive.files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn files_are_sorted_and_complete() {
    let crate_file = demo().file("src/lib.rs", "pub fn f() {}").file("README.md", "").file("a/b", "x");
    let archive = read(&crate_file);
    assert_eq!(paths(&archive), ["Cargo.toml", "README.md", "a/b", "src/lib.rs"]);
    assert_eq!(archive.name_version_root, "demo-1.0.0");
    assert_eq!(archive.file("src/lib.rs").unwrap().contents, b"pub fn f() {}");
    assert_eq!(archive.file("README.md").unwrap().contents, b"");
    assert_eq!(archive.file("src"), None);
}

#[test]
fn checksum_and_sizes_are_those_of_the_file() {
    let crate_file = demo().file("src/lib.rs", "x".repeat(10_000));
    let bytes = crate_file.build();
    let expected = Expected::package("demo", "1.0.0").with_checksum(Checksum::of(&bytes));
    let archive = read_crate_bytes(&bytes, &expected, &Limits::default()).unwrap();
    assert_eq!(archive.checksum, Checksum::of(&bytes));
    assert_eq!(archive.compressed_size, bytes.len() as u64);
    assert_eq!(archive.unpacked_size, crate_file.build_tar().len() as u64);
}

#[test]
fn executable_bits_are_kept() {
    let archive =
        read(&demo().executable("run.sh", "").file("lib.rs", "").file_with_mode("s", "", 0o104_711));
    assert!(archive.file("run.sh").unwrap().is_executable());
    assert!(!archive.file("lib.rs").unwrap().is_executable());
    assert_eq!(archive.file("s").unwrap().mode, 0o4711);
}

#[test]
fn long_paths_are_read_in_every_form() {
    let deep = format!("src/{}mod.rs", "module/".repeat(130));
    assert_eq!(paths(&read(&demo().file(&deep, "gnu"))), ["Cargo.toml", &deep]);

    let path = format!("demo-1.0.0/{deep}");
    let pax = demo().pax(&[("mtime", b"0.5"), ("path", path.as_bytes())]).raw_path(b"short", "pax");
    assert_eq!(paths(&read(&pax)), ["Cargo.toml", &deep]);

    let mut ustar = tar::Header::new_ustar();
    ustar.set_path(format!("demo-1.0.0/{}/{}", "a".repeat(90), "b".repeat(90))).unwrap();
    ustar.set_size(0);
    assert_eq!(paths(&read(&demo().header(ustar))).len(), 2);

    let exactly = "c".repeat(100 - "demo-1.0.0/".len());
    assert_eq!(paths(&read(&demo().file(&exactly, ""))), ["Cargo.toml", &exactly]);
}

#[test]
fn pax_size_that_agrees_is_read() {
    assert_eq!(read(&demo().pax_size("a", b"four", 4)).file("a").unwrap().contents, b"four");
}

#[test]
fn global_comment_is_read_over() {
    let commit = b"52 comment=0123456789012345678901234567890123456789\n";
    let crate_file =
        CrateBuilder::empty().entry(b'g', b"pax_global_header", commit).raw_path(b"a-1/Cargo.toml", "");
    let archive = read_crate_bytes(&crate_file.build(), &Expected::anything(), &Limits::default()).unwrap();
    assert_eq!((archive.name_version_root.as_str(), archive.refused.len()), ("a-1", 0));
}

#[test]
fn headers_of_the_oldest_format_are_read() {
    let mut header = tar::Header::new_old();
    header.set_path("demo-1.0.0/old.rs").unwrap();
    header.set_size(3);
    let mut block = [0; 512];
    block[..3].copy_from_slice(b"old");
    assert_eq!(read(&demo().header(header).raw(&block)).file("old.rs").unwrap().contents, b"old");
}

#[test]
fn directories_are_allowed_and_are_no_files() {
    let crate_file = demo().directory("src").directory("src").directory("Src/deep").file("src/lib.rs", "");
    assert_eq!(paths(&read(&crate_file)), ["Cargo.toml", "src/lib.rs"]);
    let root = CrateBuilder::empty().entry(b'5', b"demo-1.0.0/", b"").raw_path(b"demo-1.0.0/Cargo.toml", "");
    assert_eq!(paths(&read(&root)), ["Cargo.toml"]);
}

#[test]
fn unusual_but_legal_names_are_read() {
    let names =
        ["...", "..a", ".hidden/x", "a b", "ünïcödé.rs", "日本語/文.rs", "#!~$%&'()+,;=@[]^`{}", "aux.rs"];
    let crate_file = names.iter().fold(demo(), |builder, name| builder.file(name, ""));
    assert_eq!(read(&crate_file).files.len(), names.len() + 1);
}

#[test]
fn nested_manifests_are_no_second_manifest() {
    let crate_file =
        demo().file("sub/Cargo.toml", "").file("sub/cargo.toml.bak", "").file("Cargo.toml.orig", "");
    assert_eq!(read(&crate_file).files.len(), 4);
}

#[test]
fn end_of_the_archive_may_be_padded_or_missing() {
    for end in [0, 512, 612, 1024, 10_240, 100_000] {
        assert_eq!(read(&demo().end(&vec![0; end])).files.len(), 1, "{end}");
    }
}

#[test]
fn gzip_header_fields_are_read_over() {
    let mut bytes = gzip(&demo().build_tar());
    // The FNAME flag, and a name.
    bytes[3] |= 8;
    bytes.splice(10..10, *b"demo.crate\0");
    assert!(read_crate_bytes(&bytes, &Expected::anything(), &Limits::default()).is_ok());
}

#[test]
fn small_archives_may_compress_well() {
    let limits = Limits { ratio: 2, ..Limits::default() };
    let bytes = demo().bomb("zeros", 1 << 20).build();
    assert!(read_crate_bytes(&bytes, &Expected::anything(), &limits).is_ok());
}

#[test]
fn reader_may_give_one_byte_at_a_time() {
    struct Slow<'bytes>(&'bytes [u8], bool);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            self.0.read(&mut buffer[..1])
        }
    }
    let bytes = demo().file("src/lib.rs", "fn f() {}".repeat(1000)).build();
    let at_once = read_crate_bytes(&bytes, &Expected::anything(), &Limits::default()).unwrap();
    let slowly = read_crate(Slow(&bytes, false), &Expected::anything(), &Limits::default()).unwrap();
    assert_eq!(slowly, at_once);
}

#[test]
fn builder_gives_the_same_bytes_each_time() {
    let build = || demo().file("src/lib.rs", "x").symlink("a", "b").second_member(b"c").build();
    assert_eq!(build(), build());
}

#[test]
fn real_crates_are_read_without_any_refusal() {
    let (mut files, mut bytes, mut compressed) = (0, 0, 0);
    let crate_files = real::crate_files();
    let start = Instant::now();
    for path in &crate_files {
        let root = path.file_stem().unwrap().to_str().unwrap();
        let archive = read_crate(fs::File::open(path).unwrap(), &Expected::anything(), &Limits::default());
        let archive = archive.unwrap_or_else(|error| panic!("{root}: {error}"));
        assert_eq!(archive.refused, [], "{root}");
        assert_eq!(archive.name_version_root, root);
        files += archive.files.len();
        bytes += archive.unpacked_size;
        compressed += archive.compressed_size;
    }
    println!(
        "{} crates, {files} files, {} MB from {} MB in {:?}",
        crate_files.len(),
        bytes / 1_000_000,
        compressed / 1_000_000,
        start.elapsed()
    );
}

/// Component of a path; letters in both cases and a few others, so that some collide.
fn component() -> impl Strategy<Value = String> {
    "[a-cA-C.é-]{1,3}".prop_filter("relative", |name| !matches!(name.as_str(), "." | ".."))
}

proptest! {
    // Nowhere to keep failing inputs beside an integration test; they are printed in full.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(read_crate_bytes(&bytes, &Expected::anything(), &Limits::default()).is_err());
        prop_assert!(read_crate_bytes(&gzip(&bytes), &Expected::anything(), &Limits::default()).is_err());
    }

    #[test]
    fn random_packages_round_trip(
        files in proptest::collection::vec(
            (proptest::collection::vec(component(), 1..5),
             proptest::collection::vec(any::<u8>(), 0..1500),
             any::<bool>()),
            0..12,
        ),
    ) {
        let mut builder = demo();
        for (components, contents, executable) in &files {
            let mode = if *executable { 0o755 } else { 0o644 };
            builder = builder.file_with_mode(&components.join("/"), contents, mode);
        }
        let expected = Expected::package("demo", "1.0.0");
        let archive = read_crate_bytes(&builder.build(), &expected, &Limits::default()).unwrap();

        // Every file that was packed is there with its bytes, or is named among the refused.
        prop_assert_eq!(archive.files.len() + archive.refused.len(), files.len() + 1);
        let packed: BTreeMap<String, (&Vec<u8>, bool)> = files.iter().rev()
            .map(|(components, contents, executable)| (components.join("/"), (contents, *executable)))
            .collect();
        for file in archive.files.iter().filter(|file| file.path != "Cargo.toml") {
            prop_assert_eq!(packed.get(&file.path), Some(&(&file.contents, file.is_executable())));
        }
        for entry in &archive.refused {
            let is_collision = matches!(
                entry.refusal, Refusal::DuplicatePath { .. } | Refusal::CaseCollidingPath { .. }
            );
            prop_assert!(is_collision, "{}", entry.refusal);
        }
    }
}
