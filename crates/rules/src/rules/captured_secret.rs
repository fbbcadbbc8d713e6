//! Secrets that the compiler copies into a program.

use cratekeeper_model::facts::{FlowSource, IncludeKind, OperationKind};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Sign, is_secret_variable, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule, place};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "captured-secret",
    family: Family::Behaviour,
    title: "A secret variable of the build becomes part of the compiled program",
    explanation: "\
**Looks at:** `env!` and `option_env!` of variables whose names speak of a secret (TOKEN, SECRET, PASSWORD, API_KEY, …), and build scripts that pass one on by `cargo:rustc-env`. `low`.

**Why:** build services hold tokens in variables. What is compiled in leaves with the program, and whoever has the program has the token.

**Harmless when:** an application is meant to be built with its own key; libraries on a registry have no such thing.

**What to do:** find out who sets the variable, and what the value is used for.",
    severities: &[Severity::Low],
    techniques: &[8],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let includes = behaviour.facts.source.includes.iter();
        let variables =
            includes.filter(|include| matches!(include.kind, IncludeKind::Env | IncludeKind::OptionEnv));
        let captured = variables.filter(|include| is_secret_variable(&include.argument)).map(|include| {
            let excerpt = Some(quoted(&include.argument, NAME));
            Sign::new(
                Severity::Low,
                Confidence::High,
                place(behaviour.file(include.file), Some(include.line), excerpt),
            )
        });
        let passed = behaviour
            .of_kind(&[OperationKind::CargoDirective])
            .filter(|act| behaviour.receives(*act, &[FlowSource::SecretVariable]))
            .map(|act| Sign::new(Severity::Low, Confidence::Medium, behaviour.evidence(act)));
        let seen = captured.chain(passed).map(|sign| sign.pointing_to([8]));
        signs(
            &RULE,
            seen,
            "a secret of whoever builds becomes part of the program",
            "find out what the value is used for",
        )
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{FlowSource, Include, IncludeKind, OperationKind};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, points, silent};

    fn capturing(variable: &str) -> Deeds {
        let mut deeds = Deeds::new();
        deeds.facts().source.includes.push(Include {
            file: 1,
            line: 3,
            kind: IncludeKind::OptionEnv,
            argument: variable.to_owned(),
            literal: true,
        });
        deeds
    }

    #[test]
    fn a_token_that_is_compiled_in_is_told() {
        let finding = points(&RULE, &capturing("GITHUB_TOKEN"), Severity::Low, &[8]);
        assert_eq!((finding.evidence[0].file.as_str(), finding.evidence[0].line), ("src/lib.rs", Some(3)));
    }

    #[test]
    fn a_build_script_that_passes_one_on_is_told() {
        let mut deeds = Deeds::new();
        let directive = deeds.act(BUILD, OperationKind::CargoDirective, &["cargo:rustc-env=X={}"]);
        deeds.flow(FlowSource::SecretVariable, None, directive);
        points(&RULE, &deeds, Severity::Low, &[8]);
    }

    #[test]
    fn versions_and_commits_are_silent() {
        for variable in ["CARGO_PKG_VERSION", "GIT_COMMIT", "TARGET"] {
            silent(&RULE, &capturing(variable).input());
        }
    }
}
