//! `cratekeeper names`: check, index, evaluate.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::world::{Said, World, refused};

/// A corpus as a table, with everything that a database dump has and one column more.
const TABLE: &str = "\
rank,name,downloads,created,snapshot,owners
1,serde,1000,2014-12-05,2025-09,dtolnay
2,reqwest,900,2016-10-16,2025-09,seanmonstar
3,once_cell,800,2018-08-02,2025-09,matklad
4,tracing,700,2017-10-13,2025-09,hawkw;seanmonstar
";

fn world() -> World {
    let world = World::new();
    fs::write(world.path("workspace/corpus.csv"), TABLE).unwrap();
    world
}

fn write(world: &World, name: &str, content: impl AsRef<[u8]>) {
    fs::write(world.path("workspace").join(name), content).unwrap();
}

fn names(world: &World, arguments: &[&str]) -> Said {
    world.run(&[&["names"], arguments].concat())
}

fn check(world: &World, arguments: &[&str]) -> Said {
    names(world, &[&["check", "--format", "json"], arguments].concat())
}

/// The program with a text on its standard input.
fn check_with_input(world: &World, arguments: &[&str], input: &[u8]) -> Said {
    let arguments = [&["names", "check", "--format", "json", "--input", "-"], arguments].concat();
    let mut command = world.command(&arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    world.said(&child.wait_with_output().unwrap())
}

/// Name and level of each result.
fn levels(said: &Said) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let document = said.json();
    let results = document["results"].as_array().unwrap();
    results.iter().map(|it| (text(&it["name"]), text(&it["level"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
}

#[test]
fn a_confusable_name_is_an_alert_with_its_reason() {
    let said = check(&world(), &["oncecell"]);
    assert_eq!((said.code, said.stderr.as_str()), (1, ""));
    let document = said.json();
    assert_eq!(document["schema"], "cratekeeper.names/1");
    assert_eq!(document["tool"], json!({"name": "cratekeeper", "version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(document["corpus"], json!({"path": null, "kind": "crates", "names": 5000}));
    let result = &document["results"][0];
    assert_eq!((&result["name"], &result["level"]), (&json!("oncecell"), &json!("alert")));
    assert_eq!(result["in_corpus"], false);
    let matches = result["matches"].as_array().unwrap();
    let best = &matches[0];
    assert_eq!((&best["target"], &best["check"]), (&json!("once_cell"), &json!("separators")));
    assert_eq!(best["score"], result["score"]);
    assert!(best["explanation"].as_str().unwrap().contains("`once_cell`"), "{best}");
    assert!(matches.is_sorted_by(|a, b| a["score"].as_u64() >= b["score"].as_u64()), "{matches:?}");
}

#[test]
fn names_come_from_arguments_files_and_standard_input() {
    let world = world();
    let corpus = ["--corpus", "corpus.csv"];
    let expected = pairs(&[("reqwests", "alert"), ("something-else", "none")]);
    let said = check(&world, &[&["reqwests", "something-else"], &corpus[..]].concat());
    assert_eq!((said.code, levels(&said)), (1, expected.clone()));
    let said = check_with_input(&world, &corpus, b"reqwests\n\nsomething-else\n");
    assert_eq!((said.code, levels(&said)), (1, expected.clone()));
    write(&world, "names.csv", "created,name\n2026-01-01,something-else\n");
    let said = check(&world, &[&["reqwests", "--input", "names.csv"], &corpus[..]].concat());
    assert_eq!((said.code, levels(&said)), (1, expected));
}

#[test]
fn what_is_known_of_a_name_takes_part() {
    let world = world();
    let judge = |row: &str| {
        let input = format!("name,created,owners\n{row}\n");
        let said = check_with_input(&world, &["--corpus", "corpus.csv"], input.as_bytes());
        said.json()["results"][0]["score"].as_u64().unwrap()
    };
    let stranger = judge("reqwests,2026-01-01,somebody");
    assert!(judge("reqwests,2026-01-01,seanmonstar") < stranger, "its owner made both");
    assert!(judge("reqwests,2015-01-01,somebody") < stranger, "it is older than its target");
}

#[test]
fn harmless_names_and_those_of_the_corpus_are_clean() {
    let world = world();
    let said = check(&world, &["serde", "something-else", "--corpus", "corpus.csv"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let results = said.json()["results"].clone();
    assert_eq!(results[0]["in_corpus"], true);
    assert_eq!((&results[1]["in_corpus"], &results[1]["matches"]), (&json!(false), &json!([])));
}

#[test]
fn names_of_the_corpus_are_judged_on_request() {
    let world = world();
    write(&world, "both.txt", "once_cell\noncecell\n");
    let arguments = ["oncecell", "--corpus", "both.txt"];
    assert_eq!(levels(&check(&world, &arguments)), pairs(&[("oncecell", "none")]));
    let said = check(&world, &[&arguments[..], &["--leave-one-out"]].concat());
    let result = said.json()["results"][0].clone();
    assert_eq!((&result["in_corpus"], &result["matches"][0]["target"]), (&json!(true), &json!("once_cell")));
}

#[test]
fn the_lowest_level_shown_hides_nothing_from_the_counts_and_the_exit_code() {
    let world = world();
    let all = ["something-else", "reqwests", "--corpus", "corpus.csv"];
    let said = check(&world, &[&all[..], &["--min-level", "alert"]].concat());
    assert_eq!((said.code, levels(&said)), (1, pairs(&[("reqwests", "alert")])));
    assert_eq!(
        said.json()["summary"],
        json!({"names": 2, "alert": 1, "review": 0, "none": 1, "not_judged": 0})
    );
}

#[test]
fn publishers_are_compared_with_publishers() {
    let world = world();
    let said = check(&world, &["dtolney", "--publishers"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let document = said.json();
    assert_eq!(document["corpus"]["kind"], "publishers");
    assert_eq!(document["results"][0]["matches"][0]["target"], "dtolnay");
    // The owners of a table of crates, a list of logins, a table of logins.
    write(&world, "logins.txt", "seanmonstar\nhawkw\n");
    write(&world, "logins.csv", "login,since\nseanmonstar,2015\n");
    for (corpus, count) in [("corpus.csv", 4), ("logins.txt", 2), ("logins.csv", 1)] {
        let document = check(&world, &["seanmonstr", "--publishers", "--corpus", corpus]).json();
        assert_eq!(document["corpus"], json!({"path": corpus, "kind": "publishers", "names": count}));
        assert_eq!(document["results"][0]["matches"][0]["target"], "seanmonstar", "{corpus}");
    }
}

#[test]
fn a_snapshot_answers_like_the_table_it_was_made_of() {
    let world = world();
    let said = names(&world, &["index", "corpus.csv", "-o", "corpus.snapshot", "--format", "json"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let document = said.json();
    let size = fs::metadata(world.path("workspace/corpus.snapshot")).unwrap().len();
    assert_eq!(
        (&document["schema"], &document["bytes"]),
        (&json!("cratekeeper.names-index/1"), &json!(size))
    );
    assert_eq!(document["corpus"], json!({"path": "corpus.csv", "kind": "crates", "names": 4}));
    assert!(document["seconds"].is_number(), "{document}");
    let judged = ["reqwests", "oncecell", "tracings", "serde", "x"];
    for more in [&[][..], &["--leave-one-out"], &["--publishers"]] {
        let answer = |corpus| check(&world, &[&judged[..], &["--corpus", corpus], more].concat());
        let (table, snapshot) = (answer("corpus.csv"), answer("corpus.snapshot"));
        assert_eq!(table.json()["results"], snapshot.json()["results"], "{}", snapshot.stderr);
        assert_eq!(table.code, snapshot.code);
    }
}

#[test]
fn a_snapshot_replaces_the_old_one_and_leaves_nothing_else() {
    let world = world();
    write(&world, "publishers.snapshot", "in the way");
    let before = fs::read_dir(world.path("workspace")).unwrap().count();
    let said = names(&world, &["index", "corpus.csv", "-o", "publishers.snapshot", "--publishers"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for text in ["publishers.snapshot", "4 publishers of `corpus.csv`", "next:", "--publishers"] {
        assert!(said.stdout.contains(text), "no `{text}` in {}", said.stdout);
    }
    assert_eq!(fs::read_dir(world.path("workspace")).unwrap().count(), before);
    let said = check(&world, &["seanmonstr", "--publishers", "--corpus", "publishers.snapshot"]);
    assert_eq!(said.json()["corpus"]["names"], 4, "{}", said.stderr);
    refused(
        &check(&world, &["seanmonstr", "--corpus", "publishers.snapshot"]),
        &["publishers.snapshot", "crates are asked for", "pass --publishers"],
    );
}

#[test]
fn a_snapshot_that_cannot_be_written_costs_nothing() {
    let world = world();
    let index = |output| names(&world, &["index", "corpus.csv", "-o", output]);
    refused(&index("corpus.csv"), &["`corpus.csv`", "the corpus itself"]);
    refused(&index("./src/../corpus.csv"), &["the corpus itself"]);
    let said = index("nowhere/names");
    refused(&said, &["failed to write `nowhere/names`", "a directory that exists"]);
    assert!(!said.stderr.contains(".names-"), "the temporary file is nobody's business: {}", said.stderr);
    refused(&index("src"), &["`src`"]);
    assert_eq!(fs::read_to_string(world.path("workspace/corpus.csv")).unwrap(), TABLE);
    assert_eq!(fs::read_dir(world.path("workspace")).unwrap().count(), 2, "a temporary file is left");
}

#[test]
fn allowed_names_are_shown_and_do_not_fail() {
    let world = world();
    let entry = |name: &str, expires: &str| {
        format!(
            "[[allow]]\nname = \"{name}\"\ntarget = \"once_cell\"\nreason = \"ours\"\nexpires = \"{expires}\"\n"
        )
    };
    write(&world, "allow.toml", entry("oncecell", "9999-12-31"));
    let said = check(&world, &["oncecell", "--corpus", "corpus.csv", "--allow", "allow.toml"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let document = said.json();
    let best = &document["results"][0]["matches"][0];
    assert_eq!((&best["target"], &best["score"]), (&json!("once_cell"), &json!(0)));
    assert!(best["explanation"].as_str().unwrap().ends_with("allowed until 9999-12-31: ours"), "{best}");
    assert_eq!(document["stale_allowances"], json!([]));
    // One that is over, and one with nothing to allow.
    write(&world, "allow.toml", entry("oncecell", "2000-01-01") + &entry("serde", "9999-12-31"));
    let said = check(&world, &["oncecell", "serde", "--corpus", "corpus.csv", "--allow", "allow.toml"]);
    assert_eq!(said.code, 1);
    for text in ["`oncecell`", "it expired on 2000-01-01", "`serde`", "nothing to allow"] {
        assert!(said.stderr.contains(text), "no `{text}` in {}", said.stderr);
    }
    let document = said.json();
    let stale = document["stale_allowances"].as_array().unwrap();
    assert_eq!((&stale[0]["why"], &stale[1]["why"]), (&json!("expired"), &json!("nothing_to_allow")));
}

#[test]
fn an_allow_list_that_is_none() {
    let world = world();
    let no_end = "[[allow]]\nname = \"a\"\nreason = \"b\"\n";
    let no_reason = "[[allow]]\nname = \"a\"\nreason = \"\"\nexpires = \"2027-01-01\"\n";
    for (content, expected) in [("not toml", "allow.toml"), (no_end, "expires"), (no_reason, "no reason")] {
        write(&world, "allow.toml", content);
        refused(&check(&world, &["oncecell", "--allow", "allow.toml"]), &["`allow.toml`", expected]);
    }
    refused(&check(&world, &["oncecell", "--allow", "nowhere.toml"]), &["`nowhere.toml`"]);
}

#[test]
fn a_name_that_cannot_be_judged_is_not_clean_and_hides_no_other() {
    let world = world();
    let long = "a".repeat(129);
    for (name, reason) in [
        ("", "the name is empty"),
        (long.as_str(), "129 characters"),
        ("a b", "which no name can have"),
        ("a\u{1b}[2Jb", "which no name can have"),
        ("--", "neither letters nor digits"),
    ] {
        let said = check(&world, &["--corpus", "corpus.csv", "--", name, "serde"]);
        assert_eq!(said.code, 2, "{name}");
        assert!(said.stderr.starts_with("error: failed to judge 1 name"), "{}", said.stderr);
        assert!(said.stderr.contains("\nhint: "), "{}", said.stderr);
        let document = said.json();
        assert_eq!(levels(&said), pairs(&[("serde", "none")]));
        assert_eq!(document["not_judged"][0]["name"], name);
        assert!(document["not_judged"][0]["reason"].as_str().unwrap().contains(reason), "{document}");
    }
    // It beats what was found.
    assert_eq!(check(&world, &["oncecell", "a b"]).code, 2);
    assert_eq!(check_with_input(&world, &[], b"name,created\n,2026-01-01\noncecell,\n").code, 2);
}

/// Letters of other scripts are what attackers use: such names are judged.
#[test]
fn names_of_other_scripts_are_judged_and_spelt_out() {
    let world = world();
    let name = "r\u{435}qwest";
    let said = check(&world, &[name, "--corpus", "corpus.csv"]);
    assert_eq!((said.code, levels(&said)), (1, pairs(&[(name, "alert")])));
    let said = names(&world, &["check", name, "--corpus", "corpus.csv"]);
    assert!(said.stdout.contains("(has U+0435)"), "{}", said.stdout);
}

#[test]
fn nothing_in_a_name_reaches_the_terminal() {
    let world = world();
    let hostile = ["on\u{202e}cecell", "once\u{200b}cell", "x\u{1b}]0;title\u{7}", "y\u{9b}31m"];
    for form in ["human", "json"] {
        for more in [&[][..], &["--verbose"], &["--quiet"]] {
            let said = names(&world, &[&["check", "--format", form], more, &hostile].concat());
            let is_treacherous = |it: char| it.is_control() && it != '\n' || "\u{202e}\u{200b}".contains(it);
            assert!(!said.stdout.contains(is_treacherous), "{:?}", said.stdout);
            assert!(!said.stderr.contains(is_treacherous), "{:?}", said.stderr);
        }
    }
    write(&world, "hostile.csv", "name,rank\nserde,\u{1b}[31m1\u{202e}\n");
    let said = check(&world, &["a", "--corpus", "hostile.csv"]);
    refused(&said, &["hostile.csv", "line 2", "\\u{1b}[31m1\\u{202e}"]);
}

#[test]
fn people_read_the_worst_first_and_what_to_do() {
    let world = world();
    let judged = ["something-else", "tracing", "oncecell", "--corpus", "corpus.csv"];
    let said = names(&world, &[&["check"], &judged[..]].concat());
    insta::assert_snapshot!("names-check", said.stdout);
    let quiet = names(&world, &[&["check", "--quiet"], &judged[..]].concat());
    assert!(
        !quiet.stdout.contains("something-else") && quiet.stdout.contains("oncecell"),
        "{}",
        quiet.stdout
    );
    let clean = names(&world, &["check", "--quiet", "something-else", "--corpus", "corpus.csv"]);
    assert_eq!((clean.code, clean.stdout.as_str()), (0, "result: no names at or above review\n"));
}

#[test]
fn many_harmless_names_are_counted() {
    let world = world();
    let list: String = (0..50).map(|number| format!("unlike-anything-{number}\n")).collect();
    write(&world, "names.txt", list);
    let arguments = ["check", "--input", "names.txt", "--corpus", "corpus.csv"];
    let said = names(&world, &arguments);
    assert!(said.stdout.contains("and 30 more (-v shows all)"), "{}", said.stdout);
    let said = names(&world, &[&arguments[..], &["-v"]].concat());
    assert!(said.stdout.contains("unlike-anything-49"), "{}", said.stdout);
}

#[test]
fn no_names_are_an_error() {
    let world = world();
    refused(&check(&world, &[]), &["there are none", "--input"]);
    refused(&check_with_input(&world, &[], b""), &["standard input", "no names"]);
    refused(&check_with_input(&world, &[], b"name,created\n"), &["standard input", "no names"]);
    refused(&check_with_input(&world, &[], b"a,b\n1,2\n"), &["standard input", "column `name`"]);
}

#[test]
fn a_table_of_names_with_a_value_that_cannot_be() {
    let said = check_with_input(&world(), &[], b"name,created\noncecell,last week\n");
    refused(&said, &["standard input: line 2: `last week`", "a day such as"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = world();
    let list: String = (0..20_000).map(|number| format!("unlike-anything-{number}\n")).collect();
    write(&world, "names.txt", list);
    let arguments = ["names", "check", "--input", "names.txt", "--corpus", "corpus.csv", "--format", "json"];
    let mut child = world.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_exact(&mut [0; 100]).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.stderr.as_slice(), output.status.code()), (&b""[..], Some(0)));
}

#[test]
fn a_corpus_that_is_none() {
    let world = world();
    for (content, expected) in [
        (&b""[..], "no names"),
        (b"rank,downloads\n1,2\n", "column `name`"),
        (b"rank,name\nfirst,serde\n", "line 2: `first` is not a rank"),
        (b"rank,name\n1,serde,3\n", "2 fields"),
        (b"serde\n\xff\xfe\n", "line 2 is not UTF-8"),
        (b"serde\na b\n", "line 2"),
        (b"name,created\nserde,yesterday\n", "a day such as"),
        (b"serde\n\x00\n", "line 2"),
    ] {
        write(&world, "broken", content);
        refused(&check(&world, &["a", "--corpus", "broken"]), &["failed to read `broken`", expected]);
        refused(&names(&world, &["index", "broken", "-o", "new"]), &["failed to read `broken`", expected]);
        refused(&names(&world, &["evaluate", "--corpus", "broken"]), &["`broken`", expected]);
        assert!(!world.path("workspace/new").exists());
    }
    refused(&check(&world, &["a", "--corpus", "nowhere"]), &["`nowhere`", "check the path"]);
    refused(&check(&world, &["a", "--corpus", "src"]), &["`src`", "it is a directory"]);
    refused(&check(&world, &["--input", "src"]), &["`src`", "it is a directory"]);
    refused(&check(&world, &["--input", "nowhere"]), &["`nowhere`", "check the path"]);
    write(&world, "no-owners.csv", "name,owners\nserde,\n");
    refused(&check(&world, &["a", "--publishers", "--corpus", "no-owners.csv"]), &["without owners"]);
}

#[test]
fn a_snapshot_that_is_broken_or_of_another_version() {
    let world = world();
    assert_eq!(names(&world, &["index", "corpus.csv", "-o", "good"]).code, 0);
    let good = fs::read(world.path("workspace/good")).unwrap();
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] ^= byte;
        bytes
    };
    for (bytes, expected) in [
        (changed(good.len() - 1, 1), "damaged"),
        (changed(good.len() / 2, 0xff), "damaged"),
        (good[..good.len() - 10].to_vec(), "ends too early"),
        (good[..20].to_vec(), "ends too early"),
        (changed(16, 0x40), "another version"),
        (changed(20, 0x40), "another version"),
    ] {
        write(&world, "bad", bytes);
        let said = check(&world, &["a", "--corpus", "bad"]);
        refused(&said, &["failed to read `bad`", expected, "cratekeeper names index"]);
    }
}

#[test]
fn a_snapshot_of_crates_without_owners_has_no_publishers() {
    let world = world();
    write(&world, "list.txt", "serde\nreqwest\n");
    assert_eq!(names(&world, &["index", "list.txt", "-o", "crates"]).code, 0);
    let said = check(&world, &["dtolney", "--publishers", "--corpus", "crates"]);
    refused(&said, &["`crates`", "publishers are asked for", "owners"]);
}

#[test]
fn sarif_is_refused() {
    let world = world();
    for arguments in [
        &["check", "oncecell"][..],
        &["index", "corpus.csv", "-o", "new"],
        &["evaluate", "--mutants", "1", "--corpus", "corpus.csv"],
    ] {
        let said = names(&world, &[arguments, &["--format", "sarif"]].concat());
        refused(&said, &["`names` has no SARIF form", "--format json"]);
    }
    assert!(!world.path("workspace/new").exists());
}

/// Two attacks of one ecosystem and one of another, a harmless pair, three harmless names.
fn measured_world() -> World {
    let world = world();
    let pairs = "typo,target,ecosystem,label,class\n\
        oncecell,once_cell,crates-io,malicious,delimiter\n\
        nothing-like-it,serde,crates-io,malicious,other\n\
        reqeusts,requests,pypi,malicious,transposition\n\
        tracings,tracing,crates-io,benign,plural\n";
    write(&world, "pairs.csv", pairs);
    write(&world, "benign.txt", "unlike-anything\nnothing-of-it\nserd\n");
    world
}

const EVALUATE: [&str; 9] = [
    "evaluate",
    "--pairs",
    "pairs.csv",
    "--benign",
    "benign.txt",
    "--corpus",
    "corpus.csv",
    "--mutants",
    "2",
];

#[test]
fn an_evaluation_counts_attacks_harmless_names_and_mutants() {
    let world = measured_world();
    let said = names(&world, &[&EVALUATE[..], &["--format", "json"]].concat());
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let document = said.json();
    assert_eq!(document["schema"], "cratekeeper.names-evaluation/1");
    assert_eq!(document["corpus"]["names"], 4);
    let all = &document["attacks"]["all"];
    assert_eq!(
        all["alert"],
        json!({"part": 2, "of": 3, "share": 0.6667, "low": 0.2077, "high": 0.9385}),
        "{all:#}"
    );
    let named = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named(&document["attacks"]["ecosystems"]), ["crates-io", "pypi"]);
    assert_eq!(
        named(&document["attacks"]["classes"]),
        ["crates-io delimiter", "crates-io other", "pypi transposition"]
    );
    assert_eq!(document["harmless_pairs"]["alert"]["part"], 1);
    assert_eq!(document["benign"]["alert"]["of"], 3);
    assert_eq!(document["curve"].as_array().unwrap().len(), 17);
    let mutants = &document["mutants"];
    assert_eq!((&mutants["wanted"], &mutants["seed"]), (&json!(2), &json!(1)));
    assert_eq!(mutants["classes"][0]["class"], "separator replaced");
    let again = names(&world, &[&EVALUATE[..], &["--format", "json"]].concat());
    assert_eq!(said.stdout, again.stdout, "the same seed gives the same answer");
}

#[test]
fn an_evaluation_reads_as_tables() {
    let world = measured_world();
    let said = names(&world, &EVALUATE);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for text in
        ["66.7 %  [20.8–93.9]", "crates-io delimiter", "harmless names", "trade-off", "letter omitted"]
    {
        assert!(said.stdout.contains(text), "no `{text}` in {}", said.stdout);
    }
    assert!(!said.stdout.contains(": not measured"), "{}", said.stdout);
    assert!(!said.stdout.contains("nothing-like-it"));
    let verbose = names(&world, &[&EVALUATE[..], &["-v"]].concat());
    assert!(verbose.stdout.contains("`nothing-like-it` for `serde`"), "{}", verbose.stdout);
}

#[test]
fn mutants_need_no_data() {
    let world = world();
    let arguments = ["evaluate", "--corpus", "corpus.csv", "--mutants", "1", "--seed", "7"];
    let document = names(&world, &[&arguments[..], &["--format", "json"]].concat()).json();
    assert_eq!((&document["attacks"], &document["curve"]), (&Value::Null, &Value::Null));
    assert_eq!(document["mutants"]["seed"], 7);
}

/// A share of nothing is not a share of zero.
#[test]
fn what_was_not_asked_is_not_measured() {
    let world = measured_world();
    let pairs = ["evaluate", "--pairs", "pairs.csv", "--mutants", "0", "--corpus", "corpus.csv"];
    let said = names(&world, &pairs);
    assert!(said.stdout.contains("harmless names: not measured"), "{}", said.stdout);
    assert!(said.stdout.contains("mutants: not measured"), "{}", said.stdout);
    let document = names(&world, &[&pairs[..], &["--format", "json"]].concat()).json();
    assert_eq!((&document["benign"], &document["mutants"]), (&Value::Null, &Value::Null));
    let point = &document["curve"][0];
    assert_eq!((&point["flagged"]["share"], &point["precision"]["share"]), (&Value::Null, &Value::Null));
    let benign = ["evaluate", "--benign", "benign.txt", "--mutants", "0", "--corpus", "corpus.csv"];
    let said = names(&world, &benign);
    assert!(said.stdout.contains("attacks: not measured"), "{}", said.stdout);
    let document = names(&world, &[&benign[..], &["--format", "json"]].concat()).json();
    assert_eq!((&document["attacks"], &document["harmless_pairs"]), (&Value::Null, &Value::Null));
}

#[test]
fn names_that_cannot_be_judged_are_no_share() {
    let world = measured_world();
    write(&world, "benign.txt", "a b\nserd\n");
    let arguments = ["evaluate", "--benign", "benign.txt", "--mutants", "0", "--corpus", "corpus.csv"];
    let document = names(&world, &[&arguments[..], &["--format", "json"]].concat()).json();
    assert_eq!(
        (&document["benign"]["not_judged"], &document["benign"]["review"]["of"]),
        (&json!(1), &json!(1))
    );
    assert!(names(&world, &arguments).stdout.contains("1 could not be judged"));
}

#[test]
fn an_evaluation_without_data_or_with_bad_data() {
    let world = measured_world();
    refused(&names(&world, &["evaluate", "--mutants", "0"]), &["nothing to measure", "--pairs"]);
    refused(&names(&world, &["evaluate", "--pairs", "nowhere.csv"]), &["`nowhere.csv`"]);
    refused(&names(&world, &["evaluate", "--pairs", "src"]), &["`src`", "directory"]);
    refused(&names(&world, &["evaluate", "--benign", "nowhere.txt"]), &["`nowhere.txt`"]);
    for (content, expected) in [
        ("name,class\noncecell,x\n", "neither a column `target`"),
        ("target,class\noncecell,x\n", "no column `name`"),
        ("typo,target\n", "no names"),
        ("typo,target\na,b,c\n", "2 fields"),
    ] {
        write(&world, "broken.csv", content);
        refused(&names(&world, &["evaluate", "--pairs", "broken.csv"]), &["`broken.csv`", expected]);
    }
    assert_eq!(names(&world, &["evaluate", "--mutants", "-1"]).code, 2);
}
