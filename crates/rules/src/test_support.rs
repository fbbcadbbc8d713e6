//! The one way in which rules are tested: a version that no rule minds, changed in one place.

pub(crate) mod history;

use cratekeeper_model::facts::{
    Capability, ConstantText, Decoding, Dependency, DependencySection, FileEntry, FileKind, Flow, FlowSource,
    Gate, GateKind, Include, IncludeKind, LinkageAttribute, Operation, OperationKind, Phase, Quality, Remark,
    RemarkKind, Setting, SourceFile, SourceFileStatus, SpecialFile, SpecialRole, SuspiciousCharacter, Target,
    TargetKind, Topic, UnsafeCounters,
};
use cratekeeper_model::{
    Advisory, AdvisoryClass, ArchiveState, Change, ChangeDirection, ChangeKind, Checksum, Confidence,
    Difference, Evidence, Facts, Finding, IndexEntry, Known, NameMatches, Package, PackageId, PackageSource,
    Previous, RuleInput, Severity,
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
        index: Known::Known(IndexEntry {
            yanked: false,
            checksum,
            newest_compatible: None,
            age: 60,
            declared: None,
        }),
        advisories: Known::Known(Vec::new()),
        names: Known::Known(NameMatches::default()),
        previous: unknown(),
        history: unknown(),
        similar: unknown(),
        reach: unknown(),
    }
}

/// What most tests do not need.
fn unknown<T>() -> Known<T> {
    Known::Unknown("not needed here".to_owned())
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

/// A package whose behaviour is told operation by operation: a build script, a library and a test.
pub(crate) struct Deeds {
    facts: Facts,
}

/// Number of a function: `main` of the build script, another one that it calls, a public function of the library, one that
/// it calls, a test.
pub(crate) const BUILD: u32 = 0;
pub(crate) const BUILD_INNER: u32 = 1;
pub(crate) const LIBRARY: u32 = 2;
pub(crate) const LIBRARY_INNER: u32 = 3;
pub(crate) const TEST: u32 = 4;

impl Deeds {
    pub(crate) fn new() -> Deeds {
        let mut facts = Facts::default();
        facts.manifest.targets = vec![
            target(TargetKind::BuildScript, "build.rs"),
            target(TargetKind::Lib, "src/lib.rs"),
            target(TargetKind::Test, "tests/all.rs"),
        ];
        let parsed = SourceFileStatus::Parsed;
        facts.source.rust_files = vec![
            rust_file("build.rs", parsed, &[0]),
            rust_file("src/lib.rs", parsed, &[1]),
            rust_file("tests/all.rs", parsed, &[2]),
        ];
        Deeds { facts }
    }

    /// The same, with a procedural macro for a library.
    pub(crate) fn of_macro() -> Deeds {
        let mut deeds = Deeds::new();
        deeds.facts.manifest.targets[1].kind = TargetKind::ProcMacro;
        deeds
    }

    /// Does something in a function, and returns its number.
    pub(crate) fn act(&mut self, function: u32, kind: OperationKind, arguments: &[&str]) -> u32 {
        let is_macro = self.facts.manifest.targets[1].kind == TargetKind::ProcMacro;
        let (file, phase, chain) = match function {
            BUILD => (0, Phase::BuildTime, vec![]),
            BUILD_INNER => (0, Phase::BuildTime, vec![BUILD, BUILD_INNER]),
            LIBRARY if is_macro => (1, Phase::BuildTime, vec![]),
            LIBRARY => (1, Phase::RunTime, vec![]),
            LIBRARY_INNER => (1, Phase::RunTime, vec![LIBRARY, LIBRARY_INNER]),
            _ => (2, Phase::Test, vec![]),
        };
        let number = self.facts.flow.operations.len() as u32;
        self.facts.flow.operations.push(Operation {
            kind,
            path: format!("example::{kind:?}"),
            file,
            line: number + 1,
            function: Some(function),
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
            qualities: Vec::new(),
            gates: Vec::new(),
            phases: vec![phase],
            chain,
        });
        number
    }

    /// Gives an operation a quality.
    pub(crate) fn quality(&mut self, act: u32, quality: Quality) -> &mut Deeds {
        self.facts.flow.operations[act as usize].qualities.push(quality);
        self
    }

    /// Puts a text into an operation.
    pub(crate) fn text(&mut self, act: u32, value: &str, topic: Topic, decodings: &[Decoding]) -> &mut Deeds {
        let Operation { file, line, function, .. } = self.facts.flow.operations[act as usize];
        self.facts.flow.texts.push(ConstantText {
            value: value.to_owned(),
            decodings: decodings.to_vec(),
            topics: vec![topic],
            file,
            line,
            function,
            operation: Some(act),
        });
        self
    }

    /// Lets a value get from one operation to another.
    pub(crate) fn flow(&mut self, source: FlowSource, from: Option<u32>, into: u32) -> &mut Deeds {
        self.facts.flow.flows.push(Flow {
            source,
            from,
            into,
            transformations: Vec::new(),
            steps: Vec::new(),
        });
        self
    }

    /// Puts an operation under a condition.
    pub(crate) fn gate(&mut self, act: u32, kind: GateKind, text: &str) -> &mut Deeds {
        let Operation { file, line, function, .. } = self.facts.flow.operations[act as usize];
        let number = self.facts.flow.gates.len() as u32;
        self.facts.flow.gates.push(Gate { kind, text: text.to_owned(), file, line, function });
        self.facts.flow.operations[act as usize].gates.push(number);
        self
    }

    /// Changes the rest.
    pub(crate) fn facts(&mut self) -> &mut Facts {
        &mut self.facts
    }

    pub(crate) fn input(&self) -> RuleInput {
        RuleInput { facts: Known::Known(self.facts.clone()), ..input() }
    }
}

/// Asserts that `rule` finds one thing of this severity that points to these techniques, and returns it.
#[track_caller]
pub(crate) fn points(rule: &Rule, deeds: &Deeds, severity: Severity, techniques: &[u8]) -> Finding {
    let mut findings = findings(rule, &deeds.input());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = findings.remove(0);
    assert_eq!((finding.severity, finding.techniques.as_slice()), (severity, techniques), "{finding:#?}");
    finding
}

/// [`input`] as an update of `since` with these changes.
pub(crate) fn updated(since: &str, changes: Vec<Change>) -> RuleInput {
    let difference = Difference { changes, ..Difference::default() };
    let version = since.parse().expect("a version");
    RuleInput { previous: Known::Known(Previous { version, difference }), ..input() }
}

/// Something new.
pub(crate) fn added(kind: ChangeKind, subject: &str) -> Change {
    Change {
        kind,
        direction: ChangeDirection::Added,
        subject: subject.to_owned(),
        before: None,
        after: Some(subject.to_owned()),
        capability: None,
        evidence: vec![Evidence::file("src/lib.rs")],
    }
}

/// A new capability.
pub(crate) fn capability(capability: Capability, phase: Phase) -> Change {
    Change { capability: Some((capability, phase)), ..added(ChangeKind::Capability, "a capability") }
}
/// A version with one Rust file that one target reaches, changed.
pub(crate) fn with_rust(path: &str, kind: TargetKind, change: impl FnOnce(&mut Facts)) -> RuleInput {
    with(|facts| {
        facts.manifest.targets.push(target(kind, path));
        facts.source.rust_files.push(rust_file(path, SourceFileStatus::Parsed, &[0]));
        change(facts);
    })
}

/// A remark in this file.
pub(crate) fn remark(file: &str, kind: RemarkKind) -> Remark {
    Remark { file: file.to_owned(), line: 3, column: 9, kind, excerpt: "text".to_owned() }
}

/// A special file with these settings.
pub(crate) fn special(path: &str, role: SpecialRole, settings: &[(&str, &str)]) -> SpecialFile {
    let setting =
        |(key, value): &(&str, &str)| Setting { key: (*key).to_owned(), value: (*value).to_owned(), line: 2 };
    SpecialFile {
        path: path.to_owned(),
        role,
        settings: settings.iter().map(setting).collect(),
        problem: None,
    }
}

/// A macro of a literal in the first Rust file.
pub(crate) fn include(kind: IncludeKind, argument: &str) -> Include {
    Include { file: 0, line: 4, kind, argument: argument.to_owned(), literal: true }
}

/// An attribute in the first Rust file.
pub(crate) fn linkage(attribute: &str, value: &str) -> LinkageAttribute {
    LinkageAttribute { file: 0, line: 5, attribute: attribute.to_owned(), value: Some(value.to_owned()) }
}

/// An ordinary dependency.
pub(crate) fn dependency(name: &str) -> Dependency {
    Dependency {
        name: name.to_owned(),
        package: None,
        requirement: Some("1".to_owned()),
        section: DependencySection::Normal,
        target: None,
        optional: false,
        default_features: true,
        features: Vec::new(),
        registry: None,
        git: None,
        path: None,
        workspace: false,
    }
}

/// An operation in the first Rust file, at build time.
pub(crate) fn operation(kind: OperationKind, argument: &str) -> Operation {
    Operation {
        kind,
        path: "std::function".to_owned(),
        file: 0,
        line: 6,
        function: None,
        arguments: vec![argument.to_owned()],
        qualities: Vec::new(),
        gates: Vec::new(),
        phases: vec![Phase::BuildTime],
        chain: Vec::new(),
    }
}
