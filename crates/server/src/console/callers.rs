//! Who calls a version: of its direct dependents, from how many places, and whether that runs while something is built.
//!
//! A call graph that `gate.toml` names says it by certainty, with types followed. What else is known comes from the facts that inspections left: paths as imports say, without following types. So a method of a value is not
//! seen as a call into the crate that its type comes from, nor is a crate under another name; "not seen" is no "not called". A page of its
//! own, because facts of many versions take longer to read than people wait for a case.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cratekeeper_model::facts::{ExternalCall, Phase};
use cratekeeper_store::{CrateRecord, VersionId, VersionRecord, WalkLimits};

use super::hit::crate_path;
use super::layout::{Frame, page, plain};
use super::visitor::{Problem, Visitor};
use crate::call_graph::Calls;
use crate::error::Failure;
use crate::gate::Gate;

/// Dependents whose facts are read: with 50, a popular crate's page took 0.1 to 0.3 s (`cargo xtask bench console`).
const DEPENDENTS: usize = 25;

#[derive(Template)]
#[template(path = "console/callers.html")]
struct CallersPage {
    frame: Frame,
    version: VersionId,
    name: String,
    rows: Vec<Row>,
    more: usize,
    callers: usize,
    unknown: usize,
    calls: Calls,
}

/// A dependent.
struct Row {
    name: String,
    path: Option<String>,
    requirement: String,
    calls: Option<CallsInto>,
}

/// Calls into a crate.
#[derive(Debug, Default, PartialEq, Eq)]
struct CallsInto {
    places: usize,
    /// Places that run while something is built.
    building: usize,
    /// Places that nothing is known to reach.
    unreached: usize,
    /// Functions that are called, the first of them.
    functions: Vec<String>,
}

/// Functions that are named.
const FUNCTIONS: usize = 8;

impl Gate {
    /// Who calls a version, by the call graph.
    pub(super) async fn calls_of(&self, krate: &CrateRecord, version: &VersionRecord) -> Calls {
        match &self.call_graph {
            Some(graph) => graph.callers(&krate.name, &version.version.to_string()).await,
            None => Calls::NotSetUp,
        }
    }
}

/// Who calls a version.
pub(super) async fn callers(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let (krate, version) = gate.store.version_by_id(VersionId(id)).await?;
    let limits = WalkLimits { depth: 1, named: DEPENDENTS, ..WalkLimits::default() };
    let found = gate.store.dependents(&krate, &version.version, limits).await?;
    let more = found.direct_count.saturating_sub(found.direct.len());
    let in_code = krate.name.replace('-', "_");
    let mut rows = Vec::new();
    for it in found.direct {
        let number = it.version.parse::<semver::Version>();
        let its = match &number {
            Ok(number) => gate.store.version(it.krate.registry, &it.krate.name, number).await?,
            Err(_) => None,
        };
        let calls = match its {
            Some((_, its)) => {
                let (gate, in_code) = (gate.clone(), in_code.clone());
                let read = tokio::task::spawn_blocking(move || {
                    gate.engine.external_calls_at_hand(&its.checksum).map(|it| into(&it, &in_code))
                });
                read.await.map_err(|error| Failure::Internal(error.to_string()))?
            }
            None => None,
        };
        rows.push(Row {
            path: gate.registry_of(&it.krate).map(|of| crate_path(&of.name, &it.krate.name)),
            name: format!("{} {}", plain(&it.krate.name), it.version),
            requirement: plain(&it.requirement),
            calls,
        });
    }
    rows.sort_by_key(|it| std::cmp::Reverse(it.calls.as_ref().map_or(0, |it| it.places)));
    let page_data = CallersPage {
        frame: gate.frame(&visitor, "/console/queue", format!("Who calls {}", krate.name)).await?,
        version: version.id,
        name: format!("{} {}", krate.name, version.version),
        callers: rows.iter().filter(|it| it.calls.as_ref().is_some_and(|it| it.places > 0)).count(),
        unknown: rows.iter().filter(|it| it.calls.is_none()).count(),
        rows,
        more,
        calls: gate.calls_of(&krate, &version).await,
    };
    page(&page_data.frame, &page_data)
}

/// Calls into the crate that code knows as `name`.
fn into(calls: &[ExternalCall], name: &str) -> CallsInto {
    let mut found = CallsInto::default();
    for call in calls.iter().filter(|it| it.path.split("::").next() == Some(name)) {
        found.places += 1;
        found.building += usize::from(call.phases.contains(&Phase::BuildTime));
        found.unreached += usize::from(call.phases.iter().all(|it| *it == Phase::Unreached));
        let path = plain(&call.path);
        if found.functions.len() < FUNCTIONS && !found.functions.contains(&path) {
            found.functions.push(path);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str, phases: &[Phase]) -> ExternalCall {
        ExternalCall { path: path.to_owned(), file: 0, line: 1, function: None, phases: phases.to_vec() }
    }

    #[test]
    fn calls_are_counted_by_the_crate_and_when_they_run() {
        let calls = [
            call("arrayref::mut_array", &[Phase::BuildTime, Phase::RunTime]),
            call("arrayref::mut_array", &[Phase::RunTime]),
            call("arrayref_more::f", &[Phase::BuildTime]),
            call("arrayref", &[Phase::Unreached]),
        ];
        let found = into(&calls, "arrayref");
        assert_eq!((found.places, found.building, found.unreached), (3, 1, 1));
        assert_eq!(found.functions, ["arrayref::mut_array", "arrayref"]);
        assert_eq!(into(&calls, "array"), CallsInto::default());
    }
}
