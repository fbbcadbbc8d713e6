//! Damaged stores: an error or the same answers, and never a panic.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use cratekeeper_graph::synthetic::Ecosystem;
use cratekeeper_graph::{
    EdgeOptions, Filter, Graph, GraphError, Limits, Pattern, Search, Store, StoreWriter,
};
use proptest::prelude::*;

/// Every question, with the answers as one text.
fn ask_everything(directory: &Path) -> Result<String, GraphError> {
    let store = Store::open(directory)?;
    let mut answers = format!("{:?}{:?}", store.summary(), store.resolution("base")?);
    for version in store.versions()? {
        answers += &format!("{version:?}{:?}", store.call_graph(version.number)?);
    }
    answers += &ask_graph(&store.graph("base")?)?;
    let mut writer = StoreWriter::open(directory)?;
    writer.link("base")?;
    Ok(answers)
}

fn ask_graph(graph: &Graph) -> Result<String, GraphError> {
    let mut answers = format!("{:?}", graph.statistics()?);
    let versions: Vec<_> = graph.versions().collect();
    for pattern in ["package_1", "*::function_1", "package_1::module_0::function_0", "/std/", "::function_2"]
    {
        let pattern = Pattern::parse(pattern)?;
        let nodes = graph.find(&pattern, 50)?.nodes;
        let limits = Limits::default();
        answers += &format!("{:?}{:?}", graph.callers(&nodes, &limits)?, graph.callees(&nodes, &limits)?);
        answers += &format!("{:?}", graph.reach(&nodes, Filter::default())?.len());
        let target = graph.blast_target(&pattern)?;
        answers += &format!("{:?}", graph.blast(&target, Filter::default(), 10)?);
        answers +=
            &format!("{:?}", graph.paths(&nodes, &nodes[nodes.len() / 2..], 3, 20, Filter::default())?);
        for node in nodes {
            answers += &format!("{:?}{}", graph.function(node)?, graph.path_with_version(node)?);
        }
    }
    for edge in graph.edges(&EdgeOptions { with_versions: true, ..EdgeOptions::default() })? {
        answers += &format!("{:?}", edge?);
    }
    for version in &versions {
        answers += &format!("{:?}{:?}", graph.version(*version)?, graph.entry(*version)?);
    }
    answers += &format!("{:?}", graph.search(Search::Substring("module_1"), 5)?);
    answers += &format!("{:?}", graph.search_versions("package-1", 5)?);
    answers +=
        &format!("{:?}{:?}", graph.unsafe_usage(Filter::default())?, graph.unsafe_statistics(&versions)?);
    answers += &format!("{:?}", graph.foreign_functions(Filter::default(), 10)?);
    answers += &format!("{:?}", graph.dependents(&versions[..1])?);
    answers +=
        &format!("{:?}{:?}", graph.top_by_direct_dependents(5)?, graph.top_by_transitive_dependents(5)?);
    answers += &format!("{:?}{:?}", graph.latest_versions()?, graph.duplicates()?);
    answers += &format!("{:?}", graph.diff(versions[0], versions[versions.len() - 1])?);
    Ok(answers)
}

/// Names and contents.
type Files = Vec<(String, Vec<u8>)>;

/// Files of a small store, and what it answers.
fn sound_store() -> &'static (Files, String) {
    static STORE: OnceLock<(Files, String)> = OnceLock::new();
    STORE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = StoreWriter::open(directory.path()).unwrap();
        Ecosystem::new(5, 12, 300).write(&mut writer, "base").unwrap();
        writer.link("base").unwrap();
        drop(writer);
        let entries = fs::read_dir(directory.path()).unwrap().map(Result::unwrap);
        let mut files: Vec<_> = entries
            .map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap()))
            .filter(|it| it.0 != "lock")
            .collect();
        files.sort();
        let answers = ask_graph(&Graph::open(directory.path(), "base").unwrap()).unwrap();
        (files, answers)
    })
}

fn with_damage(which: usize, damage: impl FnOnce(&mut Vec<u8>)) -> tempfile::TempDir {
    let (files, _) = sound_store();
    let directory = tempfile::tempdir().unwrap();
    let mut damage = Some(damage);
    for (position, (name, content)) in files.iter().enumerate() {
        let mut content = content.clone();
        if position == which % files.len() {
            damage.take().unwrap()(&mut content);
        }
        fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

#[test]
fn a_sound_store_answers() {
    let directory = with_damage(0, |_| {});
    ask_everything(directory.path()).unwrap();
    Store::open(directory.path()).unwrap().verify().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_bytes_are_found_by_verify_and_never_panic(
        which: usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4),
    ) {
        let directory = with_damage(which, |content| {
            for (position, change) in &changes {
                let position = position.index(content.len());
                content[position] ^= change;
            }
        });
        let verified = Store::open(directory.path()).and_then(|it| it.verify());
        if verified.is_ok() {
            // Padding between sections belongs to nobody; or one change took back another.
            let answers = ask_graph(&Graph::open(directory.path(), "base").unwrap()).unwrap();
            prop_assert!(answers == sound_store().1);
        }
        let _ = ask_everything(directory.path());
    }

    #[test]
    fn shortened_files_are_refused(which: usize, length: prop::sample::Index) {
        let directory = with_damage(which, |content| content.truncate(length.index(content.len())));
        let error = ask_everything(directory.path()).unwrap_err();
        prop_assert!(
            matches!(error, GraphError::Foreign { .. } | GraphError::Damaged { .. }),
            "{error}"
        );
    }

    /// Without checksums in the way: a table that was written with wrong content by whatever means.
    #[test]
    fn changed_columns_of_the_index_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let (files, _) = sound_store();
        let linked = files.iter().position(|it| it.0.starts_with("linked")).unwrap();
        let directory = with_damage(linked, |content| {
            let table = 32 + 34 * 32;
            for (position, change) in &changes {
                let position = table + position.index(content.len() - table);
                content[position] = *change;
            }
        });
        if let Ok(graph) = Graph::open(directory.path(), "base") {
            let _ = ask_graph(&graph);
        }
    }
}
