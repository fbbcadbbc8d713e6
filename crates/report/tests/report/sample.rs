//! Outcomes to render: one of everything, nothing at all, and a hostile one.

use cratekeeper_model::facts::*;
use cratekeeper_model::{
    AdvisoryDatabase, Case, ChainStep, Change, ChangeDirection, ChangeKind, CheckOutcome, Checksum,
    Confidence, Contribution, DependencyKind, DiffOutcome, Difference, Evidence, Facts, Finding,
    InspectOutcome, Known, Level, NotEvaluated, Outcome, Package, PackageId, PackageSource, PackageStatus,
    Severity, SimilarCrate, StepKind, Suggestion, UnresolvedDependency,
};
use cratekeeper_report::human::{Detail, Terminal, Threshold, View};
use cratekeeper_report::{RuleDescription, Tool};

pub(crate) const TOOL: Tool<'static> = Tool { name: "cratekeeper", version: "0.1.0" };

pub(crate) const RULES: [RuleDescription<'static>; 3] = [
    RuleDescription {
        id: "build-script",
        title: "Runs code at build time",
        explanation: "Build scripts and proc macros run on the machine that builds.\n\n- Read them first.\n",
        help_uri: None,
    },
    RuleDescription {
        id: "malicious-version",
        title: "Published to do harm",
        explanation: "An advisory says that this version was published to do harm.\n\nRemove it.\n",
        help_uri: Some("https://docs.example.invalid/rules/malicious-version"),
    },
    RuleDescription {
        id: "vulnerable-version",
        title: "Has a known vulnerability",
        explanation: "An advisory affects this version.\n\n```toml\n[dependencies]\n```\n",
        help_uri: None,
    },
];

pub(crate) const TECHNIQUES: [(u8, &str); 3] = [
    (1, "A build script reaches the network or starts programs"),
    (52, "Files with secrets are named or read"),
    (59, "An archive that different tools unpack to different files"),
];

pub(crate) fn view(detail: Detail) -> View<'static> {
    let terminal = Terminal { color: false, width: 100 };
    View { terminal, detail, threshold: Threshold::default(), rules: &RULES, techniques: &TECHNIQUES }
}

/// A registry package without findings.
fn clean(name: &str, version: &str, line: u32) -> Outcome {
    let version = version.parse().unwrap();
    let source = PackageSource::Registry("sparse+https://registry.example.invalid/index/".to_owned());
    Outcome {
        package: Package {
            id: PackageId::new(&source, name, &version),
            checksum: Some(Checksum::of(name.as_bytes())),
            name: name.to_owned(),
            version,
            source,
            kinds: vec![DependencyKind::Normal],
            platforms: Vec::new(),
            features: Some(vec!["default".to_owned()]),
        },
        status: PackageStatus::Checked,
        reason: None,
        case: Case::default(),
        lockfile_line: Some(line),
        policy: None,
    }
}

fn finding(rule: &str, severity: Severity, message: &str) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity,
        confidence: Confidence::High,
        message: message.to_owned(),
        evidence: Vec::new(),
        help: None,
        advisory: None,
        reachability: None,
        techniques: Vec::new(),
    }
}

fn with_findings(mut outcome: Outcome, score: u8, findings: Vec<Finding>) -> Outcome {
    outcome.case = Case { score, level: Level::of_score(score), findings, ..Case::default() };
    outcome
}

fn with_build_script(name: &str, line: u32) -> Outcome {
    let mut info = finding("build-script", Severity::Info, "It runs `build.rs` while it is built.");
    info.evidence = vec![Evidence::file("build.rs")];
    with_findings(clean(name, "1.0.0", line), 2, vec![info])
}

fn vulnerable() -> Outcome {
    let mut overflow = finding(
        "vulnerable-version",
        Severity::High,
        "RUSTSEC-2021-0003 affects it: a buffer overflow in `SmallVec::insert_many`, which safe code can reach with an \
         iterator that promises fewer items than it gives.",
    );
    overflow.evidence = vec![
        Evidence::line(
            "src/lib.rs",
            1009,
            "pub fn insert_many<I: IntoIterator<Item = A::Item>>(&mut self) {",
        ),
        Evidence::file("src/tests.rs"),
    ];
    overflow.help = Some("Run `cargo update -p smallvec --precise 1.6.1`.".to_owned());
    let mut unsound = finding("vulnerable-version", Severity::Low, "RUSTSEC-2099-0001 affects it: unsound.");
    unsound.confidence = Confidence::Medium;
    let mut outcome = with_findings(clean("smallvec", "1.6.0", 40), 65, vec![overflow, unsound]);
    outcome.package.kinds.push(DependencyKind::Dev);
    outcome
}

fn malicious() -> Outcome {
    let mut harm =
        finding("malicious-version", Severity::Critical, "RUSTSEC-2099-0002 says that it steals SSH keys.");
    harm.evidence = (1..=7).map(|line| Evidence::line("build.rs", line, "Command::new(\"curl\")")).collect();
    harm.help = Some("Remove it, and treat secrets of machines that built it as known to others.".to_owned());
    let script = finding("build-script", Severity::Info, "It runs `build.rs` while it is built.");
    let mut outcome = with_findings(clean("event-helper", "0.3.2", 12), 100, vec![harm, script]);
    outcome.case.techniques = vec![1, 52];
    let step = |kind, text: &str, line| ChainStep {
        kind,
        phase: Some(Phase::BuildTime),
        text: text.to_owned(),
        evidence: Some(Evidence::line("build.rs", line, "…")),
    };
    outcome.case.chain = vec![
        step(StepKind::Gate, "it depends on whether a build service runs it", 3),
        step(StepKind::Collect, "reads {}/.ssh/id_rsa", 5),
        step(StepKind::Send, "sends it to c[.]example[.]invalid", 7),
    ];
    let contribution = |rule: &str, points, reason: &str| Contribution {
        rule: rule.to_owned(),
        points,
        reason: reason.to_owned(),
    };
    outcome.case.contributions = vec![
        contribution("malicious-version", 98, "critical severity, high confidence"),
        contribution("build-script", 2, "info severity, high confidence"),
    ];
    outcome.case.harmless_if = Some("what is read never leaves the machine".to_owned());
    outcome.package.kinds = vec![DependencyKind::Build];
    outcome.package.platforms = vec!["cfg(unix)".to_owned()];
    outcome
}

fn could_not_check() -> Outcome {
    let reason = "the archive is not in the cache, and the network is off";
    let mut outcome = clean("left-behind", "2.0.0", 22);
    outcome.status = PackageStatus::CouldNotCheck;
    outcome.reason = Some(reason.to_owned());
    let rules = ["build-script", "bundled-executable"];
    outcome.case.not_evaluated =
        rules.map(|rule| NotEvaluated { rule: rule.to_owned(), reason: reason.to_owned() }).to_vec();
    outcome
}

fn partial() -> Outcome {
    let mut refused =
        finding("refused-entry", Severity::Medium, "One entry of its archive was refused: a symlink.");
    refused.evidence = vec![Evidence::file("tests/link")];
    let mut outcome = with_findings(clean("half-read", "0.1.0", 18), 31, vec![refused]);
    outcome.status = PackageStatus::Partial;
    outcome.reason = Some("1 of 12 entries was refused".to_owned());
    outcome
}

fn local() -> Outcome {
    let mut outcome = clean("workspace-member", "0.0.0", 70);
    outcome.status = PackageStatus::Local;
    outcome.package.checksum = None;
    outcome.package.source = PackageSource::Path("/projects/demo".to_owned());
    outcome.package.id =
        PackageId::new(&outcome.package.source, &outcome.package.name, &outcome.package.version);
    outcome.package.features = None;
    outcome
}

fn from_git() -> Outcome {
    let mut outcome = clean("forked", "3.1.0", 30);
    outcome.package.source =
        PackageSource::Git("https://git.example.invalid/forked?branch=fix#0123abcd".to_owned());
    outcome.package.id =
        PackageId::new(&outcome.package.source, &outcome.package.name, &outcome.package.version);
    outcome.package.checksum = None;
    outcome
}

fn advisories() -> AdvisoryDatabase {
    AdvisoryDatabase {
        path: "/caches/cratekeeper/advisory-db".to_owned(),
        revision: Some("1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d".to_owned()),
        age: Some(12 * 86_400),
    }
}

/// One package of every kind.
pub(crate) fn check() -> CheckOutcome {
    let mut packages = vec![
        clean("anyhow", "1.0.86", 4),
        malicious(),
        partial(),
        could_not_check(),
        from_git(),
        vulnerable(),
        local(),
    ];
    packages
        .extend((0..11).map(|number| with_build_script(&format!("native-{number}-sys"), 80 + 8 * number)));
    for outcome in &mut packages {
        if matches!(outcome.package.source, PackageSource::Registry(_)) {
            let reason = "the index entry is not in the cache, and the network is off".to_owned();
            outcome.case.not_evaluated.push(NotEvaluated { rule: "yanked-version".to_owned(), reason });
        }
    }
    CheckOutcome {
        lockfile: "/projects/demo/Cargo.lock".to_owned(),
        packages,
        advisories: Known::Known(advisories()),
        notes: vec![
            "The lockfile does not say which platforms need a package: `cargo metadata` failed.".to_owned(),
        ],
        unresolved: Known::Known(vec![mistyped(), just_added()]),
        unread_manifests: Vec::new(),
    }
}

fn mistyped() -> UnresolvedDependency {
    let suggest = |name: &str, in_lockfile| Suggestion {
        name: name.to_owned(),
        in_lockfile,
        explanation: format!("`serde_jsn` is `{name}` with a letter missing"),
    };
    UnresolvedDependency {
        manifest: "/projects/demo/app/Cargo.toml".to_owned(),
        line: 9,
        key: "json".to_owned(),
        name: "serde_jsn".to_owned(),
        suggestions: vec![suggest("serde_json", true), suggest("serde_json5", false)],
    }
}

fn just_added() -> UnresolvedDependency {
    UnresolvedDependency {
        manifest: "/projects/demo/Cargo.toml".to_owned(),
        line: 12,
        key: "rand".to_owned(),
        name: "rand".to_owned(),
        suggestions: Vec::new(),
    }
}

/// The same with one harmless package instead of many.
/// `number` packages whose only finding is the same mild one, and one that has something worse besides.
pub(crate) fn crowd(number: u32) -> CheckOutcome {
    let mild = || finding("bundled-executable", Severity::Low, "the package carries an import library");
    let mut packages: Vec<Outcome> = (0..number)
        .map(|line| with_findings(clean(&format!("import-{line}"), "1.0.0", line + 1), 10, vec![mild()]))
        .collect();
    let worse = finding("yanked-version", Severity::Medium, "the version was yanked");
    packages.push(with_findings(clean("worse", "1.0.0", number + 1), 30, vec![worse, mild()]));
    CheckOutcome { packages, ..empty() }
}

pub(crate) fn short_check() -> CheckOutcome {
    let mut outcome = check();
    outcome.packages.truncate(8);
    outcome
}

/// A lockfile that names nothing.
pub(crate) fn empty() -> CheckOutcome {
    CheckOutcome {
        lockfile: "Cargo.lock".to_owned(),
        packages: Vec::new(),
        advisories: Known::Known(AdvisoryDatabase { age: Some(600), ..advisories() }),
        notes: Vec::new(),
        unresolved: Known::Known(Vec::new()),
        unread_manifests: Vec::new(),
    }
}

/// Escape sequences and bidi controls wherever a publisher could put them.
pub(crate) fn hostile() -> CheckOutcome {
    const EVIL: &str =
        "x\u{1b}[2J\u{1b}]0;t\u{7}\r\u{202e}\u{9b}31m\u{200b}\n[link](https://evil.example.invalid)";
    let mut outcome = malicious();
    let it = &mut outcome.package;
    it.name = EVIL.to_owned();
    it.source = PackageSource::Registry(EVIL.to_owned());
    it.platforms = vec![EVIL.to_owned()];
    it.features = Some(vec![EVIL.to_owned()]);
    it.id = PackageId::new(&it.source, &it.name, &it.version);
    outcome.reason = Some(EVIL.to_owned());
    outcome.case.techniques = vec![59, 64];
    for step in &mut outcome.case.chain {
        step.text = EVIL.to_owned();
        step.evidence = Some(Evidence::line(EVIL, 1, EVIL));
    }
    for contribution in &mut outcome.case.contributions {
        contribution.rule = EVIL.to_owned();
        contribution.reason = EVIL.to_owned();
    }
    outcome.case.harmless_if = Some(EVIL.to_owned());
    outcome.case.not_evaluated = vec![NotEvaluated { rule: EVIL.to_owned(), reason: EVIL.to_owned() }];
    for finding in &mut outcome.case.findings {
        finding.rule = EVIL.to_owned();
        finding.message = EVIL.to_owned();
        finding.help = Some(format!("`cargo update -p {EVIL}`"));
        finding.evidence = vec![Evidence::line(EVIL, 1, EVIL)];
    }
    let mut unchecked = outcome.clone();
    unchecked.status = PackageStatus::CouldNotCheck;
    CheckOutcome {
        lockfile: EVIL.to_owned(),
        packages: vec![outcome, unchecked],
        advisories: Known::Unknown(EVIL.to_owned()),
        notes: vec![EVIL.to_owned()],
        unresolved: Known::Known(vec![UnresolvedDependency {
            manifest: EVIL.to_owned(),
            key: EVIL.to_owned(),
            name: EVIL.to_owned(),
            suggestions: vec![Suggestion {
                name: EVIL.to_owned(),
                in_lockfile: false,
                explanation: EVIL.to_owned(),
            }],
            ..just_added()
        }]),
        unread_manifests: vec![EVIL.to_owned()],
    }
}

pub(crate) fn inspect() -> InspectOutcome {
    let mut outcome = vulnerable();
    outcome.lockfile_line = None;
    InspectOutcome {
        outcome,
        facts: Some(facts()),
        advisories: Known::Unknown("offline".to_owned()),
        notes: Vec::new(),
    }
}

/// Facts with every list filled.
pub(crate) fn facts() -> Facts {
    Facts {
        manifest: manifest(),
        files: files(),
        source: source(),
        calls: Some(calls()),
        flow: FlowFacts::default(),
    }
}

fn target(kind: TargetKind, name: &str, path: &str) -> Target {
    Target { kind, name: name.to_owned(), path: path.to_owned(), exists: true, required_features: vec![] }
}

fn dependency(name: &str, section: DependencySection) -> Dependency {
    Dependency {
        name: name.to_owned(),
        package: None,
        requirement: Some("1".to_owned()),
        section,
        target: None,
        optional: name == "serde",
        default_features: true,
        features: Vec::new(),
        registry: None,
        git: None,
        path: None,
        workspace: false,
    }
}

fn manifest() -> ManifestFacts {
    ManifestFacts {
        name: Some("smallvec".to_owned()),
        version: Some("1.6.0".to_owned()),
        license: Some("MIT OR Apache-2.0".to_owned()),
        repository: Some("https://git.example.invalid/smallvec".to_owned()),
        targets: vec![
            target(TargetKind::Lib, "smallvec", "src/lib.rs"),
            target(TargetKind::BuildScript, "build-script-build", "build.rs"),
        ],
        features: [("write".to_owned(), vec![])].into(),
        dependencies: vec![
            dependency("serde", DependencySection::Normal),
            dependency("libc", DependencySection::Normal),
            dependency("cc", DependencySection::Build),
        ],
        version_control: Some(VersionControl {
            commit: Some("0123456789abcdef".to_owned()),
            dirty: true,
            path: None,
        }),
        has_original: true,
        differences: vec![ManifestDifference {
            field: "dependencies.serde".to_owned(),
            published: Some("1".to_owned()),
            original: None,
        }],
        ..ManifestFacts::default()
    }
}

fn files() -> FileFacts {
    let entry = |path: &str, size| FileEntry {
        path: path.to_owned(),
        size,
        checksum: Checksum::of(path.as_bytes()),
        kind: FileKind::Text,
        entropy: 4.5,
        executable: false,
        hidden: false,
        lines: 100,
        longest_line: 80,
        longest_line_number: 7,
    };
    FileFacts {
        compressed_size: 26_000,
        unpacked_size: 80_000,
        entries: vec![entry("Cargo.toml", 1_000), entry("build.rs", 500), entry("src/lib.rs", 78_500)],
        refused: vec![RefusedEntry {
            code: "symlink".to_owned(),
            message: "`x` is a symbolic link".to_owned(),
            entry: Some("x".to_owned()),
        }],
        characters: vec![SuspiciousCharacter {
            file: "src/lib.rs".to_owned(),
            line: 3,
            column: 4,
            code_point: 0x202e,
            class: CharacterClass::BidiControl,
            context: CharacterContext::Comment,
            closed: false,
            excerpt: "// \\u{202e}".to_owned(),
        }],
        characters_total: 1,
        fingerprint: Fingerprint::default(),
        special: vec![SpecialFile {
            path: ".cargo/config.toml".to_owned(),
            role: SpecialRole::CargoConfiguration,
            settings: vec![Setting {
                key: "build.rustc-wrapper".to_owned(),
                value: "true".to_owned(),
                line: 2,
            }],
            problem: None,
        }],
        remarks: vec![Remark {
            file: "src/lib.rs".to_owned(),
            line: 5,
            column: 120,
            kind: RemarkKind::CodeBehindSpace,
            excerpt: "run();".to_owned(),
        }],
        remarks_total: 1,
    }
}

fn source() -> SourceFacts {
    let counters = UnsafeCounters { functions: Count { safe: 3, r#unsafe: 1 }, ..UnsafeCounters::default() };
    let file = |path: &str, target| SourceFile {
        path: path.to_owned(),
        size: 500,
        status: SourceFileStatus::Parsed,
        errors: 0,
        problem: None,
        problem_line: 0,
        targets: vec![target],
        r#unsafe: counters,
        forbids_unsafe: false,
    };
    let function = Function {
        path: "<SmallVec as Drop>::drop".to_owned(),
        disambiguator: 0,
        file: 0,
        targets: vec![0],
        line: 10,
        end_line: 12,
        start: 100,
        end: 160,
        visibility: "pub".to_owned(),
        container: FunctionContainer::TraitImpl,
        r#unsafe: false,
        abi: None,
        r#async: false,
        r#const: false,
        generic: false,
        receiver: true,
        arity: 1,
        has_body: true,
        cfg: None,
        counters,
    };
    SourceFacts {
        files_total: 2,
        files_parsed: 2,
        rust_files: vec![file("src/lib.rs", 0), file("build.rs", 1)],
        modules: vec![Module {
            target: 0,
            path: String::new(),
            file: 0,
            form: ModuleForm::Root,
            cfg: None,
            line: 0,
        }],
        functions: vec![function],
        r#unsafe: UnsafeCounters { exprs: Count { safe: 12_345, r#unsafe: 67 }, ..counters },
        foreign_blocks: vec![ForeignBlock {
            file: 0,
            line: 5,
            abi: "C".to_owned(),
            r#unsafe: true,
            link: None,
            cfg: Some("unix".to_owned()),
            items: vec![ForeignItem { name: "memcpy".to_owned(), line: 6, is_function: true, safe: false }],
        }],
        linkage: vec![LinkageAttribute { file: 0, line: 7, attribute: "no_mangle".to_owned(), value: None }],
        assembly: vec![AssemblySite {
            file: 0,
            line: 8,
            r#macro: "asm".to_owned(),
            function: Some(0),
            text: "\"syscall\"".to_owned(),
            mentions: vec!["syscall".to_owned()],
        }],
        uses: vec![UseImport {
            file: 1,
            line: 1,
            module: String::new(),
            path: "std::process::Command".to_owned(),
            alias: None,
            visibility: String::new(),
            extern_crate: false,
            cfg: None,
        }],
        includes: vec![Include {
            file: 1,
            line: 2,
            kind: IncludeKind::Env,
            argument: "OUT_DIR".to_owned(),
            literal: true,
        }],
        literals: vec![Literal {
            file: 1,
            line: 3,
            function: None,
            kind: LiteralKind::Url,
            value: "https://files.example.invalid/x".to_owned(),
            length: 31,
        }],
        macros: vec![MacroDefinition {
            name: "smallvec".to_owned(),
            file: 0,
            line: 9,
            exported: true,
            unsafe_tokens: 2,
        }],
        problems: vec!["`mod gone;` in src/lib.rs:4 has no file".to_owned()],
        ..SourceFacts::default()
    }
}

fn calls() -> CallFacts {
    let call = |function, file| Call {
        kind: CallKind::Path,
        callee: "ptr::drop_in_place".to_owned(),
        arity: 1,
        function,
        file,
        line: 11,
        in_unsafe: true,
        in_macro: None,
    };
    CallFacts { calls: vec![call(Some(0), 0), call(None, 1)] }
}

/// An update that brings a build script with the network, and other things that matter.
pub(crate) fn diff() -> DiffOutcome {
    let change =
        |kind, direction, subject: &str, before: Option<&str>, after: Option<&str>, evidence| Change {
            kind,
            direction,
            subject: subject.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            capability: None,
            evidence,
        };
    use ChangeDirection::{Added, Changed, Removed};
    let call = Evidence::line("build.rs", 3, "std::net::TcpStream::connect(\"127.0.0.1:9\")");
    let changes = vec![
        change(
            ChangeKind::BuildScript,
            Added,
            "build.rs",
            None,
            Some("build.rs, 9 lines in 1 files"),
            Vec::new(),
        ),
        Change {
            capability: Some((Capability::Net, Phase::BuildTime)),
            ..change(ChangeKind::Capability, Added, "net at build-time", None, Some("1 place"), vec![call])
        },
        change(
            ChangeKind::Dependency,
            Changed,
            "log",
            Some("log = \"0.4\""),
            Some("log = \"0.5\""),
            Vec::new(),
        ),
        change(ChangeKind::Dependency, Removed, "old", Some("old = \"1\""), None, Vec::new()),
    ];
    let difference = Difference { changes, rust_lines: (100, 1_109), files: (1, 0, 2), left_out: 3 };
    let older = clean("demo", "1.0.0", 1);
    let newer = InspectOutcome { facts: None, ..inspect() };
    DiffOutcome { older, difference: Known::Known(difference), newer }
}

/// A crate that another one is a copy of.
pub(crate) fn similar() -> SimilarCrate {
    SimilarCrate {
        name: "original".to_owned(),
        version: "1.0.0".to_owned(),
        source: Some(97),
        readme: Some(100),
        description: None,
        same_repository: true,
        same_owner: Some(false),
        other_is_older: Some(true),
        differing: vec![Evidence::line("src/lib.rs", 7, "fn new (3 lines) is not in the other")],
        structure: Some(98),
        same_author: None,
        shared_functions: (9, 10),
    }
}
