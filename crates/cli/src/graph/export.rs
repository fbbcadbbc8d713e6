//! `cratekeeper graph export`: files for other programs.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use cratekeeper_graph::answer::{Answer, List, Question};
use cratekeeper_report::graph::neo4j::{File, Labels};

use super::source::Opened;
use crate::arguments::{ExportArguments, Global};
use crate::exit::Exit;

pub(super) fn run(arguments: &ExportArguments, global: &Global) -> anyhow::Result<Exit> {
    if arguments.parquet.is_some() && !cfg!(feature = "parquet") {
        let message = "failed to write Parquet files: this program was built without them".to_owned();
        let hint = "build it with `cargo install --path crates/cli --features parquet`, or use --neo4j";
        return Err(crate::error::Hinted::message(message, hint).into());
    }
    let opened = Opened::open(&arguments.source, global, &[])?;
    let directory = arguments.parquet.as_ref().or(arguments.neo4j.as_ref());
    let directory = directory.context("failed to choose a form: name --neo4j or --parquet")?;
    fs::create_dir_all(directory).with_context(|| format!("failed to create `{}`", directory.display()))?;
    let mut list = List { name: "files", columns: &["name", "holds", "rows"], rows: Vec::new() };
    if arguments.parquet.is_some() {
        parquet(&opened, directory, &mut list)?;
    } else {
        neo4j(&opened, arguments.painter_labels, directory, &mut list)?;
    }
    let fields = vec![("directory", directory.display().to_string().into())];
    let answer = Answer { question: Question::Export, fields, lists: vec![list], truncated: false };
    super::finish(&arguments.source, global, &opened, &answer)
}

fn neo4j(opened: &Opened, painter_labels: bool, directory: &Path, list: &mut List) -> anyhow::Result<()> {
    let labels = if painter_labels { Labels::Painter } else { Labels::Own };
    for file in File::all(labels) {
        let path = directory.join(file.name());
        let write = || -> std::io::Result<u64> {
            let mut out = BufWriter::new(fs::File::create(&path)?);
            let rows = file.write(&opened.graph, labels, &mut out)?;
            out.flush()?;
            Ok(rows)
        };
        let rows = write().with_context(|| format!("failed to write `{}`", path.display()))?;
        let holds = if file.has_nodes() { "nodes" } else { "relationships" };
        list.rows.push(vec![file.name().into(), holds.into(), rows.into()]);
    }
    Ok(())
}

#[cfg(feature = "parquet")]
fn parquet(opened: &Opened, directory: &Path, list: &mut List) -> anyhow::Result<()> {
    let files = cratekeeper_parquet::export(&opened.graph, directory)
        .with_context(|| format!("failed to write to `{}`", directory.display()))?;
    for (name, rows) in files {
        let holds = name.trim_end_matches(".parquet");
        list.rows.push(vec![name.into(), holds.into(), rows.into()]);
    }
    Ok(())
}

#[cfg(not(feature = "parquet"))]
fn parquet(_opened: &Opened, _directory: &Path, _list: &mut List) -> anyhow::Result<()> {
    Ok(())
}
