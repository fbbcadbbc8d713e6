//! Answers about names: documents against their schemas, and the pages that people read.

use std::time::Duration;

use cratekeeper_names::{AllowList, Candidate, Corpus, Entry, Kind, Level, Pair, Questions, UnjudgedName};
use cratekeeper_report::human::{Detail, Terminal};
use cratekeeper_report::names::{ComparedWith, EvaluationOutcome, IndexOutcome, JudgedName, NamesOutcome};
use cratekeeper_report::{Tool, human, json};
use jsonschema::Validator;
use serde_json::{Value, json};

const TOOL: Tool<'static> = Tool { name: "cratekeeper", version: "0.1.0" };
const TERMINAL: Terminal = Terminal { color: false, width: 100 };
const NAMES: &str = include_str!("../../../../docs/schema/names.schema.json");
const EVALUATION: &str = include_str!("../../../../docs/schema/names-evaluation.schema.json");

fn corpus() -> Corpus {
    let names = ["serde", "once_cell", "tracing"];
    let ranked = |(index, name): (usize, &&str)| Entry { rank: Some(index as u32 + 1), ..Entry::new(*name) };
    Corpus::new(names.iter().enumerate().map(ranked).collect(), Kind::Crates).unwrap()
}

fn compared() -> ComparedWith {
    ComparedWith { path: Some("corpus.csv".to_owned()), kind: Kind::Crates, names: 3 }
}

/// An alert, an allowed one, one of the corpus, one that is like nothing, and two that cannot be judged.
fn outcome() -> NamesOutcome {
    let corpus = corpus();
    let today = "2026-11-21".parse().unwrap();
    let mut allowed = AllowList::parse(
        "[[allow]]\nname = \"tracings\"\nreason = \"ours\"\nexpires = \"2027-01-01\"\n\
         [[allow]]\nname = \"old\"\nreason = \"ours\"\nexpires = \"2026-01-01\"\n",
    )
    .unwrap();
    let mut judge = |name: &str| {
        let mut judgement = corpus.judge(&Candidate::new(name).unwrap());
        allowed.apply(name, &mut judgement, today);
        JudgedName { name: name.to_owned(), judgement }
    };
    let judged = ["tracings", "serde", "oncecell", "like-nothing"].map(&mut judge).to_vec();
    let unjudged = ["", "a\u{1b}[2Jb\u{202e}"]
        .map(|name| UnjudgedName { name: name.to_owned(), cause: Candidate::new(name).unwrap_err() });
    NamesOutcome {
        corpus: compared(),
        judged,
        not_judged: unjudged.to_vec(),
        stale: allowed.stale(today),
        min_level: Level::None,
    }
}

fn empty() -> NamesOutcome {
    let corpus = ComparedWith { path: None, kind: Kind::Publishers, names: 31 };
    NamesOutcome {
        corpus,
        judged: Vec::new(),
        not_judged: Vec::new(),
        stale: Vec::new(),
        min_level: Level::Alert,
    }
}

fn pair(name: &str, malicious: bool) -> Pair {
    Pair {
        name: name.to_owned(),
        target: "once_cell".to_owned(),
        ecosystem: "crates-io".to_owned(),
        class: "delimiter".to_owned(),
        malicious,
    }
}

fn evaluation(questions: &Questions) -> EvaluationOutcome {
    let evaluation = cratekeeper_names::evaluate(&mut corpus(), questions, |_| {});
    EvaluationOutcome { corpus: compared(), mutants: questions.mutants, seed: questions.seed, evaluation }
}

fn measured() -> EvaluationOutcome {
    evaluation(&Questions {
        pairs: vec![pair("oncecell", true), pair("a b", true), pair("once-cells", false)],
        benign: vec!["serd".to_owned(), "like-nothing".to_owned()],
        mutants: 2,
        seed: 1,
    })
}

fn document(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Value {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn names_document(outcome: &NamesOutcome) -> Value {
    document(|out| json::names(TOOL, outcome, out))
}

fn evaluation_document(outcome: &EvaluationOutcome) -> Value {
    document(|out| json::evaluation(TOOL, outcome, out))
}

fn text(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

#[track_caller]
fn assert_valid(schema: &str, document: &Value) {
    let validator = validator(schema);
    let errors: Vec<String> =
        validator.iter_errors(document).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn documents_follow_their_schemas() {
    assert_valid(NAMES, &names_document(&outcome()));
    assert_valid(NAMES, &names_document(&empty()));
    assert_valid(EVALUATION, &evaluation_document(&measured()));
    assert_valid(EVALUATION, &evaluation_document(&evaluation(&Questions::default())));
}

#[test]
fn the_documented_example_follows_the_schema() {
    let documentation = include_str!("../../../../docs/json.md");
    let examples = documentation.split("```json\n").skip(1).map(|it| it.split("```").next().unwrap());
    let examples: Vec<Value> = examples.map(|it| serde_json::from_str(it).unwrap()).collect();
    let example = examples.iter().find(|it| it["schema"] == json::NAMES_SCHEMA).unwrap();
    assert_valid(NAMES, example);
}

#[test]
fn schemas_name_the_version_that_is_written() {
    for (schema, id) in [(NAMES, json::NAMES_SCHEMA), (EVALUATION, json::NAMES_EVALUATION_SCHEMA)] {
        let schema: Value = serde_json::from_str(schema).unwrap();
        assert_eq!(schema["properties"]["schema"]["const"], id);
    }
}

/// Every field is required wherever it occurs.
#[test]
fn a_missing_field_is_noticed() {
    for (schema, document) in
        [(NAMES, names_document(&outcome())), (EVALUATION, evaluation_document(&measured()))]
    {
        let validator = validator(schema);
        let mut pointers = Vec::new();
        fields(&document, "", &mut pointers);
        assert!(pointers.len() > 20, "{}", pointers.len());
        for (parent, key) in pointers {
            let mut document = document.clone();
            document.pointer_mut(&parent).unwrap().as_object_mut().unwrap().remove(&key);
            assert!(!validator.is_valid(&document), "{parent}/{key}");
        }
    }
}

/// All fields, of arrays those of every element.
fn fields(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.push((at.to_owned(), key.clone()));
                fields(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(array) => {
            array.iter().enumerate().for_each(|(index, it)| fields(it, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

#[test]
fn names_that_cannot_be_judged_are_told_apart() {
    let document = names_document(&outcome());
    assert_eq!(document["summary"], json!({"names": 6, "alert": 1, "review": 0, "none": 3, "not_judged": 2}));
    assert_eq!(document["results"].as_array().unwrap().len(), 4);
    assert_eq!(document["not_judged"][0], json!({"name": "", "reason": "the name is empty"}));
    let stale = &document["stale_allowances"];
    assert_eq!((&stale[0]["name"], &stale[0]["why"]), (&json!("old"), &json!("expired")));
    assert_eq!(stale[0]["target"], Value::Null);
}

#[test]
fn only_the_wanted_levels_are_shown() {
    let outcome = NamesOutcome { min_level: Level::Alert, ..outcome() };
    let document = names_document(&outcome);
    assert_eq!(document["results"].as_array().unwrap().len(), 1);
    assert_eq!(document["summary"]["none"], 3);
    let page = text(|out| human::names(TERMINAL, Detail::Normal, &outcome, out));
    assert!(!page.contains("like-nothing") && page.contains("could not judge: 2 names"), "{page}");
}

#[test]
fn a_check_of_names_reads_worst_first() {
    let page = |detail| text(|out| human::names(TERMINAL, detail, &outcome(), out));
    insta::assert_snapshot!(page(Detail::Normal));
    insta::assert_snapshot!("quiet", page(Detail::Quiet));
}

#[test]
fn nothing_to_say_is_said() {
    let page = text(|out| human::names(TERMINAL, Detail::Normal, &empty(), out));
    assert!(page.contains("31 well-known publishers") && page.contains("nothing to do"), "{page}");
}

#[test]
fn an_index_says_what_was_written() {
    let outcome = IndexOutcome {
        corpus: compared(),
        snapshot: "a\u{1b}b".to_owned(),
        bytes: 1536,
        time: Duration::from_micros(1_234_567),
    };
    let document = document(|out| json::names_index(TOOL, &outcome, out));
    assert_eq!((&document["bytes"], &document["seconds"]), (&json!(1536), &json!(1.235)));
    insta::assert_snapshot!(text(|out| human::names_index(TERMINAL, &outcome, out)), @r"
    snapshot: a\u{1b}b
    names:    3 crates of `corpus.csv`
    size:     1.5 KiB
    time:     1.23 s

    next: compare with it: cratekeeper names check NAME --corpus SNAPSHOT
    ");
}

#[test]
fn an_evaluation_is_shown_as_tables() {
    let page =
        |outcome: &EvaluationOutcome, detail| text(|out| human::evaluation(TERMINAL, detail, outcome, out));
    // Without mutants, which change with every improvement of the library.
    let outcome = EvaluationOutcome { mutants: 0, ..measured() };
    let evaluation = cratekeeper_names::Evaluation { mutants: Vec::new(), ..outcome.evaluation.clone() };
    insta::assert_snapshot!(page(&EvaluationOutcome { evaluation, ..outcome }, Detail::Verbose));
    let with_mutants = page(&measured(), Detail::Normal);
    for text in ["mutants (seed 1)", "letter omitted", "left out: in corpus, ambiguous"] {
        assert!(with_mutants.contains(text), "no `{text}` in {with_mutants}");
    }
    let nothing = page(&self::evaluation(&Questions::default()), Detail::Normal);
    assert_eq!(nothing.matches(": not measured").count(), 5, "{nothing}");
    assert!(!nothing.contains("0.0 %"), "{nothing}");
}

/// Precision belongs to a mixture.
#[test]
fn attacks_alone_have_no_precision() {
    let questions = Questions { pairs: vec![pair("oncecell", true)], ..Questions::default() };
    let document = evaluation_document(&evaluation(&questions));
    assert_eq!(document["curve"][0]["recall"]["share"], 1.0);
    assert_eq!(document["curve"][0]["precision"]["share"], Value::Null);
}

/// A name that cannot be judged is in no share of levels, and no right answer either.
#[test]
fn an_attack_that_cannot_be_judged_is_counted() {
    let document = evaluation_document(&measured());
    let all = &document["attacks"]["all"];
    assert_eq!(
        (&all["not_judged"], &all["alert"]["of"], &all["first"]["of"]),
        (&json!(1), &json!(1), &json!(2))
    );
}
