//! The one way in which rules are tested: a version that no rule minds, changed in one place.

use cratekeeper_model::facts::{
    FileEntry, FileKind, SourceFile, SourceFileStatus, SuspiciousCharacter, Target, TargetKind,
    UnsafeCounters,
};
use cratekeeper_model::{
    Advisory, AdvisoryClass, ArchiveState, Checksum, Confidence, Facts, Finding, IndexEntry, Known,
    NameMatches, Package, PackageId, PackageSource, RuleInput, Severity,
};

use crate::rule::{Evaluation, Rule};

/// `demo` 1.2.3 from a registry, everything known and nothing wrong with it.
pub(crate) fn input() -> RuleInput {
    let source = PackageSource::Registry("sparse+https://registry.example.invalid/".to_owned());
    let version = semver::Version::new(1, 2, 3);
    let checksum = Checksum::of(b"demo");
    RuleInput {
        package: Package {
            id: PackageId::new(&source, "demo", &version),
            name: "demo".to_owned(),
            version,
            checksum: Some(checksum),
            source,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        },
        archive: ArchiveState::Read,
        facts: Known::Known(Facts::default()),
        index: Known::Known(IndexEntry { yanked: false, checksum, newest_compatible: None, age: 60 }),
        advisories: Known::Known(Vec::new()),
        names: Known::Known(NameMatches::default()),
    }
}

/// [`input`] with other facts.
pub(crate) fn with(change: impl FnOnce(&mut Facts)) -> RuleInput {
    let mut facts = Facts::default();
    change(&mut facts);
    RuleInput { facts: Known::Known(facts), ..input() }
}

/// [`input`] whose index says that `version` is the newest compatible one.
pub(crate) fn with_newest(version: &str) -> RuleInput {
    let mut input = input();
    if let Known::Known(index) = &mut input.index {
        index.newest_compatible = Some(version.parse().unwrap());
    }
    input
}

/// What `rule` finds; it must have looked at everything.
pub(crate) fn findings(rule: &Rule, input: &RuleInput) -> Vec<Finding> {
    match (rule.evaluate)(input) {
        Evaluation::Findings(findings) => findings,
        other => panic!("`{}` could not look at everything: {other:?}", rule.id),
    }
}

/// Severities and confidences of what `rule` finds.
pub(crate) fn weights(rule: &Rule, input: &RuleInput) -> Vec<(Severity, Confidence)> {
    findings(rule, input).iter().map(|it| (it.severity, it.confidence)).collect()
}

/// Asserts that `rule` finds exactly one thing, of this weight, and returns it.
#[track_caller]
pub(crate) fn one(rule: &Rule, input: &RuleInput, severity: Severity, confidence: Confidence) -> Finding {
    let mut findings = findings(rule, input);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = findings.remove(0);
    assert_eq!((finding.severity, finding.confidence), (severity, confidence), "{finding:#?}");
    finding
}

/// Asserts that `rule` looks and stays silent.
#[track_caller]
pub(crate) fn silent(rule: &Rule, input: &RuleInput) {
    assert_eq!(findings(rule, input), [], "`{}` should be silent", rule.id);
}

/// Asserts that `rule` says that it could not look.
#[track_caller]
pub(crate) fn not_evaluated(rule: &Rule, input: &RuleInput) {
    let evaluation = (rule.evaluate)(input);
    assert!(matches!(evaluation, Evaluation::NotEvaluated(_)), "{evaluation:?}");
}

/// An advisory of this class, without severity, fix or limits.
pub(crate) fn advisory(class: AdvisoryClass) -> Advisory {
    Advisory {
        id: "RUSTSEC-2099-0001".to_owned(),
        aliases: Vec::new(),
        date: "2099-01-01".to_owned(),
        title: "a title".to_owned(),
        class,
        severity: None,
        cvss: None,
        url: Some("https://advisories.example.invalid/1".to_owned()),
        patched: Vec::new(),
        functions: Vec::new(),
        os: Vec::new(),
        arch: Vec::new(),
    }
}

/// A file of this kind.
pub(crate) fn file(path: &str, kind: FileKind) -> FileEntry {
    FileEntry {
        path: path.to_owned(),
        size: 64,
        checksum: Checksum::of(path.as_bytes()),
        kind,
        entropy: 1.0,
        executable: false,
        hidden: false,
        lines: 0,
        longest_line: 0,
        longest_line_number: 0,
    }
}

/// A Rust file that these targets reach.
pub(crate) fn rust_file(path: &str, status: SourceFileStatus, targets: &[u16]) -> SourceFile {
    let parsed = status == SourceFileStatus::Parsed;
    SourceFile {
        path: path.to_owned(),
        size: 64,
        status,
        errors: u32::from(!parsed),
        problem: (!parsed).then(|| "expected an item".to_owned()),
        problem_line: if parsed { 0 } else { 7 },
        targets: targets.to_vec(),
        r#unsafe: UnsafeCounters::default(),
        forbids_unsafe: false,
    }
}

/// A target whose root file is part of the package.
pub(crate) fn target(kind: TargetKind, path: &str) -> Target {
    Target {
        kind,
        name: "demo".to_owned(),
        path: path.to_owned(),
        exists: true,
        required_features: Vec::new(),
    }
}

/// One suspicious character per call; the count is kept.
pub(crate) fn add_character(facts: &mut Facts, character: SuspiciousCharacter) {
    facts.files.characters.push(character);
    facts.files.characters_total += 1;
}
