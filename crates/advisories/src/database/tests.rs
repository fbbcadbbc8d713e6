//! Which versions are affected, over a small database written here.

use cratekeeper_model::{AdvisoryClass, AffectedFunction, PackageSource, Severity};

use super::*;
use crate::test_database::{TestDatabase, advisory, write};

/// Asks for one version from the default registry; ids without prefix.
fn ids(database: &Database, name: &str, version: &str) -> Vec<String> {
    let answer = database.affecting(name, &version.parse().unwrap(), Origin::DefaultRegistry);
    answer.advisories.iter().map(|it| it.id.trim_start_matches("RUSTSEC-").to_owned()).collect()
}

fn only(database: &Database, name: &str, version: &str) -> Advisory {
    let answer = database.affecting(name, &version.parse().unwrap(), Origin::DefaultRegistry);
    assert_eq!(answer.problems, []);
    assert_eq!(answer.advisories.len(), 1, "{:?}", answer.advisories);
    answer.advisories.into_iter().next().unwrap()
}

/// Versions of `kite` that are affected, given the `[versions]` section.
fn check_versions(section: &str, affected: &[&str], fine: &[&str]) {
    let directory = TestDatabase::new().with("kite", "2026-0001", "", section);
    let database = directory.open();
    for version in affected {
        assert_eq!(ids(&database, "kite", version), ["2026-0001"], "{version}");
    }
    for version in fine {
        assert!(ids(&database, "kite", version).is_empty(), "{version}");
    }
}

#[test]
fn patched_and_unaffected_versions_are_fine() {
    check_versions(
        "patched = [\">= 0.6.14, < 1.0.0\", \">= 1.6.1\"]\nunaffected = [\"< 0.6.3\"]",
        &["0.6.3", "0.6.13", "1.0.0", "1.6.0"],
        &["0.1.0", "0.6.2", "0.6.14", "0.9.9", "1.6.1", "2.0.0"],
    );
}

#[test]
fn without_a_patch_every_version_is_affected() {
    check_versions("patched = []", &["0.0.1", "1.0.0-alpha", "99.0.0"], &[]);
}

#[test]
fn pre_releases_are_ordered_by_precedence() {
    check_versions("patched = [\">= 1.2.0\"]", &["1.2.0-rc.1", "1.1.9-beta"], &["1.2.0", "1.3.0-alpha"]);
    check_versions("patched = [\"^1.2.0\"]", &["2.0.0-alpha", "2.0.0"], &["1.2.0", "1.9.0-beta"]);
    check_versions("patched = [\">= 1.2.0-rc.2\"]", &["1.2.0-rc.1"], &["1.2.0-rc.2", "1.2.0"]);
}

#[test]
fn build_metadata_is_ignored() {
    check_versions("patched = [\">= 1.2.0\"]", &["1.1.0+2", "1.2.0-rc.1+5"], &["1.2.0+1"]);
}

#[test]
fn withdrawn_advisory_affects_nothing_but_is_listed() {
    let directory =
        TestDatabase::new().with("kite", "2026-0001", "withdrawn = \"2026-03-05\"", "patched = []");
    let database = directory.open();
    assert!(ids(&database, "kite", "1.0.0").is_empty());
    let record = database.iter().find(|record| record.package == "kite").unwrap();
    assert_eq!(record.withdrawn.as_deref(), Some("2026-03-05"));
}

#[test]
fn all_fields_arrive() {
    let directory = TestDatabase::new().with(
        "kite-string",
        "2026-0001",
        "aliases = [\"CVE-2026-1\", \"GHSA-aaaa-bbbb-cccc\"]\n\
         cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"\n\
         url = \"https://kites.example.invalid/knots\"",
        "patched = [\">= 1.1.0\"]\n\
         [affected]\nos = [\"windows\"]\narch = [\"x86\", \"aarch64\"]\n\
         functions = { \"kite_string::Knot::tie\" = [\">= 0.3.0, < 0.9.0\", \"^1\"] }",
    );
    let found = only(&directory.open(), "kite-string", "1.0.0");
    assert_eq!(
        found,
        Advisory {
            id: "RUSTSEC-2026-0001".to_owned(),
            aliases: vec!["CVE-2026-1".to_owned(), "GHSA-aaaa-bbbb-cccc".to_owned()],
            date: "2026-03-04".to_owned(),
            title: "The boat takes in water".to_owned(),
            class: AdvisoryClass::Vulnerability,
            severity: Some(Severity::Critical),
            cvss: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
            url: Some("https://kites.example.invalid/knots".to_owned()),
            patched: vec![">=1.1.0".to_owned()],
            functions: vec![AffectedFunction {
                path: "kite_string::Knot::tie".to_owned(),
                versions: vec![">=0.3.0, <0.9.0".to_owned(), "^1".to_owned()],
            }],
            os: vec!["windows".to_owned()],
            arch: vec!["x86".to_owned(), "aarch64".to_owned()],
        }
    );
}

#[test]
fn what_an_advisory_does_not_say_is_absent() {
    let database = TestDatabase::new();
    let found = only(&database.open(), "paper-boat", "1.0.0");
    assert_eq!((found.severity, found.cvss), (None, None));
    assert_eq!(found.url.as_deref(), Some("https://rustsec.org/advisories/RUSTSEC-2020-0001"));
    assert!(found.functions.is_empty() && found.os.is_empty() && found.arch.is_empty());
}

#[test]
fn classes_are_told_apart() {
    let directory = TestDatabase::new()
        .with("kite", "2026-0001", "categories = [\"malicious\"]", "patched = []")
        .with("kite", "2026-0002", "informational = \"unsound\"", "patched = []")
        .with("kite", "2026-0003", "informational = \"unmaintained\"", "patched = []")
        .with("kite", "2026-0004", "informational = \"notice\"", "patched = []");
    let answer = directory.open().affecting("kite", &Version::new(1, 0, 0), Origin::DefaultRegistry);
    let classes: Vec<_> = answer.advisories.iter().map(|advisory| advisory.class).collect();
    use AdvisoryClass::{Malicious, Notice, Unmaintained, Unsound};
    assert_eq!(classes, [Malicious, Unsound, Unmaintained, Notice]);
}

#[test]
fn names_match_letter_by_letter() {
    let directory = TestDatabase::new().with("kite-string", "2026-0001", "", "patched = []");
    let database = directory.open();
    for name in ["kite_string", "Kite-String", "kite", "", "../crates/kite-string", "kite-string/"] {
        assert!(ids(&database, name, "1.0.0").is_empty(), "{name}");
    }
}

#[test]
fn packages_from_elsewhere_need_an_advisory_that_says_so() {
    let source = "source = \"registry+https://registry.example.invalid/index\"";
    let directory = TestDatabase::new().with("kite", "2026-0001", "", "patched = []").with(
        "kite",
        "2026-0002",
        source,
        "patched = []",
    );
    let database = directory.open();
    let ask = |source: PackageSource| {
        let answer = database.affecting("kite", &Version::new(1, 0, 0), Origin::of(&source));
        answer.advisories.into_iter().map(|advisory| advisory.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&database, "kite", "1.0.0"), ["2026-0001"]);
    let private = "registry+https://registry.example.invalid/index".to_owned();
    assert_eq!(ask(PackageSource::Registry(private)), ["RUSTSEC-2026-0002"]);
    assert!(ask(PackageSource::Git("https://git.example.invalid/kite#0123".to_owned())).is_empty());
    assert!(ask(PackageSource::Path("/home/kite".to_owned())).is_empty());
}

#[test]
fn broken_file_makes_its_crate_unknown_and_no_other() {
    let directory = TestDatabase::new().with_file("crates/kite/RUSTSEC-2026-0001.md", "not an advisory");
    let database = directory.open();
    let answer = database.affecting("kite", &Version::new(1, 0, 0), Origin::DefaultRegistry);
    assert_eq!(answer.problems[0].file, Path::new("crates/kite/RUSTSEC-2026-0001.md"));
    assert_eq!(database.unparsed_for("kite"), answer.problems);
    let Known::Unknown(reason) = answer.into_known() else { panic!("must be unknown") };
    assert!(reason.contains("RUSTSEC-2026-0001.md"), "{reason}");
    assert!(database.unparsed_for("paper-boat").is_empty());
    assert!(database.unparsed_for("nobody").is_empty());
    assert_eq!(database.load_all().len(), 1);
    let local = PackageSource::Path("/home/kite".to_owned());
    assert_eq!(database.affecting("kite", &Version::new(1, 0, 0), Origin::Other(&local)), Answer::default());
}

#[test]
fn broken_file_does_not_hide_what_was_found() {
    let directory = TestDatabase::new()
        .with("kite", "2026-0001", "categories = [\"malicious\"]", "patched = []")
        .with_file("crates/kite/RUSTSEC-2026-0002.md", "not an advisory");
    let answer = directory.open().affecting("kite", &Version::new(1, 0, 0), Origin::DefaultRegistry);
    assert_eq!(answer.problems.len(), 1);
    let Known::Known(advisories) = answer.into_known() else { panic!("must be known") };
    assert_eq!(advisories.len(), 1);
}

#[test]
fn misfiled_advisory_is_a_problem() {
    let directory = TestDatabase::new()
        .with_file("crates/kite/RUSTSEC-2026-0001.md", &advisory("glider", "2026-0001", "", "patched = []"))
        .with_file("crates/kite/RUSTSEC-2026-0002.md", &advisory("kite", "2026-0003", "", "patched = []"));
    let database = directory.open();
    assert_eq!(database.unparsed_for("kite").len(), 2);
    assert!(ids(&database, "kite", "1.0.0").is_empty());
}

#[test]
fn other_files_and_drafts_are_left_alone() {
    let directory = TestDatabase::new()
        .with("kite", "0000-0000", "", "patched = []")
        .with_file("crates/kite/notes.txt", "not an advisory")
        .with_file("crates/README", "not an advisory")
        .with_file("support.toml", "");
    let database = directory.open();
    assert!(database.load_all().is_empty());
    assert_eq!(database.iter().count(), 1);
}

#[test]
fn advisory_without_a_crate_directory_is_a_problem() {
    let directory =
        TestDatabase::new().with_file("crates/RUSTSEC-2026-0001.md", &advisory("kite", "2026-0001", "", ""));
    let (_, problems) = Database::open(directory.path()).unwrap();
    assert_eq!(problems.len(), 1);
}

#[test]
fn size_and_number_limits_hold() {
    let long = advisory("kite", "2026-0001", "", "patched = []") + &" ".repeat(4096);
    let directory = TestDatabase::new()
        .with_file("crates/kite/RUSTSEC-2026-0001.md", &long)
        .with("glider", "2026-0002", "", "patched = []")
        .with("glider", "2026-0003", "", "patched = []");
    let limits = Limits { advisory_bytes: 4096, crates: 3, advisories_per_crate: 1 };
    let (database, _) = Database::open_with(directory.path(), limits).unwrap();
    assert!(database.unparsed_for("kite")[0].reason.contains("longer than 4096 bytes"));
    assert!(database.unparsed_for("glider")[0].reason.contains("more than 1 entries"));
    assert!(database.unparsed_for("paper-boat").is_empty());
    let error = Database::open_with(directory.path(), Limits { crates: 2, ..limits }).unwrap_err();
    assert!(matches!(error, OpenError::TooManyEntries { limit: 2, .. }), "{error}");
}

#[test]
fn text_that_is_not_utf8_is_a_problem() {
    let directory = TestDatabase::new();
    let file = write(directory.path(), "crates/kite/RUSTSEC-2026-0001.md", "");
    fs::write(file, b"```toml\n\xff").unwrap();
    assert_eq!(directory.open().unparsed_for("kite")[0].reason, "it is not UTF-8");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let outside = TestDatabase::new().with("kite", "2026-0001", "", "patched = []");
    let directory = TestDatabase::new();
    symlink(outside.path().join("crates/kite"), directory.path().join("crates/kite")).unwrap();
    let file = "crates/paper-boat/RUSTSEC-2026-0002.md";
    symlink(outside.path().join("crates/kite/RUSTSEC-2026-0001.md"), directory.path().join(file)).unwrap();
    let (database, problems) = Database::open(directory.path()).unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(database.unparsed_for("kite"), problems);
    assert!(ids(&database, "kite", "1.0.0").is_empty());
    assert_eq!(database.unparsed_for("paper-boat")[0].reason, "it is not a regular file");

    let linked = tempfile::tempdir().unwrap();
    symlink(outside.path().join("crates"), linked.path().join("crates")).unwrap();
    assert!(matches!(Database::open(linked.path()), Err(OpenError::NotADatabase { .. })));
}

#[test]
fn each_unusable_directory_has_its_own_error() {
    let directory = tempfile::tempdir().unwrap();
    let error = |path: &Path| Database::open(path).unwrap_err();
    assert!(matches!(error(&directory.path().join("nothing")), OpenError::Missing { .. }));
    assert!(matches!(error(directory.path()), OpenError::NotADatabase { .. }));
    let file = write(directory.path(), "file", "");
    assert!(matches!(error(&file), OpenError::NotADatabase { .. }));
    write(directory.path(), "crates/kite/notes.txt", "");
    let empty = error(directory.path());
    assert!(matches!(empty, OpenError::Empty { .. }));
    assert!(empty.to_string().ends_with("is empty") && !empty.hint().is_empty());
}

#[test]
fn toolchain_is_kept_apart() {
    let text = advisory("std", "2026-0001", "", "patched = [\">= 1.50.0\"]").replace("RUSTSEC-", "CVE-");
    let directory = TestDatabase::new().with_file("rust/std/CVE-2026-0001.md", &text);
    let database = directory.open();
    assert!(ids(&database, "std", "1.49.0").is_empty());
    assert_eq!(database.affecting_toolchain("std", &Version::new(1, 49, 0)).advisories.len(), 1);
    assert!(database.affecting_toolchain("std", &Version::new(1, 50, 0)).advisories.is_empty());
    assert!(database.affecting_toolchain("paper-boat", &Version::new(1, 0, 0)).advisories.is_empty());
    let collections: Vec<_> = database.iter().map(|record| record.collection).collect();
    assert_eq!(collections, [Collection::Crates, Collection::Rust]);
}

#[test]
fn database_can_be_shared_between_threads() {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<Database>();
}
