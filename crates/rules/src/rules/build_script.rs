//! Build scripts.

use cratekeeper_model::facts::TargetKind;
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "build-script",
    family: Family::Package,
    title: "The package runs a program before it is compiled",
    explanation: "\
**Looks at:** whether the manifest, or cargo's naming rule, gives the package a build script that is part of it.

**Why:** it runs on every machine that builds the package, with the rights of whoever builds: before any test, before
any of its functions is called. Most malicious crates to date used one. Source:
[The Cargo Book, build scripts](https://doc.rust-lang.org/cargo/reference/build-scripts.html).

**Harmless when:** nearly always: 58 of 344 crates that Rust projects use have one, to find a native library or to generate code.

**What to do:** nothing. It is listed so that you know what to read first when something else is wrong, and so that a
policy can speak about it.",
    severities: &[Severity::Info],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let targets = facts.manifest.targets.iter();
        let scripts: Vec<&str> = targets
            .filter(|target| target.kind == TargetKind::BuildScript && target.exists)
            .map(|target| target.path.as_str())
            .collect();
        let Some(first) = scripts.first() else { return Vec::new() };
        let message = format!("{} runs on every machine that builds the package", quoted(first, NAME));
        let evidence = scripts.iter().map(|path| place(path, None, None));
        vec![
            finding(&RULE, Severity::Info, Confidence::High, message).with_evidence(evidence).with_help(
                format!("read {} if anything else about this version is odd", quoted(first, NAME)),
            ),
        ]
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Target, TargetKind};
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, silent, target, with};

    #[test]
    fn a_script_under_any_name_is_told() {
        for path in ["build.rs", "tools/gen.rs"] {
            let input = with(|facts| facts.manifest.targets.push(target(TargetKind::BuildScript, path)));
            let finding = one(&RULE, &input, Severity::Info, Confidence::High);
            assert_eq!(finding.evidence[0].file, path);
        }
    }

    #[test]
    fn other_targets_and_absent_scripts_are_silent() {
        let absent = Target { exists: false, ..target(TargetKind::BuildScript, "build.rs") };
        let targets =
            vec![target(TargetKind::Lib, "build.rs"), target(TargetKind::ProcMacro, "m.rs"), absent];
        silent(&RULE, &with(|facts| facts.manifest.targets = targets));
        silent(&RULE, &input());
    }

    #[test]
    fn without_facts_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { facts: Known::Unknown("offline".to_owned()), ..input() });
    }
}
