//! Updates that begin to run code at build time.

use cratekeeper_model::facts::{Capability, Phase};
use cratekeeper_model::{Change, ChangeKind, Confidence, Finding, RuleInput, Severity};

use crate::rule::{Complete, Family, Rule, finding};
use crate::text::{NAME, quoted};
use crate::update::{Update, places, with_update};

pub(super) const RULE: Rule = Rule {
    id: "update-gains-build-code",
    family: Family::Difference,
    title: "An update begins to run code on the machine that builds",
    explanation: "\
**Looks at:** whether the version before had no build script, or was no procedural macro, and this one has or is, and what
that code can touch. With network access, code loaded at run time or executable memory among it: `medium`; otherwise
`low`, and least for a new major version.

**Why:** a build script is the shortest way from a taken-over account to the machines of everybody who updates.
`proc-macro1` 1.0.107 gained one a few hours after a clean first version; the version before is what everybody had looked at.

**Harmless when:** the script asks the compiler for its version, generates code or compiles C, as the change log says.

**What to do:** read the script, it is new and mostly short, before you build the update.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[1, 5],
    evaluate: |input: &RuleInput| with_update(input, |update| found(update).into_iter().collect()),
};

/// What a build script hardly ever needs.
const ALARMING: [Capability; 4] =
    [Capability::Net, Capability::DynamicLoading, Capability::ExecMemory, Capability::RawSyscall];

fn found(update: Update<'_>) -> Option<Finding> {
    let script: Vec<&Change> = update.added(ChangeKind::BuildScript).collect();
    let r#macro: Vec<&Change> = update.added(ChangeKind::ProcMacro).collect();
    let new = script.first().or(r#macro.first())?;
    let gained: Vec<(Capability, &Change)> = update
        .added(ChangeKind::Capability)
        .filter_map(|it| Some((it.capability.filter(|(_, phase)| *phase == Phase::BuildTime)?.0, it)))
        .collect();
    let alarms = gained.iter().any(|(capability, _)| ALARMING.contains(capability));
    let (severity, confidence) = match (alarms, update.step.is_compatible()) {
        (true, true) => (Severity::Medium, Confidence::Medium),
        (true, false) => (Severity::Medium, Confidence::Low),
        (false, true) => (Severity::Low, Confidence::Medium),
        (false, false) => (Severity::Low, Confidence::Low),
    };
    let words: Vec<&str> = gained.iter().map(|(capability, _)| capability.as_str()).collect();
    let able = if words.is_empty() { String::new() } else { format!(", and can use {}", words.join(", ")) };
    let message = format!("{} runs at build time since {}{able}", quoted(&new.subject, NAME), update.since);
    let reaches_out = gained.iter().any(|(it, _)| matches!(it, Capability::Net | Capability::Process));
    let mut techniques = Vec::new();
    if reaches_out && !script.is_empty() {
        techniques.push(1);
    }
    if !gained.is_empty() && !r#macro.is_empty() {
        techniques.push(5);
    }
    let shown =
        gained.iter().map(|(_, change)| *change).chain(script.iter().copied()).chain(r#macro.iter().copied());
    Some(
        finding(&RULE, severity, confidence, message)
            .with_evidence(places(shown))
            .with_help("read what is new before you build this version")
            .pointing_to(techniques),
    )
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Capability, Phase};
    use cratekeeper_model::{ChangeKind, Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{added, capability, input, not_evaluated, one, silent, updated};

    #[test]
    fn a_new_build_script_is_told_with_what_it_can_do() {
        let script = added(ChangeKind::BuildScript, "build.rs");
        let finding = one(&RULE, &updated("1.2.2", vec![script.clone()]), Severity::Low, Confidence::Medium);
        assert!(finding.techniques.is_empty());
        let net = capability(Capability::Net, Phase::BuildTime);
        let finding = one(&RULE, &updated("1.2.2", vec![script, net]), Severity::Medium, Confidence::Medium);
        assert_eq!(finding.techniques, [1]);
        assert!(finding.message.contains("net"), "{}", finding.message);
    }

    #[test]
    fn becoming_a_macro_counts_too_and_a_major_version_less() {
        let changes =
            vec![added(ChangeKind::ProcMacro, "src/lib.rs"), capability(Capability::Env, Phase::BuildTime)];
        let finding = one(&RULE, &updated("0.9.0", changes), Severity::Low, Confidence::Low);
        assert_eq!(finding.techniques, [5]);
    }

    #[test]
    fn other_changes_are_silent() {
        silent(&RULE, &updated("1.2.2", vec![capability(Capability::Net, Phase::BuildTime)]));
        silent(&RULE, &updated("1.2.2", Vec::new()));
    }

    #[test]
    fn without_a_version_before_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { previous: Known::Unknown("first".to_owned()), ..input() });
    }
}
