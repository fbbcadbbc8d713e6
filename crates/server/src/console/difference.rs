//! Two versions side by side: what changed in words, which files, and which lines.
//!
//! The other version is the one before by default, or any that is named: a look-alike is compared with what it looks like. Both archives are
//! read one after the other, and the time for lines ends: what there was no time for says so. Lines that findings of the newer version are
//! about are marked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use cratekeeper_archive::CrateArchive;
use cratekeeper_model::{Case, Change};
use cratekeeper_store::{CrateRecord, VersionId, VersionRecord};
use serde::Deserialize;
use similar::{Algorithm, DiffOp, TextDiff};

use super::archives;
use super::case::words;
use super::file::{Remark, file_path, remarks};
use super::highlight::{Language, Span, line};
use super::layout::{Frame, page, plain};
use super::tombstone::prove;
use super::visitor::{Problem, Visitor};
use crate::error::Failure;
use crate::gate::Gate;

/// Time for finding out which lines changed, in all files of a page: with it, the page answers within a second.
const PATIENCE: Duration = Duration::from_millis(400);

/// Lines before and behind a change.
const AROUND: usize = 3;

/// Largest file that is compared line by line, in bytes.
const COMPARED: usize = 1 << 20;

/// Rows of one file and of the page.
const ROWS_OF_FILE: usize = 800;
const ROWS: usize = 4_000;

/// Bytes of lines of the page: they become some times as many of HTML.
const BYTES: usize = 2 << 20;

/// Files that are listed, and changes in words.
const FILES: usize = 500;
const CHANGES: usize = 60;

/// Bytes of text that one version's files have in memory for a page.
const TEXT: usize = 64 << 20;

/// Other versions of the crate that are offered to be compared with.
const OFFERED: usize = 30;

#[derive(Template)]
#[template(path = "console/difference.html")]
struct DifferencePage {
    frame: Frame,
    newer: Side,
    older: Option<Side>,
    others: Vec<(i64, String)>,
    likes: Vec<Like>,
    problem: Option<String>,
    /// Where whoever may look at evidence proves who they are.
    prove: Option<String>,
    words: Vec<(String, String)>,
    comparison: Comparison,
}

/// A version that is compared.
struct Side {
    id: VersionId,
    name: String,
}

/// A crate that findings say the version is like.
pub(super) struct Like {
    pub(super) name: String,
    pub(super) rule: String,
    /// The version here that it may be compared with.
    pub(super) version: Option<VersionId>,
    pub(super) krate: Option<String>,
}

/// What changed in files.
#[derive(Default)]
struct Comparison {
    added: usize,
    removed: usize,
    changed: usize,
    same: usize,
    files: Vec<FileChange>,
    more_files: usize,
}

/// A file that is not the same.
struct FileChange {
    path: String,
    what: &'static str,
    /// Where it is shown whole.
    link: String,
    lines_added: usize,
    lines_removed: usize,
    remarks: Vec<Remark>,
    rows: Vec<Row>,
    /// Why there are no lines, or no more.
    note: Option<String>,
}

/// A row of two sides.
#[derive(Default)]
struct Row {
    /// What stands between two parts that changed.
    is_gap: bool,
    left: Option<Cell>,
    right: Option<Cell>,
    remarks: Vec<Remark>,
}

impl Row {
    fn bytes(&self) -> usize {
        let cells = self.left.iter().chain(&self.right);
        cells.flat_map(|it| &it.spans).map(|it| it.text.len()).sum()
    }
}

/// A line on one side.
struct Cell {
    number: usize,
    is_changed: bool,
    spans: Vec<Span>,
    left_out: usize,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    to: Option<i64>,
}

/// A version beside another.
pub(super) async fn difference(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (krate, version) = gate.store.version_by_id(VersionId(id)).await?;
    let newest = gate.store.inspections(version.id, 1).await?.into_iter().next();
    let case = newest.and_then(|it| it.case);
    let versions = gate.store.crate_versions(krate.registry, &krate.name).await?;
    let mut versions = versions.map_or_else(Vec::new, |it| it.1);
    versions.sort_by(|a, b| b.version.cmp(&a.version));
    let other = match asked.to {
        Some(other) => Some(gate.store.version_by_id(VersionId(other)).await?),
        None => before(&version, &versions).map(|it| (krate.clone(), it.clone())),
    };
    let mut page_data = DifferencePage {
        frame: gate.frame(&visitor, "/console/queue", format!("What changed in {}", krate.name)).await?,
        newer: Side::of(&krate, &version),
        older: other.as_ref().map(|it| Side::of(&it.0, &it.1)),
        others: offered(&version, other.as_ref().map(|it| it.1.id), &versions),
        likes: match &case {
            Some(case) => gate.likes_of(&krate, case).await?,
            None => Vec::new(),
        },
        problem: None,
        prove: None,
        words: Vec::new(),
        comparison: Comparison::default(),
    };
    if let Some((other_crate, other)) = other {
        page_data.words = in_words(&gate, &other, &version).await?;
        let back = format!("/console/version/{}/difference?to={}", version.id, other.id);
        page_data.prove = prove(&visitor, gate.now(), &[&version, &other], &back);
        match compare((&gate, &visitor), (&other_crate, &other), (&krate, &version), case).await? {
            Ok(comparison) => page_data.comparison = comparison,
            Err(reason) => page_data.problem = Some(reason),
        }
    }
    page(&page_data.frame, &page_data)
}

impl Side {
    fn of(krate: &CrateRecord, version: &VersionRecord) -> Side {
        Side { id: version.id, name: format!("{} {}", krate.name, version.version) }
    }
}

/// The version before another; `versions` are sorted, the highest first.
pub(super) fn before<'a>(
    version: &VersionRecord,
    versions: &'a [VersionRecord],
) -> Option<&'a VersionRecord> {
    versions.iter().find(|it| it.version < version.version)
}

/// Versions that may be compared with, those nearest to the version first.
fn offered(
    version: &VersionRecord,
    chosen: Option<VersionId>,
    versions: &[VersionRecord],
) -> Vec<(i64, String)> {
    let at = versions.iter().position(|it| it.id == version.id).unwrap_or(0);
    let start = at.saturating_sub(OFFERED / 2);
    let others = versions.iter().skip(start).filter(|it| it.id != version.id && Some(it.id) != chosen);
    others.take(OFFERED).map(|it| (it.id.0, it.version.to_string())).collect()
}

impl Gate {
    /// Crates that findings about copies and names say a version is like, with what of them is here.
    pub(super) async fn likes_of(&self, own: &CrateRecord, case: &Case) -> Result<Vec<Like>, Problem> {
        let mut likes = Vec::new();
        for (rule, name, number) in named(case) {
            let mut like = Like { name: plain(&name), rule, version: None, krate: None };
            let found = self.store.crates_named(&name).await.unwrap_or_default();
            if let Some(other) = found.into_iter().find(|it| it.id != own.id)
                && let Some(registry) = self.registry_of(&other)
            {
                like.krate = Some(format!("/console/crate/{}/{}", registry.name, other.name));
                let versions = self.store.crate_versions(other.registry, &other.name).await?;
                let versions = versions.map_or_else(Vec::new, |it| it.1);
                let same = versions.iter().find(|it| Some(it.version.to_string()) == number);
                let highest = || versions.iter().max_by(|a, b| a.version.cmp(&b.version));
                like.version = same.or_else(highest).map(|it| it.id);
            }
            likes.push(like);
        }
        Ok(likes)
    }
}

/// Crates that findings name in their first words: rule, crate, and version where there is one. Each once.
fn named(case: &Case) -> Vec<(String, String, Option<String>)> {
    /// Others that are looked for.
    const NAMED: usize = 8;

    // Findings about several findings name the rules of those.
    let mut seen: BTreeSet<String> = cratekeeper_engine::rules().iter().map(|it| it.id.to_owned()).collect();
    let mut found = Vec::new();
    for finding in case.findings.iter().filter(|it| is_about_likeness(&it.rule)) {
        let mut parts = finding.message.split('`');
        while let (Some(_), Some(name)) = (parts.next(), parts.next()) {
            let is_name = !name.is_empty()
                && name.len() <= 64
                && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-' || it == '_');
            if is_name && found.len() < NAMED && seen.insert(name.to_owned()) {
                let rest = finding.message.split_once(&format!("`{name}` ")).map_or("", |it| it.1);
                let number = rest.split([' ', ',', ':']).next().unwrap_or_default();
                let number = number.parse::<semver::Version>().ok().map(|it| it.to_string());
                found.push((finding.rule.clone(), name.to_owned(), number));
            }
        }
    }
    found
}

/// Whether a rule says that a version is like another crate.
fn is_about_likeness(rule: &str) -> bool {
    matches!(rule, "confusable-name" | "copied-crate" | "near-name-campaign" | "payload-behind-lure")
}

/// What changed in words, where facts of both are at hand.
async fn in_words(
    gate: &Arc<Gate>,
    older: &VersionRecord,
    newer: &VersionRecord,
) -> Result<Vec<(String, String)>, Problem> {
    let (gate, older, newer) = (gate.clone(), older.checksum, newer.checksum);
    let found = tokio::task::spawn_blocking(move || gate.engine.difference_at_hand(&older, &newer)).await;
    let found = found.map_err(|error| Failure::Internal(error.to_string()))?;
    let changes = found.map_or_else(Vec::new, |it| it.changes);
    Ok(changes.iter().take(CHANGES).map(in_a_sentence).collect())
}

/// A change: what kind, and what.
fn in_a_sentence(change: &Change) -> (String, String) {
    let kind = format!("{} {}", words(&change.kind), words(&change.direction));
    let text = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{}: {before} → {after}", change.subject),
        (Some(one), None) | (None, Some(one)) => format!("{}: {one}", change.subject),
        (None, None) => change.subject.clone(),
    };
    (kind, plain(&text))
}

type About<'a> = (&'a CrateRecord, &'a VersionRecord);

/// A file of an archive, as far as it is needed.
struct Held {
    contents: Vec<u8>,
    mode: u32,
}

/// Files of a version, by path; what is too much is left out, with its length as its content.
fn held(archive: CrateArchive) -> BTreeMap<String, Held> {
    let mut room = TEXT;
    let hold = |mut it: cratekeeper_archive::ArchiveFile| {
        if it.contents.len() > COMPARED || it.contents.len() > room {
            // Still told from another one, by its checksum.
            let checksum = cratekeeper_model::Checksum::of(&it.contents);
            it.contents = [&[0; 8][..], checksum.as_bytes()].concat();
        }
        room = room.saturating_sub(it.contents.len());
        (it.path, Held { contents: it.contents, mode: it.mode })
    };
    archive.files.into_iter().map(hold).collect()
}

async fn compare(
    (gate, visitor): (&Gate, &Visitor),
    (older_crate, older): About<'_>,
    (newer_crate, newer): About<'_>,
    case: Option<Case>,
) -> Result<Result<Comparison, String>, Problem> {
    let mut sides = Vec::new();
    for (krate, version) in [(older_crate, older), (newer_crate, newer)] {
        let missing = || Failure::NotFound("its registry is not set up any more".to_owned());
        let registry = gate.registry_of(krate).ok_or_else(missing)?.clone();
        match archives::of_version(gate, Some((visitor, "compared")), &registry, krate, version, held).await?
        {
            Ok(files) => sides.push(files),
            Err(reason) => return Ok(Err(format!("{} {}: {reason}", krate.name, version.version))),
        }
    }
    let (Some(new_files), Some(old_files)) = (sides.pop(), sides.pop()) else {
        return Ok(Err("One of the versions could not be read.".to_owned()));
    };
    let ids = (older.id, newer.id);
    let compared =
        tokio::task::spawn_blocking(move || compared(ids, &old_files, &new_files, case.as_ref())).await;
    Ok(Ok(compared.map_err(|error| Failure::Internal(error.to_string()))?))
}

fn compared(
    (old_id, new_id): (VersionId, VersionId),
    old_files: &BTreeMap<String, Held>,
    new_files: &BTreeMap<String, Held>,
    case: Option<&Case>,
) -> Comparison {
    let mut comparison = Comparison::default();
    let mut room = Room { rows: ROWS, bytes: BYTES, deadline: Instant::now() + PATIENCE };
    let mut paths: Vec<&String> = old_files.keys().chain(new_files.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    let remarks = case.map_or_else(BTreeMap::new, remarks);
    let of = |path: &str| remarks.get(path).cloned().unwrap_or_default();
    // Files that findings are about come first: they get the room that there is.
    let mut sorted: Vec<(bool, &String)> =
        paths.into_iter().map(|it| (!remarks.contains_key(it), it)).collect();
    sorted.sort();
    for (_, path) in sorted {
        let (old, new) = (old_files.get(path), new_files.get(path));
        let what = match (old, new) {
            (Some(old), Some(new)) if old.contents == new.contents && old.mode == new.mode => {
                comparison.same += 1;
                continue;
            }
            (Some(_), Some(_)) => (&mut comparison.changed, "changed"),
            (None, _) => (&mut comparison.added, "added"),
            (Some(_), None) => (&mut comparison.removed, "removed"),
        };
        *what.0 += 1;
        if comparison.files.len() >= FILES {
            comparison.more_files += 1;
            continue;
        }
        let side = if new.is_some() { new_id } else { old_id };
        let mut file = FileChange {
            path: plain(path),
            what: what.1,
            link: file_path(side, path, None),
            lines_added: 0,
            lines_removed: 0,
            remarks: of(path),
            rows: Vec::new(),
            note: None,
        };
        file.fill(path, (old, new), &mut room);
        comparison.files.push(file);
    }
    comparison
}

/// What a page has left.
struct Room {
    rows: usize,
    bytes: usize,
    deadline: Instant,
}

impl FileChange {
    /// Finds out which lines changed.
    fn fill(&mut self, path: &str, (old, new): (Option<&Held>, Option<&Held>), room: &mut Room) {
        if let (Some(old), Some(new)) = (old, new)
            && old.contents == new.contents
        {
            self.note = Some(format!("Only its permissions changed: {:o} → {:o}.", old.mode, new.mode));
            return;
        }
        let text = |it: Option<&Held>| match it {
            Some(it) => archives::text(&it.contents).map(|it| it.0.into_owned()),
            None => Some(String::new()),
        };
        let (Some(before), Some(after)) = (text(old), text(new)) else {
            self.note = Some("It is no text, or too large to be compared line by line.".to_owned());
            return;
        };
        if room.rows == 0 || room.bytes == 0 || Instant::now() >= room.deadline {
            self.note = Some("Its lines are not shown: this page is full.".to_owned());
            return;
        }
        let difference = TextDiff::configure()
            .algorithm(Algorithm::Myers)
            .deadline(room.deadline)
            .diff_lines(before.as_str(), after.as_str());
        for operation in difference.ops() {
            if !matches!(operation, DiffOp::Equal { .. }) {
                self.lines_removed += operation.old_range().len();
                self.lines_added += operation.new_range().len();
            }
        }
        let sides = Sides { old: difference.old_slices(), new: difference.new_slices(), path };
        let limit = ROWS_OF_FILE.min(room.rows);
        'groups: for (index, group) in difference.grouped_ops(AROUND).iter().enumerate() {
            if index > 0 {
                self.rows.push(Row { is_gap: true, ..Row::default() });
            }
            for operation in group {
                for row in sides.rows(operation) {
                    let bytes = row.bytes();
                    if self.rows.len() >= limit || bytes > room.bytes {
                        self.note = Some("More lines changed; they are not shown here.".to_owned());
                        break 'groups;
                    }
                    room.bytes -= bytes;
                    self.rows.push(self.with_remarks(row));
                }
            }
        }
        room.rows -= self.rows.len().min(room.rows);
    }

    fn with_remarks(&self, mut row: Row) -> Row {
        if let Some(number) = row.right.as_ref().map(|it| it.number) {
            let about = self.remarks.iter().filter(|it| it.line.is_some_and(|it| it as usize == number));
            row.remarks = about.cloned().collect();
        }
        row
    }
}

/// The lines of two texts.
struct Sides<'a> {
    old: &'a [&'a str],
    new: &'a [&'a str],
    path: &'a str,
}

impl Sides<'_> {
    fn rows(&self, operation: &DiffOp) -> impl Iterator<Item = Row> {
        let is_changed = !matches!(operation, DiffOp::Equal { .. });
        let (old, new) = (operation.old_range(), operation.new_range());
        let language = Language::of(self.path);
        (0..old.len().max(new.len())).map(move |index| {
            let cell = |lines: &[&str], range: &std::ops::Range<usize>| {
                let at = range.start + index;
                let text = lines.get(at).filter(|_| at < range.end)?;
                // A line at a time: what begins in a line above, such as a comment, is not coloured.
                let line = line(text, language, at + 1);
                Some(Cell { number: line.number, is_changed, spans: line.spans, left_out: line.left_out })
            };
            Row { left: cell(self.old, &old), right: cell(self.new, &new), ..Row::default() }
        })
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Evidence, Finding, Severity};

    use super::*;

    fn files(all: &[(&str, &[u8])]) -> BTreeMap<String, Held> {
        let hold = |it: &(&str, &[u8])| (it.0.to_owned(), Held { contents: it.1.to_vec(), mode: 0o644 });
        all.iter().map(hold).collect()
    }

    fn finding(rule: &str, message: &str, file: &str, line: u32) -> Finding {
        Finding {
            rule: rule.to_owned(),
            severity: Severity::High,
            confidence: Confidence::High,
            message: message.to_owned(),
            evidence: vec![Evidence::line(file, line, "")],
            help: None,
            advisory: None,
            reachability: None,
            techniques: Vec::new(),
        }
    }

    fn case(findings: Vec<Finding>) -> Case {
        Case { findings, ..Case::default() }
    }

    const IDS: (VersionId, VersionId) = (VersionId(1), VersionId(2));

    #[test]
    fn files_are_counted_and_lines_stand_side_by_side() {
        let old = files(&[("a.rs", b"1\n2\n3\n"), ("gone", b"x"), ("same", b"x"), ("bin", b"\0a")]);
        let new =
            files(&[("a.rs", b"1\nfn f() {}\n3\n4\n"), ("new", b"x\n"), ("same", b"x"), ("bin", b"\0b")]);
        let case = case(vec![finding("rule", "bad", "a.rs", 2)]);
        let found = compared(IDS, &old, &new, Some(&case));
        assert_eq!((found.added, found.removed, found.changed, found.same), (1, 1, 2, 1));
        let first = &found.files[0];
        assert_eq!((first.path.as_str(), first.lines_added, first.lines_removed), ("a.rs", 2, 1));
        let row = &first.rows[1];
        assert_eq!((row.left.as_ref().unwrap().number, row.right.as_ref().unwrap().number), (2, 2));
        assert_eq!((row.remarks.len(), first.rows[0].remarks.len()), (1, 0));
        let of = |path: &str| found.files.iter().find(|it| it.path == path).unwrap();
        assert!(of("bin").note.is_some() && of("bin").rows.is_empty());
        assert!(of("gone").link.contains("/version/1/") && of("new").link.contains("/version/2/"));
    }

    #[test]
    fn what_is_too_much_says_so() {
        let long = |from: usize| (from..from + 2_000).map(|it| format!("{it}\n")).collect::<String>();
        let (one, other) = (long(0), long(10_000));
        let (old, new) = (files(&[("a", one.as_bytes())]), files(&[("a", other.as_bytes())]));
        let found = compared(IDS, &old, &new, None);
        assert_eq!(found.files[0].rows.len(), ROWS_OF_FILE);
        assert!(found.files[0].note.is_some());
        let mut executable = files(&[("a", b"x")]);
        executable.get_mut("a").unwrap().mode = 0o755;
        let found = compared(IDS, &files(&[("a", b"x")]), &executable, None);
        assert!(found.files[0].note.as_ref().unwrap().contains("644 → 755"));
    }

    #[test]
    fn only_rules_about_likeness_name_other_crates() {
        let findings = vec![
            finding("copied-crate", "`log` 0.4.1 has 93 % of the source", "a", 1),
            finding("build-script-downloads", "`curl` is started", "a", 1),
            finding("copied-crate", "`log` 0.4.1 again, and `not a name`", "a", 1),
        ];
        let found = named(&case(findings));
        assert_eq!(found, [("copied-crate".to_owned(), "log".to_owned(), Some("0.4.1".to_owned()))]);
    }
}
