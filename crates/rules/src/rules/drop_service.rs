//! Services where anybody can drop data.

use cratekeeper_model::facts::{FlowSource, OperationKind, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, is_about, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "drop-service",
    family: Family::Behaviour,
    title: "The package knows a messenger bot, web hook, paste or tunnel service",
    explanation: "\
**Looks at:** constant addresses of such services, and names for the domain name system into which data is put. While the package is built, or where data flows into it, `low`; else `info`. Tests are left out.

**Why:** they take data from anybody, leave no trace of who reads it, and are allowed by most networks.

**Harmless when:** the crate is a client of that service.

**What to do:** find out who owns the account or the path.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[55],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let texts = behaviour.flow().texts.iter().filter(|text| is_about(text, &[Topic::DropService]));
        let named = texts.filter(|text| !behaviour.is_test_file(text.file)).map(|text| {
            let act = text.operation.and_then(|number| behaviour.act(number));
            let grave = act.is_some_and(|act| behaviour.at_build(act) || !behaviour.into(act).is_empty());
            let severity = if grave { Severity::Low } else { Severity::Info };
            Sign::new(severity, Confidence::Medium, behaviour.text_evidence(text)).pointing_to([55])
        });
        let asks = behaviour.of_kind(&[OperationKind::ResolveName]);
        let tunnels = asks.filter(|act| {
            let constant = act
                .operation
                .arguments
                .first()
                .is_some_and(|name| name.starts_with("{}") && name.contains('.'));
            let takes = [
                FlowSource::SecretFile,
                FlowSource::SecretVariable,
                FlowSource::AllVariables,
                FlowSource::HostInformation,
            ];
            constant || behaviour.receives(*act, &takes)
        });
        let asked = tunnels.map(|act| {
            Sign::new(Severity::Low, Confidence::Medium, behaviour.evidence(act)).pointing_to([55])
        });
        let says = "data can be dropped at a service that anybody may use";
        signs(&RULE, named.chain(asked), says, "find out who owns the account or the path")
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, TEST, points, silent};

    fn dropping(function: u32) -> Deeds {
        let mut deeds = Deeds::new();
        let send = deeds.act(function, OperationKind::Connect, &["https://bot.example.invalid/send"]);
        deeds.text(send, "https://bot.example.invalid/send", Topic::DropService, &[]);
        deeds
    }

    #[test]
    fn when_it_happens_gives_the_severity() {
        points(&RULE, &dropping(BUILD), Severity::Low, &[55]);
        points(&RULE, &dropping(LIBRARY), Severity::Info, &[55]);
        silent(&RULE, &dropping(TEST).input());
    }

    #[test]
    fn data_in_a_name_is_a_tunnel() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::ResolveName, &["{}.t.example.invalid:80"]);
        points(&RULE, &deeds, Severity::Low, &[55]);
    }

    #[test]
    fn names_of_callers_are_silent() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::ResolveName, &["{}"]);
        silent(&RULE, &deeds.input());
    }
}
