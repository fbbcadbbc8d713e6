//! From a checked lockfile to answers beside its findings.

use cratekeeper_graph::{GraphError, Store};
use cratekeeper_model::{DependencyKind, Outcome, Reachability};
use cratekeeper_registry::Lockfile;

use super::{Analysis, Surroundings};
use crate::call_graphs::BuiltGraph;
use crate::manifests::LocalManifests;
use crate::pipeline::Engine;
use crate::progress::Progress;
use crate::resolution::ResolutionOptions;

impl Engine {
    /// Puts an answer beside each finding that passes on an advisory. Returns notes: what made the answers worth less.
    ///
    /// Without such findings nothing is built. Where the call graph cannot be built, all answers are unknown.
    pub fn add_reachability(
        &self,
        outcomes: &mut [Outcome],
        lockfile: &Lockfile,
        local: &LocalManifests,
        options: &ResolutionOptions,
        progress: &dyn Progress,
    ) -> Vec<String> {
        if outcomes.iter().all(|it| it.case.findings.iter().all(|it| it.advisory.is_none())) {
            return Vec::new();
        }
        let built = self.workspace_graph(lockfile, local, options, progress);
        let answered = built.and_then(|built| {
            let surroundings = self.surroundings(&built, lockfile, local, options, progress);
            answer(&built, &surroundings, outcomes)?;
            Ok(built.refused.len())
        });
        match answered {
            Ok(0) => Vec::new(),
            Ok(refused) => {
                vec![format!(
                    "{refused} packages are not part of the call graph, which makes some answers unknown"
                )]
            }
            Err(error) => {
                let reason = format!("the call graph could not be made: {error}");
                for finding in outcomes.iter_mut().flat_map(|it| &mut it.case.findings) {
                    if finding.advisory.is_some() {
                        finding.reachability = Some(Box::new(Reachability::unknown(&reason)));
                    }
                }
                vec![format!("reachability is not known: {reason}")]
            }
        }
    }

    fn surroundings(
        &self,
        built: &BuiltGraph,
        lockfile: &Lockfile,
        local: &LocalManifests,
        options: &ResolutionOptions,
        progress: &dyn Progress,
    ) -> Surroundings {
        let resolution = self.resolve(lockfile, local, options, progress);
        let members = resolution.packages.iter().zip(&lockfile.packages).filter(|(it, _)| it.is_member);
        let directory = |package| local.of(package).map(|it| it.directory.clone());
        // What is missing weighs more where both lists name a package.
        let incomplete = built.partial.iter().chain(&built.refused).cloned();
        let mut problems = resolution.problems.clone();
        problems.extend(local.problems.iter().cloned());
        let known = local.members(lockfile).len();
        let members_there = local.packages.iter().filter(|it| it.is_member).count();
        if known < members_there {
            problems.push("the lockfile lacks members of the workspace".to_owned());
        }
        for package in &resolution.packages {
            let lacking = package.dependencies.iter().find(|it| it.enabled && it.package.is_none());
            if let Some(dependency) = lacking.filter(|_| !package.kinds.is_empty()) {
                problems.push(format!(
                    "the lockfile lacks `{}`, which `{}` depends on",
                    dependency.crate_name, package.name
                ));
            }
        }
        // What only tests use is not compiled without them, and still is something else than what features leave out.
        let with_tests = ResolutionOptions { dev_dependencies: true, ..options.clone() };
        let with_tests = self.resolve(lockfile, local, &with_tests, progress);
        let kinds = resolution.packages.iter().zip(&with_tests.packages).map(|(it, tested)| {
            let for_tests = it.kinds.is_empty() && !tested.kinds.is_empty();
            (it.id.clone(), if for_tests { vec![DependencyKind::Dev] } else { it.kinds.clone() })
        });
        Surroundings {
            problems,
            compiled: kinds.collect(),
            members: members.map(|(it, locked)| (it.id.clone(), directory(&locked.package))).collect(),
            incomplete: incomplete.collect(),
            include_tests: options.dev_dependencies,
        }
    }
}

/// Answers all findings; after an error, those before it have their answers.
fn answer(
    built: &BuiltGraph,
    surroundings: &Surroundings,
    outcomes: &mut [Outcome],
) -> Result<(), GraphError> {
    let store = Store::open(&built.directory)?;
    let graph = store.graph(&built.table)?;
    let analysis = Analysis::new(&store, &graph, surroundings)?;
    for outcome in outcomes {
        for finding in &mut outcome.case.findings {
            if let Some(advisory) = &finding.advisory {
                finding.reachability = Some(Box::new(analysis.answer(advisory, &outcome.package.id)?));
            }
        }
    }
    Ok(())
}
