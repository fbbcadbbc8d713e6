//! SARIF 2.1.0, for code scanning.
//!
//! One run, one result for each finding. A result of [`check`] stands at the package's line in the lockfile,
//! the only file of the user's that is concerned; places inside the package are named in the message and in
//! `properties.evidence`, because a viewer would take `src/lib.rs` for the user's own. A result of
//! [`inspect`] stands at the place inside the package itself.
//!
//! A dependency that was probably mistyped stands at its line in the manifest.
//!
//! What could not be checked is a notification of the invocation and never a result: it would look like a
//! finding, and its absence like an all-clear. `executionSuccessful` is then false.

mod fingerprint;
mod flows;
mod notice;
mod rules;
mod uri;

use std::io::{self, Write};

use cratekeeper_model::{
    AdvisoryDatabase, CheckOutcome, Evidence, Finding, InspectOutcome, Known, Outcome, Severity,
    UnresolvedDependency,
};
use serde_json::json;
use serde_sarif::sarif::{
    ArtifactLocation, Location, LogicalLocation, Message, PhysicalLocation, PropertyBag, Region,
    Result as SarifResult, ResultLevel, Run, Sarif,
};

use self::fingerprint::{DependencyFingerprints, Fingerprints};
use self::notice::notices;
use self::rules::RuleTable;
use crate::json::{ChainStepObject, ContributionObject, EvidenceObject};
use crate::text::count;
use crate::{RuleDescription, Tool, UNRESOLVED_DEPENDENCY, reachable, sanitize, unresolved};

/// Where the schema is published; serde-sarif names an older address.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Who speaks, about which rules, and where from.
#[derive(Debug, Clone, Copy)]
pub struct Producer<'a> {
    /// The program.
    pub tool: Tool<'a>,
    /// All rules that were run, in a fixed order.
    pub rules: &'a [RuleDescription<'a>],
    /// Directory that the lockfile's URI is relative to, usually the root of the repository. Without it, or
    /// if the lockfile lies elsewhere, an absolute path gives a `file:` URI and a relative one stays as it is.
    pub base: Option<&'a str>,
}

/// Writes what a check found out.
///
/// # Errors
///
/// Fails if `out` does.
pub fn check(producer: &Producer<'_>, outcome: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    let base = producer.base;
    let anchor = Anchor::Lockfile { uri: uri::of_file(&outcome.lockfile, base), base };
    let packages: Vec<&Outcome> = outcome.packages.iter().collect();
    let unresolved = outcome.unresolved_dependencies();
    let run = RunWide { advisories: &outcome.advisories, notes: &outcome.notes, unresolved };
    write(producer, &anchor, &packages, &run, out)
}

/// Writes what an inspection found out.
///
/// # Errors
///
/// Fails if `out` does.
pub fn inspect(producer: &Producer<'_>, outcome: &InspectOutcome, out: &mut dyn Write) -> io::Result<()> {
    let run = RunWide { advisories: &outcome.advisories, notes: &outcome.notes, unresolved: &[] };
    write(producer, &Anchor::Package, &[&outcome.outcome], &run, out)
}

/// Writes a run without results: what readers are told about each rule, and nothing else.
///
/// # Errors
///
/// Fails if `out` does.
pub fn rules(producer: &Producer<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rules = RuleTable::new(producer.rules, &[], &[]);
    write_run(Run::builder().tool(rules.tool(producer.tool)).results(Vec::new()).build(), out)
}

/// What concerns a run as a whole, and no single package.
struct RunWide<'a> {
    advisories: &'a Known<AdvisoryDatabase>,
    notes: &'a [String],
    unresolved: &'a [UnresolvedDependency],
}

fn write(
    producer: &Producer<'_>,
    anchor: &Anchor<'_>,
    packages: &[&Outcome],
    run: &RunWide<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rules = RuleTable::new(producer.rules, packages, run.unresolved);
    let mut results = Vec::new();
    for outcome in packages {
        let mut fingerprints = Fingerprints::new(outcome);
        for finding in &outcome.case.findings {
            results.push(result(outcome, finding, anchor, &rules, &mut fingerprints));
        }
    }
    let mut fingerprints = DependencyFingerprints::default();
    for dependency in run.unresolved {
        results.extend(mistyped(dependency, anchor, &rules, &mut fingerprints));
    }
    let has_flows = results.iter().any(|it| it.code_flows.is_some());
    let run = Run::builder()
        .tool(rules.tool(producer.tool))
        .invocations(vec![notices(packages, anchor, &rules, run)])
        .original_uri_base_ids(anchor.base_ids(has_flows))
        .results(results)
        .build();
    write_run(run, out)
}

fn write_run(run: Run, out: &mut dyn Write) -> io::Result<()> {
    let document = Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(vec![run]).build();
    crate::json::write(&document, out)
}

fn result(
    outcome: &Outcome,
    finding: &Finding,
    anchor: &Anchor<'_>,
    rules: &RuleTable<'_>,
    fingerprints: &mut Fingerprints<'_>,
) -> SarifResult {
    let evidence: Vec<EvidenceObject<'_>> = finding.evidence.iter().map(EvidenceObject).collect();
    // The story belongs to the case; it stands with the worst finding, so that a log does not repeat it for each.
    let case = &outcome.case;
    let is_worst = case.findings.first().is_some_and(|worst| std::ptr::eq(worst, finding));
    let chain: Vec<ChainStepObject<'_>> =
        case.chain.iter().filter(|_| is_worst).map(ChainStepObject).collect();
    let contributions: Vec<ContributionObject<'_>> =
        case.contributions.iter().filter(|_| is_worst).map(ContributionObject).collect();
    let properties = [
        ("package", json!(outcome.package.id.as_str())),
        ("severity", json!(finding.severity.as_str())),
        ("confidence", json!(finding.confidence.to_string())),
        ("security-severity", json!(security_severity(finding.severity))),
        ("score", json!(outcome.case.score)),
        ("level", json!(outcome.case.level.as_str())),
        ("techniques", json!(finding.techniques)),
        ("chain", json!(chain)),
        ("contributions", json!(contributions)),
        ("harmless_if", json!(outcome.case.harmless_if)),
        ("evidence", json!(evidence)),
        ("help", json!(finding.help)),
    ];
    let mut result = SarifResult::builder()
        .rule_id(finding.rule.as_str())
        .rule_index(rules.index(&finding.rule))
        .level(level(finding.severity))
        .message(message(message_text(outcome, finding)))
        .locations(vec![anchor.location(outcome, finding.evidence.first())])
        .related_locations(anchor.related(outcome, &finding.evidence))
        .partial_fingerprints(fingerprints.of(finding))
        .properties(bag(properties))
        .build();
    let flows = flows::flows(finding, anchor.base());
    result.code_flows = (!flows.is_empty()).then_some(flows);
    result
}

/// A result for a dependency that was probably mistyped. One that was not is no claim about anything: the notification
/// that it could not be checked is all there is.
fn mistyped(
    dependency: &UnresolvedDependency,
    anchor: &Anchor<'_>,
    rules: &RuleTable<'_>,
    fingerprints: &mut DependencyFingerprints,
) -> Option<SarifResult> {
    let severity = dependency.severity()?;
    let question = unresolved::question(dependency).unwrap_or_default();
    let missing = unresolved::missing(dependency);
    let help = unresolved::help(dependency);
    let text = format!("{missing} is not in the lockfile: {question}");
    let suggestions: Vec<&str> = dependency.suggestions.iter().map(|it| it.name.as_str()).collect();
    let properties = [
        ("severity", json!(severity.as_str())),
        ("security-severity", json!(security_severity(severity))),
        ("suggestions", json!(suggestions)),
        ("help", json!(help)),
    ];
    let result = SarifResult::builder()
        .rule_id(UNRESOLVED_DEPENDENCY.id)
        .rule_index(rules.index(UNRESOLVED_DEPENDENCY.id))
        .level(level(severity))
        .message(message(format!("{}\nHelp: {help}", unlinked(&text))))
        .locations(vec![anchor.manifest(dependency)])
        .partial_fingerprints(fingerprints.of(&anchor.manifest_uri(dependency), dependency))
        .properties(bag(properties));
    Some(result.build())
}

/// Where results stand.
enum Anchor<'a> {
    /// At the package's line in the lockfile, by its URI; manifests are relative to the same base.
    Lockfile { uri: String, base: Option<&'a str> },
    /// At files of the package.
    Package,
}

/// Name of the base of URIs of files in dependencies, each in a directory `NAME-VERSION` as cargo unpacks them.
const PACKAGES_BASE: &str = "PACKAGES";

/// Name of the base of URIs that lie inside the inspected package.
const PACKAGE_BASE: &str = "PACKAGE";

impl Anchor<'_> {
    fn location(&self, outcome: &Outcome, evidence: Option<&Evidence>) -> Location {
        let (artifact, line) = match self {
            Anchor::Lockfile { uri, .. } => {
                // Viewers drop results without a line.
                let line = outcome.lockfile_line.unwrap_or(1);
                (ArtifactLocation::builder().uri(uri.as_str()).build(), Some(line))
            }
            Anchor::Package => {
                // Every package has a manifest: the place for claims about the version as a whole.
                let file = evidence.map_or("Cargo.toml", |it| &it.file);
                let artifact =
                    ArtifactLocation::builder().uri(uri::inside_package(file)).uri_base_id(PACKAGE_BASE);
                (artifact.build(), evidence.and_then(|it| it.line).or(Some(1)))
            }
        };
        let package = &outcome.package;
        let logical = LogicalLocation::builder()
            .name(format!("{}@{}", package.name, package.version))
            .fully_qualified_name(package.id.as_str())
            .kind("package")
            .build();
        let region = Region { start_line: line.map(i64::from), ..Region::default() };
        let place = PhysicalLocation::builder().artifact_location(artifact).region(region).build();
        Location::builder().physical_location(place).logical_locations(vec![logical]).build()
    }

    /// What files of the user's own are relative to.
    fn base(&self) -> Option<&str> {
        match self {
            Anchor::Lockfile { base, .. } => *base,
            Anchor::Package => None,
        }
    }

    fn manifest_uri(&self, dependency: &UnresolvedDependency) -> String {
        uri::of_file(&dependency.manifest, self.base())
    }

    /// The line of a dependency in its manifest.
    fn manifest(&self, dependency: &UnresolvedDependency) -> Location {
        let artifact = ArtifactLocation::builder().uri(self.manifest_uri(dependency)).build();
        let region = Region { start_line: Some(i64::from(dependency.line)), ..Region::default() };
        let place = PhysicalLocation::builder().artifact_location(artifact).region(region).build();
        Location::builder().physical_location(place).build()
    }

    /// Further places, where the first is not the only one.
    fn related(&self, outcome: &Outcome, evidence: &[Evidence]) -> Vec<Location> {
        let further = match self {
            Anchor::Lockfile { .. } => &[],
            Anchor::Package => evidence.get(1..).unwrap_or_default(),
        };
        let numbered = (1..).zip(further);
        numbered
            .map(|(id, evidence)| {
                let mut location = self.location(outcome, Some(evidence));
                location.id = Some(id);
                location.message = evidence.excerpt.as_deref().map(|it| message(unlinked(it)));
                location
            })
            .collect()
    }

    fn base_ids(&self, has_flows: bool) -> std::collections::BTreeMap<String, ArtifactLocation> {
        match self {
            Anchor::Lockfile { .. } if has_flows => {
                let text = "Unpacked packages, each in a directory of its name and version".to_owned();
                let base = ArtifactLocation::builder().description(message(text)).build();
                [(PACKAGES_BASE.to_owned(), base)].into()
            }
            Anchor::Lockfile { .. } => [].into(),
            Anchor::Package => {
                let description = message("The root directory of the inspected package".to_owned());
                let base = ArtifactLocation::builder().description(description).build();
                [(PACKAGE_BASE.to_owned(), base)].into()
            }
        }
    }
}

/// Places named in a message; `properties.evidence` has all.
const PLACES: usize = 5;

/// The claim first: viewers with little room show the first line alone.
fn message_text(outcome: &Outcome, finding: &Finding) -> String {
    let package = &outcome.package;
    // Most messages name the package already; in a list of results the others must as well.
    let mut text = if finding.message.contains(&package.name) {
        unlinked(&finding.message)
    } else {
        unlinked(&format!("{} {}: {}", package.name, package.version, finding.message))
    };
    if !finding.evidence.is_empty() {
        let places: Vec<String> = finding.evidence.iter().take(PLACES).map(place).collect();
        text.push_str("\nIn the package: ");
        text.push_str(&unlinked(&places.join(", ")));
        if let Some(further @ 1..) = finding.evidence.len().checked_sub(PLACES) {
            text.push_str(&format!(" and {}", count(further, "more place")));
        }
    }
    if let Some(reachability) = &finding.reachability {
        text.push_str("\nReachability: ");
        text.push_str(&unlinked(&reachable::answer(reachability)));
    }
    if let Some(help) = &finding.help {
        text.push_str("\nHelp: ");
        text.push_str(&unlinked(help));
    }
    text
}

fn place(evidence: &Evidence) -> String {
    match evidence.line {
        Some(line) => format!("{}:{line}", evidence.file),
        None => evidence.file.clone(),
    }
}

/// Text in which viewers find no link and no control character.
///
/// Plain messages may hold `[text](target)`, which viewers make clickable; a publisher could lead a reviewer
/// from a finding to a page of their own.
fn unlinked(text: &str) -> String {
    sanitize(text).replace("](", "] (")
}

fn message(text: String) -> Message {
    Message::builder().text(text).build()
}

fn bag<const N: usize>(properties: [(&str, serde_json::Value); N]) -> PropertyBag {
    let properties = properties.map(|(key, value)| (key.to_owned(), value));
    PropertyBag::builder().additional_properties(std::collections::BTreeMap::from(properties)).build()
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Info | Severity::Low => ResultLevel::Note,
        Severity::Medium => ResultLevel::Warning,
        Severity::High | Severity::Critical => ResultLevel::Error,
    }
}

/// A number from 0 to 10 as text, in the bands that code scanning shows: above 9.0 critical, from 7.0 high,
/// from 4.0 medium, below it low.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "0.0",
        Severity::Low => "3.0",
        Severity::Medium => "5.5",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}
