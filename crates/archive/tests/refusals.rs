//! Every refusal, through `read_crate`.

use std::io::{self, Read};

use cratekeeper_archive::{
    CrateArchive, CrateBuilder, Expected, Limits, ReadError, Refusal, gzip, read_crate, read_crate_bytes,
};
use cratekeeper_model::Checksum;

fn demo() -> CrateBuilder {
    CrateBuilder::new("demo", "1.0.0")
}

fn small() -> Limits {
    Limits {
        compressed: 100_000,
        unpacked: 1_000_000,
        entry: 500_000,
        entries: 100,
        path: 300,
        extension: 5_000,
        ratio: 50,
        ratio_floor: 700_000,
    }
}

fn read(crate_file: &CrateBuilder) -> Result<CrateArchive, ReadError> {
    read_crate(crate_file.build().as_slice(), &Expected::package("demo", "1.0.0"), &small())
}

/// The archive is refused, for this reason.
#[track_caller]
fn refuses(crate_file: &CrateBuilder, code: &str) -> Refusal {
    match read(crate_file) {
        Err(ReadError::Refused(refusal)) => {
            assert_eq!(refusal.code(), code, "{refusal}");
            refusal
        }
        other => panic!("{other:?}"),
    }
}

/// Exactly one entry is refused, for this reason, and what comes after it is read.
#[track_caller]
fn refuses_entry(crate_file: CrateBuilder, code: &str) -> Refusal {
    let archive = read(&crate_file.file("zz-after.rs", "after")).expect("only an entry is refused");
    assert!(archive.file("zz-after.rs").is_some());
    let codes: Vec<&str> = archive.refused.iter().map(|entry| entry.refusal.code()).collect();
    assert_eq!(codes, [code]);
    archive.refused[0].refusal.clone()
}

#[test]
fn parent_directory_is_refused() {
    for path in ["demo-1.0.0/../evil", "../demo-1.0.0/evil", "demo-1.0.0/src/..", ".."] {
        refuses_entry(demo().raw_path(path.as_bytes(), "evil"), "parent-directory");
    }
}

#[test]
fn absolute_path_is_refused() {
    for path in ["/etc/passwd", "/", "//demo-1.0.0/src/lib.rs"] {
        refuses_entry(demo().raw_path(path.as_bytes(), "evil"), "absolute-path");
    }
}

#[test]
fn path_with_several_spellings_is_refused() {
    for path in ["demo-1.0.0/./a", "demo-1.0.0//a", "./demo-1.0.0/a", "demo-1.0.0/a/", ""] {
        refuses_entry(demo().raw_path(path.as_bytes(), "evil"), "not-normalized-path");
    }
    refuses_entry(demo().directory("src/"), "not-normalized-path");
}

#[test]
fn forbidden_characters_are_refused() {
    for path in ["a\\b", "C:evil", "lib.rs:payload", "a\nb", "a\u{1b}[2K", "a\u{7f}", "a\u{202e}sr.bil", "a*"]
    {
        let refusal = refuses_entry(demo().file(path, "evil"), "forbidden-character");
        assert!(!refusal.to_string().contains(['\n', '\u{1b}', '\u{202e}']), "{refusal}");
    }
}

#[test]
fn nul_inside_a_long_name_is_refused() {
    refuses_entry(
        demo().gnu_long_name(b"demo-1.0.0/a.rs\0.txt").raw_path(b"x", "evil"),
        "forbidden-character",
    );
    refuses_entry(
        demo().pax(&[("path", b"demo-1.0.0/a.rs\0.txt")]).raw_path(b"x", "evil"),
        "forbidden-character",
    );
}

#[test]
fn path_that_is_not_utf8_is_refused() {
    refuses_entry(demo().raw_path(b"demo-1.0.0/\xff\xfe.rs", "evil"), "non-utf8-path");
}

#[test]
fn path_beyond_the_limit_is_refused() {
    let long = "a/".repeat(1000) + "b";
    let refusal = refuses_entry(demo().file(&long, "evil"), "path-too-long");
    assert!(refusal.to_string().len() < 400, "{refusal}");
    let path = format!("demo-1.0.0/{long}");
    refuses_entry(demo().pax(&[("path", path.as_bytes())]).raw_path(b"x", "evil"), "path-too-long");
}

#[test]
fn symlink_is_refused() {
    refuses_entry(demo().symlink("src/link", "/etc/passwd"), "symlink");
}

#[test]
fn hardlink_is_refused() {
    refuses_entry(demo().hardlink("src/link", "Cargo.toml"), "hardlink");
}

#[test]
fn long_link_target_does_not_hide_a_link() {
    let target = vec![b'a'; 300];
    refuses_entry(demo().entry(b'K', b"././@LongLink", &target).symlink("src/link", "x"), "symlink");
}

#[test]
fn devices_and_pipes_are_refused() {
    refuses_entry(demo().device("null"), "device");
    for entry_type in [b'4', b'6'] {
        refuses_entry(demo().entry(entry_type, b"demo-1.0.0/pipe", b""), "device");
    }
}

#[test]
fn unknown_entry_type_is_refused() {
    for entry_type in [b'7', b'Z', b'A', b'V', 0xff] {
        refuses_entry(demo().entry(entry_type, b"demo-1.0.0/a.rs", b"evil"), "unknown-entry-type");
    }
}

#[test]
fn duplicate_path_is_refused() {
    refuses_entry(demo().file("src/lib.rs", "good").file("src/lib.rs", "evil"), "duplicate-path");
}

#[test]
fn case_colliding_path_is_refused() {
    refuses_entry(demo().file("src/lib.rs", "good").file("src/LIB.rs", "evil"), "case-colliding-path");
    refuses_entry(demo().file("ä", "good").file("Ä", "evil"), "case-colliding-path");
}

#[test]
fn file_in_the_place_of_a_directory_is_refused() {
    refuses_entry(demo().file("src/lib.rs", "good").file("src", "evil"), "case-colliding-path");
    refuses_entry(demo().file("src", "good").file("src/lib.rs", "evil"), "case-colliding-path");
    refuses_entry(demo().directory("src").file("SRC", "evil"), "case-colliding-path");
}

#[test]
fn wrong_case_manifest_beside_the_right_one_is_refused() {
    refuses_entry(demo().file("CARGO.TOML", "evil"), "wrong-case-manifest");
    let before = demo().without_manifest().file("cargo.toml", "evil").file("Cargo.toml", "good");
    refuses_entry(before, "wrong-case-manifest");
}

#[test]
fn wrong_case_manifest_alone_costs_the_archive() {
    refuses(&demo().without_manifest().file("cargo.toml", "evil"), "wrong-case-manifest");
}

#[test]
fn entry_outside_the_root_is_refused() {
    refuses_entry(demo().raw_path(b"other-1.0.0/Cargo.toml", "evil"), "other-root");
    refuses_entry(demo().raw_path(b"Cargo.toml", "evil"), "other-root");
    refuses_entry(demo().raw_path(b"demo-1.0.0", "evil"), "other-root");
    refuses_entry(demo().raw_path(b"DEMO-1.0.0/src/lib.rs", "evil"), "other-root");
}

#[test]
fn other_bytes_are_not_gzip() {
    for bytes in [&b""[..], b"\x1f", b"PK\x03\x04 and so on", &[0; 1000], b"\x1f\x8b\x07\0\0\0\0\0\0\0\0\0"] {
        let error = read_crate_bytes(bytes, &Expected::anything(), &small()).unwrap_err();
        assert_eq!(error.refusal(), Some(&Refusal::NotGzip), "{}", bytes.escape_ascii());
    }
}

#[test]
fn corrupt_gzip_stream_is_refused() {
    let mut bytes = demo().file("src/lib.rs", "pub fn f() {}").build();
    // The CRC is in the last eight bytes.
    let crc = bytes.len() - 6;
    bytes[crc] ^= 1;
    let error = read_crate_bytes(&bytes, &Expected::anything(), &small()).unwrap_err();
    assert_eq!(error.refusal().map(Refusal::code), Some("corrupt-gzip"));
}

#[test]
fn truncated_archive_is_refused() {
    let length = demo().build().len();
    for keep in [2, 9, 11, length / 2, length - 9, length - 1] {
        refuses(&demo().truncate(keep), "truncated");
    }
}

#[test]
fn tar_cut_off_inside_an_entry_is_refused() {
    let claims_more = demo().raw(&demo().file("src/lib.rs", "x".repeat(2000)).build_tar()[1024..2048]);
    refuses(&claims_more.end(b""), "truncated");
    refuses(&demo().end(b"not a whole block"), "truncated");
}

#[test]
fn other_content_is_not_tar() {
    for content in [vec![b'a'; 2000], b"PK\x03\x04".repeat(300)] {
        refuses(&CrateBuilder::empty().raw(&content), "not-tar");
    }
}

#[test]
fn corrupt_tar_header_is_refused() {
    refuses(&demo().raw(&[b'a'; 512]), "corrupt-tar");
    refuses(&demo().gnu_long_name(b"demo-1.0.0/nothing"), "corrupt-tar");
    refuses(&demo().entry(b'x', b"x", b"not a record").file("a", ""), "corrupt-tar");
    let mut signed = tar::Header::new_gnu();
    signed.as_old_mut().size = *b"+0000000000\0";
    refuses(&demo().header(signed), "corrupt-tar");
}

#[test]
fn header_that_readers_understand_differently_is_refused() {
    let mut damaged = tar::Header::new_ustar();
    damaged.set_size(0);
    damaged.as_mut_bytes()[263] = b'x';
    refuses(&demo().header(damaged), "ambiguous-tar");
    let mut oldest = tar::Header::new_old();
    oldest.set_size(0);
    oldest.as_old_mut().linkflag = *b"L";
    refuses(&demo().header(oldest), "ambiguous-tar");
}

#[test]
fn directory_or_link_with_contents_is_refused() {
    for entry_type in [b'1', b'2', b'3', b'5', b'6'] {
        refuses(&demo().entry(entry_type, b"demo-1.0.0/a", &[0; 512]), "ambiguous-tar");
    }
}

#[test]
fn two_paths_for_one_entry_are_refused() {
    let twice = demo().gnu_long_name(b"demo-1.0.0/a").gnu_long_name(b"demo-1.0.0/b").raw_path(b"c", "");
    refuses(&twice, "ambiguous-tar");
    let both = demo().gnu_long_name(b"demo-1.0.0/a").pax(&[("path", b"demo-1.0.0/b")]).raw_path(b"c", "");
    refuses(&both, "ambiguous-tar");
    let records = demo().pax(&[("path", b"demo-1.0.0/a"), ("path", b"demo-1.0.0/b")]).raw_path(b"c", "");
    refuses(&records, "ambiguous-tar");
    let sets = demo().pax(&[("path", b"demo-1.0.0/a")]).pax(&[("comment", b"b")]).raw_path(b"c", "");
    refuses(&sets, "ambiguous-tar");
    let links = demo().entry(b'K', b"", b"a").entry(b'K', b"", b"b").symlink("c", "d");
    refuses(&links, "ambiguous-tar");
}

#[test]
fn pax_record_hidden_in_a_value_is_refused() {
    let hidden = demo().pax(&[("comment", b"x\n26 path=demo-1.0.0/evil.rs")]).file("a.rs", "");
    refuses(&hidden, "ambiguous-tar");
}

#[test]
fn global_path_or_size_is_refused() {
    for records in [&b"21 path=demo-1.0.0/a\n"[..], b"9 size=1\n", b"14 linkpath=a\n"] {
        refuses(&demo().entry(b'g', b"pax_global_header", records).file("a", "a"), "ambiguous-tar");
    }
    let between = demo().gnu_long_name(b"demo-1.0.0/a").entry(b'g', b"g", b"11 comment\n").raw_path(b"b", "");
    refuses(&between, "corrupt-tar");
    let between =
        demo().gnu_long_name(b"demo-1.0.0/a").entry(b'g', b"g", b"13 comment=x\n").raw_path(b"b", "");
    refuses(&between, "ambiguous-tar");
}

#[test]
fn pax_size_that_differs_from_the_header_is_refused() {
    // With the larger size, a whole entry disappears in the contents of the one before it.
    let refusal = refuses(&demo().pax_size("a.txt", b"", 1024).file("build.rs", "evil"), "pax-size-mismatch");
    assert!(matches!(refusal, Refusal::PaxSizeMismatch { header: 0, pax: 1024, .. }), "{refusal}");
    refuses(&demo().pax_size("a.txt", b"contents", 0), "pax-size-mismatch");
}

#[test]
fn sparse_file_is_refused() {
    refuses(&demo().sparse("a", 1 << 40), "sparse");
    refuses(&demo().pax(&[("GNU.sparse.major", b"1")]).file("a", ""), "sparse");
    refuses(&demo().entry(b'g', b"g", b"22 GNU.sparse.major=1\n"), "sparse");
}

#[test]
fn second_gzip_member_is_refused() {
    let second = demo().file("build.rs", "evil").build_tar();
    refuses(&demo().second_member(&second), "trailing-gzip-member");
}

#[test]
fn data_after_the_gzip_stream_is_refused() {
    refuses(&demo().trailing(b"evil"), "trailing-data");
    refuses(&demo().trailing(&[0; 512]), "trailing-data");
}

#[test]
fn data_after_the_end_of_the_tar_is_refused() {
    let second = demo().file("build.rs", "evil").build_tar();
    for zeros in [512, 1024, 10_240] {
        let end = [vec![0; zeros], second.clone()].concat();
        refuses(&demo().end(&end), "trailing-data");
    }
}

#[test]
fn package_without_a_manifest_is_refused() {
    refuses(&demo().without_manifest().file("src/lib.rs", ""), "no-manifest");
    refuses(&demo().without_manifest().file("sub/Cargo.toml", ""), "no-manifest");
    refuses(&demo().without_manifest().symlink("Cargo.toml", "other.toml"), "no-manifest");
    refuses(&CrateBuilder::empty(), "no-manifest");
    refuses(&CrateBuilder::empty().end(b""), "no-manifest");
}

#[test]
fn two_manifests_are_refused() {
    refuses(&demo().file("src/lib.rs", "").raw_path(b"demo-1.0.0/Cargo.toml", "evil"), "several-manifests");
}

#[test]
fn other_name_or_version_is_refused() {
    for (name, version) in [("demo", "1.0.1"), ("dem0", "1.0.0"), ("demo-1.0.0", "1.0.0"), ("Demo", "1.0.0")]
    {
        refuses(&CrateBuilder::new(name, version), "wrong-name-or-version");
    }
}

#[test]
fn name_or_version_alone_is_compared() {
    let bytes = CrateBuilder::new("serde-json", "1.0.0-rc.1+x").build();
    let code = |name: Option<&str>, version: Option<&str>| {
        let expected =
            Expected { name: name.map(Into::into), version: version.map(Into::into), checksum: None };
        read_crate_bytes(&bytes, &expected, &small())
            .err()
            .and_then(|error| error.refusal().map(Refusal::code))
    };
    assert_eq!(code(Some("serde-json"), None), None);
    assert_eq!(code(None, Some("1.0.0-rc.1+x")), None);
    assert_eq!(code(Some("serde"), None), Some("wrong-name-or-version"));
    assert_eq!(code(Some("serde-jso"), None), Some("wrong-name-or-version"));
    assert_eq!(code(None, Some("1.0.0-rc.1")), Some("wrong-name-or-version"));
}

#[test]
fn other_checksum_is_refused() {
    let bytes = demo().build();
    let expected = Expected::package("demo", "1.0.0").with_checksum(Checksum::of(b"other"));
    let error = read_crate_bytes(&bytes, &expected, &small()).unwrap_err();
    let mismatch =
        Refusal::ChecksumMismatch { expected: Checksum::of(b"other"), actual: Checksum::of(&bytes) };
    assert_eq!(error.refusal(), Some(&mismatch));
}

#[test]
fn other_checksum_is_the_reason_whatever_the_content() {
    for crate_file in [demo().trailing(b"evil"), demo().truncate(50), demo().without_manifest()] {
        let bytes = crate_file.build();
        let expected = Expected::anything().with_checksum(Checksum::of(b"other"));
        let error = read_crate_bytes(&bytes, &expected, &small()).unwrap_err();
        let Some(Refusal::ChecksumMismatch { actual, .. }) = error.refusal() else { panic!("{error:?}") };
        assert_eq!(*actual, Checksum::of(&bytes));
    }
}

#[test]
fn right_checksum_does_not_excuse_the_content() {
    let bytes = demo().trailing(b"evil").build();
    let expected = Expected::anything().with_checksum(Checksum::of(&bytes));
    let error = read_crate_bytes(&bytes, &expected, &small()).unwrap_err();
    assert_eq!(error.refusal().map(Refusal::code), Some("trailing-data"));
}

#[test]
fn too_large_file_is_refused() {
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    refuses(&demo().file("noise", noise.take(200_000).collect::<Vec<u8>>()), "too-large-compressed");
    refuses(&demo().trailing(&[1; 200_000]), "too-large-compressed");
}

#[test]
fn endless_file_is_refused() {
    let endless = gzip(b"").into_iter().chain(std::iter::repeat(0));
    struct Endless<I>(I);
    impl<I: Iterator<Item = u8>> Read for Endless<I> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            Ok(buffer.iter_mut().zip(&mut self.0).map(|(slot, byte)| *slot = byte).count())
        }
    }
    let error = read_crate(Endless(endless), &Expected::anything(), &small()).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::TooLargeCompressed { limit: 100_000 }));
}

#[test]
fn too_large_package_is_refused() {
    let three = demo().bomb("a", 400_000).bomb("b", 400_000).bomb("c", 400_000);
    let limits = Limits { ratio: u64::MAX, ..small() };
    let error = read_crate_bytes(&three.build(), &Expected::anything(), &limits).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::TooLargeUnpacked { limit: 1_000_000 }));
    refuses(&demo().end(&vec![0; 2_000_000]), "expansion-ratio");
}

#[test]
fn claimed_size_beyond_the_limit_is_refused_at_once() {
    for size in [1_000_000, 1 << 33, u64::MAX - 511, u64::MAX] {
        for entry_type in [b'0', b'L', b'K', b'x', b'g', b'Z'] {
            let mut header = tar::Header::new_gnu();
            header.set_size(size);
            header.as_old_mut().linkflag = [entry_type];
            refuses(&demo().header(header), "too-large-unpacked");
        }
    }
}

#[test]
fn too_large_entry_is_refused() {
    refuses(&demo().bomb("a", 500_001), "too-large-entry");
    assert!(read(&demo().bomb("a", 500_000)).is_ok());
}

#[test]
fn too_large_extension_header_is_refused() {
    let refusal = refuses(&demo().gnu_long_name(&[b'a'; 5_000]).raw_path(b"a", ""), "too-large-extension");
    assert!(matches!(refusal, Refusal::TooLargeExtension { size: 5_001, limit: 5_000, .. }), "{refusal}");
    refuses(&demo().pax(&[("comment", &[b'a'; 5_000])]).raw_path(b"a", ""), "too-large-extension");
}

#[test]
fn too_many_entries_are_refused() {
    let files = (0..100).fold(demo(), |builder, number| builder.file(&number.to_string(), ""));
    refuses(&files, "too-many-entries");
    let refused = (0..100).fold(demo(), |builder, _| builder.symlink("a", "b"));
    refuses(&refused, "too-many-entries");
    let global = (0..100).fold(demo(), |builder, _| builder.entry(b'g', b"g", b"13 comment=x\n"));
    refuses(&global, "too-many-entries");
}

#[test]
fn bomb_is_refused() {
    refuses(&demo().bomb("a", 400_000).bomb("b", 400_000), "expansion-ratio");
}

#[test]
fn failing_reader_is_not_the_content_s_fault() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    }
    let bytes = demo().build();
    for keep in [0, 1, 5, 20, bytes.len() - 4, bytes.len()] {
        let reader = bytes[..keep].chain(Failing);
        match read_crate(reader, &Expected::anything(), &small()) {
            Err(ReadError::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
            other => panic!("{keep}: {other:?}"),
        }
    }
}

#[test]
fn every_code_is_unique_and_tested_here() {
    let source = include_str!("../src/refusal.rs");
    let tests = include_str!("refusals.rs");
    let mut codes = Vec::new();
    for line in source.lines().filter(|line| line.contains("=> \"")) {
        let code = line.split('"').nth(1).unwrap();
        let variant = line.split(['{', '=']).next().unwrap().trim();
        assert!(!codes.contains(&code), "{code} twice");
        assert!(tests.contains(&format!("\"{code}\"")) || tests.contains(variant), "{code} is not tested");
        codes.push(code);
    }
    assert_eq!(codes.len(), 34);
}
