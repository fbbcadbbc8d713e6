//! Collect, hide, send.

use cratekeeper_model::{RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{ChainKind, found};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "secret-exfiltration",
    family: Family::Correlation,
    title: "What is not the crate's own is read and sent away",
    explanation: "\
**Looks at:** files with secrets, secret or all environment variables, the user's source and facts about the machine on one side; connections, programs that talk to networks and directives to the compiler on the other; and what ties them together: a data flow, a function, a chain of calls, the build. What each tie is worth is in the table of [chains](#chains); from 4 points on there is a finding, 10 are an alert by themselves.

**Why:** this is what 13 of the 15 campaigns against Rust users until 2026 did.

**Harmless when:** a client reads its own service's credentials and sends them where its user said: then neither the address nor several owners' files are constants of the crate, nothing is hidden, and it stays below an alert.

**What to do:** do not build it before you know why it needs what it reads.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[6, 7, 8, 12, 13, 15, 22, 23, 42, 43, 45, 46, 47, 49, 50, 51, 52, 53, 54, 55],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let help = "do not build it before you know why it needs what it reads, and who gets it";
        found(&RULE, ChainKind::Exfiltration.detect(behaviour), help)
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{FlowSource, GateKind, OperationKind, Quality, Topic};

    use super::RULE;
    use crate::test_support::{BUILD, BUILD_INNER, Deeds, LIBRARY, findings, points, silent};

    fn reading(deeds: &mut Deeds, function: u32, path: &str) -> u32 {
        let read = deeds.act(function, OperationKind::ReadFile, &[path]);
        deeds.text(read, path, Topic::SecretFile, &[]);
        read
    }

    #[test]
    fn keys_sent_by_a_build_script_block() {
        let mut deeds = Deeds::new();
        let key = reading(&mut deeds, BUILD_INNER, "{}/.ssh/id_rsa");
        let send = deeds.act(BUILD, OperationKind::Connect, &["127.0.0.1:9"]);
        deeds.flow(FlowSource::SecretFile, Some(key), send).quality(send, Quality::ErrorsIgnored);
        let finding = points(&RULE, &deeds, Severity::Critical, &[52]);
        assert!(
            finding.message.starts_with("files with secrets are read and sent away while"),
            "{}",
            finding.message
        );
        assert_eq!(finding.evidence.len(), 2);
    }

    #[test]
    fn without_a_flow_the_build_ties_them() {
        let mut deeds = Deeds::new();
        reading(&mut deeds, BUILD_INNER, "{}/.ssh/id_rsa");
        reading(&mut deeds, BUILD_INNER, "{}/.aws/credentials");
        deeds.act(BUILD, OperationKind::Connect, &["127.0.0.1:9"]);
        points(&RULE, &deeds, Severity::Critical, &[52]);
    }

    #[test]
    fn facts_about_the_machine_sent_by_a_build_script_alert() {
        let mut deeds = Deeds::new();
        let host = deeds.act(BUILD, OperationKind::HostInformation, &[]);
        let send = deeds.act(BUILD, OperationKind::Connect, &["https://bot.example.invalid/{}"]);
        deeds.flow(FlowSource::HostInformation, Some(host), send).quality(send, Quality::ErrorsIgnored);
        points(&RULE, &deeds, Severity::High, &[]);
    }

    #[test]
    fn a_client_with_its_own_key_stays_below_review() {
        let mut deeds = Deeds::new();
        let key = deeds.act(LIBRARY, OperationKind::ReadVariable, &["DEMO_API_KEY"]);
        let send = deeds.act(LIBRARY, OperationKind::Connect, &["https://api.example.invalid/{}"]);
        deeds.flow(FlowSource::SecretVariable, Some(key), send);
        points(&RULE, &deeds, Severity::Low, &[]);
    }

    #[test]
    fn a_helper_that_sends_where_it_is_told_stays_below_review() {
        let mut deeds = Deeds::new();
        let key = reading(&mut deeds, LIBRARY, "{}/.netrc");
        let send = deeds.act(LIBRARY, OperationKind::Connect, &["{}"]);
        deeds.flow(FlowSource::SecretFile, Some(key), send);
        points(&RULE, &deeds, Severity::Medium, &[52]);
    }

    #[test]
    fn a_gate_and_silence_make_it_worse() {
        let mut deeds = Deeds::new();
        let all = deeds.act(LIBRARY, OperationKind::ListVariables, &[]);
        let send = deeds.act(LIBRARY, OperationKind::Connect, &["https://c.example.invalid"]);
        deeds.flow(FlowSource::AllVariables, Some(all), send);
        let before = findings(&RULE, &deeds.input()).remove(0);
        deeds.gate(send, GateKind::BuildService, "CI").quality(send, Quality::OnThread);
        let after = findings(&RULE, &deeds.input()).remove(0);
        assert!((after.severity, after.confidence) > (before.severity, before.confidence));
        assert!(after.techniques.contains(&45));
    }

    #[test]
    fn a_library_that_reads_here_and_sends_there_is_silent() {
        let mut deeds = Deeds::new();
        reading(&mut deeds, LIBRARY, "{}/.ssh/config");
        deeds.act(crate::test_support::LIBRARY_INNER, OperationKind::Connect, &["{}"]);
        deeds.act(BUILD, OperationKind::StartProcess, &["git", "describe"]);
        silent(&RULE, &deeds.input());
    }
}
