//! Every format of lockfiles, and what is refused.

use super::*;

const INDEX: &str = "registry+https://index.example.invalid/git";

fn checksum(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn parse(text: &str) -> Lockfile {
    Lockfile::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(text: &str) -> String {
    let error = Lockfile::parse(text).expect_err("should be refused");
    assert!(error.hint().is_some(), "{error}");
    error.to_string()
}

#[test]
fn format_4_gives_packages_lines_and_dependencies() {
    let text = format!(
        "# generated\nversion = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"a 1.0.0\",\n \
         \"g\",\n]\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{INDEX}\"\nchecksum = \"{}\"\n\n\
         [[package]]\nname = \"a\"\nversion = \"2.0.0+build\"\nsource = \"{INDEX}\"\nchecksum = \"{}\"\n\n[[package]]\n\
         name = \"g\"\nversion = \"0.3.0\"\n\
         source = \"git+https://git.example.invalid/g?branch=fix%2Fit#0123456789012345678901234567890123456789\"\n",
        checksum('a'),
        checksum('b')
    );
    let lockfile = parse(&text);
    assert_eq!(lockfile.format, 4);
    let lines: Vec<u32> = lockfile.packages.iter().map(|locked| locked.line).collect();
    assert_eq!(lines, [4, 12, 18, 24]);
    assert_eq!(lockfile.packages[0].dependencies, [1, 3]);
    let ids: Vec<&str> = lockfile.packages.iter().map(|locked| locked.package.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "path+file://#app@0.1.0",
            "registry+https://index.example.invalid/git#a@1.0.0",
            "registry+https://index.example.invalid/git#a@2.0.0+build",
            "git+https://git.example.invalid/g?branch=fix%2Fit#0123456789012345678901234567890123456789#g@0.3.0",
        ]
    );
    assert_eq!(lockfile.packages[1].package.checksum, checksum('a').parse().ok());
    assert_eq!(lockfile.packages[1].package.features, None);
}

#[test]
fn format_1_keeps_checksums_in_metadata() {
    let text = format!(
        "[root]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"a 1.0.0 ({INDEX})\"]\n\n[[package]]\nname = \
         \"a\"\nversion = \"1.0.0\"\nsource = \"{INDEX}\"\n\n[metadata]\n\"checksum a 1.0.0 ({INDEX})\" = \"{}\"\n\
         \"checksum b 1.0.0 ({INDEX})\" = \"<none>\"\n",
        checksum('c')
    );
    let lockfile = parse(&text);
    assert_eq!(lockfile.format, 1);
    assert_eq!(lockfile.packages[0].package.checksum, checksum('c').parse().ok());
    assert_eq!(lockfile.packages[1].package.name, "app");
    assert_eq!(lockfile.packages[1].dependencies, [0]);
}

#[test]
fn format_2_has_no_version_line_and_short_dependencies() {
    let text = format!(
        "[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"a\"]\n[[package]]\nname = \"a\"\n\
         version = \"1.0.0\"\nsource = \"{INDEX}\"\nchecksum = \"{}\"\n",
        checksum('d')
    );
    let lockfile = parse(&text);
    assert_eq!((lockfile.format, &*lockfile.packages[0].dependencies), (2, &[1][..]));
}

#[test]
fn git_dependencies_are_named_without_their_commit() {
    let git =
        |commit: char| format!("git+https://git.example.invalid/a?rev={}", commit.to_string().repeat(7));
    let entry = |source: &str, commit: char| {
        let commit = commit.to_string().repeat(40);
        format!("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}#{commit}\"\n")
    };
    let text = format!(
        "version = 3\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"a 1.0.0 ({})\"]\n{}{}",
        git('2'),
        entry(&git('1'), '1'),
        entry(&git('2'), '2')
    );
    assert_eq!(parse(&text).packages[0].dependencies, [2]);
}

#[test]
fn refusals_name_the_line_and_the_object() {
    assert_eq!(
        refusal("version = 99\n[[package]]\nfuture = true"),
        "failed to parse `Cargo.lock`: format 99 is not known"
    );
    assert!(refusal("version = 4\n[[package]\n").starts_with("failed to parse `Cargo.lock`, line 2: "));
    assert_eq!(
        refusal("version = 4\n\n[[package]]\nname = \"a\"\nversion = \"one\"\n"),
        "failed to parse `Cargo.lock`, line 3: `one` is no version: unexpected character 'o' while parsing major version number"
    );
    assert_eq!(
        refusal("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"ftp+x\"\n"),
        "failed to parse `Cargo.lock`, line 1: `ftp+x` is no source that cargo writes"
    );
    assert_eq!(
        refusal("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b\"]\n"),
        "failed to parse `Cargo.lock`, line 1: `a` depends on `b`, which has no entry"
    );
    assert!(
        refusal("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"12\"\n")
            .contains("`12` is not a SHA-256")
    );
}

#[test]
fn a_missing_file_is_told_apart_from_an_unreadable_one() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Lockfile::read(&directory.path().join("Cargo.lock")).unwrap_err();
    assert!(matches!(missing, LockfileError::Missing { .. }) && missing.hint().is_some());
    let unreadable = Lockfile::read(directory.path()).unwrap_err();
    assert!(matches!(unreadable, LockfileError::Read { .. }), "{unreadable}");
    let large = directory.path().join("large");
    fs_err::File::create(&large).unwrap().set_len(MAX_LOCKFILE_SIZE + 1).unwrap();
    assert!(matches!(Lockfile::read(&large), Err(LockfileError::Read { .. })));
}

#[test]
fn many_entries_are_read_in_linear_time() {
    let mut text = String::from("version = 4\n");
    for number in 0..20_000 {
        let next = (number + 1) % 20_000;
        text += &format!(
            "[[package]]\nname = \"p{number}\"\nversion = \"1.0.0\"\ndependencies = [\"p{next}\"]\n"
        );
    }
    let start = std::time::Instant::now();
    assert_eq!(parse(&text).packages[19_999].dependencies, [0]);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
