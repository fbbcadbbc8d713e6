//! Reading the source of whoever uses the package.

use cratekeeper_model::facts::{FlowSource, OperationKind, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Act, Behaviour, Link, Sign, is_about, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "user-source-read",
    family: Family::Behaviour,
    title: "Code of the package reads Rust source that is not its own",
    explanation: "\
**Looks at:** procedural macros and library code that read `*.rs` files, or the file that a macro is called from. In a macro it gives `low`; in other code `info`, or `low` when what is read is sent somewhere.

**Why:** `faster_log` and its siblings walked through the source of the projects that used them and posted what looked like a key. Compilers hand source to macros as tokens: they have no need to open files.

**Harmless when:** the crate formats, lints, documents or tests source (`trybuild`, `syn` in build scripts), or embeds files that its user names.

**What to do:** follow what is done with the text.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[6],
    evaluate,
};

const READS: &[OperationKind] = &[OperationKind::ReadFile, OperationKind::ReadDirectory];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts = behaviour.of_kind(READS).filter(|act| !behaviour.in_build_script(*act));
        let seen = acts.filter_map(|act| sign(behaviour, act));
        signs(
            &RULE,
            seen,
            "source that is not the package's own is read",
            "follow what is done with the text",
        )
    })
}

fn sign(behaviour: &Behaviour<'_>, act: Act<'_>) -> Option<Sign> {
    if behaviour.is_test_file(act.operation.file) || !reads_source(behaviour, act) {
        return None;
    }
    let sent = behaviour.flow().flows.iter().any(|flow| {
        flow.source == FlowSource::UserSource
            && behaviour.act(flow.into).is_some_and(|it| it.operation.kind == OperationKind::Connect)
    });
    let severity = if behaviour.at_build(act) || sent { Severity::Low } else { Severity::Info };
    Some(Sign::new(severity, Confidence::Medium, behaviour.evidence(act)).pointing_to([6]))
}

/// Whether it reads `*.rs` files, or the file that a macro is called from.
fn reads_source(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    let named = behaviour.flow().texts.iter().any(|text| {
        is_about(text, &[Topic::UserSource])
            && (text.value == "rs" || text.value.ends_with(".rs"))
            && behaviour.link_text(text, act).is_some_and(|link| link >= Link::Chain)
    });
    // A macro that asks where it is called from, and opens a computed file of that package.
    let asks = |path: &str| {
        path.starts_with("proc_macro") && (path.ends_with("::file") || path.contains("Span::call_site"))
    };
    let caller = behaviour.at_build(act)
        && act
            .operation
            .arguments
            .iter()
            .any(|path| path.starts_with("{CARGO_MANIFEST_DIR}") && path.ends_with("{}"))
        && behaviour.flow().external_calls.iter().any(|call| {
            call.function.is_some() && call.function == act.operation.function && asks(&call.path)
        });
    let flows = behaviour
        .flow()
        .flows
        .iter()
        .any(|flow| flow.source == FlowSource::UserSource && flow.from == Some(act.number));
    let asked = act.operation.arguments.iter().any(|path| path.contains("{file!}"));
    named || caller || (asked && behaviour.at_build(act)) || (flows && behaviour.at_build(act))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, TEST, points, silent};

    #[test]
    fn a_macro_that_opens_source_is_told() {
        let mut deeds = Deeds::of_macro();
        let read = deeds.act(LIBRARY, OperationKind::ReadFile, &["{}/src/lib.rs"]);
        deeds.text(read, "{}/src/lib.rs", Topic::UserSource, &[]);
        points(&RULE, &deeds, Severity::Low, &[6]);
    }

    #[test]
    fn a_library_that_walks_through_source_is_told() {
        let mut deeds = Deeds::new();
        let read = deeds.act(LIBRARY, OperationKind::ReadDirectory, &["{}"]);
        deeds.text(read, "rs", Topic::UserSource, &[]);
        points(&RULE, &deeds, Severity::Info, &[6]);
    }

    #[test]
    fn snapshots_own_source_and_tests_are_silent() {
        let mut deeds = Deeds::new();
        for (function, path) in
            [(LIBRARY, "{}/snapshots/{}.snap"), (BUILD, "src/words.rs"), (TEST, "src/lib.rs")]
        {
            let read = deeds.act(function, OperationKind::ReadFile, &[path]);
            deeds.text(read, path, Topic::UserSource, &[]);
        }
        silent(&RULE, &deeds.input());
    }
}
