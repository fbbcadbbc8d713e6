//! Memory that can be run.

use cratekeeper_model::facts::OperationKind;
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Link, Sign, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "executable-memory",
    family: Family::Behaviour,
    title: "The package makes memory executable, or calls data as code",
    explanation: "\
**Looks at:** functions that map or protect memory as executable, and data that is turned into a function. Both in one function or chain of calls give `medium` with low confidence; such memory alone gives `low`, and data alone that becomes a function `info`, because bindings do it with pointers every day.

**Why:** this is how code runs that is in no file: neither a scanner nor a reviewer of the source sees it.

**Harmless when:** the crate is a just-in-time compiler, a debugger, a hooking or emulation library.

**What to do:** find out where the bytes come from.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[24],
    evaluate,
};

const KINDS: &[OperationKind] = &[OperationKind::ExecutableMemory, OperationKind::CallData];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts: Vec<_> = behaviour.of_kind(KINDS).take(100).collect();
        let seen = acts.iter().map(|act| {
            let both = acts.iter().any(|other| {
                other.operation.kind != act.operation.kind
                    && behaviour.link(*act, *other).is_some_and(|link| link >= Link::Chain)
            });
            let weight = match act.operation.kind {
                _ if both => Severity::Medium,
                OperationKind::CallData => Severity::Info,
                _ => Severity::Low,
            };
            Sign::new(weight, Confidence::Low, behaviour.evidence(*act)).pointing_to([24])
        });
        signs(
            &RULE,
            seen,
            "memory is made executable or data is called",
            "find out where the bytes come from",
        )
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::OperationKind;

    use super::RULE;
    use crate::test_support::{Deeds, LIBRARY, LIBRARY_INNER, points, silent};

    #[test]
    fn both_halves_weigh_more_than_one() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::ExecutableMemory, &[]);
        points(&RULE, &deeds, Severity::Low, &[24]);
        deeds.act(LIBRARY_INNER, OperationKind::CallData, &[]);
        points(&RULE, &deeds, Severity::Medium, &[24]);
    }

    #[test]
    fn foreign_code_alone_is_silent() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::LoadLibrary, &["m"]);
        silent(&RULE, &deeds.input());
    }
}
