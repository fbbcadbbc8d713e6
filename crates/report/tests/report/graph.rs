//! Answers about call graphs: every question in every form, documents against their schemas, and names that mean harm.

use cratekeeper_graph::answer::{Answer, Asker, Figures, Question, Ranking};
use cratekeeper_graph::{EdgeOptions, Filter, Graph, NativeLibrary, Search, Store};
use cratekeeper_report::graph::neo4j::{File, Labels};
use cratekeeper_report::graph::{Asked, Drawing, EdgeFormat, edges, json, json_lines, tsv};
use cratekeeper_report::human::{Detail, Terminal};
use cratekeeper_report::{Tool, human};
use serde_json::Value;

use crate::ecosystem::{Fixture, version};

const GRAPH: &str = include_str!("../../../../docs/schema/graph.schema.json");
const SURVEY: &str = include_str!("../../../../docs/schema/survey.schema.json");
const TERMINAL: Terminal = Terminal { color: false, width: 100 };
const ASKED: Asked<'static> = Asked { store: "store", table: "today", source: "store", notes: &[] };

/// `app` calls into `base` through `middle`, and there are two versions of `base`.
fn ecosystem() -> (Fixture, Store, Graph) {
    let mut fixture = Fixture::new(&[
        (
            "base@1.0.0",
            "fn danger unsafe\nfn safe\nfn sys foreign\ndanger -> sys ffi unsafe\nsafe -> std::mem::swap\n\
             fn base::Trait::run\nfn <base::T~as~base::Trait>::run\nbase::Trait::run => <base::T~as~base::Trait>::run",
        ),
        ("base@2.0.0", "fn danger\nfn new\ndanger -> new"),
        (
            "middle@2.0.0",
            "fn both\nfn maybe\nboth -> base::danger typed\nmaybe -> base::danger name\nboth -> base::Trait::run trait",
        ),
        ("app@0.1.0", "fn main\nfn check test\nmain -> middle::both\ncheck -> base::danger"),
    ]);
    let (mut entry, graph) =
        version("linked-sys@0.1.0", "fn init\nfn evil\u{1b}[2J\u{202e},\"\ninit -> evil\u{1b}[2J\u{202e},\"");
    entry.links = Some("z".to_owned());
    let library = NativeLibrary { name: "z".to_owned(), version: Some("1.3".to_owned()), bundled: true };
    entry.native_libraries = vec![library];
    entry.unsafe_items.blocks = 7;
    let mut appender = fixture.writer.append();
    appender.push(&entry, &graph).unwrap();
    appender.commit().unwrap();
    let table = "base@1.0.0\nbase@2.0.0\nmiddle@2.0.0 base@1.0.0\napp@0.1.0 middle@2.0.0 dev:base@1.0.0\nlinked-sys@0.1.0";
    let graph = fixture.link("today", table);
    let store = Store::open(fixture.directory.path()).unwrap();
    (fixture, store, graph)
}

fn asker(graph: &Graph) -> Asker<'_> {
    Asker::new(graph, Filter::default(), 100)
}

/// The answer to every question.
fn answers(store: &Store, graph: &Graph) -> Vec<Answer> {
    let ask = asker(graph);
    let run = Figures {
        added: 3,
        refused: vec![("bad@1.0.0".to_owned(), "no archive".to_owned())],
        bytes_of_source: 3_000_000,
        seconds: 1.5,
        ..Figures::default()
    };
    [
        ask.callers("base::danger", 3),
        ask.callees("app", 2),
        ask.paths("app::main", "base@1.0.0::danger", 3, 50),
        ask.paths("base::safe", "app::main", 3, 50),
        ask.reach("app::main"),
        ask.blast("base@1"),
        ask.blast("base::danger"),
        ask.unsafe_usage(),
        ask.foreign(),
        ask.search(Search::Substring("danger")),
        ask.search(Search::Substring("nothing of the kind")),
        ask.statistics(store),
        ask.diff("base@1.0.0", "base@2.0.0"),
        ask.dependents("base", true),
        ask.dependencies("app", true),
        ask.top(Ranking::Direct),
        ask.top(Ranking::Transitive),
        ask.top(Ranking::Unsafe),
        ask.latest(),
        ask.duplicates(),
        ask.ecosystem(&run),
        ask.ecosystem(&Figures::default()),
        ask.callees("linked_sys", 1),
    ]
    .into_iter()
    .map(Result::unwrap)
    .collect()
}

fn document(answer: &Answer) -> Value {
    let mut out = Vec::new();
    json(Tool { name: "cratekeeper", version: "0.1.0" }, ASKED, answer, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_document_follows_its_schema() {
    let (_fixture, store, graph) = ecosystem();
    for answer in answers(&store, &graph) {
        let schema = if answer.question == Question::Survey { SURVEY } else { GRAPH };
        let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        let document = document(&answer);
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|it| format!("{}: {it}", it.instance_path())).collect();
        assert_eq!(errors, [""; 0], "{:?}", answer.question);
    }
}

#[test]
fn the_schema_notices_what_is_missing() {
    let (_fixture, _, graph) = ecosystem();
    let validator = jsonschema::validator_for(&serde_json::from_str(GRAPH).unwrap()).unwrap();
    let mut document = document(&asker(&graph).callers("base::danger", 1).unwrap());
    document["calls"][0].as_object_mut().unwrap().remove("certainty");
    assert!(!validator.is_valid(&document));
}

#[test]
fn rows_are_the_same_in_every_form() {
    let (_fixture, store, graph) = ecosystem();
    for answer in answers(&store, &graph) {
        let list = &answer.lists[0];
        let lines = text(|out| json_lines(&answer, out));
        let objects: Vec<Value> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(Value::Array(objects), document(&answer)[list.name], "{:?}", answer.question);
        let table = text(|out| tsv(&answer, out));
        assert_eq!(table.lines().count(), list.rows.len() + 1);
        assert!(table.lines().all(|it| it.split('\t').count() == list.columns.len()), "{table}");
    }
}

#[test]
fn nothing_that_a_publisher_wrote_reaches_a_terminal() {
    let (_fixture, store, graph) = ecosystem();
    for answer in answers(&store, &graph) {
        let page = text(|out| human::graph(TERMINAL, Detail::Verbose, ASKED, &answer, out));
        let drawn = Drawing::of(&answer).map(|it| text(|out| it.dot(out)) + &text(|out| it.svg(out)));
        let all = [
            page,
            text(|out| tsv(&answer, out)),
            text(|out| json_lines(&answer, out)),
            drawn.unwrap_or_default(),
        ];
        for text in all {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        }
    }
    for format in [EdgeFormat::Tsv, EdgeFormat::JsonLines] {
        let all = graph.edges(&EdgeOptions::default()).unwrap();
        let text = text(|out| edges(all, format, out).map(|_| ()));
        assert!(text.contains("evil") && !text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
}

#[test]
fn people_see_ways_with_their_calls() {
    let (_fixture, _, graph) = ecosystem();
    let answer = asker(&graph).paths("app::main", "base::danger", 1, 50).unwrap();
    let page = text(|out| human::graph(TERMINAL, Detail::Normal, ASKED, &answer, out));
    let expected = "way 1: 2 steps, typed at its weakest\n  app@0.1.0::main\n    exact call at src/lib.rs:3\n  middle@2.0.0::both\n    \
                    typed call at src/lib.rs:3\n  base@1.0.0::danger\n";
    assert!(page.starts_with(expected), "{page}");
    assert!(page.contains("result: 1 way\n") && page.contains("next:\n"), "{page}");
}

#[test]
fn only_calls_and_dependencies_are_drawn() {
    let (_fixture, store, graph) = ecosystem();
    for answer in answers(&store, &graph) {
        let is_drawn = matches!(
            answer.question,
            Question::Callers | Question::Callees | Question::Path | Question::Dependencies
        );
        assert_eq!(Drawing::of(&answer).is_some(), is_drawn, "{:?}", answer.question);
    }
    let drawing = Drawing::of(&asker(&graph).callers("base@1.0.0::danger", 3).unwrap()).unwrap();
    assert_eq!(drawing.len(), 5);
    let dot = text(|out| drawing.dot(out));
    assert!(dot.contains("label=\"name\"") || dot.contains("tooltip=\"name\", style=dotted"), "{dot}");
    let svg = text(|out| drawing.svg(out));
    assert!(svg.starts_with("<svg ") && svg.matches("<line ").count() == 4, "{svg}");
}

#[test]
fn calls_are_the_contract_of_other_programs() {
    let (_fixture, _, graph) = ecosystem();
    let callers = Some(asker(&graph).versions_of("middle").unwrap());
    let options = EdgeOptions { callers, ..EdgeOptions::default() };
    let lines = text(|out| edges(graph.edges(&options).unwrap(), EdgeFormat::Tsv, out).map(|_| ()));
    assert_eq!(
        lines,
        "caller\tcallee\tkind\tcertainty\tfile:line\nmiddle::both\tbase::Trait::run\ttrait\texact\tsrc/lib.rs:5\n\
         middle::both\tbase::danger\tcall\ttyped\tsrc/lib.rs:3\nmiddle::maybe\tbase::danger\tcall\tname\tsrc/lib.rs:4\n"
    );
}

/// What Neo4j's importer asks for: every identifier once, every relationship between nodes that there are.
#[test]
fn relationships_join_nodes_that_are_exported() {
    let (_fixture, _, graph) = ecosystem();
    let read = |file: &File| {
        let mut out = Vec::new();
        let rows = file.write(&graph, Labels::Painter, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count() as u64, rows + 1, "{text}");
        let header = text.lines().next().unwrap().to_owned();
        let rows: Vec<Vec<String>> = text
            .lines()
            .skip(1)
            .map(|it| it.trim_matches('"').split("\",\"").map(str::to_owned).collect())
            .collect();
        assert!(rows.iter().all(|it| it.len() == header.split(',').count()), "{text}");
        (header, rows)
    };
    let mut known = std::collections::BTreeMap::new();
    for file in File::all(Labels::Painter).iter().filter(|it| it.has_nodes()) {
        let (header, rows) = read(file);
        let group = header.split([':', '(', ')']).nth(2).unwrap().to_owned();
        let ids: std::collections::BTreeSet<String> = rows.iter().map(|it| it[0].clone()).collect();
        assert_eq!(ids.len(), rows.len());
        known.insert(group, ids);
    }
    for file in File::all(Labels::Painter).iter().filter(|it| !it.has_nodes()) {
        let (header, rows) = read(file);
        let groups: Vec<&str> =
            header.split(',').take(2).map(|it| it.split(['(', ')']).nth(1).unwrap()).collect();
        assert!(!rows.is_empty(), "{}", file.name());
        for row in rows {
            assert!(known[groups[0]].contains(&row[0]) && known[groups[1]].contains(&row[1]), "{row:?}");
        }
    }
    assert!(read(&File::Dependencies).1[0].last().unwrap() == "RESOLVES_TO");
}
