//! System calls by number and code loaded at run time.

use cratekeeper_model::facts::{OperationKind, Quality};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "raw-system-access",
    family: Family::Behaviour,
    title: "The package calls the kernel by number, or loads code at run time",
    explanation: "\
**Looks at:** `syscall` of `libc` and its like, and functions that load a library or look a symbol up (`libloading`, `dlopen`, `dlsym`, `LoadLibrary`, `GetProcAddress`). While the package is built it gives `low`, with a hidden name too; at run time `info`.

**Why:** both reach what no import shows: the name of what is called is data.

**Harmless when:** the crate binds an optional library (`libloading` in graphics and audio crates), or wraps system calls that `libc` lacks.

**What to do:** find out which library or call it is, and who chooses it.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[23],
    evaluate,
};

const KINDS: &[OperationKind] = &[OperationKind::SystemCall, OperationKind::LoadLibrary];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let seen = behaviour.of_kind(KINDS).map(|act| {
            let severity = match behaviour.at_build(act) || act.is(Quality::HiddenArgument) {
                true => Severity::Low,
                false => Severity::Info,
            };
            Sign::new(severity, Confidence::Medium, behaviour.evidence(act)).pointing_to([23])
        });
        let says = "the package reaches functions that no import shows";
        signs(&RULE, seen, says, "find out which library or call it is, and who chooses it")
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::OperationKind;

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    #[test]
    fn loading_at_run_time_is_worth_knowing() {
        for kind in [OperationKind::LoadLibrary, OperationKind::SystemCall] {
            let mut deeds = Deeds::new();
            deeds.act(LIBRARY, kind, &["fixture"]);
            points(&RULE, &deeds, Severity::Info, &[23]);
            deeds.act(BUILD, kind, &["fixture"]);
            assert_eq!(crate::test_support::findings(&RULE, &deeds.input()).len(), 2);
        }
    }

    #[test]
    fn other_operations_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::ReadFile, &["libdemo.so"]);
        silent(&RULE, &deeds.input());
    }
}
