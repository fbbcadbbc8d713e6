//! Which graph is asked: one table of a store, or the workspace.

use std::path::{Path, PathBuf};

use cratekeeper_engine::LocalManifests;
use cratekeeper_graph::answer::Asker;
use cratekeeper_graph::{Filter, Graph, Store};
use cratekeeper_registry::Lockfile;
use cratekeeper_report::graph::Asked;

use super::hinted;
use crate::arguments::{Global, Source};
use crate::check::Input;
use crate::error::Hinted;
use crate::{progress, setup};

/// A graph that is open, and what is asked of it.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) graph: Graph,
    /// What is asked for.
    pub(super) words: Vec<String>,
    /// Packages of the workspace are missing, or parts of them.
    pub(super) is_incomplete: bool,
    directory: String,
    table: String,
    source: String,
    notes: Vec<String>,
    filter: Filter,
    limit: usize,
}

impl Opened {
    /// Opens what `source` names; `wanted` are the words that the question needs.
    pub(super) fn open(source: &Source, global: &Global, wanted: &[&str]) -> anyhow::Result<Opened> {
        let Question { store, workspace, words } = split(source, wanted)?;
        let filter = Filter {
            weakest: source.weakest.into(),
            active_only: !source.all_configurations,
            tests: source.all_configurations,
            implementations: true,
        };
        let built = match &store {
            Some(store) => Built::of_store(store, source)?,
            None => Built::of_workspace(&workspace, source, global)?,
        };
        let graph = built.store.graph(&built.table).map_err(hinted)?;
        Ok(Opened {
            graph,
            words,
            is_incomplete: built.is_incomplete,
            directory: built.directory.display().to_string(),
            source: store.map_or_else(|| "--workspace".to_owned(), |it| it.display().to_string()),
            store: built.store,
            table: built.table,
            notes: built.notes,
            filter,
            limit: source.limit,
        })
    }

    pub(super) fn asker(&self) -> Asker<'_> {
        Asker::new(&self.graph, self.filter, self.limit)
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { store: &self.directory, table: &self.table, source: &self.source, notes: &self.notes }
    }
}

/// What is asked, and what for.
struct Question {
    /// `None` for a workspace.
    store: Option<PathBuf>,
    workspace: PathBuf,
    words: Vec<String>,
}

/// The store among the words, unless a workspace is asked, and the other words.
///
/// `--workspace DIR` may stand anywhere among them, so a word too many is the directory, if it is one.
fn split(source: &Source, wanted: &[&str]) -> anyhow::Result<Question> {
    let mut words = source.words.clone();
    let mut workspace = source.workspace.clone();
    if let Some(directory) = &mut workspace
        && directory == Path::new(".")
        && words.len() == wanted.len() + 1
        && let Some(at) = words.iter().position(|word| Path::new(word).is_dir())
    {
        *directory = PathBuf::from(words.remove(at));
    }
    let store = (workspace.is_none() && !words.is_empty()).then(|| PathBuf::from(words.remove(0)));
    if words.len() != wanted.len() || workspace.is_none() && store.is_none() {
        let names = [if workspace.is_some() { &[][..] } else { &["STORE"][..] }, wanted].concat();
        let names = if names.is_empty() { "nothing else".to_owned() } else { names.join(" ") };
        let message =
            format!("failed to read the question: it takes {names}, and {} were given", source.words.len());
        let hint = "name the store first, or ask a workspace with --workspace or --workspace DIR";
        return Err(Hinted::message(message, hint).into());
    }
    Ok(Question { store, workspace: workspace.unwrap_or_else(|| PathBuf::from(".")), words })
}

struct Built {
    store: Store,
    directory: PathBuf,
    table: String,
    is_incomplete: bool,
    notes: Vec<String>,
}

impl Built {
    fn of_store(directory: &Path, source: &Source) -> anyhow::Result<Built> {
        let store = Store::open(directory).map_err(hinted)?;
        let tables = store.summary().tables;
        let table = match (&source.table, tables.as_slice()) {
            (Some(table), _) => table.clone(),
            (None, [(one, _)]) => one.clone(),
            (None, several) => {
                let names: Vec<String> = several.iter().map(|it| format!("`{}`", it.0)).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let message = format!(
                    "failed to choose a resolution table of `{}`: it has {names}",
                    directory.display()
                );
                return Err(Hinted::message(message, "name one with --table").into());
            }
        };
        Ok(Built { store, directory: directory.to_owned(), table, is_incomplete: false, notes: Vec::new() })
    }

    fn of_workspace(directory: &Path, source: &Source, global: &Global) -> anyhow::Result<Built> {
        if !directory.is_dir() {
            // A workspace around it would be found, which is not the one that was asked for.
            let message = format!("failed to read `{}`: there is no such directory", directory.display());
            return Err(Hinted::message(message, "give the directory of a workspace to --workspace").into());
        }
        let start = std::path::absolute(directory)?;
        let input = Input::of_workspace(&start)?;
        let lockfile = Lockfile::read(&input.lockfile).map_err(crate::check::hinted)?;
        let local = LocalManifests::read(&input.root);
        let engine = setup::engine_without_advisories(&input.configuration, global, &source.limits)?;
        let options = setup::resolution_options(&source.features, &local);
        let progress = progress::watched(global.quiet);
        let built = engine.workspace_graph(&lockfile, &local, &options, &*progress)?;
        let why = |what: &str, of: &[(cratekeeper_model::PackageId, String)]| {
            let note = |(id, reason): &(_, String)| format!("`{id}` was {what}: {reason}");
            of.iter().map(note).collect::<Vec<String>>()
        };
        let mut notes = why("not read", &built.refused);
        notes.extend(why("read in part", &built.partial));
        notes.extend(local.problems.iter().cloned());
        Ok(Built {
            store: Store::open(&built.directory).map_err(hinted)?,
            directory: built.directory,
            table: built.table,
            is_incomplete: !built.refused.is_empty(),
            notes,
        })
    }
}
