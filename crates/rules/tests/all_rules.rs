//! All rules over inputs that no rule was written for: no panic, and every answer keeps the promises of the model.

use cratekeeper_model::facts::{
    CharacterClass, CharacterContext, FileEntry, FileKind, ManifestDifference, RefusedEntry, SourceFile,
    SourceFileStatus, SuspiciousCharacter, Target, TargetKind, UnsafeCounters,
};
use cratekeeper_model::{
    Advisory, AdvisoryClass, ArchiveState, Case, Checksum, Facts, Finding, IndexEntry, Known, Level,
    NameMatch, NameMatches, Package, PackageId, PackageSource, RuleInput, Severity,
};
use cratekeeper_rules::{Evaluation, TECHNIQUES, all, judge, score};
use proptest::prelude::*;
use proptest::sample::select;
use semver::Version;

/// Text as publishers write it, and as attackers do.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,12}(/[a-z.]{1,12}){0,3}",
        any::<String>(),
        "[\u{202A}-\u{202E}\u{2066}-\u{2069}\u{200B}-\u{200F}\u{E0041}\u{1B}\n`a|<>;$]{0,40}",
        Just("tests/\u{202E}a".repeat(5_000)),
        Just(String::new()),
    ]
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![
        (any::<u8>(), any::<u64>()).prop_map(|(major, minor)| Version::new(major.into(), minor, 0)),
        Just("1.2.3-rc.1+a.b".parse().expect("a version")),
    ]
}

fn checksum() -> impl Strategy<Value = Checksum> {
    (0..3_u8).prop_map(|byte| Checksum::of(&[byte]))
}

fn known<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Known<T>> {
    (any::<bool>(), value, text()).prop_map(|(is_known, value, reason)| match is_known {
        true => Known::Known(value),
        false => Known::Unknown(reason),
    })
}

fn few<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(value, 0..15)
}

fn source() -> impl Strategy<Value = PackageSource> {
    prop_oneof![
        text().prop_map(PackageSource::Registry),
        text().prop_map(PackageSource::Git),
        text().prop_map(PackageSource::Path),
        Just(PackageSource::Unknown),
    ]
}

fn package() -> impl Strategy<Value = Package> {
    (source(), text(), version(), prop::option::of(checksum())).prop_map(
        |(source, name, version, checksum)| Package {
            id: PackageId::new(&source, &name, &version),
            name,
            version,
            checksum,
            source,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        },
    )
}

fn refusal() -> impl Strategy<Value = RefusedEntry> {
    let codes =
        ["symlink", "truncated", "expansion-ratio", "checksum-mismatch", "vendored-file-added", "new", ""];
    (select(codes.to_vec()), text(), prop::option::of(text()))
        .prop_map(|(code, message, entry)| RefusedEntry { code: code.to_owned(), message, entry })
}

fn archive() -> impl Strategy<Value = ArchiveState> {
    prop_oneof![
        4 => Just(ArchiveState::Read),
        1 => refusal().prop_map(ArchiveState::Refused),
        1 => (checksum(), checksum(), text()).prop_map(|(expected, actual, place)| {
            ArchiveState::ChecksumMismatch { expected, actual, place }
        }),
        1 => text().prop_map(ArchiveState::Unavailable),
    ]
}

fn index() -> impl Strategy<Value = IndexEntry> {
    (any::<bool>(), checksum(), prop::option::of(version())).prop_map(
        |(yanked, checksum, newest_compatible)| IndexEntry {
            yanked,
            checksum,
            newest_compatible,
            age: u64::MAX,
        },
    )
}

fn advisory() -> impl Strategy<Value = Advisory> {
    use AdvisoryClass::{Malicious, Notice, Unmaintained, Unsound, Vulnerability};
    let class = select(vec![Malicious, Notice, Unmaintained, Unsound, Vulnerability]);
    let severity = prop::option::of(select(&Severity::ALL[..]));
    let patched = few(prop_oneof![text(), Just(">=1.0.0, <2.0.0".to_owned())]);
    (text(), text(), class, severity, patched, few(text()), prop::option::of(text())).prop_map(
        |(id, title, class, severity, patched, os, url)| Advisory {
            id,
            aliases: Vec::new(),
            date: String::new(),
            title,
            class,
            severity,
            cvss: None,
            url,
            patched,
            functions: Vec::new(),
            arch: os.clone(),
            os,
        },
    )
}

fn file() -> impl Strategy<Value = FileEntry> {
    use FileKind::{Bytecode, Elf, Empty, Script, StaticLibrary, Text, Wasm};
    let kind = select(vec![Bytecode, Elf, Empty, Script, StaticLibrary, Text, Wasm]);
    (text(), kind, any::<u64>()).prop_map(|(path, kind, size)| FileEntry {
        path,
        size,
        checksum: Checksum::of(b""),
        kind,
        entropy: f32::NAN,
        executable: true,
        hidden: false,
        lines: u32::MAX,
        longest_line: u32::MAX,
        longest_line_number: 0,
    })
}

fn character() -> impl Strategy<Value = SuspiciousCharacter> {
    use CharacterClass::{BidiControl, ConfusableIdentifier, Invisible, Tag};
    use CharacterContext::{Code, Comment, Literal, Text};
    let class = select(vec![BidiControl, BidiControl, BidiControl, ConfusableIdentifier, Invisible, Tag]);
    let context = select(vec![Code, Comment, Literal, Text]);
    (text(), any::<u32>(), any::<u32>(), class, context, any::<bool>(), text()).prop_map(
        |(file, line, code_point, class, context, closed, excerpt)| SuspiciousCharacter {
            file,
            line,
            column: line,
            code_point,
            class,
            context,
            closed,
            excerpt,
        },
    )
}

fn rust_file() -> impl Strategy<Value = SourceFile> {
    use SourceFileStatus::{NotUtf8, Parsed, ParsedWithErrors, TokensOnly};
    let status = select(vec![NotUtf8, Parsed, ParsedWithErrors, TokensOnly]);
    (text(), status, prop::option::of(text()), any::<u32>(), few(any::<u16>())).prop_map(
        |(path, status, problem, problem_line, targets)| SourceFile {
            path,
            size: u64::MAX,
            status,
            errors: u32::MAX,
            problem,
            problem_line,
            targets,
            r#unsafe: UnsafeCounters::default(),
            forbids_unsafe: false,
        },
    )
}

fn target() -> impl Strategy<Value = Target> {
    let kind =
        select(vec![TargetKind::BuildScript, TargetKind::Lib, TargetKind::ProcMacro, TargetKind::Test]);
    (kind, text(), any::<bool>()).prop_map(|(kind, path, exists)| Target {
        kind,
        name: path.clone(),
        path,
        exists,
        required_features: Vec::new(),
    })
}

fn difference() -> impl Strategy<Value = ManifestDifference> {
    let field = prop_oneof![text(), "(package|features|target|dev-dependencies)\\.[a-z.]{0,9}"];
    (field, prop::option::of(text()), prop::option::of(text()))
        .prop_map(|(field, published, original)| ManifestDifference { field, published, original })
}

fn facts() -> impl Strategy<Value = Facts> {
    (
        (few(file()), few(refusal()), few(character()), any::<u64>(), any::<u64>()),
        (few(rust_file()), few(target()), few(difference())),
    )
        .prop_map(|(files, source)| {
            let mut facts = Facts::default();
            (facts.files.entries, facts.files.refused, facts.files.characters, ..) = files;
            (.., facts.files.characters_total, facts.files.compressed_size) = (files.3, files.4);
            (facts.source.rust_files, facts.manifest.targets, facts.manifest.differences) = source;
            facts
        })
}

fn names() -> impl Strategy<Value = NameMatches> {
    let check = select(vec!["separators", "reserved-name", "new"]);
    let one = (text(), check, any::<u8>(), text()).prop_map(|(target, check, score, explanation)| {
        NameMatch { target, check: check.to_owned(), score, explanation }
    });
    (any::<bool>(), select(&Level::ALL[..]), few(one)).prop_map(|(in_corpus, level, matches)| NameMatches {
        in_corpus,
        level,
        matches,
    })
}

fn input() -> impl Strategy<Value = RuleInput> {
    let known = (known(facts()), known(index()), known(few(advisory())), known(names()));
    (package(), archive(), known).prop_map(|(package, archive, (facts, index, advisories, names))| {
        RuleInput { package, archive, facts, index, advisories, names }
    })
}

/// Characters that may not reach a terminal; own list, so that the escaping is not tested by itself.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{E0000}'..='\u{E007F}' | '\u{FEFF}' | '\u{AD}' | '\u{61C}')
}

fn texts(finding: &Finding) -> impl Iterator<Item = &str> {
    let evidence = finding.evidence.iter().flat_map(|it| [Some(it.file.as_str()), it.excerpt.as_deref()]);
    evidence.flatten().chain([finding.message.as_str()]).chain(finding.help.as_deref())
}

fn check(case: &Case) {
    for finding in &case.findings {
        let rule = cratekeeper_rules::find(&finding.rule).expect("a finding names its rule");
        assert!(rule.severities.contains(&finding.severity), "{finding:?}");
        assert!(finding.evidence.len() <= 10, "{finding:?}");
        assert!(finding.help.as_deref().is_some_and(|help| !help.is_empty()), "{finding:?}");
        for text in texts(finding) {
            assert!(!text.contains(is_hidden), "{text:?}");
            assert!(text.chars().count() <= 2_000, "{} characters: {text}", text.chars().count());
        }
    }
    assert!(case.not_evaluated.iter().all(|it| !it.reason.contains(is_hidden)));
    assert!(case.findings.is_sorted_by_key(|it| std::cmp::Reverse((it.severity, it.confidence))));
    assert!(case.techniques.is_sorted());
    assert!(case.techniques.iter().all(|id| TECHNIQUES.iter().any(|it| it.id == id)));
    assert_eq!(case.score, score(&case.findings));
    assert_eq!(case.level == Level::None, case.findings.is_empty());
}

proptest! {
    #[test]
    fn every_answer_keeps_its_promises(input in input()) {
        check(&judge(&input));
    }

    #[test]
    fn the_same_input_gives_the_same_case(input in input()) {
        prop_assert_eq!(judge(&input), judge(&input));
    }
}

fn empty() -> RuleInput {
    let source = PackageSource::Registry("registry+https://registry.example.invalid".to_owned());
    let version = Version::new(0, 0, 0);
    RuleInput {
        package: Package {
            id: PackageId::new(&source, "a", &version),
            name: "a".to_owned(),
            version,
            checksum: None,
            source,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        },
        archive: ArchiveState::Read,
        facts: Known::Known(Facts::default()),
        index: Known::Unknown("offline".to_owned()),
        advisories: Known::Known(Vec::new()),
        names: Known::Known(NameMatches::default()),
    }
}

#[test]
fn when_nothing_is_known_no_rule_is_silent() {
    let input = RuleInput {
        archive: ArchiveState::Unavailable("offline".to_owned()),
        facts: Known::Unknown("offline".to_owned()),
        advisories: Known::Unknown("no database".to_owned()),
        names: Known::Unknown("it is too long".to_owned()),
        ..empty()
    };
    for rule in all() {
        let evaluation = (rule.evaluate)(&input);
        assert!(matches!(evaluation, Evaluation::NotEvaluated(_)), "{}: {evaluation:?}", rule.id);
    }
    let case = judge(&input);
    assert_eq!((case.score, case.level), (0, Level::None));
    assert_eq!(case.not_evaluated.len(), all().len());
}

#[test]
fn an_empty_package_has_no_findings() {
    let case = judge(&empty());
    assert!(case.findings.is_empty());
    let missing: Vec<&str> = case.not_evaluated.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(missing, ["checksum-mismatch", "yanked-version"]);
}
