//! Commands for a shell.

use cratekeeper_model::facts::{OperationKind, Quality, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Act, Behaviour, Program, Sign, is_about, is_concealed, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "shell-command",
    family: Family::Behaviour,
    title: "A shell or script host is given a command",
    explanation: "\
**Looks at:** programs that take a command as text: `sh -c`, `cmd /C`, PowerShell, `wscript`, `osascript`. While the package is built, or when the command is hidden, `low`; else `info`. It points to a technique when the command is constant and fetches, runs a file or hides itself.

**Why:** a shell command is a program that no parser of Rust reads.

**Harmless when:** the crate runs commands that its user wrote, or asks the shell for something that has no other interface.

**What to do:** read the command.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[48],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts = behaviour.of_kind(&[OperationKind::StartProcess]);
        let shells = acts.filter(|act| behaviour.program(*act) == Program::Shell);
        let seen = shells.filter(|act| !act.operation.phases.is_empty()).map(|act| sign(behaviour, act));
        signs(&RULE, seen, "a shell or script host is given a command", "read the command")
    })
}

fn sign(behaviour: &Behaviour<'_>, act: Act<'_>) -> Sign {
    let hidden =
        act.is(Quality::HiddenArgument) && behaviour.texts(act).iter().any(|text| is_concealed(text));
    let severity = if behaviour.at_build(act) || hidden { Severity::Low } else { Severity::Info };
    let sign = Sign::new(severity, Confidence::Medium, behaviour.evidence(act));
    if hidden || fetches_or_hides(behaviour, act) { sign.pointing_to([48]) } else { sign }
}

fn fetches_or_hides(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    let hides = ["hidden", "-enc", "-encodedcommand", "-e", "bypass", "-nop", "-noprofile"];
    behaviour.downloads(act)
        || behaviour
            .texts(act)
            .iter()
            .any(|text| is_about(text, &[Topic::HiddenPlace, Topic::Url, Topic::IpAddress]))
        || behaviour.program_is_script_host(act)
        || behaviour.command_words(act).any(|word| hides.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Quality};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    #[test]
    fn a_command_that_hides_itself_points_to_downloads() {
        let mut deeds = Deeds::new();
        deeds.act(
            BUILD,
            OperationKind::StartProcess,
            &["powershell", "-WindowStyle", "Hidden", "-Command", "{}"],
        );
        points(&RULE, &deeds, Severity::Low, &[48]);
    }

    #[test]
    fn a_user_s_command_is_worth_knowing() {
        let mut deeds = Deeds::new();
        let start = deeds.act(LIBRARY, OperationKind::StartProcess, &["sh", "-c", "{}"]);
        deeds.quality(start, Quality::ThroughShell);
        points(&RULE, &deeds, Severity::Info, &[]);
    }

    #[test]
    fn programs_without_a_shell_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::StartProcess, &["shasum", "-c", "x"]);
        silent(&RULE, &deeds.input());
    }
}
