//! A file of a version, as text with line numbers: what findings say stands beside the lines that they are about.
//!
//! It is only ever text in our page, never served as what it claims to be. What has no text is shown by its first bytes. A page has an end:
//! the rest of a long file is on further pages, and a line that is cut says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use cratekeeper_archive::ArchiveFile;
use cratekeeper_model::Case;
use cratekeeper_store::VersionId;
use serde::Deserialize;

use super::archives;
use super::highlight::{Language, Span, lines};
use super::layout::{Frame, page, plain};
use super::tombstone::prove;
use super::visitor::{Problem, Visitor};
use crate::error::Failure;
use crate::gate::Gate;

/// Lines of one page, and bytes of text in them: a browser lays out some megabytes of page for them.
const LINES: usize = 2_000;
const BYTES: usize = 1 << 20;

/// Lines above one that was asked for, where those before it fill a page. With the longest lines they are less than a page.
const ABOVE: usize = 20;

/// What findings say about one file that is shown; rules end their lists of places, and this those of all rules.
const REMARKS: usize = 200;

/// Bytes that are shown of what is no text, and how many in a row.
const HEAD: usize = 4 << 10;
const IN_A_ROW: usize = 16;

#[derive(Template)]
#[template(path = "console/file.html")]
struct FilePage {
    frame: Frame,
    version: VersionId,
    name: String,
    number: String,
    path: String,
    shown: Result<Shown, String>,
    /// What findings say about the file as a whole.
    about: Vec<Remark>,
    /// Where whoever may look at evidence proves who they are.
    prove: Option<String>,
}

/// What is shown of a file.
struct Shown {
    kind: &'static str,
    size: String,
    is_executable: bool,
    /// What whoever reads has to know about the text.
    notes: Vec<String>,
    rows: Vec<Row>,
    /// Lines before and behind the page, as addresses.
    before: Option<String>,
    behind: Option<String>,
    bytes: Vec<String>,
}

/// A line.
struct Row {
    number: usize,
    spans: Vec<Span>,
    left_out: usize,
    remarks: Vec<Remark>,
}

/// What a finding says.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// Line that it is about; `None` for the whole file.
    pub(super) line: Option<u32>,
    pub(super) rule: String,
    pub(super) severity: String,
    pub(super) message: String,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    file: String,
    /// The first line of the page.
    #[serde(default)]
    from: Option<usize>,
    /// A line that has to be on it.
    #[serde(default)]
    line: Option<usize>,
}

/// Where a file of a version is shown, on the page with `line`.
pub(super) fn file_path(version: VersionId, file: &str, line: Option<u32>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("file", file);
    if let Some(line) = line {
        query.append_pair("line", &line.to_string());
    }
    let anchor = line.map_or_else(String::new, |it| format!("#L{it}"));
    format!("/console/version/{version}/file?{}{anchor}", query.finish())
}

/// The first line of the page that has this line.
fn page_of(line: usize) -> usize {
    line.saturating_sub(1) / LINES * LINES + 1
}

/// What the findings of a case say about each file, the first of it.
pub(super) fn remarks(case: &Case) -> BTreeMap<String, Vec<Remark>> {
    let mut of_files: BTreeMap<String, Vec<Remark>> = BTreeMap::new();
    for finding in &case.findings {
        let message = plain(&finding.message);
        for evidence in &finding.evidence {
            let remark = Remark {
                line: evidence.line.filter(|it| *it > 0),
                rule: finding.rule.clone(),
                severity: finding.severity.to_string(),
                message: message.clone(),
            };
            let those = of_files.entry(evidence.file.clone()).or_default();
            if those.len() < REMARKS && !those.contains(&remark) {
                those.push(remark);
            }
        }
    }
    of_files
}

/// A file.
pub(super) async fn file(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (krate, version) = gate.store.version_by_id(VersionId(id)).await?;
    let missing = || Failure::NotFound("its registry is not set up any more".to_owned());
    let registry = gate.registry_of(&krate).ok_or_else(missing)?.clone();
    let newest = gate.store.inspections(version.id, 1).await?.into_iter().next();
    let remarks = newest.and_then(|it| it.case).and_then(|it| remarks(&it).remove(&asked.file));
    let remarks = remarks.unwrap_or_default();
    let about = remarks.iter().filter(|it| it.line.is_none()).cloned().collect();
    let (path, line) = (asked.file.clone(), asked.line);
    let line_asked = line.and_then(|it| u32::try_from(it).ok());
    let from = asked.from.unwrap_or_else(|| line.map_or(1, page_of)).max(1);
    let id = version.id;
    let looker = Some((&visitor, asked.file.as_str()));
    let made = archives::of_version(&gate, looker, &registry, &krate, &version, move |archive| {
        archive.file(&path).map(|it| shown(id, it, (from, line), &remarks))
    });
    let shown = match made.await? {
        Ok(Some(shown)) => Ok(shown),
        Ok(None) => return Err(Failure::NotFound("there is no such file in the archive".to_owned()).into()),
        Err(reason) => Err(reason),
    };
    let title = format!("{} in {} {}", plain(&asked.file), krate.name, version.version);
    let page_data = FilePage {
        frame: gate.frame(&visitor, "/console/queue", title).await?,
        version: version.id,
        name: krate.name,
        number: version.version.to_string(),
        path: plain(&asked.file),
        shown,
        about,
        prove: prove(&visitor, gate.now(), &[&version], &file_path(version.id, &asked.file, line_asked)),
    };
    page(&page_data.frame, &page_data)
}

fn shown(
    version: VersionId,
    file: &ArchiveFile,
    (mut from, line): (usize, Option<usize>),
    remarks: &[Remark],
) -> Shown {
    let mut shown = Shown {
        kind: archives::kind(&file.path, &file.contents),
        size: archives::size(file.contents.len() as u64),
        is_executable: file.is_executable(),
        notes: Vec::new(),
        rows: Vec::new(),
        before: None,
        behind: None,
        bytes: Vec::new(),
    };
    let Some((text, is_whole)) = archives::text(&file.contents) else {
        shown.bytes = bytes(&file.contents);
        if file.contents.len() > HEAD {
            shown.notes.push(format!("These are the first {HEAD} bytes; the rest is not shown."));
        }
        return shown;
    };
    if !is_whole {
        shown.notes.push("It is not UTF-8: what cannot be read is shown as \u{fffd}.".to_owned());
    }
    let language = Language::of(&file.path);
    let mut found = lines(&text, language, from..from.saturating_add(LINES), BYTES);
    if let Some(line) = line.filter(|it| found.last().is_some_and(|last| last.number < *it)) {
        from = line.saturating_sub(ABOVE).max(1);
        found = lines(&text, language, from..from.saturating_add(LINES), BYTES);
    }
    let last = found.last().map_or(from, |it| it.number);
    let all = text.split('\n').count() - usize::from(text.ends_with('\n'));
    if from > 1 {
        shown.before = Some(part(version, &file.path, page_of(from.min(all).saturating_sub(LINES).max(1))));
    }
    if last < all {
        shown.behind = Some(part(version, &file.path, last + 1));
        shown.notes.push(format!("These are lines {from} to {last} of {all}; the rest is not shown here."));
    }
    let of = |number: usize| {
        remarks.iter().filter(move |it| it.line.is_some_and(|it| it as usize == number)).cloned().collect()
    };
    let row = |it: super::highlight::Line| Row {
        remarks: of(it.number),
        number: it.number,
        spans: it.spans,
        left_out: it.left_out,
    };
    shown.rows = found.into_iter().map(row).collect();
    shown
}

fn part(version: VersionId, path: &str, from: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("file", path).append_pair("from", &from.to_string());
    format!("/console/version/{version}/file?{}", query.finish())
}

/// The first bytes, as numbers and as what of them is text.
fn bytes(contents: &[u8]) -> Vec<String> {
    let rows = contents[..contents.len().min(HEAD)].chunks(IN_A_ROW).enumerate();
    rows.map(|(index, row)| {
        let numbers: Vec<String> = row.iter().map(|it| format!("{it:02x}")).collect();
        let text = row.iter().map(|it| if it.is_ascii_graphic() || *it == b' ' { *it as char } else { '.' });
        format!("{:06x}  {:<47}  {}", index * IN_A_ROW, numbers.join(" "), text.collect::<String>())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, contents: &[u8]) -> ArchiveFile {
        ArchiveFile { path: path.to_owned(), contents: contents.to_vec(), mode: 0o644 }
    }

    fn remark(line: u32) -> Remark {
        Remark { line: Some(line), rule: "r".into(), severity: "high".into(), message: "<m>".into() }
    }

    #[test]
    fn findings_stand_beside_their_lines() {
        let shown = shown(VersionId(1), &file("a.rs", b"fn a() {}\nfn b() {}\n"), (1, None), &[remark(2)]);
        let marked: Vec<usize> = shown.rows.iter().map(|it| it.remarks.len()).collect();
        assert_eq!((marked, shown.before, shown.behind), (vec![0, 1], None, None));
    }

    #[test]
    fn a_long_file_has_pages_and_a_place_is_on_the_right_one() {
        let long = file("a.rs", "x\n".repeat(LINES * 2 + 1).as_bytes());
        let first = shown(VersionId(1), &long, (1, None), &[]);
        assert_eq!((first.rows.len(), first.before.is_some()), (LINES, false));
        assert_eq!(first.behind.as_deref(), Some("/console/version/1/file?file=a.rs&from=2001"));
        let last = shown(VersionId(1), &long, (4_001, None), &[]);
        assert_eq!((last.rows.len(), last.behind.is_some()), (1, false));
        assert!(shown(VersionId(1), &long, (usize::MAX, None), &[]).rows.is_empty());
        assert_eq!(
            file_path(VersionId(1), "a b.rs", Some(7)),
            "/console/version/1/file?file=a+b.rs&line=7#L7"
        );
        let wide = file("a.rs", format!("{}\n", "x".repeat(9_000)).repeat(1_000).as_bytes());
        let there = shown(VersionId(1), &wide, (1, Some(900)), &[]);
        assert!(there.rows.iter().any(|it| it.number == 900) && there.before.is_some());
    }

    #[test]
    fn what_is_no_text_is_shown_by_its_first_bytes() {
        let shown = shown(VersionId(1), &file("a.bin", &[0; HEAD + 1]), (1, None), &[]);
        assert_eq!((shown.kind, shown.bytes.len(), shown.notes.len()), ("binary", HEAD / IN_A_ROW, 1));
        assert_eq!(bytes(b"\x00<b>"), ["000000  00 3c 62 3e                                      .<b>"]);
    }
}
