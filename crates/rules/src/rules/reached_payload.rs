//! What a build script or procedural macro calls in another crate.

use cratekeeper_model::{Known, RuleInput, Severity};

use crate::correlation::{found, in_other_crates};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "reached-payload",
    family: Family::Correlation,
    title: "Building the package calls another crate, where a complete attack stands",
    explanation: "\
**Looks at:** calls into other crates that run in a build script, in a procedural macro or before `main`, and what the functions that they reach there do, from crate to crate. What is reached is weighed like the package's own code: the ties and their worth are in the table of [chains](#chains).

The packages that are called have to be at hand: a check of a lockfile has them. Calls are followed by name, along re-exports; what is called through a trait's object or a function's pointer is not.

**Why:** a payload in a dependency does nothing by itself, and the build script that starts it is one harmless line. Neither package shows the attack alone.

**Harmless when:** the other crate is a tool of builds that does what its documentation says: fetches a library that is compared with a digest, or starts a compiler.

**What to do:** read the functions that the chain names, in the other crate.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[
        1, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 22, 23, 24, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 61,
    ],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    match (&input.facts, &input.reach) {
        (Known::Known(facts), Known::Known(reach)) => {
            let help = "read the functions that the chain names, in the other crate";
            Evaluation::Findings(found(&RULE, in_other_crates(facts, reach), help))
        }
        (Known::Unknown(reason), _) | (_, Known::Unknown(reason)) => Evaluation::NotEvaluated(reason.clone()),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{ExternalCall, FlowSource, OperationKind, Phase};
    use cratekeeper_model::{CrossCrateReach, PackageId, ReachedOperation};

    use super::*;
    use crate::test_support::{BUILD, Deeds, findings, not_evaluated, silent};

    /// An operation in `helper`, reached along these functions by the only call of the build script.
    fn reached(operation: OperationKind, way: &[&str], arguments: &[&str]) -> CrossCrateReach {
        let version = semver::Version::new(1, 0, 0);
        let source = cratekeeper_model::PackageSource::Unknown;
        CrossCrateReach {
            call: 0,
            packages: vec![PackageId::new(&source, "helper", &version)],
            operation,
            function: (*way.last().unwrap()).to_owned(),
            way: way.iter().map(|it| (*it).to_owned()).collect(),
            seen: Some(Box::new(ReachedOperation {
                path: format!("example::{operation:?}"),
                file: "src/lib.rs".to_owned(),
                line: 7,
                arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
                qualities: Vec::new(),
                texts: Vec::new(),
                receives: Vec::new(),
            })),
        }
    }

    fn input(reach: Vec<CrossCrateReach>) -> RuleInput {
        let mut deeds = Deeds::new();
        deeds.facts().flow.external_calls.push(ExternalCall {
            path: "helper::run".to_owned(),
            file: 0,
            line: 2,
            function: Some(BUILD),
            phases: vec![Phase::BuildTime],
        });
        RuleInput { reach: Known::Known(reach), ..deeds.input() }
    }

    #[test]
    fn a_dependency_that_downloads_and_runs_is_the_caller_s_deed() {
        let mut run = reached(OperationKind::StartProcess, &["helper::run", "helper::start"], &["{}"]);
        run.seen.as_mut().unwrap().receives.push((FlowSource::Network, Some(0), Vec::new()));
        let fetch = reached(
            OperationKind::Connect,
            &["helper::run", "helper::fetch"],
            &["http://a.example.invalid/x"],
        );
        let found = findings(&RULE, &input(vec![fetch, run]));
        assert_eq!(found.len(), 1);
        assert!(found[0].severity >= Severity::High, "{found:#?}");
        assert!(found[0].techniques.contains(&1) && found[0].techniques.contains(&48));
        assert!(found[0].message.contains("`helper::run` leads into `helper@1.0.0`"), "{}", found[0].message);
        assert_eq!((found[0].evidence[0].file.as_str(), found[0].evidence[0].line), ("build.rs", Some(2)));
    }

    #[test]
    fn compilers_and_lone_requests_are_silent() {
        let compiler = reached(OperationKind::StartProcess, &["helper::run"], &["cc", "-c", "a.c"]);
        let request = reached(OperationKind::Connect, &["helper::run"], &["{}"]);
        silent(&RULE, &input(vec![compiler]));
        silent(&RULE, &input(vec![request]));
        silent(&RULE, &input(Vec::new()));
    }

    #[test]
    fn without_the_other_crate_it_does_not_know() {
        let reach = Known::Unknown("not at hand".to_owned());
        not_evaluated(&RULE, &RuleInput { reach, ..input(Vec::new()) });
    }
}
