//! Looking out for those who watch.

use std::collections::BTreeMap;

use cratekeeper_model::facts::{ConstantText, GateKind, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, is_about, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "anti-analysis",
    family: Family::Behaviour,
    title: "The package looks for anti-virus programs, debuggers or virtual machines",
    explanation: "\
**Looks at:** texts that name such programs (two or more different ones in a file, outside of tests), conditions on them, and waits of many minutes before something that reaches out. `low`.

**Why:** `evm-units` chose its payload by the anti-virus program that ran. Who looks whether they are watched has something that should not be seen.

**Harmless when:** the crate is a debugging aid, or security software itself.

**What to do:** read what depends on the answer.",
    severities: &[Severity::Low],
    techniques: &[47],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let mut files: BTreeMap<u32, Vec<&ConstantText>> = BTreeMap::new();
        let texts = behaviour.flow().texts.iter().filter(|text| is_about(text, &[Topic::AnalysisTool]));
        for text in texts.filter(|text| !behaviour.is_test_file(text.file)) {
            let others = files.entry(text.file).or_default();
            if others.len() < 50 && others.iter().all(|other| other.value != text.value) {
                others.push(text);
            }
        }
        let several = files.into_values().filter(|texts| texts.len() > 1).flatten();
        let named =
            several.map(|text| Sign::new(Severity::Low, Confidence::Medium, behaviour.text_evidence(text)));
        let gates = behaviour.flow().gates.iter().filter(|gate| gate.kind == GateKind::AnalysisTool);
        let asked =
            gates.map(|gate| Sign::new(Severity::Low, Confidence::Medium, behaviour.gate_evidence(gate)));
        let seen = named.chain(asked).map(|sign| sign.pointing_to([47]));
        signs(
            &RULE,
            seen,
            "the package looks for those who might watch it",
            "read what depends on the answer",
        )
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{GateKind, OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{Deeds, LIBRARY, TEST, points, silent};

    fn naming(function: u32, tools: &[&str]) -> Deeds {
        let mut deeds = Deeds::new();
        let list = deeds.act(function, OperationKind::HostInformation, &[]);
        for tool in tools {
            deeds.text(list, tool, Topic::AnalysisTool, &[]);
        }
        deeds
    }

    #[test]
    fn a_list_of_watchers_is_told() {
        points(&RULE, &naming(LIBRARY, &["wireshark", "x64dbg.exe"]), Severity::Low, &[47]);
    }

    #[test]
    fn a_condition_on_them_is_told() {
        let mut deeds = Deeds::new();
        let start = deeds.act(LIBRARY, OperationKind::StartProcess, &["echo"]);
        deeds.gate(start, GateKind::AnalysisTool, "is_debugged()");
        points(&RULE, &deeds, Severity::Low, &[47]);
    }

    #[test]
    fn one_name_and_tests_are_silent() {
        silent(&RULE, &naming(LIBRARY, &["gdb", "gdb"]).input());
        silent(&RULE, &naming(TEST, &["gdb", "lldb"]).input());
    }
}
