//! A young crate whose first version was clean gains what an attack needs.

use cratekeeper_model::facts::{Capability, Phase};
use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Confidence, RuleInput, Severity};

use crate::past::{YOUNG, duration, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};

pub(super) const RULE: Rule = Rule {
    id: "payload-after-clean-start",
    family: Family::History,
    title: "A young crate gains a build script or dangerous abilities",
    explanation: "\
**Looks at:** a version that follows the crate's first one within a month, and what it gained over the version before: a build
script, a procedural macro, the network, other programs, code loaded at run time. Gained in what runs at build time it is
`medium` and sure, otherwise less so.

**Why:** an empty first version takes the name and passes whoever looks at new crates; the payload follows days later. The
messenger squats of August 2023 (`postgress`, `serd` and six more) did so, and `time_calibrator` (2026).

**Harmless when:** a young crate grows, as most do. Then it does not also have a name like another one, or secrets in its reach.

**What to do:** read what the version added: `cratekeeper diff` shows it.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        let Some(age) = past.crate_age().filter(|age| *age <= YOUNG) else { return Evaluation::silent() };
        let previous = match input.previous.as_result() {
            Ok(previous) => previous,
            Err(reason) => return Evaluation::NotEvaluated(reason.to_owned()),
        };
        let gained: Vec<&Change> = previous
            .difference
            .changes
            .iter()
            .filter(|it| it.direction == ChangeDirection::Added && is_dangerous(it))
            .collect();
        let Some(worst) = gained.iter().max_by_key(|it| is_at_build_time(it)) else {
            return Evaluation::silent();
        };
        let acts_at_build_time =
            gained.iter().any(|it| it.kind == ChangeKind::Capability && is_at_build_time(it));
        let (severity, confidence) = match (acts_at_build_time, is_at_build_time(worst)) {
            (true, _) => (Severity::Medium, Confidence::High),
            (false, true) => (Severity::Low, Confidence::High),
            (false, false) => (Severity::Low, Confidence::Medium),
        };
        let what: Vec<String> = gained.iter().take(3).map(|it| name(it)).collect();
        let message =
            format!("{} after its first version, the crate gains {}", duration(age), what.join(", "));
        let finding = finding(&RULE, severity, confidence, message)
            .with_evidence(gained.iter().flat_map(|it| it.evidence.iter().cloned()))
            .with_help("read what it added: `cratekeeper diff` shows it");
        Evaluation::Findings(vec![finding])
    })
}

fn is_dangerous(change: &Change) -> bool {
    use Capability::{DynamicLoading, ExecMemory, FsWrite, Net, Process, RawSyscall};
    match (change.kind, change.capability) {
        (ChangeKind::BuildScript | ChangeKind::ProcMacro, _) => true,
        (ChangeKind::Capability, Some((Net | Process | DynamicLoading | ExecMemory | RawSyscall, _))) => true,
        (ChangeKind::Capability, Some((FsWrite, phase))) => phase == Phase::BuildTime,
        _ => false,
    }
}

fn is_at_build_time(change: &Change) -> bool {
    match change.capability {
        Some((_, phase)) => phase == Phase::BuildTime,
        None => true,
    }
}

fn name(change: &Change) -> String {
    match (change.kind, change.capability) {
        (ChangeKind::BuildScript, _) => "a build script".to_owned(),
        (ChangeKind::ProcMacro, _) => "a procedural macro".to_owned(),
        (_, Some((capability, Phase::BuildTime))) => {
            format!("`{}` at build time", capability.as_str())
        }
        (_, Some((capability, _))) => format!("`{}`", capability.as_str()),
        _ => "other abilities".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Capability, Phase};
    use cratekeeper_model::{
        Change, ChangeDirection, ChangeKind, Confidence, Difference, Known, Previous, RuleInput, Severity,
    };

    use super::RULE;
    use crate::test_support::history::History;
    use crate::test_support::{not_evaluated, one, silent};

    fn change(kind: ChangeKind, capability: Option<(Capability, Phase)>) -> Change {
        Change {
            kind,
            direction: ChangeDirection::Added,
            subject: String::new(),
            before: None,
            after: None,
            capability,
            evidence: Vec::new(),
        }
    }

    fn gaining(age: i64, changes: Vec<Change>) -> RuleInput {
        let difference = Difference { changes, ..Difference::default() };
        let previous = Previous { version: semver::Version::new(1, 2, 2), difference };
        let input = History::new().version("1.2.2", age).release(&[]).input();
        RuleInput { previous: Known::Known(previous), ..input }
    }

    /// `postgress` of August 2023.
    #[test]
    fn a_build_script_that_reaches_the_network_is_medium() {
        let net = change(ChangeKind::Capability, Some((Capability::Net, Phase::BuildTime)));
        let input = gaining(2, vec![change(ChangeKind::BuildScript, None), net]);
        let finding = one(&RULE, &input, Severity::Medium, Confidence::High);
        assert!(
            finding.message.ends_with("gains a build script, `net` at build time"),
            "{}",
            finding.message
        );
    }

    #[test]
    fn growth_is_low() {
        let build_script = || vec![change(ChangeKind::BuildScript, None)];
        one(&RULE, &gaining(2, build_script()), Severity::Low, Confidence::High);
        let net = change(ChangeKind::Capability, Some((Capability::Net, Phase::RunTime)));
        one(&RULE, &gaining(2, vec![net]), Severity::Low, Confidence::Medium);
        silent(&RULE, &gaining(60, build_script()));
        silent(&RULE, &gaining(2, vec![change(ChangeKind::Feature, None)]));
    }

    #[test]
    fn without_a_difference_there_is_no_answer() {
        not_evaluated(&RULE, &History::new().version("1.0.0", 2).release(&[]).input());
    }
}
