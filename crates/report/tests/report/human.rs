//! What people read.

use cratekeeper_model::{CheckOutcome, InspectOutcome};
use cratekeeper_report::human::{self, Detail, Terminal, Threshold, View};

use crate::sample;

fn check(view: &View<'_>, outcome: &CheckOutcome) -> String {
    let mut out = Vec::new();
    human::check(view, outcome, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn inspect(view: &View<'_>, outcome: &InspectOutcome) -> String {
    let mut out = Vec::new();
    human::inspect(view, outcome, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn check_reads_worst_first() {
    insta::assert_snapshot!(check(&sample::view(Detail::Normal), &sample::check()));
}

#[test]
fn verbose_check_lists_everything() {
    insta::assert_snapshot!(check(&sample::view(Detail::Verbose), &sample::check()));
}

#[test]
fn quiet_check_shows_what_counts() {
    insta::assert_snapshot!(check(&sample::view(Detail::Quiet), &sample::check()));
}

#[test]
fn the_threshold_decides_what_quiet_shows() {
    let threshold = Threshold { severity: None, level: Some(cratekeeper_model::Level::Block) };
    let text = check(&View { threshold, ..sample::view(Detail::Quiet) }, &sample::check());
    assert!(text.contains("critical: malicious-version"), "{text}");
    assert!(!text.contains("info: build-script") && !text.contains("vulnerable-version"), "{text}");
}

#[test]
fn many_alike_mild_findings_share_a_line() {
    let few = check(&sample::view(Detail::Normal), &sample::crowd(3));
    assert_eq!(few.matches("low: bundled-executable").count(), 4, "{few}");
    let many = check(&sample::view(Detail::Normal), &sample::crowd(4));
    // Only beside something worse is it told in full.
    assert_eq!(many.matches("low: bundled-executable").count(), 1, "{many}");
    assert!(many.contains("4 packages: import-0, import-1, import-2, import-3"), "{many}");
    let all = check(&sample::view(Detail::Verbose), &sample::crowd(4));
    assert_eq!(all.matches("low: bundled-executable").count(), 5, "{all}");
}

#[test]
fn empty_check_is_not_alarming() {
    insta::assert_snapshot!(check(&sample::view(Detail::Normal), &sample::empty()), @r"
    summary of Cargo.lock
      packages                0    findings          0
        checked               0      critical        0
        partial               0      high            0
        could not check       0      medium          0
        local                 0      low             0
                                     info            0

    advisories: /caches/cratekeeper/advisory-db at 1a2b3c4d5e6f, updated 10 minutes ago
    result: no packages with findings at or above severity high or level alert

    next: nothing to do until the lockfile or the advisories change
    ");
    insta::assert_snapshot!(check(&sample::view(Detail::Quiet), &sample::empty()), @"0 packages; findings: none");
}

#[test]
fn a_dependency_that_is_not_in_the_lockfile_is_never_overlooked() {
    let mut outcome = sample::empty();
    outcome.unresolved = sample::check().unresolved;
    let quiet = check(&sample::view(Detail::Quiet), &outcome);
    insta::assert_snapshot!(quiet);
    if let cratekeeper_model::Known::Known(dependencies) = &mut outcome.unresolved {
        dependencies.remove(0);
    }
    let normal = check(&sample::view(Detail::Normal), &outcome);
    assert!(normal.contains("\n  cargo update --workspace  # brings"), "{normal}");
    let result = normal.split("result: ").nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(result.contains("level alert; 1 dependency not in the lockfile"), "{result}");
}

#[test]
fn inspect_shows_the_package() {
    insta::assert_snapshot!(inspect(&sample::view(Detail::Normal), &sample::inspect()));
}

#[test]
fn inspect_does_without_facts() {
    let mut outcome = sample::inspect();
    outcome.facts = None;
    outcome.outcome = sample::check().packages.swap_remove(3);
    insta::assert_snapshot!(inspect(&sample::view(Detail::Normal), &outcome), @r"
    left-behind 2.0.0  could not check  (normal)
      could not check: the archive is not in the cache, and the network is off
      checksum    f818d535285287e3180fb489ab718b91fbe44c525b7ec82d1eabd8435ea65427
      source      sparse+https://registry.example.invalid/index/

    not evaluated
      build-script, bundled-executable: not evaluated for 1 package: the archive is not in the cache,
        and the network is off
      yanked-version: not evaluated for 1 package: the index entry is not in the cache, and the network
        is off

    advisories: none; known vulnerabilities were not looked for: offline

    next:
      cratekeeper advisories update  # fetches the advisory database
    ");
}

#[test]
fn explain_shows_the_explanation_as_it_is() {
    let mut out = Vec::new();
    human::explain(Terminal { color: false, width: 80 }, &sample::RULES[1], &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
    malicious-version: Published to do harm

    An advisory says that this version was published to do harm.

    Remove it.

    more: https://docs.example.invalid/rules/malicious-version
    ");
}

#[test]
fn colour_only_adds_escape_sequences() {
    let plain = sample::view(Detail::Verbose);
    let colored = View { terminal: Terminal { color: true, ..plain.terminal }, ..plain };
    for outcome in [sample::check(), sample::hostile()] {
        let colored = check(&colored, &outcome);
        assert!(colored.contains("\u{1b}["));
        assert_eq!(without_styles(&colored), check(&plain, &outcome));
    }
    assert_eq!(without_styles(&inspect(&colored, &sample::inspect())), inspect(&plain, &sample::inspect()));
}

/// Removes `ESC [ … m` and nothing else.
fn without_styles(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (style, rest) = piece.split_once('m').unwrap();
        assert!(style.chars().all(|it| it.is_ascii_digit() || it == ';'), "{style}");
        plain.push_str(rest);
    }
    plain
}

#[test]
fn hostile_text_cannot_reach_the_terminal() {
    let outcome = sample::hostile();
    for detail in [Detail::Quiet, Detail::Normal, Detail::Verbose] {
        let view = sample::view(detail);
        let inspected = InspectOutcome {
            outcome: outcome.packages[0].clone(),
            facts: Some(sample::facts()),
            advisories: outcome.advisories.clone(),
            notes: outcome.notes.clone(),
        };
        for text in [check(&view, &outcome), inspect(&view, &inspected)] {
            assert!(text.contains("\\u{1b}[2J") && text.contains("\\u{202e}"), "{text}");
            assert!(
                !text
                    .chars()
                    .any(|it| (it.is_control() && it != '\n') || it == '\u{202e}' || it == '\u{200b}')
            );
            // Nothing with foreign characters is offered as a command.
            assert!(!text.contains("\n  cargo update"), "{text}");
        }
    }
}

#[test]
fn text_stays_within_the_width() {
    let view = View { terminal: Terminal { color: false, width: 60 }, ..sample::view(Detail::Normal) };
    let text = check(&view, &sample::check());
    // Commands are not wrapped: they are there to be copied.
    let findings = text.split("\nnext:").next().unwrap();
    let long: Vec<&str> = findings.lines().filter(|line| line.chars().count() > 60).collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn diff_as_text() {
    let mut out = Vec::new();
    human::diff(&sample::view(Detail::Normal), &sample::diff(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for expected in [
        "demo 1.0.0",
        "Rust:  100 → 1,109 lines",
        "+ build-script: build.rs, 9 lines in 1 files",
        "+ capability: net at build-time: 1 place",
        "at build.rs:3",
        "| std::net::TcpStream::connect",
        "~ dependency: log: log = \"0.4\" → log = \"0.5\"",
        "- dependency: old = \"1\"",
        "3 more changes are not listed",
    ] {
        assert!(text.contains(expected), "no `{expected}` in {text}");
    }
}

#[test]
fn likeness_as_text() {
    let (outcome, similar) = (sample::inspect(), [sample::similar()]);
    let likes = cratekeeper_report::similar::Likes { package: &outcome.outcome.package, similar: &similar };
    let mut out = Vec::new();
    human::similar(sample::view(Detail::Normal).terminal, &likes, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for expected in
        ["like original 1.0.0", "97 % of the source", "no owner in common; it was first", "9 of 10 functions"]
    {
        assert!(text.contains(expected), "no `{expected}` in {text}");
    }
}
