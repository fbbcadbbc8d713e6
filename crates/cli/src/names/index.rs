//! `cratekeeper names index`: a corpus as a snapshot.

use std::fs;
use std::io::{self, BufWriter};
use std::path::Path;
use std::time::Instant;

use cratekeeper_names::{Corpus, SnapshotError};
use cratekeeper_report::names::IndexOutcome;

use super::input;
use crate::arguments::{Format, Global, NamesIndex, kind};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::output;

pub(super) fn run(index: &NamesIndex, global: &Global) -> anyhow::Result<Exit> {
    let start = Instant::now();
    if is_same_file(&index.corpus, &index.output) {
        let message = format!("failed to write `{}`: it is the corpus itself", index.output.display());
        return Err(Hinted::message(message, "name another file with -o").into());
    }
    if output::is_watched() && !global.quiet {
        output::to_stderr(&format!("indexing `{}`\n", index.corpus.display()));
    }
    let corpus = input::corpus(&index.corpus, kind(index.publishers))?;
    let bytes = write(&corpus, &index.output).map_err(|error| {
        let message = format!("failed to write `{}`: {error}", index.output.display());
        Hinted::message(message, "name a file in a directory that exists and that you may write to")
    })?;
    let outcome = IndexOutcome {
        corpus: super::describe(&corpus, Some(&index.corpus)),
        snapshot: index.output.display().to_string(),
        bytes,
        time: start.elapsed(),
    };
    output::write(|out| match global.format {
        Format::Json | Format::Sarif | Format::Vex | Format::Graph(_) => {
            cratekeeper_report::json::names_index(output::TOOL, &outcome, out)
        }
        Format::Human => cratekeeper_report::human::names_index(output::terminal(), &outcome, out),
    })?;
    Ok(Exit::Clean)
}

/// Whether two paths name one file, which would be lost.
fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Writes the snapshot, whole or not at all; gives its size.
fn write(corpus: &Corpus, path: &Path) -> io::Result<u64> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As for any file that a program writes, the user's mask decides who may read it; a temporary file is private.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".names-").tempfile_in(directory).map_err(|error| without_path(&error))?;
    let writer = BufWriter::with_capacity(1 << 20, file.as_file_mut());
    corpus.write_snapshot(writer).map_err(|error| match error {
        SnapshotError::Io(error) => error,
        error => io::Error::other(error),
    })?;
    let bytes = file.as_file().metadata()?.len();
    file.persist(path).map_err(|error| error.error)?;
    Ok(bytes)
}

/// The kind of the error alone: its message has the random name of the temporary file, which tells nobody anything.
fn without_path(error: &io::Error) -> io::Error {
    error.kind().into()
}
