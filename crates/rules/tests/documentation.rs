//! `docs/rules.md` is written from the rules. `UPDATE_DOCS=1 cargo test -p cratekeeper-rules` writes it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cratekeeper_model::Severity;
use cratekeeper_rules::{POINTS, Rule, TECHNIQUES, WEIGHTS, all, find};

const PREFACE: &str = "\
# Rules

<!-- Written from `crates/rules` by `UPDATE_DOCS=1 cargo test -p cratekeeper-rules`; edit the rules, not this file. -->

A rule looks at what is known about one version and makes *findings*. Each finding has a severity (how bad it is if it
is true) and a confidence (how sure the rule is), and points to the places that support it. A rule that lacks its
input is listed as *not evaluated*: silence always means that it looked and found nothing. No rule excuses a crate by
name, checksum or publisher; `confusable-name` alone does not look at names that others are taken for.

What belongs to no version is told beside the rules: `cratekeeper explain unresolved-dependency` is about dependencies that
the lockfile lacks.
";

const SCORE: &str = "
The score of a version is 0 without findings. One finding alone scores what the table says; several are combined like
independent doubts, `100 × (1 − (1 − a/100) × (1 − b/100) × …)`, so each adds less than the one before and none takes
away. The second finding of the same rule counts half, the third a quarter, and so on: ten vulnerabilities are one
neglected crate, ten different rules are a pattern. Findings of severity low and info together add at most 29.

Levels: `info` below 30, `review` from 30, `alert` from 60, `block` from 85; `none` without findings.
";

const CHAINS: &str = "
Single signs do not decide: rules of the family *correlation* tie those that belong to the same attack into a chain, and add
up what each tie is worth. 4 or 5 points give a finding of severity low, 6 or 7 medium, 8 or 9 high with medium confidence, 10
or 11 high with high confidence, 12 critical with medium and 13 critical with high confidence. A row counts once in a chain;
conditions count at most 3 together, and so does keeping quiet.

Below `alert` no chain is worse than medium: one of severity high whose case stays below counts as medium with high confidence.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document() -> String {
    let mut text = PREFACE.to_owned();
    text += "\n| rule | severity | what a hit means |\n|---|---|---|\n";
    for rule in all() {
        text += &format!("| [`{id}`](#{id}) | {} | {} |\n", severities(rule), rule.title, id = rule.id);
    }
    text += "\n# Score\n";
    text += SCORE;
    text += "\n| severity | low confidence | medium | high | reason |\n|---|---|---|---|---|\n";
    for row in WEIGHTS {
        let [low, medium, high] = row.scores;
        text += &format!("| {} | {low} | {medium} | {high} | {} |\n", row.severity, row.reason);
    }
    text += "\n# Chains\n";
    text += CHAINS;
    text += "\n| points | what was seen |\n|---|---|\n";
    for point in POINTS {
        text += &format!("| {} | {} |\n", point.amount, point.reason);
    }
    text +=
        "\n# Attack techniques\n\nA finding may point to how an attack works, whichever rule noticed it:\n\n";
    text += "| technique | what it is | rules |\n|---|---|---|\n";
    for technique in TECHNIQUES {
        let rules = all().iter().filter(|rule| rule.techniques.contains(&technique.number));
        let rules: Vec<String> = rules.map(|rule| format!("[`{id}`](#{id})", id = rule.id)).collect();
        text += &format!("| {} | {} | {} |\n", technique.number, technique.title, rules.join(", "));
    }
    text += "\n# The rules\n";
    for rule in all() {
        text += &format!("\n## {}\n\n{}. Severity: {}.", rule.id, rule.title, severities(rule));
        if !rule.techniques.is_empty() {
            let numbers: Vec<String> = rule.techniques.iter().map(u8::to_string).collect();
            text += &format!(" Techniques: {}.", numbers.join(", "));
        }
        text += &format!("\n\n{}\n", rule.explanation);
    }
    text
}

/// `info to medium`.
fn severities(rule: &Rule) -> String {
    match rule.severities {
        [one] => one.to_string(),
        [first, .., last] => format!("{first} to {last}"),
        [] => String::new(),
    }
}

#[test]
fn the_document_is_up_to_date() {
    let path = root().join("docs/rules.md");
    if std::env::var_os("UPDATE_DOCS").is_some_and(|it| it == "1") {
        std::fs::write(&path, document()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        written == document(),
        "`docs/rules.md` is not what the rules say; run `UPDATE_DOCS=1 cargo test -p cratekeeper-rules`"
    );
}

#[test]
fn ids_files_and_anchors_agree() {
    let ids: BTreeSet<String> = all().iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(ids.len(), all().len(), "ids are unique");
    let files: BTreeSet<String> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().replace('_', "-"))
        .collect();
    assert_eq!(ids, files, "one file per rule, named like it");
    // The other test proves that this is what the file holds.
    let document = document();
    let anchors: Vec<&str> = document.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(anchors, ids.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn rules_are_sorted_and_found() {
    assert!(all().is_sorted_by(|a, b| a.id < b.id));
    for rule in all() {
        assert_eq!(find(rule.id).unwrap().id, rule.id);
    }
    assert!(find("no-such-rule").is_none());
}

#[test]
fn rules_are_documented_alike() {
    for rule in all() {
        assert!(rule.id.chars().all(|it| it.is_ascii_lowercase() || it == '-'), "{}", rule.id);
        assert!(!rule.title.contains('\n') && !rule.title.ends_with('.') && !rule.title.is_empty());
        for part in ["**Looks at:**", "**Why:**", "**Harmless when:**", "**What to do:**"] {
            assert_eq!(rule.explanation.matches(part).count(), 1, "{part} of `{}`", rule.id);
        }
        assert!(!rule.severities.is_empty() && rule.severities.is_sorted(), "{}", rule.id);
        let is_range = rule.severities.windows(2).all(|it| it[1] as u8 == it[0] as u8 + 1);
        assert!(is_range || rule.severities == Severity::ALL, "{}", rule.id);
    }
}

#[test]
fn techniques_are_listed() {
    assert!(TECHNIQUES.is_sorted_by(|a, b| a.number < b.number));
    let listed: BTreeSet<u8> = TECHNIQUES.iter().map(|it| it.number).collect();
    let used: BTreeSet<u8> = all().iter().flat_map(|rule| rule.techniques).copied().collect();
    assert!(used.is_subset(&listed), "{:?}", used.difference(&listed));
}
