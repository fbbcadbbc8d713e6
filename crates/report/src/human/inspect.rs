//! `inspect` as text.

use std::collections::BTreeMap;

use cratekeeper_model::facts::{
    Count, DependencySection, FileFacts, ManifestFacts, Phase, SourceFacts, Target, TargetKind,
};
use cratekeeper_model::{Facts, InspectOutcome, Outcome, PackageStatus};

use super::page::{Page, Tone};
use super::{View, findings, groups, next};
use crate::text::{count, size, thousands};

/// Everything, beginning with what the package is and ending with what to do.
pub(super) fn full(page: &mut Page, view: &View<'_>, outcome: &InspectOutcome) {
    header(page, outcome);
    if let Some(facts) = &outcome.facts {
        targets(page, &facts.manifest);
        dependencies(page, &facts.manifest);
        capabilities(page, facts);
        unsafe_counters(page, &facts.source);
        source(page, facts);
    }
    judgement(page, view, outcome);
}

/// What rules make of it, what they could not look at, and what to do next.
pub(super) fn judgement(page: &mut Page, view: &View<'_>, outcome: &InspectOutcome) {
    let package = &outcome.outcome;
    if !package.case.findings.is_empty() {
        page.heading(Tone::Strong, "findings");
        findings::story(page, view, package);
        for finding in &package.case.findings {
            findings::finding(page, finding, view.detail);
        }
    }
    groups::not_evaluated(page, view, [package].into_iter());
    if !outcome.notes.is_empty() {
        page.heading(Tone::Warning, "notes");
        for note in &outcome.notes {
            page.paragraph(2, note);
        }
    }
    page.blank();
    findings::advisories(page, &outcome.advisories);
    next::after_inspect(page, outcome);
}

/// The head line, what reaches the threshold, and why something could not be checked.
pub(super) fn quiet(page: &mut Page, view: &View<'_>, outcome: &InspectOutcome) {
    let package = &outcome.outcome;
    findings::head(page, package);
    reason(page, &outcome.outcome);
    findings::story(page, view, package);
    for finding in package.case.findings.iter().filter(|it| view.threshold.is_reached(&package.case, it)) {
        findings::finding(page, finding, view.detail);
    }
}

fn header(page: &mut Page, outcome: &InspectOutcome) {
    let package = &outcome.outcome.package;
    findings::head(page, &outcome.outcome);
    reason(page, &outcome.outcome);
    let checksum = package.checksum.map(|it| it.to_string());
    field(page, "checksum", checksum.as_deref().unwrap_or("not known"));
    field(page, "source", &package.source.to_string());
    let Some(Facts { manifest, files, .. }) = &outcome.facts else {
        return;
    };
    field(page, "size", &sizes(files));
    field(
        page,
        "license",
        manifest.license.as_deref().or(manifest.license_file.as_deref()).unwrap_or("none named"),
    );
    if let Some(repository) = &manifest.repository {
        field(page, "repository", repository);
    }
    if let Some(commit) = manifest.version_control.as_ref().and_then(|it| it.commit.as_deref()) {
        let dirty = manifest.version_control.as_ref().is_some_and(|it| it.dirty);
        field(page, "commit", &format!("{commit}{}", if dirty { ", with uncommitted changes" } else { "" }));
    }
}

pub(super) fn reason(page: &mut Page, outcome: &Outcome) {
    let (tone, head) = match outcome.status {
        PackageStatus::CouldNotCheck => (Tone::Error, "could not check: "),
        PackageStatus::Partial => (Tone::Warning, "checked in part only: "),
        PackageStatus::Checked | PackageStatus::Local => return,
    };
    page.hanging(2, &[(tone, head)], outcome.reason.as_deref().unwrap_or("no reason given"));
}

fn field(page: &mut Page, name: &str, value: &str) {
    page.line(2, &[(Tone::Dim, &format!("{name:<12}")), (Tone::Plain, value)]);
}

fn sizes(files: &FileFacts) -> String {
    let unpacked = format!("{} in {}", size(files.unpacked_size), count(files.entries.len(), "file"));
    let refused = match files.refused.len() {
        0 => String::new(),
        1 => ", 1 entry refused".to_owned(),
        number => format!(", {} entries refused", thousands(number)),
    };
    match files.compressed_size {
        0 => format!("{unpacked}{refused}"),
        packed => format!("{} packed, {unpacked}{refused}", size(packed)),
    }
}

fn targets(page: &mut Page, manifest: &ManifestFacts) {
    page.heading(Tone::Strong, "targets");
    if manifest.targets.is_empty() {
        page.line(2, &[(Tone::Dim, "none")]);
    }
    let width = |of: fn(&Target) -> &str| {
        manifest.targets.iter().map(|it| of(it).chars().count()).max().unwrap_or_default().min(40)
    };
    let (names, paths) = (width(|it| &it.name), width(|it| &it.path));
    for target in &manifest.targets {
        let kind = format!("{:<13}", kind(target.kind));
        let name = format!("{:<names$}  ", target.name);
        let path = format!("{:<paths$}", target.path);
        let mut pieces = vec![(Tone::Dim, kind.as_str()), (Tone::Strong, &name), (Tone::Plain, &path)];
        if target.kind.runs_at_build_time() {
            pieces.push((Tone::Warning, "  runs at build time"));
        }
        if !target.exists {
            pieces.push((Tone::Warning, "  not in the package"));
        }
        page.line(2, &pieces);
    }
}

fn kind(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Lib => "library",
        TargetKind::ProcMacro => "proc macro",
        TargetKind::Bin => "program",
        TargetKind::Example => "example",
        TargetKind::Test => "test",
        TargetKind::Bench => "benchmark",
        TargetKind::BuildScript => "build script",
    }
}

fn dependencies(page: &mut Page, manifest: &ManifestFacts) {
    page.heading(Tone::Strong, "dependencies");
    if manifest.dependencies.is_empty() {
        page.line(2, &[(Tone::Dim, "none")]);
        return;
    }
    let sections = [
        (DependencySection::Normal, "normal"),
        (DependencySection::Build, "build"),
        (DependencySection::Dev, "dev"),
    ];
    for (section, name) in sections {
        let dependencies = manifest.dependencies.iter().filter(|it| it.section == section);
        // A crate may be named once for each platform.
        let mut names: BTreeMap<&str, bool> = BTreeMap::new();
        for it in dependencies {
            let optional = names.entry(it.package.as_deref().unwrap_or(&it.name)).or_insert(true);
            *optional &= it.optional;
        }
        if names.is_empty() {
            continue;
        }
        let listed: Vec<String> = names
            .iter()
            .map(|(name, optional)| format!("{name}{}", if *optional { " (optional)" } else { "" }))
            .collect();
        let head = format!("{} {name}: ", names.len());
        page.hanging(2, &[(Tone::Dim, &head)], &listed.join(", "));
    }
    let elsewhere = manifest.dependencies.iter().filter(|it| it.git.is_some() || it.registry.is_some());
    let elsewhere: Vec<&str> = elsewhere.map(|it| it.name.as_str()).collect();
    if !elsewhere.is_empty() {
        page.hanging(2, &[(Tone::Warning, "from elsewhere: ")], &elsewhere.join(", "));
    }
}

/// What the version can do to a machine, one line for each phase in which it can do anything.
fn capabilities(page: &mut Page, facts: &Facts) {
    let mut by_phase: BTreeMap<Phase, Vec<String>> = BTreeMap::new();
    for found in facts.capabilities() {
        let file = facts.source.rust_files.get(found.file as usize).map_or("?", |it| it.path.as_str());
        let shown = format!("{} ({file}:{})", found.capability.as_str(), found.line);
        by_phase.entry(found.phase).or_default().push(shown);
    }
    if by_phase.is_empty() {
        page.heading(Tone::Strong, "capabilities: none");
        return;
    }
    page.heading(Tone::Strong, "capabilities");
    for (phase, listed) in by_phase {
        let tone = if phase <= Phase::BeforeMain { Tone::Warning } else { Tone::Dim };
        page.hanging(2, &[(tone, &format!("{}: ", phase.as_str()))], &listed.join(", "));
    }
}

/// The five classes of cargo-geiger.
fn unsafe_counters(page: &mut Page, source: &SourceFacts) {
    let counters = &source.r#unsafe;
    if !counters.any_unsafe() {
        page.heading(Tone::Strong, "unsafe code: none");
        return;
    }
    page.heading(Tone::Strong, &format!("{:<18}{:>10}{:>10}", "unsafe code", "unsafe", "safe"));
    let rows = [
        ("functions", counters.functions),
        ("methods", counters.methods),
        ("expressions", counters.exprs),
        ("impls", counters.item_impls),
        ("traits", counters.item_traits),
    ];
    for (name, Count { safe, r#unsafe }) in rows {
        let tone = if r#unsafe > 0 { Tone::Warning } else { Tone::Plain };
        let safe = format!("{:>10}", thousands(safe));
        page.line(
            2,
            &[
                (Tone::Plain, &format!("{name:<16}")),
                (tone, &format!("{:>10}", thousands(r#unsafe))),
                (Tone::Plain, &safe),
            ],
        );
    }
}

fn source(page: &mut Page, facts: &Facts) {
    let source = &facts.source;
    page.heading(Tone::Strong, "source");
    let mut lines = vec![(
        "Rust files",
        format!(
            "{}: {} parsed, {} with errors, {} unlinked",
            thousands(source.files_total),
            thousands(source.files_parsed),
            thousands(source.files_with_errors),
            thousands(source.files_unlinked)
        ),
    )];
    let calls = facts.calls.as_ref().map_or("not recorded".to_owned(), |it| thousands(it.calls.len()));
    let foreign = source.foreign_blocks.iter().flat_map(|it| &it.items).filter(|it| it.is_function).count();
    let blocks = count(source.foreign_blocks.len(), "block");
    let shown = [
        ("functions", thousands(source.functions.len())),
        ("calls", calls),
        ("macros", thousands(source.macros.len())),
        ("foreign", format!("{} in {blocks}", count(foreign, "function"))),
        ("linkage", count(source.linkage.len(), "attribute")),
        ("assembly", count(source.assembly.len(), "site")),
        (
            "includes",
            format!("{} where the compiler reads a file or variable", count(source.includes.len(), "place")),
        ),
        ("literals", format!("{} worth a look", count(source.literals.len(), "literal"))),
    ];
    lines.extend(shown);
    for (name, value) in lines {
        field(page, name, &value);
    }
    for problem in facts.manifest.problems.iter().chain(&source.problems) {
        page.hanging(2, &[(Tone::Warning, "problem: ")], problem);
    }
}
