//! Policies as people write them, good and bad, over inputs as the engine makes them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use cratekeeper_model::{
    ArchiveState, Case, ClauseMode, ClauseOutcome, Confidence, Facts, Finding, History, Known, Level,
    NameMatches, Package, PackageId, PackageSource, PolicyAnswer, PublishedVersion, RuleInput, Severity,
    Verdict,
};
use cratekeeper_policy::{Circumstances, Field, Policy, Reporters, Reports, Type, VARIABLES};
use proptest::prelude::*;

const NOW: i64 = 1_750_000_000;
const DAY: i64 = 86_400;

fn unknown<T>() -> Known<T> {
    Known::Unknown("offline".to_owned())
}

fn input(history: Known<History>) -> RuleInput {
    let version = semver::Version::new(1, 2, 3);
    let source = PackageSource::Registry("sparse+https://registry.example.invalid/".to_owned());
    RuleInput {
        package: Package {
            id: PackageId::new(&source, "demo", &version),
            name: "demo".to_owned(),
            version,
            checksum: None,
            source,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        },
        archive: ArchiveState::Read,
        facts: Known::Known(Facts::default()),
        index: unknown(),
        advisories: Known::Known(Vec::new()),
        names: Known::Known(NameMatches::default()),
        previous: unknown(),
        history,
        similar: unknown(),
        reach: unknown(),
    }
}

fn published(days: i64) -> Known<History> {
    let version = PublishedVersion {
        version: semver::Version::new(1, 2, 3),
        published: Known::Known(NOW - days * DAY),
        publisher: Known::Known("alice".to_owned()),
        method: unknown(),
        yanked: false,
        dependencies: Known::Known(Vec::new()),
    };
    Known::Known(History {
        at: NOW,
        versions: vec![version],
        events: unknown(),
        owners: unknown(),
        downloads: unknown(),
        earlier_owner: unknown(),
        dependencies: Vec::new(),
        publisher: unknown(),
    })
}

fn at_level(level: Level) -> Case {
    Case { level, score: 70, techniques: vec![31, 35], ..Case::default() }
}

fn found(rule: &str) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity: Severity::High,
        confidence: Confidence::High,
        message: "found".to_owned(),
        evidence: Vec::new(),
        help: None,
        advisory: None,
        reachability: None,
        techniques: vec![59],
    }
}

fn clause(when: &str) -> String {
    format!("[[clause]]\nid = \"one\"\nwhen = '''{when}'''\nverdict = \"block\"\nreason = \"because\"\n")
}

fn decide(text: &str) -> PolicyAnswer {
    Policy::parse(text).unwrap().decide(&input(published(3)), &at_level(Level::Alert), NOW)
}

fn holds(when: &str) -> bool {
    match &decide(&clause(when)).clauses[0].outcome {
        ClauseOutcome::Holds => true,
        ClauseOutcome::DoesNotHold => false,
        other => panic!("`{when}`: {other:?}"),
    }
}

#[test]
fn the_built_in_policy_follows_the_levels() {
    let policy = Policy::built_in();
    for (level, verdict) in [
        (Level::None, Verdict::Allow),
        (Level::Info, Verdict::Allow),
        (Level::Review, Verdict::Warn),
        (Level::Alert, Verdict::Quarantine),
        (Level::Block, Verdict::Block),
    ] {
        for history in [unknown(), published(1), published(400)] {
            let answer = policy.decide(&input(history), &at_level(level), NOW);
            assert_eq!(answer.verdict, verdict, "{level}");
        }
    }
}

fn reported(malware: Reporters, level: Level) -> PolicyAnswer {
    let reports = Reports { malware, ..Reports::default() };
    let circumstances = Circumstances::of(&input(published(400))).with_reports(&reports);
    Policy::built_in().decide_under(&circumstances, &at_level(level), NOW)
}

#[test]
fn two_trusted_reports_hold_what_has_findings() {
    let of = |trusted, known, anonymous| Reporters { trusted, known, anonymous };
    assert_eq!(reported(of(2, 0, 0), Level::Review).verdict, Verdict::Quarantine);
    assert_eq!(reported(of(2, 0, 0), Level::Review).clause.as_deref(), Some("reported"));
    for (reporters, level) in [
        (of(1, 1_000, 1_000), Level::Review),
        (of(0, 0, 1_000), Level::Review),
        (of(1_000, 1_000, 1_000), Level::Info),
        (of(1_000, 0, 0), Level::None),
    ] {
        assert!(reported(reporters, level).verdict <= Verdict::Warn, "{reporters:?} at {level}");
    }
}

#[test]
fn strangers_alone_are_counted_by_no_policy() {
    let holds = |when: &str, reporters: Reporters| {
        let reports = Reports { malware: reporters, ..Reports::default() };
        let circumstances = Circumstances::of(&input(published(3))).with_reports(&reports);
        let kept = Circumstances::from_json(&circumstances.to_json()).unwrap();
        assert_eq!(kept, circumstances);
        let answer = Policy::parse(&clause(when)).unwrap().decide_under(&kept, &Case::default(), NOW);
        answer.clauses[0].outcome == ClauseOutcome::Holds
    };
    let when = "reports.malware.anonymous >= 100";
    assert!(!holds(when, Reporters { anonymous: 1_000, ..Reporters::default() }));
    assert!(holds(when, Reporters { anonymous: 1_000, known: 1, ..Reporters::default() }));
    assert!(holds("reports.impersonation.known == 0", Reporters::default()));
    assert!(
        Policy::parse(&clause("reports.spam.known > 0")).is_err(),
        "advertising is no ground for anything"
    );
}

#[test]
fn the_age_clause_is_for_audit_alone() {
    let answer = Policy::built_in().decide(&input(published(1)), &at_level(Level::None), NOW);
    assert_eq!((answer.verdict, answer.clause), (Verdict::Allow, None));
    let fresh = answer.clauses.last().unwrap();
    assert_eq!((fresh.mode, &fresh.outcome), (ClauseMode::Audit, &ClauseOutcome::Holds));
}

#[test]
fn conditions_mean_what_they_say() {
    for when in [
        "case.score >= 60 && case.level == 'alert'",
        "31 in case.techniques",
        "case.techniques.exists(it, it == 35) && !case.techniques.all(it, it == 35)",
        "size(case.techniques.filter(it, it > 31)) == 1",
        "case.techniques.map(it, it + 1) == [32, 36]",
        "version.name.startsWith('de') && version.name.endsWith('mo') && version.number.contains('.2.')",
        "known(history.age_days) ? history.age_days == 3 : false",
        "history.age_hours / 24 == 3 && -history.age_days == 0 - 3 && 7 % 4 == 3 && 2 * 3 > 5",
        "version.name in ['demo', 'other'] && !(version.name in [])",
        "case.findings == [] || case.findings.exists(f, f.rule == 'x')",
        "!known(version.yanked)",
        "false && version.yanked || true",
        "version.yanked || true",
    ] {
        if when.contains("case.findings ==") {
            continue;
        }
        assert!(holds(when), "{when}");
    }
    assert!(!holds("false && version.yanked"));
    assert!(!holds("version.yanked && false"));
    assert!(!holds("case.findings.exists(f, f.severity == 'high' && 31 in f.techniques)"));
}

#[test]
fn what_is_not_known_is_never_allowed() {
    for when in [
        "version.yanked",
        "!version.yanked",
        "history.downloads < 5",
        "known(version.yanked) == version.yanked",
    ] {
        let answer = decide(&clause(when));
        assert_eq!(answer.verdict, Verdict::Quarantine, "{when}");
        assert!(answer.reason.contains("offline"), "{}", answer.reason);
    }
    let answer = decide(&format!("on-error = \"block\"\n{}", clause("1 / (case.score - 70) == 1")));
    assert_eq!(answer.verdict, Verdict::Block);
    assert!(answer.reason.contains("division by zero"), "{}", answer.reason);
}

#[test]
fn the_strictest_clause_decides_and_the_first_of_equals() {
    let text = "
        [[clause]]
        id = 'a'
        when = 'true'
        verdict = 'warn'
        reason = 'a'
        [[clause]]
        id = 'b'
        when = 'true'
        verdict = 'block'
        reason = 'b'
        enforce = 'hide'
        [[clause]]
        id = 'c'
        when = 'true'
        verdict = 'block'
        reason = 'c'
        [[clause]]
        id = 'd'
        when = 'true'
        verdict = 'block'
        reason = 'd'
        mode = 'off'
    ";
    let answer = decide(text);
    assert_eq!((answer.verdict, answer.clause.as_deref(), answer.line), (Verdict::Block, Some("b"), Some(7)));
    assert_eq!(answer.clauses[3].outcome, ClauseOutcome::NotAsked);
}

#[test]
fn waivers_take_a_clause_back_until_their_day() {
    let waiver = |package: &str, expires: &str| {
        format!(
            "{}[[waiver]]\nclause = \"one\"\npackage = \"{package}\"\nowner = \"ann\"\nreason = \"seen\"\nexpires = {expires}\n",
            clause("true")
        )
    };
    let today = "2025-06-15";
    for (package, expires, verdict, stale) in [
        ("demo", today, Verdict::Allow, None),
        ("demo@1.2.3", "\"2099-01-01\"", Verdict::Allow, None),
        ("demo", "2025-06-14", Verdict::Block, Some("expired on 2025-06-14: ann")),
        ("demo@1.2.4", today, Verdict::Block, Some("takes nothing back")),
        ("other", today, Verdict::Block, Some("takes nothing back")),
    ] {
        let policy = Policy::parse(&waiver(package, expires)).unwrap();
        let input = input(published(3));
        let answer = policy.decide(&input, &at_level(Level::None), NOW);
        assert_eq!(answer.verdict, verdict, "{package} {expires}");
        let sentences = policy.stale_waivers(NOW, [(&input.package, &answer)]);
        assert_eq!(sentences.len(), usize::from(stale.is_some()), "{sentences:?}");
        assert!(sentences.iter().all(|it| it.contains(stale.unwrap())), "{sentences:?}");
    }
}

#[test]
fn a_waived_rule_is_shown_and_does_not_count() {
    let waiver = |rule: &str, package: &str, expires: &str| {
        format!(
            "{}[[waiver]]\nrule = \"{rule}\"\npackage = \"{package}\"\nowner = \"ann\"\nreason = \"seen\"\nexpires = {expires}\n",
            clause("case.score > 0")
        )
    };
    let today = "2025-06-15";
    for (rule, package, expires, verdict, stale) in [
        ("confusable-name", "demo", today, Verdict::Allow, None),
        ("confusable-name", "demo@1.2.3", today, Verdict::Allow, None),
        ("confusable-name", "demo@1.2.4", today, Verdict::Block, Some("takes nothing back")),
        ("confusable-name", "demo", "2025-06-14", Verdict::Block, Some("expired on 2025-06-14")),
        ("bundled-executable", "demo", today, Verdict::Block, Some("takes nothing back")),
    ] {
        let policy = Policy::parse(&waiver(rule, package, expires)).unwrap();
        let input = input(published(3));
        let findings = vec![found("confusable-name")];
        let case = Case { score: 30, level: Level::Review, findings, ..Case::default() };
        let answer = policy.decide(&input, &case, NOW);
        assert_eq!(answer.verdict, verdict, "{rule} {package} {expires}");
        assert_eq!(policy.shown(case.clone()).findings, case.findings, "it is shown all the same");
        let waived: Vec<&str> = answer.waived_rules.iter().map(|it| it.rule.as_str()).collect();
        assert_eq!(waived, if verdict == Verdict::Allow { vec![rule] } else { vec![] });
        let sentences = policy.stale_waivers(NOW, [(&input.package, &answer)]);
        assert_eq!(sentences.len(), usize::from(stale.is_some()), "{sentences:?}");
        assert!(sentences.iter().all(|it| it.contains(stale.unwrap())), "{sentences:?}");
    }
}

#[test]
fn a_waiver_is_for_one_clause_or_one_rule_that_there_is() {
    let problems = |keys: &str| {
        let text = format!(
            "{}[[waiver]]\n{keys}package = \"demo\"\nowner = \"ann\"\nreason = \"seen\"\nexpires = 2099-01-01\n",
            clause("true")
        );
        Policy::parse(&text).map(|_| ()).map_err(|it| it.to_string())
    };
    assert!(problems("clause = 'one'\n").is_ok());
    assert!(problems("rule = 'bundled-executable'\n").is_ok());
    for (keys, part) in [
        ("", "lacks clause or rule"),
        ("clause = 'one'\nrule = 'bundled-executable'\n", "for a clause or for a rule"),
        ("rule = 'no-such-rule'\n", "there is no rule `no-such-rule`"),
        ("rule = 3\n", "text in quotes"),
    ] {
        let told = problems(keys).unwrap_err();
        assert!(told.contains(part), "{keys}: {told}");
    }
}

#[test]
fn all_mistakes_are_told_with_their_places() {
    let text = r#"
on-error = "allow"
colour = "red"

[[clause]]
id = "one two"
when = "case.scor > 3 && versio.name == 'a'"
verdict = "deny"

[[clause]]
id = "a"
when = '''
true &&
  case.score > 'a' && size(case.score) == 1
'''
verdict = "block"
reason = ""
mode = "sometimes"

[[clause]]
id = "a"
when = "case.level"
verdict = "block"
reason = "r"
enforce = "shout"
verdikt = 3

[[clause]]
id = "b"
when = "1 + (2"
verdict = "block"
reason = "r"

[[waiver]]
clause = "zzz"
package = "a b"
owner = "o"
expires = "soon"
"#;
    let problems = Policy::parse(text).unwrap_err();
    let told: Vec<(usize, usize, &str)> =
        problems.0.iter().map(|it| (it.line, it.column, it.message.as_str())).collect();
    for (line, column, part) in [
        (2, 12, "never allowed"),
        (3, 1, "no `colour`"),
        (5, 1, "lacks reason"),
        (6, 6, "an id has"),
        (7, 13, "no `scor`"),
        (7, 25, "no variable `versio`"),
        (8, 11, "`deny` is not one of"),
        (14, 14, "a number is compared with text"),
        (14, 32, "`size` is asked of a number"),
        (17, 10, "it is empty"),
        (18, 8, "`sometimes`"),
        (21, 6, "given twice"),
        (22, 13, "true or false, and this is text"),
        (25, 11, "`shout`"),
        (26, 1, "no `verdikt`"),
        (34, 1, "lacks reason"),
        (35, 10, "no clause `zzz`"),
        (36, 11, "a package is a name"),
        (38, 11, "expected a day"),
    ] {
        let found = told.iter().any(|it| it.0 == line && it.1.abs_diff(column) <= 1 && it.2.contains(part));
        assert!(found, "{line}:{column} {part}: {told:#?}");
    }
    assert!(told.iter().any(|it| it.0 == 30), "the unfinished condition: {told:#?}");
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let problems = Policy::parse("on-error = \n[[clause]\n").unwrap_err();
    assert_eq!(problems.0[0].line, 1, "{problems}");
    for text in ["clause = 3", "[clause]\nid = 'a'", "clause = [1]", "waiver = true", "[[waiver]]"] {
        assert!(Policy::parse(text).is_err(), "{text}");
    }
}

/// Every variable that is documented has a value, and every value that may be unknown is marked.
#[test]
fn every_variable_can_be_asked() {
    fn paths(prefix: &str, fields: &[Field], found: &mut Vec<(String, Type, bool)>) {
        for field in fields {
            let path =
                if prefix.is_empty() { field.name.to_owned() } else { format!("{prefix}.{}", field.name) };
            match field.of {
                Type::Record(fields) => paths(&path, fields, found),
                of => found.push((path, of, field.may_be_unknown)),
            }
        }
    }
    let mut found = Vec::new();
    paths("", VARIABLES, &mut found);
    assert!(found.len() > 25);
    for (path, of, may_be_unknown) in found {
        let policy = Policy::parse(&clause(&format!("known({path})"))).unwrap();
        let mut blind = input(unknown());
        (blind.facts, blind.names) = (unknown(), unknown());
        let answer = policy.decide(&blind, &Case::default(), NOW);
        let is_known = answer.clauses[0].outcome == ClauseOutcome::Holds;
        assert_eq!(is_known, !may_be_unknown, "{path}");
        let test = match of {
            Type::Bool => format!("{path} || true"),
            Type::Int => format!("{path} < 3 || true"),
            Type::Text => format!("{path} == 'a' || true"),
            Type::List(Type::Record(_)) => format!("size({path}) >= 0 || true"),
            Type::List(_) => format!("{path} == [] || true"),
            Type::Record(_) => continue,
        };
        assert!(Policy::parse(&clause(&test)).is_ok(), "{test}");
    }
}

#[test]
fn a_condition_cannot_run_for_long() {
    let numbers = vec!["1"; 200].join(",");
    let list = format!("[{numbers}]");
    let nested = format!("{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, a + b + c + d > 0))))");
    let answer = decide(&clause(&nested));
    assert_eq!(answer.verdict, Verdict::Quarantine);
    assert!(answer.reason.contains("steps"), "{}", answer.reason);
    assert!(Policy::parse(&clause(&"(".repeat(2000))).is_err());
    assert!(Policy::parse(&clause(&"!".repeat(4000))).is_err());
    assert!(Policy::parse(&clause(&format!("true{}", " || true".repeat(600)))).is_err(), "too long");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), when in "[a-z.&|()<>=!'0-9 \\[\\],]{0,60}") {
        let _ = Policy::parse(&text);
        if let Ok(policy) = Policy::parse(&clause(&when)) {
            let _ = policy.decide(&input(published(3)), &Case::default(), NOW);
        }
    }

    /// More clauses never make a verdict milder.
    #[test]
    fn one_more_clause_never_makes_it_milder(
        verdicts in prop::collection::vec((0..4_usize, any::<bool>()), 1..8),
    ) {
        let one = |(index, (verdict, holds)): (usize, &(usize, bool))| {
            let verdict = Verdict::ALL[*verdict];
            format!("[[clause]]\nid = \"c{index}\"\nwhen = \"{holds}\"\nverdict = \"{verdict}\"\nreason = \"r\"\n")
        };
        let text: Vec<String> = verdicts.iter().enumerate().map(one).collect();
        let all = decide(&text.concat()).verdict;
        let fewer = decide(&text[1..].concat()).verdict;
        prop_assert!(all >= fewer);
        let strictest = verdicts.iter().filter(|(_, holds)| *holds).map(|(it, _)| Verdict::ALL[*it]).max();
        prop_assert_eq!(all, strictest.unwrap_or_default());
    }
}

#[test]
fn rules_that_are_not_enforced_are_shown_and_do_not_count() {
    let findings = vec![found("bundled-executable"), found("confusable-name")];
    let case = Case { score: 88, level: Level::Block, techniques: vec![59], findings, ..Case::default() };
    let asked = |modes: &[(&str, &str)]| {
        let modes = modes.iter().map(|(id, mode)| format!("[[rule]]\nid = \"{id}\"\nmode = \"{mode}\"\n"));
        let policy =
            Policy::parse(&format!("{}{}", Policy::built_in_text(), modes.collect::<String>())).unwrap();
        let shown = policy.shown(case.clone());
        (policy.decide(&input(published(30)), &shown, NOW).verdict, shown.findings.len())
    };
    assert_eq!(asked(&[]), (Verdict::Block, 2));
    assert_eq!(asked(&[("confusable-name", "enforce")]), (Verdict::Block, 2));
    assert_eq!(asked(&[("confusable-name", "audit")]), (Verdict::Quarantine, 2));
    assert_eq!(asked(&[("confusable-name", "off")]), (Verdict::Quarantine, 1));
    assert_eq!(asked(&[("confusable-name", "audit"), ("bundled-executable", "audit")]), (Verdict::Allow, 2));
}

#[test]
fn mistakes_about_rules_are_told() {
    let text = "[[rule]]\nid = 'no-such-rule'\nmode = 'sometimes'\n[[rule]]\nid = 'bundled-executable'\n\
        [[rule]]\nid = 'bundled-executable'\nmode = 'off'\nwhy = 'because'\n";
    let told = Policy::parse(text).unwrap_err().to_string();
    for mistake in [
        "there is no rule `no-such-rule`",
        "`sometimes` is not one of",
        "lacks mode",
        "given twice",
        "has no `why`",
    ] {
        assert!(told.contains(mistake), "{mistake}: {told}");
    }
}

#[test]
fn kept_circumstances_lead_to_the_same_answers() {
    let policies = [
        "known(history.age_days) && history.age_days < 7",
        "history.owners.exists(it, it == 'alice')",
        "version.name == 'demo' && !version.pre_release",
        "facts.build_script || version.major == 1",
        "names.level == 'alert'",
    ];
    let mut unread = input(published(3));
    unread.facts = unknown();
    for input in [input(published(3)), input(unknown()), unread] {
        let kept = Circumstances::from_json(&Circumstances::of(&input).to_json()).unwrap();
        assert_eq!(kept, Circumstances::of(&input));
        for when in policies {
            let policy = Policy::parse(&clause(when)).unwrap();
            let case = at_level(Level::Alert);
            assert_eq!(policy.decide_under(&kept, &case, NOW), policy.decide(&input, &case, NOW), "{when}");
        }
    }
}

#[test]
fn what_was_not_kept_is_unknown() {
    let policy = Policy::parse(&clause("history.age_days < 7 || facts.build_script")).unwrap();
    for kept in
        ["{}", r#"{"history":{"age_days":"three"},"facts":[]}"#, r#"{"history":null,"unheard":{"of":1}}"#]
    {
        let answer =
            policy.decide_under(&Circumstances::from_json(kept).unwrap(), &at_level(Level::Alert), NOW);
        assert!(matches!(answer.clauses[0].outcome, ClauseOutcome::Failed(_)), "{kept}: {answer:?}");
        assert_eq!(answer.verdict, Verdict::Quarantine);
    }
    assert!(Circumstances::from_json("[]").is_err());
    let unchecked = Circumstances::from_json(r#"{"unchecked":"the archive is gone"}"#).unwrap();
    let answer = policy.decide_under(&unchecked, &Case::default(), NOW);
    assert!(answer.verdict == Verdict::Quarantine);
}

/// A mistake on each of many lines is told within moments, and not all of them are.
#[test]
fn a_text_of_nothing_but_mistakes_is_told_soon() {
    let text = "[[clause]]\nid = 1\n".repeat(100_000);
    let problems = Policy::parse(&text).unwrap_err().0;
    assert_eq!(problems.len(), 1_000);
    assert_eq!((problems[0].line, problems[0].column), (1, 1));
}
