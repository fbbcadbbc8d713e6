//! Files with names: texts and snapshots.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use cratekeeper_names::{Corpus, Kind, SnapshotError, TableError};

use crate::error::Hinted;

/// Most bytes of a text that are read: the crates of the largest registry, with all that is known of them, have a tenth of it.
const MOST_BYTES: u64 = 1 << 30;

/// Bytes at the beginning of a file that tell what it is.
const BEGINNING: u64 = 16;

/// The text of a file; `-` is standard input.
pub(super) fn text(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") { decode(path, io::stdin().lock()) } else { decode(path, open(path)?) }
}

/// A corpus from a file: a snapshot, a table or a list.
pub(super) fn corpus(path: &Path, kind: Kind) -> anyhow::Result<Corpus> {
    if path == Path::new("-") {
        let cause = "a corpus is read from a file";
        return Err(failed(path, cause, "write it to a file first, for instance with `names index`").into());
    }
    let mut file = open(path)?;
    let mut beginning = Vec::new();
    (&mut file).take(BEGINNING).read_to_end(&mut beginning).map_err(|error| unreadable(path, &error))?;
    let is_snapshot = Corpus::is_snapshot(&beginning);
    let whole = io::Cursor::new(beginning).chain(file);
    if is_snapshot {
        let corpus = Corpus::read_snapshot(BufReader::with_capacity(1 << 20, whole));
        return of_kind(path, corpus.map_err(|error| snapshot_error(path, &error))?, kind);
    }
    let text = decode(path, whole)?;
    let is_table_of_crates = kind == Kind::Publishers && has_owners(&text);
    let parsed = Corpus::parse(&text, if is_table_of_crates { Kind::Crates } else { kind });
    of_kind(path, parsed.map_err(|error| table_error(path, &error))?, kind)
}

/// The corpus itself, or the publishers of its crates where those are wanted.
fn of_kind(path: &Path, corpus: Corpus, kind: Kind) -> anyhow::Result<Corpus> {
    match (corpus.kind(), kind) {
        (Kind::Publishers, Kind::Crates) => {
            let cause = "it has logins of publishers, and crates are asked for";
            Err(failed(path, cause, "pass --publishers, or name a corpus of crates").into())
        }
        (Kind::Crates, Kind::Publishers) => corpus.publishers().map_err(|error| match error {
            TableError::Empty => {
                let cause = "it has crates without owners, and publishers are asked for";
                failed(path, cause, "name a list of logins, or a table of crates with the column `owners`")
                    .into()
            }
            error => table_error(path, &error).into(),
        }),
        _ => Ok(corpus),
    }
}

/// Whether the header of a table has the column `owners`.
fn has_owners(text: &str) -> bool {
    let header = text.lines().next().unwrap_or_default();
    header.split(',').any(|column| column.trim().trim_matches('"').eq_ignore_ascii_case("owners"))
}

fn open(path: &Path) -> anyhow::Result<File> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    if file.metadata().is_ok_and(|it| it.is_dir()) {
        return Err(failed(path, "it is a directory", "name a file").into());
    }
    Ok(file)
}

fn decode(path: &Path, reader: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    reader.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > MOST_BYTES {
        let cause = "it has more than 1 GiB";
        return Err(failed(path, cause, "leave out columns that are not needed").into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        failed(path, format!("line {line} is not UTF-8"), "save it as UTF-8 text").into()
    })
}

/// An error about a file, with something to do.
pub(super) fn failed(path: &Path, cause: impl Display, hint: &str) -> Hinted {
    let object = match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => format!("`{}`", path.display()),
    };
    Hinted::message(format!("failed to read {object}: {cause}"), hint)
}

fn unreadable(path: &Path, error: &io::Error) -> Hinted {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        _ => "check what it is, and whether you may read it",
    };
    failed(path, error, hint)
}

/// An error in a table or list.
pub(super) fn table_error(path: &Path, error: &TableError) -> Hinted {
    let hint = match error {
        TableError::NoNames(_) => "give the column of names the header `name`",
        TableError::NoTargets => "give the column of names that others are taken for the header `target`",
        TableError::Empty => "write one name per line, or a CSV table with the column `name`",
        TableError::Csv(_) => {
            "give every row as many columns as the header, and put values with commas into quotes"
        }
        TableError::TooMany(_) => "leave out names that nobody would take others for",
        _ => "correct the line, or take it out",
    };
    failed(path, error, hint)
}

fn snapshot_error(path: &Path, error: &SnapshotError) -> Hinted {
    failed(path, error, "make it anew with `cratekeeper names index CORPUS -o SNAPSHOT`")
}
