//! Indexes of a few lines, and random ones.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::fmt::Write as _;

use cratekeeper_model::Checksum;
use proptest::prelude::*;

use super::*;

/// An index of lines `name version [^day] [yanked] : dependency requirement [optional], …`, with `^day` of January 2024.
fn index(lines: &[&str]) -> HashMap<String, Vec<IndexVersion>> {
    let mut index: HashMap<String, Vec<IndexVersion>> = HashMap::new();
    for line in lines {
        let (head, dependencies) = line.split_once(':').unwrap_or((line, ""));
        let words: Vec<&str> = head.split_whitespace().collect();
        let day = words.iter().find_map(|it| it.strip_prefix('^'));
        let published = day.map_or("null".to_owned(), |day| format!("\"2024-01-{day}T00:00:00Z\""));
        let mut deps = Vec::new();
        for dependency in dependencies.split(',').filter(|it| !it.trim().is_empty()) {
            let words: Vec<&str> = dependency.split_whitespace().collect();
            let has = |word| words[2..].contains(&word);
            deps.push(format!(
                r#"{{"name":"{}","req":"{}","optional":{},"default_features":true,"features":[],"kind":"{}"}}"#,
                words[0],
                words[1].replace(';', ", "),
                has("optional"),
                if has("dev") { "dev" } else { "normal" }
            ));
        }
        let mut json = String::new();
        let _ = write!(
            json,
            r#"{{"name":"{}","vers":"{}","deps":[{}],"cksum":"{}","features":{{}},"yanked":{},"pubtime":{published}}}"#,
            words[0],
            words[1],
            deps.join(","),
            Checksum::of(b""),
            words.contains(&"yanked"),
        );
        let [version] = <[IndexVersion; 1]>::try_from(IndexVersion::parse_all(json.as_bytes())).unwrap();
        index.entry(words[0].to_owned()).or_default().push(version);
    }
    index
}

fn day(day: &str) -> Option<Timestamp> {
    Some(format!("2024-01-{day}T12:00:00Z").parse().unwrap())
}

/// The tree of the first version of `a`, and what is wrong with it.
fn tree(lines: &[&str], at: Option<Timestamp>, features: &FeatureSelection) -> (Vec<String>, usize) {
    let index = index(lines);
    let point = PointInTime::new(&index, at);
    let resolution = point.resolve(&index["a"][0], features);
    let shown = resolution.packages.keys().map(|(name, version)| format!("{name} {version}"));
    (shown.collect(), resolution.problems.len())
}

#[track_caller]
fn check(lines: &[&str], at: Option<Timestamp>, expect: &[&str]) {
    assert_eq!(
        tree(lines, at, &FeatureSelection::default()),
        (expect.iter().map(|it| (*it).to_owned()).collect(), 0)
    );
}

#[test]
fn the_newest_version_that_fits_and_is_not_withdrawn_is_chosen() {
    let lines =
        ["a 1.0.0 : b ^1.1", "b 1.1.0", "b 1.10.0", "b 1.9.0", "b 1.11.0 yanked", "b 2.0.0", "b 1.12.0-rc.1"];
    check(&lines, None, &["a 1.0.0", "b 1.10.0"]);
}

#[test]
fn what_was_published_later_was_not_there() {
    let lines = ["a 1.0.0 ^01 : b 1", "b 1.0.0", "b 1.1.0 ^10", "b 1.2.0 ^20"];
    check(&lines, day("09"), &["a 1.0.0", "b 1.0.0"]);
    check(&lines, day("15"), &["a 1.0.0", "b 1.1.0"]);
    check(&lines, day("20"), &["a 1.0.0", "b 1.2.0"]);
    check(&lines, None, &["a 1.0.0", "b 1.2.0"]);
}

#[test]
fn compatible_users_share_a_version_and_others_do_not() {
    let lines =
        ["a 1.0.0 : b 1, c 1", "b 1.0.0 : d ^1.1", "c 1.0.0 : d <1.3", "d 1.0.0", "d 1.2.0", "d 1.4.0"];
    check(&lines, None, &["a 1.0.0", "b 1.0.0", "c 1.0.0", "d 1.2.0"]);
    let lines = ["a 1.0.0 : b 1, c 1", "b 1.0.0 : d 0.1", "c 1.0.0 : d 0.2", "d 0.1.4", "d 0.2.0"];
    check(&lines, None, &["a 1.0.0", "b 1.0.0", "c 1.0.0", "d 0.1.4", "d 0.2.0"]);
}

#[test]
fn an_older_version_brings_its_own_dependencies() {
    let lines =
        ["a 1.0.0 : b 1, c 1", "c 1.0.0 : b =1.0.0", "b 1.0.0 : e 1", "b 1.1.0 : f 1", "e 1.0.0", "f 1.0.0"];
    check(&lines, None, &["a 1.0.0", "b 1.0.0", "c 1.0.0", "e 1.0.0"]);
}

#[test]
fn optional_dependencies_and_those_of_others_tests_are_left_out() {
    let lines = ["a 1.0.0 : b 1 optional, c 1", "b 1.0.0", "c 1.0.0 : d 1 dev", "d 1.0.0"];
    check(&lines, None, &["a 1.0.0", "c 1.0.0"]);
    let all = FeatureSelection { all: true, ..FeatureSelection::default() };
    assert_eq!(tree(&lines, None, &all).0, ["a 1.0.0", "b 1.0.0", "c 1.0.0"]);
}

#[test]
fn what_cargo_would_have_to_search_for_is_a_problem() {
    let features = FeatureSelection::default();
    let lines = ["a 1.0.0 : b =1.0.0, c 1", "c 1.0.0 : b =1.1.0", "b 1.0.0", "b 1.1.0"];
    assert_eq!(
        tree(&lines, None, &features),
        (vec!["a 1.0.0".into(), "b 1.0.0".into(), "c 1.0.0".into()], 1)
    );
    let lines = ["a 1.0.0 : b 2, c nonsense, d 1", "b 1.0.0", "c 1.0.0"];
    assert_eq!(tree(&lines, None, &features), (vec!["a 1.0.0".into()], 3));
}

#[test]
fn the_table_of_direct_dependencies_names_all_but_those_of_tests() {
    let index =
        index(&["a 1.0.0 : b 1, b >=1;<1.1 optional, c 1 dev, d 1", "b 1.0.0", "b 1.3.0 ^20", "c 1.0.0"]);
    let table = |at| {
        let point = PointInTime::new(&index, at);
        let chosen = point.direct(&index["a"][0]).into_iter();
        chosen.map(|it| (it.package, it.version.map(|it| it.to_string()), it.optional)).collect::<Vec<_>>()
    };
    let row =
        |name: &str, version: Option<&str>, optional| (name.to_owned(), version.map(str::to_owned), optional);
    assert_eq!(
        table(None),
        [row("b", Some("1.3.0"), false), row("b", Some("1.0.0"), true), row("d", None, false)]
    );
    assert_eq!(table(day("10"))[0], row("b", Some("1.0.0"), false));
}

#[test]
fn cycles_come_to_an_end() {
    let lines = ["a 1.0.0 : b 1", "b 1.0.0 : a 1"];
    check(&lines, None, &["a 1.0.0", "b 1.0.0"]);
    let index = index(&lines);
    let features = FeatureSelection::default();
    let resolution = PointInTime::new(&index, None).resolve(&index["a"][0], &features);
    assert!(resolution.packages.values().all(|chosen| chosen.len() == 1), "{:?}", resolution.packages);
}

fn line() -> impl Strategy<Value = String> {
    let dependency = ("[a-d]", "[=^~<]", 0..3_u8, 0..3_u8);
    ("[a-d]", 0..3_u8, 0..4_u8, prop::collection::vec(dependency, 0..4)).prop_map(
        |(name, major, minor, dependencies)| {
            let dependencies: Vec<String> = dependencies
                .into_iter()
                .map(|(name, operator, major, minor)| format!("{name} {operator}{major}.{minor}"))
                .collect();
            format!("{name} {major}.{minor}.0 : {}", dependencies.join(", "))
        },
    )
}

proptest! {
    #[test]
    fn any_index_comes_to_an_end_and_every_choice_fits(lines in prop::collection::vec(line(), 0..30)) {
        let mut lines = lines;
        lines.insert(0, "a 9.0.0 : a *, b *, c *".to_owned());
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let index = index(&lines);
        let features = FeatureSelection::default();
        let resolution = PointInTime::new(&index, None).resolve(&index["a"][0], &features);
        prop_assert!(!resolution.packages.is_empty(), "{:?}", resolution.problems);
        for chosen in resolution.packages.values().flatten() {
            if let Some(version) = &chosen.version {
                prop_assert!(index[&chosen.package].iter().any(|it| it.version == *version));
                prop_assert!(resolution.packages.contains_key(&(chosen.package.clone(), version.clone())));
            }
        }
    }
}
