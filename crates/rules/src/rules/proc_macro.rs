//! Procedural macros.

use cratekeeper_model::facts::TargetKind;
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "proc-macro",
    family: Family::Package,
    title: "The package runs inside the compiler",
    explanation: "\
**Looks at:** whether the library of the package is a procedural macro.

**Why:** its functions run inside the compiler of everyone who uses it, with the rights of whoever builds, and in many
editors as soon as a file is opened. They see the code that they are applied to and decide what it becomes. Source:
[The Rust Reference, procedural macros](https://doc.rust-lang.org/reference/procedural-macros.html).

**Harmless when:** nearly always: every derive is one.

**What to do:** nothing. It is listed so that you know what to read first when something else is wrong, and so that a
policy can speak about it.",
    severities: &[Severity::Info],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let mut targets = facts.manifest.targets.iter();
        let Some(library) = targets.find(|target| target.kind == TargetKind::ProcMacro) else {
            return Vec::new();
        };
        let path = quoted(&library.path, NAME);
        let message =
            format!("{path} is a procedural macro: it runs inside the compiler of everyone who uses it");
        vec![
            finding(&RULE, Severity::Info, Confidence::High, message)
                .with_evidence([place(&library.path, None, None)])
                .with_help(format!("read {path} if anything else about this version is odd")),
        ]
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::TargetKind;
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, silent, target, with};

    #[test]
    fn a_macro_library_is_told() {
        let input = with(|facts| facts.manifest.targets.push(target(TargetKind::ProcMacro, "src/lib.rs")));
        let finding = one(&RULE, &input, Severity::Info, Confidence::High);
        assert_eq!(finding.evidence[0].file, "src/lib.rs");
    }

    #[test]
    fn a_library_is_silent() {
        silent(&RULE, &with(|facts| facts.manifest.targets.push(target(TargetKind::Lib, "src/lib.rs"))));
        silent(&RULE, &input());
    }

    #[test]
    fn without_facts_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { facts: Known::Unknown("offline".to_owned()), ..input() });
    }
}
