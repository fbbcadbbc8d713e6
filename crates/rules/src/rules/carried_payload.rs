//! What is run came inside of the package.

use cratekeeper_model::{RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{ChainKind, found};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "carried-payload",
    family: Family::Correlation,
    title: "Something that travels inside of the package is run",
    explanation: "\
**Looks at:** embedded files, and files of the package that are machine code, which are written and run, loaded, interpreted, or called from memory. What each tie is worth is in the table of [chains](#chains); from 4 points on there is a finding, 10 are an alert by themselves.

**Why:** nobody can review it, and nothing proves what it was made from.

**Harmless when:** the crate ships an interpreter's library or a helper program with its source, and says so.

**What to do:** ask for the source of the embedded file, and how to build it.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[3, 9, 10, 24, 42, 43, 45, 46, 47, 49, 51, 61],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let help = "ask for the source of the embedded file, and how to build it";
        found(&RULE, ChainKind::Carried.detect(behaviour), help)
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{FlowSource, OperationKind, TargetKind};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, TEST, findings, points, silent, target};

    #[test]
    fn an_embedded_program_that_is_run_alerts() {
        let mut deeds = Deeds::new();
        let write = deeds.act(BUILD, OperationKind::WriteFile, &["/tmp/.worker"]);
        deeds.flow(FlowSource::EmbeddedFile, None, write);
        deeds.act(BUILD, OperationKind::StartProcess, &["/tmp/.worker"]);
        points(&RULE, &deeds, Severity::Critical, &[9]);
    }

    #[test]
    fn embedded_tables_are_silent() {
        let mut deeds = Deeds::new();
        let write = deeds.act(LIBRARY, OperationKind::WriteFile, &["{}/table.bin"]);
        deeds.flow(FlowSource::EmbeddedFile, None, write);
        deeds.act(LIBRARY, OperationKind::StartProcess, &["vi", "{}"]);
        silent(&RULE, &deeds.input());
    }

    /// A test that hands embedded data to a program.
    fn started_by_a_test(program: &str) -> Deeds {
        let mut deeds = Deeds::new();
        let mut example = target(TargetKind::Example, "examples/reader.rs");
        example.name = "reader".to_owned();
        deeds.facts().manifest.targets.push(example);
        let run = deeds.act(TEST, OperationKind::StartProcess, &[program]);
        deeds.flow(FlowSource::EmbeddedFile, None, run);
        deeds
    }

    #[test]
    fn a_test_that_runs_what_cargo_built_is_silent() {
        for program in ["{}/reader", "{}/examples/reader.exe", "target/debug/tool", "{CARGO_BIN_EXE_tool}"] {
            silent(&RULE, &started_by_a_test(program).input());
        }
    }

    #[test]
    fn what_a_test_writes_itself_was_not_built() {
        for program in ["{}/reader", "target/debug/tool"] {
            let mut deeds = started_by_a_test(program);
            let write = deeds.act(TEST, OperationKind::WriteFile, &[program]);
            deeds.flow(FlowSource::EmbeddedFile, None, write);
            points(&RULE, &deeds, Severity::High, &[9]);
        }
    }

    #[test]
    fn only_tests_run_what_cargo_built() {
        let mut deeds = started_by_a_test("{}/other");
        let run = deeds.act(BUILD, OperationKind::StartProcess, &["{}/reader"]);
        deeds.flow(FlowSource::EmbeddedFile, None, run);
        assert_eq!(findings(&RULE, &deeds.input()).len(), 1);
    }
}
