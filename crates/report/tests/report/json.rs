//! The JSON contract: keys, values, and the document that describes them.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::InspectOutcome;
use cratekeeper_report::json;
use serde_json::Value;

use crate::sample;

pub(crate) fn check(outcome: &cratekeeper_model::CheckOutcome) -> Value {
    let mut out = Vec::new();
    json::check(sample::TOOL, outcome, &mut out).unwrap();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
    serde_json::from_slice(&out).unwrap()
}

pub(crate) fn inspect(outcome: &InspectOutcome) -> Value {
    let mut out = Vec::new();
    json::inspect(sample::TOOL, outcome, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

pub(crate) fn diff(outcome: &cratekeeper_model::DiffOutcome) -> Value {
    let mut out = Vec::new();
    json::diff(sample::TOOL, outcome, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// Pretty, with sorted keys whatever features of serde_json are switched on elsewhere.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(&sorted(value)).unwrap()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let by_key: BTreeMap<&String, &Value> = object.iter().collect();
            by_key.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        Value::Array(array) => array.iter().map(sorted).collect(),
        _ => value.clone(),
    }
}

#[test]
fn check_document() {
    insta::assert_snapshot!(pretty(&check(&sample::short_check())));
}

#[test]
fn empty_check_document() {
    insta::assert_snapshot!(pretty(&check(&sample::empty())));
}

#[test]
fn inspect_document() {
    insta::assert_snapshot!(pretty(&inspect(&sample::inspect())));
}

#[test]
fn counts_agree_with_the_packages() {
    let document = check(&sample::check());
    let (summary, packages) = (&document["summary"], document["packages"].as_array().unwrap());
    assert_eq!(summary["packages"], packages.len());
    for status in ["checked", "partial", "could_not_check", "local"] {
        assert_eq!(summary[status], packages.iter().filter(|it| it["status"] == status).count(), "{status}");
    }
    for level in ["none", "info", "review", "alert", "block"] {
        let counted = packages.iter().filter(|it| it["case"]["level"] == level).count();
        assert_eq!(summary["levels"][level], counted, "{level}");
    }
    for severity in ["info", "low", "medium", "high", "critical"] {
        let findings = packages.iter().flat_map(|it| it["case"]["findings"].as_array().unwrap());
        let counted = findings.filter(|it| it["severity"] == severity).count();
        assert_eq!(summary["findings"][severity], counted, "{severity}");
    }
}

#[test]
fn what_was_not_compared_is_null_and_not_empty() {
    let mut outcome = sample::empty();
    assert_eq!(check(&outcome)["unresolved_dependencies"], serde_json::json!([]));
    outcome.unresolved = cratekeeper_model::Known::Unknown("a bare lockfile".to_owned());
    assert!(check(&outcome)["unresolved_dependencies"].is_null());
}

#[test]
fn a_package_looks_the_same_in_both_documents() {
    let outcome = sample::check();
    let mut listed = check(&outcome)["packages"][5].clone();
    let mut inspected = sample::inspect();
    inspected.outcome = outcome.packages[5].clone();
    let alone = inspect(&inspected);
    assert_eq!(listed["case"].take(), alone["case"]);
    // What policy makes of it is said in lists alone.
    for key in ["case", "verdict", "policy"] {
        listed.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(listed, alone["package"]);
}

#[test]
fn facts_are_there_when_asked_for() {
    let mut outcome = sample::inspect();
    assert_eq!(inspect(&outcome)["facts"]["sections"]["calls"], 1);
    outcome.facts.as_mut().unwrap().calls = None;
    let facts = inspect(&outcome)["facts"].take();
    assert!(facts["calls"].is_null() && facts["sections"].get("calls").is_none(), "{facts}");
    outcome.facts = None;
    assert!(inspect(&outcome).get("facts").is_none());
}

#[test]
fn positions_outside_are_null() {
    let mut outcome = sample::inspect();
    let facts = outcome.facts.as_mut().unwrap();
    facts.source.functions[0].file = 99;
    facts.source.functions[0].targets = vec![99];
    facts.source.literals[0].function = Some(99);
    let facts = inspect(&outcome)["facts"].take();
    assert!(facts["functions"][0]["file"].is_null());
    assert!(facts["functions"][0]["targets"][0].is_null());
    assert!(facts["literals"][0]["function"].is_null());
}

/// Whoever adds a field to the facts decides here whether documents show it.
#[test]
fn every_stored_fact_is_shown() {
    let stored = serde_json::to_value(sample::facts()).unwrap();
    let shown = inspect(&sample::inspect())["facts"].take();
    for (section, place) in [("files", &shown), ("source", &shown), ("calls", &shown)] {
        for (key, value) in stored[section].as_object().unwrap() {
            // Hashes say nothing to a reader; `similar` says what they are good for.
            if key == "fingerprint" {
                continue;
            }
            // `files` alone says it: the list is what a reader expects under this name.
            let key = match key.as_str() {
                "entries" => "files",
                "special" => "special_files",
                key => key,
            };
            assert_keys(value, &place[key], key);
        }
    }
    assert_keys(&stored["manifest"], &shown["manifest"], "manifest");
}

fn assert_keys(stored: &Value, shown: &Value, path: &str) {
    match (stored, shown) {
        (Value::Object(stored), Value::Object(object)) => {
            for (key, value) in stored {
                let shown = object.get(key).unwrap_or_else(|| panic!("{path}.{key} is missing"));
                assert_keys(value, shown, &format!("{path}.{key}"));
            }
        }
        (Value::Array(stored), Value::Array(shown)) => {
            assert_eq!(stored.len(), shown.len(), "{path}");
            for (stored, shown) in stored.iter().zip(shown) {
                assert_keys(stored, shown, path);
            }
        }
        // Positions are replaced by names.
        (Value::Number(_), Value::String(_) | Value::Object(_)) => {}
        _ => assert_eq!(stored, shown, "{path}"),
    }
}

#[test]
fn hostile_text_keeps_its_value_and_is_written_harmlessly() {
    let outcome = sample::hostile();
    let mut out = Vec::new();
    json::check(sample::TOOL, &outcome, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        !text.trim_end().chars().any(|it| it.is_control() || it == '\u{202e}' || it == '\u{200b}'),
        "{text}"
    );
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["packages"][0]["name"], outcome.packages[0].package.name);
}

/// A field without a word in `docs/json.md` is no contract.
#[test]
fn every_field_is_documented() {
    fn keys<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    found.insert(key);
                    // Features are named by the crate, not by us.
                    if key != "features" {
                        keys(value, found);
                    }
                }
            }
            Value::Array(array) => array.iter().for_each(|it| keys(it, found)),
            _ => {}
        }
    }
    let documentation = include_str!("../../../../docs/json.md");
    let documents = [check(&sample::check()), check(&sample::hostile()), inspect(&sample::inspect())];
    let mut found = BTreeSet::new();
    documents.iter().for_each(|it| keys(it, &mut found));
    let missing: Vec<&str> =
        found.into_iter().filter(|key| !documentation.contains(&format!("`{key}`"))).collect();
    assert_eq!(missing, [""; 0]);
}
