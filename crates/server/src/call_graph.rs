//! Who calls a version, by how sure that is: asked of the call graph that `cratekeeper survey` made and `gate.toml` names.
//!
//! A walk over all callers of a popular crate takes longer than people wait for a page. So answers are kept for a while, one is worked out at a
//! time, and a page that would have to wait says so. A version that was published this minute is in no graph: then the crate's
//! other versions are asked about, and the answer says that.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cratekeeper_graph::{Filter, Graph, GraphError, Pattern, Store};
use quick_cache::sync::Cache;
use serde::Deserialize;

/// How long a page waits for an answer that is not there yet: what is left of 0.2 s when everything else is done.
const PATIENCE: Duration = Duration::from_millis(80);

/// Answers that are kept, and for how long: graphs are made anew once a day, or less often.
const KEPT: usize = 500;
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Versions that are listed.
const LISTED: usize = 100;

/// The store of call graphs that pages ask.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallGraphConfiguration {
    /// Directory of the store, as `cratekeeper survey` wrote it.
    pub store: PathBuf,
    /// Resolution table of the store; by default the only one.
    #[serde(default)]
    pub table: Option<String>,
}

/// What is called by some certainty or surer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certain {
    pub(crate) certainty: &'static str,
    /// Packages that call it themselves.
    pub(crate) direct: u64,
    /// Packages that call it, through others too.
    pub(crate) packages: u64,
    pub(crate) functions: u64,
}

/// A version that calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) certainty: &'static str,
    /// Calls on the way.
    pub(crate) distance: u32,
}

/// Who calls a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CalledBy {
    /// Name of the table that was asked.
    pub(crate) table: String,
    /// Whether the graph has the version itself; else all that it has of the crate were asked about.
    pub(crate) is_exact: bool,
    /// From the surest; each has all that the one before has.
    pub(crate) levels: Vec<Certain>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) are_all_listed: bool,
}

/// What is known of who calls a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Calls {
    /// No call graph is set up.
    NotSetUp,
    /// It is being worked out.
    Later,
    /// It cannot be told; why.
    Unknown(String),
    /// This is known.
    Known(Arc<CalledBy>),
}

/// Asks a store of call graphs.
pub(crate) struct CallGraph {
    configuration: CallGraphConfiguration,
    answers: Cache<(String, String), (Instant, Calls)>,
    /// One walk at a time.
    asking: Arc<tokio::sync::Semaphore>,
}

impl CallGraph {
    pub(crate) fn new(configuration: CallGraphConfiguration) -> CallGraph {
        CallGraph {
            configuration,
            answers: Cache::new(KEPT),
            asking: Arc::new(tokio::sync::Semaphore::new(1)),
        }
    }

    /// Who calls a version of a crate.
    pub(crate) async fn callers(self: &Arc<CallGraph>, name: &str, version: &str) -> Calls {
        let key = (name.to_owned(), version.to_owned());
        if let Some((at, calls)) = self.answers.get(&key)
            && at.elapsed() < KEPT_FOR
        {
            return calls;
        }
        // Whoever comes while another version is asked about looks again later.
        let Ok(turn) = self.asking.clone().try_acquire_owned() else { return Calls::Later };
        let graph = Arc::clone(self);
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let calls = match ask(&graph.configuration, &key.0, &key.1) {
                Ok(Some(found)) => Calls::Known(Arc::new(found)),
                Ok(None) => Calls::Unknown("the call graph has no version of this crate".to_owned()),
                Err(error) => Calls::Unknown(format!("the call graph cannot be read: {error}")),
            };
            graph.answers.insert(key, (Instant::now(), calls.clone()));
            calls
        });
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(calls)) => calls,
            Ok(Err(error)) => Calls::Unknown(error.to_string()),
            Err(_) => Calls::Later,
        }
    }
}

/// Asks a store, from the beginning: it may be another one since the last time.
fn ask(of: &CallGraphConfiguration, name: &str, version: &str) -> Result<Option<CalledBy>, GraphError> {
    let Some((graph, table)) = open(&of.store, of.table.as_deref())? else { return Ok(None) };
    let mut is_exact = true;
    let mut target = graph.blast_target(&Pattern::parse(&format!("{name}@={version}"))?)?;
    if target.versions.is_empty() {
        is_exact = false;
        target = graph.blast_target(&Pattern::parse(name)?)?;
    }
    if target.versions.is_empty() {
        return Ok(None);
    }
    let blast = graph.blast(&target, Filter::default(), usize::MAX)?;
    let levels = blast.by_call.iter().map(|it| Certain {
        certainty: it.certainty.as_str(),
        direct: it.levels.get(1).map_or(0, |it| it.packages),
        packages: it.total.packages,
        functions: it.total.functions,
    });
    let mut callers = Vec::new();
    for hit in &blast.hit {
        let Some(call) = hit.call else { continue };
        callers.push((call.certainty, call.distance, hit.version));
    }
    callers.sort();
    let are_all_listed = callers.len() <= LISTED;
    let listed = callers.into_iter().take(LISTED).map(|(certainty, distance, version)| {
        let name = graph.version(version)?;
        let name = format!("{} {}", name.package, name.version);
        Ok(Caller { name, certainty: certainty.as_str(), distance })
    });
    Ok(Some(CalledBy {
        table,
        is_exact,
        levels: levels.collect(),
        callers: listed.collect::<Result<_, GraphError>>()?,
        are_all_listed,
    }))
}

/// The graph of a table; `None` where none is named and there is not just one.
fn open(directory: &Path, table: Option<&str>) -> Result<Option<(Graph, String)>, GraphError> {
    let store = Store::open(directory)?;
    let tables = store.summary().tables;
    let table = match (table, tables.as_slice()) {
        (Some(table), _) => table.to_owned(),
        (None, [(one, _)]) => one.clone(),
        (None, _) => return Ok(None),
    };
    Ok(Some((store.graph(&table)?, table)))
}

#[cfg(test)]
mod tests {
    use cratekeeper_graph::{StoreWriter, synthetic};

    use super::*;

    #[tokio::test]
    async fn callers_are_counted_by_certainty_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = StoreWriter::open(directory.path()).unwrap();
        let ecosystem = synthetic::Ecosystem::new(7, 60, 4_000);
        ecosystem.write(&mut writer, "today").unwrap();
        writer.link("today").unwrap();
        let asked = |table: Option<&str>| {
            let store = directory.path().to_owned();
            Arc::new(CallGraph::new(CallGraphConfiguration { store, table: table.map(str::to_owned) }))
        };
        let graph = asked(None);
        let mut found = None;
        for index in 0..ecosystem.len() {
            let entry = ecosystem.entry(index);
            let number = entry.version.to_string();
            let Calls::Known(known) = graph.callers(&entry.name, &number).await else {
                panic!("it is there")
            };
            assert!(known.is_exact && known.table == "today" && known.levels.len() == 4);
            assert!(known.levels.is_sorted_by_key(|it| it.packages), "less sure calls only add: {known:?}");
            if !known.callers.is_empty() {
                found = Some((entry, number, known));
            }
        }
        let (entry, number, known) = found.expect("somebody calls somebody");
        assert!(known.callers[0].distance >= 1 && known.levels[3].functions > 0, "{known:?}");
        let Calls::Known(other) = graph.callers(&entry.name, "999.0.0").await else { panic!("others are") };
        assert!(!other.is_exact);
        assert!(matches!(graph.callers("no-such-crate", "1.0.0").await, Calls::Unknown(_)));
        assert!(matches!(asked(Some("gone")).callers(&entry.name, &number).await, Calls::Unknown(_)));
        drop(directory);
        assert_eq!(graph.callers(&entry.name, &number).await, Calls::Known(known), "it was kept");
    }
}
