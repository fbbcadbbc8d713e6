//! Programs that fetch.

use cratekeeper_model::facts::OperationKind;
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "external-downloader",
    family: Family::Behaviour,
    title: "A program such as `curl` is started to talk to a network",
    explanation: "\
**Looks at:** programs that fetch or send (`curl`, `wget`, `certutil`, `bitsadmin`, `nc`, `scp`, …), and shell commands with one of them. `low`.

**Why:** a connection by another program shows in no dependency, and its address is an argument among many.

**Harmless when:** a build script fetches a library that it links, and checks its digest.

**What to do:** read the address, and what is done with what comes.",
    severities: &[Severity::Low],
    techniques: &[50],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts = behaviour.of_kind(&[OperationKind::StartProcess]).filter(|act| behaviour.downloads(*act));
        let seen = acts.map(|act| {
            Sign::new(Severity::Low, Confidence::Medium, behaviour.evidence(act)).pointing_to([50])
        });
        signs(
            &RULE,
            seen,
            "another program is started to talk to a network",
            "read the address, and what is done with what comes",
        )
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::OperationKind;

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, points, silent};

    #[test]
    fn programs_that_fetch_are_told() {
        for command in
            [&["curl", "-o", "x"][..], &["C:\\Windows\\certutil.exe"], &["sh", "-c", "wget -q {} && true"]]
        {
            let mut deeds = Deeds::new();
            deeds.act(BUILD, OperationKind::StartProcess, command);
            points(&RULE, &deeds, Severity::Low, &[50]);
        }
    }

    #[test]
    fn other_programs_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(BUILD, OperationKind::StartProcess, &["git", "rev-parse"]);
        deeds.act(BUILD, OperationKind::StartProcess, &["sh", "-c", "echo curled"]);
        deeds.act(BUILD, OperationKind::ReadFile, &["curl"]);
        silent(&RULE, &deeds.input());
    }
}
