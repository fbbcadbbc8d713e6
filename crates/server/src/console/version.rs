//! A version: what is in its archive, what it can do, how it was published, what was made of it, who has it, what can be done.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use cratekeeper_archive::CrateArchive;
use cratekeeper_engine::abilities;
use cratekeeper_model::Facts;
use cratekeeper_model::facts::DependencySection;
use cratekeeper_store::{
    CaseRecord, CaseState, CrateRecord, Fetch, InspectionRecord, Registry, Role, VersionId, VersionRecord,
};
use serde::Deserialize;

use super::act::notice;
use super::archives;
use super::case::{subjects, words};
use super::decided::{Decided, decisions};
use super::file::file_path;
use super::layout::{Frame, filters, page, plain};
use super::notify;
use super::offers::{self, About, Offer};
use super::tombstone;
use super::visitor::{Problem, Visitor};
use crate::administration::AUDIT;
use crate::error::Failure;
use crate::gate::Gate;

/// Files that are listed, those with findings first; the largest generated crates have some ten thousand.
const FILES: usize = 500;

/// Entries of an archive that were refused and are listed.
const REFUSED: usize = 50;

/// Inspections and fetches that are listed.
const INSPECTIONS: u64 = 20;
const FETCHES: u64 = 20;

/// Names in one row of the facts.
const NAMES: usize = 60;

#[derive(Template)]
#[template(path = "console/version.html")]
struct VersionPage {
    frame: Frame,
    registry: String,
    krate: CrateRecord,
    version: VersionRecord,
    level: String,
    publisher: Option<String>,
    case: Option<CaseRecord>,
    may_open: bool,
    acts: Vec<Offer>,
    tombstone: Option<tombstone::Shown>,
    contents: Result<Contents, String>,
    facts: Vec<(&'static str, String)>,
    provenance: Vec<(&'static str, String)>,
    inspections: Vec<InspectionRecord>,
    decisions: Vec<Decided>,
    fetches: Vec<Fetch>,
    fetch_count: u64,
}

/// What is in an archive.
struct Contents {
    files: Vec<FileRow>,
    count: usize,
    size: String,
    refused: Vec<(String, String)>,
}

/// A file of an archive.
struct FileRow {
    path: String,
    link: String,
    size: String,
    kind: String,
    is_executable: bool,
    findings: usize,
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: Option<String>,
}

/// A version.
pub(super) async fn version(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let (krate, mut version) = gate.store.version_by_id(VersionId(id)).await?;
    version.standing.reason = plain(&version.standing.reason);
    let missing = || Failure::NotFound("its registry is not set up any more".to_owned());
    let registry = gate.registry_of(&krate).ok_or_else(missing)?.clone();
    let provenance = gate.store.provenance(version.id).await?;
    let mut inspections = gate.store.inspections(version.id, INSPECTIONS).await?;
    for it in &mut inspections {
        it.reason = plain(&it.reason);
    }
    let case = gate.store.case_of(version.id).await?;
    let back = format!("/console/version/{}", version.id);
    let facts = gate.facts_at_hand(&version).await?;
    let counts = findings_of_files(inspections.first());
    let may_act = visitor.has(&crate::acts::TRIAGE);
    let mut frame =
        gate.frame(&visitor, "/console/queue", format!("{} {}", krate.name, version.version)).await?;
    frame.notice = notice(told.done.as_deref());
    let events = gate.store.events_of(krate.id).await?;
    let page_data = VersionPage {
        level: version.level.map_or_else(|| "unknown".to_owned(), |it| it.to_string()),
        may_open: may_act && case.as_ref().is_none_or(|it| it.state != CaseState::Open),
        acts: if may_act {
            let mut acts = offers::of_version(&About {
                registry: &registry,
                krate: &krate,
                version: &version,
                publisher: provenance.publisher.as_deref(),
                events: &events,
                open_case: case.as_ref().filter(|it| it.state == CaseState::Open).map(|it| it.id),
                now: gate.now(),
                is_admin: visitor.has(&[Role::Admin]),
                back: &back,
            });
            acts.extend(notify::offer(&gate, &registry, &krate.name, Some(&version), &back));
            acts
        } else {
            Vec::new()
        },
        tombstone: gate.tombstone_of(&version).await?,
        contents: contents(&gate, &registry, &krate, &version, facts.as_ref(), counts).await?,
        facts: facts.as_ref().map_or_else(Vec::new, in_short),
        decisions: decisions(&gate, &visitor, subjects(&registry, &version, &provenance), &back).await?,
        fetches: if visitor.has(&AUDIT) {
            gate.store.newest_fetches(version.id, FETCHES).await?
        } else {
            Vec::new()
        },
        fetch_count: gate.store.fetch_counts(&[version.id]).await?.first().map_or(0, |it| it.fetches),
        provenance: crate::pages::rows(&version, &provenance),
        publisher: provenance.publisher,
        registry: registry.name,
        inspections,
        case,
        krate,
        version,
        frame,
    };
    page(&page_data.frame, &page_data)
}

impl Gate {
    /// Facts of a version, where an inspection left them.
    pub(super) async fn facts_at_hand(
        self: &Arc<Gate>,
        version: &VersionRecord,
    ) -> Result<Option<Facts>, Problem> {
        let (gate, checksum) = (self.clone(), version.checksum);
        let loaded = tokio::task::spawn_blocking(move || gate.engine.facts_at_hand(&checksum)).await;
        Ok(loaded.map_err(|error| Failure::Internal(error.to_string()))?)
    }
}

/// How many findings of an inspection are about each file.
fn findings_of_files(inspection: Option<&InspectionRecord>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in inspection.iter().filter_map(|it| it.case.as_ref()).flat_map(|it| &it.findings) {
        let mut files: Vec<&str> = finding.evidence.iter().map(|it| it.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            *counts.entry(file.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// The files of a version: from facts, where they are at hand and the archive is, or was taken down; else from the archive.
async fn contents(
    gate: &Arc<Gate>,
    registry: &Registry,
    krate: &CrateRecord,
    version: &VersionRecord,
    facts: Option<&Facts>,
    counts: BTreeMap<String, usize>,
) -> Result<Result<Contents, String>, Problem> {
    let id = version.id;
    if let Some(facts) = facts
        && (version.is_taken_down() || gate.blobs.has(&version.checksum).await.unwrap_or(false))
    {
        return Ok(Ok(of_facts(id, facts, &counts)));
    }
    archives::of_version(gate, None, registry, krate, version, move |it| of_archive(id, &it, &counts)).await
}

fn of_facts(id: VersionId, facts: &Facts, counts: &BTreeMap<String, usize>) -> Contents {
    let row = |it: &cratekeeper_model::facts::FileEntry| FileRow {
        path: plain(&it.path),
        link: file_path(id, &it.path, None),
        size: archives::size(it.size),
        kind: words(&it.kind),
        is_executable: it.executable,
        findings: counts.get(&it.path).copied().unwrap_or(0),
    };
    let refused = facts.files.refused.iter().take(REFUSED);
    Contents {
        count: facts.files.entries.len(),
        size: archives::size(facts.files.unpacked_size),
        files: first(facts.files.entries.iter().map(row).collect()),
        refused: refused
            .map(|it| (plain(it.entry.as_deref().unwrap_or("the archive")), plain(&it.message)))
            .collect(),
    }
}

fn of_archive(id: VersionId, archive: &CrateArchive, counts: &BTreeMap<String, usize>) -> Contents {
    let row = |it: &cratekeeper_archive::ArchiveFile| FileRow {
        path: plain(&it.path),
        link: file_path(id, &it.path, None),
        size: archives::size(it.contents.len() as u64),
        kind: archives::kind(&it.path, &it.contents).to_owned(),
        is_executable: it.is_executable(),
        findings: counts.get(&it.path).copied().unwrap_or(0),
    };
    let refused = archive.refused.iter().take(REFUSED);
    Contents {
        count: archive.files.len(),
        size: archives::size(archive.unpacked_size),
        files: first(archive.files.iter().map(row).collect()),
        refused: refused.map(|it| (plain(&it.path), plain(&it.refusal.to_string()))).collect(),
    }
}

/// The rows that are shown: those with findings first, else in the order of paths.
fn first(mut rows: Vec<FileRow>) -> Vec<FileRow> {
    rows.sort_by(|a, b| (a.findings == 0, &a.path).cmp(&(b.findings == 0, &b.path)));
    rows.truncate(FILES);
    rows
}

/// What a version is and can do, in short.
fn in_short(facts: &Facts) -> Vec<(&'static str, String)> {
    let manifest = &facts.manifest;
    let targets = manifest.targets.iter().map(|it| format!("{} {}", words(&it.kind), it.name));
    let of = |section: DependencySection| {
        let those = manifest.dependencies.iter().filter(move |it| it.section == section);
        listed(those.map(|it| it.package.clone().unwrap_or_else(|| it.name.clone())))
    };
    let scripts = manifest.targets.iter().filter(|it| it.kind.runs_at_build_time());
    let able = abilities(facts).into_iter();
    let able = able.map(|(phase, what, places)| {
        format!("{} at {} ({places})", what.as_str(), phase.as_str().replace('-', " "))
    });
    let counters = &facts.source.r#unsafe;
    let has_unsafe = counters.any_unsafe();
    let commit = manifest.version_control.as_ref().and_then(|it| it.commit.clone());
    vec![
        ("targets", listed(targets)),
        ("runs when built", listed(scripts.map(|it| it.path.clone()))),
        ("can touch", listed(able)),
        (
            "unsafe",
            if has_unsafe {
                let (expressions, functions) = (counters.exprs.r#unsafe, counters.functions.r#unsafe);
                let methods = counters.methods.r#unsafe;
                format!("{expressions} expressions, {functions} functions, {methods} methods")
            } else {
                "none".to_owned()
            },
        ),
        ("dependencies", of(DependencySection::Normal)),
        ("for building", of(DependencySection::Build)),
        ("repository", plain(manifest.repository.as_deref().unwrap_or("not stated"))),
        ("packed from", plain(commit.as_deref().unwrap_or("not stated"))),
    ]
}

/// Some names, the first of them.
fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    let more = names.len().saturating_sub(NAMES);
    let shown = plain(&names[..names.len() - more].join(", "));
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

#[cfg(test)]
mod tests {
    use cratekeeper_archive::{CrateBuilder, Expected, Limits, read_crate_bytes};

    use super::*;

    #[test]
    fn files_with_findings_come_first_and_refused_entries_are_named() {
        let bytes = CrateBuilder::new("demo", "1.0.0")
            .file("a.rs", "")
            .file("z.rs", "fn f() {}")
            .symlink("\u{202e}link", "/etc/passwd")
            .build();
        let archive =
            read_crate_bytes(&bytes, &Expected::package("demo", "1.0.0"), &Limits::default()).unwrap();
        let counts = BTreeMap::from([("z.rs".to_owned(), 2)]);
        let contents = of_archive(VersionId(7), &archive, &counts);
        let rows: Vec<_> = contents.files.iter().map(|it| (it.path.as_str(), it.findings)).collect();
        assert_eq!(rows, [("z.rs", 2), ("Cargo.toml", 0), ("a.rs", 0)]);
        assert_eq!(contents.files[0].link, "/console/version/7/file?file=z.rs");
        assert_eq!(contents.refused.len(), 1);
        assert!(!contents.refused[0].0.contains('\u{202e}'));
    }

    #[test]
    fn long_lists_end() {
        assert_eq!(listed(std::iter::empty()), "none");
        let many = listed((0..NAMES + 2).map(|it| it.to_string()));
        assert!(many.ends_with("59 and 2 more"), "{many}");
        assert!(in_short(&Facts::default()).contains(&("unsafe", "none".to_owned())));
    }
}
