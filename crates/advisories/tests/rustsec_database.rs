//! The real database, where a copy lies beside the workspace. Without one these tests measure nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use cratekeeper_advisories::{Collection, Database, Origin};
use cratekeeper_model::AdvisoryClass;
use semver::Version;
use serde_json::Value;

/// A file or directory of the shared data; `None`, with a word about it, if there is no such thing.
fn shared(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    println!("not measured: there is no `{}`", path.display());
    None
}

fn database() -> Option<Database> {
    let (database, problems) = Database::open(&shared("advisory-db")?).unwrap();
    assert_eq!(problems, []);
    Some(database)
}

fn count_markdown(directory: &str) -> usize {
    let Some(directory) = shared(directory) else { return 0 };
    let crates = std::fs::read_dir(directory).unwrap();
    let files = crates.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|it| it == "md")).count()
}

#[test]
fn every_advisory_parses() {
    let Some(database) = database() else { return };
    assert!(database.load_all().is_empty());
    let count = |collection| database.iter().filter(|record| record.collection == collection).count();
    assert_eq!(count(Collection::Crates), count_markdown("advisory-db/crates"));
    assert_eq!(count(Collection::Rust), count_markdown("advisory-db/rust"));
    assert!(count(Collection::Crates) >= 1_205);
}

#[test]
fn opening_and_asking_for_300_names_is_quick() {
    let Some(path) = shared("advisory-db") else { return };
    let start = Instant::now();
    let (database, _) = Database::open(&path).unwrap();
    let opened = start.elapsed();
    // A lockfile has mostly names without advisories, so that asking only for names with one is the worst.
    let names: Vec<&str> = database.crate_names().step_by(3).take(300).collect();
    let version = Version::new(1, 0, 0);
    let asked = names.iter().map(|name| database.affecting(name, &version, Origin::DefaultRegistry));
    let found: usize = asked.map(|answer| answer.advisories.len()).sum();
    let answered = start.elapsed();
    let snapshot = database.snapshot();
    let dated = start.elapsed();
    let all = database.iter().count();
    println!(
        "opened {opened:?}, {found} advisories for {} names {answered:?}, dated {dated:?} \
         ({:?}), all {all} {:?}",
        names.len(),
        snapshot.newest_advisory_date,
        start.elapsed()
    );
    // Far above what was measured, so that a busy machine does not fail the test.
    assert!(answered.as_secs_f64() < 1.0, "{answered:?}");
}

#[test]
fn malicious_crates_are_told_from_vulnerable_ones() {
    let (Some(database), Some(list)) = (database(), shared("data/malicious-crates.csv")) else { return };
    let list = std::fs::read_to_string(list).unwrap();
    let known: BTreeSet<&str> =
        list.split([',', ';', ' ', '\n', '"']).filter(|word| word.starts_with("RUSTSEC-")).collect();
    let classes: BTreeMap<&str, AdvisoryClass> =
        database.iter().map(|record| (record.advisory.id.as_str(), record.advisory.class)).collect();
    let missed: Vec<_> = known
        .iter()
        .filter(|id| classes.get(**id).is_some_and(|class| *class != AdvisoryClass::Malicious))
        .collect();
    let present = known.iter().filter(|id| classes.contains_key(**id)).count();
    let malicious = classes.iter().filter(|(_, class)| **class == AdvisoryClass::Malicious);
    let further: Vec<_> = malicious.map(|(id, _)| *id).filter(|id| !known.contains(id)).collect();
    println!(
        "{} ids in the list, {present} in the database, missed {missed:?}, further {further:?}",
        known.len()
    );
    assert!(missed.is_empty() && further.is_empty());
}

#[test]
fn affected_functions_are_those_of_an_independent_reader() {
    let (Some(database), Some(list)) = (database(), shared("data/rustsec-affected-functions.json")) else {
        return;
    };
    let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(list).unwrap()).unwrap();
    let ours: BTreeMap<&str, _> = database
        .iter()
        .filter(|record| !record.advisory.functions.is_empty())
        .map(|record| (record.advisory.id.as_str(), record))
        .collect();
    let mut paths = 0;
    for entry in &list {
        let id = entry["id"].as_str().unwrap();
        let theirs: BTreeSet<&str> =
            entry["functions"].as_object().unwrap().keys().map(String::as_str).collect();
        let record = ours.get(id).unwrap_or_else(|| panic!("{id} has no functions"));
        let found: BTreeSet<&str> = record.advisory.functions.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(found, theirs, "{id}");
        assert_eq!(record.package, entry["package"].as_str().unwrap(), "{id}");
        assert_eq!(record.advisory.title, entry["title"].as_str().unwrap().trim_end(), "{id}");
        assert_eq!(record.advisory.os.len(), entry["os"].as_array().unwrap().len(), "{id}");
        assert_eq!(record.advisory.arch.len(), entry["arch"].as_array().unwrap().len(), "{id}");
        assert_eq!(record.withdrawn.as_deref().unwrap_or(""), entry["withdrawn"].as_str().unwrap(), "{id}");
        paths += found.len();
    }
    println!("{} advisories with {paths} functions; {} have some in the database", list.len(), ours.len());
}

#[test]
fn hijacked_version_is_malicious_and_its_predecessor_is_not() {
    let Some(database) = database() else { return };
    let classes = |version: &str| -> Vec<AdvisoryClass> {
        let answer = database.affecting("arrayref", &version.parse().unwrap(), Origin::DefaultRegistry);
        answer.advisories.iter().map(|advisory| advisory.class).collect()
    };
    assert!(classes("0.3.10").contains(&AdvisoryClass::Malicious));
    assert!(classes("0.3.9").is_empty());
}
