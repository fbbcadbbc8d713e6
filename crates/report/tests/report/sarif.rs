//! What code scanning reads.

use std::collections::BTreeSet;

use cratekeeper_model::{CheckOutcome, InspectOutcome};
use cratekeeper_report::sarif::{self, Producer};
use serde_json::Value;

use crate::json::pretty;
use crate::sample;

fn producer() -> Producer<'static> {
    Producer { tool: sample::TOOL, rules: &sample::RULES, base: Some("/projects/demo") }
}

pub(crate) fn check(outcome: &CheckOutcome) -> Value {
    let mut out = Vec::new();
    sarif::check(&producer(), outcome, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

pub(crate) fn inspect(outcome: &InspectOutcome) -> Value {
    let mut out = Vec::new();
    sarif::inspect(&producer(), outcome, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn check_log() {
    insta::assert_snapshot!(pretty(&check(&sample::short_check())));
}

#[test]
fn inspect_log() {
    insta::assert_snapshot!(pretty(&inspect(&sample::inspect())));
}

#[test]
fn results_of_check_stand_in_the_lockfile() {
    let log = check(&sample::check());
    let results = log["runs"][0]["results"].as_array().unwrap();
    for result in results.iter().filter(|it| it["ruleId"] != "unresolved-dependency") {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "Cargo.lock");
        assert!(place["region"]["startLine"].as_u64().unwrap() > 1);
    }
}

#[test]
fn a_mistyped_dependency_stands_in_its_manifest() {
    let log = check(&sample::check());
    let run = &log["runs"][0];
    let is_place = |value: &Value, uri: &str, line: u32| {
        let place = &value["locations"][0]["physicalLocation"];
        place["artifactLocation"]["uri"] == uri && place["region"]["startLine"] == line
    };
    let results = run["results"].as_array().unwrap();
    let found: Vec<&Value> = results.iter().filter(|it| it["ruleId"] == "unresolved-dependency").collect();
    assert_eq!(found.len(), 1, "one that was just added is no result");
    assert!(is_place(found[0], "app/Cargo.toml", 9), "{:#}", found[0]);
    assert_eq!(found[0]["level"], "warning");
    let text = found[0]["message"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("`serde_jsn` (as `json`) is not in the lockfile: did you mean `serde_json`"),
        "{text}"
    );
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let about: Vec<&Value> =
        notifications.iter().filter(|it| it["descriptor"]["id"] == "dependency-not-checked").collect();
    assert_eq!(about.len(), 2);
    assert!(is_place(about[1], "Cargo.toml", 12), "{:#}", about[1]);
}

#[test]
fn results_of_inspect_stand_in_the_package() {
    let log = inspect(&sample::inspect());
    let results = log["runs"][0]["results"].as_array().unwrap();
    let place = |result: &Value| {
        let place = &result["locations"][0]["physicalLocation"];
        format!("{}:{}", place["artifactLocation"]["uri"].as_str().unwrap(), place["region"]["startLine"])
    };
    assert_eq!(results.iter().map(place).collect::<Vec<_>>(), ["src/lib.rs:1009", "Cargo.toml:1"]);
}

#[test]
fn rule_indexes_point_to_the_rules() {
    let log = check(&sample::check());
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
}

#[test]
fn what_could_not_be_checked_is_a_failure_and_no_result() {
    let log = check(&sample::check());
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
    let errors: Vec<&str> = notifications
        .iter()
        .filter(|it| it["level"] == "error")
        .map(|it| it["message"]["text"].as_str().unwrap())
        .collect();
    let expected = [
        "left-behind 2.0.0 could not be checked: the archive is not in the cache, and the network is off",
        "`serde_jsn` (as `json`) is not in the lockfile, so it could not be checked",
        "`rand` is not in the lockfile, so it could not be checked",
    ];
    assert_eq!(errors, expected);

    let is_successful = |outcome: &CheckOutcome| {
        check(outcome)["runs"][0]["invocations"][0]["executionSuccessful"].as_bool().unwrap()
    };
    let mut outcome = sample::check();
    outcome.packages.retain(|it| it.package.name != "left-behind");
    assert!(!is_successful(&outcome));
    outcome.unresolved = sample::empty().unresolved;
    assert!(is_successful(&outcome));
}

fn fingerprints(outcome: &CheckOutcome) -> Vec<String> {
    let log = check(outcome);
    let results = log["runs"][0]["results"].as_array().unwrap();
    results
        .iter()
        .map(|it| it["partialFingerprints"]["cratekeeper/v1"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn fingerprints_tell_results_apart() {
    let fingerprints = fingerprints(&sample::check());
    let distinct: BTreeSet<&String> = fingerprints.iter().collect();
    assert_eq!(distinct.len(), fingerprints.len());
}

#[test]
fn fingerprints_survive_moved_lines_and_new_words() {
    let before = sample::check();
    let mut after = before.clone();
    for outcome in &mut after.packages {
        outcome.lockfile_line = outcome.lockfile_line.map(|line| line + 10);
        for finding in outcome.case.findings.iter_mut().filter(|it| !it.evidence.is_empty()) {
            finding.message.push_str(" In other words.");
            finding.evidence[0].line = Some(3);
        }
    }
    assert_eq!(fingerprints(&before), fingerprints(&after));
}

/// Who dismissed one advisory must not miss another that takes its place.
#[test]
fn another_advisory_is_another_result() {
    let before = sample::check();
    let mut after = before.clone();
    after.packages[5].case.findings[1].message = "RUSTSEC-2099-0003 affects it: another one.".to_owned();
    let changed = fingerprints(&before).into_iter().zip(fingerprints(&after)).filter(|(a, b)| a != b).count();
    assert_eq!(changed, 1);
}

#[test]
fn publishers_cannot_place_links_or_controls_in_messages() {
    let log = check(&sample::hostile());
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap().iter();
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().iter();
    for message in results.chain(notifications).map(|it| it["message"]["text"].as_str().unwrap()) {
        assert!(!message.contains("](") && !message.contains(['\u{1b}', '\u{202e}', '\r']), "{message}");
    }
}
