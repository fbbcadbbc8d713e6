//! Documents against the schemas: ours in `docs/schema`, and SARIF's own.

use jsonschema::Validator;
use serde_json::Value;

use crate::{json, sample, sarif};

const CHECK: &str = include_str!("../../../../docs/schema/check.schema.json");
const INSPECT: &str = include_str!("../../../../docs/schema/inspect.schema.json");
const DIFF: &str = include_str!("../../../../docs/schema/diff.schema.json");
const SIMILAR: &str = include_str!("../../../../docs/schema/similar.schema.json");
const SARIF: &str = include_str!("../data/sarif-schema-2.1.0.json");

fn parse(schema: &str) -> Value {
    serde_json::from_str(schema).unwrap()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

fn assert_valid(schema: &str, document: &Value) {
    let errors: Vec<String> = validator(&parse(schema))
        .iter_errors(document)
        .map(|it| format!("{}: {it}", it.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0]);
}

/// The schema of `diff` with the definitions that it takes from that of `inspect`.
fn diff_schema() -> String {
    let mut schema = parse(&DIFF.replace("inspect.schema.json#/$defs/", "#/$defs/"));
    let shared = parse(INSPECT)["$defs"].as_object().unwrap().clone();
    let own = schema["$defs"].as_object_mut().unwrap();
    for (name, definition) in shared {
        assert!(own.insert(name.clone(), definition).is_none(), "`{name}` is defined twice");
    }
    schema.to_string()
}

pub(crate) fn assert_check(document: &Value) {
    assert_valid(CHECK, document);
}

pub(crate) fn assert_sarif(document: &Value) {
    // The pattern of `language`, which we do not use, has a stray bracket that strict engines refuse.
    assert_valid(&SARIF.replace("{2}]?$", "{2}$"), document);
}

#[test]
fn check_documents_follow_their_schema() {
    let unknown = cratekeeper_model::Known::Unknown("a bare lockfile".to_owned());
    let bare = cratekeeper_model::CheckOutcome { unresolved: unknown, ..sample::empty() };
    for outcome in [sample::check(), sample::empty(), sample::hostile(), bare] {
        assert_valid(CHECK, &json::check(&outcome));
    }
}

#[test]
fn the_documented_example_follows_the_schema() {
    let documentation = include_str!("../../../../docs/json.md");
    let example = documentation.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    assert_valid(CHECK, &parse(example));
}

#[test]
fn inspect_documents_follow_their_schema() {
    let mut outcome = sample::inspect();
    assert_valid(INSPECT, &json::inspect(&outcome));
    outcome.facts.as_mut().unwrap().calls = None;
    assert_valid(INSPECT, &json::inspect(&outcome));
    outcome.facts = Some(cratekeeper_model::Facts::default());
    assert_valid(INSPECT, &json::inspect(&outcome));
    outcome.facts = None;
    assert_valid(INSPECT, &json::inspect(&outcome));
}

#[test]
fn diff_documents_follow_their_schema() {
    let schema = diff_schema();
    let mut outcome = sample::diff();
    let document = json::diff(&outcome);
    assert_valid(&schema, &document);
    let validator = validator(&parse(&schema));
    for field in ["older", "package", "difference", "case", "advisories", "notes"] {
        let mut document = document.clone();
        document.as_object_mut().unwrap().remove(field);
        assert!(!validator.is_valid(&document), "{field}");
    }
    for field in ["kind", "direction", "subject", "before", "after", "capability", "phase", "evidence"] {
        let mut document = document.clone();
        document["difference"]["changes"][0].as_object_mut().unwrap().remove(field);
        assert!(!validator.is_valid(&document), "{field}");
    }
    let mut further = document;
    add_everywhere(&mut further);
    assert_valid(&schema, &further);
    outcome.difference = cratekeeper_model::Known::Unknown("offline".to_owned());
    outcome.newer.facts = sample::inspect().facts;
    assert_valid(&schema, &json::diff(&outcome));
    assert_eq!(parse(DIFF)["properties"]["schema"]["const"], cratekeeper_report::json::DIFF_SCHEMA);
}

#[test]
fn documents_about_likeness_follow_their_schema() {
    let outcome = sample::inspect();
    for similar in [Vec::new(), vec![sample::similar()]] {
        let likes =
            cratekeeper_report::similar::Likes { package: &outcome.outcome.package, similar: &similar };
        let mut out = Vec::new();
        cratekeeper_report::json::similar(sample::TOOL, &likes, &mut out).unwrap();
        assert_valid(SIMILAR, &serde_json::from_slice(&out).unwrap());
    }
}

#[test]
fn sarif_logs_follow_the_published_schema() {
    // The pattern of `language`, which we do not use, has a stray bracket that strict engines refuse.
    let schema = SARIF.replace("{2}]?$", "{2}$");
    for outcome in [sample::check(), sample::empty(), sample::hostile()] {
        assert_valid(&schema, &sarif::check(&outcome));
    }
    assert_valid(&schema, &sarif::inspect(&sample::inspect()));
}

/// Readers built for today's documents must accept tomorrow's, which may have more fields.
#[test]
fn further_fields_are_allowed() {
    for (schema, mut document) in
        [(CHECK, json::check(&sample::check())), (INSPECT, json::inspect(&sample::inspect()))]
    {
        add_everywhere(&mut document);
        assert_valid(schema, &document);
    }
}

fn add_everywhere(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(add_everywhere);
            // Maps with free keys have values of one type; anything would be wrong there.
            if !object.values().all(Value::is_array) && !object.values().all(Value::is_number) {
                object.insert("from_the_future".to_owned(), Value::Bool(true));
            }
        }
        Value::Array(array) => array.iter_mut().for_each(add_everywhere),
        _ => {}
    }
}

/// Every field is required wherever it occurs, `facts`, the version of calls that were not recorded, and features by name excepted.
#[test]
fn a_missing_field_is_noticed() {
    for (schema, document) in
        [(CHECK, json::check(&sample::check())), (INSPECT, json::inspect(&sample::inspect()))]
    {
        let validator = validator(&parse(schema));
        let mut pointers = Vec::new();
        fields(&document, "", &mut pointers);
        assert!(pointers.len() > 40, "{}", pointers.len());
        for (parent, key) in pointers {
            let mut document = document.clone();
            document.pointer_mut(&parent).unwrap().as_object_mut().unwrap().remove(&key);
            let optional = key == "facts"
                || parent.ends_with("/features")
                || parent.ends_with("/sections") && key == "calls";
            assert_eq!(validator.is_valid(&document), optional, "{parent}/{key}");
        }
    }
}

/// All fields, of arrays those of the first element.
fn fields(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.push((at.to_owned(), key.clone()));
                fields(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(array) => {
            if let Some(first) = array.first() {
                fields(first, &format!("{at}/0"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn both_schemas_describe_shared_parts_alike() {
    let (check, inspect) = (parse(CHECK), parse(INSPECT));
    for (name, definition) in check["$defs"].as_object().unwrap() {
        // A package of `check` has its case within it.
        let other = inspect["$defs"].get(name).filter(|_| name != "package");
        if let Some(other) = other {
            assert_eq!(definition, other, "{name}");
        }
    }
    for (schema, id) in
        [(check, cratekeeper_report::json::CHECK_SCHEMA), (inspect, cratekeeper_report::json::INSPECT_SCHEMA)]
    {
        assert_eq!(schema["properties"]["schema"]["const"], id);
    }
}
